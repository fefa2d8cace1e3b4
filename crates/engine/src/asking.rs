//! What asks a person about more than one record: a sweep that did not believe what it found, and a pass that would change too
//! much to go unseen. Both stand among what is open until they are seen to.

use crate::run::Engine;
use crate::system::EngineError;
use syncline_core::id::SystemName;
use syncline_core::kind::{FLOWS, Flow, Kind};
use syncline_core::policy::Hold;

/// Whole kinds or flows that wait for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The flow it stands under.
    pub flow: Flow,
    /// The sweep it comes from, by its system and kind; none for a pass.
    pub swept: Option<(SystemName, Kind)>,
    /// What is asked, and what to do.
    pub why: Hold,
}

impl Engine {
    /// Everything that asks a person beside single records, of what still flows.
    ///
    /// # Errors
    /// Where the store fails, or the file lacks a system that a flow names.
    pub async fn asking(&self) -> Result<Vec<Asking>, EngineError> {
        let mut found = Vec::new();
        for (uid, kind, why) in self.store.suspicions().await? {
            // A variant is swept for its stock or its prices where no products flow.
            let own = std::iter::once(kind.flow()).chain(FLOWS);
            for flow in own {
                let sweeps = self.sweeps(Some(flow))?;
                if let Some((system, _)) = sweeps.into_iter().find(|(system, of)| system.uid == uid && *of == kind) {
                    found.push(Asking { flow, swept: Some((system.name.clone(), kind)), why });
                    break;
                }
            }
        }
        for (flow, gate) in self.kept_gates().await? {
            found.push(Asking { flow, swept: None, why: gate.hold(flow) });
        }
        Ok(found)
    }
}
