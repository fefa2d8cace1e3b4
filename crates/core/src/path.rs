//! Paths: the name of one field of a record. No path holds a list index; collections are keyed.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use serde::{Deserialize, Serialize};

/// A dotted path such as `lines[15].sku`; a key stands in brackets with `]` and `\` escaped by `\`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path(String);

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path: names of letters, digits, `_`, `-` or `*` joined by dots, keys in brackets")]
pub struct PathError(String);

impl Path {
    /// The path of a top-level field. `name` is a literal of the code, not foreign text.
    #[must_use]
    pub fn field(name: &'static str) -> Self {
        Self(name.to_string())
    }

    /// The path of the element `key` of the collection `name`, e.g. `lines[15]`.
    #[must_use]
    pub fn element(name: &str, key: &str) -> Self {
        Self(format!("{name}[{}]", escaped(key)))
    }

    /// The path of a field below this one.
    #[must_use]
    pub fn dot(&self, name: &str) -> Self {
        Self(format!("{}.{name}", self.0))
    }

    /// The path of the element `key` of the collection `name` below this one.
    #[must_use]
    pub fn keyed(&self, name: &str, key: &str) -> Self {
        Self(format!("{}.{name}[{}]", self.0, escaped(key)))
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For a path in the collection `name`: the element's key and the rest after its dot (empty at the element itself).
    #[must_use]
    pub fn within(&self, name: &str) -> Option<(String, &str)> {
        let rest = self.0.strip_prefix(name)?.strip_prefix('[')?;
        let mut key = String::new();
        let mut escape = false;
        for (at, c) in rest.char_indices() {
            match c {
                _ if escape => {
                    key.push(c);
                    escape = false;
                }
                '\\' => escape = true,
                ']' => {
                    let tail = rest.get(at + 1..)?;
                    return Some((key, tail.strip_prefix('.').unwrap_or(tail)));
                }
                _ => key.push(c),
            }
        }
        None
    }

    /// How closely `pattern` says this path or one above it: literal names, then names in all; none where it does not.
    /// `*` stands for one name or one key.
    #[must_use]
    pub fn said_by(&self, pattern: &Self) -> Option<(usize, usize)> {
        let (mut mine, mut literal, mut all) = (segments(&self.0), 0, 0);
        for theirs in segments(&pattern.0) {
            let name = mine.next()?;
            all += 1;
            match theirs == "*" {
                true => {}
                false if name == theirs => literal += 1,
                false => return None,
            }
        }
        Some((literal, all))
    }

    /// Whether this path is matched by `pattern`, where `*` stands for one name or one key.
    #[must_use]
    pub fn matches(&self, pattern: &Self) -> bool {
        self.is_named_by(&pattern.0)
    }

    /// The same for a pattern of the code's own, which need not be checked each time.
    #[must_use]
    pub fn is_named_by(&self, pattern: &str) -> bool {
        // A path begins with a name: most patterns are told apart by its first letter.
        let (first, wanted) = (self.0.as_bytes().first(), pattern.as_bytes().first());
        if first != wanted && wanted != Some(&b'*') {
            return false;
        }
        let (mut mine, mut theirs) = (segments(&self.0), segments(pattern));
        loop {
            match (mine.next(), theirs.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if b == "*" || a == b => {}
                _ => return false,
            }
        }
    }
}

fn escaped(key: &str) -> String {
    let mut out = String::new();
    for c in key.chars() {
        if c == ']' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The names and keys of a path in order; keys keep no brackets.
fn segments(path: &str) -> Segments<'_> {
    Segments { rest: path, inside: false }
}

struct Segments<'p> {
    rest: &'p str,
    /// The next one is a key.
    inside: bool,
}

impl<'p> Iterator for Segments<'p> {
    type Item = Cow<'p, str>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let end = if self.inside { end_of_key(self.rest) } else { self.rest.find(['.', '[']) };
            let raw = self.rest.get(..end.unwrap_or(self.rest.len()))?;
            let stop = self.rest.as_bytes().get(raw.len()).copied();
            self.rest = self.rest.get(raw.len() + 1..).unwrap_or_default();
            if core::mem::replace(&mut self.inside, stop == Some(b'[')) {
                return Some(unescaped(raw));
            }
            if stop == Some(b'[') || !raw.is_empty() {
                return Some(Cow::Borrowed(raw));
            }
        }
    }
}

/// Where the key ends with which `rest` begins; none where nothing ends it.
fn end_of_key(rest: &str) -> Option<usize> {
    let mut escape = false;
    rest.bytes().position(|byte| match byte {
        _ if escape => {
            escape = false;
            false
        }
        b'\\' => {
            escape = true;
            false
        }
        other => other == b']',
    })
}

