//! What a refund comes to, of what it is, and what was billed of it.

use super::*;

/// The shop's order of five mugs, all of them sent and billed, one of them given back.
fn shop() -> Order {
    order(5, [5, 5, 1])
}

/// What is decided about `paper` of that order, of which the ERP has billed all and given back nothing.
fn of(paper: &Paper, more: More<'_>) -> String {
    code(&decided(paper, &shop(), [5, 0], more))
}

/// The hold on `paper`, as its code and what it is about.
fn hold_of(paper: &Paper, shop: &Order, more: More<'_>) -> (String, String) {
    match decided(paper, shop, [5, 0], more) {
        Decision::Hold(hold) => (hold.code, hold.what),
        other => (code(&other), String::new()),
    }
}

#[test]
fn two_credits_may_be_the_same_money_where_they_give_back_the_same_line_freight_amount_or_sum() {
    let cups = |quantity: i64| {
        let line = PaperLine { quantity: Some(quantity.into()), ..PaperLine::default() };
        Paper { lines: [("16".to_string(), line)].into(), ..memo(0, &[], 1) }
    };
    let untold = |paper: Paper| Paper { grand: None, ..paper };
    let (freight, amount) =
        (|cents| memo(0, &[("shipping", cents)], cents), |cents| memo(0, &[("adjustment", cents)], cents));
    for (one, other, same) in [
        (memo(1, &[], 1_190), memo(2, &[], 2_380), true),
        (memo(1, &[], 1_190), cups(1), false),
        (memo(1, &[], 1_190), freight(500), false),
        (memo(1, &[], 1_190), amount(500), false),
        (memo(1, &[], 1_190), amount(1_190), true),
        (memo(1, &[("shipping", 500)], 1_785), freight(300), true),
        (freight(500), freight(300), true),
        (freight(500), amount(300), false),
        (freight(500), amount(500), true),
        (amount(500), amount(300), true),
        (untold(amount(500)), untold(amount(300)), true),
        (untold(memo(1, &[], 0)), untold(freight(500)), false),
        (untold(freight(500)), untold(amount(500)), false),
        // What is told as nothing is none of it.
        (memo(1, &[("shipping", 0)], 1_190), freight(300), false),
        (freight(0), amount(300), true),
        (cups(0), memo(1, &[], 1_190), false),
        (cups(0), amount(300), true),
    ] {
        assert_eq!(may_be_the_same(&one, &other), same, "{one:?} and {other:?}");
        assert_eq!(may_be_the_same(&other, &one), same, "the other way round: {other:?} and {one:?}");
    }
}

#[test]
fn what_is_not_in_force_or_not_to_be_carried_is_none_of_the_erps_business() {
    let with = |life, refunds| {
        let paper = Paper { life, ..memo(1, &[], 1_190) };
        of(&paper, More { refunds: Some(refunds), ..More::default() })
    };
    for (life, carried) in [
        (None, "outside"),
        (Some(PaperLife::Open), "outside"),
        (Some(PaperLife::Void), "outside"),
        (Some(PaperLife::Done), "create"),
        (Some(PaperLife::Paid), "create"),
    ] {
        assert_eq!([with(life, Refunds::Carry), with(life, Refunds::Draft)], [carried; 2], "{life:?}");
        assert_eq!(with(life, Refunds::Ask), "outside", "{life:?}");
    }
}

#[test]
fn a_credit_waits_for_its_order_and_for_one_that_may_be_landing() {
    let (one, lanes) = (memo(1, &[], 1_190), [EntityId(8)]);
    let gone = |coming| of(&one, More { no_document: true, coming, ..More::default() });
    assert_eq!(gone(None), "outside");
    assert!(gone(Some(EntityId(7))).starts_with("Wait([EntityId(7)]"), "{}", gone(Some(EntityId(7))));
    let landing = of(&one, More { landing: &lanes, ..More::default() });
    assert!(landing.starts_with("Wait([EntityId(8)]"), "{landing}");
}

#[test]
fn a_credit_of_nothing_or_that_does_not_tell_its_sum_is_held() {
    for (grand, expected) in
        [(Some(595), "create"), (Some(0), "SYN-0199"), (Some(-595), "SYN-0199"), (None, "SYN-0199")]
    {
        let paper = Paper { grand: grand.map(euros), ..memo(0, &[("shipping", 500)], 0) };
        assert_eq!(of(&paper, More::default()), expected, "{grand:?}");
    }
    let free = memo(0, &[("adjustment", 0)], 0);
    assert_eq!(hold_of(&free, &shop(), More::default()).1, "it does not tell what was given back");
}

#[test]
fn a_credit_comes_to_its_lines_and_amounts_with_tax_some_cents_for_each_aside() {
    // A mug and freight: two parts at so many cents each.
    let with = |off: i64, per_line: u32| {
        let paper = memo(1, &[("shipping", 500)], 1_785 + off);
        of(&paper, More { rounding_per_line: Some(per_line), ..More::default() })
    };
    for (per_line, fits, beyond) in [(0, 0, 1), (1, 2, 3), (2, 4, 5), (3, 6, 7)] {
        assert_eq!([with(fits, per_line), with(-fits, per_line)], ["create", "create"], "{per_line} cents each");
        assert_eq!([with(beyond, per_line), with(-beyond, per_line)], ["SYN-0199"; 2], "{per_line} cents each");
    }
    let told = hold_of(&memo(1, &[("shipping", 500)], 1_900), &shop(), More::default());
    assert_eq!(told.1, "19.00 EUR were given back, and its lines, freight and amounts come to 17.85 EUR");
}

