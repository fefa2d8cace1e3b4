//! Taking in what a system shows, and binding what both sides have already.

use super::commitment::{replace, satellite};
use super::related::note_references;
use super::{entity_of, int, journal, ms};
use crate::codec::{packed, unpacked};
use crate::{Accept, Accepted, Adoption, Incoming, StoreError, TakeOver, Told};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use syncline_core::delivery::after;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::Kind;
use syncline_core::leaf::Leaves;
use syncline_core::record::Customer;

pub(super) fn accept(db: &Connection, accept: &Accept) -> Result<Accepted, StoreError> {
    let mut counts = Accepted::default();
    let kept = super::erase::without_erased(db, &accept.system, &accept.records, accept.now)?;
    for record in kept.as_ref().map_or(&accept.records, |(kept, _)| kept) {
        match take_in(db, &accept.system, record, (accept.asked_at, accept.now))? {
            Change::New => counts.new += 1,
            Change::Changed => counts.changed += 1,
            Change::Same => counts.same += 1,
        }
    }
    for person in kept.iter().flat_map(|(_, back)| back) {
        super::erase::ask_anew(db, *person)?;
    }
    if let Some((kind, cursor)) = &accept.cursor {
        let sql = "INSERT INTO cursor (system, kind, value) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (system, kind) DO UPDATE SET value = excluded.value";
        db.prepare_cached(sql)?.execute(params![accept.system.as_str(), kind.word(), cursor])?;
    }
    Ok(counts)
}

enum Change {
    New,
    Changed,
    Same,
}

/// What one record brings; nothing where it was written by us, or found gone, after it was `asked` for.
fn take_in(
    db: &Connection,
    system: &SystemUid,
    record: &Incoming,
    (asked, now): (Option<u64>, Timestamp),
) -> Result<Change, StoreError> {
    // Before anything follows from it: a name it had then may be another one by now.
    let names = std::iter::once(&record.id).chain(&record.aliases);
    for id in names.filter(|_| asked.is_some()) {
        if let Some(entity) = entity_of(db, system, record.kind, id)?
            && is_older(db, system, entity, asked)?
        {
            return Ok(Change::Same);
        }
    }
    let Some(entity) = told_of(db, system, record, now)? else { return Ok(Change::Same) };
    for alias in &record.aliases {
        if entity_of(db, system, record.kind, alias)?.is_none() {
            bind(db, system, record.kind, alias, entity, "alias")?;
        }
    }
    // An order goes on naming a customer that is gone.
    if record.refused.is_none() && !record.kind.of_variant() && record.told != Told::InPassing {
        super::sweep::unbury(db, system, entity, record.kind, now)?;
    }
    let kept = match record.kind {
        Kind::Order => super::erase::as_kept(db, entity, &record.leaves)?,
        _ => None,
    };
    let kept = kept.map(|leaves| Incoming { leaves, ..record.clone() });
    let seen = kept.as_ref().unwrap_or(record);
    let change = store_seen(db, system, entity, seen, now)?;
    let changed = !matches!(change, Change::Same);
    show_sharers(db, system, (entity, changed), seen, (asked, now))?;
    if let Some(asked) = asked.filter(|_| record.kind.of_variant()) {
        note_asked(db, system, entity, asked)?;
    }
    if let Some(hold) = &record.refused {
        let why = packed("hold", hold)?;
        wake(db, entity, record.kind, now)?;
        let sql = "UPDATE lane SET state = 'failed', why = ?2, dirty = 0, ready_at = ?3 WHERE entity = ?1";
        let again = hold.again_s().map_or(Timestamp::MAX, |pause| after(now, pause));
        db.prepare_cached(sql)?.execute(params![int(entity.0), why, ms(again)])?;
        journal(db, entity, None, &Entry::new("refused", system.as_str(), hold.what.clone()), now)?;
        return Ok(change);
    }
    // What an order takes is held against what is known also where a write of ours has shown the rest already.
    if let Some(takes) = record.takes.as_ref().filter(|_| record.kind == Kind::Order) {
        replace(db, system, entity, (takes, changed), now)?;
    }
    if changed {
        // What is told in passing starts nothing by itself: whoever needs it wakes it.
        if matches!(record.told, Told::News | Told::Origin) && is_of_concern(db, entity, record.kind)? {
            wake(db, entity, record.kind, now)?;
        }
        journal(db, entity, None, &Entry::new("seen", system.as_str(), fingerprint(&record.leaves)), now)?;
    }
    Ok(change)
}

