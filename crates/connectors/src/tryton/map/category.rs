//! What a category means: its place in the tree and its names by locale.

use super::product::{Texts, by, locale};
use super::{Wrong, number, remote};
use crate::tryton::setup::Setup;
use crate::tryton::wire_product::CategoryRow;
use serde_json::{Value as Json, json};
use syncline_core::delivery::Change;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Ref, Value};
use syncline_core::record::{self, Category, Changed, Parent, Record};

/// Where Tryton keeps the names of categories in each language.
pub(in crate::tryton) const NAME: &str = "product.category,name";

/// The category a row tells. Every language is told, those without a name as having none.
pub(in crate::tryton) fn category_record(row: &CategoryRow, texts: &Texts, setup: &Setup) -> Record {
    let in_language =
        |code: &str| record::Texts { name: Some(texts.told(NAME, row.id, code, row.name.as_ref())), description: None };
    let below = |parent: i64| Parent::Below(Ref::remote(Kind::Category, remote(parent)));
    Record::Category(Category {
        parent: Some(row.parent.map_or(Parent::Top, below)),
        active: None,
        texts: setup.languages.iter().map(|one| (locale(&one.code), in_language(&one.code))).collect(),
        changed: Changed { at: row.edited.times.moment(), by: by(&row.edited) },
    })
}

/// One request that changes a category.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tryton) struct Edit {
    /// Tryton's language of the name in it.
    pub(in crate::tryton) language: String,
    pub(in crate::tryton) values: Json,
}

/// The request that makes the one field of `change`.
pub(in crate::tryton) fn edit(change: &Change, setup: &Setup) -> Result<Edit, Wrong> {
    let mut all = change.leaves.iter();
    let (Some((path, value)), None) = (all.next(), all.next()) else {
        return Err(Wrong::invalid("one request changes one field of a category"));
    };
    let wrong = || Wrong::invalid(format!("`{path}` of a category cannot be set to {value:?} in Tryton"));
    let plain = |values: Json| Ok(Edit { language: "en".to_string(), values });
    match (path.as_str(), value) {
        ("parent", Some(Value::Code(_))) => plain(json!({"parent": null})),
        ("parent", Some(Value::Ref(_))) => {
            let parent = change.elements.get(path).ok_or_else(wrong)?;
            plain(json!({"parent": number(&RemoteId::new("", parent)).map_err(|_| wrong())?}))
        }
        (text, None | Some(Value::Text(_))) => {
            let code = text.strip_prefix("texts.").and_then(|rest| rest.strip_suffix(".name")).ok_or_else(wrong)?;
            let language = setup.languages.iter().find(|one| locale(&one.code) == code).ok_or_else(|| {
                Wrong::config(format!("language `{code}` is not in use in Tryton: make it translatable there"))
            })?;
            let name = value.map(ToString::to_string).filter(|name| !name.is_empty());
            Ok(Edit { language: language.code.clone(), values: json!({"name": name}) })
        }
        _ => Err(wrong()),
    }
}
