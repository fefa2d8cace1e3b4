//! Reads by id, finds by SKU, makes and changes: each change one request, then the record read back.

use super::client::Failed;
use super::wire::{self, broken};
use super::{HttpJson, feed, map};
use futures::future::join_all;
use serde_json::{Map, Value};
use syncline_connect::json_api::{Body, Call, Method, Resource};
use syncline_connect::{Ctx, Effect, Error, Outcome, Result, Snapshot, ctx};
use syncline_core::delivery::Permit;
use syncline_core::id::RemoteId;
use syncline_core::kind::Step;
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
    async fn raw(&self, ctx: &Ctx, resource: &Resource, id: &RemoteId) -> Result<Option<Value>> {
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

    /// What became of each permit.
    pub(super) async fn carry_out(&self, ctx: &Ctx, resource: &Resource, permits: Vec<Permit>) -> Vec<Outcome> {
        join_all(permits.into_iter().map(|permit| self.carry_one(ctx, resource, permit))).await
    }

    async fn carry_one(&self, ctx: &Ctx, resource: &Resource, permit: Permit) -> Outcome {
        let done = match (&permit.change().step, &resource.create, &resource.update) {
            (Step::Create, Some(call), _) => self.make(ctx, resource, call, &permit).await,
            (Step::Update, _, Some(call)) => self.change(ctx, resource, call, &permit).await,
            (step, ..) => {
                let what = format!("the file says nothing of how to {step} a product there");
                Err(Outcome::Refused(Error::new(ErrorKind::Unsupported, what)))
            }
        };
        done.unwrap_or_else(|outcome| outcome)
    }

    /// What became of a permit to make a product.
    async fn make(
        &self,
        ctx: &Ctx,
        resource: &Resource,
        call: &Call,
        permit: &Permit,
    ) -> std::result::Result<Outcome, Outcome> {
        let mut record = Value::Object(Map::new());
        let disabled = map::begins_disabled(resource).unwrap_or_default();
        for leaves in [&disabled, &permit.change().leaves] {
            map::fill(resource, leaves, &mut record).map_err(Outcome::Refused)?;
        }
        let key = || format!("{}-{}", permit.change().mark, permit.note().delivery);
        let headers = resource.idempotency_header.iter().map(|name| (name.0.clone(), key())).collect();
        let url = self.client.address(call.path.as_str());
        let body = enveloped(call, record);
        let method = call.method.unwrap_or(Method::Post).word();
        let sent =
            self.client.write(ctx, (method, url), (&body, headers), effect(permit), resource.error.as_ref()).await;
        let answer = sent.map_err(|failed| match failed {
            // Nothing of it is there: it is the place that is not.
            Failed::Refused(error) if error.kind == ErrorKind::Gone => {
                Outcome::Refused(Error { kind: ErrorKind::Config, ..error })
            }
            failed => outcome(failed, None),
        })?;
        let told = |error: Error| error.with(ctx::evidence(&answer.request, &answer.response));
        let made = wire::record(resource, &answer.body)
            .and_then(|record| record.ok_or_else(|| broken("the answer tells nothing of what was made")))
            .and_then(|record| wire::id(&resource.id, record));
        let id = made.map_err(|error| Outcome::Unknown { learned: None, error: told(error) })?;
        Ok(self.shown_back(ctx, resource, RemoteId::new("", id)).await)
    }

    /// What became of a permit to set fields of a product.
    async fn change(
        &self,
        ctx: &Ctx,
        resource: &Resource,
        call: &Call,
        permit: &Permit,
    ) -> std::result::Result<Outcome, Outcome> {
        let missing = || Outcome::Refused(Error::new(ErrorKind::Invalid, "an update names no document"));
        let id = permit.change().document.clone().ok_or_else(missing)?;
        let mut record = match call.body {
            Body::Changed => Value::Object(Map::new()),
            Body::Whole => {
                let gone = || Error::new(ErrorKind::Gone, format!("`{}` is not there any more", shown(&id.id, 60)));
                let read = self.raw(ctx, resource, &id).await;
                read.and_then(|record| record.ok_or_else(gone)).map_err(Outcome::Refused)?
            }
        };
        map::fill(resource, &permit.change().leaves, &mut record).map_err(Outcome::Refused)?;
        let url = self.client.address(&call.path.filled("id", &id.id));
        let body = enveloped(call, record);
        let method = call.method.unwrap_or(if call.body == Body::Whole { Method::Put } else { Method::Patch }).word();
        let sent =
            self.client.write(ctx, (method, url), (&body, Vec::new()), effect(permit), resource.error.as_ref()).await;
        sent.map_err(|failed| outcome(failed, Some(&id)))?;
        Ok(self.shown_back(ctx, resource, id).await)
    }

    /// The product `id` as it is after a write.
    async fn shown_back(&self, ctx: &Ctx, resource: &Resource, id: RemoteId) -> Outcome {
        let missing = || Error::new(ErrorKind::Broken, "it was written and is not there when read back");
        match self.one(ctx, resource, &id).await.and_then(|found| found.ok_or_else(missing)) {
            Ok(snapshot) => Outcome::Done(Box::new(snapshot)),
            Err(error) => Outcome::Unknown { learned: Some(id), error },
        }
    }
}

/// What a failed write means for the document `id`, where it is known.
fn outcome(failed: Failed, id: Option<&RemoteId>) -> Outcome {
    match failed {
        Failed::Refused(error) => Outcome::Refused(error),
        Failed::Unknown(error) => Outcome::Unknown { learned: id.cloned(), error },
    }
}

fn effect(permit: &Permit) -> Effect {
    Effect::Write { notes: vec![permit.note()], deadline: permit.deadline() }
}

/// `record` as it is sent.
fn enveloped(call: &Call, record: Value) -> Value {
    let mut body = Value::Object(Map::new());
    call.record.put(&mut body, record);
    body
}

/// The SKU of a snapshot.
pub(super) fn sku_of(snapshot: &Snapshot) -> Option<String> {
    snapshot.records.iter().find_map(|(_, record)| match record {
        Record::Variant(variant) => variant.sku.clone(),
        _ => None,
    })
}
