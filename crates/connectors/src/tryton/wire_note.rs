//! Tryton's own shapes of credit notes that are made, and of what they give back of, as they stand on the wire.
//!
//! Recorded on a running Tryton 8.0 (`tryton-8.0-refunds.json`): a note without an account is refused, one without a journal
//! cannot be posted, a line without a currency has the company's, and more than was billed is taken without a word.

use super::wire::{Coded, Creates, Dec, Qty, Unit};
use serde::{Deserialize, Serialize};

/// A line of an invoice in force, with what a credit note takes from its invoice.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BilledRow {
    pub(super) id: i64,
    /// The line of the sale it asks money for.
    pub(super) origin: Option<String>,
    #[serde(rename = "type")]
    pub(super) form: String,
    #[serde(rename = "product.", default)]
    pub(super) product: Option<Coded>,
    #[serde(rename = "unit.", default)]
    pub(super) unit: Option<Unit>,
    pub(super) quantity: Option<Qty>,
    pub(super) unit_price: Option<Dec>,
    pub(super) amount: Option<Dec>,
    pub(super) account: Option<i64>,
    #[serde(default)]
    pub(super) taxes: Vec<i64>,
    pub(super) description: Option<String>,
    #[serde(rename = "invoice.")]
    pub(super) invoice: BilledHead,
}

/// `account.invoice` behind a line of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BilledHead {
    pub(super) party: i64,
    pub(super) invoice_address: i64,
    pub(super) account: i64,
    pub(super) journal: Option<i64>,
    pub(super) payment_term: Option<i64>,
    #[serde(rename = "currency.")]
    pub(super) currency: Coded,
}

/// Fields asked of a line of an invoice in force.
pub(super) const BILLED_FIELDS: [&str; 17] = [
    "origin",
    "type",
    "product.code",
    "unit.digits",
    "unit.factor",
    "quantity",
    "unit_price",
    "amount",
    "account",
    "taxes",
    "description",
    "invoice.party",
    "invoice.invoice_address",
    "invoice.account",
    "invoice.journal",
    "invoice.payment_term",
    "invoice.currency.code",
];

/// A line of a credit note that is not withdrawn.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct GivenRow {
    /// The line of an invoice it gives back of.
    pub(super) origin: Option<String>,
    #[serde(rename = "product.", default)]
    pub(super) product: Option<Coded>,
    pub(super) quantity: Option<Qty>,
    pub(super) amount: Option<Dec>,
}

/// Fields asked of a line of a credit note.
pub(super) const GIVEN_FIELDS: [&str; 4] = ["origin", "product.code", "quantity", "amount"];

/// A credit note as it is leveled or posted.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct NoteRow {
    pub(super) id: i64,
    pub(super) state: String,
    #[serde(rename = "_timestamp")]
    pub(super) version: Option<String>,
    #[serde(rename = "currency.")]
    pub(super) currency: Coded,
    #[serde(rename = "lines.", default)]
    pub(super) lines: Vec<NoteLineRow>,
}

/// A line of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct NoteLineRow {
    pub(super) id: i64,
    pub(super) origin: Option<String>,
    #[serde(rename = "product.", default)]
    pub(super) product: Option<Coded>,
    pub(super) account: Option<i64>,
    pub(super) amount: Option<Dec>,
}

/// Fields asked of a credit note that is leveled.
pub(super) const NOTE_FIELDS: [&str; 8] = [
    "company",
    "state",
    "_timestamp",
    "currency.code",
    "lines.origin",
    "lines.product.code",
    "lines.account",
    "lines.amount",
];

/// A credit note to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NewNote {
    pub(super) company: i64,
    #[serde(rename = "type")]
    pub(super) form: &'static str,
    pub(super) party: i64,
    pub(super) invoice_address: i64,
    pub(super) currency: i64,
    pub(super) account: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) journal: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment_term: Option<i64>,
    pub(super) reference: String,
    pub(super) lines: Creates<NewNoteLine>,
}

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NewNoteLine {
    #[serde(rename = "type")]
    pub(super) form: &'static str,
    pub(super) origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) product: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<i64>,
    pub(super) quantity: Qty,
    pub(super) unit_price: Dec,
    pub(super) currency: i64,
    pub(super) company: i64,
    pub(super) account: i64,
    /// Added by id: `[["add",[1]]]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) taxes: Vec<(&'static str, Vec<i64>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
}
