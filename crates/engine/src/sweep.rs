//! Sweeps: every key of a system is held against what is bound there, for what no feed told: records that were missed,
//! that changed without a sign, or that are gone.
//!
//! Which records were met is kept as a set of bits (decision 0008): keys may come in any order, and nothing is written
//! for a record that is as it was.

use crate::approval::is_mass;
use crate::customers::is_guest;
use crate::poll;
use crate::run::Engine;
use crate::system::{EngineError, System};
use jiff::Timestamp;
use serde::Serialize;
use syncline_connect::{Cursor, Error, Seen};
use syncline_core::delivery::after;
use syncline_core::id::{EntityId, RemoteId, SystemName};
use syncline_core::kind::{Flow, Kind};
use syncline_core::policy::{ErrorKind, Hold};
use syncline_core::record::paper_apart;
use syncline_core::rules::FieldRules;
use syncline_core::text;
use syncline_store::{Known, Retry, SweepCount, SweepState, Walk};

/// Documents of one read.
const CHUNK: usize = 100;
/// Missing records looked at in one go.
const MISSING: usize = 1_000;
/// Pages after which the position is kept.
const KEEP_EVERY: u64 = 50;
/// Pages of one sweep beside one pass of the daemon: orders come first.
const PAGES_A_PASS: u64 = 20;

/// How a sweep is to go.
#[derive(Debug, Clone, Copy, Default)]
pub struct SweepOrder {
    /// Every record is read whole: also what changed without any sign is found.
    pub deep: bool,
    /// What is missing is taken for gone once it is not found by itself, however much it is.
    pub believe: bool,
    /// Pages after which it pauses; none to go to the end.
    pub pages: Option<u64>,
}

/// What the sweep over one kind in one system found.
#[derive(Debug, Clone, Serialize)]
pub struct Swept {
    /// The system.
    pub system: String,
    /// The kind.
    pub kind: Kind,
    /// Whether every record was read whole.
    pub deep: bool,
    /// What it came across.
    #[serde(flatten)]
    pub count: SweepCount,
    /// Records of the kind that are bound in the system.
    pub bound: u64,
    /// Records found to be gone.
    pub gone: u64,
    /// Records that are missing, where they are so many that nothing was done about it; `SYN-0151`.
    pub suspected: u64,
    /// Whether it came to its end; it goes on from where it is.
    pub over: bool,
}

/// One page of keys, with the records where the walk reads them whole.
struct KeyPage {
    keys: Vec<(RemoteId, Option<String>)>,
    seen: Vec<Seen>,
    next: String,
    more: bool,
}

impl Engine {
    /// What can be swept, of one flow only where one is named: the orders and the customers in both systems, all kinds of
    /// the catalogue, and the variants wherever something of them flows.
    ///
    /// # Errors
    /// Where the file lacks a system that a flow names.
    pub fn sweeps(&self, flow: Option<Flow>) -> Result<Vec<(&System, Kind)>, EngineError> {
        let wanted = |of: Flow| flow.is_none_or(|flow| flow == of);
        let mut sweeps = Vec::new();
        for rules in self.flows.orders.iter().filter(|_| wanted(Flow::Orders)) {
            sweeps.extend([(&rules.source, Kind::Order), (&rules.target, Kind::Order)]);
        }
        for kind in Flow::Products.kinds().iter().filter(|_| wanted(Flow::Products)) {
            let rules = self.field_rules(*kind);
            sweeps.extend(rules.into_iter().flat_map(FieldRules::systems).map(|name| (name, *kind)));
        }
        for rules in self.flows.customers.iter().filter(|_| wanted(Flow::Customers)) {
            sweeps.extend(rules.systems().map(|name| (name, Kind::Customer)));
        }
        let prices = self.flows.prices.as_ref().map(|rules| &rules.fields);
        if let Some(rules) = prices.filter(|_| wanted(Flow::Prices)) {
            sweeps.extend(rules.systems().map(|name| (name, Kind::Variant)));
        }
        if let Some(rules) = self.flows.inventory.as_ref().filter(|_| wanted(Flow::Inventory)) {
            let systems = std::iter::once(&rules.source).chain(rules.targets.iter().map(|target| &target.system));
            sweeps.extend(systems.map(|name| (name, Kind::Variant)));
        }
        sweeps.extend(self.paper_feeds().into_iter().filter(|_| wanted(Flow::Papers)));
        let mut found: Vec<(&System, Kind)> = Vec::new();
        for (name, kind) in sweeps {
            let system = self.system(name)?;
            if !found.iter().any(|(other, of)| other.name == *name && *of == kind) {
                found.push((system, kind));
            }
        }
        Ok(found)
    }

