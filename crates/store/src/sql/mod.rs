//! The transactions in SQL: one body under both shells.

mod accept;
mod base;
mod commitment;
mod deliver;
mod erase;
mod hint;
mod lane;
mod load;
mod merge;
mod related;
mod run;
mod sweep;
mod tell;

use crate::{
    Accept, Accepted, Adoption, BoundTo, Case, Claim, Claimed, CommitPlan, Doubt, Erased, Fut, Hearing, Hinted, Known,
    LaneFilter, LaneRow, Lost, Met, PlanBook, Release, Resolve, Retry, Runs, Sending, Settle, Site, Sql, Store,
    StoreError, Story, SweepState, TakeBack, TakeOver, TallyRow, Unmet, Written,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::delivery::Noted;
use syncline_core::id::{DeliveryId, EntityId, RemoteId, RunId, SystemName, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::Kind;
use syncline_core::policy::Hold;

impl Store for Sql {
    fn beneath(&self) -> &dyn Store {
        self
    }
    fn accept(&self, accept: Accept) -> Fut<'_, Accepted> {
        self.run(move |db| accept::accept(db, &accept))
    }
    fn hear(&self, system: SystemUid, hints: Vec<(Kind, RemoteId)>, now: Timestamp) -> Fut<'_, ()> {
        self.run(move |db| hint::hear(db, &system, &hints, now))
    }
    fn hints(&self, except: Vec<SystemUid>, limit: usize) -> Fut<'_, Vec<Hinted>> {
        self.run(move |db| hint::hints(db, &except, limit))
    }
    fn heeded(&self, hints: Vec<Hinted>) -> Fut<'_, ()> {
        self.run(move |db| hint::heeded(db, &hints))
    }
    fn unhinted(&self, system: SystemUid, kind: Kind, many: u64, now: Timestamp) -> Fut<'_, ()> {
        self.run(move |db| hint::unhinted(db, &system, kind, many, now))
    }
    fn hearing(&self) -> Fut<'_, Vec<Hearing>> {
        self.run(hint::hearing)
    }
    fn cursor(&self, system: SystemUid, kind: Kind) -> Fut<'_, String> {
        self.run(move |db| accept::cursor(db, &system, kind))
    }
    fn claim(&self, claim: Claim) -> Fut<'_, Vec<Claimed>> {
        self.run(move |db| lane::claim(db, &claim))
    }
    fn load(&self, entity: EntityId) -> Fut<'_, Case> {
        self.run(move |db| load::case(db, entity))
    }
    fn entities(&self, system: SystemUid, kind: Kind, ids: Vec<RemoteId>) -> Fut<'_, Vec<Option<EntityId>>> {
        self.run(move |db| ids.iter().map(|id| entity_of(db, &system, kind, id)).collect())
    }
    fn alike(&self, system: SystemUid, kind: Kind, start: RemoteId) -> Fut<'_, Vec<EntityId>> {
        self.run(move |db| load::alike(db, &system, kind, &start))
    }
    fn bound(&self, entity: EntityId, system: SystemUid) -> Fut<'_, Option<BoundTo>> {
        self.run(move |db| load::bound(db, entity, &system))
    }
    fn known_in(&self, entities: Vec<EntityId>) -> Fut<'_, Vec<BTreeSet<SystemUid>>> {
        self.run(move |db| entities.iter().map(|entity| tell::known_in(db, *entity)).collect())
    }
    fn commit_plan(&self, plan: CommitPlan) -> Fut<'_, DeliveryId> {
        self.run(move |db| deliver::commit_plan(db, &plan))
    }
    fn note_sending(&self, notes: Vec<Sending>) -> Fut<'_, Vec<Result<Noted, StoreError>>> {
        self.run(move |db| {
            let mut proofs = Vec::with_capacity(notes.len());
            for note in &notes {
                match deliver::note_sending(db, note) {
                    Err(error @ (StoreError::Full | StoreError::Sql(_))) => return Err(error),
                    proof => proofs.push(proof),
                }
            }
            Ok(proofs)
        })
    }
    fn doubt(&self, doubt: Doubt) -> Fut<'_, ()> {
        self.run(move |db| deliver::doubt(db, &doubt))
    }
    fn settle(&self, settle: Settle) -> Fut<'_, ()> {
        self.run(move |db| deliver::settle(db, &settle))
    }
    fn release(&self, release: Release) -> Fut<'_, ()> {
        self.run(move |db| lane::release(db, &release))
    }
    fn recover(&self, now: Timestamp) -> Fut<'_, usize> {
        self.run(move |db| lane::recover(db, now))
    }
    fn name_systems(&self, names: BTreeMap<SystemUid, SystemName>) -> Fut<'_, ()> {
        self.run(move |db| deliver::name_systems(db, &names))
    }
    fn sites(&self) -> Fut<'_, Vec<Site>> {
        self.run(tell::sites)
    }
    fn keep_sites(&self, sites: Vec<Site>) -> Fut<'_, ()> {
        self.run(move |db| deliver::keep_sites(db, &sites))
    }
    fn adopt(&self, pairs: Vec<Adoption>, now: Timestamp) -> Fut<'_, usize> {
        self.run(move |db| accept::adopt(db, &pairs, now))
    }
    fn take_over(&self, rows: Vec<TakeOver>, now: Timestamp) -> Fut<'_, Vec<Result<bool, StoreError>>> {
        self.run(move |db| accept::take_over(db, &rows, now))
    }
    fn retry(&self, which: Retry, now: Timestamp) -> Fut<'_, usize> {
        self.run(move |db| lane::retry(db, &which, now))
    }
    fn admit(&self, entities: Vec<EntityId>, now: Timestamp) -> Fut<'_, usize> {
        self.run(move |db| lane::admit(db, &entities, now))
    }
    fn admitted(&self) -> Fut<'_, BTreeSet<EntityId>> {
        self.run(lane::admitted)
    }
    fn attend(&self, kind: Kind, now: Timestamp) -> Fut<'_, usize> {
        self.run(move |db| commitment::attend(db, kind, now))
    }
    fn wake_referring(&self, kind: Kind, now: Timestamp) -> Fut<'_, usize> {
        self.run(move |db| related::wake_referring(db, kind, None, now))
    }
    fn place_in_journal(&self) -> Fut<'_, u64> {
        self.run(|db| Ok(id(db.query_row("SELECT coalesce(max(seq), 0) FROM journal", [], |row| row.get(0))?)))
    }
    fn resolve(&self, resolve: Resolve, now: Timestamp) -> Fut<'_, ()> {
        self.run(move |db| base::resolve(db, &resolve, now))
    }
    fn begin_run(&self, command: String, now: Timestamp) -> Fut<'_, RunId> {
        self.run(move |db| run::begin(db, &command, now))
    }
    fn runs(&self, only: Option<RunId>, limit: usize) -> Fut<'_, Runs> {
        self.run(move |db| run::runs(db, only, limit))
    }
    fn run_writes(&self, run: RunId) -> Fut<'_, Vec<Written>> {
        self.run(move |db| run::writes(db, run))
    }
    fn take_back(&self, order: TakeBack, now: Timestamp) -> Fut<'_, ()> {
        self.run(move |db| run::take_back(db, &order, now))
    }
    fn forget_cursor(&self, system: SystemUid, kind: Kind) -> Fut<'_, ()> {
        self.run(move |db| {
            let sql = "DELETE FROM cursor WHERE system = ?1 AND kind = ?2";
            db.prepare_cached(sql)?.execute(params![system.as_str(), kind.word()])?;
            Ok(())
        })
    }
    fn known(&self, system: SystemUid, kind: Kind, keys: Vec<(RemoteId, Option<String>)>) -> Fut<'_, Vec<Known>> {
        self.run(move |db| sweep::known(db, &system, kind, &keys))
    }
    fn unmet(&self, system: SystemUid, kind: Kind, met: Met, limit: usize) -> Fut<'_, Unmet> {
        self.run(move |db| sweep::unmet(db, &system, kind, &met, limit))
    }
    fn lost(&self, system: SystemUid, kind: Kind) -> Fut<'_, Lost> {
        self.run(move |db| sweep::lost(db, &system, kind))
    }
    fn bury(&self, system: SystemUid, kind: Kind, ids: Vec<RemoteId>, now: Timestamp) -> Fut<'_, usize> {
        self.run(move |db| sweep::bury(db, &system, kind, &ids, now))
    }
    fn accept_gone(&self, entity: EntityId, now: Timestamp) -> Fut<'_, bool> {
        self.run(move |db| sweep::accept_gone(db, entity, now))
    }
    fn sweep(&self, system: SystemUid, kind: Kind) -> Fut<'_, SweepState> {
        self.run(move |db| sweep::state(db, &system, kind))
    }
    fn keep_sweep(&self, system: SystemUid, kind: Kind, state: SweepState) -> Fut<'_, ()> {
        self.run(move |db| sweep::keep(db, &system, kind, &state))
    }
    fn suspicions(&self) -> Fut<'_, Vec<(SystemUid, Kind, Hold)>> {
        self.run(sweep::suspicions)
    }
    fn lanes(&self, filter: LaneFilter) -> Fut<'_, Vec<LaneRow>> {
        self.run(move |db| tell::lanes(db, &filter))
    }
    fn tally(&self) -> Fut<'_, Vec<TallyRow>> {
        self.run(tell::tally)
    }
    fn story(&self, entity: EntityId) -> Fut<'_, Story> {
        self.run(move |db| tell::story(db, entity))
    }
    fn bindings(&self, system: SystemUid, kind: Kind) -> Fut<'_, Vec<(EntityId, RemoteId)>> {
        self.run(move |db| tell::bindings(db, &system, kind))
    }
    fn papers_of(&self, system: SystemUid, kind: Kind, order: RemoteId) -> Fut<'_, Vec<EntityId>> {
        self.run(move |db| tell::papers_of(db, &system, kind, &order))
    }
    fn binds_any(&self, system: SystemUid, kind: Kind) -> Fut<'_, bool> {
        self.run(move |db| tell::binds_any(db, &system, kind))
    }
    fn share(&self, entity: EntityId, system: SystemUid, id: RemoteId, now: Timestamp) -> Fut<'_, ()> {
        self.run(move |db| accept::share(db, entity, &system, &id, now))
    }
    fn merge(
        &self,
        system: SystemUid,
        kind: Kind,
        (from, into): (RemoteId, RemoteId),
        now: Timestamp,
    ) -> Fut<'_, Vec<EntityId>> {
        self.run(move |db| merge::merge(db, &system, kind, (&from, &into), now))
    }
    fn erase(&self, people: Vec<EntityId>, really: bool, now: Timestamp) -> Fut<'_, Erased> {
        self.run(move |db| erase::erase(db, &people, really, now))
    }
    fn people_of(&self, mail: String) -> Fut<'_, Vec<EntityId>> {
        self.run(move |db| erase::people_of(db, &mail))
    }
    fn prune(&self, before: Timestamp, limit: usize) -> Fut<'_, usize> {
        self.run(move |db| erase::prune(db, before, limit))
    }
    fn plan(&self, plan: PlanBook) -> Fut<'_, Option<String>> {
        self.run(move |db| tell::plan(db, &plan))
    }
}

