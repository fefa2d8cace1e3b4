//! `retry`: what was held or failed is taken up again by the next pass.

use super::Named;
use crate::clock;
use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::{Out, count};
use serde_json::json;
use syncline_core::id::EntityId;
use syncline_core::kind::Kind;
use syncline_engine::Engine;
use syncline_engine::config::Config;
use syncline_store::Retry;

const AFTER: &str = "\
Examples:
  syncline retry order:000000012            one record
  syncline retry --all                      everything held or failed
  syncline retry order:000000012 --accept   both sides are right as they are now: nothing is sent for it
  syncline retry --accept shipment:12       a paper that is held: people have told the shop, it is left to them
An order changed or cancelled in the shop after it arrived is carried over where the file says so (`amendments`) and it can be.
Where it is asked about instead, it needs --accept, once both sides are put right by hand.
One that was not paid by its deadline is not asked about any more with --accept, and goes on once it is paid.
What is not due yet, or no part of the flow, is not taken up.";

/// Which records.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The records, as `explain` takes them
    #[arg(required_unless_present = "all")]
    records: Vec<String>,
    /// Everything held or failed
    #[arg(long, conflicts_with_all = ["records", "accept"])]
    all: bool,
    /// Take both sides as they are: what differs now counts as agreed
    #[arg(long)]
    accept: bool,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let engine = open::deciding(config, out).await?;
    let mut retried = 0;
    if args.all {
        retried = engine.store.retry(Retry::All, clock::now()).await?;
    }
    for record in &args.records {
        let entity = Named::of(record).entity(&engine).await?;
        if args.accept {
            open_enough(&engine, entity, record).await?;
            engine.leave_unreleased(entity).await?;
        }
        retried += engine.store.retry(Retry::One { entity, rebase: args.accept }, clock::now()).await?;
    }
    if out.json {
        out.data(&json!({ "retried": retried }));
    } else {
        out.line(format!("{} taken up again by the next `syncline sync`", count(retried, "record")));
    }
    Ok(Exit::Agreed)
}

/// Refuses to leave a paper to people that nobody was asked about: it would never be told.
async fn open_enough(engine: &Engine, entity: EntityId, record: &str) -> Result<(), Failure> {
    let story = engine.explain(entity).await?;
    let is_paper = story.kind.parse().is_ok_and(Kind::is_paper);
    if !is_paper || ["held", "failed"].contains(&story.state.as_str()) {
        return Ok(());
    }
    let what = format!("`{record}` is {} and not held: nobody was asked about it", story.state);
    Err(Failure::new(
        "SYN-0475",
        what,
        "`syncline failures` lists what is held; a paper that is accepted is left to people for good",
    ))
}
