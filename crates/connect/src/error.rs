//! Errors of a system: what the engine does next, and the raw exchange that shows why.

use serde::{Deserialize, Serialize};
use std::fmt;
use syncline_core::policy::ErrorKind;

/// The raw exchange behind an answer, cut to [`Evidence::LIMIT`] bytes a side; secrets taken out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// Method and address.
    pub request: String,
    /// What was sent.
    pub sent: String,
    /// HTTP status; 0 where there was no answer.
    pub status: u16,
    /// What came back.
    pub received: String,
}

impl Evidence {
    /// Bytes kept of each side.
    pub const LIMIT: usize = 16 * 1024;

    /// `bytes` as text, cut to the limit at a character bound.
    #[must_use]
    pub fn excerpt(bytes: &[u8]) -> String {
        let short = bytes.get(..Self::LIMIT).unwrap_or(bytes);
        let mut text = String::from_utf8_lossy(short).into_owned();
        if short.len() < bytes.len() {
            text.push_str(&format!("… ({} bytes in all)", bytes.len()));
        }
        text
    }
}

/// What went wrong in a system.
#[derive(Debug, Clone)]
pub struct Error {
    /// What the engine does next.
    pub kind: ErrorKind,
    /// What happened, with where.
    pub message: String,
    /// Seconds the system asked us to wait.
    pub retry_after_s: Option<u32>,
    /// The raw exchange.
    pub evidence: Option<Box<Evidence>>,
}

/// A result of a system.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Characters of a message: it is read by people and kept, however long the value is that an answer puts into it.
    pub const MESSAGE: usize = 2_000;

    /// An error of `kind` that says `message`, cut to [`Error::MESSAGE`] characters.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > Self::MESSAGE {
            message = syncline_core::text::shown(&message, Self::MESSAGE);
        }
        Self { kind, message, retry_after_s: None, evidence: None }
    }

    /// The same with the raw exchange.
    #[must_use]
    pub fn with(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(Box::new(evidence));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.code(), self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_short_whatever_it_quotes() {
        let error = Error::new(ErrorKind::Broken, format!("invalid type: string \"{}\"", "ü".repeat(100_000)));
        assert_eq!(error.message.chars().count(), Error::MESSAGE + 1);
        assert_eq!(Error::new(ErrorKind::Broken, "two\nlines").message, "two\nlines");
    }
}
