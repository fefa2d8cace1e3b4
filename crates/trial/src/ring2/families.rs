//! People at both desks change families: names in the ERP, descriptions in the shop, and now and then a child is taken out.

use super::boot::Stage;
use super::desk::{LOCALES, kept};
use super::world::{World, open};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::SystemName;
use syncline_core::path::Path;
use syncline_engine::Engine;
use syncline_engine::conflicts::{Choice, Which as Conflicts};
use syncline_sim::books::Lists;
use syncline_sim::catalogue::{Form, Item};
use syncline_sim::http::System;
use syncline_sim::random::Random;

/// The attribute that tells variants apart: the shop's code and the ERP's field.
pub const OPTION: (&str, &str) = ("size", "attribute:size");

/// What people last typed of families, by desk, code, locale and field.
pub type Typed = BTreeMap<(&'static str, String, &'static str), String>;

/// Whether families flow in the schedule of `seed`, where products do.
pub fn drawn(seed: u64) -> bool {
    Random::of(seed, 13, 0).chance(1, 2)
}

/// What people do in one second of chaos. They have dice of their own.
pub fn each_second(stage: &Stage, second: u64) {
    if stage.families.is_none() || !second.is_multiple_of(9) {
        return;
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let mut random = Random::of(world.seed(), 14, second);
    let families: Vec<(&Item, &Vec<String>)> = stage.catalogue.iter().filter_map(as_family).collect();
    let Some((item, children)) = families.get(random.index(families.len().max(1))).copied() else { return };
    let (locale, view) = *random.pick(&LOCALES);
    let code = item.sku.clone();
    let (desk, text, done) = match random.below(6) {
        0 => {
            let child = &children[random.index(children.len())];
            ("taken out", String::new(), world.shop.unlink(now, &code, child))
        }
        1..=3 => {
            let text = format!("family {second} grün");
            let language = Some(locale).filter(|locale| *locale != "en");
            ("erp", text.clone(), world.erp.edit_family(now, &code, language, "name", &json!(text)))
        }
        _ => {
            let text = format!("told of it {second}");
            ("shop", text.clone(), world.shop.edit_product(now, &code, view, "description", &text))
        }
    };
    if done {
        world.count("families");
        world.event(&format!("family {code}: {desk} ({locale}) `{text}`"));
        if desk != "taken out" {
            world.families.insert((desk, code, locale), text);
        }
    }
}

/// Whether `sku` is that of a family.
pub fn is_one(stage: &Stage, sku: &str) -> bool {
    stage.catalogue.iter().filter_map(as_family).any(|(item, _)| item.sku == sku)
}

fn as_family(item: &Item) -> Option<(&Item, &Vec<String>)> {
    match &item.form {
        Form::Configurable { children } => Some((item, children)),
        _ => None,
    }
}

/// Texts of families that show something else than what was typed last at the desk that owns them. Holds at all times.
pub fn overwritten(world: &World) -> Vec<String> {
    if world.families.is_empty() {
        return Vec::new();
    }
    let (shop, erp) = (rows(&world.shop.books(), "products", "sku"), rows(&world.erp.books(), "families", "code"));
    let shown = |desk: &str, code: &String, locale: &str| match desk {
        "shop" => in_shop(shop.get(code)?, locale, "description"),
        _ => in_erp(erp.get(code)?, locale),
    };
    let typed = world.families.iter();
    let other = typed.filter(|((desk, code, locale), text)| shown(desk, code, locale).as_ref() != Some(*text));
    other.map(|((desk, code, locale), text)| format!("{code} ({locale}) at the {desk}: `{text}` was typed")).collect()
}

/// Families whose names or children differ at rest. A child that a person said is rightly gone is missed by nobody.
pub fn apart(world: &World) -> Vec<String> {
    let (shop, erp) = (rows(&world.shop.books(), "products", "sku"), rows(&world.erp.books(), "families", "code"));
    let mut found = Vec::new();
    for (code, family) in &erp {
        let Some(row) = shop.get(code) else { continue };
        for (locale, _) in LOCALES {
            let (a, b) = (in_erp(family, locale).unwrap_or_default(), in_shop(row, locale, "name").unwrap_or_default());
            if !a.is_empty() && kept(&a) != kept(&b) {
                found.push(format!("name ({locale}) of family {code}: `{a}` in the ERP, `{b}` in the shop"));
            }
        }
        let all = |list: &Value| -> BTreeSet<String> {
            list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect()
        };
        let mut wanted = all(&family["products"]);
        if let Some(gone) = world.deleted.as_ref().filter(|gone| !gone.made_again) {
            wanted.remove(&gone.sku);
        }
        if wanted != all(&row["children"]) {
            found.push(format!("variants of family {code}: {} and {}", family["products"], row["children"]));
        }
    }
    if erp.is_empty() {
        found.push("the ERP's ledger tells of no families".to_string());
    }
    found
}

/// Codes of the products whose name is their family's; none where each has its own.
pub fn members(world: &World) -> BTreeSet<String> {
    if !world.has_families {
        return BTreeSet::new();
    }
    let families = rows(&world.erp.books(), "families", "code").into_values();
    let codes = families.flat_map(|row| row["products"].as_array().cloned().unwrap_or_default());
    codes.filter_map(|code| code.as_str().map(str::to_string)).collect()
}

/// A person puts back in what was taken out.
pub async fn decide(stage: &Stage, engine: &Engine) {
    if stage.families.is_none() {
        return;
    }
    let which = Conflicts { field: Path::try_from("variants[*]".to_string()).ok(), ..Conflicts::default() };
    if let Ok(decided) = engine.resolve(&which, &Choice::Take(SystemName::new("erp"))).await
        && decided.fields > 0
    {
        open(&stage.world).event(&format!("a person puts {} children back", decided.fields));
    }
}

fn rows(ledger: &impl Lists, list: &str, key: &str) -> BTreeMap<String, Value> {
    let rows = ledger.list(list).as_array().into_iter().flatten();
    rows.filter_map(|row| Some((row[key].as_str()?.to_string(), row.clone()))).collect()
}

fn in_erp(row: &Value, locale: &str) -> Option<String> {
    let text = if locale == "en" { &row["name"] } else { &row["texts"][locale]["name"] };
    text.as_str().map(str::to_string)
}

fn in_shop(row: &Value, locale: &str, field: &str) -> Option<String> {
    let view = LOCALES.iter().find(|(name, _)| *name == locale).and_then(|(_, view)| *view);
    let own = view.and_then(|view| row["views"][view][field].as_str());
    own.or_else(|| row[field].as_str()).map(str::to_string)
}
