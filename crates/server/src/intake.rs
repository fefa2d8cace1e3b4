//! What is done with one hint: it is known to be its system's own, then kept, then answered. What could not be kept is never
//! answered as if it were, so that its sender sends it again.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use syncline_connect::{Clock, Connector, Hook};
use syncline_core::id::{SystemName, SystemUid};
use syncline_core::policy::ErrorKind;
use syncline_store::Store;
use tokio::sync::Notify;

/// Seconds after which one that could not be kept may be sent again.
pub(crate) const AGAIN_S: u32 = 10;

/// How one system is listened to.
#[derive(Debug, Clone)]
pub struct Ear {
    /// What never changes about the system.
    pub uid: SystemUid,
    /// What understands its hints.
    pub connector: Arc<dyn Connector>,
    /// What it signs them with.
    pub secret: String,
}

/// What the sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What it says in JSON.
    pub body: Value,
    /// When it may be sent again, in seconds.
    pub retry_after_s: Option<u32>,
}

impl Answer {
    pub(crate) fn error(status: u16, what: impl Into<String>) -> Self {
        Self { status, body: json!({"error": what.into()}), retry_after_s: None }
    }

    pub(crate) fn later(what: impl Into<String>) -> Self {
        Self { retry_after_s: Some(AGAIN_S), ..Self::error(503, what) }
    }
}

/// Where hints are kept; nowhere while somebody else has the store.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<Mutex<Option<Arc<dyn Store>>>>);

impl Shelf {
    /// Hints are kept in `store`.
    #[must_use]
    pub fn holding(store: &Arc<dyn Store>) -> Self {
        let shelf = Self::default();
        shelf.put(store);
        shelf
    }

    /// From now on hints are kept in `store`.
    pub fn put(&self, store: &Arc<dyn Store>) {
        *self.locked() = Some(Arc::clone(store));
    }

    /// From now on nothing is kept.
    pub fn clear(&self) {
        *self.locked() = None;
    }

    fn store(&self) -> Option<Arc<dyn Store>> {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Option<Arc<dyn Store>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes hints in.
#[derive(Debug)]
pub struct Intake {
    /// What keeps them.
    pub shelf: Shelf,
    /// When they come.
    pub clock: Arc<dyn Clock>,
    /// Rung when one was kept.
    pub bell: Arc<Notify>,
    /// The systems that are listened to.
    pub ears: BTreeMap<SystemName, Ear>,
}

impl Intake {
    /// What is answered to a request of the system called `name`: 202 once all it says is durable, 401 where it is not by that
    /// system or too old, 400 where it says nothing we know, 404 where nobody listens to such a system, 503 where it could not
    /// be kept.
    ///
    /// Header names are in small letters.
    pub async fn receive(&self, name: &str, headers: &[(String, String)], body: &[u8]) -> Answer {
        let Some(ear) = self.ears.get(&SystemName::new(name)) else {
            return Answer::error(404, "no system of this name is listened to");
        };
        let now = self.clock.now();
        let hints = match ear.connector.hear(&Hook { headers, body, secret: &ear.secret, now }) {
            Ok(hints) => hints,
            Err(error) if error.kind == ErrorKind::Denied => return Answer::error(401, error.message),
            Err(error) => return Answer::error(400, error.message),
        };
        let kept: Vec<_> = hints.into_iter().map(|hint| (hint.kind, hint.id)).collect();
        let heard = kept.len();
        let Some(store) = self.shelf.store() else {
            return Answer::later("the store is lent to a command");
        };
        match store.hear(ear.uid.clone(), kept, now).await {
            Ok(()) => {
                self.bell.notify_one();
                Answer { status: 202, body: json!({"heard": heard}), retry_after_s: None }
            }
            Err(error) => Answer::later(error.to_string()),
        }
    }
}
