//! Lanes: the one-at-a-time rows of entities, their leases, epochs and states.

use super::accept::wake;
use super::deliver::kind_of;
use super::{commitment, id, int, journal, kind, ms};
use crate::codec::packed;
use crate::{Claim, Claimed, LaneState, Release, Retry, StoreError};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;
use syncline_core::delivery::{Progress, after};
use syncline_core::id::{EntityId, Epoch};
use syncline_core::journal::Entry;
use syncline_core::policy::Hold;

pub(super) fn claim(db: &Connection, claim: &Claim) -> Result<Vec<Claimed>, StoreError> {
    let limit = i64::try_from(claim.limit).unwrap_or(i64::MAX);
    let now = ms(claim.now);
    let until = ms(after(claim.now, claim.lease_s));
    let only: Vec<String> = claim.only.iter().map(ToString::to_string).collect();
    let chosen = if only.is_empty() { String::new() } else { format!("AND entity IN ({})", only.join(",")) };
    let except: Vec<String> = claim.except.iter().map(|kind| format!("AND kind <> '{kind}'")).collect();
    let except = except.join(" ");
    // Customers before orders, because orders wait for them; both and stock before all else; categories before what
    // stands in them, families behind their variants; then who waited longest.
    let sql = format!(
        "SELECT entity, kind, epoch, attempts FROM lane WHERE state IN ('ready', 'awaiting', 'held', 'failed', 'conflict', 'outside') \
         AND ready_at <= ?1 AND lease_until <= ?1 \
         {chosen} {except} ORDER BY CASE kind WHEN 'customer' THEN 0 WHEN 'order' THEN 1 WHEN 'stock' THEN 2 WHEN 'price' THEN 3 \
         WHEN 'category' THEN 4 WHEN 'product' THEN 6 ELSE 5 END, ready_at, entity LIMIT ?2"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![now, limit], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, u32>(3)?))
    })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    let mut claimed = Vec::with_capacity(rows.len());
    for (entity, word, epoch, attempts) in rows {
        let sql = "UPDATE lane SET lease_until = ?2, epoch = epoch + 1, dirty = 0 WHERE entity = ?1";
        db.prepare_cached(sql)?.execute(params![entity, until])?;
        let kind = kind(&word)?;
        claimed.push(Claimed { entity: EntityId(id(entity)), kind, epoch: Epoch(id(epoch) + 1), attempts });
    }
    Ok(claimed)
}

/// [`StoreError::Stale`] unless the lane is still in `epoch`.
pub(super) fn fence(db: &Connection, lane: EntityId, epoch: Epoch) -> Result<(), StoreError> {
    let sql = "SELECT epoch FROM lane WHERE entity = ?1";
    let now: Option<i64> = db.prepare_cached(sql)?.query_row([int(lane.0)], |row| row.get(0)).optional()?;
    if now.map(id) == Some(epoch.0) { Ok(()) } else { Err(StoreError::Stale) }
}

