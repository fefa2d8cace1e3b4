//! The set-up of a fresh installation: company, money, places, taxes, the web shop and the catalogue's products.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Options;
use super::fail::Fail;
use super::family::{SIZE, SIZES};
use super::stock;
use super::store::Store;
use super::write::{create, write};
use crate::catalogue::{Form, Item, catalogue};
use crate::random::Random;

/// Countries with their subdivisions: `code;three letters;name`, subdivisions with the middle part empty.
const PLACES: &str = include_str!("places.txt");

/// Ids of the places that are named by others: the order they are made in.
const INPUT: u64 = 1;
const OUTPUT: u64 = 2;
const STORAGE: u64 = 3;
const LOST: u64 = 4;
const WAREHOUSE: u64 = 5;

/// The stream of the first stock, apart from every other under one seed.
const STOCK_TOPIC: u64 = 0x57_0C;

const MODULES: &[&str] = &[
    "account",
    "account_invoice",
    "account_invoice_stock",
    "account_product",
    "company",
    "country",
    "currency",
    "ir",
    "party",
    "product",
    "product_price_list",
    "res",
    "sale",
    "sale_price_list",
    "stock",
    "web_user",
];

/// Fills a fresh database.
pub fn fill(store: &mut Store, options: &Options) -> Result<(), Fail> {
    modules(store, options.web_shop)?;
    money(store)?;
    places(store)?;
    company(store)?;
    if options.web_shop {
        shop(store)?;
    }
    price_lists(store)?;
    sorts(store, options.web_shop)?;
    products(store, &catalogue(options.seed, options.products))?;
    goods(store, options.seed)?;
    if !options.empty {
        customers(store)?;
    }
    Ok(())
}

fn add(store: &mut Store, model: &str, rows: Vec<Value>) -> Result<Vec<u64>, Fail> {
    create(store, model, &rows)
}

fn decimal(number: Decimal) -> Value {
    json!({"__class__": "Decimal", "decimal": number.to_string()})
}

fn modules(store: &mut Store, web_shop: bool) -> Result<(), Fail> {
    let (more, last): (&[&str], &[&str]) =
        if web_shop { (&["product_measurements", "web_shop"], &["product_attribute"]) } else { (&[], &[]) };
    let names = more.iter().chain(MODULES).chain(last);
    add(store, "ir.module", names.map(|name| json!({"name": name, "state": "activated"})).collect())?;
    let languages = [("en", "English"), ("de", "German"), ("fr", "French")];
    let rows = languages.map(|(code, name)| json!({"code": code, "name": name, "translatable": true}));
    add(store, "ir.lang", rows.to_vec())?;
    add(
        store,
        "res.user",
        vec![json!({"name": "Administrator", "login": "admin"}), json!({"name": "Sync", "login": "sync"})],
    )?;
    Ok(())
}

fn money(store: &mut Store) -> Result<(), Fail> {
    let all = [
        ("EUR", "Euro", 2),
        ("USD", "US Dollar", 2),
        ("JPY", "Yen", 0),
        ("GBP", "Pound Sterling", 2),
        ("KWD", "Kuwaiti Dinar", 3),
    ];
    let rows = all.map(|(code, name, digits)| {
        json!({"code": code, "name": name, "symbol": code, "digits": digits, "rounding": decimal(Decimal::new(1, digits))})
    });
    add(store, "currency.currency", rows.to_vec())?;
    Ok(())
}

fn places(store: &mut Store) -> Result<(), Fail> {
    let mut country = Value::Null;
    for line in PLACES.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.splitn(3, ';').collect();
        match parts.as_slice() {
            [code, "", name] => {
                let row = json!({"country": country, "code": code, "name": name, "type": "state"});
                add(store, "country.subdivision", vec![row])?;
            }
            [code, long, name] => {
                let ids = add(store, "country.country", vec![json!({"code": code, "code3": long, "name": name})])?;
                country = json!(ids.first());
            }
            _ => {}
        }
    }
    Ok(())
}

