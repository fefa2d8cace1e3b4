//! Papers compared: every one in force in the ERP against the shop's, and what the shop counts against both.

use super::FlowProof;
use super::told::Told;
use crate::adopt::is_adopted;
use crate::decide::order_of;
use crate::papers::{OrderOf, Way, in_words_of_order, paper_of};
use crate::reading::{CHUNK, read_all};
use crate::run::Engine;
use crate::system::{EngineError, System};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::{EntityId, RemoteId};
use syncline_core::kind::Kind;
use syncline_core::money::Money;
use syncline_core::planner::{all_billed, given_back, had_of};
use syncline_core::record::{Order, Paper};
use syncline_core::rules::PaperRules;

/// One paper in force with what the shop is to show of it.
struct Due {
    label: String,
    /// By the lines of the shop's order.
    wanted: Paper,
    /// What the shop calls it, where it was told.
    there: Option<RemoteId>,
    /// What the shop showed of it last.
    seen: Option<Paper>,
    /// What it waits for, where it is not done yet.
    open: Option<String>,
    /// The shop asked for it along with the first goods.
    along: bool,
    /// It was made of what the shop gave back, to the smallest coin.
    carried: bool,
}

impl Due {
    /// What the shop's paper has to come to, where it does.
    fn total(&self, there: &Paper) -> Option<Money> {
        if self.carried { given_back(there) } else { there.grand }
    }
}

/// What was due of one order.
struct Owed {
    shop: System,
    id: RemoteId,
    /// What the shop showed of the order last.
    seen: Option<Order>,
    due: Vec<Due>,
    /// A paper of it was left to people: what the shop counts beside is not judged.
    left: bool,
    /// What the shop counts beside papers of ours may stand for papers: it came over by another connector.
    adopted: bool,
}

impl Engine {
    /// Every paper of the flow, read on both sides now.
    pub(super) async fn verify_papers(&self, rules: &PaperRules) -> Result<FlowProof, EngineError> {
        let erp = self.system(&rules.source)?;
        let mut flow = FlowProof::default();
        for (_, kind) in self.paper_feeds().into_iter().filter(|(name, _)| **name == rules.source) {
            let mut owed = self.owed(rules, kind, self.told_now(erp, kind).await?).await?;
            for order in owed.values_mut() {
                self.read_owed(kind, order).await?;
                order.join_freight(kind);
            }
            flow.add_of(kind, proof(kind, owed.into_values()));
        }
        Ok(flow)
    }

    /// The same by what both sides showed when they were last read.
    pub(super) async fn stored_papers(&self, rules: &PaperRules) -> Result<FlowProof, EngineError> {
        let erp = self.system(&rules.source)?;
        let mut flow = FlowProof::default();
        for (_, kind) in self.paper_feeds().into_iter().filter(|(name, _)| **name == rules.source) {
            let mut owed = self.owed(rules, kind, self.told_before(erp, kind).await?).await?;
            owed.values_mut().for_each(|order| order.join_freight(kind));
            flow.add_of(kind, proof(kind, owed.into_values()));
        }
        Ok(flow)
    }

    /// What is due of `told`, order by order; what is none of the flow's is left out.
    async fn owed(&self, rules: &PaperRules, kind: Kind, told: Told) -> Result<BTreeMap<EntityId, Owed>, EngineError> {
        let erp = self.system(&rules.source)?;
        let open = self.open_lanes(kind).await?;
        let mut owed: BTreeMap<EntityId, Owed> = BTreeMap::new();
        for (id, paper) in told {
            let case = self.case_of(erp, kind, &id).await?;
            let Some(order) = self.order_of_paper(&case).await? else { continue };
            let entry = owed.entry(order.case.entity).or_insert_with(|| of_order(&order));
            entry.left |= case.admitted;
            let shown = case.sides.get(&order.shop.uid).and_then(|side| Paper::from_leaves(&side.seen).ok());
            let there = case.bound.get(&order.shop.uid).map(|bound| bound.id.clone());
            let Some(paper) = paper else {
                entry.due.push(Due {
                    label: id.id,
                    wanted: Paper::default(),
                    there,
                    seen: shown,
                    open: Some("it cannot be read".to_owned()),
                    along: false,
                    carried: false,
                });
                continue;
            };
            let is_due = order.rules.takes(kind) && order.rules.is_due(kind, &paper);
            if case.admitted || (there.is_none() && !is_due) {
                continue;
            }
            let elements = order.case.bound.get(&erp.uid).map(|bound| bound.elements.clone()).unwrap_or_default();
            let (wanted, _) = in_words_of_order(paper, &elements);
            // What `explain` knows it by, once it is known.
            let known = Some(case.label.clone()).filter(|label| !label.is_empty());
            let label = known.or_else(|| wanted.number.clone()).unwrap_or(id.id);
            let open = open.get(&case.entity).cloned();
            let carried = self.way_of(&case) == Way::FromShop;
            entry.due.push(Due { label, wanted, there, seen: shown, open, along: false, carried });
        }
        owed.retain(|_, order| !order.due.is_empty());
        for order in owed.values_mut().filter(|_| kind == Kind::Credit) {
            // What people of the shop gave back and is not carried over yet is compared by itself.
            for entity in self.store.papers_of(order.shop.uid.clone(), kind, order.id.clone()).await? {
                order.left |= !self.store.load(entity).await?.bound.contains_key(&erp.uid);
            }
        }
        Ok(owed)
    }

