//! Two JSON APIs that only the file describes, with the engine between them, through faults and crashes, by seed.

mod road;

use crate::ring2::SimClock;
use jiff::Timestamp;
use road::{Dice, Guards, Pair, Road, Side, open};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use syncline_connect::{Connector, Ctx, Transport};
use syncline_connectors::http_json::{Auth, Config as Api, HttpJson};
use syncline_core::id::SystemName;
use syncline_core::kind::Flow;
use syncline_engine::config::Config;
use syncline_engine::{Engine, Settings, System};
use syncline_sim::json_api::Product;
use syncline_sim::random::Random;
use syncline_store::{LaneFilter, Sql, Store};

/// The file that shows how it is done; both systems of it are played here.
const EXAMPLE: &str = include_str!("../../connectors/src/http_json/fixtures/example.toml");
/// How its second system may be written to, too: many at once, and in the place of its key where that is remembered.
const TOGETHER: &str = r#"batch = { path = "/v1/articles/batch", most = 4, items = "/articles", results = "/results", record = "/article", status = "/status" }"#;
/// Passes in bad weather.
const PASSES: u64 = 14;
/// Passes in calm weather within which everything has to be at rest.
const CALM_PASSES: u64 = 60;
/// Seconds between two passes.
const PAUSE_S: u64 = 20;
/// Seconds after which a product that was made is known to be ours, whatever became of the answer.
const KNOWN_S: i64 = 700;
/// Products at the beginning: so few that nobody is asked before they are made.
const PRODUCTS: u64 = 24;

/// One seed's parts that outlive the process.
struct Stage {
    pair: Arc<Mutex<Pair>>,
    clock: Arc<SimClock>,
    store: Arc<dyn Store>,
    config: Config,
}

/// The example; of some seeds with a second system that takes many at once, and says so where it keeps SKUs apart.
fn file(seed: u64, guards: Guards) -> String {
    if guards == Guards::Remembers || seed.is_multiple_of(2) {
        return EXAMPLE.to_owned();
    }
    let unique = guards == Guards::Apart;
    let create =
        format!("create = {{ path = \"/v1/articles\", answer = \"record\", unique = {unique}, {TOGETHER} }}\n");
    let update = format!("update = {{ path = \"/v1/articles/{{id}}\", body = \"whole\", {TOGETHER} }}\n");
    let lines = EXAMPLE.split_inclusive('\n');
    let mut store = false;
    let changed = lines.map(|line| {
        if line.starts_with('[') {
            store = line.starts_with("[systems.store");
        }
        match line {
            line if store && line.starts_with("create =") => create.clone(),
            line if store && line.starts_with("update =") => update.clone(),
            line if store && line.starts_with("idempotency_header") => String::new(),
            line => line.to_owned(),
        }
    });
    changed.collect()
}

impl Stage {
    fn set(seed: u64, guards: Guards) -> Self {
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let config = Config::parse(Path::new("/etc/acme/syncline.toml"), &file(seed, guards)).unwrap();
        let pair = Arc::new(Mutex::new(Pair::new(seed, guards)));
        let store = Arc::new(Sql::inline(":memory:").unwrap());
        let stage = Self { pair, clock: Arc::new(SimClock::new(now)), store, config };
        for n in 0..PRODUCTS {
            stage.bring(n);
        }
        stage
    }

    /// A new product in the first system.
    fn bring(&self, n: u64) {
        let changed = self.clock.true_now();
        let mut pair = open(&self.pair);
        let grams = Some(pair.random.between(1, 90_000).into());
        let cents = i64::try_from(pair.random.between(1, 500_000)).ok();
        let names = BTreeMap::from([("en".to_owned(), format!("Product \"{n}\" ü&/€"))]);
        let description = pair.random.chance(1, 2).then(|| format!("what {n} is"));
        pair.pim.stock(Product { sku: format!("S/{n} ü"), names, description, active: true, grams, cents, changed });
    }