    /// The sweep over `kind` in `system`, from where it was left; `tell` hears of each page.
    ///
    /// # Errors
    /// Where the system does not answer, its list of keys repeats itself, or the store fails. The position is kept.
    pub async fn sweep(
        &self,
        system: &System,
        kind: Kind,
        order: SweepOrder,
        tell: &mut (dyn FnMut(&SweepCount) + Send),
    ) -> Result<Swept, EngineError> {
        let mut state = self.store.sweep(system.uid.clone(), kind).await?;
        let mut walk = match state.walk.take() {
            Some(walk) if walk.deep >= order.deep => walk,
            _ => {
                state.met = syncline_store::Met::default();
                Walk { deep: order.deep, ..Walk::default() }
            }
        };
        let mut pages = 0;
        loop {
            let step = self.sweep_step(system, kind, &mut walk, &mut state).await;
            pages += 1;
            tell(&walk.count);
            if let Ok(false) = step {
                return self.end_sweep(system, kind, order, walk, state).await;
            }
            let pausing = self.stopping() || step.is_err() || order.pages.is_some_and(|most| pages >= most);
            if pausing || pages.is_multiple_of(KEEP_EVERY) {
                let kept = SweepState { walk: Some(walk.clone()), ..state.clone() };
                self.store.keep_sweep(system.uid.clone(), kind, kept).await?;
            }
            step?;
            if pausing {
                return Ok(swept(system, kind, &walk));
            }
        }
    }

    /// Takes the next page of keys; whether there are more.
    async fn sweep_step(
        &self,
        system: &System,
        kind: Kind,
        walk: &mut Walk,
        state: &mut SweepState,
    ) -> Result<bool, EngineError> {
        let asked = self.asks(system, kind).await?;
        let page = self.key_page(system, kind, walk).await?;
        self.take_page(system, kind, (&page, asked), walk, state).await?;
        if page.more && page.next == walk.cursor {
            return Err(failed(system, repeats(kind, &page.next)));
        }
        walk.cursor = page.next;
        Ok(page.more)
    }

    async fn key_page(&self, system: &System, kind: Kind, walk: &Walk) -> Result<KeyPage, EngineError> {
        let cursor = Cursor(walk.cursor.clone());
        if walk.deep {
            let page = system.connector.changes(&system.ctx, kind, &cursor).await;
            let page = page.map_err(|error| failed(system, error))?;
            let keys = page.seen.iter().map(|seen| (seen.id.clone(), None)).collect();
            return Ok(KeyPage { keys, seen: page.seen, next: page.next.0, more: page.more });
        }
        let page = system.connector.keys(&system.ctx, kind, &cursor).await;
        let page = page.map_err(|error| failed(system, error))?;
        Ok(KeyPage { keys: page.keys, seen: Vec::new(), next: page.next.0, more: page.more })
    }

    /// Takes in what a page of keys brings: news is read, the rest is noted as met.
    async fn take_page(
        &self,
        system: &System,
        kind: Kind,
        (page, asked): (&KeyPage, Option<u64>),
        walk: &mut Walk,
        state: &mut SweepState,
    ) -> Result<(), EngineError> {
        walk.count.keys += page.keys.len() as u64;
        let known = self.store.known(system.uid.clone(), kind, page.keys.clone()).await?;
        let mut news = Vec::new();
        let ours = self.of_known_orders(system, kind, &page.keys).await?;
        for (((id, _), known), ours) in page.keys.iter().zip(known).zip(ours) {
            match known {
                Known::Same(entity) if !walk.deep => state.met.add(entity),
                Known::Same(_) | Known::Moved(_) => news.push(id.clone()),
                Known::Not => {
                    walk.count.unknown += 1;
                    // Anything else of the target's own is none of ours: what we are about to make there is bound by us.
                    if ours || self.takes_unknown(system, kind) {
                        news.push(id.clone());
                    }
                }
            }
        }
        walk.count.read += news.len() as u64;
        let there = match walk.deep {
            true => {
                let seen = page.seen.iter().filter(|seen| news.contains(&seen.id)).cloned().collect();
                let news_told = self.take_in_all(system, kind, seen, asked).await?;
                Reading { there: news, gone: Vec::new(), news: news_told }
            }
            false => self.read_again(system, kind, &news).await?,
        };
        walk.count.news += there.news;
        for known in self.store.known(system.uid.clone(), kind, there.keys()).await? {
            if let Known::Same(entity) | Known::Moved(entity) = known {
                state.met.add(entity);
            }
        }
        Ok(())
    }

