//! Magento 2 and Adobe Commerce: orders, customers, products, stock and prices are read; `ext_order_id`, names, e-mails, tax
//! numbers, telephones and addresses of customers, products' texts, images, parts, quantities and prices are written, simple
//! products, families and bundles made, and shipments and invoices of orders.

mod attributes;
mod book;
mod bundles;
mod cancels;
mod categories;
mod category_write;
mod client;
mod complaints;
mod config;
mod create;
mod credits;
mod customers;
mod families;
mod feed;
mod figures;
mod foreseen;
mod found;
mod images;
mod invoices;
mod layout;
mod levels;
mod links;
mod lists;
mod lost;
mod map;
mod media;
mod memo_feed;
mod oauth;
mod options;
mod papers;
mod payments;
mod piece;
mod prices;
mod pricing;
mod probe;
mod products;
mod profile;
mod rows;
mod shipments;
mod single;
mod stock;
mod tracks;
mod views;
mod website;
mod weight;
mod wire;
mod wire_book;
mod wire_bundle;
mod wire_category;
mod wire_customer;
mod wire_papers;

#[cfg(test)]
mod tests;

pub use config::{Auth, Config};
pub use oauth::Keys;

use crate::wire::{is_html, json};
use client::{Call, Client, Scope, Search, refusal};
use customers::{CUSTOMERS, Groups, customer};
use feed::{Row, Table};
use futures::future::join_all;
use map::Stores;
use products::PRODUCTS;
use rows::{order, rough_id, seen};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use stock::Depth;
use syncline_connect::{
    Connector, Ctx, Cursor, Effect, Error, Fut, KeyPage, Lookup, Outcome, Page, Probe, Response, Result, Seen, Snapshot,
};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value as LeafValue};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::{Fit, Profile};
use syncline_core::text;

/// Characters `ext_order_id` keeps (`sales_order.ext_order_id` is a `varchar(32)`).
const REFERENCE_LIMIT: usize = 32;

const ORDERS: Table = Table {
    resource: "orders",
    id: "entity_id",
    scope: Scope::DEFAULT,
    any: &[],
    only: &[],
    fields: "",
    outline: "items[entity_id,increment_id,store_id,store_name,updated_at],total_count",
};

/// One Magento shop.
#[derive(Debug)]
pub struct Magento {
    client: Client,
    profile: Profile,
    places: stock::Cache,
    groups: prices::Cache,
    /// Whether groups of customers are carried.
    carries_groups: bool,
    /// Codes of the attributes that are carried.
    wanted: BTreeSet<String>,
    options: options::Cache,
    /// What the file calls the root of categories.
    root_name: Option<String>,
    /// Its id, once it was asked for.
    root: tokio::sync::Mutex<Option<u64>>,
    /// Whether images are carried.
    carries_images: bool,
    contents: images::Cache,
    /// Whether configurable products are families.
    families: bool,
    /// Whether buyers get a mail of each shipment.
    notify_shipments: bool,
    papers: bool,
}

