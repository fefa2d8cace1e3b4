//! Binds orders to the documents another connector made of them, by what that wrote on them or by a list of pairs.

use super::elsewhere::{ASKED, elsewhere, told};
use super::likeness::paired;
use super::party::Along;
use crate::decide::order_of;
use crate::pages::Pages;
use crate::poll::{incoming, row};
use crate::run::Engine;
use crate::system::{EngineError, System};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Cursor, Seen, Snapshot};
use syncline_core::id::{EntityId, RemoteId, SystemName};
use syncline_core::kind::Kind;
use syncline_core::leaf::Value;
use syncline_core::path::Path;
use syncline_core::record::{Order, OrderLife};
use syncline_core::rules::OrderRules;
use syncline_store::{Adoption, Base, Case, Incoming, Resolve, StoreError, TakeOver, Told};

/// Rows of a list that are kept; all are counted.
const KEPT: usize = 1000;

/// What a list names, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Listed {
    /// How many.
    pub count: usize,
    /// The first of them.
    pub first: Vec<String>,
}

impl Listed {
    /// Adds one.
    pub(super) fn add(&mut self, name: impl Into<String>) {
        self.count += 1;
        if self.first.len() < KEPT {
            self.first.push(name.into());
        }
    }
}

/// What an adoption of orders found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrdersAdopted {
    /// The shop.
    pub shop: SystemName,
    /// Orders of the shop read.
    pub read: usize,
    /// Orders that were tied before.
    pub before: usize,
    /// Orders bound just now.
    pub bound: usize,
    /// Orders the ERP has no document of.
    pub unmatched: Listed,
    /// Orders whose document says something else, with what; not bound.
    pub different: Listed,
    /// Orders with several documents, or several orders of one; a person has to choose, by CSV.
    pub ambiguous: Listed,
    /// Bound documents that are drafts or quotations: they stay so until somebody confirms them.
    pub unreleased: Listed,
    /// Orders of the shop that refer to something else than the number of their document.
    pub numbers: Listed,
    /// Customers bound along.
    pub customers: usize,
    /// Customers of these orders with several parties, or several customers of one party.
    pub customers_ambiguous: Listed,
}

impl OrdersAdopted {
    fn of(shop: &System) -> Self {
        let none = Listed::default;
        Self {
            shop: shop.name.clone(),
            read: 0,
            before: 0,
            bound: 0,
            unmatched: none(),
            different: none(),
            ambiguous: none(),
            unreleased: none(),
            numbers: none(),
            customers: 0,
            customers_ambiguous: none(),
        }
    }
}

/// What is asked of an adoption of orders.
#[derive(Debug, Clone, Default)]
pub struct OrdersWanted {
    /// Pairs of what an order is called in the shop and its document in the ERP, by number, reference or id; none for all
    /// orders, by what the file says.
    pub pairs: Option<Vec<(String, String)>>,
    /// In this one of several shops only.
    pub only: Option<SystemName>,
    /// The ERP's numbers go to the shop's orders that refer to something else.
    pub numbers_to_shop: bool,
}

/// One shop's orders while they are gone through.
pub(super) struct Walk<'a> {
    engine: &'a Engine,
    rules: &'a OrderRules,
    shop: &'a System,
    erp: &'a System,
    wanted: &'a OrdersWanted,
    report: OrdersAdopted,
    people: Along,
}

/// An order of the shop that is tied to nothing yet.
struct Open {
    snapshot: Snapshot,
    order: Order,
}

impl Open {
    fn name(&self) -> String {
        self.order.number.clone().unwrap_or_else(|| self.snapshot.id.id.clone())
    }
}

impl Engine {
    /// Orders bound to the documents that another connector made of them, with the customers of both where there is no
    /// doubt. What differs in currency, total or lines, and what has several candidates, is listed and left. `tell` hears
    /// after every page how far it has come.
    ///
    /// # Errors
    /// Where a system does not answer or cannot be searched that way, or the store fails; what was bound stays so.
    pub async fn adopt_orders(
        &self,
        wanted: &OrdersWanted,
        tell: &mut (dyn FnMut(&OrdersAdopted) + Send),
    ) -> Result<Vec<OrdersAdopted>, EngineError> {
        let mut reports = Vec::new();
        for rules in
            self.flows.orders.iter().filter(|rules| wanted.only.as_ref().is_none_or(|only| *only == rules.source))
        {
            let (shop, erp) = (self.system(&rules.source)?, self.system(&rules.target)?);
            let (report, people) = (OrdersAdopted::of(shop), Along::default());
            let mut walk = Walk { engine: self, rules, shop, erp, wanted, report, people };
            match &wanted.pairs {
                Some(pairs) => walk.listed(pairs, tell).await?,
                None => walk.all(tell).await?,
            }
            walk.tie_people().await?;
            reports.push(walk.report);
        }
        match reports.is_empty() {
            true => Err(EngineError::Setup("SYN-0402: the file has no [flows.orders] in force".to_string())),
            false => Ok(reports),
        }
    }
}

