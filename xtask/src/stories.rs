//! Reads docs/scenarios.md: every scenario, its state, and the evidence or the reason.
mod planted;

use crate::rules::cells;
use crate::{Args, Res, files};
use serde_json::{Value, json};

/// The page with the table.
pub const PAGE: &str = "docs/scenarios.md";
/// How many scenarios there are: S01 to S78, none dropped.
const COUNT: usize = 78;

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    pub line: usize,
    pub id: String,
    title: String,
    state: String,
    evidence: String,
}

impl Row {
    /// The tests its evidence names: words in backticks.
    pub fn tests(&self) -> Vec<&str> {
        let spans = self.evidence.split('`').skip(1).step_by(2);
        let names = spans.filter(|span| self.state == "passed" && !span.contains(['/', ' ', '-']));
        names.map(|span| span.rsplit("::").next().unwrap_or(span)).collect()
    }
}

/// `cargo x stories`: true where the table is whole. With `--planted`, which of them a planted bug breaks.
pub fn chore(args: &mut Args) -> Res<bool> {
    if args.flag("--planted") {
        return planted::chore(args);
    }
    let as_json = args.flag("--json");
    args.finish()?;
    let (rows, wrong) = parse(&files::text(&files::root()?.join(PAGE))?);
    if as_json {
        println!("{}", Value::from(told(&rows)?));
    } else {
        for row in &rows {
            println!("{}  {:<6}  {}", row.id, row.state, row.title);
        }
        println!("{}", sums(&rows));
    }
    for line in &wrong {
        eprintln!("{line}");
    }
    Ok(wrong.is_empty())
}

/// Every scenario as `--json` tells it, and how many are passed.
///
/// # Errors
/// What is wrong with the table.
pub fn all() -> Res<(Vec<Value>, String)> {
    let (rows, wrong) = parse(&files::text(&files::root()?.join(PAGE))?);
    if wrong.is_empty() { Ok((told(&rows)?, sums(&rows))) } else { Err(wrong.join("; ")) }
}

fn told(rows: &[Row]) -> Res<Vec<Value>> {
    let root = files::root()?;
    let one = |row: &Row| {
        let (asserts, faults) = counts(&root, row)?;
        Ok(json!({
            "id": row.id, "title": row.title, "state": row.state,
            "reason": if row.state == "open" { Value::from(row.evidence.clone()) } else { Value::Null },
            "tests": row.tests(), "asserts": asserts, "faults": faults,
        }))
    };
    rows.iter().map(one).collect()
}

fn sums(rows: &[Row]) -> String {
    let passed = rows.iter().filter(|row| row.state == "passed").count();
    format!("{passed} of {} passed", rows.len())
}

/// The state of every scenario.
pub fn states(root: &std::path::Path) -> Res<Vec<String>> {
    Ok(parse(&files::text(&root.join(PAGE))?).0.into_iter().map(|row| row.state).collect())
}

/// The rows, and what is wrong with the table.
pub fn parse(text: &str) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for (n, line) in text.lines().enumerate() {
        let line_number = n + 1;
        let Some(cells) = cells(line) else { continue };
        let [id, title, state, evidence] = cells.as_slice() else {
            wrong.push(format!("{PAGE}:{line_number}: a row has four cells: id, title, state, evidence or reason"));
            continue;
        };
        if id == "id" {
            continue;
        }
        let expected = format!("S{:02}", rows.len() + 1);
        if *id != expected {
            wrong.push(format!(
                "{PAGE}:{line_number}: `{id}` where {expected} was due; every scenario has its row, in order"
            ));
        }
        if state != "passed" && state != "open" {
            wrong.push(format!("{PAGE}:{line_number}: `{state}` is no state; a scenario is passed or open"));
        }
        let row = Row {
            line: line_number,
            id: id.clone(),
            title: title.clone(),
            state: state.clone(),
            evidence: evidence.clone(),
        };
        if row.state == "passed" && row.tests().is_empty() {
            wrong.push(format!("{PAGE}:{line_number}: {id} is passed without a test; name it in backticks"));
        }
        if title.is_empty() || evidence.is_empty() {
            wrong.push(format!("{PAGE}:{line_number}: {id} lacks its title, or its evidence or reason"));
        }
        rows.push(row);
    }
    if rows.len() != COUNT {
        wrong.push(format!("{PAGE}:1: {} rows, there are {COUNT} scenarios", rows.len()));
    }
    (rows, wrong)
}

/// How often the tests of a row assert, and how many faults they name; zeros where it is open.
fn counts(root: &std::path::Path, row: &Row) -> Res<(usize, usize)> {
    let (mut asserts, mut faults) = (0, 0);
    let tests = row.tests();
    if tests.is_empty() {
        return Ok((0, 0));
    }
    for name in files::listed(root)?.iter().filter(|name| name.starts_with("crates/") && name.contains(".rs")) {
        let text = files::text(&root.join(name))?;
        for test in &tests {
            if let Some(body) = body_of(&text, test) {
                asserts += body.matches("assert").count();
                faults += body.matches("Fault::").count() + body.matches("fault(").count();
            }
        }
    }
    Ok((asserts, faults))
}

/// The text of a function, from its name to the brace that closes it at the same depth of indent.
fn body_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let at = text.find(&format!("fn {name}("))?;
    let line_start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let indent: String = text.get(line_start..at)?.chars().take_while(|c| c.is_whitespace()).collect();
    let rest = text.get(at..)?;
    let end = rest.find(&format!("\n{indent}}}")).unwrap_or(rest.len());
    rest.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: usize) -> String {
        let rows = (1..=rows).map(|n| format!("| S{n:02} | title | open | not built yet |\n"));
        format!("| id | title | state | evidence or reason |\n| --- | --- | --- | --- |\n{}", rows.collect::<String>())
    }

    #[test]
    fn a_whole_table_has_nothing_wrong() {
        let (rows, wrong) = parse(&table(78));
        assert_eq!((rows.len(), wrong), (78, Vec::new()));
    }

    #[test]
    fn a_missing_row_is_named() {
        let text = table(78).replace("| S12 | title | open | not built yet |\n", "");
        let (_, wrong) = parse(&text);
        assert!(wrong.iter().any(|w| w.contains("`S13` where S12 was due")));
        assert!(wrong.iter().any(|w| w.contains("77 rows")));
    }

    #[test]
    fn passed_needs_a_test_and_its_name_is_read() {
        let text = table(78).replace(
            "| S01 | title | open | not built yet |",
            "| S01 | title | passed | `trial::s01_twice` in ring 2 |",
        );
        let (rows, wrong) = parse(&text);
        assert_eq!(wrong, Vec::<String>::new());
        assert_eq!(rows.first().map(|row| row.tests()), Some(vec!["s01_twice"]));
        let (_, wrong) = parse(&text.replace("`trial::s01_twice`", "a test"));
        assert_eq!(wrong.len(), 1);
    }

    #[test]
    fn the_body_of_a_test_ends_where_it_ends() {
        let text = "mod t {\n    fn a() {\n        assert!(x);\n    }\n    fn b() { assert!(y); }\n}\n";
        assert_eq!(body_of(text, "a").map(|body| body.matches("assert").count()), Some(1));
    }
}
