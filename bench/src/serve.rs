//! Both APIs over HTTP, with what the run asks about them.

use crate::target::{Done, Target, Told, index};
use crate::world::World;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Records of one request at most.
const TOGETHER: usize = 1_000;

/// How slow and how narrow the target is.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Milliseconds that each of its calls takes.
    pub latency_ms: u64,
    /// Calls it works on side by side; the others wait. Nothing for any number.
    pub at_once: usize,
}

struct Both {
    world: World,
    target: Target,
    source_calls: u64,
    target_calls: u64,
}

struct App {
    both: Mutex<Both>,
    limits: Limits,
    slots: Option<Semaphore>,
}

type Answer = Response<Full<Bytes>>;

fn json(status: u16, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    answer.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    answer
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

fn number(query: &str, name: &str, usual: u64) -> u64 {
    parameter(query, name).and_then(|value| value.parse().ok()).unwrap_or(usual)
}

fn size(query: &str) -> (usize, usize) {
    let limit = usize::try_from(number(query, "limit", 100).clamp(1, 1_000)).unwrap_or(100);
    let page = usize::try_from(number(query, "page", 1).max(1)).unwrap_or(1);
    ((page - 1).saturating_mul(limit), limit)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Serves until it is ended. Its first line says where.
pub async fn serve(world: World, known: u64, limits: Limits, port: u16) -> Result<(), String> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|e| format!("port {port}: {e}"))?;
    let at = listener.local_addr().map_err(|e| e.to_string())?;
    let both = Both { world, target: Target::new(world, known), source_calls: 0, target_calls: 0 };
    let slots = (limits.at_once > 0).then(|| Semaphore::new(limits.at_once));
    let app = Arc::new(App { both: Mutex::new(both), limits, slots });
    println!("{{\"url\":\"http://{at}\"}}");
    loop {
        let (stream, _) = listener.accept().await.map_err(|e| e.to_string())?;
        stream.set_nodelay(true).map_err(|e| e.to_string())?;
        let app = app.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answered(app.clone(), request));
            let mut server = hyper::server::conn::http1::Builder::new();
            drop(server.pipeline_flush(true).serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answered(app: Arc<App>, request: Request<Incoming>) -> Result<Answer, hyper::Error> {
    let (head, body) = request.into_parts();
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    if path == "/src/products" {
        return Ok(app.open().source(query));
    }
    if let Some(asked) = path.strip_prefix("/ctl/") {
        return Ok(app.open().control(asked, query));
    }
    let Some(rest) = path.strip_prefix("/dst/items") else { return Ok(json(404, "{}")) };
    let body = body.collect().await?.to_bytes();
    let _slot = match &app.slots {
        Some(slots) => slots.acquire().await.ok(),
        None => None,
    };
    if app.limits.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(app.limits.latency_ms)).await;
    }
    Ok(app.open().target(&head.method, rest, query, &body))
}

impl App {
    fn open(&self) -> MutexGuard<'_, Both> {
        self.both.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Many at once.
#[derive(Deserialize)]
struct Many<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

impl Both {
    /// A page of the source: all products, or those that changed.
    fn source(&mut self, query: &str) -> Answer {
        self.source_calls += 1;
        let (skip, limit) = size(query);
        let changed = parameter(query, "updated_since").is_some();
        let total = if changed { self.world.changed } else { self.world.products };
        let from = u64::try_from(skip).unwrap_or(u64::MAX).min(total);
        let to = from.saturating_add(u64::try_from(limit).unwrap_or(0)).min(total);
        let mut out = String::with_capacity(limit * (self.world.bytes + 8) + 64);
        out.push_str("{\"items\":[");
        for place in from..to {
            if place > from {
                out.push(',');
            }
            self.world.tell(if changed { self.world.changed_one(place) } else { place }, &mut out);
        }
        let page = skip / limit + 1;
        let _ = write!(out, "],\"page\":{page},\"total\":{total},\"next\":");
        let _ = if to < total { write!(out, "{}}}", page + 1) } else { write!(out, "null}}") };
        json(200, out)
    }

