//! Rows as they were asked for: Tryton tells every field it is asked for, an empty one as nothing. One that is missing is no
//! empty one: the answer is of another shape, as after an upgrade, and nothing is read from it.

use serde_json::Value;
use std::collections::BTreeMap;
use syncline_connect::{Error, Result};
use syncline_core::policy::ErrorKind;

/// The fields asked of rows, those of records they refer to below the field that does.
#[derive(Debug, Default)]
struct Asked<'a> {
    here: Vec<&'a str>,
    /// By the name they come under: `currency.` for `currency.code`.
    below: BTreeMap<&'a str, Asked<'a>>,
}

impl<'a> Asked<'a> {
    fn of(fields: &[&'a str]) -> Self {
        let mut asked = Self::default();
        fields.iter().for_each(|field| asked.add(field));
        asked
    }

    fn add(&mut self, field: &'a str) {
        match field.split_once('.') {
            None => self.here.push(field),
            Some((first, rest)) => {
                let under = field.get(..=first.len()).unwrap_or(first);
                self.below.entry(under).or_default().add(rest);
            }
        }
    }

    /// The first field that `told` goes without.
    fn missing(&self, told: &Value) -> Option<&'a str> {
        match told {
            Value::Object(row) => {
                let names = self.here.iter().chain(self.below.keys());
                let missing = names.copied().find(|name| !row.contains_key(*name));
                missing.or_else(|| self.below.iter().find_map(|(name, asked)| asked.missing(row.get(*name)?)))
            }
            Value::Array(rows) => rows.iter().find_map(|row| self.missing(row)),
            _ => None,
        }
    }
}

/// `rows` as they came.
///
/// # Errors
/// Where one of `fields` is missing in a row of `model`.
pub(super) fn whole(model: &str, fields: &[&str], rows: Vec<Value>) -> Result<Vec<Value>> {
    let asked = Asked::of(fields);
    match rows.iter().find_map(|row| asked.missing(row)) {
        None => Ok(rows),
        Some(missing) => {
            let what = format!("tryton: a row of {model} without `{missing}`, which was asked for");
            Err(Error::new(ErrorKind::Broken, what))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_that_is_empty_is_told_and_one_that_is_missing_is_an_error() {
        let fields = ["code", "currency.code", "lines.product.code", "lines.quantity"];
        let line = json!({"id": 3, "quantity": null, "product.": {"id": 4, "code": "MUG"}});
        let told = |row: Value| whole("sale.sale", &fields, vec![row]).map(|rows| rows.len()).map_err(|e| e.message);
        assert_eq!(told(json!({"id": 1, "code": null, "currency.": null, "lines.": [line.clone()]})), Ok(1));
        assert_eq!(told(json!({"id": 1, "code": "", "currency.": {"id": 2, "code": "EUR"}, "lines.": []})), Ok(1));
        let missing = |name: &str| Err(format!("tryton: a row of sale.sale without `{name}`, which was asked for"));
        assert_eq!(told(json!({"id": 1, "currency.": null, "lines.": []})), missing("code"));
        assert_eq!(told(json!({"id": 1, "code": "", "lines.": []})), missing("currency."));
        let row = |line: Value| json!({"id": 1, "code": "", "currency.": null, "lines.": [line]});
        assert_eq!(told(row(json!({"id": 3, "product.": null}))), missing("quantity"));
        assert_eq!(told(row(json!({"id": 3, "quantity": 1, "product.": {"id": 4}}))), missing("code"));
    }
}
