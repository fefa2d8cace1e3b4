//! Planted bugs of the shop's connector: what it leaves out, tells twice or adds up.

use super::{FORGETS_A_CHILD, FORGETS_A_PART, REPEATS_A_PAGE, UNMARKED};
use crate::ring2::world::{Shared, open};
use std::sync::Arc;
use syncline_connect::{Connector, Ctx, Cursor, Fut, KeyPage, Lookup, Outcome, Page, Probe, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::profile::{Fit, Profile};
use syncline_core::record::{Composition, Had, Line, Lines, Record};

/// A connector with a bug.
#[derive(Debug)]
pub struct BadConnector {
    pub connector: Arc<dyn Connector>,
    pub plant: &'static str,
    pub world: Shared,
}

impl Connector for BadConnector {
    fn profile(&self) -> &Profile {
        self.connector.profile()
    }
    fn probe<'a>(&'a self, ctx: &'a Ctx) -> Fut<'a, syncline_connect::Result<Probe>> {
        self.connector.probe(ctx)
    }
    fn fit(&self, kind: Kind, path: &Path, value: &Value) -> Fit {
        self.connector.fit(kind, path, value)
    }
    fn changes<'a>(&'a self, ctx: &'a Ctx, kind: Kind, since: &'a Cursor) -> Fut<'a, syncline_connect::Result<Page>> {
        Box::pin(async move {
            let hasty = self.plant == "cursor-no-overlap" && between_passes(since);
            let from = if hasty { moved(since, OVERLAP_S) } else { since.clone() };
            let mut page = self.connector.changes(ctx, kind, &from).await?;
            if hasty && moved(&page.next, 0) != moved(since, 0) {
                // The mark it asked from is not the mark it has reached.
                let reached = high_of(&page.next).filter(|high| Some(high) != high_of(&from).as_ref());
                if reached.is_none() {
                    page.next = moved(&page.next, -OVERLAP_S);
                }
            }
            if self.plant == REPEATS_A_PAGE {
                (page.next, page.more) = (since.clone(), true);
            }
            if self.plant == UNMARKED && kind == Kind::Credit {
                page.seen.iter_mut().flat_map(|seen| &mut seen.snapshot).for_each(|snapshot| snapshot.mark = None);
            }
            if self.plant == "merge-lines-by-sku" {
                for seen in &mut page.seen {
                    let Ok(snapshot) = &mut seen.snapshot else { continue };
                    for (_, record) in &mut snapshot.records {
                        merge_lines(record);
                    }
                }
            }
            open(&self.world).event(&format!("a page of {} {kind}s", page.seen.len()));
            Ok(page)
        })
    }
    fn keys<'a>(&'a self, ctx: &'a Ctx, kind: Kind, after: &'a Cursor) -> Fut<'a, syncline_connect::Result<KeyPage>> {
        Box::pin(async move {
            let mut page = self.connector.keys(ctx, kind, after).await?;
            if self.plant == "skip-keys" && after.0.is_empty() {
                page.keys.clear();
            }
            Ok(page)
        })
    }
    fn read<'a>(
        &'a self,
        ctx: &'a Ctx,
        kind: Kind,
        ids: &'a [RemoteId],
    ) -> Fut<'a, Vec<syncline_connect::Result<Option<Snapshot>>>> {
        Box::pin(async move {
            let mut answers = self.connector.read(ctx, kind, ids).await;
            for snapshot in answers.iter_mut().flatten().flatten() {
                match self.plant {
                    "reserve-twice" => reserve_twice(snapshot),
                    "stale-levels" => as_placed(snapshot),
                    FORGETS_A_CHILD => forget_a_child(snapshot),
                    FORGETS_A_PART => forget_a_part(snapshot),
                    _ => {}
                }
            }
            answers
        })
    }
    fn find<'a>(
        &'a self,
        ctx: &'a Ctx,
        kind: Kind,
        by: &'a Lookup,
    ) -> Fut<'a, syncline_connect::Result<Vec<Snapshot>>> {
        self.connector.find(ctx, kind, by)
    }
    fn content<'a>(
        &'a self,
        ctx: &'a Ctx,
        kind: Kind,
        id: &'a RemoteId,
        path: &'a Path,
        most: usize,
    ) -> Fut<'a, syncline_connect::Result<Option<Vec<u8>>>> {
        self.connector.content(ctx, kind, id, path, most)
    }
    fn write<'a>(&'a self, ctx: &'a Ctx, permits: Vec<Permit>) -> Fut<'a, Vec<Outcome>> {
        Box::pin(async move {
            let kind = permits.first().map(|permit| permit.change().kind);
            let mut outcomes = self.connector.write(ctx, permits).await;
            // Only of one sort of paper: of other writes that would be another bug.
            if matches!(
                (self.plant, kind),
                ("shipment-unsent", Some(Kind::Shipment)) | ("capture-twice", Some(Kind::Invoice))
            ) {
                outcomes.iter_mut().for_each(unsent);
            }
            outcomes
        })
    }
    fn split(&self, kind: Kind, leaves: &Leaves) -> Vec<Leaves> {
        self.connector.split(kind, leaves)
    }
    fn pair(&self, change: &Change, snapshot: &Snapshot) -> Vec<(Path, String)> {
        self.connector.pair(change, snapshot)
    }
}

