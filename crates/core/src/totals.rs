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

/// The order as it is wanted now: of each line what was not cancelled, its amounts in proportion, each rounded to minor units.
/// Charges stay as they are. None where nothing of a line was cancelled, a figure is not told, or one is in another currency.
#[must_use]
pub fn wanted(order: &Order) -> Option<Order> {
    let off = |line: &crate::record::Line| line.had.cancelled.is_some_and(|off| off > Decimal::ZERO);
    if order.is_withdrawn() || !order.sold_lines().any(|(_, line)| off(line)) {
        return None;
    }
    let currency = order.currency?;
    let share = |money: Option<Money>, part: Decimal| {
        let Money { amount, currency } = money?;
        Some(Money::new(amount.checked_mul(part)?.round_dp(currency.digits()), currency))
    };
    let mut now = order.clone();
    let (mut sum, mut tax) = (Money::zero(currency), Decimal::ZERO);
    let sold: Vec<String> = order.sold_lines().map(|(key, _)| key.clone()).collect();
    for (_, line) in now.lines.iter_mut().filter(|(key, _)| sold.contains(key)) {
        let (before, left) = (line.quantity?, Order::wanted(line)?);
        let part = left.checked_div(before).unwrap_or(Decimal::ONE);
        tax = tax.saturating_add(line.tax.map_or(Decimal::ZERO, |tax| tax.amount).checked_mul(part)?);
        (line.quantity, line.net, line.tax) = (Some(left), share(line.net, part), share(line.tax, part));
        sum = sum.plus(line.net.unwrap_or(Money::zero(currency))).ok()?;
    }
    for charge in order.charges.values() {
        sum = sum.plus(charge.net.unwrap_or(Money::zero(currency))).ok()?;
        tax = tax.saturating_add(charge.tax.map_or(Decimal::ZERO, |tax| tax.amount));
    }
    let tax = Money::new(tax.round_dp(currency.digits()), currency);
    (now.totals.grand, now.totals.tax) = (sum.plus(tax).ok(), Some(tax));
    Some(now)
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
    let half_a_step = |digits: u32| Decimal::new(5, digits.saturating_add(1).min(Decimal::MAX_SCALE));
    let unsaid = quantity.zip(price_digits).and_then(|(quantity, digits)| {
        let units = quantity.abs().checked_mul(half_a_step(digits))?.checked_div(unit)?;
        units.ceil().checked_mul(unit)
    });
    unsaid.unwrap_or_default().max(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Charge, Had, Line, OrderLife};

    fn money(text: &str, currency: &str) -> Option<Money> {
        Some(Money::new(text.parse().unwrap(), currency.parse().unwrap()))
    }

    /// An order with freight, of lines with a quantity, how many were cancelled, net and tax.
    fn order(currency: &str, lines: &[(i64, i64, &str, &str)]) -> Order {
        let line = |(quantity, cancelled, net, tax): &(i64, i64, &str, &str)| Line {
            quantity: Some((*quantity).into()),
            had: Had { cancelled: Some((*cancelled).into()), ..Had::default() },
            net: money(net, currency),
            tax: money(tax, currency),
            ..Line::default()
        };
        let freight = Charge { net: money("5", currency), tax: money("1", currency), ..Charge::default() };
        Order {
            life: Some(OrderLife::Open),
            currency: currency.parse().ok(),
            lines: lines.iter().enumerate().map(|(at, one)| (at.to_string(), line(one))).collect(),
            charges: [("shipping".to_string(), freight)].into(),
            ..Order::default()
        }
    }

    /// Grand total, tax in it, and each line's quantity and net, of what is left of `order`.
    fn left(order: &Order) -> String {
        let Some(now) = wanted(order) else { return "as it was".to_string() };
        let shown = |money: Option<Money>| money.map_or("?".to_string(), |money| money.to_string());
        let lines = now
            .lines
            .iter()
            .map(|(_, line)| alloc::format!("{} for {}", line.quantity.unwrap_or_default(), shown(line.net)));
        let lines: Vec<String> = lines.collect();
        alloc::format!("{} with {}: {}", shown(now.totals.grand), shown(now.totals.tax), lines.join(", "))
    }

    #[test]
    fn of_each_line_what_was_not_cancelled_is_left_in_proportion_and_freight_whole() {
        for (currency, lines, expected) in [
            ("EUR", &[(3, 0, "30", "5.70")][..], "as it was"),
            ("EUR", &[(3, -1, "30", "5.70")], "as it was"),
            ("EUR", &[(3, 3, "30", "5.70")], "as it was"),
            ("EUR", &[(3, 2, "30", "5.70")], "17.90 EUR with 2.90 EUR: 1 for 10.00 EUR"),
            // Each net is rounded by itself, tax once for all.
            (
                "EUR",
                &[(3, 1, "10", "1.90"), (3, 1, "10", "1.90")],
                "21.87 EUR with 3.53 EUR: 2 for 6.67 EUR, 2 for 6.67 EUR",
            ),
            (
                "EUR",
                &[(3, 3, "30", "5.70"), (2, 0, "10", "1.90")],
                "17.90 EUR with 2.90 EUR: 0 for 0.00 EUR, 2 for 10.00 EUR",
            ),
            (
                "EUR",
                &[(3, 5, "30", "5.70"), (1, 0, "0", "0")],
                "6.00 EUR with 1.00 EUR: 0 for 0.00 EUR, 1 for 0.00 EUR",
            ),
            ("JPY", &[(3, 1, "1000", "100")], "740 JPY with 68 JPY: 2 for 667 JPY"),
            ("KWD", &[(3, 1, "10", "0.5")], "13.000 KWD with 1.333 KWD: 2 for 6.667 KWD"),
            (
                "CHF",
                &[(2, 1, "-0.50", "0"), (1, 0, "9", "0.69")],
                "15.44 CHF with 1.69 CHF: 1 for -0.25 CHF, 1 for 9.00 CHF",
            ),
        ] {
            assert_eq!(left(&order(currency, lines)), expected, "{currency} {lines:?}");
        }
    }

    #[test]
    fn an_order_is_balanced_to_the_cent_in_one_currency_or_its_figures_are_told_line_by_line() {
        let with = |grand: &str, tax: &str| {
            let mut order = order("EUR", &[(3, 0, "30", "5.70"), (1, 0, "10", "1.90")]);
            (order.totals.grand, order.totals.tax) = (money(grand, "EUR"), money(tax, "EUR"));
            order
        };
        let told = |order: &Order| match balanced(order) {
            Ok(grand) => grand.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(told(&with("53.60", "8.60")), "53.60 EUR");
        assert_eq!(
            told(&with("53.61", "8.60")),
            "lines 40.00 EUR, charges 5.00 EUR and tax 8.60 EUR make 53.60 EUR, the header says 53.61 EUR: line 0 ?: 30.00 EUR, \
             line 1 ?: 10.00 EUR"
        );
        type Change = fn(&mut Order);
        let changes: [(Change, &str); 4] = [
            (|order| order.totals.grand = None, "the order tells no grand total"),
            (|order| order.totals.tax = None, "the order tells no tax total"),
            (
                |order| order.charges.values_mut().for_each(|one| one.net = money("5", "CHF")),
                "EUR and CHF cannot be added",
            ),
            (|order| order.totals.tax = money("8.60", "CHF"), "EUR and CHF cannot be added"),
        ];
        for (change, expected) in changes {
            let mut order = with("53.60", "8.60");
            change(&mut order);
            assert_eq!(told(&order), expected);
        }
        let mut untold = with("23.60", "8.60");
        untold.lines.iter_mut().take(1).for_each(|(_, line)| line.net = None);
        assert_eq!(told(&untold), "23.60 EUR", "a line without an amount is nothing");
    }

    #[test]
    fn a_rounding_charge_stays_and_what_is_withdrawn_or_not_told_has_no_rest() {
        let part = || order("EUR", &[(3, 2, "30", "5.70")]);
        let one = |order: &mut Order, change: fn(&mut Line)| order.lines.iter_mut().for_each(|(_, line)| change(line));
        let mut rounded = part();
        rounded.charges.insert("rounding".to_string(), Charge { net: money("-0.02", "EUR"), ..Charge::default() });
        assert_eq!(left(&rounded), "17.88 EUR with 2.90 EUR: 1 for 10.00 EUR");
        let mut untold = part();
        one(&mut untold, |line| (line.net, line.tax) = (None, None));
        assert_eq!(left(&untold), "6.00 EUR with 1.00 EUR: 1 for ?", "a line without money has none");
        let changes: [fn(&mut Order); 5] = [
            |order| order.life = Some(OrderLife::Cancelled),
            |order| order.currency = None,
            |order| order.lines.iter_mut().for_each(|(_, line)| line.quantity = None),
            |order| order.lines.iter_mut().for_each(|(_, line)| line.net = money("30", "USD")),
            |order| order.charges.values_mut().for_each(|charge| charge.net = money("5", "USD")),
        ];
        for change in changes {
            let mut order = part();
            change(&mut order);
            assert_eq!(left(&order), "as it was", "{order:?}");
        }
    }

    #[test]
    fn what_rounding_explains_grows_with_the_lines_and_charges_that_carry_money() {
        let two = order("EUR", &[(3, 0, "30", "5.70"), (1, 0, "0", "0")]);
        assert_eq!(
            [tolerance(&two, 0), tolerance(&two, 1), tolerance(&two, 3)].map(|one| one.to_string()),
            ["0", "0.02", "0.06"]
        );
        assert_eq!(tolerance(&order("JPY", &[(3, 0, "30", "0")]), 1), 2.into());
        assert_eq!(tolerance(&Order::default(), 1), Decimal::ZERO, "an order without a currency");
    }

    #[test]
    fn many_pieces_may_be_off_by_what_their_price_cannot_say() {
        let cent = Decimal::new(1, 2);
        let off = |quantity: i64, digits| slack(cent, Some(quantity.into()), digits).to_string();
        assert_eq!(
            [off(1, Some(4)), off(200, Some(4)), off(479, Some(4)), off(479, None)],
            ["0.01", "0.01", "0.03", "0.01"]
        );
        assert_eq!(off(1, Some(u32::MAX)), "0.01");
    }
}
