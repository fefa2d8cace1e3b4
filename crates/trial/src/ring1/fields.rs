//! Schedules of the merge: two systems whose people edit one record, with each side's seen and base as the engine keeps them.

use super::Plant;
use super::trace::Trace;
use crate::seed::Seed;
use std::collections::BTreeMap;
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::merge::{Merged, Owner, Side, agreed, merge};
use syncline_core::path::Path;
use syncline_core::profile::Fit;

/// The fields of the record.
const FIELDS: [&str; 5] = ["name", "city", "street", "note", "phone"];
/// Rounds within which a record at rest has to be silent.
const MOST_ROUNDS: u64 = 40;

/// How a system keeps a text. Each is idempotent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    /// As it is.
    All,
    /// Its first four characters.
    Four,
    /// In small letters.
    Small,
    /// Only what does not end in `!`.
    Plain,
}

impl Keeps {
    fn fit(self, value: &Value) -> Fit {
        let Value::Text(text) = value else { return Fit::Exact };
        let kept: String = match self {
            Self::All => return Fit::Exact,
            Self::Plain if text.ends_with('!') => return Fit::Refused("no `!` at the end".to_string()),
            Self::Plain => return Fit::Exact,
            Self::Four => text.chars().take(4).collect(),
            Self::Small => text.to_lowercase(),
        };
        if kept == *text { Fit::Exact } else { Fit::As(Value::Text(kept), "kept otherwise".to_string()) }
    }

    /// The leaf as the system would keep it; none where it refuses it.
    fn kept(self, leaf: &Option<Value>) -> Option<Option<Value>> {
        match leaf {
            None => Some(None),
            Some(value) => match self.fit(value) {
                Fit::Exact => Some(leaf.clone()),
                Fit::As(other, _) => Some(Some(other)),
                Fit::Refused(_) => None,
            },
        }
    }
}

/// One system: what it really holds, and what its people did.
#[derive(Debug)]
struct System {
    keeps: Keeps,
    holds: Vec<Option<Value>>,
    /// What its people last set each field to.
    edited: Vec<Option<Option<Value>>>,
    /// Whether each field was ever empty here.
    emptied: Vec<bool>,
}

impl System {
    /// A system that took over `first`, and keeps it in its own way; what it refuses is empty.
    fn holding(keeps: Keeps, first: &[Option<Value>]) -> Self {
        let holds: Vec<Option<Value>> = first.iter().map(|leaf| keeps.kept(leaf).flatten()).collect();
        let emptied = holds.iter().map(Option::is_none).collect();
        Self { keeps, edited: vec![None; holds.len()], emptied, holds }
    }
}

/// A write nobody knows the fate of.
#[derive(Debug)]
struct Doubt {
    to: usize,
    wish: Leaves,
    /// What the other side showed when the wish was made.
    planned: Leaves,
    /// From when on it can no longer land.
    settled: u64,
}

/// How often what happens, per 1000.
#[derive(Debug, Clone, Copy)]
struct Rates {
    lost_request: u64,
    lost_reply: u64,
    late: u64,
    partial: u64,
    slipped: u64,
}

/// One schedule of edits, reads and writes under way.
#[derive(Debug)]
pub(super) struct Record {
    seed: Seed,
    rates: Rates,
    plant: Option<Plant>,
    now: u64,
    paths: Vec<Path>,
    owners: Vec<Owner>,
    systems: [System; 2],
    seen: [Leaves; 2],
    base: [Leaves; 2],
    /// Whether something was shown that is news, or a step was made, since the merge last asked for nothing.
    dirty: bool,
    doubt: Option<Doubt>,
    /// Writes that have not landed yet: when, where, what.
    flying: Vec<(u64, usize, Leaves)>,
    edits: u64,
    pub(super) faults: BTreeMap<&'static str, u64>,
    pub(super) trace: Trace,
    pub(super) broken: Option<&'static str>,
}

/// The schedule of `seed`, run to its end.
pub(super) fn schedule(seed: u64, plant: Option<Plant>, trace: Trace) -> Record {
    let mut record = Record::new(seed, plant, trace);
    let steps = record.seed.between(20, 80);
    for _ in 0..steps {
        record.now += 1;
        record.happen();
        if record.broken.is_some() {
            return record;
        }
    }
    record.rest();
    record
}

