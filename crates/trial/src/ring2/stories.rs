//! Scenarios by their numbers in docs/scenarios.md, each played to its end.

mod by_hand;
mod of_addresses;
mod of_amendments;
mod of_attributes;
mod of_books;
mod of_bundles;
mod of_carts;
mod of_categories;
mod of_creates;
mod of_credits;
mod of_customers;
mod of_cutover;
mod of_cuts;
mod of_drops;
mod of_erasure;
mod of_families;
mod of_feeds;
mod of_groups;
mod of_hints;
mod of_identity;
mod of_images;
mod of_invoices;
mod of_merges;
mod of_money;
mod of_payments;
mod of_periods;
mod of_prices;
mod of_products;
mod of_refunds;
mod of_releases;
mod of_rest;
mod of_restoring;
mod of_shipments;
mod of_shops;
mod of_stock;
mod of_sweeps;
mod of_undo;
mod of_website_prices;
mod of_websites;
mod trouble;

use super::boot::{PRODUCTS, Stage};
use super::check;
use super::planted::{FORGETS_A_CHILD, FORGETS_A_GROUP, FORGETS_A_PART, FORGETS_FIRST, LOSES_IDS, REPEATS_A_PAGE};
use super::weather::{Fault, Weather};
use super::world::open;
use super::{PLANTS, Play};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;
use syncline_core::id::SystemName;
use syncline_core::kind::{Flow, Kind};
use syncline_core::rules::{FieldRules, OrderRules, PairRules};
use syncline_engine::{Engine, Flows, System};
use syncline_sim::http::System as _;
use syncline_sim::orders::place_like;
use syncline_store::{LaneFilter, LaneRow};
use tokio::time::sleep;
use trouble::{calmed, killed, started, troubled};

/// A file of its own for one story; gone with it.
struct File(std::path::PathBuf);

impl File {
    fn of(seed: u64) -> Self {
        let name = format!("syncline-story-{}-{seed}.db", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for end in ["db", "db-wal", "db-shm"] {
            drop(std::fs::remove_file(self.0.with_extension(end)));
        }
    }
}

/// Every bug that a story may be told with.
fn story_bugs() -> impl Iterator<Item = &'static str> {
    let of_stories = [REPEATS_A_PAGE, FORGETS_A_CHILD, FORGETS_A_PART, LOSES_IDS, FORGETS_A_GROUP, FORGETS_FIRST];
    PLANTS.into_iter().filter(|bug| bug.play == Play::Chaos).map(|bug| bug.slug).chain(of_stories)
}

#[test]
fn bugs_of_stories_are_told_by_name() {
    let told: Vec<String> = story_bugs().map(|bug| format!("bug {bug}\n")).collect();
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), told.len());
    std::io::stdout().write_all(told.concat().as_bytes()).unwrap();
}

/// Plays `story` on a stage whose products are tied.
fn told<F: Future<Output = ()>>(seed: u64, story: impl FnOnce(Stage) -> F) {
    stocked(seed, PRODUCTS, story);
}

/// The same with a planted bug.
fn planted<F: Future<Output = ()>>(seed: u64, plant: Option<&'static str>, story: impl FnOnce(Stage) -> F) {
    begun((seed, PRODUCTS, plant), story);
}

/// The same with so many entries in the catalogue.
fn stocked<F: Future<Output = ()>>(seed: u64, products: usize, story: impl FnOnce(Stage) -> F) {
    begun((seed, products, None), story);
}

fn begun<F: Future<Output = ()>>(
    (seed, products, plant): (u64, usize, Option<&'static str>),
    story: impl FnOnce(Stage) -> F,
) {
    // Whoever wants to know whether a story can break tells it with a bug (`cargo x stories --planted`).
    let asked = std::env::var("SYNCLINE_PLANT").ok().and_then(|slug| story_bugs().find(|bug| *bug == slug));
    let plant = plant.or(asked);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut stage = Stage::stocked(seed, products, plant, true).unwrap();
        stage.products = None;
        stage.prices = None;
        stage.attributes = Vec::new();
        open(&stage.world).weather = Weather::default();
        stage.boot().await.unwrap().adopt_variants().await.unwrap();
        story(stage).await;
    });
}

/// An order placed now, after `change` was made to it. Returns its number.
fn place(stage: &Stage, n: u64, change: impl FnOnce(&mut Value)) -> String {
    let now = stage.clock.true_now();
    let mut order = place_like(5, n, &stage.catalogue, now);
    change(&mut order);
    let number = order["increment_id"].as_str().unwrap().to_string();
    open(&stage.world).shop.place(now, order).unwrap();
    number
}

