//! Records that their system merged: ties move to the one that is left.

use super::accept::{bind, wake};
use super::deliver::kind_of;
use super::{entity_of, id, int, journal};
use crate::StoreError;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::Kind;

/// Ties whoever was tied to `from` to `into`; see [`crate::Store::merge`].
pub(super) fn merge(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    (from, into): (&RemoteId, &RemoteId),
    now: Timestamp,
) -> Result<Vec<EntityId>, StoreError> {
    let tied = tied(db, system, kind, from)?;
    for (entity, role) in &tied {
        let sql = match role.as_str() {
            "main" => {
                "UPDATE binding SET role = 'alias' WHERE entity = ?1 AND system = ?2 AND scope = ?3 AND remote = ?4 \
                 AND role = 'main'"
            }
            _ => {
                "DELETE FROM binding WHERE entity = ?1 AND system = ?2 AND scope = ?3 AND remote = ?4 AND role = 'shared'"
            }
        };
        db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str(), from.scope, from.id])?;
        tie(db, system, (kind, into), *entity)?;
        forget(db, system, *entity)?;
        let what = format!("{} was merged into {}", from.id, into.id);
        journal(db, *entity, None, &Entry::new("merged", system.as_str(), what), now)?;
        let sql = "SELECT EXISTS (SELECT 1 FROM lane WHERE entity = ?1)";
        if db.prepare_cached(sql)?.query_row([int(entity.0)], |row| row.get(0))? {
            wake(db, *entity, kind_of(db, *entity)?, now)?;
        }
    }
    Ok(tied.into_iter().map(|(entity, _)| entity).collect())
}

/// Who goes by `from` first of all, and who shares it.
fn tied(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    from: &RemoteId,
) -> Result<Vec<(EntityId, String)>, StoreError> {
    let sql = "SELECT entity, role FROM binding WHERE system = ?1 AND kind = ?2 AND scope = ?3 AND remote = ?4 \
               AND role IN ('main', 'shared') ORDER BY entity";
    let mut statement = db.prepare_cached(sql)?;
    let row = params![system.as_str(), kind.word(), from.scope, from.id];
    let rows = statement.query_map(row, |row| Ok((EntityId(id(row.get(0)?)), row.get::<_, String>(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// `into` is what `entity` goes by; shared where it is another one's already.
fn tie(
    db: &Connection,
    system: &SystemUid,
    (kind, into): (Kind, &RemoteId),
    entity: EntityId,
) -> Result<(), StoreError> {
    match entity_of(db, system, kind, into)? {
        None => bind(db, system, kind, into, entity, "main").map(drop),
        // Merged there and back again.
        Some(owner) if owner == entity => {
            let sql = "UPDATE binding SET role = 'main' WHERE entity = ?1 AND system = ?2 AND scope = ?3 AND remote = ?4 \
                       AND role = 'alias'";
            db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str(), into.scope, into.id])?;
            Ok(())
        }
        Some(_) => {
            let sql =
                "INSERT INTO binding (system, kind, scope, remote, entity, role) VALUES (?1, ?2, ?3, ?4, ?5, 'shared')";
            let row = params![system.as_str(), kind.word(), into.scope, into.id, int(entity.0)];
            db.prepare_cached(sql)?.execute(row)?;
            Ok(())
        }
    }
}

/// What was known of the old one says nothing of the new one: what it showed, and what was agreed on with it. The
/// addresses of papers of the past stay where they are.
fn forget(db: &Connection, system: &SystemUid, entity: EntityId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM record WHERE entity = ?1 AND system = ?2",
        "DELETE FROM refers WHERE entity = ?1 AND system = ?2",
        "DELETE FROM base WHERE entity = ?1 AND ?2 IN (system, peer)",
        "DELETE FROM undone WHERE entity = ?1 AND ?2 IN (system, peer)",
        "DELETE FROM element WHERE entity = ?1 AND system = ?2 AND path LIKE 'addresses[book-%'",
    ] {
        db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str()])?;
    }
    Ok(())
}
