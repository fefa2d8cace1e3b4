//! What goes into the transactions and what comes out.

use crate::{Basis, Case};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use syncline_core::delivery::{Change, Delivery};
use syncline_core::id::{DeliveryId, EntityId, Epoch, RemoteId, RunId, SystemName, SystemUid};
use syncline_core::journal::Entry;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::policy::Hold;
use syncline_core::profile::Guard;

/// One record as a system shows it.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Its kind.
    pub kind: Kind,
    /// Its id there.
    pub id: RemoteId,
    /// Further ids it answers to there.
    pub aliases: Vec<RemoteId>,
    /// What the read tells, in that system's own words. What it does not tell stays as stored.
    pub leaves: Leaves,
    /// Its version there.
    pub version: Option<String>,
    /// What a person calls it: an order number; never personal text.
    pub label: String,
    /// How it came to be told.
    pub told: Told,
    /// What an order takes from stock; none where its system does not tell that: what is known of it stays.
    pub takes: Option<Vec<Taken>>,
    /// Why it cannot be taken as it is; its lane is held with this.
    pub refused: Option<Hold>,
}

/// Where a system answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The system.
    pub uid: SystemUid,
    /// What the file calls it; of one that the store knows, what it called it when its rules were last followed.
    pub name: SystemName,
    /// Its sort and address; none where that was not kept yet, empty where another installation took its place.
    pub url: Option<String>,
    /// Which part of what is there it is: a website, a company; empty for all.
    pub scope: String,
}

/// How a record came to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// By its own system as news: its lane is ready where anything changed.
    News,
    /// In passing by another document: fills gaps, changes nothing that is known, starts nothing.
    InPassing,
    /// As news, by the system whose records are made in others: taken in even where nobody tied it.
    Origin,
    /// On our own request by whoever has the lane in hand: starts nothing.
    Asked,
}

/// What one order takes from the stock of one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The variant, as the order's system calls it.
    pub variant: RemoteId,
    /// A second name of it within the same scope.
    pub alias: Option<String>,
    /// How much, in the variant's unit.
    pub quantity: Decimal,
}

/// How far the ERP has come with what an order takes from stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitmentState {
    /// It has not reserved it.
    Open,
    /// It has reserved it.
    Reserved,
    /// It never will: the order is not part of the flow.
    Outside,
}

/// What one order takes from a stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment {
    /// How much.
    pub quantity: Decimal,
    /// Where in the journal the ERP had it reserved; none where it has not. Figures asked for later show it.
    pub reserved: Option<u64>,
}

/// A read taken in.
#[derive(Debug, Clone)]
pub struct Accept {
    /// The system read.
    pub system: SystemUid,
    /// What it showed, dependencies first.
    pub records: Vec<Incoming>,
    /// Where the read goes on: kind and cursor.
    pub cursor: Option<(Kind, String)>,
    /// Where the journal stood when the read began, where that counts: figures may have to be younger than something else,
    /// and of what was written by us or found gone since then an older look tells nothing.
    pub asked_at: Option<u64>,
    /// When.
    pub now: Timestamp,
}

/// Where a system said to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hinted {
    /// Which system.
    pub system: SystemUid,
    /// What sort of record.
    pub kind: Kind,
    /// Which one, in the words of that system.
    pub id: RemoteId,
    /// How often it was said until now.
    pub times: u64,
}

/// How a system keeps telling where to look for records of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hearing {
    /// Which system.
    pub system: SystemUid,
    /// What sort of records.
    pub kind: Kind,
    /// When it last said where to look; none where it never did.
    pub heard: Option<Timestamp>,
    /// Changes found since without a word of it.
    pub missed: u64,
    /// When the first of them was found; none where there is none.
    pub since: Option<Timestamp>,
    /// When the last of them was.
    pub latest: Option<Timestamp>,
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accepted {
    /// Records never seen before.
    pub new: usize,
    /// Records that changed.
    pub changed: usize,
    /// Records that are as they were.
    pub same: usize,
}

impl Accepted {
    /// Nothing: what another read brought is counted, too.
    pub fn add(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.same += other.same;
    }
}

/// A wish for work.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Now.
    pub now: Timestamp,
    /// How long the lanes are kept from others.
    pub lease_s: u32,
    /// How many at most.
    pub limit: usize,
    /// Only these lanes; empty for any.
    pub only: Vec<EntityId>,
    /// None of these kinds.
    pub except: Vec<Kind>,
}

/// A lane under lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// The entity whose lane it is.
    pub entity: EntityId,
    /// Its kind.
    pub kind: Kind,
    /// The epoch every commit has to name.
    pub epoch: Epoch,
    /// How often it failed in a row.
    pub attempts: u32,
}

/// What one side of a pair showed when both agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The system that showed it.
    pub system: SystemUid,
    /// The one it agreed with.
    pub peer: SystemUid,
    /// What it showed, in its own words.
    pub leaves: Leaves,
    /// Laid over the base that is there, not put in its place.
    pub over: bool,
}

