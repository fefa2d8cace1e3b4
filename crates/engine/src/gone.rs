//! What follows where a system does not have a record any more: nothing is made again, and a person is asked once.

use crate::approval::is_mass;
use crate::run::Engine;
use crate::system::{EngineError, System};
use syncline_connect::Error;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::planner::Decision;
use syncline_core::policy::Hold;
use syncline_store::Case;

/// What came of looking for a record that its system is said not to have any more.
#[derive(Debug)]
pub(crate) enum Missed {
    /// It is there, or is of a kind that is not looked for.
    There,
    /// It is not there, which is known from now on.
    Gone,
    /// It is not there, and so many others are not either that nothing is believed.
    Doubted(Hold),
    /// The system did not say.
    Unsaid(Error),
}

impl Engine {
    /// Looks by its id for a record of `kind` that a write or a list of `system` missed, and notes it where it is gone: that
    /// is asked about as if a sweep had found it.
    pub(crate) async fn look_for_missed(
        &self,
        system: &System,
        kind: Kind,
        id: &RemoteId,
    ) -> Result<Missed, EngineError> {
        let main = if kind.of_variant() { Kind::Variant } else { kind };
        if kind == Kind::Order {
            return Ok(Missed::There);
        }
        match self.read_one(system, main, id).await {
            Ok(Some(_)) => Ok(Missed::There),
            Ok(None) => self.note_gone(system, main, id).await,
            Err(error) => Ok(Missed::Unsaid(error)),
        }
    }

    /// Notes that `system` has no record of `kind` by this id any more, as was just read.
    pub(crate) async fn note_gone(&self, system: &System, kind: Kind, id: &RemoteId) -> Result<Missed, EngineError> {
        let lost = self.store.lost(system.uid.clone(), kind).await?;
        if is_mass(lost.gone + 1, lost.bound) {
            let what = format!(
                "{} has neither `{}` nor {} other {} of the {} tied there; it was not taken for deleted",
                system.name,
                id.id,
                lost.gone,
                kind.plural(),
                lost.bound
            );
            let remedy = "see whether its url, rights and websites are still right, then `syncline retry`; if they are \
                          gone, `syncline sweep --believe`";
            return Ok(Missed::Doubted(Hold::new("SYN-0151", what, remedy)));
        }
        self.store.bury(system.uid.clone(), kind, vec![id.clone()], self.now()).await?;
        Ok(Missed::Gone)
    }
}

/// What is done about `case` between the systems of `pair` where one of them has lost it; none where both have it. `called` is
/// what a person names the record by, behind its kind.
pub(crate) fn buried(case: &Case, pair: [&System; 2], called: impl FnOnce() -> String) -> Option<Decision> {
    let [gone, left]: [Vec<&System>; 2] =
        [true, false].map(|is| pair.into_iter().filter(|s| case.gone.contains_key(&s.uid) == is).collect());
    let lost = gone.first()?;
    let Some(left) = left.first().filter(|_| !case.left_out()) else {
        return Some(Decision::Outside(format!("it was deleted in {}", lost.name)));
    };
    if case.kind.of_variant() {
        // Its variant stands in the inbox for it.
        return Some(Decision::Outside(format!("its product was deleted in {}", lost.name)));
    }
    let what = format!("it was deleted in {} and is still in {}", lost.name, left.name);
    let remedy = format!(
        "make it again in {}, delete it in {} too, or say that it is right so: `syncline resolve {}:{} --gone`",
        lost.name,
        left.name,
        case.kind,
        called()
    );
    Some(Decision::Hold(Hold::new("SYN-0150", what, remedy)))
}
