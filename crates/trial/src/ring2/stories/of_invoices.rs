//! Invoices: what the ERP asked money for, and was paid, is counted once by the shop, to the cent.

use super::{PRODUCTS, begun, broken, killed, passes, place, troubled};
use crate::ring2::boot::Stage;
use crate::ring2::parcels;
use crate::ring2::weather::Fault;
use crate::ring2::world::open;
use rust_decimal::Decimal;
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use syncline_core::kind::{Flow, Kind};
use syncline_core::rules::MoneyRule;
use syncline_engine::Engine;
use syncline_sim::http::System as _;
use syncline_store::LaneFilter;

/// Plays `story` on a stage whose shop is told of invoices by `rule`.
pub(super) fn billing<F: Future<Output = ()>>(seed: u64, rule: MoneyRule, story: impl FnOnce(Stage) -> F) {
    begun((seed, PRODUCTS, None), |mut stage| {
        parcels::open_warehouse(&mut stage);
        stage.stock = None;
        for target in stage.papers.iter_mut().flat_map(|rules| &mut rules.targets) {
            target.invoices = rule;
        }
        story(stage)
    });
}

/// An order paid later, of which nothing was invoiced yet. Returns its number.
pub(super) fn on_account(stage: &Stage, n: u64) -> String {
    place(stage, n, |order| {
        order["state"] = "processing".into();
        order["payment"]["method"] = "checkmo".into();
        unbilled(order);
    })
}

/// Has `order` say that nothing of it was invoiced or paid.
pub(super) fn unbilled(order: &mut Value) {
    let empty = |value: &mut Value| {
        let columns = value.as_object_mut().unwrap().iter_mut();
        for (_, held) in columns.filter(|(name, _)| name.ends_with("_invoiced") || name.ends_with("total_paid")) {
            *held = Value::Null;
        }
    };
    empty(order);
    for item in order["items"].as_array_mut().unwrap() {
        empty(item);
        item["qty_invoiced"] = 0.into();
    }
}

pub(super) fn number(value: &Value) -> Decimal {
    Decimal::from_str_exact(value.as_str().unwrap_or("0")).unwrap_or_default()
}

/// The ERP's sale behind the order of that number, with what was paid of it.
pub(super) fn sale(stage: &Stage, reference: &str) -> (u64, Decimal, Decimal) {
    let ledger = open(&stage.world).erp.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["reference"] == reference).unwrap().clone();
    (row["id"].as_u64().unwrap(), number(&row["paid"]), number(&row["total"]))
}

/// The shop's invoices: what each comes to.
fn invoices(stage: &Stage) -> Vec<Decimal> {
    let ledger = open(&stage.world).shop.ledger();
    ledger["invoices"].as_array().unwrap().iter().map(|row| number(&row["total"])).collect()
}

pub(super) fn post(stage: &Stage, number: &str) {
    let ((sale, ..), now) = (sale(stage, number), stage.clock.true_now());
    assert!(open(&stage.world).erp.post_invoices(now, sale));
}

pub(super) fn pay(stage: &Stage, number: &str) {
    let ((sale, ..), now) = (sale(stage, number), stage.clock.true_now());
    assert!(open(&stage.world).erp.pay_invoices(now, sale));
}

/// The codes of what is held of invoices.
async fn held(engine: &Engine) -> Vec<String> {
    let filter = LaneFilter { kind: Some(Kind::Invoice), states: vec!["held", "failed"], ..LaneFilter::default() };
    let lanes = engine.store.lanes(filter).await.unwrap();
    lanes.into_iter().map(|lane| lane.why.map_or(String::new(), |why| format!("{} {}", why.code, why.what))).collect()
}

