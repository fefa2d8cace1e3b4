//! Parcels: what the warehouse sends of the orders' sales, in parts and with numbers that come, change and go; counted in
//! both ledgers, at all times and at rest.

use super::boot::Stage;
use super::check;
use super::world::{World, open};
use crate::sent::{Sent, number, sent, text};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;
use syncline_core::id::SystemName;
use syncline_core::kind::Kind;
use syncline_core::rules::{MoneyRule, PaperRules, PaperTarget, Refunds};
use syncline_engine::Engine;
use syncline_sim::books::{Lists, rows};
use syncline_sim::http::System;
use syncline_sim::random::Random;
use syncline_store::{LaneFilter, Retry};

/// The rules of papers where they flow: to every shop there is, from whatever source the shop takes.
pub fn rules(shops: &[&str]) -> PaperRules {
    let target = |name: &&str| PaperTarget {
        system: SystemName::new(*name),
        carriers: [("DHL".to_string(), "dhl".to_string())].into(),
        places: Vec::new(),
        invoices: MoneyRule::Off,
        credits: MoneyRule::Off,
        payments: BTreeMap::new(),
        refunds: Refunds::Ask,
    };
    PaperRules { source: SystemName::new("erp"), targets: shops.iter().map(target).collect() }
}

/// Whether the warehouse sends parcels in the schedule of `seed`, where stock flows.
pub fn drawn(seed: u64) -> bool {
    Random::of(seed, 17, 0).chance(2, 3)
}

/// Has the warehouse of `stage` send parcels, and the shops told of them.
pub fn open_warehouse(stage: &mut Stage) {
    let shops: &[&str] = if stage.outlet.is_some() { &["shop", "outlet"] } else { &["shop"] };
    stage.papers = Some(rules(shops));
    let now = stage.clock.true_now();
    open(&stage.world).erp.activate_parcels(now);
}

