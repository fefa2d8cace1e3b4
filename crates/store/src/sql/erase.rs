//! Personal text taken out of the store: of people who asked for it, and of exchanges that are old. Ids, amounts, marks and
//! hashes stay, and so does all that is under way.

use super::accept::{bind, wake};
use super::tell::lanes;
use super::{at, entity_of, id, int, journal, ms};
use crate::codec::{packed, unpacked};
use crate::{Erased, Incoming, LaneFilter, LaneRow, StoreError, Told};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::delivery::Change;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Ref, Target, Value};
use syncline_core::path::Path;
use syncline_core::record::paper_apart;

/// What an order says of its buyer.
const BUYER: [&str; 3] = ["customer", "billing", "shipping"];
/// States in which nothing is left to do.
const AT_REST: [&str; 3] = ["idle", "outside", "early"];
/// Events whose details are hashes and ids; those of others may quote what a record said.
const QUOTE_NOTHING: &str = "'seen', 'sent', 'done', 'tied', 'swept', 'gone', 'back', 'erased'";

/// What a customer is held with that a system does not have any more.
const GONE: &str = "SYN-0150";
/// What a person goes by who has no account, before the e-mail address.
const GUEST: &str = "guest:";

/// What stands in its place once it is erased, before a hash.
const FORGOTTEN: &str = "erased-";

/// What is taken in, and who is back.
pub(super) type Kept = (Vec<Incoming>, Vec<EntityId>);

/// What people were called in each system, and are called from now on.
type Names = BTreeMap<(String, RemoteId), RemoteId>;

/// Takes the personal text of `people` out of the store; see [`crate::Store::erase`].
pub(super) fn erase(db: &Connection, people: &[EntityId], really: bool, now: Timestamp) -> Result<Erased, StoreError> {
    let mut told = Erased::default();
    let (mut orders, mut papers) = (BTreeSet::new(), BTreeSet::new());
    for person in people {
        for order in orders_of(db, *person)? {
            papers.extend(papers_of(db, order)?);
            orders.insert(order);
        }
    }
    let all: BTreeSet<EntityId> = people.iter().chain(&orders).chain(&papers).copied().collect();
    told.open = lanes(db, &LaneFilter::default())?;
    // That a system has them no more is how it should be.
    let gone = |lane: &LaneRow| people.contains(&lane.entity) && lane.why.as_ref().is_some_and(|why| why.code == GONE);
    told.open.retain(|lane| all.contains(&lane.entity) && !AT_REST.contains(&lane.state.as_str()) && !gone(lane));
    told.strays =
        all.iter().map(|entity| landing(db, *entity)).collect::<Result<Vec<_>, _>>()?.into_iter().max().flatten();
    (told.people, told.orders, told.papers) = (people.len(), orders.len(), papers.len());
    if !really || !told.open.is_empty() || told.strays.is_some() {
        return Ok(told);
    }
    for entity in &all {
        forget_exchanges(db, *entity)?;
    }
    let names = guests(db, people)?;
    for order in &orders {
        forget_buyer(db, *order, &names)?;
    }
    for person in people {
        forget_person(db, *person)?;
    }
    for ((system, old), new) in &names {
        // Who ordered again after an earlier erasure has the name still, as a second one.
        let sql = "DELETE FROM binding WHERE kind = 'customer' AND system = ?1 AND scope = ?2 AND remote = ?3 AND role = 'alias'";
        db.prepare_cached(sql)?.execute(params![system, new.scope, new.id])?;
        let sql =
            "UPDATE binding SET remote = ?4 WHERE kind = 'customer' AND system = ?1 AND scope = ?2 AND remote = ?3";
        db.prepare_cached(sql)?.execute(params![system, old.scope, old.id, new.id])?;
    }
    for entity in &all {
        note(db, *entity, now)?;
        journal(db, *entity, None, &Entry::new("erased", "", "its personal text"), now)?;
    }
    // Kept plans quote what they would write; they are made anew.
    db.execute("DELETE FROM plan", [])?;
    told.done = true;
    Ok(told)
}

/// Notes that what tells of `entity` is not kept from now on.
fn note(db: &Connection, entity: EntityId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO erased (entity, at) VALUES (?1, ?2) ON CONFLICT (entity) DO UPDATE SET at = excluded.at";
    db.prepare_cached(sql)?.execute(params![int(entity.0), ms(now)])?;
    Ok(())
}

