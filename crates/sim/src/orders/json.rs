//! Order JSON, key by key as the recorded `GET /orders/{id}` answers.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::people::{Party, order_address};
use super::sums::{Row, Sums};
use super::taxes::Taxes;
use crate::catalogue::number;

/// A JSON object that grows in the order of its keys.
#[derive(Debug, Default)]
pub(super) struct Object(Map<String, Value>);

impl Object {
    pub(super) fn put(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Magento leaves out what is null.
    pub(super) fn put_some(&mut self, key: &str, value: Option<impl Into<Value>>) -> &mut Self {
        if let Some(value) = value {
            self.put(key, value);
        }
        self
    }

    pub(super) fn amount(&mut self, key: &str, value: Decimal) -> &mut Self {
        self.put(key, number(value))
    }

    pub(super) fn amounts(&mut self, rows: &[(&str, Decimal)]) -> &mut Self {
        for (key, value) in rows {
            self.amount(key, *value);
        }
        self
    }

    pub(super) fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// A moment the way Magento writes it: UTC, seconds, no zone.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A payment method and what the answer shows of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    /// Whether a gateway stands behind it.
    pub(super) gateway: bool,
}

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Placed; an offline method needs nothing more.
    New,
    /// In progress, the gateway has authorised the total.
    Authorized,
    /// In progress, invoiced and paid.
    Paid,
    /// Virtual goods, invoiced and paid: nothing left to do.
    Complete,
    Held,
    PendingPayment,
    PaymentReview,
    Canceled,
}

impl Standing {
    /// Magento's state and status.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::New => ("new", "pending"),
            Self::Authorized | Self::Paid => ("processing", "processing"),
            Self::Complete => ("complete", "complete"),
            Self::Held => ("holded", "holded"),
            Self::PendingPayment => ("pending_payment", "pending_payment"),
            Self::PaymentReview => ("payment_review", "payment_review"),
            Self::Canceled => ("canceled", "canceled"),
        }
    }

    fn invoiced(self) -> bool {
        matches!(self, Self::Paid | Self::Complete)
    }
}

/// How the shipment goes and what it costs before tax, in base currency.
#[derive(Debug, Clone)]
pub(super) struct Freight {
    pub(super) method: &'static str,
    pub(super) title: &'static str,
}

/// What a line of the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Carries its own money; the number is its place in the sums.
    Money(usize),
    /// A bundle's head: the sums of its parts, whose places in the sums these are.
    Set(usize, usize),
    /// The simple product under a configurable: no money.
    Chosen,
}

/// One line of the answer before it is written.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) item_id: u64,
    /// Place of the parent among the entries.
    pub(super) parent: Option<usize>,
    pub(super) role: Role,
    pub(super) product_id: u64,
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) qty: Decimal,
    pub(super) weight: Option<Decimal>,
    pub(super) percent: Decimal,
    pub(super) list: Decimal,
    pub(super) option: Option<Value>,
}

/// Everything an order answer is written from.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) entity_id: u64,
    pub(super) first_address: u64,
    pub(super) created: String,
    pub(super) updated: String,
    pub(super) currency: &'static str,
    pub(super) factor: Decimal,
    pub(super) scale: u32,
    pub(super) base: Sums,
    pub(super) order: Sums,
    /// Row totals before the discount, as older Magentos answer, instead of after it.
    pub(super) classic: bool,
    pub(super) entries: Vec<Entry>,
    pub(super) taxes: Taxes,
    /// None: nothing to ship.
    pub(super) freight: Option<Freight>,
    pub(super) coupon: Option<&'static str>,
    pub(super) discount_percent: Decimal,
    /// Id, group and VAT number of the account; none for a guest.
    pub(super) account: Option<(u64, u64, Option<String>)>,
    pub(super) name: (String, String),
    pub(super) billing: Party,
    pub(super) shipping: Party,
    pub(super) method: Method,
    pub(super) standing: Standing,
    pub(super) protect_code: String,
}

impl Draft {
    /// The whole answer.
    pub(super) fn json(&self) -> Value {
        let mut items: Vec<Value> = Vec::new();
        for entry in &self.entries {
            let parent = entry.parent.and_then(|place| items.get(place)).cloned();
            items.push(super::lines::line(self, entry, parent));
        }
        let mut object = Object::default();
        self.head_base(&mut object);
        self.head_people(&mut object);
        self.head_order(&mut object);
        object.put("items", items.clone());
        object.put("billing_address", order_address(&self.billing, "billing", self.billing_id(), self.entity_id));
        object.put("payment", self.payment()).put("status_histories", self.histories());
        object.put("extension_attributes", self.extension(items));
        object.done()
    }

    /// Shipping address first, then billing, as Magento numbers them.
    fn billing_id(&self) -> u64 {
        self.first_address + u64::from(self.freight.is_some())
    }

