//! A transport around a simulated API, with faults by script, or around answers that are given one by one.

use crate::http_json::{Auth, Config, HttpJson};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use syncline_connect::json_api::{HeaderName, Resource};
use syncline_connect::{
    Clock, Connector, Ctx, Cursor, Effect, Fut, Outcome, Page, Request, Response, Rng, Transport, TransportError,
};
use syncline_core::delivery::{Change, Noted, Permit, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_sim::http::{Request as SimRequest, System};
use syncline_sim::json_api::{Api, Product, Shape};

/// What happens to one request instead of its plain answer.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// It is not handled, no byte of it left.
    NotSent,
    /// It is handled, the answer is lost.
    LostReply,
    /// It is handled twice; the second answer comes.
    Twice,
    /// It is not handled; this answer comes.
    Answer(u16, Vec<(&'static str, &'static str)>, String),
    /// It is handled; this answer comes.
    After(u16, &'static str),
    /// It is handled; half of the answer comes.
    Cut,
}

/// The world: an API, a clock, a script.
pub(super) struct World {
    pub(super) api: Api,
    pub(super) now: Timestamp,
    pub(super) faults: VecDeque<Fault>,
    /// Method and address of every request, with what it sent.
    pub(super) log: Vec<String>,
    pub(super) headers: Vec<(String, String)>,
    /// Notes that stood behind writes.
    pub(super) notes: usize,
}

#[derive(Clone)]
pub(super) struct Held(pub(super) Arc<Mutex<World>>);

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held")
    }
}

impl Held {
    pub(super) fn of(api: Api) -> Self {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let (faults, log, headers) = (VecDeque::new(), Vec::new(), Vec::new());
        Self(Arc::new(Mutex::new(World { api, now, faults, log, headers, notes: 0 })))
    }

    /// An API of `shape` with so many products.
    pub(super) fn stocked(shape: Shape, products: usize) -> Self {
        let held = Self::of(Api::new(shape, "secret"));
        held.with(|world| {
            let changed = world.now;
            for n in 1..=products {
                let names = BTreeMap::from([("en".to_owned(), format!("Product {n}"))]);
                let sku = format!("S{n:03}");
                world.api.stock(Product { sku, names, active: true, changed, ..Product::default() });
            }
        });
        held
    }

    /// Answers that are given one by one, each with 200.
    pub(super) fn answering(bodies: impl IntoIterator<Item = Json>) -> Self {
        let held = Self::of(Api::new(Shape::Flat, "secret"));
        let answers = bodies.into_iter().map(|body| Fault::Answer(200, Vec::new(), body.to_string()));
        held.with(|world| world.faults = answers.collect());
        held
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    pub(super) fn ctx(&self) -> Ctx {
        let all = Arc::new(self.clone());
        Ctx::new(all.clone(), all.clone(), all, 4, Duration::from_secs(30))
    }

    pub(super) fn wait(&self, seconds: i64) {
        self.with(|world| world.now += SignedDuration::from_secs(seconds));
    }

    pub(super) fn meets(&self, faults: impl IntoIterator<Item = Fault>) {
        self.with(|world| world.faults = faults.into_iter().collect());
    }

    /// The requests since the last time.
    pub(super) fn log(&self) -> Vec<String> {
        self.with(|world| std::mem::take(&mut world.log))
    }
}

impl Clock for Held {
    fn now(&self) -> Timestamp {
        self.with(|world| world.now)
    }
}

impl Rng for Held {
    fn draw(&self) -> u128 {
        0
    }
}

impl Transport for Held {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let mut world = self.0.lock().unwrap();
            let world = &mut *world;
            let target = request.url.strip_prefix("http://api.example").expect("our own address").to_owned();
            let kind = if request.effect == Effect::Read { "" } else { "write " };
            let sent = String::from_utf8_lossy(&request.body).into_owned();
            world.log.push(format!("{kind}{} {target} {sent}", request.method).trim_end().to_owned());
            world.headers = request.headers.clone();
            if let Effect::Write { notes, .. } = &request.effect {
                world.notes += notes.len();
            }
            let fault = world.faults.pop_front().unwrap_or(Fault::None);
            match &fault {
                Fault::NotSent => return Err(TransportError::NotSent("no route to host".into())),
                Fault::Answer(status, headers, body) => {
                    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
                    return Ok(Response { status: *status, headers, body: body.as_bytes().to_vec() });
                }
                _ => {}
            }
            let headers = request.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
            let asked = SimRequest { method: request.method.into(), target, headers, body: request.body };
            if let Fault::Twice = fault {
                world.api.handle(world.now, &asked);
            }
            let told = world.api.handle(world.now, &asked);
            let mut response = Response { status: told.status, headers: told.headers, body: told.body };
            match fault {
                Fault::LostReply => return Err(TransportError::Lost("connection closed".into())),
                Fault::Cut => response.body.truncate(response.body.len() / 2),
                Fault::After(status, body) => {
                    response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
                }
                _ => {}
            }
            Ok(response)
        })
    }
}

