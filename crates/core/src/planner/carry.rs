//! What changed in an order after its document was made is carried over: where it goes, and how many.

use super::changed::{Changes, Less};
use super::order::{Bound, OrderCase};
use super::{Decision, Planned, Resolved, World, hold};
use crate::kind::{Kind, Step};
use crate::leaf::{Leaves, Value};
use crate::path::Path;
use crate::record::{Line, Order};
use crate::totals;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use rust_decimal::Decimal;

/// What carries `changes` over; none where a person has to be asked about them as they are.
pub(super) fn carried<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>, changes: &Changes) -> Option<Decision> {
    if !case.profile.steps.contains(&Step::Amend) {
        return None;
    }
    if changes.is_fewer_only() {
        return Some(fewer(case, bound, &changes.less));
    }
    let at_all = !changes.addresses.is_empty() && !changes.withdrawn && changes.others.is_empty();
    at_all.then(|| elsewhere(case, bound, changes))
}

fn amend<W: World>(case: &OrderCase<'_, W>, leaves: Leaves, reason: String) -> Decision {
    let (target, kind, step) = (case.rules.target.clone(), Kind::Order, Step::Amend);
    Decision::Step(Planned { target, kind, step, leaves, reason, adopt_only: false })
}

/// Somebody changed the same in the ERP.
fn contested<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>, what: &str) -> Decision {
    hold(
        "SYN-0125",
        alloc::format!(
            "{what} changed in the shop after the order arrived, and in document {} of {}, too",
            bound.id,
            case.rules.target
        ),
        "make both alike by hand, or `syncline retry --accept` this order to take both as they are",
    )
}

fn refused<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>, what: &str, stands: &str) -> Decision {
    hold(
        "SYN-0124",
        alloc::format!("{what}, but in {} document {} has {stands}", case.rules.target, bound.id),
        alloc::format!(
            "put goods in hand back on the shelf and it is looked at again by itself; for what has left or was asked money \
             for see to it in {} by hand, then `syncline retry --accept` this order to take both as they are",
            case.rules.target
        ),
    )
}

fn names(told: &Option<String>) -> Option<&str> {
    told.as_deref().filter(|told| !told.is_empty())
}

/// Another address for what has not left, and what was not asked money for.
fn elsewhere<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>, changes: &Changes) -> Decision {
    let (order, seen) = (case.order, bound.seen);
    let (mut leaves, mut waits) = (Leaves::new(), Vec::new());
    for field in &changes.addresses {
        let path = Path::field(field);
        let (now, there) = match *field {
            "billing" => (&order.billing, seen.billing.as_ref()),
            _ => (&order.shipping, seen.shipping.as_ref()),
        };
        let Some(now) = now else { return Decision::Hold(changes.hold()) };
        match case.world.resolve(now) {
            Resolved::There => {}
            Resolved::Unbound(entity) if case.rules.creates_customers => waits.push(entity),
            Resolved::Unbound(_) | Resolved::Unknown => return Decision::Hold(changes.hold()),
        }
        let before = bound.base.value(&path);
        if let (Some(Value::Ref(before)), Some(there)) = (before, there)
            && before.element != there.element
        {
            return contested(case, bound, &alloc::format!("the {field} address"));
        }
        let stands = match *field {
            "billing" => [names(&seen.in_force), None],
            _ => [names(&seen.in_hand), names(&seen.left)],
        };
        let what = alloc::format!("the {field} address changed in the shop");
        if let Some(stands) = stands.into_iter().flatten().next() {
            return refused(case, bound, &what, stands);
        }
        let left = order.sold_lines().any(|(_, line)| line.had.shipped.is_some_and(|one| one > Decimal::ZERO));
        if *field == "shipping" && left {
            return refused(case, bound, &what, "goods that the shop says have left");
        }
        leaves.put(path, Value::Ref(now.clone()));
    }
    if !waits.is_empty() {
        return Decision::Wait(waits, "its new address comes first".to_string());
    }
    let what = changes.addresses.join(" and ");
    amend(case, leaves, alloc::format!("the {what} address changed in the shop after the order arrived"))
}

