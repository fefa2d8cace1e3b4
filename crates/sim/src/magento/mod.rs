//! A simulated Magento 2.4 shop: its REST API as recorded, over orders, customers and a catalogue held in memory.
//!
//! What is simulated is what a connector meets on the way of an order: reading orders, customers and products,
//! saving `ext_order_id` with the answer that is not the record, hold and cancel; on the way of stock: sources,
//! stocks, quantities, and what orders keep back of them; and on the way of products: their texts by store view,
//! status, weight and images; and on the way of prices: base, special and tier prices with the complaints about single
//! rows; and on the way of papers: shipments with what they take from a source,
//! invoices and credit memos with what they leave on an order.
//! What a cart comes to, taxes and coupons are not worked out; orders come from a seed or are placed as JSON with
//! `POST /_sim/orders`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::books::Books;
use crate::catalogue;
use crate::http::{Edit, Request, Response, System};
use crate::orders;

mod attributes;
mod book;
mod bundles;
mod categories;
mod category_desk;
mod category_routes;
mod columns;
mod criteria;
mod customers;
mod edits;
mod families;
mod fields;
mod invoices;
mod languages;
pub(crate) mod ledger;
mod media;
mod oauth;
mod order_rows;
mod pages;
mod paper_sums;
mod papers;
mod placing;
mod price_routes;
mod prices;
mod products;
mod refunds;
mod reply;
mod reservations;
mod route;
mod selling;
mod setup;
mod sheet;
mod shipments;
mod single;
mod stock;
mod stock_routes;
mod value;
mod websites;

pub use oauth::Keys;

use book::Book;
use criteria::Criteria;
use customers::Customers;
use fields::Selection;
use papers::Papers;
use price_routes::Counter;
use prices::Prices;
use products::Products;
use reply::{Answer, Refusal, Told, respond};
use route::{Route, Target};
use setup::View;
use sheet::Scope;
use stock::Stock;
use stock_routes::Desk;
use websites::Website;

/// The name of the administrator a token can be asked for.
pub const ADMIN: &str = "admin";
/// The administrator's password (recorded: token).
pub const ADMIN_PASSWORD: &str = "Admin123456";
/// How long an administrator's token lives, in hours; an integration's does not end.
const ADMIN_TOKEN_HOURS: i64 = 4;

/// What a shop is made with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides catalogue, customers and orders.
    pub seed: u64,
    /// Products in the catalogue, at least; the recorded ones are always there.
    pub products: usize,
    /// Orders of the last 24 hours.
    pub orders: usize,
    /// No orders and no customers; the catalogue is there.
    pub empty: bool,
    /// The moment the shop is made.
    pub now: Timestamp,
    /// Bearer token of the integration.
    pub token: String,
}

/// What a shop does with a quantity for a SKU nobody has. The recorded one answered 200; whether it kept the row, the
/// recordings do not tell. Reports about other versions tell of all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownSkus {
    /// 200, and a row that belongs to nothing (magento/magento2#30274 and #38154).
    #[default]
    Kept,
    /// 200, and nothing of it is there.
    Dropped,
    /// 400, and nothing of the whole request is stored (a comment of 2023 on magento/inventory#889).
    Refused,
}

/// Habits a trial can turn on; all are off at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// Seconds before a search sees what was saved: the save is stamped when it begins and seen when it ends.
    /// Until then a search sees the order as it was, or nothing where it is new. Reading by id sees it at once.
    pub late_commit_s: u32,
    /// A page past the end repeats the last page, as Magento versions before 2.4 do.
    pub repeat_last_page: bool,
    /// Whether searches for orders answer their first page whatever is asked, with as many rows as were asked for.
    pub stuck_pages: bool,
    /// The id of an order that no search and no read can show: each that meets it fails, as on damaged data.
    pub damaged_order: Option<u64>,
    /// Seconds before what can be bought follows a quantity that was written: the index is renewed in its own time
    /// where it is set to do so. Source items tell the new quantity at once.
    pub slow_stock_index_s: u32,
    /// What becomes of a quantity written for a SKU nobody has.
    pub unknown_skus: UnknownSkus,
    /// Most rows a search for orders, customers or products may ask for ("Web API input limits"); 0 for any number. One
    /// that asks for no number gets 20 at most then.
    pub page_limit: u32,
    /// Whether the texts of products keep characters of four bytes in UTF-8. As recorded (order-two-addresses-emoji) each
    /// of them becomes four question marks.
    pub all_characters: bool,
    /// Whether a read of prices with a SKU nobody has is refused as a whole, as the vendor's schema says; Magento's code
    /// leaves the SKU out, and what the recorded shop does was not recorded.
    pub strict_price_reads: bool,
}

