//! Sales: orders as Tryton keeps them, and the way back.

use super::price::unit_price;
use super::text::{line, lines, told};
use super::{Wrong, element_key, remote};
use crate::tryton::setup::{ChargeProduct, Setup};
use crate::tryton::wire::{Coded, Day, Dec, NewLine, NewSale, ProductRow, Qty, SaleLineRow, SaleRow, Unit, creates};
use crate::wire::Exact;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use syncline_connect::{Error, Result as Told};
use syncline_core::delivery::Change;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Ref, Target, Value};
use syncline_core::money::{Currency, Money};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Charge, Had, Line, LineForm, Lines, Order, Record, Tax, Totals};

/// Codes of the products that charges are booked on.
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    pub(crate) shipping: String,
    pub(crate) rounding: String,
    /// Of amounts that are given back beside all lines.
    pub(crate) adjustment: String,
}

impl Codes {
    /// The charge a line stands for; nothing where it is goods or text.
    fn charge(&self, row: &SaleLineRow) -> Option<&'static str> {
        self.named(row.product_row.as_ref())
    }

    /// The charge that is booked on a product; nothing where that is goods.
    pub(super) fn named(&self, product: Option<&Coded>) -> Option<&'static str> {
        let code = product?.code.as_deref()?;
        if code == self.shipping {
            Some("shipping")
        } else if code == self.rounding {
            Some("rounding")
        } else if code == self.adjustment {
            Some("adjustment")
        } else {
            None
        }
    }

    /// The same where it stands beside what was sold: no freight.
    pub(super) fn beside(&self, product: Option<&Coded>) -> Option<&'static str> {
        self.named(product).filter(|name| *name != "shipping")
    }
}

/// Our word for how far a sale has come; a state we do not know stays as it is. A sale that is processed cannot be
/// cancelled in Tryton: its papers are, and once nobody waits for them, it is done without any.
fn stage(row: &SaleRow) -> &str {
    let none = |state: &Option<String>| state.as_deref() == Some("none");
    let nothing = none(&row.shipment_state) && none(&row.invoice_state);
    let given_up = || {
        let mut lines = row.lines.iter().flatten();
        !row.invoices_ignored.is_empty() || lines.any(|line| !line.moves_ignored.is_empty())
    };
    match row.state.as_str() {
        "done" if nothing && given_up() => "cancelled",
        "quotation" => "quote",
        "confirmed" => "confirm",
        "processing" => "process",
        other => other,
    }
}

/// The order a sale row tells: number, reference, stage, totals, lines and charges. All else stays untold.
pub(crate) fn sale_record(row: &SaleRow, codes: &Codes) -> Told<Record> {
    let broken = |what: String| Error::new(ErrorKind::Broken, format!("sale {}: {what}", row.id));
    let code = row.currency.code.as_deref().unwrap_or("");
    let currency: Currency = code.parse().map_err(|error| broken(format!("its currency: {error}")))?;
    let money = |dec: Option<Dec>| dec.map(|Dec(amount)| Money::new(amount, currency));
    let mut rows: Vec<&SaleLineRow> = row.lines.iter().flatten().collect();
    rows.sort_by_key(|line| (line.sequence, line.id));
    let (mut lines, mut charges) = (Lines::default(), BTreeMap::<String, Charge>::new());
    for line in rows {
        match codes.charge(line) {
            Some(name) => {
                let charge = charges.entry(name.to_string()).or_default();
                let sum = charge.net.unwrap_or(Money::zero(currency));
                let more = money(line.amount).unwrap_or(Money::zero(currency));
                charge.net = Some(sum.plus(more).map_err(|error| broken(format!("its {name}: {error}")))?);
            }
            None => lines.insert(element_key(line.id), line_of(line, currency)),
        }
    }
    let stands = super::withdrawal::stands(row);
    let place = |address: Option<i64>| {
        let element = Some(Path::element("addresses", &element_key(address?)));
        Some(Ref { element, ..Ref::remote(Kind::Customer, remote(row.party?)) })
    };
    Ok(Record::Order(Box::new(Order {
        number: row.number.clone().filter(|number| !number.is_empty()),
        reference: row.reference.clone().filter(|reference| !reference.is_empty()),
        stage: Some(stage(row).to_string()),
        fixed: super::withdrawal::fixed(row),
        in_hand: stands.as_ref().map(|stands| stands.in_hand.join(", ")),
        left: stands.as_ref().map(|stands| stands.left.join(", ")),
        in_force: stands.as_ref().map(|stands| stands.in_force.join(", ")),
        currency: Some(currency),
        customer: row.party.map(|id| Ref::remote(Kind::Customer, remote(id))),
        billing: place(row.invoice_address),
        shipping: place(row.shipment_address),
        lines,
        charges,
        totals: Totals { grand: money(row.total_amount), tax: money(row.tax_amount) },
        ..Order::default()
    })))
}

