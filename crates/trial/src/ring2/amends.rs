//! Buyers cancel orders that were taken over, while the warehouse picks and sends: what was taken in hand stays, the rest is
//! withdrawn.

use super::boot::Stage;
use super::world::{World, open};
use rust_decimal::Decimal;
use serde_json::Value;
use syncline_core::id::SystemName;
use syncline_core::kind::Kind;
use syncline_core::rules::Amendments;
use syncline_engine::Engine;
use syncline_sim::books::Lists;
use syncline_sim::http::System;
use syncline_sim::random::Random;
use syncline_store::{LaneFilter, LaneRow, Retry};

/// Orders that are cancelled in one schedule, at most.
const MOST: u64 = 3;

/// Whether buyers cancel in the schedule of `seed`, where no parcels are told of.
pub fn drawn(seed: u64) -> bool {
    Random::of(seed, 18, 0).chance(1, 2)
}

/// Has what changes in the shops of `stage` carried over.
pub fn carry(stage: &mut Stage) {
    let now = stage.clock.true_now();
    open(&stage.world).erp.activate_amendments(now);
    stage.rules.amendments = Amendments::Carry;
    if let Some(outlet) = &mut stage.outlet {
        outlet.amendments = Amendments::Carry;
    }
}

/// Whether what changes in the shops of `stage` is carried over.
pub fn are_carried(stage: &Stage) -> bool {
    stage.rules.amendments == Amendments::Carry
}

/// What buyers, clerks and the warehouse do in one second of chaos.
pub fn each_second(stage: &Stage, second: u64) {
    if !are_carried(stage) {
        return;
    }
    if second.is_multiple_of(23) {
        clerks(stage, second);
    }
    if !second.is_multiple_of(19) {
        return;
    }
    let now = stage.clock.true_now();
    let mut random = Random::of(stage.seed(), 18, second);
    let mut world = open(&stage.world);
    let told = match random.chance(1, 2) && stage.plant() != Some(super::planted::REDIRECTS) {
        true => cancel(&mut world, now, &mut random),
        false => take_in_hand(&mut world, now, &mut random),
    };
    if let Some((what, told)) = told {
        world.count(what);
        world.event(&told);
    }
}

/// A clerk of the shop sends an order elsewhere, or asks the money for one piece and cancels the rest. Drawn from a stream of
/// its own, so that all else is as it was.
fn clerks(stage: &Stage, second: u64) {
    let now = stage.clock.true_now();
    let mut random = Random::of(stage.seed(), 22, second);
    let mut world = open(&stage.world);
    let orders = world.shop.books().list("orders").as_array().cloned().unwrap_or_default();
    let orders: Vec<&Value> = orders.iter().filter(|row| row["state"] == "released").collect();
    let Some(row) = orders.get(random.index(orders.len().max(1))) else { return };
    let (Some(id), Some(number)) = (row["id"].as_u64(), row["number"].as_str()) else { return };
    let what = match random.below(3) {
        0 if world.faults.get("cut_down").copied().unwrap_or_default() < MOST => {
            let many = |line: &&Value| line["parent"].is_null() && self::number(&line["qty"]) > Decimal::ONE;
            let line = lines(row).find(many).and_then(|line| line["id"].as_u64());
            let asked = line.and_then(|line| world.shop.invoice_by_hand(now, id, &[(line, 1)]));
            (asked.is_some() && world.shop.cancel_order(now, id)).then_some("cut_down")
        }
        _ if world.faults.get("sent_elsewhere").copied().unwrap_or_default() < 2 * MOST => {
            let which = if random.chance(1, 2) { "shipping" } else { "billing" };
            let town = format!("Town {second}");
            let done =
                world.shop.edit_order_address(number, which, "city", &town) && world.shop.save_order(now, number);
            done.then_some("sent_elsewhere")
        }
        _ => None,
    };
    if let Some(what) = what {
        if what == "sent_elsewhere" {
            world.sent_elsewhere.insert(number.to_string());
        }
        world.count(what);
        world.event(&format!("a clerk: order {number} {what}"));
    }
}

/// Where a shipment of the ERP goes.
fn address_of(world: &World, shipment: u64) -> Value {
    let rows = world.erp.books().list("shipments").as_array().cloned().unwrap_or_default();
    rows.into_iter().find(|row| row["id"] == shipment).map_or(Value::Null, |row| row["address"].clone())
}

fn ids(rows: &Value, state: &str) -> Vec<u64> {
    let rows = rows.as_array().into_iter().flatten().filter(|row| row["state"] == state);
    rows.filter_map(|row| row["id"].as_u64()).collect()
}

/// A buyer cancels an order that can still be.
fn cancel(world: &mut World, now: jiff::Timestamp, random: &mut Random) -> Option<(&'static str, String)> {
    if world.faults.get("cancelled").copied().unwrap_or_default() >= MOST {
        return None;
    }
    let orders = ids(world.shop.books().list("orders"), "released");
    let id = *orders.get(random.index(orders.len().max(1)))?;
    world.shop.cancel_order(now, id).then(|| ("cancelled", format!("the buyer of order {id} cancels it")))
}

