//! The unit a product is sold in. Tryton counts stock, prices and weights by a product's default unit and sells it in its
//! sale unit, e.g. counted by piece and sold by pack of six; a shop knows the one it sells in.

use crate::tryton::wire::Unit;
use rust_decimal::{Decimal, RoundingStrategy};

/// Decimals of a figure that does not come out even: more than any unit keeps.
const DIGITS: u32 = 8;

/// The units of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tryton) struct Units {
    /// How many of the unit it is counted in make one of the unit it is sold in.
    pack: Decimal,
    /// Decimals of a quantity that is sold.
    digits: u32,
}

impl Units {
    /// A product is sold in the unit it is counted in where it has no other; nothing where Tryton does not tell how the
    /// two compare.
    pub(in crate::tryton) fn of(sale: Option<Unit>, default: Option<Unit>) -> Option<Self> {
        let (Some(sale), Some(default)) = (sale.or(default), default) else { return Some(Self::same(0)) };
        if sale.id == default.id {
            return Some(Self::same(sale.digits));
        }
        let pack = sale.factor?.0.0.checked_div(default.factor?.0.0)?;
        (pack > Decimal::ZERO).then_some(Self { pack: pack.normalize(), digits: sale.digits })
    }

    fn same(digits: u32) -> Self {
        Self { pack: Decimal::ONE, digits }
    }

    /// What is counted as what can be sold of it, never more.
    pub(in crate::tryton) fn sold(self, counted: Decimal) -> Decimal {
        if self.pack == Decimal::ONE {
            return counted.normalize();
        }
        let exact = counted.checked_div(self.pack).unwrap_or_default();
        exact.round_dp_with_strategy(DIGITS, RoundingStrategy::ToNegativeInfinity).normalize()
    }

    /// The fewest that can be sold and come to `counted`.
    pub(in crate::tryton) fn fewest(self, counted: Decimal) -> Decimal {
        if self.pack == Decimal::ONE {
            return counted.normalize();
        }
        let exact = counted.checked_div(self.pack).unwrap_or_default();
        // A factor with a last digit cut off is no reason for one more.
        exact.round_dp(DIGITS).round_dp_with_strategy(self.digits, RoundingStrategy::ToPositiveInfinity).normalize()
    }

    /// What one that is sold comes to, by what one that is counted comes to: a price, a weight.
    pub(in crate::tryton) fn each(self, counted: Decimal) -> Option<Decimal> {
        counted.checked_mul(self.pack).map(|each| each.normalize())
    }

    /// The other way around; nothing where it does not come out even.
    pub(in crate::tryton) fn counted(self, each: Decimal) -> Option<Decimal> {
        let counted = each.checked_div(self.pack)?;
        (counted.checked_mul(self.pack)? == each).then_some(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tryton::wire::Qty;
    use proptest::prelude::*;

    fn unit(id: i64, factor: &str, digits: u32) -> Option<Unit> {
        Some(Unit { id, digits, factor: Some(Qty::of(factor.parse().unwrap())) })
    }

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_pack_of_six_is_a_sixth_of_its_pieces_at_six_times_the_price() {
        let units = Units::of(unit(2, "6", 0), unit(1, "1", 0)).unwrap();
        assert_eq!(units.sold(dec("17")).floor(), dec("2"));
        assert_eq!(units.fewest(dec("13")), dec("3"));
        assert_eq!(units.each(dec("1.25")), Some(dec("7.5")));
        assert_eq!(units.counted(dec("7.5")), Some(dec("1.25")));
        assert_eq!(units.counted(dec("0.1")), None);
    }

    #[test]
    fn what_is_counted_by_weight_may_be_sold_in_another() {
        let units = Units::of(unit(3, "0.001", 2), unit(2, "1", 2)).unwrap();
        assert_eq!((units.sold(dec("1.5")), units.each(dec("8"))), (dec("1500"), Some(dec("0.008"))));
        let units = Units::of(unit(2, "1", 2), unit(3, "0.001", 2)).unwrap();
        assert_eq!(units.fewest(dec("1501")), dec("1.51"));
    }

    #[test]
    fn without_a_sale_unit_nothing_changes_and_without_factors_nothing_is_known() {
        assert_eq!(Units::of(None, unit(1, "1", 0)), Units::of(unit(1, "1", 0), unit(1, "1", 0)));
        assert_eq!(Units::of(unit(2, "0", 0), unit(1, "1", 0)), None);
        assert_eq!(Units::of(unit(2, "6", 0), unit(1, "0", 0)), None);
        let untold = Some(Unit { id: 2, digits: 0, factor: None });
        assert_eq!(Units::of(untold, unit(1, "1", 0)), None);
    }

    proptest! {
        #[test]
        fn never_more_is_sold_than_is_counted(counted in -9_999i64..9_999, pack in 1u32..99) {
            let (counted, units) = (Decimal::from(counted), Units::of(unit(2, &pack.to_string(), 0), unit(1, "1", 0)).unwrap());
            prop_assert!(units.each(units.sold(counted)).unwrap() <= counted);
            prop_assert!(units.each(units.sold(counted).floor() + Decimal::ONE).unwrap() > counted);
            prop_assert!(units.each(units.fewest(counted)).unwrap() >= counted);
            prop_assert!(units.each(units.fewest(counted) - Decimal::ONE).unwrap() < counted);
        }
    }
}
