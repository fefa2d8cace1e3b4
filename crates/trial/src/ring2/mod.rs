//! Ring 2: the real engine, connectors and SQL over simulated systems, on one thread, in paused time, by seed.

mod amends;
mod bills;
mod boot;
mod check;
mod clock;
mod desk;
mod drift;
mod families;
mod features;
mod images;
pub(crate) mod lent;
mod market;
mod money;
mod net;
mod papers;
mod parcels;
mod payments;
mod people;
mod planted;
mod prices;
mod refunds;
mod scenes;
pub mod schedule;
mod shrink;
mod trade;
mod undone;
mod watch;
mod weather;
mod world;

pub(crate) use boot::{ERP, SHOP};
pub(crate) use clock::SimClock;
pub(crate) use features::CARRIED;
pub use market::market;
pub use money::{ORDERS, money};
pub(crate) use net::wire;
pub use planted::{PLANTS, Planted};
pub use schedule::{Outcome, cut_down, schedule};
pub use shrink::{Cut, PARTS, Part, Short, shrink};
pub use world::Violation;
pub(crate) use world::{Shared, Which, open};

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a schedule plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// Orders, and in a part of the seeds stock, products and prices, through faults, crashes and people.
    Chaos,
    /// Stock in calm weather, with buyers who want the same few things between two passes.
    Market,
    /// Orders of any amounts, without faults: fifty a schedule, each counted to the cent.
    Money,
}

/// What to try.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many schedules.
    pub seeds: u64,
    /// The first seed.
    pub first: u64,
    /// What is played.
    pub play: Play,
    /// A planted bug, by its slug.
    pub plant: Option<&'static str>,
    /// End at the first violation; with a planted bug, at the first of a rule that is there for it.
    pub stop_at_first: bool,
    /// How many threads share the work; the result does not depend on it.
    pub threads: usize,
    /// Every schedule of chaos is played whole; with a planted bug they always are.
    pub whole: bool,
}

impl Options {
    /// Whether nothing more is to be found after `violations`.
    fn has_enough(&self, violations: &[Violation]) -> bool {
        let bug = self.plant.and_then(Planted::named);
        let counts = |broken: &Violation| bug.is_none_or(|bug| bug.is_caught_by(broken.invariant));
        self.stop_at_first && violations.iter().any(counts)
    }
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Schedules run.
    pub schedules: u64,
    /// What was broken.
    pub violations: Vec<Violation>,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Orders that crossed.
    pub orders: u64,
    /// Hash over every event of every schedule.
    pub trace_hash: String,
}

/// Runs `options.seeds` schedules; `tell` is told what came of it so far.
#[must_use]
pub fn run(options: &Options, mut tell: impl FnMut(&Report)) -> Report {
    let mut report = Report::default();
    let mut hasher = blake3::Hasher::new();
    let threads = u64::try_from(options.threads.max(1)).unwrap_or(1);
    let mut next = options.first;
    let end = options.first.saturating_add(options.seeds);
    while next < end {
        // A block at a time, so that a violation ends the run soon and the order of results is the order of seeds.
        let size = if options.stop_at_first { threads } else { threads * 32 };
        let block: Vec<u64> = (next..end.min(next.saturating_add(size))).collect();
        next = next.saturating_add(size);
        for outcome in side_by_side(&block, options) {
            report.schedules += 1;
            report.orders += outcome.orders;
            hasher.update(outcome.trace_hash.as_bytes());
            for (kind, count) in &outcome.faults {
                *report.faults.entry(kind).or_default() += count;
            }
            report.violations.extend(outcome.violations);
            if options.has_enough(&report.violations) {
                break;
            }
        }
        tell(&report);
        if options.has_enough(&report.violations) {
            break;
        }
    }
    report.trace_hash = hasher.finalize().to_hex().chars().take(32).collect();
    report
}

/// The outcomes of `block`, in its order; whichever thread is free takes the next seed.
fn side_by_side(block: &[u64], options: &Options) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let work = || {
        let taken = std::iter::from_fn(|| block.get(next.fetch_add(1, Ordering::Relaxed)));
        taken.map(|seed| (*seed, played(*seed, options))).collect::<Vec<_>>()
    };
    let mut outcomes: Vec<(u64, Outcome)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.threads.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    outcomes.sort_by_key(|(seed, _)| *seed);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn played(seed: u64, options: &Options) -> Outcome {
    match options.play {
        Play::Chaos => cut_down(seed, options.plant, false, &Cut::sized(seed, options.plant, options.whole)),
        Play::Market => market(seed, options.plant, false),
        Play::Money => money(seed, options.plant),
    }
}

#[cfg(test)]
mod stories;
#[cfg(test)]
mod tests;
