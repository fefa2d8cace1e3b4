//! Goods that leave: shipments, their tracks, and what becomes of the quantities at the source.
//!
//! Recorded: order-ship-partial, order-ship-too-many (the rest leaves, whatever was asked), ship-repeat-same-request (the same
//! request leaves twice), order-ship-again, bundle-shipments. What a source does that holds too few, which source is taken
//! where none is named, and what a bundle of the other sort answers are after Magento's own code (`ShipOrder`,
//! `ShipmentFactory`, `BundleShipmentTypeValidator`; `SourceDeductionService`, `AssignSourceCodeToShipmentPlugin`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::Shop;
use super::book::each_line;
use super::order_rows::{Asked, Row, Rows, asked, settle};
use super::papers::{copied, goes_to};
use super::reply::{Answer, Refusal};
use super::stock::{DEFAULT_SOURCE, WEBSITE};
use super::value::{id, number, put, stamp};

/// What is said where a shipment cannot be stored, whatever the reason.
const NOT_SAVED: &str = "Could not save a shipment, see error log for details";
const NO_PRODUCTS: &str = "You can't create a shipment without products.";

impl Shop {
    /// The id of the shipment a request makes, as a text (recorded: order-ship-partial).
    pub(super) fn ship_order(&mut self, now: Timestamp, entity_id: u64, body: &Value) -> Answer {
        let order = self.book.get(entity_id).ok_or_else(Refusal::no_order)?.clone();
        let together = self.together(&order);
        let rows = Rows::new(&order, &together);
        let named = asked(body);
        let lines = leaving(&rows, named.as_ref());
        let complaints = complaints(&order, &rows, named.as_ref(), &lines, body);
        if !complaints.is_empty() {
            let text = format!("Shipment Document Validation Error(s):\n{}", complaints.join("\n"));
            return Err(Refusal::new(400, text));
        }
        let source = self.source_of(&order, body);
        let goods = self.goods(&rows, &lines);
        self.stock.index_late_s = self.quirks.slow_stock_index_s;
        if !self.stock.single && !self.stock.deduct(now, &source, &goods) {
            return Err(Refusal::new(400, NOT_SAVED));
        }
        let made = self.store_shipment(now, &order, &lines, &source, body);
        let shipped: Asked = lines.iter().map(|(row, quantity)| (row.id, *quantity)).collect();
        self.book.change(now, entity_id, |order| {
            each_line(order, |item| add(item, "qty_shipped", &shipped));
            settle(order, &together);
        });
        Ok(json!(made.to_string()))
    }

