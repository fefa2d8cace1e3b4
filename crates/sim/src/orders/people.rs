//! Who buys: names, companies and places with the oddities real shops hold, and the customers made of them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::json::{Object, stamp};
use crate::random::Random;

/// The customers that seeded orders name: ids 1 to this. [`super::customers`] never gives fewer.
pub const BUYERS: u64 = 30;

const TOPIC: u64 = 2;
/// The recorded customers: ids 1 and 2.
const RECORDED: &str = include_str!("../../fixtures/magento-customers.json");

/// A place to live: country, and the region the way Magento knows it there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) country: &'static str,
    city: &'static str,
    postcode: &'static str,
    region: Region,
    street: &'static str,
    phone: &'static str,
    /// Whether the shop taxes what it sends there.
    pub(super) taxed: bool,
}

#[derive(Debug, Clone, Copy)]
enum Region {
    /// From Magento's directory: name, code, id.
    Listed(&'static str, &'static str, u64),
    /// Typed in by the customer.
    Text(&'static str),
    None,
}

use Region::{Listed, Text};

const fn place(
    country: &'static str,
    city: &'static str,
    postcode: &'static str,
    region: Region,
    street: &'static str,
    phone: &'static str,
) -> Place {
    let taxed = !matches!(country.as_bytes(), b"US" | b"CH" | b"GB");
    Place { country, city, postcode, region, street, phone, taxed }
}

/// Taxed places first: [`TAXED`] of them.
const PLACES: [Place; 16] = [
    place("DE", "Berlin", "10115", Listed("Berlin", "BER", 82), "Hauptstraße 1", "+49 30 123"),
    place("DE", "Köln", "50667", Listed("Nordrhein-Westfalen", "NRW", 88), "Große Budengasse 7b", "0221/4711"),
    place("DE", "Garmisch-Partenkirchen", "82467", Listed("Bayern", "BAY", 81), "Zugspitzstr. 3–5", "+498821555"),
    place("AT", "Wien", "1010", Listed("Wien", "WI", 95), "Kärntner Straße 38/2/14", "+43 1 555 00"),
    place("FR", "Paris", "75011", Listed("Paris", "75", 257), "12 bis, rue de l’Église", "+33 1 55 55 55 55"),
    place("ES", "Barcelona", "08007", Listed("Barcelona", "139", 139), "Carrer d'Aragó 255, 3º 2ª", "+34 935 550 000"),
    place("ES", "Madrid", "28013", Listed("Madrid", "161", 161), "C/ de la Montera, 9", "+34 915 550 000"),
    place("NL", "'s-Hertogenbosch", "5211 AB", Region::None, "Kerkstraat 1-a", "073 555 0100"),
    place("IT", "Forlì", "47121", Text("FC"), "Piazza Aurelio Saffi 8", "+39 0543 555"),
    place("US", "New York", "10001", Listed("New York", "NY", 43), "1 Main St", "555"),
    place(
        "US",
        "Truth or Consequences",
        "87901-1234",
        Listed("New Mexico", "NM", 42),
        "505 Sims St Apt #4",
        "(575) 555-0100",
    ),
    place("US", "Los Angeles", "90012", Listed("California", "CA", 12), "200 N Spring St", "+1-213-555-0100"),
    place("CH", "Genève", "1201", Listed("Genève", "GE", 111), "Rue du Mont-Blanc 18", "+41 22 555 00 00"),
    place("CH", "Zürich", "8001", Listed("Zürich", "ZH", 129), "Bahnhofstrasse 1", "+41 44 555 00 00"),
    place("GB", "London", "SW1A 1AA", Text("Greater London"), "Flat 2, 221B Baker Street", "+44 20 7946 0000"),
    place("GB", "Ynys Môn", "LL58 8RE", Region::None, "Tŷ Coch", "+44 1248 555 000"),
];
const TAXED: u64 = 9;

const FIRST_NAMES: [&str; 20] = [
    "Zoë",
    "Jürgen",
    "Anna",
    "Łukasz",
    "Siobhán",
    "Jean-Luc",
    "Ana María",
    "花子",
    "Guest 😀",
    "Øyvind",
    "Ægir",
    "José",
    "Renée",
    "Max",
    "İlayda",
    "Nguyễn",
    "O",
    "Дмитрий",
    "Mary-Jane",
    "X Æ A-12",
];
const LAST_NAMES: [&str; 20] = [
    "Müller",
    "Müller-Lüdenscheidt",
    "O'Brien",
    "D’Angelo",
    "Nuñez y Gómez",
    "Çelik",
    "山田",
    "van der Berg",
    "Ødegård",
    "Weiß",
    "Smith",
    "Schmidt, geb. Groß",
    "Škvorecký",
    "de la Cruz 🎸",
    "Null",
    "Ng",
    "\"Quote\"",
    "Кузнецов",
    "Straßmaier",
    "MacDonald & Sons",
];
const COMPANIES: [&str; 10] = [
    "Müller & Söhne GmbH",
    "株式会社テスト",
    "ACME “Best” Ltd.",
    "Crème & Cie S.à r.l.",
    "Łódź Trading Sp. z o.o.",
    "🦊 Fox Trading",
    "Bäckerei Groß e.K.",
    "O'Neill's <Tools>",
    "Société Générale d’Épicerie",
    "Smith; Sons, Inc.",
];
const SECOND_LINES: [&str; 6] =
    ["2. OG", "c/o Weiß", "Bâtiment B, étage 3", "P.O. Box 7", "Hinterhaus 🔔 links", "部屋 12"];

/// A person or firm with the address they gave.
#[derive(Debug, Clone)]
pub(super) struct Party {
    pub(super) first: String,
    pub(super) last: String,
    pub(super) email: String,
    pub(super) company: Option<String>,
    pub(super) vat: Option<String>,
    pub(super) place: Place,
    pub(super) street: Vec<String>,
}

/// What kind of party is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Private,
    Company,
    /// Texts of more than 200 characters in street, name and company.
    Long,
}

