//! The listener: `POST /hooks/<system>`, bounded in size, in time and in number.
//! A proxy with TLS stands before it, which also ends connections that say nothing.

use crate::intake::{Answer, Intake};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::serve::Listener;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a body.
const BODY: usize = 1 << 20;
/// Longest wait for a body.
const PATIENCE: Duration = Duration::from_secs(10);
/// Requests in hand at once; one more is told to come again.
const AT_ONCE: usize = 256;
/// Connections at once; others wait to be let in, so that no flood takes the files the process needs for its own work.
const CONNECTIONS: usize = 384;

#[derive(Debug)]
struct Door {
    intake: Intake,
    places: Semaphore,
}

/// Never; listens on `listener` and hands what comes to `intake`, until dropped.
///
/// # Errors
/// Where the listener fails for good.
pub async fn serve(listener: TcpListener, intake: Intake) -> io::Result<()> {
    let door = Arc::new(Door { intake, places: Semaphore::new(AT_ONCE) });
    let router =
        Router::new().route("/hooks/{system}", post(hook)).route("/health", get(async || "ok\n")).with_state(door);
    let gate = Gate { listener, places: Arc::new(Semaphore::new(CONNECTIONS)) };
    axum::serve(gate, router).await
}

/// A listener with so many connections at most.
struct Gate {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Listener for Gate {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // It is never closed.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, from) = Listener::accept(&mut self.listener).await;
        (Wire { stream, _place: place }, from)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// One connection with its place.
struct Wire {
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

async fn hook(
    State(door): State<Arc<Door>>,
    Path(system): Path<String>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let Ok(_place) = door.places.try_acquire() else {
        return write(&Answer::later("too many hints at once"));
    };
    let (head, body) = request.into_parts();
    let body = match tokio::time::timeout(PATIENCE, to_bytes(body, BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return write(&Answer::error(413, format!("a body has at most {BODY} bytes, and comes whole"))),
        Err(_) => return write(&Answer::error(408, format!("no whole body came within {} s", PATIENCE.as_secs()))),
    };
    let told = head.headers.iter();
    let headers: Vec<(String, String)> = told
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    write(&door.intake.receive(&system, &headers, &body).await)
}

fn write(answer: &Answer) -> axum::response::Response {
    let mut built =
        axum::response::Response::builder().status(answer.status).header("content-type", "application/json");
    if let Some(seconds) = answer.retry_after_s {
        built = built.header("retry-after", seconds);
    }
    built.body(Body::from(answer.body.to_string() + "\n")).unwrap_or_else(|_| {
        let mut broken = axum::response::Response::new(Body::empty());
        *broken.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}
