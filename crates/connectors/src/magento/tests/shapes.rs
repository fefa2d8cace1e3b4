//! What orders mean: recorded ones to the cent, edited ones by what was edited.

use super::super::customers::customer;
use super::super::weight::Unit;
use super::{RECORDED, map, mapped, read, recorded, wire};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_core::leaf::{Ref, Target};
use syncline_core::money::decimal;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Customer, Line, LineForm, Order, OrderLife, Record};
use syncline_core::totals::balanced;

/// The figures of an order in one line each: form, sku, quantity, net, tax, taxes.
fn figures(order: &Order) -> Vec<String> {
    let money = |line: &Line| line.net.map_or("-".to_owned(), |net| net.amount.to_string());
    let tax = |line: &Line| line.tax.map_or("-".to_owned(), |tax| tax.amount.to_string());
    let codes = |line: &Line| line.taxes.iter().map(|(c, p)| format!("{c}={p}")).collect::<Vec<_>>().join("+");
    let mut rows: Vec<String> = order
        .lines
        .iter()
        .map(|(key, line)| {
            let form = line.form.map_or("?", LineForm::word);
            let parent = line.parent.as_ref().map_or(String::new(), |parent| format!(" of {parent}"));
            let (sku, quantity) = (line.sku.as_deref().unwrap_or("?"), line.quantity.unwrap_or_default());
            format!("{key}{parent} {form} {sku} x{quantity} {} +{} {}", money(line), tax(line), codes(line))
                .trim_end()
                .to_owned()
        })
        .collect();
    for (name, charge) in &order.charges {
        let net = charge.net.map_or("-".to_owned(), |net| net.amount.to_string());
        let tax = charge.tax.map_or("-".to_owned(), |tax| tax.amount.to_string());
        let taxes = charge.taxes.keys().cloned().collect::<Vec<_>>().join("+");
        rows.push(format!("{name} {net} +{tax} {taxes}").trim_end().to_owned());
    }
    let total = |money: Option<syncline_core::money::Money>| money.map_or("-".to_owned(), |m| m.to_string());
    rows.push(format!("= {} with tax {}", total(order.totals.grand), total(order.totals.tax)));
    rows
}

fn of(name: &str) -> Vec<String> {
    figures(&read(&recorded(name)).0)
}

