//! Parties: customers as Tryton keeps them, and the way back.

use super::text::{kept_as, lines, told};
use super::{Wrong, element_id, element_key, remote};
use crate::tryton::setup::Setup;
use crate::tryton::wire::creates;
use crate::tryton::wire_party::{
    AddressRow, IdentifierRow, KeptAddress, MechanismRow, NewAddress, NewIdentifier, NewMechanism, NewParty,
    PartyAdditions, PartyRow,
};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::delivery::Change;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaf, Ref, Value};
use syncline_core::path::Path;
use syncline_core::profile::Fit;
use syncline_core::record::{Address, Customer, Record};
use syncline_core::text::{line, phone, town};

/// The customer a party row tells. What it does not have is told as nothing.
pub(crate) fn party_record(row: &PartyRow) -> Record {
    let mut addresses = BTreeMap::new();
    for address in row.addresses.iter().flatten() {
        addresses.insert(element_key(address.id), address_of(address));
    }
    let told = |text: Option<String>| Some(text.unwrap_or_default());
    let way = |row: Option<&MechanismRow>| row.and_then(|way| way.value.clone());
    Record::Customer(Customer {
        name: told(row.name.clone()),
        email: told(way(mechanism(row, EMAIL))),
        tax_id: told(identifier(row).and_then(|identifier| identifier.code.clone())),
        phone: told(way(mechanism(row, PHONE)).map(|number| phone(&number))),
        group: row.list.as_ref().map(|list| list.as_ref().and_then(|list| list.name.clone()).unwrap_or_default()),
        code: row.code.clone(),
        active: Some(row.active.0),
        replaced_by: row.replaced_by.map(|id| Ref::remote(Kind::Customer, remote(id))),
        addresses,
    })
}

const EMAIL: &str = "email";
const PHONE: &str = "phone";

/// The first way of this form to reach the party: Tryton lists them in the order people gave them.
fn mechanism<'a>(row: &'a PartyRow, form: &str) -> Option<&'a MechanismRow> {
    row.mechanisms.iter().flatten().find(|way| way.form == form)
}

fn identifier(row: &PartyRow) -> Option<&IdentifierRow> {
    row.identifiers.iter().flatten().find(|identifier| identifier.code.is_some())
}

/// An address as Tryton keeps it: the line of the company, else of the person, and the person as attention line.
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

/// The address as Tryton keeps it. A region without a record in Tryton stands behind the town.
fn kept_address(address: &Address, setup: &Setup) -> Result<KeptAddress, Wrong> {
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
    let city = town(&line(address.city.as_deref().unwrap_or("")), left.unwrap_or_default());
    let (party_name, attn) = address.printed();
    Ok(KeptAddress {
        attn,
        party_name,
        street: address.street.as_deref().map(lines).filter(|street| !street.is_empty()),
        postal_code: told(address.postcode.as_ref()),
        city: Some(city).filter(|city| !city.is_empty()),
        country,
        subdivision,
    })
}

/// The addresses of `customer` to be made, in the order of their keys: each once, and none that is `there`.
fn new_addresses(customer: &Customer, there: &PartyRow, setup: &Setup) -> Result<Vec<NewAddress>, Wrong> {
    let all = there.addresses.iter().flatten();
    let mut known: BTreeSet<[String; 6]> = all.flat_map(|row| printed(&address_of(row), there.name.as_ref())).collect();
    let unknown = customer.addresses.values().filter(|address| known.insert(address.likeness()));
    unknown
        .map(|address| Ok(NewAddress { kept: kept_address(address, setup)?, invoice: true, delivery: true }))
        .collect()
}

/// The telephones of the customer and the addresses, each once, without those that are `there`.
fn phones(customer: &Customer, there: &PartyRow) -> Vec<NewMechanism> {
    let mut known: BTreeSet<String> =
        there.mechanisms.iter().flatten().filter_map(|way| way.value.as_deref()).map(phone).collect();
    let of_addresses = customer.addresses.values().map(|address| address.phone.as_ref());
    let all = of_addresses.chain([customer.phone.as_ref()]).filter_map(told);
    let mut new: Vec<String> = all.filter(|number| known.insert(phone(number))).collect();
    // The customer's own is the first one, which is the one people dial.
    let own = told(customer.phone.as_ref());
    new.sort_by_key(|number| own.as_ref().is_none_or(|own| phone(own) != phone(number)));
    new.into_iter().map(|value| NewMechanism { form: PHONE, value }).collect()
}

fn customer_of(change: &Change) -> Result<Customer, Wrong> {
    match Record::from_leaves(change.kind, &change.leaves)? {
        Record::Customer(customer) => Ok(customer),
        _ => Err(Wrong::invalid("the change is for no customer")),
    }
}

