//! Customers of two systems side by side: the shop's own addresses beside those the ERP has for them.

use crate::aside::Asides;
use crate::decide::Decided;
use crate::run::Engine;
use crate::system::{EngineError, System};
use std::collections::BTreeMap;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaf, Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::{self, CustomerCase, Decision};
use syncline_core::profile::Fit;
use syncline_core::record::{CUSTOMER_SHARED, Customer};
use syncline_core::rules::FieldPolicy;
use syncline_store::{Base, Case, SideState};

/// Whether the shop knows a customer from orders only, and has no page of it.
pub(crate) fn is_guest(id: &RemoteId) -> bool {
    id.id.starts_with("guest:")
}

/// Whether `case` is a guest of `shop`.
pub(crate) fn of_guest(case: &Case, shop: &System) -> bool {
    case.kind == Kind::Customer && case.bound.get(&shop.uid).is_some_and(|bound| is_guest(&bound.id))
}

impl Engine {
    /// What to do about a customer: made in `target`, then given what addresses it lacks, then shared field by field. A
    /// guest is told by orders only, and stays as it was made.
    pub(crate) fn decide_customer(
        &self,
        case: &Case,
        source: &System,
        target: &System,
        side: &SideState,
        aside: &Asides,
    ) -> Result<Decided, EngineError> {
        let rules = self.rules_of(case);
        let pair = rules.and_then(|rules| rules.between(&source.name, &target.name));
        let (nothing, none) = (Leaves::new(), BTreeMap::new());
        let bound = case.bound.get(&target.uid);
        let any = Customer::address_path("*");
        let first = planner::customer(&CustomerCase {
            target: &target.name,
            flows: rules.is_some(),
            follows: pair.is_some_and(|pair| match pair.policy(&any) {
                FieldPolicy::Owner(owner) => owner == source.name,
                FieldPolicy::Merge(_) => true,
                FieldPolicy::Keep => false,
            }),
            seen: &side.seen,
            bound: bound.is_some(),
            elements: bound.map_or(&none, |bound| &bound.elements),
            shown: case.sides.get(&target.uid).map_or(&nothing, |side| &side.seen),
        });
        // A party that customers of several shops share says what the first of them says, or they would go on correcting
        // each other.
        let alone = bound.is_some_and(|bound| !bound.shared);
        match (first, rules) {
            (Decision::Agreed, Some(rules)) if alone && !of_guest(case, source) => {
                self.decide_shared(case, rules, aside)
            }
            (first, _) => Ok(first.into()),
        }
    }
}

/// What both show of a customer, each address of the customer's book under one name: `elements` tells what the ERP calls
/// them. One that left the book is told as nothing, unless an order was placed with it; one that says the same on both
/// sides is shown alike, wherever its region stands.
pub(crate) fn side_by_side(shop: &Leaves, erp: &Leaves, elements: &BTreeMap<Path, String>) -> (Leaves, Leaves) {
    let (mut a, mut b) = (shop.clone(), erp.clone());
    a.retain(is_shared);
    b.retain(|path| is_shared(path) && !Customer::is_of_book(path));
    // Only the customer's own page tells of a telephone, and only it tells the whole book.
    let whole = shop.get(&Path::field("phone")) != Leaf::Untold;
    for (path, remote) in elements.iter().filter(|(path, _)| Customer::is_of_book(path)) {
        let Some(Value::Address(there)) = erp.value(&Customer::address_path(remote)) else { continue };
        match shop.value(path) {
            Some(Value::Address(here)) if here.envelope() == there.envelope() => {
                b.put(path.clone(), Value::Address(here.clone()));
            }
            Some(_) => b.put(path.clone(), Value::Address(there.clone())),
            None if whole && !planner::is_shared(elements, path) => {
                a.tell(path.clone(), None);
                b.put(path.clone(), Value::Address(there.clone()));
            }
            None => {}
        }
    }
    (a, b)
}

