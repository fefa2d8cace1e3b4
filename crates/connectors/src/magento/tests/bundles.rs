//! Bundles: read as what they are made of, changed by one request for each part, and left alone where buyers choose.

use super::world::{Fault, Held, shop};
use crate::magento::Magento;
use crate::magento::bundles::composition;
use crate::magento::wire;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use syncline_connect::{Connector, Cursor, Outcome};
use syncline_core::delivery::{Change, Noted, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Composition, Record};

const SET: &str = "GIFTSET";

fn quantity(count: &str) -> Value {
    Value::Number(count.parse().unwrap())
}

/// What becomes of a permit to have so many of a part, whatever we call it, in the bundle.
async fn set(held: &Held, magento: &Magento, part: &str, count: &str) -> Outcome {
    let path = Composition::part_path("ours");
    let mut leaves = Leaves::new();
    leaves.put(path.clone(), quantity(count));
    let change = Change {
        kind: Kind::Variant,
        step: Step::Update,
        mark: Mark::new("SLTEST"),
        document: Some(RemoteId::new("", SET)),
        expect: None,
        elements: BTreeMap::from([(path, part.to_owned())]),
        adopt_only: false,
        leaves,
    };
    let noted = Noted::committed(DeliveryId(7), Epoch(2), 1, held.now() + jiff::SignedDuration::from_secs(60));
    magento.write(&held.ctx(), vec![advance(noted, change)]).await.remove(0)
}

fn parts(record: &Record) -> Vec<(String, String)> {
    let Record::Variant(variant) = record else { panic!("no variant: {record:?}") };
    let Some(Composition::Fixed(parts)) = &variant.composition else { panic!("no parts: {variant:?}") };
    parts.iter().map(|(key, part)| (key.clone(), part.quantity.to_string())).collect()
}

fn done(outcome: Outcome) -> Vec<(String, String)> {
    match outcome {
        Outcome::Done(snapshot) => parts(&snapshot.records[0].1),
        other => panic!("not done: {other:?}"),
    }
}

fn of(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(sku, count)| ((*sku).to_owned(), (*count).to_owned())).collect()
}

fn stale(outcome: &Outcome, why: &str) -> bool {
    matches!(outcome, Outcome::Refused(error) if error.kind == ErrorKind::Stale && error.message.contains(why))
}

fn writes(held: &Held) -> Vec<String> {
    held.log().into_iter().filter(|line| line.contains(" as attempt ")).collect()
}

fn options(held: &Held) -> u64 {
    let ledger = held.with(|world| syncline_sim::http::System::ledger(&world.shop));
    let rows = ledger["products"].as_array().unwrap();
    rows.iter().find(|row| row["sku"] == SET).unwrap()["bundle_options"].as_u64().unwrap()
}

#[tokio::test]
async fn a_bundle_tells_its_parts_in_a_page_and_by_itself_and_others_tell_none() {
    let (held, magento) = (Held::new(0), shop());
    let read = magento.read(&held.ctx(), Kind::Variant, &[RemoteId::new("", SET), RemoteId::new("", "MUG")]).await;
    let told = |at: usize| read[at].as_ref().unwrap().as_ref().unwrap().records[0].1.clone();
    assert_eq!(parts(&told(0)), of(&[("BOOK", "1"), ("MUG", "2")]));
    assert!(matches!(told(1), Record::Variant(variant) if variant.composition.is_none()));
    let page = magento.changes(&held.ctx(), Kind::Variant, &Cursor::default()).await.unwrap();
    let set = page.seen.into_iter().find(|seen| seen.id.id == SET).unwrap().snapshot.unwrap();
    assert_eq!(parts(&set.records[0].1), of(&[("BOOK", "1"), ("MUG", "2")]));
}

/// What the recorded bundle tells after `change` was made to its first option.
fn changed(change: impl FnOnce(&mut Json)) -> Option<Composition> {
    let mut doc = json!({"id": 9, "sku": SET, "type_id": "bundle", "extension_attributes": {"bundle_product_options": [
        {"option_id": 3, "title": "Mug", "required": true, "type": "select", "position": 1, "sku": SET, "product_links": [
            {"id": "3", "sku": "MUG", "option_id": 3, "qty": 2, "position": 1, "is_default": true, "price": 9.99,
             "price_type": null, "can_change_quantity": 0}]}]}});
    change(&mut doc["extension_attributes"]["bundle_product_options"][0]);
    composition(&wire::typed::<wire::Product>(&doc).unwrap())
}

#[test]
fn what_buyers_choose_is_no_part() {
    let fixed = changed(|_| ()).unwrap();
    assert!(matches!(&fixed, Composition::Fixed(parts) if parts["MUG"].quantity == Decimal::TWO), "{fixed:?}");
    let twice = |option: &mut Json| {
        let link = option["product_links"][0].clone();
        option["product_links"].as_array_mut().unwrap().push(link);
    };
    type Changes<'c> = [(&'c str, &'c dyn Fn(&mut Json)); 5];
    let changes: Changes<'_> = [
        ("may be left out", &|option| option["required"] = json!(false)),
        ("lets them say how many", &|option| option["product_links"][0]["can_change_quantity"] = json!(1)),
        ("shows no product", &|option| option["product_links"] = json!([])),
        ("has 2 products", &twice),
        ("does not say how many", &|option| option["product_links"][0]["qty"] = json!(0)),
    ];
    for (why, change) in changes {
        let told = changed(change);
        assert!(matches!(&told, Some(Composition::Loose(text)) if text.contains(why)), "{why}: {told:?}");
    }
    let none = json!({"id": 9, "sku": SET, "type_id": "bundle", "extension_attributes": {}});
    let none = composition(&wire::typed::<wire::Product>(&none).unwrap());
    assert_eq!(none, Some(Composition::Fixed(BTreeMap::new())));
}

