//! Bundles and kits as people meet them: made of the same parts in both systems, changed part by part and once, left alone
//! where buyers choose.

use super::of_products::{path_of, tie};
use super::*;
use crate::ring2::boot::beginning;
use crate::ring2::planted::FORGETS_A_PART;
use rust_decimal::Decimal;
use serde_json::json;
use syncline_core::rules::FieldPolicy;
use syncline_engine::conflicts::{Choice, Which};
use syncline_engine::undo::Fate;

const SET: &str = "GIFTSET";
/// What the shop's bundle is made of at first.
const MADE_OF: [(&str, u32); 2] = [("MUG", 2), ("BOOK", 1)];

/// A stage in calm weather with the shop's bundle, and a kit of these parts in the ERP.
fn staged(plant: Option<&'static str>, parts: &[(&str, u32)]) -> Stage {
    let mut stage = Stage::set(13, plant, true).unwrap();
    (stage.stock, stage.prices, stage.sweep_s, stage.buyers_type) = (None, None, None, false);
    stage.attributes = Vec::new();
    {
        let mut world = open(&stage.world);
        world.weather = Weather::default();
        world.erp.activate_kits(beginning());
        let parts: Vec<(&str, Decimal)> = parts.iter().map(|(sku, n)| (*sku, Decimal::from(*n))).collect();
        assert!(world.erp.make_kit(beginning(), SET, "Gift set", &parts));
    }
    stage
}

/// Plays `story` on `stage`, its products tied, the parts under `policy`; what the shop lacks is made where it `creates`.
fn tied<F: Future<Output = ()>>(
    mut stage: Stage,
    (policy, creates): (FieldPolicy, bool),
    story: impl FnOnce(Stage) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        tie(&mut stage, &[("parts", policy), ("texts.*.description", FieldPolicy::Keep)]).await;
        stage.products.iter_mut().flat_map(|rules| &mut rules.pairs).for_each(|pair| pair.creates = creates);
        passes(&stage, 120).await;
        story(stage).await;
    });
}

fn by_erp() -> (FieldPolicy, bool) {
    (FieldPolicy::Owner(SystemName::new("erp")), false)
}

/// The same parts in both, the ERP's counting.
fn alike<F: Future<Output = ()>>(story: impl FnOnce(Stage) -> F) {
    tied(staged(None, &MADE_OF), by_erp(), story);
}

fn set_at_erp(stage: &Stage, part: &str, quantity: u32) {
    let now = stage.clock.true_now();
    assert!(open(&stage.world).erp.set_component(now, SET, part, Decimal::from(quantity)));
}

fn set_at_shop(stage: &Stage, part: &str, quantity: u32) {
    assert!(open(&stage.world).shop.set_part(stage.clock.true_now(), SET, part, Decimal::from(quantity)));
}

fn row(ledger: &Value, sku: &str) -> Value {
    ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == sku).cloned().unwrap_or_default()
}

/// What the shop's bundle is made of.
fn in_shop(stage: &Stage) -> Value {
    row(&open(&stage.world).shop.ledger(), SET)["parts"].clone()
}

fn in_erp(stage: &Stage) -> Value {
    row(&open(&stage.world).erp.ledger(), SET)["parts"].clone()
}

fn options(stage: &Stage) -> u64 {
    row(&open(&stage.world).shop.ledger(), SET)["bundle_options"].as_u64().unwrap()
}

fn writes(stage: &Stage) -> u64 {
    open(&stage.world).writes
}

async fn set_lane(engine: &Engine) -> LaneRow {
    let filter = LaneFilter { kind: Some(Kind::Variant), label: Some(SET.to_string()), ..LaneFilter::default() };
    engine.store.lanes(filter).await.unwrap().remove(0)
}

/// The conflicts about parts: field by field.
async fn asked(engine: &Engine) -> Vec<String> {
    let all = engine.conflicts(&Which::default()).await.unwrap();
    all.into_iter().filter(|row| row.key == SET).map(|row| row.field).collect()
}

