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

    /// The secret itself, for `key` of the system `system` in `file`.
    ///
    /// # Errors
    /// Where the variable is not set, or the file is not there or empty.
    pub fn read(&self, file: &str, system: &str, key: &str) -> Result<String, ConfigError> {
        let missing = |what: String, remedy: String| {
            let what = format!("[systems.{system}] {key}: {what}");
            ConfigError { code: "SYN-0416", file: file.to_string(), line: None, what, remedy }
        };
        match self {
            Self::Plain(text) => Ok(text.clone()),
            Self::Env(name) => match std::env::var(name) {
                Ok(value) if !value.trim().is_empty() => Ok(value.trim().to_string()),
                Ok(_) => Err(missing(format!("the variable {name} is empty"), format!("put the {key} into {name}"))),
                Err(_) => {
                    let remedy = format!("put it there, e.g. `export {name}=…`, and run again");
                    Err(missing(format!("the variable {name} is not set"), remedy))
                }
            },
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_string()),
                Ok(_) => Err(missing(format!("{} is empty", path.display()), format!("put the {key} into it"))),
                Err(error) => {
                    let what = format!("{} cannot be read: {error}", path.display());
                    Err(missing(what, format!("put the {key} into that file, or name another")))
                }
            },
        }
    }
}
