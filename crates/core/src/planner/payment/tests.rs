//! What is decided about what a shop took, invoice by invoice.

use super::*;
use crate::audit::{Facts, objections};
use crate::record::{PaperLine, Record};
use crate::rules::{MoneyRule, Refunds};
use alloc::boxed::Box;
use proptest::prelude::*;

fn euros(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), "EUR".parse().unwrap())
}

fn bill(id: &str, grand: i64, owed: i64, ours: i64) -> Bill {
    let life = if owed == 0 { PaperLife::Paid } else { PaperLife::Done };
    let paper = Paper {
        number: Some(alloc::format!("N{id}")),
        life: Some(life),
        currency: "EUR".parse().ok(),
        grand: Some(euros(grand)),
        owed: Some(euros(owed)),
        ..Paper::default()
    };
    Bill { id: id.to_string(), paper, ours: Decimal::new(ours, 2) }
}

fn taken(cents: i64, life: PaperLife) -> Paper {
    let day = jiff::civil::date(2026, 11, 20);
    let grand = Some(euros(cents));
    Paper { life: Some(life), grand, day: Some(day), method: Some("paypal_express".into()), ..Paper::default() }
}

fn there(parts: &[(&str, i64)]) -> Paper {
    let line = |cents| PaperLine { net: Some(euros(cents)), ..PaperLine::default() };
    let lines = parts.iter().map(|(id, cents)| ((*id).to_string(), line(*cents))).collect();
    Paper { life: Some(PaperLife::Done), lines, ..Paper::default() }
}

/// What else is known of a payment.
#[derive(Default)]
struct More<'a> {
    there: Option<&'a Paper>,
    written: Leaves,
    last: bool,
    left_to_people: Decimal,
    late: bool,
    /// The moment it is asked, where that matters.
    now: Option<&'a str>,
    landing: &'a [EntityId],
    made_of: bool,
    left: bool,
}

/// The total of an order that is not in the ERP.
const NOT_THERE: i64 = -1;

/// What is decided about `payment` of an order of `total` with these invoices.
fn decided(payment: &Paper, total: i64, bills: &[Bill], more: More<'_>) -> Decision {
    let (shop, erp) = (SystemName::new("shop"), SystemName::new("erp"));
    let rules = PaperTarget {
        system: shop.clone(),
        carriers: BTreeMap::new(),
        places: Vec::new(),
        invoices: MoneyRule::Off,
        credits: MoneyRule::Off,
        refunds: Refunds::Ask,
        payments: [("paypal*", "PayPal"), ("checkmo", BOOKED_THERE)].map(|(a, b)| (a.into(), b.into())).into(),
    };
    let now = if more.late { "2026-12-21T00:00:00Z" } else { "2026-11-29T12:00:00Z" };
    super::payment(&PaymentCase {
        now: more.now.unwrap_or(now).parse().unwrap(),
        shop: &shop,
        erp: &erp,
        rules: &rules,
        payment,
        order: Some(total).filter(|total| *total != NOT_THERE).map(euros),
        bills,
        made_of: more.made_of,
        left_to_people: more.left_to_people,
        landing: more.landing,
        last: more.last,
        left: more.left,
        there: more.there,
        written: &more.written,
    })
}

fn told(decision: &Decision) -> String {
    match decision {
        Decision::Hold(hold) => hold.code.clone(),
        Decision::Step(plan) => {
            let parts = plan.leaves.keys_of("lines").into_iter().map(|key| {
                let net = plan.leaves.value(&Path::element("lines", &key).dot("net"));
                alloc::format!("{} {key}: {}", plan.step, net.map(ToString::to_string).unwrap_or_default())
            });
            parts.collect::<Vec<_>>().join("; ")
        }
        Decision::Outside(why) | Decision::Awaiting(why, _) | Decision::Wait(_, why) => why.clone(),
        other => alloc::format!("{other:?}"),
    }
}

