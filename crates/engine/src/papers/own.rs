//! Papers of ours that the store does not know any more, because it was lost or an older copy was put back: they are found by
//! their marks before a person is asked about them.

use super::Way;
use crate::poll::incoming;
use crate::run::Engine;
use crate::system::EngineError;
use syncline_connect::{Lookup, Seen, Snapshot};
use syncline_core::kind::Kind;
use syncline_core::policy::Hold;
use syncline_core::record::{Paper, PaperLife, Record};
use syncline_store::{Adoption, Base, Case, StoreError, TakeOver};

/// Holds that say the other side has what the paper says, or has nothing left of it.
const THERE_ALREADY: [&str; 4] = ["SYN-0192", "SYN-0193", "SYN-0194", "SYN-0199"];

impl Engine {
    /// Ties the paper `case`, which is to be held with `hold`, to the one of the other side that carries its mark. Whether it
    /// did; where the other side does not answer, it did not.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn tie_own_paper(&self, case: &Case, hold: &Hold) -> Result<bool, EngineError> {
        if !case.kind.is_paper() || case.kind == Kind::Payment || !THERE_ALREADY.contains(&hold.code.as_str()) {
            return Ok(false);
        }
        let Some(order) = self.order_of_paper(case).await? else { return Ok(false) };
        let document = order.case.bound.get(&order.erp.uid).map(|bound| bound.id.clone());
        let (source, target, there) = match self.way_of(case) {
            Way::FromErp => (order.erp, order.shop, Some(order.id.clone())),
            Way::FromShop => (order.shop, order.erp, document),
        };
        let (Some(id), Some(there)) = (case.bound.get(&source.uid).map(|bound| bound.id.clone()), there) else {
            return Ok(false);
        };
        if case.bound.contains_key(&target.uid) {
            return Ok(false);
        }
        let mark = self.mark_of(case.kind, source, &id, target);
        let found = target.connector.find(&target.ctx, case.kind, &Lookup::Paper { order: there, mark }).await;
        let mut ours = found.unwrap_or_default().into_iter().filter(in_force);
        // Of two nobody knows which is to stay.
        let (Some(paper), None) = (ours.next(), ours.next()) else { return Ok(false) };
        let base = Base {
            system: target.uid.clone(),
            peer: source.uid.clone(),
            leaves: paper.records.first().map(|(_, record)| record.to_leaves()).unwrap_or_default(),
            over: false,
        };
        let ids = vec![(source.uid.clone(), id, Vec::new()), (target.uid.clone(), paper.id.clone(), Vec::new())];
        let row = TakeOver {
            adoption: Adoption { kind: case.kind, label: case.label.clone(), ids },
            shown: vec![(target.uid.clone(), incoming(case.kind, Seen { id: paper.id.clone(), snapshot: Ok(paper) }))],
            elements: Vec::new(),
            bases: vec![base],
        };
        match self.store.take_over(vec![row], self.now()).await?.into_iter().next() {
            None | Some(Err(StoreError::Taken(_))) => Ok(false),
            Some(done) => Ok(done?),
        }
    }
}

/// Whether a paper was not taken back.
fn in_force(snapshot: &Snapshot) -> bool {
    let void = |paper: &Paper| paper.life == Some(PaperLife::Void);
    match snapshot.records.first() {
        Some((_, Record::Shipment(paper) | Record::Invoice(paper) | Record::Credit(paper))) => !void(paper),
        _ => true,
    }
}
