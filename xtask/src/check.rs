//! Holds the repository against its own rules; each failure says where, what, and what to do.
use crate::job::Job;
use crate::rules::{self, Wrong};
use crate::{Args, Res, files, licences, reference, stories};
use serde_json::json;
use std::path::Path;

/// What the rules found.
#[derive(Debug, Default)]
pub struct Report {
    pub passed: u64,
    pub failures: u64,
    lines: Vec<String>,
    skipped: Vec<String>,
}

/// `cargo x check`: true where every rule holds.
pub fn chore(args: &mut Args) -> Res<bool> {
    let as_json = args.flag("--json");
    args.finish()?;
    let report = report()?;
    if as_json {
        println!(
            "{}",
            json!({"passed": report.passed, "failed": report.failures, "failures": report.lines, "skipped": report.skipped})
        );
    } else {
        report.print();
        println!("{}", report.note());
    }
    Ok(report.failures == 0)
}

/// Every rule, held against the repository.
pub fn report() -> Res<Report> {
    let root = files::root()?;
    let names = files::listed(&root)?;
    let mut report = Report::default();
    let mut sources = Vec::new();
    for name in names.iter().filter(|name| has_end(name, &["rs"])) {
        sources.push((name.clone(), files::text(&root.join(name))?));
    }
    report.each("shape of the sources", &sources, rules::source);
    let core: Vec<_> = sources.iter().filter(|(name, _)| name == "crates/core/src/lib.rs").cloned().collect();
    report.each("core has no machine under it", &core, rules::core_root);
    // Ring 1 has a store model, ring 2 a planted store that lies and orders of any amounts without one, a connector's tests
    // stand in for a store; none of their notes goes further than a simulated network.
    let stores = [
        "crates/core/",
        "crates/store/",
        "crates/trial/src/ring1/",
        "crates/trial/src/ring2/planted/store.rs",
        "crates/trial/src/ring2/money.rs",
    ];
    let strangers = |name: &str| {
        name.starts_with("crates/") && !name.contains("/tests/") && !stores.iter().any(|home| name.starts_with(home))
    };
    let others: Vec<_> = sources.iter().filter(|(name, _)| strangers(name)).cloned().collect();
    report.each("only the store commits a note", &others, |text| {
        rules::spoken_only_in(text, "Noted::committed", "crates/core, crates/store and the stand-ins of tests")
    });
    report.each("layers", &texts(&root, &names, |name| name.ends_with("/Cargo.toml"))?, rules::manifest);
    report.prose(&root, &names)?;
    report.each("glossary", &texts(&root, &names, |name| name == "docs/glossary.md")?, rules::glossary);
    report.scenarios(&root, &sources)?;
    let plain = |name: &str| {
        name != "Cargo.lock"
            && has_end(name, &["rs", "toml", "md", "sh", "py", "txt", "json", "yml", "yaml", "run", "story"])
    };
    report.each("no registry, no machine", &texts(&root, &names, plain)?, rules::foreign);
    report.alone(&root)?;
    report.generated();
    report.proof(&root)?;
    report.deny(&root)?;
    Ok(report)
}

fn has_end(name: &str, ends: &[&str]) -> bool {
    Path::new(name).extension().is_some_and(|end| ends.iter().any(|e| end == *e))
        || (ends.contains(&"run") && name == ".ci/run")
}

fn texts(root: &Path, names: &[String], which: impl Fn(&str) -> bool) -> Res<Vec<(String, String)>> {
    names.iter().filter(|name| which(name)).map(|name| Ok((name.clone(), files::text(&root.join(name))?))).collect()
}

impl Report {
    /// Nothing: prints what is wrong and what was left out.
    pub fn print(&self) {
        for line in &self.lines {
            eprintln!("{line}");
        }
        for line in &self.skipped {
            eprintln!("skipped: {line}");
        }
    }

