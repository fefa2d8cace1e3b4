//! Texts by language: one row of `ir.translation` per record, field and language, with Tryton's traps.
//!
//! The column of a record holds the text of the base language, or of whatever language the record was made in; reading
//! in a language that has no text shows the column.

use serde_json::{Map, Value, json};

use super::fail::Fail;
use super::schema::Kind;
use super::store::Store;
use super::validate;
use super::value::{Val, parse};

/// The language of the columns.
const BASE: &str = "en";
const MODEL: &str = "ir.translation";

/// The language of a call, as its context says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// Its code.
    pub language: String,
    /// Whether a text of the base language makes those of the others outdated; true where nothing is said.
    pub outdates: bool,
}

impl Default for Speech {
    fn default() -> Self {
        Self { language: BASE.to_owned(), outdates: true }
    }
}

impl Speech {
    /// What a call's context says.
    pub fn of(context: &Map<String, Value>) -> Self {
        let outdates = context.get("fuzzy_translation").and_then(Value::as_bool).unwrap_or(true);
        Self { outdates, ..Self::in_language(context.get("language").and_then(Value::as_str)) }
    }

    /// That of a person who works in `language`.
    pub fn in_language(language: Option<&str>) -> Self {
        language.map_or_else(Self::default, |language| Self { language: language.to_owned(), ..Self::default() })
    }
}

/// The rows of one text of one record, with the language of each.
fn rows(store: &Store, model: &str, id: u64, field: &str) -> Vec<(u64, String)> {
    let Ok(at) = store.model(MODEL) else { return Vec::new() };
    let Ok(position) = store.schema.models[at].position("res_id") else { return Vec::new() };
    let name = format!("{model},{field}");
    let found = store.having(at, position, &Val::Int(i64::try_from(id).unwrap_or(0)));
    let own = found.into_iter().filter(|row| store.text(MODEL, *row, "name") == name);
    own.map(|row| (row, store.text(MODEL, row, "lang"))).collect()
}

/// Every text of one field of one record that says something, by language.
pub fn all(store: &Store, model: &str, id: u64, field: &str) -> Vec<(String, String)> {
    let told =
        rows(store, model, id, field).into_iter().map(|(row, language)| (language, store.text(MODEL, row, "value")));
    told.filter(|(_, text)| !text.is_empty()).collect()
}

/// The text as the running call sees it: that of its language unless it is outdated, else the column's.
pub fn shown(store: &Store, model: &str, id: u64, field: &str) -> Val {
    let own = rows(store, model, id, field).into_iter().find(|(_, language)| *language == store.speech.language);
    let current = own.filter(|(row, _)| store.value(MODEL, *row, "fuzzy") != Val::Bool(true));
    match current.map(|(row, _)| store.value(MODEL, row, "value")) {
        Some(Val::Text(text)) if !text.is_empty() => Val::Text(text),
        _ => store.value(model, id, field),
    }
}

/// Notes the language of the texts of a new record; the columns hold them already.
pub fn created(store: &mut Store, model: &str, id: u64, sent: &Map<String, Value>) -> Result<(), Fail> {
    let def = store.schema.model(model)?;
    let names: Vec<&'static str> =
        def.fields.iter().filter(|field| field.translated && sent.contains_key(field.name)).map(|f| f.name).collect();
    for name in names {
        let value = store.value(model, id, name);
        record(store, model, id, name, value)?;
    }
    Ok(())
}

/// Writes a text in the language of the running call.
pub fn write(store: &mut Store, model: &str, id: u64, field: &str, value: Val) -> Result<(), Fail> {
    if store.speech.language == BASE {
        store.put(model, id, field, value.clone())?;
    } else if let (Kind::Char { .. }, Some(text)) = (&store.schema.model(model)?.field(field)?.kind, value.text()) {
        let (def, title) = (store.schema.model(model)?, store.schema.model(model)?.field(field)?.title);
        validate::characters(text, &format!("for field \"{title}\" in record \"{text}\" of \"{}\"", def.title))?;
    }
    record(store, model, id, field, value)
}

