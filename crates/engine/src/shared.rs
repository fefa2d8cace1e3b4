//! Records that systems share field by field: each target of the flow is compared with the source in turn.

use crate::aside::Asides;
use crate::catalogue;
use crate::customers;
use crate::decide::Decided;
use crate::families;
use crate::gone::buried;
use crate::images;
use crate::parts;
use crate::prices::side_by_side;
use crate::run::Engine;
use crate::satellites::Unread;
use crate::system::{EngineError, System};
use jiff::Timestamp;
use std::collections::BTreeMap;
use syncline_core::audit::SharedFacts;
use syncline_core::delivery::{Delivery, Progress, after};
use syncline_core::id::{EntityId, SystemName};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::{self, CreateCase, Decision, Planned, Share, Shared, SharedCase};
use syncline_core::policy::Hold;
use syncline_core::profile::Fit;
use syncline_core::record::{Variant, shared_paths};
use syncline_core::rules::{FieldPolicy, FieldRules, PairRules};
use syncline_store::{Agreed, Base, Basis, Case, Stray};

/// One pair of systems of the flow and what comparing them came to.
#[derive(Debug)]
pub(crate) struct Pair {
    /// The system the flow goes to.
    pub(crate) target: SystemName,
    /// What comparing it with the source came to.
    pub(crate) shared: Shared,
}

impl Engine {
    /// The rules of the flow whose records are shared field by field; none where `kind` is no such kind or not carried.
    pub(crate) fn field_rules(&self, kind: Kind) -> Option<&FieldRules> {
        match kind {
            Kind::Variant => self.flows.products.as_ref(),
            Kind::Category | Kind::Product => self.flows.beside.get(&kind),
            Kind::Price => self.flows.prices.as_ref().map(|rules| &rules.fields),
            Kind::Customer => self.flows.customers.first(),
            Kind::Stock | Kind::Order | Kind::Shipment | Kind::Invoice | Kind::Payment | Kind::Credit => None,
        }
    }

    /// The same for `case`: a customer goes by the rules of the shop it is from.
    pub(crate) fn rules_of(&self, case: &Case) -> Option<&FieldRules> {
        let is_from = |rules: &&FieldRules| {
            self.systems.get(&rules.source).is_some_and(|shop| case.bound.contains_key(&shop.uid))
        };
        let customers = self.flows.customers.iter().filter(|_| case.kind == Kind::Customer);
        customers.clone().find(is_from).or_else(|| self.field_rules(case.kind))
    }

    /// The rules between `one` and `other` for records of `kind`; none where no flow ties the two by them.
    pub(crate) fn pair_rules(&self, kind: Kind, one: &System, other: &System) -> Option<&PairRules> {
        let customers = self.flows.customers.iter().filter(|_| kind == Kind::Customer);
        customers.chain(self.field_rules(kind)).find_map(|rules| rules.between(&one.name, &other.name))
    }

    /// Every pair of the flow that has both sides of `case`.
    pub(crate) fn pairs(&self, case: &Case, rules: &FieldRules) -> Result<Vec<Pair>, EngineError> {
        let mut pairs = Vec::new();
        for pair in &rules.pairs {
            let compared = self.pair(case, pair)?;
            pairs.extend(compared.ok().map(|shared| Pair { target: pair.target.clone(), shared }));
        }
        Ok(pairs)
    }

    /// What comparing both sides of `case` comes to; the reason where they cannot be compared.
    pub(crate) fn pair(&self, case: &Case, rules: &PairRules) -> Result<Result<Shared, Decision>, EngineError> {
        let (source, target) = (self.system(&rules.source)?, self.system(&rules.target)?);
        Ok(match missing(case, [source, target], || self.record_name(case).key) {
            Some(reason) => Err(reason),
            None => Ok(self.compared(case, rules, source, target)),
        })
    }

