//! Shipments: recorded ones as they are told, made ones against a simulated shop, and what may go wrong on the way.

use super::super::papers::About;
use super::super::{shipments, wire};
use super::world::{Fault, Held, shop};
use super::{recorded, stores};
use crate::magento::Magento;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use syncline_connect::{Connector, Error, Lookup, Outcome, Snapshot};
use syncline_core::delivery::{Change, Noted, Permit, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Paper, PaperLife};
use syncline_sim::http::System;

pub(super) const MARK: &str = "SLAAAABBBBCCCCDDDD";

/// The recorded papers of that name.
pub(super) fn told(name: &str) -> Vec<Json> {
    let all: Json = serde_json::from_str(include_str!("../fixtures/papers.json")).expect("recordings are JSON");
    all[name]["items"].as_array().expect("papers").clone()
}

pub(super) fn about(order: &str) -> About {
    About::new(wire::typed(&recorded(order)).expect("an order"), &stores())
}

pub(super) fn paper(snapshot: &Snapshot) -> Paper {
    snapshot.records[0].1.paper().expect("a paper").clone()
}

pub(super) fn lines(paper: &Paper) -> Vec<(String, String)> {
    paper.lines.iter().map(|(key, line)| (key.clone(), line.quantity.unwrap_or_default().to_string())).collect()
}

pub(super) fn of(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(line, count)| ((*line).to_owned(), (*count).to_owned())).collect()
}

/// A shop with one order: two bundles of two mugs and a book, and three of a configurable bolt.
pub(super) fn sold() -> Held {
    let held = Held::new(0);
    let order = json!({
        "state": "new", "status": "pending", "grand_total": 93, "base_grand_total": 93, "store_id": 1,
        "order_currency_code": "USD", "base_currency_code": "USD", "base_to_order_rate": 1,
        "subtotal": 93, "base_subtotal": 93, "tax_amount": 0, "payment": {"method": "checkmo"},
        "items": [
            {"item_id": 1, "product_id": 9, "sku": "GIFTSET", "product_type": "bundle", "qty_ordered": 2, "row_total": 90, "base_row_total": 90},
            {"item_id": 2, "parent_item_id": 1, "product_id": 6, "sku": "MUG", "product_type": "simple", "qty_ordered": 4, "row_total": 40, "base_row_total": 40},
            {"item_id": 3, "parent_item_id": 1, "product_id": 7, "sku": "BOOK", "product_type": "simple", "qty_ordered": 2, "row_total": 50, "base_row_total": 50},
            {"item_id": 4, "product_id": 3, "sku": "BOLT-CFG-0", "product_type": "configurable", "qty_ordered": 3, "row_total": 3, "base_row_total": 3},
            {"item_id": 5, "parent_item_id": 4, "product_id": 4, "sku": "BOLT-CFG-0", "product_type": "simple", "qty_ordered": 3, "row_total": 0, "base_row_total": 0},
        ],
    });
    held.with(|world| world.shop.place(world.now, order)).expect("placed");
    held
}

pub(super) fn wish(lines: &[(&str, i64)]) -> Leaves {
    let mut leaves = Leaves::new();
    for (line, quantity) in lines {
        leaves.put(Path::element("lines", line).dot("quantity"), Value::Number((*quantity).into()));
    }
    leaves.put(Path::field("number"), Value::Text("CUS/2026/7".into()));
    leaves
}

pub(super) fn permit(held: &Held, kind: Kind, document: Option<&str>, leaves: Leaves) -> Permit {
    let step = if document.is_some() { Step::Update } else { Step::Create };
    let elements = document.is_none().then(|| (Paper::order_path(), "1".to_owned()));
    let change = Change {
        kind,
        step,
        mark: Mark::new(MARK),
        document: document.map(|id| RemoteId::new("1", id)),
        expect: None,
        elements: elements.into_iter().collect(),
        adopt_only: false,
        leaves,
    };
    let deadline = held.now() + jiff::SignedDuration::from_secs(60);
    advance(Noted::committed(DeliveryId(7), Epoch(2), 1, deadline), change)
}

pub(super) async fn make(held: &Held, magento: &Magento, kind: Kind, leaves: Leaves) -> Outcome {
    magento.write(&held.ctx(), vec![permit(held, kind, None, leaves)]).await.remove(0)
}

async fn ship(held: &Held, lines: &[(&str, i64)]) -> Outcome {
    make(held, &shop(), Kind::Shipment, wish(lines)).await
}

