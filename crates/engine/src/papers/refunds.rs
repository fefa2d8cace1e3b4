//! What people of shops gave back, credited in the ERP.
//!
//! A credit belongs to the side it was on first: what we wrote of it to the ERP stands in its base there. It is decided with its
//! order on both sides, read anew right before a note is made: the ERP tells how many of each line are billed and given back,
//! and what of that is by nobody we know is asked about.

use super::{Beside, OrderOf, Way, in_words_of_order, may_be_landing};
use crate::decide::Decided;
use crate::run::Engine;
use crate::system::{EngineError, System};
use crate::translate;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Error, Seen};
use syncline_core::id::{EntityId, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::path::Path;
use syncline_core::planner::{self, Decision, RefundCase};
use syncline_core::policy::{ErrorKind, Hold};
use syncline_core::record::{Order, Paper, PaperLife};
use syncline_core::rules::Refunds;
use syncline_store::{Case, Retry};

/// Lanes of orders whose documents are still to come.
const COMING: [&str; 3] = ["ready", "waiting", "held"];

impl Engine {
    /// Which way the credit `case` goes: from where it was first.
    pub(super) fn way_of_credit(&self, case: &Case) -> Way {
        let Some(rules) = self.flows.papers.as_ref() else { return Way::FromErp };
        let uid = |name| self.systems.get(name).map(|system| &system.uid);
        let shop =
            rules.targets.iter().filter_map(|target| uid(&target.system)).find(|uid| case.bound.contains_key(*uid));
        let erp = uid(&rules.source).filter(|uid| case.bound.contains_key(*uid));
        match (shop, erp) {
            (Some(_), None) => Way::FromShop,
            (Some(shop), Some(erp)) if case.sides.get(erp).is_some_and(|side| side.bases.contains_key(shop)) => {
                Way::FromShop
            }
            _ => Way::FromErp,
        }
    }

    /// Whether `case` is a credit that people of a shop gave back.
    pub(crate) fn is_refund(&self, case: &Case) -> bool {
        case.kind == Kind::Credit && self.way_of_credit(case) == Way::FromShop
    }

    /// What to do about the credit `case` of a shop.
    pub(super) async fn decide_refund(&self, case: &Case) -> Result<Decided, EngineError> {
        let outside = |why: String| Ok(Decision::Outside(why).into());
        let Some(shop) = self.teller_of(case) else { return outside("no shop of the flow shows it".to_string()) };
        let Some(side) = case.sides.get(&shop.uid) else { return outside(format!("{} does not show it", shop.name)) };
        let Some(order) = self.order_of_paper(case).await? else {
            return outside("its order is from no shop of the flow".to_string());
        };
        let there = case.sides.get(&order.erp.uid);
        let orders = self.flows.orders.iter().find(|rules| rules.source == shop.name && rules.target == order.erp.name);
        let Some(orders) = orders else { return outside(format!("orders of {} flow nowhere", shop.name)) };
        let shown = order.case.sides.get(&shop.uid).filter(|shown| !shown.unread && !side.unread);
        let Some(shown) = shown.filter(|_| there.is_none_or(|there| !there.unread)) else {
            let what = "the last answer for it, or for its order, could not be read".to_string();
            return Ok(Decision::Hold(Hold::new("SYN-0107", what, "the next pass reads it anew")).into());
        };
        let document = document_of(&order);
        let (told, shows) = (Paper::from_leaves(&side.seen), Order::from_leaves(&shown.seen));
        let credit = there.map(|side| Paper::from_leaves(&side.seen)).transpose();
        let (told, shows, credit, document) = match (told, shows, credit, document) {
            (Ok(told), Ok(shows), Ok(credit), Ok(document)) => (told, shows, credit, document),
            (Err(error), ..) | (_, Err(error), ..) | (.., Err(error), _) | (.., Err(error)) => {
                let remedy = "report this as a defect, with `syncline explain`";
                return Ok(Decision::Hold(Hold::new("SYN-0107", error.to_string(), remedy)).into());
            }
        };
        if case.gone.contains_key(&order.erp.uid) && credit.is_none() && case.bound.contains_key(&order.erp.uid) {
            return outside(format!("its credit note was deleted in {}", order.erp.name));
        }
        let around = self.around_refund(case, &order).await?;
        let elements = lines_of(&order);
        let decision = planner::refund(&RefundCase {
            now: self.now(),
            refunds: order.rules.refunds,
            orders,
            paper: &told,
            scope: &order.id.scope,
            order: &shows,
            document: document.as_ref(),
            coming: self.coming(&order, document.as_ref()).await?,
            known: &around.beside.known,
            others: &around.others,
            landing: &around.beside.landing,
            left: case.admitted,
            there: credit.map(|credit| in_words(&elements, credit)).as_ref(),
            profile: &order.erp.kind(Kind::Credit),
        });
        if !matches!(decision, Decision::Step(_)) {
            self.heed_refund(&order).await?;
        }
        Ok(Decided { decision, peer: Some(shop.name.clone()), ..Decided::default() })
    }

    /// The lane of `order`, where its document is still to come.
    async fn coming(&self, order: &OrderOf<'_>, document: Option<&Order>) -> Result<Option<EntityId>, EngineError> {
        if document.is_some() {
            return Ok(None);
        }
        let lane = self.store.story(order.case.entity).await?.lane;
        Ok(lane.filter(|lane| COMING.contains(&lane.state.as_str())).map(|_| order.case.entity))
    }

    /// Takes up an order that is held because of what was given back, which is known by now to be seen to.
    async fn heed_refund(&self, order: &OrderOf<'_>) -> Result<(), EngineError> {
        let lane = self.store.story(order.case.entity).await?.lane;
        if lane.and_then(|lane| lane.why).is_some_and(|why| why.code == "SYN-0110") {
            self.store.retry(Retry::Touch(order.case.entity), self.now()).await?;
        }
        Ok(())
    }

    /// The other credits of the order that the credit `case` of a shop is about.
    async fn around_refund(&self, case: &Case, order: &OrderOf<'_>) -> Result<Around, EngineError> {
        let (mut around, elements) = (Around::default(), lines_of(order));
        for entity in self.credits_of(order).await?.into_iter().filter(|entity| *entity != case.entity) {
            let other = self.store.load(entity).await?;
            let (here, there) = (other.sides.get(&order.shop.uid), other.sides.get(&order.erp.uid));
            if may_be_landing(&other) {
                around.beside.landing.push(entity);
            }
            let Some(told) = there.and_then(|side| Paper::from_leaves(&side.seen).ok()) else { continue };
            let told = in_words(&elements, told);
            let withdrawn = told.life == Some(PaperLife::Void);
            match here {
                _ if withdrawn => {}
                Some(_) => around.beside.count(&told),
                // One that was left to people still says what may be the same money.
                None => around.others.push(told),
            }
        }
        Ok(around)
    }

    /// Credits of `order` that its shop made and the ERP has none of in force, where these are carried over; those left to
    /// people, too.
    pub(super) async fn refunds_beside(&self, case: &Case, order: &OrderOf<'_>) -> Result<Around, EngineError> {
        let mut around = Around::default();
        if case.kind != Kind::Credit || order.rules.refunds == Refunds::Ask {
            return Ok(around);
        }
        for entity in self.store.papers_of(order.shop.uid.clone(), Kind::Credit, order.id.clone()).await? {
            let other = self.store.load(entity).await?;
            // One that is no more than a draft in the ERP may be what was just credited beside it.
            let there = other.sides.get(&order.erp.uid).and_then(|side| Paper::from_leaves(&side.seen).ok());
            let draft = there.is_some_and(|paper| paper.life == Some(PaperLife::Open));
            if entity == case.entity || (other.bound.contains_key(&order.erp.uid) && !draft) {
                continue;
            }
            if may_be_landing(&other) {
                around.beside.landing.push(entity);
            }
            let told = other.sides.get(&order.shop.uid).and_then(|side| Paper::from_leaves(&side.seen).ok());
            around.others.extend(told.filter(Paper::in_force));
        }
        Ok(around)
    }

    /// Every credit of `order` that either side knows.
    async fn credits_of(&self, order: &OrderOf<'_>) -> Result<BTreeSet<EntityId>, EngineError> {
        let (shop, erp) = (order.shop.uid.clone(), &order.erp.uid);
        let mut all: BTreeSet<EntityId> =
            self.store.papers_of(shop, Kind::Credit, order.id.clone()).await?.into_iter().collect();
        if let Some(document) = order.case.bound.get(erp) {
            all.extend(self.store.papers_of(erp.clone(), Kind::Credit, document.id.clone()).await?);
        }
        Ok(all)
    }

    /// What the shop gave back of the order `case` by credits that are seen to by themselves: those that came from `erp`, and
    /// all others where what people of the shop give back is carried over; and those that may be landing.
    pub(crate) async fn given_back(&self, case: &Case, shop: &System, erp: &System) -> Result<Beside, EngineError> {
        let mut beside = Beside::default();
        let Some(rules) = self.paper_rules(Kind::Credit) else { return Ok(beside) };
        let mut all = BTreeSet::new();
        if let Some(document) = case.bound.get(&erp.uid) {
            all.extend(self.store.papers_of(erp.uid.clone(), Kind::Credit, document.id.clone()).await?);
        }
        let carried = |shop: &System| {
            rules.targets.iter().any(|target| target.system == shop.name && target.refunds != Refunds::Ask)
        };
        if let Some(order) = case.bound.get(&shop.uid).filter(|_| carried(shop)) {
            all.extend(self.store.papers_of(shop.uid.clone(), Kind::Credit, order.id.clone()).await?);
        }
        for entity in all {
            let credit = self.store.load(entity).await?;
            beside.add(&credit, shop);
            if credit.sides.contains_key(&shop.uid) {
                // One of freight or an amount alone has no line to be counted by.
                beside.known.entry(String::new()).or_default();
            }
        }
        Ok(beside)
    }

    /// Reads the order of the credit `case` anew on both sides, and what the ERP has credited since; the system where that fails.
    pub(super) async fn refresh_both(&self, case: &Case) -> Result<Result<(), (System, Error)>, EngineError> {
        let Some(order) = self.order_of_paper(case).await? else { return Ok(Ok(())) };
        // Of freight and amounts no line tells that they were given back.
        if self.paper_feeds().contains(&(&order.erp.name, Kind::Credit)) {
            match self.poll(order.erp, Kind::Credit).await {
                Ok(_) => {}
                Err(EngineError::System { error, .. }) => return Ok(Err((order.erp.clone(), error))),
                Err(error) => return Err(error),
            }
        }
        let document = order.case.bound.get(&order.erp.uid).map(|bound| bound.id.clone());
        for (system, id) in [(order.shop, Some(order.id.clone())), (order.erp, document)] {
            let Some(id) = id else { continue };
            match self.read_in(system, Kind::Order, &id).await? {
                Ok(true) => {}
                Ok(false) => {
                    let what = format!("order {id} is not in {} any more", system.name);
                    return Ok(Err((system.clone(), Error::new(ErrorKind::Gone, what))));
                }
                Err(error) => return Ok(Err((system.clone(), error))),
            }
        }
        Ok(Ok(()))
    }

    /// Takes up what its shop gave back of the order that the paper `case` of the ERP is of: it may be what that waits for.
    pub(crate) async fn wake_refunds(&self, case: &Case) -> Result<(), EngineError> {
        let Some(order) = self.order_of_paper(case).await?.filter(|order| order.rules.refunds != Refunds::Ask) else {
            return Ok(());
        };
        for entity in self.store.papers_of(order.shop.uid.clone(), Kind::Credit, order.id.clone()).await? {
            if !self.store.load(entity).await?.bound.contains_key(&order.erp.uid) {
                self.store.retry(Retry::Touch(entity), self.now()).await?;
            }
        }
        Ok(())
    }

    /// `seen` without papers of ours that are not settled yet: what carries our mark and is bound to nothing is found by that
    /// mark.
    pub(crate) async fn without_echoes(
        &self,
        system: &System,
        kind: Kind,
        seen: Vec<Seen>,
    ) -> Result<Vec<Seen>, EngineError> {
        let is_marked = |seen: &Seen| seen.snapshot.as_ref().is_ok_and(|snapshot| snapshot.mark.is_some());
        if !kind.is_paper() || !seen.iter().any(is_marked) {
            return Ok(seen);
        }
        let ids: Vec<RemoteId> = seen.iter().map(|seen| seen.id.clone()).collect();
        let known = self.store.entities(system.uid.clone(), kind, ids).await?;
        let both = seen.into_iter().zip(known);
        Ok(both.filter(|(seen, known)| known.is_some() || !is_marked(seen)).map(|(seen, _)| seen).collect())
    }
}

/// What the target calls the lines of `order` that a credit note gives back of.
pub(super) fn lines_of(order: &OrderOf<'_>) -> BTreeMap<Path, String> {
    let elements = order.case.bound.get(&order.erp.uid).map(|bound| &bound.elements);
    let lines = elements
        .into_iter()
        .flatten()
        .filter(|(path, _)| path.within("lines").is_some_and(|(_, rest)| rest.is_empty()));
    lines.map(|(path, theirs)| (path.clone(), theirs.clone())).collect()
}

/// Whether `step` makes or changes a credit note of ours, so that what it says is kept.
pub(super) fn is_written(path: &Path, step: &Step) -> bool {
    *step == Step::Create && path.as_str() == "grand"
}

/// A credit of the ERP by the keys of the shop's order, whose lines the ERP calls as `elements` say; what is no line of it keeps
/// its own.
pub(crate) fn in_words(elements: &BTreeMap<Path, String>, credit: Paper) -> Paper {
    let own = credit.lines.clone();
    let (mut told, _) = in_words_of_order(credit, elements);
    let known: BTreeSet<&String> = elements.values().collect();
    told.lines.extend(own.into_iter().filter(|(key, _)| !known.contains(key)));
    told
}

/// The document of `order` in the ERP, by the keys of the shop's order; none where it is not there.
fn document_of(order: &OrderOf<'_>) -> Result<Option<Order>, syncline_core::record::Malformed> {
    let Some(bound) = order.case.bound.get(&order.erp.uid) else { return Ok(None) };
    let side = order.case.sides.get(&order.erp.uid);
    side.map(|side| Order::from_leaves(&translate::inbound(&side.seen, &bound.elements))).transpose()
}

/// The other credits of an order.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// What both sides know of, and what may be landing.
    pub(super) beside: Beside,
    /// What only one side knows of.
    pub(super) others: Vec<Paper>,
}
