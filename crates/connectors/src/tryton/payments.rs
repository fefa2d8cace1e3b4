//! Payments: what a shop took, booked on invoices by Tryton's own wizard, one invoice by each call.
//!
//! Recorded (`tryton-8.0-payments.json`): the state `pay` of `account.invoice.pay`, told beforehand that the payment is in
//! part, books it in one request and refuses what is more than the invoice asks for. Nothing keeps the same part from being
//! booked twice but the stamp of the invoice, which each payment moves: on an older one the request is refused. So the stamp
//! is read first, then our mark is looked for in what was booked on that invoice, then it is booked on that stamp: whatever
//! lands in between is found, or has moved the stamp.
//!
//! A day whose books are closed is refused (`tryton-8.0-periods.json`), and nothing is left of it. Where the file has such money
//! booked today, that is a request of its own; what Tryton calls today it is asked for, for the wizard needs a day.

use super::Tryton;
use super::client::Failed;
use super::map;
use super::papers;
use super::read::{id_of, typed};
use super::reader::Reader;
use super::setup::Setup;
use super::wire::{Coded, Day, Dec};
use super::write::{effect, outcome};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use syncline_connect::{Choice, Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::{Mark, RemoteId};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Ref, Value as Field};
use syncline_core::mark::is_mark;
use syncline_core::money::{Currency, Money};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, PaperLife, Record, paper_apart};
use syncline_core::text::shown;

const METHOD: &str = "account.invoice.payment.method";
const WIZARD: &str = "wizard.account.invoice.pay";
/// Characters of the shop's number that a description repeats.
const NUMBER: usize = 60;

/// An invoice that is about to be paid.
#[derive(Debug, Deserialize)]
struct DueRow {
    state: String,
    company: i64,
    party: i64,
    invoice_date: Option<Day>,
    currency: i64,
    #[serde(rename = "currency.")]
    coded: Coded,
    amount_to_pay: Option<Dec>,
    #[serde(rename = "_timestamp")]
    version: Option<String>,
}

const DUE: [&str; 8] =
    ["state", "company", "party", "invoice_date", "currency", "currency.code", "amount_to_pay", "_timestamp"];

/// A sale with its invoices.
#[derive(Debug, Deserialize)]
struct SoldRow {
    id: i64,
    #[serde(rename = "currency.")]
    currency: Coded,
    #[serde(default)]
    invoices: Vec<i64>,
}

const SOLD: [&str; 2] = ["currency.code", "invoices"];

/// A line of a move that was booked on an invoice as money for it.
#[derive(Debug, Deserialize)]
struct LineRow {
    invoice_payment: Option<i64>,
    debit: Dec,
    credit: Dec,
    amount_second_currency: Option<Dec>,
    #[serde(rename = "second_currency.", default)]
    second: Option<Coded>,
    #[serde(rename = "move.")]
    entry: MoveRow,
}

#[derive(Debug, Deserialize)]
struct MoveRow {
    id: i64,
    description: Option<String>,
    date: Option<Day>,
}

const LINE: [&str; 7] = [
    "invoice_payment",
    "debit",
    "credit",
    "amount_second_currency",
    "second_currency.code",
    "move.description",
    "move.date",
];

impl LineRow {
    /// Our mark on it, where it carries one: the first word of what its move is described by.
    fn mark(&self) -> Option<&str> {
        self.entry.description.as_deref()?.split_whitespace().next().filter(|word| is_mark(word))
    }

    /// What it pays, in `currency`, which the invoice is in.
    fn amount(&self, currency: Currency) -> Option<Decimal> {
        let second = self.second.as_ref().and_then(|one| one.code.as_deref());
        match (second == Some(currency.code()), self.amount_second_currency) {
            (true, Some(Dec(amount))) => Some(Decimal::ZERO - amount),
            _ => self.credit.0.checked_sub(self.debit.0),
        }
    }
}

