//! What one shop is: version, rights, websites, time zones, and the rows its mapping tables can point to.

use super::Magento;
use super::client::{Client, Scope, Search};
use super::levels::{DEFAULT_SOURCE, Facts};
use super::lists;
use super::map;
use super::profile::{ATTRIBUTES, one_quantity};
use super::website::Site;
use super::wire::{Group, Source, StoreConfig, TaxRate, Text, Website};
use crate::wire::Exact;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Choice, Ctx, Error, Probe, Result};
use syncline_core::kind::Kind;
use syncline_core::money;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Profile;

/// Tax rates and customer groups listed at most.
const ROWS: usize = 2000;

/// What is read of the shop, with the resource an integration needs for it.
const RIGHTS: [(&str, &str); 3] = [
    ("orders", "Magento_Sales::actions_view (Sales > Operations > Orders > Actions > View)"),
    ("customers/search", "Magento_Customer::customer (Customers > All Customers)"),
    ("products", "Magento_Catalog::products (Catalog > Inventory > Products)"),
];

/// What stock needs, where the rights are given.
const STOCK_RIGHTS: &str = "the resources Magento_InventoryApi::source, ::stock, ::stock_source_link and \
                            ::stock_source_item_assign and Magento_InventorySalesApi::stock (Stores > Inventory)";
/// What stock needs in a shop without sources.
const SINGLE_RIGHT: &str = "the resource Magento_CatalogInventory::cataloginventory (Catalog > Inventory)";
/// What prices need.
const PRICE_RIGHT: &str = "the resource Magento_Catalog::catalog (Catalog)";
/// What each sort of paper needs: the list it is looked for in, the request that makes one of an order nobody has, and the
/// resources.
const PAPERS: [(Kind, &str, &str, &str); 3] = [
    (
        Kind::Shipment,
        "shipments",
        "order/0/ship",
        "the resources Magento_Sales::shipment and ::ship (Sales > Operations > Shipments, and Orders > Actions > Ship)",
    ),
    (
        Kind::Invoice,
        "invoices",
        "order/0/invoice",
        "the resources Magento_Sales::sales_invoice and ::invoice (Sales > Operations > Invoices, and Orders > Actions > Invoice)",
    ),
    (
        Kind::Credit,
        "creditmemos",
        "order/0/refund",
        "the resources Magento_Sales::sales_creditmemo and ::creditmemo (Sales > Operations > Credit Memos, and Orders > Actions > Credit Memos)",
    ),
];
/// A SKU that no product has.
const NOBODYS_SKU: &str = "syncline-asks-whether-it-may";

/// The probe of a shop.
///
/// # Errors
/// `Denied` naming the resource that is missing; what else the shop refuses.
pub(super) async fn probe(shop: &Magento, ctx: &Ctx) -> Result<Probe> {
    let (client, profile) = (&shop.client, &shop.profile);
    let setup =
        client.setup(ctx).await.map_err(|error| lacking(error, "Magento_Backend::store (Stores > Settings)"))?;
    let (views, websites, configs) = setup;
    rights(client, ctx).await?;
    let site = client.site_of(ctx, &views, &websites).await?;
    let locales = client.locales(&views, &configs, site.as_ref());
    let mut warnings = one_of_several(site.as_ref(), &websites);
    let mut choices = BTreeMap::from([("websites".to_owned(), websites.iter().filter_map(website).collect())]);
    let configs: Vec<StoreConfig> = match &site {
        Some(site) => configs.into_iter().filter(|config| site.views.contains(&config.id.0)).collect(),
        None => configs,
    };
    let taxes = client.all::<TaxRate>(ctx, "taxRates/search", "code", ROWS).await;
    let taxes = optional(taxes, "tax rates", "Magento_Tax::manage_tax", &mut warnings)?;
    choices.insert("taxes".to_owned(), taxes.iter().map(tax).collect());
    let groups = client.all::<Group>(ctx, "customerGroups/search", "id", ROWS).await;
    let groups = optional(groups, "customer groups", "Magento_Customer::group", &mut warnings)?;
    choices.insert("customer_groups".to_owned(), groups.iter().map(group).collect());
    choices.insert("currencies".to_owned(), currencies(&configs));
    let mut profile = profile.clone();
    let of_website = site.is_some();
    let lists = price_lists(shop, ctx, (&groups, &locales.bases, of_website), &mut profile, &mut warnings).await?;
    choices.insert("price_lists".to_owned(), lists);
    choices.insert("attributes".to_owned(), attributes(shop, ctx, &mut profile, &mut warnings).await?);
    let code = site.as_ref().map(|site| site.code.as_str());
    choices.insert("sources".to_owned(), places(client, ctx, code, &mut profile, &mut warnings).await?);
    if shop.papers {
        papers(client, ctx, &mut profile, &mut warnings).await;
    }
    let modules = client.get::<Vec<Text>>(ctx, "modules").await.map(|names| (names, false));
    let modules = optional(modules, "modules", "Magento_Backend::setup_wizard", &mut warnings)?;
    let number = client.version(ctx).await;
    let home = |config: &&StoreConfig| site.as_ref().is_none_or(|site| config.code.0 != site.home);
    let first = configs.iter().min_by_key(|config| (home(config), config.id.0));
    warnings.extend(oddities(&configs));
    warnings.extend(locales.warnings);
    Ok(Probe {
        version: version(number, &modules),
        profile,
        scopes: websites.iter().filter(|s| s.id.0 != 0).map(|s| (s.id.0.to_string(), s.name.0.clone())).collect(),
        zone: first.and_then(zone_of),
        choices,
        warnings,
    })
}

