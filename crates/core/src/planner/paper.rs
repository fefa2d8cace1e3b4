//! The next step of a paper: told to the shop once, as much as its order has not had yet, its parcels kept up to date.
//!
//! A shop counts what each line has had. Right before a paper is told, that count is held against the papers we know of:
//! where it is higher, people have done the same by hand, and nobody can say whether this paper is meant by it.

mod money;
mod tracks;

use self::money::{GivenBack, asked_for, asks_otherwise, comes_to, freight_first, given_back, goes_along, not_paid_in};
use self::tracks::{as_told, put_track, tracks};
use super::{Decision, Planned, hold, may_be_the_same};
use crate::id::{EntityId, SystemName};
use crate::kind::{Kind, Step};
use crate::leaf::{Leaves, Value};
use crate::money::Money;
use crate::path::Path;
use crate::record::{Line, LineForm, Order, OrderLife, Paper, PaperLife};
use crate::rules::{BOOKED_THERE, PaperTarget};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use rust_decimal::Decimal;

/// What a shop calls a carrier that it does not know.
const OTHER_CARRIER: &str = "custom";

/// Everything that decides a paper's next step.
#[derive(Debug)]
pub struct PaperCase<'a> {
    /// The sort of paper.
    pub kind: Kind,
    /// The system the paper is from.
    pub source: &'a SystemName,
    /// How the shop is told.
    pub rules: &'a PaperTarget,
    /// The paper, its lines by the keys of the shop's order.
    pub paper: &'a Paper,
    /// Lines of the paper that are no lines of the shop's order, as a person reads them.
    pub strange: &'a [String],
    /// The order, as the shop shows it.
    pub order: &'a Order,
    /// How much of each line other papers of ours have had in the shop, by its own word.
    pub known: &'a BTreeMap<String, Decimal>,
    /// Invoices of the order that ask for no goods: the shop asks for that money with the first goods.
    pub alone: &'a [Alone],
    /// Credits of the order that only the shop knows.
    pub others: &'a [Paper],
    /// What other papers of ours of the order come to in the shop.
    pub given: &'a [Money],
    /// Other papers of the order that may be landing at this moment.
    pub landing: &'a [EntityId],
    /// The order came over by another connector: what the shop has had already may be by that one.
    pub adopted: bool,
    /// A person left it to people.
    pub left: bool,
    /// What the shop shows of it, where it is there.
    pub there: Option<&'a Paper>,
    /// What was ever written of it to the shop.
    pub written: &'a Leaves,
}

/// An invoice that asks for no goods: freight that an ERP bills at once where goods are billed as they leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    /// Its number in the ERP.
    pub number: String,
    /// What it comes to.
    pub grand: Money,
    /// Whether the shop may be told of it already.
    pub due: bool,
}

/// The next step for a paper.
#[must_use]
pub fn paper(case: &PaperCase<'_>) -> Decision {
    match case.there {
        None => before(case),
        Some(there) => after(case, there),
    }
}

