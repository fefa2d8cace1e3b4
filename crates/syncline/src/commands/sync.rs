//! `sync`: one pass over the flows, with progress, stopped cleanly by Ctrl-C.

use crate::failure::{Exit, Failure};
use crate::out::{Out, count};
use crate::patience::patiently;
use crate::{open, progress, signals};
use serde_json::json;
use syncline_core::kind::Flow;
use syncline_engine::config::Config;
use syncline_engine::{Engine, EngineError, Synced};
use syncline_store::LaneFilter;

const AFTER: &str = "\
Examples:
  syncline sync              everything that is due
  syncline sync --json       {\"new\":…,\"changed\":…,\"writes\":…,\"flows\":{…},\"recovered\":…}
Ctrl-C or SIGTERM ends it after the step under way; nothing is lost, and the next `sync` goes on from there.";

/// What to bring to agreement.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// One flow only: customers, inventory, or orders with the customers they need
    flow: Option<String>,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let flow = super::plan::flow(args.flow.as_deref())?;
    if flow == Some(Flow::Products) {
        return Err(Failure::usage("products are not written yet", "`syncline adopt` ties what both sides have"));
    }
    let engine = open::working(config).await?;
    let recovered = engine.recover().await?;
    if recovered > 0 {
        out.say(format!("{} under way when the last run ended: looked up first", count(recovered, "write")));
    }
    let work = patiently(&engine, out, async || pass(&engine, flow).await);
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
            "recovered": recovered, "stopped": stopped,
        }));
    } else {
        out.line(format!("{} new, {} changed, {}", synced.new, synced.changed, writes(synced.writes)));
        super::status::told(&flows, out);
    }
    if stopped {
        out.say("stopped before the end; nothing is lost, `syncline sync` goes on from here");
        return Ok(Exit::Failed);
    }
    Ok(Exit::of(flows.values()))
}

/// `n write(s) sent`.
pub(super) fn writes(n: u64) -> String {
    format!("{} sent", count(usize::try_from(n).unwrap_or(usize::MAX), "write"))
}

async fn pass(engine: &Engine, flow: Option<Flow>) -> Result<Synced, EngineError> {
    let Some(flow) = flow.filter(|flow| matches!(flow, Flow::Customers | Flow::Inventory)) else {
        return engine.sync().await;
    };
    let mut synced = engine.look().await?;
    let filter = LaneFilter { states: vec!["ready"], ..LaneFilter::default() };
    let lanes = engine.store.lanes(filter).await?;
    let only: Vec<_> = lanes.iter().filter(|lane| lane.kind.flow() == flow).map(|lane| lane.entity).collect();
    if !only.is_empty() {
        engine.drain(&only).await?;
    }
    synced.writes = engine.writes();
    match engine.any_paused() {
        Some((system, error)) => Err(EngineError::System { system, error }),
        None => Ok(synced),
    }
}
