//! Asks the planner about one entity: gathers what both sides show, in our keys, and what references mean.

use crate::aside::Asides;
use crate::gone::buried;
use crate::run::Engine;
use crate::system::{EngineError, System};
use crate::translate::{self, Resolution};
use syncline_connect::Snapshot;
use syncline_core::audit::{self, Facts, SharedFacts};
use syncline_core::id::{RemoteId, SystemName};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::mark::{Origin, mark};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::planner::{self, Bound, Decision, OrderCase, Planned};
use syncline_core::policy::Hold;
use syncline_core::record::{Customer, Order, Record};
use syncline_core::rules::OrderRules;
use syncline_store::{Agreed, Case, SideState};

/// A decision with what is needed to carry it out.
#[derive(Debug)]
pub struct Decided {
    /// What to do.
    pub decision: Decision,
    /// What the record's references mean in the target.
    pub resolution: Resolution,
    /// For a record that systems share: where the values come from.
    pub peer: Option<SystemName>,
    /// For a record that systems share: what they agree on already.
    pub agreed: Option<Agreed>,
}

impl Default for Decided {
    fn default() -> Self {
        Decision::Agreed.into()
    }
}

impl From<Decision> for Decided {
    fn from(decision: Decision) -> Self {
        Self { decision, resolution: Resolution::default(), peer: None, agreed: None }
    }
}

