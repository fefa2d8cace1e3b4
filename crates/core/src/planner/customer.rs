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
    /// Whether its addresses are carried to the shop.
    pub leads: bool,
    /// Whether the shop's address counts where both changed it.
    pub wins: bool,
    /// Whether the shop's group goes along when it is made.
    pub grouped: bool,
    /// What the shop shows.
    pub seen: &'a Leaves,
    /// Whether the ERP has it.
    pub bound: bool,
    /// What the ERP calls the addresses it has.
    pub elements: &'a BTreeMap<Path, String>,
    /// What the ERP shows, its addresses by its own keys.
    pub shown: &'a Leaves,
    /// What shop and ERP showed when they last agreed.
    pub bases: (&'a Leaves, &'a Leaves),
    /// Values a person chose.
    pub chosen: &'a Leaves,
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
        leaves.retain(|path| {
            !["code", "active"].contains(&path.as_str()) && (case.grouped || *path != Customer::group_path())
        });
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
    let known = |path: &Path| {
        addresses.iter().any(|(key, one)| Customer::address_path(key) == *path && is_there(case.shown, one))
    };
    let what = if missing.iter().all(known) { "both have, not tied yet" } else { "not yet in the ERP" };
    let reason = alloc::format!("{} address(es) {what}", missing.len());
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

/// Whether the ERP needs a further address for the one at `path`, or has one that is to be tied to it: it has none for it,
/// or that one is on the papers of orders, which keep it as it was.
fn lacks(case: &CustomerCase<'_>, path: &Path, address: &Address) -> bool {
    let of_book = Customer::is_of_book(path);
    let Some(remote) = case.elements.get(path) else {
        return !of_book || case.follows || (case.leads && is_there(case.shown, address));
    };
    if !(of_book && case.follows) {
        return false;
    }
    let says_so = |leaves: &Leaves, value: &Address| alike(leaves.value(path), value);
    match case.shown.value(&Customer::address_path(remote)) {
        Some(Value::Address(there)) if is_shared(case.elements, case.seen, path) => {
            let moved = case.bases.0.value(path).is_some() && !says_so(case.bases.0, address);
            let typed = moved && (case.wins || says_so(case.bases.1, there));
            there.envelope() != address.envelope() && (!case.leads || typed || says_so(case.chosen, address))
        }
        Some(_) => false,
        // Retired there, and wanted by a person all the same.
        None => case.leads && says_so(case.chosen, address),
    }
}

fn alike(value: Option<&Value>, address: &Address) -> bool {
    matches!(value, Some(Value::Address(other)) if other.envelope() == address.envelope())
}

fn is_there(shown: &Leaves, address: &Address) -> bool {
    let is_like =
        |value: Option<&Value>| matches!(value, Some(Value::Address(other)) if other.likeness() == address.likeness());
    shown.iter().any(|(_, value)| is_like(value))
}

