//! The addresses of a customer's book: one of them is changed, added or taken out, and all others go back as they were read.
//!
//! A list of addresses replaces the one that is there, and one sent without its id is a new one (recorded:
//! customer-put-empty-addresses, customer-one-address-left-out). So what is not meant is not touched, flags included.

use super::client::{Client, Scope};
use super::map::{invalid, kept_in_book};
use super::wire::{self, typed};
use super::wire_book::{Country, Region};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use syncline_connect::{Ctx, Result};
use syncline_core::leaf::{Leaves, Value as LeafValue};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Address, Customer};
use syncline_core::text::{folded, line, shown, town};

/// The regions of the countries that a change names, by code.
pub(super) type Regions = BTreeMap<String, Vec<Region>>;

const PERSON: &str = "an address of the shop names a person with first and last name";

/// The regions of every country that `leaves` name; none for one that the shop does not have.
pub(super) async fn regions(client: &Client, ctx: &Ctx, leaves: &Leaves) -> Result<Regions> {
    let mut regions = Regions::new();
    for (_, value) in leaves.iter() {
        let Some(LeafValue::Address(address)) = value else { continue };
        let code = address.country.as_deref().map(line).unwrap_or_default().to_uppercase();
        let plain = code.len() == 2 && code.chars().all(|one| one.is_ascii_uppercase());
        if !plain || regions.contains_key(&code) {
            continue;
        }
        let path = format!("directory/countries/{code}");
        let country = match client.get_in::<Country>(ctx, Scope::DEFAULT, &path).await {
            Ok(country) => country,
            Err(error) if matches!(error.kind, ErrorKind::Gone | ErrorKind::Invalid) => Country::default(),
            Err(error) => return Err(error),
        };
        regions.insert(code, country.available_regions.unwrap_or_default());
    }
    Ok(regions)
}

/// Whether `path` stands in the book.
pub(super) fn is_kept_in(path: &Path) -> bool {
    path.as_str() == "phone" || path.within("addresses").is_some()
}

/// A customer's book as it was read a moment ago.
#[derive(Debug)]
pub(super) struct Book {
    rows: Vec<Map<String, Value>>,
    regions: Regions,
}

impl Book {
    /// The book in `told`, what a customer's document has under `addresses`.
    pub(super) fn new(told: Option<Value>, regions: Regions) -> Self {
        let rows = match told {
            Some(Value::Array(rows)) => rows,
            _ => Vec::new(),
        };
        Self { rows: rows.into_iter().filter_map(|row| row.as_object().cloned()).collect(), regions }
    }

    /// Whether an address has this id.
    pub(super) fn has_id(&self, id: &Value) -> bool {
        self.rows.iter().any(|row| row.get("id").and_then(text_of) == text_of(id))
    }

    /// The list as it is sent.
    pub(super) fn rows(self) -> Value {
        Value::Array(self.rows.into_iter().map(Value::Object).collect())
    }

    /// Makes the book say `value` at `path`; true where that changes it.
    ///
    /// # Errors
    /// Where the shop has no place for it, with the reason.
    pub(super) fn set(&mut self, path: &Path, value: Option<&LeafValue>) -> Result<bool> {
        let id = path.within("addresses").and_then(|(key, _)| Customer::id_in_book(&key).map(str::to_owned));
        let at = self.rows.iter().position(|row| id.is_some() && row.get("id").and_then(text_of) == id);
        match (value, at) {
            (Some(LeafValue::Text(number)), _) if path.as_str() == "phone" => self.dial(number),
            (Some(LeafValue::Address(address)), Some(at)) => self.say(at, address),
            // Looked for by what it says: an earlier request may have brought it.
            (Some(LeafValue::Address(address)), None) if self.has(address) => Ok(false),
            (Some(LeafValue::Address(address)), None) => {
                let telephone = address.phone.clone().filter(|number| !number.trim().is_empty());
                let telephone = telephone.or_else(|| self.billed().and_then(|row| text_of(row.get("telephone")?)));
                let telephone = telephone.ok_or_else(|| invalid(WITHOUT_TELEPHONE.to_owned()))?;
                self.rows.push(Map::from_iter([("telephone".to_owned(), json!(telephone))]));
                self.say(self.rows.len().saturating_sub(1), address)
            }
            (None, Some(at)) if path.as_str() != "phone" => {
                self.rows.remove(at);
                Ok(true)
            }
            (None, None) if path.as_str() != "phone" => Ok(false),
            _ => Err(invalid(format!("`{path}` of a customer is not written there, or not emptied"))),
        }
    }

