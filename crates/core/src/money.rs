//! Exact amounts: a decimal with its currency, and decimals parsed from raw tokens within bounds.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An ISO 4217 code: three upper-case ASCII letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code as text.
    #[must_use]
    pub fn code(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Digits after the decimal point by ISO 4217; 2 for every code not listed as 0, 3 or 4.
    #[must_use]
    pub fn digits(&self) -> u32 {
        match self.code() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
            | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ => 2,
        }
    }

    /// The smallest amount of this currency, e.g. 0.01.
    #[must_use]
    pub fn minor_unit(&self) -> Decimal {
        Decimal::new(1, self.digits())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match text.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|x| x.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(MoneyError::Currency(crate::text::shown(text, 20))),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_string()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of one currency. Equality is by value: 1.10 = 1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The decimal amount in major units.
    pub amount: Decimal,
    /// The currency it is in.
    pub currency: Currency,
}

impl Money {
    /// `amount` of `currency`.
    #[must_use]
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Nothing, in `currency`.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self::new(Decimal::ZERO, currency)
    }

    /// The sum; an error where the currencies differ or the sum leaves the range.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] or [`MoneyError::Range`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(self.currency, other.currency));
        }
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Range)?;
        Ok(Self::new(amount, self.currency))
    }

    /// The difference; an error where the currencies differ or it leaves the range.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] or [`MoneyError::Range`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.plus(Self::new(-other.amount, other.currency))
    }

    /// The amount rounded half away from zero to the currency's digits.
    #[must_use]
    pub fn rounded(self) -> Self {
        let digits = self.currency.digits();
        Self::new(self.amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero), self.currency)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.digits().max(self.amount.normalize().scale());
        let mut amount = self.amount;
        amount.rescale(digits);
        write!(f, "{} {}", amount, self.currency)
    }
}

/// What is wrong with an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number within 28 digits, or one that nobody counts to.
    #[error("`{0}` is not a decimal number of at most 28 digits, 20 of them before the point")]
    Number(String),
    /// Not an ISO 4217 code.
    #[error("`{0}` is not a currency code of three capital letters")]
    Currency(String),
    /// Two currencies in one sum.
    #[error("{0} and {1} cannot be added")]
    Mixed(Currency, Currency),
    /// A sum beyond 28 digits.
    #[error("the sum has more than 28 digits")]
    Range,
}

/// What no figure of a system comes to: a hundred million of those below can be added up.
const BEYOND: i128 = 100_000_000_000_000_000_000;

/// The decimal of a raw token as a system sent it: plain or with exponent, at most 40 bytes, exact within 28 digits, and below
/// a hundred quintillions.
///
/// Artefacts of binary floats (`29.949999999999999`) are kept as sent; see [`settled`] for the rule that ends them.
///
/// # Errors
/// [`MoneyError::Number`] for anything else, 40-digit numbers included.
pub fn decimal(token: &str) -> Result<Decimal, MoneyError> {
    let bad = || MoneyError::Number(crate::text::shown(token, 45));
    if token.is_empty() || token.len() > 40 {
        return Err(bad());
    }
    let parsed = if token.contains(['e', 'E']) {
        Decimal::from_scientific(token).map_err(|_| bad())?
    } else {
        Decimal::from_str_exact(token).map_err(|_| bad())?
    };
    if parsed.abs() >= Decimal::from_i128_with_scale(BEYOND, 0) {
        return Err(bad());
    }
    Ok(parsed.normalize())
}

