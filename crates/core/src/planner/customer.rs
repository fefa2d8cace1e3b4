//! The first steps of a customer: made once, then given the addresses it lacks. What both sides have is shared field by
//! field.

use super::{Decision, Planned, hold};
use crate::id::SystemName;
use crate::kind::{Kind, Step};
use crate::leaf::{Leaves, Value};
use crate::path::Path;
use crate::record::{Address, Customer};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Everything that decides a customer's next step.
#[derive(Debug)]
pub struct CustomerCase<'a> {
    /// The ERP.
    pub target: &'a SystemName,
    /// Whether customers flow to it.
    pub flows: bool,
    /// Whether the shop's own addresses are carried to it.
    pub follows: bool,
    /// What the shop shows.
    pub seen: &'a Leaves,
    /// Whether the ERP has it.
    pub bound: bool,
    /// What the ERP calls the addresses it has.
    pub elements: &'a BTreeMap<Path, String>,
    /// What the ERP shows, its addresses by its own keys.
    pub shown: &'a Leaves,
}

/// The next step for a customer: created once, then given the addresses it lacks.
#[must_use]
pub fn customer(case: &CustomerCase<'_>) -> Decision {
    let addresses = match Customer::addresses_of(case.seen) {
        Ok(addresses) => addresses,
        Err(error) => return hold("SYN-0107", error.to_string(), "report this as a defect"),
    };
    if !case.flows && !case.bound {
        return Decision::Outside("customers are adopted only".to_string());
    }
    if !case.bound {
        if case.seen.value(&Path::field("name")).is_none() && case.seen.value(&Path::field("email")).is_none() {
            return hold("SYN-0107", "the customer has neither name nor e-mail", "complete the customer in the shop");
        }
        let mut leaves = case.seen.clone();
        leaves.retain(|path| path.as_str() != "code" && path.as_str() != "active");
        return step(case, Step::Create, leaves, "known in the shop, not yet in the ERP".to_string());
    }
    let lacking = |(key, address): (&String, &Address)| {
        let path = Customer::address_path(key);
        lacks(case, &path, address).then_some(path)
    };
    let missing: Vec<Path> = addresses.iter().filter_map(lacking).collect();
    if missing.is_empty() {
        return Decision::Agreed;
    }
    let mut leaves = case.seen.clone();
    leaves.retain(|path| {
        path.within("addresses").is_some_and(|(key, _)| missing.contains(&Customer::address_path(&key)))
    });
    let reason = alloc::format!("{} address(es) not yet in the ERP", missing.len());
    step(case, Step::Attach("addresses".to_string()), leaves, reason)
}

fn step(case: &CustomerCase<'_>, step: Step, leaves: Leaves, reason: String) -> Decision {
    Decision::Step(Planned {
        target: case.target.clone(),
        kind: Kind::Customer,
        step,
        leaves,
        reason,
        adopt_only: false,
    })
}

/// Whether the ERP needs a further address for the one at `path`: it has none for it, or that one is on the papers of
/// orders, which keep it as it was.
fn lacks(case: &CustomerCase<'_>, path: &Path, address: &Address) -> bool {
    let of_book = Customer::is_of_book(path);
    match case.elements.get(path) {
        None => case.follows || !of_book,
        Some(remote) if case.follows && of_book && is_shared(case.elements, path) => {
            match case.shown.value(&Customer::address_path(remote)) {
                Some(Value::Address(there)) => there.envelope() != address.envelope(),
                _ => false,
            }
        }
        Some(_) => false,
    }
}

/// Whether the ERP's address for the one at `path` stands for another one, too: for what an order was placed with.
#[must_use]
pub fn is_shared(elements: &BTreeMap<Path, String>, path: &Path) -> bool {
    let Some(remote) = elements.get(path) else { return false };
    elements.iter().any(|(other, theirs)| other != path && theirs == remote)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;

    fn in_town(city: &str) -> Address {
        Address { city: Some(city.into()), ..Address::default() }
    }

    fn leaves(addresses: &[(&str, &str)]) -> Leaves {
        let addresses = addresses.iter().map(|(key, city)| ((*key).to_string(), in_town(city))).collect();
        let customer = Customer { name: Some("Zoë".into()), addresses, ..Customer::default() };
        Record::Customer(customer).to_leaves()
    }

    /// The addresses that would be added.
    fn added(seen: &[(&str, &str)], elements: &[(&str, &str)], shown: &[(&str, &str)], follows: bool) -> Vec<String> {
        let path = |(key, remote): &(&str, &str)| (Customer::address_path(key), (*remote).to_string());
        let decision = customer(&CustomerCase {
            target: &SystemName::new("erp"),
            flows: true,
            follows,
            seen: &leaves(seen),
            bound: true,
            elements: &elements.iter().map(path).collect(),
            shown: &leaves(shown),
        });
        match decision {
            Decision::Step(step) => step.leaves.keys_of("addresses"),
            _ => Vec::new(),
        }
    }

    #[test]
    fn an_address_that_changed_is_written_where_it_stands_unless_an_order_was_placed_with_it() {
        let shown = [("@7", "Bonn")];
        let alone = added(&[("book-1", "Köln")], &[("book-1", "@7")], &shown, true);
        assert!(alone.is_empty(), "its own address is updated");
        let seen = [("book-1", "Köln"), ("3f9a", "Bonn")];
        let elements = [("book-1", "@7"), ("3f9a", "@7")];
        assert_eq!(added(&seen, &elements, &shown, true), ["book-1"], "the order keeps the old one");
        assert!(added(&seen, &elements, &shown, false).is_empty(), "the ERP keeps its own");
        assert!(added(&[("book-1", "Bonn"), ("3f9a", "Bonn")], &elements, &shown, true).is_empty());
        assert!(added(&seen, &elements, &[], true).is_empty(), "the ERP has retired it");
    }

    #[test]
    fn what_an_order_was_placed_with_is_always_there() {
        assert_eq!(added(&[("3f9a", "Bonn"), ("book-1", "Bonn")], &[], &[], false), ["3f9a"]);
        assert_eq!(added(&[("3f9a", "Bonn"), ("book-1", "Bonn")], &[], &[], true), ["3f9a", "book-1"]);
    }
}
