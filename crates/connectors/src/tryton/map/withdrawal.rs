//! What is left to do to withdraw a sale, and what stands in its way.
//!
//! Recorded (`tryton-8.0-amend.json`): a draft or a quotation is cancelled at once. A sale that is processed is not, and a
//! confirmed one goes back to its draft first. Of a processed one shipments and invoices are cancelled, each as it was read;
//! once a person says that nobody waits for them, and the sale is processed again, it is done without any.

use super::super::wire::SaleRow;
use super::super::wire_stand::StandRow;
use serde_json::{Value, json};
use syncline_connect::{Error, Result};
use syncline_core::policy::ErrorKind;

/// The next thing to do to withdraw a sale. Each is one call, and leaves alone what was done before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Withdrawal {
    /// A button of the sale.
    Press(&'static str),
    /// These papers of that model are cancelled, each in the version it was read in.
    Papers(&'static str, Vec<(i64, Option<String>)>),
    /// Values of the sale: nobody waits for what was cancelled.
    Ignore(Value),
}

/// Shipments that nobody has taken goods for yet. Tryton would cancel others, too, even those that are done.
const WAITING: [&str; 3] = ["draft", "waiting", "assigned"];
/// Invoices that ask nobody for money yet.
const UNPOSTED: [&str; 2] = ["draft", "validated"];
/// Shipments whose goods are out of the house.
const GONE: [&str; 2] = ["shipped", "done"];
const CANCELLED: &str = "cancelled";

/// What came of a sale that cannot be changed from afar, by name and state.
#[derive(Debug, Default)]
pub(super) struct Stands {
    /// Goods that are picked or packed.
    pub(super) in_hand: Vec<String>,
    /// Goods that have left.
    pub(super) left: Vec<String>,
    /// Invoices that ask for money.
    pub(super) in_force: Vec<String>,
}

/// What of a sale nobody can take back from afar, by name and state; none where its papers were not read.
pub(super) fn fixed(row: &SaleRow) -> Option<String> {
    let stands = stands(row)?;
    Some([stands.in_hand, stands.left, stands.in_force].concat().join(", "))
}

/// The same, apart; none where its papers were not read.
pub(super) fn stands(row: &SaleRow) -> Option<Stands> {
    let (shipments, invoices) = (row.shipments.as_ref()?, row.invoices.as_ref()?);
    let named = |what: &str, one: &StandRow| {
        let number = one.number.as_deref().filter(|number| !number.is_empty());
        format!("{what} {} ({})", number.map_or_else(|| format!("with id {}", one.id), str::to_string), one.state)
    };
    let mut found = Stands::default();
    for one in shipments.iter().filter(|one| one.state != CANCELLED && !is_waiting(one)) {
        let list = if GONE.contains(&one.state.as_str()) { &mut found.left } else { &mut found.in_hand };
        list.push(named("shipment", one));
    }
    let gone = row.lines.iter().flatten().flat_map(|line| &line.moves).any(|one| one.state == "done");
    if gone && found.left.is_empty() && found.in_hand.is_empty() {
        found.left.push("goods that were moved without a shipment".to_string());
    }
    let bought = row.lines.iter().flatten().flat_map(|line| &line.moves).any(is_elsewhere);
    if bought {
        found.in_hand.push("goods that a supplier is to send".to_string());
    }
    let asked = invoices.iter().filter(|one| one.state != CANCELLED && !is_unposted(one));
    found.in_force.extend(asked.map(|one| named("invoice", one)));
    Some(found)
}

/// Whether a move waits in no shipment of the house: what it moves is bought for this sale.
fn is_elsewhere(one: &StandRow) -> bool {
    let own = one.shipment.as_deref().is_some_and(|lies| lies.starts_with("stock.shipment.out,"));
    !own && one.state != CANCELLED && one.state != "done"
}

/// Whether nobody has taken goods for a shipment yet.
pub(super) fn is_waiting(shipment: &StandRow) -> bool {
    WAITING.contains(&shipment.state.as_str())
}

/// Whether an invoice asks nobody for money yet.
pub(super) fn is_unposted(invoice: &StandRow) -> bool {
    UNPOSTED.contains(&invoice.state.as_str())
}

/// What comes next of withdrawing `row`, whose papers were read; nothing where that is done.
///
/// # Errors
/// `Stale` where something has come of it meanwhile, `Invalid` where nothing is left that we could do.
pub(crate) fn withdrawal(row: &SaleRow) -> Result<Option<Withdrawal>> {
    match row.state.as_str() {
        "draft" | "quotation" => Ok(Some(Withdrawal::Press("cancel"))),
        "confirmed" => Ok(Some(Withdrawal::Press("draft"))),
        "processing" => processed(row).map(Some),
        _ => Ok(None),
    }
}

fn processed(row: &SaleRow) -> Result<Withdrawal> {
    let refuse = |kind, what: &str| Err(Error::new(kind, format!("sale {}: {what}", row.id)));
    if let Some(fixed) = fixed(row).filter(|fixed| !fixed.is_empty()) {
        return refuse(ErrorKind::Stale, &format!("{fixed} cannot be taken back"));
    }
    let papers = [("stock.shipment.out", row.shipments.as_deref()), ("account.invoice", row.invoices.as_deref())];
    for (model, papers) in papers {
        let open = papers.unwrap_or_default().iter().filter(|one| one.state != CANCELLED);
        let open: Vec<_> = open.map(|one| (one.id, one.version.clone())).collect();
        if !open.is_empty() {
            return Ok(Withdrawal::Papers(model, open));
        }
    }
    let lines = || row.lines.iter().flatten();
    if lines().flat_map(|line| &line.moves).any(|one| one.state != CANCELLED) {
        return refuse(
            ErrorKind::Invalid,
            "goods of it are moved by something else than a shipment to the customer: cancel it in Tryton",
        );
    }
    let waited = |all: &[StandRow], seen_to: [&[i64]; 2]| -> Vec<i64> {
        let cancelled = all.iter().filter(|one| one.state == CANCELLED).map(|one| one.id);
        cancelled.filter(|id| !seen_to.iter().any(|seen| seen.contains(id))).collect()
    };
    let invoices =
        waited(row.invoices.as_deref().unwrap_or_default(), [&row.invoices_ignored, &row.invoices_recreated]);
    let moves = lines().map(|line| (line.id, waited(&line.moves, [&line.moves_ignored, &line.moves_recreated])));
    let moves: Vec<_> = moves.filter(|(_, moves)| !moves.is_empty()).collect();
    if !invoices.is_empty() || !moves.is_empty() {
        let lines: Vec<Value> =
            moves.iter().map(|(line, moves)| json!(["write", [line], {"moves_ignored": [["add", moves]]}])).collect();
        return Ok(Withdrawal::Ignore(json!({"invoices_ignored": [["add", invoices]], "lines": lines})));
    }
    let excepted = |state: &Option<String>| state.as_deref() == Some("exception");
    if excepted(&row.shipment_state) || excepted(&row.invoice_state) {
        return Ok(Withdrawal::Press("process"));
    }
    refuse(ErrorKind::Invalid, "nothing of it is left to cancel, and it goes on all the same: cancel it in Tryton")
}
