//! Seeded orders and customers of the simulated shop, as Magento's REST interface answers them.
//!
//! The same seed, count, catalogue and moment give the same answers, byte for byte. Amounts are computed the way
//! the recorded shop computes them (see `sums`), nothing else of a cart is simulated.

mod basket;
mod json;
mod lines;
mod people;
mod recorded;
mod shapes;
mod sketch;
mod sums;
mod taxes;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

use self::basket::Basket;
use self::json::{Draft, Entry, Freight as Shipped, Method, Standing, stamp};
use self::people::{Customer, Party, Style, Whereabouts};
use self::shapes::{BANK, Buyer, CARD, CHECK, Freight, NOTHING, PAYPAL, SHAPES, Shape};
use self::sums::{Column, Good, Prices, Reduction, Sums, sums};
use self::taxes::{Taxes, take};
use crate::catalogue::{Item, catalogue as shelf};
use crate::random::Random;

pub use self::people::BUYERS;
pub use self::sketch::{Cut, FIRST_SKETCHED, Sketch, Wanted, sketched};

/// From this many orders on, the recorded ones are among them and every shape is there.
pub const EVERY_SHAPE: usize = 60;
/// Entity id of the first order that [`place_like`] gives.
pub const FIRST_PLACED: u64 = 1_000_001;

const TOPIC: u64 = 16;
const DAY: i64 = 24 * 60 * 60;

/// The next free ids of the shop's tables.
#[derive(Debug, Clone)]
struct Ids {
    entity: u64,
    item: u64,
    address: u64,
    tax: u64,
    tax_item: u64,
}

impl Ids {
    fn order(&mut self) -> u64 {
        take(&mut self.entity)
    }
}

/// Complete Magento orders, oldest first, all from the 24 hours before `now`, the newest at least a minute old.
///
/// Ids count from 1. At least five of six are released: placed with an offline method, or authorised or paid with
/// a gateway. The others are held, cancelled, under review or not yet authorised. Registered buyers are customers
/// 3 to [`BUYERS`] (and 2 in a recorded order) of the same seed. An empty catalogue counts as the recorded one.
#[must_use]
pub fn orders(seed: u64, count: usize, catalogue: &[Item], now: Timestamp) -> Vec<Value> {
    let stock = Stock::of(seed, catalogue);
    let mut ids = Ids { entity: 1, item: 1, address: 1, tax: 1, tax_item: 1 };
    let mut recorded = if count >= EVERY_SHAPE { recorded::all() } else { Vec::new() }.into_iter();
    let mut generated = 0_u64;
    (0..count as u64)
        .map(|index| {
            let created = moment(seed, index, count as u64, now);
            if index % 7 == 3
                && let Some(order) = recorded.next()
            {
                return recorded::restamp(order, &mut ids, created, later(created, 1));
            }
            let number = take(&mut generated);
            let stage = if index % 7 == 6 { Stage::Unreleased(index / 7) } else { Stage::Released(number) };
            order(seed, number, stage, stock.items(), &mut ids, created)
        })
        .collect()
}

/// Magento customers 1 to `count`, at least [`BUYERS`], as `GET /customers/{id}` answers them.
///
/// 1 and 2 are the recorded ones, which share name and VAT number. E-mail addresses are unique whatever their case.
#[must_use]
pub fn customers(seed: u64, count: usize, now: Timestamp) -> Vec<Value> {
    people::all(seed, count, now)
}

/// The `n`th released order placed after the seeded ones, created a second before `now`.
///
/// Its ids follow from `n` alone and start far above those of [`orders`]: entity id [`FIRST_PLACED`] + `n`.
#[must_use]
pub fn place_like(seed: u64, n: u64, catalogue: &[Item], now: Timestamp) -> Value {
    let stock = Stock::of(seed, catalogue);
    let first = FIRST_PLACED + n;
    let mut ids = Ids { entity: first, item: first * 16, address: first * 2, tax: first * 2, tax_item: first * 16 };
    order(seed, n, Stage::Released(n), stock.items(), &mut ids, later(now, -1))
}

