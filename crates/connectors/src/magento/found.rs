//! Orders by what stands in a field: their number, what they refer to, their id.

use super::client::Search;
use super::rows::{order, rough_id};
use super::{Magento, ORDERS};
use serde_json::Value;
use syncline_connect::{Ctx, Error, Result, Snapshot};
use syncline_core::policy::ErrorKind;

/// Our word for a field and Magento's.
const FIELDS: [(&str, &str); 3] = [("number", "increment_id"), ("reference", "ext_order_id"), ("id", "entity_id")];

impl Magento {
    /// The orders whose `field` says one of `values`, each with which.
    pub(super) async fn find_told(&self, ctx: &Ctx, field: &str, values: &[String]) -> Result<Vec<Snapshot>> {
        let Some((_, column)) = FIELDS.into_iter().find(|(ours, _)| *ours == field) else {
            let words: Vec<&str> = FIELDS.into_iter().map(|(ours, _)| ours).collect();
            let what = format!("orders cannot be searched by `{field}` here; they can by: {}", words.join(", "));
            return Err(Error::new(ErrorKind::Config, what));
        };
        // A list of values is told with commas between them.
        let (alone, listed): (Vec<&String>, Vec<&String>) = values.iter().partition(|value| value.contains(','));
        let mut found = Vec::new();
        if !listed.is_empty() {
            let condition = if listed.len() == 1 { "eq" } else { "in" };
            let all: Vec<&str> = listed.iter().map(|value| value.as_str()).collect();
            found.extend(self.found(ctx, column, condition, all.join(",")).await?);
        }
        for value in alone {
            found.extend(self.found(ctx, column, "eq", value.clone()).await?);
        }
        Ok(found)
    }

    /// Every order of one search, page by page.
    async fn found(
        &self,
        ctx: &Ctx,
        column: &'static str,
        condition: &'static str,
        value: String,
    ) -> Result<Vec<Snapshot>> {
        let bounds = self.client.bounds(ctx, ORDERS.resource).await?;
        let (mut found, mut read) = (Vec::new(), 0);
        for page in 1.. {
            let size = self.client.page_size();
            let search = Search {
                scope: ORDERS.scope,
                resource: ORDERS.resource,
                filters: vec![(column, condition, value.clone())],
                any: bounds.table(ORDERS).any,
                sort: vec!["entity_id"],
                size,
                page,
                fields: "",
            };
            let listing = self.client.list(ctx, &search).await.map_err(|trouble| trouble.error)?;
            let items = listing.items.unwrap_or_default();
            let stores = self.stores(ctx, &items.iter().collect::<Vec<_>>()).await?;
            read += items.len();
            for item in items.iter().filter(|item| bounds.hold(&rough_id(item, Some(&stores)).scope)) {
                let mut snapshot = order(item, &stores)?;
                snapshot.found_by = item.get(column).map(shown);
                found.push(snapshot);
            }
            // Past its last page Magento repeats it: how many there are is what counts.
            let whole = listing.total_count.is_none_or(|total| read >= total);
            if items.is_empty() || whole {
                break;
            }
        }
        Ok(found)
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
