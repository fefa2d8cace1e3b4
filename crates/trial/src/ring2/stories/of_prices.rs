//! Prices as people meet them: lists of the ERP shown in the shop, what was there before, and what comes and goes.

use super::*;
use crate::ring2::prices::{self, LIST};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use syncline_core::id::SystemName;
use syncline_engine::conflicts::{Choice, Which};

const SKU: &str = "MUG";
/// A stage whose prices flow, tied and with the first pass behind it, differences from before decided for the ERP.
fn priced<F: Future<Output = ()>>(story: impl FnOnce(Stage) -> F) {
    priced_of(super::PRODUCTS, story);
}

/// The same with so many entries in the catalogue.
pub(super) fn priced_of<F: Future<Output = ()>>(products: usize, story: impl FnOnce(Stage) -> F) {
    stocked(53, products, |mut stage| async move {
        flow(&mut stage);
        {
            let now = stage.clock.true_now();
            let mut world = open(&stage.world);
            world.shop.set_currency("EUR");
            assert!(world.erp.set_price_list(
                now,
                LIST,
                &[(None, 10, "unit_price * 0.8"), (None, 0, "unit_price * 0.9")]
            ));
        }
        passes(&stage, 90).await;
        decide(&stage).await;
        story(stage).await;
    });
}

fn flow(stage: &mut Stage) {
    stage.prices = Some(prices::rules());
    stage.products = None;
    stage.stock = None;
}

async fn decide(stage: &Stage) {
    let engine = stage.boot().await.unwrap();
    engine.resolve(&Which::default(), &Choice::Take(SystemName::new("erp"))).await.unwrap();
    passes(stage, 120).await;
}

/// The shop's prices of the mug: list and quantity → amount.
fn in_shop(stage: &Stage) -> BTreeMap<(String, String), Decimal> {
    let ledger = open(&stage.world).shop.ledger();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_string();
    let rows = ledger["prices"].as_array().unwrap().iter().filter(|row| row["sku"] == SKU);
    rows.map(|row| ((text(row, "list"), text(row, "quantity")), text(row, "amount").parse().unwrap())).collect()
}

fn writes(stage: &Stage) -> u64 {
    open(&stage.world).writes
}

fn of(stage: &Stage, list: &str, quantity: &str) -> Option<Decimal> {
    in_shop(stage).get(&(list.to_string(), quantity.to_string())).copied()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn prices_follow_the_erps_lists_and_what_differed_before_waits() {
    told(53, |mut stage| async move {
        flow(&mut stage);
        {
            let now = stage.clock.true_now();
            let mut world = open(&stage.world);
            world.shop.set_currency("EUR");
            assert!(world.shop.set_price(now, SKU, "base", 1, Some("1")));
        }
        let before = (writes(&stage), of(&stage, "base", "1"));
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        assert!(!engine.conflicts(&Which::default()).await.unwrap().is_empty());
        assert_eq!((writes(&stage), of(&stage, "base", "1")), before, "prices from before stand");
    });
}

#[test]
fn a_list_price_changed_in_the_erp_is_the_shops_base_price() {
    priced(|stage| async move {
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.set_list_price(now, SKU, "12.3456"));
        passes(&stage, 900).await;
        assert_eq!(of(&stage, "base", "1"), Some(decimal("12.3456")));
        assert_eq!(broken(&stage), [""; 0]);
        let before = writes(&stage);
        passes(&stage, 1800).await;
        assert_eq!(writes(&stage), before, "nothing is written at rest");
        let proof = stage.boot().await.unwrap().verify().await.unwrap();
        let prices = &proof.flows[&syncline_core::kind::Flow::Prices];
        assert!(prices.compared > 5 && prices.drift() == 0 && prices.open == 0, "{prices:?}");
    });
}

