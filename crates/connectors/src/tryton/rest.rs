//! How far a feed by time has come, and when it may rest.

use super::read::OVERLAP;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far a feed by time has come, part of its cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tide {
    /// Changes before this are known; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Timestamp>,
    /// When this pass began, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<Timestamp>,
    /// The latest change met before this pass, by Tryton's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) top: Option<Timestamp>,
    /// When that was met, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    met: Option<Timestamp>,
    /// The latest change met in this pass, by Tryton's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Timestamp>,
}

impl Tide {
    /// Notes a change met in this pass.
    pub(super) fn meet(&mut self, moment: Option<Timestamp>) {
        self.newest = self.newest.max(moment);
    }

    /// The next pass looks back from the latest change met, for transactions that were still open and for what was
    /// written while this pass ran. Once a pass that began long enough after has met nothing later, nothing can be
    /// behind it any more, and what rests is not read again and again.
    pub(super) fn end(&mut self, now: Timestamp) {
        let rested = |met: Timestamp| self.start.is_some_and(|start| start.duration_since(met) >= OVERLAP);
        if self.newest > self.top {
            self.met_top(self.newest, now);
        } else if let (Some(top), true) = (self.top, self.met.is_some_and(rested)) {
            self.since = top.checked_add(SignedDuration::from_micros(1)).ok();
        }
        (self.start, self.newest) = (None, None);
    }

    /// Sets the latest change met, at our `now`.
    pub(super) fn met_top(&mut self, top: Option<Timestamp>, now: Timestamp) {
        (self.top, self.met) = (top, Some(now));
        let until = top.map(|top| self.start.map_or(top, |start| top.min(start)));
        self.since = until.and_then(|until| until.checked_sub(OVERLAP).ok());
    }
}
