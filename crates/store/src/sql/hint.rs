//! Hints: kept until somebody has looked where they point.

use super::{id, int, ms};
use crate::{Hinted, StoreError};
use jiff::Timestamp;
use rusqlite::{Connection, params};
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
    Ok(())
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
