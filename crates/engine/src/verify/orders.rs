//! Orders compared: every one that a shop has released beside the documents of ours in the ERP.

use super::{FlowProof, minor_units};
use crate::adopt::{beside, elsewhere};
use crate::decide::order_of;
use crate::pages::Pages;
use crate::reading::read_all;
use crate::run::Engine;
use crate::system::{EngineError, System};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Cursor, Lookup, Seen};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::mark::is_mark;
use syncline_core::money::Money;
use syncline_core::record::Order;
use syncline_core::rules::{OrderRules, Released};
use syncline_core::totals;
use syncline_store::Case;

impl Engine {
    /// The orders of every shop beside the documents of ours in `target`.
    pub(super) async fn verify_orders(&self, target: &System) -> Result<FlowProof, EngineError> {
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
                let open = entity.and_then(|entity| open.get(&entity)).map(String::as_str);
                let let_through = entity.is_some_and(|entity| admitted.contains(&entity));
                let order = row.snapshot.ok().and_then(|snapshot| order_of(&snapshot));
                let Some(order) = order else {
                    flow.compared += 1;
                    flow.leave_open(format_args!("order {}", row.id), &format!("it cannot be read in {}", source.name));
                    // Its document is explained, even though it cannot be compared now.
                    documents.remove(self.mark_of(Kind::Order, source, &row.id, target).as_str());
                    continue;
                };
                let mark = self.mark_of(Kind::Order, source, &row.id, target);
                let mut there = documents.remove(mark.as_str()).unwrap_or_default();
                // What another connector made has no mark, and is not ours to release.
                there.extend(adopted.remove(&row.id).map(|there| beside(&order, &there)));
                if there.is_empty() && rules.released(&order, let_through) != Released::Yes {
                    continue;
                }
                let alone = !there.is_empty() && order.is_withdrawn();
                let alone = match entity.filter(|_| alone) {
                    Some(entity) => withdrawn_alone(&self.store.load(entity).await?, &order, source, target),
                    None => alone,
                };
                let label = self.order_label(source, order.number.as_deref().unwrap_or(&row.id.id));
                let case = match entity.filter(|_| !there.is_empty()) {
                    Some(entity) if !is_as_ordered(&order, &there) => Some(self.store.load(entity).await?),
                    _ => None,
                };
                let (order, allowed) = self.as_wanted(rules, case.as_ref(), order, &there)?;
                Beside { label, allowed, order: &order, there: there.iter().collect(), open, alone, price_digits }
                    .compare(flow);
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
    pub(super) fn order_label(&self, shop: &System, number: &str) -> String {
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

/// Whether `order` is withdrawn in its shop alone: its document is in force, and nobody took both as they are.
pub(super) fn withdrawn_alone(case: &Case, order: &Order, shop: &System, target: &System) -> bool {
    let agreed = case.sides.get(&shop.uid).map(|side| Order::from_leaves(&side.base(&target.uid)));
    order.is_withdrawn() && !matches!(agreed, Some(Ok(agreed)) if agreed.is_withdrawn())
}

/// One order beside the documents that carry its mark.
pub(super) struct Beside<'a> {
    /// What people call it.
    pub(super) label: String,
    pub(super) order: &'a Order,
    pub(super) there: Vec<&'a Order>,
    /// Something is still to be done or asked about it.
    pub(super) open: Option<&'a str>,
    /// It is withdrawn in its shop and in force in the ERP.
    pub(super) alone: bool,
    /// By how much its total may be off: nothing, but where a part was cancelled.
    pub(super) allowed: Decimal,
    /// How many decimals a price of one has in the ERP.
    pub(super) price_digits: Option<u32>,
}

impl Beside<'_> {
    /// Nothing: counts in `flow` what comparing comes to.
    pub(super) fn compare(&self, flow: &mut FlowProof) {
        flow.compared += 1;
        let label = &self.label;
        match self.there[..] {
            [] if self.open.is_some() => self.leave_open(flow),
            [] => {
                flow.missing += 1;
                flow.tell(format!("order {label}: not in the target"));
            }
            [one] => {
                let off = cents(self.order, one, self.allowed);
                let mut differences = differences(self.order, one, (self.price_digits, self.allowed));
                if self.alone {
                    differences.push("cancelled in the shop, in force in the target".to_string());
                }
                flow.cents_off = flow.cents_off.saturating_add(off);
                if differences.is_empty() {
                    flow.equal += 1;
                } else if self.open.is_some() {
                    self.leave_open(flow);
                } else {
                    flow.different += 1;
                    flow.tell(format!("order {label}: {}", differences.join("; ")));
                }
            }
            ref several => {
                flow.equal += 1;
                flow.extra += several.len() - 1;
                flow.tell(format!("order {label}: {} documents carry its mark", several.len()));
            }
        }
    }

    fn leave_open(&self, flow: &mut FlowProof) {
        flow.leave_open(format_args!("order {}", self.label), self.open.unwrap_or_default());
    }
}

fn is_near(a: Money, b: Money, allowed: Decimal) -> bool {
    a.minus(b).is_ok_and(|by| by.amount.abs() <= allowed)
}

/// Whether nothing of the order was cancelled, and its document has the quantities that were ordered.
pub(super) fn is_as_ordered(order: &Order, there: &[Order]) -> bool {
    let whole = order.sold_lines().all(|(_, line)| line.had.cancelled.is_none_or(|off| off.is_zero()));
    whole && there.iter().all(|one| quantities(one) == quantities(order))
}

fn quantities(order: &Order) -> Vec<Option<Decimal>> {
    order.sold_lines().map(|(_, line)| line.quantity).collect()
}

impl Engine {
    /// What the document of `order` is to be like, and by how much its total may be off: less what was cancelled, unless a
    /// person took both as they are.
    pub(super) fn as_wanted(
        &self,
        rules: &OrderRules,
        case: Option<&Case>,
        order: Order,
        there: &[Order],
    ) -> Result<(Order, Decimal), EngineError> {
        let (Some(case), [one], false) = (case, there, order.is_withdrawn()) else { return Ok((order, Decimal::ZERO)) };
        let (shop, erp) = (self.system(&rules.source)?, self.system(&rules.target)?);
        let base = |from: &System, to: &System| {
            case.sides.get(&from.uid).and_then(|side| Order::from_leaves(&side.base(&to.uid)).ok()).unwrap_or_default()
        };
        let (agreed, left) = (base(shop, erp), base(erp, shop));
        let cancelled = |order: &Order| -> Vec<Decimal> {
            order.sold_lines().map(|(_, line)| line.had.cancelled.unwrap_or_default()).collect()
        };
        let allowed = totals::tolerance(&order, rules.rounding_per_line.max(1));
        let settled = cancelled(&agreed) == cancelled(&order) && quantities(&left) == quantities(one);
        let fewer = one.sold_lines().zip(order.sold_lines()).all(|((_, b), (_, a))| b.quantity <= a.quantity);
        match totals::wanted(&order) {
            // Both were taken as they are: what the document says of how many and how much is what is agreed on.
            _ if settled && fewer && quantities(one).len() == quantities(&order).len() => {
                let mut same = order.clone();
                let sold: BTreeSet<&String> = order.sold_lines().map(|(key, _)| key).collect();
                let sold = same.lines.iter_mut().filter(|(key, _)| sold.contains(key));
                for ((_, mine), (_, theirs)) in sold.zip(one.sold_lines()) {
                    (mine.quantity, mine.net) = (theirs.quantity, theirs.net);
                }
                same.totals.grand = one.totals.grand;
                Ok((same, Decimal::ZERO))
            }
            Some(wanted) => Ok((wanted, allowed)),
            None => Ok((order, Decimal::ZERO)),
        }
    }
}

/// The difference of the totals in minor units of the order's currency.
fn cents(order: &Order, there: &Order, allowed: Decimal) -> u64 {
    let (Some(a), Some(b)) = (order.totals.grand, there.totals.grand) else { return 0 };
    if is_near(a, b, allowed) { 0 } else { minor_units(a, b) }
}

/// Every way in which the document is not the order.
fn differences(order: &Order, there: &Order, (price_digits, allowed): (Option<u32>, Decimal)) -> Vec<String> {
    let mut found = Vec::new();
    let near = order.totals.grand.zip(there.totals.grand).is_some_and(|(a, b)| is_near(a, b, allowed));
    if order.totals.grand != there.totals.grand && !near {
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
            let show =
                |quantity: Option<Decimal>| quantity.map_or("nothing".to_string(), |q| q.normalize().to_string());
            found.push(format!("line {}: {} here, {} there", at + 1, show(a.quantity), show(b.quantity)));
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
