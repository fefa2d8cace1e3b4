//! What is decided about orders that the ERP does not have yet.

use super::*;

#[test]
fn a_released_order_is_made_once_as_what_was_sold_and_nothing_of_what_came_of_it_since() {
    let mut order = two_mugs();
    (order.payment.captured, order.stage) = (euros(2_975), None);
    order.sold_to.country = Some("DE".to_string());
    line(&mut order).had.shipped = Some(1.into());
    let mut case = asked(order);
    case.rules.number = "{system}-{scope}-{number}".to_string();
    case.rules.branch = Branch { company: Some("ACME".to_string()), ..Branch::default() };
    let plan = case.step();
    assert_eq!((plan.kind, &plan.step, plan.adopt_only), (Kind::Order, &Step::Create, false));
    assert_eq!(plan.target.as_str(), "erp");
    assert_eq!(
        shown(&plan.leaves),
        [
            "billing customer:1/4",
            "branch.company ACME",
            "charges[shipping].net 5.00 EUR",
            "charges[shipping].tax 0.95 EUR",
            "charges[shipping].taxes[DE-19] 19",
            "currency EUR",
            "customer customer:1/4",
            "day 1970-01-01",
            "lines[7].form simple",
            "lines[7].net 20.00 EUR",
            "lines[7].position 0",
            "lines[7].quantity 2",
            "lines[7].sku MUG",
            "lines[7].tax 3.80 EUR",
            "lines[7].taxes[DE-19] 19",
            "lines[7].variant variant:1/MUG",
            "payment.method paypal_express",
            "placed 1970-01-01T00:00:00Z",
            "reference shop-1-1001",
            "shipping customer:1/4",
            "totals.grand 29.75 EUR",
            "totals.tax 4.75 EUR",
        ]
    );
}

#[test]
fn the_heading_of_a_set_becomes_a_comment_and_the_member_of_a_family_stands_once() {
    let mut order = two_mugs();
    let part = |form, parent: Option<&str>, quantity: i64| Line {
        form: Some(form),
        parent: parent.map(ToString::to_string),
        variant: product("MUG"),
        quantity: Some(quantity.into()),
        ..Line::default()
    };
    let paid = Line { net: euros(0), tax: euros(1), ..part(LineForm::Bundle, None, 1) };
    for (key, line) in [
        ("1", part(LineForm::Bundle, None, 1)),
        ("2", part(LineForm::Simple, Some("1"), 3)),
        ("3", part(LineForm::Configurable, None, 1)),
        ("4", part(LineForm::Simple, Some("3"), 1)),
        ("5", part(LineForm::Comment, None, 1)),
        ("6", paid),
    ] {
        order.lines.insert(key.to_string(), line);
    }
    let leaves = asked(order).step().leaves;
    let of = |key: &str| {
        let field = |field: &str| leaves.value(&Path::element("lines", key).dot(field)).map(ToString::to_string);
        (field("form").unwrap_or_default(), field("variant").is_some())
    };
    let told = leaves.keys_of("lines");
    let told: Vec<(&str, (String, bool))> = told.iter().map(|key| (key.as_str(), of(key))).collect();
    let form = |word: &str, variant| (word.to_string(), variant);
    assert_eq!(
        told,
        [
            ("1", form("comment", false)),
            ("2", form("simple", true)),
            ("3", form("configurable", true)),
            ("6", form("bundle", true)),
            ("7", form("simple", true)),
        ]
    );
}

#[test]
fn an_order_that_refers_to_a_document_already_is_only_looked_for() {
    for (reference, only) in [(None, false), (Some(""), false), (Some("SO9"), true)] {
        let mut order = two_mugs();
        order.reference = reference.map(ToString::to_string);
        let plan = asked(order).step();
        assert_eq!((plan.adopt_only, plan.reason.contains("`SO9`")), (only, only), "{reference:?}");
    }
}

