//! The orders a shop holds, and the writes that move them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::columns;
use super::criteria::{Criteria, Found, Table};
use super::placing::{Draft, Ids};
use super::reply::{Answer, Refusal};
use super::reservations::{self, Good, Reservations, is_virtual};
use super::value::{amount, decimal, id, number, put, stamp};

/// Every order by its id, with the numbers and ids that are taken.
#[derive(Debug, Default)]
pub(super) struct Book {
    orders: BTreeMap<u64, Stored>,
    numbers: BTreeMap<(u64, String), u64>,
    ids: Ids,
    items: Ids,
    addresses: Ids,
    payments: Ids,
    last_number: u64,
    reserved: Reservations,
    taken: Reservations,
    /// Seconds the longest save takes from its stamp to its commit; a search sees it only then.
    pub(super) late_commit_s: u32,
    saves: u64,
}

/// One order; a search sees `order` from `seen_from` on, and `settled` (if anything) before.
#[derive(Debug)]
struct Stored {
    order: Map<String, Value>,
    settled: Option<Map<String, Value>>,
    seen_from: Timestamp,
}

/// What placing an order answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    /// The order's id.
    pub(super) entity_id: u64,
    /// The order's number.
    pub(super) increment_id: String,
}

impl Book {
    /// Stores an order as it is, under its own ids and number where they are free and the next ones where not.
    ///
    /// # Errors
    /// 400 where it is not an order by its structure. Nothing is stored or taken then.
    pub(super) fn place(&mut self, now: Timestamp, order: Value) -> Result<Placed, Refusal> {
        let draft = Draft::read(order)?;
        let entity_id = self.ids.claim(draft.entity_id);
        let increment_id = self.free_number(draft.store_id, draft.increment_id.clone());
        self.numbers.insert((draft.store_id, increment_id.clone()), entity_id);
        let mut order = draft.numbered(entity_id, &mut self.items, &mut self.addresses, &mut self.payments);
        put(&mut order, "increment_id", json!(increment_id));
        if order.get("created_at").is_none_or(Value::is_null) {
            put(&mut order, "created_at", json!(stamp(now)));
        }
        put(&mut order, "updated_at", json!(stamp(now)));
        let seen_from = self.seen_from(now);
        self.reserved.follow(&[], &reservations::open(&order));
        self.taken.follow(&[], &reservations::taken(&order));
        self.orders.insert(entity_id, Stored { order, settled: None, seen_from });
        Ok(Placed { entity_id, increment_id })
    }

    /// Stores an order with the times it brings along, as one that was placed long ago.
    pub(super) fn seed(&mut self, now: Timestamp, order: Value) -> Result<(), Refusal> {
        let updated = order.get("updated_at").cloned();
        let placed = self.place(now, order)?;
        if let (Some(stored), Some(updated)) = (self.orders.get_mut(&placed.entity_id), updated) {
            put(&mut stored.order, "updated_at", updated);
        }
        Ok(())
    }

    /// One order as it is now.
    pub(super) fn get(&self, entity_id: u64) -> Option<&Map<String, Value>> {
        self.orders.get(&entity_id).map(|stored| &stored.order)
    }

    /// Every order as it is now, by id.
    pub(super) fn all(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.orders.values().map(|stored| &stored.order)
    }

    /// The page of orders a search finds at `now`.
    pub(super) fn search(
        &self,
        now: Timestamp,
        criteria: &Criteria,
        repeat_last_page: bool,
    ) -> Result<Found<&Map<String, Value>>, Refusal> {
        let seen = |stored: &'_ Stored| now >= stored.seen_from;
        let rows = self.orders.values();
        criteria.select(Table {
            rows: rows
                .filter_map(|stored| if seen(stored) { Some(&stored.order) } else { stored.settled.as_ref() })
                .collect(),
            columns: columns::ORDER,
            read: &|order: &&Map<String, Value>, column: &str| order.get(column).map(Cow::Borrowed),
            repeat_last_page,
        })
    }

