//! Stock hangs on its variant, and what orders take from it counts until the ERP's figures show it.
#![expect(clippy::expect_used, reason = "the helpers of these tests are tests too")]

use jiff::Timestamp;
use rust_decimal::Decimal;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_store::{
    Accept, Accepted, Adoption, Claim, Commitment, CommitmentState, Incoming, LaneState, Release, Sql, Store, Taken,
    Told,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).expect("a moment")
}

fn shop() -> SystemUid {
    SystemUid::new("7f3k")
}

fn erp() -> SystemUid {
    SystemUid::new("q2xd")
}

fn incoming(kind: Kind, id: &str, told: Told, takes: &[(&str, i64)]) -> Incoming {
    let mut leaves = Leaves::new();
    leaves.put(Path::field("salable"), Value::Number(Decimal::from(id.len())));
    let taken = |(variant, quantity): &(&str, i64)| Taken {
        variant: RemoteId::new("", *variant),
        alias: Some(format!("id:{variant}")),
        quantity: (*quantity).into(),
    };
    Incoming {
        kind,
        id: RemoteId::new("", id),
        aliases: Vec::new(),
        leaves,
        version: None,
        label: id.to_string(),
        told,
        takes: Some(takes.iter().map(taken).collect()),
        refused: None,
    }
}

async fn accept(store: &Sql, system: SystemUid, record: Incoming, now: Timestamp) -> Accepted {
    let accept = Accept { system, records: vec![record], cursor: None, asked_at: None, now };
    store.accept(accept).await.expect("taken in")
}

/// A store in which the shop's MUG is the ERP's 12, with a lane for its stock.
async fn tied() -> (Sql, EntityId) {
    let store = Sql::inline(":memory:").expect("a store");
    let alias = vec![RemoteId::new("", "id:OLD-MUG")];
    let ids = vec![(shop(), RemoteId::new("", "MUG"), alias), (erp(), RemoteId::new("", "12"), Vec::new())];
    store.adopt(vec![Adoption { kind: Kind::Variant, label: "MUG".into(), ids }], at(0)).await.expect("tied");
    assert_eq!(store.attend(Kind::Stock, at(0)).await, Ok(1));
    assert_eq!(store.attend(Kind::Stock, at(0)).await, Ok(0), "once is enough");
    let found = store.entities(erp(), Kind::Stock, vec![RemoteId::new("", "12")]).await.expect("asked");
    let stock = found.first().copied().flatten().expect("a stock");
    rest(&store, stock).await;
    (store, stock)
}

/// Gives back every lane that is ready. Whether `lane` was one of them.
async fn rest(store: &Sql, lane: EntityId) -> bool {
    woken(store).await.contains(&lane)
}

/// Gives back every lane that is ready, and returns them.
async fn woken(store: &Sql) -> Vec<EntityId> {
    let claim = Claim { now: at(9_000), lease_s: 60, limit: 9, only: Vec::new(), except: Vec::new() };
    let claimed = store.claim(claim).await.expect("claimed");
    for one in &claimed {
        release(store, one.entity, one.epoch, None, None, at(9_000)).await;
    }
    claimed.iter().map(|one| one.entity).collect()
}

async fn release(
    store: &Sql,
    lane: EntityId,
    epoch: syncline_core::id::Epoch,
    commitments: Option<CommitmentState>,
    served: Option<u64>,
    now: Timestamp,
) {
    let (state, progressed, entry, evidence) = (LaneState::Idle, false, None, None);
    let release = Release {
        lane,
        epoch,
        state,
        again_at: None,
        progressed,
        entry,
        evidence,
        commitments,
        served,
        agreed: None,
        now,
    };
    store.release(release).await.expect("given back");
}

async fn commitments(store: &Sql, stock: EntityId) -> Vec<Commitment> {
    store.load(stock).await.expect("loaded").commitments
}

