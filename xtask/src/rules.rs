//! The house rules, each a pure look at text: what it returns is wrong, with the line and the remedy.
use std::collections::BTreeMap;

/// The most lines a source file may have.
pub const LONGEST: usize = 600;

/// One thing that is wrong: line (1-based; 0 for the file as a whole), what, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub line: usize,
    pub what: String,
}

fn wrong(line: usize, what: impl Into<String>) -> Wrong {
    Wrong { line, what: what.into() }
}

/// What is wrong with the shape of a Rust file: its length, its first line, lints switched off.
pub fn source(text: &str) -> Vec<Wrong> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST {
        found.push(wrong(
            LONGEST,
            format!("{lines} lines, {LONGEST} are the most; move what belongs together into a module of its own"),
        ));
    }
    if !text.starts_with("//!") {
        found.push(wrong(1, "the first line does not say what the module is for; begin with `//! …`"));
    }
    for (n, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let off = ["#[allow(", "#![allow("].iter().any(|start| line.starts_with(start));
        if off || (line.starts_with("#[cfg_attr") && line.contains(" allow(")) {
            found.push(wrong(n + 1, "a lint is switched off; use `#[expect(lint, reason = \"…\")]`"));
        }
    }
    found
}

/// What is wrong with the core crate's root.
pub fn core_root(text: &str) -> Vec<Wrong> {
    let mut found = Vec::new();
    if !text.lines().any(|line| line.trim() == "#![no_std]") {
        found.push(wrong(1, "core is not `#![no_std]`; it decides, it has no machine under it"));
    }
    for (n, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("extern crate std") {
            found.push(wrong(n + 1, "core takes in std; take what is needed as an argument"));
        }
    }
    found
}

/// Which of our crates each of our crates may use; `-` before a name refuses it in tests too.
fn layers() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("syncline-core", &[][..]),
        ("syncline-connect", &["syncline-core"]),
        ("syncline-connectors", &["syncline-core", "syncline-connect"]),
        ("syncline-store", &["syncline-core"]),
        ("syncline-engine", &["syncline-core", "syncline-connect", "syncline-store"]),
        ("syncline-server", &["syncline-core", "syncline-connect", "syncline-store", "syncline-engine"]),
        ("syncline-sim", &["syncline-connect"]),
        (
            "syncline-trial",
            &[
                "syncline-core",
                "syncline-connect",
                "syncline-connectors",
                "syncline-store",
                "syncline-engine",
                "syncline-server",
                "syncline-sim",
            ],
        ),
        (
            "syncline",
            &[
                "syncline-core",
                "syncline-connect",
                "syncline-connectors",
                "syncline-store",
                "syncline-engine",
                "syncline-server",
                "syncline-sim",
                "syncline-trial",
            ],
        ),
        ("syncline-bench-peer", &[]),
        ("syncline-fuzz", &["syncline-trial"]),
        ("xtask", &[]),
    ])
}

const CORE_USES: [&str; 6] = ["serde", "thiserror", "rust_decimal", "jiff", "indexmap", "blake3"];

/// What is wrong with a crate's dependencies, read from its manifest.
pub fn manifest(text: &str) -> Vec<Wrong> {
    let layers = layers();
    let mut found = Vec::new();
    let (mut section, mut name) = (String::new(), String::new());
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line.trim_matches(|c| c == '[' || c == ']').to_owned();
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let key = key.trim().split('.').next().unwrap_or_default();
        if section == "package" && key == "name" {
            name = value.trim().trim_matches('"').to_owned();
        }
        let used = section == "dependencies" || section == "build-dependencies" || section.ends_with(".dependencies");
        let tested = section == "dev-dependencies";
        let ours = key == "syncline" || key.starts_with("syncline-");
        let allowed = layers.get(name.as_str());
        match allowed {
            None if ours && used => found
                .push(wrong(n + 1, format!("`{name}` has no place in the layers; give it one in xtask/src/rules.rs"))),
            Some(allowed) if ours && (used || (tested && name == "syncline-sim")) && !allowed.contains(&key) => {
                found.push(wrong(
                    n + 1,
                    format!("`{name}` may not use `{key}`: it lies above or beside it (ARCHITECTURE.md, Crates)"),
                ));
            }
            _ => {}
        }
        if name == "syncline-core" && used && !ours && !CORE_USES.contains(&key) && !key.starts_with("unicode-") {
            found.push(wrong(n + 1, format!("core may not use `{key}`; it has a short list, and no I/O on it")));
        }
    }
    found
}

/// Where text that only two crates may say is said elsewhere.
pub fn spoken_only_in(text: &str, words: &str, homes: &str) -> Vec<Wrong> {
    let lines = text.lines().enumerate().filter(|(_, line)| line.contains(words));
    lines
        .map(|(n, _)| {
            wrong(n + 1, format!("`{words}` belongs to {homes} alone; let the store answer with what was noted"))
        })
        .collect()
}

