//! Papers through the front door: what leaves, what it takes from a source, and the traps on the way.

use super::*;
use rust_decimal::Decimal;

const TOKEN: &str = "integration-token";

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("a moment")
}

fn shop() -> Shop {
    Shop::new(Options { seed: 3, products: 40, orders: 0, empty: true, now: now(), token: TOKEN.to_owned() })
}

fn send(shop: &mut Shop, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))];
    let target = format!("/rest/default/V1/{path}");
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let answer = shop.handle(now(), &Request { method: method.to_owned(), target, headers, body });
    (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
}

fn held(shop: &Shop, sku: &str) -> Decimal {
    let ledger = shop.ledger();
    let rows = ledger["stock"].as_array().expect("stock");
    let row = rows.iter().find(|row| row["sku"] == sku).expect("a row");
    row["quantity"].as_str().expect("a text").parse().expect("a decimal")
}

fn order(shop: &Shop, id: u64) -> Value {
    Value::Object(shop.book.get(id).expect("an order").clone())
}

/// An order of a bundle of two mugs and a book, two of it, and of a configurable bolt, three of it.
fn sets(shop: &mut Shop) -> u64 {
    let order = json!({
        "state": "new", "status": "pending", "grand_total": 93, "base_grand_total": 93, "subtotal": 93, "base_subtotal": 93,
        "order_currency_code": "USD",
        "items": [
            {"item_id": 1, "product_id": 9, "sku": "GIFTSET", "product_type": "bundle", "qty_ordered": 2, "row_total": 90, "base_row_total": 90},
            {"item_id": 2, "parent_item_id": 1, "product_id": 6, "sku": "MUG", "product_type": "simple", "qty_ordered": 4, "row_total": 40, "base_row_total": 40},
            {"item_id": 3, "parent_item_id": 1, "product_id": 7, "sku": "BOOK", "product_type": "simple", "qty_ordered": 2, "row_total": 50, "base_row_total": 50},
            {"item_id": 4, "product_id": 3, "sku": "BOLT-CFG-0", "product_type": "configurable", "qty_ordered": 3, "row_total": 3, "base_row_total": 3},
            {"item_id": 5, "parent_item_id": 4, "product_id": 4, "sku": "BOLT-CFG-0", "product_type": "simple", "qty_ordered": 3, "row_total": 0, "base_row_total": 0},
        ],
    });
    shop.place(now(), order).expect("placed")
}

fn ship(shop: &mut Shop, order: u64, items: &Value) -> (u16, Value) {
    send(shop, "POST", &format!("order/{order}/ship"), &json!({"items": items}))
}

#[test]
fn what_leaves_leaves_its_source_and_what_was_kept_back_for_it_is_given_back() {
    let mut shop = shop();
    let id = sets(&mut shop);
    let (mugs, bolts) = (held(&shop, "MUG"), held(&shop, "BOLT-CFG-0"));
    let salable = |shop: &Shop| (shop.salable("MUG"), shop.salable("BOLT-CFG-0"));
    let before = salable(&shop);
    let asked = json!([{"order_item_id": 2, "qty": 3}, {"order_item_id": 4, "qty": 2}]);
    assert_eq!(ship(&mut shop, id, &asked), (200, json!("1")));
    assert_eq!((mugs - held(&shop, "MUG"), bolts - held(&shop, "BOLT-CFG-0")), (3.into(), 2.into()));
    assert_eq!(salable(&shop), before);
    let after = order(&shop, id);
    let shipped: Vec<&Value> =
        after["items"].as_array().expect("items").iter().map(|item| &item["qty_shipped"]).collect();
    assert_eq!(shipped, [&json!(1), &json!(3), &Value::Null, &json!(2), &Value::Null]);
    assert_eq!(after["state"], "processing");
    assert_eq!(shop.ledger()["shipments"][0]["lines"], json!({"1": "1", "2": "3", "4": "2"}));
    assert_eq!(send(&mut shop, "GET", "shipment/1", &Value::Null).1["total_qty"], 5);
}

