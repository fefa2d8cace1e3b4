//! Everything known about one entity, in one reading.

use super::commitment::{commitments, main_of};
use super::{at, id, int, kind};
use crate::codec::unpacked;
use crate::{Basis, BoundTo, Case, SideState, StoreError, Stray};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;
use syncline_core::delivery::Delivery;
use syncline_core::id::{DeliveryId, EntityId, RemoteId, SystemName, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::Leaves;
use syncline_core::path::Path;

pub(super) fn case(db: &Connection, entity: EntityId) -> Result<Case, StoreError> {
    let (word, label): (String, String) = db
        .prepare_cached("SELECT kind, label FROM entity WHERE id = ?1")?
        .query_row([int(entity.0)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let named = main_of(db, entity)?;
    let mut statement =
        db.prepare_cached("SELECT DISTINCT system FROM binding WHERE entity = ?1 AND role IN ('main', 'shared')")?;
    let systems: Vec<String> = statement.query_map([int(named.0)], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut bound_to = BTreeMap::new();
    for system in systems {
        let uid = SystemUid::new(system);
        if let Some(found) = bound(db, named, &uid)? {
            bound_to.insert(uid, found);
        }
    }
    let (delivery, attempt) = open_delivery(db, entity)?;
    let basis = delivery.as_ref().map(|delivery| basis(db, delivery.id)).transpose()?.flatten();
    let kind = kind(&word)?;
    let sides = sides(db, entity)?;
    let related =
        if kind.of_catalogue() { super::related::related(db, &sides, delivery.as_ref())? } else { Vec::new() };
    Ok(Case {
        entity,
        kind,
        label,
        bound: bound_to,
        sides,
        related,
        delivery,
        attempt,
        admitted: admitted(db, entity)?,
        basis,
        chosen: super::base::chosen(db, entity)?,
        undone: super::run::undone(db, entity)?,
        commitments: if kind == Kind::Stock { commitments(db, entity)? } else { Vec::new() },
        strays: strays(db, entity)?,
        gone: super::sweep::tombstones(db, named)?,
        erased: super::erase::erased(db, entity)?,
        journal: id(db.prepare_cached("SELECT coalesce(max(seq), 0) FROM journal")?.query_row([], |row| row.get(0))?),
    })
}

pub(super) fn alike(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    start: &RemoteId,
) -> Result<Vec<EntityId>, StoreError> {
    let sql = "SELECT entity FROM binding WHERE system = ?1 AND kind = ?2 AND scope = ?3 AND remote >= ?4 AND remote < ?5 \
               AND role = 'alias' ORDER BY entity";
    let end = format!("{}\u{10FFFF}", start.id);
    let mut statement = db.prepare_cached(sql)?;
    let rows =
        statement.query_map(params![system.as_str(), kind.word(), start.scope, start.id, end], |row| row.get(0))?;
    Ok(rows.map(|row| row.map(|entity| EntityId(id(entity)))).collect::<Result<_, _>>()?)
}

pub(super) fn bound(db: &Connection, entity: EntityId, system: &SystemUid) -> Result<Option<BoundTo>, StoreError> {
    let sql = "SELECT scope, remote, role = 'shared' FROM binding \
               WHERE entity = ?1 AND system = ?2 AND role IN ('main', 'shared')";
    let found: Option<(String, String, bool)> = db
        .prepare_cached(sql)?
        .query_row(params![int(entity.0), system.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((scope, remote, shared)) = found else { return Ok(None) };
    let mut statement = db.prepare_cached("SELECT path, remote FROM element WHERE entity = ?1 AND system = ?2")?;
    let rows = statement.query_map(params![int(entity.0), system.as_str()], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut elements = BTreeMap::new();
    for row in rows {
        let (path, remote) = row?;
        let path = Path::try_from(path).map_err(|e| StoreError::Damaged { what: "path", why: e.to_string() })?;
        elements.insert(path, remote);
    }
    Ok(Some(BoundTo { id: RemoteId::new(scope, remote), shared, elements }))
}

fn admitted(db: &Connection, entity: EntityId) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM admitted WHERE entity = ?1)";
    Ok(db.prepare_cached(sql)?.query_row([int(entity.0)], |row| row.get(0))?)
}

pub(super) fn sides(db: &Connection, entity: EntityId) -> Result<BTreeMap<SystemUid, SideState>, StoreError> {
    let mut bases = super::base::bases(db, entity)?;
    let sql = "SELECT system, seen, version, revision, length(seen_print) = 0, seen_at, asked_at FROM record \
         WHERE entity = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([int(entity.0)], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, Option<String>>(2)?,
            row.get::<_, i64>(3)?,
            row.get::<_, bool>(4)?,
            row.get::<_, i64>(5)?,
            row.get::<_, i64>(6)?,
        ))
    })?;
    let mut sides = BTreeMap::new();
    for row in rows {
        let (system, seen, version, revision, unread, seen_at, asked_at) = row?;
        let system = SystemUid::new(system);
        let bases = bases.remove(&system).unwrap_or_default();
        let (seen, revision, seen_at) = (unpacked("record", &seen)?, id(revision), at(seen_at));
        let side = SideState { seen, bases, version, revision, seen_at, asked_at: id(asked_at), unread };
        sides.insert(system, side);
    }
    Ok(sides)
}

pub(super) const DELIVERY: &str =
    "SELECT id, lane, target, guard, change, progress, reason, doubtful, attempt, strays_at FROM delivery";

pub(super) type RawDelivery = (i64, i64, String, String, String, String, String, bool, u32, Option<i64>);

pub(super) fn raw(row: &Row<'_>) -> rusqlite::Result<RawDelivery> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
        row.get(7)?,
        row.get(8)?,
        row.get(9)?,
    ))
}

