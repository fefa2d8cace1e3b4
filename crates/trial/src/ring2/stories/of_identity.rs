//! Who is who: codes that are written in several ways, are changed, or come back on something else.

use super::*;
use crate::ring2::desk;
use serde_json::json;
use syncline_engine::sweep::SweepOrder;
use syncline_sim::catalogue::Item;

const SKU: &str = "MUG";

/// Plays `story` on a stage in calm weather whose products flow, nothing tied yet, and nothing said of a missing one.
fn untied<F: Future<Output = ()>>(story: impl FnOnce(Stage) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut stage = Stage::set(51, None, true).unwrap();
        stage.stock = None;
        stage.prices = None;
        stage.attributes = Vec::new();
        stage.products = Some(desk::rules());
        desk::open_views(&stage);
        open(&stage.world).weather = Weather::default();
        story(stage).await;
    });
}

fn renamed_at_erp(stage: &Stage, sku: &str, to: &str) {
    assert!(open(&stage.world).erp.edit_product(stage.clock.true_now(), sku, None, "suffix_code", &json!(to)));
}

fn named_at_erp(stage: &Stage, sku: &str, name: &str) {
    assert!(open(&stage.world).erp.edit_product(stage.clock.true_now(), sku, None, "name", &json!(name)));
}

fn in_shop(stage: &Stage, sku: &str) -> Value {
    let ledger = open(&stage.world).shop.ledger();
    ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == sku).cloned().unwrap_or_default()
}

async fn mug_lane(stage: &Stage) -> LaneRow {
    let filter = LaneFilter { kind: Some(Kind::Variant), label: Some(SKU.to_string()), ..LaneFilter::default() };
    stage.boot().await.unwrap().store.lanes(filter).await.unwrap().remove(0)
}

async fn sweep_all(stage: &Stage) {
    let engine = stage.boot().await.unwrap();
    for (system, kind) in engine.sweeps(None).unwrap() {
        engine.sweep(system, kind, SweepOrder::default(), &mut |_| {}).await.unwrap();
    }
}

/// An order of what the shop has under `sku`. Returns its number.
fn orders(stage: &Stage, n: u64, sku: &str) -> String {
    let mug = stage.catalogue.iter().find(|item| item.sku == SKU).unwrap();
    let product_id = in_shop(stage, sku)["id"].as_u64().unwrap();
    let item = Item { sku: sku.to_string(), product_id, ..mug.clone() };
    let now = stage.clock.true_now();
    let order = place_like(5, n, &[item], now);
    let number = order["increment_id"].as_str().unwrap().to_string();
    open(&stage.world).shop.place(now, order).unwrap();
    number
}

