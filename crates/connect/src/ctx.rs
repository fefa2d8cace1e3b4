//! What a connector may use: a transport, a clock, and a bound on calls in flight.

use crate::error::{Error, Evidence, Result};
use crate::gzip;
use crate::transport::{Effect, Request, Response, Transport, TransportError};
use jiff::Timestamp;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use syncline_core::policy::ErrorKind;
use tokio::sync::Semaphore;

/// The wall clock.
pub trait Clock: Debug + Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Randomness nobody can foresee.
pub trait Rng: Debug + Send + Sync {
    /// 128 bits, others each time.
    fn draw(&self) -> u128;
}

/// What is done to a request right before it leaves, e.g. a signature that holds for one sending.
pub type Sign<'s> = dyn Fn(&mut Request) + Sync + 's;

/// What the calls of one system have met lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Calls made.
    pub calls: u64,
    /// Calls that failed for want of an answer.
    pub unanswered: u64,
    /// No call before this moment: the system asked for it, or several calls in a row went unanswered.
    pub not_before: Option<Timestamp>,
    /// Calls that went unanswered in a row.
    pub in_a_row: u32,
    /// How often the circuit has opened since the last answer.
    pub opened: u32,
}

/// The context of one connected system.
#[derive(Debug, Clone)]
pub struct Ctx {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    slots: Arc<Semaphore>,
    side_by_side: usize,
    health: Arc<Mutex<Health>>,
    timeout: Duration,
}

/// How often a read is sent before it counts as failed.
const READ_ATTEMPTS: u32 = 3;
/// Unanswered calls in a row after which the circuit opens.
const CIRCUIT_OPENS_AT: u32 = 5;
/// Seconds the circuit stays open the first time; twice as long each time no answer came in between.
const CIRCUIT_OPEN_S: u32 = 5;
/// Seconds it stays open at most.
const CIRCUIT_OPEN_MOST_S: u32 = 60;
/// Longest rest of a system, in milliseconds, that a call waits out by itself.
const WAITS_IN_PLACE_MS: i128 = 6_000;

