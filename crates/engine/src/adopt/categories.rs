//! Binds categories that both sides have: by the path of their names from the top, or by a list of pairs.

use super::Adopted;
use crate::pages::Pages;
use crate::run::Engine;
use crate::system::{EngineError, System};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::Cursor;
use syncline_core::id::{RemoteId, SystemName};
use syncline_core::kind::Kind;
use syncline_core::leaf::Target;
use syncline_core::record::{Category, Parent, Record};
use syncline_core::text::folded;
use syncline_store::Adoption;

/// Categories one above the other; more, and the tree turns in a circle.
const DEEPEST: usize = 100;

/// The categories of one side, by id.
#[derive(Debug, Default)]
struct Tree(BTreeMap<RemoteId, Category>);

/// What stands for the names of a path in comparisons.
type Key = Vec<String>;

impl Tree {
    /// The names from the top down to `id` in `locale`; none where one of them has none.
    fn names(&self, id: &RemoteId, locale: &str) -> Option<Vec<&str>> {
        let mut names = Vec::new();
        let mut at = id;
        loop {
            let category = self.0.get(at)?;
            names.push(category.texts.get(locale)?.name.as_deref().filter(|name| !name.trim().is_empty())?);
            at = match category.parent.as_ref()? {
                Parent::Top => break,
                Parent::Below(parent) => match &parent.to {
                    Target::Remote(id) if names.len() < DEEPEST => id,
                    _ => return None,
                },
            };
        }
        names.reverse();
        Some(names)
    }

    /// What a person calls `id`: its path in the first of `locales` that has one.
    fn shown(&self, id: &RemoteId, locales: &[String]) -> String {
        let path = locales.iter().find_map(|locale| self.names(id, locale));
        path.map_or_else(|| id.id.clone(), |names| names.join(" / "))
    }

    /// The categories of `left` by their path in `locale`.
    fn by_path<'a>(&'a self, left: &BTreeSet<&'a RemoteId>, locale: &str) -> BTreeMap<Key, Vec<&'a RemoteId>> {
        let mut all: BTreeMap<Key, Vec<&RemoteId>> = BTreeMap::new();
        for id in left {
            if let Some(names) = self.names(id, locale) {
                all.entry(names.into_iter().map(folded).collect()).or_default().push(id);
            }
        }
        all
    }

    /// How many categories have a name in `locale`.
    fn named_in(&self, locale: &str) -> usize {
        let named = |category: &&Category| {
            category.texts.get(locale).and_then(|texts| texts.name.as_deref()).is_some_and(|name| !name.is_empty())
        };
        self.0.values().filter(named).count()
    }

    fn locales(&self) -> BTreeSet<&String> {
        self.0.values().flat_map(|category| category.texts.keys()).collect()
    }

    /// The categories a person may mean: by id, or by their path.
    fn meant(&self, text: &str, locales: &[String]) -> Vec<&RemoteId> {
        let wanted: Key = text.split(" / ").map(folded).collect();
        let of_path = |id: &&RemoteId| {
            let path = |locale: &String| self.names(id, locale).map(|names| names.into_iter().map(folded).collect());
            locales.iter().any(|locale| path(locale).is_some_and(|path: Key| path == wanted))
        };
        match self.0.keys().find(|id| id.id == text) {
            Some(id) => vec![id],
            None => self.0.keys().filter(of_path).collect(),
        }
    }
}

/// The locales both sides tell, those first in which the ERP names the most.
fn common(shop: &Tree, erp: &Tree) -> Vec<String> {
    let mut locales: Vec<String> = shop.locales().intersection(&erp.locales()).map(|one| (*one).clone()).collect();
    locales.sort_by_key(|locale| std::cmp::Reverse(erp.named_in(locale)));
    locales
}