impl Magento {
    /// The shop behind `config`. Nothing is sent yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            wanted: config.attributes.clone(),
            root_name: config.category_root.clone(),
            root: tokio::sync::Mutex::default(),
            carries_images: config.images,
            carries_groups: config.groups,
            families: config.families,
            notify_shipments: config.notify_shipments,
            papers: config.papers,
            client: Client::new(config),
            profile: profile::profile(),
            places: stock::Cache::default(),
            groups: prices::Cache::default(),
            options: options::Cache::default(),
            contents: images::Cache::default(),
        }
    }

    /// The store table, complete for these orders.
    async fn stores(&self, ctx: &Ctx, orders: &[&Value]) -> Result<std::sync::Arc<Stores>> {
        let ids = orders.iter().filter_map(|order| wire::typed::<wire::Id>(order.get("store_id")?).ok());
        let needed: BTreeSet<u64> = ids.map(|id| id.0).collect();
        self.client.stores(ctx, &needed).await
    }

    /// The outline of an order the shop fails on, with its store view: the one that searches meet it in.
    async fn placed(&self, ctx: &Ctx, outline: &mut Value) -> Result<()> {
        let Some(id) = outline.get("entity_id").filter(|_| outline.get("store_id").is_none()) else { return Ok(()) };
        let stores = self.client.stores(ctx, &BTreeSet::new()).await?;
        let id = ("entity_id", "eq", id.to_string());
        for view in stores.views() {
            let filters = vec![id.clone(), ("store_id", "eq", view.to_string())];
            if lost::meets(&self.client, ctx, ORDERS, filters).await? {
                outline["store_id"] = view.into();
                break;
            }
        }
        Ok(())
    }

    async fn feed(&self, ctx: &Ctx, table: Table<'_>, since: &Cursor) -> Result<Page> {
        let bounds = self.client.bounds(ctx, table.resource).await?;
        let mut slice = feed::changes(&self.client, ctx, bounds.table(table), since).await?;
        let stores = if table.resource == ORDERS.resource {
            for row in &mut slice.rows {
                if let Row::Lost { outline, .. } = row {
                    self.placed(ctx, outline).await?;
                }
            }
            let told = slice.rows.iter().map(|row| match row {
                Row::Read(value) | Row::Lost { outline: value, .. } => value,
            });
            Some(self.stores(ctx, &told.collect::<Vec<_>>()).await?)
        } else {
            None
        };
        let read = slice.rows.iter().filter_map(|row| if let Row::Read(value) = row { Some(value) } else { None });
        let groups = match &stores {
            None => self.groups_of(ctx, &read.collect::<Vec<_>>()).await?,
            Some(_) => Groups::new(),
        };
        let seen = slice.rows.into_iter().map(|row| match row {
            Row::Read(value) => seen(&value, stores.as_deref(), &groups),
            Row::Lost { outline, error } => Seen { id: rough_id(&outline, stores.as_deref()), snapshot: Err(error) },
        });
        let mut seen = rows::told_apart(table.resource, seen.collect())?;
        let unplaced = |one: &Seen| one.snapshot.is_err() && one.id.scope == map::NO_SCOPE;
        seen.retain(|one| bounds.hold(&one.id.scope) || unplaced(one));
        Ok(Page { seen, next: slice.next, more: slice.more })
    }

    /// The outlines of rows with higher ids than `after`, in the order of their ids.
    async fn behind(&self, ctx: &Ctx, table: Table<'_>, after: &Cursor) -> Result<(Vec<Value>, Cursor, bool)> {
        let last: u64 = match after.0.as_str() {
            "" => 0,
            text => text.parse().map_err(|_| {
                Error::new(ErrorKind::Broken, format!("the cursor `{}` is no id", text::shown(text, 60)))
            })?,
        };
        let search = Search {
            scope: table.scope,
            resource: table.resource,
            filters: table.within(vec![("entity_id", "gt", last.to_string())]),
            any: table.any,
            sort: vec!["entity_id"],
            size: self.client.page_size(),
            page: 1,
            fields: table.outline,
        };
        let listing = self.client.list(ctx, &search).await.map_err(|trouble| trouble.error)?;
        let items = listing.items.unwrap_or_default();
        let id = |item: &Value| wire::typed::<wire::Id>(item.get(table.id)?).ok().map(|id| id.0);
        let top = items.iter().filter_map(id).max();
        if !items.is_empty() && top.is_none_or(|top| top <= last) {
            let what = format!("{}: page repeats: nothing above id {last} came", table.resource);
            return Err(Error::new(ErrorKind::Broken, what));
        }
        let more = !items.is_empty() && listing.total_count.is_none_or(|total| total > items.len());
        let next = top.map_or_else(|| after.clone(), |top| Cursor(top.to_string()));
        Ok((items, next, more))
    }

    async fn key_page(&self, ctx: &Ctx, table: Table<'_>, after: &Cursor) -> Result<KeyPage> {
        let bounds = self.client.bounds(ctx, table.resource).await?;
        let (items, next, more) = self.behind(ctx, bounds.table(table), after).await?;
        let stores = if table.resource == ORDERS.resource {
            Some(self.stores(ctx, &items.iter().collect::<Vec<_>>()).await?)
        } else {
            None
        };
        let mut keys = Vec::with_capacity(items.len());
        for item in &items {
            let version = item.get("updated_at").and_then(Value::as_str).map(str::to_owned);
            let id = rough_id(item, stores.as_deref());
            let within = if table.resource == PRODUCTS.resource { bounds.sell(item) } else { bounds.hold(&id.scope) };
            if within {
                keys.push((id, version));
            }
        }
        Ok(KeyPage { keys, next, more })
    }

    async fn read_one(&self, ctx: &Ctx, kind: Kind, id: &RemoteId) -> Result<Option<Snapshot>> {
        let path = match kind {
            Kind::Order => format!("orders/{}", numeric(kind, id)?),
            Kind::Customer => format!("customers/{}", numeric(kind, id)?),
            Kind::Category | Kind::Product | Kind::Variant | Kind::Stock | Kind::Price => {
                return Err(unsupported("categories, products, stock and prices are read many at a time"));
            }
            Kind::Shipment | Kind::Invoice | Kind::Credit => return self.read_paper(ctx, kind, id).await,
            Kind::Payment => return self.read_payment(ctx, id).await,
        };
        let value: Value = match self.client.get(ctx, &path).await {
            Err(error) if error.kind == ErrorKind::Gone => return Ok(None),
            other => other?,
        };
        let bounds = self.client.bounds(ctx, &path).await?;
        match kind {
            Kind::Order => {
                let stores = self.stores(ctx, &[&value]).await?;
                let within = bounds.hold(&rough_id(&value, Some(&stores)).scope);
                if within { order(&value, &stores).map(Some) } else { Ok(None) }
            }
            _ => match bounds.site.as_ref().map(|site| site.scope()) {
                None => customer(&value, None, &self.groups_of(ctx, &[&value]).await?).map(Some),
                // Where accounts hold in all websites, one made elsewhere is told as the orders of this one name it.
                Some(own) if own == id.scope => {
                    customer(&value, Some(own), &self.groups_of(ctx, &[&value]).await?).map(Some)
                }
                Some(_) => Ok(None),
            },
        }
    }

    /// Sends what a permit allows, once.
    ///
    /// # Errors
    /// What became of the permit where the shop did not take it.
    async fn send(&self, ctx: &Ctx, call: Call<'_>, permit: &Permit, body: &Value) -> std::result::Result<(), Outcome> {
        self.send_for(ctx, call, permit, body).await.map(drop)
    }

    /// The same, with the answer.
    async fn send_for(
        &self,
        ctx: &Ctx,
        call: Call<'_>,
        permit: &Permit,
        body: &Value,
    ) -> std::result::Result<Value, Outcome> {
        let effect = Effect::Write { notes: vec![permit.note()], deadline: permit.deadline() };
        let unknown = |error| Outcome::Unknown { learned: None, error };
        let (request, response) = match self.client.save(ctx, call, effect, body).await {
            Ok(answer) => answer,
            Err(failed) if failed.sent => return Err(unknown(failed.error)),
            Err(failed) => return Err(Outcome::Refused(failed.error)),
        };
        match verdict(&response) {
            None => json(&request, &response).map_err(unknown),
            Some(false) => Err(Outcome::Refused(refusal(&request, &response))),
            Some(true) => Err(unknown(refusal(&request, &response))),
        }
    }

    async fn write_one(&self, ctx: &Ctx, permit: Permit) -> Outcome {
        let (id, body) = match saving(permit.change()) {
            Ok(ready) => ready,
            Err(error) => return Outcome::Refused(error),
        };
        if let Err(outcome) = self.send(ctx, Call::post(ORDERS.resource), &permit, &body).await {
            return outcome;
        }
        // The answer of a save is full of nulls (recorded: order-ext-id): what counts is what is stored now.
        let learned = Some(id.clone());
        match self.read_one(ctx, Kind::Order, &id).await {
            Ok(Some(snapshot)) => Outcome::Done(Box::new(snapshot)),
            Ok(None) => {
                let what = format!("order {id} was saved and is not there when read back");
                Outcome::Unknown { learned, error: Error::new(ErrorKind::Gone, what) }
            }
            Err(error) => Outcome::Unknown { learned, error },
        }
    }
}

