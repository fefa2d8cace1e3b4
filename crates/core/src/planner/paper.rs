//! The next step of a paper: told to the shop once, as much as its order has not had yet, its parcels kept up to date.
//!
//! A shop counts what each line has had. Right before a paper is told, that count is held against the papers we know of:
//! where it is higher, people have done the same by hand, and nobody can say whether this paper is meant by it.

mod money;

use self::money::{GivenBack, asks_otherwise, given_back};
use super::{Decision, Planned, hold};
use crate::id::{EntityId, SystemName};
use crate::kind::{Kind, Step};
use crate::leaf::{Leaves, Value};
use crate::path::Path;
use crate::record::{Line, LineForm, Order, OrderLife, Paper, PaperLife, Track};
use crate::rules::PaperTarget;
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
    let asks_otherwise = || asks_otherwise(case, &wanted).filter(|_| case.kind == Kind::Invoice);
    if let Some(decision) = level(case, &wanted).or_else(asks_otherwise) {
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
    if let (Kind::Invoice | Kind::Credit, Some(grand)) = (case.kind, case.paper.grand) {
        leaves.put(Path::field("grand"), Value::Money(grand));
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
    let warehouse = case.paper.place.as_deref().unwrap_or("");
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
    if let (Kind::Invoice | Kind::Credit, Some(ours), Some(theirs)) = (case.kind, case.paper.grand, there.grand)
        && ours != theirs
    {
        let what =
            alloc::format!("{ours} were {} in {}, {theirs} in {}", word(case.kind), case.source, case.rules.system);
        return hold("SYN-0197", what, by_hand(case));
    }
    tracks(case, there)
}

/// Brings the parcels of the shop's paper up to date; what people of the shop added stays.
fn tracks(case: &PaperCase<'_>, there: &Paper) -> Decision {
    let mut leaves = Leaves::new();
    for (number, track) in &case.paper.tracks {
        let told = as_told(case, track);
        if there.tracks.get(number) != Some(&told) {
            put_track(&mut leaves, number, &told);
        }
    }
    for number in there.tracks.keys().filter(|number| !case.paper.tracks.contains_key(*number)) {
        let path = Paper::track_path(number).dot("carrier");
        if case.written.value(&path).is_some() {
            leaves.tell(path, None);
            leaves.tell(Paper::track_path(number).dot("title"), None);
        }
    }
    if leaves.is_empty() {
        return Decision::Agreed;
    }
    let reason = alloc::format!("the parcels are not those of {}", case.source);
    step(case, Step::Update, leaves, reason)
}

/// A parcel in the shop's words.
fn as_told(case: &PaperCase<'_>, track: &Track) -> Track {
    let named = [&track.carrier, &track.title].into_iter().flatten();
    let row = named.filter_map(|name| case.rules.carrier(name)).next();
    let title = track.title.clone().or_else(|| track.carrier.clone()).unwrap_or_else(|| OTHER_CARRIER.to_string());
    Track { carrier: Some(row.unwrap_or(OTHER_CARRIER).to_string()), title: Some(title) }
}

fn put_track(leaves: &mut Leaves, number: &str, track: &Track) {
    let path = Paper::track_path(number);
    if let (Some(carrier), Some(title)) = (&track.carrier, &track.title) {
        leaves.put(path.dot("carrier"), Value::Code(carrier.clone()));
        leaves.put(path.dot("title"), Value::Text(title.clone()));
    }
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
mod tests {
    use super::*;
    use crate::money::Money;
    use crate::record::{Had, PaperLine};
    use crate::rules::MoneyRule;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// An order of one line, of which some have had something done about them.
    fn order(quantity: i64, shipped: i64) -> Order {
        let had = Had { shipped: Some(shipped.into()), invoiced: Some(shipped.into()), ..Had::default() };
        let line = Line { quantity: Some(quantity.into()), sku: Some("MUG".into()), had, ..Line::default() };
        Order {
            life: Some(OrderLife::Open),
            lines: [("15".to_string(), line)].into_iter().collect(),
            ..Order::default()
        }
    }

    fn parcel(quantity: i64, tracks: &[&str]) -> Paper {
        let line = PaperLine { quantity: Some(quantity.into()), ..PaperLine::default() };
        let track = Track { carrier: Some("dhl".into()), title: Some("DHL".into()) };
        Paper {
            life: Some(PaperLife::Done),
            lines: [("15".to_string(), line)].into(),
            tracks: tracks.iter().map(|number| ((*number).to_string(), track.clone())).collect(),
            ..Paper::default()
        }
    }

    /// What else is known of a paper.
    #[derive(Default)]
    struct More<'a> {
        there: Option<&'a Paper>,
        written: Leaves,
        adopted: bool,
        left: bool,
    }

    /// What is decided about `paper` where the shop shows `order` and other papers of ours have had `known` of the line.
    fn decided(kind: Kind, paper: &Paper, order: &Order, known: i64, more: More<'_>) -> Decision {
        let erp = SystemName::new("erp");
        let rules = PaperTarget {
            system: SystemName::new("shop"),
            carriers: [("DHL*".to_string(), "dhl".to_string())].into(),
            places: Vec::new(),
            invoices: MoneyRule::Paid,
            credits: MoneyRule::Posted,
        };
        let known = [("15".to_string(), Decimal::from(known))].into();
        super::paper(&PaperCase {
            kind,
            source: &erp,
            rules: &rules,
            paper,
            strange: &[],
            order,
            known: &known,
            landing: &[],
            adopted: more.adopted,
            left: more.left,
            there: more.there,
            written: &more.written,
        })
    }

    fn held(decision: &Decision) -> &str {
        match decision {
            Decision::Hold(hold) => &hold.code,
            _ => "",
        }
    }

    proptest! {
        /// Whatever the shop counts and whoever did it: what is told never exceeds what the order has left, and is told only
        /// where nobody else did the same.
        #[test]
        fn no_more_is_told_than_an_order_has_left(
            ordered in 1i64..9, shipped in 0i64..12, known in 0i64..12, quantity in 0i64..9,
        ) {
            let told = decided(Kind::Shipment, &parcel(quantity, &[]), &order(ordered, shipped), known, More::default());
            if let Decision::Step(plan) = told {
                prop_assert!(quantity > 0 && shipped <= known && quantity + known.max(shipped) <= ordered);
                let path = Path::element("lines", "15").dot("quantity");
                prop_assert_eq!(plan.leaves.value(&path), Some(&Value::Number(quantity.into())));
            } else if quantity > 0 && shipped <= known && quantity + known.max(shipped) <= ordered {
                prop_assert!(false, "{told:?}");
            }
        }
    }

    #[test]
    fn what_somebody_else_shipped_is_asked_about() {
        let code = |shipped, known| {
            let decision = decided(Kind::Shipment, &parcel(2, &[]), &order(5, shipped), known, More::default());
            held(&decision).to_string()
        };
        assert_eq!(code(1, 0), "SYN-0192");
        assert_eq!(code(3, 3), "");
        assert_eq!(code(4, 4), "SYN-0193");
        let adopted =
            decided(Kind::Shipment, &parcel(2, &[]), &order(5, 2), 0, More { adopted: true, ..More::default() });
        assert!(matches!(adopted, Decision::Outside(_)), "{adopted:?}");
        let left = decided(Kind::Shipment, &parcel(2, &[]), &order(5, 2), 0, More { left: true, ..More::default() });
        assert!(matches!(left, Decision::Outside(_)), "{left:?}");
    }

    #[test]
    fn an_invoice_waits_for_its_money_and_one_the_shop_has_is_left_alone() {
        let posted = parcel(2, &[]);
        let paid = Paper { life: Some(PaperLife::Paid), ..posted.clone() };
        assert!(matches!(decided(Kind::Invoice, &posted, &order(2, 0), 0, More::default()), Decision::Outside(_)));
        assert!(matches!(decided(Kind::Invoice, &paid, &order(2, 0), 0, More::default()), Decision::Step(_)));
        assert!(matches!(decided(Kind::Invoice, &paid, &order(2, 2), 0, More::default()), Decision::Outside(_)));
        assert_eq!(held(&decided(Kind::Invoice, &paid, &order(4, 1), 0, More::default())), "SYN-0192");
    }

    #[test]
    fn an_invoice_that_the_shop_would_ask_otherwise_is_held_before_any_money_moves() {
        let euros = |cents: i64| Money::new(Decimal::new(cents, 2), "EUR".parse().unwrap());
        let mut order = order(2, 0);
        order.currency = "EUR".parse().ok();
        for (_, line) in order.lines.iter_mut() {
            (line.net, line.tax) = (Some(euros(1_000)), Some(euros(190)));
        }
        let freight = crate::record::Charge { net: Some(euros(500)), ..crate::record::Charge::default() };
        order.charges.insert("shipping".into(), freight);
        let bill =
            |quantity, cents| Paper { life: Some(PaperLife::Paid), grand: Some(euros(cents)), ..parcel(quantity, &[]) };
        let told = |bill: &Paper| held(&decided(Kind::Invoice, bill, &order, 0, More::default())).to_string();
        assert_eq!((told(&bill(2, 1_690)).as_str(), told(&bill(1, 595)).as_str()), ("", "SYN-0199"));
        let Decision::Step(plan) = decided(Kind::Invoice, &bill(2, 1_690), &order, 0, More::default()) else {
            panic!()
        };
        assert_eq!(plan.leaves.value(&Path::field("grand")), Some(&Value::Money(euros(1_690))));
        assert_eq!(told(&bill(1, 1_095)), "", "all freight goes with the first");
    }

    #[test]
    fn an_invoice_of_freight_alone_is_held_unless_the_shop_has_asked_for_everything() {
        let money = Money::new(Decimal::new(595, 2), "EUR".parse().unwrap());
        let freight =
            Paper { life: Some(PaperLife::Paid), grand: Some(money), lines: BTreeMap::new(), ..parcel(1, &[]) };
        let told = |invoiced| decided(Kind::Invoice, &freight, &order(2, invoiced), 0, More::default());
        assert_eq!(held(&told(0)), "SYN-0199");
        assert!(matches!(told(2), Decision::Outside(_)), "{:?}", told(2));
        let nothing = Paper { grand: None, ..freight.clone() };
        assert!(matches!(decided(Kind::Invoice, &nothing, &order(2, 0), 0, More::default()), Decision::Outside(_)));
    }

    #[test]
    fn a_credit_of_what_the_shop_never_asked_for_is_held() {
        let money = Money::new(Decimal::new(595, 2), "EUR".parse().unwrap());
        let (mut billed, back) = (order(2, 2), Paper { grand: Some(money), lines: BTreeMap::new(), ..parcel(1, &[]) });
        billed.currency = Some(money.currency);
        let unbilled = Order { lines: order(2, 0).lines, ..billed.clone() };
        let told = |order: &Order| {
            let mut order = order.clone();
            let net = crate::record::Charge { net: Some(money), ..crate::record::Charge::default() };
            order.charges.insert("shipping".into(), net);
            let back = Paper { charges: [("shipping".to_string(), money)].into(), ..back.clone() };
            decided(Kind::Credit, &back, &order, 0, More::default())
        };
        assert_eq!((held(&told(&unbilled)), held(&told(&billed))), ("SYN-0193", ""));
        assert!(matches!(told(&billed), Decision::Step(_)));
    }

    #[test]
    fn a_shop_keeps_the_parcels_its_people_added() {
        let dhl = |number: &str| (number.to_string(), Track { carrier: Some("dhl".into()), title: Some("DHL".into()) });
        let there = Paper { tracks: [dhl("old"), dhl("hand")].into(), ..parcel(2, &[]) };
        let mut written = Leaves::new();
        put_track(&mut written, "old", &Track { carrier: Some("dhl".into()), title: Some("DHL".into()) });
        let wanted = parcel(2, &["new"]);
        let decision =
            decided(Kind::Shipment, &wanted, &order(2, 2), 0, More { there: Some(&there), written, ..More::default() });
        let Decision::Step(plan) = decision else { panic!("{decision:?}") };
        let told: Vec<String> =
            plan.leaves.iter().map(|(path, value)| alloc::format!("{path}: {}", value.is_some())).collect();
        assert_eq!(
            told,
            [
                "tracks[new].carrier: true",
                "tracks[new].title: true",
                "tracks[old].carrier: false",
                "tracks[old].title: false"
            ]
        );
    }

    #[test]
    fn what_the_shop_keeps_otherwise_than_it_left_is_asked_about() {
        let there = parcel(1, &[]);
        let decision =
            decided(Kind::Shipment, &parcel(2, &[]), &order(2, 1), 0, More { there: Some(&there), ..More::default() });
        assert_eq!(held(&decision), "SYN-0195");
        let void = Paper { life: Some(PaperLife::Void), ..parcel(1, &[]) };
        let decision = decided(Kind::Shipment, &void, &order(2, 1), 0, More { there: Some(&there), ..More::default() });
        assert_eq!(held(&decision), "SYN-0194");
    }
}
