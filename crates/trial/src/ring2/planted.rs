//! Planted bugs, as decorators around the seams. No production code knows of them; each has to be found.

use super::boot::{ERP, SHOP};
use super::prices::LIST;
use super::world::{Shared, open};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use syncline_connect::{
    Connector, Ctx, Cursor, Effect, Fut as PortFut, KeyPage, Lookup, Outcome, Page, Probe, Request, Response, Snapshot,
    Transport, TransportError,
};
use syncline_core::delivery::{Change, Noted, Permit};
use syncline_core::id::{DeliveryId, EntityId, Epoch, Mark, RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_core::profile::{Fit, Profile};
use syncline_core::record::{Line, Lines, Price, Record};
use syncline_store::{
    Case, Claim, Claimed, CommitPlan, Doubt, Ending, Fut, Release, Sending, Settle, Store, StoreError,
};

/// The slugs of this ring.
pub const PLANTS: [&str; 11] = [
    "skip-intent",
    "ignore-epoch",
    "retry-write",
    "float-money",
    "cursor-no-overlap",
    "mark-from-name",
    "base-currency",
    "merge-lines-by-sku",
    "look-once",
    "one-base",
    "untold-as-empty",
];

/// The slugs of the market.
pub const MARKET_PLANTS: [&str; 2] = ["forget-orders", "reserve-twice"];

/// A shop's bug, not one of ours: its list repeats a page for ever. It has to be told.
pub const REPEATS_A_PAGE: &str = "repeats-a-page";

/// A store with a bug.
#[derive(Debug)]
pub struct BadStore {
    pub store: Arc<dyn Store>,
    pub plant: &'static str,
    pub epochs: Mutex<BTreeMap<EntityId, Epoch>>,
}

impl BadStore {
    /// The lane's newest epoch instead of the one asked for, where the bug is `ignore-epoch`.
    fn epoch(&self, lane: EntityId, asked: Epoch) -> Epoch {
        let epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        if self.plant == "ignore-epoch" { epochs.get(&lane).copied().unwrap_or(asked) } else { asked }
    }
}

impl Store for BadStore {
    fn beneath(&self) -> &dyn Store {
        self.store.as_ref()
    }

    fn claim(&self, claim: Claim) -> Fut<'_, Vec<Claimed>> {
        Box::pin(async move {
            let claimed = self.store.claim(claim).await?;
            let mut epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
            for lane in &claimed {
                epochs.insert(lane.entity, lane.epoch);
            }
            Ok(claimed)
        })
    }

    fn commit_plan(&self, mut plan: CommitPlan) -> Fut<'_, DeliveryId> {
        plan.epoch = self.epoch(plan.lane, plan.epoch);
        if self.plant == "mark-from-name"
            && let Some(Value::Text(number)) = plan.change.leaves.value(&Path::field("reference"))
        {
            let hash = blake3::hash(number.as_bytes()).to_hex().to_uppercase();
            let letters: String = hash.chars().map(|c| if c == '1' { 'L' } else { c }).take(16).collect();
            plan.change.mark = Mark::new(format!("SL{letters}"));
        }
        self.store.commit_plan(plan)
    }

    fn note_sending(&self, mut notes: Vec<Sending>) -> Fut<'_, Vec<Result<Noted, StoreError>>> {
        if self.plant == "skip-intent" {
            return Box::pin(async move {
                let proof = |note: &Sending| Ok(Noted::committed(note.delivery, note.epoch, 1, note.deadline));
                Ok(notes.iter().map(proof).collect())
            });
        }
        for note in &mut notes {
            note.epoch = self.epoch(note.lane, note.epoch);
        }
        self.store.note_sending(notes)
    }

    fn doubt(&self, mut doubt: Doubt) -> Fut<'_, ()> {
        doubt.epoch = self.epoch(doubt.lane, doubt.epoch);
        self.store.doubt(doubt)
    }

    fn load(&self, entity: EntityId) -> Fut<'_, Case> {
        Box::pin(async move {
            let mut case = self.store.load(entity).await?;
            match self.plant {
                "forget-orders" => case.commitments.clear(),
                "one-base" => one_base(&mut case),
                "untold-as-empty" => untold_as_empty(&mut case),
                _ => {}
            }
            Ok(case)
        })
    }

    fn settle(&self, mut settle: Settle) -> Fut<'_, ()> {
        let of_stock = match &settle.ending {
            Ending::Done { leaves, .. } => !leaves.keys_of("levels").is_empty(),
            _ => true,
        };
        if self.plant == "look-once" && of_stock {
            settle.strays_at = None;
        }
        settle.epoch = self.epoch(settle.lane, settle.epoch);
        self.store.settle(settle)
    }

    fn release(&self, mut release: Release) -> Fut<'_, ()> {
        release.epoch = self.epoch(release.lane, release.epoch);
        self.store.release(release)
    }
}