/// A paper that is new is about an order: exchanges about it are kept as little as those of the order.
pub(super) fn like_its_order(
    db: &Connection,
    system: &SystemUid,
    paper: (&RemoteId, EntityId),
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some((order, _)) = paper_apart(paper.0) else { return Ok(()) };
    match entity_of(db, system, Kind::Order, &order)?.map(|order| erased(db, order)).transpose()?.flatten() {
        Some(_) => note(db, paper.1, now),
        None => Ok(()),
    }
}

/// The orders that name `person`, in whatever system; a name that is another one's, too, tells nothing.
fn orders_of(db: &Connection, person: EntityId) -> Result<BTreeSet<EntityId>, StoreError> {
    let sql = "SELECT r.entity FROM record r JOIN entity e ON e.id = r.entity \
               WHERE e.kind = 'order' AND r.system = ?1 AND instr(r.seen, ?2) > 0";
    let mut found = BTreeSet::new();
    let alone = "SELECT count(DISTINCT entity) = 1 FROM binding WHERE system = ?1 AND kind = 'customer' AND scope = ?2 AND remote = ?3";
    for (system, remote) in names_of(db, person)? {
        if !db
            .prepare_cached(alone)?
            .query_row(params![system, remote.scope, remote.id], |row| row.get::<_, bool>(0))?
        {
            continue;
        }
        let needle = packed("reference", &Ref::remote(Kind::Customer, remote))?.trim_end_matches('}').to_string();
        let mut statement = db.prepare_cached(sql)?;
        let rows = statement.query_map(params![system, needle], |row| row.get::<_, i64>(0))?;
        for row in rows {
            found.insert(EntityId(id(row?)));
        }
    }
    Ok(found)
}