pub(super) fn done(outcome: Outcome) -> Snapshot {
    match outcome {
        Outcome::Done(snapshot) => *snapshot,
        other => panic!("not done: {other:?}"),
    }
}

pub(super) fn refused(outcome: Outcome) -> Error {
    match outcome {
        Outcome::Refused(error) => error,
        other => panic!("not refused: {other:?}"),
    }
}

pub(super) fn shipments_of(held: &Held) -> Vec<Json> {
    held.with(|world| world.shop.ledger())["shipments"].as_array().expect("shipments").clone()
}

pub(super) fn lookup() -> Lookup {
    Lookup::Paper { order: RemoteId::new("1", "1"), mark: Mark::new(MARK) }
}

#[test]
fn recorded_shipments_are_told_as_magento_keeps_them() {
    let all = told("shipments-of-it");
    let first = shipments::snapshot(&about("order-configurable"), &all[0]).unwrap();
    assert_eq!((first.id.to_string(), first.mark.as_deref()), ("1/9:3".into(), None));
    let shipment = paper(&first);
    assert_eq!(lines(&shipment), of(&[("17", "2")]));
    assert_eq!((shipment.place.as_deref(), shipment.number.as_deref()), (Some("east"), Some("000000003")));
    assert_eq!(
        (shipment.life, shipment.day.map(|day| day.to_string())),
        (Some(PaperLife::Done), Some("2026-11-23".into()))
    );
    let track = &shipment.tracks["00340434161094042557"];
    assert_eq!((track.carrier.as_deref(), track.title.as_deref()), (Some("dhl"), Some("DHL")));
    assert_eq!(Paper::from_leaves(&first.records[0].1.to_leaves()).unwrap(), shipment);
    let apart = shipments::snapshot(&about("order-bundle"), &told("bundle-shipments")[0]).unwrap();
    assert_eq!(lines(&paper(&apart)), of(&[("14", "1"), ("15", "4"), ("16", "2")]));
}

#[test]
fn where_a_bundle_went_together_its_parts_are_told_beside_it() {
    let mut whole = told("bundle-shipments")[0].clone();
    whole["items"].as_array_mut().unwrap().truncate(1);
    let one = shipments::snapshot(&about("order-bundle"), &whole).unwrap();
    assert_eq!(lines(&paper(&one)), of(&[("14", "1"), ("15", "2"), ("16", "1")]));
    assert_eq!(paper(&one).lines["15"].sku.as_deref(), Some("MUG"));
}

#[test]
fn a_shipment_that_is_not_built_like_one_is_broken_and_odd_rows_are_read_as_far_as_they_go() {
    let about = about("order-configurable");
    for (pointer, bad) in [("/items/0/qty", json!("many")), ("/entity_id", json!({})), ("/tracks", json!(7))] {
        let mut shipment = told("shipments-of-it")[0].clone();
        *shipment.pointer_mut(pointer).unwrap() = bad;
        assert_eq!(shipments::snapshot(&about, &shipment).unwrap_err().kind, ErrorKind::Broken, "{pointer}");
    }
    let mut bare = told("shipments-of-it")[0].clone();
    for (key, odd) in [("tracks", Json::Null), ("extension_attributes", json!([])), ("created_at", json!("soon"))] {
        bare[key] = odd;
    }
    let shipment = paper(&shipments::snapshot(&about, &bare).unwrap());
    assert_eq!((shipment.tracks.len(), shipment.place, shipment.day), (0, None, None));
}

