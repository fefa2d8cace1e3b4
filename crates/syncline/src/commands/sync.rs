//! `sync`: one pass over the flows, with progress, stopped cleanly by Ctrl-C.

use crate::failure::{Exit, Failure};
use crate::out::{Out, count};
use crate::patience::patiently;
use crate::{open, progress, signals};
use serde_json::json;
use std::collections::BTreeMap;
use syncline_core::id::RunId;
use syncline_core::kind::Flow;
use syncline_core::policy::Hold;
use syncline_engine::approval::Gate;
use syncline_engine::config::Config;

const AFTER: &str = "\
Examples:
  syncline sync              everything that is due
  syncline sync --json       {\"new\":…,\"changed\":…,\"writes\":…,\"flows\":{…},\"run\":…}
What one pass writes is a run: `syncline undo` lists them and takes them back.
Ctrl-C or SIGTERM ends it after the step under way, with exit code 1; nothing is lost, and the next `sync` goes on from there.";

/// What to bring to agreement.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// One flow only: products, customers, inventory, prices, papers, or orders with the customers they need
    flow: Option<String>,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let flow = super::plan::flow(args.flow.as_deref())?;
    // Orders bring their customers along.
    let flow = flow.filter(|flow| *flow != Flow::Orders);
    let engine = open::working(config, out).await?;
    let recovered = engine.recover().await?;
    if recovered > 0 {
        out.say(format!("{} under way when the last run ended: looked up first", count(recovered, "write")));
    }
    let work = patiently(&engine, out, async || engine.sync(flow).await);
    let (result, stopped) = signals::stoppable(&engine, out, work, progress::tell(&engine, out)).await;
    let flows = engine.status().await?;
    let synced = match result {
        Ok(synced) => synced,
        Err(error) => {
            if !out.json {
                super::status::told(&flows, out);
            }
            return Err(error.into());
        }
    };
    if out.json {
        out.data(&json!({
            "new": synced.new, "changed": synced.changed, "writes": synced.writes, "flows": flows,
            "recovered": recovered, "stopped": stopped, "unapproved": engine.shut(), "run": synced.run,
        }));
    } else {
        let written = writes(synced.writes, synced.run);
        out.line(format!("{} new, {} changed, {written}", synced.new, synced.changed));
        super::status::told(&flows, out);
    }
    if stopped {
        out.say("stopped before the end; nothing is lost, `syncline sync` goes on from here");
        return Ok(Exit::Failed);
    }
    let shut = engine.shut();
    unapproved(&shut, out);
    Ok(if shut.is_empty() { Exit::of(flows.values()) } else { Exit::Open })
}

/// Tells which flows wait for a person's approval, and what to do.
pub(super) fn unapproved(shut: &BTreeMap<Flow, Gate>, out: Out) {
    for (flow, gate) in shut {
        let Hold { code, what, remedy } = gate.hold(*flow);
        out.say(format!("{code}: {what}"));
        out.say(format!("what to do: {remedy}"));
    }
}

/// `n write(s) sent`, and as which run.
pub(super) fn writes(n: u64, run: Option<RunId>) -> String {
    let run = run.map_or(String::new(), |run| format!(" (run {run})"));
    format!("{} sent{run}", count(usize::try_from(n).unwrap_or(usize::MAX), "write"))
}
