//! Credits: money given back with every billed line named, marked in a comment, and told in the order's own currency.
//!
//! A list of lines without any means all of them (recorded: refund-shipping-only), and so does freight that is not said
//! (`CreditmemoFactory`, `Creditmemo\Total\Shipping`). So every billed line is named, with nothing where nothing is given
//! back of it, and freight is always said. What is asked for beside the lines is in the website's currency (recorded:
//! refund-amount-only). Goods stay where they are: the stock is the ERP's to tell.
//!
//! What a memo will come to is worked out before it is asked for. A difference that rounding explains is asked for as well, so
//! that the memo is as much as the ERP gave back; where that cannot be, nothing is asked for.

use super::figures;
use super::foreseen::{Foresight, PRECISION, cents};
use super::invoices::{self, billed, otherwise};
use super::map::{amount, invalid};
use super::papers::{About, asked_for, comment, mark_of, moved_on, quantities};
use super::rows::{evidence_of, shape};
use super::wire_papers::{Invoice, Sold};
use super::{Magento, wire};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Number, Value, json};
use std::collections::BTreeMap;
use syncline_connect::{Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::kind::Kind;
use syncline_core::leaf::Value as LeafValue;
use syncline_core::money::{Currency, Money};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{PaperLife, Record};
use syncline_core::text::shown;

/// What the shop says where nothing is left to be given back, or where the order is done with or was put on hold meanwhile
/// (`Order\Validation\CanRefund`).
const NOTHING_LEFT: [&str; 2] = ["does not allow a creditmemo to be created", "has a status of"];

/// What the shop says where a memo would be for more than is left of what was paid, counted in the website's currency.
const NOT_SO_MUCH: &str = "most money available to refund";

impl Magento {
    /// What became of a permit to give money back.
    pub(super) async fn make_credit(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let ready = self.ready_credit(ctx, permit.change()).await;
        self.make_paper(ctx, permit, ready, "refund", understood).await
    }

    async fn ready_credit(&self, ctx: &Ctx, change: &Change) -> Result<(About, Value)> {
        let wish = Wish::of(change)?;
        let (about, value) = self.whole_order_of(ctx, change).await?;
        let rates = Rates::of(&value)?;
        let named = rates.lines(billed(&about, &wish.lines)?);
        if named.is_empty() {
            let what = format!("nothing of order {} was billed, so nothing can be given back", about.id);
            return Err(Error::new(ErrorKind::Stale, what));
        }
        let shipping = wish.shipping.map_or_else(|| rates.freight_for_nothing(), |net| rates.freight(net))?;
        let (more, less) = rates.beside(&wish, &named, shipping)?;
        let items: Result<Vec<Value>> = named
            .iter()
            .map(|(line, quantity)| Ok(json!({"order_item_id": line, "qty": number(*quantity)?})))
            .collect();
        let body = json!({
            "items": items?, "notify": false, "appendComment": true, "comment": comment(change),
            "arguments": {
                "shipping_amount": number(shipping)?, "adjustment_positive": number(more)?,
                "adjustment_negative": number(less)?,
            },
        });
        Ok((about, body))
    }
}

/// What is to be done about a refusal. A cent of rounding may be more than the website's currency has left for all that was paid.
fn understood(error: Error, change: &Change) -> Error {
    match asked_for(change) {
        Some(wanted) if error.kind == ErrorKind::Invalid && error.message.contains(NOT_SO_MUCH) => {
            let message = format!("{wanted} are to be given back, which the shop refuses: {}", error.message);
            Error { kind: ErrorKind::Otherwise, message, ..error }
        }
        _ => moved_on(error, &NOTHING_LEFT),
    }
}

fn number(figure: Decimal) -> Result<Number> {
    figure.normalize().to_string().parse().map_err(|_| invalid(format!("{figure} is no number the shop keeps")))
}

/// What is to be given back: lines and freight, or one amount for everything.
struct Wish {
    lines: BTreeMap<u64, Decimal>,
    shipping: Option<Money>,
    adjustment: Option<Money>,
    /// What it has to come to, where that is told.
    grand: Option<Money>,
}

impl Wish {
    /// # Errors
    /// `Invalid` naming what is no amount above nothing, or a wish that is both or neither.
    fn of(change: &Change) -> Result<Self> {
        let grand = asked_for(change);
        let mut wish = Self { lines: quantities(change)?, shipping: None, adjustment: None, grand };
        for name in change.leaves.keys_of("charges") {
            let path = Path::element("charges", &name).dot("net");
            let place = match name.as_str() {
                "shipping" => &mut wish.shipping,
                "adjustment" => &mut wish.adjustment,
                other => return Err(invalid(format!("`{path}`: nothing is paid back as `{}`", shown(other, 40)))),
            };
            match change.leaves.value(&path) {
                Some(LeafValue::Money(money)) if money.amount > Decimal::ZERO => *place = Some(*money),
                _ => return Err(invalid(format!("`{path}` has to be an amount above 0"))),
            }
        }
        match (wish.lines.is_empty() && wish.shipping.is_none(), wish.adjustment.is_some()) {
            (true, false) => Err(invalid("a credit without a line, freight or amount".to_owned())),
            (false, true) => {
                Err(invalid("money is given back by lines and freight or as an amount, not both".to_owned()))
            }
            _ => Ok(wish),
        }
    }
}

/// An order's money in both currencies.
struct Rates<'a> {
    order: &'a Value,
    doc: Sold,
}

