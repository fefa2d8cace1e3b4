//! Stories of hints: systems say where to look, once, often, falsely or not at all.

use super::of_shipments::{sale, sending};
use super::*;
use crate::ring2::planted::FORGETS_FIRST;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use syncline_connect::Clock as _;
use syncline_connect::hook::signed;
use syncline_core::id::{RemoteId, SystemUid};
use syncline_engine::asking::AskedBy;
use syncline_server::{Ear, Intake, Shelf};
use syncline_store::{Fut, Store, StoreError};

const SECRET: &str = "whsec_c3luY2xpbmUgc3luY2xpbmUgc3luY2xpbmU=";
/// A pass would come only once in so many seconds.
const SELDOM_S: u32 = 3_600;

/// What listens for the shop beside `engine`, over `store`.
fn listener(stage: &Stage, engine: &Engine, store: Arc<dyn Store>) -> Intake {
    listener_for("shop", stage, engine, store)
}

/// The same for the system called `name`.
fn listener_for(name: &str, stage: &Stage, engine: &Engine, store: Arc<dyn Store>) -> Intake {
    let one = engine.system(&SystemName::new(name)).unwrap();
    let ear = Ear { uid: one.uid.clone(), connector: one.connector.clone(), secret: SECRET.to_string() };
    let ears = BTreeMap::from([(one.name.clone(), ear)]);
    Intake { shelf: Shelf::holding(&store), clock: stage.clock.clone(), bell: Arc::clone(&engine.bell), ears }
}

/// The body that says an order was saved.
fn saved(id: u64) -> Vec<u8> {
    json!({"type": "order.updated", "data": {"id": id}}).to_string().into_bytes()
}

/// What is answered where the shop says so now.
async fn says(stage: &Stage, intake: &Intake, delivery: &str, id: u64) -> u16 {
    let (body, now) = (saved(id), stage.clock.now());
    intake.receive("shop", &signed(delivery, now, &body, SECRET), &body).await.status
}

/// The daemon over what `engine` remembers, until the task is aborted.
fn daemon(engine: &Arc<Engine>) -> tokio::task::JoinHandle<()> {
    let engine = Arc::clone(engine);
    tokio::spawn(async move { engine.run(|_| ()).await.unwrap() })
}

fn documents(stage: &Stage) -> usize {
    open(&stage.world).erp.ledger()["orders"].as_array().map_or(0, Vec::len)
}

/// An order placed now: its id.
fn ordered(stage: &Stage, n: u64) -> u64 {
    let number = place(stage, n, |_| ());
    let ledger = open(&stage.world).shop.ledger();
    let order = ledger["orders"].as_array().unwrap().iter().find(|order| order["number"] == number.as_str()).cloned();
    order.unwrap()["id"].as_u64().unwrap()
}

/// A daemon that has nothing to do, and what listens beside it.
async fn waiting(stage: &mut Stage) -> (Arc<Engine>, tokio::task::JoinHandle<()>, Intake) {
    stage.every_s = SELDOM_S;
    let engine = stage.boot().await.unwrap();
    let task = daemon(&engine);
    sleep(Duration::from_secs(120)).await;
    let intake = listener(stage, &engine, Arc::clone(&engine.store));
    (engine, task, intake)
}

#[test]
fn s01_the_same_hint_fifteen_times_at_once_is_one_look_and_one_order() {
    told(1, |mut stage| async move {
        let (engine, task, intake) = waiting(&mut stage).await;
        let id = ordered(&stage, 1);
        let names: Vec<String> = (0..15).map(|n| format!("d{n}")).collect();
        let answers = names.iter().map(|name| says(&stage, &intake, name, id));
        assert_eq!(futures::future::join_all(answers).await, [202; 15]);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(documents(&stage), 1, "it does not wait for the next pass");
        assert_eq!(says(&stage, &intake, "d0", id).await, 202, "sent once more");
        sleep(Duration::from_secs(60)).await;
        task.abort();
        assert_eq!((differences(&stage), documents(&stage)), (Vec::new(), 1));
        assert!(engine.store.hints(Vec::new(), 10).await.unwrap().is_empty(), "nothing is left to look at");
    });
}

