//! Records that hang on a variant and go by its names, its stock and its prices: attended to and read together.

use crate::aside::{Aside, Asides};
use crate::gone::Missed;
use crate::poll;
use crate::run::Engine;
use crate::system::{EngineError, System};
use std::collections::BTreeMap;
use syncline_connect::Error;
use syncline_core::id::{EntityId, RemoteId, SystemName};
use syncline_core::kind::Kind;
use syncline_core::policy::{ErrorKind, Hold};
use syncline_store::{Accept, Case, Told};

/// Documents of one read.
const CHUNK: usize = 100;

/// What could not be read of some records, and where.
pub(crate) type Unread = BTreeMap<EntityId, Asides>;

impl Engine {
    /// Gives every variant that is tied by now its lanes for stock and prices, where the flows are on.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn attend_satellites(&self) -> Result<(), EngineError> {
        if self.flows.inventory.is_some() {
            self.store.attend(Kind::Stock, self.now()).await?;
        }
        if self.flows.prices.is_some() {
            self.store.attend(Kind::Price, self.now()).await?;
        }
        Ok(())
    }

    /// Everything known about `lanes`.
    pub(crate) async fn cases(&self, lanes: &[EntityId]) -> Result<Vec<Case>, EngineError> {
        let mut cases = Vec::with_capacity(lanes.len());
        for lane in lanes {
            cases.push(self.store.load(*lane).await?);
        }
        Ok(cases)
    }

    /// As [`Engine::read_where`], but nobody is asked who is away in this pass: what was to be read there is `unread`, and
    /// nothing is decided on what it showed before.
    pub(crate) async fn read_unless_away(
        &self,
        name: &SystemName,
        kind: Kind,
        cases: &[Case],
        wanted: impl Fn(&Case) -> bool,
        unread: &mut Unread,
    ) -> Result<(), EngineError> {
        let system = self.system(name)?;
        let Some(error) = self.away().remove(name) else {
            return self.read_where(system, kind, cases, wanted, unread).await;
        };
        for (entity, _) in known_to(system, cases, wanted) {
            put_aside(unread, entity, system, Aside::Trouble(error.clone()));
        }
        Ok(())
    }

    /// Reads those of `cases` anew in `system` that are `wanted` and known there. What could not be read goes to `unread`.
    pub(crate) async fn read_where(
        &self,
        system: &System,
        kind: Kind,
        cases: &[Case],
        wanted: impl Fn(&Case) -> bool,
        unread: &mut Unread,
    ) -> Result<(), EngineError> {
        for chunk in known_to(system, cases, wanted).chunks(CHUNK) {
            self.read_satellites(system, kind, chunk, unread).await?;
        }
        Ok(())
    }

    /// Reads the records of `kind` that hang on variants, together, and takes them in.
    async fn read_satellites(
        &self,
        system: &System,
        kind: Kind,
        wanted: &[(EntityId, RemoteId)],
        unread: &mut Unread,
    ) -> Result<(), EngineError> {
        let ids: Vec<RemoteId> = wanted.iter().map(|(_, id)| id.clone()).collect();
        let asked_at = Some(self.store.place_in_journal().await?);
        let mut answers = system.connector.read(&system.ctx, kind, &ids).await.into_iter();
        let (mut records, mut missed) = (Vec::new(), Vec::new());
        for (entity, id) in wanted {
            match answers.next() {
                Some(Ok(Some(snapshot))) => {
                    let told = snapshot.records.into_iter().next();
                    records.extend(told.map(|(id, record)| poll::row(id, &record, snapshot.version, Told::Asked)));
                }
                Some(Ok(None)) => missed.push((*entity, id)),
                Some(Err(error)) => {
                    put_aside(unread, *entity, system, Aside::Trouble(error));
                }
                None => {
                    let error = Error::new(ErrorKind::Broken, format!("{} said nothing of `{}`", system.name, id.id));
                    put_aside(unread, *entity, system, Aside::Trouble(error));
                }
            }
        }
        let accept = Accept { system: system.uid.clone(), records, cursor: None, asked_at, now: self.now() };
        self.store.accept(accept).await?;
        for (entity, id) in missed {
            match self.look_for_missed(system, kind, id).await? {
                // Its variant stands in the inbox for it.
                Missed::Gone => {}
                Missed::Doubted(hold) => put_aside(unread, entity, system, Aside::Held(hold)),
                Missed::Unsaid(error) => put_aside(unread, entity, system, Aside::Trouble(error)),
                Missed::There => {
                    let what = format!("{} has `{}` and tells no {kind} of it", system.name, id.id);
                    let remedy = "see whether our user may read it there, and how the product is set up; it is read \
                                  again by itself every half hour, with `syncline retry` at once";
                    put_aside(unread, entity, system, Aside::Held(Hold::new(Hold::UNTOLD, what, remedy)));
                }
            }
        }
        Ok(())
    }
}

/// Those of `cases` that are `wanted` and that `system` knows, each with its id there.
fn known_to(system: &System, cases: &[Case], wanted: impl Fn(&Case) -> bool) -> Vec<(EntityId, RemoteId)> {
    let wanted = cases.iter().filter(|case| wanted(case) && !case.gone.contains_key(&system.uid));
    wanted.filter_map(|case| Some((case.entity, case.bound.get(&system.uid)?.id.clone()))).collect()
}

/// Notes why `entity` could not be read in `system`.
pub(crate) fn put_aside(unread: &mut Unread, entity: EntityId, system: &System, why: Aside) {
    unread.entry(entity).or_default().insert(system.name.clone(), why);
}
