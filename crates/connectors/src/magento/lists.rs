//! What a shop's price rows mean: which list a row belongs to, which lists are told whole, what is kept of an amount. Pure.

use super::map;
use super::website::Site;
use super::wire::{self, BasePrice, SpecialPrice, TierPrice};
use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use syncline_connect::{Error, Result};
use syncline_core::id::RemoteId;
use syncline_core::kind::Kind;
use syncline_core::leaf::{Ref, Value};
use syncline_core::money::{self, Currency, Money};
use syncline_core::path::Path;
use syncline_core::policy::ErrorKind;
use syncline_core::profile::Fit;
use syncline_core::record::{Price, PriceKey, PriceRow};
use syncline_core::text::shown;

/// The list of the prices that hold for everybody and always.
pub(super) const BASE: &str = "base";
/// The list of the price that holds for some days.
pub(super) const SPECIAL: &str = "special";
/// The list of the prices from a quantity on that hold for all groups of customers.
pub(super) const EVERYBODY: &str = "group:*";
/// What the lists of one group each begin with; its code follows.
const GROUP: &str = "group:";
/// What the shop calls all groups when it is told prices; it answers in small letters (recorded: tier-price-after-put).
const ALL_GROUPS: &str = "ALL GROUPS";
/// Decimals that are written.
const WRITTEN: u32 = 4;
/// Decimals that are read (recorded: sku-rename, `45.000000`; the columns are `DECIMAL(20,6)`).
const READ: u32 = 6;
/// Decimals of a tier's quantity (`catalog_product_entity_tier_price.qty` is a `DECIMAL(12,4)`).
const QUANTITY: u32 = 4;
/// The first amount that is not written: with four decimals it has more digits than the shop's floats keep.
const TOO_MUCH: u64 = 100_000_000_000;
const SEVERAL_VIEWS: &str = "single store views, or websites, have prices of their own there";
const ONE_WEBSITE: &str = "a single website has prices of its own there";
const ALL_WEBSITES: &str = "a price that holds in all websites stands there";

/// How a shop is set up for prices.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) currency: Currency,
    /// Codes of the groups of customers.
    pub(super) groups: Vec<String>,
    /// The one website whose prices are meant; none for those that hold in all of them.
    pub(super) site: Option<Arc<Site>>,
}

impl Setup {
    /// Ids of the store views a price is written for. The shop keeps a special price for the very view it is sent for.
    pub(super) fn views(&self) -> Vec<u64> {
        self.site.as_ref().map_or_else(|| vec![0], |site| site.views.iter().copied().collect())
    }

    /// Id of the website a tier is written for.
    pub(super) fn website(&self) -> u64 {
        self.site.as_ref().map_or(0, |site| site.id)
    }

    /// The one of `rows` that holds where prices are meant, by the view each says it is for; none where there is none, and
    /// the reason where it is not ours to change.
    fn one_of<T: PartialEq + Copy>(&self, rows: &[(u64, T)]) -> std::result::Result<Option<(u64, T)>, &'static str> {
        let Some(site) = &self.site else {
            let several = rows.len() > 1 || rows.iter().any(|(view, _)| *view != 0);
            return if several { Err(SEVERAL_VIEWS) } else { Ok(rows.first().copied()) };
        };
        let of = |view: u64| {
            let found = |view: u64| rows.iter().find(|(id, _)| *id == view).copied();
            found(view).or_else(|| found(0))
        };
        let home = of(site.home_id);
        let alike = |view: &u64| of(*view).map(|(_, value)| value) == home.map(|(_, value)| value);
        if site.views.iter().all(alike) { Ok(home) } else { Err(SEVERAL_VIEWS) }
    }
}

/// The list of a group's prices; none where its code is what the shop, or we, call all groups.
pub(super) fn list_of(code: &str) -> Option<String> {
    let taken = code == "*" || code.eq_ignore_ascii_case(ALL_GROUPS) || code.is_empty();
    (!taken).then(|| format!("{GROUP}{code}"))
}

/// What the shop calls the group of a list.
pub(super) fn group_of(list: &str) -> Option<&str> {
    if list == EVERYBODY { Some(ALL_GROUPS) } else { list.strip_prefix(GROUP) }
}

/// The one currency all prices are in.
///
/// # Errors
/// Where the views have none, several, or one that is none.
pub(super) fn currency(bases: &BTreeSet<String>) -> std::result::Result<Currency, String> {
    let mut codes = bases.iter();
    match (codes.next(), codes.next()) {
        (Some(code), None) => code.parse().map_err(|_| format!("`{}` is no currency", shown(code, 20))),
        (None, _) => Err("the store views tell no base currency".to_owned()),
        (Some(_), Some(_)) => {
            let codes = bases.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            Err(format!("the websites have several base currencies ({codes}); whose a price is cannot be told"))
        }
    }
}

/// Who has prices of what sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// What has prices of its own.
    Single,
    /// What may have a base price; all others are percentages.
    Bundle,
    /// What has none: what is sold is one of those in it.
    Family,
}

