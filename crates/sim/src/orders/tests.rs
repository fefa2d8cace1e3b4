//! What every seeded order keeps to, and that all shapes are there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{BUYERS, FIRST_PLACED, customers, orders, place_like, recorded};
use crate::catalogue::{Item, catalogue};

fn now() -> Timestamp {
    "2026-11-23T07:00:00.5Z".parse().unwrap()
}

fn sample(seed: u64, count: usize) -> (Vec<Item>, Vec<Value>) {
    let items = catalogue(seed, 150);
    let made = orders(seed, count, &items, now());
    (items, made)
}

/// The number behind a key, written plainly, with at most four decimals; 0 where it is left out.
fn amount(of: &Value, key: &str) -> Decimal {
    let Some(value) = of.get(key) else { return Decimal::ZERO };
    assert!(value.is_number(), "{key} is {value}");
    let text = value.to_string();
    assert!(!text.contains(['e', 'E']), "{key} is {text}");
    let number: Decimal = text.parse().unwrap();
    assert!(number.scale() <= 4, "{key} is {text}");
    number
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().map_or(&[], Vec::as_slice)
}

/// The lines that carry money: not bundle heads, not what was chosen under a configurable.
fn money_lines(order: &Value) -> Vec<&Value> {
    list(order, "items").iter().filter(|item| item.get("discount_tax_compensation_amount").is_some()).collect()
}

/// Names of one currency's figures.
struct Names {
    prefix: &'static str,
    shipping_compensation: &'static str,
}

const BASE: Names = Names { prefix: "base_", shipping_compensation: "base_shipping_discount_tax_compensation_amnt" };
const ORDER: Names = Names { prefix: "", shipping_compensation: "shipping_discount_tax_compensation_amount" };

impl Names {
    fn of(&self, value: &Value, key: &str) -> Decimal {
        amount(value, &format!("{}{key}", self.prefix))
    }

    fn line_net(&self, line: &Value, classic: bool) -> Decimal {
        let gone = if classic { self.of(line, "discount_amount") } else { Decimal::ZERO };
        self.of(line, "row_total") - gone + self.of(line, "discount_tax_compensation_amount")
    }

    fn shipping_net(&self, order: &Value) -> Decimal {
        self.of(order, "shipping_amount") - self.of(order, "shipping_discount_amount")
            + amount(order, self.shipping_compensation)
    }

    /// Whether the lines, read by one convention, come to the total.
    fn adds_up(&self, order: &Value, classic: bool) -> bool {
        let lines: Decimal = money_lines(order).iter().map(|line| self.line_net(line, classic)).sum();
        lines + self.shipping_net(order) + self.of(order, "tax_amount") == self.of(order, "grand_total")
    }

    fn check(&self, order: &Value) {
        let of = |key| self.of(order, key);
        let id = &order["increment_id"];
        let header = of("subtotal")
            + of("shipping_amount")
            + of("tax_amount")
            + of("discount_amount")
            + of("discount_tax_compensation_amount")
            + amount(order, self.shipping_compensation);
        assert_eq!(header, of("grand_total"), "{id}");
        let lines = money_lines(order);
        let sum = |key| lines.iter().map(|line| self.of(line, key)).sum::<Decimal>();
        assert_eq!(of("tax_amount"), sum("tax_amount") + of("shipping_tax_amount"), "{id}");
        assert_eq!(of("discount_amount"), -sum("discount_amount") - of("shipping_discount_amount"), "{id}");
        assert_eq!(of("discount_tax_compensation_amount"), sum("discount_tax_compensation_amount"), "{id}");
        let extension = &order["extension_attributes"];
        for taxes in ["applied_taxes", "taxes"] {
            let applied: Decimal = list(extension, taxes).iter().map(|tax| self.of(tax, "amount")).sum();
            assert_eq!(of("tax_amount"), applied, "{id} {taxes}");
        }
        let per_item = list(extension, "item_applied_taxes").iter().flat_map(|item| list(item, "applied_taxes"));
        assert_eq!(of("tax_amount"), per_item.map(|tax| self.of(tax, "amount")).sum(), "{id}");
    }

