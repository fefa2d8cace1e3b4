//! `approve`: a person lets a pass through that changes a large part of a flow's records.

use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::Out;
use serde_json::json;
use syncline_core::kind::Flow;
use syncline_engine::config::Config;

const AFTER: &str = "\
Examples:
  syncline plan products       what would be changed, field by field
  syncline approve products    lets it through
A pass that would change more than a fifth of the records of a flow, and more than 25, waits for this.
The approval covers as many changes as there are now, until the flow is at rest.";

/// Which flow.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// `products` or `prices`
    flow: String,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let unknown = || Failure::usage(format!("there is no flow `{}`", args.flow), "name `products` or `prices`");
    let flow: Flow = args.flow.parse().map_err(|()| unknown())?;
    let engine = open::working(config, out).await?;
    let gate = engine.approve(flow).await?;
    if out.json {
        out.data(&json!({ "flow": flow, "approved": gate }));
    } else {
        match gate {
            Some(gate) => out.line(format!("{} changes of {} records approved", gate.changes, gate.of)),
            None => out.line(format!("nothing of {flow} waits for an approval")),
        }
    }
    Ok(Exit::Agreed)
}
