//! What left a warehouse, counted in the ledgers of both sides, order by order.

use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What left of one order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Shipments in force.
    pub(crate) shipments: usize,
    /// Pieces by SKU; a bundle's by its parts.
    pub(crate) pieces: BTreeMap<String, Decimal>,
    /// Numbers of parcels, with the shop's code of their carriers.
    pub(crate) tracks: BTreeSet<String>,
    /// A number that two parcels have.
    pub(crate) twice: bool,
}

/// What left of each order of a shop: in the ERP, and in the shop. `called` tells by which name the ERP's document refers to
/// an order; what it does not name is left out.
pub(crate) fn sent(
    shop: &Value,
    called: impl Fn(&Value) -> Option<String>,
    erp: &Value,
) -> BTreeMap<String, (Sent, Sent)> {
    let mut sent: BTreeMap<String, (Sent, Sent)> = BTreeMap::new();
    let rows = |value: &'_ Value| -> Vec<Value> { value.as_array().cloned().unwrap_or_default() };
    let mut orders: BTreeMap<u64, (String, BTreeMap<String, String>)> = BTreeMap::new();
    for order in rows(&shop["orders"]) {
        let lines = rows(&order["lines"]);
        let heads: BTreeSet<u64> = lines.iter().filter_map(|line| line["parent"].as_u64()).collect();
        let sku_of = |id: u64| lines.iter().find(|line| line["id"].as_u64() == Some(id)).map(|line| text(&line["sku"]));
        // A bundle is counted by its parts; the chosen member of a family goes by its SKU on both its lines.
        let counted = lines.iter().filter_map(|line| {
            let id = line["id"].as_u64()?;
            let child = lines.iter().find(|one| one["parent"].as_u64() == Some(id)).map(|one| text(&one["sku"]));
            let bundle = heads.contains(&id) && child != sku_of(id);
            (!bundle).then(|| (id.to_string(), text(&line["sku"])))
        });
        let id = order["id"].as_u64().unwrap_or_default();
        if let Some(name) = called(&order) {
            orders.insert(id, (name, counted.collect()));
        }
    }
    for shipment in rows(&shop["shipments"]) {
        let Some((reference, skus)) = orders.get(&shipment["order"].as_u64().unwrap_or_default()) else { continue };
        let there = &mut sent.entry(reference.clone()).or_default().1;
        there.shipments += 1;
        for (line, quantity) in shipment["lines"].as_object().into_iter().flatten() {
            if let Some(sku) = skus.get(line) {
                *there.pieces.entry(sku.clone()).or_default() += number(quantity);
            }
        }
        for track in rows(&shipment["tracks"]) {
            there.twice |= !there.tracks.insert(format!("{} {}", text(&track["number"]), text(&track["carrier"])));
        }
    }
    let references: BTreeMap<u64, String> =
        rows(&erp["orders"]).iter().filter_map(|sale| Some((sale["id"].as_u64()?, text(&sale["reference"])))).collect();
    for shipment in rows(&erp["shipments"]).iter().filter(|row| row["left"] == true) {
        let lines = rows(&shipment["lines"]);
        let sales: BTreeSet<u64> = lines.iter().filter_map(|line| line["sale"].as_u64()).collect();
        for sale in sales {
            let Some(reference) =
                references.get(&sale).filter(|name| orders.values().any(|(called, _)| called == *name))
            else {
                continue;
            };
            let here = &mut sent.entry(reference.clone()).or_default().0;
            here.shipments += 1;
            let of_sale = |line: &&Value| line["sale"].as_u64() == Some(sale) && line["state"] != "cancelled";
            for line in lines.iter().filter(of_sale) {
                *here.pieces.entry(text(&line["sku"])).or_default() += number(&line["qty"]);
            }
            here.tracks.extend(rows(&shipment["tracks"]).iter().map(|track| format!("{} dhl", text(track))));
        }
    }
    sent
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

pub(crate) fn number(value: &Value) -> Decimal {
    Decimal::from_str_exact(value.as_str().unwrap_or("0")).unwrap_or_default()
}
