//! Credit notes for what was given back in a shop: each line gives back of lines of invoices in force, as Tryton's own
//! wizard makes it, so that the sale is not billed again, and with their accounts and taxes.

use super::price::{amount, unit_price};
use super::sale::{Codes, Leveling};
use super::text::line;
use super::{Wrong, element_id};
use crate::tryton::map::Origin;
use crate::tryton::setup::{ChargeProduct, Setup};
use crate::tryton::wire::{Coded, Dec, Qty, creates};
use crate::tryton::wire_note::{BilledRow, GivenRow, NewNote, NewNoteLine, NoteRow};
use crate::wire::Exact;
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::BTreeMap;
use syncline_connect::Error;
use syncline_core::delivery::Change;
use syncline_core::leaf::Value;
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::Paper;
use syncline_core::text::shown;

/// Characters of a shop's number that a note repeats.
const NUMBER: usize = 60;

/// What invoices in force ask money for, and what credit notes have given back of it.
#[derive(Debug, Default)]
pub(in crate::tryton) struct Billing {
    pub(in crate::tryton) billed: Vec<BilledRow>,
    pub(in crate::tryton) given: Vec<GivenRow>,
}

fn number(told: Option<Qty>) -> Decimal {
    told.map(|Qty(Exact(number))| number).unwrap_or_default()
}

fn sum(told: Option<Dec>) -> Decimal {
    told.map(|Dec(amount)| amount).unwrap_or_default()
}

/// The line of a sale that a line of an invoice asks money for.
fn sold_by(row: &BilledRow) -> Option<i64> {
    match row.origin.as_deref().and_then(Origin::of) {
        Some(Origin::Sold(line)) => Some(line),
        _ => None,
    }
}

impl Billing {
    /// What credit notes have of a line of an invoice.
    fn given_of(&self, row: &BilledRow) -> impl Iterator<Item = &GivenRow> {
        let origin = Origin::Billed(row.id);
        self.given.iter().filter(move |given| given.origin.as_deref().and_then(Origin::of) == Some(origin))
    }

    /// How many of a line of an invoice credit notes have given back; what is an amount beside the goods is none of them.
    fn pieces_given(&self, row: &BilledRow, codes: &Codes) -> Decimal {
        let goods = |given: &&GivenRow| codes.beside(given.product.as_ref()).is_none();
        let taken = self.given_of(row).filter(goods).map(|given| number(given.quantity));
        taken.fold(Decimal::ZERO, Decimal::saturating_sub)
    }

    /// How much money of a line of an invoice is left to give back.
    fn money_left(&self, row: &BilledRow, codes: &Codes) -> Decimal {
        let own = |given: &&GivenRow| codes.beside(given.product.as_ref()).is_none();
        let given = self.given_of(row).filter(own).map(|given| sum(given.amount));
        given.fold(sum(row.amount), Decimal::saturating_add)
    }

    /// By line of a sale: how many of it invoices in force ask money for, and how many credit notes have given back.
    pub(in crate::tryton) fn levels(&self, codes: &Codes) -> BTreeMap<i64, (Decimal, Decimal)> {
        let mut levels: BTreeMap<i64, (Decimal, Decimal)> = BTreeMap::new();
        for row in self.billed.iter().filter(|row| row.form == "line") {
            let Some(line) = sold_by(row) else { continue };
            let level = levels.entry(line).or_default();
            level.0 = level.0.saturating_add(number(row.quantity));
            level.1 = level.1.saturating_add(self.pieces_given(row, codes));
        }
        levels
    }
}

/// What else a note is made of.
#[derive(Debug)]
pub(in crate::tryton) struct Notebook<'a> {
    pub(in crate::tryton) billing: &'a Billing,
    pub(in crate::tryton) setup: &'a Setup,
    pub(in crate::tryton) codes: &'a Codes,
    /// What an amount beside all lines is booked on.
    pub(in crate::tryton) beside: Option<&'a ChargeProduct>,
}