fn before(case: &PaperCase<'_>) -> Decision {
    if let Some(why) = not_due(case) {
        return Decision::Outside(why);
    }
    if let [first, ..] = case.strange {
        return hold(
            "SYN-0191",
            alloc::format!("it holds {first}, which the order in {} does not have", case.rules.system),
            by_hand(case),
        );
    }
    let wanted = wanted(case);
    let given_back = match (case.kind == Kind::Credit).then(|| given_back(case, &wanted)).transpose() {
        Ok(given_back) => given_back,
        Err(what) => return hold("SYN-0199", what, by_hand(case)),
    };
    if given_back.is_none() && wanted.is_empty() {
        return without_lines(case);
    }
    match case.order.life {
        // What was given back may be what this paper says, and what was asked for may be there already.
        Some(OrderLife::Closed) if case.kind != Kind::Shipment => {}
        Some(OrderLife::Cancelled | OrderLife::Closed) => {
            let what = alloc::format!("the order is cancelled or refunded in {}", case.rules.system);
            return hold("SYN-0194", what, by_hand(case));
        }
        Some(OrderLife::Held | OrderLife::Pending) => {
            let what = alloc::format!("the order is on hold, or its payment is reviewed, in {}", case.rules.system);
            return hold("SYN-0196", what, "release the order there; it is looked at again by itself");
        }
        _ => {}
    }
    if !case.landing.is_empty() {
        return Decision::Wait(case.landing.to_vec(), "another paper of the order may be landing".to_string());
    }
    if let Some(other) = case.others.iter().find(|other| may_be_the_same(case.paper, other)) {
        let number = other.number.as_deref().unwrap_or("?");
        let what = alloc::format!(
            "credit {number} was made in {} by somebody else, and may be the same money",
            case.rules.system
        );
        return hold("SYN-0192", what, by_hand(case));
    }
    let asks_otherwise = || asks_otherwise(case, &wanted).filter(|_| case.kind == Kind::Invoice);
    let stands = level(case, &wanted).or_else(|| not_paid_in(case));
    if let Some(decision) = stands.or_else(|| freight_first(case)).or_else(asks_otherwise) {
        return decision;
    }
    let place = match place(case) {
        Ok(place) => place,
        Err(decision) => return decision,
    };
    let leaves = wish(case, wanted, given_back, place);
    let reason = alloc::format!("{} by {}, not yet in {}", word(case.kind), case.source, case.rules.system);
    step(case, Step::Create, leaves, reason)
}

/// What is decided about a paper of no line that the shop counts: an invoice of freight alone is money all the same, and no
/// shop asks for that alone.
fn without_lines(case: &PaperCase<'_>) -> Decision {
    let owed = case.paper.grand.filter(|grand| case.kind == Kind::Invoice && !grand.amount.is_zero());
    match owed {
        Some(_) if all_billed(case.order) => Decision::Outside("the shop has it already".to_string()),
        Some(grand) if goes_along(case, Some(grand)) => {
            Decision::Outside("the shop asks for it with the first goods".to_string())
        }
        Some(grand) => {
            let what = alloc::format!(
                "{grand} were invoiced in {} for freight alone, which {} asks for with the first goods",
                case.source,
                case.rules.system
            );
            hold("SYN-0199", what, by_hand(case))
        }
        None => Decision::Outside("it holds nothing that the shop's order counts".to_string()),
    }
}

/// Whether everything of an order was asked for.
#[must_use]
pub fn all_billed(order: &Order) -> bool {
    let open = |line: &Line| line.quantity.unwrap_or_default() - line.had.cancelled.unwrap_or_default();
    order.lines.iter().all(|(_, line)| line.had.invoiced.unwrap_or_default() >= open(line))
}

/// The paper as the shop is to be told of it.
fn wish(
    case: &PaperCase<'_>,
    wanted: BTreeMap<&str, Decimal>,
    given_back: Option<GivenBack>,
    place: Option<String>,
) -> Leaves {
    let mut leaves = Leaves::new();
    if let Some(number) = &case.paper.number {
        leaves.put(Path::field("number"), Value::Text(number.clone()));
    }
    if let (Kind::Invoice | Kind::Credit, Some(life)) = (case.kind, case.paper.life) {
        leaves.put(Path::field("life"), Value::Code(life.word().to_string()));
    }
    // What it has to come to: a connector that foresees another sum makes none.
    if let (Kind::Invoice | Kind::Credit, Some(grand)) = (case.kind, asked_for(case)) {
        leaves.put(Path::field("grand"), Value::Money(grand));
    }
    if let Some(method) = taken_by(case) {
        leaves.put(Path::field("method"), Value::Code(method.to_string()));
    }
    if let Some(place) = place {
        leaves.put(Path::field("place"), Value::Text(place));
    }
    let by_quantity = given_back.as_ref().is_none_or(|given_back| given_back.by_quantity);
    for (key, quantity) in wanted.into_iter().filter(|_| by_quantity) {
        leaves.put(Path::element("lines", key).dot("quantity"), Value::Number(quantity));
    }
    for (name, amount) in given_back.into_iter().flat_map(|given_back| given_back.charges) {
        leaves.put(Path::element("charges", name).dot("net"), Value::Money(amount));
    }
    for (number, track) in &case.paper.tracks {
        put_track(&mut leaves, number, &as_told(case, track));
    }
    leaves
}

