//! Products that only the ERP has: made in the shop once, left alone where they are somebody's, never brought back.

use super::*;
use crate::ring2::desk;
use serde_json::json;
use syncline_core::kind::Flow;
use syncline_sim::catalogue::Item;
use syncline_sim::orders;

const SKU: &str = "MUG";

/// Plays `story` on a stage whose ERP has a mug that the shop lacks; all else is tied, and what is missing is made.
fn lacking<F: Future<Output = ()>>(story: impl FnOnce(Stage) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let stage = creating();
        assert!(open(&stage.world).shop.delete_product(SKU));
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        story(stage).await;
    });
}

/// A stage in calm weather whose products flow in three languages and are made where they are missing.
fn creating() -> Stage {
    let mut stage = Stage::set(4, None, true).unwrap();
    stage.stock = None;
    stage.attributes = Vec::new();
    let mut rules = desk::rules();
    rules.pairs.iter_mut().for_each(|pair| (pair.creates, pair.policies) = (true, Vec::new()));
    stage.products = Some(rules);
    desk::open_views(&stage);
    open(&stage.world).weather = Weather::default();
    stage
}

/// The mugs of the shop.
fn mugs(stage: &Stage) -> Vec<Value> {
    let ledger = open(&stage.world).shop.ledger();
    let rows = ledger["products"].as_array().unwrap();
    rows.iter().filter(|row| row["sku"] == SKU).cloned().collect()
}

fn at_erp(stage: &Stage, language: Option<&str>, field: &str, value: &Value) {
    assert!(open(&stage.world).erp.edit_product(stage.clock.true_now(), SKU, language, field, value));
}

fn products(stage: &Stage) -> usize {
    open(&stage.world).shop.ledger()["products"].as_array().unwrap().len()
}

async fn variant_lane(engine: &Engine) -> LaneRow {
    let filter = LaneFilter { kind: Some(Kind::Variant), label: Some(SKU.to_string()), ..LaneFilter::default() };
    engine.store.lanes(filter).await.unwrap().remove(0)
}

/// The catalogue's mug under the id the shop gave it.
fn mug(stage: &Stage) -> Item {
    let item = stage.catalogue.iter().find(|item| item.sku == SKU).unwrap();
    Item { product_id: mugs(stage)[0]["id"].as_u64().unwrap(), ..item.clone() }
}

#[test]
fn s04_fifty_orders_share_a_product_that_does_not_exist_yet() {
    for (fault, buyers) in
        [(Fault::LostReply, 50_u64), (Fault::ErrorAfter, 5), (Fault::Repeated(0), 5), (Fault::Late(0), 5)]
    {
        lacking(|stage| async move {
            let before = products(&stage);
            troubled(&stage, fault, 300);
            killed(&stage, [40, 400, 4_000, 40_000]).await;
            for _ in 0..200 {
                if mugs(&stage).is_empty() {
                    passes(&stage, 30).await;
                }
            }
            // They come before anybody here knows the id of what was made.
            for n in 0..buyers {
                let now = stage.clock.true_now();
                let order = orders::bought(4, n, &mug(&stage), 1, now);
                open(&stage.world).shop.place(now, order).unwrap();
            }
            started(&stage).await;
            passes(&stage, 1_200).await;
            calmed(&stage, fault);
            passes(&stage, 900).await;
            let made = mugs(&stage);
            assert_eq!((made.len(), products(&stage)), (1, before + 1), "{fault:?}");
            assert_eq!((&made[0]["status"], &made[0]["price"]), (&json!(2), &json!("0")), "{fault:?}: {made:?}");
            assert_eq!(differences(&stage), [""; 0], "{fault:?}");
            assert_eq!(broken(&stage), [""; 0], "{fault:?}");
            let orders = open(&stage.world).erp.ledger()["orders"].as_array().unwrap().len();
            assert_eq!(orders, usize::try_from(buyers).unwrap(), "{fault:?}");
        });
    }
}

