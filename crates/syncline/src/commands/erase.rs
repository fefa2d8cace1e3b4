//! `erase`: a person's text taken out of the store; ids, amounts and hashes stay.

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
use syncline_store::{Erased, LaneRow, StoreError, copies};

const AFTER: &str = "\
Examples:
  syncline erase ada@example.org         whom that would be about, and what; changes nothing
  syncline erase ada@example.org --yes   does it
  syncline erase customer:17 --yes       one customer, as `explain` takes it
What any system showed of them or was sent goes, with all raw exchanges about them and their orders; a guest's e-mail address, too. Ids, numbers,
amounts, marks and hashes stay: papers that follow still find their orders, and the books of both sides are not touched.
Have the person erased in the shop and the ERP, too, as their law has it. What those still tell of them is not taken in again, unless they order anew.
Nothing is erased while a record of theirs is under way or open. Copies of the store hold what they held: see `syncline backup`.
How long raw exchanges are kept of everybody says `keep_evidence = \"90d\"` at the top of the file.";

/// Open records that are named.
const NAMED: usize = 10;

/// Whom.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// E-mail addresses, or customers as `explain` takes them
    #[arg(required_unless_present = "rewrite")]
    people: Vec<String>,
    /// Erase them
    #[arg(long)]
    yes: bool,
    /// Only write the store's file anew, so that nothing is left in it of what was erased before
    #[arg(long, conflicts_with_all = ["people", "yes"])]
    rewrite: bool,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    if args.rewrite {
        copies::rewrite(&config.store)?;
        if out.json {
            out.data(&json!({ "rewritten": true }));
        } else {
            out.line(format!("{} is written anew", config.store.display()));
        }
        return Ok(Exit::Agreed);
    }
    let engine = if args.yes { open::deciding(config, out).await? } else { open::looking(config)? };
    let mut people = Vec::new();
    for who in &args.people {
        people.extend(meant(&engine, who).await?);
    }
    people.sort_unstable();
    people.dedup();
    let told = engine.store.erase(people, args.yes, clock::now()).await?;
    drop(engine);
    refuse_what_is_open(&told, args.yes)?;
    if told.done {
        copies::rewrite(&config.store).map_err(|error| not_rewritten(&error))?;
    }
    if out.json {
        let open: Vec<String> = told.open.iter().map(name).collect();
        out.data(&json!({
            "people": told.people, "orders": told.orders, "papers": told.papers, "open": open, "until": told.strays, "erased": told.done,
        }));
    } else {
        tell(&told, out);
    }
    Ok(if told.done { Exit::Agreed } else { Exit::Pending })
}

/// They are erased, and the file may still hold what is not in the store any more.
fn not_rewritten(error: &StoreError) -> Failure {
    let what = format!("they are erased, but the store's file could not be written anew: {error}");
    let remedy = "free as much space as the store takes, end what reads it, then `syncline erase --rewrite`";
    Failure::new("SYN-0478", what, remedy)
}

/// The customers that `who` means: those of an e-mail address, or one by its name.
async fn meant(engine: &Engine, who: &str) -> Result<Vec<EntityId>, Failure> {
    let named = Named::of(who);
    if named.kind.is_none() && who.contains('@') {
        let found = engine.store.people_of(who.to_string()).await?;
        return match found.is_empty() {
            false => Ok(found),
            true => {
                let what = format!("nobody with the e-mail address `{who}` is known");
                Err(Failure::new(
                    "SYN-0430",
                    what,
                    "name one customer as `customer:ID`, or see whether they are erased already",
                ))
            }
        };
    }
    let entity = Named { kind: Some(named.kind.unwrap_or(Kind::Customer)), ..named }.entity(engine).await?;
    let story = engine.explain(entity).await?;
    if story.kind != Kind::Customer.word() {
        let what = format!("`{who}` is a record of {}, not a customer", story.kind);
        return Err(Failure::usage(what, "name a customer: an e-mail address, or `customer:ID`"));
    }
    Ok(vec![entity])
}

/// Refuses to erase what is under way.
fn refuse_what_is_open(told: &Erased, asked: bool) -> Result<(), Failure> {
    if !asked || told.done {
        return Ok(());
    }
    let named: Vec<String> = told.open.iter().take(NAMED).map(name).collect();
    let what = match told.strays {
        _ if !named.is_empty() => format!("nothing was erased: {} not at rest: {}", told.open.len(), named.join(", ")),
        Some(until) => format!("nothing was erased: a write about them may still land until {until:.0}"),
        None => "nothing was erased".to_string(),
    };
    Err(Failure::new("SYN-0477", what, "settle what `syncline explain` tells of these, or wait, then erase again"))
}

fn name(lane: &LaneRow) -> String {
    format!("{}:{} ({})", lane.kind, lane.label, lane.state)
}

fn tell(told: &Erased, out: Out) {
    let about =
        format!("{}, {}, {}", count(told.people, "customer"), count(told.orders, "order"), count(told.papers, "paper"));
    if told.done {
        out.line(format!("erased: {about}"));
        return;
    }
    out.line(about);
    for lane in told.open.iter().take(NAMED) {
        out.line(format!("not at rest, nothing can be erased yet: {}", name(lane)));
    }
    if let Some(until) = told.strays {
        out.line(format!("a write about them may still land until {until:.0}: nothing can be erased before"));
    }
    out.say("nothing is erased yet; the same with --yes does it");
}
