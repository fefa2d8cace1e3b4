//! Ends deliveries: bindings, bases, read-back, and the second drafts that may be left behind.

use super::{Moved, Swept, Work, pack};
use crate::customers::{bases_of_person, of_guest};
use crate::poll;
use crate::run::Engine;
use crate::shared::bases_of_write;
use crate::system::{EngineError, System};
use jiff::Timestamp;
use syncline_connect::{Lookup, Snapshot};
use syncline_core::delivery::{Change, Delivery, after};
use syncline_core::id::RemoteId;
use syncline_core::journal::Entry;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::Hold;
use syncline_core::profile::Guard;
use syncline_core::record::Record;
use syncline_store::{Base, Case, CommitPlan, CommitmentState, Ending, Settle, StoreError, Stray, Told};

impl Engine {
    /// Settles a delivery whose document is `snapshot`.
    #[expect(clippy::too_many_arguments, reason = "the settled write is described by exactly these")]
    pub(super) async fn done(
        &self,
        mut work: Work,
        case: &Case,
        delivery: &Delivery,
        system: &System,
        snapshot: Snapshot,
        doubtful: bool,
        how: &str,
    ) -> Result<Moved, EngineError> {
        if delivery.change.step == Step::Delete {
            let detail = format!("second draft {} is gone", snapshot.id);
            let entry = Entry::new("deleted", system.name.as_str(), detail);
            self.end(&work, delivery, system, Ending::Superseded, entry).await?;
            return Ok(Moved::Again(work));
        }
        let elements = system.connector.pair(&delivery.change, &snapshot);
        let evidence = pack(snapshot.evidence.as_ref());
        let mut records = snapshot.records.into_iter();
        let Some((_, record)) = records.next() else {
            return Err(EngineError::Setup(format!("SYN-0903: {} told nothing of what it made", system.name)));
        };
        self.take_in_beside(case, system, &record, records).await?;
        let commitments = self.reserved_by(&record, system);
        let leaves = record.to_leaves();
        let named = poll::row(snapshot.id.clone(), &record, snapshot.version.clone(), Told::Asked);
        let unkept = unkept(&delivery.change, &self.shown_after(case, system, &leaves, &elements));
        let shared = self.field_rules(delivery.change.kind).is_some();
        let agreed = self.agreed(case, delivery, system, &leaves);
        let ending = Ending::Done { id: snapshot.id.clone(), leaves, version: snapshot.version.clone(), elements };
        let detail = format!("{} {}: {} {how}", delivery.change.kind, delivery.change.step, snapshot.id);
        let entry = Entry::new("done", system.name.as_str(), detail);
        let settle = Settle {
            delivery: delivery.id,
            lane: work.claimed.entity,
            epoch: work.claimed.epoch,
            system: system.uid.clone(),
            ending,
            commitments,
            strays_at: self.look_again_at(delivery, system),
            agreed,
            entry,
            evidence: if doubtful { evidence } else { None },
            now: self.now(),
        };
        work.progressed = true;
        self.accepted_us(&system.name);
        match self.store.settle(settle).await {
            Ok(()) => self.after_write(case, &delivery.change, system, named).await?,
            Err(StoreError::Taken(other)) => {
                let what = format!("document {} in {} is bound to record {other} already", snapshot.id, system.name);
                let hold = Hold::new("SYN-0302", what, "see `syncline explain` for both records; one of them is wrong");
                return self.hold(&work, hold).await;
            }
            Err(error) => return Err(error.into()),
        }
        match unkept {
            // Somebody may have changed it between our write and our look: it is decided once more.
            Some(_) if shared => {
                work.unkept = work.unkept.overlaid(&delivery.change.leaves);
                Ok(Moved::Again(work))
            }
            Some(hold) => self.hold(&work, hold).await,
            None => Ok(Moved::Again(work)),
        }
    }

    /// How far `system` has come with what an order takes from stock, by the read-back: told in the same transaction as the
    /// reservation itself, so that nothing is counted twice for long.
    fn reserved_by(&self, record: &Record, system: &System) -> Option<CommitmentState> {
        match record {
            Record::Order(order) if self.has_reserved(order.stage.as_deref(), system) => {
                Some(CommitmentState::Reserved)
            }
            _ => None,
        }
    }

    /// Takes in the customers and addresses of an order that a shop tells of otherwise than before: what it shows is settled
    /// with the write, and no feed brings that as news any more.
    async fn take_in_beside(
        &self,
        case: &Case,
        system: &System,
        record: &Record,
        beside: impl Iterator<Item = (RemoteId, Record)>,
    ) -> Result<(), EngineError> {
        let (Record::Order(_), Some(side)) = (record, case.sides.get(&system.uid)) else { return Ok(()) };
        if self.fulfils(system) {
            return Ok(());
        }
        let (shown, seen) = (record.to_leaves(), &side.seen);
        let moved = |field: &&'static str| shown.value(&Path::field(field)) != seen.value(&Path::field(field));
        if !["customer", "billing", "shipping"].iter().any(moved) {
            return Ok(());
        }
        let records = beside.map(|(id, record)| poll::row(id, &record, None, Told::InPassing)).collect();
        self.accept(system, records).await.map(drop)
    }

