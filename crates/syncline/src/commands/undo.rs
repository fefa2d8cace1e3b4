//! `undo`: what a run wrote, taken back: listed, shown, then carried out.

use crate::failure::{Exit, Failure};
use crate::out::{Out, count};
use crate::patience::patiently;
use crate::{open, progress, signals};
use serde_json::{Value, json};
use syncline_core::id::RunId;
use syncline_core::text::shown;
use syncline_engine::Engine;
use syncline_engine::config::Config;
use syncline_engine::undo::{Fate, FieldRow, Undo};

const AFTER: &str = "\
Examples:
  syncline undo                     the newest runs: every pass that wrote something is one
  syncline undo 17                  what taking it back would do, field by field; changes nothing
  syncline undo 17 --only MUG PEN   the same for some records
  syncline undo 17 --yes            does it
Fields of products and prices are put back, unless somebody has changed them since. What the run wrote does not cross
again: it stands in `syncline conflicts` until its source shows something new or `syncline resolve` lets it through.
Orders, their papers, customers and stock stay as they are, and are listed with the reason. Ends with 2 where there is something to undo.";

/// Which run.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Its number; none to list the newest
    run: Option<u64>,
    /// Only records with these keys
    #[arg(long, value_name = "KEY", num_args = 1.., requires = "run")]
    only: Vec<String>,
    /// Take it back
    #[arg(long, requires = "run")]
    yes: bool,
}

/// Runs that are listed.
const LISTED: usize = 20;
/// Rows a person is shown.
const SHOWN: usize = 200;
/// Characters of a value a person is shown.
const CUT: usize = 40;

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    match args.run.map(RunId) {
        None => listed(&open::looking(config)?, out).await,
        Some(run) if args.yes => taken_back(&open::working(config, out).await?, run, &args.only, out).await,
        Some(run) => looked_at(&open::watching(config).await?, run, &args.only, out).await,
    }
}

async fn listed(engine: &Engine, out: Out) -> Result<Exit, Failure> {
    let runs = engine.runs(LISTED).await?;
    if out.json {
        out.data(&json!({ "runs": runs.newest, "of": runs.of }));
        return Ok(Exit::Agreed);
    }
    let row = |row: &syncline_store::RunRow| {
        let writes: Vec<String> = row.writes.iter().map(|(flow, n)| format!("{n} {flow}")).collect();
        vec![row.run.to_string(), format!("{:.0}", row.at), row.command.clone(), writes.join(", ")]
    };
    let rows: Vec<Vec<String>> = runs.newest.iter().map(row).collect();
    out.table(&["RUN", "WHEN", "COMMAND", "WRITES"], &rows);
    out.line(format!("{} of {}", rows.len(), count(usize::try_from(runs.of).unwrap_or(usize::MAX), "run")));
    Ok(Exit::Agreed)
}

/// What taking `run` back would do.
async fn undo_of(engine: &Engine, run: RunId, only: &[String], out: Out) -> Result<Undo, Failure> {
    let undo = patiently(engine, out, async || engine.undo_of(run, only).await).await?;
    let missing = || Failure::new("SYN-0407", format!("no run {run} wrote anything"), "`syncline undo` lists the runs");
    let undo = undo.ok_or_else(missing)?;
    if !only.is_empty() && undo.fields.is_empty() && undo.stays.is_empty() {
        let what = format!("run {run} wrote nothing that is called {}", only.join(", "));
        return Err(Failure::new("SYN-0408", what, format!("`syncline undo {run}` shows what it wrote")));
    }
    Ok(undo)
}

async fn looked_at(engine: &Engine, run: RunId, only: &[String], out: Out) -> Result<Exit, Failure> {
    let undo = undo_of(engine, run, only, out).await?;
    if out.json {
        out.data(&told_as_json(&undo));
    } else {
        told(&undo, out);
        out.line(format!("{}; nothing was changed", sums(&undo)));
    }
    let nothing = undo.fields.iter().all(|row| row.fate == Fate::Left);
    if !nothing && !out.json {
        let only = if only.is_empty() { String::new() } else { format!(" --only {}", only.join(" ")) };
        out.say(format!("`syncline undo {run}{only} --yes` does it"));
    }
    Ok(if nothing { Exit::Agreed } else { Exit::Pending })
}

