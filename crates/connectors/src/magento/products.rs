//! Products as variants and as families: read with the texts of every locale, by pages of changes or by SKU; written scope by scope.

use super::attributes::{Attributes, Written, code_of};
use super::client::{Call, NO_SUCH_VIEW, Scope, Search};
use super::families::{self, CONFIGURABLE, FAMILIES, KEY};
use super::feed::{self, Row, Table};
use super::images::{self, Images, Trust};
use super::rows::{evidence_of, rough_id, shape};
use super::views::{View, Views};
use super::weight::Unit;
use super::{Magento, bundles, links, map, media, unsupported, wire};
use futures::future::{join_all, try_join_all};
use serde_json::{Map, Number, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Cursor, Error, Outcome, Page, Result, Seen, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaf, Leaves, Value as LeafValue};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Product, Texts, Variant};
use syncline_core::text::{self, shown};

/// The list of products, in the scope that holds for all views.
pub(super) const PRODUCTS: Table = Table {
    resource: "products",
    id: "id",
    scope: Scope::ALL,
    any: &[],
    only: &[],
    fields: "items[id,sku,name,type_id,status,weight,updated_at,custom_attributes[attribute_code,value],\
             extension_attributes[website_ids,bundle_product_options]],total_count",
    outline: "items[id,sku,extension_attributes[website_ids]],total_count",
};
/// What is asked of one product.
const FIELDS: &str = "id,sku,name,type_id,status,weight,updated_at,custom_attributes[attribute_code,value],\
                      extension_attributes[website_ids,bundle_product_options]";
/// What is asked of a product in a store view.
const TEXT_FIELDS: &str = "items[id,sku,name,custom_attributes[attribute_code,value]],total_count";
/// Products whose texts are asked for at once; their ids make an address of some 2,000 characters.
const AT_ONCE: usize = 100;
/// Products a store view may fail on before it counts as failing, not the products.
const BAD_PRODUCTS: usize = 8;
/// Where a variant's SKU stands.
pub(super) const SKU: &str = "sku";
/// Characters a SKU keeps (`catalog_product_entity.sku` is a `varchar(64)`).
const SKU_LIMIT: usize = 64;
/// Characters a name keeps (`catalog_product_entity_varchar.value` is a `varchar(255)`).
pub(super) const NAME_LIMIT: usize = 255;

/// A product as it is read where it holds for every view, or for every view of the website.
pub(super) struct Found {
    pub(super) value: Value,
    pub(super) doc: wire::Product,
}

/// The texts of products by the locales that are not the main one.
type Translations = BTreeMap<wire::Id, Result<BTreeMap<String, Texts>>>;

impl Magento {
    /// One page of changed products. Where a store view cannot be asked, the page has not been read: a text that was
    /// not told must never look like one that is not there.
    pub(super) async fn product_feed(&self, ctx: &Ctx, kind: Kind, since: &Cursor) -> Result<Page> {
        let views = self.client.views(ctx).await?;
        let bounds = self.client.bounds(ctx, PRODUCTS.resource).await?;
        let slice = feed::changes(&self.client, ctx, bounds.table(self.table(kind)), since).await?;
        // What the shop fails on may be anybody's.
        let within = |row: &Row| match row {
            Row::Read(value) => bounds.sell(value),
            Row::Lost { outline, .. } => outline.get("sku").is_none() || bounds.sell(outline),
        };
        let rows = slice.rows.into_iter().filter(within).map(understood);
        let rows: Vec<std::result::Result<Found, Box<Seen>>> = rows.collect();
        let docs: Vec<&wire::Product> = rows.iter().flatten().map(|found| &found.doc).collect();
        self.learn_attributes(ctx, docs.iter().copied()).await?;
        let told = self.translations(ctx, &views, &docs).await?;
        let images = self.images_of(ctx, docs.iter().map(|doc| doc.sku.0.as_str()), Trust::Names).await?;
        let seen = rows.into_iter().map(|row| match row {
            Ok(found) => Seen {
                id: RemoteId::new("", &found.doc.sku.0),
                snapshot: images::told_of(&images, &found.doc.sku)
                    .and_then(|images| self.snapshot(kind, &found, &views, told.get(&found.doc.id), images)),
            },
            Err(seen) => *seen,
        });
        Ok(Page { seen: seen.collect(), next: slice.next, more: slice.more })
    }