fn line_of(row: &SaleLineRow, currency: Currency) -> Line {
    if row.form != "line" {
        return Line { form: Some(LineForm::Comment), name: row.description.clone(), ..Line::default() };
    }
    Line {
        sku: row.product_row.as_ref().and_then(|product| product.code.clone()),
        quantity: row.quantity.map(|Qty(Exact(quantity))| quantity),
        net: row.amount.map(|Dec(amount)| Money::new(amount, currency)),
        had: Had { shipped: super::amendment::gone(row), ..Had::default() },
        ..Line::default()
    }
}

/// The sale to be made from `change`. `products` are those its lines refer to.
pub(crate) fn new_sale(change: &Change, setup: &Setup, products: &BTreeMap<i64, ProductRow>) -> Result<NewSale, Wrong> {
    let order = Order::from_leaves(&change.leaves)?;
    let code = order.currency.ok_or_else(|| Wrong::invalid("the order tells no currency"))?.to_string();
    let currency = *setup.currencies.get(&code).ok_or_else(|| {
        Wrong::missing(format!("the currency `{code}` is not there in Tryton: activate it, then `syncline retry`"))
    })?;
    let party = party(order.customer.as_ref(), setup)?;
    let invoice_address = address(order.billing.as_ref(), "billing")?;
    let shipment_address = match &order.shipping {
        Some(shipping) => address(Some(shipping), "shipping")?,
        None => invoice_address,
    };
    let mark = change.mark.as_str().to_string();
    let web_shop = setup.web_shop.as_ref().map(|shop| shop.id);
    let (description, web_id) = if web_shop.is_some() { (None, Some(mark)) } else { (Some(mark), None) };
    Ok(NewSale {
        company: setup.company,
        party,
        invoice_address,
        shipment_address,
        currency,
        warehouse: setup.warehouse,
        payment_term: payment_term(order.payment.method.as_deref(), setup)?,
        sale_date: order.day.map(Day),
        reference: told(order.reference.as_ref()),
        description,
        web_shop,
        web_id,
        // Where Tryton can add a shipping line of its own, it shall not: the shop's shipping stands on ours.
        shipment_cost_method: setup.modules.contains("sale_shipment_cost").then_some(None),
        lines: creates(new_lines(&order, setup, products)?),
    })
}

/// Our customer's party; never the guest of a web shop, to whom Tryton sells nothing.
fn party(customer: Option<&Ref>, setup: &Setup) -> Result<i64, Wrong> {
    let id = id_of(customer, "customer")?;
    if setup.guests.contains(&id) {
        return Err(Wrong::config(format!(
            "party {id} is the guest of a web shop, and Tryton sells nothing to it: bind the customer to a party of its own"
        )));
    }
    Ok(id)
}

/// The id in Tryton that a reference of an order names.
fn id_of(reference: Option<&Ref>, what: &str) -> Result<i64, Wrong> {
    let reference = reference.ok_or_else(|| Wrong::invalid(format!("the order tells no {what}")))?;
    match &reference.to {
        Target::Remote(id) => super::number(id).map_err(|error| Wrong { error, missing: false }),
        Target::Entity(id) => {
            Err(Wrong::invalid(format!("the {what} is our own {id}, not Tryton's: report this as a defect")))
        }
    }
}

pub(super) fn address(reference: Option<&Ref>, what: &str) -> Result<i64, Wrong> {
    let element = reference.and_then(|r| r.element.as_ref()).and_then(|path| path.within("addresses"));
    element
        .and_then(|(key, _)| super::element_id(&key))
        .ok_or_else(|| Wrong::invalid(format!("the order names no {what} address of Tryton")))
}

fn payment_term(method: Option<&str>, setup: &Setup) -> Result<Option<i64>, Wrong> {
    let Some(name) = method.filter(|name| !name.is_empty()) else { return Ok(None) };
    match setup.terms.get(name) {
        Some(id) => Ok(Some(*id)),
        None => Err(Wrong::missing(format!(
            "the payment term `{name}` is not there in Tryton: create it, or change its row in payment_methods"
        ))),
    }
}

