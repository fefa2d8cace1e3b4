//! Prices as people and connectors change them: what is kept, what is complained about, and what moves nothing.

use super::*;

const TOKEN: &str = "integration-token";

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("a moment")
}

fn shop() -> Shop {
    Shop::new(Options { seed: 3, products: 20, orders: 0, empty: true, now: now(), token: TOKEN.to_owned() })
}

fn send(shop: &mut Shop, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
    let target = format!("/rest/all/V1/products/{path}");
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let answer = shop.handle(now(), &Request { method: method.to_owned(), target, headers, body });
    (answer.status, serde_json::from_slice(&answer.body).expect("every answer is JSON"))
}

fn told(shop: &mut Shop, what: &str, sku: &str) -> Value {
    send(shop, "POST", &format!("{what}-information"), &json!({"skus": [sku]})).1
}

fn tier(sku: &str, group: &str, quantity: u32, price: &Value, kind: &str) -> Value {
    json!({"price": price, "price_type": kind, "website_id": 0, "sku": sku, "customer_group": group, "quantity": quantity})
}

fn ledger(shop: &Shop, sku: &str) -> Vec<Value> {
    let rows = shop.ledger()["prices"].as_array().expect("prices").clone();
    rows.into_iter().filter(|row| row["sku"] == sku).collect()
}

#[test]
fn a_tier_is_taken_away_by_its_amount_and_one_of_nothing_never() {
    let mut shop = shop();
    let rows = json!({"prices": [
        tier("MUG", "Wholesale", 5, &json!(8.5), "fixed"), tier("MUG", "all GROUPS", 9, &json!(0), "fixed"),
        tier("MUG", "Retailer", 1, &json!(10), "discount"),
    ]});
    assert_eq!(send(&mut shop, "POST", "tier-prices", &rows), (200, json!([])));
    let wrong = json!({"prices": [tier("MUG", "Wholesale", 5, &json!(8.4), "fixed")]});
    assert_eq!(send(&mut shop, "POST", "tier-prices-delete", &wrong), (200, json!([])));
    assert_eq!(told(&mut shop, "tier-prices", "MUG").as_array().expect("rows").len(), 3);
    assert_eq!(send(&mut shop, "POST", "tier-prices-delete", &rows), (200, json!([])));
    let left = told(&mut shop, "tier-prices", "mug");
    assert_eq!(left, json!([tier("mug", "all groups", 9, &json!(0), "fixed")]));
}

#[test]
fn a_bad_row_of_tiers_is_complained_about_with_its_placeholders_and_stops_no_other() {
    let mut shop = shop();
    let rows = json!({"prices": [
        tier("MUG", "Nobody", 5, &json!(8), "fixed"), tier("PEN", "General", 2, &json!(2), "fixed"),
        tier("PEN", "General", 0, &json!(2), "fixed"), tier("PEN", "General", 3, &json!(-1), "fixed"),
    ]});
    let (status, complaints) = send(&mut shop, "POST", "tier-prices", &rows);
    assert_eq!((status, complaints.as_array().expect("rows").len()), (200, 3));
    assert_eq!(complaints[0]["parameters"], json!(["MUG", "0", "Nobody", "5"]));
    assert_eq!(complaints[2]["parameters"], json!(["-1", "PEN", "0", "General", "3"]));
    assert!(complaints[0]["message"].as_str().expect("a text").contains("Customer Group = %customerGroup."));
    assert_eq!(ledger(&shop, "PEN")[1]["amount"], "2");
}

#[test]
fn a_date_that_is_not_sent_stays_and_taking_away_takes_all() {
    let mut shop = shop();
    let row = |price: &Value, from: &Value, to: &Value| json!({"prices": [{"price": price, "store_id": 0, "sku": "MUG", "price_from": from, "price_to": to}]});
    let first = row(&json!(7.25), &json!("2026-11-27 00:00:00"), &json!("2026-11-30 00:00:00"));
    assert_eq!(send(&mut shop, "POST", "special-price", &first), (200, json!([])));
    assert_eq!(send(&mut shop, "POST", "special-price", &row(&json!(7), &Value::Null, &Value::Null)), (200, json!([])));
    let kept = &ledger(&shop, "MUG")[1];
    assert_eq!(
        kept,
        &json!({"sku": "MUG", "list": "special", "quantity": "1", "from": "2026-11-27", "until": "2026-11-30", "amount": "7"})
    );
    assert_eq!(send(&mut shop, "POST", "special-price-delete", &first).0, 200);
    assert_eq!(told(&mut shop, "special-price", "MUG"), json!([]));
}

