//! What ring 1 has to show: clean without a plant, every plant found, one seed one history, small cases whole.

use super::*;
use syncline_core::profile::Guard;

fn options(seeds: u64) -> Options {
    Options { seeds, threads: 2, ..Options::default() }
}

#[test]
fn many_schedules_break_nothing_and_hold_every_fault() {
    let report = run(Options { traces: true, ..options(20_000) });
    assert_eq!(report.violations, Vec::new());
    assert_eq!(report.schedules, 20_000);
    let faults = [
        "busy",
        "commit_then_error",
        "crashes",
        "errors",
        "late",
        "late_writes",
        "lost_replies",
        "lost_requests",
        "lost_writes",
        "partial_reads",
        "repeated",
        "stalls",
        "troubled_reads",
        "unread",
        "zombies",
    ];
    for fault in faults {
        let times = report.faults.get(fault).copied().unwrap_or(0);
        assert!(times >= 20_000 / 50, "{fault} came {times} times");
    }
}

#[test]
fn every_planted_bug_is_found() {
    for slug in PLANTS {
        let plant = Plant::named(slug).unwrap();
        for first in [0, 1_000_000] {
            let planted = Options { plant: Some(plant), stop_at_first: true, traces: true, ..Options::default() };
            let report = run(Options { first, seeds: plant.found_within(), ..planted });
            let found = report.violations.first().unwrap_or_else(|| panic!("{slug} was not found"));
            assert!(found.trace.iter().any(|line| line.contains(found.invariant)), "{:?}", found.trace);
        }
    }
}

#[test]
fn one_seed_is_one_history_whoever_runs_it() {
    let once = run(Options { threads: 1, ..options(200) });
    assert_eq!(once, run(Options { threads: 1, ..options(200) }));
    assert_eq!(once, run(Options { threads: 3, ..options(200) }));
    assert_ne!(once.trace_hash, run(Options { first: 200, ..options(200) }).trace_hash);
    let short = run(Options { threads: 1, ..options(1000) });
    assert_eq!(short, run(Options { threads: 2, ..options(1000) }));
}

#[test]
fn one_schedule_can_be_read() {
    let lines = trace(0, None);
    assert!(lines.iter().any(|line| line.contains("is placed")), "{lines:?}");
    assert_eq!(lines, trace(0, None));
}

/// Every schedule of `case`, for every guard, with and without a second step; how many each guard has.
fn whole(case: Case) -> BTreeMap<&'static str, u64> {
    let mut paths = BTreeMap::new();
    for guard in guards() {
        for drafts in [false, true] {
            if matches!(guard, Guard::DraftElect { .. }) && !drafts {
                continue;
            }
            let walked = walk(&guard, drafts, case);
            assert_eq!(walked.broken, None, "{}", guard.word());
            *paths.entry(guard.word()).or_default() += walked.paths;
        }
    }
    paths
}

const NONE: Case = Case { crashes: 0, stalls: 0, lost_requests: 0, lost_replies: 0, late: 0, attempts: 3, workers: 1 };

#[test]
fn two_crashes_and_two_lost_replies_at_every_place_break_nothing() {
    let paths = whole(Case { crashes: 2, lost_replies: 2, ..NONE });
    assert!(paths.values().all(|paths| *paths >= 500), "{paths:?}");
}

#[test]
fn a_crash_a_lost_request_and_a_late_landing_at_every_place_break_nothing() {
    let paths = whole(Case { crashes: 1, lost_requests: 1, lost_replies: 1, late: 1, ..NONE });
    assert!(paths.values().all(|paths| *paths >= 500), "{paths:?}");
}

#[test]
fn a_worker_held_up_beside_another_at_every_place_breaks_nothing() {
    let paths = whole(Case { crashes: 1, stalls: 1, late: 1, workers: 2, ..NONE });
    assert!(paths.values().all(|paths| *paths >= 500), "{paths:?}");
}

#[test]
fn a_walk_finds_what_is_wrong() {
    // Nobody waits for what may still land, and nothing keeps a second one away.
    let hasty = Guard::Look { field: "mark".to_string(), settle_s: 0 };
    let walked = walk(&hasty, false, Case { late: 1, ..NONE });
    let (what, lines) = walked.broken.expect("a look at once proves nothing");
    assert!(what.starts_with("once"), "{what}");
    assert!(lines.len() > 5);
}
