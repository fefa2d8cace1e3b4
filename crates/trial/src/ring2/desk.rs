//! People at both desks edit products while orders cross: what each side owns must never be overwritten.

use super::boot::Stage;
use super::world::{Which, World, open};
use super::{families, features, images};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_core::id::SystemName;
use syncline_core::kind::Kind;
use syncline_core::path::Path;
use syncline_core::rules::{FieldPolicy, FieldRules, PairRules};
use syncline_engine::Engine;
use syncline_engine::conflicts::{Choice, Which as Conflicts};
use syncline_sim::books::Lists;
use syncline_sim::catalogue::Form;
use syncline_sim::http::System;

/// Our locales with the shop's views; the first stands in all scopes.
pub(super) const LOCALES: [(&str, Option<&str>); 3] = [("en", None), ("de", Some("german")), ("fr", Some("french"))];
const FIELDS: [&str; 2] = ["name", "description"];

/// What people last typed, by desk, SKU, locale and field.
pub type Typed = BTreeMap<(&'static str, String, &'static str, &'static str), String>;

/// The rules of products where they flow: the ERP's names, the shop's descriptions, German descriptions by whoever
/// changed them.
pub fn rules() -> FieldRules {
    let path = |text: &str| Path::try_from(text.to_string()).unwrap_or_else(|_| Path::field("none"));
    let (erp, shop) = (SystemName::new("erp"), SystemName::new("shop"));
    let mut policies = vec![
        (path("texts.*.description"), FieldPolicy::Owner(shop.clone())),
        (path("texts.de.description"), FieldPolicy::Merge(None)),
        (path("weight"), FieldPolicy::Keep),
    ];
    policies.extend(features::policies());
    let pair = PairRules { source: erp.clone(), target: shop, policies, creates: false };
    FieldRules { source: erp, pairs: vec![pair] }
}

/// Opens the shop's further views.
pub fn open_views(stage: &Stage) {
    if stage.products.is_some() {
        let mut world = open(&stage.world);
        world.shop.add_languages();
        world.shop.set_weight_unit("kgs");
        // What a shop keeps of rare characters is the connector's tests' matter: here it keeps all it is given.
        world.shop.quirks_mut().all_characters = true;
    }
}

/// What people type in one second of chaos.
pub fn each_second(stage: &Stage, second: u64) {
    features::each_second(stage, second);
    families::each_second(stage, second);
    if stage.products.is_none() || !second.is_multiple_of(5) {
        return;
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let at = world.random.index(stage.catalogue.len());
    let Some(sku) = stage.catalogue.get(at).map(|item| item.sku.clone()) else { return };
    if world.has_families && families::is_one(stage, &sku) {
        return; // what people type of those is drawn elsewhere
    }
    let (locale, view) = *world.random.pick(&LOCALES);
    // Variants of one family have one name in the ERP; people there change it for all of them.
    let field = if of_family(stage, &sku) { "description" } else { *world.random.pick(&FIELDS) };
    let tail = *world.random.pick(&["", "grün", "naïve – “quoted”", "<b>A & B</b>"]);
    let text = format!("{field} {second} {tail}").trim().to_string();
    let (desk, text, done) = match world.random.chance(1, 2) {
        true => ("shop", text.clone(), world.shop.edit_product(now, &sku, view, field, &text)),
        false => {
            // The shop may be given less than that: each side shows its own, and both agree.
            let text = if world.random.chance(1, 4) { format!("{text} 🦊") } else { text };
            let language = Some(locale).filter(|locale| *locale != "en");
            let done = world.erp.edit_product(now, &sku, language, field, &json!(text));
            ("erp", text, done)
        }
    };
    if done {
        world.count("edits");
        world.event(&format!("at the {desk} {field} ({locale}) of {sku} becomes `{text}`"));
        world.typed.insert((desk, sku, locale, field), text);
    }
}

/// Whether `sku` is one of several variants of a product.
fn of_family(stage: &Stage, sku: &str) -> bool {
    let children =
        |form: &Form| matches!(form, Form::Configurable { children } if children.iter().any(|one| one == sku));
    stage.catalogue.iter().any(|item| children(&item.form))
}

/// Whose field it is; nobody's where both may change it.
fn owner(locale: &str, field: &str) -> Option<&'static str> {
    match (locale, field) {
        ("de", "description") => None,
        (_, "name") => Some("erp"),
        _ => Some("shop"),
    }
}

/// Fields that show something else than what was typed last at the desk that owns them, or at the only desk where
/// anybody typed where nobody owns them. Holds at all times.
pub fn overwritten(world: &World) -> Vec<String> {
    if world.typed.is_empty() && world.picked.is_empty() && world.families.is_empty() {
        return Vec::new();
    }
    let (shop, erp) = (products(&world.shop.books()), products(&world.erp.books()));
    let mut found = features::overwritten(world, &shop, &erp);
    found.extend(families::overwritten(world));
    for ((desk, sku, locale, field), text) in &world.typed {
        let other = if *desk == "shop" { "erp" } else { "shop" };
        let alone = !world.typed.contains_key(&(other, sku.clone(), locale, field));
        if !owner(locale, field).map_or(alone, |owner| owner == *desk) {
            continue;
        }
        let which = if *desk == "shop" { Which::Shop } else { Which::Erp };
        let shown = shown(which, if *desk == "shop" { &shop } else { &erp }, sku, locale, field);
        if shown.as_deref() != Some(text) {
            found.push(format!("{field} ({locale}) of {sku} at the {desk}: `{text}` was typed, {shown:?} is shown"));
        }
    }
    found
}

/// Fields on which both sides differ at rest though their owner says something.
pub fn apart(world: &World) -> Vec<String> {
    let (shop, erp) = (products(&world.shop.books()), products(&world.erp.books()));
    let mut found = features::apart(world, &shop, &erp);
    let members = families::members(world);
    for sku in shop.keys().filter(|sku| erp.contains_key(*sku)) {
        let named_by_family = |field: &str| field == "name" && members.contains(sku);
        let fields = LOCALES.iter().flat_map(|locale| FIELDS.map(|field| (locale, field)));
        for ((locale, _), field) in fields.filter(|(_, field)| !named_by_family(field)) {
            let a = shown(Which::Erp, &erp, sku, locale, field).unwrap_or_default();
            let b = shown(Which::Shop, &shop, sku, locale, field).unwrap_or_default();
            let silent = match owner(locale, field) {
                Some("erp") => a.is_empty(),
                Some(_) => b.is_empty(),
                None => a.is_empty() || b.is_empty(),
            };
            if kept(&a) != kept(&b) && !silent {
                found.push(format!("{field} ({locale}) of {sku}: `{a}` in the ERP, `{b}` in the shop"));
            }
        }
    }
    if shop.is_empty() || erp.is_empty() {
        found.push("a ledger tells of no products".to_string());
    }
    found
}

/// A text as a shop may be given it: characters of four bytes may be left out, for many shops' databases lose them.
pub(super) fn kept(text: &str) -> String {
    text.chars().filter(|c| c.len_utf8() < 4).collect::<String>().trim_end().to_string()
}

/// Whether a field of one of `kinds` may wait for a person; where none does, none has to be looked through for it.
pub(super) async fn waits(engine: &Engine, kinds: &[Kind]) -> bool {
    let of_them = |kind: &str| kinds.iter().any(|one| one.word() == kind);
    engine.conflicts(&Conflicts::default()).await.map_or(true, |all| all.iter().any(|row| of_them(&row.kind)))
}

/// A person decides what only a person can: whoever owns it, and the ERP where nobody does.
pub async fn decide(stage: &Stage, engine: &Engine) {
    if stage.products.is_none() || !waits(engine, &[Kind::Category, Kind::Product, Kind::Variant]).await {
        return;
    }
    features::decide(stage, engine).await;
    families::decide(stage, engine).await;
    images::decide(stage, engine).await;
    for (locale, field) in LOCALES.iter().flat_map(|(locale, _)| FIELDS.map(|field| (*locale, field))) {
        let winner = SystemName::new(owner(locale, field).unwrap_or("erp"));
        let which = Conflicts { field: Path::try_from(format!("texts.{locale}.{field}")).ok(), ..Conflicts::default() };
        if let Ok(decided) = engine.resolve(&which, &Choice::Take(winner)).await
            && decided.fields > 0
        {
            let mut world = open(&stage.world);
            world.event(&format!("a person decides the {field} ({locale}) of {} products", decided.records));
            if owner(locale, field).is_none() {
                world.typed.retain(|(_, _, of, what), _| (*of, *what) != (locale, field));
            }
        }
    }
}

/// A ledger's products by SKU.
fn products(ledger: &impl Lists) -> BTreeMap<String, Value> {
    let rows = ledger.list("products").as_array().into_iter().flatten();
    rows.filter_map(|row| Some((row["sku"].as_str()?.to_string(), row.clone()))).collect()
}

/// What buyers or clerks see.
fn shown(which: Which, rows: &BTreeMap<String, Value>, sku: &str, locale: &str, field: &str) -> Option<String> {
    let row = rows.get(sku)?;
    let text = |value: &Value| value.as_str().map(str::to_string);
    let view = LOCALES.iter().find(|(name, _)| *name == locale).and_then(|(_, view)| *view);
    match (which, view) {
        (Which::Shop | Which::Outlet, Some(view)) => text(&row["views"][view][field]).or_else(|| text(&row[field])),
        (Which::Erp, Some(_)) => text(&row["texts"][locale][field]),
        (_, None) => text(&row[field]),
    }
}