/// Which kind of place is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whereabouts {
    Taxed,
    Untaxed,
    Anywhere,
}

/// One of the places of a kind.
pub(super) fn somewhere(random: &mut Random, kind: Whereabouts) -> Place {
    let all = PLACES.len() as u64;
    let index = match kind {
        Whereabouts::Taxed => random.below(TAXED),
        Whereabouts::Untaxed => random.between(TAXED, all - 1),
        Whereabouts::Anywhere => random.below(all),
    };
    PLACES[usize::try_from(index).unwrap_or(0)]
}

/// A new party at a place, with this e-mail address.
pub(super) fn party(random: &mut Random, style: Style, place: Place, email: String) -> Party {
    let mut first = (*random.pick(&FIRST_NAMES)).to_owned();
    let mut last = (*random.pick(&LAST_NAMES)).to_owned();
    let mut street = vec![place.street.to_owned()];
    if random.chance(1, 3) {
        street.push((*random.pick(&SECOND_LINES)).to_owned());
    }
    let mut company = (style != Style::Private).then(|| (*random.pick(&COMPANIES)).to_owned());
    if style == Style::Long {
        first = long("Maria-Anneliese ", 70);
        last = long("von und zu Ölfingen-Weißenbühl ", 200);
        street = vec![long("Gewerbepark Süd, Gebäude Ä, Rampe 7, ", 210), "2. OG links 🚚".to_owned()];
        company = Some(long("Donaudampfschifffahrtsgesellschaft & Söhne 海運 ", 220));
    }
    let vat = company.is_some().then(|| vat_number(random, place.country)).flatten();
    Party { first, last, email, company, vat, place, street }
}

/// The text repeated up to a number of characters.
fn long(text: &str, characters: usize) -> String {
    text.chars().cycle().take(characters).collect::<String>().trim_end().to_owned()
}

