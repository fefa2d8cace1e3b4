//! The shapes of countries and their regions, and nothing else.

use super::wire::Text;
use serde::Deserialize;

/// A country (`directory-data-country-information-interface`).
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Country {
    /// None where it has no regions of its own.
    pub(super) available_regions: Option<Vec<Region>>,
}

/// A region of a country (`directory-data-region-information-interface`); its id is a text there.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Region {
    pub(super) id: Text,
    pub(super) code: Text,
    pub(super) name: Text,
}
