//! The papers that move goods: shipments of sales from state to state, counts, and moves made by hand.

use rust_decimal::Decimal;
use serde_json::json;

use super::drops;
use super::fail::Fail;
use super::parcels;
use super::read::{present, rec_name};
use super::sale::{amount_lines, process};
use super::schema::Leg;
use super::stock::{done, moves_of, moves_with, today, warehouse_of};
use super::store::Store;
use super::unit;
use super::value::Val;
use super::write::create;

/// Whether a model has a button of that name.
pub fn has_button(model: &str, button: &str) -> bool {
    match model {
        "stock.shipment.out" => {
            let back = matches!(button, "wait" | "draft");
            back || matches!(button, "assign_try" | "assign_force" | "pick" | "pack" | "ship" | "do" | "cancel")
        }
        drops::MODEL => matches!(button, "ship" | "do"),
        "stock.inventory" => matches!(button, "confirm" | "cancel"),
        "stock.move" => matches!(button, "do" | "cancel"),
        _ => false,
    }
}

/// Presses a button on shipments, counts or moves.
pub fn press(store: &mut Store, model: &str, button: &str, ids: &[u64]) -> Result<(), Fail> {
    present(store, model, ids, "read")?;
    for id in ids {
        if !offered(store, model, button, *id)? {
            let (name, title) = (shown(store, model, *id), store.schema.model(model)?.title);
            return Err(Fail::user(format!("You can not call \"{button}\" on \"{name}\" of \"{title}\".")));
        }
    }
    for id in ids {
        let at = store.model(model)?;
        store.guard(at, *id)?;
        match model {
            "stock.shipment.out" => advance(store, button, *id)?,
            drops::MODEL => drops::advance(store, button, *id)?,
            "stock.inventory" if button == "confirm" => count(store, *id)?,
            _ => enter(store, model, *id, "cancelled")?,
        }
    }
    Ok(())
}

fn shown(store: &Store, model: &str, id: u64) -> String {
    if model != "stock.inventory" {
        return rec_name(store, model, id);
    }
    let location = store.value(model, id, "location").id().unwrap_or_default();
    let (code, name) = (store.text("stock.location", location, "code"), store.text("stock.location", location, "name"));
    let day = match store.value(model, id, "date") {
        Val::Date(day) => format!("{:02}/{:02}/{:04}", day.month(), day.day(), day.year()),
        _ => String::new(),
    };
    format!("[{id}] [{code}] {name} @ {day}")
}

/// Whether the button can be pressed in the paper's state. Trying to assign what needs none is no error.
pub fn offered(store: &Store, model: &str, button: &str, id: u64) -> Result<bool, Fail> {
    let state = store.text(model, id, "state");
    Ok(match (model, button) {
        ("stock.shipment.out", "assign_try" | "assign_force") => true,
        ("stock.shipment.out", "pick") => state == "assigned",
        ("stock.shipment.out", "wait") => matches!(state.as_str(), "draft" | "waiting" | "assigned"),
        ("stock.shipment.out", "draft") => matches!(state.as_str(), "draft" | "waiting"),
        ("stock.shipment.out", "pack") => state == "picked",
        ("stock.shipment.out", "ship") => state == "packed",
        ("stock.shipment.out", "do") => matches!(state.as_str(), "packed" | "shipped"),
        ("stock.shipment.out", _) => state != "cancelled",
        (drops::MODEL, "ship") => state == "waiting",
        (drops::MODEL, _) => state == "shipped",
        ("stock.inventory", _) => state == "draft",
        ("stock.move", "do") => false,
        _ => matches!(state.as_str(), "draft" | "assigned" | "staging"),
    })
}

fn enter(store: &mut Store, model: &str, id: u64, state: &str) -> Result<(), Fail> {
    store.put(model, id, "state", Val::Text(state.to_owned()))?;
    if (model, state) == ("stock.move", "cancelled") {
        store.put(model, id, "package", Val::Null)?;
    }
    let at = store.model(model)?;
    store.touch(at, id);
    Ok(())
}

/// The line of a sale that an origin names.
pub fn sold_by(origin: &str) -> Option<u64> {
    origin.strip_prefix("sale.line,")?.parse().ok()
}

