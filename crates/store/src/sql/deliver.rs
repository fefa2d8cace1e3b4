//! Deliveries: planned, noted, doubted, settled; each commit fenced by the lane's epoch.

use super::accept::bind;
use super::lane::{fence, wake_waiting};
use super::{evidence, id, int, journal, ms};
use crate::codec::{packed, unpacked};
use crate::{CommitPlan, Doubt, Ending, News, Sending, Settle, Site, Still, StoreError};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use syncline_core::delivery::{Change, Noted, Progress};
use syncline_core::id::{DeliveryId, EntityId, RemoteId, SystemName, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::Leaves;
use syncline_core::path::Path;
use syncline_core::record::Customer;

/// How often the same step may be planned for a record in a row within [`ALIKE_S`].
const MOST_ALIKE: usize = 20;
/// Seconds within which that counts.
const ALIKE_S: i64 = 600;

pub(super) fn commit_plan(db: &Connection, plan: &CommitPlan) -> Result<DeliveryId, StoreError> {
    fence(db, plan.lane, plan.epoch)?;
    if !super::base::current(db, plan.lane, &plan.revisions)? {
        return Err(StoreError::Stale);
    }
    // A second document that landed late is taken away as often as it is there.
    if plan.change.step != Step::Delete {
        circles(db, plan)?;
    }
    let basis = plan.basis.as_ref().map(|basis| packed("basis", basis)).transpose()?;
    let sql = "INSERT INTO delivery (lane, target, guard, change, reason, progress, epoch, at, basis) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    db.prepare_cached(sql)?.execute(params![
        int(plan.lane.0),
        plan.target.as_str(),
        packed("guard", &plan.guard)?,
        packed("change", &plan.change)?,
        plan.reason,
        packed("progress", &Progress::Planned { looked: false, first: None })?,
        int(plan.epoch.0),
        ms(plan.now),
        basis,
    ])?;
    let delivery = DeliveryId(id(db.last_insert_rowid()));
    let detail = format!("{} {}: {}", plan.change.kind, plan.change.step, plan.reason);
    journal(db, plan.lane, Some(delivery), &Entry::new("planned", plan.target.as_str(), detail), plan.now)?;
    Ok(delivery)
}

