//! Configurable products: the attributes that tell their children apart, the children linked to them, and the refusals.
//!
//! What a link or an option is refused for is taken from Magento's own code (`LinkManagement`, `OptionRepository` and
//! `ProductRepositorySave` of module ConfigurableProduct, 2.4): a state that does not allow it is a 400, what is not there
//! a 404.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::products::Products;
use super::reply::{Answer, Refusal};
use super::sheet::Scope;
use super::value::{id, stamp};
use super::{Shop, body};
use crate::catalogue::{Form, Item};
use crate::http::Request;

/// The attribute that tells the children of the catalogue's families apart, and its labels in their order.
pub(super) const SIZE: &str = "size";
/// The labels of [`SIZE`].
pub(super) const SIZES: [&str; 4] = ["S", "M", "L", "XL"];

/// What is asked of configurable products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FamilyRoute {
    /// GET configurable-products/{sku}/children.
    Children(String),
    /// POST configurable-products/{sku}/child.
    Link(String),
    /// DELETE configurable-products/{sku}/children/{childSku}.
    Unlink(String, String),
    /// GET configurable-products/{sku}/options/all.
    Options(String),
    /// POST configurable-products/{sku}/options.
    AddOption(String),
}

impl FamilyRoute {
    /// The route of a verb and the path behind `configurable-products`.
    pub(super) fn of(method: &str, path: &[&str]) -> Option<Self> {
        Some(match (method, path) {
            ("GET", [sku, "children"]) => Self::Children((*sku).to_owned()),
            ("POST", [sku, "child"]) => Self::Link((*sku).to_owned()),
            ("DELETE", [sku, "children", child]) => Self::Unlink((*sku).to_owned(), (*child).to_owned()),
            ("GET", [sku, "options", "all"]) => Self::Options((*sku).to_owned()),
            ("POST", [sku, "options"]) => Self::AddOption((*sku).to_owned()),
            _ => return None,
        })
    }
}

/// One attribute that tells the children of a product apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    id: u64,
    code: String,
    label: String,
    position: u64,
}

/// The options of every configurable product, by its id.
#[derive(Debug, Default)]
pub(super) struct Options {
    by_product: BTreeMap<u64, Vec<Choice>>,
    last: u64,
}

impl Options {
    fn of(&self, product_id: u64) -> &[Choice] {
        self.by_product.get(&product_id).map_or(&[], Vec::as_slice)
    }

    /// Gives what one product had to another one.
    pub(super) fn hand_over(&mut self, from: u64, to: u64) {
        let had = self.by_product.remove(&from);
        self.by_product.extend(had.map(|choices| (to, choices)));
    }

    /// Adds an option; its id.
    fn add(&mut self, product_id: u64, code: &str, label: &str, position: u64) -> u64 {
        self.last += 1;
        let choice = Choice { id: self.last, code: code.to_owned(), label: label.to_owned(), position };
        self.by_product.entry(product_id).or_default().push(choice);
        self.last
    }
}

impl Products {
    /// Gives every family of the catalogue its option, and every child its value and its place out of sight.
    pub(super) fn found_families(&mut self) {
        let families: Vec<(u64, Vec<String>)> = self
            .all()
            .filter_map(|item| match &item.form {
                Form::Configurable { children } => Some((item.product_id, children.clone())),
                _ => None,
            })
            .collect();
        for (family, children) in families {
            self.options.add(family, SIZE, "Size", 0);
            for (child, label) in children.iter().zip(SIZES) {
                let value = self.attributes.choice(SIZE, label);
                if let (Some(value), Some(sheet)) = (value, self.sheet_mut(child)) {
                    sheet.attributes.insert(SIZE.to_owned(), value);
                    sheet.visibility = 1;
                }
            }
        }
    }

