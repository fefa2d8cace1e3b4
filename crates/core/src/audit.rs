//! An independent checker of plans: it knows none of the planner's reasons, only what must never be planned.

use crate::kind::Step;
use crate::leaf::{Leaves, Value};
use crate::money::Money;
use crate::path::Path;
use crate::planner::Planned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What the checker is told about the record beside the plan.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Whether the target has a main document for it.
    pub bound: bool,
    /// What the source's document says the buyer owes; none for kinds without money.
    pub owed: Option<Money>,
    /// What the target's document says the buyer owes.
    pub has: Option<Money>,
    /// What the target shows, in our keys.
    pub target_seen: &'a Leaves,
}

/// Every rule the step breaks; nothing where it may go.
#[must_use]
pub fn objections(plan: &Planned, facts: &Facts<'_>) -> Vec<String> {
    let mut found = Vec::new();
    match &plan.step {
        Step::Create => {
            if facts.bound {
                found.push("a second document for one record".to_string());
            }
            if let Some(owed) = facts.owed {
                found.extend(money_of_create(&plan.leaves, owed));
            }
        }
        Step::Advance(stage) => {
            if facts.owed.is_some() && facts.owed != facts.has {
                found.push(alloc::format!("release to `{stage}` although the totals differ"));
            }
            if !plan.leaves.is_empty() {
                found.push("a stage that sets fields".to_string());
            }
        }
        Step::Lines => {
            if facts.target_seen.value(&Path::field("stage")) != Some(&Value::Code("draft".to_string())) {
                found.push("lines of a document that is no draft".to_string());
            }
            let only_rounding =
                plan.leaves.iter().all(|(path, _)| path.within("charges").is_some_and(|(k, _)| k == "rounding"));
            if !only_rounding {
                found.push("lines other than rounding".to_string());
            }
        }
        Step::Update | Step::Attach(_) => {
            if plan.leaves.is_empty() {
                found.push("a write of nothing".to_string());
            }
            if plan.leaves.iter().any(|(_, value)| value.is_none()) {
                found.push("a field erased".to_string());
            }
        }
        Step::Cancel | Step::Delete => {}
    }
    found
}

/// Whether the money on a created document makes up what is owed, added up without the planner's help.
fn money_of_create(leaves: &Leaves, owed: Money) -> Option<String> {
    let mut sum = Money::zero(owed.currency);
    for (path, value) in leaves.iter() {
        let field = path.within("lines").or_else(|| path.within("charges")).map(|(_, field)| field);
        let adds = field == Some("net") || path.as_str() == "totals.tax";
        if let (true, Some(Value::Money(money))) = (adds, value) {
            sum = match sum.plus(*money) {
                Ok(sum) => sum,
                Err(error) => return Some(error.to_string()),
            };
        }
    }
    let comments = leaves.keys_of("lines").into_iter().filter(|key| {
        leaves.value(&Path::element("lines", key).dot("form")) == Some(&Value::Code("comment".to_string()))
    });
    for key in comments {
        if let Some(Value::Money(money)) = leaves.value(&Path::element("lines", &key).dot("net")) {
            sum = sum.minus(*money).unwrap_or(sum);
        }
    }
    (sum != owed).then(|| alloc::format!("lines, charges and tax make {sum}, owed is {owed}"))
}
