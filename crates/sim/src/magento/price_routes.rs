//! The shop's answers about prices, as recorded where they were, else by Magento's own code.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::prices::{ALL_GROUPS, Place, Prices, Special, Tier, kept};
use super::products::Products;
use super::reply::{Answer, Refusal};
use super::value::{decimal, moment, number, plain, stamp};
use crate::catalogue::{Form, Item};

/// What is asked about prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PriceRoute {
    /// POST products/base-prices-information.
    Base,
    /// POST products/base-prices.
    SaveBase,
    /// POST products/special-price-information.
    Special,
    /// POST products/special-price.
    SaveSpecial,
    /// POST products/special-price-delete.
    DeleteSpecial,
    /// POST products/tier-prices-information.
    Tiers,
    /// POST products/tier-prices.
    SaveTiers,
    /// PUT products/tier-prices: what the SKUs had is gone.
    ReplaceTiers,
    /// POST products/tier-prices-delete.
    DeleteTiers,
}

impl PriceRoute {
    /// The route of a verb and the path after `products`.
    pub(super) fn of(method: &str, name: &str) -> Option<Self> {
        Some(match (method, name) {
            ("POST", "base-prices-information") => Self::Base,
            ("POST", "base-prices") => Self::SaveBase,
            ("POST", "special-price-information") => Self::Special,
            ("POST", "special-price") => Self::SaveSpecial,
            ("POST", "special-price-delete") => Self::DeleteSpecial,
            ("POST", "tier-prices-information") => Self::Tiers,
            ("POST", "tier-prices") => Self::SaveTiers,
            ("PUT", "tier-prices") => Self::ReplaceTiers,
            ("POST", "tier-prices-delete") => Self::DeleteTiers,
            _ => return None,
        })
    }
}

/// What an answer about prices is made of.
pub(super) struct Counter<'s> {
    pub(super) prices: &'s mut Prices,
    pub(super) products: &'s mut Products,
    /// Ids of the store views, each with its website's.
    pub(super) views: Vec<(u64, u64)>,
    /// Whether a read of a SKU nobody has is refused as a whole.
    pub(super) strict: bool,
}

/// The complaint about one row of a request that was answered 200.
fn complaint(message: impl Into<String>, parameters: &[&str]) -> Value {
    json!({"message": message.into(), "parameters": parameters})
}

fn no_product() -> Refusal {
    Refusal::new(404, "The product that was requested doesn't exist. Verify the product and try again.")
}

fn text<'v>(row: &'v Value, key: &str) -> &'v str {
    row.get(key).and_then(Value::as_str).unwrap_or("")
}

/// A number of a row; none where it is not there.
fn amount(row: &Value, key: &str) -> Result<Option<Decimal>, Refusal> {
    match row.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => decimal(value).map(Some).ok_or_else(|| {
            Refusal::new(400, format!(
                "Error occurred during \"{key}\" processing. The value's type is invalid. The \"float\" type was expected. \
                 Verify and try again."
            ))
        }),
    }
}

/// The id of a row's store view or website as the shop repeats it.
fn id_text(row: &Value, key: &str) -> String {
    row.get(key).and_then(decimal).map_or_else(String::new, plain)
}

fn shown(amount: Option<Decimal>) -> String {
    amount.map_or_else(String::new, plain)
}

/// Whether the shop takes prices of such a product; a family has none of its own.
fn has_prices(item: &Item) -> bool {
    !matches!(item.form, Form::Configurable { .. })
}