/// Whether the ERP's address for the one at `path` stands for another one, too: for what an order was placed with, or for
/// another address that is in the book the shop shows.
#[must_use]
pub fn is_shared(elements: &BTreeMap<Path, String>, shop: &Leaves, path: &Path) -> bool {
    let Some(remote) = elements.get(path) else { return false };
    let lives = |other: &Path| !Customer::is_of_book(other) || shop.value(other).is_some();
    elements.iter().any(|(other, theirs)| other != path && theirs == remote && lives(other))
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
        let none = Leaves::new();
        asked((seen, &none, &none), elements, shown, (follows, false))
    }

    /// The same with what the shop's base says and a person chose, and whether each side is heard.
    fn asked(
        sides: (&[(&str, &str)], &Leaves, &Leaves),
        elements: &[(&str, &str)],
        shown: &[(&str, &str)],
        (follows, leads): (bool, bool),
    ) -> Vec<String> {
        decided(sides, elements, shown, (follows, leads, false))
    }

    /// The same, and whether the shop counts where both changed it.
    fn decided(
        (seen, base, chosen): (&[(&str, &str)], &Leaves, &Leaves),
        elements: &[(&str, &str)],
        shown: &[(&str, &str)],
        (follows, leads, wins): (bool, bool, bool),
    ) -> Vec<String> {
        let path = |(key, remote): &(&str, &str)| (Customer::address_path(key), (*remote).to_string());
        let decision = customer(&CustomerCase {
            target: &SystemName::new("erp"),
            flows: true,
            follows,
            leads,
            wins,
            grouped: false,
            bases: (base, base),
            chosen,
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

    #[test]
    fn where_both_are_heard_the_papers_keep_theirs_and_a_clerks_edit_is_no_reason_for_a_further_one() {
        let (shown, both) = ([("@7", "Bonn")], (true, true));
        let elements = [("book-1", "@7"), ("3f9a", "@7")];
        let (old, new) = (leaves(&[("book-1", "Bonn")]), leaves(&[("book-1", "Köln")]));
        let seen = [("book-1", "Köln"), ("3f9a", "Bonn")];
        let none = Leaves::new();
        assert_eq!(asked((&seen, &old, &none), &elements, &shown, both), ["book-1"], "the buyer moved");
        assert!(asked((&seen, &new, &none), &elements, &shown, both).is_empty(), "a clerk moved them");
        assert!(asked((&seen, &none, &none), &elements, &shown, both).is_empty(), "nobody knows: a person is asked");
        let clerk = [("@7", "Ulm")];
        let both_moved = |wins| decided((&seen, &old, &none), &elements, &clerk, (true, true, wins));
        assert!(both_moved(false).is_empty(), "both moved them: a person is asked, or the clerk counts");
        assert_eq!(both_moved(true), ["book-1"], "the buyer counts, and the papers keep theirs all the same");
        assert!(decided((&seen, &none, &none), &elements, &clerk, (true, true, true)).is_empty(), "nobody knows");
        assert_eq!(asked((&seen, &none, &new), &elements, &shown, both), ["book-1"], "a person said so");
        assert_eq!(asked((&seen, &new, &new), &elements, &[], both), ["book-1"], "and though it was retired");
    }

    #[test]
    fn an_address_both_have_is_tied_where_the_erp_leads_and_one_that_left_the_book_is_nobodys() {
        let none = Leaves::new();
        let alone = (false, true);
        assert_eq!(asked((&[("book-9", "Bonn")], &none, &none), &[], &[("@7", "Bonn")], alone), ["book-9"]);
        assert_eq!(asked((&[("book-9", "Bonn")], &none, &none), &[], &[("@7", "Bonn 🚚")], alone), ["book-9"]);
        assert!(asked((&[("book-9", "Ulm")], &none, &none), &[], &[("@7", "Bonn")], alone).is_empty());
        let path = |key: &str| Customer::address_path(key);
        let elements = [(path("book-1"), "@7".to_string()), (path("book-9"), "@7".to_string())].into();
        assert!(!is_shared(&elements, &leaves(&[("book-9", "Bonn")]), &path("book-9")));
        assert!(is_shared(&elements, &leaves(&[("book-9", "Bonn"), ("book-1", "Bonn")]), &path("book-9")));
    }

    /// What is decided about a customer of whom the shop shows `seen`, in the ERP's eyes.
    fn of(seen: &Leaves, shown: &Leaves, [flows, bound, grouped]: [bool; 3]) -> Decision {
        let none = Leaves::new();
        customer(&CustomerCase {
            target: &SystemName::new("erp"),
            flows,
            follows: true,
            leads: false,
            wins: false,
            grouped,
            bases: (&none, &none),
            chosen: &none,
            seen,
            bound,
            elements: &BTreeMap::new(),
            shown,
        })
    }

    #[test]
    fn a_customer_with_a_name_or_an_address_of_mail_is_made_once_where_customers_flow() {
        let shop = |name: Option<&str>, email: Option<&str>| {
            let [name, email] = [name, email].map(|text| text.map(ToString::to_string));
            let (group, code) = (Some("gold".to_string()), Some("7".to_string()));
            let addresses = [("3f9a".to_string(), in_town("Bonn"))].into();
            Record::Customer(Customer {
                name,
                email,
                group,
                code,
                active: Some(true),
                addresses,
                ..Customer::default()
            })
            .to_leaves()
        };
        let made = |seen: &Leaves, grouped| match of(seen, &Leaves::new(), [true, false, grouped]) {
            Decision::Step(plan) => {
                assert_eq!((plan.target.as_str(), plan.kind, plan.step), ("erp", Kind::Customer, Step::Create));
                plan.leaves.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>().join(" ")
            }
            Decision::Hold(hold) => hold.code,
            other => alloc::format!("{other:?}"),
        };
        let zoe = shop(Some("Zoë"), Some("zoe@example.org"));
        assert_eq!(made(&zoe, true), "addresses[3f9a] email group name");
        assert_eq!(made(&zoe, false), "addresses[3f9a] email name");
        assert_eq!(made(&shop(Some("Zoë"), None), false), "addresses[3f9a] name");
        assert_eq!(made(&shop(None, Some("zoe@example.org")), false), "addresses[3f9a] email");
        assert_eq!(made(&shop(None, None), false), "SYN-0107");
        let adopted_only = of(&zoe, &Leaves::new(), [false, false, true]);
        assert!(matches!(adopted_only, Decision::Outside(_)), "{adopted_only:?}");
        for flows in [true, false] {
            let bound = of(&zoe, &Leaves::new(), [flows, true, true]);
            assert!(matches!(&bound, Decision::Step(plan) if plan.step.word() == "attach(addresses)"), "{bound:?}");
        }
    }

    #[test]
    fn addresses_are_added_alone_and_it_is_said_whether_the_erp_has_them_already() {
        let shown = |towns: &[(&str, &str)]| leaves(towns);
        let added = |there: &[(&str, &str)]| match of(
            &leaves(&[("3f9a", "Bonn"), ("4c1b", "Ulm")]),
            &shown(there),
            [true, true, false],
        ) {
            Decision::Step(plan) => {
                let paths: Vec<String> = plan.leaves.iter().map(|(path, _)| path.to_string()).collect();
                assert_eq!(paths, ["addresses[3f9a]", "addresses[4c1b]"]);
                plan.reason
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(added(&[]), "2 address(es) not yet in the ERP");
        assert_eq!(added(&[("@7", "Bonn")]), "2 address(es) not yet in the ERP", "one of them is new");
        assert_eq!(added(&[("@7", "Bonn"), ("@8", "Ulm")]), "2 address(es) both have, not tied yet");
    }
}
