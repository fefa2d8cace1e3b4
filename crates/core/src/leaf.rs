//! Leaves: the fields of a record as an ordered map, told apart as untold, empty or valued.

use crate::id::{EntityId, RemoteId};
use crate::kind::Kind;
use crate::money::Money;
use crate::path::Path;
use crate::record::Address;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use core::fmt;
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What a reference points to: a remote id as a connector speaks it, or the entity the hub knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    /// As one system names it.
    Remote(RemoteId),
    /// As we name it.
    Entity(EntityId),
}

/// A reference to another record, or to one element of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ref {
    /// The kind pointed to.
    pub kind: Kind,
    /// The record pointed to.
    pub to: Target,
    /// A second name to try where the first is not bound (a product's numeric id behind its SKU).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The element meant, e.g. `addresses[3f9a]`; none where the whole record is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<Path>,
}

impl Ref {
    /// A reference to the record `id` of `kind` in the system that is being read.
    #[must_use]
    pub fn remote(kind: Kind, id: RemoteId) -> Self {
        Self { kind, to: Target::Remote(id), alias: None, element: None }
    }
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// Free text.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A plain decimal: a quantity, a rate, a percentage. 1.10 equals 1.1.
    Number(Decimal),
    /// An amount with its currency.
    Money(Money),
    /// A calendar day without zone.
    Day(Date),
    /// A moment.
    Instant(Timestamp),
    /// A reference.
    Ref(Ref),
    /// A code out of a table that both systems name differently (tax, payment method).
    Code(String),
    /// A postal address: one value, for half of one and half of another is where nobody lives.
    Address(Box<Address>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Code(text) => f.write_str(text),
            Self::Bool(yes) => write!(f, "{yes}"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Number(number) => write!(f, "{}", number.normalize()),
            Self::Money(money) => write!(f, "{money}"),
            Self::Day(day) => write!(f, "{day}"),
            Self::Instant(at) => write!(f, "{at}"),
            Self::Ref(target) => match &target.to {
                Target::Remote(id) => write!(f, "{}:{id}", target.kind),
                Target::Entity(id) => write!(f, "{}#{id}", target.kind),
            },
        }
    }
}

/// One field as one read shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaf {
    /// This read does not tell. Never a change.
    Untold,
    /// Told that there is nothing.
    Empty,
    /// Told that there is this.
    Value(Value),
}

impl Value {
    /// Whether both say the same: of addresses counts what stands on their envelopes.
    #[must_use]
    pub fn says(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Address(one), Self::Address(other)) => one.envelope() == other.envelope(),
            (one, other) => one == other,
        }
    }
}

impl Leaf {
    /// Whether both say the same, see [`Value::says`].
    #[must_use]
    pub fn says(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(one), Self::Value(other)) => one.says(other),
            (one, other) => one == other,
        }
    }
}

/// The told fields of a record in path order; a path that is not in the map is [`Leaf::Untold`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Leaves(BTreeMap<Path, Option<Value>>);

impl Leaves {
    /// No field told.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The field at `path`.
    #[must_use]
    pub fn get(&self, path: &Path) -> Leaf {
        match self.0.get(path) {
            None => Leaf::Untold,
            Some(None) => Leaf::Empty,
            Some(Some(value)) => Leaf::Value(value.clone()),
        }
    }

    /// The value at `path` where there is one.
    #[must_use]
    pub fn value(&self, path: &Path) -> Option<&Value> {
        self.0.get(path).and_then(Option::as_ref)
    }

    /// Sets the field at `path`; [`Leaf::Untold`] takes it out.
    pub fn set(&mut self, path: Path, leaf: Leaf) {
        match leaf {
            Leaf::Untold => {
                self.0.remove(&path);
            }
            Leaf::Empty => {
                self.0.insert(path, None);
            }
            Leaf::Value(value) => {
                self.0.insert(path, Some(value));
            }
        }
    }

    /// Tells `value` at `path`.
    pub fn put(&mut self, path: Path, value: Value) {
        self.0.insert(path, Some(value));
    }

    /// Tells `value` at `path`, or that there is none.
    pub fn tell(&mut self, path: Path, value: Option<Value>) {
        self.0.insert(path, value);
    }

