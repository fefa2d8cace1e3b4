//! From Magento's shapes to records: all business meaning, no talk. Pure.

use super::figures;
use super::weight::Unit;
use super::wire;
use crate::wire::Exact;
use jiff::{Timestamp, civil, tz::TimeZone};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Error, Result};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Ref, Target, Value as LeafValue};
use syncline_core::money::{self, Currency, Money};
use syncline_core::policy::ErrorKind;
use syncline_core::record::{
    Address, Changed, Charge, Customer, Had, Line, LineForm, Order, OrderLife, Payment, Record, SoldTo, Tax, Texts,
    Totals, Variant,
};
use syncline_core::rules::Branch;
use syncline_core::text::{email_key, phone, shown};

/// Decimals Magento keeps of an amount (`DECIMAL(20,4)` columns).
const SCALE: u32 = 4;
/// The attribute a description stands in.
pub(super) const DESCRIPTION: &str = "description";
/// The scope of an order whose website is not known any more.
pub(super) const NO_SCOPE: &str = "0";

/// Which website and which time zone a store view has.
#[derive(Debug, Clone, Default)]
pub(super) struct Stores {
    views: BTreeMap<u64, u64>,
    websites: BTreeMap<String, u64>,
    zones: BTreeMap<u64, TimeZone>,
    default_zone: Option<TimeZone>,
}

impl Stores {
    /// The table out of the three lists; a zone that is not in the database counts as UTC (a warning of the probe).
    pub(super) fn new(views: &[wire::StoreView], websites: &[wire::Website], configs: &[wire::StoreConfig]) -> Self {
        let zone = |config: &wire::StoreConfig| config.timezone.as_ref().and_then(|name| zone(&name.0));
        let zones: BTreeMap<u64, TimeZone> = configs.iter().filter_map(|c| Some((c.id.0, zone(c)?))).collect();
        Self {
            views: views.iter().map(|view| (view.id.0, view.website_id.0)).collect(),
            websites: websites.iter().map(|site| (site.name.0.clone(), site.id.0)).collect(),
            default_zone: zones.values().next().cloned(),
            zones,
        }
    }

    /// The ids of the views in the table.
    pub(super) fn views(&self) -> impl Iterator<Item = u64> {
        self.views.keys().copied()
    }

    /// Whether the view is in the table.
    pub(super) fn knows(&self, store: Option<wire::Id>) -> bool {
        store.is_none_or(|id| self.views.contains_key(&id.0))
    }

    /// The website of an order, as scope: by its store view; by the name it keeps of it (`Website\nGroup\nView`)
    /// where the view was deleted, so that the order's id stays what it was; `0` where neither is known.
    pub(super) fn scope(&self, store: Option<wire::Id>, name: Option<&wire::Text>) -> String {
        let by_view = store.and_then(|id| self.views.get(&id.0));
        let by_name = || name.and_then(|text| text.0.lines().next()).and_then(|site| self.websites.get(site.trim()));
        by_view.or_else(by_name).map_or_else(|| NO_SCOPE.to_owned(), u64::to_string)
    }

    /// The time zone of a store view; the first view's where it is not known.
    pub(super) fn zone(&self, store: Option<wire::Id>) -> TimeZone {
        let own = store.and_then(|id| self.zones.get(&id.0));
        own.or(self.default_zone.as_ref()).cloned().unwrap_or(TimeZone::UTC)
    }
}

/// The time zone of an IANA name, where the database has it.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name.trim()).ok()
}

/// The moment of `YYYY-MM-DD HH:MM:SS`, which Magento writes in UTC without saying so.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let local: civil::DateTime = text.trim().replacen(' ', "T", 1).parse().ok()?;
    TimeZone::UTC.to_ambiguous_zoned(local).compatible().ok().map(|zoned| zoned.timestamp())
}

pub(super) fn invalid(what: String) -> Error {
    Error::new(ErrorKind::Invalid, what)
}

