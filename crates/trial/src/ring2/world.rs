//! The simulated world: both systems, the network between, and the rules checked at every request.

use super::clock::SimClock;
use super::desk::Typed;
use super::drift::Drift;
use super::families;
use super::features::Picked;
use super::images::Hung;
use super::papers::{self, Papers};
use super::people::Accounts;
use super::prices;
use super::scenes::{self, Deleted};
use super::undone::{self, TakenBack};
use super::weather::{Fault, Weather};
use crate::outside::Spoilt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use syncline_core::delivery::Note;
use syncline_core::id::EntityId;
use syncline_core::kind::Kind;
use syncline_sim::http::{Request, Response, System};
use syncline_sim::magento::Shop;
use syncline_sim::random::Random;
use syncline_sim::tryton::Erp;

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The schedule it happened in.
    pub seed: u64,
    /// The rule.
    pub invariant: &'static str,
    /// What was seen.
    pub detail: String,
}

/// Which of the systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// The shop.
    Shop,
    /// The second shop, where there is one.
    Outlet,
    /// The ERP.
    Erp,
}

/// Everything that is not Syncline.
#[derive(Debug)]
pub struct World {
    seed: u64,
    pub shop: Shop,
    /// The second shop, in worlds that have one.
    pub outlet: Option<Shop>,
    pub erp: Erp,
    /// Systems that refuse every connection at the moment.
    pub down: BTreeSet<Which>,
    pub random: Random,
    pub weather: Weather,
    /// No faults at the moment.
    pub calm: bool,
    /// Faults so far, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Broken rules so far.
    pub violations: Vec<Violation>,
    /// Requests that can change something, so far.
    pub writes: u64,
    /// Those that arrived, so far; and how many had when the desks were looked at last.
    pub arrived: (u64, u64),
    /// The process is to die.
    pub dying: bool,
    /// Until when the store's disk is full.
    pub full_until: Option<tokio::time::Instant>,
    /// What buyers typed into their accounts.
    pub accounts: Accounts,
    /// What people typed at both desks.
    pub typed: Typed,
    /// What people picked of products at both desks.
    pub picked: Picked,
    /// What people of the shop uploaded there.
    pub hung: Hung,
    /// What people typed of families at both desks.
    pub families: families::Typed,
    /// Whether families flow: then their variants have names of their own in the shop.
    pub has_families: bool,
    /// Shipments that somebody in the warehouse has taken in hand.
    pub in_hand: BTreeSet<u64>,
    /// A clerk of the shop ships by hand what has left, before the shop is told.
    pub ships_by_hand: bool,
    /// Bills that people took over, each with its sort and its sale in the ERP.
    pub left_to_people: BTreeSet<(Kind, u64, EntityId)>,
    /// Orders that buyers paid by themselves: the number of the shop and the order's id.
    pub paid_by_buyers: BTreeSet<(usize, u64)>,
    /// What the ERP calls orders of which people took over papers about money.
    pub payments_left: BTreeSet<String>,
    /// Refunds that people took over, each with its order in the shop.
    pub refunds_by_hand: BTreeSet<(u64, EntityId)>,
    /// What people of the shop did to its prices.
    pub priced: prices::Typed,
    /// Where each shipment went when somebody took it in hand.
    pub packed_for: BTreeMap<u64, serde_json::Value>,
    /// Numbers of the orders whose address a clerk of the shop has changed.
    pub sent_elsewhere: BTreeSet<String>,
    /// Where each sale was addressed to when it was released.
    pub papers: Papers,
    /// The product that somebody deleted in the shop, where somebody did.
    pub deleted: Option<Deleted>,
    /// The price that a person took back, as long as it has to stay so.
    pub taken_back: Option<TakenBack>,
    /// Answers of one system that are spoiled before they arrive.
    pub(crate) spoilt: Option<(Which, Spoilt)>,
    /// A field that one system tells otherwise for a while.
    pub drift: Option<Drift>,
    noted: BTreeSet<Note>,
    sent: BTreeSet<Note>,
    hasher: blake3::Hasher,
    lines: Option<Vec<String>>,
}

