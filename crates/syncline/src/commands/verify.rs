//! `verify`: both sides compared, record by record; every zero says of how many.

use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::Out;
use crate::patience::patiently;
use syncline_core::kind::Kind;
use syncline_engine::config::Config;
use syncline_engine::verify::Proof;

const AFTER: &str = "\
Examples:
  syncline verify                       reads both sides now
  syncline verify --stored              compares orders as both showed them when they were last read; asks no system
  syncline verify --json | jq .drift
Ends with 2 where anything differs, is missing or is there without a reason, with 3 where something is open.";

/// What to compare.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Compare the orders as the store holds them; ask no system
    #[arg(long)]
    stored: bool,
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let proof = match args.stored {
        true => open::looking(config)?.verify_stored().await?,
        false => {
            let engine = open::watching(config).await?;
            patiently(&engine, out, async || engine.verify().await).await?
        }
    };
    if out.json {
        out.data(&proof);
    } else {
        told(&proof, out);
    }
    Ok(match (proof.drift, proof.flows.values().any(|flow| flow.open > 0)) {
        (0, false) => Exit::Agreed,
        (0, true) => Exit::Open,
        _ => Exit::Pending,
    })
}

fn told(proof: &Proof, out: Out) {
    let head = ["FLOW", "COMPARED", "EQUAL", "DIFFERENT", "MISSING", "EXTRA", "OPEN", "CENTS OFF"];
    let rows: Vec<Vec<String>> = proof
        .flows
        .iter()
        .map(|(name, flow)| {
            let counts = [flow.compared, flow.equal, flow.different, flow.missing, flow.extra, flow.open];
            let mut row = vec![name.to_string()];
            row.extend(counts.iter().map(usize::to_string));
            row.push(flow.cents_off.to_string());
            row
        })
        .collect();
    out.table(&head, &rows);
    for detail in proof.flows.values().flat_map(|flow| &flow.details) {
        out.line(format!("  {detail}"));
    }
    for waiting in proof.flows.values().flat_map(|flow| &flow.waiting) {
        out.line(format!("  open: {waiting}"));
    }
    for (name, flow) in proof.flows.iter().filter(|(_, flow)| flow.kinds.values().filter(|many| **many > 0).count() > 1)
    {
        let of = |(kind, many): (&Kind, &usize)| {
            format!("{many} {}", if *many == 1 { kind.to_string() } else { kind.plural() })
        };
        out.line(format!("{name}: {}", flow.kinds.iter().map(of).collect::<Vec<_>>().join(", ")));
    }
    let compared: usize = proof.flows.values().map(|flow| flow.compared).sum();
    match proof.drift {
        0 => out.line(format!("no drift in {compared} records")),
        drift => out.line(format!("drift: {drift} of {compared} records")),
    }
}
