//! What a file makes of the records a store holds, nothing asked and nothing written: two files can be held against each other
//! by what systems really told.

use crate::run::Engine;
use crate::system::EngineError;
use serde::Serialize;
use std::collections::BTreeMap;
use syncline_core::id::EntityId;
use syncline_core::kind::Kind;
use syncline_core::planner::Decision;
use syncline_core::policy::Hold;
use syncline_store::Case;

/// What is decided about one record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// `agreed`, `outside`, `early`, `awaiting`, `waiting`, `held`, `conflict`, or the step and where it goes: `create in erp`.
    pub comes_to: String,
    /// Why, behind its code where it has one.
    pub why: String,
    /// What would be written, in the target's own words; none for what it would empty.
    pub fields: BTreeMap<String, Option<String>>,
}

impl Outcome {
    fn of(comes_to: &str, why: impl Into<String>) -> Self {
        Self { comes_to: comes_to.to_string(), why: why.into(), fields: BTreeMap::new() }
    }

    fn hold(state: &str, hold: &Hold) -> Self {
        Self::of(state, format!("{} {}", hold.code, hold.what).trim())
    }

    /// What `other` writes otherwise: the field, here and there.
    #[must_use]
    pub fn fields_apart(&self, other: &Self) -> BTreeMap<String, [Option<String>; 2]> {
        let told = |one: &Self, path: &String| one.fields.get(path).cloned().flatten();
        let paths = self.fields.keys().chain(other.fields.keys());
        let pairs = paths.map(|path| (path.clone(), [told(self, path), told(other, path)]));
        pairs.filter(|(_, [one, two])| one != two).collect()
    }

    /// Whether `other` comes to something else. Words alone do not count where both write the same.
    #[must_use]
    pub fn differs(&self, other: &Self) -> bool {
        let writes = !self.fields.is_empty() || !other.fields.is_empty();
        self.comes_to != other.comes_to || self.fields != other.fields || (!writes && self.why != other.why)
    }
}

impl Engine {
    /// What the file makes of `entity`: of an order, the document it would become as if it had just come; of any other record,
    /// what would be done about it as it stands.
    ///
    /// # Errors
    /// Where the store fails, or the file lacks a system that a flow names.
    pub async fn replayed(&self, entity: EntityId) -> Result<Outcome, EngineError> {
        let mut case = self.store.load(entity).await?;
        // What is under way was planned by the file that was there then.
        case.delivery = None;
        if case.kind == Kind::Order {
            self.just_come(&mut case);
        }
        let decided = self.decide(&case, true).await?;
        Ok(match decided.decision {
            Decision::Agreed => Outcome::of("agreed", ""),
            Decision::Outside(why) => Outcome::of("outside", why),
            Decision::Early(day) => Outcome::of("early", format!("placed on {day}")),
            Decision::Awaiting(why, _) => Outcome::of("awaiting", why),
            Decision::Wait(_, why) => Outcome::of("waiting", why),
            Decision::Hold(hold) => Outcome::hold("held", &hold),
            Decision::Conflict(hold) => Outcome::hold("conflict", &hold),
            Decision::Step(planned) => {
                let target = self.system(&planned.target)?;
                match self.wish(&case, &planned, &decided.resolution, target) {
                    Err(hold) => Outcome::hold("held", &hold),
                    Ok(leaves) => Outcome {
                        fields: leaves
                            .iter()
                            .map(|(path, to)| (path.to_string(), to.map(ToString::to_string)))
                            .collect(),
                        ..Outcome::of(&format!("{} in {}", planned.step, planned.target), planned.reason)
                    },
                }
            }
        })
    }

    /// Forgets what became of the order in `case`.
    fn just_come(&self, case: &mut Case) {
        let targets = self.flows.orders.iter().filter_map(|rules| self.systems.get(&rules.target));
        for uid in targets.map(|system| &system.uid) {
            case.bound.remove(uid);
            case.sides.remove(uid);
            case.gone.remove(uid);
        }
        case.sides.values_mut().for_each(|side| side.bases.clear());
        (case.admitted, case.chosen) = (false, BTreeMap::new());
    }
}
