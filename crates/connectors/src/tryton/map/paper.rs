//! What was done about sales: which goods of them left with a shipment, which money an invoice asks for.

use super::text::told;
use super::{Codes, element_key, remote};
use crate::tryton::wire::{Dec, Qty, Unit};
use crate::tryton::wire_paper::{InvoiceLineRow, InvoiceRow, MoveRow, PackageRow, ShipmentRow, SoldRow};
use crate::wire::Exact;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Error, Result as Told};
use syncline_core::delivery::Change;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::Ref;
use syncline_core::money::{Currency, Money};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, PaperLife, PaperLine, Record, Track, paper_below};

/// Decimals of a quantity that was told in another unit than it was sold in: more than any unit keeps.
const DIGITS: u32 = 8;
/// Letters of a parcel's number: more than any carrier's has. What is longer is no number.
const NUMBER: usize = 200;

/// One part of a document, with the line of the sale it comes from.
pub(in crate::tryton) type Part<'a, T> = (T, &'a SoldRow);

/// The id of what the document `id` tells of a sale.
pub(in crate::tryton) fn paper_id(sale: i64, id: i64) -> RemoteId {
    let own = if id < 0 { format!("d{}", id.unsigned_abs()) } else { id.to_string() };
    paper_below(&remote(sale), &own)
}

/// The document that the own part of a paper's id names: below nothing where a supplier sends it.
pub(in crate::tryton) fn document_of(kind: Kind, own: &str) -> Option<i64> {
    match own.strip_prefix('d').filter(|_| kind == Kind::Shipment) {
        Some(dropped) => dropped.parse::<i64>().ok().filter(|id| *id > 0).map(i64::saturating_neg),
        None => own.parse::<i64>().ok().filter(|id| *id > 0),
    }
}

/// Those of the parts a payment is to be booked in that are there: each is known by the invoice it is on.
pub(super) fn pairs(change: &Change, there: &Paper) -> Vec<(Path, String)> {
    let keys = change.leaves.keys_of("lines").into_iter().filter(|key| there.lines.contains_key(key));
    keys.map(|key| (Path::element("lines", &key), key)).collect()
}

/// What a part of a document names as its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tryton) enum Origin {
    /// A line of a sale.
    Sold(i64),
    /// A line of an invoice, which a credit note gives back of.
    Billed(i64),
}

impl Origin {
    /// None where it comes from something else.
    pub(in crate::tryton) fn of(origin: &str) -> Option<Self> {
        let (model, id) = origin.split_once(',')?;
        let id = id.parse().ok().filter(|id| *id > 0)?;
        match model {
            "sale.line" => Some(Self::Sold(id)),
            "account.invoice.line" => Some(Self::Billed(id)),
            _ => None,
        }
    }
}

