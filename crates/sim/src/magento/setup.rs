//! What a shop was set up with: store views, currencies, groups, taxes, modules.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::criteria::{Criteria, Table};
use super::reply::{Answer, Refusal};
use super::route::Setup;
use super::websites::Website;

/// One store view of a website.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    /// Its id; 1 is the default view.
    pub(super) id: u64,
    /// The website it belongs to.
    pub(super) website: u64,
    /// The code that stands in paths.
    pub(super) code: String,
    /// Its name.
    pub(super) name: String,
    /// Its language, e.g. `de_DE`.
    pub(super) locale: String,
    /// What weights are in: `lbs` or `kgs`.
    pub(super) weight_unit: String,
    /// What prices are in.
    pub(super) currency: String,
    /// Its time zone by its IANA name; times in answers are UTC all the same.
    pub(super) zone: String,
}

impl View {
    /// The view every shop begins with.
    pub(super) fn default_view() -> Self {
        Self {
            id: 1,
            website: 1,
            code: "default".to_owned(),
            name: "Default Store View".to_owned(),
            locale: "en_US".to_owned(),
            weight_unit: "lbs".to_owned(),
            currency: "USD".to_owned(),
            zone: "America/New_York".to_owned(),
        }
    }
}

/// The list a route asks for. Lists under `/search` want criteria; the others ignore them.
pub(super) fn read(
    setup: Setup,
    (websites, views): (&[Website], &[View]),
    groups: &[String],
    query: &[(String, String)],
) -> Answer {
    match setup {
        Setup::StoreViews => Ok(store_views(views)),
        Setup::StoreGroups => Ok(store_groups(websites, views)),
        Setup::Websites => {
            let tell = |site: &Website| json!({"id": site.id, "code": site.code, "name": site.name, "default_group_id": site.id});
            let admin = json!({"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0});
            Ok(std::iter::once(admin).chain(websites.iter().map(tell)).collect())
        }
        Setup::StoreConfigs => Ok(Value::Array(views.iter().map(config).collect())),
        Setup::Modules => Ok(json!(MODULES)),
        Setup::Countries => Ok(countries()),
        Setup::CustomerGroups => search(customer_groups(groups), query),
        Setup::TaxRates => search(tax_rates(), query),
        Setup::TaxClasses => search(tax_classes(), query),
        Setup::AttributeSets => search(attribute_sets(), query),
    }
}

/// One country with its regions; 404 where the shop does not have it.
pub(super) fn country(id: &str) -> Answer {
    let Value::Array(rows) = countries() else { return Ok(Value::Null) };
    let row = rows.into_iter().find(|row| row["id"] == id);
    row.ok_or_else(|| Refusal::new(404, "The country isn't available."))
}

/// The answer of a search over a few fixed rows.
fn search(rows: Vec<Value>, query: &[(String, String)]) -> Answer {
    let criteria = Criteria::parse(query)?;
    let found = criteria.select(Table {
        rows,
        columns: &[],
        read: &|row: &Value, column: &str| row.get(column).map(Cow::Borrowed),
        repeat_last_page: false,
    })?;
    Ok(json!({"items": found.page, "search_criteria": criteria.echo(), "total_count": found.total}))
}

/// A group for each website, beside the back office's (by Adobe's own API schema; which view is a group's default was not recorded).
fn store_groups(websites: &[Website], views: &[View]) -> Value {
    let tell = |site: &Website| {
        let default = views.iter().filter(|view| view.website == site.id).map(|view| view.id).min().unwrap_or(0);
        let name = format!("{} Store", site.name);
        let code = name.to_lowercase().replace(' ', "_");
        json!({"id": site.id, "website_id": site.id, "root_category_id": 2, "default_store_id": default, "name": name, "code": code})
    };
    let admin = json!({"id": 0, "website_id": 0, "root_category_id": 0, "default_store_id": 0, "name": "Default", "code": "default"});
    std::iter::once(admin).chain(websites.iter().map(tell)).collect()
}

fn store_views(views: &[View]) -> Value {
    let tell = |id: u64, code: &str, name: &str, parent: u64| json!({"id": id, "code": code, "name": name, "website_id": parent, "store_group_id": parent, "is_active": 1});
    let mut rows: Vec<Value> = views.iter().map(|view| tell(view.id, &view.code, &view.name, view.website)).collect();
    // The admin view stands after the default view (recorded: store-views, with one view and with two).
    rows.insert(rows.len().min(1), tell(0, "admin", "Admin", 0));
    Value::Array(rows)
}

fn config(view: &View) -> Value {
    let base = "http://shop.example/";
    let (fixed, media) = (format!("{base}static/version1754759768/"), format!("{base}media/"));
    json!({
        "id": view.id, "code": view.code, "website_id": view.website, "locale": view.locale,
        "base_currency_code": view.currency, "default_display_currency_code": view.currency, "timezone": view.zone, "weight_unit": view.weight_unit,
        "base_url": base, "base_link_url": base, "base_static_url": fixed, "base_media_url": media,
        "secure_base_url": base, "secure_base_link_url": base, "secure_base_static_url": fixed, "secure_base_media_url": media,
    })
}

fn customer_groups(groups: &[String]) -> Vec<Value> {
    let tell = |(id, code): (usize, &String)| json!({"id": id, "code": code, "tax_class_id": 3, "tax_class_name": "Retail Customer"});
    groups.iter().enumerate().map(tell).collect()
}

/// The recorded rates, and one for what is taxed at nothing.
fn tax_rates() -> Vec<Value> {
    let tell = |(id, rate, code): (u64, u64, &str)| json!({"id": id, "tax_country_id": "DE", "tax_region_id": 0, "tax_postcode": "*", "rate": rate, "code": code, "titles": []});
    [(5, 19, "DE-19b"), (6, 7, "DE-7b"), (7, 0, "DE-0")].into_iter().map(tell).collect()
}

fn tax_classes() -> Vec<Value> {
    let tell = |(id, name, kind): (u64, &str, &str)| json!({"class_id": id, "class_name": name, "class_type": kind});
    [(2, "Taxable Goods", "PRODUCT"), (3, "Retail Customer", "CUSTOMER"), (5, "Reduced2", "PRODUCT")]
        .into_iter()
        .map(tell)
        .collect()
}

/// The set every shop begins with.
fn attribute_sets() -> Vec<Value> {
    vec![json!({"attribute_set_id": 4, "attribute_set_name": "Default", "sort_order": 1, "entity_type_id": 4})]
}

fn countries() -> Value {
    let tell = |(two, three, name, regions): (&str, &str, &str, Value)| {
        json!({
            "id": two, "two_letter_abbreviation": two, "three_letter_abbreviation": three,
            "full_name_locale": name, "full_name_english": name, "available_regions": regions,
        })
    };
    let rows = [
        ("AT", "AUT", "Austria", json!([{"id": "95", "code": "WI", "name": "Wien"}])),
        ("CH", "CHE", "Switzerland", json!([{"id": "130", "code": "ZH", "name": "Zürich"}])),
        (
            "DE",
            "DEU",
            "Germany",
            json!([{"id": "82", "code": "BER", "name": "Berlin"}, {"id": "81", "code": "BAY", "name": "Bayern"}]),
        ),
        ("FR", "FRA", "France", json!([{"id": "257", "code": "75", "name": "Paris"}])),
        ("GB", "GBR", "United Kingdom", Value::Null),
        ("JP", "JPN", "Japan", Value::Null),
        ("NL", "NLD", "Netherlands", Value::Null),
        (
            "US",
            "USA",
            "United States",
            json!([{"id": "43", "code": "NY", "name": "New York"}, {"id": "32", "code": "MA", "name": "Massachusetts"}]),
        ),
    ];
    let rows = rows.into_iter().map(|row| {
        let mut country = tell(row);
        if let Value::Object(told) = &mut country {
            told.retain(|_, value| !value.is_null());
        }
        country
    });
    Value::Array(rows.collect())
}

/// The modules a client may look for, of the 300 a real shop lists.
const MODULES: [&str; 24] = [
    "Magento_Store",
    "Magento_Config",
    "Magento_Directory",
    "Magento_Theme",
    "Magento_Backend",
    "Magento_Eav",
    "Magento_Customer",
    "Magento_Integration",
    "Magento_Catalog",
    "Magento_CatalogInventory",
    "Magento_Bundle",
    "Magento_ConfigurableProduct",
    "Magento_Quote",
    "Magento_Payment",
    "Magento_Sales",
    "Magento_SalesRule",
    "Magento_Checkout",
    "Magento_OfflinePayments",
    "Magento_Inventory",
    "Magento_InventoryApi",
    "Magento_InventorySalesApi",
    "Magento_Tax",
    "Magento_Webapi",
    "Magento_WebapiAsync",
];
