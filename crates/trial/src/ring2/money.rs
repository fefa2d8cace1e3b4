//! Money alone: orders of any amounts through both connectors and the planner, without an engine, a store or faults.
//!
//! Each is read from the shop, planned, booked in the ERP, levelled with a rounding line and released, as the engine would.
//! What was released is then counted in both ledgers, which share no arithmetic with us: to the minor unit the same.

use super::schedule::{Outcome, failed};
use super::world::Violation;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use syncline_connect::{
    Clock, Connector, Ctx, Fut, Lookup, Outcome as Written, Request, Response, Rng, Snapshot, Transport, TransportError,
};
use syncline_connectors::{magento, tryton};
use syncline_core::delivery::{Change, Noted, advance};
use syncline_core::id::{DeliveryId, Epoch, Mark, RemoteId, SystemUid};
use syncline_core::kind::{Kind, Step};
use syncline_core::leaf::{Leaves, Ref, Value as Leaf};
use syncline_core::mark::{Origin, mark};
use syncline_core::money::Money;
use syncline_core::path::Path;
use syncline_core::planner::{Bound, Decision, OrderCase, order as next_step};
use syncline_core::profile::KindProfile;
use syncline_core::record::{Address, Customer, Order, Record};
use syncline_core::rules::OrderRules;
use syncline_core::totals;
use syncline_engine::translate::{Resolution, inbound, outbound};
use syncline_sim::catalogue::{Form, Item, catalogue};
use syncline_sim::http::{Request as Asked, System};
use syncline_sim::orders::{FIRST_SKETCHED, Sketch, sketched};
use syncline_sim::random::Random;
use syncline_sim::{magento as shop, tryton as erp};

/// Orders of one seed.
pub const ORDERS: u64 = 50;
/// Rates that goods and freight are taxed by, in tenths of a percent.
const RATES: [i64; 10] = [0, 55, 70, 81, 100, 180, 190, 200, 210, 255];
/// Entries of the catalogue.
const PRODUCTS: usize = 24;

const BALANCED: &str = "an-order-adds-up";
const WHOLE: &str = "leaves-are-the-whole-order";

/// The planted bug of this play.
pub const LOSES_DECIMALS: &str = "loses-decimals";
/// The rules that catch it.
pub const RELEASED: &str = "what-is-released-is-equal-to-the-cent";
/// The other one of them: the ERP's tax is not what is left of the shop's.
pub const EXPLAINED: &str = "no-order-is-held-for-its-rounding";

/// The outcome of `seed`, with a planted bug where one is named.
#[must_use]
pub fn money(seed: u64, plant: Option<&'static str>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match runtime {
        Ok(runtime) => runtime.block_on(async {
            match Books::open(seed, plant).await {
                Ok(mut books) => {
                    let drawn: Vec<Sketch> =
                        (0..ORDERS).map(|n| Sketch::drawn(seed, n, &books.items, &rates())).collect();
                    books.cross(&drawn).await
                }
                Err(error) => failed(seed, error),
            }
        }),
        Err(error) => failed(seed, error.to_string()),
    }
}

fn rates() -> Vec<Decimal> {
    RATES.iter().map(|tenths| Decimal::new(*tenths, 1)).collect()
}

/// One system behind a road without weather, and the time on both of its ends.
#[derive(Debug)]
struct Road {
    system: Arc<Mutex<dyn System>>,
    now: Arc<Mutex<Timestamp>>,
}

fn open<T: ?Sized>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Clock for Road {
    fn now(&self) -> Timestamp {
        *open(&self.now)
    }
}

impl Rng for Road {
    fn draw(&self) -> u128 {
        7
    }
}

impl Transport for Road {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, TransportError>> {
        let now = {
            let mut now = open(&self.now);
            *now = now.checked_add(SignedDuration::from_millis(3)).unwrap_or(*now);
            *now
        };
        let target = request.url.strip_prefix("http://money.test").unwrap_or(&request.url).to_owned();
        let asked = Asked { method: request.method.into(), target, headers: request.headers, body: request.body };
        let told = open(&self.system).handle(now, &asked);
        Box::pin(async move { Ok(Response { status: told.status, headers: told.headers, body: told.body }) })
    }
}

impl Road {
    fn to(system: Arc<Mutex<dyn System>>, now: Arc<Mutex<Timestamp>>) -> Ctx {
        let road = Arc::new(Self { system, now });
        Ctx::new(road.clone(), road.clone(), road, 4, Duration::from_secs(30))
    }
}

