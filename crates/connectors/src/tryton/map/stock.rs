//! What Tryton's figures mean: what is there, and what may still be promised.

use super::{Units, remote};
use crate::tryton::wire::{FigureRow, LateRow};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use syncline_core::kind::Kind;
use syncline_core::leaf::Ref;
use syncline_core::record::{Level, Record, Stock};

/// What one warehouse tells of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tryton) struct Shelf {
    /// The warehouse in the file's word.
    pub(in crate::tryton) place: String,
    /// With the forecast up to today.
    pub(in crate::tryton) today: FigureRow,
    /// With the forecast without an end.
    pub(in crate::tryton) ever: FigureRow,
    /// What should have left before today and is in no forecast.
    pub(in crate::tryton) late: Decimal,
}

impl Shelf {
    /// The figures, in the unit the product is sold in. To promise is what is there and stays: less than that where more
    /// leaves than comes, today or ever, and never what should have left already.
    fn level(&self, units: Units) -> Level {
        let on_hand = self.today.quantity.0.0;
        let lowest = on_hand.min(self.today.forecast_quantity.0.0).min(self.ever.forecast_quantity.0.0);
        let available = lowest.saturating_sub(self.late);
        Level { on_hand: Some(units.sold(on_hand)), available: Some(units.sold(available)), counted: None }
    }
}

/// The stock of product `id`; nothing where its units cannot be compared. Services and retired products are not counted,
/// whatever figures Tryton shows of them.
pub(in crate::tryton) fn stock_record(id: i64, shelves: &[Shelf]) -> Option<Record> {
    let is_counted = |row: &FigureRow| row.form != "service" && row.active.0;
    let managed =
        !shelves.is_empty() && shelves.iter().all(|shelf| is_counted(&shelf.today) && is_counted(&shelf.ever));
    let counted = if managed { shelves } else { &[] };
    let level = |shelf: &Shelf| {
        let units = Units::of(shelf.today.sale_unit, shelf.today.default_unit)?;
        Some((shelf.place.clone(), shelf.level(units)))
    };
    Some(Record::Stock(Stock {
        variant: Some(Ref::remote(Kind::Variant, remote(id))),
        managed: Some(managed),
        salable: None,
        reserved: None,
        levels: counted.iter().map(level).collect::<Option<_>>()?,
    }))
}

/// What should have left, by product and warehouse. What moves within a warehouse leaves nothing, and what should have
/// come has not.
pub(in crate::tryton) fn late_by_place(rows: &[LateRow]) -> BTreeMap<(i64, i64), Decimal> {
    let mut late = BTreeMap::new();
    for row in rows {
        let house = |place: &Option<crate::tryton::wire::Housed>| place.as_ref().and_then(|place| place.warehouse);
        let (from, to) = (house(&row.from), house(&row.to));
        if let (Some(from), true, Some(quantity)) = (from, from != to, row.internal_quantity) {
            let sum: &mut Decimal = late.entry((row.product, from)).or_default();
            *sum = sum.saturating_add(quantity.0.0);
        }
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(form: &str, active: bool, quantity: i64, forecast: i64) -> FigureRow {
        serde_json::from_value(serde_json::json!({"type": form, "active": active, "quantity": quantity,
            "forecast_quantity": forecast}))
        .unwrap()
    }

    fn told(form: &str, active: bool, figures: [i64; 4]) -> Stock {
        let [quantity, today, ever, late] = figures;
        let (today, ever) = (row(form, active, quantity, today), row(form, active, quantity, ever));
        let shelf = Shelf { place: "WH".into(), today, ever, late: Decimal::from(late) };
        match stock_record(5, &[shelf]) {
            Some(Record::Stock(stock)) => stock,
            other => panic!("no stock: {other:?}"),
        }
    }

    #[test]
    fn what_is_not_counted_has_no_figures() {
        for (form, active) in [("service", true), ("goods", false)] {
            let stock = told(form, active, [4, 4, 4, 0]);
            assert_eq!((stock.managed, stock.levels.len()), (Some(false), 0));
        }
        assert!(told("goods", true, [4, 4, 4, 0]).managed.unwrap());
    }

    proptest! {
        #[test]
        fn nothing_is_promised_that_is_not_there_or_will_go(
            quantity in -9i64..99, today in -99i64..99, ever in -99i64..99, late in 0i64..9
        ) {
            let stock = told("goods", true, [quantity, today, ever, late]);
            let level = stock.levels.get("WH").unwrap();
            let available = level.available.unwrap() + Decimal::from(late);
            prop_assert!([quantity, today, ever].iter().all(|one| available <= Decimal::from(*one)));
            prop_assert!([quantity, today, ever].contains(&i64::try_from(available).unwrap()));
            prop_assert_eq!(level.on_hand, Some(Decimal::from(quantity)));
        }
    }
}
