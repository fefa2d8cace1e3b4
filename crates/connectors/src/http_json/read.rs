//! Reads by id, and finds by SKU.

use super::wire::{self, broken};
use super::{HttpJson, feed};
use futures::future::join_all;
use serde_json::Value;
use syncline_connect::json_api::Resource;
use syncline_connect::{Ctx, Error, Result, Snapshot, ctx};
use syncline_core::id::RemoteId;
use syncline_core::policy::ErrorKind;
use syncline_core::record::Record;
use syncline_core::text::shown;

impl HttpJson {
    /// The products `ids`, in their order; none for one that is not there.
    pub(super) async fn some(&self, ctx: &Ctx, resource: &Resource, ids: &[RemoteId]) -> Vec<Result<Option<Snapshot>>> {
        if resource.read.is_some() {
            return join_all(ids.iter().map(|id| self.one(ctx, resource, id))).await;
        }
        match self.listed(ctx, resource, ids).await {
            Ok(found) => ids.iter().map(|id| found.get(id).cloned().transpose()).collect(),
            Err(error) => ids.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// The product `id`; none where it is not there.
    pub(super) async fn one(&self, ctx: &Ctx, resource: &Resource, id: &RemoteId) -> Result<Option<Snapshot>> {
        let Some(record) = self.raw(ctx, resource, id).await? else { return Ok(None) };
        feed::snapshot(resource, id.clone(), &record).map(Some)
    }

    /// The same as the API tells it. One that answers with another record than was asked for is refused.
    pub(super) async fn raw(&self, ctx: &Ctx, resource: &Resource, id: &RemoteId) -> Result<Option<Value>> {
        let unread = || Error::new(ErrorKind::Unsupported, "the file has no `read`");
        let read = resource.read.as_ref().ok_or_else(unread)?;
        let url = self.client.address(&read.filled("id", &id.id));
        let Some(answer) = self.client.read(ctx, url, resource.error.as_ref()).await? else { return Ok(None) };
        let told = |error: Error| error.with(ctx::evidence(&answer.request, &answer.response));
        let Some(record) = wire::record(resource, &answer.body).map_err(told)? else { return Ok(None) };
        let own = wire::id(&resource.id, record).map_err(told)?;
        match own == id.id {
            true => Ok(Some(record.clone())),
            false => Err(told(broken(format!("asked for `{}`, it tells `{}`", shown(&id.id, 60), shown(&own, 60))))),
        }
    }

    /// The products of the SKU `sku`. A search that brings others and not that one is no search: what it does not bring may
    /// be there all the same.
    pub(super) async fn found(&self, ctx: &Ctx, resource: &Resource, sku: &str) -> Result<Vec<Snapshot>> {
        let missing =
            || Error::new(ErrorKind::Unsupported, "the file has no `find`: products cannot be looked for by SKU");
        let find = resource.find.as_ref().ok_or_else(missing)?;
        if sku == "." || sku == ".." {
            return Err(Error::new(ErrorKind::Invalid, format!("the SKU `{sku}` cannot be searched for")));
        }
        let answer = self.list(ctx, resource, self.client.address(&find.filled("sku", sku))).await?;
        let told = |error: Error| error.with(ctx::evidence(&answer.request, &answer.response));
        let mut found: Vec<Snapshot> = Vec::new();
        let rows = wire::rows(resource, &answer.body).map_err(told)?;
        for row in rows {
            let id = RemoteId::new("", wire::id(&resource.id, row).map_err(told)?);
            let snapshot = feed::snapshot(resource, id, row).map_err(told)?;
            if sku_of(&snapshot).as_deref() == Some(sku) && found.iter().all(|other| other.id != snapshot.id) {
                found.push(snapshot);
            }
        }
        if found.is_empty() && !rows.is_empty() {
            let what = format!(
                "a search for the SKU `{}` brings {} other rows: `find` in the file has to bring those of just that SKU",
                shown(sku, 60),
                rows.len()
            );
            return Err(told(Error::new(ErrorKind::Config, what)));
        }
        Ok(found)
    }
}

/// The SKU of a snapshot.
pub(super) fn sku_of(snapshot: &Snapshot) -> Option<String> {
    snapshot.records.iter().find_map(|(_, record)| match record {
        Record::Variant(variant) => variant.sku.clone(),
        _ => None,
    })
}
