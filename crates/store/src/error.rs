//! What can go wrong in the store, with what to do.

use syncline_core::id::EntityId;

/// A transaction that did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The lane has another owner by now, or what the plan was made on has changed.
    #[error("SYN-0301: the lane moved on meanwhile")]
    Stale,
    /// Something was sent beside it since the write was decided: it is to be decided anew.
    #[error("SYN-0312: another write beside it went first")]
    Overtaken,
    /// The remote id is bound to another entity.
    #[error("SYN-0302: that document is bound to record {0} already")]
    Taken(EntityId),
    /// The file was written by a newer version.
    #[error(
        "SYN-0303: the store `{path}` has format {found}, this version knows {known}: use the newer Syncline, or restore a backup"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// The same step was planned for the record again and again just now.
    #[error("SYN-0311: the same write was planned {0} times within ten minutes")]
    Circles(usize),
    /// No space left.
    #[error(
        "SYN-0304: the disk is full; what was stored before stays: free some space beside the store and run it again"
    )]
    Full,
    /// Another process has it.
    #[error("SYN-0305: another Syncline process holds the store `{0}`: stop it, or wait until it is done")]
    Held(String),
    /// It cannot be opened.
    #[error("SYN-0306: the store `{path}` cannot be opened: {why}")]
    Open {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The file is not ours; it is left as it is.
    #[error("SYN-0309: `{path}` is {what}, not a store of Syncline; nothing was written into it")]
    Foreign {
        /// The file.
        path: String,
        /// What it is instead.
        what: String,
    },
    /// The file is of an older format, and another process keeps us from bringing it forward.
    #[error(
        "SYN-0310: the store `{path}` has format {found}, this version reads {known}, and an older Syncline holds it: stop that one, then run again"
    )]
    Older {
        /// The file.
        path: String,
        /// Its format.
        found: i64,
        /// The format this version reads.
        known: i64,
    },
    /// SQLite refuses.
    #[error("SYN-0307: the store failed: {0}")]
    Sql(String),
    /// A stored value cannot be read.
    #[error("SYN-0308: the store holds a damaged {what}: {why}")]
    Damaged {
        /// What sort of value.
        what: &'static str,
        /// Why.
        why: String,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => Self::Damaged { what: "file", why: error.to_string() },
            _ => Self::Sql(error.to_string()),
        }
    }
}