fn unescaped(key: &str) -> Cow<'_, str> {
    if !key.contains('\\') {
        return Cow::Borrowed(key);
    }
    let mut escape = false;
    let bare = key.chars().filter(|c| {
        escape = *c == '\\' && !escape;
        !escape
    });
    Cow::Owned(bare.collect())
}

impl TryFrom<String> for Path {
    type Error = PathError;
    fn try_from(text: String) -> Result<Self, PathError> {
        let bad = || PathError(crate::text::shown(&text, 80));
        let (mut inside, mut escape, mut name) = (false, false, 0usize);
        for c in text.chars() {
            match c {
                _ if escape => escape = false,
                '\\' if inside => escape = true,
                ']' if inside => inside = false,
                _ if inside => {}
                '[' if name > 0 => inside = true,
                '.' if name > 0 => name = 0,
                c if c.is_alphanumeric() || "_-*:".contains(c) => name += 1,
                _ => return Err(bad()),
            }
        }
        if inside || text.is_empty() || name == 0 { Err(bad()) } else { Ok(Self(text)) }
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_match_keys_and_names() {
        let path = Path::element("lines", "15").dot("sku");
        assert!(path.matches(&Path::try_from("lines[*].sku".to_string()).unwrap()));
        assert!(!path.matches(&Path::try_from("lines[*].name".to_string()).unwrap()));
        assert!(
            Path::try_from("texts.de.name".to_string())
                .unwrap()
                .matches(&Path::try_from("texts.*.name".to_string()).unwrap())
        );
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for bad in ["", ".a", "a.", "a..b", "a.[1]b", "a[1", "[1]", "[1]a", "a b", "a]", r"a\[1", r"a[1\]"] {
            assert!(Path::try_from(bad.to_string()).is_err(), "{bad} was taken");
        }
        for good in ["a", "a_b-c:d.*", "straße", "a[1]", "a[*].b", "a[.[ ].b", r"a[\]\\]", "a[1].b[2]"] {
            let path = Path::try_from(good.to_string()).unwrap();
            assert_eq!(
                (path.as_str(), path.to_string(), String::from(path.clone())),
                (good, good.to_string(), good.to_string())
            );
        }
    }

    #[test]
    fn the_closest_pattern_has_the_most_names_and_of_those_the_most_literal() {
        let path = |text: &str| Path::try_from(text.to_string()).unwrap();
        let name = path("texts.de.name");
        for (pattern, closeness) in [
            ("texts", Some((1, 1))),
            ("texts.*", Some((1, 2))),
            ("texts.de", Some((2, 2))),
            ("texts.*.name", Some((2, 3))),
            ("*.*.*", Some((0, 3))),
            ("texts.de.name", Some((3, 3))),
            ("texts.en", None),
            ("texts.de.name.more", None),
        ] {
            assert_eq!(name.said_by(&path(pattern)), closeness, "{pattern}");
        }
        assert!(name.is_named_by("*.de.name") && !name.is_named_by("*.en.name") && !name.is_named_by("*"));
    }

    #[test]
    fn names_and_keys_are_told_apart_as_they_are_written() {
        let all = |path: &str| segments(path).map(Cow::into_owned).collect::<alloc::vec::Vec<_>>();
        assert_eq!(all("totals.grand"), ["totals", "grand"]);
        assert_eq!(all("lines[15].taxes[DE-19].net"), ["lines", "15", "taxes", "DE-19", "net"]);
        assert_eq!(all("lines[].sku"), ["lines", "", "sku"]);
        assert_eq!(all(r"lines[a.b[c\]\\].sku"), ["lines", r"a.b[c]\", "sku"]);
    }

    proptest! {
        #[test]
        fn a_pattern_names_what_is_written_with_any_key(key in "\\PC{0,20}", other in "\\PC{1,20}") {
            let path = Path::element("lines", &key).dot("sku");
            let above = Path::try_from("lines[*]".to_string()).unwrap();
            prop_assert!(path.is_named_by("lines[*].sku") && path.is_named_by(path.as_str()));
            prop_assert!(!path.is_named_by("lines[*]") && !path.is_named_by("lines[*].sku.more"));
            prop_assert_eq!((path.said_by(&above), above.said_by(&path)), (Some((1, 2)), None));
            let beside = Path::element("lines", &other).dot("sku");
            prop_assert_eq!(path.is_named_by(beside.as_str()), key == other || other == "*");
        }

        #[test]
        fn any_key_comes_back(key in "\\PC{0,20}") {
            let path = Path::element("lines", &key).dot("sku");
            prop_assert_eq!(path.within("lines"), Some((key, "sku")));
            prop_assert!(Path::try_from(path.as_str().to_string()).is_ok());
        }
    }
}