    /// What both sides agree on from now on: the document with what it was made of, or the fields that were written.
    fn agreed(&self, case: &Case, delivery: &Delivery, system: &System, shown: &Leaves) -> Vec<Base> {
        let kind = delivery.change.kind;
        if kind.is_paper() {
            return self.bases_of_paper(case, system, delivery);
        }
        if let (true, Some(basis)) = (self.makes_shared(&delivery.change), &case.basis) {
            let shown = self.shown_after(case, system, shown, &[]);
            return self.bases_of_create(system, &delivery.change, basis, &shown);
        }
        let rules = self.order_rules(case);
        let source = rules.and_then(|rules| self.systems.get(&rules.source));
        let registered = source.filter(|shop| kind == Kind::Customer && !of_guest(case, shop));
        if let Some(shop) = registered.filter(|_| delivery.change.step.creates()) {
            return bases_of_person(shop, system, &delivery.change.leaves);
        }
        if self.field_rules(kind).is_some() && delivery.change.step == Step::Update {
            // What was written, not what was read back: an edit that slipped in between is a change.
            return bases_of_write(system, &delivery.change.leaves, case.basis.as_ref(), &delivery.change.leaves);
        }
        let target = rules.and_then(|rules| self.systems.get(&rules.target));
        let (Some(source), Some(target)) = (source, target) else { return Vec::new() };
        if kind == Kind::Stock {
            return Vec::new();
        }
        let peer = if system.uid == source.uid { target } else { source };
        let base = |system: &System, peer: &System, leaves: &Leaves| Base {
            system: system.uid.clone(),
            peer: peer.uid.clone(),
            leaves: leaves.clone(),
            over: false,
        };
        let before = case.sides.get(&source.uid).map(|side| side.base(&target.uid)).unwrap_or_default();
        if kind == Kind::Order && system.uid == source.uid && !before.is_empty() {
            // What people changed there before the number was written is still to be carried over.
            return vec![base(system, peer, &before.overlaid(&delivery.change.leaves))];
        }
        let mut bases = vec![base(system, peer, shown)];
        if let (Step::Amend, Some(basis)) = (&delivery.change.step, &case.basis) {
            // What has got there; what is still under way is still a change.
            let mut there = basis.leaves.clone();
            there.retain(|path| shown.get(path).says(&delivery.change.leaves.get(path)));
            bases.push(base(source, system, &before.overlaid(&there)));
        }
        if delivery.change.step == Step::Create
            && system.uid != source.uid
            && let Some(side) = case.sides.get(&source.uid)
        {
            bases.push(base(source, system, &as_made(&side.seen)));
        }
        bases
    }

    /// Ends a delivery whose fate was in doubt; what overwrites figures is looked at once more when it can no longer land.
    pub(super) async fn end_and_look_again(
        &self,
        work: &Work,
        delivery: &Delivery,
        system: &System,
        entry: Entry,
        agreed: Vec<Base>,
    ) -> Result<(), EngineError> {
        let strays_at = self.look_again_at(delivery, system);
        let settle = self.settlement(work, delivery, system, Ending::Superseded, entry);
        Ok(self.store.settle(Settle { strays_at, agreed, ..settle }).await?)
    }

    /// Ends a delivery that made nothing.
    pub(super) async fn end(
        &self,
        work: &Work,
        delivery: &Delivery,
        system: &System,
        ending: Ending,
        entry: Entry,
    ) -> Result<(), EngineError> {
        // An earlier attempt of it may land all the same.
        let earlier = delivery.doubtful && !delivery.progress.is_over();
        let strays_at = earlier.then(|| self.look_again_at(delivery, system)).flatten();
        let settle = self.settlement(work, delivery, system, ending, entry);
        Ok(self.store.settle(Settle { strays_at, ..settle }).await?)
    }

    pub(super) fn settlement(
        &self,
        work: &Work,
        delivery: &Delivery,
        system: &System,
        ending: Ending,
        entry: Entry,
    ) -> Settle {
        Settle {
            delivery: delivery.id,
            lane: work.claimed.entity,
            epoch: work.claimed.epoch,
            system: system.uid.clone(),
            ending,
            commitments: None,
            strays_at: None,
            agreed: Vec::new(),
            entry,
            evidence: None,
            now: self.now(),
        }
    }

