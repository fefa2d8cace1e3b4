//! Changes Tryton: each call carries the notes of what it brings about, is sent once, and is read back.

use super::Tryton;
use super::client::Failed;
use super::map::{self, Leveling, PartyEdit, Wrong};
use super::read::{Search, model, search};
use super::setup::Setup;
use super::wire::{PRODUCT_FIELDS, ProductRow, SaleRow};
use super::wire_party::PartyRow;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use syncline_connect::{Ctx, Effect, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Target, Value as Field};
use syncline_core::policy::ErrorKind;

/// What a call that carries `permits` can change: their notes, and no first byte after the earliest deadline.
pub(super) fn effect(permits: &[&Permit]) -> Effect {
    let deadline = permits.iter().map(|permit| permit.deadline()).min().unwrap_or(jiff::Timestamp::MIN);
    Effect::Write { notes: permits.iter().map(|permit| permit.note()).collect(), deadline }
}

/// What a failed call means for one of the permits it carried.
pub(super) fn outcome(failed: &Failed) -> Outcome {
    match failed {
        Failed::Refused(error) | Failed::Asked(_, error) => Outcome::Refused(error.clone()),
        Failed::Unknown(error) => Outcome::Unknown { learned: None, error: error.clone() },
    }
}

/// The document of `change`, which is told for every step but a create.
pub(super) fn document(change: &Change) -> Result<i64> {
    let missing = || Error::new(ErrorKind::Invalid, format!("{} names no document", change.step));
    map::number(change.document.as_ref().ok_or_else(missing)?)
}

impl Tryton {
    /// What became of each permit.
    pub(super) async fn carry_out(&self, ctx: &Ctx, permits: Vec<Permit>) -> Vec<Outcome> {
        let Some(first) = permits.first() else { return Vec::new() };
        let (kind, step) = (first.change().kind, first.change().step.clone());
        let refuse_all = |error: Error| permits.iter().map(|_| Outcome::Refused(error.clone())).collect();
        if permits.iter().any(|permit| permit.change().kind != kind || permit.change().step != step) {
            return refuse_all(Error::new(ErrorKind::Unsupported, "one write carries one kind and one step"));
        }
        match (kind, &step) {
            (Kind::Order, _) => return self.carry_out_sales(ctx, &step, &permits).await,
            (Kind::Credit, _) => return self.carry_out_notes(ctx, &permits).await,
            (Kind::Payment, Step::Create | Step::Attach(_)) => return self.book_payments(ctx, &permits).await,
            _ => {}
        }
        let setup = match self.setup(ctx).await {
            Ok(setup) => setup,
            Err(error) => return refuse_all(error),
        };
        match (kind, &step) {
            (Kind::Customer, Step::Create) => {
                self.create_parties(ctx, setup, &permits.iter().collect::<Vec<_>>()).await
            }
            (Kind::Customer, Step::Attach(part)) if part == "addresses" => {
                let mut outcomes = Vec::new();
                for permit in &permits {
                    outcomes.push(self.attach(ctx, &setup, permit).await.unwrap_or_else(|outcome| outcome));
                }
                outcomes
            }
            (Kind::Customer, Step::Update) => {
                let mut outcomes = Vec::new();
                for permit in &permits {
                    outcomes.push(self.edit_party(ctx, &setup, permit).await.unwrap_or_else(|outcome| outcome));
                }
                outcomes
            }
            (Kind::Category, Step::Update) => {
                let mut outcomes = Vec::new();
                for permit in &permits {
                    outcomes.push(self.edit_category(ctx, &setup, permit).await.unwrap_or_else(|outcome| outcome));
                }
                outcomes
            }
            (Kind::Variant, Step::Update) => {
                let mut outcomes = Vec::new();
                for permit in &permits {
                    outcomes.push(self.edit_product(ctx, &setup, permit).await.unwrap_or_else(|outcome| outcome));
                }
                outcomes
            }
            (Kind::Product, Step::Update) => {
                let mut outcomes = Vec::new();
                for permit in &permits {
                    outcomes.push(self.edit_family(ctx, &setup, permit).await.unwrap_or_else(|outcome| outcome));
                }
                outcomes
            }
            _ => refuse_all(ungiven(kind, &step)),
        }
    }

