//! Writes docs/guarantees.md: what keeps a second one away in each system, and what was run to see it hold.
use crate::job::{Job, now};
use crate::{Args, Res, files};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

const PAGE: &str = "docs/guarantees.md";
/// What every run of the table came to.
const EVIDENCE: &str = "docs/evidence.json";
const SYSTEMS: &str = "docs/reference/systems.json";

/// A row of the table: how it is run, by night and to try it.
#[derive(Debug)]
struct Row {
    name: &'static str,
    what: &'static str,
    /// The arguments of the binary, or of the chores.
    words: &'static [&'static str],
    /// How many are asked for: the flag, by night, to try it.
    many: Option<(&'static str, u64, u64)>,
    chore: bool,
}

const ROWS: [Row; 9] = [
    Row {
        name: "core",
        what: "one delivery: every guard, several workers, zombies, late and repeated requests, crashes around each commit",
        words: &["sim", "--ring", "core"],
        many: Some(("--seeds", 2_000_000, 20_000)),
        chore: false,
    },
    Row {
        name: "engine",
        what: "the whole product over simulated systems: all kinds, people, faults, crashes, clock steps; then calm, rest and every rule",
        words: &["sim", "--ring", "engine"],
        many: Some(("--seeds", 30_000, 40)),
        chore: false,
    },
    Row {
        name: "market",
        what: "stock beside buyers who want the same few things between two passes",
        words: &["sim", "--ring", "market"],
        many: Some(("--seeds", 2_000, 20)),
        chore: false,
    },
    Row {
        name: "money",
        what: "fifty orders of any amounts a schedule, each counted to the minor unit in both ledgers",
        words: &["sim", "--ring", "money"],
        many: Some(("--seeds", 20_000, 20)),
        chore: false,
    },
    Row {
        name: "plants",
        what: "bugs planted in the product's surroundings, each found",
        words: &["sim", "--plant", "all"],
        many: None,
        chore: false,
    },
    Row {
        name: "stories",
        what: "every story of a scenario, told with every planted bug",
        words: &["stories", "--planted"],
        many: None,
        chore: true,
    },
    Row {
        name: "mutants",
        what: "changes that cargo-mutants makes to the core's code, held against the core's own tests",
        words: &["mutants"],
        many: None,
        chore: true,
    },
    Row {
        name: "real",
        what: "the binary between a real Tryton and a stormy shop, killed again and again; counted in the database and the shop's ledger",
        words: &["real"],
        many: Some(("--kills", 200, 6)),
        chore: true,
    },
    Row {
        name: "chaos",
        what: "the same on a machine that loses power, space, time and its store",
        words: &["chaos"],
        many: Some(("--kills", 500, 6)),
        chore: true,
    },
];

const HEAD: &str = "\
# What is promised, and what was run to see it hold

The first part says how each write is kept from happening twice, in the words the connectors declare (`syncline systems --json`). The second is what runs of
this repository came to, none of it by hand: `cargo x proof ROW --night` runs a row and writes it here, `cargo x proof` writes the page anew.

## What is promised
- Each order, paper and payment stands once in the other system, whatever crashes, is lost, comes late or is repeated; where that cannot be known, nothing is
  sent and a person is asked.
- Both sides show the same to the minor unit; where rounding cannot explain a difference, what was made stays a draft.
- What people keep by hand is not overwritten: each field has a master, and what both changed is asked about.
- What is open is named with its remedy, what differs by `verify`; at rest nothing is written.
- A note is durable before a request leaves: the store survives `kill -9` and power cuts, and an older copy of it doubles nothing.

What is not: a jump of this host's clock by hours **while** a request is under way shortens the wait of `look` ([determinism](spec/determinism.md)); whoever
takes our marks off documents by hand takes away what they are known by; a disk that says it kept what it did not is not seen through.

## In each system
`unique`: the system itself refuses a second one by the field. `draft-elect`: what moves nothing yet is made with our mark in the field, one of them is chosen
durably and released by its id, others are swept. `look`: it is looked for by our mark in the field once nothing can land any more; until then nothing is
sent again. Steps without a row change what is there: they are repeated only on what was just read.

";