/// The body that changes one field of a product; none for a field people do not change here.
fn edited(field: &str, value: &str) -> Option<Map<String, Value>> {
    let product = match field {
        "name" | "status" | "weight" => json!({field: value}),
        "description" => json!({"custom_attributes": [{"attribute_code": field, "value": value}]}),
        _ => return None,
    };
    product.as_object().cloned()
}

/// One shop, with one website at first.
#[derive(Debug)]
pub struct Shop {
    token: String,
    /// Where requests have to be signed; then the integration's token alone opens nothing.
    door: Option<oauth::Door>,
    seed: u64,
    admin_tokens: BTreeMap<String, Timestamp>,
    tokens_given: u64,
    websites: Vec<Website>,
    views: Vec<View>,
    book: Book,
    customers: Customers,
    products: Products,
    prices: Prices,
    stock: Stock,
    papers: Papers,
    /// Orders of buyers who came by [`Shop::buy`].
    bought: u64,
    quirks: Quirks,
}

impl Shop {
    /// A shop with the catalogue, customers and orders of its seed.
    pub fn new(options: Options) -> Self {
        let Options { seed, products, orders: count, empty, now, token } = options;
        let catalogue = catalogue::catalogue(seed, products);
        let mut book = Book::default();
        let mut customers = Customers::default();
        if !empty {
            let orders = orders::orders(seed, count, &catalogue, now);
            let named = orders.iter().filter_map(|order| order.get("customer_id").and_then(Value::as_u64)).max();
            let named = named.and_then(|last| usize::try_from(last).ok()).unwrap_or(0);
            for customer in orders::customers(seed, named, now) {
                customers.seed(customer);
            }
            for order in orders {
                // What is not an order is not in the shop; the seeded ones all are, which a test counts.
                drop(book.seed(now, order));
            }
        }
        let stock = Stock::seeded(seed, catalogue.iter(), book.reserved());
        let made = now.checked_sub(SignedDuration::from_hours(48)).unwrap_or(now);
        Self {
            token,
            door: None,
            seed,
            admin_tokens: BTreeMap::new(),
            tokens_given: 0,
            websites: vec![Website::first()],
            views: vec![View::default_view()],
            book,
            customers,
            products: Products::new(catalogue, value::stamp(made)),
            prices: Prices::default(),
            stock,
            papers: Papers::default(),
            bought: 0,
            quirks: Quirks::default(),
        }
    }

    /// The shop's habits, to be changed; they apply to what is saved and searched from now on.
    pub fn quirks_mut(&mut self) -> &mut Quirks {
        &mut self.quirks
    }

    /// Has the integration sign every request from now on, as shops since 2.4.4 do; its token as bearer is refused.
    pub fn demand_signatures(&mut self, keys: Keys) {
        self.door = Some(oauth::Door::new(keys));
    }

    /// Sets what prices are in: `USD`, as recorded, or another currency. No price is changed by it.
    pub fn set_currency(&mut self, code: &str) {
        for view in &mut self.views {
            code.clone_into(&mut view.currency);
        }
    }

    /// Sets the time zone by its IANA name: `America/New_York`, as recorded, or another one.
    pub fn set_zone(&mut self, name: &str) {
        for view in &mut self.views {
            name.clone_into(&mut view.zone);
        }
    }

