//! What people and `verify` ask: lanes, counts, stories, bindings, kept plans.

use super::commitment::main_of;
use super::load::{case, deliveries};
use super::{at, id, int, kind, ms};
use crate::codec::unpacked;
use crate::{JournalRow, LaneFilter, LaneRow, PlanBook, Site, StoreError, Story, TallyRow};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeSet;
use syncline_core::id::{DeliveryId, EntityId, RemoteId, SystemName, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::Kind;

const LANE: &str = "SELECT l.entity, l.kind, e.label, l.state, l.why, l.ready_at, l.lease_until, l.attempts \
                    FROM lane l JOIN entity e ON e.id = l.entity";

type RawLane = (i64, String, String, String, Option<String>, i64, i64, u32);

fn raw(row: &Row<'_>) -> rusqlite::Result<RawLane> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?))
}

fn cooked((entity, word, label, state, why, ready, leased, attempts): RawLane) -> Result<LaneRow, StoreError> {
    Ok(LaneRow {
        entity: EntityId(id(entity)),
        kind: kind(&word)?,
        label,
        state,
        why: why.map(|why| unpacked("hold", &why)).transpose()?,
        ready_at: at(ready),
        leased_until: at(leased),
        attempts,
    })
}

pub(super) fn lanes(db: &Connection, filter: &LaneFilter) -> Result<Vec<LaneRow>, StoreError> {
    let mut sql = format!("{LANE} WHERE 1 = 1");
    if let Some(kind) = filter.kind {
        sql.push_str(&format!(" AND l.kind = '{kind}'"));
    }
    if !filter.states.is_empty() {
        let states: Vec<String> = filter.states.iter().map(|state| format!("'{state}'")).collect();
        sql.push_str(&format!(" AND l.state IN ({})", states.join(",")));
    }
    if filter.label.is_some() {
        sql.push_str(" AND e.label = ?1");
    }
    sql.push_str(" ORDER BY l.kind, l.ready_at, l.entity");
    if let Some(limit) = filter.limit {
        sql.push_str(&format!(" LIMIT {limit}"));
    }
    let mut statement = db.prepare_cached(&sql)?;
    let rows: Vec<RawLane> = match &filter.label {
        Some(label) => statement.query_map([label], raw)?.collect::<Result<_, _>>()?,
        None => statement.query_map([], raw)?.collect::<Result<_, _>>()?,
    };
    rows.into_iter().map(cooked).collect()
}

pub(super) fn tally(db: &Connection) -> Result<Vec<TallyRow>, StoreError> {
    let sql =
        "SELECT kind, state, count(*), min(since), max(since) FROM lane GROUP BY kind, state ORDER BY kind, state";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, i64>(2)?,
            row.get::<_, Option<i64>>(3)?,
            row.get::<_, Option<i64>>(4)?,
        ))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (word, state, count, oldest, newest) = row?;
        found.push(TallyRow {
            kind: kind(&word)?,
            state,
            count: id(count),
            oldest: oldest.map(at),
            newest: newest.map(at),
        });
    }
    Ok(found)
}

pub(super) fn story(db: &Connection, entity: EntityId) -> Result<Story, StoreError> {
    let lane = db
        .prepare(&format!("{LANE} WHERE l.entity = ?1"))?
        .query_row([int(entity.0)], raw)
        .optional()?
        .map(cooked)
        .transpose()?;
    let mut statement =
        db.prepare("SELECT at, delivery, event, system, detail FROM journal WHERE lane = ?1 ORDER BY seq")?;
    let journal = statement
        .query_map([int(entity.0)], |row| {
            Ok(JournalRow {
                at: at(row.get(0)?),
                delivery: row.get::<_, Option<i64>>(1)?.map(|d| DeliveryId(id(d))),
                entry: Entry { event: row.get(2)?, system: row.get(3)?, detail: row.get(4)? },
            })
        })?
        .collect::<Result<_, _>>()?;
    let mut statement = db.prepare("SELECT body FROM evidence WHERE lane = ?1 ORDER BY seq DESC LIMIT 5")?;
    let evidence = statement.query_map([int(entity.0)], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(Story { case: case(db, entity)?, lane, journal, deliveries: deliveries(db, entity)?, evidence })
}

pub(super) fn bindings(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
) -> Result<Vec<(EntityId, RemoteId)>, StoreError> {
    let sql = match kind {
        kind if kind.of_variant() => {
            "SELECT s.entity, b.scope, b.remote FROM satellite s JOIN binding b ON b.entity = s.main \
             WHERE b.system = ?1 AND s.kind = ?2 AND b.kind = 'variant' AND b.role = 'main' ORDER BY s.entity"
        }
        _ => {
            "SELECT entity, scope, remote FROM binding WHERE system = ?1 AND kind = ?2 AND role = 'main' \
             ORDER BY entity"
        }
    };
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![system.as_str(), kind.word()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    rows.map(|row| {
        let (entity, scope, remote) = row?;
        Ok((EntityId(id(entity)), RemoteId::new(scope, remote)))
    })
    .collect()
}

/// The papers of `kind` below the document `order`: their ids begin with its own and a colon.
pub(super) fn papers_of(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    order: &RemoteId,
) -> Result<Vec<EntityId>, StoreError> {
    // What follows a colon in the order of bytes is a semicolon.
    let sql = "SELECT entity FROM binding WHERE system = ?1 AND kind = ?2 AND scope = ?3 AND remote > ?4 || ':' \
               AND remote < ?4 || ';' AND role <> 'shared' ORDER BY entity";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![system.as_str(), kind.word(), order.scope, order.id], |row| row.get(0))?;
    rows.map(|row| Ok(EntityId(id(row?)))).collect()
}

pub(super) fn binds_any(db: &Connection, system: &SystemUid, kind: Kind) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM binding WHERE system = ?1 AND kind = ?2 AND role <> 'shared')";
    Ok(db.prepare_cached(sql)?.query_row(params![system.as_str(), kind.word()], |row| row.get(0))?)
}

/// The systems that know `entity`, or the variant it hangs on.
pub(super) fn known_in(db: &Connection, entity: EntityId) -> Result<BTreeSet<SystemUid>, StoreError> {
    let sql = "SELECT DISTINCT system FROM binding WHERE entity = ?1 AND role IN ('main', 'shared')";
    let mut statement = db.prepare_cached(sql)?;
    let rows =
        statement.query_map([int(main_of(db, entity)?.0)], |row| Ok(SystemUid::new(row.get::<_, String>(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Where each system answers, as far as that was kept.
pub(super) fn sites(db: &Connection) -> Result<Vec<Site>, StoreError> {
    let mut statement = db.prepare_cached("SELECT uid, name, url, scope FROM system ORDER BY uid")?;
    let rows = statement.query_map([], |row| {
        let (uid, name) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
        Ok(Site { uid: SystemUid::new(uid), name: SystemName::new(name), url: row.get(2)?, scope: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn plan(db: &Connection, plan: &PlanBook) -> Result<Option<String>, StoreError> {
    match plan {
        PlanBook::Keep { id, body, now } => {
            db.execute("INSERT OR REPLACE INTO plan (id, at, body) VALUES (?1, ?2, ?3)", params![id, ms(*now), body])?;
            Ok(None)
        }
        PlanBook::Read(Some(id)) => {
            Ok(db.query_row("SELECT body FROM plan WHERE id = ?1", [id], |row| row.get(0)).optional()?)
        }
        PlanBook::Read(None) => {
            let sql = "SELECT body FROM plan ORDER BY at DESC LIMIT 1";
            Ok(db.query_row(sql, [], |row| row.get(0)).optional()?)
        }
    }
}
