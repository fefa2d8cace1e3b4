//! The engine: its parts, its workers, one pass (`sync`) and the daemon (`run`).

use crate::approval::{GUARDED, Gate, is_needed_by_orders};
use crate::owed::Owed;
use crate::system::{EngineError, System};
use crate::waits::Waits;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use syncline_connect::{Clock, Error};
use syncline_core::id::{EntityId, RunId, SystemName, SystemUid};
use syncline_core::kind::{Flow, Kind};
use syncline_core::planner::Planned;
use syncline_core::rules::{Cancels, FieldRules, OrderRules, PaperRules, PriceRules, StockRules};
use syncline_store::{Accept, Claim, LaneFilter, Retry, Store};

/// Numbers the engine runs by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Workers side by side.
    pub workers: usize,
    /// Lanes a worker takes at once.
    pub lanes: usize,
    /// Seconds a lane is kept from other workers; longer than any request may take.
    pub lease_s: u32,
    /// Seconds within which a noted request has to leave.
    pub leave_s: u32,
    /// Longest wait of one pass for lanes that are to be tried again, in seconds.
    pub patience_s: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { workers: 2, lanes: 10, lease_s: 300, leave_s: 20, patience_s: 120 }
    }
}

/// The flows in force.
#[derive(Debug, Clone, Default)]
pub struct Flows {
    /// Rules of the orders flow, shop by shop; nothing where there is none.
    pub orders: Vec<OrderRules>,
    /// Rules of the customers flow, shop by shop: made with the orders that need them, then shared field by field.
    pub customers: Vec<FieldRules>,
    /// Customers of several shops with one e-mail are one party of the ERP.
    pub one_by_email: bool,
    /// By shop: its groups of customers, each with what the ERP calls it; none where groups are not carried.
    pub groups: BTreeMap<SystemName, BTreeMap<String, String>>,
    /// Rules of the products flow.
    pub products: Option<FieldRules>,
    /// Rules of the other kinds that the products flow carries.
    pub beside: BTreeMap<Kind, FieldRules>,
    /// Rules of the prices flow.
    pub prices: Option<PriceRules>,
    /// Rules of the inventory flow.
    pub inventory: Option<StockRules>,
    /// Rules of the papers flow.
    pub papers: Option<PaperRules>,
    /// Flows that only plan and verify.
    pub watched: Vec<Flow>,
    /// Seconds between two looks, by flow; the shortest counts.
    pub every_s: u32,
    /// Seconds between two sweeps over the keys; none for never.
    pub sweep_s: Option<u32>,
    /// Seconds between two sweeps that read every record whole; none for never.
    pub sweep_deep_s: Option<u32>,
    /// Systems that sign hints: whoever of them falls silent is told of.
    pub hinting: BTreeSet<SystemName>,
    /// Seconds that raw exchanges are kept, of what is at rest; none for ever.
    pub evidence_s: Option<u32>,
}

impl Flows {
    /// Every shop with the ERP that orders, stock, products or prices tie it to; one pair may be told more than once.
    pub(crate) fn ties(&self) -> impl Iterator<Item = (&SystemName, &SystemName)> {
        let orders = self.orders.iter().map(|rules| (&rules.source, &rules.target));
        let stock = self.inventory.iter();
        let stock = stock.flat_map(|rules| rules.targets.iter().map(|target| (&target.system, &rules.source)));
        let shared = self.products.iter().chain(self.prices.iter().map(|rules| &rules.fields));
        let shared = shared.flat_map(|rules| rules.pairs.iter().map(|pair| (&pair.target, &pair.source)));
        let papers = self.papers.iter();
        let papers = papers.flat_map(|rules| rules.targets.iter().map(|target| (&target.system, &rules.source)));
        orders.chain(stock).chain(shared).chain(papers)
    }
}

/// What one pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Synced {
    /// Records seen for the first time.
    pub new: usize,
    /// Records that had changed.
    pub changed: usize,
    /// Writes sent, each with one effect in a system.
    pub writes: u64,
    /// What this pass is called, where it wrote anything.
    pub run: Option<RunId>,
}

/// The pass under way.
#[derive(Debug, Default)]
struct Pass {
    /// What began it.
    command: String,
    /// Its number, once it writes something.
    run: Option<RunId>,
    /// It ended in trouble: the next try of the same command goes on with it.
    cut_off: bool,
}

