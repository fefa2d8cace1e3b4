//! Money that comes in: the wizard that books a payment on an invoice, and the lines of moves it leaves in the books.
//!
//! Recorded (`tryton-8.0-payments.json`, `tryton-8.0-periods.json`), and from the sources of `trytond_account_invoice` 8.0.2 (`PayInvoice`,
//! `Invoice.pay_invoice`): the state `pay` books in one request; told that it is in part, it refuses what is more than the
//! invoice asks for, before anything else. The same part is booked as often as it is asked for, unless the call names the
//! stamp of the invoice, which each payment moves. Not simulated: accounts, reconciliations but for their being there, rates
//! of currencies.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::Erp;
use super::fail::Fail;
use super::invoice::{self, MODEL};
use super::read::{present, rec_name};
use super::stock::today;
use super::store::Store;
use super::value::Val;
use super::write::create;

pub(super) const LINE: &str = "account.move.line";
const METHOD: &str = "account.invoice.payment.method";
/// The wizard that books payments.
const WIZARD: &str = "account.invoice.pay";
/// What its sessions are counted by.
const SESSIONS: &str = "wizard";

/// The lines that were booked on an invoice as money for it, by id.
pub fn lines_on(store: &Store, invoice: u64) -> Result<Vec<u64>, Fail> {
    let at = store.model(LINE)?;
    Ok(store.having(at, store.schema.models[at].position("invoice_payment")?, &Val::Ref(invoice)))
}

/// What of an invoice is still to be paid, in its currency.
pub fn owed(store: &Store, invoice: u64) -> Result<Decimal, Fail> {
    if store.text(MODEL, invoice, "state") != "posted" {
        return Ok(Decimal::ZERO);
    }
    let paid: Decimal = lines_on(store, invoice)?.into_iter().map(|line| amount(store, line)).sum();
    Ok(invoice::amounts(store, invoice)?.total() - paid)
}

/// What a line pays, in the currency of its invoice.
fn amount(store: &Store, line: u64) -> Decimal {
    let number = |field: &str| store.value(LINE, line, field).number();
    match number("amount_second_currency") {
        Some(amount) => -amount,
        None => number("credit").unwrap_or_default() - number("debit").unwrap_or_default(),
    }
}

/// What is asked of the wizard: a call of one of its methods.
pub fn call(erp: &mut Erp, object: &str, method: &str, args: &[Value]) -> Result<Value, Fail> {
    if object != WIZARD {
        return Err(Fail::key(object));
    }
    let store = &mut erp.store;
    let session = args.first().and_then(Value::as_u64).unwrap_or_default();
    if method == "create" {
        let session = store.next(SESSIONS);
        erp.wizards.insert(session);
        return Ok(json!([session, "start", "end"]));
    }
    if !erp.wizards.contains(&session) {
        let what = "of \"Session Wizard\" that don't exist.";
        return Err(Fail::user(format!("You are trying to read records \"{session}\" {what}")));
    }
    match method {
        "delete" => {
            erp.wizards.remove(&session);
            Ok(Value::Null)
        }
        "execute" => {
            let start = args.get(1).and_then(|data| data.get("start")).cloned().unwrap_or_default();
            let about =
                erp.store.about.ok_or_else(|| Fail::other("'NoneType' object has no attribute 'amount_to_pay'"))?;
            let asked = decimal(&start["amount"]);
            let store = &mut erp.store;
            match args.get(2).and_then(Value::as_str) {
                // It asks only where not everything is paid.
                Some("choice") if asked != owed(store, about)? => Ok(json!({"view": {"state": "ask"}})),
                Some("pay" | "choice") => pay(store, about, &start).map(|()| json!({})),
                _ => Ok(json!({})),
            }
        }
        _ => Err(Fail::Http(403, "You don't have the permission to access the requested resource.".to_owned())),
    }
}

