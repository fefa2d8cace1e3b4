//! What people change of a product: texts by store view, status by website, weight and price for all.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

use super::attributes::Attributes;
use super::reply::Refusal;
use super::value::{decimal, id, plain};

/// Decimals a column of numbers keeps (recorded: sku-rename, where a price of 45 is `45.000000`).
const SCALE: u32 = 6;
/// Characters a column of short texts keeps.
const LENGTH: usize = 255;
/// What a save may name beside the fields kept here; none of it is simulated.
const IGNORED: [&str; 12] = [
    "attribute_set_id",
    "created_at",
    "id",
    "media_gallery_entries",
    "options",
    "product_links",
    "sku",
    "tier_prices",
    "type_id",
    "updated_at",
    "website_ids",
    "category_links",
];

/// The part of the shop a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// What holds wherever a view or website has nothing of its own.
    All,
    /// One store view, by its code, in its website.
    View { code: String, website: u64 },
}

/// The texts a store view has of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Own {
    name: Option<String>,
    description: Option<String>,
}

/// The changeable part of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    name: String,
    description: Option<String>,
    status: u8,
    /// By website: its status, where it has its own (recorded: product-german-disable, product-get-default-3).
    website_status: BTreeMap<u64, u8>,
    /// The websites it is sold in.
    pub(super) websites: BTreeSet<u64>,
    pub(super) weight: Option<Decimal>,
    /// 4 in catalogue and search, 1 nowhere by itself, as children of a family are (recorded: configurable-children).
    pub(super) visibility: u64,
    pub(super) price: Decimal,
    pub(super) url_key: String,
    /// What is kept of other attributes, by code.
    pub(super) attributes: BTreeMap<String, String>,
    views: BTreeMap<String, Own>,
    pub(super) updated: String,
    /// The sheets that searches still see, one after the other, and each until when.
    before: Vec<(Sheet, Timestamp)>,
}

impl Sheet {
    /// The sheet of a product as it is made.
    pub(super) fn new(name: String, weight: Option<Decimal>, price: Decimal, url_key: String, updated: String) -> Self {
        Self {
            name,
            description: None,
            status: 1,
            website_status: BTreeMap::new(),
            websites: BTreeSet::from([1]),
            weight,
            visibility: 4,
            price,
            url_key,
            attributes: BTreeMap::new(),
            views: BTreeMap::new(),
            updated,
            before: Vec::new(),
        }
    }

    /// The name in a scope.
    pub(super) fn name(&self, scope: &Scope) -> &str {
        self.own(scope).and_then(|own| own.name.as_deref()).unwrap_or(&self.name)
    }

    /// The description in a scope, where there is one.
    pub(super) fn description(&self, scope: &Scope) -> Option<&str> {
        self.own(scope).and_then(|own| own.description.as_deref()).or(self.description.as_deref())
    }

    /// 1 for enabled, 2 for disabled.
    pub(super) fn status(&self, scope: &Scope) -> u8 {
        match scope {
            Scope::All => self.status,
            Scope::View { website, .. } => *self.website_status.get(website).unwrap_or(&self.status),
        }
    }

    fn own(&self, scope: &Scope) -> Option<&Own> {
        match scope {
            Scope::All => None,
            Scope::View { code, .. } => self.views.get(code),
        }
    }

    /// The sheet as a search sees it at `now`.
    pub(super) fn indexed(&self, now: Timestamp) -> &Self {
        self.before.iter().find(|(_, until)| now < *until).map_or(self, |(before, _)| before)
    }

    /// Puts a saved sheet in the place of this one; searches see it from `until` on, and by then no earlier one.
    pub(super) fn replace(&mut self, saved: Self, now: Timestamp, until: Timestamp) {
        let mut before = std::mem::replace(self, saved);
        self.before = std::mem::take(&mut before.before);
        self.before.retain(|(_, seen_until)| now < *seen_until && *seen_until < until);
        if now < until {
            self.before.push((before, until));
        }
    }

    /// Takes over what a save names; a field it does not name stays as it is, in this scope and in all others.
    ///
    /// # Errors
    /// 400 for an empty name (recorded: bulk-status-after), a value of another sort, or a field products do not have.
    pub(super) fn save(
        &mut self,
        scope: &Scope,
        product: &Map<String, Value>,
        all_characters: bool,
        attributes: &Attributes,
    ) -> Result<(), Refusal> {
        let stored = |text: String| if all_characters { text } else { short_characters(&text) };
        for (field, value) in product {
            match field.as_str() {
                "name" => self.put_name(scope, stored(text(field, value)?))?,
                "status" => self.put_status(scope, value)?,
                "weight" => self.weight = amount(field, value)?,
                "visibility" => self.visibility = value.as_u64().ok_or_else(|| wrong_type(field, "int"))?,
                "price" => self.price = amount(field, value)?.unwrap_or_default(),
                "extension_attributes" => self.put_websites(value),
                "custom_attributes" => self.put_attributes(scope, value, &stored, attributes)?,
                other if IGNORED.contains(&other) => {}
                other => return Err(Refusal::no_property(other, "Magento\\Catalog\\Api\\Data\\ProductInterface")),
            }
        }
        Ok(())
    }

