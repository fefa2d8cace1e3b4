//! What was done about orders: shipments, invoices and credit memos as the shop keeps them, and the ways to them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::criteria::{Found, Table};
use super::order_rows::items;
use super::pages::page;
use super::reply::{Answer, Refusal};
use super::value::{column, decimal, id, plain, put, stamp};
use super::{Shop, number};

/// What is asked of papers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PaperRoute {
    /// POST order/{id}/ship.
    Ship(String),
    /// GET shipments.
    Shipments,
    /// GET shipment/{id}.
    Shipment(String),
    /// POST shipment/track.
    AddTrack,
    /// DELETE shipment/track/{id}.
    DropTrack(String),
    /// POST orders/{id}/comments.
    Comment(String),
    /// POST order/{id}/invoice.
    Invoice(String),
    /// GET invoices.
    Invoices,
    /// GET invoices/{id}.
    OneInvoice(String),
    /// POST order/{id}/refund.
    Refund(String),
    /// GET creditmemos.
    Memos,
    /// GET creditmemo/{id}.
    Memo(String),
}

impl PaperRoute {
    /// The route of a verb and the path after `V1`.
    pub(super) fn of(method: &str, path: &[&str]) -> Option<Self> {
        Some(match (method, path) {
            ("POST", ["order", order, "ship"]) => Self::Ship((*order).to_owned()),
            ("GET", ["shipments"]) => Self::Shipments,
            ("GET", ["shipment", shipment]) => Self::Shipment((*shipment).to_owned()),
            ("POST", ["shipment", "track"]) => Self::AddTrack,
            ("DELETE", ["shipment", "track", track]) => Self::DropTrack((*track).to_owned()),
            ("POST", ["order", order, "invoice"]) => Self::Invoice((*order).to_owned()),
            ("POST", ["order", order, "refund"]) => Self::Refund((*order).to_owned()),
            ("GET", ["creditmemos"]) => Self::Memos,
            ("GET", ["creditmemo", memo]) => Self::Memo((*memo).to_owned()),
            ("GET", ["invoices"]) => Self::Invoices,
            ("GET", ["invoices", invoice]) => Self::OneInvoice((*invoice).to_owned()),
            ("POST", ["orders", order, "comments"]) => Self::Comment((*order).to_owned()),
            _ => return None,
        })
    }

    /// The right a caller needs.
    pub(super) fn right(&self) -> &'static str {
        match self {
            Self::Ship(_) => "Magento_Sales::ship",
            Self::Shipments | Self::Shipment(_) | Self::AddTrack | Self::DropTrack(_) => "Magento_Sales::shipment",
            Self::Comment(_) => "Magento_Sales::comment",
            Self::Invoice(_) => "Magento_Sales::invoice",
            Self::Refund(_) => "Magento_Sales::creditmemo",
            Self::Memos | Self::Memo(_) => "Magento_Sales::sales_creditmemo",
            Self::Invoices | Self::OneInvoice(_) => "Magento_Sales::sales_invoice",
        }
    }
}

/// Columns of papers that a search may name.
const COLUMNS: &[&str] = &[
    "billing_address_id",
    "created_at",
    "customer_id",
    "entity_id",
    "grand_total",
    "increment_id",
    "order_id",
    "shipping_address_id",
    "state",
    "store_id",
    "total_qty",
    "updated_at",
];

/// The papers of one sort, by id.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    papers: BTreeMap<u64, Map<String, Value>>,
    lines: u64,
    comments: u64,
}

impl Shelf {
    /// The id of a paper of `head` and `lines`, made now with the comment that is given.
    pub(super) fn make(
        &mut self,
        now: Timestamp,
        mut head: Map<String, Value>,
        lines: Vec<Map<String, Value>>,
        comment: Option<(&Value, bool)>,
    ) -> u64 {
        let made = self.papers.last_key_value().map_or(1, |(last, _)| last + 1);
        let at = json!(stamp(now));
        for (key, value) in [
            ("entity_id", json!(made)),
            ("increment_id", json!(format!("{made:09}"))),
            ("created_at", at.clone()),
            ("updated_at", at.clone()),
        ] {
            put(&mut head, key, value);
        }
        let numbered = lines.into_iter().map(|mut line| {
            self.lines += 1;
            put(&mut line, "entity_id", json!(self.lines));
            put(&mut line, "parent_id", json!(made));
            Value::Object(line)
        });
        head.insert("items".to_owned(), numbered.collect());
        let comments: Vec<Value> =
            comment.map(|(told, notified)| self.comment(made, told, notified, &at)).into_iter().collect();
        head.insert("comments".to_owned(), json!(comments));
        self.papers.insert(made, head);
        made
    }