/// Passes until `seconds` are over.
async fn passes(stage: &Stage, seconds: u64) {
    let engine = stage.boot().await.unwrap();
    for _ in 0..seconds / 30 {
        drop(engine.sync(None).await);
        sleep(Duration::from_secs(30)).await;
    }
}

/// What both ledgers say against each other; empty where each order is there once, to the cent.
fn differences(stage: &Stage) -> Vec<String> {
    let wanted = check::wanted(stage);
    check::crossed(&wanted, &open(&stage.world).erp.ledger())
}

fn broken(stage: &Stage) -> Vec<String> {
    open(&stage.world).violations.iter().map(|v| format!("{}: {}", v.invariant, v.detail)).collect()
}

async fn lane(engine: &Engine, number: &str) -> LaneRow {
    let filter = LaneFilter { kind: Some(Kind::Order), label: Some(number.to_string()), ..LaneFilter::default() };
    engine.store.lanes(filter).await.unwrap().remove(0)
}

#[test]
fn s02_crash_after_remote_create() {
    for writes_before_the_crash in 1..7 {
        told(3, |stage| async move {
            place(&stage, 1, |_| ());
            let engine = stage.boot().await.unwrap();
            let running = engine.clone();
            let before = open(&stage.world).writes;
            let task = tokio::spawn(async move { drop(running.sync(None).await) });
            while open(&stage.world).writes < before + writes_before_the_crash && !task.is_finished() {
                sleep(Duration::from_millis(1)).await;
            }
            task.abort();
            let engine = stage.boot().await.unwrap();
            engine.recover().await.unwrap();
            passes(&stage, 600).await;
            assert_eq!(differences(&stage), [""; 0]);
            assert_eq!(broken(&stage), [""; 0]);
        });
    }
}

#[test]
fn s04_orders_share_a_customer_that_does_not_exist_yet() {
    told(4, |stage| async move {
        let mut first: Option<Value> = None;
        for n in 0..12 {
            place(&stage, n, |order| {
                let same = first.get_or_insert_with(|| order.clone());
                for field in ["customer_email", "customer_is_guest", "customer_id", "billing_address"] {
                    order[field] = same[field].clone();
                }
            });
        }
        passes(&stage, 300).await;
        assert_eq!(differences(&stage), [""; 0]);
        let email = first.unwrap()["customer_email"].clone();
        let ledger = open(&stage.world).erp.ledger();
        let same = |row: &&Value| row["email"] == email;
        assert_eq!(ledger["customers"].as_array().unwrap().iter().filter(same).count(), 1);
    });
}

#[test]
fn s05_a_stalled_worker_comes_back_after_it_was_replaced() {
    told(5, |stage| async move {
        for n in 0..4 {
            place(&stage, n, |_| ());
        }
        {
            let mut world = open(&stage.world);
            // Every tenth visit to the store takes longer than a lane is lent for.
            world.weather.stall = 100;
            world.calm = false;
        }
        let engine = stage.boot().await.unwrap();
        for _ in 0..12 {
            let (one, other) = (engine.clone(), stage.boot().await.unwrap());
            let (one, other) = (
                tokio::spawn(async move { drop(one.sync(None).await) }),
                tokio::spawn(async move { drop(other.sync(None).await) }),
            );
            drop(tokio::join!(one, other));
        }
        let stalls = open(&stage.world).faults.get("stalls").copied().unwrap_or(0);
        assert!(stalls > 10, "{stalls} stalls");
        open(&stage.world).calm = true;
        passes(&stage, 900).await;
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(broken(&stage), [""; 0]);
    });
}

#[test]
fn s09_our_own_write_echoes_back() {
    told(9, |stage| async move {
        place(&stage, 1, |_| ());
        passes(&stage, 300).await;
        let writes = open(&stage.world).writes;
        passes(&stage, 1000 * 30).await;
        assert_eq!(open(&stage.world).writes, writes, "writes in 1,000 cycles with nothing to do");
        assert_eq!(differences(&stage), [""; 0]);
    });
}

#[test]
fn s15_late_commit_behind_the_cursor() {
    told(15, |stage| async move {
        open(&stage.world).shop.quirks_mut().late_commit_s = 40;
        stage.clock.step(90);
        for n in 0..8 {
            place(&stage, n, |_| ());
            sleep(Duration::from_secs(7)).await;
            passes(&stage, 30).await;
        }
        passes(&stage, 600).await;
        assert_eq!(differences(&stage), [""; 0]);
    });
}