#[test]
fn texts_of_every_language_follow_and_a_person_enables_it() {
    lacking(|stage| async move {
        at_erp(&stage, Some("de"), "name", &json!("Becher"));
        at_erp(&stage, None, "description", &json!("A mug"));
        passes(&stage, 600).await;
        let made = mugs(&stage).remove(0);
        assert_eq!(made["views"]["german"]["name"], "Becher");
        assert_eq!((&made["description"], &made["status"]), (&json!("A mug"), &json!(2)));
        let engine = stage.boot().await.unwrap();
        let proof = engine.verify().await.unwrap();
        let flow = &proof.flows[&Flow::Products];
        assert_eq!((flow.different, flow.missing), (0, 0), "{proof:?}");
        let lane = variant_lane(&engine).await;
        assert!(["idle", "awaiting"].contains(&lane.state.as_str()), "nobody is asked about it: {lane:?}");
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.edit_product(now, SKU, None, "status", "1"));
        passes(&stage, 600).await;
        assert_eq!(mugs(&stage)[0]["status"], 1);
        at_erp(&stage, None, "active", &json!(false));
        passes(&stage, 600).await;
        assert_eq!(mugs(&stage)[0]["status"], 2, "from then on its owner decides");
        at_erp(&stage, None, "active", &json!(true));
        passes(&stage, 600).await;
        assert_eq!(mugs(&stage)[0]["status"], 1);
    });
}

#[test]
fn a_product_that_people_made_is_left_alone_and_adopt_is_proposed() {
    lacking(|stage| async move {
        // Between our last look at the shop and our write.
        let body = json!({"product": {
            "sku": SKU, "name": "by hand", "price": 7, "attribute_set_id": 4, "status": 1, "type_id": "simple",
        }});
        assert!(open(&stage.world).shop.make_product(stage.clock.true_now(), &body));
        passes(&stage, 300).await;
        let shown = mugs(&stage);
        assert_eq!((shown.len(), &shown[0]["name"], &shown[0]["status"]), (1, &json!("by hand"), &json!(1)));
        let engine = stage.boot().await.unwrap();
        let why = variant_lane(&engine).await.why.unwrap();
        assert_eq!(why.code, "SYN-0142", "{why:?}");
        assert!(why.remedy.contains("syncline adopt"));
        engine.adopt_variants().await.unwrap();
        passes(&stage, 300).await;
        let lane = variant_lane(&stage.boot().await.unwrap()).await;
        assert_eq!(lane.state, "conflict", "what differed before they were tied is asked about: {lane:?}");
        assert_eq!(mugs(&stage)[0]["name"], "by hand");
    });
}

#[test]
fn what_was_deleted_in_the_shop_is_not_made_again() {
    lacking(|stage| async move {
        passes(&stage, 600).await;
        assert_eq!(mugs(&stage).len(), 1);
        assert!(open(&stage.world).shop.delete_product(SKU));
        at_erp(&stage, None, "name", &json!("Cup"));
        passes(&stage, 1_200).await;
        assert!(mugs(&stage).is_empty());
    });
}

#[test]
fn a_create_stands_in_the_plan_and_is_open_until_it_is_sent() {
    lacking(|stage| async move {
        let engine = stage.boot().await.unwrap();
        let before = open(&stage.world).writes;
        let plan = engine.plan(Some(Flow::Products)).await.unwrap();
        let rows: Vec<_> = plan.rows.iter().filter(|row| row.step == "create").collect();
        assert_eq!(rows.len(), 1, "{plan:?}");
        assert_eq!((rows[0].key.as_str(), rows[0].guard.as_str(), rows[0].settle_s), (SKU, "look", Some(240)));
        assert!(rows[0].reason.contains("begins disabled"), "{}", rows[0].reason);
        assert!(rows[0].fields.contains_key("texts.en.name") && !rows[0].fields.contains_key("active"));
        assert_eq!(open(&stage.world).writes, before);
        let counted = async || {
            let flow = engine.verify().await.unwrap().flows[&Flow::Products].clone();
            (flow.compared, flow.open, flow.missing + flow.different)
        };
        let (compared, open, drift) = counted().await;
        passes(&stage, 60).await;
        assert_eq!((counted().await, drift), ((compared, open - 1, 0), 0), "one is compared from the start");
    });
}
