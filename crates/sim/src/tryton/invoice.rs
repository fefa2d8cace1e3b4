//! Invoices: what a sale asks money for, posted by a clerk and paid by the buyer.
//!
//! From the sources of `trytond_sale` 8.0.5 (`sale.py`, `invoice.py`) and `trytond_account_invoice` 8.0.2 (`invoice.py`), and
//! seen on a running Tryton: a sale that is processed has a draft invoice, which posting numbers and paying settles; both
//! move its `write_date`, and none of its lines'. Not simulated: the books behind it.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Erp;
use super::credits;
use super::fail::Fail;
use super::payments;
use super::read::present;
use super::sale::{self, Amounts, Counted, Money};
use super::shipping;
use super::stock::today;
use super::store::Store;
use super::value::Val;
use super::warnings;
use super::write::{create, write};

pub(super) const MODEL: &str = "account.invoice";
pub(super) const LINE: &str = "account.invoice.line";
/// Accounts and the journal of what is sold.
pub(super) const RECEIVABLE: u64 = 1;
pub(super) const REVENUE: u64 = 2;
pub(super) const JOURNAL: u64 = 1;

/// Whether invoices have a button of that name.
pub fn has_button(button: &str) -> bool {
    matches!(button, "validate_invoice" | "post" | "cancel")
}

/// How an invoice is named for people.
pub fn rec_name(store: &Store, id: u64) -> String {
    let (number, reference) = (store.text(MODEL, id, "number"), store.text(MODEL, id, "reference"));
    match (number.is_empty(), reference.is_empty()) {
        (false, false) => format!("{number} [{reference}]"),
        (false, true) => number,
        (true, false) => format!("[{reference}]"),
        (true, true) => format!("({id})"),
    }
}

/// The lines of invoices that come from a line of a sale, by id.
pub fn lines_from(store: &Store, line: u64) -> Result<Vec<u64>, Fail> {
    let at = store.model(LINE)?;
    let origin = Val::Text(format!("sale.line,{line}"));
    Ok(store.having(at, store.schema.models[at].position("origin")?, &origin))
}

fn of_line(store: &Store, line: u64) -> u64 {
    store.value(LINE, line, "invoice").id().unwrap_or_default()
}

