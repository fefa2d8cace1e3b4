//! What one system has of one variant, place by place.

use super::fields::{Fields, Malformed};
use crate::leaf::{Leaves, Ref, Value};
use crate::path::Path;
use alloc::collections::BTreeMap;
use alloc::string::String;
use rust_decimal::Decimal;

/// The stock of one variant in one system. Quantities are in the variant's own unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock {
    /// What is stocked.
    pub variant: Option<Ref>,
    /// Whether the system counts it at all; nothing is planned where it does not.
    pub managed: Option<bool>,
    /// What a buyer can still buy in all, where the system tells it.
    pub salable: Option<Decimal>,
    /// What the system keeps back: its counted quantities less what is salable (open reservations, thresholds).
    pub reserved: Option<Decimal>,
    /// The figures by place: a warehouse's code in an ERP, a source's in a shop.
    pub levels: BTreeMap<String, Level>,
}

/// The figures of one place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Level {
    /// What is physically there.
    pub on_hand: Option<Decimal>,
    /// What may still be promised to somebody, where the system tells it.
    pub available: Option<Decimal>,
    /// Whether the place counts towards what buyers see.
    pub counted: Option<bool>,
}

const FIELDS: [&str; 4] = ["variant", "managed", "salable", "reserved"];
const LEVEL: [&str; 3] = ["on_hand", "available", "counted"];

impl Stock {
    /// The path of what is physically at `place`.
    #[must_use]
    pub fn on_hand_path(place: &str) -> Path {
        Path::element("levels", place).dot("on_hand")
    }

    /// The path of what may still be promised from `place`.
    #[must_use]
    pub fn available_path(place: &str) -> Path {
        Path::element("levels", place).dot("available")
    }

    pub(super) fn to_leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        if let Some(variant) = &self.variant {
            leaves.put(Path::field("variant"), Value::Ref(variant.clone()));
        }
        if let Some(managed) = self.managed {
            leaves.put(Path::field("managed"), Value::Bool(managed));
        }
        for (field, number) in [("salable", self.salable), ("reserved", self.reserved)] {
            if let Some(number) = number {
                leaves.put(Path::field(field), Value::Number(number));
            }
        }
        for (place, level) in &self.levels {
            let base = Path::element("levels", place);
            for (field, number) in [("on_hand", level.on_hand), ("available", level.available)] {
                if let Some(number) = number {
                    leaves.put(base.dot(field), Value::Number(number));
                }
            }
            if let Some(counted) = level.counted {
                leaves.put(base.dot("counted"), Value::Bool(counted));
            }
        }
        leaves
    }

    /// The stock that `leaves` tell.
    ///
    /// # Errors
    /// [`Malformed`] with the path of a field that is unknown or of another type.
    pub fn from_leaves(leaves: &Leaves) -> Result<Self, Malformed> {
        let known = |path: &Path| {
            FIELDS.contains(&path.as_str()) || path.within("levels").is_some_and(|(_, field)| LEVEL.contains(&field))
        };
        if let Some((path, _)) = leaves.iter().find(|(path, _)| !known(path)) {
            return Err(Malformed::Unknown(path.clone()));
        }
        let mut levels = BTreeMap::new();
        for place in leaves.keys_of("levels") {
            let below = Fields::below(leaves, Path::element("levels", &place));
            let level = Level {
                on_hand: below.number("on_hand")?,
                available: below.number("available")?,
                counted: below.flag("counted")?,
            };
            levels.insert(place, level);
        }
        let fields = Fields::of(leaves);
        Ok(Self {
            variant: fields.reference("variant")?,
            managed: fields.flag("managed")?,
            salable: fields.number("salable")?,
            reserved: fields.number("reserved")?,
            levels,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RemoteId;
    use crate::kind::Kind;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = Option<Decimal>> {
        proptest::option::of((-100_000i64..100_000, 0u32..5).prop_map(|(m, s)| Decimal::new(m, s)))
    }

    proptest! {
        #[test]
        fn a_stock_comes_back_from_its_leaves(
            salable in number(), reserved in number(), managed in proptest::option::of(any::<bool>()),
            levels in proptest::collection::btree_map("\\PC{1,8}", (number(), number()), 0..4)
        ) {
            let levels = levels.into_iter().map(|(place, (on_hand, available))| {
                (place, Level { on_hand: on_hand.or(Some(Decimal::ZERO)), available, counted: Some(true) })
            }).collect();
            let variant = Some(Ref::remote(Kind::Variant, RemoteId::new("", "MUG")));
            let stock = Stock { variant, managed, salable, reserved, levels };
            prop_assert_eq!(Stock::from_leaves(&stock.to_leaves()).unwrap(), stock);
        }
    }
}
