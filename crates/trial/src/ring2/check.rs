//! What must hold at rest: each order once, to the cent, line by line, both sides equal, and silence.

use super::amends;
use super::bills;
use super::boot::Stage;
use super::desk;
use super::families;
use super::images;
use super::parcels;
use super::payments;
use super::people;
use super::prices;
use super::refunds;
use super::scenes;
use super::trade;
use super::world::{World, open};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use syncline_core::kind::Kind;
use syncline_core::rules::Branch;
use syncline_engine::Engine;
use syncline_sim::books::{Lists, rows};
use syncline_sim::http::System;
use syncline_sim::magento::Shop;
use syncline_store::{LaneFilter, LaneRow};

/// How many orders the shops let go.
pub fn released(world: &World) -> u64 {
    let of = |shop: &Shop| rows(&shop.books(), "orders").filter(|row| row["state"] == "released").count();
    world.shops().map(of).sum::<usize>() as u64
}

/// Ids of the shop's orders in a state of the ledger.
pub fn orders_in(shop: &Shop, state: &str) -> Vec<u64> {
    rows(&shop.books(), "orders").filter(|row| row["state"] == state).filter_map(|row| row["id"].as_u64()).collect()
}

/// Ids of the shop's orders that refer to no ERP document yet.
pub fn unreferenced(shop: &Shop) -> Vec<u64> {
    let open = |row: &&Value| row["reference"].is_null() && row["state"] != "cancelled";
    rows(&shop.books(), "orders").filter(open).filter_map(|row| row["id"].as_u64()).collect()
}

/// Whether nothing is left to do: every order has its reference and no lane is ready.
pub async fn at_rest(stage: &Stage, engine: Option<Arc<Engine>>) -> bool {
    let Some(engine) = engine else { return false };
    {
        let world = open(&stage.world);
        if world.shops().any(|shop| !unreferenced(shop).is_empty()) || !scenes::is_over(&world) {
            return false;
        }
    }
    let states = vec!["ready", "waiting", "awaiting", "conflict", "held", "failed"];
    let Ok(lanes) = engine.store.lanes(LaneFilter { states, ..LaneFilter::default() }).await else { return false };
    // What is held and looked at again by itself may yet come right.
    let soon = engine.now().checked_add(jiff::SignedDuration::from_hours(24)).unwrap_or(jiff::Timestamp::MAX);
    let waits = |lane: &LaneRow| {
        matches!((lane.state.as_str(), lane.kind), ("held", _) | ("awaiting", Kind::Payment | Kind::Credit))
    };
    // What only a person can see to is no rest: the people of the ring see to everything.
    lanes.iter().all(|lane| waits(lane) && lane.ready_at > soon && lane.ready_at < jiff::Timestamp::MAX)
}

/// What is not at rest.
pub async fn unrest(stage: &Stage) -> String {
    let waiting: Vec<u64> = open(&stage.world).shops().flat_map(unreferenced).collect();
    let mut lanes = Vec::new();
    if let Ok(engine) = stage.boot().await
        && let Ok(rows) = engine.store.lanes(LaneFilter::default()).await
    {
        for row in rows.into_iter().filter(|row| row.state != "idle") {
            let why = row.why.map_or(String::new(), |why| format!("{} {}", why.code, why.what));
            lanes.push(format!("{} {} {}: {why}", row.kind, row.label, row.state));
        }
    }
    format!("orders without a document: {waiting:?}; lanes: {}", lanes.join(" | "))
}

