//! What people in the shop's back office do to categories, and to what stands in them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Shop;
use super::categories::ROOT;
use super::sheet::Scope;

impl Shop {
    /// Makes a category below `parent`, the root where none is named, as a person in the back office does. Returns its id;
    /// none where the shop refuses it.
    pub fn make_category(&mut self, now: Timestamp, parent: Option<u64>, name: &str) -> Option<u64> {
        let category = fields(&json!({"name": name, "parent_id": parent.unwrap_or(ROOT), "is_active": true}));
        let made = self.products.categories.make(now, &Scope::All, &category).ok()?;
        made.get("id").and_then(Value::as_u64)
    }

    /// Changes a category: its `name`, in one store view or, without one, for all, whether it is `active` (1 or 0), or its
    /// `parent`, by id. False where there is no such category, view or field, or the shop refuses the value.
    pub fn edit_category(&mut self, now: Timestamp, id: u64, view: Option<&str>, field: &str, value: &str) -> bool {
        if view.is_some_and(|code| !self.has_store(code)) {
            return false;
        }
        let scope = self.scope(Some(view.unwrap_or("all")));
        let categories = &mut self.products.categories;
        match field {
            "name" => categories.save(now, &scope, id, &fields(&json!({"name": value}))).is_ok(),
            "active" => categories.save(now, &scope, id, &fields(&json!({"is_active": value == "1"}))).is_ok(),
            "parent" => value.parse().is_ok_and(|parent| categories.move_to(now, id, parent).is_ok()),
            _ => false,
        }
    }

    /// Deletes a category with all below it; false where there is none.
    pub fn delete_category(&mut self, id: u64) -> bool {
        self.products.categories.delete(id).is_ok()
    }

    /// Puts a product into a category, or takes it out, on the product's page, which stamps the product as saved. False
    /// where one of the two is not there.
    pub fn sort_product(&mut self, now: Timestamp, sku: &str, category: u64, there: bool) -> bool {
        self.sort_unseen(sku, category, there) && self.products.touch(now, sku)
    }

    /// The same on the category's page: the product's `updated_at` stays where it stood.
    pub fn sort_unseen(&mut self, sku: &str, category: u64, there: bool) -> bool {
        let Some(product) = self.products.find(sku).map(|item| item.product_id) else { return false };
        match there {
            true => self.products.categories.link(category, product, 0).is_ok(),
            false => self.products.categories.unlink(category, product).is_ok(),
        }
    }

    /// Takes away every category but those a shop is installed with.
    pub fn as_installed(&mut self) {
        self.products.categories.as_installed();
    }
}

/// The fields of a JSON object.
fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
