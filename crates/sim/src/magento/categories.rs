//! The shop's categories: a tree with names by store view, and which products stand in which.
//!
//! Answers are as recorded (category-create to categories-list). By Magento's own code, not recorded: a move goes behind the
//! last child, a link saved on a category leaves the product's `updated_at` where it stood, and a second category of the
//! same address is refused (magento/magento2#3268).

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::columns;
use super::criteria::{Criteria, Found, Table};
use super::reply::{Answer, Refusal};
use super::sheet::Scope;
use super::value::stamp;

/// The category above all others.
const TOP: u64 = 1;
/// The root of the one store.
pub(super) const ROOT: u64 = 2;
/// Where the recorded products stand.
const BOLTS: u64 = 3;

/// One category.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    parent: u64,
    name: String,
    /// The names single store views have of their own.
    views: BTreeMap<String, String>,
    active: bool,
    in_menu: bool,
    position: u64,
    url_key: String,
    created: String,
    updated: String,
}

/// Every category, and the products in each with their positions.
#[derive(Debug)]
pub(super) struct Categories {
    rows: BTreeMap<u64, Row>,
    links: BTreeMap<u64, BTreeMap<u64, u64>>,
    /// Ids are never given twice.
    last: u64,
}

/// What a node of the tree is asked for.
type Each<'t> = &'t dyn Fn(&Categories, u64) -> Value;

impl Categories {
    /// The categories a shop comes with, and the recorded one with these products in it.
    pub(super) fn new(products: impl Iterator<Item = u64>, created: &str) -> Self {
        let row = |parent: u64, name: &str, position: u64| Row {
            parent,
            name: name.to_owned(),
            views: BTreeMap::new(),
            active: true,
            in_menu: true,
            position,
            url_key: url_key(name),
            created: created.to_owned(),
            updated: created.to_owned(),
        };
        let rows = [
            (TOP, row(0, "Root Catalog", 0)),
            (ROOT, row(TOP, "Default Category", 1)),
            (BOLTS, row(ROOT, "Bolts & Nuts", 1)),
        ];
        let links = [(BOLTS, products.map(|id| (id, 0)).collect())].into();
        Self { rows: rows.into(), links, last: BOLTS }
    }

    /// Takes away every category but those a shop is installed with.
    pub(super) fn as_installed(&mut self) {
        self.rows.retain(|id, _| *id <= ROOT);
        self.links.clear();
        self.last = ROOT;
    }

    /// The categories a product stands in, with its position in each.
    pub(super) fn of(&self, product: u64) -> impl Iterator<Item = (u64, u64)> {
        self.links.iter().filter_map(move |(category, products)| Some((*category, *products.get(&product)?)))
    }

    /// One category as a scope shows it.
    pub(super) fn get(&self, scope: &Scope, id: u64) -> Answer {
        self.row(id)?;
        Ok(self.tell(scope, id))
    }

    /// The page of categories a search finds.
    pub(super) fn search(&self, scope: &Scope, criteria: &Criteria, repeat_last_page: bool) -> Answer {
        let rows: Vec<Value> = self.rows.keys().map(|id| self.tell(scope, *id)).collect();
        let found: Found<Value> = criteria.select(Table {
            rows,
            columns: columns::CATEGORY,
            read: &|row: &Value, column: &str| {
                row.get(if column == "entity_id" { "id" } else { column }).map(Cow::Borrowed)
            },
            repeat_last_page,
        })?;
        Ok(json!({"items": found.page, "search_criteria": criteria.echo(), "total_count": found.total}))
    }

    /// The tree below `root`, so many levels deep.
    pub(super) fn tree(&self, scope: &Scope, root: u64, depth: Option<u64>) -> Answer {
        self.row(root)?;
        Ok(self.node(scope, root, depth, 0))
    }

    /// The category that a `POST` makes.
    ///
    /// # Errors
    /// 400 without a name, 404 without its parent, 400 where another has its address.
    pub(super) fn make(&mut self, now: Timestamp, scope: &Scope, category: &Map<String, Value>) -> Answer {
        let parent = category.get("parent_id").and_then(Value::as_u64).unwrap_or(ROOT);
        self.row(parent)?;
        let name = named(category)?.ok_or_else(nameless)?;
        let key = attribute(category, "url_key").unwrap_or_else(|| url_key(&name));
        if self.siblings(parent).any(|(_, row)| row.url_key == key) {
            return Err(taken());
        }
        let flag = |field: &str| category.get(field).and_then(Value::as_bool);
        let position = self.siblings(parent).map(|(_, row)| row.position).max().unwrap_or(0) + 1;
        let moment = stamp(now);
        self.last += 1;
        let mut row = Row {
            parent,
            name: name.clone(),
            views: BTreeMap::new(),
            active: flag("is_active").unwrap_or(false),
            in_menu: flag("include_in_menu").unwrap_or(true),
            position,
            url_key: key,
            created: moment.clone(),
            updated: moment,
        };
        if let Scope::View { code, .. } = scope {
            row.views.insert(code.clone(), name);
        }
        let id = self.last;
        self.rows.insert(id, row);
        self.get(scope, id)
    }

