//! Products: as a live Tryton told them (`fixtures/products.json`), and their fields written in fair weather and foul.

use super::super::map::{self, Texts};
use super::super::wire::{TextRow, VariantRow};
use super::bench::{Bench, Weather, World, dec, run, variant_of};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use syncline_connect::{Connector, Cursor, Outcome, Snapshot};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_sim::http::System;

pub(super) fn path(text: &str) -> Path {
    Path::try_from(text.to_string()).unwrap()
}

fn leaves(text: &str, value: Option<Value>) -> Leaves {
    let mut leaves = Leaves::new();
    leaves.tell(path(text), value);
    leaves
}

fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.to_string()))
}

/// A product that is alone in its template, or one of several, as the feed tells it.
pub(super) async fn told(bench: &Bench, alone: bool) -> Snapshot {
    let page = bench.erp.changes(&bench.ctx, Kind::Variant, &Cursor::default()).await.unwrap();
    let snapshots = page.seen.into_iter().map(|seen| seen.snapshot.unwrap());
    let mut families: Vec<(String, Snapshot)> = snapshots
        .map(|snapshot| (variant_of(&snapshot).texts.get("en").unwrap().name.clone().unwrap(), snapshot))
        .filter(|(_, snapshot)| variant_of(snapshot).active == Some(true))
        .collect();
    let names: Vec<String> = families.iter().map(|(name, _)| name.clone()).collect();
    families.retain(|(name, _)| (names.iter().filter(|other| *other == name).count() == 1) == alone);
    families.remove(0).1
}

fn told_text(snapshot: &Snapshot, locale: &str, field: &str) -> String {
    let texts = variant_of(snapshot).texts.get(locale).unwrap();
    if field == "name" { texts.name.clone().unwrap() } else { texts.description.clone().unwrap() }
}

async fn edit(bench: &Bench, on: &Snapshot, at: &str, value: Option<Value>) -> Outcome {
    bench.one(bench.permit(Kind::Variant, Step::Update, &bench.mark("x"), Some(on), leaves(at, value))).await
}

async fn edited(bench: &Bench, on: &Snapshot, at: &str, value: Option<Value>) -> Snapshot {
    match edit(bench, on, at, value).await {
        Outcome::Done(snapshot) => *snapshot,
        other => panic!("{at}: {other:?}"),
    }
}

async fn refused(bench: &Bench, on: &Snapshot, at: &str, value: Option<Value>) -> (ErrorKind, String) {
    match edit(bench, on, at, value).await {
        Outcome::Refused(error) => (error.kind, error.message),
        other => panic!("{at}: {other:?}"),
    }
}

/// Every field of one product written and read back; it is left as it was found, but for texts that were not there.
pub(super) async fn walk(bench: &Bench) {
    let first = told(bench, true).await;
    let name = told_text(&first, "en", "name");
    let german = format!("Becher {}", bench.run);
    let now = edited(bench, &first, "texts.de.name", text(&german)).await;
    assert_eq!((told_text(&now, "de", "name"), told_text(&now, "en", "name")), (german.clone(), name.clone()));
    assert_eq!(refused(bench, &first, "texts.de.name", text("late")).await.0, ErrorKind::Stale);
    let now = edited(bench, &now, "texts.fr.description", text(" Joli\r\n<b>bol</b>\t")).await;
    assert_eq!(told_text(&now, "fr", "description"), " Joli\r\n<b>bol</b>\t");
    assert_eq!(refused(bench, &first, "texts.fr.description", text("late")).await.0, ErrorKind::Stale);
    let now = edited(bench, &now, "texts.en.name", text("Another name")).await;
    assert_eq!(told_text(&now, "de", "name"), german, "the others are not outdated");
    let now = edited(bench, &now, "texts.en.name", text(&name)).await;
    let now = edited(bench, &now, "texts.de.name", None).await;
    assert_eq!((told_text(&now, "de", "name"), told_text(&now, "en", "name")), (String::new(), name.clone()));
    let now = edited(bench, &now, "texts.fr.description", None).await;
    assert_eq!(told_text(&now, "fr", "description"), "");
    let now = match variant_of(&now).weight.is_some() {
        true => {
            let now = edited(bench, &now, "weight", Some(Value::Number(dec("0.12505")))).await;
            assert_eq!(variant_of(&now).weight, Some(dec("0.12505")));
            let now = edited(bench, &now, "weight", Some(Value::Number(dec("2.5")))).await;
            assert_eq!(variant_of(&now).weight, Some(dec("2.5")));
            edited(bench, &now, "weight", None).await
        }
        false => now,
    };
    assert!(variant_of(&now).weight.is_none_or(|weight| weight.is_zero()));
    let several = told(bench, false).await;
    let (kind, message) = refused(bench, &several, "texts.en.name", text("One of them")).await;
    assert!(kind == ErrorKind::Invalid && message.contains("variants in Tryton"), "{message}");
    edited(bench, &several, "texts.de.description", text(&german)).await;
    assert!(variant_of(&now).changed.by.is_some() && variant_of(&now).changed.at.is_some());
}

