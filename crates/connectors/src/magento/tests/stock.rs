//! Stock against recorded answers and a simulated shop: what is read, what is written, and what may go wrong on the way.

use super::super::levels::{Facts, Row, Salable, record};
use super::super::wire;
use super::world::{Fault, Held, TOKEN, shop};
use crate::magento::Magento;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};
use syncline_connect::{Connector, Cursor, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Noted, Permit, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Ref, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Record, Stock};
use syncline_sim::http::{Request, System};
use syncline_sim::magento::UnknownSkus;

const HTML: Fault = Fault::Answer(502, &[("content-type", "text/html")], "<html><h1>Bad Gateway</h1></html>");
const NO_ROUTE: Fault = Fault::Answer(404, &[], r#"{"message":"Request does not match any route."}"#);
const NO_RIGHT: &str = r#"{"message":"The consumer isn't authorized to access %resources.","parameters":{"resources":"Magento_InventoryApi::source"}}"#;

fn id(sku: &str) -> RemoteId {
    RemoteId::new("", sku)
}

fn number(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

fn numbered(held: &Held, delivery: u64, sku: &str, levels: &[(&str, &str)]) -> Permit {
    let mut leaves = Leaves::new();
    for (source, quantity) in levels {
        leaves.put(Stock::on_hand_path(source), Value::Number(quantity.parse().unwrap()));
    }
    let (step, mark) = (Step::Update, Mark::new("SLTEST"));
    let change = Change {
        kind: Kind::Stock,
        step,
        mark,
        document: Some(id(sku)),
        expect: None,
        elements: std::collections::BTreeMap::new(),
        adopt_only: false,
        leaves,
    };
    let deadline = held.now() + jiff::SignedDuration::from_secs(60);
    advance(Noted::committed(DeliveryId(delivery), Epoch(1), 1, deadline), change)
}

fn permit(held: &Held, sku: &str, quantity: &str) -> Permit {
    numbered(held, 1, sku, &[("default", quantity)])
}

/// What the shop is told past every fault.
fn tell(held: &Held, path: &str, body: &Json) {
    held.with(|world| {
        let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
        let target = format!("/rest/default/V1/inventory/{path}");
        let body = body.to_string().into_bytes();
        let answer = world.shop.handle(world.now, &Request { method: "POST".into(), target, headers, body });
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    });
}

fn put(held: &Held, sku: &str, source: &str, quantity: i64, status: u8) {
    let row = json!({"sku": sku, "source_code": source, "quantity": quantity, "status": status});
    tell(held, "source-items", &json!({"sourceItems": [row]}));
}

/// A second source with a stock of its own, which takes the website.
fn east(held: &Held) {
    let source = json!({"source_code": "east", "name": "East", "enabled": true, "country_id": "US", "postcode": "1"});
    tell(held, "sources", &json!({"source": source}));
    let channels = json!([{"type": "website", "code": "base"}]);
    tell(held, "stocks", &json!({"stock": {"name": "US", "extension_attributes": {"sales_channels": channels}}}));
    tell(held, "stock-source-links", &json!({"links": [{"stock_id": 2, "source_code": "east", "priority": 1}]}));
}

fn of(read: Result<Option<Snapshot>>) -> Stock {
    let snapshot = read.expect("it can be read").expect("it is there");
    match snapshot.records.into_iter().next() {
        Some((_, Record::Stock(stock))) => stock,
        other => panic!("a stock, not {other:?}"),
    }
}

async fn read(magento: &Magento, held: &Held, sku: &str) -> Stock {
    of(magento.read(&held.ctx(), Kind::Stock, &[id(sku)]).await.remove(0))
}

fn kept(held: &Held, sku: &str) -> Option<(String, u64)> {
    let ledger = held.with(|world| world.shop.ledger());
    let row = ledger["stock"].as_array()?.iter().find(|row| row["sku"] == sku)?.clone();
    Some((row["quantity"].as_str()?.to_owned(), row["status"].as_u64()?))
}

fn recorded(name: &str) -> Json {
    let all: Vec<Json> = serde_json::from_str(include_str!("../fixtures/stock.json")).expect("recordings");
    let one = all.into_iter().find(|exchange| exchange["name"] == name).expect("a recording of that name");
    one["response"]["body"].clone()
}

fn rows<T: serde::de::DeserializeOwned>(name: &str) -> Vec<T> {
    recorded(name)["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| wire::typed(item).expect("its shape"))
        .collect()
}

#[test]
fn recorded_answers_are_understood() {
    let links: Vec<wire::StockLink> = Vec::new();
    let facts = Facts::new(&rows("sources"), &rows("stocks"), &links, None);
    assert!(facts.counts("default") && facts.knows("default") && !facts.knows("east"));
    let mug: Vec<Row> = rows::<wire::SourceItem>("source-items-before").iter().map(Row::of).collect();
    // Afterwards the recorded shop sold from a stock of its own, number 2, with the source `east`.
    let links: Vec<wire::StockLink> =
        wire::typed(&json!([{"stock_id": 1, "source_code": "default"}, {"stock_id": 2, "source_code": "east"}]))
            .unwrap();
    let stocks: Vec<wire::StockPool> = wire::typed(&json!([
        {"stock_id": 1, "name": "Default Stock", "extension_attributes": []},
        {"stock_id": 2, "name": "US stock", "extension_attributes": {"sales_channels": [{"type": "website", "code": "base"}]}},
    ]))
    .unwrap();
    let sources: Vec<wire::Source> =
        wire::typed(&json!([{"source_code": "default"}, {"source_code": "east", "enabled": true}])).unwrap();
    let facts = Facts::new(&sources, &stocks, &links, None);
    let told = recorded("salable-after").to_string().parse().unwrap();
    let stock = record("MUG", &mug, &facts, &Salable::Told([(2, told)].into()));
    assert_eq!((stock.salable, stock.reserved), (number("479"), number("21")));
    assert_eq!((stock.levels["east"].on_hand, stock.levels["east"].counted), (number("500"), Some(true)));
    assert_eq!((stock.levels["default"].on_hand, stock.levels["default"].counted), (number("0"), Some(false)));
    let bolt: Vec<Row> = rows::<wire::SourceItem>("source-items-get").iter().map(Row::of).collect();
    assert_eq!(bolt[0].quantity, number("75.5").unwrap());
    assert_eq!(recorded("source-items-past-the-end")["items"], json!([]));
}

#[test]
fn sources_that_two_stocks_share_are_counted_once() {
    let sources: Vec<wire::Source> = wire::typed(&json!([
        {"source_code": "default"}, {"source_code": "a"}, {"source_code": "b"}, {"source_code": "shut", "enabled": false},
    ]))
    .unwrap();
    let website = json!({"sales_channels": [{"type": "website", "code": "x"}]});
    let stocks: Vec<wire::StockPool> = wire::typed(&json!([
        {"stock_id": 1}, {"stock_id": 2, "extension_attributes": website}, {"stock_id": 3, "extension_attributes": website},
    ]))
    .unwrap();
    let links: Vec<wire::StockLink> = wire::typed(&json!([
        {"stock_id": 2, "source_code": "a"}, {"stock_id": 3, "source_code": "a"}, {"stock_id": 3, "source_code": "b"},
        {"stock_id": 3, "source_code": "shut"},
    ]))
    .unwrap();
    let facts = Facts::new(&sources, &stocks, &links, None);
    let row = |source: &str, quantity: i64, status: u8| -> Row {
        let told = json!({"source_code": source, "quantity": quantity, "status": status});
        Row::of(&wire::typed(&told).unwrap())
    };
    let rows = [row("a", 10, 1), row("b", 5, 1), row("shut", 99, 1), row("default", 99, 1)];
    // Two are reserved in stock 2 and three in stock 3.
    let stock = record("X", &rows, &facts, &Salable::Told([(2, 8.into()), (3, 12.into())].into()));
    assert_eq!((stock.reserved, stock.salable), (number("5"), number("10")));
    let counted: Vec<(&str, Option<bool>)> =
        stock.levels.iter().map(|(source, level)| (source.as_str(), level.counted)).collect();
    assert_eq!(counted, [("a", Some(true)), ("b", Some(true)), ("default", Some(false)), ("shut", Some(false))]);
    let off =
        record("X", &[row("a", 10, 0), row("b", 0, 0)], &facts, &Salable::Told([(2, 0.into()), (3, 0.into())].into()));
    assert_eq!((off.levels["a"].counted, off.levels["b"].counted), (Some(false), Some(true)));
    assert_eq!((off.reserved, off.salable), (number("0"), number("0")));
}

#[tokio::test]
async fn a_stock_tells_what_is_there_what_is_reserved_and_what_can_be_bought() {
    let (held, magento) = (Held::new(0), shop());
    put(&held, "MUG", "default", 10, 1);
    assert!(held.with(|world| world.shop.buy(world.now, "MUG", 3)));
    let stock = read(&magento, &held, "mug").await;
    assert_eq!((stock.salable, stock.reserved, stock.managed), (number("7"), number("3"), Some(true)));
    assert_eq!(stock.variant, Some(Ref::remote(Kind::Variant, id("MUG"))));
    assert_eq!((stock.levels["default"].on_hand, stock.levels["default"].counted), (number("10"), Some(true)));
    let order = held.with(|world| world.shop.ledger()["orders"][0]["id"].as_u64().unwrap());
    assert!(held.with(|world| world.shop.ship(world.now, order)));
    let stock = read(&magento, &held, "MUG").await;
    assert_eq!(
        (stock.salable, stock.reserved, stock.levels["default"].on_hand),
        (number("7"), number("0"), number("7"))
    );
    held.with(|world| world.shop.set_out_of_stock_threshold(2));
    assert_eq!(read(&magento, &held, "MUG").await.reserved, number("2"), "a threshold is kept back like a reservation");
}

#[tokio::test]
async fn many_are_read_in_a_few_calls_and_each_stands_where_it_was_asked_for() {
    let (held, magento) = (Held::new(0), shop());
    let skus = ["NUT/M8 ü", "NOPE", "BOLT-CFG", "MUG", "", "GIFTSET", "MUG", "no,such", "0123", "1e3"];
    let ids: Vec<RemoteId> = skus.into_iter().map(id).collect();
    let read = magento.read(&held.ctx(), Kind::Stock, &ids).await;
    let managed: Vec<Option<bool>> =
        read.into_iter().map(|one| one.expect("read").and_then(|snapshot| of(Ok(Some(snapshot))).managed)).collect();
    let (yes, no) = (Some(true), Some(false));
    assert_eq!(managed, [yes, None, no, yes, None, no, yes, None, None, None]);
    let log = held.log();
    assert_eq!(log.iter().filter(|line| line.contains("/products?")).count(), 2, "a comma is asked for alone: {log:?}");
    assert_eq!(log.iter().filter(|line| line.contains("salable")).count(), 2);
    assert!(log.iter().any(|line| line.contains("get-product-salable-quantity/NUT%2FM8%20%C3%BC/1")), "{log:?}");
    let all = magento.keys(&held.ctx(), Kind::Stock, &Cursor::default()).await.unwrap();
    let same = magento.keys(&held.ctx(), Kind::Variant, &Cursor::default()).await.unwrap();
    assert_eq!(all.keys, same.keys);
    held.log();
    let ids: Vec<RemoteId> = all.keys.into_iter().map(|(id, _)| id).collect();
    let read = magento.read(&held.ctx(), Kind::Stock, &ids).await;
    assert!(read.iter().zip(&ids).all(|(read, id)| matches!(read, Ok(Some(one)) if one.id == *id)));
    assert_eq!(held.log().iter().filter(|line| line.contains("/source-items?")).count(), 4, "twice per fifty");
    assert!(magento.changes(&held.ctx(), Kind::Stock, &Cursor("x".into())).await.is_ok_and(|page| !page.more));
}

#[tokio::test]
async fn quantities_leave_in_one_request_and_what_counts_is_read_back() {
    let (held, magento) = (Held::new(0), shop());
    let permits = [("NUT/M8 ü", "12.5"), ("MUG", "0"), ("PEN", "7")];
    let permits = permits.into_iter().map(|(sku, quantity)| permit(&held, sku, quantity)).collect();
    let outcomes = magento.write(&held.ctx(), permits).await;
    let levels: Vec<Option<Decimal>> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Done(snapshot) => {
                let stock = of(Ok(Some(*snapshot)));
                assert_eq!((stock.salable, stock.reserved), (None, None), "an index may be late");
                stock.levels["default"].on_hand
            }
            other => panic!("done, not {other:?}"),
        })
        .collect();
    assert_eq!(levels, [number("12.5"), number("0"), number("7")]);
    let stored = ["NUT/M8 ü", "MUG", "PEN"].map(|sku| kept(&held, sku).expect("a row"));
    assert_eq!(stored, [("12.5".to_owned(), 1), ("0".to_owned(), 0), ("7".to_owned(), 1)]);
    let log = held.log();
    assert_eq!(log[0], "POST /rest/default/V1/inventory/source-items as attempt 1");
    assert_eq!(log.iter().filter(|line| line.starts_with("POST")).count(), 1);
    assert!(!log.iter().any(|line| line.contains("salable")));
}

#[tokio::test]
async fn one_variant_may_change_at_several_places() {
    let (held, magento) = (Held::new(0), shop());
    east(&held);
    let both = numbered(&held, 1, "MUG", &[("default", "3"), ("east", "4")]);
    let Outcome::Done(_) = magento.write(&held.ctx(), vec![both]).await.remove(0) else { panic!("done") };
    let stock = read(&magento, &held, "MUG").await;
    assert_eq!((stock.levels["default"].on_hand, stock.levels["east"].on_hand), (number("3"), number("4")));
    assert_eq!((stock.salable, stock.levels["default"].counted), (number("4"), Some(false)));
}

#[tokio::test]
async fn a_sku_nobody_has_is_refused_whatever_the_shop_answers() {
    for does in [UnknownSkus::Dropped, UnknownSkus::Kept] {
        let (held, magento) = (Held::new(0), shop());
        held.with(|world| world.shop.quirks_mut().unknown_skus = does);
        let permits = ["NOPE", "MUG", "BOLT-CFG"].map(|sku| permit(&held, sku, "4"));
        let outcomes = magento.write(&held.ctx(), permits.into()).await;
        let kinds: Vec<Option<ErrorKind>> = outcomes
            .into_iter()
            .map(|outcome| match outcome {
                Outcome::Refused(error) => Some(error.kind),
                Outcome::Done(_) => None,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(kinds, [Some(ErrorKind::Gone), None, Some(ErrorKind::Unsupported)]);
        assert_eq!(kept(&held, "MUG"), Some(("4".to_owned(), 1)));
    }
}

#[tokio::test]
async fn a_batch_that_is_refused_left_nothing_behind() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| world.shop.quirks_mut().unknown_skus = UnknownSkus::Refused);
    let before = kept(&held, "MUG");
    let permits = vec![permit(&held, "MUG", "4"), numbered(&held, 2, "PEN", &[("mars", "1")])];
    let mut outcomes = magento.write(&held.ctx(), permits).await;
    outcomes.extend(magento.write(&held.ctx(), vec![permit(&held, "MUG", "4"), permit(&held, "NOPE", "1")]).await);
    assert_eq!(outcomes.len(), 4);
    for outcome in outcomes {
        let Outcome::Refused(error) = outcome else { panic!("{outcome:?}") };
        assert!(error.kind == ErrorKind::Invalid && error.message.contains("Could not save Source Item"), "{error}");
    }
    assert_eq!(kept(&held, "MUG"), before);
}

#[tokio::test]
async fn what_may_have_arrived_is_unknown_and_what_did_not_is_refused() {
    let cut = Fault::Answer(200, &[], "[");
    for fault in [Fault::LostReply, HTML, Fault::Answer(500, &[], r#"{"message":"x"}"#), cut] {
        let held = Held::new(0);
        held.with(|world| world.faults = [fault].into());
        let permits = vec![permit(&held, "MUG", "4"), permit(&held, "PEN", "5")];
        for outcome in shop().write(&held.ctx(), permits).await {
            assert!(matches!(outcome, Outcome::Unknown { learned: None, .. }), "{fault:?}: {outcome:?}");
        }
        let posts = held.log().iter().filter(|line| line.starts_with("POST")).count();
        assert_eq!(posts, 1, "a write is never sent twice");
    }
    for (fault, kind) in [
        (Fault::NotSent, ErrorKind::Unreachable),
        (Fault::Answer(429, &[("retry-after", "7")], "<html>"), ErrorKind::Busy),
        (Fault::Answer(401, &[], NO_RIGHT), ErrorKind::Stale),
        (NO_ROUTE, ErrorKind::Stale),
    ] {
        let held = Held::new(0);
        held.with(|world| world.faults = [fault].into());
        let outcome = shop().write(&held.ctx(), vec![permit(&held, "MUG", "4")]).await.remove(0);
        let Outcome::Refused(error) = outcome else { panic!("{fault:?}: {outcome:?}") };
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[tokio::test]
async fn a_read_back_that_fails_leaves_the_write_unknown() {
    let held = Held::new(0);
    held.with(|world| {
        world.rule = Some(Box::new(|request| if request.method == "GET" { HTML } else { Fault::None }));
    });
    let outcome = shop().write(&held.ctx(), vec![permit(&held, "MUG", "4")]).await.remove(0);
    assert!(matches!(&outcome, Outcome::Unknown { learned: Some(one), .. } if *one == id("MUG")), "{outcome:?}");
    assert_eq!(kept(&held, "MUG"), Some(("4".to_owned(), 1)));
}

#[tokio::test]
async fn what_cannot_be_written_does_not_leave_and_stops_no_other() {
    let (held, magento) = (Held::new(0), shop());
    let late = permit(&held, "PEN", "1");
    held.wait(61);
    let permits =
        vec![late, permit(&held, "MUG", "1.00001"), permit(&held, "BOOK", "-2"), numbered(&held, 1, "MUG", &[])];
    let outcomes = magento.write(&held.ctx(), permits).await;
    let kind = |outcome: &Outcome| match outcome {
        Outcome::Refused(error) => Some(error.kind),
        _ => None,
    };
    let kinds: Vec<Option<ErrorKind>> = outcomes.iter().map(kind).collect();
    assert_eq!(kinds, [Some(ErrorKind::Stale), Some(ErrorKind::Invalid), None, Some(ErrorKind::Unsupported)]);
    assert!(matches!(outcomes[2], Outcome::Done(_)));
    assert_eq!(kept(&held, "BOOK"), Some(("-2".to_owned(), 0)), "less than nothing is not in stock");
    held.log();
    let outcome = magento.write(&held.ctx(), vec![permit(&held, "MUG", "100000000")]).await.remove(0);
    assert_eq!((kind(&outcome), held.log().len()), (Some(ErrorKind::Invalid), 0));
}

#[test]
fn quantities_are_fitted_to_what_the_column_keeps() {
    let magento = shop();
    let fit =
        |text: &str| magento.fit(Kind::Stock, &Stock::on_hand_path("a.b] c"), &Value::Number(text.parse().unwrap()));
    assert_eq!((fit("3.0000"), fit("-0.0001")), (Fit::Exact, Fit::Exact));
    assert!(matches!(fit("1.00005"), Fit::As(Value::Number(kept), _) if Some(kept) == number("1.0001")));
    assert!(matches!(fit("99999999.99999"), Fit::Refused(_)));
    assert_eq!(magento.fit(Kind::Stock, &Path::field("managed"), &Value::Bool(true)), Fit::Exact);
}

#[tokio::test]
async fn a_group_the_shop_fails_on_is_halved_down_to_the_one_it_fails_on() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| {
        world.rule = Some(Box::new(|request| {
            let bad = request.url.contains("/source-items?") && request.url.contains("PEN");
            if bad { Fault::Answer(400, &[], r#"{"message":"no"}"#) } else { Fault::None }
        }));
    });
    let ids = ["MUG", "PEN", "BOOK", "BOLT-M8"].map(id);
    let read = magento.read(&held.ctx(), Kind::Stock, &ids).await;
    assert!(matches!(&read[..], [Ok(Some(_)), Err(_), Ok(Some(_)), Ok(Some(_))]), "{read:?}");
}

#[tokio::test]
async fn a_server_that_takes_no_slash_leaves_open_what_can_be_bought() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| {
        world.rule = Some(Box::new(|request| {
            let slash = request.url.contains("salable") && request.url.contains("%2F");
            if slash {
                Fault::Answer(404, &[("content-type", "text/html")], "<html>Not Found</html>")
            } else {
                Fault::None
            }
        }));
    });
    let stock = read(&magento, &held, "NUT/M8 ü").await;
    assert_eq!((stock.salable, stock.reserved, stock.managed), (None, None, Some(true)));
    assert!(stock.levels["default"].on_hand.is_some());
    assert!(read(&magento, &held, "MUG").await.reserved.is_some());
}

#[tokio::test]
async fn goods_that_move_between_two_answers_are_no_reservation() {
    let (held, magento) = (Held::new(0), shop());
    let mut asked = 0;
    held.with(|world| {
        world.rule = Some(Box::new(move |request| {
            let items = request.url.contains("/source-items?");
            asked += u32::from(items);
            if items && asked == 2 { Fault::Answer(200, &[], r#"{"items":[],"total_count":0}"#) } else { Fault::None }
        }));
    });
    let told = magento.read(&held.ctx(), Kind::Stock, &[RemoteId::new("", "MUG")]).await.remove(0);
    assert_eq!(told.expect_err("two answers that do not fit").kind, ErrorKind::Busy);
    assert_eq!(read(&magento, &held, "MUG").await.reserved, number("0"));
}

#[tokio::test]
async fn reads_get_through_what_breaks_once_and_name_what_lasts() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| world.faults = [Fault::Cut(20), Fault::LostReply, Fault::None].into());
    assert!(read(&magento, &held, "MUG").await.reserved.is_some());
    for (fault, kind) in [
        (HTML, ErrorKind::Unreachable),
        (Fault::Answer(401, &[], NO_RIGHT), ErrorKind::Denied),
        (
            Fault::Answer(200, &[], r#"{"items":[{"sku":"MUG","source_code":"default","quantity":"x"}]}"#),
            ErrorKind::Broken,
        ),
    ] {
        held.with(|world| {
            world.rule =
                Some(Box::new(move |request| if request.url.contains("/source-items?") { fault } else { Fault::None }));
        });
        let error = magento.read(&held.ctx(), Kind::Stock, &[id("MUG")]).await.remove(0).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[tokio::test]
async fn a_product_the_list_leaves_out_is_asked_for_by_itself() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| {
        world.rule = Some(Box::new(|request| {
            if request.url.contains("/products?") {
                Fault::Answer(200, &[], r#"{"items":null,"total_count":0}"#)
            } else {
                Fault::None
            }
        }));
    });
    let ids = ["MUG", "BOLT-CFG", "NOPE", "NUT/M8 ü"].map(id);
    let read = magento.read(&held.ctx(), Kind::Stock, &ids).await;
    assert!(matches!(&read[..], [Ok(Some(_)), Ok(Some(_)), Ok(None), Ok(Some(_))]), "{read:?}");
}

#[tokio::test]
async fn more_reserved_than_there_is_comes_right_with_the_next_quantity() {
    let (held, magento) = (Held::new(0), shop());
    put(&held, "MUG", "default", 5, 1);
    assert!(held.with(|world| world.shop.buy(world.now, "MUG", 5)));
    put(&held, "MUG", "default", 2, 1);
    // The shop tells 0 for what is sold out, so three of the five are not seen yet: less is sold than could be.
    let stock = read(&magento, &held, "MUG").await;
    assert_eq!((stock.salable, stock.reserved), (number("0"), number("2")));
    put(&held, "MUG", "default", 10 + 2, 1);
    let stock = read(&magento, &held, "MUG").await;
    assert_eq!((stock.salable, stock.reserved), (number("7"), number("5")));
}

#[tokio::test]
async fn places_are_read_once_and_again_for_a_source_that_is_new() {
    let (held, magento) = (Held::new(0), shop());
    read(&magento, &held, "MUG").await;
    held.log();
    read(&magento, &held, "MUG").await;
    assert!(!held.log().iter().any(|line| line.contains("/sources?")));
    east(&held);
    put(&held, "MUG", "east", 6, 1);
    held.wait(61);
    let stock = read(&magento, &held, "MUG").await;
    assert_eq!((stock.salable, stock.levels["east"].counted), (number("6"), Some(true)));
    held.log();
    held.wait(601);
    read(&magento, &held, "MUG").await;
    assert!(held.log().iter().any(|line| line.contains("/sources?")), "old facts are read again");
}

#[tokio::test]
async fn a_shop_whose_stock_we_may_not_see_is_told_of_and_sells_on() {
    let (held, magento) = (Held::new(0), shop());
    let probe = magento.probe(&held.ctx()).await.unwrap();
    let sources: Vec<&str> = probe.choices["sources"].iter().map(|source| source.code.as_str()).collect();
    assert_eq!((sources, probe.warnings.len()), (vec!["default"], 0));
    assert_eq!(probe.profile.kinds[&Kind::Stock].writes, ["levels[*].on_hand"]);
    east(&held);
    let probe = magento.probe(&held.ctx()).await.unwrap();
    assert!(probe.choices["sources"][0].title.contains("no website sells from it"), "{:?}", probe.choices["sources"]);
    held.with(|world| {
        let fault = Fault::Answer(401, &[], NO_RIGHT);
        world.rule = Some(Box::new(move |r| if r.url.contains("/inventory/") { fault } else { Fault::None }));
    });
    let probe = magento.probe(&held.ctx()).await.unwrap();
    let told = "::stock_source_link";
    assert!(probe.warnings.iter().any(|warning| warning.contains(told)), "{:?}", probe.warnings);
    assert!(!probe.profile.kinds.contains_key(&Kind::Stock));
    assert!(probe.profile.kinds.contains_key(&Kind::Order));
}