pub(super) fn cooked(raw: RawDelivery) -> Result<(Delivery, u32, Option<Timestamp>), StoreError> {
    let (number, lane, target, guard, change, progress, reason, doubtful, attempt, strays) = raw;
    let delivery = Delivery {
        id: DeliveryId(id(number)),
        lane: EntityId(id(lane)),
        target: SystemName::new(target),
        guard: unpacked("guard", &guard)?,
        change: unpacked("change", &change)?,
        progress: unpacked("progress", &progress)?,
        reason,
        doubtful,
    };
    Ok((delivery, attempt, strays.map(at)))
}

fn open_delivery(db: &Connection, entity: EntityId) -> Result<(Option<Delivery>, u32), StoreError> {
    let sql = format!("{DELIVERY} WHERE lane = ?1 AND over = 0");
    let found = db.prepare_cached(&sql)?.query_row([int(entity.0)], raw).optional()?;
    match found {
        None => Ok((None, 0)),
        Some(row) => {
            let (delivery, attempt, _) = cooked(row)?;
            Ok((Some(delivery), attempt))
        }
    }
}

/// What a delivery was planned on, where it goes by fields.
fn basis(db: &Connection, delivery: DeliveryId) -> Result<Option<Basis>, StoreError> {
    let sql = "SELECT basis FROM delivery WHERE id = ?1";
    let found: Option<String> = db.prepare_cached(sql)?.query_row([int(delivery.0)], |row| row.get(0))?;
    found.map(|basis| unpacked("basis", &basis)).transpose()
}

/// What the target showed before a delivery was sent.
fn before(db: &Connection, delivery: DeliveryId) -> Result<Option<Leaves>, StoreError> {
    let sql = "SELECT pre_image FROM delivery WHERE id = ?1";
    let found: Option<String> = db.prepare_cached(sql)?.query_row([int(delivery.0)], |row| row.get(0))?;
    found.map(|before| unpacked("record", &before)).transpose()
}

fn strays(db: &Connection, entity: EntityId) -> Result<Vec<Stray>, StoreError> {
    let sql = format!("{DELIVERY} WHERE lane = ?1 AND strays_at IS NOT NULL ORDER BY id");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([int(entity.0)], raw)?;
    let mut found = Vec::new();
    for row in rows {
        if let (delivery, _, Some(at)) = cooked(row?)? {
            let basis = basis(db, delivery.id)?;
            let before = before(db, delivery.id)?;
            found.push(Stray { delivery, at, basis, before });
        }
    }
    Ok(found)
}

/// Every delivery of an entity, oldest first.
pub(super) fn deliveries(db: &Connection, entity: EntityId) -> Result<Vec<Delivery>, StoreError> {
    let sql = format!("{DELIVERY} WHERE lane = ?1 ORDER BY id");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([int(entity.0)], raw)?;
    let mut found = Vec::new();
    for row in rows {
        found.push(cooked(row?)?.0);
    }
    Ok(found)
}