    /// What became of permits of sales of one company.
    pub(super) async fn carry_out_in(
        &self,
        ctx: &Ctx,
        setup: Arc<Setup>,
        step: &Step,
        permits: &[&Permit],
    ) -> Vec<Outcome> {
        match step {
            Step::Create => self.create_sales(ctx, setup, permits).await,
            Step::Lines => {
                let mut outcomes = Vec::new();
                for permit in permits {
                    outcomes.push(self.level(ctx, &setup, permit).await.unwrap_or_else(|outcome| outcome));
                }
                outcomes
            }
            Step::Advance(stage) if self.stages().contains(stage) => self.button(ctx, &setup, stage, permits).await,
            Step::Amend => {
                let mut outcomes = Vec::new();
                for permit in permits {
                    outcomes.push(self.amend(ctx, &setup, permit).await.unwrap_or_else(|outcome| outcome));
                }
                outcomes
            }
            Step::Cancel => {
                let mut outcomes = Vec::new();
                for permit in permits {
                    outcomes.push(self.withdraw(ctx, &setup, permit).await.unwrap_or_else(|outcome| outcome));
                }
                outcomes
            }
            Step::Delete => self.button(ctx, &setup, "delete", permits).await,
            _ => permits.iter().map(|_| Outcome::Refused(ungiven(Kind::Order, step))).collect(),
        }
    }

    fn stages(&self) -> &[String] {
        self.profile.kinds.get(&Kind::Order).map_or(&[], |orders| &orders.stages)
    }

    async fn create_parties(&self, ctx: &Ctx, setup: Arc<Setup>, permits: &[&Permit]) -> Vec<Outcome> {
        let make = |setup: &Setup| permits.iter().map(|permit| map::new_party(permit.change(), setup)).collect();
        let (setup, made) = self.made(ctx, setup, make).await;
        self.create(ctx, &setup, Kind::Customer, permits, made).await
    }

    async fn create_sales(&self, ctx: &Ctx, setup: Arc<Setup>, permits: &[&Permit]) -> Vec<Outcome> {
        let products = match self.products(ctx, &setup, permits).await {
            Ok(products) => products,
            Err(error) => return permits.iter().map(|_| Outcome::Refused(error.clone())).collect(),
        };
        let make =
            |setup: &Setup| permits.iter().map(|permit| map::new_sale(permit.change(), setup, &products)).collect();
        let (setup, made) = self.made(ctx, setup, make).await;
        self.create(ctx, &setup, Kind::Order, permits, made).await
    }

    /// What `make` makes of the set-up; made once more from one read anew where a code was not found.
    pub(super) async fn made<T>(
        &self,
        ctx: &Ctx,
        setup: Arc<Setup>,
        make: impl Fn(&Setup) -> Vec<std::result::Result<T, Wrong>> + Send,
    ) -> (Arc<Setup>, Vec<Result<T>>)
    where
        T: Send,
    {
        let plain = |made: Vec<std::result::Result<T, Wrong>>| -> Vec<Result<T>> {
            made.into_iter().map(|one| one.map_err(|wrong| wrong.error)).collect()
        };
        let made = make(&setup);
        if !made.iter().any(|one| one.as_ref().is_err_and(|wrong| wrong.missing)) {
            return (setup, plain(made));
        }
        match self.fresh_setup_of(ctx, &setup.branch).await {
            Ok(fresh) if fresh.read_at != setup.read_at => {
                let made = plain(make(&fresh));
                (fresh, made)
            }
            _ => (setup, plain(made)),
        }
    }

    /// What `make` makes of the set-up for one write, as `made` does; refused where it cannot be made.
    pub(super) async fn made_one<T>(
        &self,
        ctx: &Ctx,
        setup: &Arc<Setup>,
        make: impl Fn(&Setup) -> std::result::Result<T, Wrong> + Send,
    ) -> std::result::Result<(Arc<Setup>, T), Outcome>
    where
        T: Send,
    {
        let (setup, made) = self.made(ctx, Arc::clone(setup), move |setup| vec![make(setup)]).await;
        let lacking = || Error::new(ErrorKind::Invalid, "there is nothing to write");
        let made = made.into_iter().next().ok_or_else(lacking).flatten().map_err(Outcome::Refused)?;
        Ok((setup, made))
    }

    /// The products the lines of `permits` refer to, by id, in one call; retired ones are left out.
    async fn products(&self, ctx: &Ctx, setup: &Setup, permits: &[&Permit]) -> Result<BTreeMap<i64, ProductRow>> {
        let mut ids = BTreeSet::new();
        for permit in permits {
            for (path, value) in permit.change().leaves.iter() {
                if let (Some((_, "variant")), Some(Field::Ref(variant))) = (path.within("lines"), value)
                    && let Target::Remote(id) = &variant.to
                    && let Ok(id) = map::number(id)
                {
                    ids.insert(id);
                }
            }
        }
        let mut found = BTreeMap::new();
        let ids: Vec<i64> = ids.into_iter().collect();
        for some in ids.chunks(500) {
            let domain = vec![json!(["id", "in", some])];
            let wanted = Search { kind: Kind::Stock, domain, limit: some.len(), fields: &PRODUCT_FIELDS };
            for row in search(&self.client, ctx, setup, wanted).await? {
                let row: ProductRow = shaped(row)?;
                found.insert(row.id, row);
            }
        }
        Ok(found)
    }