#[test]
fn a_bundle_that_goes_together_is_shipped_by_its_head_and_its_parts_keep_saying_nothing() {
    let mut shop = shop();
    assert!(shop.ship_together("GIFTSET") && !shop.ship_together("MUG"));
    let id = sets(&mut shop);
    let (mugs, books) = (held(&shop, "MUG"), held(&shop, "BOOK"));
    let before = shop.salable("MUG");
    let (status, refused) = ship(&mut shop, id, &json!([{"order_item_id": 2, "qty": 2}]));
    assert_eq!(status, 400);
    assert!(refused["message"].as_str().expect("a text").contains("\"Together\". Bundle product itself"), "{refused}");
    assert_eq!(ship(&mut shop, id, &json!([{"order_item_id": 1, "qty": 1}])), (200, json!("1")));
    assert_eq!((mugs - held(&shop, "MUG"), books - held(&shop, "BOOK")), (2.into(), 1.into()));
    assert_eq!(shop.salable("MUG"), before);
    assert_eq!(shop.ledger()["shipments"][0]["lines"], json!({"1": "1"}));
    assert!(order(&shop, id)["items"][1].get("qty_shipped").is_none());
}

#[test]
fn a_source_that_holds_too_few_lets_nothing_leave() {
    let mut shop = shop();
    let id = sets(&mut shop);
    let rows = json!({"sourceItems": [{"sku": "BOOK", "source_code": "default", "quantity": 1, "status": 1}]});
    assert_eq!(send(&mut shop, "POST", "inventory/source-items", &rows).0, 200);
    let mugs = held(&shop, "MUG");
    let both = json!([{"order_item_id": 2, "qty": 4}, {"order_item_id": 3, "qty": 2}]);
    let (status, refused) = ship(&mut shop, id, &both);
    assert_eq!((status, &refused["message"]), (400, &json!("Could not save a shipment, see error log for details")));
    let elsewhere = json!({"items": both, "arguments": {"extension_attributes": {"source_code": "mars"}}});
    assert_eq!(send(&mut shop, "POST", &format!("order/{id}/ship"), &elsewhere).0, 400);
    assert_eq!((held(&shop, "MUG"), shop.ledger()["shipments"].as_array().map(Vec::len)), (mugs, Some(0)));
    assert_eq!(order(&shop, id)["state"], "new");
}

#[test]
fn tracks_come_and_go_and_the_same_number_may_stand_twice() {
    let mut shop = shop();
    let id = sets(&mut shop);
    assert_eq!(shop.ship_by_hand(now(), id, &[(2, 1)], Some("0034")), Some(1));
    let track = |order: u64, shipment: u64| json!({"entity": {"order_id": order, "parent_id": shipment, "track_number": "0034", "title": "DHL", "carrier_code": "dhl"}});
    assert_eq!(send(&mut shop, "POST", "shipment/track", &track(id, 1)).1["entity_id"], 2);
    assert_eq!(send(&mut shop, "POST", "shipment/track", &track(id, 7)).0, 400);
    assert_eq!(send(&mut shop, "POST", "shipment/track", &track(id + 1, 1)).0, 400);
    assert_eq!(shop.ledger()["shipments"][0]["tracks"].as_array().map(Vec::len), Some(2));
    assert_eq!(send(&mut shop, "DELETE", "shipment/track/1", &Value::Null), (200, json!(true)));
    assert_eq!(send(&mut shop, "DELETE", "shipment/track/1", &Value::Null).0, 404);
    let found = "shipments?searchCriteria[filterGroups][0][filters][0][field]=order_id&searchCriteria[filterGroups][0][filters][0][value]=";
    assert_eq!(
        send(&mut shop, "GET", &format!("{found}{id}"), &Value::Null).1["items"][0]["tracks"][0]["entity_id"],
        2
    );
    assert_eq!(send(&mut shop, "GET", &format!("{found}99"), &Value::Null).1["total_count"], 0);
}

