//! `failures`: what is held, failed or waiting, each with its reason and what to do.

use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::Out;
use serde_json::{Value, json};
use syncline_engine::asking::{AskedBy, Asking};
use syncline_engine::config::Config;
use syncline_engine::named::Called;
use syncline_store::{LaneFilter, LaneRow};

const AFTER: &str = "\
Examples:
  syncline failures
  syncline failures --json | jq -r '.failures[] | [.kind, .called, .remedy] | @tsv'
Ends with 3 where there is any.";

/// Nothing but the file.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {}

const STATES: [&str; 3] = ["held", "failed", "waiting"];

pub(crate) async fn carry_out(_: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let engine = open::looking(config)?;
    let filter = LaneFilter { states: STATES.to_vec(), ..LaneFilter::default() };
    let lanes = engine.store.lanes(filter).await?;
    let names = engine.names_of(&lanes).await?;
    let asking = engine.asking().await?;
    let of = |state: &str| {
        lanes.iter().filter(|lane| lane.state == state).count() + if state == "held" { asking.len() } else { 0 }
    };
    if out.json {
        let whole = asking.iter().map(whole);
        let rows: Vec<Value> = whole.chain(lanes.iter().zip(&names).map(|(lane, called)| row(lane, called))).collect();
        out.data(&json!({
            "failures": rows, "held": of("held"), "failed": of("failed"), "waiting": of("waiting"),
        }));
    } else {
        for Asking { flow, by, why } in &asking {
            let about = match by {
                AskedBy::Sweep(system, kind) => format!("sweep of {} in {system}", kind.plural()),
                AskedBy::Hints(system, kind) => format!("hints of {system} about {}", kind.plural()),
                AskedBy::Pass => format!("pass of {flow}"),
            };
            out.line(format!("{about}: held {} {}", why.code, why.what));
            out.line(format!("    what to do: {}", why.remedy));
        }
        for (lane, called) in lanes.iter().zip(&names) {
            let (code, what, remedy) = reason(lane);
            out.line(format!("{}:{}: {} {code} {what}", lane.kind, called.key, lane.state));
            if !remedy.is_empty() {
                out.line(format!("    what to do: {remedy}"));
            }
        }
        out.line(format!("{} held, {} failed, {} waiting", of("held"), of("failed"), of("waiting")));
    }
    Ok(if lanes.is_empty() && asking.is_empty() { Exit::Agreed } else { Exit::Open })
}

fn reason(lane: &LaneRow) -> (&str, &str, &str) {
    lane.why.as_ref().map_or(("", "", ""), |why| (&why.code, &why.what, &why.remedy))
}

/// What asks a person about many records names none of them.
fn whole(asking: &Asking) -> Value {
    let Asking { flow, by, why } = asking;
    let (system, kind) = match by {
        AskedBy::Sweep(name, kind) | AskedBy::Hints(name, kind) => (Some(name), Some(kind)),
        AskedBy::Pass => (None, None),
    };
    json!({
        "state": "held", "flow": flow, "kind": kind, "key": null, "called": null, "system": system, "code": why.code, "what": why.what,
        "remedy": why.remedy, "attempts": 0,
    })
}

fn row(lane: &LaneRow, called: &Called) -> Value {
    let (code, what, remedy) = reason(lane);
    json!({
        "state": lane.state, "kind": lane.kind, "key": lane.label, "called": called.key, "system": called.shop, "code": code, "what": what, "remedy": remedy,
        "attempts": lane.attempts,
    })
}
