//! People who change products at both desks while the demo runs, and the flows beside orders switched on.

use super::process::post_json;
use super::{DemoError, root};
use serde_json::{Value, json};
use std::path::Path;

/// Seconds after which a write to the simulated shop can land no more; the file says so.
const SETTLE_S: u64 = 5;
/// Seconds after a pass until everything it wrote can be looked at once more.
pub(super) const SETTLED_S: u64 = 20 + SETTLE_S + 1;

/// One change by a person.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    at_shop: bool,
    sku: &'static str,
    field: &'static str,
    text: String,
}

/// What people change after the kill of that number: names and descriptions, at the desk that owns them and at the other.
pub(super) fn edits(kill: u64) -> Vec<Edit> {
    let skus = ["MUG", "BOLT-M8", "PEN"];
    let edit = |at_shop, field, sku| Edit { at_shop, sku, field, text: format!("{field} as of kill {kill}") };
    let sku = skus[usize::try_from(kill).unwrap_or(0) % skus.len()];
    let other = skus[usize::try_from(kill + 1).unwrap_or(0) % skus.len()];
    vec![
        edit(false, "name", sku),
        edit(true, "description", sku),
        edit(true, "name", other),
        edit(false, "description", other),
    ]
}

impl Edit {
    /// Makes it where the person sits.
    pub(super) async fn make(&self, shop: &str, erp: &str) -> Result<(), DemoError> {
        let url = format!("{}/_sim/products", root(if self.at_shop { shop } else { erp }));
        let told = post_json(&url, &json!({"sku": self.sku, "field": self.field, "value": self.text})).await?;
        match told["edited"].as_str() {
            Some(_) => Ok(()),
            None => Err(DemoError::System(url, format!("{} of {} cannot be changed: {told}", self.field, self.sku))),
        }
    }
}

/// How many fields show something else at the desk that owns them than what was typed there last.
pub(super) fn overwritten(typed: &[Edit], shop: &Value, erp: &Value) -> usize {
    let owned = |edit: &&Edit| edit.at_shop == (edit.field == "description");
    let last = |edit: &&Edit| {
        let same = |other: &&Edit| (other.at_shop, other.sku, other.field) == (edit.at_shop, edit.sku, edit.field);
        typed.iter().rev().find(same).is_some_and(|other| other.text == edit.text)
    };
    let shown = |edit: &Edit| {
        let rows = if edit.at_shop { shop } else { erp }["products"].as_array()?;
        rows.iter().find(|row| row["sku"] == edit.sku)?[edit.field].as_str().map(str::to_string)
    };
    typed.iter().filter(owned).filter(last).filter(|edit| shown(edit).as_deref() != Some(&edit.text)).count()
}

/// Switches products and stock on in the file that `init` wrote; descriptions are the shop's.
pub(super) fn switch_on(file: &Path) -> Result<(), DemoError> {
    let failed = |error: std::io::Error| DemoError::Process(format!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(failed)?;
    let mut out = String::new();
    let mut table = String::new();
    for line in text.lines() {
        if line.starts_with('[') {
            line.split_whitespace().next().unwrap_or_default().clone_into(&mut table);
        }
        let flows = table == "[flows.products]" || table == "[flows.inventory]";
        let switched = if flows && line.starts_with("mode =") { "mode = \"on\"" } else { line };
        out.push_str(switched);
        out.push('\n');
        match line {
            "[systems.shop]" => out.push_str(&format!("settle = \"{SETTLE_S}s\"\n")),
            "[flows.products]" => out.push_str("fields = { \"texts.*.description\" = \"shop\" }\n"),
            _ => {}
        }
    }
    std::fs::write(file, out).map_err(failed)
}