    /// Sets what weights are in: `lbs`, as recorded, or `kgs`. No weight is changed by it.
    pub fn set_weight_unit(&mut self, unit: &str) {
        for view in &mut self.views {
            unit.clone_into(&mut view.weight_unit);
        }
    }

    /// Changes one field of a product as a person in the shop's back office does: `name`, `description`, `status` (1 or
    /// 2), `weight` or `attributes.color`, whose choices they pick by label, a line each, in one store view or, without one, for all. False where there is no such product, view or field,
    /// or the shop refuses the value.
    pub fn edit_product(&mut self, now: Timestamp, sku: &str, view: Option<&str>, field: &str, value: &str) -> bool {
        if view.is_some_and(|code| !self.has_store(code)) {
            return false;
        }
        let picked = field.strip_prefix("attributes.").map(|code| self.products.attributes.picked(code, value));
        let Some(product) = picked.unwrap_or_else(|| edited(field, value)) else { return false };
        self.tell_quirks();
        let scope = self.scope(Some(view.unwrap_or("all")));
        self.products.save(now, &scope, sku, &product).is_ok()
    }

    /// Changes one field of a product for all views and leaves `updated_at` where it stood, as an import into the database
    /// does. False as [`Shop::edit_product`].
    pub fn edit_product_unseen(&mut self, now: Timestamp, sku: &str, field: &str, value: &str) -> bool {
        let Some(product) = edited(field, value) else { return false };
        self.tell_quirks();
        self.products.save_unseen(now, &Scope::All, sku, &product).is_ok()
    }

    /// Deletes a product, as a person in the back office does; nothing tells of it but that it is not there.
    pub fn delete_product(&mut self, sku: &str) -> bool {
        self.products.delete(sku)
    }

    /// Makes a deleted product anew under its SKU, with another id.
    pub fn make_product_again(&mut self, now: Timestamp, sku: &str) -> bool {
        self.products.make_again(now, sku)
    }

    /// Writes another code for a product right into the database, as an import does; false where there is none, or another
    /// has that very code.
    pub fn recode(&mut self, sku: &str, to: &str) -> bool {
        self.products.recode(sku, to)
    }

    /// Makes a product of the body of a `POST products`, as a person in the shop's back office does; what is there already is
    /// left as it is. False where it is there, or the shop refuses it.
    pub fn make_product(&mut self, now: Timestamp, body: &Value) -> bool {
        let sku = body.pointer("/product/sku").and_then(Value::as_str);
        sku.is_some_and(|sku| self.products.find(sku).is_none())
            && self.save_product(now, &Scope::All, None, body).is_ok()
    }

    /// Opens accounts for the buyers that seeded orders name; those that are there stay as they are.
    pub fn register_buyers(&mut self, now: Timestamp) {
        for customer in orders::customers(self.seed, 0, now) {
            if customer.get("id").and_then(Value::as_u64).is_some_and(|id| self.customers.get(id).is_err()) {
                self.customers.seed(customer);
            }
        }
    }

    /// Changes one field of a customer as that person does in the shop: `firstname`, `lastname`, `email`, `taxvat`, or one of
    /// the first address as `address.city`; `address.new` is the town of a further one like the first, and `address.gone` of
    /// one that is taken out. False where there is no such customer, or the shop refuses it.
    pub fn edit_customer(&mut self, now: Timestamp, id: u64, field: &str, value: &str) -> bool {
        self.customers.edit(now, id, field, value)
    }

    /// Deletes a customer, as a person in the back office does when one asks for it.
    pub fn delete_customer(&mut self, id: u64) -> bool {
        self.customers.delete(id)
    }

    /// The id of an order placed as Magento's own JSON, as `POST /_sim/orders` does it.
    ///
    /// # Errors
    /// The part of the JSON that is not built like an order's.
    pub fn place(&mut self, now: Timestamp, order: Value) -> Result<u64, String> {
        self.book.late_commit_s = self.quirks.late_commit_s;
        self.book.place(now, order).map(|placed| placed.entity_id).map_err(|refusal| refusal.message)
    }

