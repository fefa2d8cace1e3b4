//! The next step of a record that two systems share field by field: each field goes where its policy says.

use super::create::is_veiled;
use super::undone::put_back;
use super::{Decision, Planned, Undoings};
use crate::id::SystemName;
use crate::kind::{Kind, Step};
use crate::leaf::{Leaf, Leaves, Value};
use crate::merge::{self, Cause, Conflict, Merged, Owner, Side};
use crate::path::Path;
use crate::policy::Hold;
use crate::profile::{Fit, KindProfile};
use crate::record::{Customer, IMAGE_TWICE, Product};
use crate::rules::{FieldPolicy, PairRules};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// One system's part in a shared record.
#[derive(Clone, Copy)]
pub struct Share<'a> {
    /// The system.
    pub system: &'a SystemName,
    /// What it shows.
    pub seen: &'a Leaves,
    /// What it showed when it last agreed with the other one.
    pub base: &'a Leaves,
    /// What it does with records of the kind.
    pub profile: &'a KindProfile,
    /// How it would keep a value.
    pub fit: &'a dyn Fn(&Path, &Value) -> Fit,
    /// What was written to it from the other one and a person took back.
    pub undone: &'a Undoings,
}

impl fmt::Debug for Share<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").field("system", self.system).field("seen", self.seen).field("base", self.base).finish()
    }
}

/// Everything that decides the next step of a record shared by two systems.
#[derive(Debug)]
pub struct SharedCase<'a> {
    /// The rules between the two.
    pub rules: &'a PairRules,
    /// The kind.
    pub kind: Kind,
    /// Path patterns whose values can be shared at all.
    pub shared: &'a [&'a str],
    /// The system the flow comes from.
    pub source: Share<'a>,
    /// The one it goes to.
    pub target: Share<'a>,
    /// Values a person chose for fields both sides had changed.
    pub chosen: &'a Leaves,
}

/// What a comparison of two systems' fields comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The next step.
    pub decision: Decision,
    /// Source and target as they agree from here on: their bases.
    pub agreed: (Leaves, Leaves),
    /// Fields a person has to decide; the source is the first side.
    pub conflicts: Vec<Conflict>,
    /// Fields of source and target whose undo is over.
    pub over: (Vec<Path>, Vec<Path>),
}

/// The next step for a record shared by two systems, and what both agree on already.
#[must_use]
pub fn shared(case: &SharedCase<'_>) -> Shared {
    let (seen_a, seen_b) = (restricted(case, case.source.seen), restricted(case, case.target.seen));
    // A list of prices is told whole or not at all.
    let whole = case.kind == Kind::Price;
    let a = Side { seen: &seen_a, base: case.source.base, fit: case.source.fit, whole };
    let b = Side { seen: &seen_b, base: case.target.base, fit: case.target.fit, whole };
    let owner = |path: &Path| owner(case, path);
    let mut merged = merge::merge(&a, &b, owner);
    won(case, &mut merged, &a, &b);
    withdrawn(case, &mut merged, (&a, &b));
    choose(case, &mut merged, &a, &b);
    let over_a = put_back(&mut merged, (&a, &b), (case.source.undone, false), owner);
    let over_b = put_back(&mut merged, (&a, &b), (case.target.undone, true), owner);
    if is_veiled(case.source.base) {
        // Made there without a price: whoever has seen to that enables it there.
        merged.to_b.retain(|path| path.as_str() != "active");
    }
    let agreed = merge::agreed(&a, &b, &merged, owner);
    untwin(case, &mut merged, owner);
    let decision = decision(case, &merged);
    Shared { decision, agreed, conflicts: merged.conflicts, over: (over_a, over_b) }
}

/// The fields of `seen` that both systems tell and at least one of them can be told.
fn restricted(case: &SharedCase<'_>, seen: &Leaves) -> Leaves {
    let mut seen = seen.clone();
    seen.retain(|path| is_shared(case, path));
    seen
}

fn is_shared(case: &SharedCase<'_>, path: &Path) -> bool {
    named(case.shared, path)
        && [&case.source, &case.target].into_iter().all(|side| named(&side.profile.reads, path))
        && [&case.source, &case.target].into_iter().any(|side| named(&side.profile.writes, path))
}

/// Whether one of `patterns` names `path`.
pub(super) fn named<T: AsRef<str>>(patterns: &[T], path: &Path) -> bool {
    patterns.iter().any(|pattern| path.is_named_by(pattern.as_ref()))
}