    /// Tax recomputed from line nets, as an ERP does by line or by document: at most one minor unit off per line.
    fn check_recomputed(&self, order: &Value, scale: u32) {
        let classic = !self.adds_up(order, false);
        let again = |net: Decimal, percent: Decimal| super::sums::round(net * percent / Decimal::ONE_HUNDRED, scale);
        let lines = money_lines(order);
        let shipped = list(&order["extension_attributes"], "additional_itemized_taxes");
        let rate = shipped.first().map_or(Decimal::ZERO, |tax| amount(tax, "tax_percent"));
        let of_lines = lines.iter().map(|line| (amount(line, "tax_percent"), self.line_net(line, classic)));
        let mut by_rate: BTreeMap<Decimal, Decimal> = BTreeMap::new();
        let mut by_line = Decimal::ZERO;
        for (percent, net) in of_lines.chain([(rate, self.shipping_net(order))]) {
            by_line += again(net, percent);
            *by_rate.entry(percent).or_default() += net;
        }
        let by_document: Decimal = by_rate.into_iter().map(|(percent, net)| again(net, percent)).sum();
        let allowed = Decimal::new(i64::try_from(lines.len()).unwrap(), scale);
        for computed in [by_line, by_document] {
            let off = (computed - self.of(order, "tax_amount")).abs();
            assert!(off <= allowed, "{} is {off} off over {} lines", order["increment_id"], lines.len());
        }
    }
}

fn scale(order: &Value) -> u32 {
    if order["order_currency_code"] == "JPY" { 0 } else { 2 }
}

#[test]
fn every_order_adds_up_to_the_cent_in_both_columns() {
    for seed in 0..6 {
        let (items, made) = sample(seed, 130);
        let placed = (0..60).map(|n| place_like(seed, n, &items, now()));
        for order in made.into_iter().chain(placed) {
            for names in [BASE, ORDER] {
                names.check(&order);
            }
            let id = &order["increment_id"];
            let fits: Vec<bool> =
                [false, true].into_iter().filter(|c| BASE.adds_up(&order, *c) && ORDER.adds_up(&order, *c)).collect();
            assert!(!fits.is_empty(), "{id}: {order}");
            let discounted = money_lines(&order).iter().any(|line| !amount(line, "discount_amount").is_zero());
            assert!(fits.len() == 1 || !discounted, "{id}: both conventions fit a discounted order");
            BASE.check_recomputed(&order, 2);
            ORDER.check_recomputed(&order, scale(&order));
        }
    }
}

#[test]
fn amounts_have_the_decimals_of_their_currency() {
    for order in sample(5, 200).1 {
        for key in ["grand_total", "tax_amount", "subtotal", "shipping_amount", "discount_amount"] {
            assert!(amount(&order, key).normalize().scale() <= scale(&order), "{key} of {order}");
            assert!(amount(&order, &format!("base_{key}")).normalize().scale() <= 2);
        }
        let plain = order["order_currency_code"] != "USD";
        assert!(plain || amount(&order, "grand_total") == amount(&order, "base_grand_total"));
        walk(&order, &mut |key, value| {
            if value.is_number() {
                let text = value.to_string();
                assert!(!text.contains(['e', 'E']) && text != "-0", "{key}: {text}");
                assert!(text.split_once('.').is_none_or(|(_, d)| d.len() <= 4 && !d.ends_with('0')), "{key}: {text}");
            }
        });
    }
}

fn walk(value: &Value, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                see(key, value);
                walk(value, see);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, see)),
        _ => {}
    }
}

#[test]
fn the_same_seed_gives_the_same_orders() {
    assert_eq!(sample(7, 90).1, sample(7, 90).1);
    assert_ne!(sample(7, 90).1, sample(8, 90).1);
    let items = catalogue(7, 80);
    assert_eq!(place_like(7, 3, &items, now()), place_like(7, 3, &items, now()));
}