    /// Moves an order to a state, as a clerk, a gateway or a shipment would. False where there is no such order.
    pub fn set_state(&mut self, now: Timestamp, entity_id: u64, state: &str) -> bool {
        self.book.late_commit_s = self.quirks.late_commit_s;
        self.book.set_state(now, entity_id, state)
    }

    /// Cancels an order as its buyer or a clerk does; false where Magento cancels nothing of it any more.
    pub fn cancel_order(&mut self, now: Timestamp, entity_id: u64) -> bool {
        self.book.late_commit_s = self.quirks.late_commit_s;
        self.book.cancel(now, entity_id).is_ok_and(|done| done == true)
    }

    fn simulation(&mut self, now: Timestamp, request: &Request) -> Answer {
        match (request.method.as_str(), request.target.as_str()) {
            ("GET", "/_sim/ledger") => Ok(self.ledger()),
            ("POST", "/_sim/orders") => {
                let order = serde_json::from_slice(&request.body)
                    .map_err(|error| Refusal::new(400, format!("This is not JSON: {error}.")))?;
                let placed = self.book.place(now, order)?;
                Ok(json!({"entity_id": placed.entity_id, "increment_id": placed.increment_id}))
            }
            _ => Err(Refusal::new(404, "The simulation has GET /_sim/ledger, GET /_sim/faults and POST /_sim/orders.")),
        }
    }

    fn rest(&mut self, now: Timestamp, request: &Request, target: &Target) -> Result<Told, Refusal> {
        let path: Vec<&str> = target.path.iter().map(String::as_str).filter(|part| *part != "index.php").collect();
        let (store, under_version) = match path.as_slice() {
            ["rest", "V1", rest @ ..] => (None, rest),
            ["rest", store, "V1", rest @ ..] => {
                if !self.has_store(store) {
                    return Err(Refusal::new(400, "Specified request cannot be processed."));
                }
                (Some(*store), rest)
            }
            _ => (None, &[][..]),
        };
        let route = Route::of(&request.method, under_version)
            .ok_or_else(|| Refusal::new(404, "Request does not match any route."))?;
        if let Some(right) = route.right()
            && !self.admits(now, request, target)?
        {
            return Err(Refusal::unauthorized(right));
        }
        let fields = target.query("fields");
        if let Some(page) = self.in_full(now, &route, &target.query).filter(|_| fields.is_none()) {
            return page.map(Told::Text);
        }
        let scope = self.scope(store);
        let body = self.route(now, &route, request, target, &scope)?;
        Ok(Told::Json(match fields {
            Some(text) if body.is_array() || body.is_object() => {
                let chosen = Selection::parse(text).map_or(Value::Null, |selection| selection.apply(body));
                if chosen.is_null() { json!([]) } else { chosen }
            }
            _ => body,
        }))
    }

