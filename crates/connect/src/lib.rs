//! The port: what a connector does, what carries its requests, and errors that keep their evidence.

pub mod base64;
pub mod ctx;
pub mod error;
pub mod gzip;
pub mod hook;
pub mod http;
pub mod json_api;
pub mod port;
pub mod transport;
pub mod url;

pub use ctx::{Clock, Ctx, Health, Rng};
pub use error::{Error, Evidence, Result};
pub use hook::{Hint, Hook};
pub use port::{Choice, Connector, Cursor, Fut, KeyPage, Lookup, Outcome, Page, Probe, Seen, Snapshot};
pub use transport::{Effect, Request, Response, Transport, TransportError};