    fn store_shipment(
        &mut self,
        now: Timestamp,
        order: &Map<String, Value>,
        lines: &[(Row<'_>, Decimal)],
        source: &str,
        body: &Value,
    ) -> u64 {
        let mut head = copied(order, &["billing_address_id", "customer_id", "store_id"]);
        head.insert("order_id".to_owned(), order.get("entity_id").cloned().unwrap_or_default());
        head.extend(goes_to(order).map(|address| ("shipping_address_id".to_owned(), address)));
        let counted = lines.iter().filter(|(row, _)| !row.aside_in_shipments());
        let total = counted.fold(Decimal::ZERO, |sum, (_, quantity)| sum.saturating_add(*quantity));
        head.insert("total_qty".to_owned(), number(total));
        head.insert("packages".to_owned(), json!([]));
        head.insert("extension_attributes".to_owned(), json!({"source_code": source}));
        let line = |(row, quantity): &(Row<'_>, Decimal)| {
            let item = row.value.as_object();
            let mut line =
                item.map(|item| copied(item, &["name", "price", "product_id", "sku", "weight"])).unwrap_or_default();
            line.insert("order_item_id".to_owned(), json!(row.id));
            line.insert("qty".to_owned(), number(*quantity));
            line
        };
        let flag = |key: &str| body.get(key).and_then(Value::as_bool).unwrap_or_default();
        let comment = body.get("comment").filter(|comment| comment.is_object());
        let comment = comment.map(|comment| (comment, flag("notify") && flag("appendComment")));
        let made = self.papers.shipments.make(now, head, lines.iter().map(line).collect(), comment);
        let tracks = body.get("tracks").and_then(Value::as_array).into_iter().flatten();
        let tracks: Vec<Value> = tracks.map(|told| self.track(now, order.get("entity_id"), made, told)).collect();
        if let Some(shipment) = self.papers.shipments.get_mut(made) {
            shipment.insert("tracks".to_owned(), json!(tracks));
        }
        made
    }

    fn track(&mut self, now: Timestamp, order: Option<&Value>, shipment: u64, told: &Value) -> Value {
        self.papers.last_track += 1;
        let at = stamp(now);
        json!({
            "order_id": order, "created_at": at, "entity_id": self.papers.last_track, "parent_id": shipment, "updated_at": at,
            "weight": told.get("weight"), "qty": told.get("qty"), "description": told.get("description"),
            "track_number": told.get("track_number"), "title": told.get("title"), "carrier_code": told.get("carrier_code"),
        })
    }

    /// Adds a track to a shipment; the same number once more is one more track.
    pub(super) fn add_track(&mut self, now: Timestamp, body: &Value) -> Answer {
        let told = body.get("entity").filter(|entity| entity.is_object()).ok_or_else(|| Refusal::required("entity"))?;
        for field in ["order_id", "parent_id", "track_number", "title", "carrier_code"] {
            told.get(field).filter(|value| !value.is_null()).ok_or_else(|| Refusal::required(field))?;
        }
        let (order, shipment) =
            (told.get("order_id").and_then(id), told.get("parent_id").and_then(id).unwrap_or_default());
        let owner = self.papers.shipments.get(shipment).and_then(|paper| paper.get("order_id")).and_then(id);
        if owner.is_none() || owner != order {
            return Err(Refusal::new(400, "Could not save the shipment tracking."));
        }
        let track = self.track(now, told.get("order_id"), shipment, told);
        if let Some(Value::Array(tracks)) =
            self.papers.shipments.get_mut(shipment).and_then(|paper| paper.get_mut("tracks"))
        {
            tracks.push(track.clone());
        }
        Ok(track)
    }

    /// Takes a track off its shipment.
    pub(super) fn drop_track(&mut self, track: u64) -> Answer {
        for paper in self.papers.shipments.all_mut() {
            let Some(Value::Array(tracks)) = paper.get_mut("tracks") else { continue };
            let before = tracks.len();
            tracks.retain(|row| row.get("entity_id").and_then(id) != Some(track));
            if tracks.len() != before {
                return Ok(json!(true));
            }
        }
        Err(Refusal::no_order())
    }

    /// The source goods leave from: the one that is named, else the only one the website sells from, else the default one.
    fn source_of(&self, order: &Map<String, Value>, body: &Value) -> String {
        let named = body.pointer("/arguments/extension_attributes/source_code").and_then(Value::as_str);
        if let Some(named) = named.filter(|code| !code.is_empty()) {
            return named.to_owned();
        }
        let pool = self.stock.of_website(self.website_of(order).unwrap_or(WEBSITE));
        match pool.map(|pool| self.stock.sources_of(pool.id)).as_deref() {
            Some([only]) => (*only).to_owned(),
            _ => DEFAULT_SOURCE.to_owned(),
        }
    }

    /// What leaves a shelf with these lines, by SKU.
    fn goods(&self, rows: &Rows<'_>, lines: &[(Row<'_>, Decimal)]) -> Vec<(String, Decimal)> {
        let mut goods: BTreeMap<String, Decimal> = BTreeMap::new();
        let mut take = |row: &Row<'_>, quantity: Decimal| {
            if let Some(sku) = self.on_shelf(row) {
                let sum = goods.entry(sku).or_default();
                *sum = sum.saturating_add(quantity);
            }
        };
        for (row, quantity) in lines.iter().filter(|(row, _)| !row.aside_in_shipments()) {
            if row.heads {
                rows.children(row.id)
                    .filter(|child| !child.is_virtual())
                    .for_each(|child| take(child, child.with(row, *quantity)));
            } else {
                take(row, *quantity);
            }
        }
        goods.into_iter().collect()
    }

    /// The SKU a line takes from a shelf.
    pub(super) fn on_shelf(&self, row: &Row<'_>) -> Option<String> {
        let by_id = row.value.get("product_id").and_then(id).and_then(|product| self.products.numbered(product));
        let by_sku = || self.products.find(row.value.get("sku")?.as_str()?);
        let item = by_id.or_else(by_sku).filter(|item| super::stock::lies_on_a_shelf(&item.form))?;
        Some(item.sku.clone())
    }

    /// Ships lines by hand, as a clerk in the back office does, with one track where its number is given: the id of the
    /// shipment. No quantities mean all that is open. None where the shop refuses it.
    pub fn ship_by_hand(
        &mut self,
        now: Timestamp,
        order: u64,
        lines: &[(u64, u32)],
        track: Option<&str>,
    ) -> Option<u64> {
        let items: Vec<Value> =
            lines.iter().map(|(line, quantity)| json!({"order_item_id": line, "qty": quantity})).collect();
        let track = track.map(|number| json!({"track_number": number, "title": "DHL", "carrier_code": "dhl"}));
        let tracks: Vec<Value> = track.into_iter().collect();
        self.book.late_commit_s = self.quirks.late_commit_s;
        let made = self.ship_order(now, order, &json!({"items": items, "tracks": tracks})).ok()?;
        id(&made)
    }
}