/// Pairs of one path on both sides, and those of the shop that share theirs with several.
fn matched<'a>(
    shop: &'a Tree,
    erp: &'a Tree,
    locales: &[String],
) -> (Vec<(&'a RemoteId, &'a RemoteId)>, Vec<&'a RemoteId>) {
    let (mut left, mut right): (BTreeSet<&RemoteId>, BTreeSet<&RemoteId>) =
        (shop.0.keys().collect(), erp.0.keys().collect());
    let (mut pairs, mut ambiguous) = (Vec::new(), BTreeSet::new());
    for locale in locales {
        let (ours, theirs) = (shop.by_path(&left, locale), erp.by_path(&right, locale));
        for (path, ours) in ours {
            match (ours.as_slice(), theirs.get(&path).map(Vec::as_slice).unwrap_or_default()) {
                (_, []) => {}
                ([one], [other]) => {
                    left.remove(one);
                    right.remove(other);
                    pairs.push((*one, *other));
                }
                _ => ambiguous.extend(ours),
            }
        }
    }
    (pairs, ambiguous.into_iter().filter(|id| left.contains(id)).collect())
}

impl Engine {
    /// Categories of each shop and the ERP bound by the path of their names, in the language in which the ERP names the
    /// most, and what is left in the next one. A path that is not unique on either side is left to a person.
    ///
    /// # Errors
    /// Where a system does not answer or the store fails.
    pub async fn adopt_categories(&self) -> Result<Vec<Adopted>, EngineError> {
        let mut reports = Vec::new();
        for (shop, erp) in self.sorted_sides(None)? {
            let (left, right) = futures::future::try_join(self.tree(shop), self.tree(erp)).await?;
            let mut report = Adopted { source: left.0.len(), target: right.0.len(), ..Adopted::of(shop) };
            let locales = common(&left, &right);
            let (pairs, ambiguous) = matched(&left, &right, &locales);
            report.matched = pairs.len();
            report.ambiguous = ambiguous.iter().map(|id| left.shown(id, &locales)).collect();
            let alone = |id: &&RemoteId| !ambiguous.contains(id) && !pairs.iter().any(|(one, _)| one == id);
            report.unmatched = left.0.keys().filter(alone).map(|id| left.shown(id, &locales)).collect();
            let pairs =
                pairs.into_iter().map(|(one, other)| tied((shop, one), (erp, other), left.shown(one, &locales)));
            report.bound = self.bind(Kind::Category, pairs.collect(), &mut report).await?;
            reports.push(report);
        }
        Ok(reports)
    }

    /// Categories bound by `wanted` pairs of what people call them in a shop and in the ERP: id, or path with ` / `.
    ///
    /// # Errors
    /// Where a system does not answer or the store fails.
    pub async fn adopt_category_pairs(
        &self,
        wanted: &[(String, String)],
        only: Option<&SystemName>,
    ) -> Result<Vec<Adopted>, EngineError> {
        let mut reports = Vec::new();
        for (shop, erp) in self.sorted_sides(only)? {
            let (left, right) = futures::future::try_join(self.tree(shop), self.tree(erp)).await?;
            let mut report = Adopted { source: left.0.len(), target: right.0.len(), ..Adopted::of(shop) };
            let locales = common(&left, &right);
            let meant = report.meant(wanted, |ours| left.meant(ours, &locales), |theirs| right.meant(theirs, &locales));
            let pairs = meant.iter().map(|(one, other)| tied((shop, one), (erp, other), left.shown(one, &locales)));
            let pairs = pairs.collect();
            report.bound = self.bind(Kind::Category, pairs, &mut report).await?;
            reports.push(report);
        }
        Ok(reports)
    }

    /// Every shop with the ERP whose categories go together, or `only` one.
    fn sorted_sides(&self, only: Option<&SystemName>) -> Result<Vec<(&System, &System)>, EngineError> {
        let Some(rules) = self.field_rules(Kind::Category) else {
            return Err(EngineError::Setup("SYN-0402: the file has no [flows.products] in force".to_string()));
        };
        let mut sides = Vec::new();
        for pair in &rules.pairs {
            let (erp, shop) = (self.system(&pair.source)?, self.system(&pair.target)?);
            if only.is_none_or(|only| *only == shop.name) {
                sides.push((shop, erp));
            }
        }
        Ok(sides)
    }