fn decimal(value: &Value) -> Decimal {
    value.pointer("/decimal").and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Books a payment in part, or of all that is left.
fn pay(store: &mut Store, id: u64, start: &Value) -> Result<(), Fail> {
    present(store, MODEL, &[id], "read")?;
    let (asked, owed) = (decimal(&start["amount"]), owed(store, id)?);
    if asked > owed {
        let currency = store.value(MODEL, id, "currency").id().unwrap_or_default();
        let digits = store.value("currency.currency", currency, "digits").number().unwrap_or_default();
        let mut shown = owed;
        shown.rescale(u32::try_from(digits).unwrap_or(2));
        let (name, symbol) = (invoice::rec_name(store, id), store.text("currency.currency", currency, "symbol"));
        return Err(Fail::user(format!(
            "You cannot add a partial payment on invoice \"{name}\" with an amount greater than the amount to pay \"{symbol}{shown}\"."
        )));
    }
    if asked.is_zero() {
        return Ok(());
    }
    let method = start["payment_method"].as_u64().unwrap_or_default();
    present(store, METHOD, &[method], "read")?;
    let Some(day) = day_of(&start["date"]) else {
        let what = "A value is required for field \"Effective Date\" in record \"(1)\" of \"Account Move\".";
        return Err(Fail::user(what.to_owned()));
    };
    period(store, id, day, "Cash")?;
    store.guard(store.model(MODEL)?, id)?;
    let description = start["description"].as_str().map(str::to_owned);
    book(store, id, asked, (day, description))
}

fn day_of(value: &Value) -> Option<Date> {
    let part = |name: &str| value.get(name).and_then(Value::as_i64);
    Date::new(i16::try_from(part("year")?).ok()?, i8::try_from(part("month")?).ok()?, i8::try_from(part("day")?).ok()?)
        .ok()
}

/// Refuses a day that no open period is for: there are those of last year, this one and the next. A period that is opened
/// again leaves its journals closed.
pub fn period(store: &Store, invoice: u64, day: Date, journal: &str) -> Result<(), Fail> {
    let company = store.value(MODEL, invoice, "company").id().unwrap_or_default();
    let (company, shown) =
        (rec_name(store, "company.company", company), format!("{:02}/{:02}/{:04}", day.month(), day.day(), day.year()));
    if (day.year() - today(store).year()).abs() > 1 {
        return Err(Fail::user(format!(
            "To continue, you must create a period for the date \"{shown}\" and company \"{company}\"."
        )));
    }
    let period = format!("{:04}-{:02}", day.year(), day.month());
    if store.closed.is_some_and(|until| day <= until) {
        return Err(Fail::user(format!(
            "To continue, you must reopen the period \"{period}\" of company \"{company}\" for the date \"{shown}\"."
        )));
    }
    if store.shut.is_some_and(|until| day <= until) {
        let what = format!("You cannot add/modify/delete lines on closed journal-period \"{journal} - {period}\".");
        return Err(Fail::user(what));
    }
    Ok(())
}

/// Leaves a move with the line that pays, and settles the invoice where nothing is left.
fn book(store: &mut Store, id: u64, sum: Decimal, (day, description): (Date, Option<String>)) -> Result<(), Fail> {
    let row =
        json!({"origin": format!("{MODEL},{id}"), "description": description, "date": Val::Date(day).to_json(true)});
    let made = create(store, "account.move", &[row])?.first().copied().unwrap_or_default();
    let currency = store.value(MODEL, id, "currency").id().unwrap_or_default();
    let company = store.value(MODEL, id, "company").id().unwrap_or_default();
    let own = store.value("company.company", company, "currency").id() == Some(currency);
    let dec = |amount: Decimal| Val::Dec(amount).to_json(true);
    let mut row = json!({"move": made, "debit": dec(Decimal::ZERO), "credit": dec(sum), "invoice_payment": id});
    if !own {
        row["second_currency"] = json!(currency);
        row["amount_second_currency"] = dec(-sum);
    }
    create(store, LINE, &[row])?;
    store.touch(store.model(MODEL)?, id);
    if owed(store, id)?.is_zero() {
        let settled = i64::try_from(store.next("reconciliation")).unwrap_or(0);
        for line in lines_on(store, id)? {
            store.put(LINE, line, "reconciliation", Val::Int(settled))?;
        }
        invoice::enter(store, id, "paid")?;
    }
    Ok(())
}

/// Every line that was booked on an invoice, with the text of its move.
pub fn ledger(store: &Store) -> Vec<Value> {
    let Ok(at) = store.model(LINE) else { return Vec::new() };
    store.ids(at).filter_map(|id| row(store, id)).collect()
}

fn row(store: &Store, id: u64) -> Option<Value> {
    let on = store.value(LINE, id, "invoice_payment").id()?;
    let made = store.value(LINE, id, "move").id()?;
    let currency = store.value(MODEL, on, "currency").id().unwrap_or_default();
    Some(json!({"id": id, "invoice": on, "sales": invoice::sales_of(store, on).unwrap_or_default(),
        "description": store.text("account.move", made, "description"),
        "day": store.value("account.move", made, "date").to_json(true),
        "currency": store.text("currency.currency", currency, "code"),
        "amount": amount(store, id).normalize().to_string()}))
}

/// What the context of a call says it is about: the invoice of a wizard.
pub fn about(context: &Map<String, Value>) -> Option<u64> {
    context.get("active_id").and_then(Value::as_u64)
}

impl Erp {
    /// Books that so much of the first posted invoice of a sale was paid, as a clerk would who knows of no shop; false where
    /// none asks for as much.
    pub fn pay_part(&mut self, now: Timestamp, sale: u64, sum: Decimal) -> bool {
        self.whole(now, |store| {
            let day = today(store);
            for id in invoice::of_sale(store, sale)? {
                if owed(store, id)? >= sum && !sum.is_zero() {
                    return book(store, id, sum, (day, Some("by hand".to_owned())));
                }
            }
            Err(Fail::other("nothing asks for as much"))
        })
    }

    /// Takes back what was booked on the invoices of a sale that are not paid in full, as a clerk may
    /// (`Invoice.remove_payment_lines`); false where there is nothing.
    pub fn unbook(&mut self, now: Timestamp, sale: u64) -> bool {
        self.whole(now, |store| {
            let mut any = false;
            for id in invoice::of_sale(store, sale)? {
                for line in lines_on(store, id)? {
                    if store.text(MODEL, id, "state") == "posted" {
                        store.put(LINE, line, "invoice_payment", Val::Null)?;
                        store.touch(store.model(MODEL)?, id);
                        any = true;
                    }
                }
            }
            if any { Ok(()) } else { Err(Fail::other("nothing was booked")) }
        })
    }

    /// Closes the books up to that day, with their journals.
    pub fn close_books(&mut self, until: Date) {
        (self.store.closed, self.store.shut) = (Some(until), Some(until));
    }

    /// Opens the books again, whose journals stay closed.
    pub fn open_books(&mut self) {
        self.store.closed = None;
    }

    /// Opens the journals again.
    pub fn open_journals(&mut self) {
        self.store.shut = None;
    }

    /// What of the invoices of a sale is still to be paid.
    pub fn still_owed(&self, sale: u64) -> Decimal {
        let all = invoice::of_sale(&self.store, sale).unwrap_or_default().into_iter();
        all.filter_map(|id| owed(&self.store, id).ok()).sum()
    }
}
