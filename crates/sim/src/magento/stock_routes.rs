//! The shop's answers about stock, as recorded where they were, else by Adobe's own API schema.

use std::borrow::Cow;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::UnknownSkus;
use super::criteria::{Criteria, Table};
use super::products::Products;
use super::reply::{Answer, Refusal};
use super::reservations::Reservations;
use super::stock::{DEFAULT_SOURCE, DEFAULT_STOCK, Link, Pool, Row, Source, Stock, lies_on_a_shelf};
use super::value::{decimal, id, number};

/// What source items can be filtered by, sorted.
const SOURCE_ITEM: &[&str] = &["quantity", "sku", "source_code", "source_item_id", "status"];

/// What is asked about stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StockRoute {
    /// GET inventory/sources.
    Sources,
    /// POST inventory/sources.
    SaveSource,
    /// GET inventory/stocks.
    Stocks,
    /// POST inventory/stocks.
    SaveStock,
    /// GET inventory/stock-source-links.
    Links,
    /// POST inventory/stock-source-links.
    SaveLinks,
    /// GET inventory/source-items.
    Items,
    /// POST inventory/source-items.
    SaveItems,
    /// POST inventory/source-items-delete.
    DeleteItems,
    /// GET inventory/get-product-salable-quantity/{sku}/{stockId}.
    SalableQuantity(String, String),
    /// GET inventory/is-product-salable/{sku}/{stockId}.
    IsSalable(String, String),
    /// GET inventory/stock-resolver/{type}/{code}.
    OfChannel(String, String),
    /// GET stockItems/{sku}.
    Item(String),
    /// PUT products/{sku}/stockItems/{itemId}.
    SaveItem(String),
}

impl StockRoute {
    /// The route of a verb and the path after `inventory`.
    pub(super) fn of(method: &str, path: &[&str]) -> Option<Self> {
        let owned = |part: &&str| (*part).to_owned();
        Some(match (method, path) {
            ("GET", ["sources"]) => Self::Sources,
            ("POST", ["sources"]) => Self::SaveSource,
            ("GET", ["stocks"]) => Self::Stocks,
            ("POST", ["stocks"]) => Self::SaveStock,
            ("GET", ["stock-source-links"]) => Self::Links,
            ("POST", ["stock-source-links"]) => Self::SaveLinks,
            ("GET", ["source-items"]) => Self::Items,
            ("POST", ["source-items"]) => Self::SaveItems,
            ("POST", ["source-items-delete"]) => Self::DeleteItems,
            ("GET", ["get-product-salable-quantity", sku, stock]) => Self::SalableQuantity(owned(sku), owned(stock)),
            ("GET", ["is-product-salable", sku, stock]) => Self::IsSalable(owned(sku), owned(stock)),
            ("GET", ["stock-resolver", kind, code]) => Self::OfChannel(owned(kind), owned(code)),
            _ => return None,
        })
    }

    /// The right a caller needs (`webapi.xml` of `InventoryApi` and `InventorySalesApi`).
    pub(super) fn right(&self) -> &'static str {
        match self {
            Self::Sources | Self::Items => "Magento_InventoryApi::source",
            Self::SaveSource => "Magento_InventoryApi::source_edit",
            Self::Stocks => "Magento_InventoryApi::stock",
            Self::SaveStock => "Magento_InventoryApi::stock_edit",
            Self::Links | Self::SaveLinks => "Magento_InventoryApi::stock_source_link",
            Self::SaveItems | Self::DeleteItems => "Magento_InventoryApi::stock_source_item_assign",
            Self::SalableQuantity(..) | Self::IsSalable(..) | Self::OfChannel(..) => "Magento_InventorySalesApi::stock",
            Self::Item(_) | Self::SaveItem(_) => "Magento_CatalogInventory::cataloginventory",
        }
    }
}

