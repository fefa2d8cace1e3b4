//! Bases: what each side of a pair showed when both last agreed, and what people chose where they did not.

use super::accept::wake;
use super::deliver::{kind_of, revision as shown};
use super::run::over;
use super::{int, journal};
use crate::codec::{packed, unpacked};
use crate::{Agreed, Base, Resolve, StoreError};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use syncline_core::id::{EntityId, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::leaf::Leaves;
use syncline_core::path::Path;

/// The bases of `entity`: system → the other one → what was shown.
pub(super) fn bases(
    db: &Connection,
    entity: EntityId,
) -> Result<BTreeMap<SystemUid, BTreeMap<SystemUid, Leaves>>, StoreError> {
    let mut statement = db.prepare_cached("SELECT system, peer, leaves FROM base WHERE entity = ?1")?;
    let rows = statement.query_map([int(entity.0)], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let mut found: BTreeMap<SystemUid, BTreeMap<SystemUid, Leaves>> = BTreeMap::new();
    for row in rows {
        let (system, peer, leaves) = row?;
        found.entry(SystemUid::new(system)).or_default().insert(SystemUid::new(peer), unpacked("base", &leaves)?);
    }
    Ok(found)
}

/// The values people chose for `entity`, by the system the pair goes to.
pub(super) fn chosen(db: &Connection, entity: EntityId) -> Result<BTreeMap<SystemUid, Leaves>, StoreError> {
    let mut statement = db.prepare_cached("SELECT target, path, value FROM chosen WHERE entity = ?1")?;
    let rows = statement.query_map([int(entity.0)], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let mut found: BTreeMap<SystemUid, Leaves> = BTreeMap::new();
    for row in rows {
        let (target, path, value) = row?;
        let path = Path::try_from(path).map_err(|e| StoreError::Damaged { what: "path", why: e.to_string() })?;
        found.entry(SystemUid::new(target)).or_default().tell(path, unpacked("value", &value)?);
    }
    Ok(found)
}

/// Sets one base of `entity`.
pub(super) fn set(db: &Connection, entity: EntityId, base: &Base) -> Result<(), StoreError> {
    let key = params![int(entity.0), base.system.as_str(), base.peer.as_str()];
    let sql = "SELECT leaves FROM base WHERE entity = ?1 AND system = ?2 AND peer = ?3";
    let old: Option<String> = db.prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()?;
    let leaves = match &old {
        Some(old) if base.over => unpacked::<Leaves>("base", old)?.overlaid(&base.leaves),
        _ => base.leaves.clone(),
    };
    let leaves = super::erase::as_kept(db, entity, &leaves)?.unwrap_or(leaves);
    let new = packed("base", &leaves)?;
    if old.as_ref() == Some(&new) {
        return Ok(());
    }
    let sql = "INSERT INTO base (entity, system, peer, leaves) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (entity, system, peer) DO UPDATE SET leaves = excluded.leaves";
    db.prepare_cached(sql)?.execute(params![int(entity.0), base.system.as_str(), base.peer.as_str(), new])?;
    Ok(())
}

/// Both sides as they are become their bases, where they have any.
pub(super) fn rebase(db: &Connection, entity: EntityId) -> Result<(), StoreError> {
    let sql = "UPDATE base SET leaves = (SELECT seen FROM record r WHERE r.entity = base.entity \
               AND r.system = base.system) WHERE entity = ?1 AND EXISTS (SELECT 1 FROM record r \
               WHERE r.entity = base.entity AND r.system = base.system)";
    db.prepare_cached(sql)?.execute([int(entity.0)])?;
    db.prepare_cached("DELETE FROM undone WHERE entity = ?1")?.execute([int(entity.0)])?;
    moved_on(db, entity)
}

/// What was planned on the bases of `entity` so far is planned anew.
pub(super) fn moved_on(db: &Connection, entity: EntityId) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE record SET revision = revision + 1 WHERE entity = ?1")?.execute([int(entity.0)])?;
    Ok(())
}

/// Whether `revisions` are those of what `entity` shows now.
pub(super) fn current(
    db: &Connection,
    entity: EntityId,
    revisions: &BTreeMap<SystemUid, u64>,
) -> Result<bool, StoreError> {
    for (system, revision) in revisions {
        if shown(db, entity, system)? != *revision {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Notes what both sides were found to agree on, unless one of them changed meanwhile.
pub(super) fn agree(db: &Connection, entity: EntityId, agreed: &Agreed) -> Result<(), StoreError> {
    if !current(db, entity, &agreed.revisions)? {
        return Ok(());
    }
    for base in &agreed.bases {
        set(db, entity, base)?;
    }
    for (target, path) in &agreed.over_with {
        let sql = "DELETE FROM chosen WHERE entity = ?1 AND target = ?2 AND path = ?3";
        db.prepare_cached(sql)?.execute(params![int(entity.0), target.as_str(), path.as_str()])?;
    }
    for (system, peer, path) in &agreed.lifted {
        over(db, entity, system, peer, path)?;
    }
    Ok(())
}

/// Takes down what a person decided, in the place of anything undone before; its lane is ready.
pub(super) fn resolve(db: &Connection, resolve: &Resolve, now: Timestamp) -> Result<(), StoreError> {
    if !current(db, resolve.entity, &resolve.revisions)? {
        return Err(StoreError::Stale);
    }
    for base in &resolve.bases {
        set(db, resolve.entity, base)?;
        for (path, _) in base.leaves.iter() {
            over(db, resolve.entity, &base.system, &base.peer, path)?;
        }
    }
    for (target, path, value) in &resolve.chosen {
        let sql = "DELETE FROM undone WHERE entity = ?1 AND ?2 IN (system, peer) AND path = ?3";
        db.prepare_cached(sql)?.execute(params![int(resolve.entity.0), target.as_str(), path.as_str()])?;
        let sql = "INSERT OR REPLACE INTO chosen (entity, target, path, value) VALUES (?1, ?2, ?3, ?4)";
        let value = packed("value", value)?;
        db.prepare_cached(sql)?.execute(params![int(resolve.entity.0), target.as_str(), path.as_str(), value])?;
    }
    moved_on(db, resolve.entity)?;
    journal(db, resolve.entity, None, &Entry::new("resolved", "", resolve.told.clone()), now)?;
    wake(db, resolve.entity, kind_of(db, resolve.entity)?, now)
}
