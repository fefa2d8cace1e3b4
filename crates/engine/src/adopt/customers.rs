//! Binds customers that both sides have: by e-mail, then by tax number, then by code; or by a list of pairs.

use super::Adopted;
use super::party::adoption;
use crate::pages::Pages;
use crate::poll::customer_label;
use crate::run::Engine;
use crate::system::{EngineError, System};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Cursor, Snapshot};
use syncline_core::id::{RemoteId, SystemName};
use syncline_core::kind::Kind;
use syncline_core::record::{Customer, Record};
use syncline_core::text::email_key;
use syncline_store::StoreError;

/// The customers of one side, by id.
type People = BTreeMap<RemoteId, Customer>;

/// What customers are matched by, the surest first; nothing for one that lacks it.
const KEYS: [fn(&Customer) -> Option<String>; 3] = [by_email, by_tax_id, by_code];

fn by_email(customer: &Customer) -> Option<String> {
    customer.email.as_deref().map(email_key).filter(|key| !key.is_empty())
}

/// A tax number by its letters and digits: spaces and dots are a matter of taste.
fn by_tax_id(customer: &Customer) -> Option<String> {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    customer.tax_id.as_deref().map(plain).filter(|key: &String| !key.is_empty())
}

fn by_code(customer: &Customer) -> Option<String> {
    customer.code.as_deref().map(syncline_core::text::folded).filter(|key| !key.is_empty())
}

impl Engine {
    /// Customers of both sides bound by what identifies them. Where several share it on either side, as one person does in
    /// two websites, nothing is guessed: a person chooses.
    ///
    /// # Errors
    /// Where a system does not answer or the store fails.
    pub async fn adopt_customers(&self) -> Result<Vec<Adopted>, EngineError> {
        let mut reports = Vec::new();
        for (source, target) in self.customer_sides(None)? {
            let (left, right) = futures::future::try_join(self.people(source), self.people(target)).await?;
            let mut report = Adopted { source: left.len(), target: right.len(), ..Adopted::of(source) };
            let found = matched(&left, &right);
            report.matched = found.pairs.len();
            report.unmatched = found.unmatched.iter().map(|id| told(id, left.get(id))).collect();
            report.ambiguous = found.ambiguous.iter().map(|id| told(id, left.get(id))).collect();
            self.bind_customers((source, &left), (target, &right), found.pairs, &mut report).await?;
            reports.push(report);
        }
        Ok(reports)
    }

    /// Customers bound by `wanted` pairs of what people call them in the source and in the target: id, e-mail or code.
    ///
    /// # Errors
    /// Where a system does not answer or the store fails.
    pub async fn adopt_customer_pairs(
        &self,
        wanted: &[(String, String)],
        only: Option<&SystemName>,
    ) -> Result<Vec<Adopted>, EngineError> {
        let mut reports = Vec::new();
        for (source, target) in self.customer_sides(only)? {
            let (left, right) = futures::future::try_join(self.people(source), self.people(target)).await?;
            let mut report = Adopted { source: left.len(), target: right.len(), ..Adopted::of(source) };
            let meant = report.meant(wanted, |ours| called(&left, ours), |theirs| called(&right, theirs));
            let pairs = meant.into_iter().map(|(one, other)| (one.clone(), other.clone())).collect();
            self.bind_customers((source, &left), (target, &right), pairs, &mut report).await?;
            reports.push(report);
        }
        Ok(reports)
    }

    /// Every shop with the ERP that its customers flow to, or `only` one.
    fn customer_sides(&self, only: Option<&SystemName>) -> Result<Vec<(&System, &System)>, EngineError> {
        if self.flows.customers.is_empty() {
            return Err(EngineError::Setup("SYN-0402: the file has no [flows.customers] in force".to_string()));
        }
        let pairs = self.flows.customers.iter().flat_map(|rules| &rules.pairs);
        let wanted = pairs.filter(|pair| only.is_none_or(|only| *only == pair.source));
        wanted.map(|pair| Ok((self.system(&pair.source)?, self.system(&pair.target)?))).collect()
    }