impl Base {
    /// The bases of both systems of a pair for the fields they now agree on, each with what it showed; laid over those
    /// that are there.
    #[must_use]
    pub fn laid_over(system: (&SystemUid, Leaves), peer: (&SystemUid, Leaves)) -> Vec<Self> {
        let base = |system: &SystemUid, peer: &SystemUid, leaves| Self {
            system: system.clone(),
            peer: peer.clone(),
            leaves,
            over: true,
        };
        vec![base(system.0, peer.0, system.1), base(peer.0, system.0, peer.1)]
    }
}

/// What both sides of a pair were found to agree on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreed {
    /// What they showed: revision per system. Nothing is noted where one has moved on.
    pub revisions: BTreeMap<SystemUid, u64>,
    /// Their bases.
    pub bases: Vec<Base>,
    /// Chosen values that both show by now: the system the pair goes to, and the path.
    pub over_with: Vec<(SystemUid, Path)>,
    /// Writes whose undo is over: the system written to, the one the value came from, and the path.
    pub lifted: Vec<(SystemUid, SystemUid, Path)>,
}

/// What a person decided about fields on which two systems differ.
#[derive(Debug, Clone)]
pub struct Resolve {
    /// The record.
    pub entity: EntityId,
    /// What was decided on: revision per system.
    pub revisions: BTreeMap<SystemUid, u64>,
    /// What counts as agreed by it.
    pub bases: Vec<Base>,
    /// Values both sides get: the system the pair goes to, the field, and the value; none to empty it.
    pub chosen: Vec<(SystemUid, Path, Option<Value>)>,
    /// In words, for the journal, without personal text.
    pub told: String,
}

/// A planned step to be made durable.
#[derive(Debug, Clone)]
pub struct CommitPlan {
    /// The lane.
    pub lane: EntityId,
    /// Its epoch.
    pub epoch: Epoch,
    /// What the plan was made on: revision per system.
    pub revisions: BTreeMap<SystemUid, u64>,
    /// Where the step goes.
    pub target: SystemName,
    /// How the target keeps a second one away.
    pub guard: Guard,
    /// The step.
    pub change: Change,
    /// Why.
    pub reason: String,
    /// What the other system showed, where the step goes by fields.
    pub basis: Option<Basis>,
    /// When.
    pub now: Timestamp,
}

/// A request about to leave.
#[derive(Debug, Clone)]
pub struct Sending {
    /// Its delivery.
    pub delivery: DeliveryId,
    /// The lane.
    pub lane: EntityId,
    /// The lane's epoch.
    pub epoch: Epoch,
    /// No first byte leaves after this.
    pub deadline: Timestamp,
    /// What the target shows before of the fields that are written, kept for undo; none where it shows nothing yet.
    pub pre_image: Option<Leaves>,
    /// The pass it is sent in.
    pub run: RunId,
    /// What has to have been still since it was decided.
    pub still: Still,
    /// When.
    pub now: Timestamp,
}

/// Lanes of which nothing may have been sent, nor come back, after a row of the journal: what a write was decided from shows
/// all that was sent before.
#[derive(Debug, Clone, Default)]
pub struct Still {
    /// The row.
    pub since: u64,
    /// The lanes.
    pub lanes: Vec<EntityId>,
}

/// What was learned about a delivery that is not over.
#[derive(Debug, Clone)]
pub struct Doubt {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The lane.
    pub lane: EntityId,
    /// The lane's epoch.
    pub epoch: Epoch,
    /// What was learned.
    pub news: News,
    /// For the journal.
    pub entry: Entry,
    /// The raw exchange, as JSON.
    pub evidence: Option<String>,
    /// When.
    pub now: Timestamp,
}

/// What was learned about a delivery that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Nobody knows what became of the request; the document's id where that much came back.
    Unknown(Option<RemoteId>),
    /// The request was surely not carried out; it may be sent again.
    NotSent,
    /// The target was searched and has nothing.
    NothingFound,
}

/// How a delivery ended.
#[derive(Debug, Clone)]
pub enum Ending {
    /// It happened: the document as the target shows it.
    Done {
        /// The document.
        id: RemoteId,
        /// What it shows, in the target's own words.
        leaves: Leaves,
        /// Its version.
        version: Option<String>,
        /// Its elements: our path → the target's key.
        elements: Vec<(Path, String)>,
    },
    /// The target said no.
    Refused,
    /// What it was for is decided anew.
    Superseded,
}

/// The end of a delivery.
#[derive(Debug, Clone)]
pub struct Settle {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The lane.
    pub lane: EntityId,
    /// The lane's epoch.
    pub epoch: Epoch,
    /// The system written to.
    pub system: SystemUid,
    /// How it ended.
    pub ending: Ending,
    /// For an order: how far the ERP has come with what it takes from stock, where this write told it.
    pub commitments: Option<CommitmentState>,
    /// Look at the target once more at this moment: a request that landed late may have left something behind.
    pub strays_at: Option<Timestamp>,
    /// What both sides agree on by it.
    pub agreed: Vec<Base>,
    /// For the journal.
    pub entry: Entry,
    /// The raw exchange, as JSON.
    pub evidence: Option<String>,
    /// When.
    pub now: Timestamp,
}

