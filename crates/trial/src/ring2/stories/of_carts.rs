//! Stories of carts: a shop that makes two orders of one.

use super::*;
use serde_json::json;

/// An order of the cart 77, like all others of it but for `change`: its number.
fn of_one_cart(stage: &Stage, number: &str, change: impl FnOnce(&mut Value)) -> String {
    place(stage, 3, |order| {
        (order["quote_id"], order["increment_id"]) = (json!(77), json!(number));
        change(order);
    })
}

fn documents(stage: &Stage) -> usize {
    open(&stage.world).erp.ledger()["orders"].as_array().map_or(0, Vec::len)
}

async fn state(engine: &Engine, number: &str) -> (String, String) {
    let row = lane(engine, number).await;
    (row.state, row.why.map_or_else(String::new, |why| format!("{} {}", why.code, why.what)))
}

#[test]
fn s07_two_orders_of_one_cart_become_one_document_and_a_person_is_asked() {
    told(7, |stage| async move {
        let first = of_one_cart(&stage, "A1", |_| ());
        let second = of_one_cart(&stage, "A2", |_| ());
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        assert_eq!((documents(&stage), state(&engine, &first).await.0.as_str()), (1, "idle"));
        let (held, why) = state(&engine, &second).await;
        assert!(held == "held" && why.starts_with("SYN-0128") && why.contains("order:A1"), "{held}: {why}");

        // Both were meant: a person lets the second one through.
        let entity = lane(&engine, &second).await.entity;
        assert!(engine.is_early(entity).await.unwrap(), "`import` knows it");
        engine.import(vec![entity]).await.unwrap();
        passes(&stage, 300).await;
        assert_eq!((differences(&stage), documents(&stage)), (Vec::new(), 2));
    });
}

#[test]
fn s07_what_is_one_too_many_is_cancelled_or_left_out() {
    told(77, |stage| async move {
        let first = of_one_cart(&stage, "A1", |_| ());
        let [second, third] = ["A2", "A3"].map(|number| of_one_cart(&stage, number, |_| ()));
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        let entity = lane(&engine, &third).await.entity;
        assert!(engine.leave_unreleased(entity).await.unwrap());
        let id = order_id(&stage, &second);
        assert!(open(&stage.world).shop.cancel_order(stage.clock.true_now(), id));
        passes(&stage, 300).await;
        for (number, wanted) in [(&first, "idle"), (&second, "outside"), (&third, "outside")] {
            let (now, why) = state(&engine, number).await;
            assert_eq!(now, wanted, "{number}: {why}");
        }
        assert_eq!(documents(&stage), 1);
    });
}

#[test]
fn orders_of_one_cart_that_differ_or_were_never_paid_are_no_twins() {
    told(78, |stage| async move {
        // Two places at one checkout, and a payment that was begun and tried anew.
        of_one_cart(&stage, "A1", |order| order["state"] = json!("pending_payment"));
        of_one_cart(&stage, "A2", |_| ());
        of_one_cart(&stage, "A3", elsewhere);
        passes(&stage, 300).await;
        let engine = stage.boot().await.unwrap();
        assert_eq!(documents(&stage), 2, "{:?}", state(&engine, "A3").await);
        assert_eq!(state(&engine, "A1").await.0, "awaiting");
        // The first one is paid after all: now it is one too many.
        let id = order_id(&stage, "A1");
        assert!(open(&stage.world).shop.set_state(stage.clock.true_now(), id, "processing"));
        passes(&stage, 300).await;
        let (held, why) = state(&engine, "A1").await;
        assert!(held == "held" && why.starts_with("SYN-0128"), "{held}: {why}");
        assert_eq!(documents(&stage), 2);
    });
}

/// The goods go to another street.
fn elsewhere(order: &mut Value) {
    let assignments = &mut order["extension_attributes"]["shipping_assignments"];
    for one in assignments.as_array_mut().into_iter().flatten() {
        one["shipping"]["address"]["street"] = json!(["Another street 7"]);
    }
}

fn order_id(stage: &Stage, number: &str) -> u64 {
    let ledger = open(&stage.world).shop.ledger();
    let order = ledger["orders"].as_array().unwrap().iter().find(|order| order["number"] == number).cloned();
    order.unwrap()["id"].as_u64().unwrap()
}
