//! Begins what a lane asks for: decides, asks for what is missing, and makes a planned step durable.

use super::{Moved, Swept, Work, pack};
use crate::aside::Aside;
use crate::catalogue::{elements, moves_alone};
use crate::customers::is_guest;
use crate::families;
use crate::gone::Missed;
use crate::import::early;
use crate::poll;
use crate::run::Engine;
use crate::system::{EngineError, System};
use crate::translate::Resolution;
use std::collections::BTreeMap;
use syncline_connect::Error;
use syncline_core::delivery::{Change, after};
use syncline_core::id::{EntityId, RemoteId, SystemName};
use syncline_core::journal::Entry;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::{Decision, Planned};
use syncline_core::policy::{ErrorKind, Hold, Next};
use syncline_core::profile::Guard;
use syncline_core::record::ASKED;
use syncline_store::{Basis, BoundTo, Case, CommitPlan, LaneState, StoreError, Stray};

/// How often a field that shows something else than was written is tried before a person is asked.
const UNKEPT_TRIES: u32 = 3;
/// Seconds until it is looked at again.
const UNKEPT_PAUSE_S: u32 = 60;
/// Why nothing is done about what would be written.
pub(crate) const WATCHES: &str = "the flow only watches";
/// Seconds until a change that waits for a person's approval is looked at again.
const APPROVAL_PAUSE_S: u32 = 60;

/// Holds of an order for what came of its document: that is read anew before a person is asked, and every now and then.
const LOOKED_AT: [&str; 3] = ["SYN-0122", "SYN-0124", "SYN-0125"];

/// Seconds until what is held, and may be mended where no feed tells of it, is looked at again.
pub(super) const HELD_PAUSE_S: u32 = 600;

/// Why what both sides agree on is looked at once more.
fn still_to_land(kind: Kind) -> &'static str {
    match kind {
        Kind::Order => "a second draft may still turn up",
        _ => "agreed; looked at once more when nothing can land any more",
    }
}

impl Engine {
    /// Decides what to do about a lane without a delivery, and makes a planned step durable.
    pub(super) async fn begin(&self, mut work: Work, case: Case) -> Result<Moved, EngineError> {
        if let Some(system) = self.to_ask(&work, &case)? {
            return self.read_anew(work, &case, &system).await;
        }
        if let Some(moved) = self.sweep_strays(&work, &case).await? {
            return match moved {
                Swept::Again => Ok(Moved::Again(work)),
                Swept::Trouble(system, error) => self.trouble(work, &system, error).await,
            };
        }
        if self.note_person(&case, !work.asked.is_empty()).await? {
            return Ok(Moved::Again(work));
        }
        let mut decided = self.decide_without(&case, false, &work.aside).await?;
        if let Some(shop) = self.unheeded(&decided.decision, &case, &mut work.heeded).cloned() {
            return Ok(Moved::Heed(work, shop));
        }
        if let Some(target) = self.to_change(&work, &case, &decided.decision)? {
            return self.read_anew(work, &case, &target).await;
        }
        if self.needs_its_order(&mut work, &case, &decided.decision).await? {
            return self.with_order_read(work, &case).await;
        }
        if self.is_known_by_its_mark(&mut work, &case, &decided.decision).await? {
            return Ok(Moved::Again(work));
        }
        work.agreed = decided.agreed.take().map(Box::new);
        let landed = self.landed_by(&work, &case);
        let (mut entry, mut held_again) = (None, None);
        let state = match self.without_waiting_for_ever(&case, decided.decision).await? {
            Decision::Step(plan) if self.awaits_approval(&plan) => LaneState::Later(
                after(self.now(), APPROVAL_PAUSE_S),
                "the flow waits for `syncline approve`".to_string(),
            ),
            Decision::Step(plan) if self.writes_to(plan.kind) => {
                return self.prepare(work, &case, &plan, &decided.resolution, decided.peer).await;
            }
            Decision::Step(_) => LaneState::Outside(WATCHES.to_string()),
            Decision::Agreed => {
                landed.map_or(LaneState::Idle, |at| LaneState::Awaiting(still_to_land(case.kind).to_string(), at))
            }
            Decision::Outside(why) => LaneState::Outside(why),
            Decision::Early(day) => LaneState::Early(early(day, &self.record_name(&case).key)),
            Decision::Awaiting(why, until) => LaneState::Awaiting(why, until),
            Decision::Wait(on, why) => LaneState::Waiting(on, why),
            Decision::Hold(hold) => {
                held_again = is_mended_elsewhere(&case, &hold).then(|| after(self.now(), HELD_PAUSE_S));
                entry = Some(Entry::new("held", "", format!("{}: {}", hold.code, hold.what)));
                LaneState::Held(hold)
            }
            Decision::Conflict(hold) => {
                entry = Some(Entry::new("conflict", "", hold.what.clone()));
                LaneState::Conflict(hold)
            }
        };
        let (state, again_at) = self.with_asides(&work, state, landed);
        work.again_at = again_at.into_iter().chain(held_again).min();
        self.give_back(&work, state, entry, None).await
    }

