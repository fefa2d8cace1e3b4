//! Categories: read with the names of every language, and changed one field at a time.

use super::read::typed;
use super::setup::Setup;
use super::wire_product::CategoryRow;
use super::write::document;
use super::{Tryton, map};
use serde_json::{Value, json};
use std::sync::Arc;
use syncline_connect::{Ctx, Outcome, Result, Snapshot};
use syncline_core::delivery::Permit;
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

    /// One field of a category, in the version the change was planned on, or, where the plan names none, in the version
    /// just read.
    pub(super) async fn edit_category(
        &self,
        ctx: &Ctx,
        setup: &Arc<Setup>,
        permit: &Permit,
    ) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let id = document(change).map_err(Outcome::Refused)?;
        let (setup, edit) = self.made_one(ctx, setup, |setup| map::edit_category(change, setup)).await?;
        let row: CategoryRow = self.row(ctx, &setup, Kind::Category, id).await.map_err(Outcome::Refused)?;
        let version = change.expect.as_deref().or(row.edited.version.as_deref());
        let write = map::Write { model: "product.category", id, language: edit.language, values: edit.values };
        self.changed_one(ctx, &setup, permit, (Kind::Category, id), write, version).await
    }
}
