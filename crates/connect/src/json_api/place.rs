//! Where something lies: in an answer, and at which address.

use crate::url::encoded;
use serde::de::{Deserializer, Error, Unexpected};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// Steps of one pointer at most.
const DEEPEST: usize = 16;
/// Characters of a path of the file at most.
const LONGEST: usize = 1_000;

/// Where a value lies in JSON (RFC 6901): `/price/amount`; nothing for all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Pointer(String);

impl Pointer {
    /// The pointer `text` writes; none where it is none.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let well = text.is_empty() || text.starts_with('/');
        let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        (well && escaped && text.split('/').count() <= DEEPEST && text.len() <= LONGEST).then(|| Self(text.to_string()))
    }

    /// What lies there; none where nothing is told.
    #[must_use]
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        value.pointer(&self.0)
    }

    /// Whether all of an answer is meant.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it goes through the place of a list, which has no name of its own.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.steps().any(|step| step == "-" || (!step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())))
    }

    /// Puts `told` there; what is in the way and is no object is replaced.
    pub fn put(&self, value: &mut Value, told: Value) {
        let mut at = value;
        for step in self.steps() {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            let Some(fields) = at.as_object_mut() else { return };
            at = fields.entry(step).or_insert(Value::Null);
        }
        *at = told;
    }

    fn steps(&self) -> impl Iterator<Item = String> {
        self.0.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let wanted = "a place in JSON like `/price/amount` (RFC 6901), or nothing for all of it";
        Self::of(&text).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &wanted))
    }
}

/// A path below the address of the system, with what is filled in: `/products/{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

/// What may be filled in.
const NAMES: [&str; 2] = ["id", "sku"];

impl Template {
    /// The path `text` writes; none where it is none.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let rest = NAMES.iter().fold(text.to_string(), |rest, name| rest.replace(&format!("{{{name}}}"), ""));
        let plain = |c: char| c.is_ascii_graphic() && !"{}#\\\"<>^`|".contains(c);
        let well = rest.starts_with('/') && !rest.starts_with("//") && rest.chars().all(plain);
        (well && text.len() <= LONGEST).then(|| Self(text.to_string()))
    }

    /// The path itself, as the file writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path with `value` for `name`, percent-encoded.
    #[must_use]
    pub fn filled(&self, name: &str, value: &str) -> String {
        self.0.replace(&format!("{{{name}}}"), &encoded(value))
    }

    /// Whether it holds `name` and nothing else that is filled in.
    pub(super) fn holds(&self, name: Option<&str>) -> Result<(), String> {
        let held = |name: &str| self.0.contains(&format!("{{{name}}}"));
        if let Some(name) = name.filter(|name| !held(name)) {
            return Err(format!("it has to hold `{{{name}}}`, e.g. `/products/{{{name}}}`"));
        }
        match NAMES.into_iter().find(|other| Some(*other) != name && held(other)) {
            Some(other) => Err(format!("`{{{other}}}` cannot be filled in here: take it out")),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let wanted = "a path below `url` like `/products/{id}`, percent-encoded; `{id}` and `{sku}` are filled in";
        Self::of(&text).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pointer_reads_and_writes_one_place() {
        let at = Pointer::of("/price/a~1b").unwrap();
        let mut value = json!({"price": 3, "name": "Mug"});
        assert_eq!(at.get(&value), None);
        at.put(&mut value, json!(7));
        assert_eq!((at.get(&value), &value["name"]), (Some(&json!(7)), &json!("Mug")));
        assert_eq!(Pointer::default().get(&value), Some(&value));
        for bad in ["price", "/a~2", "/~", &"/a".repeat(17)] {
            assert_eq!(Pointer::of(bad), None, "{bad}");
        }
        assert!(Pointer::of("/prices/0").unwrap().counts() && !Pointer::of("/a0/").unwrap().counts());
    }

    #[test]
    fn a_path_is_filled_in_and_never_left() {
        let one = Template::of("/products/{id}?view=all").unwrap();
        assert_eq!(one.filled("id", "a/b ü?&#"), "/products/a%2Fb%20%C3%BC%3F%26%23?view=all");
        for bad in ["products", "//evil.example/x", "https://evil.example", "/a b", "/{number}", "/a#b", "", "{id}"] {
            assert_eq!(Template::of(bad), None, "{bad}");
        }
        assert!(one.holds(Some("id")).is_ok() && one.holds(None).is_err() && one.holds(Some("sku")).is_err());
    }
}
