//! Plans shown before anything is written: every step with its fields, its guard and its reason.

use crate::aside::{Aside, Asides};
use crate::deliver::WATCHES;
use crate::run::Engine;
use crate::satellites::{Unread, put_aside};
use crate::stock::Heeded;
use crate::system::{EngineError, System};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use syncline_core::id::{EntityId, SystemName, SystemUid};
use syncline_core::kind::{Flow, Kind, Step};
use syncline_core::leaf::Value;
use syncline_core::planner::{Decision, Planned};
use syncline_core::policy::Hold;
use syncline_core::profile::{Fit, Guard};
use syncline_store::{Case, LaneFilter, LaneRow, PlanBook};

/// One field of a planned step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// What the target shows now.
    pub from: Option<String>,
    /// What it shall show.
    pub to: Option<String>,
    /// How it will keep it: `exact`, or what it makes of it and why.
    pub fit: String,
}

/// One planned step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRow {
    /// Its number within the plan, e.g. `p3f2-1`.
    pub id: String,
    /// The flow.
    pub flow: String,
    /// The kind.
    pub kind: String,
    /// What a person calls the record.
    pub key: String,
    /// The same, behind its system's name where the file has several shops; none in plans kept by earlier versions.
    #[serde(default)]
    pub called: Option<String>,
    /// The step.
    pub step: String,
    /// The system written to.
    pub target: String,
    /// How the target keeps a second one away.
    pub guard: String,
    /// Seconds until no request can land any more, where the guard depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_s: Option<u32>,
    /// Why.
    pub reason: String,
    /// The fields.
    pub fields: BTreeMap<String, FieldChange>,
    /// The entity behind it.
    pub entity: EntityId,
    /// What it was planned on: revision per system.
    pub revisions: BTreeMap<SystemUid, u64>,
}

/// A record that is open and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRow {
    /// `waiting`, `held`, `failed` or `conflict`.
    pub state: String,
    /// The kind.
    pub kind: String,
    /// What a person calls the record.
    pub key: String,
    /// As in a step.
    #[serde(default)]
    pub called: Option<String>,
    /// Why, and what to do.
    pub why: Hold,
}

/// A computed plan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: String,
    /// When it was made; none in plans kept by earlier versions.
    #[serde(default)]
    pub at: Option<jiff::Timestamp>,
    /// The steps.
    pub rows: Vec<PlanRow>,
    /// What is open.
    pub open: Vec<OpenRow>,
    /// Orders that are not due yet.
    pub awaiting: usize,
}

impl PlanRow {
    /// Whether `key` means it: its number, its record's, or what `plan` shows for that.
    #[must_use]
    pub fn goes_by(&self, key: &str) -> bool {
        key == self.id || key == self.key || self.called.as_deref() == Some(key)
    }
}

impl Plan {
    /// How many open rows are in `state`.
    #[must_use]
    pub fn open_in(&self, state: &str) -> usize {
        self.open.iter().filter(|row| row.state == state).count()
    }
}

impl Engine {
    /// Reads what changed and says what would be written, without writing anything remote.
    ///
    /// # Errors
    /// Where a source does not answer or the store fails.
    pub async fn plan(&self, flow: Option<Flow>) -> Result<Plan, EngineError> {
        self.look().await?;
        let now = self.now();
        let id = format!("p{:x}", now.as_millisecond());
        let mut plan = Plan { id: id.clone(), at: Some(now), ..Plan::default() };
        let mut states = vec!["ready", "waiting", "held", "failed", "conflict", "awaiting"];
        if !self.flows.watched.is_empty() {
            states.push("outside");
        }
        let mut lanes = self.store.lanes(LaneFilter { states, ..LaneFilter::default() }).await?;
        // What a flow that only watches would write was left alone by a pass.
        let watched = |lane: &LaneRow| lane.why.as_ref().is_some_and(|why| why.what == WATCHES);
        lanes.retain(|lane| {
            flow.is_none_or(|flow| lane.kind.flow() == flow) && (lane.state != "outside" || watched(lane))
        });
        let stock = to_preview(&lanes, Kind::Stock, now);
        let mut unread = self.freshen(&stock).await?;
        self.heed_for(&stock, &mut unread).await?;
        unread.extend(self.freshen_prices(&to_preview(&lanes, Kind::Price, now)).await?);
        let names = self.names_of(&lanes).await?;
        for (lane, called) in lanes.into_iter().zip(names) {
            let blank = || Hold::new("", lane.state.clone(), "");
            let why = lane.why.clone().unwrap_or_else(blank);
            let open = OpenRow {
                state: lane.state.clone(),
                kind: lane.kind.to_string(),
                key: lane.label.clone(),
                called: Some(called.key),
                why,
            };
            match lane.state.as_str() {
                "held" | "failed" | "conflict" => plan.open.push(open),
                // What a payment waits for may just have been told.
                "awaiting" if lane.ready_at > now && lane.kind != Kind::Payment => {
                    plan.awaiting += usize::from(lane.kind == Kind::Order);
                }
                _ => {
                    let asides = unread.remove(&lane.entity).unwrap_or_default();
                    self.preview(&mut plan, lane.entity, open, asides).await?;
                }
            }
        }
        let body = serde_json::to_string(&plan).map_err(|e| EngineError::Setup(format!("SYN-0904: {e}")))?;
        self.store.plan(PlanBook::Keep { id, body, now }).await?;
        Ok(plan)
    }

