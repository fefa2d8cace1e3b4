//! Bills: what the ERP's office asks money for and gives back of the orders' sales, counted in both ledgers, at all times and
//! at rest.

use super::boot::{ERP, Stage};
use super::check;
use super::payments;
use super::refunds;
use super::world::{World, open};
use crate::sent::{is_marked, number, text};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;
use syncline_core::id::SystemUid;
use syncline_core::kind::Kind;
use syncline_core::record::paper_apart;
use syncline_core::rules::{MoneyRule, Refunds};
use syncline_engine::Engine;
use syncline_sim::books::{Lists, rows};
use syncline_sim::http::System;
use syncline_sim::magento::Shop;
use syncline_sim::random::Random;
use syncline_store::{LaneFilter, Retry};

/// What stands in the lists of both ledgers for the same papers.
const SORTS: [(Kind, &str, &str); 2] = [(Kind::Invoice, "invoices", "invoices"), (Kind::Credit, "credits", "memos")];

/// Whether the office works in the schedule of `seed`, where the warehouse does.
pub fn drawn(seed: u64) -> bool {
    Random::of(seed, 18, 0).chance(1, 2)
}

/// Opens the office of `stage`, whose warehouse is open: what is sold is billed at once, or as it leaves; the shops are told of
/// invoices once they are in force, or paid.
pub fn open_office(stage: &mut Stage, as_it_leaves: bool) {
    if as_it_leaves {
        let now = stage.clock.true_now();
        open(&stage.world).erp.invoice_by(now, "fulfillment");
    }
    let rule = if Random::of(stage.seed(), 18, 1).chance(1, 2) { MoneyRule::Posted } else { MoneyRule::Paid };
    for target in stage.papers.iter_mut().flat_map(|rules| &mut rules.targets) {
        (target.invoices, target.credits) = (rule, MoneyRule::Posted);
    }
}

/// Whether that of `seed` bills what is sold as it leaves.
pub fn as_it_leaves(seed: u64) -> bool {
    Random::of(seed, 18, 2).chance(1, 3)
}

/// Whether an office is there.
pub fn is_open(stage: &Stage) -> bool {
    stage.papers.iter().flat_map(|rules| &rules.targets).any(|target| target.credits != MoneyRule::Off)
}

/// What the office does in one second of chaos.
pub fn each_second(stage: &Stage, second: u64) {
    if !is_open(stage) || !second.is_multiple_of(5) {
        return;
    }
    let now = stage.clock.true_now();
    let mut random = Random::of(stage.seed(), 18, second);
    let mut world = open(&stage.world);
    let ledger = world.erp.books().only(&["orders", "shipments"]);
    let sales: Vec<&Value> =
        rows(&ledger, "orders").filter(|sale| sale["state"] == "released" && sale["returns"].is_null()).collect();
    let Some(sale) = sales.get(random.index(sales.len().max(1))) else { return };
    let Some(id) = sale["id"].as_u64() else { return };
    let (posted, paid) = (number(&sale["posted"]), number(&sale["paid"]));
    let elsewhere = payments::paid_elsewhere(stage, &world).contains(&text(&sale["reference"]));
    let told = if world.erp.post_invoices(now, id) {
        Some(format!("what is billed of sale {id} is posted"))
    } else if paid != posted && !elsewhere {
        world.erp.pay_invoices(now, id).then(|| format!("what is billed of sale {id} is paid"))
    } else if !posted.is_zero() && number(&sale["refunded"]).is_zero() && has_left(&ledger, id) {
        give_back(&mut world, now, sale, &mut random)
    } else {
        None
    };
    if let Some(told) = told {
        world.count("bills");
        world.event(&told);
    }
}

/// Whether all of a sale has left.
fn has_left(ledger: &impl Lists, sale: u64) -> bool {
    let of_sale = |shipment: &&Value| rows(*shipment, "lines").any(|line| line["sale"].as_u64() == Some(sale));
    let mut shipments = rows(ledger, "shipments").filter(of_sale).peekable();
    shipments.peek().is_some() && shipments.all(|shipment| shipment["left"] == true)
}

