//! The attributes products can have: what each holds, and the choices people and integrations add to it.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::families::{SIZE, SIZES};
use super::reply::{Answer, Refusal};
use super::value::{decimal, plain};

/// The attribute set of every product.
const SET: u64 = 4;
/// The id of the first attribute somebody makes (recorded: attribute-create).
const FIRST_OWN: u64 = 137;
/// The id of the first size; what somebody adds comes before them.
const FIRST_SIZE: u64 = 9001;
/// The id of the first choice somebody adds (recorded: attribute-options).
const FIRST_OPTION: u64 = 4;
/// Where choices stand in a table of their own, so that some can be added.
const TABLE: &str = "Magento\\Eav\\Model\\Entity\\Attribute\\Source\\Table";

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    id: u64,
    input: String,
    label: String,
    source: &'static str,
    /// Id and label in the order they were added.
    options: Vec<(u64, String)>,
    /// Whether products, which are all of the one set, have it.
    in_set: bool,
}

impl Attribute {
    /// The price, which the shop has as an attribute too. Products do not tell it as one.
    fn price() -> Self {
        let (input, label) = ("price".to_owned(), "Price".to_owned());
        Self { id: 77, input, label, source: "", options: Vec::new(), in_set: true }
    }

    fn backend(&self) -> &'static str {
        match self.input.as_str() {
            "boolean" | "select" => "int",
            "price" => "decimal",
            "textarea" | "multiselect" => "text",
            _ => "varchar",
        }
    }

    fn label_of(&self, id: &str) -> Option<&str> {
        self.options.iter().find(|(one, _)| one.to_string() == id).map(|(_, label)| label.as_str())
    }
}

/// Every attribute that is no field of its own, by code.
#[derive(Debug)]
pub(super) struct Attributes {
    by_code: BTreeMap<String, Attribute>,
    next_option: u64,
    /// Whether the price is one of the website's own (`catalog/price/scope`).
    pub(super) priced_by_website: bool,
}

impl Default for Attributes {
    /// What the shop comes with: `color` and `tax_class_id` as every Magento has them, and what a merchant has added, with
    /// the choices by which families tell their children apart.
    /// `series` was added and given to no attribute set: products lose what is saved of it.
    fn default() -> Self {
        let classes = vec![(0, "None".to_owned()), (2, "Taxable Goods".to_owned()), (5, "Reduced Goods".to_owned())];
        let rows = [
            ("color", 93, "select", "Color"),
            ("tax_class_id", 131, "select", "Tax Class"),
            ("ean", 201, "text", "EAN"),
            ("material", 202, "multiselect", "Material"),
            ("washable", 203, "boolean", "Washable"),
            ("watts", 204, "price", "Watts"),
            ("series", 205, "text", "Series"),
            (SIZE, 206, "select", "Size"),
        ];
        let one = |(code, id, input, label): (&str, u64, &str, &str)| {
            let source = match (code, input) {
                ("tax_class_id", _) => "Magento\\Tax\\Model\\TaxClass\\Source\\Product",
                (_, "boolean") => "Magento\\Eav\\Model\\Entity\\Attribute\\Source\\Boolean",
                (_, "select" | "multiselect") => TABLE,
                _ => "",
            };
            let options = match code {
                "tax_class_id" => classes.clone(),
                SIZE => (FIRST_SIZE..).zip(SIZES.map(str::to_owned)).collect(),
                _ => Vec::new(),
            };
            let (input, label) = (input.to_owned(), label.to_owned());
            (code.to_owned(), Attribute { id, input, label, source, options, in_set: code != "series" })
        };
        let by_code = rows.into_iter().map(one).collect();
        Self { by_code, next_option: FIRST_OPTION, priced_by_website: false }
    }
}

/// What is asked of attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AttributeRoute {
    /// GET products/attributes/{code}.
    Get(String),
    /// GET products/attributes/{code}/options.
    Options(String),
    /// POST products/attributes/{code}/options.
    AddOption(String),
    /// POST products/attributes.
    Make,
    /// POST products/attribute-sets/attributes.
    Assign,
}

impl AttributeRoute {
    /// The route of a verb and the path behind `products`.
    pub(super) fn of(method: &str, path: &[&str]) -> Option<Self> {
        Some(match (method, path) {
            ("POST", ["attribute-sets", "attributes"]) => Self::Assign,
            ("POST", ["attributes"]) => Self::Make,
            ("GET", ["attributes", code]) => Self::Get((*code).to_owned()),
            ("GET", ["attributes", code, "options"]) => Self::Options((*code).to_owned()),
            ("POST", ["attributes", code, "options"]) => Self::AddOption((*code).to_owned()),
            _ => return None,
        })
    }

