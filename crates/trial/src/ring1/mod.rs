//! Ring 1: the delivery protocol and the merge by seed, without I/O; small cases exhaustively.
//!
//! Three seeds in four run the delivery protocol: orders, a network, workers that die and stall, a store model and a
//! system model for each guard; what decides is the real `syncline_core::delivery`. Every fourth runs the real
//! `syncline_core::merge` under edits on both sides. One seed is one history, and a broken invariant names its seed.
//!
//! Not drawn, because it is a known limit: a proxy that repeats requests before a system that is only looked at.

mod delivery;
mod exhaust;
mod fields;
mod remote;
mod store;
#[cfg(test)]
mod tests;
mod trace;
#[cfg(test)]
mod twin;
mod weather;
mod words;
mod worker;
mod world;

pub use exhaust::{Case, Walked, guards, walk};

use jiff::Timestamp;
use std::collections::BTreeMap;
use trace::Trace;

/// A bug planted here because no seam of the engine can plant it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// The guard's settle time is an eighth of what a request may take to land.
    SettleTooShort,
    /// One base for both systems instead of one each.
    OneBase,
    /// A field that a read does not tell counts as emptied.
    UntoldAsEmpty,
}

/// The slugs of the planted bugs.
pub const PLANTS: [&str; 3] = ["settle-too-short", "one-base", "untold-as-empty"];

impl Plant {
    /// The planted bug called `slug`.
    #[must_use]
    pub fn named(slug: &str) -> Option<Self> {
        [Self::SettleTooShort, Self::OneBase, Self::UntoldAsEmpty].into_iter().find(|plant| plant.slug() == slug)
    }

    /// Its slug.
    #[must_use]
    pub fn slug(self) -> &'static str {
        let [settle, base, untold] = PLANTS;
        match self {
            Self::SettleTooShort => settle,
            Self::OneBase => base,
            Self::UntoldAsEmpty => untold,
        }
    }

    /// Seeds within which a run finds it, whatever the first one is.
    #[must_use]
    pub fn found_within(self) -> u64 {
        1000
    }
}

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many seeds.
    pub seeds: u64,
    /// The first of them.
    pub first: u64,
    /// A bug to plant.
    pub plant: Option<Plant>,
    /// Whether to stop at the first violation.
    pub stop_at_first: bool,
    /// Whether violations carry the lines of their schedule.
    pub traces: bool,
    /// Threads that share the seeds; what comes out does not depend on it.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { seeds: 10_000, first: 0, plant: None, stop_at_first: false, traces: false, threads: 1 }
    }
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The seed whose schedule broke it.
    pub seed: u64,
    /// Which one, and how.
    pub invariant: &'static str,
    /// The schedule's lines, where they were asked for.
    pub trace: Vec<String>,
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Schedules run.
    pub schedules: u64,
    /// What broke, in the order of the seeds.
    pub violations: Vec<Violation>,
    /// Faults that really came, by sort.
    pub faults: BTreeMap<&'static str, u64>,
    /// Hash over the traces of all schedules, in the order of the seeds.
    pub trace_hash: String,
}

/// How one schedule went.
struct Ended {
    hash: [u8; 32],
    lines: Vec<String>,
    faults: BTreeMap<&'static str, u64>,
    broken: Option<&'static str>,
}

/// Seeds that are hashed together; a thread takes one such block at a time.
const BLOCK: u64 = 256;

/// The schedules of `options`, run.
#[must_use]
pub fn run(options: Options) -> Report {
    let mut report = Report::default();
    let mut hasher = blake3::Hasher::new();
    let threads = options.threads.max(1) as u64;
    let blocks = options.seeds.div_ceil(BLOCK);
    let mut next = 0;
    while next < blocks {
        let now: Vec<u64> = (next..blocks.min(next + threads * 8)).collect();
        next += now.len() as u64;
        for part in round(options, &now) {
            hasher.update(part.trace_hash.as_bytes());
            report.schedules += part.schedules;
            report.violations.extend(part.violations);
            for (fault, times) in part.faults {
                *report.faults.entry(fault).or_default() += times;
            }
            if options.stop_at_first && !report.violations.is_empty() {
                report.violations.truncate(1);
                next = blocks;
                break;
            }
        }
    }
    report.trace_hash = hasher.finalize().to_hex().to_string();
    report
}

/// The blocks `now`, in their order, whoever ran them.
fn round(options: Options, now: &[u64]) -> Vec<Report> {
    if options.threads < 2 {
        return now.iter().map(|number| block(options, *number)).collect();
    }
    let mut parts: Vec<(u64, Report)> = std::thread::scope(|scope| {
        let share = |first: usize| now.iter().copied().skip(first).step_by(options.threads);
        let work = |first| move || share(first).map(|number| (number, block(options, number))).collect::<Vec<_>>();
        let running: Vec<_> = (0..options.threads).map(|first| scope.spawn(work(first))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    parts.sort_by_key(|(number, _)| *number);
    parts.into_iter().map(|(_, part)| part).collect()
}

fn block(options: Options, number: u64) -> Report {
    let mut report = Report::default();
    let mut hasher = blake3::Hasher::new();
    let end = options.seeds.min((number + 1) * BLOCK);
    for nth in number * BLOCK..end {
        let seed = options.first.wrapping_add(nth);
        let ended = one(seed, options.plant, false);
        hasher.update(&ended.hash);
        report.schedules += 1;
        for (fault, times) in ended.faults {
            *report.faults.entry(fault).or_default() += times;
        }
        if let Some(invariant) = ended.broken {
            let trace = if options.traces { trace(seed, options.plant) } else { Vec::new() };
            report.violations.push(Violation { seed, invariant, trace });
            if options.stop_at_first {
                break;
            }
        }
    }
    report.trace_hash = hasher.finalize().to_hex().to_string();
    report
}

/// The schedule of `seed` as readable lines.
#[must_use]
pub fn trace(seed: u64, plant: Option<Plant>) -> Vec<String> {
    one(seed, plant, true).lines
}

fn one(seed: u64, plant: Option<Plant>, kept: bool) -> Ended {
    let (trace, faults, broken) = if seed % 4 == 3 {
        let record = fields::schedule(seed, plant, Trace::new(kept));
        (record.trace, record.faults, record.broken)
    } else {
        let world = delivery::schedule(seed, plant, Trace::new(kept));
        (world.trace, world.weather.faults, world.broken)
    };
    let (hash, lines) = trace.end();
    Ended { hash, lines, faults, broken }
}

/// The moment `ms` milliseconds after a schedule's beginning.
fn stamp(ms: u64) -> Timestamp {
    i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX)
}

/// Milliseconds from a schedule's beginning to `moment`.
fn millis(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_millisecond()).unwrap_or(0)
}
