//! What an invoice or a credit memo will come to in the order's own currency, worked out as the shop does. Pure.
//!
//! The shop takes of each line its share in what papers before it left, rounds to cents, and carries what it cuts off over to
//! the next amount: first all rows, then all discounts, then taxes. The last pieces of a line take all that is left of it, and
//! a last paper what is left of the order (`Order\Invoice\Total`, `Order\Creditmemo\Total`, `Math\Calculator`; recorded:
//! order-invoice-partial, invoices-of-it, order-refund-partial, creditmemos-of-it). Cents whatever the currency.
//!
//! It counts with rows before their discount; what it answers may be after it (`Order\Webapi\ChangeOutputArray`).

use super::map::amount;
use super::wire::Id;
use super::wire_papers::{Sold, SoldLine};
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::BTreeMap;

/// Decimals the shop rounds money to, whatever the currency (`PriceCurrencyInterface::DEFAULT_PRECISION`).
pub(super) const PRECISION: u32 = 2;
/// Decimals beyond which the shop's own arithmetic tells nothing.
const DOUBLE: u32 = 12;
/// Decimals of an amount the shop stores.
const STORED: u32 = 4;
const TOO_LARGE: &str = "its amounts are too large to be added up";

/// Half away from zero, as PHP does.
pub(super) fn cents(exact: Decimal) -> Decimal {
    let told = exact.round_dp_with_strategy(DOUBLE, RoundingStrategy::MidpointAwayFromZero);
    told.round_dp_with_strategy(PRECISION, RoundingStrategy::MidpointAwayFromZero)
}

fn share(whole: Decimal, part: Decimal, of: Decimal) -> Option<Decimal> {
    if whole.is_zero() || part.is_zero() { Some(Decimal::ZERO) } else { whole.checked_mul(part)?.checked_div(of) }
}

/// What was cut off the cents so far.
#[derive(Debug, Default)]
struct Carry(Decimal);

impl Carry {
    /// Cents of an amount that adds to the paper.
    fn plus(&mut self, exact: Decimal) -> Option<Decimal> {
        if exact.is_zero() {
            return Some(exact);
        }
        let all = exact.checked_add(self.0)?;
        let kept = cents(all);
        self.0 = all.checked_sub(kept)?;
        Some(kept)
    }

    /// Cents of an amount that is taken off the paper.
    fn minus(&mut self, exact: Decimal) -> Option<Decimal> {
        self.0 = -self.0;
        let kept = self.plus(exact);
        self.0 = -self.0;
        kept
    }
}

/// What is open of one line, and how much of it a paper takes.
#[derive(Debug)]
struct Piece {
    quantity: Decimal,
    /// How many the open amounts are for.
    of: Decimal,
    /// How many a paper may take.
    left: Decimal,
    row: Decimal,
    discount: Decimal,
    tax: Decimal,
    /// Tax that the discount took away.
    hidden: Decimal,
}

impl Piece {
    fn is_last(&self) -> bool {
        self.quantity == self.left
    }

    fn is_too_much(&self) -> bool {
        self.quantity > self.left
    }
}

/// The amounts of a paper.
#[derive(Debug, Default)]
struct Sums {
    rows: Decimal,
    discount: Decimal,
    tax: Decimal,
    hidden: Decimal,
}

/// The sums over the lines, and the carry after them.
fn sums(pieces: &[Piece]) -> Option<(Sums, Carry)> {
    let (mut sums, mut carry) = (Sums::default(), Carry::default());
    let taken = |piece: &Piece, open: Decimal| match piece.is_last() {
        true => Some((true, open)),
        false => Some((false, share(open, piece.quantity, piece.of)?)),
    };
    for piece in pieces {
        let (last, row) = taken(piece, piece.row)?;
        sums.rows = sums.rows.checked_add(if last { row } else { carry.plus(row)? })?;
    }
    for piece in pieces {
        let (last, discount) = taken(piece, piece.discount)?;
        sums.discount = sums.discount.checked_add(if last { discount } else { carry.minus(discount)? })?;
    }
    for piece in pieces.iter().filter(|piece| piece.quantity > Decimal::ZERO) {
        let (last, tax) = taken(piece, piece.tax)?;
        sums.tax = sums.tax.checked_add(if last { tax } else { carry.plus(tax)? })?;
        let (_, hidden) = taken(piece, piece.hidden)?;
        sums.hidden = sums.hidden.checked_add(if last { hidden } else { carry.plus(hidden)? })?;
    }
    Some((sums, carry))
}

/// An order's money, as the shop counts with it.
#[derive(Debug)]
pub(super) struct Foresight<'a> {
    order: &'a Sold,
    /// Rows are told after their discount.
    reduced: bool,
}

impl<'a> Foresight<'a> {
    pub(super) fn new(order: &'a Sold, reduced: bool) -> Self {
        Self { order, reduced }
    }

