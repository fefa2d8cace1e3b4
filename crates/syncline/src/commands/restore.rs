//! `restore`: a copy of the store put in its place; the one that was there is kept beside it.

use super::backup::{line, named, told};
use crate::failure::{Exit, Failure};
use crate::out::Out;
use serde_json::json;
use std::path::PathBuf;
use syncline_engine::config::Config;
use syncline_store::copies;

const AFTER: &str = "\
Examples:
  syncline restore /mnt/safe/acme.db         says what would be put back; changes nothing
  syncline restore /mnt/safe/acme.db --yes   does it; the store that was there is kept beside it
Then `syncline adopt` and `syncline sync`: what was written after the copy was made is found by its mark and not made
again. Payments that nobody remembers are held for a person, who says with `syncline retry … --accept` that they are there.
Ends with 2 where there is something to put back.";

/// What.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The copy that `syncline backup` made
    file: PathBuf,
    /// Put it back
    #[arg(long)]
    yes: bool,
}

pub(crate) fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let copy = copies::holds(&args.file)?;
    let store = copies::holds(&config.store).ok();
    if !args.yes {
        if out.json {
            out.data(&json!({"restored": false, "copy": told(&copy), "store": store.as_ref().map(told)}));
        } else {
            out.line(format!("the copy:  {}", line(&copy)));
            out.line(format!(
                "the store: {}",
                store.as_ref().map_or_else(|| "none that can be read".to_string(), line)
            ));
            out.line("nothing was changed; --yes puts the copy in its place");
        }
        return Ok(Exit::Pending);
    }
    let aside = named(&config.store, "before");
    let holds = copies::put_back(&config.store, &args.file, &aside)?;
    let kept = aside.exists().then_some(&aside);
    if out.json {
        out.data(&json!({"restored": true, "copy": told(&holds), "kept": kept}));
    } else {
        out.line(format!("{}: {}", config.store.display(), line(&holds)));
        if let Some(kept) = kept {
            out.line(format!("what was there is kept as {}", kept.display()));
        }
        out.line("next: `syncline adopt`, `syncline sync`, `syncline verify`");
    }
    Ok(Exit::Agreed)
}