impl Counter<'_> {
    /// The answer to one request.
    pub(super) fn answer(&mut self, route: PriceRoute, body: &Value) -> Answer {
        match route {
            PriceRoute::Base => self.told(body, |prices, item, sku| prices.base_rows(item, sku)),
            PriceRoute::Special => self.told(body, |prices, item, sku| prices.special_rows(item, sku)),
            PriceRoute::Tiers => self.told(body, |prices, item, sku| prices.tier_rows(item, sku)),
            PriceRoute::SaveBase => self.save_base(rows(body)?),
            PriceRoute::SaveSpecial => self.specials(rows(body)?, true),
            PriceRoute::DeleteSpecial => self.specials(rows(body)?, false),
            PriceRoute::SaveTiers => self.tiers(rows(body)?, Change::Save),
            PriceRoute::ReplaceTiers => self.tiers(rows(body)?, Change::Replace),
            PriceRoute::DeleteTiers => self.tiers(rows(body)?, Change::Delete),
        }
    }

    /// The rows of every SKU that is there, spelled as it was asked for.
    fn told(&self, body: &Value, rows: impl Fn(&Self, &Item, &str) -> Vec<Value>) -> Answer {
        let skus = body.get("skus").and_then(Value::as_array).ok_or_else(|| Refusal::required("skus"))?;
        let mut told = Vec::new();
        for sku in skus.iter().filter_map(Value::as_str) {
            match self.products.find(sku).filter(|item| has_prices(item)) {
                Some(item) => told.extend(rows(self, item, sku)),
                None if self.strict => return Err(no_product()),
                None => {}
            }
        }
        Ok(Value::Array(told))
    }

    fn base_rows(&self, item: &Item, sku: &str) -> Vec<Value> {
        let base = self.products.base(item.product_id).map(|base| (0, base));
        let all = base.into_iter().chain(self.prices.views_of(item.product_id));
        all.map(|(view, amount)| json!({"price": number(amount), "store_id": view, "sku": sku})).collect()
    }

    fn special_rows(&self, item: &Item, sku: &str) -> Vec<Value> {
        let tell = |(view, special): (u64, &Special)| {
            json!({
                "price": number(special.amount), "store_id": view, "sku": sku,
                "price_from": special.from, "price_to": special.to,
            })
        };
        self.prices.specials_of(item.product_id).map(tell).collect()
    }

    fn tier_rows(&self, item: &Item, sku: &str) -> Vec<Value> {
        let tell = |(place, tier): (&Place, Tier)| {
            let (price, kind) = tier.told();
            json!({
                "price": number(price), "price_type": kind, "website_id": place.website, "sku": sku,
                "customer_group": self.prices.group_of(place), "quantity": number(place.quantity),
            })
        };
        self.prices.tiers_of(item.product_id).map(tell).collect()
    }

    /// Base prices: good rows are stored whatever the others are (recorded: base-price-row-errors). With prices that hold
    /// in all views, one for a view is one for all; else one for a view is one for its whole website
    /// (magento/magento2#32371).
    fn save_base(&mut self, rows: &[Value]) -> Answer {
        let mut complaints = Vec::new();
        for row in rows {
            let (sku, price, store) = (text(row, "sku"), amount(row, "price")?, id_text(row, "store_id"));
            let before = complaints.len();
            let invalid = "Invalid attribute %fieldName = %fieldValue.";
            if self.products.find(sku).and_then(|item| self.products.base(item.product_id)).is_none() {
                complaints.push(complaint(invalid, &["SKU", sku]));
            }
            if price.is_none_or(|price| price < Decimal::ZERO) {
                complaints.push(complaint(invalid, &["Price", &shown(price)]));
            }
            if !self.has_view(&store) {
                let message = format!("Requested store is not found. Row ID: SKU = {sku}, Store ID: {store}.");
                complaints.push(complaint(message, &[sku, &store]));
            }
            if let Some(price) = price.filter(|_| complaints.len() == before) {
                self.put_base(sku, &store, kept(price));
            }
        }
        Ok(Value::Array(complaints))
    }

    fn put_base(&mut self, sku: &str, store: &str, price: Decimal) {
        let site = self.views.iter().find(|(view, _)| view.to_string() == store).map(|(_, site)| *site);
        let id = self.products.find(sku).map(|item| item.product_id);
        match (id, site.filter(|_| self.prices.by_website)) {
            (Some(id), Some(site)) => {
                let views = self.views.iter().filter(|(_, of)| *of == site);
                self.prices.of_views.extend(views.map(|(view, _)| ((id, *view), price)));
            }
            _ => drop(self.products.set_base(sku, price)),
        }
    }

    fn has_view(&self, id: &str) -> bool {
        id == "0" || self.views.iter().any(|(view, _)| view.to_string() == id)
    }

    /// Special prices: good rows are stored, or taken away, whatever the others are (recorded: special-price-row-errors).
    /// A date that is not sent stays as it was; taking away looks at the SKU and the view alone.
    fn specials(&mut self, rows: &[Value], save: bool) -> Answer {
        let mut complaints = Vec::new();
        for row in rows {
            let before = complaints.len();
            self.check_special(row, &mut complaints)?;
            let id = self.products.find(text(row, "sku")).map(|item| item.product_id);
            let Some(id) = id.filter(|_| complaints.len() == before) else { continue };
            let view = row.get("store_id").and_then(decimal).and_then(|view| view.to_u64()).unwrap_or(0);
            if !save {
                self.prices.specials.remove(&(id, view));
                continue;
            }
            let special = self.prices.specials.entry((id, view)).or_default();
            special.amount = kept(amount(row, "price")?.unwrap_or_default());
            let told = |key: &str| Some(text(row, key)).filter(|time| !time.is_empty()).map(str::to_owned);
            special.from = told("price_from").or_else(|| special.from.take());
            special.to = told("price_to").or_else(|| special.to.take());
        }
        Ok(Value::Array(complaints))
    }

    fn check_special(&self, row: &Value, complaints: &mut Vec<Value>) -> Result<(), Refusal> {
        let (sku, store, price) = (text(row, "sku"), id_text(row, "store_id"), amount(row, "price")?);
        let (from, to) = (text(row, "price_from"), text(row, "price_to"));
        let mut complain = |first: Option<&str>, what: &str| {
            let message = format!("{what} Row ID: SKU = {sku}, Store ID: {store}, Price From: {from}, Price To: {to}.");
            let parameters: Vec<&str> = first.into_iter().chain([sku, &store, from, to]).collect();
            complaints.push(complaint(message, &parameters));
        };
        if self.products.find(sku).is_none_or(|item| !has_prices(item)) {
            complain(None, "The product that was requested doesn't exist. Verify the product and try again.");
        }
        if store != "0" && !self.prices.by_website {
            complain(None, "Could not change non global Price when price scope is global.");
        }
        if !self.has_view(&store) {
            complain(None, "Requested store is not found.");
        }
        if price.is_none_or(|price| price < Decimal::ZERO) {
            let price = shown(price);
            complain(Some(&price), &format!("Invalid attribute Price = {price}."));
        }
        // Both complaints tell the last day, whichever is wrong (recorded: special-price-row-errors).
        for (label, time) in [("Price From", from), ("Price To", to)] {
            if !time.is_empty() && moment(time).map(stamp).as_deref() != Some(time) {
                complain(Some(label), &format!("Invalid attribute {label} = {to}."));
            }
        }
        Ok(())
    }

    /// Tier prices: a SKU nobody has refuses all of the request (recorded: tier-price-row-errors), other bad rows only
    /// themselves. A tier of nothing is never taken away: the shop looks for its amount and takes 0 for none.
    fn tiers(&mut self, rows: &[Value], change: Change) -> Answer {
        if rows.iter().any(|row| self.products.find(text(row, "sku")).is_none()) {
            return Err(no_product());
        }
        let (mut complaints, mut good) = (Vec::new(), Vec::new());
        for row in rows {
            let before = complaints.len();
            let found = self.check_tier(row, rows, &mut complaints)?;
            good.extend(found.filter(|_| complaints.len() == before));
        }
        if change == Change::Replace {
            self.prices.tiers.retain(|old, _| !good.iter().any(|(place, _)| place.product == old.product));
        }
        for (place, tier) in good {
            match change {
                Change::Save | Change::Replace => drop(self.prices.tiers.insert(place, tier)),
                Change::Delete
                    if self.prices.tiers.get(&place) == Some(&tier) && tier != Tier::Fixed(Decimal::ZERO) =>
                {
                    self.prices.tiers.remove(&place);
                }
                Change::Delete => {}
            }
        }
        Ok(Value::Array(complaints))
    }

    /// The tier of a row, with a complaint for everything that is wrong with it.
    fn check_tier(
        &self,
        row: &Value,
        rows: &[Value],
        complaints: &mut Vec<Value>,
    ) -> Result<Option<(Place, Tier)>, Refusal> {
        let (sku, group, kind) = (text(row, "sku"), text(row, "customer_group"), text(row, "price_type"));
        let (price, quantity) = (amount(row, "price")?, amount(row, "quantity")?.unwrap_or_default());
        let (website, amount_of) = (id_text(row, "website_id"), plain(quantity));
        let row_id = "Row ID: SKU = %SKU, Website ID: %websiteId, Customer Group: %customerGroup, Quantity: %qty.";
        let mut complain = |first: Option<&str>, what: &str| {
            let parameters: Vec<&str> = first.into_iter().chain([sku, &website, group, &amount_of]).collect();
            complaints.push(complaint(format!("{what} {row_id}"), &parameters));
        };
        let item = self.products.find(sku).filter(|item| has_prices(item));
        if item.is_none() {
            complain(None, "Invalid attribute SKU = %SKU.");
        }
        let percent = kind == "discount";
        if price.is_none_or(|price| price < Decimal::ZERO || (percent && price > Decimal::ONE_HUNDRED)) {
            complain(Some(&shown(price)), "Invalid attribute Price = %price.");
        }
        let bundle = item.is_some_and(|item| matches!(item.form, Form::Bundle { .. }));
        if !matches!(kind, "fixed" | "discount") || (bundle && !percent) {
            complain(Some(kind), "Invalid attribute Price Type = %priceType.");
        }
        if quantity < Decimal::ONE {
            complain(None, "Invalid attribute Quantity = %qty.");
        }
        let site = self.views.iter().map(|(_, site)| *site).find(|site| site.to_string() == website);
        if website != "0" && (site.is_none() || !self.prices.by_website) {
            complain(None, "Invalid attribute Website ID = %websiteId.");
        }
        let same = |other: &&Value| {
            text(other, "sku") == sku
                && text(other, "customer_group").eq_ignore_ascii_case(group)
                && other.get("quantity").and_then(decimal) == Some(quantity)
                && [&website, "0"].contains(&id_text(other, "website_id").as_str())
        };
        let place = item.and_then(|item| self.prices.place(item.product_id, group, quantity, site.unwrap_or(0)));
        // A price of all websites and one of a single one exclude each other, whichever was there first.
        let apart = |other: &Place| {
            place.as_ref().is_some_and(|place| {
                let alike = Place { website: place.website, ..other.clone() };
                alike == *place && other.website != place.website && (other.website == 0 || place.website == 0)
            })
        };
        if rows.iter().filter(same).count() > 1 || self.prices.tiers.keys().any(apart) {
            let what = "We found a duplicate website, tier price, customer group and quantity: Customer Group = \
                        %customerGroup, Website ID = %websiteId, Quantity = %qty.";
            complain(None, what);
        }
        if place.is_none() && item.is_some() {
            complain(None, "No such entity with Customer Group = %customerGroup.");
        }
        let price = kept(price.unwrap_or_default());
        Ok(place.map(|place| (place, if percent { Tier::Percent(price) } else { Tier::Fixed(price) })))
    }
}

/// What a request does with tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Save,
    Replace,
    Delete,
}

fn rows(body: &Value) -> Result<&[Value], Refusal> {
    body.get("prices").and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| Refusal::required("prices"))
}

/// A group of customers made by `POST customerGroups` (recorded: group-create, group-create-again).
pub(super) fn make_group(prices: &mut Prices, body: &Value) -> Answer {
    let group = body.get("group").ok_or_else(|| Refusal::required("group"))?;
    let code = text(group, "code");
    if code.is_empty() {
        return Err(Refusal::required("code"));
    }
    if code.eq_ignore_ascii_case(ALL_GROUPS) || prices.groups.iter().any(|old| old.eq_ignore_ascii_case(code)) {
        return Err(Refusal::new(400, "Customer Group already exists."));
    }
    prices.groups.push(code.to_owned());
    Ok(json!({
        "id": prices.groups.len() - 1, "code": code, "tax_class_id": 3, "tax_class_name": "Retail Customer",
    }))
}
