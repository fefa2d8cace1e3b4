//! Satellites of variants (their stock), and what orders take from it until the ERP has reserved it.

use super::accept::wake;
use super::{entity_of, id, int, journal};
use crate::{Commitment, CommitmentState, StoreError, Taken};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::Kind;

/// The entity whose names `entity` goes by: the variant of a stock, itself otherwise.
pub(super) fn main_of(db: &Connection, entity: EntityId) -> Result<EntityId, StoreError> {
    let sql = "SELECT main FROM satellite WHERE entity = ?1";
    let found: Option<i64> = db.prepare_cached(sql)?.query_row([int(entity.0)], |row| row.get(0)).optional()?;
    Ok(found.map_or(entity, |main| EntityId(id(main))))
}

/// The stock of the variant that `system` calls `remote`, made where it is the first time; none for an unknown variant.
pub(super) fn satellite(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    remote: &RemoteId,
) -> Result<Option<EntityId>, StoreError> {
    let Some(main) = entity_of(db, system, Kind::Variant, remote)? else { return Ok(None) };
    let sql = "SELECT entity FROM satellite WHERE main = ?1 AND kind = ?2";
    let found: Option<i64> =
        db.prepare_cached(sql)?.query_row(params![int(main.0), kind.word()], |row| row.get(0)).optional()?;
    if let Some(entity) = found {
        return Ok(Some(EntityId(id(entity))));
    }
    let sql = "INSERT INTO entity (kind, label) SELECT ?2, label FROM entity WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![int(main.0), kind.word()])?;
    let entity = EntityId(id(db.last_insert_rowid()));
    let sql = "INSERT INTO satellite (entity, kind, main) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![int(entity.0), kind.word(), int(main.0)])?;
    Ok(Some(entity))
}

/// Gives every variant that two systems know a ready lane of `kind`, where it has none. Returns how many are new.
pub(super) fn attend(db: &Connection, kind: Kind, now: Timestamp) -> Result<usize, StoreError> {
    let sql = "SELECT b.system, b.scope, b.remote FROM binding b WHERE b.kind = 'variant' AND b.role = 'main' \
               AND NOT EXISTS (SELECT 1 FROM satellite s JOIN lane l ON l.entity = s.entity \
                               WHERE s.main = b.entity AND s.kind = ?1) \
               AND EXISTS (SELECT 1 FROM binding o WHERE o.entity = b.entity AND o.role = 'main' AND o.system > b.system)";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([kind.word()], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    let mut new = 0;
    for (system, scope, remote) in rows {
        if let Some(entity) = satellite(db, &SystemUid::new(system), kind, &RemoteId::new(scope, remote))? {
            wake(db, entity, kind, now)?;
            new += 1;
        }
    }
    Ok(new)
}

/// What orders take from the stock `entity`, the oldest first.
pub(super) fn commitments(db: &Connection, entity: EntityId) -> Result<Vec<Commitment>, StoreError> {
    let main = main_of(db, entity)?;
    let sql = format!("SELECT quantity, reserved FROM commitment WHERE rowid IN ({OF_VARIANT}) ORDER BY rowid");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([int(main.0)], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    rows.map(|row| {
        let (quantity, reserved) = row?;
        let quantity = quantity.parse().map_err(|_| StoreError::Damaged { what: "quantity", why: quantity })?;
        Ok(Commitment { quantity, reserved: (reserved > 0).then(|| id(reserved)) })
    })
    .collect()
}

/// Rows of `commitment` in force that mean the variant ?1, by any of its names.
const OF_VARIANT: &str = "SELECT d.rowid FROM binding b JOIN commitment d \
     ON d.system = b.system AND d.scope = b.scope AND d.remote = b.remote \
     WHERE b.entity = ?1 AND b.kind = 'variant' AND d.state IN ('open', 'reserved') \
     UNION SELECT d.rowid FROM binding b JOIN commitment d \
     ON d.system = b.system AND d.scope = b.scope AND d.alias = b.remote \
     WHERE b.entity = ?1 AND b.kind = 'variant' AND d.state IN ('open', 'reserved')";

/// What the ERP had reserved before `until` for the stock `entity` counts no more: its figures show it by now.
pub(super) fn served(db: &Connection, entity: EntityId, until: u64) -> Result<(), StoreError> {
    let main = main_of(db, entity)?;
    let sql = format!(
        "UPDATE commitment SET state = 'served' WHERE state = 'reserved' AND reserved <= ?2 AND rowid IN ({OF_VARIANT})"
    );
    db.prepare_cached(&sql)?.execute(params![int(main.0), int(until)])?;
    Ok(())
}

/// Notes how far the ERP has come with what the order in `lane` takes, and wakes the stock where that is news.
pub(super) fn mark(db: &Connection, lane: EntityId, state: CommitmentState, now: Timestamp) -> Result<(), StoreError> {
    let (word, before) = match state {
        CommitmentState::Open => ("open", "'reserved', 'served', 'outside'"),
        CommitmentState::Reserved => ("reserved", "'open', 'outside'"),
        CommitmentState::Outside => ("outside", "'open', 'reserved', 'served'"),
    };
    let sql =
        format!("SELECT rowid, system, scope, remote, alias FROM commitment WHERE lane = ?1 AND state IN ({before})");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([int(lane.0)], |row| {
        let name = RemoteId::new(row.get::<_, String>(2)?, row.get::<_, String>(3)?);
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, name, row.get::<_, Option<String>>(4)?))
    })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    if rows.is_empty() {
        return Ok(());
    }
    journal(db, lane, None, &Entry::new("stock", "", format!("what it takes from stock is {word}")), now)?;
    let place = if state == CommitmentState::Reserved { db.last_insert_rowid() } else { 0 };
    for (row, system, variant, alias) in rows {
        db.prepare_cached("UPDATE commitment SET state = ?2, reserved = ?3 WHERE rowid = ?1")?
            .execute(params![row, word, place])?;
        wake_stock(db, &SystemUid::new(system), &variant, alias.as_deref(), now)?;
    }
    Ok(())
}

