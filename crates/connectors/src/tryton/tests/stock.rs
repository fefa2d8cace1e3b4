//! Figures of stock: as a live Tryton gave them (`fixtures/stock.json`), and as people in a simulated one change them.

use super::super::map;
use super::super::wire::{Day, FigureRow, LateRow};
use super::bench::{Bench, World, dec, run, stock_of};
use super::walk::{jane, order, product};
use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_connect::{Connector, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Ref};
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Record, Stock};
use syncline_sim::http::System;

#[derive(Deserialize)]
struct Recording {
    warehouses: Vec<(i64, String)>,
    today: String,
    late: String,
    answers: Vec<String>,
}

/// What an answer's envelope holds, read as the connector reads it.
fn result<T: serde::de::DeserializeOwned>(answer: &str) -> T {
    let envelope: Value = serde_json::from_str(answer).unwrap();
    T::deserialize(envelope.get("result").unwrap()).unwrap()
}

#[test]
fn contract_recorded_figures_mean_what_they_say() {
    let recorded: Recording = serde_json::from_str(include_str!("../fixtures/stock.json")).unwrap();
    let Day(today) = result(&recorded.today);
    assert_eq!(today.to_string(), "2026-11-23");
    let late = map::late_by_place(&result::<Vec<LateRow>>(&recorded.late));
    assert_eq!(late, BTreeMap::from([((1, 5), dec("3")), ((5, 5), dec("2"))]), "the one within the house is not late");
    let rows: Vec<Vec<Value>> = recorded.answers.iter().map(|answer| result(answer)).collect();
    let row = |answer: usize, id: i64| {
        let found = rows.get(answer).unwrap().iter().find(|row| row.get("id") == Some(&json!(id)));
        FigureRow::deserialize(found.unwrap()).unwrap()
    };
    let stock = |id: i64| {
        let shelf = |(at, (warehouse, place)): (usize, &(i64, String))| map::Shelf {
            place: place.clone(),
            today: row(at * 2, id),
            ever: row(at * 2 + 1, id),
            late: late.get(&(id, *warehouse)).copied().unwrap_or_default(),
        };
        let shelves: Vec<map::Shelf> = recorded.warehouses.iter().enumerate().map(shelf).collect();
        match map::stock_record(id, &shelves) {
            Some(Record::Stock(stock)) => stock,
            other => panic!("no stock: {other:?}"),
        }
    };
    for (id, managed, levels) in [
        (1, true, vec![("EAST", "0", "0"), ("WH", "100", "97")]),
        (5, true, vec![("EAST", "12", "12"), ("WH", "26", "-76")]),
        (6, false, vec![]),
        (28, false, vec![]),
        (29, true, vec![("EAST", "0", "0"), ("WH", "1234567.25", "1234567.25")]),
    ] {
        let told = stock(id);
        let expected: Vec<_> = levels.into_iter().map(|(p, q, a)| (p.to_string(), dec(q), dec(a))).collect();
        assert_eq!((told.managed, levels_of(&told)), (Some(managed), expected), "product {id}");
    }
    println!("contract: ran {}", recorded.answers.len() + 2);
}

fn levels_of(stock: &Stock) -> Vec<(String, Decimal, Decimal)> {
    let levels = stock.levels.iter();
    levels.map(|(place, level)| (place.clone(), level.on_hand.unwrap(), level.available.unwrap())).collect()
}

pub(super) async fn read_one(bench: &Bench, id: &RemoteId) -> Snapshot {
    bench.erp.read(&bench.ctx, Kind::Stock, std::slice::from_ref(id)).await.pop().unwrap().unwrap().unwrap()
}

/// On hand and available of a product at `WH`.
pub(super) async fn figures(bench: &Bench, id: &RemoteId) -> (Decimal, Decimal) {
    let told = read_one(bench, id).await;
    let level = stock_of(&told).levels.get("WH").unwrap().clone();
    (level.on_hand.unwrap(), level.available.unwrap())
}

/// A confirmed sale of two and one of the product, by id.
pub(super) async fn sell(bench: &Bench, sku: &(String, RemoteId), name: &str) -> u64 {
    let leaves = Record::Customer(jane()).to_leaves();
    let made = bench.done(bench.permit(Kind::Customer, Step::Create, &bench.mark(name), None, leaves)).await;
    let address = super::bench::customer_of(&made).addresses.keys().next().unwrap().clone();
    let mark = bench.mark(&format!("sale of {name}"));
    let wish = Record::Order(Box::new(order(sku, &made.id, &address, "VAT 19%"))).to_leaves();
    let mut sale = bench.done(bench.permit(Kind::Order, Step::Create, &mark, None, wish)).await;
    for stage in ["quote", "confirm"] {
        let step = Step::Advance(stage.into());
        sale = bench.done(bench.permit(Kind::Order, step, &mark, Some(&sale), Leaves::new())).await;
    }
    sale.id.id.parse().unwrap()
}

