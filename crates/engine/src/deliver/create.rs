//! Variants made in a system that lacks them: whose a product of that SKU is, and what follows once ours is there.

use super::{Moved, Work};
use crate::run::Engine;
use crate::system::{EngineError, System};
use syncline_connect::{Lookup, Snapshot};
use syncline_core::delivery::{Change, Delivery};
use syncline_core::journal::Entry;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::{self, Planned};
use syncline_core::policy::Hold;
use syncline_store::{Base, Basis, Ending, LaneFilter, Retry};

impl Engine {
    /// Whether `change` makes a variant that systems share.
    pub(super) fn makes_shared(&self, change: &Change) -> bool {
        change.step == Step::Create && change.kind == Kind::Variant && self.field_rules(change.kind).is_some()
    }

    /// Whether `snapshot` is what this delivery made: a request of ours may have landed, and it shows all that was sent.
    /// A product that was there before, or that people have changed since, is nobody's to take unasked.
    pub(super) fn is_ours(&self, delivery: &Delivery, snapshot: &Snapshot) -> bool {
        let shown = snapshot.records.first().map(|(_, record)| record.to_leaves()).unwrap_or_default();
        let sent = &delivery.change.leaves;
        !self.makes_shared(&delivery.change)
            || (delivery.doubtful && sent.iter().all(|(path, value)| shown.value(path) == value))
    }

    /// Leaves a product alone that has our SKU and is not ours.
    pub(super) async fn leave_alone(
        &self,
        work: Work,
        delivery: &Delivery,
        system: &System,
    ) -> Result<Moved, EngineError> {
        let sku = sku(&delivery.change.leaves).unwrap_or_default();
        let entry = Entry::new("not ours", system.name.as_str(), "a product of that SKU is there");
        self.end(&work, delivery, system, Ending::Superseded, entry).await?;
        let what = format!("{} has a product `{sku}` already, which was not made by Syncline", system.name);
        let remedy = "if it is the same product, `syncline adopt` ties the two; else give one of them another SKU";
        self.hold_for(work, system, Hold::new("SYN-0142", what, remedy)).await
    }

    /// What both sides agree on once `change` was made and shows `shown`.
    pub(super) fn bases_of_create(&self, system: &System, change: &Change, basis: &Basis, shown: &Leaves) -> Vec<Base> {
        let (here, there) = planner::agreed_by_create(&change.leaves, &basis.leaves, shown);
        Base::laid_over((&system.uid, here), (&basis.peer, there))
    }

    /// The fields a step is founded on: those it sets; for a variant that is made, all that flow and `active`, which waits.
    pub(super) fn founded_on(&self, plan: &Planned, part: &Leaves) -> Leaves {
        if plan.step != Step::Create {
            return part.clone();
        }
        let mut all = plan.leaves.clone();
        all.put(Path::field("active"), Value::Bool(true));
        all
    }

    /// Takes up what waited for a variant that was just made: its stock and prices, and orders held for want of it.
    pub(super) async fn after_create(&self, change: &Change) -> Result<(), EngineError> {
        self.attend_satellites().await?;
        let Some(sku) = sku(&change.leaves) else { return Ok(()) };
        let filter = LaneFilter { kind: Some(Kind::Order), states: vec!["held"], ..LaneFilter::default() };
        let named = format!("`{sku}`");
        for lane in self.store.lanes(filter).await? {
            if lane.why.is_some_and(|why| why.code == "SYN-0104" && why.what.contains(&named)) {
                self.store.retry(Retry::One { entity: lane.entity, rebase: false }, self.now()).await?;
            }
        }
        Ok(())
    }
}

/// How a document that a delivery may have made is found: by our mark, a variant by its SKU, for it has no place for marks.
pub(super) fn lookup(change: &Change) -> Lookup {
    match (change.kind, sku(&change.leaves)) {
        (Kind::Variant, Some(sku)) => Lookup::Number(sku),
        _ => Lookup::Mark(change.mark.clone()),
    }
}

fn sku(leaves: &Leaves) -> Option<String> {
    match leaves.value(&Path::field("sku"))? {
        Value::Text(sku) => Some(sku.clone()),
        _ => None,
    }
}
