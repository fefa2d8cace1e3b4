//! The guard against mass changes: where one pass would change a large part of a flow's records, a person approves it.
//!
//! Stock is left out: a figure that comes too late is sold twice.

use crate::aside::{Aside, Asides};
use crate::run::Engine;
use crate::system::EngineError;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::{EntityId, SystemName, SystemUid};
use syncline_core::kind::{Flow, Kind, Step};
use syncline_core::planner::{Decision, Planned};
use syncline_core::policy::Hold;
use syncline_core::record::Customer;
use syncline_core::rules::FieldRules;
use syncline_store::{Accept, LaneFilter, LaneRow};

/// Writes of one pass that nobody is asked about.
const FEW: usize = 25;
/// From one in so many of the records on, a person is asked.
const SHARE: u64 = 5;

/// Whether so many of the records of a flow at once are more than a person should hear of afterwards.
pub(crate) fn is_mass(records: u64, of: u64) -> bool {
    records > FEW as u64 && records.saturating_mul(SHARE) > of
}

/// Whether an order may wait for this step of a customer: it is made, or given an address that an order was placed with.
pub(crate) fn is_needed_by_orders(plan: &Planned) -> bool {
    match plan.step {
        Step::Update => false,
        Step::Attach(_) => plan.leaves.iter().any(|(path, _)| Customer::is_of_order(path)),
        _ => true,
    }
}

/// A flow that waits for a person's approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Records that would be changed.
    pub changes: usize,
    /// Records of the flow that both sides have.
    pub of: usize,
}

impl Gate {
    /// What a person is asked about `flow`, and what to do.
    #[must_use]
    pub fn hold(self, flow: Flow) -> Hold {
        let Self { changes, of } = self;
        Hold::new(
            "SYN-0141",
            format!("{flow}: {changes} of {of} records would be changed at once; nothing was written"),
            format!("look at `syncline plan {flow}`, then `syncline approve {flow}`"),
        )
    }
}

/// What a person approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Approved {
    /// Changes of one pass.
    changes: usize,
}

/// The kinds that are guarded; those of one flow are counted together.
pub(crate) const GUARDED: [Kind; 5] = [Kind::Category, Kind::Product, Kind::Variant, Kind::Price, Kind::Customer];
const FLOWS: [Flow; 3] = [Flow::Products, Flow::Prices, Flow::Customers];

impl Engine {
    /// Flows whose next pass would change too much to go unseen. What was approved lasts until the flow is at rest.
    ///
    /// # Errors
    /// Where the store fails, or a system that has to be asked first.
    pub async fn gates(&self) -> Result<BTreeMap<Flow, Gate>, EngineError> {
        let mut gates = BTreeMap::new();
        for flow in FLOWS {
            let kinds = GUARDED.into_iter().filter(|kind| kind.flow() == flow && self.writes_to(*kind));
            let guarded: Vec<(Kind, &FieldRules)> =
                kinds.filter_map(|kind| Some((kind, self.field_rules(kind)?))).collect();
            if guarded.is_empty() {
                continue;
            }
            let (mut due, mut at_rest) = (Vec::new(), true);
            for (kind, _) in &guarded {
                let filter =
                    LaneFilter { kind: Some(*kind), states: vec!["ready", "awaiting"], ..LaneFilter::default() };
                let lanes = self.store.lanes(filter).await?;
                at_rest &= lanes.is_empty();
                // What is to be tried again later counts as much as what is tried now.
                let is_due = |lane: &&LaneRow| lane.state == "ready" || lane.ready_at <= self.now();
                due.push((*kind, lanes.iter().filter(is_due).map(|lane| lane.entity).collect::<Vec<EntityId>>()));
            }
            let approved = self.approved(flow).await?;
            if due.iter().map(|(_, lanes)| lanes.len()).sum::<usize>() <= FEW {
                if at_rest && approved.changes > 0 {
                    self.approve_changes(flow, Approved::default()).await?;
                }
                continue;
            }
            let mut gate = Gate { changes: 0, of: 0 };
            for ((kind, rules), (_, lanes)) in guarded.iter().zip(&due) {
                gate.of += self.tied_count(*kind, whole(*kind, rules)).await?;
                gate.changes += self.changes(*kind, lanes).await?;
            }
            if is_mass(gate.changes as u64, gate.of as u64) && gate.changes > approved.changes.saturating_add(FEW) {
                gates.insert(flow, gate);
            }
        }
        Ok(gates)
    }

    /// Approves what the next passes of `flow` would change. Returns what that is; none where nobody has to be asked.
    ///
    /// # Errors
    /// As [`Engine::gates`].
    pub async fn approve(&self, flow: Flow) -> Result<Option<Gate>, EngineError> {
        let gate = self.gates().await?.remove(&flow);
        if let Some(gate) = &gate {
            self.approve_changes(flow, Approved { changes: gate.changes }).await?;
        }
        self.keep_gate(flow, None).await?;
        Ok(gate)
    }

