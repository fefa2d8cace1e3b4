//! Tokens, refusals and the one write, against a simulated shop with faults by script.

use super::recorded;
use super::world::{Fault, Held, login, permit, shop};
use crate::magento::{Auth, Config, Magento};
use serde_json::json;
use syncline_connect::{Connector, Cursor, Lookup, Outcome};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::Record;

const HTML: Fault = Fault::Answer(502, &[("content-type", "text/html")], "<html><h1>Bad Gateway</h1></html>");
const NO_RIGHT: &str = r#"{"message":"The consumer isn't authorized to access %resources.","parameters":{"resources":"Magento_Sales::create"}}"#;
const ENDED: Fault = Fault::Answer(401, &[], NO_RIGHT);

/// A shop with one order, id 2.
fn one_order() -> Held {
    let held = Held::new(0);
    held.with(|world| world.shop.place(world.now, recorded("order-get-guest")).expect("an order"));
    held
}

fn id(text: &str) -> RemoteId {
    RemoteId::new("1", text)
}

async fn write(magento: &Magento, held: &Held, reference: &str, faults: &[Fault]) -> Outcome {
    held.log();
    held.with(|world| world.faults = faults.iter().copied().collect());
    let mut outcomes = magento.write(&held.ctx(), vec![permit(held.now(), "2", Step::Update, reference)]).await;
    assert_eq!(outcomes.len(), 1);
    let writes = held.with(|world| world.log.iter().filter(|line| line.contains("as attempt")).count());
    assert!(writes <= 1, "one permit is one request");
    outcomes.remove(0)
}

#[tokio::test]
async fn the_reference_is_written_and_what_counts_is_read_back() {
    let (held, magento) = (one_order(), shop());
    let Outcome::Done(snapshot) = write(&magento, &held, "SO-10001", &[]).await else { panic!("it is done") };
    let Some((_, Record::Order(order))) = snapshot.records.first() else { panic!("an order") };
    assert_eq!(order.reference.as_deref(), Some("SO-10001"));
    assert_eq!(order.number.as_deref(), Some("000000002"), "the rest is as it was, whatever the save answered");
    assert_eq!(order.totals.grand.unwrap().to_string(), "19.50 USD");
    let log = held.log();
    assert_eq!(log[0], "POST /rest/default/V1/orders as attempt 3");
    assert_eq!(log[1], "GET /rest/default/V1/orders/2");
}

