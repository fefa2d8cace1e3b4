//! Commands that write, beside a daemon: it lends them the store, and goes on once they are done, or dead.

use super::bench::{Bench, post};
use super::hooked::{SECRET, hint};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::time::Duration;

/// A shop and an ERP, and a file by which nothing but a command or a hint begins a second pass.
fn bench(name: &str) -> (Bench, String) {
    let bench = Bench::started(name, 3);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let port = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = port.local_addr().expect("an address").to_string();
    let file = bench.file("syncline.toml").replace("every = \"1m\"", "every = \"24h\"");
    let file = file.replacen("\nurl = ", "\nhook_secret = \"file:hook.secret\"\nurl = ", 1);
    bench.put("syncline.toml", &format!("listen = \"{at}\"\n{file}"));
    bench.put("hook.secret", SECRET);
    bench.run(&["adopt"], 0);
    (bench, at)
}

/// A process that asks for the store, once it has it.
fn borrower(bench: &Bench) -> UnixStream {
    let stream = UnixStream::connect(bench.path("syncline.sock")).expect("a daemon that lends");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
    let mut words = [0; 11];
    (&stream).read_exact(&mut words).expect("both words");
    assert_eq!(&words, b"wait\nyours\n");
    stream
}

/// The next pass that `daemon` tells of.
fn pass(daemon: &mut Child) -> Value {
    let mut line = String::new();
    BufReader::new(daemon.stdout.as_mut().expect("its stdout")).read_line(&mut line).expect("a pass");
    serde_json::from_str(&line).expect("a line of JSON")
}

/// One more order in the shop, and how often it is in the ERP.
fn ordered(bench: &Bench, id: u64) {
    let mut order = bench.shop_orders()[0].clone();
    order["entity_id"] = json!(id);
    order["increment_id"] = json!(format!("LENT-{id}"));
    order["quote_id"] = json!(id);
    order["ext_order_id"] = Value::Null;
    let (status, answer) = post(&bench.shop, "/_sim/orders", &order.to_string());
    assert!((200..300).contains(&status), "{status} {answer}");
}

fn documents(bench: &Bench, id: u64) -> usize {
    let ledger = bench.erp_ledger();
    let all = ledger["orders"].as_array().expect("orders");
    all.iter().filter(|order| order["reference"] == format!("LENT-{id}")).count()
}

#[test]
fn a_command_beside_the_daemon_is_lent_the_store_and_the_next_pass_begins_at_once() {
    let (bench, at) = bench("lent");
    let mut daemon = bench.daemon();
    ordered(&bench, 9_101);
    assert_eq!(bench.json(&["retry", "--all"], 0), json!({"retried": 0}));
    pass(&mut daemon);
    assert_eq!(documents(&bench, 9_101), 1, "what is asked for does not wait for a day");
    ordered(&bench, 9_102);
    bench.json(&["sync"], 0);
    assert_eq!(documents(&bench, 9_102), 1);
    pass(&mut daemon);
    assert_eq!(bench.json(&["run"], 75)["error"]["code"], "SYN-0305", "one daemon");

    // As long as somebody has it, hints are asked for again and the next one waits.
    let lent = borrower(&bench);
    assert_eq!(hint(&at, 9_101, SECRET).0, 503);
    assert_eq!(bench.json(&["run"], 75)["error"]["code"], "SYN-0305", "one daemon, whoever has the store");
    let waiting = std::thread::scope(|scope| {
        let next = scope.spawn(|| bench.json(&["retry", "--all"], 0));
        std::thread::sleep(Duration::from_millis(400));
        let waited = !next.is_finished();
        drop(lent);
        next.join().expect("it is lent the store") == json!({"retried": 0}) && waited
    });
    assert!(waiting);
    pass(&mut daemon);
    assert_eq!(hint(&at, 9_101, SECRET).0, 202);
    assert_eq!(bench.terminated(daemon), Some(0));
    assert!(!bench.has("syncline.sock"));
}

#[test]
fn a_daemon_that_dies_or_ends_leaves_the_store_to_whoever_asked() {
    let (bench, _) = bench("left");
    let mut daemon = bench.daemon();
    let lent = borrower(&bench);
    daemon.kill().expect("killed");
    daemon.wait().expect("dead");
    drop(lent);
    assert!(bench.has("syncline.sock"), "what it left");
    bench.json(&["sync"], 0);
    let daemon = bench.daemon();
    let lent = borrower(&bench);
    assert_eq!(bench.terminated(daemon), Some(0), "it is stopped while somebody has the store");
    drop(lent);
    let daemon = bench.daemon();
    bench.json(&["sync"], 0);
    assert_eq!(bench.terminated(daemon), Some(0));
}