    fn head_base(&self, object: &mut Object) {
        let (sums, ship) = (&self.base, &self.base.shipping);
        object.put_some("applied_rule_ids", self.coupon.map(|_| "2")).put("base_currency_code", "USD");
        object.amounts(&[
            ("base_discount_amount", -sums.discount()),
            ("base_grand_total", sums.grand_total()),
            ("base_discount_tax_compensation_amount", sums.over(|row| row.compensation)),
            ("base_shipping_amount", ship.net),
            ("base_shipping_discount_amount", ship.discount),
            ("base_shipping_discount_tax_compensation_amnt", ship.compensation),
            ("base_shipping_incl_tax", ship.gross),
            ("base_shipping_tax_amount", ship.tax),
            ("base_subtotal", sums.over(|row| row.net)),
            ("base_subtotal_incl_tax", sums.over(|row| row.gross)),
            ("base_tax_amount", sums.tax()),
            ("base_total_due", self.due(sums)),
        ]);
        self.progress(object, "base_", sums);
        object.put("base_to_global_rate", 1).amount("base_to_order_rate", self.factor);
        object.put("billing_address_id", self.billing_id()).put_some("coupon_code", self.coupon);
        object.put("created_at", self.created.as_str());
    }

    fn head_people(&self, object: &mut Object) {
        let account = self.account.as_ref();
        object.put("customer_email", self.billing.email.as_str()).put("customer_firstname", self.name.0.as_str());
        object.put("customer_group_id", account.map_or(0, |(_, group, _)| *group));
        object.put_some("customer_id", account.map(|(id, _, _)| *id));
        object.put("customer_is_guest", u8::from(account.is_none())).put("customer_lastname", self.name.1.as_str());
        object.put("customer_note_notify", 1);
        object.put_some("customer_taxvat", account.and_then(|(_, _, vat)| vat.as_deref()));
    }

    fn head_order(&self, object: &mut Object) {
        let (sums, ship) = (&self.order, &self.order.shipping);
        let (state, status) = self.standing.words();
        object.amount("discount_amount", -sums.discount()).put_some("discount_description", self.coupon);
        object.put("entity_id", self.entity_id).put("global_currency_code", "USD");
        object.amount("grand_total", sums.grand_total());
        object.amount("discount_tax_compensation_amount", sums.over(|row| row.compensation));
        if self.standing == Standing::Held {
            object.put("hold_before_state", "new").put("hold_before_status", "pending");
        }
        object
            .put("increment_id", format!("{:09}", self.entity_id))
            .put("is_virtual", u8::from(self.freight.is_none()));
        object.put("order_currency_code", self.currency).put("protect_code", self.protect_code.as_str());
        object.put("quote_id", self.entity_id).put("remote_ip", "127.0.0.1").amount("shipping_amount", ship.net);
        object.put_some("shipping_description", self.freight.as_ref().map(|freight| freight.title));
        object.amounts(&[
            ("shipping_discount_amount", ship.discount),
            ("shipping_discount_tax_compensation_amount", ship.compensation),
            ("shipping_incl_tax", ship.gross),
            ("shipping_tax_amount", ship.tax),
        ]);
        object.put("state", state).put("status", status).put("store_currency_code", "USD").put("store_id", 1);
        object.put("store_name", "Main Website\nMain Website Store\nDefault Store View");
        object.put("store_to_base_rate", 0).put("store_to_order_rate", 0);
        let money_lines = self.entries.iter().filter(|entry| matches!(entry.role, Role::Money(_))).count();
        let tops = || self.entries.iter().filter(|entry| entry.parent.is_none());
        object.amounts(&[
            ("subtotal", sums.over(|row| row.net)),
            ("subtotal_incl_tax", sums.over(|row| row.gross)),
            ("tax_amount", sums.tax()),
        ]);
        self.progress(object, "", sums);
        object.amount("total_due", self.due(sums)).put("total_item_count", money_lines);
        object
            .amount("total_qty_ordered", tops().map(|entry| entry.qty).sum())
            .put("updated_at", self.updated.as_str());
        object.amount("weight", tops().map(|entry| entry.weight.unwrap_or_default() * entry.qty).sum());
    }

    fn due(&self, sums: &Sums) -> Decimal {
        if self.standing.invoiced() { Decimal::ZERO } else { sums.grand_total() }
    }

