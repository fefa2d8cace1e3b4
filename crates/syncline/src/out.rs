//! What goes to stdout and stderr. A reader that left is no reason to stop or to panic.

use crate::failure::{Exit, Failure};
use serde::Serialize;
use serde_json::json;
use std::io::Write;

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

    /// One line of data.
    pub(crate) fn line(self, text: impl AsRef<str>) {
        let mut stdout = std::io::stdout().lock();
        drop(writeln!(stdout, "{}", text.as_ref()).and_then(|()| stdout.flush()));
    }

    /// One line of JSON data.
    pub(crate) fn data(self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.line(text),
            Err(error) => self.say(format!("this cannot be told as JSON: {error}")),
        }
    }

    /// One line of talk.
    pub(crate) fn say(self, text: impl AsRef<str>) {
        drop(writeln!(std::io::stderr().lock(), "{}", text.as_ref()));
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
        let width = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
            cells.chain(head.get(at).map(|cell| cell.chars().count())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            self.line(padded.join("  ").trim_end());
        };
        line(&mut head.iter().copied());
        for row in rows {
            line(&mut row.iter().map(String::as_str));
        }
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
