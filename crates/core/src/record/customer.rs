//! A customer with addresses: those of the customer's own book keyed by their id there, those orders were placed with by
//! what they say.

use super::fields::{Fields, Malformed};
use crate::leaf::{Leaf, Leaves, Ref, Value};
use crate::path::Path;
use crate::text::{folded, line, town};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// A buyer. Every field is optional: a read tells what it knows, an order tells less than the customer's own page. An
/// empty text is told as nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Customer {
    /// Full name as printed on papers.
    pub name: Option<String>,
    /// E-mail address as given.
    pub email: Option<String>,
    /// VAT or tax number as given, unchecked.
    pub tax_id: Option<String>,
    /// Telephone without spaces and signs, see [`crate::text::phone`].
    pub phone: Option<String>,
    /// What its prices hang on, as its system calls it: a group of customers, a price list.
    pub group: Option<String>,
    /// The customer's code in the system (a party code).
    pub code: Option<String>,
    /// Whether orders may still be booked on it.
    pub active: Option<bool>,
    /// The one that this customer was merged into, where its system merges customers and keeps the old one.
    pub replaced_by: Option<Ref>,
    /// Addresses: of the customer's book by [`Customer::book_key`], of orders by [`Address::key`], of an ERP by its own keys.
    pub addresses: BTreeMap<String, Address>,
}

/// A postal address. Country and region stand as a pair; a region that has no code stays text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Address {
    /// Person at this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Company at this address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Street lines joined by line feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// Postal code as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// Town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// ISO 3166-1 alpha-2 code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Region code without country (`BER`, `NY`), or the region's name where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Telephone as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// The paths whose values two systems can share; all others say what a system calls it.
pub const SHARED: [&str; 6] = ["name", "email", "tax_id", "phone", "group", "addresses[*]"];
const FIELDS: [&str; 8] = ["name", "company", "street", "postcode", "city", "country", "region", "phone"];
const TEXTS: [&str; 6] = ["name", "email", "tax_id", "phone", "group", "code"];
const REPLACED_BY: &str = "replaced_by";
/// What the key of an address in a customer's own book begins with.
const BOOK: &str = "book-";

impl Address {
    fn parts(&self) -> [&Option<String>; 8] {
        [&self.name, &self.company, &self.street, &self.postcode, &self.city, &self.country, &self.region, &self.phone]
    }

    /// Its parts in one text that is equal exactly where they are.
    pub(crate) fn parts_apart(&self) -> String {
        let parts: Vec<&str> = self.parts().into_iter().map(|part| part.as_deref().unwrap_or("\u{1}")).collect();
        parts.join("\0")
    }

    /// Ten characters that are equal where the addresses say the same, whatever their case and spacing.
    #[must_use]
    pub fn key(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in self.parts() {
            hasher.update(folded(part.as_deref().unwrap_or("")).as_bytes());
            hasher.update(&[0]);
        }
        hasher.finalize().to_hex().chars().take(10).collect()
    }

    /// The first printed line, the company or else the person, and the person behind a company; empty ones are none.
    #[must_use]
    pub fn printed(&self) -> (Option<String>, Option<String>) {
        let told = |text: &Option<String>| text.as_deref().map(line).filter(|text| !text.is_empty());
        match (told(&self.company), told(&self.name)) {
            (Some(company), person) => (Some(company), person),
            (None, person) => (person, None),
        }
    }

    /// What stands on an envelope: both printed names, street, postal code, town with its region, country. Where a system
    /// has no record for a region, it stands behind the town there.
    #[must_use]
    pub fn envelope(&self) -> [String; 6] {
        let (first, person) = self.printed();
        let text = |text: &Option<String>| line(text.as_deref().unwrap_or(""));
        let street: Vec<String> = self.street.iter().flat_map(|street| street.lines()).map(line).collect();
        [
            first.unwrap_or_default(),
            person.unwrap_or_default(),
            street.join("\n").trim().to_string(),
            text(&self.postcode),
            town(&text(&self.city), &text(&self.region)),
            text(&self.country).to_uppercase(),
        ]
    }

