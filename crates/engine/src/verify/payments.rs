//! Payments compared: all that shops took for orders beside what was booked of it in the ERP, and what is still asked for.

use super::told::Told;
use super::{FlowProof, minor_units};
use crate::papers::{OrderOf, in_erp, paper_of};
use crate::reading::read_all;
use crate::run::Engine;
use crate::system::{EngineError, System};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use syncline_connect::Snapshot;
use syncline_core::id::{EntityId, RemoteId};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::planner::parts;
use syncline_core::record::Paper;
use syncline_core::rules::BOOKED_THERE;
use syncline_store::Case;

/// Money that was taken, with what the ERP shows of it.
struct Taken {
    label: String,
    grand: Money,
    /// What the ERP calls it, where it was booked.
    there: Option<RemoteId>,
    /// What it shows of it.
    shown: Option<Paper>,
    /// What we booked.
    written: Leaves,
    /// What it waits for, where it is not done yet.
    open: Option<String>,
}

/// What was taken for one order.
struct Owed {
    erp: System,
    taken: Vec<Taken>,
    /// What the order comes to in the ERP; none where it is not there.
    total: Option<Money>,
    bills: Vec<RemoteId>,
    /// Its invoices as they stand.
    asked: Vec<Paper>,
}

impl Engine {
    /// Every payment of the flow, read on both sides now.
    pub(super) async fn verify_payments(&self) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof::default();
        for shop in self.shops_with_payments()? {
            for order in self.taken(shop, self.told_now(shop, Kind::Payment).await?).await?.into_values() {
                flow.add_of(Kind::Payment, proof(read_now(order).await?));
            }
        }
        Ok(flow)
    }

    /// The same by what both sides showed when they were last read.
    pub(super) async fn stored_payments(&self) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof::default();
        for shop in self.shops_with_payments()? {
            for order in self.taken(shop, self.told_before(shop, Kind::Payment).await?).await?.into_values() {
                flow.add_of(Kind::Payment, proof(order));
            }
        }
        Ok(flow)
    }

    fn shops_with_payments(&self) -> Result<Vec<&System>, EngineError> {
        let feeds = self.paper_feeds().into_iter().filter(|(_, kind)| *kind == Kind::Payment);
        feeds.map(|(name, _)| self.system(name)).collect()
    }

    /// What of `told` is to be booked, order by order.
    async fn taken(&self, shop: &System, told: Told) -> Result<BTreeMap<EntityId, Owed>, EngineError> {
        // What awaits its invoice is not due yet.
        let open = self.lanes_in(Kind::Payment, &["ready", "waiting", "held", "failed", "conflict"]).await?;
        let mut owed: BTreeMap<EntityId, Owed> = BTreeMap::new();
        for (id, paper) in told {
            let case = self.case_of(shop, Kind::Payment, &id).await?;
            let Some(order) = self.order_of_paper(&case).await? else { continue };
            let Some(one) = taken(&case, &order, paper, open.get(&case.entity).cloned()) else { continue };
            let entity = order.case.entity;
            match owed.get_mut(&entity) {
                Some(order) => order.taken.push(one),
                None => drop(owed.insert(entity, Owed { taken: vec![one], ..self.asked_of(&order).await? })),
            }
        }
        Ok(owed)
    }

    async fn asked_of(&self, order: &OrderOf<'_>) -> Result<Owed, EngineError> {
        let erp = &order.erp.uid;
        let (mut bills, mut asked) = (Vec::new(), Vec::new());
        if let Some(document) = order.case.bound.get(erp) {
            for entity in self.store.papers_of(erp.clone(), Kind::Invoice, document.id.clone()).await? {
                let bill = self.store.load(entity).await?;
                bills.extend(bill.bound.get(erp).map(|bound| bound.id.clone()));
                asked.extend(bill.sides.get(erp).and_then(|side| Paper::from_leaves(&side.seen).ok()));
            }
        }
        Ok(Owed { erp: order.erp.clone(), taken: Vec::new(), total: in_erp(order), bills, asked })
    }
}

