//! `status`: how the flows stand, told from the store alone.

use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::{Out, flows_of};
use std::collections::BTreeMap;
use syncline_core::kind::Flow;
use syncline_engine::config::Config;
use syncline_engine::status::FlowStatus;

const AFTER: &str = "\
Examples:
  syncline status
  syncline status --json | jq .flows.orders.held
READY is due now, or about to be judged; NOT DUE is on hold or unpaid in the shop; EARLY was placed before the flow's
first day and stays where it is unless `syncline import` lets it through; DONE counts also what is no part of the flow,
such as orders that were cancelled before they left. It asks no system and works beside `syncline run`.";

/// Nothing but the file.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {}

pub(crate) async fn carry_out(_: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let flows = open::looking(config)?.status().await?;
    if out.json {
        out.data(&flows_of(&flows));
    } else {
        told(&flows, out);
    }
    Ok(Exit::of(flows.values()))
}

/// The table of the flows.
pub(super) fn told(flows: &BTreeMap<Flow, FlowStatus>, out: Out) {
    let head = ["FLOW", "DONE", "READY", "WAITING", "HELD", "FAILED", "CONFLICTS", "NOT DUE", "EARLY", "LAG", "LAST"];
    let rows: Vec<Vec<String>> = flows
        .iter()
        .map(|(flow, status)| {
            let counts = [
                status.done,
                status.ready,
                status.waiting,
                status.held,
                status.failed,
                status.conflicts,
                status.awaiting,
                status.early,
            ];
            let mut row = vec![flow.to_string()];
            row.extend(counts.iter().map(u64::to_string));
            row.push(format!("{} s", status.lag_seconds));
            row.push(status.last_sync.map_or("never".to_string(), |at| format!("{at:.0}")));
            row
        })
        .collect();
    out.table(&head, &rows);
    if flows.values().any(|flow| flow.held + flow.failed + flow.waiting > 0) {
        out.say("`syncline failures` lists what is open, with the remedy");
    }
}
