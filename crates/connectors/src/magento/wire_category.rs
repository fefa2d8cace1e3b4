//! The shapes of categories, and of the stores they belong to, and nothing else.

use super::wire::{Flag, Id, Text};
use serde::Deserialize;

/// A category, alone or as a node of a tree.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Category {
    pub(super) id: Id,
    pub(super) parent_id: Id,
    pub(super) name: Option<Text>,
    /// The one above all others tells none.
    pub(super) is_active: Option<Flag>,
    /// The ids from the top down to it; a tree tells none.
    pub(super) path: Option<Text>,
    #[serde(default)]
    pub(super) children_data: Option<Vec<Category>>,
}

impl Category {
    /// Shows `each` this one and all below it.
    pub(super) fn walk(&self, each: &mut dyn FnMut(&Self)) {
        let mut open = vec![self];
        while let Some(node) = open.pop() {
            each(node);
            open.extend(node.children_data.iter().flatten());
        }
    }

    /// Whether it stands below the category `root`.
    pub(super) fn is_below(&self, root: u64) -> bool {
        let path = self.path.as_ref().map(|path| path.0.as_str()).unwrap_or_default();
        let above = path.rsplit_once('/').map(|(above, _)| above).unwrap_or_default();
        above.split('/').any(|id| id == root.to_string())
    }
}
