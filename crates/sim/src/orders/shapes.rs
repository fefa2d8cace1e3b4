//! The shapes of seeded orders: what is bought, by whom, from where, in which currency and how it is reduced.

use rust_decimal::Decimal;

use super::json::Method;
use super::people::{Style, Whereabouts};
use super::sums::{Prices, Reduction};

/// What lies in the basket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goods {
    One,
    Several,
    /// Two lines of one SKU, the second at a price of its own.
    Twice,
    /// A configurable and the product chosen under it.
    Family,
    /// A bundle and its parts.
    Set,
    Virtual,
    /// One line of each tax rate.
    Rates,
    /// Four pens and four mugs, as recorded.
    CentTrap,
    /// 48 × 0.1234.
    Bulk,
    /// Family, bundle, simple and virtual together.
    Cart,
    /// So many of the first thing there is.
    Exactly(u32),
}

/// Who buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Buyer {
    Guest(Style, Whereabouts),
    Registered,
}

/// A coupon: its code and what it takes off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coupon {
    pub(super) code: &'static str,
    pub(super) reduction: Reduction,
}

/// The currency of the order beside the base currency, US dollars.
#[derive(Debug, Clone, Copy)]
pub(super) struct Currency {
    pub(super) code: &'static str,
    /// Digits and scale of the rate from dollars.
    rate: (i64, u32),
    pub(super) scale: u32,
}

impl Currency {
    pub(super) fn factor(&self) -> Decimal {
        Decimal::new(self.rate.0, self.rate.1)
    }
}

/// What shipping costs before tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freight {
    /// Five dollars apiece, as recorded.
    Flat,
    Table,
    Free,
}

/// One shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) goods: Goods,
    pub(super) buyer: Buyer,
    pub(super) coupon: Option<&'static Coupon>,
    pub(super) currency: &'static Currency,
    pub(super) prices: Prices,
    pub(super) freight: Freight,
    /// Shipped to someone else than billed.
    pub(super) apart: bool,
}

const USD: Currency = Currency { code: "USD", rate: (1, 0), scale: 2 };
const EUR: Currency = Currency { code: "EUR", rate: (9173, 4), scale: 2 };
const JPY: Currency = Currency { code: "JPY", rate: (15137, 2), scale: 0 };

const fn percent(code: &'static str, goods: u32, shipping: u32) -> Coupon {
    let (goods, shipping) = (whole(goods), whole(shipping));
    Coupon { code, reduction: Reduction::Percent { goods, shipping } }
}

const fn whole(number: u32) -> Decimal {
    Decimal::from_parts(number, 0, 0, false, 0)
}

/// The coupon that leaves nothing to pay.
pub(super) const ALL_FREE: &str = "ALLFREE";

const TEN: Coupon = percent("TENOFF2", 10, 0);
const TEN_ALL: Coupon = percent("TENALL", 10, 10);
const FULL: Coupon = percent(ALL_FREE, 100, 100);
const SHIP_FREE: Coupon = percent("SHIPFREE", 0, 100);
const FIXED: Coupon = Coupon { code: "FIVE OFF é", reduction: Reduction::Fixed(whole(5)) };

const GUEST: Buyer = Buyer::Guest(Style::Private, Whereabouts::Taxed);
const ABROAD: Buyer = Buyer::Guest(Style::Private, Whereabouts::Untaxed);
const COMPANY: Buyer = Buyer::Guest(Style::Company, Whereabouts::Taxed);
const LONG: Buyer = Buyer::Guest(Style::Long, Whereabouts::Taxed);
const MEMBER: Buyer = Buyer::Registered;

const fn shape(goods: Goods, buyer: Buyer, currency: &'static Currency, prices: Prices, freight: Freight) -> Shape {
    Shape { goods, buyer, coupon: None, currency, prices, freight, apart: false }
}

impl Shape {
    const fn with(self, coupon: &'static Coupon) -> Self {
        Self { coupon: Some(coupon), ..self }
    }

    const fn apart(self) -> Self {
        Self { apart: true, ..self }
    }
}

use Freight::{Flat, Free, Table};
use Goods::{Bulk, Cart, CentTrap, Family, One, Rates, Set, Several, Twice, Virtual};
use Prices::{Gross, Net};

/// What somebody buys who wants one thing.
pub(super) const fn of_one_thing(quantity: u32) -> Shape {
    shape(Goods::Exactly(quantity), GUEST, &USD, Gross, Flat)
}

/// All shapes, in rotation.
pub(super) const SHAPES: [Shape; 30] = [
    shape(One, GUEST, &USD, Gross, Flat),
    shape(Several, MEMBER, &USD, Net, Flat),
    shape(Twice, GUEST, &USD, Gross, Table),
    shape(Family, GUEST, &EUR, Gross, Flat),
    shape(Set, GUEST, &EUR, Gross, Flat).with(&TEN),
    shape(Virtual, GUEST, &USD, Gross, Free),
    shape(Several, COMPANY, &USD, Net, Table).with(&FIXED).apart(),
    shape(One, GUEST, &USD, Gross, Flat).with(&FULL),
    shape(Rates, GUEST, &USD, Gross, Flat).with(&TEN),
    shape(Several, ABROAD, &USD, Net, Table),
    shape(Several, GUEST, &JPY, Gross, Table),
    shape(CentTrap, GUEST, &EUR, Gross, Flat).with(&FIXED),
    shape(Bulk, GUEST, &USD, Net, Table),
    shape(Several, MEMBER, &EUR, Net, Flat).with(&TEN_ALL),
    shape(One, LONG, &USD, Gross, Free),
    shape(Family, MEMBER, &USD, Gross, Table).with(&TEN),
    shape(Set, MEMBER, &USD, Net, Flat),
    shape(Several, GUEST, &USD, Gross, Flat).with(&SHIP_FREE),
    shape(Virtual, MEMBER, &USD, Gross, Free).with(&TEN),
    shape(Rates, GUEST, &JPY, Net, Flat),
    shape(Cart, GUEST, &EUR, Gross, Flat).with(&TEN),
    shape(Several, LONG, &EUR, Net, Free).apart(),
    shape(Set, GUEST, &EUR, Gross, Flat).with(&FULL),
    shape(Rates, COMPANY, &EUR, Gross, Table).with(&FIXED).apart(),
    shape(One, MEMBER, &JPY, Gross, Table).with(&TEN),
    shape(Twice, MEMBER, &EUR, Net, Flat),
    shape(Bulk, GUEST, &USD, Gross, Table).with(&TEN),
    shape(Cart, ABROAD, &USD, Gross, Flat),
    shape(Family, GUEST, &USD, Net, Free).with(&FIXED).apart(),
    shape(Virtual, COMPANY, &EUR, Net, Free).with(&FIXED),
];

/// Payment methods.
pub(super) const CHECK: Method = Method { code: "checkmo", title: "Check / Money order", gateway: false };
pub(super) const BANK: Method = Method { code: "banktransfer", title: "Bank Transfer Payment", gateway: false };
pub(super) const NOTHING: Method = Method { code: "free", title: "No Payment Information Required", gateway: false };
pub(super) const CARD: Method = Method { code: "braintree", title: "Credit Card (Braintree)", gateway: true };
pub(super) const PAYPAL: Method = Method { code: "paypal_express", title: "PayPal Express Checkout", gateway: true };
