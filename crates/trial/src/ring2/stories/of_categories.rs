//! Categories: tied by their path, compared field by field, made once, and never replaced as a whole.

use super::*;
use crate::ring2::desk;
use serde_json::json;

/// A stage in calm weather whose products and categories flow, in three languages.
fn sorted() -> Stage {
    let mut stage = Stage::set(4, None, true).unwrap();
    stage.stock = None;
    stage.prices = None;
    stage.attributes = Vec::new();
    stage.products = Some(desk::rules());
    stage.categories = Some(FieldRules { pairs: pairs(), source: SystemName::new("erp") });
    desk::open_views(&stage);
    open(&stage.world).weather = Weather::default();
    stage
}

/// The same where what the shop lacks is made there.
fn making() -> Stage {
    let mut stage = sorted();
    let rules = stage.categories.as_mut().unwrap();
    rules.pairs.iter_mut().for_each(|pair| pair.creates = true);
    stage
}

/// The ERP with the shop, and no field that the shop owns.
fn pairs() -> Vec<PairRules> {
    let (source, target) = (SystemName::new("erp"), SystemName::new("shop"));
    vec![PairRules { source, target, policies: Vec::new(), creates: false }]
}

/// Plays `story` on `stage`.
fn play<F: Future<Output = ()>>(stage: Stage, story: impl FnOnce(Stage) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { story(stage).await });
}

/// What the shop holds of the category called so, below the one of that id.
fn shops(stage: &Stage, parent: u64, name: &str) -> Vec<Value> {
    let ledger = open(&stage.world).shop.ledger();
    let rows = ledger["categories"].as_array().unwrap();
    rows.iter().filter(|row| row["name"] == name && row["parent"] == parent).cloned().collect()
}

fn shops_count(stage: &Stage) -> usize {
    open(&stage.world).shop.ledger()["categories"].as_array().unwrap().len()
}

/// Lamps with desk lamps below them, and chairs, in the ERP.
fn furnish(stage: &Stage) -> (u64, u64, u64) {
    let lamps = in_erp(stage, None, "Lamps", "Lampen");
    let desk = in_erp(stage, Some(lamps), "Desk", "Tisch");
    (lamps, desk, in_erp(stage, None, "Chairs", "Stühle"))
}

async fn category_lane(engine: &Engine, label: &str) -> LaneRow {
    let filter = LaneFilter { kind: Some(Kind::Category), ..LaneFilter::default() };
    engine.store.lanes(filter).await.unwrap().into_iter().find(|lane| lane.label == label).unwrap()
}

/// The root of the shop's tree.
const ROOT: u64 = 2;

/// A category of the ERP with a German name.
fn in_erp(stage: &Stage, parent: Option<u64>, name: &str, german: &str) -> u64 {
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let id = world.erp.make_category(now, parent, name).unwrap();
    assert!(world.erp.edit_category(now, id, Some("de"), "name", &json!(german)));
    id
}

fn in_shop(stage: &Stage, parent: Option<u64>, name: &str) -> u64 {
    open(&stage.world).shop.make_category(stage.clock.true_now(), parent, name).unwrap()
}