/// What an answer about stock is made of.
pub(super) struct Desk<'s> {
    pub(super) stock: &'s mut Stock,
    pub(super) products: &'s Products,
    /// What orders hold back, or took where there are no sources.
    pub(super) kept_back: &'s Reservations,
    pub(super) unknown_skus: UnknownSkus,
    pub(super) repeat_last_page: bool,
    pub(super) now: Timestamp,
}

impl Desk<'_> {
    /// The answer to one request.
    pub(super) fn answer(&mut self, route: &StockRoute, query: &[(String, String)], body: &Value) -> Answer {
        match route {
            StockRoute::Item(sku) => self.item(sku),
            StockRoute::SaveItem(sku) => self.save_item(sku, body),
            _ if self.stock.single => Err(Refusal::new(404, "Request does not match any route.")),
            StockRoute::Sources => {
                let rows = self.stock.sources.iter().map(|source| Value::Object(source.told.clone()));
                listed(rows.collect(), query)
            }
            StockRoute::Stocks => listed(self.stock.pools.iter().map(told).collect(), query),
            StockRoute::Links => listed(self.stock.links.iter().map(linked).collect(), query),
            StockRoute::Items => self.items(query),
            StockRoute::SaveSource => self.save_source(body),
            StockRoute::SaveStock => self.save_stock(body),
            StockRoute::SaveLinks => self.save_links(body),
            StockRoute::SaveItems => self.save_items(body),
            StockRoute::DeleteItems => self.delete_items(body),
            StockRoute::SalableQuantity(sku, stock) => Ok(number(self.salable(sku, stock)?)),
            StockRoute::IsSalable(sku, stock) => Ok(json!(self.salable(sku, stock)? > Decimal::ZERO)),
            StockRoute::OfChannel(kind, code) => {
                let pool = self.stock.of_website(code).filter(|_| kind == "website");
                pool.map(told).ok_or_else(|| Refusal::new(404, "No linked stock found"))
            }
        }
    }

    fn items(&self, query: &[(String, String)]) -> Answer {
        let criteria = Criteria::parse(query)?;
        let found = criteria.select(Table {
            rows: self.stock.numbered().collect(),
            columns: SOURCE_ITEM,
            read: &|(id, row): &(u64, &Row), column: &str| column_of(*id, row, column).map(Cow::Owned),
            repeat_last_page: self.repeat_last_page,
        })?;
        let items: Vec<Value> = found.page.into_iter().map(|(_, row)| row.told()).collect();
        Ok(json!({"items": items, "search_criteria": criteria.echo(), "total_count": found.total}))
    }

    /// What can be bought of a product; refused in the shop's words where there is none, or no quantities of it are kept.
    /// Never less than nothing: what counts as sold out answers 0, however much is reserved (`GetProductSalableQty`).
    fn salable(&self, sku: &str, stock: &str) -> Result<Decimal, Refusal> {
        let stock: u64 = super::number(stock)?;
        let item = self.products.find(sku).ok_or_else(|| {
            Refusal::new(404, "The product that was requested doesn't exist. Verify the product and try again.")
        })?;
        if !lies_on_a_shelf(&item.form) {
            let text = "Can't check requested quantity for products without Source Items support.";
            return Err(Refusal::new(400, text));
        }
        let linked = self.stock.links.iter().filter(|link| link.stock == stock);
        if linked.filter(|link| self.stock.row(&item.sku, &link.source).is_some()).count() == 0 {
            // What no source of the stock has is not in its index.
            return Ok(Decimal::ZERO);
        }
        Ok(self.stock.salable(Some(self.now), stock, item, self.kept_back).max(Decimal::ZERO))
    }

    fn save_source(&mut self, body: &Value) -> Answer {
        let Some(Value::Object(given)) = body.get("source") else { return Err(Refusal::required("source")) };
        for field in ["source_code", "name", "country_id", "postcode"] {
            if given.get(field).and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(invalid(&format!("\"{field}\" can not be empty.")));
            }
        }
        let code = text(given, "source_code");
        let place = self.stock.sources.iter().position(|source| source.code == code);
        let mut told = place.and_then(|at| self.stock.sources.get(at)).map_or_else(fresh_source, |s| s.told.clone());
        told.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
        let source = Source { code, told };
        match place.and_then(|at| self.stock.sources.get_mut(at)) {
            Some(old) => *old = source,
            None => self.stock.sources.push(source),
        }
        Ok(json!([]))
    }

    /// A stock is known by its id from then on; a website it takes is another's no more.
    fn save_stock(&mut self, body: &Value) -> Answer {
        let Some(Value::Object(given)) = body.get("stock") else { return Err(Refusal::required("stock")) };
        let name = text(given, "name");
        if name.is_empty() {
            return Err(invalid("\"name\" can not be empty."));
        }
        let channels = given.get("extension_attributes").and_then(|part| part.get("sales_channels"));
        let channels = channels.and_then(Value::as_array).into_iter().flatten();
        let websites: Vec<String> = channels
            .filter(|channel| channel.get("type").and_then(Value::as_str) == Some("website"))
            .filter_map(|channel| Some(channel.get("code")?.as_str()?.to_owned()))
            .collect();
        let next = self.stock.pools.iter().map(|pool| pool.id).max().unwrap_or(0) + 1;
        let id = given.get("stock_id").and_then(id).unwrap_or(next);
        for pool in &mut self.stock.pools {
            pool.websites.retain(|website| !websites.contains(website));
        }
        match self.stock.pools.iter_mut().find(|pool| pool.id == id) {
            Some(pool) => *pool = Pool { id, name, websites },
            None => self.stock.pools.push(Pool { id, name, websites }),
        }
        Ok(json!(id))
    }

    fn save_links(&mut self, body: &Value) -> Answer {
        let rows = list(body, "links")?;
        let mut links = Vec::new();
        for row in rows {
            let stock = row.get("stock_id").and_then(id).ok_or_else(|| invalid("\"stock_id\" can not be empty."))?;
            let source = row.get("source_code").and_then(Value::as_str).unwrap_or("").to_owned();
            if (stock == DEFAULT_STOCK) != (source == DEFAULT_SOURCE) {
                return Err(invalid("Can not save link related to Default Source or Default Stock"));
            }
            let known = self.stock.sources.iter().any(|one| one.code == source)
                && self.stock.pools.iter().any(|pool| pool.id == stock);
            if !known {
                return Err(Refusal::new(400, "Could not save StockSourceLinks"));
            }
            links.push(Link { stock, source, priority: row.get("priority").and_then(Value::as_u64).unwrap_or(1) });
        }
        for link in links {
            self.stock.links.retain(|old| old.stock != link.stock || old.source != link.source);
            self.stock.links.push(link);
        }
        Ok(json!([]))
    }

    /// Sets quantities. As recorded: 200 for a SKU nobody has, nothing at all stored where one source is unknown, negative
    /// quantities taken, and of two rows for one place the last one kept. A family's row is kept like any other and
    /// counts for nobody (magento/inventory#3455).
    fn save_items(&mut self, body: &Value) -> Answer {
        let mut ready = Vec::new();
        for row in list(body, "sourceItems")? {
            ready.push(self.source_item(row)?);
        }
        let unknown = |sku: &str| self.products.find(sku).is_none();
        if self.unknown_skus == UnknownSkus::Refused && ready.iter().any(|(sku, ..)| unknown(sku)) {
            return Err(Refusal::new(400, "Could not save Source Item"));
        }
        for (sku, source, quantity, in_stock) in ready {
            let item = self.products.find(&sku);
            if item.is_some() || self.unknown_skus == UnknownSkus::Kept {
                let sku = item.map_or(sku, |item| item.sku.clone());
                self.stock.set(self.now, &sku, &source, quantity, in_stock);
            }
        }
        Ok(json!([]))
    }

    fn source_item(&self, row: &Value) -> Result<(String, String, Decimal, bool), Refusal> {
        let Value::Object(given) = row else { return Err(invalid("\"sku\" can not be empty.")) };
        let (sku, source) = (text(given, "sku"), text(given, "source_code"));
        if sku.trim().is_empty() || sku.trim() != sku {
            return Err(invalid("\"sku\" can not be empty, or begin or end with a blank."));
        }
        let quantity = given.get("quantity").and_then(decimal).ok_or_else(|| {
            let told = given.get("quantity").map_or_else(String::new, Value::to_string);
            let text = format!(
                "Error occurred during \"quantity\" processing. The \"{told}\" value's type is invalid. The \"float\" type was expected. Verify and try again."
            );
            Refusal::new(400, text)
        })?;
        let in_stock = match given.get("status").and_then(Value::as_u64) {
            Some(status @ (0 | 1)) => status == 1,
            _ => return Err(invalid("\"status\" should be a known status.")),
        };
        let room = quantity.abs() < Decimal::from(100_000_000_u64);
        if !room || !self.stock.sources.iter().any(|one| one.code == source) {
            return Err(Refusal::new(400, "Could not save Source Item"));
        }
        Ok((sku, source, quantity, in_stock))
    }

    fn delete_items(&mut self, body: &Value) -> Answer {
        for row in list(body, "sourceItems")? {
            if let Value::Object(given) = row {
                self.stock.remove(&text(given, "sku"), &text(given, "source_code"));
            }
        }
        Ok(json!([]))
    }
}

