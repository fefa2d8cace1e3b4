//! The words a trace is told in: worker `#0`, and two more numbers.

use super::remote::{Ask, Said};
use super::store::{News, State};
use super::weather::Fate;
use super::worker::Heard;
use syncline_core::kind::Step;

/// What a worker plans.
pub(super) fn step(step: &Step) -> &'static str {
    match step {
        Step::Create => "worker #0 plans to create a document for order #1",
        Step::Delete => "worker #0 plans to remove a second draft of order #1",
        _ => "worker #0 plans to release the document of order #1",
    }
}

/// What a worker keeps in the store.
pub(super) fn news(news: &News) -> &'static str {
    match news {
        News::Unknown(None) => "worker #0 keeps: the fate of delivery #1 is unknown",
        News::Unknown(Some(_)) => "worker #0 keeps: delivery #1 made a document that cannot be read",
        News::NotSent => "worker #0 keeps: delivery #1 was not carried out",
        News::NothingFound => "worker #0 keeps: nothing of delivery #1 is there",
    }
}

/// How a worker gives a lane back.
pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Ready(_) => "worker #0 gives order #1 back, for later",
        State::Idle => "worker #0 gives order #1 back, agreed",
        State::Held => "worker #0 gives order #1 to a person",
        State::Failed => "worker #0 gives order #1 back, refused",
    }
}

/// What becomes of a request that leaves.
pub(super) fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Fine(_) => "worker #0 sends delivery #1, attempt #2",
        Fate::LostRequest => "worker #0 sends delivery #1, attempt #2: the request is lost",
        Fate::LostReply(_) => "worker #0 sends delivery #1, attempt #2: the answer will be lost",
        Fate::Late(_) => "worker #0 sends delivery #1, attempt #2: it will land late",
        Fate::Repeated(..) => "worker #0 sends delivery #1, attempt #2: a proxy repeats it",
        Fate::CommitThenError(_) => "worker #0 sends delivery #1, attempt #2: it is done, and the answer an error",
        Fate::Error => "worker #0 sends delivery #1, attempt #2: it is not done, and the answer an error",
        Fate::Busy(_) => "worker #0 sends delivery #1, attempt #2: the system asks for patience",
        Fate::Unread(_) => "worker #0 sends delivery #1, attempt #2: it is done, and cannot be read back",
    }
}

/// What a request does where it lands.
pub(super) fn ask(ask: Ask) -> &'static str {
    match ask {
        Ask::Create(_) => "a create of worker #0 lands: document #1",
        Ask::Release(_) => "a release of worker #0 lands: document #1",
        Ask::Delete(_) => "a removal of worker #0 lands: document #1",
        Ask::Find(_) => "a search of worker #0 is answered",
        Ask::Read(_) => "a read of worker #0 is answered: document #1",
    }
}

/// What reaches a worker.
pub(super) fn heard(heard: &Heard) -> &'static str {
    match heard {
        Heard::Said(Said::Shows(_)) => "worker #0 hears of a document",
        Heard::Said(Said::Found(_)) => "worker #0 hears what was found",
        Heard::Said(Said::Exists) => "worker #0 hears that one is there already",
        Heard::Said(Said::Stale) => "worker #0 hears that the document moved on",
        Heard::Said(Said::Gone) => "worker #0 hears that the document is gone",
        Heard::Silence => "worker #0 hears nothing in time",
        Heard::Error => "worker #0 hears a server error",
        Heard::Busy(_) => "worker #0 hears: later",
        Heard::Unread(_) => "worker #0 hears an id",
        Heard::TooLate => "worker #0 sent nothing",
    }
}
