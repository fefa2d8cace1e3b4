//! Runs: passes that wrote something, what they wrote, and what people took back of it.

use super::accept::wake;
use super::base::{current, moved_on};
use super::deliver::kind_of;
use super::load::{DELIVERY, RawDelivery, cooked, raw};
use super::{at, id, int, journal, kind, ms};
use crate::codec::{packed, unpacked};
use crate::{Basis, RunRow, Runs, StoreError, TakeBack, Written};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;
use syncline_core::delivery::Progress;
use syncline_core::id::{EntityId, RunId, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::leaf::Leaves;
use syncline_core::path::Path;
use syncline_core::planner::Undoings;

pub(super) fn begin(db: &Connection, command: &str, now: Timestamp) -> Result<RunId, StoreError> {
    db.prepare_cached("INSERT INTO run (at, command) VALUES (?1, ?2)")?.execute(params![ms(now), command])?;
    Ok(RunId(id(db.last_insert_rowid())))
}

/// The newest `limit` runs, newest first, or `only` one.
///
/// One whose every write was refused wrote nothing.
pub(super) fn runs(db: &Connection, only: Option<RunId>, limit: usize) -> Result<Runs, StoreError> {
    let refused = packed("progress", &Progress::Refused)?;
    let only = only.map(|run| int(run.0));
    let wrote =
        "EXISTS (SELECT 1 FROM delivery d WHERE d.run = r.id AND d.progress <> ?1) AND (?2 IS NULL OR r.id = ?2)";
    let sql = format!("SELECT count(*) FROM run r WHERE {wrote}");
    let of: i64 = db.query_row(&sql, params![refused, only], |row| row.get(0))?;
    let sql = format!(
        "SELECT r.id, r.at, r.command, e.kind, count(*) \
         FROM (SELECT r.* FROM run r WHERE {wrote} ORDER BY r.id DESC LIMIT ?3) r \
         JOIN delivery d ON d.run = r.id AND d.progress <> ?1 JOIN entity e ON e.id = d.lane \
         GROUP BY r.id, e.kind ORDER BY r.id DESC, e.kind"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![refused, only, limit], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?, row.get::<_, String>(3)?, row.get::<_, i64>(4)?))
    })?;
    let mut newest: Vec<RunRow> = Vec::new();
    for row in rows {
        let (number, when, command, word, count) = row?;
        let run = RunId(id(number));
        if newest.last().is_none_or(|last| last.run != run) {
            newest.push(RunRow { run, at: at(when), command, writes: BTreeMap::new() });
        }
        if let Some(last) = newest.last_mut() {
            *last.writes.entry(kind(&word)?.flow()).or_default() += id(count);
        }
    }
    Ok(Runs { newest, of: id(of) })
}

/// Every write of `run` that was not refused, in the order they were planned.
pub(super) fn writes(db: &Connection, run: RunId) -> Result<Vec<Written>, StoreError> {
    let label = "(SELECT label FROM entity WHERE entity.id = lane) AS label";
    let sql = DELIVERY.replace(" FROM ", &format!(", pre_image, basis, {label} FROM "));
    let mut statement = db.prepare_cached(&format!("{sql} WHERE run = ?1 AND progress <> ?2 ORDER BY id"))?;
    let row = |row: &Row<'_>| -> rusqlite::Result<(RawDelivery, Option<String>, Option<String>, String)> {
        Ok((raw(row)?, row.get("pre_image")?, row.get("basis")?, row.get("label")?))
    };
    let refused = packed("progress", &Progress::Refused)?;
    let rows = statement.query_map(params![int(run.0), refused], row)?;
    rows.map(|row| {
        let (delivery, before, basis, label) = row?;
        let before: Option<Leaves> = before.map(|before| unpacked("record", &before)).transpose()?;
        let basis: Option<Basis> = basis.map(|basis| unpacked("basis", &basis)).transpose()?;
        Ok(Written { delivery: cooked(delivery)?.0, label, before, basis })
    })
    .collect()
}

/// Writes to `entity` that people took back, by the system written to and the one the values came from.
pub(super) fn undone(
    db: &Connection,
    entity: EntityId,
) -> Result<BTreeMap<(SystemUid, SystemUid), Undoings>, StoreError> {
    let mut statement = db.prepare_cached("SELECT system, peer, path, change FROM undone WHERE entity = ?1")?;
    let rows = statement.query_map([int(entity.0)], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
    })?;
    let mut found: BTreeMap<_, Undoings> = BTreeMap::new();
    for row in rows {
        let (system, peer, path, change) = row?;
        let path = Path::try_from(path).map_err(|e| StoreError::Damaged { what: "path", why: e.to_string() })?;
        let pair = (SystemUid::new(system), SystemUid::new(peer));
        found.entry(pair).or_default().insert(path, unpacked("undone", &change)?);
    }
    Ok(found)
}

/// Takes down that writes are taken back; the lane is ready. What a person chose for those fields before is no more.
pub(super) fn take_back(db: &Connection, order: &TakeBack, now: Timestamp) -> Result<(), StoreError> {
    if !current(db, order.entity, &order.revisions)? {
        return Err(StoreError::Stale);
    }
    for (system, peer, path, change) in &order.fields {
        let sql = "INSERT OR REPLACE INTO undone (entity, system, peer, path, change) VALUES (?1, ?2, ?3, ?4, ?5)";
        let (entity, change) = (int(order.entity.0), packed("undone", change)?);
        let row = params![entity, system.as_str(), peer.as_str(), path.as_str(), change];
        db.prepare_cached(sql)?.execute(row)?;
        let sql = "DELETE FROM chosen WHERE entity = ?1 AND target IN (?2, ?3) AND path = ?4";
        db.prepare_cached(sql)?.execute(params![entity, system.as_str(), peer.as_str(), path.as_str()])?;
    }
    moved_on(db, order.entity)?;
    journal(db, order.entity, None, &Entry::new("undone", "", order.told.clone()), now)?;
    wake(db, order.entity, kind_of(db, order.entity)?, now)
}

/// The undo of what `system` was given at `path` for the value of `peer` is over.
pub(super) fn over(
    db: &Connection,
    entity: EntityId,
    system: &SystemUid,
    peer: &SystemUid,
    path: &Path,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM undone WHERE entity = ?1 AND system = ?2 AND peer = ?3 AND path = ?4";
    let row = params![int(entity.0), system.as_str(), peer.as_str(), path.as_str()];
    db.prepare_cached(sql)?.execute(row)?;
    Ok(())
}
