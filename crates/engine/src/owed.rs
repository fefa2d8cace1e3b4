//! What has left the ERP's warehouses and a shop refuses to send, for its place holds too few.
//!
//! A shop that sold more than it has tells no more of what it keeps back for buyers than that nothing is left. It keeps back at
//! least what waits to be sent; so much its place may hold, and nobody can buy it.

use crate::run::Engine;
use crate::system::{EngineError, System};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use syncline_core::delivery::Change;
use syncline_core::id::{EntityId, RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Target, Value};
use syncline_core::record::Order;
use syncline_store::{Case, LaneFilter, Retry};

/// By shop and variant: how much of it each paper is to send.
type Book = BTreeMap<(SystemUid, RemoteId), BTreeMap<EntityId, Decimal>>;

/// What waits to be sent by shops that hold too few; workers over one store share it. Whoever begins anew asks the shop again.
#[derive(Debug, Default)]
pub struct Owed(Mutex<Book>);

impl Owed {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much of `variant` waits to be sent by `shop`.
    pub(crate) fn of(&self, shop: &SystemUid, variant: &RemoteId) -> Decimal {
        let book = self.book();
        let papers = book.get(&(shop.clone(), variant.clone()));
        papers.into_iter().flat_map(BTreeMap::values).fold(Decimal::ZERO, |sum, one| sum.saturating_add(*one))
    }

    /// The paper `entity` waits no more. Returns the variants it was to send.
    fn over(&self, entity: EntityId) -> Vec<RemoteId> {
        let mut over = Vec::new();
        self.book().retain(|(_, variant), papers| {
            if papers.remove(&entity).is_some() {
                over.push(variant.clone());
            }
            !papers.is_empty()
        });
        over
    }
}

impl Engine {
    /// Notes that `shop` holds too few to send what `change` of the paper `case` says, and has its figures looked at.
    pub(crate) async fn note_owed(&self, case: &Case, change: &Change, shop: &System) -> Result<(), EngineError> {
        let order = match self.flows.inventory {
            Some(_) => self.order_of_paper(case).await?,
            None => None,
        };
        let Some(order) = order else { return Ok(()) };
        let shown = order.case.sides.get(&shop.uid).and_then(|side| Order::from_leaves(&side.seen).ok());
        let mut variants = Vec::new();
        for (key, line) in shown.iter().flat_map(|order| order.lines.iter()) {
            let path = syncline_core::path::Path::element("lines", key).dot("quantity");
            let (Some(Value::Number(quantity)), Some(variant)) = (change.leaves.value(&path), &line.variant) else {
                continue;
            };
            if let Target::Remote(id) = &variant.to {
                let key = (shop.uid.clone(), id.clone());
                let mut book = self.owed.book();
                let sum = book.entry(key).or_default().entry(case.entity).or_default();
                // Two lines of one variant add up; the same paper refused again says the same.
                *sum = if variants.contains(id) { sum.saturating_add(*quantity) } else { *quantity };
                variants.push(id.clone());
            }
        }
        self.look_at_figures(variants).await
    }

    /// The paper `case` is there, or left to people: its goods wait no more.
    pub(crate) async fn owed_no_more(&self, case: &Case) -> Result<(), EngineError> {
        self.look_at_figures(self.owed.over(case.entity)).await
    }

    async fn look_at_figures(&self, variants: Vec<RemoteId>) -> Result<(), EngineError> {
        for variant in variants {
            let filter = LaneFilter { kind: Some(Kind::Stock), label: Some(variant.id), ..LaneFilter::default() };
            for lane in self.store.lanes(filter).await? {
                self.store.retry(Retry::Touch(lane.entity), self.now()).await?;
            }
        }
        Ok(())
    }
}
