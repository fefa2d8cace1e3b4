//! Orders that were not released within their deadline: a person may leave them to people, and is not asked once more.

use crate::run::Engine;
use crate::system::EngineError;
use crate::twins::TWIN;
use syncline_core::id::EntityId;
use syncline_core::kind::Kind;
use syncline_store::{Base, Resolve};

/// The hold of an order whose deadline is over.
const OVERDUE: &str = "SYN-0101";

impl Engine {
    /// Leaves the order `entity` to people where it is held for its deadline, or for another one of its cart, and nothing was made
    /// of it: it is not asked about any more, and still goes on by itself once it is released in the shop, or the other one is
    /// cancelled there. Returns whether that was so.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn leave_unreleased(&self, entity: EntityId) -> Result<bool, EngineError> {
        let story = self.store.story(entity).await?;
        let why = story.lane.and_then(|lane| lane.why).map(|why| why.code);
        let rules = self.order_rules(&story.case).filter(|_| story.case.kind == Kind::Order);
        let told = match why.as_deref() {
            Some(OVERDUE) => "not released in time, and left to people",
            Some(TWIN) => "one too many of its cart, and left to people",
            _ => return Ok(false),
        };
        let Some(rules) = rules else { return Ok(false) };
        let (shop, erp) = (self.system(&rules.source)?.uid.clone(), self.system(&rules.target)?.uid.clone());
        let Some(side) = story.case.sides.get(&shop).filter(|_| !story.case.bound.contains_key(&erp)) else {
            return Ok(false);
        };
        let base = Base { system: shop, peer: erp, leaves: side.seen.clone(), over: false };
        let told = told.to_string();
        let revisions = story.case.revisions();
        let left = Resolve { entity, revisions, bases: vec![base], chosen: Vec::new(), told };
        self.store.resolve(left, self.now()).await?;
        Ok(true)
    }
}
