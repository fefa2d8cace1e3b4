//! Parcels of a shipment: one is added, changed or taken away, each after a look at those that are there.
//!
//! A track has no key but its id, and the same number may stand twice (`shipment/track` adds a row); so a number that is
//! there is not added again, and one that leaves is taken away wherever it stands.

use super::client::{Call, Scope};
use super::map::invalid;
use super::papers::About;
use super::rows::shape;
use super::wire_papers::{Shipment, ShipmentTrack};
use super::{Magento, unsupported, wire};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::{Ctx, Error, Outcome, Result};
use syncline_core::delivery::Permit;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaf, Leaves, Value as LeafValue};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Paper, paper_apart};
use syncline_core::text::{cut, shown};

/// The carrier of parcels whose own is not known.
pub(super) const DEFAULT_CARRIER: &str = "custom";
/// Characters of a carrier's code and of its title (`sales_shipment_track`).
const CARRIER: usize = 32;
const TITLE: usize = 255;
/// Characters of a number that is asked for; the column is a text.
const NUMBER: usize = 255;

/// How the shop keeps what is said of a parcel.
pub(super) fn fit(path: &Path, value: &LeafValue) -> Fit {
    let Some((number, field)) = path.within("tracks") else { return Fit::Exact };
    if cut(&number, NUMBER).is_some() || number.trim().is_empty() {
        return Fit::Refused(format!("a track has a number of 1 to {NUMBER} characters"));
    }
    match (field, value) {
        ("carrier", LeafValue::Code(code) | LeafValue::Text(code)) if cut(code, CARRIER).is_some() => {
            Fit::Refused(format!("the code of a carrier has at most {CARRIER} characters"))
        }
        ("title", LeafValue::Text(title)) => match cut(title, TITLE) {
            Some(short) => Fit::As(LeafValue::Text(short), format!("cut to {TITLE} characters")),
            None => Fit::Exact,
        },
        _ => Fit::Exact,
    }
}

/// One part for each parcel: those that are taken away, then those that are added. What is no parcel stands by itself.
pub(super) fn split(leaves: &Leaves) -> Vec<Leaves> {
    let said = leaves.iter().filter(|(_, value)| value.is_some());
    let stay: BTreeSet<String> = said.filter_map(|(path, _)| Paper::track_of(path)).collect();
    let mut parts: BTreeMap<(u8, String), Leaves> = BTreeMap::new();
    for (path, value) in leaves.iter() {
        let key = match Paper::track_of(path) {
            None => (0, String::new()),
            Some(number) => (if stay.contains(&number) { 2 } else { 1 }, number),
        };
        parts.entry(key).or_default().tell(path.clone(), value.cloned());
    }
    parts.into_values().collect()
}

/// What is to be said of a parcel; nothing of what is not told.
#[derive(Debug, Clone, Default)]
struct Wish {
    carrier: Option<String>,
    title: Option<String>,
}

impl Wish {
    /// # Errors
    /// `Invalid` naming the field that the shop cannot keep.
    fn of(leaves: &Leaves, number: &str) -> Result<Self> {
        let mut wish = Self::default();
        let path = Paper::track_path(number);
        for (field, place) in [("carrier", &mut wish.carrier), ("title", &mut wish.title)] {
            let path = path.dot(field);
            let Some(value) = leaves.value(&path) else { continue };
            match (value, fit(&path, value)) {
                (_, Fit::Refused(why)) => return Err(invalid(format!("`{path}`: {why}"))),
                (_, Fit::As(LeafValue::Text(text), _)) => *place = Some(text),
                (LeafValue::Text(text) | LeafValue::Code(text), _) => *place = Some(text.clone()),
                _ => return Err(invalid(format!("`{path}` is no text"))),
            }
        }
        Ok(wish)
    }

    fn is_met_by(&self, track: &ShipmentTrack) -> bool {
        let says = |wish: &Option<String>, told: &Option<wire::Text>| {
            wish.as_ref().is_none_or(|wish| told.as_ref().is_some_and(|told| told.0 == *wish))
        };
        says(&self.carrier, &track.carrier_code) && says(&self.title, &track.title)
    }

    /// The track to be made; what is not said is taken over from the one in whose place it comes.
    fn made(self, number: &str, before: Option<&ShipmentTrack>) -> Value {
        let kept = |text: Option<&Option<wire::Text>>| text.and_then(|text| text.as_ref()).map(|text| text.0.clone());
        let carrier = self.carrier.or_else(|| kept(before.map(|track| &track.carrier_code)));
        let carrier = carrier.unwrap_or_else(|| DEFAULT_CARRIER.to_owned());
        let title = self.title.or_else(|| kept(before.map(|track| &track.title))).unwrap_or_else(|| carrier.clone());
        json!({"track_number": number, "title": title, "carrier_code": carrier})
    }
}

