//! What a record of the API means, and how ours is told there. Pure.

use super::wire::seen;
use rust_decimal::prelude::{Decimal, RoundingStrategy};
use serde_json::{Number, Value as Json};
use syncline_connect::json_api::{Field, Form, Leaf, Resource, Sign};
use syncline_connect::{Error, Result};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::Variant;
use syncline_core::text;

/// Characters of a text at most that is taken in.
const TEXT_LIMIT: usize = 200_000;
/// Characters of a SKU at most.
const SKU_LIMIT: usize = 255;

fn invalid(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, what)
}

/// The variant that `record` tells.
///
/// # Errors
/// `Invalid` with place and value where a field is not of the form the file says, or the SKU is missing.
pub(super) fn variant(resource: &Resource, record: &Json) -> Result<Variant> {
    let mut leaves = Leaves::new();
    for (leaf, field) in &resource.fields {
        match read(leaf, field, record)? {
            Told::Nothing => leaves.tell(leaf.path().clone(), None),
            Told::This(value) => leaves.tell(leaf.path().clone(), Some(value)),
            Told::Untold => {}
        }
    }
    let sku = match leaves.value(Leaf::sku().path()) {
        Some(Value::Text(sku)) if !sku.trim().is_empty() && sku.chars().count() <= SKU_LIMIT => sku.clone(),
        _ => return Err(invalid("it tells no SKU, or one of more than 255 characters")),
    };
    if sku == "." || sku == ".." {
        return Err(invalid(format!("the SKU `{sku}` cannot be searched for")));
    }
    let mut variant = Variant::from_leaves(&leaves).map_err(|malformed| invalid(malformed.to_string()))?;
    variant.changed.at = resource.changed.as_ref().and_then(|at| super::wire::moment(at.get(record)?));
    Ok(variant)
}

/// What a record tells of one field.
enum Told {
    /// Not a word.
    Untold,
    /// That there is nothing.
    Nothing,
    /// This.
    This(Value),
}

fn read(leaf: &Leaf, field: &Field, record: &Json) -> Result<Told> {
    let Some(at) = &field.at else { return Ok(Told::This(Value::Bool(true))) };
    let wrong =
        |wanted: &str, value: &Json| invalid(format!("`{at}` ({leaf}) is {}, which is no {wanted}", seen(value)));
    let value = match at.get(record) {
        None => return Ok(Told::Untold),
        // Whether it is offered is a yes or a no.
        Some(Json::Null) if field.form(leaf) == Form::Bool => return Ok(Told::Untold),
        Some(Json::Null) => return Ok(Told::Nothing),
        Some(value) => value,
    };
    let token = match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let number = || token.as_deref().and_then(|token| money::decimal(token.trim()).ok());
    let empty = token.as_deref().is_some_and(|token| token.trim().is_empty());
    Ok(match field.form(leaf) {
        Form::Text if token.as_deref() == Some("") => Told::Nothing,
        Form::Text => match token {
            Some(text) if text.chars().count() <= TEXT_LIMIT => Told::This(Value::Text(text)),
            _ => return Err(wrong("text", value)),
        },
        Form::Number | Form::NumberText | Form::Minor if empty => Told::Nothing,
        Form::Number | Form::NumberText => Told::This(Value::Number(number().ok_or_else(|| wrong("number", value))?)),
        Form::Minor => {
            let units = number().filter(|number| number.is_integer()).ok_or_else(|| wrong("whole number", value))?;
            let one = Decimal::from_i128_with_scale(1, field.digits.unwrap_or(0));
            Told::This(Value::Number(units.checked_mul(one).ok_or_else(|| wrong("number", value))?.normalize()))
        }
        Form::Bool => match (&field.words, value) {
            (None, Json::Bool(yes)) => Told::This(Value::Bool(*yes)),
            (Some((yes, _)), _) if token == Some(yes.to_string()) => Told::This(Value::Bool(true)),
            (Some((_, no)), _) if token == Some(no.to_string()) => Told::This(Value::Bool(false)),
            _ => return Err(wrong("yes or no", value)),
        },
    })
}