/// The order's payment method, where telling the shop of an invoice has it take the money by that: the ERP books what it took.
fn taken_by<'a>(case: &'a PaperCase<'_>) -> Option<&'a str> {
    let method = case.order.payment.method.as_deref().filter(|_| case.kind == Kind::Invoice)?;
    case.rules.booked_by(method).filter(|booked| *booked != BOOKED_THERE).map(|_| method)
}

/// Why the paper is none of the shop's business now; nothing where it is.
fn not_due(case: &PaperCase<'_>) -> Option<String> {
    let why = match case.paper.life {
        _ if case.left => "left to people",
        None | Some(PaperLife::Open) => "not in force yet",
        Some(PaperLife::Void) => "withdrawn before the shop was told",
        Some(PaperLife::Done) if !case.rules.is_due(case.kind, case.paper) => "not paid yet",
        _ => return None,
    };
    Some(why.to_string())
}

/// How much of each line the shop is to be told of.
fn wanted<'a>(case: &'a PaperCase<'_>) -> BTreeMap<&'a str, Decimal> {
    let counts = |key: &str| {
        let line = case.order.lines.get(key);
        // What is never sent is counted as sent by no shop.
        line.is_some_and(|line| case.kind != Kind::Shipment || line.form != Some(LineForm::Virtual))
    };
    let told = case.paper.lines.iter().filter(|(key, _)| counts(key));
    let told = told.filter_map(|(key, line)| Some((key.as_str(), line.quantity?)));
    told.filter(|(_, quantity)| quantity.is_sign_positive() && !quantity.is_zero()).collect()
}

/// How much of a line the shop has counted for papers of `kind`.
#[must_use]
pub fn had_of(kind: Kind, line: &Line) -> Decimal {
    let told = match kind {
        Kind::Invoice => line.had.invoiced,
        Kind::Credit => line.had.refunded,
        _ => line.had.shipped,
    };
    told.unwrap_or_default()
}

/// What a paper of `kind` does to the lines of an order.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Invoice => "invoiced",
        Kind::Credit => "refunded",
        _ => "shipped",
    }
}

/// How much of a line the shop has counted that is by no paper of ours.
fn by_somebody_else(case: &PaperCase<'_>, key: &str, line: &Line) -> Decimal {
    had_of(case.kind, line).saturating_sub(case.known.get(key).copied().unwrap_or_default())
}

/// What stands against telling the shop of `wanted`; nothing where every line has it left and nobody else told it.
fn level(case: &PaperCase<'_>, wanted: &BTreeMap<&str, Decimal>) -> Option<Decision> {
    let billed = case.order.lines.iter().any(|(_, line)| line.had.invoiced.is_some_and(|n| n > Decimal::ZERO));
    if case.kind == Kind::Credit && !billed {
        let what = alloc::format!("nothing of the order was asked for in {}", case.rules.system);
        return Some(hold("SYN-0193", what, by_hand(case)));
    }
    let (mut by_others, mut all) = (None, true);
    for (key, quantity) in wanted {
        let line = case.order.lines.get(key)?;
        // A bundle that goes in one piece is counted on its own line alone.
        let head = line.parent.as_deref().and_then(|key| Some((key, case.order.lines.get(key)?)));
        for (key, line) in core::iter::once((*key, line)).chain(head) {
            let others = by_somebody_else(case, key, line);
            if others > Decimal::ZERO {
                by_others = by_others.or(Some((key, line, others)));
            }
        }
        all &= by_somebody_else(case, key, line) >= *quantity;
    }
    if let Some((key, line, others)) = by_others {
        if all && (case.kind != Kind::Shipment || case.adopted) {
            return Some(Decision::Outside("the shop has it already".to_string()));
        }
        let (sku, others) = (line.sku.as_deref().unwrap_or("?"), others.normalize());
        let word = word(case.kind);
        let what =
            alloc::format!("{others} × {sku} (line {key}) were {word} in {} by somebody else", case.rules.system);
        return Some(hold("SYN-0192", what, by_hand(case)));
    }
    for (key, quantity) in wanted {
        let line = case.order.lines.get(key)?;
        let taken = had_of(case.kind, line).max(case.known.get(*key).copied().unwrap_or_default());
        let most = match case.kind {
            Kind::Credit => line.had.invoiced.unwrap_or_default(),
            _ => line.quantity.unwrap_or_default() - line.had.cancelled.unwrap_or_default(),
        };
        // What was given back is not sent any more.
        let taken = match case.kind {
            Kind::Shipment => taken.max(line.had.refunded.unwrap_or_default()),
            _ => taken,
        };
        let left = most - taken;
        if *quantity > left {
            let (sku, left) = (line.sku.as_deref().unwrap_or("?"), left.max(Decimal::ZERO).normalize());
            let what = alloc::format!(
                "{} × {sku} (line {key}) were {}, and the order in {} has {left} left",
                quantity.normalize(),
                word(case.kind),
                case.rules.system
            );
            return Some(hold("SYN-0193", what, by_hand(case)));
        }
    }
    None
}