impl Walk<'_> {
    /// Every order of the shop, page by page.
    async fn all(&mut self, tell: &mut (dyn FnMut(&OrdersAdopted) + Send)) -> Result<(), EngineError> {
        let mut pages = Pages::from(self.shop, Kind::Order, Cursor::default());
        while let Some(page) = pages.next().await? {
            let read: Vec<Snapshot> = page.seen.into_iter().filter_map(|seen| seen.snapshot.ok()).collect();
            let open = self.open(read).await?;
            let orders: Vec<(&RemoteId, &Order)> = open.iter().map(|one| (&one.snapshot.id, &one.order)).collect();
            let found = self.engine.brought(self.rules, self.erp, &orders).await?;
            let doubled = self.doubled(&orders).await?;
            let mut rows = Vec::new();
            for (one, documents) in open.iter().zip(found) {
                if !documents.is_empty() && doubled.contains(&one.snapshot.id) {
                    self.report.ambiguous.add(format!("{}: several orders of the shop are called so", one.name()));
                    continue;
                }
                rows.extend(self.judged(one, documents)?);
            }
            self.bind(rows).await?;
            tell(&self.report);
            if self.engine.stopping() {
                break;
            }
        }
        Ok(())
    }

    /// The orders that `pairs` name, with the documents they name.
    async fn listed(
        &mut self,
        pairs: &[(String, String)],
        tell: &mut (dyn FnMut(&OrdersAdopted) + Send),
    ) -> Result<(), EngineError> {
        for some in pairs.chunks(ASKED) {
            let ours = called(self.shop, &["number", "id"], some.iter().map(|(ours, _)| ours)).await?;
            let theirs =
                called(self.erp, &["number", "reference", "id"], some.iter().map(|(_, theirs)| theirs)).await?;
            let mut rows = Vec::new();
            for (one, other) in some {
                let label = format!("{one},{other}");
                match (ours.get(one).map(Vec::as_slice).unwrap_or_default(), theirs.get(other)) {
                    ([], _) | (_, None) => self.report.unmatched.add(label),
                    ([snapshot], Some(documents)) => {
                        if let Some(open) = self.open(vec![snapshot.clone()]).await?.into_iter().next() {
                            let documents = documents.iter().map(|one| (one.id.clone(), one.clone())).collect();
                            rows.extend(self.judged(&open, documents)?);
                        }
                    }
                    _ => self.report.ambiguous.add(format!("{label}: several orders of the shop are called so")),
                }
            }
            self.bind(rows).await?;
            tell(&self.report);
        }
        Ok(())
    }

    /// Those of `read` that are tied to nothing yet; the others are counted.
    async fn open(&mut self, read: Vec<Snapshot>) -> Result<Vec<Open>, EngineError> {
        self.report.read += read.len();
        let store = &self.engine.store;
        let ids = read.iter().map(|snapshot| snapshot.id.clone()).collect();
        let entities = store.entities(self.shop.uid.clone(), Kind::Order, ids).await?;
        let mut open = Vec::new();
        for (snapshot, entity) in read.into_iter().zip(entities) {
            let Some(order) = order_of(&snapshot) else { continue };
            let one = Open { snapshot, order };
            let case = match entity {
                Some(entity) => Some(store.load(entity).await?),
                None => None,
            };
            match case {
                Some(case) if case.bound.contains_key(&self.erp.uid) => self.tied_before(&case, &one).await?,
                Some(case) if case.delivery.is_some() => {
                    self.report.different.add(format!("{}: a write of ours is under way", one.name()));
                }
                _ => open.push(one),
            }
        }
        Ok(open)
    }

    /// Counts an order that is tied already, with whom its document was sold to.
    async fn tied_before(&mut self, case: &Case, one: &Open) -> Result<(), EngineError> {
        self.report.before += 1;
        let there = case.sides.get(&self.erp.uid).and_then(|side| Order::from_leaves(&side.seen).ok());
        let Some(there) = there else { return Ok(()) };
        self.people.meet(&one.order, &there);
        if super::is_adopted(case) {
            self.number(&one.name(), &one.order, &there, Some(case)).await?;
        }
        Ok(())
    }

    /// The orders among these whose name in the ERP another order of the shop has too.
    async fn doubled(&self, orders: &[(&RemoteId, &Order)]) -> Result<BTreeSet<RemoteId>, EngineError> {
        let numbers: BTreeSet<String> = orders.iter().filter_map(|(_, order)| order.number.clone()).collect();
        let mut all: BTreeMap<RemoteId, Order> = BTreeMap::new();
        for snapshot in told(self.shop, "number", numbers.into_iter().collect()).await? {
            all.extend(order_of(&snapshot).map(|order| (snapshot.id.clone(), order)));
        }
        let mut doubled = BTreeSet::new();
        for key in self.rules.adopt_keys() {
            let mut said: BTreeMap<String, Vec<&RemoteId>> = BTreeMap::new();
            for (id, order) in &all {
                if let Some(text) = key.says(&self.rules.source, id, order) {
                    said.entry(text).or_default().push(id);
                }
            }
            doubled.extend(said.into_values().filter(|same| same.len() > 1).flatten().cloned());
        }
        Ok(doubled)
    }

    /// What is taken over of `one` with the one document it has; what stands against it is listed.
    fn judged(
        &mut self,
        one: &Open,
        documents: BTreeMap<RemoteId, Snapshot>,
    ) -> Result<Option<(TakeOver, Order, Order)>, EngineError> {
        let in_force = |there: &Order| there.stage.as_deref() != Some("cancelled");
        let mut told: Vec<(Snapshot, Order)> = documents
            .into_values()
            .filter_map(|snapshot| Some((order_of(&snapshot)?, snapshot)))
            .map(|(a, b)| (b, a))
            .collect();
        if told.iter().any(|(_, there)| in_force(there)) {
            told.retain(|(_, there)| in_force(there));
        }
        let name = one.name();
        let (snapshot, there) = match told.len() {
            0 => {
                self.report.unmatched.add(name);
                return Ok(None);
            }
            1 => told.swap_remove(0),
            _ => {
                let names: Vec<String> = told.iter().map(|(snapshot, _)| snapshot.id.to_string()).collect();
                self.report.ambiguous.add(format!("{name}: documents {}", names.join(", ")));
                return Ok(None);
            }
        };
        let withdrawn = one.order.life == Some(OrderLife::Cancelled);
        let pairs = match (withdrawn, in_force(&there)) {
            (false, false) => Err("cancelled there".to_string()),
            (true, true) => Err("cancelled here".to_string()),
            _ => paired(&one.order, &there),
        };
        match pairs {
            Ok(pairs) => Ok(Some((self.taken(one, &snapshot, pairs), one.order.clone(), there))),
            Err(why) => {
                self.report.different.add(format!("{name} and document {}: {why}", snapshot.id));
                Ok(None)
            }
        }
    }

    /// `one` and its document as both show it; each line under its key there.
    fn taken(&self, one: &Open, document: &Snapshot, pairs: Vec<(String, String)>) -> TakeOver {
        let (shop, erp) = (&self.shop.uid, &self.erp.uid);
        let id = one.snapshot.id.clone();
        let marker = RemoteId::new(erp.as_str(), document.id.to_string());
        let ids = vec![
            (shop.clone(), id.clone(), Vec::new()),
            (erp.clone(), document.id.clone(), Vec::new()),
            (elsewhere(), marker, Vec::new()),
        ];
        let ours = incoming(Kind::Order, Seen { id, snapshot: Ok(one.snapshot.clone()) });
        let records = document.records.iter().take(1);
        let theirs = records.map(|(id, record)| row(id.clone(), record, document.version.clone(), Told::Asked));
        // What it takes from stock the shop tells.
        let theirs: Vec<_> = theirs.map(|row| Incoming { takes: None, ..row }).collect();
        let base = |system, peer, leaves| Base { system, peer, leaves, over: false };
        let shown = |rows: &[Incoming]| rows.last().map(|row| row.leaves.clone()).unwrap_or_default();
        let bases =
            vec![base(shop.clone(), erp.clone(), shown(&ours)), base(erp.clone(), shop.clone(), shown(&theirs))];
        let line = |(ours, theirs): (String, String)| (erp.clone(), Path::element("lines", &ours), theirs);
        TakeOver {
            adoption: Adoption { kind: Kind::Order, label: one.name(), ids },
            shown: vec![(shop.clone(), ours), (erp.clone(), theirs)],
            elements: pairs.into_iter().map(line).collect(),
            bases,
        }
    }

    /// Binds `rows` in one transaction.
    async fn bind(&mut self, rows: Vec<(TakeOver, Order, Order)>) -> Result<(), EngineError> {
        let taken = rows.iter().map(|(taken, ..)| taken.clone()).collect();
        let done = self.engine.store.take_over(taken, self.engine.now()).await?;
        for ((taken, order, there), done) in rows.into_iter().zip(done) {
            let name = taken.adoption.label;
            match done {
                Ok(_) => {
                    self.report.bound += 1;
                    self.people.meet(&order, &there);
                    if there.stage.as_deref().is_some_and(|stage| matches!(stage, "draft" | "quote")) {
                        self.report
                            .unreleased
                            .add(format!("{name}: {}", there.number.as_deref().unwrap_or("no number yet")));
                    }
                    let case = match taken.adoption.ids.first() {
                        Some((system, id, _)) => self.case_of(system.clone(), id.clone()).await?,
                        None => None,
                    };
                    self.number(&name, &order, &there, case.as_ref()).await?;
                }
                Err(StoreError::Taken(_)) => {
                    self.report.ambiguous.add(format!("{name}: its document is tied to another order"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn case_of(&self, system: syncline_core::id::SystemUid, id: RemoteId) -> Result<Option<Case>, EngineError> {
        let store = &self.engine.store;
        let found: Option<EntityId> = store.entities(system, Kind::Order, vec![id]).await?.into_iter().flatten().next();
        match found {
            Some(entity) => Ok(Some(store.load(entity).await?)),
            None => Ok(None),
        }
    }

    /// Lists an order that refers to something else than its document's number; where that was asked for, the number is
    /// chosen for it.
    async fn number(
        &mut self,
        name: &str,
        order: &Order,
        there: &Order,
        case: Option<&Case>,
    ) -> Result<(), EngineError> {
        let Some(number) = there.number.clone().filter(|number| order.reference.as_ref() != Some(number)) else {
            return Ok(());
        };
        let here = order.reference.as_deref().map_or("nothing".to_string(), |text| format!("`{text}`"));
        self.report.numbers.add(format!("{name}: refers to {here}, its document is `{number}`"));
        let path = Path::field("reference");
        let Some(case) = case.filter(|_| self.wanted.numbers_to_shop) else { return Ok(()) };
        let chosen = case.chosen.get(&self.erp.uid).and_then(|chosen| chosen.value(&path));
        if chosen == Some(&Value::Text(number.clone())) {
            return Ok(());
        }
        let resolve = Resolve {
            entity: case.entity,
            revisions: case.revisions(),
            bases: Vec::new(),
            chosen: vec![(self.erp.uid.clone(), path, Some(Value::Text(number)))],
            told: "the number of its document goes to the shop".to_string(),
        };
        Ok(self.engine.store.resolve(resolve, self.engine.now()).await?)
    }

    /// Binds the customers of the orders to the parties of their documents.
    async fn tie_people(&mut self) -> Result<(), EngineError> {
        let people = std::mem::take(&mut self.people);
        let (bound, ambiguous) = self.engine.tie_along(self.shop, self.erp, people).await?;
        self.report.customers = bound;
        self.report.customers_ambiguous = ambiguous;
        Ok(())
    }
}

/// What `system` has under these names, by the first of `fields` that knows any.
async fn called<'n>(
    system: &System,
    fields: &[&str],
    names: impl Iterator<Item = &'n String>,
) -> Result<BTreeMap<String, Vec<Snapshot>>, EngineError> {
    let mut left: BTreeSet<String> = names.cloned().collect();
    let mut found: BTreeMap<String, Vec<Snapshot>> = BTreeMap::new();
    for field in fields {
        for snapshot in told(system, field, left.iter().cloned().collect()).await? {
            if let Some(name) = &snapshot.found_by {
                found.entry(name.clone()).or_default().push(snapshot);
            }
        }
        left.retain(|name| !found.contains_key(name));
    }
    Ok(found)
}
