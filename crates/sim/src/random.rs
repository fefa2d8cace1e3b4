//! A small seeded number generator, so that one seed gives the same shop on every machine.

/// A splitmix64 stream: fast, tiny, and the same everywhere. Not for secrets.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A stream that depends on the seed alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream of its own for one numbered thing under a seed: thing 7 is the same whatever was drawn before it.
    #[must_use]
    pub fn of(seed: u64, topic: u64, number: u64) -> Self {
        let mut outer = Self::new(seed ^ topic.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        let mixed = outer.draw() ^ number.wrapping_mul(0xA076_1D64_78BD_642F);
        let mut inner = Self::new(mixed);
        let state = inner.draw();
        Self { state }
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `limit - 1`; 0 where the limit is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { self.draw() % limit }
    }

    /// A number from `low` to `high`, both included; `low` where the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below((high + 1).saturating_sub(low))
    }

    /// True `parts` times out of `whole`.
    pub fn chance(&mut self, parts: u64, whole: u64) -> bool {
        self.below(whole) < parts
    }

    /// An index into a list of this length; 0 where it is empty.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// One of these, each as likely as the others.
    pub fn pick<'a, T, const N: usize>(&mut self, of: &'a [T; N]) -> &'a T {
        const { assert!(N > 0) };
        &of[self.index(N)]
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        let mut one = Random::of(7, 1, 3);
        let mut two = Random::of(7, 1, 3);
        let mut other = Random::of(7, 1, 4);
        let first: Vec<u64> = (0..9).map(|_| one.draw()).collect();
        assert_eq!(first, (0..9).map(|_| two.draw()).collect::<Vec<_>>());
        assert_ne!(first, (0..9).map(|_| other.draw()).collect::<Vec<_>>());
    }

    #[test]
    fn bounds_hold() {
        let mut random = Random::new(1);
        for _ in 0..1000 {
            assert!(random.below(3) < 3);
            assert!((2..=4).contains(&random.between(2, 4)));
        }
        assert_eq!(random.below(0), 0);
    }
}
