//! What left a warehouse, counted in the ledgers of both sides, order by order.

use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::mark::is_mark;
use syncline_core::money::Money;
use syncline_sim::books::Lists;

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
    shop: &impl Lists,
    called: impl Fn(&Value) -> Option<String>,
    erp: &impl Lists,
) -> BTreeMap<String, (Sent, Sent)> {
    let mut sent: BTreeMap<String, (Sent, Sent)> = BTreeMap::new();
    let orders: BTreeMap<u64, Order<'_>> = rows(shop.list("orders"))
        .iter()
        .filter_map(|order| Some((order["id"].as_u64()?, Order { name: called(order)?, lines: rows(&order["lines"]) })))
        .collect();
    for shipment in rows(shop.list("shipments")) {
        let Some(order) = orders.get(&shipment["order"].as_u64().unwrap_or_default()) else { continue };
        let there = &mut sent.entry(order.name.clone()).or_default().1;
        there.shipments += 1;
        let told: BTreeMap<u64, Decimal> = shipment["lines"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(line, quantity)| Some((line.parse().ok()?, number(quantity))))
            .collect();
        for (sku, quantity) in order.pieces(&told) {
            *there.pieces.entry(sku).or_default() += quantity;
        }
        for track in rows(&shipment["tracks"]) {
            there.twice |= !there.tracks.insert(format!("{} {}", text(&track["number"]), text(&track["carrier"])));
        }
    }
    let references: BTreeMap<u64, String> = rows(erp.list("orders"))
        .iter()
        .filter_map(|sale| Some((sale["id"].as_u64()?, text(&sale["reference"]))))
        .collect();
    for shipment in rows(erp.list("shipments")).iter().filter(|row| row["left"] == true) {
        let lines = rows(&shipment["lines"]);
        let sales: BTreeSet<u64> = lines.iter().filter_map(|line| line["sale"].as_u64()).collect();
        for sale in sales {
            let Some(reference) =
                references.get(&sale).filter(|name| orders.values().any(|order| order.name == **name))
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

fn rows(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// An order of the shop.
struct Order<'a> {
    /// By which name the ERP refers to it.
    name: String,
    lines: &'a [Value],
}

impl Order<'_> {
    fn children(&self, head: u64) -> impl Iterator<Item = &Value> {
        self.lines.iter().filter(move |line| line["parent"].as_u64() == Some(head))
    }

    /// The pieces in a shipment that tells so much of each line. A bundle is counted by its parts, whether they are told or
    /// went in one piece with it; the chosen member of a family goes by its SKU on both its lines.
    fn pieces(&self, told: &BTreeMap<u64, Decimal>) -> Vec<(String, Decimal)> {
        let mut pieces = Vec::new();
        for (id, quantity) in told {
            let Some(line) = self.lines.iter().find(|line| line["id"].as_u64() == Some(*id)) else { continue };
            let parts: Vec<&Value> = self.children(*id).filter(|child| child["sku"] != line["sku"]).collect();
            if parts.is_empty() {
                pieces.push((text(&line["sku"]), *quantity));
                continue;
            }
            let apart = parts.iter().any(|part| part["id"].as_u64().is_some_and(|id| told.contains_key(&id)));
            for part in parts.into_iter().filter(|_| !apart) {
                let each = number(&part["qty"]) / number(&line["qty"]).max(Decimal::ONE);
                pieces.push((text(&part["sku"]), each * *quantity));
            }
        }
        pieces
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

pub(crate) fn number(value: &Value) -> Decimal {
    Decimal::from_str_exact(value.as_str().unwrap_or("0")).unwrap_or_default()
}

/// An amount to the smallest coin of the currency of that code: a shop keeps two decimals of yen.
pub(crate) fn coins(amount: Decimal, code: &Value) -> Decimal {
    match code.as_str().unwrap_or_default().parse() {
        Ok(currency) => Money::new(amount, currency).rounded().amount,
        Err(_) => amount,
    }
}

/// Whether we made a paper: our mark stands in its reference, or in a comment.
pub(crate) fn is_marked(paper: &Value) -> bool {
    let told = paper["comments"].as_array().into_iter().flatten().chain(std::iter::once(&paper["reference"]));
    told.filter_map(Value::as_str).flat_map(str::split_whitespace).any(is_mark)
}
