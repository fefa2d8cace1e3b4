//! One connector on one Tryton, real or simulated, and the words the tests speak in.

use super::super::{Config, Tryton};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use syncline_connect::{Clock, Ctx, Effect, Fut, Outcome, Request, Response, Rng, Snapshot, Transport, TransportError};
use syncline_core::delivery::{Change, Noted, Permit, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId, SystemUid};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::Leaves;
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Customer, Order, Price, Record, Stock, Variant};
use syncline_sim::http::System;
use syncline_sim::tryton::{Erp, Options};

pub(super) fn dec(text: &str) -> rust_decimal::Decimal {
    syncline_core::money::decimal(text).unwrap()
}

pub(super) fn order_of(snapshot: &Snapshot) -> &Order {
    match &snapshot.records.first().unwrap().1 {
        Record::Order(order) => order,
        other => panic!("no order: {other:?}"),
    }
}

pub(super) fn customer_of(snapshot: &Snapshot) -> &Customer {
    match &snapshot.records.first().unwrap().1 {
        Record::Customer(customer) => customer,
        other => panic!("no customer: {other:?}"),
    }
}

pub(super) fn stock_of(snapshot: &Snapshot) -> &Stock {
    match &snapshot.records.first().unwrap().1 {
        Record::Stock(stock) => stock,
        other => panic!("no stock: {other:?}"),
    }
}

pub(super) fn variant_of(snapshot: &Snapshot) -> &Variant {
    match &snapshot.records.first().unwrap().1 {
        Record::Variant(variant) => variant,
        other => panic!("no variant: {other:?}"),
    }
}

pub(super) fn price_of(snapshot: &Snapshot) -> &Price {
    match &snapshot.records.first().unwrap().1 {
        Record::Price(price) => price,
        other => panic!("no price: {other:?}"),
    }
}

/// Runs `work` on a runtime of its own.
pub(super) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// One connector on one Tryton.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) erp: Tryton,
    pub(super) ctx: Ctx,
    clock: Arc<dyn Clock>,
    /// Differs from run to run, so that marks are new each time.
    pub(super) run: String,
}

impl Bench {
    pub(super) fn new(config: Config, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        let ctx = Ctx::new(transport, Arc::clone(&clock), Arc::new(Die), 4, Duration::from_secs(30));
        let run = clock.now().as_microsecond().to_string();
        Self { erp: Tryton::new(config), ctx, clock, run }
    }

    pub(super) fn mark(&self, name: &str) -> Mark {
        syncline_core::mark::mark(&syncline_core::mark::Origin {
            source: &SystemUid::new("bench"),
            kind: Kind::Order,
            id: &RemoteId::new(&self.run, name),
            target: &SystemUid::new("erp"),
            target_scope: "",
            role: "main",
            generation: 0,
        })
    }

    pub(super) fn permit(&self, kind: Kind, step: Step, mark: &Mark, on: Option<&Snapshot>, leaves: Leaves) -> Permit {
        let change = Change {
            kind,
            step,
            mark: mark.clone(),
            document: on.map(|s| s.id.clone()),
            expect: on.and_then(|s| s.version.clone()),
            leaves,
            elements: BTreeMap::new(),
            adopt_only: false,
        };
        self.permit_of(change)
    }

    /// The same where the fields name elements of the document.
    pub(super) fn naming(
        &self,
        kind: Kind,
        step: Step,
        mark: &Mark,
        on: &Snapshot,
        leaves: Leaves,
        elements: BTreeMap<Path, String>,
    ) -> Permit {
        let (document, expect) = (Some(on.id.clone()), on.version.clone());
        let mark = mark.clone();
        self.permit_of(Change { kind, step, mark, document, expect, leaves, elements, adopt_only: false })
    }

    /// The same of what is below an order, new or there.
    pub(super) fn of_order(
        &self,
        kind: Kind,
        step: Step,
        mark: &Mark,
        on: Option<&Snapshot>,
        leaves: Leaves,
        elements: BTreeMap<Path, String>,
    ) -> Permit {
        let (document, mark) = (on.map(|s| s.id.clone()), mark.clone());
        self.permit_of(Change { kind, step, mark, document, expect: None, leaves, elements, adopt_only: false })
    }

    pub(super) fn permit_of(&self, change: Change) -> Permit {
        let deadline = self.clock.now() + SignedDuration::from_secs(60);
        advance(Noted::committed(DeliveryId(1), Epoch(1), 1, deadline), change)
    }

    pub(super) async fn one(&self, permit: Permit) -> Outcome {
        use syncline_connect::Connector;
        self.erp.write(&self.ctx, vec![permit]).await.pop().unwrap()
    }