/// One part of a payment: so much on this invoice.
#[derive(Debug, Clone, Copy)]
struct Part {
    sale: i64,
    invoice: i64,
    net: Money,
}

impl Tryton {
    /// What became of each permit to book a payment, or a part of it.
    pub(super) async fn book_payments(&self, ctx: &Ctx, permits: &[Permit]) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for permit in permits {
            outcomes.push(self.book(ctx, permit).await.unwrap_or_else(|outcome| outcome));
        }
        outcomes
    }

    async fn book(&self, ctx: &Ctx, permit: &Permit) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let part = part_of(change).map_err(Outcome::Refused)?;
        let owners = self.owners(ctx, Kind::Invoice, &[part.invoice]).await.map_err(Outcome::Refused)?;
        let owner = owners.into_iter().find(|(_, own)| !own.is_empty()).map(|(setup, _)| setup);
        let setup = owner.ok_or_else(|| Outcome::Refused(gone(part.invoice)))?;
        let due = self.due(ctx, &setup, part.invoice).await.map_err(Outcome::Refused)?;
        // Looked for after the stamp was read: what lands later moves it.
        let lines = self.paid_on(ctx, &setup, &BTreeSet::from([part.invoice])).await.map_err(Outcome::Refused)?;
        if lines.iter().any(|line| line.mark() == Some(change.mark.as_str())) {
            return Ok(self.booked_back(ctx, part.sale, &change.mark).await);
        }
        fits(&due, part).map_err(Outcome::Refused)?;
        let method = self.method(ctx, &setup, change).await.map_err(Outcome::Refused)?;
        // A session of the wizard brings nothing about by itself; one that is left behind is the server's to clear.
        let session: Value = self
            .client
            .read(ctx, &format!("{WIZARD}.create"), json!([setup.context()]))
            .await
            .map_err(Outcome::Refused)?;
        let session = session.get(0).cloned().unwrap_or_default();
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner).remove(&part.invoice);
        let today: Option<Day> = match late {
            true => Some(Day(self.today(ctx, &setup).await.map_err(Outcome::Refused)?)),
            false => None,
        };
        let params = params(&setup, (&due, part), today, (method, &session), change);
        let sent = self.client.write(ctx, &format!("{WIZARD}.execute"), params, effect(&[permit])).await;
        let _: Result<Value> =
            self.client.read(ctx, &format!("{WIZARD}.delete"), json!([session, setup.context()])).await;
        let answer = sent.map_err(|failed| outcome(&self.on_another_day(moved_on(failed), part.invoice, late)))?;
        if answer.get("view").is_some() {
            let what = format!("invoice {}: Tryton asks for more than a payment is told with", part.invoice);
            return Err(Outcome::Refused(Error::new(ErrorKind::Invalid, what)));
        }
        Ok(self.booked_back(ctx, part.sale, &change.mark).await)
    }

    /// What a refusal means where the file has money of closed periods booked today: that is still to be tried.
    fn on_another_day(&self, failed: Failed, invoice: i64, late: bool) -> Failed {
        match failed {
            Failed::Refused(error) if error.kind == ErrorKind::Closed && self.config.late_today && !late => {
                self.late.lock().unwrap_or_else(PoisonError::into_inner).insert(invoice);
                Failed::Refused(Error { kind: ErrorKind::Stale, ..error })
            }
            other => other,
        }
    }

    /// An invoice as it stands now.
    async fn due(&self, ctx: &Ctx, setup: &Setup, invoice: i64) -> Result<DueRow> {
        let rows = self.rows_asked(ctx, setup, Kind::Invoice, &[invoice], &DUE).await?;
        typed(rows.first().ok_or_else(|| gone(invoice))?, "invoice")
    }

    /// The lines that were booked on `invoices` as money for them.
    async fn paid_on(&self, ctx: &Ctx, setup: &Setup, invoices: &BTreeSet<i64>) -> Result<Vec<LineRow>> {
        if invoices.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.rows_with(ctx, setup, ("account.move.line", "invoice_payment"), invoices, &LINE).await?;
        rows.iter().map(|row| typed(row, "line of a move")).collect()
    }

    /// Tryton's payment method by the name the change has for it.
    async fn method(&self, ctx: &Ctx, setup: &Setup, change: &Change) -> Result<i64> {
        let name = match change.leaves.value(&Path::field("method")) {
            Some(Field::Code(name)) => name.as_str(),
            _ => return Err(Error::new(ErrorKind::Invalid, "a payment without a method")),
        };
        let known = self.methods(ctx, setup).await?;
        known.iter().find(|(known, _)| known == name).map(|(_, id)| *id).ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            let what =
                format!("there is no payment method `{name}` in {}: it has {}", setup.company_name, known.join(", "));
            Error::new(ErrorKind::Invalid, what)
        })
    }

    /// The payment methods of a company, by name.
    pub(super) async fn methods(&self, ctx: &Ctx, setup: &Setup) -> Result<Vec<(String, i64)>> {
        let domain = json!([["company", "=", setup.company]]);
        let params = json!([domain, 0, null, [["id", "ASC"]], ["name"], setup.context()]);
        let rows: Vec<Value> = self.client.read(ctx, &format!("model.{METHOD}.search_read"), params).await?;
        let named = |row: &Value| row.get("name").and_then(Value::as_str).map(str::to_string);
        rows.iter().map(|row| Ok((named(row).unwrap_or_default(), id_of(row)?))).collect()
    }

    /// The payment that carries `mark`, read back.
    async fn booked_back(&self, ctx: &Ctx, sale: i64, mark: &Mark) -> Outcome {
        let lost = |error| Outcome::Unknown { learned: None, error };
        match self.payments_of(ctx, &[sale]).await {
            Ok(found) => {
                let ours = found.into_values().flatten().find(|one| one.mark.as_deref() == Some(mark.as_str()));
                let missing = || Error::new(ErrorKind::Broken, "a payment was booked and is not there when read back");
                ours.map_or_else(|| lost(missing()), |snapshot| Outcome::Done(Box::new(snapshot)))
            }
            Err(error) => lost(error),
        }
    }

    /// The payments `ids` in their order; none for what is not there.
    pub(super) async fn payments(&self, ctx: &Ctx, ids: &[RemoteId]) -> Vec<Result<Option<Snapshot>>> {
        let sale = |id: &RemoteId| paper_apart(id).and_then(|(order, _)| map::number(&order).ok());
        let sales: BTreeSet<i64> = ids.iter().filter_map(sale).collect();
        let found = self.payments_of(ctx, &sales.into_iter().collect::<Vec<_>>()).await;
        let one = |id: &RemoteId| match &found {
            Err(error) => Err(error.clone()),
            Ok(found) => {
                let of_sale = sale(id).and_then(|sale| found.get(&sale)).into_iter().flatten();
                Ok(of_sale.into_iter().find(|one| one.id == *id).cloned())
            }
        };
        ids.iter().map(one).collect()
    }

    /// The payments of ours that were booked on invoices of a sale and carry `mark`.
    pub(super) async fn find_payment(&self, ctx: &Ctx, order: &RemoteId, mark: &Mark) -> Result<Vec<Snapshot>> {
        let found = self.payments_of(ctx, &[map::number(order)?]).await?;
        Ok(found.into_values().flatten().filter(|one| one.mark.as_deref() == Some(mark.as_str())).collect())
    }

    /// The payments of ours that were booked on invoices of each of `sales`.
    async fn payments_of(&self, ctx: &Ctx, sales: &[i64]) -> Result<BTreeMap<i64, Vec<Snapshot>>> {
        let mut found = BTreeMap::new();
        if sales.is_empty() {
            return Ok(found);
        }
        for (setup, own) in self.owners(ctx, Kind::Order, sales).await? {
            if own.is_empty() {
                continue;
            }
            let rows = self.rows_asked(ctx, &setup, Kind::Order, &own, &SOLD).await?;
            let sold: Vec<SoldRow> = rows.iter().map(|row| typed(row, "sale")).collect::<Result<_>>()?;
            let invoices = sold.iter().flat_map(|sale| sale.invoices.iter().copied()).collect();
            let lines = self.paid_on(ctx, &setup, &invoices).await?;
            for sale in &sold {
                found.insert(sale.id, self.of_sale(sale, &lines)?);
            }
        }
        Ok(found)
    }

    /// Our payments among `lines` on invoices of `sale`, each known by its first move.
    fn of_sale(&self, sale: &SoldRow, lines: &[LineRow]) -> Result<Vec<Snapshot>> {
        let code = sale.currency.code.as_deref().unwrap_or("");
        let currency: Currency = code
            .parse()
            .map_err(|error| Error::new(ErrorKind::Broken, format!("sale {}: its currency: {error}", sale.id)))?;
        let huge = || Error::new(ErrorKind::Broken, format!("sale {}: the sum is beyond all numbers", sale.id));
        let mut booked: BTreeMap<&str, (i64, Paper)> = BTreeMap::new();
        for line in lines {
            let (Some(mark), Some(invoice)) = (line.mark(), line.invoice_payment) else { continue };
            if !sale.invoices.contains(&invoice) {
                continue;
            }
            let amount = Money::new(line.amount(currency).ok_or_else(huge)?, currency);
            let entry = booked.entry(mark).or_insert_with(|| (line.entry.id, of(sale.id, currency)));
            entry.0 = entry.0.min(line.entry.id);
            let paper = &mut entry.1;
            paper.day = paper.day.or(line.entry.date.map(|day| day.0));
            let add = |money: &mut Option<Money>| -> Result<()> {
                *money = Some(money.unwrap_or(Money::zero(currency)).plus(amount).map_err(|_| huge())?);
                Ok(())
            };
            add(&mut paper.grand)?;
            add(&mut paper.lines.entry(invoice.to_string()).or_default().net)?;
        }
        let told = booked.into_iter().map(|(mark, (id, paper))| {
            let id = map::paper_id(sale.id, id);
            Snapshot {
                id: id.clone(),
                mark: Some(mark.to_string()),
                found_by: None,
                version: None,
                records: vec![(id, Record::Payment(Box::new(paper)))],
                evidence: None,
            }
        });
        Ok(told.collect())
    }

    /// The payment methods that money can be booked by, as rows a mapping table points to; none where our user may not read
    /// them, or what was booked.
    pub(super) async fn ways_to_book(
        &self,
        ctx: &Ctx,
        setups: &[Arc<Setup>],
        warnings: &mut Vec<String>,
    ) -> Result<Option<Vec<Choice>>> {
        let mut names = BTreeSet::new();
        for setup in setups {
            let reader = Reader::of(&self.client, ctx, setup.company);
            let line = reader.first("account.move.line", &["move.description"]).await.map(drop);
            match line.and(self.methods(ctx, setup).await) {
                Ok(known) => names.extend(known.into_iter().map(|(name, _)| name)),
                Err(error) => {
                    let why = papers::refused(error)?;
                    warnings.push(format!("payments are not booked: our user may not read what they need: {why}"));
                    return Ok(None);
                }
            }
        }
        let row = |name: String| Choice { title: name.clone(), code: name, hint: String::new() };
        Ok(Some(names.into_iter().map(row).collect()))
    }
}

