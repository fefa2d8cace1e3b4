//! Sales of several companies: each is made, read and changed as its own company, and its papers are read as such.
//!
//! Recorded (`tryton-8.0-more.json`): with the company filter `all` a user sees and changes the sales of all companies it is
//! given, whatever a call's context says, so every search names its company. The filter `one` will not do; the set-up is
//! refused with it.

use super::Tryton;
use super::read::{Search, ascending, id_of, model, scope, search};
use super::setup::Setup;
use super::write::document;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use syncline_connect::{Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::Value as Field;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::rules::Branch;

/// Some of the permits of a write, by their places, with the set-up they are carried out in.
type Group = (Arc<Setup>, Vec<usize>);

impl Tryton {
    /// The set-ups in which records of `kind` are looked at: of sales and their papers one for each company, else the
    /// system's own.
    pub(super) async fn looked_at(&self, ctx: &Ctx, kind: Kind) -> Result<Vec<Arc<Setup>>> {
        let mut setups = vec![self.setup(ctx).await?];
        let branches = self.config.branches.iter().filter(|_| kind == Kind::Order || kind.is_paper());
        for branch in branches {
            let setup = self.setup_since(ctx, branch, None).await?;
            if setups.iter().all(|known| known.company != setup.company) {
                setups.push(setup);
            }
        }
        Ok(setups)
    }

    /// The rows of `kind` with ids above `last` that a search finds in each set-up, by id upwards, and whether there are more.
    /// Where one answer is cut, those behind its end wait for the next page, or some in between would be left out.
    pub(super) async fn across(
        &self,
        ctx: &Ctx,
        setups: &[Arc<Setup>],
        (kind, last, limit): (Kind, i64, usize),
        domain: &(dyn Fn(&Setup) -> Vec<Value> + Sync),
        fields: &[&str],
    ) -> Result<(Vec<Value>, bool)> {
        self.across_in(ctx, setups, (model(kind)?, last, limit), domain, fields).await
    }

    /// The same for a model.
    pub(super) async fn across_in(
        &self,
        ctx: &Ctx,
        setups: &[Arc<Setup>],
        (model, last, limit): (&str, i64, usize),
        domain: &(dyn Fn(&Setup) -> Vec<Value> + Sync),
        fields: &[&str],
    ) -> Result<(Vec<Value>, bool)> {
        let (mut rows, mut end): (Vec<(i64, Value)>, Option<i64>) = (Vec::new(), None);
        for setup in setups {
            let params = json!([domain(setup), 0, limit, [["id", "ASC"]], fields, setup.context()]);
            let found: Vec<Value> = self.client.read(ctx, &format!("model.{model}.search_read"), params).await?;
            let top = ascending(&found, last)?;
            if found.len() == limit {
                end = Some(end.map_or(top, |end| end.min(top)));
            }
            for row in found {
                rows.push((id_of(&row)?, row));
            }
        }
        rows.retain(|(id, _)| end.is_none_or(|end| *id <= end));
        rows.sort_by_key(|(id, _)| *id);
        Ok((rows.into_iter().map(|(_, row)| row).collect(), end.is_some()))
    }

    /// The sales `ids`, by id, each with how far its papers have come; those that are not there are left out.
    pub(super) async fn sales(&self, ctx: &Ctx, ids: &[i64]) -> Result<BTreeMap<i64, Result<Snapshot>>> {
        let mut found = BTreeMap::new();
        for (setup, own) in self.owners(ctx, Kind::Order, ids).await? {
            let mut told = self.stands(ctx, &setup, &own).await?;
            self.with_levels(ctx, &setup, &mut told).await?;
            found.append(&mut told);
        }
        Ok(found)
    }

    /// The documents `ids` of `kind` by the company they are in; those that are not there are left out, unless there is one
    /// company only.
    pub(super) async fn owners(&self, ctx: &Ctx, kind: Kind, ids: &[i64]) -> Result<Vec<(Arc<Setup>, Vec<i64>)>> {
        let setups = self.looked_at(ctx, kind).await?;
        if let [only] = setups.as_slice() {
            return Ok(vec![(Arc::clone(only), ids.to_vec())]);
        }
        let (mut open, mut groups) = (ids.to_vec(), Vec::new());
        for setup in &setups {
            let mut domain = scope(kind, setup, true);
            domain.push(json!(["id", "in", open]));
            let wanted = Search { kind, domain, limit: open.len().max(1), fields: &["_timestamp"] };
            let rows = search(&self.client, ctx, setup, wanted).await?;
            let own: Vec<i64> = rows.iter().map(id_of).collect::<Result<_>>()?;
            open.retain(|id| !own.contains(id));
            groups.push((Arc::clone(setup), own));
        }
        // A search may lag behind what was just written; a read does not.
        for (setup, own) in &mut groups {
            for id in std::mem::take(&mut open) {
                if self.is_of(ctx, setup, kind, id).await? { own.push(id) } else { open.push(id) }
            }
        }
        Ok(groups)
    }

    /// Whether a document of `kind` belongs to the company of `setup`.
    async fn is_of(&self, ctx: &Ctx, setup: &Setup, kind: Kind, id: i64) -> Result<bool> {
        let params = json!([[id], ["company"], setup.context()]);
        let answer: Result<Vec<Value>> = self.client.read(ctx, &format!("model.{}.read", model(kind)?), params).await;
        match answer {
            Ok(rows) => Ok(rows.iter().any(|row| row.get("company").and_then(Value::as_i64) == Some(setup.company))),
            Err(error) if error.kind == ErrorKind::Gone || is_anothers(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What became of each permit of a write of sales: one call for each company that is concerned.
    pub(super) async fn carry_out_sales(&self, ctx: &Ctx, step: &Step, permits: &[Permit]) -> Vec<Outcome> {
        let groups = match step {
            Step::Create => self.by_branch(ctx, permits).await,
            _ => self.by_owner(ctx, permits).await,
        };
        let groups = match groups {
            Ok(groups) => groups,
            Err(error) => return permits.iter().map(|_| Outcome::Refused(error.clone())).collect(),
        };
        let mut outcomes: Vec<Option<Outcome>> = permits.iter().map(|_| None).collect();
        for (setup, places) in groups {
            let some: Vec<&Permit> = places.iter().filter_map(|at| permits.get(*at)).collect();
            let became = self.carry_out_in(ctx, setup, step, &some).await;
            for (at, outcome) in places.into_iter().zip(became) {
                if let Some(place) = outcomes.get_mut(at) {
                    *place = Some(outcome);
                }
            }
        }
        let nobodys = |permit: &Permit| {
            let id = permit.change().document.as_ref().map_or_else(String::new, ToString::to_string);
            let what = format!("sale {id} is in no company that the file names, or is there no more");
            Outcome::Refused(Error::new(ErrorKind::Gone, what))
        };
        outcomes.into_iter().zip(permits).map(|(one, permit)| one.unwrap_or_else(|| nobodys(permit))).collect()
    }

    /// Creates by the branch they are wished for.
    async fn by_branch(&self, ctx: &Ctx, permits: &[Permit]) -> Result<Vec<Group>> {
        let mut places: BTreeMap<Branch, Vec<usize>> = BTreeMap::new();
        for (at, permit) in permits.iter().enumerate() {
            places.entry(branch_of(permit.change())).or_default().push(at);
        }
        let mut groups = Vec::new();
        for (branch, places) in places {
            groups.push((self.setup_since(ctx, &branch, None).await?, places));
        }
        Ok(groups)
    }

    /// Other steps by the company their document is in.
    async fn by_owner(&self, ctx: &Ctx, permits: &[Permit]) -> Result<Vec<Group>> {
        let ids: Vec<i64> = permits.iter().map(|permit| document(permit.change())).collect::<Result<_>>()?;
        let owners = self.owners(ctx, Kind::Order, &ids).await?;
        let places =
            |own: &[i64]| (0..ids.len()).filter(|at| ids.get(*at).is_some_and(|id| own.contains(id))).collect();
        Ok(owners
            .into_iter()
            .map(|(setup, own)| (setup, places(&own)))
            .filter(|(_, at): &Group| !at.is_empty())
            .collect())
    }
}

/// Where a sale is to be booked.
fn branch_of(change: &Change) -> Branch {
    let text = |field: &'static str| match change.leaves.value(&Path::field(field)) {
        Some(Field::Text(name)) => Some(name.clone()),
        _ => None,
    };
    Branch { company: text("branch.company"), web_shop: text("branch.web_shop"), warehouse: text("branch.warehouse") }
}

/// Whether a read was refused because the record belongs to another company.
fn is_anothers(error: &Error) -> bool {
    error.kind == ErrorKind::Invalid && error.message.contains("not allowed to read records")
}