    /// Whether a person is to be asked about a paper that is one of ours and was forgotten; it is tied now.
    async fn is_known_by_its_mark(
        &self,
        work: &mut Work,
        case: &Case,
        decision: &Decision,
    ) -> Result<bool, EngineError> {
        let Decision::Hold(hold) = decision else { return Ok(false) };
        Ok(!std::mem::replace(&mut work.looked, true) && self.tie_own_paper(case, hold).await?)
    }

    /// Whether `decision` is about a paper and rests on an older look at its order: nobody is asked about what that was like
    /// before. What a paper that is not sent was to take waits no more.
    async fn needs_its_order(&self, work: &mut Work, case: &Case, decision: &Decision) -> Result<bool, EngineError> {
        let rests = match decision {
            Decision::Hold(_) => case.kind.is_paper(),
            // What is billed by now only the order's document tells.
            Decision::Awaiting(..) => case.kind == Kind::Credit,
            _ => false,
        };
        if rests && !std::mem::replace(&mut work.asked_order, true) {
            return Ok(true);
        }
        if case.kind == Kind::Shipment && !matches!(decision, Decision::Step(_)) {
            self.owed_no_more(case).await?;
        }
        if case.kind == Kind::Invoice {
            self.wake_payments(case).await?;
            self.wake_goods(case).await?;
            self.wake_refunds(case).await?;
        }
        Ok(false)
    }

    /// The system whose document of an order is to be withdrawn or amended, or cannot be: what became of it there is asked for
    /// first.
    fn to_change(&self, work: &Work, case: &Case, decision: &Decision) -> Result<Option<System>, EngineError> {
        let Some(rules) = self.order_rules(case).filter(|_| case.kind == Kind::Order) else { return Ok(None) };
        let name = match decision {
            Decision::Step(plan) if matches!(plan.step, Step::Amend | Step::Cancel) => &plan.target,
            Decision::Hold(hold) if LOOKED_AT.contains(&hold.code.as_str()) => &rules.target,
            _ => return Ok(None),
        };
        let target = self.system(name)?;
        Ok((!work.asked.contains(&target.uid)).then(|| target.clone()))
    }

    /// Reads what the paper `case` rests on anew, its order first of all, and looks again.
    async fn with_order_read(&self, work: Work, case: &Case) -> Result<Moved, EngineError> {
        match self.refresh_around(case).await? {
            Ok(()) => Ok(Moved::Again(work)),
            Err((system, error)) => self.trouble(work, &system, error).await,
        }
    }

    /// `decision` about `case`, in the place of a wait for what a flow that only watches never makes: each would wake the
    /// other for ever.
    async fn without_waiting_for_ever(&self, case: &Case, decision: Decision) -> Result<Decision, EngineError> {
        match decision {
            Decision::Wait(..) if !self.writes_to(case.kind) => Ok(Decision::Outside(WATCHES.to_string())),
            Decision::Wait(on, why) => {
                let never = self.never_made(&on).await?;
                Ok(never.map_or(Decision::Wait(on, why), Decision::Hold))
            }
            other => Ok(other),
        }
    }

    /// A hold where one of `on` is of a flow that only watches, or of somebody who was erased.
    async fn never_made(&self, on: &[EntityId]) -> Result<Option<Hold>, EngineError> {
        for entity in on {
            let waited = self.store.load(*entity).await?;
            let flow = waited.kind.flow();
            if let Some(at) = waited.erased.filter(|_| waited.kind == Kind::Customer) {
                let what = format!("the text of its customer `{}` was erased on {at:.0}", waited.label);
                let remedy =
                    "carry it over by hand, then `syncline retry --accept` this order; or have it ordered anew";
                return Ok(Some(Hold::new("SYN-0181", what, remedy)));
            }
            if !self.writes_to(waited.kind) {
                let what =
                    format!("it needs the {} `{}`, and the flow of {flow} only watches", waited.kind, waited.label);
                let remedy = format!(
                    "write `mode = \"on\"` under [flows.{flow}], or tie what both have with `syncline adopt {flow}`, then \
                     `syncline retry`"
                );
                return Ok(Some(Hold::new("SYN-0180", what, remedy)));
            }
        }
        Ok(None)
    }