    /// Whether each of `keys` is a paper of an order that is known.
    async fn of_known_orders(
        &self,
        system: &System,
        kind: Kind,
        keys: &[(RemoteId, Option<String>)],
    ) -> Result<Vec<bool>, EngineError> {
        if !kind.is_paper() {
            return Ok(vec![false; keys.len()]);
        }
        let orders =
            keys.iter().map(|(id, _)| paper_apart(id).map_or_else(|| id.clone(), |(order, _)| order)).collect();
        let known = self.store.entities(system.uid.clone(), Kind::Order, orders).await?;
        Ok(known.into_iter().map(|order| order.is_some()).collect())
    }

    /// Whether records of `system` that nobody has tied are to be taken in: orders of the shop are.
    fn takes_unknown(&self, system: &System, kind: Kind) -> bool {
        kind == Kind::Order && self.flows.orders.iter().any(|rules| rules.source == system.name)
    }

    /// Reads `ids` by themselves and takes in what is there.
    async fn read_again(&self, system: &System, kind: Kind, ids: &[RemoteId]) -> Result<Reading, EngineError> {
        let mut reading = Reading::default();
        for chunk in ids.chunks(CHUNK) {
            let (asked, mut seen) = (self.asks(system, kind).await?, Vec::new());
            for (id, answer) in chunk.iter().zip(system.connector.read(&system.ctx, kind, chunk).await) {
                let snapshot = match answer {
                    Ok(Some(snapshot)) => Ok(snapshot),
                    Ok(None) => {
                        reading.gone.push(id.clone());
                        continue;
                    }
                    Err(error) if of_record(error.kind) => Err(error),
                    Err(error) => return Err(failed(system, error)),
                };
                reading.there.push(id.clone());
                seen.push(Seen { id: id.clone(), snapshot });
            }
            reading.news += self.take_in_all(system, kind, seen, asked).await?;
        }
        Ok(reading)
    }

    /// Takes in what the look at `seen` shows; returns how many of them brought news.
    async fn take_in_all(
        &self,
        system: &System,
        kind: Kind,
        seen: Vec<Seen>,
        asked: Option<u64>,
    ) -> Result<u64, EngineError> {
        let seen = self.without_echoes(system, kind, seen).await?;
        let records = seen.into_iter().flat_map(|seen| poll::incoming(kind, seen)).collect();
        let counts = self.accept_of(asked, system, records, None).await?;
        Ok((counts.new + counts.changed) as u64)
    }

    /// The end of a walk: what was not met is asked for by itself, and buried where it is not there.
    async fn end_sweep(
        &self,
        system: &System,
        kind: Kind,
        order: SweepOrder,
        walk: Walk,
        mut state: SweepState,
    ) -> Result<Swept, EngineError> {
        let mut report = Swept { over: true, ..swept(system, kind, &walk) };
        if kind == Kind::Customer {
            // No list tells of guests, who are known from orders only.
            let bound = self.store.bindings(system.uid.clone(), kind).await?;
            bound.iter().filter(|(_, id)| is_guest(id)).for_each(|(entity, _)| state.met.add(*entity));
        }
        loop {
            let unmet = self.store.unmet(system.uid.clone(), kind, state.met.clone(), MISSING).await?;
            report.bound = unmet.bound;
            if unmet.rows.is_empty() {
                break;
            }
            if is_mass(unmet.missing, unmet.bound) && !order.believe && report.gone == 0 {
                report.suspected = unmet.missing;
                break;
            }
            let ids: Vec<RemoteId> = unmet.rows.iter().map(|(_, id)| id.clone()).collect();
            let reading = self.read_again(system, kind, &ids).await?;
            report.count.read += reading.there.len() as u64;
            report.count.news += reading.news;
            for (entity, id) in unmet.rows {
                if !reading.gone.contains(&id) {
                    state.met.add(entity);
                }
            }
            let buried = self.store.bury(system.uid.clone(), kind, reading.gone, self.now()).await?;
            report.gone += buried as u64;
        }
        let ended = Some(self.now());
        let ended_deep = if walk.deep { ended } else { state.ended_deep };
        let suspicion = (report.suspected > 0).then(|| report.suspicion());
        let kept = SweepState { ended, ended_deep, suspicion, ..SweepState::default() };
        self.store.keep_sweep(system.uid.clone(), kind, kept).await?;
        if report.deep && kind == Kind::Variant {
            self.look_at_satellites(system).await?;
        }
        Ok(report)
    }

    /// Has the stock and the prices that `system` is told read anew: no list of keys tells of them, and nobody says when they
    /// are changed there.
    async fn look_at_satellites(&self, system: &System) -> Result<(), EngineError> {
        let stock = self.flows.inventory.iter().flat_map(|rules| rules.targets.iter().map(|target| &target.system));
        let prices = self.flows.prices.iter().flat_map(|rules| rules.fields.pairs.iter().map(|pair| &pair.target));
        let told = [(Kind::Stock, stock.collect::<Vec<_>>()), (Kind::Price, prices.collect())];
        for (kind, _) in told.into_iter().filter(|(_, targets)| targets.contains(&&system.name)) {
            self.store.retry(Retry::Rested(kind), self.now()).await?;
        }
        Ok(())
    }

