//! Prices: as a live Tryton computed them (`fixtures/prices.json`), and as people in a simulated one change them.

use super::super::map;
use super::super::wire_price::{AskedRow, ListRow, PricedRow, StepRow};
use super::bench::{Bench, World, dec, price_of, run};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use syncline_connect::{Connector, Cursor};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Price, PriceKey, Record};
use syncline_sim::http::System;

#[derive(Deserialize)]
struct Recording {
    products: Vec<i64>,
    prices: String,
    lists: String,
    steps: String,
    answers: Vec<(i64, Value, String)>,
}

/// What an answer's envelope holds, read as the connector reads it.
fn result<T: serde::de::DeserializeOwned>(answer: &str) -> T {
    let envelope: Value = serde_json::from_str(answer).unwrap();
    T::deserialize(envelope.get("result").unwrap()).unwrap()
}

/// List, quantity and amount of every row.
fn rows_of(price: &Price) -> Vec<(String, String, String)> {
    let rows = price.rows.iter();
    rows.map(|(key, row)| (key.list.clone(), key.quantity.to_string(), row.amount.amount.to_string())).collect()
}

fn rows(told: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    told.iter().map(|(list, from, amount)| ((*list).into(), (*from).into(), (*amount).into())).collect()
}

#[test]
fn contract_recorded_prices_mean_what_they_say() {
    let recorded: Recording = serde_json::from_str(include_str!("../fixtures/prices.json")).unwrap();
    let (lists, warnings) = map::offered(result::<Vec<ListRow>>(&recorded.lists));
    assert_eq!(lists.iter().map(|list| list.name.as_str()).collect::<Vec<_>>(), ["Prices without tax", "Dealers"]);
    assert!(warnings.len() == 1 && warnings.iter().all(|one| one.contains("Prices with tax")), "{warnings:?}");
    let steps: Vec<StepRow> = result(&recorded.steps);
    let priced: Vec<PricedRow> = result(&recorded.prices);
    let price = |id: i64| {
        let row = priced.iter().find(|row| row.id == id).unwrap();
        let said = |list: &map::PriceList, quantity: Decimal| {
            let same = |told: &Value| dec(&told.to_string()) == quantity;
            let found = recorded.answers.iter().find(|(of, told, _)| *of == list.id && same(told)).unwrap();
            let rows: Vec<AskedRow> = result(&found.2);
            rows.iter().find(|row| row.id == id).unwrap().price.map(|price| price.0)
        };
        let steps_of = |list: &map::PriceList| -> map::Steps {
            map::thresholds(&steps, list, (id, row.units().unwrap()))
                .into_iter()
                .map(|from| (from, said(list, from)))
                .collect()
        };
        let told: Vec<_> = lists.iter().map(|list| (list, steps_of(list))).collect();
        match map::price_record(row, "EUR".parse().unwrap(), &told) {
            Some(Record::Price(price)) => price,
            other => panic!("no price: {other:?}"),
        }
    };
    let expected = [
        rows(&[("Dealers", "1", "19"), ("Dealers", "12.5", "17"), ("Dealers", "100", "14"), ("list", "1", "20")]),
        rows(&[("Dealers", "1", "7.1667"), ("Dealers", "12.5", "17"), ("Dealers", "100", "14"), ("list", "1", "20")]),
        rows(&[("Dealers", "12.5", "8.4915"), ("Dealers", "100", "6.993"), ("list", "1", "9.99")]),
        rows(&[("Dealers", "1", "0"), ("list", "1", "0")]),
        rows(&[]),
    ];
    for (id, expected) in recorded.products.iter().zip(expected) {
        let told = price(*id);
        let whole = if expected.is_empty() { 2 } else { 3 };
        assert_eq!((rows_of(&told), told.lists.len()), (expected, whole), "product {id}");
    }
    println!("contract: ran {}", recorded.answers.len() + 3);
}

/// The prices of the products, in the order they were asked for.
pub(super) async fn told(bench: &Bench, ids: &[RemoteId]) -> Vec<Option<Price>> {
    let read = bench.erp.read(&bench.ctx, Kind::Price, ids).await;
    read.into_iter().map(|one| one.unwrap().map(|snapshot| price_of(&snapshot).clone())).collect()
}

/// The id of the product with that code.
pub(super) fn id_of(world: &World, code: &str) -> RemoteId {
    let ledger = world.with(|erp| erp.ledger());
    let products = ledger.get("products").unwrap().as_array().unwrap().clone();
    let found = products.iter().find(|row| row.get("code") == Some(&json!(code))).unwrap();
    RemoteId::new("", found.get("id").unwrap().to_string())
}

/// What the simulated ledger says every product costs.
fn ledger(world: &World, code: &str) -> Vec<(String, String, String)> {
    let ledger = world.with(|erp| erp.ledger());
    let rows = ledger.get("prices").unwrap().as_array().unwrap().clone();
    let text = |row: &Value, name: &str| row.get(name).unwrap().as_str().unwrap().to_string();
    let mine = rows.iter().filter(|row| text(row, "sku") == code);
    let mut mine: Vec<_> = mine.map(|row| (text(row, "list"), text(row, "quantity"), text(row, "amount"))).collect();
    mine.sort_by_key(|(list, quantity, _)| (list.clone(), dec(quantity)));
    mine
}

