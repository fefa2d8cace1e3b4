//! The next step of a customer: made once, then given the addresses it lacks.

use super::{Decision, Planned, hold};
use crate::id::SystemName;
use crate::kind::{Kind, Step};
use crate::leaf::Leaves;
use crate::path::Path;
use crate::record::Customer;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Everything that decides a customer's next step.
#[derive(Debug)]
pub struct CustomerCase<'a> {
    /// The ERP.
    pub target: &'a SystemName,
    /// Whether customers flow to it.
    pub flows: bool,
    /// What the shop shows.
    pub seen: &'a Leaves,
    /// Whether the ERP has it.
    pub bound: bool,
    /// The address keys the ERP has.
    pub bound_addresses: &'a [String],
}

/// The next step for a customer: created once, then given the addresses it lacks.
#[must_use]
pub fn customer(case: &CustomerCase<'_>) -> Decision {
    let addresses = match Customer::addresses_of(case.seen) {
        Ok(addresses) => addresses,
        Err(error) => return hold("SYN-0107", error.to_string(), "report this as a defect"),
    };
    if !case.flows && !case.bound {
        return Decision::Outside("customers are adopted only".to_string());
    }
    if !case.bound {
        if case.seen.value(&Path::field("name")).is_none() && case.seen.value(&Path::field("email")).is_none() {
            return hold("SYN-0107", "the customer has neither name nor e-mail", "complete the customer in the shop");
        }
        let mut leaves = case.seen.clone();
        leaves.retain(|path| path.as_str() != "code" && path.as_str() != "active");
        return Decision::Step(Planned {
            target: case.target.clone(),
            kind: Kind::Customer,
            step: Step::Create,
            leaves,
            reason: "known in the shop, not yet in the ERP".to_string(),
            adopt_only: false,
        });
    }
    let missing: Vec<&String> = addresses.keys().filter(|key| !case.bound_addresses.contains(key)).collect();
    if missing.is_empty() {
        return Decision::Agreed;
    }
    let mut leaves = case.seen.clone();
    leaves.retain(|path| path.within("addresses").is_some_and(|(key, _)| missing.contains(&&key)));
    Decision::Step(Planned {
        target: case.target.clone(),
        kind: Kind::Customer,
        step: Step::Attach("addresses".to_string()),
        leaves,
        reason: alloc::format!("{} address(es) not yet in the ERP", missing.len()),
        adopt_only: false,
    })
}
