//! Images of products: each comes to the shop once, leaves it with its owner, and people's own stay where they are.

use super::of_products::{at_erp, tie};
use super::*;
use crate::ring2::images;
use serde_json::json;
use std::collections::BTreeSet;
use syncline_engine::conflicts::{Choice, Which};
use syncline_engine::sweep::SweepOrder;
use syncline_engine::undo::Fate;
use syncline_sim::image::{converted, drawn, print_of};

const SKU: &str = "MUG";

/// Plays `story` on a stage whose images flow from the ERP, with a planted bug where one is named.
fn hung<F: Future<Output = ()>>(plant: Option<&'static str>, story: impl FnOnce(Stage) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut stage = Stage::set(13, plant, true).unwrap();
        stage.prices = None;
        stage.attributes = Vec::new();
        open(&stage.world).weather = Weather::default();
        stage.carry_images();
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        tie(&mut stage, &[]).await;
        passes(&stage, 120).await;
        story(stage).await;
    });
}

/// A person decides what differed before it was tied.
async fn decided(stage: &Stage) {
    let erp = SystemName::new("erp");
    stage.boot().await.unwrap().resolve(&Which::default(), &Choice::Take(erp)).await.unwrap();
    passes(stage, 300).await;
}

fn upload(stage: &Stage, words: &str, place: Option<u32>) -> u64 {
    let now = stage.clock.true_now();
    open(&stage.world).erp.add_image(now, SKU, &drawn(words), (place, false)).unwrap()
}

fn person_uploads(stage: &Stage, bytes: &[u8]) -> u64 {
    open(&stage.world).shop.add_image(SKU, "theirs.jpg", bytes, 1).unwrap()
}

fn in_shop(stage: &Stage) -> Vec<Value> {
    let ledger = open(&stage.world).shop.ledger();
    let row = ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == SKU).unwrap();
    row["images"].as_array().unwrap().clone()
}

/// The prints of what the shop shows, once for each entry.
fn prints(stage: &Stage) -> Vec<String> {
    let mut all: Vec<String> = in_shop(stage).iter().map(|row| row["print"].as_str().unwrap().to_string()).collect();
    all.sort();
    all
}

/// The print of what the ERP keeps of an upload.
fn kept(words: &str) -> String {
    print_of(&converted(&drawn(words)))
}

fn sorted<const N: usize>(mut all: [String; N]) -> Vec<String> {
    all.sort();
    all.to_vec()
}

async fn variant_lane(engine: &Engine) -> LaneRow {
    let filter = LaneFilter { kind: Some(Kind::Variant), label: Some(SKU.to_string()), ..LaneFilter::default() };
    engine.store.lanes(filter).await.unwrap().remove(0)
}

#[test]
fn an_image_of_the_erp_comes_to_the_shop_once_through_faults_and_crashes() {
    let faults =
        [Fault::LostReply, Fault::LostRequest, Fault::ErrorAfter, Fault::Truncated, Fault::Repeated(0), Fault::Late(0)];
    for fault in faults {
        hung(None, |stage| async move {
            upload(&stage, "front", Some(2));
            upload(&stage, "back", None);
            troubled(&stage, fault, 300);
            killed(&stage, [30, 300, 3_000, 30_000]).await;
            started(&stage).await;
            passes(&stage, 1_500).await;
            calmed(&stage, fault);
            passes(&stage, 900).await;
            assert_eq!(prints(&stage), sorted([kept("front"), kept("back")]), "{fault:?}: {:?}", in_shop(&stage));
            assert_eq!((broken(&stage), images::apart(&open(&stage.world))), (Vec::new(), Vec::new()), "{fault:?}");
            let before = open(&stage.world).writes;
            passes(&stage, 900).await;
            assert_eq!(open(&stage.world).writes, before, "{fault:?}: silence at rest");
        });
    }
}

#[test]
fn an_upload_that_is_sent_again_at_once_doubles_the_image() {
    hung(Some("look-once"), |stage| async move {
        let skus: Vec<String> = stage.catalogue.iter().map(|item| item.sku.clone()).collect();
        for (sku, n) in skus.iter().flat_map(|sku| (0..6).map(move |n| (sku, n))) {
            let (now, bytes) = (stage.clock.true_now(), drawn(&format!("{sku} {n}")));
            open(&stage.world).erp.add_image(now, sku, &bytes, (None, false));
        }
        // Some land long after their sender gave up; nobody waits until nothing can land any more.
        troubled(&stage, Fault::Late(0), 100);
        passes(&stage, 900).await;
        open(&stage.world).calm = true;
        passes(&stage, 900).await;
        let found = images::apart(&open(&stage.world));
        assert!(found.iter().any(|line| line.contains("times")), "the planted bug shows: {found:?}");
    });
}