/// Asks a side to take away what one upload of ours left there twice.
fn untwin(case: &SharedCase<'_>, merged: &mut Merged, owner: impl Fn(&Path) -> Owner) {
    let sides = [(&case.source, &mut merged.to_a, Owner::B), (&case.target, &mut merged.to_b, Owner::A)];
    for (side, out, giver) in sides {
        for (path, _) in side.seen.iter().filter(|(path, value)| value.is_some() && path.is_named_by(IMAGE_TWICE)) {
            if [giver, Owner::Merge].contains(&owner(path)) {
                out.set(path.clone(), Leaf::Empty);
            }
        }
    }
}

/// Who decides `path` between the two; a field that the follower cannot be told is kept by each.
fn owner(case: &SharedCase<'_>, path: &Path) -> Owner {
    let writes = (named(&case.source.profile.writes, path), named(&case.target.profile.writes, path));
    owner_of(case.rules.policy(path), case.source.system, case.target.system, writes)
}

/// Who decides a field of this policy between a source and a target that can be told it, or cannot.
pub(super) fn owner_of(
    policy: FieldPolicy,
    source: &SystemName,
    target: &SystemName,
    (to_source, to_target): (bool, bool),
) -> Owner {
    match policy {
        FieldPolicy::Owner(name) if name == *source && to_target => Owner::A,
        FieldPolicy::Owner(name) if name == *target && to_source => Owner::B,
        FieldPolicy::Merge(_) if to_source && to_target => Owner::Merge,
        FieldPolicy::Merge(_) if to_target => Owner::A,
        FieldPolicy::Merge(_) if to_source => Owner::B,
        _ => Owner::Keep,
    }
}

/// Asks about what somebody took out of a list on the side that follows, which both had agreed on and its owner says as
/// ever: out of a family in the target, or out of a buyer's book in the source. That is no slip of the hand that its owner
/// puts right unasked.
fn withdrawn(case: &SharedCase<'_>, merged: &mut Merged, (a, b): (&Sided<'_>, &Sided<'_>)) {
    let had = |side: &Sided<'_>, path: &Path| matches!(side.base.get(path), Leaf::Value(_));
    let (says, lacks, of_list): (_, _, &dyn Fn(&Path) -> bool) = match case.kind {
        Kind::Product => (a, b, &|path| Product::variant_of(path).is_some() || Product::option_of(path).is_some()),
        Kind::Customer => (b, a, &|path| Customer::is_of_book(path) || Customer::is_of_erp(path)),
        _ => return,
    };
    let taken = |path: &Path| {
        let as_ever = says.seen.get(path).says(&says.base.get(path));
        of_list(path) && as_ever && had(a, path) && had(b, path) && lacks.seen.get(path) == Leaf::Empty
    };
    let out = if case.kind == Kind::Product { &mut merged.to_b } else { &mut merged.to_a };
    let paths: Vec<Path> = out.iter().map(|(path, _)| path.clone()).filter(taken).collect();
    out.retain(|path| !paths.contains(path));
    merged.conflicts.extend(paths.into_iter().map(|path| Conflict {
        a: (a.base.get(&path), a.seen.get(&path)),
        b: (b.base.get(&path), b.seen.get(&path)),
        cause: Cause::Withdrawn,
        path,
    }));
}

pub(super) type Sided<'a> = Side<'a, &'a dyn Fn(&Path, &Value) -> Fit>;

/// Settles clashes that the policy gives to one side.
fn won(case: &SharedCase<'_>, merged: &mut Merged, a: &Sided<'_>, b: &Sided<'_>) {
    let conflicts = core::mem::take(&mut merged.conflicts);
    for conflict in conflicts {
        match case.rules.policy(&conflict.path) {
            FieldPolicy::Merge(Some(winner)) if conflict.cause == Cause::Clash && winner == *case.source.system => {
                wish(merged, &conflict.path, &conflict.a.1, b, true);
            }
            FieldPolicy::Merge(Some(winner)) if conflict.cause == Cause::Clash && winner == *case.target.system => {
                wish(merged, &conflict.path, &conflict.b.1, a, false);
            }
            _ => merged.conflicts.push(conflict),
        }
    }
}

