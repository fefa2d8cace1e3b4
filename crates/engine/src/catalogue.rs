//! Records of the catalogue that refer to each other, side by side: what each system calls another record, as our own.

use crate::system::System;
use syncline_core::leaf::{Leaves, Ref, Target, Value};
use syncline_core::path::Path;
use syncline_store::Case;

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
    leaves.iter().filter_map(told).collect()
}

/// What `system` means by `reference`, as our own; none where not both systems have it.
fn shared(case: &Case, system: &System, peer: &System, reference: &Ref) -> Option<Ref> {
    let known = case.referred(&system.uid, reference)?;
    let both = [system, peer].iter().all(|one| known.ids.contains_key(&one.uid) && !known.gone.contains(&one.uid));
    both.then(|| Ref { to: Target::Entity(known.entity), alias: None, ..reference.clone() })
}