fn company(store: &mut Store) -> Result<(), Fail> {
    add(store, "party.party", vec![json!({"name": "Syncline Test Co", "addresses": [["create", [{}]]]})])?;
    add(store, "company.company", vec![json!({"party": 1, "currency": 1})])?;
    add(store, "account.configuration", vec![json!({"tax_rounding": "document"})])?;
    add(store, "sale.configuration", vec![json!({"sale_invoice_method": "order", "sale_shipment_method": "order"})])?;
    let taxes = [("VAT 19%", Decimal::new(19, 2)), ("VAT 7%", Decimal::new(7, 2)), ("VAT 0%", Decimal::ZERO)];
    let rows =
        taxes.map(|(name, rate)| json!({"name": name, "description": name, "rate": decimal(rate), "company": 1}));
    add(store, "account.tax", rows.to_vec())?;
    add(store, "account.account", ["Main Receivable", "Main Revenue"].map(|name| json!({"name": name})).to_vec())?;
    add(store, "account.journal", vec![json!({"name": "Revenue"})])?;
    let terms = ["Immediate", "30 days"].map(|name| json!({"name": name}));
    add(store, "account.invoice.payment_term", terms.to_vec())?;
    add(store, "account.invoice.payment.method", vec![json!({"name": "Gateway", "company": 1})])?;
    add(store, "product.uom.category", vec![json!({"name": "Units"}), json!({"name": "Weight"})])?;
    let units = [
        ("Unit", "u", 1, 0, Decimal::ONE),
        ("Kilogram", "kg", 2, 2, Decimal::ONE),
        ("Gram", "g", 2, 2, Decimal::new(1, 3)),
        ("Pound", "lb", 2, 2, Decimal::new(45_359_237, 8)),
    ];
    let rows = units.map(|(name, symbol, category, digits, factor)| {
        json!({"name": name, "symbol": symbol, "category": category, "digits": digits, "factor": factor.to_string()})
    });
    add(store, "product.uom", rows.to_vec())?;
    locations(store)
}

/// The places Tryton comes with, in its order.
fn locations(store: &mut Store) -> Result<(), Fail> {
    let place = |name: &str, code: Option<&str>, kind: &str| json!({"name": name, "code": code, "type": kind});
    let rows = [
        place("Input Zone", Some("IN"), "storage"),
        place("Output Zone", Some("OUT"), "storage"),
        place("Storage Zone", Some("STO"), "storage"),
        place("Lost and Found", None, "lost_found"),
        json!({"name": "Warehouse", "code": "WH", "type": "warehouse", "input_location": INPUT, "output_location": OUTPUT,
            "storage_location": STORAGE, "lost_found_location": LOST}),
        place("Supplier", Some("SUP"), "supplier"),
        place("Customer", Some("CUS"), "customer"),
        place("Transit", None, "storage"),
    ];
    add(store, "stock.location", rows.to_vec())?;
    Ok(())
}

/// What the warehouse holds at first: 20 to 500 of each thing that is counted, by the seed.
fn goods(store: &mut Store, seed: u64) -> Result<(), Fail> {
    let products: Vec<u64> = store.ids(store.model("product.product")?).collect();
    for product in products.into_iter().filter(|id| stock::is_stocked(store, *id)).collect::<Vec<_>>() {
        let found = Random::of(seed, STOCK_TOPIC, product).between(20, 500);
        stock::done(store, product, Decimal::from(found), (LOST, STORAGE), None)?;
    }
    Ok(())
}

/// Two price lists that nobody has finished: without a base their formulas come to nothing.
fn price_lists(store: &mut Store) -> Result<(), Fail> {
    let lists = [("Prices without tax", false, "unit_price"), ("Prices with tax", true, "unit_price * 1.19")];
    let rows = lists.map(|(name, taxed, formula)| {
        json!({"name": name, "tax_included": taxed, "lines": [["create", [{"formula": formula}]]]})
    });
    add(store, "product.price_list", rows.to_vec()).map(drop)
}

fn shop(store: &mut Store) -> Result<(), Fail> {
    let guest = add(store, "party.party", vec![json!({"name": "Webshop Guest", "addresses": [["create", [{}]]]})])?;
    let row = json!({"name": "Webshop", "company": 1, "currency": 1, "guest_party": guest.first(),
        "warehouses": [["add", [WAREHOUSE]]]});
    add(store, "web.shop", vec![row])?;
    Ok(())
}

/// A template with one variant per thing sold: the children of a configurable share one, whose code they begin with, and
/// differ in size.
fn products(store: &mut Store, items: &[Item]) -> Result<(), Fail> {
    let mut families = BTreeMap::new();
    for item in items {
        if let Form::Configurable { children } = &item.form {
            let id = template(store, &item.name, "goods", item)?;
            write(store, "product.template", &[id], &json!({"code": item.sku}))?;
            families
                .extend(children.iter().zip(SIZES).map(|(child, (size, _))| (child.as_str(), (id, &item.sku, size))));
        }
    }
    for item in items {
        let kind = match item.form {
            Form::Simple => "goods",
            Form::Virtual => "service",
            Form::Configurable { .. } | Form::Bundle { .. } => continue,
        };
        let id = match families.get(item.sku.as_str()) {
            Some((template, code, size)) => {
                let suffix = item.sku.strip_prefix(code.as_str()).unwrap_or(&item.sku);
                let id = variant(store, *template, suffix, Some(item.net_price))?;
                if store.schema.model("product.product")?.has("attributes") {
                    write(store, "product.product", &[id], &json!({"attributes": {SIZE: size}}))?;
                }
                id
            }
            None => {
                let own = template(store, &item.name, kind, item)?;
                variant(store, own, &item.sku, None)?
            }
        };
        // Half of what lies on shelves has a barcode.
        if kind == "goods" && item.product_id % 2 == 0 {
            let code = ean(item.product_id);
            add(store, "product.identifier", vec![json!({"product": id, "type": "ean", "code": code})])?;
        }
    }
    for (code, name, category) in [
        ("SHIPPING", "Shipping", 1),
        ("ROUNDING", "Rounding", UNTAXED),
        ("FEE", "Fee", UNTAXED),
        ("ADJUSTMENT", "Adjustment", UNTAXED),
    ] {
        let row = json!({"name": name, "type": "service", "default_uom": 1, "sale_uom": 1, "salable": true,
            "list_price": decimal(Decimal::ZERO), "account_category": category});
        let id = add(store, "product.template", vec![row])?.first().copied().unwrap_or_default();
        variant(store, id, code, None)?;
    }
    Ok(())
}

