//! Sweeps: keys held against bindings, what was not met, and tombstones.

use super::accept::wake;
use super::deliver::kind_of;
use super::{at, entity_of, id, int, journal, ms};
use crate::codec::{packed, unpacked};
use crate::{Known, Lost, Met, StoreError, SweepState, Tombstone, Unmet};
use jiff::Timestamp;
use roaring::RoaringTreemap;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::Kind;
use syncline_core::policy::Hold;

/// Bindings of one kind in one system, in the order of their rows.
const BOUND: &str = "SELECT entity, scope, remote FROM binding WHERE system = ?1 AND kind = ?2 AND role = 'main'";

/// What is known of each of `keys`, in their order.
pub(super) fn known(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    keys: &[(RemoteId, Option<String>)],
) -> Result<Vec<Known>, StoreError> {
    let sql = "SELECT b.entity, r.version IS ?5, coalesce(length(r.seen_print), 0) > 0, \
               EXISTS (SELECT 1 FROM tombstone t WHERE t.entity = b.entity AND t.system = ?1) \
               FROM binding b LEFT JOIN record r ON r.entity = b.entity AND r.system = ?1 \
               WHERE b.system = ?1 AND b.kind = ?2 AND b.scope = ?3 AND b.remote = ?4 AND b.role <> 'shared'";
    let mut statement = db.prepare_cached(sql)?;
    let mut found = Vec::with_capacity(keys.len());
    for (key, version) in keys {
        let row = params![system.as_str(), kind.word(), key.scope, key.id, version];
        let row = statement.query_row(row, |row| {
            let (entity, same, readable, gone): (i64, bool, bool, bool) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let entity = EntityId(id(entity));
            let same = (same || version.is_none()) && readable && !gone;
            Ok(if same { Known::Same(entity) } else { Known::Moved(entity) })
        });
        found.push(row.optional()?.unwrap_or(Known::Not));
    }
    Ok(found)
}

/// The bindings of `kind` in `system` that are not among `met` and not known to be gone; `limit` of them at most.
pub(super) fn unmet(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    met: &Met,
    limit: usize,
) -> Result<Unmet, StoreError> {
    let mut statement = db.prepare_cached(BOUND)?;
    let mut rows = statement.query(params![system.as_str(), kind.word()])?;
    let mut unmet = Unmet::default();
    let gone = "SELECT EXISTS (SELECT 1 FROM tombstone WHERE entity = ?1 AND system = ?2)";
    let mut gone = db.prepare_cached(gone)?;
    while let Some(row) = rows.next()? {
        unmet.bound += 1;
        let entity = EntityId(id(row.get(0)?));
        if met.0.contains(entity.0) || gone.query_row(params![int(entity.0), system.as_str()], |row| row.get(0))? {
            continue;
        }
        unmet.missing += 1;
        if unmet.rows.len() < limit {
            unmet.rows.push((entity, RemoteId::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?)));
        }
    }
    Ok(unmet)
}

/// How many records of `kind` are bound in `system`, and how many of them are gone without a person's word.
pub(super) fn lost(db: &Connection, system: &SystemUid, kind: Kind) -> Result<Lost, StoreError> {
    let count = |sql: &str| -> Result<u64, StoreError> {
        Ok(id(db.prepare_cached(sql)?.query_row(params![system.as_str(), kind.word()], |row| row.get(0))?))
    };
    Ok(Lost {
        bound: count("SELECT count(*) FROM binding WHERE system = ?1 AND kind = ?2 AND role = 'main'")?,
        gone: count(
            "SELECT count(*) FROM tombstone t JOIN entity e ON e.id = t.entity \
             WHERE t.system = ?1 AND e.kind = ?2 AND t.accepted = 0",
        )?,
    })
}

/// Notes that `system` does not have `ids` any more; their lanes are ready. Returns how many are new.
pub(super) fn bury(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    ids: &[RemoteId],
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut new = 0;
    for remote in ids {
        let Some(entity) = entity_of(db, system, kind, remote)? else { continue };
        let sql = "INSERT OR IGNORE INTO tombstone (entity, system, at) VALUES (?1, ?2, ?3)";
        if db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str(), ms(now)])? == 0 {
            continue;
        }
        new += 1;
        journal(db, entity, None, &Entry::new("gone", system.as_str(), "it is not there any more"), now)?;
        super::related::look_again_at_referring(db, system, kind, entity)?;
        wake_all(db, entity, kind, now)?;
    }
    Ok(new)
}

/// `entity` is there again in `system`, where it counted as gone: nothing counts as agreed any more. Returns whether
/// it did.
pub(super) fn unbury(
    db: &Connection,
    system: &SystemUid,
    entity: EntityId,
    kind: Kind,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM tombstone WHERE entity = ?1 AND system = ?2";
    if db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str()])? == 0 {
        return Ok(false);
    }
    journal(db, entity, None, &Entry::new("back", system.as_str(), "it is there again"), now)?;
    super::related::look_again_at_referring(db, system, kind, entity)?;
    ask_anew(db, system, entity, kind, now)?;
    Ok(true)
}

