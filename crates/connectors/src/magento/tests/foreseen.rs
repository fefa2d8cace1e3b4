//! What papers will come to: what the recorded ones came to, and what a simulated shop makes of random orders.

use super::super::foreseen::{Foresight, cents};
use super::super::wire_papers::Sold;
use super::super::{figures, wire};
use super::papers::told;
use super::recorded;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use syncline_sim::catalogue::catalogue;
use syncline_sim::http::{Request, System};
use syncline_sim::magento::{Options, Shop};
use syncline_sim::orders::orders;

fn number(value: &Json) -> Decimal {
    value.to_string().parse().unwrap()
}

/// What is foreseen of an invoice, or of a credit memo with so much freight.
fn foreseen(order: &Json, lines: &BTreeMap<u64, Decimal>, freight: Option<Decimal>) -> Result<Option<Decimal>, String> {
    let sold: Sold = wire::typed(order).unwrap();
    let reduced = figures::read(&wire::typed(order).unwrap()).unwrap().reduced;
    let foresight = Foresight::new(&sold, reduced);
    freight.map_or_else(|| foresight.invoice(lines), |freight| foresight.credit(lines, freight))
}

fn lines(all: &[(u64, i64)]) -> BTreeMap<u64, Decimal> {
    all.iter().map(|(line, quantity)| (*line, Decimal::from(*quantity))).collect()
}

/// The order after all of it was invoiced.
fn billed(order: &str) -> Json {
    let mut order = recorded(order);
    for (all, had) in
        [("subtotal", "subtotal_invoiced"), ("tax_amount", "tax_invoiced"), ("shipping_amount", "shipping_invoiced")]
    {
        order[had] = order[all].clone();
    }
    for item in order["items"].as_array_mut().unwrap() {
        for (all, had) in
            [("qty_ordered", "qty_invoiced"), ("row_total", "row_invoiced"), ("tax_amount", "tax_invoiced")]
        {
            item[had] = item[all].clone();
        }
    }
    order
}

#[test]
fn the_recorded_papers_come_to_what_is_foreseen() {
    let grand = |papers: &str, at: usize| Ok(Some(number(&told(papers)[at]["grand_total"])));
    let (first, rest) = (recorded("order-get"), lines(&[(1, 4)]));
    assert_eq!(foreseen(&first, &lines(&[(1, 3)]), None), grand("invoices-of-order", 0));
    let mut second = first;
    (second["subtotal_invoiced"], second["shipping_invoiced"]) = (json!(0.3), json!(35));
    (second["items"][0]["qty_invoiced"], second["items"][0]["row_invoiced"]) = (json!(3), json!(0.3));
    assert_eq!(foreseen(&second, &rest, None), grand("invoices-of-order", 1));
    let all = lines(&[(17, 3), (19, 2)]);
    assert_eq!(foreseen(&recorded("order-configurable"), &all, None), grand("invoices-of-it", 0));
    let back = Some(Decimal::ZERO);
    assert_eq!(foreseen(&billed("order-get"), &lines(&[(1, 2)]), back), grand("creditmemos-of-order", 0));
    let abroad = billed("order-configurable");
    assert_eq!(foreseen(&abroad, &all, Some(Decimal::from(5))), grand("creditmemos-of-it", 0));
    // Beside an amount of 3.33 dollars, which the shop made 3.05 euros of.
    assert_eq!(foreseen(&abroad, &lines(&[(17, 0), (19, 0)]), back), Ok(Some(Decimal::ZERO)));
    assert_eq!(
        grand("creditmemos-of-it", 1),
        Ok(Some(cents("3.33".parse::<Decimal>().unwrap() * number(&abroad["base_to_order_rate"]))))
    );
    assert_eq!(foreseen(&abroad, &lines(&[(17, 4)]), back), Ok(None), "more than is left");
}

/// A simulated shop, asked like the real one.
struct Desk(Shop);

