//! Weights: kilograms in our records, the shop's unit in the shop, with four decimals of it. Pure.
//!
//! What a shop in pounds holds is told in kilograms with six decimals. A digit there is less than a fortieth of a digit
//! in the shop, so that every weight the shop can hold comes back to itself: `fit` of a fit is that fit.

use rust_decimal::{Decimal, RoundingStrategy};
use syncline_core::leaf::Value;
use syncline_core::money;
use syncline_core::profile::Fit;

/// Decimals written of the shop's unit.
const SCALE: u32 = 4;
/// Decimals of a kilogram where the shop weighs in pounds.
const KILOGRAM_SCALE: u32 = 6;
/// The first weight that is not written any more, in the shop's unit (columns of older versions are `DECIMAL(12,4)`).
const TOO_MUCH: u64 = 100_000_000;

/// What a shop weighs in (`general/locale/weight_unit`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Unit {
    /// `kgs`.
    #[default]
    Kilograms,
    /// `lbs`.
    Pounds,
}

impl Unit {
    /// The unit of a setting; kilograms where there is none, nothing for one that Magento does not have.
    pub(super) fn of(told: Option<&str>) -> Option<Self> {
        match told {
            None | Some("kgs" | "") => Some(Self::Kilograms),
            Some("lbs") => Some(Self::Pounds),
            Some(_) => None,
        }
    }

    /// Kilograms in one of it, exactly (the international pound of 1959).
    fn factor(self) -> Decimal {
        match self {
            Self::Kilograms => Decimal::ONE,
            Self::Pounds => Decimal::new(45_359_237, 8),
        }
    }

    /// The kilograms of a weight the shop tells; none beyond the range of 28 digits.
    pub(super) fn kilograms(self, told: Decimal) -> Option<Decimal> {
        let kept = rounded(money::settled(told, SCALE), SCALE);
        match self {
            Self::Kilograms => Some(kept),
            Self::Pounds => Some(rounded(kept.checked_mul(self.factor())?, KILOGRAM_SCALE)),
        }
    }

    /// The weight to write for so many kilograms; none beyond the range of 28 digits.
    pub(super) fn of_kilograms(self, kilograms: Decimal) -> Option<Decimal> {
        Some(rounded(kilograms.checked_div(self.factor())?, SCALE))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Kilograms => "kilograms",
            Self::Pounds => "pounds",
        }
    }

    /// How the shop keeps a weight in kilograms.
    pub(super) fn fit(self, kilograms: Decimal) -> Fit {
        let in_shop = self.of_kilograms(kilograms);
        let Some(kept) = in_shop.filter(|kept| *kept < Decimal::from(TOO_MUCH)) else {
            return Fit::Refused(format!("a weight has to be below {TOO_MUCH} {}", self.name()));
        };
        if kilograms < Decimal::ZERO {
            return Fit::Refused("a weight is not below zero".to_owned());
        }
        if kept.is_zero() && !kilograms.is_zero() {
            return Fit::Refused(format!("so small a weight is none in {SCALE} decimals of {}", self.name()));
        }
        match self.kilograms(kept) {
            Some(back) if back == kilograms => Fit::Exact,
            Some(back) => Fit::As(Value::Number(back), format!("kept in {} with {SCALE} decimals", self.name())),
            None => Fit::Refused(format!("{kilograms} is no weight")),
        }
    }
}

fn rounded(number: Decimal, scale: u32) -> Decimal {
    number.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_pound_is_its_exact_share_of_a_kilogram() {
        assert_eq!(Unit::Pounds.kilograms(number("1")), Some(number("0.453592")));
        assert_eq!(Unit::Pounds.kilograms(number("10000")), Some(number("4535.9237")));
        assert_eq!(Unit::Pounds.of_kilograms(number("4535.9237")), Some(number("10000")));
        assert_eq!(Unit::Kilograms.kilograms(number("0.125")), Some(number("0.125")));
        assert_eq!(Unit::Pounds.kilograms(number("0.12499999999999999")), Some(number("0.056699")));
    }

    #[test]
    fn what_the_shop_cannot_hold_is_refused() {
        for bad in ["-1", "0.000001", "1e9", "79228162514264337593543950335"] {
            let weight = Decimal::from_scientific(bad).unwrap_or_else(|_| number(bad));
            assert!(matches!(Unit::Pounds.fit(weight), Fit::Refused(_)), "{bad}");
        }
        assert_eq!(Unit::Kilograms.fit(Decimal::ZERO), Fit::Exact);
        assert!(
            matches!(Unit::Kilograms.fit(number("0.12345")), Fit::As(Value::Number(n), _) if n == number("0.1235"))
        );
    }

    proptest! {
        #[test]
        fn a_fit_of_a_fit_is_the_fit_and_what_is_read_fits(mantissa in 0i64..9_000_000_000, scale in 0u32..9) {
            for unit in [Unit::Kilograms, Unit::Pounds] {
                let told = Decimal::new(mantissa, scale);
                let read = unit.kilograms(told).unwrap();
                prop_assert!(matches!(unit.fit(read), Fit::Exact | Fit::Refused(_)));
                if !read.is_zero() && read < Decimal::from(1000) {
                    prop_assert_eq!(unit.fit(read), Fit::Exact);
                }
                if let Fit::As(Value::Number(kept), _) = unit.fit(told) {
                    prop_assert_eq!(unit.fit(kept), Fit::Exact);
                }
            }
        }
    }
}
