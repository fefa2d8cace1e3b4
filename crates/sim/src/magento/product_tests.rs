//! Products as people and connectors change them: scopes, fall-back, and what moves `updated_at`.

use super::*;

const TOKEN: &str = "integration-token";

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("a moment")
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn shop() -> Shop {
    let options = Options { seed: 3, products: 20, orders: 0, empty: true, now: now(), token: TOKEN.to_owned() };
    let mut shop = Shop::new(options);
    shop.add_languages();
    shop
}

fn send(shop: &mut Shop, at: Timestamp, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = Request { method: method.to_owned(), target: format!("/rest/{path}"), headers, body };
    let answer = shop.handle(at, &request);
    (answer.status, serde_json::from_slice(&answer.body).expect("every answer is JSON"))
}

fn get(shop: &mut Shop, path: &str) -> Value {
    send(shop, now(), "GET", path, &Value::Null).1
}

fn put(shop: &mut Shop, scope: &str, product: Value) -> u16 {
    send(shop, after(1), "PUT", &format!("{scope}/V1/products/MUG"), &json!({"product": product})).0
}

/// Name, description and status of the mug in a scope.
fn told(shop: &mut Shop, scope: &str) -> (String, Option<String>, u64) {
    let product = get(shop, &format!("{scope}/V1/products/mug"));
    let rows = product["custom_attributes"].as_array().expect("attributes").clone();
    let row = rows.iter().find(|row| row["attribute_code"] == "description");
    let description = row.map(|row| row["value"].as_str().expect("a text").to_owned());
    (product["name"].as_str().expect("a name").to_owned(), description, product["status"].as_u64().expect("a status"))
}

fn described(text: &str) -> Value {
    json!({"custom_attributes": [{"attribute_code": "description", "value": text}]})
}

#[test]
fn a_view_falls_back_field_by_field() {
    let mut shop = shop();
    assert_eq!(put(&mut shop, "german", json!({"name": "Becher"})), 200);
    assert_eq!(put(&mut shop, "all", described("A mug")), 200);
    assert_eq!(told(&mut shop, "all"), ("Mug".into(), Some("A mug".into()), 1));
    assert_eq!(told(&mut shop, "german"), ("Becher".into(), Some("A mug".into()), 1));
    assert_eq!(put(&mut shop, "all", json!({"name": "Cup"})), 200);
    assert_eq!(put(&mut shop, "german", described("")), 200);
    assert_eq!(told(&mut shop, "german"), ("Becher".into(), Some(String::new()), 1));
    assert_eq!(told(&mut shop, "french"), ("Cup".into(), Some("A mug".into()), 1));
    let list = get(
        &mut shop,
        "german/V1/products?searchCriteria[filterGroups][0][filters][0][field]=name&searchCriteria[filterGroups][0][filters][0][value]=Becher",
    );
    assert_eq!((&list["total_count"], &list["items"][0]["sku"]), (&json!(1), &json!("MUG")));
}

#[test]
fn a_status_is_the_websites_and_hides_that_of_all() {
    let mut shop = shop();
    assert_eq!(put(&mut shop, "german", json!({"status": 2})), 200);
    assert_eq!((told(&mut shop, "default").2, told(&mut shop, "french").2, told(&mut shop, "all").2), (2, 2, 1));
}

#[test]
fn what_is_refused_saves_nothing() {
    let mut shop = shop();
    let before = shop.ledger()["products"].clone();
    let long = "X".repeat(256);
    for bad in [
        json!({"weight": 3, "name": ""}),
        json!({"weight": 3, "name": long}),
        json!({"weight": 3, "status": 7}),
        json!({"weight": 3, "status": "on"}),
        json!({"weight": "heavy"}),
        json!({"weight": 3, "colour": "red"}),
        json!({"weight": 3, "name": ["x"]}),
    ] {
        assert_eq!(put(&mut shop, "all", bad.clone()), 400, "{bad}");
    }
    assert_eq!(send(&mut shop, now(), "PUT", "all/V1/products/MUG", &json!({})).0, 400);
    assert_eq!(send(&mut shop, now(), "PUT", "all/V1/products/NOPE", &json!({"product": {}})).0, 404);
    assert_eq!(send(&mut shop, now(), "PUT", "spanish/V1/products/MUG", &json!({"product": {}})).0, 400);
    assert_eq!(send(&mut shop, now(), "POST", "all/V1/products", &json!({"product": {"sku": "NEW"}})).0, 400);
    assert_eq!(shop.ledger()["products"], before);
}

#[test]
fn a_post_makes_what_is_not_there_and_overwrites_what_is() {
    let mut shop = shop();
    let new = |name: &str, key: &str| {
        let attributes = json!([{"attribute_code": "url_key", "value": key}]);
        json!({"product": {
            "sku": "NEW/1", "name": name, "price": 0, "attribute_set_id": 4, "status": 2, "visibility": 4,
            "type_id": "simple", "weight": 1.5, "custom_attributes": attributes,
        }})
    };
    let (status, made) = send(&mut shop, now(), "POST", "all/V1/products", &new("New", "new-1"));
    assert_eq!((status, &made["status"], &made["price"]), (200, &json!(2), &json!(0)), "{made}");
    let count = shop.ledger()["products"].as_array().expect("a list").len();
    assert_eq!(send(&mut shop, now(), "POST", "all/V1/products", &new("Newer", "new-1")).1["name"], "Newer");
    assert_eq!(shop.ledger()["products"].as_array().expect("a list").len(), count, "an update, and no refusal");
    let mut other = new("New", "new-1");
    other["product"]["sku"] = json!("NEW/2");
    assert_eq!(send(&mut shop, now(), "POST", "all/V1/products", &other).0, 400, "its address is taken");
}