fn filled(text: Option<&wire::Text>) -> Option<String> {
    text.map(|t| t.0.trim()).filter(|t| !t.is_empty()).map(str::to_owned)
}

/// The amount of a column, float artefacts taken off; 0 where it is not told.
pub(super) fn amount(column: Option<Exact>) -> Decimal {
    column.map_or(Decimal::ZERO, |exact| money::settled(exact.0, SCALE))
}

fn full_name(parts: [Option<&wire::Text>; 3]) -> Option<String> {
    let words: Vec<String> = parts.into_iter().filter_map(filled).collect();
    if words.is_empty() { None } else { Some(words.join(" ")) }
}

/// The records of an order's document: the order, then its customer.
///
/// # Errors
/// `Invalid` naming the field and what stands in it.
pub(super) fn order(doc: &wire::Order, stores: &Stores) -> Result<Vec<(RemoteId, Record)>> {
    let place = format!("order {}", shown(&doc.increment_id.0, 40));
    let scope = stores.scope(doc.store_id, doc.store_name.as_ref());
    let currency: Currency = doc
        .order_currency_code
        .0
        .parse()
        .map_err(|error| invalid(format!("{place}: `order_currency_code`: {error}")))?;
    let placed = moment(&doc.created_at.0).ok_or_else(|| {
        invalid(format!("{place}: `created_at` is `{}`, which is no time", shown(&doc.created_at.0, 40)))
    })?;
    // A line without is no line of nothing: every line tells of both, so the answer is of another shape.
    let lacking = |item: &wire::Item| {
        let told = [("qty_ordered", item.qty_ordered.is_some()), ("sku", item.sku.is_some())];
        told.into_iter().find(|(_, told)| !told).map(|(field, _)| (item.item_id.0, field))
    };
    if let Some((line, field)) = doc.items.iter().find_map(lacking) {
        return Err(Error::new(ErrorKind::Broken, format!("{place}: line {line} tells no `{field}`")));
    }
    let (customer_id, buyer) = buyer(doc, &scope);
    let reference = |address: Option<Address>| {
        address.map(|a| Ref {
            kind: Kind::Customer,
            to: Target::Remote(customer_id.clone()),
            alias: None,
            element: Some(Customer::address_path(&a.key())),
        })
    };
    let figures = figures::read(doc).map_err(|what| invalid(format!("{place}: {what}")))?;
    let money = |amount| Money::new(amount, currency);
    let record = Order {
        number: Some(doc.increment_id.0.clone()),
        reference: filled(doc.ext_order_id.as_ref()),
        life: Some(life(doc).map_err(|what| invalid(format!("{place}: {what}")))?),
        stage: None,
        fixed: None,
        in_hand: None,
        left: None,
        in_force: None,
        cart: doc.quote_id.filter(|id| id.0 != 0).map(|id| id.0.to_string()),
        placed: Some(placed),
        day: Some(placed.to_zoned(stores.zone(doc.store_id)).date()),
        currency: Some(currency),
        customer: Some(Ref::remote(Kind::Customer, customer_id.clone())),
        billing: reference(billing(doc)),
        shipping: reference(shipping(doc)),
        sold_to: sold_to(doc, &buyer),
        branch: Branch::default(),
        payment: payment(doc, currency),
        lines: doc.items.iter().map(|item| line(doc, item, &figures, currency)).collect(),
        charges: freight(doc, &figures, currency),
        totals: Totals {
            grand: Some(money(amount(Some(doc.grand_total)))),
            tax: Some(money(amount(Some(doc.tax_amount)))),
        },
    };
    let id = RemoteId::new(scope, doc.entity_id.0.to_string());
    Ok(vec![(id, Record::Order(Box::new(record))), (customer_id, Record::Customer(buyer))])
}

