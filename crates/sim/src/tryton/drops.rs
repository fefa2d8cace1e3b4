//! What a supplier sends to the customer by itself, where module `sale_supply_drop_shipment` 8.0 is activated.
//!
//! Recorded (`tryton-8.0-drop.json`): a line that is always bought for its sale gets a move to the customer in no shipment. Once it
//! is bought both moves, the supplier's and the customer's, lie in a drop shipment; what the supplier sends less is left to
//! another one. Stock is not touched. Not simulated: requests, purchases and their prices.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Erp;
use super::fail::Fail;
use super::price::coded;
use super::sale::{amount_lines, process};
use super::schema::Leg;
use super::shipping::{moves_from, sold_by};
use super::stock::{moves_of, today};
use super::store::Store;
use super::unit;
use super::value::Val;
use super::write::create;

pub const MODEL: &str = "stock.shipment.drop";
const MOVE: &str = "stock.move";

/// Whether a line of a sale is bought for it and sent by its supplier.
pub fn is_bought(store: &Store, line: u64) -> bool {
    store.value("sale.line", line, "product").id().is_some_and(|product| store.supplied.contains(&product))
}

/// The place of a kind of which there is one.
fn place(store: &Store, form: &str) -> Option<u64> {
    let at = store.model("stock.location").ok()?;
    store.ids(at).find(|id| store.text("stock.location", *id, "type") == form)
}

/// Makes the moves to the customer of lines that are bought, in no shipment yet.
pub fn ask(store: &mut Store, sale: u64, lines: &[(u64, Decimal)]) -> Result<(), Fail> {
    for (line, quantity) in lines {
        let value = |field: &str| store.value("sale.line", *line, field).to_json(true);
        let row = json!({"product": value("product"), "quantity": Val::Float(*quantity).to_json(true), "unit": value("unit"),
            "from_location": place(store, "drop"), "to_location": place(store, "customer"),
            "origin": format!("sale.line,{line}"), "unit_price": value("unit_price"),
            "company": store.value("sale.sale", sale, "company").to_json(true),
            "currency": store.value("sale.sale", sale, "currency").to_json(true)});
        create(store, MOVE, &[row])?;
    }
    Ok(())
}

/// A drop shipment that waits, with these moves to the customer, each with one from the supplier that comes from that line of a
/// purchase.
fn buy(store: &mut Store, company: &Val, moves: &[(u64, u64)]) -> Result<u64, Fail> {
    let number = store.next("drop").to_string();
    let row = json!({"number": number, "state": "waiting", "company": company.to_json(true)});
    let made = create(store, MODEL, &[row])?.first().copied().unwrap_or_default();
    for (one, bought) in moves {
        let value = |field: &str| store.value(MOVE, *one, field).to_json(true);
        let row = json!({"product": value("product"), "quantity": value("quantity"), "unit": value("unit"),
            "from_location": place(store, "supplier"), "to_location": place(store, "drop"), "shipment": format!("{MODEL},{made}"),
            "origin": format!("purchase.line,{bought}"), "company": company.to_json(true)});
        create(store, MOVE, &[row])?;
        store.put(MOVE, *one, "shipment", Val::Text(format!("{MODEL},{made}")))?;
        store.touch(store.model(MOVE)?, *one);
    }
    Ok(made)
}

/// The moves of a drop shipment to the customer, and those from the supplier.
fn legs(store: &Store, id: u64) -> Result<(Vec<u64>, Vec<u64>), Fail> {
    let all = moves_of(store, id, Leg::Dropped)?;
    Ok(all.into_iter().partition(|one| sold_by(&store.text(MOVE, *one, "origin")).is_some()))
}

fn enter(store: &mut Store, model: &str, id: u64, state: &str) -> Result<(), Fail> {
    store.put(model, id, "state", Val::Text(state.to_owned()))?;
    store.touch(store.model(model)?, id);
    Ok(())
}

