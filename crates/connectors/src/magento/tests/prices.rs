//! Prices read, against recorded answers and a simulated shop: which list is told whole, and what one bad SKU spoils.

use super::super::complaints::complaints;
use super::super::lists::{self, Form, Setup, Sheet, Told};
use super::super::wire;
use super::world::{Fault, Held, shop};
use crate::magento::Magento;
use serde_json::{Value as Json, json};
use syncline_connect::{Connector, Cursor, Result, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Ref, Value};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Price, PriceKey, PriceRow, Record};

pub(super) fn id(sku: &str) -> RemoteId {
    RemoteId::new("", sku)
}

pub(super) fn usd(amount: &str) -> Money {
    Money::new(amount.parse().unwrap(), "USD".parse().unwrap())
}

pub(super) fn of(read: Result<Option<Snapshot>>) -> Price {
    let snapshot = read.expect("it can be read").expect("it is there");
    match snapshot.records.into_iter().next() {
        Some((_, Record::Price(price))) => price,
        other => panic!("prices, not {other:?}"),
    }
}

pub(super) async fn read(magento: &Magento, held: &Held, sku: &str) -> Price {
    of(magento.read(&held.ctx(), Kind::Price, &[id(sku)]).await.remove(0))
}

/// A row as `quantity|from|list amount until`.
pub(super) fn told(price: &Price) -> Vec<String> {
    let row = |(key, row): (&PriceKey, &PriceRow)| {
        let until = row.until.map_or(String::new(), |day| format!(" {day}"));
        format!("{key} {}{until}", row.amount.amount)
    };
    price.rows.iter().map(row).collect()
}

pub(super) fn by_hand(held: &Held, sku: &str, list: &str, quantity: u32, amount: Option<&str>) {
    held.with(|world| assert!(world.shop.set_price(world.now, sku, list, quantity, amount), "{sku} {list}"));
}

fn recorded(name: &str) -> Json {
    let all: Vec<Json> = serde_json::from_str(include_str!("../fixtures/prices.json")).expect("recordings");
    let one = all.into_iter().find(|exchange| exchange["name"] == name).expect("a recording of that name");
    one["response"]["body"].clone()
}

fn sheet(base: &Json, special: &Json, tiers: &Json) -> Sheet {
    let told = Told {
        sku: "X".into(),
        form: Form::Single,
        base: wire::typed(base).expect("base prices"),
        special: wire::typed(special).expect("special prices"),
        tiers: wire::typed(tiers).expect("tier prices"),
    };
    let groups = ["General", "Wholesale", "*", "All Groups"].map(str::to_owned).into();
    Sheet::new(&told, &Setup { currency: "USD".parse().unwrap(), groups, site: None }).expect("prices")
}

#[test]
fn recorded_answers_are_understood() {
    let none = json!([]);
    let lamp =
        sheet(&recorded("base-price-after"), &recorded("special-price-after"), &recorded("tier-price-after-put"));
    let price = lamp.record("LAMP-1");
    assert_eq!(told(&price), ["1||base 61.2345", "5||group:* 38", "1|2026-11-27|special 45 2026-11-30"]);
    let lists: Vec<&str> = price.lists.iter().map(String::as_str).collect();
    assert_eq!(lists, ["base", "group:*", "group:General", "group:Wholesale", "special"]);
    let bolt = sheet(&none, &recorded("special-price-info"), &recorded("tier-prices-info"));
    let price = bolt.record("BOLT-M8");
    assert_eq!(told(&price), ["100||group:* 0.11", "1|2026-11-01|special 0.1 2030-12-31"]);
    let lists: Vec<&str> = price.lists.iter().map(String::as_str).collect();
    assert_eq!(
        lists,
        ["group:*", "group:General", "special"],
        "a percentage leaves its list untold, no price its base"
    );
    assert_eq!(bolt.closed("group:Wholesale"), Some("percentages stand there"));
}