    /// When the target has to be looked at once more, because a request may still land that nobody would notice: a
    /// second draft, or an older figure over a newer one. None where nothing of the kind is possible.
    ///
    /// A write that was answered well may have been repeated by a proxy, and an earlier attempt, noted by a worker that
    /// was held up, may still leave until its own deadline.
    pub(super) fn look_again_at(&self, delivery: &Delivery, system: &System) -> Option<Timestamp> {
        let settle_s = match (&delivery.guard, &delivery.change.step) {
            (Guard::DraftElect { settle_s, .. }, Step::Create) => *settle_s,
            // One that lands again sets the first fields once more.
            (Guard::Look { settle_s, .. }, Step::Create) if self.makes_shared(&delivery.change) => *settle_s,
            (_, Step::Update) => system.kind(delivery.change.kind).settle_s?,
            _ => return None,
        };
        self.may_land(delivery.id, settle_s);
        Some(after(after(self.now(), self.settings.leave_s), settle_s))
    }

    /// Looks for second drafts of creates whose fate was once in doubt, and removes them.
    pub(super) async fn sweep_strays(&self, work: &Work, case: &Case) -> Result<Option<Swept>, EngineError> {
        let landed = |stray: &&Stray| self.landed_at(stray.delivery.id, stray.at) <= self.now();
        let due = |stray: &&Stray| landed(stray) && !work.aside.contains_key(&stray.delivery.target);
        let Some(stray) = case.strays.iter().find(due) else { return Ok(None) };
        let delivery = &stray.delivery;
        let system = self.system(&delivery.target)?.clone();
        if delivery.change.step != Step::Create || self.makes_shared(&delivery.change) {
            // The figures were read when the lane was taken up.
            let entry = Entry::new("looked again", system.name.as_str(), "nothing can land any more");
            let agreed = self.landed_again(case, stray)?;
            let settle = self.settlement(work, delivery, &system, Ending::Superseded, entry);
            self.store.settle(Settle { agreed, ..settle }).await?;
            return Ok(Some(Swept::Again));
        }
        let by = Lookup::Mark(delivery.change.mark.clone());
        let found = match system.connector.find(&system.ctx, delivery.change.kind, &by).await {
            Ok(found) => found,
            Err(error) => return Ok(Some(Swept::Trouble(Box::new(system), error))),
        };
        let ours = case.bound.get(&system.uid).map(|bound| &bound.id);
        let stray = found.into_iter().find(|snapshot| Some(&snapshot.id) != ours);
        match stray {
            None => {
                let entry = Entry::new("swept", system.name.as_str(), "no second draft is there");
                self.end(work, delivery, &system, Ending::Superseded, entry).await?;
            }
            Some(stray) => {
                let change = Change {
                    kind: delivery.change.kind,
                    step: Step::Delete,
                    mark: delivery.change.mark.clone(),
                    document: Some(stray.id),
                    expect: stray.version,
                    leaves: Leaves::new(),
                    elements: std::collections::BTreeMap::new(),
                    adopt_only: false,
                };
                self.store
                    .commit_plan(CommitPlan {
                        lane: case.entity,
                        epoch: work.claimed.epoch,
                        revisions: std::collections::BTreeMap::new(),
                        target: system.name.clone(),
                        guard: Guard::None,
                        change,
                        basis: None,
                        reason: "a second draft of one order, left by a request that landed late".to_string(),
                        now: self.now(),
                    })
                    .await?;
            }
        }
        Ok(Some(Swept::Again))
    }
}

/// What an order was like when its document was asked for: in force, with all that was ordered. It may have been withdrawn
/// while that was in doubt, and what was cancelled of it before stands on the document, too.
fn as_made(seen: &Leaves) -> Leaves {
    let life = Path::field("life");
    let mut made = seen.clone();
    made.retain(|path| path.within("lines").is_none_or(|(_, field)| field != "cancelled"));
    if matches!(seen.value(&life), Some(Value::Code(word)) if word == "cancelled" || word == "closed") {
        made.put(life, Value::Code("open".to_string()));
    }
    made
}

/// A hold where an update was answered well and the target shows something else all the same.
fn unkept(change: &Change, shown: &Leaves) -> Option<Hold> {
    // Figures move between our write and the look at it; the next plan sees to that.
    if change.step != Step::Update || change.kind == Kind::Stock {
        return None;
    }
    let (path, wish): (&Path, _) = change.leaves.iter().find(|(path, _)| !is_there(shown, &change.leaves, path))?;
    let show = |value: Option<&Value>| value.map_or("nothing".to_string(), ToString::to_string);
    let what = format!("`{path}` was set to `{}` and shows `{}`", show(wish), show(shown.value(path)));
    Some(Hold::new("SYN-0115", what, "find out what changes it back in that system, then `syncline retry`"))
}

/// Whether `shown` has what `wish` says at `path`; what it does not tell counts as nothing.
fn is_there(shown: &Leaves, wish: &Leaves, path: &Path) -> bool {
    match (shown.value(path), wish.value(path)) {
        (Some(shown), Some(wish)) => shown.says(wish),
        (shown, wish) => shown == wish,
    }
}