impl Ctx {
    /// A context over `transport`, `clock` and `rng` with at most `in_flight` calls at once, each waiting at most `timeout`.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        in_flight: usize,
        timeout: Duration,
    ) -> Self {
        let side_by_side = in_flight.max(1);
        let slots = Arc::new(Semaphore::new(side_by_side));
        Self { transport, clock, rng, slots, side_by_side, health: Arc::default(), timeout }
    }

    /// Calls that are made at once at most.
    #[must_use]
    pub fn side_by_side(&self) -> usize {
        self.side_by_side
    }

    /// 128 bits that were never drawn before.
    #[must_use]
    pub fn draw(&self) -> u128 {
        self.rng.draw()
    }

    /// Now, by the wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What its calls have met lately.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.lock().map(|h| h.clone()).unwrap_or_default()
    }

    /// Longest wait for one answer.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The answer to a call. A read that goes unanswered is sent up to three times; a write never twice.
    ///
    /// # Errors
    /// `Unreachable` where no answer came (evidence says whether bytes left), `Busy` while the circuit is open,
    /// `Config` for a certificate that is not accepted or a request that cannot be made, `Broken` for an answer beyond the limit.
    pub async fn call(&self, request: Request) -> std::result::Result<Response, CallError> {
        self.call_signed(request, &|_| ()).await
    }

    /// The same; `sign` completes the request anew each time it is sent.
    ///
    /// # Errors
    /// As [`Ctx::call`].
    pub async fn call_signed(&self, request: Request, sign: &Sign<'_>) -> std::result::Result<Response, CallError> {
        let attempts = if request.effect == Effect::Read { READ_ATTEMPTS } else { 1 };
        let mut attempt = 1;
        loop {
            self.rest().await.map_err(|error| CallError { error, sent: false })?;
            match self.once(&request, sign).await {
                Err(failed) if attempt < attempts && failed.error.kind == ErrorKind::Unreachable => {
                    tokio::time::sleep(Duration::from_millis(150 * u64::from(attempt))).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn once(&self, request: &Request, sign: &Sign<'_>) -> std::result::Result<Response, CallError> {
        let not_sent = |error| CallError { error, sent: false };
        let Ok(_slot) = self.slots.acquire().await else {
            return Err(not_sent(Error::new(ErrorKind::Unreachable, "the system's calls are shut down")));
        };
        if let Effect::Write { deadline, .. } = &request.effect
            && self.now() > *deadline
        {
            return Err(not_sent(Error::new(ErrorKind::Stale, "its deadline passed before the first byte left")));
        }
        let mut leaving = request.clone();
        sign(&mut leaving);
        let answer = self.transport.send(leaving).await;
        self.note(&answer);
        let response = answer.map_err(|failure| failed(request, failure))?;
        gzip::decoded(response).map_err(|why| {
            let kind = match why {
                gzip::Unpacked::Damaged(_) => ErrorKind::Unreachable,
                gzip::Unpacked::TooLong => ErrorKind::Broken,
            };
            let message = format!("{} {}: {why}", request.method, shown(&request.url));
            CallError { error: Error::new(kind, message), sent: true }
        })
    }

    /// Waits while the system rests, where that is soon over; else `Busy` with the seconds to wait.
    async fn rest(&self) -> Result<()> {
        let Some(until) = self.health().not_before else { return Ok(()) };
        let wait = until.duration_since(self.now()).as_millis();
        if wait <= 0 {
            return Ok(());
        }
        if wait <= WAITS_IN_PLACE_MS {
            tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
            return Ok(());
        }
        let mut error = Error::new(ErrorKind::Busy, format!("no call before {until}: the system is resting"));
        error.retry_after_s = u32::try_from(wait / 1000 + 1).ok();
        Err(error)
    }

    fn note(&self, answer: &std::result::Result<Response, TransportError>) {
        let Ok(mut health) = self.health.lock() else { return };
        health.calls += 1;
        match answer {
            Ok(response) => {
                health.in_a_row = 0;
                health.opened = 0;
                let busy = matches!(response.status, 429 | 503);
                let asked = response.header("retry-after").and_then(|text| text.trim().parse::<u32>().ok());
                health.not_before = match (busy, asked) {
                    (true, Some(seconds)) => Some(syncline_core::delivery::after(self.clock.now(), seconds.min(900))),
                    _ => None,
                };
            }
            Err(TransportError::TooLong(_)) => health.in_a_row = 0,
            Err(_) => {
                health.unanswered += 1;
                health.in_a_row += 1;
                if health.in_a_row >= CIRCUIT_OPENS_AT {
                    // The next call after the rest is a trial: one more without an answer opens it again.
                    health.in_a_row = CIRCUIT_OPENS_AT - 1;
                    let rest_s = CIRCUIT_OPEN_S.saturating_mul(2u32.saturating_pow(health.opened));
                    health.opened = health.opened.saturating_add(1);
                    let now = self.clock.now();
                    health.not_before = Some(syncline_core::delivery::after(now, rest_s.min(CIRCUIT_OPEN_MOST_S)));
                }
            }
        }
    }
}

/// A call without a usable answer, and whether its request may have arrived.
#[derive(Debug, Clone)]
pub struct CallError {
    /// What went wrong.
    pub error: Error,
    /// Whether any byte of the request may have left.
    pub sent: bool,
}

impl From<CallError> for Error {
    fn from(failed: CallError) -> Self {
        failed.error
    }
}

fn failed(request: &Request, failure: TransportError) -> CallError {
    let place = format!("{} {}", request.method, shown(&request.url));
    let (kind, message, sent) = match failure {
        TransportError::NotSent(why) => (ErrorKind::Unreachable, format!("{place}: {why}"), false),
        TransportError::Unsendable(why) => {
            let what = "no request can be made of what the file says; look at its url and its secrets";
            (ErrorKind::Config, format!("{place}: {what}: {why}"), false)
        }
        TransportError::Tls(why) => {
            let what = "the certificate or TLS set-up of the other side is not accepted";
            (ErrorKind::Config, format!("{place}: {what}: {why}"), false)
        }
        TransportError::Lost(why) => (ErrorKind::Unreachable, format!("{place}: no answer: {why}"), true),
        TransportError::TooLong(limit) => {
            (ErrorKind::Broken, format!("{place}: the answer is longer than {limit} bytes and was not read"), true)
        }
    };
    let evidence =
        Evidence { request: place, sent: Evidence::excerpt(&request.body), status: 0, received: String::new() };
    CallError { error: Error::new(kind, message).with(evidence), sent }
}

/// An address for messages: query and all, at most 300 characters.
#[must_use]
pub fn shown(url: &str) -> String {
    syncline_core::text::shown(url, 300)
}

/// The evidence of one exchange.
#[must_use]
pub fn evidence(request: &Request, response: &Response) -> Evidence {
    Evidence {
        request: format!("{} {}", request.method, shown(&request.url)),
        sent: Evidence::excerpt(&request.body),
        status: response.status,
        received: Evidence::excerpt(&response.body),
    }
}

/// `result` as a plain [`Result`].
///
/// # Errors
/// The call's error.
pub fn plain<T>(result: std::result::Result<T, CallError>) -> Result<T> {
    result.map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Fut;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[derive(Debug, Default)]
    struct Network {
        answers: AtomicBool,
    }

    impl Transport for Network {
        fn send(&self, _: Request) -> Fut<'_, std::result::Result<Response, TransportError>> {
            let answer = if self.answers.load(Ordering::Relaxed) {
                Ok(Response { status: 200, headers: Vec::new(), body: Vec::new() })
            } else {
                Err(TransportError::Lost("silence".to_string()))
            };
            Box::pin(std::future::ready(answer))
        }
    }

    #[derive(Debug, Default)]
    struct Hands(Mutex<Timestamp>);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    impl Rng for Hands {
        fn draw(&self) -> u128 {
            0
        }
    }

    #[test]
    fn a_system_that_stays_silent_is_asked_ever_more_rarely_until_it_answers() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (network, hands) = (Arc::new(Network::default()), Arc::new(Hands::default()));
        let ctx = Ctx::new(network.clone(), hands.clone(), hands.clone(), 1, Duration::from_secs(1));
        let call = || {
            let effect = Effect::Write { notes: Vec::new(), deadline: Timestamp::MAX };
            let (url, timeout) = ("http://erp.example/".to_string(), Duration::from_secs(1));
            let request = Request { method: "POST", url, headers: Vec::new(), body: Vec::new(), effect, timeout };
            runtime.block_on(ctx.call(request))
        };
        let mut rests = Vec::new();
        for n in 0..10 {
            assert!(call().is_err());
            let Some(until) = ctx.health().not_before else { continue };
            assert!(n >= 4, "the circuit opens after five");
            rests.push(until.duration_since(hands.now()).as_secs());
            *hands.0.lock().unwrap() = until;
        }
        assert_eq!(rests, [5, 10, 20, 40, 60, 60]);
        network.answers.store(true, Ordering::Relaxed);
        assert!(call().is_ok());
        assert_eq!((ctx.health().opened, ctx.health().not_before), (0, None));
    }
}
