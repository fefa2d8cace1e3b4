//! What happens in a part of the schedules beside the flows: an order that no feed tells of, a product that somebody
//! deletes in the shop, a run that is taken back.

use super::boot::Stage;
use super::check;
use super::schedule::CHAOS_S;
use super::world::{World, open};
use serde_json::Value;
use std::collections::BTreeSet;
use syncline_core::kind::Kind;
use syncline_engine::Engine;
use syncline_sim::books::Lists;
use syncline_sim::catalogue::Form;
use syncline_sim::http::System;
use syncline_sim::orders::place_like;
use syncline_sim::random::Random;
use syncline_store::LaneFilter;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scene {
    /// An order whose stamp lies further back than any feed looks: only a sweep can find it.
    Hidden,
    /// A product is deleted in the shop, which no feed tells of either.
    Deleted,
    /// A wrong price crosses and is taken back.
    TakenBack,
}

/// When the hidden order is placed, in seconds of chaos: others have moved the feed on by then.
const HIDDEN_AT: u64 = 260;
/// The number of the hidden order, apart from those that are placed as they come.
const HIDDEN: u64 = 900;
/// Orders that are placed as they come, at most.
const PLACED: u64 = 10;
/// When the product is deleted, in seconds of chaos.
const DELETED_AT: u64 = 150;
/// Seconds between two sweeps where something has to be found by one.
const SWEEP_S: u32 = 40;

/// A product that somebody deleted in the shop.
#[derive(Debug, Clone)]
pub struct Deleted {
    pub sku: String,
    /// A person was asked about it.
    pub asked: bool,
    /// A person made it again.
    pub made_again: bool,
}

/// Draws what happens on `stage`, where the flows it needs are on.
pub fn draw(stage: &mut Stage, seed: u64) {
    let drawn = |topic: u64| Random::of(seed, topic, 0).chance(1, 2);
    if stage.sweep_s.is_some() && drawn(13) {
        stage.scenes.insert(Scene::Hidden);
    }
    if stage.products.is_some() && drawn(14) {
        stage.scenes.insert(Scene::Deleted);
    }
    if stage.products.is_some() && drawn(16) {
        stage.carry_images();
    }
    if stage.prices.is_some() && drawn(15) {
        stage.scenes.insert(Scene::TakenBack);
    }
    ready(stage, drawn(16));
}

/// What the drawn scenes need: a sweep that finds, and in a part of the schedules a flow that makes what lacks.
pub fn ready(stage: &mut Stage, creates: bool) {
    if stage.scenes.contains(&Scene::Deleted) {
        stage.sweep_s = stage.sweep_s.or(Some(SWEEP_S));
        let pairs = stage.products.iter_mut().flat_map(|rules| &mut rules.pairs);
        pairs.for_each(|pair| pair.creates = creates);
    }
}

/// What happens in one second of so many of chaos; in fewer than usual sooner.
pub fn each_second(stage: &Stage, second: u64, seconds: u64) -> Result<(), String> {
    let at = |moment: u64| moment * seconds.min(CHAOS_S) / CHAOS_S;
    if second == at(HIDDEN_AT) && stage.scenes.contains(&Scene::Hidden) {
        let mut world = open(&stage.world);
        let earlier = stage.clock.true_now() - jiff::SignedDuration::from_hours(2);
        let order = place_like(world.seed(), HIDDEN, &stage.catalogue, earlier);
        let id = world.shop.place(earlier, order)?;
        world.count("hidden_orders");
        world.event(&format!("order {id} is there, as if it had been for two hours"));
    }
    if second == at(DELETED_AT) && stage.scenes.contains(&Scene::Deleted) {
        delete(stage);
    }
    Ok(())
}

