//! The next step of an order: made once, released when its totals agree, its number carried back.

use super::amend::{amended, withdrawn_there};
use super::{Decision, Planned, Resolved, World, hold};
use crate::id::RemoteId;
use crate::kind::{Kind, Step};
use crate::leaf::{Leaves, Value};
use crate::money::Money;
use crate::path::Path;
use crate::policy::Hold;
use crate::profile::KindProfile;
use crate::record::{Had, Line, LineForm, Order, OrderLife, SoldTo};
use crate::rules::{OrderRules, Released};
use crate::totals;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use jiff::Timestamp;
use rust_decimal::Decimal;

/// The document in the target.
#[derive(Debug, Clone)]
pub struct Bound<'a> {
    /// Its id there.
    pub id: &'a RemoteId,
    /// What it shows, in our keys.
    pub seen: &'a Order,
    /// What it showed at the last settled write, in our keys; empty before.
    pub base: &'a Leaves,
}

/// Everything that decides an order's next step.
#[derive(Debug)]
pub struct OrderCase<'a, W> {
    /// Now, by the wall clock.
    pub now: Timestamp,
    /// The flow's rules.
    pub rules: &'a OrderRules,
    /// Where the order was born.
    pub source_id: &'a RemoteId,
    /// What the shop shows.
    pub order: &'a Order,
    /// A person let it through the rule of the first day.
    pub admitted: bool,
    /// What the shop showed when the document was made; empty before.
    pub source_base: &'a Leaves,
    /// What the shop shows, as leaves.
    pub source_seen: &'a Leaves,
    /// The document in the ERP, where there is one.
    pub target: Option<Bound<'a>>,
    /// What the ERP does with orders.
    pub profile: &'a KindProfile,
    /// Another connector made the document: it stays as it is, and so does what the shop's order refers to.
    pub adopted: bool,
    /// Values a person chose for the shop's order.
    pub chosen: &'a Leaves,
    /// How much of each line was given back by credits that came from the ERP itself.
    pub given_back: &'a BTreeMap<String, Decimal>,
    /// Whether the shop keeps our reference.
    pub source_keeps_reference: bool,
    /// Whether the shop can be asked to cancel an order.
    pub source_cancels: bool,
    /// The rest of the world.
    pub world: &'a W,
}

/// The next step for an order.
#[must_use]
pub fn order<W: World>(case: &OrderCase<'_, W>) -> Decision {
    match &case.target {
        None => before_create(case),
        Some(bound) => after_create(case, bound),
    }
}

fn before_create<W: World>(case: &OrderCase<'_, W>) -> Decision {
    let order = case.order;
    match case.rules.released(order, case.admitted) {
        Released::Yes => {}
        Released::Never(why) => return Decision::Outside(why),
        Released::TooOld(day) => return Decision::Early(day),
        Released::Awaiting(why, until) => return not_released(case, why, until),
    }
    if order.sold_lines().next().is_none() && order.charges.is_empty() {
        return hold("SYN-0102", "the order has no lines", "complete or cancel the order in the shop");
    }
    let below_nothing = |line: &Line| line.quantity.is_some_and(|quantity| quantity < Decimal::ZERO);
    if let Some((key, line)) = order.sold_lines().find(|(_, line)| below_nothing(line)) {
        let what = alloc::format!(
            "{} × {} (line {key}) are ordered",
            line.quantity.unwrap_or_default(),
            line.sku.as_deref().unwrap_or("?")
        );
        return hold("SYN-0102", what, "cancel the order in the shop, or book it by hand in the ERP");
    }
    if let Err(imbalance) = totals::balanced(order) {
        return hold("SYN-0102", imbalance.to_string(), "correct the order in the shop, or book it by hand in the ERP");
    }
    if let Some(found) = codes_without_row(case.rules, order) {
        return Decision::Hold(found);
    }
    if let Some(decision) = references(case) {
        return decision;
    }
    let adopt_only = order.reference.as_deref().is_some_and(|r| !r.is_empty());
    Decision::Step(Planned {
        target: case.rules.target.clone(),
        kind: Kind::Order,
        step: Step::Create,
        leaves: order_wish(case.rules, case.source_id, order),
        reason: match adopt_only {
            false => "released in the shop, not yet in the ERP".to_string(),
            true => alloc::format!(
                "the shop's order already refers to `{}`: only looked for, never made",
                order.reference.as_deref().unwrap_or("")
            ),
        },
        adopt_only,
    })
}