/// What a shipment tells of one sale. `moves` are those that come from a line of the sale, `loose` the parcels that hold
/// nothing of any sale, `place` is the word for its warehouse.
///
/// # Errors
/// Where the unit of a move cannot be compared with the one it was sold in.
pub(in crate::tryton) fn shipment_record(
    row: &ShipmentRow,
    sale: i64,
    moves: &[Part<'_, MoveRow>],
    parcels: &Parcels,
    place: Option<&str>,
) -> Told<Record> {
    let is_off = |part: &Part<'_, MoveRow>| part.0.state == "cancelled";
    let withdrawn = moves.iter().all(is_off);
    let mut lines = BTreeMap::<String, PaperLine>::new();
    for (one, sold) in moves.iter().filter(|part| withdrawn || !is_off(part)) {
        let place = || format!("shipment {}, line {} of sale {sale}", row.id, sold.id);
        let quantity = in_unit(one.quantity, Some(one.unit), sold.unit).ok_or_else(|| apart(&place()))?;
        add(lines.entry(element_key(sold.id)).or_default(), quantity, sold).ok_or_else(|| huge(&place()))?;
    }
    lines.retain(|_, line| line.quantity.is_some_and(|quantity| !quantity.is_zero()));
    let life = match row.state.as_str() {
        _ if withdrawn => PaperLife::Void,
        "cancelled" => PaperLife::Void,
        // What a supplier sends may become less until it is there.
        "shipped" if row.id < 0 => PaperLife::Open,
        "shipped" | "done" => PaperLife::Done,
        _ => PaperLife::Open,
    };
    let packed: BTreeSet<i64> = moves.iter().filter_map(|(one, _)| one.package).collect();
    Ok(Record::Shipment(Box::new(Paper {
        number: told(row.number.as_ref()),
        life: Some(life),
        order: Some(Ref::remote(Kind::Order, remote(sale))),
        day: row.effective_date.map(|day| day.0),
        place: place.map(str::to_string),
        lines,
        tracks: parcels.tracks(row, &packed),
        ..Paper::default()
    })))
}

/// Adds a quantity to a line; none where the sum is beyond all numbers.
fn add(line: &mut PaperLine, quantity: Decimal, sold: &SoldRow) -> Option<()> {
    line.quantity = Some(line.quantity.unwrap_or_default().checked_add(quantity)?.normalize());
    line.sku = sold.product.as_ref().and_then(|product| told(product.code.as_ref()));
    Some(())
}

/// A quantity told in one unit as one in another; none where the two cannot be compared.
fn in_unit(Qty(Exact(quantity)): Qty, told: Option<Unit>, sold: Option<Unit>) -> Option<Decimal> {
    let (Some(told), Some(sold)) = (told, sold) else { return Some(quantity.normalize()) };
    if told.id == sold.id {
        return Some(quantity.normalize());
    }
    let factor = |unit: Unit| unit.factor.map(|Qty(Exact(factor))| factor).filter(|factor| *factor > Decimal::ZERO);
    let exact = quantity.checked_mul(factor(told)?)?.checked_div(factor(sold)?)?;
    Some(exact.round_dp(DIGITS).normalize())
}

fn apart(place: &str) -> Error {
    let message =
        format!("{place}: its unit cannot be compared with the one that was sold: give both a factor in Tryton");
    Error::new(ErrorKind::Invalid, message)
}

fn huge(place: &str) -> Error {
    Error::new(ErrorKind::Broken, format!("{place}: the sum is beyond all numbers"))
}

/// The parcels of one shipment.
#[derive(Debug, Default)]
pub(in crate::tryton) struct Parcels {
    rows: Vec<PackageRow>,
    /// Those that hold goods of some sale, and those they lie in.
    held: BTreeSet<i64>,
}

impl Parcels {
    /// The parcels `rows` of a shipment, of whose moves each names the parcel it lies in.
    pub(in crate::tryton) fn of(rows: Vec<PackageRow>, moves: impl IntoIterator<Item = i64>) -> Self {
        let mut parcels = Self { rows, held: BTreeSet::new() };
        parcels.held = parcels.around(moves);
        parcels
    }

    /// The parcels `ids` and those they lie in.
    fn around(&self, ids: impl IntoIterator<Item = i64>) -> BTreeSet<i64> {
        let mut found = BTreeSet::new();
        for id in ids {
            let mut next = Some(id);
            while let Some(id) = next.filter(|id| found.insert(*id)) {
                next = self.rows.iter().find(|row| row.id == id).and_then(|row| row.parent);
            }
        }
        found
    }

    /// The numbers by which what lies in the parcels `packed`, and in those that hold nothing told, can be followed; the
    /// shipment's own where no parcel has one.
    fn tracks(&self, row: &ShipmentRow, packed: &BTreeSet<i64>) -> BTreeMap<String, Track> {
        let name = row.carrier.as_ref().and_then(|carrier| told(carrier.party.name.as_ref()));
        let numbered = |text: &Option<String>| told(text.as_ref()).filter(|text| text.chars().count() <= NUMBER);
        let own = self.around(packed.iter().copied());
        let is_its = |id: i64| own.contains(&id) || !self.held.contains(&id);
        let any = self.rows.iter().any(|one| numbered(&one.shipping_reference).is_some());
        let of_parcels = self.rows.iter().filter(|one| is_its(one.id)).map(|one| &one.shipping_reference);
        let of_shipment = (!any).then_some(&row.shipping_reference);
        let numbers = of_parcels.chain(of_shipment).filter_map(numbered);
        numbers.map(|number| (number, Track { carrier: name.clone(), title: name.clone() })).collect()
    }
}

/// An invoice, or one that gives money back, as far as it is about one sale.
#[derive(Debug)]
pub(in crate::tryton) struct Billed<'a> {
    pub(in crate::tryton) row: &'a InvoiceRow,
    pub(in crate::tryton) sale: i64,
    pub(in crate::tryton) parts: &'a [Part<'a, InvoiceLineRow>],
}