/// Whom a record tells of, who is made known where that is how one comes to be; none where it is nobody's concern here.
fn told_of(
    db: &Connection,
    system: &SystemUid,
    record: &Incoming,
    now: Timestamp,
) -> Result<Option<EntityId>, StoreError> {
    let known = match record.kind {
        kind if kind.of_variant() => satellite(db, system, record.kind, &record.id)?,
        Kind::Variant => variant(db, system, record, now)?,
        kind => entity_of(db, system, kind, &record.id)?,
    };
    Ok(Some(match known {
        // The old one of two that were merged: whoever it was goes by the other one now.
        Some(entity) if record.kind == Kind::Customer && !is_named(db, system, entity, &record.id)? => {
            return Ok(None);
        }
        Some(entity) => entity,
        // What nobody has tied of the catalogue, stock and prices: they are read when that happens. A customer comes with
        // an order.
        None if record.kind.of_variant() || (record.kind.of_catalogue() && record.told != Told::Origin) => {
            return Ok(None);
        }
        // What was done about an order that is nobody's here.
        None if record.kind.is_paper() && !is_of_known_order(db, system, &record.id)? => return Ok(None),
        None if record.kind == Kind::Customer && record.told != Told::InPassing => return Ok(None),
        None => {
            let entity = new_entity(db, record.kind, &record.label)?;
            bind(db, system, record.kind, &record.id, entity, "main")?;
            if record.kind.is_paper() {
                super::erase::like_its_order(db, system, (&record.id, entity), now)?;
            }
            entity
        }
    }))
}

/// Shows those who share a customer's document of `system` what it shows; whoever of them was to read it anew, or `owner`, to
/// whom it was `told`, is woken where it changed for all of them.
fn show_sharers(
    db: &Connection,
    system: &SystemUid,
    (owner, changed): (EntityId, bool),
    record: &Incoming,
    (asked, now): (Option<u64>, Timestamp),
) -> Result<(), StoreError> {
    if record.kind != Kind::Customer || record.refused.is_some() || record.told == Told::InPassing {
        return Ok(());
    }
    let sharers = sharers(db, system, record)?;
    for sharer in &sharers {
        if is_older(db, system, *sharer, asked)? {
            continue;
        }
        if !matches!(store_seen(db, system, *sharer, record, now)?, Change::Same) {
            wake(db, *sharer, record.kind, now)?;
        }
    }
    // One of them may have asked: no feed brings it as news any more.
    if changed && !sharers.is_empty() && is_of_concern(db, owner, record.kind)? {
        wake(db, owner, record.kind, now)?;
    }
    Ok(())
}

