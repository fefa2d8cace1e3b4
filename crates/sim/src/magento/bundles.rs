//! Bundles: their options, what a buyer gets or may choose in each, and the requests that change them.
//!
//! Recorded: bundle-create, bundle-get. What the requests do and refuse is taken from Magento's own code (`LinkManagement`,
//! `OptionRepository`, `Option\SaveAction` and `ReadHandler` of module Bundle, 2.4): an option that is added again is there
//! twice; adding one saves its product, which stamps it, and neither changing a link nor deleting an option does; a bundle
//! without options tells none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::products::{Products, type_id};
use super::reply::{Answer, Refusal};
use super::value::{decimal, id, number, plain, stamp};
use super::{Shop, body};
use crate::catalogue::{Form, Item};
use crate::http::Request;

/// The option before the first one that the recorded shop's bundle has, and the link likewise.
const BEFORE: u64 = 2;
/// Decimals a quantity keeps.
const DIGITS: u32 = 4;

/// What is asked of bundles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BundleRoute {
    /// GET bundle-products/{sku}/options/all.
    Options(String),
    /// POST bundle-products/options/add.
    Add,
    /// DELETE bundle-products/{sku}/options/{optionId}.
    Remove(String, String),
    /// PUT bundle-products/{sku}/links/{id}.
    Link(String),
}

impl BundleRoute {
    /// The route of a verb and the path behind `bundle-products`.
    pub(super) fn of(method: &str, path: &[&str]) -> Option<Self> {
        Some(match (method, path) {
            ("GET", [sku, "options", "all"]) => Self::Options((*sku).to_owned()),
            ("POST", ["options", "add"]) => Self::Add,
            ("DELETE", [sku, "options", option]) => Self::Remove((*sku).to_owned(), (*option).to_owned()),
            ("PUT", [sku, "links", _]) => Self::Link((*sku).to_owned()),
            _ => return None,
        })
    }
}

/// One option of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    id: u64,
    title: String,
    required: bool,
    sort: String,
    position: u64,
    links: Vec<Link>,
}

/// One product of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    id: u64,
    product_id: u64,
    quantity: Decimal,
    position: u64,
    is_default: bool,
    /// Whether buyers say how many.
    open: bool,
}

/// The options of every bundle, by its id.
#[derive(Debug)]
pub(super) struct Bundles {
    by_product: BTreeMap<u64, Vec<Choice>>,
    /// Those that leave in one piece.
    pub(super) together: BTreeSet<u64>,
    last_choice: u64,
    last_link: u64,
}

impl Default for Bundles {
    fn default() -> Self {
        Self { by_product: BTreeMap::new(), together: BTreeSet::new(), last_choice: BEFORE, last_link: BEFORE }
    }
}

impl Bundles {
    fn of(&self, product_id: u64) -> &[Choice] {
        self.by_product.get(&product_id).map_or(&[], Vec::as_slice)
    }

    /// Gives what one product had to another one.
    pub(super) fn hand_over(&mut self, from: u64, to: u64) {
        let had = self.by_product.remove(&from);
        self.by_product.extend(had.map(|choices| (to, choices)));
    }

    /// Takes a product out of every bundle, as its deletion does.
    pub(super) fn forget(&mut self, product_id: u64) {
        for choice in self.by_product.values_mut().flatten() {
            choice.links.retain(|link| link.product_id != product_id);
        }
    }

    /// Adds an option that everybody gets, or that may be left out; its id.
    fn add(&mut self, product_id: u64, title: &str, required: bool, sort: &str, position: u64) -> u64 {
        self.last_choice += 1;
        let (id, title, sort) = (self.last_choice, title.to_owned(), sort.to_owned());
        let choice = Choice { id, title, required, sort, position, links: Vec::new() };
        self.by_product.entry(product_id).or_default().push(choice);
        id
    }

    /// Puts a product into an option.
    fn put(&mut self, product_id: u64, option: u64, part: u64, quantity: Decimal, open: bool) {
        let choices = self.by_product.get_mut(&product_id).into_iter().flatten();
        for choice in choices.filter(|choice| choice.id == option) {
            self.last_link += 1;
            let position = u64::try_from(choice.links.len()).unwrap_or_default() + 1;
            let (id, is_default) = (self.last_link, choice.links.is_empty());
            let quantity = quantity.round_dp(DIGITS);
            choice.links.push(Link { id, product_id: part, quantity, position, is_default, open });
        }
    }

    fn link_mut(&mut self, id: u64) -> Option<&mut Link> {
        self.by_product.values_mut().flatten().flat_map(|choice| &mut choice.links).find(|link| link.id == id)
    }
}

