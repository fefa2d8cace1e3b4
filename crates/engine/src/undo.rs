//! Takes back what a run wrote: shown first, then put back by the same plan, note and delivery as every write.
//!
//! What was undone stays so: nothing of the field crosses until its source shows something new or a person decides,
//! and it stands in the conflict inbox until then (decision 0010).

use crate::apply::Stopped;
use crate::approval::Gate;
use crate::aside::{Aside, Asides};
use crate::images::shown;
use crate::reading::{CHUNK, read, show};
use crate::run::Engine;
use crate::satellites::Unread;
use crate::system::{EngineError, System};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::delivery::Delivery;
use syncline_core::id::{EntityId, RunId, SystemName, SystemUid};
use syncline_core::kind::{Flow, Kind, Step};
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::{Decision, Planned, Undone};
use syncline_core::policy::Hold;
use syncline_core::record::{Customer, Image, Product};
use syncline_core::rules::{FieldPolicy, PairRules};
use syncline_store::{Case, RunRow, Runs, StoreError, TakeBack, Written};

/// What an undo does about a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It is put back, and what the run wrote does not cross again.
    Back,
    /// Somebody changed it since: it stays as it is, and what the run wrote does not cross again.
    Kept,
    /// It is left to the flow.
    Left,
}

/// One field that a run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldRow {
    /// The kind.
    pub kind: Kind,
    /// What a person calls the record.
    pub key: String,
    /// The system written to.
    pub target: SystemName,
    /// The field.
    pub field: Path,
    /// What the run wrote; nothing where it emptied the field.
    pub wrote: Option<String>,
    /// What was there before.
    pub before: Option<String>,
    /// What is there now.
    pub now: Option<String>,
    /// What is done about it.
    pub fate: Fate,
    /// Why it is not put back; nothing where it is.
    pub why: Option<String>,
    /// The record.
    #[serde(skip)]
    pub entity: EntityId,
    #[serde(skip)]
    peer: SystemUid,
    #[serde(skip)]
    change: Undone,
}

/// Writes to one record that are no matter of fields, and stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WriteRow {
    /// The kind.
    pub kind: Kind,
    /// What a person calls the record.
    pub key: String,
    /// The system written to.
    pub target: SystemName,
    /// The steps, in their order.
    pub steps: Vec<String>,
    /// Why it stays, and what can be done by hand.
    pub why: String,
}

/// What taking a run back comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undo {
    /// The run.
    #[serde(flatten)]
    pub run: RunRow,
    /// The fields it wrote.
    pub fields: Vec<FieldRow>,
    /// What else it wrote.
    pub stays: Vec<WriteRow>,
}

impl Undo {
    /// The fields with `fate`.
    pub fn with(&self, fate: Fate) -> impl Iterator<Item = &FieldRow> {
        self.fields.iter().filter(move |row| row.fate == fate)
    }
}

/// What taking a run back did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TakenBack {
    /// Fields that show again what they showed before.
    pub undone: usize,
    /// Records of which some do not yet, and why.
    pub unfinished: Vec<Stopped>,
}

/// What a run wrote to one field, all its writes together.
#[derive(Debug, Clone)]
struct Once {
    before: Leaf,
    wrote: Option<Value>,
    refused: Option<Value>,
}

/// The fields a run wrote to one system for the values of another one, record by record.
#[derive(Debug, Default)]
struct Fields {
    records: BTreeMap<EntityId, BTreeMap<Path, Once>>,
}

