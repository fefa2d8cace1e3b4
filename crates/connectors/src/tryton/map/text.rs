//! Text as Tryton keeps it: fields of one line without control characters and outer blanks, fields of many as they are.

use syncline_core::kind::Kind;
use syncline_core::leaf::Value;
use syncline_core::path::Path;
use syncline_core::profile::Fit;
// Tryton refuses tabs and line feeds in a field of one line, and strips both ends.
pub(crate) use syncline_core::text::line;

/// `text` as a field of many lines keeps it: byte for byte, but for control characters other than line feeds.
pub(crate) fn lines(text: &str) -> String {
    let feeds = text.replace("\r\n", "\n").replace('\r', "\n");
    feeds.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// `text` as one line; nothing where it is empty.
pub(crate) fn told(text: Option<&String>) -> Option<String> {
    text.map(|text| line(text)).filter(|text| !text.is_empty())
}

/// How Tryton keeps `value` at `path`.
pub(crate) fn fit(kind: Kind, path: &Path, value: &Value) -> Fit {
    if kind == Kind::Customer {
        return super::party::fit(path, value);
    }
    let Value::Text(text) = value else { return Fit::Exact };
    let field = path.as_str();
    let many = match kind {
        Kind::Order => field.ends_with(".name"),
        _ => false,
    };
    let kept = if many { lines(text) } else { line(text) };
    kept_as(text, kept)
}

/// `text` that is kept as `kept`, and why it differs.
pub(super) fn kept_as(text: &str, kept: String) -> Fit {
    if kept == text {
        return Fit::Exact;
    }
    let why = if text.chars().any(char::is_control) { "control characters become spaces" } else { "trimmed" };
    Fit::As(Value::Text(kept), why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_kept_is_kept_again(text in "(\\PC|\\s|\\x00|\\t){0,20}", many in any::<bool>()) {
            let path = Path::element("lines", "a").dot(if many { "name" } else { "sku" });
            let once = match fit(Kind::Order, &path, &Value::Text(text.clone())) {
                Fit::Exact => Value::Text(text),
                Fit::As(value, _) => value,
                Fit::Refused(why) => return Err(TestCaseError::fail(why)),
            };
            prop_assert_eq!(fit(Kind::Order, &path, &once), Fit::Exact);
        }
    }
}
