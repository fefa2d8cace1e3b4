//! What is decided about refunds, case by case.

mod drafts;
mod sums;

use super::*;
use crate::planner::stand_ins::order_rules;
use crate::record::{Charge, Had};
use alloc::vec::Vec;
use jiff::civil::date;
use proptest::prelude::*;

fn euros(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), "EUR".parse().unwrap())
}

/// An order of so many mugs at 10.00 and freight of 5.00, all with 19 %; what of them had happened on a side.
fn order(quantity: i64, had: [i64; 3]) -> Order {
    let [shipped, invoiced, refunded] = had.map(|count| Some(Decimal::from(count)));
    let taxes: crate::record::Tax = [("DE-19".to_string(), Decimal::from(19))].into();
    let line = Line {
        quantity: Some(quantity.into()),
        sku: Some("MUG".into()),
        net: Some(euros(1_000 * quantity)),
        tax: Some(euros(190 * quantity)),
        taxes: taxes.clone(),
        had: Had { shipped, invoiced, refunded, ..Had::default() },
        ..Line::default()
    };
    let freight = Charge { net: Some(euros(500)), taxes, ..Charge::default() };
    Order {
        life: Some(OrderLife::Open),
        currency: "EUR".parse().ok(),
        lines: [("15".to_string(), line)].into_iter().collect(),
        charges: [("shipping".to_string(), freight)].into(),
        stage: Some("process".into()),
        ..Order::default()
    }
}

/// What was given back: so many mugs, and amounts by name, for so much in all.
fn memo(quantity: i64, charges: &[(&str, i64)], grand: i64) -> Paper {
    let line =
        PaperLine { quantity: Some(quantity.into()), net: Some(euros(1_000 * quantity)), ..PaperLine::default() };
    Paper {
        number: Some("12".into()),
        life: Some(PaperLife::Paid),
        day: Some(date(2026, 11, 20)),
        currency: "EUR".parse().ok(),
        lines: (quantity > 0).then(|| ("15".to_string(), line)).into_iter().collect(),
        charges: charges.iter().map(|(name, cents)| ((*name).to_string(), euros(*cents))).collect(),
        grand: Some(euros(grand)),
        ..Paper::default()
    }
}

#[derive(Default)]
struct More<'a> {
    known: i64,
    others: &'a [Paper],
    there: Option<&'a Paper>,
    document: Option<Order>,
    refunds: Option<Refunds>,
    left: bool,
    landing: &'a [EntityId],
    /// The order's document is not there; its lane, where it is still to come.
    no_document: bool,
    coming: Option<EntityId>,
    /// Seconds into the third day after it was given back, the moment it is asked.
    seconds: i64,
    rounding_per_line: Option<u32>,
    no_stages: bool,
}

/// What is decided about `paper` of an order, of which the ERP has billed and given back so many.
fn decided(paper: &Paper, shop: &Order, erp: [i64; 2], more: More<'_>) -> Decision {
    let rounding_per_line = more.rounding_per_line.unwrap_or(1);
    let rules = OrderRules { number: "{system}-{number}".into(), rounding_per_line, ..order_rules() };
    let document = more.document.unwrap_or_else(|| order(5, [0, erp[0], erp[1]]));
    let known = [("15".to_string(), Decimal::from(more.known))].into();
    let stages = if more.no_stages { Vec::new() } else { ["post".to_string()].to_vec() };
    let profile = KindProfile { stages, price_digits: Some(4), ..KindProfile::default() };
    let today = date(2026, 11, 23).to_zoned(TimeZone::UTC).unwrap().timestamp();
    refund(&RefundCase {
        now: today.checked_add(SignedDuration::from_secs(more.seconds)).unwrap(),
        refunds: more.refunds.unwrap_or(Refunds::Carry),
        orders: &rules,
        paper,
        scope: "1",
        order: shop,
        document: Some(&document).filter(|_| !more.no_document),
        coming: more.coming,
        known: &known,
        others: more.others,
        landing: more.landing,
        left: more.left,
        there: more.there,
        profile: &profile,
    })
}

