//! What one Tryton is set up with: company, currencies, taxes, terms, shop, warehouse, places. Read once, kept.

use super::carried;
use super::client::Client;
use super::config::Config;
use super::map::Attributes;
use super::reader::{Reader, context};
use super::wire::{Coded, Dec, Named, PRODUCT_FIELDS, ProductRow, Qty, Unit};
use super::{drops, papers};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use syncline_connect::{Ctx, Error, Result};
use syncline_core::money::Currency;
use syncline_core::policy::ErrorKind;
use syncline_core::rules::Branch;

/// A tax that can stand on a line of a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SaleTax {
    pub(super) id: i64,
    /// Rate in percent.
    pub(super) percent: Decimal,
}

/// A product that charges are booked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChargeProduct {
    pub(super) id: i64,
    pub(super) unit: Unit,
}

/// The web shop sales are booked in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WebShop {
    pub(super) id: i64,
    pub(super) name: String,
}

/// A warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Warehouse {
    pub(super) id: i64,
    /// Its code, or its name where it has none.
    pub(super) place: String,
    pub(super) name: String,
}

/// A language texts are kept in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Language {
    /// As Tryton writes it, e.g. `es_419`.
    pub(super) code: String,
    pub(super) name: String,
}

/// A unit weights are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WeightUnit {
    pub(super) id: i64,
    /// Kilograms that one of it weighs.
    pub(super) kilograms: Decimal,
    /// Decimals a weight in it may have.
    pub(super) digits: u32,
}

/// What one Tryton is set up with.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) read_at: Timestamp,
    /// Whose it is; the system's own where it says nothing.
    pub(super) branch: Branch,
    pub(super) company: i64,
    pub(super) company_name: String,
    /// Names of all companies our user sees.
    pub(super) companies: Vec<String>,
    pub(super) zone: Option<String>,
    /// The company's, which prices are in.
    pub(super) currency: Option<Currency>,
    pub(super) modules: BTreeSet<String>,
    /// Id by ISO code.
    pub(super) currencies: BTreeMap<String, i64>,
    /// Digits by ISO code, as Tryton rounds.
    pub(super) digits: BTreeMap<String, u32>,
    /// By name.
    pub(super) taxes: BTreeMap<String, SaleTax>,
    /// Id by name.
    pub(super) terms: BTreeMap<String, i64>,
    /// Price lists of the company by name, those whose name is another one's left out; none where parties' are not carried.
    pub(super) lists: Option<BTreeMap<String, i64>>,
    /// Web shops of the company by name.
    pub(super) web_shops: Vec<WebShop>,
    /// The one sales are booked in; without one, marks stand in the description.
    pub(super) web_shop: Option<WebShop>,
    /// Guest parties of all web shops: nothing can be sold to them.
    pub(super) guests: BTreeSet<i64>,
    pub(super) warehouse: Option<i64>,
    /// Every warehouse, oldest first.
    pub(super) warehouses: Vec<Warehouse>,
    /// The company our user acts for by default: stock is counted for no other.
    pub(super) own_company: Option<i64>,
    /// Id by ISO code.
    pub(super) countries: BTreeMap<String, i64>,
    /// Id by country and code, e.g. `DE-BE`.
    pub(super) subdivisions: BTreeMap<String, i64>,
    pub(super) shipping: Option<ChargeProduct>,
    pub(super) rounding: Option<ChargeProduct>,
    /// The languages people may write in, English first where it is one of them.
    pub(super) languages: Vec<Language>,
    /// Units of weight, kilogram first; none where products have no weight.
    pub(super) weight_units: Vec<WeightUnit>,
    /// Whether numbers of parcels and carriers are told.
    pub(super) parcels: bool,
    /// What else is carried of products, by the names the file gives it.
    pub(super) attributes: Arc<Attributes>,
    pub(super) warnings: Vec<String>,
}

impl Setup {
    /// Whether module `web_shop` is activated, so that sales have a `web_id`.
    pub(super) fn has_web_ids(&self) -> bool {
        self.modules.contains("web_shop")
    }

    /// Whether price lists can be asked; without this module Tryton tells the list price in their place.
    pub(super) fn has_price_lists(&self) -> bool {
        self.modules.contains("sale_price_list")
    }

    /// The context of a write of texts in `language` on one record in one version. The others keep their state: Tryton
    /// would else call every other language's text outdated when the first is written, and show the first in its place.
    pub(super) fn speaking(&self, language: &str, model: &str, id: i64, version: Option<&str>) -> Value {
        let mut context = self.guarded(model, &version.map(|version| (id, version)).into_iter().collect::<Vec<_>>());
        if let Some(fields) = context.as_object_mut() {
            fields.insert("language".to_string(), json!(language));
            fields.insert("fuzzy_translation".to_string(), json!(false));
        }
        context
    }