impl Engine {
    /// What to do about `case` now. `lenient` counts what is known but not yet in the target as there.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn decide(&self, case: &Case, lenient: bool) -> Result<Decided, EngineError> {
        self.decide_without(case, lenient, &Asides::new()).await
    }

    /// The same, the systems in `aside` left out.
    pub(crate) async fn decide_without(
        &self,
        case: &Case,
        lenient: bool,
        aside: &Asides,
    ) -> Result<Decided, EngineError> {
        if case.kind == Kind::Stock {
            let mut decided = self.decide_stock(case, aside)?;
            self.check_stock(case, &mut decided.decision)?;
            return Ok(decided);
        }
        if let Some(rules) = self.paper_rules(case.kind) {
            let mut decided = self.decide_paper(case, rules).await?;
            self.check_paper(case, &mut decided.decision)?;
            return Ok(decided);
        }
        if let Some(rules) = self.field_rules(case.kind).filter(|_| case.kind != Kind::Customer) {
            return self.decide_shared(case, rules, aside);
        }
        let Some(rules) = self.order_rules(case) else {
            return Ok(Decision::Outside("no flow carries it".to_string()).into());
        };
        if let Some(at) = case.erased.filter(|_| case.kind == Kind::Customer) {
            return Ok(Decision::Outside(format!("its personal text was erased on {at:.0}")).into());
        }
        let (source, target) = (self.system(&rules.source)?, self.system(&rules.target)?);
        if let Some(decision) = buried(case, [source, target], || self.record_name(case).key) {
            return Ok(self.moved_on(case, source, decision).await?.into());
        }
        let Some(side) = case.sides.get(&source.uid) else {
            return Ok(Decision::Outside(format!("{} does not show it", source.name)).into());
        };
        if side.unread {
            // Before anything is written it is read anew; until then nothing can be said of it.
            let what = format!("the last answer of {} for it could not be read", source.name);
            return Ok(Decision::Hold(Hold::new("SYN-0107", what, "the next pass reads it anew")).into());
        }
        let mut decided = match case.kind {
            Kind::Order => self.decide_order(case, rules, source, target, side, lenient).await?,
            Kind::Customer => match Self::decide_person(&self.person(case, source, target).await?, target) {
                Some(decision) => decision.into(),
                None => self.decide_customer(case, source, target, side, aside)?,
            },
            _ => Decision::Outside("no flow carries it".to_string()).into(),
        };
        // A record that is shared was checked by its fields.
        if let (Decision::Step(plan), None) = (&decided.decision, &decided.peer) {
            let (there, other) = if plan.target == source.name { (source, target) } else { (target, source) };
            // In our keys, or no line of a plan would be found in what is there.
            let shown = shown_by(case, there).1.unwrap_or_default();
            let facts = Facts {
                owed: grand_total(case, source),
                has: grand_total(case, target),
                withdrawn: is_withdrawn(case, other),
                ..facts(case, target, &shown, None)
            };
            checked(&mut decided.decision, &facts);
        }
        Ok(decided)
    }

    /// The rules of the shop that `case`, an order or a customer, is from.
    pub(crate) fn order_rules(&self, case: &Case) -> Option<&OrderRules> {
        let of = |rules: &&OrderRules| {
            self.systems.get(&rules.source).is_some_and(|shop| case.bound.contains_key(&shop.uid))
        };
        self.flows.orders.iter().find(of).or(self.flows.orders.first())
    }

    fn check_paper(&self, case: &Case, decision: &mut Decision) -> Result<(), EngineError> {
        let Decision::Step(plan) = &*decision else { return Ok(()) };
        let target = self.system(&plan.target)?;
        let nothing = Leaves::new();
        let shown = case.sides.get(&target.uid).map_or(&nothing, |side| &side.seen);
        let taken = case.sides.iter().filter(|(uid, _)| **uid != target.uid).find_map(|(_, side)| {
            match side.seen.value(&Path::field("grand"))? {
                Value::Money(money) => Some(*money),
                _ => None,
            }
        });
        let taken = taken.filter(|_| case.kind == Kind::Payment);
        checked(decision, &Facts { taken, ..facts(case, target, shown, None) });
        Ok(())
    }

    fn check_stock(&self, case: &Case, decision: &mut Decision) -> Result<(), EngineError> {
        let (Decision::Step(plan), Some(rules)) = (&*decision, &self.flows.inventory) else { return Ok(()) };
        let target = self.system(&plan.target)?;
        let nothing = Leaves::new();
        let shown = case.sides.get(&target.uid).map_or(&nothing, |side| &side.seen);
        let figures = rules.targets.iter().find(|figures| figures.system == target.name);
        let stock = figures.and_then(|figures| self.stock_facts(case, rules, figures));
        let facts = Facts { stock, ..facts(case, target, shown, None) };
        checked(decision, &facts);
        Ok(())
    }

    async fn decide_order(
        &self,
        case: &Case,
        rules: &OrderRules,
        source: &System,
        target: &System,
        side: &SideState,
        lenient: bool,
    ) -> Result<Decided, EngineError> {
        let Some(source_id) = case.bound.get(&source.uid).map(|bound| &bound.id) else {
            return Ok(Decision::Outside("it has no id in its source".to_string()).into());
        };
        let order = match Order::from_leaves(&side.seen) {
            Ok(order) => order,
            Err(error) => return Ok(malformed(&error).into()),
        };
        let mut resolution = translate::resolve(self.store.as_ref(), &source.uid, &target.uid, &side.seen).await?;
        resolution.lenient = lenient;
        let (bound_id, shown) = shown_by(case, target);
        let seen = match shown.as_ref().map(Order::from_leaves).transpose() {
            Ok(seen) => seen,
            Err(error) => return Ok(malformed(&error).into()),
        };
        let base = case.sides.get(&target.uid).map(|side| side.base(&source.uid)).unwrap_or_default();
        let base = case.bound.get(&target.uid).map_or(base.clone(), |b| translate::inbound(&base, &b.elements));
        let (profile, nothing) = (target.kind(Kind::Order), Leaves::new());
        let credits = self.given_back(case, source, target).await?;
        let order_case = OrderCase {
            now: self.now(),
            rules,
            source_id,
            order: &order,
            admitted: case.admitted,
            source_base: &side.base(&target.uid),
            source_seen: &side.seen,
            target: match (bound_id, &seen) {
                (Some(id), Some(seen)) => Some(Bound { id, seen, base: &base }),
                _ => None,
            },
            profile: &profile,
            adopted: crate::adopt::is_adopted(case),
            chosen: case.chosen.get(&target.uid).unwrap_or(&nothing),
            given_back: &credits.known,
            source_keeps_reference: source.kind(Kind::Order).writes.iter().any(|path| path == "reference"),
            source_cancels: source.kind(Kind::Order).steps.contains(&Step::Cancel),
            world: &resolution,
        };
        let mut decision = planner::order(&order_case);
        if matches!(&decision, Decision::Hold(hold) if hold.code == "SYN-0110") && !credits.landing.is_empty() {
            decision = Decision::Wait(credits.landing, "a credit of it may be landing".to_string());
        }
        let decision = self.never_twice(case, source_id, [source, target], decision).await?;
        let decision = self.no_twin(case, source_id, &order, [source, target], decision).await?;
        Ok(Decided { decision, resolution, ..Decided::default() })
    }

    /// The mark of the document that `case` has or would have in `target`.
    #[must_use]
    pub fn mark_of(&self, kind: Kind, source: &System, id: &RemoteId, target: &System) -> syncline_core::id::Mark {
        mark(&Origin {
            source: &source.uid,
            kind,
            id,
            target: &target.uid,
            target_scope: "",
            role: "main",
            generation: 0,
        })
    }

    /// `plan` for `case` in the target's own words, each value as the target keeps it.
    ///
    /// # Errors
    /// A hold that names what cannot be said in the target.
    pub fn wish(&self, case: &Case, plan: &Planned, resolution: &Resolution, target: &System) -> Result<Leaves, Hold> {
        let out = match plan.kind.of_catalogue() {
            // References go in our words; what the target calls them stands beside.
            true => plan.leaves.clone(),
            false => translate::outbound(&plan.leaves, resolution, self.order_rules(case))?,
        };
        let mut fitted = Leaves::new();
        for (path, value) in out.iter() {
            let Some(value) = value else {
                fitted.tell(path.clone(), None);
                continue;
            };
            match target.connector.fit(plan.kind, path, value) {
                syncline_core::profile::Fit::Exact => fitted.put(path.clone(), value.clone()),
                syncline_core::profile::Fit::As(other, _) => fitted.put(path.clone(), other),
                syncline_core::profile::Fit::Refused(why) => {
                    let what = format!("{} cannot keep `{path}` = `{value}`: {why}", target.name);
                    return Err(Hold::new("SYN-0109", what, "change the value in its source, then `syncline retry`"));
                }
            }
        }
        Ok(fitted)
    }
}

