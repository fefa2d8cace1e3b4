//! Exact decimals, as far as comparing two ledgers needs them: no floats, no rounding.
use serde_json::Value;
use std::fmt;
use std::ops::{Add, Sub};

const PLACES: usize = 8;

/// An amount or a quantity, in units of 10⁻⁸.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dec(i128);

impl Dec {
    /// The number written there; none where it is no plain decimal, or finer than eight places.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let part = part.trim_end_matches('0');
        let plain = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || part.len() > PLACES || !plain(whole) || !plain(part) {
            return None;
        }
        let units: i128 = format!("{whole}{part:0<PLACES$}").parse().ok()?;
        Some(Self(if negative { -units } else { units }))
    }

    /// The number in a JSON value, given as a number or as text.
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// So many wholes.
    pub fn whole(number: u32) -> Self {
        Self(i128::from(number).saturating_mul(10_i128.pow(u32::try_from(PLACES).unwrap_or(0))))
    }

    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// It in hundredths; what is finer is cut off.
    pub fn hundredths(self) -> i128 {
        self.0 / 10_i128.pow(u32::try_from(PLACES - 2).unwrap_or(0))
    }

    /// The whole number at or below it.
    pub fn floor(self) -> Self {
        let one = Self::whole(1).0;
        Self(self.0.div_euclid(one).saturating_mul(one))
    }
}

impl Sub for Dec {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Dec {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let digits = format!("{:0>9}", self.0.unsigned_abs());
        let (whole, part) = digits.split_at(digits.len().saturating_sub(PLACES));
        let part = part.trim_end_matches('0');
        let dot = if part.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{dot}{part}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_amounts_are_equal_however_they_are_written() {
        assert_eq!(Dec::parse("1.10"), Dec::parse("1.1"));
        assert_eq!(Dec::from_json(&serde_json::json!("99.640000")), Dec::parse("99.64"));
        assert_ne!(Dec::parse("0.01"), Dec::parse("0.010001"));
    }

    #[test]
    fn what_is_no_plain_decimal_is_none() {
        for text in ["", "1e3", "12,50", "NaN", "1.2.3", "0.123456789", "--1"] {
            assert_eq!(Dec::parse(text), None, "{text}");
        }
    }

    #[test]
    fn it_prints_what_it_read() {
        for text in ["0", "-0.05", "4400", "12.345", "1000000000000"] {
            assert_eq!(Dec::parse(text).map(|d| d.to_string()).as_deref(), Some(text));
        }
        assert_eq!((Dec::parse("0.1").unwrap() + Dec::parse("0.2").unwrap()).to_string(), "0.3");
        assert_eq!((Dec::parse("0.1").unwrap() - Dec::parse("0.3").unwrap()).floor(), Dec::parse("-1").unwrap());
        assert_eq!(Dec::parse("7.9").unwrap().floor(), Dec::parse("7").unwrap());
        assert_eq!(Dec::parse("-7.905").unwrap().hundredths(), -790);
    }
}
