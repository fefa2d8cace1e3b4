//! The listener: `POST /hooks/<system>`, bounded in size, in time and in number.

use crate::intake::{Answer, Intake};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::routing::{get, post};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Bytes of a body.
const BODY: usize = 1 << 20;
/// Longest wait for a body.
const PATIENCE: Duration = Duration::from_secs(10);
/// Requests in hand at once; one more is told to come again.
const AT_ONCE: usize = 256;

#[derive(Debug)]
struct Door {
    intake: Intake,
    places: Semaphore,
}

/// Never; listens on `listener` and hands what comes to `intake`, until dropped.
///
/// # Errors
/// Where the listener fails for good.
pub async fn serve(listener: TcpListener, intake: Intake) -> std::io::Result<()> {
    let door = Arc::new(Door { intake, places: Semaphore::new(AT_ONCE) });
    let router =
        Router::new().route("/hooks/{system}", post(hook)).route("/health", get(async || "ok\n")).with_state(door);
    axum::serve(listener, router).await
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