    /// Binds `pairs`, each with the addresses that both sides have.
    async fn bind_customers(
        &self,
        (source, left): (&System, &People),
        (target, right): (&System, &People),
        pairs: Vec<(RemoteId, RemoteId)>,
        report: &mut Adopted,
    ) -> Result<(), EngineError> {
        for (ours, theirs) in pairs {
            let (Some(one), Some(other)) = (left.get(&ours), right.get(&theirs)) else { continue };
            let label = customer_label(&ours);
            let party = Snapshot {
                id: theirs.clone(),
                mark: None,
                found_by: None,
                version: None,
                records: vec![(theirs, Record::Customer(other.clone()))],
                evidence: None,
            };
            let seen = Record::Customer(one.clone()).to_leaves();
            let pair = adoption(label.clone(), (source, &ours), (target, &party), &seen);
            for done in self.store.take_over(vec![pair], self.now()).await? {
                match done {
                    Ok(new) => {
                        report.bound += usize::from(new);
                        self.adopting.bound(usize::from(new));
                    }
                    Err(StoreError::Taken(_)) => {
                        report.matched -= 1;
                        report.ambiguous.push(label.clone());
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if report.bound > 0 {
            self.read_customers_anew([source, target]).await?;
        }
        Ok(())
    }

    /// Every customer of `system` that is in use.
    async fn people(&self, system: &System) -> Result<People, EngineError> {
        let mut all = People::new();
        let mut pages = Pages::from(system, Kind::Customer, Cursor::default());
        while let Some(page) = pages.next().await? {
            self.adopting.read(page.seen.len());
            for (id, record) in page.seen.into_iter().filter_map(|seen| seen.snapshot.ok()).flat_map(|s| s.records) {
                match record {
                    Record::Customer(customer) if customer.active != Some(false) => drop(all.insert(id, customer)),
                    _ => {}
                }
            }
        }
        Ok(all)
    }
}

/// What became of the customers of one side.
#[derive(Debug, Default)]
struct Matched {
    pairs: Vec<(RemoteId, RemoteId)>,
    unmatched: Vec<RemoteId>,
    ambiguous: Vec<RemoteId>,
}

/// Pairs of `left` and `right` that share a key which nobody else on either side has. What shares one with several is left
/// to a person, and not tried by a weaker key.
fn matched(left: &People, right: &People) -> Matched {
    let mut found = Matched::default();
    let (mut open, mut free): (BTreeSet<&RemoteId>, BTreeSet<&RemoteId>) =
        (left.keys().collect(), right.keys().collect());
    for key in KEYS {
        let (ours, theirs) = (grouped(left, &open, key), grouped(right, &free, key));
        for (text, same) in ours {
            match (same.as_slice(), theirs.get(&text).map(Vec::as_slice).unwrap_or_default()) {
                (_, []) => {}
                ([a], [b]) => {
                    open.remove(a);
                    free.remove(b);
                    found.pairs.push(((*a).clone(), (*b).clone()));
                }
                (several, others) => {
                    open.retain(|one| !several.contains(one));
                    free.retain(|one| !others.contains(one));
                    found.ambiguous.extend(several.iter().map(|one| (*one).clone()));
                }
            }
        }
    }
    found.unmatched = open.into_iter().cloned().collect();
    found
}

fn grouped<'a>(
    people: &'a People,
    among: &BTreeSet<&'a RemoteId>,
    key: fn(&Customer) -> Option<String>,
) -> BTreeMap<String, Vec<&'a RemoteId>> {
    let mut groups: BTreeMap<String, Vec<&RemoteId>> = BTreeMap::new();
    for (id, customer) in people.iter().filter(|(id, _)| among.contains(id)) {
        if let Some(key) = key(customer) {
            groups.entry(key).or_default().push(id);
        }
    }
    groups
}

/// Whom people mean by `name`: an id, else an e-mail or a code.
fn called<'a>(people: &'a People, name: &str) -> Vec<&'a RemoteId> {
    let by_id: Vec<&RemoteId> = people.keys().filter(|id| id.id == name).collect();
    if !by_id.is_empty() {
        return by_id;
    }
    let wanted = [email_key(name), syncline_core::text::folded(name)];
    let fits = |customer: &Customer| {
        [by_email(customer), by_code(customer)].into_iter().flatten().any(|key| wanted.contains(&key))
    };
    people.iter().filter(|(_, customer)| fits(customer)).map(|(id, _)| id).collect()
}

/// What a person is shown of a customer.
fn told(id: &RemoteId, customer: Option<&Customer>) -> String {
    match customer.and_then(|customer| customer.email.as_deref()).filter(|email| !email.is_empty()) {
        Some(email) => format!("{} ({email})", id.id),
        None => id.id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(rows: &[(&str, &str, &str)]) -> People {
        let of = |(id, email, tax_id): &(&str, &str, &str)| {
            let text = |text: &str| Some(text.to_string());
            (RemoteId::new("", *id), Customer { email: text(email), tax_id: text(tax_id), ..Customer::default() })
        };
        rows.iter().map(of).collect()
    }

    fn ids(pairs: &[(RemoteId, RemoteId)]) -> Vec<String> {
        pairs.iter().map(|(a, b)| format!("{}-{}", a.id, b.id)).collect()
    }

    #[test]
    fn the_surest_key_counts_and_several_candidates_are_never_guessed() {
        let shop = people(&[
            ("1", "Ada@Example.org", ""),
            ("2", "new@example.org", "DE 123.456.789"),
            ("3", "twice@example.org", ""),
            ("4", "", ""),
            ("5", "one@example.org", "AT1"),
        ]);
        let erp = people(&[
            ("11", " ada@example.org", ""),
            ("12", "old@example.org", "de123456789"),
            ("13", "twice@example.org", ""),
            ("14", "twice@example.org", "AT1"),
        ]);
        let found = matched(&shop, &erp);
        assert_eq!(ids(&found.pairs), ["1-11", "2-12"]);
        let names = |all: &[RemoteId]| all.iter().map(|id| id.id.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found.ambiguous), ["3"]);
        assert_eq!(names(&found.unmatched), ["4", "5"], "whoever is in doubt is not tried by a weaker key");
    }

    #[test]
    fn one_person_in_two_websites_is_asked_about() {
        let shop: People = [("1", "7"), ("2", "8")]
            .map(|(scope, id)| {
                (RemoteId::new(scope, id), people(&[("x", "a@b.example", "")]).into_values().next().unwrap())
            })
            .into();
        let found = matched(&shop, &people(&[("11", "a@b.example", "")]));
        assert_eq!((found.pairs.len(), found.ambiguous.len()), (0, 2));
    }
}
