//! Plans: what the next step for one record is, decided from what its systems show. Pure; asked again after every step.

mod amend;
mod carry;
mod changed;
mod create;
mod customer;
mod order;
mod paper;
mod payment;
mod refund;
mod shared;
#[cfg(test)]
pub(crate) mod stand_ins;
mod stock;
mod undone;

pub use create::{CreateCase, NAMES, agreed_by_create, create, is_made, is_veiled};
pub use customer::{CustomerCase, customer, is_shared};
pub use order::{Bound, OrderCase, order, tax_row};
pub use paper::{Alone, PaperCase, all_billed, had_of, paper};
pub use payment::{Bill, PaymentCase, parts, payment};
pub use refund::{RefundCase, given_back, may_be_the_same, refund};
pub use shared::{Share, Shared, SharedCase, shared};
pub use stock::{Figures, Shows, StockCase, figures, stock};
pub use undone::{Undoings, Undone};

use crate::id::{EntityId, SystemName};
use crate::kind::{Kind, Step};
use crate::leaf::{Leaves, Ref};
use crate::policy::Hold;
use alloc::string::String;
use alloc::vec::Vec;
use jiff::Timestamp;
use jiff::civil::Date;

/// How far a reference is resolvable in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// The target knows it.
    There,
    /// We know the thing, the target does not: its lane has to run first.
    Unbound(EntityId),
    /// We do not know the thing.
    Unknown,
}

/// What the planner asks about the rest of the world.
pub trait World {
    /// How far `reference` is resolvable in the target.
    fn resolve(&self, reference: &Ref) -> Resolved;
    /// What the target calls `reference`; none where it does not know it.
    fn named(&self, reference: &Ref) -> Option<&Ref>;
    /// Whether any product of the source is tied to one of the target.
    fn any_product_tied(&self) -> bool;
}

/// One step the planner asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The system written to.
    pub target: SystemName,
    /// Kind of the document.
    pub kind: Kind,
    /// What is done.
    pub step: Step,
    /// The wanted fields; references and codes still ours.
    pub leaves: Leaves,
    /// Why.
    pub reason: String,
    /// Only adopt a document that is there already; never make one.
    pub adopt_only: bool,
}

/// What to do about a record now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Both sides are as they should be.
    Agreed,
    /// Not part of the flow; the reason.
    Outside(String),
    /// Placed before the flow's first day; on which.
    Early(Date),
    /// Not due yet; the reason, and until when that is fine.
    Awaiting(String, Timestamp),
    /// Other records have to come first.
    Wait(Vec<EntityId>, String),
    /// A person has to do something.
    Hold(Hold),
    /// Both sides have their own value: a person has to say which one counts.
    Conflict(Hold),
    /// Write this.
    Step(Planned),
}

fn hold(code: &str, what: impl Into<String>, remedy: impl Into<String>) -> Decision {
    Decision::Hold(Hold::new(code, what, remedy))
}
