//! The routes of categories.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::categories::Categories;
use super::criteria::Criteria;
use super::number;
use super::products::Products;
use super::reply::{Answer, Refusal};
use super::sheet::Scope;

/// Where a request about categories goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CategoryRoute {
    /// GET categories: the tree.
    Tree,
    /// GET categories/list.
    List,
    /// GET categories/{id}.
    One(String),
    /// POST categories.
    Make,
    /// PUT categories/{id}: saves the fields that are given, in the scope of the path.
    Save(String),
    /// PUT categories/{id}/move.
    Move(String),
    /// DELETE categories/{id}.
    Delete(String),
    /// GET categories/{id}/products.
    Members(String),
    /// POST or PUT categories/{id}/products.
    Link(String),
    /// DELETE categories/{id}/products/{sku}.
    Unlink(String, String),
}

impl CategoryRoute {
    /// The route of a verb and the path after `categories`.
    pub(super) fn of(method: &str, path: &[&str]) -> Option<Self> {
        let owned = |part: &&str| (*part).to_owned();
        Some(match (method, path) {
            ("GET", []) => Self::Tree,
            ("GET", ["list"]) => Self::List,
            ("GET", [id]) => Self::One(owned(id)),
            ("POST", []) => Self::Make,
            ("PUT", [id]) => Self::Save(owned(id)),
            ("PUT", [id, "move"]) => Self::Move(owned(id)),
            ("DELETE", [id]) => Self::Delete(owned(id)),
            ("GET", [id, "products"]) => Self::Members(owned(id)),
            ("POST" | "PUT", [id, "products"]) => Self::Link(owned(id)),
            ("DELETE", [id, "products", sku]) => Self::Unlink(owned(id), owned(sku)),
            _ => return None,
        })
    }
}

impl Products {
    /// What a route about categories gives.
    pub(super) fn sorting(
        &mut self,
        now: Timestamp,
        route: &CategoryRoute,
        scope: &Scope,
        query: &[(String, String)],
        body: &Value,
    ) -> Answer {
        let asked = |key: &str| query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let category = || body.get("category").and_then(Value::as_object).ok_or_else(|| Refusal::required("category"));
        let all: &mut Categories = &mut self.categories;
        match route {
            CategoryRoute::Tree => {
                let root = asked("rootCategoryId").map_or(Ok(super::categories::ROOT), number)?;
                all.tree(scope, root, asked("depth").map(number).transpose()?)
            }
            CategoryRoute::List => all.search(scope, &Criteria::parse(query)?, false),
            CategoryRoute::One(id) => all.get(scope, number(id)?),
            CategoryRoute::Make => all.make(now, scope, category()?),
            CategoryRoute::Save(id) => all.save(now, scope, number(id)?, category()?),
            CategoryRoute::Move(id) => {
                let parent =
                    body.get("parentId").and_then(Value::as_u64).ok_or_else(|| Refusal::required("parentId"))?;
                all.move_to(now, number(id)?, parent)
            }
            CategoryRoute::Delete(id) => all.delete(number(id)?),
            CategoryRoute::Members(id) => {
                let members = all.members(number(id)?)?;
                let tell = |(product, position): (&u64, &u64)| {
                    let sku = self.numbered(*product).map(|item| item.sku.clone());
                    json!({"sku": sku, "position": position, "category_id": id})
                };
                Ok(members.iter().map(tell).collect())
            }
            CategoryRoute::Link(id) => {
                let link = body.get("productLink").ok_or_else(|| Refusal::required("productLink"))?;
                let sku = link.get("sku").and_then(Value::as_str).unwrap_or_default();
                let product = self.find(sku).ok_or_else(Refusal::no_product)?.product_id;
                let position = link.get("position").and_then(Value::as_u64).unwrap_or(0);
                self.categories.link(number(id)?, product, position)
            }
            CategoryRoute::Unlink(id, sku) => {
                let product = self.find(sku).ok_or_else(Refusal::no_product)?.product_id;
                self.categories.unlink(number(id)?, product)
            }
        }
    }
}

impl Products {
    /// What the shop holds of every category, for the ledger.
    pub(super) fn sorted_ledger(&self) -> Vec<Value> {
        self.categories.ledger(&|product| self.numbered(product).map(|item| item.sku.clone()))
    }
}
