//! What is decided about drafts: released where they come to what is owed, to the cent.

use super::*;
use crate::audit::{Facts, objections};
use proptest::prelude::*;

/// What is decided about a draft of two mugs and freight that comes to so many cents more than the shop says.
fn draft(off: i64) -> Asked {
    let mut case = made(two_mugs(), "draft");
    there(&mut case).totals.grand = euros(2_975 + off);
    case
}

/// The document of `case`.
fn there(case: &mut Asked) -> &mut Order {
    case.there.as_mut().unwrap()
}

/// What brings a draft to the cent: the level of its rounding line; otherwise what is decided instead.
fn rounding(case: &Asked) -> String {
    match case.decided() {
        Decision::Step(plan) if plan.step == Step::Lines => shown(&plan.leaves).join(", "),
        _ => case.word(),
    }
}

#[test]
fn a_draft_is_released_at_the_cent_and_brought_there_as_far_as_rounding_explains() {
    // A cent for the line and one for freight.
    for (off, expected) in [
        (0, "advance(quote) in erp"),
        (1, "charges[rounding].net -0.01 EUR"),
        (-1, "charges[rounding].net 0.01 EUR"),
        (2, "charges[rounding].net -0.02 EUR"),
        (-2, "charges[rounding].net 0.02 EUR"),
        (3, "SYN-0113"),
        (-3, "SYN-0113"),
        (1_000, "SYN-0113"),
    ] {
        assert_eq!(rounding(&draft(off)), expected, "{off} cents more");
    }
    let [_, what, _] = draft(3).hold();
    assert_eq!(
        what,
        "document 70 in erp: the shop says 29.75 EUR, the ERP computes 29.78 EUR; rounding explains at most 0.02; \
         the shop's own figures agree; it stays a draft"
    );
    let strict = |off| {
        let mut case = draft(off);
        case.rules.rounding_per_line = 0;
        rounding(&case)
    };
    assert_eq!([strict(0), strict(1)], ["advance(quote) in erp", "SYN-0113"]);
}

#[test]
fn a_rounding_line_is_set_to_its_level_and_not_a_second_time() {
    let with = |had: i64, off: i64, written: Option<i64>| {
        let mut case = draft(off);
        let charge = Charge { net: euros(had), ..Charge::default() };
        there(&mut case).charges.insert("rounding".to_string(), charge);
        if let Some(written) = written.and_then(euros) {
            case.written.put(Path::element("charges", "rounding").dot("net"), Value::Money(written));
        }
        rounding(&case)
    };
    assert_eq!(with(1, 0, Some(1)), "advance(quote) in erp");
    assert_eq!(with(1, -1, Some(1)), "charges[rounding].net 0.02 EUR");
    assert_eq!(with(2, -1, Some(2)), "SYN-0113", "three cents in all");
    assert_eq!(with(2, 1, Some(2)), "charges[rounding].net 0.01 EUR");
    assert_eq!(with(0, -1, None), "charges[rounding].net 0.01 EUR");
    assert_eq!(with(0, -1, Some(1)), "SYN-0113", "an ERP that does not keep it");
}

#[test]
fn a_draft_that_holds_other_lines_than_the_order_stays_a_draft() {
    let rows: [(Twist, &str); 8] = [
        (|case| there(case).totals.grand = None, "it tells no total"),
        (|case| case.order.totals.grand = None, "it tells no total"),
        (|case| there(case).lines.retain(|_, _| false), "line 7 (MUG) is not there"),
        (|case| line(there(case)).quantity = Some(3.into()), "line 7 has another quantity"),
        (|case| line(there(case)).net = None, "line 7 tells no amount"),
        (|case| line(there(case)).net = euros(2_002), "line 7 is 20.00 EUR in the shop and 20.02 EUR there"),
        (|case| line(there(case)).net = euros(1_998), "line 7 is 20.00 EUR in the shop and 19.98 EUR there"),
        (
            |case| there(case).totals.grand = Some(Money::new(Decimal::new(2_975, 2), "CHF".parse().unwrap())),
            "EUR and CHF cannot be added",
        ),
    ];
    for (twist, expected) in rows {
        let mut case = draft(0);
        twist(&mut case);
        let [code, what, _] = case.hold();
        assert_eq!(code, "SYN-0113");
        assert_eq!(what, alloc::format!("document 70 in erp: {expected}; it stays a draft"));
    }
    for net in [1_999, 2_001] {
        let mut case = draft(0);
        line(there(&mut case)).net = euros(net);
        assert_eq!(rounding(&case), "advance(quote) in erp", "a cent on one line");
    }
}

