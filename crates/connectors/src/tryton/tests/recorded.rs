//! Against answers as a running Tryton 8.0 gave them (`fixtures/answers.json`), and what a network adds to them.

use super::super::Config;
use super::super::client::{Client, Failed};
use super::bench::{Bench, run};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use syncline_connect::{Clock, Ctx, Effect, Fut, Request, Response, Rng, Transport, TransportError};
use syncline_core::policy::ErrorKind;

type Answer = Result<Response, TransportError>;

/// Gives one answer to every request, and keeps the requests.
#[derive(Debug)]
struct Always {
    answer: Answer,
    asked: Mutex<Vec<Request>>,
}

impl Transport for Always {
    fn send(&self, request: Request) -> Fut<'_, Answer> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answer.clone();
        Box::pin(async { answer })
    }
}

#[derive(Debug)]
struct Noon;

impl Rng for Noon {
    fn draw(&self) -> u128 {
        0
    }
}

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }
}

#[derive(Deserialize)]
struct Recording {
    answers: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Recorded {
    name: String,
    outcome: String,
    kind: ErrorKind,
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

fn recorded() -> Vec<Recorded> {
    serde_json::from_str::<Recording>(include_str!("../fixtures/answers.json")).unwrap().answers
}

fn ctx(answer: Answer) -> (Ctx, Arc<Always>) {
    let transport = Arc::new(Always { answer, asked: Mutex::default() });
    let ctx = Ctx::new(
        Arc::clone(&transport) as Arc<dyn Transport>,
        Arc::new(Noon),
        Arc::new(Noon),
        2,
        std::time::Duration::from_secs(1),
    );
    (ctx, transport)
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect();
    Ok(Response { status, headers, body: body.as_bytes().to_vec() })
}

fn config() -> Config {
    Config::new("https://erp.test/acme/", "sync", "secret-word")
}

/// What a write comes to that is answered so.
fn written(answer: Answer) -> Result<serde_json::Value, Failed> {
    let (ctx, _) = ctx(answer);
    let effect = Effect::Write { notes: Vec::new(), deadline: Timestamp::MAX };
    let params = serde_json::json!([]);
    run(Client::new(&config()).write(&ctx, "model.sale.sale.create", params, effect))
}

fn sorted(failed: &Failed) -> (&'static str, ErrorKind) {
    match failed {
        Failed::Refused(error) | Failed::Asked(_, error) => ("refused", error.kind),
        Failed::Unknown(error) => ("unknown", error.kind),
    }
}

#[test]
fn every_recorded_refusal_means_what_it_says() {
    for one in recorded() {
        let headers = one.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
        let failed = written(response(one.status, &headers, &one.body)).unwrap_err();
        assert_eq!(sorted(&failed), (one.outcome.as_str(), one.kind), "{}: {failed:?}", one.name);
        let error = failed.error();
        assert!(error.message.chars().count() <= 700 && !error.message.contains('\n'), "{}", error.message);
        assert!(error.message.starts_with("https://erp.test/acme/rpc/ model.sale.sale.create"), "{}", error.message);
        let shown = format!("{error:?}");
        assert!(!shown.contains("secret-word") && !shown.contains("authorization"), "{shown}");
    }
}

#[test]
fn an_answer_that_says_nothing_leaves_a_write_unknown() {
    let page = "<html><body>Bad gateway</body></html>";
    let unsaid = [
        response(502, &[], page),
        response(504, &[], page),
        response(503, &[("retry-after", "7")], page),
        response(200, &[("content-type", "text/html")], page),
        response(200, &[], "{\"id\":1,\"result\":[1"),
        response(200, &[], "{\"id\":2,\"result\":[1]}"),
        response(200, &[], "{\"id\":1,\"error\":[\"server closed the connection unexpectedly\",\"\"]}"),
        Err(TransportError::Lost("timed out".into())),
        Err(TransportError::TooLong(5)),
    ];
    for answer in unsaid {
        let failed = written(answer.clone()).unwrap_err();
        assert_eq!(sorted(&failed).0, "unknown", "{answer:?}");
    }
    let Err(Failed::Unknown(busy)) = written(response(503, &[("retry-after", "7")], page)) else {
        panic!("not unknown")
    };
    assert_eq!((busy.kind, busy.retry_after_s), (ErrorKind::Busy, Some(7)));
}

#[test]
fn what_never_arrived_or_was_turned_away_is_refused() {
    let turned_away = [
        (response(429, &[("retry-after", "3")], ""), ErrorKind::Busy),
        (response(404, &[], "<h1>Not here</h1>"), ErrorKind::Config),
        (response(200, &[], "{\"id\":1,\"error\":[\"database is locked\",\"\"]}"), ErrorKind::Busy),
        (Err(TransportError::NotSent("refused".into())), ErrorKind::Unreachable),
        (Err(TransportError::Tls("unknown issuer".into())), ErrorKind::Config),
    ];
    for (answer, kind) in turned_away {
        let failed = written(answer.clone()).unwrap_err();
        assert_eq!(sorted(&failed), ("refused", kind), "{answer:?}");
    }
}

#[test]
fn an_answer_of_null_is_a_result() {
    assert_eq!(written(response(200, &[], "{\"id\":1,\"result\":null}")).unwrap(), serde_json::Value::Null);
}

#[test]
fn a_call_goes_to_the_database_with_the_login() {
    let (ctx, transport) = ctx(response(200, &[], "{\"id\":1,\"result\":[7]}"));
    let found: Vec<i64> =
        run(Client::new(&config()).read(&ctx, "model.party.party.search", serde_json::json!([[], {}]))).unwrap();
    assert_eq!(found, [7]);
    let asked = transport.asked.lock().unwrap();
    let request = asked.first().unwrap();
    assert_eq!((request.method, request.url.as_str()), ("POST", "https://erp.test/acme/rpc/"));
    assert_eq!(request.effect, Effect::Read);
    assert!(request.headers.contains(&("authorization".into(), "Basic c3luYzpzZWNyZXQtd29yZA==".into())));
    let body = String::from_utf8(request.body.clone()).unwrap();
    assert_eq!(body, "{\"id\":1,\"method\":\"model.party.party.search\",\"params\":[[],{}]}");
}

#[test]
fn an_address_may_be_written_in_several_ways() {
    use super::super::config::addresses;
    for url in [
        "https://h.example/acme",
        "https://h.example/acme/",
        "https://h.example/acme/rpc/",
        " https://h.example/acme/rpc ",
    ] {
        let found = addresses(url).unwrap();
        assert_eq!(
            (found.database.as_str(), found.server.as_str()),
            ("https://h.example/acme/rpc/", "https://h.example/rpc/")
        );
    }
    assert_eq!(addresses("http://h:1/erp/acme").unwrap().server, "http://h:1/erp/rpc/");
    for url in [
        "",
        "h.example/acme",
        "https://h.example",
        "https://h.example/",
        "https://u:p@h.example/a",
        "ftp://h/a",
        "https://h/rpc/",
    ] {
        assert_eq!(addresses(url).unwrap_err().kind, ErrorKind::Config, "{url} was taken");
    }
}

#[test]
fn a_wrong_address_shows_with_the_first_call() {
    use syncline_connect::Connector;
    let transport = Arc::new(Always { answer: response(200, &[], ""), asked: Mutex::default() });
    let bench = Bench::new(Config::new("erp.example", "a", "b"), transport, Arc::new(Noon));
    let error = run(bench.erp.probe(&bench.ctx)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(!format!("{:?}", bench.erp).contains("\"b\""));
}
