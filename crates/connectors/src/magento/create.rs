//! Makes a product: simple, a family or a bundle, disabled, without a price, under a SKU that nobody has.

use super::bundles::{ATTRIBUTES, BUNDLE};
use super::client::{Call, Scope, Search};
use super::families::{CONFIGURABLE, KEY};
use super::map;
use super::products::{Keeping, SKU, column};
use super::views::Views;
use super::website::Site;
use super::{Magento, unsupported, wire};
use serde_json::{Map, Value, json};
use syncline_connect::{Ctx, Error, Outcome, Result};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::Value as LeafValue;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Composition, FAMILY};
use syncline_core::text::shown;

/// The attribute set every shop begins with, by the name it is given at installation.
const ATTRIBUTE_SET: &str = "Default";
/// Not offered (`status`).
const DISABLED: u8 = 2;
/// In catalogue and search (`visibility`).
const VISIBLE: u8 = 4;
/// Nowhere by itself: its family is shown, with this one to choose (recorded: variant-create-0).
const OF_FAMILY: u8 = 1;

impl Magento {
    /// What became of a permit to make a product. It is looked for right before: a `POST` of a SKU that is there answers 200
    /// and overwrites that product (recorded: product-create-again-same-sku).
    pub(super) async fn make_product(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let ready = match self.client.views(ctx).await {
            Ok(views) => self.keeping_now(ctx, &views).await.map(|keeping| (views, keeping)),
            Err(error) => Err(error),
        };
        let (views, keeping) = match ready {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        if let Some(outcome) = self.made_choice(ctx, &permit, &keeping).await {
            return outcome;
        }
        let (id, body) = match self.ready_to_make(ctx, permit.change(), &views, &keeping).await {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        let kind = permit.change().kind;
        let call = Call { method: "POST", scope: Scope::ALL, path: "products" };
        if let Err(outcome) = self.send(ctx, call, &permit, &body).await {
            return outcome;
        }
        let read = self.shown_back(ctx, kind, &id, "was made and is not there when read back").await;
        read.unwrap_or_else(|error| Outcome::Unknown { learned: None, error })
    }

    async fn ready_to_make(
        &self,
        ctx: &Ctx,
        change: &Change,
        views: &Views,
        keeping: &Keeping,
    ) -> Result<(RemoteId, Value)> {
        let (sku, mut product) = making(change, views, keeping)?;
        product.insert("attribute_set_id".to_owned(), json!(self.attribute_set(ctx).await?));
        let id = RemoteId::new("", sku);
        let site = self.client.site(ctx).await?;
        if let Some(found) = self.product_anywhere(ctx, Kind::Variant, &id, Scope::ALL).await? {
            return Err(is_there(&id, site.as_deref().filter(|site| !site.sells(&found.value))));
        }
        if let Some(site) = site {
            // Without it a product that is made for all views is sold in every website.
            product.insert("extension_attributes".to_owned(), json!({"website_ids": [site.id]}));
        }
        Ok((id, json!({"product": product})))
    }

    /// The id of the attribute set a new product is made with.
    async fn attribute_set(&self, ctx: &Ctx) -> Result<u64> {
        let search = Search {
            scope: Scope::ALL,
            resource: "products/attribute-sets/sets/list",
            filters: vec![("attribute_set_name", "eq", ATTRIBUTE_SET.to_owned())],
            any: &[],
            sort: vec!["attribute_set_id"],
            size: 1,
            page: 1,
            fields: "",
        };
        let listing = self.client.list(ctx, &search).await.map_err(|trouble| trouble.error)?;
        let first = listing.items.into_iter().flatten().next();
        let id = first.and_then(|set| wire::typed::<wire::Id>(set.get("attribute_set_id")?).ok());
        id.map(|id| id.0).ok_or_else(|| {
            let what = format!("the shop has no attribute set called `{ATTRIBUTE_SET}` for products to be made with");
            Error::new(ErrorKind::Config, what)
        })
    }
}

/// What stands in the way of a product that is there: `elsewhere` is the website that does not sell it.
fn is_there(id: &RemoteId, elsewhere: Option<&Site>) -> Error {
    let sku = shown(&id.id, 80);
    match elsewhere {
        None => Error::new(ErrorKind::Exists, format!("a product `{sku}` is there already")),
        Some(site) => unsupported(&format!(
            "a product `{sku}` is there already, in other websites than `{}`: put it into this one in the back office              (Catalog > Products > Product in Websites), then `syncline adopt`",
            site.code
        )),
    }
}

/// The SKU of a product to be made and what it is made of. Without a name it goes by its SKU; with name and SKU in its
/// address it takes no other's, for Magento makes one of the name alone and refuses a second.
fn making(change: &Change, views: &Views, keeping: &Keeping) -> Result<(String, Map<String, Value>)> {
    let family = change.kind == Kind::Product;
    let name = if family { KEY } else { SKU };
    let Some(LeafValue::Text(sku)) = change.leaves.value(&Path::field(name)) else {
        return Err(unsupported("a product is made with a SKU"));
    };
    let of_family = change.leaves.value(&Path::field(FAMILY)).is_some();
    let bundle = Composition::is_fixed(&change.leaves);
    let mut product = Map::new();
    let mut attributes = Vec::new();
    let named = |path: &Path| [name, FAMILY].contains(&path.as_str()) || *path == Composition::told_at();
    for (path, value) in change.leaves.iter().filter(|(path, _)| !named(path)) {
        let column = column(path, value, views, keeping)?;
        if ![Scope::ALL, views.home()].contains(&column.scope) || column.field == "status" {
            return Err(unsupported(&format!("`{path}` of a product that is being made is not written")));
        }
        column.put(&mut product, &mut attributes);
    }
    let name = product.entry("name").or_insert_with(|| json!(sku)).as_str().unwrap_or_default().to_owned();
    attributes.push(json!({"attribute_code": "url_key", "value": map::url_key(&name, sku)}));
    if bundle {
        attributes.extend(ATTRIBUTES.map(|(code, value)| json!({"attribute_code": code, "value": value})));
    }
    let form = if bundle { BUNDLE } else { "simple" };
    for (field, value) in [
        ("sku", json!(sku)),
        ("type_id", json!(if family { CONFIGURABLE } else { form })),
        ("price", json!(0)),
        ("status", json!(DISABLED)),
        ("visibility", json!(if of_family { OF_FAMILY } else { VISIBLE })),
        ("custom_attributes", Value::Array(attributes)),
    ] {
        product.insert(field.to_owned(), value);
    }
    Ok((sku.clone(), product))
}
