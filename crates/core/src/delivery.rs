//! The life of one write: noted before it leaves, permitted once, settled by what is found.
//!
//! A request that timed out may land after any look. What may be done next therefore follows from the guard the
//! target offers (see [`Guard`]), and a [`Permit`] to send exists only for a note that is already durable.

use crate::id::{DeliveryId, EntityId, Epoch, Mark, RemoteId, SystemName};
use crate::kind::{Kind, Step};
use crate::leaf::Leaves;
use crate::path::Path;
use crate::policy::Hold;
use crate::profile::Guard;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What one write is to bring about. References and codes are already the target's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Kind of the document.
    pub kind: Kind,
    /// What is done to it.
    pub step: Step,
    /// Our key for it.
    pub mark: Mark,
    /// The document, for every step but a create.
    pub document: Option<RemoteId>,
    /// The version of the document this change was planned on, where the target can check it.
    pub expect: Option<String>,
    /// The wanted fields.
    pub leaves: Leaves,
    /// What the target calls the elements that the fields name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub elements: BTreeMap<Path, String>,
    /// Only adopt a document that carries the mark already; never make one.
    #[serde(default)]
    pub adopt_only: bool,
}

/// Proof that a note stands in the store. Only a store makes one, after its commit.
#[derive(Debug, PartialEq, Eq)]
pub struct Noted {
    delivery: DeliveryId,
    epoch: Epoch,
    attempt: u32,
    deadline: Timestamp,
}

impl Noted {
    /// The proof for a note that has just been committed. Called by stores and by nothing else (checked).
    #[must_use]
    pub fn committed(delivery: DeliveryId, epoch: Epoch, attempt: u32, deadline: Timestamp) -> Self {
        Self { delivery, epoch, attempt, deadline }
    }

    /// Which note it proves.
    #[must_use]
    pub fn note(&self) -> Note {
        Note { delivery: self.delivery, epoch: self.epoch, attempt: self.attempt }
    }
}

/// What fields of a write stand for, by their paths: the bytes of images. They are in no store.
pub type Contents = BTreeMap<Path, Content>;

/// The bytes of one image.
#[derive(Clone, PartialEq, Eq)]
pub struct Content(pub Vec<u8>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes)", self.0.len())
    }
}

/// The right to send one request, once. It cannot be copied and is used up by the write.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    noted: Noted,
    change: Change,
    contents: Contents,
}

impl Permit {
    /// What is to be brought about.
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// The same right with what its fields stand for.
    #[must_use]
    pub fn carrying(self, contents: Contents) -> Self {
        Self { contents, ..self }
    }

    /// What the field at `path` stands for, where it was handed over.
    #[must_use]
    pub fn content(&self, path: &Path) -> Option<&[u8]> {
        self.contents.get(path).map(|content| content.0.as_slice())
    }

    /// The note behind it.
    #[must_use]
    pub fn note(&self) -> Note {
        self.noted.note()
    }

    /// The moment after which its first byte must not leave any more.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.noted.deadline
    }
}

/// Which note a request goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The lane's epoch it was noted under.
    pub epoch: Epoch,
    /// Which attempt of that delivery, from 1.
    pub attempt: u32,
}

/// The permit for a noted change.
#[must_use]
pub fn advance(noted: Noted, change: Change) -> Permit {
    Permit { noted, change, contents: Contents::new() }
}

/// How far a delivery has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Decided, nothing sent. `looked`: the target was searched for our mark and had nothing.
    Planned {
        /// Whether the target has been searched.
        looked: bool,
        /// Deadline of the first request noted since the target was last searched in vain; none where none was.
        #[serde(default)]
        first: Option<Timestamp>,
    },
    /// A request is noted and may be under way.
    Sending {
        /// Which attempt, from 1.
        attempt: u32,
        /// No byte of it leaves after this.
        deadline: Timestamp,
        /// Deadline of the first request noted since the target was last searched in vain.
        #[serde(default)]
        first: Option<Timestamp>,
    },
    /// A request was noted and nobody knows what became of it.
    Unknown {
        /// Which attempt, from 1.
        attempt: u32,
        /// No byte of it left after this.
        deadline: Timestamp,
        /// Deadline of the first request noted since the target was last searched in vain.
        #[serde(default)]
        first: Option<Timestamp>,
        /// The document it made, where that much was learned.
        learned: Option<RemoteId>,
    },
    /// It happened.
    Done,
    /// The target said no; nothing happened.
    Refused,
    /// What it was for is decided anew from what the target shows.
    Superseded,
}

