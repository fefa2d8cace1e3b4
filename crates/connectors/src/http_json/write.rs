//! Makes and changes: each change one request, then the record as it is kept, told by the answer or read back.

use super::client::Failed;
use super::many::How;
use super::wire::{self, broken};
use super::{HttpJson, feed, map};
use futures::future::join_all;
use serde_json::{Map, Value};
use syncline_connect::json_api::{Answer, Body, Call, Method, Resource};
use syncline_connect::{Ctx, Effect, Error, Outcome, Result, ctx};
use syncline_core::delivery::Permit;
use syncline_core::id::RemoteId;
use syncline_core::kind::Step;
use syncline_core::policy::ErrorKind;
use syncline_core::text::shown;

impl HttpJson {
    /// What became of each permit; together where the file says how.
    pub(super) async fn carry_out(&self, ctx: &Ctx, resource: &Resource, permits: Vec<Permit>) -> Vec<Outcome> {
        let step = permits.first().map(|permit| permit.change().step.clone());
        let call = match step {
            Some(Step::Create) => resource.create.as_ref(),
            Some(Step::Update) => resource.update.as_ref(),
            _ => None,
        };
        let alike = permits.iter().all(|permit| Some(&permit.change().step) == step.as_ref());
        match call.and_then(|call| Some((call, call.batch.as_ref()?))) {
            Some((call, batch)) if alike && permits.len() > 1 => {
                self.carry_together(ctx, How { resource, call, batch }, permits).await
            }
            _ => join_all(permits.into_iter().map(|permit| self.carry_one(ctx, resource, permit))).await,
        }
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
        let record = made(resource, permit).map_err(Outcome::Refused)?;
        let key = || format!("{}-{}", permit.change().mark, permit.note().delivery);
        let headers = resource.idempotency_header.iter().map(|name| (name.0.clone(), key())).collect();
        let url = self.client.address(call.path.as_str());
        let body = enveloped(call, record);
        let method = call.method.unwrap_or(Method::Post).word();
        let sent =
            self.client.write(ctx, (method, url), (&body, headers), effect(permit), resource.error.as_ref()).await;
        let answer = sent.map_err(|failed| outcome(unplaced(failed), None))?;
        let told = |error: Error| error.with(ctx::evidence(&answer.request, &answer.response));
        let made = wire::record(resource, &answer.body)
            .and_then(|record| record.ok_or_else(|| broken("the answer tells nothing of what was made")))
            .and_then(|record| Ok((wire::id(&resource.id, record)?, record)));
        let (id, record) = made.map_err(|error| Outcome::Unknown { learned: None, error: told(error) })?;
        Ok(self.kept(ctx, resource, call.answer, RemoteId::new("", id), Some(record)).await)
    }

    /// What became of a permit to set fields of a product.
    async fn change(
        &self,
        ctx: &Ctx,
        resource: &Resource,
        call: &Call,
        permit: &Permit,
    ) -> std::result::Result<Outcome, Outcome> {
        let id = named(permit).map_err(Outcome::Refused)?;
        let record = self.changed_record(ctx, resource, call, permit).await.map_err(Outcome::Refused)?;
        let url = self.client.address(&call.path.filled("id", &id.id));
        let body = enveloped(call, record);
        let method = call.method.unwrap_or(usual(call)).word();
        let sent =
            self.client.write(ctx, (method, url), (&body, Vec::new()), effect(permit), resource.error.as_ref()).await;
        let answer = sent.map_err(|failed| outcome(failed, Some(id)))?;
        let record = wire::record(resource, &answer.body).ok().flatten();
        Ok(self.kept(ctx, resource, call.answer, id.clone(), record).await)
    }

    /// The record that a permit to set fields of a product sends.
    pub(super) async fn changed_record(
        &self,
        ctx: &Ctx,
        resource: &Resource,
        call: &Call,
        permit: &Permit,
    ) -> Result<Value> {
        let mut record = match call.body {
            Body::Changed => Value::Object(Map::new()),
            Body::Whole => {
                let id = named(permit)?;
                let gone = || Error::new(ErrorKind::Gone, format!("`{}` is not there any more", shown(&id.id, 60)));
                self.raw(ctx, resource, id).await?.ok_or_else(gone)?
            }
        };
        map::fill(resource, &permit.change().leaves, &mut record)?;
        Ok(record)
    }

    /// The product `id` as it is after a write whose answer told `record`: by that where the file says so, else read back.
    pub(super) async fn kept(
        &self,
        ctx: &Ctx,
        resource: &Resource,
        answer: Answer,
        id: RemoteId,
        record: Option<&Value>,
    ) -> Outcome {
        let is_it = |record: &&Value| {
            answer == Answer::Record && wire::id(&resource.id, record).is_ok_and(|told| told == id.id)
        };
        // What does not tell the record after all is no reason to doubt that it was written.
        let told = record.filter(is_it).and_then(|record| feed::snapshot(resource, id.clone(), record).ok());
        let snapshot = match told {
            Some(snapshot) => Ok(snapshot),
            None => {
                let missing = || Error::new(ErrorKind::Broken, "it was written and is not there when read back");
                self.one(ctx, resource, &id).await.and_then(|found| found.ok_or_else(missing))
            }
        };
        match snapshot {
            Ok(snapshot) => Outcome::Done(Box::new(snapshot)),
            Err(error) => Outcome::Unknown { learned: Some(id), error },
        }
    }
}

/// The record that a permit to make a product sends.
pub(super) fn made(resource: &Resource, permit: &Permit) -> Result<Value> {
    let mut record = Value::Object(Map::new());
    let disabled = map::begins_disabled(resource).unwrap_or_default();
    for leaves in [&disabled, &permit.change().leaves] {
        map::fill(resource, leaves, &mut record)?;
    }
    Ok(record)
}

/// The product that a permit is to change.
pub(super) fn named(permit: &Permit) -> Result<&RemoteId> {
    permit.change().document.as_ref().ok_or_else(|| Error::new(ErrorKind::Invalid, "an update names no document"))
}

/// The method of updates where the file says none.
pub(super) fn usual(call: &Call) -> Method {
    if call.body == Body::Whole { Method::Put } else { Method::Patch }
}

/// Of what was to be made nothing can be gone: it is the place that is not there.
pub(super) fn unplaced(failed: Failed) -> Failed {
    match failed {
        Failed::Refused(error) if error.kind == ErrorKind::Gone => {
            Failed::Refused(Error { kind: ErrorKind::Config, ..error })
        }
        failed => failed,
    }
}

/// What a failed write means for the document `id`, where it is known.
pub(super) fn outcome(failed: Failed, id: Option<&RemoteId>) -> Outcome {
    match failed {
        Failed::Refused(error) => Outcome::Refused(error),
        Failed::Unknown(error) => Outcome::Unknown { learned: id.cloned(), error },
    }
}

fn effect(permit: &Permit) -> Effect {
    Effect::Write { notes: vec![permit.note()], deadline: permit.deadline() }
}

/// `record` as it is sent.
pub(super) fn enveloped(call: &Call, record: Value) -> Value {
    let mut body = Value::Object(Map::new());
    call.record.put(&mut body, record);
    body
}