/// What taxes go by: where the goods go, or the buyer is where nothing is sent, and whether a tax number was shown.
fn sold_to(doc: &wire::Order, buyer: &Customer) -> SoldTo {
    let to = shipping(doc).or_else(|| billing(doc)).unwrap_or_default();
    SoldTo { country: to.country, region: to.region, business: Some(buyer.tax_id.is_some()) }
}

/// Where an order stands, by its state; the status is a shop's own word and says nothing more.
fn life(doc: &wire::Order) -> std::result::Result<OrderLife, String> {
    Ok(match doc.state.0.as_str() {
        "new" | "processing" => OrderLife::Open,
        "holded" => OrderLife::Held,
        "pending_payment" | "payment_review" => OrderLife::Pending,
        "canceled" => OrderLife::Cancelled,
        "complete" => OrderLife::Done,
        "closed" => OrderLife::Closed,
        other => return Err(format!("`state` is `{}`, which Magento does not have", shown(other, 40))),
    })
}

fn payment(doc: &wire::Order, currency: Currency) -> Payment {
    let told = doc.payment.as_ref().map(|bag| &bag.0);
    let paid = amount(doc.total_paid);
    let promised = told.map_or(Decimal::ZERO, |payment| amount(payment.amount_authorized));
    Payment {
        method: told.and_then(|payment| filled(payment.method.as_ref())),
        authorised: Some(
            matches!(doc.state.0.as_str(), "processing" | "complete" | "closed")
                || paid > Decimal::ZERO
                || promised > Decimal::ZERO,
        ),
        captured: Some(Money::new(paid, currency)),
        po_number: told.and_then(|payment| filled(payment.po_number.as_ref())),
    }
}

fn line(doc: &wire::Order, item: &wire::Item, figures: &figures::Figures, currency: Currency) -> (String, Line) {
    let money = |amount| Money::new(amount, currency);
    let told = figures.line(item.item_id);
    let line = Line {
        parent: item.parent_item_id.filter(|id| id.0 != 0).map(|id| id.0.to_string()),
        form: Some(form(item)),
        sku: filled(item.sku.iter().flatten().next()),
        name: filled(item.name.as_ref()),
        variant: variant_of(doc, item),
        quantity: item.qty_ordered.map(|quantity| money::settled(quantity.0, SCALE)),
        had: if figures::is_folded(doc, item) { Had::default() } else { had(item) },
        net: told.map(|row| money(row.net)),
        discount: told.map(|_| money(amount(item.discount_amount).abs())),
        tax: told.map(|row| money(row.tax)),
        taxes: if told.is_some() { taxes_of(doc, item) } else { Tax::new() },
    };
    (item.item_id.0.to_string(), line)
}

/// How far a line has come. Of a child folded into a configurable its parent tells: what is shipped or refunded stands there
/// (recorded: order-lines-after, where the child of three shipped pieces says 0).
fn had(item: &wire::Item) -> Had {
    let told = |column: Option<Exact>| column.map(|exact| money::settled(exact.0, SCALE));
    Had {
        shipped: told(item.qty_shipped),
        invoiced: told(item.qty_invoiced),
        refunded: told(item.qty_refunded),
        cancelled: told(item.qty_canceled),
    }
}

fn form(item: &wire::Item) -> LineForm {
    match item.product_type.as_ref().map_or("", |text| text.0.as_str()) {
        "virtual" | "downloadable" => LineForm::Virtual,
        "configurable" => LineForm::Configurable,
        "bundle" => LineForm::Bundle,
        _ => LineForm::Simple,
    }
}

/// What a line sells: the product by its SKU, behind it the product's id. A configurable line prints its child's
/// SKU but names the family's id (recorded: order-configurable), so there the child's id is the one behind the SKU.
fn variant_of(doc: &wire::Order, item: &wire::Item) -> Option<Ref> {
    let sku = filled(item.sku.iter().flatten().next())?;
    let child = || doc.items.iter().find(|other| other.parent_item_id == Some(item.item_id));
    let named = if form(item) == LineForm::Configurable { child().unwrap_or(item) } else { item };
    let alias = named.product_id.filter(|id| id.0 != 0).map(|id| format!("id:{}", id.0));
    Some(Ref { kind: Kind::Variant, to: Target::Remote(RemoteId::new("", sku)), alias, element: None })
}