impl Progress {
    /// How many requests were noted so far.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self {
            Self::Sending { attempt, .. } | Self::Unknown { attempt, .. } => *attempt,
            _ => 0,
        }
    }

    /// Deadline of the first request noted since the target was last searched in vain.
    #[must_use]
    pub fn first(&self) -> Option<Timestamp> {
        match self {
            Self::Planned { first, .. } | Self::Sending { first, .. } | Self::Unknown { first, .. } => *first,
            _ => None,
        }
    }

    /// What a process that begins anew knows of it: of what was being sent nobody knows what became, and what was searched for
    /// in vain is searched for again. The store may be an older copy, and what it goes on to send was sent since.
    #[must_use]
    pub fn anew(self) -> Self {
        match self {
            Self::Sending { attempt, deadline, first } => Self::Unknown { attempt, deadline, first, learned: None },
            Self::Planned { first, .. } => Self::Planned { looked: false, first },
            other => other,
        }
    }

    /// Whether nothing more will come of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Refused | Self::Superseded)
    }
}

/// One write under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its number.
    pub id: DeliveryId,
    /// Whose lane it runs in.
    pub lane: EntityId,
    /// Where it goes.
    pub target: SystemName,
    /// How the target keeps a second one away.
    pub guard: Guard,
    /// What it is to bring about.
    pub change: Change,
    /// How far it has come.
    pub progress: Progress,
    /// Why it is done.
    pub reason: String,
    /// Set when an attempt's fate was ever unknown: strays may exist.
    pub doubtful: bool,
}

/// What may be done next with a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Note and send.
    Send,
    /// Search the target for the mark, not before this moment.
    Look(Timestamp),
    /// Take this document as the one.
    Adopt(RemoteId),
    /// Read the document and decide anew.
    Reread,
    /// A person decides.
    Ask(Hold),
    /// Nothing; it is over.
    Nothing,
}

impl Delivery {
    /// What may be done now.
    #[must_use]
    pub fn next_move(&self, now: Timestamp) -> Move {
        match &self.progress {
            Progress::Planned { looked, .. } => {
                if let Some(at) = self.forgotten(now) {
                    return Move::Look(at);
                }
                let safe = self.change.step != Step::Create
                    || (matches!(self.guard, Guard::Key { .. } | Guard::Unique { .. }) && !self.change.adopt_only)
                    || *looked;
                if safe { Move::Send } else { Move::Look(now) }
            }
            Progress::Sending { .. } => Move::Nothing,
            Progress::Unknown { deadline, learned, .. } => self.after_doubt(*deadline, learned.as_ref(), now),
            Progress::Done | Progress::Refused | Progress::Superseded => Move::Nothing,
        }
    }

    fn after_doubt(&self, deadline: Timestamp, learned: Option<&RemoteId>, now: Timestamp) -> Move {
        if self.change.step != Step::Create {
            return Move::Reread;
        }
        if let Some(id) = learned {
            return Move::Adopt(id.clone());
        }
        match &self.guard {
            Guard::Key { .. } => self.forgotten(now).map_or(Move::Send, Move::Look),
            Guard::Unique { .. } | Guard::DraftElect { .. } => Move::Look(now),
            Guard::Look { settle_s, .. } => Move::Look(after(deadline, *settle_s)),
            Guard::None => Move::Ask(Hold::new(
                "SYN-0120",
                "a create was sent and no answer came; this system cannot be asked whether it happened",
                "look in the system: if the document is there, `syncline adopt` it; if not, `syncline retry` it",
            )),
        }
    }

