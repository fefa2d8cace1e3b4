//! Walks the pages of what changed in a system; a list that goes round in a circle is an error, never an end.

use crate::system::{EngineError, System};
use std::time::Duration;
use syncline_connect::{Cursor, Error, Page};
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;
use syncline_core::text;

/// Pages of one walk after which something must be wrong.
const MOST_PAGES: usize = 1_000_000;

/// How often one page is asked for.
const TRIES: u32 = 4;
/// The pause before a page is asked for again; longer each time.
const PAUSE: Duration = Duration::from_millis(300);
/// Longest rest a system may ask for that is waited out here, in seconds.
const REST_S: u32 = 15;

/// Whether a page may well come if it is asked for again: the system rests for a moment, or something between it and us
/// answered in its place. A call without any answer was sent three times already.
fn passes(error: &Error) -> bool {
    let answered = error.evidence.as_ref().is_some_and(|evidence| evidence.status != 0);
    match error.kind {
        ErrorKind::Busy => error.retry_after_s.is_none_or(|asked| asked <= REST_S),
        ErrorKind::Unreachable | ErrorKind::Broken => answered,
        _ => false,
    }
}

/// The walk over one system's changes.
#[derive(Debug)]
pub struct Pages<'a> {
    system: &'a System,
    kind: Kind,
    cursor: Cursor,
    walked: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    More,
    Over,
    /// The last page promised more and did not move.
    Stuck,
}

impl<'a> Pages<'a> {
    /// A walk over the `kind` of `system` from `cursor` on.
    #[must_use]
    pub fn from(system: &'a System, kind: Kind, cursor: Cursor) -> Self {
        Self { system, kind, cursor, walked: 0, state: State::More }
    }

    /// The next page; none where the walk is over. What a page holds is handed out before its fault is told.
    ///
    /// # Errors
    /// Where the system does not answer, or its list repeats a page or does not end.
    pub async fn next(&mut self) -> Result<Option<Page>, EngineError> {
        match self.state {
            State::Over => return Ok(None),
            State::Stuck => return Err(self.failed(self.repeats())),
            State::More => {}
        }
        let page = self.asked().await.map_err(|error| self.failed(error))?;
        self.walked += 1;
        self.state = match (page.more, page.next == self.cursor || self.walked >= MOST_PAGES) {
            (false, _) => State::Over,
            (true, true) => State::Stuck,
            (true, false) => State::More,
        };
        self.cursor = page.next.clone();
        Ok(Some(page))
    }

    /// The page at the cursor, asked for again where a trouble passes: the rest of a walk has not to begin anew for it.
    async fn asked(&self) -> Result<Page, Error> {
        let Self { system, kind, cursor, .. } = self;
        let mut tries = 1;
        loop {
            match system.connector.changes(&system.ctx, *kind, cursor).await {
                Err(error) if tries < TRIES && passes(&error) => {
                    let asked = Duration::from_secs(error.retry_after_s.unwrap_or(0).into());
                    tokio::time::sleep(asked.max(PAUSE * tries)).await;
                    tries += 1;
                }
                other => return other,
            }
        }
    }

    fn repeats(&self) -> Error {
        let (kind, place) = (self.kind.plural(), text::shown(&self.cursor.0, 200));
        let what = format!("the list of {kind} repeats a page after {} pages, at the cursor `{place}`", self.walked);
        Error::new(ErrorKind::Broken, what)
    }

    fn failed(&self, error: Error) -> EngineError {
        EngineError::System { system: self.system.name.clone(), error }
    }
}