/// The `n`th released order of somebody who wants so many of one thing, created at `now`. Its ids follow from `n` alone
/// and start far above those of [`place_like`].
#[must_use]
pub fn bought(seed: u64, n: u64, item: &Item, quantity: u32, now: Timestamp) -> Value {
    let first = FIRST_PLACED * 2 + n;
    let mut ids = Ids { entity: first, item: first * 16, address: first * 2, tax: first * 2, tax_item: first * 16 };
    let mut random = Random::of(seed, TOPIC + 2, n);
    let shape = shapes::of_one_thing(quantity);
    let buyer = buyer(&mut random, seed, &shape);
    let plan = Plan { shape, standing: Standing::New, method: CHECK, classic: false, created: now };
    plan.draft(&mut random, buyer, std::slice::from_ref(item), &mut ids).json()
}

/// What is on sale.
enum Stock<'a> {
    Given(&'a [Item]),
    Recorded(Vec<Item>),
}

impl<'a> Stock<'a> {
    fn of(seed: u64, items: &'a [Item]) -> Self {
        if items.is_empty() { Self::Recorded(shelf(seed, 0)) } else { Self::Given(items) }
    }

    fn items(&self) -> &[Item] {
        match self {
            Self::Given(items) => items,
            Self::Recorded(items) => items,
        }
    }
}

/// Whether an order is one the ERP may have, and which of its sort.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Released(u64),
    Unreleased(u64),
}

/// Moments spread evenly over the day before `now`, in order, to the second.
fn moment(seed: u64, index: u64, count: u64, now: Timestamp) -> Timestamp {
    let room = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
    let place = i64::try_from(index).unwrap_or(0);
    let width = (DAY - 180) / room;
    let jitter = Random::of(seed, TOPIC + 1, index).below(u64::try_from(width).unwrap_or(1).max(1));
    let second = now.as_second() - DAY + 60 + place * (DAY - 180) / room + i64::try_from(jitter).unwrap_or(0);
    Timestamp::from_second(second).unwrap_or(now)
}

/// A whole second, so many seconds later.
fn later(at: Timestamp, seconds: i64) -> Timestamp {
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    whole.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(whole)
}

/// The generated order `number`: shape by rotation, everything else by seed and number.
fn order(seed: u64, number: u64, stage: Stage, items: &[Item], ids: &mut Ids, created: Timestamp) -> Value {
    let mut random = Random::of(seed, TOPIC, number);
    let turn = usize::try_from(number).unwrap_or(0);
    let mut shape = SHAPES[turn % SHAPES.len()];
    let (standing, method) = standing(stage, &shape);
    if method.gateway && matches!(stage, Stage::Unreleased(_)) {
        shape.coupon = shape.coupon.filter(|coupon| coupon.code != shapes::ALL_FREE);
    }
    let buyer = buyer(&mut random, seed, &shape);
    let classic = (turn / SHAPES.len() + turn % SHAPES.len()) % 4 == 3;
    let plan = Plan { shape, standing, method, classic, created };
    plan.draft(&mut random, buyer, items, ids).json()
}

/// How far an order is, and by which method it is paid.
fn standing(stage: Stage, shape: &Shape) -> (Standing, Method) {
    let intangible = shape.goods == shapes::Goods::Virtual;
    match stage {
        Stage::Unreleased(n) => match n % 5 {
            0 => (Standing::Held, CHECK),
            1 => (Standing::PendingPayment, PAYPAL),
            2 => (Standing::PaymentReview, PAYPAL),
            3 => (Standing::Canceled, BANK),
            _ => (Standing::New, CARD),
        },
        Stage::Released(n) if intangible && n % 4 != 1 => (Standing::Complete, if n % 2 == 0 { CARD } else { CHECK }),
        Stage::Released(n) => match n % 11 {
            2 => (Standing::Authorized, CARD),
            5 => (Standing::Paid, CARD),
            9 => (Standing::Paid, PAYPAL),
            n if n % 2 == 0 => (Standing::New, CHECK),
            _ => (Standing::New, BANK),
        },
    }
}

