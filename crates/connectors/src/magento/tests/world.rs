//! A transport around a simulated shop, with faults by script.

use crate::magento::{Auth, Config, Magento};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use syncline_connect::{Clock, Ctx, Effect, Fut, Request, Response, Rng, Transport, TransportError};
use syncline_core::delivery::{Change, Noted, Permit, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Value};
use syncline_core::path::Path;
use syncline_sim::http::{Request as SimRequest, System};
use syncline_sim::magento::{Options, Shop};

pub(super) const TOKEN: &str = "integration-token";

/// What happens to one request instead of its plain answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// It is not handled, no byte of it left.
    NotSent,
    /// It is handled twice, as by a proxy that sends it again; the second answer comes.
    Twice,
    /// It is handled, the answer is lost.
    LostReply,
    /// It is not handled; this answer comes.
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    /// It is handled; the first bytes of the answer come.
    Cut(usize),
    /// It is handled; the row at this place of the answer's list was changed at this time meanwhile.
    Restamped(usize, &'static str),
    /// It is handled; the answer's list comes the other way round.
    Reversed,
}

/// Decides by address what a request meets.
pub(super) type Rule = Box<dyn FnMut(&Request) -> Fault + Send>;

/// The world: one shop, one clock, one rule.
pub(super) struct World {
    pub(super) shop: Shop,
    pub(super) now: Timestamp,
    /// Seconds our clock is ahead of the shop's.
    pub(super) ahead_s: i64,
    /// Numbers drawn so far.
    pub(super) drawn: u128,
    pub(super) faults: VecDeque<Fault>,
    pub(super) rule: Option<Rule>,
    /// Method and address of every request, writes with their note's attempt.
    pub(super) log: Vec<String>,
}

#[derive(Clone)]
pub(super) struct Held(pub(super) Arc<Mutex<World>>);

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held")
    }
}

impl Held {
    pub(super) fn new(orders: usize) -> Self {
        Self::stocked(60, orders)
    }

    /// A shop with so many products, at least, and orders.
    pub(super) fn stocked(products: usize, orders: usize) -> Self {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let shop = Shop::new(Options { seed: 5, products, orders, empty: orders == 0, now, token: TOKEN.into() });
        Self(Arc::new(Mutex::new(World {
            shop,
            now,
            ahead_s: 0,
            drawn: 0,
            faults: VecDeque::new(),
            rule: None,
            log: Vec::new(),
        })))
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

    /// The requests since the last time, decoded enough to be read.
    pub(super) fn log(&self) -> Vec<String> {
        self.with(|world| std::mem::take(&mut world.log))
    }
}

/// The answer with its list changed.
fn listed(mut response: Response, change: impl FnOnce(&mut Vec<Json>)) -> Response {
    let mut body: Json = serde_json::from_slice(&response.body).expect("JSON");
    if let Some(items) = body["items"].as_array_mut() {
        change(items);
    }
    response.body = body.to_string().into_bytes();
    response
}

impl Clock for Held {
    fn now(&self) -> Timestamp {
        self.with(|world| world.now + SignedDuration::from_secs(world.ahead_s))
    }
}

impl Rng for Held {
    fn draw(&self) -> u128 {
        self.with(|world| {
            world.drawn += 1;
            world.drawn
        })
    }
}

impl Transport for Held {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let mut world = self.0.lock().unwrap();
            let world = &mut *world;
            let target = request.url.strip_prefix("http://shop.example").expect("the shop's address").to_owned();
            let attempt = match &request.effect {
                Effect::Read => String::new(),
                Effect::Write { notes, .. } => format!(" as attempt {}", notes[0].attempt),
            };
            world.log.push(format!("{} {target}{attempt}", request.method));
            let by_rule = world.rule.as_mut().map(|rule| rule(&request));
            let fault = world.faults.pop_front().or(by_rule).unwrap_or(Fault::None);
            if let Fault::NotSent = fault {
                return Err(TransportError::NotSent("no route to host".into()));
            }
            if let Fault::Answer(status, headers, body) = fault {
                let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
                return Ok(Response { status, headers, body: body.as_bytes().to_vec() });
            }
            let sent =
                SimRequest { method: request.method.into(), target, headers: request.headers, body: request.body };
            if let Fault::Twice = fault {
                world.shop.handle(world.now, &sent);
            }
            let answer = world.shop.handle(world.now, &sent);
            let mut response = Response { status: answer.status, headers: answer.headers, body: answer.body };
            match fault {
                Fault::LostReply => Err(TransportError::Lost("connection closed".into())),
                Fault::Cut(bytes) => {
                    response.body.truncate(bytes);
                    Ok(response)
                }
                Fault::Restamped(at, time) => Ok(listed(response, |items| {
                    if let Some(item) = items.get_mut(at) {
                        item["updated_at"] = time.into();
                    }
                })),
                Fault::Reversed => Ok(listed(response, |items| items.reverse())),
                _ => Ok(response),
            }
        })
    }
}

impl Held {
    pub(super) fn now(&self) -> Timestamp {
        self.with(|world| world.now)
    }
}

/// The shop, by its integration's token.
pub(super) fn shop() -> Magento {
    by("http://shop.example/", Auth::Token(TOKEN.into()))
}

/// The shop, by an administrator's login.
pub(super) fn login(password: &str) -> Magento {
    by("http://shop.example", Auth::Login { user: "admin".into(), password: password.into() })
}

fn by(url: &str, auth: Auth) -> Magento {
    Magento::new(Config { papers: true, ..Config::new(url, auth) })
}

/// A permit to write `reference` on the order `id`, noted now, good for a minute.
pub(super) fn permit(now: Timestamp, id: &str, step: Step, reference: &str) -> Permit {
    let mut leaves = Leaves::new();
    leaves.put(Path::field("reference"), Value::Text(reference.into()));
    let change = Change {
        kind: Kind::Order,
        step,
        mark: Mark::new("SLTEST"),
        document: Some(RemoteId::new("1", id)),
        expect: None,
        elements: std::collections::BTreeMap::new(),
        adopt_only: false,
        leaves,
    };
    advance(Noted::committed(DeliveryId(7), Epoch(2), 3, now + SignedDuration::from_secs(60)), change)
}
