//! Which faults are on in one schedule, and how often: each seed draws its own mix first.

use super::drift;
use super::shrink::{Cut, Part};
use syncline_sim::random::Random;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nothing.
    None,
    /// It never arrives.
    LostRequest,
    /// It is carried out; the answer never comes.
    LostReply,
    /// It is carried out long after the client gave up, after so many seconds.
    Late(u64),
    /// A proxy sends it twice, so many seconds apart.
    Repeated(u64),
    /// 429 with this many seconds to wait; not carried out.
    Busy(u64),
    /// 503; not carried out.
    Error,
    /// Carried out, then answered with a proxy's 502 page.
    ErrorAfter,
    /// A proxy's page with status 200; not carried out.
    Html,
    /// Carried out; the answer ends in the middle.
    Truncated,
}

impl Fault {
    /// It in words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "no fault",
            Self::LostRequest => "lost requests",
            Self::LostReply => "lost replies",
            Self::Late(_) => "late requests",
            Self::Repeated(_) => "repeated requests",
            Self::Busy(_) => "busy systems",
            Self::Error => "errors",
            Self::ErrorAfter => "errors after the effect",
            Self::Html => "pages in the place of answers",
            Self::Truncated => "answers cut off",
        }
    }
}

/// The rates of one schedule, in thousandths.
#[derive(Debug, Clone, Default)]
pub struct Weather {
    requests: Vec<(u64, Fault)>,
    /// A store call after or before which the process dies.
    pub crash: u64,
    /// A store call that takes longer than the lease.
    pub stall: u64,
    /// A store call that finds the disk full, and those after it for a while.
    pub full: u64,
    /// Whether rows become visible late, and by how many seconds.
    pub late_rows_s: u32,
    /// Seconds the ERP's search lags behind.
    pub search_lag_s: i64,
    /// Whether the host's clock is stepped.
    pub clock_steps: bool,
    /// Whether people hold and release orders in the shop.
    pub people: bool,
    /// Whether answers tell a field otherwise for a while.
    pub drifts: bool,
}

impl Weather {
    /// Weather with one fault only, so many times in a thousand requests.
    #[cfg(test)]
    pub fn only(fault: Fault, rate: u64) -> Self {
        Self { requests: vec![(rate, fault)], ..Self::default() }
    }

    /// The weather of a seed; its disk is full at times where nothing is planted.
    pub fn drawn(seed: u64, planted: bool, random: &mut Random) -> Self {
        let (full, drifts) = if planted { (0, false) } else { (full(seed), drift::is_drawn(seed)) };
        let mut weather = Self { full, drifts, ..Self::default() };
        let mix = [
            Fault::LostRequest,
            Fault::LostReply,
            Fault::Late(0),
            Fault::Repeated(0),
            Fault::Busy(0),
            Fault::Error,
            Fault::ErrorAfter,
            Fault::Html,
            Fault::Truncated,
        ];
        for fault in mix {
            let (on, rate) = (random.chance(3, 5), random.between(8, 70));
            if on {
                weather.requests.push((rate, fault));
            }
        }
        weather.crash = if random.chance(3, 5) { random.between(4, 30) } else { 0 };
        weather.stall = if random.chance(1, 2) { random.between(3, 20) } else { 0 };
        weather.late_rows_s = if random.chance(1, 2) { u32::try_from(random.between(5, 90)).unwrap_or(5) } else { 0 };
        weather.search_lag_s = if random.chance(1, 3) { i64::try_from(random.between(2, 60)).unwrap_or(2) } else { 0 };
        weather.clock_steps = random.chance(1, 3);
        weather.people = random.chance(1, 3);
        weather
    }

    /// The weather without what `cut` leaves out.
    pub fn leave_out(&mut self, cut: &Cut) {
        self.requests.retain(|(_, fault)| cut.keeps(Part::Request(*fault)));
        let left = |part, rate| if cut.keeps(part) { rate } else { 0 };
        self.crash = left(Part::Crashes, self.crash);
        self.stall = left(Part::Stalls, self.stall);
        self.full = left(Part::FullDisks, self.full);
        if !cut.keeps(Part::LateRows) {
            self.late_rows_s = 0;
        }
        if !cut.keeps(Part::SearchLag) {
            self.search_lag_s = 0;
        }
        self.clock_steps &= cut.keeps(Part::ClockSteps);
        self.drifts &= cut.keeps(Part::Drifts);
        self.people &= cut.keeps(Part::Holds);
    }

    /// What happens to the next request.
    pub fn draw(&self, random: &mut Random) -> Fault {
        let mut ticket = random.below(1000);
        for (rate, fault) in &self.requests {
            if ticket < *rate {
                return match fault {
                    Fault::Late(_) => Fault::Late(random.between(25, 110)),
                    Fault::Repeated(_) => Fault::Repeated(random.between(0, 60)),
                    Fault::Busy(_) => Fault::Busy(random.between(1, 15)),
                    other => *other,
                };
            }
            ticket -= rate;
        }
        Fault::None
    }
}

/// How often a store call of `seed` finds the disk full.
fn full(seed: u64) -> u64 {
    let mut random = Random::of(seed, 32, 0);
    if random.chance(1, 4) { random.between(1, 6) } else { 0 }
}
