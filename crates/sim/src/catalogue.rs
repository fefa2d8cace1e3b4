//! The catalogue both simulated systems share for one seed.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::random::Random;

/// What kind of thing is sold under a SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// One thing, shipped.
    Simple,
    /// One thing, never shipped.
    Virtual,
    /// A family; what is sold is one of the children, by SKU.
    Configurable {
        /// SKUs of the simple products behind it.
        children: Vec<String>,
    },
    /// Several things sold together, priced by the parts.
    Bundle {
        /// SKU and quantity per bundle.
        parts: Vec<(String, u32)>,
    },
}

/// One catalogue entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The shop's numeric product id; the recorded SKUs keep their recorded ids.
    pub product_id: u64,
    /// Stock keeping unit, unique.
    pub sku: String,
    /// Name in the default language.
    pub name: String,
    /// What it is.
    pub form: Form,
    /// Price of one in US dollars, without tax, up to four decimals.
    pub net_price: Decimal,
    /// Tax rate in percent: 19, 7 or 0.
    pub tax_percent: Decimal,
    /// Weight of one in kilograms.
    pub weight: Decimal,
}

impl Item {
    /// Whether it is the family of what is sold under `sku`.
    #[must_use]
    pub fn has_child(&self, sku: &str) -> bool {
        matches!(&self.form, Form::Configurable { children } if children.iter().any(|child| child == sku))
    }

    /// Its name in another language than the default one: `de` or `fr`, any other as the default.
    #[must_use]
    pub fn named_in(&self, language: &str) -> String {
        match language {
            "de" => format!("{} – Ausführung Nr. {}", self.name, self.product_id),
            "fr" => format!("{} – modèle n° {}", self.name, self.product_id),
            _ => self.name.clone(),
        }
    }
}

/// Languages a catalogue is told in beside the default one, each with the shop's view that speaks it.
pub const LANGUAGES: [(&str, &str); 2] = [("de", "german"), ("fr", "french")];

/// Product id of the first generated entry; the recorded ones keep their own below it.
pub const FIRST_GENERATED: u64 = 1001;

/// The catalogue of a seed: the recorded entries first, then generated ones up to `products` entries in all.
///
/// Children of a configurable and parts of a bundle are entries of their own. A number below that of the
/// recorded entries still gives all of those. Prices of configurables and bundles are those of their cheapest
/// child and of their parts together.
#[must_use]
pub fn catalogue(seed: u64, products: usize) -> Vec<Item> {
    let mut items = recorded();
    let mut family = 0_u64;
    while items.len() < products {
        let room = products - items.len();
        let mut random = Random::of(seed, TOPIC, family);
        // Families, not entries, turn: of 20, 14 simple, 2 virtual, 3 configurable and 1 bundle.
        match family % 20 {
            0 | 8 => push_single(&mut items, &mut random, Form::Virtual),
            3 | 11 | 17 => push_configurable(&mut items, &mut random, room),
            6 => push_bundle(&mut items, &mut random),
            _ => push_single(&mut items, &mut random, Form::Simple),
        }
        family += 1;
    }
    items
}

/// The catalogue as JSON for people and for the other simulated system: one object per entry.
#[must_use]
pub fn to_json(items: &[Item]) -> Value {
    items
        .iter()
        .map(|item| {
            let (kind, children, parts) = match &item.form {
                Form::Simple => ("simple", &[][..], &[][..]),
                Form::Virtual => ("virtual", &[][..], &[][..]),
                Form::Configurable { children } => ("configurable", children.as_slice(), &[][..]),
                Form::Bundle { parts } => ("bundle", &[][..], parts.as_slice()),
            };
            json!({
                "id": item.product_id,
                "sku": item.sku,
                "name": item.name,
                "names": LANGUAGES.map(|(language, _)| (language.to_owned(), Value::from(item.named_in(language))))
                    .into_iter().collect::<serde_json::Map<_, _>>(),
                "type": kind,
                "price": number(item.net_price),
                "tax_percent": number(item.tax_percent),
                "children": children,
                "parts": parts.iter().map(|(sku, qty)| json!({"sku": sku, "qty": qty})).collect::<Vec<_>>(),
            })
        })
        .collect()
}

/// A decimal as a plain JSON number: no exponent, no needless zeros.
pub(crate) fn number(value: Decimal) -> Value {
    let plain = value.normalize();
    if plain.is_zero() {
        return Value::from(0);
    }
    Value::Number(serde_json::Number::from_string_unchecked(plain.to_string()))
}

const TOPIC: u64 = 1;

