//! What answers look like: rows of a page, ids, moments, and how a list goes on. Everything is somebody else's.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::Value;
use syncline_connect::json_api::{MOST_ROWS, Moment, Paging, Pointer, Resource, Style};
use syncline_connect::{Error, Result};
use syncline_core::money;
use syncline_core::policy::ErrorKind;
use syncline_core::text::shown;

/// Characters of an id at most.
const ID_LIMIT: usize = 255;
/// Characters at most of what a page tells for the next one to be asked for by.
const NEXT_LIMIT: usize = 4_000;
/// What is more than this counts thousandths of a second, not seconds: as seconds it lies beyond the year 5000.
const SECONDS_UNTIL: i64 = 100_000_000_000;

pub(super) fn broken(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Broken, what)
}

/// A value for messages.
pub(super) fn seen(value: &Value) -> String {
    shown(&value.to_string(), 60)
}

/// Whether something is said at a place where only what went wrong says anything.
pub(super) fn says(told: &Value) -> bool {
    match told {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(rows) => !rows.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

/// The rows in the answer of a list.
pub(super) fn rows<'v>(resource: &Resource, body: &'v Value) -> Result<&'v [Value]> {
    let lies = if resource.items.is_whole() { "the answer itself".to_owned() } else { format!("`{}`", resource.items) };
    let rows = match resource.items.get(body) {
        Some(Value::Array(rows)) => rows,
        Some(other) => return Err(broken(format!("the rows are to lie in {lies}, where there is {}", seen(other)))),
        None => return Err(broken(format!("the rows are to lie in {lies}, where there is nothing"))),
    };
    let most = usize::try_from(MOST_ROWS).unwrap_or(usize::MAX);
    match rows.len() > most {
        true => Err(broken(format!("a page of {} rows, {most} are the most", rows.len()))),
        false => Ok(rows),
    }
}

/// The record in the answer of a read or a write; none where nothing is there.
pub(super) fn record<'v>(resource: &Resource, body: &'v Value) -> Result<Option<&'v Value>> {
    match resource.record.get(body) {
        None | Some(Value::Null) => Ok(None),
        Some(record @ Value::Object(_)) => Ok(Some(record)),
        Some(other) => Err(broken(format!("the record at `{}` is {}", resource.record, seen(other)))),
    }
}

/// The id of a record: a text or a whole number that can stand in an address.
pub(super) fn id(at: &Pointer, record: &Value) -> Result<String> {
    let id = match at.get(record) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.to_string().bytes().all(|byte| byte.is_ascii_digit()) => {
            number.to_string()
        }
        Some(other) => return Err(broken(format!("the id at `{at}` is {}", seen(other)))),
        None => return Err(broken(format!("there is no id at `{at}`"))),
    };
    // Those of dots are steps in an address, however they are encoded.
    let well = !id.trim().is_empty() && id != "." && id != ".." && !id.chars().any(char::is_control);
    match well && id.chars().count() <= ID_LIMIT {
        true => Ok(id),
        false => Err(broken(format!("the id at `{at}` cannot stand in an address: `{}`", shown(&id, 60)))),
    }
}

/// When a record was changed, by its own word: a text (RFC 3339, or in UTC where it names no zone) or a count since 1970.
pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text
            .parse()
            .ok()
            .or_else(|| text.parse::<DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp())),
        Value::Number(number) => {
            let count: i64 = number.to_string().parse().ok()?;
            match count.abs() < SECONDS_UNTIL {
                true => Timestamp::from_second(count).ok(),
                false => Timestamp::from_millisecond(count).ok(),
            }
        }
        _ => None,
    }
}

/// A moment as a query says it.
pub(super) fn told_moment(at: Timestamp, form: Moment) -> String {
    match form {
        // Of the second it is in: what asks for more is not understood everywhere, and less is asked for again.
        Moment::Text => format!("{at:.0}"),
        Moment::Seconds => at.as_second().to_string(),
        Moment::Milliseconds => at.as_millisecond().to_string(),
    }
}

/// What the next page is asked for by, where there is one: its number, the rows before it, or what this one told.
///
/// `at` is what this page was asked for by, `before` the rows of all pages before it.
pub(super) fn next(paging: &Paging, body: &Value, at: &str, before: u64, rows: usize) -> Result<Option<String>> {
    let after = before.saturating_add(rows as u64);
    let more = paging.more.as_ref().map(|at| promises(at.get(body)));
    let total = paging.total.as_ref().map(|at| counted(at, body)).transpose()?;
    if more == Some(false) {
        return Ok(None);
    }
    let told = match paging.style {
        Style::None => return Ok(None),
        Style::Page | Style::Offset => {
            let goes_on = more.or(total.map(|total| after < total)).unwrap_or(rows > 0);
            if goes_on && rows == 0 {
                return Err(broken("a page without rows promises more"));
            }
            let number = || at.parse().unwrap_or(u64::from(paging.first.unwrap_or(1)));
            let next = if paging.style == Style::Page { number().saturating_add(1) } else { after };
            return Ok(goes_on.then(|| next.to_string()));
        }
        Style::Cursor | Style::Link => paging.next.as_ref().and_then(|at| at.get(body)),
    };
    match told {
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.len() <= NEXT_LIMIT => Ok(Some(text.clone())),
        Some(Value::Number(number)) if paging.style == Style::Cursor => Ok(Some(number.to_string())),
        Some(other) => Err(broken(format!("what the next page is asked for by is {}", seen(other)))),
    }
}

