//! Kits, where module `product_kit` 8.0 is activated.
//!
//! From that module's source (`trytond_product_kit` 8.0.4, `product.py`, `common.py`): a kit is a product of type `kit`; its
//! components belong to its template and, where one is named, to one variant of it; what goes into a kit is of type `goods`
//! and has no components itself. They have no list of their own in the client: they are changed in the form of the template,
//! which is written with them.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::fail::Fail;
use super::price::coded;
use super::store::Store;
use super::{Erp, write};

pub(super) const MODEL: &str = "product.component";

/// Whether a product may go into what `parent` is a component of.
pub fn goes_in(store: &Store, component: u64, product: u64) -> bool {
    let template = |product: u64| store.value("product.product", product, "template").id().unwrap_or_default();
    let parent = store.value(MODEL, component, "parent_template").id().unwrap_or_default();
    let kind = |template: u64| store.text("product.template", template, "type");
    let parts = store.children(MODEL, "parent_template", template(product)).unwrap_or_default();
    parts.is_empty() && (kind(parent) != "kit" || kind(template(product)) == "goods")
}

/// What a product is made of, by code; nothing of one that is no kit.
pub fn ledger(store: &Store, product: u64, template: u64) -> Value {
    let all = store.children(MODEL, "parent_template", template).unwrap_or_default();
    let parent = |one: &u64| store.value(MODEL, *one, "parent_product").id();
    let own: Vec<u64> = all.iter().copied().filter(|one| parent(one) == Some(product)).collect();
    let used = if own.is_empty() { all.into_iter().filter(|one| parent(one).is_none()).collect() } else { own };
    if used.is_empty() {
        return Value::Null;
    }
    let mut parts = Map::new();
    for one in used {
        let part = store.value(MODEL, one, "product").id().unwrap_or_default();
        let quantity = store.value(MODEL, one, "quantity").number().unwrap_or_default();
        parts.insert(store.text("product.product", part, "code"), json!(quantity.normalize().to_string()));
    }
    Value::Object(parts)
}

impl Erp {
    /// Activates module `product_kit`, which has products be made of others.
    pub fn activate_kits(&mut self, now: Timestamp) {
        let row = json!({"name": "product_kit", "state": "activated"});
        self.has_kits = self.has_kits || self.whole(now, |store| write::create(store, "ir.module", &[row]).map(drop));
    }

    /// Makes a kit of these parts, as a person at the ERP would; false where refused, or where a part is not there.
    pub fn make_kit(&mut self, now: Timestamp, code: &str, name: &str, parts: &[(&str, Decimal)]) -> bool {
        self.whole(now, |store| {
            let parts: Result<Vec<Value>, Fail> =
                parts.iter().map(|(part, quantity)| Ok(component(coded(store, part)?, *quantity))).collect();
            let price = json!({"__class__": "Decimal", "decimal": "0"});
            let template = json!({"name": name, "type": "kit", "default_uom": 1, "sale_uom": 1, "salable": true,
                "list_price": price, "cost_price_method": "fixed", "components": [["create", parts?]]});
            let made = write::create(store, "product.template", &[template])?.first().copied();
            write::create(store, "product.product", &[json!({"template": made, "suffix_code": code})]).map(drop)
        })
    }

    /// Sets how many of a part go into a kit, in the form of its template: adds the part where it is not in it, takes it out
    /// where there are to be none. False where refused, or where there is no such kit or part.
    pub fn set_component(&mut self, now: Timestamp, kit: &str, part: &str, quantity: Decimal) -> bool {
        self.change_component(now, kit, part, |found, part| match found {
            None => json!([["create", [component(part, quantity)]]]),
            Some(one) if quantity.is_zero() => json!([["delete", [one]]]),
            Some(one) => json!([["write", [one], {"quantity": float(quantity)}]]),
        })
    }

    /// Has a part go into a kit once, however many are ordered, or not any more; false where it is not in it.
    pub fn fix_component(&mut self, now: Timestamp, kit: &str, part: &str, fixed: bool) -> bool {
        self.change_component(now, kit, part, |found, _| json!([["write", [found], {"fixed": fixed}]]))
    }

    fn change_component(
        &mut self,
        now: Timestamp,
        kit: &str,
        part: &str,
        change: impl FnOnce(Option<u64>, u64) -> Value,
    ) -> bool {
        self.whole(now, |store| {
            let (kit, part) = (coded(store, kit)?, coded(store, part)?);
            let template = store.value("product.product", kit, "template").id().ok_or_else(|| Fail::key(MODEL))?;
            let all = store.children(MODEL, "parent_template", template)?;
            let found = all.into_iter().find(|one| store.value(MODEL, *one, "product").id() == Some(part));
            write::write(store, "product.template", &[template], &json!({"components": change(found, part)}))
        })
    }
}

fn component(product: u64, quantity: Decimal) -> Value {
    json!({"product": product, "quantity": float(quantity), "unit": 1})
}

fn float(quantity: Decimal) -> Value {
    crate::catalogue::number(quantity)
}
