//! The fields of products that the file carries beside their own, as this Tryton has them.

use super::config::{Carried, Config};
use super::map::{self, Attribute, Attributes, Form, Source};
use super::reader::Reader;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use syncline_connect::Result;

/// The fields of products that are carried. One that is not there, or cannot be carried, is told of and left out.
pub(super) async fn attributes(
    reader: &Reader<'_>,
    config: &Config,
    modules: &BTreeSet<String>,
    warnings: &mut Vec<String>,
) -> Result<Attributes> {
    let wanted: Vec<_> = config.attributes.iter().map(|(name, told)| (name, told, Source::of(&told.source))).collect();
    let asks = |sort: fn(&Source) -> bool| wanted.iter().any(|(_, _, source)| source.as_ref().is_some_and(sort));
    let rows: Vec<AttributeRow> =
        match modules.contains("product_attribute") && asks(|source| matches!(source, Source::Attribute(_))) {
            true => {
                let fields = ["name", "string", "type_", "selection", "sets"];
                reader.rows("product.attribute", json!([]), &fields).await?
            }
            false => Vec::new(),
        };
    let mut attributes = Attributes::new();
    for (name, told, source) in wanted {
        let plain = |source: Source, form: Form, title: &str| Attribute {
            source,
            form,
            title: title.to_string(),
            choices: Vec::new(),
            sets: BTreeSet::new(),
            names: told.names.clone(),
        };
        let found = match source {
            Some(Source::Identifier(sort)) => {
                let title = format!("Identifier {sort}");
                Ok(plain(Source::Identifier(sort), Form::Text, &title))
            }
            Some(Source::TaxCategory) if modules.contains("account_product") => {
                Ok(plain(Source::TaxCategory, Form::Text, "Tax category"))
            }
            Some(Source::TaxCategory) => Err("module `account_product` is not activated".to_string()),
            Some(Source::Attribute(code)) => rows
                .iter()
                .find(|row| row.name == code)
                .ok_or_else(|| format!("Tryton has no attribute `{code}` (module `product_attribute`)"))
                .and_then(|row| row.attribute(told)),
            None => Err("it is none of `identifier:TYPE`, `attribute:NAME` and `tax_category`".to_string()),
        };
        match found {
            Ok(attribute) => drop(attributes.insert(name.clone(), attribute)),
            Err(why) => {
                let source = syncline_core::text::shown(&told.source, 60);
                warnings.push(format!("`attributes.{name}` of products stays as it is: `{source}`: {why}"));
            }
        }
    }
    Ok(attributes)
}

#[derive(Deserialize)]
struct AttributeRow {
    name: String,
    string: Option<String>,
    #[serde(rename = "type_")]
    form: String,
    selection: Option<String>,
    #[serde(default)]
    sets: Vec<i64>,
}

impl AttributeRow {
    /// The attribute; why it is not carried.
    fn attribute(&self, told: &Carried) -> std::result::Result<Attribute, String> {
        let form = Form::of(&self.form).ok_or_else(|| format!("attributes of type `{}` are not carried", self.form))?;
        Ok(Attribute {
            source: Source::Attribute(self.name.clone()),
            form,
            title: self.string.clone().unwrap_or_default(),
            choices: map::choices(self.selection.as_deref().unwrap_or_default()),
            sets: self.sets.iter().copied().collect(),
            names: told.names.clone(),
        })
    }
}
