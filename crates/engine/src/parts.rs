//! Bundles and kits side by side: their parts under the names we know them by, and why they cannot be compared where they
//! cannot.

use crate::families::called;
use crate::run::Engine;
use crate::system::System;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::EntityId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::{self, Decision};
use syncline_core::policy::Hold;
use syncline_core::record::{Composition, PARTS};
use syncline_core::rules::{FieldPolicy, PairRules};
use syncline_store::{Case, Related};

/// How many of each part go into one, by the paths both systems share.
type Parts = BTreeMap<Path, Decimal>;

/// Why the parts that a system shows are not told in words both share.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lack {
    /// It tells none.
    Untold,
    /// They do not stand fast: the reason.
    Loose(String),
    /// One of them is not known to both: what it is called, and what is known of it.
    Strange(String, Option<EntityId>),
}

/// The leaves of both sides with the parts of a bundle in words both share: how many of each part that either has, or had
/// when both agreed, 0 where it is not among them; nothing where there is no part at all yet. None of them where one side does not tell them all, or they are not all
/// known to both: of a bundle that is changed by halves, buyers would get neither the old nor the new.
pub(crate) fn side_by_side(
    case: &Case,
    (source, a): (&System, Leaves),
    (target, b): (&System, Leaves),
) -> (Leaves, Leaves) {
    let plain = |leaves: &Leaves| {
        let mut rest = leaves.clone();
        rest.retain(|path| !Composition::has(path));
        rest
    };
    let (mut one, mut other) = (plain(&a), plain(&b));
    let (had, has) = match (in_words(case, source, target, &a), in_words(case, target, source, &b)) {
        (Ok(had), Ok(has)) => (had, has),
        // What it is to be made of where it is not there yet.
        (Ok(had), Err(Lack::Untold)) if !case.bound.contains_key(&target.uid) => {
            let parts = had.into_iter().map(|(path, quantity)| (path, Some(Value::Number(quantity))));
            let word = a.value(&Composition::told_at()).cloned();
            return (one.overlaid(&parts.chain([(Composition::told_at(), word)]).collect()), other);
        }
        _ => return (one, other),
    };
    let base = case.sides.get(&source.uid).map(|side| side.base(&target.uid)).unwrap_or_default();
    let agreed = base.iter().map(|(path, _)| path).filter(|path| Composition::part_of(path).is_some());
    let paths: BTreeSet<&Path> = had.keys().chain(has.keys()).chain(agreed).collect();
    for path in paths {
        for (leaves, parts) in [(&mut one, &had), (&mut other, &has)] {
            let count = Value::Number(parts.get(path).copied().unwrap_or_default());
            // What was made without a part yet has nothing to be asked about.
            leaves.tell(path.clone(), Some(count).filter(|_| !parts.is_empty() || agreed_on_all(&base)));
        }
    }
    (one, other)
}

/// The parts that `leaves` of `system` tell, under our names.
fn in_words(case: &Case, system: &System, peer: &System, leaves: &Leaves) -> Result<Parts, Lack> {
    let parts = match Composition::told(leaves) {
        Ok(Some(Composition::Fixed(parts))) => parts,
        Ok(Some(Composition::Loose(why))) => return Err(Lack::Loose(why)),
        Ok(None) | Err(_) => return Err(Lack::Untold),
    };
    let mut told = Parts::new();
    for (key, part) in parts {
        let known = case.referred(&system.uid, &part.variant);
        let both = |one: &Related| {
            [system, peer].iter().all(|it| one.ids.contains_key(&it.uid) && !one.gone.contains(&it.uid))
        };
        let Some(known) = known.filter(|known| both(known)) else {
            let name = known.map_or(key, |known| known.label.clone());
            return Err(Lack::Strange(name, known.map(|known| known.entity)));
        };
        let quantity = told.entry(Composition::part_path(&called(case, known))).or_default();
        *quantity = quantity.saturating_add(part.quantity).normalize();
    }
    Ok(told)
}

/// Has the bases of both sides say 0 of parts that came since both agreed on all of what a bundle is made of: such a part is a
/// change, and one that differed before is none.
pub(crate) fn since_agreed(bases: [&mut Leaves; 2], seen: &Leaves) {
    if !bases.iter().all(|base| agreed_on_all(base)) {
        return;
    }
    for base in bases {
        for (path, _) in seen.iter().filter(|(path, _)| Composition::part_of(path).is_some()) {
            if base.get(path) == Leaf::Untold {
                base.put(path.clone(), Value::Number(Decimal::ZERO));
            }
        }
    }
}

/// Notes with what both sides have `agreed` on that this is all of what a bundle is made of, once it is.
pub(crate) fn agree(
    agreed: &mut (Leaves, Leaves),
    rules: &PairRules,
    before: [&Leaves; 2],
    (one, other): (&Leaves, &Leaves),
) {
    let mut parts = one.iter().filter(|(path, _)| Composition::part_of(path).is_some()).peekable();
    let same = parts.peek().is_some() && parts.all(|(path, value)| other.value(path) == value);
    if follows(rules) && (same || before.into_iter().all(agreed_on_all)) {
        for base in [&mut agreed.0, &mut agreed.1] {
            base.put(Composition::told_at(), Value::Bool(true));
        }
    }
}

