//! One schedule: chaos with orders arriving, then calm, then rest; what must hold is checked all along and at the end.

use super::amends;
use super::bills;
use super::boot::{LEASE_S, Stage};
use super::check;
use super::desk;
use super::drift;
use super::families;
use super::images;
use super::parcels;
use super::payments;
use super::people as accounts;
use super::planted;
use super::prices;
use super::refunds;
use super::scenes;
use super::shrink::{Cut, Part};
use super::trade;
use super::undone;
use super::world::{Violation, open};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use syncline_engine::Engine;
use syncline_sim::orders::place_like;
use syncline_sim::random::Random;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// What came of one schedule.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Broken rules.
    pub violations: Vec<Violation>,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Orders that crossed.
    pub orders: u64,
    /// Hash over every event.
    pub trace_hash: String,
    /// The events, where they were asked for.
    pub lines: Vec<String>,
}

/// Simulated seconds of chaos.
pub(super) const CHAOS_S: u64 = 420;
/// Seconds it goes on where an office bills.
const OFFICE_S: u64 = 240;
/// Seconds of calm after which the host's clock is set right: settle times are kept by the wall clock, so a jump ahead
/// by hours while a request is under way is a known limit of the guards that wait (docs/spec/determinism.md).
const CLOCK_RIGHT_S: u64 = 210;
/// Simulated seconds within which everything must have come to rest.
const REST_S: u64 = 2 * 3600;

/// The outcome of `seed` played whole, with a planted bug where one is named.
#[must_use]
pub fn schedule(seed: u64, plant: Option<&'static str>) -> Outcome {
    cut_down(seed, plant, false, &Cut::default())
}

/// The same without what `cut` leaves out, and with every event as a line where asked for.
#[must_use]
pub fn cut_down(seed: u64, plant: Option<&'static str>, keep_lines: bool, cut: &Cut) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(play(seed, plant, keep_lines, cut)),
        Err(error) => failed(seed, error.to_string()),
    }
}

/// The outcome of a schedule that could not be played.
pub(super) fn failed(seed: u64, detail: String) -> Outcome {
    Outcome { violations: vec![Violation { seed, invariant: "the-schedule-runs", detail }], ..Outcome::default() }
}

fn has_two_shops(seed: u64) -> bool {
    Random::of(seed, 10, 0).chance(1, 3)
}

/// Whether the two shops of `seed` are websites of one installation.
pub fn has_websites(seed: u64) -> bool {
    has_two_shops(seed) && Random::of(seed, 13, 0).chance(1, 3)
}

async fn play(seed: u64, plant: Option<&'static str>, keep_lines: bool, cut: &Cut) -> Outcome {
    let mut stage = match Stage::set(seed, plant, keep_lines) {
        Ok(stage) => stage,
        Err(error) => return failed(seed, error),
    };
    leave_out(&mut stage, seed, cut);
    if plant.is_none() && has_two_shops(seed) && cut.keeps(Part::SecondShop) {
        if has_websites(seed) {
            stage.open_website();
            if Random::of(seed, 14, 0).chance(1, 2) && !stage.found_company() {
                return failed(seed, "no second company can be founded".to_string());
            }
        } else {
            stage.open_outlet();
        }
        stage.one_by_email = Random::of(seed, 11, 0).chance(1, 2);
    }
    if plant.is_none() && Random::of(seed, 12, 0).chance(1, 4) && cut.keeps(Part::NoSources) {
        stage.switch_off_sources();
    }
    if plant.is_none() && accounts::has_books(seed) && cut.keeps(Part::Books) {
        accounts::open_books(&mut stage, seed);
    }
    match plant {
        Some(plant) => planted::ready(&mut stage, plant),
        None => furnish(&mut stage, seed, cut),
    }
    if let Err(error) = drive(&stage, seed, cut).await {
        open(&stage.world).broken("the-schedule-runs", error);
    }
    outcome_of(&stage)
}

