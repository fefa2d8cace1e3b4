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

/// `text` in NFKC, lower case, with every run of white space as one space and none at the ends. Folded again it stays as it is:
/// some signs are made of a space, and some letters are composed only in lower case.
#[must_use]
pub fn folded(text: &str) -> String {
    let plain: String = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
        lower.nfkc().collect()
    };
    let mut key = String::with_capacity(plain.len());
    for word in plain.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(word);
    }
    key
}

/// `text` in one line: control characters become spaces, and none stand at the ends.
#[must_use]
pub fn line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.trim().to_string()
}

/// A town with the region behind it, where it does not stand there already.
#[must_use]
pub fn town(city: &str, region: &str) -> String {
    let (town, part) = (folded(city), folded(region));
    if part.is_empty() || town == part || town.ends_with(&alloc::format!(", {part}")) {
        city.to_string()
    } else if town.is_empty() {
        region.to_string()
    } else {
        alloc::format!("{city}, {region}")
    }
}

/// A telephone number by what is dialled: its digits, with `+` in front where it has one; a text without digits as it is.
#[must_use]
pub fn phone(text: &str) -> String {
    let text = text.trim();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match (digits.is_empty(), text.starts_with('+')) {
        (true, _) => line(text),
        (false, true) => alloc::format!("+{digits}"),
        (false, false) => digits,
    }
}

/// The seconds of a duration like `30s`, `5m`, `2h`, `7d`; none where it is none.
#[must_use]
pub fn seconds(text: &str) -> Option<u32> {
    let (at, unit) = text.char_indices().last()?;
    let number: u32 = text.get(..at)?.parse().ok()?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    number.checked_mul(factor)
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
    fn a_duration_has_a_number_and_a_unit() {
        let told = ["30s", "5m", "2h", "7d"].map(seconds);
        assert_eq!(told, [Some(30), Some(300), Some(7_200), Some(604_800)]);
        for none in ["", "s", "5", "5 m", "-5s", "5w", "4294967295d", "ü"] {
            assert_eq!(seconds(none), None, "{none}");
        }
    }

    #[test]
    fn a_telephone_number_is_what_is_dialled() {
        assert_eq!(phone("+49 (30) 123-4"), "+49301234");
        assert_eq!(phone(" 0221/4711"), "02214711");
        assert_eq!(phone("none"), "none");
    }

    #[test]
    fn a_region_without_a_record_stands_behind_the_town() {
        assert_eq!(town("New York", "NY"), "New York, NY");
        assert_eq!(town("Berlin", "berlin"), "Berlin");
        assert_eq!(town("New York, NY", "NY"), "New York, NY");
        assert_eq!(town("", "Kerry"), "Kerry");
        assert_eq!(town("Köln", ""), "Köln");
    }

    #[test]
    fn a_key_is_its_own_key() {
        for text in [
            "\u{a8} \u{344}",
            "\u{a8}A",
            "\u{130}STANBUL \u{1c5}",
            "\u{fdfa}",
            " A  B\u{2003}c\u{85}",
            "ΑΣ",
            "\u{1f88}",
        ] {
            let key = folded(text);
            assert_eq!(folded(&key), key, "{text:?}");
        }
        assert_eq!(folded("\u{a8}A"), "\u{308}a");
    }

    #[test]
    fn keys_ignore_case_width_and_outer_space() {
        assert_eq!(sku_key(" SKU123 "), sku_key("sku123"));
        assert_eq!(sku_key("A  B"), "a b");
        assert_ne!(sku_key("NUT/M8 ü"), sku_key("NUT/M8 u"));
    }

    #[test]
    fn an_address_of_mail_is_the_same_however_it_is_written() {
        assert_eq!(email_key(" Ann@Example.ORG "), "ann@example.org");
        assert_ne!(email_key("ann@example.org"), email_key("anna@example.org"));
    }

    #[test]
    fn foreign_text_is_shown_in_one_line_and_as_far_as_asked() {
        assert_eq!([shown("abc", 3), shown("abcd", 3), shown("a\nb\tc", 5)], ["abc", "abc…", "a b c"]);
        assert_eq!([line(" a\nb "), line("\ta"), line("")], ["a b", "a", ""]);
    }

    #[test]
    fn a_cut_keeps_as_much_as_fits() {
        assert_eq!([cut("abcd", 3), cut("abcd", 1), cut("abcd", 0)].map(Option::unwrap), ["abc", "a", ""]);
        assert_eq!([cut("abcd", 4), cut("abcd", 5), cut("", 0)], [None, None, None]);
    }
}
