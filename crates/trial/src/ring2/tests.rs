//! A few schedules in every build; the many run in `syncline sim`, the slower planted bugs too.

use super::{Options, run, schedule, traced};

#[test]
fn orders_cross_once_in_the_weather() {
    // Seed 929: a unique key knows a customer long before the search does.
    for seed in [0, 1, 2, 3, 929] {
        let outcome = schedule(seed, None);
        assert_eq!(outcome.violations, [], "seed {seed}");
        assert!(outcome.orders > 0);
    }
}

#[test]
fn a_schedule_is_the_same_every_time() {
    let (one, again) = (traced(100, None, true), traced(100, None, true));
    assert!(!one.lines.is_empty());
    assert_eq!(one.lines, again.lines);
    assert_ne!(one.trace_hash, schedule(101, None).trace_hash);
}

#[test]
fn planted_bugs_are_found() {
    for plant in ["skip-intent", "retry-write", "base-currency", "merge-lines-by-sku"] {
        let options = Options { seeds: 20, first: 0, plant: Some(plant), stop_at_first: true, threads: 2 };
        assert!(!run(&options, |_| ()).violations.is_empty(), "{plant} was not found in 20 schedules");
    }
}