/// What both agree on when `leaves` of a customer of `shop` were made in `erp`: what was written, so that an edit on either
/// side since then is a change.
pub(crate) fn bases_of_person(shop: &System, erp: &System, leaves: &Leaves) -> Vec<Base> {
    let mut there = leaves.clone();
    there.retain(|path| is_shared(path) && leaves.value(path).is_some());
    let kept = |path: &Path, value: &Value| match erp.connector.fit(Kind::Customer, path, value) {
        Fit::As(other, _) => other,
        Fit::Exact | Fit::Refused(_) => value.clone(),
    };
    let here = there.iter().map(|(path, value)| (path.clone(), value.map(|value| kept(path, value)))).collect();
    Base::laid_over((&erp.uid, here), (&shop.uid, there))
}

/// What both agreed on; nothing of what earlier versions kept, which was no agreement on fields.
pub(crate) fn agreed_on(base: Leaves) -> Leaves {
    if base.iter().all(|(path, _)| is_shared(path)) { base } else { Leaves::new() }
}

/// Whether `path` can be shared: fields, and the addresses of the customer's own book.
fn is_shared(path: &Path) -> bool {
    Customer::is_of_book(path)
        || (path.within("addresses").is_none() && CUSTOMER_SHARED.iter().any(|field| path.is_named_by(field)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::record::{Address, Record};

    fn leaves(page: bool, addresses: &[(&str, &str, Option<&str>)]) -> Leaves {
        let of = |(key, city, region): &(&str, &str, Option<&str>)| {
            let (city, region) = (Some((*city).to_string()), region.map(ToString::to_string));
            ((*key).to_string(), Address { city, region, ..Address::default() })
        };
        let phone = page.then(String::new);
        let customer = Customer { phone, addresses: addresses.iter().map(of).collect(), ..Customer::default() };
        Record::Customer(customer).to_leaves()
    }

    fn elements(pairs: &[(&str, &str)]) -> BTreeMap<Path, String> {
        pairs.iter().map(|(key, remote)| (Customer::address_path(key), (*remote).to_string())).collect()
    }

    #[test]
    fn an_address_stands_under_one_name_and_says_the_same_wherever_its_region_stands() {
        let shop =
            leaves(true, &[("book-1", "New York", Some("NY")), ("book-2", "Bonn", None), ("3f9a", "Bonn", None)]);
        let erp = leaves(true, &[("@7", "New York, NY", None), ("@8", "Köln", None), ("@9", "Ulm", None)]);
        let (a, b) = side_by_side(&shop, &erp, &elements(&[("book-1", "@7"), ("book-2", "@8")]));
        let path = |key: &str| Customer::address_path(key);
        assert_eq!(a.get(&path("book-1")), b.get(&path("book-1")));
        assert_ne!(a.get(&path("book-2")), b.get(&path("book-2")));
        assert_eq!((a.keys_of("addresses").len(), b.keys_of("addresses").len()), (2, 2), "{b:?}");
    }

    #[test]
    fn an_address_that_left_the_book_is_nothing_unless_an_order_has_it() {
        let erp = leaves(true, &[("@7", "Bonn", None)]);
        let path = Customer::address_path("book-1");
        let gone =
            |page: bool, bound: &[(&str, &str)]| side_by_side(&leaves(page, &[]), &erp, &elements(bound)).0.get(&path);
        assert_eq!(gone(true, &[("book-1", "@7")]), Leaf::Empty);
        assert_eq!(gone(true, &[("book-1", "@7"), ("3f9a", "@7")]), Leaf::Untold);
        assert_eq!(gone(false, &[("book-1", "@7")]), Leaf::Untold, "an order does not tell the whole book");
    }

    #[test]
    fn what_an_earlier_version_kept_is_no_agreement() {
        let name: Leaves = std::iter::once((Path::field("name"), Some(Value::Text("Zoë".into())))).collect();
        assert_eq!(agreed_on(name.clone()), name);
        let mut raw = name;
        raw.put(Path::field("active"), Value::Bool(true));
        assert!(agreed_on(raw).is_empty());
    }
}
