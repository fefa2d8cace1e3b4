//! What people do with a shop's goods: buyers buy what can be bought, clerks hand over what was ordered.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::reservations::Good;
use super::stock::{DEFAULT_SOURCE, WEBSITE, lies_on_a_shelf};
use super::value::{number, plain};
use super::{Shop, single};
use crate::orders;

impl Shop {
    /// The state an order is in, in Magento's words; none where there is no such order.
    #[must_use]
    pub fn state_of(&self, order: u64) -> Option<String> {
        self.book.get(order)?.get("state")?.as_str().map(str::to_owned)
    }

    /// Whether somebody could buy so much of a SKU at `now`: an order like any other stands in the shop then. What buyers
    /// may have is what the shop tells them can be bought, so that a figure that is too high sells what is not there.
    pub fn buy(&mut self, now: Timestamp, sku: &str, quantity: u32) -> bool {
        let Some(item) = self.products.find(sku).filter(|item| lies_on_a_shelf(&item.form)) else { return false };
        let Some(pool) = self.stock.of_website(WEBSITE) else { return false };
        let salable = self.stock.salable(Some(now), pool.id, item, self.kept_back());
        if quantity == 0 || salable < Decimal::from(quantity) {
            return false;
        }
        let order = orders::bought(self.seed, self.bought, item, quantity, now);
        self.bought += 1;
        self.place(now, order).is_ok()
    }

    /// Whether a clerk could hand over all that is open of an order: it leaves the sources then, and what was kept back
    /// for it is given back. False, with nothing changed, where the sources do not hold so much, nothing is open, or the
    /// order is not there or not one to be worked on.
    pub fn ship(&mut self, now: Timestamp, entity_id: u64) -> bool {
        let Some(open) = self.book.outstanding(entity_id) else { return false };
        let wanted: Vec<(String, Decimal)> = open
            .into_iter()
            .filter(|(_, quantity)| !quantity.is_zero())
            .filter_map(|(good, quantity)| Some((self.sku_of(good)?, quantity)))
            .collect();
        self.stock.index_late_s = self.quirks.slow_stock_index_s;
        // Without sources it left the quantity when it was bought.
        if wanted.is_empty() || !(self.stock.single || self.stock.take(now, &wanted)) {
            return false;
        }
        self.book.late_commit_s = self.quirks.late_commit_s;
        self.book.hand_over(now, entity_id);
        true
    }

    /// Somebody counts what the default source has of a SKU, and types it in: nothing tells of that but the figure itself.
    pub fn count_by_hand(&mut self, now: Timestamp, sku: &str, quantity: Decimal) {
        self.stock.index_late_s = 0;
        self.stock.set(now, sku, DEFAULT_SOURCE, quantity, true);
    }

    /// What can be bought of a SKU right now, whatever the index has; none where there is no such thing on a shelf.
    #[must_use]
    pub fn salable(&self, sku: &str) -> Option<Decimal> {
        let item = self.products.find(sku).filter(|item| lies_on_a_shelf(&item.form))?;
        let pool = self.stock.of_website(WEBSITE)?;
        Some(self.stock.salable(None, pool.id, item, self.kept_back()))
    }

    /// Sets the quantity below which a product counts as sold out; nothing of it is salable then.
    pub fn set_out_of_stock_threshold(&mut self, quantity: u32) {
        self.stock.threshold = Decimal::from(quantity);
    }

    fn sku_of(&self, good: Good) -> Option<String> {
        let item = match good {
            Good::Product(id) => self.products.numbered(id)?,
            Good::Sku(sku) => self.products.find(&sku)?,
        };
        Some(item.sku.clone())
    }

    /// A product as told by SKU, with the quantity the default source has of it.
    pub(super) fn with_quantity(&self, sku: &str, mut told: Value) -> Value {
        if let (true, Some(item)) = (self.stock.single, self.products.find(sku)) {
            if let Some(kept) = told.pointer_mut("/extension_attributes/stock_item") {
                *kept = single::stock_item(&self.stock, item, self.kept_back());
            }
        } else if let Some(row) = self.stock.row(sku, DEFAULT_SOURCE)
            && let Some(kept) = told.pointer_mut("/extension_attributes/stock_item/qty")
        {
            *kept = number(self.told_of(row));
        }
        told
    }

    /// Every quantity, for the ledger.
    pub(super) fn quantities(&self) -> Vec<Value> {
        let told = |row: &super::stock::Row| {
            let (quantity, status) = (plain(self.told_of(row)), u8::from(row.in_stock));
            json!({"sku": row.sku, "source": row.source, "quantity": quantity, "status": status})
        };
        self.stock.rows().map(told).collect()
    }

    /// What can be bought of everything that lies on a shelf, for the ledger.
    pub(super) fn all_salable(&self) -> Map<String, Value> {
        let told = |item: &crate::catalogue::Item| {
            let salable = self.salable(&item.sku).map_or(Value::Null, |quantity| json!(plain(quantity)));
            (item.sku.clone(), salable)
        };
        self.products.all().filter(|item| lies_on_a_shelf(&item.form)).map(told).collect()
    }
}
