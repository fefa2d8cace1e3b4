//! Stock through the front door, and buyers and clerks who change it meanwhile.

use super::*;

const TOKEN: &str = "integration-token";

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("a moment")
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn shop(orders: usize) -> Shop {
    Shop::new(Options { seed: 3, products: 40, orders, empty: orders == 0, now: now(), token: TOKEN.to_owned() })
}

fn send(shop: &mut Shop, at: Timestamp, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
    let target = format!("/rest/default/V1/inventory/{path}");
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let answer = shop.handle(at, &Request { method: method.to_owned(), target, headers, body });
    (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
}

fn get(shop: &mut Shop, path: &str) -> (u16, Value) {
    send(shop, now(), "GET", path, &Value::Null)
}

fn row(sku: &str, quantity: Value, status: u8) -> Value {
    json!({"sku": sku, "source_code": "default", "quantity": quantity, "status": status})
}

fn set(shop: &mut Shop, rows: &[Value]) -> u16 {
    send(shop, now(), "POST", "source-items", &json!({"sourceItems": rows})).0
}

fn salable(shop: &Shop, sku: &str) -> i64 {
    i64::try_from(shop.salable(sku).expect("on a shelf")).expect("a whole number")
}

fn held(shop: &Shop, sku: &str) -> Value {
    let ledger = shop.ledger();
    ledger["stock"].as_array().expect("stock").iter().find(|row| row["sku"] == sku).cloned().unwrap_or_default()
}

#[test]
fn everything_on_a_shelf_has_20_to_500_beside_what_is_ordered() {
    for orders in [0, 90] {
        let shop = shop(orders);
        let ledger = shop.ledger();
        let told = ledger["salable"].as_object().expect("quantities");
        assert_eq!(told.len(), ledger["stock"].as_array().expect("rows").len());
        assert!(told.len() > 20 && !told.contains_key("GIFTSET") && !told.contains_key("BOLT-CFG"));
        for (sku, quantity) in told {
            let quantity: u32 = quantity.as_str().and_then(|text| text.parse().ok()).expect("a whole number");
            assert!((20..=500).contains(&quantity), "{sku}: {quantity}");
        }
    }
}

#[test]
fn a_sale_keeps_back_and_only_a_shipment_takes() {
    let mut shop = shop(0);
    assert_eq!(set(&mut shop, &[row("MUG", json!(10), 1)]), 200);
    assert!(shop.buy(now(), "mug", 7));
    assert!(!shop.buy(now(), "MUG", 4), "three can be bought");
    assert!(!shop.buy(now(), "GIFTSET", 1) && !shop.buy(now(), "NOPE", 1) && !shop.buy(now(), "MUG", 0));
    assert_eq!((salable(&shop, "MUG"), &held(&shop, "MUG")["quantity"]), (3, &json!("10")));
    let order = shop.ledger()["orders"][0].clone();
    let id = order["id"].as_u64().expect("an id");
    assert_eq!((&order["state"], &order["lines"][0]["qty"]), (&json!("released"), &json!("7")));
    assert!(shop.ship(after(5), id));
    assert!(!shop.ship(after(6), id), "nothing is open");
    assert_eq!((salable(&shop, "MUG"), &held(&shop, "MUG")["quantity"]), (3, &json!("3")));
}

#[test]
fn a_cancelled_order_gives_back_and_a_short_shelf_ships_nothing() {
    let mut shop = shop(0);
    set(&mut shop, &[row("PEN", json!(5), 1)]);
    assert!(shop.buy(now(), "PEN", 5));
    let id = shop.ledger()["orders"][0]["id"].as_u64().expect("an id");
    set(&mut shop, &[row("PEN", json!(2), 1)]);
    assert_eq!(salable(&shop, "PEN"), -3);
    assert!(!shop.ship(now(), id));
    assert_eq!(held(&shop, "PEN")["quantity"], "2");
    assert!(shop.set_state(now(), id, "canceled"));
    assert_eq!(salable(&shop, "PEN"), 2);
    assert!(!shop.ship(now(), id));
}

#[test]
fn a_bundle_and_what_is_virtual_are_kept_back_by_what_they_are_made_of() {
    let mut shop = shop(0);
    let before = (salable(&shop, "MUG"), salable(&shop, "BOOK"), salable(&shop, "BOLT-CFG-0"));
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("../../fixtures/magento-orders.json")).expect("recorded orders");
    for order in recorded {
        shop.place(now(), order).expect("an order");
    }
    let now_left = (salable(&shop, "MUG"), salable(&shop, "BOOK"), salable(&shop, "BOLT-CFG-0"));
    // Mugs 3, 4, 4 in bundles, 2 and 1; books 1 and 2 in bundles; the bolt 3, 1 and 3 under its family.
    assert_eq!((before.0 - now_left.0, before.1 - now_left.1, before.2 - now_left.2), (14, 3, 7));
    let bundle = shop.ledger()["orders"].as_array().expect("orders").iter().find_map(|order| {
        let lines = order["lines"].as_array()?;
        lines.iter().any(|line| line["sku"] == "GIFTSET").then(|| order["id"].as_u64())?
    });
    assert!(shop.ship(after(1), bundle.expect("the bundle")));
    assert_eq!(salable(&shop, "MUG"), now_left.0);
}

