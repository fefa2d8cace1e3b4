//! What both systems really hold, counted against each other.

use super::{Orders, Prices, Shown};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;
use std::collections::BTreeMap;

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) orders: Orders,
    pub(super) cents_off: u64,
}

/// How many released orders of ours a ledger holds.
pub(super) fn released(ledger: &Value) -> usize {
    rows(ledger).filter(|row| row["state"] == "released").count()
}

fn rows(ledger: &Value) -> impl Iterator<Item = &Value> {
    ledger["orders"].as_array().into_iter().flatten()
}

fn amount(value: &Value) -> Decimal {
    value.as_str().and_then(|text| Decimal::from_str_exact(text).ok()).unwrap_or_default()
}

/// Digits of a currency; the simulated systems know no others.
pub(super) fn digits(currency: &Value) -> u32 {
    match currency.as_str() {
        Some("JPY") => 0,
        Some("KWD") => 3,
        _ => 2,
    }
}

pub(super) fn cents(difference: Decimal, digits: u32) -> u64 {
    let units = difference.abs() * Decimal::from(10u64.saturating_pow(digits));
    units.ceil().to_u64().unwrap_or(u64::MAX)
}

/// The shop's released orders against the ERP's released documents, by number, to the cent, line by line.
pub(super) fn counted(shop: &Value, erp: &Value) -> Counted {
    let mut there: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for row in rows(erp).filter(|row| row["state"] == "released") {
        there.entry(row["reference"].as_str().unwrap_or_default().to_string()).or_default().push(row);
    }
    let mut counted = Counted::default();
    for order in rows(shop).filter(|row| row["state"] == "released") {
        counted.orders.source += 1;
        let found = there.remove(order["number"].as_str().unwrap_or_default()).unwrap_or_default();
        let Some(first) = found.first() else {
            counted.orders.missing += 1;
            continue;
        };
        counted.orders.target += 1;
        counted.orders.duplicate += found.len() - 1;
        counted.cents_off += off(order, first);
    }
    // What is left stands for no released order.
    counted.orders.duplicate += there.values().map(Vec::len).sum::<usize>();
    counted
}

/// Minor units by which total, currency or a line's amount differ.
fn off(order: &Value, document: &Value) -> u64 {
    let digits = digits(&order["currency"]);
    let mut off = cents(amount(&order["total"]) - amount(&document["total"]), digits);
    if order["currency"] != document["currency"] {
        off += cents(amount(&order["total"]), digits).max(1);
    }
    let (ours, theirs) = (by_sku(order), by_sku(document));
    for sku in ours.keys().chain(theirs.keys().filter(|sku| !ours.contains_key(*sku))) {
        let (a, b) = (ours.get(sku).copied().unwrap_or_default(), theirs.get(sku).copied().unwrap_or_default());
        off += cents(a - b, digits);
    }
    off
}

/// Net amounts by SKU, charges left out.
fn by_sku(order: &Value) -> BTreeMap<&str, Decimal> {
    let mut amounts: BTreeMap<&str, Decimal> = BTreeMap::new();
    for line in order["lines"].as_array().into_iter().flatten() {
        let sku = line["sku"].as_str().unwrap_or_default();
        if !matches!(sku, "SHIPPING" | "ROUNDING") {
            *amounts.entry(sku).or_default() += amount(&line["total"]);
        }
    }
    amounts
}

/// The shop's lists with the ERP's lists they show.
const LISTS: [(&str, &str); 2] = [("base", "list"), ("group:Wholesale", super::desk::LIST)];

/// Prices of one list by SKU and number of pieces.
type Rows = BTreeMap<(String, Decimal), Decimal>;

/// Every price the ERP's lists say against what the shop shows, of whatever both ask a price for.
pub(super) fn prices(shop: &Value, erp: &Value) -> Prices {
    let both: Vec<String> = {
        let theirs = list_of(erp, "list");
        list_of(shop, "base").into_keys().filter(|place| theirs.contains_key(place)).map(|(sku, _)| sku).collect()
    };
    let mut counted = Prices::default();
    for (ours, theirs) in LISTS {
        let known = |rows: Rows| -> Rows { rows.into_iter().filter(|((sku, _), _)| both.contains(sku)).collect() };
        let (mut shown, said) = (known(list_of(shop, ours)), known(list_of(erp, theirs)));
        for (place, amount) in said {
            counted.source += 1;
            match shown.remove(&place) {
                Some(other) if other == amount => counted.target += 1,
                Some(_) => counted.different += 1,
                None => counted.missing += 1,
            }
        }
        counted.extra += shown.len();
    }
    counted
}

/// The prices of the list `name` in a ledger; a percentage counts as an amount of nothing, so that it is never right.
fn list_of(ledger: &Value, name: &str) -> Rows {
    let rows = ledger["prices"].as_array().into_iter().flatten().filter(|row| row["list"] == name);
    let place =
        |row: &Value| (row["sku"].as_str().unwrap_or_default().to_string(), amount(&row["quantity"]).normalize());
    rows.map(|row| (place(row), amount(&row["amount"]).normalize())).collect()
}