/// Those who go by the document of another one's, and were not erased.
fn sharers(db: &Connection, system: &SystemUid, record: &Incoming) -> Result<Vec<EntityId>, StoreError> {
    let sql = "SELECT entity FROM binding WHERE system = ?1 AND kind = ?2 AND scope = ?3 AND remote = ?4 \
               AND role = 'shared' AND NOT EXISTS (SELECT 1 FROM erased e WHERE e.entity = binding.entity) ORDER BY entity";
    let mut statement = db.prepare_cached(sql)?;
    let row = params![system.as_str(), record.kind.word(), record.id.scope, record.id.id];
    let rows = statement.query_map(row, |row| Ok(EntityId(super::id(row.get(0)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether the order that the paper `id` is about is known.
fn is_of_known_order(db: &Connection, system: &SystemUid, id: &RemoteId) -> Result<bool, StoreError> {
    match syncline_core::record::paper_apart(id) {
        Some((order, _)) => Ok(entity_of(db, system, Kind::Order, &order)?.is_some()),
        None => Ok(false),
    }
}

/// Whether `system` calls `entity` so first of all.
fn is_named(db: &Connection, system: &SystemUid, entity: EntityId, remote: &RemoteId) -> Result<bool, StoreError> {
    Ok(super::load::bound(db, entity, system)?.is_some_and(|bound| bound.id == *remote))
}

/// Whether news of a record starts anything: a customer that no order has asked for yet is only remembered.
fn is_of_concern(db: &Connection, entity: EntityId, kind: Kind) -> Result<bool, StoreError> {
    if kind != Kind::Customer {
        return Ok(true);
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM lane WHERE entity = ?1) \
               OR (SELECT count(DISTINCT system) FROM binding WHERE entity = ?1) > 1";
    Ok(db.prepare_cached(sql)?.query_row(params![int(entity.0)], |row| row.get(0))?)
}

/// The variant a record tells of. One that was given another name there is known by its alias, and goes by the new
/// name from now on, unless another one has that name. Where another one has taken a name over, nothing counts as agreed
/// with it.
fn variant(
    db: &Connection,
    system: &SystemUid,
    record: &Incoming,
    now: Timestamp,
) -> Result<Option<EntityId>, StoreError> {
    let named = entity_of(db, system, record.kind, &record.id)?;
    for alias in &record.aliases {
        let Some(entity) = entity_of(db, system, record.kind, alias)? else { continue };
        if named.is_none() {
            let sql = "UPDATE binding SET scope = ?3, remote = ?4 WHERE entity = ?1 AND system = ?2 AND role = 'main'";
            let row = params![int(entity.0), system.as_str(), record.id.scope, record.id.id];
            db.prepare_cached(sql)?.execute(row)?;
            journal(db, entity, None, &Entry::new("renamed", system.as_str(), record.id.id.clone()), now)?;
        }
        return Ok(Some(entity));
    }
    if let Some(entity) = named.filter(|_| !record.aliases.is_empty())
        && has_alias(db, system, entity)?
    {
        journal(db, entity, None, &Entry::new("another one", system.as_str(), record.id.id.clone()), now)?;
        super::sweep::ask_anew(db, system, entity, record.kind, now)?;
    }
    Ok(named)
}

fn has_alias(db: &Connection, system: &SystemUid, entity: EntityId) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM binding WHERE entity = ?1 AND system = ?2 AND role = 'alias')";
    Ok(db.prepare_cached(sql)?.query_row(params![int(entity.0), system.as_str()], |row| row.get(0))?)
}

/// Whether `entity` was written by us or found gone after the journal stood at `asked`: what was asked for then may be from
/// before that. It was read back after the write, and what people changed since then comes with the next page, for feeds read
/// back over what was written while they were walked.
fn is_older(db: &Connection, system: &SystemUid, entity: EntityId, asked: Option<u64>) -> Result<bool, StoreError> {
    let Some(asked) = asked else { return Ok(false) };
    let sql = "SELECT EXISTS (SELECT 1 FROM record WHERE entity = ?1 AND system = ?2 AND written > ?3) \
               OR EXISTS (SELECT 1 FROM tombstone t JOIN journal j ON j.lane = t.entity AND j.system = t.system \
               WHERE t.entity = ?1 AND t.system = ?2 AND j.seq > ?3 AND j.event = 'gone')";
    let row = params![int(entity.0), system.as_str(), int(asked)];
    Ok(db.prepare_cached(sql)?.query_row(row, |row| row.get(0))?)
}

/// Notes where the journal stood when figures were asked for.
fn note_asked(db: &Connection, system: &SystemUid, entity: EntityId, asked: u64) -> Result<(), StoreError> {
    let sql = "UPDATE record SET asked_at = ?3 WHERE entity = ?1 AND system = ?2 AND asked_at < ?3";
    db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str(), int(asked)])?;
    Ok(())
}

fn fingerprint(leaves: &Leaves) -> String {
    leaves.fingerprint().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Writes what is shown now; says whether it is news.
fn store_seen(
    db: &Connection,
    system: &SystemUid,
    entity: EntityId,
    record: &Incoming,
    now: Timestamp,
) -> Result<Change, StoreError> {
    let sql = "SELECT seen, seen_print FROM record WHERE entity = ?1 AND system = ?2";
    let old: Option<(String, Vec<u8>)> = db
        .prepare_cached(sql)?
        .query_row(params![int(entity.0), system.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if record.refused.is_some() && old.is_some() {
        // What was readable before stays; an empty print makes the next readable answer count as news.
        let sql = "UPDATE record SET seen_print = x'' WHERE entity = ?1 AND system = ?2";
        db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str()])?;
        return Ok(Change::Same);
    }
    let Some((seen, print)) = old else {
        let sql = "INSERT INTO record (entity, system, seen, seen_print, version, revision, seen_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6)";
        // As above: an empty print where nothing could be read.
        let print = if record.refused.is_some() { Vec::new() } else { record.leaves.fingerprint().to_vec() };
        let seen = packed("record", &record.leaves)?;
        db.prepare_cached(sql)?.execute(params![
            int(entity.0),
            system.as_str(),
            seen,
            print,
            record.version,
            ms(now)
        ])?;
        note_references(db, system, (record.kind, entity), &record.leaves)?;
        return Ok(Change::New);
    };
    if print == record.leaves.fingerprint() {
        return note_version(db, system, entity, record);
    }
    let stored: Leaves = unpacked("record", &seen)?;
    let whole = merged(record, &stored);
    if whole == stored && !print.is_empty() {
        return note_version(db, system, entity, record);
    }
    let sql = "UPDATE record SET seen = ?3, seen_print = ?4, version = ?5, revision = revision + 1, seen_at = ?6, \
               asked_at = 0 WHERE entity = ?1 AND system = ?2";
    if print.is_empty() {
        // What could not be read was called by its id; now it has a name.
        let sql = "UPDATE entity SET label = ?2 WHERE id = ?1 AND label = ?3";
        db.prepare_cached(sql)?.execute(params![int(entity.0), record.label, record.id.id])?;
    }
    let (blob, print) = (packed("record", &whole)?, whole.fingerprint());
    db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str(), blob, print, record.version, ms(now)])?;
    note_references(db, system, (record.kind, entity), &whole)?;
    Ok(Change::Changed)
}

