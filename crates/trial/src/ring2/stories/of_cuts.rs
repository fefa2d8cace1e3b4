//! Orders of which a part is cancelled after they were taken over: the ERP's document is cut down to what is left, once, and
//! never below what has left.

use super::of_amendments::{cancel, carrying, carrying_with, states, told};
use super::of_invoices::{number, on_account, post, sale};
use super::{broken, differences, killed, lane, passes, troubled};
use crate::ring2::boot::Stage;
use crate::ring2::planted::CANCELS_OVER;
use crate::ring2::weather::Fault;
use crate::ring2::world::open;
use serde_json::Value;
use syncline_core::kind::Flow;
use syncline_core::rules::{Amendments, Cancels};
use syncline_sim::http::System as _;
use syncline_store::Retry;

/// Plays `story` on a stage whose ERP has module `sale_amendment`, too.
fn cutting<F: Future<Output = ()>>(seed: u64, story: impl FnOnce(Stage) -> F) {
    cutting_with(seed, None, story);
}

/// The same with a planted bug.
fn cutting_with<F: Future<Output = ()>>(seed: u64, plant: Option<&'static str>, story: impl FnOnce(Stage) -> F) {
    carrying_with(seed, plant, |mut stage| {
        let now = stage.clock.true_now();
        open(&stage.world).erp.activate_amendments(now);
        stage.rules.amendments = Amendments::Carry;
        story(stage)
    });
}

/// The order of that number in the shop's ledger.
fn order(stage: &Stage, number: &str) -> Value {
    let ledger = open(&stage.world).shop.ledger();
    ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap().clone()
}

/// The first line of an order of which several were bought: its id and how many.
fn several(stage: &Stage, number_of: &str) -> (u64, u32) {
    let row = order(stage, number_of);
    let many = |line: &&Value| line["parent"].is_null() && number(&line["qty"]) > 1.into();
    let line = row["lines"].as_array().unwrap().iter().find(many).unwrap().clone();
    (line["id"].as_u64().unwrap(), number(&line["qty"]).try_into().unwrap())
}

/// The shop asks the money for one of a line by hand, and the buyer cancels all the rest.
fn keep_one(stage: &Stage, number: &str) {
    let (line, _) = several(stage, number);
    let (id, now) = (order(stage, number)["id"].as_u64().unwrap(), stage.clock.true_now());
    assert!(open(&stage.world).shop.invoice_by_hand(now, id, &[(line, 1)]).is_some());
    cancel(stage, number);
}

/// How many pieces of goods a sale still sells, and what is to leave for it.
fn pieces(stage: &Stage, sale: u64) -> (String, String) {
    let ledger = open(&stage.world).erp.ledger();
    let rows = |list: &str| ledger[list].as_array().unwrap().clone();
    let row = rows("orders").into_iter().find(|row| row["id"] == sale).unwrap();
    let goods = |line: &&Value| !matches!(line["sku"].as_str(), Some("SHIPPING" | "ROUNDING"));
    let sold: rust_decimal::Decimal =
        row["lines"].as_array().unwrap().iter().filter(goods).map(|line| number(&line["qty"])).sum();
    let shipments = rows("shipments").into_iter().filter(|row| row["state"] != "cancelled");
    let out: rust_decimal::Decimal = shipments
        .flat_map(|row| row["lines"].as_array().unwrap().clone())
        .filter(|line| line["sale"] == sale)
        .map(|line| number(&line["qty"]))
        .sum();
    (sold.normalize().to_string(), out.normalize().to_string())
}

fn one_each() -> (String, String) {
    ("1".into(), "1".into())
}

/// An order of several pieces that was taken over; its number and its sale.
async fn taken_over(stage: &Stage) -> (String, u64) {
    let number = (1..30).map(|n| on_account(stage, n)).find(|number| {
        let row = order(stage, number);
        let lines = row["lines"].as_array().unwrap();
        lines.iter().any(|line| line["parent"].is_null() && self::number(&line["qty"]) > 1.into())
    });
    let number = number.unwrap();
    passes(stage, 240).await;
    let (id, ..) = sale(stage, &number);
    (number, id)
}

#[test]
fn s35_an_order_cancelled_in_part_is_cut_down_in_the_erp_and_both_agree() {
    for seed in 1..4 {
        cutting(seed, |stage| async move {
            let (number, id) = taken_over(&stage).await;
            keep_one(&stage, &number);
            passes(&stage, 300).await;
            assert_eq!(told(&stage, &number).await, ("idle".into(), String::new(), String::new()), "seed {seed}");
            assert_eq!(pieces(&stage, id), one_each(), "seed {seed}");
            assert_eq!(states(&stage, "invoices", id), ["draft"]);
            assert_eq!((differences(&stage), broken(&stage)), (vec![], vec![]));
            let engine = stage.boot().await.unwrap();
            for proof in [engine.verify().await.unwrap(), engine.verify_stored().await.unwrap()] {
                assert_eq!((proof.drift, proof.flows[&Flow::Orders].open), (0, 0), "{proof:?}");
            }
            let writes = open(&stage.world).writes;
            passes(&stage, 1_200).await;
            assert_eq!(open(&stage.world).writes, writes, "silence at rest");
        });
    }
}

