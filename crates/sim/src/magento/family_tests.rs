//! Families: made, given an option and children, and refused for what Magento refuses.

use std::path::PathBuf;

use super::*;

const TOKEN: &str = "integration-token";

fn shop() -> Shop {
    let now = "2026-11-23T12:00:00Z".parse().expect("a moment");
    let mut shop = Shop::new(Options { seed: 3, products: 20, orders: 0, empty: true, now, token: TOKEN.to_owned() });
    shop.add_languages();
    shop
}

fn send(shop: &mut Shop, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let now: Timestamp = "2026-11-23T12:00:07Z".parse().expect("a moment");
    let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = Request { method: method.to_owned(), target: path.to_owned(), headers, body };
    let answer = shop.handle(now, &request);
    (answer.status, serde_json::from_slice(&answer.body).expect("every answer is JSON"))
}

fn link(shop: &mut Shop, child: &str) -> (u16, String) {
    let (status, body) =
        send(shop, "POST", "/rest/all/V1/configurable-products/BOLT-CFG/child", &json!({"childSku": child}));
    (status, body["message"].as_str().unwrap_or_default().to_owned())
}

fn family(shop: &mut Shop) -> (Value, Value) {
    let (_, told) = send(shop, "GET", "/rest/all/V1/products/BOLT-CFG", &Value::Null);
    let parts = &told["extension_attributes"];
    (parts["configurable_product_options"].clone(), parts["configurable_product_links"].clone())
}

#[test]
fn a_child_is_linked_once_and_taken_out_once() {
    let mut shop = shop();
    assert_eq!(family(&mut shop).1, json!([4, 5]));
    assert_eq!(link(&mut shop, "BOLT-CFG-1"), (400, "The product is already attached.".to_owned()));
    let gone = "/rest/all/V1/configurable-products/BOLT-CFG/children/BOLT-CFG-1";
    assert_eq!(send(&mut shop, "DELETE", gone, &Value::Null), (200, json!(true)));
    assert_eq!(send(&mut shop, "DELETE", gone, &Value::Null).0, 404);
    let (options, links) = family(&mut shop);
    assert_eq!((links, options[0]["values"].as_array().map(Vec::len)), (json!([4]), Some(1)));
    assert_eq!(link(&mut shop, "BOLT-CFG-1").0, 200);
    let (_, told) = send(&mut shop, "GET", "/rest/all/V1/products/BOLT-CFG", &Value::Null);
    assert_eq!(told["updated_at"], "2026-11-23 12:00:07", "a link saves the family");
    assert!(shop.delete_product("BOLT-CFG-0"));
    assert_eq!(family(&mut shop).1, json!([5]));
}

#[test]
fn a_child_without_a_value_or_with_another_ones_is_refused() {
    let mut shop = shop();
    let (status, why) = link(&mut shop, "PEN");
    assert!(status == 400 && why.contains("doesn't have the"), "{why}");
    assert_eq!(link(&mut shop, "NOBODY").0, 404);
    let now: Timestamp = "2026-11-23T12:00:01Z".parse().expect("a moment");
    assert!(shop.edit_product(now, "PEN", None, "attributes.size", "S"));
    let (status, why) = link(&mut shop, "PEN");
    assert!(status == 400 && why.contains("same set of attribute values"), "{why}");
    let body = json!({"option": {"attribute_id": "206", "label": "Size", "values": [{"value_index": 9001}]}});
    let path = "/rest/all/V1/configurable-products/BOLT-CFG/options";
    assert_eq!(send(&mut shop, "POST", path, &body).0, 400, "a second option of one attribute");
    let empty = json!({"option": {"attribute_id": 93, "label": "Color", "values": []}});
    assert_eq!(send(&mut shop, "POST", path, &empty).0, 400);
    let made = json!({"product": {"sku": "NEW", "name": "New", "price": 0, "attribute_set_id": 4,
        "type_id": "configurable", "status": 2, "visibility": 4}});
    assert_eq!(send(&mut shop, "POST", "/rest/all/V1/products", &made).0, 200);
    let (status, body) =
        send(&mut shop, "POST", "/rest/all/V1/configurable-products/NEW/child", &json!({"childSku": "MUG"}));
    assert_eq!(status, 400, "{body}");
}

/// The recordings, or none where the shared folder is not at hand.
fn recorded() -> Option<Vec<Value>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let shared = std::env::var_os("SYNCLINE_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let text = std::fs::read_to_string(shared.join("contracts/recorded/magento-2.4.7.json")).ok()?;
    serde_json::from_str(&text).ok()
}

/// The names of fields in `value`, at any depth, in order.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
        Value::Array(rows) => rows.iter().map(shape).collect(),
        Value::Null => Value::Null,
        Value::String(_) => json!("text"),
        Value::Bool(_) => json!("flag"),
        Value::Number(_) => json!("number"),
    }
}

#[test]
fn recorded_a_family_is_made_as_the_real_shop_made_it() {
    let Some(exchanges) = recorded() else {
        println!("contract: skipped 10");
        return;
    };
    let mut shop = shop();
    for sku in ["BOLT-CFG", "BOLT-CFG-0", "BOLT-CFG-1"] {
        assert!(shop.delete_product(sku));
    }
    let steps = [
        "attribute-create",
        "attribute-to-set",
        "product-configurable",
        "variant-create-0",
        "variant-create-1",
        "configurable-option",
        "configurable-child-0",
        "configurable-child-1",
        "configurable-get",
        "configurable-children",
    ];
    for name in steps {
        let exchange = exchanges.iter().find(|one| one["name"] == name).expect(name);
        let (request, response) = (&exchange["request"], &exchange["response"]);
        let text = |field: &str| request[field].as_str().expect("a text").to_owned();
        let (status, body) = send(&mut shop, &text("method"), &text("path"), &request["body"]);
        assert_eq!(Some(u64::from(status)), response["status"].as_u64(), "{name}: {body}");
        let wanted = &response["body"];
        match name {
            "configurable-get" => {
                let of = |told: &Value| {
                    let parts = &told["extension_attributes"];
                    (shape(&parts["configurable_product_options"]), shape(&parts["configurable_product_links"]))
                };
                assert_eq!(of(&body), of(wanted));
                let first = &body["extension_attributes"]["configurable_product_options"][0];
                let kept = &wanted["extension_attributes"]["configurable_product_options"][0];
                assert_eq!(
                    (&first["attribute_id"], &first["label"], &first["values"]),
                    (&kept["attribute_id"], &kept["label"], &kept["values"])
                );
            }
            "configurable-children" => {
                let keys = |row: &Value| row.as_object().map(|row| row.keys().cloned().collect::<Vec<_>>());
                assert_eq!(keys(&body[0]), keys(&wanted[0]));
                for field in ["sku", "name", "status", "visibility", "type_id"] {
                    assert_eq!((&body[0][field], &body[1][field]), (&wanted[0][field], &wanted[1][field]), "{field}");
                }
            }
            "configurable-option" => assert!(body.is_string() && wanted.is_string()),
            _ => {}
        }
    }
    println!("contract: ran {}", steps.len());
}
