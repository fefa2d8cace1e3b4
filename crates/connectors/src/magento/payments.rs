//! Payments: the money a shop took, one for each of its invoices, with the method its order was paid by.
//!
//! An invoice is paid once its money was captured (state 2); with an offline method it is from the beginning, whatever was
//! asked for (recorded: invoice-capture-false). Nothing else says that money came: an order without an invoice has no
//! `total_paid` (recorded: order-get, order-get-complete). Its amount is told in the currency of the order, as that of the order is.

use super::client::{Scope, Search};
use super::feed::{Row, Table};
use super::map::{self, amount, invalid};
use super::papers::About;
use super::rows::{evidence_of, shape};
use super::wire_papers::{Invoice, PaperOrder};
use super::{Magento, feed, numeric, wire};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Ctx, Cursor, KeyPage, Page, Result, Seen, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::Ref;
use syncline_core::money::{Currency, Money};
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, PaperLife, Record, paper_apart};

/// The invoices of the shop, as far as payments need them.
const INVOICES: Table = Table {
    resource: "invoices",
    id: "entity_id",
    scope: Scope::DEFAULT,
    any: &[],
    only: &[],
    fields: "items[entity_id,increment_id,order_id,state,created_at,updated_at,order_currency_code,grand_total],total_count",
    outline: "items[entity_id,order_id,updated_at],total_count",
};
/// What is asked of the orders they are of.
const ORDERS: &str = "items[entity_id,store_id,store_name,payment[method]],total_count";
/// The same of one order.
const ORDER: &str = "entity_id,store_id,store_name,payment[method]";

/// An order, and how it was paid.
#[derive(Debug)]
pub(super) struct Paid {
    pub(super) about: About,
    pub(super) method: Option<String>,
}

impl Magento {
    /// Payments that may have changed since `since`: a capture and a cancellation save the invoice.
    pub(super) async fn payment_feed(&self, ctx: &Ctx, since: &Cursor) -> Result<Page> {
        let bounds = self.client.bounds(ctx, INVOICES.resource).await?;
        let slice = feed::changes(&self.client, ctx, bounds.table(INVOICES), since).await?;
        let told = slice.rows.iter().map(|row| match row {
            Row::Read(value) | Row::Lost { outline: value, .. } => value,
        });
        let orders = self.paid_orders(ctx, told).await?;
        let seen = slice.rows.into_iter().filter_map(|row| {
            let (value, lost) = match row {
                Row::Read(value) => (value, None),
                Row::Lost { outline, error } => (outline, Some(error)),
            };
            // What is of no order that we see is nobody's here.
            let (paid, own) = (orders.get(&order_of(&value)?)?, own_id(&value)?);
            let snapshot = lost.map_or_else(|| payment(paid, &value), Err);
            Some(Seen { id: paid.about.paper(own), snapshot })
        });
        Ok(Page { seen: seen.collect(), next: slice.next, more: slice.more })
    }

    /// Keys of payments after `after`.
    pub(super) async fn payment_keys(&self, ctx: &Ctx, after: &Cursor) -> Result<KeyPage> {
        let bounds = self.client.bounds(ctx, INVOICES.resource).await?;
        let (items, next, more) = self.behind(ctx, bounds.table(INVOICES), after).await?;
        let orders = self.paid_orders(ctx, items.iter()).await?;
        let key = |item: &Value| {
            let id = orders.get(&order_of(item)?)?.about.paper(own_id(item)?);
            Some((id, item.get("updated_at").and_then(Value::as_str).map(str::to_owned)))
        };
        Ok(KeyPage { keys: items.iter().filter_map(key).collect(), next, more })
    }

    /// One payment by its id; none where there is none of it below that order.
    pub(super) async fn read_payment(&self, ctx: &Ctx, id: &RemoteId) -> Result<Option<Snapshot>> {
        let (order, own) = paper_apart(id).ok_or_else(|| invalid("a payment goes by its order".to_owned()))?;
        let Some(value) = self.paper(ctx, Kind::Invoice, own).await? else { return Ok(None) };
        let path = format!("orders/{}?fields={ORDER}", numeric(Kind::Order, &order)?);
        let told: Value = match self.client.get(ctx, &path).await {
            Err(error) if error.kind == ErrorKind::Gone => return Ok(None),
            told => told?,
        };
        let stores = self.stores(ctx, &[&told]).await?;
        let bounds = self.client.bounds(ctx, super::ORDERS.resource).await?;
        let paid = paid(&told, &stores)?;
        let its = bounds.hold(&paid.about.id.scope) && order_of(&value).is_some_and(|id| id.to_string() == order.id);
        if its { payment(&paid, &value).map(Some) } else { Ok(None) }
    }

