//! What stories put a pass through: faults of one sort, and deaths one after the other.

use super::{Duration, Engine, Fault, Stage, Weather, open, sleep};
use std::sync::Arc;

/// From here on so many of a thousand requests meet `fault`.
pub(super) fn troubled(stage: &Stage, fault: Fault, rate: u64) {
    let mut world = open(&stage.world);
    (world.weather, world.calm) = (Weather::only(fault, rate), false);
}

/// From here on nothing goes wrong; what was asked for before has to have happened.
pub(super) fn calmed(stage: &Stage, fault: Fault) {
    let mut world = open(&stage.world);
    world.calm = true;
    assert!(!world.faults.is_empty(), "{fault:?} did nothing");
}

/// Passes that die so many milliseconds after they began, each of a process that begins with what the last one left.
pub(super) async fn killed(stage: &Stage, after_ms: [u64; 4]) {
    for killed_after_ms in after_ms {
        let engine = started(stage).await;
        let task = tokio::spawn(async move { drop(engine.sync(None).await) });
        sleep(Duration::from_millis(killed_after_ms)).await;
        task.abort();
    }
}

/// The next process, which begins with what the last one left; one that finds a system in trouble is started once more.
pub(super) async fn started(stage: &Stage) -> Arc<Engine> {
    for _ in 0..1_000 {
        if let Ok(engine) = stage.boot().await {
            engine.recover().await.unwrap();
            return engine;
        }
        sleep(Duration::from_secs(1)).await;
    }
    panic!("no process comes up");
}
