//! The next step of what was given back in a shop: made once in the ERP as a draft, brought to the cent, and put in force.
//!
//! The ERP counts what of each line is billed and what was given back. Right before a note is made, and again before it is put
//! in force, that count is held against the credits we know of, as a shop's is where the ERP gives money back: where somebody else did it, a person says which.

use super::{Decision, Planned, hold};
use crate::id::{EntityId, SystemName};
use crate::kind::{Kind, Step};
use crate::leaf::{Leaves, Value};
use crate::money::Money;
use crate::path::Path;
use crate::profile::KindProfile;
use crate::record::{Line, LineForm, Order, OrderLife, Paper, PaperLife, PaperLine};
use crate::rules::{OrderRules, Refunds};
use crate::totals;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

/// Everything that decides the next step of what was given back in a shop.
#[derive(Debug)]
pub struct RefundCase<'a> {
    /// Now, by the wall clock.
    pub now: Timestamp,
    /// Whether it is carried over.
    pub refunds: Refunds,
    /// The rules of the shop's orders.
    pub orders: &'a OrderRules,
    /// What was given back, by the keys of the shop's order.
    pub paper: &'a Paper,
    /// The scope the order belongs to in its shop.
    pub scope: &'a str,
    /// The order, as the shop shows it.
    pub order: &'a Order,
    /// The order's document in the ERP, by the same keys; none where it is not there.
    pub document: Option<&'a Order>,
    /// The order's lane, where its document is still to come.
    pub coming: Option<EntityId>,
    /// How much of each line the ERP has given back by credits that both sides know.
    pub known: &'a BTreeMap<String, Decimal>,
    /// Credits of the order that only the ERP knows, by the keys of the shop's order.
    pub others: &'a [Paper],
    /// Other credits of the order that may be landing at this moment.
    pub landing: &'a [EntityId],
    /// A person left it to people.
    pub left: bool,
    /// What the ERP shows of it, by the keys of the shop's order, where it is there.
    pub there: Option<&'a Paper>,
    /// What the ERP does with credits.
    pub profile: &'a KindProfile,
}

/// The next step for what was given back in a shop.
#[must_use]
pub fn refund(case: &RefundCase<'_>) -> Decision {
    match case.there {
        None => before(case),
        Some(there) => after(case, there),
    }
}

/// Whether two credits of one order, each known on one side alone, may be the same money: of one line, both of freight, or
/// both of nothing but an amount.
#[must_use]
pub fn may_be_the_same(one: &Paper, other: &Paper) -> bool {
    let lines = |paper: &Paper| -> BTreeMap<String, Decimal> {
        let told = paper.lines.iter().filter_map(|(key, line)| Some((key.clone(), line.quantity?)));
        told.filter(|(_, quantity)| !quantity.is_zero()).collect()
    };
    let freight = |paper: &Paper| paper.charges.get("shipping").is_some_and(|net| !net.amount.is_zero());
    let (a, b) = (lines(one), lines(other));
    a.keys().any(|key| b.contains_key(key))
        || (freight(one) && freight(other))
        || (a.is_empty() && b.is_empty() && !freight(one) && !freight(other))
        || (one.grand.is_some() && one.grand == other.grand)
}

fn shop<'a>(case: &RefundCase<'a>) -> &'a SystemName {
    &case.orders.source
}

fn erp<'a>(case: &RefundCase<'a>) -> &'a SystemName {
    &case.orders.target
}

fn by_hand(case: &RefundCase<'_>) -> String {
    alloc::format!(
        "credit in {} by hand what was really given back, then `syncline retry --accept` this credit: it is left to people",
        erp(case)
    )
}

fn step(case: &RefundCase<'_>, step: Step, leaves: Leaves, reason: String) -> Decision {
    Decision::Step(Planned { target: erp(case).clone(), kind: Kind::Credit, step, leaves, reason, adopt_only: false })
}