/// Gives back all of a sale, a piece, its freight, or an amount.
fn give_back(world: &mut World, now: jiff::Timestamp, sale: &Value, random: &mut Random) -> Option<String> {
    let id = sale["id"].as_u64()?;
    let sold: Vec<&Value> =
        rows(sale, "lines").filter(|line| number(&line["total"]) > Decimal::ONE && line["sku"] != "SHIPPING").collect();
    let line = sold.get(random.index(sold.len().max(1)))?;
    let (sku, quantity) = (text(&line["sku"]), number(&line["qty"]));
    let erp = &mut world.erp;
    let what = match random.below(4) {
        0 => (!erp.credit_all(now, id).is_empty()).then(|| "all".to_string()),
        1 => erp.credit(now, id, &[(sku.as_str(), Decimal::ONE.min(quantity))]).map(|_| format!("one {sku}")),
        2 => erp.credit_freight(now, id).map(|_| "the freight".to_string()),
        _ => {
            let half = (number(&line["total"]) / quantity / Decimal::TWO).round_dp(0).max(Decimal::ONE);
            erp.credit_amount(now, id, &sku, half).map(|_| format!("{half} of {sku}"))
        }
    };
    what.map(|what| format!("{what} of sale {id} is given back"))
}

/// People take over what the shop cannot be told of to the cent: from then on it is left to them.
pub async fn decide(stage: &Stage, engine: &Engine) {
    if !is_open(stage) {
        return;
    }
    let filter = LaneFilter { states: vec!["held", "failed"], ..LaneFilter::default() };
    let lanes = engine.store.lanes(filter).await.unwrap_or_default();
    for lane in lanes.into_iter().filter(|lane| matches!(lane.kind, Kind::Invoice | Kind::Credit)) {
        // What the shop was not asked for it does not give back.
        let follows = !open(&stage.world).left_to_people.is_empty() || refunds::is_open(stage);
        // Nor does it give back what it gave back for others already (SYN-0206: so much is not left).
        let codes: &[&str] = if follows { &["SYN-0199", "SYN-0192", "SYN-0193", "SYN-0206"] } else { &["SYN-0199"] };
        if lane.why.is_some_and(|why| codes.contains(&why.code.as_str()))
            && let Ok(told) = engine.store.load(lane.entity).await
            && told.bound.contains_key(&SystemUid::new(ERP))
            && engine.store.retry(Retry::One { entity: lane.entity, rebase: true }, engine.now()).await.is_ok()
        {
            let below = told.bound.get(&SystemUid::new(ERP)).and_then(|bound| Some(paper_apart(&bound.id)?.0));
            let sale = below.and_then(|sale| sale.id.parse().ok()).unwrap_or_default();
            let mut world = open(&stage.world);
            world.left_to_people.insert((lane.kind, sale, lane.entity));
            world.event("a person takes over a bill");
        }
    }
}

/// Orders that a shop asked money for, or gave money back of, otherwise than the ERP did or once more. Holds at all times.
pub fn too_much(stage: &Stage, world: &World) -> Vec<String> {
    let over = |(what, (here, there)): (String, (Vec<Decimal>, Vec<Decimal>))| {
        let more = without(there.clone(), &here);
        (!more.is_empty()).then(|| format!("{what}: {there:?} in the shop, {here:?} in the ERP"))
    };
    all(stage, world).into_iter().filter_map(over).collect()
}

/// What the shops lack of it. At rest there is nothing but what people took over.
pub fn apart(stage: &Stage, world: &World) -> Vec<String> {
    let erp = world.erp.books();
    let name = |sale: u64| {
        rows(&erp, "orders").find(|row| row["id"] == sale).map_or(String::new(), |row| text(&row["reference"]))
    };
    let left: Vec<String> =
        world.left_to_people.iter().map(|(kind, sale, _)| format!("{kind} {}", name(*sale))).collect();
    let lacks = |(what, (here, there)): (String, (Vec<Decimal>, Vec<Decimal>))| {
        let (lack, people) = (without(here, &there), left.iter().filter(|other| **other == what).count());
        // What the shop gave back itself and people took over may be the same money: the ERP's credit is left as it is.
        let same = refunds::by_hand(stage, world, what.strip_prefix("credit ").unwrap_or_default());
        (!(people..=people + same).contains(&lack.len()))
            .then(|| format!("{what}: {lack:?} are not in the shop, {people} left to people"))
    };
    all(stage, world).into_iter().filter_map(lacks).collect()
}

