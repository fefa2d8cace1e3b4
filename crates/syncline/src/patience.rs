//! How long a command bears with what stands between it and a system before it gives up.

use crate::out::Out;
use std::time::Duration;
use syncline_connect::Error;
use syncline_core::policy::ErrorKind;
use syncline_engine::{Engine, EngineError};

/// How often the same trouble is met in a row before it counts as lasting.
const SAME: u32 = 3;
/// How often trouble of any sort is met.
const ANY: u32 = 12;
/// Longest pause a busy system is granted, in seconds.
const PAUSE_S: u32 = 15;

/// The troubles met so far.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    last: String,
    same: u32,
    any: u32,
}

impl Patience {
    /// How long to wait before another try; none where `error` will not pass by itself.
    pub(crate) fn pause(&mut self, error: &Error) -> Option<Duration> {
        // A call without any answer was sent three times already.
        let answered = error.evidence.as_ref().is_some_and(|evidence| evidence.status != 0);
        let passing = match error.kind {
            ErrorKind::Busy => true,
            ErrorKind::Unreachable | ErrorKind::Broken => answered,
            _ => false,
        };
        self.same = if self.last == error.message { self.same + 1 } else { 1 };
        self.last.clone_from(&error.message);
        self.any += 1;
        let asked = error.retry_after_s.unwrap_or(0);
        if !passing || self.same >= SAME || self.any >= ANY || asked > PAUSE_S {
            return None;
        }
        Some(Duration::from_secs(asked.into()).max(Duration::from_millis(300)))
    }
}

/// The result of `work` on `engine`, done again where a trouble passes. What it did before stays done.
pub(crate) async fn patiently<T>(
    engine: &Engine,
    out: Out,
    mut work: impl AsyncFnMut() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let mut patience = Patience::default();
    loop {
        let (system, error) = match work().await {
            Err(EngineError::System { system, error }) => (system, error),
            other => return other,
        };
        let Some(pause) = patience.pause(&error) else { return Err(EngineError::System { system, error }) };
        out.say(format!("{system}: {error}; tried again"));
        let until = tokio::time::Instant::now() + pause;
        while tokio::time::Instant::now() < until {
            if engine.stopping() {
                return Err(EngineError::System { system, error });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_connect::Evidence;

    fn answer(message: &str, kind: ErrorKind, status: u16) -> Error {
        Error::new(kind, message).with(Evidence { status, ..Evidence::default() })
    }

    #[test]
    fn lasting_trouble_is_told_and_passing_trouble_is_borne() {
        let mut patience = Patience::default();
        let page = answer("an HTML page", ErrorKind::Unreachable, 502);
        assert!(patience.pause(&page).is_some() && patience.pause(&page).is_some());
        assert_eq!(patience.pause(&page), None, "three times the same");
        assert_eq!(Patience::default().pause(&answer("refused", ErrorKind::Unreachable, 0)), None);
        assert_eq!(Patience::default().pause(&answer("wrong password", ErrorKind::Denied, 401)), None);
        let mut busy = answer("later", ErrorKind::Busy, 429);
        busy.retry_after_s = Some(2);
        assert_eq!(Patience::default().pause(&busy), Some(Duration::from_secs(2)));
        busy.retry_after_s = Some(900);
        assert_eq!(Patience::default().pause(&busy), None);
    }
}
