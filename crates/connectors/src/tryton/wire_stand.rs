//! Tryton's own shapes of what was made of a sale, and of what changes it afterwards, as they stand on the wire.

use super::wire::Qty;
use serde::Deserialize;

/// Fields asked beside them of a sale that is read by its id: how far its papers have come.
pub(super) const STAND_FIELDS: [&str; 13] = [
    "shipments.number",
    "shipments.state",
    "shipments._timestamp",
    "shipments.delivery_address",
    "invoices.number",
    "invoices.state",
    "invoices._timestamp",
    "invoices.invoice_address",
    "invoices_recreated",
    "lines.moves.state",
    "lines.moves.quantity",
    "lines.moves.shipment",
    "lines.moves_recreated",
];

/// Fields asked beside these of a sale that is to be amended.
pub(super) const AMEND_FIELDS: [&str; 7] = [
    "lines.unit",
    "lines.unit_price",
    "amendments.state",
    "amendments.description",
    "amendments._timestamp",
    "amendments.lines.line",
    "amendments.lines.quantity",
];

/// `sale.amendment` of a sale.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AmendmentRow {
    pub(super) id: i64,
    #[serde(rename = "_timestamp", default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) description: Option<String>,
    pub(super) state: String,
    #[serde(rename = "lines.", default)]
    pub(super) lines: Vec<AmendedRow>,
}

/// `sale.amendment.line`: what a line of the sale is to become.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AmendedRow {
    pub(super) line: Option<i64>,
    pub(super) quantity: Option<Qty>,
}

/// A paper of a sale, or a move of a line, and how far it has come.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StandRow {
    pub(super) id: i64,
    #[serde(rename = "_timestamp", default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) number: Option<String>,
    pub(super) state: String,
    /// Where a shipment goes.
    #[serde(default)]
    pub(super) delivery_address: Option<i64>,
    /// Where an invoice goes.
    #[serde(default)]
    pub(super) invoice_address: Option<i64>,
    /// How many a move moves.
    #[serde(default)]
    pub(super) quantity: Option<Qty>,
    /// What a move lies in, as `model,id`; nothing while it is still to be bought.
    #[serde(default)]
    pub(super) shipment: Option<String>,
}
