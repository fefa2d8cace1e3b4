//! What a bundle or kit is made of: each part by the variant behind it, with how many of it go into one.

use super::fields::{Fields, Malformed};
use crate::kind::Kind;
use crate::leaf::{Leaves, Ref, Value};
use crate::path::Path;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use rust_decimal::Decimal;

/// The path of parts as `fields` names it.
pub const PARTS: &str = "parts[*]";
/// What tells whether the parts are told, and the collection they stand in.
const COMPOSITION: &str = "composition";
const NAME: &str = "parts";
const QUANTITY: &str = "quantity";
/// What [`COMPOSITION`] says where every part and its quantity stand fast.
const FIXED: &str = "fixed";

/// What a system tells of what something is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Composition {
    /// These parts, whoever buys it: all of them, by the key each has in its system.
    Fixed(BTreeMap<String, Part>),
    /// It has parts that cannot be said so: the reason, as a person reads it.
    Loose(String),
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What goes in.
    pub variant: Ref,
    /// How many of it go into one.
    pub quantity: Decimal,
}

impl Composition {
    /// The path that tells how something is made.
    #[must_use]
    pub fn told_at() -> Path {
        Path::field(COMPOSITION)
    }

    /// The path of the part `key`.
    #[must_use]
    pub fn part_path(key: &str) -> Path {
        Path::element(NAME, key)
    }

    /// The key of the part at `path`; none for another field.
    #[must_use]
    pub fn part_of(path: &Path) -> Option<String> {
        path.within(NAME).filter(|(_, rest)| rest.is_empty()).map(|(key, _)| key)
    }

    /// Whether `path` tells of what something is made of.
    #[must_use]
    pub fn has(path: &Path) -> bool {
        path.as_str() == COMPOSITION || path.within(NAME).is_some()
    }

    /// Whether `leaves` say that what it is made of stands fast.
    #[must_use]
    pub fn is_fixed(leaves: &Leaves) -> bool {
        matches!(leaves.value(&Self::told_at()), Some(Value::Text(word)) if word == FIXED)
    }

    /// What `leaves` tell of what something is made of; none where they do not tell.
    ///
    /// # Errors
    /// [`Malformed`] with the path of a part without a variant or a quantity.
    pub fn told(leaves: &Leaves) -> Result<Option<Self>, Malformed> {
        match Fields::of(leaves).text(COMPOSITION)? {
            None => return Ok(None),
            Some(word) if word == FIXED => {}
            Some(why) => return Ok(Some(Self::Loose(why))),
        }
        let mut parts = BTreeMap::new();
        for key in leaves.keys_of(NAME) {
            let path = Self::part_path(&key);
            let wrong = |path: Path, wanted| Malformed::Type { path, wanted };
            let variant = match leaves.value(&path) {
                Some(Value::Ref(variant)) if variant.kind == Kind::Variant => variant.clone(),
                _ => return Err(wrong(path, "a reference to a variant")),
            };
            let quantity = Fields::below(leaves, path.clone()).number(QUANTITY)?;
            let quantity = quantity.ok_or_else(|| wrong(path.dot(QUANTITY), "how many go into one"))?;
            parts.insert(key, Part { variant, quantity });
        }
        Ok(Some(Self::Fixed(parts)))
    }

    /// Adds what is told of what something is made of.
    pub(super) fn tell(&self, leaves: &mut Leaves) {
        let word = |text: &str| Value::Text(text.to_string());
        match self {
            Self::Loose(why) => leaves.put(Self::told_at(), word(why)),
            Self::Fixed(parts) => {
                leaves.put(Self::told_at(), word(FIXED));
                for (key, part) in parts {
                    let path = Self::part_path(key);
                    leaves.put(path.dot(QUANTITY), Value::Number(part.quantity));
                    leaves.put(path, Value::Ref(part.variant.clone()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RemoteId;
    use proptest::prelude::*;

    fn part(id: &str, quantity: u32) -> Part {
        Part { variant: Ref::remote(Kind::Variant, RemoteId::new("", id)), quantity: Decimal::from(quantity) }
    }

    proptest! {
        #[test]
        fn a_composition_comes_back_from_its_leaves(
            parts in proptest::collection::btree_map("\\PC{1,8}", 0u32..99, 0..4), why in proptest::option::of("\\PC{9,20}"),
        ) {
            let parts = parts.into_iter().map(|(key, quantity)| (key.clone(), part(&key, quantity))).collect();
            let told = why.map_or(Composition::Fixed(parts), Composition::Loose);
            let mut leaves = Leaves::new();
            told.tell(&mut leaves);
            prop_assert!(leaves.iter().all(|(path, _)| Composition::has(path)));
            prop_assert_eq!(Composition::told(&leaves).unwrap(), Some(told));
        }
    }

    #[test]
    fn a_part_without_a_variant_or_a_quantity_is_refused_and_nothing_told_is_nothing() {
        assert_eq!(Composition::told(&Leaves::new()), Ok(None));
        let mut leaves = Leaves::new();
        Composition::Fixed([("MUG".to_string(), part("MUG", 2))].into()).tell(&mut leaves);
        assert_eq!(Composition::part_of(&Composition::part_path("MUG")), Some("MUG".to_string()));
        for lost in ["parts[MUG]", "parts[MUG].quantity"] {
            let mut rest = leaves.clone();
            rest.retain(|path| path.as_str() != lost);
            assert!(matches!(Composition::told(&rest), Err(Malformed::Type { .. })), "{lost}");
        }
    }
}
