//! What the merchant's answers mean: when an order may go, what it is called, and which row of a table counts.

use super::*;
use crate::planner::stand_ins::order_rules;
use crate::record::SoldTo;
use alloc::vec;
use jiff::civil::date;

fn euros(cents: i64) -> Option<Money> {
    Some(Money::new(Decimal::new(cents, 2), "EUR".parse().unwrap()))
}

fn system(name: &str) -> SystemName {
    SystemName::new(name)
}

fn table(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
    rows.iter().map(|(a, b)| ((*a).to_string(), (*b).to_string())).collect()
}

/// An order of 29.75 by `method` that was placed on the first of all days.
fn order(method: &str, life: Option<OrderLife>) -> Order {
    let mut order =
        Order { life, placed: Some(Timestamp::UNIX_EPOCH), day: Some(date(1970, 1, 1)), ..Order::default() };
    (order.payment.method, order.totals.grand) = (Some(method.to_string()), euros(2_975));
    order
}

/// Rules with these rows of release, each with the seconds within which it is to come about.
fn releasing(rows: &[(&str, ReleaseRule, Option<u32>)]) -> OrderRules {
    let row = |(method, when, within_s): &(&str, ReleaseRule, Option<u32>)| {
        ((*method).to_string(), Release { when: *when, within_s: *within_s })
    };
    OrderRules { release: rows.iter().map(row).collect(), ..order_rules() }
}

/// Whether `order` may go, in a word.
fn goes(rules: &OrderRules, order: &Order) -> &'static str {
    match rules.released(order, false) {
        Released::Yes => "goes",
        Released::Awaiting(..) => "awaited",
        Released::Never(_) => "never",
        Released::TooOld(_) => "too old",
    }
}

#[test]
fn an_order_goes_once_it_is_placed_promised_or_paid_as_its_method_asks() {
    let rules = releasing(&[
        ("invoice", ReleaseRule::Placed, None),
        ("card", ReleaseRule::Authorized, None),
        ("prepaid", ReleaseRule::Paid, None),
    ]);
    let (partly, wholly, more) = (euros(2_974), euros(2_975), euros(2_976));
    let francs = Some(Money::new(Decimal::new(2_975, 2), "CHF".parse().unwrap()));
    for (authorised, captured, placed, promised, paid) in [
        (None, None, "goes", "awaited", "awaited"),
        (Some(false), None, "goes", "awaited", "awaited"),
        (Some(true), None, "goes", "goes", "awaited"),
        (None, partly, "goes", "awaited", "awaited"),
        (Some(true), partly, "goes", "goes", "awaited"),
        (None, wholly, "goes", "goes", "goes"),
        (Some(false), more, "goes", "goes", "goes"),
        (None, francs, "goes", "awaited", "awaited"),
    ] {
        let of = |method: &str| {
            let mut order = order(method, Some(OrderLife::Open));
            (order.payment.authorised, order.payment.captured) = (authorised, captured);
            goes(&rules, &order)
        };
        assert_eq!([of("invoice"), of("card"), of("prepaid")], [placed, promised, paid], "{authorised:?} {captured:?}");
    }
}

#[test]
fn what_costs_nothing_needs_no_money_and_what_tells_no_total_is_never_paid() {
    let rules = releasing(&[("prepaid", ReleaseRule::Paid, None)]);
    let of = |grand, captured| {
        let mut order = order("prepaid", Some(OrderLife::Open));
        (order.totals.grand, order.payment.captured) = (grand, captured);
        goes(&rules, &order)
    };
    assert_eq!(
        [of(euros(0), None), of(euros(1), None), of(None, None), of(None, euros(1))],
        ["goes", "awaited", "awaited", "awaited"]
    );
}

#[test]
fn an_order_goes_only_while_it_is_in_force_in_its_shop() {
    for (life, word) in [
        (Some(OrderLife::Open), "goes"),
        (Some(OrderLife::Done), "goes"),
        (Some(OrderLife::Held), "awaited"),
        (Some(OrderLife::Pending), "awaited"),
        (None, "awaited"),
        (Some(OrderLife::Cancelled), "never"),
        (Some(OrderLife::Closed), "never"),
    ] {
        assert_eq!(goes(&releasing(&[]), &order("checkmo", life)), word, "{life:?}");
    }
    let why = |rule| match releasing(&[("card", rule, None)]).released(&order("card", Some(OrderLife::Open)), false) {
        Released::Awaiting(why, _) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(ReleaseRule::Paid), "payment by card is not paid yet");
    assert_eq!(why(ReleaseRule::Authorized), "payment by card is not authorised yet");
}

