//! Categories: read with the names of every language.

use super::read::typed;
use super::setup::Setup;
use super::wire_product::CategoryRow;
use super::{Tryton, map};
use serde_json::{Value, json};
use syncline_connect::{Ctx, Result, Snapshot};
use syncline_core::kind::Kind;

impl Tryton {
    /// The categories in `rows`, in their order, with the names of all of them; rows first, as with products.
    pub(super) async fn categories_told(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        rows: &[Value],
    ) -> Result<Vec<Result<Snapshot>>> {
        let read: Vec<Result<CategoryRow>> = rows.iter().map(|row| typed(row, "category")).collect();
        let ids: Vec<i64> = read.iter().flatten().map(|row| row.id).collect();
        let mut texts = map::Texts::default();
        if !ids.is_empty() {
            let clause = json!([["name", "=", map::CATEGORY_NAME], ["res_id", "in", ids]]);
            self.add_texts(ctx, setup, &clause, &mut texts).await?;
        }
        let mut told = Vec::new();
        for (row, read) in rows.iter().zip(read) {
            let evidence = self.evidence(Kind::Category, row)?;
            told.push(match read {
                Ok(read) => {
                    let id = map::remote(read.id);
                    Ok(Snapshot {
                        id: id.clone(),
                        mark: None,
                        found_by: None,
                        version: read.edited.version.clone(),
                        records: vec![(id, map::category_record(&read, &texts, setup))],
                        evidence: Some(evidence),
                    })
                }
                Err(error) => Err(error.with(evidence)),
            });
        }
        Ok(told)
    }
}
