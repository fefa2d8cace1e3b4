//! The simulated network: a request belongs to the world from its first poll, so dropping its future does not call it back.

use super::clock::SimClock;
use super::weather::Fault;
use super::world::{Shared, Which, open};
use std::sync::Arc;
use std::time::Duration;
use syncline_connect::{Effect, Request, Response, Transport, TransportError};
use syncline_sim::http;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// The way to one system.
#[derive(Debug)]
pub struct Net {
    pub world: Shared,
    pub clock: Arc<SimClock>,
    pub which: Which,
}

type Answer = oneshot::Sender<Response>;

impl Transport for Net {
    fn send(&self, request: Request) -> syncline_connect::Fut<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let limit = request.timeout;
            let (tell, told) = oneshot::channel();
            let write = matches!(request.effect, Effect::Write { .. });
            let refused = || TransportError::NotSent("the connection was refused".to_string());
            let (fault, latency) = {
                let mut world = open(&self.world);
                if let Effect::Write { notes, .. } = &request.effect {
                    world.leaving(notes, &request.url);
                }
                if world.down.contains(&self.which) {
                    return Err(refused());
                }
                (world.draw(), world.random.between(5, 900))
            };
            let flight = Flight {
                world: self.world.clone(),
                clock: self.clock.clone(),
                which: self.which,
                write,
                request: wire(request),
            };
            tokio::spawn(flight.fly(fault, latency, tell));
            match timeout(limit, told).await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(_)) => Err(TransportError::Lost("the connection was closed".to_string())),
                Err(_) => Err(TransportError::Lost("timed out".to_string())),
            }
        })
    }
}

/// A request under way.
struct Flight {
    world: Shared,
    clock: Arc<SimClock>,
    which: Which,
    write: bool,
    request: http::Request,
}

impl Flight {
    async fn fly(self, fault: Fault, latency: u64, tell: Answer) {
        sleep(Duration::from_millis(latency)).await;
        match fault {
            Fault::LostRequest => sleep(Duration::from_secs(400)).await,
            Fault::Busy(seconds) => {
                answer(tell, 429, &[("retry-after", seconds.to_string())], b"{\"message\":\"Too Many Requests\"}")
            }
            Fault::Error => answer(tell, 503, &[], b"{\"message\":\"Service Unavailable\"}"),
            Fault::Html => answer(tell, 200, &[("content-type", "text/html".to_string())], b"<html>one moment</html>"),
            Fault::Late(seconds) => {
                sleep(Duration::from_secs(seconds)).await;
                let response = self.handle();
                self.reply(tell, response);
            }
            Fault::LostReply => {
                self.handle();
            }
            Fault::ErrorAfter => {
                self.handle();
                answer(tell, 502, &[("content-type", "text/html".to_string())], b"<html>bad gateway</html>");
            }
            Fault::Truncated => {
                let mut response = self.handle();
                if let Some(half) = http::halved(&response.body) {
                    response.body = half;
                    self.reply(tell, response);
                }
            }
            Fault::Repeated(seconds) => {
                let response = self.handle();
                self.reply(tell, response);
                sleep(Duration::from_secs(seconds)).await;
                // What no guard of the shop keeps from happening twice is not repeated (decision 0023).
                if !http::is_past_guards(&self.request) {
                    self.handle();
                }
            }
            Fault::None => {
                let response = self.handle();
                self.reply(tell, response);
            }
        }
    }

    fn handle(&self) -> http::Response {
        open(&self.world).handle(self.which, &self.clock, &self.request, self.write)
    }

    fn reply(&self, tell: Answer, response: http::Response) {
        // Nobody may be waiting any more; the effect stays.
        drop(tell.send(Response { status: response.status, headers: response.headers, body: response.body }));
    }
}

fn answer(tell: Answer, status: u16, headers: &[(&str, String)], body: &[u8]) {
    let headers = headers.iter().map(|(name, value)| ((*name).to_string(), value.clone())).collect();
    drop(tell.send(Response { status, headers, body: body.to_vec() }));
}

/// A request as the simulated system receives it.
pub fn wire(request: Request) -> http::Request {
    let after_scheme = request.url.split_once("://").map_or(request.url.as_str(), |(_, rest)| rest);
    let target = after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/").to_string();
    let headers = request.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    let headers = headers.chain([("accept-encoding".to_string(), "gzip".to_string())]).collect();
    http::Request { method: request.method.to_string(), target, headers, body: request.body }
}
