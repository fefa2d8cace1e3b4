//! Stories of an older copy of the store that is put back while both systems went on.

use super::of_credits::first_of;
use super::of_refunds::{give_back, order, refunding, sold};
use super::of_shipments::{of_lines, sale, sending, ship, shipments};
use super::*;
use crate::ring2::{desk, people, prices, schedule, trade};
use rust_decimal::Decimal;
use serde_json::json;
use syncline_core::delivery::Progress;
use syncline_core::rules::Refunds;
use tokio::time::timeout;

/// A stage with every flow on, its store in `file`.
async fn everything(stage: &mut Stage, file: &File) {
    stage.products = Some(desk::rules());
    stage.prices = Some(prices::rules());
    stage.stock = Some(trade::rules());
    stage.buyers_type = true;
    stage.sweep_s = None;
    stage.keep_in_file(&file.0).unwrap();
    desk::open_views(stage);
    prices::open_lists(stage);
    stage.boot().await.unwrap().adopt_variants().await.unwrap();
    trade::open_the_doors(stage);
    settled(stage).await;
}

/// People work on both sides for `seconds` from `from` on, orders arrive, and passes go on meanwhile.
async fn lived(stage: &Stage, from: u64, seconds: u64) {
    let engine = stage.boot().await.unwrap();
    for second in from..from + seconds {
        sleep(Duration::from_secs(1)).await;
        if second % 40 == 0 {
            place(stage, second, |_| ());
        }
        desk::each_second(stage, second);
        prices::each_second(stage, second);
        people::each_second(stage, second);
        trade::each_second(stage, second);
        if second % 30 == 29 {
            drop(engine.sync(None).await);
        }
    }
}

/// Passes, and a person who decides what is asked, until nothing is left to do.
async fn settled(stage: &Stage) {
    for _ in 0..3 {
        passes(stage, 300).await;
        let engine = stage.boot().await.unwrap();
        desk::decide(stage, &engine).await;
        prices::decide(stage, &engine).await;
    }
}

#[test]
fn s77_an_older_copy_of_the_store_is_put_back_while_both_systems_went_on() {
    for seed in [771, 772] {
        told(seed, |mut stage| async move {
            let file = File::of(seed);
            everything(&mut stage, &file).await;
            lived(&stage, 0, 90).await;
            // The copy holds a write whose answer was lost.
            place(&stage, 9_000, |_| ());
            troubled(&stage, Fault::LostReply, 1000);
            drop(stage.boot().await.unwrap().sync(None).await);
            open(&stage.world).calm = true;
            let copy = stage.copied(&file.0).unwrap();
            lived(&stage, 90, 120).await;
            settled(&stage).await;
            let documents = |stage: &Stage| open(&stage.world).erp.ledger()["orders"].as_array().unwrap().len();
            let before = documents(&stage);
            stage.put_back(&file.0, &copy).unwrap();
            let late = place(&stage, 9_001, |_| ());
            let engine = stage.boot().await.unwrap();
            let proof = engine.verify().await.unwrap();
            let orders = &proof.flows[&Flow::Orders];
            assert!(orders.missing == 1 && orders.details.iter().any(|line| line.contains(&late)), "{orders:?}");
            engine.recover().await.unwrap();
            drop(engine);
            lived(&stage, 210, 40).await;
            schedule::release_all(&stage);
            prices::finish(&stage);
            settled(&stage).await;
            let made = documents(&stage) - before;
            assert!((1..=4).contains(&made), "{made} documents were made for a few new orders, seed {seed}");
            check::at_the_end(&stage).await.unwrap();
            assert_eq!(broken(&stage), [""; 0], "seed {seed}");
        });
    }
}

/// Whether a shipment was looked for in vain, and nothing was sent yet.
async fn is_looked_for(engine: &Engine) -> bool {
    let lanes = engine.store.lanes(LaneFilter { kind: Some(Kind::Shipment), ..LaneFilter::default() }).await.unwrap();
    for lane in lanes {
        let delivery = engine.store.load(lane.entity).await.unwrap().delivery;
        if delivery.is_some_and(|delivery| matches!(delivery.progress, Progress::Planned { looked: true, .. })) {
            return true;
        }
    }
    false
}