#[test]
fn every_field_is_written_where_it_lives_and_read_back() {
    for measured in [true, false] {
        let world = World::new(measured);
        run(walk(&world.bench()));
        let probe = run(async { world.bench().erp.probe(&world.bench().ctx).await.unwrap() });
        let variants = probe.profile.kinds.get(&Kind::Variant).unwrap();
        assert_eq!(variants.writes.contains(&"weight".to_string()), measured);
        let languages: Vec<&str> =
            probe.choices.get("languages").unwrap().iter().map(|one| one.code.as_str()).collect();
        assert_eq!(languages, ["en", "de", "fr"]);
    }
}

#[test]
fn one_text_in_one_language_is_one_call_and_a_lost_reply_is_not_sent_twice() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let first = told(&bench, true).await;
        world.sent();
        let now = edited(&bench, &first, "texts.de.description", text("Schön")).await;
        let writes: Vec<_> = world.sent().into_iter().filter(|(_, notes)| *notes > 0).collect();
        assert_eq!(writes, [("model.product.product.write".to_string(), 1)]);
        world.weather(&[Weather::ReplyLost]);
        let lost = edit(&bench, &now, "texts.de.name", text("Becher")).await;
        assert!(matches!(lost, Outcome::Unknown { .. }), "{lost:?}");
        assert_eq!(world.sent().iter().filter(|(_, notes)| *notes > 0).count(), 1);
        assert_eq!(told_text(&told(&bench, true).await, "de", "name"), "Becher", "it had landed");
        world.weather(&[Weather::Refused]);
        assert_eq!(refused(&bench, &now, "texts.de.description", text("x")).await.0, ErrorKind::Unreachable);
    });
}

#[test]
fn what_a_person_wrote_meanwhile_is_not_overwritten() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let first = told(&bench, true).await;
        let sku = variant_of(&first).sku.clone().unwrap();
        world.pass(SignedDuration::from_secs(5));
        let now = bench.ctx.now();
        let act = |language, field: &str, value: Json| {
            assert!(world.with(|erp| erp.edit_product(now, &sku, language, field, &value)), "{field}");
        };
        act(Some("de"), "name", json!("Eimer"));
        assert_eq!(refused(&bench, &first, "texts.fr.name", text("Seau")).await.0, ErrorKind::Stale);
        let apart = edited(&bench, &first, "texts.fr.description", text("Un seau")).await;
        assert_eq!(told_text(&apart, "de", "name"), "Eimer");
        act(None, "description", json!("A bucket"));
        assert_eq!(refused(&bench, &apart, "active", Some(Value::Bool(false))).await.0, ErrorKind::Stale);
        act(None, "name", json!("Bucket"));
        let after = told(&bench, true).await;
        assert_eq!(told_text(&after, "de", "name"), "Eimer", "outdated, not gone");
        assert_eq!(variant_of(&after).changed.by.as_deref(), Some("Administrator"));
        let ledger = world.with(|erp| erp.ledger());
        let held = ledger.get("products").unwrap().as_array().unwrap();
        let held = held.iter().find(|one| one.get("code") == Some(&json!(sku))).unwrap();
        assert_eq!(held.pointer("/texts/fr/description"), Some(&json!("Un seau")));
        assert_eq!((held.get("name"), held.get("active")), (Some(&json!("Bucket")), Some(&json!(true))));
    });
}

#[test]
fn what_cannot_be_written_is_refused_with_a_reason() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let alone = told(&bench, true).await;
        for (at, value, what) in [
            ("texts.es.name", text("Taza"), "language `es`"),
            ("texts.en.name", None, "A value is required"),
            ("texts.de.name", text("a\tb"), "invalid chars"),
            ("sku", text("OTHER"), "cannot be set"),
            ("active", text("yes"), "cannot be set"),
            ("active", Some(Value::Bool(false)), "has still some quantities"),
            ("weight", Some(Value::Number(dec("0.000001"))), "no unit of weight"),
        ] {
            let (kind, message) = refused(&bench, &alone, at, value).await;
            assert!(
                [ErrorKind::Invalid, ErrorKind::Config].contains(&kind) && message.contains(what),
                "{at}: {message}"
            );
        }
        let sku = variant_of(&alone).sku.clone().unwrap();
        let now = bench.ctx.now();
        let held = world.with(|erp| {
            let ledger = erp.ledger();
            let rows = ledger.get("stock").unwrap().as_array().unwrap();
            let row = rows.iter().find(|row| row.get("sku") == Some(&json!(sku))).unwrap();
            row.get("on_hand").unwrap().as_str().unwrap().parse::<u32>().unwrap()
        });
        assert!(world.with(|erp| erp.take(now, &sku, held)));
        let off = edited(&bench, &alone, "active", Some(Value::Bool(false))).await;
        assert_eq!(variant_of(&off).active, Some(false), "nothing lies there any more");
        let on = edited(&bench, &off, "active", Some(Value::Bool(true))).await;
        assert!(world.with(|erp| erp.edit_product(now, &sku, None, "template.active", &json!(false))));
        let (kind, message) = refused(&bench, &on, "active", Some(Value::Bool(true))).await;
        assert!(kind == ErrorKind::Invalid && message.contains("out of use"), "{message}");
        let template = world.with(|erp| {
            assert!(erp.edit_product(now, &sku, None, "salable", &json!(true)));
            erp.edit_product(now, "NO SUCH", None, "name", &json!("x"))
        });
        assert!(!template, "no product has that code");
    });
}