/// What an invoice tells of one sale. `alone` says whether it is about no other, `undone` whether it was in force until a
/// credit note undid it: then it counts as paid, and the note as what was given back.
///
/// # Errors
/// Where its currency is none, an amount is beyond all numbers, or a unit cannot be compared with the one it was sold in.
pub(in crate::tryton) fn invoice_record(of: &Billed<'_>, alone: bool, undone: bool, codes: &Codes) -> Told<Record> {
    let mut paper = billed(of, alone, codes)?;
    if undone {
        paper.life = Some(PaperLife::Paid);
    }
    Ok(Record::Invoice(Box::new(paper)))
}

/// What an invoice that gives money back tells of one sale, as positive quantities and amounts.
///
/// # Errors
/// As for an invoice.
pub(in crate::tryton) fn credit_record(of: &Billed<'_>, alone: bool, codes: &Codes) -> Told<Record> {
    let back = |money: Money| Money::new(Decimal::ZERO - money.amount, money.currency);
    let mut paper = billed(of, alone, codes)?;
    paper.grand = paper.grand.map(back);
    paper.owed = None;
    paper.charges.values_mut().for_each(|money| *money = back(*money));
    for line in paper.lines.values_mut() {
        line.net = line.net.map(back);
        line.quantity = line.quantity.map(|quantity| Decimal::ZERO - quantity);
    }
    Ok(Record::Credit(Box::new(paper)))
}

