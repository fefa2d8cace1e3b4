//! A customer with addresses, each address keyed by what it says.

use super::fields::{Fields, Malformed};
use crate::leaf::{Leaves, Value};
use crate::path::Path;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// A buyer. Every field is optional: a read tells what it knows, an order tells less than the customer's own page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Customer {
    /// Full name as printed on papers.
    pub name: Option<String>,
    /// E-mail address as given.
    pub email: Option<String>,
    /// VAT or tax number as given, unchecked.
    pub tax_id: Option<String>,
    /// The customer's code in the system (a party code).
    pub code: Option<String>,
    /// Whether orders may still be booked on it.
    pub active: Option<bool>,
    /// Addresses by [`Address::key`].
    pub addresses: BTreeMap<String, Address>,
}

/// A postal address. Country and region stand as a pair; a region that has no code stays text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// Person at this address.
    pub name: Option<String>,
    /// Company at this address.
    pub company: Option<String>,
    /// Street lines joined by line feeds.
    pub street: Option<String>,
    /// Postal code as given.
    pub postcode: Option<String>,
    /// Town.
    pub city: Option<String>,
    /// ISO 3166-1 alpha-2 code.
    pub country: Option<String>,
    /// Region code without country (`BER`, `NY`), or the region's name where there is none.
    pub region: Option<String>,
    /// Telephone as given.
    pub phone: Option<String>,
}

const FIELDS: [&str; 8] = ["name", "company", "street", "postcode", "city", "country", "region", "phone"];

impl Address {
    fn parts(&self) -> [&Option<String>; 8] {
        [&self.name, &self.company, &self.street, &self.postcode, &self.city, &self.country, &self.region, &self.phone]
    }

    /// Ten characters that are equal where the addresses say the same, whatever their case and spacing.
    #[must_use]
    pub fn key(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in self.parts() {
            hasher.update(crate::text::folded(part.as_deref().unwrap_or("")).as_bytes());
            hasher.update(&[0]);
        }
        hasher.finalize().to_hex().chars().take(10).collect()
    }

    fn read(leaves: &Leaves, key: &str) -> Result<Self, Malformed> {
        let fields = Fields::below(leaves, Path::element("addresses", key));
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

impl Customer {
    /// The path of the address `key`.
    #[must_use]
    pub fn address_path(key: &str) -> Path {
        Path::element("addresses", key)
    }

    pub(super) fn to_leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        let texts = [("name", &self.name), ("email", &self.email), ("tax_id", &self.tax_id), ("code", &self.code)];
        for (field, text) in texts {
            if let Some(text) = text {
                leaves.put(Path::field(field), Value::Text(text.clone()));
            }
        }
        if let Some(active) = self.active {
            leaves.put(Path::field("active"), Value::Bool(active));
        }
        for (key, address) in &self.addresses {
            let base = Self::address_path(key);
            leaves.put(base.clone(), Value::Bool(true));
            for (field, part) in FIELDS.iter().zip(address.parts()) {
                if let Some(part) = part {
                    leaves.put(base.dot(field), Value::Text(part.clone()));
                }
            }
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
        let known: Vec<&str> = alloc::vec!["name", "email", "tax_id", "code", "active"];
        for (path, _) in leaves.iter() {
            let fine = known.contains(&path.as_str())
                || path.within("addresses").is_some_and(|(_, field)| field.is_empty() || FIELDS.contains(&field));
            if !fine {
                return Err(Malformed::Unknown(path.clone()));
            }
        }
        let fields = Fields::of(leaves);
        Ok(Self {
            name: fields.text("name")?,
            email: fields.text("email")?,
            tax_id: fields.text("tax_id")?,
            code: fields.text("code")?,
            active: fields.flag("active")?,
            addresses: Self::addresses_of(leaves)?,
        })
    }
}