/// A line's taxes by code: told on the line (2.4.7 and later) or in the order's list; by rate where no code is told.
fn taxes_of(doc: &wire::Order, item: &wire::Item) -> Tax {
    let mut taxes = Tax::new();
    let itemized = item.extension_attributes.0.itemized_taxes.iter().flatten();
    for tax in itemized.filter(|tax| tax.taxable_item_type.as_ref().is_none_or(|sort| sort.0 == "product")) {
        put_tax(&mut taxes, tax.tax_code.as_ref(), tax.tax_percent);
    }
    let listed = doc.extension_attributes.0.item_applied_taxes.iter().flatten();
    for row in listed.filter(|row| is(row, "product") && row.item_id == Some(item.item_id)) {
        for tax in row.applied_taxes.iter().flatten() {
            put_tax(&mut taxes, tax.code.as_ref(), tax.percent);
        }
    }
    let percent = amount(item.tax_percent);
    if taxes.is_empty() && !amount(item.tax_amount).is_zero() && !percent.is_zero() {
        taxes.insert(format!("{}%", percent.normalize()), percent);
    }
    taxes
}

fn is(row: &wire::ItemTaxes, sort: &str) -> bool {
    row.sort.as_ref().is_some_and(|told| told.0 == sort)
}

fn put_tax(taxes: &mut Tax, code: Option<&wire::Text>, percent: Option<Exact>) {
    if let (Some(code), Some(percent)) = (filled(code), percent) {
        taxes.insert(code, money::settled(percent.0, SCALE));
    }
}

/// The freight as a charge, where it costs anything.
fn freight(doc: &wire::Order, figures: &figures::Figures, currency: Currency) -> BTreeMap<String, Charge> {
    let (net, tax) = (figures.shipping, amount(doc.shipping_tax_amount));
    if net.is_zero() && tax.is_zero() {
        return BTreeMap::new();
    }
    let mut taxes = Tax::new();
    let told = &doc.extension_attributes.0;
    for row in told.item_applied_taxes.iter().flatten().filter(|row| is(row, "shipping")) {
        for tax in row.applied_taxes.iter().flatten() {
            put_tax(&mut taxes, tax.code.as_ref(), tax.percent);
        }
    }
    let of_freight = |tax: &&wire::ItemizedTax| tax.taxable_item_type.as_ref().is_some_and(|sort| sort.0 == "shipping");
    for tax in told.additional_itemized_taxes.iter().flatten().filter(of_freight) {
        put_tax(&mut taxes, tax.tax_code.as_ref(), tax.tax_percent);
    }
    // Where the whole order knows one tax only, the freight's tax is that one.
    if taxes.is_empty()
        && !tax.is_zero()
        && let Some([only]) = told.applied_taxes.as_deref()
    {
        put_tax(&mut taxes, only.code.as_ref(), only.percent);
    }
    let charge = Charge {
        title: filled(doc.shipping_description.as_ref()),
        net: Some(Money::new(net, currency)),
        tax: Some(Money::new(tax, currency)),
        taxes,
    };
    BTreeMap::from([("shipping".to_owned(), charge)])
}

fn billing(doc: &wire::Order) -> Option<Address> {
    doc.billing_address.as_ref().and_then(|bag| address(&bag.0))
}

fn shipping(doc: &wire::Order) -> Option<Address> {
    if doc.is_virtual.is_some_and(|flag| flag.0) {
        return None;
    }
    let assignments = doc.extension_attributes.0.shipping_assignments.iter().flatten();
    assignments.filter_map(|assignment| assignment.shipping.0.address.as_ref()).find_map(|bag| address(&bag.0))
}