#[test]
fn parts_are_one_request_each_and_texts_come_last() {
    let world = World::new(true);
    let bench = world.bench();
    let mut all = Leaves::new();
    for (at, value) in [
        ("active", Some(Value::Bool(true))),
        ("texts.de.description", text("d")),
        ("texts.de.name", text("n")),
        ("texts.en.name", None),
        ("weight", Some(Value::Number(dec("1")))),
    ] {
        all.tell(path(at), value);
    }
    let parts = bench.erp.split(Kind::Variant, &all);
    let order: Vec<String> = parts.iter().flat_map(|part| part.iter().map(|(path, _)| path.to_string())).collect();
    assert_eq!(order, ["active", "weight", "texts.de.description", "texts.de.name", "texts.en.name"]);
    assert!(parts.iter().all(|part| part.len() == 1));
    assert_eq!(bench.erp.split(Kind::Stock, &all), [all]);
}

#[derive(Deserialize)]
struct Recording {
    rows: String,
    texts: String,
}

#[test]
fn contract_recorded_products_mean_what_they_say() {
    let recorded: Recording = serde_json::from_str(include_str!("../fixtures/products.json")).unwrap();
    let result = |answer: &str| serde_json::from_str::<Json>(answer).unwrap().get("result").unwrap().clone();
    let world = World::new(true);
    let bench = world.bench();
    let setup = run(bench.erp.setup(&bench.ctx)).unwrap();
    let mut texts = Texts::default();
    for row in Vec::<TextRow>::deserialize(result(&recorded.texts)).unwrap() {
        texts.add(row);
    }
    let rows = Vec::<VariantRow>::deserialize(result(&recorded.rows)).unwrap();
    let leaves = |code: &str| {
        let row = rows.iter().find(|row| row.code.as_deref() == Some(code)).unwrap();
        map::variant_record(row, &texts, &map::Siblings::new(), &setup, (None, &[])).to_leaves()
    };
    let spoon = leaves("SPOON");
    for (at, wanted) in [
        ("texts.en.name", Leaf::Value(Value::Text("Spoon".into()))),
        ("texts.de.name", Leaf::Value(Value::Text("Esslöffel".into()))),
        ("texts.fr.name", Leaf::Empty),
        ("texts.de.description", Leaf::Value(Value::Text("D".into()))),
        ("texts.en.description", Leaf::Empty),
        ("weight", Leaf::Value(Value::Number(dec("0.125")))),
        ("changed.by", Leaf::Value(Value::Text("Sync".into()))),
    ] {
        assert_eq!(spoon.get(&path(at)), wanted, "{at}");
    }
    let bolt = leaves("BOLT-M8");
    assert_eq!(bolt.get(&path("active")), Leaf::Value(Value::Bool(false)), "its template is out of use");
    assert_eq!(bolt.get(&path("texts.de.name")), Leaf::Empty, "Tryton shows the English one there");
    assert_eq!((leaves("MUG").get(&path("weight")), map::locale("es_419")), (Leaf::Empty, "es-419".to_string()));
}

proptest! {
    #[test]
    fn what_is_kept_of_a_product_is_kept_again(
        text in "(\\PC|\\s|\\x00|\\t){0,20}", field in 0usize..3, units in -9i64..999_999_999, scale in 0u32..9
    ) {
        let erp = World::new(true).bench().erp;
        let at = path(["texts.de.name", "texts.de.description", "weight"].get(field).copied().unwrap());
        let value = match field {
            2 => Value::Number(rust_decimal::Decimal::new(units, scale)),
            _ => Value::Text(text.clone()),
        };
        match erp.fit(Kind::Variant, &at, &value) {
            Fit::Exact => {}
            Fit::As(kept, _) => prop_assert_eq!(erp.fit(Kind::Variant, &at, &kept), Fit::Exact),
            Fit::Refused(_) => prop_assert!(text.trim_matches(|c: char| c.is_control() || c.is_whitespace()).is_empty() || field == 2),
        }
    }
}
