//! Orders that a clerk of the shop sends elsewhere after they were taken over: what still waits goes there, too.

use super::of_amendments::{carrying, told};
use super::of_invoices::{on_account, post, sale};
use super::{broken, differences, killed, passes, troubled};
use crate::ring2::boot::Stage;
use crate::ring2::weather::Fault;
use crate::ring2::world::open;
use serde_json::{Value, json};
use syncline_core::kind::Flow;
use syncline_core::rules::Amendments;
use syncline_sim::http::System as _;
use syncline_store::Retry;

/// A clerk of the shop has an order billed or shipped to another town; the order is saved by something else, too.
fn send(stage: &Stage, number: &str, which: &str, town: &str) {
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    world.sent_elsewhere.insert(number.to_string());
    assert!(world.shop.edit_order_address(number, which, "city", town));
    assert!(world.shop.save_order(now, number));
}

/// Towns of a sale, its shipments and its invoices: where the sale is billed and shipped to, and where each paper goes.
fn towns(stage: &Stage, sale: u64) -> (String, String, Vec<String>, Vec<String>) {
    let ledger = open(&stage.world).erp.ledger();
    // A region that the ERP does not know stands behind the town.
    let town = |envelope: &Value| envelope[3].as_str().unwrap_or_default().split(", ").next().unwrap().to_string();
    let rows = |list: &str| ledger[list].as_array().unwrap().clone();
    let orders = rows("orders");
    let row = orders.iter().find(|row| row["id"] == sale).unwrap();
    let of_sale = |row: &&Value| row["lines"].as_array().unwrap().iter().any(|line| line["sale"] == sale);
    let shipments = rows("shipments").iter().filter(of_sale).map(|row| town(&row["to"])).collect();
    let billed = |row: &&Value| row["sales"].as_array().unwrap().iter().any(|one| *one == sale);
    let invoices = rows("invoices").iter().filter(billed).map(|row| town(&row["to"])).collect();
    (town(&row["addresses"]["invoice"]), town(&row["addresses"]["shipment"]), shipments, invoices)
}

fn all_in(town: &str) -> (String, String, Vec<String>, Vec<String>) {
    (town.to_string(), town.to_string(), vec![town.to_string()], vec![town.to_string()])
}

fn idle() -> (String, String, String) {
    ("idle".into(), String::new(), String::new())
}

#[test]
fn s35_an_order_sent_elsewhere_in_the_shop_goes_there_with_all_that_still_waits() {
    for seed in 1..4 {
        carrying(seed, |stage| async move {
            let (moved, stays) = (on_account(&stage, 1), on_account(&stage, 2));
            passes(&stage, 120).await;
            let ((id, ..), (other, ..)) = (sale(&stage, &moved), sale(&stage, &stays));
            let before = towns(&stage, other);
            send(&stage, &moved, "shipping", "Bonn");
            passes(&stage, 240).await;
            assert_eq!(told(&stage, &moved).await, idle(), "seed {seed}");
            let there = towns(&stage, id);
            assert_eq!((there.1.as_str(), &there.2), ("Bonn", &vec!["Bonn".to_string()]));
            assert_ne!((there.0.as_str(), there.3[0].as_str()), ("Bonn", "Bonn"), "the invoice goes where it went");
            send(&stage, &moved, "billing", "Bonn");
            passes(&stage, 240).await;
            assert_eq!((told(&stage, &moved).await, towns(&stage, id)), (idle(), all_in("Bonn")));
            assert_eq!(towns(&stage, other), before, "what others are addressed to stays");
            // And back again, and to a third one.
            for town in ["Köln", "Bonn", "Ulm"] {
                send(&stage, &moved, "billing", town);
                send(&stage, &moved, "shipping", town);
                passes(&stage, 240).await;
                assert_eq!((told(&stage, &moved).await, towns(&stage, id)), (idle(), all_in(town)));
            }
            assert_eq!((differences(&stage), broken(&stage)), (vec![], vec![]));
            let engine = stage.boot().await.unwrap();
            let proof = engine.verify().await.unwrap();
            assert_eq!((proof.drift, proof.flows[&Flow::Orders].equal), (0, 2), "{proof:?}");
            let writes = open(&stage.world).writes;
            passes(&stage, 1_200).await;
            assert_eq!(open(&stage.world).writes, writes, "silence at rest");
        });
    }
}

