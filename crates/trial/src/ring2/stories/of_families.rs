//! Families as people meet them: tied by their variants, named once for all, made after their variants, children linked once.

use super::*;
use crate::ring2::desk;
use crate::ring2::planted::FORGETS_A_CHILD;
use serde_json::json;
use syncline_core::id::SystemName;
use syncline_core::kind::Flow;
use syncline_core::path::Path;
use syncline_core::rules::{FieldPolicy, FieldRules};
use syncline_engine::conflicts::{Choice, ConflictRow, Which};

/// The catalogue's first family, and its children in both systems.
const FAMILY: &str = "BOLT-CFG";
const CHILDREN: [&str; 2] = ["BOLT-CFG-0", "BOLT-CFG-1"];

/// A stage in calm weather whose families flow in three languages, told apart by size. Of what the file says of fields,
/// `policies` come first; what is missing is made where it `creates`.
fn staged(creates: bool, policies: &[(&str, FieldPolicy)]) -> Stage {
    planted(None, creates, policies)
}

/// The same with a planted bug.
fn planted(plant: Option<&'static str>, creates: bool, policies: &[(&str, FieldPolicy)]) -> Stage {
    let mut stage = (1..40).map(|seed| Stage::set(seed, plant, true).unwrap()).find(has_sizes).unwrap();
    (stage.stock, stage.prices, stage.sweep_s, stage.buyers_type) = (None, None, None, false);
    let mut rules = desk::rules();
    let policies: Vec<_> = policies.iter().map(|(path, policy)| (path_of(path), policy.clone())).collect();
    rules.pairs.iter_mut().for_each(|pair| (pair.creates, pair.policies) = (creates, policies.clone()));
    stage.families = Some((rules.clone(), ["size".to_string()].into()));
    stage.attributes = vec![("size", "attribute:size")];
    stage.products = Some(FieldRules { pairs: rules.pairs.clone(), ..rules });
    desk::open_views(&stage);
    open(&stage.world).weather = Weather::default();
    stage
}

/// Whether the ERP's products have attributes at all.
fn has_sizes(stage: &Stage) -> bool {
    let ledger = open(&stage.world).erp.ledger();
    ledger["products"].as_array().unwrap().iter().any(|row| row["attributes"]["size"].is_string())
}

/// Plays `story` on `stage`, its variants and families tied.
fn tied<F: Future<Output = ()>>(stage: Stage, story: impl FnOnce(Stage) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let engine = stage.boot().await.unwrap();
        engine.adopt_variants().await.unwrap();
        engine.adopt_families().await.unwrap();
        passes(&stage, 120).await;
        story(stage).await;
    });
}

fn path_of(text: &str) -> Path {
    Path::try_from(text.to_string()).unwrap()
}

fn owner(system: &str) -> FieldPolicy {
    FieldPolicy::Owner(SystemName::new(system))
}

/// The row of a product in the shop.
fn in_shop(stage: &Stage, sku: &str) -> Value {
    let ledger = open(&stage.world).shop.ledger();
    ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == sku).cloned().unwrap_or_default()
}

/// The row of a family in the ERP.
fn in_erp(stage: &Stage, code: &str) -> Value {
    let ledger = open(&stage.world).erp.ledger();
    ledger["families"].as_array().unwrap().iter().find(|row| row["code"] == code).cloned().unwrap_or_default()
}

fn rename(stage: &Stage, language: Option<&str>, name: &str) {
    let now = stage.clock.true_now();
    assert!(open(&stage.world).erp.edit_family(now, FAMILY, language, "name", &json!(name)));
}

fn writes(stage: &Stage) -> u64 {
    open(&stage.world).writes
}

async fn lane_of(engine: &Engine, kind: Kind, label: &str) -> LaneRow {
    let filter = LaneFilter { kind: Some(kind), label: Some(label.to_string()), ..LaneFilter::default() };
    engine.store.lanes(filter).await.unwrap().remove(0)
}

/// What differs of the products flow, by the engine's own proof.
async fn drift(stage: &Stage) -> usize {
    let proof = stage.boot().await.unwrap().verify().await.unwrap();
    let flow = &proof.flows[&Flow::Products];
    flow.different + flow.missing
}

