//! The shapes of customers and the addresses of their books, and nothing else.

use super::wire::{Bag, Flag, Id, Region, Street, Text};
use serde::Deserialize;

/// A registered customer.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Customer {
    pub(super) id: Id,
    pub(super) website_id: Option<Id>,
    pub(super) group_id: Option<Id>,
    pub(super) email: Option<Text>,
    pub(super) firstname: Option<Text>,
    pub(super) middlename: Option<Text>,
    pub(super) lastname: Option<Text>,
    pub(super) taxvat: Option<Text>,
    pub(super) updated_at: Option<Text>,
    #[serde(default)]
    pub(super) addresses: Option<Vec<CustomerAddress>>,
}

/// An address of a customer; its region is an object here.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CustomerAddress {
    pub(super) id: Option<Id>,
    pub(super) default_billing: Option<Flag>,
    pub(super) firstname: Option<Text>,
    pub(super) middlename: Option<Text>,
    pub(super) lastname: Option<Text>,
    pub(super) company: Option<Text>,
    #[serde(default)]
    pub(super) street: Street,
    pub(super) postcode: Option<Text>,
    pub(super) city: Option<Text>,
    pub(super) country_id: Option<Text>,
    #[serde(default)]
    pub(super) region: Bag<Region>,
    pub(super) telephone: Option<Text>,
    pub(super) vat_id: Option<Text>,
}