/// `cargo x proof`: true where no row that was run found anything.
pub fn chore(args: &mut Args) -> Res<bool> {
    let night = args.flag("--night");
    let (told, commit) = (args.option("--told")?, args.option("--commit")?);
    let mut asked = Vec::new();
    while let Some(name) = args.word() {
        let found = ROWS.iter().filter(|row| name == "all" || row.name == name).collect::<Vec<_>>();
        if found.is_empty() {
            return Err(format!("no row is called `{name}`; there are all, {}", ROWS.map(|row| row.name).join(", ")));
        }
        asked.extend(found);
    }
    args.finish()?;
    let root = files::root()?;
    let mut rows = evidence(&root)?;
    let mut good = true;
    for row in asked {
        let ran = match (&told, &commit) {
            (Some(file), Some(commit)) => taken(row, Path::new(file), commit)?,
            (None, None) => run(row, night, &root)?,
            _ => return Err("--told FILE and --commit HASH go together: what was run, and of what".to_owned()),
        };
        good &= is_clean(&ran["told"]);
        rows.retain(|one| one["row"] != row.name);
        rows.push(ran);
        let text = serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())?;
        files::write(&root.join(EVIDENCE), &format!("{text}\n"))?;
        files::write(&root.join(PAGE), &page(&root)?)?;
        println!("{}: {}", row.name, summary(row.name, &rows));
    }
    files::write(&root.join(PAGE), &page(&root)?)?;
    Ok(good)
}

/// What is wrong with the page: it is not what the evidence and the systems' page say.
pub fn differences(root: &Path) -> Res<Vec<String>> {
    let stands = files::text(&root.join(PAGE)).unwrap_or_default();
    let differs = stands != page(root)?;
    Ok(differs
        .then(|| format!("{PAGE}:1: is not what {EVIDENCE} and {SYSTEMS} say; run `cargo x proof`"))
        .into_iter()
        .collect())
}

fn evidence(root: &Path) -> Res<Vec<Value>> {
    let path = root.join(EVIDENCE);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    serde_json::from_str(&files::text(&path)?).map_err(|error| format!("{EVIDENCE}: {error}"))
}

/// The row, run now.
fn run(row: &Row, night: bool, root: &Path) -> Res<Value> {
    let began = now();
    let mut words: Vec<String> = row.words.iter().map(|word| (*word).to_owned()).collect();
    if let Some((flag, by_night, to_try)) = row.many {
        words.extend([flag.to_owned(), if night { by_night } else { to_try }.to_string()]);
    }
    words.push("--json".to_owned());
    Job::new("cargo").args(["build", "--quiet", "--release"]).dir(root).limit(2400).echo().expect(&[0])?;
    let program =
        if row.chore { std::env::current_exe().map_err(|error| error.to_string())? } else { files::binary("release")? };
    eprintln!("{} {}", program.file_name().unwrap_or_default().to_string_lossy(), words.join(" "));
    let ended = Job::new(program).args(&words).dir(root).limit(6 * 3600).echo().run()?;
    let told = parsed(&ended.stdout).ok_or_else(|| ended.story(row.name))?;
    let head = Job::new("git").args(["rev-parse", "--short", "HEAD"]).dir(root).limit(30).expect(&[0])?;
    let clean =
        Job::new("git").args(["status", "--porcelain"]).dir(root).limit(30).expect(&[0])?.stdout.trim().is_empty();
    let commit = format!("{}{}", head.stdout.trim(), if clean { "" } else { " and more" });
    Ok(noted(row, &words, &commit, Some(began.elapsed().as_secs()), &told))
}

