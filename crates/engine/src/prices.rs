//! Prices of two systems side by side: the ERP's lists under the names of the shop's, and rows one side lacks as nothing.

use std::collections::BTreeMap;
use syncline_core::leaf::{Leaf, Leaves};
use syncline_core::path::Path;
use syncline_core::record::{Price, PriceKey};

/// The prices both sides show, in the shop's names of the lists in `lists` (the shop's → the ERP's).
pub(crate) fn side_by_side(erp: &Leaves, shop: &Leaves, lists: &BTreeMap<String, String>) -> (Leaves, Leaves) {
    let ours = |list: &str| lists.iter().find(|(_, theirs)| *theirs == list).map(|(ours, _)| ours.clone());
    let theirs = |list: &str| lists.contains_key(list).then(|| list.to_string());
    let (mut a, mut b) = (renamed(erp, ours), renamed(shop, theirs));
    let (of_a, of_b) = (lacking(&a, &b), lacking(&b, &a));
    a = a.overlaid(&of_a);
    b = b.overlaid(&of_b);
    (a, b)
}

/// Prices and told lists of `leaves` whose list has a name; all else is left out.
fn renamed(leaves: &Leaves, name: impl Fn(&str) -> Option<String>) -> Leaves {
    let rename = |path: &Path| -> Option<Path> {
        if let Some((list, _)) = path.within("lists") {
            return Some(Price::list_path(&name(&list)?));
        }
        let key = PriceKey::of(path)?;
        let key = PriceKey { list: name(&key.list)?, ..key };
        let (_, field) = path.within("prices")?;
        Some(if field.is_empty() { key.path() } else { key.path().dot(field) })
    };
    leaves.iter().filter_map(|(path, value)| Some((rename(path)?, value.cloned()))).collect()
}

/// What `leaves` show at `path`: a price that is not in a list told whole is nothing.
pub(crate) fn shown(leaves: &Leaves, path: &Path) -> Leaf {
    let whole = |key: PriceKey| leaves.get(&Price::list_path(&key.list)) != Leaf::Untold;
    match leaves.get(path) {
        Leaf::Untold if PriceKey::of(path).is_some_and(whole) => Leaf::Empty,
        told => told,
    }
}

/// What `one` tells to be nothing: prices of the other one in lists that `one` tells whole.
fn lacking(one: &Leaves, other: &Leaves) -> Leaves {
    let absent = |path: &Path| one.get(path) == Leaf::Untold && shown(one, path) == Leaf::Empty;
    other.iter().map(|(path, _)| path).filter(|path| absent(path)).map(|path| (path.clone(), None)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::leaf::Value;

    fn prices(lists: &[&str], rows: &[(&str, i64)]) -> Leaves {
        let list = |list: &&str| (Price::list_path(list), Some(Value::Bool(true)));
        let row = |(list, n): &(&str, i64)| (PriceKey::plain(list).path(), Some(Value::Number((*n).into())));
        lists.iter().map(list).chain(rows.iter().map(row)).collect()
    }

    #[test]
    fn a_row_the_erp_lacks_is_nothing_only_where_it_tells_the_whole_list() {
        let lists = [("base", "list price"), ("Dealers", "dealer list")];
        let lists = lists.into_iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        let erp = prices(&["list price"], &[("list price", 10), ("secret list", 3)]);
        let shop = prices(&["base", "Dealers"], &[("base", 9), ("Dealers", 8), ("special", 7)]);
        let (a, b) = side_by_side(&erp, &shop, &lists);
        assert_eq!(a.value(&PriceKey::plain("base").path()), Some(&Value::Number(10.into())));
        assert_eq!(a.get(&PriceKey::plain("Dealers").path()), Leaf::Untold);
        assert_eq!(b.len(), 4);
        let told = prices(&["list price", "dealer list"], &[("list price", 10)]);
        let (a, _) = side_by_side(&told, &shop, &lists);
        assert_eq!(a.get(&PriceKey::plain("Dealers").path()), Leaf::Empty);
    }
}
