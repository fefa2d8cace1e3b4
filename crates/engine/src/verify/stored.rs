//! Proof from the store alone: what both sides showed when they were last read.

use super::orders::{Beside, is_as_ordered, withdrawn_alone};
use super::{FlowProof, Proof};
use crate::adopt::{beside, is_adopted};
use crate::run::Engine;
use crate::system::{EngineError, System};
use syncline_core::kind::{Flow, Kind};
use syncline_core::record::Order;
use syncline_core::rules::{OrderRules, Released};

impl Engine {
    /// What both sides showed when they were last read, compared. No system is asked.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn verify_stored(&self) -> Result<Proof, EngineError> {
        let mut proof = Proof::default();
        if let Some(rules) = self.flows.orders.first() {
            let target = self.system(&rules.target)?;
            let mut flow = FlowProof::default();
            for rules in &self.flows.orders {
                self.stored_orders(rules, target, &mut flow).await?;
            }
            proof.flows.insert(Flow::Orders, flow);
        }
        if !self.flows.customers.is_empty() {
            proof.flows.insert(Flow::Customers, self.stored_customers().await?);
        }
        if let Some(rules) = &self.flows.inventory {
            proof.flows.insert(Flow::Inventory, self.stored_stock(rules).await?);
        }
        let mut products = FlowProof::default();
        for (kind, rules) in self.of_products() {
            products.add_of(kind, self.stored_shared(kind, rules).await?);
        }
        if self.flows.products.is_some() {
            proof.flows.insert(Flow::Products, products);
        }
        if let Some(rules) = &self.flows.prices {
            proof.flows.insert(Flow::Prices, self.stored_shared(Kind::Price, &rules.fields).await?);
        }
        if let Some(rules) = &self.flows.papers {
            let mut papers = self.stored_papers(rules).await?;
            papers.add_all(self.stored_payments().await?);
            papers.add_all(self.stored_refunds().await?);
            proof.flows.insert(Flow::Papers, papers);
        }
        proof.drift = proof.flows.values().map(FlowProof::drift).sum();
        Ok(proof)
    }

    async fn stored_orders(
        &self,
        rules: &OrderRules,
        target: &System,
        flow: &mut FlowProof,
    ) -> Result<(), EngineError> {
        let source = self.system(&rules.source)?;
        let price_digits = target.kind(Kind::Order).price_digits;
        let open = self.open_lanes(Kind::Order).await?;
        for (entity, _) in self.store.bindings(source.uid.clone(), Kind::Order).await? {
            let case = self.store.load(entity).await?;
            let Some(side) = case.sides.get(&source.uid) else { continue };
            let order = match Order::from_leaves(&side.seen) {
                Ok(order) if !side.unread => order,
                _ => {
                    flow.compared += 1;
                    flow.leave_open(
                        format_args!("order {}", case.label),
                        &format!("it could not be read in {}", source.name),
                    );
                    continue;
                }
            };
            let there = case.sides.get(&target.uid).and_then(|side| Order::from_leaves(&side.seen).ok());
            // A document that was withdrawn there is none.
            let there = there.filter(|there| there.stage.as_deref() != Some("cancelled"));
            let there = there.map(|there| if is_adopted(&case) { beside(&order, &there) } else { there });
            if there.is_none() && rules.released(&order, case.admitted) != Released::Yes {
                continue;
            }
            let alone = there.is_some() && withdrawn_alone(&case, &order, source, target);
            let (label, open) = (self.order_label(source, &case.label), open.get(&entity).map(String::as_str));
            let there: Vec<Order> = there.into_iter().collect();
            let looked = (!is_as_ordered(&order, &there)).then_some(&case);
            let (order, allowed) = self.as_wanted(rules, looked, order, &there)?;
            let there = there.iter().collect();
            Beside { label, order: &order, there, open, alone, allowed, price_digits }.compare(flow);
        }
        Ok(())
    }
}
