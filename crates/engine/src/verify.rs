//! Proof of agreement: every record of the flow, read on both sides and compared; every zero says of how many.

mod customers;
mod papers;
mod shared;
mod stock;
mod stored;

use crate::adopt::{beside, elsewhere};
use crate::decide::order_of;
use crate::pages::Pages;
use crate::reading::read_all;
use crate::run::Engine;
use crate::system::{EngineError, System};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Cursor, Lookup, Seen};
use syncline_core::id::{EntityId, RemoteId};
use syncline_core::kind::{Flow, Kind};
use syncline_core::mark::is_mark;
use syncline_core::money::Money;
use syncline_core::record::Order;
use syncline_core::rules::{FieldRules, OrderRules, Released};
use syncline_core::totals;
use syncline_store::LaneFilter;

/// What comparing one flow found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FlowProof {
    /// Records compared or looked for.
    pub compared: usize,
    /// Records that agree.
    pub equal: usize,
    /// Records that differ.
    pub different: usize,
    /// Records the target lacks and nothing explains why.
    pub missing: usize,
    /// Documents of ours in the target that no record explains.
    pub extra: usize,
    /// Records that are not there yet for a known reason.
    pub open: usize,
    /// Sum of all differences in totals, in minor units.
    pub cents_off: u64,
    /// Records compared, by kind, where the flow carries several.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kinds: BTreeMap<Kind, usize>,
    /// The differences by name, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

impl FlowProof {
    /// Everything that is not as it should be.
    #[must_use]
    pub fn drift(&self) -> usize {
        self.different + self.missing + self.extra
    }

    /// Adds what comparing other records came to.
    fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.equal += other.equal;
        self.different += other.different;
        self.missing += other.missing;
        self.extra += other.extra;
        self.open += other.open;
        self.cents_off += other.cents_off;
        other.details.into_iter().for_each(|detail| self.tell(detail));
    }

    /// The same for records of `kind`, one of several that the flow carries.
    fn add_of(&mut self, kind: Kind, other: Self) {
        *self.kinds.entry(kind).or_default() += other.compared;
        self.add(other);
    }

    fn tell(&mut self, detail: String) {
        if self.details.len() < 100 {
            self.details.push(detail);
        }
    }
}

/// What comparing everything found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// By flow.
    pub flows: BTreeMap<Flow, FlowProof>,
    /// Drift of all flows.
    pub drift: usize,
}

impl Engine {
    /// Both sides read now and compared.
    ///
    /// # Errors
    /// Where a system does not answer or the store fails.
    pub async fn verify(&self) -> Result<Proof, EngineError> {
        let mut proof = Proof::default();
        if let Some(rules) = self.flows.orders.first() {
            let target = self.system(&rules.target)?;
            proof.flows.insert(Flow::Orders, self.verify_orders(target).await?);
        }
        if !self.flows.customers.is_empty() {
            proof.flows.insert(Flow::Customers, self.verify_customers().await?);
        }
        if let Some(rules) = &self.flows.inventory {
            proof.flows.insert(Flow::Inventory, self.verify_stock(rules).await?);
        }
        let mut products = FlowProof::default();
        for (kind, rules) in self.of_products() {
            products.add_of(kind, self.verify_shared(kind, rules).await?);
        }
        if self.flows.products.is_some() {
            proof.flows.insert(Flow::Products, products);
        }
        if let Some(rules) = &self.flows.prices {
            proof.flows.insert(Flow::Prices, self.verify_shared(Kind::Price, &rules.fields).await?);
        }
        if let Some(rules) = &self.flows.papers {
            proof.flows.insert(Flow::Papers, self.verify_papers(rules).await?);
        }
        proof.drift = proof.flows.values().map(FlowProof::drift).sum();
        Ok(proof)
    }

    /// The kinds of the products flow, each with its rules.
    fn of_products(&self) -> impl Iterator<Item = (Kind, &FieldRules)> {
        Flow::Products.kinds().iter().filter_map(|kind| Some((*kind, self.field_rules(*kind)?)))
    }

