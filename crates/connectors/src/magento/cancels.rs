//! Cancels orders. Magento answers `false` where there is nothing of one to cancel (recorded: order-cancel, order-cancel-again), so
//! that a second request does nothing; what counts is what the order shows after.

use super::client::Call;
use super::{Magento, numeric, unsupported};
use serde_json::Value;
use syncline_connect::{Ctx, Error, Outcome};
use syncline_core::delivery::Permit;
use syncline_core::kind::Kind;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{OrderLife, Record};

impl Magento {
    /// What became of the permit to cancel an order.
    pub(super) async fn cancel_order(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let change = permit.change();
        let Some(id) = change.document.clone().filter(|_| change.kind == Kind::Order) else {
            return Outcome::Refused(unsupported("only orders that are there are cancelled"));
        };
        let path = match numeric(Kind::Order, &id) {
            Ok(number) => format!("orders/{number}/cancel"),
            Err(error) => return Outcome::Refused(error),
        };
        if let Err(outcome) = self.send(ctx, Call::post(&path), &permit, &Value::Null).await {
            return outcome;
        }
        let unknown = |error| Outcome::Unknown { learned: Some(id.clone()), error };
        match self.read_one(ctx, Kind::Order, &id).await {
            Ok(Some(snapshot)) => match snapshot.records.first() {
                Some((_, Record::Order(order))) if order.life == Some(OrderLife::Cancelled) => {
                    Outcome::Done(Box::new(snapshot))
                }
                _ => {
                    let what =
                        format!("order {id} cannot be cancelled in Magento any more: see there what was done about it");
                    Outcome::Refused(Error::new(ErrorKind::Invalid, what))
                }
            },
            Ok(None) => unknown(Error::new(ErrorKind::Gone, format!("order {id} is not there when read back"))),
            Err(error) => unknown(error),
        }
    }
}
