//! What the ERP really holds, read past its API: the count a proof is made from.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::books::Books;

use super::read::{in_use, rec_name};
use super::store::Store;
use super::value::Val;
use super::{
    credits, drops, family, images, invoice, kits, parcels, payments, price, sale, shipping, stock, translate,
};

/// What there is of everything that a proof counts.
const LISTS: [&str; 12] = [
    "orders",
    "customers",
    "products",
    "categories",
    "families",
    "stock",
    "prices",
    "shipments",
    "drops",
    "invoices",
    "credits",
    "payments",
];

/// What depends on the day, too, and not on rows alone.
const OF_THE_DAY: [&str; 2] = ["stock", "prices"];

/// The lists told last, each with the count of changes before it was made.
pub type Told = RefCell<BTreeMap<&'static str, (u64, Arc<Value>)>>;

/// The books of the ERP; amounts and quantities as shortest decimal strings. What was told before is told again as long as
/// no row has changed.
pub fn books<'a>(store: &'a Store, told: &'a Told) -> Books<'a> {
    Books::of_shared(&LISTS, |name| {
        let known = told.borrow().get(name).filter(|(changes, _)| *changes == store.changes()).cloned();
        if let Some((_, list)) = known {
            return list;
        }
        let list = Arc::new(Value::Array(list(store, name)));
        if !OF_THE_DAY.contains(&name) {
            told.borrow_mut().insert(name, (store.changes(), list.clone()));
        }
        list
    })
}

impl super::Erp {
    /// Every sale at a glance, as the books tell it: without lines and money.
    pub fn sales_at_a_glance(&self) -> Vec<Value> {
        let sales = self.store.model("sale.sale").map(|at| self.store.ids(at)).into_iter().flatten();
        sales.map(|id| glance(&self.store, id)).collect()
    }

    /// The codes of the customers that the books tell of.
    pub fn customer_codes(&self) -> Vec<String> {
        customers(&self.store).map(|id| self.store.text("party.party", id, "code")).collect()
    }
}

fn glance(store: &Store, id: u64) -> Value {
    json!({"id": id, "number": store.value("sale.sale", id, "number").to_json(true),
        "reference": store.text("sale.sale", id, "reference"), "mark": mark(store, id), "state": state(store, id),
        "addresses": addresses(store, id)})
}

fn list(store: &Store, name: &str) -> Vec<Value> {
    let all = |model: &str| -> Vec<u64> { store.model(model).map(|at| store.ids(at).collect()).unwrap_or_default() };
    match name {
        "orders" => all("sale.sale").into_iter().map(|id| order(store, id)).collect(),
        "customers" => customers(store).map(|id| customer(store, id)).collect(),
        "products" => all("product.product").into_iter().map(|id| product(store, id)).collect(),
        "categories" => super::sorting::ledger(store),
        "families" => family::ledger(store),
        "stock" => stock::ledger(store),
        "prices" => price::ledger(store),
        "shipments" => parcels::ledger(store),
        "drops" => drops::ledger(store),
        "invoices" => invoice::ledger(store),
        "credits" => credits::ledger(store),
        "payments" => payments::ledger(store),
        _ => Vec::new(),
    }
}

