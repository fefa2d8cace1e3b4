//! Papers go below their order: taken in where it is known, listed by it, left to people for good.

#![expect(clippy::expect_used, reason = "a test stops where its ground is missing")]

use jiff::Timestamp;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::record::paper_below;
use syncline_store::{Accept, Incoming, Retry, Sql, Store, Told};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn erp() -> SystemUid {
    SystemUid::new("erp")
}

async fn tell(store: &Sql, kind: Kind, id: RemoteId) -> usize {
    let leaves: Leaves = std::iter::once((Path::field("number"), Some(Value::Text(id.id.clone())))).collect();
    let row = Incoming {
        kind,
        label: id.id.clone(),
        id,
        aliases: Vec::new(),
        leaves,
        version: None,
        told: Told::News,
        takes: None,
        refused: None,
    };
    let accept = Accept { system: erp(), records: vec![row], cursor: None, asked_at: None, now: NOW };
    store.accept(accept).await.expect("taken in").new
}

async fn below(store: &Sql, kind: Kind, order: &str) -> Vec<EntityId> {
    store.papers_of(erp(), kind, RemoteId::new("", order)).await.expect("listed")
}

#[tokio::test]
async fn papers_are_taken_in_and_listed_below_the_orders_that_are_known() {
    let store = Sql::inline(":memory:").expect("a store");
    let orders = ["7", "70", "7:", "8"].map(|id| RemoteId::new("", id));
    for order in orders.iter().filter(|order| order.id != "8") {
        assert_eq!(tell(&store, Kind::Order, order.clone()).await, 1);
    }
    let told = [(Kind::Shipment, "12"), (Kind::Shipment, "13"), (Kind::Invoice, "12")];
    for (kind, own) in told {
        assert_eq!(tell(&store, kind, paper_below(&orders[0], own)).await, 1);
    }
    assert_eq!(tell(&store, Kind::Shipment, paper_below(&orders[1], "14")).await, 1);
    assert_eq!(tell(&store, Kind::Shipment, paper_below(&orders[3], "15")).await, 0, "its order is nobody's here");
    assert_eq!(tell(&store, Kind::Shipment, RemoteId::new("", "16")).await, 0, "no id of a paper");
    assert_eq!((below(&store, Kind::Shipment, "7").await.len(), below(&store, Kind::Invoice, "7").await.len()), (2, 1));
    assert_eq!(
        (below(&store, Kind::Shipment, "70").await.len(), below(&store, Kind::Shipment, "8").await.len()),
        (1, 0)
    );
}

#[tokio::test]
async fn a_paper_that_is_accepted_is_left_to_people() {
    let store = Sql::inline(":memory:").expect("a store");
    let order = RemoteId::new("", "7");
    tell(&store, Kind::Order, order.clone()).await;
    tell(&store, Kind::Shipment, paper_below(&order, "12")).await;
    let paper = below(&store, Kind::Shipment, "7").await[0];
    assert!(!store.load(paper).await.expect("known").admitted);
    store.retry(Retry::One { entity: paper, rebase: false }, NOW).await.expect("tried again");
    assert!(!store.load(paper).await.expect("known").admitted);
    store.retry(Retry::One { entity: paper, rebase: true }, NOW).await.expect("accepted");
    assert!(store.load(paper).await.expect("known").admitted);
}