/// The shop's place that goods left from; none where the file names none.
fn place(case: &PaperCase<'_>) -> Result<Option<String>, Decision> {
    if case.kind != Kind::Shipment || case.rules.places.is_empty() {
        return Ok(None);
    }
    // What left from no place of the ERP was sent by a supplier: it counts as sent from the shop's first place.
    let Some(warehouse) = case.paper.place.as_deref() else {
        return Ok(case.rules.places.first().map(|(place, _)| place.clone()));
    };
    let row = case.rules.places.iter().find(|(_, warehouses)| warehouses.iter().any(|one| one == warehouse));
    row.map(|(place, _)| Some(place.clone())).ok_or_else(|| {
        let what = alloc::format!("it left from `{warehouse}`, which stands for no place of {}", case.rules.system);
        let remedy = alloc::format!(
            "add it to `sources` under [flows.papers], e.g. `sources = {{ default = [\"{warehouse}\"] }}`; it is looked at \
             again by itself"
        );
        hold("SYN-0190", what, remedy)
    })
}

fn after(case: &PaperCase<'_>, there: &Paper) -> Decision {
    if case.left {
        return Decision::Agreed;
    }
    if case.paper.life == Some(PaperLife::Void) && there.life != Some(PaperLife::Void) {
        let what = alloc::format!("it was withdrawn in {} after {} was told", case.source, case.rules.system);
        return hold("SYN-0194", what, by_hand(case));
    }
    // What was given back as an amount has no quantities.
    let by_amount =
        case.kind == Kind::Credit && there.lines.values().all(|line| line.quantity.is_none_or(|n| n.is_zero()));
    for (key, quantity) in wanted(case).into_iter().filter(|_| !by_amount) {
        let has = there.lines.get(key).and_then(|line| line.quantity).unwrap_or_default();
        if has != quantity {
            let (quantity, has) = (quantity.normalize(), has.normalize());
            let what = alloc::format!("line {key}: {quantity} in {}, {has} in {}", case.source, case.rules.system);
            return hold("SYN-0195", what, by_hand(case));
        }
    }
    if let (Kind::Invoice | Kind::Credit, Some(ours), Some(theirs)) = (case.kind, comes_to(case, there), there.grand)
        && ours != theirs
    {
        let what =
            alloc::format!("{ours} were {} in {}, {theirs} in {}", word(case.kind), case.source, case.rules.system);
        return hold("SYN-0197", what, by_hand(case));
    }
    tracks(case, there)
}

fn step(case: &PaperCase<'_>, step: Step, leaves: Leaves, reason: String) -> Decision {
    Decision::Step(Planned {
        target: case.rules.system.clone(),
        kind: case.kind,
        step,
        leaves,
        reason,
        adopt_only: false,
    })
}

fn by_hand(case: &PaperCase<'_>) -> String {
    alloc::format!(
        "bring the order in {} to what really happened by hand, then `syncline retry --accept` this {}: it is left to people",
        case.rules.system,
        case.kind
    )
}

#[cfg(test)]
mod tests;
