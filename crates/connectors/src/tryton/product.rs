//! Products: read with their template and the texts of every language, and changed one request at a time.

use super::client::Failed;
use super::read::{LONG_PAGE, ascending, typed};
use super::setup::Setup;
use super::wire::{TEXT_FIELDS, TextRow, VariantRow};
use super::write::{document, effect, outcome};
use super::{Tryton, map};
use serde_json::{Value, json};
use std::sync::Arc;
use syncline_connect::{Ctx, Outcome, Result, Snapshot};
use syncline_core::delivery::Permit;
use syncline_core::kind::Kind;

impl Tryton {
    /// The products in `rows`, in their order, with the texts of all of them. The rows are read first: a text that
    /// changes meanwhile is newer than the version it is told with, and a write on that version is refused.
    pub(super) async fn products_told(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        rows: &[Value],
    ) -> Result<Vec<Result<Snapshot>>> {
        let read: Vec<Result<VariantRow>> = rows.iter().map(|row| typed(row, "product")).collect();
        let good: Vec<&VariantRow> = read.iter().filter_map(|row| row.as_ref().ok()).collect();
        // Choices may have been added since the set-up was read.
        let fresh = match map::strange(&good, &setup.attributes) {
            true => Some(self.fresh_setup(ctx).await?),
            false => None,
        };
        let setup = fresh.as_deref().unwrap_or(setup);
        let templates = good.iter().map(|row| row.template.id).collect();
        let siblings = self.siblings(ctx, setup, &templates).await?;
        let products: Vec<i64> = good.iter().map(|row| row.id).collect();
        let templates: Vec<i64> = good.iter().map(|row| row.template.id).collect();
        let texts = self.texts_of(ctx, setup, &products, &templates).await?;
        let images = self.images_of(ctx, setup, &good).await?;
        let components = self.components_of(ctx, setup, &good).await?;
        let mut told = Vec::new();
        for (row, read) in rows.iter().zip(read) {
            let evidence = self.evidence(Kind::Variant, row)?;
            told.push(match read {
                Ok(read) => {
                    let id = map::remote(read.id);
                    let apart = (images.get(&read.id), components.as_slice());
                    Ok(Snapshot {
                        id: id.clone(),
                        mark: None,
                        found_by: None,
                        version: map::version(read.edited.version.as_deref(), read.template.edited.version.as_deref()),
                        records: vec![(id, map::variant_record(&read, &texts, &siblings, setup, apart))],
                        evidence: Some(evidence),
                    })
                }
                Err(error) => Err(error.with(evidence)),
            });
        }
        Ok(told)
    }

    /// What is really written in each language, read where Tryton keeps it: a read in a language shows the text of
    /// another one where there is none.
    pub(super) async fn texts_of(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        products: &[i64],
        templates: &[i64],
    ) -> Result<map::Texts> {
        let mut texts = map::Texts::default();
        if products.is_empty() && templates.is_empty() {
            return Ok(texts);
        }
        let clause = json!([
            "OR",
            [["name", "=", map::NAME], ["res_id", "in", templates]],
            [["name", "=", map::DESCRIPTION], ["res_id", "in", products]]
        ]);
        self.add_texts(ctx, setup, &clause, &mut texts).await?;
        Ok(texts)
    }

    /// Adds the texts that `clause` finds, in every language of the set-up.
    pub(super) async fn add_texts(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        clause: &Value,
        texts: &mut map::Texts,
    ) -> Result<()> {
        let languages: Vec<&str> = setup.languages.iter().map(|language| language.code.as_str()).collect();
        let mut last = 0;
        loop {
            let domain = json!([["type", "=", "model"], ["lang", "in", languages], clause, ["id", ">", last]]);
            let params = json!([domain, 0, LONG_PAGE, [["id", "ASC"]], TEXT_FIELDS, setup.context()]);
            let found: Vec<Value> = self.client.read(ctx, "model.ir.translation.search_read", params).await?;
            last = ascending(&found, last)?;
            for row in &found {
                texts.add(typed::<TextRow>(row, "translation")?);
            }
            if found.len() < LONG_PAGE {
                return Ok(());
            }
        }
    }

    /// One field of a product or its template, in the version the change was planned on, or, where the plan names none,
    /// in the version just read.
    pub(super) async fn edit_product(
        &self,
        ctx: &Ctx,
        setup: &Arc<Setup>,
        permit: &Permit,
    ) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let id = document(change).map_err(Outcome::Refused)?;
        let (setup, edit): (_, map::Edit) = self.made_one(ctx, setup, |setup| map::edit(change, setup)).await?;
        let row: VariantRow = self.row(ctx, &setup, Kind::Variant, id).await.map_err(Outcome::Refused)?;
        let write = map::write_of(&edit, &row, &setup).map_err(|wrong| Outcome::Refused(wrong.error))?;
        let version = write.version(change.expect.as_deref(), &row).map_err(Outcome::Refused)?;
        self.changed_one(ctx, &setup, permit, (Kind::Variant, id), write, version.as_deref()).await
    }

    /// What became of one request that changes one record of a document of `kind`, in the version it must still be in, and
    /// what the document shows then.
    pub(super) async fn changed_one(
        &self,
        ctx: &Ctx,
        setup: &Arc<Setup>,
        permit: &Permit,
        (kind, document): (Kind, i64),
        write: map::Write,
        version: Option<&str>,
    ) -> std::result::Result<Outcome, Outcome> {
        let context = setup.speaking(&write.language, write.model, write.id, version);
        let params = json!([[write.id], write.values, context]);
        let sent = self.client.write(ctx, &format!("model.{}.write", write.model), params, effect(&[permit])).await;
        sent.map_err(|failed: Failed| outcome(&failed))?;
        Ok(self.one_back(ctx, setup, kind, document).await)
    }
}
