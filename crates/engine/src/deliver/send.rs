//! Notes a group of writes, lets them leave, and sorts what came back.

use super::begin::HELD_PAUSE_S;
use super::{Moved, Ready, Work, pack};
use crate::gone::Missed;
use crate::poll::refusal;
use crate::run::Engine;
use crate::system::{EngineError, System};
use futures::future::join_all;
use syncline_connect::{Error, Outcome};
use syncline_core::delivery::{Delivery, Permit, advance, after};
use syncline_core::id::RemoteId;
use syncline_core::journal::Entry;
use syncline_core::kind::{Kind, Step};
use syncline_core::policy::{ErrorKind, Hold, Next, backoff_s};
use syncline_store::{Case, Ending, LaneState, News, Sending, StoreError};

/// How often a paper is tried before a person hears of it.
const PAPER_TRIES: u32 = 5;

/// How many failures in a row a lane has to have before a clash is told to people.
const CLASHES: u32 = 8;

/// Seconds until a paper that the shop would make otherwise is worked out anew.
const OTHERWISE_PAUSE_S: u32 = 3_600;

/// Seconds until what falls into a closed period is tried again: no feed tells of a period that is opened.
const CLOSED_PAUSE_S: u32 = 3_600;

impl Engine {
    /// Sends one group. Returns the lanes that go on.
    ///
    /// # Errors
    /// Where the store fails: then nothing was sent.
    pub(super) async fn send(&self, group: Vec<Ready>) -> Result<Vec<Work>, EngineError> {
        let Some(first) = group.first() else { return Ok(Vec::new()) };
        let system = self.system(&first.delivery.target)?.clone();
        let run = self.writing_run().await?;
        let now = self.now();
        let deadline = after(now, self.settings.leave_s);
        let notes = group
            .iter()
            .map(|one| Sending {
                delivery: one.delivery.id,
                lane: one.work.claimed.entity,
                epoch: one.work.claimed.epoch,
                deadline,
                pre_image: self.pre_image(&one.case, &one.delivery, &system),
                still: one.still.clone(),
                run,
                now,
            })
            .collect();
        let proofs = self.store.note_sending(notes).await?;
        let mut permits: Vec<Permit> = Vec::new();
        let mut sent: Vec<Ready> = Vec::new();
        let mut go_on = Vec::new();
        for (mut one, proof) in group.into_iter().zip(proofs) {
            match proof {
                Ok(noted) => {
                    let contents = std::mem::take(&mut one.contents);
                    if let Some(settle_s) = system.kind(one.delivery.change.kind).settle_s {
                        self.may_land(one.delivery.id, settle_s);
                    }
                    permits.push(advance(noted, one.delivery.change.clone()).carrying(contents));
                    sent.push(one);
                }
                // Another worker has the lane by now.
                Err(StoreError::Stale) => {}
                Err(StoreError::Overtaken) => go_on.push(one.work),
                Err(error) => return Err(error.into()),
            }
        }
        if permits.is_empty() {
            return Ok(go_on);
        }
        self.count_writes(permits.len());
        let outcomes = system.connector.write(&system.ctx, permits).await;
        let together = sent.len();
        let silent = || Outcome::Unknown {
            learned: None,
            error: Error::new(ErrorKind::Broken, "the connector said nothing about it"),
        };
        let outcomes = outcomes.into_iter().chain(std::iter::repeat_with(silent));
        let sorted = sent.into_iter().zip(outcomes).map(|(one, outcome)| self.sort(one, &system, outcome, together));
        for moved in join_all(sorted).await {
            match moved {
                Ok(Moved::Again(work)) => go_on.push(work),
                Ok(_) | Err(EngineError::Store(StoreError::Stale)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(go_on)
    }

    async fn sort(&self, one: Ready, system: &System, outcome: Outcome, together: usize) -> Result<Moved, EngineError> {
        let Ready { work, delivery, case, .. } = one;
        match outcome {
            Outcome::Done(snapshot) => {
                let doubtful = delivery.doubtful;
                self.done(work, &case, &delivery, system, *snapshot, doubtful, "done").await
            }
            Outcome::Unknown { learned, error } => self.in_doubt(work, &delivery, system, learned, &error).await,
            Outcome::Refused(error) => self.refused(work, (&case, &delivery), system, error, together).await,
        }
    }

    async fn in_doubt(
        &self,
        work: Work,
        delivery: &Delivery,
        system: &System,
        learned: Option<RemoteId>,
        error: &Error,
    ) -> Result<Moved, EngineError> {
        let entry = Entry::new("unknown", system.name.as_str(), error.kind.code());
        let evidence = pack(error.evidence.as_deref());
        self.doubt(&work, delivery, News::Unknown(learned), entry, evidence).await?;
        Ok(Moved::Again(work))
    }

    async fn refused(
        &self,
        mut work: Work,
        (case, delivery): (&Case, &Delivery),
        system: &System,
        error: Error,
        together: usize,
    ) -> Result<Moved, EngineError> {
        let evidence = pack(error.evidence.as_deref());
        let entry = |event: &str| Entry::new(event, system.name.as_str(), error.kind.code());
        let create = delivery.change.step == Step::Create;
        match error.kind.next() {
            Next::Inbox if delivery.change.step == Step::Delete && error.kind == ErrorKind::Gone => {
                self.end(&work, delivery, system, Ending::Superseded, entry("gone already")).await?;
                Ok(Moved::Again(work))
            }
            // Nothing was sent: it was there before.
            Next::Look if self.makes_shared(&delivery.change) => self.leave_alone(work, delivery, system).await,
            // A document with our mark is there, or the document moved on: look at what is there.
            Next::Look => {
                self.doubt(&work, delivery, News::Unknown(None), entry("is there already"), evidence).await?;
                self.after_clash(work, &error).await
            }
            Next::Replan if !create => {
                self.doubt(&work, delivery, News::Unknown(None), entry("moved on"), evidence).await?;
                self.after_clash(work, &error).await
            }
            Next::Replan => {
                self.doubt(&work, delivery, News::NotSent, entry("not sent"), None).await?;
                self.after_clash(work, &error).await
            }
            Next::Later => {
                self.doubt(&work, delivery, News::NotSent, entry("not sent"), None).await?;
                if self.is_one_of_several(work.claimed.kind, &system.name) {
                    return self.go_on_without(work, system, error);
                }
                if work.claimed.kind.is_paper() {
                    return self.paper_put_off(work, case, delivery, system, error).await;
                }
                let wait = error.retry_after_s.unwrap_or_else(|| backoff_s(work.failure()));
                let state = LaneState::Later(after(self.now(), wait), error.message.clone());
                self.give_back(&work, state, None, evidence).await
            }
            Next::Pause => {
                self.doubt(&work, delivery, News::NotSent, entry("not sent"), None).await?;
                self.trouble(work, system, error.clone()).await
            }
            Next::Inbox if together > 1 => {
                // One bad document spoiled a batch that left nothing behind: each goes alone now.
                self.doubt(&work, delivery, News::NotSent, entry("refused in a batch"), None).await?;
                work.alone = true;
                Ok(Moved::Again(work))
            }
            Next::Inbox => self.leave_to_a_person(work, delivery, system, error).await,
        }
    }

    /// Leaves what a system refused for good to a person.
    async fn leave_to_a_person(
        &self,
        mut work: Work,
        delivery: &Delivery,
        system: &System,
        error: Error,
    ) -> Result<Moved, EngineError> {
        let entry = Entry::new("refused", system.name.as_str(), error.kind.code());
        self.end(&work, delivery, system, Ending::Refused, entry).await?;
        let pause = match error.kind {
            // What mends it is done in its order.
            ErrorKind::Otherwise => Some(OTHERWISE_PAUSE_S),
            ErrorKind::Closed => Some(CLOSED_PAUSE_S),
            _ => None,
        };
        if let Some(pause) = pause {
            work.again_at = Some(after(self.now(), pause));
            return self.hold(&work, refusal(&error)).await;
        }
        if let (ErrorKind::Gone, Some(id)) = (error.kind, &delivery.change.document) {
            match self.look_for_missed(system, delivery.change.kind, id).await? {
                Missed::There => {}
                Missed::Gone => return Ok(Moved::Again(work)),
                Missed::Doubted(hold) => return self.hold_for(work, system, hold).await,
                Missed::Unsaid(error) => return self.trouble(work, system, error).await,
            }
        }
        if self.is_one_of_several(work.claimed.kind, &system.name) {
            return self.go_on_without(work, system, error);
        }
        let evidence = pack(error.evidence.as_deref());
        self.give_back(&work, LaneState::Failed(refusal(&error)), None, evidence).await
    }

    /// Tries a paper again later. Goods that left are not told meanwhile: after some tries a person hears of it.
    async fn paper_put_off(
        &self,
        mut work: Work,
        case: &Case,
        delivery: &Delivery,
        system: &System,
        error: Error,
    ) -> Result<Moved, EngineError> {
        if case.kind == Kind::Shipment && error.kind == ErrorKind::Busy {
            self.note_owed(case, &delivery.change, system).await?;
        }
        // A system that is down, or asks for patience, is none that does not take it; waiting is no try.
        let refuses = error.kind == ErrorKind::Busy && error.retry_after_s.is_none();
        if refuses && case.attempt > PAPER_TRIES {
            let what = format!("{} does not take it: {}", system.name, error.message);
            let remedy = "see what that shop lacks; it is tried again by itself every ten minutes";
            work.again_at = Some(after(self.now(), HELD_PAUSE_S));
            return self.hold(&work, Hold::new("SYN-0198", what, remedy)).await;
        }
        let wait = error.retry_after_s.unwrap_or_else(|| backoff_s(work.failure()));
        let state = LaneState::Later(after(self.now(), wait), error.message.clone());
        self.give_back(&work, state, None, pack(error.evidence.as_deref())).await
    }

    /// Goes on at once after a first clash with what is there; after more, later: a search may lag behind a unique key. One that
    /// lasts is told to people: what is read there is not what keeps the write away.
    async fn after_clash(&self, mut work: Work, error: &Error) -> Result<Moved, EngineError> {
        work.clashes += 1;
        if work.clashes < 3 {
            return Ok(Moved::Again(work));
        }
        if work.failure() > CLASHES {
            let what = format!("it is refused again and again, whatever is read there before: {}", error.message);
            let remedy = "see in that system what keeps it away and mend it there; it is tried again every ten minutes";
            work.again_at = Some(after(self.now(), HELD_PAUSE_S));
            return self.hold(&work, Hold::new(error.kind.code(), what, remedy)).await;
        }
        let state = LaneState::Later(after(self.now(), backoff_s(work.failure())), error.message.clone());
        self.give_back(&work, state, None, None).await
    }
}