/// Asks for a row of everything that is read.
///
/// # Errors
/// `Denied` naming the resource that is missing.
async fn rights(client: &Client, ctx: &Ctx) -> Result<()> {
    for (resource, right) in RIGHTS {
        let search = Search {
            scope: Scope::DEFAULT,
            resource,
            filters: vec![],
            any: &[],
            sort: vec!["entity_id"],
            size: 1,
            page: 1,
            fields: "total_count",
        };
        client.list(ctx, &search).await.map_err(|trouble| lacking(trouble.error, right))?;
    }
    Ok(())
}

/// The attributes of products that are carried, with what each holds. One that is not there or cannot be is told of, and
/// stays as it is.
async fn attributes(
    shop: &Magento,
    ctx: &Ctx,
    profile: &mut Profile,
    warnings: &mut Vec<String>,
) -> Result<Vec<Choice>> {
    let mut choices = Vec::new();
    for code in &shop.wanted {
        match shop.attribute(ctx, code).await? {
            Ok(one) => {
                let hint = one.form.word().to_owned();
                choices.push(Choice { code: code.clone(), title: one.title, hint });
            }
            Err(why) => warnings.push(format!("`attributes.{code}` of products stays as it is: {why}")),
        }
    }
    if let Some(variants) = profile.kinds.get_mut(&Kind::Variant) {
        for paths in [&mut variants.reads, &mut variants.writes] {
            paths.retain(|path| path != ATTRIBUTES);
            paths.extend(choices.iter().map(|choice| format!("attributes.{}", choice.code)));
        }
    }
    Ok(choices)
}

