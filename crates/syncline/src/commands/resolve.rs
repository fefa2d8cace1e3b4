//! `resolve`: a person's decision on fields that two systems show differently.

use super::conflicts::which;
use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::{Out, count};
use syncline_core::id::SystemName;
use syncline_engine::Engine;
use syncline_engine::config::Config;
use syncline_engine::conflicts::Choice;

const AFTER: &str = "\
Examples:
  syncline resolve variant:MUG --take erp                        the ERP's values count
  syncline resolve variant:MUG --field texts.de.name --value Humpen
  syncline resolve --all --field 'texts.*.name' --take shop      one direction for one field of every record
  syncline resolve --all --system outlet --take erp              of two shops, what the ERP and this one differ on
  syncline resolve --all --leave                                 both stay as they are until one changes again
  syncline resolve variant:MUG --gone                            it was deleted in one system, and that is right so
Nothing is written by this: the next `syncline sync` does. `syncline plan` shows what it will write.
For a standing rule write `fields = { \"texts.*.name\" = \"merge:erp\" }` under the flow.";

/// Which conflicts, and what is decided.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
#[command(group = clap::ArgGroup::new("choice").required(true).args(["take", "value", "leave", "gone"]))]
pub(crate) struct Args {
    /// The records, as `explain` takes them
    #[arg(required_unless_present = "all")]
    records: Vec<String>,
    /// Every record
    #[arg(long, conflicts_with = "records")]
    all: bool,
    /// Only fields of this name; `*` stands for one part of it
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
    /// Only with this one of several shops
    #[arg(long, value_name = "SYSTEM")]
    system: Option<String>,
    /// The system whose value counts
    #[arg(long, value_name = "SYSTEM")]
    take: Option<String>,
    /// A value for both; an empty one empties the field
    #[arg(long, value_name = "TEXT", requires = "field")]
    value: Option<String>,
    /// Both stay as they are, until one of them changes again
    #[arg(long)]
    leave: bool,
    /// It is right that a system does not have these records any more: they are no part of the flow from now on
    #[arg(long, conflicts_with_all = ["field", "all"])]
    gone: bool,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let engine = open::deciding(config, out).await?;
    if args.gone {
        return accept_gone(&engine, args, out).await;
    }
    let choice = match (&args.take, &args.value) {
        (Some(system), _) => Choice::Take(SystemName::new(system.clone())),
        (None, Some(text)) => Choice::Value(text.clone()),
        (None, None) => Choice::Leave,
    };
    let which = which(&engine, &args.records, args.field.as_deref(), args.system.as_deref()).await?;
    let resolved = engine.resolve(&which, &choice).await?;
    if resolved.fields == 0 {
        return Err(Failure::new("SYN-0432", "no conflict is meant by that", "`syncline conflicts` lists them"));
    }
    if out.json {
        out.data(&resolved);
    } else {
        let (fields, records) = (count(resolved.fields, "field"), count(resolved.records, "record"));
        out.line(format!("{fields} of {records} decided; the next `syncline sync` carries it out"));
    }
    Ok(Exit::Agreed)
}

/// Takes down that records are rightly gone.
async fn accept_gone(engine: &Engine, args: &Args, out: Out) -> Result<Exit, Failure> {
    let records = which(engine, &args.records, None, None).await?.records;
    for (entity, name) in records.iter().zip(&args.records) {
        if !engine.accept_gone(*entity).await? {
            let what = format!("`{name}` is not gone from any system");
            return Err(Failure::new("SYN-0441", what, "`syncline sweep` finds out what is gone"));
        }
    }
    match out.json {
        true => out.data(&serde_json::json!({ "gone": records.len() })),
        false => out.line(format!("{} left out from now on", count(records.len(), "record"))),
    }
    Ok(Exit::Agreed)
}
