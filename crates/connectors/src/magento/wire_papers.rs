//! The vendor's shapes of papers, and of an order as far as papers need it.

use super::wire::{Bag, Flag, Id, Text, listed};
use crate::wire::Exact;
use serde::Deserialize;

/// What is asked of an order for its papers.
pub(super) const ORDER_FIELDS: &str =
    "entity_id,store_id,store_name,items[item_id,parent_item_id,product_id,product_type,sku,qty_ordered,is_virtual]";

/// The same of several orders at once.
pub(super) const ORDERS_FIELDS: &str = "items[entity_id,store_id,store_name,items[item_id,parent_item_id,product_id,product_type,sku,qty_ordered,is_virtual]],\
     total_count";

/// An order, as far as its papers need it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PaperOrder {
    pub(super) entity_id: Id,
    pub(super) store_id: Option<Id>,
    pub(super) store_name: Option<Text>,
    #[serde(default)]
    pub(super) items: Vec<OrderLine>,
}

/// One of its lines.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct OrderLine {
    pub(super) item_id: Id,
    pub(super) parent_item_id: Option<Id>,
    pub(super) product_id: Option<Id>,
    pub(super) product_type: Option<Text>,
    pub(super) sku: Option<Text>,
    pub(super) qty_ordered: Option<Exact>,
    pub(super) is_virtual: Option<Flag>,
}

/// A shipment.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Shipment {
    pub(super) entity_id: Id,
    pub(super) increment_id: Option<Text>,
    pub(super) order_id: Id,
    pub(super) created_at: Option<Text>,
    pub(super) updated_at: Option<Text>,
    #[serde(default, deserialize_with = "listed")]
    pub(super) items: Option<Vec<ShippedLine>>,
    #[serde(default, deserialize_with = "listed")]
    pub(super) tracks: Option<Vec<ShipmentTrack>>,
    #[serde(default)]
    pub(super) extension_attributes: Bag<ShipmentExtension>,
}

/// How much of a line left.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ShippedLine {
    pub(super) order_item_id: Id,
    pub(super) sku: Option<Text>,
    pub(super) qty: Exact,
}

/// A parcel that can be followed.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ShipmentTrack {
    pub(super) entity_id: Id,
    pub(super) track_number: Option<Text>,
    pub(super) title: Option<Text>,
    pub(super) carrier_code: Option<Text>,
}

/// What modules add to a shipment.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ShipmentExtension {
    pub(super) source_code: Option<Text>,
}

/// An order's money: what was sold, asked for and given back, in its own currency. Of the website's only what a refund asks for
/// in it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Sold {
    pub(super) order_currency_code: Option<Text>,
    pub(super) base_currency_code: Option<Text>,
    pub(super) base_to_order_rate: Option<Exact>,
    pub(super) base_shipping_amount: Option<Exact>,
    pub(super) base_shipping_refunded: Option<Exact>,
    pub(super) base_shipping_discount_amount: Option<Exact>,
    pub(super) base_total_paid: Option<Exact>,
    pub(super) base_total_refunded: Option<Exact>,
    pub(super) subtotal: Option<Exact>,
    pub(super) subtotal_invoiced: Option<Exact>,
    pub(super) discount_invoiced: Option<Exact>,
    pub(super) tax_amount: Option<Exact>,
    pub(super) tax_invoiced: Option<Exact>,
    pub(super) tax_refunded: Option<Exact>,
    pub(super) discount_tax_compensation_amount: Option<Exact>,
    pub(super) discount_tax_compensation_invoiced: Option<Exact>,
    pub(super) discount_tax_compensation_refunded: Option<Exact>,
    pub(super) shipping_amount: Option<Exact>,
    pub(super) shipping_invoiced: Option<Exact>,
    pub(super) shipping_refunded: Option<Exact>,
    pub(super) shipping_tax_amount: Option<Exact>,
    pub(super) shipping_tax_refunded: Option<Exact>,
    pub(super) shipping_discount_amount: Option<Exact>,
    pub(super) shipping_discount_tax_compensation_amount: Option<Exact>,
    #[serde(default)]
    pub(super) items: Vec<SoldLine>,
}

/// One of its lines.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SoldLine {
    pub(super) item_id: Id,
    pub(super) parent_item_id: Option<Id>,
    pub(super) qty_ordered: Option<Exact>,
    pub(super) qty_invoiced: Option<Exact>,
    pub(super) qty_refunded: Option<Exact>,
    pub(super) qty_canceled: Option<Exact>,
    pub(super) row_total: Option<Exact>,
    pub(super) row_invoiced: Option<Exact>,
    pub(super) amount_refunded: Option<Exact>,
    pub(super) tax_amount: Option<Exact>,
    pub(super) tax_invoiced: Option<Exact>,
    pub(super) tax_refunded: Option<Exact>,
    pub(super) discount_amount: Option<Exact>,
    pub(super) discount_invoiced: Option<Exact>,
    pub(super) discount_refunded: Option<Exact>,
    pub(super) discount_tax_compensation_amount: Option<Exact>,
    pub(super) discount_tax_compensation_invoiced: Option<Exact>,
    pub(super) discount_tax_compensation_refunded: Option<Exact>,
}

/// An invoice or a credit memo; of its amounts only those in the order's own currency, as of orders.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Invoice {
    pub(super) entity_id: Id,
    pub(super) increment_id: Option<Text>,
    /// 1 open, 2 paid or given back, 3 cancelled.
    pub(super) state: Option<Id>,
    pub(super) created_at: Option<Text>,
    pub(super) updated_at: Option<Text>,
    pub(super) order_currency_code: Option<Text>,
    pub(super) grand_total: Option<Exact>,
    pub(super) tax_amount: Option<Exact>,
    pub(super) discount_amount: Option<Exact>,
    pub(super) shipping_amount: Option<Exact>,
    pub(super) shipping_discount_tax_compensation_amount: Option<Exact>,
    /// What a credit memo gives back beside everything else, less what it keeps.
    pub(super) adjustment: Option<Exact>,
    #[serde(default, deserialize_with = "listed")]
    pub(super) items: Option<Vec<InvoicedLine>>,
}

/// How much of a line is billed. One that stands aside for its family has no amounts (recorded: invoices-of-it).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct InvoicedLine {
    pub(super) order_item_id: Id,
    pub(super) sku: Option<Text>,
    pub(super) qty: Exact,
    pub(super) row_total: Option<Exact>,
    pub(super) tax_amount: Option<Exact>,
    pub(super) discount_amount: Option<Exact>,
    pub(super) discount_tax_compensation_amount: Option<Exact>,
}