    /// Header totals of what is invoiced and paid, or cancelled; nothing for other orders.
    fn progress(&self, object: &mut Object, prefix: &str, sums: &Sums) {
        let word = match self.standing {
            Standing::Paid | Standing::Complete => "invoiced",
            Standing::Canceled => "canceled",
            _ => return,
        };
        let total = sums.grand_total();
        object.amounts(&[
            (&format!("{prefix}discount_{word}"), -sums.discount()),
            (&format!("{prefix}shipping_{word}"), sums.shipping.net),
            (&format!("{prefix}subtotal_{word}"), sums.over(|row| row.net)),
            (&format!("{prefix}tax_{word}"), sums.tax()),
            (&format!("{prefix}total_{word}"), total),
        ]);
        if self.standing.invoiced() {
            let hidden = sums.over(|row| row.compensation) + sums.shipping.compensation;
            object.amount(&format!("{prefix}discount_tax_compensation_invoiced"), hidden);
            object.amount(&format!("{prefix}total_paid"), total);
        }
        if self.standing.invoiced() && !prefix.is_empty() {
            object.put("base_total_invoiced_cost", 0);
        }
    }

    fn payment(&self) -> Value {
        let (order, base) = (self.order.grand_total(), self.base.grand_total());
        let authorized =
            self.method.gateway && matches!(self.standing, Standing::Authorized | Standing::Paid | Standing::Complete);
        let paid = self.standing.invoiced();
        let mut object = Object::default();
        object.put("account_status", Value::Null).put("additional_information", vec![self.method.title]);
        let stages = [(authorized, "amount_authorized"), (true, "amount_ordered"), (paid, "amount_paid")];
        for (prefix, total) in [("", order), ("base_", base)] {
            for (_, stage) in stages.iter().filter(|(wanted, _)| *wanted) {
                object.amount(&format!("{prefix}{stage}"), total);
            }
        }
        object.amount("base_shipping_amount", self.base.shipping.net);
        if paid {
            object.amount("base_shipping_captured", self.base.shipping.net);
        }
        object.put("cc_last4", if authorized { Value::from("1111") } else { Value::Null });
        object.put("entity_id", self.entity_id);
        object.put_some("last_trans_id", authorized.then(|| format!("t{}", &self.protect_code[..7])));
        object.put("method", self.method.code).put("parent_id", self.entity_id);
        object.amount("shipping_amount", self.order.shipping.net);
        if paid {
            object.amount("shipping_captured", self.order.shipping.net);
        }
        object.done()
    }

    fn histories(&self) -> Vec<Value> {
        let comment = match self.standing {
            Standing::Authorized => "Authorized amount of",
            Standing::Paid | Standing::Complete => "Captured amount of",
            _ => return Vec::new(),
        };
        vec![json!({
            "comment": format!("{comment} ${} online.", self.base.grand_total()),
            "created_at": self.updated.as_str(),
            "entity_id": self.entity_id,
            "entity_name": if self.standing.invoiced() { "invoice" } else { "order" },
            "is_customer_notified": 0,
            "is_visible_on_front": 0,
            "parent_id": self.entity_id,
            "status": self.standing.words().1,
        })]
    }

    fn extension(&self, items: Vec<Value>) -> Value {
        let mut shipping = Object::default();
        if let Some(freight) = &self.freight {
            shipping.put("address", order_address(&self.shipping, "shipping", self.first_address, self.entity_id));
            shipping.put("method", freight.method);
        }
        shipping.put("total", self.shipping_total());
        let mut object = Object::default();
        object.put("shipping_assignments", json!([{"shipping": shipping.done(), "items": items}]));
        object.put("payment_additional_info", json!([{"key": "method_title", "value": self.method.title}]));
        object.put("applied_taxes", self.taxes.applied());
        object.put("item_applied_taxes", self.taxes.per_item());
        object.put("converting_from_quote", false);
        object.put("taxes", self.taxes.rows(self.entity_id));
        object.put("additional_itemized_taxes", self.taxes.of_shipping());
        object.done()
    }

    fn shipping_total(&self) -> Value {
        let mut object = Object::default();
        for (prefix, row, compensation) in [
            ("base_", &self.base.shipping, "base_shipping_discount_tax_compensation_amnt"),
            ("", &self.order.shipping, "shipping_discount_tax_compensation_amount"),
        ] {
            shipping_figures(&mut object, prefix, compensation, row);
            match self.standing {
                Standing::Paid => object.amount(&format!("{prefix}shipping_invoiced"), row.net),
                Standing::Canceled => object.amount(&format!("{prefix}shipping_canceled"), row.net),
                _ => &mut object,
            };
        }
        object.done()
    }
}

fn shipping_figures(object: &mut Object, prefix: &str, compensation: &str, row: &Row) {
    object.amounts(&[
        (&format!("{prefix}shipping_amount"), row.net),
        (&format!("{prefix}shipping_discount_amount"), row.discount),
        (compensation, row.compensation),
        (&format!("{prefix}shipping_incl_tax"), row.gross),
        (&format!("{prefix}shipping_tax_amount"), row.tax),
    ]);
}
