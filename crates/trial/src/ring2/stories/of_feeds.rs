//! Feeds that lie: pages that repeat or fail, ids that do not grow, clocks and time zones that disagree.

use super::*;
use crate::ring2::drift::{Drift, Form};
use crate::ring2::world::Which;
use serde_json::json;

/// Places `count` orders, a few seconds apart.
async fn place_some(stage: &Stage, from: u64, count: u64) {
    for n in from..from + count {
        place(stage, n, |_| ());
        sleep(Duration::from_secs(3)).await;
    }
}

async fn states(stage: &Stage, state: &'static str) -> Vec<String> {
    let engine = stage.boot().await.unwrap();
    let filter = LaneFilter { kind: Some(Kind::Order), states: vec![state], ..LaneFilter::default() };
    engine.store.lanes(filter).await.unwrap().into_iter().map(|row| row.label).collect()
}

#[test]
fn s17_a_row_the_shop_fails_on_is_named_and_stops_no_other() {
    told(17, |stage| async move {
        place_some(&stage, 0, 12).await;
        let victim = open(&stage.world).shop.ledger()["orders"][5]["id"].as_u64();
        open(&stage.world).shop.quirks_mut().damaged_order = victim;
        passes(&stage, 900).await;
        let wrong = differences(&stage);
        assert_eq!(wrong.len(), 1, "one order lacks: {wrong:?}");
        assert_eq!(states(&stage, "failed").await.len(), 1, "and is told of");
        place_some(&stage, 12, 4).await;
        passes(&stage, 900).await;
        assert_eq!(differences(&stage).len(), 1, "later ones pass it by");
        open(&stage.world).shop.quirks_mut().damaged_order = None;
        let engine = stage.boot().await.unwrap();
        engine.store.retry(syncline_store::Retry::All, engine.now()).await.unwrap();
        passes(&stage, 900).await;
        assert_eq!(differences(&stage), [""; 0], "a person has mended it");
        assert_eq!(states(&stage, "failed").await, [""; 0]);
    });
}

#[test]
fn s17_a_list_that_repeats_its_page_is_no_end_of_the_list() {
    told(18, |stage| async move {
        place_some(&stage, 0, 130).await;
        open(&stage.world).shop.quirks_mut().stuck_pages = true;
        let engine = stage.boot().await.unwrap();
        let told = engine.sync(None).await.unwrap_err().to_string();
        assert!(told.contains("SYN-0209"), "{told}");
        open(&stage.world).shop.quirks_mut().stuck_pages = false;
        passes(&stage, 1_800).await;
        assert_eq!(differences(&stage), [""; 0], "nothing was passed over");
    });
}

#[test]
fn what_is_told_in_another_shape_is_read_once_that_is_put_right_and_nobody_has_to_say_so() {
    let fields = [
        (Which::Shop, "grand_total", Form::Other),
        (Which::Shop, "entity_id", Form::Gone),
        (Which::Shop, "qty_ordered", Form::Gone),
        (Which::Erp, "number", Form::Gone),
        (Which::Erp, "party_name", Form::Other),
        (Which::Erp, "total_amount", Form::Other),
    ];
    for (which, field, form) in fields {
        told(20, move |stage| async move {
            let drift = Drift::of(which, field, form, 400);
            open(&stage.world).drift = Some(drift);
            place_some(&stage, 0, 6).await;
            passes(&stage, 300).await;
            assert_ne!(differences(&stage), [""; 0], "{field}: nothing is made of what cannot be read");
            sleep(Duration::from_secs(150)).await;
            passes(&stage, 2_700).await;
            assert_eq!(differences(&stage), [""; 0], "{field}");
            assert_eq!(states(&stage, "failed").await, [""; 0], "{field}: nothing is left of it");
        });
    }
}

#[test]
fn s16_an_old_row_that_changes_and_a_late_one_with_a_lower_id_both_arrive() {
    told(16, |stage| async move {
        // The order with the lowest id is on hold in the shop, and the one after it is saved by a transaction that hangs.
        place(&stage, 0, |order| order["state"] = json!("holded"));
        open(&stage.world).shop.quirks_mut().late_commit_s = 240;
        place(&stage, 1, |_| ());
        open(&stage.world).shop.quirks_mut().late_commit_s = 0;
        sleep(Duration::from_secs(1)).await;
        place_some(&stage, 2, 6).await;
        passes(&stage, 600).await;
        let ids = check::orders_in(&open(&stage.world).shop, "draft");
        let now = stage.clock.true_now();
        assert!(!ids.is_empty() && open(&stage.world).shop.set_state(now, ids[0], "processing"));
        passes(&stage, 600).await;
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(open(&stage.world).erp.ledger()["orders"].as_array().unwrap().len(), 8);
    });
}

/// The days the ERP's documents bear, each with the moment its order was placed at in UTC.
fn days(stage: &Stage) -> Vec<(String, String)> {
    let world = open(&stage.world);
    let (shop, erp) = (world.shop.ledger(), world.erp.ledger());
    let placed = |number: &Value| {
        let order = shop["orders"].as_array().unwrap().iter().find(|order| order["number"] == *number).unwrap();
        order["placed"].as_str().unwrap().to_string()
    };
    let day = |sale: &Value| {
        let day = &sale["day"];
        format!("{}-{:02}-{:02}", day["year"], day["month"].as_u64().unwrap(), day["day"].as_u64().unwrap())
    };
    let sales = erp["orders"].as_array().unwrap().iter();
    let mut days: Vec<(String, String)> = sales.map(|sale| (placed(&sale["reference"]), day(sale))).collect();
    days.sort();
    days
}

#[test]
fn s14_an_order_bears_the_shops_own_day_whatever_the_clocks_say() {
    told(14, |stage| async move {
        open(&stage.world).shop.set_zone("Europe/Berlin");
        // Placed at, in UTC, and the day it is in the shop: the night the clocks go back, and midnights before and after.
        let placed = [
            ("2026-10-24 21:59:59", "2026-10-24"),
            ("2026-10-24 22:00:00", "2026-10-25"),
            ("2026-10-25 00:30:00", "2026-10-25"),
            ("2026-10-25 01:30:00", "2026-10-25"),
            ("2026-10-25 22:59:59", "2026-10-25"),
            ("2026-10-25 23:00:00", "2026-10-26"),
            ("2026-11-23 07:59:59", "2026-11-22"),
            ("2026-11-23 08:00:00", "2026-11-23"),
        ];
        let place_at = |n: usize| place(&stage, n as u64, |order| order["created_at"] = json!(placed[n].0));
        (0..6).for_each(|n| drop(place_at(n)));
        // Our own clock runs hours ahead, as one set to a local time does.
        stage.clock.step(5 * 3_600 + 1_800);
        passes(&stage, 600).await;
        stage.clock.set_right();
        // The shop's owner moves.
        open(&stage.world).shop.set_zone("America/Los_Angeles");
        (6..8).for_each(|n| drop(place_at(n)));
        passes(&stage, 900).await;
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(days(&stage), placed.map(|(at, day)| (at.to_string(), day.to_string())));
    });
}
