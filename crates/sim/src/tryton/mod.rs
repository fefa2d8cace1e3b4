//! A Tryton 8.0 ERP as a state machine: JSON-RPC in, the same answers, refusals and traps out.
//!
//! Behaviour is taken from a running trytond 8.0.12 on SQLite; `fixtures/tryton-8.0.json` holds the calls and its
//! answers, and a test replays them here. Not simulated: the books but for payments, purchases, reports,
//! wizards but that of payments, access rules beyond whole models.

mod amendments;
mod brought;
mod companies;
mod credits;
mod domain;
mod drops;
mod fail;
mod family;
mod formula;
mod images;
mod invoice;
mod kits;
mod ledger;
mod models;
mod parcels;
mod payments;
mod price;
mod read;
mod rpc;
mod sale;
mod schema;
mod seed;
mod shipping;
mod sorting;
mod stock;
mod store;
mod translate;
mod unit;
mod validate;
mod value;
mod vat;
mod warnings;
mod write;

#[cfg(test)]
mod paper_tests;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use self::fail::Fail;
use self::rpc::{Call, Claim, Route};
use self::schema::Schema;
use self::store::Store;
use crate::books::Books;
use crate::catalogue::{Form, Item, LANGUAGES};
use crate::elsewhere::Booked;
use crate::http::{Edit, Request, Response, System};

/// What kind of installation it is.
#[derive(Debug, Clone)]
pub struct Options {
    /// Chooses the catalogue; the same seed gives the shop the same one.
    pub seed: u64,
    /// How many catalogue entries, roughly.
    pub products: usize,
    /// Nothing beyond the set-up; otherwise a few customers are known already.
    pub empty: bool,
    /// Whether the modules `web_shop`, so that (`web_shop`, `web_id`) is unique, `product_measurements`, so that products
    /// have a weight, and `product_attribute` are activated.
    pub web_shop: bool,
    /// When the set-up was done.
    pub now: Timestamp,
    /// The one user's login.
    pub login: String,
    /// The one user's password.
    pub password: String,
}

/// Ways in which one installation is worse than another. All off by default.
#[derive(Debug, Clone, Default)]
pub struct Quirks {
    /// Searches do not find a record younger than this; reads by id and unique keys know it at once.
    pub search_lag: SignedDuration,
    /// A worker queue: `confirm` ends in state `confirmed`, and the sale is processed this much later.
    pub queued: Option<SignedDuration>,
    /// Content-Encoding tells the truth (a reverse proxy that repairs it).
    pub honest_encoding: bool,
}

/// The simulated ERP.
#[derive(Debug)]
pub struct Erp {
    store: Store,
    login: String,
    password: String,
    sessions: Vec<String>,
    seed: u64,
    quirks: Quirks,
    queue: Vec<(Timestamp, u64)>,
    /// Whether module `product_image` is activated.
    has_images: bool,
    /// What the user sees of several companies.
    sight: companies::Sight,
    /// Whether module `product_kit` is activated.
    has_kits: bool,
    /// Whether module `stock_package_shipping` is activated.
    has_parcels: bool,
    /// Whether module `sale_amendment` is activated.
    has_amendments: bool,
    /// Sessions of wizards that are open.
    wizards: std::collections::BTreeSet<u64>,
    broken: Option<Fail>,
    /// The books as they were told last.
    told: ledger::Told,
}

/// The id of the one user.
const USER: u64 = 2;

impl Erp {
    /// An ERP that is set up and answers.
    pub fn new(options: Options) -> Self {
        let mut store = Store::new(Schema::new(options.web_shop), options.now);
        store.begin(options.now, None);
        let broken = seed::fill(&mut store, &options).err();
        store.commit();
        Self {
            store,
            login: options.login,
            password: options.password,
            sessions: Vec::new(),
            seed: options.seed,
            quirks: Quirks::default(),
            queue: Vec::new(),
            has_images: false,
            sight: companies::Sight::default(),
            has_kits: false,
            has_parcels: false,
            has_amendments: false,
            wizards: std::collections::BTreeSet::new(),
            broken,
            told: ledger::Told::default(),
        }
    }