pub(super) fn release(db: &Connection, release: &Release) -> Result<(), StoreError> {
    fence(db, release.lane, release.epoch)?;
    if let Some(entry) = &release.entry {
        journal(db, release.lane, None, entry, release.now)?;
    }
    super::evidence(db, release.lane, release.evidence.as_ref(), release.now)?;
    let hold = |what: &str| Hold::new("", what, "");
    let again = release.again_at.unwrap_or(Timestamp::MAX);
    let (state, why, ready_at, attempts) = match &release.state {
        LaneState::Idle => ("idle", None, Timestamp::MAX, "0"),
        LaneState::Outside(why) => ("outside", Some(hold(why)), again, "0"),
        LaneState::Early(why) => ("early", Some(why.clone()), Timestamp::MAX, "0"),
        LaneState::Awaiting(why, until) => ("awaiting", Some(hold(why)), *until, "0"),
        LaneState::Waiting(_, why) => ("waiting", Some(hold(why)), Timestamp::MAX, "0"),
        LaneState::Later(at, why) if release.progressed => ("ready", Some(hold(why)), *at, "1"),
        LaneState::Later(at, why) => ("ready", Some(hold(why)), *at, "attempts + 1"),
        // What is tried again by itself is still what has failed so often.
        LaneState::Held(why) if release.again_at.is_some() => ("held", Some(why.clone()), again, "attempts"),
        LaneState::Held(why) => ("held", Some(why.clone()), again, "0"),
        LaneState::Failed(why) => ("failed", Some(why.clone()), again, "0"),
        LaneState::Conflict(why) => ("conflict", Some(why.clone()), again, "0"),
    };
    let why = why.as_ref().map(|why| packed("hold", why)).transpose()?;
    // A lane whose record changed meanwhile is ready again at once, whatever was decided from the older reading.
    let sql = format!(
        "UPDATE lane SET lease_until = 0, why = ?3, attempts = {attempts}, since = ?5, \
         state = CASE dirty WHEN 1 THEN 'ready' ELSE ?2 END, ready_at = CASE dirty WHEN 1 THEN ?5 ELSE ?4 END \
         WHERE entity = ?1"
    );
    let (lane, now) = (int(release.lane.0), ms(release.now));
    db.prepare_cached(&sql)?.execute(params![lane, state, why, ms(ready_at), now])?;
    db.prepare_cached("DELETE FROM wait WHERE entity = ?1")?.execute([lane])?;
    if let LaneState::Waiting(on, _) = &release.state {
        for other in on {
            wait_for(db, release.lane, *other, release.now)?;
        }
    }
    // What waits itself has brought nothing about: two that wait for each other would wake each other for ever.
    if !matches!(release.state, LaneState::Later(..) | LaneState::Waiting(..)) {
        wake_waiting(db, release.lane, release.now)?;
    }
    if let Some(agreed) = &release.agreed {
        super::base::agree(db, release.lane, agreed)?;
    }
    if let Some(state) = release.commitments {
        commitment::mark(db, release.lane, state, release.now)?;
    }
    if let Some(until) = release.served {
        commitment::served(db, release.lane, until)?;
    }
    Ok(())
}

/// Notes that `lane` waits for `other`, and sees to it that `other` runs.
fn wait_for(db: &Connection, lane: EntityId, other: EntityId, now: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR IGNORE INTO wait (entity, on_entity) VALUES (?1, ?2)")?
        .execute(params![int(lane.0), int(other.0)])?;
    let sql = "SELECT state, kind FROM lane WHERE entity = ?1";
    let state: Option<(String, String)> =
        db.prepare_cached(sql)?.query_row([int(other.0)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    match state {
        Some((state, word)) if state == "idle" || state == "outside" => wake(db, other, kind(&word)?, now),
        Some(_) => Ok(()),
        None => wake(db, other, kind_of(db, other)?, now),
    }
}

/// Makes ready what waits for `lane`.
pub(super) fn wake_waiting(db: &Connection, lane: EntityId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE lane SET state = 'ready', why = NULL, ready_at = ?2 \
               WHERE state = 'waiting' AND entity IN (SELECT entity FROM wait WHERE on_entity = ?1)";
    db.prepare_cached(sql)?.execute(params![int(lane.0), ms(now)])?;
    db.prepare_cached("DELETE FROM wait WHERE on_entity = ?1")?.execute([int(lane.0)])?;
    Ok(())
}

/// Lets orders through the rule of the first day.
pub(super) fn admit(db: &Connection, entities: &[EntityId], now: Timestamp) -> Result<usize, StoreError> {
    let mut new = 0;
    for entity in entities {
        let sql = "INSERT OR IGNORE INTO admitted (entity, at) VALUES (?1, ?2)";
        if db.prepare_cached(sql)?.execute(params![int(entity.0), ms(now)])? == 0 {
            continue;
        }
        new += 1;
        journal(db, *entity, None, &Entry::new("imported", "", "let through the rule of the first day"), now)?;
        let sql = "UPDATE lane SET state = 'ready', why = NULL, ready_at = ?2, attempts = 0, dirty = 1, since = ?2 \
                   WHERE entity = ?1 AND state IN ('early', 'outside', 'ready', 'held')";
        db.prepare_cached(sql)?.execute(params![int(entity.0), ms(now)])?;
    }
    Ok(new)
}

/// Every order let through the rule of the first day.
pub(super) fn admitted(db: &Connection) -> Result<BTreeSet<EntityId>, StoreError> {
    let mut statement = db.prepare_cached("SELECT entity FROM admitted")?;
    let rows = statement.query_map([], |row| row.get::<_, i64>(0))?;
    Ok(rows.map(|row| row.map(|entity| EntityId(id(entity)))).collect::<Result<_, _>>()?)
}

pub(super) fn recover(db: &Connection, now: Timestamp) -> Result<usize, StoreError> {
    let mut statement = db.prepare_cached("SELECT id, lane, progress, sending FROM delivery WHERE over = 0")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?, row.get::<_, bool>(3)?))
    })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    let mut doubtful = 0;
    for (delivery, lane, blob, sending) in &rows {
        let progress: Progress = crate::codec::unpacked("progress", blob)?;
        let anew = packed("progress", &progress.anew())?;
        if anew == *blob && !sending {
            continue;
        }
        let sql = "UPDATE delivery SET progress = ?2, sending = 0, doubtful = max(doubtful, ?3) WHERE id = ?1";
        db.prepare_cached(sql)?.execute(params![delivery, anew, sending])?;
        if *sending {
            doubtful += 1;
            let entry = Entry::new("unknown", "", "Syncline stopped while the request was under way");
            journal(db, EntityId(id(*lane)), Some(syncline_core::id::DeliveryId(id(*delivery))), &entry, now)?;
        }
    }
    // Leases of a process that is gone; lanes with a delivery under way are ready, whatever their state says.
    db.execute("UPDATE lane SET lease_until = 0 WHERE lease_until > 0", [])?;
    let sql = "UPDATE lane SET state = 'ready', lease_until = 0, ready_at = min(ready_at, ?1) \
               WHERE state NOT IN ('held', 'failed') AND entity IN (SELECT lane FROM delivery WHERE over = 0)";
    db.execute(sql, [ms(now)])?;
    Ok(doubtful)
}