/// The payment `case` of `order`, as far as it is to be booked; none where it is not.
fn taken(case: &Case, order: &OrderOf<'_>, paper: Option<Paper>, open: Option<String>) -> Option<Taken> {
    let side = case.sides.get(&order.erp.uid);
    let there = case.bound.get(&order.erp.uid).map(|bound| bound.id.clone());
    let paper = paper?;
    let by = paper.method.as_deref().unwrap_or("");
    let is_due = paper.in_force() && order.rules.booked_by(by) != Some(BOOKED_THERE);
    let grand = paper.grand.filter(|grand| !case.admitted && is_due && !grand.amount.is_zero())?;
    Some(Taken {
        label: paper.number.clone().unwrap_or_else(|| case.label.clone()),
        grand,
        there,
        shown: side.and_then(|side| Paper::from_leaves(&side.seen).ok()),
        written: side.map(|side| side.base(&order.shop.uid)).unwrap_or_default(),
        open,
    })
}

/// The same with what the ERP shows now.
async fn read_now(mut order: Owed) -> Result<Owed, EngineError> {
    let paper = |snapshot: Option<Snapshot>| snapshot.as_ref().and_then(paper_of);
    let ids: Vec<RemoteId> = order.taken.iter().filter_map(|one| one.there.clone()).collect();
    let mut shown: BTreeMap<RemoteId, Option<Paper>> = BTreeMap::new();
    for (id, there) in ids.iter().zip(read_all(&order.erp, Kind::Payment, &ids).await?) {
        shown.insert(id.clone(), paper(there));
    }
    for one in &mut order.taken {
        one.shown = one.there.as_ref().and_then(|id| shown.remove(id).flatten());
    }
    let asked = read_all(&order.erp, Kind::Invoice, &order.bills).await?;
    order.asked = asked.into_iter().filter_map(paper).collect();
    Ok(order)
}

fn proof(order: Owed) -> FlowProof {
    let mut flow = FlowProof::default();
    let in_force = || order.asked.iter().filter(|bill| bill.in_force());
    let sum = |money: fn(&Paper) -> Option<Money>| -> Decimal {
        in_force().filter_map(money).map(|money| money.amount).sum()
    };
    let (asked, owed) = (sum(|bill| bill.grand), sum(|bill| bill.owed));
    let entire = order.total.is_some_and(|total| asked >= total.amount);
    for one in &order.taken {
        let booked = one.shown.as_ref().map(parts);
        let amount: Decimal = booked.iter().flat_map(BTreeMap::values).sum();
        let amount = Money::new(amount, one.grand.currency);
        // What waits for its invoice is not due yet.
        let waits = amount.amount < one.grand.amount && owed.is_zero() && !entire;
        match (&one.open, booked) {
            (Some(waits_for), _) => flow.leave_open(format_args!("payment {}", one.label), waits_for),
            (None, None) if waits => continue,
            // Somebody else booked it.
            (None, None) if owed.is_zero() && entire => flow.equal += 1,
            (None, None) => {
                flow.missing += 1;
                flow.tell(format!("payment {}: {} are not booked in {}", one.label, one.grand, order.erp.name));
            }
            (None, Some(booked)) if is_written(&one.written, &booked) && (waits || amount == one.grand) => {
                flow.equal += 1
            }
            (None, Some(_)) => {
                flow.different += 1;
                flow.cents_off = flow.cents_off.saturating_add(minor_units(one.grand, amount));
                flow.tell(format!("payment {}: {} here, {amount} booked there", one.label, one.grand));
            }
        }
        flow.compared += 1;
    }
    flow
}

/// Whether all that we booked is there as it was booked.
fn is_written(written: &Leaves, booked: &BTreeMap<String, Decimal>) -> bool {
    written.keys_of("lines").iter().all(|key| match written.value(&Path::element("lines", key).dot("net")) {
        Some(Value::Money(ours)) => booked.get(key) == Some(&ours.amount),
        _ => true,
    })
}