/// A payment of a sale of which nothing was added up yet.
fn of(sale: i64, currency: Currency) -> Paper {
    Paper {
        life: Some(PaperLife::Done),
        order: Some(Ref::remote(Kind::Order, map::remote(sale))),
        currency: Some(currency),
        ..Paper::default()
    }
}

fn gone(invoice: i64) -> Error {
    Error::new(ErrorKind::Gone, format!("invoice {invoice} is not there in Tryton any more"))
}

/// What a change asks to be booked: one amount on one invoice of one sale.
fn part_of(change: &Change) -> Result<Part> {
    let invalid = |what: &str| Error::new(ErrorKind::Invalid, format!("a payment {what}"));
    let sale = change.elements.get(&Paper::order_path()).ok_or_else(|| invalid("of no sale"))?;
    let keys = change.leaves.keys_of("lines");
    let [key] = keys.iter().collect::<Vec<_>>()[..] else { return Err(invalid("is booked on one invoice at a time")) };
    match change.leaves.value(&Path::element("lines", key).dot("net")) {
        Some(Field::Money(net)) if net.amount > Decimal::ZERO => Ok(Part {
            sale: map::number(&RemoteId::new("", sale.as_str()))?,
            invoice: map::number(&RemoteId::new("", key.as_str()))?,
            net: *net,
        }),
        _ => Err(invalid("without an amount above nothing")),
    }
}

