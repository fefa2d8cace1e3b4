//! Products against recorded answers and a simulated shop: texts by locale, scopes, and what may go wrong on the way.

use super::super::map;
use super::super::views::Views;
use super::super::wire;
use super::world::{Fault, Held, TOKEN, shop};
use crate::magento::{Auth, Config, Magento};
use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Connector, Cursor, Outcome, Result, Seen, Snapshot};
use syncline_core::delivery::{Change, Noted, Permit, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Record, Variant};
use syncline_sim::http::System;

const HTML: Fault = Fault::Answer(502, &[("content-type", "text/html")], "<html><h1>Bad Gateway</h1></html>");
const CRASH: Fault = Fault::Answer(500, &[], r#"{"message":"Internal Error. Report ID: webapi-1"}"#);
const ENDED: Fault = Fault::Answer(
    401,
    &[],
    r#"{"message":"The consumer isn't authorized to access %resources.","parameters":{"resources":"Magento_Catalog::products"}}"#,
);

/// A shop in three languages.
fn three() -> Held {
    let held = Held::new(0);
    held.with(|world| world.shop.add_languages());
    held
}

fn id(sku: &str) -> RemoteId {
    RemoteId::new("", sku)
}

fn path(text: &str) -> Path {
    Path::try_from(text.to_owned()).unwrap()
}

fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.to_owned()))
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn edit(held: &Held, sku: &str, view: Option<&str>, field: &str, value: &str) {
    held.with(|world| assert!(world.shop.edit_product(world.now, sku, view, field, value), "{sku} {field}"));
}

fn permit(held: &Held, sku: &str, fields: &[(&str, Option<Value>)]) -> Permit {
    let mut leaves = Leaves::new();
    for (at, value) in fields {
        leaves.tell(path(at), value.clone());
    }
    let (step, mark) = (Step::Update, Mark::new("SLTEST"));
    let change = Change {
        kind: Kind::Variant,
        step,
        mark,
        document: Some(id(sku)),
        expect: None,
        elements: std::collections::BTreeMap::new(),
        adopt_only: false,
        leaves,
    };
    advance(Noted::committed(DeliveryId(1), Epoch(1), 1, held.now() + SignedDuration::from_secs(60)), change)
}

fn variant(snapshot: &Snapshot) -> &Variant {
    match snapshot.records.first() {
        Some((_, Record::Variant(variant))) => variant,
        other => panic!("a variant, not {other:?}"),
    }
}

async fn try_read(magento: &Magento, held: &Held, sku: &str) -> Result<Option<Snapshot>> {
    magento.read(&held.ctx(), Kind::Variant, &[id(sku)]).await.remove(0)
}

async fn read(magento: &Magento, held: &Held, sku: &str) -> Variant {
    variant(&try_read(magento, held, sku).await.expect("it can be read").expect("it is there")).clone()
}

/// Name and description by locale.
fn texts(variant: &Variant) -> Vec<(&str, &str, &str)> {
    fn told(text: Option<&String>) -> &str {
        text.map_or("(untold)", String::as_str)
    }
    let rows = variant
        .texts
        .iter()
        .map(|(locale, texts)| (locale.as_str(), told(texts.name.as_ref()), told(texts.description.as_ref())));
    rows.collect()
}

async fn write(magento: &Magento, held: &Held, sku: &str, fields: &[(&str, Option<Value>)]) -> Outcome {
    magento.write(&held.ctx(), vec![permit(held, sku, fields)]).await.remove(0)
}

fn done(outcome: Outcome) -> Variant {
    match outcome {
        Outcome::Done(snapshot) => variant(&snapshot).clone(),
        other => panic!("it is done, not {other:?}"),
    }
}

fn refused(outcome: Outcome) -> (ErrorKind, String) {
    match outcome {
        Outcome::Refused(error) => (error.kind, error.message),
        other => panic!("it is refused, not {other:?}"),
    }
}

