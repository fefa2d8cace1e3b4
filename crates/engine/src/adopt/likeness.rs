//! Whether a document that another connector made is the order: its currency, its total, and line by line.

use syncline_core::money::Money;
use syncline_core::record::{Line, Order};
use syncline_core::text::sku_key;

/// Which line of the document `there` is which of `order`: our key, theirs.
///
/// # Errors
/// Why the two are not the same.
pub(crate) fn paired(order: &Order, there: &Order) -> Result<Vec<(String, String)>, String> {
    if order.currency != there.currency {
        let shown = |order: &Order| order.currency.map_or_else(|| "none".to_string(), |currency| currency.to_string());
        return Err(format!("the currency is {} here, {} there", shown(order), shown(there)));
    }
    if order.totals.grand != there.totals.grand {
        return Err(format!("total {} here, {} there", shown(order.totals.grand), shown(there.totals.grand)));
    }
    let ours: Vec<(&String, &Line)> = order.sold_lines().collect();
    let mut free: Vec<(&String, &Line)> = there.sold_lines().collect();
    if ours.len() != free.len() {
        return Err(count_differs(order, &ours, &free));
    }
    let (mut pairs, mut left) = (Vec::new(), ours);
    for same in [alike as fn(&Line, &Line) -> bool, worth_the_same] {
        left.retain(|(key, line)| {
            let at = free.iter().position(|(_, other)| same(line, other));
            if let Some(at) = at {
                let (theirs, _) = free.remove(at);
                pairs.push(((*key).clone(), theirs.clone()));
            }
            at.is_none()
        });
    }
    match left.first() {
        None => Ok(pairs),
        Some((key, line)) => {
            let sku = line.sku.as_deref().unwrap_or("?");
            Err(format!("line {key} ({sku}): none there has its quantity and amount, {}", shown(line.net)))
        }
    }
}

/// `there` as it is compared with `order`: its lines beside those of the order, and at an end, for nobody here moves it.
pub(crate) fn beside(order: &Order, there: &Order) -> Order {
    let mut beside = there.clone();
    if beside.stage.as_deref() != Some("cancelled") {
        beside.stage = Some("done".to_string());
    }
    let Ok(pairs) = paired(order, there) else { return beside };
    let places = order.sold_lines().filter_map(|(key, _)| pairs.iter().find(|(ours, _)| ours == key));
    beside.lines = places.filter_map(|(_, theirs)| Some((theirs.clone(), there.lines.get(theirs)?.clone()))).collect();
    beside
}

fn shown(money: Option<Money>) -> String {
    money.map_or_else(|| "nothing".to_string(), |money| money.to_string())
}

/// Why the counts of lines differ; freight that was booked on a product of its own is named as such.
fn count_differs(order: &Order, ours: &[(&String, &Line)], theirs: &[(&String, &Line)]) -> String {
    let what = format!("{} lines here, {} there", ours.len(), theirs.len());
    let freight = order.charges.get("shipping").and_then(|charge| charge.net);
    let booked = theirs.iter().find(|(_, line)| freight.is_some() && line.net == freight);
    match booked.and_then(|(_, line)| line.sku.as_deref()).filter(|_| theirs.len() == ours.len() + 1) {
        Some(sku) => format!("{what}; is `{sku}` the freight? then name it as `shipping_product` of the ERP"),
        None => what,
    }
}

fn worth_the_same(ours: &Line, theirs: &Line) -> bool {
    let close = match (ours.net, theirs.net) {
        (Some(a), Some(b)) => a.minus(b).is_ok_and(|d| d.amount.abs() <= a.currency.minor_unit()),
        (None, Some(b)) => b.amount.is_zero(),
        (None, None) => true,
        (Some(_), None) => false,
    };
    close && ours.quantity == theirs.quantity
}

fn alike(ours: &Line, theirs: &Line) -> bool {
    let key = |line: &Line| line.sku.as_deref().map(sku_key);
    key(ours) == key(theirs) && worth_the_same(ours, theirs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::money::Currency;
    use syncline_core::record::{Charge, Totals};

    fn euros(cents: i64) -> Money {
        Money::new(rust_decimal::Decimal::new(cents, 2), "EUR".parse().unwrap())
    }

    fn order(total: i64, lines: &[(&str, &str, i64, i64)]) -> Order {
        let line = |(key, sku, quantity, cents): &(&str, &str, i64, i64)| {
            let line = Line {
                sku: Some((*sku).to_string()),
                quantity: Some((*quantity).into()),
                net: Some(euros(*cents)),
                ..Line::default()
            };
            ((*key).to_string(), line)
        };
        let currency: Currency = "EUR".parse().unwrap();
        Order {
            currency: Some(currency),
            totals: Totals { grand: Some(euros(total)), tax: None },
            lines: lines.iter().map(line).collect(),
            ..Order::default()
        }
    }

    #[test]
    fn lines_are_paired_by_what_they_say_in_whatever_order_they_stand() {
        let ours = order(700, &[("1", "MUG", 1, 300), ("2", "PEN", 2, 400)]);
        let there = order(700, &[("@9", "PEN", 2, 401), ("@8", "CUP-BLUE", 1, 300)]);
        let pairs = paired(&ours, &there).unwrap();
        let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
        assert_eq!(pairs, [pair("2", "@9"), pair("1", "@8")], "a code may differ, a cent may be rounded");
        let keys: Vec<String> = beside(&ours, &there).lines.iter().map(|(key, _)| key.clone()).collect();
        assert_eq!(keys, ["@8", "@9"]);
    }

    #[test]
    fn what_differs_is_named() {
        let ours = order(700, &[("1", "MUG", 1, 300), ("2", "PEN", 2, 400)]);
        let why = |there: &Order| paired(&ours, there).unwrap_err();
        assert_eq!(why(&order(701, &[])), "total 7.00 EUR here, 7.01 EUR there");
        assert_eq!(why(&order(700, &[("@1", "MUG", 1, 700)])), "2 lines here, 1 there");
        let other = order(700, &[("@1", "MUG", 2, 300), ("@2", "PEN", 2, 400)]);
        assert_eq!(why(&other), "line 1 (MUG): none there has its quantity and amount, 3.00 EUR");
        let mut with_freight = ours.clone();
        with_freight.charges.insert("shipping".into(), Charge { net: Some(euros(50)), ..Charge::default() });
        let there = order(700, &[("@1", "MUG", 1, 300), ("@2", "PEN", 2, 400), ("@3", "DHL", 1, 50)]);
        let told = paired(&with_freight, &there).unwrap_err();
        assert!(told.contains("`DHL`") && told.contains("shipping_product"), "{told}");
    }
}
