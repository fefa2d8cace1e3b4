//! What counts as a change of an order, and what does not.

use super::*;
use crate::leaf::Ref;
use crate::money::Money;
use crate::planner::stand_ins::{TakenOver, address};
use crate::record::{Charge, Line, Lines};

fn eur(cents: i64) -> Option<Money> {
    Some(Money::new(Decimal::new(cents, 2), "EUR".parse().unwrap()))
}

/// Three mugs and freight, billed and sent to the buyer's home.
fn taken_over() -> TakenOver {
    let mut lines = Lines::default();
    let mugs = Line { sku: Some("MUG".to_string()), quantity: Some(3.into()), net: eur(3000), ..Line::default() };
    lines.insert("7".to_string(), mugs);
    let mut order = Order {
        life: Some(OrderLife::Open),
        currency: "EUR".parse().ok(),
        billing: Some(address("home")),
        shipping: Some(address("home")),
        lines,
        charges: [("shipping".to_string(), Charge { net: eur(490), ..Charge::default() })].into(),
        ..Order::default()
    };
    order.totals.grand = eur(3490);
    TakenOver::of(order)
}

/// The one line of `order`.
fn line(order: &mut Order) -> &mut Line {
    order.lines.iter_mut().map(|(_, line)| line).next().unwrap()
}

/// What a hold would say of the changes; nothing where there are none.
fn told(case: &TakenOver) -> String {
    let changes = case.look(Changes::of);
    if changes.is_empty() { String::new() } else { changes.hold().what }
}

type Twist = fn(&mut TakenOver);

#[test]
fn each_change_is_named_with_what_it_was_and_is() {
    let changed = "the order changed in the shop after it arrived: ";
    let rows: [(Twist, &str); 13] = [
        (
            |case| case.now.life = Some(OrderLife::Cancelled),
            "the order was cancelled or refunded in the shop after it arrived",
        ),
        (
            |case| case.now.life = Some(OrderLife::Closed),
            "the order was cancelled or refunded in the shop after it arrived",
        ),
        (
            |case| line(&mut case.now).had.cancelled = Some(Decimal::new(10, 1)),
            "1 × MUG (line 7) were cancelled in the shop after the order arrived",
        ),
        (
            |case| line(&mut case.now).had.refunded = Some(2.into()),
            "2 × MUG (line 7) were refunded in the shop after the order arrived",
        ),
        (|case| case.now.billing = Some(address("new")), "`billing` is another address"),
        (|case| case.now.billing = None, "`billing` is not told any more"),
        (|case| case.now.shipping = Some(address("strange")), "`shipping` is another address"),
        (|case| line(&mut case.now).sku = Some("JUG".to_string()), "`lines[7].sku` was MUG and is JUG"),
        (|case| line(&mut case.now).quantity = Some(4.into()), "`lines[7].quantity` was 3 and is 4"),
        (|case| line(&mut case.now).net = eur(2900), "`lines[7].net` was 30.00 EUR and is 29.00 EUR"),
        (|case| case.now.charges.clear(), "`charges[shipping].net` was 4.90 EUR and is nothing"),
        (|case| case.now.totals.grand = eur(1), "`totals.grand` was 34.90 EUR and is 0.01 EUR"),
        (|case| case.now.currency = "CHF".parse().ok(), "`currency` was EUR and is CHF"),
    ];
    for (twist, what) in rows {
        let mut case = taken_over();
        twist(&mut case);
        let whole = what.contains("after");
        assert_eq!(told(&case), if whole { what.to_string() } else { alloc::format!("{changed}{what}") });
    }
}

#[test]
fn what_stands_in_the_erp_already_or_says_the_same_is_no_change() {
    let rows: [(&str, Twist); 10] = [
        ("nothing", |_| {}),
        ("the address there", |case| {
            (case.now.billing, case.seen.billing) = (Some(address("new")), Some(address("@new")));
        }),
        ("the same address of a guest that registered", |case| {
            let of_account =
                |home: Ref| Ref { to: crate::leaf::Target::Remote(crate::id::RemoteId::new("1", "5")), ..home };
            case.now.billing = case.now.billing.take().map(of_account);
        }),
        ("goods that are sent no more", |case| case.now.shipping = None),
        ("the cut there", |case| {
            (line(&mut case.now).had.cancelled, line(&mut case.seen).quantity) = (Some(2.into()), Some(1.into()));
        }),
        ("a cut from before", |case| {
            (line(&mut case.before).had.cancelled, line(&mut case.now).had.cancelled) =
                (Some(2.into()), Some(2.into()));
        }),
        ("a refund of the ERP's own", |case| {
            line(&mut case.now).had.refunded = Some(2.into());
            case.given_back.insert("7".to_string(), 2.into());
        }),
        ("all given back by the ERP itself", |case| {
            case.now.life = Some(OrderLife::Closed);
            case.given_back.insert("7".to_string(), 3.into());
        }),
        ("what has left and was billed", |case| {
            (line(&mut case.now).had.shipped, line(&mut case.now).had.invoiced) = (Some(3.into()), Some(3.into()));
        }),
        ("words", |case| {
            (line(&mut case.now).name, case.now.number) = (Some("Cup".to_string()), Some("8".to_string()));
        }),
    ];
    for (name, twist) in rows {
        let mut case = taken_over();
        twist(&mut case);
        assert_eq!(told(&case), "", "{name}");
    }
    let mut case = taken_over();
    (case.before, case.now.life) = (Order::default(), Some(OrderLife::Cancelled));
    assert_eq!(told(&case), "", "what the shop showed when the document was made is not known");
}

#[test]
fn a_cut_the_erp_does_not_show_is_one_whatever_else_stands_there() {
    for (there, by) in [(Some(3), "2"), (Some(2), "2"), (Some(0), "2"), (None, "2"), (Some(1), "")] {
        let mut case = taken_over();
        line(&mut case.now).had.cancelled = Some(2.into());
        line(&mut case.seen).quantity = there.map(Decimal::from);
        let changes = case.look(Changes::of);
        let found: Vec<String> = changes.less.iter().map(|one| one.by.to_string()).collect();
        assert_eq!((found.join(" "), changes.is_fewer_only()), (by.to_string(), true), "{there:?} there");
    }
    let mut case = taken_over();
    (line(&mut case.now).had.refunded, case.given_back) = (Some(3.into()), [("7".to_string(), 1.into())].into());
    let changes = case.look(Changes::of);
    assert_eq!((changes.less[0].by, changes.less[0].how, changes.is_fewer_only()), (2.into(), "refunded", false));
}

#[test]
fn of_many_changes_the_first_are_named_and_the_rest_counted() {
    let others = (1..=7).map(|at| alloc::format!("`{at}`")).collect();
    let changes = Changes { addresses: ["billing"].to_vec(), others, ..Changes::default() };
    assert!(changes.hold().what.ends_with("`billing` is another address, `1`, `2`, `3`, `4`, and 3 more"));
    let all = Changes { withdrawn: true, ..changes };
    assert!(!all.hold().what.contains('`'), "an order that is gone has no other changes");
}