/// What flows and happens on `stage` beside orders, as `seed` draws it.
fn furnish(stage: &mut Stage, seed: u64, cut: &Cut) {
    if cut.keeps(Part::Scenes) {
        scenes::draw(stage, seed);
    }
    if families::drawn(seed) && cut.keeps(Part::Families) {
        stage.carry_families();
    }
    // A shop whose figures nobody keeps right may hold too few to send.
    if stage.stock.is_some() && parcels::drawn(seed) {
        parcels::open_warehouse(stage);
        if bills::drawn(seed) && cut.keeps(Part::Office) {
            bills::open_office(stage, bills::as_it_leaves(seed));
            if payments::drawn(seed) && cut.keeps(Part::Till) {
                payments::open_till(stage);
            }
            if refunds::drawn(seed) && cut.keeps(Part::Counter) {
                refunds::open_counter(stage);
            }
        }
    }
    // A shop that took an order back takes no parcel of it: what is told of such is a story's matter.
    if stage.papers.is_none() && amends::drawn(seed) && cut.keeps(Part::Amendments) {
        amends::carry(stage);
    }
}

/// Nothing of what `cut` leaves out was drawn.
fn leave_out(stage: &mut Stage, seed: u64, cut: &Cut) {
    {
        let mut world = open(&stage.world);
        world.weather.leave_out(cut);
        if cut.draw > 0 {
            world.random = Random::of(seed, 7, cut.draw);
        }
    }
    stage.products = stage.products.take().filter(|_| cut.keeps(Part::Products));
    stage.prices = stage.prices.take().filter(|_| cut.keeps(Part::Prices));
    stage.stock = stage.stock.take().filter(|_| cut.keeps(Part::Stock));
    stage.sweep_s = stage.sweep_s.filter(|_| cut.keeps(Part::Sweeps));
    stage.buyers_type &= cut.keeps(Part::Edits);
}

/// What came of the schedule played on `stage`.
pub(super) fn outcome_of(stage: &Stage) -> Outcome {
    let mut world = open(&stage.world);
    Outcome {
        violations: world.violations.clone(),
        faults: world.faults.clone(),
        orders: check::released(&world),
        trace_hash: world.trace_hash(),
        lines: world.lines(),
    }
}

async fn drive(stage: &Stage, seed: u64, cut: &Cut) -> Result<(), String> {
    desk::open_views(stage);
    prices::open_lists(stage);
    tie(stage).await?;
    break_weather(stage);
    trade::open_the_doors(stage);
    let mut processes = Processes::start(stage, cut).await?;
    let mut orders = Orders::drawn(seed, cut);
    // What is billed, paid and given back comes after the orders: the storm lasts until some of it is under way.
    let seconds = CHAOS_S + if bills::is_open(stage) { OFFICE_S } else { 0 };
    let seconds = cut.seconds.unwrap_or(seconds);
    for second in 0..seconds {
        sleep(Duration::from_secs(1)).await;
        orders.place_due(stage, second)?;
        processes.bury_the_dead(stage).await?;
        if stage.found_plant() {
            processes.end();
            return Ok(());
        }
        each_second(stage, second, cut)?;
    }
    if !come_to_rest(stage, &mut processes).await? || stage.found_plant() {
        return Ok(());
    }
    scenes::at_the_end(stage);
    undone::take_back(stage).await?;
    check::at_the_end(stage).await
}

/// Calm, and people who decide what is left to them, until nothing is left to do. Returns whether it came to that; the
/// processes are ended.
async fn come_to_rest(stage: &Stage, processes: &mut Processes) -> Result<bool, String> {
    calm_weather(stage);
    release_all(stage);
    prices::finish(stage);
    let mut waited = 0;
    while waited < REST_S && !stage.found_plant() {
        sleep(Duration::from_secs(30)).await;
        waited += 30;
        if waited == CLOCK_RIGHT_S {
            stage.clock.set_right();
        }
        processes.bury_the_dead(stage).await?;
        desk_holds(stage, waited);
        if let Some(engine) = processes.any() {
            desk::decide(stage, &engine).await;
            prices::decide(stage, &engine).await;
            scenes::decide(stage, &engine).await;
            accounts::decide(stage, &engine).await;
            parcels::decide(stage, &engine).await;
            refunds::decide(stage, &engine).await;
            bills::decide(stage, &engine).await;
            payments::decide(stage, &engine).await;
            amends::decide(stage, &engine).await;
        }
        // Two leases and more, so that nothing of the chaos is still under way.
        if waited > 3 * u64::from(LEASE_S) && check::at_rest(stage, processes.any()).await {
            break;
        }
    }
    processes.end();
    if waited >= REST_S {
        let detail = check::unrest(stage).await;
        open(&stage.world).broken("comes-to-rest", detail);
    }
    Ok(waited < REST_S)
}

