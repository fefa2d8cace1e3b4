//! What shops took for orders, booked in the ERP.
//!
//! A payment is decided with the invoices of its order in the ERP and the other payments of it. These are read anew right
//! before anything is booked, or what people have booked there meanwhile would be asked for once more.

use super::{OrderOf, may_be_landing};
use crate::decide::Decided;
use crate::run::Engine;
use crate::system::{EngineError, System};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use syncline_connect::Error;
use syncline_core::id::{EntityId, RemoteId};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::planner::{self, Bill, Decision, PaymentCase};
use syncline_core::policy::Hold;
use syncline_core::record::{Order, Paper, paper_apart};
use syncline_store::{Case, Retry};

/// The invoices of an order in the ERP, and its other payments.
#[derive(Debug, Default)]
struct Around {
    bills: Vec<Bill>,
    /// The payment's own document stands for one of them.
    made_of: bool,
    /// What other payments came to that were left to people.
    left: Decimal,
    landing: Vec<EntityId>,
    /// Every other payment of the order is booked or left to people, and none of them is a later one.
    last: bool,
}

impl Engine {
    /// What to do about the payment `case` of a shop.
    pub(super) async fn decide_from_shop(&self, case: &Case) -> Result<Decided, EngineError> {
        let outside = |why: String| Ok(Decision::Outside(why).into());
        let Some(shop) = self.teller_of(case) else { return outside("no shop of the flow shows it".to_string()) };
        let Some(side) = case.sides.get(&shop.uid) else { return outside(format!("{} does not show it", shop.name)) };
        let Some(order) = self.order_of_paper(case).await? else {
            return outside("its order is from no shop of the flow".to_string());
        };
        if !order.rules.tells_payments() {
            return outside(format!("{} is told of no payments", order.erp.name));
        }
        let there = case.sides.get(&order.erp.uid);
        if side.unread || there.is_some_and(|there| there.unread) {
            let what = "the last answer for it could not be read".to_string();
            return Ok(Decision::Hold(Hold::new("SYN-0107", what, "the next pass reads it anew")).into());
        }
        let (told, shown) = (Paper::from_leaves(&side.seen), there.map(|side| Paper::from_leaves(&side.seen)));
        let (told, shown) = match (told, shown.transpose()) {
            (Ok(told), Ok(shown)) => (told, shown),
            (Err(error), _) | (_, Err(error)) => {
                let remedy = "report this as a defect, with `syncline explain`";
                return Ok(Decision::Hold(Hold::new("SYN-0107", error.to_string(), remedy)).into());
            }
        };
        if case.gone.contains_key(&shop.uid) && shown.is_none() {
            return outside(format!("it was deleted in {}", shop.name));
        }
        let around = self.around_payment(case, &order).await?;
        let decision = planner::payment(&PaymentCase {
            now: self.now(),
            shop: &shop.name,
            erp: &order.erp.name,
            rules: order.rules,
            payment: &told,
            order: in_erp(&order),
            bills: &around.bills,
            made_of: around.made_of,
            left_to_people: around.left,
            landing: &around.landing,
            last: around.last && is_paid(&order),
            left: case.admitted,
            there: shown.as_ref(),
            written: &there.map(|side| side.base(&shop.uid)).unwrap_or_default(),
        });
        Ok(Decided { decision, peer: Some(shop.name.clone()), ..Decided::default() })
    }

    /// The invoices of `order` that the payment `case` may be booked on, and its other payments. An invoice that a document of
    /// the shop was made of is paid by that one.
    async fn around_payment(&self, case: &Case, order: &OrderOf<'_>) -> Result<Around, EngineError> {
        let (shop, erp) = (&order.shop.uid, &order.erp.uid);
        let mut around = Around { last: true, ..Around::default() };
        let Some(document) = order.case.bound.get(erp) else { return Ok(around) };
        let own = case.bound.get(shop).map(|bound| &bound.id);
        let mut ours: BTreeMap<String, Decimal> = BTreeMap::new();
        for entity in self.store.papers_of(shop.clone(), Kind::Payment, order.id.clone()).await? {
            let other = self.store.load(entity).await?;
            let shown = other.sides.get(erp).and_then(|side| Paper::from_leaves(&side.seen).ok());
            for (key, net) in shown.iter().flat_map(planner::parts) {
                let sum = ours.entry(key).or_default();
                *sum = sum.saturating_add(net);
            }
            if entity != case.entity {
                around.add(&other, shown.is_some(), (order, own));
            }
        }
        for entity in self.store.papers_of(erp.clone(), Kind::Invoice, document.id.clone()).await? {
            let bill = self.store.load(entity).await?;
            // That it is being told to the shop may be why the shop shows this payment.
            if may_be_landing(&bill) {
                around.landing.push(entity);
            }
            let told = bill.bound.get(shop).map(|bound| &bound.id);
            let paper = bill.sides.get(erp).and_then(|side| Paper::from_leaves(&side.seen).ok());
            let id = bill.bound.get(erp).and_then(|bound| Some(paper_apart(&bound.id)?.1.to_string()));
            let (Some(paper), Some(id)) = (paper, id) else { continue };
            let ours = ours.get(&id).copied().unwrap_or_default();
            let bill = Bill { id, paper, ours };
            match told {
                Some(told) if Some(told) == own => {
                    (around.bills, around.made_of) = (vec![bill], true);
                    return Ok(around);
                }
                Some(_) => {}
                None => around.bills.push(bill),
            }
        }
        around.bills.sort_by(|a, b| (a.id.len(), &a.id).cmp(&(b.id.len(), &b.id)));
        Ok(around)
    }

