//! The shop's view of the catalogue: products as the API tells them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::columns;
use super::criteria::{Criteria, Found, Table};
use super::reply::{Answer, Refusal};
use super::value::number;
use crate::catalogue::{Form, Item};

/// Every product, by id and by SKU.
#[derive(Debug)]
pub(super) struct Products {
    by_id: BTreeMap<u64, Item>,
    by_sku: BTreeMap<String, u64>,
    created: String,
}

impl Products {
    /// The catalogue as products made at one time.
    pub(super) fn new(catalogue: Vec<Item>, created: String) -> Self {
        let by_sku = catalogue.iter().map(|item| (item.sku.to_lowercase(), item.product_id)).collect();
        let by_id = catalogue.into_iter().map(|item| (item.product_id, item)).collect();
        Self { by_id, by_sku, created }
    }

    /// The entry of an id.
    pub(super) fn numbered(&self, product_id: u64) -> Option<&Item> {
        self.by_id.get(&product_id)
    }

    /// Every product, by id.
    pub(super) fn all(&self) -> impl Iterator<Item = &Item> {
        self.by_id.values()
    }

    /// One product by SKU, without regard to case; 404 as recorded where there is none.
    pub(super) fn get(&self, sku: &str) -> Answer {
        let item = self.find(sku).ok_or_else(|| {
            Refusal::new(404, "The product that was requested doesn't exist. Verify the product and try again.")
        })?;
        Ok(self.tell(item, true))
    }

    /// The page of products a search finds, as the list tells them.
    pub(super) fn search(&self, criteria: &Criteria, repeat_last_page: bool) -> Result<Found<Value>, Refusal> {
        let found: Found<&Item> = criteria.select(Table {
            rows: self.by_id.values().collect(),
            columns: columns::PRODUCT,
            read: &|item: &&Item, column: &str| self.column(item, column).map(Cow::Owned),
            repeat_last_page,
        })?;
        Ok(Found { page: found.page.into_iter().map(|item| self.tell(item, false)).collect(), total: found.total })
    }

    /// The entry of a SKU, without regard to case.
    pub(super) fn find(&self, sku: &str) -> Option<&Item> {
        self.by_sku.get(&sku.to_lowercase()).and_then(|id| self.by_id.get(id))
    }

    fn column(&self, item: &Item, column: &str) -> Option<Value> {
        Some(match column {
            "id" | "entity_id" => json!(item.product_id),
            "sku" => json!(item.sku),
            "name" => json!(item.name),
            "price" => price(item),
            "attribute_set_id" | "visibility" => json!(4),
            "status" => json!(1),
            "type_id" => json!(type_id(&item.form)),
            "created_at" | "updated_at" => json!(self.created),
            "weight" => number(item.weight),
            "tax_class_id" => json!(tax_class(item)),
            "url_key" => json!(url_key(item)),
            _ => return None,
        })
    }

    /// A product as the shop tells it; its stock only where it was asked for by SKU.
    fn tell(&self, item: &Item, with_stock: bool) -> Value {
        let mut told = Map::new();
        let head = [
            "id",
            "sku",
            "name",
            "attribute_set_id",
            "price",
            "status",
            "visibility",
            "type_id",
            "created_at",
            "updated_at",
            "weight",
        ];
        for column in head.into_iter().filter(|column| *column != "weight" || item.form != Form::Virtual) {
            told.extend(self.column(item, column).map(|value| (column.to_owned(), value)));
        }
        told.insert("extension_attributes".to_owned(), self.extensions(item, with_stock));
        for list in ["product_links", "options", "media_gallery_entries", "tier_prices"] {
            told.insert(list.to_owned(), json!([]));
        }
        told.insert("custom_attributes".to_owned(), custom_attributes(item));
        Value::Object(told)
    }