async fn taken_back(engine: &Engine, run: RunId, only: &[String], out: Out) -> Result<Exit, Failure> {
    engine.recover().await?;
    let undo = undo_of(engine, run, only, out).await?;
    let work = engine.undo(&undo);
    let (done, stopped) = signals::stoppable(engine, out, work, progress::tell(engine, out)).await;
    let done = done?;
    let (flows, new) = (engine.status().await?, engine.last_run().await);
    if out.json {
        let mut told = told_as_json(&undo);
        if let Some(fields) = told.as_object_mut() {
            fields.insert("undone".to_string(), json!(done.undone));
            fields.insert("unfinished".to_string(), json!(done.unfinished));
            fields.insert("by".to_string(), json!(new));
            fields.insert("flows".to_string(), json!(flows));
        }
        out.data(&told);
    } else {
        told(&undo, out);
        for row in &done.unfinished {
            out.line(format!("{}: {} {} {}", row.id, row.state, row.why.code, row.why.what));
        }
        let by = new.map_or(String::new(), |new| format!(", by run {new}"));
        out.line(format!("{}; {} undone{by}", sums(&undo), count(done.undone, "field")));
        super::status::told(&flows, out);
    }
    if stopped {
        out.say("stopped before the end; what was taken down so far is carried out by the next `syncline sync`");
        return Ok(Exit::Failed);
    }
    if let Some((system, error)) = engine.any_paused() {
        return Err(Failure::system(&system, &error));
    }
    Ok(if done.unfinished.is_empty() { Exit::of(flows.values()) } else { Exit::Pending })
}

fn told_as_json(undo: &Undo) -> Value {
    let of = |fate| undo.with(fate).count();
    json!({
        "run": undo.run.run, "at": undo.run.at, "command": undo.run.command, "writes": undo.run.writes,
        "fields": undo.fields, "stays": undo.stays,
        "back": of(Fate::Back), "kept": of(Fate::Kept), "left": of(Fate::Left),
    })
}

fn sums(undo: &Undo) -> String {
    let of = |fate| undo.with(fate).count();
    format!(
        "{} to put back, {} changed since, {} left to the flow, {} that stay",
        count(of(Fate::Back), "field"),
        of(Fate::Kept),
        of(Fate::Left),
        count(undo.stays.iter().map(|row| row.steps.len()).sum(), "write")
    )
}

/// The fields and writes of a run, each sort under a head of its own.
fn told(undo: &Undo, out: Out) {
    let short = |text: &Option<String>| text.as_ref().map_or("nothing".to_string(), |text| shown(text, CUT));
    let place =
        |row: &FieldRow| vec![format!("{}:{}", row.kind, row.key), row.target.to_string(), row.field.to_string()];
    let back = undo.with(Fate::Back).map(|row| {
        let mut cells = place(row);
        cells.extend([short(&row.now), short(&row.before)]);
        cells
    });
    bounded(&["RECORD", "SYSTEM", "FIELD", "NOW", "BACK TO"], back.collect(), out);
    let others = undo.fields.iter().filter(|row| row.fate != Fate::Back).map(|row| {
        let mut cells = place(row);
        cells.extend([short(&row.now), row.why.clone().unwrap_or_default()]);
        cells
    });
    bounded(&["NOT PUT BACK", "SYSTEM", "FIELD", "NOW", "WHY"], others.collect(), out);
    let stays = undo.stays.iter().map(|row| {
        vec![format!("{}:{}", row.kind, row.key), row.target.to_string(), row.steps.join(", "), row.why.clone()]
    });
    bounded(&["STAYS", "SYSTEM", "STEPS", "WHY"], stays.collect(), out);
    let Undo { run, .. } = undo;
    out.line(format!("run {}, {:.0}, {}", run.run, run.at, run.command));
}

fn bounded(head: &[&str], rows: Vec<Vec<String>>, out: Out) {
    out.table(head, rows.get(..SHOWN).unwrap_or(&rows));
    if rows.len() > SHOWN {
        out.line(format!("… and {} (all with --json)", count(rows.len() - SHOWN, "more row")));
    }
    if !rows.is_empty() {
        out.line("");
    }
}
