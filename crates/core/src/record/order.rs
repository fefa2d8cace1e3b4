//! An order in its parts: demand (lines, amounts, addresses), payment, and the document's life in each system.
//!
//! Every field is optional because each system tells a part: a shop tells demand and payment, an ERP its own number,
//! stage and totals. Amounts of a line are totals of that line in the order's currency, after discount.

use super::fields::{Fields, Malformed};
use super::order_line::{CHARGE, Charge, LINE, Line};
use super::{LineForm, Lines};
use crate::leaf::{Leaves, Ref, Value};
use crate::money::{Currency, Money};
use crate::path::Path;
use crate::rules::Branch;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

/// Where an order stands in the shop that took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderLife {
    /// Taken and in force.
    Open,
    /// Put on hold by a person.
    Held,
    /// Waiting for payment or review; may never come to anything.
    Pending,
    /// Withdrawn.
    Cancelled,
    /// Fulfilled.
    Done,
    /// Given back in full.
    Closed,
}

impl OrderLife {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Open, "open"),
        (Self::Held, "held"),
        (Self::Pending, "pending"),
        (Self::Cancelled, "cancelled"),
        (Self::Done, "done"),
        (Self::Closed, "closed"),
    ];

    /// The word stored for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(life, _)| *life == self).map_or("open", |(_, word)| *word)
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, w)| *w == word).map(|(life, _)| *life)
    }
}

/// How and how far it is paid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payment {
    /// Table code of the method.
    pub method: Option<String>,
    /// Whether the money is promised by a gateway, or already there.
    pub authorised: Option<bool>,
    /// Money received so far.
    pub captured: Option<Money>,
    /// The buyer's purchase order number.
    pub po_number: Option<String>,
}

/// Where it goes and to whom, as far as taxes are told apart by it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SoldTo {
    /// Country the goods go to, or of the buyer where nothing is sent, as ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Region of it, in the shop's code or words.
    pub region: Option<String>,
    /// Whether the buyer has shown a tax number.
    pub business: Option<bool>,
}

/// Header figures as printed on the document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// What the buyer owes for the whole order.
    pub grand: Option<Money>,
    /// Tax in it.
    pub tax: Option<Money>,
}

/// The list, among the elements of an amendment, of the addresses that the document was to be sent to by earlier ones: those of
/// its papers that go there already were sent there by us.
pub const ASKED: &str = "asked";

/// A sale.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// The document's number in the system that tells it.
    pub number: Option<String>,
    /// The partner document's number, where this system keeps one.
    pub reference: Option<String>,
    /// Where it stands in the shop.
    pub life: Option<OrderLife>,
    /// The last stage reached in the ERP, e.g. `draft`, `quote`, `confirm`, `process`, `done`, `cancelled`.
    pub stage: Option<String>,
    /// What stands in the way of withdrawing it: parcels that left, invoices in force, by their names there; empty where
    /// nothing does. Told by an ERP where one document is read.
    pub fixed: Option<String>,
    /// Shipments that somebody has goods in hand for and that have not left, by their names there; empty where there are none.
    /// Told with `fixed`, and so are the two below.
    pub in_hand: Option<String>,
    /// What has left of it, by name.
    pub left: Option<String>,
    /// What it asks money for by now, by name.
    pub in_force: Option<String>,
    /// The cart it was made of, by its id in the shop.
    pub cart: Option<String>,
    /// When it was placed.
    pub placed: Option<Timestamp>,
    /// The shop's local day of it: the document day.
    pub day: Option<Date>,
    /// Its currency; every amount is in it.
    pub currency: Option<Currency>,
    /// Who bought.
    pub customer: Option<Ref>,
    /// Where the invoice goes: an element of the customer.
    pub billing: Option<Ref>,
    /// Where the goods go; none for virtual orders.
    pub shipping: Option<Ref>,
    /// What its taxes go by beside what is sold.
    pub sold_to: SoldTo,
    /// Where in the ERP it is to be booked; only what is asked of an ERP tells it.
    pub branch: Branch,
    /// How it is paid.
    pub payment: Payment,
    /// Lines by the id they have where they were born, in document order.
    pub lines: Lines,
    /// Charges by name.
    pub charges: BTreeMap<String, Charge>,
    /// Header figures.
    pub totals: Totals,
}

