//! Text as systems keep it: cut at grapheme bounds, compared by normalised keys.

use alloc::string::{String, ToString};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// `text` cut to at most `limit` Unicode scalar values without splitting a grapheme; `None` where nothing was cut.
#[must_use]
pub fn cut(text: &str, limit: usize) -> Option<String> {
    if text.chars().count() <= limit {
        return None;
    }
    let mut kept = String::new();
    let mut length = 0;
    for grapheme in text.graphemes(true) {
        length += grapheme.chars().count();
        if length > limit {
            break;
        }
        kept.push_str(grapheme);
    }
    Some(kept)
}

/// The match key of a SKU: NFKC, trimmed, lower case, inner white space runs as one space.
#[must_use]
pub fn sku_key(sku: &str) -> String {
    folded(sku)
}

/// The match key of an e-mail address: NFKC, trimmed, lower case.
#[must_use]
pub fn email_key(email: &str) -> String {
    folded(email)
}

/// `text` in NFKC, lower case, with every run of white space as one space and none at the ends.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut key = String::new();
    for word in text.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        key.extend(word.nfkc().flat_map(char::to_lowercase));
    }
    key
}

/// The first `limit` scalar values of a foreign text, for messages: control characters become spaces.
#[must_use]
pub fn shown(text: &str, limit: usize) -> String {
    let clean: String = text.chars().take(limit).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(limit).is_some() { clean + "…" } else { clean.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_grapheme() {
        let family = "ab👨‍👩‍👧c";
        assert_eq!(cut(family, 3).as_deref(), Some("ab"));
        assert_eq!(cut(family, 7).as_deref(), Some("ab👨‍👩‍👧"));
        assert_eq!(cut("Zoë", 3), None);
    }

    #[test]
    fn keys_ignore_case_width_and_outer_space() {
        assert_eq!(sku_key(" SKU123 "), sku_key("sku123"));
        assert_eq!(sku_key("A  B"), "a b");
        assert_ne!(sku_key("NUT/M8 ü"), sku_key("NUT/M8 u"));
    }
}
