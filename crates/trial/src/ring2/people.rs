//! Buyers who change their accounts while orders cross, and clerks who type beside: what the shop owns is never
//! overwritten, and the ERP shows it at rest.

use super::boot::{ERP, SHOP, Stage};
use super::check;
use super::desk;
use super::world::{World, open};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::{RemoteId, SystemName, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::mark::{Origin, mark};
use syncline_core::path::Path;
use syncline_core::rules::{FieldPolicy, FieldRules, PairRules};
use syncline_engine::Engine;
use syncline_engine::conflicts::{Choice, Which};
use syncline_sim::books::{Lists, rows};
use syncline_sim::http::System;
use syncline_sim::orders::BUYERS;
use syncline_sim::random::Random;

/// What buyers typed last, by account and field.
pub type Accounts = BTreeMap<(u64, &'static str), String>;

/// The rules of customers: the shop owns what its buyers keep there.
pub fn rules(shop: &str) -> FieldRules {
    let shop = SystemName::new(shop);
    FieldRules {
        source: shop.clone(),
        pairs: vec![PairRules { source: shop, target: SystemName::new("erp"), policies: Vec::new(), creates: false }],
    }
}

/// Whether addresses and telephones go to the shop, too, in the schedule of `seed`.
pub fn has_books(seed: u64) -> bool {
    Random::of(seed, 15, 0).chance(1, 6)
}

/// The shop's groups, each with the ERP's price list; the first means none.
const GROUPS: [(&str, &str); 3] =
    [("General", ""), ("Wholesale", "Prices without tax"), ("Retailer", "Prices with tax")];

/// Lets addresses and telephones go to the shop, and groups both ways: as the ERP's own, or whoever changed them.
pub fn open_books(stage: &mut Stage, seed: u64) {
    let mut random = Random::of(seed, 15, 1);
    let (shop, erp) = (SystemName::new("shop"), SystemName::new("erp"));
    let policies = [FieldPolicy::Owner(erp.clone()), FieldPolicy::Merge(Some(erp)), FieldPolicy::Merge(Some(shop))];
    let policy = random.pick(&policies).clone();
    stage.buyers_type = true;
    stage.carry_groups(&GROUPS);
    let fields = ["addresses", "phone", "group"].map(|field| (Path::field(field), policy.clone()));
    stage.customers.pairs.iter_mut().for_each(|pair| pair.policies.extend(fields.clone()));
}

/// Who decides addresses; none where the shop does.
fn books(stage: &Stage) -> Option<FieldPolicy> {
    let policies = stage.customers.pairs.iter().flat_map(|pair| &pair.policies);
    policies.clone().find(|(path, _)| path.as_str() == "addresses").map(|(_, policy)| policy.clone())
}

/// A person takes the ERP's side where a buyer took an address out that it owns, or nobody knows who is right.
pub async fn decide(stage: &Stage, engine: &Engine) {
    if books(stage).is_none() || !desk::waits(engine, &[Kind::Customer]).await {
        return;
    }
    for field in ["addresses[*]", "phone", "group"] {
        let which = Which { field: Path::try_from(field.to_string()).ok(), ..Which::default() };
        if let Ok(decided) = engine.resolve(&which, &Choice::Take(SystemName::new("erp"))).await
            && decided.fields > 0
        {
            open(&stage.world).event(&format!("a person decides {field} of {} customers", decided.records));
        }
    }
}

/// What people type in one second of chaos.
pub fn each_second(stage: &Stage, second: u64) {
    if !stage.buyers_type || !second.is_multiple_of(7) {
        return;
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let id = world.random.between(3, BUYERS);
    if world.random.chance(1, 3) {
        let (shop, erp) = (accounts(&world.shop.books()), of_shop(&world.erp.books()));
        let registered = shop.iter().filter_map(|(id, row)| erp.get(&code(row, *id))?["id"].as_u64());
        let ids: Vec<u64> = registered.collect();
        let Some(party) = ids.get(world.random.index(ids.len().max(1))).copied() else { return };
        let field = match books(stage) {
            Some(_) => *world.random.pick(&["phone", "address.city", "address.new", "price_list"]),
            None => *world.random.pick(&["name", "email", "phone", "address.city"]),
        };
        let text = match field {
            "price_list" => world.random.pick(&GROUPS).1.to_string(),
            _ => format!("clerk {second}"),
        };
        if world.erp.edit_party(now, party, field, &text) {
            // Papers show what a clerk makes of an address: that is the ERP's own doing.
            world.papers.clear();
            world.event(&format!("at the erp {field} of party {party} becomes `{text}`"));
        }
        return;
    }
    let (field, text) = match world.random.below(4) {
        0 if books(stage).is_some() => ("group_id", world.random.between(1, 3).to_string()),
        1 if books(stage).is_some() => match world.random.chance(1, 2) {
            true => ("address.new", format!("Dorf {second}")),
            false => {
                let ledger = world.shop.books();
                let last = accounts(&ledger).get(&id).and_then(|row| row["addresses"].as_array()?.last().cloned());
                let town = last.and_then(|row| row["city"].as_str().map(str::to_string));
                let Some(town) = town.filter(|town| town.starts_with("Dorf")) else { return };
                ("address.gone", town)
            }
        },
        0 => ("lastname", format!("Name {second}")),
        1 => ("email", format!("buyer.{id}.{second}@example.com")),
        2 => ("taxvat", format!("DE{second}")),
        _ => ("address.city", format!("Stadt {second}")),
    };
    if world.shop.edit_customer(now, id, field, &text) {
        world.count("account_edits");
        world.event(&format!("at the shop {field} of customer {id} becomes `{text}`"));
        // Magento keeps no versions: what is typed while an address is on its way there can be lost (decision 0012).
        if books(stage).is_none() {
            world.accounts.insert((id, field), text);
        }
    }
}

/// Fields of accounts that show something else than their buyers typed last. Holds at all times.
pub fn overwritten(world: &World) -> Vec<String> {
    if world.accounts.is_empty() {
        return Vec::new();
    }
    let shop = accounts(&world.shop.books());
    let lost = |((id, field), text): (&(u64, &'static str), &String)| {
        let shown = shop.get(id).is_some_and(|row| shows(row, field, text));
        (!shown).then(|| format!("{field} of customer {id}: `{text}` was typed: {:?}", shop.get(id)))
    };
    world.accounts.iter().filter_map(lost).collect()
}

/// Customers of the shop whose party shows something else at rest.
pub fn apart(stage: &Stage) -> Vec<String> {
    let (policy, world) = (books(stage), open(&stage.world));
    let ledger = world.erp.books();
    let (shop, erp) = (accounts(&world.shop.books()), of_shop(&ledger));
    let on_papers = check::towns_on_papers(&ledger);
    let sales = ledger.list("orders").as_array().into_iter().flatten();
    let elsewhere = |sale: &&Value| sale["reference"].as_str().is_some_and(|name| world.is_sent_elsewhere(name));
    let sent: Vec<&Value> = sales.filter(elsewhere).map(|sale| &sale["party"]).collect();
    let never_sold = never_sold(&world, &ledger);
    let mut found = Vec::new();
    for (id, ours) in &shop {
        let Some(theirs) = erp.get(&code(ours, *id)) else { continue };
        for field in ["name", "email", "tax_id"] {
            let (a, b) = (ours[field].as_str().unwrap_or_default(), theirs[field].as_str().unwrap_or_default());
            if a != b && !a.is_empty() {
                found.push(format!("{field} of customer {id}: `{a}` in the shop, `{b}` in the ERP"));
            }
        }
        if policy.is_some() && !stage.one_by_email {
            // What an order of theirs was sent away from was on its papers, and stays theirs alone; so does what one was
            // placed with that was cancelled before it got there.
            let redirected = sent.contains(&&theirs["id"]) || never_sold.contains(id);
            found.extend(unheard(*id, ours, theirs, (&on_papers, redirected)));
        }
        // What buyers add where the ERP owns the book stays the shop's own.
        let all = ours["addresses"].as_array().into_iter().flatten();
        for address in all.filter(|_| !matches!(policy, Some(FieldPolicy::Owner(_)))) {
            let there = theirs["addresses"].as_array().into_iter().flatten().filter(|row| row["active"] == true);
            let city = address["city"].as_str().unwrap_or_default();
            // A region that one side keeps as such may stand behind the town in the other.
            let city = city.rsplit_once(", ").map_or(city, |(town, _)| town);
            if !there.into_iter().any(|row| row["city"].as_str().is_some_and(|town| town.starts_with(city))) {
                found.push(format!("customer {id} lives in `{city}`, which the ERP does not know: {theirs}"));
            }
        }
    }
    found
}

/// Customers of the shop with an order that was cancelled there and that no sale of the ERP stands for.
fn never_sold(world: &World, erp: &impl Lists) -> BTreeSet<u64> {
    let named = |sale: &Value| sale["reference"].as_str().map(str::to_string);
    let sold: BTreeSet<String> = rows(erp, "orders").filter_map(named).collect();
    let shop = world.shop.books();
    let cancelled = rows(&shop, "orders").filter(|order| order["state"] == "cancelled");
    let lacking = cancelled.filter(|order| order["number"].as_str().is_none_or(|number| !sold.contains(number)));
    lacking.filter_map(|order| order["customer"].as_u64()).collect()
}

/// What the ERP has in use and the shop's book lacks, those on papers left out; and towns that the book has twice.
fn unheard(id: u64, ours: &Value, theirs: &Value, (on_papers, redirected): (&BTreeSet<String>, bool)) -> Vec<String> {
    let city = |row: &Value| row["city"].as_str().unwrap_or_default().to_string();
    let towns: Vec<String> = ours["addresses"].as_array().into_iter().flatten().map(city).collect();
    let mut found = Vec::new();
    let group = ours["group"].as_u64().and_then(|id| GROUPS.get(usize::try_from(id).ok()?.checked_sub(1)?));
    if group.is_some_and(|(_, list)| *list != theirs["price_list"].as_str().unwrap_or_default()) {
        found.push(format!("customer {id} is in {group:?}, and the ERP says {}", theirs["price_list"]));
    }
    let (new, once): (Vec<&String>, BTreeSet<&String>) =
        (towns.iter().filter(|town| town.starts_with("clerk")).collect(), towns.iter().collect());
    if new.iter().any(|town| towns.iter().filter(|other| other == town).count() > 1) {
        found.push(format!("customer {id} has an address of the ERP twice: {once:?} in {towns:?}"));
    }
    let in_use = theirs["addresses"].as_array().into_iter().flatten().filter(|row| row["active"] == true).map(city);
    for town in in_use.filter(|_| !redirected).filter(|town| town.starts_with("clerk") && !on_papers.contains(town)) {
        // A region that the ERP keeps as such may stand behind the town in the shop.
        let behind = format!("{town}, ");
        if !towns.iter().any(|other| *other == town || other.starts_with(&behind)) {
            found.push(format!("customer {id}: the ERP has an address in `{town}`, the shop {towns:?}"));
        }
    }
    found
}

/// Whether an account shows `text` in `field`.
fn shows(row: &Value, field: &str, text: &str) -> bool {
    match field {
        "lastname" => row["name"].as_str().is_some_and(|name| name.ends_with(text)),
        "taxvat" => row["tax_id"] == text,
        "address.city" => row["addresses"][0]["city"] == text,
        field => row[field] == text,
    }
}

/// The shop's accounts by id.
fn accounts(ledger: &impl Lists) -> BTreeMap<u64, Value> {
    let rows = ledger.list("customers").as_array().into_iter().flatten();
    rows.filter_map(|row| Some((row["id"].as_u64()?, row.clone()))).collect()
}

/// The ERP's parties that were made for the shop, by code.
fn of_shop(ledger: &impl Lists) -> BTreeMap<String, Value> {
    let rows = ledger.list("customers").as_array().into_iter().flatten();
    let made = rows.filter_map(|row| Some((row["reference"].as_str()?.to_string(), row.clone())));
    made.filter(|(code, _)| code.starts_with("SL")).collect()
}

/// The code of the party that was made for an account.
fn code(account: &Value, id: u64) -> String {
    let website = account["website"].as_u64().unwrap_or(1).to_string();
    mark(&Origin {
        source: &SystemUid::new(SHOP),
        kind: Kind::Customer,
        id: &RemoteId::new(website, id.to_string()),
        target: &SystemUid::new(ERP),
        target_scope: "",
        role: "main",
        generation: 0,
    })
    .to_string()
}
