//! Credit notes that Tryton is given: what was given back in a shop, made as a draft that carries our mark, brought to the
//! cent, and posted.
//!
//! The mark stands in the reference, behind the shop's number. Neither the wizard that credits an invoice nor a copy of one
//! takes it along, as both do with the description (`Invoice._credit`, `Invoice.copy` of `trytond_account_invoice` 8.0.2).

use super::Tryton;
use super::client::Failed;
use super::map::{self, Billing, Leveling, Notebook};
use super::read::{LONG_PAGE, Search, ascending, id_of, scope, search, typed};
use super::setup::{Setup, charge_product};
use super::wire_note::{BILLED_FIELDS, GIVEN_FIELDS, NOTE_FIELDS, NoteRow};
use super::write::{effect, outcome, shaped, ungiven};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use syncline_connect::{Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::{Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::mark::is_mark;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, Record, paper_apart};

/// The stage a credit note is in force from; also the button that brings it there.
pub(super) const POST: &str = "post";
/// What the name of the warning ends with by which a person is asked about taxes that a product does not have by itself.
const OF_TAXES: &str = ".invoice_taxes";

/// Our mark on a credit note: the last word of its reference.
pub(super) fn mark_of(row: &Value) -> Option<String> {
    let last = row.get("reference").and_then(Value::as_str)?.split_whitespace().last()?;
    is_mark(last).then(|| last.to_string())
}

/// The sale and the invoice in the id of a credit note.
fn apart(id: &RemoteId) -> Result<(i64, i64)> {
    let parts = paper_apart(id).and_then(|(sale, own)| Some((map::number(&sale).ok()?, own.parse().ok()?)));
    parts.ok_or_else(|| Error::new(ErrorKind::Gone, format!("`{id}` is no id of a credit note below a sale")))
}

impl Tryton {
    /// What became of each permit about a credit note.
    pub(super) async fn carry_out_notes(&self, ctx: &Ctx, permits: &[Permit]) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for permit in permits {
            let became = match &permit.change().step {
                Step::Create => self.make_note(ctx, permit).await,
                Step::Lines => self.level_note(ctx, permit).await,
                Step::Advance(stage) if stage == POST => self.post_note(ctx, permit).await,
                Step::Delete => self.delete_note(ctx, permit).await,
                step => Err(Outcome::Refused(ungiven(Kind::Credit, step))),
            };
            outcomes.push(became.unwrap_or_else(|outcome| outcome));
        }
        outcomes
    }

    async fn make_note(&self, ctx: &Ctx, permit: &Permit) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let sale = sale_of(change).map_err(Outcome::Refused)?;
        let (setup, billing) = self.book_of(ctx, sale).await.map_err(Outcome::Refused)?;
        let beside = match change.leaves.value(&Path::element("charges", "adjustment").dot("net")) {
            Some(_) => {
                let reader = super::reader::Reader::of(&self.client, ctx, setup.company);
                let found = charge_product(&reader, &self.codes.adjustment, "amounts", &mut Vec::new()).await;
                found.map_err(Outcome::Refused)?
            }
            None => None,
        };
        let make = |setup: &Setup| {
            let (billing, codes, beside) = (&billing, &self.codes, beside.as_ref());
            map::new_note(change, &Notebook { billing, setup, codes, beside })
        };
        let (setup, note) = self.made_one(ctx, &setup, make).await?;
        let params = json!([[note], setup.context()]);
        let sent = self.client.write(ctx, "model.account.invoice.create", params, effect(&[permit])).await;
        let answer = sent.map_err(|failed| outcome(&failed))?;
        match shaped::<Vec<i64>>(answer).as_deref() {
            Ok([id]) => Ok(self.note_back(ctx, &map::paper_id(sale, *id)).await),
            Ok(ids) => {
                let what = format!("{} ids came back for one credit note", ids.len());
                Err(Outcome::Unknown { learned: None, error: Error::new(ErrorKind::Broken, what) })
            }
            Err(error) => Err(Outcome::Unknown { learned: None, error: error.clone() }),
        }
    }

    /// The rounding line of a draft at its wanted level.
    async fn level_note(&self, ctx: &Ctx, permit: &Permit) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let id = named(change)?;
        let (setup, row) = self.note_row(ctx, id).await.map_err(Outcome::Refused)?;
        let make = |setup: &Setup| map::leveled_note(change, &row, setup, &self.codes);
        let (setup, leveling) = self.made_one(ctx, &setup, make).await?;
        if let Leveling::Commands(commands) = leveling {
            let params = json!([[row.id], {"lines": commands}, self.guarded_note(change, &row, &setup)]);
            let sent = self.client.write(ctx, "model.account.invoice.write", params, effect(&[permit])).await;
            sent.map_err(|failed| outcome(&failed))?;
        }
        Ok(self.note_back(ctx, id).await)
    }

    /// Puts a draft in force. Where a person would be asked about taxes that products do not have by themselves, that is
    /// said to be right first, for this one: they are those of the invoice it gives back of. Each is a write of its own.
    async fn post_note(&self, ctx: &Ctx, permit: &Permit) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let id = named(change)?;
        let (setup, row) = self.note_row(ctx, id).await.map_err(Outcome::Refused)?;
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&row.id);
        if let Some(name) = asked {
            let params = json!([name, false, setup.context()]);
            let sent = self.client.write(ctx, "model.res.user.warning.skip", params, effect(&[permit])).await;
            sent.map_err(|failed| outcome(&failed))?;
            return Ok(self.note_back(ctx, id).await);
        }
        let params = json!([[row.id], self.guarded_note(change, &row, &setup)]);
        match self.client.write(ctx, "model.account.invoice.post", params, effect(&[permit])).await {
            Ok(_) => Ok(self.note_back(ctx, id).await),
            Err(Failed::Asked(name, error)) if name.ends_with(OF_TAXES) => {
                self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(row.id, name);
                Err(Outcome::Refused(Error { kind: ErrorKind::Stale, ..error }))
            }
            Err(failed) => Err(outcome(&failed)),
        }
    }

    async fn delete_note(&self, ctx: &Ctx, permit: &Permit) -> std::result::Result<Outcome, Outcome> {
        let id = named(permit.change())?;
        let (setup, row) = self.note_row(ctx, id).await.map_err(Outcome::Refused)?;
        let params = json!([[row.id], self.guarded_note(permit.change(), &row, &setup)]);
        let sent = self.client.write(ctx, "model.account.invoice.delete", params, effect(&[permit])).await;
        sent.map_err(|failed| outcome(&failed))?;
        let (mark, found_by, version) = (None, None, None);
        let gone = Snapshot { id: id.clone(), mark, found_by, version, records: Vec::new(), evidence: None };
        Ok(Outcome::Done(Box::new(gone)))
    }

    /// A credit note as it stands after a write.
    async fn note_back(&self, ctx: &Ctx, id: &RemoteId) -> Outcome {
        let read = self.papers(ctx, Kind::Credit, std::slice::from_ref(id)).await.pop();
        let unknown = |error: Error| Outcome::Unknown { learned: Some(id.clone()), error };
        match read {
            Some(Ok(Some(snapshot))) => Outcome::Done(Box::new(snapshot)),
            Some(Err(error)) => unknown(error),
            _ => unknown(Error::new(ErrorKind::Gone, format!("credit {id} was written but cannot be read back"))),
        }
    }

    /// The context of a call about a note that is refused where it is not as it was read: by the plan, else just now.
    fn guarded_note(&self, change: &Change, row: &NoteRow, setup: &Setup) -> Value {
        // The stamp of the document itself comes first in its version.
        let planned = change.expect.as_deref().and_then(|version| version.split_whitespace().next());
        let version = planned.or(row.version.as_deref());
        setup.guarded("account.invoice", &version.map(|version| (row.id, version)).into_iter().collect::<Vec<_>>())
    }

    /// A credit note with the set-up of its company.
    async fn note_row(&self, ctx: &Ctx, id: &RemoteId) -> Result<(Arc<Setup>, NoteRow)> {
        let (_, own) = apart(id)?;
        for (setup, ids) in self.owners(ctx, Kind::Credit, &[own]).await? {
            if ids.contains(&own) {
                let rows = self.rows_asked(ctx, &setup, Kind::Credit, &[own], &NOTE_FIELDS).await?;
                if let Some(row) = rows.first() {
                    return Ok((setup, typed(row, "credit note")?));
                }
            }
        }
        Err(Error::new(ErrorKind::Gone, format!("credit {id} is not there in Tryton any more")))
    }

    /// The credits that carry `mark`, below `order` where that is told.
    pub(super) async fn find_notes(&self, ctx: &Ctx, order: Option<&RemoteId>, mark: &Mark) -> Result<Vec<Snapshot>> {
        let mut found = Vec::new();
        for setup in self.looked_at(ctx, Kind::Credit).await? {
            let mut domain = scope(Kind::Credit, &setup, true);
            domain.push(json!(["reference", "like", format!("%{}", mark.as_str())]));
            let fields = super::papers::fields(Kind::Credit, &setup);
            let rows = search(
                &self.client,
                ctx,
                &setup,
                Search { kind: Kind::Credit, domain, limit: LONG_PAGE, fields: &fields },
            );
            let rows: Vec<Value> =
                rows.await?.into_iter().filter(|row| mark_of(row).as_deref() == Some(mark.as_str())).collect();
            for seen in self.papers_told(ctx, &setup, Kind::Credit, &rows).await? {
                found.push(seen.snapshot?);
            }
        }
        let is_below = |snapshot: &Snapshot| paper_apart(&snapshot.id).map(|(sale, _)| sale.id);
        found.retain(|snapshot| order.is_none_or(|order| is_below(snapshot).as_ref() == Some(&order.id)));
        let (withdrawn, in_force): (Vec<_>, Vec<_>) = found.into_iter().partition(is_void);
        Ok(if in_force.is_empty() { withdrawn } else { in_force })
    }

    /// What is billed of a sale, and given back of it, with the set-up of its company.
    async fn book_of(&self, ctx: &Ctx, sale: i64) -> Result<(Arc<Setup>, Billing)> {
        for (setup, ids) in self.owners(ctx, Kind::Order, &[sale]).await? {
            if ids.contains(&sale) {
                let lines =
                    self.rows_with(ctx, &setup, ("sale.line", "sale"), &BTreeSet::from([sale]), &["type"]).await?;
                let lines = lines.iter().map(id_of).collect::<Result<_>>()?;
                let billing = self.billing(ctx, &setup, &lines).await?;
                return Ok((setup, billing));
            }
        }
        Err(Error::new(ErrorKind::Gone, format!("sale {sale} is not there in Tryton any more")))
    }

    /// What invoices in force ask money for of these lines of sales, and what credit notes have given back of it.
    async fn billing(&self, ctx: &Ctx, setup: &Setup, lines: &BTreeSet<i64>) -> Result<Billing> {
        let of = |model: &str, ids: &BTreeSet<i64>| ids.iter().map(|id| format!("{model},{id}")).collect::<Vec<_>>();
        let in_force = json!(["invoice.state", "in", ["posted", "paid"]]);
        let rows = self.lines_from(ctx, setup, &of("sale.line", lines), &in_force, &BILLED_FIELDS).await?;
        let ids = rows.iter().map(id_of).collect::<Result<BTreeSet<i64>>>()?;
        let not_off = json!(["invoice.state", "!=", "cancelled"]);
        let given = self.lines_from(ctx, setup, &of("account.invoice.line", &ids), &not_off, &GIVEN_FIELDS).await?;
        Ok(Billing {
            billed: rows.iter().map(|row| typed(row, "line of an invoice")).collect::<Result<_>>()?,
            given: given.iter().map(|row| typed(row, "line of a credit note")).collect::<Result<_>>()?,
        })
    }

    /// The lines of invoices that come from `origins`, by id upwards.
    async fn lines_from(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        origins: &[String],
        state: &Value,
        fields: &[&str],
    ) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for some in origins.chunks(LONG_PAGE) {
            let mut last = 0;
            loop {
                let domain = json!([["origin", "in", some], state, ["id", ">", last]]);
                let params = json!([domain, 0, LONG_PAGE, [["id", "ASC"]], fields, setup.context()]);
                let found: Vec<Value> = self.client.read(ctx, "model.account.invoice.line.search_read", params).await?;
                last = ascending(&found, last)?;
                let more = found.len() >= LONG_PAGE;
                all.extend(found);
                if !more {
                    break;
                }
            }
        }
        Ok(all)
    }

    /// Notes on sales that were read how many of each line are billed and given back, where that is asked for.
    pub(super) async fn with_levels(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        sales: &mut BTreeMap<i64, Result<Snapshot>>,
    ) -> Result<()> {
        if !self.config.refunds {
            return Ok(());
        }
        let mut ids = BTreeSet::new();
        for (_, record) in sales.values().flatten().flat_map(|snapshot| &snapshot.records) {
            if let Record::Order(order) = record {
                ids.extend(order.lines.iter().filter_map(|(key, _)| map::element_id(key)));
            }
        }
        let levels = self.billing(ctx, setup, &ids).await?.levels(&self.codes);
        for (_, record) in sales.values_mut().flatten().flat_map(|snapshot| &mut snapshot.records) {
            let Record::Order(order) = record else { continue };
            for (key, line) in order.lines.iter_mut().filter(|(_, line)| line.quantity.is_some()) {
                let (billed, given) = map::element_id(key).and_then(|id| levels.get(&id)).copied().unwrap_or_default();
                (line.had.invoiced, line.had.refunded) = (Some(billed.normalize()), Some(given.normalize()));
            }
        }
        Ok(())
    }
}

/// The sale a credit note is to be made for.
fn sale_of(change: &Change) -> Result<i64> {
    let named = change.elements.get(&Paper::order_path());
    let missing = || Error::new(ErrorKind::Unsupported, "a credit note is made for a sale that is there");
    map::number(&RemoteId::new("", named.ok_or_else(missing)?.as_str()))
}

/// The credit note a change is about.
fn named(change: &Change) -> std::result::Result<&RemoteId, Outcome> {
    let missing = || Error::new(ErrorKind::Invalid, format!("{} names no document", change.step));
    change.document.as_ref().ok_or_else(|| Outcome::Refused(missing()))
}

fn is_void(snapshot: &Snapshot) -> bool {
    let told = snapshot.records.iter().find_map(|(_, record)| record.paper());
    told.is_some_and(|paper| paper.life == Some(syncline_core::record::PaperLife::Void))
}