#[tokio::test]
async fn a_shipment_is_made_with_every_line_named_and_found_by_its_mark() {
    let (held, magento) = (sold(), shop());
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&bodies);
    held.with(|world| {
        world.rule = Some(Box::new(move |request| {
            if request.url.ends_with("/ship") {
                seen.lock().unwrap().push(serde_json::from_slice::<Json>(&request.body).unwrap());
            }
            Fault::None
        }));
    });
    let mut leaves = wish(&[("2", 2), ("3", 1), ("5", 3)]);
    leaves.put(Path::field("place"), Value::Text("default".into()));
    leaves.put(Paper::track_path("0034").dot("carrier"), Value::Code("dhl".into()));
    leaves.put(Paper::track_path("0034").dot("title"), Value::Text("DHL".into()));
    let snapshot = done(make(&held, &magento, Kind::Shipment, leaves).await);
    assert_eq!((snapshot.id.to_string(), snapshot.mark.as_deref()), ("1/1:1".into(), Some(MARK)));
    let shipment = paper(&snapshot);
    assert_eq!(lines(&shipment), of(&[("1", "1"), ("2", "2"), ("3", "1"), ("4", "3")]), "the configurable's own line");
    assert_eq!(shipment.place.as_deref(), Some("default"));
    let sent = bodies.lock().unwrap().remove(0);
    assert_eq!(
        sent["comment"],
        json!({"comment": format!("{MARK} shipment CUS/2026/7 of the ERP"), "is_visible_on_front": 0})
    );
    assert_eq!((&sent["notify"], &sent["appendComment"]), (&json!(false), &json!(true)));
    assert_eq!(sent["arguments"]["extension_attributes"]["source_code"], "default");
    assert_eq!(shipments_of(&held)[0]["tracks"], json!([{"number": "0034", "carrier": "dhl", "title": "DHL"}]));

    held.with(|world| world.shop.ship_by_hand(world.now, 1, &[(2, 1)], None)).expect("by hand");
    let found = magento.find(&held.ctx(), Kind::Shipment, &lookup()).await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.to_string()).collect::<Vec<_>>(), ["1/1:1"]);
    let half = Lookup::Paper { order: RemoteId::new("1", "1"), mark: Mark::new("SLAAAABBBB") };
    assert!(magento.find(&held.ctx(), Kind::Shipment, &half).await.unwrap().is_empty(), "a part of a word is no mark");
    let nobody = Lookup::Paper { order: RemoteId::new("1", "77"), mark: Mark::new(MARK) };
    assert!(magento.find(&held.ctx(), Kind::Shipment, &nobody).await.unwrap().is_empty());
    let ids = ["1:1", "1:2", "1:9", "2:1", "1", "1:x"].map(|id| RemoteId::new("1", id));
    let read = magento.read(&held.ctx(), Kind::Shipment, &ids).await;
    assert!(matches!(&read[..], [Ok(Some(_)), Ok(Some(_)), Ok(None), Ok(None), Err(_), Err(_)]), "{read:?}");
}

#[tokio::test]
async fn buyers_are_told_only_where_the_file_says_so_and_never_of_our_mark() {
    let held = sold();
    let loud = Magento { notify_shipments: true, ..shop() };
    held.with(|world| {
        world.rule = Some(Box::new(|request| {
            if request.url.ends_with("/ship") {
                let body: Json = serde_json::from_slice(&request.body).unwrap();
                assert_eq!((&body["notify"], &body["appendComment"]), (&json!(true), &json!(false)));
            }
            Fault::None
        }));
    });
    let snapshot = done(make(&held, &loud, Kind::Shipment, wish(&[("2", 1)])).await);
    assert_eq!(snapshot.mark.as_deref(), Some(MARK));
}

#[tokio::test]
async fn what_counts_is_what_was_shipped_and_not_what_was_asked_for() {
    let held = sold();
    held.with(|world| world.shop.ship_by_hand(world.now, 1, &[(2, 3)], None)).expect("by hand");
    assert_eq!(lines(&paper(&done(ship(&held, &[("2", 3)]).await))), of(&[("1", "1"), ("2", "1")]));
    assert_eq!(done(ship(&held, &[("3", 2), ("4", 3)]).await).id.id, "1:3");
    let held = sold();
    held.with(|world| world.shop.ship_by_hand(world.now, 1, &[], None)).expect("by hand");
    let error = refused(ship(&held, &[("2", 1)]).await);
    assert!(error.kind == ErrorKind::Stale && error.message.contains("does not allow"), "{error}");
}

#[tokio::test]
async fn the_last_paper_that_a_proxy_asks_for_twice_is_there_though_the_second_answer_refuses_it() {
    for (kind, way) in [(Kind::Shipment, "/ship"), (Kind::Invoice, "/invoice"), (Kind::Credit, "/refund")] {
        let (held, magento) = (sold(), shop());
        if kind == Kind::Credit {
            held.with(|world| world.shop.invoice_by_hand(world.now, 1, &[])).expect("billed");
        }
        held.with(|world| {
            world.rule =
                Some(Box::new(move |request| if request.url.ends_with(way) { Fault::Twice } else { Fault::None }));
        });
        let all = wish(&[("2", 4), ("3", 2), ("4", 3)]);
        let there = done(make(&held, &magento, kind, all).await);
        let found = magento.find(&held.ctx(), kind, &lookup()).await.unwrap();
        assert_eq!((found.len(), &found[0].id, there.mark.as_deref()), (1, &there.id, Some(MARK)), "{kind}");
    }
}

