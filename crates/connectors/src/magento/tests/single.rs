//! Stock of a simulated shop without sources: one figure that the shop lowers by itself.

use super::world::{Fault, Held, shop};
use crate::magento::Magento;
use rust_decimal::Decimal;
use syncline_connect::{Connector, Outcome, Snapshot};
use syncline_core::delivery::{Change, Noted, Permit, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Record, Stock};

const NO_RIGHT: &str = r#"{"message":"The consumer isn't authorized to access %resources.","parameters":{"resources":"Magento_CatalogInventory::cataloginventory"}}"#;

fn id(sku: &str) -> RemoteId {
    RemoteId::new("", sku)
}

fn permit(held: &Held, sku: &str, path: &Path, quantity: &str, expect: Option<&str>) -> Permit {
    let mut leaves = Leaves::new();
    leaves.put(path.clone(), Value::Number(quantity.parse().unwrap()));
    let change = Change {
        kind: Kind::Stock,
        step: Step::Update,
        mark: Mark::new("SLTEST"),
        document: Some(id(sku)),
        expect: expect.map(str::to_owned),
        elements: std::collections::BTreeMap::new(),
        adopt_only: false,
        leaves,
    };
    let deadline = held.with(|world| world.now) + jiff::SignedDuration::from_secs(60);
    advance(Noted::committed(DeliveryId(1), Epoch(1), 1, deadline), change)
}

async fn read(magento: &Magento, held: &Held, sku: &str) -> Option<(Snapshot, Stock)> {
    let snapshot = magento.read(&held.ctx(), Kind::Stock, &[id(sku)]).await.remove(0).expect("it can be read")?;
    match snapshot.records.first().cloned() {
        Some((_, Record::Stock(stock))) => Some((snapshot, stock)),
        other => panic!("a stock, not {other:?}"),
    }
}

/// What buyers may have of a product, as it is read.
async fn free(magento: &Magento, held: &Held, sku: &str) -> Option<Decimal> {
    read(magento, held, sku).await.expect("it is there").1.levels["default"].available
}

async fn write(magento: &Magento, held: &Held, permit: Permit) -> Outcome {
    magento.write(&held.ctx(), vec![permit]).await.remove(0)
}

fn refused(outcome: Outcome) -> ErrorKind {
    match outcome {
        Outcome::Refused(error) => error.kind,
        other => panic!("refused, not {other:?}"),
    }
}

fn without_sources() -> (Held, Magento) {
    let held = Held::new(0);
    held.with(|world| world.shop.switch_off_sources());
    (held, shop())
}

#[tokio::test]
async fn a_probe_tells_of_one_place_that_takes_what_buyers_may_have() {
    let (held, magento) = without_sources();
    let probe = magento.probe(&held.ctx()).await.unwrap();
    let places: Vec<&str> = probe.choices["sources"].iter().map(|place| place.code.as_str()).collect();
    assert_eq!((places, probe.warnings.len()), (vec!["default"], 0));
    let stock = &probe.profile.kinds[&Kind::Stock];
    assert_eq!(stock.writes, ["levels[*].available"]);
    assert!(stock.reads.contains(&"salable".to_owned()) && !stock.reads.contains(&"reserved".to_owned()));
    held.with(|world| {
        world.rule = Some(Box::new(|r| {
            if r.url.contains("/stockItems/") { Fault::Answer(401, &[], NO_RIGHT) } else { Fault::None }
        }));
    });
    let probe = magento.probe(&held.ctx()).await.unwrap();
    assert!(probe.warnings.iter().any(|told| told.contains("Magento_CatalogInventory")), "{:?}", probe.warnings);
    assert!(!probe.profile.kinds.contains_key(&Kind::Stock));
}

#[tokio::test]
async fn one_figure_is_read_and_set_with_the_threshold_on_top() {
    let (held, magento) = without_sources();
    held.with(|world| world.shop.set_out_of_stock_threshold(2));
    let path = Stock::available_path("default");
    let (seen, stock) = read(&magento, &held, "MUG").await.expect("it is there");
    assert_eq!((stock.managed, stock.reserved), (Some(true), None));
    let done = write(&magento, &held, permit(&held, "MUG", &path, "7", seen.version.as_deref())).await;
    assert!(matches!(&done, Outcome::Done(_)), "{done:?}");
    assert_eq!(free(&magento, &held, "MUG").await, Some(Decimal::from(7)));
    let now = held.with(|world| world.now);
    assert!(held.with(|world| !world.shop.buy(now, "MUG", 8) && world.shop.buy(now, "MUG", 7)));
    assert_eq!(free(&magento, &held, "MUG").await, Some(Decimal::ZERO));
    // Sold out, and for sale again as soon as there is something.
    let done = write(&magento, &held, permit(&held, "MUG", &path, "1", None)).await;
    assert!(matches!(&done, Outcome::Done(_)), "{done:?}");
    assert!(held.with(|world| world.shop.buy(now, "MUG", 1)));
    assert!(read(&magento, &held, "nobody").await.is_none());
    assert_eq!(read(&magento, &held, "BOLT-CFG").await.expect("it is there").1.managed, Some(false));
}

#[tokio::test]
async fn what_was_bought_since_the_plan_is_never_put_up_for_sale_again() {
    let (held, magento) = without_sources();
    let path = Stock::available_path("default");
    let (seen, _) = read(&magento, &held, "MUG").await.expect("it is there");
    let now = held.with(|world| world.now);
    assert!(held.with(|world| world.shop.buy(now, "MUG", 1)));
    let before = free(&magento, &held, "MUG").await;
    held.log();
    let outcome = write(&magento, &held, permit(&held, "MUG", &path, "900", seen.version.as_deref())).await;
    assert_eq!(refused(outcome), ErrorKind::Stale);
    assert!(held.log().iter().all(|line| !line.starts_with("PUT")), "nothing was sent");
    assert_eq!(free(&magento, &held, "MUG").await, before);
}

#[tokio::test]
async fn what_such_a_shop_does_not_keep_is_refused_and_a_lost_answer_leaves_it_open() {
    let (held, magento) = without_sources();
    let path = Stock::available_path("default");
    for (sku, path, quantity, kind) in [
        ("nobody", path.clone(), "1", ErrorKind::Gone),
        ("BOLT-CFG", path.clone(), "1", ErrorKind::Unsupported),
        // The plan is from when there were sources.
        ("MUG", Stock::on_hand_path("default"), "1", ErrorKind::Stale),
        ("MUG", Stock::available_path("east"), "1", ErrorKind::Stale),
        ("MUG", path.clone(), "1.23456", ErrorKind::Invalid),
        ("MUG", path.clone(), "100000000", ErrorKind::Invalid),
    ] {
        let outcome = write(&magento, &held, permit(&held, sku, &path, quantity, None)).await;
        assert_eq!(refused(outcome), kind, "{sku} {path} {quantity}");
    }
    held.with(|world| {
        world.rule = Some(Box::new(|request| if request.method == "PUT" { Fault::LostReply } else { Fault::None }));
    });
    let outcome = write(&magento, &held, permit(&held, "MUG", &path, "3", None)).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(free(&magento, &held, "MUG").await, Some(Decimal::from(3)));
}
