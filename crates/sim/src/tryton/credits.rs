//! Money that is given back: credit notes for invoices, returns of sales, and what becomes of an invoice that is undone.
//!
//! From the sources of `trytond_account_invoice` 8.0.2 (`Invoice.credit`, wizard `account.invoice.credit`) and `trytond_sale`
//! 8.0.5 (wizard `sale.return_sale`), and recorded: a credit note is an invoice to the customer with negated quantities, each
//! line from the line it gives back; made with a refund it is posted and paid at once, and the invoice it undoes is
//! cancelled, its `cancel_move` being the move of the note. A return is a sale from the sale, with negated quantities.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Erp;
use super::fail::Fail;
use super::invoice::{self, LINE, MODEL};
use super::sale;
use super::shipping;
use super::store::Store;
use super::value::Val;
use super::write::create;

/// The product freight is sold as.
const FREIGHT: &str = "SHIPPING";

/// One line to be given back: the line of the invoice, how many, and at which price where it is another one.
type Given = (u64, Decimal, Option<Decimal>);

/// The line of an invoice that an origin names.
fn billed_by(origin: &str) -> Option<u64> {
    origin.strip_prefix("account.invoice.line,")?.parse().ok()
}

/// Whether an invoice gives money back.
pub fn is_credit(store: &Store, id: u64) -> bool {
    invoice::amounts(store, id).is_ok_and(|amounts| amounts.total() < Decimal::ZERO)
}

/// Whether an invoice was in force and is undone by a credit note: the move that cancels it is that of an invoice.
pub fn is_undone(store: &Store, id: u64) -> bool {
    if store.text(MODEL, id, "state") != "cancelled" {
        return false;
    }
    let cancels = store.value(MODEL, id, "cancel_move").id();
    let by = cancels.map(|one| store.text("account.move", one, "origin"));
    by.is_some_and(|origin| origin.starts_with("account.invoice,"))
}

/// The sale that a line of a credit gives back of, and its line where it names one.
fn gives_back(store: &Store, line: u64) -> Option<(u64, Option<u64>)> {
    let origin = store.text(LINE, line, "origin");
    let billed = billed_by(&origin).map(|billed| store.text(LINE, billed, "origin"));
    let named = shipping::sold_by(billed.as_deref().unwrap_or(&origin))?;
    let sale = store.value("sale.line", named, "sale").id()?;
    match returned(store, sale) {
        Some(first) if billed.is_none() => Some((first, None)),
        _ => Some((sale, Some(named))),
    }
}

/// The sale that a return is of; none for a sale that is none.
pub fn returned(store: &Store, sale: u64) -> Option<u64> {
    store.text("sale.sale", sale, "origin").strip_prefix("sale.sale,")?.parse().ok()
}

/// The sales a credit gives back of.
fn sales_of(store: &Store, credit: u64) -> Vec<u64> {
    let lines = store.children(LINE, "invoice", credit).unwrap_or_default();
    let mut sales: Vec<u64> = lines.into_iter().filter_map(|line| Some(gives_back(store, line)?.0)).collect();
    sales.sort_unstable();
    sales.dedup();
    sales
}

/// The lines of credit notes that give back of a line of an invoice.
fn notes_for(store: &Store, line: u64) -> Result<Vec<u64>, Fail> {
    let at = store.model(LINE)?;
    let origin = Val::Text(format!("account.invoice.line,{line}"));
    Ok(store.having(at, store.schema.models[at].position("origin")?, &origin))
}

