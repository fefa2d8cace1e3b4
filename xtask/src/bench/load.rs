//! W1, the first load: every product of a source into an empty target, beside the floor, one by one and many at once.

use super::{Cost, cost, seconds};
use crate::job::{Job, Running};
use crate::wire::get;
use crate::{Res, files};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// The file of the run; `URL` is where both systems are.
const FILE: &str = include_str!("w1.toml");
/// How many at once in the batched run, and the words that say so.
const BATCH: &str = ", batch = {";

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Products.
    pub records: u64,
    /// Runs of each side, one after the other.
    pub runs: u64,
}

/// What one run of a side came to.
struct Ran {
    cost: Cost,
    /// What the target was told, and whether it holds what it has to.
    told: Value,
    right: bool,
}

/// The rows of both modes.
pub fn run(wish: Wish) -> Res<Vec<Value>> {
    let root = files::root()?;
    let built = files::target()?.join("bench").join("peer");
    Job::new("cargo")
        .args(["build", "--quiet", "--release", "--locked", "--manifest-path"])
        .args([root.join("bench/Cargo.toml").display().to_string()])
        .args(["--target-dir".to_owned(), built.display().to_string()])
        .dir(&root)
        .limit(1800)
        .echo()
        .expect(&[0])?;
    let peer = built.join("release").join("peer");
    ["batch", "single"].into_iter().map(|mode| row(&peer, mode, wish)).collect()
}

fn row(peer: &Path, mode: &str, wish: Wish) -> Res<Value> {
    let dir = files::target()?.join("bench").join(format!("w1-{mode}"));
    let (mut ours, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..wish.runs.max(1) {
        floors.push(one(peer, mode, wish, &dir, floor)?);
        ours.push(one(peer, mode, wish, &dir, product)?);
    }
    let _ = std::fs::remove_dir_all(&dir);
    let right = ours.iter().chain(&floors).all(|ran| ran.right);
    let (ours_cpu, floor_cpu) = (middle(&ours), middle(&floors));
    let told = |all: &[Ran]| all.iter().map(|ran| ran.cost.json()).collect::<Vec<_>>();
    Ok(json!({
        "workload": format!("W1 {mode}"),
        "records": wish.records,
        "ours": told(&ours),
        "floor": told(&floors),
        "cpu_of_floor": hundredths(ours_cpu, floor_cpu),
        "us_a_record": ours_cpu.as_micros() as u64 / wish.records.max(1),
        "told": ours.last().map(|ran| ran.told.clone()),
        "correct": right,
    }))
}

/// The middle CPU time of some runs.
fn middle(all: &[Ran]) -> Duration {
    let mut all: Vec<Duration> = all.iter().map(|ran| ran.cost.cpu).collect();
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// `a` by `b` to the hundredth, as a JSON number.
fn hundredths(a: Duration, b: Duration) -> Value {
    let ratio = a.as_micros() * 100 / b.as_micros().max(1);
    seconds(Duration::from_millis(u64::try_from(ratio * 10).unwrap_or(u64::MAX)))
}

/// One run of a side against servers of its own.
fn one(peer: &Path, mode: &str, wish: Wish, dir: &Path, side: Side) -> Res<Ran> {
    let _ = std::fs::remove_dir_all(dir);
    std::fs::create_dir_all(dir).map_err(|e| format!("{}: cannot be made: {e}", dir.display()))?;
    let count = wish.records.to_string();
    let mut server = Job::new(peer).args(["serve", "--products", &count]).limit(7200).start()?;
    let url = url_of(&mut server)?;
    let cost = side(&Place { peer, mode, dir, url: &url, records: wish.records })?;
    let (told, expected) = (asked(&url, "told")?, asked(&url, "expected")?);
    let target = &told["target"];
    let right = target["items"] == expected["items"] && target["sum"] == expected["sum"] && target["refused"] == 0;
    Ok(Ran { cost, told, right })
}

/// Where a side runs.
struct Place<'a> {
    peer: &'a Path,
    mode: &'a str,
    dir: &'a Path,
    url: &'a str,
    records: u64,
}

type Side = fn(&Place<'_>) -> Res<Cost>;

fn floor(place: &Place<'_>) -> Res<Cost> {
    let at = place.url.trim_start_matches("http://");
    cost(place.peer, &["floor", "--at", at, "--crosswalk", "crosswalk.db", "--mode", place.mode], place.dir)
}

/// The product's own commands, together; then everything is verified, which costs nothing here.
fn product(place: &Place<'_>) -> Res<Cost> {
    let file = FILE.replace("URL", place.url);
    let file = if place.mode == "batch" { file } else { one_by_one(&file) };
    files::write(&place.dir.join("syncline.toml"), &file)?;
    let binary = files::binary("release")?;
    let mut all = Cost { wall: Duration::ZERO, cpu: Duration::ZERO, peak_kb: 0, stdout: String::new() };
    for words in [&["sync", "products"][..], &["approve", "products"], &["sync", "products"]] {
        let cost = cost(&binary, words, place.dir)?;
        all = Cost {
            wall: all.wall + cost.wall,
            cpu: all.cpu + cost.cpu,
            peak_kb: all.peak_kb.max(cost.peak_kb),
            stdout: cost.stdout,
        };
    }
    let proof = cost(&binary, &["verify", "--json"], place.dir)?;
    let proof: Value = parsed(&proof.stdout)?;
    let products = &proof["flows"]["products"];
    if proof["drift"] != 0 || products["compared"].as_u64() != Some(place.records) {
        return Err(format!("what was loaded does not agree: {products}"));
    }
    Ok(all)
}

/// The file without what says how many are written at once.
fn one_by_one(file: &str) -> String {
    let cut = |line: &str| match line.split_once(BATCH) {
        Some((before, _)) => format!("{before} }}\n"),
        None => format!("{line}\n"),
    };
    file.lines().map(cut).collect()
}

fn url_of(server: &mut Running) -> Res<String> {
    let told = parsed(&server.first_line(Duration::from_secs(60))?)?;
    told["url"].as_str().map(str::to_owned).ok_or_else(|| "the peer tells no address".to_owned())
}

fn asked(url: &str, what: &str) -> Res<Value> {
    parsed(&String::from_utf8_lossy(&get(&format!("{url}/ctl/{what}"))?))
}

fn parsed(text: &str) -> Res<Value> {
    serde_json::from_str(text.trim()).map_err(|e| format!("`{}` is no JSON: {e}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_by_one_says_nothing_of_batches() {
        let file = one_by_one(FILE);
        assert!(FILE.contains(BATCH) && !file.contains("batch"), "{file}");
        assert!(file.contains("create = { path = \"/dst/items\", unique = true, answer = \"record\" }"), "{file}");
    }

    #[test]
    fn a_ratio_is_told_to_the_hundredth() {
        let ratio = |a: u64, b: u64| hundredths(Duration::from_millis(a), Duration::from_millis(b)).to_string();
        assert_eq!((ratio(500, 200).as_str(), ratio(1, 3).as_str()), ("2.500", "0.330"));
    }
}
