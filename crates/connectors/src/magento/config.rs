//! What it takes to reach one Magento shop: its address and a way in.

use super::oauth::Keys;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Address and credentials of one shop.
#[derive(Debug, Clone)]
pub struct Config {
    /// The shop's base address, with or without a slash at the end, e.g. `https://shop.example`.
    pub url: String,
    /// How we show who we are.
    pub auth: Auth,
    /// Locale of our records → code of the store view that shows it; for locales left out the shop's own settings say.
    pub views: BTreeMap<String, String>,
    /// The category the others stand below, by its name or id; where nothing is said the root of the first store.
    pub category_root: Option<String>,
    /// Code of the one website that is looked at; the whole shop where none is named.
    pub website: Option<String>,
    /// Codes of the products' attributes that are carried.
    pub attributes: BTreeSet<String>,
    /// Whether images of products are carried.
    pub images: bool,
    /// Whether groups of customers are carried.
    pub groups: bool,
    /// Configurable products are families, and no variants.
    pub families: bool,
    /// Buyers get the shop's mail of each shipment that is made.
    pub notify_shipments: bool,
    /// Papers flow: whether we may read and make them is asked.
    pub papers: bool,
}

impl Config {
    /// The whole shop at `url`, and nothing carried beside what every shop has.
    #[must_use]
    pub fn new(url: impl Into<String>, auth: Auth) -> Self {
        Self {
            url: url.into(),
            auth,
            views: BTreeMap::new(),
            category_root: None,
            website: None,
            attributes: BTreeSet::new(),
            images: false,
            groups: false,
            families: false,
            notify_shipments: false,
            papers: false,
        }
    }
}

/// How we show who we are.
#[derive(Clone)]
pub enum Auth {
    /// An integration's access token, sent as bearer; it does not end.
    Token(String),
    /// An integration's keys, with which every request is signed; they do not end either.
    Signed(Keys),
    /// An administrator, whose token of four hours is asked for and renewed as needed.
    Login {
        /// The administrator's user name.
        user: String,
        /// The password.
        password: String,
    },
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token(hidden)"),
            Self::Signed(_) => f.write_str("Signed(hidden)"),
            Self::Login { user, .. } => f.debug_struct("Login").field("user", user).finish_non_exhaustive(),
        }
    }
}