    /// The context of every call.
    pub(super) fn context(&self) -> Value {
        context(Some(self.company))
    }

    /// The context of a call that fails where one of `versions` (model, id, `_timestamp`) is no longer in force.
    pub(super) fn guarded(&self, model: &str, versions: &[(i64, &str)]) -> Value {
        self.guarded_each(&versions.iter().map(|(id, at)| (model, *id, *at)).collect::<Vec<_>>())
    }

    /// The same for records of several models.
    pub(super) fn guarded_each(&self, versions: &[(&str, i64, &str)]) -> Value {
        let stamps: BTreeMap<String, &str> =
            versions.iter().map(|(model, id, at)| (format!("{model},{id}"), *at)).collect();
        let mut context = self.context();
        if let (Some(fields), false) = (context.as_object_mut(), stamps.is_empty()) {
            fields.insert("_timestamp".to_string(), json!(stamps));
        }
        context
    }
}

#[derive(Deserialize)]
struct Preferences {
    company: Option<i64>,
    company_filter: Option<String>,
}

#[derive(Deserialize)]
struct CompanyRow {
    id: i64,
    #[serde(rename = "party.")]
    party: Named,
    timezone: Option<String>,
    #[serde(rename = "currency.", default)]
    currency: Option<Coded>,
}

#[derive(Deserialize)]
struct CurrencyRow {
    id: i64,
    code: Option<String>,
    digits: u32,
}

#[derive(Deserialize)]
struct TaxRow {
    id: i64,
    name: Option<String>,
    rate: Option<Dec>,
    #[serde(rename = "type")]
    form: String,
    parent: Option<i64>,
    group: Option<i64>,
}

