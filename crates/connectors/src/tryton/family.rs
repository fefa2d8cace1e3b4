//! Families: templates with several products, read with all of these, and changed one request at a time.

use super::map::{self, Siblings};
use super::read::{LONG_PAGE, Search, ascending, fields, search, typed};
use super::setup::Setup;
use super::wire::VariantRow;
use super::wire_product::{FamilyRow, MemberRow};
use super::write::document;
use super::{Tryton, map::Family};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use syncline_connect::{Ctx, Outcome, Result, Snapshot};
use syncline_core::delivery::Permit;
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;

impl Tryton {
    /// The families in `rows`, in their order; none for a template with a single product, unless it is asked for by `id`.
    pub(super) async fn families_told(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        rows: &[Value],
        by_id: bool,
    ) -> Result<Vec<Option<Result<Snapshot>>>> {
        let read: Vec<Result<FamilyRow>> = rows.iter().map(|row| typed(row, "template")).collect();
        let templates: BTreeSet<i64> = read.iter().flatten().map(|row| row.id).collect();
        let members = self.members(ctx, setup, &templates).await?;
        let several = |id: i64| members.get(&id).is_some_and(|all| all.len() > 1);
        let kept: Vec<i64> = templates.iter().copied().filter(|id| several(*id)).collect();
        let texts = self.texts_of(ctx, setup, &[], &kept).await?;
        let options = self.config.families.clone().unwrap_or_default();
        let mut told = Vec::new();
        for (row, read) in rows.iter().zip(read) {
            let evidence = self.evidence(Kind::Product, row)?;
            told.push(match read {
                Ok(read) if !by_id && !several(read.id) => None,
                Ok(read) => {
                    let none = Vec::new();
                    let members = members.get(&read.id).unwrap_or(&none);
                    let id = map::remote(read.id);
                    let ids = members.iter().map(|member| member.id);
                    let version = map::family_version(read.edited.version.as_deref(), ids);
                    let family = Family { row: &read, members, texts: &texts, options: &options };
                    let records = vec![(id.clone(), map::family_record(&family, setup))];
                    Some(Ok(Snapshot { id, mark: None, found_by: None, version, records, evidence: Some(evidence) }))
                }
                Err(error) => Some(Err(error.with(evidence))),
            });
        }
        Ok(told)
    }

    /// Every product with a code of these templates, those out of use too, by template.
    async fn members(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        templates: &BTreeSet<i64>,
    ) -> Result<BTreeMap<i64, Vec<VariantRow>>> {
        let mut found: BTreeMap<i64, Vec<VariantRow>> = BTreeMap::new();
        for row in self.of_templates(ctx, setup, templates, &fields(Kind::Variant, setup)).await? {
            let row: VariantRow = typed(&row, "product")?;
            found.entry(row.template.id).or_default().push(row);
        }
        Ok(found)
    }

    /// The products of these templates by number, where families are told.
    pub(super) async fn siblings(&self, ctx: &Ctx, setup: &Setup, templates: &BTreeSet<i64>) -> Result<Siblings> {
        let mut found = Siblings::new();
        if self.config.families.is_none() {
            return Ok(found);
        }
        for row in self.of_templates(ctx, setup, templates, &["template"]).await? {
            let row: MemberRow = typed(&row, "product")?;
            found.entry(row.template).or_default().insert(row.id);
        }
        Ok(found)
    }

    /// The products with a code of these templates, those out of use too.
    async fn of_templates(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        templates: &BTreeSet<i64>,
        fields: &[&str],
    ) -> Result<Vec<Value>> {
        let (mut found, mut last) = (Vec::new(), 0);
        while !templates.is_empty() {
            let domain = vec![
                json!(["active", "in", [true, false]]),
                json!(["template", "in", templates]),
                json!(["code", "!=", null]),
                json!(["id", ">", last]),
            ];
            let rows =
                search(&self.client, ctx, setup, Search { kind: Kind::Variant, domain, limit: LONG_PAGE, fields });
            let rows = rows.await?;
            last = ascending(&rows, last)?;
            let full = rows.len() == LONG_PAGE;
            found.extend(rows);
            if !full {
                break;
            }
        }
        Ok(found)
    }

    /// The keys of the families among `rows`, each with its version.
    pub(super) async fn family_keys(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        rows: &[(i64, Option<String>)],
    ) -> Result<Vec<(RemoteId, Option<String>)>> {
        let siblings = self.siblings(ctx, setup, &rows.iter().map(|(id, _)| *id).collect()).await?;
        let key = |(id, stamp): &(i64, Option<String>)| {
            let products = siblings.get(id).filter(|all| all.len() > 1)?;
            Some((map::remote(*id), map::family_version(stamp.as_deref(), products.iter().copied())))
        };
        Ok(rows.iter().filter_map(key).collect())
    }

    /// One field of a template, in the version the change was planned on, or, where the plan names none, in the version
    /// just read.
    pub(super) async fn edit_family(
        &self,
        ctx: &Ctx,
        setup: &Arc<Setup>,
        permit: &Permit,
    ) -> std::result::Result<Outcome, Outcome> {
        let change = permit.change();
        let id = document(change).map_err(Outcome::Refused)?;
        let (setup, edit): (_, map::Edit) = self.made_one(ctx, setup, |setup| map::edit(change, setup)).await?;
        let row: FamilyRow = self.row(ctx, &setup, Kind::Product, id).await.map_err(Outcome::Refused)?;
        let (language, values) = map::write_of_family(&edit).map_err(|wrong| Outcome::Refused(wrong.error))?;
        let expected = change.expect.as_deref().and_then(map::template_version);
        let version = expected.or(row.edited.version.as_deref());
        let write = map::Write { model: map::TEMPLATE, id, language, values };
        self.changed_one(ctx, &setup, permit, (Kind::Product, id), write, version).await
    }
}