    /// The quirks, to be changed while it runs.
    pub fn quirks_mut(&mut self) -> &mut Quirks {
        &mut self.quirks
    }

    /// Cancels a sale and its shipment past every rule, as a person at the ERP might; false where there is no such sale.
    pub fn cancel_sale(&mut self, now: Timestamp, id: u64) -> bool {
        self.whole(now, |store| {
            shipping::withdraw(store, id)?;
            write::write(store, "sale.sale", &[id], &json!({"state": "cancelled"}))
        })
    }

    /// Books an order of a shop as another connector would have: for the party of its e-mail, a new one if need be, up to
    /// its last stage or left as a draft. Its id; none where the ERP does not have the goods, or refuses it.
    pub fn bring(&mut self, now: Timestamp, booked: &Booked) -> Option<u64> {
        let mut made = None;
        self.whole(now, |store| brought::bring(store, booked).map(|id| made = Some(id)));
        made
    }

    /// Adds a tax of so many percent to those it knows, as `VAT 21%`; nothing where it is there.
    pub fn levy(&mut self, now: Timestamp, percent: Decimal) -> bool {
        self.levy_as(now, &format!("VAT {}%", percent.normalize()), percent)
    }

    /// The same under a name of its own.
    pub fn levy_as(&mut self, now: Timestamp, name: &str, percent: Decimal) -> bool {
        let rate = json!({"__class__": "Decimal", "decimal": (percent / Decimal::ONE_HUNDRED).to_string()});
        self.whole(now, |store| {
            let taxes = store.model("account.tax")?;
            let there = store.ids(taxes).any(|tax| store.text("account.tax", tax, "name") == name);
            let row = json!({"name": name, "description": name, "rate": rate, "company": 1});
            if there { Ok(()) } else { write::create(store, "account.tax", &[row]).map(drop) }
        })
    }

    /// Rounds taxes line by line from now on, and not for a whole document.
    pub fn round_taxes_by_line(&mut self, now: Timestamp) -> bool {
        self.whole(now, |store| write::write(store, "account.configuration", &[1], &json!({"tax_rounding": "line"})))
    }

    /// Sends what a sale has waiting, as a person in the warehouse would; false where nothing waits.
    pub fn ship(&mut self, now: Timestamp, sale: u64) -> bool {
        self.whole(now, |store| match shipping::ship(store, sale)? {
            true => Ok(()),
            false => Err(Fail::other("nothing waits")),
        })
    }

    /// Takes in goods at the first warehouse; false where no goods have that code.
    pub fn receive(&mut self, now: Timestamp, code: &str, quantity: u32) -> bool {
        self.whole(now, |store| stock::carry(store, code, None, Decimal::from(quantity)))
    }

    /// Takes in goods at the warehouse of that code; false where there is no such warehouse or goods.
    pub fn receive_at(&mut self, now: Timestamp, warehouse: &str, code: &str, quantity: u32) -> bool {
        self.whole(now, |store| stock::carry(store, code, Some(warehouse), Decimal::from(quantity)))
    }

    /// Sells goods over the counter of the first warehouse; false where not so many are there.
    pub fn take(&mut self, now: Timestamp, code: &str, quantity: u32) -> bool {
        self.whole(now, |store| stock::carry(store, code, None, -Decimal::from(quantity)))
    }

    /// Changes a product as a person at the ERP would, in a language of theirs or else in the one everything falls back
    /// to. `field` is `name`, `description`, `active`, `weight` (in kilograms), `identifier:ean`, `attribute:colour`, or any
    /// other of the template, which `template.active` names; false where refused, or where no product has that code.
    pub fn edit_product(
        &mut self,
        now: Timestamp,
        code: &str,
        language: Option<&str>,
        field: &str,
        value: &Value,
    ) -> bool {
        self.whole(now, |store| {
            store.speech = translate::Speech::in_language(language);
            translate::edit_product(store, code, field, value)
        })
    }

