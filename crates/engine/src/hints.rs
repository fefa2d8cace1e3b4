//! Looks where systems have said to: what they point at is read anew and taken in as if a feed had told of it.
//!
//! A hint is never truth and never the only way: cursors and sweeps find the same without it. It is forgotten after the look,
//! so that no crash between the two loses it.

use crate::run::{Engine, Synced};
use crate::system::{EngineError, System};
use std::collections::BTreeMap;
use syncline_connect::{Error, Seen};
use syncline_core::id::{RemoteId, SystemName, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::policy::{ErrorKind, Hold};
use syncline_store::{Accepted, Hearing, Hinted};

/// Hints of one look; what is beyond waits for the next.
const MOST: usize = 1_000;
/// Documents of one read.
const CHUNK: usize = 100;

impl Engine {
    /// Reads what hints point at. Those of a system that does not answer stay until it does.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn heed_hints(&self) -> Result<Accepted, EngineError> {
        let mut total = Accepted::default();
        let mut places: BTreeMap<(SystemUid, Kind), Vec<Hinted>> = BTreeMap::new();
        // Those of a system that is away keep nothing from the others.
        let away = self.away();
        let away = away.keys().filter_map(|name| self.systems.get(name)).map(|system| system.uid.clone()).collect();
        for hint in self.store.hints(away, MOST).await? {
            places.entry((hint.system.clone(), hint.kind)).or_default().push(hint);
        }
        for ((uid, kind), hints) in places {
            let named = self.systems.values().find(|system| system.uid == uid);
            let Some(system) = named.filter(|system| self.watched().contains(&(&system.name, kind))) else {
                // It is not in the file any more, or nothing of it flows.
                self.store.heeded(hints).await?;
                continue;
            };
            match self.look_at(system, kind, &hints).await {
                Ok(counts) => {
                    total.add(counts);
                    self.store.heeded(hints).await?;
                }
                Err(EngineError::System { system, error }) => self.pause(&system, error),
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    /// A pass over what hints point at and nothing else.
    ///
    /// # Errors
    /// Where a system does not answer, or the store fails.
    pub async fn sync_hints(&self) -> Result<Synced, EngineError> {
        let counts = self.heed_hints().await?;
        let synced = Synced { new: counts.new, changed: counts.changed, ..Synced::default() };
        self.work_through(synced, None).await
    }

    async fn look_at(&self, system: &System, kind: Kind, hints: &[Hinted]) -> Result<Accepted, EngineError> {
        let mut total = Accepted::default();
        // Papers, stock and prices go by names that no sender knows: their feeds are asked; those of all papers, for one takes
        // back what others tell.
        if kind.is_paper() || kind.of_variant() {
            let papers = self.paper_feeds().into_iter().filter(|(name, _)| **name == system.name).map(|(_, kind)| kind);
            let kinds: Vec<Kind> = if kind.is_paper() { papers.collect() } else { vec![kind] };
            for kind in kinds {
                total.add(self.poll(system, kind).await?);
            }
            return Ok(total);
        }
        let ids: Vec<RemoteId> = hints.iter().map(|hint| hint.id.clone()).collect();
        for ids in ids.chunks(CHUNK) {
            let asked = self.asks(system, kind).await?;
            let answers = system.connector.read(&system.ctx, kind, ids).await;
            let mut seen = Vec::new();
            for (id, answer) in ids.iter().zip(answers) {
                match answer {
                    Ok(Some(snapshot)) => seen.push(Seen { id: snapshot.id.clone(), snapshot: Ok(snapshot) }),
                    Ok(None) => self.look_for(system, kind, id).await?,
                    Err(error) if is_of_the_system(&error) => {
                        return Err(EngineError::System { system: system.name.clone(), error });
                    }
                    // Its feed tells why it cannot be read, where there is such a record at all.
                    Err(_) => {}
                }
            }
            total.add(self.take_in_seen(asked, system, kind, seen, None).await?);
        }
        Ok(total)
    }

    /// Nothing: a record that is known and not there is looked for once more, and taken for deleted as a sweep would.
    async fn look_for(&self, system: &System, kind: Kind, id: &RemoteId) -> Result<(), EngineError> {
        let known = self.store.entities(system.uid.clone(), kind, vec![id.clone()]).await?;
        if known.first().is_some_and(Option::is_some) {
            self.look_for_missed(system, kind, id).await?;
        }
        Ok(())
    }
}

/// Changes found without a hint before anybody is told.
const MISSED: u64 = 5;
/// Seconds between the first and the last of them: shorter, hints may only be late.
const SILENT_S: i64 = 3_600;

impl Engine {
    /// Takes down what a feed of `system` told that no hint did.
    pub(crate) async fn note_unhinted(&self, system: &System, kind: Kind, found: Accepted) -> Result<(), EngineError> {
        let many = u64::try_from(found.new + found.changed).unwrap_or(u64::MAX);
        if many > 0 && self.flows.hinting.contains(&system.name) {
            self.store.unhinted(system.uid.clone(), kind, many, self.now()).await?;
        }
        Ok(())
    }

    /// Systems that sign hints and have fallen silent, with the kind of what was found all the same.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn silent(&self) -> Result<Vec<(SystemName, Kind, Hold)>, EngineError> {
        let mut found = Vec::new();
        for hearing in self.store.hearing().await? {
            let named = self.systems.values().find(|system| system.uid == hearing.system);
            let Some(system) = named.filter(|system| self.flows.hinting.contains(&system.name)) else { continue };
            if let Some(why) = silence(&system.name, &hearing) {
                found.push((system.name.clone(), hearing.kind, why));
            }
        }
        Ok(found)
    }
}

/// Why somebody should look after the hints of `name`; none where they come, or nothing much was missed.
fn silence(name: &SystemName, hearing: &Hearing) -> Option<Hold> {
    let (since, latest) = (hearing.since?, hearing.latest?);
    if hearing.missed < MISSED || latest.duration_since(since).as_secs() < SILENT_S {
        return None;
    }
    let kind = hearing.kind.plural();
    let last = match hearing.heard {
        Some(at) => format!("{name} has said nothing of {kind} since {at:.0}"),
        None => format!("{name} has never said anything of {kind}"),
    };
    let what = format!("{last}; {} changes of them were found without a hint from {since:.0} on", hearing.missed);
    let remedy = "see whether it still sends hints to `listen`, and what they are answered with: it may have switched them off; \
                  passes go on finding what changes, a little later";
    Some(Hold::new("SYN-0182", what, remedy))
}

/// Whether an error says nothing of the record that was asked for.
fn is_of_the_system(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Busy | ErrorKind::Denied | ErrorKind::Config)
}
