//! Text as Tryton keeps it: fields of one line without control characters and outer blanks, fields of many as they are.

use syncline_core::kind::Kind;
use syncline_core::leaf::Value;
use syncline_core::path::Path;
use syncline_core::profile::Fit;

/// `text` as a field of one line keeps it. Tryton refuses tabs and line feeds there and strips both ends.
pub(crate) fn line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.trim().to_string()
}

/// `text` as a field of many lines keeps it: byte for byte, but for control characters other than line feeds.
pub(crate) fn lines(text: &str) -> String {
    let feeds = text.replace("\r\n", "\n").replace('\r', "\n");
    feeds.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// `text` as one line; nothing where it is empty.
pub(crate) fn told(text: Option<&String>) -> Option<String> {
    text.map(|text| line(text)).filter(|text| !text.is_empty())
}

/// Town and region as the town field keeps them where Tryton has no record for the region.
pub(crate) fn city_line(city: &str, region: Option<&str>) -> String {
    let (city, region) = (line(city), line(region.unwrap_or("")));
    let (town, part) = (syncline_core::text::folded(&city), syncline_core::text::folded(&region));
    if part.is_empty() || town == part || town.ends_with(&format!(", {part}")) {
        city
    } else if town.is_empty() {
        region
    } else {
        format!("{city}, {region}")
    }
}

/// How Tryton keeps `value` at `path`.
pub(crate) fn fit(kind: Kind, path: &Path, value: &Value) -> Fit {
    if kind == Kind::Variant {
        return super::product::fit(path, value);
    }
    let Value::Text(text) = value else { return Fit::Exact };
    let field = path.as_str();
    let many = match kind {
        Kind::Customer => field.ends_with(".street"),
        Kind::Order => field.ends_with(".name"),
        Kind::Product | Kind::Variant | Kind::Stock | Kind::Price => false,
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

    #[test]
    fn a_region_without_a_record_stands_behind_the_town() {
        assert_eq!(city_line("New York", Some("NY")), "New York, NY");
        assert_eq!(city_line("Berlin", Some("berlin")), "Berlin");
        assert_eq!(city_line("New York, NY", Some("NY")), "New York, NY");
        assert_eq!(city_line("", Some("Kerry")), "Kerry");
        assert_eq!(city_line("Köln", None), "Köln");
    }

    proptest! {
        #[test]
        fn what_is_kept_is_kept_again(text in "(\\PC|\\s|\\x00|\\t){0,20}", street in any::<bool>()) {
            let path = Path::element("addresses", "a").dot(if street { "street" } else { "city" });
            let once = match fit(Kind::Customer, &path, &Value::Text(text.clone())) {
                Fit::Exact => Value::Text(text),
                Fit::As(value, _) => value,
                Fit::Refused(why) => return Err(TestCaseError::fail(why)),
            };
            prop_assert_eq!(fit(Kind::Customer, &path, &once), Fit::Exact);
        }

        #[test]
        fn a_town_with_its_region_gains_nothing_more(city in "\\PC{0,12}", region in "\\PC{0,6}") {
            let once = city_line(&city, Some(&region));
            prop_assert_eq!(line(&once), once);
        }
    }
}
