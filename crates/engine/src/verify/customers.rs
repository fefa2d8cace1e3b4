//! Customers of both sides compared: those that are tied, by their e-mail.

use super::FlowProof;
use crate::reading::read_all;
use crate::run::Engine;
use crate::system::{EngineError, System};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::record::{Customer, Record};
use syncline_core::text::email_key;
use syncline_store::Case;

impl Engine {
    /// Every tied customer, read in `target` now.
    pub(super) async fn verify_customers(&self, target: &System) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof { open: self.open_lanes(Kind::Customer).await?.len(), ..FlowProof::default() };
        let bindings = self.store.bindings(target.uid.clone(), Kind::Customer).await?;
        for chunk in bindings.chunks(100) {
            let ids: Vec<RemoteId> = chunk.iter().map(|(_, id)| id.clone()).collect();
            let answers = read_all(target, Kind::Customer, &ids).await?;
            for ((entity, id), snapshot) in chunk.iter().zip(answers) {
                let case = self.store.load(*entity).await?;
                let there = snapshot.and_then(|snapshot| snapshot.records.into_iter().next());
                let there = there.map(|(_, record)| match record {
                    Record::Customer(customer) => customer,
                    _ => Customer::default(),
                });
                compare(&mut flow, &case, self.shop_of(&case), target, id, there.as_ref());
            }
        }
        Ok(flow)
    }

    /// Every tied customer, as `target` showed it when it was last read.
    pub(super) async fn stored_customers(&self, target: &System) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof { open: self.open_lanes(Kind::Customer).await?.len(), ..FlowProof::default() };
        for (entity, id) in self.store.bindings(target.uid.clone(), Kind::Customer).await? {
            let case = self.store.load(entity).await?;
            let there = case.sides.get(&target.uid).map(|side| crate::decide::customer_of(&side.seen));
            compare(&mut flow, &case, self.shop_of(&case), target, &id, there.as_ref());
        }
        Ok(flow)
    }

    /// The shop that `case` is from.
    fn shop_of(&self, case: &Case) -> Option<&System> {
        self.systems.get(&self.order_rules(case)?.source)
    }
}

/// Compares what both agreed on with what is `there`.
fn compare(
    flow: &mut FlowProof,
    case: &Case,
    shop: Option<&System>,
    target: &System,
    id: &RemoteId,
    there: Option<&Customer>,
) {
    flow.compared += 1;
    let side = shop.and_then(|shop| case.sides.get(&shop.uid));
    let wanted = side.and_then(|side| crate::decide::customer_of(&side.base(&target.uid)).email);
    match there {
        Some(there) if same_email(wanted.as_deref(), there.email.as_deref()) => flow.equal += 1,
        Some(_) => {
            flow.different += 1;
            flow.tell(format!("customer {}: another e-mail in {} ({id})", case.label, target.name));
        }
        None => {
            flow.missing += 1;
            flow.tell(format!("customer {}: {id} is not in {} any more", case.label, target.name));
        }
    }
}

/// Nothing is compared where the shop told no e-mail.
fn same_email(wanted: Option<&str>, there: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| there.is_some_and(|there| email_key(there) == email_key(wanted)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_e_mail_is_compared_as_it_is_matched() {
        assert!(super::same_email(Some("Ada@Example.org "), Some("ada@example.org")));
        assert!(super::same_email(None, Some("ada@example.org")));
        assert!(!super::same_email(Some("ada@example.org"), None));
    }
}