fn kept(held: &Held, sku: &str) -> Json {
    let ledger = held.with(|world| world.shop.ledger());
    ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == sku).cloned().unwrap()
}

/// One pass over the changes to its end.
async fn pass(magento: &Magento, held: &Held, since: &Cursor) -> (Vec<Seen>, Cursor) {
    let (ctx, mut seen, mut cursor) = (held.ctx(), Vec::new(), since.clone());
    for _ in 0..100 {
        let page = magento.changes(&ctx, Kind::Variant, &cursor).await.expect("a page");
        seen.extend(page.seen);
        cursor = page.next;
        if !page.more {
            return (seen, cursor);
        }
    }
    panic!("the pass does not end");
}

fn recorded(name: &str) -> Json {
    let all: Vec<Json> = serde_json::from_str(include_str!("../fixtures/catalogue.json")).expect("recordings");
    let one = all.into_iter().find(|exchange| exchange["name"] == name).expect("a recording of that name");
    one["response"]["body"].clone()
}

#[test]
fn recorded_views_and_texts_are_understood() {
    let (views, configs) =
        (wire::typed::<Vec<_>>(&recorded("store-views")), wire::typed::<Vec<_>>(&recorded("store-configs")));
    let views = Views::new(&views.unwrap(), &configs.unwrap(), &BTreeMap::new(), None);
    assert_eq!(views.main.as_ref().map(|main| main.0.as_str()), Some("en"));
    assert_eq!(
        (views.others.len(), views.others[0].locale.0.as_str(), views.others[0].code.as_str()),
        (1, "de", "german")
    );
    assert_eq!(views.unit, super::super::weight::Unit::Pounds);
    let lamp = |name: &str| {
        let texts = map::texts(&wire::typed(&recorded(name)).expect("a product")).unwrap();
        (texts.name.unwrap(), texts.description)
    };
    let told = |name: &str, description: &str| (name.to_owned(), Some(description.to_owned()));
    assert_eq!(lamp("product-german-name"), told("Lampe", "Eine Lampe"));
    // A product made without a weight tells none.
    let whole: wire::Product = wire::typed(&recorded("product-german-disable")).unwrap();
    assert!(whole.weight.is_none());
    assert_eq!(whole.status.map(|status| status.0), Some("2".to_owned()));
}

#[tokio::test]
async fn texts_are_read_in_three_languages_and_fall_back() {
    let (held, magento) = (three(), shop());
    edit(&held, "MUG", Some("german"), "name", "Becher");
    edit(&held, "MUG", None, "description", "A <b>mug</b>");
    edit(&held, "MUG", Some("french"), "description", "Une tasse");
    let mug = read(&magento, &held, "MUG").await;
    let wanted = [("de", "Becher", "A <b>mug</b>"), ("en", "Mug", "A <b>mug</b>"), ("fr", "Mug", "Une tasse")];
    assert_eq!(texts(&mug), wanted);
    assert_eq!((mug.sku.as_deref(), mug.form.as_deref(), mug.active), (Some("MUG"), Some("simple"), Some(true)));
    assert_eq!((mug.serial.as_deref(), mug.changed.at), (Some("6"), Some(held.now())));
    // 0.2 pounds.
    assert_eq!(mug.weight, Some(number("0.090718")));
    let lamp = read(&magento, &held, "LAMP-1").await;
    let leaves = Record::Variant(lamp).to_leaves();
    assert_eq!(leaves.get(&path("weight")), Leaf::Empty, "told as nothing");
    assert_eq!(leaves.get(&path("texts.de.description")), Leaf::Empty);
    // An own empty text hides that of all.
    edit(&held, "MUG", Some("german"), "description", "");
    assert_eq!(texts(&read(&magento, &held, "MUG").await)[0], ("de", "Becher", ""));
}

