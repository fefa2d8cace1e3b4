//! Many at once: one request with a note for each record, and a row for each in its answer.

use super::HttpJson;
use super::client::{Answer, Failed};
use super::wire::{self, broken, seen};
use super::write::{enveloped, made, named, outcome, unplaced, usual};
use futures::future::join_all;
use serde_json::{Map, Value};
use syncline_connect::json_api::{Batch, Call, IdAs, Leaf, Method, Resource};
use syncline_connect::{Ctx, Effect, Error, Outcome, Result, ctx};
use syncline_core::delivery::Permit;
use syncline_core::id::RemoteId;
use syncline_core::kind::Step;
use syncline_core::leaf;
use syncline_core::policy::ErrorKind;
use syncline_core::text::shown;

/// How many are written at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) resource: &'a Resource,
    pub(super) call: &'a Call,
    pub(super) batch: &'a Batch,
}

/// What a row of the answer tells of one record.
enum Row<'v> {
    /// It is there under this id, as this shows where it is told.
    Done(RemoteId, Option<&'v Value>),
    /// It did not happen.
    Refused(Error),
    /// Nobody knows.
    Unknown(Error),
}

impl HttpJson {
    /// What became of each permit, all of one step.
    pub(super) async fn carry_together(&self, ctx: &Ctx, how: How<'_>, permits: Vec<Permit>) -> Vec<Outcome> {
        let most = usize::try_from(how.batch.most).unwrap_or(usize::MAX).max(1);
        let mut outcomes = Vec::with_capacity(permits.len());
        for some in permits.chunks(most) {
            outcomes.extend(self.carry_some(ctx, how, some).await);
        }
        outcomes
    }

