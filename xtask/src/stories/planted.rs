//! Every story told with every planted bug: a story that no bug can break may prove nothing.

use super::{PAGE, parse};
use crate::job::Job;
use crate::{Args, Res, files};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Seconds all stories of one bug may take, and one that is asked alone.
const ALL_S: u64 = 240;
const ONE_S: u64 = 20;

/// `cargo x stories --planted`: which scenarios have a test that a planted bug breaks.
pub fn chore(args: &mut Args) -> Res<bool> {
    let as_json = args.flag("--json");
    args.finish()?;
    let root = files::root()?;
    let tests = Tests::built(&root)?;
    let names = tests.names()?;
    let mut broken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let bugs = tests.bugs()?;
    for bug in &bugs {
        let found = tests.broken_by(bug, &names)?;
        eprintln!("{bug}: {} of {} stories are broken", found.len(), names.len());
        for name in found {
            broken.entry(name).or_default().insert(bug.clone());
        }
    }
    let (rows, _) = parse(&files::text(&root.join(PAGE))?);
    let mut scenarios = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state == "passed") {
        let tests = row.tests();
        let is_its = |name: &str| tests.iter().any(|test| name.rsplit("::").next() == Some(test));
        let by: BTreeSet<&String> = broken.iter().filter(|(name, _)| is_its(name)).flat_map(|(_, by)| by).collect();
        scenarios.insert(row.id.clone(), by);
    }
    let shown = scenarios.values().filter(|by| !by.is_empty()).count();
    let told = json!({"stories": names.len(), "bugs": bugs.len(), "scenarios": scenarios});
    if as_json {
        println!("{told}");
    } else {
        scenarios.iter().for_each(|(id, by)| {
            println!("{id}  {}", by.iter().map(|bug| bug.as_str()).collect::<Vec<_>>().join(", "))
        });
    }
    eprintln!(
        "{shown} of {} passed scenarios have a test that one of {} planted bugs breaks",
        scenarios.len(),
        bugs.len()
    );
    Ok(true)
}

/// The stories' tests, built.
struct Tests(PathBuf);

impl Tests {
    fn built(root: &Path) -> Res<Self> {
        let words = ["test", "--release", "-p", "syncline-trial", "--lib", "--no-run", "--message-format", "json"];
        let told = Job::new("cargo").args(words).dir(root).limit(2400).echo().expect(&[0])?;
        let lines = told.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut programs = lines.filter_map(|line| line["executable"].as_str().map(PathBuf::from));
        programs.next_back().map(Self).ok_or_else(|| "no test program was built".to_owned())
    }

    /// Every bug that a story may be told with, by the stories' own list.
    fn bugs(&self) -> Res<Vec<String>> {
        let words = ["--exact", "ring2::stories::bugs_of_stories_are_told_by_name", "--nocapture"];
        let told = Job::new(&self.0).args(words).limit(60).expect(&[0])?;
        let bugs: Vec<String> =
            told.stdout.lines().filter_map(|line| line.strip_prefix("bug ").map(str::to_owned)).collect();
        if bugs.is_empty() { Err("the stories name no bug".to_owned()) } else { Ok(bugs) }
    }

    fn names(&self) -> Res<Vec<String>> {
        let told = Job::new(&self.0).args(["--list"]).limit(60).expect(&[0])?;
        let all = told.stdout.lines().filter_map(|line| line.strip_suffix(": test"));
        Ok(all.filter(|name| is_of_a_scenario(name)).map(str::to_owned).collect())
    }

    /// The stories that end otherwise with `bug` than without it.
    fn broken_by(&self, bug: &str, names: &[String]) -> Res<BTreeSet<String>> {
        let words = ["--exact", "--test-threads", "2"].into_iter().chain(names.iter().map(String::as_str));
        let told = self.job(bug).args(words).limit(ALL_S).run()?;
        let mut broken = BTreeSet::new();
        for name in names {
            let is_broken = match ended(&told.stdout, name) {
                Some(ended) => ended,
                // Others that never ended were before it.
                None => {
                    let alone = self.job(bug).args(["--exact", name.as_str()]).limit(ONE_S).run()?;
                    ended(&alone.stdout, name).unwrap_or(true)
                }
            };
            if is_broken {
                broken.insert(name.clone());
            }
        }
        Ok(broken)
    }

    fn job(&self, bug: &str) -> Job {
        Job::new(&self.0).env("SYNCLINE_PLANT", bug)
    }
}

/// `…::s12_what_happens`.
fn is_of_a_scenario(name: &str) -> bool {
    let last = name.rsplit("::").next().unwrap_or(name).as_bytes();
    matches!(last, [b's', one, two, b'_', ..] if one.is_ascii_digit() && two.is_ascii_digit())
}

/// Whether a test failed; none where it came to no end.
fn ended(stdout: &str, name: &str) -> Option<bool> {
    let line = stdout.lines().find_map(|line| line.strip_prefix("test ")?.strip_prefix(name)?.strip_prefix(" ... "))?;
    match line.split_whitespace().next()? {
        "ok" => Some(false),
        "FAILED" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_test_ended_is_read_by_its_whole_name() {
        let told =
            "test a::s01_x ... ok\ntest a::s01_xy ... FAILED\ntest a::s02_z has been running for over 60 seconds\n";
        assert_eq!(
            [ended(told, "a::s01_x"), ended(told, "a::s01_xy"), ended(told, "a::s02_z")],
            [Some(false), Some(true), None]
        );
        assert!(is_of_a_scenario("ring2::stories::of_hints::s01_twice") && !is_of_a_scenario("ring2::stories::stock"));
    }
}
