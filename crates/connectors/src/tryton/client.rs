//! Talks to Tryton: one JSON-RPC call at a time, and what each sort of answer means.

use super::config::{Addresses, Config};
use crate::wire::json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use syncline_connect::base64::base64;
use syncline_connect::{Ctx, Effect, Error, Request, Response, Result, ctx};
use syncline_core::policy::ErrorKind;

/// An answer to a write that is no success.
#[derive(Debug)]
pub(super) enum Failed {
    /// It did not happen: the request did not arrive, or Tryton said no and rolled back.
    Refused(Error),
    /// It did not happen: a person would be asked first, by a warning of this name.
    Asked(String, Error),
    /// It may have happened.
    Unknown(Error),
}

impl Failed {
    pub(super) fn error(self) -> Error {
        match self {
            Self::Refused(error) | Self::Asked(_, error) | Self::Unknown(error) => error,
        }
    }
}

/// The answer to one call, decoded.
#[derive(Deserialize)]
struct Envelope<T> {
    result: Option<T>,
    error: Option<Value>,
    id: Option<Value>,
}

/// One login at one Tryton.
#[derive(Debug)]
pub(super) struct Client {
    addresses: Result<Addresses>,
    authorization: Secret,
}

struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Client {
    pub(super) fn new(config: &Config) -> Self {
        let pair = format!("{}:{}", config.login, config.password);
        Self {
            addresses: super::config::addresses(&config.url),
            authorization: Secret(format!("Basic {}", base64(pair.as_bytes()))),
        }
    }

    /// The result of a call that looks only.
    pub(super) async fn read<T: DeserializeOwned>(&self, ctx: &Ctx, method: &str, params: Value) -> Result<T> {
        let request = self.request(ctx, method, params, Effect::Read)?;
        let response = ctx::plain(ctx.call(request.clone()).await)?;
        answered(&request, &response).map_err(Failed::error)
    }

    /// The result of a call that changes something. Sent once.
    pub(super) async fn write(
        &self,
        ctx: &Ctx,
        method: &str,
        params: Value,
        effect: Effect,
    ) -> std::result::Result<Value, Failed> {
        let request = self.request(ctx, method, params, effect).map_err(Failed::Refused)?;
        let response = ctx.call(request.clone()).await.map_err(|failed| match failed.sent {
            true => Failed::Unknown(failed.error),
            false => Failed::Refused(failed.error),
        })?;
        answered(&request, &response)
    }

    /// The version of the server in its own words. Asked without a login.
    pub(super) async fn version(&self, ctx: &Ctx) -> Result<String> {
        let mut request = self.request(ctx, "common.server.version", json!([]), Effect::Read)?;
        request.url.clone_from(&self.addresses()?.server);
        request.headers.retain(|(name, _)| name != "authorization");
        let response = ctx::plain(ctx.call(request.clone()).await)?;
        answered(&request, &response).map_err(Failed::error)
    }

    fn addresses(&self) -> Result<&Addresses> {
        self.addresses.as_ref().map_err(Clone::clone)
    }

    fn request(&self, ctx: &Ctx, method: &str, params: Value, effect: Effect) -> Result<Request> {
        let body = json!({"id": 1, "method": method, "params": params});
        Ok(Request {
            method: "POST",
            url: self.addresses()?.database.clone(),
            headers: vec![
                ("authorization".to_string(), self.authorization.0.clone()),
                ("content-type".to_string(), "application/json".to_string()),
            ],
            body: body.to_string().into_bytes(),
            effect,
            timeout: ctx.timeout(),
        })
    }
}

/// `POST <url> <method>`, for messages.
fn place(request: &Request) -> String {
    #[derive(Deserialize)]
    struct Called {
        method: String,
    }
    let called = serde_json::from_slice::<Called>(&request.body).map(|c| c.method).unwrap_or_default();
    format!("{} {called}", ctx::shown(&request.url))
}

/// The result within an answer, or what its status, page or error means.
fn answered<T: DeserializeOwned>(request: &Request, response: &Response) -> std::result::Result<T, Failed> {
    if response.status != 200 {
        return Err(by_status(request, response));
    }
    // A page or a torn answer in place of JSON: the call may have been carried out.
    let envelope: Envelope<T> = json(request, response).map_err(Failed::Unknown)?;
    let shown = || ctx::evidence(request, response);
    if let Some(error) = envelope.error.filter(|error| !error.is_null()) {
        return Err(by_error(&error, &place(request)).with(shown));
    }
    if envelope.id != Some(Value::from(1)) {
        let message = format!("{}: the answer belongs to another call", place(request));
        return Err(Failed::Unknown(Error::new(ErrorKind::Broken, message).with(shown())));
    }
    // Nothing is a result of its own to those that ask for one.
    envelope.result.map_or_else(|| serde_json::from_value(Value::Null), Ok).map_err(|error| {
        let message = format!("{}: an answer of another shape than expected: {error}", place(request));
        Failed::Unknown(Error::new(ErrorKind::Broken, message).with(shown()))
    })
}

impl Failed {
    fn with(self, evidence: impl Fn() -> syncline_connect::Evidence) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(error.with(evidence())),
            Self::Asked(name, error) => Self::Asked(name, error.with(evidence())),
            Self::Unknown(error) => Self::Unknown(error.with(evidence())),
        }
    }
}