/// What is decided about an order that may not leave the shop yet: it is not due until its deadline, and then a person is
/// asked, once. It is never let go by time alone.
fn not_released<W: World>(case: &OrderCase<'_, W>, why: String, until: Timestamp) -> Decision {
    if case.now < until {
        return Decision::Awaiting(why, until);
    }
    if case.target.is_none() && !case.source_base.is_empty() {
        return Decision::Outside(alloc::format!("{why}; left to people, and goes on by itself once it is released"));
    }
    let remedy = match case.target {
        None => {
            "take the money or cancel the order in the shop; it is looked at again by itself. `syncline retry --accept` leaves \
             it to people"
        }
        Some(_) => "release or cancel the order in the shop; it is looked at again by itself",
    };
    hold("SYN-0101", alloc::format!("{why}, and was to be by {until}"), remedy)
}

/// The first code of the order that has no row in its mapping table, as a hold that names the row to add.
fn codes_without_row(rules: &OrderRules, order: &Order) -> Option<Hold> {
    let missing = |table: &str, code: &str, example: &str| {
        Hold::new(
            "SYN-0103",
            alloc::format!("`{code}` has no row in {table}"),
            alloc::format!("add `\"{code}\" = \"{example}\"` under [flows.orders.{table}], then `syncline retry`"),
        )
    };
    let untaxed = rules.untaxed(order);
    let lines = order.sold_lines().map(|(_, line)| (&line.taxes, line.carries_money()));
    for (taxes, carries_money) in lines.chain(order.charges.values().map(|charge| (&charge.taxes, true))) {
        let untaxed = untaxed.as_ref().filter(|_| taxes.is_empty() && carries_money);
        if let Some(code) = taxes.keys().chain(untaxed).find(|code| tax_row(rules, code).is_none()) {
            return Some(missing("taxes", code, "name of the tax in the ERP"));
        }
    }
    let method = order.payment.method.as_deref().unwrap_or("");
    if rules.row("payment_methods", method).is_none() {
        return Some(missing("payment_methods", method, "payment term of the ERP"));
    }
    None
}

/// The ERP's tax for a shop's tax code. A code without a row is never booked by its rate: 19 % of one country are
/// not those of another. Where a shop tells a rate without a code, the code is the rate (`19%`).
#[must_use]
pub fn tax_row<'a>(rules: &'a OrderRules, code: &str) -> Option<&'a str> {
    rules.row("taxes", code)
}

/// What the order refers to and the target lacks: a wait or a hold; none where all is there.
fn references<W: World>(case: &OrderCase<'_, W>) -> Option<Decision> {
    let order = case.order;
    for (key, line) in order.sold_lines() {
        let sku = line.sku.as_deref().unwrap_or("?");
        let there = line.variant.as_ref().map(|variant| case.world.resolve(variant));
        if there != Some(Resolved::There) {
            return Some(Decision::Hold(unknown_product(case, key, sku)));
        }
    }
    let mut waits = Vec::new();
    let people = [&order.customer, &order.billing, &order.shipping];
    for reference in people.into_iter().flatten() {
        match case.world.resolve(reference) {
            Resolved::There => {}
            Resolved::Unbound(entity) if case.rules.creates_customers => waits.push(entity),
            Resolved::Unbound(_) => {
                return Some(hold(
                    "SYN-0105",
                    alloc::format!("the customer is not known in {}", case.rules.target),
                    "switch on [flows.customers] in the file; it is looked at again by itself",
                ));
            }
            Resolved::Unknown => {
                return Some(hold("SYN-0106", "the order tells no customer", "give the order a customer in the shop"));
            }
        }
    }
    if order.customer.is_none() || order.billing.is_none() {
        return Some(hold(
            "SYN-0106",
            "the order tells no customer or no billing address",
            "complete the order in the shop; it is looked at again by itself",
        ));
    }
    waits.sort_unstable();
    waits.dedup();
    if waits.is_empty() { None } else { Some(Decision::Wait(waits, "its customer or address comes first".to_string())) }
}