/// Makes ready the stock of the variant that `system` calls `variant`, where it has a lane.
fn wake_stock(
    db: &Connection,
    system: &SystemUid,
    variant: &RemoteId,
    alias: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut main = entity_of(db, system, Kind::Variant, variant)?;
    if let (None, Some(alias)) = (main, alias) {
        main = entity_of(db, system, Kind::Variant, &RemoteId::new(variant.scope.clone(), alias))?;
    }
    let Some(main) = main else { return Ok(()) };
    let sql = "SELECT s.entity FROM satellite s JOIN lane l ON l.entity = s.entity WHERE s.main = ?1 AND s.kind = ?2";
    let found: Option<i64> =
        db.prepare_cached(sql)?.query_row(params![int(main.0), Kind::Stock.word()], |row| row.get(0)).optional()?;
    found.map_or(Ok(()), |entity| wake(db, EntityId(id(entity)), Kind::Stock, now))
}

/// Writes what the order in `lane` takes from stock, as its shop tells it now, and wakes the stock that is touched: all of it
/// where the order `changed`, for what the shop keeps back for an order goes by what was sent, cancelled and given back, too.
pub(super) fn replace(
    db: &Connection,
    system: &SystemUid,
    lane: EntityId,
    (takes, changed): (&[Taken], bool),
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "SELECT scope, remote, alias, quantity FROM commitment WHERE lane = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([int(lane.0)], |row| {
        let name = RemoteId::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?);
        Ok((name, (row.get::<_, Option<String>>(2)?, row.get::<_, String>(3)?)))
    })?;
    let mut before: BTreeMap<RemoteId, (Option<String>, String)> = rows.collect::<Result<_, rusqlite::Error>>()?;
    for Taken { variant, alias, quantity } in takes {
        let now_taken = (alias.clone(), quantity.normalize().to_string());
        if before.remove(variant).as_ref() == Some(&now_taken) {
            if changed {
                wake_stock(db, system, variant, alias.as_deref(), now)?;
            }
            continue;
        }
        let sql = "INSERT INTO commitment (lane, system, scope, remote, alias, quantity, state) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open') \
                   ON CONFLICT (lane, scope, remote) DO UPDATE SET alias = excluded.alias, quantity = excluded.quantity";
        let row = params![int(lane.0), system.as_str(), variant.scope, variant.id, alias, now_taken.1];
        db.prepare_cached(sql)?.execute(row)?;
        wake_stock(db, system, variant, alias.as_deref(), now)?;
    }
    for (variant, (alias, _)) in before {
        let sql = "DELETE FROM commitment WHERE lane = ?1 AND scope = ?2 AND remote = ?3";
        db.prepare_cached(sql)?.execute(params![int(lane.0), variant.scope, variant.id])?;
        wake_stock(db, system, &variant, alias.as_deref(), now)?;
    }
    Ok(())
}
