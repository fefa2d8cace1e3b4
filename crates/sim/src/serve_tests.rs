//! What a client sees of each fault over a real socket.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::books::Books;
use crate::http::Edit;

/// Counts what reaches it, and answers with the count and what was sent.
#[derive(Debug, Default)]
struct Counter(u64);

impl System for Counter {
    fn handle(&mut self, _: Timestamp, request: &Request) -> Response {
        if request.target != "/_sim/echo" {
            self.0 += 1;
        }
        plain(200, &json!({"handled": self.0, "target": request.target, "sent": request.body.len()}))
    }

    fn books(&self) -> Books<'_> {
        Books::new(&["handled"], |_| json!(self.0))
    }

    fn edit(&mut self, _: Timestamp, edit: &Edit) -> bool {
        edit.sku == "MUG"
    }
}

async fn started(faults: &[Fault]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let clock = || Timestamp::UNIX_EPOCH;
    tokio::spawn(serve(Box::new(Counter::default()), Weather::scripted(faults), listener, clock));
    address
}

/// Everything the server sends back until it closes.
async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request).await.expect("sent");
    let mut answer = Vec::new();
    // A reset is as good as an end: what matters is which bytes came before it.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn get(address: SocketAddr, target: &str) -> String {
    exchange(address, format!("GET {target} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\r\n").as_bytes()).await
}

async fn handled(address: SocketAddr) -> u64 {
    let ledger = get(address, "/_sim/ledger").await;
    let body = ledger.split("\r\n\r\n").nth(1).expect("a body");
    serde_json::from_str::<Value>(body).expect("json")["handled"].as_u64().expect("a count")
}

#[tokio::test]
async fn a_lost_reply_closes_the_connection_after_the_work_is_done() {
    let address = started(&[Fault::LostReply]).await;
    assert_eq!(get(address, "/x").await, "");
    assert_eq!(handled(address).await, 1);
    assert!(get(address, "/x").await.starts_with("HTTP/1.1 200"), "the next one is answered");
}

#[tokio::test]
async fn a_lost_request_closes_the_connection_and_nothing_happened() {
    let address = started(&[Fault::LostRequest]).await;
    assert_eq!(get(address, "/x").await, "");
    assert_eq!(handled(address).await, 0);
}

#[tokio::test]
async fn a_repeated_request_is_handled_twice() {
    let address = started(&[Fault::Repeated]).await;
    assert!(get(address, "/x").await.contains(r#""handled":2"#));
}

#[tokio::test]
async fn what_no_guard_keeps_from_happening_twice_is_not_repeated() {
    for way in ["ship", "invoice", "refund", "track"] {
        let address = started(&[Fault::Repeated]).await;
        let path = if way == "track" { "shipment/track".to_owned() } else { format!("order/7/{way}") };
        let ask =
            format!("POST /rest/V1/{path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        assert!(exchange(address, ask.as_bytes()).await.contains(r#""handled":1"#), "{way}");
    }
}

#[tokio::test]
async fn busy_says_when_to_come_back_and_a_page_is_html() {
    let faults = [
        Fault::Busy { retry_after_s: 7 },
        Fault::Html { status: 502, landed: true },
        Fault::Unauthorized,
        Fault::ServerError,
    ];
    let address = started(&faults).await;
    let busy = get(address, "/x").await;
    assert!(busy.starts_with("HTTP/1.1 429") && busy.contains("retry-after: 7"), "{busy}");
    let page = get(address, "/x").await;
    assert!(page.starts_with("HTTP/1.1 502") && page.contains("text/html"), "{page}");
    assert_eq!(handled(address).await, 1, "the page's request landed");
    assert!(get(address, "/x").await.starts_with("HTTP/1.1 401"));
    assert!(get(address, "/x").await.starts_with("HTTP/1.1 503"));
}

#[tokio::test]
async fn a_truncated_answer_is_half_of_one() {
    let address = started(&[Fault::Truncated]).await;
    let answer = get(address, "/x").await;
    let body = answer.split("\r\n\r\n").nth(1).expect("a body");
    assert!(serde_json::from_str::<Value>(body).is_err() && body.starts_with("{\"handled\""), "{body}");
}

#[tokio::test]
async fn the_simulation_itself_meets_no_weather() {
    let address = started(&[Fault::LostReply, Fault::LostReply]).await;
    assert!(get(address, "/_sim/echo").await.contains("/_sim/echo"));
    assert_eq!(get(address, "/x").await, "");
    let faults = get(address, "/_sim/faults").await;
    assert!(faults.contains(r#""lost_replies":1"#) && faults.contains(r#""html":0"#), "{faults}");
}

#[tokio::test]
async fn one_connection_serves_many_requests_and_a_body_comes_whole() {
    let address = started(&[]).await;
    let one = "POST /a?b=%20 HTTP/1.1\r\nhost: sim\r\ncontent-length: 5\r\n\r\n12345";
    let two = "GET /c HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\r\n";
    let answer = exchange(address, format!("{one}{two}").as_bytes()).await;
    assert!(answer.contains(r#""target":"/a?b=%20","sent":5"#) && answer.contains(r#""handled":2"#), "{answer}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let address = started(&[]).await;
    let head =
        format!("POST /a HTTP/1.1\r\nhost: sim\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", BODY_LIMIT + 1);
    let mut request = head.into_bytes();
    request.resize(request.len() + BODY_LIMIT + 1, b'x');
    let answer = exchange(address, &request).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(handled(address).await, 0);
}

#[test]
fn reads_and_writes_are_told_apart() {
    let call = |method: &str, target: &str, body: &str| {
        let request =
            Request { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: body.into() };
        is_write(&request)
    };
    assert!(!call("GET", "/rest/V1/orders", ""));
    assert!(call("POST", "/rest/V1/orders", r#"{"entity": {}}"#));
    assert!(!call("POST", "/rest/default/V1/integration/admin/token", "{}"));
    assert!(!call("POST", "/db/", r#"{"method": "model.sale.sale.search_read", "params": []}"#));
    assert!(!call("POST", "/db/", r#"{"method": "common.db.login"}"#));
    assert!(call("POST", "/db/", r#"{"method": "model.sale.sale.create"}"#));
    assert!(call("POST", "/db/", r#"{"method": "model.sale.sale.quote"}"#));
    assert!(call("POST", "/x", "not json"));
}