pub(super) fn retry(db: &Connection, which: &Retry, now: Timestamp) -> Result<usize, StoreError> {
    let ready = "UPDATE lane SET state = 'ready', why = NULL, ready_at = ?1, attempts = 0, dirty = 1, since = ?1 \
                 WHERE state IN ('held', 'failed', 'ready', 'waiting', 'conflict')";
    match which {
        Retry::All => Ok(db.execute(&format!("{ready} AND state IN ('held', 'failed', 'waiting')"), [ms(now)])?),
        Retry::One { entity, rebase } => {
            if *rebase {
                super::base::rebase(db, *entity)?;
                if kind_of(db, *entity)?.is_paper() {
                    // From now on it is left to people.
                    let sql = "INSERT OR IGNORE INTO admitted (entity, at) VALUES (?1, ?2)";
                    db.prepare_cached(sql)?.execute(params![int(entity.0), ms(now)])?;
                }
                journal(db, *entity, None, &Entry::new("rebased", "", "both sides taken as they are"), now)?;
            }
            Ok(db.execute(&format!("{ready} AND entity = ?2"), params![ms(now), int(entity.0)])?)
        }
        Retry::Rules => {
            let sql = "UPDATE lane SET state = 'ready', why = NULL, ready_at = ?1, attempts = 0, dirty = 1, since = ?1 \
                       WHERE state IN ('outside', 'early', 'awaiting', 'held', 'conflict')";
            Ok(db.execute(sql, [ms(now)])?)
        }
        Retry::Rested(kind) => {
            let sql = "UPDATE lane SET state = 'ready', ready_at = ?1, dirty = 1 WHERE kind = ?2 AND state = 'idle'";
            Ok(db.execute(sql, params![ms(now), kind.word()])?)
        }
        Retry::Touch(entity) => {
            let sql = "UPDATE lane SET state = 'ready', ready_at = min(ready_at, ?1), dirty = 1 WHERE entity = ?2";
            Ok(db.execute(sql, params![ms(now), int(entity.0)])?)
        }
    }
}