/// The credit note to be made from `change`.
pub(in crate::tryton) fn new_note(change: &Change, book: &Notebook<'_>) -> Result<NewNote, Wrong> {
    let paper = Paper::from_leaves(&change.leaves)?;
    let currency = paper.currency.ok_or_else(|| Wrong::invalid("the credit tells no currency"))?;
    let code = currency.to_string();
    let id = *book.setup.currencies.get(&code).ok_or_else(|| {
        Wrong::missing(format!("the currency `{code}` is not there in Tryton: activate it, then `syncline retry`"))
    })?;
    let mut lines = Vec::new();
    let mut first: Option<&BilledRow> = None;
    for (key, item) in &paper.lines {
        let sold = change.elements.get(&Path::element("lines", key)).and_then(|theirs| element_id(theirs));
        let sold = sold.ok_or_else(|| Wrong::invalid(format!("line {key} is no line of the sale")))?;
        let quantity = item.quantity.ok_or_else(|| Wrong::invalid(format!("line {key} tells no quantity")))?;
        for (row, made) in book.goods(sold, quantity, item.net, id)? {
            first = first.or(Some(row));
            lines.push(made);
        }
    }
    for (name, net) in paper.charges.iter().filter(|(_, net)| !net.amount.is_zero()) {
        let (row, made) = match name.as_str() {
            "shipping" => book.freight(*net, id)?,
            "adjustment" => book.amount_beside(first, *net, id)?,
            other => return Err(Wrong::invalid(format!("there is no product for the charge `{other}`"))),
        };
        first = first.or(Some(row));
        lines.push(made);
    }
    let head = &first.ok_or_else(|| Wrong::invalid("a credit without a line, freight or amount"))?.invoice;
    if head.currency.code.as_deref() != Some(&*code) {
        return Err(Wrong::invalid(format!("{code} are given back for an invoice in another currency")));
    }
    let number = paper.number.as_deref().map(|text| shown(&line(text), NUMBER)).unwrap_or_default();
    Ok(NewNote {
        company: book.setup.company,
        form: "out",
        party: head.party,
        invoice_address: head.invoice_address,
        currency: id,
        account: head.account,
        journal: head.journal,
        payment_term: head.payment_term,
        reference: format!("{number} {}", change.mark.as_str()).trim().to_string(),
        lines: creates(lines),
    })
}

/// What is given back of a line of an invoice.
struct Back<'a> {
    row: &'a BilledRow,
    product: Option<i64>,
    unit: Option<i64>,
    quantity: Decimal,
    price: Decimal,
    taxed: bool,
    currency: i64,
}

impl<'a> Notebook<'a> {
    /// So many of a line of the sale that make `net`, out of the invoices that ask money for it, the oldest first.
    fn goods(
        &self,
        sold: i64,
        quantity: Decimal,
        net: Option<Money>,
        currency: i64,
    ) -> Result<Vec<(&'a BilledRow, NewNoteLine)>, Wrong> {
        let rows = self.billing.billed.iter().filter(|row| row.form == "line" && sold_by(row) == Some(sold));
        let (mut open, mut taken) = (quantity, Vec::new());
        for row in rows {
            let left = number(row.quantity).saturating_sub(self.billing.pieces_given(row, self.codes));
            let some = left.min(open);
            if some > Decimal::ZERO {
                taken.push((row, some));
                open = open.saturating_sub(some);
            }
        }
        if open > Decimal::ZERO {
            let (all, left) = (quantity.normalize(), quantity.saturating_sub(open).normalize());
            return Err(otherwise(format!("{all} of line {sold} of the sale are given back, and {left} are billed")));
        }
        let mut made = Vec::new();
        let (mut rest, mut left) = (net.map(|net| net.amount), quantity);
        for (row, some) in taken {
            let share = match rest {
                Some(rest) if some == left => Some(rest),
                Some(rest) => self.share(rest, some, left, net),
                None => None,
            };
            rest = rest.zip(share).and_then(|(rest, share)| rest.checked_sub(share));
            left = left.saturating_sub(some);
            let price = self.priced(row, some, share, net)?;
            let (product, unit) = (row.product.as_ref().map(|product| product.id), row.unit.map(|unit| unit.id));
            let back = Back { row, product, unit, quantity: some, price, taxed: true, currency };
            made.push((row, self.line(&back)?));
        }
        Ok(made)
    }

    /// The share of `rest` that `some` of `left` pieces have, to the minor unit.
    fn share(&self, rest: Decimal, some: Decimal, left: Decimal, net: Option<Money>) -> Option<Decimal> {
        let exact = rest.checked_mul(some)?.checked_div(left)?;
        Some(exact.round_dp_with_strategy(self.digits(net?), RoundingStrategy::MidpointNearestEven))
    }

    fn digits(&self, money: Money) -> u32 {
        self.setup.digits.get(money.currency.code()).copied().unwrap_or_else(|| money.currency.digits())
    }

    /// The price of one: that of the invoice where it makes the amount, else one that does.
    fn priced(
        &self,
        row: &BilledRow,
        quantity: Decimal,
        share: Option<Decimal>,
        net: Option<Money>,
    ) -> Result<Decimal, Wrong> {
        let own = sum(row.unit_price);
        let (Some(share), Some(net)) = (share, net) else { return Ok(own) };
        let digits = self.digits(net);
        match amount(quantity, own, digits) {
            Some(makes) if makes == share => Ok(own),
            _ => unit_price(share, quantity, digits)
                .ok_or_else(|| Wrong::invalid(format!("no price of one makes {share} of {}", quantity.normalize()))),
        }
    }

    /// Freight without tax, out of an invoice that asks so much for it.
    fn freight(&self, net: Money, currency: i64) -> Result<(&'a BilledRow, NewNoteLine), Wrong> {
        let is_freight = |row: &&BilledRow| {
            row.form == "line"
                && row.product.as_ref().and_then(|one| one.code.as_deref()) == Some(&*self.codes.shipping)
        };
        let mut rows = self.billing.billed.iter().filter(is_freight);
        let row = rows.find(|row| self.billing.money_left(row, self.codes) >= net.amount).ok_or_else(|| {
            otherwise(format!("{net} of freight are given back, and no invoice has so much of it left"))
        })?;
        let (product, unit) = (row.product.as_ref().map(|product| product.id), row.unit.map(|unit| unit.id));
        let back = Back { row, product, unit, quantity: Decimal::ONE, price: net.amount, taxed: true, currency };
        Ok((row, self.line(&back)?))
    }

