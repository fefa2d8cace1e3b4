//! Shipments that a supplier sends to the customer by itself, of module `sale_supply_drop_shipment`: papers like all other
//! shipments, of a model of their own.
//!
//! Recorded (`tryton-8.0-drop.json`): they are numbered apart from the shipments of the house, so each counts below nothing
//! here, and is `d5` where its id is told. Of their moves those to the customer come from lines of sales, those from the
//! supplier from lines of purchases. What is sent in part leaves the rest to another one. They name no warehouse, no parcel and
//! no number to be followed by.

use super::Tryton;
use super::papers::{refused, version};
use super::read::{LONG_PAGE, id_of};
use super::reader::Reader;
use super::setup::Setup;
use super::wire_paper::{SHIPMENT_FIELDS, SHIPMENT_KEYS};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use syncline_connect::{Ctx, Result};
use syncline_core::kind::Kind;

/// The module.
const MODULE: &str = "sale_supply_drop_shipment";
pub(super) const MODEL: &str = "stock.shipment.drop";

/// Whether a supplier may send goods by itself, and our user may read of it.
pub(super) fn are_told(setup: &Setup) -> bool {
    setup.modules.contains(MODULE)
}

/// The fields asked of one.
pub(super) fn fields() -> Vec<&'static str> {
    SHIPMENT_FIELDS.into_iter().filter(|field| *field != "warehouse").collect()
}

/// The modules without this one where our user may not read what it is about, which is said.
pub(super) async fn readable(
    reader: &Reader<'_>,
    mut modules: BTreeSet<String>,
    warnings: &mut Vec<String>,
) -> Result<BTreeSet<String>> {
    if modules.contains(MODULE)
        && let Err(error) = reader.first(MODEL, &["state"]).await
    {
        let why = refused(error)?;
        warnings.push(format!("what suppliers send is not told: `{MODEL}` cannot be read: {why}"));
        modules.remove(MODULE);
    }
    Ok(modules)
}

/// The rows as they count here: below nothing.
pub(super) fn below_nothing(mut rows: Vec<Value>) -> Result<Vec<Value>> {
    for row in &mut rows {
        let id = id_of(row)?;
        if let Some(fields) = row.as_object_mut() {
            fields.insert("id".to_string(), json!(id.saturating_neg()));
        }
    }
    Ok(rows)
}

impl Tryton {
    /// The drop shipments `ids`, which count below nothing, with the set-up of their company.
    pub(super) async fn drops(&self, ctx: &Ctx, ids: &[i64]) -> Result<Vec<(Arc<Setup>, Vec<Value>)>> {
        let mut found = Vec::new();
        let own: BTreeSet<i64> = ids.iter().map(|id| id.saturating_neg()).filter(|id| *id > 0).collect();
        if own.is_empty() {
            return Ok(found);
        }
        for setup in self.looked_at(ctx, Kind::Shipment).await? {
            if !are_told(&setup) {
                continue;
            }
            let asked: Vec<&str> = fields();
            let rows = self.rows_with(ctx, &setup, (MODEL, "id"), &own, &asked).await?;
            let is_ours = |row: &Value| row.get("company").and_then(Value::as_i64) == Some(setup.company);
            let rows = below_nothing(rows.into_iter().filter(is_ours).collect())?;
            found.push((setup, rows));
        }
        Ok(found)
    }

    /// Rows of drop shipments with ids above `last`, each with its version, and whether there are more; the last id met.
    pub(super) async fn drop_keys(
        &self,
        ctx: &Ctx,
        setups: &[Arc<Setup>],
        last: i64,
    ) -> Result<(Vec<(Value, Option<String>)>, i64, bool)> {
        let domain = |setup: &Setup| vec![json!(["company", "=", setup.company]), json!(["id", ">", last])];
        let asked: Vec<&str> = SHIPMENT_KEYS.into_iter().filter(|field| !field.starts_with("packages")).collect();
        let (rows, more) = self.across_in(ctx, setups, (MODEL, last, LONG_PAGE), &domain, &asked).await?;
        let end = super::read::ascending(&rows, last)?;
        let setup = self.setup(ctx).await?;
        let rows = below_nothing(rows)?.into_iter();
        let keyed = rows.map(|row| {
            let version = version(Kind::Shipment, &row, &setup);
            (row, version)
        });
        Ok((keyed.collect(), end, more))
    }
}