#[test]
fn every_recorded_order_adds_up() {
    for (name, _) in RECORDED {
        let (order, ..) = read(&recorded(name));
        balanced(&order).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn lines_tell_how_far_they_have_come_and_a_folded_child_leaves_it_to_its_parent() {
    let (order, ..) = read(&recorded("order-final"));
    let had = |line: &Line| [line.had.shipped, line.had.invoiced, line.had.refunded, line.had.cancelled];
    let three = [3, 3, 3, 0].map(|n: u32| Some(n.into()));
    assert_eq!(had(order.lines.get("17").unwrap()), three);
    assert_eq!(had(order.lines.get("18").unwrap()), [None; 4]);
    assert_eq!(had(order.lines.get("19").unwrap()), [0, 2, 2, 0].map(|n: u32| Some(n.into())));
    let mut silent = recorded("order-get");
    silent["items"][0].as_object_mut().unwrap().remove("qty_shipped");
    silent["items"][0]["qty_invoiced"] = json!(2.999_999_999_999);
    let (order, ..) = read(&silent);
    assert_eq!(had(order.lines.get("1").unwrap())[..2], [None, Some(3.into())]);
    let (bundle, ..) = read(&recorded("order-bundle"));
    assert!(["14", "15", "16"].iter().all(|key| bundle.lines.get(key).unwrap().had.shipped == Some(0.into())));
}

#[test]
fn the_recorded_figures_are_the_recorded_ones() {
    assert_eq!(of("order-get"), ["1 simple BOLT-M8 x7 0.7 +0", "shipping 35 +0", "= 35.70 USD with tax 0.00 USD"]);
    assert_eq!(
        of("order-get-guest"),
        ["2 simple BOLT-CFG-0 x3 4.5 +0", "shipping 15 +0", "= 19.50 USD with tax 0.00 USD"]
    );
    assert_eq!(
        of("order-cent-trap"),
        [
            "11 simple PEN x4 8.34 +1.58 DE-19b=19",
            "12 simple MUG x4 36.63 +6.97 DE-19b=19",
            "shipping 36.69 +6.97 DE-19b",
            "= 97.18 EUR with tax 15.52 EUR",
        ]
    );
    assert_eq!(
        of("order-configurable-child"),
        ["13 simple BOLT-CFG-0 x1 1.38 +0.26 DE-19b=19", "shipping 4.59 +0.87 DE-19b", "= 7.10 EUR with tax 1.13 EUR"]
    );
    assert_eq!(
        of("order-two-addresses-emoji"),
        ["20 simple MUG x1 9.16 +0", "shipping 4.59 +0", "= 13.75 EUR with tax 0.00 EUR"]
    );
}

#[test]
fn an_order_in_euro_is_read_from_the_euro_columns_alone() {
    assert_eq!(
        of("order-mixed-tax-coupon-eur"),
        [
            "8 simple MUG x3 24.73 +4.7 DE-19b=19",
            "9 simple BOOK x1 16.47 +1.15 DE-7b=7",
            "10 simple PEN x4 7.51 +1.42 DE-19b=19",
            "shipping 36.68 +6.98 DE-19b",
            "= 99.64 EUR with tax 14.25 EUR",
        ]
    );
    let (order, ..) = read(&recorded("order-mixed-tax-coupon-eur"));
    let discounts: Vec<String> = order.lines.iter().filter_map(|(_, l)| Some(l.discount?.to_string())).collect();
    assert_eq!(discounts, ["3.27 EUR", "1.96 EUR", "0.99 EUR"]);
}

#[test]
fn a_bundle_counts_once_by_its_children() {
    assert_eq!(
        of("order-bundle"),
        [
            "14 bundle GIFTSET x2 - +-",
            "15 of 14 simple MUG x4 32.97 +6.27 DE-19b=19",
            "16 of 14 simple BOOK x2 32.93 +2.31 DE-7b=7",
            "shipping 27.53 +5.22 DE-19b",
            "= 107.23 EUR with tax 13.80 EUR",
        ]
    );
    let (order, ..) = read(&recorded("order-bundle"));
    assert_eq!(order.sold_lines().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["15", "16"]);
}

#[test]
fn a_bundle_with_a_price_of_its_own_keeps_the_money() {
    let mut order = recorded("order-bundle");
    for at in [1, 2] {
        for column in ["price", "row_total", "tax_amount", "discount_amount", "discount_tax_compensation_amount"] {
            order["items"][at][column] = json!(0);
        }
        order["items"][at]["extension_attributes"] = json!([]);
    }
    for (column, value) in [("row_total", "65.90"), ("tax_amount", "8.58")] {
        order["items"][0][column] = serde_json::from_str(value).unwrap();
    }
    let (order, ..) = read(&order);
    let bundle = order.lines.get("14").unwrap();
    assert_eq!(bundle.net.unwrap().to_string(), "65.90 EUR");
    assert_eq!(order.lines.get("15").unwrap().net.unwrap().to_string(), "0.00 EUR");
    assert!(balanced(&order).is_ok());
}

#[test]
fn a_configurable_line_sells_its_child() {
    assert_eq!(
        of("order-configurable"),
        [
            "17 configurable BOLT-CFG-0 x3 4.13 +0.79 DE-19b=19",
            "18 of 17 simple BOLT-CFG-0 x3 0 +0",
            "19 simple MUG x2 18.32 +3.48 DE-19b=19",
            "shipping 22.94 +4.35 DE-19b",
            "= 54.01 EUR with tax 8.62 EUR",
        ]
    );
    let (order, ..) = read(&recorded("order-configurable"));
    let variant = order.lines.get("17").unwrap().variant.clone().unwrap();
    assert_eq!(variant.alias.as_deref(), Some("id:4"), "the family has the id 3");
    assert!(matches!(&variant.to, Target::Remote(id) if id.id == "BOLT-CFG-0" && id.scope.is_empty()));
}

#[test]
fn two_lines_of_one_sku_stay_two() {
    let mut order = recorded("order-cent-trap");
    order["items"][1]["sku"] = json!("PEN");
    let (order, ..) = read(&order);
    assert_eq!(
        order.lines.iter().map(|(key, line)| (key.as_str(), line.sku.as_deref())).collect::<Vec<_>>(),
        [("11", Some("PEN")), ("12", Some("PEN"))]
    );
    assert!(balanced(&order).is_ok());
}

/// The recorded coupon order as a version would tell it whose `row_total` is the row before its discount.
fn classic() -> Value {
    let mut order = recorded("order-mixed-tax-coupon-eur");
    for (at, full) in [(0, "27.48"), (1, "18.30"), (2, "8.34")] {
        order["items"][at]["row_total"] = serde_json::from_str(full).unwrap();
    }
    order
}

#[test]
fn both_meanings_of_row_total_give_the_same_net() {
    let (order, ..) = read(&classic());
    assert_eq!(figures(&order), of("order-mixed-tax-coupon-eur"));
}

#[test]
fn amounts_that_are_no_line_hold_the_order_instead_of_feigning_a_fit() {
    // A gift card of exactly the discount makes the wrong reading of `row_total` add up.
    let mut order = recorded("order-mixed-tax-coupon-eur");
    order["grand_total"] = json!(93.42);
    assert!(balanced(&read(&order).0).is_err(), "the subtotal speaks against it");
    order["subtotal"] = Value::Null;
    assert!(balanced(&read(&order).0).is_ok(), "nothing speaks against it");
    order["extension_attributes"]["gift_cards_amount"] = json!(6.22);
    assert!(balanced(&read(&order).0).is_err(), "the gift card does");
    let mut order = recorded("order-get");
    order["grand_total"] = json!(37.7);
    order["items"][0]["weee_tax_applied_row_amount"] = json!(2);
    assert!(balanced(&read(&order).0).is_err());
}

#[test]
fn times_addresses_and_people() {
    let (order, customer, id) = read(&recorded("order-get"));
    assert_eq!(order.placed.unwrap().to_string(), "2026-11-23T04:53:37Z");
    assert_eq!(order.day.unwrap().to_string(), "2026-11-22", "still the day before in New York");
    assert_eq!((order.number.as_deref(), order.life), (Some("000000001"), Some(OrderLife::Open)));
    assert_eq!((id.scope.as_str(), id.id.as_str()), ("1", "2"));
    assert_eq!(customer.name.as_deref(), Some("Zoë Müller-Lüdenscheidt"));
    assert_eq!(customer.tax_id.as_deref(), Some("DE123456789"));
    assert_eq!(customer.addresses.len(), 1, "both addresses say the same");
    let (key, address) = customer.addresses.iter().next().unwrap();
    assert_eq!((address.name.as_deref(), address.region.as_deref()), (Some("Zoë Müller"), Some("BER")));
    assert_eq!(address.company.as_deref(), Some("Müller & Söhne GmbH"));
    let billing: Ref = order.billing.unwrap();
    assert_eq!(billing.element, Some(Customer::address_path(key)));
    assert_eq!(order.shipping.unwrap().element, Some(Customer::address_path(key)));
}

#[test]
fn guests_are_known_by_their_e_mail_in_their_website() {
    let mut order = recorded("order-get-guest");
    let (_, _, id) = read(&order);
    assert_eq!(id.to_string(), format!("1/guest:{}", order["customer_email"].as_str().unwrap()));
    order["store_id"] = json!(5);
    order["customer_email"] = json!(" Guest.DE@Example.com ");
    let (german, _, id) = read(&order);
    assert_eq!(id.to_string(), "2/guest:guest.de@example.com");
    assert_eq!(german.day.unwrap().to_string(), "2026-11-23", "it is morning in Berlin");
    order["customer_email"] = Value::Null;
    order["billing_address"]["email"] = Value::Null;
    assert_eq!(read(&order).2.to_string(), "2/guest:2");
}

#[test]
fn a_deleted_store_view_changes_no_orders_id() {
    let mut order = recorded("order-get");
    order["store_id"] = Value::Null;
    assert_eq!(mapped(&order).unwrap()[0].0.to_string(), "1/1");
    order["store_id"] = json!(77);
    assert_eq!(mapped(&order).unwrap()[0].0.to_string(), "1/1");
    order["store_name"] = Value::Null;
    assert_eq!(mapped(&order).unwrap()[0].0.to_string(), "0/1");
}

#[test]
fn payment_and_life_follow_the_state() {
    let mut order = recorded("order-get");
    let life = |order: &Value| {
        let (order, ..) = read(order);
        (order.life.map(OrderLife::word), order.payment.authorised, order.payment.captured.map(|m| m.to_string()))
    };
    let none = Some("0.00 USD".to_owned());
    for (state, word, authorised) in [
        ("new", "open", false),
        ("processing", "open", true),
        ("holded", "held", false),
        ("canceled", "cancelled", false),
        ("pending_payment", "pending", false),
        ("payment_review", "pending", false),
        ("complete", "done", true),
        ("closed", "closed", true),
    ] {
        order["state"] = json!(state);
        assert_eq!(life(&order), (Some(word), Some(authorised), none.clone()), "{state}");
    }
    order["state"] = json!("new");
    order["payment"]["amount_authorized"] = json!(35.7);
    assert_eq!(life(&order).1, Some(true));
    order["total_paid"] = json!(35.7);
    assert_eq!(life(&order).2, Some("35.70 USD".to_owned()));
    assert_eq!(read(&order).0.payment.method.as_deref(), Some("checkmo"));
}

#[test]
fn a_virtual_order_ships_nowhere_and_free_shipping_is_no_charge() {
    let mut order = recorded("order-get");
    order["is_virtual"] = json!(1);
    order["shipping_amount"] = json!(0);
    order["grand_total"] = json!(0.7);
    order["items"][0]["product_type"] = json!("downloadable");
    order["extension_attributes"]["shipping_assignments"] = json!([{"shipping": {"address": []}}]);
    let (order, ..) = read(&order);
    assert!(order.shipping.is_none() && order.charges.is_empty());
    assert_eq!(order.lines.get("1").unwrap().form, Some(LineForm::Virtual));
    assert!(balanced(&order).is_ok());
}

#[test]
fn a_tax_without_a_code_is_named_by_its_rate() {
    let mut order = recorded("order-cent-trap");
    order["items"][0]["extension_attributes"] = json!([]);
    order["extension_attributes"]["item_applied_taxes"] = json!([]);
    let taxes = read(&order).0.lines.get("11").unwrap().taxes.clone();
    assert_eq!(taxes.into_iter().collect::<Vec<_>>(), [("19%".to_owned(), decimal("19").unwrap())]);
}

#[test]
fn what_cannot_be_read_names_field_and_value() {
    let broken = |pointer: &str, value: Value| {
        let mut order = recorded("order-bundle");
        *order.pointer_mut(pointer).unwrap() = value;
        let error = mapped(&order).expect_err(pointer);
        (error.kind, error.message)
    };
    let long: Value = serde_json::from_str("1234567890123456789012345678901234567890").unwrap();
    let (kind, text) = broken("/items/1/row_total", long);
    assert_eq!(kind, ErrorKind::Broken);
    assert!(text.contains("items[1].row_total") && text.contains("1234567890"), "{text}");
    for (pointer, value, part) in [
        ("/grand_total", Value::Null, "grand_total"),
        ("/grand_total", json!("12,50"), "12,50"),
        ("/entity_id", json!("12x"), "12x"),
        ("/items", json!("none"), "items"),
        ("/items/0/sku", json!({"a": 1}), "items[0].sku"),
        ("/billing_address/city", json!([1]), "billing_address.city"),
        ("/state", json!("teleported"), "teleported"),
        ("/created_at", json!("yesterday"), "yesterday"),
        ("/order_currency_code", json!("€"), "order_currency_code"),
    ] {
        let (_, text) = broken(pointer, value);
        assert!(text.contains(part), "{pointer}: {text}");
    }
    let mut order = recorded("order-bundle");
    order.as_object_mut().unwrap().shift_remove("tax_amount");
    assert!(mapped(&order).unwrap_err().message.contains("tax_amount"));
    let empty: Value = json!([]);
    assert!(mapped(&empty).is_err());
}

#[test]
fn no_place_in_an_order_can_break_the_reader() {
    let strange = [
        Value::Null,
        json!([]),
        json!({}),
        json!("x"),
        json!(-1),
        json!("79228162514264337593543950335"),
        json!([[1]]),
    ];
    for (name, each) in [("order-get", 1), ("order-bundle", strange.len())] {
        let order = recorded(name);
        let mut pointers = Vec::new();
        gather(&order, String::new(), &mut pointers);
        for (at, pointer) in pointers.iter().enumerate() {
            // The large order meets one strange value a place, in turn.
            for value in strange.iter().skip(at % each).step_by(each) {
                let mut other = order.clone();
                *other.pointer_mut(pointer).unwrap() = value.clone();
                for (_, record) in mapped(&other).unwrap_or_default() {
                    drop(record.to_leaves());
                }
            }
        }
    }
}

fn gather(value: &Value, at: String, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !at.contains("shipping_assignments/0/items") => {
            for (name, field) in fields {
                gather(field, format!("{at}/{name}"), into);
            }
        }
        Value::Array(rows) => {
            for (index, row) in rows.iter().enumerate() {
                gather(row, format!("{at}/{index}"), into);
            }
        }
        _ => {}
    }
    into.push(at);
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        (any::<i64>(), 0u32..9).prop_map(|(mantissa, scale)| rust_decimal::Decimal::new(mantissa, scale).to_string()),
        "-?[0-9]{1,45}(\\.[0-9]{1,12})?",
        "-?[0-9]{1,3}[eE][+-]?[0-9]{1,3}",
    ]
}

