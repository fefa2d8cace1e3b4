//! Rows the shop fails on even in outline: their ids, found by asking for ever smaller ranges of ids.
//!
//! A search that meets such a row fails as a whole and names nobody. Where it does so for a range of ids and not for
//! half of it, the row is in the other half: one row takes as many calls as its id has bits.

use super::client::{Client, Search};
use super::feed::Table;
use syncline_connect::{Ctx, Result};

/// Field, condition and value.
pub(super) type Filter = (&'static str, &'static str, String);

/// Rows asked for at once: more than may fail in a row.
const SIZE: u32 = 20;
/// The highest id a shop can give (`int unsigned`).
const MOST: u64 = u32::MAX as u64;

/// The ids of at most `count` rows within `window` that the shop fails on. It must hold hardly any other rows.
///
/// # Errors
/// What the shop refuses for another reason.
pub(super) async fn ids(
    client: &Client,
    ctx: &Ctx,
    table: Table<'_>,
    window: &[Filter],
    count: usize,
) -> Result<Vec<u64>> {
    let mut found = Vec::new();
    let mut after = 0;
    while found.len() < count && fails(client, ctx, table, window, (after, MOST)).await? {
        let (mut low, mut high) = (after, MOST);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let here = fails(client, ctx, table, window, (after, middle)).await?;
            (low, high) = if here { (low, middle) } else { (middle, high) };
        }
        found.push(high);
        after = high;
    }
    Ok(found)
}

/// Whether the shop fails on the rows of `window` with ids behind the first and up to the second of `range`.
async fn fails(client: &Client, ctx: &Ctx, table: Table<'_>, window: &[Filter], range: (u64, u64)) -> Result<bool> {
    let bounds = [("entity_id", "gt", range.0.to_string()), ("entity_id", "lteq", range.1.to_string())];
    let filters = window.iter().cloned().chain(bounds).collect();
    meets(client, ctx, table, filters).await
}

/// Whether a search for `filters` meets a row that the shop fails on.
///
/// # Errors
/// As [`ids`].
pub(super) async fn meets(client: &Client, ctx: &Ctx, table: Table<'_>, filters: Vec<Filter>) -> Result<bool> {
    let Table { resource, scope, any, outline, .. } = table;
    let size = SIZE.min(client.page_size());
    let search = Search { scope, resource, filters, any, sort: vec!["entity_id"], size, page: 1, fields: outline };
    match client.list(ctx, &search).await {
        Ok(_) => Ok(false),
        Err(trouble) if trouble.smaller_may_help => Ok(true),
        Err(trouble) => Err(trouble.error),
    }
}
