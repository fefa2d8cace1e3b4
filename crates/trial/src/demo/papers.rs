//! What was done about orders, counted in both ledgers: goods that left, money that was asked for.

use super::desk::is_by_gateway;
use crate::sent::{coins, is_marked, number, sent, text};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Papers of one sort on both sides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Told {
    /// Papers in force in the ERP.
    pub source: usize,
    /// Papers of ours in the shop.
    pub target: usize,
    /// Papers the shop lacks.
    pub missing: usize,
    /// Papers of the shop that stand for none.
    pub duplicate: usize,
}

/// The same figure on both sides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Both {
    /// What the shop says.
    pub shop: u64,
    /// What the ERP says.
    pub erp: u64,
}

/// All papers on both sides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Papers {
    /// Goods that left.
    pub shipment: Told,
    /// Money that was asked for and came.
    pub invoice: Told,
    /// Money that gateways gave the shop, of orders the ERP asks money for: the shop's are the source.
    pub payment: Told,
    /// Money that the ERP gave back.
    pub credit: Told,
    /// Money that people of the shop gave back: the shop's are the source.
    pub refund: Told,
    /// Paid invoices of orders whose money the shop had taken itself: it is told of none.
    pub at_the_till: usize,
    /// Pieces that left.
    pub shipped_qty: Both,
    /// Minor units that came by invoices.
    pub captured_cents: Both,
    /// Minor units that gateways gave, and that are booked.
    pub paid_cents: Both,
    /// Minor units that were given back, by either.
    pub refunded_cents: Both,
    /// Orders whose pieces, line by line, or whose parcels' numbers are not the same on both sides.
    pub different: usize,
}

impl Papers {
    /// Whether each paper is on both sides once and both say the same, of so many at least.
    #[must_use]
    pub fn hold(&self, least: usize) -> bool {
        let same = |told: &Told, least: usize| {
            told.source >= least && told.source == told.target && told.missing == 0 && told.duplicate == 0
        };
        let even = |both: &Both| both.shop == both.erp;
        same(&self.shipment, least)
            && same(&self.invoice, least / 2)
            && same(&self.payment, least / 4)
            && same(&self.credit, 1)
            && same(&self.refund, 1)
            && [&self.shipped_qty, &self.captured_cents, &self.paid_cents, &self.refunded_cents].into_iter().all(even)
            && self.different == 0
    }

    /// The papers for people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let line = |word: &str, told: &Told, both: &Both, of: &str| {
            format!(
                "{word} {} in the ERP, {} in the shop; {} missing, {} twice; {} {of} here, {} there",
                told.source, told.target, told.missing, told.duplicate, both.shop, both.erp
            )
        };
        let back = |word: &str, told: &Told| {
            let Told { source, target, missing, duplicate } = told;
            format!("          {word} {source} in the shop, {target} in the ERP; {missing} missing, {duplicate} twice")
        };
        vec![
            line("papers    shipments:", &self.shipment, &self.shipped_qty, "pieces"),
            line("          paid invoices:", &self.invoice, &self.captured_cents, "cents"),
            format!(
                "{}; {} cents here, {} there",
                back("payments:", &self.payment),
                self.paid_cents.shop,
                self.paid_cents.erp
            ),
            back("refunds:", &self.refund),
            line("          credits:", &self.credit, &self.refunded_cents, "cents, with the refunds,"),
        ]
    }
}

/// What both ledgers say, order by order.
pub(super) fn papers(shop: &Value, erp: &Value) -> Papers {
    let mut told = Papers::default();
    for (_, (here, there)) in sent(shop, |order| Some(text(&order["number"])), erp) {
        told.shipment.source += here.shipments;
        told.shipment.target += there.shipments.min(here.shipments);
        told.shipment.missing += here.shipments.saturating_sub(there.shipments);
        told.shipment.duplicate += there.shipments.saturating_sub(here.shipments) + usize::from(there.twice);
        told.shipped_qty.erp += whole(&here.pieces);
        told.shipped_qty.shop += whole(&there.pieces);
        let pieces = |sent: &crate::sent::Sent| -> Vec<(String, Decimal)> {
            sent.pieces.iter().map(|(sku, quantity)| (sku.clone(), quantity.normalize())).collect()
        };
        told.different += usize::from(pieces(&here) != pieces(&there) || here.tracks != there.tracks);
    }
    money(&mut told, shop, erp);
    told
}