#[test]
fn a_family_is_tied_by_its_variants_and_a_name_in_one_language_is_one_write() {
    let stage = staged(false, &[("texts.*.description", owner("shop"))]);
    tied(stage, |stage| async move {
        let engine = stage.boot().await.unwrap();
        let again = engine.adopt_families().await.unwrap().remove(0);
        assert!(again.matched > 0 && again.bound == 0 && again.ambiguous.is_empty(), "{again:?}");
        assert_eq!(writes(&stage), 0, "tying writes nothing");
        let before: Vec<Value> = CHILDREN.iter().map(|sku| in_shop(&stage, sku)).collect();
        rename(&stage, Some("de"), "Bolzen");
        passes(&stage, 300).await;
        assert_eq!(writes(&stage), 1);
        assert_eq!(in_shop(&stage, FAMILY)["views"]["german"]["name"], "Bolzen");
        let after: Vec<Value> = CHILDREN.iter().map(|sku| in_shop(&stage, sku)).collect();
        assert_eq!(after, before, "each child has a name of its own");
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.edit_product(now, FAMILY, None, "description", "Zinc, of our own words"));
        rename(&stage, None, "Bolts");
        passes(&stage, 300).await;
        let shown = in_shop(&stage, FAMILY);
        assert_eq!((&shown["name"], &shown["description"]), (&json!("Bolts"), &json!("Zinc, of our own words")));
        assert_eq!((writes(&stage), drift(&stage).await), (2, 0));
    });
}

#[test]
fn a_name_that_either_may_change_goes_both_ways_and_a_clash_is_asked_about() {
    let stage = staged(false, &[("texts", FieldPolicy::Merge(None))]);
    tied(stage, |stage| async move {
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.edit_product(now, FAMILY, Some("french"), "name", "Boulons"));
        passes(&stage, 300).await;
        assert_eq!(in_erp(&stage, FAMILY)["texts"]["fr"]["name"], "Boulons");
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.edit_product(now, FAMILY, None, "name", "Screws"));
        rename(&stage, None, "Bolts");
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        let conflicts = engine.conflicts(&Which::default()).await.unwrap();
        let [one] = conflicts.as_slice() else { panic!("{conflicts:?}") };
        assert_eq!((one.kind.as_str(), one.key.as_str(), one.field.as_str()), ("product", FAMILY, "texts.en.name"));
        engine.resolve(&Which::default(), &Choice::Take(SystemName::new("shop"))).await.unwrap();
        passes(&stage, 300).await;
        assert_eq!(in_erp(&stage, FAMILY)["name"], "Screws");
    });
}

#[test]
fn a_child_deleted_in_the_shop_and_made_again_there_is_put_into_its_family_again() {
    tied(staged(false, &[]), |stage| async move {
        assert!(open(&stage.world).shop.delete_product(CHILDREN[1]));
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_product(now, CHILDREN[1], None, "description", &json!("Blunt")));
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        let own = lane_of(&engine, Kind::Variant, CHILDREN[1]).await;
        assert_eq!(own.why.as_ref().map(|why| why.code.as_str()), Some("SYN-0150"), "{own:?}");
        assert_eq!(lane_of(&engine, Kind::Product, FAMILY).await.state, "idle", "the child's own question is enough");
        assert!(open(&stage.world).shop.make_product_again(stage.clock.true_now(), CHILDREN[1]));
        passes(&stage, 300).await;
        assert_eq!(in_shop(&stage, FAMILY)["children"], json!(CHILDREN));
        let conflicts = engine.conflicts(&Which::default()).await.unwrap();
        assert!(conflicts.is_empty() && drift(&stage).await == 0, "{conflicts:?}");
    });
}

