//! Records two systems share: one base for each pair, what a person decides, and names that change.

#![expect(clippy::expect_used, reason = "a test stops where its ground is missing")]

use jiff::Timestamp;
use std::collections::BTreeMap;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_store::{
    Accept, Adoption, Agreed, Base, Case, Claim, Claimed, Incoming, LaneState, Release, Resolve, Sql, Store,
    StoreError, Told,
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn uid(text: &str) -> SystemUid {
    SystemUid::new(text)
}

fn name(text: &str) -> Leaves {
    std::iter::once((Path::field("texts.de.name"), Some(Value::Text(text.to_string())))).collect()
}

fn telling(sku: &str, text: &str) -> Incoming {
    Incoming {
        kind: Kind::Variant,
        id: RemoteId::new("", sku),
        aliases: vec![RemoteId::new("", "id:7")],
        leaves: name(text),
        version: None,
        label: sku.to_string(),
        told: Told::News,
        takes: None,
        refused: None,
    }
}

async fn tell(store: &Sql, system: &str, record: Incoming) -> usize {
    let accept = Accept { system: uid(system), records: vec![record], cursor: None, asked_at: None, now: NOW };
    let counts = store.accept(accept).await.expect("taken in");
    counts.new + counts.changed
}

/// A store in which one variant is tied between `erp` and two shops, each showing its own name.
async fn tied() -> (Sql, EntityId) {
    let store = Sql::inline(":memory:").expect("a store");
    assert_eq!(tell(&store, "erp", telling("MUG", "Tasse")).await, 0, "what nobody tied is not taken in");
    let ids =
        ["erp", "shop", "other"].map(|system| (uid(system), RemoteId::new("", "MUG"), vec![RemoteId::new("", "id:7")]));
    let pair = Adoption { kind: Kind::Variant, label: "MUG".to_string(), ids: ids.to_vec() };
    assert_eq!(store.adopt(vec![pair], NOW).await, Ok(1));
    for (system, text) in [("erp", "Tasse"), ("shop", "Pott"), ("other", "Tasse")] {
        assert_eq!(tell(&store, system, telling("MUG", text)).await, 1);
    }
    let entity = store.entities(uid("erp"), Kind::Variant, vec![RemoteId::new("", "MUG")]).await.expect("asked");
    (store, entity[0].expect("tied"))
}

async fn claimed(store: &Sql) -> Claimed {
    let claim = Claim { now: NOW, lease_s: 60, limit: 1, only: Vec::new(), except: Vec::new() };
    store.claim(claim).await.expect("claimed").pop().expect("a lane")
}

fn revisions(case: &Case) -> BTreeMap<SystemUid, u64> {
    case.sides.iter().map(|(uid, side)| (uid.clone(), side.revision)).collect()
}

fn release(claimed: &Claimed, state: LaneState, agreed: Agreed) -> Release {
    Release {
        lane: claimed.entity,
        epoch: claimed.epoch,
        state,
        again_at: None,
        progressed: false,
        entry: None,
        evidence: None,
        commitments: None,
        agreed: Some(agreed),
        served: None,
        now: NOW,
    }
}

#[tokio::test]
async fn each_pair_has_its_own_bases_and_none_is_noted_on_what_moved_on() {
    let (store, entity) = tied().await;
    let case = store.load(entity).await.expect("loaded");
    let lane = claimed(&store).await;
    let base =
        |system: &str, peer: &str| Base { system: uid(system), peer: uid(peer), leaves: name("Tasse"), over: false };
    let bases = vec![base("erp", "other"), base("other", "erp")];
    let agreed = Agreed { revisions: revisions(&case), bases, ..Agreed::default() };
    tell(&store, "erp", telling("MUG", "Becher")).await;
    store.release(release(&lane, LaneState::Idle, agreed.clone())).await.expect("released");
    assert!(store.load(entity).await.expect("loaded").sides[&uid("erp")].bases.is_empty());

    let case = store.load(entity).await.expect("loaded");
    let lane = claimed(&store).await;
    let agreed = Agreed { revisions: revisions(&case), ..agreed };
    store.release(release(&lane, LaneState::Idle, agreed)).await.expect("released");
    let side = &store.load(entity).await.expect("loaded").sides[&uid("erp")];
    assert_eq!((side.base(&uid("other")), side.base(&uid("shop"))), (name("Tasse"), Leaves::new()));
}

#[tokio::test]
async fn a_decision_on_what_has_moved_on_is_refused_and_one_that_holds_wakes_the_lane() {
    let (store, entity) = tied().await;
    let case = store.load(entity).await.expect("loaded");
    let lane = claimed(&store).await;
    let hold = syncline_core::policy::Hold::new("SYN-0140", "both changed", "resolve");
    let held = release(&lane, LaneState::Conflict(hold), Agreed::default());
    store.release(held).await.expect("released");
    assert!(
        store
            .claim(Claim { now: NOW, lease_s: 60, limit: 1, only: Vec::new(), except: Vec::new() })
            .await
            .expect("asked")
            .is_empty()
    );

    let told = "the ERP counts".to_string();
    let bases = [("erp", "shop"), ("shop", "erp")].map(|(system, peer)| Base {
        system: uid(system),
        peer: uid(peer),
        leaves: name("Pott"),
        over: true,
    });
    let resolve =
        Resolve { entity, revisions: revisions(&case), bases: bases.to_vec(), chosen: Vec::new(), told: told.clone() };
    store.resolve(resolve.clone(), NOW).await.expect("resolved");
    assert_eq!(store.resolve(resolve, NOW).await, Err(StoreError::Stale));
    let case = store.load(entity).await.expect("loaded");
    assert_eq!(case.sides[&uid("erp")].base(&uid("shop")), name("Pott"));
    assert_eq!(case.sides[&uid("shop")].base(&uid("erp")), name("Pott"));
    let lane = claimed(&store).await;

    let path = Path::field("texts.de.name");
    let chosen = vec![(uid("shop"), path.clone(), Some(Value::Text("Humpen".to_string())))];
    let resolve = Resolve { entity, revisions: revisions(&case), bases: Vec::new(), chosen, told };
    store.resolve(resolve, NOW).await.expect("resolved");
    let case = store.load(entity).await.expect("loaded");
    assert_eq!(case.chosen[&uid("shop")], name("Humpen"));
    let over_with = vec![(uid("shop"), path)];
    let agreed = Agreed { revisions: revisions(&case), over_with, ..Agreed::default() };
    store.release(release(&lane, LaneState::Idle, agreed)).await.expect("released");
    assert!(store.load(entity).await.expect("loaded").chosen.is_empty());
}

#[tokio::test]
async fn a_variant_that_is_renamed_in_its_system_stays_the_same_one() {
    let (store, entity) = tied().await;
    assert_eq!(tell(&store, "shop", telling("MUG-2", "Pott")).await, 0);
    assert_eq!(store.load(entity).await.expect("loaded").bound[&uid("shop")].id.id, "MUG-2");
    assert_eq!(store.load(entity).await.expect("loaded").bound[&uid("erp")].id.id, "MUG");
}

#[tokio::test]
async fn what_refers_to_a_category_is_woken_once_that_is_tied() {
    use syncline_core::leaf::{Ref, Target};
    let store = Sql::inline(":memory:").expect("a store");
    let telling = |kind: Kind, id: &str, refers: Option<&str>| {
        let reference = refers.map(|to| Value::Ref(Ref::remote(Kind::Category, RemoteId::new("", to))));
        let leaves = std::iter::once((Path::field("parent"), reference)).collect();
        let id = RemoteId::new("", id);
        let (aliases, label) = (Vec::new(), id.id.clone());
        Incoming { kind, id, aliases, leaves, version: None, label, told: Told::Origin, takes: None, refused: None }
    };
    for (id, parent) in [("7", None), ("8", Some("7")), ("9", Some("70"))] {
        assert_eq!(tell(&store, "erp", telling(Kind::Category, id, parent)).await, 1);
    }
    for _ in 0..3 {
        let lane = claimed(&store).await;
        store.release(release(&lane, LaneState::Idle, Agreed::default())).await.expect("released");
    }
    let ids = [("erp", "7"), ("shop", "4")].map(|(system, id)| (uid(system), RemoteId::new("", id), Vec::new()));
    let pair = Adoption { kind: Kind::Category, label: "Lamps".to_string(), ids: ids.to_vec() };
    assert_eq!(store.adopt(vec![pair], NOW).await, Ok(1));
    assert_eq!(store.wake_referring(Kind::Category, NOW).await, Ok(2));
    let below = store.entities(uid("erp"), Kind::Category, vec![RemoteId::new("", "8")]).await.expect("asked");
    let case = store.load(below[0].expect("known")).await.expect("loaded");
    let reference = Ref::remote(Kind::Category, RemoteId::new("", "7"));
    let known = case.referred(&uid("erp"), &reference).expect("the parent is known");
    assert_eq!(known.ids[&uid("shop")], RemoteId::new("", "4"));
    let ours = Ref { to: Target::Entity(known.entity), ..reference };
    assert_eq!(case.referred(&uid("shop"), &ours), Some(known));
}

#[tokio::test]
async fn what_refers_to_what_is_kept_as_it_is_told_and_found_in_a_store_of_before() {
    use syncline_core::leaf::{Ref, Target};
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("refers.db");
    for file in ["refers.db", "refers.db-wal", "refers.db-shm"] {
        let _ = std::fs::remove_file(path.with_file_name(file));
    }
    let rows = || -> Vec<String> {
        let file = rusqlite::Connection::open(&path).expect("a file");
        let sql =
            "SELECT system || ' ' || kind || ' ' || scope || ' ' || remote || ' ' || entity FROM refers ORDER BY 1";
        let mut statement = file.prepare(sql).expect("a table");
        statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect()
    };
    let store = Sql::inline(&path.to_string_lossy()).expect("a store");
    let of = |scope: &str, ids: &[&str]| -> Incoming {
        let leaf = |id: &&str| {
            let path = Path::try_from(format!("categories[{id}]")).expect("a path");
            (
                path,
                Some(Value::Ref(Ref {
                    alias: Some("x".into()),
                    ..Ref::remote(Kind::Category, RemoteId::new(scope, *id))
                })),
            )
        };
        let orders = Some(Value::Ref(Ref::remote(Kind::Order, RemoteId::new("", "1"))));
        let ours = Some(Value::Ref(Ref {
            to: Target::Entity(EntityId(9)),
            ..Ref::remote(Kind::Category, RemoteId::new("", ""))
        }));
        let others = [(Path::field("weight"), orders), (Path::field("form"), ours)];
        Incoming { leaves: ids.iter().map(leaf).chain(others).collect(), told: Told::Origin, ..telling("MUG", "") }
    };
    assert_eq!(tell(&store, "erp", of("", &["7", "8\"{"])).await, 1);
    let lane = claimed(&store).await;
    let entity = lane.entity.0;
    assert_eq!(rows(), [format!("erp category  7 {entity}"), format!("erp category  8\"{{ {entity}")]);
    tell(&store, "erp", of("de", &["8\"{", "9"])).await;
    let told = rows();
    assert_eq!(told, [format!("erp category de 8\"{{ {entity}"), format!("erp category de 9 {entity}")]);
    drop(store);
    let old = rusqlite::Connection::open(&path).expect("a file");
    old.execute_batch("DROP TABLE refers; PRAGMA user_version = 13;").expect("a format of before");
    drop(old);
    drop(Sql::inline(&path.to_string_lossy()).expect("migrated"));
    assert_eq!(rows(), told);
}

#[tokio::test]
async fn two_lanes_that_wait_for_each_other_rest_until_one_of_them_has_news() {
    let store = Sql::inline(":memory:").expect("a store");
    let mut entities = Vec::new();
    for sku in ["MUG", "PEN"] {
        let ids = ["erp", "shop"].map(|system| (uid(system), RemoteId::new("", sku), Vec::new()));
        store
            .adopt(vec![Adoption { kind: Kind::Variant, label: sku.to_string(), ids: ids.to_vec() }], NOW)
            .await
            .expect("tied");
        tell(&store, "erp", Incoming { aliases: Vec::new(), ..telling(sku, "first") }).await;
        let found = store.entities(uid("erp"), Kind::Variant, vec![RemoteId::new("", sku)]).await.expect("asked");
        entities.push(found[0].expect("tied"));
    }
    let mut taken = 0;
    loop {
        let claim = Claim { now: NOW, lease_s: 60, limit: 1, only: Vec::new(), except: Vec::new() };
        let Some(lane) = store.claim(claim).await.expect("claimed").pop() else { break };
        taken += 1;
        assert!(taken < 9, "each wakes the other for ever");
        let other = entities.iter().copied().filter(|one| *one != lane.entity).collect();
        let waits = LaneState::Waiting(other, "the other one comes first".to_string());
        store.release(release(&lane, waits, Agreed::default())).await.expect("released");
    }
    assert_eq!(taken, 2);
    tell(&store, "erp", Incoming { aliases: Vec::new(), ..telling("PEN", "second") }).await;
    let lane = claimed(&store).await;
    store.release(release(&lane, LaneState::Idle, Agreed::default())).await.expect("released");
    assert_eq!(claimed(&store).await.entity, entities[0], "what waited for it goes on");
}
