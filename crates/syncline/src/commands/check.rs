//! `check`: the file held against both systems: versions, rights, guards, mapping rows, clocks.

mod sharing;

use crate::failure::{Exit, Failure};
use crate::out::{Out, count};
use crate::{clock, open, uids};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use syncline_connect::{Choice, Effect, Lookup, Probe, Request};
use syncline_core::id::SystemName;
use syncline_core::kind::{Flow, Kind, Step};
use syncline_core::profile::Guard;
use syncline_core::rules::{BOOKED_THERE, OrderRules, PaperRules, StockRules};
use syncline_engine::System;
use syncline_engine::config::{Config, Mode};

const AFTER: &str = "\
Examples:
  syncline check
  syncline check --json | jq '.problems'
  syncline check --new-installation shop   the shop was put up anew at its old address, and has a uid of its own
Ends with 1 where anything stands in the way; warnings do not.";

/// How strict to be.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Accept that some things are created where nothing keeps a second one from happening
    #[arg(long)]
    accept_none: bool,
    /// Another installation stands where this system was, under a uid of its own: its records are new
    #[arg(long, value_name = "SYSTEM")]
    new_installation: Option<String>,
}

/// Seconds two clocks may differ before it is told.
const CLOCK_APART_S: i64 = 60;

/// Something that is amiss.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    code: String,
    what: String,
    remedy: String,
}

impl Finding {
    fn new(code: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: code.into(), what: what.into(), remedy: remedy.into() }
    }
}

/// What was found; problems stand in the way, warnings do not.
#[derive(Debug, Default, Serialize)]
struct Findings {
    problems: Vec<Finding>,
    warnings: Vec<Finding>,
}

/// One system with what it said; none where it did not answer.
struct Asked {
    system: System,
    probe: Option<Probe>,
    /// Seconds its clock is ahead of ours.
    ahead_s: Option<i64>,
}

/// What is wrong where the store is to lie.
fn homeless(config: &Config) -> Option<Finding> {
    let home = config.store.parent().filter(|home| !home.as_os_str().is_empty())?;
    let what = || format!("the store {} has no directory to lie in", config.store.display());
    (!home.is_dir())
        .then(|| Finding::new("SYN-0306", what(), "make that directory, or name another file after `store`"))
}

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let mut findings = Findings::default();
    if let Some(name) = &args.new_installation {
        uids::replaced(config, open::writer(config, out).await?.as_ref(), name).await?;
    }
    let changed = uids::changed(config, open::reader(config)?.as_ref()).await?;
    findings.problems.extend(changed.into_iter().map(|one| Finding::new(&one.code, one.what, one.remedy)));
    findings.problems.extend(homeless(config));
    let mut asked = Vec::new();
    for system in open::systems(config)? {
        asked.push(ask(system, config, &mut findings).await);
    }
    flows(config, &mut findings);
    for one in &asked {
        guards(one, config, args.accept_none, &mut findings);
    }
    for rules in &config.orders {
        rows(rules, &asked, &mut findings);
        adoption(rules, &asked, &mut findings).await;
    }
    if let Some(rules) = &config.inventory {
        places(rules, &asked, &mut findings);
    }
    if let Some(rules) = &config.papers {
        payments(rules, &asked, &mut findings);
    }
    let flows = config.in_force();
    if let Some(rules) = &flows.products {
        sharing::products(rules, (&config.attributes, config.options.as_ref()), &asked, &mut findings);
    }
    for rules in &flows.customers {
        sharing::customers(rules, &asked, &mut findings);
        sharing::groups(rules, flows.groups.get(&rules.source), &asked, &mut findings);
    }
    if let Some(rules) = &flows.prices {
        sharing::prices(rules, &asked, &mut findings);
    }
    let fine = findings.problems.is_empty();
    if out.json {
        let systems: serde_json::Map<String, Value> =
            asked.iter().map(|one| (one.system.name.to_string(), asked_json(one))).collect();
        out.data(&json!({
            "ok": fine, "systems": systems, "problems": findings.problems, "warnings": findings.warnings,
        }));
    } else {
        told(config, &asked, &findings, out);
    }
    Ok(if fine { Exit::Agreed } else { Exit::Failed })
}