/// A shop and an ERP that know the same goods.
struct Books {
    seed: u64,
    plant: Option<&'static str>,
    items: Vec<Item>,
    shop: Arc<Mutex<shop::Shop>>,
    erp: Arc<Mutex<erp::Erp>>,
    here: (magento::Magento, Ctx),
    there: (tryton::Tryton, Ctx),
    now: Arc<Mutex<Timestamp>>,
    rules: OrderRules,
    profile: KindProfile,
    /// What the ERP calls each SKU.
    goods: BTreeMap<String, RemoteId>,
    /// Who everything is booked on, with the key of the address.
    party: (RemoteId, String),
    violations: Vec<Violation>,
    counted: BTreeMap<&'static str, u64>,
    /// By number, the orders that were released.
    released: BTreeMap<String, RemoteId>,
}

impl Books {
    async fn open(seed: u64, plant: Option<&'static str>) -> Result<Self, String> {
        let start = super::boot::beginning();
        let (token, login, password) = ("token".to_owned(), "sync".to_owned(), "word".to_owned());
        let (empty, orders, products) = (true, 0, PRODUCTS);
        let shop = shop::Shop::new(shop::Options { seed, products, orders, empty, now: start, token: token.clone() });
        let options = erp::Options { seed, products, empty, web_shop: true, now: start, login, password };
        let mut erp = erp::Erp::new(options);
        for rate in rates() {
            erp.levy(start, rate);
        }
        let now = Arc::new(Mutex::new(start));
        let (shop, erp) = (Arc::new(Mutex::new(shop)), Arc::new(Mutex::new(erp)));
        let here = Road::to(shop.clone(), Arc::clone(&now));
        let there = Road::to(erp.clone(), Arc::clone(&now));
        let config = magento::Config::new("http://money.test", magento::Auth::Token(token));
        let there = (tryton::Tryton::new(tryton::Config::new("http://money.test/acme", "sync", "word")), there);
        let mut random = Random::of(seed, 20, 0);
        let mut items = catalogue(seed, PRODUCTS);
        for item in &mut items {
            item.tax_percent = Decimal::new(*random.pick(&RATES), 1);
        }
        let mut books = Self {
            seed,
            plant,
            items,
            shop,
            erp,
            here: (magento::Magento::new(config), here),
            profile: there.0.profile().kinds.get(&Kind::Order).cloned().unwrap_or_default(),
            there,
            now,
            rules: rules(),
            goods: BTreeMap::new(),
            party: (RemoteId::new("", ""), String::new()),
            violations: Vec::new(),
            counted: BTreeMap::new(),
            released: BTreeMap::new(),
        };
        books.know().await?;
        Ok(books)
    }

    /// Finds the goods in the ERP, and makes the one customer.
    async fn know(&mut self) -> Result<(), String> {
        let sold = self.items.iter().filter(|item| matches!(item.form, Form::Simple | Form::Virtual));
        for sku in sold.map(|item| item.sku.clone()) {
            let found = self.there.0.find(&self.there.1, Kind::Variant, &Lookup::Number(sku.clone())).await;
            if let Some(snapshot) = found.map_err(|error| error.to_string())?.first() {
                self.goods.insert(sku, snapshot.id.clone());
            }
        }
        let home = Address { city: Some("Bonn".into()), country: Some("DE".into()), ..Address::default() };
        let key = home.key();
        let customer =
            Customer { name: Some("Jane".into()), addresses: [(key.clone(), home)].into(), ..Customer::default() };
        let leaves = Record::Customer(customer).to_leaves();
        let made = self.write(self.change(Kind::Customer, Step::Create, "jane", None, leaves)).await?;
        let Some((_, Record::Customer(seen))) = made.records.first() else { return Err("no customer was made".into()) };
        let element = seen.addresses.keys().next().cloned().unwrap_or_default();
        self.party = (made.id, element);
        Ok(())
    }

    fn change(&self, kind: Kind, step: Step, id: &str, on: Option<&Snapshot>, leaves: Leaves) -> Change {
        let (document, expect) = (on.map(|told| told.id.clone()), on.and_then(|told| told.version.clone()));
        let mark = marked(kind, id);
        Change { kind, step, mark, document, expect, leaves, elements: BTreeMap::new(), adopt_only: false }
    }

    /// What the ERP shows after a write.
    async fn write(&self, change: Change) -> Result<Snapshot, String> {
        let deadline = open(&self.now).checked_add(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MAX);
        let noted = Noted::committed(DeliveryId(1), Epoch(1), 1, deadline);
        match self.there.0.write(&self.there.1, vec![advance(noted, change)]).await.pop() {
            Some(Written::Done(snapshot)) => Ok(*snapshot),
            Some(Written::Refused(error) | Written::Unknown { error, .. }) => Err(error.to_string()),
            other => Err(format!("{other:?}")),
        }
    }