    /// Every told field in path order.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, Option<&Value>)> {
        self.0.iter().map(|(path, value)| (path, value.as_ref()))
    }

    /// How many fields are told.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no field is told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These fields with those of `newer` over them; what `newer` does not tell stays.
    #[must_use]
    pub fn overlaid(&self, newer: &Self) -> Self {
        let mut all = self.0.clone();
        all.extend(newer.0.iter().map(|(path, value)| (path.clone(), value.clone())));
        Self(all)
    }

    /// The fields told in `newer` that are not the same here.
    #[must_use]
    pub fn changed_by(&self, newer: &Self) -> Self {
        Self(
            newer
                .0
                .iter()
                .filter(|(path, value)| self.0.get(*path) != Some(*value))
                .map(|(p, v)| (p.clone(), v.clone()))
                .collect(),
        )
    }

    /// Takes out every path for which `keep` says no.
    pub fn retain(&mut self, mut keep: impl FnMut(&Path) -> bool) {
        self.0.retain(|path, _| keep(path));
    }

    /// The element keys told below the collection `name`, in path order.
    #[must_use]
    pub fn keys_of(&self, name: &str) -> alloc::vec::Vec<String> {
        let mut known: alloc::collections::BTreeSet<String> = alloc::collections::BTreeSet::new();
        let mut keys: alloc::vec::Vec<String> = alloc::vec::Vec::new();
        for path in self.0.keys() {
            if let Some((key, _)) = path.within(name)
                && keys.last() != Some(&key)
                && known.insert(key.clone())
            {
                keys.push(key);
            }
        }
        keys
    }

    /// The told fields of the element `base`, such as `lines[15]`, without a look at any other.
    pub fn of_element(&self, base: &Path) -> impl Iterator<Item = (&Path, Option<&Value>)> {
        let rows = self.0.range(base.clone()..);
        rows.take_while(|(path, _)| path.as_str().starts_with(base.as_str()))
            .map(|(path, value)| (path, value.as_ref()))
    }

    /// Sixteen bytes that are equal exactly where the told fields are: over our own canonical bytes.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new();
        for (path, value) in &self.0 {
            hasher.update(path.as_str().as_bytes());
            hasher.update(&[0]);
            if let Some(value) = value {
                hasher.update(canonical(value).as_bytes());
            }
            hasher.update(&[0, u8::from(value.is_some())]);
        }
        let mut short = [0; 16];
        short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        short
    }
}

