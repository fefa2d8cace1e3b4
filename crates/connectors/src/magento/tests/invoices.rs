//! Invoices: recorded ones to the cent, made ones against a simulated shop.

use super::super::invoices;
use super::papers::{MARK, about, done, lines, lookup, make, of, paper, refused, sold, told, wish};
use super::world::{Fault, shop};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex};
use syncline_connect::{Connector, Outcome};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::Value;
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, PaperLife};

/// Line, net and tax.
fn figures(paper: &Paper) -> Vec<String> {
    let text = |money: Option<syncline_core::money::Money>| money.map_or("-".to_owned(), |one| one.amount.to_string());
    paper.lines.iter().map(|(key, line)| format!("{key} {} +{}", text(line.net), text(line.tax))).collect()
}

#[test]
fn recorded_invoices_are_told_in_the_orders_own_currency() {
    let one = invoices::snapshot(&about("order-configurable"), &told("invoices-of-it")[0]).unwrap();
    let invoice = paper(&one);
    assert_eq!(one.id.to_string(), "1/9:3");
    assert_eq!(lines(&invoice), of(&[("17", "3"), ("18", "3"), ("19", "2")]));
    assert_eq!(figures(&invoice), ["17 4.13 +0.79", "18 - +-", "19 18.32 +3.48"]);
    assert_eq!(
        (invoice.grand.unwrap().to_string(), invoice.charges["shipping"].to_string()),
        ("54.01 EUR".into(), "22.94 EUR".into())
    );
    assert_eq!(
        (invoice.life, invoice.currency.map(|code| code.to_string())),
        (Some(PaperLife::Paid), Some("EUR".into()))
    );
    assert_eq!(Paper::from_leaves(&one.records[0].1.to_leaves()).unwrap(), invoice);
    let all = told("invoices-of-order");
    let second = paper(&invoices::snapshot(&about("order-get"), &all[1]).unwrap());
    assert_eq!(
        (figures(&second), second.charges.len()),
        (vec!["1 0.4 +0".to_owned()], 0),
        "the freight went with the first"
    );
}

#[test]
fn a_discount_is_taken_off_once_whatever_the_rows_hold() {
    let mut invoice = told("invoices-of-it")[0].clone();
    // 2 EUR off the mugs: told apart from the row, as documented, or within it.
    for (row, grand) in [(18.32, 52.01), (16.32, 52.01)] {
        invoice["items"][2]["row_total"] = json!(row);
        invoice["items"][2]["discount_amount"] = json!(2);
        invoice["discount_amount"] = json!(-2);
        invoice["grand_total"] = json!(grand);
        let one = paper(&invoices::snapshot(&about("order-configurable"), &invoice).unwrap());
        assert_eq!(figures(&one)[2], "19 16.32 +3.48");
    }
}

#[test]
fn states_and_currencies_nobody_knows_are_told_with_the_exchange() {
    for (state, life) in [(1, PaperLife::Done), (2, PaperLife::Paid), (3, PaperLife::Void)] {
        let mut invoice = told("invoices-of-it")[0].clone();
        invoice["state"] = json!(state);
        assert_eq!(paper(&invoices::snapshot(&about("order-configurable"), &invoice).unwrap()).life, Some(life));
    }
    for (key, bad) in [
        ("state", json!(9)),
        ("state", Json::Null),
        ("order_currency_code", json!("EURO")),
        ("order_currency_code", Json::Null),
    ] {
        let mut invoice = told("invoices-of-it")[0].clone();
        invoice[key] = bad;
        let error = invoices::snapshot(&about("order-configurable"), &invoice).unwrap_err();
        assert!(error.kind == ErrorKind::Invalid && error.evidence.is_some(), "{error}");
    }
    let mut twice = told("invoices-of-it")[0].clone();
    twice["items"][2]["order_item_id"] = json!(17);
    let error = invoices::snapshot(&about("order-configurable"), &twice).unwrap_err();
    assert!(error.message.contains("line 17 is told twice"), "{error}");
    twice["items"][0]["row_total"] = json!([1]);
    assert_eq!(invoices::snapshot(&about("order-configurable"), &twice).unwrap_err().kind, ErrorKind::Broken);
}

