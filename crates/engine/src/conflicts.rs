//! The conflict inbox: fields on which two systems differ and that only a person can decide, and the decisions.

use crate::run::Engine;
use crate::system::{EngineError, System};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use syncline_core::id::{EntityId, SystemName, SystemUid};
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::merge::{Cause, Conflict};
use syncline_core::path::Path;
use syncline_core::policy::Hold;
use syncline_core::rules::FieldPolicy;
use syncline_store::{Base, Case, LaneFilter, Resolve};

/// One side of a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConflictSide {
    /// What it showed when both last agreed; none before, or where it was empty.
    pub base: Option<String>,
    /// What it shows.
    pub value: Option<String>,
    /// When the record was last changed there; where the system does not tell, when that was read.
    pub at: Timestamp,
    /// Who changed it last, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// One field a person has to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConflictRow {
    /// The kind.
    pub kind: String,
    /// What a person calls the record.
    pub key: String,
    /// The same, behind its system's name where the file has several shops and one of them has it.
    pub called: String,
    /// The field.
    pub field: String,
    /// They differed before they were tied: nobody knows who changed it.
    pub first: bool,
    /// A person put it back to what it was before a run.
    pub undone: bool,
    /// A person took it out of a list that its owner says as ever.
    pub withdrawn: bool,
    /// Both sides, by the systems' names.
    pub sides: BTreeMap<String, ConflictSide>,
    /// The record.
    #[serde(skip)]
    pub entity: EntityId,
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The value of this system counts.
    Take(SystemName),
    /// Both get this value, as it is typed; nothing empties the field.
    Value(String),
    /// Both stay as they are, until one of them changes again.
    Leave,
}

/// Which conflicts are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Which {
    /// Of these records; empty for all.
    pub records: Vec<EntityId>,
    /// Of fields this pattern names; none for all.
    pub field: Option<Path>,
    /// With this system, of several a flow goes to; none for all.
    pub system: Option<SystemName>,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Resolved {
    /// Records.
    pub records: usize,
    /// Fields.
    pub fields: usize,
}

/// A conflict with the pair it is between.
struct Found {
    target: SystemName,
    conflict: Conflict,
}

impl Which {
    fn means(&self, path: &Path) -> bool {
        self.field.as_ref().is_none_or(|pattern| path.said_by(pattern).is_some())
    }
}

