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
mod tests {
    use super::*;
    use crate::record::PaperLine;
    use crate::rules::{MoneyRule, Refunds};
    use proptest::prelude::*;

    fn euros(cents: i64) -> Money {
        Money::new(Decimal::new(cents, 2), "EUR".parse().unwrap())
    }

    fn bill(id: &str, grand: i64, owed: i64, ours: i64) -> Bill {
        let life = if owed == 0 { PaperLife::Paid } else { PaperLife::Done };
        let paper = Paper {
            number: Some(alloc::format!("N{id}")),
            life: Some(life),
            currency: "EUR".parse().ok(),
            grand: Some(euros(grand)),
            owed: Some(euros(owed)),
            ..Paper::default()
        };
        Bill { id: id.to_string(), paper, ours: Decimal::new(ours, 2) }
    }

    fn taken(cents: i64, life: PaperLife) -> Paper {
        let day = jiff::civil::date(2026, 11, 20);
        let grand = Some(euros(cents));
        Paper { life: Some(life), grand, day: Some(day), method: Some("paypal_express".into()), ..Paper::default() }
    }

    fn there(parts: &[(&str, i64)]) -> Paper {
        let line = |cents| PaperLine { net: Some(euros(cents)), ..PaperLine::default() };
        let lines = parts.iter().map(|(id, cents)| ((*id).to_string(), line(*cents))).collect();
        Paper { life: Some(PaperLife::Done), lines, ..Paper::default() }
    }

