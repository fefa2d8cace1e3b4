//! People at the shop's till: they take the money of orders that a gateway holds, and give some of it back.
use super::systems::{Changes, Shop};
use crate::decimal::Dec;
use crate::{Res, files};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The gateway whose money people take at the till.
pub const GATEWAY: &str = "braintree";
/// Orders whose money is taken in a round.
const TAKEN: usize = 2;
/// Rounds between two that give money back; and how long ago it was taken at least.
const BACK_EVERY: u64 = 2;
const LATER: u64 = 3;
/// Orders of which something goes back at the end.
const AT_LAST: usize = 6;
/// Orders whose freight goes back at most: something is to be left for the end.
const FREIGHT: usize = 6;

/// The orders whose money is taken here, and how far the till has come.
#[derive(Debug)]
pub struct Till {
    /// Ids in the shop, by their order.
    orders: Vec<u64>,
    /// Their numbers.
    pub numbers: BTreeSet<String>,
    /// The round in which money was taken, by id.
    taken: BTreeMap<u64, u64>,
    /// Orders of which something was given back.
    returned: BTreeSet<u64>,
    round: u64,
}

impl Till {
    /// The till of a shop that has taken so much for each order before, by number.
    pub fn open(shop: &Shop, before: &BTreeMap<String, Dec>) -> Res<Self> {
        let ledger = shop.ledger()?;
        let (mut orders, mut numbers) = (Vec::new(), BTreeSet::new());
        for order in rows(&ledger, "orders").filter(|order| order["method"] == GATEWAY && order["state"] == "released")
        {
            let number = order["number"].as_str().unwrap_or_default().to_owned();
            // Yens have no hundredths, and what was free is no money.
            let none = order["currency"] == "JPY" || amount(&order["total"]).is_zero();
            if let (Some(id), false, true) =
                (order["id"].as_u64(), none, before.get(&number).is_none_or(|taken| taken.is_zero()))
            {
                orders.push(id);
                numbers.insert(number);
            }
        }
        Ok(Self { orders, numbers, taken: BTreeMap::new(), returned: BTreeSet::new(), round: 0 })
    }

    /// The name of a file in `dir` that lists the numbers, for those who are to leave these orders' money alone.
    pub fn numbers_in(&self, dir: &Path) -> Res<String> {
        let file = dir.join("till.json");
        files::write(&file, &json!(self.numbers).to_string())?;
        Ok(file.to_string_lossy().into_owned())
    }

    /// Nothing: a round of work, told in `work`.
    pub fn work(&mut self, shop: &Shop, work: &mut Changes) -> Res<()> {
        self.round += 1;
        let next: Vec<u64> =
            self.orders.iter().copied().filter(|id| !self.taken.contains_key(id)).take(TAKEN).collect();
        for id in next {
            self.taken.insert(id, self.round);
            if shop.ask(&format!("order/{id}/invoice"), &json!({"capture": true})) {
                work.count_one("captured");
            }
        }
        if self.round.is_multiple_of(BACK_EVERY) {
            self.give_back(shop, work)?;
        }
        Ok(())
    }

    /// Nothing: now that what left the ERP has left the shop, something of several orders goes back.
    pub fn give_back_what_left(&mut self, shop: &Shop, work: &mut Changes) -> Res<()> {
        self.round += LATER;
        (0..AT_LAST).try_for_each(|_| self.give_back(shop, work))
    }

    /// Nothing: money of one order goes back: all of it, or one piece, where all has left; of others some of the freight.
    fn give_back(&mut self, shop: &Shop, work: &mut Changes) -> Res<()> {
        let ledger = shop.ledger()?;
        let due = |id: u64| self.taken.get(&id).is_some_and(|round| round + LATER <= self.round);
        let candidates = rows(&ledger, "orders")
            .filter(|order| order["id"].as_u64().is_some_and(|id| due(id) && !self.returned.contains(&id)));
        let (left, waiting): (Vec<&Value>, Vec<&Value>) = candidates.partition(|order| has_left(&ledger, order));
        // Amounts are asked for in the shop's own currency: what that comes to in another one is odd.
        let freight = waiting
            .into_iter()
            .find(|order| order["currency"] == order["base"] && amount(&order["shipping"]) >= Dec::whole(3));
        let freight = freight.filter(|_| self.returned.len() < FREIGHT);
        let (what, order, body) = match (left.first(), freight) {
            (Some(order), _) if self.returned.len().is_multiple_of(2) => ("refunded_all", *order, json!({})),
            (Some(order), _) => (
                "refunded_piece",
                *order,
                json!({"items": [{"order_item_id": first(order), "qty": 1}],
                "arguments": {"shipping_amount": 0}}),
            ),
            // An empty list would give everything back.
            (None, Some(order)) => (
                "refunded_freight",
                order,
                json!({"items": [{"order_item_id": first(order), "qty": 0}],
                "arguments": {"shipping_amount": 1}}),
            ),
            (None, None) => return Ok(()),
        };
        let Some(id) = order["id"].as_u64() else { return Ok(()) };
        // A line that was free is nothing to give back.
        self.returned.insert(id);
        if shop.ask(&format!("order/{id}/refund"), &body) {
            work.count_one(what);
        }
        Ok(())
    }
}

fn rows<'a>(value: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    value[list].as_array().into_iter().flatten()
}

fn amount(value: &Value) -> Dec {
    Dec::from_json(value).unwrap_or_default()
}

/// The lines of an order that are not below another.
fn heads(order: &Value) -> impl Iterator<Item = &Value> {
    rows(order, "lines").filter(|line| line["parent"].is_null())
}

fn first(order: &Value) -> Value {
    heads(order).next().map(|line| line["id"].clone()).unwrap_or_default()
}

/// Whether all of an order left, and no line of it has others below, of which only whole ones could be given back.
fn has_left(ledger: &Value, order: &Value) -> bool {
    let shipped = |line: &Value| {
        let of = rows(ledger, "shipments").filter(|paper| paper["order"] == order["id"]);
        of.map(|paper| amount(&paper["lines"][line["id"].to_string()])).fold(Dec::default(), |sum, one| sum + one)
    };
    rows(order, "lines").all(|line| line["parent"].is_null())
        && heads(order).all(|line| shipped(line) == amount(&line["qty"]))
}