    /// The orders that `invoices` are of, by id; those that are not there, or not within what is looked at, are left out.
    async fn paid_orders<'a>(
        &self,
        ctx: &Ctx,
        invoices: impl Iterator<Item = &'a Value>,
    ) -> Result<BTreeMap<u64, Paid>> {
        let ids: Vec<u64> = invoices.filter_map(order_of).collect::<BTreeSet<u64>>().into_iter().collect();
        let bounds = self.client.bounds(ctx, super::ORDERS.resource).await?;
        let (mut found, size) = (BTreeMap::new(), self.client.page_size());
        for some in ids.chunks(usize::try_from(size).unwrap_or(1).max(1)) {
            let named: Vec<String> = some.iter().map(u64::to_string).collect();
            let search = Search {
                scope: Scope::DEFAULT,
                resource: super::ORDERS.resource,
                filters: vec![("entity_id", "in", named.join(","))],
                any: &[],
                sort: vec!["entity_id"],
                size,
                page: 1,
                fields: ORDERS,
            };
            let rows = self.client.every(ctx, &search).await?;
            let stores = self.stores(ctx, &rows.iter().collect::<Vec<_>>()).await?;
            for row in &rows {
                let paid = paid(row, &stores)?;
                if let Some(id) = own_id(row).filter(|_| bounds.hold(&paid.about.id.scope)) {
                    found.insert(id.0, paid);
                }
            }
        }
        Ok(found)
    }
}

fn paid(value: &Value, stores: &map::Stores) -> Result<Paid> {
    let doc: PaperOrder = shape("orders", value)?;
    let method = value.pointer("/payment/method").and_then(Value::as_str).map(str::to_owned);
    Ok(Paid { about: About::new(doc, stores), method })
}

/// The id of the order that an invoice is of.
fn order_of(value: &Value) -> Option<u64> {
    wire::typed::<wire::Id>(value.get("order_id")?).ok().map(|id| id.0)
}

fn own_id(value: &Value) -> Option<wire::Id> {
    wire::typed(value.get("entity_id")?).ok()
}

/// An invoice as the payment it stands for.
///
/// # Errors
/// `Broken` with the exchange, where it is not built like one; `Invalid` for a currency or a state nobody knows.
pub(super) fn payment(paid: &Paid, value: &Value) -> Result<Snapshot> {
    let doc: Invoice = shape("invoices", value)?;
    let evidence = || evidence_of("invoices", value);
    let record = told(paid, &doc).map_err(|error| error.with(evidence()))?;
    let id = paid.about.paper(doc.entity_id);
    Ok(Snapshot {
        id: id.clone(),
        mark: None,
        found_by: None,
        version: doc.updated_at.as_ref().map(|time| time.0.clone()),
        records: vec![(id, Record::Payment(Box::new(record)))],
        evidence: Some(evidence()),
    })
}

fn told(Paid { about, method }: &Paid, doc: &Invoice) -> Result<Paper> {
    let place = || format!("invoice {} of order {}", doc.entity_id.0, about.id);
    let code = doc.order_currency_code.as_ref().map_or("", |code| code.0.as_str());
    let currency: Currency =
        code.parse().map_err(|error| invalid(format!("{}: `order_currency_code`: {error}", place())))?;
    let life = match doc.state.map(|state| state.0) {
        Some(1) => PaperLife::Open,
        Some(2) => PaperLife::Paid,
        Some(3) => PaperLife::Void,
        other => {
            let told = other.map_or_else(|| "not told".to_owned(), |other| other.to_string());
            return Err(invalid(format!("{}: `state` is {told}", place())));
        }
    };
    Ok(Paper {
        number: doc.increment_id.as_ref().map(|number| number.0.clone()),
        life: Some(life),
        order: Some(Ref::remote(Kind::Order, about.id.clone())),
        day: about.day(doc.created_at.as_ref()),
        currency: Some(currency),
        grand: doc.grand_total.map(|_| Money::new(amount(doc.grand_total), currency)),
        method: method.clone(),
        ..Paper::default()
    })
}