async fn ask(mut system: System, config: &Config, findings: &mut Findings) -> Asked {
    let probe = match open::probe(&system).await {
        Ok(probe) => probe,
        Err(error) => {
            let failure = Failure::system(&system.name, &error);
            findings.problems.push(Finding::new(&failure.code, failure.what, failure.remedy));
            return Asked { system, probe: None, ahead_s: None };
        }
    };
    system.profile = Arc::new(probe.profile.clone());
    let warnings = probe.warnings.iter().map(|text| Finding::new("SYN-0420", format!("{}: {text}", system.name), ""));
    findings.warnings.extend(warnings);
    let url = config.systems.get(&system.name).map_or("", |told| told.url.as_str());
    let ahead_s = ahead_s(&system, url).await;
    if let Some(ahead) = ahead_s.filter(|ahead| ahead.abs() > CLOCK_APART_S) {
        let what =
            format!("{}: its clock is {} s {}", system.name, ahead.abs(), if ahead > 0 { "ahead" } else { "behind" });
        findings.warnings.push(Finding::new("SYN-0421", what, "set both clocks by a time server"));
    }
    Asked { system, probe: Some(probe), ahead_s }
}

/// Seconds the clock behind `url` is ahead of ours, by the `Date` of an answer.
async fn ahead_s(system: &System, url: &str) -> Option<i64> {
    let request = Request {
        method: "GET",
        url: url.to_string(),
        headers: Vec::new(),
        body: Vec::new(),
        effect: Effect::Read,
        timeout: system.ctx.timeout(),
    };
    let response = system.ctx.call(request).await.ok()?;
    let date = response.header("date")?.to_string();
    let there: Timestamp = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(&date).ok()?;
    Some(there.duration_since(clock::now()).as_secs())
}

/// What the file itself leaves open.
fn flows(config: &Config, findings: &mut Findings) {
    let Some(orders) = config.flows.get(&Flow::Orders) else {
        let others = [Flow::Inventory, Flow::Products, Flow::Prices, Flow::Papers];
        if !others.into_iter().any(|flow| config.flows.get(&flow).is_some_and(|flow| flow.mode != Mode::Off)) {
            let what = format!("{}: nothing flows: there is no [flows.orders] and no other flow is on", config.shown());
            findings.problems.push(Finding::new(
                "SYN-0402",
                what,
                "add one; `syncline init` writes a file that has it",
            ));
        }
        return;
    };
    if orders.mode == Mode::Off {
        let what = "[flows.orders] has `mode = \"off\"`: nothing flows";
        findings.warnings.push(Finding::new(
            "SYN-0422",
            what,
            "write `mode = \"on\"`, or `watch` to plan and verify only",
        ));
    }
    if !config.flows.contains_key(&Flow::Customers) {
        let what = "there is no [flows.customers]: an order of a customer the ERP does not have is held";
        findings.warnings.push(Finding::new("SYN-0422", what, "add it to have customers created"));
    }
}

/// Refuses creates that nothing guards.
fn guards(one: &Asked, config: &Config, accept: bool, findings: &mut Findings) {
    let accepted = config.systems.get(&one.system.name).map(|told| told.accept_none.clone()).unwrap_or_default();
    let written = config.flows.values().filter(|flow| flow.to.contains(&one.system.name) && flow.mode != Mode::Off);
    let kinds = written.flat_map(|flow| match flow.flow {
        Flow::Orders | Flow::Customers | Flow::Papers => flow.flow.kinds(),
        // Fields and figures are set, nothing is created.
        Flow::Products | Flow::Inventory | Flow::Prices => &[],
    });
    for kind in kinds.copied() {
        let does = one.system.kind(kind);
        if !does.steps.contains(&Step::Create) || does.create_guard() != Guard::None {
            continue;
        }
        let what = format!("{}: nothing keeps a second {kind} from being created", one.system.name);
        let remedy = format!(
            "activate what guards it (`syncline systems`), or accept it by `accept_none = [\"{kind}\"]` in [systems.{}]",
            one.system.name
        );
        let finding = Finding::new("SYN-0423", what, remedy);
        let list = if accept || accepted.contains(&kind) { &mut findings.warnings } else { &mut findings.problems };
        list.push(finding);
    }
}