#[test]
fn what_is_sold_is_no_longer_promised_and_stays_until_it_is_shipped() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let (start, free) = figures(&bench, &sku.1).await;
        assert!(start == free && start >= dec("20"));
        let one = sell(&bench, &sku, "one").await;
        let (on_hand, available) = figures(&bench, &sku.1).await;
        let sold = start - available;
        assert!(on_hand == start && sold > dec("0"), "{on_hand} {available}");
        world.with(|erp| assert!(erp.ship("2026-11-23T11:00:00Z".parse().unwrap(), one)));
        assert_eq!(figures(&bench, &sku.1).await, (start - sold, start - sold));

        let two = sell(&bench, &sku, "two").await;
        assert_eq!(figures(&bench, &sku.1).await, (start - sold, start - sold - sold));
        world.pass(SignedDuration::from_hours(50));
        assert_eq!(figures(&bench, &sku.1).await, (start - sold, start - sold - sold), "late, and still promised");
        world.with(|erp| assert!(erp.cancel_sale("2026-11-26T11:00:00Z".parse().unwrap(), two)));
        assert_eq!(figures(&bench, &sku.1).await, (start - sold, start - sold));
    });
}

#[test]
fn a_midnight_between_two_looks_hides_nothing() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        sell(&bench, &sku, "one").await;
        let before = figures(&bench, &sku.1).await;
        let midnight: jiff::Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let calls = SignedDuration::from_millis(3 * 2 + 1); // after the day was asked and what is late was looked for
        world.pass(midnight.duration_since(bench.ctx.now()) - calls);
        world.sent();
        assert_eq!(figures(&bench, &sku.1).await, before);
        let looks = world.sent().iter().filter(|(method, _)| method.ends_with("product.read")).count();
        assert_eq!(looks, 4, "the day had changed, so all was read again");
    });
}

#[test]
fn many_are_read_at_once_place_by_place_and_what_is_not_counted_says_so() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let now = "2026-11-23T10:30:00Z".parse().unwrap();
        world.with(|erp| {
            assert!(erp.open_warehouse(now, "EAST") && erp.receive_at(now, "EAST", &sku.0, 7));
            let retired = json!({"active": false});
            assert!(erp.directly(now, "product.product", 2, &retired));
        });
        let bench = world.bench();
        let ledger = world.with(|erp| erp.ledger());
        let rows = ledger.get("products").unwrap().as_array().unwrap();
        let ids: Vec<RemoteId> = rows.iter().map(|row| RemoteId::new("", row.get("id").unwrap().to_string())).collect();
        let mut asked = ids.clone();
        asked.extend([RemoteId::new("", "999999"), RemoteId::new("", "x"), sku.1.clone()]);
        let told = bench.erp.read(&bench.ctx, Kind::Stock, &asked).await;
        assert!(matches!(told.get(ids.len()..), Some([Ok(None), Ok(None), Ok(Some(_))])));
        let held = |code: &Value, place: &str| {
            let stock = ledger.get("stock").unwrap().as_array().unwrap();
            let row =
                stock.iter().find(|row| row.get("sku") == Some(code) && row.get("warehouse") == Some(&json!(place)));
            row.map(|row| dec(row.get("on_hand").unwrap().as_str().unwrap()))
        };
        for ((row, id), told) in rows.iter().zip(&ids).zip(&told) {
            let snapshot = told.as_ref().unwrap().as_ref().unwrap();
            let (stock, code) = (stock_of(snapshot), row.get("sku").unwrap());
            assert_eq!(stock.variant, Some(Ref::remote(Kind::Variant, id.clone())));
            let counted = held(code, "WH").is_some() && id.id != "2";
            assert_eq!((stock.managed, stock.levels.len()), (Some(counted), if counted { 2 } else { 0 }), "{code}");
            for (place, on_hand, available) in levels_of(stock) {
                assert_eq!((Some(on_hand), on_hand), (held(code, &place), available), "{code} at {place}");
            }
        }
        let probe = bench.erp.probe(&bench.ctx).await.unwrap();
        let places: Vec<&str> = probe.choices.get("warehouses").unwrap().iter().map(|c| c.code.as_str()).collect();
        assert_eq!(places, ["WH", "EAST"]);
    });
}

#[test]
fn a_user_without_a_company_sees_no_zeros() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let mut setup = (*bench.erp.setup(&bench.ctx).await.unwrap()).clone();
        setup.own_company = None;
        let error = bench.erp.stocks(&bench.ctx, &setup, &[1]).await.unwrap_err();
        assert!(error.kind == ErrorKind::Config && error.message.contains("Syncline Test Co"), "{error}");
        setup.own_company = Some(setup.company);
        setup.warehouses.clear();
        assert_eq!(bench.erp.stocks(&bench.ctx, &setup, &[1]).await.unwrap_err().kind, ErrorKind::Config);
    });
}