#[test]
fn recorded_complaints_are_filled_in_and_name_their_sku() {
    let base = complaints(&recorded("base-price-row-errors"));
    assert_eq!(base[0].text, "Invalid attribute Price = -1.");
    assert!(!base[0].is_about("-1") && !base[0].is_about("Price"));
    assert!(base[1].is_about("LAMP-1") && !base[1].is_about("99") && !base[1].is_about("LAMP"));
    let special = complaints(&recorded("special-price-row-errors"));
    assert!(special[0].is_about("NOPE") && special[0].text.ends_with("Price To: 2026-11-30 23:59:59."));
    assert!(special[1..].iter().all(|one| one.is_about("LAMP-1")));
    let row = "Row ID: SKU = %SKU, Website ID: %websiteId, Customer Group: %customerGroup, Quantity: %qty.";
    let duplicate =
        format!("We found: Customer Group = %customerGroup, Quantity = %qty, Website ID = %websiteId. {row}");
    let told = complaints(&json!([
        {"message": duplicate, "parameters": ["100%qty", "0", "Wholesale", "5"]},
        {"message": format!("Invalid attribute Price = %price. {row}"), "parameters": ["-1", "A.B", "0", "General", "3"]},
        {"message": "%1 of %2", "parameters": ["a"]},
        {"message": "Invalid attribute SKU = %sku.", "parameters": {"sku": "A"}},
        {"message": null, "parameters": null},
        "what",
    ]));
    assert_eq!(
        told[0].text,
        "We found: Customer Group = Wholesale, Quantity = 5, Website ID = 0. Row ID: SKU = 100%qty, Website ID: 0, \
         Customer Group: Wholesale, Quantity: 5."
    );
    assert!(told[0].is_about("100%qty") && told[1].is_about("A.B") && !told[1].is_about("A"));
    assert_eq!((told[2].text.as_str(), told[3].is_about("A"), told.len()), ("%1 of %2 (a)", true, 5));
    assert!(complaints(&json!(true)).is_empty());
}

#[test]
fn what_is_of_one_website_or_view_closes_its_list() {
    let none = json!([]);
    let tier = |website: u64, kind: &str, price: &Json| json!({"price": price, "price_type": kind, "website_id": website, "customer_group": "wholesale", "quantity": 5});
    for (tiers, why) in [
        (json!([tier(0, "fixed", &json!(4)), tier(1, "fixed", &json!(4))]), "single website"),
        (json!([tier(0, "fixed", &json!(4)), tier(0, "discount", &json!(4))]), "percentages"),
        (json!([tier(0, "fixed", &json!(4)), tier(0, "fixed", &json!(5))]), "two prices"),
        (json!([tier(0, "fixed", &Json::Null)]), "without an amount"),
    ] {
        let sheet = sheet(&none, &none, &tiers);
        assert!(sheet.closed("group:Wholesale").is_some_and(|told| told.contains(why)), "{why}: {sheet:?}");
        assert!(sheet.rows.is_empty() && !sheet.whole.contains("group:Wholesale") && sheet.whole.contains("group:*"));
    }
    let row =
        |store: u64| json!({"price": 4, "store_id": store, "price_from": "2026-11-27 08:15:00", "price_to": null});
    for rows in [json!([row(0), row(0)]), json!([row(2)]), json!([row(0), row(2)])] {
        let sheet = sheet(&rows, &rows, &none);
        assert!(sheet.rows.is_empty() || rows.as_array().unwrap().len() == 1, "{sheet:?}");
        assert!(sheet.closed("special").is_some() && !sheet.whole.contains("special") && !sheet.whole.contains("base"));
    }
    let plain = sheet(&json!([]), &json!([row(0)]), &none);
    assert_eq!(told(&plain.record("X")), ["1|2026-11-27|special 4"], "whatever the time of day");
}

#[tokio::test]
async fn the_prices_of_a_variant_are_told_list_by_list() {
    let (held, magento) = (Held::new(0), shop());
    for (list, quantity, amount) in
        [("base", 1, "0.1234"), ("special", 1, "0.1"), ("group:*", 10, "0.09"), ("group:Wholesale", 5, "0.0812")]
    {
        by_hand(&held, "MUG", list, quantity, Some(amount));
    }
    held.with(|world| world.shop.set_special_days(world.now, "MUG", Some("2026-11-27"), Some("2026-11-30")));
    let price = read(&magento, &held, "mug").await;
    assert_eq!(price.variant, Some(Ref::remote(Kind::Variant, id("MUG"))));
    assert_eq!(
        told(&price),
        ["1||base 0.1234", "10||group:* 0.09", "5||group:Wholesale 0.0812", "1|2026-11-27|special 0.1 2026-11-30"]
    );
    assert_eq!(price.rows[&PriceKey::plain("base")].amount, usd("0.1234"));
    let lists: Vec<&str> = price.lists.iter().map(String::as_str).collect();
    let groups = ["group:*", "group:General", "group:NOT LOGGED IN", "group:Retailer", "group:Wholesale"];
    assert_eq!(lists, [&["base"][..], &groups, &["special"]].concat());
    by_hand(&held, "MUG", "group:Wholesale", 20, Some("5%"));
    let price = read(&magento, &held, "MUG").await;
    assert!(!price.lists.contains("group:Wholesale") && price.lists.contains("group:Retailer"));
    assert!(!price.rows.keys().any(|key| key.list == "group:Wholesale"), "nothing of such a list is told");
}