    fn put_attributes(
        &mut self,
        scope: &Scope,
        rows: &Value,
        stored: &dyn Fn(String) -> String,
        attributes: &Attributes,
    ) -> Result<(), Refusal> {
        for row in rows.as_array().into_iter().flatten() {
            let value = row.get("value").unwrap_or(&Value::Null);
            match row.get("attribute_code").and_then(Value::as_str) {
                Some("description") => {
                    let description = (!value.is_null()).then(|| text("description", value)).transpose()?.map(stored);
                    match scope {
                        Scope::All => self.description = description,
                        Scope::View { code, .. } => {
                            self.views.entry(code.clone()).or_default().description = description;
                        }
                    }
                }
                Some("url_key") => self.url_key = text("url_key", value)?,
                // Whatever the scope: these hold for all.
                Some(code) => match attributes.kept(code, value)?.map(stored) {
                    Some(kept) if kept.is_empty() => drop(self.attributes.remove(code)),
                    Some(kept) => drop(self.attributes.insert(code.to_owned(), kept)),
                    None => {}
                },
                None => return Err(Refusal::required("attribute_code")),
            }
        }
        Ok(())
    }

    /// Takes over the websites a save names; they take the place of those there were.
    fn put_websites(&mut self, extensions: &Value) {
        if let Some(ids) = extensions.get("website_ids").and_then(Value::as_array) {
            self.websites = ids.iter().filter_map(id).collect();
        }
    }

    fn put_name(&mut self, scope: &Scope, name: String) -> Result<(), Refusal> {
        if name.is_empty() {
            return Err(Refusal::new(
                400,
                "The \"Product Name\" attribute value is empty. Set the attribute and try again.",
            ));
        }
        if name.chars().count() > LENGTH {
            return Err(Refusal::new(400, "The product was unable to be saved. Please try again."));
        }
        match scope {
            Scope::All => self.name = name,
            Scope::View { code, .. } => self.views.entry(code.clone()).or_default().name = Some(name),
        }
        Ok(())
    }

    fn put_status(&mut self, scope: &Scope, value: &Value) -> Result<(), Refusal> {
        let status = match decimal(value) {
            Some(number) if number == Decimal::ONE => 1,
            Some(number) if number == Decimal::TWO => 2,
            _ => return Err(wrong_type("status", "int")),
        };
        match scope {
            Scope::All => self.status = status,
            Scope::View { website, .. } => drop(self.website_status.insert(*website, status)),
        }
        Ok(())
    }

    /// What the shop really holds, for the ledger: the values of all scopes, and beside them what single views have.
    pub(super) fn ledger(&self) -> Map<String, Value> {
        let views: Map<String, Value> = self
            .views
            .iter()
            .map(|(code, own)| (code.clone(), json!({"name": own.name, "description": own.description})))
            .collect();
        let mut told = Map::new();
        told.insert("name".to_owned(), json!(self.name));
        told.insert("description".to_owned(), json!(self.description));
        told.insert("status".to_owned(), json!(self.status));
        let own = (!self.website_status.is_empty()).then_some(&self.website_status);
        told.insert("website_status".to_owned(), json!(own));
        told.insert("websites".to_owned(), json!(self.websites));
        told.insert("weight".to_owned(), self.weight.map_or(Value::Null, |weight| json!(plain(weight))));
        told.insert("visibility".to_owned(), json!(self.visibility));
        told.insert("views".to_owned(), Value::Object(views));
        told
    }
}

/// A text as a connection keeps it that speaks three bytes a character: four question marks for each that has four
/// (recorded: order-two-addresses-emoji).
fn short_characters(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.len_utf8() == 4 {
            kept.push_str("????");
        } else {
            kept.push(letter);
        }
    }
    kept
}

fn text(field: &str, value: &Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Ok(String::new()),
        _ => Err(wrong_type(field, "string")),
    }
}

fn amount(field: &str, value: &Value) -> Result<Option<Decimal>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let told = decimal(value).ok_or_else(|| wrong_type(field, "float"))?;
    Ok(Some(told.round_dp_with_strategy(SCALE, RoundingStrategy::MidpointAwayFromZero)))
}

fn wrong_type(field: &str, wanted: &str) -> Refusal {
    let text = format!(
        "Error occurred during \"{field}\" processing. The value's type is invalid. The \"{wanted}\" type was expected. \
         Verify and try again."
    );
    Refusal::new(400, text)
}