    /// The list that tells of products as `kind`.
    pub(super) fn table(&self, kind: Kind) -> Table<'static> {
        match kind {
            Kind::Product => FAMILIES,
            _ if self.families => Table { only: &[("type_id", "neq", CONFIGURABLE)], ..PRODUCTS },
            _ => PRODUCTS,
        }
    }

    /// The products of these SKUs, in their order. One that cannot be read spoils no other.
    pub(super) async fn read_products(&self, ctx: &Ctx, kind: Kind, ids: &[RemoteId]) -> Vec<Result<Option<Snapshot>>> {
        let views = match self.client.views(ctx).await {
            Ok(views) => views,
            Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
        };
        let found = join_all(ids.iter().map(|id| self.product(ctx, kind, id))).await;
        let docs: Vec<&wire::Product> = found.iter().flatten().flatten().map(|found| &found.doc).collect();
        if let Err(error) = self.learn_attributes(ctx, docs.iter().copied()).await {
            return ids.iter().map(|_| Err(error.clone())).collect();
        }
        let told = self.translations(ctx, &views, &docs).await;
        let images = self.images_of(ctx, docs.iter().map(|doc| doc.sku.0.as_str()), Trust::Bytes).await;
        let whole = |one: Result<Option<Found>>| {
            let Some(found) = one? else { return Ok(None) };
            let told = told.as_ref().map_err(Clone::clone)?;
            let images = images::told_of(images.as_ref().map_err(Clone::clone)?, &found.doc.sku)?;
            self.snapshot(kind, &found, &views, told.get(&found.doc.id), images).map(Some)
        };
        found.into_iter().map(whole).collect()
    }

    /// A product that is sold where we look; none where the shop has no such SKU there, or has no family of it where one is
    /// asked for.
    async fn product(&self, ctx: &Ctx, kind: Kind, id: &RemoteId) -> Result<Option<Found>> {
        let bounds = self.client.bounds(ctx, PRODUCTS.resource).await?;
        let found = self.product_anywhere(ctx, kind, id, bounds.table(PRODUCTS).scope).await?;
        Ok(found.filter(|found| bounds.sell(&found.value)))
    }

    /// A product, whatever websites it is sold in; none where the shop has no such SKU, or no family of it.
    pub(super) async fn product_anywhere(
        &self,
        ctx: &Ctx,
        kind: Kind,
        id: &RemoteId,
        scope: Scope<'_>,
    ) -> Result<Option<Found>> {
        if id.id.is_empty() {
            return Ok(None);
        }
        let (fields, table) = if kind == Kind::Product { (families::FIELDS, FAMILIES) } else { (FIELDS, PRODUCTS) };
        let path = format!("products/{}?fields={fields}", encoded(&id.id));
        let value = match self.client.get_in::<Value>(ctx, scope, &path).await {
            Err(error) if error.kind == ErrorKind::Gone => return Ok(None),
            // In a list the SKU is no part of the path.
            Err(error) if no_slash(&id.id, &error) => {
                let filters = vec![("sku", "eq", id.id.clone())];
                let search = asking(scope, filters, table.fields, 1);
                let listing = self.client.list(ctx, &search).await.map_err(|trouble| trouble.error)?;
                match listing.items.into_iter().flatten().next() {
                    Some(value) => value,
                    None => return Ok(None),
                }
            }
            other => other?,
        };
        let found = Found { doc: shape(PRODUCTS.resource, &value)?, value };
        Ok(Some(found).filter(|found| kind != Kind::Product || families::is_family(&found.doc)))
    }

    /// The texts of these products in every store view but the default one: a list per view, not a call per product.
    async fn translations(&self, ctx: &Ctx, views: &Views, products: &[&wire::Product]) -> Result<Translations> {
        let mut told: Translations = products.iter().map(|doc| (doc.id, Ok(BTreeMap::new()))).collect();
        let asked = views.others.iter().map(|view| self.texts_in(ctx, view, products));
        for (view, answers) in views.others.iter().zip(try_join_all(asked).await?) {
            for (id, answer) in answers {
                match (told.get_mut(&id), answer) {
                    (Some(Ok(texts)), Ok(Some(own))) => drop(texts.insert(view.locale.0.clone(), own)),
                    (Some(slot), Err(error)) => *slot = Err(error),
                    _ => {}
                }
            }
        }
        Ok(told)
    }

    /// The texts of these products in a store view; in smaller groups where the shop fails on one, down to the product it
    /// fails on. None for a product the view does not have.
    async fn texts_in(
        &self,
        ctx: &Ctx,
        view: &View,
        products: &[&wire::Product],
    ) -> Result<Vec<(wire::Id, Result<Option<Texts>>)>> {
        let scope = Scope::view(&view.code);
        let at_once = usize::try_from(self.client.page_size()).map_or(AT_ONCE, |size| size.min(AT_ONCE));
        let mut open: Vec<Vec<&wire::Product>> = products.chunks(at_once).rev().map(<[_]>::to_vec).collect();
        let (mut told, mut failed) = (Vec::new(), Vec::new());
        while let Some(mut group) = open.pop() {
            let ids: Vec<String> = group.iter().map(|doc| doc.id.0.to_string()).collect();
            let condition = if ids.len() == 1 { "eq" } else { "in" };
            let filters = vec![("entity_id", condition, ids.join(","))];
            match self.client.list(ctx, &asking(scope, filters, TEXT_FIELDS, group.len())).await {
                Ok(listing) => {
                    let items = listing.items.unwrap_or_default();
                    told.extend(self.found_in(ctx, scope, &group, &items).await?);
                }
                Err(trouble) if trouble.smaller_may_help && group.len() > 1 => {
                    open.push(group.split_off(group.len() / 2));
                    open.push(group);
                }
                Err(trouble) if trouble.smaller_may_help && failed.len() < BAD_PRODUCTS => {
                    failed.extend(group.first().map(|doc| (doc.id, trouble.error)));
                }
                Err(trouble) => return Err(self.without_view(trouble.error, ErrorKind::Busy).await),
            }
        }
        if told.is_empty() && !failed.is_empty() {
            // It answered for none: whether that is the view or the products, a question about no product tells.
            let nobody = vec![("entity_id", "eq", "0".to_owned())];
            self.client.list(ctx, &asking(scope, nobody, "total_count", 1)).await.map_err(|trouble| trouble.error)?;
        }
        told.extend(failed.into_iter().map(|(id, error)| (id, Err(error))));
        Ok(told)
    }

    /// The texts out of a list. A product that a list leaves out (magento/magento2#28207) is asked for by itself.
    async fn found_in(
        &self,
        ctx: &Ctx,
        scope: Scope<'_>,
        group: &[&wire::Product],
        items: &[Value],
    ) -> Result<Vec<(wire::Id, Result<Option<Texts>>)>> {
        let id = |item: &Value| wire::typed::<wire::Id>(item.get("id")?).ok();
        let listed: BTreeMap<wire::Id, &Value> = items.iter().filter_map(|item| Some((id(item)?, item))).collect();
        let texts = |value: &Value| shape(PRODUCTS.resource, value).and_then(|doc| map::texts(&doc)).map(Some);
        let each = group.iter().map(async |doc| {
            if let Some(item) = listed.get(&doc.id) {
                return Ok((doc.id, texts(item)));
            }
            let path = format!("products/{}?fields={FIELDS}", encoded(&doc.sku.0));
            match self.client.get_in::<Value>(ctx, scope, &path).await {
                Ok(value) => Ok((doc.id, texts(&value))),
                Err(error) if error.kind == ErrorKind::Gone || no_slash(&doc.sku.0, &error) => Ok((doc.id, Ok(None))),
                Err(error) => Err(self.without_view(error, ErrorKind::Busy).await),
            }
        });
        try_join_all(each).await
    }

    /// The error; where the shop has the store view no more it is of this kind, and the views are read again the next time.
    pub(super) async fn without_view(&self, error: Error, kind: ErrorKind) -> Error {
        if error.kind != ErrorKind::Config || !error.message.contains(NO_SUCH_VIEW) {
            return error;
        }
        self.client.forget_views().await;
        Error { kind, message: format!("the store views changed: {}", error.message), ..error }
    }

    /// What became of a permit to update a product: one request, then all of it read back.
    pub(super) async fn write_product(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        if let Some(link) = links::link(permit.change()) {
            return self.write_link(ctx, permit, link).await;
        }
        let views = match self.client.views(ctx).await {
            Ok(views) => views,
            Err(error) => return Outcome::Refused(error),
        };
        let keeping = match self.keeping_now(ctx, &views).await {
            Ok(keeping) => keeping,
            Err(error) => return Outcome::Refused(error),
        };
        if let Some(outcome) = self.made_choice(ctx, &permit, &keeping).await {
            return outcome;
        }
        let (id, scope, body) = match saving(permit.change(), &views, &keeping) {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        let path = format!("products/{}", encoded(&id.id));
        let call = Call { method: "PUT", scope, path: &path };
        let kind = permit.change().kind;
        if let Err(outcome) = self.send(ctx, call, &permit, &body).await {
            return self.unsaved(ctx, kind, &id, outcome).await;
        }
        self.shown_back(ctx, kind, &id, "was saved and is not there when read back")
            .await
            .unwrap_or_else(|error| Outcome::Unknown { learned: Some(id), error })
    }

    /// How the shop keeps values, as far as that was read.
    pub(super) fn keeping(&self) -> Keeping {
        Keeping { attributes: self.options.known(), ..self.client.keeping() }
    }

    /// The same with what a write has to know of it.
    pub(super) async fn keeping_now(&self, ctx: &Ctx, views: &Views) -> Result<Keeping> {
        self.learn_attributes(ctx, std::iter::empty()).await?;
        Ok(Keeping { unit: views.unit, ..self.keeping() })
    }

    fn snapshot(
        &self,
        kind: Kind,
        found: &Found,
        views: &Views,
        told: Option<&Result<BTreeMap<String, Texts>>>,
        images: Option<Images>,
    ) -> Result<Snapshot> {
        let evidence = || evidence_of(PRODUCTS.resource, &found.value);
        let mut texts = told.cloned().unwrap_or_else(|| Ok(BTreeMap::new()))?;
        let own = map::texts(&found.doc).map_err(|error| error.with(evidence()))?;
        if let Some(main) = &views.main {
            texts.insert(main.0.clone(), own);
        }
        let shows = |text: &Option<String>| text.as_deref().is_some_and(has_long_character);
        if texts.values().any(|texts| shows(&texts.name) || shows(&texts.description)) {
            self.client.saw_all_characters();
        }
        let (id, record) = self.record_of(kind, found, views, texts, images).map_err(|error| error.with(evidence()))?;
        let version = found.doc.updated_at.as_ref().map(|time| time.0.clone());
        let records = vec![(id.clone(), record)];
        Ok(Snapshot { id, version, mark: None, found_by: None, records, evidence: Some(evidence()) })
    }

    pub(super) async fn read_back(&self, ctx: &Ctx, kind: Kind, id: &RemoteId) -> Result<Option<Snapshot>> {
        self.read_products(ctx, kind, std::slice::from_ref(id)).await.pop().unwrap_or(Ok(None))
    }

    /// What a product shows after a request that was taken; the error where that cannot be read, `gone` where it is not
    /// there.
    pub(super) async fn shown_back(&self, ctx: &Ctx, kind: Kind, id: &RemoteId, gone: &str) -> Result<Outcome> {
        match self.read_back(ctx, kind, id).await? {
            Some(snapshot) => Ok(Outcome::Done(Box::new(snapshot))),
            None => Err(Error::new(ErrorKind::Gone, format!("product {id} {gone}"))),
        }
    }

    /// What a save that was not taken comes to.
    async fn unsaved(&self, ctx: &Ctx, kind: Kind, id: &RemoteId, outcome: Outcome) -> Outcome {
        let error = match outcome {
            Outcome::Refused(error) | Outcome::Unknown { error, .. } if no_slash(&id.id, &error) => {
                let what = "magento: the web server takes no encoded slash, as in this SKU, in an address";
                let message = format!("{what}: {}", error.message);
                return Outcome::Refused(Error { kind: ErrorKind::Unsupported, message, ..error });
            }
            Outcome::Refused(error) => error,
            other => return other,
        };
        // A save of an unknown SKU begins to make a product, and what it then misses is what the shop names.
        if error.kind == ErrorKind::Invalid && matches!(self.read_back(ctx, kind, id).await, Ok(None)) {
            return Outcome::Refused(Error { kind: ErrorKind::Gone, ..error });
        }
        Outcome::Refused(self.without_view(error, ErrorKind::Stale).await)
    }
}

