//! What else Tryton tells of a product: identifiers, attributes and tax category, each under the name the file gives it.

use super::Wrong;
use super::text::{kept_as, line};
use crate::tryton::wire::{Dec, Qty, VariantRow};
use crate::wire::Exact;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::leaf::Value;
use syncline_core::money;
use syncline_core::profile::Fit;
use syncline_core::record::Variant;
use syncline_core::text::shown;

/// Between the labels of several choices in our records.
const BETWEEN: &str = "\n";

/// Where a field stands, as the file writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tryton) enum Source {
    /// `identifier:ean`: the first identifier of that type.
    Identifier(String),
    /// `attribute:colour`: an attribute of module `product_attribute`, by its name.
    Attribute(String),
    /// `tax_category`: the name of the accounting category, which chooses the taxes. It is only read.
    TaxCategory,
}

impl Source {
    /// The source that `word` names.
    pub(in crate::tryton) fn of(word: &str) -> Option<Self> {
        match word.split_once(':') {
            Some(("identifier", name)) if !name.is_empty() => Some(Self::Identifier(name.to_string())),
            Some(("attribute", name)) if !name.is_empty() => Some(Self::Attribute(name.to_string())),
            None if word == "tax_category" => Some(Self::TaxCategory),
            _ => None,
        }
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tryton) enum Form {
    Text,
    Whole,
    /// Kept as a decimal (`numeric`) or as a float.
    Number {
        exact: bool,
    },
    Flag,
    Choice,
    Choices,
}

impl Form {
    /// That of an attribute's `type_`; none for what is not carried, as days.
    pub(in crate::tryton) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "char" | "color" => Self::Text,
            "integer" => Self::Whole,
            "numeric" => Self::Number { exact: true },
            "float" => Self::Number { exact: false },
            "boolean" => Self::Flag,
            "selection" => Self::Choice,
            "multiselection" => Self::Choices,
            _ => return None,
        })
    }

    /// The word for it in `check` and `systems`.
    pub(in crate::tryton) fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Whole | Self::Number { .. } => "number",
            Self::Flag => "yes-no",
            Self::Choice => "choice",
            Self::Choices => "choices",
        }
    }
}

/// One field that is carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tryton) struct Attribute {
    pub(in crate::tryton) source: Source,
    pub(in crate::tryton) form: Form,
    pub(in crate::tryton) title: String,
    /// Key and label of each choice.
    pub(in crate::tryton) choices: Vec<(String, String)>,
    /// The attribute sets that have it.
    pub(in crate::tryton) sets: BTreeSet<i64>,
    /// The file's table: what the other side calls a value, and what it is called here.
    pub(in crate::tryton) names: BTreeMap<String, String>,
}

/// The fields that are carried, by the names the file gives them.
pub(in crate::tryton) type Attributes = BTreeMap<String, Attribute>;

impl Attribute {
    fn key(&self, label: &str) -> Option<&str> {
        self.choices.iter().find(|(_, one)| one == label).map(|(key, _)| key.as_str())
    }

    fn label<'a>(&'a self, key: &'a str) -> &'a str {
        self.choices.iter().find(|(one, _)| one == key).map_or(key, |(_, label)| label)
    }

    /// What the other side calls `text`.
    fn outward(&self, text: &str) -> String {
        self.names.iter().find(|(_, ours)| *ours == text).map_or(text, |(theirs, _)| theirs).to_string()
    }

    /// What is called `text` on the other side.
    fn inward<'a>(&'a self, text: &'a str) -> &'a str {
        self.names.get(text).map_or(text, String::as_str)
    }

    /// Whether the product in `row` can have it: Tryton would keep an attribute of another set, and show it to nobody.
    fn is_of(&self, row: &VariantRow) -> bool {
        let in_set = |set: i64| self.sets.contains(&set);
        !matches!(self.source, Source::Attribute(_)) || row.template.attribute_set.is_some_and(in_set)
    }

    /// What `row` says of it.
    fn told(&self, row: &VariantRow) -> Option<Value> {
        match &self.source {
            Source::Identifier(sort) => {
                let mut codes = row.identifiers.iter().filter(|one| one.sort.as_ref() == Some(sort));
                codes.find_map(|one| one.code.clone()).filter(|code| !code.is_empty()).map(Value::Text)
            }
            Source::Attribute(name) => row.attributes.as_ref().and_then(|all| self.read(all.get(name)?)),
            Source::TaxCategory => {
                let name = row.template.tax_category.as_ref()?.name.as_ref()?;
                Some(Value::Text(self.outward(name)))
            }
        }
    }

