//! Two ways to run the same transactions: on a writer thread with group commit, or in place for simulations.

use crate::file::{Whose, whose};
use crate::{StoreError, schema};
use rusqlite::Connection;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Reply + Send>;

/// How often the lock of the file is tried.
const LOCK_ATTEMPTS: u32 = 40;
/// The pause between two tries.
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);
/// Most transactions in one commit.
const GROUP: usize = 100;

/// The store over SQLite.
pub struct Sql {
    shell: Shell,
    _lock: Option<File>,
}

enum Shell {
    Inline(Box<Mutex<Connection>>),
    Threaded(Mutex<Option<Sender<Job>>>, Mutex<Option<std::thread::JoinHandle<()>>>),
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shell = match &self.shell {
            Shell::Inline(_) => "inline",
            Shell::Threaded(..) => "threaded",
        };
        f.debug_struct("Sql").field("shell", &shell).finish_non_exhaustive()
    }
}

impl Sql {
    /// A store whose transactions run in place; for simulations and tests. `:memory:` is a path too.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be opened, is not ours or is from a newer version.
    pub fn inline(path: &str) -> Result<Self, StoreError> {
        Ok(Self { shell: Shell::Inline(Box::new(Mutex::new(open(path)?))), _lock: None })
    }

    /// The store of a running program: one writer thread, many transactions to a commit, the file locked.
    ///
    /// # Errors
    /// [`StoreError::Held`] where another process has it, [`StoreError::Foreign`], [`StoreError::Newer`],
    /// [`StoreError::Open`].
    pub fn threaded(path: &Path) -> Result<Self, StoreError> {
        let text = path.display().to_string();
        // Before the lock, so that nothing is made beside a file of somebody else.
        whose(path)?;
        let lock = locked(path, &text)?;
        let connection = open(&text)?;
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("store".to_string())
            .spawn(move || write_on(&connection, &receiver))
            .map_err(|error| StoreError::Open { path: text, why: error.to_string() })?;
        let shell = Shell::Threaded(Mutex::new(Some(sender)), Mutex::new(Some(thread)));
        Ok(Self { shell, _lock: Some(lock) })
    }

    /// A view on a store another process may be writing: every transaction that would write fails. Nothing to see
    /// where the file holds nothing yet; a store of an older format is brought forward first.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Foreign`], [`StoreError::Newer`], and [`StoreError::Older`] where another
    /// process holds a store of an older format.
    pub fn reader(path: &Path) -> Result<Self, StoreError> {
        let text = path.display().to_string();
        match whose(path)? {
            Whose::Nobody | Whose::Ours(0) => return Self::inline(":memory:"),
            Whose::Ours(found) if found > schema::newest() => {
                return Err(StoreError::Newer { path: text, found, known: schema::newest() });
            }
            Whose::Ours(found) if found < schema::newest() => match Self::threaded(path) {
                Ok(forward) => drop(forward),
                Err(StoreError::Held(path)) => {
                    return Err(StoreError::Older { path, found, known: schema::newest() });
                }
                Err(error) => return Err(error),
            },
            Whose::Ours(_) => {}
        }
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .map_err(|error| StoreError::Open { path: text, why: error.to_string() })?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch("PRAGMA query_only = ON;")?;
        Ok(Self { shell: Shell::Inline(Box::new(Mutex::new(connection))), _lock: None })
    }

    /// The result of `work` as one transaction, durable when the future is ready.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + '_>> {
        match &self.shell {
            Shell::Inline(connection) => Box::pin(async move {
                match connection.lock() {
                    Ok(connection) => alone(&connection, work),
                    Err(_) => Err(StoreError::Sql("an earlier transaction broke off".to_string())),
                }
            }),
            Shell::Threaded(sender, _) => {
                let (tell, told) = oneshot::channel();
                let job: Job = Box::new(move |connection| {
                    let result = connection.and_then(|connection| within(connection, work));
                    Box::new(move |commit| {
                        drop(tell.send(commit.and(result)));
                    })
                });
                let sent = sender.lock().ok().and_then(|s| s.as_ref().map(|s| s.send(job).is_ok()));
                Box::pin(async move {
                    let closed = || StoreError::Sql("the store's thread has ended".to_string());
                    if sent != Some(true) {
                        return Err(closed());
                    }
                    told.await.map_err(|_| closed())?
                })
            }
        }
    }
}

impl Drop for Sql {
    fn drop(&mut self) {
        if let Shell::Threaded(sender, thread) = &self.shell {
            if let Ok(mut sender) = sender.lock() {
                sender.take();
            }
            if let Some(thread) = thread.lock().ok().and_then(|mut t| t.take()) {
                drop(thread.join());
            }
        }
    }
}

pub(crate) fn locked(path: &Path, text: &str) -> Result<File, StoreError> {
    // By whatever link somebody comes to a store, it has one lock.
    let beside = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()).with_extension("lock");
    let open_error = |error: std::io::Error| StoreError::Open { path: text.to_string(), why: error.to_string() };
    let file = File::options().create(true).truncate(false).write(true).open(&beside).map_err(open_error)?;
    // A process that was killed a moment ago may still be leaving.
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(std::fs::TryLockError::Error(error)) => return Err(open_error(error)),
        }
    }
    Err(StoreError::Held(text.to_string()))
}

fn open(path: &str) -> Result<Connection, StoreError> {
    let error = |error: rusqlite::Error| match StoreError::from(error) {
        StoreError::Sql(why) => StoreError::Open { path: path.to_string(), why },
        other => other,
    };
    if path != ":memory:"
        && let Whose::Ours(found) = whose(Path::new(path))?
        && found > schema::newest()
    {
        return Err(StoreError::Newer { path: path.to_string(), found, known: schema::newest() });
    }
    let connection = Connection::open(path).map_err(error)?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(error)?;
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                    PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; PRAGMA secure_delete = ON;";
    connection.execute_batch(settings).map_err(error)?;
    connection.set_prepared_statement_cache_capacity(128);
    // Plans do not depend on bound values, so that a kept statement is never prepared anew.
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(error)?;
    schema::migrate(&connection, path)?;
    Ok(connection)
}

/// `work` in a transaction of its own.
fn alone<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
    carry_out(connection, "BEGIN")?;
    let result = work(connection).and_then(|value| {
        carry_out(connection, "COMMIT")?;
        Ok(value)
    });
    if result.is_err() && !connection.is_autocommit() {
        carry_out(connection, "ROLLBACK")?;
    }
    result
}

/// `work` in a savepoint of the group's transaction.
fn within<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    carry_out(connection, "SAVEPOINT job")?;
    let result = work(connection);
    if result.is_err() {
        carry_out(connection, "ROLLBACK TO job")?;
    }
    carry_out(connection, "RELEASE job")?;
    result
}

/// Carries out what a transaction begins or ends by, which is prepared once.
fn carry_out(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn write_on(connection: &Connection, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from);
        let ready = || begun.clone().map(|()| connection);
        let mut replies = vec![first(ready())];
        while replies.len() < GROUP {
            let Ok(job) = jobs.try_recv() else { break };
            replies.push(job(ready()));
        }
        let ended = begun.clone().and_then(|()| connection.execute_batch("COMMIT").map_err(StoreError::from));
        if ended.is_err() && !connection.is_autocommit() {
            drop(connection.execute_batch("ROLLBACK"));
        }
        for reply in replies {
            reply(ended.clone());
        }
    }
}