/// Whether it is the web server that refused the SKU's encoded slash: it answers for itself, and the shop never hears of it.
pub(super) fn no_slash(sku: &str, error: &Error) -> bool {
    sku.contains('/') && error.kind == ErrorKind::Config && !error.message.contains(NO_SUCH_VIEW)
}

fn asking<'s>(
    scope: Scope<'s>,
    filters: Vec<(&'static str, &'static str, String)>,
    fields: &'static str,
    size: usize,
) -> Search<'s> {
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    Search { scope, resource: PRODUCTS.resource, filters, any: &[], sort: vec!["entity_id"], size, page: 1, fields }
}

/// A row of a page as a product, or what to tell of it where it is none.
fn understood(row: Row) -> std::result::Result<Found, Box<Seen>> {
    match row {
        Row::Read(value) => match shape(PRODUCTS.resource, &value) {
            Ok(doc) => Ok(Found { value, doc }),
            Err(error) => Err(Box::new(Seen { id: rough_product(&value), snapshot: Err(error) })),
        },
        Row::Lost { outline, error } => Err(Box::new(Seen { id: rough_product(&outline), snapshot: Err(error) })),
    }
}

/// The id of a product by its outline alone: its SKU, else the other name it goes by.
fn rough_product(told: &Value) -> RemoteId {
    match (told.get("sku"), told.get("id")) {
        (None, Some(serial)) => RemoteId::new("", format!("id:{serial}")),
        _ => rough_id(told, None),
    }
}