#[test]
fn what_a_price_of_one_cannot_say_of_many_is_made_up_for_with_its_tax() {
    // 479 pieces at a price of four decimals: their amount may be off by three cents, and with 19 % on it by four.
    let many = |net_off: i64, total_off: i64| {
        let mut case = draft(-total_off);
        case.profile.price_digits = Some(4);
        for order in [&mut case.order, case.there.as_mut().unwrap()] {
            line(order).quantity = Some(479.into());
        }
        line(there(&mut case)).net = euros(2_000 - net_off);
        rounding(&case)
    };
    assert_eq!(many(3, 4), "charges[rounding].net 0.04 EUR");
    assert_eq!(many(3, 6), "charges[rounding].net 0.06 EUR", "two cents of rounding beside");
    assert_eq!(many(3, 7), "SYN-0113");
    assert_eq!(many(-3, -6), "charges[rounding].net -0.06 EUR");
    assert_eq!(many(-3, -7), "SYN-0113");
    assert_eq!(many(0, 3), "SYN-0113", "where the lines agree there is nothing to make up for");
    assert_eq!(many(4, 4), "SYN-0113", "more than the price cannot say");
}

#[test]
fn what_was_changed_after_it_was_quoted_stays_where_it_is_until_a_person_has_mended_it() {
    for stage in ["quote", "confirm"] {
        let at = |total: Option<i64>| {
            let mut case = made(two_mugs(), stage);
            there(&mut case).totals.grand = total.and_then(euros);
            case
        };
        assert!(at(Some(2_975)).word().starts_with("advance("), "{stage}");
        let told = |total, shows: &str| {
            let [code, what, _] = at(total).hold();
            let says = alloc::format!("the shop says 29.75 EUR, it shows {shows} by now; it stays at `{stage}`");
            assert_eq!((code.as_str(), what), ("SYN-0113", alloc::format!("document 70 in erp: {says}")));
        };
        told(Some(2_976), "29.76 EUR");
        told(None, "no total");
    }
    let mut gone_on = made(two_mugs(), "process");
    there(&mut gone_on).totals.grand = euros(2_976);
    assert_eq!(gone_on.word(), "update in shop", "what is in process is not moved any further");
}

proptest! {
    /// Whatever a draft comes to, and whatever its rounding line says already: it is released at what is owed and at nothing
    /// else, or brought there by no more than rounding explains, and the checker has nothing against it.
    #[test]
    fn a_document_never_goes_on_beside_what_is_owed(
        off in -6i64..7, had in proptest::option::of(-3i64..4), per_line in 0u32..3, stage in 0usize..2,
    ) {
        let mut case = draft(off);
        case.rules.rounding_per_line = per_line;
        let rounding = had.map(|cents| ("rounding".to_string(), Charge { net: euros(cents), ..Charge::default() }));
        there(&mut case).charges.extend(rounding);
        there(&mut case).stage = Some(["draft", "quote"][stage].to_string());
        let decided = case.decided();
        let fits = off.abs() <= 2 * i64::from(per_line) && (had.unwrap_or_default() - off).abs() <= 2 * i64::from(per_line);
        match decided {
            Decision::Step(plan) if plan.step == Step::Lines => {
                let level = plan.leaves.value(&Path::element("charges", "rounding").dot("net"));
                prop_assert_eq!(level.cloned(), euros(had.unwrap_or_default() - off).map(Value::Money));
                prop_assert!(off != 0 && objections(&plan, &told_of(&case, &leaves_of(case.there.as_ref().unwrap()))).is_empty());
            }
            Decision::Step(plan) => {
                prop_assert!(matches!(plan.step, Step::Advance(_)) && off == 0, "{plan:?}");
                prop_assert!(objections(&plan, &told_of(&case, &leaves_of(case.there.as_ref().unwrap()))).is_empty());
            }
            other => prop_assert!(off != 0 && (stage == 1 || !fits), "{other:?}"),
        }
    }
}

/// What the checker is told of `case`, whose document shows `seen`.
fn told_of<'a>(case: &Asked, seen: &'a Leaves) -> Facts<'a> {
    let (owed, has) = (case.order.totals.grand, case.there.as_ref().and_then(|there| there.totals.grand));
    let (withdrawn, taken, stock, shared) = (false, None, None, None);
    Facts { bound: true, owed, withdrawn, has, taken, target_seen: seen, stock, shared }
}
