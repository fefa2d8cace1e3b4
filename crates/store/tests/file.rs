//! Whose file it is: new ones are ours, old ones are known again, those of others are left as they are.
#![expect(clippy::expect_used, clippy::panic, reason = "the helpers of these tests are tests too")]

use rusqlite::Connection;
use std::path::{Path, PathBuf};
use syncline_store::{LaneFilter, Sql, Store, StoreError};

const NAME: i64 = 0x5359_4e43;

/// An empty directory of its own.
fn place(name: &str) -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("store-{name}"));
    drop(std::fs::remove_dir_all(&place));
    std::fs::create_dir_all(&place).expect("a directory");
    place
}

/// Every file in `place` with what it holds.
fn content(place: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = std::fs::read_dir(place).expect("a directory").map(|file| file.expect("a file").path());
    let mut found: Vec<_> = files.map(|path| (path.clone(), std::fs::read(&path).expect("readable"))).collect();
    found.sort();
    found
}

fn pragma(path: &Path, name: &str) -> i64 {
    let connection = Connection::open(path).expect("a database");
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).expect("a number")
}

/// Every way to open `path` says this of it, and changes nothing.
fn refused(place: &Path, path: &Path, what: &str) {
    let before = content(place);
    let text = path.to_str().expect("text");
    for told in [Sql::threaded(path), Sql::reader(path), Sql::inline(text)] {
        match told {
            Err(StoreError::Foreign { path, what: told }) => {
                assert_eq!((path.as_str(), told.as_str()), (text, what));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(content(place), before, "nothing is written into it or beside it");
}

fn lanes(store: &Sql) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(store.lanes(LaneFilter::default())).expect("an answer").len()
}

#[test]
fn a_new_store_carries_our_name_and_an_empty_file_counts_as_new() {
    let place = place("new");
    let (absent, empty) = (place.join("absent.db"), place.join("empty.db"));
    std::fs::write(&empty, "").expect("written");
    assert_eq!(lanes(&Sql::reader(&empty).expect("nothing to see yet")), 0);
    assert_eq!(std::fs::metadata(&empty).expect("it is there").len(), 0, "a look leaves it empty");
    for path in [&absent, &empty] {
        drop(Sql::threaded(path).expect("a store"));
        assert_eq!(pragma(path, "application_id"), NAME);
        assert_eq!(lanes(&Sql::reader(path).expect("a view")), 0);
        drop(Sql::threaded(path).expect("the same store"));
    }
}

#[test]
fn a_store_from_before_the_name_is_known_by_its_tables_and_gets_it() {
    let place = place("unnamed");
    for (name, by_reader) in [("read.db", true), ("written.db", false)] {
        let path = place.join(name);
        let old = Connection::open(&path).expect("a database");
        old.execute_batch(include_str!("../src/schema/0001.sql")).expect("the first format");
        old.execute_batch("PRAGMA user_version = 1; INSERT INTO entity VALUES (7, 'order', '0001');").expect("a row");
        drop(old);
        drop(if by_reader { Sql::reader(&path) } else { Sql::threaded(&path) }.expect("ours"));
        assert_eq!((pragma(&path, "application_id"), pragma(&path, "user_version")), (NAME, 14));
        let kept = Connection::open(&path).expect("a database");
        let label: String = kept.query_row("SELECT label FROM entity", [], |row| row.get(0)).expect("the row");
        assert_eq!(label, "0001");
    }
}

#[test]
fn what_two_systems_agreed_on_is_kept_for_the_pair() {
    let path = place("bases").join("old.db");
    {
        let old = Connection::open(&path).expect("a file");
        for script in [
            include_str!("../src/schema/0001.sql"),
            include_str!("../src/schema/0002.sql"),
            include_str!("../src/schema/0003.sql"),
            "INSERT INTO entity VALUES (7, 'order', '0001');
             INSERT INTO record VALUES (7, 'erp', '{}', x'', '{\"number\":null}', x'', NULL, 1, 0, 0);
             INSERT INTO record VALUES (7, 'shop', '{}', x'', NULL, NULL, NULL, 1, 0, 0);
             PRAGMA user_version = 3;",
        ] {
            old.execute_batch(script).expect("the third format");
        }
    }
    drop(Sql::threaded(&path).expect("migrated"));
    let new = Connection::open(&path).expect("a file");
    let found: (String, String, String) = new
        .query_row("SELECT system, peer, leaves FROM base", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("one base");
    assert_eq!(found, ("erp".to_string(), "shop".to_string(), "{\"number\":null}".to_string()));
}

#[test]
fn a_store_of_an_older_format_that_is_held_is_told_so() {
    let place = place("older");
    let path = place.join("old.db");
    let old = Connection::open(&path).expect("a database");
    old.execute_batch(include_str!("../src/schema/0001.sql")).expect("the first format");
    old.execute_batch("PRAGMA user_version = 1;").expect("a format");
    let lock = std::fs::File::create(place.join("old.lock")).expect("a lock");
    lock.lock().expect("held");
    assert!(matches!(Sql::reader(&path), Err(StoreError::Older { found: 1, known: 14, .. })));
}

#[test]
fn the_database_of_another_application_is_left_alone() {
    let place = place("foreign");
    for (name, settings) in [
        ("plain.db", ""),
        ("named.db", "PRAGMA application_id = 252006675;"),
        ("versioned.db", "PRAGMA user_version = 1;"),
        ("logged#1 %41?.db", "PRAGMA journal_mode = WAL;"),
    ] {
        let path = place.join(name);
        let theirs = Connection::open(&path).expect("a database");
        theirs.execute_batch(settings).expect("settings");
        theirs.execute_batch("CREATE TABLE lane (id INTEGER); INSERT INTO lane VALUES (1);").expect("a table");
        drop(theirs);
        refused(&place, &path, "the database of another application");
    }
}

#[test]
fn a_database_that_is_in_use_by_another_application_is_left_alone() {
    let place = place("in-use");
    let path = place.join("theirs.db");
    let theirs = Connection::open(&path).expect("a database");
    theirs.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER);").expect("a table");
    let log = || std::fs::read(place.join("theirs.db-wal")).expect("their log");
    let before = (std::fs::read(&path).expect("readable"), log());
    assert!(matches!(Sql::threaded(&path), Err(StoreError::Foreign { .. })));
    assert!(matches!(Sql::reader(&path), Err(StoreError::Foreign { .. })));
    assert_eq!((std::fs::read(&path).expect("readable"), log()), before);
    assert!(!place.join("theirs.lock").exists());
}

#[test]
fn what_is_no_database_is_told_so() {
    let place = place("garbage");
    for (name, bytes) in [("letter.db", &b"Dear Sir,\n"[..]), ("zeros.db", &[0; 4096]), ("short.db", b"SQLite")] {
        let path = place.join(name);
        std::fs::write(&path, bytes).expect("written");
        refused(&place, &path, "no SQLite database");
    }
    std::fs::create_dir(place.join("folder")).expect("a folder");
    assert!(matches!(Sql::threaded(&place.join("folder")), Err(StoreError::Foreign { .. })));
}

#[test]
fn a_store_that_is_damaged_is_told_so() {
    let place = place("damaged");
    let path = place.join("syncline.db");
    drop(Sql::threaded(&path).expect("a store"));
    let mut bytes = std::fs::read(&path).expect("readable");
    bytes.truncate(4096);
    bytes[100..].fill(0x5a);
    std::fs::write(&path, &bytes).expect("written");
    let told = Sql::threaded(&path);
    assert!(matches!(told, Err(StoreError::Damaged { .. })), "{told:?}");
}

#[test]
#[cfg(unix)]
fn a_store_has_one_lock_by_whatever_link_somebody_comes() {
    let place = place("link");
    let (path, link) = (place.join("syncline.db"), place.join("also.db"));
    drop(Sql::threaded(&path).expect("a store"));
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    let held = Sql::threaded(&path).expect("ours again");
    assert!(matches!(Sql::threaded(&link), Err(StoreError::Held(_))));
    drop(held);
    drop(Sql::threaded(&link).expect("free by now"));
}
