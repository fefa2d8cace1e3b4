//! How far an adoption has come, for whoever waits for it: records read and pairs bound.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts of the adoption under way; read beside it.
#[derive(Debug, Default)]
pub struct Tally {
    read: AtomicUsize,
    bound: AtomicUsize,
}

impl Tally {
    /// Begins anew.
    pub fn begin(&self) {
        self.read.store(0, Ordering::Relaxed);
        self.bound.store(0, Ordering::Relaxed);
    }

    /// Records read on both sides, and pairs bound, so far.
    #[must_use]
    pub fn so_far(&self) -> (usize, usize) {
        (self.read.load(Ordering::Relaxed), self.bound.load(Ordering::Relaxed))
    }

    /// Adds `records` that were read.
    pub(super) fn read(&self, records: usize) {
        self.read.fetch_add(records, Ordering::Relaxed);
    }

    /// Adds `pairs` that were bound.
    pub(super) fn bound(&self, pairs: usize) {
        self.bound.fetch_add(pairs, Ordering::Relaxed);
    }
}
