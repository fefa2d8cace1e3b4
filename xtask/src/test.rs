//! Runs everything that must hold, one stage after the other, and counts.
use crate::job::{Ended, Job, now};
use crate::{Args, Res, check, expect, files, fuzz, licences, real, stories};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What one stage found.
#[derive(Debug, Default)]
struct Found {
    passed: u64,
    failed: u64,
    skipped: u64,
    /// One line for the reader.
    note: String,
}

impl Found {
    fn one(ok: bool, note: impl Into<String>) -> Self {
        Self { passed: u64::from(ok), failed: u64::from(!ok), skipped: 0, note: note.into() }
    }
}

/// The whole run: its stages so far and the sums.
#[derive(Debug, Default)]
struct Run {
    json: bool,
    stages: Vec<Value>,
    /// Every scenario with its state, where they were asked for.
    scenarios: Vec<Value>,
    passed: u64,
    failed: u64,
    ran: u64,
    skipped: u64,
}

/// `cargo x test`: true where nothing failed.
pub fn chore(args: &mut Args) -> Res<bool> {
    let quick = args.flag("--quick");
    let json = args.flag("--json");
    let part = args.word();
    args.finish()?;
    let mut run = Run { json, ..Run::default() };
    match part.as_deref() {
        None => whole(&mut run, quick),
        Some("contract") => run.stage("contract tests", |run| run.tests(Some(CONTRACT))),
        Some("stories") => {
            run.stage("stories", |run| run.tests(Some(STORIES)));
            run.stage("scenarios", Run::scenarios);
        }
        Some("real") => {
            if run.build() {
                run.stage("real systems", |_| real_systems());
            }
        }
        Some(other) => return Err(format!("`{other}` is no part of the tests: real, stories or contract")),
    }
    run.close();
    Ok(run.failed == 0)
}

fn whole(run: &mut Run, quick: bool) {
    if !quick {
        run.stage("set-up", |_| Ok(Found::one(true, licences::set_up(&files::root()?)?)));
    }
    run.stage("format", |_| cargo(&["fmt", "--all", "--check"], 120));
    // Both wait for answers most of their time, and go first where they need the processors.
    let beside: [(&str, Body); 2] = [("demo", demo), ("real systems", real_systems)];
    let built = !quick && run.build();
    let beside = beside.map(|(name, body)| built.then(|| std::thread::spawn(move || timed(name, body))));
    lints(run);
    run.stage("tests", |run| run.tests(None));
    if quick {
        return;
    }
    run.stage("doc tests", |_| {
        let ended = Job::behind("cargo")
            .args(["test", "--doc", "--workspace", "--quiet"])
            .limit(900)
            .dir(&files::root()?)
            .run()?;
        Ok(summed(&ended, "cargo test --doc"))
    });
    if built {
        rings(run);
    }
    run.stage("fuzz", |_| fuzzed());
    for stage in beside.into_iter().flatten() {
        match stage.join() {
            Ok(stage) => run.note(stage),
            Err(_) => run.stage("beside", |_| Err("the demo or the real systems broke off".to_owned())),
        }
    }
}

fn lints(run: &mut Run) {
    run.stage("clippy", |_| {
        cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"], 1500)
    });
    run.stage("debug build", |_| cargo(&files::BUILD, 1500));
    run.stage("house rules", |_| {
        let report = check::report()?;
        report.print();
        Ok(Found { passed: report.passed, failed: report.failures, skipped: 0, note: report.note() })
    });
}

fn rings(run: &mut Run) {
    run.stage("ring 1", |_| sim(&["--ring", "core", "--seeds", "200000"], expect::ring_core));
    run.stage("ring 2", |_| sim(&["--ring", "engine", "--seeds", "2000"], expect::ring_engine));
    run.stage("market", |_| sim(&["--ring", "market", "--seeds", "1000"], expect::ring_market));
    run.stage("money", |_| sim(&["--ring", "money", "--seeds", "200"], expect::money));
    run.stage("same seed, same trace", |_| traces());
    run.stage("planted bugs", |_| sim(&["--plant", "all"], expect::planted));
}

/// What a stage that needs nothing of the others does.
type Body = fn() -> Res<Found>;

/// A stage that was run, with its seconds.
struct Stage {
    name: String,
    seconds: u64,
    found: Found,
}

fn timed(name: &str, body: impl FnOnce() -> Res<Found>) -> Stage {
    let began = now();
    let found = body().unwrap_or_else(|why| Found::one(false, why));
    Stage { name: name.to_owned(), seconds: began.elapsed().as_secs(), found }
}

fn demo() -> Res<Found> {
    let ended = Job::new(files::binary("release")?).args(["demo", "--exit", "--json"]).limit(1500).run()?;
    Ok(judged(&ended, "syncline demo --exit --json", expect::demo))
}