impl Desk {
    fn ask(&mut self, method: &str, path: &str, body: &Json) -> (u16, Json) {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let headers = vec![("authorization".to_owned(), "Bearer token".to_owned())];
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request { method: method.to_owned(), target: format!("/rest/default/V1/{path}"), headers, body };
        let answer = self.0.handle(now, &request);
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// What a new paper came to; none where the shop refused it.
    fn made(&mut self, way: &str, papers: &str, order: u64, body: &Json) -> Option<Decimal> {
        let (status, made) = self.ask("POST", &format!("order/{order}/{way}"), body);
        (status == 200).then(|| {
            let own = made.as_str().unwrap();
            number(&self.ask("GET", &format!("{papers}/{own}"), &Json::Null).1["grand_total"])
        })
    }
}

/// Up to `most` of each line that can be named, as `draws` say.
fn drawn(order: &Json, draws: &[u8], most: impl Fn(&Json) -> Decimal) -> BTreeMap<u64, Decimal> {
    let items = order["items"].as_array().unwrap().iter();
    let named = items.zip(draws.iter().cycle()).map(|(item, draw)| {
        let most = most(item).max(Decimal::ZERO);
        let some = (most * Decimal::from(*draw) / Decimal::from(4)).trunc();
        (item["item_id"].as_u64().unwrap(), if *draw > 4 { most } else { some })
    });
    // A part of a configurable is billed by the line that carries its money.
    let parts: Vec<u64> = order["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| !item["parent_item_id"].is_null() && number(&item["row_total"]).is_zero())
        .map(|item| item["item_id"].as_u64().unwrap())
        .collect();
    named.filter(|(line, quantity)| !quantity.is_zero() && !parts.contains(line)).collect()
}

fn asked(lines: &BTreeMap<u64, Decimal>) -> Vec<Json> {
    let plain = |quantity: &Decimal| serde_json::from_str::<Json>(&quantity.normalize().to_string()).unwrap();
    lines.iter().map(|(line, quantity)| json!({"order_item_id": line, "qty": plain(quantity)})).collect()
}

fn column(item: &Json, name: &str) -> Decimal {
    if item[name].is_null() { Decimal::ZERO } else { number(&item[name]) }
}

/// The same order in a currency of so many decimals: every line converted, the order their sum.
fn in_currency(order: &mut Json, code: &str, rate: &str, digits: u32) {
    const HIDDEN: &str = "discount_tax_compensation_amount";
    let rate: Decimal = rate.parse().unwrap();
    let told = |amount: Decimal| serde_json::from_str::<Json>(&amount.to_string()).unwrap();
    let convert = |value: &mut Json, name: &str, base: &str| {
        if value[base].is_number() {
            value[name] = told((number(&value[base]) * rate).round_dp(digits));
        }
    };
    let items: Vec<Json> = order["items"].as_array().unwrap().clone();
    let is_head = |line: &Json| {
        line["product_type"] == "bundle" && items.iter().any(|part| part["parent_item_id"] == line["item_id"])
    };
    let sum = |order: &Json, name: &str| {
        let lines = order["items"].as_array().unwrap().iter().filter(|line| !is_head(line));
        lines.fold(Decimal::ZERO, |sum, line| sum + column(line, name))
    };
    let reduced = sum(order, "base_row_total") + sum(order, "base_discount_amount") == column(order, "base_subtotal");
    for item in order["items"].as_array_mut().unwrap() {
        for name in ["row_total", "row_total_incl_tax", "tax_amount", "discount_amount", HIDDEN] {
            convert(item, name, &format!("base_{name}"));
        }
    }
    for name in ["amount", "incl_tax", "tax_amount", "discount_amount"] {
        convert(order, &format!("shipping_{name}"), &format!("base_shipping_{name}"));
    }
    convert(order, &format!("shipping_{HIDDEN}"), "base_shipping_discount_tax_compensation_amnt");
    let off = sum(order, "discount_amount");
    let rows = sum(order, "row_total") + if reduced { off } else { Decimal::ZERO };
    let (tax, hidden) = (sum(order, "tax_amount") + column(order, "shipping_tax_amount"), sum(order, HIDDEN));
    let off = off + column(order, "shipping_discount_amount");
    let freight = column(order, "shipping_amount") + column(order, &format!("shipping_{HIDDEN}"));
    for (name, amount) in [
        ("subtotal", rows),
        ("tax_amount", tax),
        (HIDDEN, hidden),
        ("discount_amount", -off),
        ("grand_total", rows + tax + hidden + freight - off),
    ] {
        order[name] = told(amount);
    }
    order["order_currency_code"] = json!(code);
    order["base_to_order_rate"] = told(rate);
}

/// How often something was foreseen of invoices and of credit memos, and how often nothing could be.
#[derive(Default, Debug)]
struct Seen {
    invoices: u32,
    memos: u32,
    unknown: u32,
}

/// An order's own money, to read.
fn shown(order: &Json) -> String {
    let plain = |value: &Json| {
        let columns =
            value.as_object().unwrap().iter().filter(|(name, held)| held.is_number() && !name.starts_with("base_"));
        columns.map(|(name, held)| format!("{name} {held}")).collect::<Vec<_>>().join(", ")
    };
    let lines: Vec<String> = order["items"].as_array().unwrap().iter().map(plain).collect();
    format!("{}\n  {}", plain(order), lines.join("\n  "))
}

fn bill(desk: &mut Desk, id: u64, draws: &[u8], seen: &mut Seen) {
    let (_, order) = desk.ask("GET", &format!("orders/{id}"), &Json::Null);
    let wanted = drawn(&order, draws, |item| column(item, "qty_ordered") - column(item, "qty_invoiced"));
    if wanted.is_empty() {
        return;
    }
    let foreseen = foreseen(&order, &wanted, None).unwrap();
    let made = desk.made("invoice", "invoices", id, &json!({"items": asked(&wanted), "capture": true}));
    if let Some(made) = made {
        assert_eq!(foreseen, Some(made), "an invoice of {wanted:?} of {}", shown(&order));
        seen.invoices += 1;
    }
}

fn give_back(desk: &mut Desk, id: u64, draws: &[u8], seen: &mut Seen) {
    let (_, order) = desk.ask("GET", &format!("orders/{id}"), &Json::Null);
    let mut wanted = drawn(&order, draws, |item| column(item, "qty_invoiced") - column(item, "qty_refunded"));
    for item in order["items"].as_array().unwrap() {
        if column(item, "qty_invoiced") > Decimal::ZERO {
            wanted.entry(item["item_id"].as_u64().unwrap()).or_default();
        }
    }
    let left = column(&order, "base_shipping_amount") - column(&order, "base_shipping_refunded");
    let freight = match draws[0] {
        0 => left,
        1 | 2 => cents(left * Decimal::from(draws[1] + 1) / Decimal::from(9)),
        _ => Decimal::ZERO,
    };
    let told = foreseen(&order, &wanted, Some(freight));
    let amount = serde_json::from_str::<Json>(&freight.to_string()).unwrap();
    let body = json!({"items": asked(&wanted), "arguments": {"shipping_amount": amount, "adjustment_positive": 0, "adjustment_negative": 0}});
    match (desk.made("refund", "creditmemo", id, &body), told) {
        (None, _) => {}
        (Some(_), Err(_)) => seen.unknown += 1,
        (Some(made), Ok(foreseen)) => {
            assert_eq!(foreseen, Some(made), "a credit of {wanted:?} and {freight} of {}", shown(&order));
            seen.memos += 1;
        }
    }
}

#[test]
fn what_a_shop_makes_of_random_papers_of_random_orders_is_foreseen_to_the_last_digit() {
    let mut seen = Seen::default();
    let draws = || proptest::collection::vec(proptest::collection::vec(0u8..6, 6), 5);
    let config =
        ProptestConfig { cases: 20, failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let seen_by = std::cell::RefCell::new(&mut seen);
    runner
        .run(&(0u64..1_000, draws()), |(seed, draws)| {
            let now = "2026-11-23T12:00:00Z".parse().unwrap();
            let options = Options { seed, products: 60, orders: 0, empty: true, now, token: "token".to_owned() };
            let mut desk = Desk(Shop::new(options));
            let all = orders(seed, 60, &catalogue(seed, 60), now);
            let open = all
                .into_iter()
                .filter(|order| order["state"] == "new" || column(order, "total_paid").is_sign_positive());
            for (at, mut order) in open.enumerate() {
                match (at as u64 + seed) % 9 {
                    3 => in_currency(&mut order, "KWD", "0.3073", 3),
                    6 => in_currency(&mut order, "JPY", "151.37", 0),
                    _ => {}
                }
                order["state"] = json!("processing");
                let Ok(id) = desk.0.place(now, order) else { continue };
                let mut seen = seen_by.borrow_mut();
                let turned: Vec<Vec<u8>> =
                    draws.iter().map(|one| one.iter().map(|draw| (draw + at as u8) % 6).collect()).collect();
                bill(&mut desk, id, &turned[0], &mut seen);
                give_back(&mut desk, id, &turned[1], &mut seen);
                bill(&mut desk, id, &turned[2], &mut seen);
                bill(&mut desk, id, &[5], &mut seen);
                give_back(&mut desk, id, &turned[3], &mut seen);
                give_back(&mut desk, id, &turned[4], &mut seen);
            }
            Ok(())
        })
        .unwrap();
    assert!(seen.invoices > 1_500 && seen.memos > 1_500 && seen.unknown > 0, "{seen:?}");
}
