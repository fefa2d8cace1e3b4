//! What tests of plans stand on: a world with a book of addresses, the rules of a shop's orders, and an order that was taken
//! over.

use super::order::{Bound, OrderCase};
use super::{Resolved, World};
use crate::id::{EntityId, RemoteId, SystemName};
use crate::kind::{Kind, Step};
use crate::leaf::{Leaves, Ref};
use crate::path::Path;
use crate::profile::KindProfile;
use crate::record::{Order, Record};
use crate::rules::{Amendments, Branch, Cancels, OrderRules};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use jiff::Timestamp;
use rust_decimal::Decimal;

/// The rules by which orders of `shop` go to `erp`, where the file says nothing of its own.
pub(crate) fn order_rules() -> OrderRules {
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

/// An address of the buyer as its shop refers to it; where its name begins with `@`, as the ERP does.
pub(super) fn address(name: &str) -> Ref {
    let element = Some(Path::element("addresses", name));
    Ref { element, ..Ref::remote(Kind::Customer, RemoteId::new("1", "4")) }
}

/// A world with a book of addresses: the ERP calls the shop's `home` and `new` by their names with `@`, `coming` is on its way
/// to it, and no other is known.
pub(super) struct Book([(Ref, Ref); 2]);

impl Book {
    fn open() -> Self {
        Self([("home", "@home"), ("new", "@new")].map(|(here, there)| (address(here), address(there))))
    }
}

impl World for Book {
    fn resolve(&self, reference: &Ref) -> Resolved {
        match self.named(reference) {
            Some(_) => Resolved::There,
            None if *reference == address("coming") => Resolved::Unbound(EntityId(9)),
            None => Resolved::Unknown,
        }
    }
    fn named(&self, reference: &Ref) -> Option<&Ref> {
        self.0.iter().find(|(here, _)| here == reference).map(|(_, there)| there)
    }
    fn any_product_tied(&self) -> bool {
        true
    }
}

/// An order that was taken over: what its shop showed then and shows now, and what the ERP shows of it.
#[derive(Clone)]
pub(super) struct TakenOver {
    /// What the shop showed when the document was made.
    pub(super) before: Order,
    /// What the shop shows.
    pub(super) now: Order,
    /// What the ERP shows.
    pub(super) seen: Order,
    /// What the ERP showed at the last settled write.
    pub(super) written: Order,
    /// Another connector made the document.
    pub(super) adopted: bool,
    /// What the ERP gave back by itself.
    pub(super) given_back: BTreeMap<String, Decimal>,
    /// The flow's rules.
    pub(super) rules: OrderRules,
    /// What the ERP can do with orders.
    pub(super) steps: Vec<Step>,
}

impl TakenOver {
    /// `order` right after it was taken over and processed, in an ERP that can amend and withdraw, where the file has both
    /// carried over.
    pub(super) fn of(order: Order) -> Self {
        let there = |reference: &Option<Ref>| Book::open().named(reference.as_ref()?).cloned();
        let mut seen = order.clone();
        (seen.life, seen.stage) = (None, Some("process".to_string()));
        (seen.billing, seen.shipping) = (there(&order.billing), there(&order.shipping));
        let rules = OrderRules { amendments: Amendments::Carry, ..order_rules() };
        let steps = [Step::Create, Step::Amend, Step::Cancel].to_vec();
        let (written, adopted, given_back) = (seen.clone(), false, BTreeMap::new());
        Self { before: order.clone(), now: order, seen, written, adopted, given_back, rules, steps }
    }

    /// What `look` makes of it.
    pub(super) fn look<T>(&self, look: impl FnOnce(&OrderCase<'_, Book>, &Bound<'_>) -> T) -> T {
        let leaves = |order: &Order| Record::Order(Box::new(order.clone())).to_leaves();
        let (before, now, base) = (leaves(&self.before), leaves(&self.now), leaves(&self.written));
        let profile = KindProfile { steps: self.steps.clone(), ..KindProfile::default() };
        let (id, nothing) = (RemoteId::new("1", "7"), Leaves::new());
        let bound = Bound { id: &id, seen: &self.seen, base: &base };
        let case = OrderCase {
            now: Timestamp::UNIX_EPOCH,
            rules: &self.rules,
            source_id: &id,
            order: &self.now,
            admitted: false,
            source_base: &before,
            source_seen: &now,
            target: Some(bound.clone()),
            profile: &profile,
            adopted: self.adopted,
            chosen: &nothing,
            given_back: &self.given_back,
            source_keeps_reference: true,
            source_cancels: true,
            world: &Book::open(),
        };
        look(&case, &bound)
    }
}
