//! Customers tied along with their orders, and the addresses both sides have of them.

use super::orders::Listed;
use crate::poll::{customer_label, row};
use crate::reading::{CHUNK, read_all};
use crate::run::Engine;
use crate::system::{EngineError, System};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::Snapshot;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Target};
use syncline_core::path::Path;
use syncline_core::record::{Address, Customer, Order, Record};
use syncline_core::text::folded;
use syncline_store::{Adoption, StoreError, TakeOver, Told};

/// Who was sold to, by the orders gone through: customers of the shop and parties of the ERP.
#[derive(Debug, Default)]
pub(super) struct Along {
    parties: BTreeMap<RemoteId, BTreeSet<RemoteId>>,
    customers: BTreeMap<RemoteId, BTreeSet<RemoteId>>,
}

impl Along {
    /// Notes that the buyer of `order` is the party of its document `there`.
    pub(super) fn meet(&mut self, order: &Order, there: &Order) {
        let remote = |order: &Order| match &order.customer.as_ref()?.to {
            Target::Remote(id) => Some(id.clone()),
            Target::Entity(_) => None,
        };
        let (Some(customer), Some(party)) = (remote(order), remote(there)) else { return };
        self.parties.entry(customer.clone()).or_default().insert(party.clone());
        self.customers.entry(party).or_default().insert(customer);
    }

    /// The one party of each customer who is its only one, and the customers in doubt.
    fn settled(&self) -> (Vec<(RemoteId, RemoteId)>, Listed) {
        let (mut pairs, mut doubtful) = (Vec::new(), Listed::default());
        for (customer, parties) in &self.parties {
            let only = parties.iter().next().filter(|_| parties.len() == 1);
            match only.filter(|party| self.customers.get(*party).is_some_and(|all| all.len() == 1)) {
                Some(party) => pairs.push((customer.clone(), party.clone())),
                None => doubtful.add(customer_label(customer)),
            }
        }
        (pairs, doubtful)
    }
}

impl Engine {
    /// Binds the customers that `people` settles, where customers flow between the two. Returns how many are new, and who
    /// is in doubt.
    pub(super) async fn tie_along(
        &self,
        shop: &System,
        erp: &System,
        people: Along,
    ) -> Result<(usize, Listed), EngineError> {
        let flows = self.flows.customers.iter().any(|rules| rules.between(&shop.name, &erp.name).is_some());
        if !flows {
            return Ok((0, Listed::default()));
        }
        let (pairs, mut doubtful) = people.settled();
        let mut bound = 0;
        for some in pairs.chunks(CHUNK) {
            let ids: Vec<RemoteId> = some.iter().map(|(_, party)| party.clone()).collect();
            let parties = read_all(erp, Kind::Customer, &ids).await?;
            let ours = some.iter().map(|(customer, _)| customer.clone()).collect();
            let entities = self.store.entities(shop.uid.clone(), Kind::Customer, ours).await?;
            let mut rows = Vec::new();
            for (((customer, _), party), entity) in some.iter().zip(parties).zip(entities) {
                let (Some(party), Some(entity)) = (party, entity) else { continue };
                rows.extend(self.along(shop, erp, (customer, entity), &party).await?);
            }
            let names: Vec<String> = rows.iter().map(|row| row.adoption.label.clone()).collect();
            for (name, done) in names.into_iter().zip(self.store.take_over(rows, self.now()).await?) {
                match done {
                    Ok(new) => bound += usize::from(new),
                    Err(StoreError::Taken(_)) => doubtful.add(name),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if bound > 0 {
            self.read_customers_anew([shop, erp]).await?;
        }
        Ok((bound, doubtful))
    }

    /// What is taken over of a customer with its party; none where it is tied already.
    async fn along(
        &self,
        shop: &System,
        erp: &System,
        (customer, entity): (&RemoteId, EntityId),
        party: &Snapshot,
    ) -> Result<Option<TakeOver>, EngineError> {
        let case = self.store.load(entity).await?;
        let tied = case.bound.get(&erp.uid);
        if tied.is_some_and(|bound| bound.id == party.id) || case.delivery.is_some() {
            return Ok(None);
        }
        let seen = case.sides.get(&shop.uid).map(|side| side.seen.clone()).unwrap_or_default();
        let records = party.records.iter().take(1);
        let shown = records.map(|(id, record)| row(id.clone(), record, party.version.clone(), Told::Asked)).collect();
        let label = customer_label(customer);
        let mut taken = adoption(label, (shop, customer), (erp, party), &seen);
        taken.shown = vec![(erp.uid.clone(), shown)];
        Ok(Some(taken))
    }

    /// What was passed over while it was not tied is read with the next pass.
    pub(super) async fn read_customers_anew(&self, systems: [&System; 2]) -> Result<(), EngineError> {
        for system in systems {
            self.store.forget_cursor(system.uid.clone(), Kind::Customer).await?;
        }
        Ok(())
    }
}

/// A customer of `shop` that shows `seen` and a party of `erp` as one, with the addresses that both have.
pub(super) fn adoption(
    label: String,
    (shop, customer): (&System, &RemoteId),
    (erp, party): (&System, &Snapshot),
    seen: &Leaves,
) -> TakeOver {
    let ids = vec![(shop.uid.clone(), customer.clone(), Vec::new()), (erp.uid.clone(), party.id.clone(), Vec::new())];
    TakeOver {
        adoption: Adoption { kind: Kind::Customer, label, ids },
        shown: Vec::new(),
        elements: addresses(erp, party, seen),
        bases: Vec::new(),
    }
}

/// The addresses in `seen` that `party` has too, each under its key there: none is added a second time.
fn addresses(erp: &System, party: &Snapshot, seen: &Leaves) -> Vec<(SystemUid, Path, String)> {
    let Some((_, Record::Customer(there))) = party.records.first() else { return Vec::new() };
    let Ok(ours) = Customer::addresses_of(seen) else { return Vec::new() };
    let all: Vec<(&String, &Address)> = there.addresses.iter().collect();
    let (of_orders, of_book): (Vec<_>, Vec<_>) =
        ours.iter().partition(|(key, _)| Customer::is_of_order(&Customer::address_path(key)));
    let mut found = Vec::new();
    for class in [of_orders, of_book] {
        let mut left = all.clone();
        for (key, address) in class {
            let at = left.iter().position(|(_, other)| is_same(address, other, there.name.as_deref()));
            if let Some(at) = at {
                let (theirs, _) = left.remove(at);
                found.push((erp.uid.clone(), Customer::address_path(key), theirs.clone()));
            }
        }
    }
    found
}

/// Whether two addresses are one place for one person: what is printed is the same, where an address without a name of its
/// own is printed with that of its party.
fn is_same(ours: &Address, theirs: &Address, party: Option<&str>) -> bool {
    let [first, person, place @ ..] = theirs.likeness();
    let [our_first, our_person, our_place @ ..] = ours.likeness();
    let party = folded(party.unwrap_or_default());
    let named = if first.is_empty() { party } else { first };
    place == our_place && named == our_first && (person == our_person || person.is_empty())
}
