//! A product's attributes as the shop keeps them: what each holds, its choices by label, and how a value fits. Pure.

use super::products::{NAME_LIMIT, without_lost};
use super::wire;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Error, Result};
use syncline_core::leaf::Value;
use syncline_core::money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::Variant;
use syncline_core::text::{cut, shown};

/// Decimals written of a number (columns of older versions are `DECIMAL(12,4)`).
const SCALE: u32 = 4;
/// The first number that is not written any more.
const TOO_MUCH: u64 = 100_000_000;
/// Between the labels of several choices in our records.
const BETWEEN: &str = "\n";
/// Attributes that another field or flow sees to, or that the shop itself does.
const TAKEN: [&str; 16] = [
    "sku",
    "name",
    "description",
    "status",
    "visibility",
    "weight",
    "price",
    "special_price",
    "special_from_date",
    "special_to_date",
    "tier_price",
    "cost",
    "url_key",
    "url_path",
    "category_ids",
    "media_gallery",
];

/// What an attribute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A line of text.
    Line,
    /// Text of any length.
    Text,
    /// A number with [`SCALE`] decimals.
    Decimal,
    /// A whole number.
    Whole,
    /// Yes or no.
    Flag,
    /// One of its choices.
    Choice,
    /// Any of its choices.
    Choices,
}

impl Form {
    /// What the shop says an attribute is; none for what is not carried, as days and images.
    fn of(input: &str, backend: &str) -> Option<Self> {
        Some(match (input, backend) {
            ("boolean", _) => Self::Flag,
            ("select", _) => Self::Choice,
            ("multiselect", _) => Self::Choices,
            ("text" | "price" | "weight", "decimal") => Self::Decimal,
            ("text", "int") => Self::Whole,
            ("text", _) => Self::Line,
            ("textarea" | "texteditor", _) => Self::Text,
            _ => return None,
        })
    }

    /// The word for it in `check` and `systems`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Line | Self::Text => "text",
            Self::Decimal | Self::Whole => "number",
            Self::Flag => "yes-no",
            Self::Choice => "choice",
            Self::Choices => "choices",
        }
    }
}

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) form: Form,
    /// Its id in the shop.
    pub(super) number: Option<u64>,
    /// What people in the back office call it.
    pub(super) title: String,
    /// Label by id, as the shop lists them.
    choices: BTreeMap<String, String>,
    /// Whether choices can be added: those of a table can, those that code brings along cannot.
    grows: bool,
}

/// The attributes that are carried, by code. One that the shop does not have is not in it.
pub(super) type Attributes = BTreeMap<String, Attribute>;

/// How a value is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    /// As this.
    As(Json),
    /// Not before this choice is there.
    Lacks(String),
}

impl Attribute {
    /// The attribute the shop tells of.
    ///
    /// # Errors
    /// Why it is not carried.
    pub(super) fn new(doc: &wire::ProductAttribute) -> std::result::Result<Self, String> {
        let told = |text: &Option<wire::Text>| text.as_ref().map_or_else(String::new, |text| text.0.clone());
        if TAKEN.contains(&doc.attribute_code.0.as_str()) {
            return Err("another field or flow carries it".to_owned());
        }
        let input = told(&doc.frontend_input);
        let form = Form::of(&input, &told(&doc.backend_type))
            .ok_or_else(|| format!("attributes with the input `{}` are not carried", shown(&input, 20)))?;
        let options = doc.options.iter().flatten();
        let choices =
            options.filter(|one| !one.value.0.is_empty()).map(|one| (one.value.0.clone(), one.label.0.clone()));
        Ok(Self {
            form,
            number: doc.attribute_id.map(|id| id.0),
            title: told(&doc.default_frontend_label),
            choices: choices.collect(),
            grows: told(&doc.source_model).ends_with("Source\\Table"),
        })
    }

