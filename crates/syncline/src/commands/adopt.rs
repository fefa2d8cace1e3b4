//! `adopt`: ties what both sides have already, by key or by a list; writes nothing remote.

mod orders;

use crate::failure::{Exit, Failure};
use crate::open;
use crate::out::{Out, count};
use crate::patience::patiently;
use crate::progress;
use serde_json::json;
use std::path::{Path, PathBuf};
use syncline_core::id::SystemName;
use syncline_engine::Engine;
use syncline_engine::adopt::OrdersWanted;
use syncline_engine::config::Config;

const AFTER: &str = "\
Examples:
  syncline adopt                       every product both sides have under one SKU
  syncline adopt --csv pairs.csv       lines `SKU in the source of [flows.orders],SKU in its target`
  syncline adopt customers             every customer both sides know by one e-mail, tax number or code
  syncline adopt customers --csv pairs.csv   lines `id or e-mail in the shop,id, e-mail or code in the ERP`
  syncline adopt families              every family with variants in common, or else with one code; after its products
  syncline adopt families --csv pairs.csv    lines `code in the shop,code or id in the ERP`
  syncline adopt categories            every category both sides have under one path of names
  syncline adopt categories --csv pairs.csv  lines `id or path in the shop,id or path in the ERP`, e.g. Lamps / Desk,12
  syncline adopt orders                every order that another connector brought, by what it wrote on the sale
  syncline adopt orders --csv pairs.csv      lines `number in the shop,number, reference or id in the ERP`
  syncline adopt orders --numbers-to-shop    and the ERP's numbers go to the shop's orders that refer to something else
  syncline adopt --json | jq .products.unmatched
Orders are known as `adopt = { field = \"reference\", value = \"{number}\" }` under [flows.orders] says; without it by the
number the shop's order refers to, and by its own number in the ERP's reference. Currency, total and lines have to agree.";

/// What to tie.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// What to tie
    #[arg(value_parser = ["products", "families", "categories", "customers", "orders"], default_value = "products")]
    what: String,
    /// Tie by this list instead
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// In this one of several shops only, with --csv
    #[arg(long, value_name = "SYSTEM", requires = "csv")]
    shop: Option<String>,
    /// With orders: the numbers of their documents go to the shop's orders that refer to something else
    #[arg(long)]
    numbers_to_shop: bool,
}

/// Rows of a list that are shown.
const SHOWN: usize = 20;

pub(crate) async fn carry_out(args: &Args, config: &Config, out: Out) -> Result<Exit, Failure> {
    let wanted = args.csv.as_deref().map(pairs).transpose()?;
    let engine = open::working(config, out).await?;
    let only = args.shop.as_ref().map(SystemName::new);
    if args.what == "orders" {
        let wanted = OrdersWanted { pairs: wanted, only, numbers_to_shop: args.numbers_to_shop };
        return orders::carry_out(&engine, &wanted, out).await;
    }
    if args.numbers_to_shop {
        let what = format!("--numbers-to-shop means nothing for {}", args.what);
        return Err(Failure::new("SYN-0463", what, "`syncline adopt orders --numbers-to-shop`"));
    }
    let work = async || {
        engine.adopting.begin();
        match (&wanted, args.what.as_str()) {
            (Some(pairs), "customers") => engine.adopt_customer_pairs(pairs, only.as_ref()).await,
            (None, "customers") => engine.adopt_customers().await,
            (Some(pairs), "categories") => engine.adopt_category_pairs(pairs, only.as_ref()).await,
            (Some(pairs), "families") => engine.adopt_family_pairs(pairs, only.as_ref()).await,
            (None, "families") => engine.adopt_families().await,
            (None, "categories") => engine.adopt_categories().await,
            (Some(pairs), _) => engine.adopt_pairs(pairs, only.as_ref()).await,
            (None, _) => engine.adopt_variants().await,
        }
    };
    let reports = progress::beside(patiently(&engine, out, work), come(&engine, &args.what, out)).await?;
    if out.json {
        match reports.as_slice() {
            [report] => out.data(&json!({ args.what.as_str(): report })),
            all => out.data(&json!({ args.what.as_str(): { "shops": all } })),
        }
    }
    for report in reports.iter().filter(|_| !out.json) {
        let shop = if reports.len() > 1 { format!("{}: ", report.shop) } else { String::new() };
        out.line(format!(
            "{shop}{} and {} read: {} matched, {} bound now, {} without a match, {} ambiguous",
            counted(report.source, &args.what),
            report.target,
            report.matched,
            report.bound,
            report.unmatched.len(),
            report.ambiguous.len()
        ));
        list(out, "without a match in the other system", &report.unmatched);
        list(out, "ambiguous; choose by `--csv FILE`", &report.ambiguous);
    }
    let clear = reports.iter().all(|report| report.ambiguous.is_empty());
    Ok(if clear { Exit::Agreed } else { Exit::Open })
}