/// The flat API as a file describes it.
pub(super) fn flat() -> Json {
    json!({
        "list": "/api/products", "items": "/data", "id": "/id", "record": "/data",
        "paging": {"style": "page", "parameter": "page", "size": 20, "size_parameter": "limit", "more": "/meta/more"},
        "changed": "/updated_at", "since": "updated_since", "overlap": "5m",
        "read": "/api/products/{id}", "find": "/api/products?sku={sku}",
        "create": {"path": "/api/products", "record": "/product"},
        "update": {"path": "/api/products/{id}", "record": "/product"},
        "error": "/error", "idempotency_header": "Idempotency-Key",
        "fields": {
            "sku": "/sku", "texts.en.name": {"at": "/name", "limit": 40}, "texts.en.description": "/description",
            "active": {"at": "/status", "yes": 1, "no": 2}, "weight": {"at": "/weight", "digits": 3},
            "attributes.price": {"at": "/price", "as": "number-text", "digits": 2},
        },
    })
}

/// The nested one.
pub(super) fn nested() -> Json {
    json!({
        "list": "/v1/articles", "items": "/rows", "id": "/uuid",
        "paging": {"style": "link", "next": "/next", "size": 20, "size_parameter": "count"},
        "changed": "/modified", "since": "changed_after", "since_as": "seconds",
        "read": "/v1/articles/{id}", "find": "/v1/articles?code={sku}",
        "create": {"path": "/v1/articles"}, "update": {"path": "/v1/articles/{id}", "body": "whole"},
        "fields": {
            "sku": "/code", "texts.en.name": "/title/en", "texts.de.name": "/title/de",
            "texts.en.description": "/text/en", "active": "/enabled",
            "weight": {"at": "/measures/grams", "as": "minor", "digits": 3},
            "attributes.price": {"at": "/price/cents", "as": "minor", "digits": 2},
        },
    })
}

/// `description` with the keys of `other` in the place of its own; a key that says nothing is taken out.
pub(super) fn with(mut description: Json, other: Json) -> Json {
    for (key, value) in other.as_object().expect("an object") {
        match value {
            Json::Null => drop(description.as_object_mut().unwrap().remove(key)),
            value => description[key] = value.clone(),
        }
    }
    description
}

pub(super) fn described(description: Json) -> Resource {
    let resource: Resource = serde_json::from_value(description).unwrap();
    resource.checked().unwrap();
    resource
}

/// A connector to the API that `description` describes.
pub(super) fn connector(description: Json) -> HttpJson {
    let nested = description["id"] == "/uuid";
    let auth = match nested {
        true => Auth::Header(HeaderName::of("X-Api-Key").unwrap(), "secret".into()),
        false => Auth::Bearer("secret".into()),
    };
    let variants = Some(described(description));
    HttpJson::new(Config { url: "http://api.example/".into(), auth, per_second: None, variants })
}

pub(super) fn block<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(work)
}

/// Every page of a walk from `since` on.
pub(super) async fn walked(api: &HttpJson, ctx: &Ctx, since: &Cursor) -> syncline_connect::Result<(Vec<Page>, Cursor)> {
    let (mut pages, mut at) = (Vec::new(), since.clone());
    loop {
        let page = api.changes(ctx, Kind::Variant, &at).await?;
        let more = page.more;
        assert!(!more || page.next != at, "a walk moves");
        at = page.next.clone();
        pages.push(page);
        if !more {
            return Ok((pages, at));
        }
    }
}

pub(super) fn leaves(pairs: &[(&str, Value)]) -> Leaves {
    pairs.iter().map(|(path, value)| (Path::try_from((*path).to_owned()).unwrap(), Some(value.clone()))).collect()
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(super) fn number(token: &str) -> Value {
    Value::Number(syncline_core::money::decimal(token).unwrap())
}

/// A permit for `step` on `id`, noted now, good for a minute.
pub(super) fn permit(held: &Held, step: Step, id: Option<&str>, leaves: Leaves) -> Permit {
    let change = Change {
        kind: Kind::Variant,
        step,
        mark: Mark::new("SLTEST"),
        document: id.map(|id| RemoteId::new("", id)),
        expect: None,
        elements: BTreeMap::new(),
        adopt_only: false,
        leaves,
    };
    let deadline = held.now() + SignedDuration::from_secs(60);
    advance(Noted::committed(DeliveryId(7), Epoch(2), 3, deadline), change)
}

/// What became of one permit.
pub(super) fn written(api: &HttpJson, held: &Held, permit: Permit) -> Outcome {
    let ctx = held.ctx();
    block(async { api.write(&ctx, vec![permit]).await }).pop().expect("one outcome")
}

/// What a snapshot that was read back shows.
pub(super) fn shown(outcome: Outcome) -> (String, Leaves) {
    match outcome {
        Outcome::Done(snapshot) => (snapshot.id.id, snapshot.records[0].1.to_leaves()),
        other => panic!("{other:?}"),
    }
}
