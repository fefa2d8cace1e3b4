//! Systems left out while a lane is in hand: one that is away, or refuses a record, keeps nothing from the others.

use crate::run::Engine;
use jiff::Timestamp;
use std::collections::BTreeMap;
use syncline_connect::Error;
use syncline_core::id::SystemName;
use syncline_core::kind::Kind;
use syncline_core::policy::Hold;
use syncline_store::LaneState;

/// Why a system is left out of what is decided about a record.
#[derive(Debug, Clone)]
pub(crate) enum Aside {
    /// It gave no answer, or one that cannot be read.
    Trouble(Error),
    /// A rule keeps the record back there.
    Held(Hold),
    /// It refused the record.
    Failed(Hold),
    /// What it is to be told stands in the plan already.
    Planned,
}

/// The systems left out, each with why.
pub(crate) type Asides = BTreeMap<SystemName, Aside>;

impl Engine {
    /// Whether a lane of `kind` can go on without `system`: one of several targets of its flow.
    pub(crate) fn is_one_of_several(&self, kind: Kind, system: &SystemName) -> bool {
        let targets: Vec<&SystemName> = match (kind, &self.flows.inventory, self.field_rules(kind)) {
            (Kind::Stock, Some(rules), _) => rules.targets.iter().map(|target| &target.system).collect(),
            (_, _, Some(rules)) => rules.pairs.iter().map(|pair| &pair.target).collect(),
            _ => Vec::new(),
        };
        targets.len() > 1 && targets.contains(&system)
    }

    /// The targets of the flow of `kind` that are away in this pass.
    pub(crate) fn asides(&self, kind: Kind) -> Asides {
        let away = self.away().into_iter().filter(|(name, _)| self.is_one_of_several(kind, name));
        away.map(|(name, error)| (name, Aside::Trouble(error))).collect()
    }
}

/// The state a lane is given back in, where `asides` were left out of the decision that led to `state`, and when it is
/// looked at again although a person has to see to it. `due` is when those that are away are tried again, and what may
/// still land is looked at.
pub(crate) fn given_back(
    asides: &Asides,
    state: LaneState,
    due: (Option<Timestamp>, Option<Timestamp>),
) -> (LaneState, Option<Timestamp>) {
    let (tried, landed) = due;
    let again_at = [tried, landed].into_iter().flatten().min();
    let failed = asides.values().find_map(|aside| match aside {
        Aside::Failed(hold) => Some(hold.clone()),
        _ => None,
    });
    let held = asides.values().find_map(|aside| match aside {
        Aside::Held(hold) => Some(hold.clone()),
        _ => None,
    });
    let trouble = asides.iter().find_map(|(name, aside)| match aside {
        Aside::Trouble(error) => Some(format!("{name}: {}", error.message)),
        _ => None,
    });
    let state = match (state, failed, held, trouble) {
        (_, Some(hold), _, _) => LaneState::Failed(hold),
        (state @ (LaneState::Conflict(_) | LaneState::Held(_)), ..) => state,
        (_, _, Some(hold), _) => LaneState::Held(hold),
        (state, _, _, Some(why)) => again_at.map_or(state, |at| LaneState::Later(at, why)),
        (state, ..) => state,
    };
    (state, again_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::policy::ErrorKind;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    #[test]
    fn what_a_person_has_to_see_is_seen_and_who_is_away_is_tried_again_all_the_same() {
        let hold = || Hold::new("SYN-0140", "it differs", "decide");
        let trouble = || Aside::Trouble(Error::new(ErrorKind::Unreachable, "no answer"));
        let away: Asides = BTreeMap::from([(SystemName::new("outlet"), trouble())]);
        let (state, again) = given_back(&away, LaneState::Conflict(hold()), (at(60), None));
        assert!(matches!(state, LaneState::Conflict(_)));
        assert_eq!(again, at(60));
        let (state, _) = given_back(&away, LaneState::Idle, (at(60), at(30)));
        assert!(matches!(state, LaneState::Later(when, why) if Some(when) == at(30) && why.contains("outlet")));
        let refused: Asides = BTreeMap::from([(SystemName::new("outlet"), Aside::Failed(hold()))]);
        let (state, again) = given_back(&refused, LaneState::Idle, (None, at(30)));
        assert!(matches!(state, LaneState::Failed(_)) && again == at(30));
        let (state, again) = given_back(&Asides::new(), LaneState::Idle, (None, None));
        assert!(matches!(state, LaneState::Idle) && again.is_none());
    }
}