#[tokio::test]
async fn a_view_has_one_list_a_page_and_a_shop_with_one_view_none() {
    let (held, magento) = (Held::new(0), shop());
    magento.changes(&held.ctx(), Kind::Variant, &Cursor::default()).await.unwrap();
    assert_eq!(held.log().iter().filter(|line| line.contains("/products")).count(), 1);
    assert!(try_read(&magento, &held, "MUG").await.unwrap().is_some());
    let log = held.log();
    assert_eq!(log.len(), 1, "{log:?}");
    assert!(log[0].starts_with("GET /rest/all/V1/products/MUG?fields="), "{log:?}");
    let (held, magento) = (three(), shop());
    let (seen, _) = pass(&magento, &held, &Cursor::default()).await;
    assert!(seen.len() >= 60 && seen.iter().all(|one| variant(one.snapshot.as_ref().unwrap()).texts.len() == 3));
    let lists =
        |log: &[String], scope: &str| log.iter().filter(|l| l.contains(&format!("/{scope}/V1/products?"))).count();
    let log = held.log();
    assert_eq!((lists(&log, "all"), lists(&log, "german"), lists(&log, "french")), (1, 1, 1), "{log:?}");
    assert!(log.iter().all(|line| line.len() < 2_500));
    let ids = ["MUG", "NOPE", "BOOK", "NUT/M8 ü", ""].map(id);
    let read = magento.read(&held.ctx(), Kind::Variant, &ids).await;
    let there: Vec<bool> = read.iter().map(|one| one.as_ref().unwrap().is_some()).collect();
    assert_eq!(there, [true, false, true, true, false]);
    assert_eq!(held.log().len(), 6);
}

#[tokio::test]
async fn the_feed_sees_an_edit_in_a_view_and_no_stock() {
    let (held, magento) = (three(), shop());
    let (_, cursor) = pass(&magento, &held, &Cursor::default()).await;
    held.wait(3600);
    edit(&held, "MUG", Some("german"), "name", "Becher");
    let (seen, cursor) = pass(&magento, &held, &cursor).await;
    let mugs: Vec<&Seen> = seen.iter().filter(|one| one.id == id("MUG")).collect();
    assert_eq!(texts(variant(mugs[0].snapshot.as_ref().unwrap()))[0].1, "Becher");
    held.wait(3600);
    held.with(|world| assert!(world.shop.buy(world.now, "MUG", 1)));
    edit(&held, "PEN", None, "status", "2");
    let (seen, _) = pass(&magento, &held, &cursor).await;
    let pen = seen.iter().find(|one| one.id == id("PEN")).unwrap();
    assert_eq!(variant(pen.snapshot.as_ref().unwrap()).active, Some(false));
}

#[tokio::test]
async fn products_are_read_once_however_many_share_a_second() {
    let (held, magento) = (Held::stocked(330, 0), shop());
    held.with(|world| world.shop.add_languages());
    let (seen, cursor) = pass(&magento, &held, &Cursor::default()).await;
    let mut ids: Vec<String> = seen.iter().map(|one| one.id.id.clone()).collect();
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all);
    let ledger = held.with(|world| world.shop.ledger());
    assert_eq!(ledger["products"].as_array().unwrap().len(), all);
    assert!(all >= 330 && seen.iter().all(|one| variant(one.snapshot.as_ref().unwrap()).texts.len() == 3));
    assert!(cursor.0.contains("high"));
}

#[tokio::test]
async fn a_page_without_a_views_texts_is_no_page() {
    let (held, magento) = (three(), shop());
    let (_, cursor) = pass(&magento, &held, &Cursor::default()).await;
    edit(&held, "MUG", Some("german"), "name", "Becher");
    for fault in [HTML, CRASH, Fault::Answer(200, &[], "<html>"), Fault::Cut(30)] {
        held.with(|world| {
            world.rule =
                Some(Box::new(move |request| if request.url.contains("/german/") { fault } else { Fault::None }));
        });
        assert!(magento.changes(&held.ctx(), Kind::Variant, &cursor).await.is_err(), "{fault:?}");
        let read = try_read(&magento, &held, "MUG").await;
        assert!(read.is_err(), "{fault:?}: {read:?}");
    }
    held.with(|world| world.rule = None);
    held.wait(60);
    let (seen, _) = pass(&magento, &held, &cursor).await;
    assert!(seen.iter().any(|one| one.id == id("MUG")));
}