    /// Where the target may have forgotten our key: the moment from which a search tells all there is.
    ///
    /// A key counts from its first use. Half of that time is for sending again; the other half outlasts what was sent last.
    fn forgotten(&self, now: Timestamp) -> Option<Timestamp> {
        let (Guard::Key { retention_s }, Some(first)) = (&self.guard, self.progress.first()) else { return None };
        (self.change.step == Step::Create && now >= after(first, retention_s / 2)).then(|| after(first, *retention_s))
    }

    /// What a search for the mark means: `found` are the documents that carry it and are not withdrawn.
    #[must_use]
    pub fn after_look(&self, found: &[RemoteId]) -> Move {
        match (found, &self.guard) {
            ([], _) => Move::Send,
            ([one], _) => Move::Adopt(one.clone()),
            (several, Guard::DraftElect { .. }) => {
                several.iter().min_by(eldest).map_or(Move::Send, |one| Move::Adopt(one.clone()))
            }
            (several, _) => Move::Ask(Hold::new(
                "SYN-0121",
                alloc::format!("{} documents carry the mark {}", several.len(), self.change.mark),
                "keep one of them, cancel the others in the system, then `syncline retry`",
            )),
        }
    }

    /// From which moment no request of this delivery can land any more, where that is known.
    #[must_use]
    pub fn settled_at(&self) -> Option<Timestamp> {
        let settle = self.guard.settle_s()?;
        match &self.progress {
            Progress::Sending { deadline, .. } | Progress::Unknown { deadline, .. } => Some(after(*deadline, settle)),
            _ => None,
        }
    }
}

fn eldest(a: &&RemoteId, b: &&RemoteId) -> core::cmp::Ordering {
    (a.id.len(), &a.id).cmp(&(b.id.len(), &b.id))
}

