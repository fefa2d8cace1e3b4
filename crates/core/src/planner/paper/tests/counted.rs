//! What is counted: who did what about which line, and what is left of it.

use super::*;

const NOTHING: &str = "it holds nothing that the shop's order counts";

/// An order of two lines of three pieces each, of which so many were shipped and invoiced.
fn two_lines(mugs: i64, cups: i64) -> Order {
    let mut both = order(3, mugs);
    let (_, cup) = order(3, cups).lines.iter().map(|(key, line)| (key.clone(), line.clone())).next().unwrap();
    both.lines.insert("16".to_string(), Line { sku: Some("CUP".into()), ..cup });
    both
}

/// A paper of so many of both lines.
fn of_both(mugs: i64, cups: i64) -> Paper {
    let mut paper = Paper { life: Some(PaperLife::Paid), ..parcel(mugs, &[]) };
    paper.lines.insert("16".to_string(), PaperLine { quantity: Some(cups.into()), ..PaperLine::default() });
    paper
}

#[test]
fn a_paper_that_is_not_in_force_or_not_paid_is_none_of_the_shops_business() {
    let rows = [
        (None, Kind::Shipment, "not in force yet"),
        (Some(PaperLife::Open), Kind::Shipment, "not in force yet"),
        (Some(PaperLife::Open), Kind::Invoice, "not in force yet"),
        (Some(PaperLife::Void), Kind::Shipment, "withdrawn before the shop was told"),
        (Some(PaperLife::Done), Kind::Invoice, "not paid yet"),
        (Some(PaperLife::Done), Kind::Shipment, "lines[15].quantity 2"),
        (Some(PaperLife::Paid), Kind::Invoice, "life paid, lines[15].quantity 2"),
    ];
    for (life, kind, expected) in rows {
        let paper = Paper { life, ..parcel(2, &[]) };
        assert_eq!(told(&decided(kind, &paper, &order(5, 0), 0, More::default())), expected, "{kind} {life:?}");
        let left = decided(kind, &paper, &order(5, 0), 0, More { left: true, ..More::default() });
        assert_eq!(told(&left), "left to people", "{kind} {life:?}");
    }
}

#[test]
fn goods_are_told_of_orders_in_force_and_money_of_closed_ones_too() {
    let withdrawn = "SYN-0194: the order is cancelled or refunded in shop";
    let stopped = "SYN-0196: the order is on hold, or its payment is reviewed, in shop";
    let (sent, billed) = ("lines[15].quantity 2", "life paid, lines[15].quantity 2");
    for (life, goods, money) in [
        (Some(OrderLife::Open), sent, billed),
        (Some(OrderLife::Done), sent, billed),
        (None, sent, billed),
        (Some(OrderLife::Cancelled), withdrawn, withdrawn),
        (Some(OrderLife::Closed), withdrawn, billed),
        (Some(OrderLife::Held), stopped, stopped),
        (Some(OrderLife::Pending), stopped, stopped),
    ] {
        let order = Order { life, ..order(5, 0) };
        let paper = Paper { life: Some(PaperLife::Paid), ..parcel(2, &[]) };
        let of = |kind| told(&decided(kind, &paper, &order, 0, More::default()));
        assert_eq!((of(Kind::Shipment).as_str(), of(Kind::Invoice).as_str()), (goods, money), "{life:?}");
    }
}

#[test]
fn a_paper_waits_for_one_that_may_be_landing_and_is_held_for_a_line_the_order_does_not_have() {
    let (paper, order) = (parcel(2, &[]), order(5, 0));
    let landing = [EntityId(3)];
    let waits = decided(Kind::Shipment, &paper, &order, 0, More { landing: &landing, ..More::default() });
    assert!(matches!(&waits, Decision::Wait(lanes, _) if *lanes == landing), "{waits:?}");
    let strange = ["2 × POT".to_string()];
    let strange = decided(Kind::Shipment, &paper, &order, 0, More { strange: &strange, ..More::default() });
    assert_eq!(told(&strange), "SYN-0191: it holds 2 × POT, which the order in shop does not have");
    let Decision::Hold(hold) = strange else { panic!() };
    assert_eq!(
        hold.remedy,
        "bring the order in shop to what really happened by hand, then `syncline retry --accept` this shipment: it is left \
         to people"
    );
}