#[test]
fn an_order_on_hold_ships_nothing_and_one_without_lines_is_asked_for_all() {
    let mut shop = shop();
    let id = sets(&mut shop);
    assert_eq!(send(&mut shop, "POST", &format!("orders/{id}/hold"), &Value::Null).0, 200);
    let (status, refused) = ship(&mut shop, id, &json!([{"order_item_id": 2, "qty": 1}]));
    assert_eq!(status, 400);
    assert!(refused["message"].as_str().expect("a text").ends_with("a status of holded"), "{refused}");
    assert_eq!(send(&mut shop, "POST", &format!("orders/{id}/unhold"), &Value::Null).0, 200);
    assert_eq!(ship(&mut shop, id, &json!([])), (200, json!("1")));
    assert_eq!(shop.ledger()["shipments"][0]["lines"], json!({"1": "1", "2": "4", "3": "2", "4": "3"}));
    assert_eq!(ship(&mut shop, 99, &json!([])).0, 404);
}

fn bill(shop: &mut Shop, order: u64, items: &Value) -> (u16, Value) {
    send(shop, "POST", &format!("order/{order}/invoice"), &json!({"items": items, "capture": false}))
}

#[test]
fn every_seeded_order_is_billed_piece_by_piece_to_its_total() {
    let mut shop =
        Shop::new(Options { seed: 5, products: 60, orders: 120, empty: false, now: now(), token: TOKEN.to_owned() });
    let open: Vec<u64> = shop
        .book
        .all()
        .filter(|order| order["state"] == "new")
        .filter_map(|order| order["entity_id"].as_u64())
        .collect();
    assert!(open.len() > 40, "{}", open.len());
    for id in open {
        let before = order(&shop, id);
        let lines: Vec<u64> =
            before["items"].as_array().expect("items").iter().filter_map(|item| item["item_id"].as_u64()).collect();
        for line in &lines {
            let (status, _) = bill(&mut shop, id, &json!([{"order_item_id": line, "qty": 1}]));
            assert!(status == 200 || status == 400);
        }
        shop.invoice_by_hand(now(), id, &[]);
        let grand: Decimal = before["grand_total"].to_string().parse().expect("a decimal");
        assert_eq!(shop.captured(id), grand, "{before}");
        let after = order(&shop, id);
        assert_eq!(
            (&after["total_due"], after["total_paid"].to_string().parse::<Decimal>().ok()),
            (&json!(0), Some(grand))
        );
        let (status, refused) = bill(&mut shop, id, &json!([]));
        let text = refused["message"].as_str().expect("a text");
        assert!(
            status == 400 && (text.contains("does not allow an invoice") || text.contains("a status of complete")),
            "{text}"
        );
        if before["is_virtual"] == 1 {
            assert_eq!(after["state"], "complete");
        }
    }
}

