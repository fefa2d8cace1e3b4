//! Two watchers around the store: one sees what really was committed, one where commits come from; and the faults of our own side.

use super::world::{Shared, World, open};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use syncline_core::delivery::Noted;
use syncline_core::id::{DeliveryId, EntityId, Epoch};
use syncline_store::{
    Accept, Accepted, Claim, Claimed, CommitPlan, Doubt, Fut, Release, Sending, Settle, Store, StoreError,
};
use tokio::time::{Instant, sleep};

/// Directly over the real store: tells the world which notes are durable.
#[derive(Debug)]
pub struct Durable {
    pub store: Arc<dyn Store>,
    pub world: Shared,
}

impl Store for Durable {
    fn beneath(&self) -> &dyn Store {
        self.store.as_ref()
    }

    fn note_sending(&self, notes: Vec<Sending>) -> Fut<'_, Vec<Result<Noted, StoreError>>> {
        Box::pin(async move {
            let asked: Vec<(DeliveryId, Epoch)> = notes.iter().map(|note| (note.delivery, note.epoch)).collect();
            let proofs = self.store.note_sending(notes).await?;
            let mut world = open(&self.world);
            let mut out = Vec::with_capacity(proofs.len());
            for (proof, (delivery, epoch)) in proofs.into_iter().zip(asked) {
                if let Ok(noted) = &proof {
                    let note = noted.note();
                    world.event(&format!("noted {delivery} epoch {epoch} attempt {}", note.attempt));
                    world.noted(note);
                }
                out.push(proof);
            }
            Ok(out)
        })
    }
}

/// Over everything else: commits by a stale epoch are told to the world, the process dies here, workers stall here.
#[derive(Debug)]
pub struct Border {
    pub store: Arc<dyn Store>,
    pub world: Shared,
    pub epochs: Arc<Mutex<BTreeMap<EntityId, Epoch>>>,
    pub lease_s: u64,
}

enum Fate {
    Goes,
    DiesBefore,
    DiesAfter,
    StallsBefore,
    StallsAfter,
    Full,
}

/// Whether the disk is full at this moment; none is where the weather has no such thing.
fn is_full(world: &mut World) -> bool {
    let rate = world.weather.full;
    if rate == 0 {
        return false;
    }
    let now = Instant::now();
    if world.full_until.is_none_or(|until| until <= now) && world.random.chance(rate, 1000) {
        let seconds = world.random.between(1, 30);
        world.count("full_disks");
        world.event(&format!("the disk is full for {seconds} s"));
        world.full_until = Some(now + Duration::from_secs(seconds));
    }
    world.full_until.is_some_and(|until| until > now)
}

impl Border {
    fn fate(&self) -> Fate {
        let mut world = open(&self.world);
        if world.calm {
            return Fate::Goes;
        }
        let (crash, stall) = (world.weather.crash, world.weather.stall);
        let (dies, stalls, after) =
            (world.random.chance(crash, 1000), world.random.chance(stall, 1000), world.random.chance(1, 2));
        match (dies, stalls, after) {
            (true, _, after) => {
                world.count("crashes");
                world.event("the process dies");
                if after { Fate::DiesAfter } else { Fate::DiesBefore }
            }
            (false, true, after) => {
                world.count("stalls");
                world.event("a worker stalls");
                if after { Fate::StallsAfter } else { Fate::StallsBefore }
            }
            _ if is_full(&mut world) => Fate::Full,
            _ => Fate::Goes,
        }
    }

    /// `work` with whatever happens to our side around it.
    async fn around<T>(&self, work: Fut<'_, T>) -> Result<T, StoreError> {
        match self.fate() {
            Fate::Goes => work.await,
            // The daemon ends with what its store says, and is started anew.
            Fate::Full => {
                open(&self.world).dying = true;
                Err(StoreError::Full)
            }
            Fate::DiesBefore => self.die().await,
            Fate::DiesAfter => {
                let result = work.await;
                drop(result);
                self.die().await
            }
            Fate::StallsBefore => {
                sleep(Duration::from_secs(self.lease_s + 40)).await;
                work.await
            }
            Fate::StallsAfter => {
                let result = work.await;
                sleep(Duration::from_secs(self.lease_s + 40)).await;
                result
            }
        }
    }

    /// Never returns: whoever waits here is dropped with the process.
    async fn die<T>(&self) -> Result<T, StoreError> {
        open(&self.world).dying = true;
        std::future::pending().await
    }

    /// A commit that went through: was its epoch the lane's newest?
    fn committed(&self, lane: EntityId, epoch: Epoch, what: &str) {
        let epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        if epochs.get(&lane).is_some_and(|newest| *newest > epoch) {
            let detail = format!("{what} of lane {lane} went through under epoch {epoch}");
            drop(epochs);
            open(&self.world).broken("no-commit-by-a-stale-epoch", detail);
        }
    }
}

impl Store for Border {
    fn beneath(&self) -> &dyn Store {
        self.store.as_ref()
    }

    fn accept(&self, accept: Accept) -> Fut<'_, Accepted> {
        Box::pin(self.around(self.store.accept(accept)))
    }

    fn claim(&self, claim: Claim) -> Fut<'_, Vec<Claimed>> {
        Box::pin(async move {
            let claimed = self.store.claim(claim).await?;
            let mut epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
            for lane in &claimed {
                epochs.insert(lane.entity, lane.epoch);
            }
            Ok(claimed)
        })
    }

    fn commit_plan(&self, plan: CommitPlan) -> Fut<'_, DeliveryId> {
        let (lane, epoch) = (plan.lane, plan.epoch);
        Box::pin(async move {
            let done = self.around(Box::pin(async move {
                let done = self.store.commit_plan(plan).await?;
                self.committed(lane, epoch, "a plan");
                Ok(done)
            }));
            done.await
        })
    }

    fn note_sending(&self, notes: Vec<Sending>) -> Fut<'_, Vec<Result<Noted, StoreError>>> {
        let asked: Vec<(EntityId, Epoch)> = notes.iter().map(|note| (note.lane, note.epoch)).collect();
        Box::pin(self.around(Box::pin(async move {
            let proofs = self.store.note_sending(notes).await?;
            for (proof, (lane, epoch)) in proofs.iter().zip(asked) {
                if proof.is_ok() {
                    self.committed(lane, epoch, "a note");
                }
            }
            Ok(proofs)
        })))
    }

    fn doubt(&self, doubt: Doubt) -> Fut<'_, ()> {
        let (lane, epoch) = (doubt.lane, doubt.epoch);
        Box::pin(self.around(Box::pin(async move {
            self.store.doubt(doubt).await?;
            self.committed(lane, epoch, "a doubt");
            Ok(())
        })))
    }

    fn settle(&self, settle: Settle) -> Fut<'_, ()> {
        let (lane, epoch) = (settle.lane, settle.epoch);
        Box::pin(self.around(Box::pin(async move {
            self.store.settle(settle).await?;
            self.committed(lane, epoch, "a settlement");
            Ok(())
        })))
    }

    fn release(&self, release: Release) -> Fut<'_, ()> {
        let (lane, epoch) = (release.lane, release.epoch);
        Box::pin(self.around(Box::pin(async move {
            self.store.release(release).await?;
            self.committed(lane, epoch, "a release");
            Ok(())
        })))
    }

    fn recover(&self, now: Timestamp) -> Fut<'_, usize> {
        self.store.recover(now)
    }
}