    pub(super) async fn done(&self, permit: Permit) -> Snapshot {
        match self.one(permit).await {
            Outcome::Done(snapshot) => *snapshot,
            other => panic!("not done: {other:?}"),
        }
    }

    pub(super) async fn refused(&self, permit: Permit) -> ErrorKind {
        match self.one(permit).await {
            Outcome::Refused(error) => error.kind,
            other => panic!("not refused: {other:?}"),
        }
    }
}

/// What is done to one request of a scripted weather.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// Nothing.
    Calm,
    /// It never arrives.
    Refused,
    /// It arrives; the answer does not.
    ReplyLost,
    /// It arrives; a proxy answers with a page.
    Page,
}

#[derive(Debug)]
struct Within {
    erp: Erp,
    now: Timestamp,
    weather: Vec<Weather>,
    weather_of_reads: Vec<Weather>,
    meanwhile: Option<fn(&mut Erp, Timestamp)>,
    sent: Vec<(String, usize)>,
}

/// A simulated Tryton within the process, its clock, and what it was sent.
#[derive(Debug, Clone)]
pub(super) struct World(Arc<Mutex<Within>>);

impl World {
    pub(super) fn new(web_shop: bool) -> Self {
        Self::holding(web_shop, 40)
    }

    /// One with about so many products.
    pub(super) fn of(products: usize) -> Self {
        Self::holding(true, products)
    }

    fn holding(web_shop: bool, products: usize) -> Self {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let options = Options {
            seed: 7,
            products,
            empty: true,
            web_shop,
            now: now - SignedDuration::from_hours(48),
            login: "sync".into(),
            password: "word".into(),
        };
        let (erp, none) = (Erp::new(options), Vec::new);
        let (weather, weather_of_reads) = (none(), none());
        Self(Arc::new(Mutex::new(Within { erp, now, weather, weather_of_reads, meanwhile: None, sent: Vec::new() })))
    }

    pub(super) fn bench(&self) -> Bench {
        self.bench_of(Config::new("http://erp.test/acme", "sync", "word"))
    }

    pub(super) fn bench_of(&self, config: Config) -> Bench {
        Bench::new(config, Arc::new(self.clone()), Arc::new(self.clone()))
    }

    /// The weather of the next writes, one after the other.
    pub(super) fn weather(&self, next: &[Weather]) {
        self.0.lock().unwrap().weather = next.to_vec();
    }

    /// The weather of the next reads, one after the other.
    pub(super) fn weather_of_reads(&self, next: &[Weather]) {
        self.0.lock().unwrap().weather_of_reads = next.to_vec();
    }

    /// What people do right before the next write arrives.
    pub(super) fn meanwhile(&self, work: fn(&mut Erp, Timestamp)) {
        self.0.lock().unwrap().meanwhile = Some(work);
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Erp) -> T) -> T {
        look(&mut self.0.lock().unwrap().erp)
    }

    pub(super) fn pass(&self, time: SignedDuration) {
        self.0.lock().unwrap().now += time;
    }

    /// Methods called since the last look, with the number of notes each carried.
    pub(super) fn sent(&self) -> Vec<(String, usize)> {
        std::mem::take(&mut self.0.lock().unwrap().sent)
    }
}

/// No request to Tryton holds anything drawn.
#[derive(Debug)]
struct Die;

impl Rng for Die {
    fn draw(&self) -> u128 {
        0
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().now
    }
}

impl Transport for World {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, TransportError>> {
        let mut within = self.0.lock().unwrap();
        within.now += SignedDuration::from_millis(3);
        let notes = match &request.effect {
            Effect::Read => 0,
            Effect::Write { notes, .. } => notes.len(),
        };
        let next = if notes == 0 { &mut within.weather_of_reads } else { &mut within.weather };
        let weather = if next.is_empty() { Weather::Calm } else { next.remove(0) };
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        within.sent.push((body.get("method").unwrap().as_str().unwrap().to_string(), notes));
        if weather == Weather::Refused {
            return Box::pin(async { Err(TransportError::NotSent("connection refused".into())) });
        }
        let target = request.url.strip_prefix("http://erp.test").unwrap().to_string();
        let now = within.now;
        if let Some(work) = within.meanwhile.take_if(|_| notes > 0) {
            work(&mut within.erp, now);
        }
        let asked = syncline_sim::http::Request {
            method: request.method.to_string(),
            target,
            headers: request.headers,
            body: request.body,
        };
        let told = within.erp.handle(now, &asked);
        let answer = match weather {
            Weather::ReplyLost => Err(TransportError::Lost("timed out".into())),
            Weather::Page => Ok(Response { status: 200, headers: Vec::new(), body: b"<html>oops</html>".to_vec() }),
            _ => Ok(Response { status: told.status, headers: told.headers, body: told.body }),
        };
        Box::pin(async { answer })
    }
}
