//! Counts two ledgers against each other: what the shop released, and what the ERP's database holds.
use crate::Res;
use crate::decimal::Dec;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One order or sale, as a ledger tells it.
#[derive(Clone, Debug)]
pub struct Order {
    pub number: String,
    pub reference: String,
    pub state: String,
    pub currency: String,
    pub total: Dec,
    /// The total the server itself keeps, where the ledger worked its own out of the lines.
    pub stored: Option<Dec>,
    /// Net, where the ledger tells it apart.
    pub shipping: Option<Dec>,
    pub lines: Vec<Line>,
}

/// One line: what, how many, for how much net after discount.
#[derive(Clone, Debug)]
pub struct Line {
    id: String,
    parent: Option<String>,
    pub sku: String,
    qty: Dec,
    total: Dec,
}

type Goods = BTreeMap<(String, Dec, Dec), usize>;

/// The orders of a ledger: an object with `orders`, or the list itself.
pub fn orders(told: &Value) -> Res<Vec<Order>> {
    let list = told.get("orders").unwrap_or(told).as_array().ok_or("a ledger without `orders`")?;
    list.iter().map(|row| order(row).ok_or_else(|| format!("an order that cannot be read: {row}"))).collect()
}

fn order(row: &Value) -> Option<Order> {
    let text = |key: &str| row.get(key).map(word).unwrap_or_default();
    let lines: Option<Vec<Line>> = row.get("lines")?.as_array()?.iter().map(line).collect();
    Some(Order {
        number: text("number"),
        reference: text("reference"),
        state: text("state"),
        currency: text("currency"),
        total: Dec::from_json(row.get("total")?)?,
        stored: row.get("stored").and_then(Dec::from_json),
        shipping: row.get("shipping").and_then(Dec::from_json),
        lines: lines?,
    })
}

fn line(row: &Value) -> Option<Line> {
    Some(Line {
        id: row.get("id").map(word).unwrap_or_default(),
        parent: row.get("parent").filter(|parent| !parent.is_null()).map(word),
        sku: row.get("sku").map(word).unwrap_or_default(),
        qty: Dec::from_json(row.get("qty")?)?,
        total: Dec::from_json(row.get("total")?)?,
    })
}

/// A text or a number, as text; nothing for null.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
}

impl Order {
    /// True where the shop lets it go, or the ERP has taken it on.
    pub fn released(&self) -> bool {
        ["released", "confirmed", "processing", "done"].contains(&self.state.as_str())
    }

    /// What must stand in the ERP, and what may.
    ///
    /// Of a parent and its children one side carries the money, and that side is sold: a bundle's children, a
    /// configurable's parent. Where neither does (a coupon of 100 %), the same SKU on both means the parent.
    fn goods(&self) -> (Goods, Goods) {
        let (mut must, mut may) = (Goods::new(), Goods::new());
        for line in &self.lines {
            let family =
                |of: &str| self.lines.iter().filter(move |l| l.parent.as_deref() == Some(of)).collect::<Vec<_>>();
            let children = family(&line.id);
            let parent = line.parent.as_ref().and_then(|id| self.lines.iter().find(|l| l.id == *id));
            let child_carries = |children: &[&Line]| children.iter().any(|child| !child.total.is_zero());
            let sold = if let Some(parent) = parent {
                let siblings = family(&parent.id);
                child_carries(&siblings) || (parent.total.is_zero() && parent.sku != line.sku)
            } else {
                children.is_empty()
                    || (!child_carries(&children)
                        && (!line.total.is_zero() || children.iter().all(|child| child.sku == line.sku)))
            };
            let into = if sold { &mut must } else { &mut may };
            *into.entry(line.key()).or_default() += 1;
        }
        (must, may)
    }
}

impl Line {
    fn key(&self) -> (String, Dec, Dec) {
        (self.sku.clone(), self.qty, self.total)
    }
}

/// What the count found.
#[derive(Debug, Default)]
pub struct Compared {
    /// Orders the shop released.
    pub source: usize,
    /// Of them, found exactly once.
    pub once: usize,
    pub missing: usize,
    pub duplicate: usize,
    /// Released in the ERP without a released order behind them.
    pub extra: usize,
    /// Lines held against each other.
    pub lines: usize,
    /// One sentence per difference.
    pub wrong: Vec<String>,
}

/// Every released order of the shop held against the sales of the ERP.
pub fn compare(shop: &[Order], erp: &[Order]) -> Compared {
    let mut found = Compared::default();
    let skus: BTreeSet<&str> = shop.iter().flat_map(|order| order.lines.iter().map(|line| line.sku.as_str())).collect();
    let mut sales: BTreeMap<&str, Vec<&Order>> = BTreeMap::new();
    for sale in erp.iter().filter(|sale| sale.released()) {
        sales.entry(&sale.reference).or_default().push(sale);
    }
    for order in shop.iter().filter(|order| order.released()) {
        found.source += 1;
        match sales.remove(order.number.as_str()).as_deref() {
            None => {
                found.missing += 1;
                found.wrong.push(format!("{}: missing in the ERP", order.number));
            }
            Some([sale]) => {
                found.once += 1;
                pair(order, sale, &skus, &mut found);
            }
            Some(many) => {
                found.duplicate += 1;
                found.wrong.push(format!("{}: {} sales in the ERP", order.number, many.len()));
            }
        }
    }
    for (reference, list) in sales {
        found.extra += list.len();
        found.wrong.push(format!(
            "{} sales in the ERP with the reference `{reference}`, which the shop has not released",
            list.len()
        ));
    }
    found
}

