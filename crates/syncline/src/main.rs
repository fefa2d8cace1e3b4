//! Syncline: keeps shops and ERPs in agreement, and can prove it.

mod clock;
mod commands;
mod failure;
mod loan;
mod open;
mod out;
mod patience;
mod progress;
mod signals;
mod uids;

use clap::Parser;
use failure::{Exit, Failure};
use out::Out;
use std::path::PathBuf;
use std::process::ExitCode;

/// Records are many small texts: the C library's allocator took a quarter of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AFTER: &str = "\
Examples:
  syncline init --yes --start all --shop magento=https://shop.example --erp tryton=https://erp.example/acme
  syncline check && syncline adopt      both sides answer; products they share are tied by SKU
  syncline plan                         every write it would do; nothing is sent
  syncline sync                         does it; kill it at any moment and run it again
  syncline verify --json                compares both sides and says of how many
  syncline explain order:000000012      the story of one order

Exit codes: 0 agreed, 1 failed, 2 changes pending (verify: drift), 3 something is open, 64 usage, 75 the store is in use.
What is asked for goes to stdout, all talk to stderr.";

/// Keeps shops and ERPs in agreement, field by field, and can prove it
#[derive(Debug, Parser)]
#[command(name = "syncline", version, after_help = AFTER, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: commands::Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
struct Global {
    /// The configuration
    #[arg(long, global = true, value_name = "FILE", default_value = "syncline.toml")]
    config: PathBuf,
    /// JSON on stdout, errors too
    #[arg(long, global = true)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let out = Out::new(cli.global.json);
    let ended = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(async {
            signals::outlive_file_limits();
            commands::carry_out(cli.command, &cli.global, &out).await
        }),
        Err(error) => Err(Failure::new("SYN-0905", format!("the runtime cannot start: {error}"), "free some memory")),
    };
    let exit = ended.unwrap_or_else(|failure| out.fail(&failure));
    out.ended(exit).into()
}

/// Help and version are answers; anything else is a misuse.
fn usage(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    let help = [ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
    if help.contains(&error.kind()) {
        let out = Out::new(false);
        out.written(error.print());
        return out.ended(if error.exit_code() == 0 { Exit::Agreed } else { Exit::Usage }).into();
    }
    let text = error.to_string();
    let (told, more) = text.split_once("\n\n").unwrap_or((&text, ""));
    let what = told.trim_start_matches("error: ").lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let tip = more.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    let remedy =
        tip.map_or_else(|| "see `syncline --help`".to_string(), |tip| format!("{tip}; or see `syncline --help`"));
    let out = Out::new(std::env::args().any(|arg| arg == "--json"));
    let exit = out.fail(&Failure::usage(what, remedy));
    out.ended(exit).into()
}
