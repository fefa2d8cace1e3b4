//! Talks to the API: addresses below its own, who we are, the pace the file sets, and what a bad answer means.

use super::config::{Auth, Config};
use super::wire;
use crate::wire::{is_html, json};
use serde_json::Value;
use std::time::Duration;
use syncline_connect::json_api::Pointer;
use syncline_connect::{Ctx, Effect, Error, Request, Response, Result, base64, ctx};
use syncline_core::policy::ErrorKind;
use syncline_core::text::shown;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Seconds of rest at most that an API is given where it asks for them: one that asks for years is asked again.
const LONGEST_REST_S: u32 = 3_600;

/// The way to one API.
#[derive(Debug)]
pub(super) struct Client {
    root: String,
    auth: Auth,
    /// The pause between two requests, and when the next one may leave.
    pace: Option<(Duration, Mutex<Instant>)>,
}

/// An answer that was understood, with the exchange it came by.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Value,
    pub(super) request: Request,
    pub(super) response: Response,
}

/// A write that went wrong.
#[derive(Debug, Clone)]
pub(super) enum Failed {
    /// It did not happen.
    Refused(Error),
    /// Nobody knows.
    Unknown(Error),
}

impl Client {
    pub(super) fn new(config: &Config) -> Self {
        let pause = config.per_second.filter(|many| *many > 0).map(|many| Duration::from_secs(1) / many);
        Self {
            root: config.url.trim_end_matches('/').to_owned(),
            auth: config.auth.clone(),
            pace: pause.map(|pause| (pause, Mutex::new(Instant::now()))),
        }
    }

    /// The address of `path`, which begins with a slash.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// The address that a page told for the next one: below our own, or it is not followed. Who we are is told nobody else.
    pub(super) fn followed(&self, link: &str, from: &str) -> Result<String> {
        let strange = |why: &str| {
            let what = format!("{}: the next page is at `{}`, {why}", ctx::shown(from), shown(link, 200));
            Error::new(ErrorKind::Broken, what)
        };
        if link.is_empty() || link.len() > 4_000 || link.chars().any(|c| c.is_control() || c == ' ' || c == '\\') {
            return Err(strange("which is no address"));
        }
        if let Some(query) = link.strip_prefix('?') {
            let base = from.split('?').next().unwrap_or(from);
            return Ok(format!("{base}?{query}"));
        }
        let origin = origin(&self.root);
        let whole = match link.starts_with('/') && !link.starts_with("//") {
            true => format!("{origin}{link}"),
            false => link.to_owned(),
        };
        // What follows the host has to begin a path, or `shop.example.evil` would pass for `shop.example`.
        let inside = whole.strip_prefix(origin).is_some_and(|rest| rest.starts_with(['/', '?']));
        if inside { Ok(whole) } else { Err(strange("which is not the address in `url`: it is not followed")) }
    }

    /// What a read at `url` answers; none where nothing is there.
    pub(super) async fn read(&self, ctx: &Ctx, url: String, error: Option<&Pointer>) -> Result<Option<Answer>> {
        let request = self.request(ctx, "GET", url, Vec::new(), Effect::Read);
        self.paced().await;
        let response = ctx.call(request.clone()).await?;
        match response.status {
            200..=299 => {
                let body = json(&request, &response)?;
                told_well(&request, &response, &body, error, ErrorKind::Broken)?;
                Ok(Some(Answer { body, request, response }))
            }
            404 | 410 if !is_html(&response) => Ok(None),
            _ => Err(refusal(&request, &response, false)),
        }
    }