/// Whether a write that was answered like this may have been carried out all the same; none where it surely was.
fn verdict(response: &Response) -> Option<bool> {
    let page = is_html(response);
    match response.status {
        200..=299 if !page => None,
        429 | 300..=399 => Some(false),
        400..=499 if !page => Some(false),
        _ => Some(true),
    }
}

fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("magento: {what}"))
}

/// The number in an id; a guest is known from orders only.
fn numeric(kind: Kind, id: &RemoteId) -> Result<u64> {
    if id.id.starts_with("guest:") {
        return Err(unsupported("a guest has no record of its own; it is known from the orders only"));
    }
    id.id.parse().map_err(|_| {
        Error::new(ErrorKind::Invalid, format!("`{}` is no id of a Magento {kind}", text::shown(&id.id, 60)))
    })
}

/// The document a change is for and the body that saves it.
fn saving(change: &Change) -> Result<(RemoteId, Value)> {
    let only_update = change.kind == Kind::Order && change.step == Step::Update;
    let (Some(id), true) = (&change.document, only_update) else {
        return Err(unsupported("only `reference` of an existing order is written"));
    };
    let entity_id = numeric(Kind::Order, id)?;
    let leaves: Vec<(&Path, Option<&LeafValue>)> = change.leaves.iter().collect();
    let [(path, Some(LeafValue::Text(reference)))] = leaves.as_slice() else {
        return Err(unsupported("of an order only `reference` is written, and only a text"));
    };
    if path.as_str() != "reference" {
        return Err(unsupported(&format!("`{path}` of an order is not written")));
    }
    if text::cut(reference, REFERENCE_LIMIT).is_some() {
        let what =
            format!("`ext_order_id` keeps {REFERENCE_LIMIT} characters, `{}` has more", text::shown(reference, 60));
        return Err(Error::new(ErrorKind::Invalid, what));
    }
    Ok((id.clone(), json!({"entity": {"entity_id": entity_id, "ext_order_id": reference}})))
}