#[test]
fn a_person_changes_prices_and_the_products_time() {
    let mut shop = shop();
    let later = now() + SignedDuration::from_secs(9);
    let time = |shop: &mut Shop| send(shop, "GET", "MUG", &Value::Null).1["updated_at"].clone();
    let made = time(&mut shop);
    let base = json!({"prices": [{"price": 9.1234567, "store_id": 0, "sku": "MUG"}]});
    assert_eq!(send(&mut shop, "POST", "base-prices", &base), (200, json!([])));
    assert_eq!((time(&mut shop), &ledger(&shop, "MUG")[0]["amount"]), (made, &json!("9.123457")));
    for (list, quantity, amount) in
        [("base", 1, "8"), ("special", 1, "7.5"), ("group:*", 10, "7"), ("group:Wholesale", 5, "5%")]
    {
        assert!(shop.set_price(later, "MUG", list, quantity, Some(amount)), "{list}");
    }
    assert!(shop.set_special_days(later, "MUG", Some("2026-12-01"), None));
    assert_eq!(time(&mut shop), "2026-11-23 12:00:09");
    let rows: Vec<String> =
        ledger(&shop, "MUG").iter().map(|row| format!("{} {} {}", row["list"], row["from"], row["amount"])).collect();
    let wanted = [
        r#""base" null "8""#,
        r#""special" "2026-12-01" "7.5""#,
        r#""group:Wholesale" null "5%""#,
        r#""group:*" null "7""#,
    ];
    assert_eq!(rows, wanted);
    for (sku, list, quantity, amount) in [
        ("NOPE", "base", 1, Some("1")),
        ("MUG", "base", 1, None),
        ("MUG", "base", 2, Some("1")),
        ("MUG", "group:Nobody", 2, Some("1")),
        ("MUG", "else", 1, Some("1")),
        ("MUG", "special", 1, Some("-1")),
        ("GIFTSET", "base", 1, Some("1")),
        ("MUG", "group:*", 11, None),
    ] {
        assert!(!shop.set_price(later, sku, list, quantity, amount), "{sku} {list}");
    }
    assert!(shop.set_price(later, "MUG", "special", 1, None) && shop.set_price(later, "MUG", "group:*", 10, None));
    assert_eq!(ledger(&shop, "MUG").len(), 2);
}

#[test]
fn what_a_read_does_with_a_sku_nobody_has_is_a_habit() {
    let mut shop = shop();
    let skus = json!({"skus": ["NOPE", "MUG", "BOLT-CFG", "GIFTSET"]});
    let (status, rows) = send(&mut shop, "POST", "base-prices-information", &skus);
    assert_eq!((status, rows), (200, json!([{"price": 9.99, "store_id": 0, "sku": "MUG"}])));
    shop.quirks_mut().strict_price_reads = true;
    assert_eq!(send(&mut shop, "POST", "base-prices-information", &skus).0, 404);
}

#[test]
fn a_person_changes_a_price_as_any_other_field() {
    let mut shop = shop();
    let edit = |place: Option<&str>, value: &str| crate::http::Edit {
        sku: "MUG".to_owned(),
        place: place.map(str::to_owned),
        field: "price".to_owned(),
        value: value.to_owned(),
    };
    assert!(shop.edit(now(), &edit(None, "7.5")) && shop.edit(now(), &edit(Some("special"), "6")));
    let told: Vec<Value> = ledger(&shop, "MUG").iter().map(|row| json!([row["list"], row["amount"]])).collect();
    assert_eq!(told, [json!(["base", "7.5"]), json!(["special", "6"])]);
    assert!(shop.edit(now(), &edit(Some("special"), "")) && !shop.edit(now(), &edit(None, "")));
    assert_eq!(ledger(&shop, "MUG").len(), 1);
}