    /// What people do between two passes: on the first side anything, on the second one texts that both may change.
    fn people(&self, pass: u64) {
        let now = self.clock.true_now();
        self.bring(PRODUCTS + pass);
        let mut pair = open(&self.pair);
        for _ in 0..4 {
            let numbers: Vec<u64> = pair.pim.products().keys().copied().collect();
            // What somebody changed before we knew that it is ours would be theirs.
            let known = |one: &Product| now.duration_since(one.changed).as_secs() > KNOWN_S;
            let others = pair.store.products().iter().filter(|(_, one)| known(one)).map(|(number, _)| *number);
            let others: Vec<u64> = others.collect();
            let word = pair.random.below(1_000);
            let number = numbers[pair.random.index(numbers.len())];
            match pair.random.below(4) {
                0 => pair.pim.alter(now, number, |one| drop(one.names.insert("en".to_owned(), format!("Name {word}")))),
                1 => pair.pim.alter(now, number, |one| one.grams = (!word.is_multiple_of(5)).then(|| word.into())),
                2 => pair.pim.alter(now, number, |one| one.cents = i64::try_from(word).ok()),
                _ if others.is_empty() => {}
                _ => {
                    let other = others[pair.random.index(others.len())];
                    pair.store.alter(now, other, |one| one.description = Some(format!("told in the store: {word}")));
                }
            }
        }
    }

    fn system(&self, name: &str) -> System {
        let told = &self.config.systems[&SystemName::new(name)];
        let described = told.described.clone().unwrap();
        let auth = match described.token_header {
            Some(header) => Auth::Header(header, "secret".to_owned()),
            None => Auth::Bearer("secret".to_owned()),
        };
        let connector: Arc<dyn Connector> = Arc::new(HttpJson::new(Api {
            url: told.url.clone(),
            auth,
            per_second: described.per_second,
            variants: Some(described.variants),
        }));
        let side = if name == "pim" { Side::Pim } else { Side::Store };
        let road: Arc<dyn Transport> = Arc::new(Road { pair: self.pair.clone(), clock: self.clock.clone(), side });
        let ctx = Ctx::new(road, self.clock.clone(), Arc::new(Dice), 4, Duration::from_secs(20));
        let profile = Arc::new(connector.profile().clone());
        System { name: told.name.clone(), uid: told.uid.clone(), beside: Vec::new(), connector, ctx, profile }
    }

    /// A process: it remembers nothing but what the store keeps.
    async fn boot(&self) -> Engine {
        let systems = ["pim", "store"].map(|name| self.system(name));
        let systems = systems.into_iter().map(|system| (system.name.clone(), system)).collect();
        let settings = Settings { workers: 2, lanes: 5, lease_s: 100, leave_s: 15, patience_s: 40 };
        let engine = Engine::new(self.store.clone(), systems, self.config.in_force(), settings, self.clock.clone());
        engine.recover().await.unwrap();
        engine
    }

    /// What is still to be done or stands in somebody's way.
    async fn open_lanes(&self) -> Vec<String> {
        let states = vec!["ready", "waiting", "held", "failed", "conflict", "awaiting"];
        let lanes = self.store.lanes(LaneFilter { states, ..LaneFilter::default() }).await.unwrap();
        lanes.iter().map(|lane| format!("{} {} {:?} {:?}", lane.kind, lane.label, lane.state, lane.why)).collect()
    }

    /// What differs between both, product by product.
    fn differences(&self) -> Vec<String> {
        let pair = open(&self.pair);
        let by_sku = |products: &BTreeMap<u64, Product>| -> BTreeMap<String, Vec<Product>> {
            let mut all: BTreeMap<String, Vec<Product>> = BTreeMap::new();
            products.values().for_each(|one| all.entry(one.sku.clone()).or_default().push(one.clone()));
            all
        };
        let (here, there) = (by_sku(pair.pim.products()), by_sku(pair.store.products()));
        let mut found: Vec<String> =
            there.keys().filter(|sku| !here.contains_key(*sku)).map(|sku| format!("{sku} is nobody's")).collect();
        for (sku, own) in here {
            match (own.as_slice(), there.get(&sku).map(Vec::as_slice).unwrap_or_default()) {
                ([one], [other]) => {
                    let told =
                        |one: &Product| (one.names.get("en").cloned(), one.description.clone(), one.grams, one.cents);
                    if told(one) != told(other) {
                        found.push(format!("{sku}: {:?} and {:?}", told(one), told(other)));
                    }
                }
                (own, others) => found.push(format!("{sku} is there {} and {} times", own.len(), others.len())),
            }
        }
        found
    }
}

