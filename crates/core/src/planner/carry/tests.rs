//! What is carried over, and each case in which it must not be.

use super::super::amend::amended;
use super::*;
use crate::audit::{Facts, objections};
use crate::money::Money;
use crate::planner::stand_ins::{TakenOver, address};
use crate::record::{Charge, Had, Lines, OrderLife, Record};
use crate::rules::Amendments;
use alloc::boxed::Box;
use proptest::prelude::*;

fn eur(cents: i64) -> Option<Money> {
    Some(Money::new(Decimal::new(cents, 2), "EUR".parse().unwrap()))
}

fn text(text: &str) -> Option<String> {
    Some(text.to_string())
}

/// Three mugs, two jugs and freight with a fifth of tax, billed and sent to the buyer's home, once it was taken over.
fn taken_over() -> TakenOver {
    let line = |sku: &str, quantity: i64, net: i64| Line {
        sku: text(sku),
        quantity: Some(quantity.into()),
        net: eur(net),
        tax: eur(net / 5),
        ..Line::default()
    };
    let freight = Charge { net: eur(500), tax: eur(100), ..Charge::default() };
    let mut order = Order {
        number: text("12"),
        life: Some(OrderLife::Open),
        currency: "EUR".parse().ok(),
        billing: Some(address("home")),
        shipping: Some(address("home")),
        lines: [("7", line("MUG", 3, 3000)), ("8", line("JUG", 2, 1000))]
            .map(|(key, one)| (key.to_string(), one))
            .into_iter()
            .collect(),
        charges: [("shipping".to_string(), freight)].into(),
        ..Order::default()
    };
    (order.totals.grand, order.totals.tax) = (eur(5400), eur(900));
    TakenOver::of(order)
}

fn line<'a>(lines: &'a mut Lines, key: &str) -> &'a mut Line {
    lines.iter_mut().find(|(one, _)| *one == key).map(|(_, line)| line).unwrap()
}

/// So many of a line were cancelled in the shop.
fn off(case: &mut TakenOver, key: &str, quantity: i64) {
    line(&mut case.now.lines, key).had.cancelled = Some(quantity.into());
}

/// So many of a line stand in the ERP.
fn there(case: &mut TakenOver, key: &str, quantity: i64) {
    line(&mut case.seen.lines, key).quantity = Some(quantity.into());
}

/// So many of a line have left the ERP.
fn gone(case: &mut TakenOver, key: &str, quantity: i64) {
    line(&mut case.seen.lines, key).had.shipped = Some(quantity.into());
}

/// The shop says that one of a line has left.
fn shipped(case: &mut TakenOver, key: &str) {
    line(&mut case.now.lines, key).had.shipped = Some(1.into());
}

/// One of a line was given back for money.
fn refunded(case: &mut TakenOver, key: &str) {
    line(&mut case.now.lines, key).had.refunded = Some(1.into());
}

/// What is decided, in a word and what it is about.
fn told(case: &TakenOver) -> String {
    match case.look(amended) {
        None => "nothing".to_string(),
        Some(Decision::Step(plan)) => {
            let shown = |(path, value): (&Path, Option<&Value>)| match value {
                Some(Value::Number(number)) => alloc::format!(" {path}={number}"),
                _ => alloc::format!(" {path}"),
            };
            plan.step.word() + &plan.leaves.iter().map(shown).collect::<String>()
        }
        Some(Decision::Hold(hold)) => alloc::format!("{}: {}", hold.code, hold.what),
        Some(Decision::Wait(entities, _)) => alloc::format!("wait for {entities:?}"),
        other => alloc::format!("{other:?}"),
    }
}