/// The row as it was run elsewhere, of that commit: `file` is what it printed.
fn taken(row: &Row, file: &Path, commit: &str) -> Res<Value> {
    let told = parsed(&files::text(file)?).ok_or_else(|| format!("{}: no JSON", file.display()))?;
    let is_of = match row.name {
        "chaos" => told["machine"].is_object(),
        "real" => told["kills"].is_u64() && told["machine"].is_null(),
        "stories" => told["scenarios"].is_object(),
        "mutants" => told["mutants"].as_u64() > Some(0),
        "plants" => told["planted"].as_array().is_some_and(|bugs| !bugs.is_empty()),
        ring => told["ring"] == ring && told["schedules"].as_u64() > Some(0),
    };
    if !is_of {
        return Err(format!("{}: is not what a run of `{}` prints", file.display(), row.name));
    }
    let asked = told["schedules"].as_u64().or_else(|| told["kills"].as_u64());
    let mut words: Vec<String> = row.words.iter().map(|word| (*word).to_owned()).collect();
    if let (Some((flag, ..)), Some(asked)) = (row.many, asked) {
        words.extend([flag.to_owned(), asked.to_string()]);
    }
    let mut ran = noted(row, &words, commit, told["seconds"].as_u64(), &told);
    ran["cores"] = "not told".into();
    Ok(ran)
}

fn parsed(text: &str) -> Option<Value> {
    text.lines().rev().find_map(|line| serde_json::from_str(line).ok().filter(Value::is_object))
}

fn noted(row: &Row, words: &[String], commit: &str, seconds: Option<u64>, told: &Value) -> Value {
    let program = if row.chore { "cargo x" } else { "syncline" };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    json!({
        "row": row.name, "command": format!("{program} {}", words.join(" ")), "commit": commit, "seconds": seconds,
        "cores": cores, "told": kept(told),
    })
}

/// What is kept of what a run told: counts, and what was wrong.
fn kept(told: &Value) -> Value {
    let names = [
        "schedules",
        "states",
        "stories",
        "bugs",
        "scenarios",
        "mutants",
        "caught",
        "violations",
        "faults",
        "planted",
        "kills",
        "orders",
        "missing",
        "duplicates",
        "papers",
        "machine",
        "lost_replies",
        "lost_requests",
        "wrong",
    ];
    names.into_iter().filter(|name| !told[*name].is_null()).map(|name| (name.to_owned(), told[name].clone())).collect()
}

/// Whether nothing was broken, missing or twice, and every planted bug was found.
fn is_clean(told: &Value) -> bool {
    let none = |name: &str| told[name].as_array().is_none_or(Vec::is_empty);
    let found = |bug: &Value| bug["found"].as_bool() != Some(false);
    let nil = |name: &str| told[name].as_u64().unwrap_or(0) == 0;
    none("violations")
        && none("wrong")
        && nil("missing")
        && nil("duplicates")
        && told["planted"].as_array().is_none_or(|bugs| bugs.iter().all(found))
}

fn page(root: &Path) -> Res<String> {
    let systems: Value =
        serde_json::from_str(&files::text(&root.join(SYSTEMS))?).map_err(|e| format!("{SYSTEMS}: {e}"))?;
    let rows = evidence(root)?;
    let mut page = HEAD.to_owned();
    page.push_str("| System | Kind | Step | Guard | Field | Looked for after | Where that is from |\n|---|---|---|---|---|---|---|\n");
    for system in systems.as_array().into_iter().flatten() {
        for (kind, told) in system["kinds"].as_object().into_iter().flatten() {
            for guard in told["guards"].as_array().into_iter().flatten() {
                page.push_str(&guard_row(system, kind, guard));
            }
        }
    }
    page.push_str("\n## What was run\n");
    page.push_str("Seconds are of the machine that ran it, with so many cores, and say nothing of another one.\n\n");
    page.push_str(
        "| Ring | What is tried | Command | Of | Cores | Seconds | What came of it |\n|---|---|---|---|---|---|---|\n",
    );
    for row in &ROWS {
        let Some(ran) = rows.iter().find(|one| one["row"] == row.name) else {
            let _ = writeln!(page, "| {} | {} | | | | | not run yet |", row.name, row.what);
            continue;
        };
        let _ = writeln!(
            page,
            "| {} | {} | `{}` | {} | {} | {} | {} |",
            row.name,
            row.what,
            text(&ran["command"]),
            text(&ran["commit"]),
            ran["cores"].as_u64().map_or_else(|| "not told".to_owned(), |cores| cores.to_string()),
            ran["seconds"].as_u64().map_or_else(|| "not told".to_owned(), |seconds| seconds.to_string()),
            summary(row.name, &rows)
        );
    }
    page.push_str("\n## Scenarios\n");
    let states = crate::stories::states(root)?;
    let passed = states.iter().filter(|state| *state == "passed").count();
    let _ = writeln!(
        page,
        "{passed} of {} [scenarios](scenarios.md) are passed, each by tests it names; the others say what is missing.",
        states.len()
    );
    page.push_str(&shown(&rows));
    Ok(page)
}

