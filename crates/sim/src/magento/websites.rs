//! Websites and their store views: who is told what, and which goods are sold where.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Shop;
use super::reply::{Answer, Refusal};
use super::route::WebsiteRoute;
use super::setup::View;
use super::sheet::Scope;
use super::value::id;

/// One website. Its one group of store views has its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Website {
    pub(super) id: u64,
    pub(super) code: String,
    pub(super) name: String,
}

impl Website {
    /// The one every shop begins with (recorded: websites).
    pub(super) fn first() -> Self {
        Self { id: 1, code: "base".to_owned(), name: "Main Website".to_owned() }
    }
}

impl Shop {
    /// Adds a store view, whose code then stands in paths beside `default` and `all`.
    pub fn add_store_view(&mut self, code: &str, name: &str, locale: &str) {
        let id = self.views.iter().map(|view| view.id).max().unwrap_or(0).saturating_add(1);
        let first = self.views.first().cloned().unwrap_or_else(View::default_view);
        let (code, name, locale) = (code.to_owned(), name.to_owned(), locale.to_owned());
        self.views.push(View { id, code, name, locale, ..first });
    }

    /// Takes a store view away; its code then stands in no path. False where there is none of that code.
    pub fn remove_store_view(&mut self, code: &str) -> bool {
        let before = self.views.len();
        self.views.retain(|view| view.code != code);
        self.views.len() < before
    }

    /// Adds a website with one store view. Nothing is sold in it yet, and its buyers get what the default stock has (by
    /// `InventorySales`, which gives a new website to that stock; recalled, not recorded).
    pub fn open_website(&mut self, code: &str, name: &str, view: &str, locale: &str) {
        let id = self.websites.iter().map(|site| site.id).max().unwrap_or(0).saturating_add(1);
        self.websites.push(Website { id, code: code.to_owned(), name: name.to_owned() });
        self.add_store_view_to(code, view, name, locale);
        self.stock.sell_to(code);
    }

    /// Adds a store view to a website, to the first one where there is none of that code.
    pub fn add_store_view_to(&mut self, website: &str, code: &str, name: &str, locale: &str) {
        let site = self.websites.iter().find(|site| site.code == website).map_or(1, |site| site.id);
        self.add_store_view(code, name, locale);
        if let Some(added) = self.views.last_mut() {
            added.website = site;
        }
    }

    /// Sells a product in a website, as a person in the back office decides it; false where there is no such product or
    /// website.
    pub fn put_into_website(&mut self, now: Timestamp, sku: &str, code: &str) -> bool {
        let site = self.websites.iter().find(|site| site.code == code).map(|site| site.id);
        site.is_some_and(|site| self.products.sell_in(sku, site, true) && self.products.touch(now, sku))
    }

    /// Takes a product out of a website; false as [`Shop::put_into_website`].
    pub fn take_out_of_website(&mut self, now: Timestamp, sku: &str, code: &str) -> bool {
        let site = self.websites.iter().find(|site| site.code == code).map(|site| site.id);
        site.is_some_and(|site| self.products.sell_in(sku, site, false) && self.products.touch(now, sku))
    }

    /// Sells all that is there in a website.
    pub fn sell_all_in(&mut self, now: Timestamp, code: &str) {
        let skus: Vec<String> = self.products.all().map(|item| item.sku.clone()).collect();
        for sku in skus {
            self.put_into_website(now, &sku, code);
        }
    }

    /// The id of the account that somebody opens in a website; none where the shop refuses it.
    pub fn register(&mut self, now: Timestamp, code: &str, email: &str, name: (&str, &str)) -> Option<u64> {
        let site = self.websites.iter().find(|site| site.code == code)?.id;
        let view = self.views.iter().find(|view| view.website == site)?.id;
        let customer = json!({
            "email": email, "firstname": name.0, "lastname": name.1, "website_id": site, "store_id": view,
        });
        self.customers.create(now, &json!({ "customer": customer })).ok()?.get("id")?.as_u64()
    }

    /// Whether a code stands in paths.
    pub(super) fn has_store(&self, code: &str) -> bool {
        matches!(code, "all" | "admin") || self.views.iter().any(|view| view.code == code)
    }

    /// The scope of a path's store code; without one it is the default view.
    pub(super) fn scope(&self, code: Option<&str>) -> Scope {
        match code {
            Some("all" | "admin") => Scope::All,
            other => {
                let code = other.unwrap_or("default").to_owned();
                let website = self.views.iter().find(|view| view.code == code).map_or(1, |view| view.website);
                Scope::View { code, website }
            }
        }
    }

    /// The websites a product is sold in that is made in a scope and names none: all of them, or the view's own (by
    /// `ProductRepository::assignProductToWebsites`; recalled, not recorded).
    pub(super) fn websites_at(&self, scope: &Scope) -> BTreeSet<u64> {
        match scope {
            Scope::All => self.websites.iter().map(|site| site.id).collect(),
            Scope::View { website, .. } => BTreeSet::from([*website]),
        }
    }

    /// Code of the website an order was placed in; none where its view is there no more.
    pub(super) fn website_of(&self, order: &Map<String, Value>) -> Option<&str> {
        let store = order.get("store_id").and_then(id);
        let view = self.views.iter().find(|view| Some(view.id) == store)?;
        self.websites.iter().find(|site| site.id == view.website).map(|site| site.code.as_str())
    }

    /// `POST products/{sku}/websites`, by Adobe's own API schema.
    pub(super) fn sell_in(&mut self, now: Timestamp, route: &WebsiteRoute, body: &Value) -> Answer {
        let WebsiteRoute::Add(sku) = route;
        let link = body.get("productWebsiteLink").ok_or_else(|| Refusal::required("productWebsiteLink"))?;
        let site = link.get("website_id").and_then(id).ok_or_else(|| Refusal::required("website_id"))?;
        if !self.websites.iter().any(|known| known.id == site) {
            return Err(Refusal::no_such("websiteId", &site.to_string()));
        }
        if !self.products.sell_in(sku, site, true) {
            return Err(Refusal::no_such("sku", sku));
        }
        self.products.touch(now, sku);
        Ok(json!(true))
    }
}