    /// Names everything it sells in the languages beside the one everything falls back to, a family by its own name.
    pub fn tell_in_languages(&mut self, now: Timestamp, items: &[Item]) {
        for (item, (language, _)) in items.iter().flat_map(|item| LANGUAGES.map(|of| (item, of))) {
            let code = match &item.form {
                Form::Configurable { children } => children.first(),
                Form::Bundle { .. } => None,
                Form::Simple | Form::Virtual => {
                    Some(&item.sku).filter(|sku| !items.iter().any(|one| one.has_child(sku)))
                }
            };
            if let Some(code) = code {
                self.edit_product(now, code, Some(language), "name", &Value::from(item.named_in(language)));
            }
        }
    }

    /// Sets the list price of a product, decimal text, where it stands: on the product if it has one of its own, else on
    /// its template, whose other variants cost the same then; false where refused, or where no product has that code.
    pub fn set_list_price(&mut self, now: Timestamp, code: &str, amount: &str) -> bool {
        self.whole(now, |store| price::set_list_price(store, code, amount))
    }

    /// Makes the price list of that name, a new one if need be, say these lines and no others: for one product or all,
    /// from so many pieces on (0 for any number), by a formula such as `unit_price * 0.9`. The first that fits counts.
    pub fn set_price_list(&mut self, now: Timestamp, name: &str, lines: &[(Option<&str>, u32, &str)]) -> bool {
        self.whole(now, |store| price::set_price_list(store, name, lines))
    }

    /// Sells a product, which is counted by piece, by packs of so many from now on; false where no product has that code.
    pub fn sell_in_packs(&mut self, now: Timestamp, code: &str, pieces: u32) -> bool {
        self.whole(now, |store| unit::sell_in_packs(store, code, pieces))
    }

    /// Opens a further, empty warehouse of that code.
    pub fn open_warehouse(&mut self, now: Timestamp, code: &str) -> bool {
        self.whole(now, |store| stock::open_warehouse(store, code).map(drop))
    }

    /// Changes a party as a person at the ERP would: its `name`, the first `email` or `phone`, its `tax_id`, or, as
    /// `address.city`, a field of its first address, which is written by itself and leaves the party as it was; `address.new`
    /// adds one in a town, `address.gone` retires one there; its `price_list` by name, none by another one. False where refused, or where there is no such party or address.
    pub fn edit_party(&mut self, now: Timestamp, id: u64, field: &str, value: &str) -> bool {
        self.whole(now, |store| write::edit_party(store, id, field, value))
    }

    /// Replaces a party by another one, as a person at the ERP would by the wizard "Replace"; false where one is not there.
    ///
    /// As recorded (`tryton-8.0-more.json`): what hangs below the replaced one is retired and handed over, its sales too, by
    /// SQL that moves no `write_date` and no `_timestamp`; it remembers who replaced it and is retired itself.
    pub fn replace_party(&mut self, now: Timestamp, replaced: u64, by: u64) -> bool {
        self.whole(now, |store| write::replace_party(store, replaced, by))
    }

    /// Writes fields of a record past authentication and guards, as a person at the ERP might; false where refused.
    pub fn directly(&mut self, now: Timestamp, model: &str, id: u64, fields: &Value) -> bool {
        self.whole(now, |store| write::write(store, model, &[id], fields))
    }

    /// The addresses of a party, oldest first.
    pub fn addresses(&self, party: u64) -> Vec<u64> {
        let mut found = self.store.children("party.address", "party", party).unwrap_or_default();
        found.sort_unstable();
        found
    }

    /// Deletes a record past authentication, as a person at the ERP might; false where refused.
    pub fn remove(&mut self, now: Timestamp, model: &str, id: u64) -> bool {
        self.whole(now, |store| write::delete(store, model, &[id]))
    }

    /// One transaction past the API: kept where it succeeds.
    fn whole(&mut self, now: Timestamp, work: impl FnOnce(&mut Store) -> Result<(), Fail>) -> bool {
        self.store.begin(now, None);
        let done = work(&mut self.store).is_ok();
        if done {
            self.store.commit()
        } else {
            self.store.rollback()
        }
        done
    }

