//! Which of our fields stands where in a record of the API, and in which form.

use super::place::Pointer;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};
use std::fmt;
use syncline_core::path::Path;
use syncline_core::record::Variant;

/// Decimals of a number at most.
const MOST_DIGITS: u32 = 8;

/// One of our fields that can be described.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf(Path);

impl Leaf {
    /// What all fields are, for messages.
    const KNOWN: &'static str = "`sku`, `form`, `active`, `weight`, `texts.LOCALE.name`, `texts.LOCALE.description` or `attributes.CODE`, in quotes";

    /// The field `text` names; none where it is none of a product, or cannot be described.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let path = Path::try_from(text.to_string()).ok()?;
        let plain = ["sku", "form", "active", "weight"].contains(&text);
        let code = text.strip_prefix("attributes.").is_some_and(|code| Variant::attribute_path(code).is_some());
        let locale = Variant::text_of(&path).is_some_and(|(locale, _)| !locale.contains('*'));
        (plain || code || locale).then_some(Self(path))
    }

    /// The SKU.
    #[must_use]
    pub fn sku() -> Self {
        Self(Path::field("sku"))
    }

    /// Whether it is offered at all.
    #[must_use]
    pub fn active() -> Self {
        Self(Path::field("active"))
    }

    /// Where it stands in our records.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The form it has where the file says none.
    fn usual(&self) -> Form {
        match self.0.as_str() {
            "active" => Form::Bool,
            "weight" => Form::Number,
            _ => Form::Text,
        }
    }

    /// The forms it can have.
    fn takes(&self, form: Form) -> bool {
        match self.0.as_str() {
            "active" => form == Form::Bool,
            "weight" => matches!(form, Form::Number | Form::NumberText | Form::Minor),
            path if path.starts_with("attributes.") => true,
            _ => form == Form::Text,
        }
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Leaf {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::of(&text).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &Self::KNOWN))
    }
}

/// How a value is written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A text.
    Text,
    /// A decimal as a number; read from a text as well.
    Number,
    /// A decimal in a text: `"19.90"`; read from a number as well.
    NumberText,
    /// A decimal as a whole number of its smallest unit: 1990 with two `digits`.
    Minor,
    /// Yes or no: `true` and `false`, or the two words of the file.
    Bool,
}

/// A word or a whole number that means yes or no.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Sign {
    /// A whole number; read from a text as well.
    Number(i64),
    /// A text; read from a number as well.
    Text(String),
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Where a field stands, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Where it lies in a record; none where every record that is listed has it.
    pub at: Option<Pointer>,
    /// How it is written, where it is not as usual.
    pub form: Option<Form>,
    /// Decimals it keeps.
    pub digits: Option<u32>,
    /// Characters it keeps.
    pub limit: Option<usize>,
    /// The word for yes and that for no, where they are not `true` and `false`.
    pub words: Option<(Sign, Sign)>,
    /// Whether it is written; it is read in any case.
    pub write: bool,
}

/// The table that a field is told by.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    at: Pointer,
    #[serde(rename = "as")]
    form: Option<Form>,
    digits: Option<u32>,
    limit: Option<usize>,
    yes: Option<Sign>,
    no: Option<Sign>,
    write: Option<bool>,
}

impl Field {
    /// The form that the field `leaf` has here.
    #[must_use]
    pub fn form(&self, leaf: &Leaf) -> Form {
        self.form.unwrap_or_else(|| leaf.usual())
    }

    /// What does not go together, and what to do.
    pub(super) fn checked(&self, leaf: &Leaf) -> Result<(), (String, String)> {
        let wrong = |what: &str, remedy: &str| Err((what.to_string(), remedy.to_string()));
        let form = self.form(leaf);
        let Some(at) = &self.at else {
            return match *leaf == Leaf::active() {
                true => Ok(()),
                false => wrong("says nothing of where it stands", "write a place like `\"/name\"`"),
            };
        };
        if !leaf.takes(form) {
            return wrong("cannot have that form", "take `as` out, or write one that fits: a name is a `text`");
        }
        if at.is_whole() {
            return wrong("is the whole record", "name the place of the field, e.g. `\"/name\"`");
        }
        if self.write && at.counts() {
            let remedy = "name a place without a number in it, or write it as { at = \"…\", write = false }";
            return wrong("is to be written to a place of a list, which has no name", remedy);
        }
        if *leaf == Leaf::sku() && self.limit.is_some() {
            return wrong("is to be cut", "take `limit` out: a SKU is whole or it is another one");
        }
        let numeric = matches!(form, Form::Number | Form::NumberText | Form::Minor);
        if self.digits.is_some_and(|digits| !numeric || digits > MOST_DIGITS) {
            return wrong(
                "has `digits` that mean nothing",
                "decimals of a number are 0 to 8: take `digits` out or mend it",
            );
        }
        if form == Form::Minor && self.digits.is_none() {
            return wrong("has no `digits`", "add them: `digits = 2` reads 1990 as 19.90");
        }
        if self.limit.is_some_and(|limit| form != Form::Text || limit == 0) {
            return wrong("has a `limit` that means nothing", "it is the number of characters of a text: take it out");
        }
        match &self.words {
            Some(_) if form != Form::Bool => wrong("has words for yes and no", "take `yes` and `no` out"),
            Some((yes, no)) if yes.to_string() == no.to_string() => {
                wrong("has one word for yes and no", "write two that differ")
            }
            _ => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyForm)
    }
}

struct AnyForm;

impl<'de> Visitor<'de> for AnyForm {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a place like `/name`, a table like { at = \"/price\", as = \"number-text\" }, or `true` for `active`",
        )
    }

    fn visit_bool<E: Error>(self, always: bool) -> Result<Field, E> {
        match always {
            true => Ok(Field { at: None, form: None, digits: None, limit: None, words: None, write: false }),
            false => Err(E::invalid_value(Unexpected::Bool(false), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Field, E> {
        let at = Pointer::of(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))?;
        Ok(Field { at: Some(at), form: None, digits: None, limit: None, words: None, write: true })
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Field, A::Error> {
        let told = Told::deserialize(MapAccessDeserializer::new(table))?;
        let words = match (told.yes, told.no) {
            (Some(yes), Some(no)) => Some((yes, no)),
            (None, None) => None,
            (yes, _) => {
                let missing = if yes.is_some() { "no" } else { "yes" };
                return Err(A::Error::missing_field(missing));
            }
        };
        let write = told.write.unwrap_or(true);
        Ok(Field { at: Some(told.at), form: told.form, digits: told.digits, limit: told.limit, words, write })
    }
}
