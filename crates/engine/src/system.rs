//! A connected system as the engine holds it, and the engine's own errors.

use std::borrow::Cow;
use std::sync::Arc;
use syncline_connect::{Connector, Ctx, Error};
use syncline_core::id::{SystemName, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::policy::Hold;
use syncline_core::profile::{KindProfile, Profile};
use syncline_store::StoreError;

/// One connected system.
#[derive(Debug, Clone)]
pub struct System {
    /// What the file calls it.
    pub name: SystemName,
    /// What never changes about it.
    pub uid: SystemUid,
    /// The uids of the systems at the same address, as the websites of one shop are to each other.
    pub beside: Vec<SystemUid>,
    /// Its connector.
    pub connector: Arc<dyn Connector>,
    /// What the connector may use.
    pub ctx: Ctx,
    /// What this one can do, as `probe` found it.
    pub profile: Arc<Profile>,
}

impl System {
    /// What it does with `kind`; nothing where the profile is silent.
    #[must_use]
    pub fn kind(&self, kind: Kind) -> Cow<'_, KindProfile> {
        self.profile.kinds.get(&kind).map(Cow::Borrowed).unwrap_or_default()
    }
}

/// Why the engine stops.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A system stays away or refuses us.
    #[error("{system}: {error}")]
    System {
        /// Which.
        system: SystemName,
        /// What it answered.
        error: Error,
    },
    /// What was asked for cannot be done: code, what, and what to ask for instead.
    #[error("{}: {}: {}", .0.code, .0.what, .0.remedy)]
    Asked(Hold),
    /// The set-up does not allow it.
    #[error("{0}")]
    Setup(String),
}

impl EngineError {
    /// What a person does about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::System { error, .. } => error.kind.advice(),
            Self::Store(_) | Self::Asked(_) | Self::Setup(_) => "",
        }
    }
}
