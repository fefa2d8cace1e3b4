//! `init`: asks both systems and writes `syncline.toml`, mapping tables filled in.

mod answers;
mod file;

use crate::failure::{Exit, Failure};
use crate::out::Out;
use crate::{clock, open};
use answers::Answers;
use serde_json::json;
use std::path::Path;
use syncline_connect::Probe;
use syncline_core::id::SystemName;
use syncline_engine::config::Config;

const AFTER: &str = "\
Examples:
  syncline init                       asks
  syncline init --yes --start all --shop magento=https://shop.example --erp tryton=https://erp.example/acme
  syncline init --yes --start 2026-11-01 --shop … --erp …
  syncline init --yes --shop magento=https://shop.example --shop outlet=magento=https://outlet.example --erp …
  syncline init --yes --shop eu=magento=https://shop.example#base --shop us=magento=https://shop.example#us --erp …

Secrets are taken from the environment and the file refers to them there:
  SYNCLINE_SHOP_CONSUMER_KEY, SYNCLINE_SHOP_CONSUMER_SECRET, SYNCLINE_SHOP_ACCESS_TOKEN and
  SYNCLINE_SHOP_ACCESS_TOKEN_SECRET (an integration, its requests signed), or
  SYNCLINE_SHOP_TOKEN (its access token alone), or SYNCLINE_SHOP_LOGIN and SYNCLINE_SHOP_PASSWORD
  SYNCLINE_ERP_LOGIN, SYNCLINE_ERP_PASSWORD
Those of a shop called `outlet` begin with SYNCLINE_OUTLET_.";

/// The answers, as far as they are given beforehand.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// The shop, e.g. magento=https://shop.example; a further one with its name, e.g. outlet=magento=https://…;
    /// one website of several with its code, e.g. us=magento=https://shop.example#us
    #[arg(long, value_name = "[NAME=]KIND=URL[#WEBSITE]")]
    shop: Vec<String>,
    /// The ERP, e.g. tryton=https://erp.example/acme
    #[arg(long, value_name = "KIND=URL")]
    erp: Option<String>,
    /// First day whose orders are carried over, or `all`; today in the shop's zone where nothing is said
    #[arg(long, value_name = "DAY")]
    start: Option<String>,
    /// Ask nothing
    #[arg(long)]
    yes: bool,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

pub(crate) async fn carry_out(args: Args, path: &Path, out: Out) -> Result<Exit, Failure> {
    if path.exists() && !args.force {
        let what = format!("{} is there already", path.display());
        return Err(Failure::new(
            "SYN-0434",
            what,
            "keep it, or replace it with `--force`; the uids of systems it has stay as they are",
        ));
    }
    let mut answers = Answers::gather(&args, out)?;
    if let Ok(before) = Config::load(path) {
        answers.keep_uids(&before);
    }
    let first = parsed(path, &file::first(&answers))?;
    let probes = open::probed(&first).await?;
    let probe = |name: &str| {
        let found = probes.iter().find(|(system, _)| system.name == SystemName::new(name));
        found.map(|(_, probe)| probe.clone()).ok_or_else(|| {
            Failure::new("SYN-0900", format!("the system `{name}` was not asked"), "report this as a defect")
        })
    };
    let erp = probe("erp")?;
    let mut shops = Vec::new();
    for shop in &answers.shops {
        shops.push((shop.place.name.as_str(), probe(&shop.place.name)?));
    }
    let start = start(&answers, &shops);
    let written = file::whole(&answers, &shops, &erp, &start);
    let config = parsed(path, &written.text)?;
    put(path, &written.text)?;
    shops.iter().for_each(|(name, shop)| warn(out, name, shop));
    warn(out, "erp", &erp);
    written.notes.iter().for_each(|note| out.say(format!("note: {note}")));
    if out.json {
        let systems: serde_json::Map<String, serde_json::Value> = config
            .systems
            .values()
            .map(|system| {
                (system.name.to_string(), json!({"kind": system.kind.word(), "uid": system.uid, "url": system.url}))
            })
            .collect();
        let told =
            json!({"file": path.display().to_string(), "start": start, "systems": systems, "notes": written.notes});
        out.data(&told);
    } else {
        let from = if start == "all" { "every order".to_string() } else { format!("orders from {start} on") };
        let mut versions: Vec<String> = shops.iter().map(|(_, shop)| named(shop)).collect();
        versions.push(named(&erp));
        let versions = versions.join(" and ");
        out.line(format!("{} written for {versions}, {from}", path.display()));
        out.say("next: `syncline check`, `syncline adopt`, `syncline plan`, `syncline sync`");
    }
    Ok(Exit::Agreed)
}

/// Title and version, the title once.
fn named(probe: &Probe) -> String {
    let title = &probe.profile.title;
    let told = probe.version.split(' ').next().is_some_and(|word| title.starts_with(word));
    if told { probe.version.clone() } else { format!("{title} {}", probe.version) }
}

fn warn(out: Out, name: &str, probe: &Probe) {
    probe.warnings.iter().for_each(|text| out.say(format!("warning: {name}: {text}")));
}

/// The first day, as the file writes it.
fn start(answers: &Answers, shops: &[(&str, Probe)]) -> String {
    let told = shops.first().and_then(|(_, shop)| shop.zone.as_deref());
    let zone = told.and_then(|zone| jiff::tz::TimeZone::get(zone).ok()).unwrap_or(jiff::tz::TimeZone::UTC);
    answers.start.clone().unwrap_or_else(|| clock::now().to_zoned(zone).date().to_string())
}

fn parsed(path: &Path, text: &str) -> Result<Config, Failure> {
    Config::parse(path, text).map_err(|error| Failure::new(error.code, error.what, error.remedy))
}

/// Puts `text` into `path`, whole or not at all.
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    let beside = path.with_extension(format!("toml.{}", std::process::id()));
    let failed = |error: std::io::Error| {
        drop(std::fs::remove_file(&beside));
        let what = format!("{}: cannot be written: {error}", path.display());
        Failure::new("SYN-0435", what, "check that the directory is there, writable and not full")
    };
    let write = || {
        use std::io::Write;
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(failed)
}
