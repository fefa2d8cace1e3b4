//! Binds what both sides have already, by natural key or by a list of pairs; writes nothing remote.

mod categories;
mod customers;
mod elsewhere;
mod families;
mod likeness;
mod orders;
mod party;
mod tally;

pub(crate) use elsewhere::{elsewhere, is_adopted};
pub(crate) use likeness::beside;
pub use orders::{Listed, OrdersAdopted, OrdersWanted};
pub use tally::Tally;

use crate::pages::Pages;
use crate::run::Engine;
use crate::system::{EngineError, System};
use serde::Serialize;
use std::collections::BTreeMap;
use syncline_connect::Cursor;
use syncline_core::id::{RemoteId, SystemName};
use syncline_core::kind::Kind;
use syncline_core::record::{Record, Variant};
use syncline_core::rules::FieldRules;
use syncline_core::text::sku_key;
use syncline_store::Adoption;

/// What an adoption found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adopted {
    /// The shop.
    pub shop: SystemName,
    /// Records of the source read.
    pub source: usize,
    /// Records of the target read.
    pub target: usize,
    /// Pairs of one key on both sides.
    pub matched: usize,
    /// Pairs bound just now.
    pub bound: usize,
    /// What of the source the target does not have.
    pub unmatched: Vec<String>,
    /// What shares its key with several on one side; a person has to choose, by CSV.
    pub ambiguous: Vec<String>,
}

impl Adopted {
    fn of(shop: &System) -> Self {
        let (unmatched, ambiguous) = (Vec::new(), Vec::new());
        Self { shop: shop.name.clone(), source: 0, target: 0, matched: 0, bound: 0, unmatched, ambiguous }
    }

    /// The pairs that people mean by `wanted`, where either side has just one record that goes by what they wrote; the
    /// others are noted.
    fn meant<'r>(
        &mut self,
        wanted: &[(String, String)],
        left: impl Fn(&str) -> Vec<&'r RemoteId>,
        right: impl Fn(&str) -> Vec<&'r RemoteId>,
    ) -> Vec<(&'r RemoteId, &'r RemoteId)> {
        let mut pairs = Vec::new();
        for (ours, theirs) in wanted {
            match (left(ours).as_slice(), right(theirs).as_slice()) {
                ([one], [other]) => pairs.push((*one, *other)),
                ([], _) | (_, []) => self.unmatched.push(format!("{ours},{theirs}")),
                _ => self.ambiguous.push(format!("{ours},{theirs}")),
            }
        }
        self.matched = pairs.len();
        pairs
    }
}

/// `one` of a shop and `other` of the ERP as one variant.
fn adoption(
    label: String,
    (shop, one): (&System, &(RemoteId, Variant)),
    (erp, other): (&System, &(RemoteId, Variant)),
) -> Adoption {
    let id =
        |system: &System, (id, variant): &(RemoteId, Variant)| (system.uid.clone(), id.clone(), aliases(id, variant));
    Adoption { kind: Kind::Variant, label, ids: vec![id(shop, one), id(erp, other)] }
}

type ByKey = BTreeMap<String, Vec<(RemoteId, Variant)>>;

impl Engine {
    /// Products of the ERP and each of its shops bound by SKU, shop by shop. A key that is not unique on either side is
    /// left to a person.
    ///
    /// # Errors
    /// Where a system does not answer or the store fails.
    pub async fn adopt_variants(&self) -> Result<Vec<Adopted>, EngineError> {
        let mut reports = Vec::new();
        for (shop, erp) in self.tied()? {
            let (left, right) = self.both_sides(shop, erp).await?;
            let mut report = Adopted { source: count(&left), target: count(&right), ..Adopted::of(shop) };
            let mut pairs = Vec::new();
            for (key, ours) in &left {
                match (ours.as_slice(), right.get(key).map(Vec::as_slice).unwrap_or_default()) {
                    ([_], []) => report.unmatched.push(shown(ours)),
                    ([one], [other]) => {
                        report.matched += 1;
                        let label = one.1.sku.clone().unwrap_or_else(|| key.clone());
                        pairs.push(adoption(label, (shop, one), (erp, other)));
                    }
                    _ => report.ambiguous.push(shown(ours)),
                }
            }
            report.bound = self.bind(Kind::Variant, pairs, &mut report).await?;
            reports.push(report);
        }
        Ok(reports)
    }