/// Refuses a step that was planned for its record [`MOST_ALIKE`] times in a row within [`ALIKE_S`]: whatever came of it does not
/// stay, and without an end to it one record keeps a system busy for ever.
fn circles(db: &Connection, plan: &CommitPlan) -> Result<(), StoreError> {
    let sql = "SELECT at FROM delivery WHERE lane = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2";
    let (lane, most) = (int(plan.lane.0), i64::try_from(MOST_ALIKE).unwrap_or(i64::MAX));
    let oldest: Option<i64> = db.prepare_cached(sql)?.query_row([lane, most - 1], |row| row.get(0)).optional()?;
    if oldest.is_none_or(|at| at < ms(plan.now) - ALIKE_S * 1000) {
        return Ok(());
    }
    let mut statement =
        db.prepare_cached("SELECT target, change FROM delivery WHERE lane = ?1 ORDER BY id DESC LIMIT ?2")?;
    let rows = statement.query_map([lane, most], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for row in rows {
        let (target, change) = row?;
        let change: Change = unpacked("change", &change)?;
        let same = |a: &Change, b: &Change| a.step == b.step && a.document == b.document && a.leaves == b.leaves;
        if target != plan.target.as_str() || !same(&change, &plan.change) {
            return Ok(());
        }
    }
    Err(StoreError::Circles(MOST_ALIKE))
}

/// How often what `system` shows of `entity` has changed; 0 where it shows nothing.
pub(super) fn revision(db: &Connection, entity: EntityId, system: &SystemUid) -> Result<u64, StoreError> {
    let sql = "SELECT revision FROM record WHERE entity = ?1 AND system = ?2";
    let row = params![int(entity.0), system.as_str()];
    let now: Option<i64> = db.prepare_cached(sql)?.query_row(row, |row| row.get(0)).optional()?;
    Ok(now.map_or(0, id))
}

/// Progress, attempts and target of a delivery that is not over.
fn open(db: &Connection, delivery: DeliveryId) -> Result<(Progress, u32, String), StoreError> {
    let sql = "SELECT progress, attempt, target FROM delivery WHERE id = ?1 AND over = 0";
    let found: Option<(String, u32, String)> = db
        .prepare_cached(sql)?
        .query_row([int(delivery.0)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let (progress, attempt, target) = found.ok_or(StoreError::Stale)?;
    Ok((unpacked("progress", &progress)?, attempt, target))
}

pub(super) fn note_sending(db: &Connection, note: &Sending) -> Result<Noted, StoreError> {
    fence(db, note.lane, note.epoch)?;
    let (progress, attempts, target) = open(db, note.delivery)?;
    if matches!(progress, Progress::Sending { .. }) {
        return Err(StoreError::Stale);
    }
    if !is_still(db, &note.still)? {
        return Err(StoreError::Overtaken);
    }
    let attempt = attempts.saturating_add(1);
    let first = progress.first().or(Some(note.deadline));
    let pre_image = note.pre_image.as_ref().map(|leaves| packed("record", leaves)).transpose()?;
    let sql = "UPDATE delivery SET progress = ?2, sending = 1, attempt = ?3, epoch = ?4, \
               pre_image = coalesce(?5, pre_image), run = ?6 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![
        int(note.delivery.0),
        packed("progress", &Progress::Sending { attempt, deadline: note.deadline, first })?,
        attempt,
        int(note.epoch.0),
        pre_image,
        int(note.run.0),
    ])?;
    let entry = Entry::new("sent", &target, format!("attempt {attempt}, until {}", note.deadline));
    journal(db, note.lane, Some(note.delivery), &entry, note.now)?;
    Ok(Noted::committed(note.delivery, note.epoch, attempt, note.deadline))
}

/// Whether nothing was sent in these lanes, nor came back, since then.
fn is_still(db: &Connection, still: &Still) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM journal WHERE lane = ?1 AND seq > ?2 \
               AND event NOT IN ('planned', 'moved on', 'held', 'trouble'))";
    let mut statement = db.prepare_cached(sql)?;
    for lane in &still.lanes {
        if statement.query_row([int(lane.0), int(still.since)], |row| row.get::<_, bool>(0))? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn doubt(db: &Connection, doubt: &Doubt) -> Result<(), StoreError> {
    fence(db, doubt.lane, doubt.epoch)?;
    let (progress, _, _) = open(db, doubt.delivery)?;
    let (progress, doubtful) = match (&doubt.news, progress) {
        (News::Unknown(learned), Progress::Sending { attempt, deadline, first }) => {
            (Progress::Unknown { attempt, deadline, first, learned: learned.clone() }, true)
        }
        (News::NotSent, old) => (Progress::Planned { looked: true, first: old.first() }, false),
        (News::NothingFound, _) => (Progress::Planned { looked: true, first: None }, false),
        (News::Unknown(_), other) => (other, true),
    };
    let sql = "UPDATE delivery SET progress = ?2, sending = 0, doubtful = max(doubtful, ?3) WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![int(doubt.delivery.0), packed("progress", &progress)?, doubtful])?;
    journal(db, doubt.lane, Some(doubt.delivery), &doubt.entry, doubt.now)?;
    evidence(db, doubt.lane, doubt.evidence.as_ref(), doubt.now)
}

pub(super) fn settle(db: &Connection, settle: &Settle) -> Result<(), StoreError> {
    fence(db, settle.lane, settle.epoch)?;
    let progress = match &settle.ending {
        Ending::Done { .. } => Progress::Done,
        Ending::Refused => Progress::Refused,
        Ending::Superseded => Progress::Superseded,
    };
    let strays = settle.strays_at;
    if let Ending::Done { id, leaves, version, elements } = &settle.ending {
        let kind = kind_of(db, settle.lane)?;
        if !kind.of_variant() {
            match bind(db, &settle.system, kind, id, settle.lane, "main") {
                Ok(false) => {}
                Ok(true) => {
                    super::sweep::wake_hanging(db, settle.lane, settle.now)?;
                    super::related::wake_referring(db, kind, Some(settle.lane), settle.now)?;
                }
                Err(StoreError::Taken(_)) if shares(db, settle, id)? => {}
                Err(error) => return Err(error),
            }
        }
        let whole = match kind {
            // A write of stock reads back the figures it set, not what buyers have reserved.
            Kind::Stock => seen(db, settle)?.overlaid(leaves),
            Kind::Customer => Customer::placed(&seen(db, settle)?).overlaid(leaves),
            _ => leaves.clone(),
        };
        let kept = if kind == Kind::Order { super::erase::as_kept(db, settle.lane, &whole)? } else { None };
        show(db, settle, kind, kept.as_ref().unwrap_or(&whole), version.as_ref())?;
        for (path, remote) in elements {
            element(db, settle.lane, &settle.system, (path, remote))?;
        }
        wake_waiting(db, settle.lane, settle.now)?;
    }
    for base in &settle.agreed {
        super::base::set(db, settle.lane, base)?;
    }
    let sql = "UPDATE delivery SET progress = ?2, sending = 0, over = 1, strays_at = ?3 WHERE id = ?1 AND over = 0";
    let changed = db.prepare_cached(sql)?.execute(params![
        int(settle.delivery.0),
        packed("progress", &progress)?,
        strays.map(ms)
    ])?;
    if changed == 0 {
        let sql = "UPDATE delivery SET strays_at = ?2 WHERE id = ?1";
        db.prepare_cached(sql)?.execute(params![int(settle.delivery.0), strays.map(ms)])?;
    }
    if let Some(state) = settle.commitments {
        super::commitment::mark(db, settle.lane, state, settle.now)?;
    }
    journal(db, settle.lane, Some(settle.delivery), &settle.entry, settle.now)?;
    if matches!(settle.ending, Ending::Done { .. }) {
        let sql = "UPDATE record SET written = (SELECT max(seq) FROM journal) WHERE entity = ?1 AND system = ?2";
        db.prepare_cached(sql)?.execute(params![int(settle.lane.0), settle.system.as_str()])?;
    }
    evidence(db, settle.lane, settle.evidence.as_ref(), settle.now)
}

/// Notes what `system` calls one element of `entity`.
pub(super) fn element(
    db: &Connection,
    entity: EntityId,
    system: &SystemUid,
    (path, remote): (&Path, &str),
) -> Result<(), StoreError> {
    let sql = "INSERT INTO element (entity, system, path, remote) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT DO UPDATE SET remote = excluded.remote";
    db.prepare_cached(sql)?.execute(params![int(entity.0), system.as_str(), path.as_str(), remote])?;
    Ok(())
}

/// Whether the lane's record is tied to a document that is another one's too.
fn shares(db: &Connection, settle: &Settle, document: &RemoteId) -> Result<bool, StoreError> {
    let bound = super::load::bound(db, settle.lane, &settle.system)?;
    Ok(bound.is_some_and(|bound| bound.id == *document))
}

/// The kind of `entity`.
pub(super) fn kind_of(db: &Connection, entity: EntityId) -> Result<Kind, StoreError> {
    let word: String =
        db.prepare_cached("SELECT kind FROM entity WHERE id = ?1")?.query_row([int(entity.0)], |row| row.get(0))?;
    super::kind(&word)
}

/// What the target showed when it was last read.
fn seen(db: &Connection, settle: &Settle) -> Result<Leaves, StoreError> {
    let sql = "SELECT seen FROM record WHERE entity = ?1 AND system = ?2";
    let row = params![int(settle.lane.0), settle.system.as_str()];
    let stored: Option<String> = db.prepare_cached(sql)?.query_row(row, |row| row.get(0)).optional()?;
    Ok(stored.map(|stored| unpacked("record", &stored)).transpose()?.unwrap_or_default())
}

/// What the target shows now.
fn show(
    db: &Connection,
    settle: &Settle,
    kind: Kind,
    leaves: &Leaves,
    version: Option<&String>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO record (entity, system, seen, seen_print, version, revision, seen_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6) ON CONFLICT (entity, system) DO UPDATE SET \
               seen = excluded.seen, seen_print = excluded.seen_print, \
               version = excluded.version, revision = revision + 1, seen_at = excluded.seen_at";
    db.prepare_cached(sql)?.execute(params![
        int(settle.lane.0),
        settle.system.as_str(),
        packed("record", leaves)?,
        leaves.fingerprint(),
        version,
        ms(settle.now),
    ])?;
    super::related::note_references(db, &settle.system, (kind, settle.lane), leaves)
}

/// Takes down the names of systems. All earlier ones change at once, so that two systems may exchange theirs; one that is
/// not in the file any more gives its name up to another one.
pub(super) fn name_systems(db: &Connection, names: &BTreeMap<SystemUid, SystemName>) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("SELECT uid, name FROM system")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let before: BTreeMap<String, String> = rows.collect::<Result<_, _>>()?;
    let taken = |name: &str| names.values().any(|other| other.as_str() == name);
    let mut now: BTreeMap<String, String> =
        names.iter().map(|(uid, name)| (uid.as_str().to_string(), name.as_str().to_string())).collect();
    for (uid, name) in &before {
        let left = || if taken(name) { format!("{name}#{uid}") } else { name.clone() };
        now.entry(uid.clone()).or_insert_with(left);
    }
    db.execute_batch("CREATE TEMP TABLE renamed (old TEXT PRIMARY KEY, new TEXT NOT NULL) WITHOUT ROWID")?;
    let sql = "INSERT INTO system (uid, name) VALUES (?1, ?2) ON CONFLICT (uid) DO UPDATE SET name = excluded.name";
    for (uid, name) in &now {
        if let Some(old) = before.get(uid).filter(|old| *old != name) {
            db.prepare_cached("INSERT INTO temp.renamed (old, new) VALUES (?1, ?2)")?.execute([old, name])?;
        }
        db.prepare_cached(sql)?.execute([uid, name])?;
    }
    let sql = "UPDATE delivery SET target = (SELECT new FROM temp.renamed WHERE old = target) \
               WHERE target IN (SELECT old FROM temp.renamed)";
    db.execute(sql, [])?;
    Ok(db.execute_batch("DROP TABLE temp.renamed")?)
}

/// Takes down where systems answer. The name of one that is known stays until [`name_systems`] changes it everywhere.
pub(super) fn keep_sites(db: &Connection, sites: &[Site]) -> Result<(), StoreError> {
    let sql = "INSERT INTO system (uid, name, url, scope) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (uid) DO UPDATE SET url = excluded.url, scope = excluded.scope";
    let mut statement = db.prepare_cached(sql)?;
    for Site { uid, name, url, scope } in sites {
        statement.execute(params![uid.as_str(), name.as_str(), url, scope])?;
    }
    Ok(())
}
