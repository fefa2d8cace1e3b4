//! A paper: what was done about an order. Goods that left, money that was asked for, taken or given back.
//!
//! All of them say the same sort of thing: of which order, how much of which line, since when. A shipment has parcels, an
//! invoice has money. The lines of a payment are the invoices it was booked on, by their ids. Quantities and amounts are those
//! of this one paper; what an order has had in all is its level.

use super::fields::{Fields, Malformed};
use crate::id::RemoteId;
use crate::leaf::{Leaves, Ref, Value};
use crate::money::{Currency, Money};
use crate::path::Path;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use jiff::civil::Date;
use rust_decimal::Decimal;

/// How far a paper has come in the system that tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperLife {
    /// Begun: nothing has left yet, nothing is owed yet.
    Open,
    /// In force: the goods have left, the money is owed.
    Done,
    /// In force, and the money has come; of invoices and credits.
    Paid,
    /// Withdrawn.
    Void,
}

impl PaperLife {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Open, "open"), (Self::Done, "done"), (Self::Paid, "paid"), (Self::Void, "void")];

    /// The word stored for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(life, _)| *life == self).map_or("open", |(_, word)| *word)
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, w)| *w == word).map(|(life, _)| *life)
    }
}

/// How much of one line of the order a paper is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PaperLine {
    /// How many, in the unit of the order's line.
    pub quantity: Option<Decimal>,
    /// Total without tax, after discount; of papers with money.
    pub net: Option<Money>,
    /// Tax on it as the system computed it.
    pub tax: Option<Money>,
    /// SKU as printed, for people to read.
    pub sku: Option<String>,
}

/// One parcel that can be followed; it goes by its number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Track {
    /// Code of the carrier in the system that tells it.
    pub carrier: Option<String>,
    /// What people call the carrier.
    pub title: Option<String>,
}

/// A paper.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paper {
    /// Its number in the system that tells it.
    pub number: Option<String>,
    /// How far it has come.
    pub life: Option<PaperLife>,
    /// The order it is about.
    pub order: Option<Ref>,
    /// The day it came into force.
    pub day: Option<Date>,
    /// Where goods left from: a warehouse of an ERP, a source of a shop.
    pub place: Option<String>,
    /// Its currency, where it has amounts.
    pub currency: Option<Currency>,
    /// How much of each line, by the line's key in the system that tells it.
    pub lines: BTreeMap<String, PaperLine>,
    /// What else is paid for, without tax, by name: `shipping`.
    pub charges: BTreeMap<String, Money>,
    /// The parcels that can be followed, by number.
    pub tracks: BTreeMap<String, Track>,
    /// All of it, with tax; of papers with money.
    pub grand: Option<Money>,
    /// What of it is still to be paid; of an ERP's invoices, where payments are booked on them.
    pub owed: Option<Money>,
    /// How it was paid, in the words of the system that tells it; of payments.
    pub method: Option<String>,
}

const HEADER: [&str; 9] = ["number", "life", "order", "day", "place", "currency", "grand", "owed", "method"];
const LINE: [&str; 4] = ["quantity", "net", "tax", "sku"];
const TRACK: [&str; 2] = ["carrier", "title"];
const TRACKS: &str = "tracks";

fn known(path: &Path) -> bool {
    HEADER.contains(&path.as_str())
        || path.within("lines").is_some_and(|(_, field)| LINE.contains(&field))
        || path.within("charges").is_some_and(|(_, field)| field == "net")
        || path.within(TRACKS).is_some_and(|(_, field)| TRACK.contains(&field))
}

impl Paper {
    /// The path of the order a paper is about.
    #[must_use]
    pub fn order_path() -> Path {
        Path::field("order")
    }

    /// The path of the parcel `number`: whether it is there.
    #[must_use]
    pub fn track_path(number: &str) -> Path {
        Path::element(TRACKS, number)
    }

    /// The parcel whose carrier or title stands at `path`; none for another field.
    #[must_use]
    pub fn track_of(path: &Path) -> Option<String> {
        path.within(TRACKS).map(|(number, _)| number)
    }

    /// Whether it is in force: what it tells has happened.
    #[must_use]
    pub fn in_force(&self) -> bool {
        matches!(self.life, Some(PaperLife::Done | PaperLife::Paid))
    }

    /// Whether it is in force and has money, and none of it for goods.
    #[must_use]
    pub fn asks_for_charges_alone(&self) -> bool {
        let counts = |number: Option<Decimal>| number.is_some_and(|number| !number.is_zero());
        self.in_force()
            && counts(self.grand.map(|grand| grand.amount))
            && !self.lines.values().any(|line| counts(line.quantity))
    }