/// A product with the texts of each language that has any, its weight in kilograms.
fn product(store: &Store, id: u64) -> Value {
    let template = store.value("product.product", id, "template").id().unwrap_or_default();
    let code = store.text("product.product", id, "code");
    let unit = store.value("product.template", template, "weight_uom").id();
    let factor = unit.and_then(|unit| store.value("product.uom", unit, "factor").number());
    let weight = store.value("product.template", template, "weight").number().zip(factor);
    let mut texts = serde_json::Map::new();
    let both = [("product.template", template, "name"), ("product.product", id, "description")];
    for (model, record, field) in both {
        for (language, text) in translate::all(store, model, record, field) {
            let own = texts.entry(language).or_insert_with(|| json!({"name": "", "description": ""}));
            own[field] = json!(text);
        }
    }
    let mut identifiers = serde_json::Map::new();
    for one in store.children("product.identifier", "product", id).unwrap_or_default() {
        let text = |field: &str| store.text("product.identifier", one, field);
        identifiers.entry(text("type")).or_insert_with(|| json!(text("code")));
    }
    let attributes = store.text("product.product", id, "attributes");
    let attributes = match store.value("product.template", template, "attribute_set").filled() {
        true => serde_json::from_str(&attributes).unwrap_or_else(|_| json!({})),
        false => Value::Null,
    };
    let categories = store.value("product.template", template, "categories").ids().to_vec();
    json!({"id": id, "sku": code, "code": code, "categories": categories, "identifiers": identifiers, "attributes": attributes,
        "images": images::ledger(store, id, template), "parts": kits::ledger(store, id, template), "name": store.text("product.template", template, "name"),
        "description": store.text("product.product", id, "description"),
        "active": in_use(store, "product.product", id),
        "weight": weight.map(|(weight, factor)| (weight * factor).normalize().to_string()), "texts": texts})
}

fn order(store: &Store, id: u64) -> Value {
    let text = |field: &str| store.text("sale.sale", id, field);
    let currency = store.value("sale.sale", id, "currency").id().unwrap_or_default();
    let total = sale::amounts(store, id).map(|amounts| amounts.total().normalize().to_string());
    let lines: Vec<Value> =
        sale::amount_lines(store, id).unwrap_or_default().into_iter().map(|line| row(store, line)).collect();
    let named =
        |field: &str, model: &str| store.value("sale.sale", id, field).id().map(|one| rec_name(store, model, one));
    json!({"id": id, "party": store.value("sale.sale", id, "party").id(), "number": store.value("sale.sale", id, "number").to_json(true), "reference": text("reference"),
        "company": named("company", "company.company"), "web_shop": named("web_shop", "web.shop"),
        "term": named("payment_term", "account.invoice.payment_term"),
        "day": store.value("sale.sale", id, "sale_date").to_json(true), "mark": mark(store, id), "state": state(store, id), "currency": store.text("currency.currency", currency, "code"),
        "posted": invoice::sum_of(store, id, &["posted", "paid"]), "paid": invoice::sum_of(store, id, &["paid"]),
        "refunded": credits::sum_of(store, id), "returns": credits::returned(store, id),
        "total": total.ok(), "lines": lines, "addresses": addresses(store, id)})
}

fn state(store: &Store, id: u64) -> &'static str {
    match store.text("sale.sale", id, "state").as_str() {
        "draft" | "quotation" => "draft",
        "cancelled" => "cancelled",
        "done" if is_given_up(store, id) => "cancelled",
        _ => "released",
    }
}

/// Whether all that was made of a sale was cancelled: it is done, and nothing came of it.
fn is_given_up(store: &Store, id: u64) -> bool {
    let invoices = invoice::of_sale(store, id).unwrap_or_default().into_iter().map(|one| (invoice::MODEL, one));
    let lines = sale::amount_lines(store, id).unwrap_or_default().into_iter();
    let moves = lines.flat_map(|line| shipping::moves_from(store, line).unwrap_or_default());
    let mut all = invoices.chain(moves.map(|one| ("stock.move", one))).peekable();
    all.peek().is_some() && all.all(|(model, one)| store.text(model, one, "state") == "cancelled")
}

/// What a sale is addressed to: the envelopes of its invoice and of its shipment, as its papers show them now.
fn addresses(store: &Store, sale: u64) -> Value {
    let of = |field: &str| envelope(store, store.value("sale.sale", sale, field).id());
    json!({"invoice": of("invoice_address"), "shipment": of("shipment_address")})
}

