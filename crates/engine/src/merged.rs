//! Customers that their system merged: their ties follow, and what is left of the two is read.

use crate::poll::row;
use crate::reading::{CHUNK, read_all};
use crate::run::Engine;
use crate::system::{EngineError, System};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Target, Value};
use syncline_core::path::Path;
use syncline_store::{Incoming, Told};

/// The record and the one it was merged into, where it was.
pub(crate) fn merged_into(record: &Incoming) -> Option<(RemoteId, RemoteId)> {
    let Some(Value::Ref(other)) = record.leaves.value(&Path::field("replaced_by")) else { return None };
    match &other.to {
        Target::Remote(into) => Some((record.id.clone(), into.clone())),
        Target::Entity(_) => None,
    }
}

/// How many merges in a row are followed in one go; what is behind them is followed with the next.
const IN_A_ROW: usize = 8;

impl Engine {
    /// Moves the ties of records of `kind` that `system` merged: each to the one that is left, however many were merged in
    /// a row. What is left is read where a tie was moved to it.
    ///
    /// # Errors
    /// Where the system does not answer or the store fails.
    pub(crate) async fn follow(
        &self,
        system: &System,
        kind: Kind,
        mut merged: Vec<(RemoteId, RemoteId)>,
    ) -> Result<(), EngineError> {
        for _ in 0..IN_A_ROW {
            let mut left: Vec<RemoteId> = Vec::new();
            for pair in merged {
                let into = pair.1.clone();
                if !self.store.merge(system.uid.clone(), kind, pair, self.now()).await?.is_empty() {
                    left.push(into);
                }
            }
            left.sort();
            left.dedup();
            if left.is_empty() {
                break;
            }
            merged = self.read_what_is_left(system, kind, &left).await?;
        }
        Ok(())
    }

    /// Takes in what `system` shows of `ids` now. Returns those that were merged in their turn.
    async fn read_what_is_left(
        &self,
        system: &System,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<Vec<(RemoteId, RemoteId)>, EngineError> {
        let mut further = Vec::new();
        for some in ids.chunks(CHUNK) {
            let (asked, mut records) = (self.asks(system, kind).await?, Vec::new());
            for snapshot in read_all(system, kind, some).await?.into_iter().flatten() {
                let version = snapshot.version.clone();
                let told = snapshot.records.into_iter().take(1);
                records.extend(told.map(|(id, record)| row(id, &record, version.clone(), Told::News)));
            }
            further.extend(records.iter().filter_map(merged_into));
            self.accept_of(asked, system, records, None).await?;
        }
        Ok(further)
    }
}
