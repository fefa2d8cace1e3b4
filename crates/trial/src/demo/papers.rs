//! What was done about orders, counted in both ledgers: goods that left, money that was asked for.

use crate::sent::{sent, text};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Papers of one sort on both sides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Told {
    /// Papers in force in the ERP.
    pub source: usize,
    /// Papers of ours in the shop.
    pub target: usize,
    /// Papers the shop lacks.
    pub missing: usize,
    /// Papers of the shop that stand for none.
    pub duplicate: usize,
}

/// The same figure on both sides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Both {
    /// What the shop says.
    pub shop: u64,
    /// What the ERP says.
    pub erp: u64,
}

/// All papers on both sides.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Papers {
    /// Goods that left.
    pub shipment: Told,
    /// Pieces that left.
    pub shipped_qty: Both,
    /// Orders whose pieces, line by line, or whose parcels' numbers are not the same on both sides.
    pub different: usize,
}

impl Papers {
    /// Whether each paper is on both sides once and both say the same, of so many at least.
    #[must_use]
    pub fn hold(&self, least: usize) -> bool {
        let Told { source, target, missing, duplicate } = self.shipment;
        let same = source == target && missing == 0 && duplicate == 0;
        source >= least && same && self.shipped_qty.shop == self.shipped_qty.erp && self.different == 0
    }

    /// The papers for people.
    #[must_use]
    pub fn line(&self) -> String {
        let Told { source, target, missing, duplicate } = self.shipment;
        format!(
            "papers    {source} shipments left, {target} in the shop; {missing} missing, {duplicate} twice; {} pieces left, {} in the \
             shop",
            self.shipped_qty.erp, self.shipped_qty.shop
        )
    }
}

/// What both ledgers say, order by order.
pub(super) fn papers(shop: &Value, erp: &Value) -> Papers {
    let mut told = Papers::default();
    for (_, (here, there)) in sent(shop, |order| Some(text(&order["number"])), erp) {
        told.shipment.source += here.shipments;
        told.shipment.target += there.shipments.min(here.shipments);
        told.shipment.missing += here.shipments.saturating_sub(there.shipments);
        told.shipment.duplicate += there.shipments.saturating_sub(here.shipments) + usize::from(there.twice);
        told.shipped_qty.erp += whole(&here.pieces);
        told.shipped_qty.shop += whole(&there.pieces);
        let pieces = |sent: &crate::sent::Sent| -> Vec<(String, Decimal)> {
            sent.pieces.iter().map(|(sku, quantity)| (sku.clone(), quantity.normalize())).collect()
        };
        told.different += usize::from(pieces(&here) != pieces(&there) || here.tracks != there.tracks);
    }
    told
}

/// Pieces in thousandths, so that no part of one is lost.
fn whole(pieces: &BTreeMap<String, Decimal>) -> u64 {
    let sum: Decimal = pieces.values().copied().sum();
    (sum * Decimal::ONE_THOUSAND).to_u64().unwrap_or_default() / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shipments_are_counted_order_by_order() {
        let line = |id: u64, parent: Option<u64>, sku: &str| json!({"id": id, "parent": parent, "sku": sku});
        let left = |sale: u64, sku: &str, qty: &str, tracks: &[&str]| json!({"left": true, "lines": [{"sale": sale, "sku": sku, "qty": qty, "state": "done"}], "tracks": tracks});
        let erp = json!({
            "orders": [{"id": 1, "reference": "100"}, {"id": 2, "reference": "200"}, {"id": 3, "reference": "other"}],
            "shipments": [left(1, "MUG", "2", &["A"]), left(1, "MUG", "1", &[]), left(2, "PEN", "3", &[]), left(3, "PEN", "9", &[])],
        });
        let there = |order: u64, line: &str, qty: &str, tracks: &[&str]| {
            let tracks: Vec<Value> = tracks.iter().map(|number| json!({"number": number, "carrier": "dhl"})).collect();
            json!({"order": order, "lines": {line: qty}, "tracks": tracks})
        };
        let shop = json!({
            "orders": [
                {"id": 7, "number": "100", "lines": [line(71, None, "MUG")]},
                {"id": 8, "number": "200", "lines": [line(81, None, "SET"), line(82, Some(81), "PEN")]},
            ],
            "shipments": [there(7, "71", "2", &["A"]), there(7, "71", "1", &[]), there(8, "82", "3", &[]), there(8, "82", "3", &[])],
        });
        let told = papers(&shop, &erp);
        let Told { source, target, missing, duplicate } = told.shipment;
        assert_eq!((source, target, missing, duplicate, told.different), (3, 3, 0, 1, 1));
        assert_eq!((told.shipped_qty.erp, told.shipped_qty.shop), (6, 9));
        assert!(!told.hold(1));
    }
}
