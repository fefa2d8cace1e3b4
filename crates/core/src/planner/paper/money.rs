//! What the money of a paper comes to in the shop, as far as its order tells it: how a credit is given back, and whether an
//! invoice would ask for something else. It is near enough to choose by; what it is to the minor unit the connector works out.

use super::{Decision, PaperCase, by_hand, hold};
use crate::kind::Kind;
use crate::money::Money;
use crate::record::{Order, Paper};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use rust_decimal::Decimal;

/// How money is given back.
pub(super) struct GivenBack {
    /// Each line's quantity at the price it was sold for; otherwise as an amount.
    pub(super) by_quantity: bool,
    /// Amounts beside the lines, by name: `shipping` without tax, or all of it as `adjustment`.
    pub(super) charges: BTreeMap<&'static str, Money>,
}

/// How the money of a credit is given back in the shop, which gives back a quantity at the price it was sold for: by
/// quantities where these come to what the ERP gives back, a minor unit for each line aside; as an amount where that is
/// less.
pub(super) fn given_back(case: &PaperCase<'_>, wanted: &BTreeMap<&str, Decimal>) -> Result<GivenBack, String> {
    let Some(grand) = case.paper.grand else {
        return Err("it does not tell what is given back for this order alone".to_string());
    };
    let mut charges = BTreeMap::new();
    let freight = case.paper.charges.get("shipping").copied().filter(|net| !net.amount.is_zero());
    let mut comes_to = worth(case.order, wanted);
    if let Some(net) = freight {
        let charge = case.order.charges.get("shipping");
        let rate = charge.and_then(|charge| {
            let (net, tax) = (charge.net?.amount, charge.tax.map_or(Decimal::ZERO, |tax| tax.amount));
            Decimal::ONE.checked_add(tax.checked_div(net)?)
        });
        comes_to = comes_to.zip(rate).and_then(|(sum, rate)| sum.checked_add(net.amount.checked_mul(rate)?));
    }
    let unit = grand.currency.minor_unit();
    let allowed = unit * Decimal::from(wanted.len().max(1) + usize::from(freight.is_some()));
    let Some(comes_to) = comes_to.filter(|_| case.order.currency == Some(grand.currency)) else {
        return Err("what its lines were sold for is not known".to_string());
    };
    let close = (comes_to - grand.amount).abs() <= allowed;
    match close {
        true => {
            charges.extend(freight.map(|net| ("shipping", net)));
            Ok(GivenBack { by_quantity: true, charges })
        }
        false if grand.amount > Decimal::ZERO && grand.amount < comes_to => {
            charges.insert("adjustment", grand);
            Ok(GivenBack { by_quantity: false, charges })
        }
        false => Err(alloc::format!(
            "{grand} are given back for what was sold for {} {}",
            comes_to.round_dp(4).normalize(),
            grand.currency
        )),
    }
}

/// What stands against a credit of more than the shop has left of the money that came in for the order: it never asked for
/// what people told it of otherwise, and gives nothing back twice. Nothing where it has as much, or does not tell.
pub(super) fn not_paid_in(case: &PaperCase<'_>) -> Option<Decision> {
    let grand = case.paper.grand.filter(|_| case.kind == Kind::Credit)?;
    let alike = |money: &Money| money.currency == grand.currency;
    let paid = case.order.payment.captured.filter(alike)?;
    let given = case.given.iter().copied().chain(case.others.iter().filter_map(|other| other.grand));
    let left = given.filter(alike).try_fold(paid.amount, |left, given| left.checked_sub(given.amount))?;
    if grand.amount <= left {
        return None;
    }
    let left = Money::new(left.max(Decimal::ZERO), grand.currency);
    let what = alloc::format!(
        "{grand} are given back, and the order in {} has {left} left of what was paid for it there",
        case.rules.system
    );
    Some(hold("SYN-0193", what, by_hand(case)))
}