#[test]
fn an_order_of_an_earlier_day_goes_only_where_a_person_lets_it() {
    let of = |start: Option<Date>, day: Option<Date>, admitted| {
        let rules = OrderRules { start, ..releasing(&[]) };
        let order = Order { day, ..order("checkmo", Some(OrderLife::Open)) };
        rules.released(&order, admitted)
    };
    let (first, second) = (date(2026, 11, 1), date(2026, 11, 2));
    assert_eq!(of(Some(second), Some(first), false), Released::TooOld(first));
    for (start, day, admitted) in [
        (Some(second), Some(first), true),
        (Some(first), Some(first), false),
        (Some(first), Some(second), false),
        (Some(first), None, false),
        (None, Some(first), false),
    ] {
        assert_eq!(of(start, day, admitted), Released::Yes, "{start:?} {day:?} {admitted}");
    }
}

#[test]
fn of_the_rows_of_release_the_methods_own_counts_then_the_longest_pattern_then_the_usual() {
    use ReleaseRule::{Authorized, Paid, Placed};
    let rows = [("paypal", Placed, None), ("paypal*", Paid, None), ("pay*", Placed, None), ("checkmo", Paid, None)];
    let rules = releasing(&rows);
    for (method, rule) in [
        ("paypal", Placed),
        ("paypal_express", Paid),
        ("payone", Placed),
        ("checkmo", Paid),
        ("checkmo2", Authorized),
        ("banktransfer", Placed),
        ("free", Placed),
        ("card", Authorized),
        ("", Authorized),
    ] {
        assert_eq!(rules.release_rule(method), rule, "{method}");
    }
    let all = releasing(&[("*", Paid, None), ("card", Authorized, None), ("c*", Placed, None)]);
    assert_eq!(["card", "cash", "free"].map(|method| all.release_rule(method)), [Authorized, Placed, Paid]);
}

#[test]
fn a_person_is_asked_at_the_day_of_the_methods_own_row_and_on_hold_at_the_usual_one() {
    let rules = releasing(&[("card", ReleaseRule::Paid, Some(3_600)), ("slow", ReleaseRule::Paid, None)]);
    let until = |order: &Order| match rules.released(order, false) {
        Released::Awaiting(_, until) => until.as_second(),
        other => panic!("{other:?}"),
    };
    let two_weeks = 14 * 86_400;
    for (method, life, seconds) in [
        ("card", OrderLife::Open, 3_600),
        ("card", OrderLife::Pending, 3_600),
        ("card", OrderLife::Held, two_weeks),
        ("slow", OrderLife::Open, two_weeks),
        ("other", OrderLife::Open, two_weeks),
    ] {
        assert_eq!(until(&order(method, Some(life))), seconds, "{method} {life:?}");
    }
    let later = Order { placed: Timestamp::from_second(1_000).ok(), ..order("card", Some(OrderLife::Open)) };
    assert_eq!(until(&later), 4_600);
    let untold = Order { placed: None, ..order("card", Some(OrderLife::Open)) };
    assert_eq!(until(&untold), 3_600);
    let last = Order { placed: Some(Timestamp::MAX), ..order("card", Some(OrderLife::Open)) };
    assert_eq!(until(&last), Timestamp::MAX.as_second());
}

#[test]
fn of_a_tables_rows_the_exact_one_counts_and_then_the_longest_pattern() {
    let rows =
        table(&[("DHL", "exact"), ("DHL*", "dhl"), ("DHL Express*", "express"), ("UPS", "ups"), ("*x", "never")]);
    let target = PaperTarget { carriers: rows.clone(), payments: rows.clone(), ..shop(MoneyRule::Off, MoneyRule::Off) };
    let rules = OrderRules { tables: [("taxes".to_string(), rows)].into(), ..order_rules() };
    for (code, row) in [
        ("DHL", Some("exact")),
        ("DHL Paket", Some("dhl")),
        ("DHL Express", Some("express")),
        ("DHL Express 9:00", Some("express")),
        ("UPS", Some("ups")),
        ("UPS 2", None),
        ("x", None),
        ("", None),
    ] {
        assert_eq!([target.carrier(code), target.booked_by(code), rules.row("taxes", code)], [row; 3], "{code}");
    }
    assert_eq!(rules.row("payment_methods", "DHL"), None, "a table that is not there");
}

