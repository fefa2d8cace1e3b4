//! What must hold of whatever a connector made of an answer.

use syncline_connect::{Connector, Error, Evidence, Result, Seen, Snapshot};
use syncline_core::leaf::Leaves;
use syncline_core::profile::Fit;
use syncline_core::record::{Record, paper_apart};
use syncline_core::totals;

/// Characters of a message about something foreign, with what is said around it: a person reads it, and the store keeps it.
const MESSAGE: usize = Error::MESSAGE + 500;
/// Bytes of one side of an exchange that are kept: what is no text becomes three bytes for one.
const EXCHANGE: usize = 4 * Evidence::LIMIT;

/// An error is short, whatever it is about.
pub(super) fn refused(error: &Error) {
    let message = error.to_string();
    let length = message.chars().count();
    assert!(length <= MESSAGE, "a message of {length} characters: {message:.300}");
    if let Some(evidence) = &error.evidence {
        assert!(evidence.received.len() <= EXCHANGE && evidence.sent.len() <= EXCHANGE, "an exchange is kept whole");
    }
}

/// What a read told is kept, shown and compared as the product does.
pub(super) fn told(told: &Result<Option<Snapshot>>, sides: &[&dyn Connector]) {
    match told {
        Ok(Some(snapshot)) => held(snapshot, sides),
        Ok(None) => {}
        Err(error) => refused(error),
    }
}

/// The same of a row of a page.
pub(super) fn seen(seen: &Seen, sides: &[&dyn Connector]) {
    match &seen.snapshot {
        Ok(snapshot) => held(snapshot, sides),
        Err(error) => refused(error),
    }
}

/// The same of a document.
pub(super) fn held(snapshot: &Snapshot, sides: &[&dyn Connector]) {
    for (id, record) in &snapshot.records {
        drop((id.to_string(), paper_apart(id)));
        let leaves = record.to_leaves();
        kept(&leaves);
        let again = Record::from_leaves(record.kind(), &leaves).map(|record| record.to_leaves());
        assert!(again.as_ref() == Ok(&leaves), "a record is not what its fields say: {again:?}, {leaves:?}");
        if let Record::Order(order) = record {
            drop((totals::balanced(order), totals::wanted(order), totals::tolerance(order, 1), order.commits()));
        }
        for side in sides {
            fitted(*side, record, &leaves);
        }
    }
}

/// Fields come back from the store as they went in.
fn kept(leaves: &Leaves) {
    let text = serde_json::to_string(leaves);
    let back = text.as_ref().ok().and_then(|text| serde_json::from_str::<Leaves>(text).ok());
    assert!(back.as_ref() == Some(leaves), "fields do not come back from the store: {text:?}");
}

/// What a system would keep of each field it keeps as it is once it has it.
fn fitted(side: &dyn Connector, record: &Record, leaves: &Leaves) {
    drop(side.split(record.kind(), leaves));
    for (path, value) in leaves.iter() {
        let Some(value) = value else { continue };
        assert!(value.says(value), "{path} does not say what it says");
        if let Fit::As(kept, why) = side.fit(record.kind(), path, value) {
            let again = side.fit(record.kind(), path, &kept);
            let as_it_is = match &again {
                Fit::Exact => true,
                Fit::As(same, _) => *same == kept,
                Fit::Refused(_) => false,
            };
            assert!(as_it_is, "{path}: {value} is kept as {kept} ({why}), which is kept otherwise: {again:?}");
        }
    }
}
