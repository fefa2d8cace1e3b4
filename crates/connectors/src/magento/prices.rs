//! Prices read: the rows of many products at a time, each list told whole or not at all.

use super::client::Scope;
use super::customers::Groups;
use super::lists::{self, Form, Setup, Sheet, Told};
use super::stock::{asking, folded, found_sku, groups, of_one};
use super::{Magento, PRODUCTS, unsupported, wire};
use futures::future::{join_all, try_join3};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use syncline_connect::{Ctx, Error, Evidence, Result, Snapshot};
use syncline_core::id::RemoteId;
use syncline_core::policy::ErrorKind;
use syncline_core::record::Record;
use syncline_core::text::shown;
use tokio::sync::Mutex;

/// Seconds after which the groups of customers are read again.
const GROUPS_AGE_S: i64 = 600;
/// Groups read at most; the lists of more are not told whole.
const GROUPS: usize = 2_000;

/// What seldom changes of what prices are for.
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// The groups of customers by id, and when they were read.
    groups: Mutex<Option<(Timestamp, Groups)>>,
    /// When the website was found to have prices of its own.
    scope: Mutex<Option<Timestamp>>,
}

/// Whether what was read at `at` is read anew.
fn is_old(ctx: &Ctx, at: Timestamp) -> bool {
    ctx.now().duration_since(at).as_secs().abs() >= GROUPS_AGE_S
}

/// The rows of a product as they came, by what they are.
#[derive(Debug, Clone, Default)]
struct Rows {
    base: Vec<Value>,
    special: Vec<Value>,
    tiers: Vec<Value>,
}

/// What is known of a product's prices.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) told: Told,
    pub(super) sheet: Sheet,
    pub(super) snapshot: Snapshot,
}

impl Magento {
    /// The prices of these variants, in their order. One that cannot be read spoils no other.
    pub(super) async fn read_prices(&self, ctx: &Ctx, ids: &[RemoteId]) -> Vec<Result<Option<Snapshot>>> {
        let setup = match self.price_setup(ctx).await {
            Ok(setup) => setup,
            Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
        };
        let known = self.known_prices(ctx, &setup, ids).await;
        known.into_iter().map(|one| one.map(|known| known.map(|known| known.snapshot))).collect()
    }

    /// The currency and the groups prices are for.
    pub(super) async fn price_setup(&self, ctx: &Ctx) -> Result<Setup> {
        let views = self.client.views(ctx).await?;
        let currency = lists::currency(&views.bases).map_err(|why| unsupported(&why))?;
        let site = self.client.site(ctx).await?;
        if site.is_some() {
            let mut checked = self.groups.scope.lock().await;
            if checked.is_none_or(|at| is_old(ctx, at)) {
                if let Some(why) = self.one_price_for_all(ctx).await? {
                    return Err(unsupported(why));
                }
                *checked = Some(ctx.now());
            }
        }
        let groups = self.customer_groups(ctx, &[]).await?.into_values().collect();
        Ok(Setup { currency, groups, site })
    }

    /// The groups of customers by id; read anew after a while, and where one of `needed` is not among them. None without the
    /// right to groups: then no list of one is told whole, and no customer's group.
    pub(super) async fn customer_groups(&self, ctx: &Ctx, needed: &[u64]) -> Result<Groups> {
        let mut held = self.groups.groups.lock().await;
        if let Some((at, groups)) = held.as_ref()
            && !is_old(ctx, *at)
            && needed.iter().all(|id| groups.contains_key(id))
        {
            return Ok(groups.clone());
        }
        let groups = match self.client.all::<wire::Group>(ctx, "customerGroups/search", "id", GROUPS).await {
            Ok((groups, _)) => groups.into_iter().map(|group| (group.id.0, group.code.0)).collect(),
            Err(error) if error.kind == ErrorKind::Denied => Groups::new(),
            Err(error) => return Err(error),
        };
        let (_, groups) = held.insert((ctx.now(), groups));
        Ok(groups.clone())
    }