#[test]
fn a_payment_is_booked_on_one_invoice_after_the_other_as_far_as_these_ask() {
    let paid = taken(10_000, PaperLife::Paid);
    let one = |bills: &[Bill]| told(&decided(&paid, 10_000, bills, More::default()));
    assert_eq!(one(&[]), "no invoice of its order asks for it yet");
    assert_eq!(one(&[bill("7", 10_000, 10_000, 0)]), "create 7: 100.00 EUR");
    assert_eq!(one(&[bill("7", 6_000, 6_000, 0)]), "create 7: 60.00 EUR");
    let first = there(&[("7", 6_000)]);
    let two = |bills: &[Bill]| told(&decided(&paid, 10_000, bills, More { there: Some(&first), ..More::default() }));
    assert_eq!(two(&[bill("7", 6_000, 0, 6_000)]), "no invoice of its order asks for it yet");
    assert_eq!(two(&[bill("7", 6_000, 0, 6_000), bill("9", 4_000, 4_000, 0)]), "attach(lines) 9: 40.00 EUR");
    assert_eq!(two(&[bill("7", 6_000, 0, 6_000), bill("9", 4_000, 3_990, 0)]), "SYN-0192");
    // The ERP asks for less in all than was taken.
    let less = [bill("7", 6_000, 0, 6_000), bill("9", 3_999, 0, 3_999)];
    let whole = there(&[("7", 6_000), ("9", 3_999)]);
    assert_eq!(told(&decided(&paid, 9_999, &less, More { there: Some(&whole), ..More::default() })), "SYN-0187");
}

#[test]
fn what_somebody_else_booked_is_left_alone_or_asked_about() {
    let paid = taken(5_000, PaperLife::Paid);
    let one = |total, bills: &[Bill]| told(&decided(&paid, total, bills, More::default()));
    assert_eq!(one(5_000, &[bill("7", 5_000, 0, 0)]), "the ERP has it already");
    assert_eq!(one(5_000, &[bill("7", 5_000, 2_000, 0)]), "SYN-0192");
    assert_eq!(one(10_000, &[bill("7", 5_000, 0, 0)]), "what was invoiced so far is paid");
    // What was left to people explains what they booked.
    let bills = [bill("7", 10_000, 5_000, 0)];
    let left = More { left_to_people: Decimal::new(5_000, 2), ..More::default() };
    assert_eq!(told(&decided(&paid, 10_000, &bills, left)), "create 7: 50.00 EUR");
}

#[test]
fn a_method_says_who_books_and_one_without_a_row_is_held() {
    let bills = [bill("7", 5_000, 5_000, 0)];
    let by = |method: &str| {
        let paid = Paper { method: Some(method.into()), ..taken(5_000, PaperLife::Paid) };
        told(&decided(&paid, 5_000, &bills, More::default()))
    };
    assert_eq!(
        (by("checkmo").as_str(), by("klarna").as_str()),
        ("the ERP books what is paid this way by itself", "SYN-0185")
    );
    let free = Paper { method: Some("free".into()), ..taken(0, PaperLife::Paid) };
    assert_eq!(told(&decided(&free, 0, &bills, More::default())), "no money was taken", "it needs no row");
    let yen = Paper { currency: "JPY".parse().ok(), ..bill("7", 5_000, 5_000, 0).paper };
    let bills = [Bill { paper: yen, ..bill("7", 0, 0, 0) }];
    assert_eq!(told(&decided(&taken(5_000, PaperLife::Paid), 5_000, &bills, More::default())), "SYN-0186");
}

