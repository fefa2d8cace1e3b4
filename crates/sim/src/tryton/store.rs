//! The rows behind the models: one transaction at a time, undone as a whole when a call is refused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::fail::Fail;
use super::price::Ask;
use super::schema::{Kind, Schema};
use super::stock::Look;
use super::translate::Speech;
use super::value::{Val, stamp};

/// The user everything belongs to that no call asked for.
pub const ADMINISTRATOR: u64 = 1;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// A value per field of the model; computed ones stay null.
    pub values: Vec<Val>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last written to; nothing before the first write.
    pub written: Option<Timestamp>,
    /// The user who created it.
    pub maker: u64,
    /// The user who last wrote to it.
    pub writer: Option<u64>,
}

#[derive(Debug, Clone, Default)]
struct Table {
    last: u64,
    rows: BTreeMap<u64, Row>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    model: usize,
    field: usize,
    value: Val,
}

#[derive(Debug)]
enum Undo {
    Row { model: usize, id: u64, before: Option<Row>, last: u64 },
    Sequence { name: &'static str, before: u64 },
}

/// All rows of one database.
#[derive(Debug)]
pub struct Store {
    /// The models the rows belong to.
    pub schema: Schema,
    tables: Vec<Table>,
    index: BTreeMap<Key, BTreeSet<u64>>,
    sequences: BTreeMap<&'static str, u64>,
    changes: u64,
    undo: Vec<Undo>,
    moment: Timestamp,
    guards: BTreeMap<(usize, u64), String>,
    /// Where and until when the running call looks at stock.
    pub look: Look,
    /// What the running call asks prices for.
    pub ask: Ask,
    /// Which language the running call speaks.
    pub speech: Speech,
    /// The companies whose records the running call sees; none for what people do past the API, who see all.
    pub seen: Option<Vec<u64>>,
    /// The company the running call acts for.
    pub acting: Option<u64>,
    /// Models that the user has no right to.
    pub forbidden: BTreeSet<String>,
    /// What the running call of a wizard is about.
    pub about: Option<u64>,
    /// The day up to which the books are closed.
    pub closed: Option<jiff::civil::Date>,
    /// The day up to which the journals are closed, which stay so when the books are opened again.
    pub shut: Option<jiff::civil::Date>,
    /// Products that are bought for each sale, and sent by their supplier.
    pub supplied: BTreeSet<u64>,
    /// Whether the running call asks how many bytes images have, not for the bytes.
    pub sizes: bool,
    /// The id of the user on whose behalf the transaction runs.
    pub user: u64,
}

impl Store {
    /// An empty database.
    pub fn new(schema: Schema, now: Timestamp) -> Self {
        let tables = vec![Table::default(); schema.models.len()];
        Self {
            schema,
            tables,
            index: BTreeMap::new(),
            sequences: BTreeMap::new(),
            changes: 0,
            undo: Vec::new(),
            moment: now,
            guards: BTreeMap::new(),
            look: Look::default(),
            ask: Ask::default(),
            speech: Speech::default(),
            seen: None,
            acting: None,
            about: None,
            closed: None,
            shut: None,
            supplied: BTreeSet::new(),
            forbidden: BTreeSet::new(),
            sizes: false,
            user: ADMINISTRATOR,
        }
    }

    /// Starts a transaction. Its moment is `now`, or just past the last one's, so that no two share a `_timestamp`.
    pub fn begin(&mut self, now: Timestamp, guards: Option<&Value>) {
        let next = self.moment.checked_add(SignedDuration::from_micros(20)).unwrap_or(now);
        self.moment = now.max(next);
        self.undo.clear();
        self.guards.clear();
        self.look = Look::default();
        self.ask = Ask::default();
        self.speech = Speech::default();
        self.seen = None;
        self.acting = None;
        self.about = None;
        self.sizes = false;
        self.user = ADMINISTRATOR;
        for (key, value) in guards.and_then(Value::as_object).into_iter().flatten() {
            let Some((model, id)) = key.split_once(',') else { continue };
            let (Ok(model), Ok(id), Some(text)) = (self.schema.position(model), id.parse(), value.as_str()) else {
                continue;
            };
            self.guards.insert((model, id), text.to_owned());
        }
    }

    /// Ends the transaction: keeps everything.
    pub fn commit(&mut self) {
        self.undo.clear();
        self.guards.clear();
    }

    /// Ends the transaction: keeps nothing.
    pub fn rollback(&mut self) {
        while let Some(step) = self.undo.pop() {
            match step {
                Undo::Row { model, id, before, last } => {
                    self.set_row(model, id, before);
                    self.tables[model].last = last;
                }
                Undo::Sequence { name, before } => {
                    self.sequences.insert(name, before);
                }
            }
        }
        self.guards.clear();
    }

    /// How often a row was changed: as long as it is the same, every row is.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The moment of the running transaction.
    pub fn moment(&self) -> Timestamp {
        self.moment
    }

    /// The next number of a sequence, from 1.
    pub fn next(&mut self, name: &'static str) -> u64 {
        let before = self.sequences.get(name).copied().unwrap_or(0);
        self.undo.push(Undo::Sequence { name, before });
        self.sequences.insert(name, before + 1);
        before + 1
    }

