//! The daemon that listens: hints over a real socket, looked at without waiting for the next pass.

use super::bench::{Bench, sent};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use syncline_connect::hook::signed;

pub const SECRET: &str = "open, sesame";

#[expect(clippy::disallowed_methods, reason = "the daemon holds it against the clock of this machine")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Status and body of the answer to a hint about an order, signed with `secret`.
pub fn hint(at: &str, id: u64, secret: &str) -> (u16, String) {
    let body = json!({"type": "order.updated", "data": {"id": id}}).to_string();
    let headers = signed("d1", now(), body.as_bytes(), secret);
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    sent(at, "POST", "/hooks/shop", &headers, &body)
}

#[test]
fn a_daemon_that_listens_looks_where_it_is_told_to() {
    let bench = Bench::started("hooked", 3);
    bench.run(&["init", "--yes", "--start", "all", "--shop", &bench.shop_flag(), "--erp", &bench.erp_flag()], 0);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("an address").to_string();
    // Nothing but a hint begins a second pass.
    let file = bench.file("syncline.toml").replace("every = \"1m\"", "every = \"24h\"");
    let file = file.replacen("\nurl = ", "\nhook_secret = \"file:hook.secret\"\nurl = ", 1);
    bench.put("syncline.toml", &format!("listen = \"{at}\"\n{file}"));
    let told = bench.json(&["run"], 1);
    assert_eq!(told["error"]["code"], "SYN-0416", "no secret yet: {told}");
    bench.put("hook.secret", SECRET);
    let told = bench.json(&["run"], 1);
    assert!(told["error"]["code"] == "SYN-0910" && told.to_string().contains(&at), "the port is taken: {told}");
    drop(taken);
    let mut running = bench.daemon();
    let id = bench.shop_orders()[0]["entity_id"].as_u64().expect("an id");
    assert_eq!(hint(&at, id, "guessed").0, 401);
    assert_eq!(hint(&at, id, SECRET), (202, "{\"heard\":1}\n".to_string()));
    let mut line = String::new();
    BufReader::new(running.stdout.as_mut().expect("its stdout")).read_line(&mut line).expect("a pass");
    assert!(line.contains("\"writes\""), "{line}");
    assert_eq!(bench.terminated(running), Some(0));
}