/// A hold for a product the target does not know, or where nobody has tied any product yet.
fn unknown_product<W: World>(case: &OrderCase<'_, W>, key: &str, sku: &str) -> Hold {
    let target = &case.rules.target;
    if case.world.any_product_tied() {
        let what = alloc::format!("line {key}: the product `{sku}` is not known in {target}");
        let remedy = alloc::format!("create `{sku}` in {target}, then `syncline adopt` and `syncline retry`");
        return Hold::new("SYN-0104", what, remedy);
    }
    let what = alloc::format!("line {key}: products were not adopted yet, so `{sku}` is not known in {target} either");
    Hold::new("SYN-0104", what, "run `syncline adopt` first: it ties products by SKU; then `syncline retry --all`")
}

/// The order as the ERP shall hold it; references and codes still ours.
fn order_wish(rules: &OrderRules, id: &RemoteId, order: &Order) -> Leaves {
    let mut wish = order.clone();
    wish.reference = Some(rules.reference(&id.scope, order.number.as_deref().unwrap_or(&id.id)));
    wish.number = None;
    wish.life = None;
    wish.payment.captured = None;
    wish.payment.authorised = None;
    wish.branch = rules.branch.clone();
    wish.sold_to = SoldTo::default();
    let sold: BTreeSet<String> = order.sold_lines().map(|(key, _)| key.clone()).collect();
    wish.lines.retain(|key, line| sold.contains(key) || line.form == Some(LineForm::Bundle));
    for (key, line) in wish.lines.iter_mut() {
        line.had = Had::default();
        if !sold.contains(key) {
            line.form = Some(LineForm::Comment);
            line.variant = None;
        }
    }
    // A row that names nothing says that no tax stands there.
    if let Some(code) = rules.untaxed(order).filter(|code| tax_row(rules, code).is_some_and(|row| !row.is_empty())) {
        let lines = wish.lines.iter_mut().filter(|(_, line)| line.form != Some(LineForm::Comment));
        let lines = lines.filter(|(_, line)| line.carries_money()).map(|(_, line)| &mut line.taxes);
        for taxes in
            lines.chain(wish.charges.values_mut().map(|charge| &mut charge.taxes)).filter(|taxes| taxes.is_empty())
        {
            taxes.insert(code.clone(), Decimal::ZERO);
        }
    }
    crate::record::Record::Order(alloc::boxed::Box::new(wish)).to_leaves()
}

fn after_create<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>) -> Decision {
    let stage = bound.seen.stage.as_deref().unwrap_or("");
    let withdrawn = matches!(case.order.life, Some(OrderLife::Cancelled | OrderLife::Closed));
    if stage == "cancelled" && withdrawn {
        return Decision::Agreed;
    }
    if stage == "cancelled" {
        return withdrawn_there(case, bound);
    }
    if let Some(decision) = amended(case, bound) {
        return decision;
    }
    if withdrawn {
        // A person has accepted both as they are: the document is not moved any further.
        return Decision::Agreed;
    }
    if case.adopted {
        return as_another_left_it(case, bound);
    }
    if !is_released(case.profile, stage)
        // What is there already was let through once.
        && let Released::Awaiting(why, until) = case.rules.released(case.order, true)
    {
        return not_released(case, why, until);
    }
    if stage == "draft" {
        if let Some(decision) = totals_of_draft(case, bound) {
            return decision;
        }
    } else if !case.profile.stages.iter().any(|s| s == stage) && stage != "done" {
        return hold(
            "SYN-0112",
            alloc::format!("document {} shows the stage `{stage}`, which is not known", bound.id),
            "bring the document to a stage the ERP normally has, then `syncline retry`",
        );
    }
    if stage != "done"
        && let Some(next) = next_stage(&case.profile.stages, stage)
    {
        return advance(case, bound, stage, next);
    }
    match number_back(case, bound) {
        Decision::Agreed if case.order.life == Some(OrderLife::Held) && stage != "done" => hold(
            "SYN-0123",
            alloc::format!(
                "the order is on hold in the shop, and document {} goes on in {}",
                bound.id,
                case.rules.target
            ),
            "stop what was made of it in the ERP by hand, or take the hold off in the shop; it is looked at again by itself",
        ),
        decision => decision,
    }
}

