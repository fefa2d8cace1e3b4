//! Units: a product is counted in its default unit and sold in its sale unit, which may be a pack of several.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::fail::Fail;
use super::price::coded;
use super::store::Store;
use super::value::Val;
use super::write::{create, write};

/// How much a unit is of its category's own one.
pub fn factor(store: &Store, unit: u64) -> Decimal {
    store.value("product.uom", unit, "factor").number().filter(|one| !one.is_zero()).unwrap_or(Decimal::ONE)
}

/// How many of the unit `product` is counted in make one of `unit`.
pub fn pack(store: &Store, product: u64, unit: u64) -> Decimal {
    let template = store.value("product.product", product, "template").id().unwrap_or_default();
    let counted = store.value("product.template", template, "default_uom").id();
    factor(store, unit) / counted.map_or(Decimal::ONE, |counted| factor(store, counted))
}

/// Sets how much a move moves, in its own unit and in the one its product is counted in.
pub fn set_quantity(store: &mut Store, id: u64, quantity: Decimal) -> Result<(), Fail> {
    let of = |field: &str| store.value("stock.move", id, field).id().unwrap_or_default();
    let counted = quantity * pack(store, of("product"), of("unit"));
    store.put("stock.move", id, "quantity", Val::Float(quantity))?;
    store.put("stock.move", id, "internal_quantity", Val::Float(counted))
}

/// What the fields of a move come to in the unit its product is counted in; none where they do not say.
pub fn internal(store: &Store, told: impl Fn(&str) -> Option<Value>) -> Option<Value> {
    let quantity = told("quantity")?;
    let (Some(product), Some(unit)) = (told("product")?.as_u64(), told("unit")?.as_u64()) else {
        return Some(quantity);
    };
    match pack(store, product, unit) {
        one if one == Decimal::ONE => Some(quantity),
        pack => {
            let exact: Decimal = quantity.to_string().parse().ok()?;
            serde_json::from_str(&(exact * pack).normalize().to_string()).ok()
        }
    }
}

/// Sells the product with that code by packs of so many pieces from now on.
pub fn sell_in_packs(store: &mut Store, code: &str, pieces: u32) -> Result<(), Fail> {
    let product = coded(store, code)?;
    let template = store.value("product.product", product, "template").id().unwrap_or_default();
    let counted = store.value("product.template", template, "default_uom").id().unwrap_or_default();
    let category = store.value("product.uom", counted, "category").id();
    let factor = factor(store, counted) * Decimal::from(pieces);
    let name = format!("Pack of {pieces}");
    let row = json!({"name": name, "symbol": name, "category": category, "digits": 0, "factor": factor.to_string()});
    let made = create(store, "product.uom", &[row])?;
    write(store, "product.template", &[template], &json!({"sale_uom": made.first()}))
}
