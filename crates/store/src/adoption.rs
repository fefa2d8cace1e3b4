//! What several systems had before, tied together.

use crate::{Base, Incoming};
use syncline_core::id::{RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::path::Path;

/// One thing several systems call by their own names.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// Its kind.
    pub kind: Kind,
    /// What a person calls it.
    pub label: String,
    /// System, id and further ids.
    pub ids: Vec<(SystemUid, RemoteId, Vec<RemoteId>)>,
}

/// A record that was in several systems before, with what they show of it.
#[derive(Debug, Clone)]
pub struct TakeOver {
    /// What they call it.
    pub adoption: Adoption,
    /// What each shows, dependencies first; in the order of the systems.
    pub shown: Vec<(SystemUid, Vec<Incoming>)>,
    /// Its elements: the system, our path and that system's key.
    pub elements: Vec<(SystemUid, Path, String)>,
    /// What counts as agreed.
    pub bases: Vec<Base>,
}
