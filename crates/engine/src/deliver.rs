//! Works lanes off: each lane's next move, writes of one sort together, every write noted before it leaves.

mod begin;
mod create;
mod load;
mod send;
mod settle;

pub(crate) use begin::WATCHES;

use crate::aside::{Aside, Asides, given_back};
use crate::gone::Missed;
use crate::poll;
use crate::run::Engine;
use crate::shared::{about, bases_of_write};
use crate::stock::Heeded;
use crate::system::{EngineError, System};
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use std::collections::BTreeSet;
use syncline_connect::{Error, Evidence, Snapshot};
use syncline_core::delivery::{Contents, Delivery, Move, Progress, after};
use syncline_core::id::{EntityId, RemoteId, SystemName, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::Leaves;
use syncline_core::policy::{ErrorKind, Hold, Next, backoff_s};
use syncline_store::{Agreed, Case, Claimed, Doubt, Ending, LaneState, News, Release, Still, StoreError, Told};

/// Moves one lane may make under one lease; more means that something turns in a circle. A product takes two for each of
/// its languages and images.
const MOST_MOVES: u32 = 120;

/// A lane in hand.
#[derive(Debug)]
struct Work {
    claimed: Claimed,
    moves: u32,
    /// Its document is to be sent alone: a batch it was in was refused.
    alone: bool,
    /// The systems that were asked for the record anew under this lease.
    asked: BTreeSet<SystemUid>,
    /// The order of a paper was read anew under this lease.
    asked_order: bool,
    /// It was looked for by its mark under this lease.
    looked: bool,
    /// What the systems that share the record were found to agree on when it was last decided.
    agreed: Option<Box<Agreed>>,
    /// Fields that showed something else after they were written under this lease.
    unkept: Leaves,
    /// Something was brought about under this lease.
    progressed: bool,
    /// How often a write was refused under this lease because of what is there already.
    clashes: u32,
    /// The systems that are left out under this lease.
    aside: Asides,
    /// The figures of shops after which their orders were asked for.
    heeded: Heeded,
    /// When it is looked at again although a person has to see to it.
    again_at: Option<Timestamp>,
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
    /// What its fields stand for.
    contents: Contents,
    /// What has to have been still since it was decided.
    still: Still,
}

/// What came of one move.
enum Moved {
    /// The lane was given back, or has another owner.
    Over,
    /// Something was done; look again.
    Again(Work),
    /// The orders of this shop are to be asked for first.
    Heed(Work, SystemName),
    /// A write is ready.
    Send(Box<Ready>),
}

impl Engine {
    /// Works `lanes` off, until each is given back.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn work_off(&self, lanes: Vec<Claimed>) -> Result<(), EngineError> {
        let fresh = |claimed: Claimed| Work {
            moves: 0,
            alone: false,
            asked: BTreeSet::new(),
            asked_order: false,
            looked: false,
            agreed: None,
            unkept: Leaves::new(),
            progressed: false,
            clashes: 0,
            aside: self.asides(claimed.kind),
            heeded: Heeded::new(),
            again_at: None,
            claimed,
        };
        let stock: Vec<EntityId> =
            lanes.iter().filter(|lane| lane.kind == Kind::Stock).map(|lane| lane.entity).collect();
        let prices: Vec<EntityId> =
            lanes.iter().filter(|lane| lane.kind == Kind::Price).map(|lane| lane.entity).collect();
        let mut unread = self.freshen(&stock).await?;
        unread.extend(self.freshen_prices(&prices).await?);
        let mut active: Vec<Work> = Vec::with_capacity(lanes.len());
        for mut work in lanes.into_iter().map(fresh) {
            let asides = unread.remove(&work.claimed.entity).unwrap_or_default();
            match asides.iter().find(|(name, _)| !self.is_one_of_several(work.claimed.kind, name)) {
                Some((name, aside)) => self.left_unread(work, name, aside.clone()).await?,
                None => {
                    work.aside.extend(asides);
                    active.push(work);
                }
            }
        }
        while !active.is_empty() {
            let mut again = Vec::new();
            let mut ready = Vec::new();
            let mut unheeded = Vec::new();
            // Side by side: what they keep becomes durable together, what they ask is asked together.
            let steps = active.into_iter().map(|work| self.step(Work { moves: work.moves + 1, ..work }));
            for moved in join_all(steps).await {
                match moved {
                    Ok(Moved::Over) => {}
                    Ok(Moved::Again(work)) => again.push(work),
                    Ok(Moved::Heed(work, shop)) => unheeded.push((work, shop)),
                    Ok(Moved::Send(one)) => ready.push(*one),
                    Err(EngineError::Store(StoreError::Stale)) => {}
                    Err(error) => return Err(error),
                }
            }
            let groups = self.grouped(ready);
            let side_by_side = self.systems.values().map(|system| system.ctx.side_by_side()).max().unwrap_or(1);
            let mut sent = stream::iter(groups.into_iter().map(|group| self.send(group))).buffered(side_by_side);
            while let Some(go_on) = sent.next().await {
                again.extend(go_on?);
            }
            again.extend(self.heed(unheeded).await?);
            active = again;
        }
        Ok(())
    }

    /// Asks each shop once for its orders, for all the lanes that wait for them. Returns the lanes that go on.
    async fn heed(&self, unheeded: Vec<(Work, SystemName)>) -> Result<Vec<Work>, EngineError> {
        let shops = unheeded.iter().map(|(_, shop)| shop.clone()).collect();
        let silent = self.heed_orders(&shops).await?;
        let mut go_on = Vec::new();
        for (work, shop) in unheeded {
            let Some(error) = silent.get(&shop) else {
                go_on.push(work);
                continue;
            };
            match self.trouble(work, self.system(&shop)?, error.clone()).await {
                Ok(Moved::Again(work)) => go_on.push(work),
                Ok(_) | Err(EngineError::Store(StoreError::Stale)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(go_on)
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
        if let Some((name, error)) = self.kept_from(&case) {
            return self.until_back(&work, &name, &error).await;
        }
        match &case.delivery {
            Some(delivery) => {
                let delivery = delivery.clone();
                self.go_on(work, case, delivery).await
            }
            None => self.begin(work, case).await,
        }
    }

    /// The system that is away in this pass and without which nothing can be done about an order or a customer.
    fn kept_from(&self, case: &Case) -> Option<(SystemName, Error)> {
        let mut away = self.away();
        if let Some(rules) = self.paper_rules(case.kind) {
            return away.remove_entry(&rules.source);
        }
        let rules = self.order_rules(case).filter(|_| matches!(case.kind, Kind::Order | Kind::Customer))?;
        [&rules.source, &rules.target].into_iter().find_map(|name| away.remove_entry(name))
    }

    /// The next move of a delivery that is not over.
    async fn go_on(&self, work: Work, case: Case, delivery: Delivery) -> Result<Moved, EngineError> {
        let Some(system) = self.systems.get(&delivery.target).cloned() else {
            let what = format!("a write to `{}` is under way, which the file does not have any more", delivery.target);
            let remedy = "put that system back into the file, under its uid, then `syncline retry`";
            return self.hold(&work, Hold::new("SYN-0152", what, remedy)).await;
        };
        if work.aside.contains_key(&system.name) {
            return self.put_off(work, &delivery, &system).await;
        }
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
            Move::Send => self.load(work, case, delivery, &system).await,
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

    /// Leaves a write to a system that is left out: the lane goes on with the others. What it was to set is decided
    /// anew once the system is there again; a create that may have landed is first settled.
    async fn put_off(&self, work: Work, delivery: &Delivery, system: &System) -> Result<Moved, EngineError> {
        let unsent = matches!(delivery.progress, Progress::Planned { first: None, .. });
        let entry = Entry::new("put off", system.name.as_str(), "decided anew once it can be asked");
        match delivery.change.step {
            _ if unsent => {
                self.end(&work, delivery, system, Ending::Superseded, entry).await?;
                Ok(Moved::Again(work))
            }
            Step::Update => {
                self.end_and_look_again(&work, delivery, system, entry, Vec::new()).await?;
                Ok(Moved::Again(work))
            }
            _ => {
                let nothing = LaneState::Later(after(self.now(), backoff_s(work.failure())), String::new());
                let (state, _) = self.with_asides(&work, nothing, None);
                self.give_back(&work, state, None, None).await
            }
        }
    }

    /// `state` as the systems left out under this lease make it, and when it is looked at again where a person has to
    /// see to it; `landed` is when nothing more can land.
    fn with_asides(&self, work: &Work, state: LaneState, landed: Option<Timestamp>) -> (LaneState, Option<Timestamp>) {
        let wait = |(name, aside): (&SystemName, &Aside)| match aside {
            Aside::Trouble(error) => Some(self.patience(work, name, error)),
            _ => None,
        };
        let tried = work.aside.iter().filter_map(wait).min().map(|wait| after(self.now(), wait));
        given_back(&work.aside, state, (tried, landed))
    }

    /// Seconds until `system` is asked again after `error`; what is away in this pass is left to the next one.
    fn patience(&self, work: &Work, system: &SystemName, error: &Error) -> u32 {
        match self.away().contains_key(system) {
            true => self.settings.patience_s.saturating_add(60),
            false => error.retry_after_s.unwrap_or_else(|| backoff_s(work.failure())),
        }
    }

    /// Leaves `system` out of this lane because of `hold`, where others are left to be told; holds the lane otherwise.
    async fn hold_for(&self, mut work: Work, system: &System, hold: Hold) -> Result<Moved, EngineError> {
        if !self.is_one_of_several(work.claimed.kind, &system.name) {
            return self.hold(&work, hold).await;
        }
        work.aside.insert(system.name.clone(), Aside::Held(about(hold, &system.name)));
        Ok(Moved::Again(work))
    }

    /// Searches the target for the mark.
    async fn search(
        &self,
        work: Work,
        case: &Case,
        delivery: &Delivery,
        system: &System,
    ) -> Result<Moved, EngineError> {
        let by = create::lookup(&delivery.change);
        let found = match system.connector.find(&system.ctx, delivery.change.kind, &by).await {
            Ok(found) => found,
            Err(error) => return self.trouble(work, system, error).await,
        };
        if found.iter().any(|snapshot| !self.is_ours(case, delivery, system, snapshot)) {
            return self.leave_alone(work, delivery, system).await;
        }
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
                let entry = Entry::new("none found", system.name.as_str(), "nothing of ours is there");
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
        if let Some(at) = self.look_not_before(delivery, system) {
            let why = format!("waiting until no request can land in {} any more", system.name);
            return self.give_back(&work, LaneState::Later(at, why), None, None).await;
        }
        match self.read_one(system, delivery.change.kind, &id).await {
            Ok(snapshot) => {
                let gone = snapshot.is_none();
                let mut agreed = Vec::new();
                if let Some(snapshot) = snapshot.filter(|_| delivery.change.step != Step::Delete) {
                    let elements = system.connector.pair(&delivery.change, &snapshot);
                    if delivery.change.step.creates() && !elements.is_empty() {
                        // What an attach left behind is recognised by what it says.
                        return self.done(work, case, delivery, system, snapshot, false, "read back").await;
                    }
                    let shown = snapshot.records.first().map(|(_, record)| record.to_leaves()).unwrap_or_default();
                    let shown = self.shown_after(case, system, &shown, &[]);
                    agreed = match delivery.change.kind {
                        // What nobody finds was not booked.
                        Kind::Payment => Vec::new(),
                        kind if kind.is_paper() => self.bases_of_paper(case, system, delivery),
                        _ => bases_of_write(system, &delivery.change.leaves, case.basis.as_ref(), &shown),
                    };
                    self.take_in(system, (snapshot, case.journal)).await?;
                }
                let entry = Entry::new("read again", system.name.as_str(), "decided anew from what is there");
                self.end_and_look_again(&work, delivery, system, entry, agreed).await?;
                let kind = delivery.change.kind;
                if gone && (self.field_rules(kind).is_some() || kind.of_variant()) {
                    return match self.look_for_missed(system, delivery.change.kind, &id).await? {
                        Missed::Doubted(hold) => self.hold_for(work, system, hold).await,
                        Missed::Unsaid(error) => self.trouble(work, system, error).await,
                        Missed::There | Missed::Gone => Ok(Moved::Again(work)),
                    };
                }
                if gone && delivery.change.step != Step::Delete {
                    let what = format!("document {id} is not in {} any more", system.name);
                    let remedy = "restore it there, or cancel the order in the shop";
                    return self.hold_for(work, system, Hold::new("SYN-0117", what, remedy)).await;
                }
                Ok(Moved::Again(work))
            }
            Err(error) => self.trouble(work, system, error).await,
        }
    }

    /// One document, read now.
    pub(crate) async fn read_one(&self, system: &System, kind: Kind, id: &RemoteId) -> Result<Option<Snapshot>, Error> {
        let ids = [id.clone()];
        let answers = system.connector.read(&system.ctx, kind, &ids).await;
        answers.into_iter().next().unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Broken, format!("{} gave no answer for {kind} {id}", system.name)))
        })
    }

    /// Takes a read document in as what its system shows; it was `asked` for when the journal stood there.
    async fn take_in(&self, system: &System, (snapshot, asked): (Snapshot, u64)) -> Result<(), EngineError> {
        let version = snapshot.version.clone();
        let Some((id, record)) = snapshot.records.first() else { return Ok(()) };
        let told = match record.kind() {
            // With the customer and the addresses it may name now.
            Kind::Order if !self.fulfils(system) => {
                return self.take_in_news(system, Kind::Order, (snapshot, asked)).await;
            }
            Kind::Order => Told::News,
            _ => Told::Asked,
        };
        let records = vec![poll::row(id.clone(), record, version, told)];
        self.accept_of(Some(asked), system, records, None).await.map(drop)
    }

    /// What an error of a system means for this lane.
    async fn trouble(&self, work: Work, system: &System, error: Error) -> Result<Moved, EngineError> {
        if self.is_one_of_several(work.claimed.kind, &system.name) {
            return self.go_on_without(work, system, error);
        }
        let evidence = pack(error.evidence.as_deref());
        let state = match error.kind.next() {
            Next::Later => {
                LaneState::Later(after(self.now(), self.patience(&work, &system.name, &error)), error.message.clone())
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

    /// Leaves out a system that gave no answer, or refused the record: the lane has others to tell.
    fn go_on_without(&self, mut work: Work, system: &System, error: Error) -> Result<Moved, EngineError> {
        let aside = match error.kind.next() {
            Next::Inbox => Aside::Failed(about(poll::refusal(&error), &system.name)),
            Next::Pause => {
                self.refused_us(&system.name, &error);
                Aside::Trouble(error)
            }
            Next::Later | Next::Replan | Next::Look => Aside::Trouble(error),
        };
        work.aside.insert(system.name.clone(), aside);
        Ok(Moved::Again(work))
    }

    /// When what could not be read is looked at again by itself: the record, or what has to be read before it is written.
    fn again_after(&self, state: &LaneState) -> Option<Timestamp> {
        match state {
            LaneState::Failed(hold) | LaneState::Held(hold) => hold.again_s().map(|pause| after(self.now(), pause)),
            _ => None,
        }
    }

    async fn give_back(
        &self,
        work: &Work,
        state: LaneState,
        entry: Option<Entry>,
        evidence: Option<String>,
    ) -> Result<Moved, EngineError> {
        let outside = matches!(state, LaneState::Outside(_) | LaneState::Early(_));
        let commitments = match work.claimed.kind {
            Kind::Order => self.commitment_state(work.claimed.entity, outside).await?,
            _ => None,
        };
        let release = Release {
            lane: work.claimed.entity,
            epoch: work.claimed.epoch,
            again_at: work.again_at.or_else(|| self.again_after(&state)),
            state,
            progressed: work.progressed,
            entry,
            evidence,
            commitments,
            agreed: work.agreed.as_deref().cloned(),
            served: self.served_until(work.claimed.entity, work.claimed.kind).await?,
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
