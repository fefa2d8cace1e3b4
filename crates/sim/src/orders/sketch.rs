//! Orders of any amounts: somebody says, or a seed draws, what is in the basket, and the shop works out the rest.
//!
//! The rotation of shapes keeps to what was recorded; these leave it: any rate, any discount, currencies of no, two and
//! three decimals, and freight that is not nudged until a second system would come to the same cents.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use super::basket::Basket;
use super::json::{Freight as Shipped, Standing};
use super::people::{Style, Whereabouts};
use super::shapes::{Buyer, CHECK, Goods};
use super::sums::{Column, Good, Prices, Reduction, sums};
use super::{Assembly, Bill, Ids, buying};
use crate::catalogue::{Form, Item};
use crate::random::Random;

/// Entity id of the first sketched order.
pub const FIRST_SKETCHED: u64 = 3_000_001;

const TOPIC: u64 = 19;
/// Currencies a shop whose books are in dollars sells in: code, dollars in one of them as digits and scale, decimals.
const CURRENCIES: [(&str, (i64, u32), u32); 5] =
    [("USD", (1, 0), 2), ("EUR", (9173, 4), 2), ("JPY", (15137, 2), 0), ("KWD", (3071, 4), 3), ("GBP", (78_643, 5), 2)];

/// What lies in a basket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// So many of one SKU; without a price, at the catalogue's. Prices are in dollars, without tax.
    Pieces(String, u32, Option<Decimal>),
    /// A configurable and the product chosen under it.
    Family,
    /// A bundle and its parts.
    Set,
}

/// What an order is reduced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Nothing.
    None,
    /// So many percent of each line, and of freight.
    Percent(u32, u32),
    /// So many dollars, shared over the lines.
    Amount(Decimal),
}

/// An order before the shop has worked it out.
#[derive(Debug, Clone)]
pub struct Sketch {
    /// What is bought.
    pub wanted: Vec<Wanted>,
    /// Whether prices are kept with tax.
    pub gross: bool,
    /// What it is reduced by.
    pub cut: Cut,
    /// Code of the order's currency, one of those the shop sells in.
    pub currency: &'static str,
    /// Freight in dollars, without tax.
    pub freight: Decimal,
    /// Tax on freight in percent.
    pub freight_percent: Decimal,
    /// Whether anything is taxed at all.
    pub taxed: bool,
    /// Row totals before the discount, as older versions answer.
    pub classic: bool,
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            wanted: Vec::new(),
            gross: true,
            cut: Cut::None,
            currency: "USD",
            freight: Decimal::ZERO,
            freight_percent: Decimal::from(19),
            taxed: true,
            classic: false,
        }
    }
}

impl Sketch {
    /// The `n`th sketch of a seed, over what of `items` is sold by itself; `rates` are what freight may be taxed by.
    #[must_use]
    pub fn drawn(seed: u64, n: u64, items: &[Item], rates: &[Decimal]) -> Self {
        let mut random = Random::of(seed, TOPIC, n);
        let simple: Vec<&Item> = items.iter().filter(|item| item.form == Form::Simple).collect();
        let lines = random.between(1, 6);
        let wanted = (0..lines).map(|_| wanted(&mut random, &simple)).collect();
        let cut = match random.below(6) {
            0 | 1 => Cut::None,
            2 => Cut::Percent(percent(&mut random), 0),
            3 => Cut::Percent(percent(&mut random), percent(&mut random)),
            4 => Cut::Percent(0, 100),
            _ => Cut::Amount(amount(&mut random, 2)),
        };
        let currency = CURRENCIES.get(random.index(CURRENCIES.len())).map_or("USD", |row| row.0);
        let freight = if random.chance(1, 4) { Decimal::ZERO } else { amount(&mut random, 2) };
        let freight_percent = rates.get(random.index(rates.len().max(1))).copied().unwrap_or_default();
        let (gross, taxed, classic) = (random.chance(1, 2), random.chance(9, 10), random.chance(1, 4));
        Self { wanted, gross, cut, currency, freight, freight_percent, taxed, classic }
    }
}

