//! Makes a schedule that breaks a rule short: one thing after the other is left out as long as the rule still breaks.
//!
//! What is left out changes what is drawn after it, so each attempt is played with several draws of the same mix.

use super::planted::Planted;
use super::schedule::{Outcome, cut_down};
use super::weather::Fault;
use super::world::Violation;
use std::collections::BTreeSet;
use syncline_sim::random::Random;

/// What a schedule may do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A fault of requests.
    Request(Fault),
    /// The process dies.
    Crashes,
    /// A worker stalls past its lease.
    Stalls,
    /// A disk that is full for a while.
    FullDisks,
    /// Answers that tell a field otherwise for a while.
    Drifts,
    /// Rows that show late in the shop.
    LateRows,
    /// An ERP whose search lags.
    SearchLag,
    /// A host whose clock steps.
    ClockSteps,
    /// People hold and release orders.
    Holds,
    /// People and buyers edit what they keep.
    Edits,
    /// A second shop or website.
    SecondShop,
    /// A shop that keeps one figure of each thing.
    NoSources,
    /// Books of addresses that go both ways.
    Books,
    /// Sweeps beside the passes.
    Sweeps,
    /// Scenes beside the flows.
    Scenes,
    /// Families of products.
    Families,
    /// Products and their texts.
    Products,
    /// Prices.
    Prices,
    /// Changes to orders after they arrived.
    Amendments,
    /// What people of the shop give back.
    Counter,
    /// What gateways give.
    Till,
    /// Invoices.
    Office,
    /// Stock, and all papers, which need it.
    Stock,
}

/// Everything, what others rest on last.
pub const PARTS: [Part; 31] = [
    Part::Request(Fault::LostRequest),
    Part::Request(Fault::LostReply),
    Part::Request(Fault::Late(0)),
    Part::Request(Fault::Repeated(0)),
    Part::Request(Fault::Busy(0)),
    Part::Request(Fault::Error),
    Part::Request(Fault::ErrorAfter),
    Part::Request(Fault::Html),
    Part::Request(Fault::Truncated),
    Part::Crashes,
    Part::Stalls,
    Part::FullDisks,
    Part::Drifts,
    Part::LateRows,
    Part::SearchLag,
    Part::ClockSteps,
    Part::Holds,
    Part::Edits,
    Part::SecondShop,
    Part::NoSources,
    Part::Books,
    Part::Sweeps,
    Part::Scenes,
    Part::Families,
    Part::Products,
    Part::Prices,
    Part::Amendments,
    Part::Counter,
    Part::Till,
    Part::Office,
    Part::Stock,
];

/// Draws of one mix that an attempt is played with.
const DRAWS: u64 = 6;
/// Rounds over all parts at most.
const ROUNDS: usize = 2;
/// Orders of a schedule at most.
const MOST_ORDERS: usize = 9;

/// What is left out of a schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cut {
    /// These parts.
    pub without: BTreeSet<Part>,
    /// All orders but so many; none for none.
    pub orders: Option<usize>,
    /// All chaos but so many seconds; none for none.
    pub seconds: Option<u64>,
    /// Which draw of the mix; 0 is the schedule's own.
    pub draw: u64,
}

impl Cut {
    /// What the schedule of `seed` goes without in a run of many: most are small, so that many a mix is tried in the same time,
    /// and one in sixteen is played whole. With a planted bug, or where `whole` is asked for, all are.
    #[must_use]
    pub fn sized(seed: u64, plant: Option<&'static str>, whole: bool) -> Self {
        if whole || plant.is_some() {
            return Self::default();
        }
        let mut random = Random::of(seed, 31, 0);
        let (seconds, orders) = match random.below(16) {
            0 => return Self::default(),
            1 | 2 => (random.between(160, 280), random.between(2, 5)),
            _ => (random.between(50, 130), random.between(1, 3)),
        };
        let orders = usize::try_from(orders).unwrap_or(1);
        Self { orders: Some(orders), seconds: Some(seconds), ..Self::default() }
    }

    /// Whether `part` is played.
    #[must_use]
    pub fn keeps(&self, part: Part) -> bool {
        !self.without.contains(&part)
    }
}

/// The short schedule.
#[derive(Debug, Clone)]
pub struct Short {
    /// The rule that breaks, and how.
    pub broken: Violation,
    /// What is left out.
    pub cut: Cut,
    /// Schedules that were played to find it.
    pub tries: u64,
    /// Its events.
    pub lines: Vec<String>,
}

/// The schedule of `seed` without what `from` leaves out, made short as long as it breaks the same rule; none where it breaks none.
#[must_use]
pub fn shrink(seed: u64, plant: Option<&'static str>, from: Cut, tell: impl FnMut(&str)) -> Option<Short> {
    shrunk((seed, plant), from, &Effort { parts: &PARTS, draws: DRAWS, rounds: ROUNDS }, tell)
}

