//! The customers a shop holds: reading, creating and saving them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Shop;
use super::columns;
use super::criteria::{Criteria, Found, Table};
use super::pages::{Page, page};
use super::placing::Ids;
use super::reply::{Answer, Refusal};
use super::value::{id, stamp};

/// Columns a customer may or may not have, in the order the shop tells them.
const OPTIONAL: [&str; 8] = ["dob", "email", "firstname", "lastname", "middlename", "prefix", "suffix", "gender"];

/// Every customer by id.
#[derive(Debug, Default)]
pub(super) struct Customers {
    rows: BTreeMap<u64, Map<String, Value>>,
    ids: Ids,
    addresses: Ids,
}

impl Shop {
    /// The page of customers a search finds.
    pub(super) fn found_customers(&self, query: &[(String, String)]) -> Answer {
        self.page_of_customers(query).map(Page::copied)
    }

    /// The same, not copied yet.
    pub(super) fn page_of_customers(&self, query: &[(String, String)]) -> Result<Page<'_>, Refusal> {
        let criteria = self.criteria(query)?;
        Ok(page(&criteria, self.customers.search(&criteria, self.quirks.repeat_last_page)?))
    }
}

impl Customers {
    /// Stores a customer as the shop would tell it.
    pub(super) fn seed(&mut self, customer: Value) {
        let Value::Object(mut row) = customer else { return };
        let claimed = self.ids.claim(row.get("id").and_then(id));
        row.insert("id".to_owned(), json!(claimed));
        for address in row.get("addresses").and_then(Value::as_array).into_iter().flatten() {
            self.addresses.claim(address.get("id").and_then(id));
        }
        self.rows.insert(claimed, row);
    }

    /// Every customer, by id.
    pub(super) fn all(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.rows.values()
    }

    /// One customer; 404 where there is none.
    pub(super) fn get(&self, customer_id: u64) -> Answer {
        let row = self.rows.get(&customer_id).ok_or_else(|| missing(customer_id))?;
        Ok(Value::Object(row.clone()))
    }

    /// Changes a customer as its person does; `field` is `firstname`, `lastname`, `email`, `taxvat`, or a field of the
    /// first address in the book as `address.city`; `address.new` adds one like the first in another town, `address.gone`
    /// takes one out. False where there is none, or the shop refuses it.
    pub(super) fn edit(&mut self, now: Timestamp, customer_id: u64, field: &str, value: &str) -> bool {
        let Some(row) = self.rows.get(&customer_id) else { return false };
        let mut given = row.clone();
        let rows = given.get_mut("addresses").and_then(Value::as_array_mut);
        match (field.strip_prefix("address."), rows) {
            (None, _) if field == "group_id" => drop(given.insert(field.to_owned(), json!(value.parse::<u64>().ok()))),
            (None, _) => drop(given.insert(field.to_owned(), json!(value))),
            (Some("new"), Some(rows)) => {
                let Some(mut further) = rows.first().cloned() else { return false };
                further["city"] = json!(value);
                for key in ["id", "default_billing", "default_shipping"] {
                    further.as_object_mut().map(|row| row.remove(key));
                }
                rows.push(further);
            }
            (Some("gone"), Some(rows)) => {
                let before = rows.len();
                rows.retain(|row| row["city"] != value);
                if rows.len() == before {
                    return false;
                }
            }
            (Some(part), _) => {
                let Some(first) = given.get_mut("addresses").and_then(|rows| rows.get_mut(0)) else { return false };
                first[part] = if part == "street" { json!([value]) } else { json!(value) };
            }
        }
        self.update(now, customer_id, &json!({ "customer": given })).is_ok()
    }

    /// Deletes a customer; nothing tells of it but that it is not there.
    pub(super) fn delete(&mut self, customer_id: u64) -> bool {
        self.rows.remove(&customer_id).is_some()
    }

    /// The page of customers a search finds.
    pub(super) fn search(
        &self,
        criteria: &Criteria,
        repeat_last_page: bool,
    ) -> Result<Found<&Map<String, Value>>, Refusal> {
        criteria.select(Table {
            rows: self.rows.values().collect(),
            columns: columns::CUSTOMER,
            read: &|row: &&Map<String, Value>, column: &str| {
                row.get(if column == "entity_id" { "id" } else { column }).map(Cow::Borrowed)
            },
            repeat_last_page,
        })
    }