    /// Reads what the shop shows of an order and its papers now.
    async fn read_owed(&self, kind: Kind, order: &mut Owed) -> Result<(), EngineError> {
        let told = read_all(&order.shop, Kind::Order, std::slice::from_ref(&order.id)).await?;
        order.seen = told.into_iter().flatten().next().as_ref().and_then(order_of);
        let ids: Vec<RemoteId> = order.due.iter().filter_map(|due| due.there.clone()).collect();
        let mut shown = BTreeMap::new();
        for chunk in ids.chunks(CHUNK) {
            for (id, there) in chunk.iter().zip(read_all(&order.shop, kind, chunk).await?) {
                shown.insert(id.clone(), there.as_ref().and_then(paper_of));
            }
        }
        for due in &mut order.due {
            due.seen = due.there.as_ref().and_then(|id| shown.remove(id).flatten());
        }
        Ok(())
    }
}

fn of_order(order: &OrderOf<'_>) -> Owed {
    let seen = order.case.sides.get(&order.shop.uid).and_then(|side| Order::from_leaves(&side.seen).ok());
    Owed {
        shop: order.shop.clone(),
        id: order.id.clone(),
        seen,
        due: Vec::new(),
        left: false,
        adopted: is_adopted(&order.case),
    }
}

/// Every paper of `orders` beside the shop's, and the shop's own count beside both.
fn proof(kind: Kind, orders: impl Iterator<Item = Owed>) -> FlowProof {
    let mut flow = FlowProof::default();
    // What is billed and not due of the shop yet says nothing about what the shop counts.
    for order in orders.filter(|order| !order.due.is_empty()) {
        let counts = order.counts(kind);
        for due in &order.due {
            flow.compared += 1;
            match (&due.open, &due.seen) {
                _ if due.along => flow.equal += 1,
                (Some(waits_for), _) => flow.leave_open(format_args!("{kind} {}", due.label), waits_for),
                (None, None) if order.has_by_others(kind, due, &counts) => flow.equal += 1,
                (None, None) => {
                    flow.missing += 1;
                    flow.tell(format!("{kind} {}: not in {}", due.label, order.shop.name));
                }
                (None, Some(there)) => match differences(kind, due, there) {
                    found if found.is_empty() => flow.equal += 1,
                    found => {
                        flow.different += 1;
                        flow.cents_off = flow.cents_off.saturating_add(cents(due, there));
                        flow.tell(format!("{kind} {}: {}", due.label, found.join("; ")));
                    }
                },
            }
        }
        let settled =
            !order.left && order.due.iter().all(|due| due.open.is_none() && (due.along || due.seen.is_some()));
        for (key, (counted, ours)) in counts.iter().filter(|(_, (counted, ours))| settled && counted > ours) {
            flow.extra += 1;
            let (counted, ours, shop) = (counted.normalize(), ours.normalize(), &order.shop.name);
            flow.tell(format!("{kind} of {}, line {key}: {counted} in {shop}, {ours} by papers of ours", order.id));
        }
    }
    flow
}