fn choices<'a>(asked: &'a [Asked], name: &SystemName, table: &str) -> Option<&'a Vec<Choice>> {
    let probe = asked.iter().find(|one| one.system.name == *name)?.probe.as_ref()?;
    probe.choices.get(table)
}

/// Places and warehouses of the inventory flow that are not there.
fn places(rules: &StockRules, asked: &[Asked], findings: &mut Findings) {
    let mut missing = |system: &SystemName, table: &str, word: &str, code: &str| {
        let Some(known) = choices(asked, system, table) else { return };
        if known.iter().any(|choice| choice.code == code) {
            return;
        }
        let names: Vec<&str> = known.iter().map(|choice| choice.code.as_str()).take(20).collect();
        let what = format!("[flows.inventory.sources] names the {word} `{code}`, which {system} does not have");
        findings.problems.push(Finding::new("SYN-0424", what, format!("it has: {}", names.join(", "))));
    };
    for (shop, (place, warehouses)) in
        rules.targets.iter().flat_map(|target| target.places.iter().map(move |place| (&target.system, place)))
    {
        missing(shop, "sources", "source", place);
        warehouses.iter().for_each(|warehouse| missing(&rules.source, "warehouses", "warehouse", warehouse));
    }
}

/// Payment methods of the papers flow that the ERP does not have.
fn payments(rules: &PaperRules, asked: &[Asked], findings: &mut Findings) {
    let Some(known) = choices(asked, &rules.source, "payment_methods") else { return };
    let named = rules.targets.iter().flat_map(|target| &target.payments);
    let named: BTreeSet<&String> = named.map(|(_, name)| name).filter(|name| *name != BOOKED_THERE).collect();
    for name in named.into_iter().filter(|name| !known.iter().any(|choice| choice.code == **name)) {
        let names: Vec<&str> = known.iter().map(|choice| choice.code.as_str()).take(20).collect();
        let what =
            format!("[flows.papers.payments] names the payment method `{name}`, which {} does not have", rules.source);
        findings.problems.push(Finding::new("SYN-0424", what, format!("it has: {}", names.join(", "))));
    }
}

/// Rows of the mapping tables that point to nothing, and codes without a row.
fn rows(rules: &OrderRules, asked: &[Asked], findings: &mut Findings) {
    for (table, there) in [("taxes", "taxes"), ("payment_methods", "payment_terms")] {
        let (Some(rows), Some(known)) = (rules.tables.get(table), choices(asked, &rules.target, there)) else {
            continue;
        };
        for (code, row) in rows {
            // Of a sale without tax a row may say that no tax stands on it.
            let of_none = row.is_empty() && code.starts_with("untaxed:");
            if of_none || known.iter().any(|choice| choice.code == *row) {
                continue;
            }
            let names: Vec<&str> = known.iter().map(|choice| choice.code.as_str()).take(20).collect();
            let what =
                format!("[flows.orders.{table}] `{code}` points to `{row}`, which {} does not have", rules.target);
            findings.problems.push(Finding::new("SYN-0424", what, format!("point it to one of: {}", names.join(", "))));
        }
        if rows.is_empty() {
            let what = format!("[flows.orders.{table}] is empty: every order that needs a row will be held");
            findings.warnings.push(Finding::new("SYN-0425", what, "add rows: the shop's code = the ERP's name"));
        }
    }
    for choice in choices(asked, &rules.source, "taxes").into_iter().flatten() {
        if syncline_core::planner::tax_row(rules, &choice.code).is_none() {
            let what = format!(
                "{}'s tax `{}` ({} %) has no row in [flows.orders.taxes]",
                rules.source, choice.code, choice.hint
            );
            let remedy = format!("add `\"{}\" = …` where orders carry it", choice.code);
            findings.warnings.push(Finding::new("SYN-0425", what, remedy));
        }
    }
    let currencies = choices(asked, &rules.source, "currencies").into_iter().flatten();
    let there = choices(asked, &rules.target, "currencies");
    for currency in currencies {
        if there.is_some_and(|there| !there.iter().any(|choice| choice.code == currency.code)) {
            let what = format!("{} sells in {}, which {} does not have", rules.source, currency.code, rules.target);
            findings.warnings.push(Finding::new("SYN-0425", what, "add the currency to the ERP"));
        }
    }
}

