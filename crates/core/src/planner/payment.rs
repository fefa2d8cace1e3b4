//! The next step of a payment: what a shop took for an order is booked in the ERP once, on that order's invoices.
//!
//! It is booked as far as invoices are posted, one invoice after the other, each for no more than it still asks for; what is
//! left waits for the next one. Where somebody else has booked money on these invoices, nobody can say whether this payment
//! is meant by it.

use super::{Decision, Planned, hold};
use crate::delivery::after;
use crate::id::{EntityId, SystemName};
use crate::kind::{Kind, Step};
use crate::leaf::{Leaves, Value};
use crate::money::Money;
use crate::path::Path;
use crate::record::{Paper, PaperLife};
use crate::rules::{BOOKED_THERE, PaperTarget};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use jiff::Timestamp;
use rust_decimal::Decimal;

/// Days a payment may wait for an invoice before a person hears of it.
const DAYS: u32 = 30;
const DAY_S: u32 = 86_400;

/// One invoice of the order in the ERP.
#[derive(Debug, Clone)]
pub struct Bill {
    /// What the ERP calls it.
    pub id: String,
    /// As it stands there.
    pub paper: Paper,
    /// What payments of ours have had booked on it.
    pub ours: Decimal,
}

/// Everything that decides a payment's next step.
#[derive(Debug)]
pub struct PaymentCase<'a> {
    /// Now.
    pub now: Timestamp,
    /// The shop that took the money.
    pub shop: &'a SystemName,
    /// The ERP that is to book it.
    pub erp: &'a SystemName,
    /// What the file says about that shop.
    pub rules: &'a PaperTarget,
    /// The payment, as the shop shows it.
    pub payment: &'a Paper,
    /// What the order comes to in the ERP; none where it is not there.
    pub order: Option<Money>,
    /// The order's invoices in the ERP that this payment may be booked on, in their order.
    pub bills: &'a [Bill],
    /// The shop's document was made of the one invoice that is there: it is that one's payment.
    pub made_of: bool,
    /// What other payments of the order came to that were left to people.
    pub left_to_people: Decimal,
    /// Other payments and invoices of the order that may be landing at this moment.
    pub landing: &'a [EntityId],
    /// The shop has all the money of the order, every payment of it is booked, and this is the last of them.
    pub last: bool,
    /// A person left it to people.
    pub left: bool,
    /// What the ERP shows of it, where it is there.
    pub there: Option<&'a Paper>,
    /// What was ever booked of it by us.
    pub written: &'a Leaves,
}

/// The next step for a payment.
#[must_use]
pub fn payment(case: &PaymentCase<'_>) -> Decision {
    let nothing = case.there.is_none();
    let over = |why: &str| if nothing { Decision::Outside(why.to_string()) } else { Decision::Agreed };
    if case.left {
        return over("left to people");
    }
    let booked = case.there.map(parts).unwrap_or_default();
    if let Some(decision) = taken_back(case, &booked) {
        return decision;
    }
    match case.payment.life {
        Some(PaperLife::Done | PaperLife::Paid) => {}
        Some(PaperLife::Void) if !nothing => {
            let what = alloc::format!("it was withdrawn in {} after {} had booked it", case.shop, case.erp);
            return hold("SYN-0194", what, by_hand(case));
        }
        Some(PaperLife::Void) => return Decision::Outside("withdrawn before it was booked".to_string()),
        None | Some(PaperLife::Open) => return over("the money was not taken yet"),
    }
    let Some(grand) = case.payment.grand.filter(|grand| !grand.amount.is_zero()) else {
        return over("no money was taken");
    };
    let by = case.payment.method.as_deref().unwrap_or("");
    let method = match case.rules.booked_by(by) {
        Some(BOOKED_THERE) => return over("the ERP books what is paid this way by itself"),
        Some(method) => method,
        None => return hold("SYN-0185", alloc::format!("`{by}` has no row in payments"), no_row(by)),
    };
    if let Some(decision) = unpaid(case, &booked) {
        return decision;
    }
    let sum: Decimal = booked.values().sum();
    let rest = grand.amount.saturating_sub(sum);
    if rest.is_zero() {
        return whole(case);
    }
    if rest < Decimal::ZERO {
        let what = alloc::format!("{sum} {} are booked of it in {}, {grand} were taken", grand.currency, case.erp);
        return hold("SYN-0195", what, by_hand(case));
    }
    book(case, (grand, rest), &booked, method)
}