/// The moves that come from a line of a sale, by id.
pub fn moves_from(store: &Store, line: u64) -> Result<Vec<u64>, Fail> {
    moves_with(store, "origin", &Val::Text(format!("sale.line,{line}")))
}

/// The shipments of a sale, by id.
pub fn shipments_of(store: &Store, sale: u64) -> Result<Vec<u64>, Fail> {
    let mut found = Vec::new();
    for line in amount_lines(store, sale)? {
        for one in moves_from(store, line)? {
            let paper = store.text("stock.move", one, "shipment");
            found.extend(paper.strip_prefix("stock.shipment.out,").and_then(|id| id.parse::<u64>().ok()));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Which moves of a line are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// All but those that were made anew.
    All,
    /// Those that have happened.
    Done,
    /// Those that have happened, and those nobody waits for any more.
    Settled,
    /// Those that have left the house.
    Left,
}

/// How many of a line its moves come to, in its unit.
pub fn moved(store: &Store, line: u64, told: Told) -> Result<Decimal, Fail> {
    let again = store.value("sale.line", line, "moves_recreated").ids().to_vec();
    let ignored = store.value("sale.line", line, "moves_ignored").ids().to_vec();
    let sold = store.value("sale.line", line, "unit").id().unwrap_or_default();
    let mut sum = Decimal::ZERO;
    for one in moves_from(store, line)? {
        let paper = store.text("stock.move", one, "shipment");
        let paper = paper.strip_prefix("stock.shipment.out,").and_then(|id| id.parse().ok()).unwrap_or_default();
        let state = store.text("stock.move", one, "state");
        let counts = match told {
            Told::All => !again.contains(&one),
            Told::Done => state == "done",
            Told::Settled => state == "done" || ignored.contains(&one),
            Told::Left => {
                state == "done"
                    || (state == "assigned" && store.text("stock.shipment.out", paper, "state") == "shipped")
            }
        };
        let value = |field: &str| store.value("stock.move", one, field);
        let quantity = value("quantity").number().filter(|_| counts).unwrap_or_default();
        sum += quantity * unit::factor(store, value("unit").id().unwrap_or_default()) / unit::factor(store, sold);
    }
    Ok(sum)
}

/// Makes a shipment of so many of these lines of a sale: for each a move out of the house, and one that brings it to the
/// gate.
pub fn of_sale(store: &mut Store, sale: u64, lines: &[(u64, Decimal)]) -> Result<u64, Fail> {
    let warehouse = store.value("sale.sale", sale, "warehouse").id().unwrap_or_default();
    of_sale_from(store, sale, warehouse, lines)
}

/// The same from any warehouse, as people do it by hand.
pub fn of_sale_from(store: &mut Store, sale: u64, warehouse: u64, lines: &[(u64, Decimal)]) -> Result<u64, Fail> {
    let zone = |name: &str| store.value("stock.location", warehouse, name).id().unwrap_or_default();
    let (storage, output) = (zone("storage_location"), zone("output_location"));
    let planned = Val::Date(today(store)).to_json(true);
    let number = store.next("shipment").to_string();
    let row = json!({"number": number, "state": "waiting", "warehouse": warehouse, "planned_date": planned,
        "customer": store.value("sale.sale", sale, "party").to_json(true),
        "delivery_address": store.value("sale.sale", sale, "shipment_address").to_json(true),
        "company": store.value("sale.sale", sale, "company").to_json(true)});
    let shipment = create(store, "stock.shipment.out", &[row])?.first().copied().unwrap_or_default();
    let customer = customers(store)?;
    let mut pairs = Vec::new();
    let paper = format!("stock.shipment.out,{shipment}");
    for (line, quantity) in lines {
        let value = |field: &str| store.value("sale.line", *line, field).to_json(true);
        let quantity = Val::Float(*quantity).to_json(true);
        let mut row = json!({"product": value("product"), "quantity": quantity, "unit": value("unit"),
            "from_location": output, "to_location": customer, "planned_date": planned, "shipment": paper,
            "origin": format!("sale.line,{line}"), "unit_price": value("unit_price"),
            "company": store.value("sale.sale", sale, "company").to_json(true),
            "currency": store.value("sale.sale", sale, "currency").to_json(true)});
        let outgoing = create(store, "stock.move", std::slice::from_ref(&row))?.first().copied().unwrap_or_default();
        for (field, value) in [
            ("from_location", json!(storage)),
            ("to_location", json!(output)),
            ("origin", json!(format!("stock.move,{outgoing}"))),
            ("unit_price", json!(null)),
            ("currency", json!(null)),
        ] {
            row[field] = value;
        }
        pairs.push(row);
    }
    create(store, "stock.move", &pairs)?;
    Ok(shipment)
}

/// Makes the moves of what a sale takes back: to the input zone. Their paper is named and not kept.
pub fn back(store: &mut Store, sale: u64, lines: &[u64]) -> Result<(), Fail> {
    let warehouse = store.value("sale.sale", sale, "warehouse").id().unwrap_or_default();
    let planned = Val::Date(today(store)).to_json(true);
    for line in lines {
        let value = |field: &str| store.value("sale.line", *line, field);
        let quantity = value("quantity").number().unwrap_or_default().abs();
        let row = json!({"product": value("product").to_json(true), "quantity": Val::Float(quantity).to_json(true),
            "unit": value("unit").to_json(true), "from_location": customers(store)?, "planned_date": planned,
            "to_location": store.value("stock.location", warehouse, "input_location").to_json(true),
            "shipment": format!("stock.shipment.out.return,{sale}"), "origin": format!("sale.line,{line}")});
        create(store, "stock.move", &[row])?;
    }
    Ok(())
}

/// The place goods go to when they are sold.
fn customers(store: &Store) -> Result<Option<u64>, Fail> {
    let locations = store.model("stock.location")?;
    let found = store.ids(locations).find(|id| store.text("stock.location", *id, "type") == "customer");
    Ok(found)
}

/// Brings a shipment to the button's state, and its moves with it; its sales are told.
pub fn advance(store: &mut Store, button: &str, id: u64) -> Result<(), Fail> {
    let state = store.text("stock.shipment.out", id, "state");
    let sales = sales_of(store, id)?;
    match button {
        "assign_try" | "assign_force" if state != "waiting" => return Ok(()),
        "wait" => return wait(store, id),
        "draft" => return lay_back(store, id),
        "assign_try" if !assign(store, id)? => return Ok(()),
        "assign_force" => move_all(store, id, Leg::Inventory, "assigned")?,
        "pick" => pick(store, id)?,
        "pack" => pack(store, id)?,
        "do" => {
            move_all(store, id, Leg::Outgoing, "done")?;
            let today = Val::Date(today(store));
            store.put("stock.shipment.out", id, "effective_date", today)?;
        }
        "cancel" => move_all(store, id, Leg::Both, "cancelled")?,
        _ => {}
    }
    let next = match button {
        "assign_try" | "assign_force" => "assigned",
        "pick" => "picked",
        "pack" => "packed",
        "ship" => "shipped",
        "do" => "done",
        _ => "cancelled",
    };
    enter(store, "stock.shipment.out", id, next)?;
    for sale in sales.into_iter().filter(|_| matches!(next, "shipped" | "done" | "cancelled")) {
        process(store, sale)?;
    }
    Ok(())
}

/// Has a shipment wait: what is to leave is to be taken from storage anew.
pub(super) fn wait(store: &mut Store, id: u64) -> Result<(), Fail> {
    lay_back(store, id)?;
    let warehouse = store.value("stock.shipment.out", id, "warehouse").id().unwrap_or_default();
    let zone = |name: &str| store.value("stock.location", warehouse, name).id();
    let (storage, output) = (zone("storage_location"), zone("output_location"));
    for one in moves_of(store, id, Leg::Outgoing)? {
        let value = |field: &str| store.value("stock.move", one, field).to_json(true);
        let mut row = json!({"from_location": storage, "to_location": output, "origin": format!("stock.move,{one}")});
        for field in ["product", "quantity", "unit", "planned_date", "shipment", "company"] {
            row[field] = value(field);
        }
        create(store, "stock.move", &[row])?;
    }
    enter(store, "stock.shipment.out", id, "waiting")
}

/// Brings a shipment back to its draft, in which nothing is taken from storage.
pub(super) fn lay_back(store: &mut Store, id: u64) -> Result<(), Fail> {
    for one in moves_of(store, id, Leg::Inventory)? {
        store.remove(store.model("stock.move")?, one);
    }
    enter(store, "stock.shipment.out", id, "draft")
}

/// The sales whose goods a shipment holds.
fn sales_of(store: &Store, shipment: u64) -> Result<Vec<u64>, Fail> {
    let moves = moves_of(store, shipment, Leg::Outgoing)?.into_iter();
    let lines = moves.filter_map(|id| sold_by(&store.text("stock.move", id, "origin")));
    let mut sales: Vec<u64> = lines.filter_map(|line| store.value("sale.line", line, "sale").id()).collect();
    sales.sort_unstable();
    sales.dedup();
    Ok(sales)
}

/// Takes what is to leave to the gate; what leaves is what was taken, not what was asked for.
fn pick(store: &mut Store, id: u64) -> Result<(), Fail> {
    let moves = store.model("stock.move")?;
    for one in moves_of(store, id, Leg::Inventory)? {
        if store.value("stock.move", one, "quantity").number().unwrap_or_default().is_zero() {
            store.remove(moves, one);
        }
    }
    move_all(store, id, Leg::Inventory, "done")?;
    for one in moves_of(store, id, Leg::Outgoing)? {
        let of = |field: &str| store.value("stock.move", one, field).id().unwrap_or_default();
        let mut taken = Decimal::ZERO;
        for inner in moves_with(store, "origin", &Val::Text(format!("stock.move,{one}")))? {
            if store.text("stock.move", inner, "state") != "cancelled" {
                taken += store.value("stock.move", inner, "internal_quantity").number().unwrap_or_default();
            }
        }
        let taken = taken / unit::pack(store, of("product"), of("unit"));
        let off = store.text("stock.move", one, "state") == "cancelled";
        if !off && store.value("stock.move", one, "quantity").number() != Some(taken) {
            unit::set_quantity(store, one, taken)?;
            store.touch(moves, one);
        }
    }
    Ok(())
}

/// Puts what was taken into its parcels; of what nothing was taken nothing leaves.
fn pack(store: &mut Store, id: u64) -> Result<(), Fail> {
    for one in moves_of(store, id, Leg::Outgoing)? {
        if store.value("stock.move", one, "quantity").number().unwrap_or_default().is_zero() {
            store.remove(store.model("stock.move")?, one);
        }
    }
    move_all(store, id, Leg::Outgoing, "assigned")?;
    parcels::check(store, id)?;
    parcels::warn(store, id)
}

/// Brings the moves of a shipment to a state; those that are there or cancelled already are left alone.
fn move_all(store: &mut Store, shipment: u64, leg: Leg, state: &str) -> Result<(), Fail> {
    let day = Val::Date(today(store));
    for id in moves_of(store, shipment, leg)? {
        let now = store.text("stock.move", id, "state");
        if now == state || now == "cancelled" {
            continue;
        }
        if state == "done" {
            store.put("stock.move", id, "effective_date", day.clone())?;
        }
        enter(store, "stock.move", id, state)?;
    }
    Ok(())
}

/// Assigns what lies in storage and nobody has been assigned yet; whether that was enough. A move it is not enough for
/// is split, and the shipment waits.
fn assign(store: &mut Store, shipment: u64) -> Result<bool, Fail> {
    let mut whole = true;
    for id in moves_of(store, shipment, Leg::Inventory)? {
        if store.text("stock.move", id, "state") != "draft" {
            continue;
        }
        let of = |field: &str| store.value("stock.move", id, field).id().unwrap_or_default();
        let pack = unit::pack(store, of("product"), of("unit"));
        let wanted = store.value("stock.move", id, "quantity").number().unwrap_or_default();
        let free = free(store, id)? / pack;
        let free = if pack == Decimal::ONE { free } else { free.floor() };
        if free >= wanted {
            enter(store, "stock.move", id, "assigned")?;
            continue;
        }
        whole = false;
        if free > Decimal::ZERO {
            split(store, id, (wanted, free), pack)?;
        }
    }
    Ok(whole)
}

fn split(store: &mut Store, id: u64, (wanted, free): (Decimal, Decimal), pack: Decimal) -> Result<(), Fail> {
    for (field, each) in [("quantity", Decimal::ONE), ("internal_quantity", pack)] {
        store.put("stock.move", id, field, Val::Float((wanted - free) * each))?;
    }
    let moves = store.model("stock.move")?;
    store.touch(moves, id);
    let value = |field: &str| store.value("stock.move", id, field).to_json(true);
    let mut row = json!({"quantity": Val::Float(free).to_json(true), "state": "assigned"});
    for field in ["product", "unit", "from_location", "to_location", "planned_date", "origin", "shipment"] {
        row[field] = value(field);
    }
    for part in create(store, "stock.move", &[row])? {
        store.touch(moves, part);
    }
    Ok(())
}

/// What lies where a move starts, less what is assigned to leave there.
fn free(store: &Store, id: u64) -> Result<Decimal, Fail> {
    let place = store.value("stock.move", id, "from_location");
    let mut sum = Decimal::ZERO;
    for one in moves_with(store, "product", &store.value("stock.move", id, "product"))? {
        let value = |field: &str| store.value("stock.move", one, field);
        let quantity = value("internal_quantity").number().unwrap_or_default();
        let state = store.text("stock.move", one, "state");
        if state == "done" && value("to_location") == place {
            sum += quantity;
        }
        if matches!(state.as_str(), "done" | "assigned") && value("from_location") == place {
            sum -= quantity;
        }
    }
    Ok(sum)
}

/// Sends everything a sale has waiting; whether there was anything.
pub fn ship(store: &mut Store, sale: u64) -> Result<bool, Fail> {
    let mut any = false;
    for shipment in shipments_of(store, sale)? {
        if matches!(store.text("stock.shipment.out", shipment, "state").as_str(), "done" | "cancelled") {
            continue;
        }
        for button in ["assign_force", "pick", "pack", "ship", "do"] {
            if offered(store, "stock.shipment.out", button, shipment)? {
                advance(store, button, shipment)?;
                any = true;
            }
        }
    }
    Ok(any)
}

/// Withdraws what a sale has waiting.
pub fn withdraw(store: &mut Store, sale: u64) -> Result<(), Fail> {
    for shipment in shipments_of(store, sale)? {
        if !matches!(store.text("stock.shipment.out", shipment, "state").as_str(), "done" | "cancelled") {
            advance(store, "cancel", shipment)?;
        }
    }
    Ok(())
}

/// Confirms a count: what differs is moved from or to where lost things lie.
fn count(store: &mut Store, id: u64) -> Result<(), Fail> {
    let location = store.value("stock.inventory", id, "location").id().unwrap_or_default();
    let warehouse = warehouse_of(store, location).unwrap_or_default();
    let Some(lost) = store.value("stock.location", warehouse, "lost_found_location").id() else {
        let (count, name) = (shown(store, "stock.inventory", id), store.text("stock.location", location, "name"));
        return Err(Fail::user(format!(
            "To confirm the inventory \"{count}\" you must set a lost and found on a parent of location \"{name}\"."
        )));
    };
    for line in store.children("stock.inventory.line", "inventory", id)? {
        let value = |field: &str| store.value("stock.inventory.line", line, field);
        let (Some(product), Some(found)) = (value("product").id(), value("quantity").number()) else { continue };
        let missing = found - lying(store, product, location)?;
        let way = if missing.is_sign_negative() { (location, lost) } else { (lost, location) };
        if !missing.is_zero() {
            done(store, product, missing.abs(), way, Some(format!("stock.inventory.line,{line}")))?;
        }
    }
    enter(store, "stock.inventory", id, "done")
}

/// What has come to lie at just this location.
fn lying(store: &Store, product: u64, location: u64) -> Result<Decimal, Fail> {
    let mut sum = Decimal::ZERO;
    for one in moves_with(store, "product", &Val::Ref(product))? {
        let value = |field: &str| store.value("stock.move", one, field);
        if value("state").text() != Some("done") {
            continue;
        }
        let quantity = value("internal_quantity").number().unwrap_or_default();
        sum += if value("to_location").id() == Some(location) { quantity } else { Decimal::ZERO };
        sum -= if value("from_location").id() == Some(location) { quantity } else { Decimal::ZERO };
    }
    Ok(sum)
}
