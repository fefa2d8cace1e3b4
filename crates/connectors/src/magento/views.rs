//! Which store view shows which locale, and what the shop weighs in. Pure.

use super::client::Scope;
use super::website::Site;
use super::weight::Unit;
use super::wire::{Id, StoreConfig, StoreView};
use std::collections::{BTreeMap, BTreeSet};
use syncline_core::record::Variant;
use syncline_core::text::shown;

/// The name of a locale in our records, e.g. `de` or `de-AT`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Locale(pub(super) String);

/// A store view with the locale it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub(super) locale: Locale,
    pub(super) code: String,
}

/// The locales of a shop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Views {
    /// That of the default view. Its texts are those of the scope `all`, which every view without a text of its own shows;
    /// of one website, those of its default view.
    pub(super) main: Option<Locale>,
    /// Code of the default view of the one website that is looked at.
    home: Option<String>,
    /// The others.
    pub(super) others: Vec<View>,
    pub(super) unit: Unit,
    /// Codes of the currencies base prices are in.
    pub(super) bases: BTreeSet<String>,
    /// What of the set-up leaves something out.
    pub(super) warnings: Vec<String>,
}

impl Views {
    /// The locales of the active views. `wanted` names views by locale; of the rest the lowest id takes the language
    /// alone, a later one of the same language its region too, and one that clashes even so is left out. The default view
    /// is the active one with the lowest id; of a website, its own.
    pub(super) fn new(
        views: &[StoreView],
        configs: &[StoreConfig],
        wanted: &BTreeMap<String, String>,
        site: Option<&Site>,
    ) -> Self {
        let mut warnings = Vec::new();
        let of_site = |id: Id| site.is_none_or(|site| site.views.contains(&id.0));
        let mut active: Vec<&StoreView> = views
            .iter()
            .filter(|view| view.id.0 != 0 && view.is_active.is_none_or(|flag| flag.0) && of_site(view.id))
            .collect();
        active.sort_by_key(|view| (site.is_some_and(|site| site.home != view.code.0), view.id));
        let configs: Vec<&StoreConfig> = configs.iter().filter(|config| of_site(config.id)).collect();
        let named = named(&active, wanted, &mut warnings);
        let mut taken: BTreeSet<String> = named.values().cloned().collect();
        let (mut main, mut others) = (None, Vec::new());
        for (at, view) in active.iter().enumerate() {
            let config = configs.iter().copied().find(|config| config.id == view.id);
            let found = named.get(&view.id.0).cloned().or_else(|| own(view, config, &mut taken, &mut warnings));
            let Some(locale) = found.map(Locale) else { continue };
            if at == 0 {
                main = Some(locale);
            } else {
                others.push(View { locale, code: view.code.0.clone() });
            }
        }
        let default = active.first().and_then(|view| configs.iter().find(|config| config.id == view.id));
        let told = default.and_then(|config| config.weight_unit.as_ref()).map(|unit| unit.0.as_str());
        let unit = Unit::of(told).unwrap_or_else(|| {
            let told = shown(told.unwrap_or_default(), 20);
            warnings.push(format!("the unit of weight `{told}` is not known; weights are taken for kilograms"));
            Unit::default()
        });
        let units: BTreeSet<&str> = configs.iter().filter_map(|c| Some(c.weight_unit.as_ref()?.0.as_str())).collect();
        if units.len() > 1 {
            let list = units.into_iter().collect::<Vec<_>>().join(", ");
            warnings.push(format!("the store views weigh in several units ({list}); that of the default view counts"));
        }
        let bases = configs.iter().filter_map(|config| Some(config.base_currency_code.as_ref()?.0.clone())).collect();
        let home = site.map(|site| site.home.clone());
        Self { main, home, others, unit, bases, warnings }
    }

    /// Where what holds in every view is read and written.
    pub(super) fn home(&self) -> Scope<'_> {
        self.home.as_deref().map_or(Scope::ALL, Scope::view)
    }

    /// Where texts of a locale are written.
    pub(super) fn scope(&self, locale: &str) -> Option<Scope<'_>> {
        if self.main.as_ref().is_some_and(|main| main.0 == locale) {
            return Some(self.home());
        }
        self.others.iter().find(|view| view.locale.0 == locale).map(|view| Scope::view(&view.code))
    }
}

/// The locales the file gives to views, by view id.
fn named(
    active: &[&StoreView],
    wanted: &BTreeMap<String, String>,
    warnings: &mut Vec<String>,
) -> BTreeMap<u64, String> {
    let mut named: BTreeMap<u64, String> = BTreeMap::new();
    for (locale, code) in wanted {
        let view = active.iter().find(|view| view.code.0 == *code);
        let problem = match view {
            _ if !is_plain(locale) => "is no plain name of a locale".to_owned(),
            None => "names a store view that the shop does not have, or does not show".to_owned(),
            Some(view) if named.contains_key(&view.id.0) => "names a store view that has a locale already".to_owned(),
            Some(view) => {
                named.insert(view.id.0, locale.clone());
                continue;
            }
        };
        warnings.push(format!("`views`: `{} = \"{}\"` {problem}; it is left out", shown(locale, 20), shown(code, 40)));
    }
    named
}