fn code(decision: &Decision) -> String {
    match decision {
        Decision::Hold(hold) => hold.code.clone(),
        Decision::Step(plan) => plan.step.word(),
        Decision::Awaiting(..) => "awaiting".into(),
        Decision::Outside(_) => "outside".into(),
        Decision::Agreed => "agreed".into(),
        other => alloc::format!("{other:?}"),
    }
}

proptest! {
    /// Whatever both sides count and whoever did it: no more is given back than is billed and left, and only where nobody
    /// else gave it back.
    #[test]
    fn no_more_is_given_back_than_is_billed(
        billed in 0i64..6, given in 0i64..6, known in 0i64..6, quantity in 1i64..6, shipped in 0i64..6,
    ) {
        let shop = order(5, [shipped, 5, quantity]);
        let decision = decided(&memo(quantity, &[], 1_190 * quantity), &shop, [billed, given], More { known, ..More::default() });
        let fits = given <= known && quantity + known <= billed;
        prop_assert_eq!(matches!(&decision, Decision::Step(plan) if plan.step == Step::Create), fits, "{:?}", decision);
    }
}

#[test]
fn what_a_shop_gives_back_is_made_to_the_cent_or_held_before_anything_is() {
    let shop = order(5, [5, 5, 2]);
    let made = |paper: &Paper| decided(paper, &shop, [5, 0], More::default());
    let Decision::Step(plan) = made(&memo(2, &[("shipping", 500), ("adjustment", -100)], 2_875)) else { panic!() };
    let told: Vec<String> =
        plan.leaves.iter().map(|(path, value)| alloc::format!("{path} {}", value.unwrap())).collect();
    assert_eq!(
        told,
        [
            "charges[adjustment].net -1.00 EUR",
            "charges[shipping].net 5.00 EUR",
            "currency EUR",
            "grand 28.75 EUR",
            "lines[15].net 20.00 EUR",
            "lines[15].quantity 2",
            "number shop-12"
        ]
    );
    for (paper, wanted) in [
        (memo(0, &[("shipping", 250)], 298), "create"),
        (memo(0, &[("adjustment", 305)], 305), "create"),
        (memo(1, &[], 1_191), "create"),
        (memo(1, &[], 1_250), "SYN-0199"),
        (memo(0, &[], 0), "SYN-0199"),
    ] {
        assert_eq!(code(&made(&paper)), wanted, "{:?}", paper.grand);
    }
    // 10.0836 and its tax come to 11.9995, which is 12.00; a cent beside that is rounding.
    let finely = |grand| {
        let mut paper = memo(1, &[], grand);
        paper.lines.get_mut("15").unwrap().net = Some(Money::new(Decimal::new(100_836, 4), "EUR".parse().unwrap()));
        code(&made(&paper))
    };
    assert_eq!([1_201, 1_202].map(finely), ["create", "SYN-0199"]);
}

#[test]
fn what_may_have_been_given_back_twice_is_asked_about() {
    let (shop, one) = (order(5, [5, 5, 1]), memo(1, &[], 1_190));
    let beside = |other: Paper| code(&decided(&one, &shop, [5, 0], More { others: &[other], ..More::default() }));
    assert_eq!(beside(memo(1, &[], 1_100)), "SYN-0192");
    assert_eq!(beside(memo(0, &[("adjustment", 1_190)], 1_190)), "SYN-0192", "the same money");
    assert_eq!(beside(memo(0, &[("shipping", 500)], 595)), "create");
    let freight = memo(0, &[("shipping", 500)], 595);
    let other = [memo(0, &[("shipping", 250)], 298)];
    let told = decided(&freight, &shop, [5, 0], More { others: &other, ..More::default() });
    assert_eq!(code(&told), "SYN-0192");
    assert_eq!(code(&decided(&one, &shop, [5, 1], More { known: 1, ..More::default() })), "create");
    assert_eq!(code(&decided(&one, &shop, [5, 1], More::default())), "SYN-0192");
    assert_eq!(code(&decided(&one, &shop, [5, 1], More { left: true, ..More::default() })), "outside");
}

