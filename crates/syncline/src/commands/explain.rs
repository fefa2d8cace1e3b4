//! `explain`: the story of one record, told from the store alone.

use super::Named;
use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::Out;
use std::collections::BTreeSet;
use syncline_engine::config::Config;
use syncline_engine::explain::RecordStory;

const AFTER: &str = "\
Examples:
  syncline explain order:000000012         by kind and number
  syncline explain 000000012               any kind
  syncline explain order:outlet/000000012  the one of that system, where several have it
  syncline explain shipment:12             a paper, by its number in the ERP; an order lists its own
  syncline explain customer:12 --json      with the raw exchanges";

/// Which record.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The record: `order:NUMBER`, `order:SYSTEM/NUMBER`, `customer:ID`, or its number or id in any system
    record: String,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let engine = open::looking(config)?;
    let entity = Named::of(&args.record).entity(&engine).await?;
    let story = engine.explain(entity).await?;
    if out.json {
        out.data(&story);
    } else {
        told(&story, out);
    }
    Ok(Exit::Agreed)
}

fn told(story: &RecordStory, out: Out) {
    out.line(&story.summary);
    if let Some(took) = story.took_s {
        let from = if story.kind == "order" { "placed" } else { "first seen" };
        out.line(format!("it stood on the other side {took} s after it was {from}"));
    }
    if let Some(why) = story.why.as_ref().filter(|why| !why.remedy.is_empty()) {
        out.line(format!("{} what to do: {}", why.code, why.remedy));
    }
    if !story.papers.is_empty() {
        out.line("");
        let rows: Vec<Vec<String>> = story
            .papers
            .iter()
            .map(|paper| {
                let why = paper.why.as_ref().map_or(String::new(), |why| format!("{} {}", why.code, why.what));
                vec![paper.key.clone(), paper.state.clone(), paper.tracks.join(", "), why.trim().to_string()]
            })
            .collect();
        out.table(&["PAPER", "STATE", "PARCELS", "WHY"], &rows);
    }
    if !story.writes.is_empty() {
        out.line("");
        let rows: Vec<Vec<String>> = story
            .writes
            .iter()
            .map(|write| {
                let number = write.delivery.to_string();
                let (target, step, guard) = (write.target.clone(), write.step.clone(), write.guard.clone());
                vec![number, target, step, guard, write.mark.clone(), write.progress.clone(), write.reason.clone()]
            })
            .collect();
        out.table(&["WRITE", "TARGET", "STEP", "GUARD", "MARK", "PROGRESS", "REASON"], &rows);
    }
    if !story.journal.is_empty() {
        out.line("");
        let rows: Vec<Vec<String>> = story
            .journal
            .iter()
            .map(|row| {
                let write = row.delivery.map_or(String::new(), |delivery| delivery.to_string());
                let entry = &row.entry;
                vec![format!("{:.3}", row.at), write, entry.event.clone(), entry.system.clone(), entry.detail.clone()]
            })
            .collect();
        out.table(&["WHEN", "WRITE", "EVENT", "SYSTEM", "DETAIL"], &rows);
    }
    sides(story, out);
    if !story.evidence.is_empty() {
        out.say(format!("{} raw exchanges are kept: `--json` shows them", story.evidence.len()));
    }
}

/// What each side shows, line by line.
fn sides(story: &RecordStory, out: Out) {
    let paths: BTreeSet<&String> = story.sides.values().flat_map(|side| side.shows.keys()).collect();
    if paths.is_empty() {
        return;
    }
    out.line("");
    let mut head = vec!["FIELD"];
    head.extend(story.sides.keys().map(String::as_str));
    let rows: Vec<Vec<String>> = paths
        .into_iter()
        .map(|path| {
            let mut row = vec![path.clone()];
            row.extend(story.sides.values().map(|side| side.shows.get(path).cloned().unwrap_or_default()));
            row
        })
        .collect();
    out.table(&head, &rows);
}
