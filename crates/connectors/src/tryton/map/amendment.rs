//! What is left to do to amend a sale, and what stands in its way.
//!
//! Recorded (`tryton-8.0-amend.json`): where a sale goes can be written at every stage, but its shipments and invoices keep
//! the address they were made with, and each can be written as long as it is not posted. Lines of a sale that is processed
//! change by an amendment (module `sale_amendment`), which makes the shipments that wait and the invoices that are drafts
//! anew. It leaves alone shipments that are assigned, picked or packed, takes their goods' way out from them all the same, and
//! looks at no stamp of theirs. So each shipment goes back to its draft first, where nobody can pick it.

use super::super::wire::{Dec, Qty, SaleLineRow, SaleRow};
use super::super::wire_stand::{AmendmentRow, StandRow};
use super::sale::address;
use super::withdrawal::{is_unposted, is_waiting, stands};
use super::{Wrong, element_id};
use crate::wire::Exact;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::Error;
use syncline_core::delivery::Change;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{ASKED, Order};

/// One call that brings a sale nearer to what is wanted; where that is done, it is not made again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The method, with its model.
    pub(crate) method: String,
    /// Records it is for.
    pub(crate) ids: Vec<i64>,
    /// What is written; none for a button.
    pub(crate) values: Option<Value>,
    /// Records that must be as they were read: model, id and version.
    pub(crate) versions: Vec<(&'static str, i64, String)>,
}

const SALE: &str = "sale.sale";
const SHIPMENT: &str = "stock.shipment.out";
const INVOICE: &str = "account.invoice";
const AMENDMENT: &str = "sale.amendment";

/// How many of a line have left; none where its moves were not read.
pub(super) fn gone(row: &SaleLineRow) -> Option<Decimal> {
    let told = row.moves.iter().any(|one| one.quantity.is_some());
    let gone = row.moves.iter().filter(|one| matches!(one.state.as_str(), "assigned" | "done"));
    told.then(|| gone.filter_map(|one| one.quantity).map(|Qty(Exact(quantity))| quantity).sum())
}

/// What comes next of amending `row`, whose papers were read; nothing where that is done.
///
/// # Errors
/// `Stale` where something has come of it meanwhile, `Invalid` where a person changed what is ours to change.
pub(crate) fn amendment(row: &SaleRow, change: &Change) -> Result<Option<Call>, Wrong> {
    let order = Order::from_leaves(&change.leaves)?;
    if order.lines.iter().next().is_some() {
        return fewer(row, change, &order);
    }
    let expect = change.expect.clone().or_else(|| row.version.clone());
    let wanted = [
        (SHIPMENT, "shipping", &order.shipping, "delivery_address", row.shipment_address),
        (INVOICE, "billing", &order.billing, "invoice_address", row.invoice_address),
    ];
    let mut header = serde_json::Map::new();
    let asked: BTreeSet<i64> =
        change.elements.keys().filter_map(|path| path.within(ASKED)).filter_map(|(key, _)| element_id(&key)).collect();
    for (model, what, reference, field, before) in wanted {
        let Some(reference) = reference else { continue };
        let to = address(Some(reference), what)?;
        if let Some(call) = readdressed(row, model, field, (before, to), &asked)? {
            return Ok(Some(call));
        }
        if before != Some(to) {
            let field = if model == INVOICE { "invoice_address" } else { "shipment_address" };
            header.insert(field.to_string(), json!(to));
        }
    }
    if header.is_empty() {
        return Ok(None);
    }
    let versions = expect.map(|version| (SALE, row.id, version)).into_iter().collect();
    Ok(Some(write(SALE, vec![row.id], Value::Object(header), versions)))
}

fn write(model: &str, ids: Vec<i64>, values: Value, versions: Vec<(&'static str, i64, String)>) -> Call {
    Call { method: format!("model.{model}.write"), ids, values: Some(values), versions }
}

fn wrong(kind: ErrorKind, row: &SaleRow, what: &str) -> Wrong {
    Wrong { error: Error::new(kind, format!("sale {}: {what}", row.id)), missing: false }
}

/// The call that sends those papers of a sale elsewhere that still go where the sale does, or where we sent them before; none where
/// there are none.
fn readdressed(
    row: &SaleRow,
    model: &'static str,
    field: &str,
    (before, to): (Option<i64>, i64),
    asked: &BTreeSet<i64>,
) -> Result<Option<Call>, Wrong> {
    let fixed = stands(row).map(|found| match model {
        INVOICE => found.in_force,
        _ => [found.in_hand, found.left].concat(),
    });
    if let Some(fixed) = fixed.filter(|fixed| !fixed.is_empty() && before != Some(to)) {
        return Err(wrong(ErrorKind::Stale, row, &format!("{} keeps its address", fixed.join(", "))));
    }
    let (papers, is_open): (_, fn(&StandRow) -> bool) = match model {
        INVOICE => (&row.invoices, is_unposted),
        _ => (&row.shipments, is_waiting),
    };
    let goes = |one: &StandRow| if model == INVOICE { one.invoice_address } else { one.delivery_address };
    let open = papers.iter().flatten().filter(|one| is_open(one) && goes(one) != Some(to));
    let open: Vec<&StandRow> = open.collect();
    let ours = |one: &&&StandRow| goes(one) == before || goes(one).is_some_and(|id| asked.contains(&id));
    if let Some(other) = open.iter().find(|one| !ours(one)) {
        let name = other.number.clone().unwrap_or_else(|| format!("with id {}", other.id));
        let what =
            format!("{model} {name} goes to an address of its own: a person wrote it; set the new one there by hand");
        return Err(wrong(ErrorKind::Invalid, row, &what));
    }
    if open.is_empty() {
        return Ok(None);
    }
    let ids = open.iter().map(|one| one.id).collect();
    Ok(Some(write(model, ids, json!({ field: to }), versions_of(model, open.iter().copied()))))
}

fn versions_of<'a>(
    model: &'static str,
    papers: impl Iterator<Item = &'a StandRow>,
) -> Vec<(&'static str, i64, String)> {
    papers.filter_map(|one| Some((model, one.id, one.version.clone()?))).collect()
}