#[tokio::test]
async fn stock_goes_by_its_variants_names() {
    let (store, stock) = tied().await;
    let case = store.load(stock).await.expect("loaded");
    assert_eq!((case.kind, case.label.as_str()), (Kind::Stock, "MUG"));
    assert_eq!(case.bound.get(&shop()).map(|bound| bound.id.id.as_str()), Some("MUG"));
    assert_eq!(store.bindings(erp(), Kind::Stock).await, Ok(vec![(stock, RemoteId::new("", "12"))]));
    accept(&store, erp(), incoming(Kind::Stock, "12", Told::News, &[]), at(1)).await;
    assert!(rest(&store, stock).await, "news of the ERP wakes it");
    accept(&store, shop(), incoming(Kind::Stock, "MUG", Told::Asked, &[]), at(2)).await;
    assert!(!rest(&store, stock).await, "what was asked for wakes nobody");
    let asked = Accept {
        system: erp(),
        records: vec![incoming(Kind::Stock, "12", Told::Asked, &[])],
        cursor: None,
        asked_at: Some(7),
        now: at(2),
    };
    store.accept(asked).await.expect("taken in");
    let sides = store.load(stock).await.expect("loaded").sides;
    assert_eq!((sides.len(), sides[&erp()].asked_at), (2, 7), "noted even where nothing changed");
    let mut news = incoming(Kind::Stock, "12", Told::News, &[]);
    news.leaves.put(Path::field("reserved"), Value::Number(1.into()));
    accept(&store, erp(), news, at(2)).await;
    let sides = store.load(stock).await.expect("loaded").sides;
    assert_eq!(sides[&erp()].asked_at, 0, "nobody knows when a page was asked for");
    let unknown = accept(&store, erp(), incoming(Kind::Stock, "99", Told::News, &[]), at(3)).await;
    assert_eq!(unknown, Accepted { same: 1, ..Accepted::default() }, "stock of a variant nobody tied is left out");
}