/// Notes the version of a record that shows what it showed: the next sweep need not read it again.
fn note_version(
    db: &Connection,
    system: &SystemUid,
    entity: EntityId,
    record: &Incoming,
) -> Result<Change, StoreError> {
    if record.version.is_some() {
        let sql = "UPDATE record SET version = ?3 WHERE entity = ?1 AND system = ?2 AND version IS NOT ?3";
        db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str(), record.version])?;
    }
    Ok(Change::Same)
}

/// What is stored with what a read tells. A record is told whole, so lines that are gone are gone; a customer is told
/// by its own page, which is right, and in passing by each of its orders, which fill gaps and whose addresses stay.
fn merged(record: &Incoming, stored: &Leaves) -> Leaves {
    match (record.kind, record.told) {
        (_, Told::InPassing) => record.leaves.overlaid(stored),
        (Kind::Customer, _) => Customer::placed(stored).overlaid(&record.leaves),
        _ => record.leaves.clone(),
    }
}

/// Makes a lane ready: its record changed.
pub(super) fn wake(db: &Connection, entity: EntityId, kind: Kind, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO lane (entity, kind, state, ready_at, dirty, since) VALUES (?1, ?2, 'ready', ?3, 1, ?3) \
               ON CONFLICT (entity) DO UPDATE SET state = 'ready', why = NULL, ready_at = min(ready_at, ?3), \
               dirty = 1, attempts = 0, since = ?3";
    db.prepare_cached(sql)?.execute(params![int(entity.0), kind.word(), ms(now)])?;
    Ok(())
}

fn new_entity(db: &Connection, kind: Kind, label: &str) -> Result<EntityId, StoreError> {
    db.prepare_cached("INSERT INTO entity (kind, label) VALUES (?1, ?2)")?.execute(params![kind.word(), label])?;
    Ok(EntityId(super::id(db.last_insert_rowid())))
}

/// Binds a remote id to `entity`; [`StoreError::Taken`] where another entity has it.
pub(super) fn bind(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    remote: &RemoteId,
    entity: EntityId,
    role: &str,
) -> Result<bool, StoreError> {
    if let Some(owner) = entity_of(db, system, kind, remote)? {
        return if owner == entity { Ok(false) } else { Err(StoreError::Taken(owner)) };
    }
    let sql = "INSERT INTO binding (system, kind, scope, remote, entity, role) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let done = db.prepare_cached(sql)?.execute(params![
        system.as_str(),
        kind.word(),
        remote.scope,
        remote.id,
        int(entity.0),
        role
    ]);
    match done {
        Ok(_) => Ok(true),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
            Err(StoreError::Taken(entity))
        }
        Err(error) => Err(error.into()),
    }
}

/// Ties `entity` to a document of `system` that is another one's already.
pub(super) fn share(
    db: &Connection,
    entity: EntityId,
    system: &SystemUid,
    remote: &RemoteId,
    now: Timestamp,
) -> Result<(), StoreError> {
    if super::load::bound(db, entity, system)?.is_some() {
        return Ok(());
    }
    let sql = "INSERT INTO binding (system, kind, scope, remote, entity, role) VALUES (?1, ?2, ?3, ?4, ?5, 'shared')";
    let kind = super::deliver::kind_of(db, entity)?;
    let row = params![system.as_str(), kind.word(), remote.scope, remote.id, int(entity.0)];
    db.prepare_cached(sql)?.execute(row)?;
    journal(db, entity, None, &Entry::new("tied", system.as_str(), "to a document that others share"), now)
}

