//! Reads small tables whole: companies, currencies, taxes, whatever a set-up is made of.

use super::client::Client;
use super::read::typed;
use super::whole::whole;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use syncline_connect::{Ctx, Result};

/// The context of a call of that company.
pub(super) fn context(company: Option<i64>) -> Value {
    match company {
        Some(company) => json!({"company": company, "language": "en"}),
        None => json!({"language": "en"}),
    }
}

/// Reads the set-up, page by page where a table may be long.
pub(super) struct Reader<'a> {
    client: &'a Client,
    ctx: &'a Ctx,
    context: Value,
}

const PAGE: usize = 1000;

impl<'a> Reader<'a> {
    /// What reads the tables of a company.
    pub(super) fn of(client: &'a Client, ctx: &'a Ctx, company: i64) -> Self {
        Self { client, ctx, context: context(Some(company)) }
    }

    /// What reads the tables of no company, to find out which one it is.
    pub(super) fn outside(client: &'a Client, ctx: &'a Ctx) -> Self {
        Self { client, ctx, context: context(None) }
    }

    /// What a call answers that gives one thing, `told` first among what it is told.
    pub(super) async fn one<T: DeserializeOwned>(&self, method: &str, told: Value) -> Result<T> {
        self.client.read(self.ctx, method, json!([told, self.context])).await
    }

    /// Asks for one row of a model, to learn whether that is allowed.
    pub(super) async fn first(&self, model: &str, fields: &[&str]) -> Result<()> {
        let params = json!([[], 0, 1, [["id", "ASC"]], fields, self.context]);
        let _row: Vec<Value> = self.client.read(self.ctx, &format!("model.{model}.search_read"), params).await?;
        Ok(())
    }

    pub(super) async fn rows<T: DeserializeOwned>(
        &self,
        model: &str,
        domain: Value,
        fields: &[&str],
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        loop {
            let params = json!([domain, rows.len(), PAGE, [["id", "ASC"]], fields, self.context]);
            let page = self.client.read(self.ctx, &format!("model.{model}.search_read"), params).await?;
            let page = whole(model, fields, page)?;
            for row in &page {
                rows.push(typed(row, model)?);
            }
            let full = page.len() == PAGE;
            if !full {
                return Ok(rows);
            }
        }
    }
}
