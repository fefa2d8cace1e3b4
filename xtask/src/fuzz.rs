//! Looks for bytes that break a parser: libFuzzer over every reader of outside bytes, from what is kept of earlier runs.
use crate::job::{Ended, Job};
use crate::{Args, Res, files};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The readers; their folders in the corpus have these names.
const TARGETS: &str = "crates/trial/src/outside/mod.rs";
const CORPUS: &str = "crates/trial/corpus";
/// Bytes that may be kept of all of them.
const KEPT: u64 = 300 * 1024;
/// Seconds one input may take where nothing else is done; megabytes it may take, bytes it may have.
const SECONDS: u64 = 10;
const MEGABYTES: u64 = 2048;
const LONGEST: u64 = 32 * 1024;
/// Where the engine can be built: its coverage is told by sections that only such linkers keep together.
const MACHINES: [&str; 2] = ["x86_64", "aarch64"];
/// Every branch counts itself in one byte, and tells what it compares; asked of the pinned compiler as its plain options are.
const FLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "--cfg=fuzzing",
];

/// What is asked for.
#[derive(Debug, Default)]
pub struct Wish {
    /// One target; all where none is named.
    pub target: Option<String>,
    /// Seconds for each.
    pub seconds: u64,
    /// What reached something new is kept.
    pub keep: bool,
    /// Other work is done beside it: an input may take longer by the clock.
    pub beside: bool,
}

/// What came of one target.
#[derive(Debug)]
struct Run {
    target: String,
    /// Inputs that were read.
    inputs: u64,
    /// Places that were reached.
    reached: u64,
    /// Inputs that broke it, as they are kept.
    broken: Vec<String>,
    /// Inputs that are kept from now on.
    kept: u64,
    /// Why it did not run as it should.
    wrong: Option<String>,
}

/// What came of all.
#[derive(Debug)]
pub enum Report {
    /// Nothing could be built here; why.
    Skipped(String),
    Ran(Ran),
}

/// What came of those that ran.
#[derive(Debug)]
pub struct Ran {
    runs: Vec<Run>,
    seconds: u64,
}

/// `cargo x fuzz`: true where nothing broke.
pub fn chore(args: &mut Args) -> Res<bool> {
    let (as_json, file) = (args.flag("--json"), args.option("--again")?);
    let (keep, seconds) = (args.flag("--keep"), args.number("--seconds", 60)?);
    let wish = Wish { keep, seconds, target: args.word(), beside: false };
    args.finish()?;
    if let Some(file) = file {
        return again(&wish.target.ok_or("--again needs the target that the file is of")?, &file);
    }
    match run(&wish, !as_json)? {
        Report::Skipped(why) => {
            println!("{}", if as_json { json!({"skipped": why}).to_string() } else { format!("skipped: {why}") });
            Ok(false)
        }
        Report::Ran(ran) => {
            println!("{}", if as_json { ran.json().to_string() } else { ran.line() });
            Ok(ran.is_clean())
        }
    }
}

impl Ran {
    pub fn is_clean(&self) -> bool {
        self.runs.iter().all(|run| run.broken.is_empty() && run.wrong.is_none())
    }

    /// One line: how much was read, and what broke.
    pub fn line(&self) -> String {
        let inputs: u64 = self.runs.iter().map(|run| run.inputs).sum();
        let told = self.runs.iter().flat_map(Run::wrong).map(|what| format!("\n    {what}"));
        let broken = self.runs.iter().map(|run| run.broken.len()).sum::<usize>();
        format!(
            "{} targets for {} s each, {inputs} inputs, {broken} that break something{}",
            self.runs.len(),
            self.seconds,
            told.collect::<String>()
        )
    }

    fn json(&self) -> Value {
        let row = |run: &Run| {
            json!({"target": run.target, "inputs": run.inputs, "reached": run.reached, "kept": run.kept,
                "broken": run.broken, "wrong": run.wrong})
        };
        json!({"seconds": self.seconds, "targets": self.runs.iter().map(row).collect::<Vec<_>>()})
    }
}

impl Run {
    /// What is wrong, each with what to do.
    fn wrong(&self) -> Vec<String> {
        let again = |file: &String| {
            format!(
                "{}: {file} breaks it; see it again with `cargo x fuzz {} --again {file}`",
                self.target, self.target
            )
        };
        self.broken.iter().map(again).chain(self.wrong.clone()).collect()
    }

    fn line(&self) -> String {
        let kept = if self.kept > 0 { format!(", {} kept", self.kept) } else { String::new() };
        format!("{}: {} inputs, {} places reached{kept}", self.target, self.inputs, self.reached)
    }
}

