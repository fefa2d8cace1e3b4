//! What a field holds, and how Tryton writes it in JSON (`{"__class__":"Decimal",…}` and its kin).

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::fail::Fail;
use super::schema::Kind;
use crate::base64::{base64, lines};

/// One stored or computed value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Val {
    /// Nothing there.
    Null,
    /// A flag.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A `Numeric`: its scale is kept as it was sent.
    Dec(Decimal),
    /// A `Float`, held as a decimal; the wire shows it as a JSON number.
    Float(Decimal),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A day.
    Date(Date),
    /// A moment, in UTC.
    Time(Timestamp),
    /// One record of another model.
    Ref(u64),
    /// Several records of another model.
    Refs(Vec<u64>),
}

impl Val {
    /// The text, or nothing for every other kind.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number behind a `Numeric`, a `Float` or an integer.
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Dec(number) | Self::Float(number) => Some(*number),
            Self::Int(number) => Some(Decimal::from(*number)),
            _ => None,
        }
    }

    /// The record pointed to.
    pub fn id(&self) -> Option<u64> {
        if let Self::Ref(id) = self { Some(*id) } else { None }
    }

    /// The records pointed to; empty for every other kind.
    pub fn ids(&self) -> &[u64] {
        match self {
            Self::Refs(ids) => ids,
            Self::Ref(id) => std::slice::from_ref(id),
            _ => &[],
        }
    }

    /// Whether it counts as filled in, as Tryton's `required` sees it (empty text does not).
    pub fn filled(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Text(text) => !text.is_empty(),
            _ => true,
        }
    }

    /// The value as an answer shows it. Stored flags are 1 and 0 (SQLite), computed ones true and false.
    pub fn to_json(&self, stored: bool) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) if stored => json!(u8::from(*flag)),
            Self::Bool(flag) => json!(flag),
            Self::Int(number) => json!(number),
            Self::Dec(number) => json!({"__class__": "Decimal", "decimal": number.to_string()}),
            Self::Float(number) => float(*number),
            Self::Text(text) => json!(text),
            Self::Bytes(bytes) => json!({"__class__": "bytes", "base64": lines(bytes)}),
            Self::Date(day) => json!({
                "__class__": "date", "year": day.year(), "month": day.month(), "day": day.day()}),
            Self::Time(moment) => datetime(*moment),
            Self::Ref(id) => json!(id),
            Self::Refs(ids) => json!(ids),
        }
    }

    /// The value as error texts print it: whole floats with `.0`.
    pub fn printed(&self) -> String {
        match self {
            Self::Float(number) => float(*number).to_string(),
            Self::Dec(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Ref(id) => id.to_string(),
            Self::Date(day) => day.to_string(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            _ => String::new(),
        }
    }
}

/// A float as Python writes it: `2.0`, `1.5`.
fn float(number: Decimal) -> Value {
    let short = number.normalize();
    let text = if short.scale() == 0 { format!("{short}.0") } else { short.to_string() };
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn datetime(moment: Timestamp) -> Value {
    let at = moment.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    json!({"__class__": "datetime", "year": at.year(), "month": at.month(), "day": at.day(), "hour": at.hour(),
        "minute": at.minute(), "second": at.second(), "microsecond": at.subsec_nanosecond() / 1000})
}

/// The value a client sent for a field of this kind, or the error Tryton answers.
pub fn parse(kind: &Kind, json: &Value) -> Result<Val, Fail> {
    if json.is_null() {
        return Ok(Val::Null);
    }
    match kind {
        Kind::Char { strip } => {
            Ok(Val::Text(if *strip { python_text(json).trim().to_owned() } else { python_text(json) }))
        }
        Kind::Text | Kind::Select(_) => Ok(Val::Text(python_text(json))),
        Kind::Dict => Ok(Val::Text(sorted(json).to_string())),
        Kind::Binary => Ok(bytes(json).map_or(Val::Null, Val::Bytes)),
        Kind::Int => whole(json).map(Val::Int),
        Kind::One(_) => whole(json).map(|id| Val::Ref(u64::try_from(id).unwrap_or(0))),
        Kind::Float(_) => number(json).map(Val::Float),
        Kind::Numeric(_) => number(json).map(Val::Dec),
        Kind::Bool => Ok(Val::Bool(match json {
            Value::Bool(flag) => *flag,
            Value::Number(number) => number.as_i64() != Some(0),
            _ => true,
        })),
        Kind::Date => day(json).map(Val::Date),
        Kind::Time => moment(json).map(Val::Time),
        Kind::Many { .. } | Kind::ManyMany(_) | Kind::Calc(..) => any(json),
    }
}

/// The bytes a client sent.
fn bytes(json: &Value) -> Option<Vec<u8>> {
    base64(json.get("base64")?.as_str()?).filter(|bytes| !bytes.is_empty())
}

/// The same with every list of texts in order, as several choices are kept.
fn sorted(json: &Value) -> Value {
    let one = |value: &Value| match value {
        Value::Array(rows) => {
            let mut rows: Vec<&str> = rows.iter().filter_map(Value::as_str).collect();
            rows.sort_unstable();
            json!(rows)
        }
        other => other.clone(),
    };
    json.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), one(value))).collect::<Map<_, _>>().into()
}