#[test]
fn more_than_is_open_is_not_billed_and_the_freight_goes_with_the_first_invoice() {
    let mut shop = shop();
    let id = sets(&mut shop);
    let (status, refused) = bill(&mut shop, id, &json!([{"order_item_id": 2, "qty": 5}]));
    assert_eq!((status, &refused["message"]), (400, &json!("We found an invalid quantity to invoice item \"%1\".")));
    assert_eq!(
        bill(&mut shop, id, &json!([{"order_item_id": 2, "qty": 1}, {"order_item_id": 4, "qty": 2}])),
        (200, json!("1"))
    );
    let (_, invoice) = send(&mut shop, "GET", "invoices/1", &Value::Null);
    assert_eq!(
        (&invoice["grand_total"], &invoice["state"]),
        (&json!(12), &json!(2)),
        "paid, though it was not captured"
    );
    let told: Vec<(u64, u64)> = invoice["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|item| Some((item["order_item_id"].as_u64()?, item["qty"].as_u64()?)))
        .collect();
    assert_eq!(told, [(2, 1), (4, 2), (5, 2)]);
    assert_eq!(shop.ledger()["invoices"][0]["total"], "12");
    assert_eq!(order(&shop, id)["state"], "processing");
}

#[test]
fn a_refund_of_no_line_is_one_of_all_and_what_is_asked_for_is_in_the_websites_currency() {
    let mut shop = shop();
    let id = sets(&mut shop);
    let refund = |shop: &mut Shop, body: Value| send(shop, "POST", &format!("order/{id}/refund"), &body);
    let text = |answer: &Value| answer["message"].as_str().expect("a text").to_owned();
    let (status, refused) = refund(&mut shop, json!({"items": []}));
    assert!(status == 400 && text(&refused).contains("does not allow a creditmemo"), "{refused}");
    shop.invoice_by_hand(now(), id, &[]).expect("billed");
    shop.book.change(now(), id, |order| {
        for (column, rate) in
            [("base_to_order_rate", json!(0.5)), ("base_total_paid", json!(186)), ("base_total_refunded", json!(0))]
        {
            value::put(order, column, rate);
        }
    });
    let none = json!([{"order_item_id": 2, "qty": 0}]);
    let (status, _) =
        refund(&mut shop, json!({"items": none, "arguments": {"adjustment_positive": 3.33, "shipping_amount": 0}}));
    assert_eq!((status, shop.refunded(id)), (200, "1.67".parse().expect("a decimal")));
    let (status, refused) = refund(&mut shop, json!({"items": none, "arguments": {"adjustment_positive": 200}}));
    assert!(status == 400 && text(&refused).contains("The most money available to refund is"), "{refused}");
    let (status, refused) =
        refund(&mut shop, json!({"items": [{"order_item_id": 2, "qty": 5}], "arguments": {"adjustment_positive": 1}}));
    assert!(status == 400 && text(&refused).contains("unrefunded quantity for product SKU \"MUG\""), "{refused}");
    let (status, refused) = refund(&mut shop, json!({"items": none, "arguments": {"shipping_amount": 0}}));
    assert!(status == 400 && text(&refused).contains("must be positive"), "{refused}");
    let all =
        json!({"items": [], "arguments": {"shipping_amount": 0, "adjustment_positive": 1, "adjustment_negative": 1}});
    assert_eq!(refund(&mut shop, all).0, 200);
    let refunded = order(&shop, id)["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["qty_refunded"].clone())
        .collect::<Vec<_>>();
    assert_eq!(refunded, [2, 4, 2, 3, 3].map(|count| json!(count)));
}

#[test]
fn what_comes_back_goes_to_its_source_and_what_never_left_is_only_not_kept_back() {
    let mut shop = shop();
    let id = sets(&mut shop);
    shop.invoice_by_hand(now(), id, &[]).expect("billed");
    shop.ship_by_hand(now(), id, &[(2, 3)], None).expect("shipped");
    let (mugs, books) = (held(&shop, "MUG"), held(&shop, "BOOK"));
    let (mugs_salable, books_salable) = (shop.salable("MUG").expect("mugs"), shop.salable("BOOK").expect("books"));
    shop.refund_by_hand(now(), id, &[(2, 2), (3, 1)], Some(Decimal::ZERO)).expect("refunded");
    assert_eq!((held(&shop, "MUG") - mugs, held(&shop, "BOOK") - books), (Decimal::ONE, Decimal::ZERO));
    assert_eq!(shop.salable("BOOK").expect("books") - books_salable, Decimal::ONE);
    assert!(shop.salable("MUG").expect("mugs") > mugs_salable);
    assert_eq!(shop.ledger()["memos"][0]["lines"], json!({"1": "2", "2": "2", "3": "1"}));
    let (_, found) = send(&mut shop, "GET", "creditmemo/1", &Value::Null);
    assert_eq!((&found["grand_total"], &found["state"]), (&json!(45), &json!(2)));
}
