//! The store copied beside a daemon, and a copy put back after both systems went on.

use super::bench::{Bench, post};
use serde_json::{Value, json};

/// Documents in the ERP.
fn documents(bench: &Bench) -> usize {
    bench.erp_ledger()["orders"].as_array().expect("a list").len()
}

/// One more order in the shop, like one that is there.
fn ordered(bench: &Bench, id: u64) {
    let orders = bench.shop_orders();
    let mut order = orders.iter().find(|order| order["state"] == "new").expect("a new order").clone();
    (order["entity_id"], order["increment_id"], order["ext_order_id"]) =
        (json!(id), json!(id.to_string()), Value::Null);
    order["quote_id"] = json!(id);
    let (status, answer) = post(&bench.shop, "/_sim/orders", &order.to_string());
    assert!((200..300).contains(&status), "{status} {answer}");
}

#[test]
fn s77_a_backup_made_beside_the_daemon_is_put_back_and_nothing_is_made_twice() {
    let bench = Bench::started("copies", 12);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    assert_eq!(bench.json(&["backup"], 1)["error"]["code"], "SYN-0306", "there is no store yet");
    bench.run(&["adopt"], 0);
    let running = bench.daemon();
    let told = bench.json(&["backup", "safe.db"], 0);
    assert!(told["holds"]["records"].as_u64() > Some(4) && bench.has("safe.db"), "{told}");
    assert!(!bench.has("safe.db.part") && !bench.has("safe.db-wal"), "one whole file");
    assert_eq!(bench.json(&["backup", "safe.db"], 64)["error"]["code"], "SYN-0001", "nothing is written over");
    assert_eq!(bench.json(&["restore", "safe.db", "--yes"], 75)["error"]["code"], "SYN-0305", "the daemon has it");
    assert_eq!(bench.terminated(running), Some(0));
    ordered(&bench, 9_001);
    bench.json(&["sync"], 0);
    let before = documents(&bench);
    assert_eq!(bench.json(&["restore", "safe.db"], 2)["restored"], json!(false));
    let told = bench.json(&["restore", "safe.db", "--yes"], 0);
    let kept = told["kept"].as_str().expect("what was there").rsplit('/').next().expect("a name").to_string();
    assert!(bench.has(&kept) && bench.has("safe.db"), "{told}");
    ordered(&bench, 9_002);
    bench.json(&["adopt"], 0);
    assert!(bench.comes_to(&["sync"], 0));
    assert_eq!(documents(&bench), before + 1, "only what is new is made");
    assert!(bench.comes_to(&["verify"], 0), "{}", bench.run(&["verify"], 2));
}

#[test]
fn what_is_no_whole_store_is_never_put_back() {
    let bench = Bench::started("no-copies", 2);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    bench.run(&["adopt"], 0);
    bench.run(&["backup", "safe.db"], 0);
    let whole = std::fs::read(bench.path("safe.db")).expect("bytes");
    let mut torn = whole.clone();
    torn.truncate(whole.len() / 2);
    for (bytes, code) in [(&b"minutes"[..], "SYN-0309"), (b"", "SYN-0306"), (&torn, "SYN-0308")] {
        std::fs::write(bench.path("bad.db"), bytes).expect("written");
        let store = std::fs::read(bench.path("syncline.db")).expect("bytes");
        let told = bench.json(&["restore", "bad.db", "--yes"], 1);
        assert_eq!(told["error"]["code"], code, "{told}");
        assert_eq!(std::fs::read(bench.path("syncline.db")).expect("bytes"), store, "the store stays");
        assert!(!bench.has("syncline.db.part"));
    }
    assert_eq!(bench.json(&["restore", "nowhere.db"], 1)["error"]["code"], "SYN-0306");
    bench.put("syncline.toml", &format!("store = \"nowhere/acme.db\"\n{}", bench.file("syncline.toml")));
    let told = bench.json(&["check"], 1);
    assert!(told["problems"].to_string().contains("SYN-0306"), "it has no directory to lie in: {told}");
}
