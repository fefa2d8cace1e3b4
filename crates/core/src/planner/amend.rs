//! What became of an order in its shop after its document was made: the document follows, or a person is asked.

use super::order::{Bound, OrderCase};
use super::{Decision, Planned, World, hold};
use crate::kind::{Kind, Step};
use crate::leaf::{Leaves, Value};
use crate::path::Path;
use crate::policy::Hold;
use crate::record::{Order, OrderLife};
use crate::rules::{Amendments, Cancels};
use alloc::string::{String, ToString};
use rust_decimal::Decimal;

/// What to do where the shop's order changed after its document was made; none where it did not.
pub(super) fn amended<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>) -> Option<Decision> {
    let changed = changed(case)?;
    let carried = case.rules.amendments == Amendments::Carry && !case.adopted;
    if carried && is_withdrawn(case.order) && case.profile.steps.contains(&Step::Cancel) {
        return Some(withdrawn(case, bound));
    }
    Some(Decision::Hold(changed))
}

/// Whether an order is withdrawn in its shop, by its own word or line by line. One that was closed is none: money was given
/// back for it, and how much of it was kept is not told.
fn is_withdrawn(order: &Order) -> bool {
    let mut lines = order.sold_lines().peekable();
    let whole = |wanted: Option<Decimal>, off: Option<Decimal>| wanted.is_some() && off >= wanted;
    order.life == Some(OrderLife::Cancelled)
        || (lines.peek().is_some() && lines.all(|(_, line)| whole(line.quantity, line.had.cancelled)))
}

/// The document is withdrawn, too, unless something has left, or money was asked for.
fn withdrawn<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>) -> Decision {
    let (rules, stage) = (case.rules, bound.seen.stage.as_deref().unwrap_or(""));
    let refuse = |what: String| {
        hold(
            "SYN-0122",
            alloc::format!("the order was cancelled in the shop, but {what}"),
            alloc::format!(
                "take back in {} what left and credit what was asked for, then `syncline retry --accept` this order to take \
                 both as they are; where the order is to go on, place it anew",
                rules.target
            ),
        )
    };
    let left = |(_, line): (_, &crate::record::Line)| line.had.shipped.is_some_and(|shipped| shipped > Decimal::ZERO);
    if case.order.sold_lines().any(left) {
        return refuse("the shop says that some of it has left".to_string());
    }
    if let Some(fixed) = bound.seen.fixed.as_deref().filter(|fixed| !fixed.is_empty()) {
        return refuse(alloc::format!("in {} document {} has {fixed}", rules.target, bound.id));
    }
    if stage == "done" {
        return refuse(alloc::format!("document {} is done in {}", bound.id, rules.target));
    }
    Decision::Step(Planned {
        target: rules.target.clone(),
        kind: Kind::Order,
        step: Step::Cancel,
        leaves: Leaves::new(),
        reason: alloc::format!("cancelled in the shop, the document stands at `{stage}`"),
        adopt_only: false,
    })
}

/// What to do where the document was cancelled in the ERP and the order is in force: the shop is asked to cancel it where the
/// file says so, nothing of it was sent, and no money was taken.
pub(super) fn withdrawn_there<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>) -> Decision {
    let (rules, order) = (case.rules, case.order);
    let ask = |more: &str| {
        hold(
            "SYN-0111",
            alloc::format!("document {} was cancelled in {}{more}", bound.id, rules.target),
            "cancel the order in the shop as well; it is looked at again by itself",
        )
    };
    if rules.cancels == Cancels::Ask || case.adopted || !case.source_cancels {
        return ask("");
    }
    let any = |told: Option<Decimal>| told.is_some_and(|count| !count.is_zero());
    let touched = |(_, line): (_, &crate::record::Line)| {
        [line.had.shipped, line.had.invoiced, line.had.refunded].into_iter().any(any)
    };
    let paid = order.payment.captured.is_some_and(|money| !money.amount.is_zero());
    if paid || order.sold_lines().any(touched) {
        return ask(", and the shop has sent or invoiced some of the order");
    }
    match order.life {
        Some(OrderLife::Open | OrderLife::Pending) => Decision::Step(Planned {
            target: rules.source.clone(),
            kind: Kind::Order,
            step: Step::Cancel,
            leaves: Leaves::new(),
            reason: alloc::format!("document {} was cancelled in {}", bound.id, rules.target),
            adopt_only: false,
        }),
        _ => ask(", and the shop's order is on hold or done"),
    }
}