/// The places quantities can be written to. Where a shop has none, or we may not see them, there is a warning and no
/// stock: orders cross all the same.
async fn places(
    client: &Client,
    ctx: &Ctx,
    site: Option<&str>,
    profile: &mut Profile,
    warnings: &mut Vec<String>,
) -> Result<Vec<Choice>> {
    let (sources, stocks, links) = match client.places(ctx).await {
        Ok(Some(places)) => places,
        Ok(None) => return one_place(client, ctx, profile, warnings).await,
        Err(error) if error.kind == ErrorKind::Denied => {
            profile.kinds.remove(&Kind::Stock);
            warnings.push(format!("stock cannot be synchronised: {STOCK_RIGHTS} are needed"));
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    // A SKU nobody has: what counts is whether we may ask.
    let path = format!("inventory/get-product-salable-quantity/{NOBODYS_SKU}/1");
    if let Err(error) = client.get::<Exact>(ctx, &path).await
        && error.kind == ErrorKind::Denied
    {
        profile.kinds.remove(&Kind::Stock);
        warnings.push(format!("stock cannot be synchronised: {STOCK_RIGHTS} are needed ({})", error.message));
    }
    let facts = Facts::new(&sources, &stocks, &links, site);
    // What the other websites sell from is none of this one's.
    let ours = |source: &&Source| site.is_none() || facts.counts(&source.source_code.0);
    Ok(sources.iter().filter(ours).map(|source| place(source, &facts)).collect())
}

/// The one place of a shop without sources, where we may set its quantities.
async fn one_place(
    client: &Client,
    ctx: &Ctx,
    profile: &mut Profile,
    warnings: &mut Vec<String>,
) -> Result<Vec<Choice>> {
    // A SKU nobody has: what counts is whether we may ask.
    match client.get::<Value>(ctx, &format!("stockItems/{NOBODYS_SKU}")).await {
        Err(error) if error.kind == ErrorKind::Denied => {
            profile.kinds.remove(&Kind::Stock);
            warnings.push(format!("stock cannot be synchronised: {SINGLE_RIGHT} is needed ({})", error.message));
            return Ok(Vec::new());
        }
        Err(error) if error.kind != ErrorKind::Gone => return Err(error),
        _ => {}
    }
    if let Some(stock) = profile.kinds.get_mut(&Kind::Stock) {
        one_quantity(stock);
    }
    let title = "One quantity of each product (no Multi Source Inventory)".to_owned();
    Ok(vec![Choice { code: DEFAULT_SOURCE.to_owned(), title, hint: String::new() }])
}

/// Leaves out papers that we may not look for or make, with a warning: orders cross all the same.
async fn papers(client: &Client, ctx: &Ctx, profile: &mut Profile, warnings: &mut Vec<String>) {
    for (kind, resource, making, rights) in PAPERS {
        let search = Search {
            scope: Scope::DEFAULT,
            resource,
            filters: vec![("order_id", "eq", "0".to_owned())],
            any: &[],
            sort: vec!["entity_id"],
            size: 1,
            page: 1,
            fields: "total_count",
        };
        let listed = client.list(ctx, &search).await.err().map(|trouble| trouble.error);
        let unlisted = listed.as_ref().is_some_and(|error| error.kind == ErrorKind::Denied);
        // There is no order 0, so nothing can be made of it: what counts is whether we may ask.
        let made = client.ask::<Value>(ctx, making, &json!({})).await.err();
        let denied = listed.into_iter().chain(made).find(|error| error.kind == ErrorKind::Denied);
        if let Some(error) = denied {
            profile.kinds.remove(&kind);
            // What was taken is told by the shop's invoices.
            if kind == Kind::Invoice && unlisted {
                profile.kinds.remove(&Kind::Payment);
            }
            warnings.push(format!("{} cannot be made: {rights} are needed ({})", kind.plural(), error.message));
        }
    }
}

/// The lists prices are in. Where they cannot be read or have no one currency, there is a warning and no prices.
async fn price_lists(
    shop: &Magento,
    ctx: &Ctx,
    (groups, bases, of_website): (&[Group], &BTreeSet<String>, bool),
    profile: &mut Profile,
    warnings: &mut Vec<String>,
) -> Result<Vec<Choice>> {
    // A SKU nobody has: what counts is whether we may ask.
    let asked =
        shop.client.ask::<Value>(ctx, "products/base-prices-information", &json!({"skus": [NOBODYS_SKU]})).await;
    let why = match asked {
        Err(error) if error.kind == ErrorKind::Denied => Some(format!("{PRICE_RIGHT} is needed")),
        Err(error) if matches!(error.kind, ErrorKind::Gone | ErrorKind::Invalid) => None,
        Err(error) if error.kind == ErrorKind::Config => Some(error.message),
        Err(error) => return Err(error),
        Ok(_) => None,
    };
    let why = match why {
        None if of_website => match shop.one_price_for_all(ctx).await {
            Err(error) if error.kind == ErrorKind::Denied => {
                Some("the resource Magento_Catalog::attributes_attributes is needed to see whose prices are".to_owned())
            }
            told => told?.map(str::to_owned),
        },
        told => told,
    };
    let currency = match (why, lists::currency(bases)) {
        (None, Ok(currency)) => currency.to_string(),
        (Some(why), _) | (None, Err(why)) => {
            profile.kinds.remove(&Kind::Price);
            warnings.push(format!("prices cannot be synchronised: {why}"));
            return Ok(Vec::new());
        }
    };
    let own = [
        (lists::BASE.to_owned(), "Price".to_owned()),
        (lists::SPECIAL.to_owned(), "Special price".to_owned()),
        (lists::EVERYBODY.to_owned(), "Prices by quantity: all groups".to_owned()),
    ];
    let of_group =
        |group: &Group| Some((lists::list_of(&group.code.0)?, format!("Prices by quantity: {}", group.code.0)));
    let all = own.into_iter().chain(groups.iter().filter_map(of_group));
    Ok(all.map(|(code, title)| Choice { code, title, hint: currency.clone() }).collect())
}

/// A website by its code; the back office is none.
fn website(site: &Website) -> Option<Choice> {
    (site.id.0 != 0).then(|| Choice { code: site.code.0.clone(), title: site.name.0.clone(), hint: String::new() })
}

/// That several websites are taken as one, where the file names none of them.
fn one_of_several(site: Option<&Site>, websites: &[Website]) -> Vec<String> {
    let codes: Vec<&str> = websites.iter().filter(|site| site.id.0 != 0).map(|site| site.code.0.as_str()).collect();
    let [_, second, ..] = codes.as_slice() else { return Vec::new() };
    let told = format!(
        "its websites ({}) are taken as one shop; `website = \"{second}\"` in a system of its own tells them apart",
        codes.join(", ")
    );
    if site.is_some() { Vec::new() } else { vec![told] }
}

fn place(source: &Source, facts: &Facts) -> Choice {
    let code = source.source_code.0.clone();
    let name = source.name.as_ref().map_or_else(|| code.clone(), |name| name.0.clone());
    let title = match facts.counts(&code) {
        true => name,
        false if source.enabled.is_some_and(|flag| !flag.0) => format!("{name} (disabled)"),
        false => format!("{name} (no website sells from it)"),
    };
    Choice { code, title, hint: String::new() }
}

/// A refusal for want of a right, with the right by its name.
fn lacking(mut error: Error, right: &str) -> Error {
    if error.kind == ErrorKind::Denied && error.message.contains("authorized to access") {
        error.message = format!("{}; needed: the resource {right}", error.message);
    }
    error
}

/// Rows that are not needed for orders to cross: without the right to them there is a warning.
fn optional<T>(rows: Result<(Vec<T>, bool)>, what: &str, right: &str, warnings: &mut Vec<String>) -> Result<Vec<T>> {
    match rows {
        Ok((rows, more)) => {
            if more {
                warnings.push(format!("only the first {ROWS} {what} are listed"));
            }
            Ok(rows)
        }
        Err(error) if error.kind == ErrorKind::Denied => {
            warnings.push(format!("the {what} cannot be read: the resource {right} is missing"));
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

fn tax(rate: &TaxRate) -> Choice {
    let percent = rate.rate.map(|exact| money::settled(exact.0, 4).normalize().to_string());
    let country = rate.tax_country_id.as_ref().map_or("", |country| country.0.as_str());
    let title = format!("{} {country}", rate.code.0);
    Choice { code: rate.code.0.clone(), title: title.trim().to_owned(), hint: percent.unwrap_or_default() }
}

fn group(group: &Group) -> Choice {
    Choice { code: group.id.0.to_string(), title: group.code.0.clone(), hint: String::new() }
}

fn currencies(configs: &[StoreConfig]) -> Vec<Choice> {
    let told = configs.iter().flat_map(|c| [&c.base_currency_code, &c.default_display_currency_code]);
    let codes: BTreeSet<&str> = told.flatten().map(|code| code.0.as_str()).collect();
    let choice = |code: &str| Choice { code: code.to_owned(), title: code.to_owned(), hint: code.to_owned() };
    codes.into_iter().map(choice).collect()
}

fn zone_of(config: &StoreConfig) -> Option<String> {
    config.timezone.as_ref().map(|zone| zone.0.clone())
}

/// What a person should know about how the shop is set up.
fn oddities(configs: &[StoreConfig]) -> Vec<String> {
    let mut warnings = Vec::new();
    let bases: BTreeSet<&str> =
        configs.iter().filter_map(|c| Some(c.base_currency_code.as_ref()?.0.as_str())).collect();
    if bases.len() > 1 {
        let list = bases.into_iter().collect::<Vec<_>>().join(", ");
        warnings
            .push(format!("the websites have several base currencies ({list}); orders are read in their own currency"));
    }
    let zones: BTreeSet<String> = configs.iter().filter_map(zone_of).collect();
    for zone in zones.iter().filter(|zone| map::zone(zone).is_none()) {
        warnings.push(format!("the time zone `{zone}` is not known; days of its orders are taken in UTC"));
    }
    if zones.len() > 1 {
        let list = zones.into_iter().collect::<Vec<_>>().join(", ");
        warnings.push(format!("the store views have several time zones ({list}); an order's day is its view's"));
    }
    warnings
}

fn version(number: Option<String>, modules: &[Text]) -> String {
    let commerce = modules.iter().any(|module| module.0 == "Magento_CustomerBalance");
    let edition = if commerce { "Adobe Commerce" } else { "Magento Open Source" };
    match number {
        Some(number) => format!("Magento {number}"),
        None if modules.is_empty() => "Magento 2".to_owned(),
        None => format!("{edition}, {} modules", modules.len()),
    }
}
