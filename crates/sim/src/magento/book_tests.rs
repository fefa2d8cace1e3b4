//! Placing orders that are anything, and what the writes do to them.

use super::*;

const NOON: &str = "2026-11-23T12:00:00Z";

fn noon() -> Timestamp {
    NOON.parse().expect("a moment")
}

fn later(seconds: i64) -> Timestamp {
    noon() + SignedDuration::from_secs(seconds)
}

fn order(number: &str) -> Value {
    json!({
        "entity_id": 5, "increment_id": number, "grand_total": 9.5, "state": "new", "status": "pending", "store_id": 1,
        "items": [
            {"item_id": 8, "sku": "CFG", "qty_ordered": 2, "product_type": "configurable", "extension_attributes": {"itemized_taxes": [{"item_id": 8}]}},
            {"item_id": 9, "sku": "CFG", "qty_ordered": 2, "parent_item_id": 8, "parent_item": {"item_id": 8, "order_id": 5}},
        ],
        "billing_address": {"entity_id": 4, "parent_id": 5}, "payment": {"entity_id": 5, "parent_id": 5, "method": "checkmo"},
        "extension_attributes": {
            "shipping_assignments": [{"shipping": {"address": {"entity_id": 3, "parent_id": 5}}, "items": [{"item_id": 8}, {"item_id": 9}]}],
            "item_applied_taxes": [{"type": "product", "item_id": 8}], "taxes": [{"tax_id": 1, "order_id": 5}],
        },
    })
}

fn search(book: &Book, now: Timestamp) -> Vec<Value> {
    let query = [("searchCriteria".to_owned(), String::new())];
    let criteria = Criteria::parse(&query).expect("criteria");
    let found = book.search(now, &criteria, false).expect("rows");
    found.page.into_iter().map(|order| Value::Object(order.clone())).collect()
}

#[test]
fn an_order_keeps_its_ids_and_a_copy_of_it_gets_its_own() {
    let mut book = Book::default();
    let first = book.place(noon(), order("000000005")).expect("placed");
    assert_eq!(first, Placed { entity_id: 5, increment_id: "000000005".to_owned() });
    let mut kept = order("000000005");
    kept["created_at"] = json!("2026-11-23 12:00:00");
    kept["updated_at"] = json!("2026-11-23 12:00:00");
    kept["billing_address_id"] = json!(4);
    kept["items"][0]["order_id"] = json!(5);
    kept["items"][1]["order_id"] = json!(5);
    assert_eq!(Value::Object(book.get(5).expect("an order").clone()), kept);

    let second = book.place(later(1), json!({"entity": order("000000005")})).expect("placed");
    assert_eq!(second, Placed { entity_id: 6, increment_id: "000000006".to_owned() });
    let copy = Value::Object(book.get(6).expect("an order").clone());
    assert_eq!(copy["items"][0]["item_id"], 10);
    assert_eq!(copy["items"][1]["parent_item_id"], 10);
    assert_eq!(copy["items"][1]["parent_item"], json!({"item_id": 10, "order_id": 6}));
    assert_eq!(
        copy["extension_attributes"]["shipping_assignments"][0]["items"],
        json!([{"item_id": 10}, {"item_id": 11}])
    );
    assert_eq!(copy["extension_attributes"]["item_applied_taxes"][0]["item_id"], 10);
    assert_eq!(copy["extension_attributes"]["taxes"][0], json!({"tax_id": 1, "order_id": 6}));
    assert_eq!(copy["billing_address"], json!({"entity_id": 6, "parent_id": 6}));
    assert_eq!(copy["payment"]["entity_id"], 6);
}

#[test]
fn one_number_may_be_in_two_stores() {
    let mut book = Book::default();
    book.place(noon(), order("7")).expect("placed");
    let mut other = order("7");
    other["store_id"] = json!(2);
    assert_eq!(book.place(noon(), other).expect("placed").increment_id, "7");
}

