//! Where a shop's goods lie and what of them can be bought: sources, stocks, and a quantity per SKU and source.
//!
//! As recorded, a sale lowers no quantity: it stands as a reservation, and what a buyer can still get is the quantity
//! of the sources that count, less what is reserved, less the threshold below which a product counts as sold out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};

use super::reservations::Reservations;
use super::value::number;
use crate::catalogue::{Form, Item};
use crate::random::Random;

/// The source and the stock every shop has; they belong to each other and to nobody else.
pub(super) const DEFAULT_SOURCE: &str = "default";
/// The id of the stock every shop begins with.
pub(super) const DEFAULT_STOCK: u64 = 1;
/// The one website.
pub(super) const WEBSITE: &str = "base";

const TOPIC: u64 = 40;
/// Decimals a quantity keeps (`inventory_source_item.quantity` is a `DECIMAL(12,4)`).
const SCALE: u32 = 4;

/// One place goods lie at, as the API tells it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) code: String,
    pub(super) told: Map<String, Value>,
}

impl Source {
    fn enabled(&self) -> bool {
        self.told.get("enabled") == Some(&Value::Bool(true))
    }
}

/// What buyers of some websites see: the sources linked to it, taken together.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) id: u64,
    pub(super) name: String,
    /// Codes of its websites.
    pub(super) websites: Vec<String>,
}

/// A source that a stock takes in.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) stock: u64,
    pub(super) source: String,
    pub(super) priority: u64,
}

/// The quantity of one SKU at one source.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) sku: String,
    pub(super) source: String,
    pub(super) quantity: Decimal,
    /// Whether it counts at all.
    pub(super) in_stock: bool,
    /// Quantity the index still has, and until when.
    stale: Option<(Decimal, Timestamp)>,
}

impl Row {
    fn counts(&self) -> Decimal {
        if self.in_stock { self.quantity } else { Decimal::ZERO }
    }

    /// What the index has of it.
    fn indexed(&self, now: Timestamp) -> Decimal {
        match self.stale {
            Some((quantity, until)) if now < until => quantity,
            _ => self.counts(),
        }
    }

    /// The row as the API tells it.
    pub(super) fn told(&self) -> Value {
        let status = u8::from(self.in_stock);
        json!({"sku": self.sku, "source_code": self.source, "quantity": number(self.quantity), "status": status})
    }
}

/// All of it.
#[derive(Debug)]
pub(super) struct Stock {
    pub(super) sources: Vec<Source>,
    pub(super) pools: Vec<Pool>,
    pub(super) links: Vec<Link>,
    rows: BTreeMap<u64, Row>,
    places: BTreeMap<(String, String), u64>,
    last_row: u64,
    /// No sources and no reservations, as where the modules for them are switched off: one quantity of each product, that
    /// falls when it is bought. A row then keeps the quantity with all that was ever bought added.
    pub(super) single: bool,
    /// A product with no more than this counts as sold out.
    pub(super) threshold: Decimal,
    /// Seconds the index takes to follow a write.
    pub(super) index_late_s: u32,
}

