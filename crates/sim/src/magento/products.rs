//! The shop's view of the catalogue: products as the API tells them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::attributes::Attributes;
use super::bundles::Bundles;
use super::categories::Categories;
use super::columns;
use super::criteria::{Criteria, Found, Table};
use super::families;
use super::media::{Media, MediaRoute};
use super::reply::{Answer, Refusal};
use super::sheet::{Scope, Sheet};
use super::value::{number, plain, stamp};
use crate::catalogue::{Form, Item};

/// The recorded product that was made without a weight and without a category (recorded: product-global).
const BARE: &str = "LAMP-1";

/// Every product, by id and by SKU.
#[derive(Debug)]
pub(super) struct Products {
    by_id: BTreeMap<u64, Item>,
    by_sku: BTreeMap<String, u64>,
    /// The highest id there ever was: none is given twice.
    last: u64,
    sheets: BTreeMap<u64, Sheet>,
    /// What was deleted, by SKU in small letters.
    deleted: BTreeMap<String, (Item, Sheet)>,
    created: String,
    pub(super) attributes: Attributes,
    pub(super) categories: Categories,
    media: Media,
    /// What tells the children of configurable products apart.
    pub(super) options: families::Options,
    pub(super) bundles: Bundles,
    /// Seconds before a search sees what was saved.
    pub(super) late_commit_s: u32,
    /// Whether characters of four bytes are kept.
    pub(super) all_characters: bool,
}

