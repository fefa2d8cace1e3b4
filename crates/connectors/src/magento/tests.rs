//! The connector against recorded answers, a simulated shop, and answers nobody expects.

mod attributes;
mod bundles;
mod categories;
mod credits;
mod families;
mod fits;
mod foreseen;
mod images;
mod invoices;
mod making;
mod paging;
mod papers;
mod payments;
mod prices;
mod pricing;
mod products;
mod shapes;
mod signed;
mod single;
mod stock;
mod talk;
mod websites;
mod world;

use super::map::{self, Stores};
use super::wire;
use serde_json::{Value, json};
use syncline_connect::{Error, Result};
use syncline_core::id::RemoteId;
use syncline_core::policy::ErrorKind;
use syncline_core::record::{Customer, Order, Record};

/// The recorded orders (recordings of 2.4.7, ours).
const RECORDED: [(&str, &str); 9] = [
    ("order-get", include_str!("fixtures/order-get.json")),
    ("order-get-guest", include_str!("fixtures/order-get-guest.json")),
    ("order-mixed-tax-coupon-eur", include_str!("fixtures/order-mixed-tax-coupon-eur.json")),
    ("order-cent-trap", include_str!("fixtures/order-cent-trap.json")),
    ("order-configurable-child", include_str!("fixtures/order-configurable-child.json")),
    ("order-bundle", include_str!("fixtures/order-bundle.json")),
    ("order-configurable", include_str!("fixtures/order-configurable.json")),
    ("order-two-addresses-emoji", include_str!("fixtures/order-two-addresses-emoji.json")),
    ("order-final", include_str!("fixtures/order-final.json")),
];

fn recorded(name: &str) -> Value {
    let (_, text) = RECORDED.iter().find(|(n, _)| *n == name).expect("a recording of that name");
    serde_json::from_str(text).expect("a recording is JSON")
}

/// One website (1) with one view (1) in New York; a second website (2) with a view (5) in Berlin.
fn stores() -> Stores {
    fn rows<T: serde::de::DeserializeOwned>(value: Value) -> Vec<T> {
        wire::typed(&value).expect("rows")
    }
    let views = rows::<wire::StoreView>(
        json!([{"id": 1, "code": "default", "website_id": 1}, {"id": 5, "code": "berlin", "website_id": 2}]),
    );
    let sites = rows::<wire::Website>(json!([
        {"id": 1, "code": "base", "name": "Main Website"}, {"id": 2, "code": "second", "name": "Zweite"}
    ]));
    let configs = json!([{"id": 1, "code": "default", "timezone": "America/New_York"}, {"id": 5, "code": "berlin", "timezone": "Europe/Berlin"}]);
    Stores::new(&views, &sites, &rows::<wire::StoreConfig>(configs))
}

fn mapped(value: &Value) -> Result<Vec<(RemoteId, Record)>> {
    let doc: wire::Order = wire::typed(value).map_err(|what| Error::new(ErrorKind::Broken, what))?;
    map::order(&doc, &stores())
}

/// The order, its customer, and the customer's id.
fn read(value: &Value) -> (Order, Customer, RemoteId) {
    let mut records = mapped(value).expect("an order that can be read").into_iter();
    match (records.next(), records.next()) {
        (Some((_, Record::Order(order))), Some((id, Record::Customer(customer)))) => (*order, customer, id),
        other => panic!("an order and its customer, not {other:?}"),
    }
}
