//! Refunds compared: every credit that shops gave by themselves beside the credit note of the ERP.

use super::told::Told;
use super::{FlowProof, minor_units, waits_for};
use crate::papers::{OrderOf, Way, in_words, paper_of};
use crate::reading::{CHUNK, read_all};
use crate::run::Engine;
use crate::system::{EngineError, System};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::planner::given_back;
use syncline_core::record::{Order, Paper, PaperLife};
use syncline_core::rules::Refunds;
use syncline_store::Case;

/// What a shop gave back, with what the ERP shows of it.
struct Given {
    label: String,
    /// By the lines that the order's document has.
    paper: Paper,
    erp: System,
    /// What the ERP calls it, where it is there.
    there: Option<RemoteId>,
    /// What it shows of it, by the keys of the shop's order.
    shown: Option<Paper>,
    order: OrderOfLines,
    /// What it waits for, where it is not done yet.
    open: Option<String>,
    /// People put the draft in force.
    by_people: bool,
}

/// What the ERP calls the lines of an order.
type OrderOfLines = BTreeMap<syncline_core::path::Path, String>;

impl Engine {
    /// Every refund of the flow, read on both sides now.
    pub(super) async fn verify_refunds(&self) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof::default();
        for shop in self.shops_with_refunds()? {
            let mut given = self.given(shop, self.told_now(shop, Kind::Credit).await?).await?;
            read_now(&mut given).await?;
            flow.add_of(Kind::Credit, proof(given));
        }
        Ok(flow)
    }

    /// The same by what both sides showed when they were last read.
    pub(super) async fn stored_refunds(&self) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof::default();
        for shop in self.shops_with_refunds()? {
            let given = self.given(shop, self.told_before(shop, Kind::Credit).await?).await?;
            flow.add_of(Kind::Credit, proof(given));
        }
        Ok(flow)
    }

    fn shops_with_refunds(&self) -> Result<Vec<&System>, EngineError> {
        let Some(rules) = &self.flows.papers else { return Ok(Vec::new()) };
        let feeds = self.paper_feeds().into_iter();
        let shops = feeds.filter(|(name, kind)| *kind == Kind::Credit && **name != rules.source);
        shops.map(|(name, _)| self.system(name)).collect()
    }

    /// What of `told` is to be credited; what the ERP gave back first is compared with the papers that come from there.
    async fn given(&self, shop: &System, told: Told) -> Result<Vec<Given>, EngineError> {
        let mut all = Vec::new();
        for (id, paper) in told {
            let case = self.case_of(shop, Kind::Credit, &id).await?;
            if self.way_of(&case) != Way::FromShop || case.admitted {
                continue;
            }
            let Some(order) = self.order_of_paper(&case).await? else { continue };
            if order.rules.refunds == Refunds::Ask || !order.case.bound.contains_key(&order.erp.uid) {
                continue;
            }
            let lane = match case.sides.is_empty() {
                true => None,
                false => self.store.story(case.entity).await?.lane,
            };
            // What was never taken in is about to be.
            let state = lane.as_ref().map_or("ready", |lane| lane.state.as_str());
            // What the ERP has not asked for yet is not due.
            if state == "awaiting" && !case.bound.contains_key(&order.erp.uid) {
                continue;
            }
            let why = lane.as_ref().and_then(|lane| lane.why.as_ref());
            let open = (!matches!(state, "idle" | "awaiting")).then(|| waits_for(state, why));
            all.extend(given(&case, &order, paper, open));
        }
        Ok(all)
    }
}

/// The credit `case` of `order`; none where nothing was given back.
fn given(case: &Case, order: &OrderOf<'_>, paper: Option<Paper>, open: Option<String>) -> Option<Given> {
    let there = case.bound.get(&order.erp.uid).map(|bound| bound.id.clone());
    let mut paper = paper.filter(|paper| paper.in_force() || there.is_some())?;
    let shows = order.case.sides.get(&order.shop.uid).and_then(|side| Order::from_leaves(&side.seen).ok());
    let sold = |key: &String| shows.as_ref().is_some_and(|shows| shows.sold_lines().any(|(own, _)| own == key));
    paper.lines.retain(|key, line| sold(key) && line.quantity.is_some_and(|quantity| !quantity.is_zero()));
    let elements = order.case.bound.get(&order.erp.uid).map(|bound| bound.elements.clone()).unwrap_or_default();
    let shown = case.sides.get(&order.erp.uid).and_then(|side| Paper::from_leaves(&side.seen).ok());
    Some(Given {
        label: paper.number.clone().unwrap_or_else(|| case.label.clone()),
        paper,
        erp: order.erp.clone(),
        there,
        shown: shown.map(|shown| in_words(&elements, shown)),
        order: elements,
        open,
        by_people: order.rules.refunds == Refunds::Draft,
    })
}

/// Asks the ERP what it shows of all of them now.
async fn read_now(all: &mut [Given]) -> Result<(), EngineError> {
    let Some(erp) = all.first().map(|one| one.erp.clone()) else { return Ok(()) };
    let mut with: Vec<&mut Given> = all.iter_mut().filter(|one| one.there.is_some()).collect();
    for some in with.chunks_mut(CHUNK) {
        let ids: Vec<RemoteId> = some.iter().filter_map(|one| one.there.clone()).collect();
        for (one, there) in some.iter_mut().zip(read_all(&erp, Kind::Credit, &ids).await?) {
            one.shown = there.as_ref().and_then(paper_of).map(|shown| in_words(&one.order, shown));
        }
    }
    Ok(())
}

fn proof(all: Vec<Given>) -> FlowProof {
    let mut flow = FlowProof::default();
    for one in all {
        flow.compared += 1;
        match (&one.open, &one.shown) {
            (Some(waits_for), _) => flow.leave_open(format_args!("credit {}", one.label), waits_for),
            (None, None) => {
                flow.missing += 1;
                flow.tell(format!("credit {}: not in {}", one.label, one.erp.name));
            }
            (None, Some(shown)) => match differences(&one, shown) {
                found if found.is_empty() => flow.equal += 1,
                found => {
                    flow.different += 1;
                    if let (Some(ours), Some(theirs)) = (given_back(&one.paper), shown.grand) {
                        flow.cents_off = flow.cents_off.saturating_add(minor_units(ours, theirs));
                    }
                    flow.tell(format!("credit {}: {}", one.label, found.join("; ")));
                }
            },
        }
    }
    flow
}

/// Every way in which the ERP's credit note is not what the shop gave back.
fn differences(one: &Given, shown: &Paper) -> Vec<String> {
    let mut found = Vec::new();
    let pieces = |paper: &Paper| -> BTreeMap<String, Decimal> {
        paper.lines.iter().filter_map(|(key, line)| Some((key.clone(), line.quantity?.normalize()))).collect()
    };
    if pieces(&one.paper) != pieces(shown) {
        found.push("other pieces".to_string());
    }
    if given_back(&one.paper) != shown.grand {
        let told = |paper: &Paper| paper.grand.map_or("nothing".to_string(), |grand| grand.to_string());
        found.push(format!("{} here, {} there", told(&one.paper), told(shown)));
    }
    match shown.life {
        Some(PaperLife::Void) if one.paper.in_force() => found.push("withdrawn there".to_string()),
        Some(PaperLife::Open) if !one.by_people => found.push("no more than a draft there".to_string()),
        _ => {}
    }
    found
}
