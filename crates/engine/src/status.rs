//! How the flows stand: counts of what is open, and how far behind.

use crate::run::Engine;
use crate::system::EngineError;
use serde::Serialize;
use std::collections::BTreeMap;
use syncline_core::kind::{Flow, Kind};

/// One flow's state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FlowStatus {
    /// Seconds the oldest lane that is due has been waiting for its turn.
    pub lag_seconds: i64,
    /// Records that can be worked on now.
    pub ready: u64,
    /// Records both sides agree on, or that are no part of the flow.
    pub done: u64,
    /// Orders from before the flow's first day: not carried over unless they are imported.
    pub early: u64,
    /// Orders not due yet: on hold or unpaid in the shop, within the deadline.
    pub awaiting: u64,
    /// Records that wait for others.
    pub waiting: u64,
    /// Records a rule keeps back, sweeps that found too much missing, and passes that wait for an approval; a person has to do
    /// something.
    pub held: u64,
    /// Records a system refused; a person has to look.
    pub failed: u64,
    /// Fields both sides changed.
    pub conflicts: u64,
    /// When something was last seen or done (ISO 8601).
    pub last_sync: Option<jiff::Timestamp>,
}

impl FlowStatus {
    /// Everything that needs a person or another record.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.waiting + self.held + self.failed + self.conflicts
    }
}

impl Engine {
    /// How each flow stands.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn status(&self) -> Result<BTreeMap<Flow, FlowStatus>, EngineError> {
        let mut flows: BTreeMap<Flow, FlowStatus> = BTreeMap::new();
        if !self.flows.orders.is_empty() {
            flows.insert(Flow::Orders, FlowStatus::default());
            flows.insert(Flow::Customers, FlowStatus::default());
        }
        if self.flows.inventory.is_some() {
            flows.insert(Flow::Inventory, FlowStatus::default());
        }
        if self.flows.products.is_some() {
            flows.insert(Flow::Products, FlowStatus::default());
        }
        if self.flows.prices.is_some() {
            flows.insert(Flow::Prices, FlowStatus::default());
        }
        if self.flows.papers.is_some() {
            flows.insert(Flow::Papers, FlowStatus::default());
        }
        for row in self.store.tally().await? {
            // Records of a flow that was switched off are no part of the picture.
            let off = match row.kind {
                Kind::Stock => self.flows.inventory.is_none(),
                Kind::Category | Kind::Product | Kind::Variant | Kind::Price => self.field_rules(row.kind).is_none(),
                Kind::Shipment | Kind::Invoice | Kind::Payment | Kind::Credit => self.flows.papers.is_none(),
                Kind::Customer | Kind::Order => false,
            };
            if off {
                continue;
            }
            let flow = flows.entry(row.kind.flow()).or_default();
            match row.state.as_str() {
                "ready" => {
                    flow.ready += row.count;
                    let oldest = row.oldest.map_or(0, |at| self.now().duration_since(at).as_secs());
                    flow.lag_seconds = flow.lag_seconds.max(oldest);
                }
                "early" => flow.early += row.count,
                // What is looked at once more agrees already.
                "awaiting" if !matches!(row.kind, Kind::Order | Kind::Payment) => flow.done += row.count,
                "awaiting" => flow.awaiting += row.count,
                "waiting" => flow.waiting += row.count,
                "held" => flow.held += row.count,
                "failed" => flow.failed += row.count,
                "conflict" => flow.conflicts += row.count,
                _ => flow.done += row.count,
            }
            flow.last_sync = flow.last_sync.max(row.newest);
        }
        for asking in self.asking().await? {
            flows.entry(asking.flow).or_default().held += 1;
        }
        Ok(flows)
    }

    /// Whether anything is open.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn anything_open(&self) -> Result<bool, EngineError> {
        Ok(self.status().await?.values().any(|flow| flow.open() > 0))
    }
}
