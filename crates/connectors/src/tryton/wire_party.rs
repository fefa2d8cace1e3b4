//! What Tryton tells of parties with their addresses, and what it is told of them.

use super::wire::{Coded, Creates, Flag, Named};
use serde::{Deserialize, Deserializer, Serialize};

/// `party.party` with addresses and ways to reach it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct PartyRow {
    pub(super) id: i64,
    #[serde(rename = "_timestamp")]
    pub(super) version: Option<String>,
    pub(super) code: Option<String>,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) active: Flag,
    /// The party it was merged into by the wizard "Replace" (`modules/party/party.py`).
    #[serde(default)]
    pub(super) replaced_by: Option<i64>,
    /// The price list of the company in the context (`sale_price_list` 8.0, `party.py`); untold where it was not asked for.
    #[serde(rename = "sale_price_list.", default, deserialize_with = "told")]
    pub(super) list: Option<Option<Named>>,
    #[serde(rename = "addresses.", default)]
    pub(super) addresses: Option<Vec<AddressRow>>,
    #[serde(rename = "contact_mechanisms.", default)]
    pub(super) mechanisms: Option<Vec<MechanismRow>>,
    #[serde(rename = "identifiers.", default)]
    pub(super) identifiers: Option<Vec<IdentifierRow>>,
}

fn told<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Named>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Fields asked of a party.
pub(super) const PARTY_FIELDS: [&str; 20] = [
    "code",
    "name",
    "active",
    "replaced_by",
    "write_date",
    "create_date",
    "_timestamp",
    "addresses._timestamp",
    "addresses.attn",
    "addresses.party_name",
    "addresses.street",
    "addresses.postal_code",
    "addresses.city",
    "addresses.country.code",
    "addresses.subdivision.code",
    "contact_mechanisms._timestamp",
    "contact_mechanisms.type",
    "contact_mechanisms.value",
    "identifiers._timestamp",
    "identifiers.code",
];

/// `party.address`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AddressRow {
    pub(super) id: i64,
    #[serde(rename = "_timestamp", default)]
    pub(super) version: Option<String>,
    pub(super) attn: Option<String>,
    pub(super) party_name: Option<String>,
    pub(super) street: Option<String>,
    pub(super) postal_code: Option<String>,
    pub(super) city: Option<String>,
    #[serde(rename = "country.", default)]
    pub(super) country: Option<Coded>,
    #[serde(rename = "subdivision.", default)]
    pub(super) subdivision: Option<Coded>,
}

/// `party.contact_mechanism`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct MechanismRow {
    pub(super) id: i64,
    #[serde(rename = "_timestamp", default)]
    pub(super) version: Option<String>,
    #[serde(rename = "type")]
    pub(super) form: String,
    pub(super) value: Option<String>,
}

/// `party.identifier`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct IdentifierRow {
    pub(super) id: i64,
    #[serde(rename = "_timestamp", default)]
    pub(super) version: Option<String>,
    pub(super) code: Option<String>,
}

/// A party to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NewParty {
    pub(super) code: String,
    pub(super) name: Option<String>,
    /// Left out, Tryton takes the one of its configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sale_price_list: Option<Option<i64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) addresses: Creates<NewAddress>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) contact_mechanisms: Creates<NewMechanism>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) identifiers: Creates<NewIdentifier>,
}

/// What is added to a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct PartyAdditions {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) addresses: Creates<NewAddress>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) contact_mechanisms: Creates<NewMechanism>,
}

/// An address to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NewAddress {
    #[serde(flatten)]
    pub(super) kept: KeptAddress,
    pub(super) invoice: bool,
    pub(super) delivery: bool,
}

/// What an address says; what it does not have is null, so that a change empties it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct KeptAddress {
    pub(super) attn: Option<String>,
    pub(super) party_name: Option<String>,
    pub(super) street: Option<String>,
    pub(super) postal_code: Option<String>,
    pub(super) city: Option<String>,
    pub(super) country: Option<i64>,
    pub(super) subdivision: Option<i64>,
}

/// A way to reach a party, to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NewMechanism {
    #[serde(rename = "type")]
    pub(super) form: &'static str,
    pub(super) value: String,
}

/// An identifier to be made; without a type it is kept unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NewIdentifier {
    #[serde(rename = "type")]
    pub(super) form: Option<&'static str>,
    pub(super) code: String,
}
