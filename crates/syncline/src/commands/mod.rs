//! The commands, one file each.

mod adopt;
mod apply;
mod approve;
mod backup;
mod check;
mod conflicts;
mod demo;
mod erase;
mod explain;
mod failures;
mod import;
mod init;
mod plan;
mod replay;
mod resolve;
mod restore;
mod retry;
mod run;
mod sim;
mod status;
mod sweep;
mod sync;
mod systems;
mod trial;
mod undo;
mod verify;

use crate::Global;
use crate::failure::{Exit, Failure};
use crate::out::Out;
use clap::Subcommand;
use syncline_core::id::EntityId;
use syncline_core::kind::{KINDS, Kind};
use syncline_engine::Engine;
use syncline_engine::config::Config;

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write syncline.toml: asks both systems, fills in the mapping tables
    Init(init::Args),
    /// Check the file against both systems: rights, guards, mapping rows
    Check(check::Args),
    /// Tie what both sides have already; writes nothing remote
    Adopt(adopt::Args),
    /// Show every write that would be done, with its reason; writes nothing remote
    Plan(plan::Args),
    /// What another file would make of all the store holds; asks nobody, writes nothing
    Replay(replay::Args),
    /// Carry out a plan, as far as nothing has changed since
    Apply(apply::Args),
    /// One pass: read what changed, write what is due
    Sync(sync::Args),
    /// Go through every key of both systems: what was missed, what is gone
    Sweep(sweep::Args),
    /// Pass after pass until stopped
    Run(run::Args),
    /// How the flows stand
    Status(status::Args),
    /// The story of one record
    Explain(explain::Args),
    /// What is held, failed or waiting, with the remedy
    Failures(failures::Args),
    /// Take up again what was held or failed
    Retry(retry::Args),
    /// Fields on which two systems differ and that only a person can decide
    Conflicts(conflicts::Args),
    /// Decide them: by side, by value, or leave both
    Resolve(resolve::Args),
    /// Let a pass through that changes a large part of a flow's records
    Approve(approve::Args),
    /// Take back what one pass wrote: shown first, then put back and kept so
    Undo(undo::Args),
    /// Orders from before the flow's first day: list them, let named ones through
    Import(import::Args),
    /// Compare both sides, and say of how many
    Verify(verify::Args),
    /// Copy the store, whoever writes to it
    Backup(backup::Args),
    /// Put such a copy in the place of the store, which is kept
    Restore(restore::Args),
    /// Take a person's text out of the store; ids and amounts stay
    Erase(erase::Args),
    /// Every system this binary can connect, and what the connected ones can do
    Systems(systems::Args),
    /// Simulated systems to try it on, and the simulation that anybody can rerun
    Sim(sim::Args),
    /// The main job between two simulated systems, with faults and kills, and the proof
    Demo(demo::Args),
}

/// Carries out `command`; the exit code it ends with.
///
/// # Errors
/// [`Failure`] with code, what and remedy.
pub(crate) async fn carry_out(command: Command, global: &Global, out: &Out) -> Result<Exit, Failure> {
    let out = *out;
    let file = || Config::load(&global.config).map_err(Failure::from);
    match command {
        Command::Init(args) => init::carry_out(args, &global.config, out).await,
        Command::Check(args) => check::carry_out(&args, &file()?, out).await,
        Command::Adopt(args) => adopt::carry_out(&args, &file()?, out).await,
        Command::Plan(args) => plan::carry_out(&args, &file()?, out).await,
        Command::Replay(args) => replay::carry_out(&args, &file()?, out).await,
        Command::Apply(args) => apply::carry_out(&args, &file()?, out).await,
        Command::Sync(args) => sync::carry_out(&args, &file()?, out).await,
        Command::Sweep(args) => sweep::carry_out(&args, &file()?, out).await,
        Command::Run(args) => run::carry_out(&args, &file()?, out).await,
        Command::Status(args) => status::carry_out(&args, &file()?, out).await,
        Command::Explain(args) => explain::carry_out(&args, &file()?, out).await,
        Command::Failures(args) => failures::carry_out(&args, &file()?, out).await,
        Command::Retry(args) => retry::carry_out(&args, &file()?, out).await,
        Command::Conflicts(args) => conflicts::carry_out(&args, &file()?, out).await,
        Command::Resolve(args) => resolve::carry_out(&args, &file()?, out).await,
        Command::Approve(args) => approve::carry_out(&args, &file()?, out).await,
        Command::Undo(args) => undo::carry_out(&args, &file()?, out).await,
        Command::Import(args) => import::carry_out(&args, &file()?, out).await,
        Command::Verify(args) => verify::carry_out(&args, &file()?, out).await,
        Command::Backup(args) => backup::carry_out(&args, &file()?, out),
        Command::Restore(args) => restore::carry_out(&args, &file()?, out),
        Command::Erase(args) => erase::carry_out(&args, &file()?, out).await,
        Command::Systems(args) => systems::carry_out(&args, &global.config, out).await,
        Command::Sim(args) => sim::carry_out(args, out).await,
        Command::Demo(args) => demo::carry_out(&args, out).await,
    }
}

/// A record as a person names it: `order:1001`, `1001` for any kind, `order:outlet/1001` for the one of that system.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    kind: Option<Kind>,
    key: String,
}

impl Named {
    fn of(text: &str) -> Self {
        match text.split_once(':').map(|(word, key)| (word.parse::<Kind>(), key)) {
            Some((Ok(kind), key)) => Self { kind: Some(kind), key: key.to_string() },
            _ => Self { kind: None, key: text.to_string() },
        }
    }

    /// The one entity it names.
    async fn entity(&self, engine: &Engine) -> Result<EntityId, Failure> {
        let mut found = Vec::new();
        match self.kind {
            Some(kind) => found.extend(engine.named(kind, &self.key).await?),
            None => {
                for kind in KINDS {
                    // A paper's number may be an order's too: who says only a number means the order.
                    if !kind.is_paper() || found.is_empty() {
                        found.extend(engine.named(kind, &self.key).await?);
                    }
                }
            }
        }
        match found.as_slice() {
            [one] => Ok(*one),
            [] => {
                let what = format!("no record is called `{}`", self.key);
                let remedy = "name it as `order:NUMBER`, `customer:ID`, `credit:NUMBER` …; what is not read yet comes with `syncline sync`";
                Err(Failure::new("SYN-0430", what, remedy))
            }
            several => Err(self.ambiguous(engine, several).await?),
        }
    }

    async fn ambiguous(&self, engine: &Engine, found: &[EntityId]) -> Result<Failure, Failure> {
        let mut names = Vec::new();
        for entity in found.iter().take(20) {
            let story = engine.explain(*entity).await?;
            let ids = story.sides.iter().filter_map(|(name, side)| Some(format!("{name} {}", side.id.as_ref()?)));
            let name = engine.own_name(*entity).await?;
            names.push(format!("{name} ({})", ids.collect::<Vec<_>>().join(", ")));
        }
        let what = format!("{} records are called `{}`: {}", found.len(), self.key, names.join("; "));
        Ok(Failure::new("SYN-0431", what, "name one of them just as it stands there"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_named_with_or_without_its_kind() {
        assert_eq!(Named::of("order:1001"), Named { kind: Some(Kind::Order), key: "1001".into() });
        assert_eq!(Named::of("1001"), Named { kind: None, key: "1001".into() });
        assert_eq!(Named::of("W1:1001"), Named { kind: None, key: "W1:1001".into() });
    }
}
