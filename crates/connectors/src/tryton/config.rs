//! What a person says about one Tryton: where it is, who we are there, and the few choices it cannot make for us.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use syncline_connect::{Error, Result};
use syncline_core::policy::ErrorKind;
use syncline_core::rules::Branch;

/// Seconds after which a request can no longer land where nothing else is said: the longest a Tryton behind a gateway
/// works on one request.
pub const SETTLE_S: u32 = 300;

/// How one Tryton is reached and used.
#[derive(Clone)]
pub struct Config {
    /// Address with the database as its last part, e.g. `https://erp.example/acme`.
    pub url: String,
    /// Login of our user.
    pub login: String,
    /// Its password.
    pub password: String,
    /// Company by name, where our user may act for several.
    pub company: Option<String>,
    /// Web shop by name, where there are several.
    pub web_shop: Option<String>,
    /// Warehouse by code or name, where there are several.
    pub warehouse: Option<String>,
    /// Code of the product that shipping is booked on.
    pub shipping_product: String,
    /// Code of the product that rounding differences are booked on.
    pub rounding_product: String,
    /// Code of the product that amounts are booked on which a shop gives back beside all lines.
    pub adjustment_product: String,
    /// Seconds after which a request can no longer land; [`SETTLE_S`] where nothing is said.
    pub settle_s: Option<u32>,
    /// Where else orders are booked than as it is said here.
    pub branches: Vec<Branch>,
    /// Attributes of products that are carried, by the names the file gives them.
    pub attributes: BTreeMap<String, Carried>,
    /// Whether images of products are carried.
    pub images: bool,
    /// Whether the price lists of parties are carried.
    pub groups: bool,
    /// Templates with several products are families, whose products these attributes tell apart, by the names the file
    /// gives them; none where each product goes by itself.
    pub families: Option<BTreeSet<String>>,
    /// Papers flow: whether our user may read them is asked.
    pub papers: bool,
    /// Payments are booked: whether our user may is asked.
    pub payments: bool,
    /// What a shop gives back is carried over: what of a sale is billed and given back is told with it.
    pub refunds: bool,
    /// Money whose day falls into a closed period is booked today; otherwise it is refused.
    pub late_today: bool,
    /// What changes in a shop's order after it was taken over is carried over.
    pub amends: bool,
}

/// A field of products under a name of the file's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried {
    /// Where it stands in Tryton: `identifier:ean`, `attribute:colour` or `tax_category`.
    pub source: String,
    /// What the other side calls a value → what Tryton calls it.
    pub names: BTreeMap<String, String>,
}

impl Config {
    /// The set-up of `url` for `login`, all else as it is by default.
    pub fn new(url: impl Into<String>, login: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            login: login.into(),
            password: password.into(),
            company: None,
            web_shop: None,
            warehouse: None,
            shipping_product: "SHIPPING".to_string(),
            rounding_product: "ROUNDING".to_string(),
            adjustment_product: "ADJUSTMENT".to_string(),
            settle_s: None,
            branches: Vec::new(),
            attributes: BTreeMap::new(),
            images: false,
            groups: false,
            families: None,
            papers: true,
            payments: true,
            refunds: false,
            late_today: false,
            amends: false,
        }
    }
}

impl Config {
    /// The same for what is booked in `branch`. Web shop and warehouse said here belong to the company said here.
    pub(super) fn of(&self, branch: &Branch) -> Self {
        let elsewhere = branch.company.is_some() && branch.company != self.company;
        let of_ours = |text: &Option<String>| text.clone().filter(|_| !elsewhere);
        Self {
            company: branch.company.clone().or_else(|| self.company.clone()),
            web_shop: branch.web_shop.clone().or_else(|| of_ours(&self.web_shop)),
            warehouse: branch.warehouse.clone().or_else(|| of_ours(&self.warehouse)),
            ..self.clone()
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("url", &self.url).field("login", &self.login).finish_non_exhaustive()
    }
}

/// The two addresses calls go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addresses {
    /// Calls on the database.
    pub(super) database: String,
    /// Calls on the server as a whole.
    pub(super) server: String,
}

/// The addresses of `url`, which may end in a slash or in `/rpc/`.
pub(super) fn addresses(url: &str) -> Result<Addresses> {
    let bad = |what: &str| {
        let shown = syncline_core::text::shown(url, 200);
        let message = format!("url `{shown}`: {what}; it should look like https://erp.example/acme");
        Err(Error::new(ErrorKind::Config, message))
    };
    let text = url.trim().trim_end_matches('/');
    let text = text.strip_suffix("/rpc").unwrap_or(text).trim_end_matches('/');
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return bad("it starts neither with https:// nor with http://");
    };
    if rest.contains(['?', '#', '@', ' ']) {
        return bad("it holds more than host and path");
    }
    match (rest.split_once('/'), text.rsplit_once('/')) {
        (Some((host, path)), Some((root, database)))
            if !host.is_empty() && !path.is_empty() && !database.is_empty() =>
        {
            Ok(Addresses { database: format!("{text}/rpc/"), server: format!("{root}/rpc/") })
        }
        _ => bad("it names no database"),
    }
}
