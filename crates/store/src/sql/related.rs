//! Records of the catalogue that others refer to: what each system calls them, and who is woken once they are tied.

use super::accept::wake;
use super::{entity_of, id, int, kind as kind_of_word};
use crate::{Related, SideState, StoreError};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::delivery::Delivery;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Ref, Target, Value};

/// The records of the catalogue that `sides` and the write under way refer to, each once, with what every system calls them.
/// What a write was planned on may have changed since, and what it made shows what it was told.
pub(super) fn related(
    db: &Connection,
    sides: &BTreeMap<SystemUid, SideState>,
    delivery: Option<&Delivery>,
) -> Result<Vec<Related>, StoreError> {
    let mut found: BTreeMap<EntityId, Related> = BTreeMap::new();
    for (_, value) in delivery.iter().flat_map(|delivery| delivery.change.leaves.iter()) {
        let Some(Value::Ref(Ref { kind, to: Target::Entity(entity), .. })) = value else { continue };
        if let Entry::Vacant(place) = found.entry(*entity)
            && kind.of_catalogue()
        {
            place.insert(known(db, *entity, *kind)?);
        }
    }
    for (system, side) in sides {
        for (_, value) in side.seen.iter() {
            let Some(Value::Ref(Ref { kind, to: Target::Remote(remote), .. })) = value else { continue };
            if !kind.of_catalogue() {
                continue;
            }
            let Some(entity) = entity_of(db, system, *kind, remote)? else { continue };
            if let Entry::Vacant(place) = found.entry(entity) {
                place.insert(known(db, entity, *kind)?);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// What every system calls `entity` that has it still.
fn known(db: &Connection, entity: EntityId, kind: Kind) -> Result<Related, StoreError> {
    let gone = super::sweep::tombstones(db, entity)?.into_keys().collect();
    let sql =
        "SELECT system, scope, remote, role = 'main' FROM binding WHERE entity = ?1 AND role IN ('main', 'alias')";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([int(entity.0)], |row| {
        let id = RemoteId::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        Ok((SystemUid::new(row.get::<_, String>(0)?), id, row.get::<_, bool>(3)?))
    })?;
    let (mut ids, mut names) = (BTreeMap::new(), BTreeSet::new());
    for row in rows {
        let (system, id, main) = row?;
        names.insert((system.clone(), id.clone()));
        if main {
            ids.insert(system, id);
        }
    }
    let sql = "SELECT label FROM entity WHERE id = ?1";
    let label = db.prepare_cached(sql)?.query_row([int(entity.0)], |row| row.get(0))?;
    let seen = match kind {
        Kind::Variant => {
            super::load::sides(db, entity)?.into_iter().map(|(system, side)| (system, side.seen)).collect()
        }
        _ => BTreeMap::new(),
    };
    Ok(Related { entity, kind, label, ids, names, seen, gone })
}

/// Keeps what a record of the catalogue of `kind` refers to, as `system` tells it.
pub(super) fn note_references(
    db: &Connection,
    system: &SystemUid,
    (kind, entity): (Kind, EntityId),
    leaves: &Leaves,
) -> Result<(), StoreError> {
    if !kind.of_catalogue() {
        return Ok(());
    }
    let record = params![int(entity.0), system.as_str()];
    db.prepare_cached("DELETE FROM refers WHERE entity = ?1 AND system = ?2")?.execute(record)?;
    let sql = "INSERT OR IGNORE INTO refers (system, kind, scope, remote, entity) VALUES (?1, ?2, ?3, ?4, ?5)";
    for (_, value) in leaves.iter() {
        let Some(Value::Ref(Ref { kind, to: Target::Remote(id), .. })) = value else { continue };
        if kind.of_catalogue() {
            let row = params![system.as_str(), kind.word(), id.scope, id.id, int(entity.0)];
            db.prepare_cached(sql)?.execute(row)?;
        }
    }
    Ok(())
}

/// Makes ready what refers to tied records of `kind`, or to `only` one: what they could not say so far they can now.
/// Returns how many lanes that are.
pub(super) fn wake_referring(
    db: &Connection,
    kind: Kind,
    only: Option<EntityId>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    // What refers to variants of the catalogue are families, and bundles made of them.
    let lanes = match kind {
        Kind::Category | Kind::Product => "l.kind IN ('category', 'product', 'variant')",
        Kind::Variant => "l.kind IN ('product', 'variant')",
        _ => return Ok(0),
    };
    let sql = match only {
        Some(_) => format!(
            "SELECT DISTINCT l.entity, l.kind {POINTING} JOIN lane l ON l.entity = f.entity WHERE {OF_ONE} AND {lanes} ORDER BY l.entity"
        ),
        None => format!(
            "SELECT DISTINCT l.entity, l.kind FROM refers f JOIN lane l ON l.entity = f.entity WHERE f.kind = ?1 AND ?2 = 0 AND {lanes} ORDER BY l.entity"
        ),
    };
    let mut statement = db.prepare_cached(&sql)?;
    let only = only.map_or(0, |entity| int(entity.0));
    let rows =
        statement.query_map(params![kind.word(), only], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    for (lane, word) in &rows {
        wake(db, EntityId(id(*lane)), kind_of_word(word)?, now)?;
    }
    Ok(rows.len())
}

/// What points to a record, by what a system calls that.
const POINTING: &str = "FROM binding b JOIN refers f \
    ON f.system = b.system AND f.kind = b.kind AND f.remote = b.remote AND f.scope = b.scope";
/// The record pointed to.
const OF_ONE: &str = "b.kind = ?1 AND b.role = 'main' AND b.entity = ?2";

/// What a family or a bundle of `system` shows has to be read anew: it lost the variant `entity` with the variant's page, or
/// has it not back with it, and no feed tells of that.
pub(super) fn look_again_at_referring(
    db: &Connection,
    system: &SystemUid,
    kind: Kind,
    entity: EntityId,
) -> Result<(), StoreError> {
    if kind != Kind::Variant {
        return Ok(());
    }
    let sql = format!(
        "UPDATE record SET seen_print = x'' WHERE system = ?3 AND entity IN (SELECT f.entity {POINTING} \
         JOIN lane l ON l.entity = f.entity WHERE {OF_ONE} AND b.system = ?3 AND l.kind IN ('product', 'variant'))"
    );
    db.prepare_cached(&sql)?.execute(params![kind.word(), int(entity.0), system.as_str()])?;
    Ok(())
}
