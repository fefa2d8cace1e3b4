//! Taking in an order given as JSON: its structure is checked, its values are not, its ids are made unique.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::reply::Refusal;
use super::value::{id, put};

/// Ids of one table that are taken.
#[derive(Debug, Default)]
pub(super) struct Ids {
    taken: BTreeSet<u64>,
}

impl Ids {
    /// The id asked for where it is free, else the one after the highest.
    pub(super) fn claim(&mut self, wanted: Option<u64>) -> u64 {
        let next = self.taken.last().map_or(1, |last| last.saturating_add(1));
        let id = wanted.filter(|id| !self.taken.contains(id)).unwrap_or(next);
        self.taken.insert(id);
        id
    }
}

/// An order whose structure holds; its values may still be anything.
#[derive(Debug)]
pub(super) struct Draft {
    order: Map<String, Value>,
    /// The id it asks for.
    pub(super) entity_id: Option<u64>,
    /// The number it asks for.
    pub(super) increment_id: Option<String>,
    /// The store view it was placed in.
    pub(super) store_id: u64,
}

impl Draft {
    /// The order in a request body, bare or under `entity`.
    ///
    /// # Errors
    /// 400 that names the part that is not built like an order's.
    pub(super) fn read(body: Value) -> Result<Self, Refusal> {
        let Value::Object(mut order) = body else { return Err(wrong("order", "an object")) };
        if let Some(entity) = order.get_mut("entity") {
            let Value::Object(entity) = entity.take() else { return Err(wrong("entity", "an object")) };
            order = entity;
        }
        let store_id = match told(order.get("store_id")) {
            None => 1,
            Some(value) => value
                .as_u64()
                .filter(|id| *id <= u64::from(u32::MAX))
                .ok_or_else(|| wrong("store_id", "a store view's id"))?,
        };
        let increment_id = match told(order.get("increment_id")) {
            None => None,
            Some(Value::String(text)) if !text.is_empty() && text.chars().count() <= 50 => Some(text.clone()),
            Some(_) => return Err(wrong("increment_id", "a text of 1 to 50 characters")),
        };
        let draft = Self { entity_id: optional_id(&order, "entity_id")?, increment_id, store_id, order };
        draft.check()?;
        Ok(draft)
    }

    fn check(&self) -> Result<(), Refusal> {
        for item in list(&self.order, "items")? {
            let Value::Object(item) = item else { return Err(wrong("items", "a list of objects")) };
            optional_id(item, "item_id")?;
            optional_id(item, "parent_item_id")?;
        }
        for part in ["billing_address", "payment"] {
            if let Some(part_value) = told(self.order.get(part)) {
                let Value::Object(part_value) = part_value else { return Err(wrong(part, "an object")) };
                optional_id(part_value, "entity_id")?;
            }
        }
        match told(self.order.get("extension_attributes")) {
            None => {}
            Some(Value::Object(extensions)) => {
                for assignment in list(extensions, "shipping_assignments")? {
                    if !assignment.is_object() {
                        return Err(wrong("shipping_assignments", "a list of objects"));
                    }
                }
            }
            // PHP writes an empty object as an empty list.
            Some(Value::Array(rows)) if rows.is_empty() => {}
            Some(_) => return Err(wrong("extension_attributes", "an object")),
        }
        Ok(())
    }

