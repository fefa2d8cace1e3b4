//! What one side tells of papers, now or as it was told last, and what the store knows of each.

use crate::pages::Pages;
use crate::papers::paper_of;
use crate::run::Engine;
use crate::system::{EngineError, System};
use std::collections::BTreeMap;
use syncline_connect::Cursor;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::record::Paper;
use syncline_store::{BoundTo, Case};

/// Papers of one kind by their ids; none where one cannot be read.
pub(super) type Told = BTreeMap<RemoteId, Option<Paper>>;

impl Engine {
    /// The papers of `kind` that `system` tells now, without those of ours.
    pub(super) async fn told_now(&self, system: &System, kind: Kind) -> Result<Told, EngineError> {
        let (mut told, mut pages) = (Told::new(), Pages::from(system, kind, Cursor::default()));
        while let Some(page) = pages.next().await? {
            let seen = match kind {
                // Money came in all the same where the shop counts it by an invoice of ours.
                Kind::Payment => page.seen,
                _ => self.without_echoes(system, kind, page.seen).await?,
            };
            told.extend(seen.into_iter().map(|seen| (seen.id, seen.snapshot.ok().as_ref().and_then(paper_of))));
        }
        Ok(told)
    }

    /// Those it told when they were read last.
    pub(super) async fn told_before(&self, system: &System, kind: Kind) -> Result<Told, EngineError> {
        let mut told = Told::new();
        for (entity, id) in self.store.bindings(system.uid.clone(), kind).await? {
            let case = self.store.load(entity).await?;
            let side = case.sides.get(&system.uid);
            told.insert(id, side.and_then(|side| Paper::from_leaves(&side.seen).ok()));
        }
        Ok(told)
    }

    /// What is known of the paper that `system` calls `id`, which may never have been taken in.
    pub(super) async fn case_of(&self, system: &System, kind: Kind, id: &RemoteId) -> Result<Case, EngineError> {
        let found = self.store.entities(system.uid.clone(), kind, vec![id.clone()]).await?;
        match found.into_iter().flatten().next() {
            Some(entity) => Ok(self.store.load(entity).await?),
            None => {
                let bound = BoundTo { id: id.clone(), shared: false, elements: BTreeMap::new() };
                Ok(Case { bound: [(system.uid.clone(), bound)].into(), ..Case::nothing_of(kind) })
            }
        }
    }
}