#[test]
fn what_does_not_tell_its_money_or_is_in_another_currency_is_held() {
    let untold = |shop: &Order| {
        let mut paper = memo(1, &[("shipping", 500)], 595);
        paper.lines.values_mut().for_each(|line| line.net = None);
        hold_of(&paper, shop, More::default())
    };
    assert_eq!(
        untold(&shop()),
        ("SYN-0199".to_string(), "line 15 does not tell what was given back for it".to_string())
    );
    let mut gift = shop();
    gift.lines.iter_mut().for_each(|(_, line)| (line.net, line.tax) = (Some(euros(0)), None));
    assert_eq!(untold(&gift).0, "create", "a gift has no money");
    let francs = Order { currency: "CHF".parse().ok(), ..shop() };
    assert_eq!(
        hold_of(&memo(1, &[], 1_190), &francs, More::default()),
        ("SYN-0199".to_string(), "11.90 EUR were given back for an order in another currency".to_string())
    );
}

#[test]
fn a_line_of_no_pieces_is_not_given_back_and_an_amount_of_nothing_not_told() {
    let mut paper = memo(1, &[("shipping", 500), ("adjustment", 0)], 595);
    paper.number = None;
    for quantity in [0, -1] {
        paper.lines.values_mut().for_each(|line| line.quantity = Some(quantity.into()));
        let Decision::Step(plan) = decided(&paper, &shop(), [5, 0], More::default()) else { panic!() };
        let told: Vec<String> = plan.leaves.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(told, ["charges[shipping].net", "currency", "grand"], "{quantity}");
    }
    assert_eq!((plan_target(), given_back(&Paper::default())), (("erp".to_string(), Kind::Credit), None));
}

/// Where a credit note goes.
fn plan_target() -> (String, Kind) {
    match decided(&memo(1, &[], 1_190), &shop(), [5, 0], More::default()) {
        Decision::Step(plan) => (plan.target.to_string(), plan.kind),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_billed_bounds_what_is_given_back_and_what_is_still_to_be_billed_is_awaited_for_so_many_days() {
    // How many were sent, given back in the shop, billed and given back in the ERP; whether it is a download.
    let with = |[sent, back, billed, given]: [i64; 4], known, download: bool| {
        let mut shop = order(5, [sent, 5, back]);
        if download {
            shop.lines.iter_mut().for_each(|(_, line)| line.form = Some(LineForm::Virtual));
        }
        code(&decided(&memo(2, &[], 2_380), &shop, [billed, given], More { known, ..More::default() }))
    };
    for (counts, known, expected) in [
        ([5, 2, 2, 0], 0, "create"),
        ([5, 2, 1, 0], 0, "SYN-0193"),
        ([5, 4, 4, 2], 2, "create"),
        ([5, 4, 3, 2], 2, "SYN-0193"),
        ([5, 4, 3, 0], 2, "SYN-0193"),
        ([2, 2, 0, 0], 0, "awaiting"),
        ([1, 2, 0, 0], 0, "SYN-0193"),
    ] {
        assert_eq!(with(counts, known, false), expected, "{counts:?} {known}");
    }
    assert_eq!([with([0, 2, 0, 0], 0, true), with([0, 2, 1, 0], 0, true)], ["awaiting", "SYN-0193"], "a download");
    // It was given back on the 20th, and is asked about from the 4th of the next month on.
    let days = |days: i64, second: i64| {
        let more = More { seconds: days * 86_400 + second, ..More::default() };
        code(&decided(&memo(2, &[], 2_380), &order(5, [2, 5, 2]), [0, 0], more))
    };
    assert_eq!([days(0, 0), days(11, -1), days(11, 0), days(11, 1)], ["awaiting", "awaiting", "SYN-0193", "SYN-0193"]);
}

#[test]
fn what_people_gave_back_in_the_erp_is_named_with_what_to_do() {
    let told = decided(&memo(1, &[], 1_190), &shop(), [5, 2], More { known: 1, ..More::default() });
    let Decision::Hold(hold) = told else { panic!("{told:?}") };
    assert_eq!(hold.what, "1 × MUG (line 15) were given back in erp by somebody else");
    assert_eq!(
        hold.remedy,
        "credit in erp by hand what was really given back, then `syncline retry --accept` this credit: it is left to people"
    );
    let draft = [Paper { number: None, ..memo(1, &[], 1_190) }];
    let beside = |others| hold_of(&memo(1, &[], 1_190), &shop(), More { others, ..More::default() }).1;
    assert_eq!(
        beside(&draft),
        "credit that is no more than a draft was made in erp by somebody else, and may be the same money"
    );
    assert_eq!(beside(&[memo(1, &[], 1_190)]), "credit 12 was made in erp by somebody else, and may be the same money");
}