fn taxes_of(taxes: &Tax, setup: &Setup) -> Result<Vec<(&'static str, Vec<i64>)>, Wrong> {
    let mut ids = Vec::new();
    for name in taxes.keys() {
        let tax = setup.taxes.get(name).ok_or_else(|| {
            Wrong::missing(format!(
                "the tax `{name}` is not there in Tryton, or cannot stand on a sale: create it, or change its row in taxes"
            ))
        })?;
        ids.push(tax.id);
    }
    Ok(if ids.is_empty() { Vec::new() } else { vec![("add", ids)] })
}

/// The lines in document order, then shipping.
fn new_lines(order: &Order, setup: &Setup, products: &BTreeMap<i64, ProductRow>) -> Result<Vec<NewLine>, Wrong> {
    let mut made = Vec::new();
    for (key, line) in order.lines.iter() {
        let sequence = made.len() + 1;
        made.push(match line.form {
            Some(LineForm::Comment) => comment_line(sequence, line),
            _ => goods_line(sequence, key, line, setup, products)?,
        });
    }
    for (name, charge) in &order.charges {
        let net = charge.net.map(|net| net.amount).unwrap_or_default();
        if net.is_zero() || name == "rounding" {
            continue;
        }
        let product = match (name.as_str(), &setup.shipping) {
            ("shipping", Some(product)) => product,
            ("shipping", None) => {
                return Err(Wrong::missing(
                    "there is no product for shipping in Tryton: create a salable service `SHIPPING`, or name another in the file",
                ));
            }
            _ => return Err(Wrong::invalid(format!("there is no product for the charge `{name}`"))),
        };
        made.push(charge_line(made.len() + 1, product, net, charge, setup)?);
    }
    Ok(made)
}

fn comment_line(sequence: usize, item: &Line) -> NewLine {
    let text = |part: &Option<String>| part.as_deref().map(line).unwrap_or_default();
    let (sku, name) = (text(&item.sku), text(&item.name));
    let heading = [sku, name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" — ");
    let description = match item.quantity {
        Some(quantity) => format!("{heading} × {}", quantity.normalize()),
        None => heading,
    };
    NewLine {
        form: "comment",
        sequence,
        product: None,
        unit: None,
        quantity: None,
        unit_price: None,
        taxes: Vec::new(),
        description,
    }
}

fn goods_line(
    sequence: usize,
    key: &str,
    item: &Line,
    setup: &Setup,
    products: &BTreeMap<i64, ProductRow>,
) -> Result<NewLine, Wrong> {
    let sku = item.sku.as_deref().map(line).unwrap_or_default();
    let place = format!("line {key} ({sku})");
    let id = id_of(item.variant.as_ref(), "product of a line").map_err(|wrong| at(&place, wrong))?;
    let row = products.get(&id).ok_or_else(|| {
        Wrong::invalid(format!("{place}: product {id} is not there in Tryton: restore it, or bind the SKU anew"))
    })?;
    let unit = row.sale_unit.or(row.default_unit).ok_or_else(|| {
        Wrong::invalid(format!("{place}: product {id} has no unit in Tryton: make it salable with a unit"))
    })?;
    let quantity = item.quantity.ok_or_else(|| Wrong::invalid(format!("{place}: no quantity is told")))?;
    fits(quantity, unit).map_err(|wrong| at(&place, wrong))?;
    let net = item.net.ok_or_else(|| Wrong::invalid(format!("{place}: no amount is told")))?;
    let price = priced(net, quantity, setup).map_err(|wrong| at(&place, wrong))?;
    let name = item.name.as_deref().map(lines).unwrap_or_default();
    Ok(NewLine {
        form: "line",
        sequence,
        product: Some(id),
        unit: Some(unit.id),
        quantity: Some(Qty(Exact(quantity))),
        unit_price: Some(Dec(price)),
        taxes: taxes_of(&item.taxes, setup).map_err(|wrong| at(&place, wrong))?,
        description: format!("{sku} {name}").trim().to_string(),
    })
}

fn at(place: &str, mut wrong: Wrong) -> Wrong {
    wrong.error.message = format!("{place}: {}", wrong.error.message);
    wrong
}

fn fits(quantity: Decimal, unit: Unit) -> Result<(), Wrong> {
    if quantity.normalize().scale() <= unit.digits {
        return Ok(());
    }
    Err(Wrong::invalid(format!(
        "a quantity of {} does not fit the product's unit, which keeps {} decimals: sell it in a finer unit in Tryton",
        quantity.normalize(),
        unit.digits
    )))
}

/// The price of one that makes `net`, as Tryton rounds in that currency.
fn priced(net: Money, quantity: Decimal, setup: &Setup) -> Result<Decimal, Wrong> {
    let digits = setup.digits.get(net.currency.code()).copied().unwrap_or_else(|| net.currency.digits());
    unit_price(net.amount, quantity, digits)
        .ok_or_else(|| Wrong::invalid(format!("no price of one makes {net} of {}", quantity.normalize())))
}

