//! Simulated systems that nobody has a connector for: two JSON APIs of products that agree on nothing but what a product is.
//!
//! They have the traps of such APIs: a second product of one SKU is made without a word unless the system keeps SKUs apart, a
//! record that is put without a field loses it, moments are told by the second, and an answer to a write tells little.

mod shape;
#[cfg(test)]
mod tests;

use crate::books::Books;
use crate::http::{Edit, Request, Response, System};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Products of one request at most.
const TOGETHER: usize = 20;

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Numbered pages under `data`, prices in texts, weights in kilograms, a token as bearer, fields changed one by one.
    Flat,
    /// Pages linked to each other under `rows`, prices in cents, weights in grams, a key in a header, records put whole.
    Nested,
}

/// One product.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Product {
    /// Its SKU.
    pub sku: String,
    /// Names by locale; the flat one has English alone.
    pub names: BTreeMap<String, String>,
    /// What is told about it, in English.
    pub description: Option<String>,
    /// Whether it is offered.
    pub active: bool,
    /// Weight of one in grams.
    pub grams: Option<Decimal>,
    /// What is asked for it, in cents.
    pub cents: Option<i64>,
    /// When it was changed last.
    pub changed: Timestamp,
}

/// One API.
#[derive(Debug)]
pub struct Api {
    shape: Shape,
    secret: String,
    /// Whether a second product of one SKU is refused.
    keeps_apart: bool,
    /// Whether a create that carries a key it has seen makes nothing and tells what was made then.
    remembers: bool,
    products: BTreeMap<u64, Product>,
    keys: BTreeMap<String, u64>,
    last: u64,
    /// Requests that changed something.
    writes: u64,
}

impl Api {
    /// An empty one that is entered by `secret`.
    #[must_use]
    pub fn new(shape: Shape, secret: &str) -> Self {
        let (products, keys) = (BTreeMap::new(), BTreeMap::new());
        let secret = secret.to_owned();
        Self { shape, secret, keeps_apart: false, remembers: false, products, keys, last: 0, writes: 0 }
    }

    /// The same that refuses a second product of one SKU.
    #[must_use]
    pub fn keeping_apart(self) -> Self {
        Self { keeps_apart: true, ..self }
    }

    /// The same that remembers the keys of creates.
    #[must_use]
    pub fn remembering(self) -> Self {
        Self { remembers: true, ..self }
    }

    /// Puts `product` there as people do; its number.
    pub fn stock(&mut self, product: Product) -> u64 {
        self.last += 1;
        self.products.insert(self.last, product);
        self.last
    }

    /// The products there are, by number.
    #[must_use]
    pub fn products(&self) -> &BTreeMap<u64, Product> {
        &self.products
    }

    /// Changes the product `number` as people do, at `now`.
    pub fn alter(&mut self, now: Timestamp, number: u64, change: impl FnOnce(&mut Product)) {
        if let Some(product) = self.products.get_mut(&number) {
            change(product);
            product.changed = now;
        }
    }

    /// Takes the product `number` away as people do.
    pub fn remove(&mut self, number: u64) {
        self.products.remove(&number);
    }

