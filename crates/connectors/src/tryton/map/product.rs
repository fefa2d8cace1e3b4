//! What a product and its template mean: a variant with its texts by locale, and which of the two a field is written to.

use super::attributes;
use super::text::{kept_as, line};
use super::{Attributes, Siblings, Units, Wrong};
use crate::tryton::images::Images;
use crate::tryton::setup::{Setup, WeightUnit};
use crate::tryton::wire::{Edited, Qty, TextRow, VariantRow};
use crate::tryton::wire_product::ComponentRow;
use crate::wire::Exact;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use syncline_connect::Error;
use syncline_core::delivery::Change;
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{self, Changed, Record, Variant};

/// Where Tryton keeps the names of products in each language.
pub(in crate::tryton) const NAME: &str = "product.template,name";
/// Where it keeps their descriptions.
pub(in crate::tryton) const DESCRIPTION: &str = "product.product,description";
/// The model of families.
pub(in crate::tryton) const TEMPLATE: &str = "product.template";
const PRODUCT: &str = "product.product";
/// Decimals of a kilogram that are kept: a gram has two decimals in Tryton.
const WEIGHT_DIGITS: u32 = 5;

/// The locale of Tryton's language `code`: `es_419` is `es-419`.
pub(in crate::tryton) fn locale(code: &str) -> String {
    code.replace('_', "-")
}

/// The version of a product with its template: a change of either is a change of it.
pub(in crate::tryton) fn version(product: Option<&str>, template: Option<&str>) -> Option<String> {
    Some(format!("{}/{}", product?, template?))
}

/// The texts of some products as they are written in each language.
#[derive(Debug, Default)]
pub(in crate::tryton) struct Texts(BTreeMap<(String, i64), BTreeMap<String, String>>);

impl Texts {
    /// Adds one text; of two in one language the later one that says something counts.
    pub(in crate::tryton) fn add(&mut self, row: TextRow) {
        let Some(language) = row.language else { return };
        let text = row.value.unwrap_or_default();
        let known = self.0.entry((row.name, row.record)).or_default();
        if !text.is_empty() || !known.contains_key(&language) {
            known.insert(language, text);
        }
    }

    /// The text of `field` of `record` in `language`, "" where there is none. `shown` is what Tryton shows in English:
    /// a text that was never written in any language is English.
    pub(super) fn told(&self, field: &str, record: i64, language: &str, shown: Option<&String>) -> String {
        match self.0.get(&(field.to_string(), record)) {
            Some(texts) => texts.get(language).cloned().unwrap_or_default(),
            None if language == "en" => shown.cloned().unwrap_or_default(),
            None => String::new(),
        }
    }
}

/// The variant a product tells. Every language is told, those without a text as having none; images where they were read.
/// The name of one of several `siblings` is its family's, and not told of it.
pub(in crate::tryton) fn variant_record(
    row: &VariantRow,
    texts: &Texts,
    siblings: &Siblings,
    setup: &Setup,
    (images, components): (Option<&Images>, &[ComponentRow]),
) -> Record {
    let of_family = siblings.get(&row.template.id).is_some_and(|all| all.len() > 1);
    let name = |code: &str| texts.told(NAME, row.template.id, code, row.template.name.as_ref());
    let in_language = |code: &str| record::Texts {
        name: (!of_family).then(|| name(code)),
        description: Some(texts.told(DESCRIPTION, row.id, code, row.description.as_ref())),
    };
    let (mine, family) = (&row.edited, &row.template.edited);
    let last = if family.times.moment() > mine.times.moment() { family } else { mine };
    let last = Changed { at: last.times.moment(), by: by(last) };
    let last = images.map(|images| images.changed.clone()).filter(|images| images.at > last.at).unwrap_or(last);
    Record::Variant(Variant {
        sku: row.code.clone(),
        form: row.form.clone(),
        family: of_family.then(|| row.template.id.to_string()),
        active: Some(row.active.0 && row.template.active.0),
        weight: weight(row, setup),
        attributes: attributes::told(row, &setup.attributes),
        categories: row.template.categories.as_ref().map(|ids| ids.iter().map(i64::to_string).collect()),
        texts: setup.languages.iter().map(|one| (locale(&one.code), in_language(&one.code))).collect(),
        images: images.map(|images| images.all.clone()),
        composition: super::kit::composition(row, components),
        changed: last,
        ..Variant::default()
    })
}

/// Who wrote a row last, or made it.
pub(in crate::tryton) fn by(row: &Edited) -> Option<String> {
    row.writer.as_ref().or(row.maker.as_ref())?.rec_name.clone()
}

/// The weight in kilograms of one that is sold; zero where there is none, untold where products have none here or a unit
/// is not known.
fn weight(row: &VariantRow, setup: &Setup) -> Option<Decimal> {
    if setup.weight_units.is_empty() {
        return None;
    }
    let Some(Qty(Exact(weight))) = row.weight else { return Some(Decimal::ZERO) };
    let unit = setup.weight_units.iter().find(|unit| Some(unit.id) == row.weight_unit)?;
    let counted = weight.checked_mul(unit.kilograms)?;
    Units::of(row.sale_unit, row.default_unit)?.each(counted).map(kept_weight)
}

