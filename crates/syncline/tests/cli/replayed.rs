//! Two files held against each other over what the store holds; no system is asked.

use super::bench::Bench;
use serde_json::{Value, json};

/// The last line of what `replay` tells of `changed.toml`, and how many lines stand before it.
fn replayed(bench: &Bench, changed: &str, args: &[&str], code: i32) -> (Value, Vec<Value>) {
    bench.put("changed.toml", changed);
    let args: Vec<&str> = ["replay", "changed.toml"].iter().chain(args).copied().chain(["--json"]).collect();
    let mut lines = bench.lines(&args, code);
    (lines.pop().expect("a sum"), lines)
}

#[test]
fn another_file_is_tried_on_every_order_without_asking_a_system() {
    let mut bench = Bench::started("replay", 12);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    bench.run(&["adopt"], 0);
    bench.json(&["sync"], 0);
    let before = bench.erp_ledger();
    bench.end_systems();
    let file = bench.file("syncline.toml");

    let (told, rows) = replayed(&bench, &file, &[], 0);
    assert!(told["differ"] == 0 && told["records"].as_u64() > Some(12) && rows.is_empty(), "{told}");

    // Another first part of the reference: every order that is carried over would be called otherwise.
    let numbered = file.replacen("\nnumber = \"", "\nnumber = \"WEB-", 1);
    assert_ne!(numbered, file);
    let (told, rows) = replayed(&bench, &numbered, &["orders"], 2);
    let orders = before["orders"].as_array().expect("orders").len();
    assert_eq!(told["differ"].as_u64(), u64::try_from(orders).ok(), "{told}");
    assert_eq!(told["changes"], json!({"create in erp with another reference": orders}));
    let fields = &rows[0];
    assert_eq!(
        fields["then"]["fields"]["reference"],
        json!(format!("WEB-{}", fields["now"]["fields"]["reference"].as_str().expect("a reference"))),
        "{fields}"
    );
    let shown = bench.run(&["replay", "changed.toml", "orders", "--fields"], 2);
    assert!(shown.contains("→ WEB-"), "{shown}");

    // A row that is taken away holds whatever needs it, by its code.
    let (told, rows) = replayed(&bench, &file.replacen("\"DE-19b\" = ", "\"XX-19b\" = ", 1), &["orders"], 2);
    assert!(told["changes"]["create in erp → held"].as_u64() > Some(0), "{told}");
    assert!(
        rows.iter().all(|row| row["then"]["why"].as_str().is_some_and(|why| why.starts_with("SYN-0103"))),
        "{rows:?}"
    );

    // Systems nobody knows have told nothing.
    let (before_uid, uid) = file.split_once("uid = \"").expect("a uid");
    let (_, rest) = uid.split_once('"').expect("its end");
    bench.put("changed.toml", &format!("{before_uid}uid = \"zzzz\"{rest}"));
    assert_eq!(bench.json(&["replay", "changed.toml"], 1)["error"]["code"], "SYN-0479");
}