#[test]
fn what_was_withdrawn_or_taken_back_is_never_booked_again() {
    let (bills, booked) = ([bill("7", 5_000, 5_000, 0)], there(&[("7", 5_000)]));
    let void = taken(5_000, PaperLife::Void);
    assert_eq!(told(&decided(&void, 5_000, &bills, More::default())), "withdrawn before it was booked");
    assert_eq!(told(&decided(&void, 5_000, &bills, More { there: Some(&booked), ..More::default() })), "SYN-0194");
    let (mut written, nothing) = (Leaves::new(), there(&[]));
    written.put(Path::element("lines", "7").dot("net"), Value::Money(euros(5_000)));
    let paid = taken(5_000, PaperLife::Paid);
    let back = |there: &Paper| {
        let more = More { there: Some(there), written: written.clone(), ..More::default() };
        told(&decided(&paid, 5_000, &bills, more))
    };
    assert_eq!((back(&nothing), back(&there(&[("7", 10_000)]))), ("SYN-0195".into(), "SYN-0195".into()));
    let unpaid = [bill("7", 5_000, 5_000, 5_000)];
    let more = More { there: Some(&booked), written, ..More::default() };
    assert_eq!(told(&decided(&paid, 5_000, &unpaid, more)), "SYN-0195");
}

#[test]
fn no_cent_stays_open_without_a_word() {
    let paid = taken(5_000, PaperLife::Paid);
    let (bills, booked) = ([bill("7", 5_001, 1, 5_000)], there(&[("7", 5_000)]));
    let at_the_end =
        |last| told(&decided(&paid, 5_001, &bills, More { there: Some(&booked), last, ..More::default() }));
    assert_eq!((at_the_end(true).as_str(), at_the_end(false).as_str()), ("SYN-0189", "Agreed"));
    let late = More { late: true, ..More::default() };
    assert_eq!(told(&decided(&paid, 5_000, &[], late)), "SYN-0188");
}

proptest! {
    /// Whatever is asked for and was booked, by us or by others: no more is booked than was taken and than is asked for,
    /// on no invoice twice, and nothing while somebody else's money is there.
    #[test]
    fn no_more_is_booked_than_was_taken_or_is_asked_for(
        grand in 1i64..300, asked in proptest::collection::vec((1i64..200, 0i64..200, 0i64..200), 0..4), had in 0usize..4,
    ) {
        let mut bills = Vec::new();
        let mut booked = Vec::new();
        let ids = ["1", "2", "3", "4"];
        for (at, (asks, ours, others)) in asked.iter().enumerate() {
            let ours = if at < had { (*ours).min(*asks) } else { 0 };
            let others = (*others).min(asks - ours) * i64::from(others % 3 == 0);
            bills.push(bill(ids[at], *asks, asks - ours - others, ours));
            if ours > 0 {
                booked.push((ids[at], ours));
            }
        }
        let (paid, shown) = (taken(grand, PaperLife::Paid), there(&booked));
        let total: i64 = asked.iter().map(|(asks, ..)| asks).sum();
        let more = More { there: Some(&shown).filter(|_| !booked.is_empty()), ..More::default() };
        let decision = decided(&paid, total, &bills, more);
        if let Decision::Step(plan) = decision {
            let keys = plan.leaves.keys_of("lines");
            prop_assert_eq!(keys.len(), 1);
            let key = keys.into_iter().next().unwrap();
            let Some(Value::Money(part)) = plan.leaves.value(&Path::element("lines", &key).dot("net")) else { panic!() };
            let seen = Record::Payment(Box::new(shown.clone())).to_leaves();
            let (owed, has, stock, shared) = (None, None, None, None);
            let facts = Facts { bound: !booked.is_empty(), owed, has, withdrawn: false, taken: paid.grand, target_seen: &seen, stock, shared };
            prop_assert_eq!(objections(&plan, &facts), Vec::<String>::new());
            let bill = bills.iter().find(|bill| bill.id == key).unwrap();
            prop_assert!(part.amount > Decimal::ZERO && part.amount <= bill.paper.owed.unwrap().amount);
            prop_assert!(!booked.iter().any(|(id, _)| *id == key));
            let sum: i64 = booked.iter().map(|(_, cents)| cents).sum();
            prop_assert!(part.amount + Decimal::new(sum, 2) <= Decimal::new(grand, 2));
            let strange: Decimal = bills.iter().map(|one| {
                one.paper.grand.unwrap().amount - one.paper.owed.unwrap().amount - one.ours
            }).sum();
            prop_assert!(strange <= Decimal::ZERO);
        }
    }
}