impl Record {
    fn new(seed: u64, plant: Option<Plant>, trace: Trace) -> Self {
        let mut seed = Seed::new(seed).part("fields");
        let mut rate = |most: u64| if seed.chance(500) { seed.between(most / 8 + 1, most) } else { 0 };
        let rates = Rates {
            lost_request: rate(300),
            lost_reply: rate(300),
            late: rate(400),
            partial: rate(900),
            slipped: rate(300),
        };
        let keeps = [Keeps::All, Keeps::Four, Keeps::Small, Keeps::Plain];
        let owners = [Owner::Merge, Owner::Merge, Owner::A, Owner::B, Owner::Keep];
        let first: Vec<Option<Value>> =
            (0..FIELDS.len()).map(|n| (!seed.chance(200)).then(|| text(n as u64, &mut seed))).collect();
        let one = System::holding(seed.pick(&keeps, Keeps::All), &first);
        let other = System::holding(seed.pick(&keeps, Keeps::All), &one.holds);
        let mut record = Self {
            rates,
            plant,
            now: 0,
            paths: FIELDS.into_iter().map(Path::field).collect(),
            owners: FIELDS.into_iter().map(|_| seed.pick(&owners, Owner::Merge)).collect(),
            seen: [Leaves::new(), Leaves::new()],
            base: [Leaves::new(), Leaves::new()],
            dirty: true,
            doubt: None,
            flying: Vec::new(),
            edits: 100,
            faults: BTreeMap::new(),
            broken: None,
            trace,
            systems: [one, other],
            seed,
        };
        // Adopted as they are: both sides agree from here on.
        for side in [0, 1] {
            record.read(side, true);
            record.base[side] = record.seen[side].clone();
        }
        record.plant_base();
        record
    }

    fn count(&mut self, fault: &'static str) {
        *self.faults.entry(fault).or_default() += 1;
    }

    fn violated(&mut self, what: &'static str) {
        if self.broken.is_none() {
            self.trace.tell(self.now, what, [0; 3]);
            self.broken = Some(what);
        }
    }

    fn happen(&mut self) {
        self.land();
        match self.seed.below(10) {
            0 | 1 => self.edit(0),
            2 | 3 => self.edit(1),
            4 => self.read(0, false),
            5 => self.read(1, false),
            _ => {
                self.work(true);
            }
        }
    }

    /// Somebody changes a field in system `side`.
    fn edit(&mut self, side: usize) {
        let at = usize::try_from(self.seed.below(FIELDS.len() as u64)).unwrap_or(0);
        self.edits += 1;
        let leaf = if self.seed.chance(150) { None } else { Some(text(self.edits, &mut self.seed)) };
        let Some(system) = self.systems.get_mut(side) else { return };
        let Some(kept) = system.keeps.kept(&leaf) else { return };
        if let (Some(place), Some(edited), Some(emptied)) =
            (system.holds.get_mut(at), system.edited.get_mut(at), system.emptied.get_mut(at))
        {
            *emptied |= kept.is_none();
            *edited = Some(kept.clone());
            *place = kept;
        }
        self.trace.tell(
            self.now,
            "system #0: somebody changes field #1, edit #2",
            [side as u64, at as u64, self.edits],
        );
    }

    /// Takes in what system `side` shows: all of it where `whole`, else perhaps a part.
    fn read(&mut self, side: usize, whole: bool) {
        let partial = !whole && self.seed.chance(self.rates.partial);
        let mut told = Leaves::new();
        for (n, path) in self.paths.iter().enumerate() {
            let Some(leaf) = self.systems.get(side).and_then(|system| system.holds.get(n)) else { continue };
            if !partial || self.seed.chance(500) {
                told.tell(path.clone(), leaf.clone());
            } else if self.plant == Some(Plant::UntoldAsEmpty) {
                told.tell(path.clone(), None);
            }
        }
        if partial {
            self.count("partial_reads");
        }
        self.trace.tell(self.now, "system #0 is read: #1 fields are told", [side as u64, told.len() as u64, 0]);
        if let Some(seen) = self.seen.get_mut(side)
            && !seen.changed_by(&told).is_empty()
        {
            *seen = seen.overlaid(&told);
            self.dirty = true;
        }
    }

    fn plant_base(&mut self) {
        if self.plant == Some(Plant::OneBase) {
            self.base[1] = self.base[0].clone();
        }
    }

    fn owner(&self, path: &Path) -> Owner {
        let at = self.paths.iter().position(|one| one == path);
        at.and_then(|at| self.owners.get(at)).copied().unwrap_or(Owner::Keep)
    }

    fn merged(&self) -> Merged {
        let (a, b) = (self.systems[0].keeps, self.systems[1].keeps);
        merge(
            &Side {
                seen: &self.seen[0],
                base: &self.base[0],
                fit: move |_: &Path, value: &Value| a.fit(value),
                whole: false,
            },
            &Side {
                seen: &self.seen[1],
                base: &self.base[1],
                fit: move |_: &Path, value: &Value| b.fit(value),
                whole: false,
            },
            |path| self.owner(path),
        )
    }

