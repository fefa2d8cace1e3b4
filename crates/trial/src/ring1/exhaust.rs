//! Small cases walked through whole: one order, few faults, every place they can come at.

use super::trace::Trace;
use super::weather::{Budget, Chance, Script, Weather};
use super::world::{Numbers, World};
use std::collections::BTreeMap;
use syncline_core::profile::Guard;

/// What a walk through all choices found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Walked {
    /// Schedules run: every combination of choices once.
    pub paths: u64,
    /// Choices met, over all schedules.
    pub choices: u64,
    /// The invariant broken first, where one was, with that schedule's lines.
    pub broken: Option<(&'static str, Vec<String>)>,
}

/// Which faults a small case may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Deaths of the worker.
    pub crashes: u32,
    /// Times a worker is held up, past its lease or just short of its deadline.
    pub stalls: u32,
    /// Requests that never arrive.
    pub lost_requests: u32,
    /// Answers that never arrive.
    pub lost_replies: u32,
    /// Requests that land at half of the longest time or at its very end.
    pub late: u32,
    /// Attempts of one delivery before which a fault may come.
    pub attempts: u32,
    /// Workers side by side.
    pub workers: usize,
}

/// Runs every schedule of one order behind `guard` that `case` allows.
#[must_use]
pub fn walk(guard: &Guard, drafts: bool, case: Case) -> Walked {
    let budget = Budget {
        crashes: case.crashes,
        stalls: case.stalls,
        lost_requests: case.lost_requests,
        lost_replies: case.lost_replies,
        late: case.late,
        attempts: case.attempts,
    };
    let mut walked = Walked::default();
    let mut script = Some(Script::first(budget));
    while let Some(now) = script.take() {
        let kept = walked.broken.is_none();
        let mut world = World::new(numbers(guard, drafts, case.workers), weather(now), Trace::new(false));
        world.run(guard);
        walked.paths += 1;
        let Chance::Script(done) = world.weather.chance else { break };
        walked.choices += done.met() as u64;
        if let Some(what) = world.broken.filter(|_| kept) {
            walked.broken = Some((what, again(guard, drafts, case, &done, budget)));
        }
        script = done.next(budget);
    }
    walked
}

/// The lines of the path that was just gone.
fn again(guard: &Guard, drafts: bool, case: Case, done: &Script, budget: Budget) -> Vec<String> {
    let weather = weather(done.replay(budget));
    let mut world = World::new(numbers(guard, drafts, case.workers), weather, Trace::new(true));
    world.run(guard);
    world.trace.end().1
}

fn weather(script: Script) -> Weather {
    Weather {
        chance: Chance::Script(script),
        latest: LATEST,
        stall: STALL,
        repeats: false,
        nights: false,
        faults: BTreeMap::new(),
    }
}

const LATEST: u64 = 59_999;
const STALL: u64 = 45_000;

fn numbers(guard: &Guard, drafts: bool, workers: usize) -> Numbers {
    Numbers {
        guard: guard.clone(),
        drafts: drafts || matches!(guard, Guard::DraftElect { .. }),
        placed: vec![1000],
        workers,
        apart: true,
        lease: 15_000,
        leave: 20_000,
        timeout: 10_000,
        calm_at: 600_000,
        latest: LATEST,
    }
}

/// Every guard, with a settle time of a minute where it has one.
#[must_use]
pub fn guards() -> [Guard; 5] {
    let field = String::from("mark");
    [
        Guard::Key { retention_s: 86_400 },
        Guard::Unique { field: field.clone() },
        Guard::DraftElect { field: field.clone(), settle_s: 60 },
        Guard::Look { field, settle_s: 60 },
        Guard::None,
    ]
}