    /// Reads the payment `case` and the invoices of its order anew; the system where that fails.
    pub(super) async fn refresh_bills(&self, case: &Case) -> Result<Result<(), (System, Error)>, EngineError> {
        let Some(order) = self.order_of_paper(case).await? else { return Ok(Ok(())) };
        if let Some(id) = case.bound.get(&order.shop.uid).map(|bound| bound.id.clone()) {
            match self.read_in(order.shop, Kind::Payment, &id).await? {
                Ok(true) => {}
                Ok(false) => {
                    let what = format!("payment {id} is not in {} any more", order.shop.name);
                    let error = Error::new(syncline_core::policy::ErrorKind::Gone, what);
                    return Ok(Err((order.shop.clone(), error)));
                }
                Err(error) => return Ok(Err((order.shop.clone(), error))),
            }
        }
        if let Some(id) = case.bound.get(&order.erp.uid).map(|bound| bound.id.clone()) {
            // What was taken back is not there; what the ERP showed last is held against its invoices.
            if let Err(error) = self.read_in(order.erp, Kind::Payment, &id).await? {
                return Ok(Err((order.erp.clone(), error)));
            }
        }
        let Some(document) = order.case.bound.get(&order.erp.uid).map(|bound| bound.id.clone()) else {
            return Ok(Ok(()));
        };
        let mut ids: Vec<RemoteId> = Vec::new();
        for entity in self.store.papers_of(order.erp.uid.clone(), Kind::Invoice, document).await? {
            let bill = self.store.load(entity).await?;
            ids.extend(bill.bound.get(&order.erp.uid).map(|bound| bound.id.clone()));
        }
        Ok(self.read_papers(order.erp, Kind::Invoice, &ids).await?.map_err(|error| (order.erp.clone(), error)))
    }

    /// Takes up the payments of the order that the invoice `case` is of: it may be what they wait for.
    pub(crate) async fn wake_payments(&self, case: &Case) -> Result<(), EngineError> {
        let Some(order) = self.order_of_paper(case).await?.filter(|order| order.rules.tells_payments()) else {
            return Ok(());
        };
        for entity in self.store.papers_of(order.shop.uid.clone(), Kind::Payment, order.id.clone()).await? {
            self.store.retry(Retry::Touch(entity), self.now()).await?;
        }
        Ok(())
    }
}

impl Around {
    /// Adds the other payment `case`, which the ERP shows or does not; `own` is what the payment at hand is called.
    fn add(&mut self, case: &Case, is_there: bool, (order, own): (&OrderOf<'_>, Option<&RemoteId>)) {
        if may_be_landing(case) {
            self.landing.push(case.entity);
        }
        let told = case.sides.get(&order.shop.uid).and_then(|side| Paper::from_leaves(&side.seen).ok());
        let Some(told) = told.filter(Paper::in_force) else { return };
        if case.admitted && !is_there {
            let grand = told.grand.map_or(Decimal::ZERO, |grand| grand.amount);
            self.left = self.left.saturating_add(grand);
        }
        let age = |id: &RemoteId| (id.id.len(), id.id.clone());
        let id = case.bound.get(&order.shop.uid).map(|bound| &bound.id);
        self.last &= case.admitted || (is_there && id.map(age) < own.map(age));
    }
}

/// What `order` comes to in the ERP; none where it is not there.
pub(crate) fn in_erp(order: &OrderOf<'_>) -> Option<Money> {
    let side = order.case.sides.get(&order.erp.uid).filter(|_| order.case.bound.contains_key(&order.erp.uid))?;
    money(&side.seen, "totals.grand")
}

/// Whether the shop has all the money of `order`.
fn is_paid(order: &OrderOf<'_>) -> bool {
    let shown = order.case.sides.get(&order.shop.uid).and_then(|side| Order::from_leaves(&side.seen).ok());
    let taken = shown.and_then(|shown| Some((shown.payment.captured?, shown.totals.grand?)));
    taken.is_some_and(|(had, grand)| had.currency == grand.currency && had.amount >= grand.amount)
}

fn money(seen: &Leaves, field: &'static str) -> Option<Money> {
    match seen.value(&Path::field(field))? {
        Value::Money(money) => Some(*money),
        _ => None,
    }
}
