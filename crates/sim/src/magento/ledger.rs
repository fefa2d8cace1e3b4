//! What a shop really holds: orders with their money by line, worked out apart from every other code.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::value::{amount, column, decimal, id, plain};

/// Methods whose orders go out as soon as they are placed: nothing is authorised before delivery, or nothing is owed.
pub(super) const PLACED_IS_ENOUGH: [&str; 5] = ["checkmo", "banktransfer", "cashondelivery", "purchaseorder", "free"];

/// What there is of everything that a proof counts.
pub(super) const LISTS: [&str; 12] = [
    "orders",
    "customers",
    "products",
    "prices",
    "stock",
    "shipments",
    "invoices",
    "memos",
    "captures",
    "salable",
    "choices",
    "categories",
];

impl super::Shop {
    /// The list of the shop's books of that name.
    pub(super) fn list(&self, name: &str) -> Value {
        let papers = &self.papers;
        let rows = match name {
            "orders" => self.book.all().map(|order| self::order(order, self.website_of(order))).collect(),
            "customers" => self.customers.all().map(self::customer).collect(),
            "products" => self.products.ledger(),
            "prices" => self.prices.ledger(&self.products),
            "stock" => self.quantities(),
            "shipments" => papers.shipped(),
            "invoices" => papers.invoiced(&papers.invoices),
            "captures" => papers.captured.iter().map(|id| json!(id)).collect(),
            "memos" => papers.invoiced(&papers.memos),
            "salable" => return Value::Object(self.all_salable()),
            "choices" => return self.products.attributes.ledger(),
            "categories" => return self.products.sorted_ledger().into(),
            _ => return Value::Null,
        };
        Value::Array(rows)
    }
}

/// One customer as the ledger tells it, with the addresses of the book.
pub(super) fn customer(row: &Map<String, Value>) -> Value {
    let text =
        |row: &Map<String, Value>, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = ["firstname", "middlename", "lastname"].map(|part| text(row, part));
    let name: Vec<String> = name.into_iter().filter(|part| !part.is_empty()).collect();
    let book = row.get("addresses").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let of_book = |row: &Map<String, Value>| {
        let street: Vec<&str> =
            row.get("street").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        json!({"id": row.get("id"), "street": street.join("\n"), "postcode": text(row, "postcode"), "city": text(row, "city"),
            "telephone": text(row, "telephone"), "billed": row.get("default_billing") == Some(&json!(true))})
    };
    json!({
        "id": row.get("id"), "website": row.get("website_id"), "reference": null, "name": name.join(" "),
        "email": row.get("email"), "group": row.get("group_id"), "tax_id": text(row, "taxvat"), "addresses": book.map(of_book).collect::<Vec<_>>(),
    })
}

/// One order of a website as the ledger tells it. Amounts are texts in the order's currency.
pub(crate) fn order(order: &Map<String, Value>, website: Option<&str>) -> Value {
    let text = |key: &str| order.get(key).filter(|value| value.is_string()).cloned().unwrap_or(Value::Null);
    json!({
        "id": order.get("entity_id"),
        "website": website,
        "number": text("increment_id"),
        "reference": text("ext_order_id"),
        "mark": null,
        "placed": text("created_at"),
        "customer": order.get("customer_id"),
        "state": state(order),
        "method": order.get("payment").and_then(|payment| payment.get("method")),
        "currency": text("order_currency_code"),
        "base": text("base_currency_code"),
        "total": shown(order.get("grand_total")),
        "shipping": plain(shipping(order)),
        "tax": shown(order.get("tax_amount")),
        "paid": shown(order.get("total_paid")),
        "lines": lines(order),
    })
}

/// `released` where the default rule lets the order go, by its payment method and state.
fn state(order: &Map<String, Value>) -> &'static str {
    let method = order.get("payment").and_then(|payment| payment.get("method")).and_then(Value::as_str).unwrap_or("");
    match order.get("state").and_then(Value::as_str) {
        Some("canceled") => "cancelled",
        // All of it was given back after it had been let go.
        Some("processing" | "complete" | "closed") => "released",
        Some("new") if PLACED_IS_ENOUGH.contains(&method) => "released",
        _ => "draft",
    }
}

