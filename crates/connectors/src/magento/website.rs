//! One website of a shop: its store views, and which of the shop's rows are its. Pure.

use super::client::Scope;
use super::feed::Table;
use super::lost::Filter;
use super::wire::{self, Id, StoreGroup, StoreView, Website};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use syncline_connect::{Error, Result};
use syncline_core::policy::ErrorKind;
use syncline_core::text::shown;

/// One website of a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) id: u64,
    pub(super) code: String,
    /// Ids of its store views.
    pub(super) views: BTreeSet<u64>,
    /// Ids of the store views of all other websites.
    strange: BTreeSet<u64>,
    /// Code of its default view: what holds for the website is read and written there.
    pub(super) home: String,
    /// Id of that view.
    pub(super) home_id: u64,
    /// Its default store group, whose tree of categories is the website's.
    pub(super) group: Option<Id>,
}

impl Site {
    /// The website called `code`.
    ///
    /// # Errors
    /// `Config` naming those there are, where there is none of that code or nobody can see it.
    pub(super) fn of(code: &str, views: &[StoreView], websites: &[Website], groups: &[StoreGroup]) -> Result<Self> {
        let wrong =
            |what: String| Error::new(ErrorKind::Config, format!("`website = \"{}\"`: {what}", shown(code, 40)));
        let site = websites.iter().find(|site| site.id.0 != 0 && site.code.0 == code).ok_or_else(|| {
            let known = websites.iter().filter(|site| site.id.0 != 0);
            let known: Vec<String> = known.map(|site| format!("`{}` ({})", site.code.0, site.name.0)).collect();
            wrong(format!("the shop has no website of that code; it has {}", known.join(", ")))
        })?;
        let group = groups.iter().find(|group| Some(group.id) == site.default_group_id);
        let default = group.and_then(|group| group.default_store_id);
        let shown = |view: &&StoreView| view.website_id == site.id && view.is_active.is_none_or(|flag| flag.0);
        let first = || views.iter().filter(shown).min_by_key(|view| view.id);
        let home = views.iter().filter(shown).find(|view| Some(view.id) == default).or_else(first);
        let home = home.ok_or_else(|| wrong("none of its store views is enabled".to_owned()))?;
        let ids = |own: bool| {
            let of = views.iter().filter(move |view| view.id.0 != 0 && (view.website_id == site.id) == own);
            of.map(|view| view.id.0).collect()
        };
        Ok(Self {
            id: site.id.0,
            code: code.to_owned(),
            views: ids(true),
            strange: ids(false),
            home: home.code.0.clone(),
            home_id: home.id.0,
            group: site.default_group_id,
        })
    }

    /// The website as the scope of what belongs to it.
    pub(super) fn scope(&self) -> String {
        self.id.to_string()
    }

    /// Whether a product as told is sold there. One that does not tell of websites is in none.
    pub(super) fn sells(&self, product: &Value) -> bool {
        let ids = product.pointer("/extension_attributes/website_ids").and_then(Value::as_array);
        ids.into_iter().flatten().any(|id| wire::typed::<Id>(id).is_ok_and(|id| id.0 == self.id))
    }

    /// What a search for `resource` asks beside, of which one has to hold. Orders and credit memos of views that are new, or are there no
    /// more, come too: whose they are, they tell themselves.
    fn alternatives(&self, resource: &str) -> Vec<Filter> {
        match resource {
            "orders" | "invoices" | "creditmemos" if !self.strange.is_empty() => {
                let ids: Vec<String> = self.strange.iter().map(u64::to_string).collect();
                vec![("store_id", "nin", ids.join(",")), ("store_id", "null", "1".to_owned())]
            }
            "customers/search" => vec![("website_id", "eq", self.id.to_string())],
            _ => Vec::new(),
        }
    }
}

/// What of the shop is looked at: all of it, or one website.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) site: Option<Arc<Site>>,
    alternatives: Vec<Filter>,
}

impl Bounds {
    /// The bounds of a search for `resource`.
    pub(super) fn new(site: Option<Arc<Site>>, resource: &str) -> Self {
        let alternatives = site.as_ref().map(|site| site.alternatives(resource)).unwrap_or_default();
        Self { site, alternatives }
    }

    /// `table` within these bounds. Products are looked at where the website shows them.
    pub(super) fn table<'b>(&'b self, table: Table<'b>) -> Table<'b> {
        let home = self.site.as_ref().filter(|_| table.resource == "products").map(|site| Scope::view(&site.home));
        Table { scope: home.unwrap_or(table.scope), any: &self.alternatives, ..table }
    }

    /// Whether what belongs to `scope`, a website's id, is within them.
    pub(super) fn hold(&self, scope: &str) -> bool {
        self.site.as_ref().is_none_or(|site| site.scope() == scope)
    }

    /// Whether a product as told is within them.
    pub(super) fn sell(&self, product: &Value) -> bool {
        self.site.as_ref().is_none_or(|site| site.sells(product))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::magento::wire::typed;
    use serde_json::json;

    /// Two websites; the second one's default view is not its first.
    fn site(code: &str) -> Result<Site> {
        let views = json!([
            {"id": 1, "code": "default", "website_id": 1}, {"id": 0, "code": "admin", "website_id": 0},
            {"id": 2, "code": "us_es", "website_id": 2}, {"id": 3, "code": "us_en", "website_id": 2},
            {"id": 4, "code": "old", "website_id": 3, "is_active": 0}
        ]);
        let sites = json!([
            {"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0},
            {"id": 1, "code": "base", "name": "Main Website", "default_group_id": 1},
            {"id": 2, "code": "us", "name": "United States", "default_group_id": 2},
            {"id": 3, "code": "old", "name": "Old", "default_group_id": 3}
        ]);
        let groups = json!([{"id": 1, "default_store_id": 1}, {"id": 2, "default_store_id": 3}]);
        fn rows<T: serde::de::DeserializeOwned>(value: &Value) -> Vec<T> {
            typed(value).unwrap()
        }
        Site::of(code, &rows(&views), &rows(&sites), &rows(&groups))
    }

    #[test]
    fn a_website_is_known_by_its_code_and_at_home_in_its_default_view() {
        let us = site("us").unwrap();
        assert_eq!((us.id, us.home.as_str()), (2, "us_en"));
        assert_eq!(us.views, BTreeSet::from([2, 3]));
        assert_eq!(site("base").unwrap().home, "default");
        let wrong = site("uk").unwrap_err();
        assert_eq!(wrong.kind, ErrorKind::Config);
        assert!(wrong.message.contains("`base` (Main Website), `us` (United States)"), "{wrong}");
        assert!(!wrong.message.contains("admin"), "{wrong}");
        assert!(site("old").unwrap_err().message.contains("none of its store views"));
    }

    #[test]
    fn of_orders_those_of_other_websites_are_left_out_and_of_products_those_told_to_be_elsewhere() {
        let us = site("us").unwrap();
        let asked = us.alternatives("orders");
        assert_eq!(asked, [("store_id", "nin", "1,4".to_owned()), ("store_id", "null", "1".to_owned())]);
        let product = |ids: Value| json!({"extension_attributes": {"website_ids": ids}});
        assert!(us.sells(&product(json!([1, "2"]))));
        assert!(!us.sells(&product(json!([1]))) && !us.sells(&json!({"sku": "MUG"})));
    }
}