    /// Saves the scalar columns given for one order; the answer is not the record (recorded: order-ext-id).
    pub(super) fn save(&mut self, now: Timestamp, body: &Value) -> Answer {
        let Some(Value::Object(entity)) = body.get("entity") else { return Err(Refusal::required("entity")) };
        let Some(named) = entity.get("entity_id").filter(|id| !id.is_null()) else {
            let placed = self.place(now, body.clone())?;
            return Ok(self.get(placed.entity_id).map_or(Value::Null, |order| Value::Object(order.clone())));
        };
        let entity_id = id(named).filter(|id| self.orders.contains_key(id)).ok_or_else(Refusal::no_order)?;
        let columns = scalars(entity)?;
        self.renumber(entity_id, &columns)?;
        self.change(now, entity_id, |order| {
            for (column, value) in &columns {
                if value.is_null() {
                    order.shift_remove(*column);
                } else {
                    put(order, column, value.clone());
                }
            }
        });
        self.get(entity_id).map(|order| trap_answer(order, &columns)).ok_or_else(Refusal::no_order)
    }

    /// Puts an order on hold.
    pub(super) fn hold(&mut self, now: Timestamp, entity_id: u64) -> Answer {
        let state = self.state(entity_id)?;
        if matches!(state.as_str(), "canceled" | "payment_review" | "complete" | "closed" | "holded") {
            return Err(Refusal::new(400, "A hold action is not available."));
        }
        self.change(now, entity_id, |order| {
            for (kept, column) in [("hold_before_state", "state"), ("hold_before_status", "status")] {
                let value = order.get(column).cloned().unwrap_or(Value::Null);
                put(order, kept, value);
                put(order, column, json!("holded"));
            }
        });
        Ok(json!(true))
    }

    /// Takes an order off hold, back to the state it had before.
    pub(super) fn unhold(&mut self, now: Timestamp, entity_id: u64) -> Answer {
        if self.state(entity_id)? != "holded" {
            return Err(Refusal::new(400, "You cannot remove the hold."));
        }
        self.change(now, entity_id, |order| {
            for (kept, column) in [("hold_before_state", "state"), ("hold_before_status", "status")] {
                if let Some(value) = order.shift_remove(kept) {
                    put(order, column, value);
                }
            }
        });
        Ok(json!(true))
    }

    /// Cancels what is not invoiced; `false` where nothing can be cancelled (recorded: order-cancel-again).
    pub(super) fn cancel(&mut self, now: Timestamp, entity_id: u64) -> Answer {
        let state = self.state(entity_id)?;
        let open = self.get(entity_id).and_then(|order| order.get("items")).and_then(Value::as_array);
        let open = open.is_some_and(|items| items.iter().any(|item| !to_cancel(item).is_zero()));
        if !open || matches!(state.as_str(), "canceled" | "payment_review" | "complete" | "closed" | "holded") {
            return Ok(json!(false));
        }
        self.change(now, entity_id, cancel_amounts);
        Ok(json!(true))
    }

    /// Moves an order to a state with the status that goes with it by default. False where there is no such order.
    pub(super) fn set_state(&mut self, now: Timestamp, entity_id: u64, state: &str) -> bool {
        let status = match state {
            "new" => "pending",
            other => other,
        };
        self.change(now, entity_id, |order| {
            if state == "canceled" {
                cancel_amounts(order);
            }
            put(order, "state", json!(state));
            put(order, "status", json!(status));
        })
    }

    /// Changes one top field of an order and leaves `updated_at` where it stood. False where there is no such number.
    pub(super) fn edit_unseen(&mut self, number: &str, field: &str, value: &Value) -> bool {
        let named = |stored: &&mut Stored| stored.order.get("increment_id").and_then(Value::as_str) == Some(number);
        let Some(stored) = self.orders.values_mut().find(named) else { return false };
        put(&mut stored.order, field, value.clone());
        true
    }

