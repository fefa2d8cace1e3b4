//! Errors of a system by what they make the engine do next, with the advice for a person.

use alloc::string::String;
use serde::{Deserialize, Serialize};

/// What sort of error a system answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorKind {
    /// No connection, no answer, or an answer of a proxy.
    Unreachable,
    /// The system asks for patience.
    Busy,
    /// What we build on changed meanwhile.
    Stale,
    /// A document with our mark is there already.
    Exists,
    /// The record asked for is not there.
    Gone,
    /// The system refuses this document.
    Invalid,
    /// The books are closed for the day of this document.
    Closed,
    /// The system would make something else of this document than it is to be, and was not asked.
    Otherwise,
    /// The system refuses us: login or rights.
    Denied,
    /// The file or the system is set up wrongly.
    Config,
    /// The answer makes no sense.
    Broken,
    /// The system cannot do that.
    Unsupported,
}

/// What the engine does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Tries again later; other lanes of the system wait too.
    Later,
    /// Reads again and plans again.
    Replan,
    /// Looks for the document by its mark.
    Look,
    /// Leaves it to a person: this record only.
    Inbox,
    /// Stops all calls to the system and tells a person.
    Pause,
}

impl ErrorKind {
    /// What the engine does next.
    #[must_use]
    pub fn next(self) -> Next {
        match self {
            Self::Unreachable | Self::Busy => Next::Later,
            Self::Stale => Next::Replan,
            Self::Exists => Next::Look,
            Self::Gone | Self::Invalid | Self::Closed | Self::Otherwise | Self::Broken | Self::Unsupported => {
                Next::Inbox
            }
            Self::Denied | Self::Config => Next::Pause,
        }
    }

    /// The stable code of it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "SYN-0201",
            Self::Busy => "SYN-0202",
            Self::Stale => "SYN-0203",
            Self::Exists => "SYN-0204",
            Self::Gone => "SYN-0205",
            Self::Invalid => "SYN-0206",
            Self::Closed => "SYN-0133",
            Self::Otherwise => "SYN-0199",
            Self::Denied => "SYN-0207",
            Self::Config => "SYN-0208",
            Self::Broken => "SYN-0209",
            Self::Unsupported => "SYN-0210",
        }
    }

    /// What a person does about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unreachable => "check that the url is right and the system is up; it is tried again by itself",
            Self::Busy => "nothing to do: it is tried again by itself",
            Self::Stale => "nothing to do: it is read again by itself",
            Self::Exists => "nothing to do: the document is looked up by its mark",
            Self::Gone => "restore the record in its system, or remove what refers to it, then `syncline retry`",
            Self::Invalid => "mend what the system complains about, then `syncline retry`",
            Self::Closed => {
                "open that period and its journals there, or let money be booked today with `closed_periods = \"today\"` under \
                 the ERP in the file; it is tried again by itself every hour"
            }
            Self::Otherwise => {
                "do it there by hand as it really happened, then `syncline retry --accept` it: it is left to people"
            }
            Self::Denied => "check login, password or token and the rights of that user, then run again",
            Self::Config => "mend the file or the set-up it names, then run again",
            Self::Broken => {
                "keep the evidence (`syncline explain`) and ask the system's administrator what answers there"
            }
            Self::Unsupported => "do this by hand in the system, then `syncline retry`",
        }
    }
}

/// Something that needs a person: the rule, what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Stable code, e.g. `SYN-0101`.
    pub code: String,
    /// What is wrong, with where.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Hold {
    /// A hold under `code`.
    pub fn new(code: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: code.into(), what: what.into(), remedy: remedy.into() }
    }
}

/// Seconds until attempt number `attempt` (from 1) of something that failed: 2, 4, 8 … at most 60.
#[must_use]
pub fn backoff_s(attempt: u32) -> u32 {
    2u32.saturating_pow(attempt.clamp(1, 6)).min(60)
}
