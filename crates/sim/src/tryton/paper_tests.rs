//! The warehouse and the clerks of the ERP at work: what leaves in parts, in parcels, together or not at all, and what is owed.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::tests::{Desk, line};
use crate::http::{Edit, System};

/// A desk that has goods, and a confirmed sale of so many of them on a line each; the sale and their code.
fn sold(desk: &mut Desk, quantities: &[i64]) -> (u64, String) {
    let party = desk.party(&format!("C-{}", quantities.len()));
    let goods = desk.ok("product.product.search", json!([[["type", "=", "goods"]], 0, 1, null, {}]))[0].clone();
    let code = desk.ok("product.product.read", json!([[goods], ["code"], {}]))[0]["code"].as_str().unwrap().to_owned();
    let lines: Vec<Value> = quantities.iter().map(|quantity| line(&goods, *quantity, "10.0000", &[1])).collect();
    let row = desk.sale(&party, &json!({}), &lines);
    let sale = desk.ok("sale.sale.create", row)[0].clone();
    for button in ["quote", "confirm"] {
        desk.ok(&format!("sale.sale.{button}"), json!([[sale], {}]));
    }
    (sale.as_u64().unwrap(), code)
}

fn state(desk: &mut Desk, sale: u64) -> [String; 3] {
    let row = desk.ok("sale.sale.read", json!([[sale], ["state", "shipment_state", "invoice_state"], {}]))[0].clone();
    ["state", "shipment_state", "invoice_state"].map(|field| row[field].as_str().unwrap().to_owned())
}

/// What the ledger says of a line of the only sale.
fn of_line(desk: &Desk, at: usize, field: &str) -> String {
    desk.erp.ledger()["orders"][0]["lines"][at][field].as_str().unwrap().to_owned()
}

fn left(desk: &Desk) -> usize {
    let ledger = desk.erp.ledger();
    ledger["shipments"].as_array().unwrap().iter().filter(|row| row["left"] == true).count()
}

#[test]
fn what_is_not_picked_gets_a_shipment_of_its_own_and_every_piece_leaves_once() {
    let mut desk = Desk::new(false);
    let (sale, code) = sold(&mut desk, &[3, 2]);
    let now = desk.now;
    for (pieces, shipped) in [(4, ["3", "1"]), (1, ["3", "2"])] {
        assert!(desk.erp.ship_part(now, sale, &[(&code, Decimal::from(pieces))]).is_some());
        assert_eq!([of_line(&desk, 0, "shipped"), of_line(&desk, 1, "shipped")], shipped);
    }
    assert_eq!(state(&mut desk, sale), ["processing", "sent", "pending"]);
    assert_eq!((left(&desk), desk.erp.shipments(sale).len()), (2, 2));
    assert_eq!(desk.erp.ship_part(now, sale, &[(&code, Decimal::ONE)]), None, "nothing waits");
    assert!(!desk.erp.ship(now, sale));
}

#[test]
fn goods_lie_in_a_parcel_each_or_nothing_is_packed() {
    let mut desk = Desk::new(false);
    let now = desk.now;
    assert_eq!(desk.refused("stock.package.search", json!([[], {}])), "'stock.package'");
    desk.erp.activate_parcels(now);
    let (sale, code) = sold(&mut desk, &[3, 2]);
    assert_eq!(desk.erp.ship_in_parcels(now, sale, "Carrier GmbH", &[(&["FEE"], None)]), None, "some lie in none");
    let shipment = desk.erp.ship_in_parcels(now, sale, "Carrier GmbH", &[(&[&code], Some("JD 01"))]).unwrap();
    assert_eq!(desk.erp.ledger()["shipments"][0]["tracks"], json!(["JD 01"]));
    let parcel = desk.erp.parcels(shipment)[0];
    for (number, told) in [(Some("JD 02"), json!(["JD 02"])), (None, json!([]))] {
        assert!(desk.erp.track(now, parcel, number));
        assert_eq!(desk.erp.ledger()["shipments"][0]["tracks"], told);
    }
    assert!(!desk.erp.track(now, parcel + 1, None) && !desk.erp.cancel_shipment(now, shipment), "it has left");
    desk.erp.forbid("stock.package", true);
    let told = desk.refused("stock.shipment.out.read", json!([[shipment], ["packages.number"], {}]));
    assert_eq!(told, "You are not allowed to access \"Stock Package\".");
}

