//! Records of the catalogue that others refer to: what each system calls them, and who is woken once they are tied.

use super::accept::wake;
use super::{entity_of, id, int, kind as kind_of_word};
use crate::codec::packed;
use crate::{Related, SideState, StoreError};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::delivery::Delivery;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Ref, Target, Value};

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
    let needles = match only {
        Some(entity) => needles(db, kind, entity)?,
        None => vec![(String::new(), format!("{{\"kind\":{},\"to\":{{\"Remote\"", packed("kind", &kind)?))],
    };
    let sql = format!(
        "SELECT DISTINCT l.entity, l.kind FROM lane l JOIN record r ON r.entity = l.entity \
         WHERE {lanes} AND (?1 = '' OR r.system = ?1) AND instr(r.seen, ?2) > 0"
    );
    let mut woken = 0;
    for (system, needle) in needles {
        let mut statement = db.prepare_cached(&sql)?;
        let rows =
            statement.query_map([&system, &needle], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
        for (lane, word) in rows.collect::<Result<Vec<_>, _>>()? {
            wake(db, EntityId(id(lane)), kind_of_word(&word)?, now)?;
            woken += 1;
        }
    }
    Ok(woken)
}

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
    let sql = "UPDATE record SET seen_print = x'' WHERE system = ?1 AND instr(seen, ?2) > 0 \
               AND entity IN (SELECT entity FROM lane WHERE kind IN ('product', 'variant'))";
    for (of, needle) in needles(db, kind, entity)? {
        if of == system.as_str() {
            db.prepare_cached(sql)?.execute([&of, &needle])?;
        }
    }
    Ok(())
}

/// Each system that knows `entity`, and how what refers to it there is kept.
fn needles(db: &Connection, kind: Kind, entity: EntityId) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT system, scope, remote FROM binding WHERE kind = ?1 AND role = 'main' AND entity = ?2";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![kind.word(), int(entity.0)], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    let mut needles = Vec::new();
    for row in rows {
        let (system, scope, remote) = row?;
        let reference = Ref::remote(kind, RemoteId::new(scope, remote));
        needles.push((system, packed("reference", &reference)?.trim_end_matches('}').to_string()));
    }
    Ok(needles)
}