fn before(case: &RefundCase<'_>) -> Decision {
    if let Some(why) = not_due(case) {
        return Decision::Outside(why.to_string());
    }
    let Some(document) = case.document else {
        return match case.coming {
            Some(order) => Decision::Wait([order].to_vec(), "its order comes first".to_string()),
            None => Decision::Outside(alloc::format!("its order is not in {}", erp(case))),
        };
    };
    let Some(grand) = given_back(case.paper).filter(|grand| grand.amount > Decimal::ZERO) else {
        return hold("SYN-0199", "it does not tell what was given back", by_hand(case));
    };
    if document.stage.as_deref() == Some("cancelled") {
        let what = alloc::format!("the document of its order was withdrawn in {}", erp(case));
        return hold("SYN-0194", what, by_hand(case));
    }
    if let Err(what) = balanced(case, grand) {
        return hold("SYN-0199", what, by_hand(case));
    }
    if !case.landing.is_empty() {
        return Decision::Wait(case.landing.to_vec(), "another credit of the order may be landing".to_string());
    }
    if let Some(what) = by_somebody_else(case, document) {
        return hold("SYN-0192", what, by_hand(case));
    }
    if let Some(decision) = unbilled(case, document) {
        return decision;
    }
    let reason = alloc::format!("{grand} given back in {}, not yet in {}", shop(case), erp(case));
    step(case, Step::Create, wish(case, grand), reason)
}

/// What was given back by a paper of the shop, to the smallest coin of its currency: a shop keeps two decimals of yen, which no
/// books can say and no bank can pay.
#[must_use]
pub fn given_back(paper: &Paper) -> Option<Money> {
    paper.grand.map(Money::rounded)
}

/// Why it is none of the ERP's business now; nothing where it is.
fn not_due(case: &RefundCase<'_>) -> Option<&'static str> {
    match case.paper.life {
        _ if case.left => Some("left to people"),
        _ if case.refunds == Refunds::Ask => Some("what a shop gives back is not carried over"),
        None | Some(PaperLife::Open) => Some("not in force yet"),
        Some(PaperLife::Void) => Some("withdrawn before the ERP was told"),
        Some(PaperLife::Done | PaperLife::Paid) => None,
    }
}

/// What was given back of each line that the ERP has.
fn given<'a>(case: &RefundCase<'a>) -> impl Iterator<Item = (&'a String, &'a Line, Decimal, &'a PaperLine)> {
    let paper = case.paper;
    case.order.sold_lines().filter_map(move |(key, line)| {
        let told = paper.lines.get(key)?;
        let quantity = told.quantity.filter(|quantity| *quantity > Decimal::ZERO)?;
        Some((key, line, quantity, told))
    })
}

/// What rounding may make of it: a minor unit for each line and amount, as of orders.
fn tolerance(case: &RefundCase<'_>, grand: Money) -> Decimal {
    let parts = given(case).count().saturating_add(case.paper.charges.len()).max(1);
    grand.currency.minor_unit() * Decimal::from(case.orders.rounding_per_line) * Decimal::from(parts)
}

/// Refuses what is more or less than its lines, freight and amounts with the taxes they were sold with: another module gave
/// something back beside them, and nothing says where that is booked.
fn balanced(case: &RefundCase<'_>, grand: Money) -> Result<(), String> {
    let with_tax = |net: Decimal, taxes: &crate::record::Tax| {
        let rate = taxes.values().fold(Decimal::ONE_HUNDRED, |sum, rate| sum.saturating_add(*rate));
        net.checked_mul(rate).and_then(|all| all.checked_div(Decimal::ONE_HUNDRED))
    };
    if case.order.currency != Some(grand.currency) {
        return Err(alloc::format!("{grand} were given back for an order in another currency"));
    }
    let mut sum = Some(Decimal::ZERO);
    for (key, line, _, told) in given(case) {
        let Some(net) = told.net.or_else(|| (!line.carries_money()).then_some(Money::zero(grand.currency))) else {
            return Err(alloc::format!("line {key} does not tell what was given back for it"));
        };
        sum = sum.zip(with_tax(net.amount, &line.taxes)).and_then(|(sum, more)| sum.checked_add(more));
    }
    for (name, net) in &case.paper.charges {
        let more = match case.order.charges.get(name) {
            Some(charge) => with_tax(net.amount, &charge.taxes),
            None => Some(net.amount),
        };
        sum = sum.zip(more).and_then(|(sum, more)| sum.checked_add(more));
    }
    let sum = sum.ok_or_else(|| "its amounts are beyond all numbers".to_string())?;
    // A shop tells its lines with more decimals than anybody pays.
    let off = Money::new(sum.saturating_sub(grand.amount), grand.currency).rounded();
    if off.amount.abs() <= tolerance(case, grand) {
        return Ok(());
    }
    let sum = sum.round_dp(4).normalize();
    Err(alloc::format!("{grand} were given back, and its lines, freight and amounts come to {sum} {}", grand.currency))
}

