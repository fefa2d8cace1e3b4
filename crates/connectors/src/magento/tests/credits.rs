//! Credits: recorded ones to the cent, made ones against a simulated shop, in the currency each side counts in.

use super::super::credits;
use super::papers::{MARK, about, done, lines, lookup, make, of, paper, permit, refused, sold, told, wish};
use super::world::{Fault, Held, shop};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex};
use syncline_connect::{Connector, Outcome};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, PaperLife};

fn charged(mut leaves: Leaves, name: &str, amount: &str, currency: &str) -> Leaves {
    let money = Money::new(amount.parse().unwrap(), currency.parse().unwrap());
    leaves.put(Path::element("charges", name).dot("net"), Value::Money(money));
    leaves
}

fn charges(paper: &Paper) -> Vec<String> {
    paper.charges.iter().map(|(name, net)| format!("{name} {}", net.amount)).collect()
}

fn billed() -> Held {
    let held = sold();
    held.with(|world| world.shop.invoice_by_hand(world.now, 1, &[])).expect("billed");
    held
}

/// A shop that counts in dollars, with one billed order in euros: two mugs for 18.32 + 3.48 and freight of 22.94 + 4.35.
fn abroad() -> Held {
    sold_in("EUR", 0.9173)
}

fn sold_in(currency: &str, rate: f64) -> Held {
    let held = Held::new(0);
    let order = json!({
        "state": "new", "status": "pending", "store_id": 1, "payment": {"method": "checkmo"},
        "order_currency_code": currency, "base_currency_code": "USD", "base_to_order_rate": rate,
        "grand_total": 49.09, "base_grand_total": 53.53, "subtotal": 18.32, "base_subtotal": 19.99,
        "tax_amount": 7.83, "base_tax_amount": 8.54, "shipping_amount": 22.94, "base_shipping_amount": 25,
        "shipping_tax_amount": 4.35, "base_shipping_tax_amount": 4.75, "shipping_incl_tax": 27.29, "base_shipping_incl_tax": 29.75,
        "items": [
            {"item_id": 2, "product_id": 6, "sku": "MUG", "product_type": "simple", "qty_ordered": 2, "row_total": 18.32,
             "base_row_total": 19.99, "tax_amount": 3.48, "base_tax_amount": 3.79},
            {"item_id": 3, "product_id": 7, "sku": "BOOK", "product_type": "simple", "qty_ordered": 1, "row_total": 0, "base_row_total": 0},
        ],
    });
    held.with(|world| world.shop.place(world.now, order)).expect("placed");
    held.with(|world| world.shop.invoice_by_hand(world.now, 1, &[])).expect("billed");
    held
}

/// The bodies of the refunds that are asked for from now on.
fn asked(held: &Held) -> Arc<Mutex<Vec<Json>>> {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&bodies);
    held.with(|world| {
        world.rule = Some(Box::new(move |request| {
            if request.url.ends_with("/refund") {
                seen.lock().unwrap().push(serde_json::from_slice::<Json>(&request.body).unwrap());
            }
            Fault::None
        }));
    });
    bodies
}

#[test]
fn recorded_credits_are_told_in_the_orders_own_currency() {
    let all = told("creditmemos-of-it");
    let one = credits::snapshot(&about("order-configurable"), &all[0]).unwrap();
    let credit = paper(&one);
    assert_eq!((one.id.to_string(), one.records[0].1.kind()), ("1/9:2".into(), Kind::Credit));
    assert_eq!(lines(&credit), of(&[("17", "3"), ("18", "3"), ("19", "2")]));
    let money =
        |line: &str| credit.lines[line].net.zip(credit.lines[line].tax).map(|(net, tax)| (net.amount, tax.amount));
    assert_eq!(money("19").map(|(net, tax)| format!("{net} + {tax}")), Some("18.32 + 3.48".into()));
    assert_eq!(
        (credit.grand.unwrap().to_string(), charges(&credit)),
        ("32.18 EUR".into(), vec!["shipping 4.59".into()])
    );
    assert_eq!((credit.life, credit.number.as_deref()), (Some(PaperLife::Paid), Some("000000002")));
    assert_eq!(Paper::from_leaves(&one.records[0].1.to_leaves()).unwrap(), credit);
    let amount = paper(&credits::snapshot(&about("order-configurable"), &all[1]).unwrap());
    assert_eq!((lines(&amount), charges(&amount)), (of(&[]), vec!["adjustment 3.05".into()]));
    assert_eq!(amount.grand.unwrap().to_string(), "3.05 EUR");
    let part = paper(&credits::snapshot(&about("order-get"), &told("creditmemos-of-order")[0]).unwrap());
    assert_eq!((lines(&part), charges(&part)), (of(&[("1", "2")]), vec![]));
}

