//! What a person calls a record by: `order:000000012`, or `order:outlet/000000012` where several shops count their own.

use crate::run::Engine;
use crate::system::{EngineError, System};
use std::collections::BTreeSet;
use syncline_core::id::{EntityId, RemoteId, SystemName, SystemUid};
use syncline_core::kind::Kind;
use syncline_store::{Case, LaneFilter, LaneRow};

/// What one record is called by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// What stands behind the kind: `000000012`, or `outlet/000000012` where the file has several shops.
    pub key: String,
    /// The one shop that knows it; none where several do, or none does.
    pub shop: Option<SystemName>,
}

impl Engine {
    /// The entities a person may mean by `kind` and `key`: the label, or an id in any system; behind a system's name and
    /// a slash, in that one only. What is no name of a system belongs to the label.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn named(&self, kind: Kind, key: &str) -> Result<Vec<EntityId>, EngineError> {
        if let Some((system, key)) = self.split(key) {
            let found = self.named_among(kind, key, Some(system)).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        self.named_among(kind, key, None).await
    }

    async fn named_among(&self, kind: Kind, key: &str, only: Option<&System>) -> Result<Vec<EntityId>, EngineError> {
        let filter = LaneFilter { kind: Some(kind), label: Some(key.to_string()), ..LaneFilter::default() };
        let labelled: Vec<EntityId> = self.store.lanes(filter).await?.into_iter().map(|row| row.entity).collect();
        let known_in = self.store.known_in(labelled.clone()).await?;
        let there = |systems: &BTreeSet<SystemUid>| only.is_none_or(|system| systems.contains(&system.uid));
        let mut found: Vec<EntityId> = labelled
            .into_iter()
            .zip(known_in)
            .filter(|(_, systems)| there(systems))
            .map(|(entity, _)| entity)
            .collect();
        if found.is_empty() {
            for system in self.systems.values().filter(|one| only.is_none_or(|system| system.uid == one.uid)) {
                for (entity, id) in self.store.bindings(system.uid.clone(), kind).await? {
                    if (id.id == key || id.to_string() == key) && !found.contains(&entity) {
                        found.push(entity);
                    }
                }
            }
        }
        Ok(found)
    }

    /// The system that `key` begins with, and what stands behind its slash; none where it begins with no system's name.
    fn split<'a>(&self, key: &'a str) -> Option<(&System, &'a str)> {
        // A system's name may hold a slash itself.
        let named = |system: &&System| {
            key.strip_prefix(system.name.as_str())
                .and_then(|rest| rest.strip_prefix('/'))
                .filter(|rest| !rest.is_empty())
        };
        let found = self.systems.values().filter_map(|system| Some((system, named(&system)?)));
        found.max_by_key(|(system, _)| system.name.as_str().len())
    }

    /// What `case` is called by.
    #[must_use]
    pub fn record_name(&self, case: &Case) -> Called {
        self.called_in(&case.label, &case.bound.keys().cloned().collect())
    }

    /// What each of `lanes` is called by, in their order.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn names_of(&self, lanes: &[LaneRow]) -> Result<Vec<Called>, EngineError> {
        let known_in = self.store.known_in(lanes.iter().map(|lane| lane.entity).collect()).await?;
        Ok(lanes.iter().zip(&known_in).map(|(lane, systems)| self.called_in(&lane.label, systems)).collect())
    }

    /// What a record with this label is called by that `systems` know.
    fn called_in(&self, label: &str, systems: &BTreeSet<SystemUid>) -> Called {
        let shops = self.shops();
        let mut there = shops.iter().filter(|name| self.systems.get(**name).is_some_and(|s| systems.contains(&s.uid)));
        let shop = match (there.next(), there.next()) {
            (Some(shop), None) => Some((*shop).clone()),
            _ => None,
        };
        // A label that begins like a system's name would be taken for one of that system.
        let any = || self.systems.values().find(|system| systems.contains(&system.uid)).map(|system| &system.name);
        let within = match &shop {
            Some(shop) if shops.len() > 1 => Some(shop),
            _ if self.split(label).is_some() => shop.as_ref().or_else(any),
            _ => None,
        };
        let key = within.map_or_else(|| label.to_string(), |name| format!("{name}/{label}"));
        Called { key, shop }
    }

    /// What `entity` alone is called by: its label, else its id in a system.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn own_name(&self, entity: EntityId) -> Result<String, EngineError> {
        let case = self.store.load(entity).await?;
        let called = self.record_name(&case);
        // Of its systems the shops come first: orders of several have one ERP.
        let shops = self.shops();
        let there = self.systems.values().filter_map(|system| Some((&system.name, &case.bound.get(&system.uid)?.id)));
        let mut there: Vec<(&SystemName, &RemoteId)> = there.collect();
        there.sort_by_key(|(name, _)| !shops.contains(name));
        let mut keys = vec![called.key.clone()];
        keys.extend(there.iter().map(|(name, _)| format!("{name}/{}", case.label)));
        keys.extend(there.iter().map(|(name, id)| format!("{name}/{id}")));
        for key in keys {
            if self.named(case.kind, &key).await? == [entity] {
                return Ok(format!("{}:{key}", case.kind));
            }
        }
        Ok(format!("{}:{}", case.kind, called.key))
    }

    /// The shops of the flows.
    fn shops(&self) -> BTreeSet<&SystemName> {
        let customers = self.flows.customers.iter().map(|rules| &rules.source);
        self.flows.ties().map(|(shop, _)| shop).chain(customers).collect()
    }
}
