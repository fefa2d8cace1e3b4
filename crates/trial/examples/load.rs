//! What the benchmarks run against: a Magento with as many products as asked for, and a store that knows them all.
//!
//! `load serve KEYS` pretends the shop and prints its address; `load seed FILE KEYS SHOP ERP` fills a store by the same
//! transactions the program uses. Of every thousand products one has changed since, and of every hundred thousand one
//! is gone; both are told by `changed` and `gone` in what `seed` prints.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::error::Error;
use std::path::Path;
use syncline_core::id::{RemoteId, SystemUid};
use syncline_core::kind::Kind;
use syncline_core::record::{Record, Variant};
use syncline_engine::poll;
use syncline_sim::books::Books;
use syncline_sim::http::{Edit, Request, Response, System};
use syncline_sim::magento::{Options, Shop};
use syncline_sim::{serve, weather};
use syncline_store::{Accept, Adoption, Sql, Store, Told};

/// One in so many products has changed since the store saw it.
const CHANGED: u64 = 1_000;
/// One in so many products is not in the shop any more.
const GONE: u64 = 100_000;
/// Records of one transaction.
const CHUNK: u64 = 5_000;
/// A product of the simulated shop that the others are made after.
const MODEL: &str = "MUG";

type Res<T> = Result<T, Box<dyn Error>>;

fn main() -> Res<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match words.as_slice() {
        ["serve", keys] => runtime.block_on(serve_keys(keys.parse()?)),
        ["seed", file, keys, shop, erp] => {
            runtime.block_on(seed(Path::new(file), keys.parse()?, &SystemUid::new(*shop), &SystemUid::new(*erp)))
        }
        _ => Err("load serve KEYS | load seed FILE KEYS SHOP ERP".into()),
    }
}

fn sku(n: u64) -> String {
    format!("K-{n:08}")
}

/// When product `n` was changed last, as the shop shows it now.
fn stamp(n: u64) -> &'static str {
    if n % CHANGED == 7 { "2026-11-20 08:00:00" } else { BEFORE }
}

const BEFORE: &str = "2026-11-01 08:00:00";

fn is_there(n: u64, keys: u64) -> bool {
    (1..=keys).contains(&n) && n % GONE != 11
}

async fn serve_keys(keys: u64) -> Res<()> {
    let now = Timestamp::from_second(1_795_000_000)?;
    let options = Options { seed: 7, products: 10, orders: 0, empty: true, now, token: "token".to_string() };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", json!({ "url": format!("http://{}", listener.local_addr()?) }));
    let shop = Box::new(Many { shop: Shop::new(options), keys });
    serve::serve(shop, weather::Weather::calm(), listener, move || now).await?;
    Ok(())
}

/// A shop of many products, each a copy of one; everything else it answers as the simulated shop does.
#[derive(Debug)]
struct Many {
    shop: Shop,
    keys: u64,
}

impl System for Many {
    fn handle(&mut self, now: Timestamp, request: &Request) -> Response {
        let target = &request.target;
        if let Some(page) = self.page(target) {
            return answer(200, &page);
        }
        let named = target.split_once("/products/K-").and_then(|(_, rest)| rest.get(..8)?.parse().ok());
        match named {
            None => self.shop.handle(now, request),
            Some(n) if !is_there(n, self.keys) => answer(
                404,
                &json!({ "message": "The product that was requested doesn't exist. Verify the product and try again." }),
            ),
            Some(n) => {
                let asked = Request { target: target.replace(&sku(n), MODEL), ..request.clone() };
                let model = self.shop.handle(now, &asked);
                let mut body: Value = serde_json::from_slice(&model.body).unwrap_or_default();
                for (field, value) in [("id", json!(n)), ("sku", json!(sku(n))), ("updated_at", json!(stamp(n)))] {
                    body[field] = value;
                }
                answer(model.status, &body)
            }
        }
    }

    fn books(&self) -> Books<'_> {
        self.shop.books()
    }

    fn edit(&mut self, _: Timestamp, _: &Edit) -> bool {
        false
    }
}

impl Many {
    /// The page of keys `target` asks for; none where it asks for something else.
    fn page(&self, target: &str) -> Option<Value> {
        let plain = target.replace("%5B", "[").replace("%5D", "]");
        let (path, query) = plain.split_once('?')?;
        if !path.ends_with("/products") || !query.contains("=gt") {
            return None;
        }
        let told =
            |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
        let after: u64 = told("searchCriteria[filterGroups][0][filters][0][value]")?;
        let size: u64 = told("searchCriteria[pageSize]")?;
        let listed = (after + 1..=self.keys).filter(|n| is_there(*n, self.keys));
        let take = usize::try_from(size).ok()?;
        let items: Vec<Value> =
            listed.take(take).map(|n| json!({ "id": n, "sku": sku(n), "updated_at": stamp(n) })).collect();
        Some(json!({ "items": items, "total_count": self.keys.saturating_sub(after) }))
    }
}

fn answer(status: u16, body: &Value) -> Response {
    let headers = vec![("content-type".to_string(), "application/json; charset=utf-8".to_string())];
    Response { status, headers, body: body.to_string().into_bytes() }
}

/// Fills the store in `file` with `keys` products tied in both systems, as they were before anything changed.
async fn seed(file: &Path, keys: u64, shop: &SystemUid, erp: &SystemUid) -> Res<()> {
    let store = Sql::threaded(file)?;
    let now = Timestamp::from_second(1_795_000_000)?;
    let mut first = 1;
    while first <= keys {
        let last = (first + CHUNK - 1).min(keys);
        let pair = |n: u64| {
            let shops = (shop.clone(), RemoteId::new("", sku(n)), vec![RemoteId::new("", format!("id:{n}"))]);
            let erps = (erp.clone(), RemoteId::new("", n.to_string()), Vec::new());
            Adoption { kind: Kind::Variant, label: sku(n), ids: vec![shops, erps] }
        };
        store.adopt((first..=last).map(pair).collect(), now).await?;
        let record = |n: u64| {
            let variant = Variant { sku: Some(sku(n)), serial: Some(n.to_string()), ..Variant::default() };
            poll::row(RemoteId::new("", sku(n)), &Record::Variant(variant), Some(BEFORE.to_string()), Told::Asked)
        };
        let records = (first..=last).map(record).collect();
        store.accept(Accept { system: shop.clone(), records, cursor: None, asked_at: None, now }).await?;
        first = last + 1;
    }
    let changed = (1..=keys).filter(|n| stamp(*n) != BEFORE && is_there(*n, keys)).count();
    let gone = (1..=keys).filter(|n| !is_there(*n, keys)).count();
    println!("{}", json!({ "keys": keys, "changed": changed, "gone": gone }));
    Ok(())
}
