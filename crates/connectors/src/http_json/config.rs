//! What the file says of a JSON API.

use std::fmt;
use syncline_connect::json_api::{HeaderName, Resource};

/// Seconds after which a request that was sent can no longer land, where the file says nothing: the usual limits of a
/// server and of a proxy before it, with room to spare.
pub const SETTLE_S: u32 = 300;

/// One JSON API.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its base address; all paths lie below it.
    pub url: String,
    /// How we show who we are.
    pub auth: Auth,
    /// Requests a second at most; none for as many as there are calls in flight.
    pub per_second: Option<u32>,
    /// Its products; none where the file describes none.
    pub variants: Option<Resource>,
}

impl Config {
    /// An API of which nothing is described yet: for what any can do at best.
    #[must_use]
    pub fn undescribed() -> Self {
        Self { url: String::new(), auth: Auth::Open, per_second: None, variants: None }
    }
}

/// How we show who we are.
#[derive(Clone)]
pub enum Auth {
    /// Not at all.
    Open,
    /// A token, sent as bearer (RFC 6750, 2.1).
    Bearer(String),
    /// A token in a header of its own.
    Header(HeaderName, String),
    /// A login with its password (RFC 7617).
    Basic {
        /// The login, without a colon.
        login: String,
        /// The password.
        password: String,
    },
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("Open"),
            Self::Bearer(_) => f.write_str("Bearer(hidden)"),
            Self::Header(name, _) => f.debug_tuple("Header").field(name).finish_non_exhaustive(),
            Self::Basic { login, .. } => f.debug_struct("Basic").field("login", login).finish_non_exhaustive(),
        }
    }
}
