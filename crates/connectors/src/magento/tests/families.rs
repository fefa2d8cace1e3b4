//! Families: read with their children and options, made once, given children once, and never shown without them.

use super::world::{Fault, Held, TOKEN};
use crate::magento::{Auth, Config, Magento};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use syncline_connect::{Connector, Cursor, Lookup, Outcome};
use syncline_core::delivery::{Change, Noted, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Ref, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Product, Record};
use syncline_sim::http::System;

/// The shop, whose families are told apart by size.
fn shop() -> Magento {
    Magento::new(Config {
        url: "http://shop.example/".into(),
        auth: Auth::Token(TOKEN.into()),
        views: BTreeMap::new(),
        category_root: None,
        website: None,
        attributes: ["size".to_owned()].into(),
        families: true,
        notify_shipments: false,
        papers: true,
        images: false,
        groups: false,
    })
}

fn path(text: &str) -> Path {
    Path::try_from(text.to_owned()).unwrap()
}

fn one(at: Path, value: Option<Value>) -> Leaves {
    let mut leaves = Leaves::new();
    leaves.tell(at, value);
    leaves
}

fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.to_owned()))
}

async fn write(held: &Held, magento: &Magento, step: Step, id: Option<&str>, leaves: Leaves) -> Outcome {
    // Of children the change names the SKU in the shop, whatever we call them.
    let elements = leaves.iter().filter_map(|(path, _)| Some((path.clone(), Product::variant_of(path)?))).collect();
    let change = Change {
        kind: Kind::Product,
        step,
        mark: Mark::new("SLTEST"),
        document: id.map(|id| RemoteId::new("", id)),
        expect: None,
        elements,
        adopt_only: false,
        leaves,
    };
    let noted = Noted::committed(DeliveryId(7), Epoch(2), 1, held.now() + jiff::SignedDuration::from_secs(60));
    magento.write(&held.ctx(), vec![advance(noted, change)]).await.remove(0)
}

fn linked(sku: &str, there: bool) -> Leaves {
    let child = Ref::remote(Kind::Variant, RemoteId::new("", sku));
    one(Product::variant_path(sku), there.then_some(Value::Ref(child)))
}

fn family(outcome: Outcome) -> Product {
    match outcome {
        Outcome::Done(snapshot) => match snapshot.records.into_iter().next().unwrap().1 {
            Record::Product(family) => family,
            other => panic!("no family: {other:?}"),
        },
        other => panic!("not done: {other:?}"),
    }
}

fn children(family: &Product) -> Vec<&str> {
    family.variants.keys().map(String::as_str).collect()
}

fn held_as(held: &Held, sku: &str) -> Json {
    let ledger = held.with(|world| world.shop.ledger());
    ledger["products"].as_array().unwrap().iter().find(|row| row["sku"] == sku).cloned().unwrap_or_default()
}

fn writes(held: &Held) -> usize {
    held.log().iter().filter(|line| line.contains(" as attempt ")).count()
}

#[tokio::test]
async fn configurable_products_are_families_and_no_variants() {
    let (held, magento) = (Held::new(0), shop());
    let page = magento.changes(&held.ctx(), Kind::Product, &Cursor::default()).await.unwrap();
    let bolt = page.seen.into_iter().find(|seen| seen.id.id == "BOLT-CFG").unwrap().snapshot.unwrap();
    let Record::Product(family) = &bolt.records[0].1 else { panic!("{bolt:?}") };
    assert_eq!(
        (family.key.as_deref(), family.serial.as_deref(), family.active),
        (Some("BOLT-CFG"), Some("3"), Some(true))
    );
    assert_eq!(
        (children(family), family.options.iter().map(String::as_str).collect::<Vec<_>>()),
        (vec!["id:4", "id:5"], vec!["size"])
    );
    assert_eq!(family.texts["en"].name.as_deref(), Some("Bolt family"));
    let mut cursor = Cursor::default();
    loop {
        let page = magento.changes(&held.ctx(), Kind::Variant, &cursor).await.unwrap();
        for snapshot in page.seen.into_iter().map(|seen| seen.snapshot.unwrap()) {
            let leaves = snapshot.records[0].1.to_leaves();
            assert_ne!(leaves.value(&path("form")), text("configurable").as_ref(), "{:?}", snapshot.id);
        }
        cursor = page.next;
        if !page.more {
            break;
        }
    }
    let keys = magento.keys(&held.ctx(), Kind::Product, &Cursor::default()).await.unwrap();
    assert!(keys.keys.contains(&(bolt.id.clone(), bolt.version.clone())));
    let read = magento.read(&held.ctx(), Kind::Product, &[bolt.id, RemoteId::new("", "MUG")]).await;
    assert!(read[0].as_ref().unwrap().is_some() && read[1].as_ref().unwrap().is_none(), "a mug is no family");
    let found = magento.find(&held.ctx(), Kind::Product, &Lookup::Number("MUG".into())).await.unwrap();
    assert!(matches!(&found[0].records[0].1, Record::Variant(_)), "but it has the SKU");
}

