//! An independent checker of plans: it knows none of the planner's reasons, only what must never be planned.

use crate::kind::{Kind, Step};
use crate::leaf::{Leaf, Leaves, Value};
use crate::money::Money;
use crate::path::Path;
use crate::planner::{Planned, Undoings};
use crate::record::{IMAGE_TWICE, Paper};
use crate::rules::{FieldPolicy, PairRules};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use rust_decimal::Decimal;

/// What the checker is told about the record beside the plan.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Whether the target has a main document for it.
    pub bound: bool,
    /// What the source's document says the buyer owes; none for kinds without money.
    pub owed: Option<Money>,
    /// Whether the source says that it is withdrawn.
    pub withdrawn: bool,
    /// What the target's document says the buyer owes.
    pub has: Option<Money>,
    /// For a payment: what the shop took.
    pub taken: Option<Money>,
    /// What the target shows, in our keys.
    pub target_seen: &'a Leaves,
    /// For stock: what buyers may get at most, and the places a figure may be written to.
    pub stock: Option<StockFacts<'a>>,
    /// For a record that two systems share: who may set what.
    pub shared: Option<SharedFacts<'a>>,
}

/// What the checker is told about a record that two systems share field by field.
#[derive(Debug)]
pub struct SharedFacts<'a> {
    /// The rules between the two.
    pub rules: &'a PairRules,
    /// What the system shows that the values come from.
    pub other_seen: &'a Leaves,
    /// What the target showed when both last agreed.
    pub base: &'a Leaves,
    /// Values a person chose.
    pub chosen: &'a Leaves,
    /// Writes to the target that a person took back.
    pub undone: &'a Undoings,
}

/// What the checker is told about stock.
#[derive(Debug)]
pub struct StockFacts<'a> {
    /// What the ERP can promise, all warehouses together, less what is ordered and the safety stock.
    pub free: Decimal,
    /// The shop's places that are ours.
    pub places: Vec<&'a str>,
    /// What waits to be sent by the shop: nobody can buy it, whatever the shop tells of what it keeps back.
    pub owed: Decimal,
    /// The figure of a place that the shop takes: `on_hand`, or `available` where it keeps nothing back by itself.
    pub figure: &'static str,
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
            if let Some(shared) = &facts.shared {
                found.extend(of_shared_create(plan, shared));
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
            let (field, word) = if plan.kind == Kind::Credit { ("life", "open") } else { ("stage", "draft") };
            if facts.target_seen.value(&Path::field(field)) != Some(&Value::Code(word.to_string())) {
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
            let erased = |path: &Path| plan.kind != Kind::Shipment || Paper::track_of(path).is_none();
            if facts.shared.is_none() && plan.leaves.iter().any(|(path, value)| value.is_none() && erased(path)) {
                found.push("a field erased".to_string());
            }
        }
        Step::Amend => found.extend(of_amend(plan, facts)),
        Step::Cancel => found.extend(of_cancel(facts)),
        Step::Delete => {}
    }
    if plan.kind == Kind::Payment {
        found.extend(money_booked(plan, facts));
    }
    if let Some(stock) = &facts.stock {
        found.extend(stock_for_buyers(plan, facts.target_seen, stock));
    }
    if let Some(shared) = &facts.shared {
        found.extend(plan.leaves.iter().filter_map(|(path, value)| overwritten(plan, facts, shared, path, value)));
    }
    found
}

/// What is wrong with booking a part of a payment: more would be booked than was taken, or twice on one invoice.
fn money_booked(plan: &Planned, facts: &Facts<'_>) -> Option<String> {
    let net = |leaves: &Leaves, key: &str| match leaves.value(&Path::element("lines", key).dot("net")) {
        Some(Value::Money(money)) => Some(*money),
        _ => None,
    };
    let keys = plan.leaves.keys_of("lines");
    if let Some(key) = keys.iter().find(|key| net(facts.target_seen, key).is_some()) {
        return Some(alloc::format!("a payment booked on invoice {key} twice"));
    }
    let new: Vec<Option<Money>> = keys.iter().map(|key| net(&plan.leaves, key)).collect();
    if new.is_empty() || new.iter().any(|part| part.is_none_or(|part| part.amount <= Decimal::ZERO)) {
        return Some("a payment of nothing".to_string());
    }
    let there = facts.target_seen.keys_of("lines").into_iter().filter_map(|key| net(facts.target_seen, &key));
    let mut all = new.into_iter().flatten().chain(there);
    // Where nobody says what was taken, all of it is more.
    let fits = facts.taken.is_some_and(|taken| {
        let sum = all.try_fold(Money::zero(taken.currency), Money::plus);
        sum.is_ok_and(|sum| sum.amount <= taken.amount)
    });
    (!fits).then(|| "more booked than was taken".to_string())
}

/// What is wrong with withdrawing a document: its record is in force, or something has come of it.
fn of_cancel(facts: &Facts<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if !facts.withdrawn {
        found.push("a document withdrawn whose record is in force".to_string());
    }
    if matches!(facts.target_seen.value(&Path::field("fixed")), Some(Value::Text(fixed)) if !fixed.is_empty()) {
        found.push("a document withdrawn of which something has left, or was asked money for".to_string());
    }
    found
}