/// The parts of an update that go in one request each: what is no text, then every locale by itself, then every image. A
/// product is made with the texts of the `main` locale in the first one.
pub(super) fn split(leaves: &Leaves, main: Option<&str>) -> Vec<Leaves> {
    let mut parts: BTreeMap<(Option<String>, Option<String>), Leaves> = BTreeMap::new();
    let main = main.filter(|_| [SKU, KEY].into_iter().any(|name| leaves.get(&Path::field(name)) != Leaf::Untold));
    for (path, value) in leaves.iter() {
        let locale = Variant::text_of(path).map(|(locale, _)| locale.to_owned()).filter(|locale| main != Some(locale));
        // Each category is a request of its own; no locale has a bracket.
        let part = Variant::category_of(path).map(|id| format!("[{id}]"));
        parts
            .entry((media::part(path).or(bundles::part(path, value)), part.or(locale)))
            .or_default()
            .tell(path.clone(), value.cloned());
    }
    parts.into_values().collect()
}

/// The product a change is for, the scope it is made in, and the body that saves it: what changes and nothing else.
fn saving<'v>(change: &Change, views: &'v Views, keeping: &Keeping) -> Result<(RemoteId, Scope<'v>, Value)> {
    let (Some(id), Step::Update) = (&change.document, &change.step) else {
        return Err(unsupported("of products only those that are there are written"));
    };
    let mut scopes: Vec<Scope<'v>> = Vec::new();
    let (mut product, mut rows) = (Map::new(), Vec::new());
    for (path, value) in change.leaves.iter() {
        let column = column(path, value, views, keeping)?;
        scopes.push(column.scope);
        column.put(&mut product, &mut rows);
    }
    if !rows.is_empty() {
        product.insert("custom_attributes".to_owned(), Value::Array(rows));
    }
    match scopes.as_slice() {
        [first, rest @ ..] if rest.iter().all(|scope| scope == first) && !id.id.is_empty() => {
            Ok((id.clone(), *first, json!({"product": product})))
        }
        [] => Err(unsupported("a change of a product without a field")),
        _ => Err(unsupported("a change of a product in several store views is several requests")),
    }
}

