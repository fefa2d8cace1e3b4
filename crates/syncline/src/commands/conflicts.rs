//! `conflicts`: the fields on which two systems differ and that only a person can decide.

use super::Named;
use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::{Out, count};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::id::SystemName;
use syncline_core::path::Path;
use syncline_engine::Engine;
use syncline_engine::config::Config;
use syncline_engine::conflicts::{ConflictRow, ConflictSide, Which};

const AFTER: &str = "\
Examples:
  syncline conflicts                             every field that waits for a person
  syncline conflicts --field 'texts.*.name'      names only
  syncline conflicts variant:MUG --json          one record, with both bases and both values
Decide them with `syncline resolve`. Ends with 3 where there is any.";

/// Which conflicts.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The records, as `explain` takes them; all where none is named
    records: Vec<String>,
    /// Only fields of this name; `*` stands for one part of it
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
    /// Only with this one of several shops
    #[arg(long, value_name = "SYSTEM")]
    system: Option<String>,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let engine = open::looking(config)?;
    let which = which(&engine, &args.records, args.field.as_deref(), args.system.as_deref()).await?;
    let rows = engine.conflicts(&which).await?;
    let mut fields: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *fields.entry(row.field.as_str()).or_default() += 1;
    }
    if out.json {
        out.data(&json!({ "conflicts": rows, "fields": fields }));
    } else {
        told(&rows, out);
        for (field, n) in &fields {
            out.say(format!("{field}: {}", count(*n, "record")));
        }
        out.line(count(rows.len(), "conflict"));
    }
    Ok(if rows.is_empty() { Exit::Agreed } else { Exit::Open })
}

/// The conflicts that are meant.
pub(super) async fn which(
    engine: &Engine,
    records: &[String],
    field: Option<&str>,
    system: Option<&str>,
) -> Result<Which, Failure> {
    let mut which = Which::default();
    if let Some(system) = system {
        which.system = Some(engine.system(&SystemName::new(system))?.name.clone());
    }
    for record in records {
        which.records.push(Named::of(record).entity(engine).await?);
    }
    if let Some(field) = field {
        let path = Path::try_from(field.to_string());
        let wrong = |error| Failure::usage(format!("--field: {error}"), "name it as `syncline conflicts` shows it");
        which.field = Some(path.map_err(wrong)?);
    }
    Ok(which)
}

fn told(rows: &[ConflictRow], out: Out) {
    if rows.is_empty() {
        return;
    }
    let systems: BTreeSet<&str> = rows.iter().flat_map(|row| row.sides.keys().map(String::as_str)).collect();
    let mut head = vec!["RECORD", "FIELD"];
    head.extend(&systems);
    head.push("");
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let mut cells = vec![format!("{}:{}", row.kind, row.called), row.field.clone()];
            let side = |system: &&str| row.sides.get(*system).map(|side| cell(side, row.first || row.undone));
            cells.extend(systems.iter().map(|system| side(system).unwrap_or_default()));
            let why = [(row.undone, "undone"), (row.withdrawn, "taken out")];
            cells.push(why.into_iter().find(|(is, _)| *is).map_or("", |(_, word)| word).to_string());
            cells
        })
        .collect();
    out.table(&head, &cells);
}

/// `was → is (when, by whom)`, cut to what a line holds.
fn cell(side: &ConflictSide, first: bool) -> String {
    let short = |text: &Option<String>| match text {
        None => "nothing".to_string(),
        Some(text) => format!("`{}`", syncline_core::text::shown(text, 40)),
    };
    let who = side.by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
    let is = short(&side.value);
    match first {
        true => format!("{is} ({:.0}{who})", side.at),
        false => format!("{} → {is} ({:.0}{who})", short(&side.base), side.at),
    }
}
