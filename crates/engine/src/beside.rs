//! Systems at one address, as the websites of one shop: a record that was looked at through one of them before they were
//! told apart is not carried over a second time through another.

use crate::run::Engine;
use crate::system::{EngineError, System};
use syncline_core::id::{RemoteId, SystemUid};
use syncline_core::kind::Step;
use syncline_core::planner::Decision;
use syncline_core::policy::Hold;
use syncline_store::Case;

impl Engine {
    /// `decision` about `case`, an order of `source`; a hold in place of a create where the same order is known through a
    /// system at the same address, and has a document from there or may still get one.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn never_twice(
        &self,
        case: &Case,
        id: &RemoteId,
        [source, target]: [&System; 2],
        decision: Decision,
    ) -> Result<Decision, EngineError> {
        let makes = matches!(&decision, Decision::Step(plan) if plan.step == Step::Create);
        if !makes {
            return Ok(decision);
        }
        for (uid, other) in self.told_beside(case, source, id).await? {
            let name = self.name_of(&uid);
            let document = other.bound.get(&target.uid).map(|bound| bound.id.clone());
            let hold = match document {
                Some(document) => Hold::new(
                    "SYN-0170",
                    format!("it was carried over as an order of {name} before: document {document} of {}", target.name),
                    format!(
                        "nothing, it is there once: set `start` under [flows.orders.at.{}] to the day the two were told \
                         apart",
                        source.name
                    ),
                ),
                None if other.delivery.is_none() && other.gone.contains_key(&uid) => continue,
                None => Hold::new(
                    "SYN-0170",
                    format!("it is known as an order of {name} too, and may be carried over from there"),
                    "`syncline sweep orders` finds that it is not there any more, then `syncline retry`",
                ),
            };
            return Ok(Decision::Hold(hold));
        }
        Ok(decision)
    }

    /// What is decided about `case` that `source` does not have any more: nothing where another website tells of it now,
    /// `decision` otherwise.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn moved_on(
        &self,
        case: &Case,
        source: &System,
        decision: Decision,
    ) -> Result<Decision, EngineError> {
        let Some(id) = case.bound.get(&source.uid).map(|bound| bound.id.clone()) else { return Ok(decision) };
        if !case.gone.contains_key(&source.uid) {
            return Ok(decision);
        }
        let elsewhere = self.told_beside(case, source, &id).await?.into_iter().next();
        Ok(elsewhere.map_or(decision, |(uid, _)| {
            Decision::Outside(format!("{} tells of it now, as the website it is of", self.name_of(&uid)))
        }))
    }

    /// The same remote record as systems at the address of `source` are known to tell of it.
    async fn told_beside(
        &self,
        case: &Case,
        source: &System,
        id: &RemoteId,
    ) -> Result<Vec<(SystemUid, Case)>, EngineError> {
        let mut told = Vec::new();
        for uid in &source.beside {
            let known = self.store.entities(uid.clone(), case.kind, vec![id.clone()]).await?;
            if let Some(entity) = known.into_iter().flatten().next() {
                told.push((uid.clone(), self.store.load(entity).await?));
            }
        }
        Ok(told)
    }

    fn name_of(&self, uid: &SystemUid) -> String {
        let named = self.systems.values().find(|system| system.uid == *uid);
        named.map_or_else(|| uid.to_string(), |system| system.name.to_string())
    }
}