#[tokio::test]
async fn one_product_a_view_fails_on_stops_no_other() {
    let (held, magento) = (three(), shop());
    held.with(|world| {
        world.rule = Some(Box::new(|request| {
            let Some((_, ids)) = request.url.split_once("[value]=") else { return Fault::None };
            let mut ids = ids.split('&').next().unwrap_or_default().split("%2C");
            if request.url.contains("/german/") && ids.any(|id| id == "6") { CRASH } else { Fault::None }
        }));
    });
    let (seen, _) = pass(&magento, &held, &Cursor::default()).await;
    let bad: Vec<&str> = seen.iter().filter(|one| one.snapshot.is_err()).map(|one| one.id.id.as_str()).collect();
    assert_eq!((bad, seen.len() >= 60), (vec!["MUG"], true));
    held.wait(3600);
    edit(&held, "MUG", None, "name", "Cup");
    let (seen, cursor) = pass(&magento, &held, &Cursor::default()).await;
    assert!(seen.len() >= 60);
    let (seen, _) = pass(&magento, &held, &cursor).await;
    assert!(seen.len() == 1 && seen[0].snapshot.is_err(), "alone on its page it stops nothing either");
}

#[tokio::test]
async fn a_product_that_a_views_list_leaves_out_is_asked_for_by_itself() {
    let (held, magento) = (three(), shop());
    edit(&held, "MUG", Some("german"), "name", "Becher");
    let none: &'static str = r#"{"items":null,"search_criteria":{},"total_count":0}"#;
    held.with(|world| {
        world.rule = Some(Box::new(move |request| {
            if request.url.contains("/german/V1/products?") { Fault::Answer(200, &[], none) } else { Fault::None }
        }));
    });
    assert_eq!(texts(&read(&magento, &held, "MUG").await)[0].1, "Becher");
    let gone: &'static str =
        r#"{"message":"The product that was requested doesn't exist. Verify the product and try again."}"#;
    held.with(|world| {
        world.rule = Some(Box::new(move |request| match request.url.contains("/german/") {
            true if request.url.contains("products?") => Fault::Answer(200, &[], none),
            true => Fault::Answer(404, &[], gone),
            false => Fault::None,
        }));
    });
    let mug = read(&magento, &held, "MUG").await;
    assert_eq!(mug.texts.keys().collect::<Vec<_>>(), ["en", "fr"], "not told, not empty");
}

#[tokio::test]
async fn one_text_in_one_language_is_one_request() {
    let (held, magento) = (three(), shop());
    edit(&held, "MUG", Some("french"), "name", "Tasse");
    read(&magento, &held, "MUG").await;
    held.log();
    held.wait(5);
    let mug = done(write(&magento, &held, "MUG", &[("texts.de.name", text("Becher"))]).await);
    assert_eq!(texts(&mug), [("de", "Becher", ""), ("en", "Mug", ""), ("fr", "Tasse", "")]);
    assert_eq!(mug.changed.at, Some(held.now()));
    let log = held.log();
    let puts: Vec<&String> = log.iter().filter(|line| !line.starts_with("GET")).collect();
    assert_eq!(puts, ["PUT /rest/german/V1/products/MUG as attempt 1"]);
    assert_eq!(log.len(), 4, "the write, then each scope once: {log:?}");
    let row = kept(&held, "MUG");
    assert_eq!(row["views"]["german"], serde_json::json!({"name": "Becher", "description": null}));
    assert_eq!(row["views"]["french"], serde_json::json!({"name": "Tasse", "description": null}));
}