/// `all` without `some`, each amount as often as it stands there.
pub(super) fn without(mut all: Vec<Decimal>, some: &[Decimal]) -> Vec<Decimal> {
    for amount in some {
        if let Some(at) = all.iter().position(|other| other == amount) {
            all.swap_remove(at);
        }
    }
    all
}

/// The totals of each order's papers of each sort: those the shop is to have, and those it has.
fn all(stage: &Stage, world: &World) -> BTreeMap<String, (Vec<Decimal>, Vec<Decimal>)> {
    let mut all = BTreeMap::new();
    if !is_open(stage) {
        return all;
    }
    let (erp, rules) = (world.erp.books(), stage.order_rules());
    for (at, shop) in world.shops().map(Shop::books).enumerate() {
        for order in rows(&shop, "orders") {
            // A number that two orders have does not tell which of them a paper is about.
            if rows(&shop, "orders").filter(|other| other["number"] == order["number"]).count() > 1 {
                continue;
            }
            let place = check::place_of(stage, at, order);
            let (Some(rules), Some(target)) =
                (rules.get(place), stage.papers.as_ref().and_then(|rules| rules.targets.get(place)))
            else {
                continue;
            };
            let reference = rules.reference("", &text(&order["number"]));
            let carried = target.refunds != Refunds::Ask;
            for (kind, here, there) in SORTS {
                // What a buyer paid the shop asked for by itself.
                if kind == Kind::Invoice && payments::is_paid_by_buyer(world, at, order) {
                    continue;
                }
                let shown: Vec<Decimal> = rows(&shop, there)
                    .filter(|paper| paper["order"] == order["id"])
                    .filter(|paper| !(kind == Kind::Credit && carried) || is_marked(paper))
                    .map(|paper| number(&paper["total"]))
                    .collect();
                // The shop took the money itself: it is told of no invoice.
                let taken = number(&order["paid"]) > shown.iter().sum();
                let due: &[&str] = match (kind, target.invoices) {
                    (Kind::Invoice, _) if taken => &[],
                    (Kind::Invoice, MoneyRule::Paid) => &["paid"],
                    _ => &["posted", "paid"],
                };
                let here = with_freight(of_sale(&erp, here, &reference, due), &shown);
                all.insert(format!("{kind} {reference}"), (here, shown));
            }
        }
    }
    all
}

/// One paper of the ERP: its total, and whether it is about freight alone.
type Bill = (Decimal, bool);

/// What the shop is to ask for: freight that was billed alone goes along with one of the invoices of goods, in the shop with
/// its first.
fn with_freight(bills: Vec<Bill>, shown: &[Decimal]) -> Vec<Decimal> {
    let freight: Decimal = bills.iter().filter(|(_, alone)| *alone).map(|(total, _)| *total).sum();
    let mut goods: Vec<Decimal> = bills.into_iter().filter(|(_, alone)| !alone).map(|(total, _)| total).collect();
    if let Some(first) = goods.iter_mut().find(|total| shown.contains(&(**total + freight))) {
        *first += freight;
    }
    goods
}

/// The ERP's papers for sales of that name, in those states.
fn of_sale(erp: &impl Lists, list: &str, reference: &str, states: &[&str]) -> Vec<Bill> {
    let sales: Vec<u64> = rows(erp, "orders")
        .filter(|sale| sale["reference"] == reference && sale["returns"].is_null())
        .filter_map(|sale| sale["id"].as_u64())
        .collect();
    // What was made for what people of the shop gave back is none of the ERP's own.
    let fits = |paper: &&Value| {
        !is_marked(paper)
            && rows(*paper, "sales").filter_map(Value::as_u64).any(|sale| sales.contains(&sale))
            && states.iter().any(|state| paper["state"] == *state)
    };
    let alone = |paper: &Value| {
        list == "invoices" && rows(paper, "lines").all(|line| line["sku"] == "SHIPPING" || line["sku"] == "ROUNDING")
    };
    rows(erp, list).filter(fits).map(|paper| (number(&paper["total"]), alone(paper))).collect()
}
