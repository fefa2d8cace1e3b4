//! A store that somebody else wrote, put back and read: one of ours with a column or some bytes of its file changed.

use super::within;
use crate::ring2::{ERP, SHOP, lent};
use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use syncline_core::id::SystemUid;
use syncline_core::kind::KINDS;
use syncline_store::{Claim, LaneFilter, Sql, Store, copies};

/// A store with some trade in it, and its columns.
#[derive(Debug)]
struct Kept {
    file: Vec<u8>,
    columns: Vec<(String, String)>,
}

/// The first byte is a column, the second how it is changed in all its rows: `t` a text, `b` bytes, `i` a number, `n` nothing. With
/// `f` bytes of the file are changed instead, each told by four bytes for its place and one for itself.
pub(super) fn store(told: &[u8]) {
    let [column, how, rest @ ..] = told else { return };
    let Some(kept) = kept() else { return };
    let place = Place::new();
    let mut file = kept.file.clone();
    if *how == b'f' {
        changed(&mut file, rest);
    }
    if std::fs::write(&place.0, &file).is_err() {
        return;
    }
    if *how != b'f' {
        let text = || String::from_utf8_lossy(rest).into_owned();
        let value = match how {
            b'b' => Value::Blob(rest.to_vec()),
            b'i' => text().trim().parse().map_or(Value::Real(0.5), Value::Integer),
            b'n' => Value::Null,
            _ => Value::Text(text()),
        };
        let at = usize::from(column.wrapping_sub(b'0')) % kept.columns.len().max(1);
        let Some((table, column)) = kept.columns.get(at) else { return };
        let sql = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
        let Ok(connection) = Connection::open(&place.0) else { return };
        drop(connection.execute_batch(sql));
        drop(connection.execute(&format!("UPDATE OR IGNORE {table} SET {column} = ?1"), [value]));
    }
    drop(copies::holds(&place.0));
    if let Some(path) = place.0.to_str()
        && let Ok(store) = Sql::inline(path)
    {
        within(read(&store));
        drop(store);
        let ended = within(lent::resumed(&place.0));
        assert!(ended.is_ok(), "{ended:?}");
    }
}

/// All that is read of a store by commands that ask no system, and what is done at every start.
async fn read(store: &Sql) {
    let now = Timestamp::from_second(1_800_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
    drop((store.tally().await, store.sites().await, store.suspicions().await, store.admitted().await));
    drop((
        store.hints(Vec::new(), 100).await,
        store.place_in_journal().await,
        store.people_of("a@b.c".to_owned()).await,
    ));
    for lane in store.lanes(LaneFilter::default()).await.unwrap_or_default() {
        drop(serde_json::to_string(&lane));
        drop((store.load(lane.entity).await, store.story(lane.entity).await));
    }
    if let Ok(runs) = store.runs(None, 20).await {
        for run in &runs.newest {
            drop(store.run_writes(run.run).await);
        }
    }
    for system in [SHOP, ERP].map(SystemUid::new) {
        for kind in KINDS {
            drop((store.cursor(system.clone(), kind).await, store.sweep(system.clone(), kind).await));
            drop((store.bindings(system.clone(), kind).await, store.lost(system.clone(), kind).await));
        }
    }
    drop(store.recover(now).await);
    let claim = Claim { now, lease_s: 100, limit: 10, only: Vec::new(), except: Vec::new() };
    for claimed in store.claim(claim).await.unwrap_or_default() {
        drop(store.load(claimed.entity).await);
    }
    drop(store.prune(now, 10).await);
}

fn changed(file: &mut [u8], told: &[u8]) {
    let length = file.len().max(1);
    for change in told.chunks_exact(5) {
        if let [a, b, c, d, byte] = change {
            let at = u32::from_be_bytes([*a, *b, *c, *d]);
            let at = usize::try_from(at).unwrap_or(0) % length;
            if let Some(there) = file.get_mut(at) {
                *there = *byte;
            }
        }
    }
}

/// The store every input begins with, made once.
fn kept() -> Option<&'static Kept> {
    static KEPT: OnceLock<Option<Kept>> = OnceLock::new();
    let made = KEPT.get_or_init(|| {
        let place = Place::new();
        drop(within(lent::traded(Some(&place.0))).ok()?);
        let file = std::fs::read(&place.0).ok()?;
        let columns = columns(&Connection::open(&place.0).ok()?).ok()?;
        Some(Kept { file, columns })
    });
    assert!(made.is_some(), "no store to begin with");
    made.as_ref()
}

fn columns(store: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let sql = "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY 1, c.cid";
    let mut statement = store.prepare(sql)?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// A file of its own that goes with it.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let name = format!("syncline-kept-{}-{}.db", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        // Nothing of it has to last: where a disk of memory is there, no other is waited for.
        let memory = PathBuf::from("/dev/shm");
        let home = if memory.is_dir() { memory } else { std::env::temp_dir() };
        Self(home.join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for beside in ["", "-wal", "-shm", "-journal"] {
            let path = format!("{}{beside}", self.0.display());
            drop(std::fs::remove_file(Path::new(&path)));
        }
    }
}
