//! Against a running Tryton 8.0, where `SYNCLINE_TRYTON_URL`, `_LOGIN` and `_PASSWORD` name one (`_WAREHOUSE` too where
//! it has several and no web shop).

use super::super::Config;
use super::bench::{Bench, run};
use super::walk;
use jiff::Timestamp;
use std::sync::Arc;
use syncline_connect::Clock;
use syncline_connect::http::Http;

#[derive(Debug)]
struct Wall;

impl Clock for Wall {
    #[expect(clippy::disallowed_methods, reason = "a test against a real system runs in real time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

fn named() -> Option<Config> {
    let told = |name: &str| std::env::var(name).ok();
    let url = told("SYNCLINE_TRYTON_URL")?;
    let config = Config::new(url, told("SYNCLINE_TRYTON_LOGIN")?, told("SYNCLINE_TRYTON_PASSWORD")?);
    Some(Config { warehouse: told("SYNCLINE_TRYTON_WAREHOUSE"), ..config })
}

#[test]
fn a_live_tryton_takes_an_order_once() {
    let Some(config) = named() else {
        println!("live: skipped, no Tryton is named");
        return;
    };
    let bench = Bench::new(config, Arc::new(Http::new().unwrap()), Arc::new(Wall));
    run(walk::all(&bench));
    run(super::product::walk(&bench));
    run(super::price::walk(&bench));
    println!("live: ran against the named Tryton");
}

#[test]
fn a_live_tryton_tells_its_papers() {
    let Some(config) = named() else {
        println!("live: skipped, no Tryton is named");
        return;
    };
    let bench = Bench::new(config, Arc::new(Http::new().unwrap()), Arc::new(Wall));
    run(super::paper::look(&bench));
}

#[test]
fn a_live_tryton_books_payments_once() {
    let Some(config) = named() else {
        println!("live: skipped, no Tryton is named");
        return;
    };
    let bench = Bench::new(config, Arc::new(Http::new().unwrap()), Arc::new(Wall));
    let booked = run(super::payment::walk(&bench));
    println!("live: {}", if booked { "payments were booked" } else { "skipped, it has no payment method" });
}