/// Nothing: one order against its one sale.
fn pair(order: &Order, sale: &Order, skus: &BTreeSet<&str>, found: &mut Compared) {
    let number = &order.number;
    if (order.total, &order.currency) != (sale.total, &sale.currency) {
        found.wrong.push(format!(
            "{number}: {} {} in the shop, {} {} in the ERP",
            order.total, order.currency, sale.total, sale.currency
        ));
    }
    if let Some(stored) = sale.stored.filter(|stored| *stored != sale.total) {
        found.wrong.push(format!("{number}: the ERP keeps a total of {stored}, its lines make {}", sale.total));
    }
    let (mut must, mut may) = order.goods();
    let (goods, charges): (Vec<&Line>, Vec<&Line>) =
        sale.lines.iter().partition(|line| skus.contains(line.sku.as_str()));
    for line in goods {
        found.lines += 1;
        if !take(&mut must, line) && !take(&mut may, line) {
            found
                .wrong
                .push(format!("{number}: {} × {} for {} stands only in the ERP", line.qty, line.sku, line.total));
        }
    }
    for ((sku, qty, total), left) in must {
        found.wrong.push(format!("{number}: {qty} × {sku} for {total} stands only in the shop ({left} times)"));
    }
    if let Some(shipping) = order.shipping.filter(|shipping| !shipping.is_zero()) {
        found.lines += 1;
        if !charges.iter().any(|line| line.total == shipping) {
            found.wrong.push(format!("{number}: shipping of {shipping} has no line in the ERP"));
        }
    }
}

/// True where the line stood there; it is taken out.
fn take(goods: &mut Goods, line: &Line) -> bool {
    let key = line.key();
    let Some(left) = goods.get_mut(&key) else { return false };
    *left -= 1;
    if *left == 0 {
        goods.remove(&key);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shop() -> Vec<Order> {
        let line = |id: u32, parent: Value, sku: &str, qty: &str, total: &str| json!({"id": id, "parent": parent, "sku": sku, "qty": qty, "total": total});
        let told = json!({"orders": [
            {"number": "1", "state": "released", "currency": "EUR", "total": 24.90, "shipping": "5.00",
             "lines": [line(1, Value::Null, "A", "2", "19.90")]},
            {"number": "2", "state": "released", "currency": "EUR", "total": "30", "lines": [
                line(2, Value::Null, "KIT", "1", "30"), line(3, json!(2), "A", "1", "20"), line(4, json!(2), "B", "1", "10"),
                line(5, Value::Null, "C-S", "1", "12"), line(6, json!(5), "C-S", "1", "0")]},
            {"number": "3", "state": "draft", "currency": "EUR", "total": "1", "lines": []},
        ]});
        orders(&told).unwrap()
    }

    fn erp() -> Value {
        json!({"orders": [
            {"reference": "1", "state": "released", "currency": "EUR", "total": "24.9", "stored": "24.90", "lines": [
                {"sku": "A", "qty": 2, "total": "19.9"}, {"sku": null, "qty": 1, "total": "5"}]},
            {"reference": "2", "state": "processing", "currency": "EUR", "total": "30.00", "lines": [
                {"sku": "A", "qty": "1.0", "total": "20"}, {"sku": "B", "qty": 1, "total": 10}, {"sku": "C-S", "qty": 1, "total": 12}]},
            {"reference": "1", "state": "draft", "currency": "EUR", "total": "24.9", "lines": []},
        ]})
    }

    #[test]
    fn equal_ledgers_agree_and_it_is_said_of_how_many() {
        let found = compare(&shop(), &orders(&erp()).unwrap());
        assert_eq!(found.wrong, Vec::<String>::new());
        assert_eq!((found.source, found.once, found.lines), (2, 2, 5));
    }

    #[test]
    fn every_kind_of_difference_is_seen() {
        let changed = |path: &str, value: Value| {
            let mut told = erp();
            *told.pointer_mut(path).unwrap() = value;
            compare(&shop(), &orders(&told).unwrap())
        };
        assert_eq!(changed("/orders/0/reference", json!("9")).missing, 1);
        assert_eq!(changed("/orders/2/state", json!("released")).duplicate, 1);
        assert_eq!(changed("/orders/1/total", json!("30.01")).wrong.len(), 1);
        assert_eq!(changed("/orders/1/lines/0/total", json!("19.99")).wrong.len(), 2);
        assert_eq!(changed("/orders/0/lines/1/total", json!("4.99")).wrong.len(), 1);
        assert_eq!(changed("/orders/0/stored", json!("24.91")).wrong.len(), 1);
        assert_eq!(changed("/orders/0/state", json!("cancelled")).missing, 1);
    }

    #[test]
    fn a_free_configurable_is_its_parent_and_a_free_bundle_its_children() {
        let free = |parent: &str, child: &str| {
            let told = json!([{"number": "1", "state": "released", "currency": "EUR", "total": 0, "lines": [
                {"id": 1, "parent": null, "sku": parent, "qty": 1, "total": 0}, {"id": 2, "parent": 1, "sku": child, "qty": 3, "total": 0}]}]);
            let (must, _) = orders(&told).unwrap().remove(0).goods();
            must.into_keys().map(|(sku, qty, _)| format!("{qty} {sku}")).collect::<Vec<_>>()
        };
        assert_eq!(free("C-S", "C-S"), ["1 C-S"]);
        assert_eq!(free("KIT", "A"), ["3 A"]);
    }
}
