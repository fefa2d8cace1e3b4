//! Runs: numbered passes that wrote something, what each wrote, what people take back of it, and what an older look tells of it.

#![expect(clippy::expect_used, reason = "a test stops where its ground is missing")]

use jiff::Timestamp;
use std::collections::BTreeMap;
use syncline_core::delivery::Change;
use syncline_core::id::{DeliveryId, EntityId, Mark, RemoteId, RunId, SystemName, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::{Flow, Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::Undone;
use syncline_core::profile::Guard;
use syncline_store::{
    Accept, Adoption, Agreed, Base, Basis, Case, Claim, Claimed, CommitPlan, Ending, Incoming, LaneState, Release,
    Resolve, Retry, Sending, Settle, Site, Sql, Still, Store, StoreError, TakeBack, Told,
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn uid(text: &str) -> SystemUid {
    SystemUid::new(text)
}

fn path() -> Path {
    Path::field("texts.de.name")
}

fn name(text: &str) -> Leaves {
    std::iter::once((path(), Some(Value::Text(text.to_string())))).collect()
}

/// A store in which one variant is tied and both sides show `Tasse`.
async fn tied() -> (Sql, EntityId) {
    let store = Sql::inline(":memory:").expect("a store");
    let entity = tie(&store, "MUG").await;
    (store, entity)
}

/// Ties the variant of that SKU, of which both sides show `Tasse`.
async fn tie(store: &Sql, sku: &str) -> EntityId {
    let ids = ["erp", "shop"].map(|system| (uid(system), RemoteId::new("", sku), Vec::new()));
    let pair = Adoption { kind: Kind::Variant, label: sku.to_string(), ids: ids.to_vec() };
    store.adopt(vec![pair], NOW).await.expect("tied");
    for system in ["erp", "shop"] {
        tell(store, system, (sku, "Tasse"), None).await;
    }
    let entity = store.entities(uid("erp"), Kind::Variant, vec![RemoteId::new("", sku)]).await.expect("asked");
    entity[0].expect("tied")
}

/// Takes in that `system` shows this text of a SKU; it was asked when the journal stood there.
async fn tell(store: &Sql, system: &str, (sku, text): (&str, &str), asked_at: Option<u64>) {
    let record = Incoming {
        kind: Kind::Variant,
        id: RemoteId::new("", sku),
        aliases: Vec::new(),
        leaves: name(text),
        version: None,
        label: sku.to_string(),
        told: Told::News,
        takes: None,
        refused: None,
    };
    let accept = Accept { system: uid(system), records: vec![record], cursor: None, asked_at, now: NOW };
    store.accept(accept).await.expect("taken in");
}

async fn claimed(store: &Sql) -> Claimed {
    let claim = Claim { now: NOW, lease_s: 60, limit: 1, only: Vec::new(), except: Vec::new() };
    store.claim(claim).await.expect("claimed").pop().expect("a lane")
}

async fn case(store: &Sql, entity: EntityId) -> Case {
    store.load(entity).await.expect("loaded")
}

/// Plans a write of `text` to the shop at `now`.
async fn planned(store: &Sql, lane: &Claimed, text: &str, now: Timestamp) -> Result<DeliveryId, StoreError> {
    let change = Change {
        kind: Kind::Variant,
        step: Step::Update,
        mark: Mark::new("SL1"),
        document: Some(RemoteId::new("", "MUG")),
        expect: None,
        leaves: name(text),
        elements: std::collections::BTreeMap::new(),
        adopt_only: false,
    };
    let plan = CommitPlan {
        lane: lane.entity,
        epoch: lane.epoch,
        revisions: BTreeMap::new(),
        target: SystemName::new("shop"),
        guard: Guard::None,
        change,
        reason: "erp owns it".to_string(),
        basis: Some(Basis { peer: uid("erp"), leaves: name(text) }),
        now,
    };
    store.commit_plan(plan).await
}

/// Notes a write of `text` to the shop as part of `run`.
async fn written(store: &Sql, lane: &Claimed, run: RunId, text: &str) -> DeliveryId {
    let delivery = planned(store, lane, text, NOW).await.expect("planned");
    let (lane, epoch) = (lane.entity, lane.epoch);
    let pre_image = Some(name("Tasse"));
    let still = Still::default();
    let note = Sending { delivery, lane, epoch, deadline: NOW, pre_image, run, still, now: NOW };
    store.note_sending(vec![note]).await.expect("noted").pop().expect("one").expect("a proof");
    delivery
}

async fn ended(store: &Sql, lane: &Claimed, delivery: DeliveryId, ending: Ending) {
    let settle = Settle {
        delivery,
        lane: lane.entity,
        epoch: lane.epoch,
        system: uid("shop"),
        ending,
        commitments: None,
        strays_at: None,
        agreed: Vec::new(),
        entry: Entry::new("done", "shop", ""),
        evidence: None,
        now: NOW,
    };
    store.settle(settle).await.expect("settled");
}

#[tokio::test]
async fn a_run_is_told_with_what_it_wrote_and_one_that_was_refused_wrote_nothing() {
    let (store, entity) = tied().await;
    let lane = claimed(&store).await;
    let empty = store.begin_run("sync".to_string(), NOW).await.expect("begun");
    let refused = store.begin_run("sync".to_string(), NOW).await.expect("begun");
    let delivery = written(&store, &lane, refused, "Pott").await;
    ended(&store, &lane, delivery, Ending::Refused).await;
    let run = store.begin_run("apply p1".to_string(), NOW).await.expect("begun");
    let delivery = written(&store, &lane, run, "Becher").await;
    ended(&store, &lane, delivery, Ending::Superseded).await;

    let runs = store.runs(None, 5).await.expect("told");
    let [row] = runs.newest.as_slice() else { unreachable!("one run wrote something: {runs:?}") };
    assert_eq!((row.run, row.command.as_str(), runs.of), (run, "apply p1", 1));
    assert_eq!(row.writes, BTreeMap::from([(Flow::Products, 1)]));
    assert!(store.runs(Some(empty), 1).await.expect("told").newest.is_empty());
    assert!(store.run_writes(refused).await.expect("told").is_empty());
    let writes = store.run_writes(run).await.expect("told");
    let [write] = writes.as_slice() else { unreachable!("it wrote once: {writes:?}") };
    assert_eq!((write.delivery.lane, write.label.as_str(), write.before.clone()), (entity, "MUG", Some(name("Tasse"))));
    assert_eq!(write.basis.as_ref().map(|basis| basis.leaves.clone()), Some(name("Becher")));
}

#[tokio::test]
async fn the_same_write_again_and_again_is_refused_for_ten_minutes() {
    let (store, _) = tied().await;
    let lane = claimed(&store).await;
    let run = store.begin_run("sync".to_string(), NOW).await.expect("begun");
    for _ in 0..20 {
        let delivery = written(&store, &lane, run, "Pott").await;
        ended(&store, &lane, delivery, Ending::Superseded).await;
    }
    assert_eq!(planned(&store, &lane, "Pott", NOW).await, Err(StoreError::Circles(20)));
    let other = planned(&store, &lane, "Becher", NOW).await.expect("another write is none of them");
    ended(&store, &lane, other, Ending::Superseded).await;
    let first = planned(&store, &lane, "Pott", NOW).await.expect("the row was broken");
    ended(&store, &lane, first, Ending::Superseded).await;
    for _ in 0..19 {
        let delivery = written(&store, &lane, run, "Pott").await;
        ended(&store, &lane, delivery, Ending::Superseded).await;
    }
    assert_eq!(planned(&store, &lane, "Pott", NOW).await, Err(StoreError::Circles(20)));
    let later = NOW + jiff::SignedDuration::from_secs(601);
    planned(&store, &lane, "Pott", later).await.expect("it may be tried again");
}

#[tokio::test]
async fn what_something_beside_it_overtook_is_not_noted() {
    let (store, entity) = tied().await;
    tie(&store, "CUP").await;
    let lanes = [claimed(&store).await, claimed(&store).await];
    let [cup, mug] = if lanes[0].entity == entity { [&lanes[1], &lanes[0]] } else { [&lanes[0], &lanes[1]] };
    let run = store.begin_run("sync".to_string(), NOW).await.expect("begun");
    let delivery = planned(&store, mug, "Pott", NOW).await.expect("planned");
    planned(&store, cup, "Pott", NOW).await.map(drop).expect("what is only planned beside it counts for nothing");
    let since = case(&store, entity).await.journal;
    let note = async |lanes: Vec<EntityId>, since| {
        let still = Still { since, lanes };
        let (lane, epoch) = (mug.entity, mug.epoch);
        let note = Sending { delivery, lane, epoch, deadline: NOW, pre_image: None, run, still, now: NOW };
        store.note_sending(vec![note]).await.expect("noted").pop().expect("one").map(drop)
    };
    let open = case(&store, cup.entity).await.delivery.expect("under way").id;
    let beside = Sending {
        delivery: open,
        lane: cup.entity,
        epoch: cup.epoch,
        deadline: NOW,
        pre_image: None,
        run,
        still: Still { since, lanes: vec![mug.entity] },
        now: NOW,
    };
    store.note_sending(vec![beside]).await.expect("noted").pop().expect("one").expect("nothing was sent before");
    assert_eq!(note(vec![cup.entity], since).await, Err(StoreError::Overtaken));
    let now = case(&store, entity).await.journal;
    note(vec![cup.entity], now).await.expect("decided anew");
}

fn order(case: &Case) -> TakeBack {
    let text = |text: &str| Some(Value::Text(text.to_string()));
    let undone = Undone { wrote: text("Becher"), back: text("Tasse"), refused: text("Becher") };
    let fields = vec![(uid("shop"), uid("erp"), path(), undone)];
    TakeBack { entity: case.entity, revisions: case.revisions(), fields, told: "run 1".to_string() }
}

#[tokio::test]
async fn what_is_taken_back_wakes_its_lane_and_stays_until_it_is_lifted_or_decided() {
    let (store, entity) = tied().await;
    let lane = claimed(&store).await;
    let before = case(&store, entity).await;
    let release = Release {
        lane: entity,
        epoch: lane.epoch,
        state: LaneState::Idle,
        again_at: None,
        progressed: false,
        entry: None,
        evidence: None,
        commitments: None,
        agreed: None,
        served: None,
        now: NOW,
    };
    store.release(release.clone()).await.expect("released");
    store.take_back(order(&before), NOW).await.expect("taken down");
    assert_eq!(store.take_back(order(&before), NOW).await, Err(StoreError::Stale), "what was looked at has moved on");
    let now = case(&store, entity).await;
    assert_eq!(now.undone(&uid("shop"), &uid("erp"))[&path()], order(&now).fields[0].3);
    assert!(now.undone(&uid("erp"), &uid("shop")).is_empty());

    let lane = claimed(&store).await;
    let lifted = vec![(uid("shop"), uid("erp"), path())];
    let agreed = Some(Agreed { revisions: now.revisions(), lifted, ..Agreed::default() });
    store.release(Release { epoch: lane.epoch, agreed, ..release }).await.expect("released");
    assert!(case(&store, entity).await.undone.is_empty(), "its source shows something new");

    let now = case(&store, entity).await;
    store.take_back(order(&now), NOW).await.expect("taken down");
    let revisions = case(&store, entity).await.revisions();
    let base = Base { system: uid("shop"), peer: uid("erp"), leaves: name("Tasse"), over: true };
    let resolve = Resolve { entity, revisions, bases: vec![base], chosen: Vec::new(), told: String::new() };
    store.resolve(resolve, NOW).await.expect("resolved");
    assert!(case(&store, entity).await.undone.is_empty(), "a person decided otherwise");

    let now = case(&store, entity).await;
    store.take_back(order(&now), NOW).await.expect("taken down");
    store.retry(Retry::One { entity, rebase: true }, NOW).await.expect("retried");
    assert!(case(&store, entity).await.undone.is_empty(), "both sides were taken as they are");
}

#[tokio::test]
async fn what_is_under_way_goes_by_the_new_name_of_its_system() {
    let (store, entity) = tied().await;
    let names = |all: &[(&str, &str)]| all.iter().map(|(of, name)| (uid(of), SystemName::new(*name))).collect();
    store.name_systems(names(&[("erp", "erp"), ("shop", "shop")])).await.expect("named");
    let lane = claimed(&store).await;
    let run = store.begin_run("sync".to_string(), NOW).await.expect("a run");
    written(&store, &lane, run, "Becher").await;
    let target = async || case(&store, entity).await.delivery.expect("under way").target.to_string();
    assert_eq!(target().await, "shop");
    // Both exchange their names.
    store.name_systems(names(&[("erp", "shop"), ("shop", "erp")])).await.expect("named");
    assert_eq!(target().await, "erp");
    // The shop leaves the file, and another system gets its name.
    store.name_systems(names(&[("erp", "books"), ("other", "erp")])).await.expect("named");
    assert_eq!(target().await, "erp#shop");
    store.name_systems(names(&[("erp", "books"), ("shop", "web")])).await.expect("named");
    assert_eq!(target().await, "web");
}

#[tokio::test]
async fn where_a_system_answers_is_kept_beside_its_name() {
    let (store, _) = tied().await;
    let site = |of: &str, name: &str, url: &str| Site {
        uid: uid(of),
        name: SystemName::new(name),
        url: Some(url.to_string()),
        scope: String::new(),
    };
    let names = |all: &[(&str, &str)]| all.iter().map(|(of, name)| (uid(of), SystemName::new(*name))).collect();
    store.name_systems(names(&[("erp", "erp"), ("shop", "shop")])).await.expect("named");
    assert!(store.sites().await.expect("told").iter().all(|one| one.url.is_none()), "nothing was kept so far");
    store.keep_sites(vec![site("shop", "web", "magento a/"), site("new", "new", "magento b/")]).await.expect("kept");
    let known = store.sites().await.expect("told");
    // Its new name is taken down where it is changed everywhere.
    assert_eq!(known[1..], [site("new", "new", "magento b/"), site("shop", "shop", "magento a/")][..]);
    store.name_systems(names(&[("erp", "erp"), ("shop", "web"), ("new", "new")])).await.expect("named");
    assert_eq!(store.sites().await.expect("told")[2], site("shop", "web", "magento a/"));
}

#[tokio::test]
async fn an_older_look_tells_nothing_of_what_was_written_or_found_gone_since() {
    let (store, entity) = tied().await;
    let shown = async || case(&store, entity).await.sides[&uid("shop")].seen.clone();
    let place = async || Some(store.place_in_journal().await.expect("a place"));
    let lane = claimed(&store).await;
    let run = store.begin_run("sync".to_string(), NOW).await.expect("begun");
    let delivery = written(&store, &lane, run, "Becher").await;
    let before = place().await;
    let ending =
        Ending::Done { id: RemoteId::new("", "MUG"), leaves: name("Becher"), version: None, elements: Vec::new() };
    ended(&store, &lane, delivery, ending).await;
    tell(&store, "shop", ("MUG", "Tasse"), before).await;
    assert_eq!(shown().await, name("Becher"), "what was written is known better");
    tell(&store, "shop", ("MUG", "Pott"), place().await).await;
    assert_eq!(shown().await, name("Pott"), "a look that began afterwards counts");

    let before = place().await;
    assert_eq!(store.bury(uid("shop"), Kind::Variant, vec![RemoteId::new("", "MUG")], NOW).await, Ok(1));
    assert_eq!(store.accept_gone(entity, NOW).await, Ok(true));
    tell(&store, "shop", ("MUG", "Pott"), before).await;
    let gone = case(&store, entity).await.gone;
    assert!(gone.get(&uid("shop")).is_some_and(|gone| gone.accepted), "what a person said of it stands: {gone:?}");
    tell(&store, "shop", ("MUG", "Pott"), place().await).await;
    assert!(case(&store, entity).await.gone.is_empty(), "it was made again");
}
