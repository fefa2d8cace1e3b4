//! A variant: what is sold under a SKU, with its texts per locale.

use super::fields::{Fields, Malformed};
use super::image::{self, Image};
use super::parts::{Composition, PARTS};
use super::texts::{self, Changed, Texts};
use crate::id::RemoteId;
use crate::kind::Kind;
use crate::leaf::{Leaves, Ref, Value};
use crate::path::Path;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use rust_decimal::Decimal;

/// What is sold. Every field is optional: `None` is not told; an empty text or a weight of zero is told as nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variant {
    /// Stock keeping unit as the system writes it.
    pub sku: Option<String>,
    /// The system's word for its sort, e.g. `simple`, `bundle`.
    pub form: Option<String>,
    /// Whether it is offered at all.
    pub active: Option<bool>,
    /// The system's numeric id where its address is another key.
    pub serial: Option<String>,
    /// The system's own id of the family it belongs to, where it is one of several there.
    pub family: Option<String>,
    /// Weight of one in kilograms.
    pub weight: Option<Decimal>,
    /// What else is told of it, by the name the file gives it: a text, a number, yes or no; of several choices a label a
    /// line, in alphabetical order. None where it has none.
    pub attributes: BTreeMap<String, Option<Value>>,
    /// The categories it stands in, as its system calls them, told whole; none where that is not told.
    pub categories: Option<BTreeSet<String>>,
    /// Its images by the hash of their content, all of them; none where they are not told.
    pub images: Option<BTreeMap<String, Image>>,
    /// What it is made of, where it is a bundle or kit and that is told.
    pub composition: Option<Composition>,
    /// Texts by locale: the language (`de`), with its region where a system has several of one language (`de-AT`).
    pub texts: BTreeMap<String, Texts>,
    /// When it was last changed there, and by whom, where the system tells.
    pub changed: Changed,
}

/// The paths whose values two systems can share; all others say what a system calls it.
pub const SHARED: [&str; 11] = [
    "active",
    "weight",
    "attributes.*",
    "categories[*]",
    PARTS,
    "texts.*.name",
    "texts.*.description",
    "images[*]",
    "images[*].label",
    "images[*].position",
    "images[*].roles",
];
const FIELDS: [&str; 10] =
    ["sku", "form", "active", "serial", FAMILY, "weight", SORTED, "gallery", "changed.at", "changed.by"];
/// What tells that the categories are told whole, and the collection they stand in.
const SORTED: &str = "categories";
/// Where the family of a variant stands.
pub const FAMILY: &str = "family";

impl Variant {
    /// The path of the name in `locale`; none where `locale` is no plain word.
    #[must_use]
    pub fn text_path(locale: &str, field: &str) -> Option<Path> {
        texts::text_path(locale, field)
    }

    /// Locale and field of a text's path; none where no text stands there.
    #[must_use]
    pub fn text_of(path: &Path) -> Option<(&str, &str)> {
        texts::of(path)
    }

    /// The path of the attribute `code`; none where that is no plain word.
    #[must_use]
    pub fn attribute_path(code: &str) -> Option<Path> {
        let path = Path::try_from(alloc::format!("attributes.{code}")).ok()?;
        attribute_of(&path).is_some().then_some(path)
    }

    /// The path of the category `id`.
    #[must_use]
    pub fn category_path(id: &str) -> Path {
        Path::element(SORTED, id)
    }

    /// The category whose path it is.
    #[must_use]
    pub fn category_of(path: &Path) -> Option<String> {
        path.within(SORTED).filter(|(_, rest)| rest.is_empty()).map(|(id, _)| id)
    }

    /// The path that tells that the categories are told whole.
    #[must_use]
    pub fn sorted_path() -> Path {
        Path::field(SORTED)
    }