/// Fewer of some lines, where the rest has neither left nor is in hand, and no money was asked for.
fn fewer<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>, less: &[Less]) -> Decision {
    let seen = bound.seen;
    let told = |one: &Less| alloc::format!("{} × {} (line {})", one.by.normalize(), one.sku, one.key);
    let told: Vec<String> = less.iter().map(told).collect();
    let what = alloc::format!("{} were cancelled in the shop", told.join(", "));
    let mut leaves = Leaves::new();
    for one in less {
        let path = Path::element("lines", &one.key).dot("quantity");
        let (Some(line), Some(there)) = (case.order.lines.get(&one.key), seen.lines.get(&one.key)) else {
            return refused(case, bound, &what, &alloc::format!("no line {}", one.key));
        };
        let (Some(wanted), Some(now)) = (Order::wanted(line), there.quantity) else {
            return refused(case, bound, &what, &alloc::format!("no quantity of line {}", one.key));
        };
        let more = |before: &Value| matches!(before, Value::Number(before) if now > *before);
        if bound.base.value(&path).is_some_and(more) || wanted > now {
            return contested(case, bound, &alloc::format!("the quantity of line {} ({})", one.key, one.sku));
        }
        if there.had.shipped.is_some_and(|left| left > wanted) {
            return refused(case, bound, &what, names(&seen.left).unwrap_or("goods that have left"));
        }
        leaves.put(path, Value::Number(wanted));
    }
    if let Some(stands) = names(&seen.in_hand).or(names(&seen.in_force)) {
        return refused(case, bound, &what, stands);
    }
    if seen.stage.as_deref() == Some("done") {
        return refused(case, bound, &what, "nothing open any more");
    }
    amend(case, leaves, what)
}

/// A hold where fewer of a line stand in the ERP than the shop has sold, because of a change there: no shop takes a line
/// back.
pub(super) fn fewer_there<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>) -> Option<Decision> {
    let mut told = Vec::new();
    for (key, line) in case.order.sold_lines() {
        let Some(wanted) = Order::wanted(line) else { continue };
        let path = Path::element("lines", key).dot("quantity");
        let Some(Value::Number(before)) = bound.base.value(&path) else { continue };
        let now = bound.seen.lines.get(key).and_then(|line| line.quantity).unwrap_or_default();
        if now < wanted && now < *before {
            let sku = line.sku.as_deref().unwrap_or("?");
            told.push(alloc::format!(
                "line {key} ({sku}): {} in the shop, {} there",
                wanted.normalize(),
                now.normalize()
            ));
        }
    }
    if told.is_empty() || case.adopted {
        return None;
    }
    let number = case.order.number.as_deref().unwrap_or(&case.source_id.id);
    Some(hold(
        "SYN-0126",
        alloc::format!(
            "document {} of order {number} was cut down in {}: {}",
            bound.id,
            case.rules.target,
            told.join("; ")
        ),
        "the shop takes no single line back: refund or cancel there what is not delivered, and tell the buyer, or put the \
         quantity back in the ERP; then `syncline retry --accept` this order to take both as they are",
    ))
}

/// A hold where a document that was cut down for what the shop cancelled comes to another total than what is left there, by more
/// than rounding explains.
pub(super) fn off_after<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>) -> Option<Decision> {
    let carried = |key: &str, line: &Line| {
        let before = match case.source_base.value(&Path::element("lines", key).dot("cancelled")) {
            Some(Value::Number(before)) => *before,
            _ => Decimal::ZERO,
        };
        let there = bound.seen.lines.get(key).and_then(|line| line.quantity);
        line.had.cancelled.is_some_and(|now| now > before) && there == Order::wanted(line)
    };
    if case.adopted || !case.order.sold_lines().any(|(key, line)| carried(key, line)) {
        return None;
    }
    let (left, has) = (totals::wanted(case.order)?.totals.grand?, bound.seen.totals.grand?);
    let off = has.minus(left).ok()?.amount.abs();
    let allowed = totals::tolerance(case.order, case.rules.rounding_per_line.max(1));
    (off > allowed).then(|| {
        hold(
            "SYN-0127",
            alloc::format!(
                "of what was cancelled {left} are left in the shop, document {} comes to {has} in {}; rounding explains at most \
                 {allowed}",
                bound.id,
                case.rules.target
            ),
            "mend the document's prices or freight by hand, then `syncline retry --accept` this order to take both as they are",
        )
    })
}

#[cfg(test)]
mod tests;
