//! Sweeps as people need them: what no feed told of, what is gone, and what is there again.

use super::*;
use crate::ring2::desk;
use serde_json::json;
use syncline_engine::asking::AskedBy;
use syncline_engine::sweep::{SweepOrder, Swept};

const SKU: &str = "MUG";

/// A stage whose stock and products flow, tied and at rest, each system swept once.
fn at_rest<F: Future<Output = ()>>(story: impl FnOnce(Stage) -> F) {
    told(19, |mut stage| async move {
        stage.products = Some(desk::rules());
        stage.stock = Some(crate::ring2::trade::rules());
        desk::open_views(&stage);
        let engine = stage.boot().await.unwrap();
        for system in engine.systems.values() {
            engine.store.forget_cursor(system.uid.clone(), Kind::Variant).await.unwrap();
        }
        passes(&stage, 120).await;
        sweep(&stage, false).await;
        story(stage).await;
    });
}

/// Every sweep there is, to its end.
async fn sweep(stage: &Stage, deep: bool) -> Vec<Swept> {
    let engine = stage.boot().await.unwrap();
    let order = SweepOrder { deep, ..SweepOrder::default() };
    let mut all = Vec::new();
    for (system, kind) in engine.sweeps(None).unwrap() {
        all.push(engine.sweep(system, kind, order, &mut |_| {}).await.unwrap());
    }
    all
}

/// What the sweeps came to: read anew, with news, gone.
fn sums(swept: &[Swept]) -> (u64, u64, u64) {
    let sum = |of: fn(&Swept) -> u64| swept.iter().map(of).sum();
    (sum(|one| one.count.read), sum(|one| one.count.news), sum(|one| one.gone))
}

/// The state of the lanes that hang on the mug: its own and its stock's, with the code of what holds them.
async fn mug(stage: &Stage) -> Vec<(Kind, String, String)> {
    let engine = stage.boot().await.unwrap();
    let filter = LaneFilter { label: Some(SKU.to_string()), ..LaneFilter::default() };
    let rows = engine.store.lanes(filter).await.unwrap();
    rows.into_iter().map(|row| (row.kind, row.state, row.why.map(|why| why.code).unwrap_or_default())).collect()
}

fn in_shop(stage: &Stage) -> Option<Value> {
    let ledger = open(&stage.world).shop.ledger();
    ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == SKU).cloned()
}

#[test]
fn a_sweep_of_what_is_at_rest_reads_nothing_and_finds_every_key() {
    at_rest(|stage| async move {
        place(&stage, 1, |_| ());
        passes(&stage, 300).await;
        sweep(&stage, false).await;
        let again = sweep(&stage, false).await;
        assert_eq!(sums(&again), (0, 0, 0), "{again:?}");
        assert!(again.iter().all(|one| one.over && one.bound > 0 && one.count.keys >= one.bound), "{again:?}");
        let deep = sweep(&stage, true).await;
        assert_eq!((sums(&deep).1, sums(&deep).2), (0, 0), "{deep:?}");
        assert!(sums(&deep).0 > 12, "{deep:?}");
    });
}

#[test]
fn s13_what_changed_without_a_sign_is_found_by_a_deep_sweep() {
    at_rest(|stage| async move {
        let order = place(&stage, 1, |order| order["state"] = json!("holded"));
        // Later ones have moved the feeds on, past what they look back.
        sleep(Duration::from_secs(7_200)).await;
        place(&stage, 2, |_| ());
        assert!(open(&stage.world).shop.edit_product(stage.clock.true_now(), "LAMP-1", None, "name", "Lamp"));
        passes(&stage, 1_200).await;
        // The page of a customer whose order is on hold was not asked for yet.
        sweep(&stage, false).await;
        {
            let mut world = open(&stage.world);
            assert!(world.shop.edit_product_unseen(stage.clock.true_now(), SKU, "name", "in silence"));
            assert!(world.shop.edit_order_unseen(&order, "state", &json!("processing")));
        }
        passes(&stage, 120).await;
        assert_eq!(sums(&sweep(&stage, false).await).1, 0, "no key tells of it");
        assert_ne!(differences(&stage), [""; 0]);
        assert_eq!(sums(&sweep(&stage, true).await).1, 2);
        passes(&stage, 600).await;
        assert_eq!(differences(&stage), [""; 0]);
        // The ERP owns the name: it is put back.
        assert_ne!(in_shop(&stage).unwrap()["name"], "in silence");
    });
}

