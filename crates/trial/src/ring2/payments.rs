//! Payments: what buyers' gateways give the shops for their orders, booked in the ERP once each; counted in both ledgers, at
//! all times and at rest.

use super::boot::Stage;
use super::check;
use super::world::{World, open};
use crate::sent::{number, text};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::kind::Kind;
use syncline_engine::Engine;
use syncline_sim::books::{Lists, rows};
use syncline_sim::http::System;
use syncline_sim::magento::Shop;
use syncline_sim::random::Random;
use syncline_store::{LaneFilter, Retry};

/// Methods by which a gateway gives the money.
const GATEWAYS: [&str; 2] = ["braintree", "paypal_express"];
/// What the ERP books it by.
const METHOD: &str = "Gateway";

/// Whether buyers pay by gateways in the schedule of `seed`, where the office works.
pub fn drawn(seed: u64) -> bool {
    Random::of(seed, 18, 3).chance(1, 2)
}

/// Has the ERP of `stage` told of what its shops take by gateways; what is paid otherwise its office books.
pub fn open_till(stage: &mut Stage) {
    let mut rows: BTreeMap<String, String> =
        GATEWAYS.iter().map(|gateway| ((*gateway).to_string(), METHOD.to_string())).collect();
    rows.insert("*".to_string(), "off".to_string());
    for target in stage.papers.iter_mut().flat_map(|rules| &mut rules.targets) {
        target.payments.clone_from(&rows);
    }
}

/// Whether the ERP is told.
pub fn is_open(stage: &Stage) -> bool {
    stage.papers.iter().flat_map(|rules| &rules.targets).any(|target| target.tells_payments())
}

/// What buyers' gateways give in one second of chaos: all of an order that is left, or a piece of it.
pub fn each_second(stage: &Stage, second: u64) {
    if !is_open(stage) || second % 6 != 3 {
        return;
    }
    let (now, mut random) = (stage.clock.true_now(), Random::of(stage.seed(), 19, second));
    let mut world = open(&stage.world);
    let mut taken = None;
    for (at, shop) in world.shops_mut().enumerate() {
        let ledger = shop.books().only(&["orders"]);
        let orders: Vec<&Value> =
            rows(&ledger, "orders").filter(|order| is_by_gateway(order) && order["state"] == "released").collect();
        let Some(order) = orders.get(random.index(orders.len().max(1))) else { continue };
        let Some(id) = order["id"].as_u64() else { continue };
        let lines: Vec<u64> = rows(*order, "lines").filter_map(|line| line["id"].as_u64()).collect();
        let part = lines.get(random.index(lines.len().max(1))).copied().filter(|_| random.chance(1, 2));
        let lines: Vec<(u64, u32)> = part.into_iter().map(|line| (line, 1)).collect();
        if shop.invoice_by_hand(now, id, &lines).is_some() {
            taken = Some((at, id));
            break;
        }
    }
    if let Some((at, id)) = taken {
        world.paid_by_buyers.insert((at, id));
        world.count("captures");
        world.event(&format!("a gateway gives money for order {id} of shop {at}"));
    }
}

/// Whether an order was paid by a gateway.
fn is_by_gateway(order: &Value) -> bool {
    GATEWAYS.iter().any(|gateway| order["method"] == *gateway)
}

/// What the ERP calls orders that gateways pay, where it is told of that: its office leaves their invoices alone.
pub fn paid_elsewhere(stage: &Stage, world: &World) -> BTreeSet<String> {
    if !is_open(stage) {
        return BTreeSet::new();
    }
    orders(stage, world).into_iter().filter(|one| is_by_gateway(&one.order)).map(|one| one.reference).collect()
}

/// Whether the buyer paid `order` of the shop number `at`, so that the shop asked for the money by itself.
pub fn is_paid_by_buyer(world: &World, at: usize, order: &Value) -> bool {
    order["id"].as_u64().is_some_and(|id| world.paid_by_buyers.contains(&(at, id)))
}

/// One order of a shop.
struct One {
    at: usize,
    order: Value,
    reference: String,
    /// What its shop took, invoice by invoice.
    taken: Vec<Decimal>,
}

/// The orders of all shops; not those of which two have one number.
fn orders(stage: &Stage, world: &World) -> Vec<One> {
    let (mut all, rules) = (Vec::new(), stage.order_rules());
    for (at, shop) in world.shops().map(Shop::books).enumerate() {
        for order in rows(&shop, "orders") {
            if rows(&shop, "orders").filter(|other| other["number"] == order["number"]).count() > 1 {
                continue;
            }
            let Some(rules) = rules.get(check::place_of(stage, at, order)) else { continue };
            let reference = rules.reference("", &text(&order["number"]));
            let taken = rows(&shop, "invoices").filter(|paper| paper["order"] == order["id"]);
            let taken = taken.map(|paper| number(&paper["total"])).collect();
            all.push(One { at, order: order.clone(), reference, taken });
        }
    }
    all
}

