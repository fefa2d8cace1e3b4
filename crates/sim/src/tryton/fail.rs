//! How a call can fail, and the three shapes the server answers with.

use serde_json::{Value, json};

/// A refused call. Nothing of it stays behind.
#[derive(Debug, Clone, PartialEq)]
pub enum Fail {
    /// `["UserError", [message, "", domain]]`: a rule of the application.
    User {
        /// English text for a person.
        message: String,
        /// The violated domain and the schema of its fields, or null.
        domain: Value,
    },
    /// `["UserWarning", [name, message, description]]`: a person would be asked whether to go on.
    Warning {
        /// What a person would tick so as not to be asked again.
        name: String,
        /// What is odd.
        message: String,
        /// What is recommended.
        description: &'static str,
    },
    /// `["ConcurrencyException", …]`: a `_timestamp` of the context no longer holds.
    Stale,
    /// `[text, ""]`: any other Python exception.
    Other(String),
    /// An HTTP status with a page, even where the request carried an id.
    Http(u16, String),
}

impl Fail {
    /// A rule of the application without a domain.
    pub fn user(message: impl Into<String>) -> Self {
        Self::User { message: message.into(), domain: Value::Null }
    }

    /// Any other exception, by its text.
    pub fn other(text: impl Into<String>) -> Self {
        Self::Other(text.into())
    }

    /// A `KeyError` as Python prints it.
    pub fn key(name: &str) -> Self {
        Self::Other(format!("'{name}'"))
    }

    /// The `error` member of the envelope; nothing where the answer is a bare HTTP status.
    pub fn envelope(&self) -> Option<Value> {
        match self {
            Self::User { message, domain } => Some(json!(["UserError", [message, "", domain]])),
            Self::Warning { name, message, description } => Some(json!(["UserWarning", [name, message, description]])),
            Self::Stale => Some(json!(["ConcurrencyException", "Records were modified in the meanwhile"])),
            Self::Other(text) => Some(json!([text, ""])),
            Self::Http(..) => None,
        }
    }

    /// Status and text of the answer to a call without an id.
    pub fn page(&self) -> (u16, String) {
        match self {
            Self::User { message, .. } => (400, format!("{message} - ")),
            Self::Warning { message, description, .. } => (409, format!("{message} - {description}")),
            Self::Stale => (423, "Records were modified in the meanwhile".to_owned()),
            Self::Other(text) => (500, text.clone()),
            Self::Http(status, text) => (*status, text.clone()),
        }
    }
}