#[test]
fn s77_what_was_looked_for_before_the_copy_is_looked_for_again() {
    sending(779, |mut stage| async move {
        let file = File::of(779);
        stage.keep_in_file(&file.0).unwrap();
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        let number = of_lines(&stage, 1, &[("MUG", 2)]);
        passes(&stage, 300).await;
        ship(&stage, &number, &[("MUG", 1)]);
        // A process dies right after it looked for the shipment, and a copy is made of what it left.
        let mut milliseconds = 0;
        loop {
            milliseconds += 40;
            let engine = stage.boot().await.unwrap();
            engine.recover().await.unwrap();
            drop(timeout(Duration::from_millis(milliseconds), engine.sync(None)).await);
            assert!(shipments(&stage).is_empty(), "no moment lies between the look and the request");
            if is_looked_for(&engine).await {
                break;
            }
        }
        let copy = stage.copied(&file.0).unwrap();
        stage.boot().await.unwrap().recover().await.unwrap();
        passes(&stage, 600).await;
        assert_eq!(shipments(&stage).len(), 1);
        stage.put_back(&file.0, &copy).unwrap();
        let engine = stage.boot().await.unwrap();
        assert!(is_looked_for(&engine).await, "the copy takes the older look for an answer");
        engine.recover().await.unwrap();
        drop(engine);
        passes(&stage, 600).await;
        assert_eq!(shipments(&stage).len(), 1, "what left once is told once");
        assert_eq!(broken(&stage), Vec::<String>::new());
    });
}

#[test]
fn without_their_marks_an_older_copy_would_make_the_documents_again() {
    told(77, |mut stage| async move {
        let file = File::of(77);
        stage.stock = None;
        stage.keep_in_file(&file.0).unwrap();
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        let copy = stage.copied(&file.0).unwrap();
        let number = place(&stage, 1, |_| ());
        passes(&stage, 300).await;
        let now = stage.clock.true_now();
        {
            let mut world = open(&stage.world);
            let sale = world.erp.ledger()["orders"][0]["id"].as_u64().unwrap();
            let bare = world.erp.directly(now, "sale.sale", sale, &json!({"web_id": null, "description": null}));
            assert!(bare || world.erp.directly(now, "sale.sale", sale, &json!({"description": null})));
            // What the shop's order refers to keeps it from being booked again, too.
            assert!(world.shop.edit_order_unseen(&number, "ext_order_id", &Value::Null));
        }
        stage.put_back(&file.0, &copy).unwrap();
        passes(&stage, 600).await;
        assert_eq!(differences(&stage).len(), 1, "the story above can fail");
    });
}

#[test]
fn papers_of_ours_are_known_by_their_marks_after_the_store_was_lost() {
    refunding(78, Refunds::Carry, |mut stage| async move {
        // What left, was billed and came back by either side, all of it told to the other one.
        let (first, other) = (sold(&stage, 1, true).await, sold(&stage, 2, true).await);
        let now = stage.clock.true_now();
        for number in [&first, &other] {
            let (sale, now) = (sale(&stage, number), now);
            open(&stage.world).erp.ship(now, sale);
        }
        passes(&stage, 300).await;
        let (_, lines) = order(&stage, &first);
        assert!(give_back(&stage, &first, &[(lines[0].0, 1)], Decimal::ZERO, Decimal::ZERO));
        let (sku, _, _) = first_of(&stage, &other);
        let id = sale(&stage, &other);
        open(&stage.world).erp.credit(stage.clock.true_now(), id, &[(sku.as_str(), Decimal::ONE)]).unwrap();
        passes(&stage, 900).await;
        let held = async |stage: &Stage| {
            let filter = LaneFilter { states: vec!["held", "failed"], ..LaneFilter::default() };
            let lanes = stage.boot().await.unwrap().store.lanes(filter).await.unwrap();
            lanes.into_iter().map(|lane| format!("{} {} {:?}", lane.kind, lane.label, lane.why)).collect::<Vec<_>>()
        };
        assert_eq!(held(&stage).await, [""; 0]);
        let papers = |stage: &Stage| {
            let world = open(&stage.world);
            let (shop, erp) = (world.shop.ledger(), world.erp.ledger());
            [shop["shipments"].clone(), shop["invoices"].clone(), shop["memos"].clone(), erp["credits"].clone()]
        };
        let before = papers(&stage);
        assert!(before.iter().all(|list| list.as_array().is_some_and(|list| !list.is_empty())), "{before:?}");
        // A new store counts its deliveries anew, which the watch over notes would take for old ones.
        assert_eq!(broken(&stage), [""; 0]);
        stage.lose_the_store().unwrap();
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        passes(&stage, 1_800).await;
        assert_eq!(held(&stage).await, [""; 0], "nobody is asked about what is ours");
        assert_eq!(papers(&stage), before, "and nothing is made or changed");
        let proof = stage.boot().await.unwrap().verify().await.unwrap().flows[&Flow::Papers].clone();
        assert_eq!((proof.drift(), proof.open), (0, 0), "{proof:?}");
    });
}
