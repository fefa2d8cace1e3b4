//! `backup`: a copy of the store, made beside whatever else runs.

use crate::clock;
use crate::failure::{Exit, Failure};
use crate::out::{Out, count};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use syncline_engine::config::Config;
use syncline_store::copies::{self, Holds};

const AFTER: &str = "\
Examples:
  syncline backup                     into a file beside the store, named by the moment
  syncline backup /mnt/safe/acme.db   into this file, which must not be there yet
The copy is of one moment, also while `syncline run` writes. Put it back with `syncline restore`.";

/// Where to.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The file to make
    file: Option<PathBuf>,
}

pub(crate) fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let to = args.file.clone().unwrap_or_else(|| named(&config.store, "at"));
    if to.exists() {
        let what = format!("{} is there already", to.display());
        return Err(Failure::usage(what, "name a file that is not there yet"));
    }
    let holds = copies::back_up(&config.store, &to)?;
    if out.json {
        out.data(&json!({"file": to, "holds": told(&holds)}));
    } else {
        out.line(format!("{}: {}", to.display(), line(&holds)));
    }
    Ok(Exit::Agreed)
}

/// A name beside the store with this moment in it: `syncline-at-20261201T093000Z.db`.
pub(super) fn named(store: &Path, word: &str) -> PathBuf {
    let stem = store.file_stem().map_or_else(|| "syncline".into(), |stem| stem.to_string_lossy().into_owned());
    let moment: String = format!("{:.0}", clock::now()).chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    store.with_file_name(format!("{stem}-{word}-{moment}.db"))
}

pub(super) fn told(holds: &Holds) -> Value {
    json!({"records": holds.records, "writes": holds.writes, "last": holds.last, "bytes": holds.bytes})
}

pub(super) fn line(holds: &Holds) -> String {
    let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let last = holds.last.map_or_else(|| "never written to".to_string(), |at| format!("last written to {at:.0}"));
    format!("{}, {}, {last}", count(size(holds.records), "record"), count(size(holds.writes), "write"))
}