    /// Makes a planned step ready: what it is made of is asked for, its fields are put in the target's words.
    async fn prepare(
        &self,
        mut work: Work,
        case: &Case,
        plan: &Planned,
        resolution: &Resolution,
        peer: Option<SystemName>,
    ) -> Result<Moved, EngineError> {
        let target = self.system(&plan.target)?.clone();
        if plan.kind == Kind::Customer && plan.step == Step::Create && work.asked.is_empty() {
            return self.fetch_customer(work, case).await;
        }
        if plan.kind == Kind::Order && plan.step == Step::Create {
            match self.brought_elsewhere(case, &target).await {
                Ok(None) => {}
                Ok(Some(hold)) => return self.hold(&work, hold).await,
                Err(EngineError::System { error, .. }) => return self.trouble(work, &target, error).await,
                Err(error) => return Err(error),
            }
        }
        // Prices were read when the lane was taken up.
        let made = plan.kind.is_paper() && plan.step == Step::Create;
        if peer.is_some() && plan.kind != Kind::Price && !made && !work.asked.contains(&target.uid) {
            // People work there: what they have just changed is not overwritten unseen.
            return self.read_anew(work, case, &target).await;
        }
        let leaves = match self.wish(case, plan, resolution, &target) {
            Ok(leaves) if plan.kind == Kind::Category => moves_alone(plan.step == Step::Create, leaves),
            Ok(leaves) => leaves,
            Err(hold) => return self.hold_for(work, &target, hold).await,
        };
        let parts = match &peer {
            None => vec![leaves],
            Some(_) if made => vec![leaves],
            Some(_) => target.connector.split(plan.kind, &leaves),
        };
        let waits: Vec<_> = parts.iter().map(|part| self.may_still_come(case, &target, part)).collect();
        let free = parts.into_iter().zip(&waits).find(|(_, wait)| wait.is_none()).map(|(part, _)| part);
        let leaves = match (free, waits.into_iter().flatten().min()) {
            (Some(part), _) => part,
            (None, Some(at)) => {
                let why = format!("waiting until nothing sent earlier can land in {} any more", target.name);
                return self.give_back(&work, LaneState::Later(at, why), None, None).await;
            }
            (None, None) => {
                return Err(EngineError::Setup(format!("SYN-0908: {} can be told nothing of it", target.name)));
            }
        };
        if let Some(hold) = never_kept(&work.unkept, &leaves, &target) {
            if work.claimed.attempts >= UNKEPT_TRIES {
                return self.hold_for(work, &target, hold).await;
            }
            // What is read back may lag behind what was written: it is looked at again before a person is asked.
            work.progressed = false;
            let state = LaneState::Later(after(self.now(), UNKEPT_PAUSE_S), hold.what);
            return self.give_back(&work, state, None, None).await;
        }
        let basis = match plan.step {
            Step::Amend => self.basis_of_amendment(case, plan),
            _ => self.basis(case, peer.as_ref(), &target, &self.founded_on(plan, &leaves)),
        };
        self.commit(work, case, plan, (leaves, basis), &target).await
    }

    /// From which moment nothing sent earlier can land any more in the systems that are not left out.
    fn landed_by(&self, work: &Work, case: &Case) -> Option<jiff::Timestamp> {
        let strays = case.strays.iter().filter(|stray| !work.aside.contains_key(&stray.delivery.target));
        strays.map(|stray| self.landed_at(stray.delivery.id, stray.at)).min()
    }

    /// The system that has to be asked for the record before anything is decided; none where what is known will do.
    fn to_ask(&self, work: &Work, case: &Case) -> Result<Option<System>, EngineError> {
        let names: Vec<&SystemName> = match (self.rules_of(case), self.paper_rules(case.kind)) {
            (Some(rules), _) => rules.systems().collect(),
            (None, Some(rules)) => {
                std::iter::once(&rules.source).chain(rules.targets.iter().map(|one| &one.system)).collect()
            }
            (None, None) => {
                self.order_rules(case).into_iter().flat_map(|rules| [&rules.source, &rules.target]).collect()
            }
        };
        // What a late request left behind shows only to who looks.
        let landed = |stray: &&Stray| self.landed_at(stray.delivery.id, stray.at) <= self.now();
        let late = case.strays.iter().find(landed).map(|stray| &stray.delivery.target);
        for name in names.into_iter().filter(|name| !work.aside.contains_key(*name)) {
            let system = self.system(name)?;
            let unread = case.sides.get(&system.uid).is_some_and(|side| side.unread);
            let stray = (self.field_rules(case.kind).is_some() || case.kind.is_paper()) && late == Some(name);
            if (unread || stray) && !work.asked.contains(&system.uid) && case.bound.contains_key(&system.uid) {
                return Ok(Some(system.clone()));
            }
        }
        Ok(None)
    }