#[test]
fn a_threshold_is_not_for_sale() {
    let mut shop = shop(0);
    set(&mut shop, &[row("MUG", json!(10), 1)]);
    shop.set_out_of_stock_threshold(4);
    assert!(!shop.buy(now(), "MUG", 7));
    assert_eq!(get(&mut shop, "get-product-salable-quantity/MUG/1"), (200, json!(6)));
}

#[test]
fn only_what_is_in_stock_at_an_enabled_source_of_the_websites_stock_counts() {
    let mut shop = shop(0);
    let east = json!({"source": {"source_code": "east", "name": "East", "enabled": true, "country_id": "US", "postcode": "1"}});
    assert_eq!(send(&mut shop, now(), "POST", "sources", &east), (200, json!([])));
    let stock = json!({"stock": {"name": "US", "extension_attributes": {"sales_channels": [{"type": "website", "code": "base"}]}}});
    assert_eq!(send(&mut shop, now(), "POST", "stocks", &stock), (200, json!(2)));
    let links = json!({"links": [{"stock_id": 2, "source_code": "east", "priority": 1}]});
    assert_eq!(send(&mut shop, now(), "POST", "stock-source-links", &links), (200, json!([])));
    assert_eq!(get(&mut shop, "get-product-salable-quantity/MUG/2"), (200, json!(0)));
    let mut at_east = row("MUG", json!(8), 1);
    at_east["source_code"] = json!("east");
    set(&mut shop, &[row("MUG", json!(50), 1), at_east.clone()]);
    assert_eq!(get(&mut shop, "get-product-salable-quantity/MUG/2"), (200, json!(8)));
    assert_eq!(get(&mut shop, "get-product-salable-quantity/MUG/1"), (200, json!(50)));
    assert_eq!(get(&mut shop, "stock-resolver/website/base").1["stock_id"], 2);
    assert_eq!(get(&mut shop, "stock-resolver/website/other").0, 404);
    at_east["status"] = json!(0);
    set(&mut shop, std::slice::from_ref(&at_east));
    assert_eq!(get(&mut shop, "is-product-salable/MUG/2"), (200, json!(false)));
    at_east["status"] = json!(1);
    set(&mut shop, std::slice::from_ref(&at_east));
    let closed = json!({"source": {"source_code": "east", "name": "East", "enabled": false, "country_id": "US", "postcode": "1"}});
    send(&mut shop, now(), "POST", "sources", &closed);
    assert_eq!(get(&mut shop, "get-product-salable-quantity/MUG/2"), (200, json!(0)));
    assert_eq!(get(&mut shop, "sources?searchCriteria[pageSize]=1").1["total_count"], 2);
    assert_eq!(get(&mut shop, "stock-source-links?searchCriteria=").1["total_count"], 2);
}

#[test]
fn what_is_refused_stores_nothing_and_what_is_unknown_is_taken_silently() {
    let mut shop = shop(0);
    let before = held(&shop, "MUG");
    let mut mars = row("MUG", json!(1), 1);
    mars["source_code"] = json!("mars");
    assert_eq!(set(&mut shop, &[row("MUG", json!(1), 1), mars]), 400);
    for bad in [json!({"sku": "MUG"}), row("", json!(1), 1), row("MUG", json!("many"), 1), row("MUG", json!(1), 7)] {
        assert_eq!(set(&mut shop, &[bad]), 400);
    }
    assert_eq!(send(&mut shop, now(), "POST", "source-items", &json!({})).0, 400);
    assert_eq!(held(&shop, "MUG"), before);
    for (unknown_skus, status, kept) in
        [(UnknownSkus::Refused, 400, false), (UnknownSkus::Dropped, 200, false), (UnknownSkus::Kept, 200, true)]
    {
        shop.quirks_mut().unknown_skus = unknown_skus;
        assert_eq!(set(&mut shop, &[row("NOPE", json!(1), 1)]), status);
        assert_eq!(held(&shop, "NOPE").is_object(), kept, "{unknown_skus:?}");
    }
    assert_eq!(set(&mut shop, &[row("BOLT-CFG", json!(1), 1)]), 200);
    set(&mut shop, &[row("NUT/M8 ü", json!("3.00005"), 1), row("pen", json!(-3), 1)]);
    assert_eq!(
        (&held(&shop, "NUT/M8 ü")["quantity"], &held(&shop, "PEN")["quantity"]),
        (&json!("3.0001"), &json!("-3"))
    );
    assert_eq!(get(&mut shop, "get-product-salable-quantity/NUT%2FM8%20%C3%BC/1"), (200, json!(3.0001)));
    assert_eq!(get(&mut shop, "get-product-salable-quantity/NOPE/1").0, 404);
    assert_eq!(get(&mut shop, "get-product-salable-quantity/BOLT-CFG/1").0, 400);
    let gone = json!({"sourceItems": [{"sku": "PEN", "source_code": "default"}]});
    assert_eq!(send(&mut shop, now(), "POST", "source-items-delete", &gone).0, 200);
    assert_eq!(held(&shop, "PEN"), Value::Null);
}

