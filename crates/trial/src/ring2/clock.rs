//! The wall clock of a simulated run, paused time plus a skew that faults may step; and its randomness, drawn from the seed.

use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use syncline_connect::{Clock, Rng};
use syncline_sim::random::Random;
use tokio::time::Instant;

/// Time of one schedule.
#[derive(Debug)]
pub struct SimClock {
    start: Instant,
    base: Timestamp,
    skew_s: AtomicI64,
}

impl SimClock {
    /// A clock that shows `base` now.
    pub fn new(base: Timestamp) -> Self {
        Self { start: Instant::now(), base, skew_s: AtomicI64::new(0) }
    }

    /// The true time, which the simulated systems go by.
    pub fn true_now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.start.elapsed()).unwrap_or(SignedDuration::ZERO);
        self.base.checked_add(elapsed).unwrap_or(self.base)
    }

    /// Steps our host's clock by `seconds`.
    pub fn step(&self, seconds: i64) {
        self.skew_s.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Sets our host's clock right.
    pub fn set_right(&self) {
        self.skew_s.store(0, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let skew = SignedDuration::from_secs(self.skew_s.load(Ordering::SeqCst));
        self.true_now().checked_add(skew).unwrap_or(self.base)
    }
}

/// Randomness of one schedule; it goes on where an engine ends and another begins, as a machine's does.
#[derive(Debug)]
pub struct SimRng {
    seed: u64,
    drawn: AtomicU64,
}

impl SimRng {
    /// The randomness of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }
}

impl Rng for SimRng {
    fn draw(&self) -> u128 {
        let mut random = Random::of(self.seed, 8, self.drawn.fetch_add(1, Ordering::SeqCst));
        u128::from(random.draw()) << 64 | u128::from(random.draw())
    }
}
