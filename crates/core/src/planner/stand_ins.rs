//! What tests of plans stand on: a world in which nothing is known, and the rules of a shop's orders.

use super::{Resolved, World};
use crate::id::SystemName;
use crate::leaf::Ref;
use crate::rules::{Amendments, Branch, Cancels, OrderRules};
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;

/// A world in which nothing is known.
pub(super) struct Nothing;

impl World for Nothing {
    fn resolve(&self, _: &Ref) -> Resolved {
        Resolved::Unknown
    }
    fn any_product_tied(&self) -> bool {
        false
    }
}

/// The rules by which orders of `shop` go to `erp`, where the file says nothing of its own.
pub(super) fn order_rules() -> OrderRules {
    OrderRules {
        source: SystemName::new("shop"),
        target: SystemName::new("erp"),
        start: None,
        release: Vec::new(),
        release_days: 14,
        rounding_per_line: 1,
        number: "{number}".to_string(),
        adopt: None,
        creates_customers: true,
        branch: Branch::default(),
        amendments: Amendments::Ask,
        cancels: Cancels::Ask,
        tables: BTreeMap::new(),
    }
}
