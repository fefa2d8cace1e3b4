//! The shop through its front door: tokens, stores, routes, searches, and the simulation's own entrance.

use super::*;

const TOKEN: &str = "integration-token";

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("a moment")
}

fn shop(orders: usize, empty: bool) -> Shop {
    Shop::new(Options { seed: 3, products: 40, orders, empty, now: now(), token: TOKEN.to_owned() })
}

fn send(shop: &mut Shop, at: Timestamp, method: &str, target: &str, token: Option<&str>, body: &str) -> (u16, Value) {
    let headers = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))).into_iter().collect();
    let request =
        Request { method: method.to_owned(), target: target.to_owned(), headers, body: body.as_bytes().to_vec() };
    let answer = shop.handle(at, &request);
    (answer.status, serde_json::from_slice(&answer.body).expect("every answer is JSON"))
}

fn get(shop: &mut Shop, target: &str) -> (u16, Value) {
    send(shop, now(), "GET", target, Some(TOKEN), "")
}

fn post(shop: &mut Shop, target: &str, body: &str) -> (u16, Value) {
    send(shop, now(), "POST", target, Some(TOKEN), body)
}

#[test]
fn an_administrators_token_ends_after_four_hours() {
    let mut shop = shop(0, true);
    let login = json!({"username": ADMIN, "password": ADMIN_PASSWORD}).to_string();
    let (status, token) = send(&mut shop, now(), "POST", "/rest/V1/integration/admin/token", None, &login);
    let token = token.as_str().expect("a text");
    assert_eq!(status, 200);
    let mut ask = |hours: i64, token: &str| {
        let at = now() + SignedDuration::from_hours(hours);
        send(&mut shop, at, "GET", "/rest/default/V1/store/websites", Some(token), "").0
    };
    assert_eq!((ask(0, token), ask(3, token), ask(4, token)), (200, 200, 401));
    assert_eq!((ask(400, TOKEN), ask(0, "other"), ask(0, "")), (200, 401, 401));
}

#[test]
fn paths_name_a_store_that_exists_and_a_route_that_exists() {
    let mut shop = shop(0, true);
    for good in ["/rest/V1", "/rest/default/V1", "/rest/all/V1", "/index.php/rest/default/V1"] {
        assert_eq!(get(&mut shop, &format!("{good}/store/storeViews")).0, 200, "{good}");
    }
    assert_eq!(get(&mut shop, "/rest/german/V1/store/storeViews").0, 400);
    shop.add_store_view("german", "German", "de_DE");
    let (status, views) = get(&mut shop, "/rest/german/V1/store/storeViews?fields=code");
    assert_eq!((status, views), (200, json!([{"code": "default"}, {"code": "admin"}, {"code": "german"}])));
    for bad in
        ["/", "/rest", "/rest/default", "/rest/default/V1", "/rest/default/V2/orders", "/rest/default/V1/orders/1/2/3"]
    {
        assert_eq!(get(&mut shop, bad).0, 404, "{bad}");
    }
    assert_eq!(send(&mut shop, now(), "DELETE", "/rest/default/V1/orders/1", Some(TOKEN), "").0, 404);
}

#[test]
fn refusals_are_magentos() {
    let mut shop = shop(0, true);
    let (status, body) = get(&mut shop, "/rest/default/V1/orders/77");
    assert_eq!(
        (status, &body["message"]),
        (404, &json!("The entity that was requested doesn't exist. Verify the entity and try again."))
    );
    assert_eq!(get(&mut shop, "/rest/default/V1/orders/abc").0, 400);
    assert_eq!(get(&mut shop, "/rest/default/V1/orders").0, 400, "searchCriteria is required");
    assert_eq!(get(&mut shop, "/rest/default/V1/orders?searchCriteria=").0, 200);
    assert_eq!(post(&mut shop, "/rest/default/V1/orders", "{\"entity\":").0, 400);
    assert_eq!(get(&mut shop, "/rest/default/V1/customers/9").0, 404);
    assert_eq!(send(&mut shop, now(), "GET", "/rest/default/V1/directory/countries", None, "").0, 200);
}

#[test]
fn a_product_is_found_by_its_sku_encoded_or_searched() {
    let mut shop = shop(0, true);
    let (status, product) = get(&mut shop, "/rest/all/V1/products/NUT%2FM8%20%C3%BC");
    assert_eq!((status, &product["id"]), (200, &json!(2)));
    let search = "/rest/all/V1/products?searchCriteria[filterGroups][0][filters][0][field]=sku\
                  &searchCriteria[filterGroups][0][filters][0][conditionType]=in\
                  &searchCriteria[filterGroups][0][filters][0][value]=mug,BOOK&fields=items[sku],total_count";
    assert_eq!(get(&mut shop, search).1, json!({"items": [{"sku": "MUG"}, {"sku": "BOOK"}], "total_count": 2}));
    let (_, family) = get(&mut shop, "/rest/all/V1/products/BOLT-CFG");
    assert_eq!(family["extension_attributes"]["configurable_product_links"], json!([4, 5]));
}

