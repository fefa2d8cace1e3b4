//! The wall clock and the machine's randomness: the one place where the program looks at either.

use jiff::Timestamp;
use std::hash::{BuildHasher, Hasher, RandomState};
use syncline_connect::{Clock, Rng};

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        now()
    }
}

impl Rng for Wall {
    fn draw(&self) -> u128 {
        u128::from(drawn()) << 64 | u128::from(drawn())
    }
}

/// Now.
#[expect(clippy::disallowed_methods, reason = "the clock that is injected everywhere else is made here")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// A number nobody can foresee.
fn drawn() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Four letters and digits nobody can foresee; for a new system's uid.
pub(crate) fn drawn_uid() -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut number = drawn();
    let mut letter = || {
        let at = usize::try_from(number % 36).unwrap_or(0);
        number /= 36;
        LETTERS.get(at).map_or('a', |letter| char::from(*letter))
    };
    (0..4).map(|_| letter()).collect()
}
