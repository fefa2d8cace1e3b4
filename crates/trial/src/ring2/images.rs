//! People at both desks upload images and take them away while orders cross: each comes once, the shop's own stay.

use super::boot::Stage;
use super::world::{World, open};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::SystemName;
use syncline_core::path::Path;
use syncline_engine::Engine;
use syncline_engine::conflicts::{Choice, Which as Conflicts};
use syncline_sim::books::Lists;
use syncline_sim::http::System;
use syncline_sim::image::{drawn, print_of};
use syncline_sim::random::Random;

/// What people of the shop uploaded there, by SKU and print.
pub type Hung = BTreeSet<(String, String)>;

/// The images of each product, by SKU: their prints with their ids.
type Rows = BTreeMap<String, Vec<(String, u64)>>;

/// What people upload or take away in one second of chaos. They have dice of their own.
pub fn each_second(stage: &Stage, second: u64) {
    if !stage.images || !second.is_multiple_of(11) {
        return;
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let mut random = Random::of(world.seed(), 14, second);
    let Some(sku) = stage.catalogue.get(random.index(stage.catalogue.len())).map(|item| item.sku.clone()) else {
        return;
    };
    let there = rows(&world.erp.books()).remove(&sku).unwrap_or_default();
    match random.below(6) {
        0 => {
            let bytes = drawn(&format!("shop {second}"));
            if world.shop.add_image(&sku, &format!("shop{second}.gif"), &bytes, 1).is_some() {
                world.hung.insert((sku.clone(), print_of(&bytes)));
                world.event(&format!("at the shop {sku} gets an image"));
            }
        }
        1 | 2 if !there.is_empty() => {
            let at = random.index(there.len());
            if there.get(at).is_some_and(|(_, id)| world.erp.remove_image(now, *id)) {
                world.event(&format!("at the erp {sku} loses an image"));
            }
        }
        _ => {
            // Few words, so that some come again after they were taken away.
            let words = format!("{sku} {}", random.below(3));
            let place = (random.chance(1, 2).then(|| u32::try_from(random.below(5)).unwrap_or(0)), random.chance(1, 4));
            if world.erp.add_image(now, &sku, &drawn(&words), place).is_some() {
                world.count("images");
                world.event(&format!("at the erp {sku} gets an image"));
            }
        }
    }
}

/// Of an image that came back to the ERP before it had gone from the shop, a person says that it hangs where the ERP has it.
pub async fn decide(stage: &Stage, engine: &Engine) {
    let which = Conflicts { field: Path::try_from("images[*].position".to_string()).ok(), ..Conflicts::default() };
    if stage.images
        && let Ok(decided) = engine.resolve(&which, &Choice::Take(SystemName::new("erp"))).await
        && decided.fields > 0
    {
        open(&stage.world).event(&format!("a person decides where images of {} products hang", decided.records));
    }
}

/// The images of every product that has a ledger's row.
fn rows(ledger: &impl Lists) -> Rows {
    let print = |row: &Value| Some((row["print"].as_str()?.to_string(), row["id"].as_u64()?));
    let images = |row: &Value| row["images"].as_array().into_iter().flatten().filter_map(print).collect();
    let all = ledger.list("products").as_array().into_iter().flatten();
    all.filter_map(|row| Some((row["sku"].as_str()?.to_string(), images(row)))).collect()
}

/// Images that people of the shop uploaded and that are not there any more. Holds at all times.
pub fn overwritten(world: &World) -> Vec<String> {
    if world.hung.is_empty() {
        return Vec::new();
    }
    let shop = rows(&world.shop.books());
    let there = |sku: &String, print: &String| shop.get(sku).is_some_and(|all| all.iter().any(|(one, _)| one == print));
    let lost = world.hung.iter().filter(|(sku, print)| !there(sku, print));
    lost.map(|(sku, print)| format!("the shop's own image {print} of {sku} is gone")).collect()
}

/// Images that the shop has twice, lacks, or has of its own accord at rest.
pub fn apart(world: &World) -> Vec<String> {
    let (shop, erp) = (rows(&world.shop.books()), rows(&world.erp.books()));
    let mut found = Vec::new();
    for (sku, theirs) in &erp {
        let Some(ours) = shop.get(sku) else { continue };
        let own = |print: &String| world.hung.contains(&(sku.clone(), print.clone()));
        let mut shown: BTreeMap<&String, usize> = BTreeMap::new();
        ours.iter().for_each(|(print, _)| *shown.entry(print).or_default() += 1);
        let wanted: BTreeSet<&String> = theirs.iter().map(|(print, _)| print).collect();
        for (print, times) in &shown {
            if *times > 1 {
                found.push(format!("{sku} shows the image {print} {times} times"));
            }
            if !wanted.contains(print) && !own(print) {
                found.push(format!("{sku} still shows the image {print}"));
            }
        }
        let missing = wanted.iter().filter(|print| !shown.contains_key(**print));
        found.extend(missing.map(|print| format!("{sku} lacks the image {print}")));
    }
    found
}
