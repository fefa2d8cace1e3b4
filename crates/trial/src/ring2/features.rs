//! People at both desks pick what else is told of products: barcodes, choices, numbers, yes and no.

use super::boot::Stage;
use super::world::{World, open};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::SystemName;
use syncline_core::path::Path;
use syncline_core::rules::FieldPolicy;
use syncline_engine::Engine;
use syncline_engine::conflicts::{Choice, Which as Conflicts};
use syncline_sim::books::Lists;
use syncline_sim::random::Random;

/// What the file carries: the shop's code and the ERP's field. The ERP owns all but `washable`, which the shop does, and
/// `color`, which either may change.
pub const CARRIED: [(&str, &str); 5] = [
    ("ean", "identifier:ean"),
    ("color", "attribute:colour"),
    ("material", "attribute:material"),
    ("washable", "attribute:washable"),
    ("watts", "attribute:watts"),
];

/// What people last picked, by desk, SKU and code; nothing where they took it away.
pub type Picked = BTreeMap<(&'static str, String, &'static str), Option<String>>;

/// Labels of the ERP's choices with their keys. The shop has none of them at first.
const COLOURS: [(&str, &str); 3] = [("red", "Red"), ("blue", "Blue"), ("green", "Größer & grün")];
const MATERIALS: [(&str, &str); 3] = [("wool", "Wool"), ("cotton", "Cotton"), ("steel", "Steel")];
/// Barcodes that are valid.
const EANS: [&str; 3] = ["4006381333931", "5901234123457", "96385074"];

fn owner(code: &str) -> Option<&'static str> {
    match code {
        "color" => None,
        "washable" => Some("shop"),
        _ => Some("erp"),
    }
}

/// The policies of what the ERP does not own.
pub fn policies() -> Vec<(Path, FieldPolicy)> {
    let policy = |code: &str| match owner(code) {
        None => FieldPolicy::Merge(None),
        Some(name) => FieldPolicy::Owner(SystemName::new(name)),
    };
    CARRIED.iter().filter_map(|(code, _)| Some((path_of(code)?, policy(code)))).collect()
}

fn path_of(code: &str) -> Option<Path> {
    Path::try_from(format!("attributes.{code}")).ok()
}

