//! What is decided about a paper, sort by sort.

mod amounts;
mod counted;

use super::*;
use crate::money::Money;
use crate::record::{Had, PaperLine, Track};
use crate::rules::{MoneyRule, Refunds};
use alloc::vec::Vec;
use proptest::prelude::*;

/// An order of one line, of which some have had something done about them.
fn order(quantity: i64, shipped: i64) -> Order {
    let had = Had { shipped: Some(shipped.into()), invoiced: Some(shipped.into()), ..Had::default() };
    let line = Line { quantity: Some(quantity.into()), sku: Some("MUG".into()), had, ..Line::default() };
    Order { life: Some(OrderLife::Open), lines: [("15".to_string(), line)].into_iter().collect(), ..Order::default() }
}

fn parcel(quantity: i64, tracks: &[&str]) -> Paper {
    let line = PaperLine { quantity: Some(quantity.into()), ..PaperLine::default() };
    let track = Track { carrier: Some("dhl".into()), title: Some("DHL".into()) };
    Paper {
        life: Some(PaperLife::Done),
        lines: [("15".to_string(), line)].into(),
        tracks: tracks.iter().map(|number| ((*number).to_string(), track.clone())).collect(),
        ..Paper::default()
    }
}

/// What else is known of a paper.
#[derive(Default)]
struct More<'a> {
    there: Option<&'a Paper>,
    written: Leaves,
    adopted: bool,
    left: bool,
    alone: &'a [Alone],
    others: &'a [Paper],
    given: &'a [Money],
    strange: &'a [String],
    landing: &'a [EntityId],
    /// What other papers of ours have had of lines beside the one that most orders here have.
    known: &'a [(&'a str, i64)],
    rules: Option<PaperTarget>,
}

fn target() -> PaperTarget {
    PaperTarget {
        system: SystemName::new("shop"),
        carriers: [("DHL*".to_string(), "dhl".to_string())].into(),
        places: Vec::new(),
        invoices: MoneyRule::Paid,
        credits: MoneyRule::Posted,
        payments: BTreeMap::new(),
        refunds: Refunds::Ask,
    }
}

/// What is decided about `paper` where the shop shows `order` and other papers of ours have had `known` of the line.
fn decided(kind: Kind, paper: &Paper, order: &Order, known: i64, more: More<'_>) -> Decision {
    let erp = SystemName::new("erp");
    let rules = more.rules.unwrap_or_else(target);
    let known = core::iter::once(("15", known)).chain(more.known.iter().copied());
    let known = known.map(|(key, count)| (key.to_string(), Decimal::from(count))).collect();
    super::paper(&PaperCase {
        kind,
        source: &erp,
        rules: &rules,
        paper,
        strange: more.strange,
        order,
        known: &known,
        alone: more.alone,
        others: more.others,
        given: more.given,
        landing: more.landing,
        adopted: more.adopted,
        left: more.left,
        there: more.there,
        written: &more.written,
    })
}

#[test]
fn what_left_from_no_place_of_the_erp_leaves_from_the_first_of_the_shop() {
    let erp = SystemName::new("erp");
    let places =
        [("main", "WH"), ("north", "NH")].map(|(place, house)| (place.to_string(), alloc::vec![house.to_string()]));
    let rules = PaperTarget { places: places.to_vec(), ..target() };
    let from = |place: Option<&str>| {
        let paper = Paper { place: place.map(str::to_string), ..parcel(2, &[]) };
        let decision = super::paper(&PaperCase {
            kind: Kind::Shipment,
            source: &erp,
            rules: &rules,
            paper: &paper,
            strange: &[],
            order: &order(5, 0),
            known: &BTreeMap::new(),
            alone: &[],
            others: &[],
            given: &[],
            landing: &[],
            adopted: false,
            left: false,
            there: None,
            written: &Leaves::new(),
        });
        match decision {
            Decision::Step(plan) => {
                plan.leaves.value(&Path::field("place")).map(ToString::to_string).unwrap_or_default()
            }
            other => held(&other).to_string(),
        }
    };
    assert_eq!((from(Some("NH")).as_str(), from(Some("other")).as_str()), ("north", "SYN-0190"));
    assert_eq!(from(None), "main", "a supplier sent it");
}

