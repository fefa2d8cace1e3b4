//! What Tryton's prices mean: the list price, and the price lists that are told.

use super::{Units, remote};
use crate::tryton::wire_price::{ListRow, PricedRow, StepRow};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use syncline_core::kind::Kind;
use syncline_core::leaf::Ref;
use syncline_core::money::{Currency, Money};
use syncline_core::record::{Price, PriceKey, PriceRow, Record};

/// What the list price of a product is called as a list.
pub(in crate::tryton) const BASE: &str = "list";

/// A price list that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tryton) struct PriceList {
    pub(in crate::tryton) id: i64,
    pub(in crate::tryton) name: String,
    /// Whether its quantities are in the product's sale unit, not in its default one.
    by_sale_unit: bool,
}

/// What a list says of one product: from how many pieces on, what; nothing where no line fits.
pub(in crate::tryton) type Steps = Vec<(Decimal, Option<Decimal>)>;

/// The lists in `rows` that can be told, oldest first, and why others cannot.
pub(in crate::tryton) fn offered(rows: Vec<ListRow>) -> (Vec<PriceList>, Vec<String>) {
    let (mut lists, mut warnings) = (Vec::<PriceList>::new(), Vec::new());
    for row in rows {
        let name = row.name.unwrap_or_default();
        if row.tax_included.0 {
            warnings.push(format!("price list `{name}` includes taxes: it is not read, prices are told without tax"));
        } else if name == BASE || name.is_empty() {
            warnings.push(format!("a price list called `{name}` is not read: `{BASE}` is the list price; rename it"));
        } else if lists.iter().any(|known| known.name == name) {
            warnings.push(format!("several price lists are called `{name}`: the oldest is read; rename the others"));
        } else {
            lists.push(PriceList { id: row.id, name, by_sale_unit: row.unit.as_deref() == Some("product_sale") });
        }
    }
    (lists, warnings)
}

/// One, and every quantity of the unit the product is sold in from which on another line of the list may count for it.
pub(in crate::tryton) fn thresholds(
    rows: &[StepRow],
    list: &PriceList,
    (product, units): (i64, Units),
) -> BTreeSet<Decimal> {
    let mine = rows.iter().filter(|row| row.price_list == list.id && row.product.is_none_or(|one| one == product));
    let sold = |from: Decimal| if list.by_sale_unit { from.normalize() } else { units.fewest(from) };
    let from = mine.filter_map(|row| row.quantity).map(|quantity| sold(quantity.0.0));
    from.filter(|from| *from > Decimal::ONE).chain([Decimal::ONE]).collect()
}

/// The prices of a product in the unit it is sold in: its list price where it has one, and each list that is told, with a
/// row wherever the price changes. Nothing where its units cannot be compared.
pub(in crate::tryton) fn price_record(
    row: &PricedRow,
    currency: Currency,
    lists: &[(&PriceList, Steps)],
) -> Option<Record> {
    let units = row.units()?;
    let mut price = Price { variant: Some(Ref::remote(Kind::Variant, remote(row.id))), ..Price::default() };
    if let Some(amount) = row.list_price_used {
        add(&mut price, BASE, &[(Decimal::ONE, units.each(amount.0)?)], currency);
    }
    for (list, steps) in lists {
        if let Some(rows) = tiers(steps) {
            add(&mut price, &list.name, &rows, currency);
        }
    }
    Some(Record::Price(price))
}

impl PricedRow {
    /// Its units; nothing where they cannot be compared.
    pub(in crate::tryton) fn units(&self) -> Option<Units> {
        Units::of(self.sale_unit, self.default_unit)
    }
}

fn add(price: &mut Price, list: &str, rows: &[(Decimal, Decimal)], currency: Currency) {
    price.lists.insert(list.to_string());
    for (quantity, amount) in rows {
        let key = PriceKey { list: list.to_string(), quantity: *quantity, from: None };
        price.rows.insert(key, PriceRow { amount: Money { amount: amount.normalize(), currency }, until: None });
    }
}

/// The steps at which the price changes; none where more pieces have no price although fewer have one, which no row can
/// say.
fn tiers(steps: &Steps) -> Option<Vec<(Decimal, Decimal)>> {
    let mut rows: Vec<(Decimal, Decimal)> = Vec::new();
    for (quantity, amount) in steps {
        match (rows.last(), amount) {
            (Some(_), None) => return None,
            (Some((_, last)), Some(amount)) if last == amount => {}
            (_, Some(amount)) => rows.push((*quantity, *amount)),
            (None, None) => {}
        }
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tryton::wire::Flag;
    use proptest::prelude::*;

    #[test]
    fn lists_that_cannot_be_told_apart_or_hold_taxes_are_left_out() {
        let row =
            |id, name: &str, taxed| ListRow { id, name: Some(name.into()), tax_included: Flag(taxed), unit: None };
        let rows = vec![row(1, "A", false), row(2, "T", true), row(3, "A", false), row(4, "list", false)];
        let (lists, warnings) = offered(rows);
        assert_eq!(lists.iter().map(|list| list.id).collect::<Vec<_>>(), [1]);
        assert_eq!(warnings.len(), 3);
    }

    proptest! {
        #[test]
        fn rows_say_what_every_number_of_pieces_costs(
            amounts in proptest::collection::vec(proptest::option::weighted(0.8, 0i64..4), 0..6)
        ) {
            let steps: Steps = amounts.iter().zip(1i64..).map(|(a, q)| (Decimal::from(q), a.map(Decimal::from))).collect();
            let at = |rows: &[(Decimal, Decimal)], quantity: Decimal| {
                rows.iter().rev().find(|(from, _)| *from <= quantity).map(|(_, amount)| *amount)
            };
            match tiers(&steps) {
                Some(rows) => for (quantity, amount) in &steps {
                    prop_assert_eq!(at(&rows, *quantity), *amount);
                },
                None => prop_assert!(steps.windows(2).any(|two| two[0].1.is_some() && two[1].1.is_none())),
            }
        }
    }
}