#[test]
fn only_what_the_shop_counts_is_told_of() {
    let of = |kind, quantity: Option<i64>, form| {
        let mut order = order(5, 0);
        order.lines.iter_mut().for_each(|(_, line)| line.form = form);
        let mut paper = Paper { life: Some(PaperLife::Paid), ..parcel(1, &[]) };
        paper.lines.values_mut().for_each(|line| line.quantity = quantity.map(Decimal::from));
        paper.lines.insert("99".to_string(), PaperLine { quantity: Some(7.into()), ..PaperLine::default() });
        told(&decided(kind, &paper, &order, 0, More::default()))
    };
    for (quantity, form, sent, billed) in [
        (Some(2), None, "lines[15].quantity 2", "life paid, lines[15].quantity 2"),
        (Some(2), Some(LineForm::Simple), "lines[15].quantity 2", "life paid, lines[15].quantity 2"),
        // What is never sent is counted as sent by no shop.
        (Some(2), Some(LineForm::Virtual), NOTHING, "life paid, lines[15].quantity 2"),
        (Some(0), None, NOTHING, NOTHING),
        (Some(-2), None, NOTHING, NOTHING),
        (None, None, NOTHING, NOTHING),
    ] {
        let both = (of(Kind::Shipment, quantity, form), of(Kind::Invoice, quantity, form));
        assert_eq!((both.0.as_str(), both.1.as_str()), (sent, billed), "{quantity:?} {form:?}");
    }
}

#[test]
fn a_paper_of_no_line_is_money_only_where_it_is_an_invoice_of_some() {
    let of = |kind, cents| {
        let paper = Paper { lines: BTreeMap::new(), ..bill(1, cents) };
        told(&decided(kind, &paper, &with_freight(0), 0, More::default()))
    };
    assert_eq!(of(Kind::Invoice, 500), "the shop asks for it with the first goods");
    assert_eq!([of(Kind::Invoice, 0), of(Kind::Shipment, 500), of(Kind::Shipment, 0)], [NOTHING; 3]);
}

#[test]
fn an_order_is_billed_wholly_where_all_that_was_not_cancelled_was_asked_for() {
    let of = |lines: &[(i64, i64, i64)]| {
        let line = |(quantity, invoiced, cancelled): &(i64, i64, i64)| {
            let had =
                Had { invoiced: Some((*invoiced).into()), cancelled: Some((*cancelled).into()), ..Had::default() };
            Line { quantity: Some((*quantity).into()), had, ..Line::default() }
        };
        let lines = lines.iter().enumerate().map(|(at, one)| (at.to_string(), line(one))).collect();
        all_billed(&Order { lines, ..Order::default() })
    };
    for (lines, whole) in [
        (&[(3, 3, 0)][..], true),
        (&[(3, 4, 0)], true),
        (&[(3, 2, 0)], false),
        (&[(3, 2, 1)], true),
        (&[(3, 1, 1)], false),
        (&[(3, 0, 3)], true),
        (&[(3, 3, 0), (2, 1, 0)], false),
        (&[(3, 3, 0), (2, 1, 1)], true),
        (&[], true),
    ] {
        assert_eq!(of(lines), whole, "{lines:?}");
    }
}

#[test]
fn each_sort_of_paper_has_its_own_count_of_a_line() {
    let had = Had { shipped: Some(1.into()), invoiced: Some(2.into()), refunded: Some(3.into()), ..Had::default() };
    let (line, none) = (Line { had, ..Line::default() }, Line::default());
    let counts = [Kind::Shipment, Kind::Invoice, Kind::Credit].map(|kind| (had_of(kind, &line), had_of(kind, &none)));
    assert_eq!(counts, [1, 2, 3].map(|count| (Decimal::from(count), Decimal::ZERO)));
}

