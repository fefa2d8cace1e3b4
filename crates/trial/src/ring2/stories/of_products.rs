//! Products as people meet them: fields with owners, texts by language, differences from before they were tied.

use super::*;
use crate::ring2::desk;
use serde_json::json;
use syncline_core::id::SystemName;
use syncline_core::path::Path;
use syncline_core::rules::FieldPolicy;
use syncline_engine::conflicts::{Choice, ConflictRow, Which};
use syncline_sim::random::Random;

const SKU: &str = "MUG";

/// A stage whose products flow between three languages, tied and with the first pass behind it.
pub(super) fn catalogued<F: Future<Output = ()>>(policies: &[(&str, FieldPolicy)], story: impl FnOnce(Stage) -> F) {
    told(13, |mut stage| async move {
        tie(&mut stage, policies).await;
        passes(&stage, 60).await;
        story(stage).await;
    });
}

/// Lets products flow under `policies`, and ties them.
pub(super) async fn tie(stage: &mut Stage, policies: &[(&str, FieldPolicy)]) {
    let mut rules = desk::rules();
    let policies: Vec<_> = policies.iter().map(|(path, policy)| (path_of(path), policy.clone())).collect();
    rules.pairs.iter_mut().for_each(|pair| pair.policies = policies.clone());
    stage.products = Some(rules);
    stage.stock = None;
    desk::open_views(stage);
    // Tied by the stage already: the catalogue is read from its beginning all the same.
    let engine = stage.boot().await.unwrap();
    for system in engine.systems.values() {
        engine.store.forget_cursor(system.uid.clone(), Kind::Variant).await.unwrap();
    }
}

pub(super) fn path_of(text: &str) -> Path {
    Path::try_from(text.to_string()).unwrap()
}

fn owner(system: &str) -> FieldPolicy {
    FieldPolicy::Owner(SystemName::new(system))
}

pub(super) fn at_shop(stage: &Stage, view: Option<&str>, field: &str, text: &str) {
    assert!(open(&stage.world).shop.edit_product(stage.clock.true_now(), SKU, view, field, text));
}

pub(super) fn at_erp(stage: &Stage, language: Option<&str>, field: &str, value: &Value) {
    assert!(open(&stage.world).erp.edit_product(stage.clock.true_now(), SKU, language, field, value));
}

/// The row of the mug in a ledger.
fn row(ledger: &Value) -> Value {
    let rows = ledger["products"].as_array().unwrap();
    rows.iter().find(|row| row["sku"] == SKU).unwrap().clone()
}

pub(super) fn in_shop(stage: &Stage) -> Value {
    row(&open(&stage.world).shop.ledger())
}

fn in_erp(stage: &Stage) -> Value {
    row(&open(&stage.world).erp.ledger())
}

fn writes(stage: &Stage) -> u64 {
    open(&stage.world).writes
}

#[test]
fn a_field_of_the_shop_is_never_overwritten_in_five_hundred_edits() {
    catalogued(&[("texts.*.description", owner("shop"))], |stage| async move {
        let mut random = Random::of(500, 1, 0);
        let engine = stage.boot().await.unwrap();
        let (mut last, mut of_shop) = (String::new(), 0);
        for n in 0..500 {
            if random.chance(1, 2) {
                last = format!("shop {n}");
                of_shop += 1;
                at_shop(&stage, None, "description", &last);
            } else {
                at_erp(&stage, None, "description", &json!(format!("erp {n}")));
            }
            if random.chance(1, 3) {
                drop(engine.sync(None).await);
                sleep(Duration::from_secs(random.between(1, 30))).await;
            }
            assert_eq!(in_shop(&stage)["description"], last.as_str(), "after edit {n}");
        }
        assert!(of_shop > 200, "{of_shop} edits were the shop's");
        passes(&stage, 900).await;
        assert_eq!(in_shop(&stage)["description"], last.as_str());
        assert_eq!(in_erp(&stage)["description"], last.as_str());
    });
}

#[test]
fn a_clock_that_steps_ahead_makes_no_change_of_what_shows_late() {
    catalogued(&[("texts.*.description", FieldPolicy::Merge(None))], |stage| async move {
        let engine = stage.boot().await.unwrap();
        open(&stage.world).shop.quirks_mut().late_commit_s = 200;
        at_erp(&stage, None, "description", &json!("A mug"));
        // Far more than what is left of the wait.
        for step in [0, 90, 90, 90, 0, 0, 0, 0, 0, 0] {
            stage.clock.step(step);
            drop(engine.sync(None).await);
            assert_eq!(in_erp(&stage)["description"], "A mug");
            sleep(Duration::from_secs(30)).await;
        }
        assert_eq!(in_shop(&stage)["description"], "A mug");
    });
}