#[test]
fn a_price_list_is_a_groups_prices_by_quantity_and_what_leaves_it_leaves_the_shop() {
    priced(|stage| async move {
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.set_list_price(now, SKU, "10"));
        passes(&stage, 900).await;
        let (one, ten) = (of(&stage, "group:Wholesale", "1"), of(&stage, "group:Wholesale", "10"));
        assert_eq!((one, ten), (Some(decimal("9")), Some(decimal("8"))), "{:?}", in_shop(&stage));
        assert!(open(&stage.world).erp.set_price_list(now, LIST, &[(None, 0, "unit_price * 0.7")]));
        passes(&stage, 900).await;
        let (one, ten) = (of(&stage, "group:Wholesale", "1"), of(&stage, "group:Wholesale", "10"));
        assert_eq!((one, ten), (Some(decimal("7")), None), "{:?}", in_shop(&stage));
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn a_price_changed_in_the_shop_is_put_right_when_the_erps_changes_and_a_special_one_stays() {
    priced(|stage| async move {
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.set_price(now, SKU, "special", 1, Some("5")));
        assert!(open(&stage.world).shop.set_price(now, SKU, "base", 1, Some("1")));
        assert!(open(&stage.world).erp.set_list_price(now, SKU, "11"));
        passes(&stage, 900).await;
        assert_eq!((of(&stage, "base", "1"), of(&stage, "special", "1")), (Some(decimal("11")), Some(decimal("5"))));
    });
}

#[test]
fn a_price_that_left_its_list_does_not_come_back_with_a_repeated_request() {
    priced(|stage| async move {
        let five = |stage: &Stage| {
            let ledger = open(&stage.world).shop.ledger();
            ledger["prices"].as_array().unwrap().iter().filter(|row| row["quantity"] == "5").count()
        };
        let say = |lines: &[(Option<&str>, u32, &str)]| {
            assert!(open(&stage.world).erp.set_price_list(stage.clock.true_now(), LIST, lines));
        };
        troubled(&stage, Fault::Repeated(0), 1000);
        let engine = stage.boot().await.unwrap();
        let (mut there, mut back) = (0, 0);
        for _ in 0..6 {
            say(&[(None, 5, "unit_price * 0.7"), (None, 0, "unit_price * 0.9")]);
            engine.sync(None).await.unwrap();
            there = there.max(five(&stage));
            say(&[(None, 0, "unit_price * 0.9")]);
            engine.sync(None).await.unwrap();
            let gone = five(&stage);
            sleep(Duration::from_secs(70)).await;
            back = back.max(five(&stage).saturating_sub(gone));
        }
        assert!(there > 5 && back > 0, "{there} written, {back} came back");
        open(&stage.world).calm = true;
        passes(&stage, 1200).await;
        assert_eq!(five(&stage), 0, "prices the ERP does not say");
        assert_eq!(prices::apart(&stage), [""; 0]);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn s18_one_price_the_shop_refuses_stops_no_other() {
    priced(|stage| async move {
        let now = stage.clock.true_now();
        let skus = skus(&stage);
        for (n, sku) in skus.iter().enumerate() {
            let price = if sku == SKU { "-5".to_string() } else { format!("2{n}.5") };
            assert!(open(&stage.world).erp.set_list_price(now, sku, &price));
        }
        passes(&stage, 900).await;
        let ledger = open(&stage.world).shop.ledger();
        let base = |sku: &String| {
            let mut rows = ledger["prices"].as_array().unwrap().iter();
            rows.find(|row| row["sku"] == *sku && row["list"] == "base").unwrap()["amount"].clone()
        };
        let wrong: Vec<&String> =
            skus.iter().enumerate().filter(|(n, sku)| base(sku) != format!("2{n}.5")).map(|(_, sku)| sku).collect();
        assert!(skus.len() > 5 && wrong == [SKU], "{wrong:?} of {}", skus.len());
        let engine = stage.boot().await.unwrap();
        let filter = LaneFilter { kind: Some(Kind::Price), ..LaneFilter::default() };
        let mut open_lanes = engine.store.lanes(filter).await.unwrap();
        open_lanes.retain(|lane| lane.state != "idle" && lane.state != "outside");
        let told: Vec<(String, String)> = open_lanes.into_iter().map(|lane| (lane.label, lane.state)).collect();
        assert_eq!(told, [(SKU.to_string(), "held".to_string())]);
    });
}

/// The SKUs that have a base price in the shop.
fn skus(stage: &Stage) -> Vec<String> {
    let ledger = open(&stage.world).shop.ledger();
    let rows = ledger["prices"].as_array().unwrap().iter().filter(|row| row["list"] == "base");
    rows.map(|row| row["sku"].as_str().unwrap().to_string()).collect()
}