#[test]
fn s18_one_poison_record_stops_nothing_else() {
    told(18, |stage| async move {
        let poison = place(&stage, 0, |order| order["grand_total"] = "not a number".into());
        for n in 1..8 {
            place(&stage, n, |_| ());
        }
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        let row = engine.store.lanes(LaneFilter { states: vec!["failed"], ..LaneFilter::default() }).await.unwrap();
        assert_eq!(row.len(), 1, "{row:?}");
        let wrong = differences(&stage);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong.iter().all(|line| line.contains(&poison)));
    });
}

#[test]
fn an_order_of_less_than_nothing_is_held() {
    told(19, |stage| async move {
        let number = place(&stage, 1, |order| order["items"][0]["qty_ordered"] = (-3).into());
        passes(&stage, 300).await;
        let row = lane(&stage.boot().await.unwrap(), &number).await;
        assert!(row.why.is_some_and(|why| why.code == "SYN-0102" && why.what.contains("-3 × ")));
        assert_eq!(open(&stage.world).erp.ledger()["orders"], serde_json::json!([]));
    });
}

#[test]
fn s20_payment_arrives_later_than_the_order() {
    told(20, |stage| async move {
        let number = place(&stage, 1, |order| {
            order["state"] = "pending_payment".into();
            order["payment"]["method"] = "paypal_express".into();
        });
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        let row = lane(&engine, &number).await;
        assert_eq!(row.state, "awaiting");
        assert!(row.why.is_some_and(|why| why.what.contains("pending")), "the reason is told");
        let id = check::orders_in(&open(&stage.world).shop, "draft").remove(0);
        open(&stage.world).shop.set_state(stage.clock.true_now(), id, "processing");
        passes(&stage, 300).await;
        assert_eq!(differences(&stage), [""; 0]);
    });
}

#[test]
fn s33_a_product_that_is_not_there_holds_its_order_whole() {
    told(33, |stage| async move {
        let number = place(&stage, 1, |order| {
            order["items"][0]["sku"] = "GONE".into();
            order["items"][0]["product_id"] = 999_999.into();
        });
        place(&stage, 2, |_| ());
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        let row = lane(&engine, &number).await;
        assert_eq!((row.state.as_str(), row.why.map(|why| why.code)), ("held", Some("SYN-0104".to_string())));
        let wrong = differences(&stage);
        assert!(wrong.len() == 1 && wrong.iter().all(|line| line.contains(&number)), "{wrong:?}");
    });
}

#[test]
fn s59_rate_limits_are_waited_out() {
    told(59, |stage| async move {
        for n in 0..10 {
            place(&stage, n, |_| ());
        }
        let engine = stage.boot().await.unwrap();
        troubled(&stage, Fault::Busy(0), 300);
        for _ in 0..40 {
            drop(engine.sync(None).await);
            sleep(Duration::from_secs(30)).await;
        }
        open(&stage.world).calm = true;
        passes(&stage, 600).await;
        assert_eq!(differences(&stage), [""; 0]);
    });
}

#[test]
fn s62_an_outage_of_eight_hours_then_the_flood() {
    told(62, |stage| async move {
        let engine = stage.boot().await.unwrap();
        troubled(&stage, Fault::Error, 1000);
        for n in 0..40 {
            place(&stage, n, |_| ());
            drop(engine.sync(None).await);
            sleep(Duration::from_secs(720)).await;
        }
        for n in 40..100 {
            place(&stage, n, |_| ());
        }
        open(&stage.world).calm = true;
        passes(&stage, 1_800).await;
        assert_eq!(differences(&stage), [""; 0]);
        let filter = LaneFilter { kind: Some(Kind::Order), ..LaneFilter::default() };
        let mut took = Vec::new();
        for lane in engine.store.lanes(filter).await.unwrap() {
            let story = engine.explain(lane.entity).await.unwrap();
            took.extend(story.took_s.filter(|_| story.state == "idle"));
        }
        let (shortest, longest) = (took.iter().min().unwrap(), took.iter().max().unwrap());
        assert!(took.len() > 70, "each tells how long it took: {}", took.len());
        assert!(*shortest < 1_800 && *longest > 7 * 3_600 && *longest < 9 * 3_600, "{shortest} s to {longest} s");
    });
}