    /// What a write answers; sent once.
    pub(super) async fn write(
        &self,
        ctx: &Ctx,
        (method, url): (&'static str, String),
        (body, headers): (&Value, Vec<(String, String)>),
        effect: Effect,
        error: Option<&Pointer>,
    ) -> std::result::Result<Answer, Failed> {
        let mut request = self.request(ctx, method, url, body.to_string().into_bytes(), effect);
        request.headers.extend(headers);
        self.paced().await;
        let response = ctx.call(request.clone()).await.map_err(|failed| match failed.sent {
            true => Failed::Unknown(failed.error),
            false => Failed::Refused(failed.error),
        })?;
        match response.status {
            204 => Ok(Answer { body: Value::Null, request, response }),
            200..=299 if response.body.is_empty() => Ok(Answer { body: Value::Null, request, response }),
            200..=299 => {
                let body = json(&request, &response).map_err(Failed::Unknown)?;
                told_well(&request, &response, &body, error, ErrorKind::Invalid).map_err(Failed::Refused)?;
                Ok(Answer { body, request, response })
            }
            // Something may have been done, here or by a copy that a proxy sent before.
            303 | 408 | 409 | 500..=599 => Err(Failed::Unknown(refusal(&request, &response, true))),
            _ => Err(Failed::Refused(refusal(&request, &response, true))),
        }
    }

    fn request(&self, ctx: &Ctx, method: &'static str, url: String, body: Vec<u8>, effect: Effect) -> Request {
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        if !body.is_empty() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        match &self.auth {
            Auth::Open => {}
            Auth::Bearer(token) => headers.push(("authorization".to_owned(), format!("Bearer {token}"))),
            Auth::Header(name, token) => headers.push((name.0.clone(), token.clone())),
            Auth::Basic { login, password } => {
                let told = base64::base64(format!("{login}:{password}").as_bytes());
                headers.push(("authorization".to_owned(), format!("Basic {told}")));
            }
        }
        Request { method, url, headers, body, effect, timeout: ctx.timeout() }
    }

    /// Waits until the next request may leave.
    async fn paced(&self) {
        let Some((pause, next)) = &self.pace else { return };
        let at = {
            let mut next = next.lock().await;
            let at = (*next).max(Instant::now());
            *next = at + *pause;
            at
        };
        sleep_until(at).await;
    }
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| host + at);
    url.get(..end).unwrap_or(url)
}

/// Refuses an answer that looks well and tells that it is none.
fn told_well(
    request: &Request,
    response: &Response,
    body: &Value,
    error: Option<&Pointer>,
    kind: ErrorKind,
) -> Result<()> {
    let Some(said) = error.and_then(|at| at.get(body)).filter(|said| wire::says(said)) else { return Ok(()) };
    let what = format!("{} {}: {}", request.method, ctx::shown(&request.url), shown(&said.to_string(), 600));
    Err(Error::new(kind, what).with(ctx::evidence(request, response)))
}

/// The error behind an answer that is no success.
fn refusal(request: &Request, response: &Response, write: bool) -> Error {
    let html = is_html(response);
    let (kind, advice) = match response.status {
        300..=399 => (ErrorKind::Config, moved(response)),
        401 | 403 => (ErrorKind::Denied, String::new()),
        404 | 410 if html => (ErrorKind::Config, " (is this the address of the API?)".to_owned()),
        404 | 410 => (ErrorKind::Gone, String::new()),
        405 | 501 => (ErrorKind::Config, " (the API does not take that method there: look at the file)".to_owned()),
        409 | 412 => (ErrorKind::Stale, String::new()),
        429 | 503 => (ErrorKind::Busy, String::new()),
        408 | 500..=599 => (ErrorKind::Unreachable, String::new()),
        _ if html => (ErrorKind::Unreachable, String::new()),
        _ if write => (ErrorKind::Invalid, String::new()),
        _ => (ErrorKind::Config, " (the API does not understand what the file has it asked)".to_owned()),
    };
    let said = match html {
        true => "an HTML page".to_owned(),
        false if response.body.is_empty() => "no reason given".to_owned(),
        false => shown(&String::from_utf8_lossy(response.body.get(..4_000).unwrap_or(&response.body)), 600),
    };
    let place = format!("{} {}", request.method, ctx::shown(&request.url));
    let mut error = Error::new(kind, format!("{place}: {}: {said}{advice}", response.status));
    if kind == ErrorKind::Busy {
        let asked = response.header("retry-after").and_then(|text| text.trim().parse::<u32>().ok());
        error.retry_after_s = asked.map(|seconds| seconds.min(LONGEST_REST_S));
    }
    error.with(ctx::evidence(request, response))
}

fn moved(response: &Response) -> String {
    let to = shown(response.header("location").unwrap_or("elsewhere"), 200);
    format!(" (it sends us to {to}, which is not followed: put the address it really answers at into `url`)")
}
