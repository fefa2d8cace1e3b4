//! `apply`: carries out a kept plan as far as nothing it was made on has changed.

use crate::failure::{Exit, Failure};
use crate::out::{Out, count};
use crate::{open, progress, signals};
use serde_json::json;
use syncline_core::id::RunId;
use syncline_engine::apply::Applied;
use syncline_engine::config::Config;

const AFTER: &str = "\
Examples:
  syncline apply p19a5c3e1f07                          all of it
  syncline apply p19a5c3e1f07 --only 000000012         the rows of that key, as `plan` shows it
  syncline apply p19a5c3e1f07 --only p19a5c3e1f07-3    one row
A row that was carried out before is named and not sent again; one whose record changed since is left alone: plan again for it.
A row that a system refuses does not count as applied; its reason is told, and `syncline failures` keeps it.";

/// Which plan, and which part of it.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The plan's id, as `plan` told it
    plan: String,
    /// Only rows with these keys or ids
    #[arg(long, value_name = "KEY", num_args = 1..)]
    only: Vec<String>,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let engine = open::working(config, out).await?;
    engine.recover().await?;
    let plan = engine.kept_plan(Some(&args.plan)).await?;
    let work = engine.apply(&plan, &args.only);
    let (report, stopped) = signals::stoppable(&engine, out, work, progress::tell(&engine, out)).await;
    let report = report?;
    let (flows, run) = (engine.status().await?, engine.last_run().await);
    if out.json {
        let told = json!({
            "plan": plan.id, "run": run, "applied": report.applied, "done": report.done, "drifted": report.drifted,
            "refused": report.refused, "unfinished": report.unfinished, "left": report.left, "flows": flows,
        });
        out.data(&told);
    } else {
        told(&report, run, out);
        super::status::told(&flows, out);
    }
    if let Some((system, error)) = engine.any_paused() {
        return Err(Failure::system(&system, &error));
    }
    Ok(match stopped {
        true => Exit::Failed,
        false if !report.drifted.is_empty() || !report.unfinished.is_empty() => Exit::Pending,
        false => Exit::of(flows.values()),
    })
}

fn told(report: &Applied, run: Option<RunId>, out: Out) {
    let run = run.map_or(String::new(), |run| format!("run {run}: "));
    out.line(format!(
        "{run}{} applied, {} done before, {} refused, {} not finished, {} drifted, {} left out",
        count(report.applied, "row"),
        report.done.len(),
        report.refused.len(),
        report.unfinished.len(),
        report.drifted.len(),
        report.left
    ));
    for row in report.refused.iter().chain(&report.unfinished) {
        out.line(format!("{} {}: {} {} {}", row.id, row.key, row.state, row.why.code, row.why.what));
        if !row.why.remedy.is_empty() {
            out.line(format!("    what to do: {}", row.why.remedy));
        }
    }
    if !report.done.is_empty() {
        out.line(format!("done before, nothing is sent for them: {}", report.done.join(", ")));
    }
    if !report.drifted.is_empty() {
        out.line(format!("changed since they were planned, plan again: {}", report.drifted.join(", ")));
    }
}