#[tokio::test]
async fn an_invoice_is_made_with_every_line_named_and_found_by_its_mark() {
    let (held, magento) = (sold(), shop());
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&bodies);
    held.with(|world| {
        world.rule = Some(Box::new(move |request| {
            if request.url.ends_with("/invoice") {
                seen.lock().unwrap().push(serde_json::from_slice::<Json>(&request.body).unwrap());
            }
            Fault::None
        }));
    });
    let one = done(make(&held, &magento, Kind::Invoice, wish(&[("2", 1), ("5", 3)])).await);
    assert_eq!((one.id.to_string(), one.mark.as_deref()), ("1/1:1".into(), Some(MARK)));
    assert_eq!(figures(&paper(&one)), ["2 10 +0", "4 3 +0", "5 - +-"]);
    assert_eq!(paper(&one).life, Some(PaperLife::Paid), "an offline method pays at once");
    let mut paid = wish(&[("2", 1)]);
    paid.put(Path::field("life"), Value::Code("paid".into()));
    done(make(&held, &magento, Kind::Invoice, paid).await);
    let sent = bodies.lock().unwrap().clone();
    assert_eq!((&sent[0]["capture"], &sent[1]["capture"]), (&json!(false), &json!(true)));
    assert_eq!(sent[0]["items"], json!([{"order_item_id": 2, "qty": 1}, {"order_item_id": 4, "qty": 3}]));
    assert_eq!(sent[0]["comment"]["comment"], format!("{MARK} invoice CUS/2026/7 of the ERP"));
    held.with(|world| world.shop.invoice_by_hand(world.now, 1, &[(3, 1)])).expect("by hand");
    let found = magento.find(&held.ctx(), Kind::Invoice, &lookup()).await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.id.as_str()).collect::<Vec<_>>(), ["1:1", "1:2"]);
    assert!(magento.find(&held.ctx(), Kind::Shipment, &lookup()).await.unwrap().is_empty());
    let ids = ["1:3", "1:4", "2:1"].map(|id| RemoteId::new("1", id));
    let read = magento.read(&held.ctx(), Kind::Invoice, &ids).await;
    assert!(matches!(&read[..], [Ok(Some(_)), Ok(None), Ok(None)]), "{read:?}");
}

#[tokio::test]
async fn an_invoice_that_would_come_to_something_else_is_not_made() {
    let (held, magento) = (sold(), shop());
    let asking = |amount: &str, currency: &str| {
        let mut leaves = wish(&[("2", 1), ("5", 3)]);
        let money = Money::new(amount.parse().unwrap(), currency.parse().unwrap());
        leaves.put(Path::field("grand"), Value::Money(money));
        leaves
    };
    for (amount, currency) in [("12.99", "USD"), ("13.00", "EUR")] {
        let error = refused(make(&held, &magento, Kind::Invoice, asking(amount, currency)).await);
        assert_eq!(error.kind, ErrorKind::Otherwise);
        assert!(error.message.ends_with("were invoiced, and the shop would ask for 13 USD"), "{error}");
    }
    assert!(held.log().iter().all(|line| line.starts_with("GET")), "nothing was asked for");
    let made = paper(&done(make(&held, &magento, Kind::Invoice, asking("13", "USD")).await));
    assert_eq!(made.grand.unwrap().to_string(), "13.00 USD");
}