const HEADER: [&str; 27] = [
    "number",
    "reference",
    "life",
    "stage",
    "fixed",
    "in_hand",
    "left",
    "in_force",
    "cart",
    "placed",
    "day",
    "currency",
    "customer",
    "billing",
    "shipping",
    "sold_to.country",
    "sold_to.region",
    "sold_to.business",
    "branch.company",
    "branch.web_shop",
    "branch.warehouse",
    "payment.method",
    "payment.authorised",
    "payment.captured",
    "payment.po_number",
    "totals.grand",
    "totals.tax",
];

fn known(path: &Path) -> bool {
    HEADER.contains(&path.as_str())
        || path.within("lines").is_some_and(|(_, field)| LINE.contains(&field) || field.starts_with("taxes["))
        || path.within("charges").is_some_and(|(_, field)| CHARGE.contains(&field) || field.starts_with("taxes["))
}

/// The lines that `leaves` tell, in document order.
fn lines_of(leaves: &Leaves) -> Result<Lines, Malformed> {
    let mut lines = Vec::new();
    for key in leaves.keys_of("lines") {
        let (position, line) = Line::read(leaves, Path::element("lines", &key))?;
        lines.push((position, key, line));
    }
    lines.sort_by_key(|(position, ..)| *position);
    Ok(lines.into_iter().map(|(_, key, line)| (key, line)).collect())
}

impl Order {
    fn header(&self) -> [(&'static str, Option<Value>); 27] {
        let text = |text: &Option<String>| text.clone().map(Value::Text);
        [
            ("number", text(&self.number)),
            ("reference", text(&self.reference)),
            ("life", self.life.map(|life| Value::Code(life.word().to_string()))),
            ("stage", self.stage.clone().map(Value::Code)),
            ("fixed", text(&self.fixed)),
            ("in_hand", text(&self.in_hand)),
            ("left", text(&self.left)),
            ("in_force", text(&self.in_force)),
            ("cart", text(&self.cart)),
            ("placed", self.placed.map(Value::Instant)),
            ("day", self.day.map(Value::Day)),
            ("currency", self.currency.map(|c| Value::Code(c.to_string()))),
            ("customer", self.customer.clone().map(Value::Ref)),
            ("billing", self.billing.clone().map(Value::Ref)),
            ("shipping", self.shipping.clone().map(Value::Ref)),
            ("sold_to.country", text(&self.sold_to.country)),
            ("sold_to.region", text(&self.sold_to.region)),
            ("sold_to.business", self.sold_to.business.map(Value::Bool)),
            ("branch.company", text(&self.branch.company)),
            ("branch.web_shop", text(&self.branch.web_shop)),
            ("branch.warehouse", text(&self.branch.warehouse)),
            ("payment.method", self.payment.method.clone().map(Value::Code)),
            ("payment.authorised", self.payment.authorised.map(Value::Bool)),
            ("payment.captured", self.payment.captured.map(Value::Money)),
            ("payment.po_number", text(&self.payment.po_number)),
            ("totals.grand", self.totals.grand.map(Value::Money)),
            ("totals.tax", self.totals.tax.map(Value::Money)),
        ]
    }

    pub(super) fn to_leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        for (field, value) in self.header() {
            if let Some(value) = value {
                leaves.put(Path::field(field), value);
            }
        }
        for (at, (key, line)) in self.lines.iter().enumerate() {
            line.put(&mut leaves, &Path::element("lines", key), at);
        }
        for (key, charge) in &self.charges {
            charge.put(&mut leaves, &Path::element("charges", key));
        }
        leaves
    }