fn kept_weight(kilograms: Decimal) -> Decimal {
    kilograms.round_dp_with_strategy(WEIGHT_DIGITS, RoundingStrategy::MidpointNearestEven).normalize()
}

/// How Tryton keeps `value` at `path` of a variant.
pub(in crate::tryton) fn fit(path: &Path, value: &Value, attributes: &Attributes) -> Fit {
    if let Some(name) = path.as_str().strip_prefix("attributes.") {
        return attributes.get(name).map_or(Fit::Exact, |attribute| attribute.fit(value));
    }
    match (path.as_str().rsplit('.').next(), value) {
        (Some("name"), Value::Text(text)) => match line(text) {
            kept if kept.is_empty() => Fit::Refused("it needs a name".to_string()),
            kept => kept_as(text, kept),
        },
        // Kept byte for byte, but no database keeps the character 0.
        (Some("description"), Value::Text(text)) => kept_as(text, text.replace('\0', "")),
        (Some("weight"), Value::Number(weight)) => fit_weight(*weight),
        (_, Value::Text(text)) => kept_as(text, line(text)),
        _ => Fit::Exact,
    }
}

fn fit_weight(weight: Decimal) -> Fit {
    let kept = kept_weight(weight);
    if weight.is_sign_negative() && !weight.is_zero() {
        Fit::Refused("nothing weighs less than nothing".to_string())
    } else if kept.is_zero() && !weight.is_zero() {
        Fit::Refused("weights are kept to a hundredth of a gram".to_string())
    } else if kept == weight {
        Fit::Exact
    } else {
        Fit::As(Value::Number(kept), "rounded to a hundredth of a gram".to_string())
    }
}

/// The fields of one update, one request each: what is no text first, then language by language. Name and description
/// stand on different records, and each language is a request of its own.
pub(in crate::tryton) fn parts(leaves: &Leaves) -> Vec<Leaves> {
    let (texts, others): (Vec<_>, Vec<_>) = leaves.iter().partition(|(path, _)| path.as_str().starts_with("texts."));
    let one = |(path, value): (&Path, Option<&Value>)| {
        let mut part = Leaves::new();
        part.tell(path.clone(), value.cloned());
        part
    };
    others.into_iter().chain(texts).map(one).collect()
}

/// One field to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tryton) enum Edit {
    /// Whether it is in use.
    Active(bool),
    /// What one weighs, in kilograms.
    Weight(Option<Decimal>),
    /// What it is called in a language of Tryton.
    Name { language: String, text: Option<String> },
    /// What is told about it in a language of Tryton.
    Description { language: String, text: Option<String> },
    /// Whether it stands in a category, by Tryton's id; with all other variants.
    Category { id: i64, there: bool },
    /// An attribute, by the name the file gives it.
    Attribute { name: String, value: Option<Value> },
}

/// The one field that `change` is about.
pub(in crate::tryton) fn edit(change: &Change, setup: &Setup) -> Result<Edit, Wrong> {
    let leaves = &change.leaves;
    let mut all = leaves.iter();
    let (Some((path, value)), None) = (all.next(), all.next()) else {
        return Err(Wrong::invalid("one request changes one field of a product"));
    };
    let leaf = leaves.get(path);
    let wrong = || Wrong::invalid(format!("`{path}` of a product cannot be set to {value:?} in Tryton"));
    match (path.as_str(), leaf) {
        ("active", Leaf::Value(Value::Bool(active))) => Ok(Edit::Active(active)),
        ("weight", Leaf::Value(Value::Number(weight))) => Ok(Edit::Weight(Some(weight).filter(|w| !w.is_zero()))),
        ("weight", Leaf::Empty) => Ok(Edit::Weight(None)),
        (_, Leaf::Value(Value::Bool(true)) | Leaf::Empty) if Variant::category_of(path).is_some() => {
            let id = change.elements.get(path).and_then(|id| id.parse().ok()).ok_or_else(wrong)?;
            Ok(Edit::Category { id, there: value.is_some() })
        }
        (path, _) if path.starts_with("attributes.") => {
            let name = path.trim_start_matches("attributes.").to_string();
            let unknown = || Wrong::missing(format!("`{path}` of a product is not there in Tryton, or not carried"));
            setup.attributes.get(&name).ok_or_else(unknown)?;
            Ok(Edit::Attribute { name, value: value.cloned() })
        }
        (text, Leaf::Value(Value::Text(_)) | Leaf::Empty) => {
            let (locale, field) =
                text.strip_prefix("texts.").and_then(|rest| rest.split_once('.')).ok_or_else(wrong)?;
            let language = setup.languages.iter().find(|one| self::locale(&one.code) == locale).ok_or_else(|| {
                Wrong::config(format!("language `{locale}` is not in use in Tryton: make it translatable there"))
            })?;
            let text = match value {
                Some(Value::Text(text)) if !text.is_empty() => Some(text.clone()),
                _ => None,
            };
            let language = language.code.clone();
            match field {
                "name" => Ok(Edit::Name { language, text }),
                "description" => Ok(Edit::Description { language, text }),
                _ => Err(wrong()),
            }
        }
        _ => Err(wrong()),
    }
}

