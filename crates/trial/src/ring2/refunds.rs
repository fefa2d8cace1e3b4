//! Refunds: what people of the shop give back of orders that are billed, counted in both ledgers, at all times and at rest.
//!
//! What carries our mark was made by us: the shop's memos for credits of the ERP, the ERP's notes for memos of people.

use super::bills::without;
use super::boot::{ERP, SHOP, Stage};
use super::check;
use super::world::{World, open};
use crate::sent::{coins, is_marked, number, text};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;
use syncline_core::id::SystemUid;
use syncline_core::kind::Kind;
use syncline_core::record::paper_apart;
use syncline_core::rules::Refunds;
use syncline_engine::Engine;
use syncline_sim::books::{Lists, rows};
use syncline_sim::http::System;
use syncline_sim::random::Random;
use syncline_store::{LaneFilter, Retry};

/// What is held of a refund that people settle by hand.
const BY_HAND: [&str; 4] = ["SYN-0192", "SYN-0193", "SYN-0199", "SYN-0113"];

/// Whether people give back at the counter of the shop in the schedule of `seed`, where the office works.
pub fn drawn(seed: u64) -> bool {
    Random::of(seed, 21, 0).chance(1, 2)
}

/// Opens the counter of `stage`, whose office is open: what is given back there becomes a credit note.
pub fn open_counter(stage: &mut Stage) {
    for target in stage.papers.iter_mut().flat_map(|rules| &mut rules.targets).take(1) {
        target.refunds = Refunds::Carry;
    }
}

/// Whether a counter is there.
pub fn is_open(stage: &Stage) -> bool {
    stage.papers.iter().flat_map(|rules| &rules.targets).any(|target| target.refunds != Refunds::Ask)
}

/// What people give back in one second of chaos.
pub fn each_second(stage: &Stage, second: u64) {
    if !is_open(stage) || !second.is_multiple_of(4) {
        return;
    }
    let now = stage.clock.true_now();
    let mut random = Random::of(stage.seed(), 21, second);
    let mut world = open(&stage.world);
    let billed = billed(stage, &world);
    let Some(order) = billed.get(random.index(billed.len().max(1))) else { return };
    let (id, shop) = (order["id"].as_u64().unwrap_or_default(), world.shop.books().only(&["shipments"]));
    let sent: Vec<u64> =
        rows(order, "lines").filter(|line| has_left(&shop, id, line)).filter_map(|line| line["id"].as_u64()).collect();
    let nothing = (Decimal::ZERO, Decimal::ZERO);
    let given = match (random.below(3), sent.get(random.index(sent.len().max(1)))) {
        (0, Some(line)) => world.shop.give_back(now, id, &[(*line, 1)], Decimal::ZERO, nothing),
        (1, _) => world.shop.give_back(now, id, &[], Decimal::ONE, nothing),
        _ => world.shop.give_back(now, id, &[], Decimal::ZERO, (Decimal::ONE, Decimal::ZERO)),
    };
    if given.is_some() {
        world.count("refunds");
        world.event(&format!("people of the shop give back of order {}", text(&order["number"])));
    }
}

/// The orders of the shop that the ERP has asked money for, each with a number of its own.
fn billed(stage: &Stage, world: &World) -> Vec<Value> {
    let (shop, erp) = (world.shop.books(), world.erp.books());
    let called = names(stage, world);
    let is_billed = |order: &&Value| {
        let name = called.get(&order["id"].as_u64().unwrap_or_default());
        name.is_some_and(|name| {
            rows(&erp, "orders").any(|sale| {
                text(&sale["reference"]) == *name && !number(&sale["posted"]).is_zero() && sale["returns"].is_null()
            })
        })
    };
    rows(&shop, "orders").filter(is_billed).cloned().collect()
}

/// What the ERP calls the orders of the shop, by their ids there; those left out whose number another one has, too.
fn names(stage: &Stage, world: &World) -> BTreeMap<u64, String> {
    let (shop, rules) = (world.shop.books(), stage.order_rules());
    let alone = |order: &&Value| rows(&shop, "orders").filter(|other| other["number"] == order["number"]).count() == 1;
    let name = |order: &Value| {
        // The counter is the first website's.
        let rules = rules.get(check::place_of(stage, 0, order)).filter(|rules| rules.source.as_str() == "shop")?;
        Some((order["id"].as_u64()?, rules.reference("", &text(&order["number"]))))
    };
    rows(&shop, "orders").filter(alone).filter_map(name).collect()
}

/// Whether all of a line left, as the shop counts.
fn has_left(shop: &impl Lists, order: u64, line: &Value) -> bool {
    let id = line["id"].to_string();
    let shipped = rows(shop, "shipments").filter(|paper| paper["order"].as_u64() == Some(order));
    let shipped: Decimal = shipped.map(|paper| number(&paper["lines"][&id])).sum();
    line["parent"].is_null() && !shipped.is_zero() && shipped == number(&line["qty"])
}