/// Moves a document on, unless somebody has changed since what it comes to.
fn advance<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>, stage: &str, next: &str) -> Decision {
    let (id, target, has) = (bound.id, &case.rules.target, bound.seen.totals.grand);
    if let Some(owed) = case.order.totals.grand.filter(|owed| has != Some(*owed)) {
        let has = has.map_or_else(|| "no total".to_string(), |has| has.to_string());
        return hold(
            "SYN-0113",
            alloc::format!(
                "document {id} in {target}: the shop says {owed}, it shows {has} by now; it stays at `{stage}`"
            ),
            "compare both documents with `syncline explain`, mend the one in the ERP; it is looked at again by itself",
        );
    }
    Decision::Step(Planned {
        target: target.clone(),
        kind: Kind::Order,
        step: Step::Advance(next.to_string()),
        leaves: Leaves::new(),
        reason: alloc::format!("totals agree, the document stands at `{stage}`"),
        adopt_only: false,
    })
}

/// Whether a document at `stage` has left our hands.
fn is_released(profile: &KindProfile, stage: &str) -> bool {
    let at = |name: &str| profile.stages.iter().position(|s| s == name);
    stage == "done" || at(stage).is_some_and(|here| at(&profile.released_from).is_some_and(|from| here >= from))
}

fn next_stage<'a>(stages: &'a [String], stage: &str) -> Option<&'a str> {
    match stages.iter().position(|s| s == stage) {
        None => stages.first().map(String::as_str),
        Some(at) => stages.get(at + 1).map(String::as_str),
    }
}

/// What a draft needs before it may be released; none where its lines and totals are right.
fn totals_of_draft<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>) -> Option<Decision> {
    let (order, seen) = (case.order, bound.seen);
    let refuse = |what: String| {
        Some(hold(
            "SYN-0113",
            alloc::format!("document {} in {}: {what}; it stays a draft", bound.id, case.rules.target),
            "compare both documents with `syncline explain`, mend the ERP's taxes or prices, then `syncline retry`",
        ))
    };
    let (Some(owed), Some(has)) = (order.totals.grand, seen.totals.grand) else {
        return refuse("it tells no total".to_string());
    };
    let off = match lines_off(order, seen, case.profile.price_digits) {
        Ok(off) => off,
        Err(what) => return refuse(what),
    };
    let missing = match owed.minus(has) {
        Ok(missing) => missing,
        Err(error) => return refuse(error.to_string()),
    };
    if missing.amount.is_zero() {
        return None;
    }
    let path = Path::element("charges", "rounding").dot("net");
    let had = seen.charges.get("rounding").and_then(|c| c.net).unwrap_or(Money::zero(owed.currency));
    let level = match had.plus(missing) {
        Ok(level) => level,
        Err(error) => return refuse(error.to_string()),
    };
    let allowed = totals::tolerance(order, case.rules.rounding_per_line);
    // A total shows whole minor units alone, whatever the tax on what a price cannot say comes to.
    let off = Money::new(off, owed.currency).rounded().amount;
    if level.amount.abs().min(level.amount.saturating_sub(off).abs()) > allowed {
        let lines =
            totals::balanced(order).map_or_else(|e| e.to_string(), |_| "the shop's own figures agree".to_string());
        return refuse(alloc::format!(
            "the shop says {owed}, the ERP computes {has}; rounding explains at most {allowed}; {lines}"
        ));
    }
    if bound.base.value(&path) == Some(&Value::Money(level)) {
        return refuse(alloc::format!("the ERP does not keep a rounding line of {level}"));
    }
    let mut leaves = Leaves::new();
    leaves.put(path, Value::Money(level));
    Some(Decision::Step(Planned {
        target: case.rules.target.clone(),
        kind: Kind::Order,
        step: Step::Lines,
        leaves,
        reason: alloc::format!("the shop says {owed}, the ERP computes {has}: rounding line of {level}"),
        adopt_only: false,
    }))
}