    /// The id of the order of that number.
    pub(super) fn numbered(&self, number: &str) -> Option<u64> {
        let named = |stored: &&Stored| stored.order.get("increment_id").and_then(Value::as_str) == Some(number);
        self.orders.iter().find(|(_, stored)| named(stored)).map(|(id, _)| *id)
    }

    /// The row of an order, to be changed behind its back.
    pub(super) fn row_mut(&mut self, entity_id: u64) -> Option<&mut Map<String, Value>> {
        self.orders.get_mut(&entity_id).map(|stored| &mut stored.order)
    }

    /// What open orders keep back from sale.
    pub(super) fn reserved(&self) -> &Reservations {
        &self.reserved
    }

    /// What every order that was not cancelled took.
    pub(super) fn taken(&self) -> &Reservations {
        &self.taken
    }

    /// What can be handed over of an order; none where there is no such order, or it is not one to be worked on.
    pub(super) fn outstanding(&self, entity_id: u64) -> Option<Vec<(Good, rust_decimal::Decimal)>> {
        let order = self.get(entity_id)?;
        let state = order.get("state").and_then(Value::as_str);
        matches!(state, Some("new" | "processing")).then(|| reservations::open(order))
    }

    /// Notes that all of an order was handed over: what is virtual counts as invoiced, the rest as shipped.
    pub(super) fn hand_over(&mut self, now: Timestamp, entity_id: u64) {
        self.change(now, entity_id, |order| {
            each_line(order, |item| {
                let column = if is_virtual(item) { "qty_invoiced" } else { "qty_shipped" };
                let quantity = amount(item, "qty_ordered").saturating_sub(amount(item, "qty_canceled"));
                if let Value::Object(item) = item {
                    put(item, column, number(quantity));
                }
            });
            let items = order.get("items").and_then(Value::as_array);
            let invoiced = items.is_some_and(|items| items.iter().all(|item| cancellable(item).is_zero()));
            let state = if invoiced { "complete" } else { "processing" };
            put(order, "state", json!(state));
            put(order, "status", json!(state));
        });
    }

    fn state(&self, entity_id: u64) -> Result<String, Refusal> {
        let order = self.get(entity_id).ok_or_else(Refusal::no_order)?;
        Ok(order.get("state").and_then(Value::as_str).unwrap_or("").to_owned())
    }