    /// The right it needs.
    pub(super) fn right(&self) -> &'static str {
        match self {
            Self::Assign => "Magento_Catalog::sets",
            _ => "Magento_Catalog::attributes_attributes",
        }
    }
}

impl Attributes {
    /// The answer to what is asked.
    pub(super) fn answer(&mut self, route: &AttributeRoute, body: &Value) -> Answer {
        match route {
            AttributeRoute::Get(code) => self.get(code),
            AttributeRoute::Options(code) => self.options(code),
            AttributeRoute::AddOption(code) => self.add_option(code, body),
            AttributeRoute::Make => self.make(body),
            AttributeRoute::Assign => self.assign(body),
        }
    }

    /// One attribute as the shop tells it (recorded: attribute-get).
    fn get(&self, code: &str) -> Answer {
        let price = (code == "price").then(Attribute::price);
        let attribute = self.by_code.get(code).or(price.as_ref()).ok_or_else(|| no_attribute(code))?;
        let scope = if price.is_some() && self.priced_by_website { "website" } else { "global" };
        Ok(json!({
            "extension_attributes": {"is_pagebuilder_enabled": false}, "is_wysiwyg_enabled": false,
            "is_html_allowed_on_front": false, "used_for_sort_by": false, "is_filterable": false,
            "is_filterable_in_search": false, "is_used_in_grid": false, "is_visible_in_grid": false,
            "is_filterable_in_grid": false, "position": 0, "apply_to": [], "is_searchable": "0",
            "is_visible_in_advanced_search": "0", "is_comparable": "0", "is_used_for_promo_rules": "0",
            "is_visible_on_front": "0", "used_in_product_listing": "0", "is_visible": true, "scope": scope,
            "attribute_id": attribute.id, "attribute_code": code, "frontend_input": attribute.input,
            "entity_type_id": "4", "is_required": false, "options": told(attribute), "is_user_defined": true,
            "default_frontend_label": attribute.label, "frontend_labels": [], "backend_type": attribute.backend(),
            "source_model": attribute.source, "default_value": "", "is_unique": "0", "validation_rules": [],
        }))
    }

    /// The choices of an attribute, the empty one first (recorded: attribute-options).
    fn options(&self, code: &str) -> Answer {
        self.by_code.get(code).map(told).ok_or_else(|| no_attribute(code))
    }

    /// The id of a new choice, as text (recorded: attribute-option-add).
    ///
    /// # Errors
    /// 400 where there is one of that label already (recorded: attribute-option-add-again).
    fn add_option(&mut self, code: &str, body: &Value) -> Answer {
        let label = body.pointer("/option/label").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let attribute = self.by_code.get_mut(code).ok_or_else(|| no_attribute(code))?;
        if attribute.source != TABLE {
            return Err(Refusal::new(400, "The \"attribute\" has no options that can be saved."));
        }
        if label.is_empty() {
            return Err(Refusal::new(400, "The attribute option label is empty. Enter the value and try again."));
        }
        if attribute.options.iter().any(|(_, one)| *one == label) {
            let text = "Admin store attribute option label \"%1\" is already exists.";
            return Err(Refusal::listed(400, text, json!(label)));
        }
        let id = self.next_option;
        self.next_option += 1;
        attribute.options.push((id, label));
        Ok(json!(id.to_string()))
    }

    /// The id of the choice `label` of an attribute, as products keep it.
    pub(super) fn choice(&self, code: &str, label: &str) -> Option<String> {
        let options = &self.by_code.get(code)?.options;
        options.iter().find(|(_, one)| one == label).map(|(id, _)| id.to_string())
    }

    /// The id of an attribute.
    pub(super) fn id_of(&self, code: &str) -> Option<u64> {
        self.by_code.get(code).map(|attribute| attribute.id)
    }

    /// The code of an attribute.
    pub(super) fn code_of(&self, id: u64) -> Option<String> {
        self.by_code.iter().find(|(_, attribute)| attribute.id == id).map(|(code, _)| code.clone())
    }

    /// A new attribute of products, in no attribute set yet (recorded: attribute-create).
    fn make(&mut self, body: &Value) -> Answer {
        let text = |field: &str| body.pointer(&format!("/attribute/{field}")).and_then(Value::as_str);
        let code = text("attribute_code").ok_or_else(|| Refusal::required("attribute_code"))?.to_owned();
        if self.by_code.contains_key(&code) {
            return Err(Refusal::new(400, "Attribute with the same code already exists."));
        }
        let input = text("frontend_input").unwrap_or("text").to_owned();
        let label = text("default_frontend_label").unwrap_or_default().to_owned();
        let taken = self.by_code.values().map(|attribute| attribute.id).collect::<BTreeSet<_>>();
        let id = (FIRST_OWN..).find(|id| !taken.contains(id)).unwrap_or(FIRST_OWN);
        let source = if matches!(input.as_str(), "select" | "multiselect") { TABLE } else { "" };
        let attribute = Attribute { id, input, label, source, options: Vec::new(), in_set: false };
        self.by_code.insert(code.clone(), attribute);
        for option in body.pointer("/attribute/options").and_then(Value::as_array).into_iter().flatten() {
            self.add_option(&code, &json!({"option": option}))?;
        }
        self.get(&code)
    }