#[test]
fn parts_are_read_on_both_sides_and_nobody_writes_them_unless_the_file_says_so() {
    tied(staged(None, &MADE_OF), (FieldPolicy::Keep, false), |stage| async move {
        set_at_erp(&stage, "MUG", 3);
        set_at_shop(&stage, "PEN", 1);
        let before = writes(&stage);
        passes(&stage, 300).await;
        assert_eq!((writes(&stage), in_shop(&stage)), (before, json!({"BOOK": "1", "MUG": "2", "PEN": "1"})));
        let engine = stage.boot().await.unwrap();
        let story = engine.explain(engine.named(Kind::Variant, SET).await.unwrap()[0]).await.unwrap();
        let shop = &story.sides["shop"].shows;
        let told = ["composition", "parts[MUG].quantity", "parts[PEN].quantity"].map(|path| shop[path].as_str());
        assert_eq!(told, ["fixed", "2", "1"], "{shop:?}");
        let quantities = story.sides["erp"].shows.iter().filter(|(path, _)| path.ends_with(".quantity"));
        assert_eq!(quantities.map(|(_, text)| text.as_str()).collect::<Vec<_>>().len(), 2, "{:?}", story.sides);
        assert_eq!((asked(&engine).await, set_lane(&engine).await.state.as_str()), (Vec::new(), "idle"));
    });
}

#[test]
fn what_the_erp_changes_of_a_kit_is_one_write_for_each_part() {
    alike(|stage| async move {
        assert_eq!(writes(&stage), 0, "what both have is agreed on");
        set_at_erp(&stage, "MUG", 3);
        let plan = stage.boot().await.unwrap().plan(Some(Flow::Products)).await.unwrap();
        passes(&stage, 300).await;
        assert_eq!((writes(&stage), in_shop(&stage)), (1, json!({"BOOK": "1", "MUG": "3"})), "{plan:?}");
        set_at_erp(&stage, "PEN", 4);
        passes(&stage, 300).await;
        assert_eq!((writes(&stage), in_shop(&stage)), (2, json!({"BOOK": "1", "MUG": "3", "PEN": "4"})));
        set_at_erp(&stage, "BOOK", 0);
        passes(&stage, 300).await;
        assert_eq!((writes(&stage), in_shop(&stage), options(&stage)), (3, json!({"MUG": "3", "PEN": "4"}), 2));
        let proof = stage.boot().await.unwrap().verify().await.unwrap();
        assert_eq!((proof.drift, broken(&stage)), (0, Vec::<String>::new()), "{proof:?}");
    });
}

#[test]
fn a_difference_stands_in_the_plan_and_in_the_proof_by_the_parts_name() {
    alike(|stage| async move {
        set_at_erp(&stage, "MUG", 3);
        let engine = stage.boot().await.unwrap();
        let proof = engine.verify().await.unwrap();
        assert_eq!(proof.flows[&Flow::Products].different, 1, "{proof:?}");
        let plan = engine.plan(Some(Flow::Products)).await.unwrap();
        let fields = &plan.rows.iter().find(|row| row.key == SET).unwrap().fields;
        assert!(fields.iter().any(|(path, _)| path.as_str() == "parts[MUG]"), "{fields:?}");
        assert_eq!((writes(&stage), in_shop(&stage)["MUG"].clone()), (0, json!("2")), "neither sends anything");
    });
}

#[test]
fn parts_come_and_go_once_through_faults_and_crashes() {
    let faults =
        [Fault::LostReply, Fault::LostRequest, Fault::ErrorAfter, Fault::Truncated, Fault::Repeated(0), Fault::Late(0)];
    for fault in faults {
        alike(|stage| async move {
            for (part, quantity) in [("PEN", 2), ("LAMP-1", 1), ("MUG", 5), ("BOOK", 0)] {
                set_at_erp(&stage, part, quantity);
            }
            troubled(&stage, fault, 300);
            killed(&stage, [30, 300, 3_000, 30_000]).await;
            started(&stage).await;
            passes(&stage, 1_500).await;
            calmed(&stage, fault);
            passes(&stage, 900).await;
            assert_eq!(in_shop(&stage), json!({"LAMP-1": "1", "MUG": "5", "PEN": "2"}), "{fault:?}");
            assert_eq!((options(&stage), in_shop(&stage)), (3, in_erp(&stage)), "{fault:?}: each part once");
            assert_eq!(broken(&stage), [""; 0], "{fault:?}");
            let before = writes(&stage);
            passes(&stage, 900).await;
            assert_eq!(writes(&stage), before, "{fault:?}: silence at rest");
        });
    }
}

