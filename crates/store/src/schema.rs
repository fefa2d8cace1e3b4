//! The tables, and the migrations that lead to them from the first version.

use crate::StoreError;
use crate::file::APPLICATION;
use rusqlite::Connection;

/// One script per version; never edited once released.
const MIGRATIONS: [&str; 14] = [
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
    include_str!("schema/0007.sql"),
    include_str!("schema/0008.sql"),
    include_str!("schema/0009.sql"),
    include_str!("schema/0010.sql"),
    include_str!("schema/0011.sql"),
    include_str!("schema/0012.sql"),
    include_str!("schema/0013.sql"),
    include_str!("schema/0014.sql"),
];

/// The newest format this version knows.
pub(crate) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Brings the store to the newest format, and puts our name on it.
pub(crate) fn migrate(connection: &Connection, path: &str) -> Result<(), StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > newest() || found < 0 {
        return Err(StoreError::Newer { path: path.to_string(), found, known: newest() });
    }
    let done = usize::try_from(found).unwrap_or(0);
    for (at, script) in MIGRATIONS.iter().enumerate().skip(done) {
        let stamp = format!("PRAGMA user_version = {}; PRAGMA application_id = {APPLICATION};", at + 1);
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {script} {stamp} COMMIT;"))?;
    }
    let name: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if name != APPLICATION {
        connection.execute_batch(&format!("PRAGMA application_id = {APPLICATION};"))?;
    }
    Ok(())
}