/// Counts what was asked for and given back, order by order.
fn money(told: &mut Papers, shop: &Value, erp: &Value) {
    let rows = |ledger: &Value, list: &str| ledger[list].as_array().cloned().unwrap_or_default();
    for order in rows(shop, "orders") {
        let digits = super::ledger::digits(&order["currency"]);
        // A shop keeps two decimals of yen; what is less than the smallest coin is nobody's.
        let cents = |value: &Value| super::ledger::cents(coins(number(value), &order["currency"]), digits);
        let here = |list: &str| -> Vec<u64> {
            let papers = rows(shop, list).into_iter().filter(|paper| paper["order"] == order["id"]);
            papers.map(|paper| cents(&paper["total"])).collect()
        };
        let sales: Vec<u64> = rows(erp, "orders")
            .iter()
            .filter(|sale| sale["reference"] == order["number"] && sale["returns"].is_null())
            .filter_map(|sale| sale["id"].as_u64())
            .collect();
        let of_sale = |paper: &Value| {
            let mut of = paper["sales"].as_array().into_iter().flatten().filter_map(Value::as_u64);
            of.any(|sale| sales.contains(&sale))
        };
        let there = |list: &str, states: &[&str]| -> Vec<u64> {
            let of_order = |paper: &&Value| of_sale(paper) && states.iter().any(|state| paper["state"] == *state);
            rows(erp, list).iter().filter(of_order).map(|paper| cents(&paper["total"])).collect()
        };
        let (taken, asked) = (here("invoices"), there("invoices", &["paid"]));
        if is_by_gateway(&order) {
            let booked = rows(erp, "payments").into_iter().filter(|row| text(&row["description"]).starts_with("SL"));
            let booked: Vec<u64> = booked.filter(|row| of_sale(row)).map(|row| cents(&row["amount"])).collect();
            let due = if there("invoices", &["posted", "paid"]).is_empty() { Vec::new() } else { taken };
            told.payment.count_back(&mut told.paid_cents, due, booked);
        } else if cents(&order["paid"]) > taken.iter().sum() {
            told.at_the_till += asked.len();
        } else {
            told.invoice.count(&mut told.captured_cents, taken, asked);
        }
        // What carries our mark stands for a paper of the other side.
        let given = |paper: &Value, ours: bool| paper["order"] == order["id"] && is_marked(paper) == ours;
        let memos = |ours: bool| -> Vec<u64> {
            let memos = rows(shop, "memos").into_iter().filter(|paper| given(paper, ours));
            memos.map(|paper| cents(&paper["total"])).collect()
        };
        let notes = |ours: bool| -> Vec<u64> {
            let in_force = |paper: &Value| paper["state"] == "posted" || paper["state"] == "paid";
            let notes = rows(erp, "credits").into_iter().filter(|paper| of_sale(paper) && in_force(paper));
            notes.filter(|paper| is_marked(paper) == ours).map(|paper| cents(&paper["total"])).collect()
        };
        told.credit.count(&mut told.refunded_cents, memos(true), notes(false));
        told.refund.count_back(&mut told.refunded_cents, memos(false), notes(true));
    }
}

impl Told {
    /// Adds the papers of one order: what each came to in the shop, and in the ERP.
    fn count(&mut self, both: &mut Both, mut shop: Vec<u64>, erp: Vec<u64>) {
        self.source += erp.len();
        both.shop += shop.iter().sum::<u64>();
        both.erp += erp.iter().sum::<u64>();
        for cents in erp {
            match shop.iter().position(|other| *other == cents) {
                Some(at) => {
                    shop.swap_remove(at);
                    self.target += 1;
                }
                None => self.missing += 1,
            }
        }
        self.duplicate += shop.len();
    }
}

impl Told {
    /// The same of papers that go from the shop to the ERP.
    fn count_back(&mut self, both: &mut Both, shop: Vec<u64>, erp: Vec<u64>) {
        let mut turned = Both::default();
        self.count(&mut turned, erp, shop);
        both.shop += turned.erp;
        both.erp += turned.shop;
    }
}

