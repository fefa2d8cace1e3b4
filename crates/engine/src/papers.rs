//! Papers: what an ERP did about orders, told to the shops they are from.
//!
//! A paper is decided with its order: whose it is, what the shop counts of each line, and what other papers of ours have had
//! there. The order is read anew right before a paper leaves, or people's own papers would be counted as left.

use crate::adopt::is_adopted;
use crate::decide::Decided;
use crate::run::Engine;
use crate::system::{EngineError, System};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use syncline_connect::{Error, Snapshot};
use syncline_core::delivery::{Delivery, Progress};
use syncline_core::id::{EntityId, RemoteId};
use syncline_core::kind::{Flow, Kind, Step};
use syncline_core::leaf::Leaves;
use syncline_core::path::Path;
use syncline_core::planner::{self, Decision, PaperCase};
use syncline_core::policy::Hold;
use syncline_core::record::{Order, Paper, paper_apart};
use syncline_core::rules::{PaperRules, PaperTarget};
use syncline_store::{Base, Case};

/// The order a paper is about.
#[derive(Debug)]
pub(crate) struct OrderOf<'a> {
    /// How its shop is told.
    pub(crate) rules: &'a PaperTarget,
    /// Its shop.
    pub(crate) shop: &'a System,
    /// Everything known about it.
    pub(crate) case: Case,
    /// What the shop calls it.
    pub(crate) id: RemoteId,
}

impl Engine {
    /// The rules of papers of `kind`, where they are carried.
    pub(crate) fn paper_rules(&self, kind: Kind) -> Option<&PaperRules> {
        self.flows.papers.as_ref().filter(|_| kind.is_paper())
    }

    /// The kinds of papers that are read: those that the ERP tells and some shop takes.
    pub(crate) fn paper_kinds(&self) -> Vec<Kind> {
        let Some(rules) = &self.flows.papers else { return Vec::new() };
        let does = |name, kind| self.systems.get(name).is_some_and(|one| one.profile.kinds.contains_key(&kind));
        let takes = |kind: Kind| rules.targets.iter().any(|target| target.takes(kind) && does(&target.system, kind));
        let kinds = Flow::Papers.kinds().iter().copied();
        kinds.filter(|kind| does(&rules.source, *kind) && takes(*kind)).collect()
    }

