//! Buyers who change their accounts while orders cross, and clerks who type beside: what the shop owns is never
//! overwritten, and the ERP shows it at rest.

use super::boot::{ERP, SHOP, Stage};
use super::world::{World, open};
use serde_json::Value;
use std::collections::BTreeMap;
use syncline_core::id::{RemoteId, SystemName, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::mark::{Origin, mark};
use syncline_core::rules::{FieldRules, PairRules};
use syncline_sim::http::System;
use syncline_sim::orders::BUYERS;

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

/// What people type in one second of chaos.
pub fn each_second(stage: &Stage, second: u64) {
    if !stage.buyers_type || !second.is_multiple_of(7) {
        return;
    }
    let now = stage.clock.true_now();
    let mut world = open(&stage.world);
    let id = world.random.between(3, BUYERS);
    if world.random.chance(1, 3) {
        let (shop, erp) = (accounts(&world.shop.ledger()), of_shop(&world.erp.ledger()));
        let registered = shop.iter().filter_map(|(id, row)| erp.get(&code(row, *id))?["id"].as_u64());
        let ids: Vec<u64> = registered.collect();
        let Some(party) = ids.get(world.random.index(ids.len().max(1))).copied() else { return };
        let field = *world.random.pick(&["name", "email", "phone", "address.city"]);
        if world.erp.edit_party(now, party, field, &format!("clerk {second}")) {
            // Papers show what a clerk makes of an address: that is the ERP's own doing.
            world.papers.clear();
            world.event(&format!("at the erp {field} of party {party} becomes `clerk {second}`"));
        }
        return;
    }
    let (field, text) = match world.random.below(4) {
        0 => ("lastname", format!("Name {second}")),
        1 => ("email", format!("buyer.{id}.{second}@example.com")),
        2 => ("taxvat", format!("DE{second}")),
        _ => ("address.city", format!("Stadt {second}")),
    };
    if world.shop.edit_customer(now, id, field, &text) {
        world.count("account_edits");
        world.event(&format!("at the shop {field} of customer {id} becomes `{text}`"));
        world.accounts.insert((id, field), text);
    }
}

/// Fields of accounts that show something else than their buyers typed last. Holds at all times.
pub fn overwritten(world: &World) -> Vec<String> {
    if world.accounts.is_empty() {
        return Vec::new();
    }
    let shop = accounts(&world.shop.ledger());
    let lost = |((id, field), text): (&(u64, &'static str), &String)| {
        let shown = shop.get(id).is_some_and(|row| shows(row, field, text));
        (!shown).then(|| format!("{field} of customer {id}: `{text}` was typed: {:?}", shop.get(id)))
    };
    world.accounts.iter().filter_map(lost).collect()
}

/// Customers of the shop whose party shows something else at rest.
pub fn apart(world: &World) -> Vec<String> {
    let (shop, erp) = (accounts(&world.shop.ledger()), of_shop(&world.erp.ledger()));
    let mut found = Vec::new();
    for (id, ours) in &shop {
        let Some(theirs) = erp.get(&code(ours, *id)) else { continue };
        for field in ["name", "email", "tax_id"] {
            let (a, b) = (ours[field].as_str().unwrap_or_default(), theirs[field].as_str().unwrap_or_default());
            if a != b && !a.is_empty() {
                found.push(format!("{field} of customer {id}: `{a}` in the shop, `{b}` in the ERP"));
            }
        }
        for address in ours["addresses"].as_array().into_iter().flatten() {
            let there = theirs["addresses"].as_array().into_iter().flatten().filter(|row| row["active"] == true);
            let city = address["city"].as_str().unwrap_or_default();
            if !there.into_iter().any(|row| row["city"].as_str().is_some_and(|town| town.starts_with(city))) {
                found.push(format!("customer {id} lives in `{city}`, which the ERP does not know: {theirs}"));
            }
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
fn accounts(ledger: &Value) -> BTreeMap<u64, Value> {
    let rows = ledger["customers"].as_array().into_iter().flatten();
    rows.filter_map(|row| Some((row["id"].as_u64()?, row.clone()))).collect()
}

/// The ERP's parties that were made for the shop, by code.
fn of_shop(ledger: &Value) -> BTreeMap<String, Value> {
    let rows = ledger["customers"].as_array().into_iter().flatten();
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
