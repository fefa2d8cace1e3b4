//! A product family: the texts its variants share, what tells them apart, and which they are.

use super::fields::{Fields, Malformed};
use super::texts::{self, Changed, Texts};
use crate::kind::Kind;
use crate::leaf::{Leaves, Ref, Value};
use crate::path::Path;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

/// What several variants belong to. Every field is optional: `None` is not told; an empty text is told as nothing. Options
/// and variants are told whole: one that is not named is not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Product {
    /// What the system calls the family as a whole, e.g. its SKU.
    pub key: Option<String>,
    /// The system's word for its sort, e.g. `configurable`, `goods`.
    pub form: Option<String>,
    /// Whether it is offered at all.
    pub active: Option<bool>,
    /// The system's numeric id where its address is another key.
    pub serial: Option<String>,
    /// The attributes that tell its variants apart, by the name the file gives them.
    pub options: BTreeSet<String>,
    /// Its variants: the system's own key for each, and the variant behind it.
    pub variants: BTreeMap<String, Ref>,
    /// Texts by locale, as those of a variant.
    pub texts: BTreeMap<String, Texts>,
    /// When it was last changed there, and by whom, where the system tells.
    pub changed: Changed,
}

/// The paths whose values two systems can share; all others say what a system calls it.
pub const SHARED: [&str; 5] = ["active", "options[*]", "variants[*]", "texts.*.name", "texts.*.description"];
const FIELDS: [&str; 6] = ["key", "form", "active", "serial", "changed.at", "changed.by"];
const OPTIONS: &str = "options";
const VARIANTS: &str = "variants";

impl Product {
    /// The path of the option `code`.
    #[must_use]
    pub fn option_path(code: &str) -> Path {
        Path::element(OPTIONS, code)
    }

    /// The path of the variant that a system calls `key`.
    #[must_use]
    pub fn variant_path(key: &str) -> Path {
        Path::element(VARIANTS, key)
    }

    /// The key of the option at `path`; none for another field.
    #[must_use]
    pub fn option_of(path: &Path) -> Option<String> {
        element(path, OPTIONS)
    }

    /// The key of the variant at `path`; none for another field.
    #[must_use]
    pub fn variant_of(path: &Path) -> Option<String> {
        element(path, VARIANTS)
    }

    pub(super) fn to_leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        let by = [("key", &self.key), ("form", &self.form), ("serial", &self.serial)];
        for (field, text) in by {
            if let Some(text) = text {
                leaves.put(Path::field(field), Value::Text(text.clone()));
            }
        }
        if let Some(active) = self.active {
            leaves.put(Path::field("active"), Value::Bool(active));
        }
        self.changed.put(&mut leaves);
        for code in &self.options {
            leaves.put(Self::option_path(code), Value::Bool(true));
        }
        for (key, variant) in &self.variants {
            leaves.put(Self::variant_path(key), Value::Ref(variant.clone()));
        }
        texts::put(&mut leaves, &self.texts);
        leaves
    }

    /// The family that `leaves` tell.
    ///
    /// # Errors
    /// [`Malformed`] with the path of a field that is unknown or of another type.
    pub fn from_leaves(leaves: &Leaves) -> Result<Self, Malformed> {
        let mut family = Self::default();
        for (path, value) in leaves.iter().filter(|(path, _)| !FIELDS.contains(&path.as_str())) {
            let wrong = |wanted| Malformed::Type { path: path.clone(), wanted };
            match (Self::option_of(path), Self::variant_of(path), value) {
                (Some(_), _, None) | (_, Some(_), None) => {}
                (Some(code), _, Some(Value::Bool(true))) => drop(family.options.insert(code)),
                (Some(_), ..) => return Err(wrong("yes")),
                (_, Some(key), Some(Value::Ref(variant))) if variant.kind == Kind::Variant => {
                    family.variants.insert(key, variant.clone());
                }
                (_, Some(_), _) => return Err(wrong("a reference to a variant")),
                (None, None, value) => texts::take(&mut family.texts, path, value)?,
            }
        }
        let fields = Fields::of(leaves);
        Ok(Self {
            key: fields.text("key")?,
            form: fields.text("form")?,
            active: fields.flag("active")?,
            serial: fields.text("serial")?,
            changed: Changed::of(&fields)?,
            ..family
        })
    }
}

/// The key of the element of `collection` that `path` is.
fn element(path: &Path, collection: &str) -> Option<String> {
    path.within(collection).filter(|(_, rest)| rest.is_empty()).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RemoteId;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = Option<String>> {
        proptest::option::of("\\PC{0,6}")
    }

    proptest! {
        #[test]
        fn a_family_comes_back_from_its_leaves(
            key in text(), active in proptest::option::of(any::<bool>()),
            options in proptest::collection::btree_set("[a-z][a-z0-9_]{0,8}", 0..3),
            variants in proptest::collection::btree_set("\\PC{1,8}", 0..4),
            texts in proptest::collection::btree_map("[a-z]{2}(-[A-Z]{2})?", (text(), text()), 0..4),
            by in text(),
        ) {
            let texts = texts
                .into_iter()
                .filter(|(_, (name, description))| name.is_some() || description.is_some())
                .map(|(locale, (name, description))| (locale, Texts { name, description }))
                .collect();
            let variants = variants
                .into_iter()
                .map(|id| (id.clone(), Ref::remote(Kind::Variant, RemoteId::new("", id))))
                .collect();
            let changed = Changed { at: None, by };
            let family = Product { key, active, options, variants, texts, changed, ..Product::default() };
            prop_assert_eq!(Product::from_leaves(&family.to_leaves()).unwrap(), family);
        }
    }

    #[test]
    fn what_is_no_variant_and_no_option_is_refused() {
        let with = |path: Path, value: Value| {
            let mut leaves = Leaves::new();
            leaves.put(path, value);
            Product::from_leaves(&leaves)
        };
        let order = Ref::remote(Kind::Order, RemoteId::new("", "1"));
        assert!(matches!(with(Product::variant_path("1"), Value::Ref(order)), Err(Malformed::Type { .. })));
        assert!(matches!(with(Product::option_path("color"), Value::Bool(false)), Err(Malformed::Type { .. })));
        let below = Product::variant_path("1").dot("sku");
        assert!(matches!(with(below, Value::Bool(true)), Err(Malformed::Unknown(_))));
    }
}