/// Refuses what the invoice does not ask for any more.
fn fits(due: &DueRow, part: Part) -> Result<()> {
    let (invoice, net) = (part.invoice, part.net);
    let stale = |what: String| Err(Error::new(ErrorKind::Stale, format!("invoice {invoice} {what}")));
    let code = due.coded.code.as_deref().unwrap_or("");
    let asks = due.amount_to_pay.map_or(Decimal::ZERO, |Dec(amount)| amount);
    if due.state != "posted" {
        return stale(format!("is {} in Tryton: nothing can be booked on it", shown(&due.state, 20)));
    }
    if code != net.currency.code() {
        let what = format!("invoice {invoice} is in {}, {net} were taken", shown(code, 9));
        return Err(Error::new(ErrorKind::Invalid, what));
    }
    if asks < net.amount {
        return stale(format!("asks for {asks} {code} by now, {net} were to be booked"));
    }
    Ok(())
}

/// The parameters of the one request that books: on the day the money was taken, or that of the invoice where it is later. Where
/// both fall into a closed period it is booked `today`, and the description tells the day it was taken.
fn params(
    setup: &Setup,
    (due, part): (&DueRow, Part),
    today: Option<Day>,
    (method, session): (i64, &Value),
    change: &Change,
) -> Value {
    let taken = match change.leaves.value(&Path::field("day")) {
        Some(Field::Day(day)) => Some(Day(*day)),
        _ => None,
    };
    let day = today.or_else(|| [taken, due.invoice_date].into_iter().flatten().max_by_key(|day| day.0));
    let number = match change.leaves.value(&Path::field("number")) {
        Some(Field::Text(number)) => shown(number, NUMBER),
        _ => String::new(),
    };
    let taken = taken.filter(|_| today.is_some()).map(|day| format!(" of {}", day.0)).unwrap_or_default();
    let description = format!("{} {number}{taken}", change.mark.as_str());
    let start = json!({
        "amount": Dec(part.net.amount), "currency": due.currency, "date": day, "payee": due.party, "payment_method": method,
        "company": due.company, "description": description.trim_end(), "invoice_account": null,
    });
    let versions: Vec<(i64, &str)> = due.version.iter().map(|at| (part.invoice, at.as_str())).collect();
    let mut context = setup.guarded("account.invoice", &versions);
    if let Some(fields) = context.as_object_mut() {
        fields.insert("active_model".to_string(), json!("account.invoice"));
        fields.insert("active_id".to_string(), json!(part.invoice));
        fields.insert("active_ids".to_string(), json!([part.invoice]));
    }
    json!([session, {"start": start, "ask": {"type": "partial"}}, "pay", context])
}

/// A refusal that says the invoice asks for less by now counts as one that has moved on.
fn moved_on(failed: Failed) -> Failed {
    match failed {
        Failed::Refused(error) if error.message.contains("greater than the amount to pay") => {
            Failed::Refused(Error { kind: ErrorKind::Stale, ..error })
        }
        other => other,
    }
}
