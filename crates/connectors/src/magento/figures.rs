//! An order's amounts line by line: which columns hold the net, found by the order's own sums. Pure.
//!
//! Magento's `row_total` is not the same in every version and set-up: in the recorded 2.4.7 with prices including
//! tax it is already reduced by the discount, elsewhere it is not. The convention that makes the order's own
//! figures add up to its grand total, to the last digit, is the one that is used.

use super::map::amount;
use super::wire::{Id, Item, Order};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Net and tax of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Total without tax, after discount.
    pub(super) net: Decimal,
    /// Tax on it.
    pub(super) tax: Decimal,
}

/// The amounts of one order.
#[derive(Debug, Clone)]
pub(super) struct Figures {
    rows: BTreeMap<u64, Row>,
    /// The freight without tax, after discount.
    pub(super) shipping: Decimal,
    /// Rows are told after their discount.
    pub(super) reduced: bool,
    /// Amounts of other modules are in play, which no line and no freight tells.
    pub(super) others: bool,
}

impl Figures {
    /// The amounts of a line; none for a bundle whose children carry the money.
    pub(super) fn line(&self, item: Id) -> Option<Row> {
        self.rows.get(&item.0).copied()
    }
}

/// What `row_total` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Convention {
    /// The row after its discount (recorded: order-mixed-tax-coupon-eur).
    Reduced,
    /// The row before its discount.
    Full,
}

const TOO_LARGE: &str = "its amounts are too large to be added up";

/// The amounts of an order.
///
/// # Errors
/// A message where amounts leave the range of 28 digits.
pub(super) fn read(doc: &Order) -> Result<Figures, String> {
    let rows: Vec<&Item> = doc.items.iter().filter(|item| !is_heading(doc, item)).collect();
    let sold: Vec<&Item> = rows.iter().copied().filter(|item| !is_folded(doc, item)).collect();
    let (convention, shipping) = choose(doc, &sold).ok_or(TOO_LARGE)?;
    let reduced = convention == Convention::Reduced;
    let mut figures = Figures { rows: BTreeMap::new(), shipping, reduced, others: has_other_amounts(doc) };
    for item in rows {
        let net = net(item, convention).ok_or(TOO_LARGE)?;
        figures.rows.insert(item.item_id.0, Row { net, tax: amount(item.tax_amount) });
    }
    Ok(figures)
}

/// Whether a line is a bundle whose children carry the money: its own amounts repeat theirs, not even exactly
/// (recorded: order-bundle, 81.82 against 74.48).
fn is_heading(doc: &Order, item: &Item) -> bool {
    let carries = |child: &Item| {
        [child.price, child.row_total, child.tax_amount, child.discount_amount]
            .into_iter()
            .any(|column| !amount(column).is_zero())
    };
    product_type(item) == "bundle"
        && doc.items.iter().any(|child| child.parent_item_id == Some(item.item_id) && carries(child))
}

/// Whether a line is the child of a configurable one, which carries the money for both.
pub(super) fn is_folded(doc: &Order, item: &Item) -> bool {
    let parent = item.parent_item_id.and_then(|id| doc.items.iter().find(|other| other.item_id == id));
    parent.is_some_and(|parent| product_type(parent) == "configurable")
}

fn product_type(item: &Item) -> &str {
    item.product_type.as_ref().map_or("", |text| text.0.as_str())
}

fn net(item: &Item, convention: Convention) -> Option<Decimal> {
    let full = amount(item.row_total).checked_add(amount(item.discount_tax_compensation_amount))?;
    match convention {
        Convention::Reduced => Some(full),
        Convention::Full => full.checked_sub(amount(item.discount_amount).abs()),
    }
}

fn sum(items: &[&Item], figure: impl Fn(&Item) -> Option<Decimal>) -> Option<Decimal> {
    items.iter().try_fold(Decimal::ZERO, |so_far, item| so_far.checked_add(figure(item)?))
}

/// The convention and the freight that make the order's own figures add up. Where nothing does, or where amounts
/// are in play that are no line and no freight (gift cards, store credit …) and could feign it, the documented
/// reading stands, and the order is held for not adding up.
fn choose(doc: &Order, sold: &[&Item]) -> Option<(Convention, Decimal)> {
    let told = told(doc, sold)?;
    let freights = freights(doc)?;
    let standard = (told.unwrap_or(Convention::Reduced), freights[0]);
    if has_other_amounts(doc) {
        return Some(standard);
    }
    let open = [Convention::Reduced, Convention::Full];
    let rest = amount(Some(doc.grand_total)).checked_sub(amount(Some(doc.tax_amount)))?;
    for convention in open.into_iter().filter(|one| told.is_none_or(|told| told == *one)) {
        let lines = sum(sold, |item| net(item, convention))?;
        for freight in freights {
            if lines.checked_add(freight)? == rest {
                return Some((convention, freight));
            }
        }
    }
    Some(standard)
}

/// The convention the subtotal, which is the sum of the rows before discount, speaks for; none where it is silent.
#[expect(clippy::option_option, reason = "the outer one is an amount out of range")]
fn told(doc: &Order, sold: &[&Item]) -> Option<Option<Convention>> {
    let rows = sum(sold, |item| Some(amount(item.row_total)))?;
    let discounts = sum(sold, |item| Some(amount(item.discount_amount).abs()))?;
    let subtotal = doc.subtotal.map(|_| amount(doc.subtotal));
    Some(if subtotal == Some(rows.checked_add(discounts)?) {
        Some(Convention::Reduced)
    } else if subtotal == Some(rows) {
        Some(Convention::Full)
    } else {
        None
    })
}

/// The freight without tax: after discount and with the tax the discount took away (recorded: order-bundle,
/// 27.52 + 0.01 + tax 5.22 = 32.75); then the readings of versions that leave one or the other out.
fn freights(doc: &Order) -> Option<[Decimal; 4]> {
    let gross = amount(doc.shipping_amount);
    let compensation = amount(doc.shipping_discount_tax_compensation_amount);
    let reduced = gross.checked_sub(amount(doc.shipping_discount_amount).abs())?;
    Some([reduced.checked_add(compensation)?, gross.checked_add(compensation)?, reduced, gross])
}

fn has_other_amounts(doc: &Order) -> bool {
    let told = &doc.extension_attributes.0;
    let header = [
        told.gift_cards_amount,
        told.customer_balance_amount,
        told.reward_currency_amount,
        told.gw_price,
        told.gw_items_price,
        told.gw_card_price,
    ];
    let mut columns = header.into_iter().chain(doc.items.iter().map(|item| item.weee_tax_applied_row_amount));
    columns.any(|column| !amount(column).is_zero()) || told.custom_fees.as_ref().is_some_and(|fees| !fees.is_empty())
}
