//! The shape of the file and nothing else.

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use syncline_connect::json_api::{HeaderName, Resource};
use toml::Spanned;

pub(super) type Text = Option<Spanned<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) store: Option<String>,
    pub(super) listen: Text,
    pub(super) sweep: Text,
    pub(super) sweep_deep: Text,
    pub(super) keep_evidence: Text,
    #[serde(default)]
    pub(super) systems: BTreeMap<String, Spanned<System>>,
    #[serde(default)]
    pub(super) flows: FlowTables,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct System {
    pub(super) kind: Text,
    pub(super) uid: Text,
    pub(super) url: Text,
    pub(super) token: Text,
    pub(super) consumer_key: Text,
    pub(super) consumer_secret: Text,
    pub(super) access_token: Text,
    pub(super) access_token_secret: Text,
    pub(super) login: Text,
    pub(super) password: Text,
    pub(super) hook_secret: Text,
    pub(super) category_root: Text,
    pub(super) notify_shipments: Option<Spanned<bool>>,
    pub(super) company: Text,
    pub(super) web_shop: Text,
    pub(super) warehouse: Text,
    pub(super) shipping_product: Text,
    pub(super) rounding_product: Text,
    pub(super) adjustment_product: Text,
    pub(super) closed_periods: Text,
    pub(super) website: Text,
    #[serde(default)]
    pub(super) views: BTreeMap<String, Spanned<String>>,
    pub(super) settle: Text,
    pub(super) timeout: Text,
    pub(super) calls: Option<Spanned<u32>>,
    pub(super) calls_per_second: Option<Spanned<u32>>,
    pub(super) token_header: Option<Spanned<HeaderName>>,
    pub(super) variants: Option<Spanned<Resource>>,
    #[serde(default)]
    pub(super) accept_none: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlowTables {
    pub(super) products: Option<Spanned<Flow>>,
    pub(super) customers: Option<Spanned<Flow>>,
    pub(super) inventory: Option<Spanned<Flow>>,
    pub(super) prices: Option<Spanned<Flow>>,
    pub(super) orders: Option<Spanned<Flow>>,
    pub(super) papers: Option<Spanned<Flow>>,
}

type Rows<T> = Option<Spanned<BTreeMap<String, T>>>;

/// Every key of every flow; which mean anything in which is said where they are drawn.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flow {
    #[serde(default)]
    pub(super) why: String,
    #[serde(default)]
    pub(super) today: String,
    pub(super) from: Option<Spanned<Names>>,
    #[serde(default)]
    pub(super) to: Vec<Spanned<String>>,
    pub(super) every: Text,
    pub(super) mode: Text,
    #[serde(default)]
    pub(super) needs: Vec<Spanned<String>>,
    pub(super) start: Text,
    pub(super) tax: Text,
    pub(super) number: Text,
    pub(super) release: Rows<Release>,
    pub(super) release_days: Option<Spanned<u32>>,
    pub(super) rounding_per_line: Option<Spanned<u32>>,
    pub(super) amendments: Text,
    pub(super) cancels: Text,
    pub(super) adopt: Option<Spanned<Adopt>>,
    pub(super) payment_methods: Rows<String>,
    pub(super) taxes: Rows<String>,
    pub(super) company: Text,
    pub(super) web_shop: Text,
    pub(super) warehouse: Text,
    pub(super) safety: Option<Spanned<u32>>,
    pub(super) sources: Rows<Spanned<Vec<String>>>,
    pub(super) fields: Rows<Spanned<String>>,
    pub(super) create: Option<Spanned<bool>>,
    pub(super) attributes: Rows<Spanned<String>>,
    pub(super) choices: Rows<Spanned<BTreeMap<String, String>>>,
    pub(super) options: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) lists: Rows<Spanned<String>>,
    pub(super) groups: Rows<String>,
    pub(super) carriers: Rows<String>,
    pub(super) invoices: Text,
    pub(super) credits: Text,
    pub(super) payments: Rows<String>,
    pub(super) refunds: Text,
    #[serde(rename = "match")]
    pub(super) matching: Text,
    /// By system: what differs there.
    #[serde(default)]
    pub(super) at: BTreeMap<String, Spanned<At>>,
}

/// When orders of a payment method leave the shop: a word, or a table with a deadline beside it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deadline {
    pub(super) when: Spanned<String>,
    pub(super) within: Text,
}

/// As above, in either form.
#[derive(Debug)]
pub(super) struct Release(pub(super) Deadline);

impl<'de> Deserialize<'de> for Release {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let told = Spanned::<WordOrTable>::deserialize(from)?;
        let span = told.span();
        Ok(Self(match told.into_inner() {
            WordOrTable::Word(when) => Deadline { when: Spanned::new(span, when), within: None },
            WordOrTable::Table(table) => table,
        }))
    }
}

enum WordOrTable {
    Word(String),
    Table(Deadline),
}

impl<'de> Deserialize<'de> for WordOrTable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(EitherForm)
    }
}

struct EitherForm;

impl<'de> Visitor<'de> for EitherForm {
    type Value = WordOrTable;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a word, or a table like { when = \"paid\", within = \"7d\" }")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<WordOrTable, E> {
        Ok(WordOrTable::Word(word.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<WordOrTable, A::Error> {
        Deadline::deserialize(MapAccessDeserializer::new(table)).map(WordOrTable::Table)
    }
}

/// What another connector wrote on the documents it made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Adopt {
    pub(super) field: String,
    pub(super) value: String,
}

/// What one flow says of one of its systems alone; the same keys as above, for what may differ.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct At {
    pub(super) start: Text,
    pub(super) number: Text,
    pub(super) release: Rows<Release>,
    pub(super) release_days: Option<Spanned<u32>>,
    pub(super) rounding_per_line: Option<Spanned<u32>>,
    pub(super) amendments: Text,
    pub(super) cancels: Text,
    pub(super) adopt: Option<Spanned<Adopt>>,
    pub(super) payment_methods: Rows<String>,
    pub(super) taxes: Rows<String>,
    pub(super) company: Text,
    pub(super) web_shop: Text,
    pub(super) warehouse: Text,
    pub(super) safety: Option<Spanned<u32>>,
    pub(super) sources: Rows<Spanned<Vec<String>>>,
    pub(super) fields: Rows<Spanned<String>>,
    pub(super) create: Option<Spanned<bool>>,
    pub(super) lists: Rows<Spanned<String>>,
    pub(super) groups: Rows<String>,
    pub(super) carriers: Rows<String>,
    pub(super) invoices: Text,
    pub(super) credits: Text,
    pub(super) payments: Rows<String>,
    pub(super) refunds: Text,
}

/// One name, or a list of names.
#[derive(Debug)]
pub(super) struct Names(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrMore)
    }
}

struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = Names;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name, or a list of names")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Names, E> {
        Ok(Names(vec![name.to_string()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element()? {
            names.push(name);
        }
        Ok(Names(names))
    }
}