    fn compared(&self, case: &Case, rules: &PairRules, source: &System, target: &System) -> Shared {
        let nothing = Leaves::new();
        let (mut seen_source, mut seen_target) = self.seen(case, source, target);
        // A row that both lack was taken back too.
        for path in case.undone.values().flat_map(|all| all.keys()) {
            for seen in [&mut seen_source, &mut seen_target] {
                seen.set(path.clone(), images::shown(seen, path));
            }
        }
        shows_late(case, rules, source, target, &mut seen_source);
        shows_late(case, rules, target, source, &mut seen_target);
        let (mut of_source, mut of_target) = bases(case, (source, &seen_source), (target, &seen_target));
        parts::since_agreed([&mut of_source, &mut of_target], &seen_source);
        for seen in [&mut seen_source, &mut seen_target] {
            images::with_lost(seen, &of_source);
        }
        let (profile_a, profile_b) = (source.kind(case.kind), target.kind(case.kind));
        let rowless = |path: &Path, value: &Value| {
            (case.kind == Kind::Customer).then(|| self.without_row(&source.name, path, value)).flatten()
        };
        let fit = |system: &System, path: &Path, value: &Value| match rowless(path, value) {
            Some(why) => Fit::Refused(why),
            None => system.connector.fit(case.kind, path, value),
        };
        let fit_a = |path: &Path, value: &Value| fit(source, path, value);
        let fit_b = |path: &Path, value: &Value| fit(target, path, value);
        let mut shared = planner::shared(&SharedCase {
            rules,
            kind: case.kind,
            shared: shared_paths(case.kind),
            source: Share {
                system: &source.name,
                seen: &seen_source,
                base: &of_source,
                profile: &profile_a,
                fit: &fit_a,
                undone: &case.undone(&source.uid, &target.uid),
            },
            target: Share {
                system: &target.name,
                seen: &seen_target,
                base: &of_target,
                profile: &profile_b,
                fit: &fit_b,
                undone: &case.undone(&target.uid, &source.uid),
            },
            chosen: case.chosen.get(&target.uid).unwrap_or(&nothing),
        });
        parts::agree(&mut shared.agreed, rules, [&of_source, &of_target], (&seen_source, &seen_target));
        shared
    }

    /// What both show of `case`, so that one path means one thing.
    pub(crate) fn seen(&self, case: &Case, source: &System, target: &System) -> (Leaves, Leaves) {
        let seen = |system: &System| case.sides.get(&system.uid).map(|side| side.seen.clone()).unwrap_or_default();
        match (case.kind, &self.flows.prices) {
            (Kind::Price, Some(rules)) if let Some(lists) = rules.lists.get(&target.name) => {
                side_by_side(&seen(source), &seen(target), lists)
            }
            (Kind::Customer, _) => self.customers(case, (source, &seen(source)), (target, &seen(target))),
            (Kind::Product, _) => families::side_by_side(case, (source, &seen(source)), (target, &seen(target))),
            (kind, _) if kind.of_catalogue() => {
                let (a, b) = parts::side_by_side(case, (source, seen(source)), (target, seen(target)));
                let (a, b) = catalogue::side_by_side(case, (source, a), (target, b));
                images::side_by_side(&a, &b)
            }
            _ => (seen(source), seen(target)),
        }
    }

    fn customers(&self, case: &Case, shop: (&System, &Leaves), erp: (&System, &Leaves)) -> (Leaves, Leaves) {
        let none = BTreeMap::new();
        let Some(rules) = self.pair_rules(case.kind, shop.0, erp.0) else { return (Leaves::new(), Leaves::new()) };
        let keeps = |system: &System, path: &Path, value: &Value| system.connector.fit(case.kind, path, value);
        let both = customers::Both {
            shop: (shop.1, &|path, value| keeps(shop.0, path, value)),
            erp: (erp.1, &|path, value| keeps(erp.0, path, value)),
            elements: case.bound.get(&erp.0.uid).map_or(&none, |bound| &bound.elements),
            rules,
            groups: self.flows.groups.get(&shop.0.name),
        };
        both.side_by_side()
    }

    /// What `system` shows of `case`, in the words both share, and what `peer` shows.
    pub(crate) fn seen_by(&self, case: &Case, rules: &PairRules, system: &System, peer: &System) -> (Leaves, Leaves) {
        if system.name == rules.source {
            return self.seen(case, system, peer);
        }
        let (theirs, ours) = self.seen(case, peer, system);
        (ours, theirs)
    }

