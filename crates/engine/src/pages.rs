//! Walks the pages of what changed in a system; a list that goes round in a circle is an error, never an end.

use crate::system::{EngineError, System};
use syncline_connect::{Cursor, Error, Page};
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;
use syncline_core::text;

/// Pages of one walk after which something must be wrong.
const MOST_PAGES: usize = 1_000_000;

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
        let Self { system, kind, cursor, .. } = self;
        let page = system.connector.changes(&system.ctx, *kind, cursor).await;
        let page = page.map_err(|error| self.failed(error))?;
        self.walked += 1;
        self.state = match (page.more, page.next == self.cursor || self.walked >= MOST_PAGES) {
            (false, _) => State::Over,
            (true, true) => State::Stuck,
            (true, false) => State::More,
        };
        self.cursor = page.next.clone();
        Ok(Some(page))
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