/// Puts the values a person chose in the place of what was asked for.
fn choose(case: &SharedCase<'_>, merged: &mut Merged, a: &Sided<'_>, b: &Sided<'_>) {
    for (path, value) in case.chosen.iter() {
        let leaf = value.map_or(Leaf::Empty, |value| Leaf::Value(value.clone()));
        merged.conflicts.retain(|conflict| conflict.path != *path);
        wish(merged, path, &leaf, a, false);
        wish(merged, path, &leaf, b, true);
    }
}

/// Asks for `leaf` at `path` of the side `to`, where it shows something else.
fn wish(merged: &mut Merged, path: &Path, leaf: &Leaf, to: &Sided<'_>, target: bool) {
    let kept = match leaf {
        Leaf::Value(value) => match (to.fit)(path, value) {
            Fit::Exact => leaf.clone(),
            Fit::As(other, _) => Leaf::Value(other),
            Fit::Refused(why) => return merged.refused.push((path.clone(), why)),
        },
        other => other.clone(),
    };
    let out = if target { &mut merged.to_b } else { &mut merged.to_a };
    out.set(path.clone(), if to.seen.get(path).says(&kept) { Leaf::Untold } else { kept });
}

fn decision(case: &SharedCase<'_>, merged: &Merged) -> Decision {
    let step = |to: &Share<'_>, from: &Share<'_>, leaves: &Leaves| {
        Decision::Step(Planned {
            target: to.system.clone(),
            kind: case.kind,
            step: Step::Update,
            leaves: leaves.clone(),
            reason: reason(case, to, from.system, leaves),
            adopt_only: false,
        })
    };
    if !merged.to_b.is_empty() {
        return step(&case.target, &case.source, &merged.to_b);
    }
    if !merged.to_a.is_empty() {
        return step(&case.source, &case.target, &merged.to_a);
    }
    match (merged.conflicts.as_slice(), merged.refused.first()) {
        ([], None) => Decision::Agreed,
        ([], Some((path, why))) if case.kind == Kind::Customer && *path == Customer::group_path() => {
            let remedy = "add the row under [flows.customers.groups], then `syncline retry`";
            Decision::Hold(Hold::new("SYN-0171", alloc::format!("`{path}` cannot be told: {why}"), remedy))
        }
        ([], Some((path, why))) => {
            let what = alloc::format!("`{path}` cannot be kept: {why}");
            Decision::Hold(Hold::new("SYN-0109", what, "change the value in its source, then `syncline retry`"))
        }
        (conflicts, _) => Decision::Conflict(told(conflicts)),
    }
}

fn reason(case: &SharedCase<'_>, to: &Share<'_>, from: &SystemName, leaves: &Leaves) -> String {
    if leaves.iter().any(|(path, value)| to.undone.get(path).is_some_and(|one| one.back.as_ref() == value)) {
        return "undone by a person".to_string();
    }
    let owned = leaves.iter().all(|(path, _)| matches!(case.rules.policy(path), FieldPolicy::Owner(_)));
    if leaves.iter().any(|(path, _)| case.chosen.get(path) != Leaf::Untold) {
        return "as a person decided".to_string();
    }
    let word = if owned { "owns" } else { "changed" };
    alloc::format!("{from} {word} {}", if leaves.len() == 1 { "it" } else { "them" })
}

/// The conflicts in one sentence.
fn told(conflicts: &[Conflict]) -> Hold {
    let paths: Vec<String> = conflicts.iter().take(3).map(|conflict| alloc::format!("`{}`", conflict.path)).collect();
    let more = if conflicts.len() > 3 { alloc::format!(" and {} more", conflicts.len() - 3) } else { String::new() };
    let all = |cause| conflicts.iter().all(|conflict| conflict.cause == cause);
    if all(Cause::Undone) {
        let what = alloc::format!("{}{more} was undone by a person", paths.join(", "));
        let remedy = "change it in its source, or let it through with `syncline resolve`";
        return Hold::new("SYN-0145", what, remedy);
    }
    if all(Cause::Withdrawn) {
        let what = alloc::format!("{}{more} was taken out by a person", paths.join(", "));
        let remedy = "`syncline resolve --take` the owner to put it in again, or `--leave` it out";
        return Hold::new("SYN-0157", what, remedy);
    }
    let what = if all(Cause::First) { "differed before they were tied" } else { "was changed on both sides" };
    let what = alloc::format!("{}{more} {what}", paths.join(", "));
    Hold::new("SYN-0140", what, "see `syncline conflicts`, then `syncline resolve`")
}

#[cfg(test)]
mod tests;