#[test]
fn another_sku_in_the_body_renames_nothing() {
    let mut shop = shop();
    assert_eq!(put(&mut shop, "all", json!({"sku": "MUG-2", "weight": 0.3})), 200);
    assert_eq!(get(&mut shop, "all/V1/products/MUG")["weight"], json!(0.3));
    assert_eq!(send(&mut shop, now(), "GET", "all/V1/products/MUG-2", &Value::Null).0, 404);
}

#[test]
fn only_a_save_of_the_product_moves_its_time() {
    let mut shop = shop();
    let time = |shop: &mut Shop| get(shop, "all/V1/products/MUG")["updated_at"].clone();
    let made = time(&mut shop);
    let row = json!({"sourceItems": [{"sku": "MUG", "source_code": "default", "quantity": 3, "status": 1}]});
    assert_eq!(send(&mut shop, after(5), "POST", "all/V1/inventory/source-items", &row).0, 200);
    assert!(shop.buy(after(6), "MUG", 1));
    assert_eq!(time(&mut shop), made);
    assert!(shop.edit_product(after(7), "MUG", Some("german"), "name", "Becher"));
    assert_eq!(time(&mut shop), "2026-11-23 12:00:07");
}

#[test]
fn people_edit_what_there_is() {
    let mut shop = shop();
    let edits = [(None, "name", "Cup"), (Some("french"), "description", "Une tasse"), (None, "status", "2")];
    for (view, field, value) in edits.into_iter().chain([(None, "weight", "0.35")]) {
        assert!(shop.edit_product(now(), "MUG", view, field, value), "{field}");
    }
    assert!(!shop.edit_product(now(), "NOPE", None, "name", "x"));
    assert!(!shop.edit_product(now(), "MUG", Some("spanish"), "name", "x"));
    assert!(!shop.edit_product(now(), "MUG", None, "colour", "x"));
    assert!(!shop.edit_product(now(), "MUG", None, "name", ""));
    let ledger = shop.ledger();
    let mug = ledger["products"].as_array().expect("products").iter().find(|row| row["sku"] == "MUG").expect("a mug");
    assert_eq!((&mug["name"], &mug["status"], &mug["weight"]), (&json!("Cup"), &json!(2), &json!("0.35")));
    assert_eq!(mug["views"], json!({"french": {"name": null, "description": "Une tasse"}}));
    assert_eq!(mug["website_status"], Value::Null);
}

#[test]
fn a_search_may_see_a_save_late() {
    let mut shop = shop();
    shop.quirks_mut().late_commit_s = 30;
    assert!(shop.edit_product(now(), "MUG", None, "name", "Cup"));
    assert!(shop.edit_product(after(10), "MUG", None, "name", "Beaker"));
    let path = "all/V1/products?searchCriteria[filterGroups][0][filters][0][field]=sku&searchCriteria[filterGroups][0][filters][0][value]=MUG";
    let seen = |shop: &mut Shop, at| send(shop, at, "GET", path, &Value::Null).1["items"][0]["name"].clone();
    let names = [29, 30, 39, 40].map(|seconds| seen(&mut shop, after(seconds)));
    assert_eq!(names, ["Mug", "Cup", "Cup", "Beaker"], "a later save keeps no earlier one back");
    assert_eq!(told(&mut shop, "all").0, "Beaker");
}

#[test]
fn views_and_the_unit_of_weight_are_settings() {
    let mut shop = shop();
    shop.set_weight_unit("kgs");
    let configs = get(&mut shop, "all/V1/store/storeConfigs?fields=code,locale,weight_unit");
    assert_eq!(configs[2], json!({"code": "french", "locale": "fr_FR", "weight_unit": "kgs"}));
    assert!(shop.remove_store_view("french") && !shop.remove_store_view("french"));
    assert_eq!(send(&mut shop, now(), "GET", "french/V1/products/MUG", &Value::Null).0, 400);
}

#[test]
fn a_limit_of_rows_is_refused_or_filled_in() {
    let mut shop = shop();
    shop.quirks_mut().page_limit = 5;
    let ask = |shop: &mut Shop, size: &str| {
        send(shop, now(), "GET", &format!("all/V1/products?searchCriteria{size}&fields=items[sku]"), &Value::Null)
    };
    assert_eq!(ask(&mut shop, "[pageSize]=6").0, 400);
    assert_eq!(ask(&mut shop, "[pageSize]=5").0, 200);
    assert_eq!(ask(&mut shop, "=").1["items"].as_array().map(Vec::len), Some(5));
}
