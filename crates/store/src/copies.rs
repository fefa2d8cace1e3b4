//! Copies of a store: made beside a process that writes, checked, and put in a store's place. No file is ever written over.

use crate::file::{Whose, whose};
use crate::{StoreError, schema, shell};
use jiff::Timestamp;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a copy is tried while others write.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// What a store holds, in a few numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holds {
    /// Records that are known, each once.
    pub records: u64,
    /// Writes that were ever planned.
    pub writes: u64,
    /// When it was last written to; none where nothing ever happened.
    pub last: Option<Timestamp>,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What the store in `path` holds.
///
/// # Errors
/// [`StoreError::Open`] where there is none, [`StoreError::Foreign`], [`StoreError::Newer`], [`StoreError::Damaged`].
pub fn holds(path: &Path) -> Result<Holds, StoreError> {
    known(path)?;
    told(&source(path)?, path)
}

/// Copies the store in `path` to `to`, which must not be there yet: all of it as it is at one moment, whoever writes to it.
/// Returns what the copy holds, once it is checked and durable.
///
/// # Errors
/// As [`holds`]; [`StoreError::Open`] where `to` is there or cannot be written.
pub fn back_up(path: &Path, to: &Path) -> Result<Holds, StoreError> {
    known(path)?;
    if to.exists() {
        return Err(opening(to, "it is there already"));
    }
    let part = beside(to, "part");
    let told = copied(path, &part).inspect_err(|_| drop(std::fs::remove_file(&part)))?;
    renamed(&part, to)?;
    Ok(told)
}

/// Puts a copy of the store in `from` in the place of the one in `path`, which is kept as `aside`. Returns what it holds.
///
/// # Errors
/// As [`holds`] for `from`; [`StoreError::Held`] where another process has the store in `path`. Nothing is changed then.
pub fn put_back(path: &Path, from: &Path, aside: &Path) -> Result<Holds, StoreError> {
    let _lock = shell::locked(path, &path.display().to_string())?;
    known(from)?;
    if aside.exists() {
        return Err(opening(aside, "it is there already"));
    }
    let part = beside(path, "part");
    drop(std::fs::remove_file(&part));
    let told = copied(from, &part).inspect_err(|_| drop(std::fs::remove_file(&part)))?;
    if path.exists() {
        if let Ok(old) = source(path) {
            // What stands in the log alone goes along. One that is damaged is kept as it is.
            drop(old.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);"));
        }
        renamed(path, aside)?;
        for log in ["-wal", "-shm"] {
            let of = |path: &Path| PathBuf::from(format!("{}{log}", path.display()));
            drop(std::fs::rename(of(path), of(aside)));
        }
    }
    renamed(&part, path)?;
    Ok(told)
}

/// Writes the file of the store in `path` anew, so that nothing is left in it, or in its log, of what was taken out.
///
/// # Errors
/// [`StoreError::Held`] where another process has it; [`StoreError::Open`] where one goes on reading it.
pub fn rewrite(path: &Path) -> Result<(), StoreError> {
    let _lock = shell::locked(path, &path.display().to_string())?;
    let store = source(path)?;
    store.execute_batch("VACUUM;")?;
    for _ in 0..TRIES {
        let busy: bool = store.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if !busy {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    Err(opening(path, "another process goes on reading it, so its log could not be emptied"))
}

/// Refuses what is no store of ours that this version reads.
fn known(path: &Path) -> Result<(), StoreError> {
    match whose(path)? {
        Whose::Nobody | Whose::Ours(0) => Err(opening(path, "there is no store yet")),
        Whose::Ours(found) if found > schema::newest() => {
            Err(StoreError::Newer { path: path.display().to_string(), found, known: schema::newest() })
        }
        Whose::Ours(_) => Ok(()),
    }
}

/// A checked copy of all that `from` holds at one moment.
fn copied(from: &Path, to: &Path) -> Result<Holds, StoreError> {
    let source = source(from)?;
    let mut target = Connection::open(to).map_err(|error| opening(to, &error.to_string()))?;
    {
        let backup = Backup::new(&source, &mut target)?;
        let mut tries = 0;
        // All pages in one step: they are of one moment.
        while backup.step(-1)? != StepResult::Done {
            tries += 1;
            if tries == TRIES {
                return Err(opening(from, "another process kept it busy"));
            }
            std::thread::sleep(PAUSE);
        }
    }
    // One file, nothing beside it.
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    let told = told(&target, to)?;
    drop(target);
    File::open(to).and_then(|file| file.sync_all()).map_err(|error| opening(to, &error.to_string()))?;
    Ok(told)
}

fn source(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| opening(path, &error.to_string()))?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// What `connection` holds, once its pages are known to be whole.
fn told(connection: &Connection, path: &Path) -> Result<Holds, StoreError> {
    let damaged = |why: String| StoreError::Damaged { what: "file", why };
    let checked: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if checked != "ok" {
        return Err(damaged(checked));
    }
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let last: Option<i64> = connection.query_row("SELECT max(at) FROM journal", [], |row| row.get(0))?;
    Ok(Holds {
        records: u64::try_from(number("SELECT count(*) FROM entity")?).unwrap_or(0),
        writes: u64::try_from(number("SELECT count(*) FROM delivery")?).unwrap_or(0),
        last: last.and_then(|at| Timestamp::from_millisecond(at).ok()),
        bytes: std::fs::metadata(path).map_or(0, |told| told.len()),
    })
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}.{ending}", path.display()))
}

/// Nothing: the file has its new name, whatever happens to the machine afterwards.
fn renamed(from: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| opening(to, &error.to_string());
    std::fs::rename(from, to).map_err(failed)?;
    let home = to.parent().filter(|home| !home.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // Where a directory cannot be synced, as on some network drives, the name is as safe as it gets.
    drop(File::open(home).and_then(|home| home.sync_all()));
    Ok(())
}

fn opening(path: &Path, why: &str) -> StoreError {
    StoreError::Open { path: path.display().to_string(), why: why.to_string() }
}
