//! Customers of both sides compared: those with a page of their own field by field, guests by their e-mail.

use super::FlowProof;
use crate::customers::of_guest;
use crate::reading::{CHUNK, read};
use crate::run::Engine;
use crate::system::{EngineError, System};
use syncline_core::kind::Kind;
use syncline_core::leaf::Leaves;
use syncline_core::text::email_key;
use syncline_store::Case;

impl Engine {
    /// Every tied customer, read on both sides now.
    pub(super) async fn verify_customers(&self) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof::default();
        for rules in &self.flows.customers {
            flow.add(self.verify_shared(Kind::Customer, rules).await?);
            for pair in &rules.pairs {
                let (source, target) = (self.system(&pair.source)?, self.system(&pair.target)?);
                for chunk in self.guests(source, target).await?.chunks(CHUNK) {
                    let there = read(target, Kind::Customer, chunk).await?;
                    for (case, there) in chunk.iter().zip(there) {
                        compare(&mut flow, case, [source, target], there.as_ref());
                    }
                }
            }
        }
        self.count_untied(&mut flow).await?;
        Ok(flow)
    }

    /// Every tied customer, as both sides showed it when they were last read.
    pub(super) async fn stored_customers(&self) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof::default();
        for rules in &self.flows.customers {
            flow.add(self.stored_shared(Kind::Customer, rules).await?);
            for pair in &rules.pairs {
                let (source, target) = (self.system(&pair.source)?, self.system(&pair.target)?);
                for case in self.guests(source, target).await? {
                    let there = case.sides.get(&target.uid).map(|side| &side.seen);
                    compare(&mut flow, &case, [source, target], there);
                }
            }
        }
        self.count_untied(&mut flow).await?;
        Ok(flow)
    }

    /// Counts customers that are still to be made as open.
    async fn count_untied(&self, flow: &mut FlowProof) -> Result<(), EngineError> {
        let mut open = self.open_lanes(Kind::Customer).await?;
        for pair in self.flows.customers.iter().flat_map(|rules| &rules.pairs) {
            for (entity, _) in self.store.bindings(self.system(&pair.target)?.uid.clone(), Kind::Customer).await? {
                open.remove(&entity);
            }
        }
        for (entity, waits_for) in open {
            flow.leave_open(format_args!("customer {}", self.store.load(entity).await?.label), &waits_for);
        }
        Ok(())
    }

    /// The tied guests of `source`.
    async fn guests(&self, source: &System, target: &System) -> Result<Vec<Case>, EngineError> {
        let bindings = self.store.bindings(target.uid.clone(), Kind::Customer).await?;
        let mut guests = Vec::new();
        for (entity, _) in bindings {
            let case = self.store.load(entity).await?;
            if of_guest(&case, source) && !case.left_out() {
                guests.push(case);
            }
        }
        Ok(guests)
    }
}

/// Compares what both agreed on when a guest was made with what is `there`.
fn compare(flow: &mut FlowProof, case: &Case, [source, target]: [&System; 2], there: Option<&Leaves>) {
    flow.compared += 1;
    let email = |leaves: &Leaves| crate::decide::customer_of(leaves).email;
    let wanted = case.sides.get(&source.uid).and_then(|side| email(&side.base(&target.uid)));
    match there {
        Some(there) if same_email(wanted.as_deref(), email(there).as_deref()) => flow.equal += 1,
        Some(_) => {
            flow.different += 1;
            flow.tell(format!("customer {}: another e-mail in {}", case.label, target.name));
        }
        None if case.gone.contains_key(&target.uid) => {
            flow.leave_open(format_args!("customer {}", case.label), "it is gone");
        }
        None => {
            flow.missing += 1;
            flow.tell(format!("customer {}: it is not in {} any more", case.label, target.name));
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