    /// Asks the shops that would be told a figure for their orders first; a lane whose shop does not answer gets a row in
    /// `unread`.
    async fn heed_for(&self, lanes: &[EntityId], unread: &mut Unread) -> Result<(), EngineError> {
        let mut asking = Vec::new();
        for case in self.cases(lanes).await? {
            let aside = unread.get(&case.entity).cloned().unwrap_or_default();
            let decided = self.decide_stock(&case, &aside)?;
            let shop = self.unheeded(&decided.decision, &case, &mut Heeded::new());
            asking.extend(shop.map(|shop| (case.entity, shop.clone())));
        }
        let silent = self.heed_orders(&asking.iter().map(|(_, shop)| shop.clone()).collect()).await?;
        for (entity, name) in asking {
            if let Some(error) = silent.get(&name) {
                put_aside(unread, entity, self.system(&name)?, Aside::Trouble(error.clone()));
            }
        }
        Ok(())
    }

    /// What would be done about `entity`, of which the systems in `asides` told nothing.
    async fn preview(
        &self,
        plan: &mut Plan,
        entity: EntityId,
        open: OpenRow,
        asides: Asides,
    ) -> Result<(), EngineError> {
        let case = self.store.load(entity).await?;
        let mut alone = false;
        let away = self.away();
        for (name, aside) in &asides {
            match aside {
                Aside::Trouble(error) if away.contains_key(name) => {
                    let why = Hold::new("", format!("{name}: {}", error.message), "");
                    plan.open.push(OpenRow { state: "waiting".to_string(), why, ..open.clone() });
                }
                Aside::Trouble(error) => {
                    return Err(EngineError::System { system: name.clone(), error: error.clone() });
                }
                Aside::Held(why) | Aside::Failed(why) => {
                    plan.open.push(OpenRow { state: "held".to_string(), why: why.clone(), ..open.clone() });
                }
                Aside::Planned => {}
            }
            alone |= !self.is_one_of_several(case.kind, name);
        }
        if alone { Ok(()) } else { self.preview_case(plan, case, open, asides).await }
    }

    /// What would be done about `case` as it stands.
    pub(crate) async fn preview_case(
        &self,
        plan: &mut Plan,
        case: Case,
        open: OpenRow,
        mut asides: Asides,
    ) -> Result<(), EngineError> {
        // What another one waited for stands there already.
        if plan.rows.iter().any(|row| row.entity == case.entity) {
            return Ok(());
        }
        if let Some(delivery) = &case.delivery {
            let planned = Planned {
                target: delivery.target.clone(),
                kind: delivery.change.kind,
                step: delivery.change.step.clone(),
                leaves: delivery.change.leaves.clone(),
                reason: format!("under way: {}", delivery.reason),
                adopt_only: delivery.change.adopt_only,
            };
            let target = self.system(&delivery.target)?;
            plan.rows.push(self.plan_row(
                plan,
                &case,
                &planned,
                target,
                &delivery.guard,
                delivery.change.leaves.clone(),
            ));
            return Ok(());
        }
        let case = match self.as_it_stands(case).await? {
            Ok(case) => case,
            Err(why) => {
                plan.open.push(OpenRow { state: "waiting".to_string(), why, ..open });
                return Ok(());
            }
        };
        if let Decision::Wait(first, _) = self.decide(&case, false).await?.decision {
            for needed in first {
                if !plan.rows.iter().any(|row| row.entity == needed) {
                    self.preview_needed(plan, needed).await?;
                }
            }
        }
        // Each of several targets has a row of its own.
        while let Some(told) = self.preview_one(plan, &case, &open, &asides).await? {
            asides.insert(told, Aside::Planned);
        }
        Ok(())
    }

