//! `plan`: every write that would be done, with fields, guard and reason; nothing remote is written.

use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::{Out, count};
use crate::patience::patiently;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_core::kind::Flow;
use syncline_engine::config::Config;
use syncline_engine::preview::{FieldChange, Plan, PlanRow};

const AFTER: &str = "\
Examples:
  syncline plan                        a table, then the sums
  syncline plan orders --fields        with every field that would be written
  syncline plan --json | tail -1       {\"plan\":…,\"steps\":…,\"held\":…}
Ends with 2 where there is something to send, with 3 where only something is open, with 0 where both sides agree.";

/// What to plan.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// One flow only: products, customers, inventory, prices, orders or papers
    flow: Option<String>,
    /// Show every field that would be written
    #[arg(long)]
    fields: bool,
}

/// Rows a person is shown.
const SHOWN: usize = 200;

/// The flow called `word`.
pub(super) fn flow(word: Option<&str>) -> Result<Option<Flow>, Failure> {
    let read = |word: &str| {
        word.parse::<Flow>().map_err(|()| {
            Failure::usage(
                format!("`{word}` is no flow"),
                "name one of: products, customers, inventory, prices, orders, papers; or none for all",
            )
        })
    };
    word.map(read).transpose()
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let flow = flow(args.flow.as_deref())?;
    let engine = open::working(config, out).await?;
    let plan = patiently(&engine, out, async || engine.plan(flow).await).await?;
    if out.json {
        plan.rows.iter().for_each(|row| out.data(&row_json(row)));
        out.data(&summary(&plan));
    } else {
        told(&plan, args.fields, out);
    }
    Ok(match (plan.rows.is_empty(), plan.open.is_empty()) {
        (false, _) => Exit::Pending,
        (true, false) => Exit::Open,
        (true, true) => Exit::Agreed,
    })
}

pub(super) fn row_json(row: &PlanRow) -> Value {
    json!({
        "id": row.id, "flow": row.flow, "kind": row.kind, "key": row.key, "called": row.called, "step": row.step, "target": row.target,
        "guard": row.guard, "settle_s": row.settle_s, "reason": row.reason, "fields": row.fields,
    })
}

fn summary(plan: &Plan) -> Value {
    json!({
        "plan": plan.id, "steps": plan.rows.len(), "waiting": plan.open_in("waiting"), "held": plan.open_in("held"),
        "failed": plan.open_in("failed"), "conflicts": plan.open_in("conflict"), "awaiting": plan.awaiting,
        "open": plan.open,
    })
}

fn told(plan: &Plan, fields: bool, out: Out) {
    rows(plan, fields, out);
    out.line(format!(
        "plan {}: {}, {} waiting, {} held, {} failed, {} not due yet",
        plan.id,
        count(plan.rows.len(), "step"),
        plan.open_in("waiting"),
        plan.open_in("held"),
        plan.open_in("failed"),
        plan.awaiting
    ));
    if !plan.rows.is_empty() {
        out.say(format!("`syncline apply {}` carries out this plan, `syncline sync` whatever is due", plan.id));
    }
}

/// The steps of a plan and what is open in it.
pub(super) fn rows(plan: &Plan, fields: bool, out: Out) {
    if fields {
        for row in plan.rows.iter().take(SHOWN) {
            let key = row.called.as_ref().unwrap_or(&row.key);
            out.line(format!("{}  {} {key} {} in {} ({})", row.id, row.kind, row.step, row.target, row.reason));
            with_fields(&row.fields, out);
        }
    } else {
        let rows: Vec<Vec<String>> = plan.rows.iter().take(SHOWN).map(cells).collect();
        out.table(&["KIND", "KEY", "STEP", "TARGET", "GUARD", "FIELDS", "REASON"], &rows);
    }
    if plan.rows.len() > SHOWN {
        out.line(format!("… and {} (all with --json)", count(plan.rows.len() - SHOWN, "more row")));
    }
    let open: Vec<Vec<String>> = plan
        .open
        .iter()
        .take(SHOWN)
        .map(|row| {
            let why = if row.why.code.is_empty() { row.why.what.clone() } else { coded(&row.why.code, &row.why.what) };
            vec![row.state.clone(), row.kind.clone(), row.called.as_ref().unwrap_or(&row.key).clone(), why]
        })
        .collect();
    if !open.is_empty() {
        out.line("");
        out.table(&["OPEN", "KIND", "KEY", "WHY"], &open);
        out.line("");
    }
}

fn coded(code: &str, what: &str) -> String {
    format!("{code} {what}")
}

fn cells(row: &PlanRow) -> Vec<String> {
    let guard = row.settle_s.map_or(row.guard.clone(), |seconds| format!("{} ({seconds} s)", row.guard));
    let step = row.step.clone();
    let fields = row.fields.len().to_string();
    let key = row.called.as_ref().unwrap_or(&row.key).clone();
    vec![row.kind.clone(), key, step, row.target.clone(), guard, fields, row.reason.clone()]
}

fn with_fields(fields: &BTreeMap<String, FieldChange>, out: Out) {
    for (path, change) in fields {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_string());
        let fit = if change.fit == "exact" { String::new() } else { format!("  kept as {}", change.fit) };
        out.line(format!("    {path}: {} → {}{fit}", shown(&change.from), shown(&change.to)));
    }
}
