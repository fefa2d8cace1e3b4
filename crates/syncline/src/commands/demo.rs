//! `demo`: the main job on a fresh machine, with faults and kills, and at the end the proof.

use crate::failure::{Exit, Failure};
use crate::out::Out;
use crate::signals;
use syncline_trial::demo;

const AFTER: &str = "\
A Magento shop and a Tryton ERP are simulated as processes of their own; requests and answers get lost, Syncline is
killed with SIGKILL again and again; then what both systems really hold is counted.

Examples:
  syncline demo               leaves both systems up, and says what to try
  syncline demo --exit --json only the proof, as JSON";

/// How to run it.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// End when the proof is told, instead of leaving the simulated systems up
    #[arg(long)]
    exit: bool,
    /// Decides catalogue, orders and faults
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Orders in the shop
    #[arg(long, default_value_t = 400)]
    orders: u64,
    /// Times Syncline is killed
    #[arg(long, default_value_t = 6)]
    kills: u64,
}

/// Runs the demo; exits 0 where the proof holds.
///
/// # Errors
/// Where a process cannot be started or does not come to an end.
pub(crate) async fn carry_out(args: &Args, out: Out) -> Result<Exit, Failure> {
    let failed = |error: demo::DemoError| {
        Failure::new("SYN-0435", error.to_string(), "run it again; if it fails again, report it with this text")
    };
    let exe = std::env::current_exe().map_err(|error| {
        Failure::new("SYN-0435", format!("this program's own path is not known: {error}"), "start it by its full path")
    })?;
    let wish = demo::Wish { seed: args.seed, orders: args.orders, kills: args.kills };
    let mut stage = demo::Stage::set(&exe, &wish, |line| out.say(line)).await.map_err(failed)?;
    let proof = tokio::select! {
        biased;
        () = signals::asked() => return Ok(Exit::Failed),
        proof = stage.play(|line| out.say(line)) => proof,
    };
    if !proof.as_ref().is_ok_and(demo::Proof::holds) {
        out.say(format!("what the demo left behind lies in {}", stage.keep().display()));
    }
    let proof = proof.map_err(failed)?;
    if out.json {
        out.data(&proof);
    } else {
        for line in proof.lines() {
            out.line(line);
        }
    }
    if !args.exit {
        for line in stage.invitation() {
            out.line(line);
        }
        signals::asked().await;
    }
    Ok(if proof.holds() { Exit::Agreed } else { Exit::Failed })
}