    /// What a value in the attributes of a product says. Tryton checks none of them: what is of another form is told as
    /// the text it is.
    fn read(&self, value: &Json) -> Option<Value> {
        let texts = |rows: &[Json]| {
            let labels: BTreeSet<String> =
                rows.iter().filter_map(Json::as_str).map(|key| self.outward(self.label(key))).collect();
            labels.into_iter().collect::<Vec<_>>().join(BETWEEN)
        };
        let number = |value: &Json| match value {
            Json::Number(number) => money::decimal(&number.to_string()).ok(),
            Json::Object(fields) => fields.get("decimal")?.as_str().and_then(|text| money::decimal(text).ok()),
            _ => None,
        };
        let said = match (self.form, value) {
            (_, Json::Null) => return None,
            (Form::Flag, Json::Bool(yes)) => Value::Bool(*yes),
            (Form::Whole | Form::Number { .. }, value) if number(value).is_some() => {
                Value::Number(number(value)?.normalize())
            }
            (Form::Choice, Json::String(key)) => Value::Text(self.outward(self.label(key))),
            (Form::Choices, Json::Array(rows)) => Value::Text(texts(rows)),
            (_, Json::String(text)) => Value::Text(text.clone()),
            (_, other) => Value::Text(shown(&other.to_string(), 255)),
        };
        (said != Value::Text(String::new())).then_some(said)
    }

    /// Whether a product has a choice that was not there when the set-up was read.
    fn is_strange(&self, row: &VariantRow) -> bool {
        let Source::Attribute(name) = &self.source else { return false };
        let unknown = |value: &Json| value.as_str().is_some_and(|key| !self.choices.iter().any(|(one, _)| one == key));
        match row.attributes.as_ref().and_then(|all| all.get(name)) {
            Some(Json::Array(rows)) if self.form == Form::Choices => rows.iter().any(unknown),
            Some(value) if self.form == Form::Choice => unknown(value),
            _ => false,
        }
    }

    /// How Tryton keeps `value`.
    pub(in crate::tryton) fn fit(&self, value: &Value) -> Fit {
        match (&self.source, self.form, value) {
            (Source::TaxCategory, ..) => {
                Fit::Refused("the tax category is only read from Tryton: change it there".to_string())
            }
            (Source::Identifier(sort), _, Value::Text(text)) => match line(text) {
                kept if kept.is_empty() => Fit::Refused("an identifier has a code".to_string()),
                kept if sort == "ean" && !is_ean(&kept) => {
                    Fit::Refused(format!("`{}` is no valid EAN, which Tryton refuses", shown(&kept, 40)))
                }
                kept => kept_as(text, kept),
            },
            (Source::Identifier(_), _, Value::Number(number)) | (_, Form::Text, Value::Number(number)) => {
                Fit::As(Value::Text(number.normalize().to_string()), "a number kept as text".to_string())
            }
            (_, Form::Text, Value::Text(text)) if text.trim().is_empty() => {
                Fit::Refused("nothing is in it".to_string())
            }
            (_, Form::Text, Value::Text(text)) => kept_as(text, text.replace('\0', "")),
            (_, Form::Whole, Value::Number(number)) if !number.fract().is_zero() => {
                Fit::Refused("it keeps whole numbers only".to_string())
            }
            (_, Form::Whole | Form::Number { .. }, Value::Number(_)) | (_, Form::Flag, Value::Bool(_)) => Fit::Exact,
            (_, Form::Whole | Form::Number { .. }, Value::Text(text)) => match money::decimal(text.trim()) {
                Ok(number) if self.form != Form::Whole || number.fract().is_zero() => {
                    Fit::As(Value::Number(number.normalize()), "a text kept as number".to_string())
                }
                _ => Fit::Refused(format!("`{}` is no such number", shown(text, 40))),
            },
            (_, Form::Choice, Value::Text(text)) if text.trim().contains(BETWEEN) => {
                Fit::Refused("it keeps one choice".to_string())
            }
            (_, Form::Choice, Value::Text(text)) => self.choose(&[text]),
            (_, Form::Choices, Value::Text(text)) => self.choose(&text.split(BETWEEN).collect::<Vec<_>>()),
            (_, form, _) => Fit::Refused(format!("it holds {} in Tryton", form.word())),
        }
    }

