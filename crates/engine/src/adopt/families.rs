//! Binds families that both sides have: by the variants in them that are tied already, else by the family's code.

use super::Adopted;
use crate::pages::Pages;
use crate::run::Engine;
use crate::system::{EngineError, System};
use std::collections::{BTreeMap, BTreeSet};
use syncline_connect::Cursor;
use syncline_core::id::{EntityId, RemoteId, SystemName};
use syncline_core::kind::Kind;
use syncline_core::leaf::Target;
use syncline_core::policy::Hold;
use syncline_core::record::{Product, Record};
use syncline_core::text::sku_key;
use syncline_store::Adoption;

/// One family of one side, with the variants in it that somebody has tied.
#[derive(Debug)]
struct Family {
    id: RemoteId,
    record: Product,
    tied: BTreeSet<EntityId>,
}

impl Family {
    fn shown(&self) -> String {
        self.record.key.clone().unwrap_or_else(|| self.id.id.clone())
    }

    fn key(&self) -> Option<String> {
        self.record.key.as_deref().map(sku_key).filter(|key| !key.is_empty())
    }

    /// Whether a person means this one by `text`.
    fn is_meant(&self, text: &str) -> bool {
        self.id.id == text || self.key().is_some_and(|key| key == sku_key(text))
    }
}

/// Pairs of families with variants in common, or else with one code; and those that more than one other could be.
fn matched<'a>(shop: &'a [Family], erp: &'a [Family]) -> (Vec<(&'a Family, &'a Family)>, Vec<&'a Family>) {
    let common = |one: &Family, other: &Family| !one.tied.is_disjoint(&other.tied);
    let coded = |one: &Family, other: &Family| {
        let apart = one.tied.is_empty() || other.tied.is_empty();
        apart && one.key().is_some() && one.key() == other.key()
    };
    let (mut pairs, mut ambiguous): (Vec<(&Family, &Family)>, Vec<&Family>) = (Vec::new(), Vec::new());
    for alike in [&common as &dyn Fn(&Family, &Family) -> bool, &coded] {
        let taken: BTreeSet<(&RemoteId, &RemoteId)> = pairs.iter().map(|(one, other)| (&one.id, &other.id)).collect();
        let ours: Vec<&Family> = shop.iter().filter(|one| taken.iter().all(|(id, _)| **id != one.id)).collect();
        let theirs: Vec<&Family> = erp.iter().filter(|one| taken.iter().all(|(_, id)| **id != one.id)).collect();
        for one in &ours {
            let found: Vec<&&Family> = theirs.iter().filter(|other| alike(one, other)).collect();
            match found.as_slice() {
                [] => {}
                [other] if ours.iter().filter(|another| alike(another, other)).count() == 1 => pairs.push((one, other)),
                _ => ambiguous.push(one),
            }
        }
    }
    (pairs, ambiguous)
}

impl Engine {
    /// Families of each shop and the ERP bound by the variants they have in common, else by their code. One that could be
    /// several is left to a person.
    ///
    /// # Errors
    /// Where the file carries no families, a system does not answer, or the store fails.
    pub async fn adopt_families(&self) -> Result<Vec<Adopted>, EngineError> {
        let mut reports = Vec::new();
        for (shop, erp) in self.sides_of(None)? {
            let (left, right) = futures::future::try_join(self.families(shop), self.families(erp)).await?;
            let mut report = Adopted { source: left.len(), target: right.len(), ..Adopted::of(shop) };
            let (pairs, ambiguous) = matched(&left, &right);
            report.matched = pairs.len();
            report.ambiguous = ambiguous.iter().map(|one| one.shown()).collect();
            let alone = |one: &&Family| {
                let is = |other: &Family| other.id == one.id;
                !ambiguous.iter().any(|other| is(other)) && !pairs.iter().any(|(other, _)| is(other))
            };
            report.unmatched = left.iter().filter(alone).map(Family::shown).collect();
            let pairs = pairs.into_iter().map(|(one, other)| as_one((shop, one), (erp, other))).collect();
            report.bound = self.bind(Kind::Product, pairs, &mut report).await?;
            reports.push(report);
        }
        Ok(reports)
    }

    /// Families bound by `wanted` pairs of what people call them in a shop and in the ERP: code or id.
    ///
    /// # Errors
    /// As [`Engine::adopt_families`].
    pub async fn adopt_family_pairs(
        &self,
        wanted: &[(String, String)],
        only: Option<&SystemName>,
    ) -> Result<Vec<Adopted>, EngineError> {
        let mut reports = Vec::new();
        for (shop, erp) in self.sides_of(only)? {
            let (left, right) = futures::future::try_join(self.families(shop), self.families(erp)).await?;
            let mut report = Adopted { source: left.len(), target: right.len(), ..Adopted::of(shop) };
            let mut pairs = Vec::new();
            for (ours, theirs) in wanted {
                let meant = |all: &[Family], text: &str| -> Vec<usize> {
                    all.iter().enumerate().filter(|(_, one)| one.is_meant(text)).map(|(at, _)| at).collect()
                };
                let pair = match (meant(&left, ours).as_slice(), meant(&right, theirs).as_slice()) {
                    ([one], [other]) => left.get(*one).zip(right.get(*other)),
                    _ => None,
                };
                match pair {
                    Some((one, other)) => pairs.push(as_one((shop, one), (erp, other))),
                    None => report.unmatched.push(format!("{ours},{theirs}")),
                }
            }
            report.matched = pairs.len();
            report.bound = self.bind(Kind::Product, pairs, &mut report).await?;
            reports.push(report);
        }
        Ok(reports)
    }

