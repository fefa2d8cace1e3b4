//! The feed of prices: everything at first and after a price list changed, between that what was written, at rest nothing.

use super::bench::{Bench, Weather, World, price_of, run};
use super::price::{id_of, told};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
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

impl<'a> Walker<'a> {
    fn new(bench: &'a Bench, world: &'a World) -> Self {
        Self { bench, world, cursor: Cursor::default() }
    }

    /// The products of one whole pass.
    async fn pass(&mut self) -> BTreeSet<RemoteId> {
        let mut seen = BTreeSet::new();
        for _ in 0..50 {
            let page = self.bench.erp.changes(&self.bench.ctx, Kind::Price, &self.cursor).await.unwrap();
            for one in page.seen {
                price_of(&one.snapshot.unwrap());
                seen.insert(one.id);
            }
            self.cursor = page.next;
            if !page.more {
                return seen;
            }
        }
        panic!("the walk does not end");
    }

    /// Lets time go by until nothing is told any more.
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
fn everything_is_told_once_then_what_is_written_and_at_rest_nothing() {
    let world = World::new(true);
    let bench = world.bench();
    let mug = id_of(&world, "MUG");
    run(async {
        let mut walker = Walker::new(&bench, &world);
        let products = world.with(|erp| erp.ledger().get("products").unwrap().as_array().unwrap().len());
        assert_eq!(walker.pass().await.len(), products);
        walker.rest().await;
        world.sent();
        assert!(walker.pass().await.is_empty());
        assert_eq!(world.sent().len(), 4, "at rest: lists, their lines, products and templates");

        walker.act(|erp, now| erp.set_list_price(now, "MUG", "8.1234"));
        assert_eq!(walker.pass().await, only(&mug), "the price stands on the template");
        assert_eq!(walker.pass().await, only(&mug), "told once more within the overlap");
        walker.rest().await;
        assert!(walker.pass().await.is_empty(), "and not beyond it");
        let price = world.with(|erp| erp.ledger()).get("prices").unwrap().as_array().unwrap().clone();
        assert!(price.iter().any(|row| row.get("amount") == Some(&json!("8.1234"))));

        walker.act(|erp, now| erp.edit_product(now, "MUG", None, "active", &json!(false)));
        assert_eq!(walker.pass().await, only(&mug), "a retired product has changed, too");
        let retired = told(&bench, std::slice::from_ref(&mug)).await.pop().unwrap().unwrap();
        assert!(retired.lists.contains("list"), "and still has its price");
        walker.rest().await;
        walker.act(|erp, now| erp.edit_product(now, "MUG", None, "template.list_price", &Value::Null));
        assert_eq!(walker.pass().await, only(&mug));
    });
}

#[test]
fn a_price_list_that_changes_is_gone_through_whole_once() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let mut walker = Walker::new(&bench, &world);
        let all = walker.pass().await;
        walker.rest().await;
        let lines = [(None, 10, "unit_price * 0.9"), (None, 0, "unit_price")];
        walker.act(|erp, now| erp.set_price_list(now, "Dealers", &lines));
        assert_eq!(walker.pass().await, all, "a new list");
        assert!(walker.pass().await.is_empty());
        world.pass(SignedDuration::from_mins(1));
        walker.act(|erp, now| erp.directly(now, "product.price_list.line", 3, &json!({"formula": "unit_price * 0.8"})));
        assert_eq!(walker.pass().await, all, "a line that does not move its list");
        assert!(walker.pass().await.is_empty());
        walker.act(|erp, now| erp.remove(now, "product.price_list.line", 3));
        assert_eq!(walker.pass().await, all, "a line that is gone and moves nothing");
        assert!(walker.pass().await.is_empty());
        walker.act(|erp, now| erp.directly(now, "product.price_list", 3, &json!({"active": false})));
        assert_eq!(walker.pass().await, all, "a list that is out of use");
        assert!(walker.pass().await.is_empty());
        let wrong = bench.erp.changes(&bench.ctx, Kind::Price, &Cursor("nonsense".into())).await.unwrap_err();
        assert_eq!(wrong.kind, ErrorKind::Broken);
    });
}

#[test]
fn an_answer_that_is_lost_loses_no_change() {
    let world = World::new(true);
    let bench = world.bench();
    let mug = id_of(&world, "MUG");
    run(async {
        let mut walker = Walker::new(&bench, &world);
        walker.pass().await;
        walker.rest().await;
        walker.act(|erp, now| erp.set_list_price(now, "MUG", "8"));
        for calm in 0..9 {
            let mut weather = vec![Weather::Calm; calm];
            weather.push(if calm % 2 == 0 { Weather::ReplyLost } else { Weather::Page });
            world.weather_of_reads(&weather);
            let page = bench.erp.changes(&bench.ctx, Kind::Price, &walker.cursor).await;
            world.weather_of_reads(&[]);
            match page {
                Err(error) => assert_eq!(error.kind, ErrorKind::Unreachable, "{error}"),
                Ok(page) => assert!(page.seen.iter().all(|one| one.snapshot.is_ok()), "told whole or not at all"),
            }
        }
        assert_eq!(walker.pass().await, only(&mug));
        world.weather_of_reads(&[Weather::ReplyLost; 40]);
        let read = bench.erp.read(&bench.ctx, Kind::Price, &[mug.clone(), mug.clone()]).await;
        assert!(read.len() == 2 && read.iter().all(Result::is_err), "an answer that is lost is not a missing product");
        world.weather_of_reads(&[]);
        assert_eq!(told(&bench, &[mug.clone(), mug]).await.len(), 2);
    });
}