    /// How labels are kept: each as Tryton writes it. Choices are added in Tryton, by hand.
    fn choose(&self, labels: &[&str]) -> Fit {
        let mut kept = BTreeSet::new();
        for label in labels.iter().map(|label| label.trim()).filter(|label| !label.is_empty()) {
            let wanted = self.inward(label).to_lowercase();
            let meant = self.choices.iter().find(|(_, one)| one == self.inward(label));
            let alike = || self.choices.iter().find(|(_, one)| one.to_lowercase() == wanted);
            let Some((_, known)) = meant.or_else(alike) else {
                let what = format!("`{}` is no choice of it in Tryton: add it there, or name", shown(label, 40));
                return Fit::Refused(format!("{what} the one that is meant under [flows.products.choices]"));
            };
            kept.insert(self.outward(known));
        }
        let text = kept.into_iter().collect::<Vec<_>>().join(BETWEEN);
        match text.is_empty() {
            true => Fit::Refused("a choice has a label".to_string()),
            false => match labels.join(BETWEEN) == text {
                true => Fit::Exact,
                false => Fit::As(Value::Text(text), "as Tryton writes its choices".to_string()),
            },
        }
    }

    /// The value in the attributes of a product.
    fn stored(&self, value: &Value) -> Option<Json> {
        let key = |label: &str| self.key(self.inward(label)).map(str::to_string);
        Some(match (self.form, value) {
            (Form::Choice, Value::Text(label)) => json!(key(label)?),
            (Form::Choices, Value::Text(labels)) => json!(labels.split(BETWEEN).map(key).collect::<Option<Vec<_>>>()?),
            (Form::Text, Value::Text(text)) => json!(text),
            (Form::Flag, Value::Bool(yes)) => json!(yes),
            (Form::Number { exact: true }, Value::Number(number)) => json!(Dec(*number)),
            (Form::Whole | Form::Number { .. }, Value::Number(number)) => json!(Qty(Exact(*number))),
            _ => return None,
        })
    }
}

/// What `row` says of every field that is carried. An attribute that the product's set does not have is not told, so that
/// nothing is asked of it.
pub(super) fn told(row: &VariantRow, attributes: &Attributes) -> BTreeMap<String, Option<Value>> {
    let plain = attributes.iter().filter(|(name, _)| Variant::attribute_path(name).is_some());
    let told = plain.map(|(name, attribute)| (name.clone(), attribute.told(row), attribute.is_of(row)));
    told.filter(|(_, value, of)| *of || value.is_some()).map(|(name, value, _)| (name, value)).collect()
}

/// Whether products have choices that were not there when the set-up was read.
pub(in crate::tryton) fn strange(rows: &[&VariantRow], attributes: &Attributes) -> bool {
    attributes.values().any(|attribute| rows.iter().any(|row| attribute.is_strange(row)))
}

/// The fields of the product in `row` that give the attribute `name` this value.
///
/// # Errors
/// What Tryton would keep without a word, and what it would refuse.
pub(super) fn values(row: &VariantRow, attribute: &Attribute, value: Option<&Value>) -> Result<Json, Wrong> {
    if let Some(value) = value
        && let Fit::Refused(why) = attribute.fit(value)
    {
        return Err(Wrong::missing(why));
    }
    match &attribute.source {
        Source::TaxCategory => Err(Wrong::invalid("the tax category is only read from Tryton: change it there")),
        Source::Identifier(sort) => Ok(json!({"identifiers": identifiers(row, sort, value)})),
        Source::Attribute(name) => {
            if !attribute.is_of(row) {
                let what = format!("the product's attribute set in Tryton has no `{name}`: give it one that has");
                return Err(Wrong::missing(what));
            }
            let mut all: Map<String, Json> = row.attributes.clone().unwrap_or_default();
            match value {
                None => drop(all.remove(name)),
                Some(value) => {
                    let what =
                        || Wrong::missing(format!("`{}` is no value of `{name}`", shown(&value.to_string(), 40)));
                    all.insert(name.clone(), attribute.stored(value).ok_or_else(what)?);
                }
            }
            Ok(json!({"attributes": all}))
        }
    }
}