/// Who pays, who receives, and the account if there is one.
struct Buying {
    account: Option<Customer>,
    billing: Party,
    shipping: Party,
}

fn buyer(random: &mut Random, seed: u64, shape: &Shape) -> Buying {
    buying(random, seed, shape.buyer, shape.apart)
}

/// Who buys; `apart` where it is shipped to somebody else.
fn buying(random: &mut Random, seed: u64, buyer: Buyer, apart: bool) -> Buying {
    let (account, billing) = match buyer {
        Buyer::Registered => {
            let customer = people::customer(seed, random.between(3, BUYERS));
            let home = customer.addresses.first().cloned();
            let party = home.unwrap_or_else(|| {
                let place = people::somewhere(random, Whereabouts::Anywhere);
                people::party(random, Style::Private, place, customer.email.clone())
            });
            (Some(customer), party)
        }
        Buyer::Guest(style, whereabouts) => {
            let place = people::somewhere(random, whereabouts);
            let email = match random.below(8) {
                0 => format!("gäst.{}@example.com", random.below(40)),
                1 => format!("Guest.{}@Example.COM", random.below(40)),
                _ => format!("guest.{}@example.com", random.below(40)),
            };
            (None, people::party(random, style, place, email))
        }
    };
    let shipping = if apart {
        let place = people::somewhere(random, Whereabouts::Taxed);
        people::party(random, Style::Private, place, billing.email.clone())
    } else {
        billing.clone()
    };
    Buying { account, billing, shipping }
}

/// What is settled about an order before its lines are.
struct Plan {
    shape: Shape,
    standing: Standing,
    method: Method,
    classic: bool,
    created: Timestamp,
}

impl Plan {
    /// The order with its lines picked and its amounts computed.
    fn draft(self, random: &mut Random, buying: Buying, items: &[Item], ids: &mut Ids) -> Draft {
        let Self { shape, standing, method, classic, created } = self;
        let taxed = is_taxed(&buying.shipping, &buying.billing);
        let mut basket = Basket::new(items, taxed, &mut ids.item);
        basket.fill(random, shape.goods);
        let freight = (!basket.intangible_only()).then(|| freight(random, shape.freight, basket.pieces()));
        let rate = if taxed { Decimal::from(19) } else { Decimal::ZERO };
        let cost = freight.as_ref().map_or(Decimal::ZERO, |(_, cost)| *cost);
        let carriage = Good { list: cost, price: cost, qty: Decimal::ONE, percent: rate };
        let reduction = shape.coupon.map_or(Reduction::None, |coupon| coupon.reduction);
        let (factor, scale) = (shape.currency.factor(), shape.currency.scale);
        let column = Column { factor, scale };
        let (base, order) = both(column, shape.prices, &basket.goods, carriage, reduction);
        let bill = Bill {
            currency: (shape.currency.code, factor, scale),
            base,
            order,
            freight_percent: rate,
            shipped: freight.map(|(shipped, _)| shipped),
            coupon: shape.coupon.map(|coupon| coupon.code),
            reduction,
            classic,
        };
        let Basket { entries, taxable, .. } = basket;
        Assembly { standing, method, created }.draft(random, buying, bill, (entries, &taxable), ids)
    }
}