#[test]
fn what_is_incomplete_or_does_not_add_up_is_held_before_anything_is_made() {
    let rows: [(Twist, &str, &str); 9] = [
        (
            |case| (case.order.lines, case.order.charges) = (Default::default(), BTreeMap::new()),
            "SYN-0102",
            "the order has no lines",
        ),
        (
            |case| {
                case.order.lines = Default::default();
                (case.order.totals.grand, case.order.totals.tax) = (euros(595), euros(95));
            },
            "create in erp",
            "",
        ),
        (
            |case| {
                case.order.charges = BTreeMap::new();
                (case.order.totals.grand, case.order.totals.tax) = (euros(2_380), euros(380));
            },
            "create in erp",
            "",
        ),
        (|case| line(&mut case.order).quantity = Some((-1).into()), "SYN-0102", "-1 × MUG (line 7) are ordered"),
        (|case| line(&mut case.order).quantity = Some(0.into()), "create in erp", ""),
        (
            |case| case.order.totals.grand = euros(2_976),
            "SYN-0102",
            "lines 20.00 EUR, charges 5.00 EUR and tax 4.75 EUR make 29.75 EUR, the header says 29.76 EUR: line 7 MUG: 20.00 EUR",
        ),
        (|case| case.order.totals.tax = None, "SYN-0102", "the order tells no tax total"),
        (
            |case| case.order.payment.method = Some("klarna".to_string()),
            "SYN-0103",
            "`klarna` has no row in payment_methods",
        ),
        (|case| case.order.payment.method = None, "SYN-0103", "`` has no row in payment_methods"),
    ];
    for (twist, code, what) in rows {
        let mut case = asked(two_mugs());
        twist(&mut case);
        assert_eq!(case.word(), code, "{:?}", case.order);
        if !what.is_empty() {
            assert_eq!(case.hold()[1], what);
        }
    }
}

#[test]
fn a_tax_without_a_row_is_held_by_its_name_and_never_booked_by_its_rate() {
    let other: Tax = [("AT-19".to_string(), Decimal::from(19))].into();
    let mut of_line = asked(two_mugs());
    line(&mut of_line.order).taxes = other.clone();
    let mut of_freight = asked(two_mugs());
    of_freight.order.charges.values_mut().for_each(|charge| charge.taxes = other.clone());
    for case in [of_line, of_freight] {
        let [code, what, remedy] = case.hold();
        assert_eq!((code.as_str(), what.as_str()), ("SYN-0103", "`AT-19` has no row in taxes"));
        assert!(remedy.contains("under [flows.orders.taxes]"), "{remedy}");
    }
    let rules = &asked(two_mugs()).rules;
    assert_eq!((tax_row(rules, "DE-19"), tax_row(rules, "AT-19")), (Some("19 % sales tax"), None));
}

#[test]
fn what_is_sold_without_tax_goes_by_who_and_where_the_buyer_is() {
    let abroad = |country: &str, row: Option<(&str, &str)>| {
        let mut order = two_mugs();
        order.sold_to.country = Some(country.to_string());
        line(&mut order).taxes = Tax::new();
        (line(&mut order).tax, order.totals.grand, order.totals.tax) = (euros(0), euros(2_595), euros(95));
        // A gift: no money stands on it, and no tax either.
        order.lines.insert("8".to_string(), Line { variant: product("MUG"), ..Line::default() });
        let heading = Line { form: Some(LineForm::Bundle), ..Line::default() };
        order.lines.insert("9".to_string(), heading);
        let mut case = asked(order);
        if let Some((code, tax)) = row {
            case.rules.tables.get_mut("taxes").unwrap().insert(code.to_string(), tax.to_string());
        }
        case
    };
    let taxes = |case: &Asked| {
        let leaves = case.step().leaves;
        let told = shown(&leaves).into_iter().filter(|told| told.contains("taxes["));
        told.collect::<Vec<_>>()
    };
    let freight = "charges[shipping].taxes[DE-19] 19";
    let ch = Some(("untaxed:consumer:CH", "export"));
    assert_eq!(taxes(&abroad("CH", ch)), [freight, "lines[7].taxes[untaxed:consumer:CH] 0"]);
    assert_eq!(taxes(&abroad("CH", Some(("untaxed:*", "")))), [freight], "a row that names nothing");
    assert_eq!(taxes(&abroad("CH", None)), [freight], "a file that does not tell such sales apart");
    assert_eq!(abroad("US", ch).hold()[1], "`untaxed:consumer:US` has no row in taxes");
    let mut all_taxed = abroad("US", ch);
    line(&mut all_taxed.order).taxes = taxed();
    assert_eq!(taxes(&all_taxed), [freight, "lines[7].taxes[DE-19] 19"], "nothing is sold without tax");
    let mut free_freight = abroad("CH", ch);
    free_freight.order.charges.values_mut().for_each(|charge| charge.taxes = Tax::new());
    assert_eq!(
        taxes(&free_freight),
        ["charges[shipping].taxes[untaxed:consumer:CH] 0", "lines[7].taxes[untaxed:consumer:CH] 0"]
    );
}

