//! Customers of several shops that the file calls one person: the first of them is made in the ERP, the others are tied
//! to the same party.

use crate::run::Engine;
use crate::system::{EngineError, System};
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::planner::Decision;
use syncline_core::text::email_key;
use syncline_store::{Adoption, Case, StoreError};

/// What there is to do about a customer that others may be the same person as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Person {
    /// Nothing: it goes by itself, or comes first.
    Itself,
    /// Nobody of this e-mail came before it.
    First(RemoteId),
    /// This one came first and is not in the ERP yet.
    After(EntityId),
    /// This document of the ERP is the person.
    Is(RemoteId),
}

impl Engine {
    /// Who the customer `case`, unknown to `target` so far, is by its e-mail.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn person(&self, case: &Case, shop: &System, target: &System) -> Result<Person, EngineError> {
        let asked = self.flows.one_by_email && case.kind == Kind::Customer && !case.bound.contains_key(&target.uid);
        let key = case.sides.get(&shop.uid).and_then(|side| key(&side.seen, target));
        let Some(key) = key.filter(|_| asked) else { return Ok(Person::Itself) };
        let first = self.store.entities(people(), Kind::Customer, vec![key.clone()]).await?;
        let Some(first) = first.into_iter().flatten().next() else { return Ok(Person::First(key)) };
        if first == case.entity {
            return Ok(Person::Itself);
        }
        Ok(match self.store.bound(first, target.uid.clone()).await? {
            Some(bound) => Person::Is(bound.id),
            None => Person::After(first),
        })
    }

    /// What is decided about `case` because of who it is; none where it goes by itself.
    pub(crate) fn decide_person(person: &Person, target: &System) -> Option<Decision> {
        match person {
            Person::Itself | Person::First(_) => None,
            Person::After(first) => {
                Some(Decision::Wait(vec![*first], "one with the same e-mail comes first".to_string()))
            }
            Person::Is(id) => Some(Decision::Outside(format!("it is {id} of {}, by its e-mail", target.name))),
        }
    }

    /// Takes down who the customer `case` is: which document of the ERP, or that it is the first of its e-mail, where its
    /// shop was `asked` for it anew. Whether anything was taken down.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn note_person(&self, case: &Case, asked: bool) -> Result<bool, EngineError> {
        let rules = self.order_rules(case).filter(|_| self.flows.one_by_email && case.kind == Kind::Customer);
        let Some(rules) = rules.filter(|_| !self.flows.customers.is_empty() && self.writes_to(Kind::Customer)) else {
            return Ok(false);
        };
        let (shop, target) = (self.system(&rules.source)?, self.system(&rules.target)?);
        match self.person(case, shop, target).await? {
            Person::First(_) if !asked => Ok(false),
            Person::Itself | Person::After(_) => Ok(false),
            Person::First(key) => {
                let Some(bound) = case.bound.get(&shop.uid) else { return Ok(false) };
                let ids = vec![(shop.uid.clone(), bound.id.clone(), Vec::new()), (people(), key, Vec::new())];
                let first = Adoption { kind: Kind::Customer, label: case.label.clone(), ids };
                match self.store.adopt(vec![first], self.now()).await {
                    // Another one was first at this moment: it is looked at again.
                    Ok(_) | Err(StoreError::Taken(_)) => Ok(true),
                    Err(error) => Err(error.into()),
                }
            }
            Person::Is(id) => {
                self.store.share(case.entity, target.uid.clone(), id, self.now()).await?;
                Ok(true)
            }
        }
    }
}

/// Who came first of an e-mail is kept as a binding in a system of our own: the database lets one have it.
fn people() -> SystemUid {
    SystemUid::new("people")
}

/// What stands for the e-mail in `leaves` among the people of `target`: a hash, for ids are no place for addresses.
fn key(leaves: &Leaves, target: &System) -> Option<RemoteId> {
    let Some(Value::Text(email)) = leaves.value(&Path::field("email")) else { return None };
    let key = email_key(email);
    let mut leaves = Leaves::new();
    leaves.put(Path::field("email"), Value::Text(key.clone()));
    let print = leaves.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    (!key.is_empty()).then(|| RemoteId::new(target.uid.as_str(), print))
}