    pub(super) fn to_leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        let by = [("sku", &self.sku), ("form", &self.form), ("serial", &self.serial), (FAMILY, &self.family)];
        for (field, text) in by {
            if let Some(text) = text {
                leaves.put(Path::field(field), Value::Text(text.clone()));
            }
        }
        if let Some(active) = self.active {
            leaves.put(Path::field("active"), Value::Bool(active));
        }
        if let Some(weight) = self.weight {
            leaves.tell(Path::field("weight"), (!weight.is_zero()).then_some(Value::Number(weight)));
        }
        self.changed.put(&mut leaves);
        for (code, value) in &self.attributes {
            if let Some(path) = Self::attribute_path(code) {
                leaves.tell(path, value.clone());
            }
        }
        if let Some(categories) = &self.categories {
            leaves.put(Self::sorted_path(), Value::Bool(true));
            for id in categories {
                let category = Ref::remote(Kind::Category, RemoteId::new("", id.clone()));
                leaves.put(Self::category_path(id), Value::Ref(category));
            }
        }
        if let Some(images) = &self.images {
            image::tell(&mut leaves, images);
        }
        if let Some(composition) = &self.composition {
            composition.tell(&mut leaves);
        }
        texts::put(&mut leaves, &self.texts);
        leaves
    }

    /// The variant that `leaves` tell.
    ///
    /// # Errors
    /// [`Malformed`] with the path of a field that is unknown or of another type.
    pub fn from_leaves(leaves: &Leaves) -> Result<Self, Malformed> {
        let mut told = BTreeMap::new();
        let (mut attributes, mut categories) = (BTreeMap::new(), BTreeSet::new());
        for (path, value) in leaves.iter() {
            if FIELDS.contains(&path.as_str()) || Image::at(path).is_some() || Composition::has(path) {
                continue;
            }
            if let Some(code) = attribute_of(path) {
                if !matches!(value, None | Some(Value::Text(_) | Value::Number(_) | Value::Bool(_))) {
                    return Err(Malformed::Type { path: path.clone(), wanted: "text, number, or yes or no" });
                }
                attributes.insert(code.to_string(), value.cloned());
                continue;
            }
            if let Some(id) = Self::category_of(path) {
                categories.insert(id);
                continue;
            }
            texts::take(&mut told, path, value)?;
        }
        let fields = Fields::of(leaves);
        let weightless = leaves.get(&Path::field("weight")) == crate::leaf::Leaf::Empty;
        Ok(Self {
            sku: fields.text("sku")?,
            form: fields.text("form")?,
            active: fields.flag("active")?,
            serial: fields.text("serial")?,
            family: fields.text(FAMILY)?,
            weight: fields.number("weight")?.or(weightless.then_some(Decimal::ZERO)),
            attributes,
            categories: leaves.value(&Self::sorted_path()).map(|_| categories),
            images: image::told(leaves)?,
            composition: Composition::told(leaves)?,
            texts: told,
            changed: Changed::of(&fields)?,
        })
    }
}

/// The code of a path below `attributes`.
fn attribute_of(path: &Path) -> Option<&str> {
    let code = path.as_str().strip_prefix("attributes.")?;
    (!code.is_empty() && !code.contains(['.', '*', '['])).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("\\PC{0,6}")
    }

    fn image() -> impl Strategy<Value = Image> {
        let roles = proptest::collection::btree_set("[a-z_]{1,6}", 0..3);
        let position = (0u32..9).prop_map(Decimal::from);
        (proptest::option::of("[a-z]{0,4}"), proptest::option::of(position), proptest::option::of(roles), any::<bool>())
            .prop_map(|(label, position, roles, twice)| {
                let sort = image::Sort { media: "image/png".to_string(), bytes: 7 };
                Image { sort, label, position, roles, twice }
            })
    }

    proptest! {
        #[test]
        fn a_variant_comes_back_from_its_leaves(
            sku in text(), active in proptest::option::of(any::<bool>()),
            weight in proptest::option::of((0i64..1_000_000, 0u32..5).prop_map(|(m, s)| Decimal::new(m, s))),
            texts in proptest::collection::btree_map("[a-z]{2}(-[A-Z]{2})?", (text(), text()), 0..4),
            attributes in proptest::collection::btree_map("[a-z][a-z0-9_]{0,8}", proptest::option::of(prop_oneof![
                "\\PC{0,6}".prop_map(Value::Text),
                any::<bool>().prop_map(Value::Bool),
                (any::<i32>(), 0u32..5).prop_map(|(m, s)| Value::Number(Decimal::new(m.into(), s))),
            ]), 0..3),
            categories in proptest::option::of(proptest::collection::btree_set("\\PC{0,4}", 0..3)),
            images in proptest::option::of(proptest::collection::btree_map("[0-9a-f]{4}", image(), 0..3)),
            by in text(), family in text(),
        ) {
            let texts = texts
                .into_iter()
                .filter(|(_, (name, description))| name.is_some() || description.is_some())
                .map(|(locale, (name, description))| (locale, Texts { name, description }))
                .collect();
            let variant = Variant {
                sku, family, active, weight, attributes, categories, images, texts, changed: Changed { at: None, by },
                ..Variant::default()
            };
            prop_assert_eq!(Variant::from_leaves(&variant.to_leaves()).unwrap(), variant);
        }
    }

    #[test]
    fn nothing_told_is_not_the_same_as_told_that_there_is_nothing() {
        let texts = [("de".to_string(), Texts { name: Some("Becher".to_string()), description: Some(String::new()) })];
        let leaves = Variant { texts: texts.into(), ..Variant::default() }.to_leaves();
        assert_eq!(leaves.get(&Variant::text_path("de", "description").unwrap()), crate::leaf::Leaf::Empty);
        assert_eq!(leaves.get(&Path::field("weight")), crate::leaf::Leaf::Untold);
    }
}
