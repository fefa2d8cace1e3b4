//! Invoices as a clerk at a simulated Tryton posts and the buyer pays them, and as the connector tells them of each sale.

use super::bench::{World, dec, run};
use super::paper::{Walker, keys, keys_are_read, read_one};
use super::stock::sell;
use super::walk::product;
use serde_json::{Value, json};
use syncline_core::kind::Kind;
use syncline_core::money::Money;
use syncline_core::record::{Paper, PaperLife};
use syncline_sim::http::System;

fn eur(text: &str) -> Option<Money> {
    Some(Money::new(dec(text), "EUR".parse().unwrap()))
}

fn nets(paper: &Paper) -> Vec<Option<Money>> {
    paper.lines.values().map(|line| line.net).collect()
}

#[test]
fn an_invoice_is_told_as_it_is_made_posted_and_paid() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let mut walker = Walker::new(&bench, &world, Kind::Invoice);
        let sale = sell(&bench, &sku, "one").await;
        let id = format!("{sale}:1");
        let told = walker.pass().await;
        let paper = told.get(&id).unwrap();
        assert_eq!((paper.life, paper.number.as_deref(), paper.day), (Some(PaperLife::Open), None, None));
        assert_eq!(nets(paper), [eur("10.00"), eur("-0.50")]);
        assert_eq!((paper.charges.get("shipping").copied(), paper.grand), (eur("4.90"), eur("17.13")));
        assert_eq!(paper.lines.values().next().unwrap().quantity, Some(dec("3")));
        walker.rest().await;
        walker.act(|erp, now| assert!(!erp.pay_invoices(now, sale) && erp.post_invoices(now, sale)));
        let told = walker.pass().await;
        let paper = told.get(&id).unwrap();
        assert_eq!((paper.life, paper.number.as_deref(), paper.in_force()), (Some(PaperLife::Done), Some("1"), true));
        assert!(paper.day.is_some());
        walker.rest().await;
        walker.act(|erp, now| assert!(erp.pay_invoices(now, sale) && !erp.cancel_invoices(now, sale)));
        assert_eq!(walker.pass().await.get(&id).unwrap().life, Some(PaperLife::Paid));
        walker.rest().await;
        assert!(walker.pass().await.is_empty());
        keys_are_read(&bench, Kind::Invoice).await;
        walker.act(|erp, now| assert!(erp.ship(now, sale)));
        let ledger = world.with(|erp| erp.ledger());
        let order = ledger.pointer("/orders/0").unwrap();
        assert_eq!((order.get("posted"), order.get("paid")), (Some(&json!("17.13")), Some(&json!("17.13"))));
        let state =
            bench.erp.rows(&bench.ctx, &bench.erp.setup(&bench.ctx).await.unwrap(), Kind::Order, &[1]).await.unwrap();
        assert_eq!(
            state.first().and_then(|row| row.get("state")).and_then(Value::as_str),
            Some("done"),
            "sent and paid"
        );
    });
}

#[test]
fn an_invoice_by_what_left_grows_with_each_shipment_and_one_that_is_off_is_void() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let now = bench.ctx.now();
        world.with(|erp| assert!(erp.invoice_by(now, "fulfillment") && !erp.invoice_by(now, "never")));
        let sku = product(&bench).await;
        let mut walker = Walker::new(&bench, &world, Kind::Invoice);
        let sale = sell(&bench, &sku, "one").await;
        let told = walker.pass().await;
        let paper = told.get(&format!("{sale}:1")).unwrap();
        assert_eq!(
            (paper.lines.len(), paper.charges.len(), paper.grand),
            (0, 1, eur("5.83")),
            "freight is owed at once"
        );
        walker.act(|erp, now| erp.ship_part(now, sale, &[(&sku.0, dec("2"))])).unwrap();
        let told = walker.pass().await;
        let second = told.get(&format!("{sale}:2")).unwrap();
        assert_eq!(second.lines.values().map(|line| line.quantity).collect::<Vec<_>>(), [Some(dec("2"))]);
        walker.act(|erp, now| assert!(erp.post_invoices(now, sale) && erp.cancel_invoices(now, sale)));
        assert!(walker.pass().await.values().all(|paper| paper.life == Some(PaperLife::Void)));
    });
}

#[test]
fn what_gives_money_back_is_not_told_and_the_sum_of_several_sales_is_nobodys() {
    let world = World::new(true);
    let bench = world.bench();
    run(async {
        let sku = product(&bench).await;
        let (one, two) = (sell(&bench, &sku, "one").await, sell(&bench, &sku, "two").await);
        let now = bench.ctx.now();
        world.with(|erp| assert!(erp.directly(now, "account.invoice.line", 4, &json!({"invoice": 1}))));
        let mut walker = Walker::new(&bench, &world, Kind::Invoice);
        let told = walker.pass().await;
        assert_eq!(told.keys().collect::<Vec<_>>(), [&format!("{one}:1"), &format!("{two}:1"), &format!("{two}:2")]);
        assert!(told.get(&format!("{one}:1")).unwrap().grand.is_none());
        assert!(told.get(&format!("{two}:2")).unwrap().grand.is_some());
        let back = json!({"quantity": -9, "unit_price": {"__class__": "Decimal", "decimal": "100"}});
        world.with(|erp| assert!(erp.directly(now, "account.invoice.line", 1, &back)));
        assert_eq!(read_one(&bench, Kind::Invoice, &format!("{one}:1")).await, None);
        assert_eq!(keys(&bench, Kind::Invoice).await.len(), 1);
        world.with(|erp| assert!(erp.directly(now, "account.invoice", 2, &json!({"type": "in"}))));
        assert_eq!(read_one(&bench, Kind::Invoice, &format!("{two}:2")).await, None, "a supplier's");
        assert!(keys(&bench, Kind::Invoice).await.is_empty());
    });
}
