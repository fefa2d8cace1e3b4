//! Invoices: made with every line named, marked in a comment, and told in the order's own currency.
//!
//! The freight goes with the first one, and with an offline method the money counts as paid whether it was to be captured or
//! not (recorded: order-invoice-partial, invoice-capture-false), so that what counts is what is read back. What it will come
//! to is worked out before it is asked for.

use super::families::CONFIGURABLE;
use super::figures;
use super::foreseen::Foresight;
use super::map::{amount, invalid};
use super::papers::{About, asked_for, comment, mark_of, moved_on, rows, sort_of, wanted};
use super::rows::{evidence_of, shape};
use super::wire_papers::{Invoice, InvoicedLine, Sold};
use super::{Magento, wire};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_connect::{Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Ref, Value as LeafValue};
use syncline_core::money::{self, Currency, Money};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, PaperLife, PaperLine, Record};

/// What the shop says where nothing is left to be billed, or where the order is done with or was put on hold meanwhile
/// (`Order\Validation\CanInvoice`, `InvoiceOrder`).
const NOTHING_LEFT: [&str; 2] = ["does not allow an invoice to be created", "has a status of"];
/// What it says where an invoice was rolled back, whatever went wrong: a gateway that declined, too (`InvoiceOrder`).
const NOT_STORED: &str = "Could not save an invoice";
/// Decimals of a quantity.
const DIGITS: u32 = 4;

impl Magento {
    /// What became of a permit to make an invoice.
    pub(super) async fn make_invoice(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let ready = self.ready_invoice(ctx, permit.change()).await;
        match self.make_paper(ctx, permit, ready, "invoice", |error, _| moved_on(error, &NOTHING_LEFT)).await {
            Outcome::Refused(error) if error.message.contains(NOT_STORED) => {
                let message = format!(
                    "{}: where a gateway takes the money, see there whether it declined it or took it, then `syncline retry`",
                    error.message
                );
                Outcome::Refused(Error { message, ..error })
            }
            other => other,
        }
    }

    async fn ready_invoice(&self, ctx: &Ctx, change: &Change) -> Result<(About, Value)> {
        let wanted = wanted(change)?;
        let (about, value) = self.whole_order_of(ctx, change).await?;
        let lines = billed(&about, &wanted)?;
        foresee(&value, &lines, asked_for(change))?;
        let body = json!({
            "capture": is_paid(change) || is_taken(change), "items": rows(&lines)?, "notify": false, "appendComment": true,
            "comment": comment(change),
        });
        Ok((about, body))
    }
}

/// Refuses an invoice that the shop would make of another sum than `wanted`: nothing takes that money back.
fn foresee(order: &Value, lines: &BTreeMap<u64, Decimal>, wanted: Option<Money>) -> Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let (doc, sold): (wire::Order, Sold) = (shape("orders", order)?, shape("orders", order)?);
    let figures = figures::read(&doc).map_err(invalid)?;
    if figures.others {
        return Ok(());
    }
    let foreseen = Foresight::new(&sold, figures.reduced).invoice(lines).map_err(|why| otherwise(&why))?;
    let Some(foreseen) = foreseen else { return Ok(()) };
    let code = sold.order_currency_code.map_or_else(String::new, |code| code.0);
    if foreseen == wanted.amount && code == wanted.currency.code() {
        return Ok(());
    }
    Err(otherwise(&format!("{wanted} were invoiced, and the shop would ask for {foreseen} {code}")))
}

/// The error of a paper that is not made, for it would come to something else.
pub(super) fn otherwise(what: &str) -> Error {
    Error::new(ErrorKind::Otherwise, what)
}

/// Whether the money has come, so that the shop is to take it as well.
fn is_paid(change: &Change) -> bool {
    matches!(change.leaves.value(&Path::field("life")), Some(LeafValue::Code(word)) if word == PaperLife::Paid.word())
}

/// Whether the shop is to take the money itself: counting it as paid without that asks no gateway for anything (from Magento's code,
/// `PayOperation`).
fn is_taken(change: &Change) -> bool {
    change.leaves.value(&Path::field("method")).is_some()
}

/// The lines to name: of a configurable its own line, which carries the money.
pub(super) fn billed(about: &About, wanted: &BTreeMap<u64, Decimal>) -> Result<BTreeMap<u64, Decimal>> {
    let mut lines = BTreeMap::new();
    for (line, quantity) in wanted {
        let told = about.lines.get(line);
        let told = told.ok_or_else(|| invalid(format!("order {} has no line {line}", about.id)))?;
        let head = about.parent(told).filter(|head| sort_of(head) == CONFIGURABLE);
        let named = head.map_or(*line, |head| head.item_id.0);
        if lines.insert(named, *quantity).is_some() {
            return Err(invalid(format!("line {named} is named twice: by itself and by what is part of it")));
        }
    }
    Ok(lines)
}