/// What is wrong with changing a document in force: something else than where it goes and how many, more than there is, or
/// something has come of it that cannot be changed.
fn of_amend(plan: &Planned, facts: &Facts<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let stands = |field: &'static str| matches!(facts.target_seen.value(&Path::field(field)), Some(Value::Text(told)) if !told.is_empty());
    if plan.leaves.is_empty() {
        found.push("a write of nothing".to_string());
    }
    for (path, value) in plan.leaves.iter() {
        let fixed = match (path.as_str(), value) {
            ("billing", Some(Value::Ref(_))) => stands("in_force"),
            ("shipping", Some(Value::Ref(_))) => stands("in_hand") || stands("left"),
            (_, Some(Value::Number(wanted))) if path.within("lines").is_some_and(|(_, field)| field == "quantity") => {
                let number = |path: &Path| match facts.target_seen.value(path) {
                    Some(Value::Number(number)) => Some(*number),
                    _ => None,
                };
                if number(path).is_none_or(|there| *wanted > there) || wanted.is_sign_negative() {
                    found.push(alloc::format!("`{path}`: more than there is, or less than nothing"));
                }
                let left =
                    path.within("lines").and_then(|(key, _)| number(&Path::element("lines", &key).dot("shipped")));
                if left.is_some_and(|left| *wanted < left) {
                    found.push(alloc::format!("`{path}`: less than what has left"));
                }
                stands("in_hand") || stands("in_force")
            }
            _ => {
                found.push(alloc::format!("`{path}` of a document in force"));
                false
            }
        };
        if fixed {
            found.push(alloc::format!(
                "`{path}` changed although something of it is in hand, has left, or was asked money for"
            ));
        }
    }
    found
}

/// What is wrong with making a record that systems share: something the source does not say, or buyers would see it at once.
fn of_shared_create(plan: &Planned, shared: &SharedFacts<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if !shared.rules.creates {
        found.push("a record made although the file does not ask for it".to_string());
    }
    if plan.leaves.get(&Path::field("active")) != Leaf::Untold {
        found.push("a record that is offered before it has a price".to_string());
    }
    let strange = plan.leaves.iter().filter(|(path, value)| shared.other_seen.value(path) != *value);
    found.extend(strange.map(|(path, _)| alloc::format!("`{path}`, which the other system does not say")));
    found
}

/// Whether a field is set that is not the other system's to set.
fn overwritten(
    plan: &Planned,
    facts: &Facts<'_>,
    shared: &SharedFacts<'_>,
    path: &Path,
    value: Option<&Value>,
) -> Option<String> {
    match shared.rules.policy(path) {
        FieldPolicy::Keep => return Some(alloc::format!("`{path}`, which each keeps for itself")),
        FieldPolicy::Owner(owner) if owner == plan.target => {
            return Some(alloc::format!("`{path}`, which is {owner}'s own"));
        }
        FieldPolicy::Owner(_) | FieldPolicy::Merge(_) => {}
    }
    // A second entry of one upload of ours is nobody's value.
    if path.is_named_by(IMAGE_TWICE) && value.is_none() {
        return None;
    }
    let put_back = shared.undone.get(path).is_some_and(|one| one.back.as_ref() == value);
    if put_back || shared.chosen.get(path) != Leaf::Untold {
        return None;
    }
    let shown = facts.target_seen.value(path).is_some();
    if shown && shared.base.get(path) == Leaf::Untold {
        return Some(alloc::format!("`{path}`, on which both never agreed"));
    }
    (value.is_none() && shared.other_seen.get(path) != Leaf::Empty)
        .then(|| alloc::format!("`{path}` emptied, which the other system does not say"))
}

/// Whether buyers would get more than there is, added up from what the shop will show after the write.
fn stock_for_buyers(plan: &Planned, shown: &Leaves, facts: &StockFacts<'_>) -> Option<String> {
    let ours = |path: &Path| {
        path.within("levels")
            .is_some_and(|(place, field)| field == facts.figure && facts.places.contains(&place.as_str()))
    };
    if plan.step != Step::Update || !plan.leaves.iter().all(|(path, _)| ours(path)) {
        return Some("something else than a figure of our places".to_string());
    }
    let after = shown.overlaid(&plan.leaves);
    let mut sum = Decimal::ZERO;
    for (path, value) in after.iter().filter(|(path, _)| ours(path)) {
        match value {
            Some(Value::Number(number)) if plan.leaves.value(path).is_none() || *number >= Decimal::ZERO => {
                sum = sum.checked_add(*number)?;
            }
            _ => return Some(alloc::format!("`{path}` is no quantity")),
        }
    }
    let kept = match shown.value(&Path::field("reserved")) {
        Some(Value::Number(kept)) => (*kept).max(Decimal::ZERO),
        _ => Decimal::ZERO,
    };
    let buyers = sum.checked_sub(kept.max(facts.owed))?;
    (buyers > facts.free.max(Decimal::ZERO)).then(|| alloc::format!("{buyers} for buyers, {} are free", facts.free))
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

#[cfg(test)]
mod tests;
