//! Goods move while orders cross: buyers buy what the shop offers, people sell over the counter, ship and receive.

use super::boot::Stage;
use super::world::{World, open};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::SystemName;
use syncline_core::rules::{OrderRules, StockRules, StockTarget};
use syncline_sim::books::Lists;
use syncline_sim::catalogue::{Form, Item};
use syncline_sim::http::System;

/// The rules of stock where it flows: one warehouse, shown in one source.
pub fn rules() -> StockRules {
    StockRules {
        source: SystemName::new("erp"),
        targets: vec![StockTarget {
            system: SystemName::new("shop"),
            safety: Decimal::ZERO,
            places: vec![("default".to_string(), vec!["WH".to_string()])],
        }],
    }
}

/// Pieces of each scarce thing at first.
const SCARCE: u32 = 4;

/// Makes every third thing scarce before anybody buys.
pub fn open_the_doors(stage: &Stage) {
    if stage.stock.is_none() {
        return;
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    for (at, sku) in codes(&stage.catalogue).into_iter().enumerate() {
        if at % 3 == 0 {
            let there = held(&world.erp.books()).get(&sku).map_or(0, |held| whole(held.on_hand));
            world.erp.take(now, &sku, there.saturating_sub(SCARCE));
        }
    }
}

/// What people and buyers do in one second of chaos.
pub fn each_second(stage: &Stage, second: u64) {
    if stage.stock.is_none() || !second.is_multiple_of(9) {
        return;
    }
    let now = stage.clock.true_now();
    let codes = codes(&stage.catalogue);
    let mut world = open(&stage.world);
    let at = world.random.index(codes.len());
    let Some(sku) = codes.get(at) else { return };
    let pieces = u32::try_from(world.random.between(1, 3)).unwrap_or(1);
    let what = match world.random.below(10) {
        // Each bought order takes as many calls as any other: a few are enough.
        0 if world.outlet.is_some() && second.is_multiple_of(2) => {
            ("is bought in the outlet", world.outlet.as_mut().is_some_and(|outlet| outlet.buy(now, sku, pieces)))
        }
        0 => ("is bought in the shop", world.shop.buy(now, sku, pieces)),
        1..=4 => ("is sold over the counter", world.erp.take(now, sku, pieces)),
        5 => ("is received", world.erp.receive(now, sku, pieces)),
        6 | 7 => ("leaves the warehouse with all of its sale", ship_one(&mut world.erp, now)),
        _ => return,
    };
    if what.1 {
        world.count("trade");
        world.event(&format!("{pieces} of {sku} {}", what.0));
    }
}

/// Ships the first sale that has something to ship.
pub fn ship_one(erp: &mut syncline_sim::tryton::Erp, now: jiff::Timestamp) -> bool {
    let ledger = erp.books().only(&["orders"]);
    let sales = ledger.list("orders").as_array().into_iter().flatten().filter(|row| row["state"] == "released");
    let ids: Vec<u64> = sales.filter_map(|row| row["id"].as_u64()).collect();
    ids.into_iter().any(|id| erp.ship(now, id))
}

/// Codes of everything that lies on a shelf.
pub fn codes(catalogue: &[Item]) -> Vec<String> {
    let counted = |item: &&Item| matches!(item.form, Form::Simple);
    catalogue.iter().filter(counted).map(|item| item.sku.clone()).collect()
}

/// What the ERP holds of one thing in all warehouses.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    on_hand: Decimal,
    forecast: Decimal,
    /// Planned to leave before today and not gone yet: in no forecast, and promised all the same.
    late: Decimal,
}

impl Held {
    /// What may still be promised; below zero where more was promised than is there.
    pub fn free(&self) -> Decimal {
        self.on_hand.min(self.forecast) - self.late
    }
}

/// What the ERP's ledger tells of each thing.
pub fn held(erp: &impl Lists) -> BTreeMap<String, Held> {
    let mut held: BTreeMap<String, Held> = BTreeMap::new();
    for row in erp.list("stock").as_array().into_iter().flatten() {
        let number = |field: &str| Decimal::from_str_exact(row[field].as_str().unwrap_or("0")).unwrap_or_default();
        let entry = held.entry(row["sku"].as_str().unwrap_or_default().to_string()).or_default();
        entry.on_hand += number("on_hand");
        entry.forecast += number("forecast");
        entry.late += number("late");
    }
    held
}

fn whole(number: Decimal) -> u32 {
    u32::try_from(number.max(Decimal::ZERO).floor().normalize().mantissa()).unwrap_or(0)
}

/// What buyers of the shop may still buy. Below zero, more is reserved than there is: nobody can buy.
pub fn salable(shop: &impl Lists) -> BTreeMap<String, Decimal> {
    let number = |value: &Value| Decimal::from_str_exact(value.as_str().unwrap_or("0")).unwrap_or_default();
    let rows = shop.list("salable").as_object().into_iter().flatten();
    rows.map(|(sku, quantity)| (sku.clone(), number(quantity).max(Decimal::ZERO))).collect()
}

/// What the shops' orders of before `until` take from stock that the ERP has not reserved, by SKU. Their references
/// follow `rules`, shop by shop.
pub fn ordered(world: &World, rules: &[OrderRules], until: jiff::Timestamp) -> BTreeMap<String, Decimal> {
    let there: BTreeSet<String> = rows(&world.erp.books(), "orders")
        .into_iter()
        .filter(|row| row["state"] == "released")
        .filter_map(|row| row["reference"].as_str().map(str::to_string))
        .collect();
    let mut ordered = BTreeMap::new();
    let orders = world
        .shops()
        .zip(rules)
        .flat_map(|(shop, rules)| rows(&shop.books(), "orders").into_iter().map(move |order| (order, rules)));
    for (order, rules) in orders {
        let known = order["number"].as_str().is_some_and(|number| there.contains(&rules.reference("", number)));
        let placed = order["placed"].as_str().map(|placed| format!("{}Z", placed.replace(' ', "T")));
        let placed = placed.and_then(|placed| placed.parse::<jiff::Timestamp>().ok());
        if known || order["state"] == "cancelled" || placed.is_none_or(|placed| placed > until) {
            continue;
        }
        for line in order["lines"].as_array().into_iter().flatten().filter(|line| line["parent"].is_null()) {
            let quantity = Decimal::from_str_exact(line["qty"].as_str().unwrap_or("0")).unwrap_or_default();
            *ordered.entry(line["sku"].as_str().unwrap_or_default().to_string()).or_default() += quantity;
        }
    }
    ordered
}

fn rows(ledger: &impl Lists, list: &str) -> Vec<Value> {
    ledger.list(list).as_array().cloned().unwrap_or_default()
}

/// Every way in which buyers may have something else than what the ERP can still promise, once all orders are there.
pub fn unsold(shop: &impl Lists, erp: &impl Lists, safety: Decimal) -> Vec<String> {
    let mut found = Vec::new();
    let held = held(erp);
    for (sku, salable) in salable(shop) {
        let Some(held) = held.get(&sku) else { continue };
        let free = (held.free() - safety).floor().max(Decimal::ZERO);
        if salable != free {
            found.push(format!("{sku}: {salable} for sale, {free} to promise"));
        }
    }
    if held.is_empty() {
        found.push("the ERP tells of no stock".to_string());
    }
    found
}
