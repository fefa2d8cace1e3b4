//! Carries out the rows of a kept plan that are still what they were.

use crate::preview::{Plan, PlanRow};
use crate::run::Engine;
use crate::system::EngineError;
use serde::Serialize;
use syncline_core::id::EntityId;
use syncline_store::{PlanBook, Retry};

/// What applying a plan did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Rows carried out or handed to their lane.
    pub applied: usize,
    /// Rows whose record changed since; plan again.
    pub drifted: Vec<String>,
    /// Rows not asked for.
    pub left: usize,
}

impl Engine {
    /// The kept plan `id`, or the newest.
    ///
    /// # Errors
    /// Where there is none, it cannot be read, or the store fails.
    pub async fn kept_plan(&self, id: Option<&str>) -> Result<Plan, EngineError> {
        let body = self.store.plan(PlanBook::Read(id.map(str::to_string))).await?;
        let missing = || {
            let which = id.map_or("no plan is kept".to_string(), |id| format!("no plan `{id}` is kept"));
            EngineError::Setup(format!("SYN-0403: {which}: make one with `syncline plan`"))
        };
        let body = body.ok_or_else(missing)?;
        serde_json::from_str(&body).map_err(|e| EngineError::Setup(format!("SYN-0404: the kept plan is damaged: {e}")))
    }

    /// Carries out the rows of `plan` whose key is in `only` (all where empty) and whose record is as it was planned on.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn apply(&self, plan: &Plan, only: &[String]) -> Result<Applied, EngineError> {
        let mut report = Applied::default();
        let mut lanes: Vec<EntityId> = Vec::new();
        for row in &plan.rows {
            if !only.is_empty() && !only.contains(&row.key) && !only.contains(&row.id) {
                report.left += 1;
                continue;
            }
            if self.as_planned(row).await? {
                report.applied += 1;
                lanes.push(row.entity);
                lanes.extend(self.needed_by(row.entity).await?);
            } else {
                report.drifted.push(row.id.clone());
            }
        }
        if !only.is_empty() && report.left == plan.rows.len() {
            let what =
                format!("SYN-0405: no row of plan {} is called {}: see `syncline plan`", plan.id, only.join(", "));
            return Err(EngineError::Setup(what));
        }
        lanes.sort_unstable();
        lanes.dedup();
        for lane in &lanes {
            self.store.retry(Retry::Touch(*lane), self.now()).await?;
        }
        if !lanes.is_empty() {
            self.drain(&lanes).await?;
        }
        Ok(report)
    }

    async fn as_planned(&self, row: &PlanRow) -> Result<bool, EngineError> {
        let case = self.store.load(row.entity).await?;
        let now: std::collections::BTreeMap<_, _> =
            case.sides.iter().map(|(uid, side)| (uid.clone(), side.revision)).collect();
        Ok(now == row.revisions)
    }

    /// The entities an order has to wait for: its customer.
    async fn needed_by(&self, entity: EntityId) -> Result<Vec<EntityId>, EngineError> {
        let case = self.store.load(entity).await?;
        let crate::decide::Decided { decision, .. } = self.decide(&case, false).await?;
        match decision {
            syncline_core::planner::Decision::Wait(on, _) => Ok(on),
            _ => Ok(Vec::new()),
        }
    }
}