#[tokio::test]
async fn a_source_with_too_few_is_named_and_tried_again_later() {
    let held = sold();
    let mut leaves = wish(&[("2", 1)]);
    leaves.put(Path::field("place"), Value::Text("mars".into()));
    let error = refused(make(&held, &shop(), Kind::Shipment, leaves).await);
    assert!(error.kind == ErrorKind::Busy && error.message.contains("`mars` most likely holds fewer"), "{error}");
    assert!(shipments_of(&held).is_empty());
    held.with(|world| world.shop.set_state(world.now, 1, "holded"));
    let error = refused(ship(&held, &[("2", 1)]).await);
    assert!(error.kind == ErrorKind::Stale && error.message.contains("status of holded"), "it is read anew: {error}");
}

#[tokio::test]
async fn a_lost_reply_leaves_it_unknown_and_the_look_finds_what_landed() {
    let (held, magento) = (sold(), shop());
    let fault = Arc::new(Mutex::new(vec![Fault::LostReply, Fault::Twice, Fault::Cut(1)]));
    let next = Arc::clone(&fault);
    held.with(|world| {
        world.rule = Some(Box::new(move |request| {
            if request.url.ends_with("/ship") { next.lock().unwrap().pop().unwrap_or(Fault::None) } else { Fault::None }
        }));
    });
    // The answer breaks off, then the request is doubled by a proxy, then the reply is lost.
    let cut = make(&held, &magento, Kind::Shipment, wish(&[("4", 1)])).await;
    assert!(matches!(&cut, Outcome::Unknown { learned: None, .. }), "{cut:?}");
    assert_eq!(magento.find(&held.ctx(), Kind::Shipment, &lookup()).await.unwrap().len(), 1);
    let doubled = done(make(&held, &magento, Kind::Shipment, wish(&[("2", 1)])).await);
    assert_eq!(doubled.id.id, "1:3", "the answer of the second");
    let lost = make(&held, &magento, Kind::Shipment, wish(&[("4", 1)])).await;
    assert!(matches!(&lost, Outcome::Unknown { learned: None, .. }), "{lost:?}");
    assert_eq!(magento.find(&held.ctx(), Kind::Shipment, &lookup()).await.unwrap().len(), 4, "every one is seen");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_back_leaves_the_id_that_was_learned() {
    let held = sold();
    held.with(|world| {
        world.rule = Some(Box::new(|request| match request.url.contains("/shipment/") {
            true => Fault::Answer(503, &[], "{}"),
            false => Fault::None,
        }));
    });
    match ship(&held, &[("2", 1)]).await {
        Outcome::Unknown { learned, error } => {
            assert_eq!((learned, error.kind), (Some(RemoteId::new("1", "1:1")), ErrorKind::Busy));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_bundle_goes_as_whole_ones_where_it_goes_together_and_in_parts_where_not() {
    let held = sold();
    held.with(|world| assert!(world.shop.ship_together("GIFTSET")));
    for part in [&[("2", 1), ("3", 1)][..], &[("2", 2)], &[("2", 4), ("3", 1)]] {
        let error = refused(ship(&held, part).await);
        assert!(error.kind == ErrorKind::Invalid && error.message.contains("make up no whole ones"), "{error}");
    }
    let one = done(ship(&held, &[("2", 2), ("3", 1)]).await);
    assert_eq!(lines(&paper(&one)), of(&[("1", "1"), ("2", "2"), ("3", "1")]));
    assert_eq!(shipments_of(&held)[0]["lines"], json!({"1": "1"}), "as the shop keeps it");
    assert_eq!(lines(&paper(&done(ship(&held, &[("1", 1)]).await))), of(&[("1", "1"), ("2", "2"), ("3", "1")]));
    let held = sold();
    held.with(|world| assert!(world.shop.ship_together("GIFTSET")));
    let both = done(ship(&held, &[("1", 1), ("2", 2), ("3", 1)]).await);
    assert_eq!(lines(&paper(&both)), of(&[("1", "1"), ("2", "2"), ("3", "1")]), "named with its parts it is one");
    let held = sold();
    assert_eq!(lines(&paper(&done(ship(&held, &[("1", 1)]).await))), of(&[("1", "1"), ("2", "2"), ("3", "1")]));
    assert_eq!(lines(&paper(&done(ship(&held, &[("1", 1), ("2", 1)]).await))), of(&[("1", "1"), ("2", "1")]));
}

#[tokio::test]
async fn what_names_no_line_or_no_order_is_refused_before_anything_is_sent() {
    let held = sold();
    for (wish, why) in [
        (wish(&[]), "without a line"),
        (wish(&[("2", 0)]), "above 0"),
        (wish(&[("99", 1)]), "no line 99"),
        (wish(&[("two", 1)]), "no line of an order"),
        (wish(&[("4", 1), ("5", 1)]), "named twice"),
    ] {
        let error = refused(make(&held, &shop(), Kind::Shipment, wish).await);
        assert!(error.kind == ErrorKind::Invalid && error.message.contains(why), "{why}: {error}");
    }
    for (order, kind) in [("77", ErrorKind::Gone), ("1/hold", ErrorKind::Invalid)] {
        let mut wrong = permit(&held, Kind::Shipment, None, wish(&[("2", 1)])).change().clone();
        wrong.elements = BTreeMap::from([(Paper::order_path(), order.to_owned())]);
        let noted = Noted::committed(DeliveryId(7), Epoch(2), 1, held.now() + jiff::SignedDuration::from_secs(60));
        let outcome = shop().write(&held.ctx(), vec![advance(noted, wrong)]).await.remove(0);
        assert_eq!(refused(outcome).kind, kind);
    }
    assert!(held.log().iter().all(|line| line.starts_with("GET")));
}

fn track(number: &str, carrier: Option<&str>, title: Option<&str>) -> Leaves {
    let mut leaves = Leaves::new();
    let path = Paper::track_path(number);
    leaves.tell(path.dot("carrier"), carrier.map(|code| Value::Code(code.into())));
    leaves.tell(path.dot("title"), title.map(|text| Value::Text(text.into())));
    leaves
}

#[tokio::test]
async fn a_parcel_is_added_changed_and_taken_away_each_by_itself() {
    let (held, magento) = (sold(), shop());
    done(ship(&held, &[("2", 1)]).await);
    let change = async |leaves: Leaves| {
        held.log();
        let outcome =
            magento.write(&held.ctx(), vec![permit(&held, Kind::Shipment, Some("1:1"), leaves)]).await.remove(0);
        let told = paper(&done(outcome)).tracks.into_iter();
        let told: Vec<String> = told
            .map(|(n, t)| format!("{n} {} {}", t.carrier.unwrap_or_default(), t.title.unwrap_or_default()))
            .collect();
        let sent: Vec<String> =
            held.log().iter().filter(|line| !line.starts_with("GET")).map(|line| line[..6].to_owned()).collect();
        (told, sent)
    };
    assert_eq!(change(track("77", Some("dhl"), Some("DHL"))).await, (vec!["77 dhl DHL".into()], vec!["POST /".into()]));
    assert_eq!(
        change(track("77", Some("dhl"), Some("DHL"))).await,
        (vec!["77 dhl DHL".into()], vec![]),
        "nothing is sent"
    );
    let both = vec!["77 dhl DHL".to_owned(), "78 custom custom".into()];
    assert_eq!(change(track("78", Some("custom"), None)).await, (both, vec!["POST /".into()]));
    let changed = vec!["77 ups DHL".to_owned(), "78 custom custom".into()];
    assert_eq!(change(track("77", Some("ups"), None)).await, (changed, vec!["DELETE".into(), "POST /".into()]));
    assert_eq!(change(track("78", None, None)).await, (vec!["77 ups DHL".into()], vec!["DELETE".into()]));
    let mut gone = Leaves::new();
    gone.set(Paper::track_path("77"), Leaf::Empty);
    assert_eq!(change(gone.clone()).await, (vec![], vec!["DELETE".into()]));
    assert_eq!(change(gone).await, (vec![], vec![]), "it is gone already");
    let two =
        magento.write(&held.ctx(), vec![permit(&held, Kind::Shipment, Some("1:1"), wish(&[("2", 1)]))]).await.remove(0);
    assert_eq!(refused(two).kind, ErrorKind::Unsupported);
    let nobody = magento
        .write(&held.ctx(), vec![permit(&held, Kind::Shipment, Some("1:9"), track("1", Some("a"), None))])
        .await
        .remove(0);
    assert_eq!(refused(nobody).kind, ErrorKind::Gone);
}

#[tokio::test]
async fn a_change_of_a_parcel_that_stops_halfway_is_unknown() {
    let (held, magento) = (sold(), shop());
    held.with(|world| world.shop.ship_by_hand(world.now, 1, &[(2, 1)], Some("77"))).expect("by hand");
    held.with(|world| {
        world.rule = Some(Box::new(|request| match request.url.ends_with("/shipment/track") {
            true => Fault::Answer(400, &[], r#"{"message": "no"}"#),
            false => Fault::None,
        }));
    });
    let permit = permit(&held, Kind::Shipment, Some("1:1"), track("77", Some("ups"), None));
    let outcome = magento.write(&held.ctx(), vec![permit]).await.remove(0);
    assert!(matches!(&outcome, Outcome::Unknown { learned: Some(id), .. } if id.id == "1:1"), "{outcome:?}");
}

#[test]
fn parcels_leave_before_others_come_and_what_does_not_fit_is_said() {
    let mut all = track("9", Some("dhl"), None);
    for (path, value) in track("1", None, None).iter().chain(track("5", Some("ups"), Some("UPS")).iter()) {
        all.tell(path.clone(), value.cloned());
    }
    let parts = shop().split(Kind::Shipment, &all);
    let numbers: Vec<String> = parts.iter().filter_map(|part| part.keys_of("tracks").pop()).collect();
    assert_eq!(numbers, ["1", "5", "9"]);
    let carrier = Paper::track_path("1").dot("carrier");
    let title = Paper::track_path("1").dot("title");
    let fit = |path: &Path, value: Value| shop().fit(Kind::Shipment, path, &value);
    assert!(matches!(fit(&carrier, Value::Code("x".repeat(33))), Fit::Refused(_)));
    assert!(matches!(fit(&title, Value::Text("x".repeat(256))), Fit::As(Value::Text(cut), _) if cut.len() == 255));
    assert_eq!(fit(&title, Value::Text("DHL".into())), Fit::Exact);
}

#[tokio::test]
async fn comments_that_are_no_texts_are_not_taken_for_silence() {
    let (held, magento) = (sold(), shop());
    done(ship(&held, &[("2", 1)]).await);
    let odd = r#"{"items":[{"entity_id":1,"order_id":1,"comments":[{"comment":{"a":1}}]}],"total_count":1}"#;
    let foreign = r#"{"items":[{"entity_id":9,"order_id":2,"comments":"SLAAAABBBBCCCCDDDD"},{"entity_id":1,"order_id":1,"comments":null}],"total_count":2}"#;
    for (answer, kind) in [(odd, Some(ErrorKind::Broken)), (foreign, None)] {
        held.with(|world| {
            world.rule = Some(Box::new(move |request| match request.url.contains("/shipments?") {
                true => Fault::Answer(200, &[], answer),
                false => Fault::None,
            }));
        });
        let found = magento.find(&held.ctx(), Kind::Shipment, &lookup()).await;
        assert_eq!(found.as_ref().err().map(|error| error.kind), kind, "{found:?}");
        assert!(found.is_ok_and(|found| found.is_empty()) || kind.is_some());
    }
}

#[tokio::test]
async fn without_the_right_shipments_are_left_out_with_a_warning() {
    let held = sold();
    let magento = shop();
    let probe = magento.probe(&held.ctx()).await.unwrap();
    assert!(probe.profile.kinds.contains_key(&Kind::Shipment) && probe.warnings.is_empty(), "{:?}", probe.warnings);
    assert!(shipments_of(&held).is_empty());
    for part in ["/shipments?", "/order/0/ship"] {
        held.with(|world| {
            world.rule = Some(Box::new(move |request| match request.url.contains(part) {
                true => Fault::Answer(401, &[], r#"{"message":"The consumer isn't authorized to access it."}"#),
                false => Fault::None,
            }));
        });
        let probe = magento.probe(&held.ctx()).await.unwrap();
        assert!(!probe.profile.kinds.contains_key(&Kind::Shipment) && probe.profile.kinds.contains_key(&Kind::Order));
        assert!(probe.warnings.iter().any(|text| text.starts_with("shipments cannot be made")), "{:?}", probe.warnings);
    }
}