fn address(told: &wire::Address) -> Option<Address> {
    let address = Address {
        name: full_name([told.firstname.as_ref(), told.middlename.as_ref(), told.lastname.as_ref()]),
        company: filled(told.company.as_ref()),
        street: street(&told.street),
        postcode: filled(told.postcode.as_ref()),
        city: filled(told.city.as_ref()),
        country: filled(told.country_id.as_ref()),
        region: filled(told.region_code.as_ref()).or_else(|| filled(told.region.as_ref())),
        phone: filled(told.telephone.as_ref()),
    };
    (address != Address::default()).then_some(address)
}

fn street(told: &wire::Street) -> Option<String> {
    let rows: Vec<&str> = told.0.iter().map(|row| row.trim()).filter(|row| !row.is_empty()).collect();
    if rows.is_empty() { None } else { Some(rows.join("\n")) }
}

/// The buyer as the order tells them, with their id: a registered customer, a guest by e-mail, or the order's own guest.
fn buyer(doc: &wire::Order, scope: &str) -> (RemoteId, Customer) {
    let invoice = doc.billing_address.as_ref().map(|bag| &bag.0);
    let email = filled(doc.customer_email.as_ref()).or_else(|| filled(invoice.and_then(|a| a.email.as_ref())));
    let id = match (doc.customer_id.filter(|id| id.0 != 0), &email) {
        (Some(id), _) => id.0.to_string(),
        (None, Some(email)) => format!("guest:{}", email_key(email)),
        (None, None) => format!("guest:{}", doc.entity_id.0),
    };
    let own = [doc.customer_firstname.as_ref(), doc.customer_middlename.as_ref(), doc.customer_lastname.as_ref()];
    let (to_bill, to_ship) = (billing(doc), shipping(doc));
    let name = full_name(own)
        .or_else(|| to_bill.as_ref().and_then(|address| address.name.clone().or_else(|| address.company.clone())));
    let tax_id = filled(doc.customer_taxvat.as_ref()).or_else(|| filled(invoice.and_then(|a| a.vat_id.as_ref())));
    let addresses = [to_bill, to_ship].into_iter().flatten().map(|address| (address.key(), address)).collect();
    (RemoteId::new(scope, id), Customer { name, email, tax_id, addresses, ..Customer::default() })
}

/// The scope of a website; `0` where none is told.
pub(super) fn website(id: Option<wire::Id>) -> String {
    id.map_or_else(|| NO_SCOPE.to_owned(), |id| id.0.to_string())
}

/// A registered customer. What it does not have is told as nothing; its telephone is that of the address it is billed at.
pub(super) fn customer(doc: &wire::Customer) -> (RemoteId, Customer) {
    let book: Vec<&wire::CustomerAddress> = doc.addresses.iter().flatten().collect();
    let tax_id = filled(doc.taxvat.as_ref()).or_else(|| book.iter().find_map(|a| filled(a.vat_id.as_ref())));
    let billed = book.iter().find(|row| row.default_billing.is_some_and(|flag| flag.0)).or(book.first());
    let telephone = billed.and_then(|row| filled(row.telephone.as_ref())).map(|number| phone(&number));
    let told = |text: Option<String>| Some(text.unwrap_or_default());
    let record = Customer {
        name: told(full_name([doc.firstname.as_ref(), doc.middlename.as_ref(), doc.lastname.as_ref()])),
        email: told(filled(doc.email.as_ref())),
        tax_id: told(tax_id),
        phone: told(telephone),
        // Told by id; what it is called the shop says elsewhere.
        group: None,
        code: None,
        active: None,
        replaced_by: None,
        addresses: book.iter().filter_map(|row| kept_in_book(row)).collect(),
    };
    (RemoteId::new(website(doc.website_id), doc.id.0.to_string()), record)
}