    /// One step of the lane: settles what is in doubt, or merges and writes to one side.
    fn work(&mut self, troubled: bool) -> bool {
        if let Some(doubt) = self.doubt.take_if(|doubt| doubt.settled <= self.now) {
            self.trace.tell(self.now, "the write to system #0 is looked at again", [doubt.to as u64, 0, 0]);
            self.read(doubt.to, true);
            self.agreed(doubt.to, &doubt.wish, &doubt.planned, true);
            self.dirty = true;
            return true;
        }
        if self.doubt.is_some() {
            return true;
        }
        if !std::mem::take(&mut self.dirty) {
            return false;
        }
        let merged = self.merged();
        self.hold_against_laws(&merged);
        self.agree_in_silence(&merged);
        let both = [merged.to_a, merged.to_b];
        let first = usize::from(both[0].is_empty() || (!both[1].is_empty() && self.seed.chance(500)));
        let Some(wish) = both.into_iter().nth(first).filter(|wish| !wish.is_empty()) else { return false };
        self.dirty = true;
        self.write(first, wish, troubled);
        true
    }

    /// No merge asks for what its owner did not say.
    fn hold_against_laws(&mut self, merged: &Merged) {
        let mut broken = None;
        for (to, wishes) in [&merged.to_a, &merged.to_b].into_iter().enumerate() {
            for (path, value) in wishes.iter() {
                let own = if to == 0 { Owner::A } else { Owner::B };
                let owner = self.owner(path);
                if owner == own || owner == Owner::Keep {
                    broken = Some("owner: a field is written to the side that owns it");
                }
                let at = self.paths.iter().position(|one| one == path).unwrap_or(0);
                let ever = self.systems.get(1 - to).and_then(|from| from.emptied.get(at));
                if value.is_none() && ever == Some(&false) {
                    broken = Some("erase: a field that was never emptied is erased");
                }
            }
        }
        if let Some(what) = broken {
            self.violated(what);
        }
    }

    /// Fields that both sides show alike are agreed from here on.
    fn agree_in_silence(&mut self, merged: &Merged) {
        let (a, b) = (self.systems[0].keeps, self.systems[1].keeps);
        let bases = agreed(
            &Side {
                seen: &self.seen[0],
                base: &self.base[0],
                fit: move |_: &Path, value: &Value| a.fit(value),
                whole: false,
            },
            &Side {
                seen: &self.seen[1],
                base: &self.base[1],
                fit: move |_: &Path, value: &Value| b.fit(value),
                whole: false,
            },
            merged,
            |path| self.owner(path),
        );
        self.base = [bases.0, bases.1];
        self.plant_base();
    }

    /// Whether one is the other as its side keeps it.
    fn alike(&self, a: &Option<Value>, b: &Option<Value>) -> bool {
        self.systems[1].keeps.kept(a).as_ref() == Some(b) || self.systems[0].keeps.kept(b).as_ref() == Some(a)
    }

    /// Sends `wish` to system `to`.
    fn write(&mut self, to: usize, wish: Leaves, troubled: bool) {
        let planned: Leaves = wish
            .iter()
            .map(|(path, _)| (path.clone(), self.seen.get(1 - to).and_then(|seen| seen.value(path).cloned())))
            .collect();
        self.trace.tell(self.now, "#1 fields are written to system #0", [to as u64, wish.len() as u64, 0]);
        let rates = self.rates;
        let window = 8;
        if troubled && self.seed.chance(rates.lost_request) {
            self.count("lost_writes");
        } else if troubled && self.seed.chance(rates.late) {
            self.count("late_writes");
            let lands = self.now + self.seed.between(1, window);
            self.flying.push((lands, to, wish.clone()));
        } else {
            self.put(to, &wish);
            if !(troubled && self.seed.chance(rates.lost_reply)) {
                if troubled && self.seed.chance(rates.slipped) {
                    self.count("edits_before_read_back");
                    self.edit(to);
                }
                self.read(to, true);
                self.agreed(to, &wish, &planned, false);
                return;
            }
            self.count("lost_write_replies");
        }
        self.doubt = Some(Doubt { to, wish, planned, settled: self.now + window + 1 });
    }

    fn put(&mut self, to: usize, wish: &Leaves) {
        let Some(system) = self.systems.get_mut(to) else { return };
        for (n, path) in self.paths.iter().enumerate() {
            let value = match wish.get(path) {
                Leaf::Untold => continue,
                Leaf::Empty => None,
                Leaf::Value(value) => Some(value),
            };
            if let (Some(place), Some(emptied)) = (system.holds.get_mut(n), system.emptied.get_mut(n)) {
                *emptied |= value.is_none();
                *place = value;
            }
        }
    }