    fn extensions(&self, item: &Item, with_stock: bool) -> Value {
        let mut told = Map::new();
        told.insert("website_ids".to_owned(), json!([1]));
        if !matches!(item.form, Form::Bundle { .. }) {
            told.insert("category_links".to_owned(), json!([{"position": 0, "category_id": "3"}]));
        }
        if with_stock {
            told.insert("stock_item".to_owned(), stock_item(item));
        }
        match &item.form {
            Form::Configurable { children } => {
                let children: Vec<u64> =
                    children.iter().filter_map(|sku| self.find(sku)).map(|child| child.product_id).collect();
                let values: Vec<Value> = (4..).zip(&children).map(|(index, _)| json!({"value_index": index})).collect();
                let option = json!([{
                    "id": 1, "attribute_id": "137", "label": "Thread length", "position": 0,
                    "values": values, "product_id": item.product_id,
                }]);
                told.insert("configurable_product_options".to_owned(), option);
                told.insert("configurable_product_links".to_owned(), json!(children));
            }
            Form::Bundle { parts } => {
                let options =
                    (1..).zip(parts).map(|(place, (sku, quantity))| self.bundle_option(item, place, sku, *quantity));
                told.insert("bundle_product_options".to_owned(), Value::Array(options.collect()));
            }
            Form::Simple | Form::Virtual => {}
        }
        Value::Object(told)
    }

    fn bundle_option(&self, item: &Item, place: u64, sku: &str, quantity: u32) -> Value {
        let part = self.find(sku);
        let option = item.product_id.saturating_mul(100).saturating_add(place);
        json!({
            "option_id": option, "title": part.map_or(sku, |part| &part.name), "required": true, "type": "select",
            "position": place, "sku": item.sku,
            "product_links": [{
                "id": option.to_string(), "sku": sku, "option_id": option, "qty": quantity, "position": 1, "is_default": true,
                "price": part.map_or(Value::Null, price), "price_type": null, "can_change_quantity": 0,
            }],
        })
    }
}

/// The product's type as the shop names it.
pub(super) fn type_id(form: &Form) -> &'static str {
    match form {
        Form::Simple => "simple",
        Form::Virtual => "virtual",
        Form::Configurable { .. } => "configurable",
        Form::Bundle { .. } => "bundle",
    }
}

/// A family has no price of its own (recorded: configurable-get, bundle-get).
fn price(item: &Item) -> Value {
    match item.form {
        Form::Simple | Form::Virtual => number(item.net_price),
        Form::Configurable { .. } | Form::Bundle { .. } => json!(0),
    }
}

/// The tax class of a rate: 2 taxable goods, 5 reduced (recorded), 0 none.
fn tax_class(item: &Item) -> &'static str {
    if item.tax_percent == Decimal::from(19) {
        "2"
    } else if item.tax_percent == Decimal::from(7) {
        "5"
    } else {
        "0"
    }
}

fn url_key(item: &Item) -> String {
    let words = item.name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

fn custom_attributes(item: &Item) -> Value {
    let mut rows = Vec::new();
    let mut tell = |code: &str, value: Value| rows.push(json!({"attribute_code": code, "value": value}));
    let bundle = matches!(item.form, Form::Bundle { .. });
    if bundle {
        tell("shipment_type", json!("1"));
    }
    tell("options_container", json!("container2"));
    tell("msrp_display_actual_price_type", json!("0"));
    tell("url_key", json!(url_key(item)));
    if bundle {
        tell("price_view", json!("0"));
    }
    tell("required_options", json!("0"));
    tell("has_options", json!("0"));
    if bundle {
        for (code, value) in [("sku_type", "1"), ("price_type", "0"), ("weight_type", "1")] {
            tell(code, json!(value));
        }
    }
    tell("tax_class_id", json!(tax_class(item)));
    tell("category_ids", if bundle { json!([]) } else { json!(["3"]) });
    Value::Array(rows)
}

fn stock_item(item: &Item) -> Value {
    let stocked = matches!(item.form, Form::Simple | Form::Virtual);
    json!({
        "item_id": item.product_id, "product_id": item.product_id, "stock_id": 1, "qty": if stocked { 100 } else { 0 },
        "is_in_stock": true, "is_qty_decimal": false, "show_default_notification_message": false,
        "use_config_min_qty": true, "min_qty": 0, "use_config_min_sale_qty": 1, "min_sale_qty": 1,
        "use_config_max_sale_qty": true, "max_sale_qty": 10000, "use_config_backorders": true, "backorders": 0,
        "use_config_notify_stock_qty": true, "notify_stock_qty": 1, "use_config_qty_increments": true, "qty_increments": 0,
        "use_config_enable_qty_inc": true, "enable_qty_increments": false, "use_config_manage_stock": true,
        "manage_stock": true, "low_stock_date": null, "is_decimal_divided": false, "stock_status_changed_auto": 0,
    })
}
