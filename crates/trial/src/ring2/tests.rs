//! A few schedules in every build; the many run in `syncline sim`.

use super::{Options, PLANTS, run, schedule, traced};

#[test]
fn guest_orders_cross_in_the_weather() {
    for seed in 0..12 {
        let outcome = schedule(seed, None);
        assert_eq!(outcome.violations, [], "seed {seed}");
        assert!(outcome.orders > 0);
    }
}

#[test]
fn a_schedule_is_the_same_every_time() {
    for seed in 100..104 {
        assert_eq!(traced(seed, None, true).lines, traced(seed, None, true).lines, "seed {seed}");
    }
    assert_ne!(schedule(1, None).trace_hash, schedule(2, None).trace_hash);
}

#[test]
fn every_planted_bug_is_found() {
    for plant in PLANTS {
        let options = Options { seeds: 200, first: 0, plant: Some(plant), stop_at_first: true, threads: 2 };
        assert!(!run(&options, |_| ()).violations.is_empty(), "{plant} was not found in 200 schedules");
    }
}
