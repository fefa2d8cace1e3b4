//! Planted bugs of the store: what it forgets, mixes up or takes for granted.

use super::FORGETS_FIRST;
use crate::ring2::boot::{ERP, SHOP};
use crate::ring2::prices::LIST;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use syncline_core::delivery::Noted;
use syncline_core::id::{DeliveryId, EntityId, Epoch, Mark, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaf, Value};
use syncline_core::path::Path;
use syncline_core::record::{Customer, Price};
use syncline_store::{
    Base, Case, Claim, Claimed, CommitPlan, Doubt, Ending, Fut, Hinted, Release, Sending, Settle, Store, StoreError,
};

/// A store with a bug.
#[derive(Debug)]
pub struct BadStore {
    pub store: Arc<dyn Store>,
    pub plant: &'static str,
    pub epochs: Mutex<BTreeMap<EntityId, Epoch>>,
}

impl BadStore {
    /// The lane's newest epoch instead of the one asked for, where the bug is `ignore-epoch`.
    fn epoch(&self, lane: EntityId, asked: Epoch) -> Epoch {
        let epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        if self.plant == "ignore-epoch" { epochs.get(&lane).copied().unwrap_or(asked) } else { asked }
    }
}

impl Store for BadStore {
    fn beneath(&self) -> &dyn Store {
        self.store.as_ref()
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

    fn hints(&self, except: Vec<SystemUid>, limit: usize) -> Fut<'_, Vec<Hinted>> {
        Box::pin(async move {
            let hints = self.store.hints(except, limit).await?;
            if self.plant == FORGETS_FIRST {
                self.store.heeded(hints.clone()).await?;
            }
            Ok(hints)
        })
    }

    fn commit_plan(&self, mut plan: CommitPlan) -> Fut<'_, DeliveryId> {
        plan.epoch = self.epoch(plan.lane, plan.epoch);
        if self.plant == "mark-from-name"
            && let Some(Value::Text(number)) = plan.change.leaves.value(&Path::field("reference"))
        {
            let hash = blake3::hash(number.as_bytes()).to_hex().to_uppercase();
            let letters: String = hash.chars().map(|c| if c == '1' { 'L' } else { c }).take(16).collect();
            plan.change.mark = Mark::new(format!("SL{letters}"));
        }
        self.store.commit_plan(plan)
    }

    fn note_sending(&self, mut notes: Vec<Sending>) -> Fut<'_, Vec<Result<Noted, StoreError>>> {
        if self.plant == "skip-intent" {
            return Box::pin(async move {
                let proof = |note: &Sending| Ok(Noted::committed(note.delivery, note.epoch, 1, note.deadline));
                Ok(notes.iter().map(proof).collect())
            });
        }
        for note in &mut notes {
            note.epoch = self.epoch(note.lane, note.epoch);
        }
        self.store.note_sending(notes)
    }

    fn doubt(&self, mut doubt: Doubt) -> Fut<'_, ()> {
        doubt.epoch = self.epoch(doubt.lane, doubt.epoch);
        self.store.doubt(doubt)
    }

    fn load(&self, entity: EntityId) -> Fut<'_, Case> {
        Box::pin(async move {
            let mut case = self.store.load(entity).await?;
            match self.plant {
                "forget-orders" => case.commitments.clear(),
                "one-base" => one_base(&mut case),
                "untold-as-empty" => untold_as_empty(&mut case),
                "resurrect" => resurrect(&mut case),
                "forget-undo" => forget_undo(&mut case),
                "rewrite-papers" => rewrite_papers(&mut case),
                _ => {}
            }
            Ok(case)
        })
    }

    fn settle(&self, mut settle: Settle) -> Fut<'_, ()> {
        if self.plant == "stale-basis" {
            return Box::pin(async move {
                let case = self.store.load(settle.lane).await?;
                settle
                    .agreed
                    .iter_mut()
                    .filter(|base| base.system != settle.system)
                    .for_each(|base| latest(base, &case));
                self.store.settle(settle).await
            });
        }
        let of_stock = match &settle.ending {
            Ending::Done { leaves, .. } => !leaves.keys_of("levels").is_empty(),
            _ => true,
        };
        if self.plant == "look-once" && of_stock {
            settle.strays_at = None;
        }
        settle.epoch = self.epoch(settle.lane, settle.epoch);
        self.store.settle(settle)
    }

    fn release(&self, mut release: Release) -> Fut<'_, ()> {
        release.epoch = self.epoch(release.lane, release.epoch);
        self.store.release(release)
    }
}

/// One base for both sides of a pair: what the ERP showed when both agreed counts as what the shop showed.
fn one_base(case: &mut Case) {
    let (erp, shop) = (SystemUid::new(ERP), SystemUid::new(SHOP));
    let Some(base) = case.sides.get(&erp).map(|side| side.base(&shop)) else { return };
    if let Some(side) = case.sides.get_mut(&shop) {
        side.bases.insert(erp, base);
    }
}

/// A price list the ERP does not tell counts as one without a price.
fn untold_as_empty(case: &mut Case) {
    if let (Kind::Price, Some(side)) = (case.kind, case.sides.get_mut(&SystemUid::new(ERP))) {
        side.seen.put(Price::list_path(LIST), Value::Bool(true));
    }
}

/// What the other side shows by now counts as agreed, not what the write was planned on.
fn latest(base: &mut Base, case: &Case) {
    let Some(side) = case.sides.get(&base.system) else { return };
    let paths: Vec<Path> = base.leaves.iter().map(|(path, _)| path.clone()).collect();
    for path in paths {
        match side.seen.get(&path) {
            Leaf::Untold => {}
            shown => base.leaves.set(path, shown),
        }
    }
}

/// What is gone from a system counts as never having been there.
fn resurrect(case: &mut Case) {
    for system in std::mem::take(&mut case.gone).into_keys() {
        case.bound.remove(&system);
        case.sides.remove(&system);
        case.sides.values_mut().for_each(|side| drop(side.bases.remove(&system)));
    }
}

/// What was undone is forgotten as soon as it is put back: it counts as an edit of what both had agreed on.
fn forget_undo(case: &mut Case) {
    for ((system, peer), undoings) in &mut case.undone {
        let Some(side) = case.sides.get_mut(system) else { continue };
        let mut base = side.base(peer);
        undoings.retain(|path, undone| {
            let still_there = side.seen.value(path) == undone.wrote.as_ref();
            if !still_there {
                base.tell(path.clone(), undone.wrote.clone());
            }
            still_there
        });
        side.bases.insert(peer.clone(), base);
    }
}

/// An address that an order was placed with counts as the customer's alone, to be changed where it stands.
fn rewrite_papers(case: &mut Case) {
    let (erp, shop) = (SystemUid::new(ERP), SystemUid::new(SHOP));
    let (Kind::Customer, Some(bound)) = (case.kind, case.bound.get_mut(&erp)) else { return };
    let of_book = |path: &&Path| Customer::is_of_book(path);
    let book: BTreeSet<String> =
        bound.elements.iter().filter(|(path, _)| of_book(path)).map(|(_, key)| key.clone()).collect();
    let orders: Vec<Path> = bound
        .elements
        .iter()
        .filter(|(path, key)| !of_book(path) && book.contains(*key))
        .map(|(path, _)| path.clone())
        .collect();
    bound.elements.retain(|path, _| !orders.contains(path));
    if let Some(side) = case.sides.get_mut(&shop) {
        side.seen.retain(|path| !orders.contains(path));
    }
}