    /// Keeps which flows wait for an approval, for whoever asks how things stand.
    pub(crate) async fn keep_gates(&self, gates: &BTreeMap<Flow, Gate>) -> Result<(), EngineError> {
        for flow in FLOWS {
            self.keep_gate(flow, gates.get(&flow)).await?;
        }
        Ok(())
    }

    /// The flows that waited for an approval when a pass last looked.
    pub(crate) async fn kept_gates(&self) -> Result<Vec<(Flow, Gate)>, EngineError> {
        let mut kept = Vec::new();
        for flow in FLOWS.into_iter().filter(|flow| self.is_guarded(*flow)) {
            let text = self.store.cursor(waits(flow), Kind::Variant).await?;
            kept.extend(serde_json::from_str(&text).ok().map(|gate| (flow, gate)));
        }
        Ok(kept)
    }

    /// Whether records of `flow` are written at all.
    fn is_guarded(&self, flow: Flow) -> bool {
        let writes = |kind: &Kind| kind.flow() == flow && self.writes_to(*kind) && self.field_rules(*kind).is_some();
        GUARDED.iter().any(writes)
    }

    async fn keep_gate(&self, flow: Flow, gate: Option<&Gate>) -> Result<(), EngineError> {
        let text = gate.map_or(Ok(String::new()), serde_json::to_string);
        let text = text.map_err(|error| EngineError::Setup(format!("SYN-0904: {error}")))?;
        if self.store.cursor(waits(flow), Kind::Variant).await? != text {
            self.keep(waits(flow), text).await?;
        }
        Ok(())
    }

    /// How many of `lanes` would be written.
    async fn changes(&self, kind: Kind, lanes: &[EntityId]) -> Result<usize, EngineError> {
        // What could not be read just now may change as well: an answer that was lost lets nothing through unasked.
        let mut unread = BTreeSet::new();
        // Nothing is written this time to who is away.
        let away = self.away();
        if kind == Kind::Price {
            for chunk in lanes.chunks(100) {
                let left = self.freshen_prices(chunk).await?.into_iter();
                let silent = |asides: &Asides| {
                    asides.iter().any(|(name, why)| matches!(why, Aside::Trouble(_)) && !away.contains_key(name))
                };
                unread.extend(left.filter(|(_, asides)| silent(asides)).map(|(lane, _)| lane));
            }
        }
        let mut changes = unread.len();
        for lane in lanes.iter().filter(|lane| !unread.contains(lane)) {
            let case = self.store.load(*lane).await?;
            // What is under way was let through before; what is undone was a person's own wish.
            let asked = match self.decide(&case, true).await?.decision {
                // A customer that an order needs is made whatever waits.
                Decision::Step(plan) if kind == Kind::Customer && is_needed_by_orders(&plan) => false,
                Decision::Step(plan) => !self.takes_back(&case, &plan),
                _ => false,
            };
            changes += usize::from(asked && case.delivery.is_none());
        }
        Ok(changes)
    }

    async fn tied_count(&self, kind: Kind, source: &SystemName) -> Result<usize, EngineError> {
        Ok(self.store.bindings(self.system(source)?.uid.clone(), kind).await?.len())
    }

    async fn approved(&self, flow: Flow) -> Result<Approved, EngineError> {
        let text = self.store.cursor(ours(flow), Kind::Variant).await?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    async fn approve_changes(&self, flow: Flow, approved: Approved) -> Result<(), EngineError> {
        let text = serde_json::to_string(&approved).map_err(|e| EngineError::Setup(format!("SYN-0904: {e}")))?;
        self.keep(ours(flow), text).await
    }

    /// Keeps a word of our own.
    async fn keep(&self, system: SystemUid, text: String) -> Result<(), EngineError> {
        let cursor = Some((Kind::Variant, text));
        let accept = Accept { system, records: Vec::new(), cursor, asked_at: None, now: self.now() };
        self.store.accept(accept).await?;
        Ok(())
    }
}

/// The system whose records of `kind` are all there are: customers of several shops are all tied to the ERP.
fn whole(kind: Kind, rules: &FieldRules) -> &SystemName {
    rules.pairs.first().filter(|_| kind == Kind::Customer).map_or(&rules.source, |pair| &pair.target)
}

/// Kept as the cursor of a system of our own.
fn ours(flow: Flow) -> SystemUid {
    SystemUid::new(format!("approved-{flow}"))
}

/// As [`ours`]: which approval is waited for.
fn waits(flow: Flow) -> SystemUid {
    SystemUid::new(format!("waits-{flow}"))
}