/// The commands that leave the first identifier of a type with this code, or none of that type.
fn identifiers(row: &VariantRow, sort: &str, value: Option<&Value>) -> Json {
    let own = || row.identifiers.iter().filter(|one| one.sort.as_deref() == Some(sort)).map(|one| one.id);
    let code = value.map(|value| line(&value.to_string()));
    match (code, own().next()) {
        (Some(code), Some(id)) => json!([["write", [id], {"code": code}]]),
        (Some(code), None) => json!([["create", [{"type": sort, "code": code}]]]),
        (None, _) => json!([["delete", own().collect::<Vec<_>>()]]),
    }
}

/// Whether Tryton takes `code` for an EAN (`stdnum.ean`): 8, 12, 13 or 14 digits, the last of which checks the others.
fn is_ean(code: &str) -> bool {
    let digits: Option<Vec<u32>> =
        code.chars().filter(|letter| !matches!(letter, ' ' | '-')).map(|letter| letter.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| matches!(digits.len(), 8 | 12 | 13 | 14)) else { return false };
    let weighed = digits.iter().rev().zip([1, 3].into_iter().cycle());
    weighed.map(|(digit, weight)| digit * weight).sum::<u32>() % 10 == 0
}

/// The choices of a selection, `key:Label` a line.
pub(in crate::tryton) fn choices(selection: &str) -> Vec<(String, String)> {
    let one = |line: &str| {
        let (key, label) = line.split_once(':')?;
        Some((key.trim().to_string(), label.trim().to_string()))
    };
    selection.lines().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    #[test]
    fn a_code_is_an_ean_by_its_last_digit() {
        for good in ["4006381333931", "4 006381 333931", "96385074", "036000291452"] {
            assert!(is_ean(good), "{good}");
        }
        for bad in ["4006381333932", "123", "", "400638133393X"] {
            assert!(!is_ean(bad), "{bad}");
        }
    }

    #[test]
    fn choices_are_known_by_label_and_by_the_names_of_the_file() {
        let attribute = Attribute {
            source: Source::Attribute("colour".to_string()),
            form: Form::Choices,
            title: String::new(),
            choices: choices("red:Red\nblue:Blue: dark\nbad line"),
            sets: BTreeSet::new(),
            names: BTreeMap::from([("Rot".to_string(), "Red".to_string())]),
        };
        let text = |text: &str| Value::Text(text.to_string());
        assert_eq!(attribute.read(&json!(["red", "blue"])), Some(text("Blue: dark\nRot")));
        assert_eq!(attribute.fit(&text("Blue: dark\nRot")), Fit::Exact);
        assert!(matches!(attribute.fit(&text("Rot\nblue: Dark")), Fit::As(kept, _) if kept == text("Blue: dark\nRot")));
        assert!(matches!(attribute.fit(&text("Rot\nGreen")), Fit::Refused(why) if why.contains("Green")));
        assert_eq!(attribute.stored(&text("Blue: dark\nRot")), Some(json!(["blue", "red"])));
        assert_eq!(attribute.read(&json!(["red", "green"])), Some(text("Rot\ngreen")), "a key nobody declared");
        assert_eq!(attribute.read(&json!([])), None);
    }

    #[test]
    fn what_tryton_kept_of_another_form_is_told_as_it_is() {
        let volts = Attribute {
            source: Source::Attribute("volts".to_string()),
            form: Form::Whole,
            title: String::new(),
            choices: Vec::new(),
            sets: BTreeSet::new(),
            names: BTreeMap::new(),
        };
        assert_eq!(volts.read(&json!(230)), Some(Value::Number(Decimal::from(230))));
        assert_eq!(volts.read(&json!("abc")), Some(Value::Text("abc".to_string())), "recorded: wrong type is kept");
        assert_eq!(volts.read(&json!("")), None);
        assert!(matches!(volts.fit(&Value::Number(Decimal::new(15, 1))), Fit::Refused(_)));
        assert!(matches!(volts.fit(&Value::Text("12".into())), Fit::As(Value::Number(n), _) if n == Decimal::from(12)));
    }
}
