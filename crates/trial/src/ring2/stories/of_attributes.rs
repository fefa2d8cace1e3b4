//! What else is told of products: barcodes, choices the shop does not have yet, and fields one side loses.

use super::of_products::tie;
use super::*;
use crate::ring2::features::CARRIED;
use serde_json::json;
use syncline_core::id::SystemName;
use syncline_core::kind::Flow;
use syncline_core::rules::FieldPolicy;

const SKU: &str = "MUG";
const EAN: &str = "5901234123457";

/// Plays `story` on a stage whose ERP has the module of attributes, and whose products agree.
fn picked<F: Future<Output = ()>>(policies: &[(&str, FieldPolicy)], story: impl FnOnce(Stage) -> F) {
    told(13, |mut stage| async move {
        assert!(at_erp(&stage, "attribute:washable", &json!(true)), "the seed has the module");
        CARRIED.into_iter().for_each(|(code, field)| stage.carry(code, field));
        tie(&mut stage, policies).await;
        passes(&stage, 120).await;
        story(stage).await;
    });
}

fn at_erp(stage: &Stage, field: &str, value: &Value) -> bool {
    open(&stage.world).erp.edit_product(stage.clock.true_now(), SKU, None, field, value)
}

fn at_shop(stage: &Stage, code: &str, value: &str) -> bool {
    open(&stage.world).shop.edit_product(stage.clock.true_now(), SKU, None, &format!("attributes.{code}"), value)
}

fn row(ledger: &Value) -> Value {
    ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == SKU).unwrap().clone()
}

fn in_shop(stage: &Stage) -> Value {
    row(&open(&stage.world).shop.ledger())["attributes"].clone()
}

fn in_erp(stage: &Stage) -> Value {
    row(&open(&stage.world).erp.ledger())
}

fn choices(stage: &Stage, code: &str) -> Value {
    open(&stage.world).shop.ledger()["choices"][code].clone()
}

async fn variant_lane(engine: &Engine) -> LaneRow {
    let filter = LaneFilter { kind: Some(Kind::Variant), label: Some(SKU.to_string()), ..LaneFilter::default() };
    engine.store.lanes(filter).await.unwrap().remove(0)
}

