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

    /// One line of data.
    pub(crate) fn line(self, text: impl AsRef<str>) {
        if LOST.get().is_some() {
            return;
        }
        let mut stdout = io::stdout().lock();
        let written = writeln!(stdout, "{}", text.as_ref()).and_then(|()| stdout.flush());
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
            Ok(text) => self.line(text),
            Err(error) => self.say(format!("this cannot be told as JSON: {error}")),
        }
    }

    /// One line of talk.
    pub(crate) fn say(self, text: impl AsRef<str>) {
        drop(writeln!(io::stderr().lock(), "{}", text.as_ref()));
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
