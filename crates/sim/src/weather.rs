//! Faults drawn by seed: what a network and its proxies do to requests on their way.
//!
//! The drawing is apart from the doing, so that a socket server and a simulated network share it.

use serde_json::{Map, Value};

use crate::random::Random;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing; it is handled and answered.
    None,
    /// It never reaches the system; the connection closes.
    LostRequest,
    /// The system handles it; the connection closes before a byte of the answer.
    LostReply,
    /// The system is busy and does not handle it: 429 with `Retry-After`.
    Busy {
        /// Seconds the answer asks to wait.
        retry_after_s: u32,
    },
    /// 503 before the system sees it.
    ServerError,
    /// A proxy answers with a page of HTML.
    Html {
        /// 200 (a maintenance page) or 502 (a bad gateway).
        status: u16,
        /// Whether the system handled the request all the same; only ever with 502.
        landed: bool,
    },
    /// It is handled and answered, late.
    Slow {
        /// Milliseconds of delay before it is handled.
        ms: u32,
    },
    /// It is handled; the body of the answer stops half-way.
    Truncated,
    /// A proxy sends it twice; the second answer comes back.
    Repeated,
    /// One 401 for a token that is good before and after.
    Unauthorized,
}

/// Names of the counted kinds, in the order of [`Weather::faults`].
pub const KINDS: [&str; 9] =
    ["lost_replies", "lost_requests", "repeated", "busy", "errors", "html", "slow", "truncated", "unauthorized"];

/// How many of a thousand requests meet each kind of [`KINDS`].
pub type Rates = [u16; KINDS.len()];

/// Storm for reads: 125 of 1,000 are hit.
pub const STORM_READS: Rates = [15, 15, 10, 25, 15, 10, 25, 10, 0];
/// Storm for writes: 145 of 1,000 are hit, most of them by losing the reply, which is what makes duplicates.
pub const STORM_WRITES: Rates = [60, 15, 15, 15, 10, 10, 15, 5, 0];

/// A source of faults drawn by seed; the same seed and the same calls draw the same faults.
#[derive(Debug, Clone)]
pub struct Weather {
    reads: Rates,
    writes: Rates,
    script: Vec<Fault>,
    random: Random,
    requests: u64,
    counts: [u64; KINDS.len()],
}

impl Weather {
    /// Weather that never does anything.
    pub fn calm() -> Self {
        Self::with_rates(0, [0; KINDS.len()], [0; KINDS.len()])
    }

    /// Weather that hits about one request in seven, so that a client that retries always gets through.
    pub fn storm(seed: u64) -> Self {
        Self::with_rates(seed, STORM_READS, STORM_WRITES)
    }

    /// Weather of one's own making: faults per thousand reads and writes, by kind. Sums over 1,000 crowd out the later kinds.
    pub fn with_rates(seed: u64, reads: Rates, writes: Rates) -> Self {
        Self { reads, writes, script: Vec::new(), random: Random::new(seed), requests: 0, counts: [0; KINDS.len()] }
    }

    /// Weather that plays the given faults in order, then calms down.
    pub fn scripted(faults: &[Fault]) -> Self {
        let mut weather = Self::calm();
        weather.script = faults.iter().rev().copied().collect();
        weather
    }

    /// The fault of the next request.
    pub fn draw(&mut self, is_write: bool) -> Fault {
        self.requests = self.requests.saturating_add(1);
        let fault = match self.script.pop() {
            Some(fault) => fault,
            None => self.draw_by_rate(if is_write { self.writes } else { self.reads }),
        };
        if let Some(count) = kind_of(fault).and_then(|kind| self.counts.get_mut(kind)) {
            *count = count.saturating_add(1);
        }
        fault
    }

    /// How many requests were drawn for.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// What happened so far: a count per name of [`KINDS`].
    pub fn faults(&self) -> Value {
        let counts = KINDS.iter().zip(self.counts);
        Value::Object(counts.map(|(kind, count)| ((*kind).to_owned(), Value::from(count))).collect::<Map<_, _>>())
    }

    fn draw_by_rate(&mut self, rates: Rates) -> Fault {
        let mut point = self.random.below(1000);
        for (kind, rate) in rates.into_iter().map(u64::from).enumerate() {
            if point < rate {
                return self.make(kind);
            }
            point -= rate;
        }
        Fault::None
    }

    fn make(&mut self, kind: usize) -> Fault {
        match kind {
            0 => Fault::LostReply,
            1 => Fault::LostRequest,
            2 => Fault::Repeated,
            3 => Fault::Busy { retry_after_s: 1 },
            4 => Fault::ServerError,
            5 => match self.random.below(4) {
                0 | 1 => Fault::Html { status: 200, landed: false },
                2 => Fault::Html { status: 502, landed: false },
                _ => Fault::Html { status: 502, landed: true },
            },
            6 => Fault::Slow { ms: 20 + u32::try_from(self.random.below(230)).unwrap_or(0) },
            7 => Fault::Truncated,
            _ => Fault::Unauthorized,
        }
    }
}

/// The place of a fault in [`KINDS`].
fn kind_of(fault: Fault) -> Option<usize> {
    Some(match fault {
        Fault::None => return None,
        Fault::LostReply => 0,
        Fault::LostRequest => 1,
        Fault::Repeated => 2,
        Fault::Busy { .. } => 3,
        Fault::ServerError => 4,
        Fault::Html { .. } => 5,
        Fault::Slow { .. } => 6,
        Fault::Truncated => 7,
        Fault::Unauthorized => 8,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_hits_every_kind_and_leaves_most_alone() {
        let mut weather = Weather::storm(7);
        let calm = (0..20_000).filter(|n| weather.draw(n % 2 == 0) == Fault::None).count();
        assert!((17_000..17_650).contains(&calm), "{calm} of 20000 untouched");
        for (kind, count) in weather.faults().as_object().expect("an object") {
            // A good token is never refused by the weather; a schedule of one's own may still say so.
            assert_eq!(count.as_u64().expect("a count") > 20, kind != "unauthorized", "{kind}: {count}");
        }
        assert_eq!(weather.requests(), 20_000);
    }

    #[test]
    fn writes_lose_more_than_four_replies_in_a_hundred() {
        let mut weather = Weather::storm(11);
        let lost = (0..10_000).filter(|_| weather.draw(true) == Fault::LostReply).count();
        assert!(lost > 400, "{lost} of 10000");
    }

    #[test]
    fn one_seed_draws_one_weather() {
        let draw = |seed| {
            let mut weather = Weather::storm(seed);
            (0..500).map(|n| weather.draw(n % 3 == 0)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn a_script_plays_once_and_calm_does_nothing() {
        let mut weather = Weather::scripted(&[Fault::LostReply, Fault::Busy { retry_after_s: 9 }]);
        assert_eq!(weather.draw(false), Fault::LostReply);
        assert_eq!(weather.draw(false), Fault::Busy { retry_after_s: 9 });
        assert!((0..100).all(|_| weather.draw(true) == Fault::None));
    }
}