impl FromIterator<(Path, Option<Value>)> for Leaves {
    fn from_iter<I: IntoIterator<Item = (Path, Option<Value>)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// The one text of a value that fingerprints are made of.
fn canonical(value: &Value) -> String {
    let tag = match value {
        Value::Text(_) => 't',
        Value::Bool(_) => 'b',
        Value::Number(_) => 'n',
        Value::Money(money) => {
            return alloc::format!("m{} {}", money.amount.normalize(), money.currency);
        }
        Value::Day(_) => 'd',
        Value::Instant(_) => 'i',
        Value::Ref(target) => {
            let element = target.element.as_ref().map_or("", Path::as_str).to_string();
            return alloc::format!("r{value}|{element}");
        }
        Value::Code(_) => 'c',
        Value::Address(address) => return alloc::format!("a{}", address.parts_apart()),
    };
    alloc::format!("{tag}{value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves() -> impl Strategy<Value = Leaves> {
        let value = prop_oneof![
            Just(None),
            "[a-z]{0,3}".prop_map(|t| Some(Value::Text(t))),
            (-500i64..500, 0u32..4).prop_map(|(m, s)| Some(Value::Number(Decimal::new(m, s)))),
        ];
        proptest::collection::btree_map("[abc]", value, 0..4)
            .prop_map(|m| m.into_iter().map(|(k, v)| (Path::try_from(k).unwrap(), v)).collect())
    }

    proptest! {
        #[test]
        fn fingerprints_are_equal_where_leaves_are(a in leaves(), b in leaves()) {
            prop_assert_eq!(a == b, a.fingerprint() == b.fingerprint());
        }

        #[test]
        fn an_untold_field_never_changes_anything(a in leaves(), b in leaves()) {
            let after = a.overlaid(&b);
            for (path, value) in a.iter() {
                if matches!(b.get(path), Leaf::Untold) {
                    prop_assert_eq!(after.value(path), value);
                }
            }
            prop_assert!(after.changed_by(&b).is_empty());
        }
    }

    #[test]
    fn trailing_zeros_are_no_difference() {
        let one: Leaves = [(Path::field("qty"), Some(Value::Number(Decimal::new(110, 2))))].into_iter().collect();
        let two: Leaves = [(Path::field("qty"), Some(Value::Number(Decimal::new(11, 1))))].into_iter().collect();
        assert_eq!(one, two);
        assert_eq!(one.fingerprint(), two.fingerprint());
    }

    #[test]
    fn a_field_is_told_emptied_and_taken_out_again() {
        let path = Path::field("name");
        let text = |text: &str| Value::Text(text.to_string());
        let mut leaves = Leaves::new();
        assert!(leaves.is_empty() && leaves.get(&path) == Leaf::Untold && leaves.value(&path).is_none());
        leaves.set(path.clone(), Leaf::Value(text("Mug")));
        assert_eq!((leaves.value(&path), leaves.len(), leaves.is_empty()), (Some(&text("Mug")), 1, false));
        leaves.set(path.clone(), Leaf::Empty);
        assert_eq!((leaves.get(&path), leaves.value(&path), leaves.len()), (Leaf::Empty, None, 1));
        leaves.set(path.clone(), Leaf::Untold);
        assert_eq!((leaves.get(&path), leaves.is_empty()), (Leaf::Untold, true));
        leaves.tell(path.clone(), Some(text("Cup")));
        leaves.put(Path::field("size"), text("L"));
        assert_eq!((leaves.iter().count(), leaves.get(&path)), (2, Leaf::Value(text("Cup"))));
        leaves.retain(|one| *one != path);
        assert_eq!(leaves.iter().map(|(path, _)| path.as_str()).collect::<alloc::vec::Vec<_>>(), ["size"]);
    }

    #[test]
    fn what_changed_is_what_is_told_anew_and_not_the_same() {
        let of = |pairs: &[(&'static str, Option<&str>)]| -> Leaves {
            pairs
                .iter()
                .map(|(path, text)| (Path::field(path), text.map(|text| Value::Text(text.to_string()))))
                .collect()
        };
        let before = of(&[("a", Some("1")), ("b", Some("2")), ("c", None), ("d", Some("4"))]);
        let after = of(&[("a", Some("1")), ("b", Some("3")), ("c", None), ("e", None)]);
        assert_eq!(before.changed_by(&after), of(&[("b", Some("3")), ("e", None)]));
        assert_eq!(
            before.overlaid(&after),
            of(&[("a", Some("1")), ("b", Some("3")), ("c", None), ("d", Some("4")), ("e", None)])
        );
    }

    #[test]
    fn the_keys_of_a_collection_are_told_once_each_and_its_elements_apart() {
        let mut leaves = Leaves::new();
        for path in [
            Path::element("lines", "1"),
            Path::element("lines", "1").dot("sku"),
            Path::element("lines", "15").dot("net"),
            Path::element("lines", "15").dot("sku"),
            Path::element("prices", "2"),
            Path::field("currency"),
        ] {
            leaves.tell(path, None);
        }
        assert_eq!(
            (leaves.keys_of("lines"), leaves.keys_of("images").len()),
            (["15".to_string(), "1".to_string()].to_vec(), 0)
        );
        let of = |key: &str| {
            let element = Path::element("lines", key);
            let fields = leaves.of_element(&element).map(|(path, _)| path.to_string());
            fields.collect::<alloc::vec::Vec<_>>()
        };
        assert_eq!(of("1"), ["lines[1]", "lines[1].sku"]);
        assert_eq!((of("15"), of("2").len()), (["lines[15].net".to_string(), "lines[15].sku".to_string()].to_vec(), 0));
    }

    #[test]
    fn of_two_addresses_counts_what_stands_on_their_envelopes() {
        let address = |city: &str, phone: Option<&str>| {
            let phone = phone.map(ToString::to_string);
            Value::Address(Box::new(Address { city: Some(city.to_string()), phone, ..Address::default() }))
        };
        let (bonn, called, ulm) = (address("Bonn", None), address("Bonn", Some("1")), address("Ulm", None));
        assert!(bonn != called && bonn.says(&called) && !bonn.says(&ulm));
        let leaf = |value: &Value| Leaf::Value(value.clone());
        assert!(leaf(&bonn).says(&leaf(&called)) && !leaf(&bonn).says(&leaf(&ulm)) && !leaf(&bonn).says(&Leaf::Empty));
        assert!(Leaf::Empty.says(&Leaf::Empty) && !Leaf::Empty.says(&Leaf::Untold));
        let text = |text: &str| Value::Text(text.to_string());
        assert!(text("Bonn").says(&text("Bonn")) && !text("Bonn").says(&text("Ulm")) && !text("Bonn").says(&bonn));
    }

    #[test]
    fn values_of_different_sorts_never_have_one_fingerprint() {
        let day = jiff::civil::date(2026, 11, 1);
        let money = |code: &str| Value::Money(Money::new(Decimal::ONE, code.parse().unwrap()));
        let point =
            |kind, element: Option<Path>| Value::Ref(Ref { element, ..Ref::remote(kind, RemoteId::new("1", "4")) });
        let address = |city: Option<&str>, region: Option<&str>| {
            let [city, region] = [city, region].map(|text| text.map(ToString::to_string));
            Value::Address(Box::new(Address { city, region, ..Address::default() }))
        };
        let values = [
            Value::Text("1".to_string()),
            Value::Code("1".to_string()),
            Value::Number(Decimal::ONE),
            money("EUR"),
            money("CHF"),
            Value::Text("true".to_string()),
            Value::Bool(true),
            Value::Day(day),
            Value::Text("2026-11-01".to_string()),
            Value::Instant(Timestamp::UNIX_EPOCH),
            point(Kind::Customer, None),
            point(Kind::Order, None),
            point(Kind::Customer, Some(Path::element("addresses", "3f"))),
            address(Some("Bonn"), None),
            address(None, Some("Bonn")),
        ];
        let print = |value: &Value| {
            let leaves: Leaves = core::iter::once((Path::field("field"), Some(value.clone()))).collect();
            leaves.fingerprint()
        };
        for (at, one) in values.iter().enumerate() {
            for (beside, other) in values.iter().enumerate() {
                assert_eq!(print(one) == print(other), at == beside, "{one:?} {other:?}");
            }
        }
    }
}