impl Run {
    /// Nothing: runs one stage, prints its line, keeps its counts.
    fn stage(&mut self, name: &str, body: impl FnOnce(&mut Self) -> Res<Found>) {
        let stage = timed(name, || body(self));
        self.note(stage);
    }

    fn note(&mut self, Stage { name, seconds, found }: Stage) {
        let word = if found.failed == 0 { "ok" } else { "FAILED" };
        self.say(&format!("{word:<6} {name} ({seconds} s): {}", found.note));
        self.passed += found.passed;
        self.failed += found.failed;
        self.stages.push(json!({
            "stage": name, "passed": found.passed, "failed": found.failed, "skipped": found.skipped,
            "seconds": seconds, "note": found.note,
        }));
    }

    /// True where the release binary stands.
    fn build(&mut self) -> bool {
        let before = self.failed;
        self.stage("release build", |_| cargo(&["build", "--quiet", "--release"], 2400));
        self.failed == before
    }

    /// The unit, property and simulation tests, or those a filter names.
    fn tests(&mut self, only: Option<Filter>) -> Res<Found> {
        let root = files::root()?;
        let nextest = Job::new("cargo").args(["nextest", "--version"]).run().is_ok_and(|ended| ended.ok());
        let mut job = Job::behind("cargo").dir(&root).limit(2700).echo();
        if let Some(shared) = shared(&root) {
            job = job.env("SYNCLINE_SHARED", shared);
        }
        job = match (nextest, only) {
            (true, None) => job.args(NEXTEST),
            (true, Some(only)) => job.args(NEXTEST).args(["-E", only.expression]),
            (false, None) => job.args(["test", "--workspace", "--no-fail-fast", "--", "--show-output"]),
            (false, Some(only)) => {
                job.args(["test", "--workspace", "--no-fail-fast", "--", "--show-output"]).args(only.words)
            }
        };
        let ended = job.run()?;
        for line in ended.stdout.lines().chain(ended.stderr.lines()) {
            self.ran += said(line, "contract: ran ").unwrap_or(0);
            self.skipped += said(line, "contract: skipped ").unwrap_or(0);
        }
        Ok(summed(&ended, if nextest { "cargo nextest run" } else { "cargo test" }))
    }

    /// The table of scenarios, kept for the end.
    fn scenarios(&mut self) -> Res<Found> {
        let (scenarios, sums) = stories::all()?;
        self.scenarios = scenarios;
        Ok(Found::one(true, sums))
    }

    fn say(&self, line: &str) {
        if self.json { eprintln!("{line}") } else { println!("{line}") }
    }

    fn close(&self) {
        self.say(&format!("contract tests: ran {}, skipped {}", self.ran, self.skipped));
        if self.json {
            let mut sums = json!({
                "stages": self.stages, "contract": {"ran": self.ran, "skipped": self.skipped},
                "passed": self.passed, "failed": self.failed,
            });
            if !self.scenarios.is_empty() {
                sums["scenarios"] = self.scenarios.clone().into();
            }
            println!("{sums}");
        }
        self.say(&format!("{} passed, {} failed", self.passed, self.failed));
    }
}