#[test]
fn only_money_that_was_taken_is_booked() {
    let (bills, booked) = ([bill("7", 5_000, 5_000, 0)], there(&[("7", 5_000)]));
    let of = |paper: &Paper, more: More<'_>| told(&decided(paper, 5_000, &bills, more));
    let untaken = "the money was not taken yet";
    for life in [None, Some(PaperLife::Open)] {
        let paper = Paper { life, ..taken(5_000, PaperLife::Paid) };
        let seen = More { there: Some(&booked), ..More::default() };
        assert_eq!([of(&paper, More::default()), of(&paper, seen)], [untaken, "Agreed"], "{life:?}");
    }
    for life in [PaperLife::Done, PaperLife::Paid] {
        assert_eq!(of(&taken(5_000, life), More::default()), "create 7: 50.00 EUR", "{life:?}");
        let left = |there| of(&taken(5_000, life), More { left: true, there, ..More::default() });
        assert_eq!([left(None), left(Some(&booked))], ["left to people", "Agreed"]);
    }
    let nothing = Paper { grand: None, ..taken(0, PaperLife::Paid) };
    assert_eq!(of(&nothing, More::default()), "no money was taken");
}

#[test]
fn more_booked_than_was_taken_is_held_and_what_was_lost_there_is_booked_anew() {
    let (paid, bills) = (taken(5_000, PaperLife::Paid), [bill("7", 9_000, 9_000, 0), bill("9", 9_000, 3_000, 6_000)]);
    let booked = there(&[("9", 6_000)]);
    let over = decided(&paid, 18_000, &bills, More { there: Some(&booked), ..More::default() });
    let Decision::Hold(hold) = over else { panic!("{over:?}") };
    assert_eq!(
        (hold.code.as_str(), hold.what.as_str()),
        ("SYN-0195", "60.00 EUR are booked of it in erp, 50.00 EUR were taken")
    );
    assert_eq!(
        hold.remedy,
        "bring erp to what really was paid by hand, then `syncline retry --accept` this payment: it is left to people"
    );
    let mut written = Leaves::new();
    written.put(Path::element("lines", "7").dot("net"), Value::Money(euros(5_000)));
    let gone = decided(&paid, 18_000, &[bill("7", 9_000, 9_000, 0)], More { written, ..More::default() });
    assert_eq!(told(&gone), "create 7: 50.00 EUR");
}

#[test]
fn an_invoice_that_asks_again_for_what_was_booked_on_it_is_asked_about() {
    let (paid, booked) = (taken(5_000, PaperLife::Paid), there(&[("7", 3_000)]));
    let of = |bills: &[Bill]| told(&decided(&paid, 5_000, bills, More { there: Some(&booked), ..More::default() }));
    let other = || bill("9", 2_000, 2_000, 0);
    let next = "attach(lines) 9: 20.00 EUR";
    assert_eq!(of(&[bill("7", 3_000, 0, 3_000), other()]), next);
    assert_eq!(of(&[bill("7", 3_000, 1, 3_000), other()]), "SYN-0195", "a cent of it was taken back");
    let void = Paper { life: Some(PaperLife::Void), ..bill("7", 3_000, 3_000, 0).paper };
    assert_eq!(of(&[Bill { paper: void, ..bill("7", 0, 0, 3_000) }, other()]), next, "an invoice that was withdrawn");
    let untold = Paper { owed: None, ..bill("7", 3_000, 1, 0).paper };
    assert_eq!(of(&[Bill { paper: untold, ..bill("7", 0, 0, 0) }, other()]), "SYN-0192", "one that tells nothing");
    assert_eq!(of(&[bill("9", 2_000, 2_000, 1)]), next, "another one is no concern of this payment");
}

