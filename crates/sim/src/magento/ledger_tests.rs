//! Which lines carry money, by which convention, and which orders are released.

use super::*;

fn told(order: Value) -> Value {
    let Value::Object(order) = order else { panic!("not an object") };
    super::order(&order, Some("base"))
}

fn totals(order: Value) -> Vec<String> {
    let told = told(order);
    let lines = told["lines"].as_array().expect("lines");
    lines.iter().map(|line| line["total"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn the_parent_of_a_configurable_carries_the_money() {
    let order = json!({"grand_total": 4.13, "items": [
        {"item_id": 1, "product_type": "configurable", "row_total": 4.13},
        {"item_id": 2, "parent_item_id": 1, "row_total": 0},
    ]});
    assert_eq!(totals(order), ["4.13", "0"]);
}

#[test]
fn the_children_of_a_bundle_carry_it_unless_they_have_none() {
    let bundle = |parent: Value, child: Value| {
        json!({"grand_total": 5, "items": [
            {"item_id": 1, "product_type": "bundle", "row_total": parent},
            {"item_id": 2, "parent_item_id": 1, "row_total": child},
            {"item_id": 3, "parent_item_id": 1, "row_total": 0},
        ]})
    };
    assert_eq!(totals(bundle(json!(5), json!(5))), ["0", "5", "0"]);
    assert_eq!(totals(bundle(json!(5), json!(0))), ["5", "0", "0"]);
}

#[test]
fn the_discount_convention_is_the_one_that_comes_to_the_total() {
    let line =
        json!({"item_id": 1, "row_total": 10, "discount_amount": 1.19, "discount_tax_compensation_amount": 0.19});
    let order =
        |total: Value| json!({"grand_total": total, "shipping_amount": 5, "tax_amount": 2.5, "items": [line.clone()]});
    let classic: Value = serde_json::from_str("16.50").expect("a number");
    let reduced: Value = serde_json::from_str("17.69").expect("a number");
    assert_eq!(totals(order(classic)), ["9"]);
    assert_eq!(totals(order(reduced)), ["10.19"]);
}

#[test]
fn release_follows_the_payment_method() {
    let state =
        |method: &str, state: &str| told(json!({"state": state, "payment": {"method": method}}))["state"].clone();
    assert_eq!(state("checkmo", "new"), "released");
    assert_eq!(state("braintree", "new"), "draft");
    assert_eq!(state("braintree", "processing"), "released");
    assert_eq!(state("checkmo", "holded"), "draft");
    assert_eq!(state("checkmo", "canceled"), "cancelled");
    assert_eq!(told(json!({}))["state"], "draft");
}

#[test]
fn what_no_decimal_holds_stands_as_it_was_sent() {
    let huge: Value = serde_json::from_str(
        r#"{"grand_total": 1234567890123456789012345678901234567890, "items": [{"row_total": 1e300, "sku": 5}, 7]}"#,
    )
    .expect("json");
    let told = told(huge);
    assert_eq!(told["total"], "1234567890123456789012345678901234567890");
    assert_eq!(
        told["lines"][0],
        json!({"id": null, "parent": null, "sku": null, "qty": null, "cancelled": null, "total": "0"})
    );
}