/// Nothing counts as agreed with `system` any more: whoever made it again may have made something else, and what differs
/// is asked about.
pub(super) fn ask_anew(
    db: &Connection,
    system: &SystemUid,
    entity: EntityId,
    kind: Kind,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM base WHERE entity = ?1 AND (system = ?2 OR peer = ?2)";
    db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str()])?;
    wake_all(db, entity, kind, now)
}

/// A person says that `entity` is rightly gone where it is. Returns whether it is gone anywhere.
pub(super) fn accept_gone(db: &Connection, entity: EntityId, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE tombstone SET accepted = 1 WHERE entity = ?1";
    if db.prepare_cached(sql)?.execute([int(entity.0)])? == 0 {
        return Ok(false);
    }
    journal(db, entity, None, &Entry::new("resolved", "", "a person says it is rightly gone"), now)?;
    wake_all(db, entity, kind_of(db, entity)?, now)?;
    Ok(true)
}

/// Makes the lane of `entity` ready, and those of the records that hang on it.
fn wake_all(db: &Connection, entity: EntityId, kind: Kind, now: Timestamp) -> Result<(), StoreError> {
    wake(db, entity, kind, now)?;
    super::related::wake_referring(db, kind, Some(entity), now)?;
    wake_hanging(db, entity, now)
}

/// Makes the lanes of the records that hang on `main` ready: another system knows it, or one does not any more.
pub(super) fn wake_hanging(db: &Connection, main: EntityId, now: Timestamp) -> Result<(), StoreError> {
    let mut statement =
        db.prepare_cached("SELECT s.entity FROM satellite s JOIN lane l ON l.entity = s.entity WHERE s.main = ?1")?;
    let hanging: Vec<i64> = statement.query_map([int(main.0)], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for satellite in hanging {
        let satellite = EntityId(id(satellite));
        wake(db, satellite, kind_of(db, satellite)?, now)?;
    }
    Ok(())
}

/// Where `entity` is gone.
pub(super) fn tombstones(db: &Connection, entity: EntityId) -> Result<BTreeMap<SystemUid, Tombstone>, StoreError> {
    let mut statement = db.prepare_cached("SELECT system, at, accepted FROM tombstone WHERE entity = ?1")?;
    let rows = statement.query_map([int(entity.0)], |row| {
        let (system, moment, accepted): (String, i64, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((SystemUid::new(system), Tombstone { at: at(moment), accepted }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How far the sweep over `kind` in `system` has come; the beginning where there was none.
pub(super) fn state(db: &Connection, system: &SystemUid, kind: Kind) -> Result<SweepState, StoreError> {
    let sql = "SELECT walk, met, ended, ended_deep, suspicion FROM sweep WHERE system = ?1 AND kind = ?2";
    let found = db.prepare_cached(sql)?.query_row(params![system.as_str(), kind.word()], |row| {
        Ok((
            row.get::<_, Option<String>>(0)?,
            row.get::<_, Vec<u8>>(1)?,
            row.get::<_, Option<i64>>(2)?,
            row.get::<_, Option<i64>>(3)?,
            row.get::<_, Option<String>>(4)?,
        ))
    });
    let Some((walk, met, ended, ended_deep, suspicion)) = found.optional()? else { return Ok(SweepState::default()) };
    let damaged = |error: std::io::Error| StoreError::Damaged { what: "set of records", why: error.to_string() };
    Ok(SweepState {
        walk: walk.map(|walk| unpacked("walk", &walk)).transpose()?,
        met: Met(RoaringTreemap::deserialize_from(met.as_slice()).map_err(damaged)?),
        ended: ended.map(at),
        ended_deep: ended_deep.map(at),
        suspicion: suspicion.map(|hold| unpacked("hold", &hold)).transpose()?,
    })
}

/// Keeps how far the sweep has come.
pub(super) fn keep(db: &Connection, system: &SystemUid, kind: Kind, state: &SweepState) -> Result<(), StoreError> {
    let walk = state.walk.as_ref().map(|walk| packed("walk", walk)).transpose()?;
    let mut met = Vec::new();
    let damaged = |error: std::io::Error| StoreError::Damaged { what: "set of records", why: error.to_string() };
    state.met.0.serialize_into(&mut met).map_err(damaged)?;
    let sql = "INSERT INTO sweep (system, kind, walk, met, ended, ended_deep, suspicion) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
               ON CONFLICT (system, kind) DO UPDATE SET walk = excluded.walk, met = excluded.met, \
               ended = excluded.ended, ended_deep = excluded.ended_deep, suspicion = excluded.suspicion";
    let suspicion = state.suspicion.as_ref().map(|hold| packed("hold", hold)).transpose()?;
    let (ended, ended_deep) = (state.ended.map(ms), state.ended_deep.map(ms));
    db.prepare_cached(sql)?.execute(params![system.as_str(), kind.word(), walk, met, ended, ended_deep, suspicion])?;
    Ok(())
}

/// What sweeps found and did not believe.
pub(super) fn suspicions(db: &Connection) -> Result<Vec<(SystemUid, Kind, Hold)>, StoreError> {
    let sql = "SELECT system, kind, suspicion FROM sweep WHERE suspicion IS NOT NULL ORDER BY system, kind";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))?;
    let mut found = Vec::new();
    for row in rows {
        let (system, word, hold) = row?;
        found.push((SystemUid::new(system), super::kind(&word)?, unpacked("hold", &hold)?));
    }
    Ok(found)
}
