//! Credits: what the ERP gives back is given back once by the shop, to the cent: by quantities, freight alone, or as an amount.

use super::of_invoices::{billing, number, on_account, post, sale};
use super::{broken, killed, lane, passes, troubled};
use crate::ring2::boot::Stage;
use crate::ring2::weather::Fault;
use crate::ring2::world::open;
use rust_decimal::Decimal;
use serde_json::Value;
use syncline_core::kind::{Flow, Kind};
use syncline_core::rules::MoneyRule;
use syncline_engine::Engine;
use syncline_sim::http::System as _;
use syncline_sim::orders::place_like;
use syncline_store::{LaneFilter, Retry};

/// A stage whose shop is told of every invoice and credit in force.
fn crediting<F: Future<Output = ()>>(seed: u64, story: impl FnOnce(Stage) -> F) {
    billing(seed, MoneyRule::Posted, |mut stage| {
        for target in stage.papers.iter_mut().flat_map(|rules| &mut rules.targets) {
            target.credits = MoneyRule::Posted;
        }
        story(stage)
    });
}

/// An order that arrived and was invoiced on both sides. Returns its number.
async fn invoiced(stage: &Stage, n: u64) -> String {
    let number = on_account(stage, n);
    passes(stage, 120).await;
    post(stage, &number);
    passes(stage, 120).await;
    number
}

/// What the shop gave back, memo by memo, with the lines of each that have a quantity.
fn memos(stage: &Stage) -> Vec<(Decimal, usize)> {
    let ledger = open(&stage.world).shop.ledger();
    let of = |row: &Value| {
        let lines = row["lines"].as_object().unwrap().values().filter(|quantity| !number(quantity).is_zero());
        (number(&row["total"]), lines.count())
    };
    ledger["memos"].as_array().unwrap().iter().map(of).collect()
}

/// What the ERP gave back for the order of that number.
fn given_back(stage: &Stage, reference: &str) -> Decimal {
    let ledger = open(&stage.world).erp.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["reference"] == reference).unwrap().clone();
    number(&row["refunded"])
}

/// The first thing sold of the order: its SKU, how many, and the net amount.
pub(super) fn first_of(stage: &Stage, reference: &str) -> (String, Decimal, Decimal) {
    let ledger = open(&stage.world).erp.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["reference"] == reference).unwrap().clone();
    let lines = row["lines"].as_array().unwrap();
    let line = lines.iter().find(|line| number(&line["total"]) > Decimal::ONE && line["sku"] != "SHIPPING").unwrap();
    (line["sku"].as_str().unwrap().to_string(), number(&line["qty"]), number(&line["total"]))
}

/// What is open of credits, and the state of the order's lane.
async fn open_of(engine: &Engine, reference: &str) -> (Vec<String>, String) {
    let filter = LaneFilter { kind: Some(Kind::Credit), states: vec!["held", "failed"], ..LaneFilter::default() };
    let lanes = engine.store.lanes(filter).await.unwrap();
    let open = lanes.into_iter().map(|lane| lane.why.map_or(String::new(), |why| format!("{} {}", why.code, why.what)));
    (open.collect(), lane(engine, reference).await.state)
}

#[test]
fn s29_what_is_given_back_by_pieces_freight_or_amount_reaches_the_shop_to_the_cent() {
    for seed in 1..8 {
        crediting(seed, |stage| async move {
            let number = invoiced(&stage, 1).await;
            let (sku, quantity, net) = first_of(&stage, &number);
            let (id, ..) = sale(&stage, &number);
            let now = stage.clock.true_now();
            // As much as half of what a piece was sold for, and the buyer keeps it.
            let half = (net / quantity / Decimal::TWO).round_dp(2);
            assert!(open(&stage.world).erp.credit_amount(now, id, &sku, half).is_some(), "seed {seed}");
            passes(&stage, 120).await;
            let engine = stage.boot().await.unwrap();
            assert_eq!(
                (open_of(&engine, &number).await, memos(&stage)),
                ((vec![], "idle".into()), vec![(given_back(&stage, &number), 0)])
            );
            let now = stage.clock.true_now();
            let freight = open(&stage.world).erp.credit_freight(now, id).is_some();
            passes(&stage, 120).await;
            let told: Vec<Decimal> = memos(&stage).into_iter().map(|(total, _)| total).collect();
            assert_eq!(told.len(), 1 + usize::from(freight), "seed {seed}");
            let sum: Decimal = told.iter().sum();
            assert_eq!(
                (open_of(&engine, &number).await, sum),
                ((vec![], "idle".into()), given_back(&stage, &number)),
                "seed {seed}"
            );
            assert_eq!(broken(&stage), [""; 0]);
        });
    }
}

