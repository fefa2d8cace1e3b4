//! What became of an order in its shop after its document was made: the document follows, or a person is asked.

use super::carry::{carried, fewer_there, off_after};
use super::changed::Changes;
use super::order::{Bound, OrderCase};
use super::{Decision, Planned, World, hold};
use crate::kind::{Kind, Step};
use crate::leaf::Leaves;
use crate::record::OrderLife;
use crate::rules::{Amendments, Cancels};
use alloc::string::{String, ToString};
use rust_decimal::Decimal;

/// What to do where the shop's order changed after its document was made; none where it did not.
pub(super) fn amended<W: World>(case: &OrderCase<'_, W>, bound: &Bound<'_>) -> Option<Decision> {
    let changes = Changes::of(case, bound);
    if changes.is_empty() {
        return fewer_there(case, bound).or_else(|| off_after(case, bound));
    }
    let carries = case.rules.amendments == Amendments::Carry && !case.adopted;
    if carries && case.order.is_withdrawn() && case.profile.steps.contains(&Step::Cancel) {
        return Some(withdrawn(case, bound));
    }
    let amends = case.profile.steps.contains(&Step::Amend);
    if carries && amends && changes.is_fewer_only() && is_before_process(bound) {
        // What is made of it is changed with it, in one go.
        return None;
    }
    let carried = if carries { carried(case, bound, &changes) } else { None };
    Some(carried.unwrap_or_else(|| Decision::Hold(changes.hold())))
}

/// Whether nothing was made of the document yet.
fn is_before_process(bound: &Bound<'_>) -> bool {
    matches!(bound.seen.stage.as_deref(), Some("draft" | "quote" | "confirm"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Facts, objections};
    use crate::leaf::Value;
    use crate::path::Path;
    use crate::planner::stand_ins::TakenOver;
    use crate::record::{Had, Line, Order};

    /// An order of three pieces, so many of which left and were cancelled.
    fn order(life: OrderLife, shipped: i64, cancelled: i64) -> Order {
        let had = Had { shipped: Some(shipped.into()), cancelled: Some(cancelled.into()), ..Had::default() };
        let line = Line { sku: Some("MUG".to_string()), quantity: Some(3.into()), had, ..Line::default() };
        Order { life: Some(life), lines: [("7".to_string(), line)].into_iter().collect(), ..Order::default() }
    }

    /// An order of which the shop shows `now`, whose document stands at `stage`.
    fn taken_over(now: &Order, stage: &str) -> TakenOver {
        let mut case = TakenOver::of(order(OrderLife::Open, 0, 0));
        (case.now, case.seen.stage) = (now.clone(), Some(stage.to_string()));
        case
    }

    fn decided(
        amendments: Amendments,
        adopted: bool,
        now: &Order,
        stage: &str,
        fixed: Option<&str>,
    ) -> Option<Decision> {
        let mut case = taken_over(now, stage);
        (case.rules.amendments, case.adopted) = (amendments, adopted);
        case.steps = [Step::Create, Step::Cancel].to_vec();
        case.seen.fixed = fixed.map(ToString::to_string);
        case.look(amended)
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
    fn what_is_not_processed_yet_goes_on_and_is_cut_down_then_where_the_erp_can() {
        let part = order(OrderLife::Open, 0, 2);
        for (stage, carried) in [("draft", "None"), ("quote", "None"), ("confirm", "None"), ("process", "amend")] {
            let mut case = taken_over(&part, stage);
            assert_eq!(code(case.look(amended)), carried, "{stage}");
            case.steps.retain(|step| *step != Step::Amend);
            assert_eq!(code(case.look(amended)), "SYN-0110", "an ERP that cannot, at {stage}");
            case.rules.amendments = Amendments::Ask;
            assert_eq!(code(case.look(amended)), "SYN-0110", "a file that asks, at {stage}");
        }
    }

    #[test]
    fn what_was_cancelled_in_the_erp_is_cancelled_in_the_shop_unless_something_came_of_it_there() {
        let had = |shipped: i64, invoiced: i64, refunded: i64| {
            let mut order = order(OrderLife::Open, shipped, 0);
            order.lines.iter_mut().for_each(|(_, line)| {
                (line.had.invoiced, line.had.refunded) = (Some(invoiced.into()), Some(refunded.into()));
            });
            order
        };
        let life = |life: OrderLife| order(life, 0, 0);
        let decided = |now: &Order, cancels: Cancels, adopted: bool| {
            let mut case = taken_over(now, "cancelled");
            (case.rules.cancels, case.adopted) = (cancels, adopted);
            code(Some(case.look(withdrawn_there)))
        };
        for (now, expected) in [
            (life(OrderLife::Open), "cancel"),
            (life(OrderLife::Pending), "cancel"),
            (life(OrderLife::Held), "SYN-0111"),
            (life(OrderLife::Done), "SYN-0111"),
            (had(1, 0, 0), "SYN-0111"),
            (had(0, 1, 0), "SYN-0111"),
            (had(0, 0, 1), "SYN-0111"),
        ] {
            assert_eq!(decided(&now, Cancels::Erp, false), expected, "{now:?}");
            assert_eq!(decided(&now, Cancels::Ask, false), "SYN-0111", "a file that asks");
            assert_eq!(decided(&now, Cancels::Erp, true), "SYN-0111", "another's");
        }
        let mut paid = life(OrderLife::Open);
        paid.payment.captured = Some(crate::money::Money::new(1.into(), "EUR".parse().unwrap()));
        assert_eq!(decided(&paid, Cancels::Erp, false), "SYN-0111", "money was taken");
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
            objections(
                &plan,
                &Facts { bound: true, owed, has, taken: None, withdrawn, target_seen: &shown, stock, shared },
            )
            .len()
        };
        assert_eq!((told(true, ""), told(false, ""), told(true, "shipment 1 (done)")), (0, 1, 1));
    }
}