#[tokio::test]
async fn what_an_order_takes_counts_until_the_figures_show_it() {
    let (store, stock) = tied().await;
    accept(&store, shop(), incoming(Kind::Order, "1001", Told::News, &[("MUG", 2), ("LAMP", 1)]), at(10)).await;
    let order = store.entities(shop(), Kind::Order, vec![RemoteId::new("", "1001")]).await.expect("asked");
    let order = order.first().copied().flatten().expect("an order");
    assert_eq!(commitments(&store, stock).await, [Commitment { quantity: 2.into(), reserved: None }]);
    let claim = |only: Vec<EntityId>, now| Claim { now, lease_s: 60, limit: 9, only, except: Vec::new() };
    let woken = store.claim(claim(vec![stock], at(11))).await.expect("claimed");
    assert_eq!(woken.len(), 1, "an order wakes the stock it takes from");
    release(&store, stock, woken[0].epoch, None, Some(0), at(11)).await;

    let before = store.place_in_journal().await.expect("a place");
    let lane = store.claim(claim(vec![order], at(20))).await.expect("claimed").remove(0);
    release(&store, order, lane.epoch, Some(CommitmentState::Reserved), None, at(20)).await;
    let reserved = commitments(&store, stock).await.remove(0).reserved.expect("a place");
    assert!(reserved > before, "figures asked for before do not show it");
    let woken = store.claim(claim(vec![stock], at(21))).await.expect("claimed").remove(0);
    release(&store, stock, woken.epoch, None, Some(before), at(21)).await;
    assert_eq!(commitments(&store, stock).await.len(), 1, "reserved later than the figures");

    // The same order once more, with another status: reserved since then, still.
    let mut again = incoming(Kind::Order, "1001", Told::News, &[("MUG", 2), ("LAMP", 1)]);
    again.leaves.put(Path::field("stage"), Value::Text("shipped".into()));
    accept(&store, shop(), again, at(25)).await;
    assert_eq!(commitments(&store, stock).await, [Commitment { quantity: 2.into(), reserved: Some(reserved) }]);
    // Its document in the ERP, by other names, is what takes it there, and tells nothing of what the shop's takes.
    let ids = vec![(shop(), RemoteId::new("", "1001"), Vec::new()), (erp(), RemoteId::new("", "S1"), Vec::new())];
    store.adopt(vec![Adoption { kind: Kind::Order, label: "1001".into(), ids }], at(26)).await.expect("tied");
    let document = Incoming { takes: None, ..incoming(Kind::Order, "S1", Told::News, &[]) };
    assert_eq!(accept(&store, erp(), document, at(27)).await.same, 0);
    assert_eq!(commitments(&store, stock).await, [Commitment { quantity: 2.into(), reserved: Some(reserved) }]);
    let mut lanes = store.claim(claim(vec![order], at(30))).await.expect("claimed");
    store.retry(syncline_store::Retry::Touch(stock), at(30)).await.expect("woken");
    let woken = store.claim(claim(vec![stock], at(30))).await.expect("claimed").remove(0);
    let now = store.place_in_journal().await.expect("a place");
    release(&store, stock, woken.epoch, None, Some(now), at(30)).await;
    assert_eq!(commitments(&store, stock).await, [], "the figures show it by now");
    release(&store, order, lanes.remove(0).epoch, Some(CommitmentState::Reserved), None, at(31)).await;
    assert_eq!(commitments(&store, stock).await, [], "and it is not counted again");

    // Cancelled in the ERP: it takes from stock again, until the shop withdraws it too.
    store.retry(syncline_store::Retry::Touch(order), at(40)).await.expect("woken");
    let lane = store.claim(claim(vec![order], at(40))).await.expect("claimed").remove(0);
    release(&store, order, lane.epoch, Some(CommitmentState::Open), None, at(40)).await;
    assert_eq!(commitments(&store, stock).await, [Commitment { quantity: 2.into(), reserved: None }]);
    let mut withdrawn = incoming(Kind::Order, "1001", Told::News, &[]);
    withdrawn.leaves.put(Path::field("stage"), Value::Text("cancelled".into()));
    accept(&store, shop(), withdrawn, at(50)).await;
    assert_eq!(commitments(&store, stock).await, []);

    // What a write of ours has shown of it already is no news, and what it takes is held against what is known all the same.
    let mut again = incoming(Kind::Order, "1001", Told::News, &[("MUG", 3)]);
    again.leaves.put(Path::field("stage"), Value::Text("cancelled".into()));
    assert_eq!(accept(&store, shop(), again, at(60)).await.same, 1);
    assert_eq!(commitments(&store, stock).await, [Commitment { quantity: 3.into(), reserved: None }]);
}

#[tokio::test]
async fn a_renamed_variant_is_known_by_its_second_name_and_counted_once() {
    let (store, stock) = tied().await;
    accept(&store, shop(), incoming(Kind::Order, "1001", Told::News, &[("OLD-MUG", 3)]), at(10)).await;
    assert_eq!(commitments(&store, stock).await, [Commitment { quantity: 3.into(), reserved: None }]);
}

#[tokio::test]
async fn a_third_system_that_learns_of_a_variant_wakes_its_stock() {
    let (store, stock) = tied().await;
    assert!(!rest(&store, stock).await, "it is at rest");
    let outlet = (SystemUid::new("9k2m"), RemoteId::new("", "MUG"), Vec::new());
    let ids = vec![outlet, (erp(), RemoteId::new("", "12"), Vec::new())];
    store.adopt(vec![Adoption { kind: Kind::Variant, label: "MUG".into(), ids }], at(3)).await.expect("tied");
    assert_eq!(store.load(stock).await.expect("loaded").bound.len(), 3);
    assert!(rest(&store, stock).await, "the new shop has to be told");
}