type Twist = fn(&mut TakenOver);
/// What is different, how, and what is decided then: the beginning and a part of what it says.
type Row = (&'static str, Twist, &'static str, &'static str);

/// Holds each row against what is decided where `first` has happened, too.
fn decided(first: Twist, rows: &[Row]) {
    for (name, twist, begins, says) in rows {
        let mut case = taken_over();
        first(&mut case);
        twist(&mut case);
        let told = told(&case);
        assert!(told.starts_with(begins) && told.contains(says), "{name}: {told}");
    }
}

/// What is asked about whatever has changed: the file, the ERP, or the rest of the order does not let it be carried.
const ASKED: [Row; 7] = [
    ("a file that asks", |case| case.rules.amendments = Amendments::Ask, "SYN-0110", "after"),
    ("another connector's document", |case| case.adopted = true, "SYN-0110", "after"),
    ("an ERP that cannot", |case| case.steps.retain(|step| *step != Step::Amend), "SYN-0110", "after"),
    ("another price", |case| line(&mut case.now.lines, "8").net = eur(900), "SYN-0110", "`lines[8].net` was 10.00 EUR"),
    ("more of a line", |case| line(&mut case.now.lines, "8").quantity = Some(3.into()), "SYN-0110", "was 2 and is 3"),
    ("another product", |case| line(&mut case.now.lines, "8").sku = text("CUP"), "SYN-0110", "was JUG and is CUP"),
    ("closed", |case| case.now.life = Some(OrderLife::Closed), "SYN-0110", "cancelled or refunded"),
];

const SENT_ELSEWHERE: Twist = |case| case.now.shipping = Some(address("new"));
const BILLED_ELSEWHERE: Twist = |case| case.now.billing = Some(address("new"));
const CUT_DOWN: Twist = |case| off(case, "7", 2);

#[test]
fn goods_go_elsewhere_as_long_as_they_wait() {
    decided(SENT_ELSEWHERE, &ASKED);
    let rows: [Row; 8] = [
        ("nothing against it", |_| {}, "amend shipping", ""),
        ("told so", |case| (case.seen.in_hand, case.seen.left) = (text(""), text("")), "amend shipping", ""),
        ("it was billed", |case| case.seen.in_force = text("invoice 1 (posted)"), "amend shipping", ""),
        ("a draft", |case| case.seen.stage = text("draft"), "amend shipping", ""),
        ("some was cancelled, too: that is next", |case| off(case, "7", 1), "amend shipping", ""),
        ("some was refunded, too: that is next", |case| refunded(case, "7"), "amend shipping", ""),
        ("the ERP lacks it yet", |case| case.now.shipping = Some(address("coming")), "wait for [EntityId(9)]", ""),
        ("somebody sent it there", |case| case.seen.shipping = Some(address("@new")), "nothing", ""),
    ];
    decided(SENT_ELSEWHERE, &rows);
}

#[test]
fn what_is_in_hand_or_gone_or_was_sent_elsewhere_in_the_erp_keeps_its_address() {
    let rows: [Row; 6] = [
        ("it is picked", |case| case.seen.in_hand = text("shipment 1 (picked)"), "SYN-0124", "shipment 1 (picked)"),
        ("some has left", |case| case.seen.left = text("shipment 2 (done)"), "SYN-0124", "shipment 2 (done)"),
        ("the shop says some has left", |case| shipped(case, "8"), "SYN-0124", "goods that the shop says"),
        ("sent elsewhere", |case| case.seen.shipping = Some(address("@else")), "SYN-0125", "the shipping address"),
        ("nobody knows it", |case| case.now.shipping = Some(address("strange")), "SYN-0110", "`shipping` is another"),
        (
            "customers are not carried",
            |case| (case.now.shipping, case.rules.creates_customers) = (Some(address("coming")), false),
            "SYN-0110",
            "`shipping` is another address",
        ),
    ];
    decided(SENT_ELSEWHERE, &rows);
}

#[test]
fn a_bill_goes_elsewhere_unless_it_was_posted() {
    decided(BILLED_ELSEWHERE, &ASKED);
    let rows: [Row; 7] = [
        ("nothing against it", |_| {}, "amend billing", ""),
        ("in hand, and gone", |case| (case.seen.in_hand, case.seen.left) = (text("1"), text("2")), "amend billing", ""),
        ("the shop says some has left", |case| shipped(case, "8"), "amend billing", ""),
        ("it was billed", |case| case.seen.in_force = text("invoice 1 (posted)"), "SYN-0124", "invoice 1 (posted)"),
        ("billed elsewhere", |case| case.seen.billing = Some(address("@else")), "SYN-0125", "the billing address"),
        ("not told any more", |case| case.now.billing = None, "SYN-0110", "arrived: `billing` is not told any more"),
        ("nobody knows it", |case| case.now.billing = Some(address("strange")), "SYN-0110", "`billing` is another"),
    ];
    decided(BILLED_ELSEWHERE, &rows);
}

#[test]
fn of_two_addresses_neither_is_carried_where_one_may_not() {
    let both: Twist = |case| [BILLED_ELSEWHERE, SENT_ELSEWHERE].iter().for_each(|first| first(case));
    let rows: [Row; 5] = [
        ("nothing against it", |_| {}, "amend billing shipping", ""),
        ("goods in hand", |case| case.seen.in_hand = text("shipment 1 (packed)"), "SYN-0124", "the shipping address"),
        ("posted", |case| case.seen.in_force = text("invoice 1 (paid)"), "SYN-0124", "the billing address"),
        ("one of them there", |case| case.seen.billing = Some(address("@new")), "amend shipping", ""),
        ("one of them on its way", |case| case.now.shipping = Some(address("coming")), "wait for [EntityId(9)]", ""),
    ];
    decided(both, &rows);
}

#[test]
fn a_line_is_cut_down_to_what_is_left() {
    decided(CUT_DOWN, &ASKED);
    let rows: [Row; 8] = [
        ("nothing against it", |_| {}, "amend lines[7].quantity=1", ""),
        ("another one whole", |case| off(case, "8", 2), "amend lines[7].quantity=1 lines[8].quantity=0", ""),
        ("more than was ordered", |case| off(case, "7", 5), "amend lines[7].quantity=0", ""),
        ("what is left has left", |case| gone(case, "7", 1), "amend lines[7].quantity=1", ""),
        ("something else has left", |case| case.seen.left = text("shipment 2 (done)"), "amend lines[7].quantity=1", ""),
        ("it was put down there", |case| there(case, "7", 2), "amend lines[7].quantity=1", ""),
        ("not processed yet", |case| case.seen.stage = text("quote"), "nothing", ""),
        ("both addresses, too: they are first", |case| SENT_ELSEWHERE(case), "amend shipping", ""),
    ];
    decided(CUT_DOWN, &rows);
}

#[test]
fn nothing_is_cut_down_that_is_in_hand_or_gone_or_billed_or_was_put_up_in_the_erp() {
    let rows: [Row; 10] = [
        ("it is done with", |case| case.seen.stage = text("done"), "SYN-0124", "nothing open any more"),
        ("it is picked", |case| case.seen.in_hand = text("shipment 1 (picked)"), "SYN-0124", "shipment 1 (picked)"),
        ("it was billed", |case| case.seen.in_force = text("invoice 1 (posted)"), "SYN-0124", "invoice 1 (posted)"),
        ("more has left", |case| gone(case, "7", 2), "SYN-0124", "goods that have left"),
        (
            "more has left, by name",
            |case| {
                gone(case, "7", 2);
                case.seen.left = text("shipment 2 (done)");
            },
            "SYN-0124",
            "2 × MUG (line 7) were cancelled in the shop, but in erp document 1/7 has shipment 2 (done)",
        ),
        ("it was put up there", |case| there(case, "7", 4), "SYN-0125", "line 7 (MUG)"),
        ("it was put down too far", |case| there(case, "7", 0), "SYN-0125", "line 7 (MUG)"),
        ("it is not there", |case| case.seen.lines.retain(|key, _| key != "7"), "SYN-0124", "no line 7"),
        ("none is told", |case| line(&mut case.seen.lines, "7").quantity = None, "SYN-0124", "no quantity of line 7"),
        ("some was refunded, too", |case| refunded(case, "8"), "SYN-0110", "1 × JUG (line 8) were refunded"),
    ];
    decided(CUT_DOWN, &rows);
}

#[test]
fn what_was_cut_down_is_compared_with_what_is_left_in_the_shop() {
    // One mug, two jugs and freight are left: 25.00 and 5.00 of tax.
    let cut: Twist = |case| {
        off(case, "7", 2);
        there(case, "7", 1);
        case.seen.totals.grand = eur(3000);
    };
    let rows: [Row; 8] = [
        ("to the cent", |_| {}, "nothing", ""),
        ("a cent a line and charge more", |case| case.seen.totals.grand = eur(3003), "nothing", ""),
        ("one more than that", |case| case.seen.totals.grand = eur(3004), "SYN-0127", "30.00 EUR are left in the shop"),
        ("and less", |case| case.seen.totals.grand = eur(2996), "SYN-0127", "comes to 29.96 EUR in erp"),
        (
            "a file that allows more",
            |case| (case.seen.totals.grand, case.rules.rounding_per_line) = (eur(3006), 2),
            "nothing",
            "",
        ),
        (
            "a file that allows none",
            |case| (case.seen.totals.grand, case.rules.rounding_per_line) = (eur(3003), 0),
            "nothing",
            "",
        ),
        ("another's", |case| (case.seen.totals.grand, case.adopted) = (eur(1), true), "nothing", ""),
        (
            "cut before it was taken over",
            |case| {
                case.seen.totals.grand = eur(1);
                line(&mut case.before.lines, "7").had.cancelled = Some(2.into());
            },
            "nothing",
            "",
        ),
    ];
    decided(cut, &rows);
}

#[test]
fn what_was_cut_down_in_the_erp_alone_is_named() {
    let one = "order 12 was cut down in erp: line 7 (MUG): 3 in the shop, 2 there";
    let two = "line 7 (MUG): 3 in the shop, 2 there; line 8 (JUG): 2 in the shop, 0 there";
    let rows: [Row; 6] = [
        ("one line", |_| {}, "SYN-0126", one),
        ("another one gone", |case| case.seen.lines.retain(|key, _| key != "8"), "SYN-0126", two),
        ("put up", |case| there(case, "7", 4), "nothing", ""),
        ("as it was written last", |case| line(&mut case.written.lines, "7").quantity = Some(2.into()), "nothing", ""),
        ("what was written last is not known", |case| case.written = Order::default(), "nothing", ""),
        ("another's", |case| case.adopted = true, "nothing", ""),
    ];
    decided(|case| there(case, "7", 2), &rows);
    decided(|_| {}, &[("nothing", |_| {}, "nothing", "")]);
}

/// A line's figures: ordered, cancelled, and what the ERP shows: how many, how many at the last write, and how many left.
fn figures() -> impl Strategy<Value = [i64; 5]> {
    [0i64..5, -1i64..6, 0i64..6, 0i64..6, 0i64..4]
}

proptest! {
    /// Whatever the figures: a cut is a level between what left and what is there, nothing of it is in hand or billed, and
    /// the checker has nothing against it.
    #[test]
    fn a_cut_asks_for_no_less_than_what_left_and_for_no_more_than_there_is(
        lines in [figures(), figures()],
        stands in [0.1, 0.1, 0.5].map(proptest::bool::weighted),
    ) {
        let mut case = taken_over();
        for (key, [ordered, cancelled, there, written, left]) in ["7", "8"].into_iter().zip(lines) {
            for order in [&mut case.before, &mut case.now] {
                line(&mut order.lines, key).quantity = Some(ordered.into());
            }
            line(&mut case.now.lines, key).had = Had { cancelled: Some(cancelled.into()), ..Had::default() };
            line(&mut case.seen.lines, key).quantity = Some(there.into());
            line(&mut case.seen.lines, key).had.shipped = Some(left.into());
            line(&mut case.written.lines, key).quantity = Some(written.into());
        }
        let [in_hand, in_force, left] = stands.map(|stands| stands.then(|| "1".to_string()));
        (case.seen.in_hand, case.seen.in_force, case.seen.left) = (in_hand, in_force, left);
        if let Some(Decision::Step(plan)) = case.look(amended) && plan.step == Step::Amend {
            prop_assert!(case.seen.in_hand.is_none() && case.seen.in_force.is_none());
            for (path, value) in plan.leaves.iter() {
                let (key, field) = path.within("lines").unwrap();
                let (ours, theirs) = (case.now.lines.get(&key).unwrap(), case.seen.lines.get(&key).unwrap());
                let Some(Value::Number(wanted)) = value else { panic!("`{path}` is no quantity") };
                prop_assert_eq!((field, Some(*wanted)), ("quantity", Order::wanted(ours)));
                prop_assert!(Some(*wanted) >= theirs.had.shipped && Some(*wanted) <= theirs.quantity);
            }
            let shown = Record::Order(Box::new(case.seen.clone())).to_leaves();
            let (owed, has, taken, stock, shared) = (None, None, None, None, None);
            let facts = Facts { bound: true, owed, withdrawn: false, has, taken, target_seen: &shown, stock, shared };
            prop_assert_eq!(objections(&plan, &facts), Vec::<String>::new());
        }
    }
}
