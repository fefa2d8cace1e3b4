//! Hints as they come over a socket: any bytes, or any body that is signed as the system's own.

use jiff::Timestamp;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use syncline_connect::Clock;
use syncline_connect::hook::signed;
use syncline_connectors::magento;
use syncline_core::id::{SystemName, SystemUid};
use syncline_server::{Ear, Intake, Shelf, serve};
use syncline_store::{Sql, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::time::timeout;

const SECRET: &str = "a secret that is never told";
/// Longest wait for an answer, or the end of the connection, once all was sent.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of one answer, and of all answers to one byte of requests: a short request may come many times.
const ANSWER: usize = 4 * 1024;
const ANSWERS: usize = 64;

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// A listener of one thread, and where it is.
struct Door {
    runtime: Runtime,
    at: SocketAddr,
    store: Arc<dyn Store>,
    knocked: Cell<u32>,
}

thread_local! {
    static DOOR: Result<Door, String> = Door::open();
}

/// The first byte says what the others are: `s` a body that is signed, anything else a request as it comes.
pub(super) fn hint(told: &[u8]) {
    DOOR.with(|door| {
        assert!(door.is_ok(), "nobody listens: {:?}", door.as_ref().err());
        if let (Ok(door), Some((first, rest))) = (door, told.split_first()) {
            door.runtime.block_on(door.knock(*first == b's', rest));
        }
    });
}

impl Door {
    fn open() -> Result<Self, String> {
        let failed = |error: std::io::Error| error.to_string();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let store: Arc<dyn Store> = Arc::new(Sql::inline(":memory:").map_err(|error| error.to_string())?);
        let auth = magento::Auth::Token(String::new());
        let connector = Arc::new(magento::Magento::new(magento::Config::new("", auth)));
        let ear = Ear { uid: SystemUid::new("7f3k"), connector, secret: SECRET.to_owned() };
        let ears = BTreeMap::from([(SystemName::new("shop"), ear)]);
        let intake = Intake { shelf: Shelf::holding(&store), clock: Arc::new(Still), bell: Arc::default(), ears };
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).map_err(failed)?;
        let at = listener.local_addr().map_err(failed)?;
        runtime.spawn(serve(listener, intake));
        Ok(Self { runtime, at, store, knocked: Cell::new(0) })
    }

    async fn knock(&self, sign: bool, told: &[u8]) {
        let bytes = if sign { posted(told) } else { told.to_vec() };
        let answer = timeout(PATIENCE, self.asked(&bytes)).await;
        assert!(answer.is_ok(), "no answer, and no end, within {PATIENCE:?}");
        let answer = answer.ok().and_then(Result::ok).unwrap_or_default();
        let text = String::from_utf8_lossy(&answer);
        assert!(answer.len() <= ANSWER + ANSWERS * bytes.len(), "an answer of {} bytes", answer.len());
        assert!(!text.contains(SECRET), "the secret is told: {text}");
        // What begins like HTTP/2 is answered by its frames.
        let framed = bytes.starts_with(b"PRI * HTTP/2.0");
        assert!(framed || text.is_empty() || text.starts_with("HTTP/1."), "{text}");
        let kept = self.store.hints(Vec::new(), usize::from(u16::MAX)).await.unwrap_or_default();
        if sign {
            let status = text.split(' ').nth(1).unwrap_or_default();
            assert_eq!(
                (status == "202", status == "400" || status == "413"),
                (kept.len() == 1, kept.is_empty()),
                "{text}"
            );
        }
        for hint in &kept {
            assert!(hint.id.id.len() <= 255 && hint.id.scope.len() <= 255, "{hint:?}");
        }
        drop(self.store.heeded(kept).await);
    }

    /// All that comes back until the connection ends.
    async fn asked(&self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let socket = TcpSocket::new_v4()?;
        // A port stays taken for a while after its connection: many addresses have many ports.
        let [_, a, b, c] = self.knocked.get().to_be_bytes();
        self.knocked.set(self.knocked.get().wrapping_add(1));
        drop(socket.bind(SocketAddr::from(([127, a, b, c.max(1)], 0))));
        let mut stream = socket.connect(self.at).await?;
        let mut answer = Vec::new();
        let (mut from, mut to) = stream.split();
        let send = async {
            drop(to.write_all(bytes).await);
            drop(to.shutdown().await);
        };
        let (_, read) = tokio::join!(send, from.read_to_end(&mut answer));
        // One that is refused early may end the connection before all was sent.
        drop(read);
        Ok(answer)
    }
}

/// The request of a system that signs `body`.
fn posted(body: &[u8]) -> Vec<u8> {
    let headers = signed("d1", Still.now(), body, SECRET);
    let told: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!("POST /hooks/shop HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: {length}\r\n");
    [head.as_bytes(), told.as_bytes(), b"\r\n", body].concat()
}