#[test]
fn an_invoice_reaches_the_shop_once_its_money_has_come_and_to_the_cent() {
    for seed in 1..8 {
        billing(seed, MoneyRule::Paid, |stage| async move {
            let numbers: Vec<String> = (0..6).map(|n| on_account(&stage, n)).collect();
            passes(&stage, 240).await;
            for number in &numbers {
                post(&stage, number);
            }
            passes(&stage, 90).await;
            assert_eq!(invoices(&stage).len(), 0, "posted is not paid");
            for number in &numbers {
                pay(&stage, number);
            }
            passes(&stage, 240).await;
            let engine = stage.boot().await.unwrap();
            assert_eq!((held(&engine).await, broken(&stage)), (Vec::<String>::new(), vec![]));
            let mut paid: Vec<Decimal> = numbers.iter().map(|number| sale(&stage, number).1).collect();
            let mut taken = invoices(&stage);
            paid.sort_unstable();
            taken.sort_unstable();
            assert_eq!(taken, paid, "seed {}", stage.seed());
            let proof = engine.verify().await.unwrap().flows[&Flow::Papers].clone();
            assert_eq!((proof.compared, proof.equal, proof.drift(), proof.cents_off), (6, 6, 0, 0), "{proof:?}");
            let writes = open(&stage.world).writes;
            passes(&stage, if stage.seed() == 1 { 1000 * 30 } else { 60 }).await;
            assert_eq!(open(&stage.world).writes, writes, "silence at rest");
        });
    }
}

/// The goods of a sale that have not left, one piece of the first where only a part is to leave.
fn leaves(stage: &Stage, number: &str, part: bool) {
    let ledger = open(&stage.world).erp.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["reference"] == number).unwrap().clone();
    let goods = row["lines"].as_array().unwrap().iter().filter(|line| line["sku"] != "SHIPPING");
    let first = goods.filter_map(|line| line["sku"].as_str()).next().unwrap();
    let (id, now) = (row["id"].as_u64().unwrap(), stage.clock.true_now());
    let mut world = open(&stage.world);
    match part {
        true => assert!(world.erp.ship_part(now, id, &[(first, Decimal::ONE)]).is_some()),
        false => assert!(world.erp.ship(now, id)),
    }
}

/// An order whose goods are billed as they leave, in two parts where it has as many; how often the shop asked for its money.
async fn billed_as_it_leaves(stage: &Stage, rule: MoneyRule) -> usize {
    let seed = stage.seed();
    open(&stage.world).erp.invoice_by(stage.clock.true_now(), "fulfillment");
    let number = on_account(stage, seed);
    passes(stage, 240).await;
    let engine = stage.boot().await.unwrap();
    let id = sale(stage, &number).0;
    open(&stage.world).erp.post_invoices(stage.clock.true_now(), id);
    // What is never sent is billed at once, and the freight with it.
    let bills = open(&stage.world).erp.ledger()["invoices"].clone();
    let mut sold = bills.as_array().unwrap().iter().flat_map(|bill| bill["lines"].as_array().unwrap());
    if bills.as_array().unwrap().is_empty() || sold.any(|line| line["sku"] != "SHIPPING") {
        return 0;
    }
    passes(stage, 240).await;
    assert_eq!((invoices(stage).len(), held(&engine).await), (0, vec![]), "freight alone waits for goods");
    for part in [true, false] {
        if open(&stage.world).erp.shipments(id).is_empty() {
            continue;
        }
        leaves(stage, &number, part);
        post(stage, &number);
        let before = invoices(stage).len();
        passes(stage, 240).await;
        let told = invoices(stage).len() > before;
        pay(stage, &number);
        passes(stage, 900).await;
        let (_, paid, total) = sale(stage, &number);
        if !part && paid != total {
            // The parts come to a cent more or less than the whole, which no shop asks for: a person is asked before it does.
            let held = held(&engine).await;
            assert!(held.len() == 1 && held[0].starts_with("SYN-0199 "), "{held:?}");
            return 0;
        }
        assert_eq!((held(&engine).await, told), (vec![], rule == MoneyRule::Posted), "seed {seed}, {rule:?}");
    }
    passes(stage, 3_900).await;
    let asked = invoices(stage);
    assert_eq!((asked.iter().sum(), broken(stage)), (sale(stage, &number).1, vec![]), "seed {seed}, {rule:?}");
    for proof in [engine.verify().await.unwrap(), engine.verify_stored().await.unwrap()] {
        let papers = &proof.flows[&Flow::Papers];
        assert_eq!((papers.drift(), papers.open, papers.cents_off), (0, 0, 0), "seed {seed}: {papers:?}");
        let bills = |kind| papers.kinds.get(&kind).copied().unwrap_or_default();
        assert_eq!(bills(Kind::Invoice), asked.len() + 1, "the freight is counted: {papers:?}");
    }
    asked.len()
}

