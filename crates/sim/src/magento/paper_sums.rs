//! What papers with money take of each line: to the cent, and what was cut off a cent carried on to the next amount.
//!
//! After Magento's own code: the totals of invoices and credit memos are collected one after the other, rows first, then
//! discounts, then taxes, and `Math\Calculator` carries over within one paper and one currency; the last pieces of a line
//! take what is left of it (`Order\Invoice\Item`, `Order\Creditmemo\Item`, `Order\Invoice\Total`,
//! `Order\Creditmemo\Total`). An answer tells the rows of an order after their discount (`Order\Webapi\ChangeOutputArray`;
//! recorded: order-bundle), the shop itself keeps them before it.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value};

use super::order_rows::{Row, items};
use super::value::{amount, column, id, number};

/// Columns in the order's own currency, and the same in the website's.
pub(super) const PREFIXES: [&str; 2] = ["", "base_"];

/// A line of a paper in the making, with its share of the line's amounts.
pub(super) type Line<'o> = (Row<'o>, Decimal, Map<String, Value>);

/// Where an amount of a line stands: what a paper calls it, all of it, and what papers had of it before.
type Column = (&'static str, &'static str, &'static str);

/// What invoices take: row, discount, tax, and the tax a discount took away.
pub(super) const BILLED: [Column; 4] = [
    ("row_total", "row_total", "row_invoiced"),
    ("discount_amount", "discount_amount", "discount_invoiced"),
    ("tax_amount", "tax_amount", "tax_invoiced"),
    ("discount_tax_compensation_amount", "discount_tax_compensation_amount", "discount_tax_compensation_invoiced"),
];
/// What credit memos take of that.
pub(super) const GIVEN_BACK: [Column; 4] = [
    ("row_total", "row_invoiced", "amount_refunded"),
    ("discount_amount", "discount_invoiced", "discount_refunded"),
    ("tax_amount", "tax_invoiced", "tax_refunded"),
    ("discount_tax_compensation_amount", "discount_tax_compensation_invoiced", "discount_tax_compensation_refunded"),
];
/// Decimals beyond which a double tells nothing.
const DOUBLE: u32 = 12;

/// Half away from zero, as PHP does.
pub(super) fn cents(amount: Decimal) -> Decimal {
    let seen = amount.round_dp_with_strategy(DOUBLE, RoundingStrategy::MidpointAwayFromZero);
    seen.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// What `quantity` of `all` is of an amount, with all its digits.
pub(super) fn portion(whole: Decimal, quantity: Decimal, all: Decimal) -> Decimal {
    whole.checked_mul(quantity).and_then(|product| product.checked_div(all)).unwrap_or_default()
}

/// What was cut off the cents so far.
#[derive(Debug, Default)]
pub(super) struct Carry(Decimal);

impl Carry {
    /// Cents of what is added.
    pub(super) fn added(&mut self, exact: Decimal) -> Decimal {
        if exact.is_zero() {
            return exact;
        }
        let with = exact.saturating_add(self.0);
        let kept = cents(with);
        self.0 = with.saturating_sub(kept);
        kept
    }

    /// Cents of what is taken away.
    fn taken(&mut self, exact: Decimal) -> Decimal {
        self.0 = -self.0;
        let kept = self.added(exact);
        self.0 = -self.0;
        kept
    }
}

/// So much of a line in a paper.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'o> {
    pub(super) row: Row<'o>,
    pub(super) quantity: Decimal,
    /// How many of the line its open amounts are for.
    pub(super) of: Decimal,
    /// Whether it is all that is left of the line.
    pub(super) last: bool,
}

/// The lines of a paper with their shares, and the carries of both currencies after them.
pub(super) fn shared<'o>(
    order: &Map<String, Value>,
    pieces: &[Piece<'o>],
    columns: &[Column; 4],
) -> (Vec<Line<'o>>, [Carry; 2]) {
    let mut lines: Vec<Line<'o>> = pieces.iter().map(|piece| (piece.row, piece.quantity, Map::new())).collect();
    let carries = PREFIXES.map(|prefix| share(order, pieces, columns, prefix, &mut lines));
    (lines, carries)
}

fn share(
    order: &Map<String, Value>,
    pieces: &[Piece<'_>],
    columns: &[Column; 4],
    prefix: &str,
    lines: &mut [Line<'_>],
) -> Carry {
    let (mut carry, mut with_tax) = (Carry::default(), Carry::default());
    let reduced = reduced(order, prefix);
    let own = |name: &str| format!("{prefix}{name}");
    for together in [0..1, 1..2, 2..4] {
        for (piece, (.., shares)) in pieces.iter().zip(lines.iter_mut()) {
            if piece.row.aside_in_invoices() {
                continue;
            }
            for (name, all, had) in columns.get(together.clone()).into_iter().flatten() {
                let shown_after = reduced && *all == "row_total";
                let off = if shown_after { piece.row.of(&own("discount_amount")) } else { Decimal::ZERO };
                let whole = piece.row.of(&own(all)).saturating_add(off);
                let left = whole.saturating_sub(piece.row.of(&own(had)));
                let exact = portion(left, piece.quantity, piece.of);
                let discount = *name == "discount_amount";
                let taken = match (piece.last, discount) {
                    (true, _) => left,
                    (false, true) => carry.taken(exact),
                    (false, false) => carry.added(exact),
                };
                if !(discount && taken.is_zero()) {
                    shares.insert(own(name), number(taken));
                }
                if *name == "row_total" {
                    let gross = piece.row.of(&own("row_total_incl_tax")).saturating_add(off);
                    let gross = with_tax.added(portion(gross, piece.quantity, piece.row.of("qty_ordered")));
                    shares.insert(own("row_total_incl_tax"), number(gross));
                }
            }
        }
    }
    carry
}

/// The sum of a column over the lines.
pub(super) fn sum(lines: &[Line<'_>], name: &str) -> Decimal {
    lines.iter().fold(Decimal::ZERO, |sum, (_, _, shares)| sum.saturating_add(column(shares, name)))
}

/// Whether an answer tells the rows of an order after their discount.
fn reduced(order: &Map<String, Value>, prefix: &str) -> bool {
    let parents: Vec<Option<u64>> = items(order).map(|item| item.get("parent_item_id").and_then(id)).collect();
    let head = |item: &&Value| {
        item.get("product_type").is_some_and(|kind| kind == "bundle")
            && parents.contains(&item.get("item_id").and_then(id))
    };
    let sum = |name: &str| {
        let rows = items(order).filter(|item| !head(item));
        rows.fold(Decimal::ZERO, |sum, item| sum.saturating_add(amount(item, &format!("{prefix}{name}"))))
    };
    let (goods, discount) = (sum("row_total"), sum("discount_amount"));
    !discount.is_zero() && goods.saturating_add(discount) == column(order, &format!("{prefix}subtotal"))
}