impl Products {
    /// Gives every bundle of the catalogue an option for each of its parts.
    pub(super) fn found_bundles(&mut self) {
        let bundles: Vec<(u64, Vec<(String, u32)>)> = self
            .all()
            .filter_map(|item| match &item.form {
                Form::Bundle { parts } => Some((item.product_id, parts.clone())),
                _ => None,
            })
            .collect();
        for (bundle, parts) in bundles {
            for ((sku, quantity), place) in parts.iter().zip(1..) {
                let Some((part, name)) = self.find(sku).map(|part| (part.product_id, part.name.clone())) else {
                    continue;
                };
                let option = self.bundles.add(bundle, &name, true, "select", place);
                self.bundles.put(bundle, option, part, Decimal::from(*quantity), false);
            }
        }
    }

    /// The answer to what is asked of bundles.
    pub(super) fn bundle(&mut self, now: Timestamp, route: &BundleRoute, body: &Value) -> Answer {
        match route {
            BundleRoute::Options(sku) => Ok(self.told_options_of(self.composed(sku)?)),
            BundleRoute::Add => {
                let option = body.get("option").ok_or_else(|| Refusal::required("option"))?;
                self.add_bundle_option(now, option)
            }
            BundleRoute::Remove(sku, option) => {
                let product = self.composed(sku)?.product_id;
                self.remove_bundle_option(product, option.parse().unwrap_or_default())
            }
            BundleRoute::Link(sku) => {
                self.composed(sku)?;
                self.save_link(body.get("linkedProduct").ok_or_else(|| Refusal::required("linkedProduct"))?)
            }
        }
    }

    /// What a bundle tells of its options; nothing of another product, or where it has none.
    pub(super) fn told_bundle(&self, item: &Item) -> Option<Value> {
        let is_bundle = matches!(item.form, Form::Bundle { .. }) && !self.bundles.of(item.product_id).is_empty();
        is_bundle.then(|| self.told_options_of(item))
    }

    /// What the shop holds of a bundle, for the ledger: by SKU how many a buyer gets who leaves everything as it is, and
    /// how many options there are.
    pub(super) fn bundle_ledger(&self, item: &Item) -> Option<[(&'static str, Value); 2]> {
        let Form::Bundle { .. } = &item.form else { return None };
        let choices = self.bundles.of(item.product_id);
        let mut parts: BTreeMap<&str, Decimal> = BTreeMap::new();
        for link in choices.iter().flat_map(|choice| &choice.links).filter(|link| link.is_default) {
            let sku = self.numbered(link.product_id).map_or("", |part| part.sku.as_str());
            *parts.entry(sku).or_default() += link.quantity;
        }
        let parts: BTreeMap<&str, String> = parts.into_iter().map(|(sku, quantity)| (sku, plain(quantity))).collect();
        Some([("parts", json!(parts)), ("bundle_options", json!(choices.len()))])
    }

    fn composed(&self, sku: &str) -> Result<&Item, Refusal> {
        let item = self.find(sku).ok_or_else(Refusal::no_product)?;
        match item.form {
            Form::Bundle { .. } => Ok(item),
            _ => Err(Refusal::new(400, "This is implemented for bundle products only.")),
        }
    }

    fn told_options_of(&self, item: &Item) -> Value {
        let link = |choice: &Choice, link: &Link| {
            let part = self.numbered(link.product_id)?;
            Some(json!({
                "id": link.id.to_string(), "sku": part.sku, "option_id": choice.id, "qty": number(link.quantity),
                "position": link.position, "is_default": link.is_default, "price": self.price_of(part),
                "price_type": null, "can_change_quantity": u8::from(link.open),
            }))
        };
        let told = |choice: &Choice| {
            let links: Vec<Value> = choice.links.iter().filter_map(|one| link(choice, one)).collect();
            json!({"option_id": choice.id, "title": choice.title, "required": choice.required, "type": choice.sort,
                "position": choice.position, "sku": item.sku, "product_links": links})
        };
        Value::Array(self.bundles.of(item.product_id).iter().map(told).collect())
    }

    /// The id of a new option. Of a product that does not go in, the option stays without it, for it was saved first.
    fn add_bundle_option(&mut self, now: Timestamp, option: &Value) -> Answer {
        let text = |field: &str| option.get(field).and_then(Value::as_str).unwrap_or_default();
        let product = self.composed(text("sku"))?.product_id;
        let required = option.get("required").and_then(Value::as_bool).unwrap_or_default();
        let position = option.get("position").and_then(Value::as_u64).unwrap_or_default();
        let made = self.bundles.add(product, text("title"), required, text("type"), position);
        for link in option.get("product_links").and_then(Value::as_array).into_iter().flatten() {
            let sku = link.get("sku").and_then(Value::as_str).unwrap_or_default();
            let part = self.part(sku)?;
            let quantity = link.get("qty").and_then(decimal).unwrap_or_default();
            let open = link.get("can_change_quantity").and_then(decimal).is_some_and(|flag| !flag.is_zero());
            self.bundles.put(product, made, part, quantity, open);
        }
        self.stamp(product, stamp(now));
        Ok(json!(made))
    }

    fn part(&self, sku: &str) -> Result<u64, Refusal> {
        let part = self.find(sku).ok_or_else(Refusal::no_product)?;
        match type_id(&part.form) {
            "simple" | "virtual" => Ok(part.product_id),
            _ => Err(Refusal::new(400, "The bundle product can't contain another composite product.")),
        }
    }

    fn remove_bundle_option(&mut self, product_id: u64, option: u64) -> Answer {
        let choices = self.bundles.by_product.entry(product_id).or_default();
        let before = choices.len();
        choices.retain(|choice| choice.id != option);
        if choices.len() == before {
            let text = "The option that was requested doesn't exist. Verify the entity and try again.";
            return Err(Refusal::new(404, text));
        }
        Ok(json!(true))
    }

    /// Saves the fields of a link that are given; all others stay.
    fn save_link(&mut self, told: &Value) -> Answer {
        let part = self.part(told.get("sku").and_then(Value::as_str).unwrap_or_default())?;
        let Some(wanted) = told.get("id").and_then(id) else {
            return Err(Refusal::new(400, "The product link needs an ID field entered. Enter and try again."));
        };
        let Some(link) = self.bundles.link_mut(wanted) else {
            let text = "The product link with the \"%1\" ID field wasn't found. Verify the ID and try again.";
            return Err(Refusal::listed(400, text, json!([wanted.to_string()])));
        };
        link.product_id = part;
        if let Some(quantity) = told.get("qty").and_then(decimal) {
            link.quantity = quantity.round_dp(DIGITS);
        }
        if let Some(flag) = told.get("can_change_quantity").and_then(decimal) {
            link.open = !flag.is_zero();
        }
        if let Some(flag) = told.get("is_default").and_then(Value::as_bool) {
            link.is_default = flag;
        }
        Ok(json!(true))
    }
}

impl Shop {
    /// The answer to what is asked of bundles.
    pub(super) fn bundles(&mut self, now: Timestamp, route: &BundleRoute, request: &Request) -> Answer {
        let body = if request.method == "GET" { Value::Null } else { body(request)? };
        self.products.bundle(now, route, &body)
    }

