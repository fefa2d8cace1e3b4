//! Shapes of what else hangs on a product: identifiers, attributes and tax category, and nothing else.

use serde::Deserialize;

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