/// Pieces in thousandths, so that no part of one is lost.
fn whole(pieces: &BTreeMap<String, Decimal>) -> u64 {
    let sum: Decimal = pieces.values().copied().sum();
    (sum * Decimal::ONE_THOUSAND).to_u64().unwrap_or_default() / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shipments_are_counted_order_by_order() {
        let line = |id: u64, parent: Option<u64>, sku: &str| json!({"id": id, "parent": parent, "sku": sku});
        let left = |sale: u64, sku: &str, qty: &str, tracks: &[&str]| json!({"left": true, "lines": [{"sale": sale, "sku": sku, "qty": qty, "state": "done"}], "tracks": tracks});
        let erp = json!({
            "orders": [{"id": 1, "reference": "100"}, {"id": 2, "reference": "200"}, {"id": 3, "reference": "other"}],
            "shipments": [left(1, "MUG", "2", &["A"]), left(1, "MUG", "1", &[]), left(2, "PEN", "3", &[]), left(3, "PEN", "9", &[])],
        });
        let there = |order: u64, line: &str, qty: &str, tracks: &[&str]| {
            let tracks: Vec<Value> = tracks.iter().map(|number| json!({"number": number, "carrier": "dhl"})).collect();
            json!({"order": order, "lines": {line: qty}, "tracks": tracks})
        };
        let shop = json!({
            "orders": [
                {"id": 7, "number": "100", "lines": [line(71, None, "MUG")]},
                {"id": 8, "number": "200", "lines": [line(81, None, "SET"), line(82, Some(81), "PEN")]},
            ],
            "shipments": [there(7, "71", "2", &["A"]), there(7, "71", "1", &[]), there(8, "82", "3", &[]), there(8, "82", "3", &[])],
        });
        let told = papers(&shop, &erp);
        let Told { source, target, missing, duplicate } = told.shipment;
        assert_eq!((source, target, missing, duplicate, told.different), (3, 3, 0, 1, 1));
        assert_eq!((told.shipped_qty.erp, told.shipped_qty.shop), (6, 9));
        assert!(!told.hold(1));
        let paid = |order: u64, paid: &str| json!({"id": order, "number": order.to_string(), "currency": "EUR", "paid": paid, "lines": []});
        let paper = |order: u64, total: &str| json!({"order": order, "total": total});
        let asked = |sale: u64, state: &str, total: &str| json!({"sales": [sale], "state": state, "total": total});
        let shop = json!({
            "orders": [paid(1, "10"), paid(2, "7.5"), paid(3, "4")],
            "invoices": [paper(1, "10"), paper(3, "2"), paper(3, "2")],
            "memos": [json!({"order": 1, "total": "3.33", "comments": ["SLABCDEFGHJKMNPQRS"]}), paper(1, "2"), paper(3, "1")],
        });
        let sale = |id: u64| json!({"id": id, "reference": id.to_string(), "returns": null});
        let erp = json!({
            "orders": [sale(1), sale(2), sale(3)],
            "invoices": [asked(1, "paid", "10"), asked(2, "paid", "7.5"), asked(3, "paid", "2"), asked(3, "posted", "9")],
            "credits": [asked(1, "posted", "3.33"), asked(2, "draft", "1"),
                json!({"sales": [1], "state": "posted", "total": "2", "reference": "1 SLABCDEFGHJKMNPQRS"})],
        });
        let told = papers(&shop, &erp);
        assert_eq!((told.invoice.source, told.invoice.target, told.invoice.duplicate, told.at_the_till), (2, 2, 1, 1));
        assert_eq!((told.captured_cents.shop, told.captured_cents.erp), (1_400, 1_200));
        assert_eq!((told.credit.source, told.credit.target, told.credit.duplicate), (1, 1, 0));
        assert_eq!((told.refund.source, told.refund.target, told.refund.missing), (2, 1, 1));
        assert_eq!((told.refunded_cents.shop, told.refunded_cents.erp), (633, 533));
    }

    #[test]
    fn payments_are_counted_where_the_erp_asks_for_them_and_only_ours() {
        let order = |id: u64, method: &str| json!({"id": id, "number": id.to_string(), "currency": "EUR", "paid": "10", "method": method, "lines": []});
        let paid = [1, 2, 3].map(|order| json!({"order": order, "total": "10"}));
        let orders = [order(1, "braintree"), order(2, "paypal_express"), order(3, "braintree"), order(4, "checkmo")];
        let shop = json!({"orders": orders, "invoices": paid});
        let booked = |sale: u64, by: &str, amount: &str| json!({"sales": [sale], "description": by, "amount": amount});
        let sales = [1, 2, 3, 4].map(|id| json!({"id": id, "reference": id.to_string(), "returns": null}));
        let asked = [(1, "paid"), (2, "posted"), (3, "draft")]
            .map(|(sale, state)| json!({"sales": [sale], "state": state, "total": "10"}));
        let lines = [booked(1, "SL1 9", "10"), booked(1, "SL1 9", "10"), booked(2, "by hand", "10")];
        let erp = json!({"orders": sales, "invoices": asked, "payments": lines});
        let told = papers(&shop, &erp);
        let Told { source, target, missing, duplicate } = told.payment;
        assert_eq!((source, target, missing, duplicate), (2, 1, 1, 1));
        assert_eq!((told.paid_cents.shop, told.paid_cents.erp, told.invoice.source), (2_000, 2_000, 0));
    }
}
