//! What a system can do: its profile per kind, the guards it offers, and how it keeps a value.

use crate::kind::{Kind, Step};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// How a target keeps a second create of the same document from happening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// It remembers our idempotency key for this many seconds; past that, a look.
    Key {
        /// How long the key is remembered, in seconds.
        retention_s: u32,
    },
    /// A unique field holds our mark: the second create is refused.
    Unique {
        /// The field that is unique.
        field: String,
    },
    /// Drafts may double; one is elected durably, released by id, and strays are removed.
    DraftElect {
        /// The field that holds our mark.
        field: String,
        /// Seconds after which no request can land any more.
        settle_s: u32,
    },
    /// Wait until no request can land any more, then look for the mark.
    Look {
        /// The field that holds our mark.
        field: String,
        /// Seconds after which no request can land any more.
        settle_s: u32,
    },
    /// Nothing keeps a second one away: refused by `check` unless the file accepts it by name.
    None,
}

impl Guard {
    /// The word for it in JSON: `key`, `unique`, `draft-elect`, `look` or `none`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Key { .. } => "key",
            Self::Unique { .. } => "unique",
            Self::DraftElect { .. } => "draft-elect",
            Self::Look { .. } => "look",
            Self::None => "none",
        }
    }

    /// The field our mark stands in, where there is one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Unique { field } | Self::DraftElect { field, .. } | Self::Look { field, .. } => Some(field),
            Self::Key { .. } | Self::None => None,
        }
    }

    /// Seconds after which no request can land any more, where the guard depends on it.
    #[must_use]
    pub fn settle_s(&self) -> Option<u32> {
        match self {
            Self::DraftElect { settle_s, .. } | Self::Look { settle_s, .. } => Some(*settle_s),
            Self::Key { .. } | Self::Unique { .. } | Self::None => None,
        }
    }
}

/// One guard a system offers for one step, with the source of the claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardClaim {
    /// The step it is for.
    pub step: Step,
    /// The guard.
    pub guard: Guard,
    /// When it is there, e.g. `module web_shop is activated`; empty for always.
    pub when: String,
    /// Where the claim was proven: a recording, a vendor page, a test.
    pub source: String,
}

/// What a system does with one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct KindProfile {
    /// Path patterns a read tells.
    pub reads: Vec<String>,
    /// Path patterns a write sets.
    pub writes: Vec<String>,
    /// Steps a write can do.
    pub steps: Vec<Step>,
    /// What `changes` goes by, e.g. `updated_at`; empty where there is no change feed.
    pub since: String,
    /// Order of `keys`, e.g. `entity_id ascending`.
    pub key_order: String,
    /// Most documents in one write.
    pub batch: usize,
    /// Guards by step, strongest first.
    pub guards: Vec<GuardClaim>,
    /// Stages a document passes after `draft`, in order; empty where there are none.
    pub stages: Vec<String>,
    /// Seconds after which no request to it can land any more, where a late one would overwrite a newer figure.
    #[serde(default)]
    pub settle_s: Option<u32>,
    /// The stage from which the document counts as released.
    pub released_from: String,
    /// Decimals of the price of one, where lines are told as a price of one: the amount of many is met as near as these let.
    #[serde(default)]
    pub price_digits: Option<u32>,
}

impl KindProfile {
    /// The guard in force for creating, where the effective profile has one.
    #[must_use]
    pub fn create_guard(&self) -> Guard {
        self.guards.iter().find(|claim| claim.step == Step::Create).map_or(Guard::None, |claim| claim.guard.clone())
    }
}

/// What a kind of system can do at best; after `probe`, what this one does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The word for it in the file, e.g. `magento`.
    pub name: String,
    /// Its full name.
    pub title: String,
    /// API version spoken.
    pub api_version: String,
    /// The day that version ends, where the vendor says so (ISO 8601).
    pub sunset: Option<String>,
    /// What it does per kind.
    pub kinds: BTreeMap<Kind, KindProfile>,
    /// Most calls in flight at once.
    pub calls_in_flight: usize,
}

/// How a system would keep a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// As it is.
    Exact,
    /// As this instead; the text says why, e.g. `cut to 35 characters`.
    As(crate::leaf::Value, String),
    /// Not at all; the text says why.
    Refused(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn each_guard_tells_its_field_and_how_long_a_request_may_still_land() {
        let field = || "description".to_string();
        for (guard, word, told, settle_s) in [
            (Guard::Key { retention_s: 100 }, "key", None, None),
            (Guard::Unique { field: field() }, "unique", Some("description"), None),
            (Guard::DraftElect { field: field(), settle_s: 60 }, "draft-elect", Some("description"), Some(60)),
            (Guard::Look { field: field(), settle_s: 90 }, "look", Some("description"), Some(90)),
            (Guard::None, "none", None, None),
        ] {
            assert_eq!((guard.word(), guard.field(), guard.settle_s()), (word, told, settle_s));
        }
    }

    #[test]
    fn the_first_guard_that_is_claimed_for_making_counts() {
        let claim = |step, guard| GuardClaim { step, guard, when: String::new(), source: String::new() };
        let (unique, key) = (Guard::Unique { field: "code".to_string() }, Guard::Key { retention_s: 100 });
        let guards =
            [claim(Step::Update, Guard::None), claim(Step::Create, unique.clone()), claim(Step::Create, key.clone())];
        let profile = |guards: &[GuardClaim]| KindProfile { guards: guards.to_vec(), ..KindProfile::default() };
        assert_eq!(profile(&guards).create_guard(), unique);
        assert_eq!(profile(&guards[2..]).create_guard(), key);
        assert_eq!(profile(&guards[..1]).create_guard(), Guard::None, "nothing is claimed");
    }
}
