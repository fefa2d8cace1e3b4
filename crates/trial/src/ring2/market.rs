//! One schedule of the market: calm weather, a pass every five minutes, and in between buyers in the shop and at the
//! counter who want the same few things. What the shop is told, and what is sold that nobody has, is counted.

use super::boot::Stage;
use super::check;
use super::schedule::{Outcome, failed, outcome_of, release_all};
use super::trade::{self, Held};
use super::weather::Weather;
use super::world::open;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use syncline_sim::http::System;
use syncline_sim::random::Random;
use tokio::time::sleep;

/// Seconds the market is open.
const OPEN_S: u64 = 2400;
/// Seconds between two passes.
const LAG_S: u64 = 300;
/// Seconds a pass may take beside.
const PASS_S: u64 = 120;
/// Seconds a figure of the ERP may be old when it decides, with the calls in between.
const FRESH_S: u64 = 90;
/// Most that one thing loses at the counter within a lag and a pass: the safety stock of every other seed.
const COUNTER: u32 = 9;

/// The outcome of `seed`, with a planted bug where one is named.
#[must_use]
pub fn market(seed: u64, plant: Option<&'static str>, keep_lines: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(async {
            let mut stage = match Stage::set(seed, plant, keep_lines) {
                Ok(stage) => stage,
                Err(error) => return failed(seed, error),
            };
            let mut rules = trade::rules();
            let safety = if seed.is_multiple_of(2) { Decimal::from(COUNTER) } else { Decimal::ZERO };
            rules.targets.iter_mut().for_each(|shop| shop.safety = safety);
            let safe = !safety.is_zero();
            stage.stock = Some(rules);
            stage.products = None;
            stage.prices = None;
            open(&stage.world).weather = Weather::default();
            if plant.is_none() && Random::of(seed, 10, 0).chance(1, 3) {
                stage.open_outlet();
            }
            if plant.is_none() && Random::of(seed, 12, 0).chance(1, 3) {
                stage.switch_off_sources();
            }
            if let Err(error) = Market::new(seed, safe).play(&stage).await {
                open(&stage.world).broken("the-schedule-runs", error);
            }
            outcome_of(&stage)
        }),
        Err(error) => failed(seed, error.to_string()),
    }
}

/// What the ERP could promise at one second, by SKU.
type Figures = BTreeMap<String, Decimal>;

struct Market {
    random: Random,
    safe: bool,
    /// What the ERP could promise lately, by second.
    lately: VecDeque<(u64, Figures)>,
    /// What each shop sold a second ago.
    salable: Vec<Figures>,
    /// What was sold over the counter: second, SKU, pieces.
    counter: Vec<(u64, String, u32)>,
    /// What was bought in a shop beside another one: that one may have shown the same pieces meanwhile.
    beside: Vec<(u64, String, u32)>,
    bought: u64,
    writes: u64,
}

impl Market {
    fn new(seed: u64, safe: bool) -> Self {
        Self {
            random: Random::of(seed, 6, 0),
            safe,
            lately: VecDeque::new(),
            salable: Vec::new(),
            counter: Vec::new(),
            beside: Vec::new(),
            bought: 0,
            writes: 0,
        }
    }

    async fn play(&mut self, stage: &Stage) -> Result<(), String> {
        trade::open_the_doors(stage);
        let engine = stage.boot().await?;
        engine.adopt_variants().await.map_err(|error| error.to_string())?;
        engine.sync(None).await.map_err(|error| error.to_string())?;
        self.look(stage, 0);
        self.salable = salable(stage);
        let mut pass = None;
        for second in 1..OPEN_S {
            sleep(Duration::from_secs(1)).await;
            if second.is_multiple_of(LAG_S) {
                let engine = engine.clone();
                pass = Some(tokio::spawn(async move { engine.sync(None).await.map(drop) }));
            }
            let traded = self.trade(stage, second);
            let writes = open(&stage.world).writes;
            if traded || writes != self.writes {
                self.writes = writes;
                self.published(stage, second);
                self.look(stage, second);
            }
            if stage.found_plant() {
                return Ok(());
            }
        }
        if let Some(pass) = pass {
            pass.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        }
        release_all(stage);
        for _ in 0..20 {
            engine.sync(None).await.map_err(|error| error.to_string())?;
            sleep(Duration::from_secs(60)).await;
        }
        let oversold = self.oversold(stage);
        open(&stage.world).event(&format!("{} bought, {oversold} of them nobody has", self.bought));
        check::at_the_end(stage).await
    }