/// The entries of the recorded shop, with its ids, its last prices, and the rates its orders show.
fn recorded() -> Vec<Item> {
    let children = vec!["BOLT-CFG-0".to_owned(), "BOLT-CFG-1".to_owned()];
    let parts = vec![("MUG".to_owned(), 2), ("BOOK".to_owned(), 1)];
    let rows: [(u64, &str, &str, Form, i64, i64, i64); 10] = [
        (1, "BOLT-M8", "Bolt M8 × 40", Form::Simple, 1400, 0, 125),
        (2, "NUT/M8 ü", "Nut M8", Form::Simple, 500, 19, 125),
        (3, "BOLT-CFG", "Bolt family", Form::Configurable { children }, 15000, 19, 125),
        (4, "BOLT-CFG-0", "Bolt family 0", Form::Simple, 15000, 19, 125),
        (5, "BOLT-CFG-1", "Bolt family 1", Form::Simple, 25000, 19, 125),
        (6, "MUG", "Mug", Form::Simple, 99900, 19, 200),
        (7, "BOOK", "Book", Form::Simple, 199_500, 7, 200),
        (8, "PEN", "Pen", Form::Simple, 22700, 19, 200),
        (9, "GIFTSET", "Gift set", Form::Bundle { parts }, 399_300, 19, 200),
        (13, "LAMP-1", "Lamp", Form::Simple, 620_000, 19, 1000),
    ];
    rows.into_iter()
        .map(|(product_id, sku, name, form, price, rate, grams)| Item {
            product_id,
            sku: sku.to_owned(),
            name: name.to_owned(),
            form,
            net_price: Decimal::new(price, 4),
            tax_percent: Decimal::from(rate),
            weight: Decimal::new(grams, 3),
        })
        .collect()
}

const THINGS: [&str; 24] = [
    "Kaffeebecher",
    "Schraube M6 × 20",
    "Notebook “A5”",
    "Tischlampe",
    "Größenring",
    "Søm 3\"",
    "Crème brûlée set",
    "急須",
    "ノート",
    "Żurawina & Co.",
    "Rock 'n' Roll poster",
    "Plush fox 🦊",
    "Garden hose 1/2\"",
    "Tee <b>grün</b>",
    "Brass hinge",
    "Ölkanne",
    "Fjällräv socks",
    "Écharpe d’été",
    "Cable 2 m; black",
    "Gewürzmühle \\ Edelstahl",
    "Bücherstütze",
    "Paper, 80 g/m²",
    "Ångström ruler",
    "Piñata 🎉",
];
const COLOURS: [&str; 10] = ["rot", "grün", "blue", "noir", "größer", "weiß", "amber", "紺", "olive", "natur"];
const SERVICES: [&str; 6] = [
    "Gift card “Danke”",
    "Extended warranty 3 y",
    "E-book Übergrößen",
    "Online course 日本語",
    "Licence key Pro+",
    "Donation 💚",
];
const STEMS: [&str; 12] = ["KB", "SCR", "NB", "LMP", "RNG", "TEE", "HSE", "BRS", "OIL", "SOC", "CBL", "PPR"];

/// The id after the last one in use, never below the first generated.
fn next_id(items: &[Item]) -> u64 {
    items.last().map_or(FIRST_GENERATED, |last| (last.product_id + 1).max(FIRST_GENERATED))
}

/// A SKU that holds its id, so it is unique; one in sixteen is of the odd kind.
fn sku(random: &mut Random, id: u64) -> String {
    let stem = random.pick(&STEMS);
    match random.below(32) {
        0 => format!("{stem}/{id}"),
        1 => format!("{stem} {id}"),
        2 | 3 => format!("{}-{id}", stem.to_lowercase()),
        4..=9 => format!("{stem}-{id}-{}", random.between(10, 99)),
        _ => format!("{stem}-{id}"),
    }
}

/// A price in dollars: mostly cents, some with four decimals, some whole, a few large.
fn price(random: &mut Random) -> Decimal {
    let cents = match random.below(12) {
        0 => return Decimal::new(int(random.between(101, 9_999)), 4),
        1 => return Decimal::from(random.between(1, 250)),
        2 => random.between(50_000, 249_999),
        3..=6 => random.between(1, 20) * 100 + 99,
        _ => random.between(35, 12_000),
    };
    Decimal::new(int(cents), 2)
}

fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn rate(random: &mut Random) -> Decimal {
    Decimal::from(match random.below(10) {
        0 => 0,
        1..=3 => 7,
        _ => 19,
    })
}

fn push_single(items: &mut Vec<Item>, random: &mut Random, form: Form) {
    let product_id = next_id(items);
    let (name, weight) = if form == Form::Virtual {
        (format!("{} {product_id}", random.pick(&SERVICES)), Decimal::ZERO)
    } else {
        let name = format!("{} {} {product_id}", random.pick(&THINGS), random.pick(&COLOURS));
        (name, Decimal::new(int(random.between(5, 4_000)), 3))
    };
    items.push(Item {
        product_id,
        sku: sku(random, product_id),
        name,
        form,
        net_price: price(random),
        tax_percent: rate(random),
        weight,
    });
}