#[test]
fn s35_what_is_picked_or_was_billed_is_not_cut_down_and_a_person_is_asked() {
    for (seed, billed) in [(4, false), (5, true)] {
        cutting(seed, |stage| async move {
            let (number, id) = taken_over(&stage).await;
            let shipment = open(&stage.world).erp.shipments(id)[0];
            let press = |button: &str| {
                let now = stage.clock.true_now();
                assert!(open(&stage.world).erp.press_shipment(now, shipment, button));
            };
            if billed {
                post(&stage, &number);
            } else {
                press("assign_force");
                press("pick");
            }
            let before = pieces(&stage, id);
            keep_one(&stage, &number);
            passes(&stage, 240).await;
            let (state, code, what) = told(&stage, &number).await;
            assert_eq!((state.as_str(), code.as_str()), ("held", "SYN-0124"), "{what}");
            assert!(what.contains(if billed { "(posted)" } else { "(picked)" }), "{what}");
            assert_eq!(pieces(&stage, id), before, "nothing was cut");
            if !billed {
                // The goods go back on the shelf, and a new shipment is made for what is wanted: it is looked at again.
                press("cancel");
                let now = stage.clock.true_now();
                assert!(open(&stage.world).erp.send_anew(now, id));
                passes(&stage, 1_500).await;
                assert_eq!((told(&stage, &number).await.0, pieces(&stage, id)), ("idle".into(), one_each()));
            }
            assert_eq!(broken(&stage), [""; 0]);
        });
    }
}

#[test]
fn an_order_is_cut_down_once_through_faults_and_deaths() {
    for fault in
        [Fault::ErrorAfter, Fault::LostReply, Fault::Truncated, Fault::Html, Fault::Repeated(20), Fault::Late(60)]
    {
        cutting(46, |stage| async move {
            let (number, id) = taken_over(&stage).await;
            keep_one(&stage, &number);
            troubled(&stage, fault, 500);
            killed(&stage, [300, 700, 1_500, 2_600]).await;
            passes(&stage, 240).await;
            open(&stage.world).calm = true;
            passes(&stage, 900).await;
            assert_eq!((told(&stage, &number).await.0, pieces(&stage, id)), ("idle".into(), one_each()), "{fault:?}");
            assert_eq!(broken(&stage), [""; 0], "{fault:?}");
        });
    }
}

#[test]
fn without_the_module_nothing_is_cut_and_the_inbox_says_what_to_activate() {
    carrying(6, |stage| async move {
        let (number, id) = taken_over(&stage).await;
        let before = pieces(&stage, id);
        keep_one(&stage, &number);
        passes(&stage, 240).await;
        let (state, _, what) = told(&stage, &number).await;
        assert!(state == "failed" && what.contains("sale_amendment"), "{state}: {what}");
        assert_eq!((pieces(&stage, id), broken(&stage)), (before, vec![]));
    });
}

#[test]
fn what_is_cut_down_in_the_erp_alone_is_named_with_what_to_do_until_somebody_takes_it_as_it_is() {
    cutting(7, |mut stage| async move {
        // The sales of ours that change in the ERP are read.
        stage.rules.cancels = Cancels::Erp;
        let (number, id) = taken_over(&stage).await;
        passes(&stage, 600).await;
        let row = {
            let ledger = open(&stage.world).erp.ledger();
            ledger["orders"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone()
        };
        let many = |line: &&Value| self::number(&line["qty"]) > 1.into();
        let line = row["lines"].as_array().unwrap().iter().find(many).unwrap()["id"].as_u64().unwrap();
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.amend_line(now, line, 1));
        // Nobody has read it yet; a proof that reads both sides says so.
        let engine = stage.boot().await.unwrap();
        let proof = engine.verify().await.unwrap();
        assert_eq!(proof.flows[&Flow::Orders].different, 1, "{proof:?}");
        let entity = lane(&engine, &number).await.entity;
        let (shop, writes) = (order(&stage, &number), open(&stage.world).writes);
        passes(&stage, 1_200).await;
        let (state, code, what) = told(&stage, &number).await;
        assert_eq!((state.as_str(), code.as_str()), ("held", "SYN-0126"), "{what}");
        assert!(what.contains(&number) && what.contains("in the shop, 1 there"), "{what}");
        assert_eq!((order(&stage, &number), open(&stage.world).writes), (shop, writes), "nothing is written");
        let engine = stage.boot().await.unwrap();
        engine.store.retry(Retry::One { entity, rebase: true }, engine.now()).await.unwrap();
        passes(&stage, 240).await;
        assert_eq!(told(&stage, &number).await.0, "idle");
        for proof in [engine.verify().await.unwrap(), engine.verify_stored().await.unwrap()] {
            assert_eq!(proof.drift, 0, "{proof:?}");
        }
    });
}

#[test]
fn what_is_refused_whatever_is_read_before_is_told_and_tried_only_now_and_then() {
    cutting_with(9, Some(CANCELS_OVER), |stage| async move {
        let (number, id) = taken_over(&stage).await;
        let shipment = open(&stage.world).erp.shipments(id)[0];
        for button in ["assign_force", "pick"] {
            let now = stage.clock.true_now();
            assert!(open(&stage.world).erp.press_shipment(now, shipment, button));
        }
        let before = pieces(&stage, id);
        keep_one(&stage, &number);
        // It is told as waiting, and refuses to be a draft again.
        passes(&stage, 1_200).await;
        let (state, code, what) = told(&stage, &number).await;
        assert_eq!((state.as_str(), code.as_str()), ("held", "SYN-0203"), "{what}");
        assert!(what.contains("You can not call"), "{what}");
        assert_eq!(pieces(&stage, id), before, "what is in hand stays");
        let writes = open(&stage.world).writes;
        passes(&stage, 3_600).await;
        let more = open(&stage.world).writes - writes;
        assert!((6..=24).contains(&more), "a few tries every ten minutes: {more}");
        assert_eq!(told(&stage, &number).await.0, "held");
    });
}