/// The invoices of a sale, by id.
pub fn of_sale(store: &Store, sale: u64) -> Result<Vec<u64>, Fail> {
    let mut found = Vec::new();
    for line in sale::amount_lines(store, sale)? {
        found.extend(lines_from(store, line)?.into_iter().map(|one| of_line(store, one)));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The sales an invoice is about.
pub(super) fn sales_of(store: &Store, invoice: u64) -> Result<Vec<u64>, Fail> {
    let lines = store.children(LINE, "invoice", invoice)?.into_iter();
    let origins = lines.filter_map(|line| shipping::sold_by(&store.text(LINE, line, "origin")));
    let mut sales: Vec<u64> = origins.filter_map(|line| store.value("sale.line", line, "sale").id()).collect();
    sales.sort_unstable();
    sales.dedup();
    Ok(sales)
}

/// Net amount of a line; nothing of a text.
pub fn line_amount(store: &Store, line: u64) -> Result<Decimal, Fail> {
    match store.text(LINE, line, "type").as_str() {
        "line" => sale::counted_in(store, LINE, line).amount(Money::by(store, MODEL, of_line(store, line))),
        _ => Ok(Decimal::ZERO),
    }
}

/// Net and tax of an invoice.
pub fn amounts(store: &Store, id: u64) -> Result<Amounts, Fail> {
    let (money, mut untaxed, mut lines) = (Money::by(store, MODEL, id), Decimal::ZERO, Vec::<Counted>::new());
    for line in store.children(LINE, "invoice", id)? {
        if store.text(LINE, line, "type") == "line" {
            let counted = sale::counted_in(store, LINE, line);
            untaxed += counted.amount(money)?;
            lines.push(counted);
        }
    }
    Ok(Amounts { untaxed, tax: sale::tax(store, money, &lines)? })
}

/// How many of a line are to be asked money for by now.
fn wanted(store: &Store, method: &str, line: u64) -> Result<Decimal, Fail> {
    let ordered = sale::counted_in(store, "sale.line", line).quantity;
    match method {
        "order" => Ok(ordered),
        "fulfillment" if !sale::movable(store, line) => Ok(ordered),
        "fulfillment" => {
            let gone = shipping::moved(store, line, shipping::Told::Done)?;
            Ok(if ordered.is_sign_negative() { -gone } else { gone })
        }
        // What was asked for by hand.
        _ => asked(store, line),
    }
}

/// How many of a line stand on invoices already.
fn asked(store: &Store, line: u64) -> Result<Decimal, Fail> {
    let lines = lines_from(store, line)?.into_iter();
    Ok(lines.filter_map(|one| store.value(LINE, one, "quantity").number()).sum())
}

/// How many of a line were paid.
pub fn paid(store: &Store, line: u64) -> Result<Decimal, Fail> {
    in_state(store, line, &["paid"])
}

/// How many of a line were paid, or nobody waits for the payment of any more.
pub fn settled(store: &Store, sale: u64, line: u64) -> Result<Decimal, Fail> {
    let ignored = store.value("sale.sale", sale, "invoices_ignored").ids().to_vec();
    let lines = lines_from(store, line)?.into_iter().filter(|one| {
        let invoice = of_line(store, *one);
        ignored.contains(&invoice) || store.text(MODEL, invoice, "state") == "paid"
    });
    let billed: Decimal = lines.filter_map(|one| store.value(LINE, one, "quantity").number()).sum();
    if store.text("sale.sale", sale, "invoice_method") != "fulfillment" {
        return Ok(billed);
    }
    let (all, done) = (shipping::Told::Settled, shipping::Told::Done);
    Ok(billed + shipping::moved(store, line, all)? - shipping::moved(store, line, done)?)
}

/// How many of a line stand on invoices that are in force, or were until a credit note undid them.
pub fn in_force(store: &Store, line: u64) -> Result<Decimal, Fail> {
    let undone = lines_from(store, line)?.into_iter().filter(|one| credits::is_undone(store, of_line(store, *one)));
    let undone: Decimal = undone.filter_map(|one| store.value(LINE, one, "quantity").number()).sum();
    Ok(in_state(store, line, &["posted", "paid"])? + undone)
}

/// How many of a line stand on invoices in one of these states.
fn in_state(store: &Store, line: u64, states: &[&str]) -> Result<Decimal, Fail> {
    let fits = |one: &u64| states.contains(&store.text(MODEL, of_line(store, *one), "state").as_str());
    let lines = lines_from(store, line)?.into_iter().filter(fits);
    Ok(lines.filter_map(|one| store.value(LINE, one, "quantity").number()).sum())
}

/// Makes a draft of what a sale has to ask money for and has not yet.
pub fn ask(store: &mut Store, sale: u64, lines: &[u64]) -> Result<(), Fail> {
    let method = store.text("sale.sale", sale, "invoice_method");
    let mut rows = Vec::new();
    for line in lines {
        let quantity = wanted(store, &method, *line)? - asked(store, *line)?;
        if quantity.is_zero() {
            continue;
        }
        let value = |field: &str| store.value("sale.line", *line, field).to_json(true);
        let taxes = store.value("sale.line", *line, "taxes").ids().to_vec();
        let of_sale = |field: &str| store.value("sale.sale", sale, field).to_json(true);
        rows.push(json!({"origin": format!("sale.line,{line}"), "company": of_sale("company"),
            "currency": of_sale("currency"), "account": REVENUE, "product": value("product"), "unit": value("unit"),
            "quantity": Val::Float(quantity).to_json(true), "unit_price": value("unit_price"),
            "description": value("description"), "taxes": [["add", taxes]]}));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let value = |field: &str| store.value("sale.sale", sale, field).to_json(true);
    let row = json!({"company": value("company"), "party": value("party"), "invoice_address": value("invoice_address"),
        "currency": value("currency"), "payment_term": value("payment_term"), "account": RECEIVABLE, "journal": JOURNAL,
        "lines": [["create", rows]]});
    create(store, MODEL, &[row]).map(drop)
}

/// Where the invoices of a sale stand.
pub fn state(store: &Store, sale: u64) -> Result<&'static str, Fail> {
    let ignored = store.value("sale.sale", sale, "invoices_ignored").ids().to_vec();
    let all: Vec<u64> = of_sale(store, sale)?.into_iter().filter(|id| !ignored.contains(id)).collect();
    let undone = |id: u64| store.value(MODEL, id, "cancel_move").filled();
    let told = |id: &u64| store.text(MODEL, *id, "state");
    let settled = |id: &u64| told(id) == "paid" || (told(id) == "cancelled" && undone(*id));
    Ok(match () {
        () if all.is_empty() => "none",
        () if all.iter().any(|id| told(id) == "cancelled" && !undone(*id)) => "exception",
        () if all.iter().all(settled) => "paid",
        () if all.iter().any(settled) => "partially paid",
        () if all.iter().any(|id| told(id) == "posted") => "awaiting payment",
        () => "pending",
    })
}

/// Presses a button on invoices.
pub fn press(store: &mut Store, button: &str, ids: &[u64]) -> Result<(), Fail> {
    present(store, MODEL, ids, "read")?;
    for id in ids {
        let state = store.text(MODEL, *id, "state");
        let offered = match button {
            "validate_invoice" => state == "draft",
            _ => matches!(state.as_str(), "draft" | "validated"),
        };
        if !offered {
            let name = rec_name(store, *id);
            return Err(Fail::user(format!("You can not call \"{button}\" on \"{name}\" of \"Account Invoice\".")));
        }
    }
    if button != "cancel" {
        ids.iter().try_for_each(|id| warnings::of_taxes(store, *id))?;
    }
    for id in ids {
        store.guard(store.model(MODEL)?, *id)?;
        match button {
            "post" if !store.value(MODEL, *id, "journal").filled() => {
                return Err(Fail::other("'NoneType' object has no attribute 'id'"));
            }
            "post" => post(store, *id)?,
            "cancel" => enter(store, *id, "cancelled")?,
            _ => enter(store, *id, "validated")?,
        }
    }
    Ok(())
}

/// Gives an invoice its number, its day and its move, and puts it in force.
pub fn post(store: &mut Store, id: u64) -> Result<(), Fail> {
    let day = match store.value(MODEL, id, "invoice_date") {
        Val::Date(day) => day,
        _ => today(store),
    };
    payments::period(store, id, day, "Revenue")?;
    if !store.value(MODEL, id, "number").filled() {
        let number = store.next("invoice").to_string();
        store.put(MODEL, id, "number", Val::Text(number))?;
    }
    if !store.value(MODEL, id, "invoice_date").filled() {
        store.put(MODEL, id, "invoice_date", Val::Date(today(store)))?;
    }
    let made = booked(store, format!("{MODEL},{id}"))?;
    store.put(MODEL, id, "move", made)?;
    enter(store, id, "posted")
}

/// A move in the books, of which nothing is kept but where it comes from.
fn booked(store: &mut Store, origin: String) -> Result<Val, Fail> {
    let made = create(store, "account.move", &[json!({"origin": origin})])?;
    Ok(made.first().map_or(Val::Null, |id| Val::Ref(*id)))
}

/// Brings an invoice to a state, and tells its sales.
pub fn enter(store: &mut Store, id: u64, state: &str) -> Result<(), Fail> {
    store.put(MODEL, id, "state", Val::Text(state.to_owned()))?;
    store.touch(store.model(MODEL)?, id);
    if state != "validated" {
        for sale in sales_of(store, id)? {
            sale::process(store, sale)?;
        }
    }
    Ok(())
}

/// Has nobody wait for what was cancelled of a sale.
fn ignore(store: &mut Store, sale: u64) -> Result<(), Fail> {
    let mut any = false;
    for line in sale::amount_lines(store, sale)? {
        let again = store.value("sale.line", line, "moves_recreated").ids().to_vec();
        let off = |id: &u64| store.text("stock.move", *id, "state") == "cancelled" && !again.contains(id);
        let off: Vec<u64> = shipping::moves_from(store, line)?.into_iter().filter(off).collect();
        any |= !off.is_empty();
        store.put("sale.line", line, "moves_ignored", Val::Refs(off))?;
        store.touch(store.model("sale.line")?, line);
    }
    let off = |id: &u64| store.text(MODEL, *id, "state") == "cancelled";
    let off: Vec<u64> = of_sale(store, sale)?.into_iter().filter(off).collect();
    any |= !off.is_empty();
    store.put("sale.sale", sale, "invoices_ignored", Val::Refs(off))?;
    store.touch(store.model("sale.sale")?, sale);
    match any {
        true => sale::process(store, sale),
        false => Err(Fail::other("nothing was cancelled")),
    }
}

/// What an invoice that is in force asks for, in all.
fn total(store: &Store, id: u64) -> Decimal {
    amounts(store, id).map(|amounts| amounts.total()).unwrap_or_default()
}

/// What the invoices of a sale in one of these states come to, with those that a credit note undid, as a short decimal.
pub fn sum_of(store: &Store, sale: u64, states: &[&str]) -> String {
    let all = of_sale(store, sale).unwrap_or_default().into_iter();
    let fits = |id: &u64| states.contains(&store.text(MODEL, *id, "state").as_str()) || credits::is_undone(store, *id);
    all.filter(fits).map(|id| total(store, id)).sum::<Decimal>().normalize().to_string()
}

/// Every invoice with what it asks for, line by line; not those that give money back.
pub fn ledger(store: &Store) -> Vec<Value> {
    let Ok(at) = store.model(MODEL) else { return Vec::new() };
    store.ids(at).filter(|id| !credits::is_credit(store, *id)).map(|id| row(store, id)).collect()
}

fn row(store: &Store, id: u64) -> Value {
    let text = |field: &str| store.text(MODEL, id, field);
    let currency = store.value(MODEL, id, "currency").id().unwrap_or_default();
    let lines = store.children(LINE, "invoice", id).unwrap_or_default().into_iter().map(|line| {
        let product = store.value(LINE, line, "product").id();
        let quantity = store.value(LINE, line, "quantity").number().unwrap_or_default();
        let net = line_amount(store, line).unwrap_or_default();
        json!({"line": shipping::sold_by(&store.text(LINE, line, "origin")),
            "sku": product.map(|product| store.text("product.product", product, "code")),
            "qty": quantity.normalize().to_string(), "net": net.normalize().to_string()})
    });
    let lines: Vec<Value> = lines.collect();
    let to = super::ledger::envelope(store, store.value(MODEL, id, "invoice_address").id());
    json!({"id": id, "to": to, "number": text("number"), "state": text("state"), "sales": sales_of(store, id).unwrap_or_default(),
        "day": store.value(MODEL, id, "invoice_date").to_json(true), "currency": store.text("currency.currency", currency, "code"),
        "total": total(store, id).normalize().to_string(), "lines": lines})
}

impl Erp {
    /// The invoices of a sale, oldest first.
    pub fn invoices(&self, sale: u64) -> Vec<u64> {
        of_sale(&self.store, sale).unwrap_or_default()
    }

    /// Sets how sales are invoiced that do not say it: `order`, `fulfillment` or `manual`; false for another word.
    pub fn invoice_by(&mut self, now: Timestamp, method: &str) -> bool {
        self.whole(now, |store| write(store, "sale.configuration", &[1], &json!({"sale_invoice_method": method})))
    }

    /// Posts what a sale has of invoices not posted yet, as a clerk would; false where there is nothing.
    pub fn post_invoices(&mut self, now: Timestamp, sale: u64) -> bool {
        self.with_each(now, sale, &["draft", "validated"], post)
    }

    /// Books the payment of every posted invoice of a sale in full; false where there is none.
    pub fn pay_invoices(&mut self, now: Timestamp, sale: u64) -> bool {
        self.with_each(now, sale, &["posted"], |store, id| enter(store, id, "paid"))
    }

    /// Withdraws every invoice of a sale that is not paid, as a clerk may where the company allows to undo posted ones;
    /// false where there is none.
    pub fn cancel_invoices(&mut self, now: Timestamp, sale: u64) -> bool {
        self.with_each(now, sale, &["draft", "validated", "posted"], |store, id| {
            if let Some(own) = store.value(MODEL, id, "move").id() {
                let undoes = booked(store, format!("account.move,{own}"))?;
                store.put(MODEL, id, "cancel_move", undoes)?;
            }
            enter(store, id, "cancelled")
        })
    }

    /// Withdraws a sale that is processed in the only way Tryton has: what has not left and was not posted is cancelled, and
    /// a clerk says in the wizards for what went wrong that nobody waits for it. False where there is nothing to withdraw.
    pub fn withdraw_sale(&mut self, now: Timestamp, sale: u64) -> bool {
        self.whole(now, |store| {
            shipping::withdraw(store, sale)?;
            for id in of_sale(store, sale)? {
                if matches!(store.text(MODEL, id, "state").as_str(), "draft" | "validated") {
                    enter(store, id, "cancelled")?;
                }
            }
            ignore(store, sale)
        })
    }

    /// Says of everything of a sale that was cancelled that nobody waits for it; false where nothing was.
    pub fn ignore_cancelled(&mut self, now: Timestamp, sale: u64) -> bool {
        self.whole(now, |store| ignore(store, sale))
    }

    fn with_each(
        &mut self,
        now: Timestamp,
        sale: u64,
        states: &[&str],
        work: impl Fn(&mut Store, u64) -> Result<(), Fail>,
    ) -> bool {
        self.whole(now, |store| {
            let all = of_sale(store, sale)?.into_iter();
            let open: Vec<u64> = all.filter(|id| states.contains(&store.text(MODEL, *id, "state").as_str())).collect();
            if open.is_empty() {
                return Err(Fail::other("no such invoice"));
            }
            open.into_iter().try_for_each(|id| work(store, id))
        })
    }
}