    /// Forgets every session, as a restart without a session store does.
    pub fn end_sessions(&mut self) {
        self.sessions.clear();
    }

    fn authorized(&self, request: &Request) -> bool {
        match rpc::claim(request) {
            Claim::Nobody => false,
            Claim::Basic(login, password) => login == self.login && password == self.password,
            Claim::Session(login, user, token) => login == self.login && user == USER && self.sessions.contains(&token),
        }
    }

    fn log_in(&mut self, params: &[Value]) -> Result<Value, Fail> {
        let login = params.first().and_then(Value::as_str).unwrap_or_default();
        let password = params.get(1).and_then(|all| all.get("password")).and_then(Value::as_str).unwrap_or_default();
        if login != self.login || password != self.password {
            return Err(Fail::Http(401, "The server could not verify that you are authorized to access the URL requested. \
                You either supplied the wrong credentials (e.g. a bad password), or your browser doesn't understand how \
                to supply the credentials required.".to_owned()));
        }
        let count = u64::try_from(self.sessions.len()).unwrap_or(0);
        let token: String = (0..4).map(|part| format!("{:016x}", mixed(self.seed ^ (count << 8 | part)))).collect();
        self.sessions.push(token.clone());
        Ok(json!([USER, token, null]))
    }

    fn dispatch(&mut self, now: Timestamp, call: &Call) -> Result<Value, Fail> {
        let Some((kind, rest)) = call.method.split_once('.') else {
            return Err(Fail::other("not enough values to unpack (expected 2, got 1)"));
        };
        let (object, method) = rest.rsplit_once('.').unwrap_or(("", rest));
        if kind == "wizard" {
            let (context, args) = context(call)?;
            self.start(now, context);
            let outcome = payments::call(self, object, method, args);
            return self.end(outcome);
        }
        if kind != "model" {
            return Err(Fail::key(if object.is_empty() { method } else { object }));
        }
        self.store.model(object)?;
        if (object == "product.image" && !self.has_images)
            || (object == kits::MODEL && !self.has_kits)
            || (object == drops::MODEL && self.store.supplied.is_empty())
            || (parcels::is_of_module(object) && !self.has_parcels)
            || (amendments::is_of_module(object) && !self.has_amendments)
        {
            return Err(Fail::key(object));
        }
        companies::accessible(&self.store, object)?;
        let known =
            matches!(method, "search" | "search_read" | "search_count" | "read" | "create" | "write" | "delete")
                || (object == "sale.sale" && matches!(method, "draft" | "quote" | "confirm" | "process" | "cancel"))
                || (object == "res.user" && method == "get_preferences")
                || (object == "ir.date" && method == "today")
                || (object == invoice::MODEL && invoice::has_button(method))
                || (object == warnings::MODEL && method == "skip")
                || (object == amendments::MODEL && method == amendments::VALIDATE)
                || shipping::has_button(object, method);
        if !known || object == "product.list_price" {
            return Err(Fail::Http(
                403,
                "You don't have the permission to access the requested resource. It is either \
                read-protected or not readable by the server."
                    .to_owned(),
            ));
        }
        let (context, args) = context(call)?;
        self.start(now, context);
        let outcome = self.run(now, object, method, args);
        self.end(outcome)
    }

    /// Begins the transaction of a call.
    fn start(&mut self, now: Timestamp, context: &serde_json::Map<String, Value>) {
        self.store.begin(now, context.get("_timestamp"));
        self.store.look = stock::Look::of(context);
        self.store.ask = price::Ask::of(context);
        self.store.speech = translate::Speech::of(context);
        self.store.sizes = images::asks_for_sizes(context);
        self.store.user = USER;
        self.store.seen = Some(self.sight.seen(&self.store, context));
        self.store.acting = companies::acting(&self.store, context);
        self.store.about = payments::about(context);
    }

    /// Ends it: what was refused leaves nothing behind.
    fn end(&mut self, outcome: Result<Value, Fail>) -> Result<Value, Fail> {
        if outcome.is_ok() {
            self.store.commit()
        } else {
            self.store.rollback()
        }
        outcome
    }