/// The engine over one store and the systems of one file.
#[derive(Debug)]
pub struct Engine {
    /// What remembers.
    pub store: Arc<dyn Store>,
    /// The systems by name.
    pub systems: BTreeMap<SystemName, System>,
    /// The flows in force.
    pub flows: Flows,
    /// Numbers to run by.
    pub settings: Settings,
    clock: Arc<dyn Clock>,
    stop: AtomicBool,
    /// Systems left out until the next pass.
    paused: Mutex<BTreeMap<SystemName, Error>>,
    /// Systems that did not say what they can do when the engine was made: left out by it for good.
    absent: Mutex<BTreeMap<SystemName, Error>>,
    refusals: Mutex<BTreeMap<SystemName, u32>>,
    /// Flows whose pass waits for a person's approval.
    gates: Mutex<BTreeMap<Flow, Gate>>,
    writes: std::sync::atomic::AtomicU64,
    /// What waits to be sent by shops that hold too few; workers over one store share it.
    pub owed: Arc<Owed>,
    /// How long what this engine sent may still land.
    pub(crate) waits: Waits,
    /// How far the adoption under way has come.
    pub adopting: crate::adopt::Tally,
    /// Rung when a hint was kept.
    pub bell: Arc<tokio::sync::Notify>,
    /// When old exchanges were last looked for, in seconds since 1970.
    pub(crate) pruned: std::sync::atomic::AtomicI64,
    /// Writes that systems took, since the process started.
    landed: std::sync::atomic::AtomicU64,
    pass: tokio::sync::Mutex<Pass>,
}