#[test]
fn what_the_erp_took_away_leaves_the_shop_and_people_keep_their_own() {
    hung(None, |stage| async move {
        let own = person_uploads(&stage, &drawn("theirs"));
        let (front, _) = (upload(&stage, "front", Some(1)), upload(&stage, "back", Some(2)));
        passes(&stage, 300).await;
        assert_eq!(prints(&stage), sorted([print_of(&drawn("theirs")), kept("front"), kept("back")]));
        let roles = |stage: &Stage| {
            let rows = in_shop(stage);
            rows.iter().find(|row| row["id"] == own).map(|row| row["roles"].as_array().unwrap().len())
        };
        assert_eq!(roles(&stage), Some(4), "who plays a role goes on playing it");
        assert!(open(&stage.world).erp.remove_image(stage.clock.true_now(), front));
        passes(&stage, 300).await;
        assert_eq!(prints(&stage), sorted([print_of(&drawn("theirs")), kept("back")]));
        let gone = open(&stage.world).shop.remove_image(SKU, own);
        at_erp(&stage, None, "name", &json!("Tasse"));
        passes(&stage, 300).await;
        assert_eq!((gone, prints(&stage)), (true, vec![kept("back")]), "what they take away of their own stays away");
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn an_image_both_have_already_is_not_sent_and_a_second_one_of_peoples_is_left_alone() {
    hung(None, |stage| async move {
        let bytes = converted(&drawn("front"));
        decided(&stage).await;
        person_uploads(&stage, &bytes);
        person_uploads(&stage, &bytes);
        let before = open(&stage.world).writes;
        upload(&stage, "front", None);
        passes(&stage, 300).await;
        assert_eq!(open(&stage.world).writes, before);
        assert_eq!(prints(&stage).len(), 2);
        assert_eq!(variant_lane(&stage.boot().await.unwrap()).await.state, "idle");
    });
}

#[test]
fn an_image_taken_away_unseen_is_found_by_the_deep_sweep() {
    hung(None, |stage| async move {
        let front = upload(&stage, "front", None);
        passes(&stage, 300).await;
        assert_eq!(prints(&stage), [kept("front")]);
        sleep(Duration::from_secs(3_600)).await;
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_product(now, "PEN", None, "name", &json!("Stift")));
        passes(&stage, 300).await;
        assert!(open(&stage.world).erp.remove(stage.clock.true_now(), "product.image", front));
        passes(&stage, 300).await;
        assert_eq!(prints(&stage), [kept("front")], "no feed tells of it");
        let engine = stage.boot().await.unwrap();
        for (system, kind) in engine.sweeps(Some(Flow::Products)).unwrap() {
            engine.sweep(system, kind, SweepOrder { deep: true, ..SweepOrder::default() }, &mut |_| {}).await.unwrap();
        }
        passes(&stage, 300).await;
        assert_eq!(prints(&stage), [""; 0]);
    });
}

#[test]
fn an_image_is_taken_back_and_stays_away_and_one_that_left_is_not_to_be_had_again() {
    hung(None, |stage| async move {
        upload(&stage, "front", Some(1));
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        let run = engine.runs(1).await.unwrap().newest.remove(0).run;
        let undo = engine.undo_of(run, &[]).await.unwrap().unwrap();
        assert!(undo.with(Fate::Back).count() >= 1, "{undo:?}");
        let done = engine.undo(&undo).await.unwrap();
        assert_eq!((done.unfinished, prints(&stage)), (Vec::new(), Vec::new()));
        passes(&stage, 900).await;
        assert_eq!(prints(&stage), [""; 0], "it stays so");
        upload(&stage, "back", None);
        passes(&stage, 600).await;
        assert_eq!(prints(&stage), [kept("back")], "others flow");
        let rows = open(&stage.world).erp.ledger();
        let mug = rows["products"].as_array().unwrap().iter().find(|row| row["sku"] == SKU).unwrap().clone();
        let back =
            mug["images"].as_array().unwrap().iter().find(|row| row["print"] == kept("back")).unwrap()["id"].clone();
        assert!(open(&stage.world).erp.remove_image(stage.clock.true_now(), back.as_u64().unwrap()));
        passes(&stage, 300).await;
        let run = engine.runs(1).await.unwrap().newest.remove(0).run;
        let undo = engine.undo_of(run, &[]).await.unwrap().unwrap();
        let why: BTreeSet<String> = undo.fields.iter().filter_map(|row| row.why.clone()).collect();
        assert!(why.iter().any(|why| why.contains("bytes of images are not kept")), "{undo:?}");
        assert_eq!(undo.with(Fate::Back).count(), 0);
    });
}

#[test]
fn images_stand_in_the_plan_with_what_they_are() {
    hung(None, |stage| async move {
        decided(&stage).await;
        upload(&stage, "front", Some(1));
        let engine = stage.boot().await.unwrap();
        let proof = engine.verify().await.unwrap();
        assert_eq!(proof.flows[&Flow::Products].different, 1, "{proof:?}");
        let plan = engine.plan(Some(Flow::Products)).await.unwrap();
        let row = plan.rows.iter().find(|row| row.key == SKU).unwrap();
        let told = row.fields.iter().find(|(path, _)| path.as_str().starts_with("images[")).unwrap();
        assert!(format!("{:?}", told.1).contains("image/jpeg, "), "{row:?}");
        assert_eq!(prints(&stage), [""; 0], "a plan sends nothing");
        passes(&stage, 300).await;
        assert_eq!(engine.verify().await.unwrap().drift, 0);
    });
}