#[derive(Deserialize)]
struct TaxGroupRow {
    id: i64,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct WebShopRow {
    id: i64,
    name: Option<String>,
    company: Option<i64>,
    guest_party: Option<i64>,
    warehouses: Option<Vec<i64>>,
}

#[derive(Deserialize)]
struct LanguageRow {
    code: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct UnitRow {
    id: i64,
    symbol: Option<String>,
    factor: Option<Qty>,
    digits: Option<u32>,
    category: Option<i64>,
}

#[derive(Deserialize)]
struct PlaceRow {
    id: i64,
    code: Option<String>,
    name: Option<String>,
}

/// The set-up as it stands now.
pub(super) async fn load(client: &Client, ctx: &Ctx, config: &Config, branch: &Branch) -> Result<Setup> {
    let config = &config.of(branch);
    let mut warnings = Vec::new();
    let (company, companies, own_company) = company(&Reader::outside(client, ctx), config, &mut warnings).await?;
    let reader = Reader::of(client, ctx, company.id);
    let modules = modules(&reader).await?;
    let currencies: Vec<CurrencyRow> = reader.rows("currency.currency", json!([]), &["code", "digits"]).await?;
    let taxes = taxes(&reader, company.id, &mut warnings).await?;
    let terms: Vec<Named> = reader.rows("account.invoice.payment_term", json!([]), &["name"]).await?;
    let lists = price_lists(&reader, config, (company.id, &modules), &mut warnings).await?;
    let shops = web_shops(&reader, &modules).await?;
    let (web_shop, shop_warehouses) = chosen_shop(&shops, company.id, config, &mut warnings)?;
    let places: Vec<PlaceRow> =
        reader.rows("stock.location", json!([["type", "=", "warehouse"]]), &["code", "name"]).await?;
    let warehouse = warehouse(&places, config, &shop_warehouses, &mut warnings)?;
    let countries: Vec<Coded> = reader.rows("country.country", json!([]), &["code"]).await?;
    let subdivisions: Vec<Coded> = reader.rows("country.subdivision", json!([]), &["code"]).await?;
    let shipping = charge_product(&reader, &config.shipping_product, "shipping", &mut warnings).await?;
    let rounding = charge_product(&reader, &config.rounding_product, "rounding", &mut warnings).await?;
    let languages = languages(&reader).await?;
    let weight_units = match modules.contains("product_measurements") {
        true => weight_units(&reader, &mut warnings).await?,
        false => Vec::new(),
    };
    let modules = if config.papers { drops::readable(&reader, modules, &mut warnings).await? } else { modules };
    let parcels = config.papers && papers::parcels(&reader, &modules, &mut warnings).await?;
    let attributes = carried::attributes(&reader, config, &modules, &mut warnings).await?;
    let coded = |rows: Vec<Coded>| rows.into_iter().filter_map(|row| Some((row.code?, row.id))).collect();
    Ok(Setup {
        read_at: ctx.now(),
        branch: branch.clone(),
        company: company.id,
        companies,
        company_name: company.party.name.unwrap_or_default(),
        zone: company.timezone,
        currency: company.currency.and_then(|row| row.code?.parse().ok()),
        digits: currencies.iter().filter_map(|row| Some((row.code.clone()?, row.digits))).collect(),
        currencies: currencies.into_iter().filter_map(|row| Some((row.code?, row.id))).collect(),
        taxes,
        lists,
        terms: terms.into_iter().filter_map(|row| Some((row.name?, row.id))).collect(),
        guests: shops.iter().filter_map(|shop| shop.guest_party).collect(),
        web_shops: shops.iter().filter(|shop| shop.company.is_none_or(|c| c == company.id)).map(named_shop).collect(),
        web_shop,
        warehouse,
        warehouses: warehouses(places, &mut warnings),
        own_company,
        countries: coded(countries),
        subdivisions: coded(subdivisions),
        shipping,
        rounding,
        languages,
        weight_units,
        parcels,
        attributes: Arc::new(attributes),
        modules,
        warnings,
    })
}

/// The modules that are activated; an error where one is not that nothing works without.
async fn modules(reader: &Reader<'_>) -> Result<BTreeSet<String>> {
    let rows: Vec<Named> = reader.rows("ir.module", json!([["state", "=", "activated"]]), &["name"]).await?;
    let modules: BTreeSet<String> = rows.into_iter().filter_map(|row| row.name).collect();
    if let Some(missing) = ["sale", "party", "product"].iter().find(|name| !modules.contains(**name)) {
        let message = format!("module `{missing}` is not activated in this Tryton: activate it, then run again");
        return Err(Error::new(ErrorKind::Config, message));
    }
    Ok(modules)
}

/// The price lists that a party can have, where these are carried and module `sale_price_list` is there.
async fn price_lists(
    reader: &Reader<'_>,
    config: &Config,
    (company, modules): (i64, &BTreeSet<String>),
    warnings: &mut Vec<String>,
) -> Result<Option<BTreeMap<String, i64>>> {
    if !config.groups {
        return Ok(None);
    }
    if !modules.contains("sale_price_list") {
        warnings.push("groups of customers stay as they are: module `sale_price_list` is not activated".to_string());
        return Ok(None);
    }
    let rows: Vec<Named> = reader.rows("product.price_list", json!([["company", "=", company]]), &["name"]).await?;
    let mut lists = BTreeMap::new();
    for (name, id) in rows.iter().filter_map(|row| Some((row.name.clone()?, row.id))) {
        match rows.iter().filter(|other| other.name.as_ref() == Some(&name)).count() {
            1 => drop(lists.insert(name, id)),
            _ => warnings.push(format!("several price lists are called `{name}`: a party's is not told by it")),
        }
    }
    Ok(Some(lists))
}

/// Every web shop our user sees; none where the module for them is not there.
async fn web_shops(reader: &Reader<'_>, modules: &BTreeSet<String>) -> Result<Vec<WebShopRow>> {
    if !modules.contains("web_shop") {
        return Ok(Vec::new());
    }
    reader.rows("web.shop", json!([]), &["name", "company", "guest_party", "warehouses"]).await
}

fn named_shop(row: &WebShopRow) -> WebShop {
    WebShop { id: row.id, name: row.name.clone().unwrap_or_default() }
}

/// The company sales are booked in: the one the file names, else the user's own, else the only one; the names of all; and
/// the user's own.
async fn company(
    reader: &Reader<'_>,
    config: &Config,
    warnings: &mut Vec<String>,
) -> Result<(CompanyRow, Vec<String>, Option<i64>)> {
    let preferences: Preferences = reader.one("model.res.user.get_preferences", json!(true)).await?;
    let rows: Vec<CompanyRow> =
        reader.rows("company.company", json!([]), &["party.name", "timezone", "currency.code"]).await?;
    let all: Vec<String> = rows.iter().map(|row| row.party.name.clone().unwrap_or_else(|| "?".to_string())).collect();
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    let list = names.join("`, `");
    let wrong = |what: String| Err(Error::new(ErrorKind::Config, what));
    let at = match (&config.company, preferences.company) {
        (Some(name), _) => {
            let found: Vec<usize> = (0..rows.len()).filter(|at| names.get(*at) == Some(&name.as_str())).collect();
            match found.as_slice() {
                [one] => *one,
                [] => return wrong(format!("company `{name}` is not there for this user: there are `{list}`")),
                _ => return wrong(format!("several companies are called `{name}`: rename one in Tryton")),
            }
        }
        (None, Some(id)) => match rows.iter().position(|row| row.id == id) {
            Some(at) => {
                if rows.len() > 1 {
                    let name = names.get(at).copied().unwrap_or("?");
                    warnings.push(format!(
                        "several companies (`{list}`) and no `company = …`: `{name}` is used, the user's own"
                    ));
                }
                at
            }
            None => return wrong(format!("the user's company {id} cannot be read: give the user rights to it")),
        },
        (None, None) if rows.len() == 1 => 0,
        (None, None) => return wrong(format!("the user has no company: add `company = …`, one of `{list}`")),
    };
    let row = rows.into_iter().nth(at).ok_or_else(|| Error::new(ErrorKind::Config, "there is no company"))?;
    // Recorded: a user of that filter sees the company that was asked for first, whatever each call names after that.
    if preferences.company_filter.as_deref() == Some("one") && preferences.company != Some(row.id) {
        let name = names.get(at).copied().unwrap_or("?");
        return wrong(format!(
            "company `{name}` cannot be relied on to be seen: the user's company filter is `Current`, which shows the user \
             one company only; set it to `All` in the user's preferences in Tryton"
        ));
    }
    Ok((row, all, preferences.company))
}

/// Taxes by name that may stand on a line of a sale: active, of the company, percentages that are part of no other.
async fn taxes(reader: &Reader<'_>, company: i64, warnings: &mut Vec<String>) -> Result<BTreeMap<String, SaleTax>> {
    let fields = ["name", "rate", "type", "parent", "group"];
    let domain = json!([["company", "=", company], ["type", "=", "percentage"], ["parent", "=", null]]);
    let rows: Vec<TaxRow> = reader.rows("account.tax", domain, &fields).await?;
    let groups: BTreeSet<i64> = rows.iter().filter_map(|row| row.group).collect();
    let mut bought_only = BTreeSet::new();
    if !groups.is_empty() {
        let domain = json!([["id", "in", groups]]);
        let groups: Vec<TaxGroupRow> = reader.rows("account.tax.group", domain, &["kind"]).await?;
        bought_only
            .extend(groups.iter().filter(|group| group.kind.as_deref() == Some("purchase")).map(|group| group.id));
    }
    let mut taxes = BTreeMap::new();
    for row in rows {
        let sold = row.group.is_none_or(|group| !bought_only.contains(&group));
        let (Some(name), Some(Dec(rate)), true) = (row.name, row.rate, sold) else { continue };
        if row.form != "percentage" || row.parent.is_some() {
            continue;
        }
        let percent = rate.checked_mul(Decimal::ONE_HUNDRED).unwrap_or(rate).normalize();
        match taxes.entry(name) {
            Entry::Vacant(free) => {
                free.insert(SaleTax { id: row.id, percent });
            }
            Entry::Occupied(taken) => {
                let name = taken.key();
                warnings.push(format!("several taxes are called `{name}`: the oldest is used; rename the others"));
            }
        }
    }
    Ok(taxes)
}

/// The web shop sales are booked in, and its warehouses.
fn chosen_shop(
    shops: &[WebShopRow],
    company: i64,
    config: &Config,
    warnings: &mut Vec<String>,
) -> Result<(Option<WebShop>, Vec<i64>)> {
    let own: Vec<&WebShopRow> = shops.iter().filter(|shop| shop.company.is_none_or(|c| c == company)).collect();
    let list = own.iter().map(|shop| shop.name.as_deref().unwrap_or("?")).collect::<Vec<_>>().join("`, `");
    let chosen = match &config.web_shop {
        Some(name) => match own.iter().find(|shop| shop.name.as_ref() == Some(name)) {
            Some(shop) => Some(*shop),
            None => {
                let message = format!("web shop `{name}` is not there in Tryton: there are `{list}`");
                return Err(Error::new(ErrorKind::Config, message));
            }
        },
        None => match own.as_slice() {
            [one] => Some(*one),
            [] => None,
            _ => {
                warnings.push(format!(
                    "several web shops (`{list}`) and no `web_shop = …`: sales are booked without one, and without its unique key"
                ));
                None
            }
        },
    };
    let warehouses = chosen.and_then(|shop| shop.warehouses.clone()).unwrap_or_default();
    Ok((chosen.map(named_shop), warehouses))
}

/// The warehouse goods are sold from: the one the file names, else the web shop's first, else the only one.
fn warehouse(rows: &[PlaceRow], config: &Config, of_shop: &[i64], warnings: &mut Vec<String>) -> Result<Option<i64>> {
    if let Some(name) = &config.warehouse {
        let found = rows.iter().find(|row| row.code.as_ref() == Some(name) || row.name.as_ref() == Some(name));
        return match found {
            Some(row) => Ok(Some(row.id)),
            None => Err(Error::new(ErrorKind::Config, format!("warehouse `{name}` is not there in Tryton"))),
        };
    }
    match (of_shop.first(), rows) {
        (Some(id), _) => Ok(Some(*id)),
        (None, [one]) => Ok(Some(one.id)),
        (None, several) => {
            let what = if several.is_empty() { "no warehouse" } else { "several warehouses and no `warehouse = …`" };
            warnings.push(format!("{what}: a sale with goods cannot be quoted"));
            Ok(None)
        }
    }
}

/// The languages that are in use.
async fn languages(reader: &Reader<'_>) -> Result<Vec<Language>> {
    let rows: Vec<LanguageRow> =
        reader.rows("ir.lang", json!([["translatable", "=", true]]), &["code", "name"]).await?;
    let named = |row: LanguageRow| Some(Language { code: row.code?, name: row.name.unwrap_or_default() });
    let mut all: Vec<Language> = rows.into_iter().filter_map(named).collect();
    all.sort_by_key(|language| (language.code != "en", language.code.clone()));
    Ok(all)
}

/// The units of weight by what they weigh in kilograms, found by the kilogram's symbol.
async fn weight_units(reader: &Reader<'_>, warnings: &mut Vec<String>) -> Result<Vec<WeightUnit>> {
    let fields = ["symbol", "factor", "digits", "category"];
    let rows: Vec<UnitRow> = reader.rows("product.uom", json!([["active", "in", [true, false]]]), &fields).await?;
    let factor = |row: &UnitRow| row.factor.map(|factor| factor.0.0).filter(|factor| !factor.is_zero());
    let kilogram = rows.iter().find(|row| row.symbol.as_deref() == Some("kg"));
    let Some((kilogram, one)) = kilogram.and_then(|row| Some((row, factor(row)?))) else {
        warnings.push("no unit has the symbol `kg`: weights of products are neither read nor written".to_string());
        return Ok(Vec::new());
    };
    let unit = |row: &UnitRow| {
        let kilograms = factor(row)?.checked_div(one)?;
        Some(WeightUnit { id: row.id, kilograms, digits: row.digits.unwrap_or(0) })
    };
    let mut units: Vec<WeightUnit> =
        rows.iter().filter(|row| row.category == kilogram.category).filter_map(unit).collect();
    units.sort_by_key(|unit| (unit.id != kilogram.id, unit.id));
    Ok(units)
}

/// Every warehouse under the word the file knows it by.
fn warehouses(rows: Vec<PlaceRow>, warnings: &mut Vec<String>) -> Vec<Warehouse> {
    let mut all: Vec<Warehouse> = Vec::new();
    for row in rows {
        let name = row.name.unwrap_or_default();
        let place = row.code.filter(|code| !code.is_empty()).unwrap_or_else(|| name.clone());
        if all.iter().any(|known| known.place == place) {
            warnings.push(format!(
                "several warehouses are called `{place}`: the stock of the oldest is read; rename the others"
            ));
        } else {
            all.push(Warehouse { id: row.id, place, name });
        }
    }
    all
}

/// The product with `code` that charges of `name` are booked on.
pub(super) async fn charge_product(
    reader: &Reader<'_>,
    code: &str,
    name: &str,
    warnings: &mut Vec<String>,
) -> Result<Option<ChargeProduct>> {
    let rows: Vec<ProductRow> = reader.rows("product.product", json!([["code", "=", code]]), &PRODUCT_FIELDS).await?;
    if rows.len() > 1 {
        warnings.push(format!("several products have the code `{code}`: the oldest is used for {name}"));
    }
    let found =
        rows.first().and_then(|row| Some(ChargeProduct { id: row.id, unit: row.sale_unit.or(row.default_unit)? }));
    if found.is_none() {
        warnings.push(format!(
            "no product `{code}`: create a salable service with that code for {name}, or name another in the file"
        ));
    }
    Ok(found)
}
