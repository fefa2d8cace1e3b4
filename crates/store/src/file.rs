//! Whose file it is: told before a byte is written beside or into it.

use crate::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What our files carry in their header (`PRAGMA application_id`): `SYNC`.
pub(crate) const APPLICATION: i64 = 0x5359_4e43;

/// The first bytes of every SQLite file (sqlite.org/fileformat2.html, 1.3).
const MAGIC: [u8; 16] = *b"SQLite format 3\0";

/// Tables by which a store of ours is known that carries no application id yet.
const TABLES: [&str; 5] = ["entity", "binding", "lane", "delivery", "journal"];

/// Who wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Nobody yet: it is not there, or nothing is in it.
    Nobody,
    /// We did, in this format; 0 where the first transaction did not come to its end.
    Ours(i64),
}

/// Who wrote the file at `path`. Nothing is written to find out.
///
/// # Errors
/// [`StoreError::Foreign`] for a file of something else, [`StoreError::Open`] where it cannot be read.
pub(crate) fn whose(path: &Path) -> Result<Whose, StoreError> {
    let failed = |why: String| StoreError::Open { path: path.display().to_string(), why };
    let foreign = |what: &str| StoreError::Foreign { path: path.display().to_string(), what: what.to_string() };
    let told = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Whose::Nobody),
        told => told.map_err(|error| failed(error.to_string()))?,
    };
    if !told.is_file() {
        return Err(foreign("no file"));
    }
    if told.len() == 0 {
        return Ok(Whose::Nobody);
    }
    let mut start = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    file.take(16).read_to_end(&mut start).map_err(|error| failed(error.to_string()))?;
    if start != MAGIC {
        return Err(foreign("no SQLite database"));
    }
    let header = looked_at(path).and_then(|connection| Header::of(&connection));
    let header = header.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => foreign("no SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { what: "file", why: error.to_string() },
        _ => failed(error.to_string()),
    })?;
    header.owner().ok_or_else(|| foreign("the database of another application"))
}

/// A connection that cannot write. A file without a log beside it is read as it lies there, so that nothing is
/// made beside it either.
fn looked_at(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut log = path.as_os_str().to_os_string();
    log.push("-wal");
    let connection = match (PathBuf::from(log).exists(), path.to_str()) {
        (false, Some(text)) => {
            let address = format!("file:{}?immutable=1", escaped(text));
            Connection::open_with_flags(address, flags | OpenFlags::SQLITE_OPEN_URI)?
        }
        _ => Connection::open_with_flags(path, flags)?,
    };
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

/// A path as it stands in a `file:` address (sqlite.org/uri.html, 3.1).
fn escaped(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

struct Header {
    application: i64,
    format: i64,
    tables: Vec<String>,
}

impl Header {
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |sql: &str| connection.query_row(sql, [], |row| row.get(0));
        let mut statement = connection.prepare("SELECT name FROM sqlite_schema")?;
        let tables = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Self { application: number("PRAGMA application_id")?, format: number("PRAGMA user_version")?, tables })
    }

    /// Who wrote it; none where somebody else did.
    fn owner(&self) -> Option<Whose> {
        let known = TABLES.iter().all(|table| self.tables.iter().any(|name| name == table));
        match self.application {
            APPLICATION => Some(Whose::Ours(self.format)),
            0 if known => Some(Whose::Ours(self.format)),
            0 if self.tables.is_empty() && self.format == 0 => Some(Whose::Nobody),
            // Nothing to tell it by but its number: it is left alone as one of a newer version would be.
            0 if self.tables.is_empty() && self.format > crate::schema::newest() => Some(Whose::Ours(self.format)),
            _ => None,
        }
    }
}