/// The call that brings lines of a sale in process nearer to the quantities wanted.
fn fewer(row: &SaleRow, change: &Change, order: &Order) -> Result<Option<Call>, Wrong> {
    let mut wanted: BTreeMap<i64, (Decimal, &SaleLineRow)> = BTreeMap::new();
    for (key, line) in order.lines.iter() {
        let there = change.elements.get(&Path::element("lines", key)).and_then(|key| element_id(key));
        let there = row.lines.iter().flatten().find(|one| Some(one.id) == there);
        let (Some(there), Some(quantity)) = (there, line.quantity) else {
            return Err(wrong(ErrorKind::Invalid, row, &format!("line {key} is not there any more")));
        };
        if there.quantity.is_none_or(|Qty(Exact(now))| now < quantity)
            || gone(there).is_some_and(|gone| gone > quantity)
        {
            return Err(wrong(ErrorKind::Stale, row, &format!("line {key} has another quantity, or more has left")));
        }
        if there.quantity.is_none_or(|Qty(Exact(now))| now != quantity) {
            wanted.insert(there.id, (quantity, there));
        }
    }
    if wanted.is_empty() {
        return Ok(None);
    }
    if row.state != "processing" {
        return Err(wrong(ErrorKind::Stale, row, &format!("it stands at `{}`", row.state)));
    }
    let found = stands(row).unwrap_or_default();
    if let Some(fixed) = found.in_hand.iter().chain(&found.in_force).next() {
        return Err(wrong(ErrorKind::Stale, row, &format!("{fixed} cannot be changed")));
    }
    next_of_amendment(row, change, &wanted).map(Some)
}

/// The next call of those that make an amendment and put it into force.
fn next_of_amendment(
    row: &SaleRow,
    change: &Change,
    wanted: &BTreeMap<i64, (Decimal, &SaleLineRow)>,
) -> Result<Call, Wrong> {
    let mark = change.mark.as_str();
    let ours = |one: &&AmendmentRow| one.state == "draft" && one.description.as_deref() == Some(mark);
    let drafts: Vec<&AmendmentRow> = row.amendments.iter().flatten().filter(ours).collect();
    let stamp = |one: &AmendmentRow| Some((AMENDMENT, one.id, one.version.clone()?));
    let says = |one: &AmendmentRow| {
        let told = one.lines.iter().filter_map(|line| Some((line.line?, line.quantity?)));
        let told: BTreeMap<i64, Decimal> = told.map(|(line, Qty(Exact(quantity)))| (line, quantity)).collect();
        told == wanted.iter().map(|(line, (quantity, _))| (*line, *quantity)).collect()
    };
    let (right, others): (Vec<&AmendmentRow>, Vec<&AmendmentRow>) = drafts.into_iter().partition(|one| says(one));
    let others: Vec<&AmendmentRow> = others.into_iter().chain(right.iter().skip(1).copied()).collect();
    if !others.is_empty() {
        let ids = others.iter().map(|one| one.id).collect();
        let versions = others.into_iter().filter_map(stamp).collect();
        return Ok(Call { method: format!("model.{AMENDMENT}.delete"), ids, values: None, versions });
    }
    let sale = row.version.clone().map(|version| (SALE, row.id, version));
    let Some(right) = right.first() else {
        let lines = wanted.values().map(|(quantity, line)| amended(row, line, *quantity));
        let lines = lines.collect::<Result<Vec<Value>, Wrong>>()?;
        // Through the sale, so that its version keeps a second one away.
        let values = json!({"amendments": [["create", [{"description": mark, "lines": [["create", lines]]}]]]});
        return Ok(write(SALE, vec![row.id], values, sale.into_iter().collect()));
    };
    let shipments = || row.shipments.iter().flatten().filter(|one| is_waiting(one));
    for (state, button) in [("assigned", "wait"), ("waiting", "draft")] {
        let some: Vec<&StandRow> = shipments().filter(|one| one.state == state).collect();
        if !some.is_empty() {
            let ids = some.iter().map(|one| one.id).collect();
            let versions = versions_of(SHIPMENT, some.into_iter());
            return Ok(Call { method: format!("model.{SHIPMENT}.{button}"), ids, values: None, versions });
        }
    }
    let mut versions: Vec<_> = sale.into_iter().chain(stamp(right)).collect();
    versions.extend(versions_of(SHIPMENT, shipments()));
    versions.extend(versions_of(INVOICE, row.invoices.iter().flatten().filter(|one| is_unposted(one))));
    Ok(Call { method: format!("model.{AMENDMENT}.validate_amendment"), ids: vec![right.id], values: None, versions })
}

/// A line of an amendment: all as it is, but for the quantity.
fn amended(row: &SaleRow, line: &SaleLineRow, quantity: Decimal) -> Result<Value, Wrong> {
    let lacks = |what: &str| wrong(ErrorKind::Invalid, row, &format!("line {} tells no {what}", line.id));
    let product = line.product_row.as_ref().ok_or_else(|| lacks("product"))?.id;
    let unit = line.unit.ok_or_else(|| lacks("unit"))?;
    let Dec(price) = line.unit_price.ok_or_else(|| lacks("price"))?;
    Ok(json!({"action": "line", "line": line.id, "product": product, "unit": unit, "quantity": Qty(Exact(quantity)),
        "unit_price": Dec(price), "description": line.description}))
}