    /// Puts an attribute into the one set; the id of its place there (recorded: attribute-to-set).
    fn assign(&mut self, body: &Value) -> Answer {
        let code = body.get("attributeCode").and_then(Value::as_str).unwrap_or_default();
        if body.get("attributeSetId").and_then(Value::as_u64) != Some(SET) {
            return Err(Refusal::no_such("attributeSetId", &body["attributeSetId"].to_string()));
        }
        let attribute = self.by_code.get_mut(code).ok_or_else(|| no_attribute(code))?;
        attribute.in_set = true;
        Ok(json!(attribute.id.saturating_sub(2).to_string()))
    }

    /// What is kept of a value saved under `code`, nothing being none; `None` where products have no such attribute, and
    /// what is saved of it is lost without a word. Choices are not checked.
    ///
    /// # Errors
    /// 400 for what its column does not take.
    pub(super) fn kept(&self, code: &str, value: &Value) -> Result<Option<String>, Refusal> {
        let Some(attribute) = self.by_code.get(code).filter(|attribute| attribute.in_set) else { return Ok(None) };
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Array(rows) => rows
                .iter()
                .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(","),
            Value::Bool(yes) => u8::from(*yes).to_string(),
            other => other.to_string(),
        };
        if text.is_empty() {
            return Ok(Some(text));
        }
        let wrong = || Refusal::new(400, "The product was unable to be saved. Please try again.");
        match attribute.backend() {
            "decimal" => {
                let number = decimal(&json!(text)).ok_or_else(wrong)?;
                Ok(Some(format!("{:.6}", number.round_dp(6))))
            }
            "int" if text.parse::<i64>().is_err() => Err(wrong()),
            "varchar" if text.chars().count() > 255 => Err(wrong()),
            _ => Ok(Some(text)),
        }
    }

    /// The body that gives a product an attribute as a person does in the back office, who picks labels, one a line, and
    /// adds the choice where it is not there; none where there is no such attribute.
    pub(super) fn picked(&mut self, code: &str, value: &str) -> Option<Map<String, Value>> {
        let choices = matches!(self.by_code.get(code)?.input.as_str(), "select" | "multiselect");
        let mut stored = value.to_owned();
        if choices {
            let mut ids = Vec::new();
            for label in value.lines().filter(|label| !label.is_empty()) {
                drop(self.add_option(code, &json!({"option": {"label": label}})));
                let options = &self.by_code.get(code)?.options;
                ids.push(options.iter().find(|(_, one)| one == label)?.0.to_string());
            }
            stored = ids.join(",");
        }
        json!({"custom_attributes": [{"attribute_code": code, "value": stored}]}).as_object().cloned()
    }

    /// What people see of a kept value: labels in alphabetical order, numbers without needless zeros.
    pub(super) fn seen(&self, code: &str, kept: &str) -> Value {
        let Some(attribute) = self.by_code.get(code) else { return Value::Null };
        match attribute.input.as_str() {
            "select" | "multiselect" => {
                let labels: BTreeSet<&str> = kept.split(',').filter_map(|id| attribute.label_of(id)).collect();
                json!(labels.into_iter().collect::<Vec<_>>().join("\n"))
            }
            "price" => json!(plain(kept.parse::<Decimal>().unwrap_or_default())),
            _ => json!(kept),
        }
    }

    /// Every choice of every attribute that has any, for the ledger.
    pub(super) fn ledger(&self) -> Value {
        let with = self.by_code.iter().filter(|(_, attribute)| attribute.source == TABLE);
        with.map(|(code, attribute)| {
            (code.clone(), json!(attribute.options.iter().map(|(_, label)| label).collect::<Vec<_>>()))
        })
        .collect::<Map<String, Value>>()
        .into()
    }
}

fn told(attribute: &Attribute) -> Value {
    if attribute.options.is_empty() && attribute.source.is_empty() {
        return json!([]);
    }
    let first = (attribute.source == TABLE).then(|| json!({"label": " ", "value": ""}));
    let rows = attribute.options.iter().map(|(id, label)| json!({"label": label, "value": id.to_string()}));
    Value::Array(first.into_iter().chain(rows).collect())
}

fn no_attribute(code: &str) -> Refusal {
    let message =
        format!("The attribute with a \"{code}\" attributeCode doesn't exist. Verify the attribute and try again.");
    Refusal::new(404, message)
}