/// What was booked of ours on invoices of the sale of that name.
fn booked(erp: &impl Lists, sale: &Value) -> Decimal {
    let of_sale = |row: &&Value| rows(*row, "sales").any(|one| *one == sale["id"]);
    let ours = rows(erp, "payments").filter(of_sale).filter(|row| text(&row["description"]).starts_with("SL"));
    ours.map(|row| number(&row["amount"])).sum()
}

fn sale_of<'a>(erp: &'a impl Lists, reference: &str) -> Option<&'a Value> {
    rows(erp, "orders").find(|sale| sale["reference"] == reference && sale["returns"].is_null())
}

/// Orders of which more was booked than their shop took. Holds at all times.
pub fn too_much(stage: &Stage, world: &World) -> Vec<String> {
    if !is_open(stage) {
        return Vec::new();
    }
    let erp = world.erp.books();
    let over = |one: One| {
        let sale = sale_of(&erp, &one.reference)?;
        let (taken, booked): (Decimal, _) = (one.taken.iter().sum(), booked(&erp, sale));
        (booked > taken).then(|| format!("order {}: {booked} are booked, {taken} were taken", one.reference))
    };
    orders(stage, world).into_iter().filter_map(over).collect()
}

/// Orders of which less is booked than was taken and is asked for. At rest there is nothing but what people took over.
pub fn apart(stage: &Stage, world: &World) -> Vec<String> {
    if !is_open(stage) {
        return Vec::new();
    }
    let erp = world.erp.books();
    let lacks = |one: One| {
        let sale = sale_of(&erp, &one.reference)?;
        let untouched = number(&sale["refunded"]).is_zero() && is_by_gateway(&one.order);
        if !untouched || world.payments_left.contains(&one.reference) {
            return None;
        }
        let (taken, booked): (Decimal, _) = (one.taken.iter().sum(), booked(&erp, sale));
        let due = taken.min(number(&sale["posted"]));
        (booked != due).then(|| format!("order {}: {booked} are booked, {due} are due", one.reference))
    };
    orders(stage, world).into_iter().filter_map(lacks).collect()
}

/// People take over what nobody can tell apart: bills of orders that buyers paid in part by themselves, and money that finds
/// no invoice.
pub async fn decide(stage: &Stage, engine: &Engine) {
    if !is_open(stage) {
        return;
    }
    let filter = LaneFilter { states: vec!["held"], ..LaneFilter::default() };
    for lane in engine.store.lanes(filter).await.unwrap_or_default() {
        let codes: &[&str] = match lane.kind {
            Kind::Invoice | Kind::Credit => &["SYN-0192", "SYN-0193", "SYN-0199"],
            Kind::Payment => &["SYN-0192", "SYN-0187", "SYN-0189"],
            _ => continue,
        };
        let Some(why) = lane.why.filter(|why| codes.contains(&why.code.as_str())) else { continue };
        let reference = order_behind(stage, engine, lane.entity).await;
        // Of two orders with one number nobody says which it is; their money is seen to all the same.
        if reference.is_none() && lane.kind != Kind::Payment {
            continue;
        }
        if engine.store.retry(Retry::One { entity: lane.entity, rebase: true }, engine.now()).await.is_ok() {
            let mut world = open(&stage.world);
            world.payments_left.extend(reference);
            world.event(&format!("a person takes over a {} ({})", lane.kind, why.code));
        }
    }
}

/// What the ERP calls the order that a paper is of, where its buyer paid by a gateway.
async fn order_behind(stage: &Stage, engine: &Engine, paper: syncline_core::id::EntityId) -> Option<String> {
    let case = engine.store.load(paper).await.ok()?;
    let (mut sales, mut ids) = (Vec::new(), Vec::new());
    for (uid, bound) in &case.bound {
        let (order, _) = syncline_core::record::paper_apart(&bound.id)?;
        if uid.as_str() == super::boot::ERP { sales.push(order.id) } else { ids.push(order.id) }
    }
    let world = open(&stage.world);
    let erp = world.erp.books();
    let named = |reference: &str| sale_of(&erp, reference).map(|sale| sale["id"].to_string());
    orders(stage, &world)
        .into_iter()
        .filter(|one| {
            is_by_gateway(&one.order) && (case.kind == Kind::Payment || is_paid_by_buyer(&world, one.at, &one.order))
        })
        .find(|one| {
            ids.contains(&one.order["id"].to_string()) || named(&one.reference).is_some_and(|id| sales.contains(&id))
        })
        .map(|one| one.reference)
}
