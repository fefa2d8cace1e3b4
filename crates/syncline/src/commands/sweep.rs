//! `sweep`: goes through every key of the systems, for what no feed told: records missed, changed without a sign, gone.

use crate::failure::{Exit, Failure};
use crate::out::{Out, count};
use crate::patience::patiently;
use crate::{open, signals};
use serde_json::json;
use std::sync::Mutex;
use std::time::Duration;
use syncline_core::policy::Hold;
use syncline_engine::config::Config;
use syncline_engine::sweep::{SweepOrder, Swept};
use syncline_engine::{Engine, EngineError};
use syncline_store::SweepCount;

const AFTER: &str = "\
Examples:
  syncline sweep                 the keys of every kind that flows, in both systems
  syncline sweep --system shop   one system only
  syncline sweep orders --deep   read every order whole: finds what changed without any sign
  syncline sweep --json          {\"sweeps\":[{\"system\":…,\"kind\":…,\"keys\":…,\"read\":…,\"gone\":…,…}],\"over\":…}
Nothing is written to any system. What was found is taken up by the next `syncline sync`; what is gone stands in
`syncline failures`, and so does a sweep that found too much missing to believe it. Ctrl-C ends it after the page under way, and the next `sweep` goes on from there.
`syncline run` sweeps by itself: `sweep = \"1d\"` and `sweep_deep = \"7d\"` at the top of the file, or `\"never\"`.";

/// How far a sweep is told, on stderr.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// What to go through.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// One flow only: products, customers, inventory, prices, orders or papers
    flow: Option<String>,
    /// One system only
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// Read every record whole, not its key alone
    #[arg(long)]
    deep: bool,
    /// Take for deleted what is missing, however much it is
    #[arg(long)]
    believe: bool,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let flow = super::plan::flow(args.flow.as_deref())?;
    let engine = open::working(config, out).await?;
    let mut sweeps: Vec<_> = engine.sweeps(flow)?;
    sweeps.retain(|(system, _)| args.system.as_ref().is_none_or(|name| system.name.as_str() == name));
    if sweeps.is_empty() {
        let what = "no flow that is on has keys to go through there";
        return Err(Failure::new("SYN-0440", what, "switch a flow on, or name a system that one of them names"));
    }
    let order = SweepOrder { deep: args.deep, believe: args.believe, pages: None };
    let told = Mutex::new((String::new(), SweepCount::default()));
    let work = async {
        let mut done: Vec<Swept> = Vec::new();
        for (system, kind) in sweeps {
            let swept = patiently(&engine, out, async || {
                let mut tell = |count: &SweepCount| note(&told, format!("{}, {kind}s", system.name), count);
                engine.sweep(system, kind, order, &mut tell).await
            });
            done.push(swept.await?);
            if engine.stopping() {
                break;
            }
        }
        Ok::<_, EngineError>(done)
    };
    let (result, stopped) = signals::stoppable(&engine, out, work, progress(&told, out)).await;
    let done = result?;
    tell(&done, stopped, out);
    ended(&engine, &done, stopped).await
}

fn tell(done: &[Swept], stopped: bool, out: Out) {
    if out.json {
        out.data(&json!({ "sweeps": done, "over": !stopped }));
        return;
    }
    for swept in done {
        let Swept { system, kind, count: c, bound, gone, .. } = swept;
        let (keys, read) = (c.keys, c.read);
        let how = if swept.deep { " read whole" } else { "" };
        let left = if swept.over { "" } else { "; not at its end yet" };
        out.line(format!(
            "{system}: {keys} {kind} keys{how}, {bound} tied, {read} read anew, {} new or changed, {gone} gone{left}",
            c.news
        ));
        if swept.suspected > 0 {
            let Hold { code, what, remedy } = swept.suspicion();
            out.say(format!("{code}: {what}"));
            out.say(format!("what to do: {remedy}"));
        }
    }
    if stopped {
        out.say("stopped before the end; the next `syncline sweep` goes on from here");
    }
}

async fn ended(engine: &Engine, done: &[Swept], stopped: bool) -> Result<Exit, Failure> {
    if stopped {
        return Ok(Exit::Failed);
    }
    if done.iter().any(|swept| swept.suspected > 0) {
        return Ok(Exit::Open);
    }
    Ok(Exit::of(engine.status().await?.values()))
}

fn note(told: &Mutex<(String, SweepCount)>, what: String, count: &SweepCount) {
    if let Ok(mut told) = told.lock() {
        *told = (what, *count);
    }
}

/// Tells every few seconds how far it has come, until dropped.
async fn progress(told: &Mutex<(String, SweepCount)>, out: Out) {
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        let Ok(told) = told.lock().map(|told| told.clone()) else { return };
        if !told.0.is_empty() {
            let keys = usize::try_from(told.1.keys).unwrap_or(usize::MAX);
            out.say(format!("{}: {} so far, {} read", told.0, count(keys, "key"), told.1.read));
        }
    }
}
