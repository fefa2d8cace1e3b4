//! Papers: what one side did about orders, told to the other one.
//!
//! A paper is decided with its order: whose it is, what the other side counts of it, and what other papers of ours have had
//! there. What that rests on is read anew right before a paper leaves, or people's own papers would be counted as left.

mod from_erp;
mod from_shop;
mod own;
mod refunds;

pub(crate) use from_erp::in_words_of_order;
pub(crate) use from_shop::in_erp;
pub(crate) use refunds::in_words;

use crate::decide::Decided;
use crate::run::Engine;
use crate::system::{EngineError, System};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use syncline_connect::{Error, Snapshot};
use syncline_core::delivery::{Delivery, Progress};
use syncline_core::id::{EntityId, RemoteId, SystemName};
use syncline_core::kind::{Flow, Kind};
use syncline_core::leaf::Leaves;
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::planner::Alone;
use syncline_core::record::{Paper, paper_apart};
use syncline_core::rules::{PaperRules, PaperTarget, Refunds};
use syncline_store::{Base, Case};

/// Which way a paper goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The ERP did it, a shop is told.
    FromErp,
    /// A shop did it, the ERP is told.
    FromShop,
}

/// The order a paper is about.
#[derive(Debug)]
pub(crate) struct OrderOf<'a> {
    /// How its shop is told.
    pub(crate) rules: &'a PaperTarget,
    /// Its shop.
    pub(crate) shop: &'a System,
    /// The ERP.
    pub(crate) erp: &'a System,
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

    /// Which way the paper `case` goes.
    pub(crate) fn way_of(&self, case: &Case) -> Way {
        match case.kind {
            Kind::Payment => Way::FromShop,
            Kind::Credit => self.way_of_credit(case),
            _ => Way::FromErp,
        }
    }

    /// The kinds of papers that are read, each in the system that tells them: those that it tells and another one takes.
    pub(crate) fn paper_feeds(&self) -> Vec<(&SystemName, Kind)> {
        let Some(rules) = &self.flows.papers else { return Vec::new() };
        let does =
            |name: &SystemName, kind| self.systems.get(name).is_some_and(|one| one.profile.kinds.contains_key(&kind));
        let tells = |target: &PaperTarget| {
            target.tells_payments() && does(&rules.source, Kind::Payment) && does(&target.system, Kind::Payment)
        };
        let gives_back = |target: &PaperTarget| {
            target.refunds != Refunds::Ask && does(&rules.source, Kind::Credit) && does(&target.system, Kind::Credit)
        };
        // Payments are booked on the ERP's invoices, whether a shop is told of these or not.
        let takes = |kind: Kind| {
            let one = |target: &PaperTarget| target.takes(kind) && does(&target.system, kind);
            // So are refunds credited, and what the ERP gives back itself is held against them.
            let refunds = |target: &PaperTarget| matches!(kind, Kind::Invoice | Kind::Credit) && gives_back(target);
            let any = |target: &PaperTarget| one(target) || (kind == Kind::Invoice && tells(target)) || refunds(target);
            rules.targets.iter().any(any)
        };
        let kinds = Flow::Papers.kinds().iter().copied();
        let from_erp = kinds.filter(|kind| does(&rules.source, *kind) && takes(*kind));
        let shops = rules.targets.iter().filter(|target| tells(target));
        let from_shops = shops.map(|target| (&target.system, Kind::Payment));
        let refunds =
            rules.targets.iter().filter(|target| gives_back(target)).map(|target| (&target.system, Kind::Credit));
        from_erp.map(|kind| (&rules.source, kind)).chain(from_shops).chain(refunds).collect()
    }

    /// The system that tells the paper `case`; none where none of the flow does.
    pub(crate) fn teller_of(&self, case: &Case) -> Option<&System> {
        let rules = self.paper_rules(case.kind)?;
        match self.way_of(case) {
            Way::FromErp => self.systems.get(&rules.source),
            Way::FromShop => {
                let mut shops = rules.targets.iter().filter_map(|target| self.systems.get(&target.system));
                shops.find(|shop| case.bound.contains_key(&shop.uid))
            }
        }
    }

    /// The system that tells of the paper `case`, and what it calls the order that it is about.
    pub(crate) fn told_of(&self, case: &Case) -> Option<(&System, RemoteId)> {
        let teller = self.teller_of(case)?;
        Some((teller, paper_apart(&case.bound.get(&teller.uid)?.id)?.0))
    }

    /// The order that the paper `case` is about, where it is from a shop of the flow.
    pub(crate) async fn order_of_paper(&self, case: &Case) -> Result<Option<OrderOf<'_>>, EngineError> {
        let (Some(rules), Some((teller, document))) = (self.paper_rules(case.kind), self.told_of(case)) else {
            return Ok(None);
        };
        let found = self.store.entities(teller.uid.clone(), Kind::Order, vec![document]).await?;
        let Some(entity) = found.into_iter().flatten().next() else { return Ok(None) };
        let (order, erp) = (self.store.load(entity).await?, self.system(&rules.source)?);
        for target in &rules.targets {
            let shop = self.system(&target.system)?;
            if let Some(id) = order.bound.get(&shop.uid).map(|bound| bound.id.clone()) {
                return Ok(Some(OrderOf { rules: target, shop, erp, case: order, id }));
            }
        }
        Ok(None)
    }

    /// What to do about the paper `case`.
    pub(crate) async fn decide_paper(&self, case: &Case, rules: &PaperRules) -> Result<Decided, EngineError> {
        match self.way_of(case) {
            Way::FromErp => self.decide_from_erp(case, rules).await,
            Way::FromShop if case.kind == Kind::Credit => self.decide_refund(case).await,
            Way::FromShop => self.decide_from_shop(case).await,
        }
    }

    /// Reads anew what a decision about the paper `case` rests on beside itself, and takes it in; the system where that
    /// fails.
    pub(crate) async fn refresh_around(&self, case: &Case) -> Result<Result<(), (System, Error)>, EngineError> {
        match self.way_of(case) {
            Way::FromErp => self.refresh_order(case).await,
            Way::FromShop if case.kind == Kind::Credit => self.refresh_both(case).await,
            Way::FromShop => self.refresh_bills(case).await,
        }
    }

    /// The other papers of the order that the paper `case` is about, told by the same system.
    pub(crate) async fn papers_around(&self, case: &Case) -> Result<Vec<EntityId>, EngineError> {
        let Some((teller, order)) = self.told_of(case) else { return Ok(Vec::new()) };
        let mut around = Vec::new();
        for kind in [Kind::Shipment, Kind::Invoice, Kind::Credit, Kind::Payment] {
            around.extend(self.store.papers_of(teller.uid.clone(), kind, order.clone()).await?);
        }
        around.retain(|entity| *entity != case.entity);
        Ok(around)
    }

    /// Reads one document of `system` anew and takes it in as news. Whether it is there; the error where it cannot be read.
    async fn read_in(&self, system: &System, kind: Kind, id: &RemoteId) -> Result<Result<bool, Error>, EngineError> {
        let asked = self.store.place_in_journal().await?;
        match self.read_one(system, kind, id).await {
            Ok(Some(snapshot)) => self.take_in_news(system, kind, (snapshot, asked)).await?,
            Ok(None) => return Ok(Ok(false)),
            Err(error) => return Ok(Err(error)),
        }
        Ok(Ok(true))
    }

    /// Reads papers of `system` anew and takes them in; the error where one cannot be read.
    async fn read_papers(
        &self,
        system: &System,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<Result<(), Error>, EngineError> {
        let asked = self.store.place_in_journal().await?;
        for answer in system.connector.read(&system.ctx, kind, ids).await {
            match answer {
                Ok(Some(snapshot)) => self.take_in_news(system, kind, (snapshot, asked)).await?,
                // One that is gone tells nothing; the sweep notes it.
                Ok(None) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }

    /// Takes up the order of the paper `case`: what was given back may be why it is held.
    pub(crate) async fn wake_order(&self, case: &Case) -> Result<(), EngineError> {
        if let Some(order) = self.order_of_paper(case).await? {
            self.store.retry(syncline_store::Retry::Touch(order.case.entity), self.now()).await?;
        }
        Ok(())
    }

    /// What a change of the paper `case` needs to know of its order in the target.
    pub(crate) async fn elements_of_paper(&self, case: &Case) -> Result<BTreeMap<Path, String>, EngineError> {
        let Some(order) = self.order_of_paper(case).await? else { return Ok(BTreeMap::new()) };
        let id = match self.way_of(case) {
            Way::FromErp => Some(order.id.id.clone()),
            Way::FromShop => order.case.bound.get(&order.erp.uid).map(|bound| bound.id.id.clone()),
        };
        let lines = match self.way_of(case) {
            Way::FromShop if case.kind == Kind::Credit => refunds::lines_of(&order),
            _ => BTreeMap::new(),
        };
        Ok(id.map(|id| (Paper::order_path(), id)).into_iter().chain(lines).collect())
    }

    /// What was ever written of the paper `case` to `system`, once a change was sent: what was taken away again counts too,
    /// for its request may land late.
    pub(crate) fn bases_of_paper(&self, case: &Case, system: &System, delivery: &Delivery) -> Vec<Base> {
        let Some(teller) = self.teller_of(case) else { return Vec::new() };
        let mut leaves = Leaves::new();
        let counts = |path: &Path| match case.kind {
            Kind::Payment => path.within("lines").is_some(),
            Kind::Credit if self.way_of(case) == Way::FromShop => refunds::is_written(path, &delivery.change.step),
            _ => Paper::track_of(path).is_some(),
        };
        for (path, value) in delivery.change.leaves.iter().filter(|(path, _)| counts(path)) {
            if let Some(value) = value {
                leaves.put(path.clone(), value.clone());
            }
        }
        vec![Base { system: system.uid.clone(), peer: teller.uid.clone(), leaves, over: true }]
    }
}

/// What other papers of an order have come to.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// By line: how much of it papers of ours hold in the target.
    pub(crate) known: BTreeMap<String, Decimal>,
    /// Papers that may be landing in the target.
    pub(crate) landing: Vec<EntityId>,
    /// Invoices that ask for no goods.
    pub(crate) alone: Vec<Alone>,
    /// What each paper of ours in the target comes to.
    pub(crate) sums: Vec<Money>,
}

impl Beside {
    /// Adds the paper `case` as `target` shows it.
    fn add(&mut self, case: &Case, target: &System) {
        if may_be_landing(case) {
            self.landing.push(case.entity);
        }
        let there = case.sides.get(&target.uid).and_then(|side| Paper::from_leaves(&side.seen).ok());
        self.sums.extend(there.iter().filter_map(|paper| paper.grand));
        there.iter().for_each(|paper| self.count(paper));
    }

    /// Counts what `paper` holds of each line.
    fn count(&mut self, paper: &Paper) {
        for (key, line) in &paper.lines {
            let sum: &mut Decimal = self.known.entry(key.clone()).or_default();
            *sum = sum.saturating_add(line.quantity.unwrap_or_default());
        }
    }
}

/// Whether a request that makes the paper `case`, or a part of it, may be landing at this moment.
fn may_be_landing(case: &Case) -> bool {
    case.delivery.as_ref().is_some_and(|delivery| {
        delivery.change.step.creates()
            && matches!(delivery.progress, Progress::Sending { .. } | Progress::Unknown { .. })
    })
}

/// The paper `snapshot` tells of.
pub(crate) fn paper_of(snapshot: &Snapshot) -> Option<Paper> {
    snapshot.records.iter().find_map(|(_, record)| record.paper().cloned())
}