/// Which scenarios a planted bug breaks, and which none does.
fn shown(rows: &[Value]) -> String {
    let told = rows.iter().find(|one| one["row"] == "stories").and_then(|one| one["told"]["scenarios"].as_object());
    let Some(told) = told else { return String::new() };
    let by = |bugs: &Value| bugs.as_array().map_or(0, Vec::len);
    let (broken, whole): (Vec<_>, Vec<_>) = told.iter().partition(|(_, bugs)| by(bugs) > 0);
    let ids = |all: Vec<(&String, &Value)>| all.into_iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(", ");
    let mut text = format!("\nTold with each of the planted bugs, {} of them have a test that breaks", broken.len());
    if whole.is_empty() {
        text.push_str(".\n");
    } else {
        let _ = writeln!(text, "; none breaks {}.", ids(whole));
    }
    text
}

fn guard_row(system: &Value, kind: &str, guard: &Value) -> String {
    let settle = guard["settle_s"].as_u64().map_or_else(String::new, |seconds| format!("{seconds} s"));
    let when = match text(&guard["when"]) {
        "" => String::new(),
        when => format!(", where {when}"),
    };
    format!(
        "| {} | {kind} | {} | {}{when} | {} | {settle} | {} |\n",
        text(&system["name"]),
        text(&guard["step"]),
        text(&guard["guard"]),
        text(&guard["field"]),
        text(&guard["source"])
    )
}

/// What the row came to, in a few words.
fn summary(name: &str, rows: &[Value]) -> String {
    let Some(told) = rows.iter().find(|one| one["row"] == name).map(|one| &one["told"]) else { return String::new() };
    let mut parts = Vec::new();
    let mut count = |name: &str, word: &str| {
        let many = told[name].as_u64().or_else(|| told[name].as_array().map(|all| all.len() as u64));
        parts.extend(many.map(|many| format!("{many} {word}")));
    };
    count("schedules", "schedules");
    count("states", "states exhaustively");
    count("stories", "stories");
    count("bugs", "bugs");
    count("mutants", "changes");
    count("caught", "noticed");
    count("kills", "kills");
    count("orders", "orders");
    count("missing", "missing");
    count("duplicates", "duplicates");
    count("violations", "violations");
    count("wrong", "other differences");
    if let Some(bugs) = told["planted"].as_array().filter(|bugs| !bugs.is_empty()) {
        let found = bugs.iter().filter(|bug| bug["found"].as_bool() != Some(false)).count();
        parts.push(format!("{found} of {} planted bugs found", bugs.len()));
    }
    for group in ["faults", "machine"] {
        let all = told[group]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(what, times)| format!("{} {times}", what.replace('_', " ")));
        let all: Vec<String> = all.collect();
        if !all.is_empty() {
            parts.push(all.join(", "));
        }
    }
    parts.join("; ")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_found_something_is_not_clean() {
        assert!(is_clean(&json!({"violations": [], "planted": [{"found": true}]})));
        for told in
            [json!({"violations": [{"seed": 1}]}), json!({"wrong": ["x"]}), json!({"planted": [{"found": false}]})]
        {
            assert!(!is_clean(&told), "{told}");
        }
    }

    #[test]
    fn what_a_run_printed_is_read_from_its_last_line() {
        assert_eq!(parsed("talk\n{\"schedules\":3}\n"), Some(json!({"schedules": 3})));
        assert_eq!(parsed("talk\n"), None);
        let row = noted(
            &ROWS[0],
            &["sim".to_owned()],
            "abc",
            None,
            &json!({"schedules": 3, "trace_hash": "x", "violations": []}),
        );
        assert_eq!(row["told"], json!({"schedules": 3, "violations": []}));
        assert_eq!(summary("core", &[row]), "3 schedules; 0 violations");
    }
}
