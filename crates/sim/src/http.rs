//! The seam between a simulated system and whatever carries its requests: a socket, or a simulated network.

use crate::books::Books;
use jiff::Timestamp;
use serde_json::Value;

/// One request as the system receives it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Upper-case HTTP method.
    pub method: String,
    /// Path with query, percent-encoded as sent, e.g. `/rest/default/V1/orders/1?fields=state`.
    pub target: String,
    /// Header names in lower case.
    pub headers: Vec<(String, String)>,
    /// Raw body; empty where there is none.
    pub body: Vec<u8>,
}

/// One answer as the system sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case.
    pub headers: Vec<(String, String)>,
    /// Raw body.
    pub body: Vec<u8>,
}

/// What a person changes of a product, or of its price, at the system's own desk.
///
/// The field `price` is the ERP's list price, or the shop's price for one piece in the list that `place` names (`base`,
/// `special`, `group:<code>`; no value takes it away). `price_list` makes the ERP's list that `place` names say the lines
/// of `value` and no others, whatever `sku` says: `unit_price * 0.7 from 5 of MUG; unit_price * 0.9`.
/// With `customer.` in front `field` is one of a customer, and `sku` says which: by id in the shop, by e-mail in the ERP.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Edit {
    /// Which product, or which customer.
    pub sku: String,
    /// In which store view, language or price list; none for what all fall back to.
    pub place: Option<String>,
    /// `name`, `description`, `price` and the like.
    pub field: String,
    /// What it becomes.
    pub value: String,
}

/// A simulated system: state, and one way in. It owns no clock, no socket and no randomness.
pub trait System: Send + std::fmt::Debug {
    /// The answer to one request at one moment of the system's own clock.
    fn handle(&mut self, now: Timestamp, request: &Request) -> Response;
    /// What the system really holds, read past every API and every fault, list by list.
    fn books(&self) -> Books<'_>;
    /// All of its books.
    fn ledger(&self) -> Value {
        self.books().whole()
    }
    /// Changes a product as a person there would; false where that cannot be done.
    fn edit(&mut self, now: Timestamp, edit: &Edit) -> bool;
}

/// Whether a shop does a second time what it is asked for a second time, whatever the request says: it ships, invoices, gives
/// back or tracks once more (recorded: ship-repeat-same-request).
#[must_use]
pub fn is_past_guards(request: &Request) -> bool {
    let ways = ["/ship", "/invoice", "/refund", "/shipment/track"];
    request.method == "POST" && ways.iter().any(|end| request.target.ends_with(end))
}

/// The first half of a body; none where that is JSON too, as half of `133` is: HTTP clients refuse such an answer by
/// its length, so the connection counts as cut.
#[must_use]
pub fn halved(body: &[u8]) -> Option<Vec<u8>> {
    let (half, _) = body.split_at(body.len() / 2);
    serde_json::from_slice::<serde_json::Value>(half).is_err().then(|| half.to_vec())
}