#[test]
fn ids_and_dates_ascend() {
    for count in [1, 5, 60, 61, 333] {
        let (items, mut made) = sample(2, count);
        assert_eq!(made.len(), count);
        let dates: Vec<String> = made.iter().map(|o| o["created_at"].as_str().unwrap().to_owned()).collect();
        assert!(dates.is_sorted() && dates[0].as_str() >= "2026-11-22 07:00:00");
        assert!(dates[count - 1].as_str() <= "2026-11-23 06:59:00", "{}", dates[count - 1]);
        for (order, id) in made.iter().zip(1_u64..) {
            assert_eq!(
                (&order["entity_id"], &order["increment_id"]),
                (&Value::from(id), &Value::from(format!("{id:09}")))
            );
            assert!(order["updated_at"].as_str() > order["created_at"].as_str());
            assert!(order["updated_at"].as_str().unwrap() <= "2026-11-23 06:59:00");
        }
        made.extend((0..40).map(|n| place_like(2, n, &items, now())));
        assert_eq!(made[count]["entity_id"], FIRST_PLACED);
        for ids in [line_ids, address_ids, tax_ids] {
            let all: Vec<u64> = made.iter().flat_map(ids).collect();
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        }
    }
}

fn line_ids(order: &Value) -> Vec<u64> {
    list(order, "items").iter().map(|item| item["item_id"].as_u64().unwrap()).collect()
}

fn shipment(order: &Value) -> &Value {
    &order["extension_attributes"]["shipping_assignments"][0]
}

fn address_ids(order: &Value) -> Vec<u64> {
    let both = [&order["billing_address"], &shipment(order)["shipping"]["address"]];
    assert_eq!(order["billing_address_id"], both[0]["entity_id"]);
    both.iter().filter_map(|address| address["entity_id"].as_u64()).collect()
}

fn tax_ids(order: &Value) -> Vec<u64> {
    list(&order["extension_attributes"], "taxes").iter().map(|tax| tax["tax_id"].as_u64().unwrap()).collect()
}

#[test]
fn references_inside_an_order_hold() {
    for order in sample(3, 120).1 {
        let extension = &order["extension_attributes"];
        assert_eq!(shipment(&order)["items"], order["items"]);
        let ids: BTreeSet<u64> = line_ids(&order).into_iter().collect();
        let taxes: BTreeSet<u64> = tax_ids(&order).into_iter().collect();
        walk(&order, &mut |key, value| match key {
            "item_id" | "parent_item_id" => assert!(ids.contains(&value.as_u64().unwrap()), "{key} {value}"),
            "tax_id" => assert!(taxes.contains(&value.as_u64().unwrap()), "{key} {value}"),
            "order_id" | "parent_id" => assert_eq!(value, &order["entity_id"]),
            _ => {}
        });
        for item in list(&order, "items") {
            let parent = list(&order, "items").iter().find(|other| other["item_id"] == item["parent_item_id"]);
            assert_eq!(item.get("parent_item"), parent, "{item}");
        }
        let heads: Vec<&Value> = list(&order, "items").iter().filter(|item| item["product_type"] == "bundle").collect();
        for head in heads {
            let parts: Decimal = list(&order, "items")
                .iter()
                .filter(|item| item["parent_item_id"] == head["item_id"])
                .map(|part| amount(part, "tax_amount"))
                .sum();
            assert_eq!(amount(head, "tax_amount"), parts);
        }
        let itemized =
            list(&order, "items").iter().flat_map(|item| list(&item["extension_attributes"], "itemized_taxes"));
        let of_lines: Decimal = itemized.map(|tax| amount(tax, "amount")).sum();
        let of_shipping: Decimal =
            list(extension, "additional_itemized_taxes").iter().map(|tax| amount(tax, "amount")).sum();
        assert_eq!(of_lines + of_shipping, amount(&order, "tax_amount"));
    }
}

/// Whether the release rule of the brief lets the order go.
fn released(order: &Value) -> bool {
    let gateway = !["checkmo", "banktransfer", "free"].contains(&order["payment"]["method"].as_str().unwrap());
    match order["state"].as_str().unwrap() {
        "new" => !gateway,
        "processing" | "complete" => !gateway || order["payment"].get("amount_authorized").is_some(),
        _ => false,
    }
}