#[test]
fn a_child_taken_out_in_the_shop_is_asked_about_and_put_in_again_where_a_person_says_so() {
    for back in [true, false] {
        tied(staged(false, &[]), |stage| async move {
            let now = stage.clock.true_now();
            assert!(open(&stage.world).shop.unlink(now, FAMILY, CHILDREN[1]));
            let before = writes(&stage);
            passes(&stage, 300).await;
            assert_eq!((writes(&stage), &in_shop(&stage, FAMILY)["children"]), (before, &json!([CHILDREN[0]])));
            let engine = stage.boot().await.unwrap();
            let conflicts = engine.conflicts(&Which::default()).await.unwrap();
            let [ConflictRow { field, withdrawn: true, .. }] = conflicts.as_slice() else { panic!("{conflicts:?}") };
            assert_eq!(field, "variants[BOLT-CFG-1]");
            assert_eq!(lane_of(&engine, Kind::Product, FAMILY).await.why.unwrap().code, "SYN-0157");
            let choice = if back { Choice::Take(SystemName::new("erp")) } else { Choice::Leave };
            engine.resolve(&Which::default(), &choice).await.unwrap();
            passes(&stage, 600).await;
            let wanted = if back { json!(CHILDREN) } else { json!([CHILDREN[0]]) };
            assert_eq!(in_shop(&stage, FAMILY)["children"], wanted);
            let engine = stage.boot().await.unwrap();
            assert!(engine.conflicts(&Which::default()).await.unwrap().is_empty());
            assert_eq!((drift(&stage).await, broken(&stage)), (0, Vec::<String>::new()));
        });
    }
}

#[test]
fn a_family_is_made_once_after_its_variants_and_each_child_is_linked_once() {
    for fault in [Fault::LostReply, Fault::ErrorAfter, Fault::Repeated(0), Fault::Late(0)] {
        let stage = staged(true, &[]);
        for sku in [FAMILY, CHILDREN[0], CHILDREN[1]] {
            assert!(open(&stage.world).shop.delete_product(sku));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let engine = stage.boot().await.unwrap();
            engine.adopt_variants().await.unwrap();
            engine.adopt_families().await.unwrap();
            troubled(&stage, fault, 300);
            killed(&stage, [40, 400, 4_000, 40_000]).await;
            started(&stage).await;
            passes(&stage, 3_000).await;
            calmed(&stage, fault);
            passes(&stage, 1_500).await;
            let ledger = open(&stage.world).shop.ledger();
            let made =
                |sku: &str| ledger["products"].as_array().unwrap().iter().filter(|row| row["sku"] == sku).count();
            assert_eq!([FAMILY, CHILDREN[0], CHILDREN[1]].map(made), [1, 1, 1], "{fault:?}");
            let shown = in_shop(&stage, FAMILY);
            let of = |field: &str| shown[field].clone();
            assert_eq!(
                (of("type"), of("status"), of("price")),
                (json!("configurable"), json!(2), json!("0")),
                "{fault:?}"
            );
            let mut children: Vec<String> =
                of("children").as_array().unwrap().iter().map(|sku| sku.as_str().unwrap().to_string()).collect();
            children.sort();
            assert_eq!(
                (children, of("options"), of("name")),
                (CHILDREN.map(str::to_string).to_vec(), json!(["size"]), json!("Bolt family"))
            );
            assert_eq!(in_shop(&stage, CHILDREN[0])["visibility"], 1, "{fault:?}");
            let engine = stage.boot().await.unwrap();
            assert_eq!(engine.conflicts(&Which::default()).await.unwrap(), [], "{fault:?}");
            assert_eq!((drift(&stage).await, broken(&stage)), (0, Vec::<String>::new()), "{fault:?}");
        });
    }
}

#[test]
fn a_new_variant_of_a_tied_family_is_made_and_linked() {
    tied(staged(true, &[]), |stage| async move {
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.add_variant(now, FAMILY, "-2", "l"));
        let before = writes(&stage);
        passes(&stage, 600).await;
        let shown = in_shop(&stage, "BOLT-CFG-2");
        assert_eq!((&shown["visibility"], &shown["status"]), (&json!(1), &json!(2)));
        assert_eq!(in_shop(&stage, FAMILY)["children"], json!(["BOLT-CFG-0", "BOLT-CFG-1", "BOLT-CFG-2"]));
        assert_eq!(writes(&stage), before + 2, "one makes it, one links it");
        assert_eq!(drift(&stage).await, 0);
        assert_eq!(broken(&stage), Vec::<String>::new());
    });
}