/// Whether an order arrives whose hint was kept right before the shop failed and the process died.
async fn kept_through_trouble(mut stage: Stage) -> bool {
    let (_, task, intake) = waiting(&mut stage).await;
    let id = ordered(&stage, 1);
    troubled(&stage, Fault::LostRequest, 1_000);
    assert_eq!(says(&stage, &intake, "d1", id).await, 202);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(documents(&stage), 0, "the shop answers nothing");
    task.abort();
    calmed(&stage, Fault::LostRequest);
    // The next process looks at nothing but what is pointed at: feeds would find it, too.
    let engine = started(&stage).await;
    engine.sync_hints().await.unwrap();
    documents(&stage) == 1
}

#[test]
fn s03_a_hint_is_done_only_after_the_look() {
    told(3, |stage| async move { assert!(kept_through_trouble(stage).await) });
    planted(3, Some(FORGETS_FIRST), |stage| async move {
        assert!(!kept_through_trouble(stage).await, "the planted bug shows");
    });
}

/// A store whose disk is full at times; one that lies says all was kept.
#[derive(Debug)]
struct Disk {
    store: Arc<dyn Store>,
    full: AtomicBool,
    lies: bool,
}

impl Store for Disk {
    fn beneath(&self) -> &dyn Store {
        self.store.as_ref()
    }

    fn hear(&self, system: SystemUid, hints: Vec<(Kind, RemoteId)>, now: jiff::Timestamp) -> Fut<'_, ()> {
        match (self.full.load(Ordering::SeqCst), self.lies) {
            (false, _) => self.store.hear(system, hints, now),
            (true, lies) => Box::pin(async move { if lies { Ok(()) } else { Err(StoreError::Full) } }),
        }
    }
}

/// Whether an order arrives at once whose shop says so again until it is believed, where the disk is full at first.
async fn arrives_though_full(mut stage: Stage, lies: bool) -> bool {
    let (engine, task, _) = waiting(&mut stage).await;
    let disk = Arc::new(Disk { store: Arc::clone(&engine.store), full: true.into(), lies });
    let intake = listener(&stage, &engine, disk.clone());
    let id = ordered(&stage, 1);
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(says(&stage, &intake, "d1", id).await);
        if answers.last() == Some(&202) {
            break;
        }
        sleep(Duration::from_secs(60)).await;
        disk.full.store(answers.len() < 2, Ordering::SeqCst);
    }
    sleep(Duration::from_secs(60)).await;
    task.abort();
    assert_eq!(answers, if lies { vec![202] } else { vec![503, 503, 202] });
    documents(&stage) == 1
}

#[test]
fn s08_a_hint_that_could_not_be_kept_is_asked_for_again() {
    told(8, |stage| async move { assert!(arrives_though_full(stage, false).await) });
    told(8, |stage| async move { assert!(!arrives_though_full(stage, true).await, "the planted bug shows") });
}

#[test]
fn s12_orders_whose_hints_never_come_are_found_by_the_next_pass() {
    told(12, |mut stage| async move {
        let (_, task, intake) = waiting(&mut stage).await;
        for n in 1..10 {
            let id = ordered(&stage, n);
            if n % 3 == 0 {
                assert_eq!(says(&stage, &intake, &format!("d{n}"), id).await, 202);
            }
            sleep(Duration::from_secs(20)).await;
        }
        sleep(Duration::from_secs(60)).await;
        assert_eq!(documents(&stage), 3, "what was pointed at is there at once");
        sleep(Duration::from_secs(u64::from(SELDOM_S))).await;
        task.abort();
        assert_eq!((differences(&stage), documents(&stage)), (Vec::new(), 9));
    });
}

#[test]
fn s12_a_shop_that_falls_silent_is_told_of_until_it_speaks_again() {
    told(13, |mut stage| async move {
        let shop = SystemName::new("shop");
        stage.hinting.insert(shop.clone());
        stage.every_s = 300;
        let engine = stage.boot().await.unwrap();
        let task = daemon(&engine);
        let intake = listener(&stage, &engine, Arc::clone(&engine.store));
        sleep(Duration::from_secs(120)).await;
        for n in 1..8 {
            let id = ordered(&stage, n);
            assert_eq!(says(&stage, &intake, &format!("d{n}"), id).await, 202);
            sleep(Duration::from_secs(900)).await;
        }
        assert_eq!(engine.asking().await.unwrap(), [], "each was told of");
        for n in 8..14 {
            ordered(&stage, n);
            sleep(Duration::from_secs(900)).await;
        }
        assert_eq!(documents(&stage), 13, "what no hint tells is found by a pass");
        let [asking] = &engine.asking().await.unwrap()[..] else { panic!("one system is silent") };
        assert_eq!((&asking.by, asking.why.code.as_str()), (&AskedBy::Hints(shop, Kind::Order), "SYN-0182"));
        assert_eq!(engine.status().await.unwrap()[&Flow::Orders].held, 1, "whoever watches the counts sees it");
        let id = ordered(&stage, 14);
        assert_eq!(says(&stage, &intake, "d14", id).await, 202);
        assert_eq!(engine.asking().await.unwrap(), [], "one word ends it");
        task.abort();
    });
}

