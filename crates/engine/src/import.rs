//! Orders from before the flow's first day: told apart, listed, and let through by name for good.

use crate::aside::Asides;
use crate::preview::{OpenRow, Plan};
use crate::run::Engine;
use crate::system::EngineError;
use crate::twins::TWIN;
use jiff::civil::Date;
use serde::Serialize;
use syncline_core::id::EntityId;
use syncline_core::planner::Decision;
use syncline_core::policy::Hold;
use syncline_store::LaneFilter;

/// An order from before the flow's first day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Early {
    /// Its number.
    pub key: String,
    /// The same, behind its shop's name where the file has several.
    pub called: String,
    /// Why it is not carried over.
    pub why: String,
}

/// Why an order placed on `day` is not carried over, and how it can be.
pub(crate) fn early(day: Date, number: &str) -> Hold {
    let what = format!("placed on {day}, before the flow's first day");
    Hold::new(
        "SYN-0119",
        what,
        format!("`syncline import order:{number}` shows what it would bring and lets it through"),
    )
}

impl Engine {
    /// Every order from before the flow's first day that was not let through, as the last pass left them.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn early(&self) -> Result<Vec<Early>, EngineError> {
        let filter = LaneFilter { states: vec!["early"], ..LaneFilter::default() };
        let lanes = self.store.lanes(filter).await?;
        let names = self.names_of(&lanes).await?;
        let told = lanes.into_iter().zip(names).map(|(lane, called)| {
            let why = lane.why.map_or_else(String::new, |why| why.what);
            Early { key: lane.label, called: called.key, why }
        });
        Ok(told.collect())
    }

    /// Whether `entity` is not carried over only because of its day, or because another order is of the same cart.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn is_early(&self, entity: EntityId) -> Result<bool, EngineError> {
        let case = self.store.load(entity).await?;
        Ok(match self.decide(&case, true).await?.decision {
            Decision::Early(_) => true,
            Decision::Hold(hold) => hold.code == TWIN,
            _ => false,
        })
    }

    /// What would be written if `orders` were let through. Changes nothing; the plan is not kept.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn plan_import(&self, orders: &[EntityId]) -> Result<Plan, EngineError> {
        let mut plan = Plan { id: "import".to_string(), ..Plan::default() };
        for entity in orders {
            let mut case = self.store.load(*entity).await?;
            case.admitted = true;
            let open = OpenRow {
                state: "ready".to_string(),
                kind: case.kind.to_string(),
                key: case.label.clone(),
                called: Some(self.record_name(&case).key),
                why: Hold::new("", "", ""),
            };
            self.preview_case(&mut plan, case, open, Asides::new()).await?;
        }
        Ok(plan)
    }

    /// Lets `orders` through the rule of the first day for good; the next pass delivers them. Returns how many are new.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn import(&self, orders: Vec<EntityId>) -> Result<usize, EngineError> {
        Ok(self.store.admit(orders, self.now()).await?)
    }
}
