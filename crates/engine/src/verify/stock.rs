//! Stock of every tied variant compared: what each shop shows against what its buyers may have.

use super::FlowProof;
use crate::reading::read_all;
use crate::run::Engine;
use crate::stock::{ordered, shows};
use crate::system::{EngineError, System};
use rust_decimal::Decimal;
use syncline_connect::Snapshot;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::planner::{self, Decision, Shows, StockCase};
use syncline_core::record::{Record, Stock};
use syncline_core::rules::{StockRules, StockTarget};
use syncline_store::Case;

/// Variants read at once.
const CHUNK: usize = 100;

impl Engine {
    /// Every tied variant's stock, read on both sides now.
    pub(super) async fn verify_stock(&self, rules: &StockRules) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof::default();
        let open = self.open_lanes(Kind::Stock).await?;
        let source = self.system(&rules.source)?;
        for shown in &rules.targets {
            let target = self.system(&shown.system)?;
            let bindings = self.store.bindings(target.uid.clone(), Kind::Stock).await?;
            for chunk in bindings.chunks(CHUNK) {
                let mut cases = Vec::with_capacity(chunk.len());
                for (entity, id) in chunk {
                    let case = self.store.load(*entity).await?;
                    if let Some(there) = case.bound.get(&source.uid).map(|bound| bound.id.clone()) {
                        cases.push((case, id.clone(), there));
                    }
                }
                let asked_at = self.store.place_in_journal().await?;
                let ours: Vec<RemoteId> = cases.iter().map(|(_, _, there)| there.clone()).collect();
                let theirs: Vec<RemoteId> = cases.iter().map(|(_, id, _)| id.clone()).collect();
                let (ours, theirs) = futures::future::join(read(source, &ours), read(target, &theirs)).await;
                for (((case, ..), ours), theirs) in cases.iter().zip(ours?).zip(theirs?) {
                    let open = open.get(&case.entity).map(String::as_str);
                    compare(&mut flow, (source, shown, shows(target)), case, (ours, theirs), (asked_at, open));
                }
            }
        }
        Ok(flow)
    }

    /// Every tied variant's stock, as both sides showed it when they were last read.
    pub(super) async fn stored_stock(&self, rules: &StockRules) -> Result<FlowProof, EngineError> {
        let mut flow = FlowProof::default();
        let open = self.open_lanes(Kind::Stock).await?;
        let source = self.system(&rules.source)?;
        for shown in &rules.targets {
            let target = self.system(&shown.system)?;
            for (entity, _) in self.store.bindings(target.uid.clone(), Kind::Stock).await? {
                let case = self.store.load(entity).await?;
                if !case.bound.contains_key(&source.uid) {
                    continue;
                }
                let side = |system: &System| {
                    let side = case.sides.get(&system.uid)?;
                    Stock::from_leaves(&side.seen).ok()
                };
                let both = (side(source), side(target));
                let asked_at = case.sides.get(&source.uid).map_or(0, |side| side.asked_at);
                let open = open.get(&entity).map(String::as_str);
                compare(&mut flow, (source, shown, shows(target)), &case, both, (asked_at, open));
            }
        }
        Ok(flow)
    }
}

/// Compares what both sides tell of one variant's stock; the ERP was asked when the journal stood at `asked_at`.
fn compare(
    flow: &mut FlowProof,
    (from, target, shows): (&System, &StockTarget, Shows),
    case: &Case,
    both: (Option<Stock>, Option<Stock>),
    (asked_at, open): (u64, Option<&str>),
) {
    if case.left_out() {
        return;
    }
    let what = format_args!("stock {}", case.label);
    let (Some(source), Some(seen)) = both else {
        flow.compared += 1;
        // What a system has lost stands in the inbox, under its variant.
        if open.is_some() || !case.gone.is_empty() {
            flow.leave_open(what, open.unwrap_or("it is gone"));
        } else {
            flow.missing += 1;
            let (one, other) = (&from.name, &target.system);
            flow.tell(format!("stock {}: not told by both {one} and {other}", case.label));
        }
        return;
    };
    let ordered = ordered(case, asked_at);
    match planner::stock(&StockCase {
        target,
        from: &from.name,
        source: &source,
        ordered,
        seen: &seen,
        shows,
        owed: Decimal::ZERO,
    }) {
        Decision::Outside(_) => {}
        Decision::Agreed => {
            flow.compared += 1;
            flow.equal += 1;
        }
        Decision::Step(step) if open.is_none() => {
            flow.compared += 1;
            flow.different += 1;
            let salable = seen.salable.map_or("?".to_string(), |salable| salable.normalize().to_string());
            flow.tell(format!("stock {}: {salable} for sale in {}; {}", case.label, target.system, step.reason));
        }
        _ => {
            flow.compared += 1;
            flow.leave_open(what, open.unwrap_or("it cannot be decided"));
        }
    }
}

/// The stock behind `ids` in `system`, in their order; none for a variant that is not there.
async fn read(system: &System, ids: &[RemoteId]) -> Result<Vec<Option<Stock>>, EngineError> {
    let stock_of = |snapshot: Snapshot| match snapshot.records.into_iter().next() {
        Some((_, Record::Stock(stock))) => Some(stock),
        _ => None,
    };
    let answers = read_all(system, Kind::Stock, ids).await?;
    Ok(answers.into_iter().map(|answer| answer.and_then(stock_of)).collect())
}