proptest! {
    #[test]
    fn any_amounts_are_read_or_refused(
        lines in proptest::collection::vec((token(), token(), token(), token(), any::<bool>()), 0..6),
        header in proptest::array::uniform6(token()),
    ) {
        let raw = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!(text));
        let mut order = recorded("order-bundle");
        let template = order["items"][1].clone();
        let items: Vec<Value> = lines.iter().enumerate().map(|(at, (row, discount, tax, quantity, child))| {
            let mut item = template.clone();
            item["item_id"] = json!(at);
            item["parent_item_id"] = if *child { json!(0) } else { Value::Null };
            item["row_total"] = raw(row);
            item["discount_amount"] = raw(discount);
            item["tax_amount"] = raw(tax);
            item["qty_ordered"] = raw(quantity);
            item
        }).collect();
        order["items"] = json!(items);
        let columns = ["grand_total", "tax_amount", "subtotal", "shipping_amount", "shipping_discount_amount", "total_paid"];
        for (column, value) in columns.into_iter().zip(&header) {
            order[column] = raw(value);
        }
        if let Ok(records) = mapped(&order) {
            for (_, record) in records {
                if let Record::Order(order) = &record {
                    drop(balanced(order));
                }
                prop_assert_eq!(Record::from_leaves(record.kind(), &record.to_leaves()).unwrap(), record);
            }
        }
    }
}