#[tokio::test]
async fn what_may_have_arrived_is_unknown_and_what_did_not_is_refused() {
    let unreadable = Fault::Answer(200, &[], r#"{"entity_id": 1, "#);
    for fault in [Fault::LostReply, HTML, Fault::Answer(500, &[], r#"{"message":"x"}"#), unreadable, Fault::Cut(9)] {
        let outcome = write(&shop(), &one_order(), "SO-1", &[fault]).await;
        assert!(matches!(outcome, Outcome::Unknown { learned: None, .. }), "{fault:?}: {outcome:?}");
    }
    for (fault, kind) in [
        (Fault::NotSent, ErrorKind::Unreachable),
        (Fault::Answer(429, &[("retry-after", "7")], "<html>"), ErrorKind::Busy),
        (Fault::Answer(400, &[], r#"{"message":"Invalid %1","parameters":["order"]}"#), ErrorKind::Invalid),
        (Fault::Answer(404, &[], r#"{"message":"The entity that was requested doesn't exist."}"#), ErrorKind::Gone),
        (Fault::Answer(302, &[("location", "https://www.shop.example/")], ""), ErrorKind::Config),
    ] {
        let outcome = write(&shop(), &one_order(), "SO-1", &[fault]).await;
        let Outcome::Refused(error) = outcome else { panic!("{fault:?}: {outcome:?}") };
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[tokio::test]
async fn a_read_back_that_fails_leaves_the_write_unknown_but_learned() {
    let outcome = write(&shop(), &one_order(), "SO-1", &[Fault::None, HTML]).await;
    assert!(matches!(&outcome, Outcome::Unknown { learned: Some(order), .. } if *order == id("2")), "{outcome:?}");
}

#[tokio::test]
async fn a_write_after_its_deadline_does_not_leave() {
    let held = one_order();
    let late = permit(held.now(), "2", Step::Update, "SO-1");
    held.wait(3600);
    let outcome = shop().write(&held.ctx(), vec![late]).await.remove(0);
    assert!(matches!(&outcome, Outcome::Refused(error) if error.kind == ErrorKind::Stale), "{outcome:?}");
    assert!(held.log().is_empty());
}

#[tokio::test]
async fn only_the_reference_of_an_order_is_written() {
    let held = one_order();
    for step in [Step::Create, Step::Lines, Step::Advance("done".into())] {
        let outcome = shop().write(&held.ctx(), vec![permit(held.now(), "2", step.clone(), "SO-1")]).await.remove(0);
        assert!(matches!(&outcome, Outcome::Refused(e) if e.kind == ErrorKind::Unsupported), "{step}: {outcome:?}");
    }
    let long = "X".repeat(33);
    assert!(matches!(write(&shop(), &held, &long, &[]).await, Outcome::Refused(e) if e.kind == ErrorKind::Invalid));
    assert!(held.log().is_empty());
    let text = |text: &str| Value::Text(text.into());
    let path = Path::field("reference");
    assert_eq!(shop().fit(Kind::Order, &path, &text("SO-1")), Fit::Exact);
    assert!(matches!(shop().fit(Kind::Order, &path, &text(&long)), Fit::As(Value::Text(cut), _) if cut.len() == 32));
    assert_eq!(shop().fit(Kind::Customer, &path, &text(&long)), Fit::Exact);
}

#[tokio::test]
async fn a_token_that_ends_is_renewed_for_reads_and_given_back_for_writes() {
    let (held, magento) = (one_order(), login("Admin123456"));
    let ctx = held.ctx();
    assert!(magento.read(&ctx, Kind::Order, &[id("2")]).await.remove(0).unwrap().is_some());
    held.wait(5 * 3600);
    held.log();
    let ids: Vec<RemoteId> = (0..8).map(|_| id("2")).collect();
    assert!(magento.read(&ctx, Kind::Order, &ids).await.iter().all(|read| matches!(read, Ok(Some(_)))));
    assert_eq!(held.log().iter().filter(|line| line.contains("admin/token")).count(), 1, "one renewal serves all");
    held.wait(5 * 3600);
    let Outcome::Refused(error) = write(&magento, &held, "SO-1", &[]).await else { panic!("refused") };
    assert_eq!(error.kind, ErrorKind::Stale, "{error}");
    assert!(matches!(write(&magento, &held, "SO-1", &[]).await, Outcome::Done(_)), "the new attempt has a new token");
}

#[tokio::test]
async fn a_stray_401_is_survived_and_a_lasting_one_is_denied() {
    let (held, magento) = (one_order(), shop());
    held.with(|world| world.faults = [ENDED].into());
    assert!(magento.read(&held.ctx(), Kind::Order, &[id("2")]).await.remove(0).unwrap().is_some());
    held.with(|world| world.faults = [ENDED, ENDED].into());
    let error = magento.read(&held.ctx(), Kind::Order, &[id("2")]).await.remove(0).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.message.contains("access Magento_Sales::create"), "{error}");
    let mut kinds = Vec::new();
    for _ in 0..3 {
        if let Outcome::Refused(error) = write(&magento, &held, "SO-1", &[ENDED]).await {
            kinds.push(error.kind);
        }
    }
    assert_eq!(kinds, [ErrorKind::Stale, ErrorKind::Stale, ErrorKind::Denied]);
    assert!(matches!(write(&magento, &held, "SO-1", &[]).await, Outcome::Done(_)));
}

#[tokio::test]
async fn secrets_stand_in_no_message_and_no_evidence() {
    let held = one_order();
    let magento = login("wrong-password");
    let error = magento.probe(&held.ctx()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.message.contains("sign-in was incorrect"), "{error}");
    assert!(!format!("{error:?} {magento:?}").contains("wrong-password"));
    held.with(|world| world.faults = [Fault::LostReply; 3].into());
    let error = magento.probe(&held.ctx()).await.unwrap_err();
    assert!(!format!("{error:?}").contains("wrong-password"));
    let auth = Auth::Token("s3cret".into());
    let wrong = Magento::new(Config { papers: true, ..Config::new("http://shop.example", auth) });
    let error = wrong.probe(&held.ctx()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(!format!("{error:?} {wrong:?}").contains("s3cret"));
}

#[tokio::test]
async fn answers_that_are_none_are_named() {
    let (held, magento) = (one_order(), shop());
    let ctx = held.ctx();
    let maintenance = Fault::Answer(200, &[], " <!doctype html><title>Maintenance</title>");
    let nowhere = Fault::Answer(404, &[("content-type", "text/html")], "<html>nginx</html>");
    let route = Fault::Answer(404, &[], r#"{"message":"Request does not match any route."}"#);
    let store = Fault::Answer(400, &[], r#"{"message":"Specified request cannot be processed."}"#);
    let busy = Fault::Answer(503, &[("retry-after", "12")], "");
    for (fault, kind, part) in [
        (HTML, ErrorKind::Unreachable, "502"),
        (maintenance, ErrorKind::Unreachable, "HTML"),
        (nowhere, ErrorKind::Config, "is this url a Magento base url?"),
        (route, ErrorKind::Config, "is this url a Magento base url?"),
        (store, ErrorKind::Config, "default"),
        (Fault::Answer(301, &[("location", "https://www.shop.example/x")], ""), ErrorKind::Config, "www.shop.example"),
        (Fault::Answer(403, &[], "<html>"), ErrorKind::Denied, "403"),
        (Fault::Answer(200, &[], "[1, 2"), ErrorKind::Unreachable, "ends in the middle"),
        (Fault::Answer(200, &[], "hello"), ErrorKind::Broken, "no JSON"),
        (busy, ErrorKind::Busy, "503"),
    ] {
        let error = {
            held.with(|world| world.faults = [fault; 3].into());
            let error = magento.read(&ctx, Kind::Order, &[id("2")]).await.remove(0).unwrap_err();
            held.with(|world| world.faults.clear());
            error
        };
        assert_eq!(error.kind, kind, "{fault:?}: {error}");
        assert!(error.message.contains(part), "{error}");
        assert!(error.evidence.is_some());
        if kind == ErrorKind::Busy {
            assert_eq!(error.retry_after_s, Some(12));
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_once_is_asked_for_again() {
    let (held, magento) = (one_order(), shop());
    held.with(|world| world.faults = [Fault::Cut(200)].into());
    assert!(magento.read(&held.ctx(), Kind::Order, &[id("2")]).await.remove(0).unwrap().is_some());
    held.with(|world| world.faults = [Fault::Cut(200)].into());
    let page = magento.changes(&held.ctx(), Kind::Order, &Cursor::default()).await.unwrap();
    assert_eq!(page.seen.len(), 1);
}

#[tokio::test]
async fn one_bad_id_spoils_nothing() {
    let (held, magento) = (Held::new(5), shop());
    let ctx = held.ctx();
    let read = magento.read(&ctx, Kind::Order, &[id("1"), id("999"), id("x"), id("2")]).await;
    assert!(matches!(&read[..], [Ok(Some(_)), Ok(None), Err(_), Ok(Some(_))]), "{read:?}");
    let skus = ["NUT/M8 ü", "NOPE", "BOLT-M8"].map(|sku| RemoteId::new("", sku));
    let read = magento.read(&ctx, Kind::Variant, &skus).await;
    assert!(matches!(&read[..], [Ok(Some(_)), Ok(None), Ok(Some(_))]), "{read:?}");
    let read = magento.read(&ctx, Kind::Customer, &[id("guest:a@b.example"), id("777")]).await;
    assert!(matches!(&read[..], [Err(_), Ok(None)]), "{read:?}");
}

#[tokio::test]
async fn an_order_is_found_by_its_number() {
    let (held, magento) = (one_order(), shop());
    let number = Lookup::Number("000000002".into());
    let found = magento.find(&held.ctx(), Kind::Order, &number).await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.to_string()).collect::<Vec<_>>(), ["1/2"]);
    let none = magento.find(&held.ctx(), Kind::Order, &Lookup::Number("7".into())).await.unwrap();
    assert!(none.is_empty());
    let error = magento.find(&held.ctx(), Kind::Order, &Lookup::AnyMark).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
}

#[tokio::test]
async fn orders_are_found_by_what_stands_in_a_field_and_say_by_which_value() {
    let (held, magento) = (Held::new(8), shop());
    let told = |field: &str, values: &[&str]| Lookup::Told {
        field: field.into(),
        values: values.iter().map(ToString::to_string).collect(),
    };
    let by = told("number", &["000000003", "nobody's", "000000001", "1,2"]);
    let found = magento.find(&held.ctx(), Kind::Order, &by).await.unwrap();
    let values: Vec<&str> = found.iter().filter_map(|one| one.found_by.as_deref()).collect();
    assert_eq!(values, ["000000001", "000000003"]);
    let found = magento.find(&held.ctx(), Kind::Order, &told("id", &["2"])).await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.id.as_str()).collect::<Vec<_>>(), ["2"]);
    let error = magento.find(&held.ctx(), Kind::Order, &told("colour", &[])).await.unwrap_err();
    assert!(error.kind == ErrorKind::Config && error.message.contains("number, reference, id"), "{error}");
}

#[tokio::test]
async fn a_probe_tells_what_the_mapping_tables_need() {
    let held = Held::new(3);
    let probe = login("Admin123456").probe(&held.ctx()).await.unwrap();
    assert_eq!(probe.scopes, [("1".to_owned(), "Main Website".to_owned())]);
    assert_eq!(probe.zone.as_deref(), Some("America/New_York"));
    let taxes: Vec<(&str, &str)> = probe.choices["taxes"].iter().map(|t| (t.code.as_str(), t.hint.as_str())).collect();
    assert_eq!(taxes, [("DE-0", "0"), ("DE-19b", "19"), ("DE-7b", "7")]);
    assert_eq!(probe.choices["customer_groups"].len(), 4);
    assert!(probe.warnings.is_empty() && probe.version.contains("Magento"), "{probe:?}");
    assert_eq!(probe.profile.kinds[&Kind::Order].writes, ["reference"]);
}

#[tokio::test]
async fn a_missing_right_is_named_and_an_unneeded_one_only_warned_of() {
    let held = Held::new(0);
    let without = |part: &'static str| {
        held.with(|world| {
            world.rule = Some(Box::new(move |r| if r.url.contains(part) { ENDED } else { Fault::None }));
        });
    };
    for (part, right) in [
        ("/orders?", "Sales > Operations"),
        ("/customers/", "All Customers"),
        ("/products?", "Catalog"),
        ("/store/", "Stores"),
    ] {
        without(part);
        let error = shop().probe(&held.ctx()).await.unwrap_err();
        assert!(error.kind == ErrorKind::Denied && error.message.contains(right), "{error}");
    }
    without("/taxRates/");
    let probe = shop().probe(&held.ctx()).await.unwrap();
    assert!(probe.warnings[0].contains("Magento_Tax::manage_tax"), "{:?}", probe.warnings);
}

#[tokio::test]
async fn a_store_view_made_later_has_its_website() {
    let (held, magento) = (one_order(), shop());
    let ctx = held.ctx();
    magento.read(&ctx, Kind::Order, &[id("2")]).await;
    held.with(|world| {
        world.shop.add_store_view("german", "German", "de_DE");
        let mut order = recorded("order-get");
        order["store_id"] = json!(2);
        order["store_name"] = json!("gone");
        world.shop.place(world.now, order).expect("an order")
    });
    let scopes = |page: &syncline_connect::Page| page.seen.iter().map(|one| one.id.scope.clone()).collect::<Vec<_>>();
    let page = magento.changes(&ctx, Kind::Order, &Cursor::default()).await.unwrap();
    assert_eq!(scopes(&page), ["1", "1"]);
}

#[test]
fn the_profile_reads_what_the_map_tells() {
    let profile = shop();
    let reads = &profile.profile().kinds[&Kind::Order].reads;
    let told: Leaves = Record::Order(Box::new(super::read(&recorded("order-final")).0)).to_leaves();
    for (path, _) in told.iter() {
        let known = reads.iter().any(|r| path.matches(&Path::try_from(r.clone()).expect("a pattern")));
        assert!(known, "{path} is told and not in the profile");
    }
}
