//! What is wrong with the file: where, which key, and what to do.

use std::fmt;
use std::path::Path;
use syncline_core::text;

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Stable code.
    pub code: &'static str,
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// A file that cannot be read.
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let remedy = match missing {
            true => "`syncline init` writes one; or name another with `--config FILE`",
            false => "mend the file or its rights; it has to be UTF-8 text",
        };
        let what = if missing { "there is no such file".to_string() } else { format!("cannot be read: {error}") };
        Self { code: "SYN-0410", file: path.display().to_string(), line: None, what, remedy: remedy.to_string() }
    }
}

/// Keys of the intended shape that this version does not know yet.
const LATER: [&str; 2] = ["scopes", "transforms"];

/// Characters of what a person is told of a mistake, however long the line is it stands in.
const WHAT: usize = 600;
/// Characters of a remedy, which may list what is known.
const REMEDY: usize = 2_000;
/// Characters of a word that may be a mistyped one.
const WORD: usize = 80;

/// The text errors point into.
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// An error at the byte `at`.
    pub(super) fn error(
        &self,
        code: &'static str,
        at: Option<usize>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> ConfigError {
        ConfigError {
            code,
            file: self.file.display().to_string(),
            line: at.map(|at| self.line(at)),
            what: text::shown(&what.into(), WHAT),
            remedy: text::shown(&remedy.into(), REMEDY),
        }
    }

    /// The line of the byte `at`, from 1.
    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    /// What TOML or the shape of the file objects to.
    pub(super) fn toml(&self, error: &toml::de::Error) -> ConfigError {
        let at = error.span().map(|span| span.start);
        let message = error.message();
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        if message.starts_with("unknown field") {
            let (key, known) = quoted.split_first().map_or(("?", &[][..]), |(key, known)| (*key, known));
            return self.unknown(at, key, known);
        }
        if message.starts_with("missing field") {
            return self.missing(at, quoted.first().unwrap_or(&"?"));
        }
        let key = at.and_then(|at| self.key_at(at));
        match key {
            Some(key) if message.starts_with("invalid ") => {
                let what = format!("`{key}`: {}", text::shown(message, 200));
                self.error("SYN-0413", at, what, "write the value in the form that is expected; text stands in quotes")
            }
            _ => {
                let what = format!("this is not TOML: {}", text::shown(&message.replace('\n', "; "), 200));
                self.error("SYN-0411", at, what, "mend the line; text stands in quotes, tables in [brackets]")
            }
        }
    }

    fn unknown(&self, at: Option<usize>, key: &str, known: &[&str]) -> ConfigError {
        let what = format!("unknown key `{key}`{}", at.map_or(String::new(), |at| self.table_of(at)));
        if LATER.contains(&key) {
            return self.error("SYN-0412", at, what, "this is not built yet: remove the key");
        }
        let remedy = match nearest(key, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("remove it; known here are: {}", known.join(", ")),
        };
        self.error("SYN-0412", at, what, remedy)
    }

    fn missing(&self, at: Option<usize>, key: &str) -> ConfigError {
        let place = at.and_then(|at| self.key_at(at)).map_or_else(
            || at.map_or(String::new(), |at| self.table_of(self.after_line(at))),
            |key| format!(" in `{key}`"),
        );
        let remedy = format!("add `{key} = …` there; the README of the connector says what it means");
        self.error("SYN-0414", at, format!("there is no `{key}`{place}"), remedy)
    }

    /// Where the line with the byte `at` ends.
    fn after_line(&self, at: usize) -> usize {
        self.text.get(at..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |end| at + end)
    }

    /// The key of the line with the byte `at`.
    fn key_at(&self, at: usize) -> Option<&str> {
        let line = self.text.lines().nth(self.line(at) - 1)?;
        let key = line.split_once('=')?.0.trim();
        (!key.is_empty() && !key.contains(char::is_whitespace)).then_some(key)
    }

    /// ` in [table]`, for the table the byte `at` lies in.
    fn table_of(&self, at: usize) -> String {
        let above = self.text.get(..at).unwrap_or_default();
        let header = above.lines().rev().map(str::trim).find(|line| line.starts_with('['));
        header
            .and_then(|line| line.split(']').next())
            .map_or(String::new(), |head| format!(" in [{}]", head.trim_start_matches('[').trim_end_matches('.')))
    }
}

/// The one of `known` that `word` was probably meant to be.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.chars().nth(WORD).is_some() {
        return None;
    }
    let near = |other: &&&str| strsim::damerau_levenshtein(word, other) <= 2.max(word.chars().count() / 4);
    known.iter().filter(near).min_by_key(|other| strsim::damerau_levenshtein(word, other)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_is_wrong_is_told_shortly_however_long_it_is() {
        let long = "ü".repeat(9_000);
        let system = |line: &str| format!("[systems.shop]\nkind = \"magento\"\n{line}\n");
        for text in [
            format!("\"{long}\" = 1"),
            format!("[systems.\"{long}\"]\nkind = \"{long}\""),
            system(&format!("\"{long}\" = 1")),
            system(&format!("kind = \"{long}\"")),
            long.clone(),
        ] {
            let error = Config::parse(Path::new("syncline.toml"), &text).unwrap_err();
            assert!(error.what.chars().count() <= WHAT + 1 && error.remedy.chars().count() <= REMEDY + 1, "{error}");
        }
    }

    #[test]
    fn a_long_word_is_no_mistyped_one() {
        assert_eq!(nearest("magneto", &["magento", "tryton"]), Some("magento"));
        assert_eq!(nearest(&"magento".repeat(20), &["magento".repeat(21).as_str()]), None);
    }
}
