//! Records of the catalogue that refer to each other, side by side: what each system calls another record, as our own.

use crate::parts;
use crate::system::System;
use std::collections::BTreeMap;
use syncline_core::id::EntityId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Ref, Target, Value};
use syncline_core::path::Path;
use syncline_core::planner::Decision;
use syncline_core::record::{Category, Variant};
use syncline_store::{Case, Related};

/// What both systems show of `case`, each reference as the entity both know. One that only one of them knows is told by
/// neither: it cannot be said on the other side.
pub(crate) fn side_by_side(
    case: &Case,
    (source, a): (&System, Leaves),
    (target, b): (&System, Leaves),
) -> (Leaves, Leaves) {
    (ours(case, source, target, &a), ours(case, target, source, &b))
}

/// `leaves` of `system` in the words it shares with `peer`.
fn ours(case: &Case, system: &System, peer: &System, leaves: &Leaves) -> Leaves {
    let told = |(path, value): (&Path, Option<&Value>)| match value {
        Some(Value::Ref(reference)) => {
            let shared = shared(case, system, peer, reference)?;
            Some((path.clone(), Some(Value::Ref(shared))))
        }
        value => Some((path.clone(), value.cloned())),
    };
    let mut shown: Leaves = leaves.iter().filter_map(told).collect();
    if shown.value(&Variant::sorted_path()).is_some() {
        shown = sorted(case, system, peer, shown);
    }
    shown
}

/// `shown` of a variant with the categories both systems know: in which of them it stands there, and in which it does
/// not. Those that only one of them knows are that one's own.
fn sorted(case: &Case, system: &System, peer: &System, shown: Leaves) -> Leaves {
    let stands = |entity: EntityId| {
        let there = |(path, value): (&Path, Option<&Value>)| {
            Variant::category_of(path).is_some()
                && matches!(value, Some(Value::Ref(Ref { to: Target::Entity(one), .. })) if *one == entity)
        };
        shown.iter().any(there)
    };
    let mut own = shown.clone();
    own.retain(|path| Variant::category_of(path).is_none() && *path != Variant::sorted_path());
    for known in case.related.iter().filter(|known| known.kind == Kind::Category && is_tied(known, [system, peer])) {
        let told = stands(known.entity).then_some(Value::Bool(true));
        own.tell(Variant::category_path(&known.entity.to_string()), told);
    }
    own
}

/// What `system` means by `reference`, as our own; none where not both systems have it.
fn shared(case: &Case, system: &System, peer: &System, reference: &Ref) -> Option<Ref> {
    let known = case.referred(&system.uid, reference)?;
    is_tied(known, [system, peer]).then(|| Ref { to: Target::Entity(known.entity), alias: None, ..reference.clone() })
}

/// Whether both systems have it still.
fn is_tied(known: &Related, pair: [&System; 2]) -> bool {
    pair.iter().all(|one| known.ids.contains_key(&one.uid) && !known.gone.contains(&one.uid))
}

/// What has to come before `case` is made in `target`, of which the source shows `seen`: what it stands below. None where
/// nothing does.
pub(crate) fn parent_first(case: &Case, source: &System, target: &System, seen: &Leaves) -> Option<Decision> {
    let Some(Value::Ref(parent)) = seen.value(&Category::parent_path()) else { return None };
    let Some(known) = case.referred(&source.uid, parent) else {
        return Some(Decision::Outside("what it stands below is not carried".to_string()));
    };
    if let Some(lost) = [source, target].into_iter().find(|system| known.gone.contains(&system.uid)) {
        return Some(Decision::Outside(format!("what it stands below was deleted in {}", lost.name)));
    }
    let there = known.ids.contains_key(&target.uid);
    (!there).then(|| Decision::Wait(vec![known.entity], format!("what it stands below comes to {} first", target.name)))
}

/// What `target` calls the records that the fields of `leaves` refer to, by their paths.
pub(crate) fn elements(case: &Case, target: &System, leaves: &Leaves) -> BTreeMap<Path, String> {
    let named = |(path, value): (&Path, Option<&Value>)| match value {
        _ if let Some(ours) = Variant::category_of(path) => {
            let known = case.related.iter().find(|known| known.entity.to_string() == ours)?;
            Some((path.clone(), known.ids.get(&target.uid)?.id.clone()))
        }
        Some(Value::Ref(reference)) => {
            let known = case.referred(&target.uid, reference)?;
            Some((path.clone(), known.ids.get(&target.uid)?.id.clone()))
        }
        _ if let Some(part) = parts::behind(case, path) => Some((path.clone(), part.ids.get(&target.uid)?.id.clone())),
        _ => None,
    };
    leaves.iter().filter_map(named).collect()
}

/// The part of a step of a category that is told first: a move alone, for it is a request of its own. What is made is
/// told with its place.
pub(crate) fn moves_alone(creates: bool, leaves: Leaves) -> Leaves {
    let parent = Category::parent_path();
    if creates || leaves.value(&parent).is_none() {
        return leaves;
    }
    leaves.iter().filter(|(path, _)| **path == parent).map(|(path, value)| (path.clone(), value.cloned())).collect()
}