#[test]
fn what_a_credit_does_not_give_back_is_not_told_and_a_discount_is_taken_off_once() {
    let mut memo = told("creditmemos-of-it")[0].clone();
    memo["items"][2]["qty"] = json!(0);
    let credit = paper(&credits::snapshot(&about("order-configurable"), &memo).unwrap());
    assert_eq!(lines(&credit), of(&[("17", "3"), ("18", "3")]));
    // 2 EUR off the mugs, 1 EUR more: the row told before the discount, as documented, or after it.
    for (row, grand) in [(18.32, 31.18), (16.32, 31.18)] {
        let mut memo = told("creditmemos-of-it")[0].clone();
        memo["items"][2]["row_total"] = json!(row);
        memo["items"][2]["discount_amount"] = json!(2);
        memo["discount_amount"] = json!(-2);
        memo["adjustment"] = json!(1);
        memo["grand_total"] = json!(grand);
        let credit = paper(&credits::snapshot(&about("order-configurable"), &memo).unwrap());
        assert_eq!(credit.lines["19"].net.unwrap().amount.to_string(), "16.32");
    }
    for (state, life) in [(1, PaperLife::Open), (2, PaperLife::Paid), (3, PaperLife::Void)] {
        let mut memo = told("creditmemos-of-it")[0].clone();
        memo["state"] = json!(state);
        assert_eq!(paper(&credits::snapshot(&about("order-configurable"), &memo).unwrap()).life, Some(life));
    }
}

#[tokio::test]
async fn a_credit_is_made_with_every_billed_line_named_and_found_by_its_mark() {
    let (held, magento) = (billed(), shop());
    let bodies = asked(&held);
    let one = done(make(&held, &magento, Kind::Credit, wish(&[("2", 1), ("5", 2)])).await);
    assert_eq!((one.id.to_string(), one.mark.as_deref()), ("1/1:1".into(), Some(MARK)));
    let credit = paper(&one);
    assert_eq!((credit.lines["2"].quantity, credit.lines["4"].quantity), (Some(1.into()), Some(2.into())));
    assert!(!credit.lines.contains_key("3"), "{:?}", credit.lines);
    assert_eq!((credit.grand.unwrap().to_string(), credit.life), ("12.00 USD".into(), Some(PaperLife::Paid)));
    let sent = bodies.lock().unwrap()[0].clone();
    let named: Vec<(u64, u64)> = sent["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["order_item_id"].as_u64().unwrap(), row["qty"].as_u64().unwrap()))
        .collect();
    assert!(named.contains(&(2, 1)) && named.contains(&(3, 0)) && named.contains(&(4, 2)), "{named:?}");
    assert_eq!(sent["comment"]["comment"], format!("{MARK} credit CUS/2026/7 of the ERP"));
    assert_eq!((&sent["notify"], &sent["appendComment"]), (&json!(false), &json!(true)));
    assert_eq!(sent["arguments"], json!({"shipping_amount": 0, "adjustment_positive": 0, "adjustment_negative": 0}));
    held.with(|world| world.shop.refund_by_hand(world.now, 1, &[(3, 1)], Some(Decimal::ZERO))).expect("by hand");
    let found = magento.find(&held.ctx(), Kind::Credit, &lookup()).await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.id.as_str()).collect::<Vec<_>>(), ["1:1"]);
    assert!(magento.find(&held.ctx(), Kind::Invoice, &lookup()).await.unwrap().is_empty());
    let ids = ["1:2", "1:9", "2:1"].map(|id| RemoteId::new("1", id));
    let read = magento.read(&held.ctx(), Kind::Credit, &ids).await;
    assert!(matches!(&read[..], [Ok(Some(_)), Ok(None), Ok(None)]), "{read:?}");
}

