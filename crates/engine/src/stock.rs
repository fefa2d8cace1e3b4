//! Stock: figures are read anew before they decide, and every shop of the flow is told in turn.

use crate::aside::Asides;
use crate::decide::Decided;
use crate::gone::buried;
use crate::run::Engine;
use crate::satellites::Unread;
use crate::system::{EngineError, System};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::Error;
use syncline_core::audit::StockFacts;
use syncline_core::id::{EntityId, SystemName, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::{self, Decision, Shows, StockCase};
use syncline_core::policy::Hold;
use syncline_core::record::Stock;
use syncline_core::rules::{StockRules, StockTarget};
use syncline_store::{Case, CommitmentState};

/// How often what each shop shows of a record had changed when its orders were asked for after it.
pub(crate) type Heeded = BTreeMap<SystemUid, u64>;

/// Seconds within which the ERP's figures count as read just now.
const FRESH_S: i64 = 30;
impl Engine {
    /// Reads the figures of `lanes` anew where they may be old: always those of the shops, whose buyers change them.
    /// Returns what could not be read.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn freshen(&self, lanes: &[EntityId]) -> Result<Unread, EngineError> {
        let mut unread = Unread::new();
        let Some(rules) = &self.flows.inventory else { return Ok(unread) };
        if lanes.is_empty() {
            return Ok(unread);
        }
        let cases = self.cases(lanes).await?;
        let targets = rules.targets.iter().map(|target| &target.system);
        for name in std::iter::once(&rules.source).chain(targets) {
            let system = self.system(name)?;
            let now = self.now();
            let since = now.checked_sub(SignedDuration::from_secs(FRESH_S)).unwrap_or(Timestamp::MIN);
            let old = |case: &Case| {
                let fresh = case.sides.get(&system.uid).is_some_and(|side| (since..=now).contains(&side.seen_at));
                let reserved = case.commitments.iter().any(|one| one.reserved.is_some());
                name != &rules.source || !fresh || reserved
            };
            self.read_unless_away(name, Kind::Stock, &cases, old, &mut unread).await?;
        }
        Ok(unread)
    }

    /// The shop that `decision` tells a figure on grounds its orders have not been asked for since; its figure counts as
    /// heeded from now on. What the shop sold before it showed that figure has to count as ordered, or it would be put up
    /// for sale again as if it were there twice.
    pub(crate) fn unheeded<'a>(
        &self,
        decision: &'a Decision,
        case: &Case,
        heeded: &mut Heeded,
    ) -> Option<&'a SystemName> {
        let Decision::Step(plan) = decision else { return None };
        let shop = self.systems.get(&plan.target)?;
        let takes_orders = self.selling_there(shop).next().is_some();
        if plan.kind != Kind::Stock || !takes_orders || !self.writes_to(Kind::Stock) {
            return None;
        }
        let shown = case.sides.get(&shop.uid)?.revision;
        (heeded.insert(shop.uid.clone(), shown) != Some(shown)).then_some(&plan.target)
    }

    /// Asks each of `shops` for its orders. Returns which did not answer.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn heed_orders(
        &self,
        shops: &BTreeSet<SystemName>,
    ) -> Result<BTreeMap<SystemName, Error>, EngineError> {
        let mut silent = BTreeMap::new();
        for name in shops {
            for one in self.selling_there(self.system(name)?) {
                match self.poll(one, Kind::Order).await {
                    Ok(_) => {}
                    Err(EngineError::System { error, .. }) => {
                        silent.insert(name.clone(), error);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(silent)
    }

    /// The systems whose orders may take from what `shop` has: itself, and other websites at its address.
    fn selling_there<'a>(&'a self, shop: &'a System) -> impl Iterator<Item = &'a System> {
        let sources = self.flows.orders.iter().filter_map(|rules| self.systems.get(&rules.source));
        sources.filter(|one| one.uid == shop.uid || shop.beside.contains(&one.uid))
    }

    /// What to do about the stock `case`: the first shop that shows something else is told first. `aside` are left out.
    pub(crate) fn decide_stock(&self, case: &Case, aside: &Asides) -> Result<Decided, EngineError> {
        let Some(rules) = &self.flows.inventory else {
            return Ok(Decision::Outside("no flow carries it".to_string()).into());
        };
        let source = self.system(&rules.source)?;
        let Some(theirs) = figures_of(case, source) else {
            return Ok(Decision::Outside(format!("{} does not know it", source.name)).into());
        };
        let theirs = match theirs {
            Ok(stock) => stock,
            Err(hold) => return Ok(Decision::Hold(hold).into()),
        };
        let ordered = ordered(case, asked_at(case, source));
        let mut decided = Decision::Outside("no shop of the flow knows it".to_string());
        for shown in rules.targets.iter().filter(|target| !aside.contains_key(&target.system)) {
            let target = self.system(&shown.system)?;
            if let Some(gone) = buried(case, [source, target], || case.label.clone()) {
                decided = graver(decided, gone);
                continue;
            }
            let seen = match figures_of(case, target) {
                None => continue,
                Some(Ok(stock)) => stock,
                Some(Err(hold)) => {
                    decided = graver(decided, Decision::Hold(hold));
                    continue;
                }
            };
            let one = planner::stock(&StockCase {
                target: shown,
                from: &source.name,
                source: &theirs,
                ordered,
                seen: &seen,
                shows: shows(target),
                owed: self.owed_of(case, target),
            });
            decided = graver(decided, one);
        }
        Ok(decided.into())
    }

    /// How much of the variant of the stock `case` waits to be sent from what `shop` has: by itself, and by other websites at
    /// its address whose figures nobody tells.
    fn owed_of(&self, case: &Case, shop: &System) -> Decimal {
        let Some(bound) = case.bound.get(&shop.uid) else { return Decimal::ZERO };
        let told = |one: &System| {
            self.flows.inventory.iter().flat_map(|rules| &rules.targets).any(|target| target.system == one.name)
        };
        let others = self.selling_there(shop).filter(|one| one.uid != shop.uid && !told(one));
        let owed = std::iter::once(shop).chain(others).map(|one| self.owed.of(&one.uid, &bound.id));
        owed.fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// For a stock lane: where the journal stood when the ERP's figures were asked for. What was reserved before is in them.
    pub(crate) async fn served_until(&self, lane: EntityId, kind: Kind) -> Result<Option<u64>, EngineError> {
        let (Kind::Stock, Some(rules)) = (kind, &self.flows.inventory) else { return Ok(None) };
        let case = self.store.load(lane).await?;
        Ok(Some(asked_at(&case, self.system(&rules.source)?)))
    }

    /// What the checker of plans is told about stock in `target`, added up without the planner.
    pub(crate) fn stock_facts<'a>(
        &self,
        case: &Case,
        rules: &'a StockRules,
        target: &'a StockTarget,
    ) -> Option<StockFacts<'a>> {
        let source = self.systems.get(&rules.source)?;
        let stock = figures_of(case, source)?.ok()?;
        let mut free = Decimal::ZERO.checked_sub(ordered(case, asked_at(case, source)))?.checked_sub(target.safety)?;
        for warehouse in target.places.iter().flat_map(|(_, warehouses)| warehouses) {
            let level = stock.levels.get(warehouse)?;
            free = free.checked_add(level.available.or(level.on_hand)?)?;
        }
        let figure = match shows(self.systems.get(&target.system)?) {
            Shows::Physical => "on_hand",
            Shows::Salable => "available",
        };
        let owed = self.systems.get(&target.system).map(|shop| self.owed_of(case, shop)).unwrap_or_default();
        Some(StockFacts { owed, free, places: target.places.iter().map(|(place, _)| place.as_str()).collect(), figure })
    }

    /// How far the ERP has come with what the order `entity` takes from stock; none where no orders flow.
    pub(crate) async fn commitment_state(
        &self,
        entity: EntityId,
        outside: bool,
    ) -> Result<Option<CommitmentState>, EngineError> {
        if self.flows.orders.is_empty() {
            return Ok(None);
        }
        if outside {
            return Ok(Some(CommitmentState::Outside));
        }
        let case = self.store.load(entity).await?;
        let Some(rules) = self.order_rules(&case) else { return Ok(None) };
        let target = self.system(&rules.target)?;
        let stage = case.sides.get(&target.uid).and_then(|side| match side.seen.value(&Path::field("stage"))? {
            Value::Code(stage) => Some(stage.as_str()),
            _ => None,
        });
        let reserved = self.has_reserved(stage, target);
        Ok(Some(if reserved { CommitmentState::Reserved } else { CommitmentState::Open }))
    }

    /// Whether `system` keeps back the goods of a document at `stage`: from the last of its stages on. Shops have none.
    pub(crate) fn has_reserved(&self, stage: Option<&str>, system: &System) -> bool {
        let profile = system.kind(Kind::Order);
        let stages = &profile.stages;
        stage.is_some_and(|stage| {
            !stages.is_empty() && (stage == "done" || stages.last().is_some_and(|last| last == stage))
        })
    }
}

/// What is ordered in any shop and not in the ERP's figures that were asked for when the journal stood at `asked_at`.
pub(crate) fn ordered(case: &Case, asked_at: u64) -> Decimal {
    let counted = case.commitments.iter().filter(|one| one.reserved.is_none_or(|reserved| reserved > asked_at));
    counted.fold(Decimal::ZERO, |sum, one| sum.saturating_add(one.quantity))
}

/// What the figures of `shop` mean, by the one it takes.
pub(crate) fn shows(shop: &System) -> Shows {
    let takes = |path: &String| path == "levels[*].available";
    if shop.kind(Kind::Stock).writes.iter().any(takes) { Shows::Salable } else { Shows::Physical }
}

/// Where the journal stood when `source` was asked for the figures in `case`.
fn asked_at(case: &Case, source: &System) -> u64 {
    case.sides.get(&source.uid).map_or(0, |side| side.asked_at)
}

/// What `system` shows of the stock `case`; none where it does not know the variant.
fn figures_of(case: &Case, system: &System) -> Option<Result<Stock, Hold>> {
    case.bound.get(&system.uid)?;
    let nothing = Leaves::new();
    let seen = case.sides.get(&system.uid).map_or(&nothing, |side| &side.seen);
    let malformed = |error: syncline_core::record::Malformed| {
        Hold::new("SYN-0107", error.to_string(), "report this as a defect, with `syncline explain`")
    };
    Some(Stock::from_leaves(seen).map_err(malformed))
}

/// The decision that counts of two shops': what can be done now, then what a person has to do.
fn graver(one: Decision, other: Decision) -> Decision {
    let weight = |decision: &Decision| match decision {
        Decision::Step(_) => 3,
        Decision::Hold(_) => 2,
        Decision::Agreed => 1,
        _ => 0,
    };
    if weight(&other) > weight(&one) { other } else { one }
}