    /// Sets how many of a part everybody gets who buys a bundle, as a person in the back office does: adds the part where it
    /// is not in it, takes it out where there are to be none. False where there is no such bundle, or no such part for it.
    pub fn set_part(&mut self, now: Timestamp, bundle: &str, part: &str, quantity: Decimal) -> bool {
        let (Ok(bundle), Ok(part)) = (self.products.composed(bundle), self.products.part(part)) else { return false };
        let (bundle, name) =
            (bundle.product_id, self.products.numbered(part).map(|item| item.name.clone()).unwrap_or_default());
        let bundles = &mut self.products.bundles;
        let choices = bundles.by_product.entry(bundle).or_default();
        let place = u64::try_from(choices.len()).unwrap_or_default() + 1;
        let mut links = choices.iter_mut().flat_map(|choice| &mut choice.links);
        match links.find(|link| link.product_id == part) {
            Some(link) if !quantity.is_zero() => link.quantity = quantity,
            Some(_) => choices.retain(|choice| choice.links.iter().all(|link| link.product_id != part)),
            None => {
                let option = bundles.add(bundle, &name, true, "select", place);
                bundles.put(bundle, option, part, quantity, false);
            }
        }
        self.products.stamp(bundle, stamp(now));
        true
    }

    /// Lets buyers of a bundle choose another product in the place of a part, as a person in the back office does. False where
    /// the part is not in it, or the other one goes into no bundle.
    pub fn offer_instead(&mut self, now: Timestamp, bundle: &str, part: &str, other: &str) -> bool {
        let (Ok(bundle), Ok(part)) = (self.products.composed(bundle), self.products.part(part)) else { return false };
        let (bundle, Ok(other)) = (bundle.product_id, self.products.part(other)) else { return false };
        let choices = self.products.bundles.of(bundle).iter();
        let mut with = choices.filter(|choice| choice.links.iter().any(|link| link.product_id == part));
        let Some(option) = with.next().map(|choice| choice.id) else { return false };
        self.products.bundles.put(bundle, option, other, Decimal::ONE, false);
        self.products.stamp(bundle, stamp(now));
        true
    }
}
