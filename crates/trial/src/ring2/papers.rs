//! Papers of the past: what a sale was addressed to when it was released stays, whatever its customer changes later.

use super::world::World;
use serde_json::Value;
use std::collections::BTreeMap;

/// Where each released sale of the ERP was addressed to when that was first seen, by its id.
pub type Papers = BTreeMap<u64, Value>;

/// Takes down the addresses of released sales that are new among `sales`; every one whose address is not what it was.
pub fn rewritten(world: &mut World, sales: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    for row in sales {
        let Some(id) = row["id"].as_u64() else { continue };
        let told = &row["addresses"];
        match world.papers.get(&id) {
            None => drop(world.papers.insert(id, told.clone())),
            Some(first) if first == told => {}
            // A clerk of the shop has sent it elsewhere.
            Some(_) if world.is_sent_elsewhere(row["reference"].as_str().unwrap_or_default()) => {
                world.papers.insert(id, told.clone());
            }
            Some(first) => found.push(format!("sale {}: it went to {first}, now {told}", row["number"])),
        }
    }
    found
}