    fn route(&mut self, now: Timestamp, route: &Route, request: &Request, target: &Target, scope: &Scope) -> Answer {
        let query = &target.query;
        let repeat = self.quirks.repeat_last_page;
        match route {
            Route::AdminToken => self.admin_token(now, &body(request)?),
            Route::Setup(setup) => setup::read(*setup, (&self.websites, &self.views), &self.prices.groups, query),
            Route::Country(id) => setup::country(id),
            Route::MakeGroup => price_routes::make_group(&mut self.prices, &body(request)?),
            Route::Prices(route) => self.counter().answer(*route, &body(request)?),
            Route::Orders => self.orders(now, query),
            Route::Order(id) => {
                let order = self.book.get(number(id)?).ok_or_else(Refusal::no_order)?;
                self.undamaged(order)?;
                Ok(Value::Object(order.clone()))
            }
            Route::SaveOrder => self.book.save(now, &body(request)?),
            Route::Hold(id) => self.book.hold(now, number(id)?),
            Route::Unhold(id) => self.book.unhold(now, number(id)?),
            Route::Cancel(id) => self.book.cancel(now, number(id)?),
            Route::Paper(route) => self.papers(now, route, query, &body(request)?),
            Route::Customers => self.found_customers(query),
            Route::Customer(id) => self.customers.get(number(id)?),
            Route::CreateCustomer => self.customers.create(now, &body(request)?),
            Route::UpdateCustomer(id) => self.customers.update(now, number(id)?, &body(request)?),
            Route::Products => {
                let criteria = self.criteria(query)?;
                let found = self.products.search(now, scope, &criteria, repeat)?;
                Ok(json!({"items": found.page, "search_criteria": criteria.echo(), "total_count": found.total}))
            }
            Route::Product(sku) => self.products.get(scope, sku).map(|told| self.with_quantity(sku, told)),
            Route::Categories(route) => self.products.sorting(now, route, scope, query, &body(request)?),
            Route::Attributes(route) => self.products.attributes.answer(route, &body(request)?),
            Route::Family(route) => self.families(now, scope, route, request),
            Route::Bundle(route) => self.bundles(now, route, request),
            Route::SaveProduct => self.save_product(now, scope, None, &body(request)?),
            Route::Websites(route) => self.sell_in(now, route, &body(request)?),
            Route::UpdateProduct(sku) => self.save_product(now, scope, Some(sku), &body(request)?),
            Route::Media(sku, route) => self.products.images(sku, route, &body(request)?),
            Route::Stock(route) => {
                let body = if request.method == "GET" { Value::Null } else { body(request)? };
                self.stock.index_late_s = self.quirks.slow_stock_index_s;
                let kept_back = if self.stock.single { self.book.taken() } else { self.book.reserved() };
                let unknown_skus = self.quirks.unknown_skus;
                let (stock, products) = (&mut self.stock, &self.products);
                let mut desk = Desk { stock, products, kept_back, unknown_skus, repeat_last_page: repeat, now };
                desk.answer(route, query, &body)
            }
        }
    }

    fn counter(&mut self) -> Counter<'_> {
        Counter {
            prices: &mut self.prices,
            products: &mut self.products,
            views: self.views.iter().map(|view| (view.id, view.website)).collect(),
            strict: self.quirks.strict_price_reads,
        }
    }

    fn tell_quirks(&mut self) {
        self.products.late_commit_s = self.quirks.late_commit_s;
        self.products.all_characters = self.quirks.all_characters;
    }

    fn undamaged(&self, order: &Map<String, Value>) -> Result<(), Refusal> {
        let id = order.get("entity_id").and_then(Value::as_u64);
        if id.is_some() && id == self.quirks.damaged_order { Err(Refusal::internal()) } else { Ok(()) }
    }

    /// The criteria of a search, within what the shop allows.
    fn criteria(&self, query: &[(String, String)]) -> Result<Criteria, Refusal> {
        Criteria::parse(query)?.limited(self.quirks.page_limit)
    }

    /// Saves a product of the SKU in the path or, without one, of that in the body: a create of a SKU that is there is an
    /// update (recorded: product-create-again-same-sku), one of a new SKU makes it.
    fn save_product(&mut self, now: Timestamp, scope: &Scope, sku: Option<&str>, body: &Value) -> Answer {
        let Some(Value::Object(product)) = body.get("product") else { return Err(Refusal::required("product")) };
        self.tell_quirks();
        let sku = match (sku, product.get("sku").and_then(Value::as_str)) {
            (Some(sku), _) => sku,
            (None, Some(sku)) if self.products.find(sku).is_some() => sku,
            (None, Some(sku)) => return self.products.make(now, (scope, self.websites_at(scope)), sku, product),
            (None, None) => return Err(Refusal::required("sku")),
        };
        self.products.save(now, scope, sku, product).map(|told| self.with_quantity(sku, told))
    }

    /// Whether a request is signed as it should be, or carries a token that opens the shop.
    fn admits(&mut self, now: Timestamp, request: &Request, target: &Target) -> Result<bool, Refusal> {
        match &mut self.door {
            Some(door) if oauth::of_oauth(request).is_some() => door.admit(now, request, target).map(|()| true),
            _ => Ok(self.knows(now, request)),
        }
    }

    /// Whether a request carries the integration's token or an administrator's that still lives.
    fn knows(&self, now: Timestamp, request: &Request) -> bool {
        let header = header(request, "authorization");
        let Some((kind, token)) = header.and_then(|value| value.trim().split_once(' ')) else { return false };
        let token = token.trim();
        kind.eq_ignore_ascii_case("bearer")
            && !token.is_empty()
            && (self.door.is_none() && token == self.token
                || self.admin_tokens.get(token).is_some_and(|until| now < *until))
    }

    fn admin_token(&mut self, now: Timestamp, body: &Value) -> Answer {
        let given = |key: &str| body.get(key).and_then(Value::as_str);
        let name = given("username").ok_or_else(|| Refusal::required("username"))?;
        let password = given("password").ok_or_else(|| Refusal::required("password"))?;
        if name != ADMIN || password != ADMIN_PASSWORD {
            return Err(Refusal::new(
                401,
                "The account sign-in was incorrect or your account is disabled temporarily. Please wait and try again later.",
            ));
        }
        self.admin_tokens.retain(|_, until| now < *until);
        self.tokens_given = self.tokens_given.saturating_add(1);
        let token = format!("sim{:016x}{:08x}", self.seed, self.tokens_given);
        let until = now.checked_add(SignedDuration::from_hours(ADMIN_TOKEN_HOURS)).unwrap_or(Timestamp::MAX);
        self.admin_tokens.insert(token.clone(), until);
        Ok(json!(token))
    }
}

