//! The parcels of a paper in the shop's words.

use super::{OTHER_CARRIER, PaperCase, step};
use crate::kind::Step;
use crate::leaf::{Leaves, Value};
use crate::planner::Decision;
use crate::record::{Paper, Track};
use alloc::string::ToString;

/// Brings the parcels of the shop's paper up to date; what people of the shop added stays.
pub(super) fn tracks(case: &PaperCase<'_>, there: &Paper) -> Decision {
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
pub(super) fn as_told(case: &PaperCase<'_>, track: &Track) -> Track {
    let named = [&track.carrier, &track.title].into_iter().flatten();
    let row = named.filter_map(|name| case.rules.carrier(name)).next();
    let title = track.title.clone().or_else(|| track.carrier.clone()).unwrap_or_else(|| OTHER_CARRIER.to_string());
    Track { carrier: Some(row.unwrap_or(OTHER_CARRIER).to_string()), title: Some(title) }
}

/// Tells a parcel.
pub(super) fn put_track(leaves: &mut Leaves, number: &str, track: &Track) {
    let path = Paper::track_path(number);
    if let (Some(carrier), Some(title)) = (&track.carrier, &track.title) {
        leaves.put(path.dot("carrier"), Value::Code(carrier.clone()));
        leaves.put(path.dot("title"), Value::Text(title.clone()));
    }
}