/// The rules of rest.
///
/// # Errors
/// Where the engine cannot be asked.
pub async fn at_the_end(stage: &Stage) -> Result<(), String> {
    let (shops, erp) = {
        let world = open(&stage.world);
        (world.shops().map(Shop::ledger).collect::<Vec<_>>(), world.erp.ledger())
    };
    for detail in crossed(&wanted(stage), &erp) {
        open(&stage.world).broken("each-order-once-to-the-cent", detail);
    }
    for detail in misbooked(stage, &erp) {
        open(&stage.world).broken("each-order-in-its-company", detail);
    }
    for detail in shops.iter().flat_map(|shop| references(shop, &erp)) {
        open(&stage.world).broken("the-number-goes-back", detail);
    }
    if let Some(rules) = stage.stock.as_ref().and_then(|rules| rules.targets.first()) {
        for detail in shops.iter().flat_map(|shop| trade::unsold(shop, &erp, rules.safety)) {
            open(&stage.world).broken("buyers-may-have-what-is-there", detail);
        }
    }
    papers_at_the_end(stage);
    typed_at_desks(stage);
    if stage.prices.is_some() {
        let found = prices::apart(stage);
        let mut world = open(&stage.world);
        for detail in prices::overwritten(&world) {
            world.broken("owned-fields-are-never-overwritten", detail);
        }
        for detail in found {
            world.broken("the-shop-asks-what-the-erp-says", detail);
        }
    }
    let engine = stage.boot().await?;
    if stage.prices.is_some() {
        prices::fall_silent(stage, &engine).await?;
    }
    let writes = open(&stage.world).writes;
    engine.sync(None).await.map_err(|error| error.to_string())?;
    let after = open(&stage.world).writes;
    if after != writes {
        open(&stage.world).broken("silence-at-rest", format!("{} writes with nothing to do", after - writes));
    }
    let lanes = engine.store.lanes(LaneFilter::default()).await.map_err(|error| error.to_string())?;
    let is_over = |lane: &&LaneRow| {
        matches!((lane.state.as_str(), lane.kind), ("idle" | "outside", _) | ("awaiting", Kind::Payment | Kind::Credit))
    };
    for lane in lanes.iter().filter(|lane| !is_over(lane)) {
        let why = lane.why.as_ref().map_or(String::new(), |why| format!("{} {}", why.code, why.what));
        open(&stage.world)
            .broken("nothing-open-at-rest", format!("{} {} {}: {why}", lane.kind, lane.label, lane.state));
    }
    let proof = engine.verify().await.map_err(|error| error.to_string())?;
    if proof.drift != 0 && stage.marks_are_known() {
        let detail = serde_json::to_string(&proof).unwrap_or_default();
        open(&stage.world).broken("verify-agrees-with-the-ledgers", detail);
    }
    Ok(())
}

/// What was done about orders in the ERP, each once in the shop; what the warehouse took in hand stays.
fn papers_at_the_end(stage: &Stage) {
    let mut world = open(&stage.world);
    for detail in amends::taken_back(&world) {
        world.broken("what-is-in-hand-stays", detail);
    }
    for detail in parcels::apart(stage, &world) {
        world.broken("each-parcel-once", detail);
    }
    for detail in bills::too_much(stage, &world).into_iter().chain(bills::apart(stage, &world)) {
        world.broken("each-bill-once", detail);
    }
    for detail in payments::too_much(stage, &world).into_iter().chain(payments::apart(stage, &world)) {
        world.broken("each-payment-once", detail);
    }
    for detail in refunds::too_much(stage, &world).into_iter().chain(refunds::apart(stage, &world)) {
        world.broken("each-refund-once", detail);
    }
}

/// What people typed into products and accounts holds, and both sides show it.
fn typed_at_desks(stage: &Stage) {
    if stage.products.is_some() {
        let mut world = open(&stage.world);
        for detail in desk::overwritten(&world).into_iter().chain(images::overwritten(&world)) {
            world.broken("owned-fields-are-never-overwritten", detail);
        }
        let families = if world.has_families { families::apart(&world) } else { Vec::new() };
        for detail in desk::apart(&world).into_iter().chain(families) {
            world.broken("both-sides-show-the-same", detail);
        }
        let doubled = if stage.images { images::apart(&world) } else { Vec::new() };
        for detail in doubled {
            world.broken("each-image-once", detail);
        }
    }
    let apart = people::apart(stage);
    let mut world = open(&stage.world);
    for detail in people::overwritten(&world) {
        world.broken("owned-fields-are-never-overwritten", detail);
    }
    for detail in apart {
        world.broken("both-sides-show-the-same", detail);
    }
}

/// Every document of ours in another company than the one its shop's orders are booked in.
fn misbooked(stage: &Stage, erp: &impl Lists) -> Vec<String> {
    let Some(Branch { company: Some(second), .. }) = stage.outlet.as_ref().map(|rules| &rules.branch) else {
        return Vec::new();
    };
    let ours = rows(erp, "orders").filter(|row| text(&row["mark"]).starts_with("SL"));
    let wrong = ours.filter(|row| (row["company"] == *second) != text(&row["reference"]).starts_with('O'));
    wrong.map(|row| format!("`{}` is booked in {}", text(&row["reference"]), row["company"])).collect()
}