#[test]
fn a_customer_put_deletes_the_addresses_it_leaves_out() {
    let mut shop = shop(0, true);
    let address = json!({"firstname": "A", "lastname": "B", "street": ["x"], "city": "Bonn", "country_id": "DE", "telephone": "1", "default_billing": true});
    let customer =
        json!({"customer": {"email": "A@example.com", "firstname": "A", "lastname": "B", "addresses": [address]}});
    let (status, made) = post(&mut shop, "/rest/V1/customers", &customer.to_string());
    assert_eq!((status, &made["default_billing"]), (200, &json!("1")));
    assert_eq!(
        post(&mut shop, "/rest/V1/customers", &customer.to_string().to_lowercase()).0,
        400,
        "one e-mail, one customer"
    );
    let mut put = |body: Value| send(&mut shop, now(), "PUT", "/rest/V1/customers/1", Some(TOKEN), &body.to_string()).1;
    let kept = put(json!({"customer": {"id": 1, "email": "A@example.com", "firstname": "C"}}));
    assert_eq!((&kept["firstname"], kept["addresses"].as_array().map(Vec::len)), (&json!("C"), Some(1)));
    let bare = put(json!({"customer": {"id": 1, "addresses": []}}));
    assert_eq!((&bare["addresses"], bare.get("default_billing")), (&json!([]), None));
}

#[test]
fn orders_can_be_placed_without_a_token_and_nothing_hostile_gets_through() {
    let mut shop = shop(0, true);
    let (status, placed) =
        send(&mut shop, now(), "POST", "/_sim/orders", None, r#"{"entity": {"increment_id": "77"}}"#);
    assert_eq!((status, placed), (200, json!({"entity_id": 1, "increment_id": "77"})));
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "{", "nul", "[]", "\u{0}", "{\"a\":1e}", deep.as_str(), r#"{"items": [[]]}"#] {
        let (status, answer) = send(&mut shop, now(), "POST", "/_sim/orders", None, body);
        assert!(status == 400 && answer["message"].is_string(), "{answer}");
    }
    let binary = Request {
        method: "POST".into(),
        target: "/_sim/orders".into(),
        headers: Vec::new(),
        body: vec![0xff, 0xfe, b'{'],
    };
    assert_eq!(shop.handle(now(), &binary).status, 400);
    assert_eq!(get(&mut shop, "/_sim/nothing").0, 404);
    assert_eq!(shop.ledger()["orders"].as_array().map(Vec::len), Some(1));
}

#[test]
fn late_commits_reach_what_is_placed_from_outside() {
    let mut shop = shop(0, true);
    shop.quirks_mut().late_commit_s = 30;
    let entity_id = shop.place(now(), json!({"increment_id": "1"})).expect("placed");
    assert!(shop.place(now(), json!([])).is_err());
    assert_eq!(get(&mut shop, "/rest/V1/orders?searchCriteria=").1["total_count"], 0);
    let at = now() + SignedDuration::from_secs(30);
    assert_eq!(send(&mut shop, at, "GET", "/rest/V1/orders?searchCriteria=", Some(TOKEN), "").1["total_count"], 1);
    assert!(shop.set_state(at, entity_id, "processing"));
}

#[test]
fn seeded_orders_are_all_there_add_up_and_mostly_go() {
    let shop = shop(300, false);
    let ledger = shop.ledger();
    let orders = ledger["orders"].as_array().expect("orders");
    assert_eq!(orders.len(), 300);
    let read = |value: &Value| value::decimal(value).expect("a decimal");
    for order in orders {
        let lines = order["lines"].as_array().expect("lines");
        let sum =
            lines.iter().fold(read(&order["shipping"]) + read(&order["tax"]), |sum, line| sum + read(&line["total"]));
        assert_eq!(sum, read(&order["total"]), "{order}");
    }
    let released = orders.iter().filter(|order| order["state"] == "released").count();
    assert!(released * 6 >= orders.len() * 5, "{released} of 300 released");
    let numbers: std::collections::BTreeSet<_> = orders.iter().map(|order| order["number"].to_string()).collect();
    assert_eq!(numbers.len(), 300);
}