impl Products {
    /// The catalogue as products made at one time.
    pub(super) fn new(catalogue: Vec<Item>, created: String) -> Self {
        let by_sku = catalogue.iter().map(|item| (item.sku.to_lowercase(), item.product_id)).collect();
        let sheets = catalogue.iter().map(|item| (item.product_id, sheet(item, &created))).collect();
        let by_id = catalogue.into_iter().map(|item| (item.product_id, item)).collect();
        let deleted = BTreeMap::new();
        let sorted = |item: &&Item| !matches!(item.form, Form::Bundle { .. }) && item.sku != BARE;
        let by_id: BTreeMap<u64, Item> = by_id;
        let categories = Categories::new(by_id.values().filter(sorted).map(|item| item.product_id), &created);
        let (attributes, options) = (Attributes::default(), families::Options::default());
        let mut made = Self {
            last: by_id.keys().last().copied().unwrap_or(0),
            by_id,
            by_sku,
            sheets,
            deleted,
            created,
            attributes,
            options,
            bundles: Bundles::default(),
            categories,
            media: Media::default(),
            late_commit_s: 0,
            all_characters: false,
        };
        made.found_families();
        made.found_bundles();
        made
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
    pub(super) fn get(&self, scope: &Scope, sku: &str) -> Answer {
        let (item, sheet) = self.with_sheet(sku).ok_or_else(Refusal::no_product)?;
        Ok(self.tell(item, sheet, scope, true))
    }

    /// The page of products a search finds, as the list tells them.
    pub(super) fn search(
        &self,
        now: Timestamp,
        scope: &Scope,
        criteria: &Criteria,
        repeat_last_page: bool,
    ) -> Result<Found<Value>, Refusal> {
        let rows = self.by_id.values().filter_map(|item| Some((item, self.sheets.get(&item.product_id)?.indexed(now))));
        let found: Found<(&Item, &Sheet)> = criteria.select(Table {
            rows: rows.collect(),
            columns: columns::PRODUCT,
            read: &|(item, sheet): &(&Item, &Sheet), column: &str| {
                self.column(item, sheet, scope, column).map(Cow::Owned)
            },
            repeat_last_page,
        })?;
        let page = found.page.into_iter().map(|(item, sheet)| self.tell(item, sheet, scope, false)).collect();
        Ok(Found { page, total: found.total })
    }

    /// The product after a save in a scope. Another SKU in the body renames nothing (recorded: sku-rename, sku-old,
    /// sku-new).
    ///
    /// # Errors
    /// 404 where there is no such product, 400 for what cannot be saved; nothing is saved then.
    pub(super) fn save(&mut self, now: Timestamp, scope: &Scope, sku: &str, product: &Map<String, Value>) -> Answer {
        let late = SignedDuration::from_secs(self.late_commit_s.into());
        let id = self.find(sku).map(|item| item.product_id).ok_or_else(Refusal::no_product)?;
        let sheet = self.sheets.get_mut(&id).ok_or_else(Refusal::no_product)?;
        let mut saved = sheet.clone();
        saved.save(scope, product, self.all_characters, &self.attributes)?;
        saved.updated = stamp(now);
        sheet.replace(saved, now, now.checked_add(late).unwrap_or(now));
        self.get(scope, sku)
    }

    /// The product that a `POST` of a SKU nobody has makes, simple, configurable or a bundle, as the shop tells it.
    ///
    /// # Errors
    /// 400 for what a product cannot be without (recorded: product-missing-name), or what cannot be saved; 501 for sorts
    /// that are not simulated. Nothing is made then.
    pub(super) fn make(
        &mut self,
        now: Timestamp,
        (scope, websites): (&Scope, BTreeSet<u64>),
        sku: &str,
        product: &Map<String, Value>,
    ) -> Answer {
        let text = |field: &str| product.get(field).and_then(Value::as_str).unwrap_or_default();
        if text("name").is_empty() {
            let what = "The \"Product Name\" attribute value is empty. Set the attribute and try again.";
            return Err(Refusal::new(400, what));
        }
        if !product.contains_key("price") {
            return Err(Refusal::new(400, "The \"Price\" attribute value is empty. Set the attribute and try again."));
        }
        if product.get("attribute_set_id") != Some(&json!(4)) {
            return Err(Refusal::no_such(
                "attributeSetId",
                &product.get("attribute_set_id").unwrap_or(&Value::Null).to_string(),
            ));
        }
        let form = match text("type_id") {
            "simple" => Form::Simple,
            "configurable" => Form::Configurable { children: Vec::new() },
            "bundle" => Form::Bundle { parts: Vec::new() },
            _ => return Err(Refusal::new(501, "The simulated shop makes no products of this type.")),
        };
        if sku.trim() != sku || sku.chars().count() > 64 {
            return Err(Refusal::new(400, "The SKU length should be 64 characters maximum."));
        }
        let mut item = Item {
            product_id: self.last + 1,
            sku: sku.to_owned(),
            name: text("name").to_owned(),
            form,
            net_price: Decimal::ZERO,
            tax_percent: Decimal::from(19),
            weight: Decimal::ZERO,
        };
        let mut made = Sheet::new(item.name.clone(), None, Decimal::ZERO, url_key(&item), stamp(now));
        made.websites = websites;
        made.save(&Scope::All, product, self.all_characters, &self.attributes)?;
        if let Scope::View { .. } = scope {
            made.save(scope, product, self.all_characters, &self.attributes)?;
        }
        let taken = |other: &Sheet| !made.url_key.is_empty() && other.url_key == made.url_key;
        if self.sheets.values().any(taken) {
            return Err(Refusal::new(400, "URL key for specified store already exists."));
        }
        item.name = made.name(&Scope::All).to_owned();
        self.last = item.product_id;
        self.by_sku.insert(sku.to_lowercase(), item.product_id);
        self.sheets.insert(item.product_id, made);
        self.by_id.insert(item.product_id, item);
        self.get(scope, sku)
    }

    /// Deletes a product, which is no child of any family from then on (recorded: delete-product, then configurable-get);
    /// false where there is none of that SKU.
    pub(super) fn delete(&mut self, sku: &str) -> bool {
        let Some(id) = self.by_sku.remove(&sku.to_lowercase()) else { return false };
        for item in self.by_id.values_mut() {
            if let Form::Configurable { children } = &mut item.form {
                children.retain(|child| !child.eq_ignore_ascii_case(sku));
            }
        }
        self.bundles.forget(id);
        let (item, sheet) = (self.by_id.remove(&id), self.sheets.remove(&id));
        self.deleted.extend(item.zip(sheet).map(|product| (sku.to_lowercase(), product)));
        true
    }

    /// What a request about the images of a product gives. Nothing of them moves `updated_at` (magento/magento2#8280).
    ///
    /// # Errors
    /// 404 where there is no such product or image, 400 for an upload that is none.
    pub(super) fn images(&mut self, sku: &str, route: &MediaRoute, body: &Value) -> Answer {
        let id = self.find(sku).map(|item| item.product_id).ok_or_else(Refusal::no_product)?;
        self.media.answer(id, route, body)
    }

    /// Gives a product another SKU, as no request does; false where there is none, or another has that very one.
    pub(super) fn recode(&mut self, sku: &str, to: &str) -> bool {
        let Some(id) = self.by_sku.get(&sku.to_lowercase()).copied().filter(|_| self.find(to).is_none()) else {
            return false;
        };
        self.by_sku.remove(&sku.to_lowercase());
        self.by_sku.insert(to.to_lowercase(), id);
        for item in self.by_id.values_mut() {
            if let Form::Configurable { children } = &mut item.form {
                children
                    .iter_mut()
                    .filter(|child| child.eq_ignore_ascii_case(sku))
                    .for_each(|child| to.clone_into(child));
            }
        }
        self.by_id.get_mut(&id).is_some_and(|item| {
            to.clone_into(&mut item.sku);
            true
        })
    }

    /// Makes a deleted product anew, as it was but without its images, under another id; false where none of that SKU was deleted.
    pub(super) fn make_again(&mut self, now: Timestamp, sku: &str) -> bool {
        let Some((mut item, mut sheet)) = self.deleted.remove(&sku.to_lowercase()) else { return false };
        let before = item.product_id;
        self.last += 1;
        item.product_id = self.last;
        self.options.hand_over(before, item.product_id);
        self.bundles.hand_over(before, item.product_id);
        sheet.updated = stamp(now);
        self.by_sku.insert(sku.to_lowercase(), item.product_id);
        self.sheets.insert(item.product_id, sheet);
        self.by_id.insert(item.product_id, item);
        true
    }

    /// Changes a product without stamping it as saved.
    ///
    /// # Errors
    /// As [`Products::save`].
    pub(super) fn save_unseen(
        &mut self,
        now: Timestamp,
        scope: &Scope,
        sku: &str,
        product: &Map<String, Value>,
    ) -> Answer {
        let id = self.find(sku).map(|item| item.product_id).ok_or_else(Refusal::no_product)?;
        let before = self.sheets.get(&id).map(|sheet| sheet.updated.clone()).ok_or_else(Refusal::no_product)?;
        let answer = self.save(now, scope, sku, product)?;
        if let Some(sheet) = self.sheets.get_mut(&id) {
            sheet.updated = before;
        }
        Ok(answer)
    }

    /// The base price of a product; none where it follows from what is in it.
    pub(super) fn base(&self, product_id: u64) -> Option<Decimal> {
        let own = |item: &&Item| matches!(item.form, Form::Simple | Form::Virtual);
        self.by_id.get(&product_id).filter(own)?;
        self.sheets.get(&product_id).map(|sheet| sheet.price)
    }

    /// Puts a base price in its place; `updated_at` stands still (recorded: updated-at-after-base-price). False where the
    /// product has none.
    pub(super) fn set_base(&mut self, sku: &str, amount: Decimal) -> bool {
        let id = self.find(sku).map(|item| item.product_id).filter(|id| self.base(*id).is_some());
        let sheet = id.and_then(|id| self.sheets.get_mut(&id));
        sheet.map(|sheet| sheet.price = amount).is_some()
    }

    /// Has a product sold in a website, or not any more. False where there is no such product.
    pub(super) fn sell_in(&mut self, sku: &str, website: u64, sold: bool) -> bool {
        let id = self.find(sku).map(|item| item.product_id);
        let Some(sheet) = id.and_then(|id| self.sheets.get_mut(&id)) else { return false };
        if sold {
            sheet.websites.insert(website);
        } else {
            sheet.websites.remove(&website);
        }
        true
    }

    /// Stamps a product as saved. False where there is no such product.
    pub(super) fn touch(&mut self, now: Timestamp, sku: &str) -> bool {
        let id = self.find(sku).map(|item| item.product_id);
        let sheet = id.and_then(|id| self.sheets.get_mut(&id));
        sheet.map(|sheet| sheet.updated = stamp(now)).is_some()
    }

    /// What the shop holds of every product, for the ledger.
    pub(super) fn ledger(&self) -> Vec<Value> {
        let tell = |item: &Item| {
            let sheet = self.sheets.get(&item.product_id)?;
            let mut told = Map::new();
            told.insert("id".to_owned(), json!(item.product_id));
            told.insert("sku".to_owned(), json!(item.sku));
            told.insert("type".to_owned(), json!(type_id(&item.form)));
            told.insert("price".to_owned(), json!(plain(sheet.price)));
            told.insert("tax_percent".to_owned(), json!(plain(item.tax_percent)));
            let seen = sheet.attributes.iter().map(|(code, kept)| (code.clone(), self.attributes.seen(code, kept)));
            told.insert("attributes".to_owned(), Value::Object(seen.collect()));
            told.insert("images".to_owned(), self.media.ledger(item.product_id));
            told.extend(sheet.ledger());
            let family = self.family_ledger(item).into_iter().chain(self.bundle_ledger(item)).flatten();
            told.extend(family.map(|(name, value)| (name.to_owned(), value)));
            Some(Value::Object(told))
        };
        self.by_id.values().filter_map(tell).collect()
    }

    /// The changeable part of a product.
    pub(super) fn sheet(&self, sku: &str) -> Option<&Sheet> {
        self.with_sheet(sku).map(|(_, sheet)| sheet)
    }

    /// The same, to be changed.
    pub(super) fn sheet_mut(&mut self, sku: &str) -> Option<&mut Sheet> {
        let id = self.find(sku)?.product_id;
        self.sheets.get_mut(&id)
    }

    /// What a product is, to be changed.
    pub(super) fn form_mut(&mut self, product_id: u64) -> Option<&mut Form> {
        self.by_id.get_mut(&product_id).map(|item| &mut item.form)
    }

    /// Stamps a product as saved at `when`.
    pub(super) fn stamp(&mut self, product_id: u64, when: String) {
        if let Some(sheet) = self.sheets.get_mut(&product_id) {
            sheet.updated = when;
        }
    }

    /// A child as the list of its family tells it (recorded: configurable-children).
    pub(super) fn tell_child(&self, item: &Item, scope: &Scope) -> Value {
        let Some(sheet) = self.sheets.get(&item.product_id) else { return Value::Null };
        let mut told = self.tell(item, sheet, scope, false);
        if let Value::Object(fields) = &mut told {
            fields.retain(|field, _| !matches!(field.as_str(), "extension_attributes" | "options"));
        }
        told
    }

    fn with_sheet(&self, sku: &str) -> Option<(&Item, &Sheet)> {
        let item = self.find(sku)?;
        Some((item, self.sheets.get(&item.product_id)?))
    }

    /// The entry of a SKU, without regard to case.
    pub(super) fn find(&self, sku: &str) -> Option<&Item> {
        self.by_sku.get(&sku.to_lowercase()).and_then(|id| self.by_id.get(id))
    }

    fn column(&self, item: &Item, sheet: &Sheet, scope: &Scope, column: &str) -> Option<Value> {
        Some(match column {
            "id" | "entity_id" => json!(item.product_id),
            "sku" => json!(item.sku),
            "name" => json!(sheet.name(scope)),
            "price" => price(item, sheet),
            "attribute_set_id" => json!(4),
            "visibility" => json!(sheet.visibility),
            "status" => json!(sheet.status(scope)),
            "type_id" => json!(type_id(&item.form)),
            "created_at" => json!(self.created),
            "updated_at" => json!(sheet.updated),
            "weight" => number(sheet.weight?),
            "tax_class_id" => json!(sheet.attributes.get("tax_class_id").map_or(tax_class(item), String::as_str)),
            "url_key" => json!(sheet.url_key),
            _ => return None,
        })
    }

    /// A product as the shop tells it; its stock only where it was asked for by SKU.
    fn tell(&self, item: &Item, sheet: &Sheet, scope: &Scope, with_stock: bool) -> Value {
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
        for column in head {
            told.extend(self.column(item, sheet, scope, column).map(|value| (column.to_owned(), value)));
        }
        told.insert("extension_attributes".to_owned(), self.extensions(item, sheet, with_stock));
        for list in ["product_links", "options"] {
            told.insert(list.to_owned(), json!([]));
        }
        told.insert("media_gallery_entries".to_owned(), self.media.told(item.product_id, false));
        told.insert("tier_prices".to_owned(), json!([]));
        let sorted = self.categories.of(item.product_id).map(|(id, _)| id.to_string()).collect();
        let together = self.bundles.together.contains(&item.product_id);
        told.insert("custom_attributes".to_owned(), custom_attributes(item, sheet, (scope, together), sorted));
        Value::Object(told)
    }

    fn extensions(&self, item: &Item, sheet: &Sheet, with_stock: bool) -> Value {
        let mut told = Map::new();
        told.insert("website_ids".to_owned(), json!(sheet.websites));
        let links = self.categories.of(item.product_id);
        let links: Vec<Value> =
            links.map(|(id, position)| json!({"position": position, "category_id": id.to_string()})).collect();
        if !links.is_empty() {
            told.insert("category_links".to_owned(), Value::Array(links));
        }
        if with_stock {
            told.insert("stock_item".to_owned(), fresh_stock_item(item));
        }
        told.extend(self.told_family(item).into_iter().flatten().map(|(name, value)| (name.to_owned(), value)));
        told.extend(self.told_bundle(item).map(|options| ("bundle_product_options".to_owned(), options)));
        Value::Object(told)
    }

    /// The price a product tells.
    pub(super) fn price_of(&self, item: &Item) -> Value {
        self.sheets.get(&item.product_id).map_or(Value::Null, |sheet| price(item, sheet))
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
fn price(item: &Item, sheet: &Sheet) -> Value {
    match item.form {
        Form::Simple | Form::Virtual => number(sheet.price),
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

/// The sheet of a product as the catalogue has it; what is never shipped weighs nothing.
fn sheet(item: &Item, created: &str) -> Sheet {
    let weight = (item.form != Form::Virtual && item.sku != BARE).then_some(item.weight);
    Sheet::new(item.name.clone(), weight, item.net_price, url_key(item), created.to_owned())
}

fn url_key(item: &Item) -> String {
    let words = item.name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

fn custom_attributes(item: &Item, sheet: &Sheet, (scope, together): (&Scope, bool), categories: Vec<String>) -> Value {
    let mut rows = Vec::new();
    let mut tell = |code: &str, value: Value| rows.push(json!({"attribute_code": code, "value": value}));
    let bundle = matches!(item.form, Form::Bundle { .. });
    if bundle {
        tell("shipment_type", json!(if together { "0" } else { "1" }));
    }
    tell("options_container", json!("container2"));
    tell("msrp_display_actual_price_type", json!("0"));
    tell("url_key", json!(sheet.url_key));
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
    let class = sheet.attributes.get("tax_class_id").map_or(tax_class(item), String::as_str);
    tell("tax_class_id", json!(class));
    tell("category_ids", json!(categories));
    if let Some(description) = sheet.description(scope) {
        tell("description", json!(description));
    }
    for (code, kept) in sheet.attributes.iter().filter(|(code, _)| *code != "tax_class_id") {
        tell(code, json!(kept));
    }
    Value::Array(rows)
}

/// What the shop keeps of a product's stock, at first.
pub(super) fn fresh_stock_item(item: &Item) -> Value {
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
