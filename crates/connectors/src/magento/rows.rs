//! Rows of a page and single documents: told whole, or by their outline where they cannot be read.

use super::customers::{Groups, customer};
use super::map::{self, Stores};
use super::wire;
use serde_json::Value;
use syncline_connect::{Error, Evidence, Result, Seen, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::policy::ErrorKind;
use syncline_core::text;

/// What the id of a row begins with that tells none.
const UNKNOWN: &str = "unknown:";

/// `seen` as it is.
///
/// # Errors
/// Where no row tells its id: that is no page of a shop as we know it, and each row would stand in the inbox under a name
/// nobody reads again.
pub(super) fn told_apart(place: &str, seen: Vec<Seen>) -> Result<Vec<Seen>> {
    let mut errors = seen.iter().map(|one| one.snapshot.as_ref().err().filter(|_| one.id.id.starts_with(UNKNOWN)));
    match errors.next() {
        Some(Some(first)) if errors.all(|error| error.is_some()) => {
            let what = format!("{place}: no row tells its id: {}", first.message);
            Err(Error { message: what, kind: ErrorKind::Broken, ..first.clone() })
        }
        _ => Ok(seen),
    }
}

/// The exchange behind one document of a page: its own part of the answer.
pub(super) fn evidence_of(place: &str, value: &Value) -> Evidence {
    let received = Evidence::excerpt(value.to_string().as_bytes());
    Evidence { request: format!("GET {place}"), sent: String::new(), status: 200, received }
}

pub(super) fn shape<T: serde::de::DeserializeOwned>(place: &str, value: &Value) -> Result<T> {
    wire::typed(value).map_err(|what| {
        Error::new(ErrorKind::Broken, format!("{place} {}: {what}", name_of(value))).with(evidence_of(place, value))
    })
}

/// What a person calls a document that cannot be read.
fn name_of(value: &Value) -> String {
    let told = ["increment_id", "sku", "email", "entity_id", "id"].iter().find_map(|field| value.get(*field));
    told.map_or_else(|| "without a number".to_owned(), |name| text::shown(&name.to_string(), 60))
}

pub(super) fn order(value: &Value, stores: &Stores) -> Result<Snapshot> {
    let told = order_in_passing(value, stores)?;
    Ok(Snapshot { evidence: Some(evidence_of("orders", value)), ..told })
}

/// The same without the exchange behind it: of most rows of a page nobody asks for that.
fn order_in_passing(value: &Value, stores: &Stores) -> Result<Snapshot> {
    let doc: wire::Order = shape("orders", value)?;
    let records = map::order(&doc, stores).map_err(|error| error.with(evidence_of("orders", value)))?;
    let id = records.first().map(|(id, _)| id.clone());
    let id = id.ok_or_else(|| Error::new(ErrorKind::Broken, "an order without a record"))?;
    let version = doc.updated_at.map(|time| time.0);
    Ok(Snapshot { id, version, mark: None, found_by: None, records, evidence: None })
}

pub(super) fn seen(value: &Value, stores: Option<&Stores>, groups: &Groups) -> Seen {
    let read = match stores {
        Some(stores) => order_in_passing(value, stores),
        None => customer(value, None, groups),
    };
    match read {
        Ok(snapshot) => Seen { id: snapshot.id.clone(), snapshot: Ok(snapshot) },
        Err(error) => Seen { id: rough_id(value, stores), snapshot: Err(error) },
    }
}

/// The id of a row by its outline alone; made of what it says where it does not even tell that.
pub(super) fn rough_id(told: &Value, stores: Option<&Stores>) -> RemoteId {
    let id = |field: &str| told.get(field).and_then(|value| wire::typed::<wire::Id>(value).ok());
    let named = |field: &str| told.get(field).and_then(|value| wire::typed::<wire::Text>(value).ok());
    match (id("entity_id"), named("sku"), id("id")) {
        (Some(order), _, _) => {
            let scope = stores.map(|stores| stores.scope(id("store_id"), named("store_name").as_ref()));
            RemoteId::new(scope.unwrap_or_default(), order.0.to_string())
        }
        (None, Some(sku), _) => RemoteId::new("", sku.0),
        (None, None, Some(customer)) => RemoteId::new(map::website(id("website_id")), customer.0.to_string()),
        (None, None, None) => RemoteId::new("", format!("{UNKNOWN}{}", name_of(told))),
    }
}
