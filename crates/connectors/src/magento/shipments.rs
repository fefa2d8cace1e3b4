//! Shipments: made with every line named, marked in a comment, and told as Magento keeps them.
//!
//! Magento ships what is left where more is asked for (recorded: order-ship-too-many), so that what counts is what is read
//! back. The pieces leave the source that is named; where it holds too few, all that is said is that the shipment could not
//! be stored (`SourceDeductionService` of module InventorySourceDeductionApi; `ShipOrder` of module Sales).
//!
//! A bundle goes together, by its own line, or apart, by the lines of its parts; naming the wrong one is refused
//! (magento/magento2#9762). The order does not tell which, so its product is asked. Where it went together, its parts are
//! told beside it: their own lines keep saying that nothing left (magento/magento2#40465).

use super::bundles::BUNDLE;
use super::client::{Scope, Search};
use super::families::CONFIGURABLE;
use super::map::{amount, invalid};
use super::papers::{About, comment, mark_of, moved_on, rows, sort_of, wanted};
use super::rows::{evidence_of, shape};
use super::tracks::{DEFAULT_CARRIER, new_tracks};
use super::wire_papers::{OrderLine, Shipment};
use super::{Magento, wire};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Ref, Value as LeafValue};
use syncline_core::money;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Paper, PaperLife, PaperLine, Record, Track};
use syncline_core::text::shown;

/// What the shop says where nothing is left to be shipped (recorded: order-ship-again).
const NOTHING_LEFT: [&str; 2] = ["does not allow a shipment to be created", "has a status of"];
/// What it says where it cannot store one, whatever the reason.
const NOT_STORED: &str = "Could not save a shipment";
/// The attribute that tells how a bundle is shipped, and its value for: in one piece.
const SHIPMENT_TYPE: (&str, &str) = ("shipment_type", "0");
/// Decimals of a quantity.
const DIGITS: u32 = 4;

impl Magento {
    /// What became of a permit to make a shipment.
    pub(super) async fn make_shipment(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let ready = self.ready_shipment(ctx, permit.change()).await;
        self.make_paper(ctx, permit, ready, "ship", understood).await
    }

    async fn ready_shipment(&self, ctx: &Ctx, change: &Change) -> Result<(About, Value)> {
        let wanted = wanted(change)?;
        let tracks = new_tracks(&change.leaves)?;
        let about = self.order_of(ctx, change).await?;
        let together = self.together(ctx, &about, &wanted).await?;
        let lines = parcel(&about, &wanted, &together)?;
        // The mark is the shop's business: a mail to the buyer would repeat an appended comment (`ShipOrder`), and it is
        // stored all the same (`ShipmentDocumentFactory`).
        let mut body = json!({
            "items": rows(&lines)?, "notify": self.notify_shipments, "appendComment": !self.notify_shipments,
            "comment": comment(change), "tracks": tracks,
        });
        if let Some(source) = place(change) {
            body["arguments"] = json!({"extension_attributes": {"source_code": source}});
        }
        Ok((about, body))
    }

    /// Which of the bundles concerned go in one piece. Of one that is not in the catalogue any more it is not known: its parts
    /// are named, and the shop refuses that where it is wrong.
    async fn together(&self, ctx: &Ctx, about: &About, wanted: &BTreeMap<u64, Decimal>) -> Result<BTreeSet<u64>> {
        let named = wanted.keys().filter_map(|line| about.lines.get(line));
        let heads = named.map(|line| about.parent(line).unwrap_or(line)).filter(|head| sort_of(head) == BUNDLE);
        let bundles: BTreeMap<u64, u64> = heads.filter_map(|head| Some((head.item_id.0, head.product_id?.0))).collect();
        if bundles.is_empty() {
            return Ok(BTreeSet::new());
        }
        let ids: BTreeSet<String> = bundles.values().map(u64::to_string).collect();
        let search = Search {
            scope: Scope::ALL,
            resource: "products",
            filters: vec![("entity_id", "in", ids.into_iter().collect::<Vec<_>>().join(","))],
            any: &[],
            sort: vec!["entity_id"],
            size: self.client.page_size(),
            page: 1,
            fields: "items[id,sku,custom_attributes],total_count",
        };
        let mut together = BTreeSet::new();
        for value in self.client.every(ctx, &search).await? {
            let product: wire::Product = shape("products", &value)?;
            let rows = product.custom_attributes.iter().flatten();
            let mut told = rows.filter(|row| row.attribute_code.0 == SHIPMENT_TYPE.0);
            if told.any(|row| wire::typed::<wire::Text>(&row.value).is_ok_and(|text| text.0 == SHIPMENT_TYPE.1)) {
                together.extend(
                    bundles.iter().filter(|(_, product_id)| **product_id == product.id.0).map(|(line, _)| *line),
                );
            }
        }
        Ok(together)
    }
}