#[test]
fn s35_what_is_in_hand_or_was_billed_keeps_its_address_and_a_person_is_asked() {
    for (seed, billed) in [(5, false), (6, true)] {
        carrying(seed, |stage| async move {
            let number = on_account(&stage, 1);
            passes(&stage, 120).await;
            let (id, ..) = sale(&stage, &number);
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
            let before = towns(&stage, id);
            let (frozen, free) = if billed { ("billing", "shipping") } else { ("shipping", "billing") };
            send(&stage, &number, frozen, "Bonn");
            passes(&stage, 120).await;
            let (state, code, what) = told(&stage, &number).await;
            assert_eq!((state.as_str(), code.as_str()), ("held", "SYN-0124"), "{what}");
            assert!(what.contains(if billed { "invoice 1 (posted)" } else { "shipment 1 (picked)" }), "{what}");
            assert_eq!(towns(&stage, id), before, "nothing was changed");
            let engine = stage.boot().await.unwrap();
            let one = Retry::One { entity: super::lane(&engine, &number).await.entity, rebase: true };
            engine.store.retry(one, engine.now()).await.unwrap();
            send(&stage, &number, free, "Ulm");
            passes(&stage, 240).await;
            assert_eq!(told(&stage, &number).await, idle());
            let there = towns(&stage, id);
            let (free, kept) = if billed { (&there.2, &there.3) } else { (&there.3, &there.2) };
            assert_eq!((free[0].as_str(), kept), ("Ulm", if billed { &before.3 } else { &before.2 }));
            assert_eq!(broken(&stage), [""; 0]);
        });
    }
}

#[test]
fn what_somebody_changes_in_the_erp_meanwhile_is_asked_about_and_not_overwritten() {
    carrying(7, |stage| async move {
        let number = on_account(&stage, 1);
        passes(&stage, 120).await;
        let (id, ..) = sale(&stage, &number);
        let party = {
            let ledger = open(&stage.world).erp.ledger();
            ledger["orders"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap()["party"].clone()
        };
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.directly(
            now,
            "party.party",
            party.as_u64().unwrap(),
            &json!({"addresses": [["create", [{"city": "Trier"}]]]})
        ));
        let address = open(&stage.world).erp.addresses(party.as_u64().unwrap()).pop().unwrap();
        assert!(open(&stage.world).erp.directly(now, "sale.sale", id, &json!({"shipment_address": address})));
        open(&stage.world).sent_elsewhere.insert(number.clone());
        send(&stage, &number, "shipping", "Bonn");
        passes(&stage, 240).await;
        let (state, code, what) = told(&stage, &number).await;
        assert_eq!((state.as_str(), code.as_str()), ("held", "SYN-0125"), "{what}");
        assert_eq!(towns(&stage, id).1, "Trier");
        // They give way: what the shop says is what they write.
        let bonn = open(&stage.world).erp.addresses(party.as_u64().unwrap());
        assert!(bonn.len() > 2, "the new address is there already");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn an_order_is_sent_elsewhere_once_through_faults_and_deaths() {
    for fault in
        [Fault::ErrorAfter, Fault::LostReply, Fault::Truncated, Fault::Html, Fault::Repeated(20), Fault::Late(60)]
    {
        carrying(45, |stage| async move {
            let number = on_account(&stage, 1);
            passes(&stage, 120).await;
            let (id, ..) = sale(&stage, &number);
            send(&stage, &number, "billing", "Bonn");
            send(&stage, &number, "shipping", "Bonn");
            troubled(&stage, fault, 500);
            killed(&stage, [300, 700, 1_500, 2_600]).await;
            passes(&stage, 240).await;
            open(&stage.world).calm = true;
            passes(&stage, 900).await;
            assert_eq!((told(&stage, &number).await, towns(&stage, id)), (idle(), all_in("Bonn")), "{fault:?}");
            assert_eq!(broken(&stage), [""; 0], "{fault:?}");
        });
    }
}

#[test]
fn an_order_that_is_sent_on_before_it_got_there_goes_to_the_last_place() {
    // A pass that begins anew asks both systems first; the fourth second of the calls is the last one.
    for millis in (13_500..18_500).step_by(500) {
        carrying(49, |stage| async move {
            let number = on_account(&stage, 1);
            passes(&stage, 120).await;
            let (id, ..) = sale(&stage, &number);
            let both = |town: &str| ["billing", "shipping"].map(|which| send(&stage, &number, which, town));
            both("Bonn");
            killed(&stage, [millis, 1, 1, 1]).await;
            both("Ulm");
            passes(&stage, 600).await;
            assert_eq!(
                (told(&stage, &number).await, towns(&stage, id)),
                (idle(), all_in("Ulm")),
                "killed after {millis} ms"
            );
            assert_eq!(broken(&stage), [""; 0]);
        });
    }
}

#[test]
fn where_the_file_only_asks_an_address_is_named_until_both_are_alike() {
    carrying(46, |mut stage| async move {
        stage.rules.amendments = Amendments::Ask;
        let number = on_account(&stage, 1);
        passes(&stage, 120).await;
        let (id, ..) = sale(&stage, &number);
        let before = towns(&stage, id);
        send(&stage, &number, "shipping", "Bonn");
        passes(&stage, 240).await;
        let (state, code, what) = told(&stage, &number).await;
        assert_eq!((state.as_str(), code.as_str()), ("held", "SYN-0110"));
        assert!(what.contains("`shipping` is another address"), "{what}");
        assert_eq!(towns(&stage, id), before);
        stage.rules.amendments = Amendments::Carry;
        let engine = stage.boot().await.unwrap();
        let plan = engine.plan(Some(Flow::Orders)).await.unwrap();
        let row = plan.rows.iter().find(|row| row.key == number).unwrap();
        assert_eq!((row.step.as_str(), row.target.as_str()), ("amend", "erp"), "{plan:?}");
    });
}
