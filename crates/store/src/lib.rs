//! Remembers whole business transactions in SQLite.