/// The world as its parts share it.
pub type Shared = Arc<Mutex<World>>;

/// The world, whatever happened to an earlier holder.
pub fn open(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// A world of `seed` around its two systems.
    pub fn new(seed: u64, shop: Shop, erp: Erp, weather: Weather, keep_lines: bool) -> Self {
        Self {
            seed,
            shop,
            outlet: None,
            erp,
            down: BTreeSet::new(),
            random: Random::of(seed, 7, 0),
            weather,
            calm: true,
            faults: BTreeMap::new(),
            violations: Vec::new(),
            writes: 0,
            arrived: (0, u64::MAX),
            dying: false,
            full_until: None,
            accounts: Accounts::new(),
            typed: Typed::new(),
            picked: Picked::new(),
            hung: Hung::new(),
            families: families::Typed::new(),
            has_families: false,
            in_hand: BTreeSet::new(),
            ships_by_hand: false,
            left_to_people: BTreeSet::new(),
            paid_by_buyers: BTreeSet::new(),
            payments_left: BTreeSet::new(),
            refunds_by_hand: BTreeSet::new(),
            priced: prices::Typed::default(),
            packed_for: BTreeMap::new(),
            sent_elsewhere: BTreeSet::new(),
            papers: Papers::new(),
            deleted: None,
            taken_back: None,
            spoilt: None,
            drift: None,
            noted: BTreeSet::new(),
            sent: BTreeSet::new(),
            hasher: blake3::Hasher::new(),
            lines: keep_lines.then(Vec::new),
        }
    }

    /// The shops there are.
    pub fn shops(&self) -> impl Iterator<Item = &Shop> {
        std::iter::once(&self.shop).chain(&self.outlet)
    }

    /// The same, to be changed.
    pub fn shops_mut(&mut self) -> impl Iterator<Item = &mut Shop> {
        std::iter::once(&mut self.shop).chain(&mut self.outlet)
    }

    /// What everything about it is drawn from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Counts a fault.
    pub fn count(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// Notes that a rule was broken.
    pub fn broken(&mut self, invariant: &'static str, detail: String) {
        self.event(&format!("BROKEN {invariant}: {detail}"));
        self.violations.push(Violation { seed: self.seed, invariant, detail });
    }

    /// Adds an event to the trace.
    pub fn event(&mut self, line: &str) {
        self.hasher.update(line.as_bytes());
        self.hasher.update(b"\n");
        if let Some(lines) = &mut self.lines {
            lines.push(line.to_string());
        }
    }

    /// The hash of every event so far.
    pub fn trace_hash(&self) -> String {
        self.hasher.finalize().to_hex().chars().take(32).collect()
    }

    /// The events so far, to be looked at where they are kept.
    #[cfg(test)]
    pub fn events(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().flatten()
    }

    /// The events so far, where they are kept.
    pub fn lines(&mut self) -> Vec<String> {
        self.lines.take().unwrap_or_default()
    }

    /// A note stands in the store.
    pub fn noted(&mut self, note: Note) {
        self.noted.insert(note);
    }

    /// An older store is in use from now on: it counts its notes from where it was.
    #[cfg(test)]
    pub fn forget_notes(&mut self) {
        self.noted.clear();
        self.sent.clear();
    }

    /// Checks a request at its first poll: every write has an older durable note, and no note is sent twice.
    pub fn leaving(&mut self, notes: &[Note], place: &str) {
        self.writes += 1;
        if notes.is_empty() {
            self.broken("every-write-is-noted", format!("{place}: a write without a note"));
        }
        for note in notes {
            if !self.noted.contains(note) {
                self.broken("every-write-is-noted", format!("{place}: {note:?} is not in the store"));
            }
            if !self.sent.insert(*note) {
                self.broken("no-note-is-sent-twice", format!("{place}: {note:?} left before"));
            }
        }
    }

    /// What happens to the next request.
    pub fn draw(&mut self) -> Fault {
        if self.calm {
            return Fault::None;
        }
        let weather = self.weather.clone();
        let fault = weather.draw(&mut self.random);
        let kind = match fault {
            Fault::None => return fault,
            Fault::LostRequest => "lost_requests",
            Fault::LostReply => "lost_replies",
            Fault::Late(_) => "late",
            Fault::Repeated(_) => "repeated",
            Fault::Busy(_) => "busy",
            Fault::Error => "errors",
            Fault::ErrorAfter => "errors_after",
            Fault::Html => "html",
            Fault::Truncated => "truncated",
        };
        self.count(kind);
        fault
    }

    /// The system's answer; after a write, what must hold at all times is checked.
    pub fn handle(&mut self, which: Which, clock: &SimClock, request: &Request, write: bool) -> Response {
        let now = clock.true_now();
        self.arrived.0 += u64::from(write);
        let drift = self.drift.clone().filter(|drift| drift.is_in(which));
        let plain = drift.as_ref().map(|_| Drift::plain(request));
        let request = plain.as_ref().unwrap_or(request);
        let mut response = match which {
            Which::Shop => self.shop.handle(now, request),
            Which::Outlet => match &mut self.outlet {
                Some(outlet) => outlet.handle(now, request),
                None => Response { status: 404, headers: Vec::new(), body: Vec::new() },
            },
            Which::Erp => self.erp.handle(now, request),
        };
        // No character takes more than four bytes.
        let body = request.body.get(..4 * 160).unwrap_or(&request.body);
        let body: String = String::from_utf8_lossy(body).chars().take(160).collect();
        let target: String = request.target.chars().take(60).collect();
        self.event(&format!("{now} {which:?} {} {target} {body} → {}", request.method, response.status));
        if write && which == Which::Erp {
            self.after_a_write();
        }
        if write
            && which == Which::Shop
            && let Some(detail) = scenes::brought_back(self)
        {
            self.broken("what-was-deleted-is-not-made-again", detail);
        }
        if write
            && which == Which::Shop
            && let Some(detail) = undone::is_back(self)
        {
            self.broken(undone::RULE, detail);
        }
        if drift.is_some_and(|drift| drift.touch(&mut response)) {
            self.event("   and tells it otherwise");
        }
        if let Some((_, spoilt)) = self.spoilt.as_mut().filter(|(of, _)| *of == which) {
            spoilt.touch(&mut response);
        }
        response
    }

    /// Whether a clerk of the shop has changed an address of the order that a document refers to; shops have numbers with a
    /// letter before.
    pub fn is_sent_elsewhere(&self, reference: &str) -> bool {
        self.sent_elsewhere.iter().any(|number| reference.ends_with(number.as_str()))
    }

    /// Each released order and each customer exists at most once, and papers keep their addresses.
    fn after_a_write(&mut self) {
        let (mut sales, customers) = (self.erp.sales_at_a_glance(), self.erp.customer_codes());
        sales.retain(|sale| sale["state"] == "released");
        for detail in papers::rewritten(self, &sales) {
            self.broken("papers-keep-their-address", detail);
        }
        let marks: Vec<&str> = sales.iter().filter_map(|sale| sale["mark"].as_str()).collect();
        let codes: Vec<&str> = customers.iter().map(String::as_str).collect();
        for (rule, names) in [("order-released-at-most-once", marks), ("customer-made-at-most-once", codes)] {
            let mut seen: BTreeSet<&str> = BTreeSet::new();
            for name in names.into_iter().filter(|name| name.starts_with("SL")) {
                if !seen.insert(name) {
                    self.broken(rule, format!("{name} is there twice"));
                }
            }
        }
    }
}