/// The tracks a shipment is made with.
pub(super) fn new_tracks(leaves: &Leaves) -> Result<Vec<Value>> {
    let numbers = leaves.keys_of("tracks");
    numbers.iter().map(|number| Ok(Wish::of(leaves, number)?.made(number, None))).collect()
}

/// A change of one parcel, ready to be sent: the rows that leave, then the one that comes.
struct Ready {
    about: About,
    own: wire::Id,
    leave: Vec<wire::Id>,
    come: Option<Value>,
}

impl Magento {
    /// What became of a permit about one parcel of a shipment.
    pub(super) async fn write_track(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let ready = match self.ready_track(ctx, &permit).await {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        let id = ready.about.paper(ready.own);
        let mut changed = false;
        for track in &ready.leave {
            let path = format!("shipment/track/{}", track.0);
            let call = Call { method: "DELETE", scope: Scope::DEFAULT, path: &path };
            match self.send(ctx, call, &permit, &Value::Null).await {
                Ok(()) => changed = true,
                // Somebody took it away meanwhile.
                Err(Outcome::Refused(error)) if error.kind == ErrorKind::Gone => {}
                Err(other) => return halfway(changed, id, other),
            }
        }
        if let Some(track) = &ready.come
            && let Err(outcome) = self.send(ctx, Call::post("shipment/track"), &permit, &json!({"entity": track})).await
        {
            return halfway(changed, id, outcome);
        }
        self.made(ctx, Kind::Shipment, &ready.about, &json!(ready.own.0)).await
    }

    async fn ready_track(&self, ctx: &Ctx, permit: &Permit) -> Result<Ready> {
        let change = permit.change();
        let numbers: BTreeSet<Option<String>> = change.leaves.iter().map(|(path, _)| Paper::track_of(path)).collect();
        let [Some(number)] = numbers.into_iter().collect::<Vec<_>>().try_into().unwrap_or([None]) else {
            return Err(unsupported("of a shipment that is there one parcel is written at a time, and nothing else"));
        };
        let id =
            change.document.as_ref().ok_or_else(|| unsupported("parcels are written of shipments that are there"))?;
        let (order, own) = paper_apart(id)
            .ok_or_else(|| invalid(format!("`{}` is no id of a paper below an order", shown(&id.id, 60))))?;
        let gone = || Error::new(ErrorKind::Gone, format!("shipment {id} is not there"));
        let value = self.paper(ctx, Kind::Shipment, own).await?.ok_or_else(gone)?;
        let about = self.about(ctx, &order).await?.ok_or_else(gone)?;
        let doc: Shipment = shape("shipments", &value)?;
        if doc.order_id.0.to_string() != about.id.id {
            return Err(gone());
        }
        let there: Vec<&ShipmentTrack> = doc.tracks.iter().flatten().filter(|track| is(track, &number)).collect();
        let empty = |path: &Path| change.leaves.get(path) == Leaf::Empty;
        let path = Paper::track_path(&number);
        let said = change.leaves.iter().any(|(_, value)| value.is_some());
        if !said && [path.clone(), path.dot("carrier"), path.dot("title")].iter().any(empty) {
            let leave = there.iter().map(|track| track.entity_id).collect();
            return Ok(Ready { about, own: doc.entity_id, leave, come: None });
        }
        let wish = Wish::of(&change.leaves, &number)?;
        if there.iter().any(|track| wish.is_met_by(track)) {
            return Ok(Ready { about, own: doc.entity_id, leave: Vec::new(), come: None });
        }
        let mut come = wish.made(&number, there.first().copied());
        come["order_id"] = json!(doc.order_id.0);
        come["parent_id"] = json!(doc.entity_id.0);
        let leave = there.iter().map(|track| track.entity_id).collect();
        Ok(Ready { about, own: doc.entity_id, leave, come: Some(come) })
    }
}

fn is(track: &ShipmentTrack, number: &str) -> bool {
    track.track_number.as_ref().is_some_and(|told| told.0.trim() == number.trim())
}

/// What became of a change that did not come to its end: where a part of it was carried out, nobody may say that nothing was.
fn halfway(changed: bool, id: RemoteId, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Refused(error) if changed => Outcome::Unknown { learned: Some(id), error },
        Outcome::Unknown { error, .. } => Outcome::Unknown { learned: Some(id), error },
        other => other,
    }
}
