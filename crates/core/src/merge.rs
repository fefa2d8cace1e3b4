//! Three-way merge of two systems' fields, each with its own base.

use crate::leaf::{Leaf, Leaves, Value};
use crate::path::Path;
use crate::profile::Fit;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

/// Who decides a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The first side; the second follows.
    A,
    /// The second side; the first follows.
    B,
    /// Nobody: each keeps its own.
    Keep,
    /// Whoever changed it; both changed = conflict.
    Merge,
}

/// One system's view of a record.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a, F> {
    /// What it shows now.
    pub seen: &'a Leaves,
    /// What it showed when both last agreed.
    pub base: &'a Leaves,
    /// How it would keep a value; idempotent.
    pub fit: F,
    /// Whether it tells its fields as whole lists, so that what is missing there is said as clearly as what stands there.
    pub whole: bool,
}

/// Why a person has to decide a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The sides never agreed on it: nobody can say who changed what.
    First,
    /// Both sides changed it, each its own way.
    Clash,
    /// A person put it back to what it was before a run.
    Undone,
    /// What both had agreed on was taken out of a list on the side that follows.
    Withdrawn,
}

/// A field a person has to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The field.
    pub path: Path,
    /// Why.
    pub cause: Cause,
    /// Base and value of the first side.
    pub a: (Leaf, Leaf),
    /// Base and value of the second side.
    pub b: (Leaf, Leaf),
}

/// What a merge asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// Fields to write to the first side, as that side keeps them.
    pub to_a: Leaves,
    /// Fields to write to the second side, as that side keeps them.
    pub to_b: Leaves,
    /// Fields for a person.
    pub conflicts: Vec<Conflict>,
    /// Fields a side would not keep at all, with its reason.
    pub refused: Vec<(Path, String)>,
}

/// The writes and conflicts that bring both sides to agreement under `owner`.
///
/// A side changed iff it tells something other than its base. A field a side does not tell is never written to it.
/// Where both have a value and never agreed on the field, nobody knows which one is right: an owner's value fills
/// what is empty, and all else is left to a person. An owner that has nothing says nothing, unless it had something, or
/// tells whole lists.
pub fn merge<F, G>(a: &Side<'_, F>, b: &Side<'_, G>, owner: impl Fn(&Path) -> Owner) -> Merged
where
    F: Fn(&Path, &Value) -> Fit,
    G: Fn(&Path, &Value) -> Fit,
{
    let paths: BTreeSet<&Path> = a.seen.iter().chain(b.seen.iter()).map(|(path, _)| path).collect();
    let mut merged = Merged::default();
    for path in paths {
        let (va, vb) = (a.seen.get(path), b.seen.get(path));
        let changed_a = va != Leaf::Untold && !va.says(&a.base.get(path));
        let changed_b = vb != Leaf::Untold && !vb.says(&b.base.get(path));
        let owner = owner(path);
        let conflict = |cause| Conflict {
            path: path.clone(),
            cause,
            a: (a.base.get(path), va.clone()),
            b: (b.base.get(path), vb.clone()),
        };
        if a.base.get(path) == Leaf::Untold || b.base.get(path) == Leaf::Untold {
            let told = va != Leaf::Untold && vb != Leaf::Untold;
            match (owner, &va, &vb) {
                (Owner::Keep, ..) => {}
                (Owner::A, Leaf::Empty, _) if !a.whole => {}
                (Owner::B, _, Leaf::Empty) if !b.whole => {}
                _ if !told || alike(path, a, b) => {}
                (Owner::A | Owner::Merge, _, Leaf::Empty) => {
                    follow(path, &va, &vb, &b.fit, &mut merged.to_b, &mut merged.refused);
                }
                (Owner::B | Owner::Merge, Leaf::Empty, _) => {
                    follow(path, &vb, &va, &a.fit, &mut merged.to_a, &mut merged.refused);
                }
                _ => merged.conflicts.push(conflict(Cause::First)),
            }
            continue;
        }
        match owner {
            Owner::Keep => {}
            Owner::A if va == Leaf::Empty && !changed_a && !a.whole => {}
            Owner::B if vb == Leaf::Empty && !changed_b && !b.whole => {}
            Owner::A if changed_a || changed_b => follow(path, &va, &vb, &b.fit, &mut merged.to_b, &mut merged.refused),
            Owner::B if changed_a || changed_b => follow(path, &vb, &va, &a.fit, &mut merged.to_a, &mut merged.refused),
            Owner::Merge if changed_a && changed_b => {
                if !alike(path, a, b) {
                    merged.conflicts.push(conflict(Cause::Clash));
                }
            }
            Owner::Merge if changed_a => follow(path, &va, &vb, &b.fit, &mut merged.to_b, &mut merged.refused),
            Owner::Merge if changed_b => follow(path, &vb, &va, &a.fit, &mut merged.to_a, &mut merged.refused),
            Owner::A | Owner::B | Owner::Merge => {}
        }
    }
    merged
}

