//! One request about a piece of a product, an image or a part of a bundle: sent once, and the product read back.

use super::Magento;
use super::client::{Call, Scope};
use serde_json::Value;
use syncline_connect::{Ctx, Error, Outcome, Result};
use syncline_core::delivery::Permit;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;

/// One request ready to be sent.
pub(super) struct Ready {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Value,
}

impl Magento {
    /// What became of a permit about a piece of the product that `ready` names; `gone` says what it means where the product
    /// is not there when it is read back.
    pub(super) async fn write_piece(
        &self,
        ctx: &Ctx,
        permit: &Permit,
        ready: Result<(RemoteId, Ready)>,
        gone: &str,
    ) -> Outcome {
        let (id, ready) = match ready {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        let call = Call { method: ready.method, scope: Scope::ALL, path: &ready.path };
        match self.send(ctx, call, permit, &ready.body).await {
            Ok(()) => {}
            // What is gone is read once more.
            Err(Outcome::Refused(error)) if error.kind == ErrorKind::Gone => {
                return Outcome::Refused(Error { kind: ErrorKind::Stale, ..error });
            }
            Err(Outcome::Unknown { error, .. }) => return Outcome::Unknown { learned: Some(id), error },
            Err(other) => return other,
        }
        self.shown_back(ctx, Kind::Variant, &id, gone)
            .await
            .unwrap_or_else(|error| Outcome::Unknown { learned: Some(id), error })
    }
}