    async fn cross(&mut self, sketches: &[Sketch]) -> Outcome {
        let mut ids = Vec::new();
        for (n, sketch) in (0_u64..).zip(sketches) {
            let now = *open(&self.now);
            let order = sketched(self.seed, n, sketch, &self.items, now);
            match open(&self.shop).place(now, order) {
                Ok(_) => ids.push(RemoteId::new("1", (FIRST_SKETCHED + n).to_string())),
                Err(error) => return failed(self.seed, error),
            }
        }
        let told = self.here.0.read(&self.here.1, Kind::Order, &ids).await;
        for (id, told) in ids.iter().zip(told) {
            let booked = match told {
                Ok(Some(snapshot)) => self.book(id, &snapshot).await,
                Ok(None) => Err("it is not there".to_owned()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = booked {
                self.broken("the-schedule-runs", format!("order {}: {error}", id.id));
            }
        }
        self.count();
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{:?} {:?}", self.released, self.counted).as_bytes());
        Outcome {
            violations: std::mem::take(&mut self.violations),
            faults: std::mem::take(&mut self.counted),
            orders: ids.len() as u64,
            trace_hash: hasher.finalize().to_hex().to_string(),
            lines: Vec::new(),
        }
    }

    fn broken(&mut self, invariant: &'static str, detail: String) {
        self.violations.push(Violation { seed: self.seed, invariant, detail });
    }

    /// Takes one order to its release, or to a hold.
    async fn book(&mut self, id: &RemoteId, told: &Snapshot) -> Result<(), String> {
        let Some(Record::Order(order)) = told.records.first().map(|(_, record)| record) else {
            return Err("the shop tells no order".to_owned());
        };
        let order = &if self.plant == Some(LOSES_DECIMALS) { Box::new(without_decimals(order)) } else { order.clone() };
        let leaves = Record::Order(order.clone()).to_leaves();
        if Order::from_leaves(&leaves).as_ref() != Ok(&**order) {
            self.broken(WHOLE, format!("order {}", id.id));
        }
        if let Err(imbalance) = totals::balanced(order) {
            self.broken(BALANCED, format!("order {}: {imbalance}", id.id));
            return Ok(());
        }
        *self.counted.entry("orders").or_default() += 1;
        let resolution = self.resolution(&leaves);
        let plan = match self.decided(id, order, &leaves, &resolution, None) {
            Decision::Step(plan) if plan.step == Step::Create => plan,
            other => return Err(format!("it is not made: {other:?}")),
        };
        let wish = outbound(&plan.leaves, &resolution, Some(&self.rules)).map_err(|hold| hold.what)?;
        let create = self.change(Kind::Order, Step::Create, &id.id, None, wish);
        let mut there = self.write(create.clone()).await?;
        let elements: BTreeMap<Path, String> = self.there.0.pair(&create, &there).into_iter().collect();
        let mut base = Leaves::new();
        for _ in 0..3 {
            let told = there.records.first().map(|(_, record)| record.to_leaves()).unwrap_or_default();
            let shown = inbound(&told, &elements);
            let seen = Order::from_leaves(&shown).map_err(|error| error.to_string())?;
            let bound = Bound { id: &there.id, seen: &seen, base: &base };
            match self.decided(id, order, &leaves, &resolution, Some(bound)) {
                Decision::Step(plan) if plan.step == Step::Lines => {
                    *self.counted.entry("rounded").or_default() += 1;
                    let wish = outbound(&plan.leaves, &resolution, Some(&self.rules)).map_err(|hold| hold.what)?;
                    let change = self.change(Kind::Order, Step::Lines, &id.id, Some(&there), wish);
                    there = self.write(change).await?;
                    base = plan.leaves;
                }
                Decision::Step(plan) if matches!(plan.step, Step::Advance(_)) => {
                    self.released.insert(order.number.clone().unwrap_or_default(), there.id);
                    return Ok(());
                }
                Decision::Hold(hold) if hold.code == "SYN-0113" => {
                    self.broken(EXPLAINED, format!("order {}: {}", id.id, hold.what));
                    return Ok(());
                }
                other => return Err(format!("{other:?}")),
            }
        }
        Err("it comes to no end".to_owned())
    }

    fn decided(
        &self,
        id: &RemoteId,
        order: &Order,
        leaves: &Leaves,
        world: &Resolution,
        target: Option<Bound<'_>>,
    ) -> Decision {
        let none = Leaves::new();
        next_step(&OrderCase {
            now: *open(&self.now),
            rules: &self.rules,
            source_id: id,
            order,
            admitted: false,
            source_base: &none,
            source_seen: leaves,
            target,
            profile: &self.profile,
            adopted: false,
            chosen: &none,
            given_back: &BTreeMap::new(),
            source_keeps_reference: true,
            source_cancels: false,
            world,
        })
    }

    /// What the ERP calls what the order refers to.
    fn resolution(&self, leaves: &Leaves) -> Resolution {
        let (party, address) = &self.party;
        let refs = leaves.iter().filter_map(|(_, value)| match value {
            Some(Leaf::Ref(reference)) => Some(reference.clone()),
            _ => None,
        });
        let mut known = Vec::new();
        for reference in refs {
            let there = match reference.kind {
                Kind::Customer => {
                    let mut there = Ref::remote(Kind::Customer, party.clone());
                    there.element = reference.element.is_some().then(|| Customer::address_path(address));
                    Some(there)
                }
                kind => {
                    let sku = match &reference.to {
                        syncline_core::leaf::Target::Remote(id) => id.id.as_str(),
                        syncline_core::leaf::Target::Entity(_) => "",
                    };
                    self.goods.get(sku).map(|id| Ref::remote(kind, id.clone()))
                }
            };
            known.extend(there.map(|there| (reference, there)));
        }
        Resolution::of(known)
    }

    /// Holds what was released against both ledgers.
    fn count(&mut self) {
        let (shop, erp) = (open(&self.shop).ledger(), open(&self.erp).ledger());
        let totals = |ledger: &Value, key: &str| -> BTreeMap<String, (Decimal, String)> {
            let rows = ledger["orders"].as_array().cloned().unwrap_or_default();
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let row = |row: &Value| {
                let total: Decimal = text(&row["total"]).parse().ok()?;
                Some((text(&row[key]), (total.normalize(), text(&row["currency"]))))
            };
            rows.iter().filter_map(row).collect()
        };
        let (here, there) = (totals(&shop, "number"), totals(&erp, "reference"));
        for number in self.released.keys().cloned().collect::<Vec<_>>() {
            let (ours, theirs) = (here.get(&number), there.get(&number));
            if ours.is_none() || ours != theirs {
                self.broken(RELEASED, format!("order {number}: {ours:?} in the shop, {theirs:?} in the ERP"));
            }
        }
    }
}

fn marked(kind: Kind, id: &str) -> Mark {
    let (source, target) = (SystemUid::new("shop"), SystemUid::new("erp"));
    let id = RemoteId::new("1", id);
    mark(&Origin { source: &source, kind, id: &id, target: &target, target_scope: "", role: "main", generation: 0 })
}

/// The rules every order is booked by: each rate has its row.
fn rules() -> OrderRules {
    let mut rules = super::boot::rules();
    let name = |tenths: &i64| Decimal::new(*tenths, 1).normalize();
    let rows = RATES.iter().map(|rate| (format!("DE-{}b", name(rate)), format!("VAT {}%", name(rate))));
    rules.tables.insert("taxes".to_owned(), rows.collect());
    rules
}

/// The planted bug: what an order says loses its decimals on the way in, so that it still adds up.
fn without_decimals(order: &Order) -> Order {
    let whole = |money: &mut Option<Money>| {
        if let Some(money) = money {
            money.amount = money.amount.trunc();
        }
        money.map_or(Decimal::ZERO, |money| money.amount)
    };
    let mut order = order.clone();
    let sold: BTreeSet<String> = order.sold_lines().map(|(key, _)| key.clone()).collect();
    let mut sum = whole(&mut order.totals.tax);
    for (_, line) in order.lines.iter_mut().filter(|(key, _)| sold.contains(*key)) {
        sum += whole(&mut line.net);
    }
    sum += order.charges.values_mut().map(|charge| whole(&mut charge.net)).sum::<Decimal>();
    if let Some(grand) = &mut order.totals.grand {
        grand.amount = sum;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_that_are_lost_on_the_way_show_in_the_ledgers() {
        let outcome = money(0, Some(LOSES_DECIMALS));
        assert!(outcome.violations.iter().any(|broken| broken.invariant == RELEASED), "{:#?}", outcome.violations);
    }

    #[test]
    fn orders_of_any_amounts_arrive_to_the_cent() {
        let mut counted = BTreeMap::new();
        // The last two have hundreds of one thing, whose price in Kuwaiti dinars four decimals cannot say.
        let seeds = [0, 1, 2, 3, 14_435, 16_077];
        for seed in seeds {
            let outcome = money(seed, None);
            assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
            for (what, times) in outcome.faults {
                *counted.entry(what).or_insert(0) += times;
            }
        }
        assert!(counted["orders"] == 6 * ORDERS && counted["rounded"] * 10 > counted["orders"], "{counted:?}");
    }
}
