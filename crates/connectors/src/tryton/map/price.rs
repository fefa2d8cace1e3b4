//! Prices of one that make up the amount of a line, as Tryton multiplies and rounds.

use rust_decimal::{Decimal, RoundingStrategy};

/// Decimals Tryton keeps of a price of one. Tryton 8.0 live: a fifth is refused.
pub(crate) const PRICE_DIGITS: u32 = 4;

/// What Tryton makes of `quantity` at `price`: rounded half to even to the currency's `digits`.
pub(crate) fn amount(quantity: Decimal, price: Decimal, digits: u32) -> Option<Decimal> {
    let exact = quantity.checked_mul(price)?;
    Some(exact.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven))
}

/// The price of one for which `quantity` makes `net`, or comes nearest to it where four decimals cannot.
/// Nothing where there is none: an amount without a quantity, or figures beyond 28 digits.
pub(crate) fn unit_price(net: Decimal, quantity: Decimal, digits: u32) -> Option<Decimal> {
    if quantity.is_zero() {
        return net.is_zero().then_some(Decimal::ZERO);
    }
    let near = net.checked_div(quantity)?;
    let near = near.round_dp_with_strategy(PRICE_DIGITS, RoundingStrategy::MidpointNearestEven);
    let step = Decimal::new(1, PRICE_DIGITS);
    let candidates = [Some(near), near.checked_sub(step), near.checked_add(step)];
    let mut best: Option<((bool, Decimal), Decimal)> = None;
    for price in candidates.into_iter().flatten() {
        let misses = amount(quantity, price, digits)? != net;
        let off = quantity.checked_mul(price)?.checked_sub(net)?.abs();
        if best.as_ref().is_none_or(|(rank, _)| (misses, off) < *rank) {
            best = Some(((misses, off), price.normalize()));
        }
    }
    best.map(|(_, price)| price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        syncline_core::money::decimal(text).unwrap()
    }

    #[test]
    fn the_price_of_one_makes_the_amount() {
        assert_eq!(unit_price(dec("10"), dec("3"), 2), Some(dec("3.3333")));
        assert_eq!(unit_price(dec("29.99"), dec("2"), 2), Some(dec("14.995")));
        assert_eq!(unit_price(dec("0"), dec("7"), 2), Some(dec("0")));
        assert_eq!(unit_price(dec("0"), dec("0"), 2), Some(dec("0")));
        assert_eq!(unit_price(dec("1"), dec("0"), 2), None);
        assert_eq!(unit_price(dec("-3.33"), dec("1"), 2), Some(dec("-3.33")));
    }

    #[test]
    fn where_half_a_cent_is_at_stake_the_neighbour_is_taken() {
        // 100 × 0.1234 = 12.34 but 12.345 / 100 lies between two prices.
        for cents in [1i64, 3, 5, 12_345, 99_995] {
            let net = Decimal::new(cents, 2);
            let price = unit_price(net, dec("100"), 2).unwrap();
            assert_eq!(amount(dec("100"), price, 2), Some(net));
        }
    }

    proptest! {
        #[test]
        fn two_digits_come_out_to_the_cent(cents in -100_000_000i64..100_000_000, quantity in 1i64..100) {
            let (net, quantity) = (Decimal::new(cents, 2), Decimal::from(quantity));
            let price = unit_price(net, quantity, 2).unwrap();
            prop_assert!(price.scale() <= PRICE_DIGITS);
            prop_assert_eq!(amount(quantity, price, 2), Some(net));
        }

        #[test]
        fn no_digits_come_out_to_the_yen(yen in -1_000_000i64..1_000_000, quantity in 1i64..100) {
            let (net, quantity) = (Decimal::from(yen), Decimal::from(quantity));
            prop_assert_eq!(amount(quantity, unit_price(net, quantity, 0).unwrap(), 0), Some(net));
        }

        #[test]
        fn three_digits_come_out_below_ten_pieces(fils in -1_000_000_000i64..1_000_000_000, quantity in 1i64..10) {
            let (net, quantity) = (Decimal::new(fils, 3), Decimal::from(quantity));
            prop_assert_eq!(amount(quantity, unit_price(net, quantity, 3).unwrap(), 3), Some(net));
        }

        #[test]
        fn three_digits_stay_within_half_a_step_of_each_piece(fils in 0i64..1_000_000_000, quantity in 10i64..100) {
            let (net, quantity) = (Decimal::new(fils, 3), Decimal::from(quantity));
            let made = amount(quantity, unit_price(net, quantity, 3).unwrap(), 3).unwrap();
            prop_assert!((made - net).abs() <= quantity * Decimal::new(5, 5) + Decimal::new(5, 4));
        }

        #[test]
        fn odd_quantities_come_out_too(cents in 0i64..10_000_000, quantity in 1i64..9_900) {
            let (net, quantity) = (Decimal::new(cents, 2), Decimal::new(quantity, 2));
            prop_assert_eq!(amount(quantity, unit_price(net, quantity, 2).unwrap(), 2), Some(net));
        }
    }
}