fn held(decision: &Decision) -> &str {
    match decision {
        Decision::Hold(hold) => &hold.code,
        _ => "",
    }
}

/// What is decided, in a few words: what the shop is told, or why it is not.
fn told(decision: &Decision) -> String {
    match decision {
        Decision::Hold(hold) => alloc::format!("{}: {}", hold.code, hold.what),
        Decision::Step(plan) => {
            let value = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
            let fields = plan.leaves.iter().map(|(path, told)| alloc::format!("{path} {}", value(told)));
            fields.collect::<Vec<_>>().join(", ")
        }
        Decision::Outside(why) => why.clone(),
        other => alloc::format!("{other:?}"),
    }
}

proptest! {
    /// Whatever the shop counts and whoever did it: what is told never exceeds what the order has left, and is told only
    /// where nobody else did the same.
    #[test]
    fn no_more_is_told_than_an_order_has_left(
        ordered in 1i64..9, shipped in 0i64..12, known in 0i64..12, quantity in 0i64..9,
    ) {
        let told = decided(Kind::Shipment, &parcel(quantity, &[]), &order(ordered, shipped), known, More::default());
        if let Decision::Step(plan) = told {
            prop_assert!(quantity > 0 && shipped <= known && quantity + known.max(shipped) <= ordered);
            let path = Path::element("lines", "15").dot("quantity");
            prop_assert_eq!(plan.leaves.value(&path), Some(&Value::Number(quantity.into())));
        } else if quantity > 0 && shipped <= known && quantity + known.max(shipped) <= ordered {
            prop_assert!(false, "{told:?}");
        }
    }
}

#[test]
fn what_somebody_else_shipped_is_asked_about() {
    let code = |shipped, known| {
        let decision = decided(Kind::Shipment, &parcel(2, &[]), &order(5, shipped), known, More::default());
        held(&decision).to_string()
    };
    assert_eq!(code(1, 0), "SYN-0192");
    assert_eq!(code(3, 3), "");
    assert_eq!(code(4, 4), "SYN-0193");
    let adopted = decided(Kind::Shipment, &parcel(2, &[]), &order(5, 2), 0, More { adopted: true, ..More::default() });
    assert!(matches!(adopted, Decision::Outside(_)), "{adopted:?}");
    let left = decided(Kind::Shipment, &parcel(2, &[]), &order(5, 2), 0, More { left: true, ..More::default() });
    assert!(matches!(left, Decision::Outside(_)), "{left:?}");
}

#[test]
fn an_invoice_waits_for_its_money_and_one_the_shop_has_is_left_alone() {
    let posted = parcel(2, &[]);
    let paid = Paper { life: Some(PaperLife::Paid), ..posted.clone() };
    assert!(matches!(decided(Kind::Invoice, &posted, &order(2, 0), 0, More::default()), Decision::Outside(_)));
    assert!(matches!(decided(Kind::Invoice, &paid, &order(2, 0), 0, More::default()), Decision::Step(_)));
    assert!(matches!(decided(Kind::Invoice, &paid, &order(2, 2), 0, More::default()), Decision::Outside(_)));
    assert_eq!(held(&decided(Kind::Invoice, &paid, &order(4, 1), 0, More::default())), "SYN-0192");
}

fn euros(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), "EUR".parse().unwrap())
}

/// An order of two pieces at 11.90, one of them invoiced where `invoiced` says so, and 5.00 of freight.
fn with_freight(invoiced: i64) -> Order {
    let mut order = order(2, invoiced);
    order.currency = "EUR".parse().ok();
    for (_, line) in order.lines.iter_mut() {
        (line.net, line.tax) = (Some(euros(2_000)), Some(euros(380)));
    }
    let freight = crate::record::Charge { net: Some(euros(500)), ..crate::record::Charge::default() };
    order.charges.insert("shipping".into(), freight);
    order
}

fn bill(quantity: i64, cents: i64) -> Paper {
    Paper { life: Some(PaperLife::Paid), grand: Some(euros(cents)), ..parcel(quantity, &[]) }
}

