//! The next step of a paper: told to the shop once, as much as its order has not had yet, its parcels kept up to date.
//!
//! A shop counts what each line has had. Right before a paper is told, that count is held against the papers we know of:
//! where it is higher, people have done the same by hand, and nobody can say whether this paper is meant by it.

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
    if wanted.is_empty() {
        return Decision::Outside("it holds nothing that the shop's order counts".to_string());
    }
    match case.order.life {
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
    if let Some(decision) = level(case, &wanted) {
        return decision;
    }
    let place = match place(case) {
        Ok(place) => place,
        Err(decision) => return decision,
    };
    let mut leaves = Leaves::new();
    if let Some(number) = &case.paper.number {
        leaves.put(Path::field("number"), Value::Text(number.clone()));
    }
    if let (Kind::Invoice, Some(life)) = (case.kind, case.paper.life) {
        leaves.put(Path::field("life"), Value::Code(life.word().to_string()));
    }
    if let Some(place) = place {
        leaves.put(Path::field("place"), Value::Text(place));
    }
    for (key, quantity) in wanted {
        leaves.put(Path::element("lines", key).dot("quantity"), Value::Number(quantity));
    }
    for (number, track) in &case.paper.tracks {
        put_track(&mut leaves, number, &as_told(case, track));
    }
    let done = if case.kind == Kind::Invoice { "invoiced" } else { "sent" };
    let reason = alloc::format!("{done} by {}, not yet in {}", case.source, case.rules.system);
    step(case, Step::Create, leaves, reason)
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
    let told = if kind == Kind::Invoice { line.had.invoiced } else { line.had.shipped };
    told.unwrap_or_default()
}

/// What stands against telling the shop of `wanted`; nothing where every line has it left and nobody else told it.
fn level(case: &PaperCase<'_>, wanted: &BTreeMap<&str, Decimal>) -> Option<Decision> {
    let (mut by_others, mut all) = (None, true);
    for (key, quantity) in wanted {
        let line = case.order.lines.get(key)?;
        let known = case.known.get(*key).copied().unwrap_or_default();
        let others = had_of(case.kind, line).saturating_sub(known);
        if others.is_sign_positive() && !others.is_zero() {
            by_others = by_others.or(Some((*key, line, others)));
        }
        all &= others >= *quantity;
    }
    if let Some((key, line, others)) = by_others {
        if all && (case.kind == Kind::Invoice || case.adopted) {
            return Some(Decision::Outside("the shop has it already".to_string()));
        }
        let (sku, others) = (line.sku.as_deref().unwrap_or("?"), others.normalize());
        let word = if case.kind == Kind::Invoice { "invoiced" } else { "shipped" };
        let what =
            alloc::format!("{others} × {sku} (line {key}) were {word} in {} by somebody else", case.rules.system);
        return Some(hold("SYN-0192", what, by_hand(case)));
    }
    for (key, quantity) in wanted {
        let line = case.order.lines.get(key)?;
        let taken = had_of(case.kind, line).max(case.known.get(*key).copied().unwrap_or_default());
        let left = line.quantity.unwrap_or_default() - line.had.cancelled.unwrap_or_default() - taken;
        if *quantity > left {
            let (sku, left) = (line.sku.as_deref().unwrap_or("?"), left.max(Decimal::ZERO).normalize());
            let what = alloc::format!(
                "{} × {sku} (line {key}) went out, and the order in {} has {left} left",
                quantity.normalize(),
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
    for (key, quantity) in wanted(case) {
        let has = there.lines.get(key).and_then(|line| line.quantity).unwrap_or_default();
        if has != quantity {
            let (quantity, has) = (quantity.normalize(), has.normalize());
            let what = alloc::format!("line {key}: {quantity} in {}, {has} in {}", case.source, case.rules.system);
            return hold("SYN-0195", what, by_hand(case));
        }
    }
    if let (Kind::Invoice, Some(ours), Some(theirs)) = (case.kind, case.paper.grand, there.grand)
        && ours != theirs
    {
        let what = alloc::format!("{ours} were invoiced in {}, {theirs} in {}", case.source, case.rules.system);
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