    /// Every shop with the ERP whose families go together, or `only` one.
    fn sides_of(&self, only: Option<&SystemName>) -> Result<Vec<(&System, &System)>, EngineError> {
        let Some(rules) = self.field_rules(Kind::Product) else {
            let remedy =
                "name the attributes that tell variants apart, e.g. `options = [\"size\"]` under [flows.products]";
            return Err(EngineError::Asked(Hold::new("SYN-0455", "the file carries no families", remedy)));
        };
        let mut sides = Vec::new();
        for pair in rules.pairs.iter().filter(|pair| only.is_none_or(|only| *only == pair.target)) {
            sides.push((self.system(&pair.target)?, self.system(&pair.source)?));
        }
        Ok(sides)
    }

    /// Every family of `system`.
    async fn families(&self, system: &System) -> Result<Vec<Family>, EngineError> {
        let mut found: BTreeMap<RemoteId, Family> = BTreeMap::new();
        let mut pages = Pages::from(system, Kind::Product, Cursor::default());
        while let Some(page) = pages.next().await? {
            self.adopting.read(page.seen.len());
            for (id, record) in page.seen.into_iter().filter_map(|seen| seen.snapshot.ok()).flat_map(|s| s.records) {
                let Record::Product(record) = record else { continue };
                let remote = |target: &Target| match target {
                    Target::Remote(id) => Some(id.clone()),
                    Target::Entity(_) => None,
                };
                let variants = record.variants.values().filter_map(|one| remote(&one.to)).collect();
                let tied = self.store.entities(system.uid.clone(), Kind::Variant, variants).await?;
                let tied = tied.into_iter().flatten().collect();
                found.insert(id.clone(), Family { id, record, tied });
            }
        }
        Ok(found.into_values().collect())
    }
}

/// The two as one family.
fn as_one((shop, one): (&System, &Family), (erp, other): (&System, &Family)) -> Adoption {
    let aliases = |family: &Family| {
        let serial = family.record.serial.iter();
        serial.map(|serial| RemoteId::new(family.id.scope.clone(), format!("id:{serial}"))).collect()
    };
    let ids =
        vec![(shop.uid.clone(), one.id.clone(), aliases(one)), (erp.uid.clone(), other.id.clone(), aliases(other))];
    Adoption { kind: Kind::Product, label: one.shown(), ids }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(id: &str, key: Option<&str>, tied: &[u64]) -> Family {
        let record = Product { key: key.map(str::to_string), ..Product::default() };
        Family { id: RemoteId::new("", id), record, tied: tied.iter().map(|id| EntityId(*id)).collect() }
    }

    fn ids(shop: &[Family], erp: &[Family]) -> (Vec<(String, String)>, Vec<String>) {
        let (pairs, ambiguous) = matched(shop, erp);
        let pairs = pairs.into_iter().map(|(one, other)| (one.id.id.clone(), other.id.id.clone())).collect();
        (pairs, ambiguous.into_iter().map(|one| one.id.id.clone()).collect())
    }

    #[test]
    fn variants_in_common_come_before_codes_and_what_could_be_two_is_left() {
        let shop =
            [family("A", Some("TEE"), &[1, 2]), family("B", Some("MUG"), &[]), family("C", Some("CAP"), &[5, 6])];
        let erp = [family("1", Some("MUG"), &[1, 2, 3]), family("2", Some("mug "), &[]), family("3", None, &[5])];
        let pair = |one: &str, other: &str| (one.to_string(), other.to_string());
        assert_eq!(ids(&shop, &erp), (vec![pair("A", "1"), pair("C", "3"), pair("B", "2")], vec![]));
        let erp = [family("1", None, &[1]), family("2", None, &[2])];
        assert_eq!(ids(&shop, &erp), (vec![], vec!["A".to_string()]));
        let split = [family("A", None, &[1]), family("B", None, &[2])];
        assert_eq!(ids(&split, &[family("1", None, &[1, 2])]).0, []);
    }

    #[test]
    fn one_code_does_not_tie_families_with_other_variants() {
        let (shop, erp) = ([family("A", Some("TEE"), &[1])], [family("1", Some("TEE"), &[9])]);
        assert_eq!(ids(&shop, &erp), (vec![], vec![]));
    }
}