/// What the amounts of a draft's lines are off by together, with the tax on it: no more than each has slack.
fn lines_off(order: &Order, seen: &Order, price_digits: Option<u32>) -> Result<Decimal, String> {
    let mut off = Decimal::ZERO;
    for (key, line) in order.sold_lines() {
        let Some(there) = seen.lines.get(key) else {
            return Err(alloc::format!("line {key} ({}) is not there", line.sku.as_deref().unwrap_or("?")));
        };
        if there.quantity != line.quantity {
            return Err(alloc::format!("line {key} has another quantity"));
        }
        let (Some(a), Some(b)) = (line.net, there.net) else {
            return Err(alloc::format!("line {key} tells no amount"));
        };
        let slack = totals::slack(a.currency.minor_unit(), line.quantity, price_digits);
        let Some(by) = a.minus(b).ok().map(|by| by.amount).filter(|by| by.abs() <= slack) else {
            return Err(alloc::format!("line {key} is {a} in the shop and {b} there"));
        };
        let rate = line.taxes.values().fold(Decimal::ONE_HUNDRED, |sum, rate| sum.saturating_add(*rate));
        off = off.saturating_add(by.saturating_mul(rate) / Decimal::ONE_HUNDRED);
    }
    Ok(off)
}

/// What another connector made is not moved any further; the ERP's number goes to the shop where a person chose so.
fn as_another_left_it<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>) -> Decision {
    let path = Path::field("reference");
    match (case.chosen.value(&path), bound.seen.number.as_deref()) {
        (Some(Value::Text(chosen)), Some(number)) if chosen == number && case.source_keeps_reference => {
            if case.order.reference.as_deref() == Some(number) {
                return Decision::Agreed;
            }
            number_to_shop(case, number, "as a person decided".to_string())
        }
        _ => Decision::Agreed,
    }
}

/// The ERP's number travels back as the shop's reference.
fn number_back<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>) -> Decision {
    let Some(number) = bound.seen.number.as_deref().filter(|n| !n.is_empty()) else { return Decision::Agreed };
    if !case.source_keeps_reference || case.order.reference.as_deref() == Some(number) {
        return Decision::Agreed;
    }
    if let Some(other) = case.order.reference.as_deref().filter(|r| !r.is_empty()) {
        return hold(
            "SYN-0114",
            alloc::format!("the shop's order refers to `{other}`, the ERP's document is `{number}`"),
            "empty the reference on the shop's order if it is wrong, then `syncline retry`",
        );
    }
    number_to_shop(case, number, alloc::format!("the ERP's number {number} goes back to the shop"))
}

fn number_to_shop<W: World>(case: &OrderCase<'_, W>, number: &str, reason: String) -> Decision {
    let mut leaves = Leaves::new();
    leaves.put(Path::field("reference"), Value::Text(number.to_string()));
    let (target, kind, step) = (case.rules.source.clone(), Kind::Order, Step::Update);
    Decision::Step(Planned { target, kind, step, leaves, reason, adopt_only: false })
}

#[cfg(test)]
mod tests;
