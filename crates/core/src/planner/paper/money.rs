//! What the money of a paper comes to in the shop, as far as its order tells it: how a credit is given back, and whether an
//! invoice would ask for something else. It is near enough to choose by; what it is to the minor unit the connector works out.

use super::{Decision, PaperCase, by_hand, hold};
use crate::money::Money;
use crate::record::Order;
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

/// What was paid for so much of each line, with tax; none where the shop does not tell it.
fn worth(order: &Order, wanted: &BTreeMap<&str, Decimal>) -> Option<Decimal> {
    let of = |key: &str, quantity: Decimal| {
        let line = order.lines.get(key)?;
        let all = line.net?.plus(line.tax.unwrap_or(Money::zero(line.net?.currency))).ok()?;
        all.amount.checked_mul(quantity)?.checked_div(line.quantity?)
    };
    wanted.iter().map(|(key, quantity)| of(key, *quantity)).sum()
}

/// A hold where the shop would ask for something else than the ERP did: it puts all freight on the first invoice, and nothing
/// takes that money back.
pub(super) fn asks_otherwise(case: &PaperCase<'_>, wanted: &BTreeMap<&str, Decimal>) -> Option<Decision> {
    let grand = case.paper.grand.filter(|grand| case.order.currency == Some(grand.currency))?;
    let first = case.order.lines.iter().all(|(_, line)| line.had.invoiced.unwrap_or_default().is_zero());
    let charges = case.order.charges.values().filter(|_| first).flat_map(|charge| [charge.net, charge.tax]);
    let charges: Decimal = charges.flatten().map(|money| money.amount).sum();
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