    fn land(&mut self) {
        let now = self.now;
        let (landing, flying) = std::mem::take(&mut self.flying).into_iter().partition(|(at, ..)| *at <= now);
        self.flying = flying;
        let landing: Vec<(u64, usize, Leaves)> = landing;
        for (_, to, wish) in landing {
            self.trace.tell(now, "a late write to system #0 lands", [to as u64, 0, 0]);
            self.put(to, &wish);
        }
    }

    /// Both sides agree on what was written to `to`; after a doubt only where it shows.
    ///
    /// The base is what was written, not what was read back: an edit that slipped in between is a change.
    fn agreed(&mut self, to: usize, wish: &Leaves, planned: &Leaves, doubted: bool) {
        for (path, value) in wish.iter() {
            if doubted && self.seen.get(to).map(|seen| seen.get(path)) != Some(wish.get(path)) {
                continue;
            }
            let source = planned.value(path).cloned();
            if let Some(base) = self.base.get_mut(to) {
                base.tell(path.clone(), value.cloned());
            }
            if let Some(base) = self.base.get_mut(1 - to) {
                base.tell(path.clone(), source);
            }
        }
        self.plant_base();
    }

    /// Works until nothing is asked for any more, then looks at what is there.
    fn rest(&mut self) {
        for round in 0.. {
            if round > MOST_ROUNDS {
                return self.violated("rest: the merge never falls silent");
            }
            self.now += 1;
            self.land();
            if self.doubt.is_none() {
                self.read(0, true);
                self.read(1, true);
            }
            let busy = self.work(false);
            if self.broken.is_some() {
                return;
            }
            if !busy && self.flying.is_empty() {
                break;
            }
        }
        self.at_rest();
    }

    fn at_rest(&mut self) {
        let merged = self.merged();
        if !merged.to_a.is_empty() || !merged.to_b.is_empty() {
            self.violated("silence: something is asked for at rest");
        }
        for (at, path) in self.paths.clone().iter().enumerate() {
            let (a, b) = (self.held(0, at), self.held(1, at));
            let (of_a, of_b) = (self.edited(0, at), self.edited(1, at));
            let clash = merged.conflicts.iter().any(|conflict| conflict.path == *path);
            let refused = self.systems[1].keeps.kept(&a).is_none() || self.systems[0].keeps.kept(&b).is_none();
            let mine =
                |edit: &Option<Option<Value>>, shown: &Option<Value>| edit.as_ref().is_none_or(|edit| edit == shown);
            let owner = self.owner(path);
            let lost = match owner {
                Owner::A => !mine(&of_a, &a),
                Owner::B => !mine(&of_b, &b),
                Owner::Keep => !mine(&of_a, &a) || !mine(&of_b, &b),
                Owner::Merge => match (&of_a, &of_b) {
                    (Some(_), None) => !mine(&of_a, &a),
                    (None, Some(_)) => !mine(&of_b, &b),
                    (Some(_), Some(_)) => !mine(&of_a, &a) && !mine(&of_b, &b),
                    (None, None) => false,
                },
            };
            if lost {
                self.violated("lost: an edit is gone that nobody overwrote");
            }
            // An owner that has nothing lets stand what people of the other system put there.
            let silent = match owner {
                Owner::A => a.is_none() && of_b.is_some(),
                Owner::B => b.is_none() && of_a.is_some(),
                Owner::Keep | Owner::Merge => false,
            };
            if owner != Owner::Keep && !clash && !refused && !silent && !self.alike(&a, &b) {
                self.violated("agree: both sides differ and no conflict says so");
            }
            if clash && (of_a.is_none() || of_b.is_none()) && !refused {
                self.violated("conflict: one side alone was edited");
            }
        }
    }

    fn held(&self, side: usize, at: usize) -> Option<Value> {
        self.systems.get(side).and_then(|system| system.holds.get(at)).cloned().flatten()
    }

    fn edited(&self, side: usize, at: usize) -> Option<Option<Value>> {
        self.systems.get(side).and_then(|system| system.edited.get(at)).cloned().flatten()
    }
}

/// A text that begins with the number of its edit, so that no two edits say the same.
fn text(edit: u64, seed: &mut Seed) -> Value {
    let tail = seed.pick(&["", "A", "Ab", "ab", "ABCdef", "x!"], "");
    Value::Text(format!("{edit}{tail}"))
}
