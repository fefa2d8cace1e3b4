//! Orders that change in the shop after they were taken over: the ERP follows where the file says so, and nothing is taken
//! back that has left.

use super::of_invoices::{on_account, post, sale, unbilled};
use super::{PRODUCTS, begun, broken, differences, killed, lane, passes, place, troubled};
use crate::ring2::boot::Stage;
use crate::ring2::weather::Fault;
use crate::ring2::world::{Which, open};
use crate::ring2::{parcels, trade};
use serde_json::Value;
use std::time::Duration;
use syncline_core::kind::Flow;
use syncline_core::rules::{Amendments, Cancels};
use syncline_sim::http::System as _;
use syncline_store::Retry;
use tokio::time::sleep;

/// Plays `story` on a stage whose warehouse sends parcels, and whose file has what changes in the shop carried over.
pub(super) fn carrying<F: Future<Output = ()>>(seed: u64, story: impl FnOnce(Stage) -> F) {
    carrying_with(seed, None, story);
}

/// The same with a planted bug.
pub(super) fn carrying_with<F: Future<Output = ()>>(
    seed: u64,
    plant: Option<&'static str>,
    story: impl FnOnce(Stage) -> F,
) {
    begun((seed, PRODUCTS, plant), |mut stage| {
        parcels::open_warehouse(&mut stage);
        stage.stock = None;
        stage.rules.amendments = Amendments::Carry;
        story(stage)
    });
}

/// The buyer cancels the order of that number.
pub(super) fn cancel(stage: &Stage, number: &str) {
    let ledger = open(&stage.world).shop.ledger();
    let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap().clone();
    let now = stage.clock.true_now();
    assert!(open(&stage.world).shop.cancel_order(now, row["id"].as_u64().unwrap()), "it can be cancelled");
}

/// The states of everything in a list of the ERP's ledger that is about a sale.
pub(super) fn states(stage: &Stage, list: &str, sale: u64) -> Vec<String> {
    let ledger = open(&stage.world).erp.ledger();
    let of = |row: &&Value| match list {
        "orders" => row["id"] == sale,
        "invoices" => row["sales"].as_array().unwrap().iter().any(|one| *one == sale),
        _ => row["lines"].as_array().unwrap().iter().any(|line| line["sale"] == sale),
    };
    let rows = ledger[list].as_array().unwrap().iter().filter(of);
    rows.map(|row| row["state"].as_str().unwrap().to_string()).collect()
}

/// The state of an order's lane, with the code and the words of what it is held for.
pub(super) async fn told(stage: &Stage, number: &str) -> (String, String, String) {
    let engine = stage.boot().await.unwrap();
    let row = lane(&engine, number).await;
    let (code, what) = row.why.map_or((String::new(), String::new()), |why| (why.code, why.what));
    (row.state, code, what)
}

#[test]
fn s35_an_order_cancelled_in_the_shop_is_withdrawn_in_the_erp_and_both_agree() {
    for seed in 1..6 {
        carrying(seed, |stage| async move {
            let (gone, stays) = (on_account(&stage, 1), on_account(&stage, 2));
            passes(&stage, 120).await;
            let (id, ..) = sale(&stage, &gone);
            assert_eq!(states(&stage, "orders", id), ["released"]);
            cancel(&stage, &gone);
            passes(&stage, 240).await;
            assert_eq!(told(&stage, &gone).await, ("idle".into(), String::new(), String::new()), "seed {seed}");
            assert_eq!(states(&stage, "orders", id), ["cancelled"]);
            for list in ["shipments", "invoices"] {
                assert!(states(&stage, list, id).iter().all(|state| state == "cancelled"), "{list}, seed {seed}");
            }
            let (other, ..) = sale(&stage, &stays);
            assert_eq!(states(&stage, "orders", other), ["released"]);
            assert_eq!((differences(&stage), broken(&stage)), (vec![], vec![]));
            let engine = stage.boot().await.unwrap();
            for proof in [engine.verify().await.unwrap(), engine.verify_stored().await.unwrap()] {
                assert_eq!((proof.drift, proof.flows[&Flow::Orders].compared), (0, 1), "{proof:?}");
            }
            let writes = open(&stage.world).writes;
            passes(&stage, 1_200).await;
            assert_eq!(open(&stage.world).writes, writes, "silence at rest");
        });
    }
}