/// What was paid for so much of each line, with tax; none where the shop does not tell it.
fn worth(order: &Order, wanted: &BTreeMap<&str, Decimal>) -> Option<Decimal> {
    let of = |key: &str, quantity: Decimal| {
        let line = order.lines.get(key)?;
        let all = line.net?.plus(line.tax.unwrap_or(Money::zero(line.net?.currency))).ok()?;
        all.amount.checked_mul(quantity)?.checked_div(line.quantity?)
    };
    wanted.iter().map(|(key, quantity)| of(key, *quantity)).sum()
}

/// Whether the shop asked for nothing of the order yet: it puts all freight on its first invoice.
fn is_first(order: &Order) -> bool {
    order.lines.iter().all(|(_, line)| line.had.invoiced.unwrap_or_default().is_zero())
}

/// What the shop asks for beside goods, with tax.
fn freight(order: &Order) -> Decimal {
    let charges = order.charges.values().flat_map(|charge| [charge.net, charge.tax]);
    charges.flatten().map(|money| money.amount).sum()
}

/// Whether what was invoiced without goods, `own` among it, is what the shop asks for with the first goods: all of its
/// freight and nothing else, a minor unit for each aside.
pub(super) fn goes_along(case: &PaperCase<'_>, own: Option<Money>) -> bool {
    let all = || case.alone.iter().map(|alone| alone.grand).chain(own);
    let known = all().all(|grand| case.order.currency == Some(grand.currency));
    let Some(currency) = case.order.currency.filter(|_| known && all().next().is_some()) else { return false };
    let sum: Decimal = all().map(|grand| grand.amount).sum();
    (sum - freight(case.order)).abs() <= currency.minor_unit() * Decimal::from(all().count())
}

/// The freight that goes along with the invoice `case` of goods, the first of its order; nothing where it bills its own.
fn along(case: &PaperCase<'_>) -> Option<Money> {
    if case.kind != Kind::Invoice || !goes_along(case, None) {
        return None;
    }
    let mut all = case.alone.iter().map(|alone| alone.grand);
    let first = all.next()?;
    all.try_fold(first, |sum, grand| sum.plus(grand).ok())
}

/// What the shop is to ask for: the paper's own total, with the freight that was billed before where it is the first.
pub(super) fn asked_for(case: &PaperCase<'_>) -> Option<Money> {
    let own = case.paper.grand?;
    along(case).filter(|_| is_first(case.order)).map_or(Some(own), |freight| own.plus(freight).ok())
}

/// What the shop's paper is to have come to: with the freight, where that one has it and ours has none.
pub(super) fn comes_to(case: &PaperCase<'_>, there: &Paper) -> Option<Money> {
    let own = case.paper.grand?;
    let has = |paper: &Paper| paper.charges.get("shipping").is_some_and(|net| !net.amount.is_zero());
    let carries = has(there) && !has(case.paper);
    along(case).filter(|_| carries).map_or(Some(own), |freight| own.plus(freight).ok())
}

/// What stands against asking for the first goods: the freight that the shop asks for along, and that is not paid yet.
pub(super) fn freight_first(case: &PaperCase<'_>) -> Option<Decision> {
    along(case).filter(|_| is_first(case.order))?;
    let open = case.alone.iter().find(|alone| !alone.due)?;
    let why = alloc::format!("the shop asks for freight along with it, and {} is not paid yet", open.number);
    Some(Decision::Outside(why))
}

/// A hold where the shop would ask for something else than the ERP did: it puts all freight on the first invoice, and nothing
/// takes that money back.
pub(super) fn asks_otherwise(case: &PaperCase<'_>, wanted: &BTreeMap<&str, Decimal>) -> Option<Decision> {
    let grand = asked_for(case).filter(|grand| case.order.currency == Some(grand.currency))?;
    let charges = if is_first(case.order) { freight(case.order) } else { Decimal::ZERO };
    let comes_to = worth(case.order, wanted)?.checked_add(charges)?;
    let allowed = grand.currency.minor_unit() * Decimal::from(wanted.len() + 1);
    if (comes_to - grand.amount).abs() <= allowed {
        return None;
    }
    let (comes_to, shop) = (comes_to.round_dp(4).normalize(), &case.rules.system);
    let what =
        alloc::format!("{grand} were invoiced in {}, {shop} would ask for {comes_to} {}", case.source, grand.currency);
    Some(hold("SYN-0199", what, by_hand(case)))
}
