//! What is decided about credit notes that are there: drafts, those in force, and those withdrawn.

use super::*;

/// What is decided about one mug given back for 11.90, of which the ERP shows `there`.
fn shown(paper: &Paper, shop: &Order, there: &Paper, more: More<'_>) -> Decision {
    decided(paper, shop, [5, 1], More { there: Some(there), ..more })
}

fn shop() -> Order {
    order(5, [5, 5, 1])
}

fn one() -> Paper {
    memo(1, &[], 1_190)
}

fn draft(grand: i64) -> Paper {
    Paper { life: Some(PaperLife::Open), number: None, ..memo(1, &[], grand) }
}

#[test]
fn what_was_withdrawn_on_one_side_alone_is_asked_about() {
    let void = |paper: Paper| Paper { life: Some(PaperLife::Void), ..paper };
    let of = |paper: &Paper, there: &Paper, left| match shown(paper, &shop(), there, More { left, ..More::default() }) {
        Decision::Hold(hold) => alloc::format!("{}: {}", hold.code, hold.what),
        other => code(&other),
    };
    assert_eq!(of(&one(), &one(), false), "agreed");
    assert_eq!(of(&void(one()), &void(one()), false), "agreed");
    assert_eq!(of(&void(one()), &one(), false), "SYN-0194: it was withdrawn in shop after erp was told");
    assert_eq!(of(&one(), &void(one()), false), "SYN-0194: credit 12 was withdrawn in erp");
    assert_eq!(of(&one(), &void(draft(1_190)), false), "SYN-0194: its draft was withdrawn in erp");
    assert_eq!(of(&void(one()), &one(), true), "agreed", "left to people");
}

#[test]
fn a_note_of_other_lines_or_another_sum_is_asked_about() {
    let of = |there: &Paper| match shown(&one(), &shop(), there, More::default()) {
        Decision::Hold(hold) => alloc::format!("{}: {}", hold.code, hold.what),
        other => code(&other),
    };
    let mut beside = one();
    beside.lines.insert("16".to_string(), PaperLine { quantity: Some(1.into()), ..PaperLine::default() });
    assert_eq!(of(&beside), "SYN-0195: credit 12 in erp: line 16 gives back 1, not 0");
    assert_eq!(of(&memo(0, &[], 1_190)), "SYN-0195: credit 12 in erp: line 15 gives back 0, not 1");
    assert_eq!(of(&Paper { grand: None, ..one() }), "SYN-0197: credit 12 in erp tells no total");
    assert_eq!(of(&memo(1, &[], 1_191)), "SYN-0197: 11.90 EUR were given back in shop, 11.91 EUR in erp");
    let none = shown(&Paper { grand: None, ..one() }, &shop(), &one(), More::default());
    assert_eq!(code(&none), "SYN-0197");
}

#[test]
fn a_draft_is_brought_to_the_cent_as_far_as_rounding_and_the_price_of_one_explain() {
    let level = |grand: i64, had: Option<i64>, per_line: u32| {
        let mut there = draft(grand);
        there.charges.extend(had.map(|cents| ("rounding".to_string(), euros(cents))));
        match shown(&one(), &shop(), &there, More { rounding_per_line: Some(per_line), ..More::default() }) {
            Decision::Step(plan) if plan.step == Step::Lines => {
                let told = plan.leaves.iter().map(|(path, value)| alloc::format!("{path} {}", value.unwrap()));
                told.collect::<Vec<_>>().join(", ")
            }
            other => code(&other),
        }
    };
    for (grand, had, per_line, expected) in [
        (1_190, None, 1, "advance(post)"),
        (1_189, None, 1, "charges[rounding].net 0.01 EUR"),
        (1_191, None, 1, "charges[rounding].net -0.01 EUR"),
        (1_188, None, 1, "charges[rounding].net 0.02 EUR"),
        (1_187, None, 1, "SYN-0113"),
        (1_193, None, 1, "SYN-0113"),
        (1_187, None, 3, "charges[rounding].net 0.03 EUR"),
        (1_186, None, 3, "SYN-0113"),
        (1_189, Some(1), 1, "charges[rounding].net 0.02 EUR"),
        (1_189, Some(2), 1, "SYN-0113"),
        (1_191, Some(2), 1, "charges[rounding].net 0.01 EUR"),
        (1_190, Some(2), 1, "advance(post)"),
    ] {
        assert_eq!(level(grand, had, per_line), expected, "{grand} with {had:?} of rounding, {per_line} a line");
    }
    let francs = Paper { grand: Some(Money::new(Decimal::new(1_190, 2), "CHF".parse().unwrap())), ..draft(0) };
    assert_eq!(code(&shown(&one(), &shop(), &francs, More::default())), "SYN-0113");
}

#[test]
fn a_draft_is_put_in_force_unless_its_order_is_on_hold_or_another_credit_may_be_landing() {
    let held = Order { life: Some(OrderLife::Held), ..shop() };
    let lanes = [EntityId(8)];
    let of = |shop: &Order, more: More<'_>| code(&shown(&one(), shop, &draft(1_190), more));
    assert_eq!(of(&shop(), More::default()), "advance(post)");
    assert_eq!(of(&held, More::default()), "SYN-0196");
    assert_eq!(
        of(&held, More { refunds: Some(Refunds::Draft), ..More::default() }),
        "agreed",
        "people put it in force"
    );
    let landing = of(&shop(), More { landing: &lanes, ..More::default() });
    assert!(landing.starts_with("Wait([EntityId(8)]"), "{landing}");
    assert_eq!(of(&shop(), More { no_stages: true, ..More::default() }), "agreed", "an ERP whose notes have no stages");
    assert_eq!(of(&shop(), More { no_document: true, ..More::default() }), "advance(post)");
    let plan = shown(&one(), &shop(), &draft(1_190), More::default());
    let Decision::Step(plan) = plan else { panic!("{plan:?}") };
    assert!(plan.leaves.is_empty() && plan.target.as_str() == "erp", "{plan:?}");
    assert_eq!(plan.reason, "its draft agrees with what was given back");
}
