//! Configurable products as families: read with what tells their children apart, made empty, given options and children.

use super::attributes::{Attributes, choice_ids};
use super::client::{Call, Scope};
use super::feed::Table;
use super::images::Images;
use super::products::Found;
use super::views::Views;
use super::{Magento, map, unsupported, wire};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Error, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Ref, Target, Value as LeafValue};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Changed, Product, Record, Texts};
use syncline_core::text::shown;

/// What a family is made as.
pub(super) const CONFIGURABLE: &str = "configurable";
/// Where the SKU of a family stands in our records.
pub(super) const KEY: &str = "key";
/// The list of families, in the scope that holds for all views.
pub(super) const FAMILIES: Table<'static> = Table {
    resource: "products",
    id: "id",
    scope: Scope::ALL,
    any: &[],
    only: &[("type_id", "eq", CONFIGURABLE)],
    fields: "items[id,sku,name,type_id,status,weight,updated_at,custom_attributes[attribute_code,value],\
             extension_attributes[website_ids,configurable_product_options[attribute_id],configurable_product_links]],total_count",
    outline: "items[id,sku,updated_at,extension_attributes[website_ids]],total_count",
};
/// What is asked of one family.
pub(super) const FIELDS: &str = "id,sku,name,type_id,status,weight,updated_at,custom_attributes[attribute_code,value],\
                                 extension_attributes[website_ids,configurable_product_options[attribute_id],configurable_product_links]";

/// Whether a product is a family.
pub(super) fn is_family(doc: &wire::Product) -> bool {
    doc.type_id.as_ref().is_some_and(|form| form.0 == CONFIGURABLE)
}

/// The family a configurable product is. Its children are told by number, which is what their SKUs are known by, too.
///
/// # Errors
/// `Broken` where the answer leaves out what belongs to it: that must never look like nothing.
pub(super) fn record(doc: &wire::Product, texts: BTreeMap<String, Texts>, attributes: &Attributes) -> Result<Record> {
    let parts = &doc.extension_attributes.0;
    let (Some(options), Some(links)) = (&parts.configurable_product_options, &parts.configurable_product_links) else {
        let what = format!("product `{}` is configurable and does not tell its children", shown(&doc.sku.0, 60));
        return Err(Error::new(ErrorKind::Broken, what));
    };
    let option = |one: &wire::ConfigurableOption| {
        let code = attributes.iter().find(|(_, attribute)| attribute.number == Some(one.attribute_id.0));
        code.map_or_else(|| format!("id:{}", one.attribute_id.0), |(code, _)| code.clone())
    };
    let child = |id: &wire::Id| {
        let name = format!("id:{}", id.0);
        (name.clone(), Ref::remote(Kind::Variant, RemoteId::new("", name)))
    };
    Ok(Record::Product(Product {
        key: Some(doc.sku.0.clone()),
        form: doc.type_id.as_ref().map(|form| form.0.clone()),
        active: doc.status.as_ref().map(|status| status.0 == "1"),
        serial: Some(doc.id.0.to_string()),
        options: options.iter().map(option).collect(),
        variants: links.iter().map(child).collect(),
        texts,
        changed: Changed { at: doc.updated_at.as_ref().and_then(|time| map::moment(&time.0)), by: None },
    }))
}

/// The parts of an update of a family: its options first, then its children, each by itself, then what a product's are.
/// One that is made has neither yet, and is split like any product.
pub(super) fn split(leaves: &Leaves, main: Option<&str>) -> Vec<Leaves> {
    let of_family = |path: &Path| Product::option_of(path).is_some() || Product::variant_of(path).is_some();
    let (own, mut rest): (Vec<_>, Vec<_>) = leaves.iter().partition(|(path, _)| of_family(path));
    rest.retain(|(path, _)| !of_family(path));
    let rest: Leaves = rest.into_iter().map(|(path, value)| (path.clone(), value.cloned())).collect();
    let whole = match rest.is_empty() {
        true => Vec::new(),
        false => super::products::split(&rest, main),
    };
    let single = |(path, value): (&Path, Option<&LeafValue>)| {
        let mut part = Leaves::new();
        part.tell(path.clone(), value.cloned());
        part
    };
    let parts = own.into_iter().map(single);
    match leaves.value(&Path::field(KEY)) {
        Some(_) => whole.into_iter().chain(parts).collect(),
        None => parts.chain(whole).collect(),
    }
}

/// One request about what belongs to a family.
struct Belonging {
    method: &'static str,
    path: String,
    body: Value,
    /// What the shop says where it is as wanted already.
    there: &'static str,
}

impl Magento {
    /// The product of this SKU as `kind`; where a family is looked for, whatever else has its SKU, for only one can have it.
    pub(super) async fn find_sku(&self, ctx: &Ctx, kind: Kind, sku: &str) -> Result<Vec<Snapshot>> {
        let id = RemoteId::new("", sku);
        let found = match (self.read_back(ctx, kind, &id).await?, kind) {
            (None, Kind::Product) => self.read_back(ctx, Kind::Variant, &id).await?,
            (found, _) => found,
        };
        Ok(found.into_iter().collect())
    }