/// Tells an order as it was before anything was done about it.
fn as_placed(snapshot: &mut Snapshot) {
    for (_, record) in &mut snapshot.records {
        if let Record::Order(order) = record {
            order.lines.iter_mut().for_each(|(_, line)| line.had = Had::default());
        }
    }
}

/// Takes a paper that nobody knows the fate of for one that was never made.
fn unsent(outcome: &mut Outcome) {
    if let Outcome::Unknown { error, .. } = outcome {
        *outcome = Outcome::Refused(error.clone());
    }
}

/// Tells twice what the shop has reserved.
fn reserve_twice(snapshot: &mut Snapshot) {
    for (_, record) in &mut snapshot.records {
        if let Record::Stock(stock) = record {
            stock.reserved = stock.reserved.map(|reserved| reserved + reserved);
        }
    }
}

/// Leaves out the first child of a family.
fn forget_a_child(snapshot: &mut Snapshot) {
    for (_, record) in &mut snapshot.records {
        if let Record::Product(family) = record {
            drop(family.variants.pop_first());
        }
    }
}

/// Leaves out the first part of a bundle.
fn forget_a_part(snapshot: &mut Snapshot) {
    for (_, record) in &mut snapshot.records {
        if let Record::Variant(variant) = record
            && let Some(Composition::Fixed(parts)) = &mut variant.composition
        {
            drop(parts.pop_first());
        }
    }
}

/// The overlap, in seconds, that the bug leaves out.
const OVERLAP_S: i64 = 600;

/// The cursor with its mark moved by `seconds`.
fn moved(cursor: &Cursor, seconds: i64) -> Cursor {
    let Ok(mut state) = serde_json::from_str::<serde_json::Value>(&cursor.0) else { return cursor.clone() };
    let high = state["high"].as_str().map(|high| high.replace(' ', "T")).and_then(|high| {
        let at: jiff::civil::DateTime = high.trim_end_matches('Z').parse().ok()?;
        Some(at.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?.strftime("%Y-%m-%d %H:%M:%S").to_string())
    });
    if let Some(high) = high {
        state["high"] = high.into();
    }
    Cursor(state.to_string())
}

/// The mark a cursor has reached.
fn high_of(cursor: &Cursor) -> Option<String> {
    serde_json::from_str::<serde_json::Value>(&cursor.0).ok()?["high"].as_str().map(str::to_string)
}

/// Whether no pass is under way.
fn between_passes(cursor: &Cursor) -> bool {
    serde_json::from_str::<serde_json::Value>(&cursor.0)
        .is_ok_and(|state| state.get("pass").is_none_or(serde_json::Value::is_null) && state["high"].is_string())
}

/// Adds up lines of one SKU into the first of them.
fn merge_lines(record: &mut Record) {
    let Record::Order(order) = record else { return };
    let mut merged: Vec<(String, Line)> = Vec::new();
    for (key, line) in order.lines.iter() {
        let twin = merged
            .iter_mut()
            .find(|(_, other)| other.sku == line.sku && other.parent == line.parent && other.form == line.form);
        match twin {
            None => merged.push((key.clone(), line.clone())),
            Some((_, other)) => {
                other.quantity = other.quantity.zip(line.quantity).map(|(a, b)| a + b);
                other.net = other.net.zip(line.net).and_then(|(a, b)| a.plus(b).ok());
                other.tax = other.tax.zip(line.tax).and_then(|(a, b)| a.plus(b).ok());
            }
        }
    }
    order.lines = merged.into_iter().collect::<Lines>();
}
