//! Reading many records for a proof or an undo: one that does not answer is asked again before the whole is given up.

use crate::system::{EngineError, System};
use std::time::Duration;
use syncline_connect::{Error, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::Leaves;
use syncline_core::policy::{ErrorKind, Next};
use syncline_store::{Case, SideState};

/// Records read at once.
pub(crate) const CHUNK: usize = 100;
/// How often what does not answer is asked.
const TRIES: u32 = 8;

/// What stands behind `ids` in `system`, in their order; none for one that is not there.
///
/// # Errors
/// Where the system refuses us, or one record is not told after several tries.
pub(crate) async fn read_all(
    system: &System,
    kind: Kind,
    ids: &[RemoteId],
) -> Result<Vec<Option<Snapshot>>, EngineError> {
    let mut found: Vec<Result<Option<Snapshot>, Error>> = system.connector.read(&system.ctx, kind, ids).await;
    found.resize_with(ids.len(), || Err(Error::new(ErrorKind::Broken, "it said nothing of some records")));
    for again in 1..TRIES {
        let passing = |error: &Error| error.kind.next() == Next::Later || error.kind == ErrorKind::Broken;
        let left: Vec<usize> =
            (0..ids.len()).filter(|at| found.get(*at).is_some_and(|one| one.as_ref().is_err_and(passing))).collect();
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(u64::from(again) * 150)).await;
        let wanted: Vec<RemoteId> = left.iter().filter_map(|at| ids.get(*at).cloned()).collect();
        let answers = system.connector.read(&system.ctx, kind, &wanted).await;
        for (at, answer) in left.into_iter().zip(answers) {
            if let Some(place) = found.get_mut(at) {
                *place = answer;
            }
        }
    }
    let failed = |error| EngineError::System { system: system.name.clone(), error };
    found.into_iter().map(|answer| answer.map_err(failed)).collect()
}

/// Puts what `system` shows now in the place of what it showed; whether it shows anything.
pub(crate) fn show(case: &mut Case, system: &System, shown: Option<Leaves>) -> bool {
    match shown {
        Some(seen) => {
            let side = case.sides.remove(&system.uid).unwrap_or_default();
            case.sides.insert(system.uid.clone(), SideState { seen, unread: false, ..side });
            true
        }
        None => {
            case.sides.remove(&system.uid);
            false
        }
    }
}

/// What `system` shows of `cases` now, in their order; none for one that is not there.
///
/// # Errors
/// As [`read_all`].
pub(crate) async fn read(system: &System, kind: Kind, cases: &[Case]) -> Result<Vec<Option<Leaves>>, EngineError> {
    let ids: Vec<RemoteId> = cases.iter().filter_map(|case| Some(case.bound.get(&system.uid)?.id.clone())).collect();
    let answers = read_all(system, kind, &ids).await?;
    Ok(answers.into_iter().map(|answer| Some(answer?.records.first()?.1.to_leaves())).collect())
}