    /// The order that `leaves` tell.
    ///
    /// # Errors
    /// [`Malformed`] with the path of a field that is unknown or of another type.
    pub fn from_leaves(leaves: &Leaves) -> Result<Self, Malformed> {
        if let Some((path, _)) = leaves.iter().find(|(path, _)| !known(path)) {
            return Err(Malformed::Unknown(path.clone()));
        }
        let fields = Fields::of(leaves);
        let life = match fields.code("life")? {
            None => None,
            Some(word) => Some(
                OrderLife::of(&word).ok_or(Malformed::Type { path: fields.path("life"), wanted: "an order's life" })?,
            ),
        };
        let currency = match fields.code("currency")? {
            None => None,
            Some(code) => Some(
                code.parse().map_err(|_| Malformed::Type { path: fields.path("currency"), wanted: "a currency" })?,
            ),
        };
        let mut charges = BTreeMap::new();
        for key in leaves.keys_of("charges") {
            let charge = Charge::read(leaves, Path::element("charges", &key))?;
            charges.insert(key, charge);
        }
        Ok(Self {
            number: fields.text("number")?,
            reference: fields.text("reference")?,
            life,
            stage: fields.code("stage")?,
            fixed: fields.text("fixed")?,
            in_hand: fields.text("in_hand")?,
            left: fields.text("left")?,
            in_force: fields.text("in_force")?,
            cart: fields.text("cart")?,
            placed: fields.instant("placed")?,
            day: fields.day("day")?,
            currency,
            customer: fields.reference("customer")?,
            billing: fields.reference("billing")?,
            shipping: fields.reference("shipping")?,
            sold_to: SoldTo {
                country: fields.text("sold_to.country")?,
                region: fields.text("sold_to.region")?,
                business: fields.flag("sold_to.business")?,
            },
            branch: Branch {
                company: fields.text("branch.company")?,
                web_shop: fields.text("branch.web_shop")?,
                warehouse: fields.text("branch.warehouse")?,
            },
            payment: Payment {
                method: fields.code("payment.method")?,
                authorised: fields.flag("payment.authorised")?,
                captured: fields.money("payment.captured")?,
                po_number: fields.text("payment.po_number")?,
            },
            lines: lines_of(leaves)?,
            charges,
            totals: Totals { grand: fields.money("totals.grand")?, tax: fields.money("totals.tax")? },
        })
    }

    /// What the order takes from stock: each variant with its quantity, bundles by their children, the chosen member of
    /// a family once. Nothing where the order is withdrawn.
    #[must_use]
    pub fn commits(&self) -> BTreeMap<Ref, Decimal> {
        let mut commits = BTreeMap::new();
        if matches!(self.life, Some(OrderLife::Cancelled | OrderLife::Closed)) {
            return commits;
        }
        let headings: BTreeSet<&String> = self.lines.iter().filter_map(|(_, line)| line.parent.as_ref()).collect();
        for (key, line) in self.lines.iter() {
            let parent = line.parent.as_ref().and_then(|key| self.lines.get(key)).and_then(|parent| parent.form);
            let heading = headings.contains(key) && line.form != Some(LineForm::Configurable);
            if heading || parent == Some(LineForm::Configurable) || line.form == Some(LineForm::Comment) {
                continue;
            }
            if let (Some(variant), Some(quantity)) = (&line.variant, line.quantity) {
                let sum: &mut Decimal = commits.entry(variant.clone()).or_default();
                *sum = sum.saturating_add(quantity);
            }
        }
        commits
    }

    /// How many of `line` are still wanted: what was ordered less what was cancelled.
    #[must_use]
    pub fn wanted(line: &Line) -> Option<Decimal> {
        let off = line.had.cancelled.unwrap_or_default().max(Decimal::ZERO);
        Some(line.quantity?.saturating_sub(off).max(Decimal::ZERO))
    }

