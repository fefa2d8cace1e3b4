//! Tryton's own shapes of shipments, invoices and what gives money back, as they stand on the wire, and nothing else.
//!
//! Seen on a running Tryton 8.0 with `stock_package_shipping` 8.0.2: a reference tells model and id (`sale.line,12`), and a
//! list below a document is told with it, whatever model it is of.

use super::wire::{Coded, Day, Dec, Named, Qty, Unit};
use serde::Deserialize;

/// `sale.line` behind a part of a shipment or an invoice.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SoldRow {
    pub(super) id: i64,
    #[serde(rename = "unit.", default)]
    pub(super) unit: Option<Unit>,
    #[serde(rename = "product.", default)]
    pub(super) product: Option<Coded>,
    /// Asked for credits only.
    #[serde(rename = "unit_price", default)]
    pub(super) price: Option<Dec>,
}

/// Fields asked of a sale's line.
pub(super) const SOLD_FIELDS: [&str; 4] = ["sale", "unit.digits", "unit.factor", "product.code"];

/// `stock.shipment.out` without its moves and parcels.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ShipmentRow {
    pub(super) id: i64,
    pub(super) number: Option<String>,
    pub(super) state: String,
    pub(super) warehouse: Option<i64>,
    /// Null until it is done.
    pub(super) effective_date: Option<Day>,
    #[serde(default)]
    pub(super) shipping_reference: Option<String>,
    #[serde(rename = "carrier.", default)]
    pub(super) carrier: Option<CarrierRow>,
}

/// `carrier` with the name of its party.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CarrierRow {
    #[serde(rename = "party.")]
    pub(super) party: Named,
}

/// `stock.move` within its shipment.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct MoveRow {
    pub(super) state: String,
    pub(super) quantity: Qty,
    #[serde(rename = "unit.")]
    pub(super) unit: Unit,
    #[serde(default)]
    pub(super) package: Option<i64>,
}

/// `stock.package` within its shipment.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PackageRow {
    pub(super) id: i64,
    pub(super) parent: Option<i64>,
    pub(super) shipping_reference: Option<String>,
}

/// Fields asked of a shipment.
pub(super) const SHIPMENT_FIELDS: [&str; 16] = [
    "company",
    "number",
    "state",
    "warehouse",
    "effective_date",
    "_timestamp",
    "write_date",
    "create_date",
    "moves.origin",
    "moves.state",
    "moves.quantity",
    "moves.unit.digits",
    "moves.unit.factor",
    "moves.write_date",
    "moves.create_date",
    "moves._timestamp",
];

/// Fields asked beside them where module `stock_package_shipping` is activated.
pub(super) const PARCEL_FIELDS: [&str; 8] = [
    "shipping_reference",
    "carrier.party.name",
    "moves.package",
    "packages.parent",
    "packages.shipping_reference",
    "packages.write_date",
    "packages.create_date",
    "packages._timestamp",
];

/// `account.invoice` without its lines.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct InvoiceRow {
    pub(super) id: i64,
    /// Null until it is posted.
    pub(super) number: Option<String>,
    pub(super) state: String,
    pub(super) invoice_date: Option<Day>,
    #[serde(rename = "currency.")]
    pub(super) currency: Coded,
    pub(super) total_amount: Option<Dec>,
    /// What of it is still to be paid; nothing until it is posted.
    #[serde(default)]
    pub(super) amount_to_pay: Option<Dec>,
}

/// `account.invoice.line` within its invoice.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct InvoiceLineRow {
    /// `line`, `subtotal`, `title` or `comment`.
    #[serde(rename = "type")]
    pub(super) form: String,
    pub(super) quantity: Option<Qty>,
    #[serde(rename = "unit.", default)]
    pub(super) unit: Option<Unit>,
    /// What it is booked on; that of a credit note may be another one than was sold.
    #[serde(rename = "product.", default)]
    pub(super) product: Option<Coded>,
    pub(super) amount: Option<Dec>,
}

/// Fields asked of an invoice.
pub(super) const INVOICE_FIELDS: [&str; 23] = [
    "company",
    "type",
    "reference",
    "number",
    "state",
    "invoice_date",
    "currency.code",
    "total_amount",
    "amount_to_pay",
    "cancel_move",
    "_timestamp",
    "write_date",
    "create_date",
    "lines.origin",
    "lines.type",
    "lines.quantity",
    "lines.unit.digits",
    "lines.unit.factor",
    "lines.product.code",
    "lines.amount",
    "lines.write_date",
    "lines.create_date",
    "lines._timestamp",
];

/// Fields that tell of which sales a shipment is, and its version; those of its parcels where they are asked for.
pub(super) const SHIPMENT_KEYS: [&str; 4] = ["_timestamp", "moves.origin", "moves._timestamp", "packages._timestamp"];

/// Fields that tell of which sales an invoice is, and its version.
pub(super) const INVOICE_KEYS: [&str; 4] = ["total_amount", "_timestamp", "lines.origin", "lines._timestamp"];