/// The names in backticks that look like paths of this repository, with their lines.
pub fn paths_named(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for span in line.split('`').skip(1).step_by(2) {
            let path = span.split(':').next().unwrap_or_default().trim_end_matches('/');
            let ours =
                ["crates/", "docs/", "xtask/", ".ci/", ".cargo/", ".config/"].iter().any(|top| path.starts_with(top));
            if ours && !path.contains(['*', '<', '{', '…', ' ', '(']) && !path.contains("NNNN") {
                found.push((n + 1, path.to_owned()));
            }
        }
    }
    found
}

/// The cells of a Markdown table row; none where the line is no row, or is its rule.
pub fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<String> = inner.split('|').map(|cell| cell.trim().to_owned()).collect();
    let rule = cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| c == '-' || c == ':'));
    (!rule).then_some(cells)
}

/// What is wrong with the glossary: a word told twice.
pub fn glossary(text: &str) -> Vec<Wrong> {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let Some(cells) = cells(line) else { continue };
        for word in cells.first().into_iter().flat_map(|cell| cell.split("**").skip(1).step_by(2)) {
            let earlier = first.insert(word.to_lowercase(), n + 1);
            if let Some(earlier) = earlier {
                found.push(wrong(
                    n + 1,
                    format!("`{word}` is told twice, first in line {earlier}; one word per idea, one idea per word"),
                ));
            }
        }
    }
    if first.is_empty() {
        found.push(wrong(1, "no word found; each row of the table begins with **word**"));
    }
    found
}

/// What must not stand in the repository: addresses of package registries, paths of one machine.
pub fn foreign(text: &str) -> Vec<Wrong> {
    // Put together here, so that this file itself keeps the rule.
    let hosts = [
        ("crates", "io"),
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("golang", "org"),
        ("rubygems", "org"),
    ];
    let roots = ["work", "root", "tmp/ht"].map(|dir| format!("/{dir}/"));
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for (name, top) in hosts {
            if stands_alone(line, &format!("{name}.{top}")) {
                found.push(wrong(n + 1, "a package registry is named; the tools know theirs, leave it out"));
            }
        }
        for dir in &roots {
            if stands_alone(line, dir) {
                found.push(wrong(n + 1, format!("a path of one machine (`{dir}…`); use a relative one or a variable")));
            }
        }
    }
    found
}

/// True where the words stand in the line with no letter, digit, dot or hyphen right before them.
fn stands_alone(line: &str, words: &str) -> bool {
    line.match_indices(words).any(|(at, _)| {
        let before = line.get(..at).and_then(|left| left.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || "._-}$".contains(c)) || (c == '.' && !words.starts_with('/')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_file_has_nothing_wrong() {
        assert_eq!(source("//! Says what it is for.\nfn main() {}\n"), []);
    }

    #[test]
    fn length_first_line_and_lints_are_seen() {
        let long = format!("fn a() {{}}\n{}{}[allow(dead_code)]\n", "\n".repeat(LONGEST), "#");
        let lines: Vec<usize> = source(&long).iter().map(|w| w.line).collect();
        assert_eq!(lines, [LONGEST, 1, LONGEST + 2]);
    }

    #[test]
    fn the_pretending_crate_may_not_know_what_it_disagrees_with() {
        let text = "[package]\nname = \"syncline-sim\"\n[dependencies]\nsyncline-connect.workspace = true\nsyncline-connectors.workspace = true\n[dev-dependencies]\nsyncline-core = { path = \"../core\" }\n";
        let lines: Vec<usize> = manifest(text).iter().map(|w| w.line).collect();
        assert_eq!(lines, [5, 7]);
    }

    #[test]
    fn core_has_a_short_list() {
        let text = "[package]\nname = \"syncline-core\"\n[dependencies]\nserde.workspace = true\nunicode-segmentation.workspace = true\ntokio.workspace = true\n[dev-dependencies]\nproptest.workspace = true\n";
        assert_eq!(manifest(text).len(), 1);
    }

    #[test]
    fn paths_in_prose_are_found_and_patterns_left_alone() {
        let text = "see `docs/glossary.md` and `crates/core/src/lib.rs:12`, not `docs/decisions/NNNN-*.md` or `plan`";
        let named: Vec<String> = paths_named(text).into_iter().map(|(_, path)| path).collect();
        assert_eq!(named, ["docs/glossary.md", "crates/core/src/lib.rs"]);
    }

    #[test]
    fn a_word_told_twice_is_named() {
        let text = "| Word | Meaning |\n| --- | --- |\n| **mark** | our key |\n| **note**, **Mark** | again |\n";
        assert_eq!(glossary(text).first().map(|w| w.line), Some(4));
    }

    #[test]
    fn foreign_names_are_found_only_where_they_stand_alone() {
        let bad = format!("path = \"/{}/main\"\nhttps://static.{}.{}/x\n", "work", "crates", "io");
        assert_eq!(foreign(&bad).len(), 2);
        assert_eq!(foreign("docs/work/main and net/tmp/ht/x"), []);
    }
}
