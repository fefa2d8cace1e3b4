//! How Magento computes an order's amounts: tax on line totals, with what rounding left over carried to the next line.
//!
//! Found by recomputing the recorded orders (the tests do it again). A shop whose prices hold tax takes the tax
//! out of the gross row; one whose prices do not adds it to the net row. Each currency is computed on its own.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

/// Whether the shop's own arithmetic starts from prices with or without tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prices {
    /// The row with tax is fixed, the net row follows.
    Gross,
    /// The net row is fixed, the row with tax follows.
    Net,
}

/// One currency's column: what a base amount is multiplied with, and how many decimals an amount keeps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) factor: Decimal,
    pub(super) scale: u32,
}

/// One thing that carries money, in base currency without tax.
#[derive(Debug, Clone)]
pub(super) struct Good {
    /// Catalogue price of one.
    pub(super) list: Decimal,
    /// Price of one in this order.
    pub(super) price: Decimal,
    pub(super) qty: Decimal,
    /// Tax rate in percent; 0 where nothing is taxed.
    pub(super) percent: Decimal,
}

/// What the order is reduced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reduction {
    None,
    /// Percent of each line, and of shipping too.
    Percent {
        goods: Decimal,
        shipping: Decimal,
    },
    /// An amount in base currency, shared over the lines.
    Fixed(Decimal),
}

/// The amounts of one row in one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) list: Decimal,
    pub(super) price: Decimal,
    pub(super) price_incl: Decimal,
    /// Row without tax, before the discount.
    pub(super) net: Decimal,
    /// Row with tax, before the discount.
    pub(super) gross: Decimal,
    pub(super) discount: Decimal,
    /// Tax after the discount: what is owed.
    pub(super) tax: Decimal,
    /// Tax that the discount took away ("hidden tax"); 0 where prices hold no tax.
    pub(super) compensation: Decimal,
}

/// All amounts of one order in one currency.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    pub(super) rows: Vec<Row>,
    pub(super) shipping: Row,
}

impl Sums {
    /// The sum of one figure over the lines.
    pub(super) fn over(&self, figure: impl Fn(&Row) -> Decimal) -> Decimal {
        self.rows.iter().map(figure).sum()
    }

    /// Tax of lines and shipping.
    pub(super) fn tax(&self) -> Decimal {
        self.over(|row| row.tax) + self.shipping.tax
    }

    /// Discount of lines and shipping, not negative.
    pub(super) fn discount(&self) -> Decimal {
        self.over(|row| row.discount) + self.shipping.discount
    }

    /// What the customer pays.
    pub(super) fn grand_total(&self) -> Decimal {
        self.over(|row| row.net + row.compensation) + self.shipping.net + self.shipping.compensation + self.tax()
            - self.discount()
    }

    /// Whether tax recomputed from the nets, by line or by rate, stays within one minor unit per line of the goods.
    pub(super) fn recomputable(&self, goods: &[Good], freight: &Good, scale: u32) -> bool {
        let again = |net: Decimal, percent: Decimal| round(net * percent / Decimal::ONE_HUNDRED, scale);
        let rows = self.rows.iter().zip(goods).chain([(&self.shipping, freight)]);
        let mut by_rate: BTreeMap<Decimal, Decimal> = BTreeMap::new();
        let mut by_line = Decimal::ZERO;
        for (row, good) in rows {
            let net = row.net - row.discount + row.compensation;
            by_line += again(net, good.percent);
            *by_rate.entry(good.percent).or_default() += net;
        }
        let by_document: Decimal = by_rate.into_iter().map(|(percent, net)| again(net, percent)).sum();
        let allowed = Decimal::from(goods.len()) * Decimal::new(1, scale);
        [by_line, by_document].iter().all(|tax| (tax - self.tax()).abs() <= allowed)
    }
}

/// Rounding as PHP does: half away from zero.
pub(super) fn round(value: Decimal, scale: u32) -> Decimal {
    value.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero)
}