    /// Gives a lane back whose figures could not be read.
    pub(super) async fn left_unread(&self, work: Work, name: &SystemName, why: Aside) -> Result<(), EngineError> {
        let given_back = match why {
            Aside::Trouble(error) if self.away().contains_key(name) => self.until_back(&work, name, &error).await,
            Aside::Trouble(error) => self.trouble(work, self.system(name)?, error).await,
            Aside::Held(hold) | Aside::Failed(hold) => self.hold(&work, hold).await,
            Aside::Planned => return Ok(()),
        };
        match given_back {
            Ok(_) | Err(EngineError::Store(StoreError::Stale)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives a lane back that can do nothing without `name`, which is away in this pass because of `error`.
    pub(super) async fn until_back(&self, work: &Work, name: &SystemName, error: &Error) -> Result<Moved, EngineError> {
        let at = after(self.now(), self.patience(work, name, error));
        self.give_back(work, LaneState::Later(at, format!("{name}: {}", error.message)), None, None).await
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
        (leaves, basis): (Leaves, Option<Basis>),
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
            elements: match (&plan.step, there) {
                _ if plan.kind == Kind::Customer => {
                    self.with_list(case, target, &leaves, elements_of(&plan.step, there, &leaves))
                }
                _ if plan.kind == Kind::Product => families::elements(case, target, &leaves),
                _ if plan.kind.is_paper() => self.elements_of_paper(case).await?,
                _ if plan.kind.of_catalogue() => elements(case, target, &leaves),
                (Step::Amend, Some(bound)) => {
                    let asked = self.asked_before(case, target).await?;
                    bound.elements.clone().into_iter().chain(asked).collect()
                }
                _ => elements_of(&plan.step, there, &leaves),
            },
            leaves,
            adopt_only: plan.adopt_only,
        };
        let plan = CommitPlan {
            lane: case.entity,
            epoch: work.claimed.epoch,
            revisions: case.revisions(),
            target: target.name.clone(),
            guard,
            change,
            reason: plan.reason.clone(),
            basis,
            now: self.now(),
        };
        match self.store.commit_plan(plan).await {
            Ok(_) => Ok(Moved::Again(work)),
            Err(StoreError::Circles(times)) => self.circles(work, times, target).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The addresses that the document of `order` was to be sent to by amendments that did not come to their end, which is what the
    /// document itself shows: papers that go there already were not sent there by somebody else.
    async fn asked_before(&self, order: &Case, target: &System) -> Result<BTreeMap<Path, String>, EngineError> {
        let shown = order.sides.get(&target.uid).map(|side| addresses(&side.seen)).unwrap_or_default();
        let mut asked = BTreeMap::new();
        for delivery in self.store.story(order.entity).await?.deliveries {
            for key in addresses(&delivery.change.leaves).into_iter().filter(|_| delivery.change.step == Step::Amend) {
                if shown.contains(&key) {
                    asked.clear();
                } else {
                    asked.insert(Path::element(ASKED, &key), key);
                }
            }
        }
        Ok(asked)
    }

    /// Holds what was planned so many times in a row for `target`; it is looked at again after a while.
    async fn circles(&self, mut work: Work, times: usize, target: &System) -> Result<Moved, EngineError> {
        work.again_at = Some(after(self.now(), HELD_PAUSE_S));
        let what = format!("the same write to {} was asked for {times} times in a row and does not stay", target.name);
        let remedy =
            "`syncline explain` shows what repeats: mend that in its system; it is tried again every ten minutes";
        self.hold_for(work, target, Hold::new("SYN-0118", what, remedy)).await
    }

    /// The source system of a record and its id there.
    fn origin(&self, case: &Case) -> Result<Option<(System, RemoteId)>, EngineError> {
        let named = match case.kind {
            Kind::Stock => self.flows.inventory.as_ref().map(|rules| &rules.source),
            kind if kind.is_paper() => self.teller_of(case).map(|system| &system.name),
            _ => match self.rules_of(case) {
                Some(rules) => Some(&rules.source),
                None => self.order_rules(case).map(|rules| &rules.source),
            },
        };
        let Some(name) = named else { return Ok(None) };
        let source = self.system(name)?;
        Ok(case.bound.get(&source.uid).map(|bound| (source.clone(), bound.id.clone())))
    }

    /// Asks the shop for the customer's own page before it is created; a customer deleted meanwhile is what its orders tell.
    async fn fetch_customer(&self, mut work: Work, case: &Case) -> Result<Moved, EngineError> {
        let Some((source, id)) = self.origin(case)? else { return Ok(Moved::Again(work)) };
        work.asked.insert(source.uid.clone());
        if is_guest(&id) {
            return Ok(Moved::Again(work));
        }
        match self.read_one(&source, Kind::Customer, &id).await {
            Ok(Some(snapshot)) => {
                self.take_in(&source, (snapshot, case.journal)).await?;
                Ok(Moved::Again(work))
            }
            Ok(None) => Ok(Moved::Again(work)),
            Err(error) => self.trouble(work, &source, error).await,
        }
    }

    /// Reads a record anew in `source` that could not be read before, or is about to be written.
    pub(super) async fn read_anew(&self, mut work: Work, case: &Case, source: &System) -> Result<Moved, EngineError> {
        work.asked.insert(source.uid.clone());
        let Some(id) = case.bound.get(&source.uid).map(|bound| bound.id.clone()) else { return Ok(Moved::Again(work)) };
        let snapshot = match self.read_one(source, case.kind, &id).await {
            Ok(Some(snapshot)) => Ok(snapshot),
            Ok(None) if self.field_rules(case.kind).is_some() => {
                return match self.note_gone(source, case.kind, &id).await? {
                    Missed::Doubted(hold) => self.hold_for(work, source, hold).await,
                    _ => Ok(Moved::Again(work)),
                };
            }
            Ok(None) => {
                Err(Error::new(ErrorKind::Gone, format!("{} {id} is not in {} any more", case.kind, source.name)))
            }
            Err(error) => Err(error),
        };
        match snapshot {
            Ok(snapshot) if self.field_rules(case.kind).is_some() => {
                self.take_in(source, (snapshot, case.journal)).await?;
                Ok(Moved::Again(work))
            }
            Ok(snapshot) => {
                self.take_in_news(source, case.kind, (snapshot, case.journal)).await?;
                Ok(Moved::Again(work))
            }
            Err(error) if error.kind.next() == Next::Inbox && !self.is_one_of_several(case.kind, &source.name) => {
                let evidence = pack(error.evidence.as_deref());
                let entry = Entry::new("refused", source.name.as_str(), error.kind.code());
                self.give_back(&work, LaneState::Failed(poll::unreadable(&error)), Some(entry), evidence).await
            }
            Err(error) => self.trouble(work, source, error).await,
        }
    }
}

/// Whether what mends it starts nothing by itself: a paper is mended in its order, and of goods that are put back no feed
/// tells.
fn is_mended_elsewhere(case: &Case, hold: &Hold) -> bool {
    case.kind.is_paper() || LOOKED_AT.contains(&hold.code.as_str())
}

/// The addresses that an order with `leaves` names.
fn addresses(leaves: &Leaves) -> Vec<String> {
    let named = leaves.iter().filter_map(|(_, value)| match value {
        Some(Value::Ref(reference)) => Some(reference.element.as_ref()?.within("addresses")?.0),
        _ => None,
    });
    named.collect()
}

/// What the target calls the elements that an update of `leaves` names.
fn elements_of(step: &Step, there: Option<&BoundTo>, leaves: &Leaves) -> BTreeMap<Path, String> {
    let Some(bound) = there.filter(|_| *step == Step::Update) else { return BTreeMap::new() };
    let named = |path: &&Path| leaves.get(path) != Leaf::Untold;
    let all = bound.elements.iter().filter(|(path, _)| named(path));
    all.map(|(path, remote)| (path.clone(), remote.clone())).collect()
}

/// A hold where a field is to be written once more that showed something else after the last time.
fn never_kept(unkept: &Leaves, leaves: &Leaves, target: &System) -> Option<Hold> {
    let (path, wish) =
        leaves.iter().find(|(path, wish)| unkept.get(path) != Leaf::Untold && unkept.value(path) == *wish)?;
    let wish = wish.map_or("nothing".to_string(), ToString::to_string);
    let what = format!("`{path}` was set to `{wish}` and {} shows something else", target.name);
    Some(Hold::new("SYN-0115", what, "find out what changes it back in that system, then `syncline retry`"))
}