#[test]
fn a_bare_order_gets_what_it_needs() {
    let mut book = Book::default();
    let placed = book.place(noon(), json!({"items": [{"sku": "A"}], "extension_attributes": []})).expect("placed");
    assert_eq!(placed, Placed { entity_id: 1, increment_id: "000000001".to_owned() });
    let order = book.get(1).expect("an order");
    assert_eq!(order["items"], json!([{"item_id": 1, "order_id": 1, "sku": "A"}]));
    assert_eq!(order["created_at"], "2026-11-23 12:00:00");
}

#[test]
fn what_is_not_built_like_an_order_is_refused_and_takes_nothing() {
    let mut book = Book::default();
    let hostile = [
        "null",
        "[]",
        "7",
        "\"x\"",
        r#"{"entity": null}"#,
        r#"{"entity": []}"#,
        r#"{"entity_id": -1}"#,
        r#"{"entity_id": 1.5}"#,
        r#"{"entity_id": 99999999999999999999999}"#,
        r#"{"entity_id": {"a": 1}}"#,
        r#"{"increment_id": 7}"#,
        r#"{"increment_id": ""}"#,
        r#"{"items": {}}"#,
        r#"{"items": [1]}"#,
        r#"{"items": [null]}"#,
        r#"{"items": [{"item_id": "x"}]}"#,
        r#"{"items": [{"parent_item_id": []}]}"#,
        r#"{"billing_address": []}"#,
        r#"{"payment": "cash"}"#,
        r#"{"store_id": "one"}"#,
        r#"{"extension_attributes": 1}"#,
        r#"{"extension_attributes": {"shipping_assignments": {}}}"#,
        r#"{"extension_attributes": {"shipping_assignments": [[]]}}"#,
        r#"{"payment": {"entity_id": 1e30}}"#,
    ];
    for text in hostile {
        let body = serde_json::from_str(text).expect("json");
        assert_eq!(book.place(noon(), body).map_err(|refusal| refusal.status), Err(400), "{text}");
    }
    assert_eq!(book.place(noon(), json!({})).expect("placed").entity_id, 1);
}

#[test]
fn strange_values_are_kept_and_every_write_lives_with_them() {
    let mut book = Book::default();
    let strange = [
        r#"{"grand_total": 1234567890123456789012345678901234567890, "items": [{"qty_ordered": 1e999, "row_total": "x"}]}"#,
        r#"{"state": 7, "items": [{"item_id": 3, "parent_item_id": 3, "qty_ordered": null}, {"item_id": 3}], "created_at": {}}"#,
        r#"{"increment_id": "99999999999999999999", "entity_id": 4294967295, "items": [{"item_id": 4294967295}]}"#,
        r#"{"billing_address": {"entity_id": null}, "extension_attributes": {"shipping_assignments": [{"shipping": 1, "items": 2}, {}]}}"#,
    ];
    for text in strange {
        let body: Value = serde_json::from_str(text).expect("json");
        for _ in 0..2 {
            let entity_id = book.place(noon(), body.clone()).expect("placed").entity_id;
            book.hold(noon(), entity_id).expect("held");
            book.unhold(noon(), entity_id).expect("free");
            book.cancel(noon(), entity_id).expect("an answer");
            book.set_state(noon(), entity_id, "canceled");
        }
    }
    assert_eq!(search(&book, noon()).len(), 8);
}

#[test]
fn a_save_of_one_column_leaves_the_others_and_answers_nulls() {
    let mut book = Book::default();
    book.place(noon(), order("000000005")).expect("placed");
    let answer = book.save(later(5), &json!({"entity": {"entity_id": 5, "ext_order_id": "S-1"}})).expect("saved");
    assert_eq!(answer["grand_total"], Value::Null);
    assert_eq!(answer["total_due"], 0);
    assert_eq!(answer["ext_order_id"], "S-1");
    assert!(answer["items"][0].get("extension_attributes").is_none());
    let stored = book.get(5).expect("an order");
    assert_eq!(stored["grand_total"].to_string(), "9.5");
    assert_eq!(stored["ext_order_id"], "S-1");
    assert_eq!(stored["updated_at"], "2026-11-23 12:00:05");
    book.save(later(6), &json!({"entity": {"entity_id": "5", "ext_order_id": null}})).expect("saved");
    assert!(book.get(5).expect("an order").get("ext_order_id").is_none());
}