    /// The order that the paper `case` of `erp` is about, where it is from a shop of the flow.
    pub(crate) async fn order_of_paper(&self, case: &Case, erp: &System) -> Result<Option<OrderOf<'_>>, EngineError> {
        let Some(rules) = self.paper_rules(case.kind) else { return Ok(None) };
        let told = case.bound.get(&erp.uid).and_then(|bound| paper_apart(&bound.id));
        let Some((document, _)) = told else { return Ok(None) };
        let found = self.store.entities(erp.uid.clone(), Kind::Order, vec![document]).await?;
        let Some(entity) = found.into_iter().flatten().next() else { return Ok(None) };
        let order = self.store.load(entity).await?;
        for target in &rules.targets {
            let shop = self.system(&target.system)?;
            if let Some(id) = order.bound.get(&shop.uid).map(|bound| bound.id.clone()) {
                return Ok(Some(OrderOf { rules: target, shop, case: order, id }));
            }
        }
        Ok(None)
    }

    /// What to do about the paper `case`.
    pub(crate) async fn decide_paper(&self, case: &Case, rules: &PaperRules) -> Result<Decided, EngineError> {
        let outside = |why: String| Ok(Decision::Outside(why).into());
        let erp = self.system(&rules.source)?;
        let Some(side) = case.sides.get(&erp.uid) else { return outside(format!("{} does not show it", erp.name)) };
        let Some(order) = self.order_of_paper(case, erp).await? else {
            return outside("its order is from no shop of the flow".to_string());
        };
        if !order.rules.takes(case.kind) {
            return outside(format!("{} is told of no {}", order.shop.name, case.kind.plural()));
        }
        let shown = order.case.sides.get(&order.shop.uid).map(|side| (&side.seen, side.unread));
        let Some((shown, false)) = shown.filter(|_| !side.unread) else {
            let what = "the last answer for it, or for its order, could not be read".to_string();
            return Ok(Decision::Hold(Hold::new("SYN-0107", what, "the next pass reads it anew")).into());
        };
        let there = case.sides.get(&order.shop.uid);
        let (told, shows) = (Paper::from_leaves(&side.seen), Order::from_leaves(shown));
        let there_told = there.map(|side| Paper::from_leaves(&side.seen)).transpose();
        let (told, shows, there_told) = match (told, shows, there_told) {
            (Ok(told), Ok(shows), Ok(there)) => (told, shows, there),
            (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
                let remedy = "report this as a defect, with `syncline explain`";
                return Ok(Decision::Hold(Hold::new("SYN-0107", error.to_string(), remedy)).into());
            }
        };
        if case.gone.contains_key(&erp.uid) && there_told.is_none() {
            return outside(format!("it was deleted in {}", erp.name));
        }
        let elements = order.case.bound.get(&erp.uid).map(|bound| bound.elements.clone()).unwrap_or_default();
        let (told, strange) = in_words_of_order(told, &elements);
        let beside = self.papers_beside(case, erp, &order).await?;
        let decision = planner::paper(&PaperCase {
            kind: case.kind,
            source: &erp.name,
            rules: order.rules,
            paper: &told,
            strange: &strange,
            order: &shows,
            known: &beside.known,
            landing: &beside.landing,
            adopted: is_adopted(&order.case),
            left: case.admitted,
            there: there_told.as_ref(),
            written: &there.map(|side| side.base(&erp.uid)).unwrap_or_default(),
        });
        let decision = self.after_the_others(case, erp, &order, decision).await?;
        Ok(Decided { decision, peer: Some(erp.name.clone()), ..Decided::default() })
    }

    /// `decision` about a credit, where what it takes back has to be told first: a shop sends nothing that it gave back, and
    /// gives nothing back that it did not ask for.
    async fn after_the_others(
        &self,
        case: &Case,
        erp: &System,
        order: &OrderOf<'_>,
        decision: Decision,
    ) -> Result<Decision, EngineError> {
        let early = match &decision {
            Decision::Step(plan) => plan.step == Step::Create,
            Decision::Hold(hold) => hold.code == "SYN-0193",
            _ => false,
        };
        let Some(document) = order.case.bound.get(&erp.uid).filter(|_| early && case.kind == Kind::Credit) else {
            return Ok(decision);
        };
        let mut first = Vec::new();
        for kind in [Kind::Shipment, Kind::Invoice] {
            for entity in self.store.papers_of(erp.uid.clone(), kind, document.id.clone()).await? {
                let lane = self.store.story(entity).await?.lane;
                if lane.is_some_and(|lane| ["ready", "waiting"].contains(&lane.state.as_str())) {
                    first.push(entity);
                }
            }
        }
        match first.is_empty() {
            true => Ok(decision),
            false => Ok(Decision::Wait(first, "the shop is told of what it takes back first".to_string())),
        }
    }

    /// The other papers of the same sort and order: what each line has had by them in the shop, and which may be landing.
    async fn papers_beside(&self, case: &Case, erp: &System, order: &OrderOf<'_>) -> Result<Beside, EngineError> {
        let mut beside = Beside::default();
        let Some(document) = order.case.bound.get(&erp.uid) else { return Ok(beside) };
        for entity in self.store.papers_of(erp.uid.clone(), case.kind, document.id.clone()).await? {
            if entity == case.entity {
                continue;
            }
            beside.add(&self.store.load(entity).await?, order.shop);
        }
        Ok(beside)
    }

    /// How much of each line of the order `case` of `shop` was given back there by credits that came from `erp`, and those
    /// that may be landing.
    pub(crate) async fn given_back(&self, case: &Case, shop: &System, erp: &System) -> Result<Beside, EngineError> {
        let mut beside = Beside::default();
        let document = case.bound.get(&erp.uid).filter(|_| self.paper_rules(Kind::Credit).is_some());
        let Some(document) = document else { return Ok(beside) };
        for entity in self.store.papers_of(erp.uid.clone(), Kind::Credit, document.id.clone()).await? {
            beside.add(&self.store.load(entity).await?, shop);
        }
        Ok(beside)
    }

    /// Reads the order of the paper `case` anew in its shop and takes it in; the shop where that fails.
    pub(crate) async fn refresh_order(
        &self,
        case: &Case,
        rules: &PaperRules,
    ) -> Result<Result<(), (System, Error)>, EngineError> {
        let erp = self.system(&rules.source)?;
        let Some(order) = self.order_of_paper(case, erp).await? else { return Ok(Ok(())) };
        match self.read_one(order.shop, Kind::Order, &order.id).await {
            Ok(Some(snapshot)) => {
                self.take_in_news(order.shop, Kind::Order, snapshot).await?;
                Ok(Ok(()))
            }
            Ok(None) => {
                let what = format!("order {} is not in {} any more", order.id, order.shop.name);
                let error = Error::new(syncline_core::policy::ErrorKind::Gone, what);
                Ok(Err((order.shop.clone(), error)))
            }
            Err(error) => Ok(Err((order.shop.clone(), error))),
        }
    }

    /// Takes up the order of the paper `case`: what was given back may be why it is held.
    pub(crate) async fn wake_order(&self, case: &Case) -> Result<(), EngineError> {
        let Some(rules) = self.paper_rules(case.kind) else { return Ok(()) };
        if let Some(order) = self.order_of_paper(case, self.system(&rules.source)?).await? {
            self.store.retry(syncline_store::Retry::Touch(order.case.entity), self.now()).await?;
        }
        Ok(())
    }

    /// What a change of the paper `case` needs to know of its order in the shop.
    pub(crate) async fn elements_of_paper(&self, case: &Case) -> Result<BTreeMap<Path, String>, EngineError> {
        let Some(rules) = self.paper_rules(case.kind) else { return Ok(BTreeMap::new()) };
        let order = self.order_of_paper(case, self.system(&rules.source)?).await?;
        Ok(order.map(|order| (Paper::order_path(), order.id.id)).into_iter().collect())
    }

    /// What was ever written of a paper to the shop, once `change` was sent: a parcel that was taken away again counts too,
    /// for its request may land late.
    pub(crate) fn bases_of_paper(&self, system: &System, delivery: &Delivery) -> Vec<Base> {
        let Some(rules) = self.paper_rules(delivery.change.kind) else { return Vec::new() };
        let Some(erp) = self.systems.get(&rules.source) else { return Vec::new() };
        let mut leaves = Leaves::new();
        for (path, value) in delivery.change.leaves.iter().filter(|(path, _)| Paper::track_of(path).is_some()) {
            if let Some(value) = value {
                leaves.put(path.clone(), value.clone());
            }
        }
        vec![Base { system: system.uid.clone(), peer: erp.uid.clone(), leaves, over: true }]
    }
}