/// One request that changes one record.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tryton) struct Write {
    pub(in crate::tryton) model: &'static str,
    pub(in crate::tryton) id: i64,
    /// Tryton's language of the texts in it; refusals come in that language, too.
    pub(in crate::tryton) language: String,
    pub(in crate::tryton) values: Json,
}

impl Write {
    /// The version this record must still be in: its part of `expect`, or of what was just read.
    pub(in crate::tryton) fn version(&self, expect: Option<&str>, row: &VariantRow) -> Result<Option<String>, Error> {
        let family = self.model == TEMPLATE;
        let Some(expect) = expect else {
            let read = if family { &row.template.edited } else { &row.edited };
            return Ok(read.version.clone());
        };
        let (product, template) = expect.split_once('/').ok_or_else(|| {
            let shown = syncline_core::text::shown(expect, 60);
            Error::new(ErrorKind::Stale, format!("`{shown}` is no version of a product: it is read once more"))
        })?;
        Ok(Some(if family { template } else { product }.to_string()))
    }
}

/// The request that makes `edit` of the product in `row`.
pub(in crate::tryton) fn write_of(edit: &Edit, row: &VariantRow, setup: &Setup) -> Result<Write, Wrong> {
    let plain = || "en".to_string();
    let on_template = |language: String, values: Json| Write { model: TEMPLATE, id: row.template.id, language, values };
    let on_product = |language: String, values: Json| Write { model: PRODUCT, id: row.id, language, values };
    match edit {
        Edit::Active(true) if !row.template.active.0 => Err(Wrong::invalid(
            "the product is a variant of something that is out of use: bring that back in Tryton, then retry",
        )),
        Edit::Active(active) => Ok(on_product(plain(), json!({"active": active}))),
        Edit::Weight(weight) => {
            alone(row, "weight")?;
            let values = match weight {
                None => json!({"weight": null}),
                Some(kilograms) => weighed(counted(*kilograms, row)?, row.weight_unit, &setup.weight_units)?,
            };
            Ok(on_template(plain(), values))
        }
        Edit::Name { language, text } => {
            alone(row, "name")?;
            Ok(on_template(language.clone(), json!({"name": text})))
        }
        Edit::Category { id, there } => {
            alone(row, "categories")?;
            let command = if *there { "add" } else { "remove" };
            Ok(on_template(plain(), json!({"categories": [[command, [id]]]})))
        }
        Edit::Description { language, text } => Ok(on_product(language.clone(), json!({"description": text}))),
        Edit::Attribute { name, value } => {
            let gone = || Wrong::missing(format!("`attributes.{name}` is not carried any more"));
            let attribute = setup.attributes.get(name).ok_or_else(gone)?;
            Ok(on_product(plain(), attributes::values(row, attribute, value.as_ref())?))
        }
    }
}

/// The weight of one that is counted, by that of one that is sold.
fn counted(kilograms: Decimal, row: &VariantRow) -> Result<Decimal, Wrong> {
    let units = Units::of(row.sale_unit, row.default_unit);
    units.and_then(|units| units.counted(kilograms)).ok_or_else(|| {
        Wrong::invalid(format!("{kilograms} kg do not come out even in the unit the product is counted in: round them"))
    })
}

/// Refuses to change for one variant what belongs to several.
fn alone(row: &VariantRow, what: &str) -> Result<(), Wrong> {
    let others = row.template.products.iter().filter(|id| **id != row.id).count();
    if !row.template.active.0 {
        let message =
            format!("the product is out of use with all its variants: bring it back in Tryton to change the {what}");
        return Err(Wrong::invalid(message));
    }
    if others > 0 {
        let message = format!(
            "the {what} belongs to {} variants in Tryton, changing it for one would change all: change it in Tryton, or let Tryton own the {what}s",
            others + 1
        );
        return Err(Wrong::invalid(message));
    }
    Ok(())
}

/// A weight in the unit it stands in if that keeps it exactly, else in kilograms, else in the first unit that does.
fn weighed(kilograms: Decimal, unit: Option<i64>, units: &[WeightUnit]) -> Result<Json, Wrong> {
    let own = units.iter().filter(|one| Some(one.id) == unit);
    let exact = |one: &WeightUnit| {
        let amount = kilograms.checked_div(one.kilograms)?.round_dp(one.digits);
        (amount.checked_mul(one.kilograms)? == kilograms).then_some((one.id, amount))
    };
    let Some((unit, amount)) = own.chain(units).find_map(exact) else {
        let message = format!("no unit of weight in Tryton keeps {kilograms} kg exactly: round it, or add the gram");
        return Err(Wrong::invalid(message));
    };
    Ok(json!({"weight": Qty(Exact(amount)), "weight_uom": unit}))
}
