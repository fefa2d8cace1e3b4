//! The feed of credit memos: what people of the shop gave back, each with the lines of its order, and their keys.
//!
//! A memo has its own `updated_at` and `store_id` (recorded: creditmemos-of-it), so it is read as orders are. The scope of its
//! order, and which lines that has, only the order itself tells; those of a page are asked for at once.

use super::Magento;
use super::client::{Scope, Search};
use super::credits;
use super::feed::{self, Row, Table};
use super::papers::About;
use super::rows::shape;
use super::wire;
use super::wire_papers::ORDERS_FIELDS;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Ctx, Cursor, KeyPage, Page, Result, Seen};

const MEMOS: Table = Table {
    resource: "creditmemos",
    id: "entity_id",
    scope: Scope::DEFAULT,
    any: &[],
    only: &[],
    fields: "",
    outline: "items[entity_id,order_id,store_id,updated_at],total_count",
};

fn number(row: &Value, field: &str) -> Option<wire::Id> {
    row.get(field).and_then(|id| wire::typed(id).ok())
}

impl Magento {
    /// The credit memos that changed since `since`, those of orders that are looked at.
    pub(super) async fn memo_feed(&self, ctx: &Ctx, since: &Cursor) -> Result<Page> {
        let bounds = self.client.bounds(ctx, MEMOS.resource).await?;
        let slice = feed::changes(&self.client, ctx, bounds.table(MEMOS), since).await?;
        let told = |row: &Row| match row {
            Row::Read(value) | Row::Lost { outline: value, .. } => number(value, "order_id").map(|id| id.0),
        };
        let orders = self.abouts(ctx, slice.rows.iter().filter_map(told).collect()).await?;
        let mut seen = Vec::new();
        for row in slice.rows {
            let Some(about) = told(&row).and_then(|id| orders.get(&id)) else { continue };
            match row {
                Row::Read(value) => {
                    let Some(own) = number(&value, "entity_id") else { continue };
                    seen.push(Seen { id: about.paper(own), snapshot: credits::snapshot(about, &value) });
                }
                Row::Lost { outline, error } => {
                    let Some(own) = number(&outline, "entity_id") else { continue };
                    seen.push(Seen { id: about.paper(own), snapshot: Err(error) });
                }
            }
        }
        Ok(Page { seen, next: slice.next, more: slice.more })
    }

    /// The keys of credit memos above `after`.
    pub(super) async fn memo_keys(&self, ctx: &Ctx, after: &Cursor) -> Result<KeyPage> {
        let bounds = self.client.bounds(ctx, MEMOS.resource).await?;
        let (rows, next, more) = self.behind(ctx, bounds.table(MEMOS), after).await?;
        let orders = rows.iter().filter_map(|row| number(row, "order_id")).map(|id| id.0).collect();
        let orders = self.abouts(ctx, orders).await?;
        let key = |row: &Value| {
            let (order, own) = (number(row, "order_id")?, number(row, "entity_id")?);
            let version = row.get("updated_at").and_then(Value::as_str).map(str::to_owned);
            Some((orders.get(&order.0)?.paper(own), version))
        };
        Ok(KeyPage { keys: rows.iter().filter_map(key).collect(), next, more })
    }

    /// The orders `ids` as their papers need them, by id; those that are not there, or not looked at, are left out.
    async fn abouts(&self, ctx: &Ctx, ids: BTreeSet<u64>) -> Result<BTreeMap<u64, About>> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let bounds = self.client.bounds(ctx, super::ORDERS.resource).await?;
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        let search = Search {
            scope: Scope::DEFAULT,
            resource: super::ORDERS.resource,
            filters: vec![("entity_id", "in", ids.join(","))],
            any: &[],
            sort: vec!["entity_id"],
            size: self.client.page_size(),
            page: 1,
            fields: ORDERS_FIELDS,
        };
        let rows = self.client.every(ctx, &search).await?;
        let stores = self.stores(ctx, &rows.iter().collect::<Vec<_>>()).await?;
        let mut found = BTreeMap::new();
        for row in &rows {
            let Some(id) = number(row, "entity_id") else { continue };
            let about = About::new(shape("orders", row)?, &stores);
            if bounds.hold(&about.id.scope) {
                found.insert(id.0, about);
            }
        }
        Ok(found)
    }
}
