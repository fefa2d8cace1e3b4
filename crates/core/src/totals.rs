//! The figures of an order against each other: what is sold and charged plus tax is what is owed, to the cent.

use crate::money::{Money, MoneyError};
use crate::record::Order;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use rust_decimal::Decimal;

/// Why an order's figures cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Imbalance {
    /// A figure that is needed is not told.
    #[error("the order tells no {0}")]
    Missing(&'static str),
    /// Two currencies, or a sum out of range.
    #[error("{0}")]
    Sum(#[from] MoneyError),
    /// Lines, charges and tax add up to another amount than the header says.
    #[error("lines {lines}, charges {charges} and tax {tax} make {sum}, the header says {grand}: {detail}")]
    Differs {
        /// Sum of the lines without tax.
        lines: Money,
        /// Sum of the charges without tax.
        charges: Money,
        /// Tax of the header.
        tax: Money,
        /// All three.
        sum: Money,
        /// What the header says.
        grand: Money,
        /// The lines one by one.
        detail: String,
    },
}

/// The order's grand total where its own figures agree.
///
/// # Errors
/// [`Imbalance`] with the figures line by line.
pub fn balanced(order: &Order) -> Result<Money, Imbalance> {
    let grand = order.totals.grand.ok_or(Imbalance::Missing("grand total"))?;
    let tax = order.totals.tax.ok_or(Imbalance::Missing("tax total"))?;
    let zero = Money::zero(grand.currency);
    let mut lines = zero;
    for (_, line) in order.sold_lines() {
        lines = lines.plus(line.net.unwrap_or(zero))?;
    }
    let mut charges = zero;
    for charge in order.charges.values() {
        charges = charges.plus(charge.net.unwrap_or(zero))?;
    }
    let sum = lines.plus(charges)?.plus(tax)?;
    if sum == grand {
        return Ok(grand);
    }
    let mut detail: Vec<String> = Vec::new();
    for (key, line) in order.sold_lines() {
        let net = line.net.map_or_else(|| "no amount".to_string(), |net| net.to_string());
        detail.push(alloc::format!("line {key} {}: {net}", line.sku.as_deref().unwrap_or("?")));
    }
    Err(Imbalance::Differs { lines, charges, tax, sum, grand, detail: detail.join(", ") })
}

/// The largest difference between two systems' computation of one order that rounding alone explains:
/// `per_line` minor units for every line and charge that carries money.
#[must_use]
pub fn tolerance(order: &Order, per_line: u32) -> Decimal {
    let Some(currency) = order.currency else { return Decimal::ZERO };
    let carrying = order.sold_lines().filter(|(_, line)| line.carries_money()).count() + order.charges.len();
    currency.minor_unit() * Decimal::from(per_line) * Decimal::from(carrying)
}

/// How far the amount of a line may be from the one it was told: a minor unit, or what a price of one with so many decimals
/// cannot say of so many, up to the next minor unit.
#[must_use]
pub fn slack(unit: Decimal, quantity: Option<Decimal>, price_digits: Option<u32>) -> Decimal {
    let half_a_step = |digits: u32| Decimal::new(5, digits.saturating_add(1));
    let unsaid = quantity.zip(price_digits).and_then(|(quantity, digits)| {
        let units = quantity.abs().checked_mul(half_a_step(digits))?.checked_div(unit)?;
        units.ceil().checked_mul(unit)
    });
    unsaid.unwrap_or_default().max(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_pieces_may_be_off_by_what_their_price_cannot_say() {
        let cent = Decimal::new(1, 2);
        let off = |quantity: i64, digits| slack(cent, Some(quantity.into()), digits).to_string();
        assert_eq!(
            [off(1, Some(4)), off(200, Some(4)), off(479, Some(4)), off(479, None)],
            ["0.01", "0.01", "0.03", "0.01"]
        );
    }
}