#[tokio::test]
async fn families_tell_no_price_and_a_bundle_no_percentage() {
    let (held, magento) = (Held::new(0), shop());
    by_hand(&held, "GIFTSET", "group:*", 2, Some("10%"));
    for sku in ["BOLT-CFG", "GIFTSET"] {
        let price = read(&magento, &held, sku).await;
        assert!(price.lists.is_empty() && price.rows.is_empty(), "{price:?}");
    }
}

#[tokio::test]
async fn one_bad_sku_in_a_hundred_spoils_no_other() {
    for strict in [false, true] {
        let (held, magento) = (Held::stocked(140, 0), shop());
        held.with(|world| world.shop.quirks_mut().strict_price_reads = strict);
        let keys = magento.keys(&held.ctx(), Kind::Price, &Cursor::default()).await.unwrap().keys;
        let mut ids: Vec<RemoteId> = keys.into_iter().map(|(id, _)| id).take(100).collect();
        ids[37] = id("NOPE");
        held.log();
        let read = magento.read(&held.ctx(), Kind::Price, &ids).await;
        let there = |(at, one): (usize, &Result<Option<Snapshot>>)| match one {
            Ok(Some(snapshot)) => snapshot.id == ids[at],
            Ok(None) => at == 37,
            Err(_) => false,
        };
        assert!(read.len() == 100 && read.iter().enumerate().all(there), "{strict}");
        let asked = held.log().iter().filter(|line| line.contains("base-prices-information")).count();
        assert!(asked == 2 || strict, "the products already told which are there: {asked}");
    }
}

#[tokio::test]
async fn a_product_the_shop_fails_on_is_found_and_reads_are_sent_again() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| {
        world.rule = Some(Box::new(|request| {
            let bad = request.url.contains("tier-prices-information")
                && String::from_utf8_lossy(&request.body).contains("PEN");
            if bad { Fault::Answer(400, &[], r#"{"message":"no"}"#) } else { Fault::None }
        }));
    });
    let ids = ["MUG", "PEN", "BOOK", "BOLT-M8"].map(id);
    let read = magento.read(&held.ctx(), Kind::Price, &ids).await;
    assert!(matches!(&read[..], [Ok(Some(_)), Err(_), Ok(Some(_)), Ok(Some(_))]), "{read:?}");
    let mut times = 0;
    held.with(|world| {
        world.rule = Some(Box::new(move |request| {
            times += u32::from(request.method == "POST");
            if request.method == "POST" && times < 3 { Fault::Cut(1) } else { Fault::None }
        }));
    });
    assert!(read_one(&magento, &held).await.is_ok());
    let broken = r#"[{"sku":"MUG","store_id":0,"price":"x"}]"#;
    for (fault, kind) in [
        (Fault::Answer(200, &[], broken), ErrorKind::Broken),
        (Fault::Answer(502, &[("content-type", "text/html")], "<html>"), ErrorKind::Unreachable),
    ] {
        held.with(|world| {
            world.rule =
                Some(Box::new(
                    move |request| {
                        if request.url.contains("base-prices-information") { fault } else { Fault::None }
                    },
                ));
        });
        assert_eq!(read_one(&magento, &held).await.expect_err("an error").kind, kind);
    }
}

async fn read_one(magento: &Magento, held: &Held) -> Result<Option<Snapshot>> {
    magento.read(&held.ctx(), Kind::Price, &[id("MUG")]).await.remove(0)
}

const TWO_BASES: &str = r#"[{"id":1,"code":"default","locale":"en_US","base_currency_code":"USD","timezone":"UTC","weight_unit":"kgs"},
    {"id":2,"code":"german","locale":"de_DE","base_currency_code":"EUR","timezone":"UTC","weight_unit":"kgs"}]"#;

#[tokio::test]
async fn several_base_currencies_are_no_prices_and_a_clear_error() {
    let (held, magento) = (Held::new(0), shop());
    held.with(|world| {
        world.rule = Some(Box::new(|request| {
            if request.url.contains("storeConfigs") { Fault::Answer(200, &[], TWO_BASES) } else { Fault::None }
        }));
    });
    let error = read_one(&magento, &held).await.expect_err("an error");
    assert!(error.kind == ErrorKind::Unsupported && error.message.contains("EUR, USD"), "{error}");
    let path = PriceKey::plain("base").path();
    assert!(matches!(magento.fit(Kind::Price, &path, &Value::Money(usd("1"))), Fit::Refused(_)));
    let probe = magento.probe(&held.ctx()).await.unwrap();
    assert!(!probe.profile.kinds.contains_key(&Kind::Price) && probe.choices["price_lists"].is_empty());
    assert!(
        probe.warnings.iter().any(|text| text.starts_with("prices cannot be synchronised")),
        "{:?}",
        probe.warnings
    );
}