    /// One create of all that could be made; each is read back.
    async fn create<T: Serialize + Send + Sync>(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        kind: Kind,
        permits: &[&Permit],
        made: Vec<Result<T>>,
    ) -> Vec<Outcome> {
        let (mut sent, mut bodies, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
        for (permit, made) in permits.iter().zip(made) {
            match made {
                Ok(body) => {
                    sent.push(*permit);
                    bodies.push(body);
                    outcomes.push(None);
                }
                Err(error) => outcomes.push(Some(Outcome::Refused(error))),
            }
        }
        let mut created = match sent.is_empty() {
            true => Vec::new(),
            false => self.created(ctx, setup, kind, &sent, &bodies).await,
        }
        .into_iter();
        let lost = || {
            let error = Error::new(ErrorKind::Broken, "no outcome was kept for it");
            Outcome::Unknown { learned: None, error }
        };
        outcomes.into_iter().map(|done| done.or_else(|| created.next()).unwrap_or_else(lost)).collect()
    }

    /// What became of each of `sent`, made of `bodies` in one call.
    async fn created<T: Serialize + Send + Sync>(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        kind: Kind,
        sent: &[&Permit],
        bodies: &[T],
    ) -> Vec<Outcome> {
        let all = |error: Error| -> Vec<Outcome> {
            sent.iter().map(|_| Outcome::Unknown { learned: None, error: error.clone() }).collect()
        };
        let method = match model(kind) {
            Ok(model) => format!("model.{model}.create"),
            Err(error) => return sent.iter().map(|_| Outcome::Refused(error.clone())).collect(),
        };
        let params = json!([bodies, setup.context()]);
        let answer = match self.client.write(ctx, &method, params, effect(sent)).await {
            Ok(answer) => answer,
            Err(failed) => return sent.iter().map(|_| outcome(&failed)).collect(),
        };
        match shaped::<Vec<i64>>(answer) {
            Ok(ids) if ids.len() == sent.len() => self.read_back(ctx, setup, kind, &ids).await,
            Ok(ids) => {
                let message = format!("{} ids came back for {} documents", ids.len(), sent.len());
                all(Error::new(ErrorKind::Broken, message))
            }
            Err(error) => all(error),
        }
    }

    /// Each of `ids` as it stands after a write.
    async fn read_back(&self, ctx: &Ctx, setup: &Setup, kind: Kind, ids: &[i64]) -> Vec<Outcome> {
        let mut found = self.documents(ctx, setup, kind, ids).await;
        let one = |id: &i64| {
            let unknown = |error: Error| Outcome::Unknown { learned: Some(map::remote(*id)), error };
            match found.as_mut().map(|found| found.remove(id)) {
                Ok(Some(Ok(snapshot))) => Outcome::Done(Box::new(snapshot)),
                Ok(Some(Err(error))) => unknown(error),
                Ok(None) => {
                    let message = format!("{kind} {id} was written but cannot be read back");
                    unknown(Error::new(ErrorKind::Gone, message))
                }
                Err(error) => unknown(error.clone()),
            }
        };
        ids.iter().map(one).collect()
    }

    /// One written document as it stands after.
    pub(super) async fn one_back(&self, ctx: &Ctx, setup: &Setup, kind: Kind, id: i64) -> Outcome {
        let lost = || Outcome::Unknown {
            learned: Some(map::remote(id)),
            error: Error::new(ErrorKind::Broken, format!("{kind} {id} cannot be read back")),
        };
        self.read_back(ctx, setup, kind, &[id]).await.into_iter().next().unwrap_or_else(lost)
    }

    /// The row of the document of `kind` a permit is for.
    pub(super) async fn row<T: DeserializeOwned>(&self, ctx: &Ctx, setup: &Setup, kind: Kind, id: i64) -> Result<T> {
        let rows = self.rows(ctx, setup, kind, &[id]).await?;
        let gone = || Error::new(ErrorKind::Gone, format!("{kind} {id} is not there in Tryton any more"));
        shaped(rows.into_iter().next().ok_or_else(gone)?)
    }

    /// New addresses for a party. Through the party, so that its version guards against a second one.
    async fn attach(&self, ctx: &Ctx, setup: &Arc<Setup>, permit: &Permit) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let id = document(change).map_err(Outcome::Refused)?;
        let row: PartyRow = self.row(ctx, setup, Kind::Customer, id).await.map_err(Outcome::Refused)?;
        let make = |setup: &Setup| map::attach_party(change, &row, setup);
        let (setup, additions) = self.made_one(ctx, setup, make).await?;
        let Some(additions) = additions else { return Ok(self.one_back(ctx, &setup, Kind::Customer, id).await) };
        let values = serde_json::to_value(additions).map_err(|error| Outcome::Refused(unwritable(&error)))?;
        self.guarded_write(ctx, &setup, permit, id, row.version.as_deref(), values).await
    }