/// Keeps one text, and what it does to those of the other languages (`Translation.set_ids`).
fn record(store: &mut Store, model: &str, id: u64, field: &str, value: Val) -> Result<(), Fail> {
    let Speech { language, outdates } = store.speech.clone();
    known(store, &language, &format!("{model},{field}"))?;
    let src = if language == BASE { value.clone() } else { store.value(model, id, field) };
    let (own, others): (Vec<_>, Vec<_>) =
        rows(store, model, id, field).into_iter().partition(|(_, other)| *other == language);
    let at = store.model(MODEL)?;
    let gone = !src.filled() && !value.filled();
    let Some((row, _)) = own.first() else {
        if !gone {
            let sent = json!({"name": format!("{model},{field}"), "res_id": id, "lang": language, "type": "model",
                "fuzzy": false, "value": value.text(), "src": src.text()});
            super::write::create(store, MODEL, &[sent])?;
        }
        return Ok(());
    };
    for (other, _) in others.iter().filter(|_| language == BASE && outdates) {
        if gone {
            store.remove(at, *other);
        } else {
            store.put(MODEL, *other, "src", src.clone())?;
            store.put(MODEL, *other, "fuzzy", Val::Bool(true))?;
            store.touch(at, *other);
        }
    }
    if gone {
        store.remove(at, *row);
        return Ok(());
    }
    for (name, value) in [("value", value), ("src", src), ("fuzzy", Val::Bool(false))] {
        store.put(MODEL, *row, name, value)?;
    }
    store.touch(at, *row);
    Ok(())
}

/// Refuses a language nobody knows.
fn known(store: &Store, language: &str, name: &str) -> Result<(), Fail> {
    let at = store.model("ir.lang")?;
    if store.ids(at).any(|id| store.text("ir.lang", id, "code") == language) {
        return Ok(());
    }
    Err(Fail::user(format!(
        "The value \"{language}\" for field \"Language\" in record \"{name}\" of \"Translation\" is not one of the \
         allowed options."
    )))
}

/// Changes one field of the product with that code where it lives: on the product, or on its template.
pub fn edit_product(store: &mut Store, code: &str, field: &str, value: &Value) -> Result<(), Fail> {
    let at = store.model("product.product")?;
    let position = store.schema.models[at].position("code")?;
    let found = store.having(at, position, &parse(&Kind::Text, &json!(code))?);
    let product = found.first().copied().ok_or_else(|| Fail::other("no such product"))?;
    let template = store.value("product.product", product, "template").id().unwrap_or_default();
    match field {
        "weight" => {
            let fields = json!({"weight": value, "weight_uom": kilogram(store)?});
            super::write::write(store, "product.template", &[template], &fields)
        }
        field if field.starts_with("identifier:") => {
            let sort = field.trim_start_matches("identifier:");
            let own = store.children("product.identifier", "product", product)?;
            let same: Vec<u64> =
                own.into_iter().filter(|one| store.text("product.identifier", *one, "type") == sort).collect();
            let commands = match (value.as_str().filter(|code| !code.is_empty()), same.first()) {
                (Some(code), Some(first)) => json!([["write", [first], {"code": code}]]),
                (Some(code), None) => json!([["create", [{"type": sort, "code": code}]]]),
                (None, _) => json!([["delete", same]]),
            };
            super::write::write(store, "product.product", &[product], &json!({"identifiers": commands}))
        }
        field if field.starts_with("attribute:") => {
            if !store.value("product.template", template, "attribute_set").filled() {
                return Err(Fail::other("the form shows no attributes")); // people cannot, though the API lets them
            }
            let name = field.trim_start_matches("attribute:").to_owned();
            let kept = store.text("product.product", product, "attributes");
            let mut all: Map<String, Value> = serde_json::from_str(&kept).unwrap_or_default();
            if value.is_null() {
                drop(all.remove(&name))
            } else {
                drop(all.insert(name, value.clone()))
            }
            super::write::write(store, "product.product", &[product], &json!({"attributes": all}))
        }
        "description" | "active" | "suffix_code" => {
            super::write::write(store, "product.product", &[product], &json!({ field: value }))
        }
        other => {
            let field = other.strip_prefix("template.").unwrap_or(other);
            super::write::write(store, "product.template", &[template], &json!({ field: value }))
        }
    }
}

fn kilogram(store: &Store) -> Result<u64, Fail> {
    let at = store.model("product.uom")?;
    let kilogram = store.ids(at).find(|id| store.text("product.uom", *id, "symbol") == "kg");
    kilogram.ok_or_else(|| Fail::other("no kilogram"))
}
