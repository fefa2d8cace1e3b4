//! Families side by side: their variants under the names we know them by, and what a shop still lacks of them.

use crate::run::Engine;
use crate::system::System;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::EntityId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::{self, Decision};
use syncline_core::policy::Hold;
use syncline_core::record::{Product, Variant};
use syncline_core::rules::PairRules;
use syncline_store::{Case, Related};

/// What both systems show of the family `case`: every variant that the source has in it, or had when both agreed, and that
/// both know, told as in it or not. What else the target has in it is its own, and so are its further options.
pub(crate) fn side_by_side(
    case: &Case,
    (source, a): (&System, &Leaves),
    (target, b): (&System, &Leaves),
) -> (Leaves, Leaves) {
    let (had, has) = (in_words(case, source, target, a), in_words(case, target, source, b));
    let agreed = case.sides.get(&source.uid).map(|side| side.base(&target.uid)).unwrap_or_default();
    let of_family = |leaves: &Leaves| -> BTreeSet<Path> {
        leaves.iter().map(|(path, _)| path.clone()).filter(is_of_family).collect()
    };
    let lacking = lacking(case, source, target, &had, &has);
    let paths: BTreeSet<Path> = of_family(&had).into_iter().chain(of_family(&agreed)).collect();
    let told = |leaves: &Leaves| {
        let mut out = leaves.clone();
        out.retain(|path| !is_of_family(path));
        for path in paths.iter().filter(|path| !lacking.contains_key(*path)) {
            let leaf = leaves.get(path);
            out.set(path.clone(), if leaf == Leaf::Untold { Leaf::Empty } else { leaf });
        }
        out
    };
    (told(&had), told(&has))
}

fn is_of_family(path: &Path) -> bool {
    Product::variant_of(path).is_some() || Product::option_of(path).is_some()
}

/// `leaves` of `system` with its variants under our names; those that `peer` does not know, or one of both has lost, are
/// left out.
fn in_words(case: &Case, system: &System, peer: &System, leaves: &Leaves) -> Leaves {
    let mut out = Leaves::new();
    for (path, value) in leaves.iter() {
        match (Product::variant_of(path), value) {
            (None, value) => out.tell(path.clone(), value.cloned()),
            (Some(_), Some(Value::Ref(reference))) => {
                let both = |one: &&Related| {
                    [system, peer].iter().all(|it| one.ids.contains_key(&it.uid) && !one.gone.contains(&it.uid))
                };
                if let Some(known) = case.referred(&system.uid, reference).filter(both) {
                    out.put(name_of(case, known), Value::Bool(true));
                }
            }
            (Some(_), _) => {}
        }
    }
    out
}

/// The path of a variant by our name for it.
fn name_of(case: &Case, known: &Related) -> Path {
    Product::variant_path(&called(case, known))
}

/// Our name for what `case` refers to: its label, and its number behind it where two have one label.
pub(crate) fn called(case: &Case, known: &Related) -> String {
    let alike = |one: &&Related| one.kind == known.kind && one.label == known.label;
    match case.related.iter().filter(alike).count() {
        1 => known.label.clone(),
        _ => format!("{}#{}", known.label, known.entity),
    }
}

/// What `target` calls the variants that `leaves` name.
pub(crate) fn elements(case: &Case, target: &System, leaves: &Leaves) -> BTreeMap<Path, String> {
    let variants = case.related.iter().filter(|one| one.kind == Kind::Variant);
    let named = variants.filter_map(|one| Some((name_of(case, one), one.ids.get(&target.uid)?.id.clone())));
    named.filter(|(path, _)| leaves.get(path) != Leaf::Untold).collect()
}

/// The variants that cannot be put into the family in `target` yet, each with the option it has no value for there.
fn lacking(case: &Case, source: &System, target: &System, had: &Leaves, has: &Leaves) -> BTreeMap<Path, String> {
    let options: BTreeSet<String> =
        had.iter().chain(has.iter()).filter_map(|(path, _)| Product::option_of(path)).collect();
    let mut found = BTreeMap::new();
    let in_source = |one: &&Related| one.kind == Kind::Variant && one.ids.contains_key(&source.uid);
    for one in case.related.iter().filter(in_source) {
        let (path, shown) = (name_of(case, one), one.seen.get(&target.uid));
        let missing = options.iter().find(|code| {
            let value = Variant::attribute_path(code).and_then(|path| shown?.value(&path));
            Variant::attribute_path(code).is_some() && value.is_none()
        });
        if let Some(code) = missing.filter(|_| had.value(&path).is_some() && has.value(&path).is_none()) {
            found.insert(path, code.clone());
        }
    }
    found
}

impl Engine {
    /// What a family that agrees in all else still waits for in the target of `rules`; none where it is complete, or is no
    /// family.
    pub(crate) fn incomplete(
        &self,
        case: &Case,
        rules: &PairRules,
        (source, target): (&System, &System),
    ) -> Option<Decision> {
        if case.kind != Kind::Product {
            return None;
        }
        if let Some((waited, label)) = self.unmade(case, rules, source, target) {
            let why = format!("its variant `{label}` is not in {} yet", target.name);
            return Some(Decision::Wait(waited, why));
        }
        let seen = |system: &System| case.sides.get(&system.uid).map(|side| side.seen.clone()).unwrap_or_default();
        let (had, has) = (in_words(case, source, target, &seen(source)), in_words(case, target, source, &seen(target)));
        let (path, code) = lacking(case, source, target, &had, &has).into_iter().next()?;
        let label = Product::variant_of(&path).unwrap_or_default();
        let what =
            format!("`{label}` has no `{code}` in {}, by which the variants of the family are told apart", target.name);
        let remedy = format!("give it one there, or carry `{code}` from {}, then `syncline retry`", source.name);
        Some(Decision::Hold(Hold::new("SYN-0158", what, remedy)))
    }

    /// The variants of the family that are still to be made in `target`, and the first one's name; none where it has all.
    fn unmade(
        &self,
        case: &Case,
        rules: &PairRules,
        source: &System,
        target: &System,
    ) -> Option<(Vec<EntityId>, String)> {
        let creates = self.field_rules(Kind::Variant)?.between(&rules.source, &rules.target)?.creates;
        let shown = case.sides.get(&source.uid)?;
        let members = shown.seen.iter().filter_map(|(_, value)| match value {
            Some(Value::Ref(reference)) => case.referred(&source.uid, reference),
            _ => None,
        });
        let wanted = |one: &&Related| {
            let sold = one.seen.get(&source.uid).is_some_and(|seen| planner::is_made(Kind::Variant, seen));
            creates && sold && one.gone.is_empty() && !one.ids.contains_key(&target.uid)
        };
        let lacking: Vec<&Related> = members.filter(wanted).collect();
        let label = lacking.first()?.label.clone();
        Some((lacking.iter().map(|one| one.entity).collect(), label))
    }

    /// Whether a family that the target lacks has a variant there to begin with.
    pub(crate) fn has_members(case: &Case, source: &System, target: &System) -> bool {
        let seen = case.sides.get(&source.uid).map(|side| &side.seen);
        seen.is_some_and(|seen| {
            in_words(case, source, target, seen).iter().any(|(path, _)| Product::variant_of(path).is_some())
        })
    }
}