#[test]
fn s61_a_forged_or_stale_hint_is_refused_and_nothing_is_looked_at() {
    told(61, |mut stage| async move {
        let (engine, task, intake) = waiting(&mut stage).await;
        let id = ordered(&stage, 1);
        let (body, now) = (saved(id), stage.clock.now());
        let good = signed("d1", now, &body, SECRET);
        let old = signed("d1", now.checked_sub(jiff::SignedDuration::from_mins(6)).unwrap(), &body, SECRET);
        let by_another = signed("d1", now, &body, "another secret");
        let asked = open(&stage.world).trace_hash();
        for (name, headers, body, status) in [
            ("shop", Vec::new(), body.clone(), 401),
            ("shop", by_another, body.clone(), 401),
            ("shop", good.clone(), saved(id + 1), 401),
            ("shop", old, body.clone(), 401),
            ("erp", good.clone(), body.clone(), 404),
            ("", good.clone(), body.clone(), 404),
        ] {
            assert_eq!(intake.receive(name, &headers, &body).await.status, status);
        }
        sleep(Duration::from_secs(60)).await;
        assert!(engine.store.hints(Vec::new(), 10).await.unwrap().is_empty());
        assert_eq!(open(&stage.world).trace_hash(), asked, "no system was asked for anything");
        assert_eq!(intake.receive("shop", &good, &body).await.status, 202, "the shop's own is heard all the same");
        task.abort();
    });
}

#[test]
fn a_hint_at_what_is_not_there_or_does_not_flow_changes_nothing() {
    told(62, |mut stage| async move {
        let (engine, task, intake) = waiting(&mut stage).await;
        for (n, body) in [
            json!({"type": "order.created", "data": {"id": 999_999}}),
            json!({"type": "order.created", "data": {"id": "no number at all"}}),
            json!({"type": "shipment.created", "data": {"id": "1"}}),
            json!({"type": "variant.updated", "data": {"id": "MUG", "scope": "elsewhere"}}),
        ]
        .into_iter()
        .enumerate()
        {
            let body = body.to_string().into_bytes();
            let headers = signed(&format!("d{n}"), stage.clock.now(), &body, SECRET);
            assert_eq!(intake.receive("shop", &headers, &body).await.status, 202);
        }
        sleep(Duration::from_secs(60)).await;
        task.abort();
        let lanes = engine.store.lanes(LaneFilter { kind: Some(Kind::Order), ..LaneFilter::default() }).await.unwrap();
        assert!(lanes.is_empty() && engine.store.hints(Vec::new(), 10).await.unwrap().is_empty(), "{lanes:?}");
        assert_eq!(documents(&stage), 0);
    });
}

#[test]
fn a_hint_of_a_paper_has_the_feeds_of_papers_asked_at_once() {
    sending(64, |mut stage| async move {
        let number = place(&stage, 1, |_| ());
        passes(&stage, 300).await;
        let (engine, task, _) = waiting(&mut stage).await;
        let (sale, now) = (sale(&stage, &number), stage.clock.true_now());
        assert!(open(&stage.world).erp.ship(now, sale));
        sleep(Duration::from_secs(300)).await;
        let shipments = |stage: &Stage| open(&stage.world).shop.ledger()["shipments"].as_array().map_or(0, Vec::len);
        assert_eq!(shipments(&stage), 0, "the next pass is far away");
        let intake = listener_for("erp", &stage, &engine, Arc::clone(&engine.store));
        let body = json!({"type": "shipment.done", "data": {"id": 1}}).to_string().into_bytes();
        let headers = signed("d1", stage.clock.now(), &body, SECRET);
        assert_eq!(intake.receive("erp", &headers, &body).await.status, 202);
        sleep(Duration::from_secs(120)).await;
        task.abort();
        assert_eq!((shipments(&stage), broken(&stage)), (1, vec![]));
    });
}