#[tokio::test]
async fn what_is_left_out_of_an_answer_is_an_error_and_no_empty_family() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| {
        world.rule = Some(Box::new(|request| match request.url.contains("products/BOLT-CFG") {
            true => Fault::Answer(
                200,
                &[("content-type", "application/json")],
                r#"{"id":3,"sku":"BOLT-CFG","name":"Bolt","type_id":"configurable","status":1,"custom_attributes":[]}"#,
            ),
            false => Fault::None,
        }));
    });
    let read = magento.read(&held.ctx(), Kind::Product, &[RemoteId::new("", "BOLT-CFG")]).await.remove(0);
    assert_eq!(read.unwrap_err().kind, ErrorKind::Broken);
}

#[tokio::test]
async fn a_family_is_made_disabled_then_given_its_option_and_each_child() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| assert!(world.shop.delete_product("BOLT-CFG")));
    let mut whole = one(path("key"), text("BOLT-CFG"));
    whole.tell(path("texts.en.name"), text("Bolts"));
    whole.tell(path("texts.de.name"), text("Bolzen"));
    whole.put(Product::option_path("size"), Value::Bool(true));
    whole = whole.overlaid(&linked("BOLT-CFG-0", true)).overlaid(&linked("BOLT-CFG-1", true));
    magento.read(&held.ctx(), Kind::Variant, &[RemoteId::new("", "MUG")]).await;
    let parts = magento.split(Kind::Product, &whole);
    assert_eq!(parts.len(), 5, "{parts:?}");
    let made = family(write(&held, &magento, Step::Create, None, parts[0].clone()).await);
    assert_eq!((made.active, children(&made), made.options.len()), (Some(false), vec![], 0));
    let row = held_as(&held, "BOLT-CFG");
    assert_eq!((&row["type"], &row["status"], &row["price"]), (&json!("configurable"), &json!(2), &json!("0")));
    let id = Some("BOLT-CFG");
    let early = write(&held, &magento, Step::Update, id, linked("BOLT-CFG-0", true)).await;
    assert!(matches!(&early, Outcome::Refused(error) if error.kind == ErrorKind::Invalid), "{early:?}");
    let option = one(Product::option_path("size"), Some(Value::Bool(true)));
    for _ in 0..2 {
        let shown = family(write(&held, &magento, Step::Update, id, option.clone()).await);
        assert_eq!(shown.options.len(), 1, "one that is there already is no failure");
    }
    for _ in 0..2 {
        let shown = family(write(&held, &magento, Step::Update, id, linked("BOLT-CFG-0", true)).await);
        assert_eq!(children(&shown), ["id:4"]);
    }
    let lacking = write(&held, &magento, Step::Update, id, linked("PEN", true)).await;
    assert!(matches!(&lacking, Outcome::Refused(error) if error.message.contains("size")), "{lacking:?}");
    for _ in 0..2 {
        let shown = family(write(&held, &magento, Step::Update, id, linked("BOLT-CFG-0", false)).await);
        assert_eq!(children(&shown), Vec::<&str>::new());
    }
    let none = write(&held, &magento, Step::Update, id, one(Product::option_path("size"), None)).await;
    assert!(matches!(&none, Outcome::Refused(error) if error.kind == ErrorKind::Unsupported), "{none:?}");
}

#[tokio::test]
async fn a_lost_answer_about_a_child_leaves_a_doubt_and_one_link() {
    let (held, magento) = (Held::new(0), shop());
    let id = Some("BOLT-CFG");
    family(write(&held, &magento, Step::Update, id, linked("BOLT-CFG-1", false)).await);
    held.with(|world| {
        world.rule = Some(Box::new(|request| match request.method == "POST" {
            true => Fault::LostReply,
            false => Fault::None,
        }));
    });
    held.log();
    let lost = write(&held, &magento, Step::Update, id, linked("BOLT-CFG-1", true)).await;
    assert!(matches!(&lost, Outcome::Unknown { learned: Some(id), .. } if id.id == "BOLT-CFG"), "{lost:?}");
    assert_eq!(writes(&held), 1);
    assert_eq!(held_as(&held, "BOLT-CFG")["children"], json!(["BOLT-CFG-0", "BOLT-CFG-1"]));
}

#[tokio::test]
async fn a_variant_of_a_family_is_made_to_be_found_in_it_only() {
    let (held, magento) = (Held::new(0), shop());
    let mut leaves = one(path("sku"), text("BOLT-CFG-2"));
    leaves.tell(path("family"), text("77"));
    leaves.tell(path("attributes.size"), text("L"));
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
    let noted = Noted::committed(DeliveryId(7), Epoch(2), 1, held.now() + jiff::SignedDuration::from_secs(60));
    let outcome = magento.write(&held.ctx(), vec![advance(noted, change)]).await.remove(0);
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    assert_eq!(held_as(&held, "BOLT-CFG-2")["visibility"], json!(1));
    let shown = family(write(&held, &magento, Step::Update, Some("BOLT-CFG"), linked("BOLT-CFG-2", true)).await);
    assert_eq!(shown.variants.len(), 3);
    assert!(matches!(
        magento.fit(Kind::Product, &Product::option_path("colour"), &Value::Bool(true)),
        Fit::Refused(why) if why.contains("colour")
    ));
}