/// What a leaf is written as.
#[derive(Debug)]
pub(super) struct Column<'v> {
    pub(super) scope: Scope<'v>,
    pub(super) field: Cow<'static, str>,
    value: Value,
    /// Whether it stands among the custom attributes.
    custom: bool,
}

impl<'v> Column<'v> {
    fn own(scope: Scope<'v>, field: &'static str, value: Value) -> Self {
        Self { scope, field: field.into(), value, custom: field == map::DESCRIPTION }
    }

    /// Puts it where a product's body has it.
    pub(super) fn put(self, product: &mut Map<String, Value>, custom: &mut Vec<Value>) {
        if self.custom {
            custom.push(json!({"attribute_code": self.field, "value": self.value}));
        } else {
            product.insert(self.field.into_owned(), self.value);
        }
    }
}

/// The scope, the field and the value that a leaf is written as.
pub(super) fn column<'v>(
    path: &Path,
    value: Option<&LeafValue>,
    views: &'v Views,
    keeping: &Keeping,
) -> Result<Column<'v>> {
    if let Some(code) = code_of(path) {
        let lacks = || map::invalid(format!("`{path}`: the shop has no such attribute, or it is not carried"));
        let attribute = keeping.attributes.get(code).ok_or_else(lacks)?;
        return match attribute.written(code, value, keeping.all_characters)? {
            Written::As(value) => {
                Ok(Column { scope: views.home(), field: code.to_owned().into(), value, custom: true })
            }
            Written::Lacks(label) => {
                Err(map::invalid(format!("`{path}`: the choice `{}` is not there", shown(&label, 40))))
            }
        };
    }
    if let Some(value) = value
        && let Fit::As(_, why) | Fit::Refused(why) = fit(path, value, keeping)
    {
        return Err(map::invalid(format!("`{path}`: {why}")));
    }
    if let Some((locale, field)) = Variant::text_of(path) {
        let scope = views.scope(locale).ok_or_else(|| {
            let what = format!("no store view shows `{}`", shown(locale, 20));
            map::invalid(format!("`{path}`: {what} (name one under `views`, or leave the locale out)"))
        })?;
        return match (field, value) {
            ("name", Some(LeafValue::Text(name))) => Ok(Column::own(scope, "name", json!(name))),
            ("name", None) => Err(map::invalid(format!("`{path}`: {NAMELESS}"))),
            (map::DESCRIPTION, Some(LeafValue::Text(text))) => Ok(Column::own(scope, map::DESCRIPTION, json!(text))),
            (map::DESCRIPTION, None) => Ok(Column::own(scope, map::DESCRIPTION, json!(""))),
            _ => Err(unsupported(&format!("`{path}` of a product is not written"))),
        };
    }
    match (path.as_str(), value) {
        ("active", Some(LeafValue::Bool(active))) => {
            Ok(Column::own(views.home(), "status", json!(if *active { 1 } else { 2 })))
        }
        // 0 is told as nothing, and no version takes it for a number that is missing.
        ("weight", None) => Ok(Column::own(Scope::ALL, "weight", json!(0))),
        ("weight", Some(LeafValue::Number(kilograms))) => {
            let told = views.unit.of_kilograms(*kilograms).and_then(|weight| weight.to_string().parse::<Number>().ok());
            let weight = told.ok_or_else(|| map::invalid(format!("`{path}`: {kilograms} is no weight")))?;
            Ok(Column::own(Scope::ALL, "weight", Value::Number(weight)))
        }
        _ => Err(unsupported(&format!("`{path}` of a product is not written"))),
    }
}