#[test]
fn a_pass_ends_where_a_system_answers_nothing_from_some_moment_on() {
    for writes_before in [1, 2, 5] {
        told(63, |stage| async move {
            for n in 0..6 {
                place(&stage, n, |_| ());
            }
            let engine = stage.boot().await.unwrap();
            let before = open(&stage.world).writes;
            let pass = tokio::spawn(async move { drop(engine.sync(None).await) });
            while open(&stage.world).writes < before + writes_before {
                assert!(!pass.is_finished(), "it was over before the system went down");
                sleep(Duration::from_millis(1)).await;
            }
            troubled(&stage, Fault::LostRequest, 1000);
            let ended = tokio::time::timeout(Duration::from_secs(1_800), pass).await;
            assert!(ended.is_ok(), "it goes on and on after {writes_before} writes");
            open(&stage.world).calm = true;
            passes(&stage, 900).await;
            assert_eq!(differences(&stage), [""; 0]);
        });
    }
}

#[test]
fn s74_the_same_number_in_two_stores() {
    told(74, |stage| async move {
        open(&stage.world).shop.add_store_view("second", "Second view", "de_DE");
        let number = place(&stage, 1, |_| ());
        place(&stage, 2, |order| {
            order["increment_id"] = number.clone().into();
            order["store_id"] = 2.into();
        });
        passes(&stage, 300).await;
        assert_eq!(differences(&stage), [""; 0]);
        let ledger = open(&stage.world).erp.ledger();
        assert_eq!(ledger["orders"].as_array().unwrap().len(), 2);
    });
}

/// A process whose file calls the shop `web` and the ERP `books`.
async fn renamed(stage: &Stage) -> Engine {
    let before = stage.boot().await.unwrap();
    let (web, books) = (SystemName::new("web"), SystemName::new("books"));
    let named = |system: &System| {
        let name = if system.name == stage.rules.source { web.clone() } else { books.clone() };
        (name.clone(), System { name, ..system.clone() })
    };
    let systems = before.systems.values().map(named).collect();
    let rules = OrderRules { source: web.clone(), target: books.clone(), ..stage.rules.clone() };
    let pair = PairRules { source: web.clone(), target: books, policies: Vec::new(), creates: false };
    let customers = vec![FieldRules { source: web, pairs: vec![pair] }];
    let flows = Flows { orders: vec![rules], customers, ..before.flows.clone() };
    Engine::new(before.store.clone(), systems, flows, before.settings.clone(), stage.clock.clone())
}

#[test]
fn s76_a_system_renamed_in_the_file_is_the_same_one() {
    told(76, |mut stage| async move {
        stage.stock = None;
        let number = place(&stage, 0, |_| ());
        (1..4).for_each(|n| drop(place(&stage, n, |_| ())));
        passes(&stage, 600).await;
        // One is under way while the names change: sent, and its answer lost.
        place(&stage, 4, |_| ());
        troubled(&stage, Fault::LostReply, 1000);
        drop(stage.boot().await.unwrap().sync(None).await);
        open(&stage.world).calm = true;
        let engine = renamed(&stage).await;
        engine.recover().await.unwrap();
        for _ in 0..30 {
            engine.sync(None).await.unwrap();
            sleep(Duration::from_secs(30)).await;
        }
        assert_eq!(differences(&stage), [""; 0]);
        assert_eq!(broken(&stage), [""; 0]);
        assert_eq!(lane(&engine, &number).await.state, "idle");
        let proof = engine.verify().await.unwrap();
        assert_eq!((proof.drift, proof.flows[&Flow::Orders].equal), (0, 5), "{proof:?}");
    });
}

#[test]
fn s77_the_store_is_lost_while_both_systems_went_on() {
    for seed in [77, 78, 79, 80] {
        told(seed, |mut stage| async move {
            for n in 0..6 {
                place(&stage, n, |_| ());
            }
            passes(&stage, 600).await;
            let documents = |stage: &Stage| open(&stage.world).erp.ledger()["orders"].as_array().unwrap().len();
            let before = documents(&stage);
            stage.lose_the_store().unwrap();
            stage.boot().await.unwrap().adopt_variants().await.unwrap();
            passes(&stage, 900).await;
            assert_eq!(documents(&stage), before, "a second document was made, seed {seed}");
            assert_eq!(differences(&stage), [""; 0]);
            let proof = stage.boot().await.unwrap().verify().await.unwrap();
            assert_eq!(proof.drift, 0, "{proof:?}");
        });
    }
}
