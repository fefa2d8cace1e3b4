//! Products made: never over one that is there, disabled, in one request with what the main view shows.

use super::world::{Fault, Held, shop};
use serde_json::{Value as Json, json};
use syncline_connect::{Connector, Lookup, Outcome};
use syncline_core::delivery::{Change, Noted, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::{Fit, Guard};
use syncline_sim::http::System;

fn leaves(pairs: &[(&str, &str)]) -> Leaves {
    let value = |text: &str| Some(Value::Text(text.to_owned()));
    pairs.iter().map(|(path, text)| (Path::try_from((*path).to_owned()).unwrap(), value(text))).collect()
}

async fn make(held: &Held, leaves: Leaves) -> Outcome {
    let change = Change {
        kind: Kind::Variant,
        step: Step::Create,
        mark: Mark::new("SLTEST"),
        document: None,
        expect: None,
        elements: std::collections::BTreeMap::new(),
        adopt_only: false,
        leaves,
    };
    let noted = Noted::committed(DeliveryId(7), Epoch(2), 1, held.now() + jiff::SignedDuration::from_secs(60));
    shop().write(&held.ctx(), vec![advance(noted, change)]).await.remove(0)
}

/// What the shop holds under a SKU.
fn held_as(held: &Held, sku: &str) -> Vec<Json> {
    let ledger = held.with(|world| world.shop.ledger());
    ledger["products"].as_array().unwrap().iter().filter(|row| row["sku"] == sku).cloned().collect()
}

fn writes(held: &Held) -> usize {
    held.log().iter().filter(|line| line.contains(" as attempt ")).count()
}

#[tokio::test]
async fn a_product_is_made_disabled_and_without_a_price() {
    let held = Held::new(0);
    held.with(|world| world.shop.set_weight_unit("kgs"));
    for (sku, name) in [("NEW-1", "Neu & groß"), ("NEW/2 ü", "Neu & groß")] {
        let mut wish = leaves(&[("sku", sku), ("texts.en.name", name), ("texts.en.description", "<b>x</b>")]);
        wish.put(Path::field("weight"), Value::Number("0.5".parse().unwrap()));
        let outcome = make(&held, wish.clone()).await;
        let Outcome::Done(snapshot) = outcome else { panic!("{outcome:?}") };
        assert_eq!(snapshot.id, RemoteId::new("", sku));
        let shown = snapshot.records[0].1.to_leaves();
        assert!(wish.iter().all(|(path, value)| shown.value(path) == value), "{shown:?}");
        assert_eq!(shown.value(&Path::field("active")), Some(&Value::Bool(false)));
        let row = held_as(&held, sku).remove(0);
        assert_eq!((&row["status"], &row["price"], &row["type"]), (&json!(2), &json!("0"), &json!("simple")));
        assert_eq!(writes(&held), 1);
    }
    let Outcome::Done(nameless) = make(&held, leaves(&[("sku", "NEW-3")])).await else { panic!("it goes by its SKU") };
    let name = nameless.records[0].1.to_leaves().value(&Path::try_from("texts.en.name".to_owned()).unwrap()).cloned();
    assert_eq!(name, Some(Value::Text("NEW-3".to_owned())));
}

#[tokio::test]
async fn what_is_there_is_never_overwritten() {
    let held = Held::new(0);
    let before = held_as(&held, "MUG");
    for sku in ["MUG", "mug"] {
        let outcome = make(&held, leaves(&[("sku", sku), ("texts.en.name", "Ours")])).await;
        assert!(matches!(&outcome, Outcome::Refused(error) if error.kind == ErrorKind::Exists), "{outcome:?}");
    }
    assert_eq!((writes(&held), held_as(&held, "MUG")), (0, before));
}

#[tokio::test]
async fn a_lost_answer_leaves_a_doubt_and_the_sku_finds_it() {
    let held = Held::new(0);
    held.with(|world| {
        world.rule = Some(Box::new(|request| match request.method == "POST" {
            true => Fault::LostReply,
            false => Fault::None,
        }));
    });
    let outcome = make(&held, leaves(&[("sku", "NEW-1"), ("texts.en.name", "New")])).await;
    assert!(matches!(outcome, Outcome::Unknown { learned: None, .. }), "{outcome:?}");
    for (sku, count) in [("NEW-1", 1), ("NEW-2", 0)] {
        let found = shop().find(&held.ctx(), Kind::Variant, &Lookup::Number(sku.into())).await.unwrap();
        assert_eq!(found.len(), count, "{sku}");
    }
}

#[tokio::test]
async fn the_first_request_holds_what_the_main_view_shows() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| world.shop.add_languages());
    let whole = leaves(&[("sku", "NEW-1"), ("texts.de.name", "Neu"), ("texts.en.name", "New")]);
    magento.read(&held.ctx(), Kind::Variant, &[RemoteId::new("", "MUG")]).await;
    let parts = magento.split(Kind::Variant, &whole);
    assert_eq!(parts, [leaves(&[("sku", "NEW-1"), ("texts.en.name", "New")]), leaves(&[("texts.de.name", "Neu")])]);
    let german = make(&held, leaves(&[("sku", "NEW-1"), ("texts.de.name", "Neu")])).await;
    assert!(matches!(&german, Outcome::Refused(error) if error.kind == ErrorKind::Unsupported), "{german:?}");
}

#[test]
fn a_sku_is_kept_whole_or_not_at_all() {
    let fit = |sku: &str| shop().fit(Kind::Variant, &Path::field("sku"), &Value::Text(sku.to_owned()));
    assert_eq!(fit(&"X".repeat(64)), Fit::Exact);
    for bad in [&"X".repeat(65), " MUG", "MUG\t", "", "🦊"] {
        assert!(matches!(fit(bad), Fit::Refused(_)), "{bad:?}");
    }
    let guard = shop().profile().kinds[&Kind::Variant].create_guard();
    assert_eq!(guard, Guard::Look { field: "sku".to_owned(), settle_s: 240 });
}