    /// What `system` shows of `case` right after a write, in the words both share: `leaves` in its own, `elements` as it
    /// now calls them.
    pub(crate) fn shown_after(
        &self,
        case: &Case,
        system: &System,
        leaves: &Leaves,
        elements: &[(Path, String)],
    ) -> Leaves {
        let Some(rules) = self.rules_of(case).filter(|_| case.kind == Kind::Customer || case.kind.of_catalogue())
        else {
            return leaves.clone();
        };
        let other = case.basis.as_ref().and_then(|basis| self.systems.values().find(|one| one.uid == basis.peer));
        let peer = other.or_else(|| self.systems.get(rules.systems().find(|name| **name != system.name)?));
        let Some(rules) = peer.and_then(|peer| rules.between(&system.name, &peer.name)) else { return leaves.clone() };
        let (Some(peer), mut after) = (peer, case.clone()) else { return leaves.clone() };
        after.sides.entry(system.uid.clone()).or_default().seen = leaves.clone();
        if let Some(bound) = after.bound.get_mut(&system.uid) {
            bound.elements.extend(elements.iter().cloned());
        }
        self.seen_by(&after, rules, system, peer).0
    }

    /// What the pair of `stray` agrees on again, see [`again`]; nothing for records that are not shared by fields.
    ///
    /// # Errors
    /// Where the file lacks a system.
    pub(crate) fn landed_again(&self, case: &Case, stray: &Stray) -> Result<Vec<Base>, EngineError> {
        let system = self.system(&stray.delivery.target)?;
        let peer = stray.basis.as_ref().and_then(|basis| self.systems.values().find(|one| one.uid == basis.peer));
        let Some(peer) = peer else { return Ok(Vec::new()) };
        let rules = self.pair_rules(case.kind, system, peer);
        Ok(rules
            .map(|rules| again(case, stray, (system, &self.seen_by(case, rules, system, peer).0), peer))
            .unwrap_or_default())
    }

    /// What to do about a record that systems share: what can be written goes first, then what a person has to decide.
    /// `aside` are left out.
    pub(crate) fn decide_shared(
        &self,
        case: &Case,
        rules: &FieldRules,
        aside: &Asides,
    ) -> Result<Decided, EngineError> {
        let source = self.system(&rules.source)?;
        let mut agreed = Agreed { revisions: case.revisions(), ..Agreed::default() };
        let mut decided: Option<(Decision, SystemName)> = None;
        for pair in rules.pairs.iter().filter(|pair| !aside.contains_key(&pair.target)) {
            let target = self.system(&pair.target)?;
            let decision = match self.decide_create(case, pair)? {
                Some(decision) => decision,
                None => match self.pair(case, pair)? {
                    Err(lacks) => lacks,
                    Ok(shared) => {
                        note(&mut agreed, case, source, target, &shared);
                        match shared.decision {
                            Decision::Agreed => self
                                .incomplete(case, pair, (source, target))
                                .or_else(|| self.incomparable(case, pair, (source, target)))
                                .unwrap_or(Decision::Agreed),
                            other => other,
                        }
                    }
                },
            };
            let objection = match &decision {
                Decision::Step(plan) => self.objection(case, pair, plan)?,
                _ => None,
            };
            let decision = objection.unwrap_or(decision);
            if decided.as_ref().is_none_or(|(other, _)| weight(&decision) > weight(other)) {
                decided = Some((decision, pair.target.clone()));
            }
        }
        let Some((decision, target)) = decided else { return Ok(Decision::Agreed.into()) };
        let decision = if rules.pairs.len() > 1 { told_of(decision, &target) } else { decision };
        let peer = match &decision {
            Decision::Step(plan) if plan.target == rules.source => Some(target),
            Decision::Step(_) => Some(rules.source.clone()),
            _ => None,
        };
        Ok(Decided { decision, peer, agreed: Some(agreed), ..Decided::default() })
    }

