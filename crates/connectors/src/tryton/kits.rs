//! Kits, where module `product_kit` is activated: what they are made of, read apart from the products that are kits.

use super::read::{LONG_PAGE, ascending, typed};
use super::setup::Setup;
use super::wire::VariantRow;
use super::wire_product::{COMPONENT_FIELDS, ComponentRow};
use super::{Tryton, map};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use syncline_connect::{Ctx, Result};

/// The module that kits come with.
pub(super) const MODULE: &str = "product_kit";

impl Tryton {
    /// The components of the kits among `products`; none are asked for where there is no kit.
    pub(super) async fn components_of(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        products: &[&VariantRow],
    ) -> Result<Vec<ComponentRow>> {
        let kits = products.iter().filter(|product| map::is_kit(product));
        let templates: BTreeSet<i64> = kits.map(|product| product.template.id).collect();
        let (mut rows, mut last) = (Vec::new(), 0);
        while setup.modules.contains(MODULE) && !templates.is_empty() {
            let domain = json!([["parent_template", "in", templates], ["id", ">", last]]);
            let params = json!([domain, 0, LONG_PAGE, [["id", "ASC"]], COMPONENT_FIELDS, setup.context()]);
            let found: Vec<Value> = self.client.read(ctx, "model.product.component.search_read", params).await?;
            last = ascending(&found, last)?;
            for row in &found {
                rows.push(typed::<ComponentRow>(row, "component")?);
            }
            if found.len() < LONG_PAGE {
                break;
            }
        }
        Ok(rows)
    }
}