#[tokio::test]
async fn freight_and_amounts_are_asked_for_in_the_websites_currency() {
    let (held, magento) = (abroad(), shop());
    let bodies = asked(&held);
    let freight = charged(wish(&[("2", 1)]), "shipping", "4.59", "EUR");
    let credit = paper(&done(make(&held, &magento, Kind::Credit, freight).await));
    assert_eq!((lines(&credit), charges(&credit)), (of(&[("2", "1")]), vec!["shipping 4.59".into()]));
    let amount = charged(wish(&[]), "adjustment", "3.05", "EUR");
    let credit = paper(&done(make(&held, &magento, Kind::Credit, amount).await));
    assert_eq!((lines(&credit), charges(&credit)), (of(&[]), vec!["adjustment 3.05".into()]));
    assert_eq!(credit.grand.unwrap().to_string(), "3.05 EUR");
    // All that is left of the freight: a share of it would be a cent more than there is.
    let rest = charged(wish(&[]), "shipping", "18.35", "EUR");
    let credit = paper(&done(make(&held, &magento, Kind::Credit, rest).await));
    assert_eq!(lines(&credit), of(&[]));
    let sent = bodies.lock().unwrap().clone();
    let of_body = |at: usize, key: &str| sent[at]["arguments"][key].to_string();
    assert_eq!((of_body(0, "shipping_amount"), of_body(0, "adjustment_positive")), ("5".into(), "0".into()));
    assert_eq!((of_body(1, "shipping_amount"), of_body(1, "adjustment_positive")), ("0".into(), "3.32".into()));
    assert_eq!(of_body(2, "shipping_amount"), "20");
    assert_eq!(sent[1]["items"], json!([{"order_item_id": 2, "qty": 0}, {"order_item_id": 3, "qty": 0}]));
}

fn asking(mut leaves: Leaves, amount: &str, currency: &str) -> Leaves {
    let money = Money::new(amount.parse().unwrap(), currency.parse().unwrap());
    leaves.put(Path::field("grand"), Value::Money(money));
    leaves
}

#[tokio::test]
async fn a_credit_comes_to_what_the_erp_gave_back_and_rounding_is_asked_for_beside_it() {
    let grand = |outcome| paper(&done(outcome)).grand.unwrap().to_string();
    // One mug of two is 9.16 + 1.74 euros; a cent more or less is a cent of the website's dollars.
    for (wanted, more, less) in [("10.90", "0", "0"), ("10.91", "0.01", "0"), ("10.88", "0", "0.02")] {
        let (held, magento) = (abroad(), shop());
        let bodies = asked(&held);
        let made = make(&held, &magento, Kind::Credit, asking(wish(&[("2", 1)]), wanted, "EUR")).await;
        assert_eq!(grand(made), format!("{wanted} EUR"));
        let sent = bodies.lock().unwrap()[0]["arguments"].clone();
        let told = |key: &str| sent[key].to_string();
        assert_eq!((told("adjustment_positive"), told("adjustment_negative")), (more.into(), less.into()));
    }
    let (held, magento) = (abroad(), shop());
    let otherwise = refused(make(&held, &magento, Kind::Credit, asking(wish(&[("2", 1)]), "11.90", "EUR")).await);
    assert_eq!(
        otherwise.to_string(),
        "SYN-0199: 11.90 EUR are to be given back, and the shop would give back 10.90 EUR"
    );
    assert!(
        held.with(|world| world.shop.refunded(1)).is_zero() && held.log().iter().all(|line| line.starts_with("GET"))
    );
}