/// The shop's order of that number, and the line of it that sold `sku`.
fn line_of(stage: &Stage, reference: &str, sku: &str) -> (u64, u64) {
    let ledger = open(&stage.world).shop.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == reference).unwrap().clone();
    let line = row["lines"].as_array().unwrap().iter().find(|line| line["sku"] == sku && line["parent"].is_null());
    (row["id"].as_u64().unwrap(), line.unwrap()["id"].as_u64().unwrap())
}

#[test]
fn a_credit_of_more_than_the_shop_was_ever_paid_is_held_with_what_is_left_and_never_failed() {
    crediting(2906, |stage| async move {
        let reference = on_account(&stage, 1);
        passes(&stage, 120).await;
        let (sku, quantity, net) = first_of(&stage, &reference);
        let ((order, line), now) = (line_of(&stage, &reference, &sku), stage.clock.true_now());
        assert!(open(&stage.world).shop.invoice_by_hand(now, order, &[(line, 1)]).is_some(), "people bill one piece");
        post(&stage, &reference);
        passes(&stage, 120).await;
        // The ERP's own bill is left to them as well: the shop never asks for the rest.
        let engine = stage.boot().await.unwrap();
        let held = LaneFilter { kind: Some(Kind::Invoice), states: vec!["held"], ..LaneFilter::default() };
        for lane in engine.store.lanes(held).await.unwrap() {
            engine.store.retry(Retry::One { entity: lane.entity, rebase: true }, now).await.unwrap();
        }
        let (id, ..) = sale(&stage, &reference);
        let most = (net / quantity * Decimal::new(9, 1)).round_dp(2);
        for _ in 0..8 {
            let now = stage.clock.true_now();
            assert!(open(&stage.world).erp.credit_amount(now, id, &sku, most).is_some());
            passes(&stage, 120).await;
        }
        let ledger = open(&stage.world).shop.ledger();
        let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == reference).unwrap().clone();
        let (paid, told) = (number(&row["paid"]), memos(&stage).into_iter().map(|(total, _)| total).sum::<Decimal>());
        let (open, _) = open_of(&engine, &reference).await;
        assert!(told > Decimal::ZERO && told <= paid, "{told} of {paid}: {open:?}");
        let named = |why: &String| why.starts_with("SYN-0193") && why.contains("left of what was paid");
        assert!(!open.is_empty() && open.iter().all(named), "{open:?}");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn all_of_an_order_given_back_in_the_erp_is_given_back_in_the_shop_and_nobody_is_asked() {
    for seed in 1..6 {
        crediting(seed, |stage| async move {
            let number = invoiced(&stage, 1).await;
            let (id, ..) = sale(&stage, &number);
            let now = stage.clock.true_now();
            assert_eq!(open(&stage.world).erp.credit_all(now, id).len(), 1);
            passes(&stage, 240).await;
            let engine = stage.boot().await.unwrap();
            let sum: Decimal = memos(&stage).into_iter().map(|(total, _)| total).sum();
            assert_eq!(
                (open_of(&engine, &number).await, sum),
                ((vec![], "idle".into()), given_back(&stage, &number)),
                "seed {seed}"
            );
            let proof = engine.verify().await.unwrap().flows[&Flow::Papers].clone();
            assert_eq!((proof.compared, proof.drift(), proof.cents_off), (2, 0, 0), "{proof:?}");
            let writes = open(&stage.world).writes;
            passes(&stage, 1_200).await;
            assert_eq!(open(&stage.world).writes, writes, "silence at rest");
        });
    }
}

#[test]
fn what_no_amount_of_the_websites_currency_makes_is_held_before_any_money_moves_and_left_to_people() {
    crediting(46, |stage| async move {
        let now = stage.clock.true_now();
        let yen = (0..60).find(|n| place_like(5, *n, &stage.catalogue, now)["order_currency_code"] == "JPY").unwrap();
        let number = invoiced(&stage, yen).await;
        let ((id, ..), (sku, ..), now) = (sale(&stage, &number), first_of(&stage, &number), stage.clock.true_now());
        open(&stage.world).erp.credit_amount(now, id, &sku, Decimal::ONE_HUNDRED).unwrap();
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        let (held, _) = open_of(&engine, &number).await;
        assert!(
            held.len() == 1 && held[0].starts_with("SYN-0199") && held[0].contains("in USD, of which no amount is"),
            "{held:?}"
        );
        let writes = open(&stage.world).writes;
        passes(&stage, 7_200).await;
        assert_eq!((memos(&stage), open(&stage.world).writes), (vec![], writes), "nothing was asked for");
        let filter = LaneFilter { kind: Some(Kind::Credit), states: vec!["held"], ..LaneFilter::default() };
        let entity = engine.store.lanes(filter).await.unwrap()[0].entity;
        engine.store.retry(Retry::One { entity, rebase: true }, engine.now()).await.unwrap();
        passes(&stage, 120).await;
        assert_eq!((open_of(&engine, &number).await.0, memos(&stage)), (vec![], vec![]), "a person saw to it");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn money_is_given_back_once_through_faults_and_deaths() {
    for fault in [Fault::ErrorAfter, Fault::LostReply, Fault::Truncated, Fault::Html] {
        crediting(44, |stage| async move {
            let number = invoiced(&stage, 1).await;
            let (sku, ..) = first_of(&stage, &number);
            let (id, ..) = sale(&stage, &number);
            let now = stage.clock.true_now();
            open(&stage.world).erp.credit(now, id, &[(sku.as_str(), Decimal::ONE)]).unwrap();
            troubled(&stage, fault, 700);
            killed(&stage, [300, 700, 1_500, 2_600]).await;
            passes(&stage, 240).await;
            open(&stage.world).calm = true;
            passes(&stage, 900).await;
            let told: Vec<Decimal> = memos(&stage).into_iter().map(|(total, _)| total).collect();
            assert_eq!((told, broken(&stage)), (vec![given_back(&stage, &number)], vec![]), "{fault:?}");
        });
    }
}

#[test]
fn what_people_gave_back_in_the_shop_is_held_until_the_erp_says_the_same() {
    crediting(45, |stage| async move {
        let number = invoiced(&stage, 1).await;
        let (sku, quantity, _) = first_of(&stage, &number);
        let (id, line) = {
            let ledger = open(&stage.world).shop.ledger();
            let order =
                ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap().clone();
            let lines = order["lines"].as_array().unwrap();
            let line = lines.iter().find(|line| line["sku"] == sku.as_str() && line["parent"].is_null()).unwrap();
            (order["id"].as_u64().unwrap(), line["id"].as_u64().unwrap())
        };
        assert!(quantity >= Decimal::ONE);
        let now = stage.clock.true_now();
        open(&stage.world).shop.refund_by_hand(now, id, &[(line, 1)], Some(Decimal::ZERO)).unwrap();
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        let row = lane(&engine, &number).await;
        assert_eq!((row.state.as_str(), row.why.unwrap().code.as_str()), ("held", "SYN-0110"));
        let ((sale, ..), now) = (sale(&stage, &number), stage.clock.true_now());
        open(&stage.world).erp.credit(now, sale, &[(sku.as_str(), Decimal::ONE)]).unwrap();
        passes(&stage, 120).await;
        assert_eq!(memos(&stage).len(), 1, "it was given back once");
        assert_eq!(engine.verify().await.unwrap().flows[&Flow::Papers].drift(), 0);
    });
}