/// In which state a lane is given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaneState {
    /// Nothing to do until something changes.
    Idle,
    /// Not part of the flow; why.
    Outside(String),
    /// Placed before the flow's first day; why, and how it is let through.
    Early(Hold),
    /// Not due; why, and until when that is fine.
    Awaiting(String, Timestamp),
    /// Other lanes come first; why.
    Waiting(Vec<EntityId>, String),
    /// To be taken up again at this moment; why.
    Later(Timestamp, String),
    /// A person has to do something.
    Held(Hold),
    /// The system refused; a person has to look.
    Failed(Hold),
    /// Both systems have their own value; a person has to say which one counts.
    Conflict(Hold),
}

/// A lane given back.
#[derive(Debug, Clone)]
pub struct Release {
    /// The lane.
    pub lane: EntityId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its state.
    pub state: LaneState,
    /// When it is looked at once more although a person has to see to it: something may still land, or a system was
    /// away. None where only a change wakes it.
    pub again_at: Option<Timestamp>,
    /// Whether anything was brought about under this lease: then a failure counts as the first in a row.
    pub progressed: bool,
    /// For the journal, where there is news.
    pub entry: Option<Entry>,
    /// The raw exchange behind it, as JSON.
    pub evidence: Option<String>,
    /// For an order: how far the ERP has come with what it takes from stock.
    pub commitments: Option<CommitmentState>,
    /// For a record that systems share: what they were found to agree on.
    pub agreed: Option<Agreed>,
    /// For stock: what the ERP had reserved before this place in the journal is in its figures by now.
    pub served: Option<u64>,
    /// When.
    pub now: Timestamp,
}

/// Which lanes to make ready again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retry {
    /// Every held or failed one.
    All,
    /// One; what both sides show becomes agreed where `rebase` says so.
    One {
        /// The lane.
        entity: EntityId,
        /// Take both sides as they are.
        rebase: bool,
    },
    /// One, whatever its state: a plan wants it looked at.
    Touch(EntityId),
    /// Every one of this kind that is at rest: what both sides show is to be read anew.
    Rested(Kind),
    /// Every one that was left out or is not due: the rules that said so have changed.
    Rules,
}

/// Which lanes to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaneFilter {
    /// Of this kind only.
    pub kind: Option<Kind>,
    /// In these states only (`ready`, `waiting`, `held`, `failed`, `conflict`, `awaiting`, `idle`, `outside`, `early`); empty for all.
    pub states: Vec<&'static str>,
    /// With this label only.
    pub label: Option<String>,
    /// At most so many.
    pub limit: Option<usize>,
}

/// One lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneRow {
    /// Its entity.
    pub entity: EntityId,
    /// Its kind.
    pub kind: Kind,
    /// What a person calls it.
    pub label: String,
    /// Its state.
    pub state: String,
    /// Why it is in it.
    pub why: Option<Hold>,
    /// When it is looked at again.
    pub ready_at: Timestamp,
    /// Until when a worker has it; in the past where none has.
    pub leased_until: Timestamp,
    /// How often it failed in a row.
    pub attempts: u32,
}

/// How many lanes of one kind are in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyRow {
    /// The kind.
    pub kind: Kind,
    /// The state.
    pub state: String,
    /// How many.
    pub count: u64,
    /// Since when the oldest of them is in it.
    pub oldest: Option<Timestamp>,
    /// Since when the newest of them is in it.
    pub newest: Option<Timestamp>,
}

/// One journal entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalRow {
    /// When.
    pub at: Timestamp,
    /// Which delivery; none for our own decisions.
    pub delivery: Option<DeliveryId>,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
}

/// The story of one entity.
#[derive(Debug, Clone)]
pub struct Story {
    /// What is known.
    pub case: Case,
    /// Its lane.
    pub lane: Option<LaneRow>,
    /// What happened, oldest first.
    pub journal: Vec<JournalRow>,
    /// Deliveries with their reasons, oldest first.
    pub deliveries: Vec<Delivery>,
    /// The newest raw exchanges, as JSON, newest first.
    pub evidence: Vec<String>,
}

/// Whose personal text was erased, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Erased {
    /// How many customers.
    pub people: usize,
    /// How many orders name them.
    pub orders: usize,
    /// How many papers those orders have.
    pub papers: usize,
    /// What is not at rest of all these: nothing is erased before it is.
    pub open: Vec<LaneRow>,
    /// Until when a write about them may still land that nobody knows the end of; nothing is erased before that.
    pub strays: Option<Timestamp>,
    /// Whether it was done.
    pub done: bool,
}

/// A computed plan to keep, or to read back.
#[derive(Debug, Clone)]
pub enum PlanBook {
    /// Keeps `body` under `id`.
    Keep {
        /// The plan's id.
        id: String,
        /// Its rows, as JSON.
        body: String,
        /// When.
        now: Timestamp,
    },
    /// Reads one back; the newest where no id is given.
    Read(Option<String>),
}