/// The price list that `change` names for the group of the customer; none where it names none.
fn price_list(change: &Change, setup: &Setup) -> Result<Option<i64>, Wrong> {
    let name = change.elements.get(&Customer::group_path()).filter(|name| !name.is_empty());
    let Some(name) = name.filter(|_| change.leaves.value(&Customer::group_path()).is_some()) else { return Ok(None) };
    let known = setup.lists.as_ref().and_then(|lists| lists.get(name));
    known.copied().map(Some).ok_or_else(|| {
        Wrong::missing(format!(
            "the price list `{name}` is not there in Tryton: make it, or change its row in [flows.customers.groups]"
        ))
    })
}

/// The party to be made from `change`; its code is our mark.
pub(crate) fn new_party(change: &Change, setup: &Setup) -> Result<NewParty, Wrong> {
    let customer = customer_of(change)?;
    let none = PartyRow::default();
    let email = told(customer.email.as_ref());
    let of_address = || customer.addresses.values().find_map(|address| address.printed().0);
    let name = told(customer.name.as_ref()).or_else(of_address).or_else(|| email.clone());
    let mut ways: Vec<NewMechanism> = email.into_iter().map(|value| NewMechanism { form: EMAIL, value }).collect();
    ways.extend(phones(&customer, &none));
    // Without a type: a number that fails Tryton's check would refuse the whole customer.
    let tax = told(customer.tax_id.as_ref()).map(|code| NewIdentifier { form: None, code });
    let group = change.leaves.get(&Customer::group_path()) != Leaf::Untold;
    Ok(NewParty {
        code: change.mark.as_str().to_string(),
        name,
        sale_price_list: group.then(|| price_list(change, setup)).transpose()?,
        addresses: creates(new_addresses(&customer, &none, setup)?),
        contact_mechanisms: creates(ways),
        identifiers: creates(tax.into_iter().collect()),
    })
}

/// What `change` adds to the party `row`; none where all of it is there.
pub(crate) fn attach_party(change: &Change, row: &PartyRow, setup: &Setup) -> Result<Option<PartyAdditions>, Wrong> {
    let customer = customer_of(change)?;
    let addresses = creates(new_addresses(&customer, row, setup)?);
    let contact_mechanisms = creates(phones(&customer, row));
    let nothing = addresses.is_empty() && contact_mechanisms.is_empty();
    Ok((!nothing).then_some(PartyAdditions { addresses, contact_mechanisms }))
}

/// An update of a party: what is written, and the records below it that must still be as they were read.
#[derive(Debug, Default)]
pub(crate) struct PartyEdit {
    pub(crate) values: serde_json::Map<String, Json>,
    pub(crate) versions: Vec<(&'static str, i64, String)>,
}

impl PartyEdit {
    /// Sets the value of one record of a list below the party: makes it, changes it, or deletes it.
    fn set(&mut self, list: Below, known: Option<(i64, Option<String>)>, value: Option<String>, form: Option<&str>) {
        let command = match (known, value) {
            (None, None) => return,
            (None, Some(value)) => json!(["create", [{"type": form, list.field: value}]]),
            (Some((id, version)), value) => {
                self.versions.extend(version.map(|version| (list.model, id, version)));
                match value {
                    Some(value) => json!(["write", [id], {list.field: value}]),
                    None => json!(["delete", [id]]),
                }
            }
        };
        self.command(list.name, command);
    }