#[test]
fn s10_what_is_billed_as_it_leaves_is_asked_for_in_parts_and_the_freight_with_the_first() {
    let parts = AtomicUsize::new(0);
    for (seed, rule) in (1..9).flat_map(|seed| [(seed, MoneyRule::Posted), (seed, MoneyRule::Paid)]) {
        billing(seed, rule, |stage| {
            let parts = &parts;
            async move {
                let asked = billed_as_it_leaves(&stage, rule).await;
                parts.fetch_add(usize::from(asked > 1), Ordering::Relaxed);
            }
        });
    }
    assert!(parts.load(Ordering::Relaxed) > 4, "{parts:?} orders were asked for in parts");
}

#[test]
fn freight_that_is_billed_before_goods_says_nothing_about_what_the_shop_has_billed_itself() {
    let alone = AtomicUsize::new(0);
    for seed in 1..9 {
        billing(seed, MoneyRule::Posted, |stage| {
            let alone = &alone;
            async move {
                open(&stage.world).erp.invoice_by(stage.clock.true_now(), "fulfillment");
                let number = on_account(&stage, seed);
                passes(&stage, 240).await;
                let (sale, now) = (sale(&stage, &number).0, stage.clock.true_now());
                open(&stage.world).erp.post_invoices(now, sale);
                let bills = open(&stage.world).erp.ledger()["invoices"].clone();
                let billed = bills.as_array().unwrap().iter().flat_map(|bill| bill["lines"].as_array().unwrap());
                alone.fetch_add(usize::from(billed.map(|line| &line["sku"]).eq(["SHIPPING"])), Ordering::Relaxed);
                let ledger = open(&stage.world).shop.ledger();
                let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap();
                let id = row["id"].as_u64().unwrap();
                open(&stage.world).shop.invoice_by_hand(now, id, &[]).unwrap();
                passes(&stage, 240).await;
                let engine = stage.boot().await.unwrap();
                for proof in [engine.verify().await.unwrap(), engine.verify_stored().await.unwrap()] {
                    let papers = &proof.flows[&Flow::Papers];
                    assert_eq!((papers.drift(), papers.open), (0, 0), "seed {seed}: {papers:?}");
                }
            }
        });
    }
    assert!(alone.load(Ordering::Relaxed) > 2, "{alone:?} orders had freight billed alone");
}

#[test]
fn money_is_taken_once_through_faults_and_deaths() {
    for fault in [Fault::ErrorAfter, Fault::LostReply, Fault::Truncated, Fault::Html] {
        billing(44, MoneyRule::Posted, |stage| async move {
            let number = on_account(&stage, 1);
            passes(&stage, 120).await;
            post(&stage, &number);
            troubled(&stage, fault, 700);
            killed(&stage, [300, 700, 1_500, 2_600]).await;
            passes(&stage, 240).await;
            open(&stage.world).calm = true;
            passes(&stage, 900).await;
            assert_eq!((invoices(&stage), broken(&stage)), (vec![sale(&stage, &number).2], vec![]), "{fault:?}");
        });
    }
}

#[test]
fn what_the_shop_has_invoiced_already_is_left_as_it_is() {
    billing(45, MoneyRule::Posted, |stage| async move {
        let number = on_account(&stage, 1);
        passes(&stage, 120).await;
        let id = {
            let ledger = open(&stage.world).shop.ledger();
            let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap().clone();
            row["id"].as_u64().unwrap()
        };
        let now = stage.clock.true_now();
        open(&stage.world).shop.invoice_by_hand(now, id, &[]).unwrap();
        post(&stage, &number);
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        assert_eq!((invoices(&stage).len(), held(&engine).await), (1, vec![]));
        assert_eq!(engine.verify().await.unwrap().flows[&Flow::Papers].drift(), 0);
    });
}

#[test]
fn an_invoice_withdrawn_after_the_shop_was_told_is_asked_about() {
    billing(46, MoneyRule::Posted, |stage| async move {
        let number = on_account(&stage, 1);
        passes(&stage, 120).await;
        post(&stage, &number);
        passes(&stage, 120).await;
        assert_eq!(invoices(&stage).len(), 1);
        let ((sale, ..), now) = (sale(&stage, &number), stage.clock.true_now());
        assert!(open(&stage.world).erp.cancel_invoices(now, sale));
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        let told = held(&engine).await;
        assert!(told.len() == 1 && told[0].starts_with("SYN-0194"), "{told:?}");
    });
}
