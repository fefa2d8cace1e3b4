//! A simulated system behind a socket, with weather between the two.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, State};
use axum::serve::{IncomingStream, Listener};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::http::{Edit, Request, Response, System, halved, is_past_guards};
use crate::weather::{Fault, Weather};

/// The largest request body that is read, in bytes; a longer one is answered with 413.
pub const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// Serves one system until the future is dropped. Requests are handled one after the other.
///
/// Under `/_sim/` there are no faults: `GET /_sim/ledger` tells what the system holds,
/// `GET /_sim/faults` what the weather did, `POST /_sim/products` changes a product as a person there would, `/_sim/calm/…` is the
/// system's own API past the weather, and anything else goes to the system itself.
///
/// # Errors
/// What the socket answers; nothing a client sends is an error here.
pub async fn serve(
    system: Box<dyn System>,
    weather: Weather,
    listener: TcpListener,
    clock: impl Fn() -> Timestamp + Send + Sync + 'static,
) -> io::Result<()> {
    let desk = Desk { inside: Mutex::new(Inside { system, weather }), clock: Box::new(clock) };
    let router = Router::new().fallback(answer).with_state(Arc::new(desk));
    axum::serve(Door(listener), router.into_make_service_with_connect_info::<Cut>()).await
}

struct Desk {
    inside: Mutex<Inside>,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

struct Inside {
    system: Box<dyn System>,
    weather: Weather,
}

impl Desk {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, request: &Request) -> Response {
        let now = (self.clock)();
        self.inside().system.handle(now, request)
    }
}

/// The answer to one request after the weather had its way with it.
async fn answer(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let request = match read(request).await {
        Ok(request) => request,
        Err(refusal) => return write(refusal),
    };
    if request.target.starts_with("/_sim/") {
        return write(inspect(&desk, &request));
    }
    let fault = desk.inside().weather.draw(is_write(&request));
    write(match fault {
        Fault::None => desk.handle(&request),
        Fault::LostRequest => cut.off(empty(503)),
        Fault::LostReply => cut.off(desk.handle(&request)),
        Fault::Busy { retry_after_s } => busy(retry_after_s),
        Fault::ServerError => plain(503, &json!({"message": "Service Temporarily Unavailable"})),
        Fault::Html { status, landed } => {
            if landed {
                desk.handle(&request);
            }
            html(status)
        }
        Fault::Slow { ms } => {
            tokio::time::sleep(Duration::from_millis(u64::from(ms))).await;
            desk.handle(&request)
        }
        Fault::Truncated => {
            let mut whole = desk.handle(&request);
            match halved(&whole.body) {
                None => cut.off(whole),
                Some(half) => {
                    whole.body = half;
                    whole
                }
            }
        }
        // What no guard of the system keeps from happening twice is not repeated (decision 0023).
        Fault::Repeated if is_past_guards(&request) => desk.handle(&request),
        Fault::Repeated => {
            desk.handle(&request);
            desk.handle(&request)
        }
        Fault::Unauthorized => plain(
            401,
            &json!({"message": "The consumer isn't authorized to access %resources.", "parameters": {"resources": "self"}}),
        ),
    })
}

/// The answers that look past the system's own API.
fn inspect(desk: &Desk, request: &Request) -> Response {
    if let Some(target) = request.target.strip_prefix("/_sim/calm").filter(|target| target.starts_with('/')) {
        return desk.handle(&Request { target: target.to_owned(), ..request.clone() });
    }
    match (request.method.as_str(), request.target.as_str()) {
        ("GET", "/_sim/ledger") => plain(200, &desk.inside().system.ledger()),
        ("GET", "/_sim/faults") => plain(200, &desk.inside().weather.faults()),
        ("POST", "/_sim/products") => edit(desk, request),
        _ => desk.handle(request),
    }
}

/// A person's change of a product.
fn edit(desk: &Desk, request: &Request) -> Response {
    let told: Edit = match serde_json::from_slice(&request.body) {
        Ok(told) => told,
        Err(error) => return plain(400, &json!({"message": format!("this is no edit of a product: {error}")})),
    };
    let now = (desk.clock)();
    match desk.inside().system.edit(now, &told) {
        true => plain(200, &json!({"edited": told.sku})),
        false => plain(404, &json!({"message": "there is no such product, place or field"})),
    }
}

/// Whether a request can change something: by its verb, and where every call is a POST (JSON-RPC) by the method it names.
pub fn is_write(request: &Request) -> bool {
    if matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") || request.target.contains("/V1/integration/") {
        return false;
    }
    let named = serde_json::from_slice::<Value>(&request.body).ok();
    let named = named.as_ref().and_then(|body| body.get("method")).and_then(Value::as_str);
    named.is_none_or(|method| {
        let verb = method.rsplit('.').next().unwrap_or(method);
        let reads = ["read", "search", "get", "fields", "default", "list"];
        !(method.starts_with("common.") || reads.iter().any(|read| verb.starts_with(read)))
    })
}

/// The request with its whole body, or the refusal of one that is too large.
async fn read(request: axum::extract::Request) -> Result<Request, Response> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| empty(413))?;
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    Ok(Request {
        method: head.method.as_str().to_owned(),
        target: target.to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: body.to_vec(),
    })
}

fn write(answer: Response) -> axum::response::Response {
    let mut built = axum::response::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        built = built.header(name, value);
    }
    built.body(Body::from(answer.body)).unwrap_or_else(|_| {
        let mut broken = axum::response::Response::new(Body::empty());
        *broken.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}

fn plain(status: u16, body: &Value) -> Response {
    let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
    Response { status, headers, body: body.to_string().into_bytes() }
}

fn empty(status: u16) -> Response {
    Response { status, headers: Vec::new(), body: Vec::new() }
}

fn busy(retry_after_s: u32) -> Response {
    let mut answer = plain(429, &json!({"message": "Too Many Requests"}));
    answer.headers.push(("retry-after".to_owned(), retry_after_s.to_string()));
    answer
}

fn html(status: u16) -> Response {
    let title = if status == 200 { "We will be back soon" } else { "502 Bad Gateway" };
    let body = format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1><hr>proxy</body></html>\n"
    );
    Response { status, headers: vec![("content-type".to_owned(), "text/html".to_owned())], body: body.into_bytes() }
}

/// The switch that ends one connection without another byte.
#[derive(Debug, Clone, Default)]
struct Cut(Arc<AtomicBool>);

impl Cut {
    /// The answer that will not be sent, because the connection ends with it.
    fn off(&self, answer: Response) -> Response {
        self.0.store(true, Ordering::SeqCst);
        answer
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl Connected<IncomingStream<'_, Door>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().cut.clone()
    }
}

/// A listener whose connections can be cut.
struct Door(TcpListener);

impl Listener for Door {
    type Io = Wire;
    type Addr = ();

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.0.accept().await {
                Ok((stream, _)) => {
                    // Without it a small answer waits for the client's acknowledgement; failing costs speed only.
                    let _ = stream.set_nodelay(true);
                    return (Wire { stream, cut: Cut::default() }, ());
                }
                // Too many open files, or a client that left: neither ends the server.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(())
    }
}

/// One connection; once cut, every write fails, which makes the server close it.
struct Wire {
    stream: TcpStream,
    cut: Cut,
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if let Err(closed) = self.cut.check() {
            return Poll::Ready(Err(closed));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