    fn command(&mut self, name: &str, command: Json) {
        let commands = self.values.entry(name).or_insert_with(|| json!([]));
        commands.as_array_mut().into_iter().for_each(|all| all.push(command.clone()));
    }
}

/// A list of records below a party.
#[derive(Debug, Clone, Copy)]
struct Below {
    name: &'static str,
    model: &'static str,
    field: &'static str,
}

const WAYS: Below = Below { name: "contact_mechanisms", model: "party.contact_mechanism", field: "value" };
const IDENTIFIERS: Below = Below { name: "identifiers", model: "party.identifier", field: "code" };
const ADDRESS: &str = "party.address";

/// What `change` makes of the party `row`.
pub(crate) fn edit_party(change: &Change, row: &PartyRow, setup: &Setup) -> Result<PartyEdit, Wrong> {
    let mut edit = PartyEdit::default();
    for (path, value) in change.leaves.iter() {
        let text = match value {
            Some(Value::Text(text)) => told(Some(text)),
            _ => None,
        };
        let known = |form| mechanism(row, form).map(|way| (way.id, way.version.clone()));
        match (path.as_str(), value) {
            ("group", None | Some(Value::Text(_))) => {
                drop(edit.values.insert("sale_price_list".to_string(), json!(price_list(change, setup)?)));
            }
            ("name", None | Some(Value::Text(_))) => drop(edit.values.insert("name".to_string(), json!(text))),
            ("email", None | Some(Value::Text(_))) => edit.set(WAYS, known(EMAIL), text, Some(EMAIL)),
            ("phone", None | Some(Value::Text(_))) => edit.set(WAYS, known(PHONE), text, Some(PHONE)),
            ("tax_id", None | Some(Value::Text(_))) => {
                edit.set(IDENTIFIERS, identifier(row).map(|one| (one.id, one.version.clone())), text, None);
            }
            (_, None | Some(Value::Address(_))) if Customer::is_of_book(path) || Customer::is_of_erp(path) => {
                edit_address(&mut edit, change, path, row, setup)?;
            }
            _ => return Err(Wrong::invalid(format!("`{path}` of a customer cannot be set in Tryton"))),
        }
    }
    Ok(edit)
}

/// Changes the address at `path` where it stands, which Tryton's own key names where it is not tied yet; one that is no longer in the customer's book is retired, for papers
/// may refer to it.
fn edit_address(
    edit: &mut PartyEdit,
    change: &Change,
    path: &Path,
    row: &PartyRow,
    setup: &Setup,
) -> Result<(), Wrong> {
    let own = || path.within("addresses").map(|(key, _)| key).filter(|_| Customer::is_of_erp(path));
    let id = change.elements.get(path).cloned().or_else(own).and_then(|key| element_id(&key));
    let there = row.addresses.iter().flatten().find(|address| Some(address.id) == id);
    let there = there.ok_or_else(|| Wrong::invalid("the address is not in use in Tryton any more"))?;
    let values = match change.leaves.value(path) {
        Some(Value::Address(address)) => serde_json::to_value(kept_address(address, setup)?)
            .map_err(|error| Wrong::invalid(format!("an address cannot be written: {error}")))?,
        _ => json!({"active": false}),
    };
    edit.versions.extend(there.version.clone().map(|version| (ADDRESS, there.id, version)));
    edit.command("addresses", json!(["write", [there.id], values]));
    Ok(())
}

/// How Tryton keeps `value` at `path` of a customer.
pub(super) fn fit(path: &Path, value: &Value) -> Fit {
    match (path.as_str(), value) {
        ("phone", Value::Text(text)) => kept_as(text, phone(text)),
        ("name", Value::Text(text)) if line(text).is_empty() => Fit::Refused("a party without a name".to_string()),
        (_, Value::Text(text)) => kept_as(text, line(text)),
        _ => Fit::Exact,
    }
}

/// The same as it is stored, and as Tryton prints one without any name: under the party's (`party_full_name` in
/// `modules/party/address.py` 8.0.4).
fn printed(address: &Address, party: Option<&String>) -> Vec<[String; 6]> {
    let nameless = address.printed() == (None, None);
    let named = party.filter(|_| nameless).map(|name| Address { name: Some(name.clone()), ..address.clone() });
    std::iter::once(address).chain(&named).map(Address::likeness).collect()
}

/// Our addresses in `change` beside those `there`: by what they say, else by place where as many are left on each side.
/// An address of the customer's book and one an order was placed with may be the same one there.
pub(super) fn pairs(change: &Change, there: &Customer) -> Vec<(Path, String)> {
    let Ok(ours) = Customer::addresses_of(&change.leaves) else { return Vec::new() };
    let (of_book, of_orders): (Vec<_>, Vec<_>) =
        ours.iter().partition(|(key, _)| Customer::is_of_book(&Customer::address_path(key)));
    let told = |(key, address): (&String, &Address)| Some((element_id(key)?, printed(address, there.name.as_ref())));
    let mut free: Vec<(i64, Vec<[String; 6]>)> = there.addresses.iter().filter_map(told).collect();
    free.sort();
    let (mut found, mut left) = (Vec::new(), Vec::new());
    let mut taken: BTreeSet<i64> = BTreeSet::new();
    for class in [of_orders, of_book] {
        let mut free = free.clone();
        for (key, address) in class {
            let wanted = address.likeness();
            match free.iter().position(|(_, says)| says.contains(&wanted)) {
                Some(at) => {
                    let (id, _) = free.remove(at);
                    taken.insert(id);
                    found.push((Customer::address_path(key), element_key(id)));
                }
                None => left.push(key),
            }
        }
    }
    free.retain(|(id, _)| !taken.contains(id));
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
    use syncline_core::kind::Step;

    fn address(city: &str, region: Option<&str>) -> Address {
        Address { city: Some(city.into()), region: region.map(Into::into), ..Address::default() }
    }

    fn change(addresses: &[Address]) -> Change {
        let addresses = addresses.iter().map(|address| (address.key(), address.clone())).collect();
        let leaves = Record::Customer(Customer { addresses, ..Customer::default() }).to_leaves();
        let (mark, step) = (Mark::new("SLX"), Step::Create);
        Change {
            kind: Kind::Customer,
            step,
            mark,
            document: None,
            expect: None,
            leaves,
            elements: std::collections::BTreeMap::new(),
            adopt_only: false,
        }
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
            there(&[(2, address("BERLIN 🚚", None)), (11, address("New York, NY", None)), (3, address("Bonn", None))]);
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
