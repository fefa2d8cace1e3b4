//! Parties: customers as Tryton keeps them, and the way back.

use super::text::{city_line, lines, told};
use super::{Wrong, element_id, element_key};
use crate::tryton::setup::Setup;
use crate::tryton::wire::{
    AddressRow, NewAddress, NewIdentifier, NewMechanism, NewParty, PartyAdditions, PartyRow, creates,
};
use std::collections::BTreeMap;
use syncline_core::delivery::Change;
use syncline_core::path::Path;
use syncline_core::record::{Address, Customer, Record};
use syncline_core::text::folded;

/// The customer a party row tells.
pub(crate) fn party_record(row: &PartyRow) -> Record {
    let email = row.mechanisms.iter().flatten().find(|way| way.form == "email").and_then(|way| way.value.clone());
    let mut addresses = BTreeMap::new();
    for address in row.addresses.iter().flatten() {
        addresses.insert(element_key(address.id), address_of(address));
    }
    Record::Customer(Customer {
        name: row.name.clone(),
        email,
        tax_id: row.identifiers.iter().flatten().find_map(|identifier| identifier.code.clone()),
        code: row.code.clone(),
        active: Some(row.active.0),
        addresses,
    })
}

/// An address as Tryton prints it: the line of the company, else of the person, and the person as attention line.
fn address_of(row: &AddressRow) -> Address {
    let country = row.country.as_ref().and_then(|country| country.code.clone());
    let subdivision = row.subdivision.as_ref().and_then(|part| part.code.clone());
    let region = subdivision.map(|code| match code.split_once('-') {
        Some((_, part)) => part.to_string(),
        None => code,
    });
    let (name, company) = match (&row.attn, &row.party_name) {
        (Some(person), company) => (Some(person.clone()), company.clone()),
        (None, printed) => (printed.clone(), None),
    };
    Address {
        name,
        company,
        street: row.street.clone(),
        postcode: row.postal_code.clone(),
        city: row.city.clone(),
        country,
        region,
        phone: None,
    }
}

/// The printed name and the attention line of an address.
fn printed(address: &Address) -> (Option<String>, Option<String>) {
    match (told(address.company.as_ref()), told(address.name.as_ref())) {
        (Some(company), person) => (Some(company), person),
        (None, person) => (person, None),
    }
}

/// The address to be made. A region without a record in Tryton stands behind the town.
fn new_address(address: &Address, setup: &Setup) -> Result<NewAddress, Wrong> {
    let code = told(address.country.as_ref()).map(|code| code.to_uppercase());
    let country = match &code {
        None => None,
        Some(code) => Some(*setup.countries.get(code).ok_or_else(|| {
            Wrong::missing(format!(
                "the country `{code}` is not there in Tryton: import its countries (trytond_import_countries), then `syncline retry`"
            ))
        })?),
    };
    let region = told(address.region.as_ref());
    let subdivision = match (&code, &region) {
        (Some(code), Some(region)) => setup.subdivisions.get(&format!("{code}-{region}")).copied(),
        _ => None,
    };
    let left = if subdivision.is_some() { None } else { region.as_deref() };
    let city = city_line(address.city.as_deref().unwrap_or(""), left);
    let (party_name, attn) = printed(address);
    Ok(NewAddress {
        attn,
        party_name,
        street: address.street.as_deref().map(lines).filter(|street| !street.is_empty()),
        postal_code: told(address.postcode.as_ref()),
        city: Some(city).filter(|city| !city.is_empty()),
        country,
        subdivision,
        invoice: true,
        delivery: true,
    })
}

/// The addresses of `customer` to be made, in the order of their keys.
fn new_addresses(customer: &Customer, setup: &Setup) -> Result<Vec<NewAddress>, Wrong> {
    customer.addresses.values().map(|address| new_address(address, setup)).collect()
}

/// The telephones of the addresses, each once, without those in `known`.
fn phones(customer: &Customer, known: &[String]) -> Vec<NewMechanism> {
    let mut found: Vec<String> = Vec::new();
    for phone in customer.addresses.values().filter_map(|address| told(address.phone.as_ref())) {
        if !found.contains(&phone) && !known.contains(&phone) {
            found.push(phone);
        }
    }
    found.into_iter().map(|value| NewMechanism { form: "phone", value }).collect()
}

fn customer_of(change: &Change) -> Result<Customer, Wrong> {
    match Record::from_leaves(change.kind, &change.leaves)? {
        Record::Customer(customer) => Ok(customer),
        _ => Err(Wrong::invalid("the change is for no customer")),
    }
}

