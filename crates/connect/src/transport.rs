//! What carries a request: the real network, or a simulated world.

use crate::port::Fut;
use jiff::Timestamp;
use std::fmt::Debug;
use std::time::Duration;
use syncline_core::delivery::Note;

/// Whether a request can change the remote side. Decides whether it may be sent again, whatever its method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Looks only.
    Read,
    /// Changes something; the notes behind it, which stand in the store already.
    Write {
        /// One note for each effect.
        notes: Vec<Note>,
        /// No first byte leaves after this.
        deadline: Timestamp,
    },
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Full address.
    pub url: String,
    /// Headers; secrets included, so never logged as they are.
    pub headers: Vec<(String, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
    /// Whether it can change anything.
    pub effect: Effect,
    /// Longest wait for the whole answer.
    pub timeout: Duration,
}

/// One answer, decoded.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, not longer than the transport's limit.
    pub body: Vec<u8>,
}

impl Response {
    /// The header `name` (lower case), where it was sent.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportError {
    /// No byte of the request left: no connection, wrong name, deadline passed.
    NotSent(String),
    /// No request can be made of it: its address or a header holds what HTTP does not allow. Nothing left.
    Unsendable(String),
    /// The other side's certificate is not accepted; no byte of the request left.
    Tls(String),
    /// It may have arrived, and may have been carried out.
    Lost(String),
    /// The answer is longer than the limit in bytes; the request was carried out.
    TooLong(usize),
}

/// Carries requests. It never sends one twice by itself.
pub trait Transport: Debug + Send + Sync {
    /// The answer to `request`.
    fn send(&self, request: Request) -> Fut<'_, Result<Response, TransportError>>;
}