#[test]
fn an_invoice_that_the_shop_would_ask_otherwise_is_held_before_any_money_moves() {
    let order = with_freight(0);
    let told = |bill: &Paper| held(&decided(Kind::Invoice, bill, &order, 0, More::default())).to_string();
    assert_eq!((told(&bill(2, 2_880)).as_str(), told(&bill(1, 1_190)).as_str()), ("", "SYN-0199"));
    let Decision::Step(plan) = decided(Kind::Invoice, &bill(2, 2_880), &order, 0, More::default()) else { panic!() };
    assert_eq!(plan.leaves.value(&Path::field("grand")), Some(&Value::Money(euros(2_880))));
    assert_eq!(told(&bill(1, 1_690)), "", "all freight goes with the first");
}

#[test]
fn freight_that_was_billed_before_goes_along_with_the_first_goods() {
    let alone = |cents: i64, due: bool| [Alone { number: "7".to_string(), grand: euros(cents), due }];
    let (paid, owed) = (alone(500, true), alone(500, false));
    let of = |bill: &Paper, invoiced: i64, alone: &[Alone]| {
        decided(Kind::Invoice, bill, &with_freight(invoiced), invoiced, More { alone, ..More::default() })
    };
    let asked = |decision: Decision| match decision {
        Decision::Step(plan) => plan.leaves.value(&Path::field("grand")).cloned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(asked(of(&bill(1, 1_190), 0, &paid)), Some(Value::Money(euros(1_690))));
    assert_eq!(asked(of(&bill(1, 1_190), 1, &paid)), Some(Value::Money(euros(1_190))), "it went with the first");
    let waits = of(&bill(1, 1_190), 0, &owed);
    assert!(matches!(&waits, Decision::Outside(why) if why.contains("7 is not paid yet")), "{waits:?}");
    assert_eq!(held(&of(&bill(1, 1_190), 0, &alone(499, true))), "", "a cent may be rounded");
    assert_eq!(held(&of(&bill(1, 1_190), 0, &alone(700, true))), "SYN-0199", "the shop knows of no such money");
}

#[test]
fn the_shops_first_invoice_is_held_against_goods_and_freight() {
    let alone = [Alone { number: "7".to_string(), grand: euros(500), due: true }];
    let seen = |quantity: i64, cents: i64, freight: bool| {
        let mut there = bill(quantity, cents);
        if freight {
            there.charges.insert("shipping".to_string(), euros(500));
        }
        let more = More { there: Some(&there), alone: &alone, ..More::default() };
        held(&decided(Kind::Invoice, &bill(1, 1_190), &with_freight(1), 1, more)).to_string()
    };
    assert_eq!((seen(1, 1_690, true), seen(1, 1_190, false)), (String::new(), String::new()));
    assert_eq!((seen(1, 1_190, true).as_str(), seen(1, 1_690, false).as_str()), ("SYN-0197", "SYN-0197"));
}

#[test]
fn an_invoice_of_freight_alone_waits_for_goods_and_other_money_is_held() {
    let freight = |cents: i64| Paper { lines: BTreeMap::new(), ..bill(1, cents) };
    let told = |cents: i64, invoiced: i64| {
        decided(Kind::Invoice, &freight(cents), &with_freight(invoiced), invoiced, More::default())
    };
    assert!(matches!(told(500, 0), Decision::Outside(_)), "{:?}", told(500, 0));
    assert!(matches!(told(500, 1), Decision::Outside(_)), "{:?}", told(500, 1));
    assert!(matches!(told(700, 2), Decision::Outside(_)), "{:?}", told(700, 2));
    assert_eq!((held(&told(700, 0)), held(&told(700, 1))), ("SYN-0199", "SYN-0199"));
    let nothing = Paper { grand: None, ..freight(500) };
    assert!(matches!(decided(Kind::Invoice, &nothing, &order(2, 0), 0, More::default()), Decision::Outside(_)));
}

#[test]
fn a_credit_of_what_the_shop_never_asked_for_is_held() {
    let money = Money::new(Decimal::new(595, 2), "EUR".parse().unwrap());
    let (mut billed, back) = (order(2, 2), Paper { grand: Some(money), lines: BTreeMap::new(), ..parcel(1, &[]) });
    billed.currency = Some(money.currency);
    let unbilled = Order { lines: order(2, 0).lines, ..billed.clone() };
    let told = |order: &Order| {
        let mut order = order.clone();
        let net = crate::record::Charge { net: Some(money), ..crate::record::Charge::default() };
        order.charges.insert("shipping".into(), net);
        let back = Paper { charges: [("shipping".to_string(), money)].into(), ..back.clone() };
        decided(Kind::Credit, &back, &order, 0, More::default())
    };
    assert_eq!((held(&told(&unbilled)), held(&told(&billed))), ("SYN-0193", ""));
    assert!(matches!(told(&billed), Decision::Step(_)));
}

#[test]
fn a_credit_of_more_than_is_left_of_what_was_paid_is_held_with_what_is_left() {
    let back = |cents| {
        let charges = [("shipping".to_string(), euros(cents))].into();
        Paper { lines: BTreeMap::new(), charges, grand: Some(euros(cents)), ..parcel(1, &[]) }
    };
    let mut order = order(2, 2);
    (order.currency, order.payment.captured) = ("EUR".parse().ok(), Some(euros(500)));
    let net = crate::record::Charge { net: Some(euros(900)), ..crate::record::Charge::default() };
    order.charges.insert("shipping".into(), net);
    let told =
        |cents, given: &[Money]| decided(Kind::Credit, &back(cents), &order, 0, More { given, ..More::default() });
    let code = |cents, given: &[Money]| held(&told(cents, given)).to_string();
    assert_eq!((code(500, &[]).as_str(), code(501, &[]).as_str()), ("", "SYN-0193"));
    assert_eq!((code(300, &[euros(200)]).as_str(), code(301, &[euros(200)]).as_str()), ("", "SYN-0193"));
    let Decision::Hold(hold) = told(301, &[euros(200)]) else { panic!() };
    assert!(hold.what.contains("3.00 EUR left"), "{}", hold.what);
}

#[test]
fn a_credit_that_may_be_the_shops_own_is_asked_about() {
    let freight = |cents| Paper {
        lines: BTreeMap::new(),
        charges: [("shipping".to_string(), euros(cents))].into(),
        grand: Some(euros(cents)),
        ..parcel(1, &[])
    };
    let mut order = order(2, 2);
    order.currency = "EUR".parse().ok();
    let net = crate::record::Charge { net: Some(euros(500)), ..crate::record::Charge::default() };
    order.charges.insert("shipping".into(), net);
    let told = |others: &[Paper]| {
        held(&decided(Kind::Credit, &freight(300), &order, 0, More { others, ..More::default() })).to_string()
    };
    assert_eq!((told(&[]).as_str(), told(&[freight(200)]).as_str()), ("", "SYN-0192"));
    assert_eq!(told(&[parcel(1, &[])]), "", "goods are no freight");
}

#[test]
fn a_shop_keeps_the_parcels_its_people_added() {
    let dhl = |number: &str| (number.to_string(), Track { carrier: Some("dhl".into()), title: Some("DHL".into()) });
    let there = Paper { tracks: [dhl("old"), dhl("hand")].into(), ..parcel(2, &[]) };
    let mut written = Leaves::new();
    put_track(&mut written, "old", &Track { carrier: Some("dhl".into()), title: Some("DHL".into()) });
    let wanted = parcel(2, &["new"]);
    let decision =
        decided(Kind::Shipment, &wanted, &order(2, 2), 0, More { there: Some(&there), written, ..More::default() });
    let Decision::Step(plan) = decision else { panic!("{decision:?}") };
    let told: Vec<String> =
        plan.leaves.iter().map(|(path, value)| alloc::format!("{path}: {}", value.is_some())).collect();
    assert_eq!(
        told,
        [
            "tracks[new].carrier: true",
            "tracks[new].title: true",
            "tracks[old].carrier: false",
            "tracks[old].title: false"
        ]
    );
}

#[test]
fn what_the_shop_keeps_otherwise_than_it_left_is_asked_about() {
    let there = parcel(1, &[]);
    let decision =
        decided(Kind::Shipment, &parcel(2, &[]), &order(2, 1), 0, More { there: Some(&there), ..More::default() });
    assert_eq!(held(&decision), "SYN-0195");
    let void = Paper { life: Some(PaperLife::Void), ..parcel(1, &[]) };
    let decision = decided(Kind::Shipment, &void, &order(2, 1), 0, More { there: Some(&there), ..More::default() });
    assert_eq!(held(&decision), "SYN-0194");
}
