//! What is not kept: exchanges that are old, and what tells of people who asked to be forgotten.

use crate::run::Engine;
use crate::system::EngineError;
use jiff::SignedDuration;
use std::sync::atomic::Ordering;

/// Seconds between two looks for old exchanges.
const EVERY_S: i64 = 3_600;
/// Exchanges of one transaction, and of one look: others write meanwhile.
const AT_ONCE: usize = 200;
const MOST: usize = 10_000;

impl Engine {
    /// Takes exchanges out of the store that are older than the file wants them kept, now and then.
    pub(crate) async fn prune_what_is_old(&self) -> Result<(), EngineError> {
        let Some(kept_s) = self.flows.evidence_s else { return Ok(()) };
        let now = self.now();
        if now.as_second().saturating_sub(self.pruned.load(Ordering::SeqCst)) < EVERY_S {
            return Ok(());
        }
        if let Ok(before) = now.checked_sub(SignedDuration::from_secs(i64::from(kept_s))) {
            let mut gone = 0;
            while gone < MOST {
                let some = self.store.prune(before, AT_ONCE).await?;
                gone += some;
                if some < AT_ONCE {
                    break;
                }
            }
        }
        self.pruned.store(now.as_second(), Ordering::SeqCst);
        Ok(())
    }
}
