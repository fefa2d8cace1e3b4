//! A wrong price crosses at rest, a person takes the run back, and it has to stay so until the ERP says something new.

use super::boot::Stage;
use super::prices;
use super::scenes::Scene;
use super::world::{World, open};
use rust_decimal::Decimal;
use std::time::Duration;
use syncline_engine::Engine;
use syncline_engine::undo::Fate;
use syncline_sim::http::System;
use tokio::time::sleep;

/// Passes after which what was undone must still be so.
const PASSES: u64 = 6;
/// What has to hold meanwhile.
pub const RULE: &str = "what-was-undone-stays-so";
/// Seconds between two of them: the last is later than anything that may still land.
const APART_S: u64 = 120;

/// A price that a person took back: where it stands, and what it has to be from then on.
#[derive(Debug, Clone)]
pub struct TakenBack {
    place: prices::Place,
    right: Option<Decimal>,
}

/// Plays it where it was drawn.
///
/// # Errors
/// Where a pass fails, or nothing can be taken back.
pub async fn take_back(stage: &Stage) -> Result<(), String> {
    if !stage.scenes.contains(&Scene::TakenBack) {
        return Ok(());
    }
    let Some((sku, price)) = prices::first_of_list(stage) else { return Ok(()) };
    let engine = stage.boot().await?;
    let right = prices::shown(stage);
    reprice(stage, &engine, &sku, price * Decimal::ONE_HUNDRED).await?;
    let wrong = prices::shown(stage);
    if wrong == right {
        open(&stage.world).broken("the-shop-asks-what-the-erp-says", format!("{sku}: a new price did not cross"));
        return Ok(());
    }
    let run = engine.runs(1).await.map_err(|error| error.to_string())?.newest.pop().ok_or("no run wrote anything")?;
    let undo = engine.undo_of(run.run, &[]).await.map_err(|error| error.to_string())?.ok_or("there is no such run")?;
    let back = undo.with(Fate::Back).count();
    engine.undo(&undo).await.map_err(|error| error.to_string())?;
    {
        let mut world = open(&stage.world);
        let place = ("base".to_string(), sku.clone(), Decimal::ONE);
        world.taken_back = Some(TakenBack { right: right.get(&place).copied(), place });
        world.count("undos");
        world.event(&format!("a person takes run {} back: {back} fields", run.run));
    }
    if back == 0 {
        open(&stage.world).broken(RULE, format!("nothing of {sku} was to be put back"));
    }
    for pass in 0..PASSES {
        stays(stage);
        if pass == PASSES / 2 {
            // Something else of the same record changes: it is decided about anew.
            prices::rewrite(stage, false);
        }
        sleep(Duration::from_secs(APART_S)).await;
        engine.sync(None).await.map_err(|error| error.to_string())?;
    }
    stays(stage);
    open(&stage.world).taken_back = None;
    // What comes next flows by itself.
    prices::rewrite(stage, true);
    reprice(stage, &engine, &sku, price + Decimal::ONE).await?;
    for _ in 0..PASSES {
        sleep(Duration::from_secs(APART_S)).await;
        engine.sync(None).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The ERP asks `price` from now on, and passes carry it over.
async fn reprice(stage: &Stage, engine: &Engine, sku: &str, price: Decimal) -> Result<(), String> {
    let (now, before) = (stage.clock.true_now(), prices::shown(stage));
    if !open(&stage.world).erp.set_list_price(now, sku, &price.round_dp(4).normalize().to_string()) {
        return Err(format!("the ERP refuses {price} for {sku}"));
    }
    for _ in 0..PASSES {
        engine.sync(None).await.map_err(|error| error.to_string())?;
        if prices::shown(stage) != before {
            break;
        }
        sleep(Duration::from_secs(APART_S)).await;
    }
    Ok(())
}

fn stays(stage: &Stage) {
    let mut world = open(&stage.world);
    if let Some(detail) = is_back(&world) {
        world.broken(RULE, detail);
    }
}

/// A price that was taken back and is something else in the shop. Must never be, not even between two requests.
pub fn is_back(world: &World) -> Option<String> {
    let TakenBack { place, right } = world.taken_back.as_ref()?;
    let shown = prices::rows(&world.shop.books()).get(place).copied();
    (shown != *right).then(|| format!("{} is {shown:?} in the shop, {right:?} before", place.1))
}