    /// What tells an address from others on whatever side it stands: its envelope whatever case and spacing, without the
    /// characters of four bytes that some systems do not keep.
    #[must_use]
    pub fn likeness(&self) -> [String; 6] {
        let kept = |part: String| part.chars().filter(|c| u32::from(*c) <= 0xffff).collect::<String>();
        self.envelope().map(|part| folded(&kept(part)))
    }

    fn read(leaves: &Leaves, key: &str) -> Result<Self, Malformed> {
        if let Some(Value::Address(address)) = leaves.value(&Customer::address_path(key)) {
            return Ok((**address).clone());
        }
        // As stores of earlier versions hold it: a field for each part.
        let fields = Fields::below(leaves, Customer::address_path(key));
        Ok(Self {
            name: fields.text("name")?,
            company: fields.text("company")?,
            street: fields.text("street")?,
            postcode: fields.text("postcode")?,
            city: fields.text("city")?,
            country: fields.text("country")?,
            region: fields.text("region")?,
            phone: fields.text("phone")?,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, person, street, postcode, town, country] = self.envelope();
        let place = alloc::format!("{postcode} {town}");
        let street = street.replace('\n', ", ");
        let told = [first.as_str(), &person, &street, place.trim(), &country, self.phone.as_deref().unwrap_or("")];
        let told: Vec<&str> = told.into_iter().filter(|part| !part.is_empty()).collect();
        f.write_str(&told.join(", "))
    }
}

impl Customer {
    /// The path of the group.
    #[must_use]
    pub fn group_path() -> Path {
        Path::field("group")
    }

    /// The path of the address `key`.
    #[must_use]
    pub fn address_path(key: &str) -> Path {
        Path::element("addresses", key)
    }

    /// The key of the address `id` in the customer's own book, which stays the same whatever the address says.
    #[must_use]
    pub fn book_key(id: &str) -> String {
        alloc::format!("{BOOK}{id}")
    }

    /// The id behind [`Customer::book_key`]; none for another key.
    #[must_use]
    pub fn id_in_book(key: &str) -> Option<&str> {
        key.strip_prefix(BOOK)
    }

    /// Whether `path` is an address of the customer's own book.
    #[must_use]
    pub fn is_of_book(path: &Path) -> bool {
        path.within("addresses").is_some_and(|(key, field)| field.is_empty() && key.starts_with(BOOK))
    }

    /// Whether `path` is of an address that an order was placed with, which never changes.
    #[must_use]
    pub fn is_of_order(path: &Path) -> bool {
        path.within("addresses").is_some_and(|(key, _)| !key.starts_with(BOOK) && !key.starts_with('@'))
    }

    /// Whether `path` is an address that the ERP alone has, under its own key.
    #[must_use]
    pub fn is_of_erp(path: &Path) -> bool {
        path.within("addresses").is_some_and(|(key, field)| field.is_empty() && key.starts_with('@'))
    }

    /// What stays of `leaves` whatever a customer's own page tells: the addresses orders were placed with.
    #[must_use]
    pub fn placed(leaves: &Leaves) -> Leaves {
        let mut placed = leaves.clone();
        placed.retain(Self::is_of_order);
        placed
    }

    pub(super) fn to_leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        for (field, text) in
            TEXTS.iter().zip([&self.name, &self.email, &self.tax_id, &self.phone, &self.group, &self.code])
        {
            if let Some(text) = text {
                leaves.tell(Path::field(field), (!text.is_empty()).then(|| Value::Text(text.clone())));
            }
        }
        if let Some(active) = self.active {
            leaves.put(Path::field("active"), Value::Bool(active));
        }
        if let Some(other) = &self.replaced_by {
            leaves.put(Path::field(REPLACED_BY), Value::Ref(other.clone()));
        }
        for (key, address) in &self.addresses {
            leaves.put(Self::address_path(key), Value::Address(Box::new(address.clone())));
        }
        leaves
    }

    /// The addresses `leaves` tell that are not withdrawn.
    ///
    /// # Errors
    /// [`Malformed`] where a field is of another type.
    pub fn addresses_of(leaves: &Leaves) -> Result<BTreeMap<String, Address>, Malformed> {
        let mut addresses = BTreeMap::new();
        for key in leaves.keys_of("addresses") {
            if leaves.value(&Self::address_path(&key)).is_some() {
                addresses.insert(key.clone(), Address::read(leaves, &key)?);
            }
        }
        Ok(addresses)
    }