#[tokio::test]
async fn a_cent_of_rounding_that_is_not_left_in_the_websites_currency_goes_to_a_person() {
    let (held, magento) = (abroad(), shop());
    // All of it is 49.09 euros, which are all the 53.53 dollars that were paid: a cent more is not there.
    let all = |grand: &str| asking(charged(wish(&[("2", 2), ("3", 1)]), "shipping", "22.94", "EUR"), grand, "EUR");
    let error = refused(make(&held, &magento, Kind::Credit, all("49.10")).await);
    let told = "49.10 EUR are to be given back, which the shop refuses: ";
    assert!(error.kind == ErrorKind::Otherwise && error.message.starts_with(told), "{error}");
    assert!(held.with(|world| world.shop.refunded(1)).is_zero());
    assert_eq!(
        paper(&done(make(&held, &magento, Kind::Credit, all("49.09")).await)).grand.unwrap().to_string(),
        "49.09 EUR"
    );
}

#[tokio::test]
async fn an_amount_that_no_amount_of_the_websites_currency_makes_is_held_before_anything_is_given_back() {
    // A dollar is 151.37 yen: a cent of it makes 1.51, two make 3.03.
    let (held, magento) = (sold_in("JPY", 151.37), shop());
    for (wanted, made) in [("3.03", true), ("3", false)] {
        let amount = charged(asking(wish(&[]), wanted, "JPY"), "adjustment", wanted, "JPY");
        let outcome = make(&held, &magento, Kind::Credit, amount).await;
        match made {
            true => assert_eq!(paper(&done(outcome)).grand.unwrap().amount.to_string(), wanted),
            false => {
                let error = refused(outcome);
                assert!(
                    error.kind == ErrorKind::Otherwise && error.message.contains("of which no amount is 3 JPY"),
                    "{error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_wish_that_is_both_or_neither_or_of_another_currency_is_refused_before_anything_is_sent() {
    let (held, magento) = (billed(), shop());
    let both = charged(wish(&[("2", 1)]), "adjustment", "1", "USD");
    let freight = charged(charged(wish(&[]), "shipping", "1", "USD"), "adjustment", "1", "USD");
    for (wish, why) in [
        (wish(&[]), "without a line, freight or amount"),
        (both, "not both"),
        (freight, "not both"),
        (wish(&[("2", 0)]), "above 0"),
        (wish(&[("99", 1)]), "no line 99"),
        (charged(wish(&[]), "adjustment", "1", "EUR"), "of an order in USD"),
        (charged(wish(&[]), "adjustment", "-1", "USD"), "above 0"),
        (charged(wish(&[]), "gift", "1", "USD"), "nothing is paid back as"),
        (charged(wish(&[("2", 1)]), "shipping", "1", "USD"), "cannot be told in USD"),
    ] {
        let error = refused(make(&held, &magento, Kind::Credit, wish).await);
        assert!(error.kind == ErrorKind::Invalid && error.message.contains(why), "{why}: {error}");
    }
    let update =
        magento.write(&held.ctx(), vec![permit(&held, Kind::Credit, Some("1:1"), wish(&[("2", 1)]))]).await.remove(0);
    assert_eq!(refused(update).kind, ErrorKind::Unsupported);
    assert!(held.log().iter().all(|line| line.starts_with("GET")));
    let unbilled = refused(make(&sold(), &magento, Kind::Credit, charged(wish(&[]), "adjustment", "1", "USD")).await);
    assert!(
        unbilled.kind == ErrorKind::Stale && unbilled.message.contains("nothing of order 1/1 was billed"),
        "{unbilled}"
    );
}

#[tokio::test]
async fn what_is_given_back_already_is_planned_anew_and_too_much_goes_to_a_person() {
    let (held, magento) = (billed(), shop());
    let error = refused(make(&held, &magento, Kind::Credit, wish(&[("2", 5)])).await);
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("unrefunded quantity"), "{error}");
    let much = charged(wish(&[]), "adjustment", "200", "USD");
    let error = refused(make(&held, &magento, Kind::Credit, much).await);
    assert!(error.kind == ErrorKind::Invalid && error.message.contains("most money available"), "{error}");
    held.with(|world| world.shop.refund_by_hand(world.now, 1, &[], None)).expect("by hand");
    let error = refused(make(&held, &magento, Kind::Credit, wish(&[("2", 1)])).await);
    assert_eq!(error.kind, ErrorKind::Stale, "{error}");
    let refused_by = refused(make(&sold(), &magento, Kind::Credit, wish(&[("2", 1)])).await);
    assert!(refused_by.kind == ErrorKind::Stale && refused_by.message.contains("does not allow"), "{refused_by}");
}

#[tokio::test]
async fn a_lost_reply_leaves_a_credit_unknown_and_the_look_finds_it() {
    let (held, magento) = (billed(), shop());
    held.with(|world| {
        world.rule =
            Some(Box::new(|request| if request.url.ends_with("/refund") { Fault::LostReply } else { Fault::None }));
    });
    let lost = make(&held, &magento, Kind::Credit, wish(&[("2", 1)])).await;
    assert!(matches!(&lost, Outcome::Unknown { learned: None, .. }), "{lost:?}");
    let found = magento.find(&held.ctx(), Kind::Credit, &lookup()).await.unwrap();
    assert_eq!(found.iter().map(|one| one.mark.as_deref()).collect::<Vec<_>>(), [Some(MARK)]);
}

#[tokio::test]
async fn without_the_right_credits_are_left_out_with_a_warning() {
    let (held, magento) = (billed(), shop());
    assert!(magento.probe(&held.ctx()).await.unwrap().profile.kinds.contains_key(&Kind::Credit));
    assert!(held.with(|world| world.shop.refunded(1)).is_zero(), "a look gives nothing back");
    held.with(|world| {
        world.rule = Some(Box::new(move |request| match request.url.contains("/order/0/refund") {
            true => Fault::Answer(401, &[], r#"{"message":"The consumer isn't authorized to access it."}"#),
            false => Fault::None,
        }));
    });
    let probe = magento.probe(&held.ctx()).await.unwrap();
    assert!(!probe.profile.kinds.contains_key(&Kind::Credit) && probe.profile.kinds.contains_key(&Kind::Invoice));
    assert!(probe.warnings.iter().any(|text| text.starts_with("credits cannot be made")), "{:?}", probe.warnings);
}

#[tokio::test]
async fn what_people_of_the_shop_gave_back_is_fed_with_its_order_and_so_are_its_keys() {
    let (held, magento) = (abroad(), shop());
    let nothing = (Decimal::ZERO, Decimal::ZERO);
    let (freight, more) = (Decimal::from(5), (Decimal::new(333, 2), Decimal::ZERO));
    let made = held.with(|world| {
        let one = world.shop.give_back(world.now, 1, &[(2, 1)], Decimal::ZERO, nothing);
        let two = world.shop.give_back(world.now, 1, &[], freight, nothing);
        [one, two, world.shop.give_back(world.now, 1, &[], Decimal::ZERO, more)]
    });
    assert_eq!(made, [Some(1), Some(2), Some(3)]);
    let page = magento.changes(&held.ctx(), Kind::Credit, &syncline_connect::Cursor::default()).await.unwrap();
    let told = |at: usize| paper(page.seen[at].snapshot.as_ref().unwrap());
    let ids: Vec<String> = page.seen.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids, ["1/1:1", "1/1:2", "1/1:3"]);
    assert_eq!((lines(&told(0)), told(0).grand.unwrap().to_string()), (of(&[("2", "1")]), "10.90 EUR".into()));
    let one = &told(0).lines["2"];
    assert_eq!((one.net.unwrap().to_string(), one.tax.unwrap().to_string()), ("9.16 EUR".into(), "1.74 EUR".into()));
    assert_eq!(
        (charges(&told(1)), told(1).grand.unwrap().to_string()),
        (vec!["shipping 4.59".into()], "5.46 EUR".into())
    );
    assert_eq!(
        (charges(&told(2)), told(2).grand.unwrap().to_string()),
        (vec!["adjustment 3.05".into()], "3.05 EUR".into())
    );
    let keys = magento.keys(&held.ctx(), Kind::Credit, &syncline_connect::Cursor::default()).await.unwrap();
    assert_eq!(keys.keys.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>(), ids);
    let versions: Vec<_> = page.seen.iter().map(|one| one.snapshot.as_ref().unwrap().version.clone()).collect();
    assert_eq!(keys.keys.into_iter().map(|(_, version)| version).collect::<Vec<_>>(), versions);
    let log = held.log();
    assert!(log.iter().filter(|line| line.contains("/orders?")).count() >= 2, "the orders of a page at once: {log:?}");
}