    /// The same of those of one request.
    async fn carry_some(&self, ctx: &Ctx, how: How<'_>, permits: &[Permit]) -> Vec<Outcome> {
        let records = join_all(permits.iter().map(|permit| self.record_of(ctx, how, permit))).await;
        let (mut sent, mut items, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for (permit, record) in permits.iter().zip(records) {
            refused.push(match record {
                Ok(record) => {
                    sent.push(permit);
                    items.push(enveloped(how.call, record));
                    None
                }
                Err(error) => Some(Outcome::Refused(error)),
            });
        }
        let mut told = match sent.is_empty() {
            true => Vec::new(),
            false => self.told_of(ctx, how, &sent, items).await,
        }
        .into_iter();
        let silent = || Outcome::Unknown { learned: None, error: broken("nothing was told of it") };
        refused.into_iter().map(|refused| refused.or_else(|| told.next()).unwrap_or_else(silent)).collect()
    }

    /// The record that a permit sends; an update says which one it is.
    async fn record_of(&self, ctx: &Ctx, how: How<'_>, permit: &Permit) -> Result<Value> {
        if permit.change().step == Step::Create {
            return made(how.resource, permit);
        }
        let id = named(permit)?;
        let mut record = self.changed_record(ctx, how.resource, how.call, permit).await?;
        let told = match how.batch.id_as {
            IdAs::Text => Value::from(id.id.as_str()),
            IdAs::Number => {
                let what = || format!("the id `{}` is no whole number: see `id_as` in the file", shown(&id.id, 60));
                Value::from(id.id.parse::<u64>().map_err(|_| Error::new(ErrorKind::Config, what()))?)
            }
        };
        how.resource.id.put(&mut record, told);
        Ok(record)
    }

    /// What became of each that was sent.
    async fn told_of(&self, ctx: &Ctx, how: How<'_>, sent: &[&Permit], items: Vec<Value>) -> Vec<Outcome> {
        let creates = sent.first().is_some_and(|permit| permit.change().step == Step::Create);
        let method = how.batch.method.or(how.call.method);
        let method = method.unwrap_or(if creates { Method::Post } else { usual(how.call) }).word();
        let mut body = Value::Object(Map::new());
        how.batch.items.put(&mut body, Value::Array(items));
        let notes = sent.iter().map(|permit| permit.note()).collect();
        let deadline = sent.iter().map(|permit| permit.deadline()).min().unwrap_or_else(|| ctx.now());
        let effect = Effect::Write { notes, deadline };
        let url = self.client.address(how.batch.path.as_str());
        let all = |failed: &Failed| {
            sent.iter().map(|permit| outcome(failed.clone(), permit.change().document.as_ref())).collect()
        };
        let answer = match self.client.write(ctx, (method, url), (&body, Vec::new()), effect, None).await {
            Ok(answer) => answer,
            Err(failed) => return all(&if creates { unplaced(failed) } else { failed }),
        };
        let rows = match rows(how, sent, &answer) {
            Ok(rows) => rows,
            Err(error) => return all(&Failed::Unknown(error.with(ctx::evidence(&answer.request, &answer.response)))),
        };
        let kept = rows.into_iter().zip(sent).map(|(row, permit)| async move {
            match row {
                Row::Done(id, record) => self.kept(ctx, how.resource, how.call.answer, id, record).await,
                Row::Refused(error) => Outcome::Refused(error),
                Row::Unknown(error) => Outcome::Unknown { learned: permit.change().document.clone(), error },
            }
        });
        join_all(kept).await
    }
}

/// The rows of an answer, one for each record that was sent, in their order.
///
/// # Errors
/// Where they are not those: then of none it is known what became of it.
fn rows<'v>(how: How<'_>, sent: &[&Permit], answer: &'v Answer) -> Result<Vec<Row<'v>>> {
    let lies = format!("the rows of what was written are to lie at `{}`", how.batch.results);
    let rows = match how.batch.results.get(&answer.body) {
        Some(Value::Array(rows)) => rows,
        Some(other) => return Err(broken(format!("{lies}, where there is {}", seen(other)))),
        None => return Err(broken(format!("{lies}, where there is nothing"))),
    };
    if rows.len() != sent.len() {
        return Err(broken(format!("{} records were sent, and {} rows tell of them", sent.len(), rows.len())));
    }
    rows.iter().zip(sent).map(|(row, permit)| of_row(how, row, permit, answer)).collect()
}

/// What one row tells.
///
/// # Errors
/// Where it tells of another record than was sent in its place.
fn of_row<'v>(how: How<'_>, row: &'v Value, permit: &Permit, answer: &Answer) -> Result<Row<'v>> {
    let with = |kind: ErrorKind, what: &str| {
        let what = format!("{} {}: {what}: {}", answer.request.method, ctx::shown(&answer.request.url), seen(row));
        Error::new(kind, what).with(ctx::evidence(&answer.request, &answer.response))
    };
    let record = how.batch.record.get(row).filter(|record| record.is_object());
    let id = record.and_then(|record| wire::id(&how.resource.id, record).ok());
    let document = permit.change().document.as_ref();
    let strange = record.is_some_and(|record| is_another(how.resource, record, permit))
        || id.as_ref().zip(document).is_some_and(|(id, document)| *id != document.id);
    if strange {
        return Err(broken(format!("a row tells of another record than was sent in its place: {}", seen(row))));
    }
    let status = how.batch.status.as_ref().map(|at| at.get(row).and_then(status));
    let failed = how.batch.error.as_ref().and_then(|at| at.get(row)).is_some_and(wire::says);
    Ok(match status {
        Some(None) => Row::Unknown(with(ErrorKind::Broken, "a row without a status")),
        Some(Some(303 | 408 | 409 | 500..=599)) => Row::Unknown(with(ErrorKind::Unreachable, "not done")),
        Some(Some(status)) if !(200..=299).contains(&status) => Row::Refused(with(refused(status), "refused")),
        _ if failed => Row::Refused(with(ErrorKind::Invalid, "refused")),
        _ => match id.map(|id| RemoteId::new("", id)).or_else(|| document.cloned()) {
            Some(id) => Row::Done(id, record),
            None => Row::Unknown(with(ErrorKind::Broken, "a row that tells no id")),
        },
    })
}

/// Whether `record` tells another SKU than was sent.
fn is_another(resource: &Resource, record: &Value, permit: &Permit) -> bool {
    let sku = Leaf::sku();
    let at = resource.fields.get(&sku).and_then(|field| field.at.as_ref());
    let told = match at.and_then(|at| at.get(record)) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return false,
    };
    matches!(permit.change().leaves.value(sku.path()), Some(leaf::Value::Text(sent)) if *sent != told)
}

/// A status by the numbers of HTTP, told as a number or a text.
fn status(told: &Value) -> Option<u16> {
    match told {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn refused(status: u16) -> ErrorKind {
    match status {
        401 | 403 => ErrorKind::Denied,
        404 | 410 => ErrorKind::Gone,
        412 => ErrorKind::Stale,
        429 => ErrorKind::Busy,
        _ => ErrorKind::Invalid,
    }
}