/// The answer of a short list, which needs no criteria (recorded: sources, stocks).
fn listed(rows: Vec<Value>, query: &[(String, String)]) -> Answer {
    let asked = query.iter().any(|(key, _)| key.starts_with("searchCriteria") || key.starts_with("search_criteria"));
    let criteria = if asked { Criteria::parse(query)? } else { Criteria::default() };
    let found = criteria.select(Table {
        rows,
        columns: &[],
        read: &|row: &Value, column: &str| row.get(column).map(Cow::Borrowed),
        repeat_last_page: false,
    })?;
    Ok(json!({"items": found.page, "search_criteria": criteria.echo(), "total_count": found.total}))
}

fn told(pool: &Pool) -> Value {
    let channels: Vec<Value> =
        pool.websites.iter().map(|website| json!({"type": "website", "code": website})).collect();
    json!({"stock_id": pool.id, "name": pool.name, "extension_attributes": {"sales_channels": channels}})
}

fn linked(link: &Link) -> Value {
    json!({"stock_id": link.stock, "source_code": link.source, "priority": link.priority})
}

fn column_of(id: u64, row: &Row, column: &str) -> Option<Value> {
    Some(match column {
        "source_item_id" => json!(id),
        "sku" => json!(row.sku),
        "source_code" => json!(row.source),
        "quantity" => number(row.quantity),
        "status" => json!(u8::from(row.in_stock)),
        _ => return None,
    })
}

fn fresh_source() -> Map<String, Value> {
    let told = json!({
        "source_code": "", "name": "", "enabled": true, "use_default_carrier_config": true, "carrier_links": [],
        "extension_attributes": {"is_pickup_location_active": false, "frontend_name": ""},
    });
    told.as_object().cloned().unwrap_or_default()
}

fn text(given: &Map<String, Value>, key: &str) -> String {
    given.get(key).and_then(Value::as_str).unwrap_or("").to_owned()
}

fn list<'b>(body: &'b Value, key: &str) -> Result<&'b [Value], Refusal> {
    body.get(key).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| Refusal::required(key))
}

/// 400 with a reason under it (recorded: stock-source-links).
fn invalid(reason: &str) -> Refusal {
    let errors = vec![json!({"message": reason, "parameters": []})];
    Refusal { errors, ..Refusal::new(400, "Validation Failed") }
}