/// The towns that sales of the ERP are addressed to.
pub fn towns_on_papers(erp: &impl Lists) -> BTreeSet<String> {
    let lines = |row: &Value| -> Vec<String> {
        let printed = row["addresses"].as_object().into_iter().flatten().map(|(_, lines)| lines.clone());
        printed.filter_map(|lines| lines.as_array()?.last().map(text)).collect()
    };
    rows(erp, "orders").flat_map(lines).collect()
}

fn number(value: &Value) -> Decimal {
    value.as_str().and_then(|text| Decimal::from_str_exact(text).ok()).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

/// The released orders of every shop, by what the ERP is to call them.
pub fn wanted(stage: &Stage) -> BTreeMap<String, Vec<Value>> {
    let world = open(&stage.world);
    let mut wanted: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let all = stage.order_rules();
    for (at, shop) in world.shops().enumerate() {
        for row in rows(&shop.books(), "orders").filter(|row| row["state"] == "released") {
            let Some(rules) = all.get(place_of(stage, at, row)) else { continue };
            wanted.entry(rules.reference("", &text(&row["number"]))).or_default().push(row.clone());
        }
    }
    wanted
}

/// Which of the systems orders come from `order` of the shop number `at` belongs to.
pub fn place_of(stage: &Stage, at: usize, order: &Value) -> usize {
    at + usize::from(stage.one_installation && order["website"] == "us")
}

/// Every way in which the ERP's documents are not the released orders in `wanted`.
pub fn crossed(wanted: &BTreeMap<String, Vec<Value>>, erp: &impl Lists) -> Vec<String> {
    let mut found = Vec::new();
    let mut documents: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for row in rows(erp, "orders") {
        documents.entry(text(&row["reference"])).or_default().push(row);
    }
    for (reference, orders) in wanted {
        let there = documents.remove(reference).unwrap_or_default();
        if there.iter().any(|row| row["state"] == "draft") {
            found.push(format!("order {reference}: a document was left unreleased"));
        }
        let released: Vec<&Value> = there.iter().copied().filter(|row| row["state"] == "released").collect();
        if released.len() != orders.len() {
            found.push(format!(
                "order {reference}: {} in the shop, {} released in the ERP",
                orders.len(),
                released.len()
            ));
            continue;
        }
        if let ([ours], [theirs]) = (orders.as_slice(), released.as_slice())
            && amends::is_cut_down(ours)
        {
            // Of what has left people took both as they are.
            if rows(*theirs, "lines").any(|line| !number(&line["shipped"]).is_zero()) {
                continue;
            }
            found.extend(amends::cut_otherwise(ours, theirs).map(|what| format!("order {reference}: {what}")));
            continue;
        }
        let mut ours: Vec<String> = orders.iter().map(shape).collect();
        let mut theirs: Vec<String> = released.iter().map(|row| shape(row)).collect();
        ours.sort();
        theirs.sort();
        if ours != theirs {
            found.push(format!("order {reference}: {ours:?} in the shop, {theirs:?} in the ERP"));
        }
    }
    for (reference, there) in documents {
        // What has left of an order that was cancelled stays.
        let left = |row: &Value| rows(row, "lines").any(|line| !number(&line["shipped"]).is_zero());
        let in_force = |row: &&&Value| row["state"] != "cancelled" && !left(row);
        if there.iter().filter(in_force).any(|row| text(&row["mark"]).starts_with("SL")) {
            found.push(format!("`{reference}`: a document that no released order explains"));
        }
    }
    found
}

/// What is compared of an order: currency, total, and its lines with money.
fn shape(order: &Value) -> String {
    let mut lines: Vec<String> = order["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|line| !number(&line["total"]).is_zero())
        .filter(|line| !matches!(line["sku"].as_str(), Some("SHIPPING" | "ROUNDING")))
        .map(|line| {
            format!(
                "{}×{}={}",
                text(&line["sku"]),
                number(&line["qty"]).normalize(),
                number(&line["total"]).normalize()
            )
        })
        .collect();
    lines.sort();
    format!("{} {} {lines:?}", text(&order["currency"]), number(&order["total"]).normalize())
}

/// Every shop order whose reference is not its document's number.
fn references(shop: &impl Lists, erp: &impl Lists) -> Vec<String> {
    let numbers: Vec<String> =
        rows(erp, "orders").filter(|row| row["state"] == "released").map(|row| text(&row["number"])).collect();
    rows(shop, "orders")
        .filter(|row| row["state"] == "released")
        .filter(|row| !numbers.contains(&text(&row["reference"])))
        .map(|row| format!("order {} refers to {}", text(&row["number"]), row["reference"]))
        .collect()
}