    /// A person says that `entity` is rightly gone where it is. Returns whether it is gone anywhere.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn accept_gone(&self, entity: EntityId) -> Result<bool, EngineError> {
        Ok(self.store.accept_gone(entity, self.now()).await?)
    }

    /// Goes on with the sweeps that are due beside one pass of the daemon, some pages of each.
    pub async fn sweep_what_is_due(&self) -> Due {
        let mut due = Due { changed: 0, ended: Ok(()) };
        if let Err(error) = self.sweep_some(&mut due).await {
            due.ended = Err(error);
        }
        due
    }

    async fn sweep_some(&self, found: &mut Due) -> Result<(), EngineError> {
        let mut untold: Option<&SystemName> = None;
        for (system, kind) in self.sweeps(None)? {
            if self.stopping() {
                break;
            }
            // A credit takes back what left and was billed: none is taken in before these could be read.
            let early = kind.is_paper() && untold == Some(&system.name);
            if early || self.absent().contains_key(&system.name) {
                continue;
            }
            let state = self.store.sweep(system.uid.clone(), kind).await?;
            let deep = is_due(state.ended_deep, self.flows.sweep_deep_s, self.now());
            if state.walk.is_none() && !deep && !is_due(state.ended, self.flows.sweep_s, self.now()) {
                continue;
            }
            let order = SweepOrder { deep, believe: false, pages: Some(PAGES_A_PASS) };
            let (before, mut news) = (state.walk.map_or(0, |walk| walk.count.news), 0);
            let result = self.sweep(system, kind, order, &mut |count| news = count.news).await;
            if let Ok(swept) = &result {
                news = swept.count.news + swept.gone;
            }
            found.changed += news.saturating_sub(before);
            match result {
                Ok(swept) => {
                    if swept.suspected > 0 {
                        found.trouble(EngineError::Asked(swept.suspicion()));
                    }
                }
                Err(error @ EngineError::System { .. }) => {
                    untold = kind.is_paper().then_some(&system.name).or(untold);
                    found.trouble(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What the sweeps beside one pass came to.
#[derive(Debug)]
pub struct Due {
    /// Records that brought news, or are gone.
    pub changed: u64,
    /// As [`Engine::sweep`], once the other systems were seen to; `SYN-0151` where too much is missing to believe it.
    pub ended: Result<(), EngineError>,
}

impl Due {
    /// The first trouble is the one that is told.
    fn trouble(&mut self, error: EngineError) {
        if self.ended.is_ok() {
            self.ended = Err(error);
        }
    }
}

impl Swept {
    /// What a person is asked where too much is missing to believe it.
    #[must_use]
    pub fn suspicion(&self) -> Hold {
        let Self { system, kind, suspected, bound, .. } = self;
        let what = format!(
            "{system} does not list {suspected} of the {bound} {} tied there; nothing was taken for deleted",
            kind.plural()
        );
        let remedy = "see whether its url, rights and websites are still right, then `syncline sweep`; if they are gone, `syncline \
             sweep --believe`";
        Hold::new("SYN-0151", what, remedy)
    }
}

/// What a direct reading brought.
#[derive(Debug, Default)]
struct Reading {
    there: Vec<RemoteId>,
    gone: Vec<RemoteId>,
    news: u64,
}

impl Reading {
    fn keys(&self) -> Vec<(RemoteId, Option<String>)> {
        self.there.iter().map(|id| (id.clone(), None)).collect()
    }
}

fn swept(system: &System, kind: Kind, walk: &Walk) -> Swept {
    let name = system.name.to_string();
    Swept { system: name, kind, deep: walk.deep, count: walk.count, bound: 0, gone: 0, suspected: 0, over: false }
}

/// Whether a sweep that ended last at `ended` is due; never where no time is set.
fn is_due(ended: Option<Timestamp>, every_s: Option<u32>, now: Timestamp) -> bool {
    every_s.is_some_and(|every_s| ended.is_none_or(|ended| after(ended, every_s) <= now))
}

/// Whether an error is about one record and not about its system.
fn of_record(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Invalid | ErrorKind::Broken | ErrorKind::Unsupported)
}

fn repeats(kind: Kind, cursor: &str) -> Error {
    let place = text::shown(cursor, 200);
    Error::new(
        ErrorKind::Broken,
        format!("the list of keys of {} repeats a page at the cursor `{place}`", kind.plural()),
    )
}

fn failed(system: &System, error: Error) -> EngineError {
    EngineError::System { system: system.name.clone(), error }
}