/// An id as SQLite keeps it.
fn int(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// An id as we keep it.
fn id(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A moment as SQLite keeps it: milliseconds since 1970.
fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A moment as we keep it; the last one there is stands for never.
fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

fn kind(word: &str) -> Result<Kind, StoreError> {
    word.parse().map_err(|()| StoreError::Damaged { what: "kind", why: word.to_string() })
}

/// The entity behind a remote id, by main id or alias.
fn entity_of(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    remote: &RemoteId,
) -> Result<Option<EntityId>, StoreError> {
    if kind.of_variant() {
        let sql = "SELECT s.entity FROM satellite s JOIN binding b ON b.entity = s.main \
                   WHERE s.kind = ?4 AND b.system = ?1 AND b.kind = 'variant' AND b.scope = ?2 AND b.remote = ?3";
        let row = params![system.as_str(), remote.scope, remote.id, kind.word()];
        let found: Option<i64> = db.prepare_cached(sql)?.query_row(row, |row| row.get(0)).optional()?;
        return Ok(found.map(|entity| EntityId(id(entity))));
    }
    let sql = "SELECT entity FROM binding WHERE system = ?1 AND kind = ?2 AND scope = ?3 AND remote = ?4 \
               AND role <> 'shared'";
    let found: Option<i64> = db
        .prepare_cached(sql)?
        .query_row(params![system.as_str(), kind.word(), remote.scope, remote.id], |row| row.get(0))
        .optional()?;
    Ok(found.map(|entity| EntityId(id(entity))))
}

/// Adds `entry` to the story of `lane`.
fn journal(
    db: &Connection,
    lane: EntityId,
    delivery: Option<DeliveryId>,
    entry: &Entry,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO journal (at, lane, delivery, event, system, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.prepare_cached(sql)?.execute(params![
        ms(now),
        int(lane.0),
        delivery.map(|d| int(d.0)),
        entry.event,
        entry.system,
        entry.detail
    ])?;
    Ok(())
}

/// Keeps a raw exchange for `lane`; nothing of what was erased.
fn evidence(db: &Connection, lane: EntityId, body: Option<&String>, now: Timestamp) -> Result<(), StoreError> {
    if let Some(body) = body
        && erase::erased(db, lane)?.is_none()
    {
        let sql = "INSERT INTO evidence (at, lane, body) VALUES (?1, ?2, ?3)";
        db.prepare_cached(sql)?.execute(params![ms(now), int(lane.0), body])?;
    }
    Ok(())
}