#[test]
fn categories_are_tied_by_their_path_and_counted_by_verify() {
    play(sorted(), |stage| async move {
        let lamps = in_erp(&stage, None, "Lamps", "Lampen");
        in_erp(&stage, Some(lamps), "Desk", "Tisch");
        in_erp(&stage, None, "Desk", "Tische");
        let theirs = in_shop(&stage, None, "lamps");
        in_shop(&stage, Some(theirs), "Desk");
        let engine = stage.boot().await.unwrap();
        engine.adopt_variants().await.unwrap();
        let report = engine.adopt_categories().await.unwrap().remove(0);
        // That of the recorded products is the shop's own.
        assert_eq!((report.source, report.target, report.bound), (3, 3, 2), "{report:?}");
        assert_eq!((report.unmatched, report.ambiguous), (vec!["Bolts & Nuts".to_string()], vec![]));
        passes(&stage, 120).await;
        let proof = engine.verify().await.unwrap();
        let flow = &proof.flows[&Flow::Products];
        assert_eq!(flow.kinds[&Kind::Category], 2, "{proof:?}");
        assert_eq!((flow.missing, flow.extra), (0, 0), "{proof:?}");
        let stored = engine.verify_stored().await.unwrap();
        assert_eq!(stored.flows[&Flow::Products].kinds, flow.kinds);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn a_tree_is_made_once_parents_first_whatever_gets_lost() {
    for fault in [Fault::LostReply, Fault::LostRequest, Fault::ErrorAfter, Fault::Repeated(0), Fault::Late(0)] {
        play(making(), |stage| async move {
            furnish(&stage);
            let before = shops_count(&stage);
            troubled(&stage, fault, 300);
            killed(&stage, [40, 400, 4_000, 40_000]).await;
            started(&stage).await;
            passes(&stage, 2_400).await;
            calmed(&stage, fault);
            passes(&stage, 1_200).await;
            assert_eq!(shops_count(&stage), before + 3, "{fault:?}");
            let lamps = shops(&stage, ROOT, "Lamps").remove(0);
            assert_eq!((&lamps["active"], &lamps["views"]["german"]), (&json!(false), &json!("Lampen")), "{fault:?}");
            let desk = shops(&stage, lamps["id"].as_u64().unwrap(), "Desk").remove(0);
            assert_eq!(desk["views"]["german"], "Tisch", "{fault:?}");
            assert_eq!(shops(&stage, ROOT, "Chairs").len(), 1, "{fault:?}");
            let engine = stage.boot().await.unwrap();
            let proof = engine.verify().await.unwrap();
            let flow = &proof.flows[&Flow::Products];
            assert_eq!((flow.kinds[&Kind::Category], flow.drift()), (3, 0), "{fault:?}: {proof:?}");
            assert_eq!(broken(&stage), [""; 0], "{fault:?}");
        });
    }
}

#[test]
fn a_new_name_in_one_language_is_one_write_and_a_move_is_followed() {
    play(making(), |stage| async move {
        let (lamps, desk, chairs) = furnish(&stage);
        passes(&stage, 900).await;
        let before = open(&stage.world).writes;
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_category(now, lamps, Some("fr"), "name", &json!("Lampes")));
        passes(&stage, 300).await;
        assert_eq!(open(&stage.world).writes, before + 1);
        let shop = shops(&stage, ROOT, "Lamps").remove(0);
        assert_eq!((&shop["views"]["french"], &shop["views"]["german"]), (&json!("Lampes"), &json!("Lampen")));
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_category(now, desk, None, "parent", &json!(chairs)));
        passes(&stage, 300).await;
        assert_eq!(open(&stage.world).writes, before + 2);
        let shop = shops(&stage, ROOT, "Chairs").remove(0);
        assert_eq!(shops(&stage, shop["id"].as_u64().unwrap(), "Desk").len(), 1);
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_category(now, desk, None, "parent", &json!(null)));
        passes(&stage, 300).await;
        assert_eq!(shops(&stage, ROOT, "Desk").len(), 1, "to the top again");
        passes(&stage, 900).await;
        assert_eq!(open(&stage.world).writes, before + 3, "silence");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn a_name_the_shop_owns_stays_and_comes_to_the_erp() {
    let mut stage = making();
    let path = syncline_core::path::Path::try_from("texts.*.name".to_string()).unwrap();
    let owner = syncline_core::rules::FieldPolicy::Owner(SystemName::new("shop"));
    for pair in &mut stage.categories.as_mut().unwrap().pairs {
        (pair.policies, pair.creates) = (vec![(path.clone(), owner.clone())], false);
    }
    play(stage, |stage| async move {
        let lamps = in_erp(&stage, None, "Lamps", "Lamps");
        let theirs = in_shop(&stage, None, "Lamps");
        stage.boot().await.unwrap().adopt_categories().await.unwrap();
        passes(&stage, 120).await;
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_category(now, lamps, None, "name", &json!("Lighting")));
        passes(&stage, 120).await;
        assert_eq!(shops(&stage, ROOT, "Lamps").len(), 1, "the shop keeps its own");
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.edit_category(now, theirs, Some("german"), "name", "Leuchten"));
        passes(&stage, 120).await;
        let ledger = open(&stage.world).erp.ledger();
        let row = ledger["categories"].as_array().unwrap().iter().find(|row| row["id"] == lamps).unwrap().clone();
        assert_eq!((&row["texts"]["de"], &row["name"]), (&json!("Leuchten"), &json!("Lamps")), "{row}");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn one_that_is_there_by_hand_is_left_alone_until_it_is_tied() {
    play(making(), |stage| async move {
        let theirs = in_shop(&stage, None, "Lamps");
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.edit_category(now, theirs, Some("german"), "name", "Leuchten"));
        furnish(&stage);
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        let why = category_lane(&engine, "Lampen").await.why.unwrap();
        assert_eq!(why.code, "SYN-0153", "{why:?}");
        assert_eq!(category_lane(&engine, "Tisch").await.state, "waiting", "it stands below that one");
        assert_eq!(shops(&stage, ROOT, "Chairs").len(), 1);
        let report = engine.adopt_categories().await.unwrap().remove(0);
        assert_eq!(report.bound, 1, "{report:?}");
        passes(&stage, 600).await;
        assert_eq!(shops(&stage, theirs, "Desk").len(), 1);
        // The German name differed before they were tied.
        let conflicts = engine.conflicts(&syncline_engine::conflicts::Which::default()).await.unwrap();
        let fields: Vec<&str> = conflicts.iter().map(|row| row.field.as_str()).collect();
        assert_eq!(fields, ["texts.de.name"], "{conflicts:?}");
        assert_eq!(shops(&stage, ROOT, "Lamps")[0]["views"]["german"], "Leuchten");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn one_that_was_deleted_is_asked_about_and_never_made_again() {
    play(making(), |stage| async move {
        furnish(&stage);
        passes(&stage, 900).await;
        let before = shops_count(&stage);
        let chairs = shops(&stage, ROOT, "Chairs").remove(0)["id"].as_u64().unwrap();
        assert!(open(&stage.world).shop.delete_category(chairs));
        let engine = stage.boot().await.unwrap();
        for (system, kind) in engine.sweeps(Some(Flow::Products)).unwrap() {
            engine.sweep(system, kind, syncline_engine::sweep::SweepOrder::default(), &mut |_| {}).await.unwrap();
        }
        passes(&stage, 600).await;
        let lane = category_lane(&engine, "Stühle").await;
        assert_eq!((lane.state.as_str(), lane.why.unwrap().code.as_str()), ("held", "SYN-0150"));
        assert_eq!(shops_count(&stage), before - 1);
        assert!(engine.accept_gone(lane.entity).await.unwrap());
        passes(&stage, 600).await;
        assert_eq!(
            (category_lane(&engine, "Stühle").await.state.as_str(), shops_count(&stage)),
            ("outside", before - 1)
        );
        assert_eq!(broken(&stage), [""; 0]);
    });
}

/// The SKUs that stand in a category of the shop.
fn members(stage: &Stage, id: u64) -> Vec<String> {
    let ledger = open(&stage.world).shop.ledger();
    let row = ledger["categories"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone();
    row["products"].as_array().unwrap().iter().map(|sku| sku.as_str().unwrap().to_string()).collect()
}

/// The category every recorded product of the shop stands in, which the ERP has never heard of.
const BOLTS: u64 = 3;

#[test]
fn products_follow_into_and_out_of_categories_and_the_shops_own_links_stay() {
    play(making(), |stage| async move {
        let (lamps, _, chairs) = furnish(&stage);
        let engine = stage.boot().await.unwrap();
        engine.adopt_variants().await.unwrap();
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.sort_product(now, "MUG", lamps, true));
        passes(&stage, 900).await;
        let of = |name: &str| shops(&stage, ROOT, name).remove(0)["id"].as_u64().unwrap();
        let (ours, others) = (of("Lamps"), of("Chairs"));
        assert_eq!(members(&stage, ours), ["MUG"], "it follows once its category was made");
        assert!(members(&stage, BOLTS).contains(&"MUG".to_string()), "the shop's own category stays");
        // People of the shop add one themselves, and take away what the ERP says.
        let now = stage.clock.true_now();
        assert!(open(&stage.world).shop.sort_product(now, "PEN", others, true));
        assert!(open(&stage.world).shop.sort_product(now, "MUG", ours, false));
        passes(&stage, 600).await;
        assert_eq!(
            (members(&stage, ours), members(&stage, others)),
            (vec!["MUG".to_string()], vec!["PEN".to_string()])
        );
        let before = open(&stage.world).writes;
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.sort_product(now, "MUG", lamps, false));
        assert!(open(&stage.world).erp.sort_product(now, "MUG", chairs, true));
        passes(&stage, 600).await;
        assert_eq!(
            (members(&stage, ours), members(&stage, others)),
            (vec![], vec!["MUG".to_string(), "PEN".to_string()])
        );
        assert_eq!(open(&stage.world).writes, before + 2, "each link is one write");
        assert!(members(&stage, BOLTS).contains(&"MUG".to_string()));
        passes(&stage, 600).await;
        assert_eq!(open(&stage.world).writes, before + 2, "silence");
        assert_eq!(broken(&stage), [""; 0]);
        let proof = engine.verify().await.unwrap();
        assert_eq!(proof.flows[&Flow::Products].drift(), 0, "{proof:?}");
    });
}

#[test]
fn a_link_that_went_wrong_is_taken_back() {
    play(making(), |stage| async move {
        let (lamps, ..) = furnish(&stage);
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        passes(&stage, 900).await;
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.sort_product(now, "MUG", lamps, true));
        let engine = stage.boot().await.unwrap();
        let run = engine.sync(Some(Flow::Products)).await.unwrap().run.unwrap();
        let ours = shops(&stage, ROOT, "Lamps").remove(0)["id"].as_u64().unwrap();
        assert_eq!(members(&stage, ours), ["MUG"]);
        let undo = engine.undo_of(run, &[]).await.unwrap().unwrap();
        assert_eq!(engine.undo(&undo).await.unwrap().undone, 1, "{undo:?}");
        passes(&stage, 600).await;
        assert_eq!(members(&stage, ours), [""; 0], "it stays undone");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn a_category_that_moves_while_nobody_knows_whether_it_was_made_is_made_once() {
    play(making(), |stage| async move {
        let (_, desk, chairs) = furnish(&stage);
        passes(&stage, 120).await;
        let now = || stage.clock.true_now();
        let stool = in_erp(&stage, Some(desk), "Stool", "Hocker");
        let before = shops_count(&stage);
        let engine = stage.boot().await.unwrap();
        let running = engine.clone();
        let task = tokio::spawn(async move { drop(running.sync(None).await) });
        while shops_count(&stage) == before {
            sleep(Duration::from_millis(1)).await;
        }
        task.abort();
        assert!(open(&stage.world).erp.edit_category(now(), stool, None, "parent", &json!(chairs)));
        started(&stage).await;
        passes(&stage, 1_800).await;
        let ledger = open(&stage.world).shop.ledger();
        let named = |name: &str| {
            let rows = ledger["categories"].as_array().unwrap().iter().filter(|row| row["name"] == name);
            rows.cloned().collect::<Vec<_>>()
        };
        let (stools, chairs) = (named("Stool"), named("Chairs"));
        assert_eq!((stools.len(), &stools[0]["parent"]), (1, &chairs[0]["id"]), "{stools:?}");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn two_categories_that_change_places_come_to_stand_so_in_the_shop() {
    play(making(), |stage| async move {
        let (lamps, desk, _) = furnish(&stage);
        passes(&stage, 120).await;
        {
            let now = stage.clock.true_now();
            let mut world = open(&stage.world);
            assert!(world.erp.edit_category(now, desk, None, "parent", &json!(null)));
            assert!(world.erp.edit_category(now, lamps, None, "parent", &json!(desk)));
        }
        passes(&stage, 600).await;
        let desk = shops(&stage, ROOT, "Desk").remove(0)["id"].as_u64().unwrap();
        assert_eq!(shops(&stage, desk, "Lamps").len(), 1);
        let engine = stage.boot().await.unwrap();
        assert_eq!(category_lane(&engine, "Lampen").await.state, "idle");
        assert_eq!(broken(&stage), [""; 0]);
    });
}