/// Left-over fractions by purpose and rate; each starts a millionth above zero, as Magento's do.
#[derive(Debug, Default)]
struct Carry(BTreeMap<(&'static str, Decimal), Decimal>);

impl Carry {
    /// The value rounded together with what earlier roundings left over.
    fn round(&mut self, purpose: &'static str, rate: Decimal, value: Decimal, scale: u32) -> Decimal {
        if value.is_zero() {
            return value;
        }
        let left = self.0.entry((purpose, rate)).or_insert(Decimal::new(1, 6));
        let wanted = value + *left;
        let rounded = round(wanted, scale);
        *left = wanted - rounded;
        rounded
    }
}

/// The amounts of these goods and this freight in one currency.
pub(super) fn sums(column: Column, prices: Prices, goods: &[Good], freight: &Good, reduction: Reduction) -> Sums {
    let mut carry = Carry::default();
    let mut rows: Vec<Row> = goods.iter().map(|good| before_discount(column, prices, good, &mut carry)).collect();
    let mut shipping = before_discount(column, prices, freight, &mut carry);
    discount(column, prices, &mut rows, &mut shipping, reduction, &mut carry);
    for (row, good) in rows.iter_mut().zip(goods) {
        after_discount(column, prices, row, good.percent, &mut carry);
    }
    after_discount(column, prices, &mut shipping, freight.percent, &mut carry);
    Sums { rows, shipping }
}

fn before_discount(column: Column, prices: Prices, good: &Good, carry: &mut Carry) -> Row {
    let fine = if column.scale == 0 { 0 } else { 4 };
    let rate = good.percent / Decimal::ONE_HUNDRED;
    let exact = good.price * column.factor;
    let list = round(good.list * column.factor, fine);
    let divisor = if good.qty.is_zero() { Decimal::ONE } else { good.qty };
    match prices {
        Prices::Gross => {
            let price_incl = round(exact * (Decimal::ONE + rate), column.scale);
            let gross = price_incl * good.qty;
            let tax = carry.round("tax", good.percent, taxed_share(gross, rate), column.scale);
            let net = gross - tax;
            let price = round(net / divisor, column.scale);
            Row { list, price, price_incl, net, gross, tax, ..Row::default() }
        }
        Prices::Net => {
            let price = round(exact, fine);
            let net = round(price * good.qty, column.scale);
            let tax = carry.round("tax", good.percent, net * rate, column.scale);
            let gross = net + tax;
            let scale = if round(price, column.scale) == price { column.scale } else { fine };
            let price_incl = round(price * (Decimal::ONE + rate), scale);
            Row { list, price, price_incl, net, gross, tax, ..Row::default() }
        }
    }
}

/// The tax inside an amount with tax.
fn taxed_share(gross: Decimal, rate: Decimal) -> Decimal {
    gross * rate / (Decimal::ONE + rate)
}

/// The amount of a row that a discount is taken of.
fn discountable(prices: Prices, row: &Row) -> Decimal {
    match prices {
        Prices::Gross => row.gross,
        Prices::Net => row.net,
    }
}

fn discount(
    column: Column,
    prices: Prices,
    rows: &mut [Row],
    shipping: &mut Row,
    reduction: Reduction,
    carry: &mut Carry,
) {
    let shares: Vec<Decimal> = match reduction {
        Reduction::None => return,
        Reduction::Percent { goods, shipping: of_shipping } => {
            let part = of_shipping / Decimal::ONE_HUNDRED;
            shipping.discount = round(discountable(prices, shipping) * part, column.scale);
            rows.iter().map(|row| discountable(prices, row) * goods / Decimal::ONE_HUNDRED).collect()
        }
        Reduction::Fixed(amount) => {
            let all: Decimal = rows.iter().map(|row| discountable(prices, row)).sum();
            let amount = round(amount * column.factor, column.scale).min(all);
            let all = if all.is_zero() { Decimal::ONE } else { all };
            rows.iter().map(|row| discountable(prices, row) * amount / all).collect()
        }
    };
    let mut open = round(shares.iter().sum(), column.scale);
    let last = rows.len().saturating_sub(1);
    for (index, (row, share)) in rows.iter_mut().zip(shares).enumerate() {
        let fixed = matches!(reduction, Reduction::Fixed(_));
        let wanted =
            if fixed && index == last { open } else { carry.round("discount", Decimal::ZERO, share, column.scale) };
        row.discount = wanted.min(discountable(prices, row));
        open -= row.discount;
    }
}

fn after_discount(column: Column, prices: Prices, row: &mut Row, percent: Decimal, carry: &mut Carry) {
    let rate = percent / Decimal::ONE_HUNDRED;
    let left = (discountable(prices, row) - row.discount).max(Decimal::ZERO);
    let exact = match prices {
        Prices::Gross => taxed_share(left, rate),
        Prices::Net => left * rate,
    };
    let before = row.tax;
    row.tax = carry.round("tax after discount", percent, exact, column.scale);
    if prices == Prices::Gross {
        row.compensation = before - row.tax;
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::{Column, Good, Prices, Reduction, Sums, sums};

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn good(price: &str, qty: i64, percent: i64) -> Good {
        Good { list: dec(price), price: dec(price), qty: Decimal::from(qty), percent: Decimal::from(percent) }
    }

    /// Both columns of a recorded order, computed anew.
    fn both(goods: &[Good], freight: &str, reduction: Reduction) -> (Sums, Sums) {
        let freight = good(freight, 1, 19);
        let usd = Column { factor: Decimal::ONE, scale: 2 };
        let eur = Column { factor: dec("0.9173"), scale: 2 };
        let of = |column| sums(column, Prices::Gross, goods, &freight, reduction);
        (of(usd), of(eur))
    }

    fn ten() -> Reduction {
        Reduction::Percent { goods: Decimal::TEN, shipping: Decimal::ZERO }
    }

    /// Net after discount of each line as the recording shows it, its tax, then shipping net, shipping tax and total.
    fn figures(sums: &Sums) -> String {
        let rows: Vec<String> = sums
            .rows
            .iter()
            .map(|r| format!("{} {} {} {} {}", r.price, r.net - r.discount, r.discount, r.tax, r.compensation))
            .collect();
        let s = &sums.shipping;
        format!("{} | {} {} {} | {}", rows.join(" ; "), s.net, s.tax, s.compensation, sums.grand_total())
    }

    #[test]
    fn recorded_mixed_tax_coupon_eur() {
        let goods = [good("9.99", 3, 19), good("19.95", 1, 7), good("2.27", 4, 19)];
        let (usd, eur) = both(&goods, "40", ten());
        assert_eq!(
            figures(&eur),
            "9.16 24.21 3.27 4.70 0.52 ; 18.30 16.34 1.96 1.15 0.13 ; 2.09 7.35 0.99 1.42 0.16 | 36.68 6.98 0.00 | 99.64"
        );
        assert_eq!(
            figures(&usd),
            "9.99 26.40 3.57 5.13 0.57 ; 19.95 17.82 2.13 1.26 0.14 ; 2.27 8.00 1.08 1.55 0.17 | 40.00 7.60 0.00 | 108.64"
        );
    }

    #[test]
    fn recorded_cent_trap() {
        let (usd, eur) = both(&[good("2.27", 4, 19), good("9.99", 4, 19)], "40", Reduction::None);
        assert_eq!(figures(&eur), "2.09 8.34 0 1.58 0.00 ; 9.16 36.63 0 6.97 0.00 | 36.69 6.97 0.00 | 97.18");
        assert_eq!(usd.grand_total(), dec("105.96"));
    }

    #[test]
    fn recorded_bundle() {
        let (usd, eur) = both(&[good("9.99", 4, 19), good("19.95", 2, 7)], "30", ten());
        assert_eq!(figures(&eur), "9.16 32.28 4.36 6.27 0.69 ; 18.30 32.68 3.92 2.31 0.25 | 27.52 5.22 0.01 | 107.23");
        assert_eq!(figures(&usd), "9.99 35.21 4.76 6.83 0.76 ; 19.96 35.64 4.27 2.51 0.28 | 30.00 5.70 0.00 | 116.93");
    }

    #[test]
    fn recorded_configurable() {
        let (usd, eur) = both(&[good("1.5", 3, 19), good("9.99", 2, 19)], "25", Reduction::None);
        assert_eq!(figures(&eur), "1.38 4.13 0 0.79 0.00 ; 9.16 18.32 0 3.48 0.00 | 22.94 4.35 0.00 | 54.01");
        assert_eq!(figures(&usd), "1.50 4.51 0 0.86 0.00 ; 10.00 19.99 0 3.79 0.00 | 25.00 4.75 0.00 | 58.90");
    }

    #[test]
    fn a_fixed_coupon_is_shared_to_the_last_cent() {
        let goods = [good("3.33", 1, 19), good("3.33", 1, 7), good("3.35", 1, 0)];
        for prices in [Prices::Gross, Prices::Net] {
            let column = Column { factor: Decimal::ONE, scale: 2 };
            let made = sums(column, prices, &goods, &good("5", 1, 19), Reduction::Fixed(Decimal::ONE));
            assert_eq!(made.discount(), Decimal::ONE);
        }
    }
}