/// Tells every few seconds how far it has come, until dropped.
async fn come(engine: &Engine, what: &str, out: Out) {
    loop {
        tokio::time::sleep(progress::LINE_EVERY).await;
        let (read, bound) = engine.adopting.so_far();
        out.say(format!("{} read so far, {bound} bound", counted(read, what)));
    }
}

/// So many of what is tied, in words.
fn counted(many: usize, what: &str) -> String {
    match (what, many) {
        ("categories", 1) => "1 category".to_string(),
        ("families", 1) => "1 family".to_string(),
        ("families", many) => format!("{many} families"),
        ("categories", many) => format!("{many} categories"),
        _ => count(many, what.trim_end_matches('s')),
    }
}

/// Tells the first of `keys` under what they are.
fn list(out: Out, what: &str, keys: &[String]) {
    if keys.is_empty() {
        return;
    }
    let more = if keys.len() > SHOWN { ", … (all with --json)" } else { "" };
    let shown: Vec<&str> = keys.iter().take(SHOWN).map(String::as_str).collect();
    out.line(format!("{what}: {}{more}", shown.join(", ")));
}

/// The pairs `path` lists; blank lines, `#` and a head `source,target` are left out.
fn pairs(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::new("SYN-0432", format!("{shown}: cannot be read: {e}"), "name a readable UTF-8 file"))?;
    let mut pairs = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || (pairs.is_empty() && line == "source,target") {
            continue;
        }
        match cells(line).as_slice() {
            [ours, theirs] if !ours.is_empty() && !theirs.is_empty() => pairs.push((ours.clone(), theirs.clone())),
            _ => {
                let what = format!("{shown}:{}: this is no pair", at + 1);
                let remedy = "write `one,other` in each line; what has a comma in it stands in \"quotes\"";
                return Err(Failure::new("SYN-0432", what, remedy));
            }
        }
    }
    Ok(pairs)
}

/// The cells of one line, split at commas (or semicolons where there is no comma) outside of quotes.
fn cells(line: &str) -> Vec<String> {
    let mut quoted = false;
    let outside: Vec<char> = line
        .chars()
        .filter(|c| {
            quoted ^= *c == '"';
            !quoted
        })
        .collect();
    let border = if outside.contains(&',') { ',' } else { ';' };
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            c if c == border && !quoted => cells.push(std::mem::take(&mut cell).trim().to_string()),
            c => cell.push(c),
        }
    }
    cells.push(cell.trim().to_string());
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_may_be_quoted_and_split_by_either_sign() {
        assert_eq!(cells("A,B"), ["A", "B"]);
        assert_eq!(cells("A ; B"), ["A", "B"]);
        assert_eq!(cells("\"A,1\",B"), ["A,1", "B"]);
        assert_eq!(cells("\"6\"\" pipe\";B"), ["6\" pipe", "B"]);
    }
}
