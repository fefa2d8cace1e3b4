//! Worlds lent to what looks at single answers: both systems with all flows on, and some trade behind them.

use super::bills;
use super::boot::{PRODUCTS, Stage};
use super::desk;
use super::parcels;
use super::payments;
use super::prices;
use super::refunds;
use super::trade;
use super::weather::Weather;
use super::world::{Which, open};
use crate::outside::Spoilt;
use rust_decimal::Decimal;
use std::path::Path;
use std::time::Duration;
use syncline_engine::conflicts::Which as Conflicts;
use syncline_sim::books::rows;
use syncline_sim::http::System;
use syncline_sim::image::drawn;
use syncline_sim::orders::place_like;
use syncline_sim::random::Random;
use syncline_store::LaneFilter;
use tokio::time::{sleep, timeout};

/// Simulated seconds within which a pass ends, whatever systems answer.
const PASS_S: u64 = 6 * 3600;
/// Orders that are placed.
const ORDERS: u64 = 4;

/// The first seed whose shop is entered by a token and whose ERP has the modules of a web shop.
fn seed() -> u64 {
    let plain = |seed: &u64| !Random::of(*seed, 7, 0).chance(1, 3) && Random::of(*seed, 1, 0).chance(1, 2);
    (1..100).find(plain).unwrap_or(1)
}

/// A stage in calm weather on which everything flows, with orders that nobody has looked at.
fn set(store: Option<&Path>) -> Result<Stage, String> {
    let mut stage = Stage::stocked(seed(), PRODUCTS, None, false)?;
    if let Some(path) = store {
        stage.keep_in_file(path)?;
    }
    open(&stage.world).weather = Weather::default();
    (stage.products, stage.prices, stage.stock) = (Some(desk::rules()), Some(prices::rules()), Some(trade::rules()));
    desk::open_views(&stage);
    prices::open_lists(&stage);
    parcels::open_warehouse(&mut stage);
    bills::open_office(&mut stage, false);
    payments::open_till(&mut stage);
    refunds::open_counter(&mut stage);
    stage.carry_images();
    let now = stage.clock.true_now();
    {
        let mut world = open(&stage.world);
        world.erp.activate_kits(now);
        world.erp.activate_amendments(now);
        if let [one, other, ..] = stage.catalogue.as_slice() {
            world.erp.make_kit(
                now,
                "KIT",
                "A kit",
                &[(one.sku.as_str(), Decimal::ONE), (other.sku.as_str(), Decimal::TWO)],
            );
            world.erp.add_image(now, &one.sku, &drawn("one"), (Some(1), false));
            world.shop.add_image(&other.sku, "other.gif", &drawn("other"), 1);
            world.shop.set_price(now, &one.sku, "special", 1, Some("1.5"));
            world.shop.set_price(now, &one.sku, "group:*", 10, Some("1.25"));
        }
        let below = world.erp.make_category(now, None, "Tools");
        world.erp.make_category(now, below, "Nuts");
        for n in 0..ORDERS {
            world.shop.place(now, place_like(stage.seed(), n, &stage.catalogue, now))?;
        }
    }
    Ok(stage)
}

/// The same with what both systems have tied.
async fn begun(store: Option<&Path>) -> Result<Stage, String> {
    let stage = set(store)?;
    stage.boot().await?.adopt_variants().await.map_err(|error| error.to_string())?;
    Ok(stage)
}

/// The same after some rounds of the product and of the people at both desks; its store in a file where one is named.
///
/// # Errors
/// Where the stage cannot be set.
pub(crate) async fn traded(store: Option<&Path>) -> Result<Stage, String> {
    let stage = begun(store).await?;
    let engine = stage.boot().await?;
    for round in 0..8 {
        drop(engine.sync(None).await);
        sleep(Duration::from_secs(60)).await;
        let now = stage.clock.true_now();
        let mut world = open(&stage.world);
        world.erp.work_a_while(now, 2);
        world.erp.bill_a_while(now, 2, &[]);
        let ledger = world.shop.books().only(&["orders"]);
        let order = rows(&ledger, "orders").filter_map(|order| order["id"].as_u64()).nth(round % 2);
        let Some(order) = order else { continue };
        if round < 4 {
            world.shop.invoice_by_hand(now, order, &[]);
        } else {
            world.shop.refund_by_hand(now, order, &[], None);
        }
    }
    drop(engine.sync(None).await);
    Ok(stage)
}

/// Passes of the whole product while answers of `which` are spoiled, and one after that.
///
/// # Errors
/// Where the stage cannot be set, or a pass does not end.
pub(crate) async fn passed(which: Which, spoilt: Spoilt) -> Result<(), String> {
    let stage = begun(None).await?;
    let engine = stage.boot().await?;
    open(&stage.world).spoilt = Some((which, spoilt));
    for at in 0..3 {
        if at == 2 {
            open(&stage.world).spoilt = None;
        }
        let ended = timeout(Duration::from_secs(PASS_S), engine.sync(None)).await;
        drop(ended.map_err(|_| format!("a pass goes on after {PASS_S} s"))?);
        sleep(Duration::from_secs(60)).await;
        let now = stage.clock.true_now();
        open(&stage.world).erp.work_a_while(now, 1);
    }
    Ok(())
}

/// A process over the store in `path`, whoever wrote it, between systems that know none of its documents: what people are told of
/// it, and a pass.
///
/// # Errors
/// Where the stage cannot be set, or the pass does not end.
pub(crate) async fn resumed(path: &Path) -> Result<(), String> {
    let mut stage = set(None)?;
    if stage.keep_in_file(path).is_err() {
        return Ok(());
    }
    let engine = stage.boot().await?;
    drop((engine.recover().await, engine.status().await, engine.verify_stored().await));
    drop((engine.conflicts(&Conflicts::default()).await, engine.early().await, engine.plan(None).await));
    for lane in engine.store.lanes(LaneFilter::default()).await.unwrap_or_default() {
        drop(engine.explain(lane.entity).await);
    }
    let ended = timeout(Duration::from_secs(PASS_S), engine.sync(None)).await;
    ended.map(drop).map_err(|_| format!("a pass goes on after {PASS_S} s"))
}