/// The warehouse picks a shipment, or sends all that a sale has waiting.
fn take_in_hand(world: &mut World, now: jiff::Timestamp, random: &mut Random) -> Option<(&'static str, String)> {
    let sales = ids(world.erp.books().list("orders"), "released");
    let sale = *sales.get(random.index(sales.len().max(1)))?;
    let shipment = *world.erp.shipments(sale).first()?;
    let leaves = random.chance(1, 2);
    let done = match leaves {
        true => world.erp.ship(now, sale),
        false => {
            world.erp.press_shipment(now, shipment, "assign_force") && world.erp.press_shipment(now, shipment, "pick")
        }
    };
    // A sale may have another one beside it, and one that waits in its draft goes nowhere.
    let taken = ["picked", "packed", "shipped", "done"];
    if !done || !taken.iter().any(|state| ids(world.erp.books().list("shipments"), state).contains(&shipment)) {
        return None;
    }
    world.in_hand.insert(shipment);
    let goes_to = address_of(world, shipment);
    world.packed_for.insert(shipment, goes_to);
    let how = if leaves { "leaves" } else { "is picked" };
    Some(("in_hand", format!("shipment {shipment} of sale {sale} {how}")))
}

/// Shipments that somebody took in hand and that were withdrawn by nobody in the warehouse. Must never be.
pub fn taken_back(world: &World) -> Vec<String> {
    if world.in_hand.is_empty() {
        return Vec::new();
    }
    let books = world.erp.books();
    let rows = books.list("shipments").as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for row in rows.iter().filter(|row| row["id"].as_u64().is_some_and(|id| world.in_hand.contains(&id))) {
        let id = &row["id"];
        if row["state"] == "cancelled" {
            found.push(format!("shipment {id} was withdrawn though somebody had taken it in hand"));
        }
        if row["lines"].as_array().is_some_and(Vec::is_empty) {
            found.push(format!("the goods of shipment {id} lead nowhere though somebody had taken them in hand"));
        }
        let packed_for = id.as_u64().and_then(|id| world.packed_for.get(&id));
        if packed_for.is_some_and(|address| *address != row["address"]) {
            found.push(format!("shipment {id} was sent elsewhere though somebody had taken it in hand"));
        }
    }
    found
}

/// People see to what an order that was cancelled has there: goods that are picked go back on the shelf, what has left stays.
pub async fn decide(stage: &Stage, engine: &Engine) {
    let filter = LaneFilter { kind: Some(Kind::Order), states: vec!["held"], ..LaneFilter::default() };
    let held = engine.store.lanes(filter).await.unwrap_or_default();
    let asks =
        |lane: &LaneRow| lane.why.as_ref().is_some_and(|why| ["SYN-0122", "SYN-0124"].contains(&why.code.as_str()));
    for lane in held.into_iter().filter(asks) {
        let Some(erp) = engine.systems.get(&SystemName::new("erp")) else { return };
        let Ok(case) = engine.store.load(lane.entity).await else { return };
        let sale = case.bound.get(&erp.uid).and_then(|bound| bound.id.id.parse().ok()).unwrap_or_default();
        put_back(stage, sale);
        // Only what has left is taken as it is; where nothing did, the order is looked at again.
        let rebase = has_left(stage, sale);
        drop(engine.store.retry(Retry::One { entity: lane.entity, rebase }, engine.now()).await);
    }
}

/// Whether anything of a sale has left the warehouse.
fn has_left(stage: &Stage, sale: u64) -> bool {
    let ledger = open(&stage.world).erp.books().only(&["orders"]);
    let rows = ledger.list("orders").as_array().into_iter().flatten().filter(|row| row["id"] == sale);
    rows.flat_map(|row| row["lines"].as_array().into_iter().flatten())
        .any(|line| line["shipped"].as_str().is_some_and(|left| left != "0"))
}

/// Puts goods of a sale that were picked back on the shelf.
fn put_back(stage: &Stage, sale: u64) {
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let picked = ids(world.erp.books().list("shipments"), "picked");
    let own: Vec<u64> = world.erp.shipments(sale).into_iter().filter(|id| picked.contains(id)).collect();
    for id in &own {
        world.in_hand.remove(id);
        world.packed_for.remove(id);
        let done = world.erp.press_shipment(now, *id, "cancel");
        world.event(&format!("the goods of shipment {id} are put back: {done}"));
    }
}

/// Whether a part of an order of the shop was cancelled after it was let go.
pub fn is_cut_down(order: &Value) -> bool {
    lines(order).any(|line| !number(&line["cancelled"]).is_zero())
}

/// How the document of an order that was cut down differs from what is left of it; none where it does not. Lines without money
/// are left out: heads of families, and what was free.
pub fn cut_otherwise(order: &Value, document: &Value) -> Option<String> {
    let goods = |line: &&Value| !matches!(line["sku"].as_str(), Some("SHIPPING" | "ROUNDING"));
    let carries = |line: &&Value| !number(&line["total"]).is_zero();
    let left = |line: &Value| number(&line["qty"]) - number(&line["cancelled"]);
    let mut ours: Vec<String> = lines(order)
        .filter(carries)
        .filter(|line| !left(line).is_zero())
        .map(|line| format!("{} × {}", left(line).normalize(), line["sku"]))
        .collect();
    // What is left of five pieces for a cent comes to nothing.
    let priced = |line: &&Value| !number(&line["price"]).is_zero();
    let theirs = lines(document).filter(goods).filter(priced).filter(|line| !number(&line["qty"]).is_zero());
    let mut theirs: Vec<String> =
        theirs.map(|line| format!("{} × {}", number(&line["qty"]).normalize(), line["sku"])).collect();
    ours.sort();
    theirs.sort();
    (ours != theirs).then(|| format!("{ours:?} are left in the shop, {theirs:?} in the ERP"))
}

fn lines(order: &Value) -> impl Iterator<Item = &Value> {
    order["lines"].as_array().into_iter().flatten()
}

fn number(value: &Value) -> Decimal {
    value.as_str().and_then(|text| Decimal::from_str_exact(text).ok()).unwrap_or_default()
}