/// What an address puts on an envelope.
pub fn envelope(store: &Store, address: Option<u64>) -> Option<Value> {
    let id = address?;
    let text = |field: &str| store.text("party.address", id, field);
    Some(json!([text("party_name"), text("street_unstructured"), text("postal_code"), text("city")]))
}

/// The web id; where the installation has none, the last word of the description.
fn mark(store: &Store, id: u64) -> Option<String> {
    match store.value("sale.sale", id, "web_id") {
        Val::Text(text) if !text.is_empty() => Some(text),
        _ => store.text("sale.sale", id, "description").split_whitespace().last().map(str::to_owned),
    }
}

fn row(store: &Store, line: u64) -> Value {
    let product = store.value("sale.line", line, "product").id();
    let sku = product.map(|product| store.text("product.product", product, "code"));
    let quantity = store.value("sale.line", line, "quantity").number().unwrap_or_default();
    let total = sale::line_amount(store, line).map(|amount| amount.normalize().to_string());
    let shown =
        |number: Result<rust_decimal::Decimal, super::fail::Fail>| number.map(|one| one.normalize().to_string()).ok();
    let taxes = store.value("sale.line", line, "taxes");
    let taxes: Vec<String> = taxes.ids().iter().map(|tax| store.text("account.tax", *tax, "name")).collect();
    json!({"id": line, "parent": null, "sku": sku, "taxes": taxes, "qty": quantity.normalize().to_string(), "total": total.ok(),
        "price": store.value("sale.line", line, "unit_price").number().map(|price| price.normalize().to_string()), "shipped": shown(shipping::moved(store, line, shipping::Told::Left)),
        "invoiced": shown(invoice::in_force(store, line))})
}

/// The parties that are neither the company itself nor a web shop's guest.
fn customers(store: &Store) -> impl Iterator<Item = u64> {
    let pointed = |model: &'static str, field: &'static str| {
        let all = store.model(model).map(|at| store.ids(at)).into_iter().flatten();
        all.filter_map(move |one| store.value(model, one, field).id())
    };
    let others: Vec<u64> = pointed("company.company", "party").chain(pointed("web.shop", "guest_party")).collect();
    let parties = store.model("party.party").map(|at| store.ids(at)).into_iter().flatten();
    parties.filter(move |id| !others.contains(id))
}

fn customer(store: &Store, id: u64) -> Value {
    let below = |model: &str| store.children(model, "party", id).unwrap_or_default();
    let way = |form: &str| {
        let mut all = below("party.contact_mechanism").into_iter();
        let first = all.find(|one| store.text("party.contact_mechanism", *one, "type") == form);
        first.map(|one| store.text("party.contact_mechanism", one, "value"))
    };
    let tax_id = below("party.identifier").first().map(|one| store.text("party.identifier", *one, "code"));
    let addresses: Vec<Value> = below("party.address").into_iter().map(|one| address(store, one)).collect();
    json!({"id": id, "reference": store.text("party.party", id, "code"),
        "name": store.text("party.party", id, "name"), "email": way("email"), "phone": way("phone"),
        "tax_id": tax_id.unwrap_or_default(), "active": store.value("party.party", id, "active") == Val::Bool(true),
        "price_list": store.value("party.party", id, "sale_price_list").id()
            .map(|list| store.text("product.price_list", list, "name")),
        "addresses": addresses})
}

/// The party that is reached by this e-mail.
pub fn by_email(store: &Store, email: &str) -> Option<u64> {
    let at = store.model("party.contact_mechanism").ok()?;
    let found = store.ids(at).find(|one| store.text("party.contact_mechanism", *one, "value") == email)?;
    store.value("party.contact_mechanism", found, "party").id()
}

fn address(store: &Store, id: u64) -> Value {
    let text = |field: &str| store.text("party.address", id, field);
    json!({"id": id, "street": text("street_unstructured"), "postcode": text("postal_code"), "city": text("city"),
        "active": store.value("party.address", id, "active") == Val::Bool(true)})
}