/// The credits of a sale, by id: notes for its invoices, and invoices of its returns.
pub fn of_sale(store: &Store, sale: u64) -> Result<Vec<u64>, Fail> {
    let mut found = invoice::of_sale(store, sale)?;
    for line in sale::amount_lines(store, sale)? {
        for billed in invoice::lines_from(store, line)? {
            let notes = notes_for(store, billed)?.into_iter();
            found.extend(notes.filter_map(|note| store.value(LINE, note, "invoice").id()));
        }
    }
    let sales = store.model("sale.sale")?;
    let origin = Val::Text(format!("sale.sale,{sale}"));
    for back in store.having(sales, store.schema.models[sales].position("origin")?, &origin) {
        found.extend(invoice::of_sale(store, back)?);
    }
    found.retain(|id| is_credit(store, *id) && sales_of(store, *id).contains(&sale));
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What the credits of a sale that are in force give back, as a short decimal.
pub fn sum_of(store: &Store, sale: u64) -> String {
    let all = of_sale(store, sale).unwrap_or_default().into_iter();
    let fits = all.filter(|id| matches!(store.text(MODEL, *id, "state").as_str(), "posted" | "paid"));
    let total = |id| invoice::amounts(store, id).map(|amounts| -amounts.total()).unwrap_or_default();
    fits.map(total).sum::<Decimal>().normalize().to_string()
}

/// Every credit with what it gives back, line by line, as positive amounts.
pub fn ledger(store: &Store) -> Vec<Value> {
    let Ok(at) = store.model(MODEL) else { return Vec::new() };
    store.ids(at).filter(|id| is_credit(store, *id)).map(|id| row(store, id)).collect()
}

fn row(store: &Store, id: u64) -> Value {
    let text = |field: &str| store.text(MODEL, id, field);
    let shown = |number: Decimal| (-number).normalize().to_string();
    let currency = store.value(MODEL, id, "currency").id().unwrap_or_default();
    let line = |line: u64| {
        let product = store.value(LINE, line, "product").id();
        json!({"line": gives_back(store, line).and_then(|(_, own)| own),
            "sku": product.map(|product| store.text("product.product", product, "code")),
            "qty": shown(store.value(LINE, line, "quantity").number().unwrap_or_default()),
            "net": shown(invoice::line_amount(store, line).unwrap_or_default())})
    };
    let lines: Vec<Value> = store.children(LINE, "invoice", id).unwrap_or_default().into_iter().map(line).collect();
    let total = invoice::amounts(store, id).map(|amounts| amounts.total()).unwrap_or_default();
    json!({"id": id, "number": text("number"), "reference": text("reference"), "state": text("state"),
        "sales": sales_of(store, id),
        "day": store.value(MODEL, id, "invoice_date").to_json(true),
        "currency": store.text("currency.currency", currency, "code"), "total": shown(total), "lines": lines})
}

/// The invoices of a sale that are in force, oldest first.
fn in_force(store: &Store, sale: u64) -> Result<Vec<u64>, Fail> {
    let fits = |id: &u64| matches!(store.text(MODEL, *id, "state").as_str(), "posted" | "paid");
    Ok(invoice::of_sale(store, sale)?.into_iter().filter(fits).collect())
}

/// How many of a line of an invoice no credit has given back.
fn left(store: &Store, line: u64) -> Result<Decimal, Fail> {
    let quantity = |line: u64| store.value(LINE, line, "quantity").number().unwrap_or_default();
    Ok(notes_for(store, line)?.into_iter().fold(quantity(line), |left, note| left + quantity(note)))
}

/// The lines of an invoice that sell `code`; all of them where it is none.
fn selling(store: &Store, bill: u64, code: Option<&str>) -> Result<Vec<u64>, Fail> {
    let sells = |line: &u64| {
        let product = store.value(LINE, *line, "product").id();
        let own = product.map(|product| store.text("product.product", product, "code"));
        store.text(LINE, *line, "type") == "line" && code.is_none_or(|code| own.as_deref() == Some(code))
    };
    Ok(store.children(LINE, "invoice", bill)?.into_iter().filter(sells).collect())
}

/// So many of each of `goods` out of the lines of an invoice; none where it has not so many left.
fn out_of(store: &Store, bill: u64, goods: &[(&str, Decimal)]) -> Result<Option<Vec<Given>>, Fail> {
    let mut given = Vec::new();
    for (code, wanted) in goods {
        let mut open = *wanted;
        for line in selling(store, bill, Some(code))? {
            let some = left(store, line)?.min(open);
            if some > Decimal::ZERO {
                given.push((line, some, None));
                open -= some;
            }
        }
        if !open.is_zero() {
            return Ok(None);
        }
    }
    Ok(Some(given).filter(|given| !given.is_empty()))
}

/// Makes the draft of a credit note for lines of an invoice.
fn note(store: &mut Store, bill: u64, given: &[Given]) -> Result<u64, Fail> {
    let mut rows = Vec::new();
    for (line, quantity, price) in given {
        let value = |field: &str| store.value(LINE, *line, field).to_json(true);
        let taxes = store.value(LINE, *line, "taxes").ids().to_vec();
        rows.push(json!({"origin": format!("account.invoice.line,{line}"), "type": value("type"),
            "company": value("company"), "currency": value("currency"), "account": value("account"),
            "product": value("product"), "unit": value("unit"), "quantity": Val::Float(-*quantity).to_json(true),
            "unit_price": price.map_or_else(|| value("unit_price"), |price| Val::Dec(price).to_json(true)),
            "description": value("description"), "taxes": [["add", taxes]]}));
    }
    let value = |field: &str| store.value(MODEL, bill, field).to_json(true);
    let row = json!({"company": value("company"), "party": value("party"), "invoice_address": value("invoice_address"),
        "currency": value("currency"), "payment_term": value("payment_term"), "account": value("account"),
        "journal": value("journal"), "lines": [["create", rows]]});
    Ok(create(store, MODEL, &[row])?.first().copied().unwrap_or_default())
}

/// Credits an invoice as the wizard does: a draft of the same lines; with a refund it is posted, undoes the invoice, and both
/// are settled.
pub fn credit(store: &mut Store, bill: u64, refund: bool) -> Result<u64, Fail> {
    let mut given = Vec::new();
    for line in selling(store, bill, None)? {
        given.push((line, store.value(LINE, line, "quantity").number().unwrap_or_default(), None));
    }
    let made = note(store, bill, &given)?;
    if refund {
        if store.text(MODEL, bill, "state") != "posted" {
            return Err(Fail::other("only what is posted is undone by a credit note"));
        }
        invoice::post(store, made)?;
        let own = store.value(MODEL, made, "move");
        store.put(MODEL, bill, "cancel_move", own)?;
        invoice::enter(store, bill, "cancelled")?;
        invoice::enter(store, made, "paid")?;
    }
    Ok(made)
}

/// What is left of an invoice, given back: by a refund where nothing of it was yet and nobody paid, as the wizard proposes.
fn rest_of(store: &mut Store, bill: u64) -> Result<Option<u64>, Fail> {
    let (mut given, mut whole) = (Vec::new(), true);
    for line in selling(store, bill, None)? {
        let (all, open) = (store.value(LINE, line, "quantity").number().unwrap_or_default(), left(store, line)?);
        whole &= all == open;
        given.push((line, open, None));
    }
    given.retain(|(_, open, _)| !open.is_zero());
    if given.is_empty() {
        return Ok(None);
    }
    if whole && store.text(MODEL, bill, "state") == "posted" {
        return credit(store, bill, true).map(Some);
    }
    let made = note(store, bill, &given)?;
    invoice::post(store, made)?;
    Ok(Some(made))
}

/// Makes a draft return of a sale, of so many pieces of each, or of all of it.
pub fn return_draft(store: &mut Store, sale: u64, goods: Option<&[(&str, Decimal)]>) -> Result<u64, Fail> {
    let mut open: Vec<(String, Decimal)> =
        goods.into_iter().flatten().map(|(code, quantity)| ((*code).to_owned(), *quantity)).collect();
    let mut rows = Vec::new();
    for line in sale::amount_lines(store, sale)? {
        let product = store.value("sale.line", line, "product").id().unwrap_or_default();
        let code = store.text("product.product", product, "code");
        let sold = store.value("sale.line", line, "quantity").number().unwrap_or_default();
        let back = match (goods, open.iter_mut().find(|(own, _)| *own == code)) {
            (None, _) => sold,
            (Some(_), Some((_, wanted))) => {
                let some = sold.min(*wanted);
                *wanted -= some;
                some
            }
            (Some(_), None) => Decimal::ZERO,
        };
        if back.is_zero() {
            continue;
        }
        let value = |field: &str| store.value("sale.line", line, field).to_json(true);
        let taxes = store.value("sale.line", line, "taxes").ids().to_vec();
        rows.push(
            json!({"type": "line", "product": value("product"), "unit": value("unit"), "sequence": value("sequence"),
            "quantity": Val::Float(-back).to_json(true), "unit_price": value("unit_price"),
            "description": value("description"), "taxes": [["add", taxes]]}),
        );
    }
    if rows.is_empty() || open.iter().any(|(_, wanted)| !wanted.is_zero()) {
        return Err(Fail::other("so much was not sold"));
    }
    let mut row = json!({"origin": format!("sale.sale,{sale}"), "lines": [["create", rows]]});
    for field in [
        "company",
        "party",
        "invoice_party",
        "invoice_address",
        "shipment_party",
        "shipment_address",
        "warehouse",
        "currency",
        "payment_term",
        "invoice_method",
        "shipment_method",
    ] {
        row[field] = store.value("sale.sale", sale, field).to_json(true);
    }
    Ok(create(store, "sale.sale", &[row])?.first().copied().unwrap_or_default())
}

impl Erp {
    /// The credits of a sale, by id.
    pub fn credits(&self, sale: u64) -> Vec<u64> {
        of_sale(&self.store, sale).unwrap_or_default()
    }

    /// Gives back so many pieces of each product code, with a credit note that is posted at once: its id; none where no
    /// invoice of the sale that is in force has so many left.
    pub fn credit(&mut self, now: Timestamp, sale: u64, goods: &[(&str, Decimal)]) -> Option<u64> {
        self.noted(now, sale, |store, bill| out_of(store, bill, goods))
    }

    /// Gives back the freight of a sale.
    pub fn credit_freight(&mut self, now: Timestamp, sale: u64) -> Option<u64> {
        self.noted(now, sale, |store, bill| out_of(store, bill, &[(FREIGHT, Decimal::ONE)]))
    }

    /// Gives back an amount without tax for one piece of a product code, which stays with the buyer.
    pub fn credit_amount(&mut self, now: Timestamp, sale: u64, code: &str, amount: Decimal) -> Option<u64> {
        self.noted(now, sale, |store, bill| {
            let line = selling(store, bill, Some(code))?.into_iter().next();
            Ok(line.map(|line| vec![(line, Decimal::ONE, Some(amount))]))
        })
    }

    /// Gives back all that is left of the invoices of a sale that are in force; the ids of the credit notes.
    pub fn credit_all(&mut self, now: Timestamp, sale: u64) -> Vec<u64> {
        let mut made = Vec::new();
        let done = self.whole(now, |store| {
            for bill in in_force(store, sale)? {
                made.extend(rest_of(store, bill)?);
            }
            Ok(())
        });
        if done { made } else { Vec::new() }
    }

    /// Credits the invoices of a sale that are in force as the wizard does: in draft, or with a refund; false where there is
    /// none, or where one to be refunded is not merely posted.
    pub fn credit_by_wizard(&mut self, now: Timestamp, sale: u64, refund: bool) -> bool {
        self.whole(now, |store| {
            let bills = in_force(store, sale)?;
            if bills.is_empty() {
                return Err(Fail::other("no such invoice"));
            }
            bills.into_iter().try_for_each(|bill| credit(store, bill, refund).map(drop))
        })
    }

    /// A while's work of who takes complaints: of so many sales that left whole and are paid something is given back, of every
    /// other one all, otherwise a piece with the freight where there is one to give back and cents to give. What was paid
    /// elsewhere is given back there.
    pub fn give_back_a_while(&mut self, now: Timestamp, sales: usize, paid_elsewhere: &[&str]) {
        let all: Vec<u64> = self.store.model("sale.sale").map(|at| self.store.ids(at).collect()).unwrap_or_default();
        let here = |sale: &u64| !paid_elsewhere.contains(&self.store.text("sale.sale", *sale, "reference").as_str());
        let next: Vec<u64> = all.into_iter().filter(here).filter(|sale| self.may_complain(*sale)).take(sales).collect();
        for sale in next {
            let piece = self.a_piece_with_freight(sale).filter(|_| sale % 2 == 1);
            let part = piece
                .and_then(|code| self.credit(now, sale, &[(code.as_str(), Decimal::ONE), (FREIGHT, Decimal::ONE)]));
            if part.is_none() {
                self.credit_all(now, sale);
            }
        }
    }

    /// Whether all of a sale left and was paid, and nothing of it was given back.
    fn may_complain(&self, sale: u64) -> bool {
        let store = &self.store;
        let paid =
            |bills: &[u64]| !bills.is_empty() && bills.iter().all(|id| store.text(MODEL, *id, "state") == "paid");
        let left = |id: &u64| matches!(store.text("stock.shipment.out", *id, "state").as_str(), "shipped" | "done");
        let shipments = self.shipments(sale);
        let owed = invoice::sum_of(store, sale, &["paid"]);
        in_force(store, sale).is_ok_and(|bills| paid(&bills))
            && owed != "0"
            && !shipments.is_empty()
            && shipments.iter().all(left)
            && self.credits(sale).is_empty()
    }

    /// The code of a thing a sale sold beside its freight, in a currency with cents.
    fn a_piece_with_freight(&self, sale: u64) -> Option<String> {
        let store = &self.store;
        let currency = store.value("sale.sale", sale, "currency").id()?;
        let bill = in_force(store, sale).ok()?.into_iter().next()?;
        let priced =
            |line: &u64| store.value(LINE, *line, "unit_price").number().is_some_and(|price| price > Decimal::ONE);
        let sold = selling(store, bill, None).ok()?.into_iter().filter(priced);
        let product = |line: u64| store.value(LINE, line, "product").id();
        let codes: Vec<String> = sold.filter_map(product).map(|id| store.text("product.product", id, "code")).collect();
        let thing = codes.iter().find(|code| *code != FREIGHT)?.clone();
        let cents = store.text("currency.currency", currency, "code") != "JPY";
        (cents && codes.iter().any(|code| code == FREIGHT)).then_some(thing)
    }

    /// Posts every draft of a credit of a sale, as a clerk would; false where there is none.
    pub fn post_credits(&mut self, now: Timestamp, sale: u64) -> bool {
        self.whole(now, |store| {
            let all = of_sale(store, sale)?.into_iter();
            let open: Vec<u64> = all.filter(|id| store.text(MODEL, *id, "state") == "draft").collect();
            if open.is_empty() {
                return Err(Fail::other("no such credit"));
            }
            open.into_iter().try_for_each(|id| invoice::post(store, id))
        })
    }

    /// Books the payment of every posted credit of a sale; false where there is none.
    pub fn pay_credit(&mut self, now: Timestamp, sale: u64) -> bool {
        self.whole(now, |store| {
            let all = of_sale(store, sale)?.into_iter();
            let open: Vec<u64> = all.filter(|id| store.text(MODEL, *id, "state") == "posted").collect();
            if open.is_empty() {
                return Err(Fail::other("no such credit"));
            }
            open.into_iter().try_for_each(|id| invoice::enter(store, id, "paid"))
        })
    }

    /// Makes the draft of a return of all of a sale, as the wizard does; its id.
    pub fn return_sale(&mut self, now: Timestamp, sale: u64) -> Option<u64> {
        let mut made = None;
        self.whole(now, |store| {
            made = Some(return_draft(store, sale, None)?);
            Ok(())
        });
        made
    }

    /// Takes back so many pieces of each product code: a return that is processed, its invoice posted; the id of that one.
    pub fn take_back(&mut self, now: Timestamp, sale: u64, goods: &[(&str, Decimal)]) -> Option<u64> {
        let mut made = None;
        let done = self.whole(now, |store| {
            let back = return_draft(store, sale, Some(goods))?;
            for button in ["quote", "confirm"] {
                sale::press(store, button, &[back], false)?;
            }
            for id in invoice::of_sale(store, back)? {
                invoice::post(store, id)?;
                made = Some(id);
            }
            Ok(())
        });
        made.filter(|_| done)
    }

    /// A credit note, posted at once, for what `choose` takes out of the first invoice in force that has it.
    fn noted(
        &mut self,
        now: Timestamp,
        sale: u64,
        choose: impl Fn(&Store, u64) -> Result<Option<Vec<Given>>, Fail>,
    ) -> Option<u64> {
        let mut made = None;
        self.whole(now, |store| {
            for bill in in_force(store, sale)? {
                if let Some(given) = choose(store, bill)? {
                    let id = note(store, bill, &given)?;
                    invoice::post(store, id)?;
                    made = Some(id);
                    return Ok(());
                }
            }
            Err(Fail::other("nothing of it is left to be given back"))
        });
        made
    }
}
