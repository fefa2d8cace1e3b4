//! What the checker makes of documents that are made, brought to the cent, released and changed.

use super::*;

/// A document of a mug for 10.00 and freight for 5.00, with the tax on both, and whatever else is put beside.
fn document(beside: Vec<(&str, Option<Value>)>) -> Leaves {
    let leaves = told(vec![
        ("charges[shipping].net", euros(500)),
        ("charges[shipping].tax", euros(95)),
        ("lines[7].form", code("simple")),
        ("lines[7].net", euros(1_000)),
        ("lines[7].discount", euros(100)),
        ("lines[7].tax", euros(190)),
        ("payment.captured", euros(1_785)),
        ("totals.grand", euros(1_785)),
        ("totals.tax", euros(285)),
    ]);
    leaves.overlaid(&told(beside))
}

#[test]
fn what_is_made_adds_up_to_what_its_buyer_owes_or_is_refused() {
    let owed = Some(money(1_785, "EUR"));
    let comment = vec![("lines[8].form", code("comment")), ("lines[8].net", euros(9_900))];
    for (beside, owed, expected) in [
        (vec![], owed, ""),
        (vec![], None, ""),
        (comment, owed, ""),
        (vec![("totals.grand", euros(9_900))], owed, ""),
        (vec![("lines[8].net", euros(0))], owed, ""),
        (vec![("lines[7].net", euros(1_001))], owed, "lines, charges and tax make 17.86 EUR, owed is 17.85 EUR"),
        (vec![("lines[8].net", euros(-1))], owed, "lines, charges and tax make 17.84 EUR, owed is 17.85 EUR"),
        (vec![("charges[shipping].net", None)], owed, "lines, charges and tax make 12.85 EUR, owed is 17.85 EUR"),
        (vec![("charges[fee].net", euros(200))], owed, "lines, charges and tax make 19.85 EUR, owed is 17.85 EUR"),
        (vec![("totals.tax", None)], owed, "lines, charges and tax make 15.00 EUR, owed is 17.85 EUR"),
        (vec![], Some(money(1_784, "EUR")), "lines, charges and tax make 17.85 EUR, owed is 17.84 EUR"),
        (vec![("lines[7].net", Some(Value::Money(money(1_000, "CHF"))))], owed, "EUR and CHF cannot be added"),
    ] {
        let seen = Leaves::new();
        let plan = plan(Kind::Order, Step::Create, document(beside.clone()));
        assert_eq!(against(&plan, &Facts { owed, ..facts(&seen) }), expected, "{beside:?}");
    }
}

#[test]
fn a_record_gets_one_document_and_never_a_second() {
    let (seen, plan) = (Leaves::new(), plan(Kind::Order, Step::Create, document(vec![])));
    let said = |bound| against(&plan, &Facts { bound, ..facts(&seen) });
    assert_eq!((said(false).as_str(), said(true).as_str()), ("", "a second document for one record"));
}

#[test]
fn a_document_is_released_at_the_total_its_buyer_owes_and_at_no_other() {
    let (seen, sum) = (Leaves::new(), |cents| Some(money(cents, "EUR")));
    let differs = "release to `confirm` although the totals differ";
    for (owed, has, expected) in [
        (sum(1_785), sum(1_785), ""),
        (sum(1_785), sum(1_784), differs),
        (sum(1_785), sum(1_786), differs),
        (sum(1_785), Some(money(1_785, "CHF")), differs),
        (sum(1_785), None, differs),
        (None, None, ""),
        (None, sum(1_785), ""),
    ] {
        let plan = plan(Kind::Order, Step::Advance("confirm".to_string()), Leaves::new());
        assert_eq!(against(&plan, &Facts { owed, has, ..facts(&seen) }), expected, "{owed:?} {has:?}");
    }
    let setting = plan(Kind::Order, Step::Advance("confirm".to_string()), told(vec![("currency", code("CHF"))]));
    assert_eq!(against(&setting, &facts(&seen)), "a stage that sets fields");
}

#[test]
fn only_a_draft_is_brought_to_the_cent_and_by_rounding_alone() {
    let rounding = || vec![("charges[rounding].net", euros(1))];
    let (drawn, asks) = ("lines of a document that is no draft", "lines other than rounding");
    for (kind, shows, lines, expected) in [
        (Kind::Order, ("stage", "draft"), rounding(), ""),
        (Kind::Order, ("stage", "quote"), rounding(), drawn),
        (Kind::Order, ("life", "open"), rounding(), drawn),
        (Kind::Credit, ("life", "open"), rounding(), ""),
        (Kind::Credit, ("life", "done"), rounding(), drawn),
        (Kind::Credit, ("stage", "draft"), rounding(), drawn),
        (Kind::Order, ("stage", "draft"), vec![("charges[shipping].net", euros(1))], asks),
        (Kind::Order, ("stage", "draft"), vec![("lines[rounding].net", euros(1))], asks),
        (Kind::Order, ("stage", "draft"), [rounding(), vec![("lines[7].net", euros(1))]].concat(), asks),
    ] {
        let seen = told(vec![(shows.0, code(shows.1))]);
        let plan = plan(kind, Step::Lines, told(lines));
        assert_eq!(against(&plan, &facts(&seen)), expected, "{kind} that shows {shows:?}: {:?}", plan.leaves);
    }
}

#[test]
fn a_write_says_something_and_empties_nothing_but_a_parcel_of_a_shipment() {
    let seen = Leaves::new();
    for step in [Step::Update, Step::Attach("tracks".to_string())] {
        for (kind, leaves, expected) in [
            (Kind::Order, vec![], "a write of nothing"),
            (Kind::Order, vec![("reference", text("SO7"))], ""),
            (Kind::Order, vec![("reference", None)], "a field erased"),
            (Kind::Order, vec![("tracks[1Z].carrier", None)], "a field erased"),
            (Kind::Shipment, vec![("tracks[1Z].carrier", None), ("tracks[1Z].title", None)], ""),
            (Kind::Shipment, vec![("tracks[1Z].carrier", code("dhl"))], ""),
            (Kind::Shipment, vec![("tracks[1Z].carrier", None), ("number", None)], "a field erased"),
        ] {
            let plan = plan(kind, step.clone(), told(leaves.clone()));
            assert_eq!(against(&plan, &facts(&seen)), expected, "{kind} {step}: {leaves:?}");
        }
    }
}

#[test]
fn a_document_is_withdrawn_with_its_record_and_as_long_as_nothing_has_come_of_it() {
    let in_force = "a document withdrawn whose record is in force";
    let fixed = "a document withdrawn of which something has left, or was asked money for";
    for (withdrawn, shows, expected) in [
        (true, None, String::new()),
        (true, text(""), String::new()),
        (true, text("shipment 12 (done)"), fixed.to_string()),
        (false, text(""), in_force.to_string()),
        (false, text("shipment 12 (done)"), alloc::format!("{in_force}; {fixed}")),
    ] {
        let seen = told(vec![("fixed", shows.clone())]);
        let said = against(&plan(Kind::Order, Step::Cancel, Leaves::new()), &Facts { withdrawn, ..facts(&seen) });
        assert_eq!(said, expected, "withdrawn {withdrawn}, {shows:?}");
    }
}
