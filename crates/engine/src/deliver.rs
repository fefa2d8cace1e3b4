//! Works lanes off: each lane's next move, writes of one sort together, every write noted before it leaves.

mod send;
mod settle;

use crate::decide::Decided;
use crate::import::early;
use crate::poll;
use crate::run::Engine;
use crate::system::{EngineError, System};
use jiff::Timestamp;
use syncline_connect::{Error, Evidence, Lookup, Seen, Snapshot};
use syncline_core::delivery::{Change, Delivery, Move, after};
use syncline_core::id::RemoteId;
use syncline_core::journal::Entry;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::Leaves;
use syncline_core::planner::{Decision, Planned};
use syncline_core::policy::{ErrorKind, Hold, Next, backoff_s};
use syncline_core::profile::Guard;
use syncline_store::{Accept, Case, Claimed, CommitPlan, Doubt, Ending, LaneState, News, Release, Settle, StoreError};

/// Moves one lane may make under one lease; more means that something turns in a circle.
const MOST_MOVES: u32 = 60;

/// A lane in hand.
#[derive(Debug)]
struct Work {
    claimed: Claimed,
    moves: u32,
    /// Its document is to be sent alone: a batch it was in was refused.
    alone: bool,
    /// The customer's own page was asked for under this lease.
    fetched: bool,
    /// Something was brought about under this lease.
    progressed: bool,
    /// How often a write was refused under this lease because of what is there already.
    clashes: u32,
}

impl Work {
    /// Which failure in a row the next one is, from 1.
    fn failure(&self) -> u32 {
        if self.progressed { 1 } else { self.claimed.attempts.saturating_add(1) }
    }
}

/// A write ready to be noted.
#[derive(Debug)]
struct Ready {
    work: Work,
    delivery: Delivery,
    case: Box<Case>,
}

/// What came of one move.
enum Moved {
    /// The lane was given back, or has another owner.
    Over,
    /// Something was done; look again.
    Again(Work),
    /// A write is ready.
    Send(Box<Ready>),
}