    /// Entities whose lane is open or not done yet; awaiting ones too, for something may still land.
    async fn open_lanes(&self, kind: Kind) -> Result<BTreeSet<EntityId>, EngineError> {
        let states = vec!["ready", "waiting", "held", "failed", "conflict", "awaiting"];
        let filter = LaneFilter { kind: Some(kind), states, ..LaneFilter::default() };
        Ok(self.store.lanes(filter).await?.into_iter().map(|lane| lane.entity).collect())
    }

    /// The orders of every shop beside the documents of ours in `target`.
    async fn verify_orders(&self, target: &System) -> Result<FlowProof, EngineError> {
        let mut documents = self.marked(target, Kind::Order).await?;
        let mut flow = FlowProof::default();
        let mut shops: Vec<&str> = Vec::new();
        for rules in &self.flows.orders {
            shops.push(rules.source.as_str());
            self.verify_orders_of(rules, target, &mut documents, &mut flow).await?;
        }
        for (mark, orders) in documents {
            for order in orders {
                flow.extra += 1;
                let number = order.number.as_deref().or(order.reference.as_deref()).unwrap_or("?");
                let shops = shops.join(" or ");
                flow.tell(format!("{} {number} ({mark}): no order in {shops} explains it", target.name));
            }
        }
        Ok(flow)
    }

    /// The orders of one shop beside `documents`, from which those it explains are taken out.
    async fn verify_orders_of(
        &self,
        rules: &OrderRules,
        target: &System,
        documents: &mut BTreeMap<String, Vec<Order>>,
        flow: &mut FlowProof,
    ) -> Result<(), EngineError> {
        let source = self.system(&rules.source)?;
        let price_digits = target.kind(Kind::Order).price_digits;
        let open = self.open_lanes(Kind::Order).await?;
        let admitted = self.store.admitted().await?;
        let mut seen: BTreeSet<RemoteId> = BTreeSet::new();
        let mut pages = Pages::from(source, Kind::Order, Cursor::default());
        while let Some(page) = pages.next().await? {
            let mut adopted = self.adopted_documents(source, target, &page.seen).await?;
            for row in page.seen {
                if !seen.insert(row.id.clone()) {
                    continue;
                }
                let entity = self.store.entities(source.uid.clone(), Kind::Order, vec![row.id.clone()]).await?;
                let entity = entity.first().copied().flatten();
                let is_open = entity.is_some_and(|entity| open.contains(&entity));
                let let_through = entity.is_some_and(|entity| admitted.contains(&entity));
                let order = row.snapshot.ok().and_then(|snapshot| order_of(&snapshot));
                let Some(order) = order else {
                    flow.compared += 1;
                    flow.open += 1;
                    // Its document is explained, even though it cannot be compared now.
                    documents.remove(self.mark_of(Kind::Order, source, &row.id, target).as_str());
                    flow.tell(format!("order {}: cannot be read in {}", row.id, source.name));
                    continue;
                };
                let mark = self.mark_of(Kind::Order, source, &row.id, target);
                let mut there = documents.remove(mark.as_str()).unwrap_or_default();
                // What another connector made has no mark, and is not ours to release.
                there.extend(adopted.remove(&row.id).map(|there| beside(&order, &there)));
                if there.is_empty() && rules.released(&order, let_through) != Released::Yes {
                    continue;
                }
                let there: Vec<&Order> = there.iter().collect();
                let label = self.order_label(source, order.number.as_deref().unwrap_or(&row.id.id));
                compare(flow, &label, &order, &there, is_open, price_digits);
            }
        }
        Ok(())
    }

    /// The documents in `target` that the orders in `seen` were adopted from, by the order's id.
    async fn adopted_documents(
        &self,
        shop: &System,
        target: &System,
        seen: &[Seen],
    ) -> Result<BTreeMap<RemoteId, Order>, EngineError> {
        let ids: Vec<RemoteId> = seen.iter().map(|row| row.id.clone()).collect();
        let entities = self.store.entities(shop.uid.clone(), Kind::Order, ids.clone()).await?;
        let mut tied: Vec<(RemoteId, RemoteId)> = Vec::new();
        for (id, entity) in ids.into_iter().zip(entities) {
            let Some(entity) = entity else { continue };
            let Some(marker) = self.store.bound(entity, elsewhere()).await? else { continue };
            if marker.id.scope == target.uid.as_str() {
                tied.push((id, RemoteId::new("", marker.id.id)));
            }
        }
        let documents: Vec<RemoteId> = tied.iter().map(|(_, document)| document.clone()).collect();
        let read = read_all(target, Kind::Order, &documents).await?;
        let orders = tied.into_iter().zip(read).filter_map(|((id, _), there)| Some((id, order_of(&there?)?)));
        Ok(orders.collect())
    }