/// The bases of both sides after `merged`: what both show alike is agreed from here on; a field that each keeps for
/// itself has no base, so that a person is asked should one of them ever follow the other.
pub fn agreed<F, G>(
    a: &Side<'_, F>,
    b: &Side<'_, G>,
    merged: &Merged,
    owner: impl Fn(&Path) -> Owner,
) -> (Leaves, Leaves)
where
    F: Fn(&Path, &Value) -> Fit,
    G: Fn(&Path, &Value) -> Fit,
{
    let (mut of_a, mut of_b) = (a.base.clone(), b.base.clone());
    of_a.retain(|path| owner(path) != Owner::Keep);
    of_b.retain(|path| owner(path) != Owner::Keep);
    for (path, _) in a.seen.iter() {
        let asked = merged.to_a.get(path) != Leaf::Untold || merged.to_b.get(path) != Leaf::Untold;
        let told = b.seen.get(path) != Leaf::Untold;
        let silent = match owner(path) {
            Owner::A => says_nothing(path, a),
            Owner::B => says_nothing(path, b),
            Owner::Keep | Owner::Merge => false,
        };
        if asked || !told || owner(path) == Owner::Keep || !(silent || alike(path, a, b)) {
            continue;
        }
        of_a.set(path.clone(), a.seen.get(path));
        of_b.set(path.clone(), b.seen.get(path));
    }
    (of_a, of_b)
}

/// Whether a side has nothing, and had nothing, which says nothing.
fn says_nothing<F>(path: &Path, side: &Side<'_, F>) -> bool {
    !side.whole && side.seen.get(path) == Leaf::Empty && !matches!(side.base.get(path), Leaf::Value(_))
}

/// Whether what one side shows is what the other shows, as either keeps it.
pub(crate) fn alike<F, G>(path: &Path, a: &Side<'_, F>, b: &Side<'_, G>) -> bool
where
    F: Fn(&Path, &Value) -> Fit,
    G: Fn(&Path, &Value) -> Fit,
{
    let (va, vb) = (a.seen.get(path), b.seen.get(path));
    kept(path, &va, &b.fit).says(&vb) || kept(path, &vb, &a.fit).says(&va)
}

/// `leaf` as the side of `fit` would keep it; untold where it would not keep it at all.
fn kept(path: &Path, leaf: &Leaf, fit: &impl Fn(&Path, &Value) -> Fit) -> Leaf {
    match leaf {
        Leaf::Value(value) => match fit(path, value) {
            Fit::Exact => leaf.clone(),
            Fit::As(other, _) => Leaf::Value(other),
            Fit::Refused(_) => Leaf::Untold,
        },
        other => other.clone(),
    }
}