#[tokio::test]
async fn the_main_language_status_and_weight_are_those_of_all() {
    let (held, magento) = (three(), shop());
    let active = ("active", Some(Value::Bool(false)));
    let weight = ("weight", Some(Value::Number(number("0.453592"))));
    let mug = done(write(&magento, &held, "MUG", &[active, weight]).await);
    assert_eq!((mug.active, mug.weight), (Some(false), Some(number("0.453592"))));
    assert_eq!((&kept(&held, "MUG")["status"], &kept(&held, "MUG")["weight"]), (&2.into(), &"1".into()));
    let both = [("texts.en.name", text("Cup")), ("texts.en.description", text("A cup"))];
    done(write(&magento, &held, "MUG", &both).await);
    let puts: Vec<String> = held.log().into_iter().filter(|line| line.starts_with("PUT")).collect();
    assert!(puts.iter().all(|line| line.starts_with("PUT /rest/all/V1/products/MUG")), "{puts:?}");
    let cleared = done(write(&magento, &held, "MUG", &[("texts.en.description", None)]).await);
    assert_eq!(texts(&cleared)[1], ("en", "Cup", ""));
    let light = done(write(&magento, &held, "MUG", &[("weight", None)]).await);
    assert_eq!(Record::Variant(light).to_leaves().get(&path("weight")), Leaf::Empty);
    held.with(|world| world.shop.set_weight_unit("kgs"));
    held.wait(3600);
    let heavy = done(write(&magento, &held, "MUG", &[("weight", Some(Value::Number(number("2.5"))))]).await);
    assert_eq!((heavy.weight, &kept(&held, "MUG")["weight"]), (Some(number("2.5")), &"2.5".into()));
}

#[tokio::test]
async fn odd_texts_come_back_as_they_are() {
    let (held, magento) = (three(), shop());
    let odd = " “Becher” & <i>x</i> \u{202e}ü急須\n ";
    let long = format!("<p>{}</p>", "e\u{301}☂".repeat(9_000));
    let mug = done(
        write(&magento, &held, "MUG", &[("texts.de.name", text(odd)), ("texts.de.description", text(&long))]).await,
    );
    assert_eq!(texts(&mug)[0], ("de", odd, long.as_str()));
    let slash = done(write(&magento, &held, "NUT/M8 ü", &[("texts.fr.name", text("Écrou"))]).await);
    assert_eq!(texts(&slash)[2].1, "Écrou");
    let fit = |field: &str, text: &str| magento.fit(Kind::Variant, &path(field), &Value::Text(text.into()));
    let Fit::As(Value::Text(cut), _) = fit("texts.de.name", &"e\u{301}".repeat(300)) else { panic!("it is cut") };
    assert_eq!(cut, "e\u{301}".repeat(127), "whole letters");
    assert_eq!(fit("texts.de.name", &cut), Fit::Exact);
    assert_eq!(texts(&done(write(&magento, &held, "MUG", &[("texts.de.name", text(&cut))]).await))[0].1, cut);
    assert!(matches!(fit("texts.de.name", " "), Fit::Refused(_)));
    assert_eq!(fit("texts.de.description", &"x".repeat(300)), Fit::Exact);
}