/// How much is tried.
struct Effort<'a> {
    parts: &'a [Part],
    draws: u64,
    rounds: usize,
}

fn shrunk(
    (seed, plant): (u64, Option<&'static str>),
    cut: Cut,
    effort: &Effort<'_>,
    mut tell: impl FnMut(&str),
) -> Option<Short> {
    let bug = plant.and_then(Planted::named);
    let counts = |one: &&Violation| bug.is_none_or(|bug| bug.is_caught_by(one.invariant));
    let first = cut_down(seed, plant, false, &cut);
    let rule = first.violations.iter().find(counts)?.invariant;
    let mut search = Search { seed, plant, rule, draws: effort.draws, tries: 1, cut };
    for round in 0..effort.rounds {
        let before = search.cut.clone();
        for part in effort.parts.iter().copied() {
            let mut next = search.cut.clone();
            if next.without.insert(part) && search.takes(next) {
                tell(&format!("round {}: it breaks without {}", round + 1, part.word()));
            }
        }
        let fewest = |cut: &Cut| cut.orders.unwrap_or(MOST_ORDERS);
        for orders in 1..fewest(&search.cut) {
            if search.takes(Cut { orders: Some(orders), ..search.cut.clone() }) {
                tell(&format!("round {}: orders: {orders}", round + 1));
                break;
            }
        }
        for seconds in [60, 120, 240] {
            let longer = search.cut.seconds.is_none_or(|now| now > seconds);
            if longer && search.takes(Cut { seconds: Some(seconds), ..search.cut.clone() }) {
                tell(&format!("round {}: seconds of chaos: {seconds}", round + 1));
                break;
            }
        }
        if before == search.cut {
            break;
        }
    }
    let (outcome, cut) = (cut_down(seed, plant, true, &search.cut), search.cut);
    let broken = outcome.violations.into_iter().find(|one| one.invariant == rule)?;
    Some(Short { broken, cut, tries: search.tries, lines: outcome.lines })
}

struct Search {
    seed: u64,
    plant: Option<&'static str>,
    rule: &'static str,
    draws: u64,
    tries: u64,
    cut: Cut,
}

impl Search {
    /// Whether the rule breaks in a draw of `cut`, which is gone on from then.
    fn takes(&mut self, cut: Cut) -> bool {
        let own = cut.draw;
        for draw in std::iter::once(own).chain((0..self.draws).filter(|draw| *draw != own)) {
            let cut = Cut { draw, ..cut.clone() };
            self.tries += 1;
            let Outcome { violations, .. } = cut_down(self.seed, self.plant, false, &cut);
            if violations.iter().any(|one| one.invariant == self.rule) {
                self.cut = cut;
                return true;
            }
        }
        false
    }
}

impl Part {
    /// It in words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Request(fault) => fault.word(),
            Self::Crashes => "crashes",
            Self::Stalls => "stalls",
            Self::FullDisks => "full disks",
            Self::Drifts => "fields told otherwise",
            Self::LateRows => "late rows",
            Self::SearchLag => "a lagging search",
            Self::ClockSteps => "clock steps",
            Self::Holds => "holds",
            Self::Edits => "edits",
            Self::SecondShop => "a second shop",
            Self::NoSources => "a shop without sources",
            Self::Books => "address books",
            Self::Sweeps => "sweeps",
            Self::Scenes => "scenes",
            Self::Families => "families",
            Self::Products => "products",
            Self::Prices => "prices",
            Self::Amendments => "amendments",
            Self::Counter => "refunds",
            Self::Till => "payments",
            Self::Office => "invoices",
            Self::Stock => "stock and papers",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_that_breaks_a_rule_is_made_short_and_still_breaks_it() {
        let bug = Planted::named("retry-write").unwrap();
        let breaks = |seed: u64, cut: &Cut| {
            let found = cut_down(seed, Some(bug.slug), false, cut).violations;
            found.iter().any(|one| bug.is_caught_by(one.invariant))
        };
        let seed = (0..20).find(|seed| breaks(*seed, &Cut::default())).unwrap();
        let parts = [Part::Holds, Part::Edits, Part::Request(Fault::Html)];
        let effort = Effort { parts: &parts, draws: 2, rounds: 1 };
        let short = shrunk((seed, Some(bug.slug)), Cut::default(), &effort, |_| ()).unwrap();
        assert!(bug.is_caught_by(short.broken.invariant), "{:?}", short.broken);
        assert!(!short.cut.without.is_empty() && short.cut.orders.is_some(), "{:?}", short.cut);
        assert!(!short.lines.is_empty() && breaks(seed, &short.cut));
    }

    #[test]
    fn a_schedule_that_breaks_nothing_has_no_short_one() {
        assert!(shrink(1, None, Cut::default(), |_| ()).is_none());
    }
}
