//! Two orders that a shop made of one cart: the second one is asked about before it is made anywhere.

use crate::run::Engine;
use crate::system::{EngineError, System};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::planner::Decision;
use syncline_core::policy::Hold;
use syncline_core::record::{Order, OrderLife};
use syncline_store::Case;

/// What asks about the second one.
pub(crate) const TWIN: &str = "SYN-0128";

/// How the aliases of all orders of one cart begin; none where `order`, which its shop calls `id`, tells of none.
fn of_cart(id: &RemoteId, order: &Order) -> Option<RemoteId> {
    let cart = order.cart.as_ref()?;
    Some(RemoteId::new(id.scope.clone(), format!("cart:{cart}/")))
}

/// What `order`, which its shop calls `id`, goes by beside, so that others of its cart find it.
pub(crate) fn alias(id: &RemoteId, order: &Order) -> Option<RemoteId> {
    let start = of_cart(id, order)?;
    Some(RemoteId::new(start.scope, format!("{}{}", start.id, id.id)))
}

/// What two orders have in common that were meant as one: what is sold, what it comes to, and where it goes. Orders of one cart
/// that go to several places are orders of their own.
fn is_like(one: &Order, other: &Order) -> bool {
    let sold = |order: &Order| {
        let mut sold: BTreeMap<String, Decimal> = BTreeMap::new();
        for (_, line) in order.sold_lines() {
            *sold.entry(line.sku.clone().unwrap_or_default()).or_default() += line.quantity.unwrap_or_default();
        }
        sold
    };
    let place = |order: &Order| order.shipping.as_ref().and_then(|place| place.element.clone());
    one.totals.grand == other.totals.grand && place(one) == place(other) && sold(one) == sold(other)
}

impl Engine {
    /// `decision` about `case`, which is `order`; a hold in place of a create where another order of its cart says the same, and
    /// is made or comes first. A person lets it through, leaves it, or cancels one of them.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn no_twin(
        &self,
        case: &Case,
        id: &RemoteId,
        order: &Order,
        [source, target]: [&System; 2],
        decision: Decision,
    ) -> Result<Decision, EngineError> {
        let makes = matches!(&decision, Decision::Step(plan) if plan.step == Step::Create);
        let Some(start) = of_cart(id, order).filter(|_| makes && !case.admitted) else { return Ok(decision) };
        for entity in self.store.alike(source.uid.clone(), Kind::Order, start).await? {
            if entity == case.entity {
                continue;
            }
            let other = self.store.load(entity).await?;
            let shown = other.sides.get(&source.uid).map(|side| Order::from_leaves(&side.seen));
            let Some(Ok(first)) = shown.filter(|_| !other.gone.contains_key(&source.uid)) else { continue };
            let is_made = other.bound.contains_key(&target.uid) || other.delivery.is_some();
            let goes_first = match first.life {
                Some(OrderLife::Cancelled | OrderLife::Closed) => false,
                Some(OrderLife::Open | OrderLife::Done) => is_made || entity < case.entity,
                _ => is_made,
            };
            if !goes_first || !is_like(&first, order) {
                continue;
            }
            let called = format!("order:{}", self.record_name(&other).key);
            // A person has taken both as they are.
            if case.sides.get(&source.uid).is_some_and(|side| !side.base(&target.uid).is_empty()) {
                return Ok(Decision::Outside(format!("{called} is of the same cart; left to people")));
            }
            let own = format!("order:{}", self.record_name(case).key);
            let what =
                format!("the shop made it of the same cart as {called}, and both say the same: they may be one order");
            let remedy = format!(
                "cancel the one that is too many in the shop and `syncline retry {own}`; where both were meant, `syncline import {own} \
                 --yes`; `syncline retry --accept {own}` leaves it out"
            );
            return Ok(Decision::Hold(Hold::new(TWIN, what, remedy)));
        }
        Ok(decision)
    }
}