/// The locale a view has by its own settings, as short as is still free.
fn own(
    view: &StoreView,
    config: Option<&StoreConfig>,
    taken: &mut BTreeSet<String>,
    warnings: &mut Vec<String>,
) -> Option<String> {
    let code = shown(&view.code.0, 40);
    let Some(told) = config.and_then(|config| config.locale.as_ref()) else {
        warnings.push(format!("the store view `{code}` tells no locale; its texts are left out"));
        return None;
    };
    let mut parts = told.0.split('_');
    let language = parts.next().unwrap_or_default().to_owned();
    let regional = parts.next_back().map(|region| format!("{language}-{region}"));
    let free = [Some(language), regional].into_iter().flatten().find(|key| is_plain(key) && !taken.contains(key));
    if free.is_none() {
        let told = shown(&told.0, 20);
        warnings.push(format!(
            "the store view `{code}` shows `{told}` as an earlier one does; its texts are left out (give it a locale of \
             its own under `views`)"
        ));
    }
    taken.extend(free.clone());
    free
}

fn is_plain(locale: &str) -> bool {
    !locale.is_empty() && Variant::text_path(locale, "name").is_some() && !locale.contains(['.', '*', '[', ']'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::magento::wire::typed;
    use serde_json::{Value, json};

    fn views(rows: &[(u64, &str, Option<&str>, u8)], wanted: &[(&str, &str)]) -> Views {
        let list: Vec<Value> = rows
            .iter()
            .map(|(id, code, _, active)| json!({"id": id, "code": code, "website_id": 1, "is_active": active}))
            .collect();
        let configs: Vec<Value> = rows
            .iter()
            .map(|(id, code, locale, _)| json!({"id": id, "code": code, "locale": locale, "weight_unit": "kgs"}))
            .collect();
        let wanted = wanted.iter().map(|(locale, code)| ((*locale).to_owned(), (*code).to_owned())).collect();
        Views::new(&typed::<Vec<_>>(&json!(list)).unwrap(), &typed::<Vec<_>>(&json!(configs)).unwrap(), &wanted, None)
    }

    fn keys(views: &Views) -> Vec<(&str, &str)> {
        let main = views.main.iter().map(|locale| (locale.0.as_str(), "all"));
        main.chain(views.others.iter().map(|view| (view.locale.0.as_str(), view.code.as_str()))).collect()
    }

    #[test]
    fn the_lowest_view_of_a_language_has_its_bare_name() {
        let told = views(
            &[
                (7, "swiss", Some("de_CH"), 1),
                (0, "admin", None, 1),
                (1, "default", Some("en_US"), 1),
                (2, "german", Some("de_DE"), 1),
                (3, "old", Some("fr_FR"), 0),
                (9, "german2", Some("de_DE"), 1),
                (11, "german3", Some("de_DE"), 1),
                (12, "odd", None, 1),
                (13, "chinese", Some("zh_Hant_TW"), 1),
            ],
            &[],
        );
        let wanted = [("en", "all"), ("de", "german"), ("de-CH", "swiss"), ("de-DE", "german2"), ("zh", "chinese")];
        assert_eq!(keys(&told), wanted);
        assert_eq!(told.warnings.len(), 2, "{:?}", told.warnings);
        assert!(told.warnings[0].contains("german3") && told.warnings[1].contains("odd"), "{:?}", told.warnings);
        assert_eq!(told.scope("en"), Some(Scope::ALL));
        assert_eq!(told.scope("de-CH"), Some(Scope::view("swiss")));
        assert_eq!(told.scope("fr"), None);
    }

    #[test]
    fn the_file_decides_before_the_shop_does() {
        let rows =
            [(1, "default", Some("en_US"), 1), (2, "german", Some("de_DE"), 1), (3, "austrian", Some("de_AT"), 1)];
        let told = views(&rows, &[("de", "austrian"), ("fr", "nope"), ("x.y", "german"), ("zz", "austrian")]);
        assert_eq!(keys(&told), [("en", "all"), ("de-DE", "german"), ("de", "austrian")]);
        assert_eq!(told.warnings.len(), 3, "{:?}", told.warnings);
        let told = views(&rows, &[("en-GB", "default")]);
        assert_eq!(keys(&told)[0], ("en-GB", "all"));
    }

    #[test]
    fn a_shop_without_views_tells_no_texts() {
        assert_eq!(keys(&views(&[(0, "admin", None, 1)], &[])), []);
    }
}
