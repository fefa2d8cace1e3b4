//! What an ERP did about orders, told to the shops they are from.

use super::{Beside, OrderOf};
use crate::adopt::is_adopted;
use crate::decide::Decided;
use crate::run::Engine;
use crate::system::{EngineError, System};
use jiff::Timestamp;
use std::collections::BTreeMap;
use syncline_connect::Error;
use syncline_core::kind::{Kind, Step};
use syncline_core::path::Path;
use syncline_core::planner::{self, Alone, Decision, PaperCase};
use syncline_core::policy::{ErrorKind, Hold};
use syncline_core::record::{Order, Paper};
use syncline_core::rules::PaperRules;
use syncline_store::{Case, LaneRow, Retry};

impl Engine {
    /// What to do about the paper `case` of the ERP.
    pub(super) async fn decide_from_erp(&self, case: &Case, rules: &PaperRules) -> Result<Decided, EngineError> {
        let outside = |why: String| Ok(Decision::Outside(why).into());
        let erp = self.system(&rules.source)?;
        let Some(side) = case.sides.get(&erp.uid) else { return outside(format!("{} does not show it", erp.name)) };
        let Some(order) = self.order_of_paper(case).await? else {
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
        let mut beside = self.papers_beside(case, erp, &order).await?;
        let refunds = self.refunds_beside(case, &order).await?;
        beside.landing.extend(refunds.beside.landing);
        let decision = planner::paper(&PaperCase {
            kind: case.kind,
            source: &erp.name,
            rules: order.rules,
            paper: &told,
            strange: &strange,
            order: &shows,
            known: &beside.known,
            alone: &beside.alone,
            others: &refunds.others,
            given: &beside.sums,
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
                // What is held until somebody mends its order is taken up again by itself.
                let stays = |lane: &LaneRow| {
                    lane.why.as_ref().is_some_and(|why| ["SYN-0196", "SYN-0198"].contains(&&*why.code))
                };
                let lane = self.store.story(entity).await?.lane;
                if lane.is_some_and(|lane| match lane.state.as_str() {
                    "held" => stays(&lane),
                    // What could not be read for it is read again by itself.
                    "failed" => lane.ready_at < Timestamp::MAX,
                    state => ["ready", "waiting"].contains(&state),
                }) {
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
            let other = self.store.load(entity).await?;
            beside.add(&other, order.shop);
            beside.alone.extend(alone(&other, erp, order));
        }
        Ok(beside)
    }

    /// Takes up the invoices of goods that the invoice `case` of freight alone goes along with: they may wait for its money.
    pub(crate) async fn wake_goods(&self, case: &Case) -> Result<(), EngineError> {
        let Some((erp, document)) = self.told_of(case) else { return Ok(()) };
        let shown = case.sides.get(&erp.uid).and_then(|side| Paper::from_leaves(&side.seen).ok());
        if !shown.is_some_and(|paper| paper.asks_for_charges_alone()) {
            return Ok(());
        }
        for entity in self.store.papers_of(erp.uid.clone(), Kind::Invoice, document).await? {
            let waits = self.store.story(entity).await?.lane.is_some_and(|lane| lane.state == "outside");
            if waits && entity != case.entity {
                self.store.retry(Retry::Touch(entity), self.now()).await?;
            }
        }
        Ok(())
    }

    /// Reads the shipments and invoices of `order` anew that a credit of it may take back, those too that no feed has told of
    /// yet: one may tell of the credit first.
    async fn refresh_beside(&self, order: &OrderOf<'_>) -> Result<Result<(), (System, Error)>, EngineError> {
        let erp = order.erp;
        let Some(document) = order.case.bound.get(&erp.uid).map(|bound| bound.id.clone()) else { return Ok(Ok(())) };
        for kind in [Kind::Shipment, Kind::Invoice].into_iter().filter(|kind| order.rules.takes(*kind)) {
            match self.poll(erp, kind).await {
                Ok(_) => {}
                Err(EngineError::System { error, .. }) => return Ok(Err((erp.clone(), error))),
                Err(error) => return Err(error),
            }
            let mut ids = Vec::new();
            for entity in self.store.papers_of(erp.uid.clone(), kind, document.clone()).await? {
                let paper = self.store.load(entity).await?;
                ids.extend(paper.bound.get(&erp.uid).map(|bound| bound.id.clone()));
            }
            if let Err(error) = self.read_papers(erp, kind, &ids).await? {
                return Ok(Err((erp.clone(), error)));
            }
        }
        Ok(Ok(()))
    }

    /// Reads the order of the paper `case` anew in its shop and takes it in; the shop where that fails.
    pub(super) async fn refresh_order(&self, case: &Case) -> Result<Result<(), (System, Error)>, EngineError> {
        let Some(order) = self.order_of_paper(case).await? else { return Ok(Ok(())) };
        if case.kind == Kind::Credit
            && let Err(trouble) = self.refresh_beside(&order).await?
        {
            return Ok(Err(trouble));
        }
        match self.read_in(order.shop, Kind::Order, &order.id).await? {
            Ok(true) => Ok(Ok(())),
            Ok(false) => {
                let what = format!("order {} is not in {} any more", order.id, order.shop.name);
                let error = Error::new(ErrorKind::Gone, what);
                Ok(Err((order.shop.clone(), error)))
            }
            Err(error) => Ok(Err((order.shop.clone(), error))),
        }
    }
}

/// The paper `case` of `erp` where it is an invoice in force that asks for none of the order's goods.
fn alone(case: &Case, erp: &System, order: &OrderOf<'_>) -> Option<Alone> {
    let side = case.sides.get(&erp.uid).filter(|_| case.kind == Kind::Invoice && !case.gone.contains_key(&erp.uid))?;
    let paper = Paper::from_leaves(&side.seen).ok().filter(Paper::asks_for_charges_alone)?;
    let number = paper.number.clone().unwrap_or_else(|| case.label.clone());
    Some(Alone { number, grand: paper.grand?, due: order.rules.is_due(case.kind, &paper) })
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