    pub(super) fn to_leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        let header = [
            ("number", text(&self.number)),
            ("life", self.life.map(|life| Value::Code(life.word().to_string()))),
            ("order", self.order.clone().map(Value::Ref)),
            ("day", self.day.map(Value::Day)),
            ("place", text(&self.place)),
            ("currency", self.currency.map(|currency| Value::Code(currency.to_string()))),
            ("grand", self.grand.map(Value::Money)),
            ("owed", self.owed.map(Value::Money)),
            ("method", self.method.clone().map(Value::Code)),
        ];
        for (field, value) in header {
            if let Some(value) = value {
                leaves.put(Path::field(field), value);
            }
        }
        for (key, line) in &self.lines {
            let fields = [
                ("quantity", line.quantity.map(Value::Number)),
                ("net", line.net.map(Value::Money)),
                ("tax", line.tax.map(Value::Money)),
                ("sku", text(&line.sku)),
            ];
            for (field, value) in fields {
                if let Some(value) = value {
                    leaves.put(Path::element("lines", key).dot(field), value);
                }
            }
        }
        for (name, net) in &self.charges {
            leaves.put(Path::element("charges", name).dot("net"), Value::Money(*net));
        }
        for (number, track) in &self.tracks {
            let fields = [("carrier", track.carrier.clone().map(Value::Code)), ("title", text(&track.title))];
            for (field, value) in fields {
                if let Some(value) = value {
                    leaves.put(Self::track_path(number).dot(field), value);
                }
            }
        }
        leaves
    }

    /// The paper that `leaves` tell.
    ///
    /// # Errors
    /// [`Malformed`] with the path of a field that is unknown or of another type.
    pub fn from_leaves(leaves: &Leaves) -> Result<Self, Malformed> {
        if let Some((path, _)) = leaves.iter().find(|(path, _)| !known(path)) {
            return Err(Malformed::Unknown(path.clone()));
        }
        let fields = Fields::of(leaves);
        let wrong = |field, wanted| Malformed::Type { path: fields.path(field), wanted };
        let life = match fields.code("life")? {
            None => None,
            Some(word) => Some(PaperLife::of(&word).ok_or_else(|| wrong("life", "a paper's life"))?),
        };
        let currency = match fields.code("currency")? {
            None => None,
            Some(code) => Some(code.parse().map_err(|_| wrong("currency", "a currency"))?),
        };
        let mut paper = Self {
            number: fields.text("number")?,
            life,
            order: fields.reference("order")?,
            day: fields.day("day")?,
            place: fields.text("place")?,
            currency,
            grand: fields.money("grand")?,
            owed: fields.money("owed")?,
            method: fields.code("method")?,
            ..Self::default()
        };
        for key in leaves.keys_of("lines") {
            let line = Fields::below(leaves, Path::element("lines", &key));
            let line = PaperLine {
                quantity: line.number("quantity")?,
                net: line.money("net")?,
                tax: line.money("tax")?,
                sku: line.text("sku")?,
            };
            paper.lines.insert(key, line);
        }
        for name in leaves.keys_of("charges") {
            if let Some(net) = Fields::below(leaves, Path::element("charges", &name)).money("net")? {
                paper.charges.insert(name, net);
            }
        }
        for number in leaves.keys_of(TRACKS) {
            let track = Fields::below(leaves, Self::track_path(&number));
            let track = Track { carrier: track.code("carrier")?, title: track.text("title")? };
            paper.tracks.insert(number, track);
        }
        Ok(paper)
    }
}

/// The id of a paper below its order: `<order>:<paper>`. A paper is read, searched and counted with its order, and what a
/// system sends together for several orders is one paper for each of them.
#[must_use]
pub fn below(order: &RemoteId, paper: &str) -> RemoteId {
    RemoteId::new(order.scope.clone(), alloc::format!("{}:{paper}", order.id))
}

/// The order's id and the paper's own in the id of a paper; none where it is not the id of one.
#[must_use]
pub fn apart(id: &RemoteId) -> Option<(RemoteId, &str)> {
    let (order, paper) = id.id.split_once(':')?;
    Some((RemoteId::new(id.scope.clone(), order), paper)).filter(|_| !order.is_empty() && !paper.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use proptest::prelude::*;

    fn paper() -> impl Strategy<Value = Paper> {
        let money =
            || (-9_999i64..9_999, 0u32..4).prop_map(|(m, s)| Money::new(Decimal::new(m, s), "EUR".parse().unwrap()));
        let text = || proptest::option::of("\\PC{0,9}");
        let line = (proptest::option::of(0i64..99), proptest::option::of(money()), text()).prop_map(|(n, net, sku)| {
            PaperLine { quantity: n.map(Decimal::from), net, tax: net, sku: sku.or(Some("x".into())) }
        });
        let lines = proptest::collection::btree_map("\\PC{1,6}", line, 0..4);
        let tracks = proptest::collection::btree_map("\\PC{1,9}", text(), 0..3);
        (text(), lines, tracks, proptest::option::of(money()), text()).prop_map(
            |(number, lines, tracks, grand, place)| Paper {
                number,
                life: Some(PaperLife::Paid),
                order: Some(Ref::remote(Kind::Order, RemoteId::new("1", "7"))),
                lines,
                tracks: tracks
                    .into_iter()
                    .map(|(n, title)| (n, Track { carrier: Some("dhl".into()), title }))
                    .collect(),
                charges: grand.map(|net| ("shipping".to_string(), net)).into_iter().collect(),
                grand,
                owed: grand,
                method: Some("checkmo".into()),
                place,
                ..Paper::default()
            },
        )
    }

    proptest! {
        #[test]
        fn a_paper_comes_back_from_its_leaves(paper in paper()) {
            prop_assert_eq!(Paper::from_leaves(&paper.to_leaves()).unwrap(), paper);
        }
    }

    #[test]
    fn a_papers_id_tells_its_order() {
        let order = RemoteId::new("1", "7");
        let id = below(&order, "12");
        assert_eq!(apart(&id), Some((order, "12")));
        assert_eq!(apart(&RemoteId::new("1", "7")), None);
        assert_eq!(apart(&RemoteId::new("1", ":7")), None);
    }
}
