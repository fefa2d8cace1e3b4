//! `replay`: what another file would have made of everything the store holds. No system is asked, nothing is written.

use super::plan::flow;
use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::{Out, count};
use crate::progress::LINE_EVERY;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use syncline_engine::config::Config;
use syncline_engine::replay::Outcome;
use syncline_store::LaneFilter;
use tokio::time::Instant;

const AFTER: &str = "\
Examples:
  syncline replay changed.toml                   every record that comes out otherwise, and how
  syncline replay changed.toml orders --fields   with every field that would be written otherwise
  syncline replay changed.toml --json | tail -1  {\"records\":…,\"differ\":…,\"changes\":…}
Orders are taken as if they had just come, every other record as it stands. What the systems told is read from the store;
what they can do is taken as their kinds can at best, for none is asked. Ends with 2 where anything comes out otherwise.";

/// Which file, and of what.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The other configuration; its systems have the uids of the first one's
    #[arg(value_name = "CHANGED")]
    changed: PathBuf,
    /// One flow only: products, customers, inventory, prices, orders or papers
    flow: Option<String>,
    /// Show every field that would be written otherwise
    #[arg(long)]
    fields: bool,
}

/// Rows a person is shown.
const SHOWN: usize = 200;

/// A record that comes out otherwise.
struct Row {
    kind: String,
    called: String,
    now: Outcome,
    then: Outcome,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let flow = flow(args.flow.as_deref())?;
    let changed = Config::load(&args.changed)?;
    comparable(config, &changed)?;
    let changed = Config { store: config.store.clone(), ..changed };
    let (now, then) = (open::looking(config)?, open::looking(&changed)?);
    let mut lanes = now.store.lanes(LaneFilter::default()).await?;
    lanes.retain(|lane| flow.is_none_or(|flow| lane.kind.flow() == flow));
    let names = now.names_of(&lanes).await?;
    let (mut rows, mut changes): (Vec<Row>, BTreeMap<String, u64>) = (Vec::new(), BTreeMap::new());
    let mut told = Instant::now();
    for (at, (lane, called)) in lanes.iter().zip(names).enumerate() {
        let (one, two) = (now.replayed(lane.entity).await?, then.replayed(lane.entity).await?);
        if one.differs(&two) {
            *changes.entry(change(&one, &two)).or_default() += 1;
            let row = Row { kind: lane.kind.to_string(), called: called.key, now: one, then: two };
            match out.json {
                true => out.data(&json!({ "kind": row.kind, "key": row.called, "now": row.now, "then": row.then })),
                false if rows.len() < SHOWN => rows.push(row),
                false => {}
            }
        }
        if told.elapsed() >= LINE_EVERY {
            told = Instant::now();
            out.say(format!("{} of {} replayed, {} differ", at + 1, lanes.len(), changes.values().sum::<u64>()));
        }
    }
    let differ: u64 = changes.values().sum();
    if out.json {
        out.data(&json!({ "records": lanes.len(), "differ": differ, "changes": changes }));
    } else {
        tell(&rows, args.fields, out);
        let more = usize::try_from(differ).unwrap_or(usize::MAX).saturating_sub(rows.len());
        if more > 0 {
            out.line(format!("… and {} (all with --json)", count(more, "more record")));
        }
        if differ > 0 {
            out.line("");
        }
        changes.iter().for_each(|(change, many)| out.line(format!("{many} × {change}")));
        out.line(format!("of {}, {differ} would come out otherwise", count(lanes.len(), "record")));
    }
    Ok(if differ == 0 { Exit::Agreed } else { Exit::Pending })
}

/// Refuses files that do not speak of the same systems: nothing in the store would be theirs.
fn comparable(config: &Config, changed: &Config) -> Result<(), Failure> {
    let known = |uid| config.systems.values().any(|system| system.uid == uid);
    match changed.systems.values().find(|system| !known(system.uid.clone())) {
        None => Ok(()),
        Some(system) => {
            let what = format!("{}: [systems.{}] is not in {}", changed.shown(), system.name, config.shown());
            Err(Failure::new("SYN-0479", what, "give it the `uid` it has there: what was told is kept by it"))
        }
    }
}

/// In what sense a record comes out otherwise.
fn change(now: &Outcome, then: &Outcome) -> String {
    if now.comes_to != then.comes_to {
        return format!("{} → {}", now.comes_to, then.comes_to);
    }
    let fields: Vec<String> = now.fields_apart(then).into_keys().collect();
    match fields.as_slice() {
        [] => format!("{}, for another reason", now.comes_to),
        [one] => format!("{} with another {}", now.comes_to, general(one)),
        several => format!("{} with other fields: {}", now.comes_to, all(several)),
    }
}

/// The fields of `paths` in general, each once.
fn all(paths: &[String]) -> String {
    let general: std::collections::BTreeSet<String> = paths.iter().map(|path| general(path)).collect();
    general.into_iter().collect::<Vec<_>>().join(", ")
}

/// A path without the keys of its elements: `lines[].tax`.
fn general(path: &str) -> String {
    let mut shown = String::new();
    let mut depth = 0_u32;
    for one in path.chars() {
        depth = if one == ']' { depth.saturating_sub(1) } else { depth };
        if depth == 0 {
            shown.push(one);
        }
        depth += u32::from(one == '[');
    }
    shown
}

fn tell(rows: &[Row], fields: bool, out: Out) {
    if fields {
        for row in rows {
            out.line(format!("{} {}: {} → {}", row.kind, row.called, shown(&row.now), shown(&row.then)));
            for (path, [now, then]) in row.now.fields_apart(&row.then) {
                let word = |value: Option<String>| value.unwrap_or_else(|| "–".to_string());
                out.line(format!("    {path}: {} → {}", word(now), word(then)));
            }
        }
    } else {
        let cells = |row: &Row| vec![row.kind.clone(), row.called.clone(), shown(&row.now), shown(&row.then)];
        out.table(&["KIND", "KEY", "NOW", "WITH THE OTHER FILE"], &rows.iter().map(cells).collect::<Vec<_>>());
    }
}

fn shown(outcome: &Outcome) -> String {
    match (outcome.fields.len(), outcome.why.as_str()) {
        (0, "") => outcome.comes_to.clone(),
        (0, why) => format!("{}: {why}", outcome.comes_to),
        (fields, _) => format!("{}, {}", outcome.comes_to, count(fields, "field")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_in_general() {
        assert_eq!(general("lines[17].taxes[VAT [1]].rate"), "lines[].taxes[].rate");
        assert_eq!(general("reference"), "reference");
    }
}