#[test]
fn what_lands_twice_beside_a_change_in_the_erp_is_nobodys_change_in_the_shop() {
    catalogued(
        &[("texts.*.description", FieldPolicy::Merge(Some(syncline_core::id::SystemName::new("shop"))))],
        |stage| async move {
            let engine = stage.boot().await.unwrap();
            for text in ["A mug", "A big mug"] {
                at_erp(&stage, None, "description", &json!(text));
                passes(&stage, 30).await;
                assert_eq!(in_shop(&stage)["description"], text);
            }
            // The first of the two lands once more, and a clerk goes on.
            at_shop(&stage, None, "description", "A mug");
            at_erp(&stage, None, "description", &json!("A huge mug"));
            passes(&stage, 900).await;
            let both = [in_erp(&stage), in_shop(&stage)].map(|row| row["description"].clone());
            assert_eq!(both, ["A huge mug", "A huge mug"]);
            assert_eq!(engine.verify().await.unwrap().drift, 0);
            let clashes = LaneFilter {
                label: Some(SKU.into()),
                states: vec!["conflict", "held", "failed"],
                ..LaneFilter::default()
            };
            assert_eq!(engine.store.lanes(clashes).await.unwrap().len(), 0);
        },
    );
}

#[test]
fn s41_a_clerk_changes_the_same_product_while_it_is_written() {
    for delay in [0, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640, 1280] {
        catalogued(&[("texts.en.name", FieldPolicy::Merge(None))], |stage| async move {
            at_shop(&stage, None, "name", "Pot");
            let engine = stage.boot().await.unwrap();
            let running = engine.clone();
            let task = tokio::spawn(async move { drop(running.sync(None).await) });
            sleep(Duration::from_millis(delay)).await;
            at_erp(&stage, Some("de"), "name", &json!("Humpen"));
            task.await.unwrap();
            passes(&stage, 900).await;
            assert_eq!(
                (&in_erp(&stage)["name"], &in_erp(&stage)["texts"]["de"]["name"]),
                (&json!("Pot"), &json!("Humpen"))
            );
            assert_eq!(in_shop(&stage)["views"]["german"]["name"], "Humpen", "after {delay} ms");
            assert_eq!(broken(&stage), [""; 0]);
        });
    }
}

#[test]
fn s49_a_product_that_is_blocked_in_the_erp_leaves_the_shop() {
    catalogued(&[], |stage| async move {
        assert_eq!(in_shop(&stage)["status"], 1);
        at_erp(&stage, None, "active", &json!(false));
        passes(&stage, 60).await;
        assert_eq!(in_shop(&stage)["status"], 2);
        at_erp(&stage, None, "active", &json!(true));
        passes(&stage, 60).await;
        assert_eq!(in_shop(&stage)["status"], 1);
    });
}

#[test]
fn s53_nothing_is_written_before_it_is_shown() {
    catalogued(&[], |stage| async move {
        at_erp(&stage, None, "name", &json!("Pot"));
        let before = writes(&stage);
        let engine = stage.boot().await.unwrap();
        let plan = engine.plan(None).await.unwrap();
        let rows: Vec<_> = plan.rows.iter().filter(|row| row.kind == "variant").collect();
        assert_eq!(rows.len(), 1, "{plan:?}");
        let field = &rows[0].fields["texts.en.name"];
        assert_eq!((field.to.as_deref(), rows[0].reason.as_str()), (Some("Pot"), "erp owns it"));
        assert_eq!(writes(&stage), before);
        assert_ne!(in_shop(&stage)["name"], "Pot");
    });
}

#[test]
fn s55_another_master_changes_nothing_before_a_person_says_so() {
    catalogued(&[("texts", FieldPolicy::Keep)], |mut stage| async move {
        at_shop(&stage, None, "name", "the shop's");
        at_erp(&stage, None, "name", &json!("the ERP's"));
        passes(&stage, 60).await;
        let before = writes(&stage);
        tie(&mut stage, &[]).await;
        passes(&stage, 120).await;
        assert_eq!(writes(&stage), before, "the ERP owns names now, and nothing is overwritten yet");
        let engine = stage.boot().await.unwrap();
        let conflicts = engine.conflicts(&Which::default()).await.unwrap();
        let waits = |row: &ConflictRow| row.key == SKU && row.field == "texts.en.name" && row.first;
        assert!(conflicts.iter().any(waits), "{conflicts:?}");
        assert!(engine.resolve(&Which::default(), &Choice::Take(SystemName::new("shop"))).await.is_err());
        engine.resolve(&Which::default(), &Choice::Take(SystemName::new("erp"))).await.unwrap();
        passes(&stage, 120).await;
        assert_eq!(in_shop(&stage)["name"], "the ERP's");
    });
}

