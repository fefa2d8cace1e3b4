//! The tables, and the migrations that lead to them from the first version.

use crate::StoreError;
use rusqlite::Connection;

/// One script per version; never edited once released.
const MIGRATIONS: [&str; 1] = [include_str!("schema/0001.sql")];

/// The newest format this version knows.
pub(crate) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Brings the store to the newest format.
pub(crate) fn migrate(connection: &Connection, path: &str) -> Result<(), StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > newest() || found < 0 {
        return Err(StoreError::Newer { path: path.to_string(), found, known: newest() });
    }
    let done = usize::try_from(found).unwrap_or(0);
    for (at, script) in MIGRATIONS.iter().enumerate().skip(done) {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {script} PRAGMA user_version = {}; COMMIT;", at + 1))?;
    }
    Ok(())
}
