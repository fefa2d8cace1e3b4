//! Remembers: whole business transactions, never rows. SQLite beneath, one writer.

mod adoption;
mod case;
mod codec;
pub mod copies;
mod error;
mod file;
mod runs;
mod schema;
mod shell;
mod sql;
mod sweep;
mod types;

pub use adoption::{Adoption, TakeOver};
pub use case::{Basis, BoundTo, Case, Related, SideState, Stray};
pub use error::StoreError;
pub use runs::{RunRow, Runs, TakeBack, Written};
pub use shell::Sql;
pub use sweep::{Known, Lost, Met, SweepCount, SweepState, Tombstone, Unmet, Walk};
pub use types::*;

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use syncline_core::delivery::Noted;
use syncline_core::id::{DeliveryId, EntityId, RemoteId, RunId, SystemName, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::policy::Hold;

/// A boxed future of a transaction's result.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Every business transaction. Each is carried out whole or not at all, and is durable when its future is ready.
///
/// A decorator names the store beneath it and overrides what it changes; the store at the bottom overrides all.
pub trait Store: Debug + Send + Sync {
    /// The store that does what this one does not override.
    fn beneath(&self) -> &dyn Store;

    /// Takes in what one system shows: records as `seen`, lanes dirty, the cursor moved, all in one.
    fn accept(&self, accept: Accept) -> Fut<'_, Accepted> {
        self.beneath().accept(accept)
    }
    /// Keeps where `system` said to look, each place once.
    fn hear(&self, system: SystemUid, hints: Vec<(Kind, RemoteId)>, now: Timestamp) -> Fut<'_, ()> {
        self.beneath().hear(system, hints, now)
    }
    /// Where systems said to look, but for those of `except`, the longest ago first, so many at most.
    fn hints(&self, except: Vec<SystemUid>, limit: usize) -> Fut<'_, Vec<Hinted>> {
        self.beneath().hints(except, limit)
    }
    /// Forgets these hints, as far as nothing was said again since they were told.
    fn heeded(&self, hints: Vec<Hinted>) -> Fut<'_, ()> {
        self.beneath().heeded(hints)
    }
    /// Notes that so many changes of `kind` in `system`, which signs hints, were found without one.
    fn unhinted(&self, system: SystemUid, kind: Kind, many: u64, now: Timestamp) -> Fut<'_, ()> {
        self.beneath().unhinted(system, kind, many, now)
    }
    /// When each system last said where to look, kind by kind, and what was found since without a word of it.
    fn hearing(&self) -> Fut<'_, Vec<Hearing>> {
        self.beneath().hearing()
    }
    /// The cursor of `kind` in `system`; empty before the first read.
    fn cursor(&self, system: SystemUid, kind: Kind) -> Fut<'_, String> {
        self.beneath().cursor(system, kind)
    }
    /// Lanes that are ready, under a lease and with a new epoch each.
    fn claim(&self, claim: Claim) -> Fut<'_, Vec<Claimed>> {
        self.beneath().claim(claim)
    }
    /// Everything known about one entity.
    fn load(&self, entity: EntityId) -> Fut<'_, Case> {
        self.beneath().load(entity)
    }
    /// The entities behind remote ids of one system, `None` for one that is not bound.
    fn entities(&self, system: SystemUid, kind: Kind, ids: Vec<RemoteId>) -> Fut<'_, Vec<Option<EntityId>>> {
        self.beneath().entities(system, kind, ids)
    }
    /// The records of `kind` in `system` with an alias that begins like `start`, oldest first.
    fn alike(&self, system: SystemUid, kind: Kind, start: RemoteId) -> Fut<'_, Vec<EntityId>> {
        self.beneath().alike(system, kind, start)
    }
    /// What `entity` is called in `system`, with its elements; `None` where it is not bound there.
    fn bound(&self, entity: EntityId, system: SystemUid) -> Fut<'_, Option<BoundTo>> {
        self.beneath().bound(entity, system)
    }
    /// The systems that know each of `entities`, in their order; what hangs on a variant is where that is.
    fn known_in(&self, entities: Vec<EntityId>) -> Fut<'_, Vec<BTreeSet<SystemUid>>> {
        self.beneath().known_in(entities)
    }
    /// Makes a planned step durable, if nothing it was planned on has changed.
    fn commit_plan(&self, plan: CommitPlan) -> Fut<'_, DeliveryId> {
        self.beneath().commit_plan(plan)
    }
    /// Notes that requests are about to leave; the proofs allow one permit each.
    fn note_sending(&self, notes: Vec<Sending>) -> Fut<'_, Vec<Result<Noted, StoreError>>> {
        self.beneath().note_sending(notes)
    }
    /// Records that nobody knows what became of a request, or that a search found nothing.
    fn doubt(&self, doubt: Doubt) -> Fut<'_, ()> {
        self.beneath().doubt(doubt)
    }
    /// Ends a delivery: bindings, bases, journal, all in one.
    fn settle(&self, settle: Settle) -> Fut<'_, ()> {
        self.beneath().settle(settle)
    }
    /// Gives a lane back in a state.
    fn release(&self, release: Release) -> Fut<'_, ()> {
        self.beneath().release(release)
    }
    /// At start: what was under way becomes unknown, leases end. Returns how many deliveries were under way.
    fn recover(&self, now: Timestamp) -> Fut<'_, usize> {
        self.beneath().recover(now)
    }
    /// Takes down what the file calls its systems; what was written to one under an earlier name goes by the new one.
    fn name_systems(&self, names: BTreeMap<SystemUid, SystemName>) -> Fut<'_, ()> {
        self.beneath().name_systems(names)
    }
    /// Where each system that has been in the file answers, as far as that was kept.
    fn sites(&self) -> Fut<'_, Vec<Site>> {
        self.beneath().sites()
    }
    /// Takes down where systems answer. One that is known goes by the name it has.
    fn keep_sites(&self, sites: Vec<Site>) -> Fut<'_, ()> {
        self.beneath().keep_sites(sites)
    }
    /// Binds remote ids of several systems to one entity each. Returns how many bindings are new.
    fn adopt(&self, pairs: Vec<Adoption>, now: Timestamp) -> Fut<'_, usize> {
        self.beneath().adopt(pairs, now)
    }
    /// Takes over records that were in several systems before, each whole or not at all: whether it is new, or
    /// [`StoreError::Taken`] where one of them is another entity's.
    fn take_over(&self, rows: Vec<TakeOver>, now: Timestamp) -> Fut<'_, Vec<Result<bool, StoreError>>> {
        self.beneath().take_over(rows, now)
    }
    /// Makes held and failed lanes ready again; with `rebase`, takes both sides as they are. Returns how many.
    fn retry(&self, which: Retry, now: Timestamp) -> Fut<'_, usize> {
        self.beneath().retry(which, now)
    }
    /// Lets orders through the rule of the first day, for good; their lanes are ready. Returns how many are new.
    fn admit(&self, entities: Vec<EntityId>, now: Timestamp) -> Fut<'_, usize> {
        self.beneath().admit(entities, now)
    }
    /// Every order that was let through the rule of the first day.
    fn admitted(&self) -> Fut<'_, BTreeSet<EntityId>> {
        self.beneath().admitted()
    }
    /// Gives every variant that two systems know a ready lane of `kind`, where it has none. Returns how many are new.
    fn attend(&self, kind: Kind, now: Timestamp) -> Fut<'_, usize> {
        self.beneath().attend(kind, now)
    }
    /// Makes ready what refers to tied records of `kind`, once such were tied. Returns how many that are.
    fn wake_referring(&self, kind: Kind, now: Timestamp) -> Fut<'_, usize> {
        self.beneath().wake_referring(kind, now)
    }
    /// Where the journal stands: what is written to it from now on is later than anything read before.
    fn place_in_journal(&self) -> Fut<'_, u64> {
        self.beneath().place_in_journal()
    }
    /// Takes down what a person decided about a conflict; its lane is ready.
    fn resolve(&self, resolve: Resolve, now: Timestamp) -> Fut<'_, ()> {
        self.beneath().resolve(resolve, now)
    }
    /// The number of a pass that is about to write, begun by `command`.
    fn begin_run(&self, command: String, now: Timestamp) -> Fut<'_, RunId> {
        self.beneath().begin_run(command, now)
    }
    /// The newest passes that wrote something, or `only` one: at most `limit`, and of how many.
    fn runs(&self, only: Option<RunId>, limit: usize) -> Fut<'_, Runs> {
        self.beneath().runs(only, limit)
    }
    /// What one pass wrote, in order; nothing where there was no such pass.
    fn run_writes(&self, run: RunId) -> Fut<'_, Vec<Written>> {
        self.beneath().run_writes(run)
    }
    /// Takes down that a person takes writes back; the lane is ready, and the fields stay as they then are.
    fn take_back(&self, order: TakeBack, now: Timestamp) -> Fut<'_, ()> {
        self.beneath().take_back(order, now)
    }
    /// The next look at `kind` in `system` begins at the beginning.
    fn forget_cursor(&self, system: SystemUid, kind: Kind) -> Fut<'_, ()> {
        self.beneath().forget_cursor(system, kind)
    }
    /// What is known of each key of a page, in their order: id, and version where the listing tells one.
    fn known(&self, system: SystemUid, kind: Kind, keys: Vec<(RemoteId, Option<String>)>) -> Fut<'_, Vec<Known>> {
        self.beneath().known(system, kind, keys)
    }
    /// The bindings of `kind` in `system` that a sweep did not meet and that are not known to be gone; `limit` at most.
    fn unmet(&self, system: SystemUid, kind: Kind, met: Met, limit: usize) -> Fut<'_, Unmet> {
        self.beneath().unmet(system, kind, met, limit)
    }
    /// How many records of `kind` are bound in `system`, and how many of them are gone without a person's word.
    fn lost(&self, system: SystemUid, kind: Kind) -> Fut<'_, Lost> {
        self.beneath().lost(system, kind)
    }
    /// Notes that `system` does not have `ids` any more; their lanes are ready. Returns how many are new.
    ///
    /// Reading one of them again undoes it, and nothing counts as agreed any more.
    fn bury(&self, system: SystemUid, kind: Kind, ids: Vec<RemoteId>, now: Timestamp) -> Fut<'_, usize> {
        self.beneath().bury(system, kind, ids, now)
    }
    /// A person says that `entity` is rightly gone where it is. Returns whether it is gone anywhere.
    fn accept_gone(&self, entity: EntityId, now: Timestamp) -> Fut<'_, bool> {
        self.beneath().accept_gone(entity, now)
    }
    /// How far the sweep over `kind` in `system` has come.
    fn sweep(&self, system: SystemUid, kind: Kind) -> Fut<'_, SweepState> {
        self.beneath().sweep(system, kind)
    }
    /// Keeps how far it has come.
    fn keep_sweep(&self, system: SystemUid, kind: Kind, state: SweepState) -> Fut<'_, ()> {
        self.beneath().keep_sweep(system, kind, state)
    }
    /// What sweeps found and did not believe, until a later one over the same kind ends well.
    fn suspicions(&self) -> Fut<'_, Vec<(SystemUid, Kind, Hold)>> {
        self.beneath().suspicions()
    }
    /// Lanes by what they wait for.
    fn lanes(&self, filter: LaneFilter) -> Fut<'_, Vec<LaneRow>> {
        self.beneath().lanes(filter)
    }
    /// Counts of lanes by kind and state.
    fn tally(&self) -> Fut<'_, Vec<TallyRow>> {
        self.beneath().tally()
    }
    /// The story of one entity.
    fn story(&self, entity: EntityId) -> Fut<'_, Story> {
        self.beneath().story(entity)
    }
    /// Main bindings of `kind` in `system`, by entity.
    fn bindings(&self, system: SystemUid, kind: Kind) -> Fut<'_, Vec<(EntityId, RemoteId)>> {
        self.beneath().bindings(system, kind)
    }
    /// The papers of `kind` below the document `order` of `system`.
    fn papers_of(&self, system: SystemUid, kind: Kind, order: RemoteId) -> Fut<'_, Vec<EntityId>> {
        self.beneath().papers_of(system, kind, order)
    }
    /// Whether anything of `kind` is bound in `system`.
    fn binds_any(&self, system: SystemUid, kind: Kind) -> Fut<'_, bool> {
        self.beneath().binds_any(system, kind)
    }
    /// Ties `entity` to a document of `system` that is another one's already: both mean the same thing there.
    fn share(&self, entity: EntityId, system: SystemUid, id: RemoteId, now: Timestamp) -> Fut<'_, ()> {
        self.beneath().share(entity, system, id, now)
    }
    /// What `system` merged into `into`: whoever was tied to `from` is tied to that one from now on, `from` stays as a
    /// second name of it, and nothing counts as agreed. Returns those whose tie was moved.
    fn merge(
        &self,
        system: SystemUid,
        kind: Kind,
        (from, into): (RemoteId, RemoteId),
        now: Timestamp,
    ) -> Fut<'_, Vec<EntityId>> {
        self.beneath().merge(system, kind, (from, into), now)
    }
    /// Takes the personal text of these customers out of the store, where `really`: what any system showed of them or was
    /// sent, their exchanges and those of their orders, and an e-mail address that stands for a guest. Ids, amounts, marks and
    /// hashes stay, and nothing that tells of them is taken in again, unless they order anew. Nothing is done while any of it is
    /// under way.
    fn erase(&self, people: Vec<EntityId>, really: bool, now: Timestamp) -> Fut<'_, Erased> {
        self.beneath().erase(people, really, now)
    }
    /// Everybody of whom a system told this e-mail address, as it is matched.
    fn people_of(&self, mail: String) -> Fut<'_, Vec<EntityId>> {
        self.beneath().people_of(mail)
    }
    /// Takes exchanges from before `before` out of the store, but those of what is open, `limit` of them at most; how many.
    fn prune(&self, before: Timestamp, limit: usize) -> Fut<'_, usize> {
        self.beneath().prune(before, limit)
    }
    /// Keeps a computed plan, or reads one back.
    fn plan(&self, plan: PlanBook) -> Fut<'_, Option<String>> {
        self.beneath().plan(plan)
    }
}