/// What people pick in one second of chaos. They have dice of their own.
pub fn each_second(stage: &Stage, second: u64) {
    if stage.products.is_none() || stage.attributes.is_empty() || !second.is_multiple_of(6) {
        return;
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let mut random = Random::of(world.seed(), 12, second);
    let Some(sku) = stage.catalogue.get(random.index(stage.catalogue.len())).map(|item| item.sku.clone()) else {
        return;
    };
    let (code, field) = *random.pick(&CARRIED);
    let (label, stored) = drawn(code, &mut random);
    let desk = owner(code).unwrap_or_else(|| if random.chance(1, 2) { "shop" } else { "erp" });
    let done = match desk {
        "shop" => {
            let told = label.clone().unwrap_or_default();
            let told = if code == "washable" && !told.is_empty() { u8::from(told == "true").to_string() } else { told };
            world.shop.edit_product(now, &sku, None, &format!("attributes.{code}"), &told)
        }
        _ => world.erp.edit_product(now, &sku, None, field, &stored),
    };
    if done {
        world.count("picks");
        world.event(&format!("at the {desk} {code} of {sku} becomes {label:?}"));
        world.picked.insert((desk, sku, code), label);
    }
}

/// A value as people see it, and as the ERP stores it.
fn drawn(code: &str, random: &mut Random) -> (Option<String>, Value) {
    if random.chance(1, 6) {
        return (None, Value::Null);
    }
    match code {
        "ean" => {
            let code = *random.pick(&EANS);
            (Some(code.to_string()), json!(code))
        }
        "color" => {
            let (key, label) = *random.pick(&COLOURS);
            (Some(label.to_string()), json!(key))
        }
        "material" => {
            let some: Vec<(&str, &str)> = MATERIALS.into_iter().filter(|_| random.chance(1, 2)).collect();
            let labels: BTreeSet<&str> = some.iter().map(|(_, label)| *label).collect();
            let keys: Vec<&str> = some.iter().map(|(key, _)| *key).collect();
            let joined = labels.into_iter().collect::<Vec<_>>().join("\n");
            if joined.is_empty() { (None, Value::Null) } else { (Some(joined), json!(keys)) }
        }
        "washable" => {
            let yes = random.chance(1, 2);
            (Some(yes.to_string()), json!(yes))
        }
        _ => {
            let text = format!("{}.5", random.below(90));
            (Some(text.clone()), json!({"__class__": "Decimal", "decimal": text}))
        }
    }
}

/// What clerks of the ERP see of a field.
fn in_erp(row: &Value, code: &str, field: &str) -> Option<String> {
    let label = |key: &str, all: &[(&str, &str)]| {
        all.iter().find(|(one, _)| *one == key).map_or(key, |(_, label)| label).to_string()
    };
    let text = match (code, field.split_once(':')) {
        ("ean", _) => row["identifiers"]["ean"].as_str().map(str::to_string),
        (_, Some((_, name))) => match &row["attributes"][name] {
            Value::String(key) => Some(label(key, &COLOURS)),
            Value::Bool(yes) => Some(yes.to_string()),
            Value::Array(keys) => {
                let labels: BTreeSet<String> =
                    keys.iter().filter_map(Value::as_str).map(|key| label(key, &MATERIALS)).collect();
                Some(labels.into_iter().collect::<Vec<_>>().join("\n"))
            }
            Value::Object(number) => number["decimal"].as_str().map(str::to_string),
            _ => None,
        },
        _ => None,
    };
    text.filter(|text| !text.is_empty())
}

/// What people in the shop see of a field.
fn in_shop(row: &Value, code: &str) -> Option<String> {
    let text = row["attributes"][code].as_str().filter(|text| !text.is_empty())?;
    Some(if code == "washable" { (text == "1").to_string() } else { text.to_string() })
}

type Rows = BTreeMap<String, Value>;

/// Fields that show something else than what was picked last at the desk that owns them. Holds at all times.
pub fn overwritten(world: &World, shop: &Rows, erp: &Rows) -> Vec<String> {
    let mut found = Vec::new();
    for ((desk, sku, code), label) in &world.picked {
        if owner(code) != Some(desk) {
            continue;
        }
        let shown = shown(shop, erp, sku, code);
        let own = if *desk == "shop" { shown.0 } else { shown.1 };
        if own != *label {
            found.push(format!("{code} of {sku} at the {desk}: {label:?} was picked, {own:?} is shown"));
        }
    }
    found
}

/// What shop and ERP show of a field of a product.
fn shown(shop: &Rows, erp: &Rows, sku: &str, code: &str) -> (Option<String>, Option<String>) {
    let field = CARRIED.iter().find(|(one, _)| *one == code).map_or("", |(_, field)| *field);
    let there = erp.get(sku).and_then(|row| in_erp(row, code, field));
    (shop.get(sku).and_then(|row| in_shop(row, code)), there)
}

/// Fields on which both sides differ at rest though their owner says something, and choices the shop has twice.
pub fn apart(world: &World, shop: &Rows, erp: &Rows) -> Vec<String> {
    let mut found = Vec::new();
    for ((desk, sku, code), _) in world.picked.iter().filter(|((_, sku, _), _)| shop.contains_key(sku)) {
        let (ours, theirs) = shown(shop, erp, sku, code);
        // Without its module the ERP has no attributes.
        let carried = *code == "ean" || erp.get(sku).is_some_and(|row| !row["attributes"].is_null());
        // What was emptied in the ERP while the product was away from the shop never agreed: a product made again there keeps
        // what it was made with.
        let away = world.deleted.as_ref().is_some_and(|deleted| deleted.sku == *sku && deleted.made_again);
        if erp.contains_key(sku) && carried && ours != theirs && !(away && theirs.is_none()) {
            found.push(format!("{code} of {sku}, picked at the {desk}: {theirs:?} in the ERP, {ours:?} in the shop"));
        }
    }
    let ledger = syncline_sim::http::System::ledger(&world.shop);
    for (code, labels) in ledger.list("choices").as_object().into_iter().flatten() {
        let all: Vec<&str> = labels.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        // Two that differ in capitals alone are one choice to whoever picks it.
        if all.iter().map(|label| label.to_lowercase()).collect::<BTreeSet<_>>().len() != all.len() {
            found.push(format!("{code} has a choice twice: {all:?}"));
        }
    }
    found
}

/// A person takes the owner's value, and the ERP's where nobody owns it.
pub async fn decide(stage: &Stage, engine: &Engine) {
    for (code, _) in &stage.attributes {
        let which = Conflicts { field: path_of(code), ..Conflicts::default() };
        let winner = SystemName::new(owner(code).unwrap_or("erp"));
        if let Ok(decided) = engine.resolve(&which, &Choice::Take(winner)).await
            && decided.fields > 0
        {
            let mut world = open(&stage.world);
            world.event(&format!("a person decides the {code} of {} products", decided.records));
        }
    }
}
