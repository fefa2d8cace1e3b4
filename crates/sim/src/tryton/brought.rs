//! Sales that another connector brought: made as any user would make them, under marks of its own.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::fail::Fail;
use super::ledger;
use super::sale;
use super::store::Store;
use super::write::create;
use crate::elsewhere::Booked;

/// Decimals a price has.
const PRICE_DIGITS: u32 = 4;

/// Makes the sale of `booked`; its id.
pub fn bring(store: &mut Store, booked: &Booked) -> Result<u64, Fail> {
    let (party, addresses) = party(store, booked)?;
    let lines = lines(store, booked)?;
    let first = addresses.first().copied();
    let mut row = json!({
        "party": party, "reference": booked.reference, "currency": named(store, "currency.currency", "code", &booked.currency)?,
        "invoice_address": first, "shipment_address": addresses.get(1).copied().or(first),
        "payment_term": 1, "lines": [["create", lines]],
    });
    if !booked.web_id.is_empty() {
        row["web_shop"] = json!(1);
        row["web_id"] = json!(booked.web_id);
    }
    let id = create(store, "sale.sale", &[row])?.first().copied().unwrap_or_default();
    level(store, id, booked.total)?;
    if !booked.draft {
        for button in ["quote", "confirm"] {
            sale::press(store, button, &[id], false)?;
        }
    }
    Ok(id)
}

/// Puts what its own rounding leaves over on a line for it.
fn level(store: &mut Store, id: u64, total: Decimal) -> Result<(), Fail> {
    let missing = total - sale::amounts(store, id)?.total();
    if missing.is_zero() {
        return Ok(());
    }
    let product = named(store, "product.product", "code", "ROUNDING")?;
    let row = json!({"sale": id, "product": product, "unit": 1, "quantity": 1, "unit_price": decimal(missing)});
    create(store, "sale.line", &[row]).map(drop)
}

/// The goods in order, then the freight.
fn lines(store: &Store, booked: &Booked) -> Result<Vec<Value>, Fail> {
    let (freight, percent) = booked.shipping;
    let shipping = ("SHIPPING".to_owned(), Decimal::ONE, freight, percent);
    let mut rows = Vec::new();
    for (code, quantity, net, percent) in booked.lines.iter().chain((!freight.is_zero()).then_some(&shipping)) {
        let product = named(store, "product.product", "code", code)?;
        let price = net.checked_div(*quantity).unwrap_or_default().round_dp(PRICE_DIGITS);
        let tax = tax(store, *percent);
        rows.push(json!({
            "sequence": rows.len() + 1, "product": product, "unit": 1, "quantity": number(*quantity),
            "unit_price": decimal(price), "taxes": tax.map(|tax| json!([["add", [tax]]])).unwrap_or_else(|| json!([])),
        }));
    }
    Ok(rows)
}

/// The tax whose rate is nearest to so many percent, where there is any.
fn tax(store: &Store, percent: Decimal) -> Option<u64> {
    let at = store.model("account.tax").ok()?;
    let off = |id: &u64| {
        let rate = store.value("account.tax", *id, "rate").number().unwrap_or_default();
        (rate * Decimal::ONE_HUNDRED - percent).abs()
    };
    store.ids(at).filter(|id| off(id) < Decimal::ONE && !percent.is_zero()).min_by_key(off)
}

/// The party that has the e-mail, made where nobody has; and its addresses for the invoice and the parcel.
fn party(store: &mut Store, booked: &Booked) -> Result<(u64, Vec<u64>), Fail> {
    let (name, email) = &booked.buyer;
    let party = match ledger::by_email(store, email) {
        Some(party) => party,
        None => {
            let way = json!([["create", [{"type": "email", "value": email}]]]);
            let row = json!({"name": name, "contact_mechanisms": way});
            create(store, "party.party", &[row])?.first().copied().unwrap_or_default()
        }
    };
    let mut ids = Vec::new();
    for [name, street, postcode, city, country] in &booked.addresses {
        let says = |store: &Store, id: u64| {
            let text = |field: &str| store.text("party.address", id, field);
            text("street_unstructured") == *street && text("city") == *city && text("party_name") == *name
        };
        let known = store.children("party.address", "party", party)?.into_iter().find(|id| says(store, *id));
        let id = match known {
            Some(id) => id,
            None => {
                let country = named(store, "country.country", "code", country).ok();
                let row = json!({"party": party, "party_name": name, "street": street, "postal_code": postcode,
                    "city": city, "country": country});
                create(store, "party.address", &[row])?.first().copied().unwrap_or_default()
            }
        };
        ids.push(id);
    }
    Ok((party, ids))
}

/// The record of `model` whose `field` says `text`.
fn named(store: &Store, model: &str, field: &str, text: &str) -> Result<u64, Fail> {
    let at = store.model(model)?;
    store.ids(at).find(|id| store.text(model, *id, field) == text).ok_or_else(|| Fail::key(text))
}

fn decimal(number: Decimal) -> Value {
    json!({"__class__": "Decimal", "decimal": number.to_string()})
}

fn number(quantity: Decimal) -> Value {
    quantity.normalize().to_string().parse::<serde_json::Number>().map_or(Value::Null, Value::Number)
}