/// The party to be made from `change`; its code is our mark.
pub(crate) fn new_party(change: &Change, setup: &Setup) -> Result<NewParty, Wrong> {
    let customer = customer_of(change)?;
    let email = told(customer.email.as_ref());
    let of_address = || customer.addresses.values().find_map(|address| printed(address).0);
    let name = told(customer.name.as_ref()).or_else(of_address).or_else(|| email.clone());
    let mut ways: Vec<NewMechanism> = email.into_iter().map(|value| NewMechanism { form: "email", value }).collect();
    ways.extend(phones(&customer, &[]));
    // Without a type: a number that fails Tryton's check would refuse the whole customer.
    let tax = told(customer.tax_id.as_ref()).map(|code| NewIdentifier { form: None, code });
    Ok(NewParty {
        code: change.mark.as_str().to_string(),
        name,
        addresses: creates(new_addresses(&customer, setup)?),
        contact_mechanisms: creates(ways),
        identifiers: creates(tax.into_iter().collect()),
    })
}

/// What `change` adds to the party `row`.
pub(crate) fn attach_party(change: &Change, row: &PartyRow, setup: &Setup) -> Result<PartyAdditions, Wrong> {
    let customer = customer_of(change)?;
    let known: Vec<String> = row.mechanisms.iter().flatten().filter_map(|way| way.value.clone()).collect();
    Ok(PartyAdditions {
        addresses: creates(new_addresses(&customer, setup)?),
        contact_mechanisms: creates(phones(&customer, &known)),
    })
}

/// What tells an address, whichever side it stands on and wherever its region was put.
fn told_by(address: &Address) -> [String; 6] {
    let (name, attn) = printed(address);
    let city = city_line(address.city.as_deref().unwrap_or(""), address.region.as_deref());
    let text = |text: Option<&str>| folded(text.unwrap_or(""));
    [
        text(name.as_deref()),
        text(attn.as_deref()),
        text(address.street.as_deref()),
        text(address.postcode.as_deref()),
        text(Some(&city)),
        text(address.country.as_deref()),
    ]
}

/// Our addresses in `change` beside those `there`: by what they say, else by place where as many are left on each side.
pub(super) fn pairs(change: &Change, there: &Customer) -> Vec<(Path, String)> {
    let Ok(ours) = Customer::addresses_of(&change.leaves) else { return Vec::new() };
    let mut free: Vec<(i64, [String; 6])> =
        there.addresses.iter().filter_map(|(key, address)| Some((element_id(key)?, told_by(address)))).collect();
    free.sort();
    let mut found = Vec::new();
    let mut left = Vec::new();
    for (key, address) in &ours {
        let wanted = told_by(address);
        match free.iter().position(|(_, says)| *says == wanted) {
            Some(at) => found.push((Customer::address_path(key), element_key(free.remove(at).0))),
            None => left.push(key),
        }
    }
    if left.len() == free.len() {
        for (key, (id, _)) in left.into_iter().zip(free) {
            found.push((Customer::address_path(key), element_key(id)));
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::id::Mark;
    use syncline_core::kind::{Kind, Step};

    fn address(city: &str, region: Option<&str>) -> Address {
        Address { city: Some(city.into()), region: region.map(Into::into), ..Address::default() }
    }

    fn change(addresses: &[Address]) -> Change {
        let addresses = addresses.iter().map(|address| (address.key(), address.clone())).collect();
        let leaves = Record::Customer(Customer { addresses, ..Customer::default() }).to_leaves();
        let (mark, step) = (Mark::new("SLX"), Step::Create);
        Change { kind: Kind::Customer, step, mark, document: None, expect: None, leaves, adopt_only: false }
    }

    fn there(addresses: &[(i64, Address)]) -> Customer {
        let addresses = addresses.iter().map(|(id, address)| (element_key(*id), address.clone())).collect();
        Customer { addresses, ..Customer::default() }
    }

    fn paired(ours: &Address, pairs: &[(Path, String)]) -> Option<String> {
        let path = Customer::address_path(&ours.key());
        pairs.iter().find(|(at, _)| *at == path).map(|(_, id)| id.clone())
    }

    #[test]
    fn addresses_are_told_by_what_they_say_wherever_the_region_stands() {
        let (york, berlin) = (address("New York", Some("NY")), address("Berlin", None));
        let remote =
            there(&[(2, address("BERLIN", None)), (11, address("New York, NY", None)), (3, address("Bonn", None))]);
        let pairs = pairs(&change(&[york.clone(), berlin.clone()]), &remote);
        assert_eq!((paired(&york, &pairs).as_deref(), paired(&berlin, &pairs).as_deref()), (Some("@11"), Some("@2")));
    }

    #[test]
    fn one_address_there_is_never_two_of_ours() {
        let (one, other) = (address("Bonn", None), address("Bonn,", None));
        let found = pairs(&change(&[one.clone(), other.clone()]), &there(&[(9, address("Bonn", None))]));
        assert_eq!(found.len(), 1, "{found:?}");
        let kept = there(&[(9, address("Bonn", None)), (10, address("changed by the ERP", None))]);
        let found = pairs(&change(&[one.clone(), other.clone()]), &kept);
        assert_eq!((paired(&one, &found).as_deref(), paired(&other, &found).as_deref()), (Some("@9"), Some("@10")));
    }
}