/// What somebody gave back in the ERP that may be the same money; the ERP counts our own note too, where it is there.
fn by_somebody_else(case: &RefundCase<'_>, document: &Order) -> Option<String> {
    let own = |key: &str| case.there.and_then(|there| there.lines.get(key)?.quantity).unwrap_or_default();
    for (key, line, ..) in given(case) {
        let there = document.lines.get(key).and_then(|line| line.had.refunded).unwrap_or_default();
        let ours = case.known.get(key).copied().unwrap_or_default().saturating_add(own(key));
        let others = there.saturating_sub(ours);
        if others > Decimal::ZERO {
            let (sku, others) = (line.sku.as_deref().unwrap_or("?"), others.normalize());
            return Some(alloc::format!(
                "{others} × {sku} (line {key}) were given back in {} by somebody else",
                erp(case)
            ));
        }
    }
    let same = case.others.iter().find(|other| may_be_the_same(case.paper, other))?;
    let number = same.number.as_deref().unwrap_or("that is no more than a draft");
    Some(alloc::format!("credit {number} was made in {} by somebody else, and may be the same money", erp(case)))
}

/// What is decided where the ERP has not asked for what was given back: it may still be asked for, or never will be.
fn unbilled(case: &RefundCase<'_>, document: &Order) -> Option<Decision> {
    let billed = |line: &Line| line.had.invoiced.unwrap_or_default();
    let nothing = document.lines.iter().all(|(_, line)| billed(line).is_zero());
    for (key, line, quantity, _) in given(case) {
        let there = document.lines.get(key);
        let had = there.map(billed).unwrap_or_default();
        let taken = there.and_then(|line| line.had.refunded).unwrap_or_default();
        let taken = taken.max(case.known.get(key).copied().unwrap_or_default());
        let left = had.saturating_sub(taken).max(Decimal::ZERO);
        // What left is billed sooner or later; what did not leave any more is not.
        let sent = line.form == Some(LineForm::Virtual)
            || line.had.shipped.unwrap_or_default() >= line.had.refunded.unwrap_or_default();
        if quantity > left && !(nothing && sent) {
            let (sku, left) = (line.sku.as_deref().unwrap_or("?"), left.normalize());
            let what = alloc::format!(
                "{} × {sku} (line {key}) were given back, and {} has asked for {left} that are left",
                quantity.normalize(),
                erp(case)
            );
            let remedy = alloc::format!(
                "take in {} off the sale what is not to leave, or bill it there; it is looked at again by itself; or {}",
                erp(case),
                by_hand(case)
            );
            return Some(hold("SYN-0193", what, remedy));
        }
    }
    if !nothing {
        return None;
    }
    let days = SignedDuration::from_hours(24 * i64::from(case.orders.release_days));
    let since = case.paper.day.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|day| day.timestamp());
    let until = since.unwrap_or(case.now).checked_add(days).unwrap_or(Timestamp::MAX);
    let why = alloc::format!("{} has not asked for any of its order yet", erp(case));
    if case.now < until {
        return Some(Decision::Awaiting(why, until));
    }
    Some(hold(
        "SYN-0193",
        alloc::format!("{why}, since before {until}"),
        "bill the sale there; it is looked at again by itself",
    ))
}

/// The credit note as the ERP is to make it.
fn wish(case: &RefundCase<'_>, grand: Money) -> Leaves {
    let mut leaves = Leaves::new();
    if let Some(number) = &case.paper.number {
        leaves.put(Path::field("number"), Value::Text(case.orders.reference(case.scope, number)));
    }
    leaves.put(Path::field("currency"), Value::Code(grand.currency.to_string()));
    leaves.put(Path::field("grand"), Value::Money(grand));
    for (key, _, quantity, told) in given(case) {
        let line = Path::element("lines", key);
        leaves.put(line.dot("quantity"), Value::Number(quantity));
        leaves.put(line.dot("net"), Value::Money(told.net.unwrap_or(Money::zero(grand.currency))));
    }
    for (name, net) in case.paper.charges.iter().filter(|(_, net)| !net.amount.is_zero()) {
        leaves.put(Path::element("charges", name).dot("net"), Value::Money(*net));
    }
    leaves
}

