//! The way to either system: a request belongs to the world from its first poll, and the weather is drawn by seed.

use crate::ring2::{SimClock, wire};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use syncline_connect::{Effect, Fut, Request, Response, Rng, Transport, TransportError};
use syncline_core::delivery::Note;
use syncline_sim::http::{self, System};
use syncline_sim::json_api::{Api, Shape};
use syncline_sim::random::Random;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// What keeps a second product away in the system that is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guards {
    /// Nothing: then no proxy repeats requests, for that nobody could mend.
    Nothing,
    /// It refuses a second one of one SKU.
    Apart,
    /// It remembers our keys.
    Remembers,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Pim,
    Store,
}

/// Both systems, and what was seen of what must never be.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) pim: Api,
    pub(super) store: Api,
    pub(super) random: Random,
    pub(super) calm: bool,
    pub(super) faults: BTreeMap<&'static str, u64>,
    pub(super) sent: BTreeSet<Note>,
    pub(super) broken: Vec<String>,
    /// Requests that carried several records.
    pub(super) together: u64,
    guards: Guards,
}

impl Pair {
    pub(super) fn new(seed: u64, guards: Guards) -> Self {
        let of = |shape: Shape| match guards {
            Guards::Nothing => Api::new(shape, "secret"),
            Guards::Apart => Api::new(shape, "secret").keeping_apart(),
            Guards::Remembers => Api::new(shape, "secret").remembering(),
        };
        let random = Random::of(seed, 11, 0);
        let (faults, sent, broken) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        let (pim, store) = (of(Shape::Flat), of(Shape::Nested));
        Self { pim, store, random, calm: true, faults, sent, broken, together: 0, guards }
    }

    fn leaving(&mut self, notes: &[Note], request: &Request) {
        let place = &request.url;
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let records = body["articles"].as_array().map_or(1, Vec::len);
        self.together += u64::from(records > 1);
        if notes.len() != records {
            self.broken.push(format!("{place}: {records} records left with {} notes", notes.len()));
        }
        for note in notes {
            if !self.sent.insert(*note) {
                self.broken.push(format!("{place}: {note:?} left before"));
            }
        }
    }

    fn handle(&mut self, side: Side, clock: &SimClock, request: &http::Request) -> http::Response {
        let now = clock.true_now();
        let api = if side == Side::Pim { &mut self.pim } else { &mut self.store };
        let response = api.handle(now, request);
        let mut skus = BTreeSet::new();
        let twice = api.products().values().find(|one| !skus.insert(&one.sku)).map(|one| one.sku.clone());
        if let Some(sku) = twice {
            self.broken.push(format!("{sku} is there twice"));
        }
        response
    }

    fn draw(&mut self) -> &'static str {
        if self.calm || !self.random.chance(1, 5) {
            return "";
        }
        let faults = [
            "lost request",
            "lost reply",
            "lost reply",
            "late",
            "busy",
            "error",
            "error after",
            "html",
            "truncated",
            "repeated",
            "second answer",
        ];
        let fault = *self.random.pick(&faults);
        if self.guards == Guards::Nothing && matches!(fault, "repeated" | "second answer") {
            return "";
        }
        *self.faults.entry(fault).or_default() += 1;
        fault
    }
}

/// The pair, whatever happened to an earlier holder.
pub(super) fn open(pair: &Mutex<Pair>) -> MutexGuard<'_, Pair> {
    pair.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The way to one of them.
#[derive(Debug)]
pub(super) struct Road {
    pub(super) pair: Arc<Mutex<Pair>>,
    pub(super) clock: Arc<SimClock>,
    pub(super) side: Side,
}

impl Transport for Road {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let limit = request.timeout;
            let (tell, told) = oneshot::channel();
            let (fault, latency, late) = {
                let mut pair = open(&self.pair);
                if let Effect::Write { notes, .. } = &request.effect {
                    pair.leaving(notes, &request);
                }
                (pair.draw(), pair.random.between(5, 900), pair.random.between(15, 240))
            };
            let flight =
                Flight { pair: self.pair.clone(), clock: self.clock.clone(), side: self.side, request: wire(request) };
            tokio::spawn(flight.fly(fault, Duration::from_millis(latency), Duration::from_secs(late), tell));
            match timeout(limit, told).await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(_)) => Err(TransportError::Lost("the connection was closed".to_owned())),
                Err(_) => Err(TransportError::Lost("timed out".to_owned())),
            }
        })
    }
}

/// A request under way.
struct Flight {
    pair: Arc<Mutex<Pair>>,
    clock: Arc<SimClock>,
    side: Side,
    request: http::Request,
}

impl Flight {
    async fn fly(self, fault: &'static str, latency: Duration, late: Duration, tell: oneshot::Sender<Response>) {
        sleep(latency).await;
        let html = |status| answered(status, "text/html", b"<html>one moment</html>");
        match fault {
            "lost request" => sleep(Duration::from_secs(400)).await,
            "lost reply" => drop(self.handle()),
            "late" => {
                sleep(late).await;
                drop(tell.send(self.handle()));
            }
            "busy" => {
                let mut busy = answered(429, "application/json", b"{}");
                busy.headers.push(("retry-after".to_owned(), "3".to_owned()));
                drop(tell.send(busy));
            }
            "error" => drop(tell.send(answered(503, "application/json", b"{}"))),
            "error after" => {
                self.handle();
                drop(tell.send(html(502)));
            }
            "html" => drop(tell.send(html(200))),
            "truncated" => {
                let mut response = self.handle();
                if let Some(half) = http::halved(&response.body) {
                    response.body = half;
                    drop(tell.send(response));
                }
            }
            "repeated" => {
                drop(tell.send(self.handle()));
                sleep(late).await;
                self.handle();
            }
            "second answer" => {
                self.handle();
                drop(tell.send(self.handle()));
            }
            _ => drop(tell.send(self.handle())),
        }
    }

    fn handle(&self) -> Response {
        let http::Response { status, headers, body } = open(&self.pair).handle(self.side, &self.clock, &self.request);
        Response { status, headers, body }
    }
}

fn answered(status: u16, media: &str, body: &[u8]) -> Response {
    Response { status, headers: vec![("content-type".to_owned(), media.to_owned())], body: body.to_vec() }
}

/// Nothing that is asked here holds anything drawn.
#[derive(Debug)]
pub(super) struct Dice;

impl Rng for Dice {
    fn draw(&self) -> u128 {
        0
    }
}
