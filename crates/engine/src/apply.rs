//! Carries out the rows of a kept plan that are still what they were.

use crate::preview::{Plan, PlanRow};
use crate::run::Engine;
use crate::system::EngineError;
use jiff::Timestamp;
use serde::Serialize;
use syncline_core::delivery::Progress;
use syncline_core::id::{DeliveryId, EntityId};
use syncline_core::policy::Hold;
use syncline_store::{PlanBook, Retry};

/// A row that was not brought to its end, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// The row.
    pub id: String,
    /// What a person calls the record.
    pub key: String,
    /// The state its record is in now: `held`, `failed`, `ready`, `waiting`, `awaiting`.
    pub state: String,
    /// Why, and what to do.
    pub why: Hold,
}

/// What applying a plan did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Rows carried out now.
    pub applied: usize,
    /// Rows that were carried out before.
    pub done: Vec<String>,
    /// Rows whose record changed since; plan again.
    pub drifted: Vec<String>,
    /// Rows a system refused or a rule keeps back.
    pub refused: Vec<Stopped>,
    /// Rows that are under way or wait for something.
    pub unfinished: Vec<Stopped>,
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
        self.begin_pass(format!("apply {}", plan.id)).await;
        let mut report = Applied::default();
        let mut lanes: Vec<EntityId> = Vec::new();
        let mut handed: Vec<&PlanRow> = Vec::new();
        for row in &plan.rows {
            if !only.is_empty() && !only.iter().any(|key| row.goes_by(key)) {
                report.left += 1;
            } else if self.as_planned(row).await? {
                handed.push(row);
                lanes.push(row.entity);
                lanes.extend(self.needed_by(row.entity).await?);
            } else if self.was_done(plan, row).await? {
                report.done.push(row.id.clone());
            } else {
                report.drifted.push(row.id.clone());
            }
        }
        if !only.is_empty() && report.left == plan.rows.len() {
            let what = format!("no row of plan {} is called {}", plan.id, only.join(", "));
            return Err(EngineError::Asked(Hold::new("SYN-0405", what, "see `syncline plan`")));
        }
        lanes.sort_unstable();
        lanes.dedup();
        for lane in &lanes {
            self.store.retry(Retry::Touch(*lane), self.now()).await?;
        }
        if !lanes.is_empty() {
            self.drain(&lanes).await?;
        }
        for row in handed {
            self.tell(&mut report, plan, row).await?;
        }
        Ok(report)
    }

    /// What became of a row that was handed to its lane.
    async fn tell(&self, report: &mut Applied, plan: &Plan, row: &PlanRow) -> Result<(), EngineError> {
        if self.was_done(plan, row).await? {
            report.applied += 1;
            return Ok(());
        }
        let lane = self.store.story(row.entity).await?.lane;
        let state = lane.as_ref().map_or_else(|| "idle".to_string(), |lane| lane.state.clone());
        let why = lane.and_then(|lane| lane.why).unwrap_or_else(|| Hold::new("", state.clone(), ""));
        let stopped = Stopped { id: row.id.clone(), key: row.key.clone(), state, why };
        match stopped.state.as_str() {
            "held" | "failed" => report.refused.push(stopped),
            _ => report.unfinished.push(stopped),
        }
        Ok(())
    }

    /// Whether the step of `row` was brought to a good end since the plan was made.
    async fn was_done(&self, plan: &Plan, row: &PlanRow) -> Result<bool, EngineError> {
        let story = self.store.story(row.entity).await?;
        let ended = |delivery: DeliveryId| {
            let since = |at: Timestamp| plan.at.is_none_or(|made| at >= made);
            story
                .journal
                .iter()
                .any(|told| told.delivery == Some(delivery) && told.entry.event == "done" && since(told.at))
        };
        Ok(story.deliveries.iter().any(|delivery| {
            delivery.progress == Progress::Done
                && delivery.target.as_str() == row.target
                && delivery.change.step.to_string() == row.step
                && ended(delivery.id)
        }))
    }

    async fn as_planned(&self, row: &PlanRow) -> Result<bool, EngineError> {
        let case = self.store.load(row.entity).await?;
        Ok(case.revisions() == row.revisions)
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