/// `amount` with the artefacts of a float taken off: rounded to `scale` where that moves it by less than 1e-9.
#[must_use]
pub fn settled(amount: Decimal, scale: u32) -> Decimal {
    let near = amount.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero);
    if (near - amount).abs() < Decimal::new(1, 9) { near.normalize() } else { amount.normalize() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_is_parsed_exactly_or_refused() {
        assert_eq!(decimal("1.10").unwrap(), decimal("1.1").unwrap());
        assert_eq!(decimal("1e2").unwrap(), Decimal::from(100));
        for bad in ["", "NaN", "1,5", "0x10", "12345678901234567890123456789012345678901", "--1", "1.2.3"] {
            assert!(decimal(bad).is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn what_is_taken_can_be_added_up() {
        for beyond in ["100000000000000000000", "-79228162514264337593543950335", "1e20", "1e28"] {
            assert!(decimal(beyond).is_err(), "{beyond} was taken");
        }
        let most = decimal("-99999999999999999999.99999999").unwrap();
        assert!(most.checked_mul(Decimal::from(100_000_000)).is_some());
        assert!(decimal("0.0000000000000000000000000001").is_ok());
    }

    #[test]
    fn float_artefacts_settle_and_real_digits_stay() {
        assert_eq!(settled(decimal("29.949999999999999").unwrap(), 4), decimal("29.95").unwrap());
        assert_eq!(settled(decimal("0.12345").unwrap(), 4), decimal("0.12345").unwrap());
    }

    proptest! {
        #[test]
        fn sums_lose_nothing(a in -10_000_000_000i64..10_000_000_000, b in -10_000_000_000i64..10_000_000_000, scale in 0u32..5) {
            let currency: Currency = "EUR".parse().unwrap();
            let (x, y) = (Money::new(Decimal::new(a, scale), currency), Money::new(Decimal::new(b, scale), currency));
            let sum = x.plus(y).unwrap();
            prop_assert_eq!(sum.minus(y).unwrap(), x);
            prop_assert_eq!(sum.amount, Decimal::new(a + b, scale));
        }

        #[test]
        fn every_token_of_a_decimal_comes_back(mantissa in any::<i64>(), scale in 0u32..12) {
            let there = Decimal::new(mantissa, scale);
            prop_assert_eq!(decimal(&there.to_string()).unwrap(), there);
        }
    }

    fn money(amount: &str, currency: &str) -> Money {
        Money::new(amount.parse().unwrap(), currency.parse().unwrap())
    }

    #[test]
    fn each_currency_has_its_smallest_coin_and_amounts_are_shown_and_rounded_to_it() {
        for (code, unit, shown, rounded) in [
            ("EUR", "0.01", "2.50 EUR", "2.50 EUR"),
            ("JPY", "1", "2.5 JPY", "3 JPY"),
            ("KWD", "0.001", "2.500 KWD", "2.500 KWD"),
            ("CLF", "0.0001", "2.5000 CLF", "2.5000 CLF"),
        ] {
            let half = money("2.5", code);
            assert_eq!(half.currency.minor_unit().to_string(), unit);
            assert_eq!((half.to_string(), half.rounded().to_string()), (shown.to_string(), rounded.to_string()));
        }
        let rounded = ["1.005", "-1.005", "1.0049", "1.00"].map(|amount| money(amount, "EUR").rounded().to_string());
        assert_eq!(rounded, ["1.01 EUR", "-1.01 EUR", "1.00 EUR", "1.00 EUR"]);
        assert_eq!(money("1.0050", "EUR").to_string(), "1.005 EUR", "what is finer than a coin is shown");
    }

    #[test]
    fn a_currency_is_three_capital_letters_and_is_kept_as_they_are() {
        for bad in ["", "EU", "EURO", "eur", "EuR", "E1R", "€UR"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad} was taken");
            assert!(serde_json::from_str::<Currency>(&alloc::format!("\"{bad}\"")).is_err(), "{bad} was read");
        }
        let franc: Currency = "CHF".parse().unwrap();
        assert_eq!(
            (franc.code(), franc.to_string(), String::from(franc)),
            ("CHF", "CHF".to_string(), "CHF".to_string())
        );
        assert_eq!(serde_json::from_str::<Currency>(&serde_json::to_string(&franc).unwrap()).unwrap(), franc);
    }

    #[test]
    fn two_currencies_are_never_added() {
        let (one, franc) = (money("1.00", "EUR"), money("1.00", "CHF"));
        assert_eq!(one.plus(franc).unwrap_err().to_string(), "EUR and CHF cannot be added");
        assert!(one.minus(franc).is_err());
        assert_eq!(one.minus(money("3.00", "EUR")), Ok(money("-2.00", "EUR")));
        assert_eq!(one.plus(Money::zero(one.currency)), Ok(one));
        let most = Money::new(Decimal::MAX, one.currency);
        assert_eq!(most.plus(most), Err(MoneyError::Range));
    }

    #[test]
    fn a_token_has_at_most_forty_bytes() {
        let zeros = |count: usize| alloc::format!("1.{}", "0".repeat(count));
        assert_eq!(decimal(&zeros(26)).unwrap(), Decimal::ONE);
        let long = |length: usize| alloc::format!("{}1", "0".repeat(length - 1));
        assert_eq!((decimal(&long(40)).is_ok(), decimal(&long(41)).is_ok()), (true, false));
    }

    #[test]
    fn only_what_a_float_leaves_behind_is_taken_off() {
        for (token, scale, expected) in [
            ("1.2300000009", 2, "1.23"),
            ("1.230000001", 2, "1.230000001"),
            ("1.2299999991", 2, "1.23"),
            ("1.229999999", 2, "1.229999999"),
            ("-1.2300000009", 2, "-1.23"),
            ("1.5", 0, "1.5"),
            ("100.00", 2, "100"),
        ] {
            assert_eq!(settled(decimal(token).unwrap(), scale).to_string(), expected, "{token}");
        }
    }
}