#[test]
fn five_of_six_are_released_and_every_other_standing_is_there() {
    for count in [7, 60, 100, 400] {
        let made = sample(4, count).1;
        let free = made.iter().filter(|order| released(order)).count();
        assert!(free * 6 >= count * 5, "{free} of {count}");
        if count >= 60 {
            let states: BTreeSet<&str> = made.iter().map(|o| o["state"].as_str().unwrap()).collect();
            let all = "canceled complete holded new payment_review pending_payment processing";
            assert_eq!(states.into_iter().collect::<Vec<_>>().join(" "), all);
            assert!(made.iter().any(|o| o["state"] == "new" && o["payment"]["method"] == "braintree"));
        }
    }
    let items = catalogue(4, 100);
    assert!((0..200).all(|n| released(&place_like(4, n, &items, now()))));
}

#[test]
fn every_shape_is_there_from_sixty_on() {
    for seed in 0..6 {
        let made = sample(seed, 60).1;
        for (name, found) in features(&made) {
            assert!(found, "seed {seed} lacks: {name}");
        }
    }
}

fn features(made: &[Value]) -> BTreeMap<&'static str, bool> {
    let any = |wanted: &dyn Fn(&Value) -> bool| made.iter().any(wanted);
    let line = |wanted: &dyn Fn(&Value) -> bool| made.iter().any(|o| list(o, "items").iter().any(wanted));
    let zero = |o: &Value, key: &str| amount(o, key).is_zero();
    let twice = |o: &Value| {
        let skus: Vec<String> = money_lines(o).iter().map(|i| i["sku"].to_string()).collect();
        skus.iter().collect::<BTreeSet<_>>().len() < skus.len()
    };
    let discounted = |o: &Value| money_lines(o).iter().any(|i| !amount(i, "discount_amount").is_zero());
    let rates = |o: &Value| money_lines(o).iter().map(|i| amount(i, "tax_percent")).collect::<BTreeSet<_>>().len();
    let apart = |o: &Value| shipment(o)["shipping"]["address"]["city"] != o["billing_address"]["city"];
    let long = |o: &Value| o["billing_address"]["street"][0].as_str().unwrap().chars().count() > 200;
    BTreeMap::from([
        ("guest", any(&|o| o["customer_is_guest"] == 1)),
        ("registered", any(&|o| o["customer_id"].as_u64() > Some(2))),
        ("company with VAT", any(&|o| o["billing_address"].get("vat_id").is_some())),
        ("customer VAT", any(&|o| o.get("customer_taxvat").is_some())),
        ("two addresses", any(&|o| o["is_virtual"] == 0 && apart(o))),
        ("long texts", any(&long)),
        ("two street lines", any(&|o| list(&o["billing_address"], "street").len() == 2)),
        ("several lines", any(&|o| money_lines(o).len() > 2)),
        ("two lines of one SKU", any(&twice)),
        ("configurable", line(&|i| i["product_type"] == "configurable")),
        ("bundle", line(&|i| i["product_type"] == "bundle")),
        ("virtual only", any(&|o| o["is_virtual"] == 1 && shipment(o)["shipping"].get("address").is_none())),
        ("percent coupon", line(&|i| i["discount_percent"] == 10)),
        ("fixed coupon", line(&|i| i["discount_percent"] == 0 && !zero(i, "discount_amount"))),
        ("nothing to pay", any(&|o| zero(o, "grand_total") && !zero(o, "subtotal"))),
        ("shipping discount", any(&|o| !zero(o, "shipping_discount_amount"))),
        ("free shipping", any(&|o| o["is_virtual"] == 0 && zero(o, "shipping_amount"))),
        ("no tax", any(&|o| zero(o, "tax_amount") && !zero(o, "grand_total"))),
        ("three rates", any(&|o| rates(o) == 3)),
        ("EUR", any(&|o| o["order_currency_code"] == "EUR")),
        ("JPY", any(&|o| o["order_currency_code"] == "JPY")),
        ("48 pieces", line(&|i| i["qty_ordered"] == 48 && amount(i, "price").scale() == 4)),
        ("classic rows", any(&|o| discounted(o) && BASE.adds_up(o, true))),
        ("reduced rows", any(&|o| discounted(o) && BASE.adds_up(o, false))),
    ])
}

