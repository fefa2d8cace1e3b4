//! What papers come to: how money is given back, and whether the shop would ask for something else.

use super::*;
use crate::record::Charge;

/// What is decided about giving back so many mugs and so much freight for `grand` cents, of an order of two mugs at 11.90 and
/// freight of 5.95, all of it billed.
fn credit(quantity: i64, freight: Option<i64>, grand: Option<i64>) -> String {
    told(&decided(Kind::Credit, &note(quantity, freight, grand), &billed(), 0, More::default()))
}

fn note(quantity: i64, freight: Option<i64>, grand: Option<i64>) -> Paper {
    let charges = freight.map(|cents| ("shipping".to_string(), euros(cents))).into_iter().collect();
    Paper { charges, grand: grand.map(euros), ..bill(quantity, 0) }
}

/// Two mugs at 11.90 with tax and freight of 5.95 with tax, all of it billed.
fn billed() -> Order {
    let mut order = with_freight(2);
    let freight = Charge { net: Some(euros(500)), tax: Some(euros(95)), ..Charge::default() };
    order.charges.insert("shipping".into(), freight);
    order
}

#[test]
fn money_is_given_back_by_quantity_at_the_price_sold_and_as_an_amount_where_it_is_less() {
    let by_quantity = |cents: &str| alloc::format!("grand {cents} EUR, life paid, lines[15].quantity 1");
    let as_amount = |cents: &str| alloc::format!("charges[adjustment].net {cents} EUR, grand {cents} EUR, life paid");
    let more = |cents: &str| alloc::format!("SYN-0199: {cents} EUR are given back for what was sold for 11.9 EUR");
    for (cents, expected) in [
        (1_190, by_quantity("11.90")),
        (1_191, by_quantity("11.91")),
        (1_189, by_quantity("11.89")),
        (1_188, as_amount("11.88")),
        (500, as_amount("5.00")),
        (1, as_amount("0.01")),
        (0, more("0.00")),
        (-100, more("-1.00")),
        (1_192, more("11.92")),
        (2_380, more("23.80")),
    ] {
        assert_eq!(credit(1, None, Some(cents)), expected, "{cents} cents");
    }
    assert_eq!(credit(1, None, None), "SYN-0199: it does not tell what is given back for this order alone");
}

#[test]
fn freight_is_given_back_beside_the_goods_with_the_tax_it_was_sold_with() {
    let beside = |grand: &str| {
        alloc::format!("charges[shipping].net 2.00 EUR, grand {grand} EUR, life paid, lines[15].quantity 1")
    };
    // 11.90 for the mug and 2.38 for freight, a cent of rounding for each.
    assert_eq!(
        [1_426, 1_428, 1_430].map(|cents| credit(1, Some(200), Some(cents))),
        ["14.26", "14.28", "14.30"].map(beside)
    );
    assert_eq!(credit(1, Some(200), Some(1_431)), "SYN-0199: 14.31 EUR are given back for what was sold for 14.28 EUR");
    assert_eq!(
        credit(1, Some(200), Some(1_425)),
        "charges[adjustment].net 14.25 EUR, grand 14.25 EUR, life paid",
        "less than that is an amount"
    );
    assert_eq!(credit(1, Some(0), Some(1_190)), "grand 11.90 EUR, life paid, lines[15].quantity 1");
    assert_eq!(
        credit(1, Some(0), Some(1_192)),
        "SYN-0199: 11.92 EUR are given back for what was sold for 11.9 EUR",
        "no freight has no rounding"
    );
}

#[test]
fn money_is_given_back_only_where_what_it_was_sold_for_is_known_in_its_currency() {
    let unknown = "SYN-0199: what its lines were sold for is not known";
    let changes: [fn(&mut Order); 4] = [
        |order| order.currency = "CHF".parse().ok(),
        |order| order.currency = None,
        |order| order.lines.iter_mut().for_each(|(_, line)| line.net = None),
        |order| order.charges.clear(),
    ];
    for change in changes {
        let mut order = billed();
        change(&mut order);
        let note = note(1, Some(200), Some(1_428));
        assert_eq!(told(&decided(Kind::Credit, &note, &order, 0, More::default())), unknown);
    }
}