#[test]
fn s35_an_order_that_a_clerk_edits_is_withdrawn_and_the_one_in_its_place_arrives_once() {
    for seed in 1..6 {
        carrying(seed, |stage| async move {
            let old = on_account(&stage, 1);
            passes(&stage, 120).await;
            let (before, ..) = sale(&stage, &old);
            // Magento keeps no edit: it cancels the order and places another one, whose number ends in `-1`.
            let parent = open(&stage.world).shop.ledger()["orders"].as_array().unwrap()[0]["id"].clone();
            cancel(&stage, &old);
            let new = place(&stage, 3, |order| {
                order["increment_id"] = format!("{old}-1").into();
                (order["relation_parent_id"], order["relation_parent_real_id"]) = (parent, old.clone().into());
                (order["original_increment_id"], order["edit_increment"]) = (old.clone().into(), 1.into());
                order["state"] = "processing".into();
                order["payment"]["method"] = "checkmo".into();
                unbilled(order);
            });
            troubled(&stage, Fault::LostReply, 500);
            passes(&stage, 240).await;
            open(&stage.world).calm = true;
            passes(&stage, 900).await;
            let (after, ..) = sale(&stage, &new);
            let both = [before, after].map(|id| states(&stage, "orders", id));
            assert_eq!(both, [["cancelled"], ["released"]], "seed {seed}");
            assert_eq!((differences(&stage), broken(&stage)), (vec![], vec![]), "seed {seed}");
            assert_eq!(stage.boot().await.unwrap().verify().await.unwrap().drift, 0);
        });
    }
}

#[test]
fn a_proof_names_an_order_that_is_cancelled_in_the_shop_alone() {
    carrying(8, |mut stage| async move {
        stage.rules.amendments = Amendments::Ask;
        let number = on_account(&stage, 1);
        passes(&stage, 600).await;
        cancel(&stage, &number);
        // Nothing has been read since: the lane is at rest, and only a proof that reads both sides can know.
        let engine = stage.boot().await.unwrap();
        assert_eq!(told(&stage, &number).await.0, "idle");
        let proof = engine.verify().await.unwrap();
        let orders = &proof.flows[&Flow::Orders];
        assert_eq!((orders.different, orders.open, orders.equal), (1, 0, 0), "{proof:?}");
        assert!(orders.details[0].contains("cancelled in the shop, in force in the target"), "{proof:?}");
        // A person is asked, and until they say so it is open; once they took both as they are it is as they want it.
        passes(&stage, 240).await;
        assert_eq!(told(&stage, &number).await.1, "SYN-0110");
        for proof in [engine.verify().await.unwrap(), engine.verify_stored().await.unwrap()] {
            assert_eq!((proof.drift, proof.flows[&Flow::Orders].open), (0, 1), "{proof:?}");
            assert_eq!(proof.flows[&Flow::Orders].waiting, [format!("order {number}: held (SYN-0110)")]);
        }
        let entity = lane(&engine, &number).await.entity;
        engine.store.retry(Retry::One { entity, rebase: true }, engine.now()).await.unwrap();
        passes(&stage, 240).await;
        for proof in [engine.verify().await.unwrap(), engine.verify_stored().await.unwrap()] {
            assert_eq!((proof.drift, proof.flows[&Flow::Orders].equal), (0, 1), "{proof:?}");
        }
    });
}

#[test]
fn s35_what_is_not_released_yet_is_withdrawn_as_well() {
    carrying(7, |stage| async move {
        let number = on_account(&stage, 1);
        let engine = stage.boot().await.unwrap();
        let pass = tokio::spawn(async move { drop(engine.sync(None).await) });
        // The ERP goes down as soon as it has the document.
        while open(&stage.world).erp.ledger()["orders"].as_array().unwrap().is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
        open(&stage.world).down.insert(Which::Erp);
        drop(pass.await);
        cancel(&stage, &number);
        open(&stage.world).down.remove(&Which::Erp);
        passes(&stage, 600).await;
        let (id, ..) = sale(&stage, &number);
        assert_eq!((states(&stage, "orders", id), states(&stage, "shipments", id)), (vec!["cancelled".into()], vec![]));
        assert_eq!((told(&stage, &number).await.0, broken(&stage)), ("idle".into(), vec![]));
    });
}