    /// Somebody wants something. Whether anything changed.
    fn trade(&mut self, stage: &Stage, second: u64) -> bool {
        if !second.is_multiple_of(17) {
            return false;
        }
        let codes = trade::codes(&stage.catalogue);
        let now = stage.clock.true_now();
        // The scarce things are what everybody wants.
        let at = self.random.index(codes.len().div_ceil(3)) * 3;
        let Some(sku) = codes.get(at) else { return false };
        let pieces = u32::try_from(self.random.between(1, 3)).unwrap_or(1);
        let rules = stage.order_rules();
        let mut world = open(&stage.world);
        let (done, what) = match self.random.below(12) {
            0..=2 if world.outlet.is_some() && second.is_multiple_of(2) => {
                (world.outlet.as_mut().is_some_and(|outlet| outlet.buy(now, sku, pieces)), "is bought in the outlet")
            }
            0..=2 => (world.shop.buy(now, sku, pieces), "is bought in the shop"),
            3..=7 => {
                let free = trade::held(&world.erp.books()).get(sku).map_or(Decimal::ZERO, Held::free);
                // Orders the shop holds back for longer than a lag are known at the counter by word of mouth.
                let long_ago = now - jiff::SignedDuration::from_secs(i64::try_from(LAG_S + PASS_S).unwrap_or(0));
                let kept = trade::ordered(&world, &rules, long_ago).get(sku).copied().unwrap_or_default();
                let recently: u32 = self.at_the_counter(sku, second.saturating_sub(LAG_S + PASS_S), second);
                let may = free - kept >= Decimal::from(pieces) && recently + pieces <= COUNTER;
                (may && world.erp.take(now, sku, pieces), "is sold over the counter")
            }
            8 => {
                let held = check::unreferenced(&world.shop);
                let chosen = self.random.index(held.len().max(1));
                let state = if self.random.chance(2, 3) { "holded" } else { "processing" };
                (
                    held.get(chosen).is_some_and(|id| world.shop.set_state(now, *id, state)),
                    "somebody holds an order for",
                )
            }
            9 => (trade::ship_one(&mut world.erp, now), "leaves the warehouse with its sale"),
            _ => return false,
        };
        if done {
            match what {
                "is sold over the counter" => self.counter.push((second, sku.clone(), pieces)),
                "is bought in the shop" | "is bought in the outlet" => {
                    self.bought += 1;
                    if world.outlet.is_some() {
                        self.beside.push((second, sku.clone(), pieces));
                    }
                }
                _ => {}
            }
            world.count("trade");
            world.event(&format!("{pieces} of {sku}: {what}"));
        }
        done
    }

    fn at_the_counter(&self, sku: &str, from: u64, to: u64) -> u32 {
        sold(&self.counter, sku, from, to)
    }

    /// Remembers what the ERP can promise now.
    fn look(&mut self, stage: &Stage, second: u64) {
        let held = trade::held(&open(&stage.world).erp.books());
        let figures = held.iter().map(|(sku, held)| (sku.clone(), held.free())).collect();
        self.lately.push_back((second, figures));
        // The last figures from before the window count too: they held on into it.
        while self.lately.get(1).is_some_and(|(at, _)| at + FRESH_S < second) {
            self.lately.pop_front();
        }
    }

    /// Where buyers may have more than a second ago: not more than what could be known to be free.
    fn published(&mut self, stage: &Stage, second: u64) {
        let now_for_sale = salable(stage);
        let ordered = {
            let (world, rules) = (open(&stage.world), stage.order_rules());
            let long_ago =
                stage.clock.true_now() - jiff::SignedDuration::from_secs(i64::try_from(FRESH_S).unwrap_or(0));
            trade::ordered(&world, &rules, long_ago)
        };
        let all = now_for_sale.iter().zip(&self.salable);
        for ((sku, salable), before) in all.flat_map(|(shop, before)| shop.iter().map(move |row| (row, before))) {
            let before = before.get(sku).copied().unwrap_or_default();
            // What the ERP does not have is not ours to tell.
            let Some(known) = self.lately.iter().filter_map(|(_, figures)| figures.get(sku)).max().copied() else {
                continue;
            };
            let ordered = ordered.get(sku).copied().unwrap_or_default();
            let most = (known - ordered).floor().max(Decimal::ZERO);
            if *salable > before && *salable > most {
                let what = format!("{second} s, {sku}: {salable} for sale, {known} to promise, {ordered} ordered");
                open(&stage.world).broken("published-is-within-what-was-known", what);
            }
        }
        self.salable = now_for_sale;
    }

    /// Pieces sold that nobody has, each explained by what the counter took meanwhile.
    fn oversold(&self, stage: &Stage) -> Decimal {
        let held = trade::held(&open(&stage.world).erp.books());
        let mut sum = Decimal::ZERO;
        for (sku, held) in held {
            let short = (-held.free()).max(Decimal::ZERO);
            let window = |at: u64| self.at_the_counter(&sku, at, at + LAG_S + PASS_S);
            let taken = self.counter.iter().map(|(at, ..)| window(*at)).max().unwrap_or(0);
            let taken = if self.safe { 0 } else { taken };
            let beside = |at: u64| sold(&self.beside, &sku, at, at + LAG_S + PASS_S);
            let taken = taken + self.beside.iter().map(|(at, ..)| beside(*at)).max().unwrap_or(0);
            if short > Decimal::from(taken) {
                let why = if self.safe { "the safety stock covers every sale" } else { "within any window" };
                let what = format!("{sku}: {short} sold that nobody has, {taken} taken at the counter ({why})");
                open(&stage.world).broken("oversold-is-what-the-lag-explains", what);
            }
            sum += short;
        }
        sum
    }
}

/// Pieces of `sku` in `sales` between two seconds.
fn sold(sales: &[(u64, String, u32)], sku: &str, from: u64, to: u64) -> u32 {
    let within = |(at, code, _): &&(u64, String, u32)| (from..=to).contains(at) && code == sku;
    sales.iter().filter(within).map(|(_, _, pieces)| *pieces).sum()
}

/// What buyers of each shop may still buy.
fn salable(stage: &Stage) -> Vec<Figures> {
    open(&stage.world).shops().map(|shop| trade::salable(&shop.books())).collect()
}
