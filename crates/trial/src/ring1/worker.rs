//! Our side of a delivery, step by step as the engine goes: what to do about a lane, and what an answer means.
//!
//! Everything that decides is the real `syncline_core::delivery`; this file holds the order in which the engine asks it.

use super::remote::{Said, Shown, Stage};
use super::store::{Ending, Lane, News, State};
use super::{millis, stamp};
use syncline_core::delivery::{Change, Delivery, Move, Permit};
use syncline_core::id::{DeliveryId, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::Leaves;
use syncline_core::policy::{ErrorKind, Next as Policy, backoff_s};
use syncline_core::profile::Guard;

/// Moves one lane may make under one lease.
const MOST_MOVES: u32 = 60;

/// What a worker does at its next step.
#[derive(Debug)]
pub(super) enum Next {
    /// Takes a lane.
    Claim,
    /// Reads its lane and decides.
    Load,
    /// Makes a planned step durable; the number is the revision it was planned on, where that counts.
    Plan(Box<Change>, Option<u64>),
    /// Notes a write.
    Note(Box<Delivery>),
    /// Sends what was noted.
    Send(Box<Permit>, Box<Delivery>),
    /// Asks the target something.
    Ask(Question),
    /// Keeps what was learned, then goes on or gives the lane back.
    Doubt(DeliveryId, News, Option<State>),
    /// Takes in what was read, then ends the delivery.
    TakeIn(DeliveryId, Shown),
    /// Ends a delivery, then goes on or gives the lane back.
    Settle(DeliveryId, Ending, Option<State>),
    /// Gives the lane back.
    Give(State),
    /// Nothing before an answer comes.
    Wait,
}

/// A question to the target.
#[derive(Debug)]
pub(super) enum Question {
    /// Which documents carry the mark.
    Search(Box<Delivery>),
    /// Which documents carry the mark besides ours.
    Sweep(Box<Delivery>, Option<u64>),
    /// Whether this document is there, to take it as the one.
    Adopt(Box<Delivery>, u64),
    /// What the document of a doubtful step shows now.
    Reread(Box<Delivery>, u64),
}

/// What a worker waits for.
#[derive(Debug)]
pub(super) enum Asked {
    /// The answer to a write.
    Write(Box<Delivery>),
    /// The answer to a question.
    Question(Question),
}

/// What reached the worker.
#[derive(Debug)]
pub(super) enum Heard {
    /// The system's answer.
    Said(Said),
    /// Nothing in time.
    Silence,
    /// A server error.
    Error,
    /// A wish for so many seconds of patience.
    Busy(u64),
    /// The id of what was made, which cannot be read.
    Unread(u64),
    /// The deadline passed before the first byte left.
    TooLate,
}

/// What is known where something is decided.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'a> {
    /// Now, in milliseconds.
    pub(super) now: u64,
    /// How often the lane was put off in a row.
    pub(super) attempts: u32,
    /// The lane's mark.
    pub(super) mark: &'a Mark,
    /// Milliseconds within which a noted request has to leave.
    pub(super) leave: u64,
}

impl Here<'_> {
    fn later(self, seconds: u64) -> State {
        State::Ready(self.now + seconds * 1000)
    }

    fn trouble(self) -> State {
        self.later(u64::from(backoff_s(self.attempts + 1)))
    }

    fn change(self, step: Step, document: Option<u64>) -> Box<Change> {
        Box::new(Change {
            kind: Kind::Order,
            step,
            mark: self.mark.clone(),
            document: document.map(remote),
            expect: None,
            leaves: Leaves::new(),
            elements: std::collections::BTreeMap::new(),
            adopt_only: false,
        })
    }
}

/// The id of a document as the core names it.
fn remote(id: u64) -> RemoteId {
    RemoteId::new("", id.to_string())
}

/// The document the core names.
pub(super) fn number(id: &RemoteId) -> u64 {
    id.id.parse().unwrap_or(0)
}

/// What to do about a lane as it was read, at the `moves`-th move under one lease.
pub(super) fn decide(lane: &Lane, moves: u32, here: Here<'_>) -> Next {
    if moves > MOST_MOVES {
        return Next::Give(here.later(60));
    }
    match &lane.delivery {
        Some(delivery) => go_on(lane, Box::new(delivery.clone()), here),
        None => begin(lane, here),
    }
}

fn go_on(lane: &Lane, delivery: Box<Delivery>, here: Here<'_>) -> Next {
    match delivery.next_move(stamp(here.now)) {
        Move::Send => Next::Note(delivery),
        Move::Look(at) if millis(at) > here.now => Next::Give(State::Ready(millis(at))),
        Move::Look(_) => Next::Ask(Question::Search(delivery)),
        Move::Adopt(id) => Next::Ask(Question::Adopt(delivery, number(&id))),
        Move::Reread => {
            let document = delivery.change.document.as_ref().map(number).or(lane.bound);
            Next::Ask(Question::Reread(delivery, document.unwrap_or(0)))
        }
        Move::Ask(_) => Next::Give(State::Held),
        // Noted under an earlier lease whose owner never came back: nobody knows what became of it.
        Move::Nothing => Next::Doubt(delivery.id, News::Unknown(None), None),
    }
}