#[tokio::test]
async fn what_is_billed_already_is_planned_anew_and_too_much_goes_to_a_person() {
    let (held, magento) = (sold(), shop());
    let error = refused(make(&held, &magento, Kind::Invoice, wish(&[("2", 5)])).await);
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("invalid quantity"), "{error}");
    for (wish, why) in
        [(wish(&[]), "without a line"), (wish(&[("4", 1), ("5", 1)]), "named twice"), (wish(&[("9", 1)]), "no line 9")]
    {
        assert!(refused(make(&held, &magento, Kind::Invoice, wish).await).message.contains(why), "{why}");
    }
    held.with(|world| world.shop.invoice_by_hand(world.now, 1, &[])).expect("by hand");
    let error = refused(make(&held, &magento, Kind::Invoice, wish(&[("2", 1)])).await);
    assert!(error.kind == ErrorKind::Stale && error.message.contains("does not allow"), "{error}");
    held.with(|world| world.shop.ship_by_hand(world.now, 1, &[], None)).expect("by hand");
    let error = refused(make(&held, &magento, Kind::Invoice, wish(&[("2", 1)])).await);
    assert!(error.kind == ErrorKind::Stale && error.message.contains("status of complete"), "{error}");
}

#[tokio::test]
async fn a_lost_reply_leaves_an_invoice_unknown_and_the_look_finds_it() {
    let (held, magento) = (sold(), shop());
    held.with(|world| {
        world.rule =
            Some(Box::new(|request| if request.url.ends_with("/invoice") { Fault::LostReply } else { Fault::None }));
    });
    let lost = make(&held, &magento, Kind::Invoice, wish(&[("2", 1)])).await;
    assert!(matches!(&lost, Outcome::Unknown { learned: None, .. }), "{lost:?}");
    let found = magento.find(&held.ctx(), Kind::Invoice, &lookup()).await.unwrap();
    assert_eq!(found.iter().map(|one| one.mark.as_deref()).collect::<Vec<_>>(), [Some(MARK)]);
}

/// Every place in a value, as pointers.
fn places(value: &Json, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Json::Object(map) => map.iter().for_each(|(key, held)| places(held, &format!("{here}/{key}"), found)),
        Json::Array(rows) => {
            rows.iter().enumerate().for_each(|(at, held)| places(held, &format!("{here}/{at}"), found))
        }
        _ => {}
    }
}

#[test]
fn whatever_stands_in_a_paper_it_is_read_or_refused_and_says_what_it_told() {
    let hostile: Vec<Json> = [
        "null",
        "[]",
        "{}",
        "true",
        "-1",
        "1e400",
        "79228162514264337593543950335",
        "\"\"",
        "\"]\\\\[\"",
        "0.000000000001",
    ]
    .iter()
    .map(|text| serde_json::from_str(text).unwrap())
    .collect();
    let read = |name: &str, value: &Json| match name {
        "invoices-of-it" => invoices::snapshot(&about("order-configurable"), value),
        "creditmemos-of-it" => super::super::credits::snapshot(&about("order-configurable"), value),
        "bundle-shipments" => super::super::shipments::snapshot(&about("order-bundle"), value),
        _ => super::super::shipments::snapshot(&about("order-configurable"), value),
    };
    let mut tried = 0;
    for name in ["invoices-of-it", "creditmemos-of-it", "bundle-shipments", "shipments-of-it"] {
        let whole = told(name)[0].clone();
        let mut all = Vec::new();
        places(&whole, "", &mut all);
        for (place, bad) in all.iter().flat_map(|place| hostile.iter().map(move |bad| (place, bad))) {
            let mut odd = whole.clone();
            *odd.pointer_mut(place).unwrap() = bad.clone();
            tried += 1;
            match read(name, &odd) {
                Ok(snapshot) => {
                    let told = paper(&snapshot);
                    assert_eq!(
                        Paper::from_leaves(&snapshot.records[0].1.to_leaves()).ok(),
                        Some(told),
                        "{place}: {bad}"
                    );
                }
                Err(error) => assert!(matches!(error.kind, ErrorKind::Broken | ErrorKind::Invalid), "{place}: {error}"),
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}