    /// What became of a permit about a family.
    pub(super) async fn write_family(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let of_family = |path: &Path| Product::option_of(path).is_some() || Product::variant_of(path).is_some();
        match &permit.change().step {
            Step::Create => self.make_product(ctx, permit).await,
            _ if permit.change().leaves.iter().any(|(path, _)| of_family(path)) => {
                self.write_belonging(ctx, permit).await
            }
            _ => self.write_product(ctx, permit).await,
        }
    }

    /// Adds an option, or links or takes out one child. What is so already is no failure: the request has landed before.
    async fn write_belonging(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let ready = match self.client.views(ctx).await {
            Ok(views) => self.keeping_now(ctx, &views).await,
            Err(error) => Err(error),
        };
        let request = ready.and_then(|keeping| belonging(permit.change(), &keeping.attributes));
        let (id, request) = match request {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        let call = Call { method: request.method, scope: Scope::ALL, path: &request.path };
        match self.send(ctx, call, &permit, &request.body).await {
            Ok(()) => {}
            Err(Outcome::Refused(error)) if error.message.contains(request.there) => {}
            Err(Outcome::Unknown { error, .. }) => return Outcome::Unknown { learned: Some(id), error },
            Err(other) => return other,
        }
        self.shown_back(ctx, Kind::Product, &id, "is not there when it is read back")
            .await
            .unwrap_or_else(|error| Outcome::Unknown { learned: Some(id), error })
    }

    /// The record of a product, of the kind it was asked for as.
    pub(super) fn record_of(
        &self,
        kind: Kind,
        found: &Found,
        views: &Views,
        texts: BTreeMap<String, Texts>,
        images: Option<Images>,
    ) -> Result<(RemoteId, Record)> {
        if kind == Kind::Product {
            return Ok((RemoteId::new("", &found.doc.sku.0), record(&found.doc, texts, &self.options.known())?));
        }
        let attributes = super::attributes::told(found.doc.custom_attributes.as_deref(), &self.options.known());
        let (id, record) = map::variant(&found.doc, texts, views.unit, attributes, images)?;
        Ok((id, Record::Variant(record)))
    }
}

/// The family a change is for, and the request that makes it.
fn belonging(change: &Change, attributes: &Attributes) -> Result<(RemoteId, Belonging)> {
    let Some(id) = &change.document else { return Err(unsupported("a family is made before anything belongs to it")) };
    let mut all = change.leaves.iter();
    let (Some((path, value)), None) = (all.next(), all.next()) else {
        return Err(unsupported("one request adds or takes out one part of a family"));
    };
    let family = format!("configurable-products/{}", encoded(&id.id));
    if let Some(code) = Product::option_of(path) {
        return Ok((id.clone(), option(&family, &code, value, attributes)?));
    }
    let named = change.elements.get(path).map(String::as_str);
    let child = named.or(match value {
        Some(LeafValue::Ref(Ref { to: Target::Remote(id), .. })) => Some(id.id.as_str()),
        _ => None,
    });
    let child = child.ok_or_else(|| map::invalid(format!("`{path}`: it has no SKU in the shop")))?;
    let request = match value {
        Some(_) => Belonging {
            method: "POST",
            path: format!("{family}/child"),
            body: json!({"childSku": child}),
            there: "already attached",
        },
        None => Belonging {
            method: "DELETE",
            path: format!("{family}/children/{}", encoded(child)),
            body: Value::Null,
            there: "The option that was requested doesn't exist",
        },
    };
    Ok((id.clone(), request))
}

/// The request that has the attribute `code` tell children apart. None is ever taken away: every child would be, too.
fn option(family: &str, code: &str, value: Option<&LeafValue>, attributes: &Attributes) -> Result<Belonging> {
    if value.is_none() {
        return Err(unsupported(&format!("the option `{}` of a family is not taken away", shown(code, 60))));
    }
    let lacks = || {
        let what = format!("`options[{}]`: the shop has no such attribute, or it is not carried", shown(code, 60));
        map::invalid(what)
    };
    let attribute = attributes.get(code).ok_or_else(lacks)?;
    let number = attribute.number.ok_or_else(lacks)?;
    let values: Vec<Value> = choice_ids(attribute).map(|id| json!({"value_index": id})).collect();
    if values.is_empty() {
        let what =
            format!("`options[{code}]`: `{code}` has no choices in the shop: variants are told apart by one each");
        return Err(map::invalid(what));
    }
    let label = if attribute.title.is_empty() { code } else { &attribute.title };
    let option = json!({"attribute_id": number.to_string(), "label": label, "position": 0, "is_use_default": true,
        "values": values});
    let there = "already has this option";
    let path = format!("{family}/options");
    Ok(Belonging { method: "POST", path, body: json!({"option": option}), there })
}
