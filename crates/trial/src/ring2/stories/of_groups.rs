//! Stories of groups of customers in the shop and price lists of parties in the ERP, and of the terms that a way to pay means.

use super::of_customers::{BUYER, SEED, at_peace, buys, edited, edited_in_erp, owned, party, shopper};
use super::*;
use crate::ring2::planted::FORGETS_A_GROUP;
use serde_json::json;
use syncline_core::rules::FieldPolicy;
use syncline_engine::undo::Fate;

const TRADE: &str = "Prices without tax";
const WHOLESALE: u64 = 2;

/// The shop's groups that have a word in the ERP: the first means no price list.
fn grouped(stage: &mut Stage) {
    let rows = [("General", ""), ("Wholesale", TRADE)];
    stage.carry_groups(&rows);
}

fn erps() -> FieldPolicy {
    FieldPolicy::Owner(SystemName::new("erp"))
}

async fn held(stage: &Stage) -> Vec<String> {
    let engine = stage.boot().await.unwrap();
    let filter = LaneFilter { kind: Some(Kind::Customer), states: vec!["held"], ..LaneFilter::default() };
    let lanes = engine.store.lanes(filter).await.unwrap();
    lanes
        .into_iter()
        .filter_map(|lane| Some(format!("{} {}", lane.why.as_ref()?.code, lane.why.as_ref()?.what)))
        .collect()
}

#[test]
fn a_group_of_the_shop_is_a_price_list_of_the_erp_from_the_first_order_on() {
    told(SEED, |mut stage| async move {
        grouped(&mut stage);
        edited(&stage, "group_id", "2");
        buys(&stage, 1, BUYER);
        passes(&stage, 300).await;
        assert_eq!(party(&stage)["price_list"], TRADE);
        at_peace(&stage).await;
        edited(&stage, "group_id", "1");
        passes(&stage, 300).await;
        assert_eq!(party(&stage)["price_list"], json!(null));
        at_peace(&stage).await;
        edited_in_erp(&stage, "price_list", TRADE);
        passes(&stage, 300).await;
        assert_eq!(party(&stage)["price_list"], json!(null), "its owner puts it right");
        let engine = stage.boot().await.unwrap();
        let run = engine.runs(20).await.unwrap().newest.iter().map(|row| row.run).max().unwrap();
        let undo = engine.undo_of(run, &[]).await.unwrap().unwrap();
        assert_eq!(undo.with(Fate::Back).count(), 1, "{undo:?}");
        at_peace(&stage).await;
    });
}

#[test]
fn a_group_without_a_row_is_held_with_the_row_to_add_and_stops_no_order() {
    told(SEED, |mut stage| async move {
        grouped(&mut stage);
        edited(&stage, "group_id", "3");
        buys(&stage, 1, BUYER);
        passes(&stage, 300).await;
        assert_eq!(party(&stage)["price_list"], json!(null));
        assert_eq!(differences(&stage), [""; 0], "the order has arrived");
        let held = held(&stage).await;
        assert!(held.len() == 1 && held[0].starts_with("SYN-0171") && held[0].contains("\"Retailer\""), "{held:?}");
        stage.groups.insert("Retailer".to_string(), "Prices with tax".to_string());
        let engine = stage.boot().await.unwrap();
        engine.store.retry(syncline_store::Retry::All, engine.now()).await.unwrap();
        passes(&stage, 300).await;
        assert_eq!(party(&stage)["price_list"], "Prices with tax");
        at_peace(&stage).await;
    });
}

#[test]
fn a_price_list_of_the_erp_is_the_customers_group_through_faults_and_crashes() {
    for fault in [Fault::LostReply, Fault::LostRequest, Fault::Late(0), Fault::Repeated(0)] {
        told(SEED, |mut stage| async move {
            grouped(&mut stage);
            owned(&mut stage, "group", erps());
            edited(&stage, "group_id", "1");
            buys(&stage, 1, BUYER);
            passes(&stage, 300).await;
            let before = shopper(&stage);
            edited_in_erp(&stage, "price_list", TRADE);
            troubled(&stage, fault, 300);
            killed(&stage, [40, 120, 400, 900]).await;
            passes(&stage, 1200).await;
            calmed(&stage, fault);
            passes(&stage, 600).await;
            let after = shopper(&stage);
            assert_eq!(after["group"], WHOLESALE, "{fault:?}");
            assert_eq!((&after["addresses"], &after["name"]), (&before["addresses"], &before["name"]), "{fault:?}");
            at_peace(&stage).await;
        });
    }
}

#[test]
fn a_group_that_does_not_stay_is_told_of() {
    planted(SEED, Some(FORGETS_A_GROUP), |mut stage| async move {
        grouped(&mut stage);
        owned(&mut stage, "group", erps());
        edited(&stage, "group_id", "1");
        buys(&stage, 1, BUYER);
        passes(&stage, 300).await;
        edited_in_erp(&stage, "price_list", TRADE);
        passes(&stage, 900).await;
        assert_ne!(shopper(&stage)["group"], WHOLESALE, "the planted bug");
        let held = held(&stage).await;
        assert!(held.len() == 1 && held[0].starts_with("SYN-0115"), "{held:?}");
    });
}

#[test]
fn without_rows_nobody_s_group_changes() {
    told(SEED, |stage| async move {
        buys(&stage, 1, BUYER);
        edited(&stage, "group_id", "2");
        passes(&stage, 300).await;
        edited_in_erp(&stage, "price_list", "Prices with tax");
        passes(&stage, 300).await;
        assert_eq!((&shopper(&stage)["group"], &party(&stage)["price_list"]), (&json!(2), &json!("Prices with tax")));
        at_peace(&stage).await;
    });
}

#[test]
fn a_way_to_pay_means_the_term_that_the_file_says() {
    told(SEED, |mut stage| async move {
        let rows = stage.rules.tables.get_mut("payment_methods").unwrap();
        rows.insert("purchaseorder".to_string(), "30 days".to_string());
        let later = place(&stage, 1, |order| order["payment"]["method"] = json!("purchaseorder"));
        let now = place(&stage, 2, |order| order["payment"]["method"] = json!("checkmo"));
        passes(&stage, 300).await;
        let ledger = open(&stage.world).erp.ledger();
        let term = |number: &str| {
            let sale = ledger["orders"].as_array().unwrap().iter().find(|row| row["reference"] == number).unwrap();
            sale["term"].clone()
        };
        assert_eq!((term(&later), term(&now)), (json!("30 days"), json!("Immediate")));
        assert_eq!(differences(&stage), [""; 0]);
        stage.rules.tables.insert("payment_methods".to_string(), [("checkmo".into(), "Immediate".into())].into());
        let without = place(&stage, 3, |order| order["payment"]["method"] = json!("purchaseorder"));
        passes(&stage, 300).await;
        let held = lane(&stage.boot().await.unwrap(), &without).await.why.unwrap();
        assert!(held.code == "SYN-0103" && held.remedy.contains("purchaseorder"), "{held:?}");
    });
}