    /// `case`, once what a paper rests on was read anew, as it is right before one leaves; why that could not be.
    async fn as_it_stands(&self, case: Case) -> Result<Result<Case, Hold>, EngineError> {
        if !case.kind.is_paper() {
            return Ok(Ok(case));
        }
        match self.refresh_around(&case).await? {
            Ok(()) => Ok(Ok(self.store.load(case.entity).await?)),
            Err((system, error)) => Ok(Err(Hold::new("", format!("{}: {}", system.name, error.message), ""))),
        }
    }

    /// Adds what is to be done first about `case`. Returns the target that was seen to by it, where others are left.
    async fn preview_one(
        &self,
        plan: &mut Plan,
        case: &Case,
        open: &OpenRow,
        asides: &Asides,
    ) -> Result<Option<SystemName>, EngineError> {
        let decided = self.decide_without(case, true, asides).await?;
        let mut hold = |state: &str, why: Hold| {
            plan.open.push(OpenRow { state: state.to_string(), why, ..open.clone() });
        };
        match decided.decision {
            Decision::Agreed | Decision::Outside(_) | Decision::Early(_) => {}
            Decision::Awaiting(..) => plan.awaiting += 1,
            Decision::Hold(why) => hold("held", why),
            Decision::Conflict(why) => hold("conflict", why),
            Decision::Wait(_, why) => hold("waiting", Hold::new("", why, "")),
            Decision::Step(planned) => {
                let target = self.system(&planned.target)?;
                if planned.kind == Kind::Order
                    && planned.step == Step::Create
                    && let Some(why) = self.brought_elsewhere(case, target).await?
                {
                    hold("held", why);
                    return Ok(None);
                }
                let guard = match planned.step {
                    Step::Create => target.kind(planned.kind).create_guard(),
                    _ => Guard::None,
                };
                let leaves = planned.leaves.clone();
                let row = self.plan_row(plan, case, &planned, target, &guard, leaves);
                plan.rows.push(row);
                let told = [Some(planned.target), decided.peer];
                let mut told = told.into_iter().flatten();
                return Ok(told.find(|name| self.is_one_of_several(case.kind, name)));
            }
        }
        Ok(None)
    }

    /// The step of a record that another one waits for.
    async fn preview_needed(&self, plan: &mut Plan, entity: EntityId) -> Result<(), EngineError> {
        let case = self.store.load(entity).await?;
        if let Decision::Step(planned) = self.decide(&case, true).await?.decision {
            let target = self.system(&planned.target)?;
            let guard = target.kind(planned.kind).create_guard();
            let leaves = planned.leaves.clone();
            let row = self.plan_row(plan, &case, &planned, target, &guard, leaves);
            plan.rows.push(row);
        }
        Ok(())
    }

    fn plan_row(
        &self,
        plan: &Plan,
        case: &Case,
        planned: &Planned,
        target: &System,
        guard: &Guard,
        leaves: syncline_core::leaf::Leaves,
    ) -> PlanRow {
        let (_, shown) = crate::decide::shown_by(case, target);
        let fields = leaves
            .iter()
            .map(|(path, to)| {
                let from = shown.as_ref().and_then(|shown| shown.value(path)).map(ToString::to_string);
                let fit = to.map_or("exact".to_string(), |value| fit_word(target, planned.kind, path, value));
                (path.to_string(), FieldChange { from, to: to.map(ToString::to_string), fit })
            })
            .collect();
        PlanRow {
            id: format!("{}-{}", plan.id, plan.rows.len() + 1),
            flow: planned.kind.flow().to_string(),
            kind: planned.kind.to_string(),
            key: case.label.clone(),
            called: Some(self.record_name(case).key),
            step: planned.step.to_string(),
            target: target.name.to_string(),
            guard: if planned.step.creates() { guard.word().to_string() } else { "version".to_string() },
            settle_s: guard.settle_s(),
            reason: planned.reason.clone(),
            fields,
            entity: case.entity,
            revisions: case.revisions(),
        }
    }
}

/// Lanes of `kind` a plan looks at: their figures are read anew first.
fn to_preview(lanes: &[LaneRow], kind: Kind, now: Timestamp) -> Vec<EntityId> {
    let looked_at = |lane: &&LaneRow| match lane.state.as_str() {
        "held" | "failed" | "conflict" => false,
        "awaiting" => lane.ready_at <= now,
        _ => true,
    };
    lanes.iter().filter(|lane| lane.kind == kind).filter(looked_at).map(|lane| lane.entity).collect()
}

fn fit_word(target: &System, kind: Kind, path: &syncline_core::path::Path, value: &Value) -> String {
    match target.connector.fit(kind, path, value) {
        Fit::Exact => "exact".to_string(),
        Fit::As(other, why) => format!("{other} ({why})"),
        Fit::Refused(why) => format!("refused: {why}"),
    }
}
