//! The feed of stock: everything at first and once a day, between that what has moved, and at rest nothing.

use super::bench::{Bench, World, run, stock_of};
use super::stock::{figures, sell};
use super::walk::product;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeSet;
use syncline_connect::{Connector, Cursor};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;
use syncline_sim::http::System;
use syncline_sim::tryton::Erp;

/// A walk that goes on from where it stood.
struct Walker<'a> {
    bench: &'a Bench,
    world: &'a World,
    cursor: Cursor,
}

impl Walker<'_> {
    /// The products of one whole pass.
    async fn pass(&mut self) -> BTreeSet<RemoteId> {
        let mut seen = BTreeSet::new();
        for _ in 0..50 {
            let page = self.bench.erp.changes(&self.bench.ctx, Kind::Stock, &self.cursor).await.unwrap();
            for one in page.seen {
                let snapshot = one.snapshot.unwrap();
                assert_eq!(snapshot.id, one.id);
                seen.insert(one.id);
            }
            self.cursor = page.next;
            if !page.more {
                return seen;
            }
        }
        panic!("the walk does not end");
    }

    /// Lets time go by in small passes until nothing is told any more.
    async fn rest(&mut self) {
        for _ in 0..4 {
            self.world.pass(SignedDuration::from_mins(11));
            if self.pass().await.is_empty() {
                return;
            }
        }
        panic!("the feed does not come to rest");
    }

    fn act(&self, act: impl FnOnce(&mut Erp, Timestamp) -> bool) {
        let now = self.bench.ctx.now();
        self.world.with(|erp| assert!(act(erp, now)));
    }
}

fn only(id: &RemoteId) -> BTreeSet<RemoteId> {
    BTreeSet::from([id.clone()])
}

#[test]
fn everything_is_told_once_then_what_moves_and_at_rest_nothing() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let mut walker = Walker { bench: &bench, world: &world, cursor: Cursor::default() };
        let products = world.with(|erp| erp.ledger().get("products").unwrap().as_array().unwrap().len());
        assert_eq!(walker.pass().await.len(), products);
        walker.rest().await;
        world.sent();
        assert!(walker.pass().await.is_empty());
        assert_eq!(world.sent().len(), 3, "at rest: the day, moves and products");

        walker.act(|erp, now| erp.receive(now, &sku.0, 5));
        assert_eq!(walker.pass().await, only(&sku.1));
        walker.rest().await;
        walker.act(|erp, now| erp.take(now, &sku.0, 1));
        assert_eq!(walker.pass().await, only(&sku.1));
        walker.rest().await;
        let sale = sell(&bench, &sku, "one").await;
        assert_eq!(walker.pass().await, only(&sku.1));
        walker.rest().await;
        walker.act(|erp, now| erp.ship(now, sale));
        assert_eq!(walker.pass().await, only(&sku.1));
        walker.rest().await;
        walker.act(|erp, now| erp.directly(now, "product.product", 2, &json!({"active": false})));
        let retired = RemoteId::new("", "2");
        assert_eq!(walker.pass().await, only(&retired));
        let told = bench.erp.read(&bench.ctx, Kind::Stock, &[retired]).await.pop().unwrap().unwrap().unwrap();
        assert_eq!(stock_of(&told).managed, Some(false));
    });
}

#[test]
fn a_new_day_is_gone_through_whole() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let mut walker = Walker { bench: &bench, world: &world, cursor: Cursor::default() };
        let all = walker.pass().await;
        walker.rest().await;
        let midnight: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        world.pass(midnight.duration_since(bench.ctx.now()) - SignedDuration::from_secs(1));
        assert!(walker.pass().await.is_empty());
        world.pass(SignedDuration::from_secs(2));
        assert_eq!(walker.pass().await, all);
        world.pass(SignedDuration::from_secs(2));
        assert!(walker.pass().await.is_empty());
    });
}

#[test]
fn a_move_that_a_search_finds_late_is_still_told() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let other = world.with(|erp| {
            let ledger = erp.ledger();
            let stock = ledger.get("stock").unwrap().as_array().unwrap();
            let code = |row: &serde_json::Value| row.get("sku").unwrap().as_str().unwrap().to_string();
            stock.iter().map(code).find(|code| *code != sku.0).unwrap()
        });
        let mut walker = Walker { bench: &bench, world: &world, cursor: Cursor::default() };
        walker.pass().await;
        walker.rest().await;
        world.with(|erp| erp.quirks_mut().search_lag = SignedDuration::from_secs(90));
        walker.act(|erp, now| erp.receive(now, &sku.0, 5));
        assert!(walker.pass().await.is_empty(), "no search finds it yet");
        world.pass(SignedDuration::from_secs(60));
        walker.act(|erp, now| erp.receive(now, &other, 5));
        world.pass(SignedDuration::from_secs(31));
        assert_eq!(walker.pass().await, only(&sku.1));
        world.pass(SignedDuration::from_secs(60));
        assert_eq!(walker.pass().await.len(), 2, "the later one, and the first once more");
    });
}

#[test]
fn a_warehouse_that_goes_away_stops_reading_and_not_for_ever() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let now = bench.ctx.now();
        world.with(|erp| assert!(erp.open_warehouse(now, "EAST")));
        let bench = world.bench();
        let (on_hand, _) = figures(&bench, &sku.1).await;
        world.with(|erp| assert!(erp.remove(now, "stock.location", 12)));
        let error = bench.erp.read(&bench.ctx, Kind::Stock, std::slice::from_ref(&sku.1)).await.pop().unwrap();
        let error = error.unwrap_err();
        assert!(error.kind == ErrorKind::Unreachable && error.message.contains("EAST"), "{error}");
        assert_eq!(figures(&bench, &sku.1).await.0, on_hand);
        let wrong = bench.erp.changes(&bench.ctx, Kind::Stock, &Cursor("nonsense".into())).await.unwrap_err();
        assert_eq!(wrong.kind, ErrorKind::Broken);
        let keys = bench.erp.keys(&bench.ctx, Kind::Stock, &Cursor::default()).await.unwrap();
        assert!(keys.keys.iter().any(|(id, _)| *id == sku.1) && keys.keys.iter().all(|(_, version)| version.is_none()));
    });
}