    /// The category after a save in a scope; its address stays what it was (recorded: category-german).
    ///
    /// # Errors
    /// 404 where there is none, 400 for an empty name.
    pub(super) fn save(&mut self, now: Timestamp, scope: &Scope, id: u64, category: &Map<String, Value>) -> Answer {
        let name = named(category)?;
        let active = category.get("is_active").and_then(Value::as_bool);
        let row = self.rows.get_mut(&id).ok_or_else(|| none(id))?;
        match (name, scope) {
            (Some(name), Scope::View { code, .. }) => drop(row.views.insert(code.clone(), name)),
            (Some(name), Scope::All) => row.name = name,
            (None, _) => {}
        }
        row.active = active.unwrap_or(row.active);
        row.updated = stamp(now);
        self.get(scope, id)
    }

    /// Puts a category below another one, behind its last child.
    ///
    /// # Errors
    /// 404 where one of the two is not there, 400 below itself or beside one of its address.
    pub(super) fn move_to(&mut self, now: Timestamp, id: u64, parent: u64) -> Answer {
        self.row(parent)?;
        if self.above(parent).contains(&id) {
            let what = "Operation do not allow to move a parent category to any of children category";
            return Err(Refusal::new(400, what));
        }
        let key = self.row(id)?.url_key.clone();
        if self.siblings(parent).any(|(other, row)| other != id && row.url_key == key) {
            return Err(Refusal::new(400, "Could not move category"));
        }
        let position = self.siblings(parent).map(|(_, row)| row.position).max().unwrap_or(0) + 1;
        let row = self.rows.get_mut(&id).ok_or_else(|| none(id))?;
        (row.parent, row.position, row.updated) = (parent, position, stamp(now));
        Ok(json!(true))
    }

    /// Deletes a category with all below it.
    ///
    /// # Errors
    /// 404 where there is none, 400 for one the shop stands on.
    pub(super) fn delete(&mut self, id: u64) -> Answer {
        self.row(id)?;
        if id <= ROOT {
            return Err(Refusal::new(400, "Cannot delete category with id %1"));
        }
        let below: Vec<u64> = self.rows.keys().copied().filter(|other| self.above(*other).contains(&id)).collect();
        for one in below {
            self.rows.remove(&one);
            self.links.remove(&one);
        }
        Ok(json!(true))
    }

    /// Puts a product into a category (recorded: category-assign), or gives it another position there.
    pub(super) fn link(&mut self, id: u64, product: u64, position: u64) -> Answer {
        self.row(id)?;
        self.links.entry(id).or_default().insert(product, position);
        Ok(json!(true))
    }

    /// Takes a product out of a category.
    pub(super) fn unlink(&mut self, id: u64, product: u64) -> Answer {
        self.row(id)?;
        match self.links.get_mut(&id).and_then(|products| products.remove(&product)) {
            Some(_) => Ok(json!(true)),
            None => Err(Refusal::new(400, "The category doesn't contain the specified product.")),
        }
    }

    /// The products of a category with their positions.
    pub(super) fn members(&self, id: u64) -> Result<BTreeMap<u64, u64>, Refusal> {
        self.row(id)?;
        Ok(self.links.get(&id).cloned().unwrap_or_default())
    }

    /// What the shop really holds, for the ledger; `sku` names a product.
    pub(super) fn ledger(&self, sku: &dyn Fn(u64) -> Option<String>) -> Vec<Value> {
        let tell = |(id, row): (&u64, &Row)| {
            let products = self.links.get(id).into_iter().flat_map(BTreeMap::keys);
            let products: Vec<String> = products.filter_map(|product| sku(*product)).collect();
            json!({"id": id, "parent": row.parent, "name": row.name, "views": row.views, "active": row.active, "products": products})
        };
        self.rows.iter().map(tell).collect()
    }

    fn row(&self, id: u64) -> Result<&Row, Refusal> {
        self.rows.get(&id).ok_or_else(|| none(id))
    }

    fn siblings(&self, parent: u64) -> impl Iterator<Item = (u64, &Row)> {
        self.rows.iter().filter(move |(_, row)| row.parent == parent).map(|(id, row)| (*id, row))
    }