/// What an answer that is no 200 means. Statuses as found on a live Tryton 8.0.
fn by_status(request: &Request, response: &Response) -> Failed {
    let place = place(request);
    let status = response.status;
    let page = String::from_utf8_lossy(&response.body);
    let page = text_of(&page);
    let (kind, what, refused) = match status {
        300..=399 => {
            let to = response.header("location").unwrap_or("another address");
            (ErrorKind::Config, format!("is sent on to {}: put that address in the file", ctx::shown(to)), true)
        }
        401 => (ErrorKind::Denied, "login or password is not accepted".to_string(), true),
        403 => (ErrorKind::Config, format!("is forbidden or not known there: {page}"), true),
        404 | 405 => (ErrorKind::Config, format!("no Tryton answers there (status {status}): is the url right?"), true),
        429 => (ErrorKind::Busy, "too many requests".to_string(), true),
        400 | 413 | 415 | 422 => {
            (ErrorKind::Broken, format!("does not understand the call (status {status}): {page}"), true)
        }
        503 if page.contains("doesn't exist") => {
            (ErrorKind::Config, format!("the database does not exist: {page}"), true)
        }
        503 if response.header("retry-after").is_some() => (ErrorKind::Busy, "asks for patience".to_string(), false),
        _ => (ErrorKind::Unreachable, format!("answers with status {status}: {page}"), false),
    };
    let mut error = Error::new(kind, format!("{place}: {what}")).with(ctx::evidence(request, response));
    error.retry_after_s = response.header("retry-after").and_then(|text| text.trim().parse().ok());
    if refused { Failed::Refused(error) } else { Failed::Unknown(error) }
}

/// The words of a page without its tags, at most 200 characters.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in page.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    for (coded, plain) in [("&#39;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")] {
        text = text.replace(coded, plain);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    syncline_core::text::shown(&words.join(" "), 200)
}

/// What the `error` of an answer with status 200 means. Tryton rolls back before it answers with one.
fn by_error(error: &Value, place: &str) -> Failed {
    let name = error.get(0).and_then(Value::as_str).unwrap_or("");
    let detail = error.get(1).unwrap_or(&Value::Null);
    let refused = |kind: ErrorKind, text: &str| Failed::Refused(Error::new(kind, format!("{place}: {text}")));
    match name {
        "UserError" => {
            let message = first_line(detail.get(0));
            refused(kind_of(&message), &message)
        }
        "UserWarning" => {
            let asked = Error::new(ErrorKind::Invalid, format!("{place}: {}", first_line(detail.get(1))));
            match detail.get(0).and_then(Value::as_str) {
                Some(name) => Failed::Asked(name.to_string(), asked),
                None => Failed::Refused(asked),
            }
        }
        "ConcurrencyException" => refused(ErrorKind::Stale, "the record was changed meanwhile"),
        "LoginException" | "AccessError" => refused(ErrorKind::Denied, name),
        "'res.user'" => {
            // A server started without its databases answers its first call so.
            refused(ErrorKind::Unreachable, "the server has not loaded its database yet")
        }
        quoted if is_key(quoted) => {
            let text = format!("{quoted} is not known there: is a module missing, or the user without rights?");
            refused(ErrorKind::Config, &text)
        }
        busy if busy.contains("database is locked") || busy.contains("could not serialize") => {
            refused(ErrorKind::Busy, "the database is locked by another transaction")
        }
        other => {
            let text =
                syncline_core::text::shown(if other.is_empty() { "an error without a name" } else { other }, 500);
            if ["connection", "terminating", "server closed"].iter().any(|word| text.contains(word)) {
                return Failed::Unknown(Error::new(ErrorKind::Unreachable, format!("{place}: {text}")));
            }
            refused(ErrorKind::Broken, &text)
        }
    }
}

/// Whether `text` is a name in single quotes: what Python says of a model, a field or a key it does not know.
fn is_key(text: &str) -> bool {
    let inner = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    inner.is_some_and(|name| !name.is_empty() && !name.contains(['\'', ' ']))
}

/// What sort of refusal a message for users is.
fn kind_of(message: &str) -> ErrorKind {
    let unique = message.contains("must be unique");
    if unique && (message.contains("web ID") || message.contains("code on party")) {
        ErrorKind::Exists
    } else if message.starts_with("You can not call") {
        ErrorKind::Stale
    } else if message.contains("that don't exist") {
        ErrorKind::Gone
    } else if is_closed(message) {
        ErrorKind::Closed
    } else if message.starts_with("You are not allowed") && !message.contains(" records ") {
        ErrorKind::Denied
    } else {
        ErrorKind::Invalid
    }
}

/// Whether the books are closed for the day of a document, there is no period for it, or its journal is still closed, which a
/// period that is opened again leaves so (recorded: tryton-8.0-periods.json).
fn is_closed(message: &str) -> bool {
    let period = ["you must reopen the period", "you must create a period"].iter().any(|words| message.contains(words));
    period || message.contains("on closed journal-period")
}

/// The first line of a message, at most 500 characters; the rest stands in the evidence.
fn first_line(message: Option<&Value>) -> String {
    let text = message.and_then(Value::as_str).unwrap_or("refused without a reason");
    syncline_core::text::shown(text.lines().next().unwrap_or(text), 500)
}