impl Stock {
    /// What every shop begins with (recorded: sources, stocks), and 20 to 500 of everything that lies on a shelf beside
    /// what its orders already keep back.
    pub(super) fn seeded<'i>(seed: u64, items: impl Iterator<Item = &'i Item>, reserved: &Reservations) -> Self {
        let mut stock = Self {
            sources: vec![default_source()],
            pools: vec![Pool {
                id: DEFAULT_STOCK,
                name: "Default Stock".to_owned(),
                websites: vec![WEBSITE.to_owned()],
            }],
            links: vec![Link { stock: DEFAULT_STOCK, source: DEFAULT_SOURCE.to_owned(), priority: 1 }],
            rows: BTreeMap::new(),
            places: BTreeMap::new(),
            last_row: 0,
            single: false,
            threshold: Decimal::ZERO,
            index_late_s: 0,
        };
        for item in items.filter(|item| lies_on_a_shelf(&item.form)) {
            let free = Random::of(seed, TOPIC, item.product_id).between(20, 500);
            let quantity = Decimal::from(free).saturating_add(reserved.of(item.product_id, &item.sku));
            stock.set(Timestamp::UNIX_EPOCH, &item.sku, DEFAULT_SOURCE, quantity, true);
        }
        stock
    }

    /// Every quantity, in the order the rows were made.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// The same with the rows' ids.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u64, &Row)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    /// Puts a quantity in its place; what was there before is gone.
    pub(super) fn set(&mut self, now: Timestamp, sku: &str, source: &str, quantity: Decimal, in_stock: bool) {
        let place = (sku.to_lowercase(), source.to_owned());
        let quantity = quantity.round_dp_with_strategy(SCALE, RoundingStrategy::MidpointAwayFromZero);
        let made = Row { sku: sku.to_owned(), source: source.to_owned(), quantity, in_stock, stale: None };
        let (rows, last) = (&mut self.rows, &mut self.last_row);
        let id = *self.places.entry(place).or_insert_with(|| {
            *last += 1;
            *last
        });
        let before = rows.get(&id).map_or(Decimal::ZERO, |row| row.indexed(now));
        let until = now.checked_add(SignedDuration::from_secs(i64::from(self.index_late_s))).unwrap_or(Timestamp::MAX);
        let stale = (self.index_late_s > 0).then_some((before, until));
        rows.insert(id, Row { stale, ..made });
    }

    /// Takes a quantity away altogether.
    pub(super) fn remove(&mut self, sku: &str, source: &str) {
        if let Some(id) = self.places.remove(&(sku.to_lowercase(), source.to_owned())) {
            self.rows.remove(&id);
        }
    }

    /// The row of a SKU at a source.
    pub(super) fn row(&self, sku: &str, source: &str) -> Option<&Row> {
        self.places.get(&(sku.to_lowercase(), source.to_owned())).and_then(|id| self.rows.get(id))
    }

    /// Has the default stock sell to a website.
    pub(super) fn sell_to(&mut self, website: &str) {
        if let Some(pool) = self.pools.iter_mut().find(|pool| pool.id == DEFAULT_STOCK) {
            pool.websites.push(website.to_owned());
        }
    }

    /// The stock a website sells from.
    pub(super) fn of_website(&self, code: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.websites.iter().any(|website| website == code))
    }

    /// Opens a further source of the one website, which sells out of both from now on: a stock of its own takes them in, for
    /// the default stock has the default source alone.
    pub(super) fn open_source(&mut self, code: &str) {
        let mut source = default_source();
        source.told.insert("source_code".to_owned(), json!(code));
        source.code = code.to_owned();
        self.sources.push(source);
        self.pools.iter_mut().for_each(|pool| pool.websites.clear());
        let stock = self.pools.iter().map(|pool| pool.id).max().unwrap_or(DEFAULT_STOCK).saturating_add(1);
        self.pools.push(Pool { id: stock, name: "All places".to_owned(), websites: vec![WEBSITE.to_owned()] });
        for (source, priority) in [(DEFAULT_SOURCE, 1), (code, 2)] {
            self.links.push(Link { stock, source: source.to_owned(), priority });
        }
    }

    /// The sources a stock takes in and that are enabled, the first to be emptied first.
    pub(super) fn sources_of(&self, stock: u64) -> Vec<&str> {
        let mut links: Vec<&Link> = self.links.iter().filter(|link| link.stock == stock).collect();
        links.sort_by_key(|link| link.priority);
        let enabled = |code: &str| self.sources.iter().any(|source| source.code == code && source.enabled());
        links.into_iter().map(|link| link.source.as_str()).filter(|code| enabled(code)).collect()
    }

    /// What a buyer can still get of a product out of a stock, as the index has it at `now`; as it is where no moment is
    /// given. Orders are all of the one website, so only its stock has something kept back. Without sources there is no
    /// index either.
    pub(super) fn salable(&self, now: Option<Timestamp>, stock: u64, item: &Item, kept: &Reservations) -> Decimal {
        let now = now.filter(|_| !self.single);
        let rows = self.sources_of(stock).into_iter().filter_map(|source| self.row(&item.sku, source));
        let counted = rows.fold(Decimal::ZERO, |sum, row| {
            sum.saturating_add(now.map_or_else(|| row.counts(), |now| row.indexed(now)))
        });
        let sells = self.of_website(WEBSITE).is_some_and(|pool| pool.id == stock);
        let kept = if sells { kept.of(item.product_id, &item.sku) } else { Decimal::ZERO };
        counted.saturating_sub(kept).saturating_sub(self.threshold)
    }

    /// Takes quantities out of one source. False, with nothing taken, where it does not hold so much of one.
    pub(super) fn deduct(&mut self, now: Timestamp, source: &str, wanted: &[(String, Decimal)]) -> bool {
        let left: Vec<Option<Decimal>> = wanted
            .iter()
            .map(|(sku, quantity)| Some(self.row(sku, source)?.quantity.saturating_sub(*quantity)))
            .collect();
        if left.iter().any(|left| left.is_none_or(|left| left < Decimal::ZERO)) {
            return false;
        }
        for ((sku, _), left) in wanted.iter().zip(left.into_iter().flatten()) {
            let counted = self.row(sku, source).is_some_and(|row| row.in_stock);
            self.set(now, sku, source, left, counted && left != self.threshold);
        }
        true
    }

    /// Takes a quantity out of the website's sources in the order they are to be emptied. False, with nothing taken,
    /// where they do not hold so much.
    pub(super) fn take(&mut self, now: Timestamp, wanted: &[(String, Decimal)]) -> bool {
        let Some(pool) = self.of_website(WEBSITE) else { return false };
        let sources = self.sources_of(pool.id);
        let mut left: BTreeMap<(&str, &str), Decimal> = BTreeMap::new();
        for (sku, quantity) in wanted {
            let mut open = *quantity;
            for source in &sources {
                let Some(row) = self.row(sku, source).filter(|row| row.in_stock) else { continue };
                let here = left.entry((sku.as_str(), *source)).or_insert(row.quantity);
                let taken = open.min(*here).max(Decimal::ZERO);
                *here = here.saturating_sub(taken);
                open = open.saturating_sub(taken);
            }
            if !open.is_zero() {
                return false;
            }
        }
        let left: Vec<(String, String, Decimal)> =
            left.into_iter().map(|((sku, source), quantity)| (sku.to_owned(), source.to_owned(), quantity)).collect();
        for (sku, source, quantity) in left {
            // The shop takes an emptied source item out of stock by itself.
            self.set(now, &sku, &source, quantity, !quantity.is_zero());
        }
        true
    }
}

/// Whether quantities of such a product are kept; a family's and a bundle's follow from what is in them.
pub(super) fn lies_on_a_shelf(form: &Form) -> bool {
    matches!(form, Form::Simple | Form::Virtual)
}

fn default_source() -> Source {
    let told = json!({
        "source_code": DEFAULT_SOURCE, "name": "Default Source", "enabled": true, "description": "Default Source",
        "latitude": 0, "longitude": 0, "country_id": "US", "postcode": "00000", "use_default_carrier_config": true,
        "carrier_links": [], "extension_attributes": {"is_pickup_location_active": false, "frontend_name": ""},
    });
    Source { code: DEFAULT_SOURCE.to_owned(), told: told.as_object().cloned().unwrap_or_default() }
}
