//! What the checker makes of money that is booked.

use super::*;

/// What is said against booking `parts` of a payment of `taken` cents of which `there` is booked, each by its invoice.
fn said(there: &[(&str, i64)], parts: &[(&str, i64)], taken: Option<Money>) -> String {
    let lines = |parts: &[(&str, i64)]| -> Leaves {
        let net = |(bill, cents): &(&str, i64)| (Path::element("lines", bill).dot("net"), euros(*cents));
        parts.iter().map(net).collect()
    };
    let step = if there.is_empty() { Step::Create } else { Step::Attach("lines".to_string()) };
    let leaves = lines(parts).overlaid(&told(vec![("number", text("P1")), ("grand", euros(1))]));
    let seen = lines(there).overlaid(&told(vec![("grand", euros(99_999))]));
    against(&plan(Kind::Payment, step, leaves), &Facts { bound: !there.is_empty(), taken, ..facts(&seen) })
}

#[test]
fn no_more_is_booked_than_was_taken_and_on_no_invoice_twice() {
    let (nothing, more) = ("a payment of nothing", "more booked than was taken");
    let taken = Some(money(10_000, "EUR"));
    for (there, parts, expected) in [
        (&[][..], &[("7", 10_000)][..], ""),
        (&[], &[("7", 1)], ""),
        (&[], &[("7", 10_001)], more),
        (&[], &[("7", 6_000), ("9", 4_000)], ""),
        (&[], &[("7", 6_000), ("9", 4_001)], more),
        (&[("7", 6_000)], &[("9", 4_000)], ""),
        (&[("7", 6_000)], &[("9", 4_001)], more),
        (&[("7", 6_000), ("9", 4_000)], &[("11", 1)], more),
        (&[("7", 6_000)], &[("7", 4_000)], "a payment booked on invoice 7 twice"),
        (&[("7", 6_000)], &[("9", 1), ("7", 1)], "a payment booked on invoice 7 twice"),
        (&[], &[], nothing),
        (&[], &[("7", 0)], nothing),
        (&[], &[("7", -1)], nothing),
        (&[], &[("7", 100), ("9", -100)], nothing),
    ] {
        assert_eq!(said(there, parts, taken), expected, "{parts:?} beside {there:?}");
    }
    assert_eq!(said(&[], &[("7", 1)], Some(money(10_000, "CHF"))), more, "francs were taken, euros are booked");
    assert_eq!(said(&[], &[("7", 1)], None), more, "nobody says that any was taken");
}

#[test]
fn only_of_payments_it_is_asked_what_they_are_booked_on() {
    let seen = Leaves::new();
    let parcel = plan(Kind::Shipment, Step::Create, told(vec![("lines[7].quantity", Some(number(1)))]));
    assert_eq!(against(&parcel, &facts(&seen)), "");
    let payment = plan(Kind::Payment, Step::Create, told(vec![("lines[7].quantity", Some(number(1)))]));
    assert_eq!(against(&payment, &Facts { taken: Some(money(1, "EUR")), ..facts(&seen) }), "a payment of nothing");
}