impl Engine {
    /// Works `lanes` off, until each is given back.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn work_off(&self, lanes: Vec<Claimed>) -> Result<(), EngineError> {
        let fresh = |claimed| Work { claimed, moves: 0, alone: false, fetched: false, progressed: false, clashes: 0 };
        let mut active: Vec<Work> = lanes.into_iter().map(fresh).collect();
        while !active.is_empty() {
            let mut again = Vec::new();
            let mut ready = Vec::new();
            for mut work in active {
                work.moves += 1;
                match self.step(work).await {
                    Ok(Moved::Over) => {}
                    Ok(Moved::Again(work)) => again.push(work),
                    Ok(Moved::Send(one)) => ready.push(*one),
                    Err(EngineError::Store(StoreError::Stale)) => {}
                    Err(error) => return Err(error),
                }
            }
            for group in self.grouped(ready) {
                again.extend(self.send(group).await?);
            }
            active = again;
        }
        Ok(())
    }

    /// Writes of one target, kind and step together, at most a batch each.
    fn grouped(&self, ready: Vec<Ready>) -> Vec<Vec<Ready>> {
        let mut groups: Vec<Vec<Ready>> = Vec::new();
        for one in ready {
            let batch = match self.systems.get(&one.delivery.target) {
                Some(system) => system.kind(one.delivery.change.kind).batch.max(1),
                None => 1,
            };
            let fits = |group: &&mut Vec<Ready>| {
                group.first().is_some_and(|first| {
                    let (a, b) = (&first.delivery, &one.delivery);
                    a.target == b.target && a.change.kind == b.change.kind && a.change.step == b.change.step
                }) && group.len() < batch
                    && group.iter().all(|other| !other.work.alone)
            };
            match groups.iter_mut().find(fits) {
                Some(group) if !one.work.alone => group.push(one),
                _ => groups.push(vec![one]),
            }
        }
        groups
    }

    /// One move of one lane.
    async fn step(&self, work: Work) -> Result<Moved, EngineError> {
        let case = self.store.load(work.claimed.entity).await?;
        if self.stopping() {
            let state = LaneState::Later(self.now(), "interrupted".to_string());
            return self.give_back(&work, state, None, None).await;
        }
        if work.moves > MOST_MOVES {
            let what = format!("{MOST_MOVES} moves in a row have not brought it to an end");
            let remedy = "`syncline explain` shows what repeats; mend that in its system, then `syncline retry`";
            return self.hold(&work, Hold::new("SYN-0118", what, remedy)).await;
        }
        match &case.delivery {
            Some(delivery) => {
                let delivery = delivery.clone();
                self.go_on(work, case, delivery).await
            }
            None => self.begin(work, case).await,
        }
    }

    /// The next move of a delivery that is not over.
    async fn go_on(&self, work: Work, case: Case, delivery: Delivery) -> Result<Moved, EngineError> {
        let system = self.system(&delivery.target)?.clone();
        match delivery.next_move(self.now()) {
            Move::Send if delivery.change.adopt_only => {
                let what = "the shop's order already refers to a document, and none with our mark is there";
                let remedy =
                    "book the order by hand, or empty the reference on the shop's order, then `syncline retry`";
                self.end(
                    &work,
                    &delivery,
                    &system,
                    Ending::Superseded,
                    Entry::new("none found", system.name.as_str(), ""),
                )
                .await?;
                self.give_back(&work, LaneState::Held(Hold::new("SYN-0116", what, remedy)), None, None).await
            }
            Move::Send => Ok(Moved::Send(Box::new(Ready { work, delivery, case: Box::new(case) }))),
            Move::Look(at) if at > self.now() => {
                let why = format!("waiting until no request can land in {} any more", system.name);
                self.give_back(&work, LaneState::Later(at, why), None, None).await
            }
            Move::Look(_) => self.search(work, &case, &delivery, &system).await,
            Move::Adopt(id) => self.adopt_document(work, &case, &delivery, &system, &id).await,
            Move::Reread => self.reread(work, &case, &delivery, &system).await,
            Move::Ask(hold) => self.give_back(&work, LaneState::Held(hold), None, None).await,
            Move::Nothing => {
                // Noted under an earlier lease whose owner never came back: nobody knows what became of it.
                let entry = Entry::new("unknown", system.name.as_str(), "the worker that sent it lost its lease");
                self.doubt(&work, &delivery, News::Unknown(None), entry, None).await?;
                Ok(Moved::Again(work))
            }
        }
    }

    /// Searches the target for the mark.
    async fn search(
        &self,
        work: Work,
        case: &Case,
        delivery: &Delivery,
        system: &System,
    ) -> Result<Moved, EngineError> {
        let by = Lookup::Mark(delivery.change.mark.clone());
        let found = match system.connector.find(&system.ctx, delivery.change.kind, &by).await {
            Ok(found) => found,
            Err(error) => return self.trouble(work, system, error).await,
        };
        let ids: Vec<RemoteId> = found.iter().map(|snapshot| snapshot.id.clone()).collect();
        match delivery.after_look(&ids) {
            Move::Adopt(id) => {
                let Some(snapshot) = found.into_iter().find(|snapshot| snapshot.id == id) else {
                    return Ok(Moved::Again(work));
                };
                let doubtful = delivery.doubtful || ids.len() > 1;
                self.done(work, case, delivery, system, snapshot, doubtful, "found by its mark").await
            }
            Move::Ask(hold) => self.give_back(&work, LaneState::Held(hold), None, None).await,
            _ => {
                let entry = Entry::new("none found", system.name.as_str(), "no document carries the mark");
                self.doubt(&work, delivery, News::NothingFound, entry, None).await?;
                Ok(Moved::Again(work))
            }
        }
    }

    /// Takes a document whose id came back although its fate was in doubt.
    async fn adopt_document(
        &self,
        work: Work,
        case: &Case,
        delivery: &Delivery,
        system: &System,
        id: &RemoteId,
    ) -> Result<Moved, EngineError> {
        match self.read_one(system, delivery.change.kind, id).await {
            Ok(Some(snapshot)) => self.done(work, case, delivery, system, snapshot, true, "read by its id").await,
            Ok(None) => {
                let entry = Entry::new("none found", system.name.as_str(), "the document is not there any more");
                self.doubt(&work, delivery, News::NothingFound, entry, None).await?;
                Ok(Moved::Again(work))
            }
            Err(error) => self.trouble(work, system, error).await,
        }
    }

    /// Reads the document of a step whose fate is in doubt and decides anew from what it shows.
    async fn reread(
        &self,
        work: Work,
        case: &Case,
        delivery: &Delivery,
        system: &System,
    ) -> Result<Moved, EngineError> {
        let Some(id) = delivery.change.document.clone().or_else(|| case.bound.get(&system.uid).map(|b| b.id.clone()))
        else {
            return Err(EngineError::Setup("SYN-0901: a step without a document".to_string()));
        };
        match self.read_one(system, delivery.change.kind, &id).await {
            Ok(snapshot) => {
                let gone = snapshot.is_none();
                if let Some(snapshot) = snapshot.filter(|_| delivery.change.step != Step::Delete) {
                    let elements = system.connector.pair(&delivery.change, &snapshot);
                    if delivery.change.step.creates() && !elements.is_empty() {
                        // What an attach left behind is recognised by what it says.
                        return self.done(work, case, delivery, system, snapshot, false, "read back").await;
                    }
                    self.take_in(system, snapshot).await?;
                }
                let entry = Entry::new("read again", system.name.as_str(), "decided anew from what is there");
                self.end(&work, delivery, system, Ending::Superseded, entry).await?;
                if gone && delivery.change.step != Step::Delete {
                    let what = format!("document {id} is not in {} any more", system.name);
                    let remedy = "restore it there, or cancel the order in the shop";
                    return self
                        .give_back(&work, LaneState::Held(Hold::new("SYN-0117", what, remedy)), None, None)
                        .await;
                }
                Ok(Moved::Again(work))
            }
            Err(error) => self.trouble(work, system, error).await,
        }
    }

    /// One document, read now.
    async fn read_one(&self, system: &System, kind: Kind, id: &RemoteId) -> Result<Option<Snapshot>, Error> {
        let ids = [id.clone()];
        let answers = system.connector.read(&system.ctx, kind, &ids).await;
        answers.into_iter().next().unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Broken, format!("{} gave no answer for {kind} {id}", system.name)))
        })
    }

    /// Takes a read document in as what its system shows.
    async fn take_in(&self, system: &System, snapshot: Snapshot) -> Result<(), EngineError> {
        let version = snapshot.version.clone();
        let Some((id, record)) = snapshot.records.into_iter().next() else { return Ok(()) };
        let records = vec![poll::row(id, &record, version)];
        let accept = Accept { system: system.uid.clone(), records, cursor: None, now: self.now() };
        self.store.accept(accept).await?;
        Ok(())
    }

    /// Decides what to do about a lane without a delivery, and makes a planned step durable.
    async fn begin(&self, work: Work, case: Case) -> Result<Moved, EngineError> {
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
                let state = match case.strays.iter().map(|(_, at)| *at).min() {
                    Some(at) => LaneState::Awaiting("a second draft may still turn up".to_string(), at),
                    None => LaneState::Idle,
                };
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

    async fn hold(&self, work: &Work, hold: Hold) -> Result<Moved, EngineError> {
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
        let Some(rules) = &self.flows.orders else { return Ok(None) };
        let source = self.system(&rules.source)?;
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
                let accept = Accept { system: source.uid.clone(), records, cursor: None, now: self.now() };
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

    /// What an error of a system means for this lane.
    async fn trouble(&self, work: Work, system: &System, error: Error) -> Result<Moved, EngineError> {
        let evidence = pack(error.evidence.as_deref());
        let state = match error.kind.next() {
            Next::Later => {
                let wait = error.retry_after_s.unwrap_or_else(|| backoff_s(work.failure()));
                LaneState::Later(after(self.now(), wait), error.message.clone())
            }
            Next::Replan | Next::Look => LaneState::Later(after(self.now(), 1), error.message.clone()),
            Next::Pause => {
                let wait = if self.refused_us(&system.name, &error) { 60 } else { 2 };
                LaneState::Later(after(self.now(), wait), error.message.clone())
            }
            Next::Inbox => LaneState::Failed(poll::refusal(&error)),
        };
        let entry = Entry::new("trouble", system.name.as_str(), error.kind.code());
        self.give_back(&work, state, Some(entry), evidence).await
    }

    async fn give_back(
        &self,
        work: &Work,
        state: LaneState,
        entry: Option<Entry>,
        evidence: Option<String>,
    ) -> Result<Moved, EngineError> {
        let release = Release {
            lane: work.claimed.entity,
            epoch: work.claimed.epoch,
            state,
            progressed: work.progressed,
            entry,
            evidence,
            now: self.now(),
        };
        self.store.release(release).await?;
        Ok(Moved::Over)
    }

    async fn doubt(
        &self,
        work: &Work,
        delivery: &Delivery,
        news: News,
        entry: Entry,
        evidence: Option<String>,
    ) -> Result<(), EngineError> {
        let doubt = Doubt {
            delivery: delivery.id,
            lane: work.claimed.entity,
            epoch: work.claimed.epoch,
            news,
            entry,
            evidence,
            now: self.now(),
        };
        Ok(self.store.doubt(doubt).await?)
    }

    /// Ends a delivery that made nothing.
    async fn end(
        &self,
        work: &Work,
        delivery: &Delivery,
        system: &System,
        ending: Ending,
        entry: Entry,
    ) -> Result<(), EngineError> {
        let settle = Settle {
            delivery: delivery.id,
            lane: work.claimed.entity,
            epoch: work.claimed.epoch,
            system: system.uid.clone(),
            ending,
            agreed: None,
            entry,
            evidence: None,
            now: self.now(),
        };
        Ok(self.store.settle(settle).await?)
    }
}

/// What came of looking for strays.
enum Swept {
    Again,
    Trouble(Box<System>, Error),
}

/// The raw exchange as JSON.
fn pack(evidence: Option<&Evidence>) -> Option<String> {
    evidence.and_then(|evidence| serde_json::to_string(evidence).ok())
}

/// The moment after which a second draft of `delivery` can no longer turn up; none where its guard leaves none.
/// A create that was answered well may leave one too: a proxy may have repeated it.
fn strays_at(delivery: &Delivery, now: Timestamp, leave_s: u32) -> Option<Timestamp> {
    match &delivery.guard {
        Guard::DraftElect { settle_s, .. } if delivery.change.step == Step::Create => {
            // An earlier attempt, noted by a worker that was held up, may still leave until its own deadline.
            Some(after(after(now, leave_s), *settle_s))
        }
        _ => None,
    }
}