/// One base for both sides of a pair: what the ERP showed when both agreed counts as what the shop showed.
fn one_base(case: &mut Case) {
    let (erp, shop) = (SystemUid::new(ERP), SystemUid::new(SHOP));
    let Some(base) = case.sides.get(&erp).map(|side| side.base(&shop)) else { return };
    if let Some(side) = case.sides.get_mut(&shop) {
        side.bases.insert(erp, base);
    }
}

/// A price list the ERP does not tell counts as one without a price.
fn untold_as_empty(case: &mut Case) {
    if let (Kind::Price, Some(side)) = (case.kind, case.sides.get_mut(&SystemUid::new(ERP))) {
        side.seen.put(Price::list_path(LIST), Value::Bool(true));
    }
}

/// A network with a bug.
#[derive(Debug)]
pub struct BadTransport {
    pub transport: Arc<dyn Transport>,
    pub plant: &'static str,
}

impl Transport for BadTransport {
    fn send(&self, request: Request) -> PortFut<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let write = matches!(request.effect, Effect::Write { .. });
            let orders = request.url.contains("/orders");
            let answer = self.transport.send(request.clone()).await;
            match (self.plant, answer) {
                ("retry-write", Err(TransportError::Lost(_))) if write => self.transport.send(request).await,
                ("float-money" | "base-currency", Ok(mut response)) if orders => {
                    if let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(&response.body) {
                        if self.plant == "float-money" {
                            through_floats(&mut body)
                        } else {
                            base_columns(&mut body)
                        }
                        response.body = body.to_string().into_bytes();
                    }
                    Ok(response)
                }
                (_, answer) => answer,
            }
        })
    }
}

/// Cuts every amount as binary floats do when they are multiplied by a hundred and cut.
#[expect(clippy::float_arithmetic, clippy::cast_possible_truncation, reason = "this is the planted bug")]
fn through_floats(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Array(list) => list.iter_mut().for_each(through_floats),
        serde_json::Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                let amount = key.ends_with("_amount")
                    || matches!(key.as_str(), "row_total" | "row_total_incl_tax" | "subtotal" | "grand_total");
                match value {
                    serde_json::Value::Number(number) if amount => {
                        let cents = (number.as_f64().unwrap_or(0.0) * 100.0) as i64;
                        let text = format!(
                            "{}{}.{:02}",
                            if cents < 0 { "-" } else { "" },
                            cents.abs() / 100,
                            cents.abs() % 100
                        );
                        if let Ok(exact) = serde_json::from_str(&text) {
                            *value = exact;
                        }
                    }
                    other => through_floats(other),
                }
            }
        }
        _ => {}
    }
}

/// Puts the base currency's columns where the order's belong.
fn base_columns(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Array(list) => list.iter_mut().for_each(base_columns),
        serde_json::Value::Object(map) => {
            let base: Vec<(String, serde_json::Value)> = map
                .iter()
                .filter_map(|(key, value)| Some((key.strip_prefix("base_")?.to_string(), value.clone())))
                .collect();
            for (key, value) in base {
                if map.contains_key(&key) {
                    map.insert(key, value);
                }
            }
            if let Some(code) = map.get("base_currency_code").cloned() {
                map.insert("order_currency_code".to_string(), code);
            }
            map.values_mut().for_each(base_columns);
        }
        _ => {}
    }
}

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
    fn probe<'a>(&'a self, ctx: &'a Ctx) -> PortFut<'a, syncline_connect::Result<Probe>> {
        self.connector.probe(ctx)
    }
    fn fit(&self, kind: Kind, path: &Path, value: &Value) -> Fit {
        self.connector.fit(kind, path, value)
    }
    fn changes<'a>(
        &'a self,
        ctx: &'a Ctx,
        kind: Kind,
        since: &'a Cursor,
    ) -> PortFut<'a, syncline_connect::Result<Page>> {
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
    fn keys<'a>(
        &'a self,
        ctx: &'a Ctx,
        kind: Kind,
        after: &'a Cursor,
    ) -> PortFut<'a, syncline_connect::Result<KeyPage>> {
        self.connector.keys(ctx, kind, after)
    }
    fn read<'a>(
        &'a self,
        ctx: &'a Ctx,
        kind: Kind,
        ids: &'a [RemoteId],
    ) -> PortFut<'a, Vec<syncline_connect::Result<Option<Snapshot>>>> {
        Box::pin(async move {
            let mut answers = self.connector.read(ctx, kind, ids).await;
            if self.plant == "reserve-twice" {
                for snapshot in answers.iter_mut().flatten().flatten() {
                    reserve_twice(snapshot);
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
    ) -> PortFut<'a, syncline_connect::Result<Vec<Snapshot>>> {
        self.connector.find(ctx, kind, by)
    }
    fn write<'a>(&'a self, ctx: &'a Ctx, permits: Vec<Permit>) -> PortFut<'a, Vec<Outcome>> {
        self.connector.write(ctx, permits)
    }
    fn split(&self, kind: Kind, leaves: &Leaves) -> Vec<Leaves> {
        self.connector.split(kind, leaves)
    }
    fn pair(&self, change: &Change, snapshot: &Snapshot) -> Vec<(Path, String)> {
        self.connector.pair(change, snapshot)
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
