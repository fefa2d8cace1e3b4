//! A category: what products are sorted by, a place in a tree with its names per locale.

use super::fields::{Fields, Malformed};
use super::texts::{self, Changed, Texts};
use crate::leaf::{Leaves, Ref, Value};
use crate::path::Path;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};

/// A category. Every field is optional: `None` is not told; an empty text is told as nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Category {
    /// Where it stands.
    pub parent: Option<Parent>,
    /// Whether it is shown at all.
    pub active: Option<bool>,
    /// Texts by locale, as a variant has them.
    pub texts: BTreeMap<String, Texts>,
    /// When it was last changed there, and by whom, where the system tells.
    pub changed: Changed,
}

/// Where a category stands in its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parent {
    /// At the top.
    Top,
    /// Below that one.
    Below(Ref),
}

/// The paths whose values two systems can share.
pub const SHARED: [&str; 4] = ["parent", "active", "texts.*.name", "texts.*.description"];
const FIELDS: [&str; 4] = ["parent", "active", "changed.at", "changed.by"];
/// What stands for no parent: a value, so that the two places differ like any others.
const TOP: &str = "top";

impl Category {
    /// The path of the parent.
    #[must_use]
    pub fn parent_path() -> Path {
        Path::field("parent")
    }

    /// What it is called, in the first locale that calls it anything.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.texts.values().find_map(|texts| texts.name.as_deref().filter(|name| !name.is_empty()))
    }

    pub(super) fn to_leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        match &self.parent {
            Some(Parent::Top) => leaves.put(Self::parent_path(), Value::Code(TOP.to_string())),
            Some(Parent::Below(parent)) => leaves.put(Self::parent_path(), Value::Ref(parent.clone())),
            None => {}
        }
        if let Some(active) = self.active {
            leaves.put(Path::field("active"), Value::Bool(active));
        }
        self.changed.put(&mut leaves);
        texts::put(&mut leaves, &self.texts);
        leaves
    }

    /// The category that `leaves` tell.
    ///
    /// # Errors
    /// [`Malformed`] with the path of a field that is unknown or of another type.
    pub fn from_leaves(leaves: &Leaves) -> Result<Self, Malformed> {
        let mut told = BTreeMap::new();
        for (path, value) in leaves.iter().filter(|(path, _)| !FIELDS.contains(&path.as_str())) {
            texts::take(&mut told, path, value)?;
        }
        let fields = Fields::of(leaves);
        let parent = match leaves.value(&Self::parent_path()) {
            None => None,
            Some(Value::Code(code)) if code == TOP => Some(Parent::Top),
            Some(Value::Ref(parent)) => Some(Parent::Below(parent.clone())),
            Some(_) => return Err(Malformed::Type { path: Self::parent_path(), wanted: "a category or `top`" }),
        };
        Ok(Self { parent, active: fields.flag("active")?, texts: told, changed: Changed::of(&fields)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RemoteId;
    use crate::kind::Kind;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_category_comes_back_from_its_leaves(
            parent in proptest::option::of(proptest::option::of("[0-9]{1,3}")),
            active in proptest::option::of(any::<bool>()),
            names in proptest::collection::btree_map("[a-z]{2}(-[A-Z]{2})?", "\\PC{0,6}", 0..4),
            by in proptest::option::of("\\PC{0,6}"),
        ) {
            let below = |id: String| Parent::Below(Ref::remote(Kind::Category, RemoteId::new("", id)));
            let texts = names.into_iter().map(|(locale, name)| (locale, Texts { name: Some(name), description: None }));
            let category = Category {
                parent: parent.map(|id| id.map_or(Parent::Top, below)),
                active,
                texts: texts.collect(),
                changed: Changed { at: None, by },
            };
            prop_assert_eq!(Category::from_leaves(&category.to_leaves()).unwrap(), category);
        }
    }

    #[test]
    fn a_parent_that_is_none_is_refused() {
        let leaves: Leaves = core::iter::once((Category::parent_path(), Some(Value::Text("4".into())))).collect();
        assert!(Category::from_leaves(&leaves).is_err());
    }
}