    /// What to do about a record of the catalogue that the target lacks, where such are made; none where nothing is to be
    /// said. A target it was once tied to and has gone from gets no new one: the tie stays. A family comes after its variants.
    pub(crate) fn decide_create(&self, case: &Case, pair: &PairRules) -> Result<Option<Decision>, EngineError> {
        let (source, target) = (self.system(&pair.source)?, self.system(&pair.target)?);
        let seen = case.sides.get(&source.uid).filter(|side| !side.unread && case.bound.contains_key(&source.uid));
        let made = case.kind.of_catalogue() && pair.creates;
        let Some(side) = seen.filter(|_| made && !case.bound.contains_key(&target.uid)) else { return Ok(None) };
        if let Some(first) = catalogue::parent_first(case, source, target, &side.seen) {
            return Ok(Some(first));
        }
        if let Some(first) = self.parts_first(case, pair, (source, target)) {
            return Ok(Some(first));
        }
        let (seen, _) = self.seen(case, source, target);
        if case.kind == Kind::Product && planner::is_made(case.kind, &seen) {
            if let Some(waits @ Decision::Wait(..)) = self.incomplete(case, pair, (source, target)) {
                return Ok(Some(waits));
            }
            if !Self::has_members(case, source, target) {
                return Ok(Some(Decision::Outside(format!("{} has none of its variants", target.name))));
            }
        }
        let (of_source, profile) = (source.kind(case.kind), target.kind(case.kind));
        Ok(Some(planner::create(&CreateCase {
            kind: case.kind,
            rules: pair,
            seen: &seen,
            source: &of_source,
            target: &target.name,
            profile: &profile,
        })))
    }

    /// A hold where the checker of plans objects to `plan`.
    fn objection(&self, case: &Case, rules: &PairRules, plan: &Planned) -> Result<Option<Decision>, EngineError> {
        let (source, shop) = (self.system(&rules.source)?, self.system(&rules.target)?);
        let (target, peer) = if plan.target == rules.source { (source, shop) } else { (shop, source) };
        let nothing = Leaves::new();
        let (shown, other_seen) = self.seen_by(case, rules, target, peer);
        let (mut base, mut of_peer) = bases(case, (target, &shown), (peer, &other_seen));
        parts::since_agreed([&mut base, &mut of_peer], &shown);
        let shared = SharedFacts {
            rules,
            other_seen: &other_seen,
            base: &base,
            chosen: case.chosen.get(&shop.uid).unwrap_or(&nothing),
            undone: &case.undone(&target.uid, &peer.uid),
        };
        Ok(crate::decide::refused(plan, &crate::decide::facts(case, target, &shown, Some(shared))))
    }

    /// What `peer` showed of the fields of `leaves` when they were planned for the other one.
    pub(crate) fn basis(
        &self,
        case: &Case,
        peer: Option<&SystemName>,
        target: &System,
        leaves: &Leaves,
    ) -> Option<Basis> {
        let peer = self.systems.get(peer?)?;
        let (seen, _) = self.seen_by(case, self.pair_rules(case.kind, peer, target)?, peer, target);
        let leaves = leaves.iter().map(|(path, _)| (path.clone(), seen.value(path).cloned())).collect();
        Some(Basis { peer: peer.uid.clone(), leaves })
    }

    /// Reads the prices of `lanes` where nobody tells when they change: those of the targets, and what was never told.
    /// Returns what could not be read.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn freshen_prices(&self, lanes: &[EntityId]) -> Result<Unread, EngineError> {
        let mut unread = Unread::new();
        let Some(rules) = self.field_rules(Kind::Price).filter(|_| !lanes.is_empty()) else { return Ok(unread) };
        let cases = self.cases(lanes).await?;
        for name in rules.systems() {
            let system = self.system(name)?;
            let untold = |case: &Case| name != &rules.source || !case.sides.contains_key(&system.uid);
            self.read_unless_away(name, Kind::Price, &cases, untold, &mut unread).await?;
        }
        Ok(unread)
    }

    /// When `delivery`, whose fate is in doubt, may be looked at: where both sides may change a field, not before it
    /// can land no more, or what lands late would be taken for somebody's change.
    pub(crate) fn look_not_before(&self, delivery: &Delivery, system: &System) -> Option<Timestamp> {
        let rules = self.field_rules(delivery.change.kind)?;
        let pairs = || rules.pairs.iter().filter(|pair| [&pair.source, &pair.target].contains(&&system.name));
        let merged = |path: &Path| pairs().any(|pair| matches!(pair.policy(path), FieldPolicy::Merge(_)));
        let Progress::Unknown { deadline, .. } = &delivery.progress else { return None };
        let at = self.landed_at(delivery.id, after(*deadline, system.kind(delivery.change.kind).settle_s?));
        (at > self.now() && delivery.change.leaves.iter().any(|(path, _)| merged(path))).then_some(at)
    }
}

