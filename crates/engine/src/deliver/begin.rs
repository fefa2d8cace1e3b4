//! Begins what a lane asks for: decides, asks for what is missing, and makes a planned step durable.

use super::{Moved, Swept, Work, pack};
use crate::decide::Decided;
use crate::import::early;
use crate::poll;
use crate::run::Engine;
use crate::stock::Unread;
use crate::system::{EngineError, System};
use syncline_connect::{Error, Seen};
use syncline_core::delivery::Change;
use syncline_core::id::RemoteId;
use syncline_core::journal::Entry;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::Leaves;
use syncline_core::planner::{Decision, Planned};
use syncline_core::policy::{ErrorKind, Hold, Next};
use syncline_core::profile::Guard;
use syncline_store::{Accept, Case, CommitPlan, LaneState, StoreError};

impl Engine {
    /// Decides what to do about a lane without a delivery, and makes a planned step durable.
    pub(super) async fn begin(&self, work: Work, case: Case) -> Result<Moved, EngineError> {
        if let Some(moved) = self.sweep_strays(&work, &case).await? {
            return match moved {
                Swept::Again => Ok(Moved::Again(work)),
                Swept::Trouble(system, error) => self.trouble(work, &system, error).await,
            };
        }
        if !work.fetched && self.is_unread(&case) {
            return self.read_anew(work, &case).await;
        }
        let Decided { decision, resolution } = self.decide(&case, false).await?;
        let plan = match decision {
            Decision::Agreed => {
                let why = match case.kind {
                    Kind::Stock => "agreed; looked at once more when nothing can land any more",
                    _ => "a second draft may still turn up",
                };
                let due = case.strays.iter().map(|(_, at)| *at).min();
                let state = due.map_or(LaneState::Idle, |at| LaneState::Awaiting(why.to_string(), at));
                return self.give_back(&work, state, None, None).await;
            }
            Decision::Outside(why) => return self.give_back(&work, LaneState::Outside(why), None, None).await,
            Decision::Early(day) => {
                let state = LaneState::Early(early(day, &case.label));
                return self.give_back(&work, state, None, None).await;
            }
            Decision::Awaiting(why, until) => {
                return self.give_back(&work, LaneState::Awaiting(why, until), None, None).await;
            }
            Decision::Wait(on, why) => return self.give_back(&work, LaneState::Waiting(on, why), None, None).await,
            Decision::Hold(hold) => return self.hold(&work, hold).await,
            Decision::Step(plan) => plan,
        };
        if !self.writes_to(plan.kind) {
            let why = "the flow only watches".to_string();
            return self.give_back(&work, LaneState::Outside(why), None, None).await;
        }
        if plan.kind == Kind::Customer && plan.step == Step::Create && !work.fetched {
            return self.fetch_customer(work, &case).await;
        }
        let target = self.system(&plan.target)?.clone();
        match self.wish(&plan, &resolution, &target) {
            Ok(leaves) => self.commit(work, &case, &plan, leaves, &target).await,
            Err(hold) => self.hold(&work, hold).await,
        }
    }