#[test]
fn s35_what_is_cancelled_before_the_number_has_gone_back_is_withdrawn_as_well() {
    carrying(12, |stage| async move {
        let number = on_account(&stage, 1);
        let engine = stage.boot().await.unwrap();
        let pass = tokio::spawn(async move { drop(engine.sync(None).await) });
        while open(&stage.world).erp.ledger()["orders"].as_array().unwrap().is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
        cancel(&stage, &number);
        drop(pass.await);
        passes(&stage, 240).await;
        let (id, ..) = sale(&stage, &number);
        assert_eq!(
            (told(&stage, &number).await.0, states(&stage, "orders", id)),
            ("idle".into(), vec!["cancelled".into()])
        );
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn s44_what_has_left_or_was_asked_money_for_is_named_and_nothing_is_taken_back() {
    for (seed, paid) in [(8, false), (9, true)] {
        carrying(seed, |stage| async move {
            let number = on_account(&stage, 1);
            passes(&stage, 120).await;
            let (id, ..) = sale(&stage, &number);
            if paid {
                post(&stage, &number);
            } else {
                let now = stage.clock.true_now();
                let shipment = open(&stage.world).erp.shipments(id)[0];
                assert!(open(&stage.world).erp.press_shipment(now, shipment, "assign_force"));
                assert!(open(&stage.world).erp.press_shipment(now, shipment, "pick"));
            }
            let before = (states(&stage, "shipments", id), states(&stage, "invoices", id));
            cancel(&stage, &number);
            passes(&stage, 120).await;
            let (state, code, what) = told(&stage, &number).await;
            assert_eq!((state.as_str(), code.as_str()), ("held", "SYN-0122"), "{what}");
            assert!(what.contains(if paid { "invoice 1 (posted)" } else { "shipment 1 (picked)" }), "{what}");
            assert_eq!((states(&stage, "shipments", id), states(&stage, "invoices", id)), before, "nothing was undone");
            // Somebody puts the goods back: what was held is looked at again by itself.
            if !paid {
                let now = stage.clock.true_now();
                let shipment = open(&stage.world).erp.shipments(id)[0];
                assert!(open(&stage.world).erp.press_shipment(now, shipment, "cancel"));
                passes(&stage, 240).await;
                assert_eq!(
                    (told(&stage, &number).await.0, states(&stage, "orders", id)),
                    ("idle".into(), vec!["cancelled".into()])
                );
            }
            assert_eq!(broken(&stage), [""; 0]);
        });
    }
}

#[test]
fn what_is_cancelled_in_the_erp_is_cancelled_in_the_shop_where_the_file_says_so() {
    for fault in [Fault::None, Fault::LostReply, Fault::ErrorAfter, Fault::Repeated(20)] {
        carrying(14, |mut stage| async move {
            stage.rules.cancels = Cancels::Erp;
            let (off, paid) = (on_account(&stage, 1), on_account(&stage, 2));
            passes(&stage, 120).await;
            let of = |number: &str| {
                let ledger = open(&stage.world).shop.ledger();
                let rows = ledger["orders"].as_array().unwrap();
                rows.iter().find(|row| row["number"] == number).unwrap().clone()
            };
            let now = stage.clock.true_now();
            let id = of(&paid)["id"].as_u64().unwrap();
            assert!(open(&stage.world).shop.invoice_by_hand(now, id, &[]).is_some());
            passes(&stage, 60).await;
            for number in [&off, &paid] {
                let ((id, ..), now) = (sale(&stage, number), stage.clock.true_now());
                assert!(open(&stage.world).erp.withdraw_sale(now, id));
            }
            troubled(&stage, fault, 500);
            passes(&stage, 240).await;
            open(&stage.world).calm = true;
            passes(&stage, 600).await;
            assert_eq!(told(&stage, &off).await, ("idle".into(), String::new(), String::new()), "{fault:?}");
            assert_eq!(
                (of(&off)["state"].as_str(), of(&paid)["state"].as_str()),
                (Some("cancelled"), Some("released"))
            );
            let (state, code, what) = told(&stage, &paid).await;
            assert_eq!(
                (state.as_str(), code.as_str(), what.contains("invoiced")),
                ("held", "SYN-0111", true),
                "{what}"
            );
            assert_eq!(broken(&stage), [""; 0]);
        });
    }
}

#[test]
fn an_order_put_on_hold_after_it_was_taken_over_is_asked_about_until_the_hold_is_off() {
    carrying(13, |stage| async move {
        let number = on_account(&stage, 1);
        passes(&stage, 120).await;
        let ledger = open(&stage.world).shop.ledger();
        let row = ledger["orders"].as_array().unwrap().iter().find(|row| row["number"] == number).unwrap().clone();
        let (id, writes, now) = (row["id"].as_u64().unwrap(), open(&stage.world).writes, stage.clock.true_now());
        assert!(open(&stage.world).shop.set_state(now, id, "holded"));
        passes(&stage, 120).await;
        let (state, code, _) = told(&stage, &number).await;
        assert_eq!((state.as_str(), code.as_str()), ("held", "SYN-0123"));
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.set_state(now, id, "processing"));
        passes(&stage, 120).await;
        assert_eq!(told(&stage, &number).await.0, "idle");
        assert_eq!(open(&stage.world).writes, writes, "a status is copied nowhere");
    });
}

#[test]
fn an_order_is_withdrawn_once_through_faults_and_deaths() {
    for fault in
        [Fault::ErrorAfter, Fault::LostReply, Fault::Truncated, Fault::Html, Fault::Repeated(20), Fault::Late(60)]
    {
        carrying(44, |stage| async move {
            let number = on_account(&stage, 1);
            passes(&stage, 120).await;
            let (id, ..) = sale(&stage, &number);
            cancel(&stage, &number);
            troubled(&stage, fault, 500);
            killed(&stage, [300, 700, 1_500, 2_600]).await;
            passes(&stage, 240).await;
            open(&stage.world).calm = true;
            passes(&stage, 900).await;
            assert_eq!(states(&stage, "orders", id), ["cancelled"], "{fault:?}");
            assert_eq!((told(&stage, &number).await.0, broken(&stage)), ("idle".into(), vec![]), "{fault:?}");
        });
    }
}

#[test]
fn what_a_withdrawn_order_kept_back_is_for_sale_again() {
    begun((10, PRODUCTS, None), |mut stage| async move {
        stage.stock = Some(trade::rules());
        stage.rules.amendments = Amendments::Carry;
        passes(&stage, 120).await;
        let figures = |stage: &Stage| {
            let ledger = open(&stage.world).erp.ledger();
            ledger["stock"].clone()
        };
        let before = figures(&stage);
        let number = on_account(&stage, 1);
        passes(&stage, 240).await;
        assert_ne!(figures(&stage), before, "its goods are kept back");
        cancel(&stage, &number);
        passes(&stage, 900).await;
        assert_eq!(figures(&stage), before, "and free again");
        let shop = open(&stage.world).shop.ledger();
        let erp = open(&stage.world).erp.ledger();
        let safety = stage.stock.as_ref().unwrap().targets[0].safety;
        assert_eq!((trade::unsold(&shop, &erp, safety), broken(&stage)), (vec![], vec![]));
    });
}

#[test]
fn where_the_file_does_not_say_so_a_person_is_asked_and_nothing_is_written() {
    carrying(11, |mut stage| async move {
        stage.rules.amendments = Amendments::Ask;
        let number = on_account(&stage, 1);
        passes(&stage, 120).await;
        let (id, ..) = sale(&stage, &number);
        cancel(&stage, &number);
        let writes = open(&stage.world).writes;
        passes(&stage, 120).await;
        let (state, code, _) = told(&stage, &number).await;
        assert_eq!(
            (state.as_str(), code.as_str(), states(&stage, "orders", id)),
            ("held", "SYN-0110", vec!["released".into()])
        );
        assert_eq!(open(&stage.world).writes, writes);
        // The plan says what the file could have done.
        stage.rules.amendments = Amendments::Carry;
        let engine = stage.boot().await.unwrap();
        let plan = engine.plan(Some(Flow::Orders)).await.unwrap();
        let row = plan.rows.iter().find(|row| row.key == number).unwrap();
        assert_eq!((row.step.as_str(), row.target.as_str()), ("cancel", "erp"), "{plan:?}");
        let one = Retry::One { entity: lane(&engine, &number).await.entity, rebase: false };
        assert_eq!(engine.store.retry(one, engine.now()).await.unwrap(), 1);
        passes(&stage, 240).await;
        assert_eq!(
            (told(&stage, &number).await.0, states(&stage, "orders", id)),
            ("idle".into(), vec!["cancelled".into()])
        );
    });
}