#[test]
fn an_order_waits_for_its_buyer_and_is_held_for_a_product_nobody_knows() {
    let rows: [(Twist, &str); 12] = [
        (|case| case.order.customer = buyer("5"), "waits for 5"),
        (
            |case| {
                (case.order.customer, case.order.billing, case.order.shipping) = (buyer("6"), buyer("5"), buyer("6"))
            },
            "waits for 5, 6",
        ),
        (|case| (case.order.customer, case.rules.creates_customers) = (buyer("5"), false), "SYN-0105"),
        (|case| case.rules.creates_customers = false, "create in erp"),
        (|case| case.order.shipping = buyer("9"), "SYN-0106"),
        (|case| case.order.shipping = None, "create in erp"),
        (|case| case.order.customer = None, "SYN-0106"),
        (|case| case.order.billing = None, "SYN-0106"),
        (|case| line(&mut case.order).variant = product("CUP"), "SYN-0104"),
        (|case| line(&mut case.order).variant = product("POT"), "SYN-0104"),
        (|case| line(&mut case.order).variant = None, "SYN-0104"),
        (|case| (case.tied, line(&mut case.order).variant) = (false, None), "SYN-0104"),
    ];
    for (twist, expected) in rows {
        let mut case = asked(two_mugs());
        twist(&mut case);
        assert_eq!(case.word(), expected, "{:?}", case.order);
    }
    let remedy = |tied| {
        let mut case = Asked { tied, ..asked(two_mugs()) };
        line(&mut case.order).variant = product("POT");
        case.hold()[2].clone()
    };
    assert!(remedy(true).starts_with("create `MUG` in erp"), "{}", remedy(true));
    assert!(remedy(false).starts_with("run `syncline adopt` first"), "{}", remedy(false));
}

#[test]
fn what_is_not_released_is_awaited_until_its_day_then_asked_about_once_and_never_let_go_by_time() {
    let two_weeks = 14 * 86_400;
    let unpaid = |now: i64| {
        let mut case = Asked { now, ..asked(two_mugs()) };
        case.order.payment.authorised = None;
        case
    };
    let words = [0, two_weeks - 1, two_weeks, two_weeks + 1].map(|now| unpaid(now).word());
    assert_eq!(words, ["awaiting", "awaiting", "SYN-0101", "SYN-0101"]);
    assert!(unpaid(two_weeks).hold()[2].starts_with("take the money or cancel the order"));
    let left = Asked { before: Some(two_mugs()), ..unpaid(two_weeks) };
    assert_eq!(left.word(), "outside", "a person left it to people");
    let paid = Asked { before: Some(two_mugs()), now: two_weeks, ..asked(two_mugs()) };
    assert_eq!(paid.word(), "create in erp", "once it is paid it goes on by itself");
}

#[test]
fn what_was_withdrawn_or_placed_too_early_stays_in_its_shop() {
    let word = |life, start: Option<(i16, i8, i8)>, admitted| {
        let mut case = Asked { admitted, ..asked(two_mugs()) };
        case.order.life = Some(life);
        case.rules.start = start.map(|(year, month, day)| jiff::civil::date(year, month, day));
        case.word()
    };
    assert_eq!([OrderLife::Cancelled, OrderLife::Closed].map(|life| word(life, None, false)), ["outside", "outside"]);
    assert_eq!(word(OrderLife::Open, Some((1970, 1, 1)), false), "create in erp");
    assert_eq!(word(OrderLife::Open, Some((1970, 1, 2)), false), "early: 1970-01-01");
    assert_eq!(word(OrderLife::Open, Some((1970, 1, 2)), true), "create in erp", "a person let it in");
}
