//! What a category means: its place in the tree and its names by locale.

use super::product::{Texts, by, locale};
use super::remote;
use crate::tryton::setup::Setup;
use crate::tryton::wire_product::CategoryRow;
use syncline_core::kind::Kind;
use syncline_core::leaf::Ref;
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