/// What the warehouse does in one second of chaos.
pub fn each_second(stage: &Stage, second: u64) {
    if stage.papers.is_none() || !second.is_multiple_of(7) {
        return;
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let ledger = world.erp.books().only(&["orders", "shipments"]);
    if world.ships_by_hand && ship_by_hand(stage, &mut world, now) {
        return;
    }
    let done = match world.random.below(10) {
        0..=3 => send_part(&mut world, now, &ledger),
        4 | 5 => send_parcel(&mut world, now, &ledger, second),
        6..=8 => renumber(&mut world, now, &ledger, second),
        _ => None,
    };
    if let Some(told) = done {
        world.count("parcels");
        world.event(&told);
    }
}

/// People say of what a clerk of the shop shipped by hand that it is right so.
pub async fn decide(stage: &Stage, engine: &Engine) {
    if !open(&stage.world).ships_by_hand {
        return;
    }
    let filter = LaneFilter { kind: Some(Kind::Shipment), states: vec!["held"], ..LaneFilter::default() };
    for lane in engine.store.lanes(filter).await.unwrap_or_default() {
        if lane.why.is_some_and(|why| why.code == "SYN-0192") {
            drop(engine.store.retry(Retry::One { entity: lane.entity, rebase: true }, engine.now()).await);
        }
    }
}

/// What is left to send of each sale: its id, and how many of each SKU.
fn waiting(ledger: &impl Lists) -> Vec<(u64, BTreeMap<String, Decimal>)> {
    let mut sales = Vec::new();
    for sale in rows(ledger, "orders").filter(|row| row["state"] == "released") {
        let Some(id) = sale["id"].as_u64() else { continue };
        let mut left: BTreeMap<String, Decimal> = BTreeMap::new();
        for shipment in rows(ledger, "shipments") {
            let open = matches!(shipment["state"].as_str(), Some("waiting" | "assigned"));
            for line in rows(shipment, "lines").filter(|line| open && line["sale"].as_u64() == Some(id)) {
                *left.entry(text(&line["sku"])).or_default() += number(&line["qty"]);
            }
        }
        left.retain(|_, quantity| quantity.is_sign_positive() && !quantity.is_zero());
        if !left.is_empty() {
            sales.push((id, left));
        }
    }
    sales
}

fn send_part(world: &mut World, now: jiff::Timestamp, ledger: &impl Lists) -> Option<String> {
    let sales = waiting(ledger);
    let (sale, left) = sales.get(world.random.index(sales.len().max(1)))?;
    let goods: Vec<(&str, Decimal)> = left
        .iter()
        .filter(|_| world.random.chance(2, 3))
        .map(|(sku, quantity)| (sku.as_str(), half(*quantity)))
        .filter(|(_, quantity)| !quantity.is_zero())
        .collect();
    if goods.is_empty() {
        return None;
    }
    let shipment = world.erp.ship_part(now, *sale, &goods)?;
    Some(format!("shipment {shipment} leaves with a part of sale {sale}"))
}

/// A clerk of the shop ships what has left of an order of one line of goods and is not told there yet.
fn ship_by_hand(stage: &Stage, world: &mut World, now: jiff::Timestamp) -> bool {
    let untold = all(stage, world).into_iter().find(|(_, (here, there))| here.shipments == 1 && there.shipments == 0);
    let Some((reference, (here, _))) = untold else { return false };
    let ledger = world.shop.books().only(&["orders"]);
    let orders = ledger.list("orders").as_array().into_iter().flatten();
    let Some(order) = orders.into_iter().find(|order| text(&order["number"]) == reference) else { return false };
    let lines: Vec<(u64, u32)> = order["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|line| line["parent"].is_null())
        .filter_map(|line| {
            let quantity = here.pieces.get(&text(&line["sku"]))?.normalize();
            Some((line["id"].as_u64()?, u32::try_from(quantity.mantissa()).ok().filter(|_| quantity.scale() == 0)?))
        })
        .collect();
    let done = !lines.is_empty()
        && order["id"].as_u64().is_some_and(|id| world.shop.ship_by_hand(now, id, &lines, None).is_some());
    if done {
        world.event(&format!("a clerk of the shop ships order {reference} by hand"));
    }
    done
}

/// Half of a quantity, whole pieces at least one.
fn half(quantity: Decimal) -> Decimal {
    (quantity / Decimal::TWO).ceil().min(quantity)
}

fn send_parcel(world: &mut World, now: jiff::Timestamp, ledger: &impl Lists, second: u64) -> Option<String> {
    let sales = waiting(ledger);
    let (sale, _) = sales.get(world.random.index(sales.len().max(1)))?;
    let number = format!("JJD{second:04}");
    let told = world.random.chance(1, 2).then_some(number.as_str());
    let shipment = world.erp.ship_in_parcels(now, *sale, "DHL", &[(&[], told)])?;
    Some(format!("shipment {shipment} leaves in a parcel with all that is left of sale {sale}"))
}

fn renumber(world: &mut World, now: jiff::Timestamp, ledger: &impl Lists, second: u64) -> Option<String> {
    let left: Vec<u64> = ledger
        .list("shipments")
        .as_array()?
        .iter()
        .filter(|row| row["left"] == true)
        .filter_map(|row| row["id"].as_u64())
        .collect();
    let parcels: Vec<u64> = left.into_iter().flat_map(|shipment| world.erp.parcels(shipment)).collect();
    let parcel = *parcels.get(world.random.index(parcels.len().max(1)))?;
    let number = format!("NEW{second:04}");
    let number = world.random.chance(4, 5).then_some(number.as_str());
    world.erp.track(now, parcel, number);
    Some(format!("parcel {parcel} has the number {number:?}"))
}

/// Orders of which a shop says that more has left than did. Holds at all times.
pub fn too_many(stage: &Stage, world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for (reference, (here, there)) in all(stage, world) {
        if there.shipments > here.shipments {
            found.push(format!("{reference}: {} shipments left, {} in the shop", here.shipments, there.shipments));
        }
        for (sku, quantity) in &there.pieces {
            let left = here.pieces.get(sku).copied().unwrap_or_default();
            if *quantity > left {
                found.push(format!("{reference}: {left} × {sku} left, {quantity} in the shop"));
            }
        }
    }
    found
}

/// What did not reach a shop as it left. At rest there is nothing.
pub fn apart(stage: &Stage, world: &World) -> Vec<String> {
    let apart = all(stage, world).into_iter().filter(|(_, (here, there))| {
        let pieces = |sent: &Sent| {
            sent.pieces
                .iter()
                .filter(|(_, n)| !n.is_zero())
                .map(|(s, n)| (s.clone(), n.normalize()))
                .collect::<Vec<_>>()
        };
        here.shipments != there.shipments || pieces(here) != pieces(there) || here.tracks != there.tracks || there.twice
    });
    apart.map(|(reference, (here, there))| format!("{reference}: {here:?} left, {there:?} in the shop")).collect()
}

fn all(stage: &Stage, world: &World) -> BTreeMap<String, (Sent, Sent)> {
    if stage.papers.is_none() {
        return BTreeMap::new();
    }
    let (erp, rules) = (world.erp.books(), stage.order_rules());
    let mut all = BTreeMap::new();
    for (at, shop) in world.shops().enumerate() {
        let called =
            |order: &Value| Some(rules.get(check::place_of(stage, at, order))?.reference("", &text(&order["number"])));
        all.extend(sent(&shop.books(), called, &erp));
    }
    all
}
