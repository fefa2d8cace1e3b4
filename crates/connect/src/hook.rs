//! Hints: signed requests by which a system says where to look. What else they tell is never taken for true.
//!
//! Systems without webhooks of their own are listened to by Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp` in Unix
//! seconds, and `webhook-signature` with one `v1,<base64>` or more, each the HMAC-SHA256 of `<id>.<timestamp>.<body>`. The body
//! is `{"type": "order.updated", "data": {"id": "1001"}}`, where the first word of the type is a kind of ours.

use crate::base64;
use crate::error::{Error, Result};
use jiff::Timestamp;
use ring::hmac;
use serde::Deserialize;
use serde_json::Value;
use syncline_core::id::RemoteId;
use syncline_core::kind::{KINDS, Kind};
use syncline_core::policy::ErrorKind;
use syncline_core::text::shown;

/// Seconds between the clock of the sender and ours; what is older may be somebody's copy.
pub const WINDOW_S: i64 = 300;
/// Characters of an id.
const ID: usize = 255;
/// What a secret begins with that is written in base64.
const IN_BASE64: &str = "whsec_";

/// One request that a system sent us, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Hook<'a> {
    /// Its headers, names in small letters.
    pub headers: &'a [(String, String)],
    /// Its body; a signature is over exactly these bytes.
    pub body: &'a [u8],
    /// What it is signed with.
    pub secret: &'a str,
    /// When it came.
    pub now: Timestamp,
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hint {
    /// What sort of record.
    pub kind: Kind,
    /// Which one, as the system calls it; its scope is empty where the sender does not know it.
    pub id: RemoteId,
}

#[derive(Deserialize)]
struct Body {
    r#type: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    id: Value,
    #[serde(default)]
    scope: String,
}

impl Hook<'_> {
    /// A header's value; none where it is not there, or there twice.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut told = self.headers.iter().filter(|(key, _)| key == name);
        told.next().filter(|_| told.next().is_none()).map(|(_, value)| value.as_str())
    }

    /// The hints of a request by Standard Webhooks, once its signature holds.
    ///
    /// # Errors
    /// `Denied` where it is not signed with the secret, or too long ago; `Invalid` where a signed body says nothing we know.
    pub fn standard(&self) -> Result<Vec<Hint>> {
        let named = |name: &str| self.header(name).ok_or_else(|| denied(format!("the header `{name}` is missing")));
        let (id, at, signatures) = (named("webhook-id")?, named("webhook-timestamp")?, named("webhook-signature")?);
        let second: i64 = at.parse().map_err(|_| denied("`webhook-timestamp` is no second".to_owned()))?;
        if self.now.as_second().abs_diff(second) > WINDOW_S.unsigned_abs() {
            return Err(denied(format!(
                "it was signed more than {WINDOW_S} s from now: see that both clocks are right"
            )));
        }
        let signed = [id.as_bytes(), b".", at.as_bytes(), b".", self.body].concat();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key_of(self.secret));
        let holds = |one: &str| {
            let given = one.strip_prefix("v1,").and_then(base64::decoded);
            // In constant time.
            given.is_some_and(|given| hmac::verify(&key, &signed, &given).is_ok())
        };
        if !signatures.split(' ').any(holds) {
            return Err(denied("no signature of it is by our secret".to_owned()));
        }
        self.read().map(|hint| vec![hint])
    }

    fn read(&self) -> Result<Hint> {
        let invalid = |what: String| Error::new(ErrorKind::Invalid, what);
        let body: Body = serde_json::from_slice(self.body).map_err(|error| {
            invalid(format!(
                "the body is not like {{\"type\": \"order.updated\", \"data\": {{\"id\": \"1001\"}}}}: {error}"
            ))
        })?;
        let word = body.r#type.split('.').next().unwrap_or_default();
        let kind = KINDS.into_iter().find(|kind| kind.word() == word);
        let kind = kind.ok_or_else(|| invalid(format!("`{}` is no kind of record", shown(word, 40))))?;
        let id = match body.data.id {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(invalid("`data.id` is neither a text nor a number".to_owned())),
        };
        let odd = |text: &str| text.len() > ID || text.chars().any(char::is_control);
        if id.is_empty() || odd(&id) || odd(&body.data.scope) {
            return Err(invalid(format!(
                "`data.id` and `data.scope` have at most {ID} bytes, no control characters, and an id"
            )));
        }
        Ok(Hint { kind, id: RemoteId::new(body.data.scope, id) })
    }
}

