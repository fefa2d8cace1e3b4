//! What asks a person about more than one record: a sweep that did not believe what it found, a pass that would change too much to
//! go unseen, a system that has stopped saying where to look. All stand among what is open until they are seen to.

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
    /// Where it comes from.
    pub by: AskedBy,
    /// What is asked, and what to do.
    pub why: Hold,
}

/// Where a question about many records comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedBy {
    /// A pass over the flow.
    Pass,
    /// A sweep over the records of a kind in a system.
    Sweep(SystemName, Kind),
    /// Hints of a system about records of a kind, which do not come any more.
    Hints(SystemName, Kind),
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
                    found.push(Asking { flow, by: AskedBy::Sweep(system.name.clone(), kind), why });
                    break;
                }
            }
        }
        for (flow, gate) in self.kept_gates().await? {
            found.push(Asking { flow, by: AskedBy::Pass, why: gate.hold(flow) });
        }
        for (system, kind, why) in self.silent().await? {
            found.push(Asking { flow: kind.flow(), by: AskedBy::Hints(system, kind), why });
        }
        Ok(found)
    }
}
