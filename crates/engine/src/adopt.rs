//! Binds what both sides have already, by natural key or by a list of pairs; writes nothing remote.

use crate::pages::Pages;
use crate::run::Engine;
use crate::system::{EngineError, System};
use serde::Serialize;
use std::collections::BTreeMap;
use syncline_connect::Cursor;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::record::{Record, Variant};
use syncline_core::text::sku_key;
use syncline_store::Adoption;

/// What an adoption found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Adopted {
    /// Products of the source read.
    pub source: usize,
    /// Products of the target read.
    pub target: usize,
    /// Pairs of one key on both sides.
    pub matched: usize,
    /// Pairs bound just now.
    pub bound: usize,
    /// Keys of the source that the target does not have.
    pub unmatched: Vec<String>,
    /// Keys that several products share on one side; a person has to choose, by CSV.
    pub ambiguous: Vec<String>,
}

type ByKey = BTreeMap<String, Vec<(RemoteId, Variant)>>;

impl Engine {
    /// Products of both sides bound by SKU. A key that is not unique on either side is left to a person.
    ///
    /// # Errors
    /// Where a system does not answer or the store fails.
    pub async fn adopt_variants(&self) -> Result<Adopted, EngineError> {
        let (source, target) = self.tied()?;
        let (left, right) = self.both_sides(source, target).await?;
        let mut report = Adopted { source: count(&left), target: count(&right), ..Adopted::default() };
        let mut pairs = Vec::new();
        for (key, ours) in &left {
            match (ours.as_slice(), right.get(key).map(Vec::as_slice).unwrap_or_default()) {
                ([_], []) => report.unmatched.push(shown(ours)),
                ([(a, va)], [(b, vb)]) => {
                    report.matched += 1;
                    pairs.push(Adoption {
                        kind: Kind::Variant,
                        label: va.sku.clone().unwrap_or_else(|| key.clone()),
                        ids: vec![
                            (source.uid.clone(), a.clone(), aliases(a, va)),
                            (target.uid.clone(), b.clone(), aliases(b, vb)),
                        ],
                    });
                }
                _ => report.ambiguous.push(shown(ours)),
            }
        }
        report.bound = self.bind(pairs, &mut report).await?;
        Ok(report)
    }

    /// Products bound by `pairs` of source SKU and target SKU, as a person wrote them.
    ///
    /// # Errors
    /// Where a system does not answer, a SKU is not there, or the store fails.
    pub async fn adopt_pairs(&self, wanted: &[(String, String)]) -> Result<Adopted, EngineError> {
        let (source, target) = self.tied()?;
        let (left, right) = self.both_sides(source, target).await?;
        let mut report = Adopted { source: count(&left), target: count(&right), ..Adopted::default() };
        let mut pairs = Vec::new();
        for (ours, theirs) in wanted {
            let a = exact(&left, ours);
            let b = exact(&right, theirs);
            match (a, b) {
                (Some((a, va)), Some((b, vb))) => {
                    report.matched += 1;
                    pairs.push(Adoption {
                        kind: Kind::Variant,
                        label: ours.clone(),
                        ids: vec![
                            (source.uid.clone(), a.clone(), aliases(a, va)),
                            (target.uid.clone(), b.clone(), aliases(b, vb)),
                        ],
                    });
                }
                _ => report.unmatched.push(format!("{ours},{theirs}")),
            }
        }
        report.bound = self.bind(pairs, &mut report).await?;
        Ok(report)
    }

    /// The two systems whose products are tied: a shop and an ERP.
    fn tied(&self) -> Result<(&System, &System), EngineError> {
        let missing = || EngineError::Setup("SYN-0402: the file has no flow between two systems".to_string());
        let stock = self.flows.inventory.as_ref().map(|rules| (&rules.targets, &rules.source));
        let products = self.flows.products.as_ref().map(|rules| (&rules.targets, &rules.source));
        match stock.or(products).filter(|_| self.flows.orders.is_none()) {
            Some((targets, source)) => Ok((self.system(targets.first().ok_or_else(missing)?)?, self.system(source)?)),
            None => self.pair(),
        }
    }

    async fn bind(&self, pairs: Vec<Adoption>, report: &mut Adopted) -> Result<usize, EngineError> {
        let mut bound = 0;
        for pair in pairs {
            let label = pair.label.clone();
            match self.store.adopt(vec![pair], self.now()).await {
                Ok(new) => bound += new,
                Err(syncline_store::StoreError::Taken(_)) => {
                    report.matched -= 1;
                    report.ambiguous.push(label);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.attend_satellites().await?;
        if let Some(rules) = self.flows.products.as_ref().filter(|_| bound > 0) {
            // What was not tied was passed over: now it is read.
            for name in rules.systems() {
                self.store.forget_cursor(self.system(name)?.uid.clone(), Kind::Variant).await?;
            }
        }
        Ok(bound)
    }

    /// Source and target of the orders flow.
    pub(crate) fn pair(&self) -> Result<(&System, &System), EngineError> {
        let missing = || EngineError::Setup("SYN-0402: the file has no [flows.orders]".to_string());
        let rules = self.flows.orders.as_ref().ok_or_else(missing)?;
        Ok((self.system(&rules.source)?, self.system(&rules.target)?))
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