/// An invoice as it stands.
fn billed(Billed { row, sale, parts }: &Billed<'_>, alone: bool, codes: &Codes) -> Told<Paper> {
    let code = row.currency.code.as_deref().unwrap_or("");
    let currency: Currency = code
        .parse()
        .map_err(|error| Error::new(ErrorKind::Broken, format!("invoice {}: its currency: {error}", row.id)))?;
    let mut paper = Paper {
        number: told(row.number.as_ref()),
        life: Some(match row.state.as_str() {
            "posted" => PaperLife::Done,
            "paid" => PaperLife::Paid,
            "cancelled" => PaperLife::Void,
            _ => PaperLife::Open,
        }),
        order: Some(Ref::remote(Kind::Order, remote(*sale))),
        day: row.invoice_date.map(|day| day.0),
        currency: Some(currency),
        grand: row.total_amount.filter(|_| alone).map(|Dec(amount)| Money::new(amount, currency)),
        owed: row.amount_to_pay.filter(|_| alone).map(|Dec(amount)| Money::new(amount, currency)),
        ..Paper::default()
    };
    for (one, sold) in parts.iter().filter(|(one, _)| one.form == "line") {
        let place = || format!("invoice {}, line {} of sale {sale}", row.id, sold.id);
        let amount = Money::new(one.amount.map(|Dec(amount)| amount).unwrap_or_default(), currency);
        let sum =
            |before: Option<Money>| before.unwrap_or(Money::zero(currency)).plus(amount).map_err(|_| huge(&place()));
        if let Some(name) = codes.beside(one.product.as_ref()).or_else(|| codes.named(sold.product.as_ref())) {
            let sum = sum(paper.charges.get(name).copied())?;
            paper.charges.insert(name.to_string(), sum);
            continue;
        }
        let line = paper.lines.entry(element_key(sold.id)).or_default();
        line.net = Some(sum(line.net)?);
        if let Some(quantity) = one.quantity {
            let quantity = in_unit(quantity, one.unit, sold.unit).ok_or_else(|| apart(&place()))?;
            add(line, quantity, sold).ok_or_else(|| huge(&place()))?;
        }
    }
    Ok(paper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn unit(id: i64, factor: &str) -> Unit {
        Unit { id, digits: 0, factor: Some(Qty::of(factor.parse().unwrap())) }
    }

    fn sold(id: i64, unit: Unit) -> SoldRow {
        let product = serde_json::from_value(json!({"id": 1, "code": " MUG "})).unwrap();
        SoldRow { id, unit: Some(unit), product, price: None }
    }

    fn moved(state: &str, quantity: i64, unit: Unit, package: Option<i64>) -> MoveRow {
        MoveRow { state: state.into(), quantity: Qty::of(quantity.into()), unit, package }
    }

    fn shipment(state: &str, own: Option<&str>) -> ShipmentRow {
        serde_json::from_value(json!({"id": 3, "number": "S-3", "state": state, "warehouse": 5, "effective_date": null,
            "shipping_reference": own, "carrier.": {"id": 1, "party.": {"id": 2, "name": "Carrier\tGmbH"}}}))
        .unwrap()
    }

    fn told_of(state: &str, moves: &[Part<'_, MoveRow>], parcels: &Parcels, own: Option<&str>) -> Paper {
        match shipment_record(&shipment(state, own), 7, moves, parcels, Some("MAIN")) {
            Ok(Record::Shipment(paper)) => *paper,
            other => panic!("no shipment: {other:?}"),
        }
    }

    #[test]
    fn what_left_is_counted_in_the_unit_it_was_sold_in_and_what_is_off_is_left_out() {
        let (piece, six) = (unit(1, "1"), unit(2, "6"));
        let (packs, pieces) = (sold(11, six), sold(12, piece));
        let moves = [
            (moved("done", 12, piece, None), &packs),
            (moved("done", 1, six, None), &packs),
            (moved("cancelled", 9, piece, None), &pieces),
            (moved("done", 0, piece, None), &pieces),
        ];
        let paper = told_of("done", &moves, &Parcels::default(), None);
        assert_eq!(paper.life, Some(PaperLife::Done));
        assert_eq!(paper.lines.keys().collect::<Vec<_>>(), ["@11"]);
        let line = paper.lines.get("@11").unwrap();
        assert_eq!((line.quantity, line.sku.as_deref()), (Some(3.into()), Some("MUG")));
        let kilogram = Unit { factor: None, ..unit(3, "1") };
        let error = shipment_record(
            &shipment("done", None),
            7,
            &[(moved("done", 1, kilogram, None), &packs)],
            &Parcels::default(),
            None,
        );
        assert!(error.unwrap_err().message.contains("line 11 of sale 7"));
    }

    #[test]
    fn what_is_off_as_a_whole_is_withdrawn_and_still_says_what_it_was() {
        let (piece, states) = (unit(1, "1"), ["waiting", "cancelled"]);
        for state in states {
            let line = sold(11, piece);
            let paper = told_of(state, &[(moved("cancelled", 2, piece, None), &line)], &Parcels::default(), None);
            assert_eq!((paper.life, paper.lines.len()), (Some(PaperLife::Void), 1));
        }
    }

    #[test]
    fn a_parcel_goes_with_the_sale_whose_goods_lie_in_it() {
        let row =
            |id: i64, parent: Option<i64>, text: &str| PackageRow { id, parent, shipping_reference: Some(text.into()) };
        let rows = vec![
            row(1, Some(2), ""),
            row(2, Some(1), "JD-2"),
            row(3, None, " JD-3 "),
            row(4, None, "JD-4"),
            row(5, None, &"9".repeat(201)),
        ];
        let parcels = Parcels::of(rows, [1, 3]);
        let (piece, line) = (unit(1, "1"), sold(11, unit(1, "1")));
        let paper = told_of("packed", &[(moved("assigned", 1, piece, Some(1)), &line)], &parcels, Some("JD-0"));
        assert_eq!(paper.tracks.keys().collect::<Vec<_>>(), ["JD-2", "JD-4"], "its own and what holds nothing");
        assert_eq!(paper.tracks.get("JD-2").unwrap().title.as_deref(), Some("Carrier GmbH"));
        let paper = told_of("packed", &[(moved("assigned", 1, piece, None), &line)], &Parcels::default(), Some("JD-0"));
        assert_eq!(paper.tracks.keys().collect::<Vec<_>>(), ["JD-0"], "the shipment's own");
    }

    fn invoiced(form: &str, quantity: i64, amount: &str) -> InvoiceLineRow {
        serde_json::from_value(
            json!({"type": form, "quantity": quantity, "unit.": {"id": 1, "digits": 0, "factor": 1.0},
            "amount": {"__class__": "Decimal", "decimal": amount}}),
        )
        .unwrap()
    }

    fn bill(state: &str, code: &str) -> InvoiceRow {
        serde_json::from_value(json!({"id": 4, "number": "R-4", "state": state, "currency.": {"id": 1, "code": code},
            "invoice_date": {"__class__": "date", "year": 2026, "month": 11, "day": 29},
            "total_amount": {"__class__": "Decimal", "decimal": "47.60"}}))
        .unwrap()
    }

    #[test]
    fn an_invoice_tells_amounts_by_line_and_charges_by_name() {
        let codes = Codes { shipping: "SHIPPING".into(), rounding: "ROUNDING".into(), adjustment: "ADJUSTMENT".into() };
        let (line, mut freight) = (sold(11, unit(1, "1")), sold(12, unit(1, "1")));
        freight.product = serde_json::from_value(json!({"id": 2, "code": "SHIPPING"})).unwrap();
        let parts = [
            (invoiced("line", 3, "30.00"), &line),
            (invoiced("line", 1, "10.00"), &line),
            (invoiced("comment", 9, "9"), &line),
            (invoiced("line", 1, "4.90"), &freight),
        ];
        let paper =
            |state: &str, alone: bool| match invoice_record(&of(&bill(state, "EUR"), &parts), alone, false, &codes) {
                Ok(Record::Invoice(paper)) => *paper,
                other => panic!("no invoice: {other:?}"),
            };
        let eur = |text: &str| Some(Money::new(text.parse().unwrap(), "EUR".parse().unwrap()));
        let told = paper("posted", true);
        let first = told.lines.get("@11").unwrap();
        assert_eq!((first.quantity, first.net, told.lines.len()), (Some(4.into()), eur("40.00"), 1));
        assert_eq!((told.charges.get("shipping").copied(), told.grand), (eur("4.90"), eur("47.60")));
        assert_eq!((told.life, told.day), (Some(PaperLife::Done), Some(jiff::civil::date(2026, 11, 29))));
        assert_eq!((paper("paid", false).grand, paper("paid", true).life), (None, Some(PaperLife::Paid)));
        assert_eq!(
            [paper("validated", true).life, paper("cancelled", true).life],
            [Some(PaperLife::Open), Some(PaperLife::Void)]
        );
        let undone = invoice_record(&of(&bill("cancelled", "EUR"), &parts), true, true, &codes).unwrap();
        assert_eq!(undone.paper().unwrap().life, Some(PaperLife::Paid));
        assert!(invoice_record(&of(&bill("paid", "??"), &parts), true, false, &codes).is_err());
    }

    fn of<'a>(row: &'a InvoiceRow, parts: &'a [Part<'a, InvoiceLineRow>]) -> Billed<'a> {
        Billed { row, sale: 7, parts }
    }

    #[test]
    fn what_is_given_back_is_told_as_positive_amounts_and_so_is_its_rounding() {
        let codes = Codes { shipping: "SHIPPING".into(), rounding: "ROUNDING".into(), adjustment: "ADJUSTMENT".into() };
        let named = |id: i64, code: &str| SoldRow {
            product: serde_json::from_value(json!({"id": id, "code": code})).unwrap(),
            ..sold(id, unit(1, "1"))
        };
        let (mug, freight, odd) = (sold(11, unit(1, "1")), named(12, "SHIPPING"), named(13, "ROUNDING"));
        let parts = [
            (invoiced("line", -2, "-20.00"), &mug),
            (invoiced("line", -1, "-4.90"), &freight),
            (invoiced("line", -1, "-0.01"), &odd),
        ];
        let mut row = bill("posted", "EUR");
        row.total_amount = serde_json::from_value(json!({"__class__": "Decimal", "decimal": "-29.64"})).unwrap();
        let told = |alone: bool| match credit_record(&of(&row, &parts), alone, &codes) {
            Ok(Record::Credit(paper)) => *paper,
            other => panic!("no credit: {other:?}"),
        };
        let eur = |text: &str| Some(Money::new(text.parse().unwrap(), "EUR".parse().unwrap()));
        let paper = told(true);
        let line = paper.lines.get("@11").unwrap();
        assert_eq!((line.quantity, line.net, paper.lines.len()), (Some(2.into()), eur("20.00"), 1));
        assert_eq!((paper.charges.get("shipping").copied(), paper.charges.len()), (eur("4.90"), 2));
        assert_eq!((paper.grand, paper.life, told(false).grand), (eur("29.64"), Some(PaperLife::Done), None));
    }

    #[test]
    fn an_origin_is_a_line_of_a_sale_or_of_an_invoice_or_nobodys() {
        assert_eq!(Origin::of("sale.line,12"), Some(Origin::Sold(12)));
        assert_eq!(Origin::of("account.invoice.line,7"), Some(Origin::Billed(7)));
        for other in ["sale.line,-1", "sale.line,", "stock.move,12", "sale.line", "sale.line,12,3", ""] {
            assert_eq!(Origin::of(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_quantity_in_another_unit_comes_back(quantity in 0i64..9_999, factor in 1u32..99) {
            let (piece, pack) = (unit(1, "1"), unit(2, &factor.to_string()));
            let there = in_unit(Qty::of(quantity.into()), Some(pack), Some(piece)).unwrap();
            prop_assert_eq!(there, Decimal::from(quantity) * Decimal::from(factor));
            prop_assert_eq!(in_unit(Qty::of(there), Some(piece), Some(pack)).unwrap(), Decimal::from(quantity));
        }
    }
}
