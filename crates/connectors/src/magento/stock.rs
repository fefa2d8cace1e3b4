//! Stock: quantities by source, read many at a time, written many at a time, and read back.

use super::client::{Call, Scope, Search, refusal};
use super::levels::{self, Facts, Row, Salable};
use super::{Magento, PRODUCTS, unsupported, verdict, wire};
use crate::wire::{Exact, json};
use futures::future::{join_all, try_join};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use syncline_connect::url::encoded;
use syncline_connect::{Ctx, Effect, Error, Evidence, Outcome, Result, Snapshot};
use syncline_core::delivery::{Change, Permit};
use syncline_core::id::RemoteId;
use syncline_core::kind::Step;
use syncline_core::leaf::Value as LeafValue;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::Record;
use syncline_core::text::shown;
use tokio::sync::Mutex;

/// SKUs asked for at once.
const SKUS: usize = 50;
/// Characters of SKUs in one address: a web server takes 8,000 in all, some proxies half of that.
const SKUS_LENGTH: usize = 3_000;
/// Seconds after which sources and stocks are read again.
const FACTS_AGE_S: i64 = 600;
/// Seconds after which they are for a source that was not among them.
const FACTS_REST_S: i64 = 60;
/// Sources, stocks and links read at most.
pub(super) const PLACES: usize = 5_000;

/// How the places are set up, and when that was read.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Option<(Timestamp, Option<Arc<Facts>>)>>);

/// How much of a stock is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// All of it: a call per product besides.
    Whole,
    /// The quantities by source. After a write nothing else is believed: the shop works out what can be bought from an
    /// index that may be renewed later, and a new quantity beside an old index looks like a reservation.
    Levels,
}

/// A product as the list tells it.
struct Found {
    sku: String,
    counted: bool,
}

impl Magento {
    /// The stocks of these variants, in their order. One that cannot be read spoils no other.
    pub(super) async fn read_stock(&self, ctx: &Ctx, ids: &[RemoteId], depth: Depth) -> Vec<Result<Option<Snapshot>>> {
        match self.facts(ctx, &BTreeSet::new()).await {
            Ok(Some(_)) => {}
            Ok(None) => return join_all(ids.iter().map(|id| self.read_single(ctx, id))).await,
            Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
        }
        let groups = groups(ids);
        let read = join_all(groups.into_iter().map(|group| self.read_group(ctx, group, depth))).await;
        let read: BTreeMap<String, Result<Option<Snapshot>>> = read.into_iter().flatten().collect();
        ids.iter().map(|id| read.get(&folded(&id.id)).cloned().unwrap_or(Ok(None))).collect()
    }

    /// The stocks of a group, by folded SKU; in halves where the shop refuses the group.
    async fn read_group(&self, ctx: &Ctx, group: Vec<String>, depth: Depth) -> Vec<(String, Result<Option<Snapshot>>)> {
        let mut read = Vec::new();
        let mut open = vec![group];
        while let Some(mut group) = open.pop() {
            match self.read_few(ctx, &group, depth).await {
                Ok(few) => read.extend(few),
                Err(error) if group.len() > 1 && of_one(error.kind) => {
                    open.push(group.split_off(group.len() / 2));
                    open.push(group);
                }
                Err(error) => read.extend(group.iter().map(|sku| (folded(sku), Err(error.clone())))),
            }
        }
        read
    }