    /// Gives a lane back whose figures could not be read.
    pub(super) async fn left_unread(&self, work: Work, unread: Unread) -> Result<(), EngineError> {
        let given_back = match unread {
            Unread::Trouble(system, error) => self.trouble(work, &system, error).await,
            Unread::Gone(hold) => self.hold(&work, hold).await,
        };
        match given_back {
            Ok(_) | Err(EngineError::Store(StoreError::Stale)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn hold(&self, work: &Work, hold: Hold) -> Result<Moved, EngineError> {
        let entry = Entry::new("held", "", format!("{}: {}", hold.code, hold.what));
        self.give_back(work, LaneState::Held(hold), Some(entry), None).await
    }

    /// Makes a planned step durable.
    async fn commit(
        &self,
        work: Work,
        case: &Case,
        plan: &Planned,
        leaves: Leaves,
        target: &System,
    ) -> Result<Moved, EngineError> {
        let Some(origin) = self.origin(case)? else {
            return Err(EngineError::Setup("SYN-0902: a record without an id in its source".to_string()));
        };
        let (source, id) = origin;
        let there = case.bound.get(&target.uid);
        let guard = match plan.step {
            Step::Create => target.kind(plan.kind).create_guard(),
            _ => Guard::None,
        };
        let change = Change {
            kind: plan.kind,
            step: plan.step.clone(),
            mark: self.mark_of(plan.kind, &source, &id, target),
            document: there.map(|bound| bound.id.clone()),
            expect: case.sides.get(&target.uid).and_then(|side| side.version.clone()),
            leaves,
            adopt_only: plan.adopt_only,
        };
        let revisions = case.sides.iter().map(|(uid, side)| (uid.clone(), side.revision)).collect();
        self.store
            .commit_plan(CommitPlan {
                lane: case.entity,
                epoch: work.claimed.epoch,
                revisions,
                target: target.name.clone(),
                guard,
                change,
                reason: plan.reason.clone(),
                now: self.now(),
            })
            .await?;
        Ok(Moved::Again(work))
    }

    /// The source system of a record and its id there.
    fn origin(&self, case: &Case) -> Result<Option<(System, RemoteId)>, EngineError> {
        let named = match case.kind {
            Kind::Stock => self.flows.inventory.as_ref().map(|rules| &rules.source),
            _ => self.flows.orders.as_ref().map(|rules| &rules.source),
        };
        let Some(name) = named else { return Ok(None) };
        let source = self.system(name)?;
        Ok(case.bound.get(&source.uid).map(|bound| (source.clone(), bound.id.clone())))
    }

    /// Asks the shop for the customer's own page before it is created; a customer deleted meanwhile is what its orders tell.
    async fn fetch_customer(&self, mut work: Work, case: &Case) -> Result<Moved, EngineError> {
        work.fetched = true;
        let Some((source, id)) = self.origin(case)? else { return Ok(Moved::Again(work)) };
        if id.id.starts_with("guest:") {
            return Ok(Moved::Again(work));
        }
        match self.read_one(&source, Kind::Customer, &id).await {
            Ok(Some(snapshot)) => {
                self.take_in(&source, snapshot).await?;
                Ok(Moved::Again(work))
            }
            Ok(None) => Ok(Moved::Again(work)),
            Err(error) => self.trouble(work, &source, error).await,
        }
    }

    /// Whether the last answer of the source for `case` could not be read.
    pub(crate) fn is_unread(&self, case: &Case) -> bool {
        let source = self.flows.orders.as_ref().and_then(|rules| self.systems.get(&rules.source));
        source.and_then(|source| case.sides.get(&source.uid)).is_some_and(|side| side.unread)
    }

    /// Reads a record anew that could not be read before: nothing is decided on what it was.
    async fn read_anew(&self, mut work: Work, case: &Case) -> Result<Moved, EngineError> {
        work.fetched = true;
        let Some((source, id)) = self.origin(case)? else { return Ok(Moved::Again(work)) };
        let snapshot = match self.read_one(&source, case.kind, &id).await {
            Ok(Some(snapshot)) => Ok(snapshot),
            Ok(None) => {
                Err(Error::new(ErrorKind::Gone, format!("{} {id} is not in {} any more", case.kind, source.name)))
            }
            Err(error) => Err(error),
        };
        match snapshot {
            Ok(snapshot) => {
                let records = poll::incoming(case.kind, Seen { id, snapshot: Ok(snapshot) });
                let accept =
                    Accept { system: source.uid.clone(), records, cursor: None, asked_at: None, now: self.now() };
                self.store.accept(accept).await?;
                Ok(Moved::Again(work))
            }
            Err(error) if error.kind.next() == Next::Inbox => {
                let evidence = pack(error.evidence.as_deref());
                let entry = Entry::new("refused", source.name.as_str(), error.kind.code());
                self.give_back(&work, LaneState::Failed(poll::unreadable(&error)), Some(entry), evidence).await
            }
            Err(error) => self.trouble(work, &source, error).await,
        }
    }
}