#[test]
fn a_hundred_products_are_read_with_few_calls_and_as_tryton_has_them() {
    let world = World::of(120);
    let bench = world.bench();
    let now = bench.ctx.now();
    world.with(|erp| {
        let lines =
            [(None, 100, "unit_price * 0.7"), (Some("MUG"), 10, "unit_price - 1.0001"), (None, 0, "unit_price / 3")];
        assert!(erp.set_price_list(now, "Dealers", &lines));
        assert!(erp.set_price_list(now, "Mugs", &[(Some("MUG"), 0, "list_price")]));
        assert!(erp.set_list_price(now, "MUG", "9.9375") && !erp.set_list_price(now, "MUG", "9.93755"));
        assert!(!erp.set_list_price(now, "NO-SUCH", "1"));
    });
    run(async {
        let keys = bench.erp.keys(&bench.ctx, Kind::Price, &Cursor::default()).await.unwrap().keys;
        assert!(keys.iter().all(|(_, version)| version.is_none()));
        let mut ids: Vec<RemoteId> = keys.into_iter().map(|(id, _)| id).rev().take(98).collect();
        ids.extend([RemoteId::new("", "99999"), RemoteId::new("", "none"), id_of(&world, "MUG")]);
        world.sent();
        let told = told(&bench, &ids).await;
        assert!(
            world.sent().len() <= 9,
            "products, again without the missing one, lists, lines, and one for each step"
        );
        let products = world.with(|erp| erp.ledger()).get("products").unwrap().as_array().unwrap().clone();
        for (id, told) in ids.iter().zip(&told) {
            let Some(row) = products.iter().find(|row| format!("{}", row.get("id").unwrap()) == id.id) else {
                assert!(told.is_none());
                continue;
            };
            let told = told.as_ref().unwrap();
            assert_eq!(rows_of(told), ledger(&world, row.get("code").unwrap().as_str().unwrap()));
            assert_eq!(told.lists.len(), 4);
        }
        let mug = told.last().unwrap().as_ref().unwrap();
        let row = |list: &str, from: &str| mug.rows.get(&PriceKey { quantity: dec(from), ..PriceKey::plain(list) });
        assert_eq!(row("list", "1").unwrap().amount.to_string(), "9.9375 EUR");
        assert_eq!(row("Dealers", "10").unwrap().amount.amount, dec("8.9374"));
        assert_eq!(row("Dealers", "100").unwrap().amount.amount, dec("6.9562"));
    });
}

#[test]
fn lists_are_offered_and_those_that_cannot_be_told_are_named() {
    let world = World::new(true);
    let bench = world.bench();
    let now = bench.ctx.now();
    world.with(|erp| {
        assert!(erp.set_price_list(now, "list", &[(None, 0, "unit_price")]));
        assert!(erp.set_price_list(now, "Dealers", &[(None, 0, "unit_price")]));
        assert!(!erp.set_price_list(now, "Broken", &[(None, 0, "unit_prise")]), "Tryton refuses such a formula");
    });
    run(async {
        let probe = bench.erp.probe(&bench.ctx).await.unwrap();
        let offered: Vec<_> = probe.choices.get("price_lists").unwrap().iter().map(|one| one.code.as_str()).collect();
        assert_eq!(offered, ["list", "Prices without tax", "Dealers"]);
        assert!(probe.choices.get("price_lists").unwrap().iter().all(|one| one.hint == "EUR"));
        for word in ["includes taxes", "called `list`"] {
            assert!(probe.warnings.iter().any(|one| one.contains(word)), "{:?}", probe.warnings);
        }
        assert!(probe.profile.kinds.get(&Kind::Price).unwrap().steps.is_empty());
    });
}

#[test]
fn what_has_no_price_and_what_fails_is_not_told() {
    let world = World::new(true);
    let bench = world.bench();
    let (now, mug) = (bench.ctx.now(), id_of(&world, "MUG"));
    world.with(|erp| {
        // For the mug alone the formula divides by nothing.
        assert!(erp.set_list_price(now, "MUG", "9.9876"));
        assert!(erp.set_price_list(now, "Odd", &[(None, 0, "unit_price / (list_price - 9.9876)")]));
    });
    run(async {
        let keys = bench.erp.keys(&bench.ctx, Kind::Price, &Cursor::default()).await.unwrap().keys;
        let ids: Vec<RemoteId> = keys.into_iter().map(|(id, _)| id).collect();
        for (id, told) in ids.iter().zip(told(&bench, &ids).await) {
            let told = told.unwrap();
            assert_eq!(told.lists.contains("Odd"), *id != mug, "{id:?}");
            assert!(told.lists.contains("list"));
        }
        world.with(|erp| {
            assert!(erp.edit_product(now, "MUG", None, "template.list_price", &Value::Null));
            assert!(erp.edit_product(now, "MUG", None, "active", &json!(false)));
        });
        let told = told(&bench, &[mug]).await.pop().unwrap().unwrap();
        assert_eq!((told.lists, told.rows.len()), (BTreeSet::from(["Odd".into(), "Prices without tax".into()]), 0));
    });
}

