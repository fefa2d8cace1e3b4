//! Fields a person put back to what they were before a run: they stay so until the other system shows something new.

use super::shared::Sided;
use crate::leaf::{Leaf, Value};
use crate::merge::{Cause, Conflict, Merged, Owner, alike};
use crate::path::Path;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A write that a person took back. Where there is no value the field is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// What was written.
    pub wrote: Option<Value>,
    /// What was there before, and shall be there again.
    pub back: Option<Value>,
    /// What the other system showed when it was written; while it shows this, nothing of the field crosses.
    pub refused: Option<Value>,
}

/// Writes that were taken back, by their field.
pub type Undoings = BTreeMap<Path, Undone>;

/// Asks for what was undone on one side, `b` where `on_b`, and lets nothing else of those fields cross. Returns the
/// fields whose undo is over: the other side shows something new, both show the same, or the file's rules changed.
///
/// Wherever the side shows what was written, it is put back, however often: a proxy may send an old request again.
pub(super) fn put_back(
    merged: &mut Merged,
    (a, b): (&Sided<'_>, &Sided<'_>),
    (undone, on_b): (&Undoings, bool),
    owner: impl Fn(&Path) -> Owner,
) -> Vec<Path> {
    let (from, to, giver) = if on_b { (a, b, Owner::A) } else { (b, a, Owner::B) };
    let mut over = Vec::new();
    for (path, one) in undone {
        let (theirs, shown) = (from.seen.get(path), to.seen.get(path));
        let told = theirs != Leaf::Untold && shown != Leaf::Untold;
        let written = shown.says(&leaf(one.wrote.as_ref()));
        let moved_on = told && (!theirs.says(&leaf(one.refused.as_ref())) || (!written && alike(path, a, b)));
        if moved_on || ![giver, Owner::Merge].contains(&owner(path)) {
            over.push(path.clone());
            continue;
        }
        merged.to_a.set(path.clone(), Leaf::Untold);
        merged.to_b.set(path.clone(), Leaf::Untold);
        merged.refused.retain(|(refused, _)| refused != path);
        merged.conflicts.retain(|conflict| conflict.path != *path);
        if told && written {
            let out = if on_b { &mut merged.to_b } else { &mut merged.to_a };
            out.tell(path.clone(), one.back.clone());
        } else if told {
            let side = |side: &Sided<'_>| (side.base.get(path), side.seen.get(path));
            merged.conflicts.push(Conflict { path: path.clone(), cause: Cause::Undone, a: side(a), b: side(b) });
        }
    }
    over
}

