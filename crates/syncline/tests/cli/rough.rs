//! What a rough world does to the binary: files of others, full disks, readers that leave, secrets with line breaks.

use super::bench::Bench;
use serde_json::{Value, json};

fn error<'a>(told: &'a Value, key: &str) -> &'a str {
    told["error"][key].as_str().expect(key)
}

#[test]
fn a_file_of_somebody_else_is_never_written_into() {
    let bench = Bench::with("foreign", &["--orders", "2"], &[]);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let path = bench.path("syncline.db");
    let theirs = rusqlite::Connection::open(&path).expect("a database");
    theirs.execute_batch("CREATE TABLE moz_places (id INTEGER);").expect("a table");
    drop(theirs);
    let database = std::fs::read(&path).expect("bytes");
    for (bytes, what) in [(&database[..], "another application"), (b"minutes of the meeting\n", "no SQLite database")] {
        std::fs::write(&path, bytes).expect("written");
        for command in [&["sync"][..], &["status"], &["verify", "--stored"], &["retry", "--all"], &["run"]] {
            let told = bench.json(command, 1);
            assert_eq!(error(&told, "code"), "SYN-0309", "{told}");
            assert!(error(&told, "what").contains(what) && error(&told, "remedy").contains("store ="), "{told}");
        }
        assert_eq!(std::fs::read(&path).expect("bytes"), bytes, "nothing was written into it");
        assert!(!bench.has("syncline.lock") && !bench.has("syncline.db-"), "nor beside it");
    }
    std::fs::write(&path, "").expect("emptied");
    bench.run(&["status"], 0);
    bench.run(&["adopt"], 0);
    let ours = rusqlite::Connection::open(&path).expect("a database");
    let name: i64 = ours.query_row("PRAGMA application_id", [], |row| row.get(0)).expect("a number");
    assert_eq!(name, 0x5359_4e43);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_under_stdout_is_noticed() {
    let bench = Bench::alone("full");
    for args in [&["systems"][..], &["systems", "--json"], &["--help"], &["status", "--json"], &["sim", "catalogue"]] {
        let (code, stderr) = bench.on_full_disk(args);
        assert_eq!(code, Some(1), "{args:?}: {stderr}");
        assert!(stderr.contains("SYN-0907") && stderr.contains("No space left"), "{args:?}: {stderr}");
        assert_eq!(stderr.matches("SYN-0907").count(), 1, "told once: {stderr}");
    }
}

#[test]
fn a_reader_that_left_needs_no_words() {
    let bench = Bench::alone("left");
    for args in [&["sim", "catalogue", "--products", "4000"][..], &["systems", "--json"], &["--help"]] {
        assert_eq!(bench.unread(args), "", "{args:?}");
    }
}

#[test]
fn a_secret_that_cannot_be_sent_is_named() {
    let bench = Bench::with("secret", &["--orders", "1"], &[]);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let told = bench.json_as("abc\ndef", &["check"], 1);
    assert_eq!(error(&told, "code"), "SYN-0427", "{told}");
    let what = error(&told, "what");
    assert!(what.contains("[systems.shop] token") && what.contains("SYNCLINE_SHOP_TOKEN"), "{told}");
    assert!(what.contains("a line break") && !what.contains("abc"), "{told}");
    let file = bench.file("syncline.toml");
    bench.put("syncline.toml", &file.replace("env:SYNCLINE_SHOP_TOKEN", "file:token"));
    bench.put("token", &format!("{}\r\n", bench.token()));
    assert_eq!(bench.json_as("", &["check"], 0)["problems"], json!([]), "a line end of a file does not count");
}

#[test]
fn a_shop_that_is_another_one_than_it_was_is_noticed() {
    let mut bench = Bench::started("another", 30);
    let (_, elsewhere) = bench.outlet(0);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    bench.json(&["adopt"], 0);
    bench.json(&["sync"], 0);
    let before = bench.erp_ledger();
    let file = bench.file("syncline.toml");
    let uid = bench.json(&["check"], 0)["systems"]["shop"]["uid"].as_str().expect("a uid").to_string();

    // Its uid is another one: nothing is taken up as new.
    bench.put("syncline.toml", &file.replace(&format!("uid = \"{uid}\""), "uid = \"newuid\""));
    let told = bench.json(&["check"], 1);
    let problem = json!({ "error": told["problems"][0] });
    assert_eq!(error(&problem, "code"), "SYN-0426", "{told}");
    assert!(error(&problem, "what").contains("`newuid`") && error(&problem, "remedy").contains(&uid), "{told}");
    for command in ["sync", "plan", "sweep"] {
        let told = bench.json(&[command], 1);
        assert_eq!(told["error"]["code"], "SYN-0426", "{command}: {told}");
    }
    assert_eq!(bench.erp_ledger(), before);
    bench.put("syncline.toml", &file);

    // Its address is another shop's, which has none of its orders: that stands there until a sweep ends well.
    let astray = file.replace(&bench.shop, &elsewhere).replace("SYNCLINE_SHOP_TOKEN", "SYNCLINE_OUTLET_TOKEN");
    bench.put("syncline.toml", &astray);
    bench.json(&["sweep", "orders", "--system", "shop"], 3);
    let told = bench.json(&["failures"], 3);
    let row = told["failures"].as_array().expect("rows").iter().find(|row| row["code"] == "SYN-0151");
    let row = row.unwrap_or_else(|| panic!("no SYN-0151 in {told}"));
    assert_eq!((&row["state"], &row["kind"], &row["system"]), (&json!("held"), &json!("order"), &json!("shop")));
    assert!(bench.run(&["failures"], 3).contains("sweep of orders in shop: held SYN-0151"));
    assert_eq!(bench.json(&["status"], 3)["flows"]["orders"]["held"], 1);
    bench.put("syncline.toml", &file);
    bench.json(&["sweep", "orders", "--system", "shop"], 0);
    assert_eq!(bench.json(&["failures"], 0)["failures"], json!([]));

    // A uid of its own is right for a shop that was put up anew: all of its orders are new.
    bench.put("syncline.toml", &file.replace(&format!("uid = \"{uid}\""), "uid = \"newuid\""));
    let told = bench.json(&["check", "--new-installation", "shop"], 0);
    assert_eq!(told["problems"], json!([]));
    bench.run(&["plan"], 3);
    bench.put("syncline.toml", &file);
    assert_eq!(bench.json(&["sync"], 1)["error"]["code"], "SYN-0426", "the one before it is another one now");
}
