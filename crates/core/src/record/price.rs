//! What one system asks for one variant, list by list.

use super::fields::Malformed;
use crate::leaf::{Leaves, Ref, Value};
use crate::money::Money;
use crate::path::Path;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// The paths whose values two systems can share.
pub const SHARED: [&str; 2] = ["prices[*]", "prices[*].until"];

/// The prices of one variant in one system, each for one piece, without tax.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Price {
    /// What is sold at these prices.
    pub variant: Option<Ref>,
    /// The lists that are told whole: a row that is not there is told as nothing.
    pub lists: BTreeSet<String>,
    /// The rows by what they hold for.
    pub rows: BTreeMap<PriceKey, PriceRow>,
}

/// What a price holds for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PriceKey {
    /// The list, as the system calls it: its base price, a price list, the tiers of a group of customers.
    pub list: String,
    /// From how many pieces on.
    pub quantity: Decimal,
    /// From which day on; none for always.
    pub from: Option<Date>,
}

/// One price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRow {
    /// For one piece, without tax.
    pub amount: Money,
    /// Its last day; none for no end.
    pub until: Option<Date>,
}

impl PriceKey {
    /// The list's price for one piece, always.
    #[must_use]
    pub fn plain(list: &str) -> Self {
        Self { list: list.to_string(), quantity: Decimal::ONE, from: None }
    }

    /// The path of the price.
    #[must_use]
    pub fn path(&self) -> Path {
        Path::element("prices", &self.to_string())
    }

    /// The key in a path of a price or of its last day.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        path.within("prices").and_then(|(key, _)| key.parse().ok())
    }
}

impl fmt::Display for PriceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Quantity and day first: neither holds a bar, a list's name may.
        let from = self.from.map_or(String::new(), |day| day.to_string());
        write!(f, "{}|{from}|{}", self.quantity.normalize(), self.list)
    }
}

impl FromStr for PriceKey {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '|');
        let (Some(quantity), Some(from), Some(list)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(());
        };
        let from = if from.is_empty() { None } else { Some(from.parse().map_err(|_| ())?) };
        Ok(Self { list: list.to_string(), quantity: quantity.parse().map_err(|_| ())?, from })
    }
}

impl Price {
    /// The path that tells the list `name` whole.
    #[must_use]
    pub fn list_path(name: &str) -> Path {
        Path::element("lists", name)
    }

    pub(super) fn to_leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        if let Some(variant) = &self.variant {
            leaves.put(Path::field("variant"), Value::Ref(variant.clone()));
        }
        for list in &self.lists {
            leaves.put(Self::list_path(list), Value::Bool(true));
        }
        for (key, row) in &self.rows {
            let path = key.path();
            leaves.put(path.clone(), Value::Money(row.amount));
            if let Some(until) = row.until {
                leaves.put(path.dot("until"), Value::Day(until));
            }
        }
        leaves
    }

    /// The prices that `leaves` tell; a row told as nothing is none.
    ///
    /// # Errors
    /// [`Malformed`] with the path of a field that is unknown or of another type.
    pub fn from_leaves(leaves: &Leaves) -> Result<Self, Malformed> {
        let mut price = Self::default();
        for (path, value) in leaves.iter() {
            let wrong = |wanted| Malformed::Type { path: path.clone(), wanted };
            match (path.as_str(), path.within("lists"), value) {
                ("variant", _, Some(Value::Ref(variant))) => price.variant = Some(variant.clone()),
                ("variant", ..) => return Err(wrong("a reference")),
                (_, Some((list, "")), Some(Value::Bool(true))) => {
                    price.lists.insert(list);
                }
                _ => {
                    let key = PriceKey::of(path).ok_or_else(|| Malformed::Unknown(path.clone()))?;
                    row(&mut price.rows, key, path, value)?;
                }
            }
        }
        Ok(price)
    }
}

/// Puts one leaf of a row in its place. The amount comes before the last day in path order.
fn row(
    rows: &mut BTreeMap<PriceKey, PriceRow>,
    key: PriceKey,
    path: &Path,
    value: Option<&Value>,
) -> Result<(), Malformed> {
    let last_day = path.within("prices").is_some_and(|(_, field)| field == "until");
    match (last_day, value) {
        (_, None) => {}
        (false, Some(Value::Money(amount))) => {
            rows.insert(key, PriceRow { amount: *amount, until: None });
        }
        (true, Some(Value::Day(day))) => match rows.get_mut(&key) {
            Some(row) => row.until = Some(*day),
            None => return Err(Malformed::Unknown(path.clone())),
        },
        (false, Some(_)) => return Err(Malformed::Type { path: path.clone(), wanted: "an amount with its currency" }),
        (true, Some(_)) => return Err(Malformed::Type { path: path.clone(), wanted: "a day" }),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn prices_come_back_from_their_leaves(
            lists in proptest::collection::btree_set("\\PC{0,8}", 0..3),
            rows in proptest::collection::vec(("\\PC{0,8}", 0i64..100_000, 0u32..4, 0i64..10_000_000, 0i16..300, any::<bool>()), 0..5),
        ) {
            let day = |n: i16| jiff::civil::date(2026, 1, 1).checked_add(jiff::Span::new().days(n)).unwrap();
            let rows = rows.into_iter().map(|(list, quantity, scale, cents, n, dated)| {
                let amount = Money { amount: Decimal::new(cents, 4), currency: "EUR".parse().unwrap() };
                let from = dated.then(|| day(n));
                let until = dated.then(|| day(n + 9));
                (PriceKey { list, quantity: Decimal::new(quantity, scale), from }, PriceRow { amount, until })
            });
            let price = Price { variant: None, lists, rows: rows.collect() };
            prop_assert_eq!(Price::from_leaves(&price.to_leaves()).unwrap(), price);
        }
    }
}
