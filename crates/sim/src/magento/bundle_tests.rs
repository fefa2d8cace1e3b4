//! Bundles: told as recorded, given parts, changed and refused for what Magento refuses.

use std::path::PathBuf;

use super::*;
use rust_decimal::Decimal;

const TOKEN: &str = "integration-token";

fn shop() -> Shop {
    let now = "2026-11-23T12:00:00Z".parse().expect("a moment");
    Shop::new(Options { seed: 3, products: 20, orders: 0, empty: true, now, token: TOKEN.to_owned() })
}

fn send(shop: &mut Shop, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let now: Timestamp = "2026-11-23T12:00:07Z".parse().expect("a moment");
    let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let target = format!("/rest/all/V1/{path}");
    let answer = shop.handle(now, &Request { method: method.to_owned(), target, headers, body });
    (answer.status, serde_json::from_slice(&answer.body).expect("every answer is JSON"))
}

fn told(shop: &mut Shop) -> Value {
    send(shop, "GET", "products/GIFTSET", &Value::Null).1
}

fn pen(bundle: &str) -> Value {
    json!({"option": {"title": "Pen", "required": true, "type": "select", "position": 3, "sku": bundle,
        "product_links": [{"sku": "PEN", "qty": 1.5, "is_default": true, "price": 0, "price_type": 0}]}})
}

#[test]
fn the_recorded_bundle_tells_the_same_options() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = std::env::var_os("SYNCLINE_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let file = shared.join("contracts/recorded/magento-2.4.7-bundle-configurable-papers.json");
    let Ok(text) = std::fs::read_to_string(file) else {
        println!("contract: skipped 1 (SYNCLINE_SHARED is not at hand)");
        return;
    };
    let exchanges: Vec<Value> = serde_json::from_str(&text).expect("a list of exchanges");
    let recorded = exchanges.iter().find(|exchange| exchange["name"] == "bundle-get").expect("recorded");
    let simulated = told(&mut shop());
    for place in ["/extension_attributes/bundle_product_options", "/type_id", "/price"] {
        let wanted = recorded["response"]["body"].pointer(place);
        // A decimal as the recording writes it and as it is told here are the same number.
        let plain = |value: Option<&Value>| value.map(|value| value.to_string().replace(".0", ""));
        assert_eq!(plain(simulated.pointer(place)), plain(wanted), "{place}");
    }
    println!("contract: ran 1");
}

#[test]
fn an_option_is_added_each_time_it_is_asked_for_and_saves_its_product() {
    let mut shop = shop();
    for count in [3, 4] {
        assert_eq!(send(&mut shop, "POST", "bundle-products/options/add", &pen("GIFTSET")).0, 200);
        let (_, all) = send(&mut shop, "GET", "bundle-products/GIFTSET/options/all", &Value::Null);
        assert_eq!(all.as_array().map(Vec::len), Some(count));
    }
    assert_eq!(told(&mut shop)["updated_at"], "2026-11-23 12:00:07");
    let (status, why) = send(&mut shop, "POST", "bundle-products/options/add", &pen("MUG"));
    assert_eq!((status, &why["message"]), (400, &json!("This is implemented for bundle products only.")));
    let mut family = pen("GIFTSET");
    family["option"]["product_links"][0]["sku"] = json!("BOLT-CFG");
    let (status, why) = send(&mut shop, "POST", "bundle-products/options/add", &family);
    assert!(status == 400 && why["message"].as_str().unwrap_or_default().contains("composite"), "{why}");
}

#[test]
fn a_link_keeps_what_is_not_said_and_a_deleted_option_is_gone_once() {
    let mut shop = shop();
    let before = told(&mut shop)["updated_at"].clone();
    let link = json!({"linkedProduct": {"id": "3", "sku": "MUG", "option_id": 3, "qty": 5}});
    assert_eq!(send(&mut shop, "PUT", "bundle-products/GIFTSET/links/3", &link), (200, json!(true)));
    let shown = told(&mut shop);
    let first = &shown["extension_attributes"]["bundle_product_options"][0]["product_links"][0];
    assert_eq!(
        (&first["qty"], &first["can_change_quantity"], &first["is_default"]),
        (&json!(5), &json!(0), &json!(true))
    );
    assert_eq!(shown["updated_at"], before, "nothing tells of it");
    let unknown = json!({"linkedProduct": {"id": "99", "sku": "MUG", "qty": 5}});
    assert_eq!(send(&mut shop, "PUT", "bundle-products/GIFTSET/links/99", &unknown).0, 400);
    for status in [200, 404] {
        assert_eq!(send(&mut shop, "DELETE", "bundle-products/GIFTSET/options/3", &Value::Null).0, status);
    }
    assert_eq!(send(&mut shop, "DELETE", "bundle-products/GIFTSET/options/4", &Value::Null).0, 200);
    assert!(told(&mut shop)["extension_attributes"].get("bundle_product_options").is_none(), "none are told as none");
}

#[test]
fn a_deleted_product_leaves_its_option_without_it() {
    let mut shop = shop();
    assert!(shop.delete_product("MUG"));
    let options = told(&mut shop)["extension_attributes"]["bundle_product_options"].clone();
    assert_eq!((options[0]["product_links"].clone(), options.as_array().map(Vec::len)), (json!([]), Some(2)));
    let now = "2026-11-23T12:00:01Z".parse().expect("a moment");
    assert!(
        shop.set_part(now, "GIFTSET", "PEN", Decimal::TWO) && !shop.set_part(now, "GIFTSET", "NOBODY", Decimal::ONE)
    );
}