impl System for Shop {
    fn handle(&mut self, now: Timestamp, request: &Request) -> Response {
        let target = Target::parse(&request.target);
        self.book.late_commit_s = self.quirks.late_commit_s;
        respond(match target.path.first().map(String::as_str) {
            Some("_sim") => self.simulation(now, request).map(Told::Json),
            _ => self.rest(now, request, &target),
        })
    }

    fn edit(&mut self, now: Timestamp, edit: &Edit) -> bool {
        let place = edit.place.as_deref();
        match edit.field.as_str() {
            "price" => {
                let amount = Some(edit.value.as_str()).filter(|amount| !amount.is_empty());
                self.set_price(now, &edit.sku, place.unwrap_or("base"), 1, amount)
            }
            "refunded" => self.goodwill(now, edit),
            "bought" | "captured" => edit.value.parse().is_ok_and(|many| self.sold(now, edit, many)),
            field => match field.strip_prefix("customer.") {
                Some(field) => edit.sku.parse().is_ok_and(|id| self.edit_customer(now, id, field, &edit.value)),
                None => self.edit_product(now, &edit.sku, place, field, &edit.value),
            },
        }
    }

    fn books(&self) -> Books<'_> {
        Books::new(&ledger::LISTS, |name| self.list(name))
    }
}

/// The value of a header; its name is given in small letters.
fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers.iter().find(|(told, _)| told.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The body as JSON; nothing at all counts as `null`.
fn body(request: &Request) -> Answer {
    if request.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&request.body).map_err(|_| Refusal::new(400, "Decoding error: Syntax error"))
}

/// The id in a path.
fn number(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| {
        let message =
            format!("The \"{text}\" value's type is invalid. The \"int\" type was expected. Verify and try again.");
        Refusal::new(400, message)
    })
}

#[cfg(test)]
mod bundle_tests;
#[cfg(test)]
mod family_tests;
#[cfg(test)]
mod media_tests;
#[cfg(test)]
mod paper_tests;
#[cfg(test)]
mod price_tests;
#[cfg(test)]
mod product_tests;
#[cfg(test)]
mod stock_tests;
#[cfg(test)]
mod tests;