/// Presses `ship` or `do` on a drop shipment in the state for it.
pub fn advance(store: &mut Store, button: &str, id: u64) -> Result<(), Fail> {
    let (customer, supplier) = legs(store, id)?;
    if button == "ship" {
        let mut rest = Vec::new();
        for (one, from) in customer.iter().zip(&supplier) {
            let number = |id: u64| store.value(MOVE, id, "quantity").number().unwrap_or_default();
            let (asked, sent) = (number(*one), number(*from));
            let bought = store.text(MOVE, *from, "origin");
            enter(store, MOVE, *from, "done")?;
            unit::set_quantity(store, *one, sent)?;
            enter(store, MOVE, *one, "assigned")?;
            if asked > sent {
                let line = sold_by(&store.text(MOVE, *one, "origin")).unwrap_or_default();
                let sale = store.value("sale.line", line, "sale").id().unwrap_or_default();
                ask(store, sale, &[(line, asked - sent)])?;
                let left = moves_from(store, line)?.last().copied().unwrap_or_default();
                rest.push((
                    left,
                    bought.strip_prefix("purchase.line,").and_then(|id| id.parse().ok()).unwrap_or_default(),
                ));
            }
        }
        if !rest.is_empty() {
            let company = store.value(MODEL, id, "company");
            buy(store, &company, &rest)?;
        }
        return enter(store, MODEL, id, "shipped");
    }
    let mut sales = Vec::new();
    for one in customer {
        enter(store, MOVE, one, "done")?;
        let line = sold_by(&store.text(MOVE, one, "origin")).unwrap_or_default();
        sales.extend(store.value("sale.line", line, "sale").id());
    }
    let day = Val::Date(today(store));
    store.put(MODEL, id, "effective_date", day)?;
    enter(store, MODEL, id, "done")?;
    sales.sort_unstable();
    sales.dedup();
    sales.into_iter().try_for_each(|sale| process(store, sale))
}

/// What each drop shipment holds of which line of a sale.
pub fn ledger(store: &Store) -> Vec<Value> {
    let Ok(at) = store.model(MODEL) else { return Vec::new() };
    let line = |one: u64| {
        let line = sold_by(&store.text(MOVE, one, "origin"));
        json!({"line": line, "sale": line.and_then(|line| store.value("sale.line", line, "sale").id()),
            "qty": store.value(MOVE, one, "quantity").number().unwrap_or_default().normalize().to_string()})
    };
    let row = |id: u64| {
        let (customer, _) = legs(store, id).unwrap_or_default();
        json!({"id": id, "number": store.text(MODEL, id, "number"), "state": store.text(MODEL, id, "state"),
            "lines": customer.into_iter().map(line).collect::<Vec<_>>()})
    };
    store.ids(at).map(row).collect()
}

impl Erp {
    /// Has the product of that code always bought for its sale and sent by its supplier; activates the module.
    pub fn supply_by_supplier(&mut self, now: Timestamp, code: &str) -> bool {
        self.whole(now, |store| {
            let product = coded(store, code)?;
            if store.supplied.is_empty() {
                create(store, "ir.module", &[json!({"name": "sale_supply_drop_shipment", "state": "activated"})])?;
                create(store, "stock.location", &[json!({"name": "Drop", "code": "DRP", "type": "drop"})])?;
            }
            store.supplied.insert(product);
            Ok(())
        })
    }

    /// Buys what a sale asks its suppliers for: the drop shipment; none where it asks for nothing.
    pub fn buy_for(&mut self, now: Timestamp, sale: u64) -> Option<u64> {
        let mut made = None;
        self.whole(now, |store| {
            let mut asked = Vec::new();
            for line in amount_lines(store, sale)? {
                let moves = if is_bought(store, line) { moves_from(store, line)? } else { Vec::new() };
                for one in moves {
                    if !store.value(MOVE, one, "shipment").filled() {
                        asked.push((one, store.next("purchase.line")));
                    }
                }
            }
            if asked.is_empty() {
                return Err(Fail::other("nothing is asked for"));
            }
            let company = store.value("sale.sale", sale, "company");
            made = Some(buy(store, &company, &asked)?);
            Ok(())
        });
        made
    }

    /// The supplier has only so many of each line that waits in a drop shipment.
    pub fn supplier_has(&mut self, now: Timestamp, drop: u64, quantity: Decimal) -> bool {
        self.whole(now, |store| {
            let (_, supplier) = legs(store, drop)?;
            supplier.into_iter().try_for_each(|one| {
                unit::set_quantity(store, one, quantity)?;
                store.touch(store.model(MOVE)?, one);
                Ok(())
            })
        })
    }

    /// Presses `ship` (the supplier sent it) or `do` (it is there) on a drop shipment; false where that is not offered.
    pub fn press_drop(&mut self, now: Timestamp, drop: u64, button: &str) -> bool {
        self.whole(now, |store| match super::shipping::offered(store, MODEL, button, drop)? {
            true => advance(store, button, drop),
            false => Err(Fail::other("not offered")),
        })
    }
}
