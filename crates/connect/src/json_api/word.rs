//! Words of a description: names of parameters and headers, and durations.

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected};
use syncline_core::text::seconds;

/// Seconds of an overlap at most: a week.
const LONGEST_S: u32 = 7 * 86_400;

/// The name of a parameter, which needs no encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(pub String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~[]$:".contains(c);
        match !text.is_empty() && text.len() <= 80 && text.chars().all(plain) {
            true => Ok(Self(text)),
            false => Err(D::Error::invalid_value(Unexpected::Str(&text), &"the name of a parameter like `page`")),
        }
    }
}

/// The name of a header (RFC 9110, 5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderName(pub String);

/// Headers that are not to be set by a file: they say how a request is carried.
const RESERVED: [&str; 8] =
    ["host", "content-length", "transfer-encoding", "connection", "content-type", "accept", "accept-encoding", "te"];

impl HeaderName {
    /// The name `text` writes, in lower case; none where it is none, or one that says how a request is carried.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let name = text.to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let well =
            !name.is_empty() && name.len() <= 80 && name.chars().all(plain) && !RESERVED.contains(&name.as_str());
        well.then_some(Self(name))
    }
}

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let wanted = "the name of a header like `Idempotency-Key`";
        Self::of(&text).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &wanted))
    }
}

/// A duration: `30s`, `5m`, `2h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub u32);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match seconds(&text).filter(|seconds| (1..=LONGEST_S).contains(seconds)) {
            Some(seconds) => Ok(Self(seconds)),
            None => {
                let wanted = "a duration like `30s`, `5m`, `2h` or `7d`, seven days at most";
                Err(D::Error::invalid_value(Unexpected::Str(&text), &wanted))
            }
        }
    }
}