/// The bytes to sign with: those a secret of the standard is written for, or the text itself.
fn key_of(secret: &str) -> Vec<u8> {
    let written = secret.strip_prefix(IN_BASE64).and_then(base64::decoded);
    written.unwrap_or_else(|| secret.as_bytes().to_vec())
}

/// The headers that sign `body`, as a system sends them; for simulated ones and tests.
#[must_use]
pub fn signed(id: &str, at: Timestamp, body: &[u8], secret: &str) -> Vec<(String, String)> {
    let at = at.as_second().to_string();
    let content = [id.as_bytes(), b".", at.as_bytes(), b".", body].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key_of(secret));
    let signature = format!("v1,{}", base64::base64(hmac::sign(&key, &content).as_ref()));
    [("webhook-id", id.to_owned()), ("webhook-timestamp", at), ("webhook-signature", signature)]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
}

fn denied(what: String) -> Error {
    Error::new(ErrorKind::Denied, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcywgb2s=";

    fn now() -> Timestamp {
        Timestamp::from_second(1_614_265_330).unwrap()
    }

    fn heard(headers: &[(String, String)], body: &str, secret: &str, now: Timestamp) -> Result<Vec<Hint>> {
        Hook { headers, body: body.as_bytes(), secret, now }.standard()
    }

    fn refused(headers: &[(String, String)], body: &str, secret: &str, now: Timestamp) -> (ErrorKind, String) {
        let error = heard(headers, body, secret, now).unwrap_err();
        (error.kind, error.message)
    }

    #[test]
    fn a_signature_of_another_program_holds() {
        // Signed by Python's `hmac` over the same id, second and body.
        let headers = [
            ("webhook-id", "hook-7"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", "v1,bm8= v1a,eA== v1,wxWV7wbDyudICJ9Ff3uAZ9TlRJcJjf6UyqGkPIPSVh0="),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let hints =
            heard(&headers, r#"{"type":"order.updated","data":{"id":1001,"scope":"1"}}"#, SECRET, now()).unwrap();
        assert_eq!(hints, [Hint { kind: Kind::Order, id: RemoteId::new("1", "1001") }]);
    }

    #[test]
    fn what_is_forged_or_old_is_refused_and_says_nothing_of_the_secret() {
        let body = r#"{"type":"order.created","data":{"id":"7"}}"#;
        let good = signed("m1", now(), body.as_bytes(), SECRET);
        assert!(heard(&good, body, SECRET, now()).is_ok());
        let later = |seconds: i64| now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        for (headers, body, secret, now, why) in [
            (good.clone(), body, "another", now(), "no signature of it is by our secret"),
            (good.clone(), r#"{"type":"order.created","data":{"id":"8"}}"#, SECRET, now(), "no signature"),
            (good.clone(), body, SECRET, later(WINDOW_S + 1), "more than 300 s"),
            (good.clone(), body, SECRET, later(-WINDOW_S - 1), "more than 300 s"),
            (good.iter().skip(1).cloned().collect(), body, SECRET, now(), "`webhook-id` is missing"),
            (good.iter().chain(&good).cloned().collect(), body, SECRET, now(), "`webhook-id` is missing"),
            (Vec::new(), body, SECRET, now(), "`webhook-id` is missing"),
        ] {
            let (kind, message) = refused(&headers, body, secret, now);
            assert!(kind == ErrorKind::Denied && message.contains(why) && !message.contains(SECRET), "{message}");
        }
        assert!(heard(&good, body, SECRET, later(WINDOW_S)).is_ok());
    }

    #[test]
    fn a_signed_body_that_says_nothing_is_invalid() {
        for body in [
            "",
            "[]",
            "{",
            r#"{"type":"order"}"#,
            r#"{"type":"order","data":{"id":null}}"#,
            r#"{"type":"weather.fine","data":{"id":"1"}}"#,
            r#"{"type":"order","data":{"id":""}}"#,
            r#"{"type":"order","data":{"id":"a\u0000"}}"#,
        ] {
            let (kind, _) = refused(&signed("m", now(), body.as_bytes(), SECRET), body, SECRET, now());
            assert_eq!(kind, ErrorKind::Invalid, "{body}");
        }
        let long = format!(r#"{{"type":"order","data":{{"id":"{}"}}}}"#, "9".repeat(256));
        assert_eq!(refused(&signed("m", now(), long.as_bytes(), SECRET), &long, SECRET, now()).0, ErrorKind::Invalid);
    }
}
