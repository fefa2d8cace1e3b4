//! The merchant's answers, read from `syncline.toml`: systems, flows, rules, secrets by reference.

mod draw;
mod error;
mod raw;
mod secret;
mod site;
#[cfg(test)]
mod tests;

pub use error::ConfigError;
pub use secret::Secret;

use crate::run::Flows;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use syncline_connect::json_api::{HeaderName, Resource};
use syncline_core::id::{SystemName, SystemUid};
use syncline_core::kind::{FLOWS, Flow, Kind};
use syncline_core::path::Path as Field;
use syncline_core::record::IMAGES;
use syncline_core::rules::{FieldPolicy, FieldRules, OrderRules, PaperRules, PriceRules, StockRules};

/// Which connector a system is reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SystemKind {
    /// Magento 2 and Adobe Commerce.
    Magento,
    /// Tryton.
    Tryton,
    /// Any JSON API that the file describes.
    HttpJson,
}

impl SystemKind {
    /// Every kind this version connects.
    pub const ALL: [Self; 3] = [Self::Magento, Self::Tryton, Self::HttpJson];

    /// The word for it in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Magento => "magento",
            Self::Tryton => "tryton",
            Self::HttpJson => "http-json",
        }
    }

    /// Whether the file describes what it can do, which nobody can be asked in a few words.
    #[must_use]
    pub fn is_described(self) -> bool {
        self == Self::HttpJson
    }

    /// Whether orders are taken there.
    #[must_use]
    pub fn is_shop(self) -> bool {
        self == Self::Magento
    }

    /// The kind called `word`.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// What an integration signs its requests with (OAuth 1.0a).
#[derive(Debug, Clone)]
pub struct Keys {
    /// Consumer key.
    pub consumer_key: Secret,
    /// Consumer secret.
    pub consumer_secret: Secret,
    /// Access token.
    pub access_token: Secret,
    /// Access token secret.
    pub access_token_secret: Secret,
}

/// A JSON API as the file describes it.
#[derive(Debug, Clone)]
pub struct Described {
    /// The header that carries the token; as bearer where none is named.
    pub token_header: Option<HeaderName>,
    /// Requests a second at most.
    pub per_second: Option<u32>,
    /// Its products.
    pub variants: Resource,
}

/// One connected system as the file tells it.
#[derive(Debug, Clone)]
pub struct SystemConfig {
    /// What the file calls it.
    pub name: SystemName,
    /// What never changes about it.
    pub uid: SystemUid,
    /// Its connector.
    pub kind: SystemKind,
    /// Where it answers.
    pub url: String,
    /// Token of an integration.
    pub token: Option<Secret>,
    /// What an integration signs its requests with.
    pub keys: Option<Keys>,
    /// Login, plain or by reference.
    pub login: Option<Secret>,
    /// Password, by reference.
    pub password: Option<Secret>,
    /// What it signs its hints with; none where it sends none.
    pub hook_secret: Option<Secret>,
    /// The one website of a shop that this system is, by its code; all of them where none is named.
    pub website: Option<String>,
    /// Locale of our records → store view, in a shop.
    pub views: BTreeMap<String, String>,
    /// The category that those of the ERP stand below, in a shop; its first store's root where nothing is said.
    pub category_root: Option<String>,
    /// Whether a shop writes to its buyers when goods have left.
    pub notify_shipments: bool,
    /// Company by name, in an ERP.
    pub company: Option<String>,
    /// Web shop by name, in an ERP.
    pub web_shop: Option<String>,
    /// Warehouse by code or name, in an ERP.
    pub warehouse: Option<String>,
    /// Code of the product shipping is booked on; the connector's own default where nothing is said.
    pub shipping_product: Option<String>,
    /// Code of the product rounding differences are booked on; as above.
    pub rounding_product: Option<String>,
    /// Code of the product amounts are booked on that a shop gives back beside all lines; as above.
    pub adjustment_product: Option<String>,
    /// Money that falls into a closed period is booked today; otherwise a person is asked.
    pub late_today: bool,
    /// What the file describes of it, where its kind is described.
    pub described: Option<Described>,
    /// Seconds after which a request can no longer land; the connector's own default where nothing is said.
    pub settle_s: Option<u32>,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// Most calls in flight at once; as the profile says where nothing is said.
    pub calls: Option<usize>,
    /// Kinds that may be created there though nothing keeps a second one from happening.
    pub accept_none: Vec<Kind>,
}

impl SystemConfig {
    /// Whether both are parts of one shop, or one shop named twice: the same sort at the same address.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        self.kind.is_shop() && self.kind == other.kind && place(&self.url) == place(&other.url)
    }
}

/// An address without what makes no difference: how it is asked, capitals in the host, a slash at the end.
fn place(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    format!("{}/{path}", host.to_lowercase())
}

/// How far a flow goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Not at all.
    Off,
    /// Plans and verifies, writes nothing.
    Watch,
    /// Writes.
    On,
}

impl Mode {
    /// The word for it in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Watch => "watch",
            Self::On => "on",
        }
    }
}

