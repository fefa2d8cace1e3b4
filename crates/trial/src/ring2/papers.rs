//! Papers of the past: what a sale was addressed to when it was released stays, whatever its customer changes later.

use super::world::World;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where each released sale of the ERP was addressed to when that was first seen, by its id.
pub type Papers = BTreeMap<u64, Value>;

/// Takes down the addresses of sales that are new in `erp`'s ledger; every sale whose address is not what it was.
pub fn rewritten(world: &mut World, erp: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for row in erp["orders"].as_array().into_iter().flatten().filter(|row| row["state"] == "released") {
        let Some(id) = row["id"].as_u64() else { continue };
        let told = &row["addresses"];
        match world.papers.get(&id) {
            None => drop(world.papers.insert(id, told.clone())),
            Some(first) if first == told => {}
            Some(first) => found.push(format!("sale {}: it went to {first}, now {told}", row["number"])),
        }
    }
    found
}