impl Form {
    /// The form of a product type.
    pub(super) fn of(kind: Option<&str>) -> Self {
        match kind {
            Some("configurable" | "grouped") => Self::Family,
            Some("bundle") => Self::Bundle,
            _ => Self::Single,
        }
    }
}

/// What the shop tells of the prices of one product.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) sku: String,
    pub(super) form: Form,
    pub(super) base: Vec<BasePrice>,
    pub(super) special: Vec<SpecialPrice>,
    pub(super) tiers: Vec<TierPrice>,
}

/// The prices of one product that are ours to tell and to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) rows: BTreeMap<PriceKey, PriceRow>,
    pub(super) whole: BTreeSet<String>,
    /// Why a list is not ours.
    closed: BTreeMap<String, &'static str>,
    form: Option<Form>,
}

impl Sheet {
    /// The prices out of what the shop tells.
    ///
    /// # Errors
    /// A message where a day is none.
    pub(super) fn new(told: &Told, setup: &Setup) -> std::result::Result<Self, String> {
        let mut sheet = Self { form: Some(told.form), ..Self::default() };
        if told.form == Form::Family {
            return Ok(sheet);
        }
        sheet.put_base(told, setup);
        sheet.put_special(told, setup)?;
        sheet.put_tiers(told, setup);
        let closed = std::mem::take(&mut sheet.closed);
        sheet.rows.retain(|key, _| !closed.contains_key(&key.list));
        sheet.whole.retain(|list| !closed.contains_key(list));
        sheet.closed = closed;
        Ok(sheet)
    }

    /// Why nothing is changed in a list; none where it is.
    pub(super) fn closed(&self, list: &str) -> Option<&'static str> {
        match (self.form, list) {
            (Some(Form::Family), _) => Some("such a product has no prices of its own"),
            (Some(Form::Bundle), list) if list != BASE => Some("those of a bundle are percentages"),
            (Some(Form::Bundle), _) if !self.whole.contains(BASE) && !self.closed.contains_key(BASE) => {
                Some("the price of this bundle follows from what is in it")
            }
            (_, list) => self.closed.get(list).copied(),
        }
    }

    /// The special price that is there.
    pub(super) fn special(&self) -> Option<(&PriceKey, &PriceRow)> {
        self.rows.iter().find(|(key, _)| key.list == SPECIAL)
    }

    /// The record of a product's prices.
    pub(super) fn record(&self, sku: &str) -> Price {
        let variant = Some(Ref::remote(Kind::Variant, RemoteId::new("", sku)));
        Price { variant, lists: self.whole.clone(), rows: self.rows.clone() }
    }

    fn put_base(&mut self, told: &Told, setup: &Setup) {
        let rows: Vec<_> = told.base.iter().filter_map(|row| Some((row.store_id.0, row.price?.0))).collect();
        match setup.one_of(&rows) {
            Err(why) => {
                self.whole.insert(BASE.to_owned());
                self.closed.insert(BASE.to_owned(), why);
            }
            Ok(Some((_, amount))) => {
                self.whole.insert(BASE.to_owned());
                self.put(PriceKey::plain(BASE), amount, None, setup);
            }
            Ok(None) => {}
        }
    }

    /// The shop joins a price with the days of every view, so several rows may be one price and none can be trusted.
    fn put_special(&mut self, told: &Told, setup: &Setup) -> std::result::Result<(), String> {
        if told.form == Form::Bundle {
            return Ok(());
        }
        self.whole.insert(SPECIAL.to_owned());
        let mut rows = Vec::new();
        for row in &told.special {
            if let Some(amount) = row.price {
                let days = (day(row.price_from.as_ref())?, day(row.price_to.as_ref())?);
                rows.push((row.store_id.0, (amount.0, days)));
            }
        }
        let one = match setup.one_of(&rows) {
            Ok(Some((0, _))) if setup.site.is_some() => Err(ALL_WEBSITES),
            told => told,
        };
        match one {
            Err(why) => drop(self.closed.insert(SPECIAL.to_owned(), why)),
            Ok(Some((_, (amount, (from, until))))) => {
                self.put(PriceKey { from, ..PriceKey::plain(SPECIAL) }, amount, until, setup);
            }
            Ok(None) => {}
        }
        Ok(())
    }

    fn put_tiers(&mut self, told: &Told, setup: &Setup) {
        if told.form == Form::Bundle {
            return;
        }
        self.whole.insert(EVERYBODY.to_owned());
        self.whole.extend(setup.groups.iter().filter_map(|code| list_of(code)));
        for row in &told.tiers {
            let (at, website) = (row.website_id.0, setup.website());
            if setup.site.is_some() && at != 0 && at != website {
                continue;
            }
            let Some(list) = named(&row.customer_group.0, setup) else { continue };
            let key = PriceKey { list: list.clone(), quantity: money::settled(row.quantity.0, QUANTITY), from: None };
            let why = match row.price {
                _ if at != website => Some(if at == 0 { ALL_WEBSITES } else { ONE_WEBSITE }),
                _ if row.price_type.0 != "fixed" => Some("percentages stand there"),
                Some(_) if self.rows.contains_key(&key) => Some("two prices stand there for one quantity"),
                Some(amount) => {
                    self.put(key, amount.0, None, setup);
                    None
                }
                None => Some("a price without an amount stands there"),
            };
            self.closed.extend(why.map(|why| (list, why)));
        }
    }

    fn put(&mut self, key: PriceKey, amount: Decimal, until: Option<Date>, setup: &Setup) {
        let amount = Money::new(money::settled(amount, READ), setup.currency);
        self.rows.insert(key, PriceRow { amount, until });
    }
}