    /// What an order of `shop` is called in a proof: with its shop, where there are several.
    fn order_label(&self, shop: &System, number: &str) -> String {
        if self.flows.orders.len() > 1 { format!("{number} of {}", shop.name) } else { number.to_string() }
    }

    /// Every document of ours in `target` that is not withdrawn, by mark.
    async fn marked(&self, target: &System, kind: Kind) -> Result<BTreeMap<String, Vec<Order>>, EngineError> {
        let found = target
            .connector
            .find(&target.ctx, kind, &Lookup::AnyMark)
            .await
            .map_err(|error| EngineError::System { system: target.name.clone(), error })?;
        let mut by_mark: BTreeMap<String, Vec<Order>> = BTreeMap::new();
        for snapshot in found {
            let mark = snapshot.mark.clone().filter(|mark| is_mark(mark));
            let order = order_of(&snapshot);
            if let (Some(mark), Some(order)) = (mark, order)
                && order.stage.as_deref() != Some("cancelled")
            {
                by_mark.entry(mark).or_default().push(order);
            }
        }
        Ok(by_mark)
    }
}

/// Compares one order with the documents that carry its mark, where a price of one has so many decimals.
fn compare(flow: &mut FlowProof, label: &str, order: &Order, there: &[&Order], open: bool, price_digits: Option<u32>) {
    flow.compared += 1;
    match there {
        [] if open => {
            flow.open += 1;
        }
        [] => {
            flow.missing += 1;
            flow.tell(format!("order {label}: not in the target"));
        }
        [one] => {
            let off = cents(order, one);
            let differences = differences(order, one, price_digits);
            flow.cents_off += off;
            if differences.is_empty() {
                flow.equal += 1;
            } else if open {
                flow.open += 1;
            } else {
                flow.different += 1;
                flow.tell(format!("order {label}: {}", differences.join("; ")));
            }
        }
        several => {
            flow.equal += 1;
            flow.extra += several.len() - 1;
            flow.tell(format!("order {label}: {} documents carry its mark", several.len()));
        }
    }
}

/// The difference of the totals in minor units of the order's currency.
fn cents(order: &Order, there: &Order) -> u64 {
    let (Some(a), Some(b)) = (order.totals.grand, there.totals.grand) else { return 0 };
    minor_units(a, b)
}

/// How far two amounts of one currency are apart, in its minor units.
fn minor_units(a: Money, b: Money) -> u64 {
    let difference: Decimal = (a.amount - b.amount).abs() / a.currency.minor_unit();
    difference.round().to_u64().unwrap_or(u64::MAX)
}

/// Every way in which the document is not the order.
fn differences(order: &Order, there: &Order, price_digits: Option<u32>) -> Vec<String> {
    let mut found = Vec::new();
    if order.totals.grand != there.totals.grand {
        let show = |m: Option<Money>| m.map_or("nothing".to_string(), |m| m.to_string());
        found.push(format!("total {} here, {} there", show(order.totals.grand), show(there.totals.grand)));
    }
    let ours: Vec<_> = order.sold_lines().map(|(_, line)| line).collect();
    let theirs: Vec<_> = there.sold_lines().map(|(_, line)| line).collect();
    if ours.len() != theirs.len() {
        found.push(format!("{} lines here, {} there", ours.len(), theirs.len()));
    }
    for (at, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        if a.quantity != b.quantity {
            found.push(format!("line {}: another quantity", at + 1));
        }
        let close = match (a.net, b.net) {
            (Some(net), Some(there)) => {
                let slack = totals::slack(net.currency.minor_unit(), a.quantity, price_digits);
                net.minus(there).is_ok_and(|by| by.amount.abs() <= slack)
            }
            (None, Some(b)) => b.amount.is_zero(),
            _ => false,
        };
        if !close {
            found.push(format!("line {}: another amount", at + 1));
        }
    }
    if there.stage.as_deref().is_none_or(|stage| stage == "draft" || stage == "quote") {
        found.push("not released".to_string());
    }
    found
}
