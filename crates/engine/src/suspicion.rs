//! What a sweep found and did not believe: it stands among what is open until a later one over the same kind ends well.

use crate::run::Engine;
use crate::system::EngineError;
use syncline_core::id::SystemName;
use syncline_core::kind::{FLOWS, Flow, Kind};
use syncline_core::policy::Hold;

/// A sweep that asks a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    /// The flow it stands under.
    pub flow: Flow,
    /// The system that was swept.
    pub system: SystemName,
    /// The kind.
    pub kind: Kind,
    /// What it found, and what to do.
    pub why: Hold,
}

impl Engine {
    /// Every sweep that asks a person, of what is still swept.
    ///
    /// # Errors
    /// Where the store fails, or the file lacks a system that a flow names.
    pub async fn suspicions(&self) -> Result<Vec<Suspicion>, EngineError> {
        let mut found = Vec::new();
        for (uid, kind, why) in self.store.suspicions().await? {
            // A variant is swept for its stock or its prices where no products flow.
            let own = std::iter::once(kind.flow()).chain(FLOWS);
            for flow in own {
                let sweeps = self.sweeps(Some(flow))?;
                if let Some((system, _)) = sweeps.into_iter().find(|(system, of)| system.uid == uid && *of == kind) {
                    found.push(Suspicion { flow, system: system.name.clone(), kind, why });
                    break;
                }
            }
        }
        Ok(found)
    }
}
