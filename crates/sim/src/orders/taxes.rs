//! The tax lists of an order answer: by code, by line, and of shipping.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::json::Object;
use super::sums::Sums;
use crate::catalogue::number;

/// The tax owed on one line or on shipping.
#[derive(Debug, Clone)]
struct Share {
    tax_item_id: u64,
    /// None: shipping.
    item_id: Option<u64>,
    order: Decimal,
    base: Decimal,
}

/// One tax of the order.
#[derive(Debug, Clone)]
struct Tax {
    tax_id: u64,
    percent: Decimal,
    shares: Vec<Share>,
}

/// All taxes of an order, in the order of their first line.
#[derive(Debug, Clone, Default)]
pub(super) struct Taxes(Vec<Tax>);

impl Taxes {
    /// The taxes of these money-carrying lines (id, rate, in the order of the sums) and of shipping at its rate.
    pub(super) fn new(
        lines: &[(u64, Decimal)],
        freight: Decimal,
        (order, base): (&Sums, &Sums),
        tax_ids: &mut u64,
        tax_item_ids: &mut u64,
    ) -> Self {
        let mut all: Vec<Tax> = Vec::new();
        let amounts = order.rows.iter().map(|row| row.tax).zip(base.rows.iter().map(|row| row.tax));
        let of_lines = lines.iter().zip(amounts).map(|((id, percent), amounts)| (Some(*id), *percent, amounts));
        let of_shipping =
            (!base.shipping.gross.is_zero()).then_some((None, freight, (order.shipping.tax, base.shipping.tax)));
        for (item_id, percent, (order, base)) in of_lines.chain(of_shipping) {
            if percent.is_zero() {
                continue;
            }
            let share = Share { tax_item_id: 0, item_id, order, base };
            match all.iter_mut().find(|tax| tax.percent == percent) {
                Some(tax) => tax.shares.push(share),
                None => all.push(Tax { tax_id: take(tax_ids), percent, shares: vec![share] }),
            }
        }
        for share in all.iter_mut().flat_map(|tax| &mut tax.shares) {
            share.tax_item_id = take(tax_item_ids);
        }
        Self(all)
    }

    fn shares(&self) -> impl Iterator<Item = (&Tax, &Share)> {
        self.0.iter().flat_map(|tax| tax.shares.iter().map(move |share| (tax, share)))
    }

    /// `itemized_taxes` of one line.
    pub(super) fn of_item(&self, item_id: u64) -> Vec<Value> {
        self.shares().filter(|(_, share)| share.item_id == Some(item_id)).map(|(t, share)| itemized(t, share)).collect()
    }

    /// `additional_itemized_taxes`.
    pub(super) fn of_shipping(&self) -> Vec<Value> {
        self.shares().filter(|(_, share)| share.item_id.is_none()).map(|(t, share)| itemized(t, share)).collect()
    }

    /// `applied_taxes`.
    pub(super) fn applied(&self) -> Vec<Value> {
        self.0.iter().map(|tax| tax.brief(tax.order(), tax.base())).collect()
    }

    /// `item_applied_taxes`: shipping first.
    pub(super) fn per_item(&self) -> Vec<Value> {
        let shipping = self.shares().filter(|(_, share)| share.item_id.is_none());
        let lines = self.shares().filter(|(_, share)| share.item_id.is_some());
        shipping
            .chain(lines)
            .map(|(tax, share)| {
                let mut object = Object::default();
                object.put("type", kind(share)).put_some("item_id", share.item_id);
                object.put("applied_taxes", vec![tax.brief(share.order, share.base)]);
                object.done()
            })
            .collect()
    }

    /// `taxes`.
    pub(super) fn rows(&self, order_id: u64) -> Vec<Value> {
        self.0
            .iter()
            .map(|tax| {
                json!({
                    "tax_id": tax.tax_id, "order_id": order_id, "code": tax.code(), "title": tax.code(),
                    "percent": number(tax.percent), "amount": number(tax.order()), "base_amount": number(tax.base()),
                    "base_real_amount": number(tax.base()), "priority": 0, "position": 0, "process": 0,
                })
            })
            .collect()
    }
}

impl Tax {
    /// The recorded shop's codes: `DE-19b`, `DE-7b`.
    fn code(&self) -> String {
        format!("DE-{}b", self.percent.normalize())
    }

    fn order(&self) -> Decimal {
        self.shares.iter().map(|share| share.order).sum()
    }

    fn base(&self) -> Decimal {
        self.shares.iter().map(|share| share.base).sum()
    }

    fn brief(&self, order: Decimal, base: Decimal) -> Value {
        json!({
            "code": self.code(), "title": self.code(), "percent": number(self.percent),
            "amount": number(order), "base_amount": number(base),
        })
    }
}

fn kind(share: &Share) -> &'static str {
    if share.item_id.is_some() { "product" } else { "shipping" }
}

fn itemized(tax: &Tax, share: &Share) -> Value {
    let mut object = Object::default();
    object.put("tax_item_id", share.tax_item_id).put("tax_id", tax.tax_id).put_some("item_id", share.item_id);
    object.put("tax_code", tax.code()).amounts(&[
        ("tax_percent", tax.percent),
        ("amount", share.order),
        ("base_amount", share.base),
        ("real_amount", share.order),
        ("real_base_amount", share.base),
    ]);
    object.put("taxable_item_type", kind(share));
    object.done()
}

/// The next number of a counter.
pub(super) fn take(counter: &mut u64) -> u64 {
    let taken = *counter;
    *counter += 1;
    taken
}