#[test]
fn what_every_line_and_every_customer_tells_is_missing_in_an_answer_of_another_shape_only() {
    for field in ["sku", "qty_ordered"] {
        let mut order = recorded("order-bundle");
        order["items"][1].as_object_mut().unwrap().remove(field);
        let error = mapped(&order).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Broken, "{field}");
        assert!(error.message.contains(field), "{}", error.message);
    }
    let told: Value = serde_json::from_str(include_str!("../fixtures/customer-get.json")).unwrap();
    let read = |told: &Value| customer(told, None, &BTreeMap::new());
    assert!(read(&told).is_ok());
    for field in ["addresses", "email", "firstname", "lastname"] {
        let mut less = told.clone();
        less.as_object_mut().unwrap().remove(field);
        let error = read(&less).unwrap_err();
        assert_eq!((error.kind, error.message.contains(field)), (ErrorKind::Broken, true), "{}", error.message);
    }
    let mut bare = told.clone();
    bare["addresses"] = json!([]);
    assert!(read(&bare).is_ok(), "that there is none is a word");
}

#[test]
fn a_customer_and_a_product_as_recorded() {
    let customer: Value = serde_json::from_str(include_str!("../fixtures/customer-get.json")).unwrap();
    let (id, record) = map::customer(&wire::typed(&customer).unwrap());
    assert_eq!(id.to_string(), "1/2");
    assert_eq!(record.email.as_deref(), customer["email"].as_str());
    let streets: Vec<_> = record.addresses.values().map(|a| (a.street.clone(), a.region.clone())).collect();
    assert_eq!(streets, [(Some("Hauptstraße 1\n2. OG".to_owned()), Some("BER".to_owned()))]);
    let product: Value = serde_json::from_str(include_str!("../fixtures/product-get-sku-slash.json")).unwrap();
    let product: wire::Product = wire::typed(&product).unwrap();
    let (id, record) = map::variant(&product, BTreeMap::new(), Unit::Pounds, Ok(BTreeMap::new()), None).unwrap();
    assert_eq!((id.to_string().as_str(), record.serial.as_deref()), ("NUT/M8 ü", Some("2")));
    assert_eq!((record.active, record.form.as_deref()), (Some(true), Some("simple")));
    assert_eq!(record.weight.unwrap().to_string(), "0.056699");
    assert_eq!(record.changed.at.unwrap().to_string(), "2026-11-23T04:53:16Z");
    assert_eq!(map::texts(&product).unwrap().name.as_deref(), Some("Nut M8"));
}