/// How the API keeps `value` at `path`.
pub(super) fn fit(resource: &Resource, path: &Path, value: &Value) -> Fit {
    let Some((leaf, field)) = resource.fields.iter().find(|(leaf, _)| leaf.path() == path) else {
        return Fit::Refused("the file names no place for it".to_owned());
    };
    let form = field.form(leaf);
    match (form, value) {
        (Form::Text, Value::Text(told)) => match field.limit.and_then(|limit| Some((limit, text::cut(told, limit)?))) {
            Some((limit, short)) => Fit::As(Value::Text(short), format!("cut to {limit} characters")),
            None => Fit::Exact,
        },
        (Form::Text, Value::Number(_)) => match fit(resource, path, &Value::Text(value.to_string())) {
            Fit::Exact => Fit::As(Value::Text(value.to_string()), "kept as a text".to_owned()),
            other => other,
        },
        (Form::Bool, Value::Bool(_)) => Fit::Exact,
        (Form::Number | Form::NumberText | Form::Minor, Value::Number(number)) => match field.digits {
            Some(digits) if rounded(*number, digits) != *number => {
                Fit::As(Value::Number(rounded(*number, digits)), format!("rounded to {digits} digits"))
            }
            _ => Fit::Exact,
        },
        (Form::Number | Form::NumberText | Form::Minor, Value::Text(told)) => match money::decimal(told.trim()) {
            Ok(number) => match fit(resource, path, &Value::Number(number)) {
                Fit::Exact => Fit::As(Value::Number(number), "kept as a number".to_owned()),
                other => other,
            },
            Err(_) => Fit::Refused("it is kept as a number there".to_owned()),
        },
        _ => Fit::Refused("it is kept in another form there".to_owned()),
    }
}

fn rounded(number: Decimal, digits: u32) -> Decimal {
    number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero).normalize()
}

/// Puts every field of `leaves` into `record`.
///
/// # Errors
/// `Invalid` where a field has no place there, is not written, or cannot be kept in the form the file says.
pub(super) fn fill(resource: &Resource, leaves: &Leaves, record: &mut Json) -> Result<()> {
    for (path, value) in leaves.iter() {
        let found = resource.fields.iter().find(|(leaf, _)| leaf.path() == path);
        let Some((leaf, field, at)) = found.and_then(|(leaf, field)| Some((leaf, field, field.at.as_ref()?))) else {
            return Err(invalid(format!("`{path}` has no place in a record there: add it to `fields`")));
        };
        if !field.write {
            return Err(invalid(format!("`{path}` is only read there: take `write = false` out")));
        }
        let value = match value.map(|value| (fit(resource, path, value), value)) {
            None => None,
            Some((Fit::Exact, value)) => Some(value.clone()),
            Some((Fit::As(kept, _), _)) => Some(kept),
            Some((Fit::Refused(why), value)) => return Err(invalid(format!("`{path}` is `{value}`: {why}"))),
        };
        at.put(record, written(leaf, field, value.as_ref())?);
    }
    Ok(())
}

/// The field that has what is made begin disabled, where the API has one.
pub(super) fn begins_disabled(resource: &Resource) -> Option<Leaves> {
    let field = resource.fields.get(&Leaf::active())?;
    (field.write && field.at.is_some())
        .then(|| std::iter::once((Leaf::active().path().clone(), Some(Value::Bool(false)))).collect())
}

fn written(leaf: &Leaf, field: &Field, value: Option<&Value>) -> Result<Json> {
    let form = field.form(leaf);
    let number = |number: Decimal| {
        let token = number.normalize().to_string();
        token.parse::<Number>().map(Json::Number).map_err(|_| invalid(format!("`{token}` is no number of JSON")))
    };
    match (form, value) {
        (Form::Text, None) => Ok(Json::String(String::new())),
        (_, None) => Ok(Json::Null),
        (Form::Text, Some(Value::Text(text))) => Ok(Json::String(text.clone())),
        (Form::Number, Some(Value::Number(told))) => number(*told),
        (Form::NumberText, Some(Value::Number(told))) => {
            let mut told = told.normalize();
            if let Some(digits) = field.digits {
                told.rescale(digits);
            }
            Ok(Json::String(told.to_string()))
        }
        (Form::Minor, Some(Value::Number(told))) => {
            let units = Decimal::from(10u64.saturating_pow(field.digits.unwrap_or(0)));
            number(told.checked_mul(units).ok_or_else(|| invalid(format!("`{told}` is too large")))?)
        }
        (Form::Bool, Some(Value::Bool(yes))) => Ok(match &field.words {
            None => Json::Bool(*yes),
            Some((for_yes, for_no)) => match if *yes { for_yes } else { for_no } {
                Sign::Number(number) => Json::from(*number),
                Sign::Text(text) => Json::String(text.clone()),
            },
        }),
        (_, Some(value)) => Err(invalid(format!("`{leaf}` is `{value}`, which has another form there"))),
    }
}
