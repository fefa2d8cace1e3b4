//! Everything known about one entity, as one reading brings it.

use crate::{Commitment, Tombstone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::delivery::Delivery;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Ref, Target};
use syncline_core::path::Path;
use syncline_core::planner::Undoings;

/// One system's side of an entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SideState {
    /// What it shows, in its own words.
    pub seen: Leaves,
    /// What it showed when it last agreed with another system, by that system.
    pub bases: BTreeMap<SystemUid, Leaves>,
    /// Its version there.
    pub version: Option<String>,
    /// Grows with every change of this row.
    pub revision: u64,
    /// When what it shows was read for the first time as it is.
    pub seen_at: Timestamp,
    /// Where the journal stood when it was asked for; 0 where that was not noted.
    pub asked_at: u64,
    /// The last answer for it could not be read: `seen` is what was readable before, if anything was.
    pub unread: bool,
}

impl SideState {
    /// What it showed when it last agreed with `peer`; nothing before.
    #[must_use]
    pub fn base(&self, peer: &SystemUid) -> Leaves {
        self.bases.get(peer).cloned().unwrap_or_default()
    }
}

/// What an entity is called in one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundTo {
    /// Its main id there.
    pub id: RemoteId,
    /// Whether that document is another entity's first of all, and this one's too.
    pub shared: bool,
    /// Its elements: our path → the system's key.
    pub elements: BTreeMap<Path, String>,
}

/// Everything known about one entity.
#[derive(Debug, Clone)]
pub struct Case {
    /// The entity.
    pub entity: EntityId,
    /// Its kind.
    pub kind: Kind,
    /// What a person calls it.
    pub label: String,
    /// What each system calls it.
    pub bound: BTreeMap<SystemUid, BoundTo>,
    /// What each system shows.
    pub sides: BTreeMap<SystemUid, SideState>,
    /// The delivery that is not over.
    pub delivery: Option<Delivery>,
    /// Attempts noted for it so far.
    pub attempt: u32,
    /// A person let it through the rule of the first day; of a paper, left it to people.
    pub admitted: bool,
    /// What orders take from it; for stock.
    pub commitments: Vec<Commitment>,
    /// Values people chose, by the system the pair goes to.
    pub chosen: BTreeMap<SystemUid, Leaves>,
    /// Writes that people took back, by the system written to and the one the values came from.
    pub undone: BTreeMap<(SystemUid, SystemUid), Undoings>,
    /// What the delivery that is not over was planned on, where it goes by fields.
    pub basis: Option<Basis>,
    /// Writes that may still land late or a second time, oldest first.
    pub strays: Vec<Stray>,
    /// Systems that do not have it any more; for stock and prices, their variant.
    pub gone: BTreeMap<SystemUid, Tombstone>,
    /// The records of the catalogue that it refers to in any system; for those of the catalogue themselves.
    pub related: Vec<Related>,
    /// When its personal text was erased; none where it was not.
    pub erased: Option<Timestamp>,
    /// The last row of the journal when this was loaded.
    pub journal: u64,
}

/// A record that another one refers to, and what each system calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The record.
    pub entity: EntityId,
    /// Its kind.
    pub kind: Kind,
    /// What a person calls it.
    pub label: String,
    /// What each system calls it that has it still.
    pub ids: BTreeMap<SystemUid, RemoteId>,
    /// Every name it goes by, by system.
    pub names: BTreeSet<(SystemUid, RemoteId)>,
    /// What each system shows of it; of variants.
    pub seen: BTreeMap<SystemUid, Leaves>,
    /// Systems that do not have it any more.
    pub gone: BTreeSet<SystemUid>,
}

impl Case {
    /// What is known of a record of `kind` that was never taken in: nothing.
    #[must_use]
    pub fn nothing_of(kind: Kind) -> Self {
        Self {
            entity: EntityId(0),
            kind,
            label: String::new(),
            bound: BTreeMap::new(),
            sides: BTreeMap::new(),
            delivery: None,
            attempt: 0,
            admitted: false,
            commitments: Vec::new(),
            chosen: BTreeMap::new(),
            undone: BTreeMap::new(),
            basis: None,
            strays: Vec::new(),
            gone: BTreeMap::new(),
            related: Vec::new(),
            erased: None,
            journal: 0,
        }
    }

    /// What was written to `system` for the values of `peer` and a person took back.
    #[must_use]
    pub fn undone(&self, system: &SystemUid, peer: &SystemUid) -> Undoings {
        self.undone.get(&(system.clone(), peer.clone())).cloned().unwrap_or_default()
    }

    /// The record that `system` means by `reference`; none where nobody has tied it.
    #[must_use]
    pub fn referred(&self, system: &SystemUid, reference: &Ref) -> Option<&Related> {
        self.related.iter().find(|one| {
            let named = || match &reference.to {
                Target::Remote(id) => one.names.contains(&(system.clone(), id.clone())),
                Target::Entity(_) => false,
            };
            one.kind == reference.kind && (Target::Entity(one.entity) == reference.to || named())
        })
    }

    /// How often what each side shows has changed: what is decided on it holds as long as these do.
    #[must_use]
    pub fn revisions(&self) -> BTreeMap<SystemUid, u64> {
        self.sides.iter().map(|(uid, side)| (uid.clone(), side.revision)).collect()
    }

    /// Whether it is gone from a system and a person said that this is right, or is somebody whose personal text was erased: it
    /// is no part of the flow any more.
    #[must_use]
    pub fn left_out(&self) -> bool {
        self.gone.values().any(|stone| stone.accepted) || (self.kind == Kind::Customer && self.erased.is_some())
    }
}

/// What the other system showed when a write was planned, for the same fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The other system.
    pub peer: SystemUid,
    /// What it showed, in its own words.
    pub leaves: Leaves,
}

/// A write that is over and may still land late or a second time.
#[derive(Debug, Clone)]
pub struct Stray {
    /// The write.
    pub delivery: Delivery,
    /// From when on nothing of it can land any more.
    pub at: Timestamp,
    /// What it was planned on, where it goes by fields.
    pub basis: Option<Basis>,
    /// What the target showed of its fields before.
    pub before: Option<Leaves>,
}