/// What of a payment was booked on which invoice.
#[must_use]
pub fn parts(paper: &Paper) -> BTreeMap<String, Decimal> {
    paper.lines.iter().filter_map(|(key, line)| Some((key.clone(), line.net?.amount))).collect()
}

/// A hold where something that we booked is not there any more, or is there more than once.
fn taken_back(case: &PaymentCase<'_>, booked: &BTreeMap<String, Decimal>) -> Option<Decision> {
    for key in case.written.keys_of("lines") {
        let Some(Value::Money(ours)) = case.written.value(&Path::element("lines", &key).dot("net")) else { continue };
        let has = booked.get(&key).copied().unwrap_or_default();
        if has != ours.amount && case.there.is_some() {
            let what = alloc::format!("{ours} were booked on {}, {has} are there now", named(case, &key));
            return Some(hold("SYN-0195", what, by_hand(case)));
        }
    }
    None
}

/// A hold where an invoice asks for more than what we have booked on it leaves: it was taken back, and is read anew.
fn unpaid(case: &PaymentCase<'_>, booked: &BTreeMap<String, Decimal>) -> Option<Decision> {
    let bill = case.bills.iter().find(|bill| {
        let (grand, owed) = (bill.paper.grand, bill.paper.owed);
        let paid = grand.zip(owed).map(|(grand, owed)| grand.amount.saturating_sub(owed.amount));
        booked.contains_key(&bill.id) && bill.paper.in_force() && paid.is_some_and(|paid| paid < bill.ours)
    })?;
    let what = alloc::format!("{} asks for what was booked on it", named(case, &bill.id));
    Some(hold("SYN-0195", what, by_hand(case)))
}

/// Books what is left of a payment on the first invoice that asks for money.
fn book(
    case: &PaymentCase<'_>,
    (grand, rest): (Money, Decimal),
    booked: &BTreeMap<String, Decimal>,
    method: &str,
) -> Decision {
    let Some(order) = case.order else { return await_invoice(case, "its order is not there yet") };
    if !case.landing.is_empty() {
        return Decision::Wait(case.landing.to_vec(), "another paper of the order may be landing".to_string());
    }
    let bills: Vec<&Bill> = case.bills.iter().filter(|bill| bill.paper.in_force()).collect();
    if let Some(other) = bills.iter().filter_map(|bill| bill.paper.currency).find(|other| *other != grand.currency) {
        let what = alloc::format!("{grand} were taken, and {} asks for {other}", case.erp);
        return hold("SYN-0186", what, by_hand(case));
    }
    let amount = |money: Option<Money>| money.map_or(Decimal::ZERO, |money| money.amount);
    let asked: Decimal = bills.iter().map(|bill| amount(bill.paper.grand)).sum();
    let owed: Decimal = bills.iter().map(|bill| amount(bill.paper.owed)).sum();
    let ours: Decimal = bills.iter().map(|bill| bill.ours).sum();
    let entire = asked.saturating_add(rounding(&bills, grand)) >= order.amount || (case.made_of && !bills.is_empty());
    let by_others = asked - owed - ours - if case.made_of { Decimal::ZERO } else { case.left_to_people };
    if by_others > Decimal::ZERO {
        return match owed.is_zero() {
            true if entire && booked.is_empty() => Decision::Outside("the ERP has it already".to_string()),
            true if !entire => await_invoice(case, "what was invoiced so far is paid"),
            _ => {
                let what = alloc::format!("{by_others} {} were paid in {} by somebody else", grand.currency, case.erp);
                hold("SYN-0192", what, by_hand(case))
            }
        };
    }
    let asks = |bill: &&Bill| amount(bill.paper.owed) > Decimal::ZERO && !booked.contains_key(&bill.id);
    match bills.into_iter().find(asks) {
        Some(bill) => {
            let part = Money::new(rest.min(amount(bill.paper.owed)), grand.currency);
            step(case, bill, part, method)
        }
        None if entire => {
            let rest = Money::new(rest, grand.currency);
            let what = alloc::format!("{rest} of it have nothing left in {} to be booked on", case.erp);
            hold("SYN-0187", what, by_hand(case))
        }
        None => await_invoice(case, "no invoice of its order asks for it yet"),
    }
}