/// Which tests: for nextest an expression, for cargo parts of names.
#[derive(Clone, Copy, Debug)]
struct Filter {
    expression: &'static str,
    words: [&'static str; 2],
}

const CONTRACT: Filter = Filter { expression: "test(/contract|recorded/)", words: ["contract", "recorded"] };
const STORIES: Filter = Filter { expression: "test(/(^|::)s[0-9][0-9]_/)", words: ["::s", "stories::"] };
const NEXTEST: [&str; 6] = ["nextest", "run", "--workspace", "--cargo-quiet", "--hide-progress-bar", "--no-tests=warn"];

/// The reference data beside the repository, unless the caller said where it lies.
fn shared(root: &std::path::Path) -> Option<PathBuf> {
    let beside = root.parent()?.join("shared");
    (std::env::var_os("SYNCLINE_SHARED").is_none() && beside.is_dir()).then_some(beside)
}

fn cargo(args: &[&str], limit: u64) -> Res<Found> {
    let ended = Job::behind("cargo").args(args).dir(&files::root()?).limit(limit).echo().run()?;
    let name = format!("cargo {}", args.join(" "));
    Ok(Found::one(ended.ok(), if ended.ok() { name } else { ended.story("cargo") }))
}

fn sim(args: &[&str], expected: fn(&Value) -> Vec<String>) -> Res<Found> {
    let words: Vec<&str> = ["sim"].iter().chain(args).chain(&["--json"]).copied().collect();
    let ended = Job::behind(files::binary("release")?).args(&words).limit(1800).run()?;
    Ok(judged(&ended, &format!("syncline {}", words.join(" ")), expected))
}

/// The JSON it printed, held against what is expected of it.
fn judged(ended: &Ended, name: &str, expected: fn(&Value) -> Vec<String>) -> Found {
    let Ok(told) = serde_json::from_str::<Value>(&ended.stdout) else { return Found::one(false, ended.story(name)) };
    if let Some(error) = told.get("error") {
        return Found::one(false, format!("{error}; {}", ended.story(name)));
    }
    let mut wrong = expected(&told);
    if !ended.ok() {
        wrong.push(ended.story(name));
    }
    let note = if wrong.is_empty() { expect::summary(&told) } else { wrong.join("; ") };
    Found::one(wrong.is_empty(), note)
}

/// One seed run twice, and another: the first two traces are one, the third is its own.
fn traces() -> Res<Found> {
    let hash = |seed: &str| -> Res<String> {
        let args = ["sim", "--ring", "engine", "--seeds", "5", "--seed", seed, "--json"];
        let ended = Job::new(files::binary("release")?).args(args).limit(300).expect(&[0])?;
        let told: Value = serde_json::from_str(&ended.stdout).map_err(|e| format!("no JSON from sim: {e}"))?;
        told["trace_hash"].as_str().map(str::to_owned).ok_or_else(|| "sim tells no trace_hash".to_owned())
    };
    let (first, again, other) = (hash("71")?, hash("71")?, hash("72")?);
    let ok = first == again && first != other;
    Ok(Found::one(ok, format!("seed 71: {first}, again {again}; seed 72: {other}")))
}

fn real_systems() -> Res<Found> {
    let report = real::run(&real::Wish { orders: 300, kills: 20, seed: 1, keep: None, chaos: false })?;
    eprint!("{}", report.story());
    Ok(Found::one(report.agrees(), report.line()))
}

/// A minute for each reader of outside bytes.
fn fuzzed() -> Res<Found> {
    Ok(match fuzz::run(&fuzz::Wish { seconds: 60, beside: true, ..fuzz::Wish::default() }, false)? {
        fuzz::Report::Ran(ran) => Found::one(ran.is_clean(), ran.line()),
        fuzz::Report::Skipped(why) => Found { skipped: 1, note: why, ..Found::default() },
    })
}

/// The counts in what a test runner printed.
fn summed(ended: &Ended, name: &str) -> Found {
    let mut found = Found::default();
    let mut told = false;
    for line in ended.stdout.lines().chain(ended.stderr.lines()) {
        let line = line.trim();
        if let Some(counts) = line.strip_prefix("Summary [").or_else(|| line.strip_prefix("test result: ")) {
            // Inside a nextest run, a single test prints a result of its own; only the summary counts.
            if line.starts_with("test result: ") && name.contains("nextest") {
                continue;
            }
            told = true;
            found.passed += before(counts, " passed");
            found.failed += before(counts, " failed") + before(counts, " timed out");
            found.skipped += before(counts, " skipped") + before(counts, " ignored");
        }
    }
    if !ended.ok() && found.failed == 0 {
        found.failed = 1;
        found.note = ended.story(name);
    } else if told {
        found.note = format!("{} passed, {} failed, {} not run", found.passed, found.failed, found.skipped);
    } else {
        found.note = format!("{name}: no test");
    }
    found
}

/// The number that stands right before a word; zero where there is none.
fn before(line: &str, word: &str) -> u64 {
    let Some((left, _)) = line.split_once(word) else { return 0 };
    left.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn said(line: &str, words: &str) -> Option<u64> {
    let rest = line.trim().strip_prefix(words)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: i32, stderr: &str) -> Ended {
        Ended { code: Some(code), stdout: String::new(), stderr: stderr.to_owned(), late: false }
    }

    #[test]
    fn a_nextest_summary_is_counted_once() {
        let text = "    test result: ok. 1 passed; 0 failed; 0 ignored\n     Summary [  0.147s] 3 tests run: 2 passed (1 slow), 1 failed, 4 skipped\n";
        let found = summed(&ended(100, text), "cargo nextest run");
        assert_eq!((found.passed, found.failed, found.skipped), (2, 1, 4));
    }

    #[test]
    fn a_run_that_ends_badly_without_counts_has_failed() {
        let found = summed(&ended(101, "error: could not compile"), "cargo nextest run");
        assert_eq!((found.passed, found.failed), (0, 1));
        assert!(found.note.contains("could not compile"));
    }

    #[test]
    fn contract_lines_are_read_with_or_without_indent() {
        assert_eq!(said("    contract: ran 37", "contract: ran "), Some(37));
        assert_eq!(said("contract: skipped 0 (no data)", "contract: skipped "), Some(0));
        assert_eq!(said("it said contract: ran 3", "contract: ran "), None);
    }
}