    /// The address the customer is billed at, or the first one.
    fn billed(&self) -> Option<&Map<String, Value>> {
        self.billed_at().and_then(|at| self.rows.get(at))
    }

    fn billed_at(&self) -> Option<usize> {
        let billed = |row: &Map<String, Value>| row.get("default_billing").and_then(Value::as_bool) == Some(true);
        self.rows.iter().position(billed).or((!self.rows.is_empty()).then_some(0))
    }

    fn dial(&mut self, number: &str) -> Result<bool> {
        let at = self.billed_at();
        let row = at.and_then(|at| self.rows.get_mut(at)).ok_or_else(|| {
            invalid("the shop keeps telephones in addresses, and the customer has none there".to_owned())
        })?;
        row.insert("telephone".to_owned(), json!(number));
        Ok(true)
    }

    fn has(&self, address: &Address) -> bool {
        let says = |row: &Map<String, Value>| {
            let row: wire::CustomerAddress = typed(&Value::Object(row.clone())).ok()?;
            kept_in_book(&row).map(|(_, kept)| kept.likeness() == address.likeness())
        };
        self.rows.iter().any(|row| says(row) == Some(true))
    }

    /// Makes the row at `at` say `address`; what an address does not tell, a telephone or a flag, stays.
    fn say(&mut self, at: usize, address: &Address) -> Result<bool> {
        let code = address.country.as_deref().map(line).unwrap_or_default().to_uppercase();
        let none = Vec::new();
        let known = self.regions.get(&code).unwrap_or(&none);
        let Some(row) = self.rows.get_mut(at) else { return Ok(false) };
        let old = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let (company, name) = (text(address.company.as_ref()), text(address.name.as_ref()));
        let parts = super::customers::divided(&name, [&old("firstname"), &old("middlename"), &old("lastname")]);
        let [first, middle, last] = parts.ok_or_else(|| invalid(PERSON.to_owned()))?;
        let street: Vec<&str> = address.street.iter().flat_map(|street| street.lines()).collect();
        let (city, region) = placed(address, known);
        let told = [
            ("firstname", json!(first)),
            ("middlename", json!(middle)),
            ("lastname", json!(last)),
            ("company", json!(company)),
            ("street", json!(street)),
            ("postcode", json!(text(address.postcode.as_ref()))),
            ("city", json!(city)),
            ("country_id", json!(code)),
            ("region_id", region.get("region_id").cloned().unwrap_or_else(|| json!(0))),
            ("region", region),
        ];
        for (key, value) in told {
            let nothing = value == json!("") && !row.contains_key(key);
            if !nothing {
                row.insert(key.to_owned(), value);
            }
        }
        Ok(true)
    }
}

/// What is said of a new address that no telephone is known for.
const WITHOUT_TELEPHONE: &str = "an address of the shop has a telephone number: tell the customer's in the ERP, or set \
                                 `fields = { addresses = \"shop\" }`";