    /// Whether it is withdrawn in its shop, by its own word or line by line. One that was closed is none: money was given
    /// back for it, and how much of it was kept is not told.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        let mut lines = self.sold_lines().peekable();
        let whole = |wanted: Option<Decimal>, off: Option<Decimal>| wanted.is_some() && off >= wanted;
        self.life == Some(OrderLife::Cancelled)
            || (lines.peek().is_some() && lines.all(|(_, line)| whole(line.quantity, line.had.cancelled)))
    }

    /// The lines that are goods or money of their own: children of a configurable line are folded into their parent,
    /// bundles without money of their own are left to their children.
    pub fn sold_lines(&self) -> impl Iterator<Item = (&String, &Line)> {
        self.lines.iter().filter(|(_, line)| {
            let parent = line.parent.as_ref().and_then(|key| self.lines.get(key));
            let folded = parent.is_some_and(|p| p.form == Some(LineForm::Configurable));
            let heading =
                line.form == Some(LineForm::Comment) || (line.form == Some(LineForm::Bundle) && !line.carries_money());
            !folded && !heading
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RemoteId;
    use crate::kind::Kind;
    use proptest::prelude::*;

    fn money() -> impl Strategy<Value = Option<Money>> {
        proptest::option::of(
            (-100_000i64..100_000, 0u32..5).prop_map(|(m, s)| Money::new(Decimal::new(m, s), "EUR".parse().unwrap())),
        )
    }

    fn text() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("\\PC{0,12}")
    }

    fn line() -> impl Strategy<Value = Line> {
        let forms = proptest::option::of(prop_oneof![Just(LineForm::Simple), Just(LineForm::Bundle)]);
        let taxes = proptest::collection::btree_map("\\PC{1,6}", (0i64..30).prop_map(Decimal::from), 0..3);
        (text(), forms, text(), money(), money(), taxes, proptest::option::of(0i64..99)).prop_map(
            |(sku, form, parent, net, tax, taxes, qty)| Line {
                variant: sku.clone().map(|s| Ref::remote(Kind::Variant, RemoteId::new("1", s))),
                parent,
                form,
                sku,
                net,
                tax,
                taxes,
                quantity: qty.map(Decimal::from),
                ..Line::default()
            },
        )
    }

    fn order() -> impl Strategy<Value = Order> {
        let lines = proptest::collection::vec(("\\PC{1,8}", line()), 0..5);
        (text(), lines, money(), money(), text(), any::<bool>()).prop_map(
            |(number, lines, grand, net, method, paid)| Order {
                number,
                life: Some(OrderLife::Open),
                currency: "EUR".parse().ok(),
                lines: lines.into_iter().map(|(k, l)| (k, Line { sku: l.sku.or(Some(String::new())), ..l })).collect(),
                charges: [("shipping".to_string(), Charge { net, title: Some("x".into()), ..Charge::default() })]
                    .into(),
                totals: Totals { grand, tax: None },
                payment: Payment { method, authorised: Some(paid), ..Payment::default() },
                ..Order::default()
            },
        )
    }

    proptest! {
        #[test]
        fn an_order_comes_back_from_its_leaves(order in order()) {
            prop_assert_eq!(Order::from_leaves(&order.to_leaves()).unwrap(), order);
        }
    }

    #[test]
    fn stock_is_taken_once_for_each_thing_sold() {
        let line = |sku: &str, form: LineForm, parent: Option<&str>, quantity: i64| Line {
            variant: Some(Ref::remote(Kind::Variant, RemoteId::new("", sku))),
            form: Some(form),
            parent: parent.map(ToString::to_string),
            quantity: Some(quantity.into()),
            ..Line::default()
        };
        let lines = [
            ("1", line("MUG", LineForm::Simple, None, 2)),
            ("2", line("SHIRT-M", LineForm::Configurable, None, 3)),
            ("3", line("SHIRT-M", LineForm::Simple, Some("2"), 3)),
            ("4", line("SET", LineForm::Bundle, None, 1)),
            ("5", line("MUG", LineForm::Simple, Some("4"), 4)),
            ("6", line("LAMP", LineForm::Simple, Some("4"), 1)),
        ];
        let lines = lines.into_iter().map(|(key, line)| (key.to_string(), line)).collect();
        let mut order = Order { lines, ..Order::default() };
        let told: Vec<String> = order
            .commits()
            .iter()
            .map(|(variant, n)| {
                alloc::format!(
                    "{} {n}",
                    match &variant.to {
                        crate::leaf::Target::Remote(id) => id.id.clone(),
                        crate::leaf::Target::Entity(_) => String::new(),
                    }
                )
            })
            .collect();
        assert_eq!(told, ["LAMP 1", "MUG 6", "SHIRT-M 3"]);
        order.life = Some(OrderLife::Cancelled);
        assert!(order.commits().is_empty());
    }

    #[test]
    fn a_path_from_the_future_is_an_error_not_nothing() {
        let mut leaves = Order::default().to_leaves();
        leaves.put(Path::field("loyalty"), Value::Bool(true));
        assert_eq!(Order::from_leaves(&leaves), Err(Malformed::Unknown(Path::field("loyalty"))));
    }
}