/// Adds to a column of a line what the line's paper says.
pub(super) fn add(item: &mut Value, name: &str, quantities: &Asked) {
    let Some(quantity) = item.get("item_id").and_then(id).and_then(|line| quantities.get(&line)) else { return };
    let sum = super::value::amount(item, name).saturating_add(*quantity);
    if let Value::Object(item) = item {
        put(item, name, number(sum));
    }
}

/// The lines of a shipment that is asked for: never more than is open. The head of a bundle whose parts leave by themselves
/// stands beside them as one (recorded: bundle-shipments).
fn leaving<'o>(rows: &Rows<'o>, asked: Option<&Asked>) -> Vec<(Row<'o>, Decimal)> {
    let quantity = |row: &Row<'_>| match asked {
        Some(asked) => row.whole(asked.get(&row.id).copied().unwrap_or_default().min(row.shippable())),
        None => row.shippable(),
    };
    let leaves = |row: &Row<'_>| !quantity(row).is_zero();
    let line = |row: &Row<'o>| {
        if !row.aside_in_shipments() {
            return Some((*row, quantity(row))).filter(|(_, quantity)| !quantity.is_zero());
        }
        (row.heads && rows.children(row.id).any(leaves)).then_some((*row, Decimal::ONE))
    };
    rows.iter().filter_map(line).collect()
}

/// Why a shipment is not made.
fn complaints(
    order: &Map<String, Value>,
    rows: &Rows<'_>,
    named: Option<&Asked>,
    lines: &[(Row<'_>, Decimal)],
    body: &Value,
) -> Vec<String> {
    let text = |key: &str| order.get(key).and_then(Value::as_str).unwrap_or_default();
    let only_virtual = order.get("is_virtual").is_some_and(|flag| flag == 1);
    let mut complaints = Vec::new();
    if only_virtual || matches!(text("state"), "payment_review" | "holded" | "canceled") {
        complaints.push(format!("A shipment cannot be created when an order has a status of {}", text("status")));
    } else if !rows.can_ship() {
        complaints.push("The order does not allow a shipment to be created.".to_owned());
    }
    complaints
        .extend(named.into_iter().flat_map(|named| named.keys()).filter_map(|line| misplaced(rows, rows.get(*line)?)));
    if lines.is_empty() {
        complaints.push(NO_PRODUCTS.to_owned());
    }
    let tracks = body.get("tracks").and_then(Value::as_array).into_iter().flatten();
    let numberless = |track: &&Value| track.get("track_number").and_then(Value::as_str).is_none_or(str::is_empty);
    complaints.extend(tracks.filter(numberless).map(|_| "Please enter a tracking number.".to_owned()));
    complaints
}

/// Why a line of a bundle cannot be named in a shipment.
fn misplaced(rows: &Rows<'_>, row: &Row<'_>) -> Option<String> {
    let head =
        rows.get(row.parent.unwrap_or(row.id)).filter(|head| head.kind() == "bundle" && row.aside_in_shipments())?;
    let sku = head.value.get("sku").and_then(Value::as_str).unwrap_or_default();
    let (kind, instead) =
        if row.heads { ("Separately", "Bundle product options") } else { ("Together", "Bundle product itself") };
    let told = format!("Cannot create shipment as bundle product \"{sku}\" has shipment type \"{kind}\".");
    Some(format!("{told} {instead} should be shipped instead."))
}