    /// What an invoice of so much of each line will come to; none where the shop will refuse so much.
    ///
    /// # Errors
    /// A message where that cannot be worked out.
    pub(super) fn invoice(&self, wanted: &BTreeMap<u64, Decimal>) -> Result<Option<Decimal>, String> {
        let pieces = self.to_invoice(wanted).ok_or(TOO_LARGE)?;
        if pieces.iter().any(Piece::is_too_much) {
            return Ok(None);
        }
        Ok(Some(self.invoiced(&pieces, wanted).ok_or(TOO_LARGE)?))
    }

    fn to_invoice(&self, wanted: &BTreeMap<u64, Decimal>) -> Option<Vec<Piece>> {
        let piece = |line: &SoldLine| {
            let of = amount(line.qty_ordered) - amount(line.qty_invoiced);
            Some(Piece {
                quantity: wanted.get(&line.item_id.0).copied().unwrap_or_default(),
                of,
                left: (of - amount(line.qty_canceled)).max(Decimal::ZERO),
                row: self.row(line)?.checked_sub(amount(line.row_invoiced))?,
                discount: amount(line.discount_amount).checked_sub(amount(line.discount_invoiced))?,
                tax: amount(line.tax_amount).checked_sub(amount(line.tax_invoiced))?,
                hidden: amount(line.discount_tax_compensation_amount)
                    .checked_sub(amount(line.discount_tax_compensation_invoiced))?,
            })
        };
        let all: Option<Vec<Piece>> = self.counted().map(piece).collect();
        Some(all?.into_iter().filter(|piece| !piece.left.is_zero() || !piece.quantity.is_zero()).collect())
    }

    fn invoiced(&self, pieces: &[Piece], wanted: &BTreeMap<u64, Decimal>) -> Option<Decimal> {
        let order = self.order;
        let (sums, _) = sums(pieces)?;
        let last = pieces.iter().all(Piece::is_last) && !self.stands_aside(wanted);
        let at_most = |sum: Decimal, open: Decimal| if last { open } else { sum.min(open) };
        let first = amount(order.shipping_invoiced).is_zero();
        let freight = |column: Option<_>| if first { amount(column) } else { Decimal::ZERO };
        let hidden_of_freight = amount(order.shipping_discount_tax_compensation_amount);
        // The freight's discount goes with the first discount.
        let off = if amount(order.discount_invoiced).is_zero() { order.shipping_discount_amount } else { None };
        let rows = at_most(sums.rows, amount(order.subtotal).checked_sub(amount(order.subtotal_invoiced))?);
        let tax = sums.tax.checked_add(freight(order.shipping_tax_amount))?;
        let tax = at_most(tax, amount(order.tax_amount).checked_sub(amount(order.tax_invoiced))?);
        let hidden = sums.hidden.checked_add(freight(order.shipping_discount_tax_compensation_amount))?;
        let open = amount(order.discount_tax_compensation_amount).checked_add(hidden_of_freight)?;
        let hidden = at_most(hidden, open.checked_sub(amount(order.discount_tax_compensation_invoiced))?);
        let off = sums.discount.checked_add(amount(off))?;
        total([rows, tax, hidden, freight(order.shipping_amount)], off)
    }

    /// What a credit memo will come to that names these lines, asks for so much freight in the website's currency, and for
    /// nothing beside them; none where the shop will refuse so much.
    ///
    /// # Errors
    /// A message where that cannot be worked out.
    pub(super) fn credit(
        &self,
        named: &BTreeMap<u64, Decimal>,
        base_freight: Decimal,
    ) -> Result<Option<Decimal>, String> {
        let pieces = self.to_give_back(named).ok_or(TOO_LARGE)?;
        let left = amount(self.order.base_shipping_amount).saturating_sub(amount(self.order.base_shipping_refunded));
        if base_freight > left || pieces.iter().any(Piece::is_too_much) {
            return Ok(None);
        }
        if base_freight.is_zero() && !amount(self.order.base_shipping_discount_amount).is_zero() {
            // 2.4.7 takes the whole discount off all the same, later versions do not (`Creditmemo\Total\Discount`).
            return Err(
                "nothing of the freight is given back, and whether the shop takes its discount off all the same \
                        depends on its version"
                    .to_owned(),
            );
        }
        Ok(Some(self.given_back(&pieces, named, base_freight).ok_or(TOO_LARGE)?))
    }

    fn to_give_back(&self, named: &BTreeMap<u64, Decimal>) -> Option<Vec<Piece>> {
        let piece = |line: &SoldLine| {
            let of = amount(line.qty_invoiced) - amount(line.qty_refunded);
            Some(Piece {
                quantity: named.get(&line.item_id.0).copied().unwrap_or_default(),
                of,
                left: of.max(Decimal::ZERO),
                row: amount(line.row_invoiced).checked_sub(amount(line.amount_refunded))?,
                discount: amount(line.discount_invoiced).checked_sub(amount(line.discount_refunded))?,
                tax: amount(line.tax_invoiced).checked_sub(amount(line.tax_refunded))?,
                hidden: amount(line.discount_tax_compensation_invoiced)
                    .checked_sub(amount(line.discount_tax_compensation_refunded))?,
            })
        };
        self.counted().map(piece).collect()
    }