    /// Changes one order and moves its `updated_at`. False where there is no such order.
    pub(super) fn change(
        &mut self,
        now: Timestamp,
        entity_id: u64,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> bool {
        if !self.orders.contains_key(&entity_id) {
            return false;
        }
        let seen_from = self.seen_from(now);
        let Some(stored) = self.orders.get_mut(&entity_id) else { return false };
        if now >= stored.seen_from {
            stored.settled = (seen_from > now).then(|| stored.order.clone());
        }
        let before = (reservations::open(&stored.order), reservations::taken(&stored.order));
        change(&mut stored.order);
        self.reserved.follow(&before.0, &reservations::open(&stored.order));
        self.taken.follow(&before.1, &reservations::taken(&stored.order));
        put(&mut stored.order, "updated_at", json!(stamp(now)));
        // Saves of one row wait for each other.
        stored.seen_from = stored.seen_from.max(seen_from);
        true
    }

    /// When the next save is committed. Long ones and short ones take turns, so that a row may show up after one with
    /// a later stamp.
    fn seen_from(&mut self, now: Timestamp) -> Timestamp {
        let takes = if self.saves.is_multiple_of(2) { i64::from(self.late_commit_s) } else { 0 };
        self.saves += 1;
        now.checked_add(SignedDuration::from_secs(takes)).unwrap_or(Timestamp::MAX)
    }

    /// The number asked for where the store has none like it, else the next free one.
    fn free_number(&mut self, store_id: u64, wanted: Option<String>) -> String {
        if let Some(number) = wanted.filter(|number| !self.numbers.contains_key(&(store_id, number.clone()))) {
            if number.len() <= 12 {
                self.last_number = self.last_number.max(number.parse().unwrap_or(0));
            }
            return number;
        }
        loop {
            self.last_number += 1;
            let number = format!("{:09}", self.last_number);
            if !self.numbers.contains_key(&(store_id, number.clone())) {
                return number;
            }
        }
    }

    /// Moves an order's place among the numbers where a save gives it another number or store.
    fn renumber(&mut self, entity_id: u64, columns: &[(&str, Value)]) -> Result<(), Refusal> {
        let Some(order) = self.get(entity_id) else { return Err(Refusal::no_order()) };
        let given = |column: &str| columns.iter().find(|(name, _)| *name == column).map(|(_, value)| value);
        let store = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or(1);
        let number = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("").to_owned();
        let old = (store(order.get("store_id")), number(order.get("increment_id")));
        let new = (
            store(given("store_id").or_else(|| order.get("store_id"))),
            number(given("increment_id").or_else(|| order.get("increment_id"))),
        );
        if new != old {
            if self.numbers.contains_key(&new) {
                return Err(Refusal::new(400, "Unique constraint violation found"));
            }
            self.numbers.remove(&old);
            self.numbers.insert(new, entity_id);
        }
        Ok(())
    }
}

/// The columns a save gives, besides the id, as the database keeps them.
fn scalars(entity: &Map<String, Value>) -> Result<Vec<(&str, Value)>, Refusal> {
    let given = entity.iter().filter(|(name, _)| *name != "entity_id");
    given.map(|(name, value)| Ok((name.as_str(), scalar(name, value)?))).collect()
}

fn scalar(name: &str, value: &Value) -> Result<Value, Refusal> {
    if columns::ORDER.binary_search(&name).is_err() {
        return Err(match name {
            "items" | "billing_address" | "payment" | "status_histories" | "extension_attributes" => {
                Refusal::new(400, format!("The simulated shop saves columns of an order only, not its \"{name}\"."))
            }
            _ => Refusal::no_property(name, "Magento\\Sales\\Api\\Data\\OrderInterface"),
        });
    }
    let text = columns::ORDER_TEXT.binary_search(&name).is_ok();
    match value {
        Value::Null => Ok(Value::Null),
        Value::Number(number) if text => Ok(json!(number.to_string())),
        Value::String(long) if matches!(name, "ext_order_id" | "ext_customer_id") => {
            Ok(json!(long.chars().take(columns::REFERENCE_LENGTH).collect::<String>()))
        }
        Value::String(_) if text => Ok(value.clone()),
        _ if !text && decimal(value).is_some() => Ok(value.clone()),
        _ => {
            let wanted = if text { "string" } else { "float" };
            let message = format!(
                "The \"{name}\" value's type is invalid. The \"{wanted}\" type was expected. Verify and try again."
            );
            Err(Refusal::new(400, message))
        }
    }
}

/// The answer of a partial save as recorded: what was sent, nulls for what was not, the parts without their extensions.
fn trap_answer(order: &Map<String, Value>, sent: &[(&str, Value)]) -> Value {
    let mut columns: BTreeMap<&str, Value> = BTreeMap::new();
    columns.extend(["base_grand_total", "customer_email", "grand_total"].map(|column| (column, Value::Null)));
    columns.extend(["base_total_due", "total_due"].map(|column| (column, json!(0))));
    for column in ["billing_address_id", "created_at", "entity_id"] {
        columns.extend(order.get(column).map(|value| (column, value.clone())));
    }
    columns.extend(sent.iter().map(|(column, value)| (*column, value.clone())));
    columns.extend(order.get("updated_at").map(|value| ("updated_at", value.clone())));
    let mut answer: Map<String, Value> =
        columns.into_iter().map(|(column, value)| (column.to_owned(), value)).collect();
    for part in ["items", "billing_address", "payment", "status_histories"] {
        if let Some(value) = order.get(part) {
            answer.insert(part.to_owned(), without_extensions(value.clone()));
        }
    }
    Value::Object(answer)
}

fn without_extensions(mut value: Value) -> Value {
    let rows = value.as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        row.shift_remove("extension_attributes");
        if let Some(Value::Object(parent)) = row.get_mut("parent_item") {
            parent.shift_remove("extension_attributes");
        }
    }
    value
}