fn wanted(random: &mut Random, simple: &[&Item]) -> Wanted {
    match random.below(10) {
        0 => Wanted::Family,
        1 => Wanted::Set,
        draw => {
            let quantity = if draw == 2 { random.between(10, 500) } else { random.between(1, 9) };
            let decimals = *random.pick(&[0, 1, 2, 2, 2, 3, 4, 4]);
            let price = random.chance(3, 4).then(|| amount(random, decimals));
            let sku = simple.get(random.index(simple.len().max(1))).map_or_else(String::new, |item| item.sku.clone());
            Wanted::Pieces(sku, u32::try_from(quantity).unwrap_or(1), price)
        }
    }
}

/// Any percentage, the round ones more often.
fn percent(random: &mut Random) -> u32 {
    if random.chance(1, 3) {
        return *random.pick(&[10, 15, 33, 50, 100]);
    }
    u32::try_from(random.between(1, 100)).unwrap_or(1)
}

/// Anything from next to nothing to some thousands, of any size as often.
fn amount(random: &mut Random, decimals: u32) -> Decimal {
    let digits = u32::try_from(random.between(1, 3)).unwrap_or(1) + decimals;
    let most = 10_u64.saturating_pow(digits);
    Decimal::new(i64::try_from(random.between(1, most)).unwrap_or(1), decimals)
}

/// The order that a sketch becomes, released when it is placed, by a guest who pays by check. Its ids follow from `n` alone.
#[must_use]
pub fn sketched(seed: u64, n: u64, sketch: &Sketch, items: &[Item], now: Timestamp) -> Value {
    let first = FIRST_SKETCHED + n;
    let mut ids = Ids { entity: first, item: first * 64, address: first * 2, tax: first * 8, tax_item: first * 64 };
    let mut random = Random::of(seed, TOPIC + 1, n);
    let guest = buying(&mut random, seed, Buyer::Guest(Style::Private, Whereabouts::Taxed), false);
    let mut basket = Basket::new(items, sketch.taxed, &mut ids.item);
    for wanted in &sketch.wanted {
        match wanted {
            Wanted::Pieces(sku, quantity, price) => basket.pieces_of(sku, *quantity, *price),
            Wanted::Family => basket.fill(&mut random, Goods::Family),
            Wanted::Set => basket.fill(&mut random, Goods::Set),
        }
    }
    let (code, factor, scale) = CURRENCIES
        .iter()
        .find(|(code, ..)| *code == sketch.currency)
        .map_or(("USD", Decimal::ONE, 2), |(code, (digits, scale), kept)| {
            (*code, Decimal::new(*digits, *scale), *kept)
        });
    let percent = if sketch.taxed { sketch.freight_percent } else { Decimal::ZERO };
    let freight = Good { list: sketch.freight, price: sketch.freight, qty: Decimal::ONE, percent };
    let prices = if sketch.gross { Prices::Gross } else { Prices::Net };
    let reduction = match sketch.cut {
        Cut::None => Reduction::None,
        Cut::Percent(goods, shipping) => {
            Reduction::Percent { goods: Decimal::from(goods), shipping: Decimal::from(shipping) }
        }
        Cut::Amount(amount) => Reduction::Fixed(amount),
    };
    let of = |column| sums(column, prices, &basket.goods, &freight, reduction);
    let (base, order) = (of(Column { factor: Decimal::ONE, scale: 2 }), of(Column { factor, scale }));

    let bill = Bill {
        currency: (code, factor, scale),
        base,
        order,
        freight_percent: percent,
        shipped: Some(Shipped { method: "tablerate_bestway", title: "Best Way - Table Rate" }),
        coupon: (reduction != Reduction::None).then_some("SKETCH"),
        reduction,
        classic: sketch.classic,
    };
    let Basket { entries, taxable, .. } = basket;
    let assembly = Assembly { standing: Standing::New, method: CHECK, created: now };
    assembly.draft(&mut random, guest, bill, (entries, &taxable), &mut ids).json()
}