    fn given_back(&self, pieces: &[Piece], named: &BTreeMap<u64, Decimal>, base_freight: Decimal) -> Option<Decimal> {
        let order = self.order;
        let (sums, mut carry) = sums(pieces)?;
        let freight = self.freight(base_freight, &mut carry)?;
        let last = pieces.iter().all(Piece::is_last) && !self.stands_aside(named) && !freight.partial;
        let at_most = |sum: Decimal, left: Decimal| if last { left } else { sum.min(left) };
        let tax = sums.tax.checked_add(freight.tax)?;
        let tax = at_most(tax, amount(order.tax_invoiced).checked_sub(amount(order.tax_refunded))?);
        let hidden = sums.hidden.checked_add(freight.hidden)?;
        let left = amount(order.discount_tax_compensation_invoiced)
            .checked_add(amount(order.shipping_discount_tax_compensation_amount))?;
        let hidden = at_most(hidden, left.checked_sub(amount(order.discount_tax_compensation_refunded))?);
        let off = sums.discount.checked_add(freight.discount)?;
        total([sums.rows, tax, hidden, freight.net], off)
    }

    /// What goes back of the freight where so much of it is asked for in the website's currency.
    fn freight(&self, asked: Decimal, carry: &mut Carry) -> Option<Freight> {
        let order = self.order;
        let (all, had) = (amount(order.base_shipping_amount), amount(order.base_shipping_refunded));
        let (net, tax) = (amount(order.shipping_amount), amount(order.shipping_tax_amount));
        let hidden = amount(order.shipping_discount_tax_compensation_amount);
        let discount = share(amount(order.shipping_discount_amount), asked, all)?;
        if asked >= all.checked_sub(had)? {
            let net = net.checked_sub(amount(order.shipping_refunded))?;
            let tax = tax.checked_sub(amount(order.shipping_tax_refunded))?;
            return Some(Freight { net, discount, tax, hidden, partial: false });
        }
        let part = cents(share(net, asked, all)?);
        let given = Freight {
            net: part,
            discount,
            tax: carry.plus(share(tax, part, net)?)?,
            hidden: carry.plus(share(hidden, part, net)?)?,
            partial: tax > Decimal::ZERO || amount(order.shipping_discount_amount) >= net,
        };
        Some(given)
    }

    /// A line's row before its discount.
    fn row(&self, line: &SoldLine) -> Option<Decimal> {
        let off = if self.reduced { amount(line.discount_amount) } else { Decimal::ZERO };
        amount(line.row_total).checked_add(off)
    }

    /// The lines that carry money.
    fn counted(&self) -> impl Iterator<Item = &'a SoldLine> + '_ {
        self.order.items.iter().filter(|line| !self.is_aside(line))
    }

    /// Whether another line of its family carries its money: a bundle priced by its parts, or a part of anything else.
    fn is_aside(&self, line: &SoldLine) -> bool {
        let family = line.parent_item_id.unwrap_or(line.item_id);
        let parts = self.order.items.iter().filter(|other| other.parent_item_id == Some(family));
        let mut amounts = parts.flat_map(|part| [part.row_total, part.tax_amount, part.discount_amount]);
        let below = amounts.any(|column| !amount(column).is_zero());
        let heads = self.order.items.iter().any(|other| other.parent_item_id == Some(line.item_id));
        (heads && below) || (line.parent_item_id.is_some() && !below)
    }

    /// Whether a line that carries no money goes with those that are named: the shop never counts such a paper as the last.
    fn stands_aside(&self, named: &BTreeMap<u64, Decimal>) -> bool {
        let is_named = |id: Id| named.get(&id.0).is_some_and(|quantity| *quantity > Decimal::ZERO);
        self.order.items.iter().filter(|line| self.is_aside(line)).any(|line| match line.parent_item_id {
            Some(parent) => is_named(parent),
            None => {
                self.order.items.iter().any(|part| part.parent_item_id == Some(line.item_id) && is_named(part.item_id))
            }
        })
    }
}

/// What goes back of the freight.
#[derive(Debug)]
struct Freight {
    net: Decimal,
    discount: Decimal,
    tax: Decimal,
    hidden: Decimal,
    /// A part of it, so that the memo is not the last one.
    partial: bool,
}

fn total(parts: [Decimal; 4], off: Decimal) -> Option<Decimal> {
    let sum = parts.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add)?.checked_sub(off)?;
    Some(sum.round_dp_with_strategy(STORED, RoundingStrategy::MidpointAwayFromZero).normalize())
}