#[test]
fn what_the_shop_gave_back_by_itself_is_no_longer_there_to_be_given() {
    let of = |captured: Money, other: i64, given: &[Money], cents: i64| {
        let mut order = billed();
        order.payment.captured = Some(captured);
        let others = [note(1, None, Some(other))];
        let freight = Paper { lines: BTreeMap::new(), ..note(1, Some(cents), Some(cents)) };
        order.charges.values_mut().for_each(|charge| charge.tax = None);
        held(&decided(Kind::Credit, &freight, &order, 0, More { others: &others, given, ..More::default() }))
            .to_string()
    };
    let francs = |cents| Money::new(Decimal::new(cents, 2), "CHF".parse().unwrap());
    assert_eq!([of(euros(500), 300, &[], 200), of(euros(500), 300, &[], 201)], ["", "SYN-0193"]);
    assert_eq!(
        [of(euros(500), 100, &[euros(200)], 200), of(euros(500), 100, &[euros(200)], 201)],
        ["", "SYN-0193"],
        "what we told it of, too"
    );
    assert_eq!(of(euros(500), 300, &[francs(9_900)], 200), "", "francs are no euros");
    assert_eq!(of(francs(1), 300, &[], 200), "", "what was paid in francs is not known in euros");
}

#[test]
fn only_of_credits_it_is_asked_what_is_left_of_the_money() {
    let mut order = with_freight(0);
    order.payment.captured = Some(euros(0));
    assert_eq!(held(&decided(Kind::Invoice, &bill(2, 2_880), &order, 0, More::default())), "");
}

#[test]
fn the_shop_asks_for_what_the_erp_did_a_cent_for_each_line_and_freight_aside() {
    let of = |cents, currency: &str| {
        let order = Order { currency: currency.parse().ok(), ..with_freight(0) };
        held(&decided(Kind::Invoice, &bill(1, cents), &order, 0, More::default())).to_string()
    };
    // 11.90 for one mug, and all freight of 5.00 with the first.
    assert_eq!([1_688, 1_690, 1_692].map(|cents| of(cents, "EUR")), ["", "", ""]);
    assert_eq!([1_687, 1_693, 2_000].map(|cents| of(cents, "EUR")), ["SYN-0199"; 3]);
    assert_eq!(of(2_000, "CHF"), "", "an order in francs cannot be held against euros");
    let later =
        |cents| held(&decided(Kind::Invoice, &bill(1, cents), &with_freight(1), 1, More::default())).to_string();
    assert_eq!([later(1_190), later(1_192), later(1_193), later(1_690)], ["", "", "SYN-0199", "SYN-0199"]);
}

#[test]
fn several_invoices_of_freight_go_along_where_they_come_to_the_shops_own() {
    let alone = |parts: &[Money]| -> Vec<Alone> {
        let one = |grand: &Money| Alone { number: "7".to_string(), grand: *grand, due: true };
        parts.iter().map(one).collect()
    };
    let of = |own: i64, before: &[Money]| {
        let paper = Paper { lines: BTreeMap::new(), ..bill(1, own) };
        let alone = alone(before);
        told(&decided(Kind::Invoice, &paper, &with_freight(0), 0, More { alone: &alone, ..More::default() }))
    };
    let along = "the shop asks for it with the first goods";
    assert_eq!([of(500, &[]), of(501, &[]), of(499, &[])], [along; 3]);
    assert_eq!([of(250, &[euros(250)]), of(250, &[euros(252)]), of(250, &[euros(248)])], [along; 3]);
    let francs = Money::new(Decimal::new(250, 2), "CHF".parse().unwrap());
    for other in
        [of(502, &[]), of(498, &[]), of(550, &[]), of(250, &[euros(253)]), of(250, &[francs]), of(500, &[euros(500)])]
    {
        assert!(other.starts_with("SYN-0199: "), "{other}");
    }
}

#[test]
fn the_freight_of_other_invoices_is_no_part_of_a_credit_or_of_an_invoice_that_bills_its_own() {
    let alone = [Alone { number: "7".to_string(), grand: euros(500), due: true }];
    let seen = |kind, own: Option<i64>, theirs: Option<i64>, cents: i64| {
        let with = |freight: Option<i64>, cents| note(1, freight, Some(cents));
        let there = with(theirs, cents);
        let more = More { there: Some(&there), alone: &alone, ..More::default() };
        held(&decided(kind, &with(own, 1_190), &with_freight(1), 1, more)).to_string()
    };
    for (kind, own, theirs, comes_to, other) in [
        (Kind::Invoice, None, Some(500), 1_690, 1_190),
        (Kind::Invoice, None, Some(0), 1_190, 1_690),
        (Kind::Invoice, None, None, 1_190, 1_690),
        (Kind::Invoice, Some(0), Some(500), 1_690, 1_190),
        (Kind::Invoice, Some(500), Some(500), 1_190, 1_690),
        (Kind::Invoice, Some(500), None, 1_190, 1_690),
        (Kind::Credit, None, Some(500), 1_190, 1_690),
    ] {
        let both = (seen(kind, own, theirs, comes_to), seen(kind, own, theirs, other));
        assert_eq!(both, (String::new(), "SYN-0197".to_string()), "{kind} {own:?} {theirs:?}");
    }
    let shipment = seen(Kind::Shipment, None, None, 1);
    assert_eq!(shipment, "", "a parcel has no money");
}
