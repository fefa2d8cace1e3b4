//! Texts by locale, and who changed a record last: what categories and variants have alike.

use super::fields::{Fields, Malformed};
use crate::leaf::{Leaves, Value};
use crate::path::Path;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use jiff::Timestamp;

/// The texts of one locale.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Texts {
    /// What it is called.
    pub name: Option<String>,
    /// What is told about it; may hold HTML where the system writes it.
    pub description: Option<String>,
}

/// Who changed a record last, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// When.
    pub at: Option<Timestamp>,
    /// The name of the person's account.
    pub by: Option<String>,
}

const FIELDS: [&str; 2] = ["name", "description"];

/// The path of the text `field` in `locale`; none where `locale` is no plain word.
#[must_use]
pub fn text_path(locale: &str, field: &str) -> Option<Path> {
    Path::try_from(alloc::format!("texts.{locale}.{field}")).ok()
}

/// Tells `texts`; an empty text is told as nothing.
pub(super) fn put(leaves: &mut Leaves, texts: &BTreeMap<String, Texts>) {
    for (locale, texts) in texts {
        for (field, text) in FIELDS.iter().zip([&texts.name, &texts.description]) {
            if let (Some(text), Some(path)) = (text, text_path(locale, field)) {
                leaves.tell(path, (!text.is_empty()).then(|| Value::Text(text.clone())));
            }
        }
    }
}

/// Puts the leaf at `path` into `texts`.
///
/// # Errors
/// [`Malformed`] where it is no text, or stands elsewhere.
pub(super) fn take(texts: &mut BTreeMap<String, Texts>, path: &Path, value: Option<&Value>) -> Result<(), Malformed> {
    let (locale, field) = of(path).ok_or_else(|| Malformed::Unknown(path.clone()))?;
    let text = match value {
        None => String::new(),
        Some(Value::Text(text)) => text.clone(),
        Some(_) => return Err(Malformed::Type { path: path.clone(), wanted: "text" }),
    };
    let texts = texts.entry(locale.to_string()).or_default();
    *(if field == "name" { &mut texts.name } else { &mut texts.description }) = Some(text);
    Ok(())
}

/// Locale and field of a path below `texts`.
pub(super) fn of(path: &Path) -> Option<(&str, &str)> {
    let (locale, field) = path.as_str().strip_prefix("texts.")?.split_once('.')?;
    (!locale.is_empty() && FIELDS.contains(&field)).then_some((locale, field))
}

impl Changed {
    /// Tells them.
    pub(super) fn put(&self, leaves: &mut Leaves) {
        if let Some(by) = &self.by {
            leaves.put(Path::field("changed.by"), Value::Text(by.clone()));
        }
        if let Some(at) = self.at {
            leaves.put(Path::field("changed.at"), Value::Instant(at));
        }
    }

    /// Them, out of a record's fields.
    ///
    /// # Errors
    /// [`Malformed`] where one is of another sort.
    pub(super) fn of(fields: &Fields<'_>) -> Result<Self, Malformed> {
        Ok(Self { at: fields.instant("changed.at")?, by: fields.text("changed.by")? })
    }
}