    /// An amount beside all lines, without a tax, as the shop gives it back; tied to the line `first`, or to any that is billed.
    fn amount_beside(
        &self,
        first: Option<&'a BilledRow>,
        net: Money,
        currency: i64,
    ) -> Result<(&'a BilledRow, NewNoteLine), Wrong> {
        let row = first.or_else(|| self.billing.billed.iter().find(|row| row.form == "line" && sold_by(row).is_some()));
        let row = row.ok_or_else(|| otherwise(format!("{net} are given back, and nothing is billed")))?;
        let product = self.beside.ok_or_else(|| {
            Wrong::missing(format!(
                "there is no product for amounts beside the lines in Tryton: create a salable service `{}`, or name another \
                 in the file",
                self.codes.adjustment
            ))
        })?;
        let back = Back {
            row,
            product: Some(product.id),
            unit: Some(product.unit.id),
            quantity: Decimal::ONE,
            price: net.amount,
            taxed: false,
            currency,
        };
        Ok((row, self.line(&back)?))
    }

    fn line(&self, back: &Back<'_>) -> Result<NewNoteLine, Wrong> {
        let row = back.row;
        let account =
            row.account.ok_or_else(|| Wrong::invalid(format!("line {} of an invoice has no account", row.id)))?;
        Ok(NewNoteLine {
            form: "line",
            origin: format!("account.invoice.line,{}", row.id),
            product: back.product,
            unit: back.unit,
            quantity: Qty::of(Decimal::ZERO.saturating_sub(back.quantity)),
            unit_price: Dec(back.price.normalize()),
            currency: back.currency,
            company: self.setup.company,
            account,
            taxes: match back.taxed && !row.taxes.is_empty() {
                true => vec![("add", row.taxes.clone())],
                false => Vec::new(),
            },
            description: row.description.clone().filter(|_| back.taxed),
        })
    }
}

/// A refusal before anything is sent: the note would be for something else.
fn otherwise(what: String) -> Wrong {
    Wrong { error: Error::new(ErrorKind::Otherwise, what), missing: false }
}

/// The commands that bring the rounding of the draft `row` to the level `change` wants, whatever it is now.
pub(in crate::tryton) fn leveled_note(
    change: &Change,
    row: &NoteRow,
    setup: &Setup,
    codes: &Codes,
) -> Result<Leveling, Wrong> {
    let path = Path::element("charges", "rounding").dot("net");
    let Some(Value::Money(wanted)) = change.leaves.value(&path) else {
        return Err(Wrong::invalid("lines other than rounding cannot be changed in Tryton yet"));
    };
    if row.currency.code.as_deref() != Some(wanted.currency.code()) {
        return Err(Wrong::invalid(format!("invoice {} is in another currency than {wanted}", row.id)));
    }
    if row.state != "draft" {
        let error = Error::new(ErrorKind::Stale, format!("invoice {} is no draft any more", row.id));
        return Err(Wrong { error, missing: false });
    }
    let is_rounding = |product: Option<&Coded>| codes.named(product) == Some("rounding");
    let there: Vec<_> = row.lines.iter().filter(|line| is_rounding(line.product.as_ref())).collect();
    let now: Decimal = there.iter().map(|line| sum(line.amount)).fold(Decimal::ZERO, Decimal::saturating_sub);
    let price = Dec(wanted.amount.normalize());
    match there.as_slice() {
        [_] if now == wanted.amount => Ok(Leveling::Nothing),
        [] if wanted.amount.is_zero() => Ok(Leveling::Nothing),
        [] => {
            let product = setup.rounding.as_ref().ok_or_else(|| {
                Wrong::missing(
                    "there is no product for rounding in Tryton: create a salable service `ROUNDING`, or name another in the file",
                )
            })?;
            let first = row.lines.iter().find_map(|line| Some((line.origin.clone()?, line.account?)));
            let (origin, account) =
                first.ok_or_else(|| Wrong::invalid(format!("invoice {} gives nothing back", row.id)))?;
            let made = NewNoteLine {
                form: "line",
                origin,
                product: Some(product.id),
                unit: Some(product.unit.id),
                quantity: Qty::of(Decimal::NEGATIVE_ONE),
                unit_price: price,
                currency: row.currency.id,
                company: setup.company,
                account,
                taxes: Vec::new(),
                description: None,
            };
            Ok(Leveling::Commands(serde_json::json!([["create", [made]]])))
        }
        [line, others @ ..] => {
            let mut commands = vec![serde_json::json!(["write", [line.id], {"quantity": -1, "unit_price": price}])];
            let others: Vec<i64> = others.iter().map(|line| line.id).collect();
            if !others.is_empty() {
                commands.push(serde_json::json!(["delete", others]));
            }
            Ok(Leveling::Commands(serde_json::Value::Array(commands)))
        }
    }
}
