//! Schedules of the delivery protocol: which numbers one runs by, drawn from its seed.

use super::Plant;
use super::trace::Trace;
use super::weather::{Chance, Rates, Weather};
use super::world::{Numbers, World};
use crate::seed::Seed;
use syncline_core::profile::Guard;

/// The longest a request may land after its send where the guard does not depend on it, in milliseconds.
const LATEST: u64 = 120_000;

/// The schedule of `seed`, run to its end.
pub(super) fn schedule(seed: u64, plant: Option<Plant>, trace: Trace) -> World {
    let mut row = Seed::new(seed);
    let guard = guard(&mut row);
    let numbers = numbers(&mut row, guard);
    let rates = Rates::draw(&mut row);
    let weather = Weather {
        chance: Chance::Drawn { seed: row.part("weather"), rates, calm_at: numbers.calm_at },
        latest: numbers.latest,
        stall: numbers.lease * 3,
        // A look proves nothing where a proxy repeats what landed long ago: a known limit, told in the plan.
        repeats: !matches!(numbers.guard, Guard::Look { .. } | Guard::None),
        nights: true,
        faults: std::collections::BTreeMap::new(),
    };
    let believed = believed(&numbers.guard, plant);
    let mut world = World::new(numbers, weather, trace);
    world.run(&believed);
    world
}

/// What our side takes the guard for: the truth, unless it is planted otherwise.
fn believed(guard: &Guard, plant: Option<Plant>) -> Guard {
    let mut guard = guard.clone();
    if plant == Some(Plant::SettleTooShort)
        && let Guard::Look { settle_s, .. } | Guard::DraftElect { settle_s, .. } = &mut guard
    {
        *settle_s /= 8;
    }
    guard
}

fn guard(row: &mut Seed) -> Guard {
    let settle_s = u32::try_from(row.between(20, 120)).unwrap_or(60);
    let field = String::from("mark");
    match row.below(9) {
        0 | 1 => Guard::Key { retention_s: row.pick(&[3_600, 86_400, 86_400, 604_800], 86_400) },
        2 | 3 => Guard::Unique { field },
        4 | 5 => Guard::DraftElect { field, settle_s },
        6 | 7 => Guard::Look { field, settle_s },
        _ => Guard::None,
    }
}

fn numbers(row: &mut Seed, guard: Guard) -> Numbers {
    let settle = guard.settle_s().map(|s| u64::from(s) * 1000);
    let drafts = matches!(guard, Guard::DraftElect { .. }) || row.chance(500);
    let orders = row.pick(&[1, 1, 2, 3], 1);
    let workers = usize::try_from(row.between(1, 2)).unwrap_or(1);
    let calm_at = row.between(10_000, 600_000);
    Numbers {
        drafts,
        placed: (0..orders).map(|_| row.below(calm_at / 2)).collect(),
        workers,
        apart: row.chance(500),
        lease: row.between(5, 300) * 1000,
        leave: row.between(5, 20) * 1000,
        timeout: row.between(10, 60) * 1000,
        calm_at,
        // Short of the settle time by a millisecond: a look at its very end sees all there is.
        latest: settle.map_or(LATEST, |settle| settle - 1),
        guard,
    }
}
