//! Buyers cancel orders that were taken over, while the warehouse picks and sends: what was taken in hand stays, the rest is
//! withdrawn.

use super::boot::Stage;
use super::world::{World, open};
use serde_json::Value;
use syncline_core::id::SystemName;
use syncline_core::kind::Kind;
use syncline_core::rules::Amendments;
use syncline_engine::Engine;
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
    stage.rules.amendments = Amendments::Carry;
    if let Some(outlet) = &mut stage.outlet {
        outlet.amendments = Amendments::Carry;
    }
}

/// Whether what changes in the shops of `stage` is carried over.
pub fn are_carried(stage: &Stage) -> bool {
    stage.rules.amendments == Amendments::Carry
}

/// What buyers and the warehouse do in one second of chaos.
pub fn each_second(stage: &Stage, second: u64) {
    if !are_carried(stage) || !second.is_multiple_of(19) {
        return;
    }
    let now = stage.clock.true_now();
    let mut random = Random::of(stage.seed(), 18, second);
    let mut world = open(&stage.world);
    let told = match random.chance(1, 2) {
        true => cancel(&mut world, now, &mut random),
        false => take_in_hand(&mut world, now, &mut random),
    };
    if let Some((what, told)) = told {
        world.count(what);
        world.event(&told);
    }
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
    let orders = ids(&world.shop.ledger()["orders"], "released");
    let id = *orders.get(random.index(orders.len().max(1)))?;
    world.shop.cancel_order(now, id).then(|| ("cancelled", format!("the buyer of order {id} cancels it")))
}

/// The warehouse picks a shipment, or sends all that a sale has waiting.
fn take_in_hand(world: &mut World, now: jiff::Timestamp, random: &mut Random) -> Option<(&'static str, String)> {
    let sales = ids(&world.erp.ledger()["orders"], "released");
    let sale = *sales.get(random.index(sales.len().max(1)))?;
    let shipment = *world.erp.shipments(sale).first()?;
    let leaves = random.chance(1, 2);
    let done = match leaves {
        true => world.erp.ship(now, sale),
        false => {
            world.erp.press_shipment(now, shipment, "assign_force") && world.erp.press_shipment(now, shipment, "pick")
        }
    };
    if !done {
        return None;
    }
    world.in_hand.insert(shipment);
    let how = if leaves { "leaves" } else { "is picked" };
    Some(("in_hand", format!("shipment {shipment} of sale {sale} {how}")))
}

/// Shipments that somebody took in hand and that were withdrawn by nobody in the warehouse. Must never be.
pub fn taken_back(world: &World) -> Vec<String> {
    if world.in_hand.is_empty() {
        return Vec::new();
    }
    let withdrawn = ids(&world.erp.ledger()["shipments"], "cancelled");
    let wrong = withdrawn.into_iter().filter(|id| world.in_hand.contains(id));
    wrong.map(|id| format!("shipment {id} was withdrawn though somebody had taken it in hand")).collect()
}

/// People see to what an order that was cancelled has there: goods that are picked go back on the shelf, what has left stays.
pub async fn decide(stage: &Stage, engine: &Engine) {
    let filter = LaneFilter { kind: Some(Kind::Order), states: vec!["held"], ..LaneFilter::default() };
    let held = engine.store.lanes(filter).await.unwrap_or_default();
    let asks = |lane: &LaneRow| lane.why.as_ref().is_some_and(|why| why.code == "SYN-0122");
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
    let ledger = open(&stage.world).erp.ledger();
    let rows = ledger["orders"].as_array().into_iter().flatten().filter(|row| row["id"] == sale);
    rows.flat_map(|row| row["lines"].as_array().into_iter().flatten())
        .any(|line| line["shipped"].as_str().is_some_and(|left| left != "0"))
}

/// Puts goods of a sale that were picked back on the shelf.
fn put_back(stage: &Stage, sale: u64) {
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let picked = ids(&world.erp.ledger()["shipments"], "picked");
    let own: Vec<u64> = world.erp.shipments(sale).into_iter().filter(|id| picked.contains(id)).collect();
    for id in &own {
        world.in_hand.remove(id);
        let done = world.erp.press_shipment(now, *id, "cancel");
        world.event(&format!("the goods of shipment {id} are put back: {done}"));
    }
}