    fn comment(&mut self, paper: u64, told: &Value, notified: bool, at: &Value) -> Value {
        self.comments += 1;
        json!({
            "is_customer_notified": u8::from(notified), "parent_id": paper, "comment": told.get("comment"),
            "is_visible_on_front": told.get("is_visible_on_front").and_then(decimal).map_or(json!(0), super::value::number),
            "created_at": at, "entity_id": self.comments,
        })
    }

    pub(super) fn get(&self, paper: u64) -> Option<&Map<String, Value>> {
        self.papers.get(&paper)
    }

    pub(super) fn get_mut(&mut self, paper: u64) -> Option<&mut Map<String, Value>> {
        self.papers.get_mut(&paper)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.papers.values()
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Map<String, Value>> {
        self.papers.values_mut()
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Papers {
    pub(super) shipments: Shelf,
    pub(super) invoices: Shelf,
    pub(super) memos: Shelf,
    /// Invoices whose money a gateway gave.
    pub(super) captured: BTreeSet<u64>,
    /// The gateways decline what they are asked for.
    pub(super) declines: bool,
    pub(super) last_track: u64,
    /// Comments on orders.
    histories: u64,
}

impl Papers {
    /// What the shop holds, for the ledger: each shipment with its quantities by line and its tracks by number.
    pub(super) fn shipped(&self) -> Vec<Value> {
        let told = |paper: &Map<String, Value>| {
            let tracks = paper.get("tracks").and_then(Value::as_array).into_iter().flatten();
            let track = |row: &Value| json!({"number": row["track_number"], "carrier": row["carrier_code"], "title": row["title"]});
            json!({
                "id": paper.get("entity_id"), "order": paper.get("order_id"), "number": paper.get("increment_id"),
                "source": paper.get("extension_attributes").and_then(|more| more.get("source_code")), "lines": quantities(paper),
                "tracks": tracks.map(track).collect::<Vec<_>>(), "comments": comments(paper),
            })
        };
        self.shipments.all().map(told).collect()
    }

    /// The same of invoices or credit memos, each with the money that went over.
    pub(super) fn invoiced(&self, shelf: &Shelf) -> Vec<Value> {
        let told = |paper: &Map<String, Value>| {
            json!({
                "id": paper.get("entity_id"), "order": paper.get("order_id"), "number": paper.get("increment_id"),
                "currency": paper.get("order_currency_code"), "total": plain(column(paper, "grand_total")),
                "lines": quantities(paper), "comments": comments(paper),
            })
        };
        shelf.all().map(told).collect()
    }

    /// The entry of a comment on an order.
    pub(super) fn history(&mut self, now: Timestamp, order: u64, mut told: Map<String, Value>) -> Value {
        self.histories += 1;
        for (key, value) in
            [("created_at", json!(stamp(now))), ("entity_id", json!(self.histories)), ("parent_id", json!(order))]
        {
            put(&mut told, key, value);
        }
        Value::Object(told)
    }
}

/// The quantities of a paper by line of the order.
pub(super) fn quantities(paper: &Map<String, Value>) -> Map<String, Value> {
    let line = |row: &Value| {
        let quantity = row.get("qty").and_then(decimal).map(plain);
        Some((row.get("order_item_id").and_then(id)?.to_string(), json!(quantity)))
    };
    items(paper).filter_map(line).collect()
}

/// The texts of its comments.
pub(super) fn comments(paper: &Map<String, Value>) -> Vec<Value> {
    let rows = paper.get("comments").and_then(Value::as_array).into_iter().flatten();
    rows.filter_map(|row| row.get("comment").cloned()).collect()
}

/// The columns of an order that its papers repeat.
pub(super) fn copied(order: &Map<String, Value>, columns: &[&str]) -> Map<String, Value> {
    let told = |column: &&str| Some(((*column).to_owned(), order.get(*column)?.clone()));
    columns.iter().filter_map(told).collect()
}

/// The id of the address an order goes to.
pub(super) fn goes_to(order: &Map<String, Value>) -> Option<Value> {
    let assignments = order.get("extension_attributes")?.get("shipping_assignments")?;
    assignments.get(0)?.get("shipping")?.get("address")?.get("entity_id").cloned()
}

/// Has the assignment of an order repeat what was billed and given back of the freight (recorded: order-get-complete,
/// order-final).
pub(super) fn repeat_freight(order: &mut Map<String, Value>) {
    let names = ["shipping_invoiced", "shipping_refunded", "shipping_tax_refunded"];
    let columns = names.iter().flat_map(|name| [(*name).to_owned(), format!("base_{name}")]);
    let told: Vec<(String, Value)> =
        columns.filter_map(|name| Some((name.clone(), order.get(&name)?.clone()))).collect();
    let assignment =
        order.get_mut("extension_attributes").and_then(|more| more.get_mut("shipping_assignments")?.get_mut(0));
    let total = assignment.and_then(|assignment| assignment.get_mut("shipping")?.get_mut("total"));
    if let Some(Value::Object(total)) = total {
        total.extend(told);
    }
}

impl Shop {
    /// The answer to what is asked of papers.
    pub(super) fn papers(
        &mut self,
        now: Timestamp,
        route: &PaperRoute,
        query: &[(String, String)],
        body: &Value,
    ) -> Answer {
        match route {
            PaperRoute::Ship(order) => self.ship_order(now, number(order)?, body),
            PaperRoute::Shipments => self.listed(&self.papers.shipments, query),
            PaperRoute::Shipment(shipment) => one(&self.papers.shipments, number(shipment)?),
            PaperRoute::AddTrack => self.add_track(now, body),
            PaperRoute::DropTrack(track) => self.drop_track(number(track)?),
            PaperRoute::Invoice(order) => self.invoice_order(now, number(order)?, body),
            PaperRoute::Refund(order) => self.refund_order(now, number(order)?, body),
            PaperRoute::Memos => self.listed(&self.papers.memos, query),
            PaperRoute::Memo(memo) => one(&self.papers.memos, number(memo)?),
            PaperRoute::Invoices => self.listed(&self.papers.invoices, query),
            PaperRoute::OneInvoice(invoice) => one(&self.papers.invoices, number(invoice)?),
            PaperRoute::Comment(order) => self.comment_order(now, number(order)?, body),
        }
    }

    /// A page of papers.
    fn listed(&self, shelf: &Shelf, query: &[(String, String)]) -> Answer {
        let criteria = self.criteria(query)?;
        let found: Found<&Map<String, Value>> = criteria.select(Table {
            rows: shelf.all().collect(),
            columns: COLUMNS,
            read: &|paper: &&Map<String, Value>, column: &str| paper.get(column).map(Cow::Borrowed),
            repeat_last_page: self.quirks.repeat_last_page,
        })?;
        Ok(page(&criteria, found).copied())
    }

    /// Puts a comment on an order, before the older ones (recorded: order-comment, order-get-complete).
    fn comment_order(&mut self, now: Timestamp, order: u64, body: &Value) -> Answer {
        let told =
            body.get("statusHistory").and_then(Value::as_object).ok_or_else(|| Refusal::required("statusHistory"))?;
        self.book.get(order).ok_or_else(Refusal::no_order)?;
        let entry = self.papers.history(now, order, told.clone());
        self.book.change(now, order, |order| {
            if let Some(Value::Array(entries)) = order.get_mut("status_histories") {
                entries.insert(0, entry);
            }
        });
        Ok(json!(true))
    }

    /// The bundles of an order that leave in one piece, by line.
    pub(super) fn together(&self, order: &Map<String, Value>) -> BTreeSet<u64> {
        let goes = |item: &&Value| {
            let product = item.get("product_id").and_then(id);
            product.is_some_and(|product| self.products.bundles.together.contains(&product))
        };
        items(order).filter(goes).filter_map(|item| item.get("item_id").and_then(id)).collect()
    }

    /// Has a bundle leave in one piece from now on, as a person in the back office sets it ("Ship Bundle Items"). False where
    /// there is no such bundle.
    pub fn ship_together(&mut self, bundle: &str) -> bool {
        let found = self.products.find(bundle);
        let found =
            found.filter(|item| matches!(item.form, crate::catalogue::Form::Bundle { .. })).map(|item| item.product_id);
        found.is_some_and(|product| {
            self.products.bundles.together.insert(product);
            true
        })
    }
}

/// One paper.
fn one(shelf: &Shelf, paper: u64) -> Answer {
    shelf.get(paper).map(|paper| Value::Object(paper.clone())).ok_or_else(Refusal::no_order)
}
