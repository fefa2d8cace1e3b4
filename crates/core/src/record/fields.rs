//! Reading typed fields out of leaves: one error that names the path.

use crate::leaf::{Leaves, Ref, Value};
use crate::money::Money;
use crate::path::Path;
use alloc::string::String;
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

/// A field that cannot be read as what its path says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// There, but another sort of value.
    #[error("the field `{path}` should hold {wanted}")]
    Type {
        /// Where.
        path: Path,
        /// What was expected there.
        wanted: &'static str,
    },
    /// A path this version does not know.
    #[error("the field `{0}` is not known to this version: was the store written by a newer one?")]
    Unknown(Path),
}

/// The leaves of one record, or of one element of it.
pub(super) struct Fields<'a> {
    leaves: &'a Leaves,
    base: Option<Path>,
}

macro_rules! reader {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $type:ty, $wanted:literal) => {
        $(#[$doc])*
        pub(super) fn $name(&self, field: &'static str) -> Result<Option<$type>, Malformed> {
            let path = self.path(field);
            match self.leaves.value(&path) {
                None => Ok(None),
                Some(Value::$variant(value)) => Ok(Some(value.clone())),
                Some(_) => Err(Malformed::Type { path, wanted: $wanted }),
            }
        }
    };
}

impl<'a> Fields<'a> {
    pub(super) fn of(leaves: &'a Leaves) -> Self {
        Self { leaves, base: None }
    }

    pub(super) fn below(leaves: &'a Leaves, base: Path) -> Self {
        Self { leaves, base: Some(base) }
    }

    pub(super) fn path(&self, field: &'static str) -> Path {
        self.base.as_ref().map_or_else(|| Path::field(field), |base| base.dot(field))
    }

    reader!(text, Text, String, "text");
    reader!(code, Code, String, "a code");
    reader!(number, Number, Decimal, "a number");
    reader!(money, Money, Money, "an amount with its currency");
    reader!(day, Day, Date, "a day");
    reader!(instant, Instant, Timestamp, "a moment");
    reader!(reference, Ref, Ref, "a reference");
    reader!(flag, Bool, bool, "yes or no");
}