/// A VAT number with the right check digits, for the countries whose rule is short.
fn vat_number(random: &mut Random, country: &str) -> Option<String> {
    match country {
        "DE" => {
            let digits = format!("{:08}", random.between(10_000_000, 99_999_999));
            let mut product = 10;
            for digit in digits.bytes().map(|b| u64::from(b - b'0')) {
                let sum = (digit + product) % 10;
                product = (if sum == 0 { 10 } else { sum }) * 2 % 11;
            }
            Some(format!("DE{digits}{}", (11 - product) % 10))
        }
        "AT" => {
            let digits = format!("{:07}", random.below(10_000_000));
            Some(format!("ATU{digits}{}", (16 - luhn(&format!("{digits}0"))) % 10))
        }
        "FR" => {
            let digits = format!("{:08}", random.between(10_000_000, 99_999_999));
            let siren = format!("{digits}{}", (10 - luhn(&format!("{digits}0"))) % 10);
            let key = format!("{siren}12").bytes().fold(0, |left, b| (left * 10 + u64::from(b - b'0')) % 97);
            Some(format!("FR{key:02}{siren}"))
        }
        _ => None,
    }
}

/// The Luhn sum of digits, modulo ten.
fn luhn(digits: &str) -> u64 {
    let doubled = |(index, digit): (usize, u64)| match index % 2 {
        0 => digit,
        _ if digit > 4 => digit * 2 - 9,
        _ => digit * 2,
    };
    digits.bytes().rev().map(|b| u64::from(b - b'0')).enumerate().map(doubled).sum::<u64>() % 10
}

/// An order address as `GET /orders/{id}` answers it.
pub(super) fn order_address(party: &Party, kind: &str, entity_id: u64, order_id: u64) -> Value {
    let mut object = Object::default();
    object.put("address_type", kind).put("city", party.place.city);
    object.put_some("company", party.company.as_deref());
    object.put("country_id", party.place.country).put("email", party.email.as_str());
    object.put("entity_id", entity_id).put("firstname", party.first.as_str()).put("lastname", party.last.as_str());
    object.put("parent_id", order_id).put("postcode", party.place.postcode);
    match party.place.region {
        Listed(name, code, id) => {
            object.put("region", name).put("region_code", code).put("region_id", id);
        }
        Text(name) => {
            object.put("region", name);
        }
        Region::None => {}
    }
    object.put("street", party.street.clone()).put("telephone", party.place.phone);
    object.put_some("vat_id", party.vat.as_deref());
    object.done()
}

/// A customer account.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    pub(super) id: u64,
    pub(super) group: u64,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) email: String,
    pub(super) vat: Option<String>,
    /// The first one is the default for both uses.
    pub(super) addresses: Vec<Party>,
}

/// Customer `id` of a seed, from 3 on; who it is depends on nothing else.
pub(super) fn customer(seed: u64, id: u64) -> Customer {
    let mut random = Random::of(seed, TOPIC, id);
    let email = match id % 6 {
        0 => format!("jürgen.{id}@example.com"),
        1 => format!("Anna.Weiss+{id}@Example.com"),
        2 => format!("o'brien.{id}@example.com"),
        _ => format!("customer.{id}@example.com"),
    };
    let style = match id % 7 {
        3 => Style::Company,
        5 => Style::Long,
        _ if random.chance(1, 4) => Style::Company,
        _ => Style::Private,
    };
    let many = if id.is_multiple_of(9) { 0 } else { 1 + random.below(3) * random.below(2) };
    let place = somewhere(&mut random, Whereabouts::Anywhere);
    let main = party(&mut random, style, place, email.clone());
    let mut addresses = vec![main.clone()];
    for _ in 1..many {
        let place = somewhere(&mut random, Whereabouts::Anywhere);
        addresses.push(party(&mut random, Style::Private, place, email.clone()));
    }
    addresses.truncate(usize::try_from(many).unwrap_or(1));
    let group = if main.company.is_some() { random.between(2, 3) } else { 1 };
    Customer { id, group, first: main.first, last: main.last, email, vat: main.vat, addresses }
}

/// Magento customer JSON for customers 1 to `count` (at least [`BUYERS`]), as `GET /customers/{id}` answers.
pub(super) fn all(seed: u64, count: usize, now: Timestamp) -> Vec<Value> {
    let count = (count as u64).max(BUYERS);
    let mut made: Vec<Value> = serde_json::from_str(RECORDED).unwrap_or_default();
    for (customer, id) in made.iter_mut().zip(1..) {
        let at = stamp(joined(seed, id, now));
        customer["created_at"] = at.as_str().into();
        customer["updated_at"] = at.into();
    }
    made.extend((3..=count).map(|id| account(&customer(seed, id), joined(seed, id, now))));
    made
}