#[test]
fn an_index_may_be_late_while_the_quantity_is_not() {
    let mut shop = shop(0);
    set(&mut shop, &[row("MUG", json!(10), 1)]);
    shop.quirks_mut().slow_stock_index_s = 60;
    set(&mut shop, &[row("MUG", json!(2), 1)]);
    let ask = "get-product-salable-quantity/MUG/1";
    assert_eq!((get(&mut shop, ask).1, held(&shop, "MUG")["quantity"].clone()), (json!(10), json!("2")));
    assert!(shop.buy(after(59), "MUG", 5), "buyers see the index");
    assert_eq!(send(&mut shop, after(60), "GET", ask, &Value::Null).1, json!(0), "never less than nothing");
    assert_eq!(salable(&shop, "MUG"), -3);
}

fn call(shop: &mut Shop, at: Timestamp, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let target = format!("/rest/default/V1/{path}");
    let answer = shop.handle(at, &Request { method: method.to_owned(), target, headers, body });
    (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
}

#[test]
fn without_sources_a_sale_lowers_the_one_quantity_and_a_cancelled_one_gives_it_back() {
    let mut shop = shop(60);
    let before = salable(&shop, "MUG");
    shop.switch_off_sources();
    assert_eq!(salable(&shop, "MUG"), before, "what buyers may have stays");
    assert_eq!(get(&mut shop, "sources"), (404, json!({"message": "Request does not match any route."})));
    let quantity = |shop: &mut Shop| {
        let (status, item) = call(shop, now(), "GET", "stockItems/mug", &Value::Null);
        assert_eq!(status, 200);
        let (_, product) = call(shop, now(), "GET", "products/MUG", &Value::Null);
        assert_eq!(product["extension_attributes"]["stock_item"]["qty"], item["qty"]);
        (item["qty"].as_i64().expect("a whole number"), item["is_in_stock"].as_bool().expect("a flag"))
    };
    assert_eq!(quantity(&mut shop), (before, true));
    let save = |shop: &mut Shop, fields: Value| {
        call(shop, now(), "PUT", "products/MUG/stockItems/1", &json!({"stockItem": fields})).0
    };
    assert_eq!(save(&mut shop, json!({"qty": 5, "is_in_stock": true})), 200);
    assert!(shop.buy(now(), "MUG", 3) && !shop.buy(now(), "MUG", 3));
    assert_eq!((quantity(&mut shop), salable(&shop, "MUG")), ((2, true), 2));
    let bought = shop.ledger()["orders"].as_array().and_then(|all| all.last()?["id"].as_u64()).expect("an order");
    assert!(shop.ship(after(1), bought), "what is handed over was taken when it was bought");
    assert_eq!(quantity(&mut shop), (2, true));
    assert!(shop.buy(now(), "MUG", 2));
    assert_eq!(quantity(&mut shop), (0, false));
    let bought = shop.ledger()["orders"].as_array().and_then(|all| all.last()?["id"].as_u64()).expect("an order");
    assert!(shop.set_state(after(2), bought, "canceled"));
    assert_eq!(quantity(&mut shop), (2, true));
    // What is no more than the threshold cannot be had, whatever a save says.
    shop.set_out_of_stock_threshold(2);
    assert_eq!(save(&mut shop, json!({"qty": 2, "is_in_stock": true})), 200);
    assert_eq!((quantity(&mut shop), shop.buy(now(), "MUG", 1)), ((2, false), false));
    assert_eq!(save(&mut shop, json!({"qty": "many"})), 400);
    assert_eq!(call(&mut shop, now(), "GET", "stockItems/nobody", &Value::Null).0, 404);
}