#[test]
fn what_is_withdrawn_is_sent_anew_or_given_up() {
    let mut desk = Desk::new(false);
    let (sale, _) = sold(&mut desk, &[3]);
    let now = desk.now;
    assert!(!desk.erp.send_anew(now, sale) && !desk.erp.ignore_cancelled(now, sale));
    let first = desk.erp.shipments(sale)[0];
    assert!(desk.erp.cancel_shipment(now, first) && !desk.erp.cancel_shipment(now, first));
    assert_eq!(state(&mut desk, sale)[1], "exception");
    assert!(desk.erp.send_anew(now, sale) && desk.erp.shipments(sale).len() == 2);
    assert_eq!(state(&mut desk, sale)[1], "waiting");
    assert!(desk.erp.withdraw_sale(now, sale));
    assert_eq!(state(&mut desk, sale), ["done", "none", "none"]);
    assert_eq!((of_line(&desk, 0, "shipped"), of_line(&desk, 0, "invoiced"), left(&desk)), ("0".into(), "0".into(), 0));
}

#[test]
fn invoices_are_asked_posted_and_paid_once() {
    let mut desk = Desk::new(false);
    let now = desk.now;
    assert!(desk.erp.invoice_by(now, "fulfillment"));
    let (sale, code) = sold(&mut desk, &[3]);
    assert_eq!((desk.erp.invoices(sale).len(), state(&mut desk, sale)[2].as_str()), (0, "none"));
    desk.erp.ship_part(now, sale, &[(&code, Decimal::ONE)]).unwrap();
    assert!(desk.erp.post_invoices(now, sale) && !desk.erp.post_invoices(now, sale));
    assert_eq!(state(&mut desk, sale), ["processing", "partially shipped", "awaiting payment"]);
    assert!(desk.erp.ship(now, sale) && desk.erp.pay_invoices(now, sale) && !desk.erp.pay_invoices(now, sale));
    assert_eq!(state(&mut desk, sale), ["processing", "sent", "partially paid"]);
    assert_eq!(of_line(&desk, 0, "invoiced"), "1");
    assert!(desk.erp.post_invoices(now, sale) && desk.erp.pay_invoices(now, sale));
    assert_eq!(state(&mut desk, sale), ["done", "sent", "paid"]);
    let ledger = desk.erp.ledger();
    let order = &ledger["orders"][0];
    assert_eq!((&order["posted"], &order["paid"], &order["total"]), (&json!("35.7"), &json!("35.7"), &json!("35.7")));
    assert_eq!(ledger["invoices"].as_array().unwrap().len(), 2);
}

#[test]
fn people_see_to_a_sale_from_outside_by_a_word() {
    let mut desk = Desk::new(false);
    let (sale, _) = sold(&mut desk, &[3]);
    let now = desk.now;
    let mut does = |what: &str, value: &str| {
        let (sku, field, value) = (sale.to_string(), format!("sale.{what}"), value.to_owned());
        desk.erp.edit(now, &Edit { sku, place: None, field, value })
    };
    assert!(!does("track", "JD 01") && !does("dance", "") && !does("pay", ""));
    assert!(does("ship", "JD 01") && does("track", "JD 02") && does("post", "") && does("pay", ""));
    assert!(!does("ship", "") && !does("withdraw", "") && !does("payout", ""));
    assert!(does("credit", "") && !does("credit", "") && does("payout", ""));
    assert_eq!(desk.erp.ledger()["shipments"][0]["tracks"], json!(["JD 02"]));
    assert_eq!(state(&mut desk, sale), ["done", "sent", "paid"]);
}

