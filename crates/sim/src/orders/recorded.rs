//! The eight recorded orders, with new ids and dates.

use jiff::Timestamp;
use serde_json::Value;

use super::Ids;
use super::json::stamp;

const RECORDED: &str = include_str!("../../fixtures/magento-orders.json");

/// The recorded orders as they were answered: order-get, order-get-guest, order-mixed-tax-coupon-eur,
/// order-cent-trap, order-configurable-child, order-bundle, order-configurable, order-two-addresses-emoji.
pub(super) fn all() -> Vec<Value> {
    serde_json::from_str(RECORDED).unwrap_or_default()
}

/// What is added to the ids of one recorded order, and what stands in their place.
struct Stamp {
    entity_id: u64,
    /// New first id and old first id of lines, taxes and tax lines.
    lines: (u64, u64),
    taxes: (u64, u64),
    tax_lines: (u64, u64),
    shipping_address: u64,
    created: String,
    updated: String,
}

/// The order with the next free ids and these dates.
pub(super) fn restamp(mut order: Value, ids: &mut Ids, created: Timestamp, updated: Timestamp) -> Value {
    let (mut line, mut tax, mut tax_line) = (Range::default(), Range::default(), Range::default());
    measure(&order, &mut line, &mut tax, &mut tax_line);
    let entity_id = ids.order();
    let by = Stamp {
        entity_id,
        lines: (line.claim(&mut ids.item), line.first()),
        taxes: (tax.claim(&mut ids.tax), tax.first()),
        tax_lines: (tax_line.claim(&mut ids.tax_item), tax_line.first()),
        shipping_address: ids.address,
        created: stamp(created),
        updated: stamp(updated),
    };
    ids.address += 2;
    renumber(&mut order, &by, entity_id);
    order["increment_id"] = format!("{entity_id:09}").into();
    order["quote_id"] = entity_id.into();
    order["billing_address_id"] = (by.shipping_address + 1).into();
    order["updated_at"] = by.updated.as_str().into();
    order
}

/// The ids of one sort inside an order.
#[derive(Default)]
struct Range(Option<(u64, u64)>);

impl Range {
    fn see(&mut self, value: &Value) {
        if let Some(id) = value.as_u64() {
            let (low, high) = self.0.unwrap_or((id, id));
            self.0 = Some((low.min(id), high.max(id)));
        }
    }

    fn first(&self) -> u64 {
        self.0.map_or(0, |(low, _)| low)
    }

    /// The counter's next id; moves the counter past as many as there are.
    fn claim(&self, counter: &mut u64) -> u64 {
        let next = *counter;
        *counter += self.0.map_or(0, |(low, high)| high - low + 1);
        next
    }
}

fn measure(value: &Value, line: &mut Range, tax: &mut Range, tax_line: &mut Range) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match key.as_str() {
                    "item_id" => line.see(value),
                    "tax_id" => tax.see(value),
                    "tax_item_id" => tax_line.see(value),
                    _ => measure(value, line, tax, tax_line),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| measure(value, line, tax, tax_line)),
        _ => {}
    }
}

/// Puts the new ids and dates in place; `entity` is the id of the object at hand.
fn renumber(value: &mut Value, by: &Stamp, entity: u64) {
    let moved = |value: &Value, (new, old): (u64, u64)| Value::from(value.as_u64().unwrap_or(old) + new - old);
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match key.as_str() {
                    "item_id" | "quote_item_id" | "parent_item_id" => *value = moved(value, by.lines),
                    "tax_id" => *value = moved(value, by.taxes),
                    "tax_item_id" => *value = moved(value, by.tax_lines),
                    "order_id" | "parent_id" => *value = by.entity_id.into(),
                    "entity_id" => *value = entity.into(),
                    "created_at" | "updated_at" => *value = by.created.as_str().into(),
                    "address" => renumber(value, by, by.shipping_address),
                    "billing_address" => renumber(value, by, by.shipping_address + 1),
                    _ => renumber(value, by, entity),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| renumber(value, by, entity)),
        _ => {}
    }
}