    /// Its labels.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.choices.values().map(String::as_str)
    }

    /// The label that is meant by `label`: itself, or the only one that differs in nothing but its letters' size.
    fn meant(&self, label: &str) -> Option<&str> {
        let alike: BTreeSet<&str> = self.labels().filter(|one| one.to_lowercase() == label.to_lowercase()).collect();
        match alike.get(label) {
            Some(exact) => Some(exact),
            None if alike.len() == 1 => alike.first().copied(),
            None => None,
        }
    }

    fn id(&self, label: &str) -> Option<&str> {
        self.choices.iter().find(|(_, one)| *one == label).map(|(id, _)| id.as_str())
    }

    /// What a value the shop tells says; nothing for choices that are not there any more.
    fn read(&self, told: &Json) -> std::result::Result<Option<Value>, String> {
        let whole = match told {
            Json::Null => String::new(),
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            Json::Bool(yes) => u8::from(*yes).to_string(),
            Json::Array(rows) => rows.iter().map(plain).collect::<Vec<_>>().join(","),
            Json::Object(_) => return Err(format!("`{}` is no value", shown(&told.to_string(), 40))),
        };
        if whole.is_empty() {
            return Ok(None);
        }
        Ok(match self.form {
            Form::Line | Form::Text => Some(Value::Text(whole)),
            Form::Decimal | Form::Whole => {
                let number = money::decimal(&whole).map_err(|error| error.to_string())?;
                Some(Value::Number(money::settled(number, SCALE).normalize()))
            }
            Form::Flag => Some(Value::Bool(whole != "0")),
            Form::Choice => self.choices.get(&whole).map(|label| Value::Text(label.clone())),
            Form::Choices => {
                let labels: BTreeSet<&str> =
                    whole.split(',').filter_map(|id| self.choices.get(id)).map(String::as_str).collect();
                let joined = labels.into_iter().collect::<Vec<_>>().join(BETWEEN);
                (!joined.is_empty()).then_some(Value::Text(joined))
            }
        })
    }

    /// How the shop keeps `value`.
    pub(super) fn fit(&self, code: &str, value: &Value, all_characters: bool) -> Fit {
        match (self.form, value) {
            (Form::Line, Value::Text(text)) => words(text, Some(NAME_LIMIT), all_characters),
            (Form::Text, Value::Text(text)) => words(text, None, all_characters),
            (Form::Line | Form::Text, Value::Number(number)) => {
                Fit::As(Value::Text(number.normalize().to_string()), "a number kept as text".to_owned())
            }
            (Form::Decimal, Value::Number(number)) => decimals(*number, SCALE),
            (Form::Whole, Value::Number(number)) if number.fract().is_zero() => decimals(*number, 0),
            (Form::Whole, Value::Number(_)) => Fit::Refused("it keeps whole numbers only".to_owned()),
            (Form::Decimal | Form::Whole, Value::Text(text)) => match money::decimal(text.trim()) {
                Ok(number) => match self.fit(code, &Value::Number(number), all_characters) {
                    Fit::Exact => Fit::As(Value::Number(number), "a text kept as number".to_owned()),
                    other => other,
                },
                Err(_) => Fit::Refused(format!("`{}` is no number", shown(text, 40))),
            },
            (Form::Flag, Value::Bool(_)) => Fit::Exact,
            (Form::Choice, Value::Text(text)) if text.trim().contains(BETWEEN) => {
                Fit::Refused(format!("`{code}` of the shop keeps one choice"))
            }
            (Form::Choice, Value::Text(text)) => self.choose(code, &[text], all_characters),
            (Form::Choices, Value::Text(text)) => {
                self.choose(code, &text.split(BETWEEN).collect::<Vec<_>>(), all_characters)
            }
            (Form::Choice | Form::Choices, Value::Number(number)) => {
                self.choose(code, &[number.normalize().to_string().as_str()], all_characters)
            }
            (form, _) => Fit::Refused(format!("`{code}` of the shop holds {}", form.word())),
        }
    }

    /// How labels are kept: each as the shop writes it, or as a new choice where there can be one.
    fn choose(&self, code: &str, labels: &[&str], all_characters: bool) -> Fit {
        let (mut kept, mut new) = (BTreeSet::new(), Vec::new());
        for label in labels.iter().map(|label| label.trim()).filter(|label| !label.is_empty()) {
            let label = match words(label, Some(NAME_LIMIT), all_characters) {
                Fit::Exact => label.to_owned(),
                Fit::As(Value::Text(text), _) => text.trim().to_owned(),
                other => return other,
            };
            match self.meant(&label) {
                Some(known) => drop(kept.insert(known.to_owned())),
                None if self.grows => {
                    new.push(label.clone());
                    kept.insert(label);
                }
                None => {
                    let known = self.labels().take(10).collect::<Vec<_>>().join(", ");
                    return Fit::Refused(format!(
                        "`{}` is no choice of `{code}`, and none can be added there; it has: {known}. A row under \
                         [flows.products.choices.{code}] says which one is meant",
                        shown(&label, 40)
                    ));
                }
            }
        }
        let text = kept.into_iter().collect::<Vec<_>>().join(BETWEEN);
        if text.is_empty() {
            return Fit::Refused("a choice has to have a label".to_owned());
        }
        match new.as_slice() {
            [] if labels.join(BETWEEN) == text => Fit::Exact,
            [] => Fit::As(Value::Text(text), "as the shop writes its choices".to_owned()),
            _ => Fit::As(Value::Text(text), format!("`{}` is a new choice of `{code}`", new.join("`, `"))),
        }
    }

    /// How `value` is sent; what does not fit, as it would be kept.
    ///
    /// # Errors
    /// `Invalid` for what the shop does not keep.
    pub(super) fn written(&self, code: &str, value: Option<&Value>, all_characters: bool) -> Result<Written> {
        let Some(value) = value else { return Ok(Written::As(json!(""))) };
        let kept = match self.fit(code, value, all_characters) {
            Fit::Exact => value.clone(),
            Fit::As(other, _) => other,
            Fit::Refused(why) => return Err(Error::new(ErrorKind::Invalid, format!("`attributes.{code}`: {why}"))),
        };
        Ok(Written::As(match (self.form, kept) {
            (Form::Choice | Form::Choices, Value::Text(labels)) => {
                let mut ids = Vec::new();
                for label in labels.split(BETWEEN) {
                    match self.id(label) {
                        Some(id) => ids.push(id),
                        None => return Ok(Written::Lacks(label.to_owned())),
                    }
                }
                json!(ids.join(","))
            }
            (_, Value::Text(text)) => json!(text),
            (_, Value::Number(number)) => json!(number.normalize().to_string()),
            (_, Value::Bool(yes)) => json!(u8::from(yes).to_string()),
            (_, other) => {
                let what = format!("`attributes.{code}`: `{}` is no value", shown(&other.to_string(), 40));
                return Err(Error::new(ErrorKind::Invalid, what));
            }
        }))
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn words(whole: &str, limit: Option<usize>, all_characters: bool) -> Fit {
    let mut why = Vec::new();
    let mut kept = whole.to_owned();
    if let Some(short) = without_lost(whole, all_characters) {
        kept = short;
        why.push("without the characters that the shop's database makes question marks of".to_owned());
    }
    if let Some((short, limit)) = limit.and_then(|limit| Some((cut(&kept, limit)?, limit))) {
        kept = short;
        why.push(format!("cut to {limit} characters"));
    }
    match (kept.trim().is_empty(), why.is_empty()) {
        (true, _) => Fit::Refused("nothing is left of it".to_owned()),
        (false, true) => Fit::Exact,
        (false, false) => Fit::As(Value::Text(kept), why.join(", ")),
    }
}

fn decimals(number: Decimal, scale: u32) -> Fit {
    let kept = number.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero).normalize();
    if kept.abs() >= Decimal::from(TOO_MUCH) {
        return Fit::Refused(format!("a number has to be below {TOO_MUCH}"));
    }
    if kept == number { Fit::Exact } else { Fit::As(Value::Number(kept), format!("rounded to {scale} decimals")) }
}

