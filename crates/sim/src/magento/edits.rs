//! What people change in orders that were placed: addresses, by the form of the admin, and fields behind the shop's back.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Shop;
use super::book::Book;

impl Shop {
    /// Changes one top field of an order, as `state`, and leaves `updated_at` where it stood, as an extension that writes to
    /// the database does. False where there is no order of that number.
    pub fn edit_order_unseen(&mut self, number: &str, field: &str, value: &Value) -> bool {
        self.book.edit_unseen(number, field, value)
    }

    /// Changes a column of the address an order is billed or shipped to, `billing` or `shipping`, as a clerk does in the
    /// admin: the row of the address stays the same one, and the order's own row is not saved, so that `updated_at` stays (read
    /// in `AddressSave` of Magento 2.4, not recorded). False where there is no such order or address.
    pub fn edit_order_address(&mut self, number: &str, which: &str, column: &str, value: &str) -> bool {
        self.book.edit_address(number, which, column, value)
    }

    /// Saves an order as it is, which moves its `updated_at`. False where there is no such order.
    pub fn save_order(&mut self, now: Timestamp, number: &str) -> bool {
        let Some(id) = self.book.numbered(number) else { return false };
        self.book.change(now, id, |_| ())
    }
}

impl Book {
    fn edit_address(&mut self, number: &str, which: &str, column: &str, value: &str) -> bool {
        let Some(order) = self.numbered(number).and_then(|id| self.row_mut(id)) else { return false };
        let mut found = match which {
            "billing" => order.get_mut("billing_address").into_iter().collect::<Vec<_>>(),
            _ => {
                let told = order.get_mut("extension_attributes").and_then(|told| told.get_mut("shipping_assignments"));
                let rows = told.and_then(Value::as_array_mut).into_iter().flatten();
                rows.filter_map(|row| row.get_mut("shipping")?.get_mut("address")).collect()
            }
        };
        found.iter_mut().filter_map(|address| address.as_object_mut()).for_each(|address| {
            address.insert(column.to_owned(), json!(value));
        });
        !found.is_empty()
    }
}