/// What rounding may take from the sum of several invoices: a minor unit for each of their lines and charges.
fn rounding(bills: &[&Bill], money: Money) -> Decimal {
    let parts: usize = bills.iter().map(|bill| bill.paper.lines.len() + bill.paper.charges.len()).sum();
    money.currency.minor_unit().saturating_mul(Decimal::from(parts))
}

/// What is decided about a payment that is booked wholly: the last one of an order says what is left to pay.
fn whole(case: &PaymentCase<'_>) -> Decision {
    let open = case.bills.iter().filter(|bill| bill.paper.in_force()).find_map(|bill| {
        let owed = bill.paper.owed.filter(|owed| owed.amount > Decimal::ZERO)?;
        Some((bill, owed))
    });
    match open.filter(|_| case.last) {
        Some((bill, owed)) => {
            let what = alloc::format!(
                "{owed} of {} are left to pay, and {} has all its money",
                named(case, &bill.id),
                case.shop
            );
            let remedy = alloc::format!("write them off in {}; it is looked at again by itself", case.erp);
            hold("SYN-0189", what, remedy)
        }
        None => Decision::Agreed,
    }
}

/// Waits for an invoice, and asks a person where none has come for long.
fn await_invoice(case: &PaymentCase<'_>, why: &str) -> Decision {
    let taken = case.payment.day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let until = after(taken.map_or(Timestamp::UNIX_EPOCH, |day| day.timestamp()), DAYS.saturating_mul(DAY_S));
    if case.now < until {
        return Decision::Awaiting(why.to_string(), until);
    }
    let what = alloc::format!("it was taken more than {DAYS} days ago, and {why} in {}", case.erp);
    let remedy = alloc::format!(
        "post the invoice in {}, or give the money back; it is looked at again by itself. `syncline retry --accept` leaves \
         it to people",
        case.erp
    );
    hold("SYN-0188", what, remedy)
}

fn step(case: &PaymentCase<'_>, bill: &Bill, part: Money, method: &str) -> Decision {
    let mut leaves = Leaves::new();
    if let Some(number) = &case.payment.number {
        leaves.put(Path::field("number"), Value::Text(number.clone()));
    }
    if let Some(day) = case.payment.day {
        leaves.put(Path::field("day"), Value::Day(day));
    }
    leaves.put(Path::field("method"), Value::Code(method.to_string()));
    leaves.put(Path::element("lines", &bill.id).dot("net"), Value::Money(part));
    Decision::Step(Planned {
        target: case.erp.clone(),
        kind: Kind::Payment,
        step: if case.there.is_none() { Step::Create } else { Step::Attach("lines".to_string()) },
        leaves,
        reason: alloc::format!("{part} taken by {}, not yet on {}", case.shop, named(case, &bill.id)),
        adopt_only: false,
    })
}

/// An invoice, as a person reads it.
fn named(case: &PaymentCase<'_>, id: &str) -> String {
    let bill = case.bills.iter().find(|bill| bill.id == id);
    let number = bill.and_then(|bill| bill.paper.number.as_deref());
    number.map_or_else(|| alloc::format!("invoice with id {id}"), |number| alloc::format!("invoice {number}"))
}

fn no_row(method: &str) -> String {
    alloc::format!(
        "add `{method} = …` to `payments` under [flows.papers]: the ERP's payment method, or \"{BOOKED_THERE}\" where the ERP \
         books that money by itself; it is looked at again by itself"
    )
}

fn by_hand(case: &PaymentCase<'_>) -> String {
    alloc::format!(
        "bring {} to what really was paid by hand, then `syncline retry --accept` this payment: it is left to people",
        case.erp
    )
}

#[cfg(test)]
mod tests;
