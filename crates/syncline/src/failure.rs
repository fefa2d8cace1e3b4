//! How a command ends: the exit codes, and failures with code, what and remedy.

use serde_json::{Value, json};
use std::process::ExitCode;
use syncline_connect::{Error, Evidence};
use syncline_core::id::SystemName;
use syncline_core::policy::ErrorKind;
use syncline_core::text::shown;
use syncline_engine::EngineError;
use syncline_engine::config::ConfigError;
use syncline_engine::status::FlowStatus;
use syncline_store::StoreError;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Both sides agree, or what was asked for is done.
    Agreed = 0,
    /// It failed.
    Failed = 1,
    /// There is something to send; for `verify`, drift.
    Pending = 2,
    /// Nothing to send, but something is open.
    Open = 3,
    /// The command line makes no sense.
    Usage = 64,
    /// Another process holds the store.
    Held = 75,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// The code for how the flows stand.
    pub(crate) fn of<'a>(flows: impl IntoIterator<Item = &'a FlowStatus>) -> Self {
        let (ready, open) =
            flows.into_iter().fold((0, 0), |(ready, open), flow| (ready + flow.ready, open + flow.open()));
        match (ready, open) {
            (0, 0) => Self::Agreed,
            (0, _) => Self::Open,
            _ => Self::Pending,
        }
    }
}

/// Why a command ends without what was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) code: String,
    pub(crate) what: String,
    pub(crate) remedy: String,
    pub(crate) evidence: Option<Box<Evidence>>,
}

/// Characters of the raw answer that are shown.
const ANSWER_SHOWN: usize = 500;

impl Failure {
    pub(crate) fn new(code: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, code: code.into(), what: what.into(), remedy: remedy.into(), evidence: None }
    }

    /// A command line that makes no sense.
    pub(crate) fn usage(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new("SYN-0001", what, remedy) }
    }

    /// What `system` answered.
    pub(crate) fn system(system: &SystemName, error: &Error) -> Self {
        let what = format!("{system}: {}", error.message);
        // The advice is for a record that is tried again; a command that ends is run again.
        let remedy = match error.kind {
            ErrorKind::Unreachable => "check that the url is right and the system is up, then run again",
            ErrorKind::Busy => "wait a moment, then run again",
            ErrorKind::Broken => {
                "see what it answered with `--json`, and ask the system's administrator what answers there"
            }
            other => other.advice(),
        };
        Self { evidence: error.evidence.clone(), ..Self::new(error.kind.code(), what, remedy) }
    }

    /// A failure told as `SYN-0000: what: remedy`, or with the remedy `otherwise`.
    fn told(text: &str, otherwise: &str) -> Self {
        let (code, rest) = text.split_once(": ").filter(|(code, _)| code.starts_with("SYN-")).unwrap_or(("", text));
        let code = if code.is_empty() { "SYN-0900" } else { code };
        match rest.rsplit_once(": ") {
            Some((what, remedy)) if otherwise.is_empty() => Self::new(code, what, remedy),
            _ => Self::new(code, rest, otherwise),
        }
    }

    pub(crate) fn json(&self) -> Value {
        let mut error = json!({"code": self.code, "what": self.what, "remedy": self.remedy});
        if let (Some(evidence), Some(fields)) = (&self.evidence, error.as_object_mut()) {
            let received = shown(&evidence.received, ANSWER_SHOWN);
            let told = json!({"request": evidence.request, "status": evidence.status, "received": received});
            fields.insert("evidence".to_string(), told);
        }
        json!({ "error": error })
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::System { system, error } => Self::system(&system, &error),
            EngineError::Asked(hold) => Self::new(&hold.code, hold.what, hold.remedy),
            EngineError::Setup(text) if text.starts_with("SYN-0401") || text.starts_with("SYN-0402") => {
                Self::told(&text, "add it to the file (`syncline init` writes one that has it)")
            }
            EngineError::Setup(text) if text.starts_with("SYN-0403") => Self::told(&text, ""),
            EngineError::Setup(text) => Self::told(&text, "report this as a defect, with what was run"),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Held(_) => Self { exit: Exit::Held, ..Self::told(&text, "") },
            StoreError::Newer { .. } | StoreError::Older { .. } | StoreError::Full => Self::told(&text, ""),
            StoreError::Foreign { .. } => {
                let remedy =
                    "name another file with `store = \"…\"` at the top of the configuration, or move that one away";
                Self::told(&text, remedy)
            }
            StoreError::Open { .. } => Self::told(&text, "check that the directory is there and may be written to"),
            StoreError::Sql(_) => Self::told(&text, "check disk and rights beside the store, then run again"),
            StoreError::Damaged { .. } => Self::told(&text, "restore a backup of the store; keep this one for a look"),
            StoreError::Stale | StoreError::Overtaken | StoreError::Taken(_) | StoreError::Circles(_) => {
                Self::told(&text, "run it again")
            }
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(error.code, error.to_string(), error.remedy)
    }
}