/// A configurable and its two to four children right behind it; a simple product where there is no room.
fn push_configurable(items: &mut Vec<Item>, random: &mut Random, room: usize) {
    let wanted = random.between(2, 4);
    if room < 1 + usize::try_from(wanted).unwrap_or(4) {
        return push_single(items, random, Form::Simple);
    }
    let product_id = next_id(items);
    let base = sku(random, product_id);
    let thing = random.pick(&THINGS);
    let (cheapest, tax_percent) = (price(random), rate(random));
    let weight = Decimal::new(int(random.between(20, 900)), 3);
    let children: Vec<String> = (1..=wanted).map(|n| format!("{base}-{n}")).collect();
    let child_ids = product_id + 1..;
    let made: Vec<Item> = children
        .iter()
        .zip(child_ids)
        .zip(0_u64..)
        .map(|((sku, id), step)| Item {
            product_id: id,
            sku: sku.clone(),
            name: format!("{thing} {} {id}", COLOURS[random.index(COLOURS.len())]),
            form: Form::Simple,
            net_price: cheapest + Decimal::new(int(step * 50), 2),
            tax_percent,
            weight,
        })
        .collect();
    items.push(Item {
        product_id,
        sku: base,
        name: format!("{thing} (family {product_id})"),
        form: Form::Configurable { children },
        net_price: cheapest,
        tax_percent,
        weight,
    });
    items.extend(made);
}

/// A bundle of two or three simple products that stand before it.
fn push_bundle(items: &mut Vec<Item>, random: &mut Random) {
    let product_id = next_id(items);
    let wanted = usize::try_from(random.between(2, 3)).unwrap_or(2);
    let mut parts: Vec<(String, u32)> = Vec::new();
    let (mut net_price, mut weight) = (Decimal::ZERO, Decimal::ZERO);
    for item in items.iter().rev().filter(|item| item.form == Form::Simple) {
        if parts.len() == wanted {
            break;
        }
        if random.chance(1, 3) {
            continue;
        }
        let qty = if random.chance(1, 3) { 2 } else { 1 };
        parts.push((item.sku.clone(), qty));
        net_price += item.net_price * Decimal::from(qty);
        weight += item.weight * Decimal::from(qty);
    }
    if parts.len() < 2 {
        return push_single(items, random, Form::Simple);
    }
    items.push(Item {
        product_id,
        sku: format!("SET-{product_id}"),
        name: format!("Geschenk-Set “{}” & more {product_id}", random.pick(&THINGS)),
        form: Form::Bundle { parts },
        net_price,
        tax_percent: Decimal::from(19),
        weight,
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FIRST_GENERATED, Form, catalogue, to_json};

    #[test]
    fn same_seed_same_catalogue_of_the_wanted_size() {
        for size in [0, 1, 10, 11, 14, 57, 400] {
            let items = catalogue(42, size);
            assert_eq!(items.len(), size.max(10));
            assert_eq!(items, catalogue(42, size));
        }
        assert_ne!(catalogue(42, 60), catalogue(43, 60));
    }

    #[test]
    fn skus_and_ids_are_unique_and_every_reference_is_there() {
        let items = catalogue(3, 600);
        let skus: BTreeSet<&str> = items.iter().map(|i| i.sku.as_str()).collect();
        let ids: BTreeSet<u64> = items.iter().map(|i| i.product_id).collect();
        assert_eq!((skus.len(), ids.len()), (600, 600));
        let lower: BTreeSet<String> = skus.iter().map(|s| s.to_lowercase()).collect();
        assert_eq!(lower.len(), 600, "Magento finds SKUs whatever their case");
        assert_eq!(items[10].product_id, FIRST_GENERATED);
        for item in &items {
            assert!(item.net_price.scale() <= 4 && !item.net_price.is_zero(), "{item:?}");
            match &item.form {
                Form::Configurable { children } => assert!(children.iter().all(|c| skus.contains(c.as_str()))),
                Form::Bundle { parts } => assert!(parts.iter().all(|(p, _)| skus.contains(p.as_str()))),
                Form::Simple | Form::Virtual => {}
            }
        }
    }

    #[test]
    fn the_mix_is_about_as_promised() {
        let items = catalogue(5, 1010);
        let families =
            |wanted: &str| to_json(&items[10..]).as_array().unwrap().iter().filter(|i| i["type"] == wanted).count();
        assert!((50..=110).contains(&families("virtual")), "{}", families("virtual"));
        assert!((80..=120).contains(&families("configurable")), "{}", families("configurable"));
        assert!((25..=50).contains(&families("bundle")), "{}", families("bundle"));
    }

    #[test]
    fn json_is_plain() {
        let json = to_json(&catalogue(1, 10));
        assert_eq!(
            json[5].to_string(),
            r#"{"id":6,"sku":"MUG","name":"Mug","names":{"de":"Mug – Ausführung Nr. 6","fr":"Mug – modèle n° 6"},"type":"simple","price":9.99,"tax_percent":19,"children":[],"parts":[]}"#
        );
        assert_eq!(json[8]["parts"][0].to_string(), r#"{"sku":"MUG","qty":2}"#);
    }
}
