//! Tryton's own shapes of prices and price lists, as they stand on the wire, and nothing else.

use super::wire::{Dec, Flag, Qty, UNIT_FIELDS, Unit};
use serde::Deserialize;

/// `product.product` with its list price: its own, else its template's.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PricedRow {
    pub(super) id: i64,
    pub(super) list_price_used: Option<Dec>,
    #[serde(rename = "default_uom.", default)]
    pub(super) default_unit: Option<Unit>,
    #[serde(rename = "sale_uom.", default)]
    pub(super) sale_unit: Option<Unit>,
}

/// Fields asked of a product for its prices.
pub(super) const PRICED_FIELDS: [&str; 4] = ["list_price_used", UNIT_FIELDS[0], UNIT_FIELDS[1], UNIT_FIELDS[2]];

/// `product.product` with what the price list of the call's context says.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AskedRow {
    pub(super) id: i64,
    #[serde(rename = "sale_price_uom")]
    pub(super) price: Option<Dec>,
}

/// `product.price_list`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ListRow {
    pub(super) id: i64,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) tax_included: Flag,
    /// `product_default` or `product_sale`: the unit its quantities are in.
    pub(super) unit: Option<String>,
}

/// Fields asked of a price list.
pub(super) const LIST_FIELDS: [&str; 3] = ["name", "tax_included", "unit"];

/// `product.price_list.line` that holds from more than one piece on.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StepRow {
    pub(super) price_list: i64,
    /// None for every product.
    pub(super) product: Option<i64>,
    pub(super) quantity: Option<Qty>,
}

/// Fields asked of such a line.
pub(super) const STEP_FIELDS: [&str; 3] = ["price_list", "product", "quantity"];