    fn run(&mut self, now: Timestamp, model: &str, method: &str, args: &[Value]) -> Result<Value, Fail> {
        let arg = |at: usize| args.get(at).unwrap_or(&Value::Null);
        match method {
            "search" => Ok(json!(self.search(now, model, args)?)),
            "search_count" => Ok(json!(self.search(now, model, args)?.len())),
            "search_read" => {
                let ids = self.search(now, model, args)?;
                Ok(Value::Array(read::read(&self.store, model, &ids, &names(arg(4)))?))
            }
            "read" => {
                if arg(1).is_null() {
                    return Err(Fail::other("'NoneType' object is not iterable"));
                }
                Ok(Value::Array(read::read(&self.store, model, &ids(arg(0)), &names(arg(1)))?))
            }
            "create" => {
                let rows = arg(0).as_array().map_or(&[][..], Vec::as_slice);
                let made = write::create(&mut self.store, model, rows)?;
                if model == "stock.move" {
                    let at = self.store.model(model)?;
                    made.iter().for_each(|id| self.store.touch(at, *id)); // as one made by hand is, one of a sale is not
                }
                Ok(json!(made))
            }
            "write" => {
                for pair in args.chunks(2) {
                    let values = pair.get(1).unwrap_or(&Value::Null);
                    if model == invoice::MODEL {
                        ids(&pair[0]).into_iter().try_for_each(|id| validate::deletable(&self.store, model, id))?;
                    }
                    write::write(&mut self.store, model, &ids(&pair[0]), values)?;
                    if model == "res.user" {
                        self.sight.written(values);
                    }
                }
                Ok(Value::Null)
            }
            "delete" => write::delete(&mut self.store, model, &ids(arg(0))).map(|()| Value::Null),
            "get_preferences" => {
                let name = self.store.acting.map(|company| read::rec_name(&self.store, "company.company", company));
                Ok(rpc::preferences(self.store.acting, name.as_deref(), self.sight.word()))
            }
            "today" => Ok(value::Val::Date(stock::today(&self.store)).to_json(true)),
            "skip" => warnings::skip(&mut self.store, arg(0), arg(1)).map(|()| Value::Null),
            amendments::VALIDATE => amendments::validate(&mut self.store, &ids(arg(0))).map(|()| Value::Null),
            button if model == invoice::MODEL => {
                invoice::press(&mut self.store, button, &ids(arg(0))).map(|()| Value::Null)
            }
            button if model != "sale.sale" => {
                shipping::press(&mut self.store, model, button, &ids(arg(0))).map(|()| Value::Null)
            }
            button => {
                let ids = ids(arg(0));
                sale::press(&mut self.store, button, &ids, self.quirks.queued.is_some())?;
                if let (Some(delay), "confirm") = (self.quirks.queued, button) {
                    let due = now.checked_add(delay).unwrap_or(now);
                    self.queue.extend(ids.into_iter().map(|id| (due, id)));
                }
                Ok(Value::Null)
            }
        }
    }

    fn search(&self, now: Timestamp, model: &str, args: &[Value]) -> Result<Vec<u64>, Fail> {
        let number = |at: usize| args.get(at).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
        let query = domain::Query {
            domain: args.first().unwrap_or(&Value::Null),
            offset: number(1).unwrap_or(0),
            limit: number(2),
            order: args.get(3).unwrap_or(&Value::Null),
        };
        // A translation is part of what it translates: whoever reads the one by its id reads the other.
        let lag = if model == "ir.translation" { SignedDuration::ZERO } else { self.quirks.search_lag };
        domain::search(&self.store, model, &query, &|model, id| {
            let hidden = companies::is_hidden(&self.store, self.store.schema.models[model].name, id);
            let indexed = || self.store.row(model, id).is_some_and(|row| now.duration_since(row.created) >= lag);
            !hidden && (lag.is_zero() || indexed())
        })
    }