    fn target(&mut self, method: &Method, rest: &str, query: &str, body: &[u8]) -> Answer {
        self.target_calls += 1;
        match (method, rest) {
            (&Method::GET, "") => self.listed(query),
            (&Method::POST, "") => match serde_json::from_slice::<Told<'_>>(body) {
                Ok(told) => {
                    let done = self.target.create(&told, now());
                    self.answer(done, 201)
                }
                Err(_) => json(422, "{\"error\":\"no item\"}"),
            },
            (&Method::POST | &Method::PUT, "/batch") => self.together(*method == Method::POST, body),
            (_, rest) => {
                let Some(at) = rest.strip_prefix('/').and_then(index) else { return json(404, "{}") };
                match *method {
                    Method::GET => self.answer(Ok(at), 200),
                    Method::PUT | Method::PATCH => match serde_json::from_slice::<Told<'_>>(body) {
                        Ok(told) => {
                            let done = self.target.update(at, told, now());
                            self.answer(done, 200)
                        }
                        Err(_) => json(422, "{\"error\":\"no item\"}"),
                    },
                    _ => json(405, "{}"),
                }
            }
        }
    }

    fn listed(&self, query: &str) -> Answer {
        let (indexes, more) = match parameter(query, "number") {
            Some(number) => (self.target.find(number).into_iter().collect(), false),
            None => {
                let (skip, limit) = size(query);
                self.target.page(number(query, "modified_since", 0), skip, limit)
            }
        };
        let mut out = String::from("{\"items\":[");
        for (n, index) in indexes.into_iter().enumerate() {
            if n > 0 {
                out.push(',');
            }
            self.target.tell(index, &mut out);
        }
        let _ = write!(out, "],\"more\":{more}}}");
        json(200, out)
    }

    fn answer(&self, done: Done, status: u16) -> Answer {
        let mut out = String::with_capacity(1_200);
        match done {
            Ok(index) if self.target.tell(index, &mut out) => json(status, out),
            Ok(_) => json(404, "{\"error\":\"no such item\"}"),
            Err((status, index)) => json(status, format!("{{\"error\":\"refused\",\"id\":\"i{index:010}\"}}")),
        }
    }

    fn together(&mut self, creates: bool, body: &[u8]) -> Answer {
        let Ok(many) = serde_json::from_slice::<Many<'_>>(body) else { return json(422, "{\"error\":\"no items\"}") };
        if many.items.len() > TOGETHER {
            return json(413, "{\"error\":\"too many\"}");
        }
        let (now, mut out) = (now(), String::with_capacity(body.len() + 64));
        out.push_str("{\"results\":[");
        for (n, item) in many.items.iter().enumerate() {
            let Ok(told) = serde_json::from_str::<Told<'_>>(item.get()) else { return json(422, "{}") };
            let (done, status) = match creates {
                true => (self.target.create(&told, now), 201),
                false => (told.index().ok_or((404, 0)).and_then(|at| self.target.update(at, told, now)), 200),
            };
            if n > 0 {
                out.push(',');
            }
            let (status, index) = done.map_or_else(|refused| refused, |index| (status, index));
            let number = told.number().unwrap_or_default();
            let _ = write!(out, "{{\"number\":\"{number}\",\"id\":\"i{index:010}\",\"status\":{status},\"item\":");
            if !self.target.tell(index, &mut out) {
                out.push_str("null");
            }
            out.push('}');
        }
        out.push_str("]}");
        json(200, out)
    }

    fn control(&mut self, asked: &str, query: &str) -> Answer {
        match asked {
            "told" => {
                let (source, target) = (self.source_calls, self.target_calls);
                let told = self.target.told();
                json(200, format!("{{\"source_calls\":{source},\"target_calls\":{target},\"target\":{told}}}"))
            }
            "expected" => {
                let products = number(query, "n", self.world.products);
                json(200, format!("{{\"items\":{products},\"sum\":\"{:016x}\"}}", self.world.sum_of(products)))
            }
            "change" => {
                self.world.changed = number(query, "n", 0).min(self.world.products);
                json(200, "{}")
            }
            "reset" => {
                self.target = Target::new(self.world, number(query, "known", 0));
                (self.source_calls, self.target_calls) = (0, 0);
                json(200, "{}")
            }
            _ => json(404, "{}"),
        }
    }
}