#[test]
fn a_part_that_never_agreed_is_asked_about_and_goes_where_a_person_says() {
    tied(staged(None, &[("MUG", 3), ("BOOK", 1), ("PEN", 1)]), by_erp(), |stage| async move {
        let engine = stage.boot().await.unwrap();
        assert_eq!(
            (writes(&stage), asked(&engine).await),
            (0, ["parts[MUG]", "parts[PEN]"].map(String::from).to_vec())
        );
        let which = Which { field: Some(path_of("parts[*]")), ..Which::default() };
        engine.resolve(&which, &Choice::Take(SystemName::new("erp"))).await.unwrap();
        passes(&stage, 300).await;
        assert_eq!(in_shop(&stage), json!({"BOOK": "1", "MUG": "3", "PEN": "1"}));
        assert_eq!((writes(&stage), engine.verify().await.unwrap().drift), (2, 0));
    });
}

#[test]
fn what_somebody_changes_in_the_shop_is_put_right_where_the_erp_owns_it() {
    alike(|stage| async move {
        set_at_shop(&stage, "MUG", 1);
        set_at_shop(&stage, "PEN", 1);
        set_at_erp(&stage, "BOOK", 2);
        passes(&stage, 300).await;
        let pens = asked(&stage.boot().await.unwrap()).await;
        assert_eq!((pens, in_shop(&stage)), (Vec::new(), json!({"BOOK": "2", "MUG": "2"})));
    });
}

#[test]
fn a_bundle_with_choices_is_left_alone_and_says_so_while_its_name_flows() {
    alike(|stage| async move {
        let open_before = stage.boot().await.unwrap().verify().await.unwrap().flows[&Flow::Products].open;
        assert!(open(&stage.world).shop.offer_instead(stage.clock.true_now(), SET, "MUG", "PEN"));
        set_at_erp(&stage, "BOOK", 4);
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        let why = set_lane(&engine).await.why.unwrap();
        assert!(why.code == "SYN-0174" && why.what.contains("the option `Mug` has 2 products"), "{why:?}");
        assert_eq!((writes(&stage), in_shop(&stage)["BOOK"].clone()), (0, json!("1")));
        let flow = &engine.verify().await.unwrap().flows[&Flow::Products];
        assert!(
            flow.open == open_before + 1 && flow.equal + flow.open == flow.compared,
            "no choice ever looks like agreement: {flow:?}"
        );
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_product(now, SET, None, "name", &json!("Gifts")));
        passes(&stage, 300).await;
        assert_eq!(row(&open(&stage.world).shop.ledger(), SET)["name"], "Gifts");
    });
}

#[test]
fn a_part_that_goes_in_once_whatever_is_ordered_holds_with_its_name() {
    alike(|stage| async move {
        assert!(open(&stage.world).erp.fix_component(stage.clock.true_now(), SET, "BOOK", true));
        passes(&stage, 300).await;
        let why = set_lane(&stage.boot().await.unwrap()).await.why.unwrap();
        assert!(why.code == "SYN-0176" && why.what.contains("`BOOK` goes in once"), "{why:?}");
        assert!(open(&stage.world).erp.fix_component(stage.clock.true_now(), SET, "BOOK", false));
        passes(&stage, 300).await;
        let lane = set_lane(&stage.boot().await.unwrap()).await;
        assert_eq!((lane.state.as_str(), writes(&stage)), ("idle", 0));
    });
}

#[test]
fn a_part_that_the_shop_lacks_holds_all_of_the_kit_or_comes_there_first() {
    for creates in [false, true] {
        let stage = staged(None, &MADE_OF);
        assert!(open(&stage.world).shop.delete_product("LAMP-1"));
        tied(stage, (by_erp().0, creates), |stage| async move {
            let before = writes(&stage);
            set_at_erp(&stage, "LAMP-1", 1);
            set_at_erp(&stage, "MUG", 4);
            passes(&stage, 600).await;
            let lane = set_lane(&stage.boot().await.unwrap()).await;
            if creates {
                assert_eq!(in_shop(&stage), json!({"BOOK": "1", "LAMP-1": "1", "MUG": "4"}), "{lane:?}");
                assert_eq!(lane.state, "idle");
                return;
            }
            assert_eq!((writes(&stage), in_shop(&stage)), (before, json!({"BOOK": "1", "MUG": "2"})), "not by halves");
            let why = lane.why.unwrap();
            assert!(why.code == "SYN-0175" && why.what.contains("`LAMP-1`"), "{why:?}");
            assert!(open(&stage.world).shop.make_product_again(stage.clock.true_now(), "LAMP-1"));
            passes(&stage, 300).await;
            stage.boot().await.unwrap().adopt_variants().await.unwrap();
            passes(&stage, 600).await;
            assert_eq!(in_shop(&stage), json!({"BOOK": "1", "LAMP-1": "1", "MUG": "4"}), "once it is tied it goes on");
        });
    }
}