/// Refuses a field by which the ERP's documents of another connector cannot be searched.
async fn adoption(rules: &OrderRules, asked: &[Asked], findings: &mut Findings) {
    let erp = asked.iter().find(|one| one.system.name == rules.target && one.probe.is_some());
    let (Some(key), Some(erp)) = (&rules.adopt, erp) else { return };
    let by = Lookup::Told { field: key.field.clone(), values: Vec::new() };
    if let Err(error) = erp.system.connector.find(&erp.system.ctx, Kind::Order, &by).await {
        let what = format!("[flows.orders] adopt.field: {}: {}", rules.target, error.message);
        findings.problems.push(Finding::new("SYN-0462", what, "name a field that it can be searched by"));
    }
}

fn asked_json(one: &Asked) -> Value {
    match &one.probe {
        None => json!({"kind": one.system.profile.name, "uid": one.system.uid, "answers": false}),
        Some(probe) => json!({
            "kind": probe.profile.name, "uid": one.system.uid, "answers": true, "version": probe.version,
            "zone": probe.zone, "scopes": probe.scopes, "websites": super::systems::websites(probe), "clock_ahead_s": one.ahead_s, "guards": guards_json(probe),
        }),
    }
}

fn guards_json(probe: &Probe) -> Vec<Value> {
    let claims = probe.profile.kinds.iter().flat_map(|(kind, does)| does.guards.iter().map(move |claim| (kind, claim)));
    claims
        .map(|(kind, claim)| {
            json!({
                "kind": kind, "step": claim.step.word(), "guard": claim.guard.word(), "field": claim.guard.field(),
                "settle_s": claim.guard.settle_s(), "source": claim.source,
            })
        })
        .collect()
}

fn told(config: &Config, asked: &[Asked], findings: &Findings, out: Out) {
    for one in asked {
        let url = config.systems.get(&one.system.name).map_or("", |told| told.url.as_str());
        let Some(probe) = &one.probe else {
            out.line(format!("{} ({}) at {url}: no usable answer", one.system.name, one.system.profile.name));
            continue;
        };
        let zone = probe.zone.as_deref().unwrap_or("not told");
        let clock = one.ahead_s.map_or("not told".to_string(), |ahead| format!("{ahead:+} s"));
        out.line(format!("{} at {url}: {}, time zone {zone}, clock {clock}", one.system.name, probe.version));
        super::systems::scopes(probe, out);
        super::systems::table(&probe.profile, out);
        out.line("");
    }
    for (word, list) in [("warning", &findings.warnings), ("problem", &findings.problems)] {
        for finding in list {
            out.line(format!("{word} {}: {}", finding.code, finding.what));
            if !finding.remedy.is_empty() {
                out.line(format!("    what to do: {}", finding.remedy));
            }
        }
    }
    let (problems, warnings) = (findings.problems.len(), findings.warnings.len());
    out.line(format!("{}, {}", count(problems, "problem"), count(warnings, "warning")));
}