    /// The children of a category in their order.
    fn children(&self, id: u64) -> Vec<u64> {
        let mut children: Vec<(u64, u64)> = self.siblings(id).map(|(id, row)| (row.position, id)).collect();
        children.sort_unstable();
        children.into_iter().map(|(_, id)| id).collect()
    }

    /// The ids from the top down to a category, itself last.
    fn above(&self, id: u64) -> Vec<u64> {
        let mut path = vec![id];
        let mut at = id;
        while let Some(parent) = self.rows.get(&at).map(|row| row.parent).filter(|parent| *parent != 0) {
            path.push(parent);
            at = parent;
        }
        path.reverse();
        path
    }

    fn name<'r>(&'r self, scope: &Scope, row: &'r Row) -> &'r str {
        match scope {
            Scope::View { code, .. } => row.views.get(code).unwrap_or(&row.name),
            Scope::All => &row.name,
        }
    }

    /// A category as the shop tells it alone and in lists.
    fn tell(&self, scope: &Scope, id: u64) -> Value {
        let Some(row) = self.rows.get(&id) else { return Value::Null };
        let path = self.above(id);
        let joined = |ids: &[u64], sign: &str| ids.iter().map(u64::to_string).collect::<Vec<_>>().join(sign);
        let below = self.rows.keys().filter(|other| **other != id && self.above(**other).contains(&id)).count();
        let mut told = Map::new();
        told.insert("id".to_owned(), json!(id));
        told.insert("parent_id".to_owned(), json!(row.parent));
        told.insert("name".to_owned(), json!(self.name(scope, row)));
        if id != TOP {
            told.insert("is_active".to_owned(), json!(row.active));
        }
        told.insert("position".to_owned(), json!(row.position));
        told.insert("level".to_owned(), json!(path.len() - 1));
        told.insert("children".to_owned(), json!(joined(&self.children(id), ",")));
        told.insert("created_at".to_owned(), json!(row.created));
        told.insert("updated_at".to_owned(), json!(row.updated));
        told.insert("path".to_owned(), json!(joined(&path, "/")));
        told.insert("include_in_menu".to_owned(), json!(row.in_menu));
        let mut rows = vec![("path", joined(&path, "/")), ("children_count", below.to_string())];
        match id {
            TOP => {}
            ROOT => rows.insert(0, ("display_mode", "PRODUCTS".to_owned())),
            _ => {
                rows.insert(0, ("is_anchor", "1".to_owned()));
                let keys: Vec<&str> =
                    path.iter().skip(2).filter_map(|id| Some(self.rows.get(id)?.url_key.as_str())).collect();
                rows.push(("url_key", row.url_key.clone()));
                rows.push(("url_path", keys.join("/")));
            }
        }
        let attributes = rows.into_iter().map(|(code, value)| json!({"attribute_code": code, "value": value}));
        told.insert("custom_attributes".to_owned(), attributes.collect());
        Value::Object(told)
    }

    /// A category as a node of the tree.
    fn node(&self, scope: &Scope, id: u64, depth: Option<u64>, level: u64) -> Value {
        let Some(row) = self.rows.get(&id) else { return Value::Null };
        let deeper = depth.is_none_or(|depth| level < depth);
        let below: Each<'_> = &|all, child| all.node(scope, child, depth, level + 1);
        let children: Vec<Value> =
            self.children(id).into_iter().filter(|_| deeper).map(|child| below(self, child)).collect();
        let products = self.links.get(&id).map_or(0, BTreeMap::len);
        json!({
            "id": id, "parent_id": row.parent, "name": self.name(scope, row), "is_active": row.active,
            "position": row.position, "level": self.above(id).len() - 1, "product_count": products,
            "children_data": children,
        })
    }
}

/// The address a name makes.
fn url_key(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// The name a save tells; an empty one is refused.
fn named(category: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    match category.get("name") {
        None => Ok(None),
        Some(Value::String(name)) if !name.trim().is_empty() => Ok(Some(name.clone())),
        Some(_) => Err(nameless()),
    }
}

fn attribute(category: &Map<String, Value>, code: &str) -> Option<String> {
    let rows = category.get("custom_attributes").and_then(Value::as_array)?;
    let row = rows.iter().find(|row| row.get("attribute_code").and_then(Value::as_str) == Some(code))?;
    row.get("value").and_then(Value::as_str).map(str::to_owned)
}

fn nameless() -> Refusal {
    Refusal::listed(400, "Could not save category: %1", json!("The \"Category Name\" attribute value is empty."))
}

fn taken() -> Refusal {
    Refusal::listed(400, "Could not save category: %1", json!("URL key for specified store already exists."))
}

fn none(id: u64) -> Refusal {
    Refusal::no_such("id", &id.to_string())
}
