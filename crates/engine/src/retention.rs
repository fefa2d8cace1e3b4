//! What is not kept: exchanges that are old, and what tells of people who asked to be forgotten.

use crate::run::Engine;
use crate::system::EngineError;
use jiff::SignedDuration;
use std::sync::atomic::Ordering;

/// Seconds between two looks for old exchanges.
const EVERY_S: i64 = 3_600;

impl Engine {
    /// Takes exchanges out of the store that are older than the file wants them kept, now and then.
    pub(crate) async fn prune_what_is_old(&self) -> Result<(), EngineError> {
        let Some(kept_s) = self.flows.evidence_s else { return Ok(()) };
        let now = self.now();
        if now.as_second().saturating_sub(self.pruned.load(Ordering::SeqCst)) < EVERY_S {
            return Ok(());
        }
        if let Ok(before) = now.checked_sub(SignedDuration::from_secs(i64::from(kept_s))) {
            self.store.prune(before).await?;
        }
        self.pruned.store(now.as_second(), Ordering::SeqCst);
        Ok(())
    }
}