/// A hold that says what changed in the shop after the document was made; none where nothing did.
fn changed<W: World>(case: &OrderCase<'_, W>) -> Option<Hold> {
    if case.source_base.is_empty() {
        return None;
    }
    // What the ERP gave back whole was withdrawn by itself.
    let by_erp = case.order.life == Some(OrderLife::Closed) && !case.given_back.is_empty();
    let withdrawn = !by_erp && matches!(case.order.life, Some(OrderLife::Cancelled | OrderLife::Closed));
    let was_withdrawn = matches!(
        case.source_base.value(&Path::field("life")),
        Some(Value::Code(word)) if word == "cancelled" || word == "closed"
    );
    let demand = |path: &Path| {
        let text = path.as_str();
        let figures = path.within("lines").is_some_and(|(_, f)| matches!(f, "sku" | "quantity" | "net"))
            || path.within("charges").is_some_and(|(_, f)| f == "net");
        figures || matches!(text, "totals.grand" | "currency" | "billing" | "shipping")
    };
    let mut changed = case.source_base.changed_by(case.source_seen);
    changed.retain(|path| demand(path) && !same_element(case.source_base.value(path), case.source_seen.value(path)));
    let gone = case.source_base.iter().find(|(path, value)| {
        demand(path) && value.is_some() && path.as_str() != "shipping" && case.source_seen.value(path).is_none()
    });
    let first = changed.iter().next().map(|(path, _)| path).or(gone.map(|(path, _)| path));
    let what = if withdrawn && !was_withdrawn {
        "the order was cancelled or refunded in the shop after it arrived".to_string()
    } else if let Some((key, sku, quantity, word)) = taken_back(case) {
        let quantity = quantity.normalize();
        alloc::format!("{quantity} × {sku} (line {key}) were {word} in the shop after the order arrived")
    } else {
        alloc::format!("the order changed in the shop after it arrived: `{}`", first?)
    };
    Some(Hold::new(
        "SYN-0110",
        what,
        "make the same change to the document in the ERP by hand, then `syncline retry --accept` this order to take both as they are",
    ))
}

/// The first line of which more was withdrawn or given back than when the document was made: its key, SKU, how many of it,
/// and what was done.
fn taken_back<'a, W: World>(case: &OrderCase<'a, W>) -> Option<(&'a str, &'a str, Decimal, &'static str)> {
    case.order.sold_lines().find_map(|(key, line)| {
        let done = [("cancelled", line.had.cancelled), ("refunded", line.had.refunded)];
        done.into_iter().find_map(|(word, now)| {
            let before = match case.source_base.value(&Path::element("lines", key).dot(word)) {
                Some(Value::Number(before)) => *before,
                _ => Decimal::ZERO,
            };
            let ours = case.given_back.get(key).copied().filter(|_| word == "refunded").unwrap_or_default();
            let more = now?.saturating_sub(before).saturating_sub(ours);
            let sku = line.sku.as_deref().unwrap_or("?");
            (more > Decimal::ZERO).then_some((key.as_str(), sku, more, word))
        })
    })
}