/// What an order comes to.
struct Bill {
    /// Code, factor from the base currency, and decimals.
    currency: (&'static str, Decimal, u32),
    base: Sums,
    order: Sums,
    freight_percent: Decimal,
    /// None: nothing to ship.
    shipped: Option<Shipped>,
    coupon: Option<&'static str>,
    reduction: Reduction,
    classic: bool,
}

/// How far an order is, how it is paid, and when it was placed.
struct Assembly {
    standing: Standing,
    method: Method,
    created: Timestamp,
}

impl Assembly {
    /// The order of these lines, with the tax rate of each that carries money.
    fn draft(
        self,
        random: &mut Random,
        buying: Buying,
        bill: Bill,
        (entries, taxable): (Vec<Entry>, &[(u64, Decimal)]),
        ids: &mut Ids,
    ) -> Draft {
        let Self { standing, method, created } = self;
        let Buying { account, billing, shipping } = buying;
        let (currency, factor, scale) = bill.currency;
        let sums = (&bill.order, &bill.base);
        let taxes = Taxes::new(taxable, bill.freight_percent, sums, &mut ids.tax, &mut ids.tax_item);
        let (standing, method) = if bill.order.grand_total().is_zero() && standing != Standing::Canceled {
            (if standing == Standing::Held { standing } else { Standing::New }, NOTHING)
        } else {
            (standing, method)
        };
        let first_address = ids.address;
        ids.address += if bill.shipped.is_some() { 2 } else { 1 };
        Draft {
            entity_id: ids.order(),
            first_address,
            created: stamp(later(created, 0)),
            updated: stamp(later(created, if standing == Standing::New { 1 } else { 2 })),
            currency,
            factor,
            scale,
            base: bill.base,
            order: bill.order,
            classic: bill.classic,
            entries,
            taxes,
            freight: bill.shipped,
            coupon: bill.coupon,
            discount_percent: discount_percent(bill.reduction),
            name: account.as_ref().map_or_else(
                || (billing.first.clone(), billing.last.clone()),
                |account| (account.first.clone(), account.last.clone()),
            ),
            account: account.map(|account| (account.id, account.group, account.vat)),
            billing,
            shipping,
            method,
            standing,
            protect_code: format!("{:016x}{:016x}", random.draw(), random.draw()),
        }
    }
}

/// The amounts in base currency and in the order's.
///
/// Where a line and its freight are both rounded the same way, tax recomputed from the nets is further off than a
/// minor unit per line; freight then costs some cents more.
fn both(column: Column, prices: Prices, goods: &[Good], mut freight: Good, reduction: Reduction) -> (Sums, Sums) {
    let dollars = Column { factor: Decimal::ONE, scale: 2 };
    let of = |column, freight: &Good| sums(column, prices, goods, freight, reduction);
    let (mut base, mut order) = (of(dollars, &freight), of(column, &freight));
    for _ in 0..40 {
        let near =
            base.recomputable(goods, &freight, dollars.scale) && order.recomputable(goods, &freight, column.scale);
        if near || freight.price.is_zero() {
            break;
        }
        freight.price += Decimal::new(1, 2);
        (base, order) = (of(dollars, &freight), of(column, &freight));
    }
    (base, order)
}

/// Home and EU buyers pay tax; those abroad, and firms with a VAT number in another EU country, do not.
fn is_taxed(shipping: &Party, billing: &Party) -> bool {
    let reverse_charge = billing.vat.is_some() && shipping.place.country != "DE";
    shipping.place.taxed && !reverse_charge
}

/// How it is shipped, and for how much before tax in dollars.
fn freight(random: &mut Random, freight: Freight, pieces: Decimal) -> (Shipped, Decimal) {
    let (method, title, cost) = match freight {
        Freight::Flat => ("flatrate_flatrate", "Flat Rate - Fixed", pieces * Decimal::from(5)),
        Freight::Free => ("freeshipping_freeshipping", "Free Shipping - Free", Decimal::ZERO),
        Freight::Table => {
            let cents = *random.pick(&[490, 735, 1_250, 999, 1_799]);
            ("tablerate_bestway", "Best Way - Table Rate", Decimal::new(cents, 2))
        }
    };
    (Shipped { method, title }, cost)
}

fn discount_percent(reduction: Reduction) -> Decimal {
    match reduction {
        Reduction::Percent { goods, .. } => goods,
        Reduction::None | Reduction::Fixed(_) => Decimal::ZERO,
    }
}