/// The source goods are to leave from, where one is told.
fn place(change: &Change) -> Option<&str> {
    match change.leaves.value(&Path::field("place")) {
        Some(LeafValue::Text(place) | LeafValue::Code(place)) if !place.is_empty() => Some(place),
        _ => None,
    }
}

/// A refusal by what is to be done about it.
fn understood(error: Error, change: &Change) -> Error {
    let error = moved_on(error, &NOTHING_LEFT);
    if error.kind == ErrorKind::Invalid && error.message.contains(NOT_STORED) {
        let source = place(change)
            .map_or_else(|| "the shop's own source".to_owned(), |code| format!("the source `{}`", shown(code, 40)));
        let message = format!(
            "{source} most likely holds fewer pieces than are to leave: the shop does not say more ({}); raise the quantity \
             there, and it is tried again",
            error.message
        );
        return Error { kind: ErrorKind::Busy, message, ..error };
    }
    error
}

/// The lines to name for what is to leave: of a configurable its own line, of a bundle its own or those of its parts. Who
/// names a bundle and its parts names one thing twice, so the parts count; who names the bundle alone means all of it.
fn parcel(about: &About, wanted: &BTreeMap<u64, Decimal>, together: &BTreeSet<u64>) -> Result<BTreeMap<u64, Decimal>> {
    let mut lines = BTreeMap::new();
    let mut sets: BTreeMap<u64, Set> = BTreeMap::new();
    for (line, quantity) in wanted {
        let told = about.lines.get(line);
        let told = told.ok_or_else(|| invalid(format!("order {} has no line {line}", about.id)))?;
        let head = about.parent(told).unwrap_or(told);
        match sort_of(head) {
            BUNDLE if head.item_id == told.item_id => sets.entry(*line).or_default().whole = Some(*quantity),
            BUNDLE => drop(sets.entry(head.item_id.0).or_default().parts.insert(*line, *quantity)),
            CONFIGURABLE if lines.insert(head.item_id.0, *quantity).is_some() => {
                let what = format!("line {} is named twice: by itself and by what is part of it", head.item_id.0);
                return Err(invalid(what));
            }
            CONFIGURABLE => {}
            _ => drop(lines.insert(*line, *quantity)),
        }
    }
    for (head, set) in sets {
        match (set.whole, together.contains(&head)) {
            (Some(all), true) if set.parts.is_empty() => drop(lines.insert(head, all)),
            (_, true) => drop(lines.insert(head, whole(about, head, &set.parts)?)),
            (Some(all), false) if set.parts.is_empty() => lines.extend(apart(about, head, all)?),
            (_, false) => lines.extend(set.parts),
        }
    }
    Ok(lines)
}

/// What is named of one bundle.
#[derive(Debug, Default)]
struct Set {
    whole: Option<Decimal>,
    parts: BTreeMap<u64, Decimal>,
}

/// The parts of so many bundles.
fn apart(about: &About, head: u64, bundles: Decimal) -> Result<BTreeMap<u64, Decimal>> {
    let all = about.lines.get(&head).map(|line| amount(line.qty_ordered)).unwrap_or_default();
    let part = |line: &OrderLine| {
        let quantity = bundles.checked_mul(amount(line.qty_ordered))?.checked_div(all)?;
        Some((line.item_id.0, money::settled(quantity, DIGITS)))
    };
    let parts: Option<BTreeMap<u64, Decimal>> = about.goods_of(head).map(part).collect();
    parts
        .filter(|parts| !parts.is_empty())
        .ok_or_else(|| invalid(format!("bundle line {head} has no parts that are shipped")))
}

