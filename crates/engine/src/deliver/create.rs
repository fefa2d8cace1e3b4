//! Variants, families and categories made in a system that lacks them: whose one of that name is, and what follows once
//! ours is there.

use super::{Moved, Work};
use crate::run::Engine;
use crate::system::{EngineError, System};
use syncline_connect::{Lookup, Snapshot};
use syncline_core::delivery::{Change, Delivery};
use syncline_core::id::RemoteId;
use syncline_core::journal::Entry;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::{self, Planned};
use syncline_core::policy::Hold;
use syncline_core::record::{Category, Composition, FAMILY, Paper};
use syncline_store::{Base, Basis, Case, Ending, Incoming, LaneFilter, Retry};

impl Engine {
    /// Whether `change` makes a record of the catalogue, which systems share.
    pub(super) fn makes_shared(&self, change: &Change) -> bool {
        change.step == Step::Create && change.kind.of_catalogue() && self.field_rules(change.kind).is_some()
    }

    /// Whether `snapshot` is what this delivery made: a request of ours may have landed, and it shows all that was sent.
    /// A product that was there before, or that people have changed since, is nobody's to take unasked.
    pub(super) fn is_ours(&self, case: &Case, delivery: &Delivery, system: &System, snapshot: &Snapshot) -> bool {
        let told = snapshot.records.first().map(|(_, record)| record.to_leaves()).unwrap_or_default();
        let shown = self.shown_after(case, system, &told, &[]);
        // That it is a bundle is no word both share.
        let shows = |path: &Path| if *path == Composition::told_at() { told.value(path) } else { shown.value(path) };
        let sent = &delivery.change.leaves;
        !self.makes_shared(&delivery.change)
            || (delivery.doubtful
                && sent.iter().filter(|(path, _)| path.as_str() != FAMILY).all(|(path, value)| shows(path) == value))
    }

    /// Leaves alone what has the name of what we make and is not ours.
    pub(super) async fn leave_alone(
        &self,
        work: Work,
        delivery: &Delivery,
        system: &System,
    ) -> Result<Moved, EngineError> {
        let change = &delivery.change;
        let (code, called, remedy) = match change.kind {
            Kind::Category => {
                let name = named(&change.leaves).unwrap_or_default();
                let remedy = "if it is the same, `syncline adopt categories` ties the two; else rename one of them";
                ("SYN-0153", format!("a category `{name}` in that place"), remedy)
            }
            _ => {
                let sku = sku(&change.leaves).unwrap_or_default();
                let remedy =
                    "if it is the same product, `syncline adopt` ties the two; else give one of them another SKU";
                ("SYN-0142", format!("a product `{sku}`"), remedy)
            }
        };
        let entry = Entry::new("not ours", system.name.as_str(), format!("there is {called}"));
        self.end(&work, delivery, system, Ending::Superseded, entry).await?;
        let what = format!("{} has {called} already, which was not made by Syncline", system.name);
        self.hold_for(work, system, Hold::new(code, what, remedy)).await
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
        if plan.kind != Kind::Category {
            all.put(Path::field("active"), Value::Bool(true));
        }
        all
    }

    /// What the shop showed of the fields that `plan` amends, in its own words.
    pub(super) fn basis_of_amendment(&self, case: &Case, plan: &Planned) -> Option<Basis> {
        let shop = self.systems.get(&self.order_rules(case)?.source)?;
        let seen = &case.sides.get(&shop.uid)?.seen;
        let leaves = plan.leaves.iter().map(|(path, _)| (path.clone(), seen.value(path).cloned())).collect();
        Some(Basis { peer: shop.uid.clone(), leaves })
    }

    /// Takes up what waited for what `change` of `case` has brought about; `named` is what shows now.
    pub(super) async fn after_write(
        &self,
        case: &Case,
        change: &Change,
        system: &System,
        named: Incoming,
    ) -> Result<(), EngineError> {
        match change.kind {
            Kind::Shipment => return self.owed_no_more(case).await,
            Kind::Credit => return self.wake_order(case).await,
            _ => {}
        }
        if !self.makes_shared(change) {
            return self.after_update(case, change).await;
        }
        self.name_wholly(system, named).await?;
        self.after_create(change).await
    }

    /// Notes every name by which `system` calls what was just made: families refer to their variants by another one.
    async fn name_wholly(&self, system: &System, named: Incoming) -> Result<(), EngineError> {
        self.accept(system, vec![named]).await.map(drop)
    }

    /// Takes up the families that are held for want of what was just written of their variant `case`.
    async fn after_update(&self, case: &Case, change: &Change) -> Result<(), EngineError> {
        let of_attributes = change.leaves.iter().any(|(path, _)| path.as_str().starts_with("attributes."));
        if case.kind != Kind::Variant || !of_attributes {
            return Ok(());
        }
        let filter = LaneFilter { kind: Some(Kind::Product), states: vec!["held"], ..LaneFilter::default() };
        let named = format!("`{}`", case.label);
        for lane in self.store.lanes(filter).await? {
            if lane.why.is_some_and(|why| why.code == "SYN-0158" && why.what.contains(&named)) {
                self.store.retry(Retry::One { entity: lane.entity, rebase: false }, self.now()).await?;
            }
        }
        Ok(())
    }

    /// Takes up what waited for a variant that was just made: its stock and prices, and orders held for want of it.
    async fn after_create(&self, change: &Change) -> Result<(), EngineError> {
        self.attend_satellites().await?;
        let Some(sku) = sku(&change.leaves).filter(|_| change.kind == Kind::Variant) else { return Ok(()) };
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

/// How a document that a delivery may have made is found: by our mark, a variant or a family by its SKU and a category by its name
/// and place, for they have no place for marks.
pub(super) fn lookup(change: &Change) -> Lookup {
    match (change.kind, sku(&change.leaves)) {
        (Kind::Variant | Kind::Product, Some(sku)) => Lookup::Number(sku),
        (Kind::Category, _) => {
            let parent = change.elements.get(&Category::parent_path()).map(|id| RemoteId::new("", id));
            Lookup::Below { parent, name: named(&change.leaves).unwrap_or_default() }
        }
        (kind, _) if kind.is_paper() => {
            let order = change.elements.get(&Paper::order_path()).map(|id| RemoteId::new("", id));
            Lookup::Paper { order: order.unwrap_or_else(|| RemoteId::new("", "")), mark: change.mark.clone() }
        }
        _ => Lookup::Mark(change.mark.clone()),
    }
}

/// The name that a category is made with.
fn named(leaves: &Leaves) -> Option<String> {
    let names = leaves.iter().filter(|(path, _)| path.is_named_by("texts.*.name"));
    names.filter_map(|(_, value)| value.map(ToString::to_string)).next()
}

fn sku(leaves: &Leaves) -> Option<String> {
    match ["sku", "key"].into_iter().find_map(|name| leaves.value(&Path::field(name)))? {
        Value::Text(sku) => Some(sku.clone()),
        _ => None,
    }
}
