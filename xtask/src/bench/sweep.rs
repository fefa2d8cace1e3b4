//! The sweep: every key of a large shop held against a store that knows them, with a few changed and a few gone.

use super::cost;
use crate::job::Job;
use crate::{Res, files};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const SHOP: &str = "b3nc";
const ERP: &str = "e4p1";

/// What sweeping `keys` products costs, and whether it found what is there to be found.
pub fn run(keys: u64) -> Res<Value> {
    let dir = files::target()?.join("bench").join("sweep");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: cannot be made: {e}", dir.display()))?;
    let row = run_in(&dir, keys);
    let _ = std::fs::remove_dir_all(&dir);
    row
}

fn run_in(dir: &Path, keys: u64) -> Res<Value> {
    let load = files::target()?.join("release").join("examples").join("load");
    let binary = files::binary("release")?;
    let (store, count) = (dir.join("syncline.db"), keys.to_string());
    let file = store.to_string_lossy().into_owned();
    let seeded = Job::new(&load).args(["seed", &file, &count, SHOP, ERP]).limit(3600).expect(&[0])?;
    let planted: Value = parsed(&seeded.stdout)?;
    let mut shop = Job::new(&load).args(["serve", &count]).limit(7200).start()?;
    let shop_at = parsed(&shop.first_line(Duration::from_secs(60))?)?;
    let serve = "sim serve tryton --port 0 --products 10 --empty";
    let mut erp = Job::new(&binary).args(serve.split(' ')).limit(7200).start()?;
    let erp_at = parsed(&erp.first_line(Duration::from_secs(60))?)?;
    files::write(&dir.join("password"), erp_at["password"].as_str().unwrap_or_default())?;
    files::write(&dir.join("syncline.toml"), &config(&shop_at, &erp_at))?;
    let cost = cost(&binary, &["sweep", "products", "--system", "shop", "--json"], dir)?;
    let swept = parsed(&cost.stdout)?;
    // Categories and families are swept with them.
    let found = swept["sweeps"].as_array().and_then(|all| all.iter().find(|one| one["kind"] == "variant"));
    let found = found.cloned().unwrap_or_default();
    let right = found["keys"].as_u64() == planted["gone"].as_u64().map(|gone| keys - gone)
        && found["read"] == planted["changed"]
        && found["gone"] == planted["gone"]
        && found["bound"].as_u64() == Some(keys);
    let held = std::fs::metadata(&store).map_or(0, |told| told.len());
    Ok(json!({
        "workload": "sweep",
        "keys": keys,
        "planted": planted,
        "found": { "keys": found["keys"], "read": found["read"], "gone": found["gone"] },
        "ours": cost.json(),
        "store_mb": held >> 20,
        "correct": right,
    }))
}

fn parsed(text: &str) -> Res<Value> {
    serde_json::from_str(text.trim()).map_err(|e| format!("`{}` is no JSON: {e}", text.trim()))
}

/// A file with products that flow, read from the large shop.
fn config(shop: &Value, erp: &Value) -> String {
    let (shop, erp_url) = (shop["url"].as_str().unwrap_or_default(), erp["url"].as_str().unwrap_or_default());
    let login = erp["login"].as_str().unwrap_or_default();
    format!(
        "[systems.shop]\nkind = \"magento\"\nuid = \"{SHOP}\"\nurl = \"{shop}\"\ntoken = \"env:SYNCLINE_BENCH_TOKEN\"\n\n\
         [systems.erp]\nkind = \"tryton\"\nuid = \"{ERP}\"\nurl = \"{erp_url}\"\nlogin = \"{login}\"\npassword = \"file:password\"\n\n\
         [flows.products]\nfrom = \"erp\"\nto = [\"shop\"]\nmode = \"on\"\n"
    )
}
