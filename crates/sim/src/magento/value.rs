//! Readings of JSON values that may be anything: numbers stay decimal, times stay UTC seconds.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

/// The decimal a value holds, from a number or a numeric text; none where it has more digits than a decimal can keep.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => decimal_text(&number.to_string()),
        Value::String(text) => decimal_text(text.trim()),
        _ => None,
    }
}

/// The decimal a text spells, exponents included.
pub(super) fn decimal_text(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

/// The amount under a key; zero where there is none.
pub(super) fn amount(of: &Value, key: &str) -> Decimal {
    of.get(key).and_then(decimal).unwrap_or(Decimal::ZERO)
}

/// The same, of an order's own columns.
pub(super) fn column(of: &Map<String, Value>, key: &str) -> Decimal {
    of.get(key).and_then(decimal).unwrap_or(Decimal::ZERO)
}

/// A decimal as JSON number, with no digit added or lost.
pub(super) fn number(value: Decimal) -> Value {
    let text = value.normalize().to_string();
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

/// A decimal as text without trailing zeros.
pub(super) fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}

/// The positive database id a value holds, as number or numeric text; Magento's id columns hold 32 bits.
pub(super) fn id(value: &Value) -> Option<u64> {
    let id = match value {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => u64::from_str(text.trim()).ok()?,
        _ => return None,
    };
    (1..=u64::from(u32::MAX)).contains(&id).then_some(id)
}

/// A moment as Magento writes it: UTC, whole seconds, no zone.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The moment a text tells, with or without zone; without it is UTC.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = Timestamp::from_str(text) {
        return Some(at);
    }
    let civil = DateTime::from_str(text).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Puts a key where its alphabet places it among the scalar columns, or at its old place.
pub(super) fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    if let Some(old) = map.get_mut(key) {
        *old = value;
        return;
    }
    let later = |(name, held): (&String, &Value)| held.is_array() || held.is_object() || name.as_str() > key;
    let place = map.iter().position(later).unwrap_or(map.len());
    map.shift_insert(place, key.to_owned(), value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_keep_every_digit_or_are_none() {
        assert_eq!(decimal(&json!("1.10")).map(plain).as_deref(), Some("1.1"));
        let wire: Value =
            serde_json::from_str("[9.99, 1e2, 1e400, 1234567890123456789012345678901234567890]").expect("json");
        let read: Vec<_> = wire.as_array().expect("a list").iter().map(|value| decimal(value).map(plain)).collect();
        assert_eq!(read, [Some("9.99".to_owned()), Some("100".to_owned()), None, None]);
    }

    #[test]
    fn moments_with_and_without_zone_are_one() {
        let plain = moment("2026-11-23 04:00:00").expect("a moment");
        assert_eq!(moment("2026-11-23T05:00:00+01:00"), Some(plain));
        assert_eq!(moment("2026-11-23T04:00:00Z"), Some(plain));
        assert_eq!(stamp(plain), "2026-11-23 04:00:00");
        assert_eq!(moment("2026-11-23").map(stamp).as_deref(), Some("2026-11-23 00:00:00"));
        assert_eq!(moment("soon"), None);
    }
}
