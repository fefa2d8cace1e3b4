//! What a sweep keeps: how far it has come, which records it met, and what it found to be gone.

use jiff::Timestamp;
use roaring::RoaringTreemap;
use serde::{Deserialize, Serialize};
use syncline_core::id::{EntityId, RemoteId};
use syncline_core::policy::Hold;

/// How far the sweep over one kind in one system has come, and when earlier ones ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SweepState {
    /// The walk under way; none between two.
    pub walk: Option<Walk>,
    /// The records it met so far.
    pub met: Met,
    /// When the last one ended.
    pub ended: Option<Timestamp>,
    /// When the last one that read every record whole ended.
    pub ended_deep: Option<Timestamp>,
    /// What a person is asked since the last one did not believe what it found; none where it ended well.
    pub suspicion: Option<Hold>,
}

/// A sweep under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// Where it goes on, in the connector's words.
    pub cursor: String,
    /// Every record is read whole, not its key alone.
    pub deep: bool,
    /// What it came across so far.
    pub count: SweepCount,
}

/// What a sweep came across.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepCount {
    /// Keys the system listed.
    pub keys: u64,
    /// Keys nobody has tied to anything.
    pub unknown: u64,
    /// Records read because they were unknown, or not of the version that is known.
    pub read: u64,
    /// Records that were new or changed by that, those that came along with them counted too.
    pub news: u64,
}

/// The records a sweep met: a compressed set, some 125 KB for a million of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Met(pub(crate) RoaringTreemap);

impl Met {
    /// Adds a record.
    pub fn add(&mut self, entity: EntityId) {
        self.0.insert(entity.0);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What is known of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing goes by it.
    Not,
    /// A record, in the version the key tells of.
    Same(EntityId),
    /// A record that is to be read anew: another version, the last answer could not be read, or it counts as gone.
    Moved(EntityId),
}

/// Bindings that a sweep did not meet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unmet {
    /// How many bindings of the kind there are in the system, whatever the limit.
    pub bound: u64,
    /// How many of them were not met.
    pub missing: u64,
    /// The first of those, up to the limit.
    pub rows: Vec<(EntityId, RemoteId)>,
}

/// How much of one kind a system has lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Records of the kind that are bound there.
    pub bound: u64,
    /// Those of them that are gone, and no person said that it is right so.
    pub gone: u64,
}

/// What one system does not have any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tombstone {
    /// When that was found out.
    pub at: Timestamp,
    /// A person said that it is right so.
    pub accepted: bool,
}