#[tokio::test]
async fn what_the_database_makes_question_marks_of_is_left_out() {
    let (held, magento) = (three(), shop());
    let fit = |field: &str, text: &str| magento.fit(Kind::Variant, &path(field), &Value::Text(text.into()));
    for (whole, left) in [("👨‍👩‍👧Becher ❤️‍🔥 neu", "Becher ❤️ neu"), ("a🙂b", "ab"), ("𠮷野家", "野家")]
    {
        let Fit::As(Value::Text(kept), _) = fit("texts.de.name", whole) else { panic!("{whole}") };
        assert_eq!(kept, left);
        assert_eq!(fit("texts.de.description", left), Fit::Exact);
    }
    assert!(matches!(fit("texts.de.name", "🙂 "), Fit::Refused(_)));
    assert!(matches!(fit("texts.de.description", "🙂"), Fit::Refused(_)));
    let smile = [("texts.de.name", text("Becher 🙂"))];
    assert_eq!(refused(write(&magento, &held, "MUG", &smile).await).0, ErrorKind::Invalid);
    edit(&held, "MUG", None, "name", "Mug 🙂");
    assert_eq!(read(&magento, &held, "MUG").await.texts["en"].name.as_deref(), Some("Mug ????"), "so it is kept");
    // A shop that is set up for them shows one sooner or later.
    held.with(|world| world.shop.quirks_mut().all_characters = true);
    edit(&held, "MUG", None, "name", "Mug 🙂");
    read(&magento, &held, "MUG").await;
    assert_eq!(texts(&done(write(&magento, &held, "MUG", &smile).await))[0].1, "Becher 🙂");
    let Fit::As(Value::Text(cut), _) = fit("texts.de.name", &"👨‍👩‍👧".repeat(300)) else {
        panic!("it is cut")
    };
    assert_eq!(cut, "👨‍👩‍👧".repeat(51), "255 characters, whole families");
}

#[tokio::test]
async fn a_weight_fits_the_shops_unit() {
    let (held, magento) = (three(), shop());
    let fit = |text: &str| magento.fit(Kind::Variant, &Path::field("weight"), &Value::Number(number(text)));
    assert_eq!(fit("0.3"), Fit::Exact, "kilograms until the shop was asked");
    magento.probe(&held.ctx()).await.unwrap();
    let Fit::As(Value::Number(kept), _) = fit("0.3") else { panic!("pounds") };
    assert_eq!((kept, fit(&kept.to_string())), (number("0.300006"), Fit::Exact));
    let mug = done(write(&magento, &held, "MUG", &[("weight", Some(Value::Number(kept)))]).await);
    assert_eq!(mug.weight, Some(kept));
    let (kind, _) = refused(write(&magento, &held, "MUG", &[("weight", Some(Value::Number(number("0.3"))))]).await);
    assert_eq!(kind, ErrorKind::Invalid);
}