/// What both agree on by a write of `wish`, as far as `shown` has it: what was written, and what it came from.
pub(crate) fn bases_of_write(system: &System, wish: &Leaves, basis: Option<&Basis>, shown: &Leaves) -> Vec<Base> {
    let Some(basis) = basis else { return Vec::new() };
    let landed = |path: &Path| shown.get(path).says(&wish.get(path));
    let (mut here, mut there) = (wish.clone(), basis.leaves.clone());
    here.retain(landed);
    there.retain(landed);
    Base::laid_over((&system.uid, here), (&basis.peer, there))
}

/// The bases of `one` and `other` towards each other, as what landed late or twice has left them, with what each shows. What
/// shows late is told as it was given: that has landed, and nothing was taken back.
fn bases(case: &Case, one: (&System, &Leaves), other: (&System, &Leaves)) -> (Leaves, Leaves) {
    let (mut of_one, mut of_other) = (base(case, one.0, other.0), base(case, other.0, one.0));
    for stray in &case.strays {
        for again in again(case, stray, one, other.0).into_iter().chain(again(case, stray, other, one.0)) {
            let of = if again.system == one.0.uid { &mut of_one } else { &mut of_other };
            *of = of.overlaid(&again.leaves);
        }
    }
    (of_one, of_other)
}

/// What `system` and `peer` agree on again by `stray`, where `system` shows what that wrote and no longer what both
/// agreed on since. It landed late, or twice: nobody changed anything, and what was said since has to be said again.
fn again(case: &Case, stray: &Stray, (system, shown): (&System, &Leaves), peer: &System) -> Vec<Base> {
    let Stray { delivery, basis, .. } = stray;
    let basis = basis.as_ref().filter(|basis| delivery.target == system.name && basis.peer == peer.uid);
    let (wish, agreed) = (&delivery.change.leaves, base(case, system, peer));
    let mut bases = bases_of_write(system, wish, basis, shown);
    bases.iter_mut().for_each(|base| base.leaves.retain(|path| !agreed.get(path).says(&wish.get(path))));
    bases
}

/// Puts what `system` was given in the place of what it showed before, in fields that both may change: as long as
/// something of the write may still be under way, its showing the old value again is no change of its people; nor is a text that
/// it shows in another language, too: that is what stands there for want of one of its own.
fn shows_late(case: &Case, rules: &PairRules, system: &System, peer: &System, seen: &mut Leaves) {
    let given = base(case, system, peer);
    let ours = || case.strays.iter().filter(|stray| stray.delivery.target == system.name);
    for (path, _) in ours().flat_map(|stray| stray.delivery.change.leaves.iter()) {
        let (agreed, shown) = (given.get(path), seen.get(path));
        let landed = ours().any(|stray| stray.delivery.change.leaves.get(path).says(&agreed));
        let old = |stray: &Stray| stray.before.as_ref().is_some_and(|before| before.get(path).says(&shown));
        let merged = matches!(rules.policy(path), FieldPolicy::Merge(_));
        if merged && landed && shown != Leaf::Untold && (ours().any(old) || is_borrowed(path, seen)) {
            seen.set(path.clone(), agreed);
        }
    }
}

/// Whether `seen` shows the text at `path` in another language, too.
fn is_borrowed(path: &Path, seen: &Leaves) -> bool {
    let (Some((locale, field)), Some(text)) = (Variant::text_of(path), seen.value(path)) else { return false };
    let another = |path: &Path| Variant::text_of(path).is_some_and(|(other, of)| other != locale && of == field);
    seen.iter().any(|(other, value)| value == Some(text) && another(other))
}