    /// The order under its id, every line, address and payment with an id of its own, and every reference following.
    pub(super) fn numbered(
        self,
        entity_id: u64,
        items: &mut Ids,
        addresses: &mut Ids,
        payments: &mut Ids,
    ) -> Map<String, Value> {
        let mut order = self.order;
        // A cart goes by its order's number here, unless somebody says otherwise.
        let own = order.get("entity_id").and_then(id);
        if own.is_some() && order.get("quote_id").and_then(id) == own {
            put(&mut order, "quote_id", json!(entity_id));
        }
        put(&mut order, "entity_id", json!(entity_id));
        let mut moved = BTreeMap::new();
        let mut lines = Vec::new();
        for item in order.get("items").and_then(Value::as_array).into_iter().flatten() {
            let wanted = item.get("item_id").and_then(id);
            let line = items.claim(wanted);
            moved.extend(wanted.filter(|wanted| !moved.contains_key(wanted)).map(|wanted| (wanted, line)));
            lines.push(line);
        }
        for part in order.values_mut() {
            follow(part, entity_id, &moved);
        }
        let rows = order.get_mut("items").and_then(Value::as_array_mut);
        for (row, line) in rows.into_iter().flatten().filter_map(Value::as_object_mut).zip(lines) {
            put(row, "item_id", json!(line));
            put(row, "order_id", json!(entity_id));
        }
        number_addresses(&mut order, entity_id, addresses);
        if let Some(Value::Object(payment)) = order.get_mut("payment") {
            let claimed = payments.claim(payment.get("entity_id").and_then(id));
            put(payment, "entity_id", json!(claimed));
            put(payment, "parent_id", json!(entity_id));
        }
        share_lines(&mut order);
        order
    }
}

/// Makes the order's own copies and references name the ids its lines and the order itself now have.
fn follow(value: &mut Value, entity_id: u64, lines: &BTreeMap<u64, u64>) {
    match value {
        Value::Array(rows) => rows.iter_mut().for_each(|row| follow(row, entity_id, lines)),
        Value::Object(map) => {
            for (key, held) in map.iter_mut() {
                match key.as_str() {
                    "item_id" | "parent_item_id" => {
                        if let Some(line) = id(held).and_then(|old| lines.get(&old)) {
                            *held = json!(line);
                        }
                    }
                    "order_id" | "parent_id" if held.is_number() => *held = json!(entity_id),
                    _ => follow(held, entity_id, lines),
                }
            }
        }
        _ => {}
    }
}

fn number_addresses(order: &mut Map<String, Value>, entity_id: u64, addresses: &mut Ids) {
    let mut number = |address: &mut Map<String, Value>| {
        let claimed = addresses.claim(address.get("entity_id").and_then(id));
        put(address, "entity_id", json!(claimed));
        put(address, "parent_id", json!(entity_id));
        claimed
    };
    // The shop numbers the shipping address first (recorded: 1 and 2 of order 1).
    for assignment in assignments(order) {
        let address = assignment.get_mut("shipping").and_then(|shipping| shipping.get_mut("address"));
        if let Some(Value::Object(address)) = address {
            number(address);
        }
    }
    let billing = match order.get_mut("billing_address") {
        Some(Value::Object(address)) => Some(number(address)),
        _ => None,
    };
    if let Some(billing) = billing {
        put(order, "billing_address_id", json!(billing));
    }
}

/// Gives an assignment whose lines have no ids the order's own lines.
fn share_lines(order: &mut Map<String, Value>) {
    let items = order.get("items").cloned();
    for assignment in assignments(order) {
        let rows = assignment.get("items").and_then(Value::as_array);
        let nameless = rows.is_some_and(|rows| rows.iter().any(|row| row.get("item_id").is_none()));
        if let (true, Some(items), Value::Object(assignment)) = (nameless, &items, assignment) {
            assignment.insert("items".to_owned(), items.clone());
        }
    }
}

fn assignments(order: &mut Map<String, Value>) -> impl Iterator<Item = &mut Value> {
    let list = order.get_mut("extension_attributes").and_then(|part| part.get_mut("shipping_assignments"));
    list.and_then(Value::as_array_mut).into_iter().flatten()
}

fn told(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

fn list<'o>(of: &'o Map<String, Value>, key: &str) -> Result<&'o [Value], Refusal> {
    match told(of.get(key)) {
        None => Ok(&[]),
        Some(Value::Array(rows)) => Ok(rows),
        Some(_) => Err(wrong(key, "a list")),
    }
}

fn optional_id(of: &Map<String, Value>, key: &str) -> Result<Option<u64>, Refusal> {
    match told(of.get(key)) {
        None => Ok(None),
        Some(value) => id(value).map(Some).ok_or_else(|| wrong(key, "a positive number of 32 bits")),
    }
}

fn wrong(part: &str, wanted: &str) -> Refusal {
    Refusal::new(400, format!("This is not an order: \"{part}\" has to be {wanted}."))
}
