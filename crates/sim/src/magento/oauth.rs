//! Whether a request is signed as Magento wants it of an integration: OAuth 1.0a, HMAC-SHA256.
//!
//! Written from RFC 5849 and from what Magento's code does (`Framework\Oauth\Oauth`, `Oauth\Helper\Request`,
//! `Nonce\Generator`, `Oauth\Token\Provider`): the nonce is taken before the signature is looked at, and a time is
//! refused where it lies more than ten minutes ahead, never because it is old.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jiff::Timestamp;
use ring::hmac;
use serde_json::json;

use crate::base64::base64;
use crate::http::Request;

use super::reply::Refusal;
use super::route::Target;

/// Letters of a key and of a token, no more and no less.
const LENGTH: usize = 32;
/// Seconds a request may be ahead of the shop's clock.
const AHEAD_S: i64 = 600;
/// The address a shop takes for its own where a request does not say (its base url as recorded: store-configs).
const HOST: &str = "shop.example";

/// What the shop gave its integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Consumer key, 32 letters.
    pub consumer_key: String,
    /// Consumer secret.
    pub consumer_secret: String,
    /// Access token, 32 letters.
    pub access_token: String,
    /// Access token secret.
    pub access_token_secret: String,
}

impl Keys {
    /// The keys of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let drawn = |letter: char| format!("{letter}{seed:031}");
        let [consumer_key, consumer_secret, access_token, access_token_secret] = ['c', 'd', 'a', 'b'].map(drawn);
        Self { consumer_key, consumer_secret, access_token, access_token_secret }
    }
}

/// The integration of a shop that wants every request signed.
#[derive(Debug)]
pub(super) struct Door {
    keys: Keys,
    nonces: BTreeSet<String>,
}

impl Door {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys, nonces: BTreeSet::new() }
    }

    /// Nothing where the request is signed as it should be.
    pub(super) fn admit(&mut self, now: Timestamp, request: &Request, target: &Target) -> Result<(), Refusal> {
        let told = told(request);
        let field = |name: &str| told.get(name).map(String::as_str).ok_or_else(|| Refusal::required(name));
        let (consumer, signature, method) =
            (field("oauth_consumer_key")?, field("oauth_signature")?, field("oauth_signature_method")?);
        let (nonce, second, token) = (field("oauth_nonce")?, field("oauth_timestamp")?, field("oauth_token")?);
        if token.len() != LENGTH {
            return Err(Refusal::new(400, "The token length is invalid. Check the length and try again."));
        }
        if method != "HMAC-SHA256" {
            return Err(Refusal::listed(400, "Signature method %1 is not supported", json!(method)));
        }
        if consumer.len() != LENGTH {
            return Err(Refusal::new(401, "Consumer key is not the correct length"));
        }
        if consumer != self.keys.consumer_key {
            return Err(Refusal::new(401, "A consumer having the specified key does not exist"));
        }
        let second: i64 = second.parse().unwrap_or(0);
        if second <= 0 || second > now.as_second().saturating_add(AHEAD_S) {
            return Err(Refusal::new(401, "Incorrect timestamp value in the oauth_timestamp parameter"));
        }
        if !self.nonces.insert(nonce.to_owned()) {
            let what = "The nonce is already being used by the consumer with ID %1.";
            return Err(Refusal::listed(401, what, json!(1)));
        }
        if token != self.keys.access_token {
            return Err(Refusal::new(401, "Specified token does not exist"));
        }
        let key = format!("{}&{}", bare(&self.keys.consumer_secret), bare(&self.keys.access_token_secret));
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let signed = signed_text(request, target, &told);
        let matches = base64(signature).is_some_and(|tag| hmac::verify(&key, signed.as_bytes(), &tag).is_ok());
        if matches { Ok(()) } else { Err(Refusal::new(401, "The signature is invalid. Verify and try again.")) }
    }
}

/// What the `Authorization` header tells, decoded; nothing where it is of another sort.
fn told(request: &Request) -> BTreeMap<String, String> {
    let fields = of_oauth(request).unwrap_or_default().split(',').filter_map(|part| part.trim().split_once('='));
    let plain = |text: &str| super::route::decode(text.trim_matches('"'), false);
    fields.map(|(name, value)| (plain(name), plain(value))).filter(|(name, _)| name.starts_with("oauth_")).collect()
}

/// The header behind `OAuth`; none where the request is not signed.
pub(super) fn of_oauth(request: &Request) -> Option<&str> {
    let (kind, rest) = super::header(request, "authorization")?.trim().split_once(' ')?;
    kind.eq_ignore_ascii_case("oauth").then_some(rest)
}

/// The text behind a signature: a parameter that comes twice counts once, as PHP's arrays have it.
fn signed_text(request: &Request, target: &Target, told: &BTreeMap<String, String>) -> String {
    let own = told.iter().filter(|(name, _)| *name != "oauth_signature");
    let query = target.query.iter().map(|(name, value)| (name, value));
    let all: BTreeMap<String, String> = own.chain(query).map(|(name, value)| (bare(name), bare(value))).collect();
    let all: Vec<String> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = request.target.split('?').next().unwrap_or("/");
    let host = super::header(request, "host").unwrap_or(HOST).to_ascii_lowercase();
    let host = host.strip_suffix(":80").unwrap_or(&host);
    format!("{}&{}&{}", request.method, bare(&format!("http://{host}{path}")), bare(&all.join("&")))
}

/// A text with everything but letters, digits and `-._~` escaped (RFC 3986, 2.3).
fn bare(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            // Writing into a text cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
        out
    })
}