#[test]
fn sales_without_tax_are_told_apart_where_a_row_begins_so() {
    let of = |rows: &[(&str, &str)], sold_to: SoldTo| {
        let rules = OrderRules { tables: [("taxes".to_string(), table(rows))].into(), ..order_rules() };
        rules.untaxed(&Order { sold_to, ..Order::default() })
    };
    let to = |country: Option<&str>, region: Option<&str>, business| SoldTo {
        country: country.map(ToString::to_string),
        region: region.map(ToString::to_string),
        business,
    };
    let rows = [("DE-19", "19 %"), ("untaxed:*", "none")];
    for (sold_to, code) in [
        (to(Some("CH"), Some("ZH"), Some(true)), "untaxed:business:CH:ZH"),
        (to(Some("CH"), None, Some(false)), "untaxed:consumer:CH"),
        (to(Some("CH"), None, None), "untaxed:consumer:CH"),
        (to(None, None, Some(true)), "untaxed:business:?"),
    ] {
        assert_eq!(of(&rows, sold_to).as_deref(), Some(code));
    }
    assert_eq!(of(&rows[..1], SoldTo::default()), None, "no row tells them apart");
    assert_eq!(order_rules().untaxed(&Order::default()), None, "there is no table");
}

/// A shop that is told of invoices and credits by these rules.
fn shop(invoices: MoneyRule, credits: MoneyRule) -> PaperTarget {
    PaperTarget {
        system: system("shop"),
        carriers: BTreeMap::new(),
        places: Vec::new(),
        invoices,
        credits,
        payments: BTreeMap::new(),
        refunds: Refunds::Ask,
    }
}

#[test]
fn a_shop_is_told_of_all_parcels_and_of_money_as_the_file_says() {
    use MoneyRule::{Off, Paid, Posted};
    let paper = |life| Paper { life, ..Paper::default() };
    let kinds = [Kind::Shipment, Kind::Invoice, Kind::Credit, Kind::Payment];
    let takes = |invoices, credits| kinds.map(|kind| shop(invoices, credits).takes(kind));
    assert_eq!(takes(Off, Off), [true, false, false, false]);
    assert_eq!([takes(Posted, Off), takes(Paid, Off)], [[true, true, false, false]; 2]);
    assert_eq!(takes(Off, Paid), [true, false, true, false]);
    for (life, sent, posted, paid) in [
        (None, false, false, false),
        (Some(PaperLife::Open), false, false, false),
        (Some(PaperLife::Done), true, true, false),
        (Some(PaperLife::Paid), true, true, true),
        (Some(PaperLife::Void), false, false, false),
    ] {
        let due = |kind, rule| shop(rule, rule).is_due(kind, &paper(life));
        assert_eq!([due(Kind::Shipment, Paid), due(Kind::Shipment, Off)], [sent; 2], "{life:?}");
        assert_eq!([Kind::Invoice, Kind::Credit].map(|kind| due(kind, Posted)), [posted; 2], "{life:?}");
        assert_eq!([Kind::Invoice, Kind::Credit].map(|kind| due(kind, Paid)), [paid; 2], "{life:?}");
    }
    let tells = PaperTarget { payments: table(&[("*", "Bank")]), ..shop(Off, Off) };
    assert_eq!((tells.tells_payments(), shop(Off, Off).tells_payments()), (true, false));
}

#[test]
fn refunds_are_carried_over_where_any_shop_asks_for_it() {
    let of = |refunds: &[Refunds]| {
        let target = |refunds: &Refunds| PaperTarget { refunds: *refunds, ..shop(MoneyRule::Off, MoneyRule::Off) };
        PaperRules { source: system("erp"), targets: refunds.iter().map(target).collect() }.carries_refunds()
    };
    assert_eq!([of(&[]), of(&[Refunds::Ask]), of(&[Refunds::Ask, Refunds::Ask])], [false; 3]);
    assert_eq!([of(&[Refunds::Draft]), of(&[Refunds::Carry]), of(&[Refunds::Ask, Refunds::Draft])], [true; 3]);
}

