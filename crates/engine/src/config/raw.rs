//! The shape of the file and nothing else.

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

pub(super) type Text = Option<Spanned<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) store: Option<String>,
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
    pub(super) login: Text,
    pub(super) password: Text,
    pub(super) company: Text,
    pub(super) web_shop: Text,
    pub(super) warehouse: Text,
    pub(super) shipping_product: Text,
    pub(super) rounding_product: Text,
    pub(super) settle: Text,
    pub(super) timeout: Text,
    pub(super) calls: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) accept_none: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlowTables {
    pub(super) products: Option<Spanned<Common>>,
    pub(super) customers: Option<Spanned<Common>>,
    pub(super) inventory: Option<Spanned<Inventory>>,
    pub(super) orders: Option<Spanned<Orders>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Common {
    #[serde(default)]
    pub(super) why: String,
    #[serde(default)]
    pub(super) today: String,
    pub(super) from: Text,
    #[serde(default)]
    pub(super) to: Vec<Spanned<String>>,
    pub(super) every: Text,
    pub(super) mode: Text,
    #[serde(default)]
    pub(super) needs: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inventory {
    #[serde(default)]
    pub(super) why: String,
    #[serde(default)]
    pub(super) today: String,
    pub(super) from: Text,
    #[serde(default)]
    pub(super) to: Vec<Spanned<String>>,
    pub(super) every: Text,
    pub(super) mode: Text,
    #[serde(default)]
    pub(super) needs: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) safety: u32,
    #[serde(default)]
    pub(super) sources: BTreeMap<String, Spanned<Vec<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Orders {
    #[serde(default)]
    pub(super) why: String,
    #[serde(default)]
    pub(super) today: String,
    pub(super) from: Text,
    #[serde(default)]
    pub(super) to: Vec<Spanned<String>>,
    pub(super) every: Text,
    pub(super) mode: Text,
    #[serde(default)]
    pub(super) needs: Vec<Spanned<String>>,
    pub(super) start: Text,
    pub(super) tax: Text,
    #[serde(default)]
    pub(super) release: BTreeMap<String, Spanned<String>>,
    pub(super) release_days: Option<u32>,
    pub(super) rounding_per_line: Option<u32>,
    pub(super) number: Text,
    #[serde(default)]
    pub(super) payment_methods: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) taxes: BTreeMap<String, String>,
}