    pub(super) fn from_leaves(leaves: &Leaves) -> Result<Self, Malformed> {
        for (path, _) in leaves.iter() {
            let fine = TEXTS.contains(&path.as_str())
                || [REPLACED_BY, "active"].contains(&path.as_str())
                || path.within("addresses").is_some_and(|(_, field)| field.is_empty() || FIELDS.contains(&field));
            if !fine {
                return Err(Malformed::Unknown(path.clone()));
            }
        }
        let fields = Fields::of(leaves);
        let text = |field: &'static str| match leaves.get(&Path::field(field)) {
            Leaf::Empty => Ok(Some(String::new())),
            _ => fields.text(field),
        };
        Ok(Self {
            name: text("name")?,
            email: text("email")?,
            tax_id: text("tax_id")?,
            phone: text("phone")?,
            group: text("group")?,
            code: text("code")?,
            active: fields.flag("active")?,
            replaced_by: fields.reference(REPLACED_BY)?,
            addresses: Self::addresses_of(leaves)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::record::Record;
    use proptest::prelude::*;

    fn address(city: &str, region: Option<&str>) -> Address {
        Address { city: Some(city.into()), region: region.map(Into::into), ..Address::default() }
    }

    fn customers() -> impl Strategy<Value = Customer> {
        let text = || proptest::option::of("[a-z ]{0,3}");
        let addresses = proptest::collection::btree_map("(book-[1-9]|@[1-9]|[0-9a-f]{4})", text(), 0..3);
        (text(), text(), text(), proptest::option::of(any::<bool>()), addresses).prop_map(
            |(name, email, phone, active, addresses)| {
                let of = |(key, city)| (key, Address { city, ..Address::default() });
                let addresses = addresses.into_iter().map(of).collect();
                Customer { name, email, phone, active, addresses, ..Customer::default() }
            },
        )
    }

    proptest! {
        #[test]
        fn a_customer_comes_back_from_its_leaves(customer in customers()) {
            let leaves = customer.to_leaves();
            prop_assert_eq!(Record::from_leaves(Kind::Customer, &leaves), Ok(Record::Customer(customer)));
        }
    }

    #[test]
    fn an_address_kept_part_by_part_by_an_earlier_version_is_read() {
        let path = Customer::address_path("3f9a");
        let told = [(path.clone(), Some(Value::Bool(true))), (path.dot("city"), Some(Value::Text("Bonn".into())))];
        let addresses = Customer::addresses_of(&told.into_iter().collect()).unwrap();
        assert_eq!(addresses["3f9a"], address("Bonn", None));
    }

    #[test]
    fn an_envelope_says_the_same_wherever_the_region_stands() {
        assert_eq!(address("New York", Some("NY")).envelope(), address("New York, NY", None).envelope());
        assert_ne!(address("New York", Some("NY")).envelope(), address("new york", Some("NY")).envelope());
        let company = Address { company: Some("ACME".into()), name: Some("Zoë".into()), ..address("Köln", None) };
        assert_eq!(company.to_string(), "ACME, Zoë, Köln");
    }

    #[test]
    fn a_likeness_leaves_out_what_not_every_system_keeps() {
        let like = |one: &str, other: &str| address(one, None).likeness() == address(other, None).likeness();
        assert!(like("Bonn 🚚", " bonn") && like("🚚Bonn", "Bonn") && like("New  York, NY", "NEW YORK, NY"));
        assert!(!like("Bonn", "Bönn") && !like("Bonn", "Bonn ☎"), "these every system keeps");
    }

    #[test]
    fn addresses_of_a_book_an_order_and_an_erp_are_told_apart() {
        let path = |key: &str| Customer::address_path(key);
        let book = path(&Customer::book_key("12"));
        assert!(Customer::is_of_book(&book) && !Customer::is_of_order(&book));
        assert!(Customer::is_of_order(&path("3f9a0b1c2d").dot("city")) && !Customer::is_of_book(&path("3f9a0b1c2d")));
        assert!(!Customer::is_of_order(&path("@7")) && !Customer::is_of_book(&path("@7")));
        assert!(Customer::is_of_erp(&path("@7")) && !Customer::is_of_erp(&book));
    }
}