    /// A new customer; an e-mail address is one customer's per website.
    pub(super) fn create(&mut self, now: Timestamp, body: &Value) -> Answer {
        let given = given(body)?;
        self.check(given, None)?;
        let customer_id = self.ids.claim(None);
        let row = self.build(now, customer_id, given, &Map::new())?;
        self.rows.insert(customer_id, row);
        self.get(customer_id)
    }

    /// Saves a customer. Addresses left out of a list are deleted; without a list they stay (recorded: customer-put-empty-addresses).
    pub(super) fn update(&mut self, now: Timestamp, customer_id: u64, body: &Value) -> Answer {
        let given = given(body)?;
        let old = self.rows.get(&customer_id).cloned().ok_or_else(|| missing(customer_id))?;
        self.check(given, Some(customer_id))?;
        let row = self.build(now, customer_id, given, &old)?;
        self.rows.insert(customer_id, row);
        self.get(customer_id)
    }

    fn check(&self, given: &Map<String, Value>, own: Option<u64>) -> Result<(), Refusal> {
        let text = |key: &str| given.get(key).and_then(Value::as_str).unwrap_or("").trim().to_owned();
        let email = text("email").to_lowercase();
        if own.is_none() || given.contains_key("email") {
            if email.is_empty() {
                return Err(Refusal::new(400, "The customer email is missing. Enter and try again."));
            }
            if email.split('@').filter(|part| !part.is_empty()).count() != 2 {
                return Err(Refusal::new(400, "\"Email\" is not a valid email address."));
            }
        }
        let website = given.get("website_id").and_then(id).unwrap_or(1);
        let holds = |row: &Map<String, Value>| {
            let held = row.get("email").and_then(Value::as_str).unwrap_or("").to_lowercase();
            held == email && row.get("website_id").and_then(id).unwrap_or(1) == website
        };
        if !email.is_empty() && self.rows.iter().any(|(id, row)| Some(*id) != own && holds(row)) {
            return Err(Refusal::new(
                400,
                "A customer with the same email address already exists in an associated website.",
            ));
        }
        for (key, name) in [("firstname", "First Name"), ("lastname", "Last Name")] {
            if (own.is_none() || given.contains_key(key)) && text(key).is_empty() {
                return Err(Refusal::new(400, format!("\"{name}\" is a required value.")));
            }
        }
        for address in given.get("addresses").and_then(Value::as_array).into_iter().flatten() {
            check_address(address)?;
        }
        Ok(())
    }

    fn build(
        &mut self,
        now: Timestamp,
        customer_id: u64,
        given: &Map<String, Value>,
        old: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Refusal> {
        let value = |key: &str| given.get(key).or_else(|| old.get(key)).filter(|value| !value.is_null()).cloned();
        let addresses = match given.get("addresses") {
            Some(Value::Array(rows)) => self.addresses_of(customer_id, rows, given, old),
            Some(Value::Null) | None => old.get("addresses").cloned().unwrap_or_else(|| json!([])),
            Some(_) => {
                return Err(Refusal::new(400, "The \"addresses\" value's type is invalid. Verify and try again."));
            }
        };
        let mut row = Map::new();
        let mut tell = |key: &str, value: Option<Value>| drop(value.map(|value| row.insert(key.to_owned(), value)));
        tell("id", Some(json!(customer_id)));
        tell("group_id", value("group_id").or_else(|| Some(json!(1))));
        for flag in ["default_billing", "default_shipping"] {
            tell(flag, default_address(&addresses, flag));
        }
        tell("created_at", old.get("created_at").cloned().or_else(|| Some(json!(stamp(now)))));
        tell("updated_at", Some(json!(stamp(now))));
        tell("created_in", value("created_in").or_else(|| Some(json!("Default Store View"))));
        for key in OPTIONAL {
            tell(key, value(key));
        }
        tell("store_id", value("store_id").or_else(|| Some(json!(1))));
        tell("taxvat", value("taxvat"));
        tell("website_id", value("website_id").or_else(|| Some(json!(1))));
        tell("addresses", Some(addresses));
        tell("disable_auto_group_change", value("disable_auto_group_change").or_else(|| Some(json!(0))));
        tell("extension_attributes", value("extension_attributes").or_else(|| Some(json!({"is_subscribed": false}))));
        tell("custom_attributes", value("custom_attributes"));
        Ok(row)
    }

    fn addresses_of(
        &mut self,
        customer_id: u64,
        rows: &[Value],
        given: &Map<String, Value>,
        old: &Map<String, Value>,
    ) -> Value {
        let own: Vec<u64> = old
            .get("addresses")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|row| row.get("id").and_then(id))
            .collect();
        let mut told = Vec::new();
        for row in rows.iter().filter_map(Value::as_object) {
            let kept = row.get("id").and_then(id).filter(|address| own.contains(address));
            let address_id = kept.unwrap_or_else(|| self.addresses.claim(None));
            told.push(address(customer_id, address_id, row, given));
        }
        Value::Array(told)
    }
}