#[test]
fn what_somebody_else_did_is_left_alone_where_it_is_all_of_it_and_asked_about_where_it_is_a_part() {
    let of = |kind, paper: &Paper, order: &Order, adopted| {
        told(&decided(kind, paper, order, 0, More { adopted, ..More::default() }))
    };
    let (both, has) = (of_both(2, 2), "the shop has it already");
    let mugs = "SYN-0192: 2 × MUG (line 15) were shipped in shop by somebody else";
    let cups = "SYN-0192: 2 × CUP (line 16) were shipped in shop by somebody else";
    for (order, sent, sent_of_adopted) in [
        (two_lines(2, 2), mugs, has),
        (two_lines(2, 0), mugs, mugs),
        (two_lines(0, 2), cups, cups),
        (two_lines(2, 1), mugs, mugs),
    ] {
        let done = [false, true].map(|adopted| of(Kind::Shipment, &both, &order, adopted));
        assert_eq!(done, [sent, sent_of_adopted], "{order:?}");
    }
    assert_eq!(of(Kind::Invoice, &both, &two_lines(2, 2), false), has);
    assert_eq!(
        of(Kind::Invoice, &both, &two_lines(1, 2), false),
        "SYN-0192: 1 × MUG (line 15) were invoiced in shop by somebody else"
    );
    let known =
        decided(Kind::Shipment, &of_both(1, 1), &two_lines(2, 2), 2, More { known: &[("16", 2)], ..More::default() });
    assert_eq!(told(&known), "lines[15].quantity 1, lines[16].quantity 1", "all of it by papers of ours");
}

#[test]
fn a_set_that_goes_in_one_piece_is_counted_on_its_own_line() {
    let mut order = two_lines(0, 0);
    for (key, line) in order.lines.iter_mut() {
        match key.as_str() {
            "15" => line.had.shipped = Some(1.into()),
            _ => line.parent = Some("15".to_string()),
        }
    }
    let mut part = of_both(0, 1);
    part.lines.remove("15");
    let of = |known| told(&decided(Kind::Shipment, &part, &order, known, More::default()));
    assert_eq!(of(0), "SYN-0192: 1 × MUG (line 15) were shipped in shop by somebody else");
    assert_eq!(of(1), "lines[16].quantity 1", "by a paper of ours");
}

#[test]
fn what_was_cancelled_or_given_back_is_not_sent_any_more_and_no_more_is_credited_than_was_asked_for() {
    let left = |cancelled: i64, refunded: i64, quantity: i64| {
        let mut order = order(3, 0);
        order.lines.iter_mut().for_each(|(_, line)| {
            (line.had.cancelled, line.had.refunded) = (Some(cancelled.into()), Some(refunded.into()));
        });
        held(&decided(Kind::Shipment, &parcel(quantity, &[]), &order, 0, More::default())).to_string()
    };
    assert_eq!([left(0, 0, 3), left(1, 0, 2), left(0, 1, 2), left(1, 1, 1)], ["", "", "", ""]);
    assert_eq!([left(0, 0, 4), left(1, 0, 3), left(0, 1, 3), left(1, 1, 2)], ["SYN-0193"; 4]);
    let back = |quantity: i64, invoiced: i64, refunded: i64| {
        let mut order = with_freight(invoiced);
        order.lines.iter_mut().for_each(|(_, line)| line.had.refunded = Some(refunded.into()));
        let paper = Paper { grand: Some(euros(1_190 * quantity)), ..bill(quantity, 0) };
        held(&decided(Kind::Credit, &paper, &order, refunded, More::default())).to_string()
    };
    assert_eq!([back(1, 1, 0), back(2, 2, 0), back(1, 2, 1)], ["", "", ""]);
    assert_eq!([back(2, 1, 0), back(2, 2, 1), back(1, 2, 2)], ["SYN-0193"; 3]);
}

