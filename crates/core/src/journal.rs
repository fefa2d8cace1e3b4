//! What the journal keeps: ids, hashes, decisions and amounts, never personal text.

use alloc::string::String;
use serde::{Deserialize, Serialize};

/// One entry of the story of a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened, one word: `seen`, `planned`, `sent`, `unknown`, `found`, `done`, `refused`, `held`, …
    pub event: String,
    /// The system it happened in; empty for our own decisions.
    pub system: String,
    /// What was decided or learned, without personal text.
    pub detail: String,
}

impl Entry {
    /// An entry about `system`.
    pub fn new(event: &str, system: &str, detail: impl Into<String>) -> Self {
        Self { event: event.into(), system: system.into(), detail: detail.into() }
    }
}
