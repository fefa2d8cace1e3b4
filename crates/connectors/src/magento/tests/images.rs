//! Images: known by their bytes, added once, changed whole, taken away one by one, and what a repeated request leaves.

use super::super::{Auth, Config, Magento};
use super::world::{Fault, Held, TOKEN};
use rust_decimal::Decimal;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Connector, Cursor, Outcome, Snapshot};
use syncline_core::delivery::{Change, Content, Contents, Noted, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{IMAGE_LIMIT, Image, Sort, image_key};
use syncline_sim::http::System;
use syncline_sim::image::drawn;

const SKU: &str = "MUG";

/// A shop whose images are carried.
fn carrying() -> Magento {
    Magento::new(Config {
        url: "http://shop.example".into(),
        auth: Auth::Token(TOKEN.into()),
        views: BTreeMap::new(),
        website: None,
        category_root: None,
        attributes: BTreeSet::new(),
        images: true,
        groups: false,
        families: false,
        notify_shipments: false,
        papers: true,
    })
}

fn sort(bytes: &[u8]) -> Value {
    let sort = Sort::of(bytes);
    Value::Text(format!("{}, {} bytes", sort.media, sort.bytes))
}

fn key(words: &str) -> String {
    image_key(&drawn(words))
}

async fn read(held: &Held, shop: &Magento) -> Leaves {
    let told = shop.read(&held.ctx(), Kind::Variant, &[RemoteId::new("", SKU)]).await.remove(0).unwrap().unwrap();
    leaves(&told)
}

fn leaves(told: &Snapshot) -> Leaves {
    told.records[0].1.to_leaves()
}

/// The keys of images that `leaves` tell.
fn keys(leaves: &Leaves) -> BTreeSet<String> {
    leaves.keys_of("images").into_iter().collect()
}

/// What becomes of a write about the image that says `words`.
async fn write(held: &Held, shop: &Magento, words: &str, fields: &[(&str, Option<Value>)]) -> Outcome {
    let path = Image::path(&key(words));
    let mut leaves = Leaves::new();
    for (field, value) in fields {
        let at = if field.is_empty() { path.clone() } else { path.dot(field) };
        leaves.tell(at, value.clone());
    }
    let change = Change {
        kind: Kind::Variant,
        step: Step::Update,
        mark: Mark::new("SLTEST"),
        document: Some(RemoteId::new("", SKU)),
        expect: None,
        elements: BTreeMap::new(),
        adopt_only: false,
        leaves,
    };
    let noted = Noted::committed(DeliveryId(7), Epoch(2), 1, held.now() + jiff::SignedDuration::from_secs(60));
    let contents: Contents = [(path, Content(drawn(words)))].into();
    shop.write(&held.ctx(), vec![advance(noted, change).carrying(contents)]).await.remove(0)
}

async fn add(held: &Held, shop: &Magento, words: &str) -> Outcome {
    write(held, shop, words, &[("", Some(sort(&drawn(words)))), ("position", Some(Value::Number(3.into())))]).await
}

fn rows(held: &Held) -> Vec<Json> {
    let ledger = held.with(|world| world.shop.ledger());
    let mine = ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == SKU).unwrap();
    mine["images"].as_array().unwrap().clone()
}

fn person(held: &Held, name: &str, words: &str) -> u64 {
    held.with(|world| world.shop.add_image(SKU, name, &drawn(words), 1).unwrap())
}

#[tokio::test]
async fn an_image_is_added_with_the_roles_that_nobody_plays_and_takes_none_from_others() {
    let (held, shop) = (Held::new(0), carrying());
    let Outcome::Done(told) = add(&held, &shop, "front").await else { panic!("not added") };
    let path = Image::path(&key("front"));
    assert_eq!(leaves(&told).value(&path), Some(&sort(&drawn("front"))));
    assert_eq!(leaves(&told).value(&path.dot("position")), Some(&Value::Number(3.into())));
    assert_eq!(leaves(&told).value(&path.dot("roles")), Some(&Value::Text("image\nsmall_image\nthumbnail".into())));
    add(&held, &shop, "back").await;
    let roles =
        |held: &Held| -> Vec<usize> { rows(held).iter().map(|row| row["roles"].as_array().unwrap().len()).collect() };
    assert_eq!(roles(&held), [0, 3]);
    assert!(matches!(add(&held, &shop, "back").await, Outcome::Refused(error) if error.kind == ErrorKind::Stale));
    assert_eq!(rows(&held).len(), 2, "what is there by its content is not sent again");
}

#[tokio::test]
async fn what_people_uploaded_is_known_by_its_bytes_whatever_its_name_says() {
    let (held, shop) = (Held::new(0), carrying());
    person(&held, "front.gif", "front");
    assert!(matches!(add(&held, &shop, "front").await, Outcome::Refused(error) if error.kind == ErrorKind::Stale));
    let lie = format!("sl-{}-{}-7x1.gif", key("back"), drawn("back").len());
    let id = person(&held, &lie, "an edited copy");
    assert_eq!(keys(&read(&held, &shop).await), BTreeSet::from([key("front"), key("an edited copy")]));
    assert!(matches!(add(&held, &shop, "back").await, Outcome::Done(_)));
    assert!(rows(&held).iter().any(|row| row["id"] == id), "the copy is theirs");
}