/// What happens in one second of chaos.
fn each_second(stage: &Stage, second: u64, cut: &Cut) -> Result<(), String> {
    clock_steps(stage, second);
    drift::each_second(stage, second);
    people(stage, second);
    trade::each_second(stage, second);
    desk_holds(stage, second);
    if cut.keeps(Part::Edits) {
        desk::each_second(stage, second);
        images::each_second(stage, second);
        prices::each_second(stage, second);
    }
    parcels::each_second(stage, second);
    bills::each_second(stage, second);
    payments::each_second(stage, second);
    refunds::each_second(stage, second);
    accounts::each_second(stage, second);
    amends::each_second(stage, second);
    scenes::each_second(stage, second, cut.seconds.unwrap_or(CHAOS_S))
}

/// From here on every request and every answer arrives at once.
fn calm_weather(stage: &Stage) {
    let mut world = open(&stage.world);
    world.event("calm");
    world.calm = true;
    world.drift = None;
    world.shops_mut().for_each(|shop| shop.quirks_mut().late_commit_s = 0);
    world.erp.quirks_mut().search_lag = jiff::SignedDuration::ZERO;
}

/// Ties what both sides have already.
async fn tie(stage: &Stage) -> Result<(), String> {
    let engine = stage.boot().await?;
    engine.adopt_variants().await.map_err(|error| error.to_string())?;
    if stage.families.is_some() {
        engine.adopt_families().await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// From here on the weather is what it was drawn to be.
fn break_weather(stage: &Stage) {
    let mut world = open(&stage.world);
    world.calm = false;
    let weather = world.weather.clone();
    world.shops_mut().for_each(|shop| shop.quirks_mut().late_commit_s = weather.late_rows_s);
    world.erp.quirks_mut().search_lag = jiff::SignedDuration::from_secs(weather.search_lag_s);
    if weather.late_rows_s > 0 {
        world.count("late_rows");
    }
    if weather.search_lag_s > 0 {
        world.count("search_lags");
    }
}

/// Checks now and then that nobody's own fields were overwritten.
fn desk_holds(stage: &Stage, second: u64) {
    let mut world = open(&stage.world);
    let (arrived, before) = world.arrived;
    // What nothing of ours has touched is as it was.
    if world.violations.is_empty() && second.is_multiple_of(5) && arrived != before {
        world.arrived.1 = arrived;
        let typed = accounts::overwritten(&world);
        let hung = images::overwritten(&world);
        let found = desk::overwritten(&world).into_iter().chain(prices::overwritten(&world));
        for detail in found.chain(typed).chain(hung) {
            world.broken("owned-fields-are-never-overwritten", detail);
        }
        for detail in amends::taken_back(&world) {
            world.broken("what-is-in-hand-stays", detail);
        }
        for detail in parcels::too_many(stage, &world) {
            world.broken("each-parcel-once", detail);
        }
        for detail in bills::too_much(stage, &world) {
            world.broken("each-bill-once", detail);
        }
        for detail in payments::too_much(stage, &world) {
            world.broken("each-payment-once", detail);
        }
        for detail in refunds::too_much(stage, &world) {
            world.broken("each-refund-once", detail);
        }
    }
}

/// Orders held by people in the shop are let go again.
pub(super) fn release_all(stage: &Stage) {
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    for shop in world.shops_mut() {
        for id in check::orders_in(shop, "draft") {
            shop.set_state(now, id, "processing");
        }
    }
}

fn clock_steps(stage: &Stage, second: u64) {
    let mut world = open(&stage.world);
    if world.weather.clock_steps && second.is_multiple_of(60) {
        let steps = [-90, 90, -3600, 15];
        let step = steps[world.random.index(steps.len())];
        world.count("clock_steps");
        world.event(&format!("the clock steps by {step} s"));
        stage.clock.step(step);
    }
}

fn people(stage: &Stage, second: u64) {
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    if !world.weather.people || !second.is_multiple_of(20) {
        return;
    }
    let open_orders = check::unreferenced(&world.shop);
    if open_orders.is_empty() {
        return;
    }
    let at = world.random.index(open_orders.len());
    let Some(id) = open_orders.get(at).copied() else { return };
    let state = if world.random.chance(1, 2) { "holded" } else { "processing" };
    world.count("people");
    world.event(&format!("a person sets order {id} to {state}"));
    world.shop.set_state(now, id, state);
}

/// The orders of a schedule and when they come.
struct Orders {
    seed: u64,
    due: Vec<u64>,
    placed: u64,
    last: Option<Value>,
    random: Random,
}

impl Orders {
    fn drawn(seed: u64, cut: &Cut) -> Self {
        let mut random = Random::of(seed, 2, 0);
        let count = random.between(4, 9);
        let mut due: Vec<u64> = (0..count).map(|_| random.between(2, CHAOS_S - 60)).collect();
        due.sort_unstable();
        due.truncate(cut.orders.unwrap_or(due.len()));
        if let Some(seconds) = cut.seconds {
            // What is cut short still has its orders.
            due.iter_mut().for_each(|at| *at = (*at).min(seconds / 2));
        }
        Self { seed, due, placed: 0, last: None, random }
    }

    fn place_due(&mut self, stage: &Stage, second: u64) -> Result<(), String> {
        while self.due.first().is_some_and(|due| *due <= second) {
            self.due.remove(0);
            let now = stage.clock.true_now();
            let mut order = place_like(self.seed, self.placed, &stage.catalogue, now);
            if let Some(last) = &self.last
                && self.random.chance(1, 5)
                // Of two documents with one number nobody could tell which one's order was cancelled.
                && !amends::are_carried(stage)
            {
                // A second store view has numbers of its own: the same number twice is two orders.
                order["increment_id"] = last["increment_id"].clone();
                order["store_id"] = if stage.one_installation { 3 } else { 2 }.into();
            }
            if stage.one_installation && self.random.chance(1, 2) {
                order["store_id"] = 2.into();
                // Accounts are those of the first website, as Magento comes.
                order["customer_id"] = Value::Null;
                order["customer_is_guest"] = 1.into();
            }
            self.placed += 1;
            self.last = Some(order.clone());
            let mut world = open(&stage.world);
            if self.placed == 1 {
                world.shops_mut().for_each(|shop| shop.add_store_view("second", "Second view", "de_DE"));
            }
            if let Some(outlet) = world.outlet.as_mut().filter(|_| self.random.chance(1, 2)) {
                let id = outlet.place(now, order)?;
                world.event(&format!("order {id} is placed in the outlet"));
                continue;
            }
            let id = world.shop.place(now, order)?;
            world.event(&format!("order {id} is placed"));
        }
        Ok(())
    }
}

/// The running processes. Two engines over one store, as two machines over one database would be.
struct Processes {
    /// Seconds between two passes in calm weather, of each.
    calm_s: [u64; 2],
    engines: Vec<(Arc<Engine>, JoinHandle<()>)>,
}

impl Processes {
    async fn start(stage: &Stage, cut: &Cut) -> Result<Self, String> {
        // Where little happened, one of two is enough afterwards: looks in calm weather are most of what a small schedule costs.
        let calm_s = if cut.seconds.is_some() { [60, 900] } else { [60, 60] };
        let mut processes = Self { calm_s, engines: Vec::new() };
        processes.spawn(stage).await?;
        Ok(processes)
    }

    async fn spawn(&mut self, stage: &Stage) -> Result<(), String> {
        for (number, calm_s) in (0..).zip(self.calm_s) {
            let engine = stage.boot().await?;
            if number == 0 {
                engine.recover().await.map_err(|error| error.to_string())?;
            }
            let (running, world) = (engine.clone(), stage.world.clone());
            let task = tokio::spawn(async move {
                loop {
                    // A pass may fail for want of an answer; the next one goes on. In calm weather it works off what a sweep
                    // has just woken: one of every figure comes so often here that there would never be rest.
                    let calm = open(&world).calm;
                    if calm {
                        drop(running.sweep_what_is_due().await);
                    }
                    drop(running.sync(None).await);
                    if !calm {
                        drop(running.sweep_what_is_due().await);
                    }
                    let calm = open(&world).calm;
                    sleep(Duration::from_secs(if calm { calm_s } else { 13 + 5 * number })).await;
                }
            });
            self.engines.push((engine, task));
        }
        Ok(())
    }

    fn any(&self) -> Option<Arc<Engine>> {
        self.engines.first().map(|(engine, _)| engine.clone())
    }

    /// Where the process died: drops everything it held in memory and starts anew over the same store.
    async fn bury_the_dead(&mut self, stage: &Stage) -> Result<(), String> {
        let dying = std::mem::take(&mut open(&stage.world).dying);
        if dying {
            self.end();
            self.spawn(stage).await?;
        }
        Ok(())
    }

    fn end(&mut self) {
        for (_, task) in self.engines.drain(..) {
            task.abort();
        }
    }
}