fn pair(target: &str, policies: Vec<(&'static str, FieldPolicy)>) -> PairRules {
    let policies = policies.into_iter().map(|(path, policy)| (Path::try_from(path.to_string()).unwrap(), policy));
    PairRules { source: system("erp"), target: system(target), policies: policies.collect(), creates: false }
}

#[test]
fn a_flow_ties_its_source_with_each_target_and_no_target_with_another() {
    let rules = FieldRules { source: system("erp"), pairs: vec![pair("shop", vec![]), pair("market", vec![])] };
    let tied = |one: &str, other: &str| {
        rules.between(&system(one), &system(other)).map(|pair| pair.target.to_string()).unwrap_or_default()
    };
    for (one, other, expected) in [
        ("erp", "shop", "shop"),
        ("shop", "erp", "shop"),
        ("market", "erp", "market"),
        ("erp", "market", "market"),
        ("shop", "market", ""),
        ("market", "shop", ""),
        ("erp", "other", ""),
        ("erp", "erp", ""),
    ] {
        assert_eq!(tied(one, other), expected, "{one} and {other}");
    }
    let systems: Vec<&str> = rules.systems().map(SystemName::as_str).collect();
    assert_eq!(systems, ["erp", "shop", "market"]);
}

#[test]
fn the_most_literal_policy_counts_and_a_third_systems_field_comes_by_the_source() {
    let owner = |name: &str| FieldPolicy::Owner(system(name));
    let winner = |name: &str| FieldPolicy::Merge(Some(system(name)));
    let rules = pair(
        "shop",
        vec![
            ("texts", FieldPolicy::Keep),
            ("texts.*.name", owner("shop")),
            ("texts.de.*", FieldPolicy::Merge(None)),
            ("texts.de.name", winner("shop")),
            ("images", owner("market")),
            ("weight", winner("market")),
            ("tax", winner("erp")),
        ],
    );
    for (path, policy) in [
        ("texts.en.description", FieldPolicy::Keep),
        ("texts.en.name", owner("shop")),
        ("texts.de.description", FieldPolicy::Merge(None)),
        ("texts.de.name", winner("shop")),
        ("images[1f].label", owner("erp")),
        ("weight", winner("erp")),
        ("tax", winner("erp")),
        ("sku", owner("erp")),
    ] {
        assert_eq!(rules.policy(&Path::try_from(path.to_string()).unwrap()), policy, "{path}");
    }
}

#[test]
fn a_document_of_another_connector_is_known_by_what_stands_on_it() {
    let id = RemoteId::new("eu", "17");
    let says = |value: &str, number: Option<&str>, reference: Option<&str>| {
        let key = AdoptKey { field: "reference".to_string(), value: value.to_string() };
        let [number, reference] = [number, reference].map(|text| text.map(ToString::to_string));
        key.says(&system("shop"), &id, &Order { number, reference, ..Order::default() })
    };
    let all = "{system}/{scope}/{id}/{number}/{reference}";
    assert_eq!(says(all, Some("1001"), Some("SO7")).as_deref(), Some("shop/eu/17/1001/SO7"));
    assert_eq!(says("#{number}", Some("1001"), None).as_deref(), Some("#1001"));
    for (number, reference) in
        [(None, Some("SO7")), (Some(""), Some("SO7")), (Some("1001"), None), (Some("1001"), Some(""))]
    {
        assert_eq!(says(all, number, reference), None, "{number:?} {reference:?}");
    }
    let told = |adopt| {
        let keys = OrderRules { adopt, ..order_rules() }.adopt_keys();
        keys.into_iter().map(|key| alloc::format!("{} = {}", key.field, key.value)).collect::<Vec<_>>()
    };
    let own = AdoptKey { field: "code".to_string(), value: "{id}".to_string() };
    assert_eq!(told(Some(own)), ["code = {id}"]);
    assert_eq!(told(None), ["number = {reference}", "reference = {number}"]);
}

#[test]
fn an_orders_reference_names_its_shop_scope_and_number() {
    let of = |number: &str| OrderRules { number: number.to_string(), ..order_rules() }.reference("eu", "1001");
    assert_eq!([of("{number}"), of("{system}-{scope}-{number}"), of("web")], ["1001", "shop-eu-1001", "web"]);
}
