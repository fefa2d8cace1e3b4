//! `systems`: what every connector can do; with a configuration, what the connected ones said of themselves.

use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::Out;
use serde_json::{Map, Value, json};
use std::path::Path;
use syncline_connect::{Choice, Error, Probe};
use syncline_core::profile::{GuardClaim, KindProfile, Profile};
use syncline_engine::System;
use syncline_engine::config::Config;

const AFTER: &str = "\
Examples:
  syncline systems                             what can be connected, with every guard
  syncline systems --json | jq '.[].kinds.order.guards'
Where the configuration is there, its systems are asked too.";

/// Nothing but the file.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {}

/// A connected system with what it said.
type Asked = (System, String, Result<Probe, Error>);

pub(crate) async fn carry_out(_: &Args, file: &Path, out: Out) -> Result<Exit, Failure> {
    let connected = match file.exists() {
        true => connected(&Config::load(file)?).await?,
        false => Vec::new(),
    };
    let kinds = open::kinds();
    if out.json {
        let all: Vec<Value> = kinds.iter().map(|(_, connector)| told(connector.profile(), &connected)).collect();
        out.data(&all);
        return Ok(Exit::Agreed);
    }
    for (_, connector) in &kinds {
        let profile = connector.profile();
        out.line(format!("{} ({}), API {}", profile.title, profile.name, profile.api_version));
        table(profile, out);
        for (system, url, found) in connected.iter().filter(|(system, ..)| system.profile.name == profile.name) {
            out.line("");
            match found {
                Ok(probe) => {
                    out.line(format!("  {} at {url}: {}", system.name, probe.version));
                    scopes(probe, out);
                    table(&probe.profile, out);
                }
                Err(error) => out.line(format!("  {} at {url}: {error}", system.name)),
            }
        }
        out.line("");
    }
    Ok(Exit::Agreed)
}

async fn connected(config: &Config) -> Result<Vec<Asked>, Failure> {
    let mut asked = Vec::new();
    for system in open::systems(config)? {
        let url = config.systems.get(&system.name).map_or(String::new(), |told| told.url.clone());
        let probe = open::probe(&system).await;
        asked.push((system, url, probe));
    }
    Ok(asked)
}

fn told(profile: &Profile, connected: &[Asked]) -> Value {
    let mut told = json!({
        "name": profile.name, "title": profile.title, "kinds": kinds(profile), "api_version": profile.api_version,
    });
    let own: Vec<Value> =
        connected.iter().filter(|(system, ..)| system.profile.name == profile.name).map(connection).collect();
    if let (false, Some(fields)) = (own.is_empty(), told.as_object_mut()) {
        fields.insert("connected".to_string(), own.into());
    }
    told
}

fn connection((system, url, found): &Asked) -> Value {
    match found {
        Ok(probe) => json!({
            "name": system.name, "uid": system.uid, "url": url, "version": probe.version, "zone": probe.zone,
            "scopes": probe.scopes, "websites": websites(probe), "kinds": kinds(&probe.profile), "warnings": probe.warnings,
        }),
        Err(error) => {
            json!({"name": system.name, "uid": system.uid, "url": url, "error": Failure::system(&system.name, error).json()["error"]})
        }
    }
}

fn kinds(profile: &Profile) -> Map<String, Value> {
    profile.kinds.iter().map(|(kind, does)| (kind.to_string(), kind_told(does))).collect()
}

fn kind_told(does: &KindProfile) -> Value {
    let first = does.guards.first();
    let source = first.map_or("nothing is created here", |claim| claim.source.as_str());
    let guards: Vec<Value> = does.guards.iter().map(guard).collect();
    json!({
        "reads": does.reads, "steps": does.steps.iter().map(|step| step.word()).collect::<Vec<_>>(),
        "since": does.since, "batch": does.batch, "guard": does.create_guard().word(), "guard_source": source,
        "guards": guards,
    })
}

fn guard(claim: &GuardClaim) -> Value {
    json!({
        "step": claim.step.word(), "guard": claim.guard.word(), "field": claim.guard.field(),
        "settle_s": claim.guard.settle_s(), "when": claim.when, "source": claim.source,
    })
}

/// The websites of a shop; none of what is no shop.
pub(super) fn websites(probe: &Probe) -> &[Choice] {
    probe.choices.get("websites").map_or(&[], Vec::as_slice)
}

/// Names the websites where a shop has several, and the companies where an ERP has.
pub(super) fn scopes(probe: &Probe, out: Out) {
    for table in ["websites", "companies"] {
        let rows = probe.choices.get(table).into_iter().flatten();
        let named: Vec<String> = rows
            .map(|row| if row.code == row.title { row.code.clone() } else { format!("{} ({})", row.code, row.title) })
            .collect();
        if named.len() > 1 {
            out.line(format!("  {table}: {}", named.join(", ")));
        }
    }
}

/// Kind, steps and guards, one row for each guard.
pub(super) fn table(profile: &Profile, out: Out) {
    let mut rows = Vec::new();
    for (kind, does) in &profile.kinds {
        let steps: Vec<String> = does.steps.iter().map(|step| step.word()).collect();
        let steps = if steps.is_empty() { "read only".to_string() } else { steps.join(" ") };
        if does.guards.is_empty() {
            rows.push(vec![format!("  {kind}"), steps.clone(), String::new(), String::new(), String::new()]);
        }
        for (at, claim) in does.guards.iter().enumerate() {
            let settle = claim.guard.settle_s().map_or(String::new(), |seconds| format!(", {seconds} s"));
            let guard = format!("{} {}{settle}", claim.guard.word(), claim.guard.field().unwrap_or_default());
            let (name, steps) =
                if at == 0 { (format!("  {kind}"), steps.clone()) } else { (String::new(), String::new()) };
            rows.push(vec![name, steps, claim.step.word(), guard.trim().to_string(), claim.source.clone()]);
        }
    }
    out.table(&["  KIND", "STEPS", "GUARDED", "BY", "SOURCE"], &rows);
}
