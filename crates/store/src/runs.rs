//! What is told of runs, the passes that wrote something, and what people take back of them.

use crate::Basis;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use syncline_core::delivery::Delivery;
use syncline_core::id::{EntityId, RunId, SystemUid};
use syncline_core::kind::Flow;
use syncline_core::leaf::Leaves;
use syncline_core::path::Path;
use syncline_core::planner::Undone;

/// Writes of one record that a person takes back.
#[derive(Debug, Clone)]
pub struct TakeBack {
    /// The record.
    pub entity: EntityId,
    /// What was decided on: revision per system.
    pub revisions: BTreeMap<SystemUid, u64>,
    /// The system written to, the one the value came from, the field, and what is put back.
    pub fields: Vec<(SystemUid, SystemUid, Path, Undone)>,
    /// In words, for the journal, without personal text.
    pub told: String,
}

/// One pass that wrote something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRow {
    /// Its number.
    pub run: RunId,
    /// When its first write was noted.
    pub at: Timestamp,
    /// What began it: `sync`, `run`, `apply p3f2`, `undo 7`.
    pub command: String,
    /// Its writes that were not refused, by flow.
    pub writes: BTreeMap<Flow, u64>,
}

/// The newest passes that wrote something, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// The newest.
    pub newest: Vec<RunRow>,
    /// Of how many.
    pub of: u64,
}

/// One write of a pass.
#[derive(Debug, Clone)]
pub struct Written {
    /// The write.
    pub delivery: Delivery,
    /// What a person calls the record.
    pub label: String,
    /// What the target showed before, for the fields that were written.
    pub before: Option<Leaves>,
    /// What the other system showed, where it went by fields.
    pub basis: Option<Basis>,
}