impl Connector for Magento {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn probe<'a>(&'a self, ctx: &'a Ctx) -> Fut<'a, Result<Probe>> {
        Box::pin(probe::probe(self, ctx))
    }

    fn fit(&self, kind: Kind, path: &Path, value: &LeafValue) -> Fit {
        match value {
            LeafValue::Text(long) if kind == Kind::Order && path.as_str() == "reference" => {
                match text::cut(long, REFERENCE_LIMIT) {
                    Some(short) => Fit::As(LeafValue::Text(short), format!("cut to {REFERENCE_LIMIT} characters")),
                    None => Fit::Exact,
                }
            }
            _ if kind == Kind::Stock => stock::fit(path, value),
            _ if kind == Kind::Shipment => tracks::fit(path, value),
            _ if kind == Kind::Price => lists::fit(path, value, &self.client.bases()),
            _ if kind == Kind::Customer => customers::fit(path, value, self.client.keeping()),
            _ if kind == Kind::Category => category_write::fit(path, value, &self.keeping()),
            _ if matches!(kind, Kind::Variant | Kind::Product) => products::fit(path, value, &self.keeping()),
            _ => Fit::Exact,
        }
    }

    fn changes<'a>(&'a self, ctx: &'a Ctx, kind: Kind, since: &'a Cursor) -> Fut<'a, Result<Page>> {
        Box::pin(async move {
            match kind {
                Kind::Order => self.feed(ctx, ORDERS, since).await,
                Kind::Customer => self.feed(ctx, CUSTOMERS, since).await,
                Kind::Category => self.category_feed(ctx, since).await,
                Kind::Variant | Kind::Product => self.product_feed(ctx, kind, since).await,
                // No feed: a quantity or a price that changes moves nothing a search could go by.
                Kind::Stock | Kind::Price => Ok(Page { seen: Vec::new(), next: since.clone(), more: false }),
                Kind::Payment => self.payment_feed(ctx, since).await,
                Kind::Credit => self.memo_feed(ctx, since).await,
                Kind::Shipment | Kind::Invoice => Err(unsupported("such papers of a shop come from the ERP")),
            }
        })
    }

    fn keys<'a>(&'a self, ctx: &'a Ctx, kind: Kind, after: &'a Cursor) -> Fut<'a, Result<KeyPage>> {
        Box::pin(async move {
            match kind {
                Kind::Order => self.key_page(ctx, ORDERS, after).await,
                Kind::Customer => self.key_page(ctx, CUSTOMERS, after).await,
                Kind::Category => self.category_keys(ctx, after).await,
                Kind::Stock | Kind::Price => self.key_page(ctx, PRODUCTS, after).await,
                Kind::Variant | Kind::Product => self.key_page(ctx, self.table(kind), after).await,
                Kind::Payment => self.payment_keys(ctx, after).await,
                Kind::Credit => self.memo_keys(ctx, after).await,
                Kind::Shipment | Kind::Invoice => Err(unsupported("such papers are listed with their order")),
            }
        })
    }

    fn read<'a>(&'a self, ctx: &'a Ctx, kind: Kind, ids: &'a [RemoteId]) -> Fut<'a, Vec<Result<Option<Snapshot>>>> {
        Box::pin(async move {
            match kind {
                Kind::Stock => self.read_stock(ctx, ids, Depth::Whole).await,
                Kind::Category => self.read_categories(ctx, ids).await,
                Kind::Variant | Kind::Product => self.read_products(ctx, kind, ids).await,
                Kind::Price => self.read_prices(ctx, ids).await,
                _ => join_all(ids.iter().map(|id| self.read_one(ctx, kind, id))).await,
            }
        })
    }

    fn find<'a>(&'a self, ctx: &'a Ctx, kind: Kind, by: &'a Lookup) -> Fut<'a, Result<Vec<Snapshot>>> {
        Box::pin(async move {
            match (kind, by) {
                (Kind::Order, Lookup::Number(number)) => {
                    self.find_told(ctx, "number", std::slice::from_ref(number)).await
                }
                (Kind::Order, Lookup::Told { field, values }) => self.find_told(ctx, field, values).await,
                (_, Lookup::Told { .. }) => Err(unsupported("only orders are found by what stands in a field")),
                (Kind::Variant | Kind::Product, Lookup::Number(sku)) => self.find_sku(ctx, kind, sku).await,
                (Kind::Category, Lookup::Below { parent, name }) => self.find_below(ctx, parent.as_ref(), name).await,
                (_, Lookup::Below { .. }) => Err(unsupported("only categories are found by name and place")),
                (Kind::Shipment | Kind::Invoice | Kind::Credit, Lookup::Paper { order, mark }) => {
                    self.find_papers(ctx, kind, order, mark).await
                }
                (_, Lookup::Paper { .. }) => Err(unsupported("only papers are found below an order")),
                (_, Lookup::Number(_)) => Err(unsupported("only orders and products are found by number")),
                (_, Lookup::Mark(_) | Lookup::AnyMark) => {
                    Err(unsupported("our mark stands on papers only, which are found below an order"))
                }
            }
        })
    }

    fn content<'a>(
        &'a self,
        ctx: &'a Ctx,
        kind: Kind,
        id: &'a RemoteId,
        path: &'a Path,
        most: usize,
    ) -> Fut<'a, Result<Option<Vec<u8>>>> {
        Box::pin(async move {
            match kind {
                Kind::Variant => self.image(ctx, id, path, most).await,
                _ => Err(unsupported("only products have images")),
            }
        })
    }

    fn write<'a>(&'a self, ctx: &'a Ctx, permits: Vec<Permit>) -> Fut<'a, Vec<Outcome>> {
        Box::pin(async move {
            match permits.first().map(|permit| permit.change().kind) {
                Some(Kind::Stock) => self.write_stock(ctx, permits).await,
                Some(Kind::Price) => self.write_prices(ctx, permits).await,
                Some(Kind::Customer) => {
                    join_all(permits.into_iter().map(|permit| self.write_customer(ctx, permit))).await
                }
                Some(Kind::Category) => {
                    let each = permits.into_iter().map(async |permit| match permit.change().step {
                        Step::Create => self.make_category(ctx, permit).await,
                        _ => self.write_category(ctx, permit).await,
                    });
                    join_all(each).await
                }
                Some(Kind::Shipment | Kind::Invoice | Kind::Credit) => {
                    join_all(permits.into_iter().map(|permit| self.write_paper(ctx, permit))).await
                }
                Some(Kind::Product) => join_all(permits.into_iter().map(|permit| self.write_family(ctx, permit))).await,
                Some(Kind::Variant) => {
                    let each = permits.into_iter().map(async |permit| match permit.change().step {
                        Step::Create => self.make_product(ctx, permit).await,
                        _ if media::of_image(&permit.change().leaves) => self.write_image(ctx, permit).await,
                        _ if bundles::of_part(&permit.change().leaves) => self.write_part(ctx, permit).await,
                        _ => self.write_product(ctx, permit).await,
                    });
                    join_all(each).await
                }
                _ => {
                    let each = permits.into_iter().map(async |permit| match permit.change().step {
                        Step::Cancel => self.cancel_order(ctx, permit).await,
                        _ => self.write_one(ctx, permit).await,
                    });
                    join_all(each).await
                }
            }
        })
    }

    fn split(&self, kind: Kind, leaves: &Leaves) -> Vec<Leaves> {
        match kind {
            Kind::Category => category_write::split(leaves, self.client.main_locale().as_deref()),
            Kind::Variant => products::split(leaves, self.client.main_locale().as_deref()),
            Kind::Product => families::split(leaves, self.client.main_locale().as_deref()),
            Kind::Price => pricing::split(leaves),
            Kind::Customer => customers::split(leaves),
            Kind::Shipment => tracks::split(leaves),
            _ => vec![leaves.clone()],
        }
    }

    fn pair(&self, _: &Change, _: &Snapshot) -> Vec<(Path, String)> {
        Vec::new()
    }
}
