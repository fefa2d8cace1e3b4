//! Sales by what another connector wrote on them.

use super::Tryton;
use super::read::is_withdrawn;
use super::setup::Setup;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use syncline_connect::{Ctx, Error, Result, Snapshot};
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;

/// Fields of `sale.sale` a connector may have left its own number in. `web_id` comes with the module `web_shop`.
const FIELDS: [&str; 5] = ["number", "reference", "web_id", "description", "id"];

impl Tryton {
    /// The sales whose `field` says one of `values`, each with which; withdrawn ones only where a value has no other.
    pub(super) async fn look_told(
        &self,
        ctx: &Ctx,
        setups: &[Arc<Setup>],
        kind: Kind,
        field: &str,
        values: &[String],
    ) -> Result<Vec<Snapshot>> {
        for setup in setups {
            searchable(setup, kind, field)?;
        }
        let wanted: Vec<Value> = match field {
            "id" => values.iter().filter_map(|text| text.parse::<i64>().ok()).map(Value::from).collect(),
            _ => values.iter().map(|text| json!(text)).collect(),
        };
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let (clause, mut rows) = (json!([field, "in", wanted]), Vec::new());
        for setup in setups {
            rows.extend(self.every(ctx, setup, kind, &clause, |_| true).await?);
        }
        let mut found: BTreeMap<String, Vec<Snapshot>> = BTreeMap::new();
        for (row, mut snapshot) in rows {
            let text = match row.get(field) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => continue,
            };
            snapshot.found_by = Some(text.clone());
            found.entry(text).or_default().push(snapshot);
        }
        for same in found.values_mut() {
            if !same.iter().all(is_withdrawn) {
                same.retain(|snapshot| !is_withdrawn(snapshot));
            }
        }
        let asked: BTreeSet<&String> = values.iter().collect();
        Ok(found.into_iter().filter(|(text, _)| asked.contains(text)).flat_map(|(_, same)| same).collect())
    }
}

/// Refuses a field that sales are not searched by here.
fn searchable(setup: &Setup, kind: Kind, field: &str) -> Result<()> {
    if kind != Kind::Order {
        return Err(Error::new(ErrorKind::Unsupported, format!("no {kind} is searched by a field in Tryton")));
    }
    let there: Vec<&str> = FIELDS.into_iter().filter(|one| *one != "web_id" || setup.has_web_ids()).collect();
    if there.contains(&field) {
        return Ok(());
    }
    let what = format!("sales cannot be searched by `{field}` here; they can by: {}", there.join(", "));
    Err(Error::new(ErrorKind::Config, what))
}