impl Owed {
    /// Adds what was invoiced without goods to the invoice with which the shop asked for its freight.
    fn join_freight(&mut self, kind: Kind) {
        let freight = |paper: &Paper| paper.charges.get("shipping").is_some_and(|net| !net.amount.is_zero());
        let carries = |due: &Due| due.seen.as_ref().is_some_and(freight) && !freight(&due.wanted);
        let first = self.due.iter().position(carries).filter(|_| kind == Kind::Invoice);
        let Some(at) = first else {
            // It goes along with goods that are not asked for yet.
            let told = self.due.iter().any(|due| due.seen.is_some());
            self.due.retain(|due| told || kind != Kind::Invoice || !due.wanted.asks_for_charges_alone());
            return;
        };
        let mut sum = Vec::new();
        for due in self.due.iter_mut().filter(|due| due.there.is_none() && due.wanted.asks_for_charges_alone()) {
            due.along = true;
            sum.extend(due.wanted.grand);
        }
        if let Some(grand) = self.due.get_mut(at).and_then(|due| due.wanted.grand.as_mut()) {
            *grand = sum.into_iter().try_fold(*grand, |sum, more| sum.plus(more).ok()).unwrap_or(*grand);
        }
    }

    /// By line of the order: how much of it the shop counts, and how much of that is by papers of ours.
    fn counts(&self, kind: Kind) -> BTreeMap<String, (Decimal, Decimal)> {
        let lines = self.seen.iter().flat_map(|seen| seen.lines.iter());
        let mut counts: BTreeMap<String, (Decimal, Decimal)> =
            lines.map(|(key, line)| (key.clone(), (had_of(kind, line), Decimal::ZERO))).collect();
        for (key, line) in self.due.iter().filter_map(|due| due.seen.as_ref()).flat_map(|there| &there.lines) {
            if let Some((_, ours)) = counts.get_mut(key) {
                *ours = ours.saturating_add(line.quantity.unwrap_or_default());
            }
        }
        counts
    }

    /// Whether somebody else told the shop all that `due` says, and that is fine: of invoices, and of orders that another
    /// connector brought.
    fn has_by_others(&self, kind: Kind, due: &Due, counts: &BTreeMap<String, (Decimal, Decimal)>) -> bool {
        let has = |key: &String, quantity: Decimal| {
            counts.get(key).is_some_and(|(counted, ours)| counted.saturating_sub(*ours) >= quantity)
        };
        if kind == Kind::Invoice && due.wanted.lines.is_empty() {
            return self.seen.as_ref().is_some_and(all_billed);
        }
        let mut lines = due.wanted.lines.iter();
        let fine = kind != Kind::Shipment || self.adopted;
        fine && !due.wanted.lines.is_empty() && lines.all(|(key, line)| has(key, line.quantity.unwrap_or_default()))
    }
}

/// Every way in which the shop's paper is not the ERP's.
fn differences(kind: Kind, due: &Due, there: &Paper) -> Vec<String> {
    let (mut found, wanted) = (Vec::new(), &due.wanted);
    // What was given back as an amount tells no lines.
    let by_amount = kind == Kind::Credit && there.lines.is_empty();
    for (key, line) in &wanted.lines {
        let quantity = line.quantity.unwrap_or_default();
        // What no shop sends it does not list.
        let has = there.lines.get(key).and_then(|line| line.quantity);
        if has.is_some_and(|has| has != quantity) {
            found.push(format!("line {key}: another quantity"));
        }
    }
    if !by_amount && !wanted.lines.is_empty() && !wanted.lines.keys().any(|key| there.lines.contains_key(key)) {
        found.push("none of its lines".to_string());
    }
    let numbers = |paper: &Paper| paper.tracks.keys().cloned().collect::<BTreeSet<_>>();
    let lost: Vec<String> = numbers(wanted).difference(&numbers(there)).cloned().collect();
    if !lost.is_empty() {
        found.push(format!("without the parcels {}", lost.join(", ")));
    }
    if let (Some(ours), Some(theirs)) = (wanted.grand, due.total(there))
        && ours != theirs
    {
        found.push(format!("{ours} here, {theirs} there"));
    }
    found
}

/// The difference of the totals in minor units.
fn cents(due: &Due, there: &Paper) -> u64 {
    let (Some(ours), Some(theirs)) = (due.wanted.grand, due.total(there)) else { return 0 };
    super::minor_units(ours, theirs)
}