#[test]
fn a_part_that_is_taken_back_stays_so() {
    alike(|stage| async move {
        set_at_erp(&stage, "PEN", 2);
        passes(&stage, 300).await;
        assert_eq!(in_shop(&stage)["PEN"], "2");
        let engine = stage.boot().await.unwrap();
        let run = engine.runs(1).await.unwrap().newest.remove(0).run;
        let undo = engine.undo_of(run, &[]).await.unwrap().unwrap();
        assert_eq!(undo.with(Fate::Back).count(), 1, "{undo:?}");
        let done = engine.undo(&undo).await.unwrap();
        assert_eq!((done.unfinished, in_shop(&stage)), (Vec::new(), json!({"BOOK": "1", "MUG": "2"})));
        passes(&stage, 900).await;
        assert_eq!(in_shop(&stage), json!({"BOOK": "1", "MUG": "2"}), "it stays so");
        set_at_erp(&stage, "PEN", 3);
        passes(&stage, 600).await;
        assert_eq!(in_shop(&stage)["PEN"], "3", "until the ERP says something new");
    });
}

#[test]
fn a_part_that_the_connector_forgets_is_found_and_never_added_a_second_time() {
    tied(staged(Some(FORGETS_A_PART), &MADE_OF), by_erp(), |stage| async move {
        set_at_erp(&stage, "MUG", 3);
        passes(&stage, 600).await;
        let proof = stage.boot().await.unwrap().verify().await.unwrap();
        let flow = &proof.flows[&Flow::Products];
        assert!(flow.equal < flow.compared, "a read that leaves out a part never looks like agreement: {flow:?}");
        assert_eq!((options(&stage), in_shop(&stage)), (2, json!({"BOOK": "1", "MUG": "3"})), "each write looks first");
    });
}

#[test]
fn a_kit_that_the_shop_lacks_is_made_there_once_disabled_after_its_parts() {
    for fault in [Fault::LostReply, Fault::ErrorAfter, Fault::Repeated(0), Fault::Late(0)] {
        let stage = staged(None, &[("MUG", 2), ("LAMP-1", 1)]);
        for sku in [SET, "LAMP-1"] {
            assert!(open(&stage.world).shop.delete_product(sku));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut stage = stage;
            stage.boot().await.unwrap().adopt_variants().await.unwrap();
            tie(&mut stage, &[("parts", by_erp().0), ("texts.*.description", FieldPolicy::Keep)]).await;
            stage.products.iter_mut().flat_map(|rules| &mut rules.pairs).for_each(|pair| pair.creates = true);
            troubled(&stage, fault, 300);
            killed(&stage, [40, 400, 4_000, 40_000]).await;
            started(&stage).await;
            passes(&stage, 3_000).await;
            calmed(&stage, fault);
            passes(&stage, 1_500).await;
            let lane = set_lane(&stage.boot().await.unwrap()).await;
            let ledger = open(&stage.world).shop.ledger();
            let made =
                |sku: &str| ledger["products"].as_array().unwrap().iter().filter(|row| row["sku"] == sku).count();
            assert_eq!(([SET, "LAMP-1"].map(made), options(&stage)), ([1, 1], 2), "{fault:?}: {lane:?}");
            let shown = row(&ledger, SET);
            let of = |field: &str| shown[field].clone();
            assert_eq!(
                (of("type"), of("status"), of("name")),
                (json!("bundle"), json!(2), json!("Gift set")),
                "{fault:?}"
            );
            assert_eq!(of("parts"), json!({"LAMP-1": "1", "MUG": "2"}), "{fault:?}");
            let engine = stage.boot().await.unwrap();
            assert_eq!(
                (asked(&engine).await, set_lane(&engine).await.state.as_str()),
                (Vec::new(), "idle"),
                "{fault:?}"
            );
            assert_eq!((engine.verify().await.unwrap().drift, broken(&stage)), (0, Vec::<String>::new()), "{fault:?}");
        });
    }
}

#[test]
fn a_kit_is_not_made_where_its_parts_are_kept_apart() {
    let stage = staged(None, &MADE_OF);
    assert!(open(&stage.world).shop.delete_product(SET));
    tied(stage, (FieldPolicy::Keep, true), |stage| async move {
        passes(&stage, 300).await;
        assert!(row(&open(&stage.world).shop.ledger(), SET).is_null());
        let lane = set_lane(&stage.boot().await.unwrap()).await;
        assert_eq!(lane.state, "outside", "{lane:?}");
    });
}