    async fn read_few(
        &self,
        ctx: &Ctx,
        skus: &[String],
        depth: Depth,
    ) -> Result<Vec<(String, Result<Option<Snapshot>>)>> {
        let list = asking(PRODUCTS.resource, skus, "items[sku,type_id],total_count");
        let (products, items) = try_join(self.client.every(ctx, &list), self.source_items(ctx, skus)).await?;
        let named: BTreeSet<&str> =
            items.iter().filter_map(|row| row.get("source_code").and_then(Value::as_str)).collect();
        let facts = self.facts(ctx, &named).await?.ok_or_else(without_sources)?;
        let told = by_sku(&items);
        let mut products: Vec<Found> = products.iter().filter_map(found).collect();
        let mut read = Vec::new();
        let listed: Vec<&str> = products.iter().map(|product| product.sku.as_str()).collect();
        for (sku, left_out) in self.left_out(ctx, skus, &listed).await {
            match left_out {
                Ok(item) => products.extend(item.as_ref().and_then(found)),
                Err(error) => read.push((folded(&sku), Err(error))),
            }
        }
        let of = |product: &Found| told.get(&folded(&product.sku)).map_or(&[][..], Vec::as_slice);
        let asked = products.iter().map(async |product| match (product.counted, depth) {
            (false, _) => Ok(Salable::Uncounted),
            (true, Depth::Levels) => Ok(Salable::Untold),
            (true, Depth::Whole) => self.salable(ctx, &product.sku, &facts, &rows(product, of(product))?).await,
        });
        let salable = join_all(asked).await;
        // What can be bought and what is there are two answers. Where goods left or came between them, their difference
        // would be told as a reservation that nobody made.
        let later = if depth == Depth::Whole { self.source_items(ctx, skus).await? } else { Vec::new() };
        let later = by_sku(&later);
        let each = products.iter().zip(salable).map(|(product, salable)| {
            let key = folded(&product.sku);
            let moved = depth == Depth::Whole && later.get(&key).map_or(&[][..], Vec::as_slice) != of(product);
            let salable = match salable {
                Ok(told) if moved && told != Salable::Uncounted => {
                    let what = format!("the quantities of `{}` changed while they were read", product.sku);
                    Err(Error::new(ErrorKind::Busy, what))
                }
                told => told,
            };
            let read = salable.and_then(|salable| snapshot(product, of(product), &facts, &salable));
            (key, read.map(Some))
        });
        read.extend(each);
        Ok(read)
    }

    /// The products a list did not tell, each asked for by itself: a list may leave out what is sold out
    /// (magento/magento2#28207), which is what most needs a quantity.
    pub(super) async fn left_out(
        &self,
        ctx: &Ctx,
        skus: &[String],
        told: &[&str],
    ) -> Vec<(String, Result<Option<Value>>)> {
        let told: BTreeSet<String> = told.iter().map(|sku| folded(sku)).collect();
        let missing = skus.iter().filter(|sku| !told.contains(&folded(sku)));
        let asked = missing.map(async |sku| {
            let answer = self.client.get::<Value>(ctx, &format!("products/{}", encoded(sku))).await;
            let product = match answer {
                Ok(item) => {
                    Ok(Some(item).filter(|item| found_sku(item).is_some_and(|told| folded(&told) == folded(sku))))
                }
                Err(error) if error.kind == ErrorKind::Gone => Ok(None),
                // As for what can be bought: the web server's own answer to a slash says nothing of the product.
                Err(error) if sku.contains('/') && error.kind == ErrorKind::Config => Ok(None),
                Err(error) => Err(error),
            };
            (sku.clone(), product)
        });
        join_all(asked).await
    }

    async fn source_items(&self, ctx: &Ctx, skus: &[String]) -> Result<Vec<Value>> {
        let search = asking("inventory/source-items", skus, "");
        self.client.every(ctx, &search).await
    }