pub(super) fn cursor(db: &Connection, system: &SystemUid, kind: Kind) -> Result<String, StoreError> {
    let sql = "SELECT value FROM cursor WHERE system = ?1 AND kind = ?2";
    let found: Option<String> =
        db.prepare_cached(sql)?.query_row(params![system.as_str(), kind.word()], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or_default())
}

/// Ties `entity` to `id` where what it was tied to in `system` is gone. Returns whether it did.
fn replace_gone(
    db: &Connection,
    system: &SystemUid,
    entity: EntityId,
    (kind, id): (Kind, &RemoteId),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let another = super::load::bound(db, entity, system)?.is_some_and(|known| known.id != *id);
    let free = entity_of(db, system, kind, id)?.is_none();
    if !another || !free || !super::sweep::unbury(db, system, entity, kind, now)? {
        return Ok(false);
    }
    let sql = "UPDATE binding SET scope = ?3, remote = ?4 WHERE entity = ?1 AND system = ?2 AND role = 'main'";
    db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str(), id.scope, id.id])?;
    Ok(true)
}

pub(super) fn adopt(db: &Connection, pairs: &[Adoption], now: Timestamp) -> Result<usize, StoreError> {
    let mut new = 0;
    for pair in pairs {
        let mut entity = None;
        for (system, id, _) in &pair.ids {
            if let Some(found) = entity_of(db, system, pair.kind, id)? {
                entity = Some(found);
                break;
            }
        }
        let entity = match entity {
            Some(entity) => entity,
            None => new_entity(db, pair.kind, &pair.label)?,
        };
        let mut fresh = false;
        for (system, id, aliases) in &pair.ids {
            fresh |= replace_gone(db, system, entity, (pair.kind, id), now)?;
            fresh |= bind(db, system, pair.kind, id, entity, "main")?;
            for alias in aliases {
                let alias: &RemoteId = alias;
                if entity_of(db, system, pair.kind, alias)?.is_none() {
                    bind(db, system, pair.kind, alias, entity, "alias")?;
                }
            }
        }
        if fresh {
            new += 1;
            super::sweep::wake_hanging(db, entity, now)?;
            journal(db, entity, None, &Entry::new("adopted", "", "bound by natural key"), now)?;
        }
    }
    Ok(new)
}

/// Takes over `rows`, each in a savepoint of its own: one that is another entity's leaves nothing behind.
pub(super) fn take_over(
    db: &Connection,
    rows: &[TakeOver],
    now: Timestamp,
) -> Result<Vec<Result<bool, StoreError>>, StoreError> {
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        db.execute_batch("SAVEPOINT row")?;
        let done = take_over_one(db, row, now);
        db.execute_batch(if done.is_ok() { "RELEASE row" } else { "ROLLBACK TO row; RELEASE row" })?;
        match done {
            Err(error) if !matches!(error, StoreError::Taken(_)) => return Err(error),
            done => taken.push(done),
        }
    }
    Ok(taken)
}

fn take_over_one(db: &Connection, row: &TakeOver, now: Timestamp) -> Result<bool, StoreError> {
    let new = adopt(db, std::slice::from_ref(&row.adoption), now)? > 0;
    for (system, records) in &row.shown {
        let records = records.clone();
        accept(db, &Accept { system: system.clone(), records, cursor: None, asked_at: None, now })?;
    }
    let first = row.adoption.ids.first();
    let entity = first.map(|(system, id, _)| entity_of(db, system, row.adoption.kind, id)).transpose()?.flatten();
    let Some(entity) = entity else { return Ok(new) };
    for (system, path, remote) in &row.elements {
        super::deliver::element(db, entity, system, (path, remote))?;
    }
    for base in &row.bases {
        super::base::set(db, entity, base)?;
    }
    if new {
        super::lane::wake_waiting(db, entity, now)?;
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM lane WHERE entity = ?1)";
    if new && db.prepare_cached(sql)?.query_row([int(entity.0)], |row| row.get(0))? {
        wake(db, entity, row.adoption.kind, now)?;
    }
    Ok(new)
}