#[test]
fn a_save_refuses_what_it_cannot_keep() {
    let mut book = Book::default();
    book.place(noon(), order("000000005")).expect("placed");
    book.place(noon(), json!({"increment_id": "8", "entity_id": 8})).expect("placed");
    let status = |book: &mut Book, body: Value| book.save(noon(), &body).map_err(|refusal| refusal.status).map(|_| ());
    assert_eq!(status(&mut book, json!(null)), Err(400));
    assert_eq!(status(&mut book, json!({"entity": {"entity_id": 99, "ext_order_id": "x"}})), Err(404));
    assert_eq!(status(&mut book, json!({"entity": {"entity_id": 5, "ext_oder_id": "x"}})), Err(400));
    assert_eq!(status(&mut book, json!({"entity": {"entity_id": 5, "items": []}})), Err(400));
    assert_eq!(status(&mut book, json!({"entity": {"entity_id": 5, "ext_order_id": ["x"]}})), Err(400));
    assert_eq!(status(&mut book, json!({"entity": {"entity_id": 5, "grand_total": "much"}})), Err(400));
    assert_eq!(
        status(&mut book, json!({"entity": {"entity_id": 5, "increment_id": "8"}})),
        Err(400),
        "the number is taken"
    );
    assert_eq!(status(&mut book, json!({"entity": {"entity_id": 5, "increment_id": "9"}})), Ok(()));
    assert_eq!(book.place(noon(), json!({"increment_id": "000000005"})).expect("placed").increment_id, "000000005");
}

#[test]
fn a_reference_is_text_of_thirty_two_characters() {
    let mut book = Book::default();
    book.place(noon(), order("000000005")).expect("placed");
    let mut saved = |reference: Value| {
        book.save(noon(), &json!({"entity": {"entity_id": 5, "ext_order_id": reference}})).expect("saved");
        book.get(5).expect("an order")["ext_order_id"].clone()
    };
    assert_eq!(saved(json!(42)), "42");
    assert_eq!(saved(json!("ü".repeat(40))), "ü".repeat(32));
}

#[test]
fn cancelling_twice_answers_false() {
    let mut book = Book::default();
    book.place(noon(), order("000000005")).expect("placed");
    assert_eq!(book.cancel(noon(), 5), Ok(json!(true)));
    assert_eq!(book.cancel(noon(), 5), Ok(json!(false)));
    let stored = book.get(5).expect("an order");
    assert_eq!((&stored["state"], &stored["items"][0]["qty_canceled"]), (&json!("canceled"), &json!(2)));
    assert_eq!(stored["total_canceled"].to_string(), "9.5");
    assert_eq!(book.hold(noon(), 5).map_err(|refusal| refusal.status), Err(400));
    assert_eq!(book.cancel(noon(), 77).map_err(|refusal| refusal.status), Err(404));
}

#[test]
fn a_late_commit_shows_the_old_order_until_it_is_done() {
    let mut book = Book { late_commit_s: 10, ..Book::default() };
    book.place(noon(), order("000000005")).expect("placed");
    assert!(search(&book, later(9)).is_empty());
    assert!(book.get(5).is_some(), "by id it is there at once");
    assert_eq!(search(&book, later(10)).len(), 1);
    book.place(later(20), order("000000006")).expect("placed");
    assert_eq!(search(&book, later(20)).len(), 2, "every other save is a short one");
    assert!(book.set_state(later(60), 5, "processing"));
    assert_eq!(search(&book, later(61))[0]["state"], "new");
    assert_eq!(search(&book, later(61))[0]["updated_at"], "2026-11-23 12:00:00");
    assert!(book.set_state(later(62), 5, "complete"));
    assert_eq!(search(&book, later(63))[0]["state"], "new", "saves of one row wait for each other");
    assert_eq!(search(&book, later(70))[0]["updated_at"], "2026-11-23 12:01:02");
    assert!(!book.set_state(noon(), 77, "new"));
}