#[test]
fn money_is_given_back_for_goods_freight_or_as_an_amount_and_only_once() {
    let mut desk = Desk::new(false);
    let (sale, code) = sold(&mut desk, &[3]);
    let now = desk.now;
    assert_eq!(desk.erp.credit(now, sale, &[(&code, Decimal::ONE)]), None, "nothing is in force");
    assert!(desk.erp.post_invoices(now, sale));
    let note = desk.erp.credit(now, sale, &[(&code, Decimal::ONE)]).unwrap();
    assert_eq!(desk.erp.credit(now, sale, &[(&code, Decimal::from(3))]), None, "two are left");
    assert_eq!(desk.erp.credit_freight(now, sale), None, "there is none");
    desk.erp.credit_amount(now, sale, &code, Decimal::TWO).unwrap();
    let ledger = desk.erp.ledger();
    let credit = &ledger["credits"][0];
    assert_eq!((&credit["id"], &credit["state"], &credit["total"]), (&json!(note), &json!("posted"), &json!("11.9")));
    assert_eq!(credit["lines"][0], json!({"line": 1, "sku": code, "qty": "1", "net": "10"}));
    assert_eq!((&credit["sales"], &ledger["credits"][1]["total"]), (&json!([sale]), &json!("2.38")));
    assert_eq!((&ledger["orders"][0]["refunded"], &ledger["orders"][0]["posted"]), (&json!("14.28"), &json!("35.7")));
    assert_eq!(ledger["invoices"].as_array().unwrap().len(), 1);
    assert!(desk.erp.pay_credit(now, sale) && !desk.erp.pay_credit(now, sale));
    let rest = desk.erp.credit_all(now, sale);
    assert_eq!((rest.len(), desk.erp.credits(sale).len()), (1, 3));
    assert!(desk.erp.credit_all(now, sale).is_empty());
    assert_eq!(of_line(&desk, 0, "invoiced"), "3");
}

#[test]
fn an_invoice_that_nobody_paid_is_undone_by_its_credit_note_and_was_in_force_all_the_same() {
    let mut desk = Desk::new(false);
    let (sale, _) = sold(&mut desk, &[3]);
    let now = desk.now;
    assert!(desk.erp.post_invoices(now, sale));
    let notes = desk.erp.credit_all(now, sale);
    let invoice = desk.erp.invoices(sale)[0];
    let fields = json!([[invoice, notes[0]], ["state", "cancel_move", "move", "total_amount"], {}]);
    let rows = desk.ok("account.invoice.read", fields);
    assert_eq!((&rows[0]["state"], &rows[1]["state"]), (&json!("cancelled"), &json!("paid")));
    assert_eq!(rows[0]["cancel_move"], rows[1]["move"]);
    assert_eq!(state(&mut desk, sale)[2], "paid");
    let order = desk.erp.ledger()["orders"][0].clone();
    assert_eq!((&order["posted"], &order["refunded"]), (&json!("35.7"), &json!("35.7")));
    assert_eq!((of_line(&desk, 0, "invoiced"), notes.len()), ("3".into(), 1));
}

#[test]
fn a_return_is_a_sale_of_its_own_whose_invoice_gives_money_back() {
    let mut desk = Desk::new(false);
    let (sale, code) = sold(&mut desk, &[3]);
    let now = desk.now;
    assert!(desk.erp.post_invoices(now, sale) && desk.erp.ship(now, sale));
    assert_eq!(desk.erp.take_back(now, sale, &[(&code, Decimal::from(4))]), None, "so many were not sold");
    let credit = desk.erp.take_back(now, sale, &[(&code, Decimal::TWO)]).unwrap();
    assert_eq!(desk.erp.credits(sale), [credit]);
    let ledger = desk.erp.ledger();
    let back = &ledger["orders"][1];
    assert_eq!((&back["returns"], &ledger["orders"][0]["returns"]), (&json!(sale), &json!(null)));
    assert_eq!((&ledger["orders"][0]["refunded"], &ledger["credits"][0]["total"]), (&json!("23.8"), &json!("23.8")));
    let row = desk.ok("sale.sale.read", json!([[back["id"]], ["origin", "lines.quantity", "state"], {}]))[0].clone();
    assert_eq!((&row["origin"], &row["lines."][0]["quantity"]), (&json!(format!("sale.sale,{sale}")), &json!(-2.0)));
}
