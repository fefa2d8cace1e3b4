//! Withdraws sales: one call at a time, each on what was just read, so that nothing is undone that somebody has done meanwhile.

use super::Tryton;
use super::map::{self, Withdrawal};
use super::read::{fields as told, typed};
use super::setup::Setup;
use super::wire::SaleRow;
use super::wire_stand::STAND_FIELDS;
use super::write::{document, effect, outcome};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use syncline_connect::{Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::Permit;
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;

/// The fields asked of a sale whose papers are asked for, too.
fn fields(setup: &Setup) -> Vec<&'static str> {
    told(Kind::Order, setup).into_iter().chain(STAND_FIELDS).collect()
}

impl Tryton {
    /// What became of the next call that withdraws the sale of `permit`. Where nothing is left to do, none is made.
    pub(super) async fn withdraw(
        &self,
        ctx: &Ctx,
        setup: &Arc<Setup>,
        permit: &Permit,
    ) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let id = document(change).map_err(Outcome::Refused)?;
        let row = self.standing(ctx, setup, id, &[]).await.map_err(Outcome::Refused)?;
        let version = row.version.as_deref();
        let sale = |version: Option<&str>| {
            setup.guarded("sale.sale", &version.map(|at| (id, at)).into_iter().collect::<Vec<_>>())
        };
        let (method, params) = match map::withdrawal(&row).map_err(Outcome::Refused)? {
            None => return Ok(self.one_back(ctx, setup, Kind::Order, id).await),
            Some(Withdrawal::Press("process")) => ("model.sale.sale.process".to_string(), json!([[id], sale(version)])),
            // What nothing has come of yet is withdrawn as it was when that was decided.
            Some(Withdrawal::Press(button)) => {
                (format!("model.sale.sale.{button}"), json!([[id], sale(change.expect.as_deref().or(version))]))
            }
            Some(Withdrawal::Ignore(values)) => {
                ("model.sale.sale.write".to_string(), json!([[id], values, sale(version)]))
            }
            Some(Withdrawal::Papers(model, papers)) => {
                let ids: Vec<i64> = papers.iter().map(|(id, _)| *id).collect();
                let versions: Vec<(i64, &str)> =
                    papers.iter().filter_map(|(id, version)| Some((*id, version.as_deref()?))).collect();
                (format!("model.{model}.cancel"), json!([ids, setup.guarded(model, &versions)]))
            }
        };
        self.client.write(ctx, &method, params, effect(&[permit])).await.map_err(|failed| outcome(&failed))?;
        Ok(self.one_back(ctx, setup, Kind::Order, id).await)
    }

    /// The sales `ids` of one company, by id, each with how far its papers have come; without it where our user may not read
    /// these.
    pub(super) async fn stands(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        ids: &[i64],
    ) -> Result<BTreeMap<i64, Result<Snapshot>>> {
        match self.documents_asked(ctx, setup, Kind::Order, ids, &fields(setup)).await {
            Err(error) if error.kind == ErrorKind::Denied => self.documents(ctx, setup, Kind::Order, ids).await,
            answer => answer,
        }
    }

    /// A sale with how far its papers have come, and what else is asked of it.
    pub(super) async fn standing(&self, ctx: &Ctx, setup: &Setup, id: i64, more: &[&'static str]) -> Result<SaleRow> {
        let asked: Vec<&str> = fields(setup).into_iter().chain(more.iter().copied()).collect();
        let rows = self.rows_asked(ctx, setup, Kind::Order, &[id], &asked).await;
        let rows: Vec<Value> = rows.map_err(|error| match error.kind {
            ErrorKind::Denied => {
                let what = format!(
                    "our user may not read what was made of sale {id} ({}): change it in Tryton",
                    error.message
                );
                Error { kind: ErrorKind::Invalid, message: what, ..error }
            }
            _ => error,
        })?;
        let gone = || Error::new(ErrorKind::Gone, format!("sale {id} is not there in Tryton any more"));
        typed(rows.first().ok_or_else(gone)?, "sale")
    }
}
