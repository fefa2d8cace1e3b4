//! How long raw exchanges are kept.

#![expect(clippy::expect_used, reason = "a test stops where its ground is missing")]

use jiff::{SignedDuration, Timestamp};
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::Hold;
use syncline_store::{Accept, Claim, Incoming, LaneState, Release, Sql, Store, Told};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// An order whose exchange was kept, and whose lane came to `state`.
async fn exchanged(store: &Sql, number: &str, state: LaneState) -> EntityId {
    let record = Incoming {
        kind: Kind::Order,
        id: RemoteId::new("1", number),
        aliases: Vec::new(),
        leaves: std::iter::once((Path::field("number"), Some(Value::Text(number.to_string())))).collect::<Leaves>(),
        version: None,
        label: number.to_string(),
        told: Told::News,
        takes: None,
        refused: None,
    };
    let accept =
        Accept { system: SystemUid::new("shop"), records: vec![record], cursor: None, asked_at: None, now: NOW };
    store.accept(accept).await.expect("taken in");
    let claim = Claim { now: NOW, lease_s: 60, limit: 1, only: Vec::new(), except: Vec::new() };
    let lane = store.claim(claim).await.expect("claimed").pop().expect("a lane");
    let release = Release {
        lane: lane.entity,
        epoch: lane.epoch,
        state,
        progressed: true,
        entry: None,
        evidence: Some("{}".to_string()),
        again_at: None,
        agreed: None,
        commitments: None,
        served: None,
        now: NOW,
    };
    store.release(release).await.expect("given back");
    lane.entity
}

#[tokio::test]
async fn old_exchanges_go_but_those_of_what_is_open() {
    let store = Sql::inline(":memory:").expect("a store");
    let rests = exchanged(&store, "1", LaneState::Idle).await;
    let open = exchanged(&store, "2", LaneState::Held(Hold::new("SYN-0101", "why", "what to do"))).await;
    let kept = async |entity| store.story(entity).await.expect("a story").evidence.len();
    assert_eq!(store.prune(NOW, 9).await.expect("looked"), 0, "as old as that is not older");
    assert_eq!((kept(rests).await, kept(open).await), (1, 1));
    let later = NOW.checked_add(SignedDuration::from_secs(1)).expect("later");
    assert_eq!(store.prune(later, 9).await.expect("looked"), 1);
    assert_eq!((kept(rests).await, kept(open).await), (0, 1));
}
