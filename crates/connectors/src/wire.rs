//! Reading foreign JSON: exact decimals from raw tokens, answers that are no JSON, bounded messages.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use syncline_connect::{Error, Request, Response, Result, ctx};
use syncline_core::money;
use syncline_core::policy::ErrorKind;

/// A JSON number or numeric string as the exact decimal of its token; `null` and a missing field stay apart from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exact(pub(crate) rust_decimal::Decimal);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let token = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::String(text) => text,
            other => {
                let seen = syncline_core::text::shown(&other.to_string(), 40);
                return Err(serde::de::Error::custom(format!("`{seen}` is no number")));
            }
        };
        money::decimal(&token).map(Exact).map_err(serde::de::Error::custom)
    }
}

/// The JSON of an answer's body; an error that says what came instead.
pub(crate) fn json<T: DeserializeOwned>(request: &Request, response: &Response) -> Result<T> {
    serde_json::from_slice(&response.body).map_err(|error| {
        let place = format!("{} {}", request.method, ctx::shown(&request.url));
        let evidence = ctx::evidence(request, response);
        if is_html(response) {
            let what = "answered with an HTML page instead of JSON: a proxy, a login or a maintenance page";
            return Error::new(ErrorKind::Unreachable, format!("{place} {what} (status {})", response.status))
                .with(evidence);
        }
        if error.classify() == serde_json::error::Category::Eof {
            let what = format!("{place}: the answer ends in the middle: {error}");
            return Error::new(ErrorKind::Unreachable, what).with(evidence);
        }
        let what = match error.classify() {
            serde_json::error::Category::Data => "an answer of another shape than expected",
            _ => "an answer that is no JSON",
        };
        Error::new(ErrorKind::Broken, format!("{place}: {what}: {error}")).with(evidence)
    })
}

/// Whether the answer is a page for people.
pub(crate) fn is_html(response: &Response) -> bool {
    let start = response.body.iter().skip_while(|b| b.is_ascii_whitespace()).take(1).next();
    start == Some(&b'<') || response.header("content-type").is_some_and(|kind| kind.contains("text/html"))
}