fn charge_line(
    sequence: usize,
    product: &ChargeProduct,
    net: Decimal,
    charge: &Charge,
    setup: &Setup,
) -> Result<NewLine, Wrong> {
    Ok(NewLine {
        form: "line",
        sequence,
        product: Some(product.id),
        unit: Some(product.unit.id),
        quantity: Some(Qty(Exact(Decimal::ONE))),
        unit_price: Some(Dec(net.normalize())),
        taxes: taxes_of(&charge.taxes, setup)?,
        description: charge.title.as_deref().map(lines).unwrap_or_default(),
    })
}

/// What brings the rounding line of a draft to its wanted level.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leveling {
    /// It is there already.
    Nothing,
    /// Commands on the field `lines`.
    Commands(serde_json::Value),
}

/// The commands that bring the rounding of `row` to the level `change` wants, whatever it is now.
pub(crate) fn rounding_level(change: &Change, row: &SaleRow, setup: &Setup, codes: &Codes) -> Result<Leveling, Wrong> {
    let path = Path::element("charges", "rounding").dot("net");
    let Some(Value::Money(wanted)) = change.leaves.value(&path) else {
        return Err(Wrong::invalid("lines other than rounding cannot be changed in Tryton yet"));
    };
    if row.currency.code.as_deref() != Some(wanted.currency.code()) {
        return Err(Wrong::invalid(format!("sale {} is in another currency than {wanted}", row.id)));
    }
    if row.state != "draft" {
        let error = Error::new(ErrorKind::Stale, format!("sale {} is no draft any more", row.id));
        return Err(Wrong { error, missing: false });
    }
    let there: Vec<&SaleLineRow> =
        row.lines.iter().flatten().filter(|line| codes.charge(line) == Some("rounding")).collect();
    let now: Decimal = there.iter().filter_map(|line| line.amount).map(|Dec(amount)| amount).sum();
    if now == wanted.amount && there.len() < 2 {
        return Ok(Leveling::Nothing);
    }
    let others: Vec<i64> = there.iter().skip(1).map(|line| line.id).collect();
    let mut commands = Vec::new();
    match there.first() {
        Some(first) => {
            let price = Dec(wanted.amount.normalize());
            commands.push(serde_json::json!(["write", [first.id], {"quantity": 1, "unit_price": price}]));
        }
        None => {
            let product = setup.rounding.as_ref().ok_or_else(|| {
                Wrong::missing(
                    "there is no product for rounding in Tryton: create a salable service `ROUNDING`, or name another in the file",
                )
            })?;
            let made = charge_line(behind(row), product, wanted.amount, &Charge::default(), setup)?;
            commands.push(serde_json::json!(["create", [made]]));
        }
    }
    if !others.is_empty() {
        commands.push(serde_json::json!(["delete", others]));
    }
    Ok(Leveling::Commands(serde_json::Value::Array(commands)))
}

/// The place behind all lines of a sale.
fn behind(row: &SaleRow) -> usize {
    let last = row.lines.iter().flatten().filter_map(|line| line.sequence).max().unwrap_or(0);
    usize::try_from(last.saturating_add(1)).unwrap_or(1)
}

/// Our lines in `change` beside those `there`, in document order; none where the counts differ.
pub(super) fn pairs(change: &Change, there: &Order) -> Vec<(Path, String)> {
    let Ok(wanted) = Order::from_leaves(&change.leaves) else { return Vec::new() };
    if change.step == Step::Amend || wanted.lines.len() != there.lines.len() {
        return Vec::new();
    }
    wanted
        .lines
        .iter()
        .zip(there.lines.iter())
        .map(|((ours, _), (theirs, _))| (Path::element("lines", ours), theirs.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_stands_behind_all_others_wherever_these_are() {
        for (sequences, wanted) in [
            (json!([]), 1),
            (json!([null, 3, 7]), 8),
            (json!([-5]), 1),
            (json!([i64::MAX]), usize::try_from(i64::MAX).unwrap()),
        ] {
            let line = |sequence: &serde_json::Value| json!({"id": 1, "sequence": sequence, "type": "line"});
            let lines: Vec<_> = sequences.as_array().unwrap().iter().map(line).collect();
            let row = json!({"id": 1, "state": "draft", "currency.": {"id": 1, "code": "EUR"}, "lines.": lines});
            assert_eq!(behind(&serde_json::from_value(row).unwrap()), wanted, "{sequences}");
        }
    }
}
