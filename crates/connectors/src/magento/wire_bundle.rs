//! The shapes of bundles: options, and in each what a buyer gets or may choose.

use super::wire::{Flag, Id, Text, listed};
use crate::wire::Exact;
use serde::Deserialize;

/// An option of a bundle (recorded: bundle-get).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BundleOption {
    pub(super) option_id: Id,
    pub(super) title: Option<Text>,
    pub(super) required: Option<Flag>,
    pub(super) position: Option<Exact>,
    #[serde(default, deserialize_with = "listed")]
    pub(super) product_links: Option<Vec<BundleLink>>,
}

/// One product in an option.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BundleLink {
    pub(super) id: Id,
    pub(super) sku: Text,
    pub(super) qty: Option<Exact>,
    pub(super) position: Option<Exact>,
    pub(super) is_default: Option<Flag>,
    pub(super) can_change_quantity: Option<Flag>,
}
