//! What a kit is made of, in the units its parts and the kit itself are sold in.
//!
//! By the source of module `product_kit` (8.0.4, `product.py` and `common.py`): a variant has components of its own, or else
//! those of its template that are no variant's; a quantity is for one of the kit's default unit, in the component's unit.

use super::{Units, remote};
use crate::tryton::wire::VariantRow;
use crate::tryton::wire_product::ComponentRow;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use syncline_core::kind::Kind;
use syncline_core::leaf::Ref;
use syncline_core::record::{Composition, Part};
use syncline_core::text::shown;

/// Whether a product is a kit.
pub(in crate::tryton) fn is_kit(row: &VariantRow) -> bool {
    row.form.as_deref() == Some("kit")
}

/// What a product is made of by these components, among which are others', each by its code; none where it is no kit, or has none yet: that
/// empties no bundle.
pub(super) fn composition(row: &VariantRow, components: &[ComponentRow]) -> Option<Composition> {
    let own: Vec<&ComponentRow> = components.iter().filter(|one| one.parent_product == Some(row.id)).collect();
    let of_template =
        components.iter().filter(|one| one.parent_template == Some(row.template.id) && one.parent_product.is_none());
    let used = if own.is_empty() { of_template.collect() } else { own };
    if used.is_empty() || !is_kit(row) {
        return None;
    }
    let Some(units) = Units::of(row.sale_unit, row.default_unit) else {
        return Some(Composition::Loose("the units it is counted and sold in do not compare".to_string()));
    };
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    for component in used {
        let name = shown(component.product.code.as_deref().unwrap_or("a product without a code"), 40);
        if component.fixed.0 {
            return Some(Composition::Loose(format!("`{name}` goes in once, however many are ordered (`fixed`)")));
        }
        let Some(quantity) = sold(component).and_then(|quantity| units.each(quantity)) else {
            return Some(Composition::Loose(format!("the units `{name}` is counted and sold in do not compare")));
        };
        let id = remote(component.product.id);
        let variant = Ref::remote(Kind::Variant, id.clone());
        let others = |code: &&String| parts.get(*code).is_some_and(|part| part.variant != variant);
        let code = component.product.code.as_ref().filter(|code| !code.is_empty() && !others(code));
        let key = code.cloned().unwrap_or(id.id);
        let part = parts.entry(key).or_insert(Part { variant, quantity: Decimal::ZERO });
        part.quantity = part.quantity.saturating_add(quantity).normalize();
    }
    Some(Composition::Fixed(parts))
}

/// How many go into one of the kit's default unit, in the unit the part is sold in.
fn sold(component: &ComponentRow) -> Option<Decimal> {
    let (unit, product) = (component.unit, &component.product);
    let default = product.default_unit?;
    let quantity = component.quantity.0.0;
    let counted = match unit.id == default.id {
        true => quantity,
        false => quantity.checked_mul(unit.factor?.0.0)?.checked_div(default.factor?.0.0)?,
    };
    Some(Units::of(product.sale_unit, product.default_unit)?.sold(counted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn kit(id: i64) -> VariantRow {
        let unit = json!({"id": 1, "digits": 0, "factor": 1});
        serde_json::from_value(json!({"id": id, "code": "SET", "type": "kit", "active": true, "default_uom.": unit,
            "template.": {"id": 7, "active": true}}))
        .unwrap()
    }

    fn component(change: Value) -> ComponentRow {
        let piece = json!({"id": 1, "digits": 0, "factor": 1});
        let mut row = json!({"id": 1, "parent_template": 7, "parent_product": null, "quantity": 2.0, "fixed": false,
            "unit.": piece, "product.": {"id": 5, "code": "MUG", "default_uom.": piece, "sale_uom.": piece}});
        row.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value(row).unwrap()
    }

    fn told(components: &[ComponentRow]) -> Vec<(String, String)> {
        let Some(Composition::Fixed(parts)) = composition(&kit(3), components) else { return Vec::new() };
        parts.into_iter().map(|(key, part)| (key, part.quantity.to_string())).collect()
    }

    #[test]
    fn a_variants_own_components_take_the_place_of_its_templates() {
        let others = component(json!({"parent_product": 4}));
        let own = component(json!({"parent_product": 3, "quantity": 1.0}));
        let of_template = component(json!({}));
        let both = [others, of_template.clone(), own];
        assert_eq!(told(&both), [("MUG".to_string(), "1".to_string())]);
        assert_eq!(told(&both[..2]), [("MUG".to_string(), "2".to_string())]);
        assert_eq!(
            told(&[of_template.clone(), of_template]),
            [("MUG".to_string(), "4".to_string())],
            "told as one part"
        );
        assert_eq!(composition(&kit(3), &both[..1]), None);
    }

    #[test]
    fn a_quantity_is_told_in_the_unit_its_part_is_sold_in() {
        let (gram, kilo) = (json!({"id": 3, "digits": 2, "factor": 0.001}), json!({"id": 2, "digits": 2, "factor": 1}));
        let flour = json!({"id": 6, "code": "FLOUR", "default_uom.": kilo, "sale_uom.": gram});
        let row = component(json!({"product.": flour, "unit.": gram, "quantity": 250.0}));
        assert_eq!(told(&[row]), [("FLOUR".to_string(), "250".to_string())]);
        let pack = json!({"id": 9, "digits": 0, "factor": 6});
        let piece = json!({"id": 1, "digits": 0, "factor": 1});
        let eggs = json!({"id": 8, "code": "EGG", "default_uom.": piece, "sale_uom.": pack});
        assert_eq!(
            told(&[component(json!({"product.": eggs, "quantity": 12.0}))]),
            [("EGG".to_string(), "2".to_string())]
        );
    }

    #[test]
    fn what_goes_in_once_whatever_is_ordered_is_no_bundles_part() {
        let told = composition(&kit(3), &[component(json!({"fixed": true}))]);
        assert!(matches!(&told, Some(Composition::Loose(why)) if why.contains("`MUG` goes in once")), "{told:?}");
        let odd = json!({"id": 4, "digits": 0});
        let told = composition(&kit(3), &[component(json!({"unit.": odd}))]);
        assert!(matches!(&told, Some(Composition::Loose(why)) if why.contains("do not compare")), "{told:?}");
    }
}