#[test]
fn s58_a_long_name_is_cut_once_and_stays() {
    catalogued(&[], |stage| async move {
        let long = "ü".repeat(250) + "👩‍👩‍👧tail";
        at_erp(&stage, None, "name", &json!(long));
        passes(&stage, 300).await;
        let shown = in_shop(&stage)["name"].as_str().unwrap().to_string();
        assert!(shown.starts_with(&"ü".repeat(250)) && shown.chars().count() <= 255, "{shown}");
        let before = writes(&stage);
        passes(&stage, 1000 * 30).await;
        assert_eq!(writes(&stage), before, "the same wish is never sent twice");
    });
}

#[test]
fn a_conflict_waits_with_both_values_and_does_not_come_back() {
    catalogued(&[("texts", FieldPolicy::Merge(None))], |stage| async move {
        at_shop(&stage, None, "name", "Pot");
        at_erp(&stage, None, "name", &json!("Cup"));
        at_shop(&stage, None, "description", "a text");
        passes(&stage, 60).await;
        assert_eq!(in_erp(&stage)["description"], "a text", "another field goes its way meanwhile");
        let engine = stage.boot().await.unwrap();
        let conflicts = engine.conflicts(&Which::default()).await.unwrap();
        let [one] = conflicts.as_slice() else { panic!("{conflicts:?}") };
        let side = |name: &str| (one.sides[name].base.clone().unwrap(), one.sides[name].value.clone().unwrap());
        let was = side("erp").0;
        assert_eq!((side("erp").1.as_str(), side("shop")), ("Cup", (was, "Pot".to_string())));
        assert!(engine.anything_open().await.unwrap());
        engine.resolve(&Which::default(), &Choice::Value("Tankard".to_string())).await.unwrap();
        passes(&stage, 900).await;
        assert_eq!((&in_shop(&stage)["name"], &in_erp(&stage)["name"]), (&json!("Tankard"), &json!("Tankard")));
        assert!(engine.conflicts(&Which::default()).await.unwrap().is_empty());
        assert!(
            engine
                .store
                .lanes(LaneFilter { states: vec!["conflict"], ..LaneFilter::default() })
                .await
                .unwrap()
                .is_empty()
        );
        let before = writes(&stage);
        passes(&stage, 900).await;
        assert_eq!(writes(&stage), before);
    });
}

#[test]
fn s75_a_cut_over_overwrites_nothing_until_a_direction_is_chosen() {
    told(75, |mut stage| async move {
        tie(&mut stage, &[]).await;
        let skus: Vec<String> = stage.catalogue.iter().map(|item| item.sku.clone()).collect();
        for sku in &skus {
            let now = stage.clock.true_now();
            assert!(open(&stage.world).shop.edit_product(now, sku, None, "name", &format!("by hand {sku}")));
        }
        let before = writes(&stage);
        passes(&stage, 300).await;
        assert_eq!(writes(&stage), before, "differences from before are nobody's change");
        let engine = stage.boot().await.unwrap();
        let conflicts = engine.conflicts(&Which::default()).await.unwrap();
        let shop = engine.systems[&SystemName::new("shop")].uid.clone();
        let tied = engine.store.bindings(shop, Kind::Variant).await.unwrap().len();
        let first = conflicts.iter().filter(|row| row.first && row.field == "texts.en.name").count();
        assert!(first == tied && tied > 5, "{first} of {tied} products: {conflicts:?}");
        let leave = Which { field: Some(path_of("texts.*.name")), ..Which::default() };
        engine.resolve(&leave, &Choice::Leave).await.unwrap();
        passes(&stage, 300).await;
        assert_eq!(writes(&stage), before, "what is left as it is stays so");
        at_erp(&stage, None, "name", &json!("Tankard"));
        passes(&stage, 300).await;
        assert_eq!(in_shop(&stage)["name"], "Tankard", "until its owner changes it");
    });
}

#[test]
fn s78_one_text_in_one_language_is_one_write() {
    catalogued(&[], |stage| async move {
        at_erp(&stage, Some("fr"), "name", &json!("Gobelet"));
        let before = writes(&stage);
        passes(&stage, 900).await;
        assert_eq!(writes(&stage), before + 1);
        let shown = in_shop(&stage);
        assert_eq!(shown["views"]["french"]["name"], "Gobelet");
        assert_eq!(shown["views"]["german"]["name"], Value::Null, "no other view is touched");
    });
}
