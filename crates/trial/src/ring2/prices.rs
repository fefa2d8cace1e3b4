//! Prices change while orders cross: the ERP's list price and price list, rows that come and leave, and what people of
//! the shop type beside them.

use super::boot::Stage;
use super::world::{World, open};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::SystemName;
use syncline_core::path::Path;
use syncline_core::rules::{FieldRules, PairRules, PriceRules};
use syncline_engine::Engine;
use syncline_engine::conflicts::{Choice, Which};
use syncline_sim::books::Lists;
use syncline_sim::http::System;
use syncline_sim::random::Random;

/// A price list of the ERP, shown to the shop's group of that name.
pub const LIST: &str = "Wholesale";
const GROUP: &str = "group:Wholesale";
/// A group whose prices nobody shares: they are the shop's own.
const OWN_GROUP: &str = "group:Retailer";

/// A list of the shop, a SKU and a number of pieces.
pub type Place = (String, String, Decimal);

/// What people of the shop did to its prices.
#[derive(Debug, Default)]
pub struct Typed {
    /// Prices that are the shop's own, as they were last typed.
    own: BTreeMap<Place, Decimal>,
    /// SKUs of which a price was changed that the ERP decides.
    crossed: BTreeSet<String>,
}

impl Typed {
    /// Forgets what people typed for `sku`: it is not there any more.
    pub fn forget(&mut self, sku: &str) {
        self.own.retain(|(_, of, _), _| of != sku);
        self.crossed.remove(sku);
    }
}

/// Prices of the shop by list, SKU and number of pieces.
pub type Shown = BTreeMap<(String, String, Decimal), Decimal>;

/// What the shop asks now.
pub fn shown(stage: &Stage) -> Shown {
    rows(&open(&stage.world).shop.books())
}

/// The lines of the list once the ERP's people are done with it.
const LAST: [(Option<&str>, u32, &str); 2] = [(None, 20, "unit_price * 0.7"), (None, 0, "unit_price * 0.95")];

/// The ERP's people write their list anew: as it will be in the end, or otherwise before that.
pub fn rewrite(stage: &Stage, last: bool) {
    let otherwise = [(None, 20, "unit_price * 0.72"), (None, 0, "unit_price * 0.96")];
    let now = stage.clock.true_now();
    open(&stage.world).erp.set_price_list(now, LIST, if last { &LAST } else { &otherwise });
}

/// The first thing both sides ask a price for, with the ERP's list price.
pub fn first_of_list(stage: &Stage) -> Option<(String, Decimal)> {
    let world = open(&stage.world);
    let sku = sold(&world).into_iter().next()?;
    let all = rows(&world.erp.books());
    let price = all.iter().find(|((list, of, _), _)| list == "list" && *of == sku).map(|(_, amount)| *amount)?;
    Some((sku, price))
}

/// The rules of prices where they flow: the list price is the base price, one list is a group's.
pub fn rules() -> PriceRules {
    let lists = [("base", "list"), (GROUP, LIST)];
    let lists = lists.into_iter().map(|(ours, theirs)| (ours.to_string(), theirs.to_string())).collect();
    let (source, target) = (SystemName::new("erp"), SystemName::new("shop"));
    let lists = BTreeMap::from([(target.clone(), lists)]);
    let pair = PairRules { source: source.clone(), target, policies: Vec::new(), creates: false };
    PriceRules { fields: FieldRules { source, pairs: vec![pair] }, lists }
}

/// Puts both systems in one currency, and a price list in the ERP.
pub fn open_lists(stage: &Stage) {
    if stage.prices.is_some() {
        let now = stage.clock.true_now();
        let mut world = open(&stage.world);
        world.shops_mut().for_each(|shop| shop.set_currency("EUR"));
        world.erp.set_price_list(now, LIST, &[(None, 10, "unit_price * 0.8"), (None, 0, "unit_price * 0.9")]);
    }
}

