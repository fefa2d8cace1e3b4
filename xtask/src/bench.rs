//! Benchmarks: whole workloads through the released binary, with what they cost and whether what arrived is right.
//!
//! Machines are shared and noisy: a number here is for reading and for ratios in one run, never a test.

mod load;
mod sweep;

use crate::job::now;
use crate::{Args, Res, files, job::Job};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use wait4::Wait4;

/// What can be measured.
const WORKLOADS: [&str; 2] = ["W1", "sweep"];

/// What one run of a program cost.
#[derive(Debug)]
pub struct Cost {
    pub wall: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// Most memory it held at once, in kB.
    pub peak_kb: u64,
    pub stdout: String,
}

impl Cost {
    /// As every row of the report tells it.
    pub fn json(&self) -> Value {
        json!({
            "wall_s": seconds(self.wall),
            "cpu_s": seconds(self.cpu),
            "peak_mb": self.peak_kb.div_ceil(1024),
        })
    }
}

/// `cargo x bench`: true where every workload brought what it had to.
pub fn chore(args: &mut Args) -> Res<bool> {
    let as_json = args.flag("--json");
    let keys = args.number("--keys", 1_000_000)?;
    let wish = load::Wish { records: args.number("--records", 100_000)?, runs: args.number("--runs", 3)? };
    let mut wanted = Vec::new();
    while let Some(word) = args.word() {
        wanted.push(word);
    }
    args.finish()?;
    if let Some(strange) = wanted.iter().find(|word| !WORKLOADS.contains(&word.as_str())) {
        return Err(format!("no workload is called `{strange}`: there are {}", WORKLOADS.join(", ")));
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let root = files::root()?;
    for build in ["build --quiet --release", "build --quiet --release -p syncline-trial --example load"] {
        Job::new("cargo").args(build.split(' ')).dir(&root).limit(3600).echo().expect(&[0])?;
    }
    let mut rows = Vec::new();
    if is_wanted("W1") {
        rows.extend(load::run(wish)?);
    }
    if is_wanted("sweep") {
        rows.push(sweep::run(keys)?);
    }
    let right = rows.iter().all(|row| row["correct"] == true);
    if as_json {
        println!("{}", Value::Array(rows));
    } else {
        for row in &rows {
            println!("{}", if row["floor"].is_null() { told(row) } else { beside(row) });
        }
    }
    Ok(right)
}

/// What running `program` with `words` in `dir` costs.
pub fn cost(program: &Path, words: &[&str], dir: &Path) -> Res<Cost> {
    let name = program.display();
    let out = dir.join("stdout");
    let file = std::fs::File::create(&out).map_err(|e| format!("{}: cannot be made: {e}", out.display()))?;
    let began = now();
    let mut command = Command::new(program);
    command.args(words).current_dir(dir).env("SYNCLINE_BENCH_TOKEN", "token").stdin(Stdio::null()).stdout(file);
    let mut child = command.spawn().map_err(|e| format!("`{name}` does not start: {e}"))?;
    let used = child.wait4().map_err(|e| format!("`{name}` cannot be watched: {e}"))?;
    Ok(Cost {
        wall: began.elapsed(),
        cpu: used.rusage.utime + used.rusage.stime,
        peak_kb: used.rusage.maxrss / 1024,
        stdout: files::text(&out)?,
    })
}

/// Seconds to the millisecond, as a JSON number.
fn seconds(time: Duration) -> Value {
    let text = format!("{}.{:03}", time.as_secs(), time.subsec_millis());
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// A row that stands beside a floor.
fn beside(row: &Value) -> String {
    let of = |side: &str, what: &str| {
        let runs = row[side].as_array().into_iter().flatten().map(|run| run[what].to_string());
        runs.collect::<Vec<_>>().join(" ")
    };
    format!(
        "{} of {}: {} CPU s (floor {}: {} of it), {} s (floor {}), at most {} MB; {} µs a record; {}",
        row["workload"].as_str().unwrap_or_default(),
        row["records"],
        of("ours", "cpu_s"),
        of("floor", "cpu_s"),
        row["cpu_of_floor"],
        of("ours", "wall_s"),
        of("floor", "wall_s"),
        of("ours", "peak_mb"),
        row["us_a_record"],
        if row["correct"] == true { "right" } else { "WRONG" },
    )
}

fn told(row: &Value) -> String {
    let ours = &row["ours"];
    format!(
        "{} of {} keys: {} s, {} CPU s, at most {} MB; {}; the store holds {} MB; {}",
        row["workload"].as_str().unwrap_or_default(),
        row["keys"],
        ours["wall_s"],
        ours["cpu_s"],
        ours["peak_mb"],
        row["found"],
        row["store_mb"],
        if row["correct"] == true { "right" } else { "WRONG" },
    )
}