    /// Position of a model, or `KeyError`.
    pub fn model(&self, name: &str) -> Result<usize, Fail> {
        self.schema.position(name)
    }

    /// One row.
    pub fn row(&self, model: usize, id: u64) -> Option<&Row> {
        self.tables.get(model)?.rows.get(&id)
    }

    /// All ids of a model, ascending.
    pub fn ids(&self, model: usize) -> impl Iterator<Item = u64> + '_ {
        self.tables[model].rows.keys().copied()
    }

    /// Adds a row and returns its id.
    pub fn insert(&mut self, model: usize, values: Vec<Val>) -> u64 {
        let last = self.tables[model].last;
        let id = last + 1;
        self.undo.push(Undo::Row { model, id, before: None, last });
        self.tables[model].last = id;
        let row = Row { values, created: self.moment, written: None, maker: self.user, writer: None };
        self.set_row(model, id, Some(row));
        id
    }

    /// Sets one stored field without moving the row's write date.
    pub fn set(&mut self, model: usize, id: u64, field: usize, value: Val) {
        if let Some(mut row) = self.row(model, id).cloned() {
            row.values[field] = value;
            self.replace(model, id, Some(row));
        }
    }

    /// Moves the row's write date to the transaction's moment.
    pub fn touch(&mut self, model: usize, id: u64) {
        let (moment, user) = (self.moment, self.user);
        if let Some(mut row) = self.row(model, id).cloned() {
            (row.written, row.writer) = (Some(moment), Some(user));
            self.replace(model, id, Some(row));
        }
    }

    /// Removes a row.
    pub fn remove(&mut self, model: usize, id: u64) {
        self.replace(model, id, None);
    }

    fn replace(&mut self, model: usize, id: u64, row: Option<Row>) {
        let (before, last) = (self.row(model, id).cloned(), self.tables[model].last);
        self.undo.push(Undo::Row { model, id, before, last });
        self.set_row(model, id, row);
    }

    fn set_row(&mut self, model: usize, id: u64, row: Option<Row>) {
        self.changes += 1;
        let before = match row.clone() {
            Some(row) => self.tables[model].rows.insert(id, row),
            None => self.tables[model].rows.remove(&id),
        };
        for (field, def) in self.schema.models[model].fields.iter().enumerate().filter(|(_, def)| def.indexed) {
            debug_assert!(def.stored(), "only stored fields have an index");
            if let Some(before) = &before {
                let key = Key { model, field, value: before.values[field].clone() };
                if let Some(ids) = self.index.get_mut(&key) {
                    ids.remove(&id);
                }
            }
            if let Some(row) = &row {
                let key = Key { model, field, value: row.values[field].clone() };
                self.index.entry(key).or_default().insert(id);
            }
        }
    }

    /// Ids of the rows whose indexed field holds this value, ascending.
    pub fn having(&self, model: usize, field: usize, value: &Val) -> Vec<u64> {
        let key = Key { model, field, value: value.clone() };
        self.index.get(&key).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    /// Refuses the write where the context named another `_timestamp` for this row. A guard is used once.
    pub fn guard(&mut self, model: usize, id: u64) -> Result<(), Fail> {
        let Some(expected) = self.guards.remove(&(model, id)) else { return Ok(()) };
        match self.row(model, id) {
            Some(row) if stamp(row.written.unwrap_or(row.created)) != expected => Err(Fail::Stale),
            _ => Ok(()),
        }
    }

    /// The children a `Many` field shows: rows pointing back, by sequence (none first), then id.
    pub fn children(&self, child: &str, back: &str, parent: u64) -> Result<Vec<u64>, Fail> {
        let model = self.model(child)?;
        let def = &self.schema.models[model];
        let mut ids = self.having(model, def.position(back)?, &Val::Ref(parent));
        if child == "sale.amendment" {
            ids.reverse();
        }
        if let Some(sequence) = def.find("sequence") {
            ids.sort_by_key(|id| (self.row(model, *id).map(|row| row.values[sequence].clone()), *id));
        }
        Ok(ids)
    }

    /// A stored value by names; null where the row or field is not there.
    pub fn value(&self, model: &str, id: u64, field: &str) -> Val {
        self.stored(model, id, field).cloned().unwrap_or(Val::Null)
    }

    /// A stored text by names, or "".
    pub fn text(&self, model: &str, id: u64, field: &str) -> String {
        self.stored(model, id, field).and_then(Val::text).unwrap_or_default().to_owned()
    }

    fn stored(&self, model: &str, id: u64, field: &str) -> Option<&Val> {
        let at = self.schema.find(model)?;
        let position = self.schema.models[at].find(field)?;
        self.row(at, id).map(|row| &row.values[position])
    }

    /// Sets a stored value by names.
    pub fn put(&mut self, model: &str, id: u64, field: &str, value: Val) -> Result<(), Fail> {
        let at = self.model(model)?;
        let position = self.schema.models[at].position(field)?;
        debug_assert!(!matches!(self.schema.models[at].fields[position].kind, Kind::Calc(..)), "computed: {field}");
        self.set(at, id, position, value);
        Ok(())
    }

    /// Whether such a row is there.
    pub fn exists(&self, model: &str, id: u64) -> bool {
        self.schema.find(model).is_some_and(|at| self.row(at, id).is_some())
    }
}