/// Whether a page says that there are more: anything but nothing, `false`, zero or an empty text.
fn promises(told: Option<&Value>) -> bool {
    match told {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(number)) => number.to_string() != "0",
        Some(_) => true,
    }
}

/// How many rows there are in all.
fn counted(at: &Pointer, body: &Value) -> Result<u64> {
    let token = match at.get(body) {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        other => return Err(broken(format!("the count at `{at}` is {}", other.map_or("missing".to_owned(), seen)))),
    };
    let count = money::decimal(&token).ok().filter(rust_decimal::Decimal::is_integer);
    let count = count.and_then(|count| u64::try_from(count).ok());
    count.ok_or_else(|| broken(format!("the count at `{at}` is `{}`", shown(&token, 40))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paging(told: Value) -> Paging {
        serde_json::from_value(told).unwrap()
    }

    fn goes_on(paging: &Paging, body: &Value, at: &str, before: u64, rows: usize) -> Option<String> {
        next(paging, body, at, before, rows).unwrap()
    }

    #[test]
    fn each_style_goes_on_in_its_way_and_ends() {
        let page = paging(json!({"style": "page", "parameter": "page"}));
        assert_eq!(goes_on(&page, &json!({}), "", 0, 5).as_deref(), Some("2"));
        assert_eq!(goes_on(&page, &json!({}), "7", 30, 1).as_deref(), Some("8"));
        assert_eq!(
            goes_on(&page, &json!({}), "8", 31, 0),
            None,
            "without a word of more the first empty page is the last"
        );
        let zero = paging(json!({"style": "page", "parameter": "page", "first": 0, "more": "/more"}));
        assert_eq!(goes_on(&zero, &json!({"more": true}), "", 0, 5).as_deref(), Some("1"));
        assert_eq!(goes_on(&zero, &json!({"more": null}), "1", 5, 5), None);
        let offset = paging(json!({"style": "offset", "parameter": "skip", "total": "/total"}));
        assert_eq!(goes_on(&offset, &json!({"total": "12"}), "5", 5, 5).as_deref(), Some("10"));
        assert_eq!(goes_on(&offset, &json!({"total": 12}), "10", 10, 2), None);
        for style in ["cursor", "link"] {
            let told = paging(json!({"style": style, "parameter": "after", "next": "/next"}));
            assert_eq!(goes_on(&told, &json!({"next": "x=1"}), "", 0, 0).as_deref(), Some("x=1"));
            for end in [json!({}), json!({"next": null}), json!({"next": ""}), json!({"next": false})] {
                assert_eq!(goes_on(&told, &end, "x", 1, 1), None, "{end}");
            }
        }
        assert_eq!(goes_on(&Paging::default(), &json!({}), "", 0, 9), None);
    }

    #[test]
    fn a_list_that_cannot_go_on_as_it_says_is_refused() {
        let told = |told: Value| paging(told);
        let more = told(json!({"style": "page", "parameter": "page", "more": "/more"}));
        assert!(next(&more, &json!({"more": true}), "3", 10, 0).is_err(), "an empty page that promises more");
        let total = told(json!({"style": "page", "parameter": "page", "total": "/total"}));
        for count in [json!(null), json!(-1), json!(1.5), json!("many"), json!([])] {
            assert!(next(&total, &json!({"total": count}), "1", 0, 5).is_err(), "{count}");
        }
        assert!(next(&total, &json!({}), "1", 0, 5).is_err());
        let link = told(json!({"style": "link", "next": "/next"}));
        for strange in [json!(7), json!({"a": 1}), json!("x".repeat(5_000))] {
            assert!(next(&link, &json!({"next": strange}), "", 0, 5).is_err());
        }
    }

    #[test]
    fn an_id_can_stand_in_an_address() {
        let at = Pointer::of("/id").unwrap();
        assert_eq!(id(&at, &json!({"id": 17})).unwrap(), "17");
        assert_eq!(id(&at, &json!({"id": "a/b"})).unwrap(), "a/b");
        let bad = [
            json!(null),
            json!(-1),
            json!(1.0),
            json!(""),
            json!(" "),
            json!("."),
            json!(".."),
            json!("a\nb"),
            json!([1]),
        ];
        for bad in bad.into_iter().chain([json!("x".repeat(256))]) {
            assert!(id(&at, &json!({"id": bad})).is_err(), "{bad}");
        }
        assert!(id(&at, &json!({})).is_err() && id(&at, &json!("id")).is_err());
    }

    #[test]
    fn a_moment_is_told_in_several_ways() {
        let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        for told in [
            json!("2026-11-23T12:00:00Z"),
            json!("2026-11-23T13:00:00+01:00"),
            json!("2026-11-23 12:00:00"),
            json!(noon.as_second()),
            json!(noon.as_millisecond()),
        ] {
            assert_eq!(moment(&told), Some(noon), "{told}");
        }
        for none in [json!("yesterday"), json!(null), json!(1.5), json!({}), json!("99999-01-01")] {
            assert_eq!(moment(&none), None, "{none}");
        }
        let told = [Moment::Text, Moment::Seconds, Moment::Milliseconds].map(|form| told_moment(noon, form));
        assert_eq!(told, ["2026-11-23T12:00:00Z", "1795435200", "1795435200000"]);
    }
}