/// Holds a step the checker objects to.
fn checked(decision: &mut Decision, facts: &Facts<'_>) {
    let Decision::Step(plan) = &*decision else { return };
    if let Some(hold) = refused(plan, facts) {
        *decision = hold;
    }
}

/// What the checker is told of every step.
pub(crate) fn facts<'a>(case: &Case, target: &System, shown: &'a Leaves, shared: Option<SharedFacts<'a>>) -> Facts<'a> {
    let bound = case.bound.contains_key(&target.uid);
    Facts { bound, owed: None, has: None, taken: None, withdrawn: false, target_seen: shown, stock: None, shared }
}

/// The hold in place of a step the checker objects to.
pub(crate) fn refused(plan: &Planned, facts: &Facts<'_>) -> Option<Decision> {
    let first = audit::objections(plan, facts).into_iter().next()?;
    let what = format!("the plan `{} {}` was refused by the checker: {first}", plan.kind, plan.step);
    Some(Decision::Hold(Hold::new("SYN-0900", what, "report this as a defect, with `explain`")))
}

/// What the target calls it and shows of it, in our keys.
#[must_use]
pub fn shown_by<'a>(case: &'a Case, target: &System) -> (Option<&'a RemoteId>, Option<Leaves>) {
    let Some(bound) = case.bound.get(&target.uid) else { return (None, None) };
    let seen = case.sides.get(&target.uid).map(|side| translate::inbound(&side.seen, &bound.elements));
    (Some(&bound.id), seen.or_else(|| Some(Leaves::new())))
}

fn malformed(error: &syncline_core::record::Malformed) -> Decision {
    Decision::Hold(Hold::new("SYN-0107", error.to_string(), "report this as a defect, with `syncline explain`"))
}

/// The grand total `system` shows.
fn grand_total(case: &Case, system: &System) -> Option<Money> {
    match case.sides.get(&system.uid)?.seen.value(&Path::field("totals.grand"))? {
        Value::Money(money) => Some(*money),
        _ => None,
    }
}

/// Whether `system` says of a record, or of each of its lines, that it is cancelled.
fn is_withdrawn(case: &Case, system: &System) -> bool {
    let Some(side) = case.sides.get(&system.uid) else { return false };
    let cancelled = Value::Code("cancelled".to_string());
    let figure = |key: &str, field: &str| side.seen.value(&Path::element("lines", key).dot(field));
    let lines = side.seen.keys_of("lines");
    let mut told =
        lines.iter().filter_map(|key| Some((figure(key, "cancelled")?, figure(key, "quantity")?))).peekable();
    ["life", "stage"].into_iter().any(|field| side.seen.value(&Path::field(field)) == Some(&cancelled))
        || (told.peek().is_some() && told.all(|(off, wanted)| off == wanted))
}

/// The customer `leaves` tell; an empty one where they cannot be read.
#[must_use]
pub fn customer_of(leaves: &Leaves) -> Customer {
    match Record::from_leaves(Kind::Customer, leaves) {
        Ok(Record::Customer(customer)) => customer,
        _ => Customer::default(),
    }
}

/// The order `snapshot` tells of.
pub(crate) fn order_of(snapshot: &Snapshot) -> Option<Order> {
    snapshot.records.iter().find_map(|(_, record)| match record {
        Record::Order(order) => Some((**order).clone()),
        _ => None,
    })
}
