//! Random numbers from one seed: small, fast, the same on every machine, and not for secrets.

/// A row of random numbers that its seed decides (splitmix64: Steele, Lea, Flood 2014).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    state: u64,
}

impl Seed {
    /// The row that `seed` begins; neighbouring seeds give rows that have nothing in common.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut row = Self { state: seed ^ 0x5359_4E43_4C49_4E45 };
        row.draw();
        row
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.draw()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `first` to `last`, both among them.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first).saturating_add(1))
    }

    /// True in `per_mille` of 1000 draws. Draws nothing where it cannot be true.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        per_mille > 0 && self.below(1000) < per_mille
    }

    /// One of `choices`; `other` where there are none.
    pub fn pick<T: Copy>(&mut self, choices: &[T], other: T) -> T {
        let at = self.below(choices.len() as u64);
        choices.get(usize::try_from(at).unwrap_or(0)).copied().unwrap_or(other)
    }

    /// A row of its own for the part called `name`, so that draws in one part do not move those of another.
    #[must_use]
    pub fn part(&self, name: &str) -> Self {
        let mut state = self.state;
        for byte in name.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        Self::new(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_row_and_another_is_another() {
        let row = |seed: u64| {
            let mut row = Seed::new(seed);
            [row.draw(), row.draw(), row.draw()]
        };
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
        assert_ne!(Seed::new(7).part("net").draw(), Seed::new(7).part("disk").draw());
    }

    #[test]
    fn draws_keep_their_bounds_and_reach_them() {
        let mut row = Seed::new(1);
        let drawn: Vec<u64> = (0..1000).map(|_| row.between(3, 5)).collect();
        assert!(drawn.iter().all(|n| (3..=5).contains(n)));
        assert!([3, 4, 5].iter().all(|n| drawn.contains(n)));
        assert_eq!(row.below(0), 0);
        assert!(!row.chance(0));
        assert!(row.chance(1000));
        let some = (0..10_000).filter(|_| row.chance(100)).count();
        assert!((800..1200).contains(&some), "{some}");
    }
}
