//! Hints: kept until somebody has looked where they point.

use super::{id, int, ms};
use crate::{Hearing, Hinted, StoreError};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use syncline_core::id::{RemoteId, SystemUid};
use syncline_core::kind::Kind;

pub(super) fn hear(
    db: &Connection,
    system: &SystemUid,
    hints: &[(Kind, RemoteId)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO hint (system, kind, scope, remote, times, heard) VALUES (?1, ?2, ?3, ?4, 1, ?5) \
               ON CONFLICT DO UPDATE SET times = times + 1";
    let mut statement = db.prepare_cached(sql)?;
    for (kind, id) in hints {
        statement.execute(params![system.as_str(), kind.word(), id.scope, id.id, ms(now)])?;
    }
    let sql = "INSERT INTO hearing (system, kind, heard, missed) VALUES (?1, ?2, ?3, 0) \
               ON CONFLICT DO UPDATE SET heard = excluded.heard, missed = 0, since = NULL, latest = NULL";
    let mut statement = db.prepare_cached(sql)?;
    for kind in hints.iter().map(|(kind, _)| kind).collect::<BTreeSet<_>>() {
        statement.execute(params![system.as_str(), kind.word(), ms(now)])?;
    }
    Ok(())
}

/// What was found without a hint counts for kinds of which hints came before, and for orders always.
pub(super) fn unhinted(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    many: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    if kind == Kind::Order {
        let sql = "INSERT OR IGNORE INTO hearing (system, kind, missed) VALUES (?1, ?2, 0)";
        db.prepare_cached(sql)?.execute(params![system.as_str(), kind.word()])?;
    }
    let sql = "UPDATE hearing SET missed = missed + ?3, since = coalesce(since, ?4), latest = ?4 \
               WHERE system = ?1 AND kind = ?2";
    db.prepare_cached(sql)?.execute(params![system.as_str(), kind.word(), int(many), ms(now)])?;
    Ok(())
}

pub(super) fn hearing(db: &Connection) -> Result<Vec<Hearing>, StoreError> {
    let sql = "SELECT system, kind, heard, missed, since, latest FROM hearing ORDER BY system, kind";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let moment =
            |at: usize| row.get::<_, Option<i64>>(at).map(|ms| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()));
        found.push(Hearing {
            system: SystemUid::new(row.get::<_, String>(0)?),
            kind: super::kind(&row.get::<_, String>(1)?)?,
            heard: moment(2)?,
            missed: id(row.get(3)?),
            since: moment(4)?,
            latest: moment(5)?,
        });
    }
    Ok(found)
}

pub(super) fn hints(db: &Connection, except: &[SystemUid], limit: usize) -> Result<Vec<Hinted>, StoreError> {
    let mut statement = db.prepare_cached("SELECT system, kind, scope, remote, times FROM hint ORDER BY heard")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let system = SystemUid::new(row.get::<_, String>(0)?);
        if except.contains(&system) {
            continue;
        }
        found.push(Hinted {
            system,
            kind: super::kind(&row.get::<_, String>(1)?)?,
            id: RemoteId::new(row.get::<_, String>(2)?, row.get::<_, String>(3)?),
            times: id(row.get(4)?),
        });
    }
    Ok(found)
}

pub(super) fn heeded(db: &Connection, hints: &[Hinted]) -> Result<(), StoreError> {
    let sql = "DELETE FROM hint WHERE system = ?1 AND kind = ?2 AND scope = ?3 AND remote = ?4 AND times = ?5";
    let mut statement = db.prepare_cached(sql)?;
    for Hinted { system, kind, id, times } in hints {
        statement.execute(params![system.as_str(), kind.word(), id.scope, id.id, int(*times)])?;
    }
    Ok(())
}