    /// What else is known of a payment.
    #[derive(Default)]
    struct More<'a> {
        there: Option<&'a Paper>,
        written: Leaves,
        last: bool,
        left_to_people: Decimal,
        late: bool,
    }

    /// What is decided about `payment` of an order of `total` with these invoices.
    fn decided(payment: &Paper, total: i64, bills: &[Bill], more: More<'_>) -> Decision {
        let (shop, erp) = (SystemName::new("shop"), SystemName::new("erp"));
        let rules = PaperTarget {
            system: shop.clone(),
            carriers: BTreeMap::new(),
            places: Vec::new(),
            invoices: MoneyRule::Off,
            credits: MoneyRule::Off,
            refunds: Refunds::Ask,
            payments: [("paypal*", "PayPal"), ("checkmo", BOOKED_THERE)].map(|(a, b)| (a.into(), b.into())).into(),
        };
        let now = if more.late { "2026-12-21T00:00:00Z" } else { "2026-11-29T12:00:00Z" };
        super::payment(&PaymentCase {
            now: now.parse().unwrap(),
            shop: &shop,
            erp: &erp,
            rules: &rules,
            payment,
            order: Some(euros(total)),
            bills,
            made_of: false,
            left_to_people: more.left_to_people,
            landing: &[],
            last: more.last,
            left: false,
            there: more.there,
            written: &more.written,
        })
    }

    fn told(decision: &Decision) -> String {
        match decision {
            Decision::Hold(hold) => hold.code.clone(),
            Decision::Step(plan) => {
                let parts = plan.leaves.keys_of("lines").into_iter().map(|key| {
                    let net = plan.leaves.value(&Path::element("lines", &key).dot("net"));
                    alloc::format!("{} {key}: {}", plan.step, net.map(ToString::to_string).unwrap_or_default())
                });
                parts.collect::<Vec<_>>().join("; ")
            }
            Decision::Outside(why) | Decision::Awaiting(why, _) | Decision::Wait(_, why) => why.clone(),
            other => alloc::format!("{other:?}"),
        }
    }

    #[test]
    fn a_payment_is_booked_on_one_invoice_after_the_other_as_far_as_these_ask() {
        let paid = taken(10_000, PaperLife::Paid);
        let one = |bills: &[Bill]| told(&decided(&paid, 10_000, bills, More::default()));
        assert_eq!(one(&[]), "no invoice of its order asks for it yet");
        assert_eq!(one(&[bill("7", 10_000, 10_000, 0)]), "create 7: 100.00 EUR");
        assert_eq!(one(&[bill("7", 6_000, 6_000, 0)]), "create 7: 60.00 EUR");
        let first = there(&[("7", 6_000)]);
        let two =
            |bills: &[Bill]| told(&decided(&paid, 10_000, bills, More { there: Some(&first), ..More::default() }));
        assert_eq!(two(&[bill("7", 6_000, 0, 6_000)]), "no invoice of its order asks for it yet");
        assert_eq!(two(&[bill("7", 6_000, 0, 6_000), bill("9", 4_000, 4_000, 0)]), "attach(lines) 9: 40.00 EUR");
        assert_eq!(two(&[bill("7", 6_000, 0, 6_000), bill("9", 4_000, 3_990, 0)]), "SYN-0192");
        // The ERP asks for less in all than was taken.
        let less = [bill("7", 6_000, 0, 6_000), bill("9", 3_999, 0, 3_999)];
        let whole = there(&[("7", 6_000), ("9", 3_999)]);
        assert_eq!(told(&decided(&paid, 9_999, &less, More { there: Some(&whole), ..More::default() })), "SYN-0187");
    }

    #[test]
    fn what_somebody_else_booked_is_left_alone_or_asked_about() {
        let paid = taken(5_000, PaperLife::Paid);
        let one = |total, bills: &[Bill]| told(&decided(&paid, total, bills, More::default()));
        assert_eq!(one(5_000, &[bill("7", 5_000, 0, 0)]), "the ERP has it already");
        assert_eq!(one(5_000, &[bill("7", 5_000, 2_000, 0)]), "SYN-0192");
        assert_eq!(one(10_000, &[bill("7", 5_000, 0, 0)]), "what was invoiced so far is paid");
        // What was left to people explains what they booked.
        let bills = [bill("7", 10_000, 5_000, 0)];
        let left = More { left_to_people: Decimal::new(5_000, 2), ..More::default() };
        assert_eq!(told(&decided(&paid, 10_000, &bills, left)), "create 7: 50.00 EUR");
    }

    #[test]
    fn a_method_says_who_books_and_one_without_a_row_is_held() {
        let bills = [bill("7", 5_000, 5_000, 0)];
        let by = |method: &str| {
            let paid = Paper { method: Some(method.into()), ..taken(5_000, PaperLife::Paid) };
            told(&decided(&paid, 5_000, &bills, More::default()))
        };
        assert_eq!(
            (by("checkmo").as_str(), by("klarna").as_str()),
            ("the ERP books what is paid this way by itself", "SYN-0185")
        );
        let free = Paper { method: Some("free".into()), ..taken(0, PaperLife::Paid) };
        assert_eq!(told(&decided(&free, 0, &bills, More::default())), "no money was taken", "it needs no row");
        let yen = Paper { currency: "JPY".parse().ok(), ..bill("7", 5_000, 5_000, 0).paper };
        let bills = [Bill { paper: yen, ..bill("7", 0, 0, 0) }];
        assert_eq!(told(&decided(&taken(5_000, PaperLife::Paid), 5_000, &bills, More::default())), "SYN-0186");
    }

    #[test]
    fn what_was_withdrawn_or_taken_back_is_never_booked_again() {
        let (bills, booked) = ([bill("7", 5_000, 5_000, 0)], there(&[("7", 5_000)]));
        let void = taken(5_000, PaperLife::Void);
        assert_eq!(told(&decided(&void, 5_000, &bills, More::default())), "withdrawn before it was booked");
        assert_eq!(told(&decided(&void, 5_000, &bills, More { there: Some(&booked), ..More::default() })), "SYN-0194");
        let (mut written, nothing) = (Leaves::new(), there(&[]));
        written.put(Path::element("lines", "7").dot("net"), Value::Money(euros(5_000)));
        let paid = taken(5_000, PaperLife::Paid);
        let back = |there: &Paper| {
            let more = More { there: Some(there), written: written.clone(), ..More::default() };
            told(&decided(&paid, 5_000, &bills, more))
        };
        assert_eq!((back(&nothing), back(&there(&[("7", 10_000)]))), ("SYN-0195".into(), "SYN-0195".into()));
        let unpaid = [bill("7", 5_000, 5_000, 5_000)];
        let more = More { there: Some(&booked), written, ..More::default() };
        assert_eq!(told(&decided(&paid, 5_000, &unpaid, more)), "SYN-0195");
    }

    #[test]
    fn no_cent_stays_open_without_a_word() {
        let paid = taken(5_000, PaperLife::Paid);
        let (bills, booked) = ([bill("7", 5_001, 1, 5_000)], there(&[("7", 5_000)]));
        let at_the_end =
            |last| told(&decided(&paid, 5_001, &bills, More { there: Some(&booked), last, ..More::default() }));
        assert_eq!((at_the_end(true).as_str(), at_the_end(false).as_str()), ("SYN-0189", "Agreed"));
        let late = More { late: true, ..More::default() };
        assert_eq!(told(&decided(&paid, 5_000, &[], late)), "SYN-0188");
    }

    proptest! {
        /// Whatever is asked for and was booked, by us or by others: no more is booked than was taken and than is asked for,
        /// on no invoice twice, and nothing while somebody else's money is there.
        #[test]
        fn no_more_is_booked_than_was_taken_or_is_asked_for(
            grand in 1i64..300, asked in proptest::collection::vec((1i64..200, 0i64..200, 0i64..200), 0..4), had in 0usize..4,
        ) {
            let mut bills = Vec::new();
            let mut booked = Vec::new();
            let ids = ["1", "2", "3", "4"];
            for (at, (asks, ours, others)) in asked.iter().enumerate() {
                let ours = if at < had { (*ours).min(*asks) } else { 0 };
                let others = (*others).min(asks - ours) * i64::from(others % 3 == 0);
                bills.push(bill(ids[at], *asks, asks - ours - others, ours));
                if ours > 0 {
                    booked.push((ids[at], ours));
                }
            }
            let (paid, shown) = (taken(grand, PaperLife::Paid), there(&booked));
            let total: i64 = asked.iter().map(|(asks, ..)| asks).sum();
            let more = More { there: Some(&shown).filter(|_| !booked.is_empty()), ..More::default() };
            let decision = decided(&paid, total, &bills, more);
            if let Decision::Step(plan) = decision {
                let keys = plan.leaves.keys_of("lines");
                prop_assert_eq!(keys.len(), 1);
                let key = keys.into_iter().next().unwrap();
                let Some(Value::Money(part)) = plan.leaves.value(&Path::element("lines", &key).dot("net")) else { panic!() };
                let bill = bills.iter().find(|bill| bill.id == key).unwrap();
                prop_assert!(part.amount > Decimal::ZERO && part.amount <= bill.paper.owed.unwrap().amount);
                prop_assert!(!booked.iter().any(|(id, _)| *id == key));
                let sum: i64 = booked.iter().map(|(_, cents)| cents).sum();
                prop_assert!(part.amount + Decimal::new(sum, 2) <= Decimal::new(grand, 2));
                let strange: Decimal = bills.iter().map(|one| {
                    one.paper.grand.unwrap().amount - one.paper.owed.unwrap().amount - one.ours
                }).sum();
                prop_assert!(strange <= Decimal::ZERO);
            }
        }
    }
}