/// What other papers of an order have come to.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// By line: how much the shop's papers of ours hold of it.
    pub(crate) known: BTreeMap<String, Decimal>,
    /// Papers that may be landing in the shop.
    pub(crate) landing: Vec<EntityId>,
}

impl Beside {
    /// Adds the paper `case` of `shop`.
    fn add(&mut self, case: &Case, shop: &System) {
        let may_land = |delivery: &Delivery| {
            delivery.change.step == Step::Create
                && matches!(delivery.progress, Progress::Sending { .. } | Progress::Unknown { .. })
        };
        if case.delivery.as_ref().is_some_and(may_land) {
            self.landing.push(case.entity);
        }
        let there = case.sides.get(&shop.uid).and_then(|side| Paper::from_leaves(&side.seen).ok());
        for (key, line) in there.into_iter().flat_map(|paper| paper.lines) {
            let sum: &mut Decimal = self.known.entry(key).or_default();
            *sum = sum.saturating_add(line.quantity.unwrap_or_default());
        }
    }
}

/// `paper` by the keys of the shop's order, and what is no line of it, as a person reads it.
pub(crate) fn in_words_of_order(mut paper: Paper, elements: &BTreeMap<Path, String>) -> (Paper, Vec<String>) {
    let ours: BTreeMap<&str, String> = elements
        .iter()
        .filter_map(|(path, theirs)| {
            Some((theirs.as_str(), path.within("lines").filter(|(_, rest)| rest.is_empty())?.0))
        })
        .collect();
    let (mut lines, mut strange) = (BTreeMap::new(), Vec::new());
    for (key, line) in std::mem::take(&mut paper.lines) {
        let quantity = line.quantity.unwrap_or_default();
        match ours.get(key.as_str()) {
            Some(ours) => {
                lines.insert(ours.clone(), line);
            }
            None if quantity.is_zero() => {}
            None => {
                let sku = line.sku.as_deref().unwrap_or("goods without a SKU");
                strange.push(format!("{} × {sku}", quantity.normalize()));
            }
        }
    }
    paper.lines = lines;
    (paper, strange)
}

/// The paper `snapshot` tells of.
pub(crate) fn paper_of(snapshot: &Snapshot) -> Option<Paper> {
    snapshot.records.iter().find_map(|(_, record)| record.paper().cloned())
}