/// One flow as the file tells it.
#[derive(Debug, Clone)]
pub struct FlowConfig {
    /// Which.
    pub flow: Flow,
    /// The challenge it solves, in the merchant's words.
    pub why: String,
    /// How it is handled today.
    pub today: String,
    /// Where records come from: one system, of orders and customers one or more.
    pub from: Vec<SystemName>,
    /// Where they go.
    pub to: Vec<SystemName>,
    /// Seconds between two looks.
    pub every_s: u32,
    /// How far it goes.
    pub mode: Mode,
    /// Flows whose records these refer to.
    pub needs: Vec<Flow>,
}

/// A field of products that the file carries under the name the shop gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attribute {
    /// Where it stands in the ERP, in the words of its connector, e.g. `identifier:ean`.
    pub field: String,
    /// What the shop calls a value → what the ERP calls it, where they differ.
    pub choices: BTreeMap<String, String>,
}

/// The whole file, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it was read.
    pub file: PathBuf,
    /// Where the store lies.
    pub store: PathBuf,
    /// Where `run` listens for hints; nowhere where the file does not say.
    pub listen: Option<SocketAddr>,
    /// The systems by name.
    pub systems: BTreeMap<SystemName, SystemConfig>,
    /// The flows told of.
    pub flows: BTreeMap<Flow, FlowConfig>,
    /// Rules of the orders flow, shop by shop; nothing where there is none.
    pub orders: Vec<OrderRules>,
    /// Rules of the customers flow, shop by shop; nothing where there is none.
    pub customers: Vec<FieldRules>,
    /// Customers of several shops with one e-mail are one party of the ERP.
    pub one_by_email: bool,
    /// By shop: its groups of customers, each with the ERP's price list, or nothing for none.
    pub groups: BTreeMap<SystemName, BTreeMap<String, String>>,
    /// Rules of the products flow, where there is one.
    pub products: Option<FieldRules>,
    /// Rules of the other kinds that the products flow carries.
    pub beside: BTreeMap<Kind, FieldRules>,
    /// What is carried of products beside, by the shop's code.
    pub attributes: BTreeMap<String, Attribute>,
    /// The attributes that tell the variants of a family apart; none where no families are carried.
    pub options: Option<BTreeSet<String>>,
    /// Rules of the prices flow, where there is one.
    pub prices: Option<PriceRules>,
    /// Rules of the inventory flow, where there is one.
    pub inventory: Option<StockRules>,
    /// Rules of the papers flow, where there is one.
    pub papers: Option<PaperRules>,
    /// Seconds between two sweeps over the keys; none for never.
    pub sweep_s: Option<u32>,
    /// Seconds between two sweeps that read every record whole; none for never.
    pub sweep_deep_s: Option<u32>,
    /// Seconds that raw exchanges are kept, of what is at rest; none for ever.
    pub evidence_s: Option<u32>,
}

impl Config {
    /// The configuration in `path`.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and remedy for the first thing that is wrong.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::parse(path, &text)
    }

    /// The configuration told by `text`, as if it stood in `path`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let source = error::Source { file: path, text };
        let file = toml::from_str(text).map_err(|error| source.toml(&error))?;
        draw::config(&source, file)
    }

    /// The flows in force, as the engine takes them.
    #[must_use]
    pub fn in_force(&self) -> Flows {
        let mode = |flow: Flow| self.flows.get(&flow).map_or(Mode::Off, |flow| flow.mode);
        let on = |flow: Flow| mode(flow) != Mode::Off;
        let watched = FLOWS.into_iter().filter(|flow| mode(*flow) == Mode::Watch).collect();
        let looks = self.flows.values().filter(|flow| flow.mode != Mode::Off).map(|flow| flow.every_s);
        Flows {
            orders: if on(Flow::Orders) { self.orders.clone() } else { Vec::new() },
            customers: if on(Flow::Customers) { self.customers.clone() } else { Vec::new() },
            one_by_email: self.one_by_email,
            groups: if on(Flow::Customers) { self.groups.clone() } else { BTreeMap::new() },
            products: self.products.clone().filter(|_| on(Flow::Products)),
            beside: if on(Flow::Products) { self.beside.clone() } else { BTreeMap::new() },
            prices: self.prices.clone().filter(|_| on(Flow::Prices)),
            inventory: self.inventory.clone().filter(|_| on(Flow::Inventory)),
            papers: self.papers.clone().filter(|_| on(Flow::Papers)),
            watched,
            every_s: looks.min().unwrap_or(draw::EVERY_S),
            sweep_s: self.sweep_s,
            sweep_deep_s: self.sweep_deep_s,
            hinting: self
                .systems
                .values()
                .filter(|one| one.hook_secret.is_some())
                .map(|one| one.name.clone())
                .collect(),
            evidence_s: self.evidence_s,
        }
    }

    /// Whether any two systems share images of products by what the file says.
    #[must_use]
    pub fn carries_images(&self) -> bool {
        let fields = IMAGES.into_iter().filter_map(|field| Field::try_from(field.to_string()).ok());
        let Some(rules) = self.in_force().products else { return false };
        let shares = |field: &Field| rules.pairs.iter().any(|pair| pair.policy(field) != FieldPolicy::Keep);
        fields.into_iter().any(|field| shares(&field))
    }

    /// What a message calls the file.
    #[must_use]
    pub fn shown(&self) -> String {
        self.file.display().to_string()
    }
}
