//! What goes to stdout and stderr. A reader that left is no reason to stop or to panic; a full disk is told.

use crate::failure::{Exit, Failure};
use serde::Serialize;
use serde_json::json;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

/// Why stdout takes nothing more, since it did not.
static LOST: OnceLock<ErrorKind> = OnceLock::new();

/// The two streams, and whether stdout speaks JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    /// Whether stdout speaks JSON.
    pub(crate) json: bool,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// One line of data. What stands in it may be a buyer's: it is shown, never obeyed by a terminal.
    pub(crate) fn line(self, text: impl AsRef<str>) {
        self.raw(&visible(text.as_ref(), LONGEST_LINE));
    }

    fn raw(self, text: &str) {
        if LOST.get().is_some() {
            return;
        }
        let mut stdout = io::stdout().lock();
        let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        drop(stdout);
        self.written(written);
    }

    /// Notes how writing to stdout ended. The first failure is told at once; a reader that left needs no words.
    pub(crate) fn written(self, written: io::Result<()>) {
        let Err(error) = written else { return };
        if LOST.set(error.kind()).is_ok() && error.kind() != ErrorKind::BrokenPipe {
            self.say(format!("error SYN-0907: stdout cannot be written: {error}"));
            self.say("what to do: free some space or send stdout elsewhere; what was done before stays done");
        }
    }

    /// How the command ends that would end with `exit`: what could not be told did not succeed.
    pub(crate) fn ended(self, exit: Exit) -> Exit {
        match LOST.get() {
            None | Some(ErrorKind::BrokenPipe) => exit,
            Some(_) => Exit::Failed,
        }
    }

    /// One line of JSON data.
    pub(crate) fn data(self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.raw(&text),
            Err(error) => self.say(format!("this cannot be told as JSON: {error}")),
        }
    }

    /// One line of talk; as [`Out::line`].
    pub(crate) fn say(self, text: impl AsRef<str>) {
        drop(writeln!(io::stderr().lock(), "{}", visible(text.as_ref(), LONGEST_LINE)));
    }

    /// Tells a failure; returns the exit code for it.
    pub(crate) fn fail(self, failure: &Failure) -> Exit {
        if self.json {
            self.data(&failure.json());
            return failure.exit;
        }
        self.say(format!("error {}: {}", failure.code, failure.what));
        if !failure.remedy.is_empty() {
            self.say(format!("what to do: {}", failure.remedy));
        }
        failure.exit
    }

    /// Rows under a head, columns lined up; nothing where there are no rows.
    pub(crate) fn table(self, head: &[&str], rows: &[Vec<String>]) {
        if rows.is_empty() {
            return;
        }
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| visible(cell, LONGEST_CELL)).collect()).collect();
        let width = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
            cells.chain(head.get(at).map(|cell| cell.chars().count())).max().unwrap_or(0).min(WIDEST_COLUMN)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            self.line(padded.join("  ").trim_end());
        };
        line(&mut head.iter().copied());
        for row in &rows {
            line(&mut row.iter().map(String::as_str));
        }
    }
}

/// Characters of one line that are printed at most.
const LONGEST_LINE: usize = 10_000;
/// Characters of one cell of a table.
const LONGEST_CELL: usize = 1_000;
/// Characters a column is lined up by; longer cells push what follows to the right.
const WIDEST_COLUMN: usize = 100;

/// The first `limit` characters of `text`, those that a terminal would obey or turn around in writing: `\n`, `\u{1b}`.
fn visible(text: &str, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit));
    for one in text.chars().take(limit) {
        match one {
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(one.escape_unicode());
            }
            _ if one.is_control() => shown.extend(one.escape_default()),
            _ => shown.push(one),
        }
    }
    match text.chars().nth(limit) {
        Some(_) => format!("{shown}… ({} characters in all)", text.chars().count()),
        None => shown,
    }
}

/// `n thing` or `n things`.
pub(crate) fn count(n: usize, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}

/// An object of the given pairs, for the last line of a command.
pub(crate) fn flows_of(flows: &impl Serialize) -> serde_json::Value {
    json!({ "flows": flows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_in_writing() {
        assert_eq!(
            visible("a\u{1b}[2J\r\nb\u{9b}m\u{202e}c\u{7f} 🎸 ü", 99),
            r"a\u{1b}[2J\r\nb\u{9b}m\u{202e}c\u{7f} 🎸 ü"
        );
        assert_eq!(visible(&"ü".repeat(7), 3), "üüü… (7 characters in all)");
    }

    #[test]
    fn a_cell_of_any_length_is_printed() {
        Out::new(false).table(&["A", "B"], &[vec!["N".repeat(80_000), "\u{1b}[31m".to_string()]]);
    }
}
