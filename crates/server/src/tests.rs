//! The listener over a real socket and a real store.

use crate::{Ear, Intake, Shelf, serve};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use syncline_connect::Clock;
use syncline_connect::hook::signed;
use syncline_connectors::magento;
use syncline_core::id::{SystemName, SystemUid};
use syncline_core::kind::Kind;
use syncline_store::{Sql, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SECRET: &str = "a secret";
const ORDER: &[u8] = br#"{"type":"order.updated","data":{"id":7}}"#;

#[derive(Debug)]
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// A directory of its own that goes with it.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let place = std::env::temp_dir().join(format!("syncline-server-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        Self(place)
    }

    fn store(&self) -> PathBuf {
        self.0.join("syncline.db")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A listener over the store in `path`, and where it is.
async fn listening(path: &Path) -> (Arc<dyn Store>, SocketAddr) {
    let store: Arc<dyn Store> = Arc::new(Sql::threaded(path).unwrap());
    let connector = magento::Magento::new(magento::Config::new("", magento::Auth::Token(String::new())));
    let ear = Ear { uid: SystemUid::new("7f3k"), connector: Arc::new(connector), secret: SECRET.to_string() };
    let ears = BTreeMap::from([(SystemName::new("shop"), ear)]);
    let intake = Intake { shelf: Shelf::holding(&store), clock: Arc::new(Still(now())), bell: Arc::default(), ears };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move { serve(listener, intake).await });
    (store, at)
}

/// The whole answer to one request.
async fn asked(at: SocketAddr, head: &str, headers: &[(String, String)], body: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let told: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let request =
        format!("{head} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: {length}\r\n{told}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    // One that is refused early may close before all of it came.
    drop(stream.write_all(body).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn a_hint_is_kept_before_it_is_answered_and_what_is_no_hint_is_told_why() {
    let place = Place::new("kept");
    let (store, at) = listening(&place.store()).await;
    let good = signed("d1", now(), ORDER, SECRET);
    let answer = asked(at, "POST /hooks/shop", &good, ORDER).await;
    assert!(status(&answer) == "202" && answer.contains(r#"{"heard":1}"#), "{answer}");
    let kept = store.hints(Vec::new(), 10).await.unwrap();
    assert_eq!(kept.iter().map(|hint| (hint.kind, hint.id.id.as_str())).collect::<Vec<_>>(), [(Kind::Order, "7")]);
    let big = vec![b' '; (1 << 20) + 1];
    let odd = b"{}".as_slice();
    for (head, headers, body, wanted) in [
        ("POST /hooks/shop", signed("d2", now(), ORDER, "guessed"), ORDER, "401"),
        ("POST /hooks/shop", signed("d2", now(), odd, SECRET), odd, "400"),
        ("POST /hooks/shop", signed("d2", now(), &big, SECRET), &big, "413"),
        ("POST /hooks/erp", good.clone(), ORDER, "404"),
        ("POST /hooks/shop/more", good.clone(), ORDER, "404"),
        ("POST /hooks/%00%ff", good.clone(), ORDER, "400"),
        ("GET /hooks/shop", good.clone(), b"", "405"),
        ("GET /health", Vec::new(), b"", "200"),
    ] {
        let answer = asked(at, head, &headers, body).await;
        assert_eq!(status(&answer), wanted, "{head}: {answer}");
        assert!(!answer.contains(SECRET));
    }
    assert_eq!(store.hints(Vec::new(), 10).await.unwrap(), kept);
}

#[tokio::test]
async fn s08_what_a_locked_store_does_not_keep_is_answered_as_such() {
    let place = Place::new("locked");
    let (store, at) = listening(&place.store()).await;
    let other = rusqlite::Connection::open(place.store()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = asked(at, "POST /hooks/shop", &signed("d1", now(), ORDER, SECRET), ORDER).await;
    assert!(status(&answer) == "503" && answer.contains("retry-after: 10"), "{answer}");
    other.execute_batch("ROLLBACK").unwrap();
    assert!(store.hints(Vec::new(), 10).await.unwrap().is_empty());
    let answer = asked(at, "POST /hooks/shop", &signed("d1", now(), ORDER, SECRET), ORDER).await;
    assert_eq!((status(&answer), store.hints(Vec::new(), 10).await.unwrap().len()), ("202", 1), "sent again");
}

#[tokio::test]
async fn a_flood_is_heard_or_told_to_come_again() {
    let place = Place::new("flood");
    let (store, at) = listening(&place.store()).await;
    let one = |n: usize| async move {
        let body = format!(r#"{{"type":"order.updated","data":{{"id":{n}}}}}"#).into_bytes();
        let answer = asked(at, "POST /hooks/shop", &signed("d", now(), &body, SECRET), &body).await;
        match status(&answer) {
            "202" => true,
            "503" => false,
            _ => panic!("{answer}"),
        }
    };
    let heard = futures::future::join_all((0..400).map(one)).await.into_iter().filter(|heard| *heard).count();
    assert!(heard > 0);
    assert_eq!(
        store.hints(Vec::new(), 1_000).await.unwrap().len(),
        heard,
        "what was answered is kept, and nothing else"
    );
}