#[test]
fn an_order_that_no_feed_told_of_is_found_by_its_key() {
    at_rest(|stage| async move {
        // It becomes visible two hours after its stamp, longer than any feed looks back.
        open(&stage.world).shop.quirks_mut().late_commit_s = 7_200;
        for n in 0..6 {
            place(&stage, n, |_| ());
        }
        open(&stage.world).shop.quirks_mut().late_commit_s = 0;
        passes(&stage, 600).await;
        place(&stage, 7, |_| ());
        passes(&stage, 10_000).await;
        assert_ne!(differences(&stage), [""; 0], "nothing was hidden");
        sweep(&stage, false).await;
        passes(&stage, 600).await;
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn a_sale_that_a_sweep_reads_takes_nothing_from_stock_once_more() {
    at_rest(|stage| async move {
        let number = place(&stage, 1, |_| ());
        passes(&stage, 300).await;
        {
            let mut world = open(&stage.world);
            let ledger = world.erp.ledger();
            let sales = ledger["orders"].as_array().unwrap();
            let sale = sales.iter().find(|sale| sale["reference"] == number.as_str()).unwrap()["id"].as_u64().unwrap();
            assert!(world.erp.ship(stage.clock.true_now(), sale));
        }
        passes(&stage, 600).await;
        let writes = open(&stage.world).writes;
        assert!(sums(&sweep(&stage, false).await).1 > 0, "the sale went on");
        passes(&stage, 600).await;
        assert_eq!(open(&stage.world).writes, writes, "no figure is written for it");
        assert_eq!((differences(&stage), broken(&stage)), (Vec::new(), Vec::new()));
    });
}

#[test]
fn what_the_daemons_sweep_finds_does_not_wait_for_the_next_pass() {
    at_rest(|mut stage| async move {
        open(&stage.world).shop.quirks_mut().late_commit_s = 7_200;
        place(&stage, 1, |_| ());
        open(&stage.world).shop.quirks_mut().late_commit_s = 0;
        passes(&stage, 600).await;
        place(&stage, 7, |_| ());
        passes(&stage, 10_000).await;
        assert_ne!(differences(&stage), [""; 0], "no feed told of it");
        stage.sweep_s = Some(1);
        let engine = stage.boot().await.unwrap();
        let mut told = Vec::new();
        let passes = engine.run(|pass| {
            let pass = pass.as_ref().expect("nothing is in the way");
            told.push((pass.new, pass.changed));
            if told.len() == 2 {
                engine.stop();
            }
        });
        tokio::time::timeout(Duration::from_secs(600), passes).await.expect("it stops").unwrap();
        assert_eq!((told.first(), differences(&stage)), (Some(&(0, 0)), Vec::new()));
        // Not read by a second pass: what the sweep took in, worked off beside the first.
        assert!(told.last().is_some_and(|(new, changed)| *new == 0 && *changed > 0), "{told:?}");
    });
}

#[test]
fn s19_a_deleted_product_is_asked_about_once_and_never_made_again() {
    at_rest(|stage| async move {
        let before = in_shop(&stage).unwrap();
        assert!(open(&stage.world).shop.delete_product(SKU));
        assert_eq!(sums(&sweep(&stage, false).await).2, 1);
        passes(&stage, 120).await;
        let asked = ["held".to_string(), "SYN-0150".to_string()];
        let lanes = mug(&stage).await;
        let own = lanes.iter().find(|(kind, ..)| *kind == Kind::Variant).unwrap();
        assert_eq!([own.1.clone(), own.2.clone()], asked);
        assert!(lanes.iter().all(|(kind, state, _)| *kind == Kind::Variant || state == "outside"), "{lanes:?}");
        // The ERP goes on to change it; nothing is written, and no later sweep asks again.
        let writes = open(&stage.world).writes;
        assert!(open(&stage.world).erp.edit_product(stage.clock.true_now(), SKU, None, "name", &json!("Pot")));
        passes(&stage, 300).await;
        assert_eq!((sums(&sweep(&stage, false).await).2, open(&stage.world).writes), (0, writes));
        assert!(in_shop(&stage).is_none());
        // Made again by a person: what differs is asked about, and nothing is overwritten before.
        assert!(open(&stage.world).shop.make_product_again(stage.clock.true_now(), SKU));
        sweep(&stage, false).await;
        passes(&stage, 300).await;
        let own = mug(&stage).await.into_iter().find(|(kind, ..)| *kind == Kind::Variant).unwrap();
        assert_eq!((own.1.as_str(), own.2.as_str()), ("conflict", "SYN-0140"));
        assert_eq!(in_shop(&stage).unwrap()["name"], before["name"]);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn s19_a_write_that_meets_a_deleted_product_asks_about_it_as_a_sweep_does() {
    at_rest(|stage| async move {
        assert!(open(&stage.world).shop.delete_product(SKU));
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_product(now, SKU, None, "name", &json!("Pot")));
        passes(&stage, 300).await;
        let lanes = mug(&stage).await;
        let own = lanes.iter().find(|(kind, ..)| *kind == Kind::Variant).unwrap();
        assert_eq!((own.1.as_str(), own.2.as_str()), ("held", "SYN-0150"));
        assert!(lanes.iter().all(|(kind, state, _)| *kind == Kind::Variant || state == "outside"), "{lanes:?}");
        // Nothing is left to find for the sweep, and nothing is made again.
        assert_eq!(sums(&sweep(&stage, false).await).2, 0);
        assert!(in_shop(&stage).is_none());
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn s19_a_figure_that_meets_a_deleted_product_asks_about_the_product() {
    at_rest(|stage| async move {
        assert!(open(&stage.world).shop.delete_product(SKU));
        assert!(open(&stage.world).erp.receive(stage.clock.true_now(), SKU, 7));
        passes(&stage, 300).await;
        let lanes = mug(&stage).await;
        assert!(lanes.contains(&(Kind::Variant, "held".to_string(), "SYN-0150".to_string())), "{lanes:?}");
        assert!(lanes.iter().all(|(_, state, _)| state != "failed"), "{lanes:?}");
    });
}

#[test]
fn a_shop_that_seems_to_have_lost_too_much_is_not_believed_by_a_write_either() {
    at_rest(|stage| async move {
        let engine = stage.boot().await.unwrap();
        let shop = engine.systems.values().find(|system| system.name.as_str() == "shop").unwrap();
        let id = |n: i32| syncline_core::id::RemoteId::new("", format!("LOST-{n}"));
        let pairs = (0..40).map(|n| syncline_store::Adoption {
            kind: Kind::Variant,
            label: format!("LOST-{n}"),
            ids: vec![(shop.uid.clone(), id(n), Vec::new())],
        });
        engine.store.adopt(pairs.collect(), stage.clock.true_now()).await.unwrap();
        let lost = (0..30).map(id).collect();
        engine.store.bury(shop.uid.clone(), Kind::Variant, lost, stage.clock.true_now()).await.unwrap();
        assert!(open(&stage.world).shop.delete_product(SKU));
        let now = stage.clock.true_now();
        assert!(open(&stage.world).erp.edit_product(now, SKU, None, "name", &json!("Pot")));
        passes(&stage, 300).await;
        let own = mug(&stage).await.into_iter().find(|(kind, ..)| *kind == Kind::Variant).unwrap();
        assert_eq!((own.1.as_str(), own.2.as_str()), ("held", "SYN-0151"));
    });
}

#[test]
fn s19_a_deletion_that_is_right_is_left_alone_for_good() {
    at_rest(|stage| async move {
        assert!(open(&stage.world).shop.delete_product(SKU));
        sweep(&stage, false).await;
        passes(&stage, 60).await;
        let engine = stage.boot().await.unwrap();
        let [entity] = engine.named(Kind::Variant, SKU).await.unwrap()[..] else { panic!("one mug") };
        assert!(engine.accept_gone(entity).await.unwrap());
        passes(&stage, 120).await;
        assert!(mug(&stage).await.iter().all(|(_, state, _)| state == "outside"));
        let report = engine.verify().await.unwrap();
        assert_eq!(report.drift, 0, "{report:?}");
    });
}

#[test]
fn s19_a_sale_deleted_in_the_erp_is_not_made_again() {
    at_rest(|stage| async move {
        let number = place(&stage, 1, |_| ());
        passes(&stage, 300).await;
        sweep(&stage, false).await;
        let sale = open(&stage.world).erp.ledger()["orders"][0]["id"].as_u64().unwrap();
        {
            let mut world = open(&stage.world);
            assert!(world.erp.cancel_sale(stage.clock.true_now(), sale));
            assert!(world.erp.remove(stage.clock.true_now(), "sale.sale", sale));
        }
        assert_eq!(sums(&sweep(&stage, false).await).2, 1);
        passes(&stage, 600).await;
        let engine = stage.boot().await.unwrap();
        let lane = lane(&engine, &number).await;
        assert_eq!((lane.state.as_str(), lane.why.unwrap().code.as_str()), ("held", "SYN-0150"));
        assert_eq!(open(&stage.world).erp.ledger()["orders"].as_array().unwrap().len(), 0);
    });
}

#[test]
fn where_too_much_is_missing_nothing_is_taken_for_deleted() {
    at_rest(|mut stage| async move {
        let engine = stage.boot().await.unwrap();
        let shop = engine.systems.values().find(|system| system.name.as_str() == "shop").unwrap();
        // Forty more that the shop never had: tied in the store alone, as after a change of the shop's address.
        let pairs = (0..40).map(|n| syncline_store::Adoption {
            kind: Kind::Variant,
            label: format!("LOST-{n}"),
            ids: vec![(shop.uid.clone(), syncline_core::id::RemoteId::new("", format!("LOST-{n}")), Vec::new())],
        });
        engine.store.adopt(pairs.collect(), stage.clock.true_now()).await.unwrap();
        let order = SweepOrder::default();
        let swept = engine.sweep(shop, Kind::Variant, order, &mut |_| {}).await.unwrap();
        assert_eq!((swept.suspected, swept.gone), (40, 0));
        // It stands among what is open, whatever passes come after it, until a sweep of that kind ends well.
        passes(&stage, 60).await;
        stage.sweep_s = Some(1);
        let engine = stage.boot().await.unwrap();
        let held = async |engine: &Engine| engine.status().await.unwrap()[&Flow::Products].held;
        let [asking] = &engine.asking().await.unwrap()[..] else { panic!("one sweep asks") };
        assert_eq!(
            (&asking.by, asking.why.code.as_str()),
            (&AskedBy::Sweep(SystemName::new("shop"), Kind::Variant), "SYN-0151")
        );
        assert_eq!(held(&engine).await, 1);
        // The daemon's own sweeps keep it, and take it back.
        assert!(engine.sweep_what_is_due().await.ended.unwrap_err().to_string().contains("SYN-0151"));
        assert_eq!(held(&engine).await, 1);
        let shop = engine.systems.values().find(|system| system.name.as_str() == "shop").unwrap();
        let order = SweepOrder { believe: true, ..order };
        let swept = engine.sweep(shop, Kind::Variant, order, &mut |_| {}).await.unwrap();
        assert_eq!((swept.suspected, swept.gone), (0, 40));
        assert_eq!(engine.asking().await.unwrap(), []);
    });
}

#[test]
fn a_sweep_that_is_broken_off_goes_on_where_it_was() {
    at_rest(|stage| async move {
        for n in 0..150 {
            place(&stage, n, |order| order["state"] = json!("holded"));
        }
        passes(&stage, 120).await;
        let engine = stage.boot().await.unwrap();
        let (shop, kind) = engine.sweeps(None).unwrap().remove(0);
        assert_eq!((shop.name.as_str(), kind), ("shop", Kind::Order));
        let order = SweepOrder { pages: Some(1), ..SweepOrder::default() };
        let first = engine.sweep(shop, kind, order, &mut |_| {}).await.unwrap();
        assert!(!first.over && first.count.keys < 150, "{first:?}");
        let engine = stage.boot().await.unwrap();
        let (shop, kind) = engine.sweeps(None).unwrap().remove(0);
        let last = engine.sweep(shop, kind, SweepOrder::default(), &mut |_| {}).await.unwrap();
        assert!(last.over && last.count.keys == 150 && last.gone == 0, "{last:?}");
    });
}