#[test]
fn s51_a_code_is_matched_however_it_is_written_and_never_picked_among_several() {
    untied(|stage| async move {
        let body = json!({"product": {
            "sku": "MUG-x", "name": "another", "price": 7, "attribute_set_id": 4, "status": 1, "type_id": "simple",
        }});
        {
            // An import wrote it past every check: magento/magento2#10080.
            let mut world = open(&stage.world);
            assert!(world.shop.make_product(stage.clock.true_now(), &body) && world.shop.recode("MUG-x", "MUG "));
        }
        renamed_at_erp(&stage, "LAMP-1", "lamp-1");
        let engine = stage.boot().await.unwrap();
        let [report] = &engine.adopt_variants().await.unwrap()[..] else { panic!("one shop") };
        assert_eq!(report.ambiguous.len(), 1, "{report:?}");
        assert_eq!(report.ambiguous[0].trim(), SKU);
        assert!(engine.named(Kind::Variant, SKU).await.unwrap().is_empty(), "nobody picks one of two");
        assert_eq!(engine.named(Kind::Variant, "LAMP-1").await.unwrap().len(), 1, "{report:?}");
        passes(&stage, 120).await;
        // What is tied flows, what is not is left alone, and its orders wait.
        named_at_erp(&stage, "lamp-1", "Lantern");
        named_at_erp(&stage, SKU, "Pot");
        passes(&stage, 300).await;
        assert_eq!(in_shop(&stage, "LAMP-1")["name"], "Lantern");
        assert_ne!(in_shop(&stage, SKU)["name"], "Pot");
        assert_eq!(in_shop(&stage, "MUG ")["name"], "another");
        let number = orders(&stage, 1, "MUG ");
        passes(&stage, 300).await;
        let held = lane(&stage.boot().await.unwrap(), &number).await;
        assert_eq!(held.state, "held", "{held:?}");
        // A person says which it is.
        let engine = stage.boot().await.unwrap();
        let chosen = [("MUG ".to_string(), SKU.to_string())];
        assert_eq!(engine.adopt_pairs(&chosen, None).await.unwrap()[0].bound, 1);
        let [order] = engine.named(Kind::Order, &number).await.unwrap()[..] else { panic!("one order") };
        let again = syncline_store::Retry::One { entity: order, rebase: false };
        assert_eq!(engine.store.retry(again, stage.clock.true_now()).await.unwrap(), 1);
        passes(&stage, 600).await;
        let lane = lane(&stage.boot().await.unwrap(), &number).await;
        assert_eq!(lane.state, "idle", "{lane:?}");
        let ledger = open(&stage.world).erp.ledger();
        let sold = |line: &&Value| line["sku"] == SKU;
        assert_eq!(ledger["orders"].as_array().unwrap().len(), 1);
        assert_eq!(ledger["orders"][0]["lines"].as_array().unwrap().iter().filter(sold).count(), 3);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn s51_a_line_without_a_code_holds_its_order_and_stops_no_other() {
    untied(|stage| async move {
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        let without = |(n, sku): (u64, Value)| {
            place(&stage, n, |order| {
                order["items"][0]["sku"] = sku;
                order["items"][0]["product_id"] = Value::Null;
            })
        };
        let numbers: Vec<String> = (0..).zip([Value::Null, json!(""), json!("  ")]).map(without).collect();
        let good = place(&stage, 9, |_| ());
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        for number in numbers {
            let lane = lane(&engine, &number).await;
            assert_eq!(lane.state, "held", "{lane:?}");
        }
        assert_eq!(lane(&engine, &good).await.state, "idle");
    });
}

#[test]
fn s52_a_product_renamed_in_the_erp_stays_the_same_one() {
    untied(|mut stage| async move {
        let mut rules = desk::rules();
        rules.pairs.iter_mut().for_each(|pair| pair.creates = true);
        stage.products = Some(rules);
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        passes(&stage, 120).await;
        let before = open(&stage.world).shop.ledger()["products"].as_array().unwrap().len();
        renamed_at_erp(&stage, SKU, "CUP");
        named_at_erp(&stage, "CUP", "Cup");
        let number = orders(&stage, 1, SKU);
        passes(&stage, 600).await;
        let ledger = open(&stage.world).shop.ledger();
        assert_eq!(ledger["products"].as_array().unwrap().len(), before, "nothing was made a second time");
        assert_eq!(in_shop(&stage, SKU)["name"], "Cup");
        let lane = lane(&stage.boot().await.unwrap(), &number).await;
        assert_eq!(lane.state, "idle", "{lane:?}");
    });
}

#[test]
fn s52_another_product_under_the_same_code_is_asked_about() {
    untied(|stage| async move {
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        passes(&stage, 120).await;
        {
            // Between two of our looks: no sweep has seen the code missing.
            let mut world = open(&stage.world);
            let now = stage.clock.true_now();
            assert!(world.shop.delete_product(SKU) && world.shop.make_product_again(now, SKU));
            assert!(world.shop.edit_product(now, SKU, None, "name", "something else"));
        }
        named_at_erp(&stage, SKU, "Pot");
        passes(&stage, 600).await;
        let lane = mug_lane(&stage).await;
        assert_eq!(in_shop(&stage, SKU)["name"], "something else", "{lane:?}");
        assert_eq!(lane.state, "conflict", "{lane:?}");
    });
}

#[test]
fn s52_a_product_the_erp_made_anew_is_tied_once_a_person_adopts_it() {
    untied(|stage| async move {
        // The ERP has a lamp that the shop lacks: it is to become the mug's successor.
        assert!(open(&stage.world).shop.delete_product("LAMP-1"));
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        passes(&stage, 120).await;
        let name = in_shop(&stage, SKU)["name"].clone();
        let rows = open(&stage.world).erp.ledger();
        let mug = rows["products"].as_array().unwrap().iter().find(|row| row["sku"] == SKU).unwrap()["id"].as_u64();
        assert!(open(&stage.world).erp.remove(stage.clock.true_now(), "product.product", mug.unwrap()));
        renamed_at_erp(&stage, "LAMP-1", SKU);
        sweep_all(&stage).await;
        passes(&stage, 120).await;
        let held = mug_lane(&stage).await;
        assert_eq!(held.why.unwrap().code, "SYN-0150");
        let engine = stage.boot().await.unwrap();
        let report = engine.adopt_variants().await.unwrap().remove(0);
        assert_eq!((report.bound, report.ambiguous.len()), (1, 0), "{report:?}");
        passes(&stage, 300).await;
        // Whatever differs from what was there is asked about before anything is written.
        let asked = mug_lane(&stage).await;
        assert_eq!(asked.state, "conflict", "{asked:?}");
        assert_eq!(in_shop(&stage, SKU)["name"], name);
        let number = orders(&stage, 1, SKU);
        passes(&stage, 300).await;
        assert_eq!(lane(&stage.boot().await.unwrap(), &number).await.state, "idle");
        assert_eq!(differences(&stage), [""; 0]);
    });
}
