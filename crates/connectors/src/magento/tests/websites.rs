//! One website of several: what is its is told, what is another's is not there, and nothing of another is changed.

use super::world::{Held, TOKEN};
use crate::magento::{Auth, Config, Magento};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Connector, Cursor, Lookup, Outcome};
use syncline_core::delivery::{Change, Noted, Permit, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_sim::http::System;

/// A shop with the websites `base` (default, german) and `us` (us_en); all but the MUG is sold in both.
fn two() -> Held {
    let held = Held::new(6);
    held.with(|world| {
        world.shop.add_store_view("german", "German", "de_DE");
        world.shop.open_website("us", "United States", "us_en", "en_US");
        world.shop.sell_all_in(world.now, "us");
        assert!(world.shop.take_out_of_website(world.now, "MUG", "us"));
    });
    held
}

fn website(code: &str) -> Magento {
    Magento::new(Config {
        url: "http://shop.example/".into(),
        auth: Auth::Token(TOKEN.into()),
        views: BTreeMap::new(),
        website: Some(code.into()),
        category_root: None,
        images: false,
        groups: false,
        attributes: BTreeSet::new(),
        families: false,
        notify_shipments: false,
        papers: true,
    })
}

/// An order like a seeded one, of a store view. Returns its id.
fn place(held: &Held, n: u64, store: Option<u64>) -> String {
    held.with(|world| {
        let mut order = syncline_sim::orders::place_like(5, n, &[], world.now);
        order["store_id"] = store.map_or(Json::Null, Json::from);
        order["store_name"] = json!("United States\nUnited States Store\nus_en");
        world.shop.place(world.now, order).unwrap().to_string()
    })
}

async fn seen(magento: &Magento, held: &Held, kind: Kind) -> Vec<RemoteId> {
    let (ctx, mut ids, mut cursor) = (held.ctx(), Vec::new(), Cursor::default());
    loop {
        let page = magento.changes(&ctx, kind, &cursor).await.expect("a page");
        ids.extend(page.seen.into_iter().map(|one| one.id));
        cursor = page.next;
        if !page.more {
            ids.sort();
            return ids;
        }
    }
}

async fn keys(magento: &Magento, held: &Held, kind: Kind) -> Vec<RemoteId> {
    let (ctx, mut ids, mut cursor) = (held.ctx(), Vec::new(), Cursor::default());
    loop {
        let page = magento.keys(&ctx, kind, &cursor).await.expect("a page");
        ids.extend(page.keys.into_iter().map(|(id, _)| id));
        cursor = page.next;
        if !page.more {
            ids.sort();
            return ids;
        }
    }
}

async fn is_there(magento: &Magento, held: &Held, kind: Kind, id: &RemoteId) -> bool {
    magento.read(&held.ctx(), kind, std::slice::from_ref(id)).await.remove(0).expect("an answer").is_some()
}

fn permit(held: &Held, step: Step, document: Option<RemoteId>, fields: &[(&str, Value)]) -> Permit {
    let path = |text: &str| Path::try_from(text.to_owned()).unwrap();
    let leaves: Leaves = fields.iter().map(|(at, value)| (path(at), Some(value.clone()))).collect();
    let (kind, mark, elements) = (Kind::Variant, Mark::new("SLTEST"), BTreeMap::new());
    let change = Change { kind, step, mark, document, expect: None, elements, adopt_only: false, leaves };
    advance(Noted::committed(DeliveryId(1), Epoch(1), 1, held.now() + SignedDuration::from_secs(60)), change)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn kept(held: &Held, sku: &str) -> Json {
    let ledger = held.with(|world| world.shop.ledger());
    ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == sku).cloned().unwrap()
}

#[tokio::test]
async fn an_order_is_told_by_its_website_alone() {
    let held = two();
    let (base, us) = (website("base"), website("us"));
    let (here, there) = (place(&held, 1, Some(2)), place(&held, 2, Some(3)));
    // The view it was placed in was deleted since; its website is known by name.
    let orphan = place(&held, 3, None);
    let (of_base, of_us) = (seen(&base, &held, Kind::Order).await, seen(&us, &held, Kind::Order).await);
    assert_eq!(of_base.len(), 7, "the seeded six and one of the german view");
    assert!(of_base.contains(&RemoteId::new("1", &here)));
    let both = [RemoteId::new("2", &there), RemoteId::new("2", &orphan)];
    assert_eq!(of_us, both);
    assert_eq!((keys(&base, &held, Kind::Order).await, keys(&us, &held, Kind::Order).await), (of_base, of_us));
    for id in &both {
        assert!(is_there(&us, &held, Kind::Order, id).await && !is_there(&base, &held, Kind::Order, id).await);
    }
    let number = held.with(|world| {
        let ledger = world.shop.ledger();
        let row =
            ledger["orders"].as_array().unwrap().iter().find(|row| row["id"] == json!(there.parse::<u64>().unwrap()));
        row.unwrap()["number"].as_str().unwrap().to_owned()
    });
    for (magento, count) in [(&us, 1), (&base, 0)] {
        let found = magento.find(&held.ctx(), Kind::Order, &Lookup::Number(number.clone())).await.unwrap();
        assert_eq!(found.len(), count);
    }
}

#[tokio::test]
async fn a_view_that_is_new_in_the_website_is_asked_at_once() {
    let held = two();
    let us = website("us");
    assert!(seen(&us, &held, Kind::Order).await.is_empty());
    held.with(|world| world.shop.add_store_view_to("us", "us_es", "Spanish", "es_ES"));
    let placed = place(&held, 4, Some(4));
    assert_eq!(seen(&us, &held, Kind::Order).await, [RemoteId::new("2", placed)]);
}

#[tokio::test]
async fn a_customer_belongs_to_the_website_of_the_account() {
    let held = two();
    let account =
        |code: &str| held.with(|world| world.shop.register(world.now, code, "zoe@example.org", ("Zoe", "Bolt")));
    let (here, there) = (account("base").unwrap(), account("us").unwrap());
    assert_eq!(account("us"), None, "one e-mail is one account in a website");
    let (base, us) = (website("base"), website("us"));
    let of_us = RemoteId::new("2", there.to_string());
    assert_eq!(seen(&us, &held, Kind::Customer).await, std::slice::from_ref(&of_us));
    assert_eq!(keys(&us, &held, Kind::Customer).await, std::slice::from_ref(&of_us));
    assert!(!keys(&base, &held, Kind::Customer).await.contains(&of_us));
    assert!(!is_there(&base, &held, Kind::Customer, &of_us).await);
    // Where accounts hold everywhere, an order of this website may name one that was made in the other.
    assert!(is_there(&us, &held, Kind::Customer, &RemoteId::new("2", here.to_string())).await);
}

#[tokio::test]
async fn a_product_is_there_where_it_is_sold() {
    let held = two();
    let (base, us) = (website("base"), website("us"));
    let mug = RemoteId::new("", "MUG");
    for kind in [Kind::Variant] {
        let (of_base, of_us) = (keys(&base, &held, kind).await, keys(&us, &held, kind).await);
        assert!(of_base.contains(&mug) && !of_us.contains(&mug) && of_us.len() + 1 == of_base.len());
        assert_eq!((seen(&base, &held, kind).await.len(), seen(&us, &held, kind).await), (of_base.len(), of_us));
    }
    assert!(is_there(&base, &held, Kind::Variant, &mug).await && !is_there(&us, &held, Kind::Variant, &mug).await);
}

#[tokio::test]
async fn what_is_changed_in_one_website_stays_in_it() {
    let held = two();
    let us = website("us");
    let before = kept(&held, "PEN");
    let pen = RemoteId::new("", "PEN");
    let fields = [("texts.en.name", text("Ballpoint")), ("active", Value::Bool(false))];
    for field in fields {
        let permit = permit(&held, Step::Update, Some(pen.clone()), std::slice::from_ref(&field));
        let Outcome::Done(shown) = us.write(&held.ctx(), vec![permit]).await.remove(0) else { panic!("it is done") };
        let path = Path::try_from(field.0.to_owned()).unwrap();
        assert_eq!(shown.records[0].1.to_leaves().value(&path), Some(&field.1));
    }
    let after = kept(&held, "PEN");
    assert_eq!((&after["name"], &after["status"]), (&before["name"], &before["status"]));
    assert_eq!((&after["views"]["us_en"]["name"], &after["website_status"]), (&json!("Ballpoint"), &json!({"2": 2})));
    let base = website("base").read(&held.ctx(), Kind::Variant, &[pen]).await.remove(0).unwrap().unwrap();
    assert_eq!(base.records[0].1.to_leaves().value(&Path::field("active")), Some(&Value::Bool(true)));
}

#[tokio::test]
async fn a_product_is_made_for_the_website_and_never_a_second_time_for_another() {
    let held = two();
    let us = website("us");
    let make = |sku: &str| permit(&held, Step::Create, None, &[("sku", text(sku)), ("texts.en.name", text("New"))]);
    let Outcome::Done(_) = us.write(&held.ctx(), vec![make("NEW-1")]).await.remove(0) else { panic!("it is made") };
    assert_eq!(kept(&held, "NEW-1")["websites"], json!([2]));
    let before = kept(&held, "MUG");
    match us.write(&held.ctx(), vec![make("MUG")]).await.remove(0) {
        Outcome::Refused(error) => {
            assert_eq!(error.kind, ErrorKind::Unsupported);
            assert!(error.message.contains("`us`") && error.message.contains("adopt"), "{error}");
        }
        other => panic!("it is refused, not {other:?}"),
    }
    assert_eq!(kept(&held, "MUG"), before);
}

#[tokio::test]
async fn a_probe_names_the_websites_there_are() {
    let held = two();
    let probe = website("us").probe(&held.ctx()).await.unwrap();
    let codes: Vec<&str> = probe.choices["websites"].iter().map(|choice| choice.code.as_str()).collect();
    assert_eq!(codes, ["base", "us"]);
    let wrong = website("uk").probe(&held.ctx()).await.unwrap_err();
    assert_eq!(wrong.kind, ErrorKind::Config);
    assert!(wrong.message.contains("`base` (Main Website), `us` (United States)"), "{wrong}");
    let whole = super::world::shop().probe(&held.ctx()).await.unwrap();
    assert!(whole.warnings.iter().any(|text| text.contains("taken as one shop")), "{:?}", whole.warnings);
}