impl Engine {
    /// The newest runs, at most `limit`.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn runs(&self, limit: usize) -> Result<Runs, EngineError> {
        Ok(self.store.runs(None, limit).await?)
    }

    /// What taking `run` back would do to records called `only` (all where empty), read in their systems now; none where
    /// no such run wrote anything. Changes nothing.
    ///
    /// # Errors
    /// Where a system does not answer or the store fails.
    pub async fn undo_of(&self, run: RunId, only: &[String]) -> Result<Option<Undo>, EngineError> {
        let Some(row) = self.store.runs(Some(run), 1).await?.newest.pop() else { return Ok(None) };
        let mut undo = Undo { run: row, fields: Vec::new(), stays: Vec::new() };
        let mut stays: BTreeMap<(Kind, String, SystemName, String), Vec<String>> = BTreeMap::new();
        let mut shared: BTreeMap<(Kind, SystemName, SystemUid), Fields> = BTreeMap::new();
        for write in self.store.run_writes(run).await? {
            let Written { delivery, label, .. } = &write;
            let kind = delivery.change.kind;
            if !only.is_empty() && !only.contains(label) && !only.contains(&format!("{kind}:{label}")) {
                continue;
            }
            match self.stays(delivery, &write) {
                Err(why) => {
                    let record = (kind, label.clone(), delivery.target.clone(), why);
                    stays.entry(record).or_default().push(delivery.change.step.to_string());
                }
                Ok(peer) => shared.entry((kind, delivery.target.clone(), peer)).or_default().add(&write),
            }
        }
        let row = |((kind, key, target, why), steps)| WriteRow { kind, key, target, steps, why };
        undo.stays.extend(stays.into_iter().map(row));
        for ((kind, target, peer), fields) in shared {
            undo.fields.extend(self.judged(kind, &target, &peer, fields).await?);
        }
        undo.fields.sort_by(|a, b| (a.kind, &a.key, &a.target, &a.field).cmp(&(b.kind, &b.key, &b.target, &b.field)));
        Ok(Some(undo))
    }

    /// Where the values of a write came from that can be taken back field by field; why it stays otherwise.
    fn stays(&self, delivery: &Delivery, write: &Written) -> Result<SystemUid, String> {
        let target = &delivery.target;
        let change = &delivery.change;
        let shared = self.field_rules(change.kind).is_some();
        match (change.kind, &change.step) {
            (Kind::Stock, _) => return Err("an old figure would be sold twice; the ERP's next one counts".to_string()),
            (kind, _) if kind.is_paper() => return Err("what has left, or was paid, stays told".to_string()),
            (Kind::Order, Step::Update | Step::Attach(_)) => return Err("it goes with its order".to_string()),
            (Kind::Order, Step::Amend) => {
                let why = "what the shop says of an order counts: change it back there, or change it by hand in";
                return Err(format!("{why} {target}"));
            }
            (Kind::Product, Step::Update)
                if change.leaves.iter().any(|(path, _)| Product::option_of(path).is_some()) =>
            {
                let why = "every variant would leave the family with it; take the option out in";
                return Err(format!("{why} {target} by hand"));
            }
            (Kind::Customer, Step::Update)
                if change.leaves.iter().any(|(path, value)| changes_the_book(path, value)) =>
            {
                return Err(format!("an address comes back as another one; see to it in {target} by hand"));
            }
            (_, Step::Update) if shared => {}
            (kind, Step::Update) if kind != Kind::Customer => {
                return Err("no flow of the file carries it any more".to_string());
            }
            (Kind::Order, _) => return Err(format!("cancel the order in {target} by hand")),
            (Kind::Customer, _) => return Err(format!("others may use it by now; remove it in {target} by hand")),
            (_, _) => return Err(format!("take it back in {target} by hand")),
        }
        if !self.systems.contains_key(target) {
            return Err(format!("the file has no system called `{target}` any more"));
        }
        if !self.writes_to(change.kind) {
            return Err(format!("the flow `{}` only watches", change.kind.flow()));
        }
        match &write.basis {
            Some(basis) if self.called(&basis.peer).is_some() => Ok(basis.peer.clone()),
            Some(_) => Err("the system its values came from is not in the file any more".to_string()),
            None => Err("it was written before runs were told apart".to_string()),
        }
    }

    /// Each of `fields` beside what `target` shows now.
    async fn judged(
        &self,
        kind: Kind,
        target: &SystemName,
        peer: &SystemUid,
        fields: Fields,
    ) -> Result<Vec<FieldRow>, EngineError> {
        let target = self.system(target)?;
        let Some(peer) = self.called(peer) else { return Ok(Vec::new()) };
        let Some(rules) = self.pair_rules(kind, target, peer) else { return Ok(Vec::new()) };
        let records: Vec<(EntityId, BTreeMap<Path, Once>)> = fields.records.into_iter().collect();
        let mut rows = Vec::new();
        for chunk in records.chunks(CHUNK) {
            let lanes: Vec<EntityId> = chunk.iter().map(|(entity, _)| *entity).collect();
            let cases = self.cases(&lanes).await?;
            let (mut tied, gone): (Vec<Case>, Vec<Case>) =
                cases.into_iter().partition(|case| case.bound.contains_key(&target.uid));
            let told = read(target, kind, &tied).await?;
            for (case, told) in tied.iter_mut().zip(told) {
                show(case, target, told);
            }
            for case in tied.iter().chain(&gone) {
                let of_case = chunk.iter().find(|(entity, _)| *entity == case.entity);
                let fields = of_case.into_iter().flat_map(|(_, fields)| fields);
                rows.extend(fields.map(|(path, once)| self.field_row(case, rules, (target, peer), path, once)));
            }
        }
        Ok(rows)
    }

    /// One field of `case` beside what `target` shows now.
    fn field_row(
        &self,
        case: &Case,
        rules: &PairRules,
        (target, peer): (&System, &System),
        path: &Path,
        once: &Once,
    ) -> FieldRow {
        let (seen, theirs) = self.seen_by(case, rules, target, peer);
        let (now, theirs) = (shown(&seen, path), shown(&theirs, path));
        let (wrote, refused) = (once.wrote.clone(), once.refused.clone());
        let change = Undone { wrote, back: value(&once.before), refused };
        let known = case.undone(&target.uid, &peer.uid).get(path) == Some(&change);
        let (fate, why) = match left(rules, target, peer, path, (once, &now, &theirs)) {
            Some(why) => (Fate::Left, Some(why)),
            None if now.says(&leaf(once.wrote.as_ref())) => (Fate::Back, None),
            None if known => (Fate::Left, Some("it was undone before".to_string())),
            None if now.says(&once.before) => (Fate::Kept, Some("it is what it was before".to_string())),
            None => (Fate::Kept, Some(format!("it was changed in {} since", target.name))),
        };
        FieldRow {
            kind: case.kind,
            key: case.label.clone(),
            target: target.name.clone(),
            field: path.clone(),
            wrote: once.wrote.as_ref().map(ToString::to_string),
            before: change.back.as_ref().map(ToString::to_string),
            now: value(&now).map(|value| value.to_string()),
            fate,
            why,
            entity: case.entity,
            peer: peer.uid.clone(),
            change,
        }
    }

    fn called(&self, uid: &SystemUid) -> Option<&System> {
        self.systems.values().find(|system| system.uid == *uid)
    }

    /// Takes back what `undo` shows, as far as it still is so.
    ///
    /// Taken down first, record by record: what is not carried out here, after a crash, the next pass carries out.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn undo(&self, undo: &Undo) -> Result<TakenBack, EngineError> {
        let mut report = TakenBack::default();
        let mut records: BTreeMap<EntityId, Vec<&FieldRow>> = BTreeMap::new();
        for row in undo.with(Fate::Back).chain(undo.with(Fate::Kept)) {
            records.entry(row.entity).or_default().push(row);
        }
        self.begin_pass(format!("undo {}", undo.run.run)).await;
        let unread = self.read_once_more(&records).await?;
        let shut = self.gates().await?;
        let mut lanes = Vec::new();
        for (entity, rows) in &records {
            let why = match unread.get(entity) {
                Some(why) => Some(why.clone()),
                None if !self.take_back(undo.run.run, *entity, rows).await? => {
                    Some(Hold::new("SYN-0146", "it changed at this moment", "look at it again with `syncline undo`"))
                }
                None => self.unapproved(&shut, *entity).await?,
            };
            match why {
                Some(why) => report.unfinished.extend(stopped(rows, "ready", why)),
                None => lanes.push(*entity),
            }
        }
        if !lanes.is_empty() {
            self.drain(&lanes).await?;
        }
        for lane in lanes {
            let rows = records.remove(&lane).unwrap_or_default();
            self.tell_undone(&mut report, lane, &rows).await?;
        }
        Ok(report)
    }

    /// Reads the records in the systems they are to be put back in, and takes in what they show. Returns what could not
    /// be read.
    async fn read_once_more(
        &self,
        records: &BTreeMap<EntityId, Vec<&FieldRow>>,
    ) -> Result<BTreeMap<EntityId, Hold>, EngineError> {
        let wanted = |row: &FieldRow| (row.kind, row.target.clone());
        let sorts: BTreeSet<(Kind, SystemName)> = records.values().flatten().map(|row| wanted(row)).collect();
        let mut unread = Unread::new();
        for (kind, target) in sorts {
            let meant = |rows: &Vec<&FieldRow>| rows.iter().any(|row| row.kind == kind && row.target == target);
            let lanes: Vec<EntityId> =
                records.iter().filter(|(_, rows)| meant(rows)).map(|(entity, _)| *entity).collect();
            let cases = self.cases(&lanes).await?;
            self.read_where(self.system(&target)?, kind, &cases, |_| true, &mut unread).await?;
        }
        let told = |aside| match aside {
            Aside::Held(hold) | Aside::Failed(hold) => Some(hold),
            Aside::Trouble(error) => Some(crate::poll::refusal(&error)),
            Aside::Planned => None,
        };
        let first = |(entity, asides): (EntityId, Asides)| Some((entity, asides.into_values().find_map(told)?));
        Ok(unread.into_iter().filter_map(first).collect())
    }

    /// Takes down that the fields of `rows` are put back; whether the record was still as it was looked at.
    async fn take_back(&self, run: RunId, entity: EntityId, rows: &[&FieldRow]) -> Result<bool, EngineError> {
        let case = self.store.load(entity).await?;
        let mut fields = Vec::with_capacity(rows.len());
        for row in rows {
            let target = self.system(&row.target)?.uid.clone();
            fields.push((target, row.peer.clone(), row.field.clone(), row.change.clone()));
        }
        let names: Vec<String> = rows.iter().map(|row| row.field.to_string()).collect();
        let told = format!("run {run}: {}", names.join(", "));
        let order = TakeBack { entity, revisions: case.revisions(), fields, told };
        match self.store.take_back(order, self.now()).await {
            Ok(()) => Ok(true),
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Why the record's next write waits: more than what was taken back would go with it, and its flow is `shut` until
    /// a person approves of a mass change.
    async fn unapproved(&self, shut: &BTreeMap<Flow, Gate>, entity: EntityId) -> Result<Option<Hold>, EngineError> {
        let case = self.store.load(entity).await?;
        let flow = case.kind.flow();
        if !shut.contains_key(&flow) {
            return Ok(None);
        }
        Ok(match self.decide(&case, false).await?.decision {
            Decision::Step(plan) if !self.takes_back(&case, &plan) => {
                let what = format!("other changes of {flow} wait for an approval");
                Some(Hold::new("SYN-0141", what, format!("`syncline approve {flow}`, then `syncline sync`")))
            }
            _ => None,
        })
    }

    /// What became of one record's fields.
    async fn tell_undone(
        &self,
        report: &mut TakenBack,
        entity: EntityId,
        rows: &[&FieldRow],
    ) -> Result<(), EngineError> {
        let story = self.store.story(entity).await?;
        let mut missing = Vec::new();
        for row in rows.iter().filter(|row| row.fate == Fate::Back) {
            match self.shows_again(&story.case, row)? {
                true => report.undone += 1,
                false => missing.push(*row),
            }
        }
        let state = story.lane.as_ref().map_or_else(|| "idle".to_string(), |lane| lane.state.clone());
        let why = story.lane.and_then(|lane| lane.why).unwrap_or_else(|| Hold::new("", state.clone(), ""));
        report.unfinished.extend(stopped(&missing, &state, why));
        Ok(())
    }

    /// Whether the field of `row` shows what it showed before the run.
    fn shows_again(&self, case: &Case, row: &FieldRow) -> Result<bool, EngineError> {
        let target = self.system(&row.target)?;
        let Some(peer) = self.called(&row.peer) else { return Ok(false) };
        let Some(rules) = self.pair_rules(row.kind, target, peer) else { return Ok(false) };
        let (seen, _) = self.seen_by(case, rules, target, peer);
        Ok(value(&shown(&seen, &row.field)) == row.change.back)
    }

    /// Whether `plan` does nothing but put back what a person took back.
    pub(crate) fn takes_back(&self, case: &Case, plan: &Planned) -> bool {
        let Some(target) = self.systems.get(&plan.target) else { return false };
        let undone = |path: &Path, back: Option<&Value>| {
            let of_target = case.undone.iter().filter(|((system, _), _)| *system == target.uid);
            of_target.into_iter().any(|(_, all)| all.get(path).is_some_and(|one| one.back.as_ref() == back))
        };
        plan.leaves.iter().all(|(path, value)| undone(path, value))
    }

    /// What `system` shows of the fields that `delivery` writes, before it does, in the words it is written in; none
    /// where it shows nothing yet.
    pub(crate) fn pre_image(&self, case: &Case, delivery: &Delivery, system: &System) -> Option<Leaves> {
        let side = case.sides.get(&system.uid)?;
        let peer = case.basis.as_ref().and_then(|basis| self.called(&basis.peer));
        let pair = peer.and_then(|peer| Some((self.pair_rules(delivery.change.kind, system, peer)?, peer)));
        let mut before = match pair {
            Some((rules, peer)) => self.seen_by(case, rules, system, peer).0,
            None => side.seen.clone(),
        };
        before.retain(|path| delivery.change.leaves.get(path) != Leaf::Untold);
        Some(before)
    }
}

impl Fields {
    /// Adds one more write of the same run. A later one goes on from an earlier one only where nobody changed the field
    /// between them.
    fn add(&mut self, write: &Written) {
        let nothing = Leaves::new();
        let before = write.before.as_ref().unwrap_or(&nothing);
        let fields = self.records.entry(write.delivery.lane).or_default();
        for (path, wrote) in write.delivery.change.leaves.iter() {
            let refused = write.basis.as_ref().and_then(|basis| basis.leaves.value(path).cloned());
            let mut once = Once { before: before.get(path), wrote: wrote.cloned(), refused };
            if let Some(earlier) = fields.get(path)
                && once.before == leaf(earlier.wrote.as_ref())
            {
                once.before = earlier.before.clone();
            }
            fields.insert(path.clone(), once);
        }
    }
}

/// Whether a write adds an address to a customer's book, or takes one out of it.
fn changes_the_book(path: &Path, value: Option<&Value>) -> bool {
    Customer::is_of_erp(path) || (Customer::is_of_book(path) && value.is_none())
}

/// Why a field is no matter of the undo; none where it is.
fn left(
    rules: &PairRules,
    target: &System,
    peer: &System,
    path: &Path,
    (once, now, theirs): (&Once, &Leaf, &Leaf),
) -> Option<String> {
    let own = match rules.policy(path) {
        FieldPolicy::Keep => true,
        FieldPolicy::Owner(owner) => owner == target.name,
        FieldPolicy::Merge(_) => false,
    };
    let lost = Image::at(path).is_some() && once.wrote.is_none() && once.before != Leaf::Empty;
    let why = if once.before == Leaf::Untold {
        "what it was before is not known".to_string()
    } else if *now == Leaf::Untold {
        format!("{} does not show it any more", target.name)
    } else if lost {
        format!("the bytes of images are not kept: add it to {} again", peer.name)
    } else if !theirs.says(&leaf(once.refused.as_ref())) {
        format!("{} shows something new since", peer.name)
    } else if own {
        format!("by the file it is {}'s own by now", target.name)
    } else {
        return None;
    };
    Some(why)
}

/// One row for the record of `rows`; none where there are none.
fn stopped(rows: &[&FieldRow], state: &str, why: Hold) -> Option<Stopped> {
    let row = rows.first()?;
    Some(Stopped { id: format!("{}:{}", row.kind, row.key), key: row.key.clone(), state: state.to_string(), why })
}

fn leaf(value: Option<&Value>) -> Leaf {
    value.map_or(Leaf::Empty, |value| Leaf::Value(value.clone()))
}

fn value(leaf: &Leaf) -> Option<Value> {
    match leaf {
        Leaf::Value(value) => Some(value.clone()),
        Leaf::Empty | Leaf::Untold => None,
    }
}