#[test]
fn a_payment_waits_for_its_order_for_what_may_be_landing_and_for_an_invoice_and_then_a_person_hears_of_it() {
    let (paid, bills) = (taken(5_000, PaperLife::Paid), [bill("7", 5_000, 5_000, 0)]);
    assert_eq!(told(&decided(&paid, NOT_THERE, &bills, More::default())), "its order is not there yet");
    let landing = [EntityId(4)];
    let waits = decided(&paid, 5_000, &bills, More { landing: &landing, ..More::default() });
    assert!(matches!(&waits, Decision::Wait(lanes, _) if *lanes == landing), "{waits:?}");
    let at = |paid: &Paper, now| told(&decided(paid, 5_000, &[], More { now: Some(now), ..More::default() }));
    let none = "no invoice of its order asks for it yet";
    assert_eq!(at(&paid, "2026-12-19T23:59:59Z"), none);
    assert_eq!([at(&paid, "2026-12-20T00:00:00Z"), at(&paid, "2026-12-20T00:00:01Z")], ["SYN-0188", "SYN-0188"]);
    let undated = Paper { day: None, ..paid };
    assert_eq!(at(&undated, "2026-11-20T00:00:00Z"), "SYN-0188", "nobody knows since when");
}

#[test]
fn money_by_others_is_told_from_ours_invoice_by_invoice() {
    let paid = taken(5_000, PaperLife::Paid);
    let of = |total, bills: &[Bill], booked: &[(&str, i64)]| {
        let shown = there(booked);
        let there = Some(&shown).filter(|_| !booked.is_empty());
        told(&decided(&paid, total, bills, More { there, ..More::default() }))
    };
    let (ours, open) = (bill("7", 4_000, 0, 4_000), bill("9", 6_000, 6_000, 0));
    assert_eq!(
        of(10_000, &[ours.clone(), open.clone()], &[]),
        "create 9: 50.00 EUR",
        "another payment of ours paid the first"
    );
    assert_eq!(of(10_000, &[ours.clone(), bill("9", 6_000, 5_999, 0)], &[]), "SYN-0192", "a cent came from others");
    assert_eq!(of(10_000, &[bill("7", 4_000, 0, 3_999), open], &[]), "SYN-0192");
    assert_eq!(
        of(10_000, &[ours, bill("9", 6_000, 0, 0)], &[("7", 4_000)]),
        "SYN-0192",
        "part of it is booked already"
    );
    let draft = Paper { life: Some(PaperLife::Open), ..bill("9", 6_000, 6_000, 0).paper };
    let draft = Bill { paper: draft, ..bill("9", 0, 0, 0) };
    assert_eq!(of(10_000, &[draft], &[]), "no invoice of its order asks for it yet", "a draft asks for nothing");
}

#[test]
fn an_order_is_asked_for_whole_where_rounding_alone_is_missing_or_the_invoice_is_all_there_is() {
    let paid = taken(5_000, PaperLife::Paid);
    let has = "the ERP has it already";
    let so_far = "what was invoiced so far is paid";
    let of = |missing: i64, lines: usize, charges: usize, made_of| {
        let mut bill = bill("7", 5_000, 0, 0);
        let keys = (0..lines).map(|key| (key.to_string(), PaperLine::default()));
        bill.paper.lines = keys.collect();
        bill.paper.charges = (0..charges).map(|key| (key.to_string(), euros(0))).collect();
        told(&decided(&paid, 5_000 + missing, &[bill], More { made_of, ..More::default() }))
    };
    for (missing, lines, charges, expected) in [
        (0, 0, 0, has),
        (1, 0, 0, so_far),
        (5, 3, 2, has),
        (6, 3, 2, so_far),
        (3, 3, 0, has),
        (2, 0, 2, has),
        (-100, 0, 0, has),
    ] {
        assert_eq!(
            of(missing, lines, charges, false),
            expected,
            "{missing} cents missing, {lines} lines, {charges} charges"
        );
        assert_eq!(of(missing, lines, charges, true), has, "the shop's document was made of that invoice");
    }
    let none = told(&decided(&paid, 5_000, &[], More { made_of: true, ..More::default() }));
    assert_eq!(none, "no invoice of its order asks for it yet");
    let left = More { made_of: true, left_to_people: Decimal::new(5_000, 2), ..More::default() };
    assert_eq!(told(&decided(&paid, 5_000, &[bill("7", 5_000, 0, 0)], left)), has, "it is that invoice's own payment");
    let left = More { left_to_people: Decimal::new(1_000, 2), ..More::default() };
    assert_eq!(
        told(&decided(&paid, 5_000, &[bill("7", 5_000, 2_000, 0)], left)),
        "SYN-0192",
        "20.00 more than was left to people"
    );
}