/// What people change in one second of chaos.
pub fn each_second(stage: &Stage, second: u64) {
    if stage.prices.is_none() || !second.is_multiple_of(7) {
        return;
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let sold = sold(&world);
    let at = world.random.index(sold.len());
    let Some(sku) = sold.get(at).cloned() else { return };
    let amount = Decimal::new(i64::try_from(world.random.between(1_000, 990_000)).unwrap_or(1_000), 4);
    let what = match world.random.below(10) {
        0..=3 => world.erp.set_list_price(now, &sku, &amount.to_string()).then(|| format!("{sku} costs {amount}")),
        4..=6 => rewrite_list(&mut world, now, &sku),
        7 => typed(&mut world, now, ("special", &sku, 1), amount),
        8 => {
            let pieces = u32::try_from(world.random.between(1, 20)).unwrap_or(1);
            typed(&mut world, now, (OWN_GROUP, &sku, pieces), amount)
        }
        _ => cross(&mut world, now, &sku, amount),
    };
    if let Some(what) = what {
        world.count("repricings");
        world.event(&format!("prices: {what}"));
    }
}

/// People of the ERP write their list anew; what it was.
fn rewrite_list(world: &mut World, now: jiff::Timestamp, sku: &str) -> Option<String> {
    let lines = drawn_lines(&mut world.random, sku);
    let lines: Vec<(Option<&str>, u32, &str)> =
        lines.iter().map(|(of, from, formula)| (of.as_deref(), *from, formula.as_str())).collect();
    world.erp.set_price_list(now, LIST, &lines).then(|| format!("the list becomes {lines:?}"))
}

/// A list of one of several shapes: for all, by quantity, with lines for one thing alone, for one thing and no other, or
/// with a formula that comes to nothing for one thing.
fn drawn_lines(random: &mut Random, sku: &str) -> Vec<(Option<String>, u32, String)> {
    let mut off = || format!("unit_price * 0.{}", random.between(50, 99));
    let (one, two, three) = (off(), off(), off());
    let of = Some(sku.to_string());
    match random.below(5) {
        0 => vec![(None, 0, one)],
        1 => vec![(None, 10, one), (None, 0, two)],
        2 => vec![(of, 5, one), (None, 10, two), (None, 0, three)],
        3 => vec![(of, 0, one)],
        _ => vec![(of, 0, "unit_price / 0".to_string()), (None, 0, one)],
    }
}

/// A person types a price that is the shop's own.
fn typed(
    world: &mut World,
    now: jiff::Timestamp,
    (list, sku, pieces): (&str, &str, u32),
    amount: Decimal,
) -> Option<String> {
    let done = world.shop.set_price(now, sku, list, pieces, Some(&amount.to_string()));
    done.then(|| {
        world.priced.own.insert((list.to_string(), sku.to_string(), pieces.into()), amount);
        format!("in the shop {list} of {sku} from {pieces} on becomes {amount}")
    })
}

/// A person of the shop changes a price there that the ERP decides.
fn cross(world: &mut World, now: jiff::Timestamp, sku: &str, amount: Decimal) -> Option<String> {
    let shown = rows(&world.shop.books());
    let theirs: Vec<&Place> =
        shown.keys().filter(|(list, of, _)| of == sku && (list == "base" || list == GROUP)).collect();
    let (list, _, pieces) = theirs.get(world.random.index(theirs.len().max(1)))?;
    let pieces = u32::try_from(pieces.normalize().mantissa()).unwrap_or(1);
    let done = world.shop.set_price(now, sku, list, pieces, Some(&amount.to_string()));
    done.then(|| {
        world.priced.crossed.insert(sku.to_string());
        format!("in the shop {list} of {sku} from {pieces} on becomes {amount}, which is the ERP's to say")
    })
}

/// The ERP's people finish: every list can be computed, and what the shop's people changed has a new price, for nobody
/// tells us when a price changes in the shop.
pub fn finish(stage: &Stage) {
    if stage.prices.is_none() {
        return;
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    world.erp.set_price_list(now, LIST, &LAST);
    for (at, sku) in world.priced.crossed.clone().into_iter().enumerate() {
        let amount = Decimal::new(1_234_567 + i64::try_from(at).unwrap_or(0), 4);
        world.erp.set_list_price(now, &sku, &amount.to_string());
    }
}

/// A person decides what only a person can: the ERP's prices count.
pub async fn decide(stage: &Stage, engine: &Engine) {
    if stage.prices.is_none() {
        return;
    }
    let which = Which { field: Path::try_from("prices[*]".to_string()).ok(), ..Which::default() };
    let winner = Choice::Take(SystemName::new("erp"));
    if let Ok(decided) = engine.resolve(&which, &winner).await
        && decided.fields > 0
    {
        open(&stage.world).event(&format!("a person decides {} prices", decided.fields));
    }
}

/// The shop's own prices that are other than what was typed last. Holds at all times.
pub fn overwritten(world: &World) -> Vec<String> {
    if world.priced.own.is_empty() {
        return Vec::new();
    }
    let shown = rows(&world.shop.books());
    let other = |(place, amount): &(&Place, &Decimal)| shown.get(*place) != Some(*amount);
    let tell = |(place, amount): (&Place, &Decimal)| format!("{place:?}: {amount} typed, {:?} shown", shown.get(place));
    world.priced.own.iter().filter(other).map(tell).collect()
}

/// Every price the shop shows that is not what the ERP's lists say, and every one it lacks.
pub fn apart(stage: &Stage) -> Vec<String> {
    let world = open(&stage.world);
    let erp = rows(&world.erp.books());
    let lists = stage.price_rules().map(|rules| rules.lists).unwrap_or_default();
    let mut found = Vec::new();
    for (name, lists) in &lists {
        let shop = if name.as_str() == "outlet" { world.outlet.as_ref() } else { Some(&world.shop) };
        let shop = shop.map(|shop| rows(&shop.books())).unwrap_or_default();
        for (sku, (ours, theirs)) in sold(&world).iter().flat_map(|sku| lists.iter().map(move |row| (sku, row))) {
            let of = |rows: &BTreeMap<Place, Decimal>, list: &str| -> BTreeMap<Decimal, Decimal> {
                let mine = rows.iter().filter(|((name, of, _), _)| name == list && of == sku);
                mine.map(|((_, _, from), amount)| (*from, *amount)).collect()
            };
            let (a, b) = (of(&erp, theirs), of(&shop, ours));
            if a != b {
                found.push(format!("{sku}: {ours} is {b:?} in the {name}, {theirs} {a:?} in the ERP"));
            }
        }
    }
    if sold(&world).is_empty() {
        found.push("nothing has a price on both sides".to_string());
    }
    found
}

/// At rest the ERP can no longer compute its list for one thing: what it does not tell is not gone.
///
/// # Errors
/// Where a pass fails.
pub async fn fall_silent(stage: &Stage, engine: &Engine) -> Result<(), String> {
    let (sku, before) = {
        let now = stage.clock.true_now();
        let mut world = open(&stage.world);
        let before = rows(&world.shop.books());
        let Some(sku) = sold(&world).into_iter().next() else { return Ok(()) };
        let lines: Vec<_> = std::iter::once((Some(sku.as_str()), 0, "unit_price / 0")).chain(LAST).collect();
        world.erp.set_price_list(now, LIST, &lines);
        (sku, before)
    };
    engine.sync(None).await.map_err(|error| error.to_string())?;
    let mut world = open(&stage.world);
    if rows(&world.shop.books()) != before {
        world.broken(
            "untold-is-never-a-change",
            format!("{LIST} cannot be computed for {sku}, and the shop's prices changed"),
        );
    }
    Ok(())
}

/// SKUs with a price on both sides.
fn sold(world: &World) -> Vec<String> {
    let skus = |rows: BTreeMap<Place, Decimal>, list: &str| -> BTreeSet<String> {
        rows.into_keys().filter(|(name, ..)| name == list).map(|(_, sku, _)| sku).collect()
    };
    let (shop, erp) = (skus(rows(&world.shop.books()), "base"), skus(rows(&world.erp.books()), "list"));
    shop.intersection(&erp).cloned().collect()
}

/// A ledger's prices that are amounts.
pub fn rows(ledger: &impl Lists) -> BTreeMap<Place, Decimal> {
    let number = |value: &Value| Decimal::from_str_exact(value.as_str()?).ok().map(|number| number.normalize());
    let text = |value: &Value| value.as_str().map(str::to_string);
    let rows = ledger.list("prices").as_array().into_iter().flatten();
    rows.filter_map(|row| {
        let place = (text(&row["list"])?, text(&row["sku"])?, number(&row["quantity"])?);
        Some((place, number(&row["amount"])?))
    })
    .collect()
}