#[tokio::test]
async fn a_part_is_changed_added_and_taken_out_by_one_request_each() {
    let (held, magento) = (Held::new(0), shop());
    assert_eq!(done(set(&held, &magento, "MUG", "3").await), of(&[("BOOK", "1"), ("MUG", "3")]));
    assert_eq!(writes(&held), ["PUT /rest/all/V1/bundle-products/GIFTSET/links/3 as attempt 1"]);
    assert_eq!(done(set(&held, &magento, "PEN", "2.5").await), of(&[("BOOK", "1"), ("MUG", "3"), ("PEN", "2.5")]));
    assert_eq!(writes(&held), ["POST /rest/all/V1/bundle-products/options/add as attempt 1"]);
    assert_eq!(done(set(&held, &magento, "BOOK", "0").await), of(&[("MUG", "3"), ("PEN", "2.5")]));
    assert_eq!(writes(&held), ["DELETE /rest/all/V1/bundle-products/GIFTSET/options/4 as attempt 1"]);
    for (part, count) in [("PEN", "2.5"), ("BOOK", "0")] {
        let again = set(&held, &magento, part, count).await;
        assert!(stale(&again, "it is so by now"), "{again:?}");
    }
    for (part, why) in [("BOLT-CFG", "configurable"), ("NOBODY", "has no product `NOBODY`")] {
        let refused = set(&held, &magento, part, "1").await;
        assert!(matches!(&refused, Outcome::Refused(error) if error.message.contains(why)), "{refused:?}");
    }
    assert_eq!(writes(&held), [""; 0]);
}

#[tokio::test]
async fn an_option_that_a_proxy_sent_twice_is_seen_and_taken_away() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| {
        world.rule = Some(Box::new(|request| match request.url.contains("options/add") {
            true => Fault::Twice,
            false => Fault::None,
        }));
    });
    let twice = of(&[("BOOK", "1"), ("MUG", "2"), ("PEN", "4")]);
    assert_eq!((done(set(&held, &magento, "PEN", "2").await), options(&held)), (twice, 4), "told as it is");
    held.log();
    let once = of(&[("BOOK", "1"), ("MUG", "2"), ("PEN", "2")]);
    assert_eq!((done(set(&held, &magento, "PEN", "2").await), options(&held)), (once, 3));
    let sent = writes(&held);
    assert!(sent.len() == 1 && sent[0].starts_with("DELETE /rest/all/V1/bundle-products/GIFTSET/options/"), "{sent:?}");
}

#[tokio::test]
async fn a_lost_answer_leaves_a_doubt_and_one_part() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| {
        world.rule = Some(Box::new(|request| match request.method == "POST" {
            true => Fault::LostReply,
            false => Fault::None,
        }));
    });
    let lost = set(&held, &magento, "PEN", "1").await;
    assert!(matches!(&lost, Outcome::Unknown { learned: Some(id), .. } if id.id == SET), "{lost:?}");
    let again = set(&held, &magento, "PEN", "1").await;
    assert!(stale(&again, "it is so by now") && options(&held) == 3, "{again:?}");
}

#[tokio::test]
async fn a_bundle_that_lets_buyers_choose_by_now_is_not_written() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| assert!(world.shop.offer_instead(world.now, SET, "MUG", "PEN")));
    let refused = set(&held, &magento, "BOOK", "2").await;
    assert!(stale(&refused, "has 2 products") && writes(&held).is_empty(), "{refused:?}");
}

#[test]
fn what_goes_in_comes_before_what_leaves_and_four_decimals_are_kept() {
    let magento = shop();
    let all: Leaves = [("A", "0"), ("B", "2"), ("C", "1")]
        .map(|(key, count)| (Composition::part_path(key), Some(quantity(count))))
        .into_iter()
        .collect();
    let order = magento.split(Kind::Variant, &all).into_iter().map(|part| part.iter().next().unwrap().0.to_string());
    assert_eq!(order.collect::<Vec<_>>(), ["parts[B]", "parts[C]", "parts[A]"]);
    let fit = |count: &str| magento.fit(Kind::Variant, &Composition::part_path("A"), &quantity(count));
    assert_eq!((fit("0"), fit("2.1250"), fit("0.0001")), (Fit::Exact, Fit::Exact, Fit::Exact));
    assert!(matches!(fit("0.00001"), Fit::Refused(_)) && matches!(fit("-1"), Fit::Refused(_)));
}

#[tokio::test]
async fn a_bundle_is_made_disabled_without_a_part_and_priced_by_what_will_be_in_it() {
    let (held, magento) = (Held::new(0), shop());
    let text = |text: &str| Value::Text(text.to_owned());
    let mut leaves = Leaves::new();
    leaves.put(Path::field("sku"), text("HAMPER"));
    leaves.put(Composition::told_at(), text("fixed"));
    let change = Change {
        kind: Kind::Variant,
        step: Step::Create,
        mark: Mark::new("SLTEST"),
        document: None,
        expect: None,
        elements: BTreeMap::new(),
        adopt_only: false,
        leaves,
    };
    let noted = Noted::committed(DeliveryId(8), Epoch(2), 1, held.now() + jiff::SignedDuration::from_secs(60));
    let made = magento.write(&held.ctx(), vec![advance(noted, change)]).await.remove(0);
    assert_eq!(done(made), []);
    let ledger = held.with(|world| syncline_sim::http::System::ledger(&world.shop));
    let row = ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == "HAMPER").unwrap().clone();
    assert_eq!((&row["type"], &row["status"], &row["parts"]), (&json!("bundle"), &json!(2), &json!({})));
}