fn given(body: &Value) -> Result<&Map<String, Value>, Refusal> {
    body.get("customer").and_then(Value::as_object).ok_or_else(|| Refusal::required("customer"))
}

fn missing(customer_id: u64) -> Refusal {
    Refusal::no_such("customerId", &customer_id.to_string())
}

fn check_address(address: &Value) -> Result<(), Refusal> {
    let Value::Object(address) = address else { return Err(Refusal::required("addresses")) };
    for (key, name) in
        [("firstname", "firstname"), ("lastname", "lastname"), ("city", "city"), ("country_id", "countryId")]
    {
        if address.get(key).and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
            return Err(Refusal::required(name));
        }
    }
    // Required unless a shop switches it off (Magento\Customer\Model\Address\Validator\General).
    if address.get("telephone").and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
        return Err(Refusal::required("telephone"));
    }
    let street = address.get("street").and_then(Value::as_array);
    if street.is_none_or(|lines| lines.is_empty() || !lines.iter().all(Value::is_string)) {
        return Err(Refusal::required("street"));
    }
    Ok(())
}

/// One address as the shop tells it: a region in full even where there is none, flags only where they are true.
fn address(customer_id: u64, address_id: u64, given: &Map<String, Value>, customer: &Map<String, Value>) -> Value {
    let value = |key: &str| given.get(key).filter(|value| !value.is_null()).cloned();
    let region =
        |key: &str| given.get("region").and_then(|region| region.get(key)).filter(|value| !value.is_null()).cloned();
    let region_id = region("region_id").or_else(|| value("region_id"));
    let mut row = Map::new();
    let mut tell = |key: &str, value: Option<Value>| drop(value.map(|value| row.insert(key.to_owned(), value)));
    tell("id", Some(json!(address_id)));
    tell("customer_id", Some(json!(customer_id)));
    let full = json!({
        "region_code": region("region_code"),
        "region": region("region"),
        "region_id": region_id.clone().unwrap_or_else(|| json!(0)),
    });
    tell("region", Some(full));
    tell("region_id", region_id.filter(|region| *region != json!(0)));
    for key in [
        "country_id",
        "street",
        "company",
        "telephone",
        "fax",
        "postcode",
        "city",
        "firstname",
        "lastname",
        "middlename",
        "prefix",
        "suffix",
        "vat_id",
    ] {
        tell(key, value(key));
    }
    for flag in ["default_shipping", "default_billing"] {
        let named = customer.get(flag).and_then(id) == Some(address_id);
        let set = given.get(flag).and_then(Value::as_bool).unwrap_or(named);
        tell(flag, set.then(|| json!(true)));
    }
    Value::Object(row)
}

/// The id of the address that carries a flag, as text.
fn default_address(addresses: &Value, flag: &str) -> Option<Value> {
    let rows = addresses.as_array()?;
    let row = rows.iter().rfind(|row| row.get(flag) == Some(&json!(true)))?;
    row.get("id").and_then(id).map(|address| json!(address.to_string()))
}