    /// What every stock concerned still sells. A product of a sort that has no quantities is told apart by the shop's own
    /// words, for sorts that modules add.
    async fn salable(&self, ctx: &Ctx, sku: &str, facts: &Facts, rows: &[Row]) -> Result<Salable> {
        let mut told = BTreeMap::new();
        for pool in facts.concerned(rows) {
            let path = format!("inventory/get-product-salable-quantity/{}/{}", encoded(sku), pool.id);
            match self.client.get::<Exact>(ctx, &path).await {
                Ok(quantity) => drop(told.insert(pool.id, levels::settled(quantity))),
                Err(error) if error.message.contains("Source Items support") => return Ok(Salable::Uncounted),
                // Web servers that take no encoded slash in an address answer for themselves.
                Err(error) if sku.contains('/') && matches!(error.kind, ErrorKind::Config | ErrorKind::Gone) => {
                    return Ok(Salable::Untold);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Salable::Told(told))
    }

    /// How the places are set up, none in a shop without sources; read anew when that is old, or older than a moment and
    /// a source is not in it.
    pub(super) async fn facts(&self, ctx: &Ctx, named: &BTreeSet<&str>) -> Result<Option<Arc<Facts>>> {
        let mut held = self.places.0.lock().await;
        if let Some((at, facts)) = held.as_ref() {
            let age = ctx.now().duration_since(*at).as_secs().abs();
            let stranger = named.iter().any(|source| facts.as_ref().is_none_or(|facts| !facts.knows(source)));
            if age < FACTS_REST_S || (age < FACTS_AGE_S && !stranger) {
                return Ok(facts.clone());
            }
        }
        let places = self.client.places(ctx).await?;
        let site = self.client.site(ctx).await?;
        let site = site.as_ref().map(|site| site.code.as_str());
        let facts = places.map(|(sources, stocks, links)| Arc::new(Facts::new(&sources, &stocks, &links, site)));
        *held = Some((ctx.now(), facts.clone()));
        Ok(facts)
    }

    /// What became of each permit: quantities of sources or, in a shop without, what buyers may have.
    pub(super) async fn write_stock(&self, ctx: &Ctx, permits: Vec<Permit>) -> Vec<Outcome> {
        let of_place = |(path, _): (&Path, _)| path.within("levels").is_some_and(|(_, figure)| figure == "available");
        if permits.iter().all(|permit| permit.change().leaves.iter().any(of_place)) {
            return join_all(permits.into_iter().map(|permit| self.write_single(ctx, permit))).await;
        }
        self.write_sources(ctx, permits).await
    }

    /// What became of each permit: all quantities leave in one request, then all of them are read back, because the shop
    /// answers 200 whatever it did with a SKU (recorded: source-items-save-unknown-sku).
    async fn write_sources(&self, ctx: &Ctx, permits: Vec<Permit>) -> Vec<Outcome> {
        let mut rows = Vec::new();
        let mut ready = Vec::new();
        for permit in &permits {
            ready.push(quantities(permit.change()).and_then(|(id, wanted)| {
                if ctx.now() > permit.deadline() {
                    return Err(Error::new(ErrorKind::Stale, "its deadline passed before the first byte left"));
                }
                rows.extend(wanted);
                Ok((id, permit))
            }));
        }
        let sent: Vec<&Permit> = ready.iter().flatten().map(|(_, permit)| *permit).collect();
        let deadline = sent.iter().map(|permit| permit.deadline()).min();
        let Some(deadline) = deadline else {
            return ready.into_iter().filter_map(|one| one.err().map(Outcome::Refused)).collect();
        };
        let notes = sent.iter().map(|permit| permit.note()).collect();
        let failed = self.send_quantities(ctx, Effect::Write { notes, deadline }, rows).await.err();
        let ids: Vec<RemoteId> = ready.iter().flatten().map(|(id, _)| id.clone()).collect();
        let read = if failed.is_none() { self.read_stock(ctx, &ids, Depth::Levels).await } else { Vec::new() };
        let mut read = read.into_iter();
        let outcome = |one: Result<(RemoteId, &Permit)>| match (one, &failed) {
            (Err(error), _) => Outcome::Refused(error),
            (Ok(_), Some((false, error))) => Outcome::Refused(error.clone()),
            (Ok(_), Some((true, error))) => Outcome::Unknown { learned: None, error: error.clone() },
            (Ok((id, _)), None) => became(id, read.next()),
        };
        ready.into_iter().map(outcome).collect()
    }

    /// Sends rows of quantities once.
    ///
    /// # Errors
    /// The error, and whether the rows may have been stored.
    async fn send_quantities(
        &self,
        ctx: &Ctx,
        effect: Effect,
        rows: Vec<Value>,
    ) -> std::result::Result<(), (bool, Error)> {
        let body = json!({"sourceItems": rows});
        let saved = self.client.save(ctx, Call::post("inventory/source-items"), effect, &body).await;
        let (request, response) = saved.map_err(|failed| (failed.sent, failed.error))?;
        if let Some(unknown) = verdict(&response) {
            let error = refusal(&request, &response);
            return Err((unknown, if of_no_route(&error) { without_sources() } else { error }));
        }
        json::<Value>(&request, &response).map(drop).map_err(|error| (true, error))
    }
}

/// The exchange behind the rows of one product.
fn evidence(product: &Found, told: &[&Value]) -> Evidence {
    let received = Evidence::excerpt(json!(told).to_string().as_bytes());
    let request = format!("GET inventory/source-items of {}", shown(&product.sku, 80));
    Evidence { request, sent: String::new(), status: 200, received }
}

fn rows(product: &Found, told: &[&Value]) -> Result<Vec<Row>> {
    let rows = told.iter().map(|row| wire::typed::<wire::SourceItem>(row).map(|row| Row::of(&row)));
    rows.collect::<std::result::Result<_, _>>().map_err(|what| {
        let what = format!("source items of `{}`: {what}", shown(&product.sku, 80));
        Error::new(ErrorKind::Broken, what).with(evidence(product, told))
    })
}

fn snapshot(product: &Found, told: &[&Value], facts: &Facts, salable: &Salable) -> Result<Snapshot> {
    let record = levels::record(&product.sku, &rows(product, told)?, facts, salable);
    let id = RemoteId::new("", &product.sku);
    let records = vec![(id.clone(), Record::Stock(record))];
    Ok(Snapshot { id, version: None, mark: None, found_by: None, records, evidence: Some(evidence(product, told)) })
}

/// What became of one variant's quantities, by what is there now.
fn became(id: RemoteId, read: Option<Result<Option<Snapshot>>>) -> Outcome {
    let refused = |kind, what: &str| Outcome::Refused(Error::new(kind, format!("`{}`: {what}", shown(&id.id, 80))));
    match read {
        Some(Ok(Some(snapshot))) => match snapshot.records.first() {
            Some((_, Record::Stock(stock))) if stock.managed == Some(false) => {
                refused(ErrorKind::Unsupported, "the shop keeps no quantity of such a product")
            }
            _ => Outcome::Done(Box::new(snapshot)),
        },
        Some(Ok(None)) => {
            refused(ErrorKind::Gone, "the shop has no product with this SKU; it took the quantity silently")
        }
        Some(Err(error)) => Outcome::Unknown { learned: Some(id), error },
        None => {
            let error = Error::new(ErrorKind::Broken, "nothing was read back");
            Outcome::Unknown { learned: Some(id), error }
        }
    }
}

/// The variant a change is for, and the rows that bring it about.
fn quantities(change: &Change) -> Result<(RemoteId, Vec<Value>)> {
    let (Some(id), Step::Update) = (&change.document, &change.step) else {
        return Err(unsupported("of stock only quantities of products that are there are written"));
    };
    let mut rows = Vec::new();
    for (path, value) in change.leaves.iter() {
        let Some((source, "on_hand")) = path.within("levels") else {
            return Err(unsupported(&format!("`{path}` of stock is not written")));
        };
        let Some(value @ LeafValue::Number(quantity)) = value else {
            return Err(unsupported(&format!("`{path}` of stock is a number, and cannot be taken away")));
        };
        if fit(path, value) != Fit::Exact {
            return Err(no_quantity(path, *quantity));
        }
        let status = u8::from(*quantity > Decimal::ZERO);
        let number = figure(path, *quantity)?;
        rows.push(json!({"sku": id.id, "source_code": source, "quantity": number, "status": status}));
    }
    if rows.is_empty() {
        return Err(unsupported("a change of stock without a quantity"));
    }
    Ok((id.clone(), rows))
}

/// The JSON number of a quantity.
pub(super) fn figure(path: &Path, quantity: Decimal) -> Result<serde_json::Number> {
    quantity.normalize().to_string().parse().map_err(|_| no_quantity(path, quantity))
}

pub(super) fn no_quantity(path: &Path, quantity: Decimal) -> Error {
    Error::new(ErrorKind::Invalid, format!("`{path}`: {quantity} is no quantity the shop keeps"))
}

/// How the shop keeps a quantity.
pub(super) fn fit(path: &Path, value: &LeafValue) -> Fit {
    let (LeafValue::Number(quantity), Some((_, "on_hand" | "available"))) = (value, path.within("levels")) else {
        return Fit::Exact;
    };
    let kept = quantity.round_dp_with_strategy(levels::SCALE, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    if kept.abs() >= Decimal::from(levels::TOO_MUCH) {
        return Fit::Refused(format!("a quantity has to be below {}", levels::TOO_MUCH));
    }
    if kept == *quantity {
        return Fit::Exact;
    }
    Fit::As(LeafValue::Number(kept), format!("rounded to {} decimals", levels::SCALE))
}

/// The key two spellings of one SKU share: the shop does not tell case apart.
pub(super) fn folded(sku: &str) -> String {
    sku.to_lowercase()
}

/// SKUs that can be asked for in one address. One with a comma in it would be two in a list, so it is alone.
pub(super) fn groups(ids: &[RemoteId]) -> Vec<Vec<String>> {
    let mut seen = BTreeSet::new();
    let (mut groups, mut group, mut length) = (Vec::new(), Vec::new(), 0);
    for sku in ids.iter().map(|id| &id.id).filter(|sku| !sku.is_empty() && seen.insert(folded(sku))) {
        if sku.contains(',') {
            groups.push(vec![sku.clone()]);
            continue;
        }
        let own = encoded(sku).len() + 3;
        if group.len() == SKUS || (length + own > SKUS_LENGTH && !group.is_empty()) {
            groups.push(std::mem::take(&mut group));
            length = 0;
        }
        group.push(sku.clone());
        length += own;
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

/// The search for what belongs to these SKUs.
pub(super) fn asking(resource: &'static str, skus: &[String], fields: &'static str) -> Search<'static> {
    let condition = if skus.len() == 1 { "eq" } else { "in" };
    let sort = if resource == PRODUCTS.resource { vec!["entity_id"] } else { vec!["sku", "source_code"] };
    let filters = vec![("sku", condition, skus.join(","))];
    Search { scope: Scope::DEFAULT, resource, filters, any: &[], sort, size: super::client::PAGE, page: 1, fields }
}

fn found(item: &Value) -> Option<Found> {
    let sku = found_sku(item)?;
    let kind = item.get("type_id").and_then(|kind| wire::typed::<wire::Text>(kind).ok());
    Some(Found { sku, counted: levels::is_counted(kind.as_ref()) })
}

/// The SKU a row is about.
pub(super) fn found_sku(row: &Value) -> Option<String> {
    wire::typed::<wire::Text>(row.get("sku")?).ok().map(|sku| sku.0)
}

fn by_sku(rows: &[Value]) -> BTreeMap<String, Vec<&Value>> {
    let mut told: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        if let Some(sku) = found_sku(row) {
            told.entry(folded(&sku)).or_default().push(row);
        }
    }
    told
}

/// Whether an error may be about one of many.
pub(super) fn of_one(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Invalid | ErrorKind::Gone | ErrorKind::Broken)
}

/// Whether a route is not there: modules a shop has switched off take theirs with them.
pub(super) fn of_no_route(error: &Error) -> bool {
    error.kind == ErrorKind::Config && error.message.contains("does not match any route")
}

/// A shop whose sources went away since it was looked at; the next look finds it so.
fn without_sources() -> Error {
    Error::new(ErrorKind::Stale, "magento: this shop has no sources any more: its stock is read once more")
}