/// `seconds` after `moment`, at most the end of time.
#[must_use]
pub fn after(moment: Timestamp, seconds: u32) -> Timestamp {
    moment.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(guard: Guard, step: Step, progress: Progress) -> Delivery {
        let change = Change {
            kind: Kind::Order,
            step,
            mark: Mark::new("SLX"),
            document: None,
            expect: None,
            leaves: Leaves::new(),
            elements: BTreeMap::new(),
            adopt_only: false,
        };
        Delivery {
            id: DeliveryId(1),
            lane: EntityId(1),
            target: SystemName::new("erp"),
            guard,
            change,
            progress,
            reason: String::new(),
            doubtful: false,
        }
    }

    #[test]
    fn a_process_that_begins_anew_takes_no_ones_word_for_what_is_not_there() {
        let first = Some(at(7));
        let looked = |looked: bool| Progress::Planned { looked, first };
        assert_eq!(looked(true).anew(), looked(false));
        let sending = Progress::Sending { attempt: 2, deadline: at(9), first };
        assert_eq!(sending.anew(), Progress::Unknown { attempt: 2, deadline: at(9), first, learned: None });
        assert_eq!((unknown().anew(), Progress::Done.anew()), (unknown(), Progress::Done));
    }

    fn unknown() -> Progress {
        Progress::Unknown { attempt: 1, deadline: Timestamp::UNIX_EPOCH, first: None, learned: None }
    }

    #[test]
    fn a_create_behind_a_weak_guard_looks_before_it_sends() {
        let now = Timestamp::UNIX_EPOCH;
        let draft = Guard::DraftElect { field: "description".into(), settle_s: 60 };
        let first = delivery(draft.clone(), Step::Create, Progress::Planned { looked: false, first: None });
        assert_eq!(first.next_move(now), Move::Look(now));
        let second = delivery(draft, Step::Create, Progress::Planned { looked: true, first: None });
        assert_eq!(second.next_move(now), Move::Send);
        let unique = delivery(
            Guard::Unique { field: "code".into() },
            Step::Create,
            Progress::Planned { looked: false, first: None },
        );
        assert_eq!(unique.next_move(now), Move::Send);
    }

    #[test]
    fn after_doubt_a_look_guard_waits_until_nothing_can_land() {
        let look = delivery(Guard::Look { field: "ref".into(), settle_s: 90 }, Step::Create, unknown());
        assert_eq!(look.next_move(Timestamp::UNIX_EPOCH), Move::Look(after(Timestamp::UNIX_EPOCH, 90)));
        let none = delivery(Guard::None, Step::Create, unknown());
        assert!(matches!(none.next_move(Timestamp::UNIX_EPOCH), Move::Ask(_)));
        let stage = delivery(Guard::None, Step::Advance("confirm".into()), unknown());
        assert_eq!(stage.next_move(Timestamp::UNIX_EPOCH), Move::Reread);
    }

    #[test]
    fn of_two_drafts_the_eldest_is_elected_and_of_two_others_a_person_chooses() {
        let ids = [RemoteId::new("", "12"), RemoteId::new("", "9")];
        let draft = delivery(Guard::DraftElect { field: "d".into(), settle_s: 1 }, Step::Create, unknown());
        assert_eq!(draft.after_look(&ids), Move::Adopt(RemoteId::new("", "9")));
        let unique = delivery(Guard::Unique { field: "d".into() }, Step::Create, unknown());
        assert!(matches!(unique.after_look(&ids), Move::Ask(_)));
    }

    fn at(seconds: u32) -> Timestamp {
        after(Timestamp::UNIX_EPOCH, seconds)
    }

    fn id(id: &str) -> RemoteId {
        RemoteId::new("", id)
    }

    #[test]
    fn a_key_is_used_for_half_its_time_and_then_all_there_is_is_looked_for_once_it_is_forgotten() {
        let key = Guard::Key { retention_s: 100 };
        let planned = |first: Option<u32>, step: Step, now: u32| {
            let progress = Progress::Planned { looked: false, first: first.map(at) };
            delivery(key.clone(), step, progress).next_move(at(now))
        };
        let create = || Step::Create;
        assert_eq!(planned(None, create(), 1_000), Move::Send, "nothing was sent yet");
        assert_eq!([planned(Some(10), create(), 59), planned(Some(10), create(), 10)], [Move::Send, Move::Send]);
        assert_eq!(
            [60, 61, 500].map(|now| planned(Some(10), create(), now)),
            [110; 3].map(|then| Move::Look(at(then)))
        );
        assert_eq!(planned(Some(10), Step::Update, 500), Move::Send, "a write of what is wanted may be sent again");
        let unknown = |now| {
            let progress = Progress::Unknown { attempt: 2, deadline: at(40), first: Some(at(10)), learned: None };
            delivery(key.clone(), Step::Create, progress).next_move(at(now))
        };
        assert_eq!([unknown(59), unknown(60)], [Move::Send, Move::Look(at(110))]);
    }

    #[test]
    fn what_is_only_to_be_adopted_is_looked_for_whatever_the_guard() {
        let next = |guard: Guard, step: Step, adopt_only, looked| {
            let mut one = delivery(guard, step, Progress::Planned { looked, first: None });
            one.change.adopt_only = adopt_only;
            one.next_move(at(5))
        };
        let unique = || Guard::Unique { field: "code".into() };
        for guard in [unique(), Guard::Key { retention_s: 100 }] {
            assert_eq!(next(guard.clone(), Step::Create, false, false), Move::Send, "{guard:?}");
            assert_eq!(next(guard.clone(), Step::Create, true, false), Move::Look(at(5)), "{guard:?}");
            assert_eq!(next(guard, Step::Create, true, true), Move::Send);
        }
        assert_eq!(next(Guard::None, Step::Create, false, false), Move::Look(at(5)));
        assert_eq!(
            next(Guard::None, Step::Update, false, false),
            Move::Send,
            "only what would be there twice is looked for"
        );
    }

    #[test]
    fn after_doubt_a_document_whose_id_was_learned_is_taken_and_others_are_looked_for() {
        let doubt = |guard: Guard, learned: Option<&str>| {
            let progress = Progress::Unknown { attempt: 1, deadline: at(30), first: None, learned: learned.map(id) };
            delivery(guard, Step::Create, progress).next_move(at(50))
        };
        let draft = || Guard::DraftElect { field: "d".into(), settle_s: 60 };
        for guard in
            [draft(), Guard::Unique { field: "d".into() }, Guard::Look { field: "d".into(), settle_s: 60 }, Guard::None]
        {
            assert_eq!(doubt(guard.clone(), Some("12")), Move::Adopt(id("12")), "{guard:?}");
        }
        assert_eq!(doubt(draft(), None), Move::Look(at(50)));
        assert_eq!(doubt(Guard::Unique { field: "d".into() }, None), Move::Look(at(50)));
        assert_eq!(doubt(Guard::Look { field: "d".into(), settle_s: 60 }, None), Move::Look(at(90)));
    }

    #[test]
    fn a_search_in_vain_lets_it_be_sent_and_one_find_is_the_document() {
        for guard in [Guard::Unique { field: "d".into() }, Guard::DraftElect { field: "d".into(), settle_s: 1 }] {
            let one = delivery(guard, Step::Create, unknown());
            assert_eq!((one.after_look(&[]), one.after_look(&[id("12")])), (Move::Send, Move::Adopt(id("12"))));
        }
        let draft = delivery(Guard::DraftElect { field: "d".into(), settle_s: 1 }, Step::Create, unknown());
        assert_eq!(draft.after_look(&[id("21"), id("100"), id("20")]), Move::Adopt(id("20")));
        let unique = delivery(Guard::Unique { field: "d".into() }, Step::Create, unknown());
        let Move::Ask(hold) = unique.after_look(&[id("1"), id("2")]) else { panic!() };
        assert_eq!((hold.code.as_str(), hold.what.as_str()), ("SYN-0121", "2 documents carry the mark SLX"));
    }

    #[test]
    fn each_state_tells_its_attempts_whether_it_is_over_and_when_nothing_can_land_any_more() {
        let (deadline, first) = (at(30), Some(at(10)));
        let rows = [
            (Progress::Planned { looked: true, first }, 0, first, false, None),
            (Progress::Sending { attempt: 3, deadline, first }, 3, first, false, Some(at(90))),
            (Progress::Unknown { attempt: 2, deadline, first, learned: None }, 2, first, false, Some(at(90))),
            (Progress::Done, 0, None, true, None),
            (Progress::Refused, 0, None, true, None),
            (Progress::Superseded, 0, None, true, None),
        ];
        for (progress, attempts, first, over, settled) in rows {
            assert_eq!(
                (progress.attempts(), progress.first(), progress.is_over()),
                (attempts, first, over),
                "{progress:?}"
            );
            let sent = !matches!(progress, Progress::Planned { .. } | Progress::Unknown { .. });
            let look = delivery(Guard::Look { field: "d".into(), settle_s: 60 }, Step::Create, progress.clone());
            assert_eq!(look.settled_at(), settled, "{progress:?}");
            assert_eq!(look.next_move(at(500)) == Move::Nothing, sent, "{progress:?}");
            assert_eq!(delivery(Guard::None, Step::Create, progress).settled_at(), None, "nobody knows");
        }
    }

    #[test]
    fn a_permit_is_for_one_change_under_one_note_and_carries_what_its_fields_stand_for() {
        let change = delivery(Guard::None, Step::Update, Progress::Done).change;
        let noted = Noted::committed(DeliveryId(7), Epoch(3), 2, at(30));
        let note = Note { delivery: DeliveryId(7), epoch: Epoch(3), attempt: 2 };
        assert_eq!(noted.note(), note);
        let permit = advance(noted, change.clone());
        let image = Path::element("images", "1f");
        assert_eq!((permit.note(), permit.deadline(), permit.change()), (note, at(30), &change));
        assert_eq!(permit.content(&image), None);
        let carrying = permit.carrying([(image.clone(), Content([1, 2, 3].to_vec()))].into());
        assert_eq!((carrying.note(), carrying.content(&image)), (note, Some(&[1, 2, 3][..])));
        assert_eq!(carrying.content(&Path::element("images", "2a")), None);
        assert_eq!(alloc::format!("{:?}", Content([7; 9].to_vec())), "Content(9 bytes)", "no bytes in a log");
    }

    #[test]
    fn no_moment_lies_after_the_end_of_time() {
        assert_eq!(after(Timestamp::UNIX_EPOCH, 90).as_second(), 90);
        assert_eq!(after(Timestamp::MAX, 90), Timestamp::MAX);
    }
}