#[tokio::test]
async fn bytes_are_read_once_and_not_at_all_where_the_name_is_ours() {
    let (held, shop) = (Held::new(0), carrying());
    person(&held, "front.gif", "front");
    add(&held, &shop, "back").await;
    let contents = |held: &Held| held.log().iter().filter(|line| line.contains("/media/")).count();
    contents(&held);
    read(&held, &shop).await;
    assert_eq!(contents(&held), 0, "both are known by now");
    let fresh = carrying();
    let page = fresh.changes(&held.ctx(), Kind::Variant, &Cursor::default()).await.unwrap();
    let mug = page.seen.iter().find(|seen| seen.id.id == SKU).unwrap().snapshot.as_ref().unwrap();
    assert_eq!(keys(&leaves(mug)), BTreeSet::from([key("front"), key("back")]));
    assert_eq!(contents(&held), 1, "only the one that people named");
    let plain = super::world::shop();
    held.log();
    assert_eq!(read(&held, &plain).await.get(&Image::gallery()), Leaf::Untold);
    assert!(held.log().iter().all(|line| !line.contains("media")), "no request more where images are not carried");
}

#[tokio::test]
async fn a_repeated_request_leaves_one_image_that_is_told_twice_and_mended() {
    let (held, shop) = (Held::new(0), carrying());
    held.with(|world| {
        world.rule = Some(Box::new(|request| match request.method {
            "POST" => Fault::Twice,
            _ => Fault::None,
        }));
    });
    let Outcome::Done(told) = add(&held, &shop, "front").await else { panic!("not added") };
    let twice = Image::path(&key("front")).dot("twice");
    assert_eq!((rows(&held).len(), leaves(&told).value(&twice)), (2, Some(&Value::Bool(true))));
    let Outcome::Done(told) = write(&held, &shop, "front", &[("twice", None)]).await else { panic!("not mended") };
    assert_eq!((rows(&held).len(), leaves(&told).get(&twice)), (1, Leaf::Untold));
    assert_eq!(rows(&held)[0]["roles"].as_array().unwrap().len(), 3, "the one with the roles stays");
    assert!(matches!(write(&held, &shop, "front", &[("twice", None)]).await, Outcome::Refused(_)));
    person(&held, "front.gif", "front");
    assert_eq!(read(&held, &shop).await.get(&twice), Leaf::Untold, "a second one of people's is theirs");
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name_and_taking_away_takes_one() {
    let (held, shop) = (Held::new(0), carrying());
    add(&held, &shop, "front").await;
    let id = rows(&held)[0]["id"].clone();
    write(&held, &shop, "front", &[("label", Some(Value::Text("Von vorn".into())))]).await;
    write(&held, &shop, "front", &[("position", None)]).await;
    let row = rows(&held).remove(0);
    assert_eq!((&row["id"], &row["label"], &row["position"]), (&id, &"Von vorn".into(), &0.into()));
    assert_eq!(row["roles"].as_array().unwrap().len(), 3);
    let Leaf::Empty = read(&held, &shop).await.get(&Image::path(&key("front")).dot("position")) else {
        panic!("0 is none")
    };
    person(&held, "other.gif", "theirs");
    let Outcome::Done(told) = write(&held, &shop, "front", &[("", None), ("label", None)]).await else {
        panic!("there")
    };
    assert_eq!(keys(&leaves(&told)), BTreeSet::from([key("theirs")]));
    assert!(
        matches!(write(&held, &shop, "front", &[("", None)]).await, Outcome::Refused(e) if e.kind == ErrorKind::Stale)
    );
}

#[tokio::test]
async fn a_lost_answer_is_no_answer_and_bytes_are_told_where_they_are_asked_for() {
    let (held, shop) = (Held::new(0), carrying());
    held.with(|world| {
        world.rule = Some(Box::new(|request| match request.method {
            "POST" => Fault::LostReply,
            _ => Fault::None,
        }));
    });
    assert!(matches!(add(&held, &shop, "front").await, Outcome::Unknown { learned: Some(_), .. }));
    held.with(|world| world.rule = None);
    let (ctx, id, path) = (held.ctx(), RemoteId::new("", SKU), Image::path(&key("front")));
    let told = shop.content(&ctx, Kind::Variant, &id, &path, IMAGE_LIMIT).await.unwrap();
    assert_eq!(told, Some(drawn("front")));
    assert_eq!(shop.content(&ctx, Kind::Variant, &id, &Image::path("00"), IMAGE_LIMIT).await.unwrap(), None);
    assert!(shop.content(&ctx, Kind::Variant, &id, &path, 3).await.is_err());
}

#[test]
fn what_the_shop_does_not_take_is_refused_with_the_reason() {
    let shop = carrying();
    let fit = |field: &str, value: Value| {
        let path = Image::path("1f");
        shop.fit(Kind::Variant, &if field.is_empty() { path.clone() } else { path.dot(field) }, &value)
    };
    assert_eq!(fit("", sort(&drawn("front"))), Fit::Exact);
    for (bytes, why) in [("image/webp, 20 bytes", "PNG, JPEG and GIF"), ("no known sort, 20 bytes", "no known sort")] {
        assert!(matches!(fit("", Value::Text(bytes.into())), Fit::Refused(text) if text.contains(why)), "{bytes}");
    }
    let large = Value::Text(format!("no known sort, {} bytes", IMAGE_LIMIT + 1));
    assert!(matches!(fit("", large), Fit::Refused(why) if why.contains("at most")));
    assert!(matches!(fit("position", Value::Number(Decimal::new(15, 1))), Fit::Refused(_)));
    assert!(matches!(fit("label", Value::Text("x".repeat(300))), Fit::As(Value::Text(short), _) if short.len() == 255));
}