/// Every name of `person`, by system.
fn names_of(db: &Connection, person: EntityId) -> Result<Vec<(String, RemoteId)>, StoreError> {
    let mut statement = db.prepare_cached("SELECT system, scope, remote FROM binding WHERE entity = ?1")?;
    let rows = statement.query_map([int(person.0)], |row| {
        Ok((row.get::<_, String>(0)?, RemoteId::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The papers of `order`, in whatever system.
fn papers_of(db: &Connection, order: EntityId) -> Result<BTreeSet<EntityId>, StoreError> {
    let mut found = BTreeSet::new();
    for (system, remote) in names_of(db, order)? {
        for kind in [Kind::Shipment, Kind::Invoice, Kind::Payment, Kind::Credit] {
            found.extend(super::tell::papers_of(db, &SystemUid::new(&system), kind, &remote)?);
        }
    }
    Ok(found)
}

/// Until when a write of `entity` may still land that nobody knows the end of.
fn landing(db: &Connection, entity: EntityId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT max(strays_at) FROM delivery WHERE lane = ?1 AND strays_at IS NOT NULL";
    let latest: Option<i64> = db.prepare_cached(sql)?.query_row([int(entity.0)], |row| row.get(0))?;
    Ok(latest.map(at))
}

/// Takes the exchanges of `entity` away, and what its story quotes.
fn forget_exchanges(db: &Connection, entity: EntityId) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM evidence WHERE lane = ?1")?.execute([int(entity.0)])?;
    // What was held says so by its code first.
    let sql = format!(
        "UPDATE journal SET detail = CASE WHEN detail LIKE 'SYN-____:%' THEN substr(detail, 1, 8) ELSE '' END \
         WHERE lane = ?1 AND event NOT IN ({QUOTE_NOTHING})"
    );
    db.prepare_cached(&sql)?.execute([int(entity.0)])?;
    Ok(())
}

/// Takes all that was ever shown, agreed on or written of `person` away.
fn forget_person(db: &Connection, person: EntityId) -> Result<(), StoreError> {
    let key = [int(person.0)];
    let nothing = Leaves::new();
    let sql = "UPDATE record SET seen = ?2, seen_print = ?3, version = NULL, revision = revision + 1 WHERE entity = ?1";
    let row = params![int(person.0), packed("record", &nothing)?, nothing.fingerprint().to_vec()];
    db.prepare_cached(sql)?.execute(row)?;
    for table in ["base", "chosen", "undone"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE entity = ?1"))?.execute(key)?;
    }
    db.prepare_cached("UPDATE lane SET why = NULL, state = 'outside' WHERE entity = ?1")?.execute(key)?;
    rewrite_writes(db, person, |_| Leaves::new())
}

/// What each of `people` that goes by an e-mail address, as guests do, goes by from now on.
fn guests(db: &Connection, people: &[EntityId]) -> Result<Names, StoreError> {
    let mut names = Names::new();
    for person in people {
        for (system, old) in names_of(db, *person)? {
            if let Some(new) = forgotten_name(&old) {
                names.insert((system, old), new);
            }
        }
    }
    Ok(names)
}

/// What a guest called `name` is called once forgotten: by a hash, which tells who orders again. None of who is no guest, or was
/// forgotten before.
fn forgotten_name(name: &RemoteId) -> Option<RemoteId> {
    let mail = name.id.strip_prefix(GUEST).filter(|mail| !mail.starts_with(FORGOTTEN))?;
    let mut leaves = Leaves::new();
    leaves.put(Path::field("email"), Value::Text(mail.to_string()));
    let print: String = leaves.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(RemoteId::new(name.scope.clone(), format!("{GUEST}{FORGOTTEN}{print}")))
}

/// `order` names its buyer by `names` from now on, wherever that is kept.
fn forget_buyer(db: &Connection, order: EntityId, names: &Names) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("SELECT system, seen FROM record WHERE entity = ?1")?;
    let rows = statement.query_map([int(order.0)], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for (system, seen) in rows.collect::<Result<Vec<_>, _>>()? {
        let leaves = renamed(&unpacked("record", &seen)?, names);
        let sql =
            "UPDATE record SET seen = ?3, seen_print = ?4, revision = revision + 1 WHERE entity = ?1 AND system = ?2";
        let row = params![int(order.0), system, packed("record", &leaves)?, leaves.fingerprint().to_vec()];
        db.prepare_cached(sql)?.execute(row)?;
    }
    let mut statement = db.prepare_cached("SELECT system, peer, leaves FROM base WHERE entity = ?1")?;
    let rows = statement.query_map([int(order.0)], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    for (system, peer, leaves) in rows.collect::<Result<Vec<_>, _>>()? {
        let leaves = packed("record", &renamed(&unpacked("record", &leaves)?, names))?;
        let sql = "UPDATE base SET leaves = ?4 WHERE entity = ?1 AND system = ?2 AND peer = ?3";
        db.prepare_cached(sql)?.execute(params![int(order.0), system, peer, leaves])?;
    }
    for table in ["chosen", "undone"] {
        let sql = format!("DELETE FROM {table} WHERE entity = ?1 AND path IN ('customer', 'billing', 'shipping')");
        db.prepare_cached(&sql)?.execute([int(order.0)])?;
    }
    rewrite_writes(db, order, |leaves| renamed(leaves, names))
}

/// Every write of `entity` as `keep` leaves its fields; what it was planned on and found is forgotten.
fn rewrite_writes(db: &Connection, entity: EntityId, keep: impl Fn(&Leaves) -> Leaves) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("SELECT id, change FROM delivery WHERE lane = ?1")?;
    let rows = statement.query_map([int(entity.0)], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    for (number, change) in rows.collect::<Result<Vec<_>, _>>()? {
        let mut change: Change = unpacked("change", &change)?;
        change.leaves = keep(&change.leaves);
        let sql = "UPDATE delivery SET change = ?2, basis = NULL, pre_image = NULL, reason = '' WHERE id = ?1";
        db.prepare_cached(sql)?.execute(params![number, packed("change", &change)?])?;
    }
    Ok(())
}

/// `leaves` of an order with its buyer by the new one of `names`.
fn renamed(leaves: &Leaves, names: &Names) -> Leaves {
    let mut all = leaves.clone();
    for path in BUYER.map(Path::field) {
        if let Some(Value::Ref(reference)) = leaves.value(&path)
            && let Target::Remote(old) = &reference.to
            && let Some((_, new)) = names.iter().find(|((_, known), _)| known == old)
        {
            all.put(path, Value::Ref(Ref { to: Target::Remote(new.clone()), ..reference.clone() }));
        }
    }
    all
}

/// What of `records` is taken in, and who is back: nothing that tells of people who were erased, unless they order again.
pub(super) fn without_erased(
    db: &Connection,
    system: &SystemUid,
    records: &[Incoming],
    now: Timestamp,
) -> Result<Option<Kept>, StoreError> {
    let any = "SELECT EXISTS (SELECT 1 FROM erased)";
    if !db.prepare_cached(any)?.query_row([], |row| row.get(0))? {
        return Ok(None);
    }
    // Whom an order names stands before it; whether that one was erased.
    let (mut kept, mut back, mut named_by) = (Vec::with_capacity(records.len()), Vec::new(), None);
    for record in records.iter().rev() {
        let mut entity = entity_of(db, system, record.kind, &record.id)?;
        if let Some(name) = forgotten_name(&record.id).filter(|_| record.kind == Kind::Customer && entity.is_none()) {
            entity = entity_of(db, system, Kind::Customer, &name)?;
        }
        let was_erased = entity.map(|entity| erased(db, entity)).transpose()?.flatten().is_some();
        match (record.kind, entity) {
            (Kind::Order, _) => named_by = Some(was_erased),
            (Kind::Customer, _) if record.told == Told::InPassing && named_by == Some(true) => continue,
            (Kind::Customer, Some(entity)) if was_erased => {
                if record.told != Told::InPassing || named_by.is_none() {
                    continue;
                }
                anew(db, system, (entity, &record.id), now)?;
                back.push(entity);
            }
            _ => {}
        }
        kept.push(record.clone());
    }
    kept.reverse();
    Ok(Some((kept, back)))
}

/// What both sides show of `person`, who is back, is read anew; what an order tells of somebody with a page is not all of it.
pub(super) fn ask_anew(db: &Connection, person: EntityId) -> Result<(), StoreError> {
    let sql = "UPDATE record SET seen_print = x'' WHERE entity = ?1 AND NOT EXISTS \
               (SELECT 1 FROM binding b WHERE b.entity = ?1 AND b.system = record.system AND b.role = 'main' \
                AND b.remote LIKE 'guest:%')";
    db.prepare_cached(sql)?.execute([int(person.0)])?;
    Ok(())
}

/// What is kept of `leaves` of `entity`: of an order that was erased, a guest by the name that is left.
pub(super) fn as_kept(db: &Connection, entity: EntityId, leaves: &Leaves) -> Result<Option<Leaves>, StoreError> {
    let names: Vec<(Path, Ref)> = BUYER
        .map(Path::field)
        .into_iter()
        .filter_map(|path| {
            let Some(Value::Ref(reference)) = leaves.value(&path) else { return None };
            let Target::Remote(old) = &reference.to else { return None };
            let renamed = Ref { to: Target::Remote(forgotten_name(old)?), ..reference.clone() };
            Some((path, renamed))
        })
        .collect();
    if names.is_empty() || erased(db, entity)?.is_none() {
        return Ok(None);
    }
    let mut kept = leaves.clone();
    names.into_iter().for_each(|(path, reference)| kept.put(path, Value::Ref(reference)));
    Ok(Some(kept))
}

/// Who orders again is a customer again, called `name`.
fn anew(
    db: &Connection,
    system: &SystemUid,
    (person, name): (EntityId, &RemoteId),
    now: Timestamp,
) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM erased WHERE entity = ?1")?.execute([int(person.0)])?;
    if let Some(before) = super::load::bound(db, person, system)?.map(|bound| bound.id).filter(|id| id != name) {
        let sql = "UPDATE binding SET remote = ?4 WHERE entity = ?1 AND system = ?2 AND remote = ?3 AND role = 'main'";
        db.prepare_cached(sql)?.execute(params![int(person.0), system.as_str(), before.id, name.id])?;
        // Orders from before go on naming them so.
        bind(db, system, Kind::Customer, &before, person, "alias")?;
    }
    wake(db, person, Kind::Customer, now)
}

/// When the personal text of `entity` was erased; none where it never was.
pub(super) fn erased(db: &Connection, entity: EntityId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT at FROM erased WHERE entity = ?1";
    let found: Option<i64> = db.prepare_cached(sql)?.query_row([int(entity.0)], |row| row.get(0)).optional()?;
    Ok(found.map(at))
}

/// Everybody of whom some system told the e-mail address `mail`, whatever its case.
pub(super) fn people_of(db: &Connection, mail: &str) -> Result<Vec<EntityId>, StoreError> {
    let wanted = syncline_core::text::email_key(mail);
    let sql = "SELECT r.entity, r.seen FROM record r JOIN entity e ON e.id = r.entity WHERE e.kind = 'customer'";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut found = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let seen: Leaves = unpacked("record", &row.get::<_, String>(1)?)?;
        if let Some(Value::Text(email)) = seen.value(&Path::field("email"))
            && syncline_core::text::email_key(email) == wanted
        {
            found.insert(EntityId(id(row.get(0)?)));
        }
    }
    Ok(found.into_iter().collect())
}

/// Takes exchanges from before `before` away, but of what is open, `limit` of them at most; how many.
pub(super) fn prune(db: &Connection, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let sql = "DELETE FROM evidence WHERE seq IN (SELECT seq FROM evidence WHERE at < ?1 AND NOT EXISTS \
               (SELECT 1 FROM lane WHERE entity = evidence.lane AND state NOT IN ('idle', 'outside', 'early')) LIMIT ?2)";
    Ok(db.prepare_cached(sql)?.execute(params![ms(before), i64::try_from(limit).unwrap_or(i64::MAX)])?)
}