    async fn tree(&self, system: &System) -> Result<Tree, EngineError> {
        let mut tree = Tree::default();
        let mut pages = Pages::from(system, Kind::Category, Cursor::default());
        while let Some(page) = pages.next().await? {
            self.adopting.read(page.seen.len());
            for (id, record) in page.seen.into_iter().filter_map(|seen| seen.snapshot.ok()).flat_map(|s| s.records) {
                if let Record::Category(category) = record {
                    tree.0.insert(id, category);
                }
            }
        }
        Ok(tree)
    }
}

/// The two as one category.
fn tied((shop, one): (&System, &RemoteId), (erp, other): (&System, &RemoteId), label: String) -> Adoption {
    let ids = vec![(shop.uid.clone(), one.clone(), Vec::new()), (erp.uid.clone(), other.clone(), Vec::new())];
    Adoption { kind: Kind::Category, label, ids }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::leaf::Ref;
    use syncline_core::record::Texts;

    /// Id, parent (0 for none), English and German name.
    fn tree(rows: &[(u32, u32, &str, &str)]) -> Tree {
        let id = |number: u32| RemoteId::new("", number.to_string());
        let of = |(number, parent, en, de): &(u32, u32, &str, &str)| {
            let name = |text: &str| Texts { name: Some(text.to_string()), description: None };
            let parent = match parent {
                0 => Parent::Top,
                above => Parent::Below(Ref::remote(Kind::Category, id(*above))),
            };
            let texts = [("de".to_string(), name(de)), ("en".to_string(), name(en))].into();
            (id(*number), Category { parent: Some(parent), texts, ..Category::default() })
        };
        Tree(rows.iter().map(of).collect())
    }

    fn pairs(shop: &Tree, erp: &Tree) -> (Vec<(String, String)>, Vec<String>) {
        let (pairs, ambiguous) = matched(shop, erp, &common(shop, erp));
        let pairs = pairs.into_iter().map(|(one, other)| (one.id.clone(), other.id.clone()));
        (pairs.collect(), ambiguous.into_iter().map(|id| id.id.clone()).collect())
    }

    #[test]
    fn categories_are_tied_by_their_whole_path_whatever_the_case() {
        let shop = tree(&[(3, 0, "Lamps", "Lampen"), (4, 3, "Desk", "Tisch"), (5, 0, "Desk", "Tisch")]);
        let erp = tree(&[(7, 0, "LAMPS", ""), (8, 7, "desk", ""), (9, 0, "Chairs", "")]);
        let (tied, ambiguous) = pairs(&shop, &erp);
        assert_eq!(tied, [("3".to_string(), "7".to_string()), ("4".into(), "8".into())]);
        assert!(ambiguous.is_empty());
    }

    #[test]
    fn what_is_there_twice_is_left_to_a_person_unless_another_language_tells() {
        let shop = tree(&[(3, 0, "Lamps", "Lampen"), (4, 0, "Lamps", "Leuchten")]);
        let erp = tree(&[(7, 0, "Lamps", "Lampen"), (8, 0, "Chairs", "Stühle")]);
        assert_eq!(pairs(&shop, &erp), (vec![("3".to_string(), "7".to_string())], vec![]));
        let erp = tree(&[(7, 0, "Lamps", ""), (8, 0, "Chairs", "")]);
        assert_eq!(pairs(&shop, &erp), (vec![], vec!["3".to_string(), "4".to_string()]));
    }

    #[test]
    fn a_tree_that_turns_in_a_circle_has_no_paths() {
        let round = tree(&[(3, 4, "Lamps", "Lampen"), (4, 3, "Desk", "Tisch")]);
        assert_eq!(round.names(&RemoteId::new("", "3"), "en"), None);
    }
}