/// Whether `base` says that all of what a bundle is made of was agreed on.
fn agreed_on_all(base: &Leaves) -> bool {
    base.get(&Composition::told_at()) != Leaf::Untold
}

/// The record that the part at `path` is, by our name for it.
pub(crate) fn behind<'c>(case: &'c Case, path: &Path) -> Option<&'c Related> {
    let name = Composition::part_of(path)?;
    case.related.iter().filter(|one| one.kind == Kind::Variant).find(|one| called(case, one) == name)
}

impl Engine {
    /// What keeps the parts of `case` from being compared, where they are to be the same in both systems of `rules`; none
    /// where they are compared, where they are nobody's to follow, or where one of the two knows of none.
    pub(crate) fn incomparable(
        &self,
        case: &Case,
        rules: &PairRules,
        (source, target): (&System, &System),
    ) -> Option<Decision> {
        if case.kind != Kind::Variant || !follows(rules) || !tells(source) || !tells(target) {
            return None;
        }
        let words =
            |system: &System, peer: &System| in_words(case, system, peer, &case.sides.get(&system.uid)?.seen).err();
        let seen = |system: &System| case.sides.contains_key(&system.uid) && case.bound.contains_key(&system.uid);
        if !seen(source) || !seen(target) {
            return None;
        }
        let lacks = (words(source, target), words(target, source));
        match lacks {
            (None, None) | (Some(Lack::Untold), _) | (_, Some(Lack::Untold)) => None,
            (Some(Lack::Loose(why)), _) => {
                let what = format!("what it is made of in {} cannot be said elsewhere: {why}", source.name);
                let remedy = format!(
                    "change it there, or keep the parts apart (`fields = {{ parts = \"keep\" }}`), then `syncline retry`; \
                     {} stays as it is",
                    target.name
                );
                Some(Decision::Hold(Hold::new("SYN-0176", what, remedy)))
            }
            (_, Some(Lack::Loose(why))) => {
                let what = format!(
                    "{} has it as a bundle with choices, which {} does not know: {why}",
                    target.name, source.name
                );
                let remedy = "make every option there required, with one product whose quantity stands fast, or keep the \
                              parts apart (`fields = { parts = \"keep\" }`), then `syncline retry`; the bundle stays \
                              as it is";
                Some(Decision::Hold(Hold::new("SYN-0174", what, remedy)))
            }
            (Some(Lack::Strange(name, known)), _) => Some(self.strange(case, rules, (&name, known), (source, target))),
            (None, Some(Lack::Strange(name, known))) => {
                Some(self.strange(case, rules, (&name, known), (target, source)))
            }
        }
    }

    /// What comes before a kit is made in the target of `rules`, or keeps it from being made; none where nothing does, and of
    /// all else.
    pub(crate) fn parts_first(
        &self,
        case: &Case,
        rules: &PairRules,
        (source, target): (&System, &System),
    ) -> Option<Decision> {
        let seen = &case.sides.get(&source.uid)?.seen;
        if case.kind != Kind::Variant || !follows(rules) || !tells(target) || !planner::is_made(Kind::Variant, seen) {
            return None;
        }
        match in_words(case, source, target, seen) {
            Err(Lack::Strange(name, known)) => Some(self.strange(case, rules, (&name, known), (source, target))),
            _ => None,
        }
    }

    /// What is done about a part that `has` has and `lacks` does not know: it comes there first, or a person sees to it.
    fn strange(
        &self,
        case: &Case,
        rules: &PairRules,
        (name, known): (&str, Option<EntityId>),
        (has, lacks): (&System, &System),
    ) -> Decision {
        let creates = self.field_rules(Kind::Variant).and_then(|all| all.between(&rules.source, &rules.target));
        let comes = |one: &&Related| {
            let sold = one.seen.get(&has.uid).is_some_and(|seen| planner::is_made(Kind::Variant, seen));
            has.name == rules.source && sold && one.gone.is_empty() && !one.ids.contains_key(&lacks.uid)
        };
        let part = known.and_then(|known| case.related.iter().find(|one| one.entity == known));
        if let Some(part) = part.filter(comes).filter(|_| creates.is_some_and(|pair| pair.creates)) {
            let why = format!("its part `{name}` comes to {} first", lacks.name);
            return Decision::Wait(vec![part.entity], why);
        }
        let what = format!("its part `{name}` is not known to both {} and {}", has.name, lacks.name);
        let remedy = format!(
            "`syncline adopt` ties it where {} has it too; else make it there, then `syncline retry`; no part is changed \
             before",
            lacks.name
        );
        Decision::Hold(Hold::new("SYN-0175", what, remedy))
    }
}

/// Whether one of the two follows the other in what a bundle is made of.
fn follows(rules: &PairRules) -> bool {
    let path = Path::try_from(PARTS.to_string()).ok();
    path.is_some_and(|path| rules.policy(&path) != FieldPolicy::Keep)
}

/// Whether a system tells what its bundles are made of.
fn tells(system: &System) -> bool {
    system.kind(Kind::Variant).reads.iter().any(|path| path == PARTS)
}