/// Somebody deletes a product that no order has: what becomes of those is another matter.
fn delete(stage: &Stage) {
    let mut world = open(&stage.world);
    let ordered = ordered(&world, stage);
    let free = |sku: &String| !ordered.contains(sku);
    let simple = stage.catalogue.iter().filter(|item| item.form == Form::Simple).map(|item| item.sku.clone());
    let all: Vec<String> = simple.filter(free).collect();
    let mut random = Random::of(world.seed(), 14, 1);
    let Some(sku) = all.get(random.index(all.len().max(1))).cloned() else { return };
    if world.shop.delete_product(&sku) {
        world.count("deletions");
        world.event(&format!("somebody deletes {sku} in the shop"));
        world.typed.retain(|(desk, of, ..), _| *desk != "shop" || *of != sku);
        world.picked.retain(|(desk, of, _), _| *desk != "shop" || *of != sku);
        world.hung.retain(|(of, _)| *of != sku);
        world.priced.forget(&sku);
        world.deleted = Some(Deleted { sku, asked: false, made_again: false });
    }
}

/// SKUs of every order there is, and of those that are still to come.
fn ordered(world: &World, stage: &Stage) -> BTreeSet<String> {
    let now = stage.clock.true_now();
    let coming = (0..PLACED).chain([HIDDEN]).map(|n| place_like(world.seed(), n, &stage.catalogue, now));
    let there = world.shops().map(|shop| shop.books().list("orders").clone());
    let lines = |orders: Vec<Value>, list: &'static str| {
        orders.into_iter().flat_map(move |order| order[list].as_array().cloned().unwrap_or_default())
    };
    let there: Vec<Value> = there.flat_map(|orders| orders.as_array().cloned().unwrap_or_default()).collect();
    let all = lines(coming.collect(), "items").chain(lines(there, "lines"));
    all.filter_map(|line| line["sku"].as_str().map(str::to_string)).collect()
}

/// A product that was deleted and is there again though no person made it. Must never be.
pub fn brought_back(world: &World) -> Option<String> {
    let deleted = world.deleted.as_ref().filter(|deleted| !deleted.made_again)?;
    let ledger = world.shop.books();
    let there = ledger.list("products").as_array().into_iter().flatten().any(|row| row["sku"] == deleted.sku.as_str());
    there.then(|| format!("{} was deleted in the shop and is there again", deleted.sku))
}

/// Whether nothing of it is left for a person to be asked.
pub fn is_over(world: &World) -> bool {
    world.deleted.as_ref().is_none_or(|deleted| deleted.asked)
}

/// Once a person is asked about the deleted product: it is right so, or they make it again.
pub async fn decide(stage: &Stage, engine: &Engine) {
    let Some(deleted) = open(&stage.world).deleted.clone().filter(|deleted| !deleted.asked) else { return };
    let filter = LaneFilter {
        kind: Some(Kind::Variant),
        label: Some(deleted.sku.clone()),
        states: vec!["held"],
        ..LaneFilter::default()
    };
    let Ok(lanes) = engine.store.lanes(filter).await else { return };
    let Some(lane) = lanes.iter().find(|lane| lane.why.as_ref().is_some_and(|why| why.code == "SYN-0150")) else {
        return;
    };
    // What is rightly gone in one shop is out of the flow; where another one goes on with it, it is made again.
    let again = stage.outlet.is_some() || Random::of(stage.seed(), 14, 2).chance(1, 2);
    if !again && engine.accept_gone(lane.entity).await.is_err() {
        return;
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let made_again = again && world.shop.make_product_again(now, &deleted.sku);
    world.event(&format!("a person was asked about {}; made again: {made_again}", deleted.sku));
    world.deleted = Some(Deleted { asked: true, made_again, ..deleted });
}

/// Checks at the end that what was there to be seen was seen.
pub fn at_the_end(stage: &Stage) {
    let mut world = open(&stage.world);
    if let Some(detail) = brought_back(&world) {
        world.broken("what-was-deleted-is-not-made-again", detail);
    }
    if !is_over(&world) {
        let detail = format!("{:?}", world.deleted);
        world.broken("what-is-gone-is-asked-about", detail);
    }
    let unknown = check::unreferenced(&world.shop).len();
    if unknown > 0 {
        world.broken("what-no-feed-tells-of-is-found", format!("{unknown} orders have no document"));
    }
}