#[test]
fn a_variant_without_a_value_of_the_option_is_held_by_name_and_stops_no_other() {
    tied(staged(true, &[]), |stage| async move {
        let now = stage.clock.true_now();
        {
            let mut world = open(&stage.world);
            assert!(world.erp.add_variant(now, FAMILY, "-2", "l"));
            assert!(world.erp.add_variant(now, FAMILY, "-3", "xl"));
            assert!(world.erp.edit_product(now, "BOLT-CFG-2", None, "attribute:size", &Value::Null));
        }
        passes(&stage, 600).await;
        assert_eq!(in_shop(&stage, FAMILY)["children"], json!(["BOLT-CFG-0", "BOLT-CFG-1", "BOLT-CFG-3"]));
        let why = lane_of(&stage.boot().await.unwrap(), Kind::Product, FAMILY).await.why.unwrap();
        assert!(why.code == "SYN-0158" && why.what.contains("`BOLT-CFG-2` has no `size`"), "{why:?}");
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_product(now, "BOLT-CFG-2", None, "attribute:size", &json!("l")));
        passes(&stage, 600).await;
        assert_eq!(in_shop(&stage, FAMILY)["children"].as_array().unwrap().len(), 4);
        assert_eq!(drift(&stage).await, 0);
    });
}

#[test]
fn a_link_that_is_taken_back_stays_so() {
    tied(staged(true, &[]), |stage| async move {
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.add_variant(now, FAMILY, "-2", "l"));
        passes(&stage, 600).await;
        assert_eq!(in_shop(&stage, FAMILY)["children"].as_array().unwrap().len(), 3);
        let engine = stage.boot().await.unwrap();
        let path = path_of("variants[BOLT-CFG-2]");
        let mut undone = 0;
        for row in engine.runs(9).await.unwrap().newest {
            let undo = engine.undo_of(row.run, &[]).await.unwrap().unwrap();
            if undo.fields.iter().any(|field| field.field == path) {
                undone += engine.undo(&undo).await.unwrap().undone;
            }
        }
        assert_eq!(undone, 1);
        passes(&stage, 900).await;
        assert_eq!(in_shop(&stage, FAMILY)["children"], json!(CHILDREN));
        assert!(!in_shop(&stage, "BOLT-CFG-2").is_null(), "the variant stays");
        let conflicts = engine.conflicts(&Which::default()).await.unwrap();
        assert!(conflicts.len() == 1 && conflicts[0].undone, "{conflicts:?}");
    });
}

#[test]
fn a_child_that_the_connector_forgets_is_found() {
    tied(planted(Some(FORGETS_A_CHILD), true, &[]), |stage| async move {
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.add_variant(now, FAMILY, "-2", "l"));
        passes(&stage, 600).await;
        let proof = stage.boot().await.unwrap().verify().await.unwrap();
        let flow = &proof.flows[&Flow::Products];
        assert!(flow.equal < flow.compared, "a read that leaves out a child never looks like agreement: {flow:?}");
    });
}

#[test]
fn a_family_whose_sku_somebody_has_is_left_alone() {
    let stage = staged(true, &[]);
    {
        let mut world = open(&stage.world);
        assert!(world.shop.delete_product(FAMILY));
        let body = json!({"product": {
            "sku": FAMILY, "name": "by hand", "price": 7, "attribute_set_id": 4, "status": 1, "type_id": "simple",
        }});
        assert!(world.shop.make_product(stage.clock.true_now(), &body));
    }
    tied(stage, |stage| async move {
        passes(&stage, 300).await;
        let shown = in_shop(&stage, FAMILY);
        assert_eq!((&shown["name"], &shown["type"]), (&json!("by hand"), &json!("simple")));
        let why = lane_of(&stage.boot().await.unwrap(), Kind::Product, FAMILY).await.why.unwrap();
        assert_eq!(why.code, "SYN-0142", "{why:?}");
    });
}