fn leaf(value: Option<&Value>) -> Leaf {
    value.map_or(Leaf::Empty, |value| Leaf::Value(value.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf::Leaves;
    use crate::profile::Fit;
    use alloc::string::ToString;

    fn text(text: &str) -> Option<Value> {
        (!text.is_empty()).then(|| Value::Text(text.to_string()))
    }

    fn name(value: &str) -> Leaves {
        core::iter::once((Path::field("name"), text(value))).collect()
    }

    /// What is asked of the second side, whether a person is shown the field, and whether its undo is over, where the
    /// run wrote `new` over `old`.
    fn asked(theirs: &Leaves, shown: &Leaves, owner: Owner) -> (Leaves, bool, bool) {
        let fit: &dyn Fn(&Path, &Value) -> Fit = &|_, _| Fit::Exact;
        let base = name("new");
        let (a, b) = (
            Sided { seen: theirs, base: &base, fit, whole: false },
            Sided { seen: shown, base: &base, fit, whole: false },
        );
        let undone = Undone { wrote: text("new"), back: text("old"), refused: text("new") };
        let undone: Undoings = core::iter::once((Path::field("name"), undone)).collect();
        let mut merged = crate::merge::merge(&a, &b, |_| owner);
        let over = put_back(&mut merged, (&a, &b), (&undone, true), |_| owner);
        assert!(merged.to_a.is_empty() || !over.is_empty(), "nothing goes back to where it came from");
        (merged.to_b, !merged.conflicts.is_empty(), !over.is_empty())
    }

    #[test]
    fn what_was_written_is_put_back_and_stays_until_its_source_shows_something_new() {
        for owner in [Owner::A, Owner::Merge] {
            assert_eq!(asked(&name("new"), &name("new"), owner), (name("old"), false, false));
            assert_eq!(asked(&name("new"), &name("old"), owner), (Leaves::new(), true, false), "a person is shown it");
            assert_eq!(asked(&name("new"), &name("mine"), owner), (Leaves::new(), true, false), "an edit survives");
            let (to_b, _, over) = asked(&name("newer"), &name("new"), owner);
            assert_eq!((to_b, over), (name("newer"), true), "what is new flows");
            assert_eq!(asked(&Leaves::new(), &name("new"), owner), (Leaves::new(), false, false), "untold is no news");
        }
    }

    #[test]
    fn an_undo_is_over_where_the_side_has_become_the_fields_master_or_both_show_the_same() {
        assert!(asked(&name("new"), &name("new"), Owner::B).2);
        assert!(asked(&name("new"), &name("new"), Owner::Keep).2);
        let undone = Undone { wrote: text("old"), back: text("new"), refused: text("new") };
        let undone: Undoings = core::iter::once((Path::field("name"), undone)).collect();
        let fit: &dyn Fn(&Path, &Value) -> Fit = &|_, _| Fit::Exact;
        let seen = name("new");
        let side = Sided { seen: &seen, base: &seen, fit, whole: false };
        let over = put_back(&mut Merged::default(), (&side, &side), (&undone, true), |_| Owner::A);
        assert_eq!(over.len(), 1, "an undo that was undone");
    }

    /// What is left of `merged` where the run wrote `new` over `old` on one side, the second where `on_b`.
    fn left(mut merged: Merged, (a, b): (&Leaves, &Leaves), on_b: bool) -> (Merged, usize) {
        let fit: &dyn Fn(&Path, &Value) -> Fit = &|_, _| Fit::Exact;
        let base = name("new");
        let side = |seen| Sided { seen, base: &base, fit, whole: false };
        let undone = Undone { wrote: text("new"), back: text("old"), refused: text("new") };
        let undone: Undoings = core::iter::once((Path::field("name"), undone)).collect();
        let owner = if on_b { Owner::A } else { Owner::B };
        let over = put_back(&mut merged, (&side(a), &side(b)), (&undone, on_b), |_| owner);
        (merged, over.len())
    }

    #[test]
    fn what_was_written_is_put_back_on_the_side_it_was_written_to() {
        let new = name("new");
        let put = |on_b| left(Merged::default(), (&new, &new), on_b);
        assert_eq!(put(true), (Merged { to_b: name("old"), ..Merged::default() }, 0));
        assert_eq!(put(false), (Merged { to_a: name("old"), ..Merged::default() }, 0));
        let edited = left(Merged::default(), (&name("mine"), &new), false).0;
        assert!(edited.to_a.is_empty() && edited.conflicts.iter().all(|one| one.cause == Cause::Undone), "{edited:?}");
        assert_eq!((edited.conflicts.len(), left(Merged::default(), (&name("mine"), &name("newer")), false).1), (1, 1));
    }

    #[test]
    fn nothing_else_of_an_undone_field_crosses_and_other_fields_go_their_way() {
        let (new, other) = (name("new"), Path::field("size"));
        let conflict = |path: Path| Conflict {
            path,
            cause: Cause::Clash,
            a: (Leaf::Untold, Leaf::Untold),
            b: (Leaf::Untold, Leaf::Untold),
        };
        let both = |text: &str| -> Leaves {
            [Path::field("name"), other.clone()]
                .map(|path| (path, Some(Value::Text(text.to_string()))))
                .into_iter()
                .collect()
        };
        let merged = Merged {
            to_a: both("a"),
            to_b: both("b"),
            conflicts: [conflict(Path::field("name")), conflict(other.clone())].to_vec(),
            refused: [(Path::field("name"), "no".to_string()), (other.clone(), "no".to_string())].to_vec(),
        };
        let of_other =
            |text: &str| -> Leaves { core::iter::once((other.clone(), Some(Value::Text(text.to_string())))).collect() };
        let (after, over) = left(merged.clone(), (&new, &new), true);
        assert_eq!((after.to_a, after.to_b), (of_other("a"), of_other("b").overlaid(&name("old"))));
        assert_eq!(
            (after.conflicts, after.refused, over),
            ([conflict(other.clone())].to_vec(), [(other.clone(), "no".to_string())].to_vec(), 0)
        );
        let (silent, over) = left(merged, (&new, &Leaves::new()), true);
        assert_eq!((silent.to_b, silent.conflicts.len(), over), (of_other("b"), 1, 0), "a side that does not tell it");
    }
}