/// The base of `system` towards `peer`.
fn base(case: &Case, system: &System, peer: &System) -> Leaves {
    if case.kind == Kind::Customer {
        return customers::base(case, system, peer);
    }
    case.sides.get(&system.uid).map(|side| side.base(&peer.uid)).unwrap_or_default()
}

/// Why one pair of systems cannot be compared; none where it can.
fn missing(case: &Case, pair: [&System; 2], called: impl FnOnce() -> String) -> Option<Decision> {
    if let Some(decision) = buried(case, pair, called) {
        return Some(decision);
    }
    for system in pair {
        if customers::of_guest(case, system) {
            return Some(Decision::Outside(format!("{} knows it from orders only", system.name)));
        }
        if !case.bound.contains_key(&system.uid) {
            return Some(Decision::Outside(format!("{} does not know it", system.name)));
        }
        match case.sides.get(&system.uid) {
            None => return Some(Decision::Outside(format!("{} has not told it yet", system.name))),
            Some(side) if side.unread => {
                let what = format!("the last answer of {} for it could not be read", system.name);
                return Some(Decision::Hold(Hold::new("SYN-0107", what, "the next pass reads it anew")));
            }
            Some(_) => {}
        }
    }
    None
}

/// Adds what `shared` found to be agreed between `source` and `target`.
fn note(agreed: &mut Agreed, case: &Case, source: &System, target: &System, shared: &Shared) {
    let (of_source, of_target) = &shared.agreed;
    for (system, peer, leaves) in [(source, target, of_source), (target, source, of_target)] {
        let (system, peer, leaves) = (system.uid.clone(), peer.uid.clone(), leaves.clone());
        agreed.bases.push(Base { system, peer, leaves, over: false });
    }
    for (system, peer, paths) in [(source, target, &shared.over.0), (target, source, &shared.over.1)] {
        agreed.lifted.extend(paths.iter().map(|path| (system.uid.clone(), peer.uid.clone(), path.clone())));
    }
    let Some(chosen) = case.chosen.get(&target.uid) else { return };
    let settled = |path: &&Path| {
        let asked = match &shared.decision {
            Decision::Step(plan) => plan.leaves.get(path) != Leaf::Untold,
            Decision::Hold(_) => true,
            _ => false,
        };
        !asked && of_source.get(path) != Leaf::Untold && of_target.get(path) != Leaf::Untold
    };
    let over = chosen.iter().map(|(path, _)| path).filter(settled);
    agreed.over_with.extend(over.map(|path| (target.uid.clone(), path.clone())));
}

/// `decision` with the system it is about, where a person is to see to it: there are several.
fn told_of(decision: Decision, target: &SystemName) -> Decision {
    match decision {
        Decision::Hold(hold) => Decision::Hold(about(hold, target)),
        Decision::Conflict(hold) => Decision::Conflict(about(hold, target)),
        other => other,
    }
}

/// `hold` with the system it is about, where it does not say so itself.
pub(crate) fn about(hold: Hold, target: &SystemName) -> Hold {
    match hold.what.contains(target.as_str()) {
        true => hold,
        false => Hold { what: format!("{target}: {}", hold.what), ..hold },
    }
}

fn weight(decision: &Decision) -> u8 {
    match decision {
        Decision::Step(_) => 4,
        Decision::Conflict(_) => 3,
        Decision::Hold(_) | Decision::Wait(..) => 2,
        Decision::Agreed => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_borrowed_where_another_language_shows_the_same() {
        let text =
            |path: &str, text: &str| (Path::try_from(path.to_string()).unwrap(), Some(Value::Text(text.to_string())));
        let seen: Leaves = [
            text("texts.en.description", "A mug"),
            text("texts.de.description", "A mug"),
            text("texts.fr.description", "Une tasse"),
            text("texts.fr.name", "A mug"),
        ]
        .into_iter()
        .collect();
        let borrowed = |path: &str| is_borrowed(&Path::try_from(path.to_string()).unwrap(), &seen);
        assert!(borrowed("texts.de.description") && !borrowed("texts.fr.description"));
        assert!(!borrowed("texts.fr.name"), "a name is no description");
    }
}