/// Plays one seed: bad weather, people and crashes, then calm, until nothing is left to be done.
///
/// Returns how many were written, which faults were met, and how many requests carried several.
async fn played(seed: u64, guards: Guards) -> (u64, BTreeMap<&'static str, u64>, u64) {
    let stage = Stage::set(seed, guards);
    open(&stage.pair).calm = false;
    let mut engine = stage.boot().await;
    let mut random = Random::of(seed, 3, 0);
    for pass in 0..PASSES {
        stage.people(pass);
        if random.chance(1, 4) {
            // It dies in the middle of what it does; what has left is on its way.
            let until = Duration::from_millis(random.between(200, 30_000));
            drop(tokio::time::timeout(until, engine.sync(None)).await);
            engine = stage.boot().await;
        } else {
            // A system that does not answer ends a pass, not the product.
            drop(engine.sync(None).await);
        }
        tokio::time::sleep(Duration::from_secs(PAUSE_S)).await;
    }
    open(&stage.pair).calm = true;
    for pass in 0..CALM_PASSES {
        if pass == CALM_PASSES / 2 {
            stage.people(PASSES);
        }
        drop(engine.approve(Flow::Products).await);
        drop(engine.sync(None).await);
        tokio::time::sleep(Duration::from_secs(PAUSE_S)).await;
    }
    assert_eq!(stage.open_lanes().await, Vec::<String>::new(), "seed {seed}: all is at rest");
    assert_eq!(stage.differences(), Vec::<String>::new(), "seed {seed}: both agree");
    let written = open(&stage.pair).sent.len();
    engine.sync(None).await.unwrap();
    assert_eq!(open(&stage.pair).sent.len(), written, "seed {seed}: nothing is written at rest");
    let pair = open(&stage.pair);
    assert_eq!(pair.broken, Vec::<String>::new(), "seed {seed}");
    (written as u64, pair.faults.clone(), pair.together)
}

fn within<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(work)
}

#[test]
fn two_described_systems_agree_in_calm_weather() {
    within(async {
        let stage = Stage::set(1, Guards::Nothing);
        let engine = stage.boot().await;
        for system in engine.systems.values() {
            let probe = system.connector.probe(&system.ctx).await.unwrap();
            assert_eq!(probe.profile.name, "http-json");
        }
        engine.sync(None).await.unwrap();
        let due: Vec<String> = stage.differences();
        assert_eq!(due, Vec::<String>::new());
        let proof = engine.verify().await.unwrap();
        assert_eq!(proof.drift, 0, "{proof:?}");
        assert!(open(&stage.pair).store.products().values().all(|one| !one.active), "what is made begins disabled");
    });
}

#[test]
fn two_described_systems_agree_through_faults_crashes_and_people() {
    let mut faults: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut together = 0;
    for seed in 0..15 {
        let guards = [Guards::Nothing, Guards::Apart, Guards::Remembers][usize::try_from(seed % 3).unwrap()];
        let (written, met, many) = within(played(seed, guards));
        together += many;
        assert!(written > PRODUCTS, "seed {seed}: {written}");
        met.into_iter().for_each(|(kind, many)| *faults.entry(kind).or_default() += many);
    }
    assert!(together > 50, "{together} requests carried many");
    let all =
        ["lost request", "lost reply", "late", "busy", "error after", "html", "truncated", "repeated", "second answer"];
    for kind in all {
        assert!(faults.get(kind).is_some_and(|many| *many > 3), "{kind}: {faults:?}");
    }
}

#[test]
fn what_is_made_twice_or_without_a_note_is_noticed() {
    // The world can tell: rest would mean nothing otherwise.
    within(async {
        let stage = Stage::set(5, Guards::Nothing);
        let now = stage.clock.true_now();
        let body = br#"{"code":"TWICE"}"#.to_vec();
        let request = |notes| syncline_connect::Request {
            method: "POST",
            url: "https://store.example/v1/articles".to_owned(),
            headers: vec![("X-Api-Key".to_owned(), "secret".to_owned())],
            body: body.clone(),
            effect: syncline_connect::Effect::Write { notes, deadline: now + jiff::SignedDuration::from_secs(9) },
            timeout: Duration::from_secs(20),
        };
        let road = Road { pair: stage.pair.clone(), clock: stage.clock.clone(), side: Side::Store };
        for _ in 0..2 {
            drop(road.send(request(Vec::new())).await);
        }
        let pair = open(&stage.pair);
        assert!(
            pair.broken.iter().any(|why| why.contains("twice")) && pair.broken.iter().any(|why| why.contains("note"))
        );
    });
}
