//! What open orders keep back from sale, by what they are for.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::value::{amount, id};

/// What a line is for: the product it names, or its SKU where it names none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Good {
    Product(u64),
    Sku(String),
}

/// Quantities of open orders. The real shop appends a row when an order is placed and one with the other sign when it
/// is cancelled, shipped or refunded; what counts is their sum, which is kept here.
#[derive(Debug, Default)]
pub(super) struct Reservations(BTreeMap<Good, Decimal>);

impl Reservations {
    /// Puts what an order keeps back now in the place of what it kept back before.
    pub(super) fn follow(&mut self, before: &[(Good, Decimal)], after: &[(Good, Decimal)]) {
        let given_back = before.iter().map(|(good, quantity)| (good, -*quantity));
        for (good, quantity) in given_back.chain(after.iter().map(|(good, quantity)| (good, *quantity))) {
            let held = self.0.entry(good.clone()).or_default();
            *held = held.saturating_add(quantity);
        }
    }

    /// What is kept back of a product.
    pub(super) fn of(&self, product_id: u64, sku: &str) -> Decimal {
        let held = |good: Good| self.0.get(&good).copied().unwrap_or_default();
        held(Good::Product(product_id)).saturating_add(held(Good::Sku(sku.to_lowercase())))
    }
}

/// What an order takes for good as soon as it is placed, until it is cancelled: how a shop without sources counts.
pub(super) fn taken(order: &Map<String, Value>) -> Vec<(Good, Decimal)> {
    let bought = |item: &Value| amount(item, "qty_ordered").saturating_sub(amount(item, "qty_canceled"));
    each_good(order, |item, _| bought(item))
}

/// What an order keeps back. Each thing that lies on a shelf once: the parts of a bundle and the product chosen under a
/// configurable stand in lines of their own (recorded: salable-before, salable-after).
pub(super) fn open(order: &Map<String, Value>) -> Vec<(Good, Decimal)> {
    each_good(order, outstanding)
}

fn each_good(order: &Map<String, Value>, quantity: impl Fn(&Value, &[Value]) -> Decimal) -> Vec<(Good, Decimal)> {
    let items = order.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(|item| Some((good(item)?, quantity(item, items)))).collect()
}

/// What a line is for, where it is kept on a shelf by itself.
fn good(item: &Value) -> Option<Good> {
    let kind = item.get("product_type").and_then(Value::as_str).unwrap_or("simple");
    if !matches!(kind, "simple" | "virtual" | "downloadable") {
        return None;
    }
    let named = item.get("product_id").and_then(id).map(Good::Product);
    named.or_else(|| Some(Good::Sku(item.get("sku")?.as_str()?.to_lowercase())))
}

/// What a line still waits for. What is virtual leaves the shelf when it is invoiced, the rest when it is shipped.
fn outstanding(item: &Value, items: &[Value]) -> Decimal {
    let shipped = || amount(item, "qty_shipped").max(left_with_parent(item, items).unwrap_or_default());
    let gone = if is_virtual(item) { amount(item, "qty_invoiced") } else { shipped() };
    let gone = gone.max(amount(item, "qty_refunded"));
    let wanted = amount(item, "qty_ordered").saturating_sub(amount(item, "qty_canceled"));
    wanted.saturating_sub(gone).max(Decimal::ZERO)
}

/// How much of a line left with the one it is part of: that line alone says so (recorded: order-lines-after). The head of a
/// bundle whose parts leave by themselves says only how often some of it left.
fn left_with_parent(item: &Value, items: &[Value]) -> Option<Decimal> {
    let family = item.get("parent_item_id").and_then(id)?;
    let parent = items.iter().find(|other| other.get("item_id").and_then(id) == Some(family))?;
    let apart = |other: &Value| {
        other.get("parent_item_id").and_then(id) == Some(family) && !amount(other, "qty_shipped").is_zero()
    };
    if parent.get("product_type").is_some_and(|kind| kind == "bundle") && items.iter().any(apart) {
        return None;
    }
    amount(parent, "qty_shipped").checked_mul(amount(item, "qty_ordered"))?.checked_div(amount(parent, "qty_ordered"))
}

/// Whether a line is never shipped.
pub(super) fn is_virtual(item: &Value) -> bool {
    matches!(item.get("product_type").and_then(Value::as_str), Some("virtual" | "downloadable"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn held(items: Value) -> Vec<(Good, Decimal)> {
        open(json!({"items": items}).as_object().expect("an order"))
    }

    #[test]
    fn each_thing_on_a_shelf_is_kept_back_once() {
        let family = json!([
            {"product_id": 3, "product_type": "configurable", "sku": "C-1", "qty_ordered": 3},
            {"product_id": 4, "product_type": "simple", "sku": "C-1", "qty_ordered": 3, "qty_shipped": 1},
            {"product_id": 9, "product_type": "bundle", "sku": "SET", "qty_ordered": 2},
            {"product_id": 6, "product_type": "simple", "sku": "MUG", "qty_ordered": 4, "qty_canceled": 4},
            {"product_id": 7, "product_type": "virtual", "sku": "V", "qty_ordered": 2, "qty_invoiced": 1},
            {"sku": "Mug", "qty_ordered": 5},
        ]);
        let one = |id, quantity: i64| (Good::Product(id), Decimal::from(quantity));
        let named = (Good::Sku("mug".to_owned()), Decimal::from(5));
        assert_eq!(held(family), [one(4, 2), one(6, 0), one(7, 1), named]);
    }

    #[test]
    fn sums_follow_an_order_through_its_life() {
        let mut held = Reservations::default();
        let before = [(Good::Product(1), Decimal::from(4))];
        let after = [(Good::Product(1), Decimal::ONE)];
        held.follow(&[], &before);
        held.follow(&[], &[(Good::Sku("a".to_owned()), Decimal::TWO)]);
        assert_eq!(held.of(1, "A"), Decimal::from(6));
        held.follow(&before, &after);
        assert_eq!((held.of(1, "A"), held.of(2, "b")), (Decimal::from(3), Decimal::ZERO));
    }
}