#[test]
fn without_price_lists_the_list_price_is_told_alone() {
    let world = World::new(true);
    let (now, mug) = (world.bench().ctx.now(), id_of(&world, "MUG"));
    world.with(|erp| assert!(erp.set_price_list(now, "Dealers", &[(None, 0, "unit_price * 0.9")])));
    run(async {
        let bench = world.bench();
        let mut setup = (*bench.erp.setup(&bench.ctx).await.unwrap()).clone();
        setup.own_company = None;
        let (lists, warnings) = bench.erp.price_lists(&bench.ctx, &setup).await.unwrap();
        assert!(lists.is_empty() && warnings.iter().any(|one| one.contains("own company")), "{warnings:?}");
        setup.currency = None;
        assert_eq!(bench.erp.prices(&bench.ctx, &setup, &[1]).await.unwrap_err().kind, ErrorKind::Config);

        // The module `sale_price_list`: without it Tryton would tell the list price in the place of any other.
        world.with(|erp| assert!(erp.directly(now, "ir.module", 16, &json!({"state": "not activated"}))));
        let bench = world.bench();
        assert!(!bench.erp.setup(&bench.ctx).await.unwrap().has_price_lists());
        let told = told(&bench, std::slice::from_ref(&mug)).await.pop().unwrap().unwrap();
        assert_eq!(told.lists, BTreeSet::from(["list".to_string()]));
        assert!(!bench.erp.changes(&bench.ctx, Kind::Price, &Cursor::default()).await.unwrap().seen.is_empty());
    });
}

#[test]
fn what_is_sold_by_pack_costs_and_weighs_a_whole_one_and_is_there_a_sixth_as_often() {
    let world = World::new(true);
    let bench = world.bench();
    let (now, mug) = (bench.ctx.now(), id_of(&world, "MUG"));
    let there = world.with(|erp| {
        assert!(erp.set_list_price(now, "MUG", "2.5"));
        assert!(erp.edit_product(now, "MUG", None, "weight", &json!(0.25)));
        let lines = [(None, 13, "unit_price * 0.5"), (None, 6, "unit_price * 0.8"), (None, 0, "unit_price")];
        assert!(erp.set_price_list(now, "Dealers", &lines) && erp.sell_in_packs(now, "MUG", 6));
        let ledger = erp.ledger();
        let stock = ledger.get("stock").unwrap().as_array().unwrap().clone();
        let rows = stock.iter().filter(|row| row.get("sku") == Some(&json!("MUG")));
        rows.map(|row| dec(row.get("on_hand").unwrap().as_str().unwrap())).sum::<Decimal>()
    });
    assert!(there > dec("6"));
    run(async {
        let price = told(&bench, std::slice::from_ref(&mug)).await.pop().unwrap().unwrap();
        let of = |list: &str| rows_of(&price).into_iter().filter(|row| row.0 == list).collect::<Vec<_>>();
        assert_eq!(of("list"), rows(&[("list", "1", "15")]));
        // From six pieces on is from one pack on, from thirteen on is from three on.
        assert_eq!(of("Dealers"), rows(&[("Dealers", "1", "12"), ("Dealers", "3", "7.5")]));
        let variant = bench.erp.read(&bench.ctx, Kind::Variant, std::slice::from_ref(&mug)).await.pop().unwrap();
        let Some((_, Record::Variant(variant))) = variant.unwrap().unwrap().records.pop() else { panic!("a variant") };
        assert_eq!(variant.weight, Some(dec("1.5")));
        let stock = bench.erp.read(&bench.ctx, Kind::Stock, std::slice::from_ref(&mug)).await.pop().unwrap();
        let Some((_, Record::Stock(stock))) = stock.unwrap().unwrap().records.pop() else { panic!("stock") };
        let on_hand: Decimal = stock.levels.values().filter_map(|level| level.on_hand).sum();
        assert_eq!((on_hand * dec("6")).round_dp(6), there);
    });
}

/// Reads prices of whatever the named Tryton holds: every product asked for, in the same order.
pub(super) async fn walk(bench: &Bench) {
    let page = bench.erp.keys(&bench.ctx, Kind::Price, &Cursor::default()).await.unwrap();
    let ids: Vec<RemoteId> = page.keys.into_iter().map(|(id, _)| id).take(100).collect();
    let read = bench.erp.read(&bench.ctx, Kind::Price, &ids).await;
    assert_eq!(read.len(), ids.len());
    let mut cursor = Cursor::default();
    for _ in 0..20 {
        let page = bench.erp.changes(&bench.ctx, Kind::Price, &cursor).await.unwrap();
        for seen in &page.seen {
            assert!(!price_of(seen.snapshot.as_ref().unwrap()).lists.is_empty());
        }
        cursor = page.next;
        if !page.more {
            return;
        }
    }
    panic!("the walk does not end");
}
