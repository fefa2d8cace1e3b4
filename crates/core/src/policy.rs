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
                "keep the evidence (`syncline explain`) and ask the system's administrator what answers there; what could \
                 not be read is read again by itself"
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

    /// Seconds until what could not be read is read again by itself; none where only news or a person mends it. An answer in
    /// another shape, or one that leaves out what hangs on a product, comes of a system that was changed: it may be put right
    /// there, and no feed tells of that.
    #[must_use]
    pub fn again_s(&self) -> Option<u32> {
        (self.code == ErrorKind::Broken.code() || self.code == Self::UNTOLD).then_some(AGAIN_S)
    }

    /// A product is there, and nothing is told of its stock or its prices.
    pub const UNTOLD: &'static str = "SYN-0132";
}

/// Seconds until a record that was told in another shape, or not at all, is read again.
const AGAIN_S: u32 = 1800;

/// Seconds until attempt number `attempt` (from 1) of something that failed: 2, 4, 8 … at most 60.
#[must_use]
pub fn backoff_s(attempt: u32) -> u32 {
    2u32.saturating_pow(attempt.clamp(1, 6)).min(60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn what_was_told_in_another_shape_is_read_again_by_itself() {
        let again = |kind: ErrorKind| Hold::new(kind.code(), "", "").again_s();
        assert_eq!((again(ErrorKind::Broken), again(ErrorKind::Invalid)), (Some(1800), None));
        assert_eq!(Hold::new(Hold::UNTOLD, "", "").again_s(), Some(1800));
    }

    #[test]
    fn each_error_says_what_happens_next_under_a_code_of_its_own() {
        let rows = [
            (ErrorKind::Unreachable, Next::Later, "tried again by itself"),
            (ErrorKind::Busy, Next::Later, "tried again by itself"),
            (ErrorKind::Stale, Next::Replan, "read again by itself"),
            (ErrorKind::Exists, Next::Look, "looked up by its mark"),
            (ErrorKind::Gone, Next::Inbox, "`syncline retry`"),
            (ErrorKind::Invalid, Next::Inbox, "`syncline retry`"),
            (ErrorKind::Closed, Next::Inbox, "closed_periods"),
            (ErrorKind::Otherwise, Next::Inbox, "`syncline retry --accept`"),
            (ErrorKind::Denied, Next::Pause, "rights of that user"),
            (ErrorKind::Config, Next::Pause, "mend the file"),
            (ErrorKind::Broken, Next::Inbox, "`syncline explain`"),
            (ErrorKind::Unsupported, Next::Inbox, "by hand"),
        ];
        for (kind, next, advice) in rows {
            assert_eq!((kind.next(), kind.advice().contains(advice)), (next, true), "{kind:?}: {}", kind.advice());
            assert!(kind.code().starts_with("SYN-0"), "{kind:?}: {}", kind.code());
        }
        let codes: BTreeSet<&str> = rows.iter().map(|(kind, ..)| kind.code()).collect();
        assert_eq!(codes.len(), rows.len());
    }

    #[test]
    fn what_failed_is_tried_again_after_twice_as_long_and_after_a_minute_at_most() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, u32::MAX].map(backoff_s), [2, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