/// The town, and the region as Magento takes it. Each country has regions of its own: what is none of them stands behind the
/// town, as it does on paper, or is the text of a country without any.
fn placed(address: &Address, known: &[Region]) -> (String, Value) {
    let city = text(address.city.as_ref());
    let listed =
        |region: &Region| json!({"region_code": region.code.0, "region": region.name.0, "region_id": region.id.0});
    let plain = |text: Option<&str>| json!({"region_code": null, "region": text, "region_id": 0});
    match address.region.as_deref().map(line).filter(|region| !region.is_empty()) {
        Some(told) => match known.iter().find(|region| folded(&region.code.0) == folded(&told)) {
            Some(region) => (city, listed(region)),
            None if known.is_empty() => (city, plain(Some(&told))),
            None => (town(&city, &told), plain(None)),
        },
        None => {
            let behind = city.rsplit_once(", ").and_then(|(before, code)| {
                let region = known.iter().find(|region| folded(&region.code.0) == folded(code))?;
                (!before.trim().is_empty()).then(|| (before.to_owned(), listed(region)))
            });
            behind.unwrap_or_else(|| (city, plain(None)))
        }
    }
}

fn text(told: Option<&String>) -> String {
    told.map(|text| line(text)).unwrap_or_default()
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// How the shop keeps an address: as a whole, with a person, a street, a town and a country; `plain` is what it keeps of a
/// text. A new one has a telephone (`Magento\Customer\Model\Address\Validator\General`: required unless it is switched off).
pub(super) fn fit(path: &Path, address: &Address, plain: impl Fn(&str) -> String) -> Fit {
    let part = |text: &Option<String>| text.as_deref().map(&plain);
    // First, middle and last name are fields of their own: what stands between them is one blank.
    let words = |name: String| name.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept = Address {
        name: part(&address.name).map(words),
        company: part(&address.company),
        street: part(&address.street),
        city: part(&address.city),
        ..address.clone()
    };
    let lacks = |text: &Option<String>| text.as_deref().map(line).unwrap_or_default().is_empty();
    let person = kept.name.as_deref().map(line).unwrap_or_default();
    let missing = [(&kept.street, "a street"), (&kept.city, "a town"), (&kept.country, "a country")];
    if !person.contains(' ') {
        return Fit::Refused(format!("{PERSON}, not `{}`", shown(&person, 60)));
    }
    if let Some((_, what)) = missing.into_iter().find(|(text, _)| lacks(text)) {
        return Fit::Refused(format!("an address of the shop has {what}"));
    }
    if Customer::is_of_erp(path) && lacks(&kept.phone) {
        return Fit::Refused(WITHOUT_TELEPHONE.to_owned());
    }
    match kept == *address {
        true => Fit::Exact,
        false => Fit::As(LeafValue::Address(Box::new(kept)), "without what the shop does not keep".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> Value {
        let customer: Value = serde_json::from_str(include_str!("fixtures/customer-get.json")).unwrap();
        customer["addresses"].clone()
    }

    fn book() -> Book {
        let region = |id: u64, code: &str, name: &str| json!({"id": id.to_string(), "code": code, "name": name});
        let german = json!([region(82, "BER", "Berlin"), region(81, "BAY", "Bayern")]);
        let regions = Regions::from([("DE".to_owned(), serde_json::from_value(german).unwrap())]);
        Book::new(Some(recorded()), regions)
    }

    fn address() -> Address {
        let text = |text: &str| Some(text.to_owned());
        Address {
            name: text("Zoë Müller"),
            company: text("Müller & Söhne GmbH"),
            street: text("Neue Straße 7"),
            postcode: text("80331"),
            city: text("München, BAY"),
            country: text("DE"),
            ..Address::default()
        }
    }

    fn set(book: &mut Book, key: &str, address: Option<Address>) -> bool {
        let value = address.map(|address| LeafValue::Address(Box::new(address)));
        book.set(&Customer::address_path(key), value.as_ref()).unwrap()
    }

    #[test]
    fn the_recorded_address_keeps_its_id_its_flags_and_what_was_not_said() {
        let (before, mut book) = (recorded(), book());
        assert!(set(&mut book, "book-2", Some(address())));
        let after = book.rows();
        for key in ["id", "telephone", "default_billing", "default_shipping", "firstname", "lastname", "company"] {
            assert_eq!(after[0][key], before[0][key], "{key}");
        }
        assert_eq!((&after[0]["city"], &after[0]["street"]), (&json!("München"), &json!(["Neue Straße 7"])));
        assert_eq!((&after[0]["region"]["region_code"], &after[0]["region_id"]), (&json!("BAY"), &json!("81")));
        assert_eq!(after.as_array().unwrap().len(), before.as_array().unwrap().len());
    }

    #[test]
    fn a_new_address_goes_in_once_with_the_customers_telephone_and_one_goes_out_alone() {
        let mut book = book();
        assert!(set(&mut book, "@7", Some(address())));
        assert!(!set(&mut book, "@7", Some(address())), "it is there");
        assert!(!set(&mut book, "book-77", None), "it is not there");
        let rows = book.rows();
        assert_eq!((rows.as_array().unwrap().len(), &rows[1]["telephone"]), (2, &rows[0]["telephone"]));
        assert!(rows[1].get("id").is_none() && rows[1].get("default_billing").is_none());
        let mut book = Book::new(Some(rows), Regions::new());
        assert!(set(&mut book, "book-2", None));
        assert_eq!(book.rows()[0]["city"], "München");
        let mut none = Book::new(None, Regions::new());
        assert!(none.set(&Customer::address_path("@7"), Some(&LeafValue::Address(Box::new(address())))).is_err());
    }

    #[test]
    fn a_telephone_is_that_of_the_address_the_customer_is_billed_at() {
        let mut rows = recorded();
        let mut second = rows[0].clone();
        second["id"] = json!(3);
        rows[0]["default_billing"] = json!(false);
        rows.as_array_mut().unwrap().push(second);
        let mut book = Book::new(Some(rows), Regions::new());
        let number = LeafValue::Text("+4989".to_owned());
        assert!(book.set(&Path::field("phone"), Some(&number)).unwrap());
        let rows = book.rows();
        assert_eq!((&rows[0]["telephone"], &rows[1]["telephone"]), (&json!("+49 30 123"), &json!("+4989")));
        assert!(Book::new(None, Regions::new()).set(&Path::field("phone"), Some(&number)).is_err());
    }

    #[test]
    fn a_region_is_one_of_its_country_or_stands_behind_the_town() {
        let regions = book().regions;
        let at = |city: &str, region: Option<&str>, known: &[Region]| {
            let address = Address { city: Some(city.to_owned()), region: region.map(str::to_owned), ..address() };
            let (city, region) = placed(&address, known);
            format!("{city}|{}", region["region_code"].as_str().or(region["region"].as_str()).unwrap_or_default())
        };
        assert_eq!(at("Berlin", Some("ber"), &regions["DE"]), "Berlin|BER");
        assert_eq!(at("Berlin, BER", None, &regions["DE"]), "Berlin|BER");
        assert_eq!(at("Berlin", Some("BE"), &regions["DE"]), "Berlin, BE|");
        assert_eq!(at("Caernarfon", Some("Gwynedd"), &[]), "Caernarfon|Gwynedd");
        assert_eq!(at("Köln, Deutz", None, &regions["DE"]), "Köln, Deutz|");
    }

    #[test]
    fn what_the_shop_would_refuse_is_refused_before() {
        let whole = address();
        let fits = |path: &str, address: &Address| fit(&Customer::address_path(path), address, str::to_owned);
        assert_eq!(fits("book-2", &whole), Fit::Exact);
        let with_bee = Address { name: Some("Zoë 🐝 Müller ".to_owned()), ..whole.clone() };
        let short = |text: &str| text.replace('🐝', "");
        let kept = fit(&Customer::address_path("book-2"), &with_bee, short);
        assert!(matches!(kept, Fit::As(LeafValue::Address(kept), _) if *kept == whole), "one blank between names");
        assert!(matches!(fits("@7", &whole), Fit::Refused(why) if why.contains("telephone")));
        for broken in [
            Address { name: Some("ACME".to_owned()), ..whole.clone() },
            Address { name: None, ..whole.clone() },
            Address { street: None, ..whole.clone() },
            Address { country: None, ..whole },
        ] {
            assert!(matches!(fits("book-2", &broken), Fit::Refused(_)), "{broken:?}");
        }
    }
}
