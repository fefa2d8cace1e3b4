//! What Tryton's shapes mean in our words, and ours in Tryton's. Pure: no calls, no clock.

mod amendment;
mod attributes;
mod category;
mod family;
mod kit;
mod lists;
mod note;
mod paper;
mod party;
mod price;
mod product;
mod sale;
mod stock;
mod text;
mod unit;
mod withdrawal;

pub(super) use amendment::amendment;
pub(super) use attributes::{Attribute, Attributes, Form, Source, choices, strange};
pub(super) use category::{NAME as CATEGORY_NAME, category_record, edit as edit_category};
pub(super) use family::{Family, Siblings, family_record, family_version, template_version, write_of_family};
pub(super) use kit::is_kit;
pub(super) use lists::{BASE, PriceList, Steps, offered, price_record, thresholds};
pub(super) use note::{Billing, Notebook, leveled_note, new_note};
pub(super) use paper::{
    Billed, Origin, Parcels, Part, credit_record, document_of, invoice_record, paper_id, shipment_record,
};
pub(super) use party::{PartyEdit, attach_party, edit_party, new_party, party_record};
pub(super) use price::PRICE_DIGITS;
pub(super) use product::{
    DESCRIPTION, Edit, NAME, TEMPLATE, Texts, Write, by, edit, fit as fit_product, locale, parts as product_parts,
    variant_record, version, write_of,
};
pub(super) use sale::{Codes, Leveling, new_sale, rounding_level, sale_record};
pub(super) use stock::{Shelf, late_by_place, stock_record};
pub(super) use text::fit;
pub(super) use unit::Units;
pub(super) use withdrawal::{Withdrawal, withdrawal};

use syncline_connect::{Error, Snapshot};
use syncline_core::delivery::Change;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Malformed, Record};

/// Why a change cannot be put into Tryton's words.
#[derive(Debug)]
pub(super) struct Wrong {
    /// What a person reads.
    pub(super) error: Error,
    /// Whether a code was not found, so that a set-up read anew may help.
    pub(super) missing: bool,
}

impl Wrong {
    fn invalid(message: impl Into<String>) -> Self {
        Self { error: Error::new(ErrorKind::Invalid, message), missing: false }
    }

    fn config(message: impl Into<String>) -> Self {
        Self { error: Error::new(ErrorKind::Config, message), missing: true }
    }

    fn missing(message: impl Into<String>) -> Self {
        Self { error: Error::new(ErrorKind::Invalid, message), missing: true }
    }
}

impl From<Malformed> for Wrong {
    fn from(malformed: Malformed) -> Self {
        Self::invalid(malformed.to_string())
    }
}

/// The remote id of Tryton's `id`.
pub(super) fn remote(id: i64) -> RemoteId {
    RemoteId::new("", id.to_string())
}

/// Tryton's id behind a remote id.
pub(super) fn number(id: &RemoteId) -> Result<i64, Error> {
    let text = &id.id;
    text.parse().map_err(|_| {
        let shown = syncline_core::text::shown(text, 40);
        Error::new(ErrorKind::Gone, format!("`{shown}` is no id of Tryton: ids there are whole numbers"))
    })
}

/// The key of the element with Tryton's `id`.
fn element_key(id: i64) -> String {
    format!("@{id}")
}

/// Tryton's id behind an element's key.
pub(super) fn element_id(key: &str) -> Option<i64> {
    key.strip_prefix('@')?.parse().ok()
}

/// Which element of the document made from `change` is which of ours.
pub(super) fn pair(change: &Change, snapshot: &Snapshot) -> Vec<(Path, String)> {
    match (change.kind, snapshot.records.first()) {
        (Kind::Order, Some((_, Record::Order(order)))) => sale::pairs(change, order),
        (Kind::Customer, Some((_, Record::Customer(customer)))) if change.step.creates() => {
            party::pairs(change, customer)
        }
        (Kind::Payment, Some((_, Record::Payment(paper)))) => paper::pairs(change, paper),
        _ => Vec::new(),
    }
}
