//! The `fields=` projection of an answer, nested brackets included.

use serde_json::{Map, Value};

/// The deepest nesting that is read; a deeper one selects nothing.
const DEPTH: usize = 32;

/// The names asked for; a name with its own selection in brackets narrows what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Selection(Vec<(String, Option<Selection>)>);

impl Selection {
    /// The selection a text spells, e.g. `items[sku,qty],total_count`; none where brackets do not match.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let selection = Self::level(&mut rest, 0)?;
        rest.is_empty().then_some(selection)
    }

    fn level(rest: &mut &str, depth: usize) -> Option<Self> {
        let mut names = Vec::new();
        loop {
            let end = rest.find([',', '[', ']']).unwrap_or(rest.len());
            let name = rest.get(..end)?.trim().to_owned();
            *rest = rest.get(end..)?;
            let inner = if rest.starts_with('[') {
                if depth >= DEPTH {
                    return None;
                }
                *rest = rest.get(1..)?;
                let inner = Self::level(rest, depth + 1)?;
                *rest = rest.strip_prefix(']')?;
                Some(inner)
            } else {
                None
            };
            if !name.is_empty() {
                names.push((name, inner));
            }
            match rest.strip_prefix(',') {
                Some(after) => *rest = after,
                None => return Some(Self(names)),
            }
        }
    }

    /// The part of an answer that was asked for.
    ///
    /// As recorded, an empty list under a selection becomes `null` (orders-past-the-end), because the
    /// shop builds the narrowed list element by element and never begins.
    pub(super) fn apply(&self, value: Value) -> Value {
        match value {
            Value::Array(rows) if rows.is_empty() => Value::Null,
            Value::Array(rows) => Value::Array(rows.into_iter().map(|row| self.apply(row)).collect()),
            Value::Object(map) => self.narrow(map),
            scalar => scalar,
        }
    }

    fn narrow(&self, map: Map<String, Value>) -> Value {
        let mut kept = Map::new();
        for (key, value) in map {
            match self.0.iter().find(|(name, _)| *name == key) {
                Some((_, Some(inner))) => drop(kept.insert(key, inner.apply(value))),
                Some((_, None)) => drop(kept.insert(key, value)),
                None => {}
            }
        }
        if kept.is_empty() { Value::Array(Vec::new()) } else { Value::Object(kept) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cut(fields: &str, value: Value) -> Value {
        Selection::parse(fields).expect("a selection").apply(value)
    }

    #[test]
    fn nested_brackets_narrow_lists_of_objects() {
        let order = json!({"state": "new", "x": 1, "items": [{"sku": "A", "qty": 1}, {"sku": "B"}], "to": {"city": "Bonn", "zip": "1"}});
        assert_eq!(
            cut("to[city],items[sku],state,nope", order),
            json!({"state": "new", "items": [{"sku": "A"}, {"sku": "B"}], "to": {"city": "Bonn"}})
        );
    }

    #[test]
    fn an_empty_list_under_a_selection_is_null() {
        let page = json!({"items": [], "total_count": 3});
        assert_eq!(cut("items[sku],total_count", page.clone()), json!({"items": null, "total_count": 3}));
        assert_eq!(cut("items,total_count", page), json!({"items": [], "total_count": 3}));
    }

    #[test]
    fn hostile_selections_end() {
        assert_eq!(Selection::parse(&"a[".repeat(100_000)), None);
        assert_eq!(Selection::parse("a]b"), None);
        assert_eq!(cut("", json!({"a": 1})), json!([]));
    }
}
