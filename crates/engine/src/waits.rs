//! How long what was sent may still land, by the runtime's time: a wall clock that steps ahead ends no wait while the
//! process that sent it lives.

use crate::run::Engine;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use syncline_core::delivery::after;
use syncline_core::id::DeliveryId;
use tokio::time::Instant;

/// Until when each delivery may still land. Whoever begins anew has the wall clock alone.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<BTreeMap<DeliveryId, Instant>>);

impl Waits {
    /// Notes that `delivery` may land within `seconds` from `now`; what is over is forgotten.
    fn note(&self, delivery: DeliveryId, seconds: u32, now: Instant) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.retain(|_, until| *until > now);
        book.insert(delivery, now + Duration::from_secs(seconds.into()));
    }

    /// Whole seconds from `now` until it can land no more.
    fn left_s(&self, delivery: DeliveryId, now: Instant) -> u32 {
        let book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = book.get(&delivery).map(|until| until.saturating_duration_since(now));
        left.map_or(0, |left| u32::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX))
    }
}

impl Engine {
    /// Notes that `delivery` may still be sent, and lands within `settle_s` seconds after that.
    pub(crate) fn may_land(&self, delivery: DeliveryId, settle_s: u32) {
        self.waits.note(delivery, self.settings.leave_s.saturating_add(settle_s), Instant::now());
    }

    /// When `delivery` can land no more: not before `at`, which was noted by the wall clock, nor before so much time has
    /// passed.
    pub(crate) fn landed_at(&self, delivery: DeliveryId, at: Timestamp) -> Timestamp {
        match self.waits.left_s(delivery, Instant::now()) {
            0 => at,
            left_s => at.max(after(self.now(), left_s)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_when_so_much_time_has_passed() {
        let (waits, one, other) = (Waits::default(), DeliveryId(1), DeliveryId(2));
        let start = Instant::now();
        let after = |milliseconds: u64| start + Duration::from_millis(milliseconds);
        waits.note(one, 60, start);
        assert_eq!((waits.left_s(one, after(59_500)), waits.left_s(other, start)), (1, 0));
        waits.note(one, 60, after(59_500));
        assert_eq!(waits.left_s(one, after(60_000)), 60, "the later note counts, and seconds are whole");
        assert_eq!(waits.left_s(one, after(119_500)), 0);
        waits.note(other, 1, after(119_500));
        assert!(!waits.0.lock().unwrap().contains_key(&one), "what is over is forgotten");
    }
}