    /// Requests that changed something, so far.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes
    }

    fn route(&mut self, now: Timestamp, request: &Request) -> Response {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let query = Query::of(query);
        let Some(rest) = path.strip_prefix(self.shape.root()) else { return failed(404, "no such route") };
        if !self.enters(request) {
            return failed(401, "who are you?");
        }
        if rest == "/batch" && self.shape == Shape::Nested {
            return self.together(now, request);
        }
        let number = match rest.strip_prefix('/') {
            None if rest.is_empty() => None,
            Some(id) => match self.shape.number(id).filter(|number| self.products.contains_key(number)) {
                Some(number) => Some(number),
                None => return failed(404, "no such product"),
            },
            None => return failed(404, "no such route"),
        };
        match (request.method.as_str(), number) {
            ("GET", None) => self.list(&query),
            ("GET", Some(number)) => self.show(200, number),
            ("POST", None) => self.made(now, request),
            ("PATCH", Some(number)) if self.shape == Shape::Flat => self.changed(now, number, &request.body, false),
            ("PUT", Some(number)) => self.changed(now, number, &request.body, true),
            _ => failed(405, "not that way"),
        }
    }

    fn enters(&self, request: &Request) -> bool {
        let (name, wanted) = match self.shape {
            Shape::Flat => ("authorization", format!("Bearer {}", self.secret)),
            Shape::Nested => ("x-api-key", self.secret.clone()),
        };
        request.headers.iter().any(|(header, value)| header == name && *value == wanted)
    }

    fn list(&self, query: &Query) -> Response {
        let (key, since) = match self.shape {
            Shape::Flat => ("sku", query.get("updated_since").and_then(|at| at.parse::<Timestamp>().ok())),
            Shape::Nested => {
                ("code", query.get("changed_after").and_then(|at| Timestamp::from_second(at.parse().ok()?).ok()))
            }
        };
        let named = query.get(key);
        let wanted = |product: &Product| {
            named.as_ref().is_none_or(|sku| product.sku == *sku) && since.is_none_or(|since| product.changed >= since)
        };
        let all: Vec<(u64, &Product)> =
            self.products.iter().filter(|(_, product)| wanted(product)).map(|(number, one)| (*number, one)).collect();
        self.shape.page(&all, query, named.is_some())
    }

    fn show(&self, status: u16, number: u64) -> Response {
        match self.products.get(&number) {
            Some(product) => answer(status, &self.shape.enveloped(self.shape.told(number, product))),
            None => failed(404, "no such product"),
        }
    }

    fn made(&mut self, now: Timestamp, request: &Request) -> Response {
        let key = request.headers.iter().find(|(name, _)| name == "idempotency-key").map(|(_, key)| key.clone());
        if let Some(number) = key.as_ref().filter(|_| self.remembers).and_then(|key| self.keys.get(key)) {
            return self.show(200, *number);
        }
        let number = match parsed(&request.body).and_then(|body| self.make(now, &body)) {
            Ok(number) => number,
            Err((status, why)) => return failed(status, &why),
        };
        if let Some(key) = key {
            self.keys.insert(key, number);
        }
        match self.shape {
            Shape::Flat => self.show(201, number),
            Shape::Nested => answer(201, &json!({"uuid": self.shape.id(number)})),
        }
    }

    fn changed(&mut self, now: Timestamp, number: u64, body: &[u8], whole: bool) -> Response {
        match parsed(body).and_then(|body| self.change(now, number, &body, whole)) {
            Ok(()) if self.shape == Shape::Flat => self.show(200, number),
            Ok(()) => Response { status: 204, headers: Vec::new(), body: Vec::new() },
            Err((status, why)) => failed(status, &why),
        }
    }

    /// Many at once, each for itself: those that cannot be done leave the others be.
    fn together(&mut self, now: Timestamp, request: &Request) -> Response {
        let body = match parsed(&request.body) {
            Ok(body) => body,
            Err((status, why)) => return failed(status, &why),
        };
        let Some(articles) = body["articles"].as_array().filter(|all| all.len() <= TOGETHER) else {
            return failed(413, "too many, or none");
        };
        let creates = match request.method.as_str() {
            "POST" => true,
            "PUT" => false,
            _ => return failed(405, "not that way"),
        };
        let one = |article: &Value| {
            let known = || article["uuid"].as_str().and_then(|id| self.shape.number(id)).unwrap_or_default();
            let done = match creates {
                true => self.make(now, article).map(|number| (201, number)),
                false => Ok(known()).and_then(|number| self.change(now, number, article, true).map(|()| (200, number))),
            };
            match done.and_then(|(status, number)| Ok((status, self.told(number)?))) {
                Ok((status, article)) => json!({"status": status, "article": article}),
                Err((status, why)) => json!({"status": status, "why": why}),
            }
        };
        let results: Vec<Value> = articles.iter().map(one).collect();
        answer(200, &json!({"results": results}))
    }

    fn told(&self, number: u64) -> Done<Value> {
        let product = self.products.get(&number).ok_or_else(|| (404, "no such product".to_owned()))?;
        Ok(self.shape.told(number, product))
    }

    fn make(&mut self, now: Timestamp, body: &Value) -> Done<u64> {
        let mut product = Product { changed: now, ..Product::default() };
        self.shape.take(&mut product, body, true).map_err(|why| (422, why))?;
        if product.sku.is_empty() {
            return Err((422, "a product needs its SKU".to_owned()));
        }
        if self.keeps_apart && self.products.values().any(|other| other.sku == product.sku) {
            return Err((409, "there is one of that SKU".to_owned()));
        }
        self.writes += 1;
        Ok(self.stock(product))
    }

    fn change(&mut self, now: Timestamp, number: u64, body: &Value, whole: bool) -> Done<()> {
        let known = self.products.get(&number).cloned();
        let mut product = known.ok_or_else(|| (404, "no such product".to_owned()))?;
        self.shape.take(&mut product, body, whole).map_err(|why| (422, why))?;
        product.changed = now;
        self.writes += 1;
        self.products.insert(number, product);
        Ok(())
    }
}

/// What was done, or the status and the reason of what was not.
type Done<T> = Result<T, (u16, String)>;

fn parsed(body: &[u8]) -> Done<Value> {
    serde_json::from_slice(body).map_err(|error| (422, error.to_string()))
}

impl System for Api {
    fn handle(&mut self, now: Timestamp, request: &Request) -> Response {
        let mut response = self.route(now, request);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default();
        response.headers.push(("date".to_owned(), date));
        response
    }

    fn books(&self) -> Books<'_> {
        let told = |(number, product): (&u64, &Product)| self.shape.told(*number, product);
        Books::new(&["products"], move |_| Value::Array(self.products.iter().map(told).collect()))
    }

    fn edit(&mut self, now: Timestamp, edit: &Edit) -> bool {
        let found = self.products.iter().find(|(_, product)| product.sku == edit.sku).map(|(number, _)| *number);
        let Some(number) = found else { return false };
        let locale = edit.place.clone().unwrap_or_else(|| "en".to_owned());
        let value = edit.value.clone();
        match edit.field.as_str() {
            "name" => self.alter(now, number, |product| drop(product.names.insert(locale, value))),
            "description" => self.alter(now, number, |product| product.description = Some(value)),
            _ => return false,
        }
        true
    }
}

/// The parameters of an address, decoded.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(text: &str) -> Self {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name), decoded(value))
        };
        Self(text.split('&').filter(|part| !part.is_empty()).map(pair).collect())
    }

    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    }

    fn count(&self, name: &str, usual: usize) -> usize {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or(usual)
    }
}

/// Percent-decoded text.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex =
            |byte: Option<u8>| char::from(byte.unwrap_or(b'?')).to_digit(16).and_then(|one| u8::try_from(one).ok());
        match byte {
            b'%' => match (hex(rest.next()), hex(rest.next())) {
                (Some(high), Some(low)) => bytes.push(high << 4 | low),
                _ => bytes.push(b'?'),
            },
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn answer(status: u16, body: &Value) -> Response {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Response { status, headers, body: body.to_string().into_bytes() }
}

fn failed(status: u16, why: &str) -> Response {
    answer(status, &json!({"error": why}))
}