#[tokio::test]
async fn the_probe_names_the_lists_and_their_currency() {
    let (held, magento) = (Held::new(0), shop());
    let probe = magento.probe(&held.ctx()).await.unwrap();
    let lists: Vec<&str> = probe.choices["price_lists"].iter().map(|choice| choice.code.as_str()).collect();
    let wanted =
        ["base", "special", "group:*", "group:NOT LOGGED IN", "group:General", "group:Wholesale", "group:Retailer"];
    assert_eq!(lists, wanted);
    assert!(probe.choices["price_lists"].iter().all(|choice| choice.hint == "USD" && !choice.title.is_empty()));
    let profile = &probe.profile.kinds[&Kind::Price];
    assert_eq!((profile.batch, profile.settle_s, profile.since.as_str()), (50, Some(240), ""));
    held.with(|world| {
        world.rule = Some(Box::new(|request| {
            let answer = r#"{"message":"The consumer isn't authorized to access %resources.","parameters":{"resources":"Magento_Catalog::catalog"}}"#;
            if request.url.contains("-information") { Fault::Answer(401, &[], answer) } else { Fault::None }
        }));
    });
    let probe = magento.probe(&held.ctx()).await.unwrap();
    assert!(!probe.profile.kinds.contains_key(&Kind::Price) && probe.profile.kinds.contains_key(&Kind::Stock));
}

#[tokio::test]
async fn without_the_right_to_groups_only_their_lists_are_missing() {
    let (held, magento) = (Held::new(0), shop());
    by_hand(&held, "MUG", "group:Retailer", 3, Some("7"));
    held.with(|world| {
        world.rule = Some(Box::new(|request| {
            let answer = r#"{"message":"The consumer isn't authorized to access %resources.","parameters":{"resources":"Magento_Customer::group"}}"#;
            if request.url.contains("customerGroups") { Fault::Answer(401, &[], answer) } else { Fault::None }
        }));
    });
    let price = read(&magento, &held, "MUG").await;
    let lists: Vec<&str> = price.lists.iter().map(String::as_str).collect();
    assert_eq!((lists, told(&price).len()), (vec!["base", "group:*", "special"], 2));
}

#[tokio::test]
async fn no_feed_tells_prices_and_what_is_fitted_is_what_is_kept() {
    let (held, magento) = (Held::new(0), shop());
    let page = magento.changes(&held.ctx(), Kind::Price, &Cursor("x".into())).await.unwrap();
    assert!(page.seen.is_empty() && !page.more && page.next == Cursor("x".into()));
    let fit = |key: &PriceKey, money: Money| magento.fit(Kind::Price, &key.path(), &Value::Money(money));
    let base = PriceKey::plain("base");
    let euro = Money::new(1.into(), "EUR".parse().unwrap());
    assert_eq!(fit(&base, euro), Fit::Exact, "nothing is known of the shop yet");
    read(&magento, &held, "MUG").await;
    assert!(matches!(fit(&base, euro), Fit::Refused(why) if why.contains("USD")));
    assert!(matches!(fit(&base, usd("1.00005")), Fit::As(Value::Money(kept), _) if kept == usd("1.0001")));
    assert_eq!((fit(&base, usd("0.1234")), fit(&base, usd("0"))), (Fit::Exact, Fit::Exact));
    let key = |list: &str, quantity: &str, from: Option<&str>| PriceKey {
        list: list.into(),
        quantity: quantity.parse().unwrap(),
        from: from.map(|day| day.parse().unwrap()),
    };
    for bad in [
        key("base", "2", None),
        key("special", "2", None),
        key("base", "1", Some("2026-11-27")),
        key("group:*", "1", Some("2026-11-27")),
        key("group:", "1", None),
        key("else", "1", None),
        key("group:A", "0", None),
        key("group:A", "0.00001", None),
    ] {
        assert!(matches!(fit(&bad, usd("1")), Fit::Refused(_)), "{bad}");
    }
    assert!(matches!(fit(&base, usd("-0.01")), Fit::Refused(_)) && matches!(fit(&base, usd("1e11")), Fit::Refused(_)));
    assert_eq!(fit(&key("group:A|B", "1.5", None), usd("2")), Fit::Exact);
    let day =
        |key: &PriceKey| magento.fit(Kind::Price, &key.path().dot("until"), &Value::Day("2026-11-27".parse().unwrap()));
    assert_eq!(day(&key("special", "1", Some("2026-11-27"))), Fit::Exact);
    assert!(matches!(day(&key("special", "1", Some("2026-11-28"))), Fit::Refused(_)));
    assert!(matches!(day(&base), Fit::Refused(_)));
    assert_eq!(magento.fit(Kind::Price, &Path::field("variant"), &Value::Bool(true)), Fit::Exact);
    assert!(lists::currency(&std::collections::BTreeSet::new()).is_err());
}