    /// Processes what the worker queue is due to.
    fn work(&mut self, now: Timestamp) {
        let (due, later): (Vec<_>, Vec<_>) = self.queue.drain(..).partition(|(at, _)| *at <= now);
        self.queue = later;
        for (_, id) in due {
            self.store.begin(now, None);
            match sale::process(&mut self.store, id) {
                Ok(()) => self.store.commit(),
                Err(_) => self.store.rollback(),
            }
        }
    }

    fn outcome(&mut self, now: Timestamp, route: &Route, call: &Call) -> Result<Value, Fail> {
        if let Some(fail) = &self.broken {
            return Err(fail.clone());
        }
        match (route, call.method.as_str()) {
            (Route::Root, "common.server.version") => Ok(json!("8.0")),
            (Route::Root, "common.db.list") => Ok(json!(["erp"])),
            (Route::Root, other) => Err(Fail::key(other)),
            (Route::Database, "common.db.login") => self.log_in(&call.params),
            (Route::Database, _) => self.dispatch(now, call),
        }
    }
}

impl System for Erp {
    fn handle(&mut self, now: Timestamp, request: &Request) -> Response {
        self.work(now);
        let route = match rpc::route(request) {
            Ok(route) => route,
            Err(page) => return page,
        };
        let call = match rpc::call(request) {
            Ok(call) => call,
            Err(page) => return page,
        };
        if route == Route::Database && call.method != "common.db.login" && !self.authorized(request) {
            return rpc::unauthorized();
        }
        let outcome = self.outcome(now, &route, &call);
        let mut response = rpc::answer(request, &call, outcome);
        if self.quirks.honest_encoding && !response.body.starts_with(&[0x1f, 0x8b]) {
            response.headers.retain(|(name, _)| name != "content-encoding");
        }
        response
    }

    fn edit(&mut self, now: Timestamp, edit: &Edit) -> bool {
        match (edit.field.as_str(), edit.place.as_deref()) {
            ("price", None) => self.set_list_price(now, &edit.sku, &edit.value),
            ("price_list", Some(list)) => {
                price::lines(&edit.value).is_some_and(|lines| self.set_price_list(now, list, &lines))
            }
            ("price" | "price_list", _) => false,
            // So many pieces arrive, or are sold over the counter.
            ("stock", None) => match edit.value.strip_prefix('-') {
                Some(pieces) => pieces.parse().is_ok_and(|pieces| self.take(now, &edit.sku, pieces)),
                None => edit.value.parse().is_ok_and(|pieces| self.receive(now, &edit.sku, pieces)),
            },
            // The warehouse sends something of so many sales that wait.
            ("billed", None) => {
                let mut words = edit.value.split_whitespace();
                let sales = words.next().and_then(|sales| sales.parse().ok());
                sales.is_some_and(|sales| self.bill_a_while(now, sales, &words.collect::<Vec<_>>()))
            }
            ("sent", None) => edit.value.parse().is_ok_and(|sales| self.work_a_while(now, sales)),
            (field, _) if field.starts_with("customer.") => {
                let field = field.trim_start_matches("customer.");
                let found = ledger::by_email(&self.store, &edit.sku);
                found.is_some_and(|id| self.edit_party(now, id, field, &edit.value))
            }
            (field, _) if field.starts_with("sale.") => edit
                .sku
                .parse()
                .is_ok_and(|sale| self.see_to(now, sale, field.trim_start_matches("sale."), &edit.value)),
            (field, place) => self.edit_product(now, &edit.sku, place, field, &Value::from(edit.value.clone())),
        }
    }

    fn books(&self) -> Books<'_> {
        ledger::books(&self.store, &self.told)
    }
}

/// The context of a call, and what stands before it.
fn context(call: &Call) -> Result<(&serde_json::Map<String, Value>, &[Value]), Fail> {
    match call.params.split_last() {
        Some((Value::Object(context), args)) => Ok((context, args)),
        _ => Err(Fail::Http(422, "Missing context argument".to_owned())),
    }
}

fn ids(json: &Value) -> Vec<u64> {
    json.as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

fn names(json: &Value) -> Vec<String> {
    json.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A number that looks random and is not (splitmix64).
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