#[test]
fn what_is_left_to_pay_is_named_by_invoice_once_all_money_is_there() {
    let paid = taken(5_000, PaperLife::Paid);
    let booked = there(&[("7", 5_000)]);
    let of = |bills: &[Bill]| match decided(
        &paid,
        5_000,
        bills,
        More { there: Some(&booked), last: true, ..More::default() },
    ) {
        Decision::Hold(hold) => hold.what,
        other => told(&other),
    };
    let whole = || bill("7", 5_000, 0, 5_000);
    assert_eq!([of(&[whole()]), of(&[whole(), bill("9", 100, 0, 100)])], ["Agreed", "Agreed"]);
    let open = "1.00 EUR of invoice N9 are left to pay, and shop has all its money";
    assert_eq!(of(&[whole(), bill("9", 100, 100, 0)]), open);
    assert_eq!(of(&[whole(), bill("9", 100, -100, 0)]), "Agreed", "an invoice that was paid twice asks for nothing");
    let draft = Paper { life: Some(PaperLife::Open), ..bill("9", 100, 100, 0).paper };
    assert_eq!(of(&[whole(), Bill { paper: draft, ..bill("9", 0, 0, 0) }]), "Agreed");
}

#[test]
fn what_is_booked_says_when_and_how_it_was_taken_and_on_which_invoice() {
    let paid = Paper { number: Some("P1".to_string()), ..taken(5_000, PaperLife::Paid) };
    let step = |bill: Bill| match decided(&paid, 5_000, &[bill], More::default()) {
        Decision::Step(plan) => plan,
        other => panic!("{other:?}"),
    };
    let plan = step(bill("7", 5_000, 5_000, 0));
    let shown: Vec<String> =
        plan.leaves.iter().map(|(path, value)| alloc::format!("{path} {}", value.unwrap())).collect();
    assert_eq!(shown, ["day 2026-11-20", "lines[7].net 50.00 EUR", "method PayPal", "number P1"]);
    assert_eq!((plan.target.as_str(), plan.kind), ("erp", Kind::Payment));
    assert_eq!(plan.reason, "50.00 EUR taken by shop, not yet on invoice N7");
    let mut unnumbered = bill("7", 5_000, 5_000, 0);
    unnumbered.paper.number = None;
    assert_eq!(step(unnumbered).reason, "50.00 EUR taken by shop, not yet on invoice with id 7");
    let strange = Paper { method: Some("klarna".to_string()), ..paid.clone() };
    let Decision::Hold(hold) = decided(&strange, 5_000, &[], More::default()) else { panic!() };
    assert!(hold.remedy.starts_with("add `klarna = …` to `payments` under [flows.papers]"), "{}", hold.remedy);
    let part = |cents: Option<i64>| PaperLine { net: cents.map(euros), ..PaperLine::default() };
    let lines = [("7".to_string(), part(Some(5_000))), ("9".to_string(), part(None))].into();
    assert_eq!(parts(&Paper { lines, ..Paper::default() }), [("7".to_string(), Decimal::new(5_000, 2))].into());
}