impl Engine {
    /// An engine over its parts.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        systems: BTreeMap<SystemName, System>,
        flows: Flows,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (paused, refusals, gates, absent) =
            (Mutex::default(), Mutex::default(), Mutex::default(), Mutex::default());
        Self {
            store,
            systems,
            flows,
            settings,
            clock,
            stop: AtomicBool::new(false),
            paused,
            absent,
            refusals,
            gates,
            writes: 0.into(),
            owed: Arc::default(),
            waits: Waits::default(),
            adopting: crate::adopt::Tally::default(),
            bell: Arc::default(),
            pruned: 0.into(),
            landed: 0.into(),
            pass: tokio::sync::Mutex::default(),
        }
    }

    /// Now, by the wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Asks every worker to stop after the step it is in.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked to stop.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// The system called `name`.
    ///
    /// # Errors
    /// Where the file has none of that name.
    pub fn system(&self, name: &SystemName) -> Result<&System, EngineError> {
        let missing = || EngineError::Setup(format!("SYN-0401: the file has no system called `{name}`"));
        self.systems.get(name).ok_or_else(missing)
    }

    /// Counts a refusal of us by `system`; the third in a row stops all calls to it until the next pass.
    /// One alone may be a proxy's mood. Returns whether it is stopped.
    pub(crate) fn refused_us(&self, system: &SystemName, error: &Error) -> bool {
        let Ok(mut refusals) = self.refusals.lock() else { return false };
        let count = refusals.entry(system.clone()).or_default();
        *count += 1;
        let stop = *count >= 3;
        if stop && let Ok(mut paused) = self.paused.lock() {
            paused.entry(system.clone()).or_insert_with(|| error.clone());
        }
        stop
    }

    /// `system` took something from us: earlier refusals were a mood, and the pass has come further.
    pub(crate) fn accepted_us(&self, system: &SystemName) {
        self.landed.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut refusals) = self.refusals.lock() {
            refusals.remove(system);
        }
    }

    /// Leaves `system` out of the rest of this pass.
    pub(crate) fn pause(&self, system: &SystemName, error: Error) {
        if let Ok(mut paused) = self.paused.lock() {
            paused.insert(system.clone(), error);
        }
    }

    /// The first system that is left out of this pass, with the reason.
    #[must_use]
    pub fn any_paused(&self) -> Option<(SystemName, Error)> {
        self.away().into_iter().next()
    }

    /// The systems that are left out of this pass: they refused us, or did not answer when it began.
    pub(crate) fn away(&self) -> BTreeMap<SystemName, Error> {
        let mut away = self.absent();
        if let Ok(paused) = self.paused.lock() {
            away.extend(paused.iter().map(|(name, error)| (name.clone(), error.clone())));
        }
        away
    }

    /// Leaves `system` out of everything: it did not say what it can do, because of `error`.
    pub fn leave_out(&self, system: SystemName, error: Error) {
        if let Ok(mut absent) = self.absent.lock() {
            absent.insert(system, error);
        }
    }

    /// The systems that are left out of everything, each with why.
    #[must_use]
    pub fn absent(&self) -> BTreeMap<SystemName, Error> {
        self.absent.lock().map(|absent| absent.clone()).unwrap_or_default()
    }

    /// Whether no flow has two systems left that are not away: then nothing can be done in this pass.
    #[must_use]
    pub fn stalled(&self) -> bool {
        let away = self.away();
        let customers = self.flows.customers.iter().flat_map(|rules| &rules.pairs);
        let mut ties = self.flows.ties().chain(customers.map(|pair| (&pair.target, &pair.source)));
        !away.is_empty() && !ties.any(|(one, other)| !away.contains_key(one) && !away.contains_key(other))
    }

    /// Every system whose changes are read, with the kind.
    pub(crate) fn watched(&self) -> Vec<(&SystemName, Kind)> {
        let orders = self.flows.orders.iter().map(|rules| (&rules.source, Kind::Order));
        // Of documents in the ERP only their cancellation is told to a shop.
        let told = self.flows.orders.iter().filter(|rules| rules.cancels == Cancels::Erp);
        let orders = orders.chain(told.map(|rules| (&rules.target, Kind::Order)));
        let customers = self.flows.customers.iter();
        let customers = customers.flat_map(|rules| rules.systems().map(|name| (name, Kind::Customer)));
        let stock = self.flows.inventory.iter().map(|rules| (&rules.source, Kind::Stock));
        let prices = self.flows.prices.iter().map(|rules| (&rules.fields.source, Kind::Price));
        // What others refer to first.
        let products = Flow::Products.kinds().iter().filter_map(|kind| Some((self.field_rules(*kind)?, *kind)));
        let products = products.flat_map(|(rules, kind)| rules.systems().map(move |name| (name, kind)));
        let mut all: Vec<(&SystemName, Kind)> = Vec::new();
        let papers = self.paper_feeds();
        for one in orders.chain(customers).chain(stock).chain(prices).chain(products).chain(papers) {
            if !all.contains(&one) {
                all.push(one);
            }
        }
        all
    }

    /// Writes sent, each with one effect in a system, since the process started.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    pub(crate) fn count_writes(&self, sent: usize) {
        self.writes.fetch_add(sent as u64, Ordering::Relaxed);
    }

    /// From here on, what is written belongs to a new run, begun by `command`.
    pub(crate) async fn begin_pass(&self, command: impl Into<String>) {
        *self.pass.lock().await = Pass { command: command.into(), ..Pass::default() };
    }

    /// The run of the pass under way, which is about to write.
    pub(crate) async fn writing_run(&self) -> Result<RunId, EngineError> {
        let mut pass = self.pass.lock().await;
        if let Some(run) = pass.run {
            return Ok(run);
        }
        let run = self.store.begin_run(pass.command.clone(), self.now()).await?;
        pass.run = Some(run);
        Ok(run)
    }

    /// The run of the last pass; none where it wrote nothing.
    pub async fn last_run(&self) -> Option<RunId> {
        self.pass.lock().await.run
    }

    /// Whether records of `kind` may be written, or are only watched.
    pub(crate) fn writes_to(&self, kind: Kind) -> bool {
        !self.flows.watched.contains(&kind.flow())
    }

    /// Flows whose pass waits for a person's approval, since the last pass.
    #[must_use]
    pub fn shut(&self) -> BTreeMap<Flow, Gate> {
        self.gates.lock().map(|gates| gates.clone()).unwrap_or_default()
    }

    /// Whether `plan` changes a customer while their flow waits for a person's approval. What orders need goes on.
    pub(crate) fn awaits_approval(&self, plan: &Planned) -> bool {
        plan.kind == Kind::Customer && !is_needed_by_orders(plan) && self.is_shut(plan.kind)
    }

    /// Whether lanes of `kind` are left alone until a person approves them.
    fn is_shut(&self, kind: Kind) -> bool {
        self.gates.lock().is_ok_and(|gates| gates.contains_key(&kind.flow()))
    }

    /// At start: what was under way when the last process ended becomes unknown. Returns how many that were.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn recover(&self) -> Result<usize, EngineError> {
        Ok(self.store.recover(self.now()).await?)
    }

    /// Where the file's rules are not those of the last pass, everything they left out is looked at again.
    async fn heed_new_rules(&self) -> Result<(), EngineError> {
        // Kept as the cursor of a system of our own: how far the rules have been followed.
        let ours = SystemUid::new("rules");
        // The number in front grows where what is left out is told in another way, so that it is judged anew.
        let inventory = self.flows.inventory.as_ref().map(|rules| format!(" {rules:?}")).unwrap_or_default();
        let products = self.flows.products.as_ref().map(|rules| format!(" {rules:?}")).unwrap_or_default();
        let prices = self.flows.prices.as_ref().map(|rules| format!(" {rules:?}")).unwrap_or_default();
        let Flows { orders, customers, one_by_email, beside, groups, .. } = &self.flows;
        let groups = if groups.is_empty() { String::new() } else { format!(" {groups:?}") };
        let beside = if beside.is_empty() { String::new() } else { format!(" {beside:?}") };
        let papers = self.flows.papers.as_ref().map(|rules| format!(" {rules:?}")).unwrap_or_default();
        // What a flow only watched is looked at again once it writes.
        let watched = Some(&self.flows.watched).filter(|flows| !flows.is_empty());
        let watched = watched.map(|flows| format!(" watched {flows:?}")).unwrap_or_default();
        let rules = format!(
            "3 {orders:?} {customers:?} {one_by_email}{groups}{inventory}{products}{beside}{prices}{papers}{watched}"
        );
        if self.store.cursor(ours.clone(), Kind::Order).await? == rules {
            return Ok(());
        }
        let names = self.systems.values().map(|system| (system.uid.clone(), system.name.clone()));
        self.store.name_systems(names.collect()).await?;
        self.attend_satellites().await?;
        for kind in Flow::Products.kinds() {
            for system in self.systems.values().filter(|system| self.begins_in(system, *kind)) {
                // What was passed over while nothing was made elsewhere is read now.
                self.store.forget_cursor(system.uid.clone(), *kind).await?;
            }
        }
        self.store.retry(Retry::Rules, self.now()).await?;
        let cursor = Some((Kind::Order, rules));
        self.store
            .accept(Accept { system: ours, records: Vec::new(), cursor, asked_at: None, now: self.now() })
            .await?;
        Ok(())
    }

    /// Reads what changed in every source. One of several shops that does not answer is left out of the pass.
    ///
    /// # Errors
    /// Where a system does not answer without which nothing can be done, or the store fails.
    pub async fn look(&self) -> Result<Synced, EngineError> {
        if let Ok(mut paused) = self.paused.lock() {
            paused.clear();
        }
        self.heed_new_rules().await?;
        let heeded = self.heed_hints().await?;
        let mut synced = Synced { new: heeded.new, changed: heeded.changed, ..Synced::default() };
        let mut untold: Option<&SystemName> = None;
        for (name, kind) in self.watched() {
            // A credit takes back what left and was billed: none is taken in before these could be read.
            if self.away().contains_key(name) || (kind.is_paper() && untold == Some(name)) {
                continue;
            }
            match self.poll(self.system(name)?, kind).await {
                Ok(counts) => {
                    synced.new += counts.new;
                    synced.changed += counts.changed;
                }
                Err(EngineError::System { system, error }) => {
                    untold = kind.is_paper().then_some(name).or(untold);
                    self.pause(&system, error.clone());
                    if self.stalled() {
                        return Err(EngineError::System { system, error });
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(synced)
    }

    /// One pass: reads what changed, then works until nothing is left that can be done now; of one flow only where one
    /// is named. What would change too much at once is left until a person approves it.
    ///
    /// # Errors
    /// Where a system does not answer or refuses us, or the store fails. What could be done is done, and stays so.
    pub async fn sync(&self, flow: Option<Flow>) -> Result<Synced, EngineError> {
        if !self.pass.lock().await.cut_off {
            self.begin_pass("sync").await;
        }
        let result = self.pass_over(flow).await;
        self.pass.lock().await.cut_off = result.is_err();
        result
    }

    async fn pass_over(&self, flow: Option<Flow>) -> Result<Synced, EngineError> {
        let synced = self.look().await?;
        self.work_through(synced, flow).await
    }

    /// Works off what was taken in, of one flow only where one is named; tells it beside what was read.
    pub(crate) async fn work_through(&self, mut synced: Synced, flow: Option<Flow>) -> Result<Synced, EngineError> {
        self.prune_what_is_old().await?;
        let gates = self.gates().await?;
        self.keep_gates(&gates).await?;
        if let Ok(mut shut) = self.gates.lock() {
            *shut = gates;
        }
        match flow {
            None => self.drain(&[]).await?,
            Some(flow) => {
                let filter = LaneFilter { states: vec!["ready", "awaiting"], ..LaneFilter::default() };
                let lanes = self.store.lanes(filter).await?;
                let of_flow = lanes.iter().filter(|lane| lane.kind.flow() == flow);
                let only: Vec<EntityId> = of_flow.map(|lane| lane.entity).collect();
                if !only.is_empty() {
                    self.drain(&only).await?;
                }
            }
        }
        synced.writes = self.writes();
        synced.run = self.last_run().await;
        match self.any_paused() {
            Some((system, error)) => Err(EngineError::System { system, error }),
            None => Ok(synced),
        }
    }

    /// Works until no lane (of `only`, where any are named) can be taken up now or within the settings' patience,
    /// counted from the last time anything was done.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn drain(&self, only: &[EntityId]) -> Result<(), EngineError> {
        let mut give_up = syncline_core::delivery::after(self.now(), self.settings.patience_s);
        let mut before = None;
        loop {
            let workers = (0..self.settings.workers).map(|_| self.work(only));
            futures::future::try_join_all(workers).await?;
            if self.stopping() || self.stalled() {
                return Ok(());
            }
            let filter = LaneFilter { states: vec!["ready"], ..LaneFilter::default() };
            let mut rows = self.store.lanes(filter).await?;
            rows.retain(|row| {
                self.writes_to(row.kind) && !self.is_shut(row.kind) && (only.is_empty() || only.contains(&row.entity))
            });
            // A request that a system does not answer is no progress: or a pass would never end beside one that is down.
            let progress = Some((rows.len(), self.landed.load(Ordering::Relaxed)));
            if progress != before {
                before = progress;
                give_up = syncline_core::delivery::after(self.now(), self.settings.patience_s);
            }
            match rows.iter().map(|row| row.ready_at.max(row.leased_until)).min() {
                Some(at) if at <= give_up => self.nap(at).await,
                _ => return Ok(()),
            }
        }
    }

    /// Sleeps until `at`, at least 20 ms, or until asked to stop.
    async fn nap(&self, at: Timestamp) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        while !self.stopping() && self.now() < at {
            let left = at.duration_since(self.now()).as_millis().clamp(1, 1000);
            tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap_or(1))).await;
        }
    }

    /// One worker: takes lanes and works them off until none is ready.
    async fn work(&self, only: &[EntityId]) -> Result<(), EngineError> {
        while !self.stopping() && !self.stalled() {
            let claim = Claim {
                now: self.now(),
                lease_s: self.settings.lease_s,
                limit: self.settings.lanes,
                only: only.to_vec(),
                except: GUARDED.into_iter().filter(|kind| *kind != Kind::Customer && self.is_shut(*kind)).collect(),
            };
            let claimed = self.store.claim(claim).await?;
            if claimed.is_empty() {
                return Ok(());
            }
            self.work_off(claimed).await?;
        }
        Ok(())
    }

    /// The daemon: a pass, a pause, again, until asked to stop. Troubles are told and tried again.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn run(&self, mut tell: impl FnMut(&Result<Synced, EngineError>)) -> Result<(), EngineError> {
        while !self.stopping() {
            self.begin_pass("run").await;
            let result = self.pass_over(None).await;
            unless_the_store_failed(&result)?;
            tell(&result);
            let swept = self.sweep_what_is_due().await;
            unless_the_store_failed(&swept.ended)?;
            if swept.changed > 0 && !self.stopping() {
                // What it came across does not wait for the next pass.
                let changed = usize::try_from(swept.changed).unwrap_or(usize::MAX);
                let found = Synced { changed, ..Synced::default() };
                let result = self.work_through(found, None).await;
                unless_the_store_failed(&result)?;
                tell(&result);
            }
            if let Err(error) = swept.ended {
                tell(&Err(error));
            }
            let next = syncline_core::delivery::after(self.now(), self.flows.every_s);
            while self.rest(next).await {
                self.begin_pass("run").await;
                let result = self.sync_hints().await;
                unless_the_store_failed(&result)?;
                tell(&result);
                if result.is_err() {
                    // What could not be looked at is looked at by the next pass: one word of it is enough.
                    self.nap(next).await;
                }
            }
        }
        Ok(())
    }

    /// Sleeps until `at`, or until asked to stop; true where a hint came before.
    async fn rest(&self, at: Timestamp) -> bool {
        while !self.stopping() && self.now() < at {
            let left = at.duration_since(self.now()).as_millis().clamp(1, 1000);
            let slept = tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap_or(1)));
            tokio::select! {
                biased;
                () = self.bell.notified() => return !self.stopping(),
                () = slept => {}
            }
        }
        false
    }
}

/// Nothing, or why the store failed; troubles of systems are told and tried again.
fn unless_the_store_failed<T>(result: &Result<T, EngineError>) -> Result<(), EngineError> {
    match result {
        Err(EngineError::Store(error)) => Err(EngineError::Store(error.clone())),
        _ => Ok(()),
    }
}
