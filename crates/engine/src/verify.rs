//! Proof of agreement: every record of the flow, read on both sides and compared; every zero says of how many.

mod customers;
mod orders;
mod papers;
mod payments;
mod refunds;
mod shared;
mod stock;
mod stored;
mod told;

use crate::run::Engine;
use crate::system::EngineError;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Display;
use syncline_core::id::EntityId;
use syncline_core::kind::{FLOWS, Flow, Kind};
use syncline_core::money::Money;
use syncline_core::policy::Hold;
use syncline_core::rules::FieldRules;
use syncline_core::text::shown;
use syncline_store::LaneFilter;

/// What comparing one flow found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FlowProof {
    /// Records compared or looked for.
    pub compared: usize,
    /// Records that agree.
    pub equal: usize,
    /// Records that differ.
    pub different: usize,
    /// Records the target lacks and nothing explains why.
    pub missing: usize,
    /// Documents of ours in the target that no record explains.
    pub extra: usize,
    /// Records that are not there yet for a known reason.
    pub open: usize,
    /// Sum of all differences in totals, in minor units.
    pub cents_off: u64,
    /// Records compared, by kind, where the flow carries several.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kinds: BTreeMap<Kind, usize>,
    /// The differences by name, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What is open by name, and what it waits for, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
}

/// What each record that is not done yet waits for.
type OpenLanes = BTreeMap<EntityId, String>;

/// How many are named of each.
const NAMED: usize = 100;

impl FlowProof {
    /// Everything that is not as it should be.
    #[must_use]
    pub fn drift(&self) -> usize {
        self.different + self.missing + self.extra
    }

    /// Adds what comparing other records came to.
    fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.equal += other.equal;
        self.different += other.different;
        self.missing += other.missing;
        self.extra += other.extra;
        self.open += other.open;
        self.cents_off = self.cents_off.saturating_add(other.cents_off);
        other.details.into_iter().for_each(|detail| self.tell(detail));
        self.waiting.extend(other.waiting);
        self.waiting.truncate(NAMED);
    }

    /// The same for records of `kind`, one of several that the flow carries.
    fn add_of(&mut self, kind: Kind, other: Self) {
        *self.kinds.entry(kind).or_default() += other.compared;
        self.add(other);
    }

    /// The same for records of several kinds.
    fn add_all(&mut self, other: Self) {
        for (kind, compared) in &other.kinds {
            *self.kinds.entry(*kind).or_default() += compared;
        }
        self.add(other);
    }

    fn tell(&mut self, detail: String) {
        if self.details.len() < NAMED {
            self.details.push(detail);
        }
    }

    /// Counts `what` as open.
    fn leave_open(&mut self, what: impl Display, waits_for: &str) {
        self.open += 1;
        if self.waiting.len() < NAMED {
            self.waiting.push(format!("{what}: {waits_for}"));
        }
    }
}

/// What comparing everything found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// By flow.
    pub flows: BTreeMap<Flow, FlowProof>,
    /// Drift of all flows.
    pub drift: usize,
}

impl Engine {
    /// Both sides read now and compared.
    ///
    /// # Errors
    /// Where a system does not answer or the store fails.
    pub async fn verify(&self) -> Result<Proof, EngineError> {
        let flows = futures::future::try_join_all(FLOWS.map(|flow| self.proven(flow))).await?;
        let flows: BTreeMap<Flow, FlowProof> =
            FLOWS.into_iter().zip(flows).filter_map(|(flow, proof)| Some((flow, proof?))).collect();
        Ok(Proof { drift: flows.values().map(FlowProof::drift).sum(), flows })
    }