/// The list of a group as the shop names it in a price; a group that is not listed is called as it is told.
fn named(group: &str, setup: &Setup) -> Option<String> {
    if group.eq_ignore_ascii_case(ALL_GROUPS) {
        return Some(EVERYBODY.to_owned());
    }
    let listed = setup.groups.iter().find(|code| code.to_lowercase() == group.to_lowercase());
    list_of(listed.map_or(group, String::as_str))
}

/// The day of a date and time, whatever the time of day; none where there is none.
fn day(time: Option<&wire::Text>) -> std::result::Result<Option<Date>, String> {
    let Some(text) = time.map(|time| time.0.trim()) else { return Ok(None) };
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    if day.is_empty() || day.starts_with("0000") {
        return Ok(None);
    }
    day.parse().map(Some).map_err(|_| format!("`{}` is no day of a special price", shown(text, 40)))
}

/// Why the shop can keep no price for this key; none where it can.
fn unfit(key: &PriceKey) -> Option<String> {
    let single = key.quantity == Decimal::ONE;
    match key.list.as_str() {
        BASE | SPECIAL if !single => Some(format!("the list `{}` has a price for one piece only", key.list)),
        SPECIAL => None,
        list if key.from.is_some() => Some(format!("prices in the list `{}` have no days", shown(list, 60))),
        BASE => None,
        list if group_of(list).is_none_or(str::is_empty) => Some(format!("the shop has no list `{}`", shown(list, 60))),
        _ if key.quantity <= Decimal::ZERO || key.quantity.normalize().scale() > QUANTITY => {
            Some(format!("{} is no quantity a price can begin with", key.quantity))
        }
        _ => None,
    }
}

/// How the shop keeps a price or its last day.
pub(super) fn fit(path: &Path, value: &Value, bases: &BTreeSet<String>) -> Fit {
    let Some(key) = PriceKey::of(path) else { return Fit::Exact };
    if let Some(why) = unfit(&key) {
        return Fit::Refused(why);
    }
    match value {
        Value::Day(_) if key.list != SPECIAL => Fit::Refused("only a special price has a last day".to_owned()),
        Value::Day(until) if key.from.is_some_and(|from| from > *until) => {
            Fit::Refused("its last day is before its first".to_owned())
        }
        // Before anything was read of the shop its currency is not known; what is written is checked again.
        Value::Money(amount) if bases.is_empty() => fit_amount(*amount, amount.currency),
        Value::Money(amount) => match currency(bases) {
            Ok(currency) => fit_amount(*amount, currency),
            Err(why) => Fit::Refused(why),
        },
        _ => Fit::Exact,
    }
}

fn fit_amount(amount: Money, currency: Currency) -> Fit {
    if amount.currency != currency {
        return Fit::Refused(format!("the shop keeps prices in {currency}, not in {}", amount.currency));
    }
    if amount.amount < Decimal::ZERO {
        return Fit::Refused("a price cannot be less than nothing".to_owned());
    }
    let kept = amount.amount.round_dp_with_strategy(WRITTEN, RoundingStrategy::MidpointAwayFromZero);
    if kept >= Decimal::from(TOO_MUCH) {
        return Fit::Refused(format!("a price has to be below {TOO_MUCH}"));
    }
    if kept == amount.amount {
        return Fit::Exact;
    }
    Fit::As(Value::Money(Money::new(kept, currency)), format!("rounded to {WRITTEN} decimals"))
}

/// The amount that a leaf is written as.
///
/// # Errors
/// `Invalid` where the shop does not keep it as it is.
pub(super) fn written(key: &PriceKey, amount: Money, setup: &Setup) -> Result<()> {
    let fit = unfit(key).map_or_else(|| fit_amount(amount, setup.currency), Fit::Refused);
    match fit {
        Fit::Exact => Ok(()),
        Fit::As(_, why) | Fit::Refused(why) => Err(map::invalid(format!("`{}`: {why}", key.path()))),
    }
}

/// A decimal as a number in JSON.
///
/// # Errors
/// `Invalid` where it is none.
pub(super) fn number(value: Decimal) -> Result<serde_json::Number> {
    let text = value.normalize().to_string();
    text.parse().map_err(|_| Error::new(ErrorKind::Invalid, format!("{text} is no number")))
}