/// The ids of the choices of an attribute.
pub(super) fn choice_ids(attribute: &Attribute) -> impl Iterator<Item = u64> {
    attribute.choices.keys().filter_map(|id| id.parse().ok())
}

/// The code of an attribute's path.
pub(super) fn code_of(path: &Path) -> Option<&str> {
    path.as_str().strip_prefix("attributes.")
}

/// What a product tells of the attributes; nothing where the answer leaves them out.
///
/// # Errors
/// The code and what stands in it, where that is no value of its form.
pub(super) fn told(
    rows: Option<&[wire::Attribute]>,
    attributes: &Attributes,
) -> std::result::Result<BTreeMap<String, Option<Value>>, String> {
    let Some(rows) = rows else { return Ok(BTreeMap::new()) };
    let one = |(code, attribute): (&String, &Attribute)| {
        let row = rows.iter().find(|row| row.attribute_code.0 == *code);
        let value = row.map_or(Ok(None), |row| attribute.read(&row.value)).map_err(|why| format!("`{code}`: {why}"))?;
        Ok((code.clone(), value))
    };
    attributes.iter().filter(|(code, _)| Variant::attribute_path(code).is_some()).map(one).collect()
}

/// Choices that products have and `attributes` does not know: code and id.
pub(super) fn strange<'d>(
    docs: impl Iterator<Item = &'d wire::Product>,
    attributes: &Attributes,
) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for row in docs.flat_map(|doc| doc.custom_attributes.iter().flatten()) {
        let Some(attribute) = attributes.get(&row.attribute_code.0) else { continue };
        if !matches!(attribute.form, Form::Choice | Form::Choices) {
            continue;
        }
        let ids = match &row.value {
            Json::Array(rows) => rows.iter().map(plain).collect::<Vec<_>>(),
            Json::Null => Vec::new(),
            other => plain(other).split(',').map(str::to_owned).collect(),
        };
        let new = ids.into_iter().filter(|id| !id.is_empty() && !attribute.choices.contains_key(id));
        found.extend(new.map(|id| (row.attribute_code.0.clone(), id)));
    }
    found
}