/// People settle by hand what may be the same money, or cannot be carried over: it is left to them from then on.
pub async fn decide(stage: &Stage, engine: &Engine) {
    if !is_open(stage) {
        return;
    }
    let filter = LaneFilter { kind: Some(Kind::Credit), states: vec!["held"], ..LaneFilter::default() };
    for lane in engine.store.lanes(filter).await.unwrap_or_default() {
        let Ok(case) = engine.store.load(lane.entity).await else { continue };
        let own = case.bound.get(&SystemUid::new(SHOP)).filter(|_| !case.bound.contains_key(&SystemUid::new(ERP)));
        let order = own.and_then(|bound| paper_apart(&bound.id)?.0.id.parse().ok());
        let (Some(order), Some(why)) = (order, lane.why) else { continue };
        if BY_HAND.contains(&why.code.as_str())
            && engine.store.retry(Retry::One { entity: lane.entity, rebase: true }, engine.now()).await.is_ok()
        {
            let mut world = open(&stage.world);
            world.refunds_by_hand.insert((order, lane.entity));
            world.event("a person takes over a refund");
        }
    }
}

/// Orders that the ERP gave money back of for what the shop did, otherwise than it did or once more. Holds at all times.
pub fn too_much(stage: &Stage, world: &World) -> Vec<String> {
    let over = |(order, (here, there, ..)): (String, Given)| {
        let more = without(there.clone(), &here);
        (!more.is_empty()).then(|| format!("{order}: {here:?} were given back in the shop, {there:?} credited for it"))
    };
    all(stage, world).into_iter().filter_map(|(_, order, given)| over((order, given))).collect()
}

/// What the ERP lacks of it, and drafts that nobody knows. At rest there is nothing but what people took over.
pub fn apart(stage: &Stage, world: &World) -> Vec<String> {
    let lacks = |(id, order, (here, there, drafts, asked)): (u64, String, Given)| {
        let here = if asked { here } else { there.clone() };
        let people = world.refunds_by_hand.iter().filter(|(own, _)| *own == id).count();
        let lack = without(here, &there);
        ((asked && lack.len() != people) || drafts > 0)
            .then(|| format!("{order}: {lack:?} are not credited, {people} left to people, {drafts} drafts are left"))
    };
    all(stage, world).into_iter().filter_map(lacks).collect()
}

/// How many refunds of the order that the ERP calls so people took over.
pub fn by_hand(stage: &Stage, world: &World, reference: &str) -> usize {
    let called = if is_open(stage) { names(stage, world) } else { BTreeMap::new() };
    world.refunds_by_hand.iter().filter(|(id, _)| called.get(id).is_some_and(|name| name == reference)).count()
}

/// What people gave back in the shop, what the ERP credited for it, how many drafts of such credits are there, and whether the
/// ERP asked for any goods.
type Given = (Vec<Decimal>, Vec<Decimal>, usize, bool);

fn all(stage: &Stage, world: &World) -> Vec<(u64, String, Given)> {
    if !is_open(stage) {
        return Vec::new();
    }
    let (shop, erp) = (world.shop.books(), world.erp.books());
    let of = |(id, name): (u64, String)| {
        let by_people = |paper: &&Value| paper["order"].as_u64() == Some(id) && !is_marked(paper);
        let given = |paper: &Value| coins(number(&paper["total"]), &paper["currency"]);
        let here: Vec<Decimal> = rows(&shop, "memos").filter(by_people).map(given).collect();
        let sales: Vec<&Value> = rows(&erp, "orders").filter(|sale| text(&sale["reference"]) == name).collect();
        let of_sale = |paper: &&Value| rows(*paper, "sales").any(|own| sales.iter().any(|sale| sale["id"] == *own));
        let ours: Vec<&Value> = rows(&erp, "credits").filter(of_sale).filter(|paper| is_marked(paper)).collect();
        // What the ERP asks for no goods of is not credited: not yet, or not any more.
        let goods = |line: &Value| line["sku"] != "SHIPPING" && line["sku"] != "ROUNDING";
        let is_due = |bill: &&Value| matches!(bill["state"].as_str(), Some("posted" | "paid"));
        let asked = rows(&erp, "invoices").filter(of_sale).filter(is_due).any(|bill| rows(bill, "lines").any(goods));
        let in_force = ours.iter().filter(|paper| matches!(paper["state"].as_str(), Some("posted" | "paid")));
        let there = in_force.map(|paper| number(&paper["total"])).collect();
        let drafts = ours.iter().filter(|paper| paper["state"] == "draft").count();
        (id, name, (here, there, drafts, asked))
    };
    names(stage, world).into_iter().map(of).collect()
}