/// What came of `wish`; each target is told as it ends where `tell`.
///
/// # Errors
/// Where no target has that name, or the readers do not build.
pub fn run(wish: &Wish, tell: bool) -> Res<Report> {
    let root = files::root()?;
    let targets = chosen(&root, wish.target.as_deref())?;
    let engine = match engine(&root)? {
        Ok(engine) => engine,
        Err(why) => return Ok(Report::Skipped(why)),
    };
    let ran = |target: &String| {
        let run = one(&root, &engine, target, wish)?;
        if tell {
            println!("{}", run.line());
        }
        Ok(run)
    };
    let runs = side_by_side(&targets, ran).into_iter().collect::<Res<Vec<Run>>>()?;
    Ok(Report::Ran(Ran { runs, seconds: wish.seconds }))
}

/// What `ran` makes of each target, in their order; one of them for each processor at a time, for each keeps one busy.
fn side_by_side<T: Send>(targets: &[String], ran: impl Fn(&String) -> Res<T> + Sync) -> Vec<Res<T>> {
    let hands = std::thread::available_parallelism().map_or(1, usize::from);
    let broke_off = |_| Err("a target broke off".to_owned());
    let mut all = Vec::new();
    for some in targets.chunks(hands) {
        let ran = &ran;
        std::thread::scope(|scope| {
            let runs: Vec<_> = some.iter().map(|target| scope.spawn(move || ran(target))).collect();
            all.extend(runs.into_iter().map(|run| run.join().unwrap_or_else(broke_off)));
        });
    }
    all
}

/// The targets asked for, in the order of their table.
fn chosen(root: &Path, only: Option<&str>) -> Res<Vec<String>> {
    let all = named(&files::text(&root.join(TARGETS))?);
    let chosen: Vec<String> = all.iter().filter(|name| only.is_none_or(|only| only == *name)).cloned().collect();
    if chosen.is_empty() {
        return Err(format!("no target is called `{}`; there are {}", only.unwrap_or_default(), all.join(", ")));
    }
    Ok(chosen)
}

/// The names in the table of targets.
fn named(text: &str) -> Vec<String> {
    let name = |line: &str| Some(line.split_once("name: \"")?.1.split_once('"')?.0.to_owned());
    text.lines().filter_map(name).collect()
}

/// The readers under their engine, built where they are not; why not, where this machine cannot.
fn engine(root: &Path) -> Res<Result<PathBuf, String>> {
    if std::env::consts::OS != "linux" || !MACHINES.contains(&std::env::consts::ARCH) {
        return Ok(Err(format!("the engine runs on Linux, on {}, and not here", MACHINES.join(" and "))));
    }
    let compilers = std::env::var("CXX").into_iter().chain(["c++", "g++", "clang++"].map(str::to_owned));
    let works = |name: &String| Job::new(name).args(["--version"]).limit(30).run().is_ok_and(|ended| ended.ok());
    if compilers.into_iter().find(works).is_none() {
        return Ok(Err(
            "no C++ compiler is here (c++, g++ or clang++, or what CXX names); the engine needs one".to_owned()
        ));
    }
    let manifest = root.join("fuzz/Cargo.toml").display().to_string();
    let fetched = Job::new("cargo").args(["fetch", "--locked", "--manifest-path", &manifest]).limit(900).run()?;
    if !fetched.ok() {
        return Ok(Err(format!("the engine's packages cannot be had: {}", fetched.story("cargo fetch"))));
    }
    let host = host()?;
    let home = home()?;
    // With a target named, what runs while it is built (scripts, macros) is not instrumented: it has no engine to report to.
    Job::behind("cargo")
        .args(["build", "--quiet", "--release", "--locked", "--manifest-path", &manifest, "--target", &host])
        .args(["--target-dir", &home.display().to_string()])
        .env("RUSTFLAGS", FLAGS.join(" "))
        .dir(root)
        .limit(3600)
        .echo()
        .expect(&[0])?;
    Ok(Ok(home.join(host).join("release/syncline-fuzz")))
}

fn host() -> Res<String> {
    let told = Job::new("rustc").args(["-vV"]).limit(30).expect(&[0])?.stdout;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc tells no host".to_owned())
}

fn home() -> Res<PathBuf> {
    Ok(files::target()?.join("fuzz"))
}

/// The engine on one target.
fn job(engine: &Path, target: &str) -> Job {
    Job::behind(engine).env("SYNCLINE_FUZZ", target)
}