/// Pieces that orders take which the shop has and the ERP does not, for they are not released yet. Of a family, the lines
/// are counted that go by SKUs of their own: a bundle's children, a configurable's parent.
fn waiting(shop: &Value) -> BTreeMap<String, Decimal> {
    let mut taken: BTreeMap<String, Decimal> = BTreeMap::new();
    for order in rows(shop).filter(|order| order["state"] == "draft") {
        let lines: Vec<&Value> = order["lines"].as_array().into_iter().flatten().collect();
        for line in &lines {
            let parent = lines.iter().find(|one| !line["parent"].is_null() && one["id"] == line["parent"]);
            let mut children = lines.iter().filter(|one| !one["parent"].is_null() && one["parent"] == line["id"]);
            let counts = match parent {
                Some(parent) => parent["sku"] != line["sku"],
                None => children.all(|child| child["sku"] == line["sku"]),
            };
            if counts {
                *taken.entry(line["sku"].as_str().unwrap_or_default().to_string()).or_default() += amount(&line["qty"]);
            }
        }
    }
    taken
}

/// What buyers may still buy of everything the ERP counts, against what it can still promise: whatever is less of what
/// lies there and what the forecast says, less what should have left already, and less what waits in the shop.
pub(super) fn stock(shop: &Value, erp: &Value) -> Shown {
    let mut free: BTreeMap<&str, Decimal> = BTreeMap::new();
    for row in erp["stock"].as_array().into_iter().flatten() {
        let least = amount(&row["on_hand"]).min(amount(&row["forecast"])) - amount(&row["late"]);
        *free.entry(row["sku"].as_str().unwrap_or_default()).or_default() += least;
    }
    let (mut shown, waiting) = (Shown::default(), waiting(shop));
    for (sku, salable) in shop["salable"].as_object().into_iter().flatten() {
        let Some(free) = free.get(sku.as_str()) else { continue };
        let free = free - waiting.get(sku).copied().unwrap_or_default();
        shown.compared += 1;
        // More reserved than there is, or more promised: nobody can buy.
        let same = amount(salable).max(Decimal::ZERO) == free.floor().max(Decimal::ZERO);
        shown.different += usize::from(!same);
    }
    shown
}

/// The shop's views with the ERP's languages; the first stands for all views.
const LANGUAGES: [(Option<&str>, &str); 3] = [(None, "en"), (Some("german"), "de"), (Some("french"), "fr")];

/// The names of what both have, language by language; those that the ERP has not got count for nothing.
pub(super) fn names(shop: &Value, erp: &Value) -> Shown {
    let rows = |ledger: &'_ Value| -> BTreeMap<String, Value> {
        let rows = ledger["products"].as_array().cloned().unwrap_or_default().into_iter();
        rows.map(|row| (row["sku"].as_str().unwrap_or_default().to_string(), row)).collect()
    };
    let (ours, mut shown) = (rows(shop), Shown::default());
    for (sku, said) in rows(erp) {
        let Some(row) = ours.get(&sku) else { continue };
        for (view, language) in LANGUAGES {
            let told = if view.is_none() { &said["name"] } else { &said["texts"][language]["name"] };
            let Some(told) = told.as_str().filter(|told| !told.is_empty()) else { continue };
            let in_view = view.and_then(|view| row["views"][view]["name"].as_str());
            shown.compared += 1;
            shown.different += usize::from(in_view.or_else(|| row["name"].as_str()) != Some(told));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn prices_are_counted_row_by_row() {
        let row = |list: &str, sku: &str, quantity: &str, amount: &str| json!({"list": list, "sku": sku, "quantity": quantity, "amount": amount});
        let erp = json!({"prices": [
            row("list", "A", "1", "10"), row("Wholesale", "A", "1", "9"), row("Wholesale", "A", "10", "8"),
            row("list", "B", "1", "5"), row("list", "FEE", "1", "1"), row("Secret", "A", "1", "2"),
        ]});
        let shop = json!({"prices": [
            row("base", "A", "1", "10.0000"), row("group:Wholesale", "A", "1", "9.5"), row("special", "A", "1", "1"),
            row("base", "B", "1", "5"), row("group:Wholesale", "B", "3", "4"),
        ]});
        let Prices { source, target, missing, different, extra } = prices(&shop, &erp);
        assert_eq!((source, target, missing, different, extra), (4, 2, 1, 1, 1));
        assert_eq!(prices(&json!({}), &erp).source, 0, "nothing shown is nothing proven");
    }

    #[test]
    fn figures_and_names_are_counted_one_by_one() {
        let stock_of = |sku: &str, on_hand: &str, forecast: &str, late: &str| json!({"sku": sku, "on_hand": on_hand, "forecast": forecast, "late": late});
        let erp = json!({
            "stock": [stock_of("A", "5", "3.5", "1"), stock_of("B", "0", "-2", "0"), stock_of("C", "4", "4", "0")],
            "products": [{"sku": "A", "name": "Mug", "texts": {"de": {"name": "Becher"}}}, {"sku": "FEE", "name": "Fee"}]});
        let shop = json!({
            "salable": {"A": "2", "B": "-1", "C": "4", "KIT": "9"},
            "orders": [{"state": "draft", "lines": [{"id": 1, "parent": null, "sku": "C", "qty": "1"}]}],
            "products": [{"sku": "A", "name": "Mug", "views": {"german": {"name": "Tasse"}}}]});
        let (figures, called) = (stock(&shop, &erp), names(&shop, &erp));
        assert_eq!((figures.compared, figures.different), (3, 1));
        assert_eq!((called.compared, called.different), (2, 1));
    }
}
