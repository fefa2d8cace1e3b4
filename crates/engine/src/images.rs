//! Images of two systems side by side: each is there or not, and one that a side tells all of its images without is not.

use crate::prices;
use syncline_core::leaf::{Leaf, Leaves};
use syncline_core::path::Path;
use syncline_core::record::Image;

/// The leaves of both sides with what each tells to be nothing: images of the other one.
pub(crate) fn side_by_side(one: &Leaves, other: &Leaves) -> (Leaves, Leaves) {
    (one.overlaid(&lacking(one, other)), other.overlaid(&lacking(other, one)))
}

/// What `leaves` show at `path`: an image that is not among those told whole is nothing, and neither is a price.
pub(crate) fn shown(leaves: &Leaves, path: &Path) -> Leaf {
    let whole = || leaves.get(&Image::gallery()) != Leaf::Untold;
    match leaves.get(path) {
        Leaf::Untold if Image::at(path).is_some() && whole() => Leaf::Empty,
        _ => prices::shown(leaves, path),
    }
}

/// Tells images of `agreed` that `seen` lacks to be nothing: what both have lost is agreed on, too.
pub(crate) fn with_lost(seen: &mut Leaves, agreed: &Leaves) {
    for (path, _) in agreed.iter().filter(|(path, _)| Image::at(path).is_some()) {
        seen.set(path.clone(), shown(seen, path));
    }
}

fn lacking(one: &Leaves, other: &Leaves) -> Leaves {
    let images = other.iter().map(|(path, _)| path).filter(|path| Image::at(path).is_some());
    let absent = images.filter(|path| one.get(path) == Leaf::Untold && shown(one, path) == Leaf::Empty);
    absent.map(|path| (path.clone(), None)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::leaf::Value;

    fn images(whole: bool, keys: &[&str]) -> Leaves {
        let marker = whole.then(|| (Image::gallery(), Some(Value::Bool(true))));
        let one = |key: &&str| (Image::path(key), Some(Value::Text("image/png, 9 bytes".to_string())));
        marker.into_iter().chain(keys.iter().map(one)).collect()
    }

    #[test]
    fn an_image_is_missing_only_where_all_are_told() {
        let (a, b) = side_by_side(&images(true, &["1f", "2f"]), &images(true, &["2f", "3f"]));
        assert_eq!((a.get(&Image::path("3f")), b.get(&Image::path("1f"))), (Leaf::Empty, Leaf::Empty));
        let (silent, _) = side_by_side(&images(false, &[]), &images(true, &["3f"]));
        assert_eq!(silent, Leaves::new());
        let mut seen = images(true, &[]);
        with_lost(&mut seen, &images(true, &["4f"]));
        assert_eq!(seen.get(&Image::path("4f")), Leaf::Empty);
    }
}