/// An address of a customer's book with its key; one without an id goes by what it says.
pub(super) fn kept_in_book(row: &wire::CustomerAddress) -> Option<(String, Address)> {
    let address = address(&wire::Address {
        firstname: row.firstname.clone(),
        middlename: row.middlename.clone(),
        lastname: row.lastname.clone(),
        company: row.company.clone(),
        street: row.street.clone(),
        postcode: row.postcode.clone(),
        city: row.city.clone(),
        country_id: row.country_id.clone(),
        region: row.region.0.region.clone(),
        region_code: row.region.0.region_code.clone(),
        telephone: row.telephone.clone(),
        vat_id: None,
        email: None,
    })?;
    let key = row.id.map_or_else(|| address.key(), |id| Customer::book_key(&id.0.to_string()));
    Some((key, address))
}

/// What a product's address in the shop ends with: letters and digits of name and SKU, with hyphens between.
pub(super) fn url_key(name: &str, sku: &str) -> String {
    let whole = format!("{name} {sku}").to_lowercase();
    let words: Vec<&str> =
        whole.split(|one: char| !one.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}

/// A product as a variant; its SKU is its address in the API. What it does not have is told as nothing.
///
/// # Errors
/// `Invalid` naming the field and what stands in it.
pub(super) fn variant(
    doc: &wire::Product,
    texts: BTreeMap<String, Texts>,
    unit: Unit,
    attributes: std::result::Result<BTreeMap<String, Option<LeafValue>>, String>,
    images: Option<super::images::Images>,
) -> Result<(RemoteId, Variant)> {
    let place = || format!("product `{}`", shown(&doc.sku.0, 60));
    let told = doc.weight.map_or(Decimal::ZERO, |exact| exact.0);
    let weight = unit.kilograms(told).ok_or_else(|| invalid(format!("{}: `weight` is too large", place())))?;
    let record = Variant {
        sku: Some(doc.sku.0.clone()),
        form: filled(doc.type_id.as_ref()),
        active: doc.status.as_ref().map(|status| status.0 == "1"),
        serial: Some(doc.id.0.to_string()),
        // What is not shipped as it is has no weight of its own, and keeps none that is written.
        weight: doc.type_id.as_ref().is_none_or(|form| form.0 == "simple").then_some(weight),
        attributes: attributes.map_err(|why| invalid(format!("{}: {why}", place())))?,
        categories: categories(doc),
        images,
        composition: super::bundles::composition(doc),
        family: None,
        texts,
        changed: Changed { at: doc.updated_at.as_ref().and_then(|time| moment(&time.0)), by: None },
    };
    Ok((RemoteId::new("", doc.sku.0.clone()), record))
}

/// The ids of the categories a product stands in; none where the answer tells no attributes.
fn categories(doc: &wire::Product) -> Option<BTreeSet<String>> {
    let row = doc.custom_attributes.as_ref()?.iter().find(|row| row.attribute_code.0 == "category_ids");
    let ids = row.and_then(|row| row.value.as_array()).into_iter().flatten();
    Some(ids.filter_map(|id| wire::typed::<wire::Text>(id).ok()).map(|id| id.0).collect())
}

/// The texts of a product in the scope it was read in. An answer without attributes does not tell of a description; one
/// with attributes and without that one tells that there is none.
///
/// # Errors
/// `Invalid` where the description is no text.
pub(super) fn texts(doc: &wire::Product) -> Result<Texts> {
    let row = |rows: &Vec<wire::Attribute>| rows.iter().find(|row| row.attribute_code.0 == DESCRIPTION).cloned();
    let description = match doc.custom_attributes.as_ref().map(row) {
        None => None,
        Some(None) => Some(String::new()),
        Some(Some(row)) => Some(match row.value {
            Value::Null => String::new(),
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            other => {
                let what = format!("`{}` is no text", shown(&other.to_string(), 40));
                return Err(invalid(format!("product `{}`: `{DESCRIPTION}`: {what}", shown(&doc.sku.0, 60))));
            }
        }),
    };
    Ok(Texts { name: doc.name.as_ref().map(|name| name.0.clone()), description })
}