impl<'a> Rates<'a> {
    fn of(order: &'a Value) -> Result<Self> {
        Ok(Self { order, doc: shape("orders", order)? })
    }

    fn code(&self, field: &str, told: Option<&wire::Text>) -> Result<Currency> {
        let code = told.map_or("", |code| code.0.as_str());
        code.parse().map_err(|error| invalid(format!("`{field}`: {error}")).with(evidence_of("orders", self.order)))
    }

    fn base(&self) -> Result<Currency> {
        self.code("base_currency_code", self.doc.base_currency_code.as_ref())
    }

    /// The lines to name: what is given back of each, and nothing of the others that were billed.
    fn lines(&self, given: BTreeMap<u64, Decimal>) -> BTreeMap<u64, Decimal> {
        let billed = self.doc.items.iter().filter(|line| amount(line.qty_invoiced) > Decimal::ZERO);
        let mut lines: BTreeMap<u64, Decimal> = billed.map(|line| (line.item_id.0, Decimal::ZERO)).collect();
        lines.extend(given);
        lines
    }

    /// An amount of the order's currency; any other is refused.
    fn own(&self, money: Money) -> Result<Decimal> {
        let currency = self.code("order_currency_code", self.doc.order_currency_code.as_ref())?;
        match money.currency == currency {
            true => Ok(money.amount),
            false => Err(invalid(format!("{money} are to be given back of an order in {currency}"))),
        }
    }

    /// Freight without tax, after its discount, as the share of what the shop keeps before it: the shop takes the same share
    /// of the discount and of the tax. What is above all that is left by the smallest amount only is all that is left.
    fn freight(&self, net: Money) -> Result<Decimal> {
        let base = self.base()?;
        let digits = base.digits().min(PRECISION);
        let all = amount(self.doc.base_shipping_amount);
        let doc: wire::Order = shape("orders", self.order)?;
        let paid = figures::read(&doc).map_err(invalid)?.shipping;
        let share = all.checked_mul(self.own(net)?).and_then(|share| share.checked_div(paid));
        let exact = share.ok_or_else(|| invalid(format!("what is given back cannot be told in {base}")))?;
        let kept = exact.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
        let left = all.saturating_sub(amount(self.doc.base_shipping_refunded));
        let over = kept.saturating_sub(left);
        Ok(if over > Decimal::ZERO && over <= Decimal::new(1, digits) { left } else { kept })
    }

    /// All that is left of freight that cost nothing after its discount: it goes back with the first memo, discount and all;
    /// nothing of any other.
    fn freight_for_nothing(&self) -> Result<Decimal> {
        let doc: wire::Order = shape("orders", self.order)?;
        let free = figures::read(&doc).map_err(invalid)?.shipping.is_zero();
        let left = amount(self.doc.base_shipping_amount).saturating_sub(amount(self.doc.base_shipping_refunded));
        Ok(if free { left } else { Decimal::ZERO })
    }