pub(super) const NAMELESS: &str = "it cannot be without a name";

/// How a shop keeps values, as far as that was read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keeping {
    pub(super) unit: Unit,
    /// Whether texts hold characters beyond U+FFFF. With `SET NAMES utf8`, which Magento comes with, each of them becomes
    /// four question marks (recorded: order-two-addresses-emoji); that a shop is set up otherwise is known from the first
    /// text that has one.
    pub(super) all_characters: bool,
    pub(super) attributes: Arc<Attributes>,
}

/// How the shop keeps a field of a product.
pub(super) fn fit(path: &Path, value: &LeafValue, keeping: &Keeping) -> Fit {
    if let Some((code, attribute)) = code_of(path).and_then(|code| Some((code, keeping.attributes.get(code)?))) {
        return attribute.fit(code, value, keeping.all_characters);
    }
    if let Some(fit) = images::fit(path, value).or_else(|| bundles::fit(path, value)) {
        return fit;
    }
    if let Some(code) = Product::option_of(path).filter(|code| !keeping.attributes.contains_key(code)) {
        return Fit::Refused(format!("the shop has no attribute `{}`, or it is not carried", shown(&code, 60)));
    }
    match (Variant::text_of(path), value) {
        (None, LeafValue::Text(sku)) if [SKU, KEY].contains(&path.as_str()) => fit_sku(sku),
        (Some((_, field)), LeafValue::Text(whole)) => fit_text(field, whole, keeping),
        (None, LeafValue::Number(kilograms)) if path.as_str() == "weight" => keeping.unit.fit(*kilograms),
        _ => Fit::Exact,
    }
}