/// Shipping without tax after its own discount.
fn shipping(order: &Map<String, Value>) -> Decimal {
    column(order, "shipping_amount")
        .saturating_sub(column(order, "shipping_discount_amount"))
        .saturating_add(column(order, "shipping_discount_tax_compensation_amount"))
}

/// Whether a line's `row_total` still holds its discount.
#[derive(Clone, Copy)]
enum Discount {
    /// It is taken off already (recorded 2.4.7, prices and discounts including tax).
    Within,
    /// It has to be taken off (the documented way).
    Apart,
}

/// A line without tax after discount.
fn net(item: &Value, discount: Discount) -> Decimal {
    let before = match discount {
        Discount::Within => amount(item, "row_total"),
        Discount::Apart => amount(item, "row_total").saturating_sub(amount(item, "discount_amount")),
    };
    before.saturating_add(amount(item, "discount_tax_compensation_amount"))
}

fn lines(order: &Map<String, Value>) -> Vec<Value> {
    let items: &[Value] = order.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice);
    let silent = silent(items);
    let discount = convention(order, items, &silent);
    let line = |(place, item): (usize, &Value)| {
        let total = if silent.contains(&place) { Decimal::ZERO } else { net(item, discount) };
        json!({
            "id": item.get("item_id"),
            "parent": item.get("parent_item_id").filter(|parent| !parent.is_null()),
            "sku": item.get("sku").filter(|sku| sku.is_string()),
            "qty": shown(item.get("qty_ordered")),
            "cancelled": shown(item.get("qty_canceled")),
            "total": plain(total),
        })
    };
    items.iter().enumerate().map(line).collect()
}

/// Places of the lines whose money stands on another line.
///
/// A configurable's parent carries it and its child is silent. Of every other family the children carry it
/// where one of them has any (a bundle priced by its parts), else the parent (a bundle with a price of its own).
fn silent(items: &[Value]) -> BTreeSet<usize> {
    let places: BTreeMap<u64, usize> =
        items.iter().enumerate().filter_map(|(place, item)| Some((item.get("item_id").and_then(id)?, place))).collect();
    let mut families: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, item) in items.iter().enumerate() {
        let parent = item.get("parent_item_id").and_then(id).and_then(|parent| places.get(&parent));
        if let Some(parent) = parent.filter(|parent| **parent != place) {
            families.entry(*parent).or_default().push(place);
        }
    }
    let mut silent = BTreeSet::new();
    for (parent, children) in families {
        let configurable = items.get(parent).and_then(|item| item.get("product_type")) == Some(&json!("configurable"));
        let priced = |child: &usize| items.get(*child).is_some_and(|item| !amount(item, "row_total").is_zero());
        if !configurable && children.iter().any(priced) {
            silent.insert(parent);
        } else {
            silent.extend(children);
        }
    }
    silent
}

/// The way discounts are kept in this order: the one whose lines, shipping and tax come to its total, or nearest to it.
fn convention(order: &Map<String, Value>, items: &[Value], silent: &BTreeSet<usize>) -> Discount {
    let rest = shipping(order).saturating_add(column(order, "tax_amount"));
    let off = |discount: Discount| {
        let carrying = items.iter().enumerate().filter(|(place, _)| !silent.contains(place));
        let sum = carrying.fold(rest, |sum, (_, item)| sum.saturating_add(net(item, discount)));
        sum.saturating_sub(column(order, "grand_total")).abs()
    };
    if off(Discount::Apart) < off(Discount::Within) { Discount::Apart } else { Discount::Within }
}

/// A number as text without trailing zeros; what has more digits than a decimal keeps stands as it was sent.
fn shown(value: Option<&Value>) -> Value {
    match value {
        Some(value) => match decimal(value) {
            Some(decimal) => json!(plain(decimal)),
            None if value.is_number() => json!(value.to_string()),
            None => Value::Null,
        },
        None => Value::Null,
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