fn begin(lane: &Lane, here: Here<'_>) -> Next {
    if let Some((delivery, _)) = lane.strays.iter().find(|(_, at)| *at <= here.now) {
        return Next::Ask(Question::Sweep(Box::new(delivery.clone()), lane.bound));
    }
    match (lane.bound, lane.seen) {
        (None, _) => Next::Plan(here.change(Step::Create, None), Some(lane.revision)),
        (Some(id), Some(Stage::Draft)) => {
            Next::Plan(here.change(Step::Advance("release".to_string()), Some(id)), Some(lane.revision))
        }
        _ => match lane.strays.iter().map(|(_, at)| *at).min() {
            Some(at) => Next::Give(State::Ready(at)),
            None => Next::Give(State::Idle),
        },
    }
}

/// What follows from what reached the worker.
pub(super) fn hear(asked: Asked, heard: Heard, here: Here<'_>) -> Next {
    match asked {
        Asked::Write(delivery) => written(&delivery, heard, here),
        Asked::Question(question) => answered(question, heard, here),
    }
}

fn written(delivery: &Delivery, heard: Heard, here: Here<'_>) -> Next {
    let create = delivery.change.step == Step::Create;
    let kind = match heard {
        Heard::Said(Said::Shows(shown)) => return done(delivery, shown, here),
        Heard::Said(Said::Found(_)) | Heard::Silence | Heard::Error => {
            return Next::Doubt(delivery.id, News::Unknown(None), None);
        }
        Heard::Unread(id) => return Next::Doubt(delivery.id, News::Unknown(Some(remote(id))), None),
        Heard::Busy(seconds) => return Next::Doubt(delivery.id, News::NotSent, Some(here.later(seconds))),
        Heard::Said(Said::Exists) => ErrorKind::Exists,
        Heard::Said(Said::Stale) | Heard::TooLate => ErrorKind::Stale,
        Heard::Said(Said::Gone) => ErrorKind::Gone,
    };
    match kind.next() {
        Policy::Look => Next::Doubt(delivery.id, News::Unknown(None), None),
        Policy::Replan if create => Next::Doubt(delivery.id, News::NotSent, None),
        Policy::Replan => Next::Doubt(delivery.id, News::Unknown(None), None),
        Policy::Later | Policy::Pause => Next::Doubt(delivery.id, News::NotSent, Some(here.trouble())),
        Policy::Inbox if delivery.change.step == Step::Delete && kind == ErrorKind::Gone => {
            Next::Settle(delivery.id, Ending::Superseded, None)
        }
        Policy::Inbox => Next::Settle(delivery.id, Ending::Refused, Some(State::Failed)),
    }
}

/// The end of a delivery whose document is `shown`.
fn done(delivery: &Delivery, shown: Shown, here: Here<'_>) -> Next {
    let ending = match delivery.change.step {
        Step::Delete => Ending::Superseded,
        _ => Ending::Done(shown.id, shown.stage, strays_at(delivery, here)),
    };
    Next::Settle(delivery.id, ending, None)
}

/// The moment after which a second draft can no longer turn up; none where the guard leaves none.
///
/// A proxy may repeat even a create that was answered, so every one of them has this moment. Where no note is open,
/// one of a worker that was held up past its lease may still be: it leaves within `leave`.
fn strays_at(delivery: &Delivery, here: Here<'_>) -> Option<u64> {
    match &delivery.guard {
        Guard::DraftElect { settle_s, .. } if delivery.change.step == Step::Create => {
            let known = delivery.settled_at().map(millis);
            Some(known.unwrap_or(here.now + here.leave + u64::from(*settle_s) * 1000))
        }
        _ => None,
    }
}

fn answered(question: Question, heard: Heard, here: Here<'_>) -> Next {
    let said = match heard {
        Heard::Said(said) => said,
        _ => return Next::Give(here.trouble()),
    };
    match (question, said) {
        (Question::Search(delivery), Said::Found(found)) => searched(&delivery, &found, here),
        (Question::Sweep(delivery, ours), Said::Found(found)) => {
            match found.iter().find(|shown| Some(shown.id) != ours) {
                Some(stray) => Next::Plan(here.change(Step::Delete, Some(stray.id)), None),
                None => Next::Settle(delivery.id, Ending::Superseded, None),
            }
        }
        (Question::Adopt(delivery, _), Said::Shows(shown)) => done(&delivery, shown, here),
        (Question::Adopt(delivery, _), _) => Next::Doubt(delivery.id, News::NothingFound, None),
        (Question::Reread(delivery, _), _) if delivery.change.step == Step::Delete => {
            Next::Settle(delivery.id, Ending::Superseded, None)
        }
        (Question::Reread(delivery, _), Said::Shows(shown)) => Next::TakeIn(delivery.id, shown),
        (Question::Reread(delivery, _), _) => Next::Settle(delivery.id, Ending::Superseded, Some(State::Held)),
        _ => Next::Give(here.trouble()),
    }
}

fn searched(delivery: &Delivery, found: &[Shown], here: Here<'_>) -> Next {
    let ids: Vec<RemoteId> = found.iter().map(|shown| remote(shown.id)).collect();
    match delivery.after_look(&ids) {
        Move::Adopt(id) => match found.iter().find(|shown| shown.id == number(&id)) {
            Some(shown) => done(delivery, *shown, here),
            None => Next::Load,
        },
        Move::Ask(_) => Next::Give(State::Held),
        _ => Next::Doubt(delivery.id, News::NothingFound, None),
    }
}
