//! Identities: ours, the systems', and the parts of a document.

use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);
        impl $name {
            /// The identity made of `text`, taken as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The text of it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

text_id! {
    /// What never changes about a connected system: drawn by `init`, kept in the file.
    SystemUid
}
text_id! {
    /// What the file calls a system today; may be renamed at any time.
    SystemName
}
text_id! {
    /// Our key on a document we create, planted in the target: see [`crate::mark`].
    Mark
}
number_id! {
    /// The thing itself, whatever each system calls it. Also names its lane.
    EntityId
}
number_id! {
    /// One write under way.
    DeliveryId
}
number_id! {
    /// One pass that wrote something; people type it.
    RunId
}
number_id! {
    /// Counts the claims of a lane; a commit under an older epoch is refused.
    Epoch
}

/// How a system names a record: the scope it belongs to and its id there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RemoteId {
    /// Website, store, company or account; empty where the system has one only.
    pub scope: String,
    /// The system's own id within it.
    pub id: String,
}

impl RemoteId {
    /// The id `id` within `scope`.
    pub fn new(scope: impl Into<String>, id: impl Into<String>) -> Self {
        Self { scope: scope.into(), id: id.into() }
    }
}

impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scope.is_empty() { f.write_str(&self.id) } else { write!(f, "{}/{}", self.scope, self.id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_remote_id_is_shown_with_its_scope_where_there_is_one() {
        assert_eq!([RemoteId::new("eu", "7"), RemoteId::new("", "7")].map(|id| id.to_string()), ["eu/7", "7"]);
        assert_eq!(
            (SystemName::new("shop").to_string(), EntityId(9).to_string()),
            ("shop".to_string(), "9".to_string())
        );
    }
}