    /// One line: how many rules hold.
    pub fn note(&self) -> String {
        format!("{} rules hold, {} broken, {} skipped", self.passed, self.failures, self.skipped.len())
    }

    fn rule(&mut self, found: Vec<String>) {
        if found.is_empty() {
            self.passed += 1;
        } else {
            self.failures += 1;
            self.lines.extend(found);
        }
    }

    /// One rule, over many files; a rule over none is broken, not kept.
    fn each(&mut self, rule: &str, texts: &[(String, String)], look: impl Fn(&str) -> Vec<Wrong>) {
        let mut found: Vec<String> = Vec::new();
        for (name, text) in texts {
            found.extend(look(text).into_iter().map(|w| format!("{name}:{}: {}", w.line, w.what)));
        }
        if texts.is_empty() {
            found.push(format!("{rule}: no file found; the rule looks at nothing"));
        }
        self.rule(found);
    }

    /// Names of files in prose exist.
    fn prose(&mut self, root: &Path, names: &[String]) -> Res<()> {
        let mut found = Vec::new();
        let pages =
            texts(root, names, |name| has_end(name, &["md"]) && (name.starts_with("docs/") || !name.contains('/')))?;
        for (name, text) in &pages {
            let gone = rules::paths_named(text).into_iter().filter(|(_, path)| !root.join(path).exists());
            found.extend(
                gone.map(|(line, path)| format!("{name}:{line}: `{path}` does not exist; mend the name or the tree")),
            );
        }
        self.rule(found);
        Ok(())
    }

    /// All scenarios stand in the table, and each test that one names exists.
    fn scenarios(&mut self, root: &Path, sources: &[(String, String)]) -> Res<()> {
        let text = files::text(&root.join(stories::PAGE))?;
        let (rows, mut found) = stories::parse(&text);
        for row in &rows {
            for test in row.tests() {
                let written = format!("fn {test}(");
                if !sources.iter().any(|(_, source)| source.contains(&written)) {
                    found.push(format!(
                        "{}:{}: {} names the test `{test}`, which does not exist; name the one that proves it",
                        stories::PAGE,
                        row.line,
                        row.id
                    ));
                }
            }
        }
        self.rule(found);
        Ok(())
    }

    /// Core builds by itself: cargo unifies features, so a build of everything hides what is missing.
    fn alone(&mut self, root: &Path) -> Res<()> {
        let ended =
            Job::new("cargo").args(["check", "--quiet", "--package", "syncline-core"]).dir(root).limit(600).run()?;
        self.rule(if ended.ok() {
            Vec::new()
        } else {
            vec![format!("crates/core/Cargo.toml:1: {}", ended.story("cargo check -p syncline-core"))]
        });
        Ok(())
    }

    /// The generated pages say what the binary says.
    fn generated(&mut self) {
        match reference::differences() {
            Ok(reference::Compared::Differs(found)) => self.rule(found),
            Ok(reference::Compared::NotYet(why)) => self.skipped.push(why),
            Err(why) => self.rule(vec![format!("docs/reference:1: cannot be compared: {why}")]),
        }
    }

    /// What is promised says what the evidence and the connectors say.
    fn proof(&mut self, root: &Path) -> Res<()> {
        let found = crate::proof::differences(root)?;
        self.rule(found);
        Ok(())
    }

    /// Licences, sources and duplicates of what we build on, where the tool is at hand.
    fn deny(&mut self, root: &Path) -> Res<()> {
        let Some(tool) = licences::tool()? else {
            self.skipped.push(format!(
                "cargo-deny {} is not here; licences and sources of dependencies were not checked; `cargo x test` builds it",
                licences::VERSION
            ));
            return Ok(());
        };
        let ended = licences::check(&tool, root, &root.join("deny.toml"))?;
        self.rule(if ended.ok() { Vec::new() } else { vec![format!("deny.toml:1: {}", ended.story("cargo deny"))] });
        Ok(())
    }
}