#[tokio::test]
async fn what_a_person_has_to_see_is_looked_at_again_only_when_it_is_due() {
    let (store, stock) = tied().await;
    accept(&store, erp(), incoming(Kind::Stock, "12", Told::News, &[]), at(1)).await;
    let claim = |now: i64| Claim { now: at(now), lease_s: 60, limit: 9, only: Vec::new(), except: Vec::new() };
    let held = || LaneState::Held(syncline_core::policy::Hold::new("SYN-0132", "it is gone", "see to it"));
    for (now, again_at, next) in [(10, Some(at(100)), 100), (110, None, 9_000)] {
        let lane = store.claim(claim(now)).await.expect("claimed").pop().expect("a lane");
        let (progressed, entry, evidence, commitments) = (false, None, None, None);
        let (state, epoch, served, agreed) = (held(), lane.epoch, None, None);
        let now = at(now);
        let release = Release {
            lane: stock,
            epoch,
            state,
            again_at,
            progressed,
            entry,
            evidence,
            commitments,
            served,
            agreed,
            now,
        };
        store.release(release).await.expect("given back");
        assert!(store.claim(claim(next - 1)).await.expect("claimed").is_empty(), "not before it is due");
    }
    assert!(
        store.claim(claim(1_000_000)).await.expect("claimed").is_empty(),
        "where nothing is due only news wakes it"
    );
}

#[tokio::test]
async fn two_shops_customers_may_share_one_party() {
    let store = Sql::inline(":memory:").expect("a store");
    let customer = |system: SystemUid| (system, RemoteId::new("1", "7"), Vec::new());
    let first = vec![customer(shop()), (erp(), RemoteId::new("", "55"), Vec::new())];
    store.adopt(vec![Adoption { kind: Kind::Customer, label: "7".into(), ids: first }], at(0)).await.expect("tied");
    let outlet = SystemUid::new("9k2m");
    accept(&store, outlet.clone(), incoming(Kind::Customer, "8", Told::InPassing, &[]), at(1)).await;
    let ids = vec![RemoteId::new("", "8")];
    let second = store.entities(outlet, Kind::Customer, ids).await.expect("asked")[0].expect("a customer");
    for _ in 0..2 {
        store.share(second, erp(), RemoteId::new("", "55"), at(2)).await.expect("tied");
    }
    let bound = store.load(second).await.expect("loaded").bound;
    assert_eq!(bound.get(&erp()).map(|bound| (bound.id.id.as_str(), bound.shared)), Some(("55", true)));
    let owner = store.entities(erp(), Kind::Customer, vec![RemoteId::new("", "55")]).await.expect("asked")[0];
    assert!(owner.is_some_and(|owner| owner != second), "the party is still the first one's");
    assert_eq!(store.bindings(erp(), Kind::Customer).await.expect("asked").len(), 1);

    // Both are shown what the party shows, whoever asked, and both are looked at where that changed.
    let owner = owner.expect("the first one");
    let told = |told, version: &str, text: &str| {
        let mut leaves = Leaves::new();
        leaves.put(Path::field("name"), Value::Text(text.to_string()));
        let row = incoming(Kind::Customer, "55", told, &[]);
        Incoming { version: Some(version.to_string()), leaves, takes: None, ..row }
    };
    for (asked, version, text, wakes) in
        [(Told::News, "1", "Ada", true), (Told::Asked, "2", "Ada", false), (Told::Asked, "3", "Ada Byron", true)]
    {
        accept(&store, erp(), told(asked, version, text), at(3)).await;
        let woken = woken(&store).await;
        for entity in [owner, second] {
            let side = store.load(entity).await.expect("loaded").sides[&erp()].clone();
            assert_eq!(side.version.as_deref(), Some(version), "{entity:?} of version {version}");
            assert_eq!(woken.contains(&entity), wakes, "{entity:?} of version {version}");
        }
    }

    // Who was erased is shown nothing, whatever others of the party are.
    store.erase(vec![second], true, at(4)).await.expect("erased");
    accept(&store, erp(), told(Told::News, "4", "Ada Lovelace"), at(5)).await;
    let name = async |entity| {
        let case = store.load(entity).await.expect("loaded");
        case.sides.get(&erp()).and_then(|side| side.seen.value(&Path::field("name")).cloned())
    };
    assert_eq!(name(owner).await, Some(Value::Text("Ada Lovelace".to_string())));
    assert_eq!(name(second).await, None);
}
