//! Secrets by reference: where they stand, never what they are.

use super::ConfigError;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a secret stands.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// In an environment variable.
    Env(String),
    /// In a file of its own; blanks at its end do not count.
    File(PathBuf),
    /// In the configuration itself; for what is no secret, such as a login.
    Plain(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Plain(_) => f.write_str("plain"),
        }
    }
}

impl Secret {
    /// The reference `text` writes, files beside `home`; none where it is no reference.
    pub(super) fn of(text: &str, home: &Path) -> Option<Self> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Some(Self::Env(name.to_string())),
            Some(("file", path)) if !path.is_empty() => Some(Self::File(home.join(path))),
            _ => None,
        }
    }

    /// The secret itself, for `key` of the system `system` in `file`. Blanks and line ends around it do not count.
    ///
    /// # Errors
    /// Where the variable is not set, the file is not there or empty, or what it holds cannot be sent.
    pub fn read(&self, file: &str, system: &str, key: &str) -> Result<String, ConfigError> {
        let wrong = |code: &'static str, what: String, remedy: String| {
            let what = format!("[systems.{system}] {key}: {what}");
            ConfigError { code, file: file.to_string(), line: None, what, remedy }
        };
        let missing = |what: String, remedy: String| wrong("SYN-0416", what, remedy);
        let text = match self {
            Self::Plain(text) => text.clone(),
            Self::Env(name) => match std::env::var(name) {
                Ok(value) if !value.trim().is_empty() => value.trim().to_string(),
                Ok(_) => {
                    return Err(missing(format!("the variable {name} is empty"), format!("put the {key} into {name}")));
                }
                Err(std::env::VarError::NotUnicode(_)) => {
                    let remedy = format!("put the {key} into {name} as UTF-8 text");
                    return Err(missing(format!("the variable {name} is no text"), remedy));
                }
                Err(std::env::VarError::NotPresent) => {
                    let remedy = format!("put it there, e.g. `export {name}=…`, and run again");
                    return Err(missing(format!("the variable {name} is not set"), remedy));
                }
            },
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => match text.trim_start_matches('\u{feff}').trim() {
                    "" => {
                        return Err(missing(format!("{} is empty", path.display()), format!("put the {key} into it")));
                    }
                    text => text.to_string(),
                },
                Err(error) => {
                    let what = format!("{} cannot be read: {error}", path.display());
                    return Err(missing(what, format!("put the {key} into that file, or name another")));
                }
            },
        };
        let place = match self {
            Self::Plain(_) => "the file".to_string(),
            Self::Env(name) => format!("the variable {name}"),
            Self::File(path) => path.display().to_string(),
        };
        match unsendable(&text, key == "token") {
            None => Ok(text),
            Some((at, what)) => {
                let what = format!("{place} holds {what} as character {at}, which cannot be sent");
                Err(wrong("SYN-0427", what, format!("put the {key} alone there, on one line, as the system shows it")))
            }
        }
    }
}

/// The first character of a secret that cannot be sent, counted from 1, and what it is. A login and a password may
/// hold any letters, which are sent encoded; a token stands in a header as it is (RFC 6750, 2.1).
fn unsendable(text: &str, token: bool) -> Option<(usize, &'static str)> {
    text.chars().enumerate().find_map(|(at, c)| {
        let what = match c {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => "a line break",
            c if c.is_control() => "a control character",
            c if token && c.is_whitespace() => "a blank",
            c if token && !c.is_ascii() => "a letter that no token has",
            _ => return None,
        };
        Some((at + 1, what))
    })
}
