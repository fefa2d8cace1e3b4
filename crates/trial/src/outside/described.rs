//! Answers of an API that only the file describes: all but one are those of a simulated one.

use super::spoilt::Spoilt;
use super::systems::Die;
use super::{records, within};
use crate::ring2::{SimClock, wire};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use syncline_connect::{Connector, Ctx, Cursor, Fut, Lookup, Request, Response, Transport, TransportError};
use syncline_connectors::http_json::{Auth, Config as Api, HttpJson};
use syncline_core::id::{RemoteId, SystemName};
use syncline_core::kind::Kind;
use syncline_engine::config::Config;
use syncline_sim::http::{self, System};
use syncline_sim::json_api::{self, Product, Shape};

/// Both systems of the file that shows how it is done.
const EXAMPLE: &str = include_str!("../../../connectors/src/http_json/fixtures/example.toml");
/// Pages of one walk that are followed.
const PAGES: usize = 4;
/// Products there are: two pages of either.
const PRODUCTS: i64 = 60;

/// The first byte says which of the two is asked and what for, the others spoil an answer.
pub(super) fn described(told: &[u8]) {
    let Some((first, rest)) = told.split_first() else { return };
    let (which, ask) = (first.wrapping_sub(b'A') % 10 / 5, first.wrapping_sub(b'A') % 5);
    let (pim, store) = (described_as("pim"), described_as("store"));
    let (shape, own) = if which == 0 { (Shape::Flat, &pim) } else { (Shape::Nested, &store) };
    within(asked(shape, own, ask, Spoilt::of(rest), &[&pim, &store]));
}

async fn asked(shape: Shape, own: &HttpJson, ask: u8, spoilt: Spoilt, sides: &[&dyn Connector]) {
    let ctx = ctx(shape, spoilt);
    match ask {
        0 => drop(own.probe(&ctx).await.inspect_err(records::refused)),
        1 => {
            let mut since = Cursor::default();
            for _ in 0..PAGES {
                let told = own.changes(&ctx, Kind::Variant, &since).await.inspect_err(records::refused);
                let Ok(page) = told else { return };
                page.seen.iter().for_each(|seen| records::seen(seen, sides));
                since = page.next;
            }
        }
        2 => {
            let mut after = Cursor::default();
            for _ in 0..PAGES {
                let told = own.keys(&ctx, Kind::Variant, &after).await.inspect_err(records::refused);
                let Ok(page) = told else { return };
                after = page.next;
            }
        }
        3 => {
            let ids = ["1", "2", "p-000001", "p-000002", "no such"].map(|id| RemoteId::new("", id));
            own.read(&ctx, Kind::Variant, &ids).await.iter().for_each(|one| records::told(one, sides));
        }
        _ => match own.find(&ctx, Kind::Variant, &Lookup::Number("S 1".to_owned())).await {
            Ok(found) => found.iter().for_each(|snapshot| records::held(snapshot, sides)),
            Err(error) => records::refused(&error),
        },
    }
}

/// The system `name` of the file.
#[expect(clippy::panic, reason = "a file that cannot be read is a mistake of the trial, and nothing was tried")]
fn described_as(name: &str) -> HttpJson {
    static FILE: OnceLock<Config> = OnceLock::new();
    let read = || Config::parse(Path::new("/etc/acme/syncline.toml"), EXAMPLE);
    let config = FILE.get_or_init(|| read().unwrap_or_else(|error| panic!("the example: {error}")));
    let system = config.systems.get(&SystemName::new(name));
    let Some((url, told)) = system.and_then(|system| Some((system.url.clone(), system.described.clone()?))) else {
        panic!("the example describes no `{name}`")
    };
    let auth = match told.token_header {
        Some(header) => Auth::Header(header, "secret".to_owned()),
        None => Auth::Bearer("secret".to_owned()),
    };
    HttpJson::new(Api { url, auth, per_second: None, variants: Some(told.variants) })
}

fn ctx(shape: Shape, spoilt: Spoilt) -> Ctx {
    let now = Timestamp::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    let mut api = json_api::Api::new(shape, "secret");
    for n in 0..PRODUCTS {
        let names = BTreeMap::from([("en".to_owned(), format!("Product {n}"))]);
        let (description, active) = ((n % 2 == 0).then(|| "what it is".to_owned()), n % 7 != 0);
        let (grams, cents) = (Some((n * 10).into()), (n % 3 != 0).then_some(n * 100));
        api.stock(Product { sku: format!("S {n}"), names, description, active, grams, cents, changed: now });
    }
    let road = Road { now, told: Mutex::new((api, spoilt)) };
    Ctx::new(Arc::new(road), Arc::new(SimClock::new(now)), Arc::new(Die), 4, Duration::from_secs(30))
}

/// The way to the simulated one. Only questions go this way.
#[derive(Debug)]
struct Road {
    now: Timestamp,
    told: Mutex<(json_api::Api, Spoilt)>,
}

impl Transport for Road {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, TransportError>> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (api, spoilt) = &mut *told;
        let mut answer = api.handle(self.now, &wire(request));
        spoilt.touch(&mut answer);
        let http::Response { status, headers, body } = answer;
        Box::pin(std::future::ready(Ok(Response { status, headers, body })))
    }
}
