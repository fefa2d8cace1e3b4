//! The lines of an order as its papers see them: what is still to be done of each, and which of them stands aside for its
//! parent or its children.
//!
//! Recorded: ship-configurable-parent, bundle-shipments, invoices-of-it. Where no recording tells, after Magento's own code
//! (`Order\Item`, `ShipmentFactory` of module Sales): a bundle that goes together is shipped by its own line, and the lines
//! of its parts keep saying that nothing was shipped (magento/magento2#40465).

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::value::{amount, column, id, put};

/// Quantities by line.
pub(super) type Asked = BTreeMap<u64, Decimal>;

/// One line of an order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'o> {
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    pub(super) value: &'o Value,
    /// Whether other lines are part of this one.
    pub(super) heads: bool,
    /// Whether the family it is of leaves in one piece.
    together: bool,
    /// Whether the money of its family stands on the children.
    priced_below: bool,
}

impl Row<'_> {
    pub(super) fn of(&self, name: &str) -> Decimal {
        amount(self.value, name)
    }

    pub(super) fn kind(&self) -> &str {
        self.value.get("product_type").and_then(Value::as_str).unwrap_or("simple")
    }

    pub(super) fn is_virtual(&self) -> bool {
        super::reservations::is_virtual(self.value)
    }

    /// Whether another line of its family is shipped in its place.
    pub(super) fn aside_in_shipments(&self) -> bool {
        (self.heads && !self.together) || (self.parent.is_some() && self.together)
    }

    /// Whether another line of its family is asked money for in its place.
    pub(super) fn aside_in_invoices(&self) -> bool {
        (self.heads && self.priced_below) || (self.parent.is_some() && !self.priced_below)
    }

    /// How many can still be shipped.
    pub(super) fn shippable(&self) -> Decimal {
        let gone = self.of("qty_shipped").max(self.of("qty_refunded"));
        let wanted = self.of("qty_ordered").saturating_sub(self.of("qty_canceled"));
        if self.aside_in_shipments() || self.is_virtual() {
            Decimal::ZERO
        } else {
            wanted.saturating_sub(gone).max(Decimal::ZERO)
        }
    }

    /// How many can still be asked money for.
    pub(super) fn invoiceable(&self) -> Decimal {
        let gone = self.of("qty_invoiced").saturating_add(self.of("qty_canceled"));
        if self.aside_in_invoices() {
            Decimal::ZERO
        } else {
            self.of("qty_ordered").saturating_sub(gone).max(Decimal::ZERO)
        }
    }

    /// How many can still be given back for money.
    pub(super) fn refundable(&self) -> Decimal {
        let left = self.of("qty_invoiced").saturating_sub(self.of("qty_refunded"));
        if self.aside_in_invoices() { Decimal::ZERO } else { left.max(Decimal::ZERO) }
    }

    /// A quantity as the line keeps it: whole pieces, unless it is sold in parts of one.
    pub(super) fn whole(&self, quantity: Decimal) -> Decimal {
        let kept = if self.of("is_qty_decimal").is_zero() { quantity.trunc() } else { quantity };
        kept.max(Decimal::ZERO)
    }

    /// How many of it go with `quantity` of `other`, a line of its family.
    pub(super) fn with(&self, other: &Self, quantity: Decimal) -> Decimal {
        let all = other.of("qty_ordered");
        quantity.checked_mul(self.of("qty_ordered")).and_then(|product| product.checked_div(all)).unwrap_or_default()
    }
}

/// All lines of one order, in its order.
#[derive(Debug)]
pub(super) struct Rows<'o>(Vec<Row<'o>>);

impl<'o> Rows<'o> {
    /// The lines of `order`; `together` are the ids of bundles that go in one piece.
    pub(super) fn new(order: &'o Map<String, Value>, together: &BTreeSet<u64>) -> Self {
        let items: Vec<(u64, &Value)> =
            items(order).filter_map(|item| Some((item.get("item_id").and_then(id)?, item))).collect();
        let parent = |item: &Value| item.get("parent_item_id").and_then(id);
        let kind_of = |line: u64| {
            let found = items.iter().find(|(own, _)| *own == line);
            found.and_then(|(_, item)| item.get("product_type").and_then(Value::as_str)).unwrap_or("simple")
        };
        let rows = items.iter().map(|&(line, value)| {
            let family = parent(value).unwrap_or(line);
            let children = || items.iter().filter(|(_, item)| parent(item) == Some(family));
            Row {
                id: line,
                parent: parent(value),
                value,
                heads: children().next().is_some() && family == line,
                together: kind_of(family) != "bundle" || together.contains(&family),
                priced_below: children().any(|(_, item)| !amount(item, "row_total").is_zero()),
            }
        });
        Self(rows.collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Row<'o>> {
        self.0.iter()
    }

    pub(super) fn get(&self, line: u64) -> Option<&Row<'o>> {
        self.0.iter().find(|row| row.id == line)
    }

    pub(super) fn children(&self, line: u64) -> impl Iterator<Item = &Row<'o>> {
        self.0.iter().filter(move |row| row.parent == Some(line))
    }

    pub(super) fn can_ship(&self) -> bool {
        self.0.iter().any(|row| !row.shippable().is_zero())
    }

    pub(super) fn can_invoice(&self) -> bool {
        self.0.iter().any(|row| !row.invoiceable().is_zero())
    }
}

/// The lines as JSON.
pub(super) fn items(order: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    order.get("items").and_then(Value::as_array).into_iter().flatten()
}

/// The quantities a request names; none where it names no line, which means all of them (recorded: refund-shipping-only).
pub(super) fn asked(body: &Value) -> Option<Asked> {
    let rows = body.get("items").and_then(Value::as_array).filter(|rows| !rows.is_empty())?;
    let named = |row: &Value| Some((row.get("order_item_id").and_then(id)?, amount(row, "qty")));
    Some(rows.iter().filter_map(named).collect())
}

/// Moves an order on to where its lines are: being worked on, done, or all paid back.
pub(super) fn settle(order: &mut Map<String, Value>, together: &BTreeSet<u64>) {
    if order.get("state") == Some(&json!("new")) {
        say(order, "processing");
    }
    let rows = Rows::new(order, together);
    let open = rows.can_invoice() || rows.can_ship();
    if open || order.get("state").is_none_or(|state| state != "processing" && state != "complete") {
        return;
    }
    let kept = column(order, "total_paid") > column(order, "total_refunded");
    let done = kept || column(order, "base_grand_total").is_zero();
    say(order, if done { "complete" } else { "closed" });
}

fn say(order: &mut Map<String, Value>, state: &str) {
    put(order, "state", json!(state));
    put(order, "status", json!(state));
}
