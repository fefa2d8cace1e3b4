//! Attributes: told by label, written by id, a choice made before a product can have it, and never a second one.

use super::super::{Auth, Config, Magento};
use super::world::{Fault, Held, TOKEN};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use syncline_connect::{Connector, Outcome};
use syncline_core::delivery::{Change, Noted, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_sim::http::System;

const SKU: &str = "MUG";

/// A shop whose attributes of these codes are carried.
fn carrying(codes: &[&str]) -> Magento {
    let attributes = codes.iter().map(|code| (*code).to_owned()).collect();
    let auth = Auth::Token(TOKEN.into());
    Magento::new(Config {
        url: "http://shop.example".into(),
        auth,
        views: BTreeMap::new(),
        website: None,
        category_root: None,
        attributes,
        images: false,
        groups: false,
        families: false,
        notify_shipments: false,
        papers: true,
    })
}

fn path(code: &str) -> Path {
    Path::try_from(format!("attributes.{code}")).unwrap()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

async fn shown(held: &Held, shop: &Magento, code: &str) -> Leaf {
    let read = shop.read(&held.ctx(), Kind::Variant, &[RemoteId::new("", SKU)]).await.remove(0).unwrap().unwrap();
    read.records[0].1.to_leaves().get(&path(code))
}

async fn write(held: &Held, shop: &Magento, code: &str, value: Option<Value>) -> Outcome {
    let mut leaves = Leaves::new();
    leaves.tell(path(code), value);
    let change = Change {
        kind: Kind::Variant,
        step: Step::Update,
        mark: Mark::new("SLTEST"),
        document: Some(RemoteId::new("", SKU)),
        expect: None,
        elements: std::collections::BTreeMap::new(),
        adopt_only: false,
        leaves,
    };
    let noted = Noted::committed(DeliveryId(7), Epoch(2), 1, held.now() + jiff::SignedDuration::from_secs(60));
    shop.write(&held.ctx(), vec![advance(noted, change)]).await.remove(0)
}

fn choices(held: &Held, code: &str) -> Vec<String> {
    let ledger = held.with(|world| world.shop.ledger());
    ledger["choices"][code].as_array().unwrap().iter().filter_map(Json::as_str).map(str::to_owned).collect()
}

#[tokio::test]
async fn each_form_is_written_read_back_and_taken_away() {
    let held = Held::new(0);
    let shop = carrying(&["ean", "washable", "watts"]);
    let values = [
        ("ean", text("4006381333931")),
        ("washable", Value::Bool(false)),
        ("watts", Value::Number(Decimal::new(125, 1))),
    ];
    for (code, value) in values {
        assert_eq!(shown(&held, &shop, code).await, Leaf::Empty);
        let outcome = write(&held, &shop, code, Some(value.clone())).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{code}: {outcome:?}");
        assert_eq!(shown(&held, &shop, code).await, Leaf::Value(value));
        assert!(matches!(write(&held, &shop, code, None).await, Outcome::Done(_)));
        assert_eq!(shown(&held, &shop, code).await, Leaf::Empty);
    }
    assert_eq!(shown(&held, &carrying(&["ean"]), "watts").await, Leaf::Untold, "what is not carried is not told");
}

#[tokio::test]
async fn a_choice_is_made_first_and_the_change_is_planned_anew() {
    let held = Held::new(0);
    let shop = carrying(&["color", "material"]);
    for (code, label, made) in [("color", "Größer & grün", 1), ("material", "Cotton\nWool", 2)] {
        for _ in 0..made {
            let first = write(&held, &shop, code, Some(text(label))).await;
            assert!(matches!(&first, Outcome::Refused(error) if error.kind == ErrorKind::Stale), "{first:?}");
            assert_eq!(shown(&held, &shop, code).await, Leaf::Empty, "nothing of the product was written yet");
        }
        assert!(matches!(write(&held, &shop, code, Some(text(label))).await, Outcome::Done(_)));
        assert_eq!(shown(&held, &shop, code).await, Leaf::Value(text(label)));
    }
    assert_eq!(choices(&held, "material"), ["Cotton", "Wool"]);
    let other = write(&held, &shop, "color", Some(text("größer & GRÜN"))).await;
    assert!(matches!(other, Outcome::Done(_)), "{other:?}");
    assert_eq!(choices(&held, "color"), ["Größer & grün"], "the size of letters makes no other choice");
}

#[tokio::test]
async fn a_choice_is_there_once_whatever_becomes_of_the_answer() {
    for fault in [Fault::LostReply, Fault::Twice, Fault::Cut(0)] {
        let held = Held::new(0);
        let shop = carrying(&["color"]);
        assert_eq!(shown(&held, &shop, "color").await, Leaf::Empty);
        let mut first = true;
        held.with(|world| {
            world.rule = Some(Box::new(move |request| match request.method == "POST" && std::mem::take(&mut first) {
                true => fault,
                false => Fault::None,
            }));
        });
        let outcome = write(&held, &shop, "color", Some(text("Red"))).await;
        assert!(!matches!(outcome, Outcome::Done(_)), "{fault:?}: {outcome:?}");
        // Somebody else who had not heard of it either.
        let late = carrying(&["color"]);
        let done = write(&held, &late, "color", Some(text("Red"))).await;
        assert!(matches!(done, Outcome::Done(_)), "{fault:?}: {done:?}");
        assert_eq!(choices(&held, "color"), ["Red"], "{fault:?}");
    }
}

#[tokio::test]
async fn two_who_make_one_choice_at_once_make_it_once() {
    let held = Held::new(0);
    let (one, other) = (carrying(&["color"]), carrying(&["color"]));
    for shop in [&one, &other] {
        assert_eq!(shown(&held, shop, "color").await, Leaf::Empty);
    }
    for shop in [&one, &other] {
        let outcome = write(&held, shop, "color", Some(text("Red"))).await;
        assert!(matches!(&outcome, Outcome::Refused(error) if error.kind == ErrorKind::Stale), "{outcome:?}");
    }
    assert_eq!(choices(&held, "color"), ["Red"]);
}

#[tokio::test]
async fn a_choice_people_added_is_known_at_the_next_look() {
    let held = Held::new(0);
    let shop = carrying(&["color"]);
    assert_eq!(shown(&held, &shop, "color").await, Leaf::Empty);
    held.with(|world| assert!(world.shop.edit_product(world.now, SKU, None, "attributes.color", "Amber")));
    assert_eq!(shown(&held, &shop, "color").await, Leaf::Value(text("Amber")));
}

#[tokio::test]
async fn a_probe_says_what_is_there_and_why_the_rest_is_not() {
    let held = Held::new(0);
    let shop = carrying(&["color", "nope", "price", "tax_class_id"]);
    let probe = shop.probe(&held.ctx()).await.unwrap();
    let told: Vec<(&str, &str)> =
        probe.choices["attributes"].iter().map(|one| (one.code.as_str(), one.hint.as_str())).collect();
    assert_eq!(told, [("color", "choice"), ("tax_class_id", "choice")]);
    let reads = &probe.profile.kinds[&Kind::Variant].reads;
    assert!(reads.contains(&"attributes.color".to_owned()) && !reads.contains(&"attributes.nope".to_owned()));
    let why: Vec<&String> = probe.warnings.iter().filter(|text| text.contains("attributes.")).collect();
    assert!(why.len() == 2 && why[0].contains("nope") && why[1].contains("price"), "{why:?}");
    assert_eq!(shown(&held, &shop, "tax_class_id").await, Leaf::Value(text("Taxable Goods")));
    let fit = shop.fit(Kind::Variant, &path("tax_class_id"), &text("Goods VAT 19%"));
    assert!(matches!(&fit, Fit::Refused(why) if why.contains("flows.products.choices.tax_class_id")), "{fit:?}");
}

proptest! {
    #[test]
    fn a_fit_of_a_fit_is_that_fit(
        words in prop_oneof!["\\PC{0,12}", "[rR]ed", "red\n Blue", "\\PC{250,270}"],
        number in (any::<i32>(), 0u32..8).prop_map(|(m, s)| Decimal::new(m.into(), s)),
    ) {
        let held = Held::new(0);
        let codes = ["ean", "color", "material", "washable", "watts"];
        let shop = carrying(&codes);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { shown(&held, &shop, "ean").await });
        for code in codes {
            for value in [Value::Text(words.clone()), Value::Number(number), Value::Bool(true)] {
                if let Fit::As(kept, why) = shop.fit(Kind::Variant, &path(code), &value) {
                    prop_assert!(!why.is_empty());
                    let again = shop.fit(Kind::Variant, &path(code), &kept);
                    let same = match again {
                        Fit::Exact => true,
                        Fit::As(other, _) => other == kept,
                        Fit::Refused(_) => false,
                    };
                    prop_assert!(same, "{}: {:?} becomes {:?}", code, value, kept);
                }
            }
        }
    }
}