/// The quantity of a line that is neither cancelled nor invoiced.
fn cancellable(item: &Value) -> rust_decimal::Decimal {
    let gone = amount(item, "qty_canceled").saturating_add(amount(item, "qty_invoiced"));
    amount(item, "qty_ordered").saturating_sub(gone).max(rust_decimal::Decimal::ZERO)
}

/// The quantity of a line that a cancellation takes: what is neither invoiced nor shipped (`getQtyToCancel` of Magento 2.4).
fn to_cancel(item: &Value) -> rust_decimal::Decimal {
    let gone = ["qty_canceled", "qty_shipped", "qty_refunded"].iter().map(|column| amount(item, column));
    let to_ship = gone.fold(amount(item, "qty_ordered"), |left, gone| left.saturating_sub(gone));
    cancellable(item).min(to_ship).max(rust_decimal::Decimal::ZERO)
}

/// The state an order has once what can be is cancelled: of what was invoiced the rest is still to be sent, or nothing is
/// (`registerCancellation` of Magento 2.4, recalled).
fn state_of_rest(order: &Map<String, Value>) -> &'static str {
    let items = order.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let kept = |item: &&Value| amount(item, "qty_invoiced") > amount(item, "qty_refunded");
    let waits = |item: &Value| {
        let gone = amount(item, "qty_shipped").saturating_add(amount(item, "qty_refunded"));
        amount(item, "qty_ordered").saturating_sub(gone) > to_cancel(item).saturating_add(amount(item, "qty_canceled"))
    };
    match (items.iter().any(|item| kept(&item)), items.iter().filter(kept).any(waits)) {
        (false, _) => "canceled",
        (true, true) => "processing",
        (true, false) => "complete",
    }
}

/// Cancels every open quantity and writes the amounts that fall away with it.
fn cancel_amounts(order: &mut Map<String, Value>) {
    let mut totals = Vec::new();
    for (total, column) in [
        ("total", "grand_total"),
        ("subtotal", "subtotal"),
        ("tax", "tax_amount"),
        ("shipping", "shipping_amount"),
        ("discount", "discount_amount"),
    ] {
        for base in ["", "base_"] {
            let kept = if total == "total" { "total_paid".to_owned() } else { format!("{total}_invoiced") };
            let kept = order.get(&format!("{base}{kept}")).and_then(decimal).unwrap_or_default();
            let value = order.get(&format!("{base}{column}")).cloned();
            let left = |value: Value| match decimal(&value) {
                Some(whole) if !kept.is_zero() => number(whole.saturating_sub(kept)),
                _ => value,
            };
            totals.extend(value.map(|value| (format!("{base}{total}_canceled"), left(value))));
        }
    }
    for (column, value) in totals {
        put(order, &column, value);
    }
    let state = state_of_rest(order);
    put(order, "state", json!(state));
    put(order, "status", json!(state));
    each_line(order, |item| {
        let quantity = to_cancel(item).saturating_add(amount(item, "qty_canceled"));
        if let Value::Object(item) = item {
            put(item, "qty_canceled", number(quantity));
        }
    });
}

/// Changes every line, also where an assignment or a line that is part of it repeats it (recorded: order-final).
pub(super) fn each_line(order: &mut Map<String, Value>, change: impl Fn(&mut Value)) {
    let mut lists: Vec<&mut Value> = Vec::new();
    for (key, part) in order.iter_mut() {
        match (key.as_str(), part) {
            ("items", items) => lists.push(items),
            ("extension_attributes", part) => {
                let assignments = part.get_mut("shipping_assignments").and_then(Value::as_array_mut);
                lists.extend(assignments.into_iter().flatten().filter_map(|assignment| assignment.get_mut("items")));
            }
            _ => {}
        }
    }
    for item in lists.into_iter().filter_map(Value::as_array_mut).flatten() {
        change(item);
        if let Some(parent) = item.get_mut("parent_item") {
            change(parent);
        }
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
