//! The one codec of stored blobs: JSON with exact decimals.

use crate::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// `value` as a blob.
pub(crate) fn packed<T: Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged { what, why: error.to_string() })
}

/// The value of a blob.
pub(crate) fn unpacked<T: DeserializeOwned>(what: &'static str, blob: &str) -> Result<T, StoreError> {
    serde_json::from_str(blob).map_err(|error| StoreError::Damaged { what, why: error.to_string() })
}