fn template(store: &mut Store, name: &str, kind: &str, item: &Item) -> Result<u64, Fail> {
    let category = TAXED.iter().position(|rate| item.tax_percent == Decimal::from(*rate)).map(|at| at + 1);
    let mut row = json!({"name": name, "type": kind, "default_uom": 1, "sale_uom": 1, "salable": true,
        "list_price": decimal(item.net_price), "account_category": category});
    if kind == "goods" && store.schema.model("product.template").is_ok_and(|model| model.has("attribute_set")) {
        row["attribute_set"] = json!(1);
    }
    Ok(add(store, "product.template", vec![row])?.first().copied().unwrap_or_default())
}

/// A variant's id; with a price of its own where it differs from its family's.
fn variant(store: &mut Store, template: u64, suffix: &str, price: Option<Decimal>) -> Result<u64, Fail> {
    let row = json!({"template": template, "suffix_code": suffix, "own_list_price": price.map(decimal)});
    Ok(add(store, "product.product", vec![row])?.first().copied().unwrap_or_default())
}

/// The rates of the accounting categories in their order; behind them stands that of services without tax.
const TAXED: [u32; 3] = [19, 7, 0];
const UNTAXED: usize = TAXED.len() + 1;

/// What products are sorted by: accounting categories, and attributes where that module is there.
fn sorts(store: &mut Store, attributes: bool) -> Result<(), Fail> {
    let named = |(at, rate): (usize, &u32)| json!({"name": format!("Goods VAT {rate}%"), "accounting": true, "customer_taxes": [["add", [at + 1]]]});
    let mut rows: Vec<Value> = TAXED.iter().enumerate().map(named).collect();
    rows.push(json!({"name": "Services without tax", "accounting": true}));
    add(store, "product.category", rows)?;
    if !attributes {
        return Ok(());
    }
    add(store, "product.attribute.set", vec![json!({"name": "Goods"})])?;
    let sizes = SIZES.map(|(key, label)| format!("{key}:{label}")).join("\n");
    let rows = [
        ("colour", "Colour", "selection", Some("red:Red\nblue:Blue\ngreen:Größer & grün")),
        ("material", "Material", "multiselection", Some("wool:Wool\ncotton:Cotton\nsteel:Steel")),
        ("maker", "Maker", "char", None),
        ("watts", "Watts", "numeric", None),
        ("washable", "Washable", "boolean", None),
        (SIZE, "Size", "selection", Some(sizes.as_str())),
    ];
    let rows = rows.map(|(name, string, sort, selection)| {
        json!({"name": name, "string": string, "type_": sort, "selection": selection, "sets": [["add", [1]]]})
    });
    add(store, "product.attribute", rows.to_vec()).map(drop)
}

/// A barcode of thirteen digits out of the range that is given to nobody, for one product.
fn ean(product_id: u64) -> String {
    let body = format!("20{product_id:010}");
    let weighed =
        body.bytes().rev().enumerate().map(|(at, digit)| u64::from(digit - b'0') * if at % 2 == 0 { 3 } else { 1 });
    let sum: u64 = weighed.sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// Customers the merchant has had before there was a shop; their codes come from the sequence.
fn customers(store: &mut Store) -> Result<(), Fail> {
    let known = [
        ("Bäckerei Ährenkranz", "einkauf@aehrenkranz.example", "Fulda"),
        ("Holz & Söhne KG", "buero@holz-soehne.example", "Wien"),
    ];
    for (name, mail, city) in known {
        let row = json!({"name": name, "addresses": [["create", [{"street": "Marktplatz 1", "city": city}]]],
            "contact_mechanisms": [["create", [{"type": "email", "value": mail}]]]});
        add(store, "party.party", vec![row])?;
    }
    Ok(())
}
