//! What a supplier sends to the buyer by itself: the shop is told of it like of any other shipment, and no stock is touched.

use super::of_amendments::cancel;
use super::of_shipments::{of_lines, order, sale, sending, ship, shipments};
use super::{broken, killed, lane, passes};
use crate::ring2::boot::Stage;
use crate::ring2::world::open;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;
use syncline_core::kind::Flow;
use syncline_core::rules::Amendments;
use syncline_sim::http::System as _;

const SKU: &str = "LAMP-1";

/// What the ERP has of it.
fn stock(stage: &Stage) -> Vec<Value> {
    let ledger = open(&stage.world).erp.ledger();
    ledger["stock"].as_array().unwrap().iter().filter(|row| row["sku"] == SKU).cloned().collect()
}

/// The drop shipments that wait.
fn waiting(stage: &Stage) -> Vec<u64> {
    let ledger = open(&stage.world).erp.ledger();
    let rows = ledger["drops"].as_array().unwrap().iter().filter(|row| row["state"] == "waiting");
    rows.map(|row| row["id"].as_u64().unwrap()).collect()
}

fn press(stage: &Stage, drop: u64, button: &str) {
    let now = stage.clock.true_now();
    assert!(open(&stage.world).erp.press_drop(now, drop, button), "{button}");
}

#[test]
fn s39_what_a_supplier_sends_is_told_once_and_in_parts_and_stock_is_left_alone() {
    for dies in [false, true] {
        sending(39, |stage| async move {
            let now = stage.clock.true_now();
            assert!(open(&stage.world).erp.supply_by_supplier(now, SKU));
            let before = stock(&stage);
            let number = of_lines(&stage, 1, &[("MUG", 2), (SKU, 5)]);
            passes(&stage, 120).await;
            let (_, lines) = order(&stage, &number);
            let part = |line: usize, n: u32| BTreeMap::from([(lines[line].to_string(), n.to_string())]);
            ship(&stage, &number, &[("MUG", 2)]);
            let (sale, now) = (sale(&stage, &number), stage.clock.true_now());
            let drop = open(&stage.world).erp.buy_for(now, sale).unwrap();
            assert!(open(&stage.world).erp.supplier_has(now, drop, Decimal::from(3)));
            press(&stage, drop, "ship");
            passes(&stage, 120).await;
            assert_eq!(shipments(&stage), [(part(0, 2), vec![])], "it is on its way and may become less");
            press(&stage, drop, "do");
            if dies {
                killed(&stage, [40, 90, 160, 260]).await;
            }
            passes(&stage, 180).await;
            assert_eq!(shipments(&stage), [(part(0, 2), vec![]), (part(1, 3), vec![])]);
            let rest = waiting(&stage);
            assert_eq!(rest.len(), 1, "the rest is bought already");
            press(&stage, rest[0], "ship");
            press(&stage, rest[0], "do");
            passes(&stage, 180).await;
            assert_eq!(shipments(&stage)[2..], [(part(1, 2), vec![])]);
            assert_eq!((stock(&stage), broken(&stage)), (before, vec![]));
            let engine = stage.boot().await.unwrap();
            let papers = engine.verify().await.unwrap().flows.remove(&Flow::Papers).unwrap();
            assert_eq!((papers.compared, papers.equal, papers.drift(), papers.open), (3, 3, 0, 0), "{papers:?}");
            let writes = open(&stage.world).writes;
            passes(&stage, 300 * 30).await;
            assert_eq!(open(&stage.world).writes, writes, "silence at rest");
            assert_eq!(shipments(&stage).len(), 3);
        });
    }
}

#[test]
fn an_order_of_which_goods_are_bought_is_withdrawn_by_people_and_nothing_of_it_is_cancelled_before() {
    for bought in [false, true] {
        sending(393, |mut stage| {
            stage.rules.amendments = Amendments::Carry;
            async move {
                let now = stage.clock.true_now();
                assert!(open(&stage.world).erp.supply_by_supplier(now, SKU));
                let number = of_lines(&stage, 1, &[("MUG", 2), (SKU, 5)]);
                passes(&stage, 120).await;
                let sale = sale(&stage, &number);
                if bought {
                    assert!(open(&stage.world).erp.buy_for(stage.clock.true_now(), sale).is_some());
                }
                cancel(&stage, &number);
                passes(&stage, 300).await;
                let engine = stage.boot().await.unwrap();
                let lane = lane(&engine, &number).await;
                let why = lane.why.unwrap();
                assert_eq!((lane.state.as_str(), why.code.as_str()), ("held", "SYN-0122"));
                assert!(why.what.contains("a supplier is to send"), "{}", why.what);
                let ledger = open(&stage.world).erp.ledger();
                let own = ledger["shipments"].as_array().unwrap();
                assert!(own.iter().all(|row| row["state"] == "waiting"), "{own:?}");
            }
        });
    }
}

#[test]
fn what_a_supplier_sends_is_found_by_a_sweep_where_no_feed_told_of_it() {
    sending(392, |mut stage| {
        stage.sweep_s = Some(600);
        async move {
            let now = stage.clock.true_now();
            let number = of_lines(&stage, 1, &[(SKU, 2)]);
            assert!(open(&stage.world).erp.supply_by_supplier(now, SKU));
            passes(&stage, 120).await;
            let (sale, now) = (sale(&stage, &number), stage.clock.true_now());
            let drop = open(&stage.world).erp.buy_for(now, sale).unwrap();
            press(&stage, drop, "ship");
            press(&stage, drop, "do");
            let engine = stage.boot().await.unwrap();
            let found = engine.verify().await.unwrap().flows.remove(&Flow::Papers).unwrap();
            assert_eq!((found.compared, found.missing), (1, 1), "it is listed among the keys: {found:?}");
            passes(&stage, 1_200).await;
            assert_eq!(shipments(&stage).len(), 1);
            assert_eq!(broken(&stage), [""; 0]);
        }
    });
}