#[test]
fn what_is_not_billed_yet_awaits_it_and_what_never_will_be_is_held() {
    let one = memo(1, &[], 1_190);
    let told = |shop: [i64; 3], erp| code(&decided(&one, &order(5, shop), erp, More::default()));
    assert_eq!(told([5, 5, 1], [0, 0]), "awaiting", "it left, and is billed sooner or later");
    assert_eq!(told([0, 5, 1], [0, 0]), "SYN-0193", "it never left");
    assert_eq!(told([0, 5, 1], [5, 0]), "create");
    assert_eq!(told([5, 5, 5], [4, 4]), "SYN-0192");
    let late = Paper { day: Some(date(2026, 10, 1)), ..memo(0, &[("adjustment", 100)], 100) };
    assert_eq!(code(&decided(&late, &order(5, [0, 5, 0]), [0, 0], More::default())), "SYN-0193");
    let off = Order { stage: Some("cancelled".into()), ..order(5, [0, 5, 0]) };
    assert_eq!(
        code(&decided(&one, &order(5, [5, 5, 1]), [5, 0], More { document: Some(off), ..More::default() })),
        "SYN-0194"
    );
    let ask = More { refunds: Some(Refunds::Ask), ..More::default() };
    assert_eq!(code(&decided(&one, &order(5, [5, 5, 1]), [5, 0], ask)), "outside");
}

#[test]
fn a_draft_is_brought_to_the_cent_then_put_in_force_unless_that_is_left_to_people() {
    let shop = order(5, [5, 5, 1]);
    let one = memo(1, &[], 1_190);
    let draft = |grand| Paper { life: Some(PaperLife::Open), number: None, ..memo(1, &[], grand) };
    let told = |there: &Paper, refunds| {
        code(&decided(&one, &shop, [5, 1], More { there: Some(there), refunds: Some(refunds), ..More::default() }))
    };
    assert_eq!(told(&draft(1_190), Refunds::Carry), "advance(post)");
    assert_eq!(told(&draft(1_190), Refunds::Draft), "agreed");
    assert_eq!(told(&draft(1_189), Refunds::Draft), "lines");
    assert_eq!(told(&draft(1_050), Refunds::Carry), "SYN-0113");
    let also = |refunds| {
        code(&decided(
            &one,
            &shop,
            [5, 2],
            More { there: Some(&draft(1_190)), refunds: Some(refunds), ..More::default() },
        ))
    };
    assert_eq!(also(Refunds::Carry), "SYN-0192", "the office gave one back since");
    assert_eq!(also(Refunds::Draft), "agreed");
    assert_eq!(told(&memo(1, &[], 1_190), Refunds::Carry), "agreed");
    assert_eq!(told(&memo(1, &[], 1_189), Refunds::Carry), "SYN-0197");
    assert_eq!(told(&memo(2, &[], 1_190), Refunds::Carry), "SYN-0195");
    let void = Paper { life: Some(PaperLife::Void), ..draft(1_190) };
    assert_eq!(told(&void, Refunds::Carry), "SYN-0194");
}

#[test]
fn what_is_less_than_the_smallest_coin_is_never_made_up_for() {
    let yen = |hundredths: i64| Money::new(Decimal::new(hundredths, 2), "JPY".parse().unwrap());
    let shop = Order { currency: "JPY".parse().ok(), lines: core::iter::empty().collect(), ..order(5, [0; 3]) };
    let paper = |life, hundredths| Paper {
        life: Some(life),
        currency: "JPY".parse().ok(),
        charges: [("adjustment".to_string(), yen(hundredths))].into(),
        grand: Some(yen(hundredths)),
        ..memo(0, &[], 0)
    };
    // One euro of an order in yen: the shop says 151.37.
    let one = paper(PaperLife::Paid, 15_137);
    let told = |there: &Paper| code(&decided(&one, &shop, [0, 0], More { there: Some(there), ..More::default() }));
    assert_eq!(told(&paper(PaperLife::Open, 15_100)), "advance(post)");
    assert_eq!(told(&paper(PaperLife::Paid, 15_100)), "agreed");
    assert_eq!(told(&paper(PaperLife::Open, 15_200)), "lines");
    assert_eq!(told(&paper(PaperLife::Paid, 15_200)), "SYN-0197");
}