/// The number of whole bundles that parts make up.
fn whole(about: &About, head: u64, parts: &BTreeMap<u64, Decimal>) -> Result<Decimal> {
    let ordered = |line: &OrderLine| amount(line.qty_ordered);
    let all = about.lines.get(&head).map(ordered).unwrap_or_default();
    let sets = |line: &OrderLine| {
        let leaves = parts.get(&line.item_id.0).copied().unwrap_or_default();
        leaves.checked_mul(all)?.checked_div(ordered(line))
    };
    let made: Option<BTreeSet<Decimal>> =
        about.goods_of(head).map(|line| sets(line).map(|number| number.normalize())).collect();
    match made.iter().flatten().copied().collect::<Vec<_>>().as_slice() {
        [number] if number.is_integer() && *number > Decimal::ZERO => Ok(*number),
        _ => {
            let sku = about.lines.get(&head).and_then(|line| line.sku.as_ref()).map_or("", |sku| sku.0.as_str());
            let what = format!(
                "the bundle `{}` (line {head}) leaves in one piece, and these parts make up no whole ones: ship all parts of \
                 it together, or have its items shipped separately in the shop (Ship Bundle Items)",
                shown(sku, 60)
            );
            Err(invalid(what))
        }
    }
}

/// A shipment as the shop tells it.
///
/// # Errors
/// `Broken` with the exchange, where it is not built like one.
pub(super) fn snapshot(about: &About, value: &Value) -> Result<Snapshot> {
    let doc: Shipment = shape("shipments", value)?;
    let mut paper = Paper {
        number: doc.increment_id.as_ref().map(|number| number.0.clone()),
        life: Some(PaperLife::Done),
        order: Some(Ref::remote(Kind::Order, about.id.clone())),
        day: about.day(doc.created_at.as_ref()),
        place: doc.extension_attributes.0.source_code.as_ref().map(|code| code.0.clone()),
        ..Paper::default()
    };
    for row in doc.items.iter().flatten() {
        let line = paper
            .lines
            .entry(row.order_item_id.0.to_string())
            .or_insert_with(|| PaperLine { sku: row.sku.as_ref().map(|sku| sku.0.clone()), ..PaperLine::default() });
        let before = line.quantity.unwrap_or_default();
        line.quantity = Some(before.saturating_add(money::settled(row.qty.0, DIGITS)));
    }
    paper.lines.extend(gone_along(about, &paper));
    for track in doc.tracks.iter().flatten() {
        let Some(number) =
            track.track_number.as_ref().map(|number| number.0.trim()).filter(|number| !number.is_empty())
        else {
            continue;
        };
        let told = |text: &Option<wire::Text>| text.as_ref().map(|text| text.0.clone());
        let carrier = Some(told(&track.carrier_code).unwrap_or_else(|| DEFAULT_CARRIER.to_owned()));
        paper.tracks.entry(number.to_owned()).or_insert(Track { carrier, title: told(&track.title) });
    }
    let id = about.paper(doc.entity_id);
    Ok(Snapshot {
        id: id.clone(),
        mark: mark_of(value),
        found_by: None,
        version: doc.updated_at.map(|time| time.0),
        records: vec![(id, Record::Shipment(Box::new(paper)))],
        evidence: Some(evidence_of("shipments", value)),
    })
}

/// The parts of the bundles that went in one piece, where the shipment does not tell of them.
fn gone_along(about: &About, paper: &Paper) -> Vec<(String, PaperLine)> {
    let mut along = Vec::new();
    for (key, line) in &paper.lines {
        let head = key.parse().ok().and_then(|id: u64| about.lines.get(&id)).filter(|line| sort_of(line) == BUNDLE);
        let Some(head) = head else { continue };
        let parts: Vec<&OrderLine> = about.goods_of(head.item_id.0).collect();
        if parts.iter().any(|part| paper.lines.contains_key(&part.item_id.0.to_string())) {
            continue;
        }
        for part in parts {
            let each = amount(part.qty_ordered).checked_mul(line.quantity.unwrap_or_default());
            let quantity = each.and_then(|all| all.checked_div(amount(head.qty_ordered)));
            let sku = part.sku.as_ref().map(|sku| sku.0.clone());
            let told =
                PaperLine { quantity: quantity.map(|one| money::settled(one, DIGITS)), sku, ..PaperLine::default() };
            along.push((part.item_id.0.to_string(), told));
        }
    }
    along
}