    /// Fields of a party and of what hangs on it, each in the version it was read in. Through the party, which its own
    /// version guards; addresses can be changed without it, so that each is guarded by its own.
    async fn edit_party(
        &self,
        ctx: &Ctx,
        setup: &Arc<Setup>,
        permit: &Permit,
    ) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let id = document(change).map_err(Outcome::Refused)?;
        let row: PartyRow = self.row(ctx, setup, Kind::Customer, id).await.map_err(Outcome::Refused)?;
        let make = |setup: &Setup| map::edit_party(change, &row, setup);
        let (setup, edit): (_, PartyEdit) = self.made_one(ctx, setup, make).await?;
        let model = model(Kind::Customer).map_err(Outcome::Refused)?;
        let mut versions: Vec<(&str, i64, &str)> =
            edit.versions.iter().map(|(model, id, version)| (*model, *id, version.as_str())).collect();
        let version = change.expect.as_deref().or(row.version.as_deref());
        versions.extend(version.map(|version| (model, id, version)));
        let params = json!([[id], edit.values, setup.guarded_each(&versions)]);
        let sent = self.client.write(ctx, &format!("model.{model}.write"), params, effect(&[permit])).await;
        sent.map_err(|failed| outcome(&failed))?;
        Ok(self.one_back(ctx, &setup, Kind::Customer, id).await)
    }

    /// The rounding line of a draft at its wanted level.
    async fn level(&self, ctx: &Ctx, setup: &Arc<Setup>, permit: &Permit) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let id = document(change).map_err(Outcome::Refused)?;
        let row: SaleRow = self.row(ctx, setup, Kind::Order, id).await.map_err(Outcome::Refused)?;
        let make = |setup: &Setup| map::rounding_level(change, &row, setup, &self.codes);
        let (setup, leveling) = self.made_one(ctx, setup, make).await?;
        match leveling {
            Leveling::Nothing => Ok(self.one_back(ctx, &setup, Kind::Order, id).await),
            Leveling::Commands(commands) => {
                let values = json!({"lines": commands});
                self.guarded_write(ctx, &setup, permit, id, row.version.as_deref(), values).await
            }
        }
    }

    /// `values` written to one document, unless it is no longer in the version the change was planned on,
    /// or, where the plan names none, in the version just read.
    async fn guarded_write(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        permit: &Permit,
        id: i64,
        read: Option<&str>,
        values: Value,
    ) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let model = model(change.kind).map_err(Outcome::Refused)?;
        let version = change.expect.as_deref().or(read);
        let context = setup.guarded(model, &version.map(|version| (id, version)).into_iter().collect::<Vec<_>>());
        let params = json!([[id], values, context]);
        let sent = self.client.write(ctx, &format!("model.{model}.write"), params, effect(&[permit])).await;
        sent.map_err(|failed| outcome(&failed))?;
        Ok(self.one_back(ctx, setup, change.kind, id).await)
    }

    /// A button of sales, or their deletion: one call for all, each guarded by the version it was planned on.
    async fn button(&self, ctx: &Ctx, setup: &Setup, name: &str, permits: &[&Permit]) -> Vec<Outcome> {
        let ids: Result<Vec<i64>> = permits.iter().map(|permit| document(permit.change())).collect();
        let ids = match ids {
            Ok(ids) => ids,
            Err(error) => return permits.iter().map(|_| Outcome::Refused(error.clone())).collect(),
        };
        let changes = ids.iter().zip(permits.iter().map(|permit| permit.change()));
        let versions: Vec<(i64, &str)> =
            changes.filter_map(|(id, change)| Some((*id, change.expect.as_deref()?))).collect();
        let params = json!([ids, setup.guarded("sale.sale", &versions)]);
        let sent = effect(permits);
        if let Err(failed) = self.client.write(ctx, &format!("model.sale.sale.{name}"), params, sent).await {
            return permits.iter().map(|_| outcome(&failed)).collect();
        }
        if name == "delete" {
            return ids.iter().map(|id| Outcome::Done(Box::new(deleted(*id)))).collect();
        }
        self.read_back(ctx, setup, Kind::Order, &ids).await
    }
}

pub(super) fn ungiven(kind: Kind, step: &Step) -> Error {
    Error::new(ErrorKind::Unsupported, format!("Tryton is given no {step} of a {kind}"))
}

/// A document that is there no more.
fn deleted(id: i64) -> Snapshot {
    Snapshot { id: map::remote(id), mark: None, found_by: None, version: None, records: Vec::new(), evidence: None }
}

pub(super) fn shaped<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value)
        .map_err(|error| Error::new(ErrorKind::Broken, format!("Tryton answered in another shape: {error}")))
}

pub(super) fn unwritable(error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Broken, format!("the change cannot be written as JSON: {error}"))
}