    /// Why one website has no prices of its own; none where it has. The scope of the price says so: the shop's setting is
    /// told nowhere else.
    pub(super) async fn one_price_for_all(&self, ctx: &Ctx) -> Result<Option<&'static str>> {
        let price = self.client.get_in::<wire::ProductAttribute>(ctx, Scope::ALL, "products/attributes/price").await?;
        Ok(match price.scope {
            Some(scope) if scope.0 == "website" => None,
            _ => Some(
                "its prices hold in all websites: in Stores > Configuration > Catalog > Catalog > Price, set Catalog Price \
                 Scope to Website, or carry prices in a system without `website`",
            ),
        })
    }

    /// What is known of the prices of these variants, in their order; none where the shop has no such SKU.
    pub(super) async fn known_prices(&self, ctx: &Ctx, setup: &Setup, ids: &[RemoteId]) -> Vec<Result<Option<Known>>> {
        let read = join_all(groups(ids).into_iter().map(|group| self.prices_of(ctx, setup, group))).await;
        let read: BTreeMap<String, Result<Option<Known>>> = read.into_iter().flatten().collect();
        ids.iter().map(|id| read.get(&folded(&id.id)).cloned().unwrap_or(Ok(None))).collect()
    }

    /// The prices of a group, by folded SKU; in halves where the shop refuses the group.
    async fn prices_of(&self, ctx: &Ctx, setup: &Setup, group: Vec<String>) -> Vec<(String, Result<Option<Known>>)> {
        let mut read = Vec::new();
        let mut open = vec![group];
        while let Some(mut group) = open.pop() {
            match self.prices_of_few(ctx, setup, &group).await {
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

    async fn prices_of_few(
        &self,
        ctx: &Ctx,
        setup: &Setup,
        skus: &[String],
    ) -> Result<Vec<(String, Result<Option<Known>>)>> {
        // A read of prices leaves a SKU nobody has out, as it does a product without prices: the products tell them apart.
        let list = asking(PRODUCTS.resource, skus, "items[sku,type_id],total_count");
        let mut products: Vec<(String, Form)> =
            self.client.every(ctx, &list).await?.iter().filter_map(product).collect();
        let mut read = Vec::new();
        let told: Vec<&str> = products.iter().map(|(sku, _)| sku.as_str()).collect();
        for (sku, left_out) in self.left_out(ctx, skus, &told).await {
            match left_out {
                Ok(item) => products.extend(item.as_ref().and_then(product)),
                Err(error) => read.push((folded(&sku), Err(error))),
            }
        }
        let priced = products.iter().filter(|(_, form)| *form != Form::Family).map(|(sku, _)| sku.clone()).collect();
        let mut rows = self.rows_of(ctx, priced).await?;
        read.extend(products.into_iter().map(|(sku, form)| {
            let key = folded(&sku);
            let rows = rows.remove(&key).unwrap_or_else(|| Ok(Rows::default()));
            let known = rows.and_then(|rows| known(sku, form, &rows, setup));
            (key, known.map(Some))
        }));
        Ok(read)
    }

    /// The rows of products, by folded SKU.
    async fn rows_of(&self, ctx: &Ctx, skus: Vec<String>) -> Result<BTreeMap<String, Result<Rows>>> {
        let (base, special, tiers) = try_join3(
            self.told_at(ctx, "products/base-prices-information", &skus),
            self.told_at(ctx, "products/special-price-information", &skus),
            self.told_at(ctx, "products/tier-prices-information", &skus),
        )
        .await?;
        let mut read: BTreeMap<String, Result<Rows>> =
            skus.iter().map(|sku| (folded(sku), Ok(Rows::default()))).collect();
        let places: [fn(&mut Rows) -> &mut Vec<Value>; 3] =
            [|rows| &mut rows.base, |rows| &mut rows.special, |rows| &mut rows.tiers];
        for (answer, place) in [base, special, tiers].into_iter().zip(places) {
            for (sku, told) in answer {
                match (read.get_mut(&sku), told) {
                    (Some(Ok(rows)), Ok(told)) => place(rows).extend(told),
                    (Some(slot), Err(error)) => *slot = Err(error),
                    _ => {}
                }
            }
        }
        Ok(read)
    }

    /// What one read of prices tells, by folded SKU; in halves where the shop refuses a group, as it may for one SKU that
    /// it keeps no such prices of. Of a SKU it refuses even alone for that it tells nothing.
    async fn told_at(&self, ctx: &Ctx, path: &str, skus: &[String]) -> Result<Vec<(String, Result<Vec<Value>>)>> {
        let mut told = Vec::new();
        let mut open: Vec<&[String]> = if skus.is_empty() { Vec::new() } else { vec![skus] };
        while let Some(group) = open.pop() {
            match self.client.ask::<Vec<Value>>(ctx, path, &json!({"skus": group})).await {
                Ok(rows) => {
                    told.extend(rows.into_iter().filter_map(|row| Some((folded(&found_sku(&row)?), Ok(vec![row])))))
                }
                Err(error) if group.len() > 1 && of_one(error.kind) => {
                    let (first, second) = group.split_at(group.len() / 2);
                    open.extend([second, first]);
                }
                Err(error) if error.kind == ErrorKind::Gone => {}
                Err(error) if of_one(error.kind) => {
                    told.extend(group.iter().map(|sku| (folded(sku), Err(error.clone()))));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(told)
    }
}

/// SKU and form of a product in a list.
fn product(item: &Value) -> Option<(String, Form)> {
    Some((found_sku(item)?, Form::of(item.get("type_id").and_then(Value::as_str))))
}

fn known(sku: String, form: Form, rows: &Rows, setup: &Setup) -> Result<Known> {
    let told = Told {
        form,
        base: typed(&sku, &rows.base)?,
        special: typed(&sku, &rows.special)?,
        tiers: typed(&sku, &rows.tiers)?,
        sku,
    };
    let sheet = Sheet::new(&told, setup).map_err(|what| broken(&told.sku, &what, &rows.special))?;
    let id = RemoteId::new("", &told.sku);
    let records = vec![(id.clone(), Record::Price(sheet.record(&told.sku)))];
    let all: Vec<&Value> = rows.base.iter().chain(&rows.special).chain(&rows.tiers).collect();
    let evidence = Some(evidence(&told.sku, &all));
    Ok(Known { snapshot: Snapshot { id, version: None, mark: None, found_by: None, records, evidence }, told, sheet })
}

fn typed<T: DeserializeOwned>(sku: &str, rows: &[Value]) -> Result<Vec<T>> {
    rows.iter().map(|row| wire::typed(row).map_err(|what| broken(sku, &what, rows))).collect()
}

fn broken(sku: &str, what: &str, rows: &[Value]) -> Error {
    let rows: Vec<&Value> = rows.iter().collect();
    Error::new(ErrorKind::Broken, format!("prices of `{}`: {what}", shown(sku, 80))).with(evidence(sku, &rows))
}

/// The exchange behind the prices of one product.
fn evidence(sku: &str, rows: &[&Value]) -> Evidence {
    let received = Evidence::excerpt(json!(rows).to_string().as_bytes());
    let request = format!("POST products/…-information of {}", shown(sku, 80));
    Evidence { request, sent: String::new(), status: 200, received }
}