impl Engine {
    /// Every field that waits for a person, record by record.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn conflicts(&self, which: &Which) -> Result<Vec<ConflictRow>, EngineError> {
        let mut rows = Vec::new();
        for entity in self.in_conflict(which).await? {
            let case = self.store.load(entity).await?;
            for found in self.found(&case, which)? {
                rows.push(self.row(&case, &found)?);
            }
        }
        Ok(rows)
    }

    /// Decides the conflicts `which` means; the next pass carries it out.
    ///
    /// # Errors
    /// Where the choice cannot be made for one of them, before anything is taken down; or the store fails.
    pub async fn resolve(&self, which: &Which, choice: &Choice) -> Result<Resolved, EngineError> {
        let mut decisions = Vec::new();
        let mut resolved = Resolved::default();
        for entity in self.in_conflict(which).await? {
            let case = self.store.load(entity).await?;
            let found = self.found(&case, which)?;
            if found.is_empty() {
                continue;
            }
            resolved.records += 1;
            resolved.fields += found.len();
            decisions.push(self.decision(&case, &found, choice)?);
        }
        for decision in decisions {
            self.store.resolve(decision, self.now()).await?;
        }
        Ok(resolved)
    }

    async fn in_conflict(&self, which: &Which) -> Result<Vec<EntityId>, EngineError> {
        // One of several fields may have been decided a moment ago: then the lane is ready again.
        let filter = LaneFilter { states: vec!["conflict", "ready"], ..LaneFilter::default() };
        let lanes = self.store.lanes(filter).await?.into_iter().filter(|lane| self.field_rules(lane.kind).is_some());
        Ok(lanes
            .map(|lane| lane.entity)
            .filter(|entity| which.records.is_empty() || which.records.contains(entity))
            .collect())
    }

    fn found(&self, case: &Case, which: &Which) -> Result<Vec<Found>, EngineError> {
        let Some(rules) = self.rules_of(case) else { return Ok(Vec::new()) };
        let pairs = self.pairs(case, rules)?;
        let of = |(target, conflicts): (SystemName, Vec<Conflict>)| {
            conflicts.into_iter().map(move |conflict| Found { target: target.clone(), conflict })
        };
        let all = pairs.into_iter().map(|pair| (pair.target, pair.shared.conflicts)).flat_map(of);
        let with = |found: &Found| which.system.as_ref().is_none_or(|system| *system == found.target);
        Ok(all.filter(|found| which.means(&found.conflict.path) && with(found)).collect())
    }

    /// The two systems of `found`: where the flow comes from, and where it goes.
    fn pair_of(&self, case: &Case, found: &Found) -> Result<(&System, &System), EngineError> {
        let missing = || EngineError::Setup("SYN-0402: no flow carries it any more".to_string());
        let rules = self.rules_of(case).ok_or_else(missing)?;
        Ok((self.system(&rules.source)?, self.system(&found.target)?))
    }

    fn row(&self, case: &Case, found: &Found) -> Result<ConflictRow, EngineError> {
        let (source, target) = self.pair_of(case, found)?;
        let Conflict { path, cause, a, b } = &found.conflict;
        let sides = [(source, a), (target, b)].into_iter().map(|(system, (base, value))| {
            let (at, by) = changed(case, &system.uid);
            (system.name.to_string(), ConflictSide { base: shown(base), value: shown(value), at, by })
        });
        Ok(ConflictRow {
            kind: case.kind.to_string(),
            key: case.label.clone(),
            called: self.record_name(case).key,
            field: path.to_string(),
            first: *cause == Cause::First,
            undone: *cause == Cause::Undone,
            withdrawn: *cause == Cause::Withdrawn,
            sides: sides.collect(),
            entity: case.entity,
        })
    }

    fn decision(&self, case: &Case, found: &[Found], choice: &Choice) -> Result<Resolve, EngineError> {
        let (mut bases, mut chosen, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for one in found {
            let (source, target) = self.pair_of(case, one)?;
            self.allowed(case, one, choice)?;
            let path = &one.conflict.path;
            match choice {
                Choice::Take(winner) => {
                    // As though both had agreed on what the other one shows, and the winner had changed it since.
                    let lost = if *winner == source.name { &one.conflict.b.1 } else { &one.conflict.a.1 };
                    bases.extend(base(source, target, path, lost));
                    bases.extend(base(target, source, path, lost));
                    told.push(format!("{path}: {winner} counts"));
                }
                Choice::Leave => {
                    bases.extend(base(source, target, path, &one.conflict.a.1));
                    bases.extend(base(target, source, path, &one.conflict.b.1));
                    told.push(format!("{path}: both stay"));
                }
                Choice::Value(text) => {
                    chosen.push((target.uid.clone(), path.clone(), typed(&one.conflict, text)?));
                    told.push(format!("{path}: a value for both"));
                }
            }
        }
        Ok(Resolve { entity: case.entity, revisions: case.revisions(), bases, chosen, told: told.join("; ") })
    }

    /// Refuses a choice that the field's policy would undo at once.
    fn allowed(&self, case: &Case, found: &Found, choice: &Choice) -> Result<(), EngineError> {
        let (source, target) = self.pair_of(case, found)?;
        let path = &found.conflict.path;
        let refused = |what: String, remedy: &str| Err(EngineError::Asked(Hold::new("SYN-0442", what, remedy)));
        if let Choice::Take(winner) = choice
            && ![&source.name, &target.name].contains(&winner)
        {
            let what = format!("`{path}` is between {} and {}, not {winner}", source.name, target.name);
            return refused(what, "name one of the two with `--take`");
        }
        let policy = self.pair_rules(case.kind, source, target).map(|rules| rules.policy(path));
        match (policy, choice) {
            (Some(FieldPolicy::Owner(owner)), Choice::Take(winner)) if owner != *winner => refused(
                format!("`{path}` of {} is {owner}'s own", case.label),
                "take its owner, leave both as they are, or change the flow's `fields`",
            ),
            (Some(FieldPolicy::Owner(owner)), Choice::Value(_)) => {
                refused(format!("`{path}` of {} is {owner}'s own", case.label), "change it there")
            }
            _ => Ok(()),
        }
    }
}

fn shown(leaf: &Leaf) -> Option<String> {
    match leaf {
        Leaf::Value(value) => Some(value.to_string()),
        Leaf::Untold | Leaf::Empty => None,
    }
}

/// When and by whom the record was last changed in `system`, as far as it tells.
fn changed(case: &Case, system: &SystemUid) -> (Timestamp, Option<String>) {
    let Some(side) = case.sides.get(system) else { return (Timestamp::UNIX_EPOCH, None) };
    let at = match side.seen.value(&Path::field("changed.at")) {
        Some(Value::Instant(at)) => *at,
        _ => side.seen_at,
    };
    (at, side.seen.value(&Path::field("changed.by")).map(ToString::to_string))
}

/// The base of `system` towards `peer` in which the field shows `leaf`.
fn base(system: &System, peer: &System, path: &Path, leaf: &Leaf) -> Option<Base> {
    let value = match leaf {
        Leaf::Untold => return None,
        Leaf::Empty => None,
        Leaf::Value(value) => Some(value.clone()),
    };
    let leaves: Leaves = std::iter::once((path.clone(), value)).collect();
    Some(Base { system: system.uid.clone(), peer: peer.uid.clone(), leaves, over: true })
}

/// What a person typed, as the field's sort of value.
fn typed(conflict: &Conflict, text: &str) -> Result<Option<Value>, EngineError> {
    let sort = [&conflict.a.1, &conflict.b.1].into_iter().find_map(|leaf| match leaf {
        Leaf::Value(value) => Some(value),
        _ => None,
    });
    let wrong = |wanted: &str| {
        let what = format!("`{}` does not take `{}`", conflict.path, syncline_core::text::shown(text, 60));
        EngineError::Asked(Hold::new("SYN-0443", what, wanted))
    };
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(match sort {
        Some(Value::Bool(_)) => Value::Bool(text.parse().map_err(|_| wrong("write `true` or `false`"))?),
        Some(Value::Number(_)) => Value::Number(text.parse().map_err(|_| wrong("write a number like `1.25`"))?),
        Some(Value::Text(_)) | None => Value::Text(text.to_string()),
        Some(_) => return Err(wrong("take one of the two sides")),
    }))
}
