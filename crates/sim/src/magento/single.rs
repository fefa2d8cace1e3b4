//! A shop without sources: one quantity of each product, which falls when it is bought. What `stockItems` tells and sets,
//! by Adobe's own API schema and, where that is silent, as recalled from Magento's code (`StockRegistry`).

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Shop;
use super::products::fresh_stock_item;
use super::reply::{Answer, Refusal};
use super::reservations::Reservations;
use super::stock::{DEFAULT_SOURCE, Row, Stock};
use super::stock_routes::Desk;
use super::value::{decimal, number, put};
use crate::catalogue::Item;

impl Shop {
    /// Whether stock is kept by sources.
    pub fn has_sources(&self) -> bool {
        !self.stock.single
    }

    /// Opens a further source of the one website, with so many of each of these.
    pub fn open_source(&mut self, now: Timestamp, code: &str, goods: &[(&str, u32)]) {
        self.stock.open_source(code);
        for (sku, quantity) in goods {
            self.stock.set(now, sku, code, Decimal::from(*quantity), true);
        }
    }

    /// Switches the modules for sources off, as many shops do: nothing is there under `inventory` any more, and what could
    /// be bought of a product is its one quantity from now on.
    pub fn switch_off_sources(&mut self) {
        if self.stock.single {
            return;
        }
        self.stock.single = true;
        let rows: Vec<Row> = self.stock.rows().filter(|row| row.source == DEFAULT_SOURCE).cloned().collect();
        for row in rows {
            let Some(item) = self.products.find(&row.sku) else { continue };
            let (reserved, taken) = (self.book.reserved(), self.book.taken());
            let of = |kept: &Reservations| kept.of(item.product_id, &item.sku);
            let quantity = row.quantity.saturating_sub(of(reserved)).saturating_add(of(taken));
            self.stock.set(Timestamp::UNIX_EPOCH, &row.sku, DEFAULT_SOURCE, quantity, row.in_stock);
        }
    }

    /// What orders hold back, or took where there are no sources.
    pub(super) fn kept_back(&self) -> &Reservations {
        if self.stock.single { self.book.taken() } else { self.book.reserved() }
    }

    /// The quantity a row tells.
    pub(super) fn told_of(&self, row: &Row) -> Decimal {
        let item = self.products.find(&row.sku);
        item.map_or(row.quantity, |item| told(&self.stock, row, item, self.kept_back()))
    }
}

/// The quantity `row` tells of `item`.
fn told(stock: &Stock, row: &Row, item: &Item, kept_back: &Reservations) -> Decimal {
    let taken = if stock.single { kept_back.of(item.product_id, &item.sku) } else { Decimal::ZERO };
    row.quantity.saturating_sub(taken)
}

/// The stock item of a product.
pub(super) fn stock_item(stock: &Stock, item: &Item, kept_back: &Reservations) -> Value {
    let mut answer = fresh_stock_item(item);
    let row = stock.row(&item.sku, DEFAULT_SOURCE);
    let quantity = row.map_or(Decimal::ZERO, |row| told(stock, row, item, kept_back));
    let on_sale = row.is_some_and(|row| row.in_stock) && quantity > stock.threshold;
    if let Value::Object(fields) = &mut answer {
        put(fields, "qty", number(quantity));
        put(fields, "min_qty", number(stock.threshold));
        put(fields, "is_in_stock", json!(on_sale));
    }
    answer
}

impl Desk<'_> {
    /// The stock item of a product.
    pub(super) fn item(&self, sku: &str) -> Answer {
        let item = self.products.find(sku).ok_or_else(|| no_product(sku))?;
        Ok(stock_item(self.stock, item, self.kept_back))
    }

    /// Sets the fields that are given; the item in the path is not looked at, that of the product is taken. What is no more
    /// than the threshold is out of stock whatever was given.
    pub(super) fn save_item(&mut self, sku: &str, body: &Value) -> Answer {
        let Some(Value::Object(given)) = body.get("stockItem") else { return Err(Refusal::required("stockItem")) };
        let item = self.products.find(sku).ok_or_else(|| no_product(sku))?;
        let (id, sku) = (item.product_id, item.sku.clone());
        let kept = if self.stock.single { self.kept_back.of(id, &sku) } else { Decimal::ZERO };
        let before = self.stock.row(&sku, DEFAULT_SOURCE).map(|row| (row.quantity, row.in_stock));
        let quantity = match given.get("qty") {
            None | Some(Value::Null) => before.map_or(kept, |(quantity, _)| quantity),
            Some(told) => decimal(told).ok_or_else(|| no_number(told))?.saturating_add(kept),
        };
        let wanted = given.get("is_in_stock").and_then(Value::as_bool);
        let in_stock = wanted.or_else(|| before.map(|(_, in_stock)| in_stock)).unwrap_or(false);
        let in_stock = in_stock && quantity.saturating_sub(kept) > self.stock.threshold;
        self.stock.set(self.now, &sku, DEFAULT_SOURCE, quantity, in_stock);
        Ok(json!(id))
    }
}

fn no_product(sku: &str) -> Refusal {
    Refusal::new(404, format!("The Product with the \"{sku}\" SKU doesn't exist."))
}

fn no_number(told: &Value) -> Refusal {
    let text = format!(
        "Error occurred during \"qty\" processing. The \"{told}\" value's type is invalid. The \"float\" type was expected. Verify and try again."
    );
    Refusal::new(400, text)
}