/// A SKU is kept as it is or not at all: cut, it would be another one's.
fn fit_sku(sku: &str) -> Fit {
    if sku.chars().count() > SKU_LIMIT {
        return Fit::Refused(format!("a SKU keeps {SKU_LIMIT} characters"));
    }
    match sku.trim() == sku && !sku.is_empty() && !has_long_character(sku) {
        true => Fit::Exact,
        false => Fit::Refused("a SKU has no blanks around it and no characters beyond U+FFFF".to_owned()),
    }
}

pub(super) fn fit_text(field: &str, whole: &str, keeping: &Keeping) -> Fit {
    let mut why = Vec::new();
    let mut kept = whole.to_owned();
    if let Some(short) = without_lost(whole, keeping.all_characters) {
        kept = short;
        why.push("without the characters that the shop's database makes question marks of".to_owned());
    }
    if field == "name" {
        if let Some(short) = text::cut(&kept, NAME_LIMIT) {
            kept = short;
            why.push(format!("cut to {NAME_LIMIT} characters"));
        }
        if kept.trim().is_empty() {
            return Fit::Refused(NAMELESS.to_owned());
        }
    } else if kept.is_empty() && !whole.is_empty() {
        return Fit::Refused("nothing is left of it but question marks".to_owned());
    }
    if why.is_empty() { Fit::Exact } else { Fit::As(LeafValue::Text(kept), why.join(", ")) }
}

/// The text without what the shop would lose of it; none where it loses nothing.
pub(super) fn without_lost(whole: &str, all_characters: bool) -> Option<String> {
    (!all_characters && has_long_character(whole)).then(|| without_long_characters(whole))
}

/// Whether a text holds a character of four bytes in UTF-8.
pub(super) fn has_long_character(text: &str) -> bool {
    text.chars().any(is_long)
}

fn is_long(letter: char) -> bool {
    letter.len_utf8() == 4
}

/// The text without characters of four bytes, and without the joiners and selectors that bind others to them.
pub(super) fn without_long_characters(text: &str) -> String {
    let binds = |letter: char| matches!(letter, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}');
    let mut kept = String::with_capacity(text.len());
    let mut dropped = false;
    for letter in text.chars() {
        if is_long(letter) {
            kept.truncate(kept.trim_end_matches('\u{200d}').len());
            dropped = true;
        } else if !(dropped && binds(letter)) {
            kept.push(letter);
            dropped = false;
        }
    }
    kept
}
