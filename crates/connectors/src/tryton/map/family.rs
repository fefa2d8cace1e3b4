//! What a template with several products means: a family with its texts by locale, its options and its variants.

use super::product::{NAME, by, locale};
use super::{Edit, Texts, Wrong, attributes, remote};
use crate::tryton::setup::Setup;
use crate::tryton::wire::VariantRow;
use crate::tryton::wire_product::FamilyRow;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::kind::Kind;
use syncline_core::leaf::Ref;
use syncline_core::record::{self, Changed, Product, Record};

/// The products of each template, by number.
pub(in crate::tryton) type Siblings = BTreeMap<i64, BTreeSet<i64>>;

/// What is read of a family.
#[derive(Debug)]
pub(in crate::tryton) struct Family<'a> {
    pub(in crate::tryton) row: &'a FamilyRow,
    /// Its products that have a code, those out of use too.
    pub(in crate::tryton) members: &'a [VariantRow],
    pub(in crate::tryton) texts: &'a Texts,
    /// The attributes that tell products of one template apart, as the file says.
    pub(in crate::tryton) options: &'a BTreeSet<String>,
}

/// The version of a family: a product more or less is a change of it, too, though its template is as it was.
pub(in crate::tryton) fn family_version(template: Option<&str>, products: impl Iterator<Item = i64>) -> Option<String> {
    let (count, sum) = products.fold((0_u32, 0_i64), |(count, sum), id| (count + 1, sum.wrapping_add(id)));
    Some(format!("{}/{count}:{sum}", template?))
}

/// The template's part of a family's version.
pub(in crate::tryton) fn template_version(version: &str) -> Option<&str> {
    version.split_once('/').map(|(template, _)| template)
}

/// The family a template tells. Its name is its own where it has several products; of a single one it is that one's.
/// Options are those attributes of the file's that any of its products has.
pub(in crate::tryton) fn family_record(family: &Family<'_>, setup: &Setup) -> Record {
    let row = family.row;
    let name = |code: &str| record::Texts {
        name: Some(family.texts.told(NAME, row.id, code, row.name.as_ref())),
        description: None,
    };
    let several = family.members.len() > 1;
    let languages = setup.languages.iter().filter(|_| several);
    let told: Vec<_> = family.members.iter().map(|one| attributes::told(one, &setup.attributes)).collect();
    let has = |code: &&String| told.iter().any(|all| all.get(*code).is_some_and(Option::is_some));
    let variant = |one: &VariantRow| (one.id.to_string(), Ref::remote(Kind::Variant, remote(one.id)));
    Record::Product(Product {
        key: row.code.clone().filter(|code| !code.is_empty()),
        form: row.form.clone(),
        active: Some(row.active.0),
        serial: None,
        options: family.options.iter().filter(has).cloned().collect(),
        variants: family.members.iter().map(variant).collect(),
        texts: languages.map(|one| (locale(&one.code), name(&one.code))).collect(),
        changed: Changed { at: row.edited.times.moment(), by: by(&row.edited) },
    })
}

/// Language and fields of the request that makes `edit` of a template.
pub(in crate::tryton) fn write_of_family(edit: &Edit) -> Result<(String, Json), Wrong> {
    match edit {
        Edit::Active(active) => Ok(("en".to_string(), json!({"active": active}))),
        Edit::Name { language, text } => Ok((language.clone(), json!({"name": text}))),
        other => Err(Wrong::invalid(format!("of a family only its name and its use are written in Tryton: {other:?}"))),
    }
}
