//! Documents that another connector made: how they are known, and what keeps a second one from being made beside them.

use crate::decide::order_of;
use crate::run::Engine;
use crate::system::{EngineError, System};
use std::collections::BTreeMap;
use syncline_connect::{Lookup, Snapshot};
use syncline_core::id::{RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::mark::is_mark;
use syncline_core::policy::Hold;
use syncline_core::record::Order;
use syncline_core::rules::OrderRules;
use syncline_store::Case;

/// Values in one question.
pub(super) const ASKED: usize = 100;

/// What an order was adopted from is kept as a binding in a system of our own: its document is another connector's.
pub(crate) fn elsewhere() -> SystemUid {
    SystemUid::new("elsewhere")
}

/// Whether another connector made the document of `case`.
pub(crate) fn is_adopted(case: &Case) -> bool {
    case.kind == Kind::Order && case.bound.contains_key(&elsewhere())
}

/// The documents `system` finds by any of `values` in `field`.
pub(super) async fn told(system: &System, field: &str, values: Vec<String>) -> Result<Vec<Snapshot>, EngineError> {
    let mut found = Vec::new();
    for some in values.chunks(ASKED) {
        let by = Lookup::Told { field: field.to_string(), values: some.to_vec() };
        let more = system.connector.find(&system.ctx, Kind::Order, &by).await;
        found.extend(more.map_err(|error| EngineError::System { system: system.name.clone(), error })?);
    }
    Ok(found)
}

impl Engine {
    /// The documents of `erp` that another connector made of `orders`, in their order, by id; those with a mark of ours
    /// left out.
    ///
    /// # Errors
    /// Where the ERP does not answer, or cannot be searched by the field.
    pub(super) async fn brought(
        &self,
        rules: &OrderRules,
        erp: &System,
        orders: &[(&RemoteId, &Order)],
    ) -> Result<Vec<BTreeMap<RemoteId, Snapshot>>, EngineError> {
        let mut found: Vec<BTreeMap<RemoteId, Snapshot>> = vec![BTreeMap::new(); orders.len()];
        for key in rules.adopt_keys() {
            let says: Vec<Option<String>> =
                orders.iter().map(|(id, order)| key.says(&rules.source, id, order)).collect();
            let mut values: Vec<String> = says.iter().flatten().cloned().collect();
            values.sort();
            values.dedup();
            for snapshot in told(erp, &key.field, values).await? {
                if snapshot.mark.as_deref().is_some_and(is_mark) {
                    continue;
                }
                for (said, documents) in says.iter().zip(&mut found) {
                    if said.is_some() && *said == snapshot.found_by {
                        documents.insert(snapshot.id.clone(), snapshot.clone());
                    }
                }
            }
        }
        Ok(found)
    }

    /// A hold where `erp` has a document for `case` that another connector made: where the file says how such are known,
    /// or any order was adopted, it is looked for before one is made.
    ///
    /// # Errors
    /// Where the ERP does not answer or the store fails.
    pub(crate) async fn brought_elsewhere(&self, case: &Case, erp: &System) -> Result<Option<Hold>, EngineError> {
        let Some(rules) = self.order_rules(case) else { return Ok(None) };
        if rules.adopt.is_none() && !self.store.binds_any(elsewhere(), Kind::Order).await? {
            return Ok(None);
        }
        let shop = self.system(&rules.source)?;
        let Some(bound) = case.bound.get(&shop.uid) else { return Ok(None) };
        let order = case.sides.get(&shop.uid).and_then(|side| Order::from_leaves(&side.seen).ok());
        let Some(order) = order else { return Ok(None) };
        let found = self.brought(rules, erp, &[(&bound.id, &order)]).await?.into_iter().next().unwrap_or_default();
        if found.is_empty() {
            return Ok(None);
        }
        let called = |(id, snapshot): (&RemoteId, &Snapshot)| {
            order_of(snapshot).and_then(|order| order.number).unwrap_or_else(|| id.to_string())
        };
        let names: Vec<String> = found.iter().take(3).map(called).collect();
        let what = format!("{} has it already, made by another connector: {}", erp.name, names.join(", "));
        let remedy = "`syncline adopt orders` ties the two where they agree and says what differs; if it is to be booked \
                      anew, give that one another reference first, then `syncline retry`";
        Ok(Some(Hold::new("SYN-0164", what, remedy)))
    }
}