    /// The answer to what is asked of configurable products.
    pub(super) fn family(&mut self, now: Timestamp, scope: &Scope, route: &FamilyRoute, body: &Value) -> Answer {
        match route {
            FamilyRoute::Children(sku) => {
                self.find(sku).ok_or_else(Refusal::no_product)?;
                Ok(Value::Array(self.children(sku).into_iter().map(|child| self.tell_child(child, scope)).collect()))
            }
            FamilyRoute::Link(sku) => {
                let child = body.get("childSku").and_then(Value::as_str);
                self.link(now, sku, child.ok_or_else(|| Refusal::required("childSku"))?)
            }
            FamilyRoute::Unlink(sku, child) => self.unlink(now, sku, child),
            FamilyRoute::Options(sku) => Ok(self.told_options(self.configurable(sku)?)),
            FamilyRoute::AddOption(sku) => self.add_option(now, sku, body.get("option").unwrap_or(&Value::Null)),
        }
    }

    /// What a product tells of its family; nothing where it is none.
    pub(super) fn told_family(&self, item: &Item) -> Option<[(&'static str, Value); 2]> {
        let Form::Configurable { children } = &item.form else { return None };
        let links: Vec<u64> = children.iter().filter_map(|sku| self.find(sku)).map(|child| child.product_id).collect();
        Some([("configurable_product_options", self.told_options(item)), ("configurable_product_links", json!(links))])
    }

    /// What the shop holds of a family, for the ledger: children by SKU, options by code.
    pub(super) fn family_ledger(&self, item: &Item) -> Option<[(&'static str, Value); 2]> {
        let Form::Configurable { children } = &item.form else { return None };
        let codes: Vec<&str> = self.options.of(item.product_id).iter().map(|choice| choice.code.as_str()).collect();
        Some([("children", json!(children)), ("options", json!(codes))])
    }

    fn configurable(&self, sku: &str) -> Result<&Item, Refusal> {
        let item = self.find(sku).ok_or_else(Refusal::no_product)?;
        match item.form {
            Form::Configurable { .. } => Ok(item),
            _ => {
                let text = format!("The product with the \"{sku}\" SKU isn't a configurable product.");
                Err(Refusal::new(400, text))
            }
        }
    }

    fn children(&self, sku: &str) -> Vec<&Item> {
        match self.find(sku).map(|item| &item.form) {
            Some(Form::Configurable { children }) => children.iter().filter_map(|child| self.find(child)).collect(),
            _ => Vec::new(),
        }
    }

    /// The options of a product as it tells them: each with the values its children have (recorded: configurable-get of
    /// both files, before and after a child was deleted).
    fn told_options(&self, item: &Item) -> Value {
        let told = |choice: &Choice| {
            let values: BTreeSet<u64> = self
                .children(&item.sku)
                .into_iter()
                .filter_map(|child| self.value_of(child, &choice.code)?.parse().ok())
                .collect();
            let values: Vec<Value> = values.into_iter().map(|value| json!({"value_index": value})).collect();
            json!({"id": choice.id, "attribute_id": self.attributes.id_of(&choice.code).unwrap_or_default().to_string(),
                "label": choice.label, "position": choice.position, "values": values, "product_id": item.product_id})
        };
        Value::Array(self.options.of(item.product_id).iter().map(told).collect())
    }

    fn value_of(&self, item: &Item, code: &str) -> Option<&str> {
        self.sheet(&item.sku)?.attributes.get(code).map(String::as_str)
    }

    /// Links a child to a family.
    ///
    /// # Errors
    /// 404 where one of the two is not there; 400 where it is linked already, where nothing tells the children apart, where
    /// the child lacks what does, or has it as another one has.
    pub(super) fn link(&mut self, now: Timestamp, sku: &str, child: &str) -> Answer {
        let family = self.find(sku).ok_or_else(Refusal::no_product)?;
        let child = self.find(child).ok_or_else(Refusal::no_product)?;
        let others = self.children(sku);
        if others.iter().any(|other| other.product_id == child.product_id) {
            return Err(Refusal::new(400, "The product is already attached."));
        }
        let options = self.options.of(family.product_id);
        if options.is_empty() {
            return Err(Refusal::new(400, "The parent product doesn't have configurable product options."));
        }
        for choice in options {
            if self.value_of(child, &choice.code).is_none() {
                let text = "The child product doesn't have the \"%1\" attribute value. Verify the value and try again.";
                return Err(Refusal::listed(400, text, json!(choice.code)));
            }
        }
        let values = |item: &Item| options.iter().map(|choice| self.value_of(item, &choice.code)).collect::<Vec<_>>();
        if let Some(twin) = others.iter().find(|other| values(other) == values(child)) {
            let text = "Products \"%1\" and \"%2\" have the same set of attribute values.";
            let ids = vec![("", json!(child.product_id)), ("", json!(twin.product_id))];
            return Err(Refusal { parameters: ids, ..Refusal::new(400, text) });
        }
        let (family, child) = (family.product_id, child.sku.clone());
        self.relink(now, family, |children| children.push(child));
        Ok(json!(true))
    }

    /// Takes a child out of its family.
    ///
    /// # Errors
    /// 404 where there is no such family or no such child in it, 400 where it is no family.
    pub(super) fn unlink(&mut self, now: Timestamp, sku: &str, child: &str) -> Answer {
        let family = self.configurable(sku)?.product_id;
        let there = self.children(sku).iter().any(|other| other.sku.eq_ignore_ascii_case(child));
        if !there {
            let text = "The option that was requested doesn't exist. Verify the entity and try again.";
            return Err(Refusal::new(404, text));
        }
        self.relink(now, family, |children| children.retain(|other| !other.eq_ignore_ascii_case(child)));
        Ok(json!(true))
    }

    /// Changes the children of a family, which is saved by that (recorded: configurable-get, a second after it was made).
    fn relink(&mut self, now: Timestamp, family: u64, change: impl FnOnce(&mut Vec<String>)) {
        if let Some(Form::Configurable { children }) = self.form_mut(family) {
            change(children);
        }
        self.stamp(family, stamp(now));
    }

    /// The id of a new option, as text (recorded: configurable-option). A simple product becomes a family by it.
    ///
    /// # Errors
    /// 404 where there is no such product or attribute, 400 for what an option cannot be without, or a second one.
    fn add_option(&mut self, now: Timestamp, sku: &str, option: &Value) -> Answer {
        let attribute = id(option.get("attribute_id").unwrap_or(&Value::Null));
        let attribute = attribute.ok_or_else(|| Refusal::new(400, "Option attribute ID is not specified."))?;
        let label = option.get("label").and_then(Value::as_str).filter(|label| !label.is_empty());
        let label = label.ok_or_else(|| Refusal::new(400, "Option label is not specified."))?;
        if option.get("values").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            return Err(Refusal::new(400, "Option values are not specified."));
        }
        let item = self.find(sku).ok_or_else(Refusal::no_product)?.product_id;
        let code = self.attributes.code_of(attribute).ok_or_else(|| {
            let text = "The attribute with a \"%1\" attributeCode doesn't exist. Verify the attribute and try again.";
            Refusal::listed(404, text, json!(attribute))
        })?;
        if self.options.of(item).iter().any(|choice| choice.code == code) {
            return Err(Refusal::new(400, "Product already has this option"));
        }
        if let Some(form) = self.form_mut(item)
            && !matches!(form, Form::Configurable { .. })
        {
            *form = Form::Configurable { children: Vec::new() };
        }
        let position = option.get("position").and_then(Value::as_u64).unwrap_or_default();
        let made = self.options.add(item, &code, label, position);
        self.stamp(item, stamp(now));
        Ok(json!(made.to_string()))
    }
}

impl Shop {
    /// The answer to what is asked of configurable products.
    pub(super) fn families(&mut self, now: Timestamp, scope: &Scope, route: &FamilyRoute, request: &Request) -> Answer {
        let body = if request.method == "POST" { body(request)? } else { Value::Null };
        self.products.family(now, scope, route, &body)
    }

    /// Links a child to a family, as a person in the back office does; false where the shop refuses it.
    pub fn link(&mut self, now: Timestamp, family: &str, child: &str) -> bool {
        self.products.link(now, family, child).is_ok()
    }

    /// Takes a child out of its family, as a person in the back office does; false where it is not in it.
    pub fn unlink(&mut self, now: Timestamp, family: &str, child: &str) -> bool {
        self.products.unlink(now, family, child).is_ok()
    }
}