/// Every path of keys, with list places left out, and the JSON type at its end.
fn paths(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| paths(value, &format!("{at}.{key}"), into)),
        Value::Array(values) => values.iter().for_each(|value| paths(value, &format!("{at}[]"), into)),
        Value::Number(_) => drop(into.insert(format!("{at}: number"))),
        Value::String(_) => drop(into.insert(format!("{at}: text"))),
        Value::Bool(_) => drop(into.insert(format!("{at}: bool"))),
        Value::Null => drop(into.insert(format!("{at}: null"))),
    }
}

#[test]
fn generated_orders_have_the_key_sets_of_the_recorded_ones() {
    let of = |order: &Value| {
        let mut set = BTreeSet::new();
        paths(order, "", &mut set);
        set
    };
    // What the recordings lack: keys of standings and methods that were not recorded with an order.
    let beyond = |path: &str| {
        ["invoiced", "canceled", "paid", "captured", "authorized", "hold_before", "last_trans", "histories", "cc_last4"]
            .iter()
            .any(|word| path.contains(word))
    };
    let known: BTreeSet<String> = recorded::all().iter().flat_map(of).collect();
    let generated = sample(11, 200).1;
    let made: BTreeSet<String> = generated.iter().flat_map(of).collect();
    let unknown: Vec<&String> = made.difference(&known).filter(|path| !beyond(path)).collect();
    assert_eq!(unknown, Vec::<&String>::new());
    assert_eq!(known.difference(&made).collect::<Vec<_>>(), Vec::<&String>::new());
    // A plain guest order: the same keys in the same order.
    let keys = |order: &Value| order.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let wanted = &recorded::all()[1];
    let plain = generated
        .iter()
        .find(|o| o["customer_is_guest"] == 1 && o["state"] == "new" && o.get("coupon_code").is_none())
        .unwrap();
    assert_eq!(keys(plain), keys(wanted));
    assert_eq!(keys(&plain["items"][0]), keys(&wanted["items"][0]));
    assert_eq!(keys(&plain["payment"]), keys(&wanted["payment"]));
    assert_eq!(keys(&plain["extension_attributes"]), keys(&wanted["extension_attributes"]));
}

#[test]
fn recorded_orders_keep_all_but_ids_and_dates() {
    let made = sample(1, 60).1;
    for (place, wanted) in recorded::all().iter().enumerate() {
        let order = &made[place * 7 + 3];
        for key in ["grand_total", "base_grand_total", "customer_email", "protect_code", "subtotal", "state"] {
            assert_eq!(order[key], wanted[key], "{key}");
        }
        assert_eq!(list(order, "items").len(), list(wanted, "items").len());
    }
}

#[test]
fn registered_buyers_are_customers() {
    let accounts: BTreeMap<u64, Value> =
        customers(6, 5, now()).into_iter().map(|c| (c["id"].as_u64().unwrap(), c)).collect();
    assert_eq!(accounts.len() as u64, BUYERS);
    for order in sample(6, 150).1.iter().filter(|order| order["customer_is_guest"] == 0) {
        let account = &accounts[&order["customer_id"].as_u64().unwrap()];
        for (key, of_account) in [
            ("customer_email", "email"),
            ("customer_firstname", "firstname"),
            ("customer_lastname", "lastname"),
            ("customer_group_id", "group_id"),
            ("customer_taxvat", "taxvat"),
        ] {
            assert_eq!(order.get(key), account.get(of_account), "{key}");
        }
    }
}

#[test]
fn lines_are_of_the_catalogue() {
    let (items, made) = sample(9, 120);
    let known: BTreeMap<&str, &Item> = items.iter().map(|item| (item.sku.as_str(), item)).collect();
    for order in &made {
        for line in list(order, "items") {
            assert!(known.contains_key(line["sku"].as_str().unwrap()), "{line}");
        }
    }
    assert_eq!(orders(9, 3, &[], now()).len(), 3);
}