/// Whether both refer to the same address, whoever it belongs to: a guest that registers keeps its addresses.
fn same_element(a: Option<&Value>, b: Option<&Value>) -> bool {
    matches!((a, b), (Some(Value::Ref(a)), Some(Value::Ref(b))) if a.element.is_some() && a.element == b.element)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Facts, objections};
    use crate::id::RemoteId;
    use crate::planner::stand_ins::{Nothing, order_rules};
    use crate::profile::KindProfile;
    use crate::record::{Had, Line, Record};
    use crate::rules::OrderRules;
    use alloc::boxed::Box;
    use alloc::collections::BTreeMap;
    use jiff::Timestamp;

    /// An order of three pieces, so many of which left and were cancelled.
    fn order(life: OrderLife, shipped: i64, cancelled: i64) -> Order {
        let had = Had { shipped: Some(shipped.into()), cancelled: Some(cancelled.into()), ..Had::default() };
        let line = Line { sku: Some("MUG".to_string()), quantity: Some(3.into()), had, ..Line::default() };
        Order { life: Some(life), lines: [("7".to_string(), line)].into_iter().collect(), ..Order::default() }
    }

    fn leaves(order: &Order) -> Leaves {
        Record::Order(Box::new(order.clone())).to_leaves()
    }

    fn decided(
        amendments: Amendments,
        adopted: bool,
        now: &Order,
        stage: &str,
        fixed: Option<&str>,
    ) -> Option<Decision> {
        let rules = OrderRules { amendments, ..order_rules() };
        let (id, nothing) = (RemoteId::new("1", "7"), Leaves::new());
        let profile = KindProfile { steps: [Step::Create, Step::Cancel].to_vec(), ..KindProfile::default() };
        let (before, after) = (leaves(&order(OrderLife::Open, 0, 0)), leaves(now));
        let (stage, fixed) = (Some(stage.to_string()), fixed.map(ToString::to_string));
        let seen = Order { stage, fixed, ..Order::default() };
        let bound = Bound { id: &id, seen: &seen, base: &nothing };
        let case = OrderCase {
            now: Timestamp::UNIX_EPOCH,
            rules: &rules,
            source_id: &id,
            order: now,
            admitted: false,
            source_base: &before,
            source_seen: &after,
            target: Some(bound.clone()),
            profile: &profile,
            adopted,
            chosen: &nothing,
            given_back: &BTreeMap::new(),
            source_keeps_reference: true,
            source_cancels: true,
            world: &Nothing,
        };
        amended(&case, &bound)
    }

    fn code(decision: Option<Decision>) -> String {
        match decision {
            Some(Decision::Hold(hold)) => hold.code,
            Some(Decision::Step(plan)) => plan.step.word(),
            other => alloc::format!("{other:?}"),
        }
    }

    #[test]
    fn a_document_is_withdrawn_where_the_file_says_so_and_nothing_has_come_of_it() {
        let gone = order(OrderLife::Cancelled, 0, 3);
        let carried = |now: &Order, stage: &str, fixed| code(decided(Amendments::Carry, false, now, stage, fixed));
        for stage in ["draft", "quote", "confirm", "process"] {
            assert_eq!(carried(&gone, stage, None), "cancel", "{stage}");
            assert_eq!(carried(&gone, stage, Some("")), "cancel", "{stage}");
            assert_eq!(code(decided(Amendments::Ask, false, &gone, stage, None)), "SYN-0110", "{stage}");
            assert_eq!(code(decided(Amendments::Carry, true, &gone, stage, None)), "SYN-0110", "another's, at {stage}");
        }
        assert_eq!(carried(&gone, "process", Some("shipment 12 (done)")), "SYN-0122");
        assert_eq!(carried(&gone, "done", Some("")), "SYN-0122");
        assert_eq!(
            carried(&order(OrderLife::Cancelled, 1, 2), "process", Some("")),
            "SYN-0122",
            "the shop says it left"
        );
        assert_eq!(carried(&order(OrderLife::Done, 0, 3), "process", Some("")), "cancel", "line by line");
        assert_eq!(carried(&order(OrderLife::Open, 0, 2), "process", Some("")), "SYN-0110", "a part of it");
        assert_eq!(carried(&order(OrderLife::Closed, 0, 0), "process", Some("")), "SYN-0110", "money was given back");
        assert_eq!(decided(Amendments::Carry, false, &order(OrderLife::Open, 0, 0), "process", None), None);
    }

    #[test]
    fn the_checker_refuses_to_withdraw_what_is_in_force_or_has_left() {
        let Some(Decision::Step(plan)) =
            decided(Amendments::Carry, false, &order(OrderLife::Cancelled, 0, 3), "process", Some(""))
        else {
            unreachable!("it is a step")
        };
        let told = |withdrawn, fixed: &str| {
            let mut shown = Leaves::new();
            shown.put(Path::field("fixed"), Value::Text(fixed.to_string()));
            let (owed, has, stock, shared) = (None, None, None, None);
            objections(&plan, &Facts { bound: true, owed, has, withdrawn, target_seen: &shown, stock, shared }).len()
        };
        assert_eq!((told(true, ""), told(false, ""), told(true, "shipment 1 (done)")), (0, 1, 1));
    }
}