fn one(root: &Path, engine: &Path, target: &str, wish: &Wish) -> Res<Run> {
    let kept = root.join(CORPUS).join(target);
    let (inputs, found) = (home()?.join("inputs").join(target), home()?.join("found").join(target));
    if found.is_dir() {
        fs::remove_dir_all(&found).map_err(|e| format!("{}: cannot be emptied: {e}", found.display()))?;
    }
    for place in [&kept, &inputs, &found] {
        fs::create_dir_all(place).map_err(|e| format!("{}: cannot be made: {e}", place.display()))?;
    }
    let told = |name: &str, value: u64| format!("-{name}={value}");
    let patience = if wish.beside { SECONDS * 6 } else { SECONDS };
    let ended = job(engine, target)
        .args([inputs.display().to_string(), kept.display().to_string()])
        .args([told("max_total_time", wish.seconds), told("timeout", patience), told("rss_limit_mb", MEGABYTES)])
        .args([told("max_len", LONGEST), told("print_final_stats", 1), told("reload", 0)])
        .args([format!("-artifact_prefix={}/", found.display())])
        .limit(wish.seconds + 300)
        .run()?;
    let broken = broken(&found, &kept, target)?;
    let wrong = (!ended.ok()).then(|| ended.story(&format!("fuzz {target}")));
    let mut run = Run { target: target.to_owned(), broken, wrong, ..counted(&ended) };
    if wish.keep && run.wrong.is_none() {
        run.kept = keep(engine, target, &kept, &inputs)?;
        run.wrong = too_much(&root.join(CORPUS))?;
    }
    Ok(run)
}

/// How much was read and reached, in the engine's words.
fn counted(ended: &Ended) -> Run {
    let number = |text: &str| -> u64 {
        text.trim_start().split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    let lines = || ended.stderr.lines();
    let inputs = lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")).map_or(0, number);
    let reached = lines().filter_map(|line| line.split_once(" cov: ")).map(|(_, rest)| number(rest)).max();
    Run { target: String::new(), inputs, reached: reached.unwrap_or(0), broken: Vec::new(), kept: 0, wrong: None }
}

/// Keeps what broke the target under its hash, so that every build sees it.
fn broken(found: &Path, kept: &Path, target: &str) -> Res<Vec<String>> {
    let mut broken = Vec::new();
    for name in listed(found)? {
        let (from, to) = (found.join(&name), kept.join(&name));
        fs::copy(&from, &to).map_err(|e| format!("{}: cannot be written: {e}", to.display()))?;
        broken.push(format!("{CORPUS}/{target}/{name}"));
    }
    Ok(broken)
}

/// How many more inputs are kept: of those that reach what no kept one does the smallest.
fn keep(engine: &Path, target: &str, kept: &Path, inputs: &Path) -> Res<u64> {
    let before = listed(kept)?.len();
    let places = [kept.display().to_string(), inputs.display().to_string()];
    job(engine, target).args(["-merge=1"]).args(places).limit(1800).expect(&[0])?;
    Ok(u64::try_from(listed(kept)?.len().saturating_sub(before)).unwrap_or(0))
}

/// What is wrong with the size of all that is kept; nothing where it is small enough.
fn too_much(corpus: &Path) -> Res<Option<String>> {
    let mut bytes = 0;
    for target in listed(corpus)? {
        for name in listed(&corpus.join(&target))? {
            bytes += fs::metadata(corpus.join(&target).join(name)).map_or(0, |told| told.len());
        }
    }
    Ok((bytes > KEPT).then(|| format!("{CORPUS} has {bytes} bytes, {KEPT} are the most: take out what is large")))
}

/// The names in a directory, in order.
fn listed(dir: &Path) -> Res<Vec<String>> {
    let read = fs::read_dir(dir).map_err(|e| format!("{}: cannot be read: {e}", dir.display()))?;
    let mut names: Vec<String> = read.flatten().map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// One input read again: true where nothing broke.
fn again(target: &str, file: &str) -> Res<bool> {
    let root = files::root()?;
    let engine = engine(&root)?.map_err(|why| format!("skipped: {why}"))?;
    let (target, place) = (chosen(&root, Some(target))?.concat(), root.join(file));
    let ended = job(&engine, &target)
        .args([place.display().to_string(), format!("-timeout={SECONDS}"), format!("-rss_limit_mb={MEGABYTES}")])
        .limit(120)
        .echo()
        .run()?;
    println!("{file}: {}", if ended.ok() { "nothing breaks" } else { "breaks" });
    Ok(ended.ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_those_of_the_table_and_each_has_what_is_kept() {
        let root = files::root().unwrap();
        let names = chosen(&root, None).unwrap();
        assert!(names.contains(&"hint".to_owned()), "{names:?}");
        assert_eq!(chosen(&root, Some("words")).unwrap(), ["words"]);
        assert!(chosen(&root, Some("nothing")).unwrap_err().contains("there are"));
        assert_eq!(too_much(&root.join(CORPUS)).unwrap(), None);
    }

    #[test]
    fn what_the_engine_counts_is_read() {
        let stderr =
            "#2\tINITED cov: 7 ft: 8 corp: 1/1b\n#900\tNEW    cov: 612 ft: 99\nstat::number_of_executed_units: 1234\n";
        let ended = Ended { code: Some(0), stdout: String::new(), stderr: stderr.to_owned(), late: false };
        let run = counted(&ended);
        assert_eq!((run.inputs, run.reached), (1234, 612));
    }
}
