//! What is decided about orders whose document is there.

use super::*;

#[test]
fn a_cancelled_document_is_held_until_the_order_is_cancelled_too() {
    let word = |life| {
        let mut case = made(two_mugs(), "cancelled");
        case.order.life = Some(life);
        case.word()
    };
    assert_eq!(
        [OrderLife::Open, OrderLife::Done, OrderLife::Cancelled, OrderLife::Closed].map(word),
        ["SYN-0111", "SYN-0111", "agreed", "agreed"]
    );
}

#[test]
fn a_document_goes_from_stage_to_stage_and_its_number_goes_back_at_the_end() {
    for (stage, expected) in [
        ("draft", "advance(quote) in erp"),
        ("quote", "advance(confirm) in erp"),
        ("confirm", "advance(process) in erp"),
        ("process", "update in shop"),
        ("done", "update in shop"),
        ("parked", "SYN-0112"),
        ("", "SYN-0112"),
    ] {
        assert_eq!(made(two_mugs(), stage).word(), expected, "at `{stage}`");
    }
    let mut no_stages = made(two_mugs(), "draft");
    no_stages.profile.stages = Vec::new();
    assert_eq!(no_stages.word(), "update in shop", "an ERP whose documents have no stages");
    let plan = made(two_mugs(), "quote").step();
    assert!(plan.leaves.is_empty() && plan.kind == Kind::Order, "a stage sets no fields");
}

#[test]
fn the_number_goes_back_once_and_never_over_another_one() {
    let word = |number: Option<&str>, reference: Option<&str>, keeps_reference| {
        let mut case = Asked { keeps_reference, ..made(two_mugs(), "process") };
        case.there.as_mut().unwrap().number = number.map(ToString::to_string);
        case.order.reference = reference.map(ToString::to_string);
        case.word()
    };
    for (number, reference, keeps, expected) in [
        (Some("SO7"), None, true, "update in shop"),
        (Some("SO7"), Some(""), true, "update in shop"),
        (Some("SO7"), Some("SO7"), true, "agreed"),
        (Some("SO7"), Some("SO9"), true, "SYN-0114"),
        (Some("SO7"), None, false, "agreed"),
        (Some("SO7"), Some("SO9"), false, "agreed"),
        (None, None, true, "agreed"),
        (Some(""), None, true, "agreed"),
        (None, Some("SO9"), true, "agreed"),
    ] {
        assert_eq!(word(number, reference, keeps), expected, "{number:?} {reference:?} {keeps}");
    }
    let plan = made(two_mugs(), "process").step();
    assert_eq!(
        (plan.target.as_str(), plan.kind, shown(&plan.leaves)),
        ("shop", Kind::Order, ["reference SO7".into()].to_vec())
    );
}

#[test]
fn an_order_put_on_hold_stops_its_document_until_that_has_left_our_hands() {
    let two_weeks = 14 * 86_400;
    let word = |stage: &str, now| {
        let mut case = Asked { now, ..made(two_mugs(), stage) };
        (case.order.life, case.order.reference) = (Some(OrderLife::Held), Some("SO7".to_string()));
        case.word()
    };
    for (stage, expected) in [
        ("draft", "awaiting"),
        ("quote", "awaiting"),
        // From here on the ERP counts it as released.
        ("confirm", "advance(process) in erp"),
        ("process", "SYN-0123"),
        ("done", "agreed"),
        ("parked", "awaiting"),
    ] {
        assert_eq!(word(stage, 0), expected, "at {stage}");
    }
    assert_eq!(word("quote", two_weeks), "SYN-0101");
    let mut open = made(two_mugs(), "process");
    open.order.reference = Some("SO7".to_string());
    assert_eq!(open.word(), "agreed", "one in force goes on");
    let mut to_be_told = made(two_mugs(), "process");
    to_be_told.order.life = Some(OrderLife::Held);
    assert_eq!(to_be_told.word(), "update in shop", "its number goes back first");
    let mut nowhere = made(two_mugs(), "process");
    (nowhere.order.life, nowhere.profile.released_from) = (Some(OrderLife::Held), "shipped".to_string());
    assert_eq!(nowhere.word(), "awaiting", "an ERP that never counts it as released");
}

#[test]
fn a_document_made_before_the_flows_first_day_goes_on_and_one_that_is_not_paid_is_asked_about_once() {
    let mut early = made(two_mugs(), "quote");
    early.rules.start = Some(jiff::civil::date(2026, 11, 1));
    assert_eq!(early.word(), "advance(confirm) in erp");
    let mut unpaid = Asked { now: 15 * 86_400, ..made(two_mugs(), "quote") };
    unpaid.order.payment.authorised = None;
    unpaid.before = Some(unpaid.order.clone());
    assert_eq!(unpaid.word(), "SYN-0101", "its document is there: nobody left it to people");
    assert!(unpaid.hold()[2].starts_with("release or cancel the order"), "{:?}", unpaid.hold());
}

#[test]
fn an_order_cancelled_after_it_arrived_is_asked_about_and_then_left_as_both_are() {
    let mut case = made(two_mugs(), "quote");
    (case.before, case.order.life) = (Some(two_mugs()), Some(OrderLife::Cancelled));
    assert_eq!(case.word(), "SYN-0110");
    case.before = Some(case.order.clone());
    assert_eq!(case.word(), "agreed", "a person has accepted both as they are");
}

#[test]
fn what_another_connector_made_stays_as_it_is_unless_a_person_chose_its_number() {
    let word = |chosen: Option<&str>, reference: Option<&str>, keeps_reference| {
        let mut case = Asked { adopted: true, keeps_reference, ..made(two_mugs(), "draft") };
        case.order.reference = reference.map(ToString::to_string);
        if let Some(chosen) = chosen {
            case.chosen.put(Path::field("reference"), Value::Text(chosen.to_string()));
        }
        case.word()
    };
    for (chosen, reference, keeps, expected) in [
        (None, None, true, "agreed"),
        (Some("SO7"), None, true, "update in shop"),
        (Some("SO7"), Some("SO9"), true, "update in shop"),
        (Some("SO7"), Some("SO7"), true, "agreed"),
        (Some("SO9"), None, true, "agreed"),
        (Some("SO7"), None, false, "agreed"),
        (Some("SO9"), None, false, "agreed"),
    ] {
        assert_eq!(word(chosen, reference, keeps), expected, "{chosen:?} {reference:?} {keeps}");
    }
}