    /// What comparing one flow finds; none where the file has none.
    async fn proven(&self, flow: Flow) -> Result<Option<FlowProof>, EngineError> {
        let flows = &self.flows;
        Ok(Some(match flow {
            Flow::Orders => {
                let Some(rules) = flows.orders.first() else { return Ok(None) };
                self.verify_orders(self.system(&rules.target)?).await?
            }
            Flow::Customers if !flows.customers.is_empty() => self.verify_customers().await?,
            Flow::Inventory => {
                let Some(rules) = &flows.inventory else { return Ok(None) };
                self.verify_stock(rules).await?
            }
            Flow::Products if flows.products.is_some() => {
                let mut products = FlowProof::default();
                for (kind, rules) in self.of_products() {
                    products.add_of(kind, self.verify_shared(kind, rules).await?);
                }
                products
            }
            Flow::Prices => {
                let Some(rules) = &flows.prices else { return Ok(None) };
                self.verify_shared(Kind::Price, &rules.fields).await?
            }
            Flow::Papers => {
                let Some(rules) = &flows.papers else { return Ok(None) };
                let (payments, refunds) = (self.verify_payments(), self.verify_refunds());
                let (mut papers, payments, refunds) =
                    futures::future::try_join3(self.verify_papers(rules), payments, refunds).await?;
                papers.add_all(payments);
                papers.add_all(refunds);
                papers
            }
            Flow::Customers | Flow::Products => return Ok(None),
        }))
    }

    /// The kinds of the products flow, each with its rules.
    fn of_products(&self) -> impl Iterator<Item = (Kind, &FieldRules)> {
        Flow::Products.kinds().iter().filter_map(|kind| Some((*kind, self.field_rules(*kind)?)))
    }

    /// Entities whose lane is open or not done yet; awaiting ones too, for something may still land.
    async fn open_lanes(&self, kind: Kind) -> Result<OpenLanes, EngineError> {
        self.lanes_in(kind, &["ready", "waiting", "held", "failed", "conflict", "awaiting"]).await
    }

    async fn lanes_in(&self, kind: Kind, states: &[&'static str]) -> Result<OpenLanes, EngineError> {
        let filter = LaneFilter { kind: Some(kind), states: states.to_vec(), ..LaneFilter::default() };
        Ok(self
            .store
            .lanes(filter)
            .await?
            .into_iter()
            .map(|lane| (lane.entity, waits_for(&lane.state, lane.why.as_ref())))
            .collect())
    }
}

/// The state of a lane, and the code of what holds it or else what it waits for.
fn waits_for(state: &str, why: Option<&Hold>) -> String {
    match why {
        Some(why) if !why.code.is_empty() => format!("{state} ({})", why.code),
        Some(why) if !why.what.is_empty() => format!("{state}, {}", shown(&why.what, 100)),
        _ => state.to_owned(),
    }
}

/// How far two amounts of one currency are apart, in its minor units.
fn minor_units(a: Money, b: Money) -> u64 {
    let apart = a.amount.checked_sub(b.amount).and_then(|apart| apart.abs().checked_div(a.currency.minor_unit()));
    apart.and_then(|units| units.round().to_u64()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    #[test]
    fn amounts_of_any_size_are_compared() {
        let euros = |amount: Decimal| Money::new(amount, "EUR".parse().unwrap());
        assert_eq!(minor_units(euros(Decimal::ONE), euros(Decimal::new(101, 2))), 1);
        assert_eq!(minor_units(euros(Decimal::MAX), euros(Decimal::MIN)), u64::MAX);
        let mut all = FlowProof { cents_off: u64::MAX, ..FlowProof::default() };
        all.add(FlowProof { cents_off: 1, ..FlowProof::default() });
        assert_eq!(all.cents_off, u64::MAX);
    }

    #[test]
    fn what_is_open_is_told_with_its_code_or_else_with_what_it_waits_for() {
        let hold = |code: &str, what: &str| Hold::new(code, what, "");
        assert_eq!(waits_for("held", Some(&hold("SYN-0110", "it changed"))), "held (SYN-0110)");
        assert_eq!(waits_for("awaiting", Some(&hold("", "its invoice"))), "awaiting, its invoice");
        assert_eq!(
            (waits_for("ready", None), waits_for("ready", Some(&hold("", "")))),
            ("ready".into(), "ready".into())
        );
    }
}
