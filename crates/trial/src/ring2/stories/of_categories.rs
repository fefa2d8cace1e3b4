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

/// The ERP with the shop, and no field that the shop owns.
fn pairs() -> Vec<PairRules> {
    let (source, target) = (SystemName::new("erp"), SystemName::new("shop"));
    vec![PairRules { source, target, policies: Vec::new(), creates: false }]
}

/// Plays `story` on such a stage.
fn sorting<F: Future<Output = ()>>(story: impl FnOnce(Stage) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { story(sorted()).await });
}

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
    sorting(|stage| async move {
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