fn follow(
    path: &Path,
    from: &Leaf,
    shown: &Leaf,
    fit: &impl Fn(&Path, &Value) -> Fit,
    out: &mut Leaves,
    refused: &mut Vec<(Path, String)>,
) {
    if *shown == Leaf::Untold {
        return;
    }
    if let Leaf::Value(value) = from
        && let Fit::Refused(why) = fit(path, value)
    {
        refused.push((path.clone(), why));
        return;
    }
    let wish = kept(path, from, fit);
    if wish != Leaf::Untold && !wish.says(shown) {
        out.set(path.clone(), wish);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn exact(_: &Path, _: &Value) -> Fit {
        Fit::Exact
    }

    /// Keeps three characters: idempotent.
    fn short(_: &Path, value: &Value) -> Fit {
        match value {
            Value::Text(text) if text.chars().count() > 3 => {
                Fit::As(Value::Text(text.chars().take(3).collect()), "cut".to_string())
            }
            _ => Fit::Exact,
        }
    }

    fn leaves() -> impl Strategy<Value = Leaves> {
        proptest::collection::btree_map("[xyz]", proptest::option::of("[ab]{0,5}"), 0..4)
            .prop_map(|map| map.into_iter().map(|(k, v)| (Path::try_from(k).unwrap(), v.map(Value::Text))).collect())
    }

    fn owners() -> impl Strategy<Value = Owner> {
        prop_oneof![Just(Owner::A), Just(Owner::B), Just(Owner::Keep), Just(Owner::Merge)]
    }

    proptest! {
        #[test]
        fn after_writing_what_was_asked_nothing_more_is_asked(
            sa in leaves(), ba in leaves(), sb in leaves(), bb in leaves(), owner in owners()
        ) {
            let first = merge(&Side { seen: &sa, base: &ba, fit: exact, whole: false }, &Side { seen: &sb, base: &bb, fit: short, whole: false }, |_| owner);
            let (na, nb) = (sa.overlaid(&first.to_a), sb.overlaid(&first.to_b));
            if first.conflicts.is_empty() {
                let again = merge(&Side { seen: &na, base: &na, fit: exact, whole: false }, &Side { seen: &nb, base: &nb, fit: short, whole: false }, |_| owner);
                prop_assert_eq!(again, Merged::default());
            }
        }

        #[test]
        fn both_orders_of_the_sides_ask_the_same(sa in leaves(), ba in leaves(), sb in leaves(), bb in leaves()) {
            let there = merge(&Side { seen: &sa, base: &ba, fit: exact, whole: false }, &Side { seen: &sb, base: &bb, fit: exact, whole: false }, |_| Owner::Merge);
            let back = merge(&Side { seen: &sb, base: &bb, fit: exact, whole: false }, &Side { seen: &sa, base: &ba, fit: exact, whole: false }, |_| Owner::Merge);
            prop_assert_eq!(there.to_a, back.to_b);
            prop_assert_eq!(there.to_b, back.to_a);
            prop_assert_eq!(there.conflicts.len(), back.conflicts.len());
        }

        #[test]
        fn an_owner_is_never_written_to(sa in leaves(), ba in leaves(), sb in leaves(), bb in leaves()) {
            let merged = merge(&Side { seen: &sa, base: &ba, fit: exact, whole: false }, &Side { seen: &sb, base: &bb, fit: exact, whole: false }, |_| Owner::A);
            prop_assert!(merged.to_a.is_empty() && merged.conflicts.iter().all(|conflict| conflict.cause == Cause::First));
        }

        #[test]
        fn what_a_side_does_not_tell_is_no_change(sa in leaves(), sb in leaves()) {
            let untold = Leaves::new();
            let merged = merge(&Side { seen: &untold, base: &sa, fit: exact, whole: false }, &Side { seen: &sb, base: &sb, fit: exact, whole: false }, |_| Owner::Merge);
            prop_assert_eq!(merged, Merged::default());
        }
    }

    #[test]
    fn what_was_never_agreed_is_filled_where_it_is_empty_and_asked_where_it_differs() {
        let of = |text: Option<&str>| -> Leaves {
            core::iter::once((Path::field("name"), text.map(|text| Value::Text(text.to_string())))).collect()
        };
        let nothing = Leaves::new();
        let both = |a: Option<&str>, b: Option<&str>, owner: Owner| {
            let (a, b) = (of(a), of(b));
            let sides = (
                Side { seen: &a, base: &nothing, fit: exact, whole: false },
                Side { seen: &b, base: &nothing, fit: exact, whole: false },
            );
            let merged = merge(&sides.0, &sides.1, |_| owner);
            let bases = agreed(&sides.0, &sides.1, &merged, |_| owner);
            (merged, bases.0.len())
        };
        let (filled, _) = both(Some("Mug"), None, Owner::A);
        assert_eq!(filled.to_b, of(Some("Mug")));
        let (asked, bases) = both(Some("Mug"), Some("Becher"), Owner::A);
        assert!(asked.to_b.is_empty() && asked.conflicts.iter().all(|one| one.cause == Cause::First) && bases == 0);
        assert_eq!(asked.conflicts.len(), 1);
        assert_eq!(both(Some("Mug"), Some("Mug"), Owner::Merge).1, 1);
        assert_eq!(both(Some("Mug"), Some("Mug"), Owner::Keep).1, 0);
        let (silent, bases) = both(None, Some("Mug"), Owner::A);
        assert!(silent.to_b.is_empty() && silent.conflicts.is_empty() && bases == 1);
    }

    #[test]
    fn an_owner_that_has_nothing_erases_nothing_unless_it_had_something() {
        let of = |text: Option<&str>| -> Leaves {
            core::iter::once((Path::field("name"), text.map(|text| Value::Text(text.to_string())))).collect()
        };
        let asked = |a: Option<&str>, base_a: Option<&str>| {
            let (a, b, base_a, base_b) = (of(a), of(Some("Cup")), of(base_a), of(Some("Mug")));
            let a = Side { seen: &a, base: &base_a, fit: exact, whole: false };
            merge(&a, &Side { seen: &b, base: &base_b, fit: exact, whole: false }, |_| Owner::A).to_b
        };
        assert_eq!(asked(None, None), Leaves::new());
        assert_eq!(asked(None, Some("Mug")), of(None));
        assert_eq!(asked(Some("Pot"), None), of(Some("Pot")));
    }

    #[test]
    fn an_owner_of_whole_lists_takes_out_what_it_does_not_have_and_asks_first_where_both_never_agreed() {
        let row = Path::field("row");
        let of = |leaf: Option<&str>| -> Leaves {
            core::iter::once((row.clone(), leaf.map(|text| Value::Text(text.to_string())))).collect()
        };
        let (none, mug, nothing) = (of(None), of(Some("Mug")), Leaves::new());
        let asked = |base: &Leaves| {
            let a = Side { seen: &none, base, fit: exact, whole: true };
            let b = Side { seen: &mug, base, fit: exact, whole: true };
            let merged = merge(&a, &b, |_| Owner::A);
            let agreed = agreed(&a, &b, &merged, |_| Owner::A);
            (merged, agreed)
        };
        assert_eq!(asked(&none).0.to_b, none);
        let (first, (_, agreed)) = asked(&nothing);
        assert_eq!((first.to_b.len(), first.conflicts.len(), agreed.len()), (0, 1, 0));
    }

    #[test]
    fn different_fields_merge_and_one_field_conflicts() {
        let text = |pairs: &[(&'static str, &str)]| -> Leaves {
            pairs.iter().map(|(k, v)| (Path::field(k), Some(Value::Text(String::from(*v))))).collect()
        };
        let base = text(&[("name", "n"), ("city", "c")]);
        let (a, b) = (text(&[("name", "N"), ("city", "c")]), text(&[("name", "n"), ("city", "C")]));
        let merged = merge(
            &Side { seen: &a, base: &base, fit: exact, whole: false },
            &Side { seen: &b, base: &base, fit: exact, whole: false },
            |_| Owner::Merge,
        );
        assert!(merged.conflicts.is_empty());
        assert_eq!(merged.to_b, text(&[("name", "N")]));
        assert_eq!(merged.to_a, text(&[("city", "C")]));
        let clash = text(&[("name", "M"), ("city", "c")]);
        let merged = merge(
            &Side { seen: &a, base: &base, fit: exact, whole: false },
            &Side { seen: &clash, base: &base, fit: exact, whole: false },
            |_| Owner::Merge,
        );
        assert_eq!(merged.conflicts.len(), 1);
    }

    /// What two sides show of one field and showed when they last agreed: `~` is untold, nothing is empty.
    type Row = (Owner, [&'static str; 2], [&'static str; 2], &'static str, [&'static str; 2]);

    /// What is asked for of one field whose sides show `a` and `b`, each with its base before, and the bases after it.
    fn one((owner, a, b, ..): &Row, whole: bool, mirrored: bool) -> (String, [String; 2]) {
        let name = Path::field("name");
        let told = |text: &str| -> Leaves {
            let leaf = (text != "~").then(|| (!text.is_empty()).then(|| Value::Text(text.to_string())));
            leaf.into_iter().map(|leaf| (name.clone(), leaf)).collect()
        };
        let shown = |leaves: &Leaves| match leaves.get(&name) {
            Leaf::Untold => "~".to_string(),
            Leaf::Empty => String::new(),
            Leaf::Value(value) => value.to_string(),
        };
        let [base_a, seen_a, base_b, seen_b] = [a[0], a[1], b[0], b[1]].map(told);
        let a = Side { seen: &seen_a, base: &base_a, fit: exact, whole };
        let b = Side { seen: &seen_b, base: &base_b, fit: exact, whole };
        let owner = |_: &Path| match owner {
            Owner::A if mirrored => Owner::B,
            Owner::B if mirrored => Owner::A,
            owner => *owner,
        };
        let (merged, bases) = if mirrored {
            let merged = merge(&b, &a, owner);
            let (of_b, of_a) = agreed(&b, &a, &merged, owner);
            let Merged { to_a, to_b, conflicts, refused } = merged;
            (Merged { to_a: to_b, to_b: to_a, conflicts, refused }, (of_a, of_b))
        } else {
            let merged = merge(&a, &b, owner);
            let bases = agreed(&a, &b, &merged, owner);
            (merged, bases)
        };
        let wish =
            |side: &str, leaves: &Leaves| (!leaves.is_empty()).then(|| alloc::format!("{side}={}", shown(leaves)));
        let asked = merged.conflicts.iter().map(|one| alloc::format!("{:?}", one.cause));
        let asked: Vec<String> =
            wish("a", &merged.to_a).into_iter().chain(wish("b", &merged.to_b)).chain(asked).collect();
        (asked.join(", "), [shown(&bases.0), shown(&bases.1)])
    }

    const NEVER_AGREED: [Row; 17] = [
        (Owner::A, ["~", "x"], ["~", ""], "b=x", ["~", "~"]),
        (Owner::A, ["~", "x"], ["~", "y"], "First", ["~", "~"]),
        (Owner::A, ["~", "x"], ["~", "x"], "", ["x", "x"]),
        (Owner::A, ["~", "x"], ["~", "~"], "", ["~", "~"]),
        (Owner::A, ["~", "~"], ["~", "y"], "", ["~", "~"]),
        (Owner::A, ["x", "x"], ["~", ""], "b=x", ["x", "~"]),
        (Owner::A, ["x", "x"], ["~", "y"], "First", ["x", "~"]),
        (Owner::A, ["~", "x"], ["y", "y"], "First", ["~", "y"]),
        (Owner::Merge, ["~", "x"], ["~", ""], "b=x", ["~", "~"]),
        (Owner::Merge, ["~", ""], ["~", "y"], "a=y", ["~", "~"]),
        (Owner::Merge, ["~", "x"], ["~", "y"], "First", ["~", "~"]),
        (Owner::Merge, ["~", ""], ["~", ""], "", ["", ""]),
        (Owner::Merge, ["~", "x"], ["~", "~"], "", ["~", "~"]),
        (Owner::Keep, ["~", "x"], ["~", ""], "", ["~", "~"]),
        (Owner::Keep, ["~", "x"], ["~", "y"], "", ["~", "~"]),
        (Owner::Keep, ["~", "x"], ["~", "x"], "", ["~", "~"]),
        (Owner::Keep, ["x", "x"], ["~", "y"], "", ["~", "~"]),
    ];

    const AGREED_ONCE: [Row; 22] = [
        (Owner::A, ["x", "x"], ["x", "x"], "", ["x", "x"]),
        (Owner::A, ["x", "z"], ["x", "x"], "b=z", ["x", "x"]),
        (Owner::A, ["x", "x"], ["x", "y"], "b=x", ["x", "x"]),
        (Owner::A, ["x", "z"], ["x", "y"], "b=z", ["x", "x"]),
        (Owner::A, ["x", "z"], ["x", "z"], "", ["z", "z"]),
        (Owner::A, ["x", ""], ["x", "x"], "b=", ["x", "x"]),
        (Owner::A, ["x", ""], ["x", ""], "", ["", ""]),
        (Owner::A, ["x", "z"], ["x", ""], "b=z", ["x", "x"]),
        (Owner::A, ["", "z"], ["", ""], "b=z", ["", ""]),
        (Owner::A, ["x", "z"], ["x", "~"], "", ["x", "x"]),
        (Owner::A, ["x", "~"], ["x", "y"], "", ["x", "x"]),
        // Each side in its own words: nothing changed, whatever they say.
        (Owner::A, ["x", "x"], ["y", "y"], "", ["x", "y"]),
        (Owner::Merge, ["x", "x"], ["y", "y"], "", ["x", "y"]),
        (Owner::Merge, ["x", "z"], ["x", "x"], "b=z", ["x", "x"]),
        (Owner::Merge, ["x", "z"], ["x", "y"], "Clash", ["x", "x"]),
        (Owner::Merge, ["x", "z"], ["x", "z"], "", ["z", "z"]),
        (Owner::Merge, ["x", ""], ["x", "x"], "b=", ["x", "x"]),
        (Owner::Merge, ["x", ""], ["x", "y"], "Clash", ["x", "x"]),
        (Owner::Merge, ["x", "z"], ["x", "~"], "", ["x", "x"]),
        (Owner::Merge, ["x", "~"], ["x", "y"], "", ["x", "x"]),
        (Owner::Keep, ["x", "z"], ["x", "y"], "", ["~", "~"]),
        (Owner::Keep, ["x", "z"], ["x", "x"], "", ["~", "~"]),
    ];

    #[test]
    fn a_field_goes_where_its_owner_says_and_both_sides_are_alike_in_that() {
        for row in NEVER_AGREED.iter().chain(&AGREED_ONCE) {
            for (whole, mirrored) in [(false, false), (false, true), (true, false), (true, true)] {
                // Said of the second side where the sides change places.
                let (asked, bases) = one(row, whole, mirrored);
                assert_eq!(
                    (asked.as_str(), bases),
                    (row.3, row.4.map(ToString::to_string)),
                    "{row:?} {whole} {mirrored}"
                );
            }
        }
    }

    #[test]
    fn an_owner_that_has_and_had_nothing_is_silent_unless_it_tells_whole_lists() {
        // What is asked for, and the bases after it: first by a side that tells field by field, then by one of whole lists.
        let rows: [(Row, &str, [&str; 2]); 5] = [
            ((Owner::A, ["~", ""], ["~", "y"], "", ["", "y"]), "First", ["~", "~"]),
            ((Owner::A, ["", ""], ["", "y"], "", ["", "y"]), "b=", ["", ""]),
            ((Owner::A, ["", ""], ["y", "y"], "", ["", "y"]), "", ["", "y"]),
            ((Owner::A, ["", ""], ["~", "y"], "", ["", "y"]), "First", ["", "~"]),
            ((Owner::A, ["", ""], ["x", ""], "", ["", ""]), "", ["", ""]),
        ];
        for (row, asked_whole, bases_whole) in rows {
            for mirrored in [false, true] {
                let (asked, bases) = one(&row, false, mirrored);
                assert_eq!((asked.as_str(), bases), (row.3, row.4.map(ToString::to_string)), "{row:?}");
                let (asked, bases) = one(&row, true, mirrored);
                assert_eq!(
                    (asked.as_str(), bases),
                    (asked_whole, bases_whole.map(ToString::to_string)),
                    "{row:?} whole"
                );
            }
        }
    }

    #[test]
    fn what_a_side_would_not_keep_is_told_and_what_it_keeps_shorter_is_agreed() {
        fn strict(_: &Path, value: &Value) -> Fit {
            match value {
                Value::Text(text) if text == "bad" => Fit::Refused("no such word".to_string()),
                _ => Fit::Exact,
            }
        }
        let name = Path::field("name");
        let of =
            |text: &str| -> Leaves { core::iter::once((name.clone(), Some(Value::Text(text.to_string())))).collect() };
        let refused = |base: &Leaves, seen_b: &Leaves| {
            let seen = of("bad");
            let a = Side { seen: &seen, base, fit: exact, whole: false };
            let merged = merge(&a, &Side { seen: seen_b, base, fit: strict, whole: false }, |_| Owner::A);
            (merged.to_b.len(), merged.refused)
        };
        let told = [(name.clone(), "no such word".to_string())].to_vec();
        let (once, empty) = (of("x"), core::iter::once((name.clone(), None)).collect());
        assert_eq!([refused(&once, &once), refused(&Leaves::new(), &empty)], [(0, told.clone()), (0, told)]);
        let (long, cut, nothing) = (of("abcdef"), of("abc"), Leaves::new());
        let shorter = |a: &Leaves, b: &Leaves, base: &Leaves, a_is_short: bool| {
            let fits: [fn(&Path, &Value) -> Fit; 2] = if a_is_short { [short, exact] } else { [exact, short] };
            let a = Side { seen: a, base, fit: fits[0], whole: false };
            let b = Side { seen: b, base, fit: fits[1], whole: false };
            let merged = merge(&a, &b, |_| Owner::A);
            let bases = agreed(&a, &b, &merged, |_| Owner::A);
            (merged.to_b, bases)
        };
        assert_eq!(shorter(&long, &cut, &nothing, false), (Leaves::new(), (long.clone(), cut.clone())));
        assert_eq!(shorter(&long, &cut, &once, false), (Leaves::new(), (long.clone(), cut.clone())));
        // What is written over is not agreed, though the owner would keep it as it says itself.
        assert_eq!(shorter(&cut, &long, &once, true), (cut.clone(), (once.clone(), once.clone())));
    }
}