/// A value whose kind is told by its own JSON only.
fn any(json: &Value) -> Result<Val, Fail> {
    Ok(match json {
        Value::Null => Val::Null,
        Value::Bool(flag) => Val::Bool(*flag),
        Value::String(text) => Val::Text(text.clone()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Val::Int(whole),
            None => Val::Dec(decimal(&number.to_string())?),
        },
        Value::Array(items) => Val::Refs(items.iter().filter_map(Value::as_u64).collect()),
        Value::Object(fields) => match class(fields) {
            "Decimal" => Val::Dec(number(json)?),
            "date" => Val::Date(day(json)?),
            "datetime" => Val::Time(moment(json)?),
            _ => Val::Null,
        },
    })
}

fn class(fields: &Map<String, Value>) -> &str {
    fields.get("__class__").and_then(Value::as_str).unwrap_or_default()
}

fn python_text(json: &Value) -> String {
    match json {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
        other => other.to_string(),
    }
}

fn whole(json: &Value) -> Result<i64, Fail> {
    let text = match json {
        Value::Bool(flag) => return Ok(i64::from(*flag)),
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(Fail::other("int() argument must be a string, a bytes-like object or a real number")),
    };
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    digits.parse().map_err(|_| Fail::other(format!("invalid literal for int() with base 10: '{text}'")))
}

fn number(json: &Value) -> Result<Decimal, Fail> {
    match json {
        Value::Number(number) => decimal(&number.to_string()),
        Value::String(text) => decimal(text),
        Value::Object(fields) => decimal(fields.get("decimal").and_then(Value::as_str).unwrap_or_default()),
        _ => Err(Fail::other("[<class 'decimal.ConversionSyntax'>]")),
    }
}

fn decimal(text: &str) -> Result<Decimal, Fail> {
    Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .map_err(|_| Fail::other("[<class 'decimal.ConversionSyntax'>]"))
}

fn part(fields: &Map<String, Value>, name: &str) -> i64 {
    fields.get(name).and_then(Value::as_i64).unwrap_or(0)
}

/// The day a client sent.
pub fn day(json: &Value) -> Result<Date, Fail> {
    let found = match json {
        Value::String(text) => Date::from_str(text).ok(),
        Value::Object(fields) => date_of(fields),
        _ => None,
    };
    found.ok_or_else(|| Fail::other(format!("Invalid isoformat string: {json}")))
}

fn date_of(fields: &Map<String, Value>) -> Option<Date> {
    Date::new(
        i16::try_from(part(fields, "year")).ok()?,
        i8::try_from(part(fields, "month")).ok()?,
        i8::try_from(part(fields, "day")).ok()?,
    )
    .ok()
}

fn moment(json: &Value) -> Result<Timestamp, Fail> {
    let found = match json {
        Value::Object(fields) => moment_of(fields),
        Value::String(text) => Timestamp::from_str(text).ok(),
        _ => None,
    };
    found.ok_or_else(|| Fail::other(format!("Invalid isoformat string: {json}")))
}

fn moment_of(fields: &Map<String, Value>) -> Option<Timestamp> {
    let micros = i32::try_from(part(fields, "microsecond")).ok()?;
    date_of(fields)?
        .at(
            i8::try_from(part(fields, "hour")).ok()?,
            i8::try_from(part(fields, "minute")).ok()?,
            i8::try_from(part(fields, "second")).ok()?,
            micros.checked_mul(1000)?,
        )
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|at| at.timestamp())
}

/// A moment as `_timestamp` shows it: seconds with at most five decimals.
pub fn stamp(moment: Timestamp) -> String {
    let seconds = Decimal::from_i128_with_scale(i128::from(moment.as_microsecond()), 6);
    let short = seconds.round_dp_with_strategy(5, rust_decimal::RoundingStrategy::MidpointAwayFromZero).normalize();
    if short.scale() == 0 { format!("{short}.0") } else { short.to_string() }
}