/// When a customer opened the account: one to 400 days before now.
fn joined(seed: u64, id: u64, now: Timestamp) -> Timestamp {
    let hours = Random::of(seed, TOPIC + 1, id).between(25, 400 * 24);
    now.checked_sub(SignedDuration::from_hours(i64::try_from(hours).unwrap_or(25))).unwrap_or(now)
}

fn account(customer: &Customer, joined: Timestamp) -> Value {
    let mut object = Object::default();
    let ids = customer.id * 4..;
    let addresses: Vec<Value> = customer
        .addresses
        .iter()
        .zip(ids)
        .enumerate()
        .map(|(n, (party, id))| book_entry(party, id, customer.id, n == 0))
        .collect();
    let default = addresses.first().and_then(|first| first["id"].as_u64()).map(|id| id.to_string());
    object.put("id", customer.id).put("group_id", customer.group);
    object.put_some("default_billing", default.as_deref()).put_some("default_shipping", default.as_deref());
    object.put("created_at", stamp(joined)).put("updated_at", stamp(joined));
    object.put("created_in", "Default Store View").put("email", customer.email.as_str());
    object.put("firstname", customer.first.as_str()).put("lastname", customer.last.as_str()).put("store_id", 1);
    object.put_some("taxvat", customer.vat.as_deref());
    object.put("website_id", 1).put("addresses", addresses).put("disable_auto_group_change", 0);
    object.put("extension_attributes", json!({"is_subscribed": false}));
    object.done()
}

fn book_entry(party: &Party, id: u64, customer_id: u64, default: bool) -> Value {
    let (region, region_id) = match party.place.region {
        Listed(name, code, id) => (json!({"region_code": code, "region": name, "region_id": id}), Some(id)),
        Text(name) => (json!({"region_code": name, "region": name, "region_id": 0}), None),
        Region::None => (json!({"region_code": null, "region": null, "region_id": 0}), None),
    };
    let mut object = Object::default();
    object.put("id", id).put("customer_id", customer_id).put("region", region).put_some("region_id", region_id);
    object.put("country_id", party.place.country).put("street", party.street.clone());
    object.put_some("company", party.company.as_deref());
    object.put("telephone", party.place.phone).put("postcode", party.place.postcode).put("city", party.place.city);
    object.put("firstname", party.first.as_str()).put("lastname", party.last.as_str());
    object.put_some("vat_id", party.vat.as_deref());
    if default {
        object.put("default_shipping", true).put("default_billing", true);
    }
    object.done()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Random, all, luhn, vat_number};

    #[test]
    fn customers_are_numbered_from_one_with_unique_addresses() {
        let made = all(9, 80, "2026-11-23T07:00:00Z".parse().unwrap());
        assert_eq!(made.len(), 80);
        for (customer, id) in made.iter().zip(1_u64..) {
            assert_eq!(customer["id"], id);
        }
        let emails: BTreeSet<String> = made.iter().map(|c| c["email"].to_string().to_lowercase()).collect();
        assert_eq!(emails.len(), 80);
        let books: Vec<u64> =
            made.iter().flat_map(|c| c["addresses"].as_array().unwrap()).map(|a| a["id"].as_u64().unwrap()).collect();
        assert_eq!(books.iter().collect::<BTreeSet<_>>().len(), books.len());
        assert!(made.iter().any(|c| c["addresses"].as_array().unwrap().len() > 1));
        assert!(made.iter().any(|c| c["addresses"].as_array().unwrap().is_empty()));
        assert!(made[2..].iter().filter(|c| c.get("taxvat").is_some()).count() > 3);
        assert_eq!(made, all(9, 80, "2026-11-23T07:00:00Z".parse().unwrap()));
    }

    #[test]
    fn vat_numbers_check_out() {
        assert_eq!(luhn("79927398713"), 0);
        let mut random = Random::new(3);
        for _ in 0..50 {
            let french = vat_number(&mut random, "FR").unwrap();
            assert_eq!((french.len(), luhn(&french[4..])), (13, 0));
            assert_eq!(vat_number(&mut random, "AT").unwrap().len(), 11);
            assert_eq!(vat_number(&mut random, "DE").unwrap().len(), 11);
        }
    }
}