#[test]
fn an_update_goes_out_scope_by_scope() {
    let mut leaves = Leaves::new();
    for (at, value) in [
        ("texts.fr.name", text("Tasse")),
        ("weight", None),
        ("texts.de.description", None),
        ("active", Some(Value::Bool(true))),
        ("texts.de.name", text("Becher")),
    ] {
        leaves.tell(path(at), value);
    }
    let parts = shop().split(Kind::Variant, &leaves);
    let paths = |part: &Leaves| part.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>().join(" ");
    let told: Vec<String> = parts.iter().map(paths).collect();
    assert_eq!(told, ["active weight", "texts.de.description texts.de.name", "texts.fr.name"]);
    assert_eq!(shop().split(Kind::Stock, &leaves), [leaves]);
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_unsent() {
    let (held, magento) = (three(), shop());
    read(&magento, &held, "MUG").await;
    held.log();
    let long = "x".repeat(256);
    for (fields, kind) in [
        (vec![("texts.de.name", None)], ErrorKind::Invalid),
        (vec![("texts.de.name", text("  "))], ErrorKind::Invalid),
        (vec![("texts.de.name", text(&long))], ErrorKind::Invalid),
        (vec![("texts.es.name", text("Taza"))], ErrorKind::Invalid),
        (vec![("weight", Some(Value::Number(number("-1"))))], ErrorKind::Invalid),
        (vec![("sku", text("CUP"))], ErrorKind::Unsupported),
        (vec![("active", None)], ErrorKind::Unsupported),
        (vec![], ErrorKind::Unsupported),
        (vec![("texts.de.name", text("a")), ("texts.fr.name", text("b"))], ErrorKind::Unsupported),
    ] {
        let (told, message) = refused(write(&magento, &held, "MUG", &fields).await);
        assert_eq!(told, kind, "{fields:?}: {message}");
    }
    let late = permit(&held, "MUG", &[("texts.de.name", text("Becher"))]);
    held.wait(90);
    let (kind, _) = refused(magento.write(&held.ctx(), vec![late]).await.remove(0));
    assert_eq!(kind, ErrorKind::Stale);
    assert_eq!(held.log(), Vec::<String>::new());
}

#[tokio::test]
async fn what_may_have_arrived_is_unknown_and_what_did_not_is_refused() {
    let name = [("texts.de.name", text("Becher"))];
    let invalid = Fault::Answer(400, &[], r#"{"message":"Invalid %1 of %what","parameters":{"1":"name","what":"it"}}"#);
    for (fault, kind, says) in [
        (Fault::NotSent, ErrorKind::Unreachable, ""),
        (Fault::Answer(429, &[("retry-after", "7")], "{}"), ErrorKind::Busy, ""),
        (invalid, ErrorKind::Invalid, "Invalid name of it"),
        (ENDED, ErrorKind::Stale, "nothing was written"),
    ] {
        let (held, magento) = (three(), shop());
        read(&magento, &held, "MUG").await;
        held.with(|world| world.faults = [fault].into());
        let (told, message) = refused(write(&magento, &held, "MUG", &name).await);
        assert!(told == kind && message.contains(says), "{fault:?}: {told:?} {message}");
        assert_eq!(kept(&held, "MUG")["views"], serde_json::json!({}));
    }
    for (fault, arrived) in [(Fault::LostReply, true), (HTML, false), (CRASH, false), (Fault::Cut(9), true)] {
        let (held, magento) = (three(), shop());
        read(&magento, &held, "MUG").await;
        held.log();
        held.with(|world| world.faults = [fault].into());
        let outcome = write(&magento, &held, "MUG", &name).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{fault:?}: {outcome:?}");
        assert_eq!(held.log().len(), 1, "a write is never sent twice");
        assert_eq!(kept(&held, "MUG")["views"]["german"]["name"] == "Becher", arrived, "{fault:?}");
    }
}

#[tokio::test]
async fn an_unknown_sku_is_gone_whatever_the_shop_answers() {
    let (held, magento) = (three(), shop());
    let name = [("texts.de.name", text("Becher"))];
    assert_eq!(refused(write(&magento, &held, "NOPE", &name).await).0, ErrorKind::Gone);
    let makes = Fault::Answer(400, &[], r#"{"message":"The \"Price\" attribute value is empty."}"#);
    held.with(|world| world.faults = [makes].into());
    let (kind, message) = refused(write(&magento, &held, "NOPE", &name).await);
    assert!(kind == ErrorKind::Gone && message.contains("Price"), "{kind:?} {message}");
}

#[tokio::test]
async fn a_web_server_that_takes_no_encoded_slash_stops_only_the_write() {
    let (held, magento) = (three(), shop());
    held.with(|world| {
        world.rule = Some(Box::new(|request| {
            let page = Fault::Answer(404, &[("content-type", "text/html")], "<html>Not Found</html>");
            if request.url.contains("products/NUT%2FM8") { page } else { Fault::None }
        }));
    });
    let nut = read(&magento, &held, "NUT/M8 ü").await;
    assert_eq!((nut.texts.len(), nut.serial.as_deref()), (3, Some("2")));
    let (kind, message) = refused(write(&magento, &held, "NUT/M8 ü", &[("texts.de.name", text("Mutter"))]).await);
    assert!(kind == ErrorKind::Unsupported && message.contains("slash"), "{message}");
}

#[tokio::test]
async fn a_shop_with_input_limits_is_asked_for_less() {
    let (held, magento) = (three(), shop());
    held.with(|world| world.shop.quirks_mut().page_limit = 40);
    let (seen, _) = pass(&magento, &held, &Cursor::default()).await;
    assert!(seen.len() >= 60 && seen.iter().all(|one| variant(one.snapshot.as_ref().unwrap()).texts.len() == 3));
    let skus: Vec<RemoteId> = seen.iter().map(|one| one.id.clone()).collect();
    let read = magento.read(&held.ctx(), Kind::Variant, &skus).await;
    assert!(read.iter().all(|one| one.as_ref().unwrap().is_some()));
}

#[tokio::test]
async fn a_read_back_that_fails_leaves_the_write_unknown_but_learned() {
    let (held, magento) = (three(), shop());
    read(&magento, &held, "MUG").await;
    held.with(|world| world.faults = [Fault::None, HTML].into());
    let outcome = write(&magento, &held, "MUG", &[("texts.de.name", text("Becher"))]).await;
    assert!(matches!(&outcome, Outcome::Unknown { learned: Some(mug), .. } if *mug == id("MUG")), "{outcome:?}");
}

#[tokio::test]
async fn a_token_that_ends_while_a_page_is_read_is_renewed() {
    let (held, magento) = (three(), shop());
    read(&magento, &held, "MUG").await;
    held.with(|world| {
        let mut left = 1;
        world.rule = Some(Box::new(move |request| {
            if left > 0 && request.url.contains("/german/") {
                left -= 1;
                return ENDED;
            }
            Fault::None
        }));
    });
    let (seen, _) = pass(&magento, &held, &Cursor::default()).await;
    assert!(seen.iter().all(|one| variant(one.snapshot.as_ref().unwrap()).texts.len() == 3));
}

#[tokio::test]
async fn views_that_come_and_go_are_noticed() {
    let (held, magento) = (Held::new(0), shop());
    assert_eq!(read(&magento, &held, "MUG").await.texts.len(), 1);
    held.with(|world| world.shop.add_languages());
    held.wait(601);
    assert_eq!(read(&magento, &held, "MUG").await.texts.len(), 3);
    held.with(|world| assert!(world.shop.remove_store_view("french")));
    let error = try_read(&magento, &held, "MUG").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Busy, "{error}");
    assert_eq!(read(&magento, &held, "MUG").await.texts.keys().collect::<Vec<_>>(), ["de", "en"]);
    held.with(|world| assert!(world.shop.remove_store_view("german")));
    let name = [("texts.de.name", text("Becher"))];
    assert_eq!(refused(write(&magento, &held, "MUG", &name).await).0, ErrorKind::Stale);
    assert_eq!(refused(write(&magento, &held, "MUG", &name).await).0, ErrorKind::Invalid);
}

#[tokio::test]
async fn the_file_names_the_locale_of_a_view() {
    let held = three();
    held.with(|world| world.shop.add_store_view("swiss", "Swiss", "de_CH"));
    let views = [("de", "swiss"), ("it", "italian")].map(|(locale, code)| (locale.to_owned(), code.to_owned()));
    let auth = Auth::Token(TOKEN.into());
    let magento = Magento::new(Config {
        url: "http://shop.example".into(),
        auth,
        views: views.into(),
        category_root: None,
        website: None,
        attributes: BTreeSet::new(),
        images: false,
        groups: false,
        families: false,
        notify_shipments: false,
        papers: true,
    });
    edit(&held, "MUG", Some("swiss"), "name", "Chacheli");
    let mug = read(&magento, &held, "MUG").await;
    let names: Vec<(&str, &str)> = texts(&mug).into_iter().map(|(locale, name, _)| (locale, name)).collect();
    assert_eq!(names, [("de", "Chacheli"), ("de-DE", "Mug"), ("en", "Mug"), ("fr", "Mug")]);
    let warnings = magento.probe(&held.ctx()).await.unwrap().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("italian")), "{warnings:?}");
}