    /// What is asked for more and less beside `named` and the freight, in the website's currency: all of it where it is given
    /// back as an amount, otherwise what rounding makes of it.
    ///
    /// # Errors
    /// `Otherwise` where the memo would come to something else than what is to be given back.
    fn beside(&self, wish: &Wish, named: &BTreeMap<u64, Decimal>, shipping: Decimal) -> Result<(Decimal, Decimal)> {
        let nothing = (Decimal::ZERO, Decimal::ZERO);
        let Some(wanted) = wish.grand.or(wish.adjustment) else { return Ok(nothing) };
        let (wanted_sum, doc) = (self.own(wanted)?, shape::<wire::Order>("orders", self.order)?);
        let figures = figures::read(&doc).map_err(invalid)?;
        if figures.others && wish.adjustment.is_none() {
            return Ok(nothing);
        }
        let foresight = Foresight::new(&self.doc, figures.reduced);
        let Some(foreseen) = foresight.credit(named, shipping).map_err(|why| otherwise(&why))? else {
            return Ok(nothing);
        };
        let (off, by_amount) = (wanted_sum.saturating_sub(foreseen), wish.adjustment.is_some());
        // A minor unit for each line, the freight and what is beside them is what rounding may make.
        let lines = named.values().filter(|quantity| !quantity.is_zero()).count();
        let rounding = wanted.currency.minor_unit().max(Decimal::new(1, PRECISION)) * Decimal::from(lines + 2);
        if !by_amount && off.abs() > rounding {
            let told = Money::new(foreseen, wanted.currency);
            return Err(otherwise(&format!("{wanted} are to be given back, and the shop would give back {told}")));
        }
        let in_base = self.in_base(off.abs()).ok_or_else(|| {
            let (off, base) = (Money::new(off.abs(), wanted.currency), self.base().map_or(String::new(), |base| base.to_string()));
            otherwise(&format!("{wanted} are to be given back; the shop counts what is beside the lines in {base}, of which no amount is {off}"))
        })?;
        Ok(if off < Decimal::ZERO { (Decimal::ZERO, in_base) } else { (in_base, Decimal::ZERO) })
    }

    /// The amount of the website's currency that the shop makes `sum` of by the rate the order was placed at; none where there
    /// is none.
    fn in_base(&self, sum: Decimal) -> Option<Decimal> {
        let same = self.doc.base_currency_code == self.doc.order_currency_code;
        let rate = if same { Decimal::ONE } else { self.doc.base_to_order_rate?.0 };
        let (near, unit) = (cents(sum.checked_div(rate)?), Decimal::new(1, PRECISION));
        let left = amount(self.doc.base_total_paid).checked_sub(amount(self.doc.base_total_refunded))?;
        let tried = [near, near.checked_sub(unit)?, near.checked_add(unit)?];
        let makes = |base: &Decimal| *base >= Decimal::ZERO && base.checked_mul(rate).map(cents) == Some(sum);
        // Of two that make it, the one that is left to be given back.
        let mut fits = tried.into_iter().filter(makes);
        let first = fits.next()?;
        Some(if first > left { fits.find(|base| *base <= left).unwrap_or(first) } else { first })
    }
}

/// A credit memo as the shop tells it: of its lines those that something is given back of.
///
/// # Errors
/// `Broken` with the exchange, where it is not built like one; `Invalid` for a currency or a state nobody knows.
pub(super) fn snapshot(about: &About, value: &Value) -> Result<Snapshot> {
    let doc: Invoice = shape("creditmemos", value)?;
    let evidence = || evidence_of("creditmemos", value);
    let mut paper = invoices::paper(about, &doc, Kind::Credit).map_err(|error| error.with(evidence()))?;
    // 1 open, 2 given back, 3 cancelled (`Creditmemo`).
    if paper.life == Some(PaperLife::Done) {
        paper.life = Some(PaperLife::Open);
    }
    paper.lines.retain(|_, line| line.quantity.is_some_and(|quantity| quantity > Decimal::ZERO));
    let id = about.paper(doc.entity_id);
    Ok(Snapshot {
        id: id.clone(),
        mark: mark_of(value),
        found_by: None,
        version: doc.updated_at.as_ref().map(|time| time.0.clone()),
        records: vec![(id, Record::Credit(Box::new(paper)))],
        evidence: Some(evidence()),
    })
}
