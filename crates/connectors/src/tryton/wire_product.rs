//! Shapes of what else hangs on a product: identifiers, attributes and tax category; and of templates by themselves.

use super::wire::{Edited, Flag, Qty, Unit};
use serde::Deserialize;

/// `product.template` as a family.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct FamilyRow {
    pub(super) id: i64,
    #[serde(flatten)]
    pub(super) edited: Edited,
    /// What the codes of its products begin with.
    pub(super) code: Option<String>,
    pub(super) name: Option<String>,
    /// `goods`, `service` or `assets`.
    #[serde(rename = "type", default)]
    pub(super) form: Option<String>,
    #[serde(default)]
    pub(super) active: Flag,
}

/// Fields asked of a family.
pub(super) const FAMILY_FIELDS: [&str; 9] = [
    "code",
    "name",
    "type",
    "active",
    "_timestamp",
    "write_date",
    "create_date",
    "write_uid.rec_name",
    "create_uid.rec_name",
];

/// `product.product` of which was asked what it belongs to.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct MemberRow {
    pub(super) id: i64,
    pub(super) template: i64,
}

/// `product.identifier` of a product.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct ProductCodeRow {
    pub(super) id: i64,
    #[serde(rename = "type")]
    pub(super) sort: Option<String>,
    pub(super) code: Option<String>,
}

/// Fields asked of a product beside for its identifiers.
pub(super) const IDENTIFIER_FIELDS: [&str; 2] = ["identifiers.type", "identifiers.code"];
/// The same for attributes, where module `product_attribute` is there.
pub(super) const ATTRIBUTE_FIELDS: [&str; 2] = ["attributes", "template.attribute_set"];
/// The same for the tax category, where module `account_product` is there.
pub(super) const TAX_CATEGORY_FIELDS: [&str; 1] = ["template.account_category.name"];

/// `product.category`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CategoryRow {
    pub(super) id: i64,
    #[serde(flatten)]
    pub(super) edited: Edited,
    /// As English shows it.
    pub(super) name: Option<String>,
    pub(super) parent: Option<i64>,
}

/// Fields asked of a category.
pub(super) const CATEGORY_FIELDS: [&str; 7] =
    ["name", "parent", "_timestamp", "write_date", "create_date", "write_uid.rec_name", "create_uid.rec_name"];

/// `product.component` of a kit.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ComponentRow {
    pub(super) parent_template: Option<i64>,
    pub(super) parent_product: Option<i64>,
    #[serde(default)]
    pub(super) fixed: Flag,
    pub(super) quantity: Qty,
    #[serde(rename = "unit.")]
    pub(super) unit: Unit,
    #[serde(rename = "product.")]
    pub(super) product: PartRow,
}

/// `product.product` in a kit.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PartRow {
    pub(super) id: i64,
    pub(super) code: Option<String>,
    #[serde(rename = "sale_uom.", default)]
    pub(super) sale_unit: Option<Unit>,
    #[serde(rename = "default_uom.", default)]
    pub(super) default_unit: Option<Unit>,
}

/// Fields asked of a component.
pub(super) const COMPONENT_FIELDS: [&str; 9] = [
    "parent_template",
    "parent_product",
    "fixed",
    "quantity",
    "unit.factor",
    "product.code",
    "product.sale_uom.digits",
    "product.sale_uom.factor",
    "product.default_uom.factor",
];