#[test]
fn only_parcels_have_a_place_and_only_where_the_file_names_some() {
    let places =
        || Some(PaperTarget { places: [("main".to_string(), ["WH".to_string()].to_vec())].to_vec(), ..target() });
    let of = |kind, rules| {
        let paper = Paper { place: Some("WH".to_string()), life: Some(PaperLife::Paid), ..parcel(2, &[]) };
        told(&decided(kind, &paper, &order(5, 0), 0, More { rules, ..More::default() }))
    };
    assert_eq!(of(Kind::Shipment, places()), "lines[15].quantity 2, place main");
    assert_eq!(of(Kind::Shipment, None), "lines[15].quantity 2");
    assert_eq!(of(Kind::Invoice, places()), "life paid, lines[15].quantity 2");
}

#[test]
fn the_shop_is_told_by_what_it_takes_the_money_where_the_erp_is_told_of_it_again() {
    let of = |kind, method: Option<&str>| {
        let payments = [("paypal*", "PayPal"), ("checkmo", BOOKED_THERE)].map(|(a, b)| (a.to_string(), b.to_string()));
        let rules = Some(PaperTarget { payments: payments.into(), ..target() });
        let mut order = order(5, 0);
        order.payment.method = method.map(ToString::to_string);
        let paper = Paper { life: Some(PaperLife::Paid), ..parcel(2, &[]) };
        told(&decided(kind, &paper, &order, 0, More { rules, ..More::default() }))
    };
    assert_eq!(of(Kind::Invoice, Some("paypal_express")), "life paid, lines[15].quantity 2, method paypal_express");
    for (kind, method, expected) in [
        (Kind::Invoice, Some("checkmo"), "life paid, lines[15].quantity 2"),
        (Kind::Invoice, Some("klarna"), "life paid, lines[15].quantity 2"),
        (Kind::Invoice, None, "life paid, lines[15].quantity 2"),
        (Kind::Shipment, Some("paypal_express"), "lines[15].quantity 2"),
    ] {
        assert_eq!(of(kind, method), expected, "{kind} {method:?}");
    }
}

#[test]
fn what_is_withdrawn_on_both_sides_is_agreed_and_what_is_there_is_held_against_the_lines() {
    let seen = |kind, ours: &Paper, there: &Paper| {
        let more = More { there: Some(there), ..More::default() };
        told(&decided(kind, ours, &order(5, 2), 2, more))
    };
    let agreed = "Agreed";
    let void = |paper: Paper| Paper { life: Some(PaperLife::Void), ..paper };
    let withdrawn = "SYN-0194: it was withdrawn in erp after shop was told";
    assert_eq!(seen(Kind::Shipment, &parcel(2, &[]), &parcel(2, &[])), agreed);
    assert_eq!(seen(Kind::Shipment, &void(parcel(2, &[])), &void(parcel(2, &[]))), agreed);
    assert_eq!(seen(Kind::Shipment, &void(parcel(2, &[])), &parcel(2, &[])), withdrawn);
    assert_eq!(seen(Kind::Shipment, &parcel(2, &[]), &void(parcel(2, &[]))), agreed, "the ERP's word counts");
    let nothing = Paper { lines: BTreeMap::new(), ..parcel(2, &[]) };
    let other = "SYN-0195: line 15: 2 in erp, 0 in shop";
    assert_eq!(seen(Kind::Shipment, &parcel(2, &[]), &nothing), other);
    assert_eq!(seen(Kind::Invoice, &parcel(2, &[]), &nothing), other);
    assert_eq!(seen(Kind::Credit, &parcel(2, &[]), &nothing), agreed, "given back as an amount");
    assert_eq!(seen(Kind::Credit, &parcel(2, &[]), &parcel(1, &[])), "SYN-0195: line 15: 2 in erp, 1 in shop");
    let (mut left, there) = (More { left: true, ..More::default() }, parcel(1, &[]));
    left.there = Some(&there);
    assert_eq!(told(&decided(Kind::Shipment, &parcel(2, &[]), &order(5, 2), 2, left)), agreed, "left to people");
}