    /// Products bound by `wanted`, pairs of the SKU in a shop and that in the ERP, as a person wrote them; in every shop
    /// that has the first one, or in `only` one.
    ///
    /// # Errors
    /// Where a system does not answer, a SKU is not there, or the store fails.
    pub async fn adopt_pairs(
        &self,
        wanted: &[(String, String)],
        only: Option<&SystemName>,
    ) -> Result<Vec<Adopted>, EngineError> {
        let mut reports = Vec::new();
        for (shop, erp) in self.tied()?.into_iter().filter(|(shop, _)| only.is_none_or(|only| *only == shop.name)) {
            let (left, right) = self.both_sides(shop, erp).await?;
            let mut report = Adopted { source: count(&left), target: count(&right), ..Adopted::of(shop) };
            let mut pairs = Vec::new();
            for (ours, theirs) in wanted {
                match (exact(&left, ours), exact(&right, theirs)) {
                    (Some(one), Some(other)) => {
                        report.matched += 1;
                        pairs.push(adoption(ours.clone(), (shop, one), (erp, other)));
                    }
                    _ => report.unmatched.push(format!("{ours},{theirs}")),
                }
            }
            report.bound = self.bind(Kind::Variant, pairs, &mut report).await?;
            reports.push(report);
        }
        Ok(reports)
    }

    /// Every shop with the ERP its products are tied to.
    fn tied(&self) -> Result<Vec<(&System, &System)>, EngineError> {
        let mut found: Vec<(&System, &System)> = Vec::new();
        for (shop, erp) in self.flows.ties() {
            let (shop, erp) = (self.system(shop)?, self.system(erp)?);
            let known = |(one, other): &(&System, &System)| {
                [&one.name, &other.name].iter().all(|name| [&shop.name, &erp.name].contains(name))
            };
            if !found.iter().any(known) {
                found.push((shop, erp));
            }
        }
        match found.is_empty() {
            true => Err(EngineError::Setup("SYN-0402: the file has no flow between two systems".to_string())),
            false => Ok(found),
        }
    }

    async fn bind(&self, kind: Kind, pairs: Vec<Adoption>, report: &mut Adopted) -> Result<usize, EngineError> {
        let mut bound = 0;
        for pair in pairs {
            let label = pair.label.clone();
            match self.store.adopt(vec![pair], self.now()).await {
                Ok(new) => {
                    bound += new;
                    self.adopting.bound(new);
                }
                Err(syncline_store::StoreError::Taken(_)) => {
                    report.matched -= 1;
                    report.ambiguous.push(label);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.attend_satellites().await?;
        if bound > 0 {
            self.read_anew_of(kind).await?;
        }
        Ok(bound)
    }

    /// Sees to it that records of `kind` that were just tied are read: what was not tied was passed over.
    async fn read_anew_of(&self, kind: Kind) -> Result<(), EngineError> {
        for name in self.field_rules(kind).into_iter().flat_map(FieldRules::systems) {
            self.store.forget_cursor(self.system(name)?.uid.clone(), kind).await?;
        }
        self.store.wake_referring(kind, self.now()).await?;
        Ok(())
    }

    /// Every product of the shop, and those the ERP offers: nobody can sell what is retired there.
    async fn both_sides(&self, shop: &System, erp: &System) -> Result<(ByKey, ByKey), EngineError> {
        let (left, mut right) = futures::future::try_join(self.variants(shop), self.variants(erp)).await?;
        right.retain(|_, same| same.iter().any(|(_, variant)| variant.active != Some(false)));
        Ok((left, right))
    }

    /// Every product of `system` by its match key.
    async fn variants(&self, system: &System) -> Result<ByKey, EngineError> {
        let mut all = ByKey::new();
        let mut pages = Pages::from(system, Kind::Variant, Cursor::default());
        while let Some(page) = pages.next().await? {
            self.adopting.read(page.seen.len());
            for seen in page.seen {
                let Ok(snapshot) = seen.snapshot else { continue };
                for (id, record) in snapshot.records {
                    let Record::Variant(variant) = record else { continue };
                    let Some(sku) = &variant.sku else { continue };
                    all.entry(sku_key(sku)).or_default().push((id, variant));
                }
            }
        }
        for same in all.values_mut() {
            // What is retired stands back behind what is offered under the same key.
            if same.iter().any(|(_, variant)| variant.active != Some(false)) {
                same.retain(|(_, variant)| variant.active != Some(false));
            }
        }
        Ok(all)
    }
}

fn count(all: &ByKey) -> usize {
    all.values().map(Vec::len).sum()
}

fn shown(products: &[(RemoteId, Variant)]) -> String {
    products.first().and_then(|(_, variant)| variant.sku.clone()).unwrap_or_default()
}

fn exact<'a>(all: &'a ByKey, sku: &str) -> Option<&'a (RemoteId, Variant)> {
    let same = all.get(&sku_key(sku))?;
    same.iter().find(|(_, variant)| variant.sku.as_deref() == Some(sku)).or(match same.as_slice() {
        [one] => Some(one),
        _ => None,
    })
}

fn aliases(id: &RemoteId, variant: &Variant) -> Vec<RemoteId> {
    variant.serial.iter().map(|serial| RemoteId::new(id.scope.clone(), format!("id:{serial}"))).collect()
}