#[test]
fn barcodes_fill_what_is_empty_and_follow_their_owner() {
    picked(&[], |stage| async move {
        let first = in_erp(&stage)["identifiers"]["ean"].clone();
        assert_eq!((in_shop(&stage)["ean"].clone(), in_shop(&stage)["washable"].clone()), (first, json!("1")));
        assert!(at_erp(&stage, "identifier:ean", &json!(EAN)));
        passes(&stage, 60).await;
        assert_eq!(in_shop(&stage)["ean"], EAN);
        assert!(at_shop(&stage, "ean", "typed by mistake"));
        passes(&stage, 60).await;
        assert_eq!(in_shop(&stage)["ean"], EAN, "its owner says something");
        assert!(at_erp(&stage, "identifier:ean", &Value::Null));
        passes(&stage, 60).await;
        assert_eq!(in_shop(&stage)["ean"], Value::Null, "taken away is taken away");
        let before = open(&stage.world).writes;
        passes(&stage, 900).await;
        assert_eq!(open(&stage.world).writes, before);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn a_choice_the_shop_lacks_is_made_once_through_faults_and_crashes() {
    for fault in [Fault::LostReply, Fault::ErrorAfter, Fault::Repeated(0), Fault::Late(0)] {
        picked(&[], |stage| async move {
            assert!(at_erp(&stage, "attribute:colour", &json!("green")));
            assert!(at_erp(&stage, "attribute:material", &json!(["wool", "cotton"])));
            troubled(&stage, fault, 300);
            killed(&stage, [30, 300, 3_000, 30_000]).await;
            started(&stage).await;
            passes(&stage, 1_500).await;
            calmed(&stage, fault);
            passes(&stage, 900).await;
            let shown = in_shop(&stage);
            assert_eq!(
                (&shown["color"], &shown["material"]),
                (&json!("Größer & grün"), &json!("Cotton\nWool")),
                "{fault:?}"
            );
            assert_eq!(choices(&stage, "color"), json!(["Größer & grün"]), "{fault:?}");
            let mut materials = choices(&stage, "material");
            materials.as_array_mut().unwrap().sort_by_key(ToString::to_string);
            assert_eq!((materials, broken(&stage)), (json!(["Cotton", "Wool"]), Vec::new()), "{fault:?}");
        });
    }
}

#[test]
fn what_the_shop_owns_goes_back_and_a_choice_the_erp_lacks_is_held() {
    let shop = || FieldPolicy::Owner(SystemName::new("shop"));
    picked(&[("attributes.color", shop()), ("attributes.washable", shop())], |stage| async move {
        assert!(at_shop(&stage, "color", "Red") && at_shop(&stage, "washable", "0"));
        passes(&stage, 90).await;
        let shown = in_erp(&stage)["attributes"].clone();
        assert_eq!((&shown["colour"], &shown["washable"]), (&json!("red"), &json!(false)));
        assert!(at_shop(&stage, "color", "Ultramarine"));
        passes(&stage, 90).await;
        assert_eq!(in_erp(&stage)["attributes"]["colour"], "red");
        let why = variant_lane(&stage.boot().await.unwrap()).await.why.unwrap();
        assert!(why.code == "SYN-0109" && why.what.contains("add it there"), "{why:?}");
        assert!(at_shop(&stage, "color", "Blue"));
        passes(&stage, 90).await;
        assert_eq!(in_erp(&stage)["attributes"]["colour"], "blue");
    });
}

#[test]
fn an_attribute_that_products_of_the_shop_do_not_have_is_told_of_and_not_tried_for_ever() {
    told(13, |mut stage| async move {
        stage.carry("series", "attribute:maker");
        tie(&mut stage, &[]).await;
        assert!(at_erp(&stage, "attribute:maker", &json!("ACME")));
        passes(&stage, 600).await;
        let why = variant_lane(&stage.boot().await.unwrap()).await.why.unwrap();
        assert!(why.code == "SYN-0115" && why.what.contains("attributes.series"), "{why:?}");
        let before = open(&stage.world).writes;
        passes(&stage, 900).await;
        assert_eq!(open(&stage.world).writes, before);
    });
}

#[test]
fn attributes_stand_in_the_plan_and_are_taken_back() {
    picked(&[], |stage| async move {
        let first = in_shop(&stage)["ean"].clone();
        assert!(at_erp(&stage, "attribute:colour", &json!("red")) && at_erp(&stage, "identifier:ean", &json!(EAN)));
        let engine = stage.boot().await.unwrap();
        let plan = engine.plan(Some(Flow::Products)).await.unwrap();
        let row = plan.rows.iter().find(|row| row.key == SKU).unwrap();
        assert!(row.fields["attributes.color"].fit.contains("new choice"), "{row:?}");
        assert_eq!(choices(&stage, "color"), json!([]), "a plan makes nothing");
        engine.sync(Some(Flow::Products)).await.unwrap();
        passes(&stage, 300).await;
        assert_eq!((&in_shop(&stage)["color"], &in_shop(&stage)["ean"]), (&json!("Red"), &json!(EAN)));
        for run in engine.runs(9).await.unwrap().newest {
            let undo = engine.undo_of(run.run, &[]).await.unwrap().unwrap();
            if undo.fields.iter().any(|row| row.key == SKU && row.field.as_str() == "attributes.ean") {
                engine.undo(&undo).await.unwrap();
                break;
            }
        }
        passes(&stage, 600).await;
        let shown = in_shop(&stage);
        assert_eq!((&shown["ean"], &in_erp(&stage)["identifiers"]["ean"]), (&first, &json!(EAN)), "{shown}");
    });
}

#[test]
fn a_product_is_made_with_its_attributes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut stage = Stage::set(13, None, true).unwrap();
        open(&stage.world).weather = Weather::default();
        assert!(open(&stage.world).shop.delete_product(SKU));
        assert!(at_erp(&stage, "attribute:colour", &json!("blue")));
        tie(&mut stage, &[]).await;
        stage.products.as_mut().unwrap().pairs[0].creates = true;
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        passes(&stage, 900).await;
        let shown = in_shop(&stage);
        assert_eq!((&shown["ean"], &shown["color"]), (&in_erp(&stage)["identifiers"]["ean"], &json!("Blue")));
        assert_eq!((choices(&stage, "color"), broken(&stage)), (json!(["Blue"]), Vec::new()));
    });
}