/// An invoice as the shop tells it.
///
/// # Errors
/// `Broken` with the exchange, where it is not built like one; `Invalid` for a currency or a state nobody knows.
pub(super) fn snapshot(about: &About, value: &Value) -> Result<Snapshot> {
    let doc: Invoice = shape("invoices", value)?;
    let evidence = || evidence_of("invoices", value);
    let paper = paper(about, &doc, Kind::Invoice).map_err(|error| error.with(evidence()))?;
    let id = about.paper(doc.entity_id);
    Ok(Snapshot {
        id: id.clone(),
        mark: mark_of(value),
        found_by: None,
        version: doc.updated_at.as_ref().map(|time| time.0.clone()),
        records: vec![(id, Record::Invoice(Box::new(paper)))],
        evidence: Some(evidence()),
    })
}

/// An invoice or a credit memo, which has the same columns.
pub(super) fn paper(about: &About, doc: &Invoice, kind: Kind) -> Result<Paper> {
    let place = || format!("{kind} {} of order {}", doc.entity_id.0, about.id);
    let code = doc.order_currency_code.as_ref().map_or("", |code| code.0.as_str());
    let currency: Currency =
        code.parse().map_err(|error| invalid(format!("{}: `order_currency_code`: {error}", place())))?;
    let money = |amount| Money::new(amount, currency);
    let reduced = reduced(doc);
    let mut paper = Paper {
        number: doc.increment_id.as_ref().map(|number| number.0.clone()),
        life: Some(life(doc).map_err(|what| invalid(format!("{}: {what}", place())))?),
        order: Some(Ref::remote(Kind::Order, about.id.clone())),
        day: about.day(doc.created_at.as_ref()),
        currency: Some(currency),
        grand: doc.grand_total.map(|_| money(amount(doc.grand_total))),
        ..Paper::default()
    };
    for row in doc.items.iter().flatten() {
        let line = PaperLine {
            quantity: Some(money::settled(row.qty.0, DIGITS)),
            net: row.row_total.and_then(|_| net(row, reduced)).map(money),
            tax: row.row_total.map(|_| money(amount(row.tax_amount))),
            sku: row.sku.as_ref().map(|sku| sku.0.clone()),
        };
        if paper.lines.insert(row.order_item_id.0.to_string(), line).is_some() {
            return Err(invalid(format!("{}: line {} is told twice", place(), row.order_item_id.0)));
        }
    }
    for (name, net) in [("shipping", freight(doc)), ("adjustment", amount(doc.adjustment))] {
        if !net.is_zero() {
            paper.charges.insert(name.to_owned(), money(net));
        }
    }
    Ok(paper)
}

fn life(doc: &Invoice) -> std::result::Result<PaperLife, String> {
    Ok(match doc.state.map(|state| state.0) {
        Some(1) => PaperLife::Done,
        Some(2) => PaperLife::Paid,
        Some(3) => PaperLife::Void,
        Some(other) => return Err(format!("`state` is {other}, which Magento does not have")),
        None => return Err("`state` is not told".to_owned()),
    })
}

/// The freight without tax, before a discount of its own; an invoice does not tell that one by itself.
fn freight(doc: &Invoice) -> Decimal {
    amount(doc.shipping_amount).saturating_add(amount(doc.shipping_discount_tax_compensation_amount))
}

fn net(row: &InvoicedLine, reduced: bool) -> Option<Decimal> {
    let full = amount(row.row_total).checked_add(amount(row.discount_tax_compensation_amount))?;
    if reduced { Some(full) } else { full.checked_sub(amount(row.discount_amount).abs()) }
}

/// Whether `row_total` is told after the discount, as where prices tell their tax; by the figures of the invoice itself, for
/// that is not the same in every shop (see `figures.rs`). Where neither adds up, it is taken for the documented way.
fn reduced(doc: &Invoice) -> bool {
    let lines: Option<Decimal> = doc
        .items
        .iter()
        .flatten()
        .filter(|row| row.row_total.is_some())
        .try_fold(Decimal::ZERO, |sum, row| sum.checked_add(net(row, true)?));
    let beside = [amount(doc.tax_amount), freight(doc), amount(doc.adjustment)];
    let rest = beside.into_iter().try_fold(amount(doc.grand_total), Decimal::checked_sub);
    !amount(doc.discount_amount).is_zero() && lines.is_some() && lines == rest
}