fn after(case: &RefundCase<'_>, there: &Paper) -> Decision {
    if case.left {
        return Decision::Agreed;
    }
    let told =
        there.number.as_deref().map_or_else(|| "its draft".to_string(), |number| alloc::format!("credit {number}"));
    match (case.paper.life, there.life) {
        (Some(PaperLife::Void), Some(PaperLife::Void)) => return Decision::Agreed,
        (Some(PaperLife::Void), _) => {
            let what = alloc::format!("it was withdrawn in {} after {} was told", shop(case), erp(case));
            return hold("SYN-0194", what, by_hand(case));
        }
        (_, Some(PaperLife::Void)) => {
            let what = alloc::format!("{told} was withdrawn in {}", erp(case));
            return hold("SYN-0194", what, by_hand(case));
        }
        _ => {}
    }
    if let Some(what) = otherwise(case, there) {
        return hold("SYN-0195", alloc::format!("{told} in {}: {what}", erp(case)), by_hand(case));
    }
    let (Some(grand), Some(has)) = (given_back(case.paper), there.grand) else {
        return hold("SYN-0197", alloc::format!("{told} in {} tells no total", erp(case)), by_hand(case));
    };
    if there.life != Some(PaperLife::Open) {
        return match grand == has {
            true => Decision::Agreed,
            false => {
                let what = alloc::format!("{grand} were given back in {}, {has} in {}", shop(case), erp(case));
                hold("SYN-0197", what, by_hand(case))
            }
        };
    }
    match level(case, there, grand, has) {
        Some(decision) => decision,
        None => posted(case, told),
    }
}

/// In what the lines of the ERP's credit are not the shop's; nothing where they agree.
fn otherwise(case: &RefundCase<'_>, there: &Paper) -> Option<String> {
    let wanted: BTreeMap<&str, Decimal> = given(case).map(|(key, _, quantity, _)| (key.as_str(), quantity)).collect();
    let has = |key: &str| there.lines.get(key).and_then(|line| line.quantity).unwrap_or_default();
    let differs = |key: &str| {
        let (quantity, has) = (wanted.get(key).copied().unwrap_or_default(), has(key));
        let told = || alloc::format!("line {key} gives back {}, not {}", has.normalize(), quantity.normalize());
        (quantity != has).then(told)
    };
    wanted.keys().copied().chain(there.lines.keys().map(String::as_str)).find_map(differs)
}

/// What a draft needs before it is put in force: the rounding that brings it to the cent; nothing where it is there.
fn level(case: &RefundCase<'_>, there: &Paper, grand: Money, has: Money) -> Option<Decision> {
    let refuse = |what: String| {
        let remedy = "compare both with `syncline explain`, mend the draft in the ERP, then `syncline retry`";
        Some(hold("SYN-0113", alloc::format!("the draft in {}: {what}; it stays a draft", erp(case)), remedy))
    };
    let rounding = there.charges.get("rounding").copied().unwrap_or(Money::zero(grand.currency));
    let level = match grand.minus(has).and_then(|missing| rounding.plus(missing)) {
        Ok(level) => level,
        Err(error) => return refuse(error.to_string()),
    };
    if grand == has {
        return None;
    }
    let slack: Decimal = given(case)
        .map(|(_, _, quantity, _)| {
            totals::slack(grand.currency.minor_unit(), Some(quantity), case.profile.price_digits)
        })
        .sum();
    let allowed = tolerance(case, grand).max(slack.saturating_mul(Decimal::TWO));
    if level.amount.abs() > allowed {
        return refuse(alloc::format!(
            "{grand} were given back, the ERP computes {has}; rounding explains at most {allowed}"
        ));
    }
    let mut leaves = Leaves::new();
    leaves.put(Path::element("charges", "rounding").dot("net"), Value::Money(level));
    let reason = alloc::format!("{grand} were given back, the ERP computes {has}: rounding line of {level}");
    Some(step(case, Step::Lines, leaves, reason))
}

/// Puts a draft that agrees in force, unless the file leaves that to people.
fn posted(case: &RefundCase<'_>, told: String) -> Decision {
    if case.refunds == Refunds::Draft {
        return Decision::Agreed;
    }
    if matches!(case.order.life, Some(OrderLife::Held)) {
        let what = alloc::format!("the order is on hold in {}", shop(case));
        return hold("SYN-0196", what, "release the order there; it is looked at again by itself");
    }
    if !case.landing.is_empty() {
        return Decision::Wait(case.landing.to_vec(), "another credit of the order may be landing".to_string());
    }
    // The office may have done the same since the draft was made.
    if let Some(what) = case.document.and_then(|document| by_somebody_else(case, document)) {
        let remedy = alloc::format!(
            "delete our draft in {} if that is the same money, else post it there; then `syncline retry --accept` this \
             credit: it is left to people",
            erp(case)
        );
        return hold("SYN-0192", alloc::format!("{what}; ours stays a draft"), remedy);
    }
    match case.profile.stages.first() {
        None => Decision::Agreed,
        Some(stage) => step(
            case,
            Step::Advance(stage.clone()),
            Leaves::new(),
            alloc::format!("{told} agrees with what was given back"),
        ),
    }
}

#[cfg(test)]
mod tests;
